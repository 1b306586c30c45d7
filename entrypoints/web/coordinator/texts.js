/** The words of the coordinators' page: each text in English and in Romanian. */

import { plainName, Words } from "../chat/texts.js";

/** @import { Author } from "../client/messages.js" */
/** @import { ErrorResponse } from "../client/phoenix.js" */

/**
 * `{name}` stands for a value; the forms of a number are separated by `|`: one and other in English,
 * one, few and other in Romanian, where `#` is the number.
 */
const TEXTS = {
  title: ["Coordinators", "Coordonatori"],
  conversations: ["Conversations", "Conversații"],
  conversation: ["Conversation", "Conversație"],
  context: ["About the conversation", "Despre conversație"],
  you: ["you", "dvs."],
  youSaid: ["You", "Dvs."],
  assistant: ["Assistant", "Asistent"],
  colleague: ["Colleague", "Coleg"],
  customer: ["Customer", "Client"],
  notice: ["Notice", "Anunț"],
  visitor: ["Visitor {id}", "Vizitator {id}"],
  cancel: ["Cancel", "Renunță"],
  close: ["Close", "Închide"],
  retry: ["Try again", "Încearcă din nou"],
  loading: ["Loading…", "Se încarcă…"],

  signIn: ["Sign in", "Intră"],
  signInAgain: ["Sign in again: what you wrote is kept.", "Intrați din nou: ce ați scris rămâne."],
  signOut: ["Sign out", "Ieși"],
  leavesLive: ["Go back to the queue if you leave: #", "Revin în coadă dacă plecați: #"],
  account: ["Account", "Cont"],
  business: ["Business", "Firma"],
  yourName: ["Your name", "Numele dvs."],
  password: ["Password", "Parola"],
  token: ["Token", "Token"],

  "view.mine": ["Mine", "Ale mele"],
  "view.waiting": ["Waiting", "Așteaptă"],
  "view.open": ["All", "Toate"],
  "view.history": ["History", "Istoric"],
  search: ["Search", "Caută"],
  searchAll: ["Search all conversations", "Caută în toate conversațiile"],
  allBusinesses: ["All businesses", "Toate firmele"],
  waits: ["waits {time}", "așteaptă {time}"],
  days: ["# d|# d", "o zi|# zile|# de zile"],
  unread: ["unread", "necitite"],
  needsYes: ["Needs your yes", "Cere acordul"],
  leftAMessage: ["left a message", "a lăsat un mesaj"],
  "empty.mine": ["You have none. Take one from Waiting.", "Nu aveți. Luați una din „Așteaptă”."],
  "empty.waiting": ["Nobody is waiting.", "Nu așteaptă nimeni."],
  "empty.open": ["There is no open conversation.", "Nu există conversații deschise."],
  "empty.history": ["No conversation has ended yet.", "Nicio conversație încheiată încă."],
  "empty.search": ["Nothing was found.", "Nu s-a găsit nimic."],

  here: ["Here: {names}", "Prezenți: {names}"],
  nobodyHere: ["No colleague is here", "Niciun coleg nu este aici"],
  "connection.joined": ["Connected", "Conectat"],
  "connection.idle": ["Connecting…", "Se conectează…"],
  "connection.connecting": ["Connecting…", "Se conectează…"],
  "connection.joining": ["Connecting…", "Se conectează…"],
  "connection.offline": ["Offline: what you write is kept", "Fără internet: ce scrieți rămâne"],
  "connection.waiting": ["No connection: trying again…", "Fără conexiune: se încearcă din nou…"],
  "connection.refused": ["Not connected", "Neconectat"],
  serverAway: [
    "The AI server cannot be reached. Your changes are kept and sent when it is back.",
    "Serverul AI nu răspunde. Schimbările dvs. se păstrează și se trimit la revenire.",
  ],

  "title.waiting": ["waiting", "în așteptare"],
  "title.unanswered": ["unanswered", "fără răspuns"],
  "title.asked": ["to approve", "de aprobat"],
  "title.missed": ["missed", "ratate"],
  "calls.waiting": ["{name} is waiting", "{name} așteaptă"],
  "calls.missed": ["{name} left a message", "{name} a lăsat un mesaj"],
  "calls.asked": ["The assistant needs your yes: {name}", "Asistentul cere acordul: {name}"],
  "calls.message": ["{name} has written", "{name} a scris"],
  "calls.forwarded": ["{name} was forwarded to you", "{name} v-a fost trimis"],
  sound: ["Sound", "Sunet"],
  notifications: ["Notifications", "Notificări"],
  notificationsBlocked: ["The browser’s settings block them.", "Browserul le blochează."],
  refused: ["The talk with {name} was not {change}.", "Discuția cu {name} nu a fost {change}."],
  notYours: ["The talk with {name} is not yours now:", "Discuția cu {name} nu mai e a dvs.:"],
  "change.live": ["taken over", "preluată"],
  "change.waiting": ["put back in the queue", "repusă în coadă"],
  "change.ai": ["returned to the assistant", "înapoiată asistentului"],
  "change.closed": ["closed", "închisă"],

  keys: ["Keys", "Taste"],
  singleKeys: ["Single-letter keys", "Taste de o literă"],
  "key.next": ["Next conversation", "Conversația următoare"],
  "key.previous": ["Previous conversation", "Conversația dinainte"],
  "key.open": ["Open it", "Deschide"],
  "key.unread": ["Next one without an answer", "Următoarea fără răspuns"],
  "key.claim": ["Claim or step in", "Preia"],
  "key.reply": ["Reply", "Răspunde"],
  "key.note": ["Note for colleagues", "Notă pentru colegi"],
  "key.whisper": ["Whisper to the assistant", "Șoaptă pentru asistent"],
  "key.suggest": ["Suggest a reply", "Propune un răspuns"],
  "key.forward": ["Forward to a colleague", "Trimite unui coleg"],
  "key.requeue": ["Back to the queue", "Înapoi în coadă"],
  "key.return": ["Back to the assistant", "Înapoi la asistent"],
  "key.close": ["Close the conversation", "Închide conversația"],
  "key.leave": ["Leave a field, go back", "Ieși din câmp, înapoi"],

  outcomes: ["Outcomes", "Rezultate"],
  backToList: ["Back to the list", "Înapoi la listă"],
  period: ["Period", "Perioada"],
  lastDays: ["Today|Last # days", "Astăzi|Ultimele # zile|Ultimele # de zile"],
  "outcomes.none": ["No conversation in these days.", "Nicio conversație în aceste zile."],
  "outcomes.conversations": ["Conversations", "Conversații"],
  "outcomes.solved": ["Solved by the assistant", "Rezolvate de asistent"],
  "outcomes.ofEnded": ["{n} of {ended} ended", "{n} din {ended} încheiate"],
  "outcomes.solvedMeans": [
    "Solved: ended without a request for a person, and none within 72 hours after.",
    "Rezolvată: încheiată fără cererea unei persoane, și fără una în următoarele 72 de ore.",
  ],
  "outcomes.handoffs": ["To a person", "Către o persoană"],
  "outcomes.firstAnswer": ["First answer", "Primul răspuns"],
  "outcomes.human": ["Person came after", "Persoana a venit după"],
  "outcomes.median": ["median", "mediană"],
  "outcomes.rating": ["Rating", "Evaluare"],
  rated: ["# rating|# ratings", "o evaluare|# evaluări|# de evaluări"],
  "outcomes.unanswered": ["Questions without an answer", "Întrebări fără răspuns"],
  "outcomes.tokens": ["Tokens a conversation", "Tokeni pe conversație"],
  "outcomes.cost": ["Cost", "Cost"],
  "outcomes.reasons": ["Why to a person", "De ce către o persoană"],
  "outcomes.ratings": ["Ratings", "Evaluări"],
  "outcomes.byDay": ["By day", "Pe zile"],
  "outcomes.day": ["Day", "Ziua"],

  noneOpen: ["Choose a conversation.", "Alegeți o conversație."],
  noMessages: ["No messages yet.", "Niciun mesaj încă."],
  backToTalk: ["Back to the conversation", "Înapoi la conversație"],
  more: ["More", "Mai multe"],
  optional: ["(optional)", "(opțional)"],
  sending: ["Sending…", "Se trimite…"],
  since: ["since {time}", "din {time}"],
  online: ["customer online", "clientul e online"],
  offline: ["customer away", "clientul nu e online"],
  pending: ["not yet confirmed by the server", "încă neconfirmat de server"],
  actFailed: ["That did not work.", "Nu a reușit."],
  "act.claim": ["Claim", "Preia"],
  "act.stepIn": ["Step in", "Intervino"],
  "act.takeOver": ["Take over", "Preia de la coleg"],
  "act.attend": ["Done", "Rezolvat"],
  "act.forward": ["Forward", "Trimite unui coleg"],
  "act.requeue": ["Back to the queue", "Înapoi în coadă"],
  "act.return": ["Return to AI", "Înapoi la asistent"],
  "act.close": ["Close", "Închide"],
  "ask.forward": [
    "They have it at once. The note is seen by coordinators only.",
    "O primește imediat. Nota o văd doar coordonatorii.",
  ],
  "ask.requeue": [
    "The customer is told that another colleague will go on.",
    "Clientul află că va continua alt coleg.",
  ],
  "ask.return": [
    "The assistant goes on, and knows your summary.",
    "Asistentul continuă și cunoaște rezumatul dvs.",
  ],
  "ask.close": [
    "If the customer writes again, a new conversation begins.",
    "Dacă clientul scrie din nou, începe altă conversație.",
  ],
  forwardTo: ["To whom", "Cui"],
  noteFor: ["Note for the colleague", "Notă pentru coleg"],
  summary: ["Summary", "Rezumat"],

  writeAs: ["Write as", "Scrie ca"],
  "mode.reply": ["Reply", "Răspuns"],
  "mode.note": ["Note", "Notă"],
  "mode.whisper": ["Whisper", "Șoaptă"],
  "mode.reply.what": ["The customer sees this", "Clientul vede asta"],
  "mode.note.what": ["Only coordinators see this", "Doar coordonatorii văd asta"],
  "mode.whisper.what": ["Only the AI sees this", "Doar asistentul vede asta"],
  enterSends: ["Enter sends, Shift+Enter: new line", "Enter trimite, Shift+Enter: rând nou"],
  canned: ["Canned replies", "Răspunsuri gata"],
  choices: ["# reply|# replies", "un răspuns|# răspunsuri|# de răspunsuri"],
  suggest: ["Suggest", "Propune"],
  suggesting: ["The assistant is writing a suggestion…", "Asistentul scrie o propunere…"],
  suggested: ["Suggested by the assistant: read it first", "Propus de asistent: citiți mai întâi"],
  notSuggested: ["There is no suggestion.", "Nu există o propunere."],
  draftKept: ["Your draft from before is kept", "Ciorna de dinainte s-a păstrat"],
  undo: ["Undo", "Anulează"],
  takeBack: ["Take back", "Retrage"],

  new: ["New", "Noi"],
  sideAi: ["With the assistant", "Cu asistentul"],
  sideLive: ["Live chat", "Cu un coleg"],
  lookedUp: ["# source|# sources", "o sursă|# surse|# de surse"],
  "event.claimed": ["Claimed by {name}", "Preluată de {name}"],
  "event.taken_over": ["Taken over by {name}", "Preluată din mers de {name}"],
  "event.forwarded": ["Forwarded by {name} to {to}", "Trimisă de {name} către {to}"],
  "event.requeued": ["Put back in the queue by {name}", "Repusă în coadă de {name}"],
  "event.away": ["{name} was away: back in the queue", "{name} a lipsit: înapoi în coadă"],
  "event.returned": ["Returned to the assistant by {name}", "Înapoiată asistentului de {name}"],
  "event.closed": ["Closed by {name}", "Închisă de {name}"],
  "event.whispered": ["Whisper to the assistant by {name}", "Șoaptă pentru asistent de la {name}"],
  "event.answered_question": ["Answered by {name}", "Răspuns dat de {name}"],
  "event.cancelled": ["The customer no longer waits", "Clientul nu mai așteaptă"],
  "event.expired": ["Nobody came in time", "Nu a venit nimeni la timp"],
  "event.ended_by_user": ["Ended by the customer", "Încheiată de client"],
  "event.idle": ["Closed after a long silence", "Închisă după o tăcere lungă"],
  "event.signed_in": ["The customer signed in", "Clientul s-a autentificat"],

  contextEmpty: [
    "Why it was handed over and what is known of it appear here.",
    "Aici apare de ce a fost transferată și ce se știe despre ea.",
  ],
  "about.missed": ["Message left", "Mesaj lăsat"],
  "about.question": ["Open question", "Întrebare fără răspuns"],
  "about.summary": ["Summary", "Rezumat"],
  "about.rating": ["Rating", "Evaluare"],
  "about.customer": ["Customer", "Client"],
  "about.language": ["Language", "Limbă"],
  "about.location": ["Location", "Locație"],
  "about.tools": ["Tools used", "Acțiuni folosite"],
  "about.since": ["Requested", "Cerută"],
  "about.session": ["Session", "Sesiune"],
  "about.earlier": ["Earlier conversations", "Conversații anterioare"],

  "status.waiting": ["waiting", "așteaptă"],
  "status.live": ["with {name}", "cu {name}"],
  "status.ai": ["with the assistant", "cu asistentul"],
  "status.closed": ["closed", "închisă"],

  "reason.user_request": ["Asked for a person", "A cerut o persoană"],
  "reason.ai_decision": ["Handed over by the assistant", "Transferată de asistent"],
  "reason.ai_failure": ["The assistant failed", "Asistentul nu a reușit"],
  "reason.coordinator": ["A colleague stepped in", "A intervenit un coleg"],
  "reason.requeued": ["Put back in the queue", "Repusă în coadă"],
  "reason.coordinator_away": ["The colleague had to leave", "Colegul a trebuit să plece"],

  yes: ["Yes", "Da"],
  no: ["No", "Nu"],
  askedYou: ["The assistant waits for a coordinator’s yes", "Asistentul așteaptă acordul dvs."],
  askedUser: [
    "The assistant waits for the customer’s yes",
    "Asistentul așteaptă acordul clientului",
  ],
  until: ["until {time}", "până la {time}"],
  by: ["by {name}", "de {name}"],
  "asked.proposed": ["waits for a yes", "așteaptă acordul"],
  "asked.approved": ["Confirmed. It is being done.", "Confirmat. Se face acum."],
  "asked.rejected": ["Declined. Nothing was done.", "Refuzat. Nu s-a făcut nimic."],
  "asked.expired": ["Nobody answered: nothing was done.", "Fără răspuns: nu s-a făcut nimic."],
  "asked.withdrawn": ["No longer valid: nothing was done.", "Nevalabil: nu s-a făcut nimic."],
  "asked.started": ["has begun", "a început"],
  "asked.done": ["Done.", "S-a făcut."],
  "asked.failed": ["It failed: nothing was changed.", "Nu a reușit: nu s-a schimbat nimic."],
  "asked.unknown": ["It may have been done: please check.", "Poate s-a făcut: verificați."],

  "refusal.other": ["It was refused ({reason}).", "A fost refuzat ({reason})."],
  "refusal.already_claimed": ["It is with {by} by now.", "Între timp este la {by}."],
  "refusal.transition_refused": ["The customer waits no longer.", "Clientul nu mai așteaptă."],
  "refusal.not_there": ["That colleague is not here any more.", "Colegul nu mai este aici."],
  "refusal.session_closed": ["The conversation is closed.", "Conversația este închisă."],
  "refusal.closed": ["The conversation is closed.", "Conversația este închisă."],
  "refusal.expired": ["It is too late: nothing was done.", "Este prea târziu: nu s-a făcut nimic."],
  "refusal.withdrawn": [
    "It no longer stands: nothing was done.",
    "Nu mai e valabil: nu s-a făcut nimic.",
  ],
  "refusal.unknown_confirmation": ["The AI server does not know it.", "Serverul AI nu o cunoaște."],
  "refusal.unknown_session": ["The AI server does not know it.", "Serverul AI nu o cunoaște."],
  "refusal.server_unavailable": [
    "The AI server is away: try again.",
    "Serverul AI nu răspunde: reîncercați.",
  ],
  "refusal.storage_unavailable": ["It was not saved: try again.", "Nu s-a salvat: reîncercați."],
  "refusal.rate_limited": ["Too much at once: wait a moment.", "Prea multe deodată: așteptați."],
  "refusal.overloaded": ["The server is at capacity.", "Serverul este supraîncărcat."],
  "refusal.message_too_long": ["It is too long. Shorten it.", "Este prea lung. Scurtați-l."],
  "refusal.wrong_password": ["Name or password is wrong.", "Numele sau parola este greșită."],
  "refusal.unreachable": ["The server cannot be reached.", "Serverul nu răspunde."],
  "refusal.unauthorized": [
    "The token is missing, wrong or expired.",
    "Tokenul lipsește, e greșit sau expirat.",
  ],
  "refusal.token_expired": ["The sign-in has expired.", "Sesiunea a expirat."],
  "refusal.business_mismatch": ["The token is another business’s.", "Tokenul este al altei firme."],
  "refusal.timeout": ["No reply came: you can try again.", "Nu a venit răspuns: puteți reîncerca."],
  "refusal.disconnected": ["There is no connection.", "Nu există conexiune."],
  "refusal.connection_lost": ["The connection was lost meanwhile.", "Conexiunea s-a pierdut."],
};

