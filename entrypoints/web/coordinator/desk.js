/**
 * The model of a coordinator's work: the conversations of one business or several, in lists, and
 * the one that is open.
 *
 * It does not touch the page. Whatever was missed while there was no connection comes with the next
 * join.
 */

import { Emitter } from "../client/emitter.js";
import { PushError } from "../client/phoenix.js";
import { DeskMemory } from "./memory.js";
import { activityOf, PagedRows, SortedRows } from "./rows.js";
import { Talk } from "./talk.js";
import {
  countOf,
  millisecondsOf,
  objectOf,
  textOf,
  textOrNull,
  toChat,
  toChats,
  toCounts,
  toPresence,
  toTexts,
} from "./wire.js";

/** @import { KeyStorage } from "../client/memory.js" */
/** @import { Status } from "../client/messages.js" */
/** @import { ChannelMessage, PhoenixChannel } from "../client/phoenix.js" */
/** @import { Address } from "./memory.js" */
/** @import { Pages } from "./rows.js" */
/** @import { Chat } from "./wire.js" */

/** @typedef {"mine" | "waiting" | "open" | "history"} View */
/** @typedef {"waiting" | "missed" | "asked" | "message" | "forwarded"} Call  why somebody calls */
/** @typedef {"claim" | "forward" | "requeue" | "return" | "close" | "attend"} Action */
/** @typedef {{businessId: string, name: string, token: string}} Membership  of a coordinator */
/** @typedef {{isSending: boolean, error: PushError | null}} Answering  a yes or a no from here */
/** @typedef {(topic: string, payload: object) => PhoenixChannel} OpenChannel */
/**
 * @typedef {object} DeskOptions
 * @property {string} coordinatorId
 * @property {Membership[]} businesses
 * @property {OpenChannel} openChannel  creates a channel that is not connected yet; `payload` is
 *   read at every join
 * @property {KeyStorage | null} [storage]  default: `localStorage`, where there is one
 */
/**
 * @typedef {{
 *   change: null,
 *   attention: {chat: Chat, kind: Call},
 *   refused: {chat: Chat, requestedStatus: Status, reason: string},
 *   ended: {chat: Chat},
 * }} DeskEvents
 */

/** @type {Pages} */
const NO_PAGES = {
  cursor: null,
  hasMore: true,
  oldest: Infinity,
  isOutdated: false,
  loading: null,
};
const RETRY_MS = 5_000;
const OUTCOMES = ["done", "failed", "unknown"];

/**
 * Return whether it has the outcome of what a coordinator has said yes to.
 *
 * @param {Chat} chat
 */
export const hasOutcome = ({ confirmation }) =>
  confirmation?.by === "coordinator" && OUTCOMES.includes(confirmation.state);

/**
 * Return whether it waits for a coordinator's yes, or has an outcome of one.
 *
 * @param {Chat} chat
 */
export const isAsked = (chat) =>
  hasOutcome(chat) ||
  (chat.confirmation?.by === "coordinator" &&
    ["proposed", "approved"].includes(chat.confirmation.state));

/** @param {Chat} chat */
const isWithPeople = ({ status }) => status === "waiting" || status === "live";

/**
 * Return whether it is among those that a join names.
 *
 * @param {Chat} chat
 */
const isListed = (chat) => isWithPeople(chat) || chat.missed !== null || isAsked(chat);

/**
 * Return what a conversation calls with for a reason; null: it does not.
 *
 * @type {Record<"waiting" | "missed" | "asked", (chat: Chat) => string | null>}
 */
const CALLS = {
  waiting: ({ status, waitingSince, since }) =>
    status === "waiting" ? (waitingSince ?? since) : null,
  asked: ({ confirmation }) =>
    confirmation?.by === "coordinator" && confirmation.state === "proposed"
      ? confirmation.confirmId
      : null,
  missed: ({ missed }) => missed && missed.timestamp + missed.message,
};
const KINDS = /** @type {(keyof typeof CALLS)[]} */ (Object.keys(CALLS));

/**
 * Return the place of a row among those that wait, are asked, or were missed.
 *
 * @param {Chat} chat
 */
