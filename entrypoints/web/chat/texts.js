/** The words of the chat, in English and Romanian, and how times are written. */

/** @import { Author, Status } from "../client/messages.js" */
/** @import { QuestionState } from "../client/conversation.js" */

/** @typedef {typeof ENGLISH} Texts */
/** @typedef {Partial<Record<Intl.LDMLPluralRule, string>> & {other: string}} Plural  # is the number */

const ENGLISH = {
  title: "Chat",
  greeting: "How can we help?",
  placeholder: "Write a message…",
  message: "Message",
  messages: "Messages",
  send: "Send",
  stop: "Stop the answer",
  close: "Close the chat",
  menu: "More",
  dismiss: "Dismiss",
  counter: (/** @type {string} */ count, /** @type {string} */ most) => `${count} of ${most}`,
  tooLong: "The message is too long.",

  you: "You",
  assistant: "Assistant",
  colleague: "Team member",
  notice: "Notice",
  isTyping: (/** @type {string} */ name) => `${name} is typing…`,

  connecting: "Connecting…",
  notConnected: "Not connected",
  reconnecting: "No connection. Trying again…",
  offline: "You are offline. What you write is sent once you are back.",
  connectedAgain: "Connected again.",
  tryNow: "Try now",
  unavailable: "The chat is not available at the moment.",
  unknownBusiness: "This chat does not exist.",
  notOnThisPage: "The chat is not available on this page.",
  signedOut: "You are no longer signed in. Load the page again to go on.",

  waiting: "Waiting for a colleague",
  waitingDetail: "You can go on writing in the meantime.",
  next: "You are next.",
  place: (/** @type {number} */ n) => `You are number ${n} in line.`,
  waitMinutes: /** @type {Plural} */ ({ one: "About # minute.", other: "About # minutes." }),
  live: (/** @type {string} */ name) => `${name} is here`,
  closed: "Conversation closed",
  newConversation: "New conversation",

  askForPerson: "Talk to a person",
  cancelRequest: "Cancel the request",
  cancel: "Cancel",
  endLiveChat: "End the conversation",
  endQuestion: (/** @type {string} */ name) => `End the conversation with ${name}?`,
  end: "End",
  keep: "Go on",
  downloadTranscript: "Download the conversation",
  sound: "Sound",
  rate: "Rate the conversation",

  earlier: "Earlier messages",
  loadingEarlier: "Loading earlier messages…",
  newest: "To the newest message",
  newMessages: /** @type {Plural} */ ({ one: "# new message", other: "# new messages" }),
  suggestions: "Suggested questions",

  queued: "Sent once connected",
  sending: "Sending…",
  stored: "Sent",
  failed: "Not sent.",
  retry: "Try again",
  interrupted: "The answer was interrupted.",
  today: "Today",
  yesterday: "Yesterday",

  sources: "Sources",
  reservations: "Your reservations",
  noReservations: "No reservations",
  date: "Date",
  time: "Time",
  guests: "Guests",
  name: "Name",
  about: "About us",
  leaveMessage: "Leave us a message",
  leaveMessageDetail: "Write it below, with a phone number or an e-mail address.",
  backAt: (/** @type {string} */ time) => `We are back on ${time}.`,
  yes: "Yes",
  no: "No",

  rating: "How was the conversation?",
  ratings: ["Very poor", "Poor", "Fair", "Good", "Excellent"],
  stars: /** @type {Plural} */ ({ one: "# star", other: "# stars" }),
  comment: "Anything to add? (optional)",
  sendRating: "Send the rating",
  notNow: "Not now",
  thanks: "Thank you for your rating.",
  change: "Change",
  rated: "You rated the conversation:",

  transcript: (/** @type {string} */ business) => `Conversation with ${business}`,

  /** @type {Record<QuestionState, string>} what has become of a question for a yes */
  questions: {
    open: "",
    sending: "Sending…",
    approved: "Confirmed. It is being done.",
    rejected: "Declined. Nothing was done.",
    expired: "Expired without an answer. Nothing was done.",
    withdrawn: "No longer valid. Nothing was done.",
    done: "Done.",
    failed: "It did not work. Nothing was changed.",
    unknown: "We do not know whether it was done.",
  },
  answerUntil: (/** @type {string} */ time) => `Please answer before ${time}.`,
  approval: "Our team has to agree first.",

  /** @type {Record<Status, string>} a change of it that no notice explains */
  statuses: {
    ai: "The assistant is here for you.",
    waiting: "A colleague was asked to join.",
    live: "A colleague has joined.",
    closed: "The conversation is closed.",
  },

  /** Why a request failed. */
  refusals: {
    other: "It did not work. Please try again.",
    rate_limited: "That was a lot at once. Please try again in a moment.",
    timeout: "There was no response. Please try again.",
    disconnected: "There is no connection. Please try again later.",
    connection_lost: "The connection was lost while this was sent.",
    storage_unavailable: "It could not be saved. Please try again in a moment.",
  },
};