/** @typedef {keyof typeof TEXTS} TextKey */
/** @typedef {Record<string, string | number>} Values */

/** The words in one language, with how times and numbers are written in it. */
export class DeskWords extends Words {
  #column;

  /** @param {string} language  a BCP 47 tag; English, unless it is Romanian */
  constructor(language = globalThis.navigator?.language ?? "en") {
    const isKnown = /^(ro|en)\b/i.test(language);
    const locale = isKnown ? language : "en-GB";
    super(locale);
    this.locale = locale;
    this.#column = this.language === "ro" ? 1 : 0;
  }

  /**
   * Return a text with its values.
   *
   * @param {TextKey} key
   * @param {Values} [values]
   */
  t(key, values = {}) {
    return this.#fill(TEXTS[key][this.#column], values);
  }

  /**
   * Return a text about a number of things.
   *
   * @param {TextKey} key
   * @param {number} n
   * @param {Values} [values]
   */
  n(key, n, values = {}) {
    const [one, few = one, other = few] = TEXTS[key][this.#column].split("|");
    return this.#fill(this.count({ one, few, other }, n), values);
  }

  /**
   * Return the text for a code of the wire's; the code itself where there is none.
   *
   * @param {string} kind  such as `reason`
   * @param {string | null | undefined} code
   * @param {Values} [values]
   */
  code(kind, code, values = {}) {
    const key = `${kind}.${code}`;
    return Object.hasOwn(TEXTS, key) ? this.t(/** @type {TextKey} */ (key), values) : (code ?? "");
  }

  /**
   * Return why a request was refused, and what to do about it.
   *
   * @param {string} reason
   * @param {ErrorResponse | null} [response]
   */
  refusalOf(reason, response) {
    const by = response?.by ?? this.t("colleague");
    const isKnown = Object.hasOwn(TEXTS, `refusal.${reason}`);
    return this.code("refusal", isKnown ? reason : "other", { reason, by });
  }

  /**
   * Return the name of a customer. The server has named a visitor by 32 hexadecimal digits, of which
   * the first tell those of a day apart.
   *
   * @param {string} userId
   */
  customer(userId) {
    const isVisitor = /^v-[0-9a-f]{32}$/.test(userId);
    return isVisitor ? this.t("visitor", { id: userId.slice(2, 6) }) : plainName(userId);
  }

  /**
   * Return the name of an author.
   *
   * @param {{author: Author, coordinatorId?: string | null}} message
   */
  author({ author, coordinatorId }) {
    if (author === "user") return this.t("customer");
    if (author === "ai") return this.t("assistant");
    return plainName(coordinatorId) || this.t(author === "coordinator" ? "colleague" : "notice");
  }

  /**
   * Return how long something took, in its largest unit: "8 s", "12 min", "3 h 05", "2 d".
   *
   * @param {number} ms
   */
  duration(ms) {
    const seconds = Math.max(0, Math.round(ms / 1000));
    const minutes = Math.floor(seconds / 60);
    const hours = Math.floor(minutes / 60);
    if (minutes === 0) return `${seconds} s`;
    if (hours === 0) return `${minutes} min`;
    if (hours >= 48) return this.n("days", Math.floor(hours / 24));
    return `${hours} h ${String(minutes % 60).padStart(2, "0")}`;
  }

  /**
   * Return a time of today, or the day of an earlier one.
   *
   * @param {Date} at
   */
  shortTime(at) {
    const isToday = at.toDateString() === new Date().toDateString();
    return isToday ? this.clock(at) : this.shortDay(at);
  }

  /** @param {Date} at */
  shortDay(at) {
    const isThisYear = at.getFullYear() === new Date().getFullYear();
    /** @type {Intl.DateTimeFormatOptions} */
    const year = isThisYear ? {} : { year: "numeric" };
    return at.toLocaleDateString(this.locale, { day: "numeric", month: "short", ...year });
  }

  /**
   * @param {string} text
   * @param {Values} values
   */
  #fill(text, values) {
    return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
  }
}