function waitingRank(chat) {
  const { status, waitingSince, since, missed, confirmation } = chat;
  if (status === "waiting") return { group: 0, order: millisecondsOf(waitingSince ?? since) };
  if (status === "live") return null;
  if (isAsked(chat)) {
    const group = confirmation?.state === "proposed" ? 1 : 2;
    return { group, order: -millisecondsOf(confirmation?.timestamp) };
  }
  return missed ? { group: 3, order: -millisecondsOf(missed.timestamp) } : null;
}

/** One business of a desk; the desk's `change` is of it, too. */
export class Business {
  /** @type {Record<string, string>} texts that coordinators may send as they are, by name */
  replies = {};
  presence = toPresence(null);
  counts = toCounts(null);
  /** @type {boolean | null} whether the AI agent server can be reached; null: not known yet */
  isServerReachable = null;
  /** The seconds after which a coordinator who is away loses their chats; 0: never. */
  awayAfterS = 0;
  /** Whether it has been joined since the page was opened. */
  hasJoined = false;

  /** @param {Membership} membership @param {string} coordinatorId @param {OpenChannel} openChannel */
  constructor({ businessId, name, token }, coordinatorId, openChannel) {
    this.businessId = businessId;
    this.name = name || businessId;
    this.token = token;
    this.channel = openChannel(`coordinators:${businessId}`, this.joinPayload({ coordinatorId }));
  }

  /**
   * Return a payload that always has the newest token.
   *
   * @param {object} names
   */
  joinPayload(names) {
    const { businessId } = this;
    const token = { enumerable: true, get: () => this.token };
    return Object.defineProperty({ businessId, ...names }, "token", token);
  }

  /** The state of its connection. */
  get state() {
    return this.channel.state;
  }

  get isJoined() {
    return this.state.name === "joined";
  }

  /** @param {Record<string, any>} reply  of a join */
  onJoined({ business, counts, presence, server, awayAfterS }) {
    this.name = textOrNull(business?.name) ?? this.name;
    this.replies = toTexts(business?.replies);
    this.awayAfterS = countOf(awayAfterS);
    this.hasJoined = true;
    for (const [event, payload] of Object.entries({ counts, presence, server })) {
      this.onMessage(event, payload);
    }
  }

  /** @param {string} event @param {unknown} payload */
  onMessage(event, payload) {
    if (event === "counts") this.counts = toCounts(payload);
    else if (event === "presence") this.presence = toPresence(payload);
    else if (event === "server") {
      const reachable = objectOf(payload)?.reachable;
      this.isServerReachable = typeof reachable === "boolean" ? reachable : null;
    }
  }
}

/**
 * A coordinator's desk.
 *
 * Events:
 * - `change`: anything of it, or of the open conversation: read it again;
 * - `attention`: a conversation calls for this coordinator, as it did not before: of those that a
 *   join brings, the first;
 * - `refused`: the server has refused what this coordinator requested;
 * - `ended`: a conversation is this coordinator's no more, by somebody else's doing.
 *
 * Requests of this coordinator reject with PushError, whose `reason` is a code; loading does not.
 *
 * @extends {Emitter<DeskEvents>}
 */
export class Desk extends Emitter {
  #openChannel;
  /** @type {Map<string, Business>} by businessId */
  #businesses = new Map();
  /** @type {Map<string, Chat>} by sessionId: what is in a list, or open */
  #chats = new Map();
  #mine = new SortedRows((chat) => this.#mineRank(chat));
  #waiting = new SortedRows(waitingRank);
  #loaded = { open: new PagedRows("open"), history: new PagedRows("history") };
  /** @type {{open: PagedRows, history: PagedRows} | null} */
  #found = null;
  /** @type {Map<View, PushError>} why the newest page is missing */
  #failures = new Map();
  /** @type {Map<string, Talk>} by sessionId: the open one, and those with messages on their way */
  #talks = new Map();
  /** @type {Talk | null} */
  #talk = null;
  /** @type {Map<string, Answering>} by confirmId */
  #answering = new Map();
  /** @type {Set<string>} the conversations with an action of this coordinator's on its way */
  #acting = new Set();
  /** @type {Set<Set<string>>} for each request on its way, the rows that were pushed meanwhile */
  #watches = new Set();
  /** @type {string | null} */
  #filter = null;

