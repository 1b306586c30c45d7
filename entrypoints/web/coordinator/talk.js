/**
 * The model of one conversation: all that was said and done in it, in order of time, and what this
 * coordinator writes.
 *
 * A message comes by up to five ways (what the bridge was told, the server's log, the topic of the
 * live chat, the topic of the coordinators, and as written here): it is one item.
 */

import { isTransientRefusal } from "../client/connection.js";
import { Emitter } from "../client/emitter.js";
import { newId, TypingThrottle, undelivered } from "../client/messages.js";
import { PushError, toWellFormed } from "../client/phoenix.js";
import { divider, itemOf, sideOf, toLogged, toMessage, toNote } from "./items.js";
import { indexIn } from "./rows.js";
import { countOf, listOf, millisecondsOf, objectOf, textOf, textOrNull, toChats } from "./wire.js";

/** @import { ChannelMessage, PhoenixChannel } from "../client/phoenix.js" */
/** @import { Business } from "./desk.js" */
/** @import { DeskMemory, Mode } from "./memory.js" */
/** @import { Chat } from "./wire.js" */

/**
 * @typedef {object} Suggestion
 * @property {"streaming" | "done" | "failed"} state
 * @property {string} text  as far as it is written
 * @property {PushError | null} error  why it `failed`
 */
/** @typedef {import("./items.js").Item} Item */
/** @typedef {{item: Item, order: number, n: number, source: number}} Place */
/**
 * @typedef {object} TalkOptions
 * @property {Chat} chat
 * @property {Business} business
 * @property {string} coordinatorId
 * @property {DeskMemory} memory
 * @property {PhoenixChannel} channel  of the customer's live chat
 * @property {() => Promise<Record<string, any>>} open  returns the bridge's reply
 */

// Where an item comes from: the higher one is shown.
const GUESSED = 0;
const TOLD = 1;
const POSTED = 2;
const LOGGED = 3;

const RETRY_MS = 5_000;
const LONGEST_RETRY_MS = 60_000;
const SUGGESTION_TIMEOUT_MS = 120_000;
const LONGEST_TYPING_MS = 30_000;
/** The kind of what is written, by its mode, and the event that it is sent with. */
const WRITTEN = /** @type {const} */ ({
  reply: { kind: "message", event: "agent_message", side: "live" },
  note: { kind: "note", event: "note", side: null },
  whisper: { kind: "whisper", event: "whisper", side: null },
});
/** The key of what the customer left; no id has a space. */
const LEFT = "left message";

/**
 * One conversation.
 *
 * Events: `change`. Writing and loading do not reject: why one failed is with the item, or in
 * `error`.
 *
 * @extends {Emitter<{change: null}>}
 */
export class Talk extends Emitter {
  #options;
  #board;
  /** @type {Map<string, Place>} by key */
  #places = new Map();
  /** @type {Place[]} in order */
  #sorted = [];
  /** @type {Item[]} those of the first places, with dividers */
  #divided = [];
  /** The number of those places. */
  #dividedTo = 0;
  /** @type {Item["side"]} of the last of them */
  #side = null;
  /** @type {Map<string, Item>} by key: what is not stored yet, in the order of its writing */
  #unsent = new Map();
  /** @type {readonly Item[] | null} */
  #items = null;
  /** The order of the newest that came by each way. */
  #reached = { board: 0, live: 0 };
  /** The newest of the numbers that are beyond every seq. */
  #lastN = 2 ** 50;
  /** @type {string | null} what the customer left, as shown until a message has it */
  #left = null;
  #isShown = false;
  /** @type {"due" | "loading" | "done"} the bridge's reply with what it was told */
  #opening = "due";
  #newestSeq = 0;
  #oldestSeq = Infinity;
  /** The time of the newest entry of the log that is here, in epoch ms. */
  #loggedUntil = -Infinity;
  /** @type {Promise<PushError | null> | null} */
  #loading = null;
  #suggestionId = "";
  #typingThrottle = new TypingThrottle();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #typingTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retryTimer;
  /** @type {(() => void)[]} */
  #stops;

