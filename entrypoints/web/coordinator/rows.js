/** Rows that are kept in order while they change one by one, and lists that are loaded by pages. */

import { millisecondsOf } from "./wire.js";

/** @import { Chat } from "./wire.js" */

/** @typedef {{group: number, order: number}} Rank  the lower one comes first */
/** @typedef {Rank & {sessionId: string}} Place */
/**
 * @typedef {object} Pages  what is loaded of one business
 * @property {string | null} cursor  of the next page
 * @property {boolean} hasMore
 * @property {number} oldest  the activity down to which nothing is missing, in epoch ms
 * @property {boolean} isOutdated  whether changes of it may have been missed
 * @property {Promise<void> | null} loading
 */

/** @param {Place} a @param {Place} b */
const isBefore = (a, b) =>
  a.group !== b.group
    ? a.group < b.group
    : a.order !== b.order
      ? a.order < b.order
      : a.sessionId < b.sessionId;

/**
 * Return the time of the newest thing in a conversation, in epoch ms.
 *
 * @param {Chat} chat
 */
export const activityOf = ({ last, since }) =>
  Math.max(millisecondsOf(last?.at), millisecondsOf(since));

/**
 * Return the index of the first value of a sorted list that is not before a place in it.
 *
 * @template T
 * @param {readonly T[]} sorted
 * @param {(value: T) => boolean} isBeforeIt
 */
export function indexIn(sorted, isBeforeIt) {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBeforeIt(sorted[middle])) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The rows of one list, in the order of their ranks; one that has none is not in it. */
export class SortedRows {
  #rankOf;
  /** @type {Map<string, Place>} by sessionId */
  #places = new Map();
  /** @type {Place[]} */
  #sorted = [];
  /** @type {Chat[]} those of the places */
  #chats = [];
  /** @type {readonly Chat[] | null} */
  #snapshot = null;

  /** @param {(chat: Chat) => Rank | null} rankOf */
  constructor(rankOf) {
    this.#rankOf = rankOf;
  }

  /** All rows; another array after every change. */
  get all() {
    return (this.#snapshot ??= [...this.#chats]);
  }

  /** @param {string} sessionId */
  has(sessionId) {
    return this.#places.has(sessionId);
  }

  /**
   * Add a row, give it another place, or remove it, as its rank says.
   *
   * @param {Chat} chat
   */
  put(chat) {
    const { sessionId } = chat;
    this.delete(sessionId);
    const rank = this.#rankOf(chat);
    if (!rank) return;
    const place = { ...rank, sessionId };
    this.#places.set(sessionId, place);
    this.#splice(place, 0, place, chat);
  }

  /** @param {string} sessionId */
  delete(sessionId) {
    const known = this.#places.get(sessionId);
    if (!known) return;
    this.#places.delete(sessionId);
    this.#splice(known, 1);
  }

  /** @param {Place} at @param {number} removed @param {[place: Place, chat: Chat] | []} added */
  #splice(at, removed, ...[place, chat]) {
    const n = indexIn(this.#sorted, (each) => isBefore(each, at));
    this.#sorted.splice(n, removed, ...(place ? [place] : []));
    this.#chats.splice(n, removed, ...(chat ? [chat] : []));
    this.#snapshot = null;
  }
}

/**
 * A list of which the bridge gives the newest rows first, page by page.
 *
 * Of several businesses it shows the rows down to where nothing of any of them is missing.
 */
export class PagedRows extends SortedRows {
  /** @type {Map<string, Pages>} by businessId; only of those that are loaded, or are being */
  pages = new Map();
  /** @type {Set<string>} the rows that a search has found */
  found = new Set();

  /** @param {"open" | "history"} view @param {string} query  "": all */
  constructor(view, query = "") {
    super((chat) => {
      const isFound = !query || this.found.has(chat.sessionId);
      const isOfView = (chat.status === "closed") === (view === "history");
      const isHere = isFound && isOfView && this.pages.has(chat.businessId);
      return isHere ? { group: 0, order: -activityOf(chat) } : null;
    });
    this.view = view;
    this.query = query;
  }

  /**
   * Return the rows down to where nothing of these businesses is missing.
   *
   * @param {string[]} businessIds
   */
  shown(businessIds) {
    const oldest = Math.max(-Infinity, ...businessIds.map((id) => this.horizon(id)));
    const n = indexIn(this.all, (chat) => activityOf(chat) >= oldest);
    return n === this.all.length ? this.all : this.all.slice(0, n);
  }

  /** @param {string} businessId */
  hasMore(businessId) {
    return this.pages.get(businessId)?.hasMore ?? true;
  }

  /**
   * Return the activity down to which nothing of a business is missing.
   *
   * @param {string} businessId
   */
  horizon(businessId) {
    if (!this.hasMore(businessId)) return -Infinity;
    return this.pages.get(businessId)?.oldest ?? Infinity;
  }
}
