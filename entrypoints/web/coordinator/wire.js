/** What the bridge sends to coordinators, read so that nothing in it needs to have its shape. */

/** @import { Author, Status } from "../client/messages.js" */

/**
 * @typedef {object} Chat  a conversation as a row of the lists
 * @property {string} sessionId
 * @property {string} businessId
 * @property {string} userId
 * @property {string | null} locationId
 * @property {Status} status
 * @property {string} since  of its status or its coordinator; times are ISO 8601
 * @property {string | null} waitingSince
 * @property {string | null} coordinatorId
 * @property {string | null} reason
 * @property {string | null} summary
 * @property {boolean} pending  whether the server has not confirmed it yet
 * @property {LastMessage | null} last  the newest message
 * @property {number} unanswered  the customer's messages since anybody answered
 * @property {string | null} unansweredSince
 * @property {Missed | null} missed  what its customer left, unless a coordinator has attended to it
 * @property {Asked | null} confirmation  the newest that waits for a yes, or did
 * @property {{rating: number, comment: string | null} | null} rating  the customer's, from 1 to 5
 */
/** @typedef {{author: Author, text: string, at: string, coordinatorId: string | null}} LastMessage */
/** @typedef {{message: string, timestamp: string, reason: string}} Missed */
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
/** @typedef {{waiting: number, live: number, ai: number, missed: number, asked: number}} Counts */
/** @typedef {{online: number, coordinators: string[]}} Presence  the first of their names */

/** @type {readonly Author[]} */
const AUTHORS = ["user", "ai", "coordinator", "system"];
/** @type {readonly Status[]} */
const STATUSES = ["ai", "waiting", "live", "closed"];

/**
 * Return a text as it is, and anything else as the empty one.
 *
 * @param {unknown} value
 */
export const textOf = (value) => (typeof value === "string" ? value : "");

/** @param {unknown} value */
export const textOrNull = (value) => (typeof value === "string" && value !== "" ? value : null);

/**
 * Return a list as it is, and anything else as the empty one.
 *
 * @param {unknown} value
 * @returns {any[]}
 */
export const listOf = (value) => (Array.isArray(value) ? value : []);

/**
 * Return an object as it is, and anything else as null.
 *
 * @param {unknown} value
 * @returns {Record<string, any> | null}
 */
export const objectOf = (value) =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? value : null;

/**
 * Return the milliseconds of a time, 0 where it is none.
 *
 * @param {unknown} value
 */
export const millisecondsOf = (value) => Date.parse(textOf(value)) || 0;

/** @param {unknown} value */
export const countOf = (value) =>
  typeof value === "number" && value > 0 && Number.isSafeInteger(value) ? value : 0;

/**
 * @param {unknown} value
 * @returns {Author}
 */
export const authorOf = (value) => AUTHORS.find((author) => author === value) ?? "system";

/**
 * Return a row, null where it is none.
 *
 * @param {unknown} json
 * @param {string} businessId  whose topic it came on
 * @returns {Chat | null}
 */
export function toChat(json, businessId) {
  const given = objectOf(json);
  const sessionId = textOrNull(given?.sessionId);
  if (!given || !sessionId) return null;
  const last = objectOf(given.last);
  const rating = objectOf(given.rating);
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
    missed: toMissed(objectOf(given.missed)),
    confirmation: toAsked(objectOf(given.confirmation)),
    rating: rating && {
      rating: Math.min(countOf(rating.rating), 5),
      comment: textOrNull(rating.comment),
    },
  };
}

/**
 * Return the rows of a list, without what is none.
 *
 * @param {unknown} json
 * @param {string} businessId
 */
export const toChats = (json, businessId) =>
  listOf(json)
    .map((chat) => toChat(chat, businessId))
    .filter((chat) => chat !== null);

/**
 * @param {Record<string, any> | null} given
 * @returns {Missed | null}
 */
const toMissed = (given) =>
  given && {
    message: textOf(given.message),
    timestamp: textOf(given.timestamp),
    reason: textOf(given.reason),
  };

/**
 * @param {Record<string, any> | null} given
 * @returns {Asked | null}
 */
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
 * @param {unknown} json
 * @returns {Counts}
 */
export function toCounts(json) {
  const { waiting, live, ai, missed, asked } = objectOf(json) ?? {};
  const counts = [waiting, live, ai, missed, asked].map(countOf);
  return {
    waiting: counts[0],
    live: counts[1],
    ai: counts[2],
    missed: counts[3],
    asked: counts[4],
  };
}

/**
 * @param {unknown} json
 * @returns {Presence}
 */
export function toPresence(json) {
  const given = objectOf(json);
  const coordinators = listOf(given?.coordinators).filter((name) => textOrNull(name));
  return { online: countOf(given?.online), coordinators };
}

/**
 * Return the entries of an object that are texts.
 *
 * @param {unknown} json
 * @returns {Record<string, string>}
 */
export const toTexts = (json) =>
  Object.fromEntries(Object.entries(objectOf(json) ?? {}).filter(([, text]) => textOrNull(text)));