  /** @type {Chat} its row */
  chat;
  /** @type {Record<string, unknown> | null} why and with what it was handed over; of any shape */
  context = null;
  /** @type {string | null} */
  transferId = null;
  /** @type {Chat[]} other conversations of this customer, the newest first */
  earlier = [];
  /** Whether the customer is writing. */
  isTyping = false;
  /** @type {boolean | null} whether the customer is there; null: not known */
  customerOnline = null;
  /** Whether the server may have messages before those that are here. */
  hasEarlier = true;
  /** @type {PushError | null} why what was written could not be loaded */
  error = null;
  /** @type {Suggestion | null} */
  suggestion = null;

  /** @param {TalkOptions} options */
  constructor(options) {
    super();
    const { chat, business, channel, memory } = options;
    this.#options = options;
    this.#board = business.channel;
    this.chat = chat;
    this.channel = channel;
    this.#stops = [
      channel.on("state", (state) => {
        if (state.name === "joined") this.#onLiveJoined(objectOf(state.response) ?? {});
        this.#changed();
      }),
      channel.on("message", (message) => this.#onLiveMessage(message)),
      this.#board.on("state", ({ name }) => {
        this.#opening = "due";
        if (name !== "joined") return;
        this.#open();
        this.#sendQueued();
      }),
      this.#board.on("message", (message) => this.#onBoardMessage(message)),
    ];
    for (const [key, { mode, text, at, reason }] of memory.unsent(chat.sessionId)) {
      this.#write(mode, text, { key, at, reason });
    }
    this.update(chat);
    channel.connect();
  }

  get sessionId() {
    return this.chat.sessionId;
  }

  /** Whether something is on its way. */
  get isBusy() {
    return [...this.#unsent.values()].some(({ state }) => state !== "failed");
  }

  /** Whether what was written is being loaded. */
  get isLoading() {
    return this.#opening === "loading" || this.#loading !== null;
  }

  /** Load what was said, and keep it up to date. */
  show() {
    this.#isShown = true;
    this.#open();
  }

  /** Stop what is of use only while somebody looks at it. */
  hide() {
    this.#isShown = false;
    this.stopSuggestion();
  }

  dispose() {
    this.hide();
    for (const stop of this.#stops) stop();
    clearTimeout(this.#typingTimer);
    clearTimeout(this.#retryTimer);
    this.channel.disconnect();
  }

  /**
   * Take over the new state of its row.
   *
   * @param {Chat} chat
   */
  update(chat) {
    const isMoved = chat.status !== this.chat.status;
    this.chat = chat;
    this.#guessLeft(chat);
    if (isMoved) this.#followLog(); // it says why
    this.#changed();
  }

  // What is shown.

  /** All of it, oldest first, what is not stored yet last; another array after every change. */
  get items() {
    if (this.#items) return this.#items;
    for (const { item } of this.#sorted.slice(this.#dividedTo)) {
      const before = this.#side;
      this.#side = sideOf(item, before);
      const isChange = this.#side !== before && (before !== null || this.#side === "live");
      this.#divided.push(...(isChange ? [divider(item, this.#side), item] : [item]));
    }
    this.#dividedTo = this.#sorted.length;
    return (this.#items = [...this.#divided, ...this.#unsent.values()]);
  }

  /** The key of the first message that nobody has answered, null where there is none. */
  get unreadFrom() {
    let first = null;
    let count = this.chat.unanswered;
    for (let n = this.#sorted.length - 1; n >= 0 && count > 0; n--) {
      const { kind, author, key } = this.#sorted[n].item;
      if (kind !== "message" || author === "system") continue;
      if (author !== "user") break;
      first = key;
      count -= 1;
    }
    return first;
  }

  // What is written here.

  /** @param {string} text */
  send(text) {
    this.#write("reply", text);
  }

  /** @param {string} text */
  note(text) {
    this.#write("note", text);
  }

  /** @param {string} text */
  whisper(text) {
    this.#write("whisper", text);
  }

  /**
   * Send again what has failed, under the same id.
   *
   * @param {string} key
   */
  retry(key) {
    if (this.#unsent.get(key)?.state !== "failed") return;
    this.#update(key, { state: "queued", error: null });
    this.#sendQueued();
  }

  /**
   * Forget what has failed.
   *
   * @param {string} key
   */
  discard(key) {
    if (this.#unsent.get(key)?.state === "failed") this.#forget(key);
    this.#changed();
  }

  /** Notify the customer that the coordinator is writing. */
  notifyTyping() {
    if (!this.#typingThrottle.admit()) return;
    this.channel.notify("typing", { author: "coordinator" });
  }

  /**
   * @param {Mode} mode
   * @param {string} typed
   * @param {{key: string, at: string, reason: string | null}} [kept]  of one from before a reload
   */
  #write(mode, typed, { key, at, reason } = { key: newId(), at: now(), reason: null }) {
    const { kind, side } = WRITTEN[mode];
    const text = toWellFormed(typed);
    const { coordinatorId } = this.#options;
    const item = itemOf({ kind, key, author: "coordinator", text, at, coordinatorId, side, mode });
    this.#unsent.set(key, item);
    const error = reason === null ? null : new PushError(reason);
    this.#update(key, { state: error ? "failed" : "queued", error });
    this.#sendQueued();
  }

  /** Send what is next on each channel: one waits for the one before, so that none overtakes it. */
  #sendQueued() {
    for (const channel of [this.channel, this.#board]) {
      const next = [...this.#unsent.values()].find(
        ({ mode, state }) =>
          (mode === "reply") === (channel === this.channel) && state !== "failed",
      );
      if (next?.state === "queued" && channel.state.name === "joined") this.#send(next, channel);
    }
  }

  /** @param {Item} item @param {PhoenixChannel} channel */
  async #send({ key, mode, text, at, coordinatorId }, channel) {
    if (!mode) return;
    const item = this.#update(key, { state: "sending" });
    const { sessionId } = this;
    const payload = {
      reply: { message: text, timestamp: at, messageId: key, coordinatorId },
      note: { sessionId, noteId: key, text },
      whisper: { sessionId, messageId: key, text },
    }[mode];
    try {
      await channel.push(WRITTEN[mode].event, payload);
      if (item) this.#addNext({ ...item, state: "stored", error: null }, TOLD, "live");
      this.#sendQueued();
    } catch (error) {
      if (!(error instanceof PushError)) throw error;
      this.#onUndelivered(key, error);
    }
    this.#changed();
  }

  /** @param {string} key @param {PushError} error */
  #onUndelivered(key, error) {
    if (this.#isRetried(error)) {
      this.#update(key, { state: "queued", error });
      return;
    }
    const item = this.#update(key, undelivered(error, this.#unsent.get(key)?.losses));
    if (item?.state === "failed") this.#sendQueued(); // the next one
  }

  /**
   * Return whether a failure is one that a later try may not have, and try again later if so.
   *
   * @param {PushError} error
   */
  #isRetried({ reason, response }) {
    if (reason !== "timeout" && !isTransientRefusal(reason)) return false;
    clearTimeout(this.#retryTimer);
    const pauseMs = Math.min(Math.max(countOf(response.retryAfterMs), RETRY_MS), LONGEST_RETRY_MS);
    this.#retryTimer = setTimeout(() => {
      this.#sendQueued();
      this.#open();
    }, pauseMs);
    return true;
  }

  /**
   * Change what is not stored yet, and keep it over reloads.
   *
   * @param {string} key
   * @param {Partial<Item>} change
   */
  #update(key, change) {
    const item = this.#unsent.get(key);
    if (!item?.mode) return null;
    const updated = { ...item, ...change };
    this.#unsent.set(key, updated);
    const { sessionId, businessId, userId } = this.chat;
    const { mode, text, at, state, error } = { ...updated, mode: item.mode };
    const reason = state === "failed" ? (error?.reason ?? "") : null;
    const unsent = { sessionId, businessId, userId, mode, text, at, reason };
    this.#options.memory.setUnsent(sessionId, key, unsent);
    this.#changed();
    return updated;
  }

  /** @param {string} key */
  #forget(key) {
    if (this.#unsent.delete(key)) this.#options.memory.setUnsent(this.sessionId, key, null);
  }

  // Suggestions.

  /** Ask for a reply that the AI suggests; it is in `suggestion`, and never sent by itself. */
  async suggest() {
    this.stopSuggestion();
    const suggestionId = newId();
    this.#suggestionId = suggestionId;
    this.#setSuggestion({ state: "streaming", text: "", error: null });
    /** @type {Suggestion} */
    let suggestion;
    try {
      const payload = { sessionId: this.sessionId, suggestionId };
      const reply = objectOf(await this.#board.push("suggest", payload, SUGGESTION_TIMEOUT_MS));
      suggestion = { state: "done", text: textOf(reply?.text), error: null };
    } catch (error) {
      if (!(error instanceof PushError)) throw error;
      suggestion = { state: "failed", text: this.suggestion?.text ?? "", error };
    }
    if (this.#suggestionId === suggestionId) this.#setSuggestion(suggestion);
  }

  /** Forget the suggestion; one that is still being written is stopped. */
  stopSuggestion() {
    const suggestionId = this.#suggestionId;
    if (this.suggestion?.state === "streaming") {
      this.#board.notify("stop_suggestion", { suggestionId });
    }
    this.#suggestionId = "";
    this.#setSuggestion(null);
  }

  /** @param {Suggestion | null} suggestion */
  #setSuggestion(suggestion) {
    this.suggestion = suggestion;
    this.#changed();
  }

  // Loading.

  /** Load the messages before those that are here, from the server's log. */
  async loadEarlier() {
    this.error = null;
    const error = await (this.#newestSeq === 0
      ? this.#loadNewest()
      : this.#load(async () => {
          const { entries, more } = await this.#page(this.#oldestSeq);
          this.#addLogged(entries);
          this.hasEarlier = more;
        }));
    this.error = error;
    this.#changed();
  }

  async #open() {
    const isJoined = this.#board.state.name === "joined";
    if (!this.#isShown || !isJoined || this.#opening !== "due") return;
    this.#opening = "loading";
    this.#changed();
    try {
      const reply = await this.#options.open();
      this.error = null;
      this.#onOpened(reply);
    } catch (error) {
      if (!(error instanceof PushError)) throw error;
      this.#opening = "due";
      this.error = error;
      this.#isRetried(error);
    }
    this.#changed();
  }

  /** @param {Record<string, any>} reply */
  #onOpened({ chat, messages, notes, earlier, customerOnline }) {
    this.#opening = "done";
    this.context = objectOf(chat?.context);
    this.transferId = textOrNull(chat?.transferId);
    this.earlier = toChats(earlier, this.chat.businessId);
    this.customerOnline = typeof customerOnline === "boolean" ? customerOnline : null;
    const told = listOf(messages).map((entry) => toMessage(entry, "assistant"));
    this.#addAll(told, TOLD);
    this.#addAll(listOf(notes).map(toNote), TOLD);
    if (told.length === 0) this.#guess(listOf(this.context?.lastMessages));
    if (this.#options.business.isServerReachable !== false) this.#loadNewest();
  }

  /** Load the newest page of the server's log, and those before it that are not here yet. */
  #loadNewest() {
    return this.#load(async () => {
      const known = this.#newestSeq;
      const log = await this.#page(null);
      while (known > 0 && log.more && log.entries[0].seq > known + 1) {
        const { entries, more } = await this.#page(log.entries[0].seq);
        log.entries.unshift(...entries);
        log.more = more;
      }
      this.#addLogged(log.entries);
      if (known === 0) this.hasEarlier = log.more;
    });
  }

  /** Load what is new in the log, if it has been loaded. */
  #followLog() {
    if (this.#isShown && this.#newestSeq > 0) this.#loadNewest();
  }

  /**
   * Load something of the log, one at a time; return why it failed.
   *
   * @param {() => Promise<void>} load
   * @returns {Promise<PushError | null>}
   */
  #load(load) {
    const run = async () => {
      try {
        await load();
        return null;
      } catch (error) {
        if (!(error instanceof PushError)) throw error;
        return error;
      } finally {
        this.#loading = null;
        this.#changed();
      }
    };
    return (this.#loading ??= run());
  }

  /**
   * Return a page of the server's log in the order of its seqs.
   *
   * @param {number | null} beforeSeq
   */
  async #page(beforeSeq) {
    const reply = await this.#board.push("more", { sessionId: this.sessionId, beforeSeq });
    const { messages, more } = objectOf(reply) ?? {};
    const entries = listOf(messages)
      .filter((entry) => countOf(entry?.seq) > 0 && entry.seq < (beforeSeq ?? Infinity))
      .sort((a, b) => a.seq - b.seq);
    return { entries, more: more === true && entries.length > 0 };
  }

  // Where items have their place.

  /** @param {any[]} entries  of the server's log */
  #addLogged(entries) {
    for (const { seq, timestamp } of entries) {
      this.#newestSeq = Math.max(this.#newestSeq, seq);
      this.#oldestSeq = Math.min(this.#oldestSeq, seq);
      this.#loggedUntil = Math.max(this.#loggedUntil, millisecondsOf(timestamp));
    }
    this.#addAll(entries.map(toLogged), LOGGED);
    for (const place of [...this.#sorted]) if (this.#isInLog(place)) this.#remove(place);
  }

  /**
   * Add items that are in order, whatever their times say; return the order of the last one.
   *
   * @param {(Item | null)[]} items
   * @param {number} source
   */
  #addAll(items, source) {
    let order = 0;
    for (const item of items) {
      if (!item) continue;
      const known = this.#places.get(item.key);
      const isKept = known && known.source >= source;
      order = Math.max(order, isKept ? known.order : millisecondsOf(item.at));
      this.#put(item, order, source);
    }
    this.#changed();
    return order;
  }

  /**
   * Add an item that comes after those that came the same way, whatever its time says.
   *
   * @param {Item | null} item
   * @param {number} source
   * @param {"board" | "live"} way
   */
  #addNext(item, source, way) {
    if (!item) return;
    this.#put(item, Math.max(this.#reached[way], millisecondsOf(item.at)), source);
    this.#reach(way, this.#places.get(item.key)?.order ?? 0);
  }

  /** @param {"board" | "live"} way @param {number} order */
  #reach(way, order) {
    this.#reached[way] = Math.max(this.#reached[way], order);
  }

  /** @param {Item} item @param {number} order @param {number} source */
  #put(item, order, source) {
    const { key, side, author, text, seq } = item;
    this.#forget(key);
    const known = this.#places.get(key);
    if (known && known.source >= source) {
      if (side !== "live" || known.item.side === "live") return;
      known.item = { ...known.item, side };
      this.#redivide();
      return;
    }
    if (known) this.#remove(known);
    if (this.#isInLog({ item, source })) return;
    const left = this.#places.get(LEFT);
    if (left && author === "user" && text === this.#left) this.#remove(left);
    // At one time, what the log has comes first, in its own order.
    const n = seq ?? ++this.#lastN;
    const merged = { ...item, side: side ?? known?.item.side ?? null };
    const place = { item: merged, order, n, source };
    this.#places.set(key, place);
    this.#splice(place, 0, place);
  }

  /** @param {Place} place */
  #remove(place) {
    this.#places.delete(place.item.key);
    this.#splice(place, 1);
  }

  /** @param {Place} at @param {number} removed @param {Place[]} added */
  #splice({ order, n }, removed, ...added) {
    const isBefore = (/** @type {Place} */ each) =>
      each.order < order || (each.order === order && each.n < n);
    const index = indexIn(this.#sorted, isBefore);
    this.#sorted.splice(index, removed, ...added);
    if (index < this.#dividedTo) this.#redivide();
  }

  #redivide() {
    this.#dividedTo = this.#divided.length = 0;
    this.#side = null;
  }

  /**
   * Show what the context package has of the conversation, until the log is there.
   *
   * @param {unknown[]} entries
   */
  #guess(entries) {
    const messages = entries.map((entry, n) => ({ ...objectOf(entry), messageId: `past ${n}` }));
    this.#addAll(
      messages.map((message) => toMessage(message, "assistant")),
      GUESSED,
    );
  }

  /**
   * Show what the customer left, unless it is among the messages.
   *
   * @param {Chat} chat
   */
  #guessLeft({ missed }) {
    if (!missed || missed.message === this.#left) return;
    const { message, timestamp } = missed;
    this.#left = message;
    const isHere = this.#sorted.some(({ item }) => item.author === "user" && item.text === message);
    const left = toMessage({ messageId: LEFT, author: "user", message, timestamp }, null);
    if (!isHere) this.#addAll([left], GUESSED);
  }

  /**
   * Return whether the log has it under another id, or will when its earlier pages are loaded: what
   * the server reports of a conversation with the AI has no id of the log's.
   *
   * @param {Pick<Place, "item" | "source">} place
   */
  #isInLog({ item: { kind, key, author, at }, source }) {
    if (this.#newestSeq === 0 || key === LEFT || kind !== "message") return false;
    const isReport = source === TOLD && author !== "coordinator";
    return source === GUESSED || (isReport && millisecondsOf(at) <= this.#loggedUntil);
  }

  // What comes from the bridge.

  /** @param {ChannelMessage} message */
  #onBoardMessage({ event, payload }) {
    const json = objectOf(payload) ?? {};
    if (event === "suggestion" && json.suggestionId === this.#suggestionId && this.suggestion) {
      const text = this.suggestion.text + textOf(json.delta);
      this.#setSuggestion({ ...this.suggestion, text });
    } else if (event === "server" && json.reachable === true && this.#newestSeq === 0) {
      if (this.#opening === "done") this.#loadNewest();
    } else if (event === "live_message" && json.sessionId === this.sessionId) {
      const side = this.chat.status === "ai" ? "assistant" : null;
      const message = toMessage(json, side);
      this.#addNext(message, TOLD, "board");
      this.#changed();
      // It has the sources and steps of an answer, and what is reported later than it was loaded.
      if (message?.author === "ai" || !this.#places.has(message?.key ?? "")) this.#followLog();
    } else if (event === "note" && json.sessionId === this.sessionId) {
      this.#addAll([toNote(json)], TOLD);
    }
  }

  /** @param {Record<string, any>} reply */
  #onLiveJoined({ messages }) {
    const own = listOf(messages).filter((entry) => this.#isOfThis(entry));
    const items = own.map((entry) => toMessage(entry, "live"));
    this.#reach("live", this.#addAll(items, POSTED));
    this.#sendQueued();
  }

  /**
   * Return whether a message of the customer's live chat is of this conversation.
   *
   * @param {any} entry
   */
  #isOfThis(entry) {
    return entry?.sessionId == null || entry.sessionId === this.sessionId;
  }

  /** @param {ChannelMessage} message */
  #onLiveMessage({ event, payload }) {
    const json = objectOf(payload) ?? {};
    if (event === "typing" && json.author === "user") {
      this.#setTyping(Math.min(countOf(json.expiresInMs), LONGEST_TYPING_MS));
    } else if (event === "customer" && typeof json.online === "boolean") {
      this.customerOnline = json.online;
      if (!json.online) this.#setTyping(0);
    } else if (event === "user_message" || event === "agent_message") {
      if (this.#isOfThis(json)) this.#addNext(toMessage(json, "live"), POSTED, "live");
      if (event === "user_message") this.#setTyping(0);
    } else return;
    this.#changed();
  }

  /** @param {number} expiresInMs */
  #setTyping(expiresInMs) {
    clearTimeout(this.#typingTimer);
    this.isTyping = expiresInMs > 0;
    if (!this.isTyping) return;
    this.#typingTimer = setTimeout(() => {
      this.isTyping = false;
      this.#changed();
    }, expiresInMs);
  }

  #changed() {
    this.#items = null;
    this.emit("change", null);
  }
}

const now = () => new Date().toISOString();
