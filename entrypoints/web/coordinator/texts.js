/**
 * The texts of the coordinators' page about a conversation.
 *
 * Those about missed messages, about who is there, and about what waits for a yes are in the language
 * of the browser.
 */

/** @import { Author, Status } from "../client/messages.js" */
/** @import { Asked } from "./chat-list.js" */

const ENGLISH = {
  missed: "Missed",
  missedMessage: "Message left",
  leftAMessage: "left a message while no one was here",
  attend: "Done",
  attendFailed: "It could not be marked as done.",
  online: "Here now",
  you: "you",
  more: "more",
  asked: "Needs your yes",
  outcomes: "After your yes",
  withAssistant: "is with the assistant",
  yes: "Yes",
  no: "No",
  sending: "Sending…",
  askedYou: "The assistant waits for a coordinator’s yes",
  askedUser: "The assistant waits for the user’s yes",
  until: "until",
  by: "by",
  toolCall: "Tool",
  rating: "Rating",
  states: {
    proposed: "waits for a yes",
    approved: "Confirmed. It is being done.",
    rejected: "Declined. Nothing was done.",
    expired: "Nobody answered in time. Nothing was done.",
    withdrawn: "No longer valid. Nothing was done.",
    started: "has begun",
    done: "Done.",
    failed: "It could not be done. Nothing was changed.",
    unknown: "It is not known whether it was done. Please check.",
  },
  refusals: {
    expired: "It is too late: nobody answered in time, and nothing was done.",
    withdrawn: "The question no longer stands. Nothing was done.",
    unknown_confirmation: "The AI agent server does not know this question any more.",
    server_unavailable: "The AI agent server cannot be reached. Nothing was sent: try again.",
  },
};

/** @type {typeof ENGLISH} */
const ROMANIAN = {
  missed: "Ratate",
  missedMessage: "Mesaj lăsat",
  leftAMessage: "a lăsat un mesaj când nu era nimeni aici",
  attend: "Rezolvat",
  attendFailed: "Nu a putut fi marcat ca rezolvat.",
  online: "Prezenți acum",
  you: "dvs.",
  more: "în plus",
  asked: "Așteaptă acordul dvs.",
  outcomes: "După acordul dvs.",
  withAssistant: "vorbește cu asistentul",
  yes: "Da",
  no: "Nu",
  sending: "Se trimite…",
  askedYou: "Asistentul așteaptă acordul unui coordonator",
  askedUser: "Asistentul așteaptă acordul utilizatorului",
  until: "până la",
  by: "de",
  toolCall: "Acțiune",
  rating: "Evaluare",
  states: {
    proposed: "așteaptă acordul",
    approved: "Confirmat. Se face acum.",
    rejected: "Refuzat. Nu s-a făcut nimic.",
    expired: "Nimeni nu a răspuns la timp. Nu s-a făcut nimic.",
    withdrawn: "Nu mai este valabil. Nu s-a făcut nimic.",
    started: "a început",
    done: "S-a făcut.",
    failed: "Nu s-a putut face. Nu s-a schimbat nimic.",
    unknown: "Nu se știe dacă s-a făcut. Vă rugăm să verificați.",
  },
  refusals: {
    expired: "Este prea târziu: nimeni nu a răspuns la timp și nu s-a făcut nimic.",
    withdrawn: "Întrebarea nu mai este valabilă. Nu s-a făcut nimic.",
    unknown_confirmation: "Serverul asistentului nu mai cunoaște această întrebare.",
    server_unavailable:
      "Serverul asistentului nu răspunde. Nu s-a trimis nimic: încercați din nou.",
  },
};

/**
 * Return the texts in a language; English, where there are none in it.
 *
 * @param {string} language  a BCP 47 tag
 */
export const textsIn = (language) => (/^ro\b/i.test(language) ? ROMANIAN : ENGLISH);

/**
 * Return the state of what waits for a yes, in words.
 *
 * @param {Asked} asked
 * @param {string} language  a BCP 47 tag
 */
export function askedText({ by, state, expiresAt, coordinatorId }, language) {
  const texts = textsIn(language);
  if (state !== "proposed") {
    const text = texts.states[state] ?? state;
    return coordinatorId ? `${text} (${texts.by} ${coordinatorId})` : text;
  }
  const waits = by === "coordinator" ? texts.askedYou : texts.askedUser;
  const until = new Date(expiresAt ?? "");
  if (Number.isNaN(until.getTime())) return `${waits}.`;
  const locale = texts === ROMANIAN ? "ro" : "en-GB";
  /** @type {Intl.DateTimeFormatOptions} */
  const format = { day: "numeric", month: "long", hour: "2-digit", minute: "2-digit" };
  return `${waits}, ${texts.until} ${until.toLocaleString(locale, format)}.`;
}

/**
 * Return why an answer to what waits for a yes was refused; null: for a reason of another kind.
 *
 * @param {string} reason
 * @param {string} language  a BCP 47 tag
 */
export const answerRefusal = (reason, language) =>
  new Map(Object.entries(textsIn(language).refusals)).get(reason) ?? null;

const REASONS = new Map(
  Object.entries({
    user_request: "Asked for a person",
    ai_decision: "Handed over by the assistant",
    ai_failure: "The assistant failed",
    coordinator: "A colleague stepped in",
  }),
);

/**
 * Return why a conversation was handed over.
 *
 * @param {string | null} reason
 */
export const reasonText = (reason) => REASONS.get(reason ?? "") ?? reason ?? "";

/** @type {Map<Author, string>} */
const AUTHORS = new Map([
  ["ai", "Assistant"],
  ["coordinator", "Colleague"],
  ["system", "Notice"],
  ["user", "User"],
]);

/**
 * Return the name of an author.
 *
 * @param {{author: Author, coordinatorId?: string | null}} message
 */
export const authorName = ({ author, coordinatorId }) =>
  coordinatorId ?? AUTHORS.get(author) ?? String(author);

/** @type {Record<"return" | "close", {title: string, detail: string, confirm: string}>} */
export const END_DIALOGS = {
  return: {
    title: "Return to the AI",
    detail: "The assistant takes the conversation back and can use your summary.",
    confirm: "Return",
  },
  close: {
    title: "Close the conversation",
    detail: "If the user writes again, a new conversation begins.",
    confirm: "Close",
  },
};

/** @type {Map<Status, string>} */
const REQUESTS = new Map([
  ["live", "taken over"],
  ["ai", "returned to the assistant"],
  ["closed", "closed"],
]);

/**
 * Return the title of the alert about a request that the server refused.
 *
 * @param {string} userId
 * @param {Status} requestedStatus
 */
export const refusalTitle = (userId, requestedStatus) =>
  `The conversation with ${customerName(userId)} was not ${REQUESTS.get(requestedStatus) ?? "changed"}.`;

/**
 * Return the notice shown while the AI agent server cannot be reached.
 *
 * @param {boolean} hasPending  whether there are changes that it has not confirmed yet
 */
export function unreachableText(hasPending) {
  const detail = hasPending
    ? "Your changes are saved and will be sent in order when it is back."
    : "You can carry on: your changes are saved until it is back.";
  return `The AI agent server cannot be reached. ${detail}`;
}

/**
 * Return the name of a customer. The server has named a visitor by 32 hexadecimal digits, of which
 * the first tell those of a day apart.
 *
 * @param {string} userId
 */
export const customerName = (userId) =>
  /^v-[0-9a-f]{32}$/.test(userId) ? `Visitor ${userId.slice(2, 6)}` : userId;
