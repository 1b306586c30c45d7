/** What the bridge sends to coordinators, read so that nothing in it needs to have its shape. */

/** @import { Author, Status } from "../client/messages.js" */

/**
 * @typedef {object} Chat  a conversation as a row of the lists; times are ISO 8601
 * @property {string} sessionId
 * @property {string} businessId
 * @property {string} userId
 * @property {string | null} locationId
 * @property {Status} status
 * @property {string} since  of its status or its coordinator
 * @property {string | null} waitingSince
 * @property {string | null} coordinatorId
 * @property {string | null} reason
 * @property {string | null} summary
 * @property {boolean} pending  whether the server has not confirmed it yet
 * @property {{author: Author, text: string, at: string, coordinatorId: string | null} | null} last
 *   the newest message
 * @property {number} unanswered  the customer's messages since anybody answered
 * @property {string | null} unansweredSince
 * @property {{message: string, timestamp: string, reason: string} | null} missed  what its customer
 *   left, unless a coordinator has attended to it
 * @property {Asked | null} confirmation  the newest that waits for a yes, or did
 * @property {{rating: number, comment: string | null} | null} rating  the customer's, from 1 to 5
 */
/**
 * @typedef {object} Asked  what the AI does only with a person's yes
 * @property {string} confirmId
 * @property {"customer" | "coordinator"} by
 * @property {"proposed" | "approved" | "rejected" | "expired" | "withdrawn" | "started" | "done" |
 *   "failed" | "unknown"} state
 * @property {string} what
 * @property {string} timestamp
 * @property {string | null} expiresAt
 * @property {string | null} result
 * @property {string | null} coordinatorId  who has answered
 */

/** @type {readonly Author[]} */
const AUTHORS = ["user", "ai", "coordinator", "system"];
/** @type {readonly Status[]} */
const STATUSES = ["ai", "waiting", "live", "closed"];

// Each returns a value of its type as it is, and in place of any other an empty one.

/** @param {unknown} value */
export const textOf = (value) => (typeof value === "string" ? value : "");

/** @param {unknown} value */
export const textOrNull = (value) => textOf(value) || null;

/** @param {unknown} value @returns {any[]} */
export const listOf = (value) => (Array.isArray(value) ? value : []);

/** @param {unknown} value @returns {Record<string, any> | null} */
export const objectOf = (value) =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? value : null;

/** @param {unknown} value */
export const countOf = (value) =>
  typeof value === "number" && value > 0 && Number.isSafeInteger(value) ? value : 0;

/** @param {unknown} value  a time; returns its milliseconds */
export const millisecondsOf = (value) => Date.parse(textOf(value)) || 0;

/** @param {unknown} value @returns {Author} */
export const authorOf = (value) => AUTHORS.find((author) => author === value) ?? "system";

/**
 * Return a row, null where it is none.
 *
 * @param {unknown} json
 * @param {string} businessId  whose topic it came on
 * @returns {Chat | null}
 */
export function toChat(json, businessId) {
  const given = objectOf(json) ?? {};
  const sessionId = textOrNull(given.sessionId);
  const [last, missed, rating] = [given.last, given.missed, given.rating].map(objectOf);
  if (!sessionId) return null;
  return {
    sessionId,
    businessId,
    userId: textOf(given.userId),
    locationId: textOrNull(given.locationId),
    status: STATUSES.find((status) => status === given.status) ?? "ai",
    since: textOf(given.since),
    waitingSince: textOrNull(given.waitingSince),
    coordinatorId: textOrNull(given.coordinatorId),
    reason: textOrNull(given.reason),
    summary: textOrNull(given.summary),
    pending: given.pending === true,
    last: last && {
      author: authorOf(last.author),
      text: textOf(last.text),
      at: textOf(last.at),
      coordinatorId: textOrNull(last.coordinatorId),
    },
    unanswered: countOf(given.unanswered),
    unansweredSince: textOrNull(given.unansweredSince),
    missed: missed && {
      message: textOf(missed.message),
      timestamp: textOf(missed.timestamp),
      reason: textOf(missed.reason),
    },
    confirmation: toAsked(objectOf(given.confirmation)),
    rating: rating && {
      rating: Math.min(countOf(rating.rating), 5),
      comment: textOrNull(rating.comment),
    },
  };
}

/** @param {Record<string, any> | null} given @returns {Asked | null} */
const toAsked = (given) =>
  given && {
    confirmId: textOf(given.confirmId),
    by: given.by === "coordinator" ? "coordinator" : "customer",
    state: /** @type {Asked["state"]} */ (textOf(given.state)),
    what: textOf(given.what),
    timestamp: textOf(given.timestamp),
    expiresAt: textOrNull(given.expiresAt),
    result: textOrNull(given.result),
    coordinatorId: textOrNull(given.coordinatorId),
  };

/**
 * Return the rows of a list, without what is none.
 *
 * @param {unknown} json
 * @param {string} businessId
 */
export const toChats = (json, businessId) =>
  listOf(json).flatMap((chat) => toChat(chat, businessId) ?? []);

/** @param {unknown} json */
export function toCounts(json) {
  const { waiting, live, ai, missed, asked } = objectOf(json) ?? {};
  const [w, l, a, m, q] = [waiting, live, ai, missed, asked].map(countOf);
  return { waiting: w, live: l, ai: a, missed: m, asked: q };
}

/** @param {unknown} json  how many coordinators are there, and the first of their names */
export function toPresence(json) {
  const { online, coordinators } = objectOf(json) ?? {};
  const names = listOf(coordinators).filter(textOrNull);
  return { online: countOf(online), coordinators: /** @type {string[]} */ (names) };
}

/** @param {unknown} json @returns {Record<string, string>} */
export const toTexts = (json) =>
  Object.fromEntries(Object.entries(objectOf(json) ?? {}).filter(([, text]) => textOrNull(text)));