/** @type {Texts} */
const ROMANIAN = {
  title: "Chat",
  greeting: "Cu ce vă putem ajuta?",
  placeholder: "Scrieți un mesaj…",
  message: "Mesaj",
  messages: "Mesaje",
  send: "Trimite",
  stop: "Oprește răspunsul",
  close: "Închide chatul",
  menu: "Mai multe",
  dismiss: "Închide",
  counter: (count, most) => `${count} din ${most}`,
  tooLong: "Mesajul este prea lung.",

  you: "Dumneavoastră",
  assistant: "Asistent",
  colleague: "Coleg",
  notice: "Notificare",
  isTyping: (name) => `${name} scrie…`,

  connecting: "Se conectează…",
  notConnected: "Neconectat",
  reconnecting: "Nu există conexiune. Se încearcă din nou…",
  offline: "Sunteți offline. Ce scrieți se trimite când reveniți.",
  connectedAgain: "Conexiunea a revenit.",
  tryNow: "Încearcă acum",
  unavailable: "Chatul nu este disponibil în acest moment.",
  unknownBusiness: "Acest chat nu există.",
  notOnThisPage: "Chatul nu este disponibil pe această pagină.",
  signedOut: "Nu mai sunteți autentificat. Reîncărcați pagina pentru a continua.",

  waiting: "Așteptați un coleg",
  waitingDetail: "Între timp puteți scrie în continuare.",
  next: "Sunteți următorul.",
  place: (n) => `Sunteți pe locul ${n}.`,
  waitMinutes: /** @type {Plural} */ ({
    one: "Circa # minut.",
    few: "Circa # minute.",
    other: "Circa # de minute.",
  }),
  live: (name) => `${name} este aici`,
  closed: "Conversație închisă",
  newConversation: "Conversație nouă",

  askForPerson: "Vorbește cu un coleg",
  cancelRequest: "Anulează cererea",
  cancel: "Anulează",
  endLiveChat: "Încheie discuția",
  endQuestion: (name) => `Încheiați discuția cu ${name}?`,
  end: "Încheie",
  keep: "Continuă",
  downloadTranscript: "Descarcă conversația",
  sound: "Sunet",
  rate: "Evaluează conversația",

  earlier: "Mesaje anterioare",
  loadingEarlier: "Se încarcă mesajele anterioare…",
  newest: "La cel mai nou mesaj",
  newMessages: /** @type {Plural} */ ({
    one: "# mesaj nou",
    few: "# mesaje noi",
    other: "# de mesaje noi",
  }),
  suggestions: "Întrebări sugerate",

  queued: "Se trimite la conectare",
  sending: "Se trimite…",
  stored: "Trimis",
  failed: "Netrimis.",
  retry: "Încearcă din nou",
  interrupted: "Răspunsul s-a întrerupt.",
  today: "Astăzi",
  yesterday: "Ieri",

  sources: "Surse",
  reservations: "Rezervările dumneavoastră",
  noReservations: "Nicio rezervare",
  date: "Data",
  time: "Ora",
  guests: "Persoane",
  name: "Nume",
  about: "Despre noi",
  leaveMessage: "Lăsați-ne un mesaj",
  leaveMessageDetail: "Scrieți-l mai jos, cu un număr de telefon sau o adresă de e-mail.",
  backAt: (time) => `Revenim ${time}.`,
  yes: "Da",
  no: "Nu",

  rating: "Cum a fost conversația?",
  ratings: ["Foarte slabă", "Slabă", "Acceptabilă", "Bună", "Excelentă"],
  stars: /** @type {Plural} */ ({ one: "# stea", few: "# stele", other: "# de stele" }),
  comment: "Doriți să adăugați ceva? (opțional)",
  sendRating: "Trimite evaluarea",
  notNow: "Nu acum",
  thanks: "Vă mulțumim pentru evaluare.",
  change: "Modifică",
  rated: "Ați evaluat conversația:",

  transcript: (business) => `Conversație cu ${business}`,

  questions: {
    open: "",
    sending: "Se trimite…",
    approved: "Confirmat. Se face acum.",
    rejected: "Refuzat. Nu s-a făcut nimic.",
    expired: "A expirat fără răspuns. Nu s-a făcut nimic.",
    withdrawn: "Nu mai este valabil. Nu s-a făcut nimic.",
    done: "S-a făcut.",
    failed: "Nu a reușit. Nu s-a schimbat nimic.",
    unknown: "Nu știm dacă s-a făcut.",
  },
  answerUntil: (time) => `Vă rugăm să răspundeți până ${time}.`,
  approval: "Mai întâi este nevoie de acordul echipei noastre.",

  statuses: {
    ai: "Asistentul vă stă la dispoziție.",
    waiting: "Un coleg a fost rugat să vi se alăture.",
    live: "Un coleg s-a alăturat.",
    closed: "Conversația este închisă.",
  },

  refusals: {
    other: "Nu a reușit. Încercați din nou.",
    rate_limited: "Prea multe deodată. Încercați din nou peste puțin timp.",
    timeout: "Nu a venit niciun răspuns. Încercați din nou.",
    disconnected: "Nu există conexiune. Încercați mai târziu.",
    connection_lost: "Conexiunea s-a pierdut în timpul trimiterii.",
    storage_unavailable: "Nu s-a putut salva. Încercați din nou peste puțin timp.",
  },
};

