/** The model of one live chat: its messages on the topic `chat:{businessId}:{userId}`. */

import { Emitter } from "../client/emitter.js";
import { newId, TypingThrottle, undelivered } from "../client/messages.js";
import { PushError, toWellFormed } from "../client/phoenix.js";

/** @import { Author, Message } from "../client/messages.js" */
/** @import { ChannelMessage, PhoenixChannel } from "../client/phoenix.js" */

/**
 * @typedef {object} WireMessage
 * @property {string} messageId
 * @property {Author} author
 * @property {string} message
 * @property {string} timestamp
 * @property {string | null} [coordinatorId]
 */
/**
 * @typedef {Partial<WireMessage> & {
 *   seq?: number | null,
 *   author: Author,
 *   message: string,
 *   actions?: unknown,
 *   audience?: string,
 *   write?: {state: string} | null,
 * }} PastEntry
 *   of the bridge's history, of the server's log, or of a context package
 */
/**
 * @typedef {Message & {
 *   seq: number | null,
 *   sources: string[],
 *   step: string | null,
 *   isRating: boolean,
 * }} PastMessage
 *   `seq` is that of the server's log; `sources` are the documents that an answer of the AI rests on;
 *   `step` is the state of a call of a tool, where it is no message of anybody's; `isRating`: it is
 *   how the user rates the conversation
 */

/**
 * A live chat.
 *
 * Events: `change`.
 *
 * @extends {Emitter<{change: null}>}
 */
export class Transcript extends Emitter {
  #channel;
  #coordinatorId;
  /** @type {Map<string, Message>} by messageId */
  #messages = new Map();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #typingTimer;
  #typingThrottle = new TypingThrottle();

  /** Whether the user is writing. */
  isTyping = false;

  /**
   * @param {string} coordinatorId
   * @param {PhoenixChannel} channel
   */
  constructor(coordinatorId, channel) {
    super();
    this.#coordinatorId = coordinatorId;
    this.#channel = channel;
    channel.on("state", (state) => {
      if (state.name !== "joined") return;
      this.#onJoined(/** @type {{messages: WireMessage[]}} */ (state.response).messages);
    });
    channel.on("message", (message) => this.#onMessage(message));
  }

  /** The messages, oldest first; those that are not stored yet come last. */
  get messages() {
    return [...this.#messages.values()];
  }

  /** @param {string} typed */
  send(typed) {
    const key = newId();
    const text = toWellFormed(typed);
    const at = new Date().toISOString();
    const coordinatorId = this.#coordinatorId;
    const message = { key, author: /** @type {Author} */ ("coordinator"), text, at, coordinatorId };
    this.#messages.set(key, { ...message, state: "queued" });
    this.#transmit(key);
  }

  /**
   * Resend a failed message under the same id.
   *
   * @param {string} key
   */
  retry(key) {
    this.#transmit(key);
  }

  /** Notify the user that the coordinator is writing. */
  notifyTyping() {
    if (!this.#typingThrottle.admit()) return;
    this.#channel.notify("typing", { author: "coordinator" });
  }

  /** @param {string} key */
  async #transmit(key) {
    const message = this.#update(key, { state: "sending" });
    if (!message) return;
    const { text, at: timestamp, coordinatorId } = message;
    const payload = { message: text, timestamp, messageId: key, coordinatorId };
    try {
      await this.#channel.push("agent_message", payload);
      this.#update(key, { state: "stored" });
    } catch (error) {
      if (!(error instanceof PushError)) throw error;
      this.#update(key, undelivered(error, message.losses));
    }
  }

  /** @param {WireMessage[]} messages */
  #onJoined(messages) {
    const unsent = this.messages.filter(({ state }) => state !== "stored");
    this.#messages = new Map(messages.map((message) => [message.messageId, toMessage(message)]));
    for (const message of unsent) {
      if (this.#messages.has(message.key)) continue;
      this.#messages.set(message.key, message);
      if (message.state === "queued") this.#transmit(message.key);
    }
    this.#changed();
  }

  /** @param {ChannelMessage} message */
  #onMessage({ event, payload }) {
    if (event === "typing") {
      const typing = /** @type {{author: Author, expiresInMs: number}} */ (payload);
      if (typing.author === "user") this.#setTyping(typing.expiresInMs);
    } else if (event === "user_message" || event === "agent_message") {
      const message = /** @type {WireMessage} */ (payload);
      this.#messages.set(message.messageId, toMessage(message));
      if (event === "user_message") this.#setTyping(0);
    }
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

  /**
   * @param {string} key
   * @param {Partial<Message>} change
   */
  #update(key, change) {
    const message = this.#messages.get(key);
    if (!message) return null;
    const updated = { ...message, ...change };
    this.#messages.set(key, updated);
    this.#changed();
    return updated;
  }

  #changed() {
    this.emit("change", null);
  }
}

/**
 * @param {WireMessage} message
 * @returns {Message}
 */
function toMessage({ messageId, author, message, timestamp, coordinatorId = null }) {
  return { key: messageId, author, text: message, at: timestamp, coordinatorId, state: "stored" };
}

/**
 * Return an entry from before the live chat as a message.
 *
 * @param {PastEntry} entry
 * @param {number} n  its place on its page
 * @returns {PastMessage}
 */
export function toPastMessage(entry, n) {
  const { seq = null, messageId, author, message, timestamp, coordinatorId = null } = entry;
  const key = messageId ?? `past ${seq ?? -n}`;
  const sources = sourcesOf(entry.actions);
  // eslint-disable-next-line no-restricted-properties -- an entry's, which is no document
  const step = entry.audience === "coordinator" ? (entry.write?.state ?? null) : null;
  return {
    key,
    seq,
    author,
    text: String(message ?? ""),
    at: timestamp,
    coordinatorId,
    state: "stored",
    sources,
    step,
    isRating: listOf(entry.actions).some((action) => isOfType(action, "rating")),
  };
}

/**
 * Return the sources that the actions of an answer name: `Menu › Desserts (menu.md#desserts)`.
 *
 * @param {unknown} actions
 */
function sourcesOf(actions) {
  const listed = /** @type {{items?: unknown}[]} */ (listOf(actions));
  return listed
    .filter((action) => isOfType(action, "sources"))
    .flatMap(({ items }) => /** @type {{title?: unknown, location?: unknown}[]} */ (listOf(items)))
    .map((item) => `${item?.title ?? ""} (${item?.location ?? ""})`);
}

/**
 * @param {any} action
 * @param {string} type
 */
const isOfType = (action, type) => action?.type === type;

/**
 * @param {unknown} value
 * @returns {unknown[]}
 */
const listOf = (value) => (Array.isArray(value) ? value : []);
