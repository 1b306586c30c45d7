/**
 * The model of one conversation: all that was said and done in it, in order of time, and what this
 * coordinator writes.
 *
 * A message comes by up to five ways (what the bridge was told, the server's log, the topic of the
 * live chat, the topic of the coordinators, and as written here), under one id: it is one item.
 */

import { isTransientRefusal } from "../client/connection.js";
import { Emitter } from "../client/emitter.js";
import { newId, TypingThrottle, undelivered } from "../client/messages.js";
import { PushError, toWellFormed } from "../client/phoenix.js";
import {
  authorOf,
  countOf,
  listOf,
  millisecondsOf,
  objectOf,
  textOf,
  textOrNull,
  toChats,
} from "./wire.js";

/** @import { Author, DeliveryState } from "../client/messages.js" */
/** @import { ChannelMessage, PhoenixChannel } from "../client/phoenix.js" */
/** @import { Business } from "./desk.js" */
/** @import { DeskMemory, Mode } from "./memory.js" */
/** @import { Chat } from "./wire.js" */

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
/** @typedef {{item: Item, order: number, n: number, source: number}} Place */
/** @typedef {{state: "streaming" | "done" | "failed", text: string, error: PushError | null}} Suggestion */
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
const SUGGESTION_TIMEOUT_MS = 120_000;
const MOST_TYPING_MS = 30_000;
// Changes of status that the bridge has as what a coordinator did, or that are none of the owner.
const NOTED_REASONS = [
  ...["coordinator", "accepted", "takeover", "returned", "closed_by_coordinator"],
  ...["requeued", "coordinator_away", "delivered", "undeliverable"],
];
/** The events of what is written here, and the channel that takes them. */
const EVENTS = { reply: "agent_message", note: "note", whisper: "whisper" };

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
  /** @type {Map<string, Item>} by key: what is not stored yet, in the order of its writing */
  #unsent = new Map();
  /** @type {readonly Item[] | null} */
  #items = null;
  #lastN = 0;
  /** @type {string | null} what the customer left, as shown until a message has it */
  #left = null;
  #isShown = false;
  #isOpening = false;
  #newestSeq = 0;
  #oldestSeq = Infinity;
  /** The time of the newest entry of the log that is here, in epoch ms. */
  #loggedUntil = -Infinity;
  /** @type {Promise<void> | null} */
  #loading = null;
  /** @type {string | null} */
  #suggestionId = null;
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
      channel.on("state", ({ name, ...state }) => {
        if (name === "joined") this.#onLiveJoined("response" in state ? state.response : null);
        this.#changed();
      }),
      channel.on("message", (message) => this.#onLiveMessage(message)),
      this.#board.on("state", ({ name }) => name === "joined" && this.#onBoardJoined()),
      this.#board.on("message", (message) => this.#onBoardMessage(message)),
    ];
    for (const [key, { mode, text, at, reason }] of memory.unsent(chat.sessionId)) {
      const written = this.#written(key, mode, text, at);
      const failed = { state: /** @type {const} */ ("failed"), error: new PushError(reason ?? "") };
      this.#unsent.set(key, reason === null ? written : { ...written, ...failed });
    }
    this.update(chat);
    channel.connect();
    this.#sendQueued();
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
    return this.#isOpening || this.#loading !== null;
  }

  /** Load what was said, and keep it up to date. */
  show() {
    this.#isShown = true;
    this.#open();
  }

  /** The conversation is not looked at any more. */
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
    const { missed } = chat;
    if (missed) this.#guessLeft(missed.message, missed.timestamp);
    // The server's log says why.
    if (isMoved && this.#newestSeq > 0) this.#loadNewest();
    this.#changed();
  }

  // What is shown.

  /** All of it, oldest first, what is not stored yet last; another array after every change. */
  get items() {
    if (this.#items) return this.#items;
    /** @type {Item[]} */
    const items = [];
    /** @type {Item["side"]} */
    let side = null;
    for (const { item } of this.#sorted) {
      /** @type {Item["side"]} */
      const to = sideOf(item) ?? (item.kind === "message" ? (side ?? "assistant") : side);
      if (to !== side && (side !== null || to === "live")) items.push(divider(item, to));
      side = to;
      items.push(item);
    }
    items.push(...this.#unsent.values());
    return (this.#items = items);
  }

  /** The key of the first message that nobody has answered, null where there is none. */
  get unreadFrom() {
    let key = null;
    let left = this.chat.unanswered;
    for (let n = this.#sorted.length - 1; n >= 0 && left > 0; n--) {
      const { kind, author, key: itemKey } = this.#sorted[n].item;
      if (kind !== "message" || author === "system") continue;
      if (author !== "user") break;
      key = itemKey;
      left -= 1;
    }
    return key;
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
    const item = this.#unsent.get(key);
    if (!item || item.state !== "failed") return;
    this.#update(key, { state: "queued", error: null, losses: 0 });
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
   */
  #write(mode, typed) {
    const text = toWellFormed(typed);
    const key = newId();
    this.#unsent.set(key, this.#written(key, mode, text, new Date().toISOString()));
    this.#keep(key);
    this.#changed();
    this.#sendQueued();
  }

  /**
   * @param {string} key
   * @param {Mode} mode
   * @param {string} text
   * @param {string} at
   */
  #written(key, mode, text, at) {
    const kind = /** @type {const} */ ({ reply: "message", note: "note", whisper: "whisper" })[
      mode
    ];
    const side = mode === "reply" ? /** @type {const} */ ("live") : null;
    const { coordinatorId } = this.#options;
    const state = /** @type {const} */ ("queued");
    return itemOf({ kind, key, author: "coordinator", text, at, coordinatorId, state, side, mode });
  }

  /** Send what is next on each channel: one waits for the one before, so that none overtakes it. */
  #sendQueued() {
    const isDue = (/** @type {Item} */ { state }) => state !== "failed";
    const [replies, others] = [[], []].map(() => /** @type {Item[]} */ ([]));
    for (const item of [...this.#unsent.values()].filter(isDue)) {
      (item.mode === "reply" ? replies : others).push(item);
    }
    for (const [[next], channel] of /** @type {const} */ ([
      [replies, this.channel],
      [others, this.#board],
    ])) {
      if (next?.state === "queued" && channel.state.name === "joined")
        this.#transmit(next, channel);
    }
  }

  /**
   * @param {Item} item
   * @param {PhoenixChannel} channel
   */
  async #transmit({ key, mode, text, at, coordinatorId }, channel) {
    if (!mode) return;
    const sending = this.#update(key, { state: "sending" });
    const { sessionId } = this;
    const payload = {
      reply: { message: text, timestamp: at, messageId: key, coordinatorId },
      note: { sessionId, noteId: key, text },
      whisper: { sessionId, messageId: key, text },
    }[mode];
    try {
      await channel.push(EVENTS[mode], payload);
      if (sending) this.#add({ ...sending, state: "stored", error: null }, TOLD);
      this.#sendQueued();
    } catch (error) {
      if (!(error instanceof PushError)) throw error;
      this.#onUndelivered(key, error);
    }
    this.#changed();
  }

  /**
   * @param {string} key
   * @param {PushError} error
   */
  #onUndelivered(key, error) {
    const { reason, response } = error;
    if (reason === "timeout" || isTransientRefusal(reason)) {
      this.#update(key, { state: "queued", error });
      this.#retryLater(response.retryAfterMs);
    } else {
      const failed = this.#update(key, undelivered(error, this.#unsent.get(key)?.losses));
      if (failed?.state === "failed") this.#sendQueued();
    }
    this.#keep(key);
  }

  /** @param {number} [pauseMs] */
  #retryLater(pauseMs) {
    clearTimeout(this.#retryTimer);
    const pause = Math.min(Math.max(countOf(pauseMs), RETRY_MS), 12 * RETRY_MS);
    this.#retryTimer = setTimeout(() => {
      this.#sendQueued();
      if (this.error) this.#open();
    }, pause);
  }

  /**
   * Keep an unsent item over reloads.
   *
   * @param {string} key
   */
  #keep(key) {
    const item = this.#unsent.get(key);
    if (!item?.mode) return;
    const { sessionId, businessId, userId } = this.chat;
    const { mode, text, at, state, error } = item;
    const reason = state === "failed" ? (error?.reason ?? "unknown") : null;
    const unsent = { sessionId, businessId, userId, mode, text, at, reason };
    this.#options.memory.setUnsent(sessionId, key, unsent);
  }

  /** @param {string} key */
  #forget(key) {
    if (this.#unsent.delete(key)) this.#options.memory.setUnsent(this.sessionId, key, null);
  }

  /**
   * @param {string} key
   * @param {Partial<Item>} change
   */
  #update(key, change) {
    const item = this.#unsent.get(key);
    if (!item) return null;
    const updated = { ...item, ...change };
    this.#unsent.set(key, updated);
    this.#changed();
    return updated;
  }

  // Suggestions.

  /** Ask for a reply that the AI suggests; it is in `suggestion`, and never sent by itself. */
  async suggest() {
    this.stopSuggestion();
    const suggestionId = newId();
    this.#suggestionId = suggestionId;
    this.suggestion = { state: "streaming", text: "", error: null };
    this.#changed();
    const isOver = () => this.#suggestionId !== suggestionId;
    try {
      const payload = { sessionId: this.sessionId, suggestionId };
      const reply = objectOf(await this.#board.push("suggest", payload, SUGGESTION_TIMEOUT_MS));
      if (isOver()) return;
      this.suggestion = { state: "done", text: textOf(reply?.text), error: null };
    } catch (error) {
      if (!(error instanceof PushError)) throw error;
      if (isOver()) return;
      this.suggestion = { state: "failed", text: this.suggestion?.text ?? "", error };
    }
    this.#changed();
  }

  /** Forget the suggestion; one that is still being written is stopped. */
  stopSuggestion() {
    const suggestionId = this.#suggestionId;
    if (this.suggestion?.state === "streaming") {
      this.#board.notify("stop_suggestion", { suggestionId });
    }
    this.#suggestionId = null;
    this.suggestion = null;
    this.#changed();
  }

  // Loading.

  /** Load the messages before those that are here, from the server's log. */
  loadEarlier() {
    if (this.#newestSeq === 0) return this.#loadNewest();
    return this.#load(async () => {
      const { entries, more } = await this.#page(this.#oldestSeq);
      this.#addLogged(entries);
      this.hasEarlier = more && entries.length > 0;
    });
  }

  async #open() {
    if (!this.#isShown || this.#isOpening || this.#board.state.name !== "joined") return;
    this.#isOpening = true;
    this.error = null;
    this.#changed();
    try {
      this.#onOpened(await this.#options.open());
    } catch (error) {
      if (!(error instanceof PushError)) throw error;
      this.#onLoadFailed(error);
    } finally {
      this.#isOpening = false;
      this.#changed();
    }
    const isReachable = this.#options.business.isServerReachable !== false;
    if (isReachable && this.#isShown && !this.error) await this.#loadNewest();
  }

  /** @param {Record<string, any>} reply */
  #onOpened({ chat, messages, notes, earlier, customerOnline }) {
    const { businessId } = this.chat;
    this.context = objectOf(chat?.context);
    this.transferId = textOrNull(chat?.transferId);
    this.earlier = toChats(earlier, businessId);
    this.customerOnline = typeof customerOnline === "boolean" ? customerOnline : null;
    const told = listOf(messages).map((entry) => toMessage(entry, "assistant"));
    this.#addAll(told, TOLD);
    this.#addAll(listOf(notes).map(toNote), TOLD);
    if (told.length === 0) this.#guess(listOf(this.context?.lastMessages));
  }

  /** @param {PushError} error */
  #onLoadFailed(error) {
    this.error = error;
    if (isTransientRefusal(error.reason) || error.reason === "timeout") {
      this.#retryLater(error.response.retryAfterMs);
    }
  }

  /** Load the newest page of the server's log, and those before it that are not here yet. */
  #loadNewest() {
    return this.#load(async () => {
      const known = this.#newestSeq;
      const { entries, more } = await this.#page(null);
      let isOpen = more && entries.length > 0;
      while (isOpen && known > 0 && entries[0].seq > known + 1) {
        const page = await this.#page(entries[0].seq);
        isOpen = page.more && page.entries.length > 0;
        entries.unshift(...page.entries);
      }
      this.#addLogged(entries);
      if (known === 0) this.hasEarlier = isOpen;
    });
  }

  /** @param {() => Promise<void>} load */
  #load(load) {
    const run = async () => {
      try {
        await load();
      } catch (error) {
        if (!(error instanceof PushError)) throw error;
        this.error = error;
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
    return { entries, more: more === true };
  }

  // Where items have their place.

  /** @param {any[]} entries  of the server's log */
  #addLogged(entries) {
    if (entries.length === 0) return;
    this.#newestSeq = Math.max(this.#newestSeq, entries.at(-1).seq);
    this.#oldestSeq = Math.min(this.#oldestSeq, entries[0].seq);
    for (const { timestamp } of entries) {
      this.#loggedUntil = Math.max(this.#loggedUntil, millisecondsOf(timestamp));
    }
    this.#addAll(entries.map(toLogged), LOGGED);
    for (const place of [...this.#sorted]) if (this.#isInLog(place)) this.#remove(place);
  }

  /**
   * Add items that are in order, whatever their times say.
   *
   * @param {(Item | null)[]} items
   * @param {number} source
   */
  #addAll(items, source) {
    let order = 0;
    for (const item of items) {
      if (!item) continue;
      const known = this.#places.get(item.key);
      const isKnown = known && known.source >= source;
      order = Math.max(order, isKnown ? known.order : millisecondsOf(item.at));
      this.#put(item, order, source);
    }
    this.#changed();
  }

  /**
   * Add an item that is the newest.
   *
   * @param {Item} item
   * @param {number} source
   */
  #add(item, source) {
    const newest = this.#sorted.at(-1)?.order ?? 0;
    this.#put(item, Math.max(newest, millisecondsOf(item.at)), source);
  }

  /**
   * @param {Item} item
   * @param {number} order
   * @param {number} source
   */
  #put(item, order, source) {
    const { key, side } = item;
    this.#forget(key);
    const known = this.#places.get(key);
    if (known && known.source >= source) {
      if (side !== "live" || known.item.side === "live") return;
      known.item = { ...known.item, side };
      return;
    }
    if (known) this.#remove(known);
    if (this.#isInLog({ item, source })) return;
    const isLeft = item.kind === "message" && item.author === "user" && item.text === this.#left;
    const left = isLeft && source !== GUESSED ? this.#places.get(LEFT) : undefined;
    if (left) this.#remove(left);
    // At one time, what the log has comes first, in its own order.
    const n = item.seq ?? Number.MAX_SAFE_INTEGER / 2 + ++this.#lastN;
    const merged = { ...item, side: side ?? known?.item.side ?? null };
    const place = { item: merged, order, n, source };
    this.#places.set(key, place);
    this.#sorted.splice(this.#indexOf(place), 0, place);
  }

  /** @param {Place} place */
  #remove(place) {
    this.#sorted.splice(this.#indexOf(place), 1);
    this.#places.delete(place.item.key);
  }

  /**
   * Return the number of places before this one; most are added at the end.
   *
   * @param {Place} place
   */
  #indexOf(place) {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const { order, n } = this.#sorted[middle];
      if (order - place.order < 0 || (order === place.order && n < place.n)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * Show what the context package has of the conversation, as long as nothing else is known.
   *
   * @param {unknown[]} entries
   */
  #guess(entries) {
    const guessed = entries.map((entry, n) =>
      toMessage({ ...objectOf(entry), messageId: `past ${n}` }, "assistant"),
    );
    this.#addAll(guessed, GUESSED);
  }

  /**
   * Show what the customer left, unless it is among the messages.
   *
   * @param {string} text
   * @param {string} timestamp
   */
  #guessLeft(text, timestamp) {
    if (text === this.#left) return;
    this.#left = text;
    const isHere = this.#sorted.some(({ item }) => item.author === "user" && item.text === text);
    const message = { messageId: LEFT, author: "user", message: text, timestamp };
    if (!isHere) this.#addAll([toMessage(message, null)], GUESSED);
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

  #onBoardJoined() {
    this.#open();
    this.#sendQueued();
  }

  /** @param {ChannelMessage} message */
  #onBoardMessage({ event, payload }) {
    const json = objectOf(payload);
    if (!json) return;
    if (event === "suggestion" && json.suggestionId === this.#suggestionId && this.suggestion) {
      const text = this.suggestion.text + textOf(json.delta);
      this.suggestion = { ...this.suggestion, text };
    } else if (json.sessionId !== this.sessionId) return;
    else if (event === "live_message") {
      const message = toMessage(json, this.chat.status === "ai" ? "assistant" : null);
      if (message) this.#add(message, TOLD);
    } else if (event === "note") {
      const note = toNote(json);
      if (note) this.#add(note, TOLD);
    } else return;
    this.#changed();
  }

  /** @param {unknown} response */
  #onLiveJoined(response) {
    const messages = listOf(objectOf(response)?.messages).filter((entry) => this.#isOfThis(entry));
    this.#addAll(
      messages.map((entry) => toMessage(entry, "live")),
      POSTED,
    );
    this.#sendQueued();
  }

  /**
   * Return whether a message of the customer's live chat is of this conversation.
   *
   * @param {any} entry
   */
  #isOfThis = (entry) => entry?.sessionId == null || entry.sessionId === this.sessionId;

  /** @param {ChannelMessage} message */
  #onLiveMessage({ event, payload }) {
    const json = objectOf(payload) ?? {};
    if (event === "typing" && json.author === "user") {
      this.#setTyping(Math.min(countOf(json.expiresInMs), MOST_TYPING_MS));
    } else if (event === "customer" && typeof json.online === "boolean") {
      this.customerOnline = json.online;
      if (!json.online) this.#setTyping(0);
    } else if ((event === "user_message" || event === "agent_message") && this.#isOfThis(json)) {
      const message = toMessage(json, "live");
      if (message) this.#add(message, POSTED);
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

/** The key of what the customer left; no id has a space. */
const LEFT = "left message";

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
const itemOf = (fields) => ({ ...DEFAULTS, ...fields });

/** @param {Item} item */
const sideOf = ({ kind, author, side }) => {
  if (kind !== "message") return null;
  if (author === "coordinator") return "live";
  return author === "ai" ? "assistant" : side;
};

/**
 * @param {Item} item  the first one after it
 * @param {Item["side"]} type
 */
const divider = ({ key, at }, type) =>
  itemOf({ kind: "divider", key: `divider ${key}`, author: "system", text: "", at, type });

/**
 * Return a message of the bridge's as an item; null: it is none.
 *
 * @param {unknown} json
 * @param {Item["side"]} side
 */
function toMessage(json, side) {
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
function toNote(json) {
  const note = objectOf(json);
  const key = textOrNull(note?.noteId);
  if (!note || !key) return null;
  const event = objectOf(note.event);
  return itemOf({
    kind: event ? "event" : "note",
    key,
    author: "coordinator",
    text: textOf(note.text),
    at: textOf(note.at),
    coordinatorId: textOrNull(note.coordinatorId),
    type: event && textOf(event.type),
    to: event && textOrNull(event.to),
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