/** @type {Record<string, Texts>} */
const TEXTS = { en: ENGLISH, ro: ROMANIAN };
const FALLBACK = "en";

const RIGHT_TO_LEFT = ["ar", "dv", "fa", "he", "ks", "ku", "ps", "sd", "ug", "ur", "yi"];
// In a name they would change the words around it.
const DIRECTION_CONTROLS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** The texts in one language, and numbers, times and names as it writes them. */
export class Words {
  #plurals;
  #formats;

  /**
   * @param {string} [language]  BCP 47; one without texts has the English ones
   * @param {Partial<Record<"title" | "greeting", string>>} [own]  the business's own
   */
  constructor(language = FALLBACK, own = {}) {
    const spoken = localeOf(language);
    const hasTexts = Object.hasOwn(TEXTS, spoken.language);
    /** That of the texts. */
    this.language = hasTexts ? spoken.language : FALLBACK;
    /** That of the messages, as far as is known. */
    this.spoken = spoken.toString();
    this.dir = RIGHT_TO_LEFT.includes(spoken.language) ? "rtl" : "ltr";
    const texts = TEXTS[this.language];
    const given = Object.entries(own).filter(([, text]) => text);
    /** @type {Texts} */
    this.texts = { ...texts, ...Object.fromEntries(given) };
    const locale = hasTexts ? regional(spoken) : FALLBACK;
    this.#plurals = new Intl.PluralRules(locale);
    /** @type {Intl.DateTimeFormatOptions} */
    const clock = { hour: "numeric", minute: "2-digit" };
    /** @type {Intl.DateTimeFormatOptions} */
    const day = { weekday: "long", day: "numeric", month: "long" };
    this.#formats = {
      number: new Intl.NumberFormat(locale),
      clock: new Intl.DateTimeFormat(locale, clock),
      day: new Intl.DateTimeFormat(locale, day),
      date: new Intl.DateTimeFormat(locale, { ...day, year: "numeric" }),
      moment: new Intl.DateTimeFormat(locale, { ...day, ...clock }),
    };
  }

  /**
   * Return a text about a number of things.
   *
   * @param {Plural} plural
   * @param {number} n
   */
  count(plural, n) {
    return (plural[this.#plurals.select(n)] ?? plural.other).replace("#", this.number(n));
  }

  /** @param {number} n */
  number(n) {
    return this.#formats.number.format(n);
  }

  /** @param {Date} at */
  clock(at) {
    return this.#formats.clock.format(at);
  }

  /** @param {Date} at */
  moment(at) {
    return this.#formats.moment.format(at);
  }

  /** @param {Date} at */
  date(at) {
    return this.#formats.date.format(at);
  }

  /** @param {Date} at */
  day(at) {
    const days = Math.round((midnight(new Date()) - midnight(at)) / 86_400_000);
    if (days === 0) return this.texts.today;
    if (days === 1) return this.texts.yesterday;
    const isOfThisYear = at.getFullYear() === new Date().getFullYear();
    return (isOfThisYear ? this.#formats.day : this.#formats.date).format(at);
  }

  /** @param {{author: Author, coordinatorId?: string | null}} message */
  authorName({ author, coordinatorId }) {
    const { you, assistant, colleague, notice } = this.texts;
    switch (author) {
      case "user":
        return you;
      case "ai":
        return assistant;
      case "coordinator":
        return plainName(coordinatorId) || colleague;
      default:
        return notice;
    }
  }

  /**
   * Return why a request failed.
   *
   * @param {string} reason
   */
  refusal(reason) {
    const { refusals } = this.texts;
    return isKeyOf(refusals, reason) ? refusals[reason] : refusals.other;
  }
}

/**
 * Return the time that a text from the wire stands for; null: it stands for none.
 *
 * @param {unknown} text
 */
export function timeOf(text) {
  const time = new Date(typeof text === "string" ? text : NaN);
  return Number.isNaN(time.getTime()) ? null : time;
}

/**
 * Return a language as the browser's user writes it, where it names no region: `en-GB` for `en`.
 *
 * @param {Intl.Locale} locale
 */
function regional(locale) {
  const own = globalThis.navigator?.languages?.map(localeOf) ?? [];
  const found = locale.region ? null : own.find(({ language }) => language === locale.language);
  return (found ?? locale).toString();
}

/**
 * Return a language as the browser knows it.
 *
 * @param {string} language
 */
function localeOf(language) {
  try {
    return new Intl.Locale(language);
  } catch {
    return new Intl.Locale(FALLBACK);
  }
}

/**
 * Return a name without what would change the words around it; "" for what is no text.
 *
 * @param {unknown} name
 */
export const plainName = (name) =>
  typeof name === "string" ? name.replace(DIRECTION_CONTROLS, "").replace(/\s+/g, " ").trim() : "";

/**
 * @template {object} T
 * @param {T} object
 * @param {PropertyKey} key
 * @returns {key is keyof T}
 */
const isKeyOf = (object, key) => Object.hasOwn(object, key);

/** @param {Date} at */
const midnight = (at) => new Date(at.getFullYear(), at.getMonth(), at.getDate()).getTime();