  /** @param {DeskOptions} options */
  constructor({ coordinatorId, businesses, openChannel, storage }) {
    super();
    this.coordinatorId = coordinatorId;
    this.memory = new DeskMemory(coordinatorId, storage);
    this.memory.on("change", () => this.#changed());
    this.#openChannel = openChannel;
    for (const membership of businesses) {
      const business = new Business(membership, coordinatorId, openChannel);
      this.#businesses.set(business.businessId, business);
      business.channel.on("state", (state) => {
        if (state.name === "joined") this.#onJoined(business, state.response);
        this.#changed();
      });
      business.channel.on("message", (message) => this.#onMessage(business, message));
    }
    for (const address of this.memory.unsentChats()) this.#talkOf(address);
    const { selected } = this.memory;
    this.#talk = selected && this.#talkOf(selected);
    this.#talk?.show();
  }

  /** Connect, and reconnect until `dispose`. */
  connect() {
    for (const { channel } of this.#businesses.values()) channel.connect();
  }

  /** End everything; what is on its way is sent when the desk is opened again. */
  dispose() {
    for (const { channel } of this.#businesses.values()) channel.disconnect();
    for (const talk of this.#talks.values()) talk.dispose();
    this.memory.dispose();
  }

  /**
   * Go on with renewed tokens.
   *
   * @param {{businessId: string, token: string}[]} renewed
   */
  async renew(renewed) {
    for (const { businessId, token } of renewed) {
      const business = this.#businesses.get(businessId);
      if (business) business.token = token;
    }
    const joined = this.channels.filter(({ state }) => state.name === "joined");
    const refreshed = joined.map((channel) => {
      const token = this.#businesses.get(channel.topic.split(":")[1])?.token;
      return channel.push("refresh_token", { token });
    });
    await Promise.allSettled(refreshed); // a refusal ends the channel, which joins with the new one
  }

  /** All connections, those of the businesses first. */
  get channels() {
    const talks = [...this.#talks.values()].map(({ channel }) => channel);
    return [...this.businesses.map(({ channel }) => channel), ...talks];
  }

  get businesses() {
    return [...this.#businesses.values()];
  }

  /** The business whose rows the lists show; null: all. */
  get filter() {
    return this.#filter;
  }

  set filter(businessId) {
    this.#filter = businessId;
    this.#changed();
  }

  /** Whether all businesses are joined. */
  get isJoined() {
    return this.businesses.every(({ isJoined }) => isJoined);
  }

  /**
   * Return whether actions on a conversation can be requested now.
   *
   * @param {Chat} chat
   */
  canAct({ businessId }) {
    return this.#businesses.get(businessId)?.isJoined === true;
  }

  // The lists.

  /**
   * Return the rows of a list; another array after every change.
   *
   * `mine`: who has been unanswered longest comes first, then the newest. `waiting`: who waits, the
   * longest first, then what is asked, then what was missed. `open` and `history`: what is loaded,
   * or found, the newest activity first.
   *
   * @param {View} view
   * @returns {readonly Chat[]}
   */
  rows(view) {
    const rows = this.#rowsOf(view);
    const scope = this.#scope().map(({ businessId }) => businessId);
    const all = rows instanceof PagedRows ? rows.shown(scope) : rows.all;
    return this.filter === null ? all : all.filter(({ businessId }) => businessId === this.filter);
  }

  /**
   * Show in `open` and `history` what a text finds; "": all again.
   *
   * @param {string} query
   */
  search(query) {
    const wanted = query.trim();
    if (wanted === this.query) return;
    this.#found = wanted
      ? { open: new PagedRows("open", wanted), history: new PagedRows("history", wanted) }
      : null;
    this.#failures.clear();
    for (const { view } of Object.values(this.#found ?? {})) this.loadMore(view);
    this.#sweep();
    this.#changed();
  }

  /** The text that is searched for; "": none. */
  get query() {
    return this.#found?.open.query ?? "";
  }

  /** @param {View} view */
  hasMore(view) {
    const rows = this.#rowsOf(view);
    if (!(rows instanceof PagedRows)) return false;
    return this.#scope().some(({ businessId }) => rows.hasMore(businessId));
  }

  /** @param {View} view */
  isLoading(view) {
    const rows = this.#rowsOf(view);
    if (!(rows instanceof PagedRows)) return false;
    return this.#scope().some(({ businessId }) => rows.pages.get(businessId)?.loading);
  }

  /**
   * Return why the newest page of a list could not be loaded; null: it could.
   *
   * @param {View} view
   */
  failure(view) {
    return this.#failures.get(view) ?? null;
  }

  /**
   * Load the next page of a list: of each business that ends the list, or has none yet.
   *
   * @param {View} view
   */
  async loadMore(view) {
    const rows = this.#rowsOf(view);
    if (!(rows instanceof PagedRows)) return;
    const open = this.#scope().filter(({ businessId }) => rows.hasMore(businessId));
    const end = Math.max(...open.map(({ businessId }) => rows.horizon(businessId)));
    const due = open.filter(({ businessId }) => rows.horizon(businessId) === end);
    await Promise.all(due.map((business) => this.#load(rows, business)));
  }

  /** The numbers of all businesses; `unanswered`: of one's own, those that wait for an answer. */
  get totals() {
    const mine = this.#mine.all;
    const totals = { mine: mine.length, unanswered: 0, waiting: 0, missed: 0, asked: 0 };
    totals.unanswered = mine.filter(({ unanswered }) => unanswered > 0).length;
    for (const { counts } of this.#businesses.values()) {
      totals.waiting += counts.waiting;
      totals.missed += counts.missed;
      totals.asked += counts.asked;
    }
    return totals;
  }

  // The open conversation.

  /**
   * Open a conversation that is in a list or among the earlier ones of the open one; null: none.
   *
   * @param {string | null} sessionId
   * @param {Address} [address]  of one that may be in no list any more: the bridge is asked for it
   */
  select(sessionId, address) {
    const before = this.#talk;
    if (sessionId === this.selected) return;
    const chat = sessionId === null ? null : (this.chat(sessionId) ?? address ?? null);
    if (sessionId !== null && !chat) return;
    this.#talk = chat && this.#talkOf(chat);
    this.memory.selected = chat && addressOf(chat);
    before?.hide();
    if (before && !before.isBusy) this.#leave(before);
    this.#talk?.show();
    this.#sweep();
    this.#changed();
  }

  get selected() {
    return this.#talk?.sessionId ?? null;
  }

  get talk() {
    return this.#talk;
  }

  /**
   * Return the state of a conversation as far as it is known here.
   *
   * @param {string} sessionId
   * @returns {Chat | null}
   */
  chat(sessionId) {
    const known = this.#chats.get(sessionId) ?? this.#talks.get(sessionId)?.chat;
    return known ?? this.#talk?.earlier.find((chat) => chat.sessionId === sessionId) ?? null;
  }

  /** @param {Chat} chat */
  isMine({ status, coordinatorId }) {
    return status === "live" && coordinatorId === this.coordinatorId;
  }

  // Requests.

  /**
   * Request a change of a conversation. `forward`: `{to}`; `claim`: `{takeOver?}`; where it is handed
   * over: `{summary?}`. `attend` is of the message that is known here, not of a newer one.
   *
   * @param {Action} action
   * @param {string} sessionId
   * @param {{takeOver?: boolean, summary?: string | null, to?: string}} [payload]
   * @returns {Promise<Chat>}
   */
  async act(action, sessionId, payload = {}) {
    const timestamp = this.chat(sessionId)?.missed?.timestamp;
    const request = { sessionId, ...payload, ...(action === "attend" && { timestamp }) };
    this.#acting.add(sessionId);
    try {
      return await this.#request(action, request);
    } finally {
      this.#acting.delete(sessionId);
    }
  }

  /**
   * Answer what waits for a yes. The first answer counts, and the chat comes back with it; why one
   * failed is in `answering`.
   *
   * @param {string} sessionId
   * @param {string} confirmId
   * @param {"yes" | "no"} answer
   */
  async confirm(sessionId, confirmId, answer) {
    /** @type {PushError | null} */
    let error = null;
    this.#answering.set(confirmId, { isSending: true, error });
    this.#changed();
    try {
      await this.#request("confirm", { sessionId, confirmId, answer });
    } catch (thrown) {
      if (!(thrown instanceof PushError)) throw thrown;
      error = thrown;
    }
    this.#answering.set(confirmId, { isSending: false, error });
    this.#changed();
  }

  /**
   * Return how far an answer from here has come.
   *
   * @param {string} confirmId
   * @returns {Answering}
   */
  answering(confirmId) {
    return this.#answering.get(confirmId) ?? { isSending: false, error: null };
  }

  /**
   * Return the server's report of a business's days, as it is.
   *
   * @param {string} businessId
   * @param {{from?: string, to?: string}} [days]
   */
  async outcomes(businessId, days = {}) {
    const business = this.#businesses.get(businessId);
    if (!business) throw new PushError("unknown_business");
    return business.channel.push("outcomes", days);
  }

  /**
   * Make a request about a conversation whose reply is its new state.
   *
   * @param {string} event
   * @param {{sessionId: string} & Record<string, unknown>} payload
   */
  async #request(event, payload) {
    const chat = this.chat(payload.sessionId);
    const business = this.#businesses.get(chat?.businessId ?? "");
    if (!chat || !business) throw new PushError("unknown_session");
    const [reply, pushed] = await this.#push(business, event, payload);
    const changed = toChat(reply, business.businessId) ?? chat;
    // What was pushed meanwhile may be newer.
    if (!pushed.has(changed.sessionId)) this.#put(changed);
    this.#changed();
    return this.chat(changed.sessionId) ?? changed;
  }

  /**
   * Make a request; return its reply, and the rows that were pushed meanwhile.
   *
   * @param {Business} business
   * @param {string} event
   * @param {object} payload
   * @returns {Promise<[reply: unknown, pushed: Set<string>]>}
   */
  async #push({ channel }, event, payload) {
    const pushed = new Set();
    this.#watches.add(pushed);
    try {
      return [await channel.push(event, payload), pushed];
    } finally {
      this.#watches.delete(pushed);
    }
  }

  // What comes from the bridge.

  /** @param {Business} business @param {unknown} response */
  #onJoined(business, response) {
    const { businessId, hasJoined } = business;
    const reply = objectOf(response) ?? {};
    business.onJoined(reply);
    const before = new Map([...this.#chats].filter(([, chat]) => chat.businessId === businessId));
    const named = toChats(reply.chats, businessId);
    const names = new Set(named.map(({ sessionId }) => sessionId));
    for (const chat of before.values()) {
      if (isListed(chat) && !names.has(chat.sessionId)) this.#put(ended(chat));
    }
    for (const chat of named) this.#put(chat);
    this.#sweep();
    for (const rows of this.#pagedRows()) {
      const pages = rows.pages.get(businessId);
      if (!pages) continue;
      pages.isOutdated = true;
      this.#load(rows, business);
    }
    for (const chat of named) {
      const kind = this.#callOf(chat, before.get(chat.sessionId), hasJoined);
      if (!kind) continue;
      this.emit("attention", { chat, kind });
      return;
    }
  }

  /**
   * Return what a conversation calls with as it did not before; null: nothing.
   *
   * @param {Chat} chat
   * @param {Chat | undefined} before
   * @param {boolean} hasJoined  whether that was known at all
   * @returns {Call | null}
   */
  #callOf(chat, before, hasJoined) {
    const kind = KINDS.find((each) => isNewCall(each, chat, before));
    if (kind && (kind !== "missed" || !isWithPeople(chat))) return kind;
    if (!hasJoined || !this.isMine(chat)) return null;
    if (before && before.status === "live" && !this.isMine(before)) return "forwarded";
    return chat.unanswered > (before?.unanswered ?? 0) ? "message" : null;
  }

  /** @param {Business} business @param {ChannelMessage} message */
  #onMessage(business, { event, payload }) {
    if (event === "notification") this.#onNotification(business, objectOf(payload) ?? {});
    else if (event === "live_message") this.#onLiveMessage(objectOf(payload) ?? {});
    else business.onMessage(event, payload);
    if (!["suggestion", "note"].includes(event)) this.#changed();
  }

  /** @param {Business} business @param {Record<string, any>} notification */
  #onNotification({ businessId }, { type, chat: json, coordinatorId, wished, reason }) {
    const chat = toChat(json, businessId);
    if (!chat) return;
    const before = this.#chats.get(chat.sessionId);
    for (const pushed of this.#watches) pushed.add(chat.sessionId);
    this.#put(chat);
    const kind = KINDS.find((each) => each === type);
    if (kind && isNewCall(kind, chat, before)) this.emit("attention", { chat, kind });
    const isOthers = before?.status === "live" && !this.isMine(before);
    if (isOthers && this.isMine(chat) && !this.#acting.has(chat.sessionId)) {
      this.emit("attention", { chat, kind: "forwarded" });
    }
    if (type === "refused" && coordinatorId === this.coordinatorId) {
      const requestedStatus = /** @type {Status} */ (textOf(wished));
      this.emit("refused", { chat, requestedStatus, reason: textOf(reason) });
    }
  }

  /** @param {Record<string, any>} message */
  #onLiveMessage({ sessionId, author }) {
    const chat = this.#chats.get(sessionId);
    if (chat && author === "user" && this.isMine(chat)) {
      this.emit("attention", { chat, kind: "message" });
    }
  }

  // Pages.

  /** @param {View} view */
  #rowsOf(view) {
    if (view === "mine") return this.#mine;
    if (view === "waiting") return this.#waiting;
    return (this.#found ?? this.#loaded)[view];
  }

  #pagedRows() {
    return [...Object.values(this.#loaded), ...Object.values(this.#found ?? {})];
  }

  /** Return the businesses that the lists show. */
  #scope() {
    return this.businesses.filter(({ businessId }) => businessId === (this.filter ?? businessId));
  }

  /**
   * Load the next page of one business, or again what may be outdated, unless that is being done.
   *
   * What fails, and what nobody can be asked for now, comes with the next join.
   *
   * @param {PagedRows} rows
   * @param {Business} business
   * @returns {Promise<void> | null}
   */
  #load(rows, business) {
    const { businessId } = business;
    const pages = rows.pages.get(businessId) ?? { ...NO_PAGES };
    if (!rows.pages.has(businessId)) {
      rows.pages.set(businessId, pages);
      for (const chat of this.#chats.values()) rows.put(chat);
    }
    /** @returns {Promise<void>} */
    const load = async () => {
      const isAgain = pages.isOutdated;
      pages.isOutdated = false;
      try {
        await this.#loadPages(rows, business, pages, isAgain);
        this.#failures.delete(rows.view);
      } catch (error) {
        if (!(error instanceof PushError)) throw error;
        pages.isOutdated ||= isAgain;
        if (!this.#pagedRows().includes(rows)) return; // the search is over
        this.#failures.set(rows.view, error);
        this.#changed();
        // Nobody asks again at once.
        if (business.isJoined) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
      pages.loading = null;
      if (pages.isOutdated) this.#load(rows, business);
      this.#changed();
    };
    if (business.isJoined) pages.loading ??= load();
    return pages.loading;
  }

  /**
   * @param {PagedRows} rows
   * @param {Business} business
   * @param {Pages} pages
   * @param {boolean} isAgain  the rows that are shown keep their places meanwhile
   */
  async #loadPages(rows, business, pages, isAgain) {
    const { businessId } = business;
    const loaded = isAgain ? { ...NO_PAGES } : pages;
    const named = new Set();
    do {
      const { view, query } = rows;
      const { cursor } = loaded;
      const payload = { view, ...(query && { query }), ...(cursor && { cursor }) };
      const [json, pushed] = await this.#push(business, "list", payload);
      const { chats, cursor: next } = objectOf(json) ?? {};
      for (const chat of toChats(chats, businessId)) {
        const { sessionId } = chat;
        named.add(sessionId);
        loaded.oldest = Math.min(loaded.oldest, activityOf(chat));
        rows.found.add(sessionId);
        // What was pushed meanwhile is newer; if it is not here, it has left all lists.
        const newest = pushed.has(sessionId) ? this.#chats.get(sessionId) : chat;
        if (newest) this.#put(newest);
      }
      for (const sessionId of pushed) named.add(sessionId);
      loaded.cursor = textOrNull(next);
      loaded.hasMore = loaded.cursor !== null && loaded.cursor !== cursor;
    } while (isAgain && loaded.hasMore && loaded.oldest > pages.oldest);
    if (!isAgain) return;
    const { cursor, hasMore, oldest } = loaded;
    Object.assign(pages, { cursor, hasMore, oldest });
    const gone = rows.all.filter((c) => c.businessId === businessId && !named.has(c.sessionId));
    for (const { sessionId } of gone) rows.delete(sessionId);
    this.#sweep();
  }

  // Rows.

  /**
   * Put a row in its new state.
   *
   * @param {Chat} chat
   */
  #put(chat) {
    const { sessionId } = chat;
    const before = this.#chats.get(sessionId);
    this.#chats.set(sessionId, chat);
    for (const rows of [this.#mine, this.#waiting, ...this.#pagedRows()]) rows.put(chat);
    if (!this.#isKept(chat)) this.#chats.delete(sessionId);
    this.#talks.get(sessionId)?.update(chat);
    const isLost = before && this.isMine(before) && !this.isMine(chat);
    if (isLost && !this.#acting.has(sessionId)) this.emit("ended", { chat });
  }

  /** @param {Chat} chat */
  #isKept(chat) {
    const { sessionId } = chat;
    return (
      isListed(chat) ||
      this.#talks.has(sessionId) ||
      this.#pagedRows().some((rows) => rows.has(sessionId))
    );
  }

  /** Forget the rows that are in no list any more. */
  #sweep() {
    for (const [sessionId, chat] of this.#chats) {
      if (!this.#isKept(chat)) this.#chats.delete(sessionId);
    }
  }

  /** @param {Chat} chat */
  #mineRank(chat) {
    if (!this.isMine(chat)) return null;
    if (chat.unanswered > 0) return { group: 0, order: millisecondsOf(chat.unansweredSince) };
    return { group: 1, order: -activityOf(chat) };
  }

  /**
   * Return the conversation as what is open, or has messages on their way.
   *
   * @param {Address} address
   */
  #talkOf({ sessionId, businessId, userId }) {
    const business = this.#businesses.get(businessId);
    const known = this.#talks.get(sessionId);
    if (known || !business) return known ?? null;
    const chat = toChat({ sessionId, userId }, businessId);
    if (!chat) return null;
    const talk = new Talk({
      chat: this.chat(sessionId) ?? chat,
      business,
      coordinatorId: this.coordinatorId,
      memory: this.memory,
      channel: this.#openChannel(`chat:${businessId}:${userId}`, business.joinPayload({ userId })),
      open: async () => {
        const [reply, pushed] = await this.#push(business, "open", { sessionId });
        const opened = toChat(objectOf(reply)?.chat, businessId);
        if (opened?.sessionId === sessionId && !pushed.has(sessionId)) this.#put(opened);
        return objectOf(reply) ?? {};
      },
    });
    talk.on("change", () => {
      if (talk === this.#talk) this.#changed();
      else if (!talk.isBusy) this.#leave(talk);
    });
    this.#talks.set(sessionId, talk);
    return talk;
  }

  /** @param {Talk} talk */
  #leave(talk) {
    if (!this.#talks.delete(talk.sessionId)) return;
    talk.dispose();
    this.#sweep();
  }

  #changed() {
    this.emit("change", null);
  }
}

/**
 * Return what is left of a conversation that called for coordinators, and does no more.
 *
 * @param {Chat} chat
 * @returns {Chat}
 */
function ended(chat) {
  const rest = { ...chat, missed: null, confirmation: null };
  return isWithPeople(chat) ? { ...rest, status: "ai", coordinatorId: null } : rest;
}

/** @param {keyof typeof CALLS} kind @param {Chat} chat @param {Chat | undefined} before */
function isNewCall(kind, chat, before) {
  const call = CALLS[kind](chat);
  return call !== null && call !== (before ? CALLS[kind](before) : null);
}

/** @param {Address} chat @returns {Address} */
const addressOf = ({ sessionId, businessId, userId }) => ({ sessionId, businessId, userId });
