/** Rows that are kept in order while they change one by one, and lists that are loaded by pages. */

import { millisecondsOf } from "./wire.js";

/** @import { Chat } from "./wire.js" */

/** @typedef {{group: number, order: number}} Rank  lower comes first */
/** @typedef {Rank & {sessionId: string}} Place */
/**
 * @typedef {object} Pages  what is loaded of one business
 * @property {string | null} cursor  of the next page
 * @property {boolean} hasMore
 * @property {number} oldest  the activity down to which nothing is missing, in epoch ms
 * @property {Promise<void> | null} loading
 */

/** @param {Place} a @param {Place} b */
const compare = (a, b) =>
  a.group - b.group ||
  a.order - b.order ||
  (a.sessionId < b.sessionId ? -1 : a.sessionId > b.sessionId ? 1 : 0);

/**
 * Return the time of the newest thing in a conversation, in epoch ms.
 *
 * @param {Chat} chat
 */
export const activityOf = ({ last, since }) =>
  Math.max(millisecondsOf(last?.at), millisecondsOf(since));

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
    const rank = this.#rankOf(chat);
    const place = rank && { ...rank, sessionId };
    const known = this.#places.get(sessionId);
    if (!known && !place) return;
    this.#snapshot = null;
    if (known && place && compare(known, place) === 0) {
      this.#chats[this.#indexOf(known)] = chat;
      return;
    }
    this.delete(sessionId);
    if (!place) return;
    const n = this.#indexOf(place);
    this.#places.set(sessionId, place);
    this.#sorted.splice(n, 0, place);
    this.#chats.splice(n, 0, chat);
  }

  /** @param {string} sessionId */
  delete(sessionId) {
    const known = this.#places.get(sessionId);
    if (!known) return;
    const n = this.#indexOf(known);
    this.#places.delete(sessionId);
    this.#sorted.splice(n, 1);
    this.#chats.splice(n, 1);
    this.#snapshot = null;
  }

  /**
   * Return the number of rows before a place.
   *
   * @param {Place} place
   */
  #indexOf(place) {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compare(this.#sorted[middle], place) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/**
 * A list of which the bridge gives the newest rows first, page by page.
 *
 * Of several businesses it shows the rows down to where nothing of any of them is missing.
 */
export class PagedRows {
  /** @type {Map<string, Pages>} by businessId; only of those that are loaded, or are being */
  pages = new Map();
  /** @type {Set<string> | null} the rows that a search has found; null: it is no search */
  #found;
  #rows;

  /**
   * @param {"open" | "history"} view
   * @param {string} query  "": all
   */
  constructor(view, query = "") {
    this.view = view;
    this.query = query;
    this.#found = query ? new Set() : null;
    this.#rows = new SortedRows((chat) => {
      const isHere =
        (chat.status === "closed") === (view === "history") &&
        this.pages.has(chat.businessId) &&
        (this.#found?.has(chat.sessionId) ?? true);
      return isHere ? { group: 0, order: -activityOf(chat) } : null;
    });
  }

  /** @param {string} sessionId */
  has(sessionId) {
    return this.#rows.has(sessionId);
  }

  /** @param {Chat} chat */
  put(chat) {
    this.#rows.put(chat);
  }

  /** @param {string} sessionId */
  delete(sessionId) {
    this.#found?.delete(sessionId);
    this.#rows.delete(sessionId);
  }

  /**
   * Let a row have a place, which the bridge has listed.
   *
   * @param {string} sessionId
   */
  find(sessionId) {
    this.#found?.add(sessionId);
  }

  /** All rows that are here, also beyond what is shown. */
  get all() {
    return this.#rows.all;
  }

  /**
   * Return the rows that are shown.
   *
   * @param {string[]} businessIds
   */
  shown(businessIds) {
    const oldest = Math.max(-Infinity, ...businessIds.map((id) => this.horizon(id)));
    const { all } = this.#rows;
    let n = all.length;
    while (n > 0 && activityOf(all[n - 1]) < oldest) n -= 1;
    return n === all.length ? all : all.slice(0, n);
  }

  /**
   * Return the activity down to which nothing of a business is missing.
   *
   * @param {string} businessId
   */
  horizon(businessId) {
    const pages = this.pages.get(businessId);
    if (!pages) return Infinity;
    return pages.hasMore ? pages.oldest : -Infinity;
  }
}
