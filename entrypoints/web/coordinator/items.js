/** The items of a conversation, and how what comes from the bridge and the server becomes them. */

import { authorOf, countOf, listOf, objectOf, textOf, textOrNull } from "./wire.js";

/** @import { Author, DeliveryState } from "../client/messages.js" */
/** @import { PushError } from "../client/phoenix.js" */
/** @import { Mode } from "./memory.js" */

/**
 * @typedef {object} Item
 * @property {"message" | "note" | "event" | "step" | "whisper" | "rating" | "divider"} kind
 * @property {string} key
 * @property {Author} author
 * @property {string} text  of a rating, the customer's words
 * @property {string} at  ISO 8601
 * @property {string | null} coordinatorId
 * @property {DeliveryState} state  of what is written here: `queued`, `sending`, `failed`, `stored`
 * @property {PushError | null} error  why it `failed`
 * @property {string[]} sources  the documents that an answer rests on: `Menu (menu.md#desserts)`
 * @property {{name: string, outcome: string, query: string | null}[]} tools  the calls for an answer
 * @property {string | null} type  of an event, what has happened: a note's `event.type`, or the
 *   reason of a change of status; of a step, its state; of a divider, `assistant` or `live`
 * @property {string | null} to  to whom it was forwarded
 * @property {number | null} rating
 * @property {number | null} seq  that of the server's log
 * @property {"assistant" | "live" | null} side  null: it follows what is around it
 * @property {Mode | null} mode  of what is written here
 * @property {number} losses
 */

// Changes of status that the bridge has as what a coordinator did, or that are none of the owner.
const NOTED_REASONS = [
  ...["coordinator", "accepted", "takeover", "returned", "closed_by_coordinator"],
  ...["requeued", "coordinator_away", "delivered", "undeliverable"],
];

/** @type {Omit<Item, "kind" | "key" | "author" | "text" | "at">} */
const DEFAULTS = {
  coordinatorId: null,
  state: "stored",
  error: null,
  sources: [],
  tools: [],
  type: null,
  to: null,
  rating: null,
  seq: null,
  side: null,
  mode: null,
  losses: 0,
};

/**
 * @param {Pick<Item, "kind" | "key" | "author" | "text" | "at"> & Partial<Item>} fields
 * @returns {Item}
 */
export const itemOf = (fields) => ({ ...DEFAULTS, ...fields });

/**
 * Return the part of the conversation that is reached with an item.
 *
 * @param {Item} item
 * @param {Item["side"]} before  the part before it
 */
export function sideOf({ kind, author, side }, before) {
  if (kind !== "message") return before;
  if (author === "coordinator") return "live";
  return author === "ai" ? "assistant" : (side ?? before ?? "assistant");
}

/** @param {Item} item  the first one after it @param {Item["side"]} type */
export const divider = ({ key, at }, type) =>
  itemOf({ kind: "divider", key: `divider ${key}`, author: "system", text: "", at, type });

/**
 * Return a message of the bridge's as an item; null: it is none.
 *
 * @param {unknown} json
 * @param {Item["side"]} side
 */
export function toMessage(json, side) {
  const entry = objectOf(json);
  const key = textOrNull(entry?.messageId);
  if (!entry || !key) return null;
  const { author, message, timestamp, coordinatorId } = entry;
  return itemOf({
    kind: "message",
    key,
    author: authorOf(author),
    text: textOf(message),
    at: textOf(timestamp),
    coordinatorId: textOrNull(coordinatorId),
    side,
  });
}

/**
 * Return a note, or what a coordinator did, as an item; null: it is none.
 *
 * @param {unknown} json
 */
export function toNote(json) {
  const note = objectOf(json);
  const key = textOrNull(note?.noteId);
  if (!note || !key) return null;
  const { text, at, coordinatorId, event } = note;
  const type = textOrNull(event?.type);
  return itemOf({
    kind: type === "whispered" ? "whisper" : event ? "event" : "note",
    key,
    author: "coordinator",
    text: textOf(text),
    at: textOf(at),
    coordinatorId: textOrNull(coordinatorId),
    type,
    to: textOrNull(event?.to),
  });
}

/**
 * Return an entry of the server's log as an item; null: it is nothing to show.
 *
 * @param {Record<string, any>} entry
 */
export function toLogged(entry) {
  const { kind, seq, status, reason, timestamp, audience, actions } = entry;
  const at = textOf(timestamp);
  const coordinatorId = textOrNull(entry.coordinatorId);
  const author = authorOf(entry.author);
  const text = textOf(entry.message);
  const common = { author, text, at, coordinatorId, seq };
  if (kind === "status") {
    if (NOTED_REASONS.includes(reason)) return null;
    const type = textOrNull(reason) ?? textOf(status);
    return itemOf({ ...common, kind: "event", key: `status ${seq}`, author: "system", type });
  }
  const rated = listOf(actions).find((action) => action?.type === "rating");
  if (rated) {
    const rating = Math.min(countOf(rated.rating), 5);
    return itemOf({ ...common, kind: "rating", key: `rating ${seq}`, rating });
  }
  const key = textOrNull(entry.messageId) ?? `log ${seq}`;
  if (audience === "model") {
    return author === "coordinator" ? itemOf({ ...common, kind: "whisper", key }) : null;
  }
  if (audience === "coordinator") {
    // eslint-disable-next-line no-restricted-properties -- an entry's, which is no document
    const type = textOrNull(entry.write?.state);
    return itemOf({ ...common, kind: "step", key: `step ${seq}`, type });
  }
  const sources = sourcesOf(actions);
  return itemOf({ ...common, kind: "message", key, sources, tools: toolsOf(entry.tools) });
}

/**
 * Return the sources that the actions of an answer name.
 *
 * @param {unknown} actions
 */
const sourcesOf = (actions) =>
  listOf(actions)
    .filter((action) => action?.type === "sources")
    .flatMap(({ items }) => listOf(items))
    .map((item) => `${textOf(item?.title)} (${textOf(item?.location)})`);

/** @param {unknown} tools */
const toolsOf = (tools) =>
  listOf(tools)
    .map((tool) => objectOf(tool) ?? {})
    .map(({ name, outcome, query }) => ({
      name: textOf(name),
      outcome: textOf(outcome),
      query: textOrNull(query),
    }));
