/** The texts of the user's page about the conversation. */

/** @import { Author, Status } from "../client/messages.js" */
/** @import { QuestionState, QueuePush } from "../client/conversation.js" */

/**
 * Return the title and the detail of an empty conversation.
 *
 * @param {boolean} isConnected
 * @param {string} greeting
 */
export const emptyText = (isConnected, greeting) =>
  isConnected
    ? { title: greeting || "How can we help?", detail: "Write a message below." }
    : { title: "Start a conversation", detail: "Connect, then write the first message." };

/** Why the status of a conversation changed, by the reason. */
const REASONS = new Map(
  Object.entries({
    user_request: "You asked to talk to a person.",
    ai_decision: "The assistant asked a person to help.",
    ai_failure: "The assistant could not answer.",
    coordinator: "A team member has joined.",
    accepted: "A team member has joined.",
    takeover: "Another team member has taken over.",
    cancelled: "The request was cancelled.",
    expired: "Nobody was available in time.",
    returned: "The assistant is back.",
    ended_by_user: "You ended the live chat.",
    closed_by_coordinator: "Closed by a team member.",
    idle: "Closed after a long silence.",
  }),
);

/** @param {string | null} reason */
const reasonText = (reason) => REASONS.get(reason ?? "") ?? "";

/**
 * Return where a customer stands among those who wait, and for how long they may yet wait.
 *
 * @param {QueuePush} queue
 */
function queueText({ place, waitS }) {
  const others = place === 1 ? "You are next" : `You are number ${place}`;
  if (waitS === null) return `${others}.`;
  const minutes = Math.max(1, Math.round(waitS / 60));
  return `${others}; it takes about ${minutes} ${minutes === 1 ? "minute" : "minutes"}.`;
}

/**
 * Return the title and the detail that say who owns the conversation.
 *
 * @param {{
 *   status: Status,
 *   reason: string | null,
 *   coordinatorId: string | null,
 *   queue?: QueuePush | null,
 * }} conversation
 */
export function ownerText({ status, reason, coordinatorId, queue }) {
  switch (status) {
    case "waiting":
      return {
        title: "Waiting for a person",
        detail: `${queue ? `${queueText(queue)} ` : ""}You can keep writing in the meantime.`,
      };
    case "live":
      return {
        title: `${coordinatorId ?? "A team member"} is with you`,
        detail: reasonText(reason),
      };
    case "closed":
      return {
        title: "Conversation closed",
        detail: `${reasonText(reason)} Your next message starts a new one.`.trim(),
      };
    default:
      return {
        title: "AI assistant",
        detail: reasonText(reason) || "You can ask for a person at any time.",
      };
  }
}

/** @type {Map<Status, string>} */
const STATUSES = new Map([
  ["ai", "You are talking to the assistant."],
  ["waiting", "A person was asked for."],
  ["live", "You are talking to a person."],
  ["closed", "The conversation is closed."],
]);

/**
 * Return the line of the log about a change of status.
 *
 * @param {{status: Status, reason: string | null}} change
 */
export const statusChangeText = ({ status, reason }) =>
  reasonText(reason) || STATUSES.get(status) || status;

/** @type {Record<QuestionState, string>} what has become of a question for a yes */
const QUESTIONS = {
  open: "",
  sending: "Sending…",
  approved: "Confirmed. It is being done.",
  rejected: "Declined. Nothing was done.",
  expired: "Nobody answered in time. Nothing was done.",
  withdrawn: "No longer valid. Nothing was done.",
  done: "Done.",
  failed: "It could not be done. Nothing was changed.",
  unknown: "It is not known whether it was done.",
};

/**
 * Return what has become of a question for a yes; of an open one, what it waits for.
 *
 * @param {{state: QuestionState, by: unknown, expiresAt: unknown}} question
 */
export function questionText({ state, by, expiresAt }) {
  if (state !== "open") return QUESTIONS[state] ?? state;
  const who = by === "coordinator" ? "Waiting for a team member’s approval" : "Waiting for you";
  const until = new Date(String(expiresAt));
  if (Number.isNaN(until.getTime())) return `${who}.`;
  /** @type {Intl.DateTimeFormatOptions} */
  const format = { day: "numeric", month: "long", hour: "2-digit", minute: "2-digit" };
  return `${who}, until ${until.toLocaleString("en-GB", format)}.`;
}

/** @type {Map<Author, string>} */
const AUTHORS = new Map([
  ["ai", "Assistant"],
  ["coordinator", "Team member"],
  ["system", "Notice"],
  ["user", "You"],
]);

/**
 * Return the name of an author.
 *
 * @param {{author: Author, coordinatorId?: string | null}} message
 */
export const authorName = ({ author, coordinatorId }) =>
  coordinatorId ?? AUTHORS.get(author) ?? author;
