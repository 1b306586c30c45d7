/**
 * The texts of the coordinators' page about a conversation.
 *
 * Those about missed messages and about who is there are in the language of the browser.
 */

/** @import { Author, Status } from "../shared/messages.js" */

const ENGLISH = {
  missed: "Missed",
  missedMessage: "Message left",
  leftAMessage: "left a message while no one was here",
  attend: "Done",
  attendFailed: "It could not be marked as done.",
  online: "Here now",
  you: "you",
  more: "more",
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
};

/**
 * Return the texts in a language; English, where there are none in it.
 *
 * @param {string} language  a BCP 47 tag
 */
export const textsIn = (language) => (/^ro\b/i.test(language) ? ROMANIAN : ENGLISH);

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
  `The conversation with ${userId} was not ${REQUESTS.get(requestedStatus) ?? "changed"}.`;

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
