/**
 * What a coordinator's page knows: who waits, who has whom, and what is said in one conversation.
 *
 * Nothing here touches the page. Whatever was missed while there was no connection comes with the
 * next join, which replaces what was known.
 */

import { PushError } from "../shared/phoenix.js";

/** The longest message, in characters after trimming. */
export const MAX_TEXT = 8_000;

const TYPING_EVERY_MS = 2_000;
const isOpen = ({ status }) => status === "waiting" || status === "live";

export const newId = () => {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
};

/**
 * The conversations of a business.
 *
 * Events: `change`, `calling` `{sessionId}` (somebody waits, or has written to this coordinator)
 * and `refused` `{chat, wished, reason}` (the server does not do what this coordinator wished).
 */
export class Board extends EventTarget {
  #channel;
  #chats = new Map(); // sessionId → chat
  #unread = new Map(); // sessionId → how many messages

  /** Whether the AI agent server answers; null: nobody has asked it yet. */
  reachable = null;
  /** The conversation that is looked at: nothing in it is unread. */
  selected = null;

  constructor(identity) {
    super();
    this.identity = identity;
  }

  attach(channel) {
    this.#channel = channel;
    channel.addEventListener("state", ({ detail }) => {
      if (detail.name === "joined") this.#restore(detail.response);
    });
    channel.addEventListener("message", ({ detail }) => this.#take(detail));
  }

  /** Who waits, the longest first. */
  get waiting() {
    const waiting = [...this.#chats.values()].filter(({ status }) => status === "waiting");
    return waiting.sort((a, b) => a.waitingSince.localeCompare(b.waitingSince));
  }

  /** Who is talked with: this coordinator's own first. */
  get live() {
    const live = [...this.#chats.values()].filter(({ status }) => status === "live");
    return live.sort((a, b) => this.isMine(b) - this.isMine(a) || a.since.localeCompare(b.since));
  }

  chat(sessionId) {
    return this.#chats.get(sessionId);
  }

  isMine({ status, coordinatorId }) {
    return status === "live" && coordinatorId === this.identity.coordinatorId;
  }

  unread(sessionId) {
    return this.#unread.get(sessionId) ?? 0;
  }

  /** Look at a conversation; null: at none. */
  select(sessionId) {
    this.selected = sessionId;
    this.#unread.delete(sessionId);
    this.#forgetEnded();
    this.#changed();
  }

  /** `claim` (`takeOver` even from another), `return` or `close`, with a `summary`. */
  async act(what, sessionId, options = {}) {
    const chat = await this.#channel.push(what, { sessionId, ...options });
    this.#put(chat);
    this.#changed();
  }

  /** What the user and the AI said, as far as the bridge was told, oldest first. */
  async history(sessionId) {
    const { messages } = await this.#channel.push("history", { sessionId });
    return messages;
  }

  /** A page of the server's own log, before `beforeSeq` where it is given. */
  more(sessionId, beforeSeq = null) {
    return this.#channel.push("more", { sessionId, beforeSeq });
  }

  #restore({ waiting, live, server }) {
    const before = new Set(this.waiting.map(({ sessionId }) => sessionId));
    const selected = this.#chats.get(this.selected);
    this.#chats = new Map([...waiting, ...live].map((chat) => [chat.sessionId, chat]));
    // Who was looked at stays in sight, although it has ended meanwhile.
    if (selected && !this.#chats.has(this.selected)) {
      this.#put(isOpen(selected) ? { ...selected, status: "ai", coordinatorId: null } : selected);
    }
    this.reachable = server.reachable;
    const arrived = waiting.find(({ sessionId }) => !before.has(sessionId));
    if (arrived) this.#emit("calling", { sessionId: arrived.sessionId });
    this.#changed();
  }

  #take({ event, payload }) {
    if (event === "notification") this.#notice(payload);
    else if (event === "live_message") this.#count(payload);
    else if (event === "server") this.reachable = payload.reachable;
    this.#changed();
  }

  #notice({ type, chat, coordinatorId, wished, reason }) {
    this.#put(chat);
    this.#forgetEnded();
    if (type === "waiting") this.#emit("calling", { sessionId: chat.sessionId });
    if (type === "refused" && coordinatorId === this.identity.coordinatorId) {
      this.#emit("refused", { chat, wished, reason });
    }
  }

  #count({ sessionId, author }) {
    const chat = this.#chats.get(sessionId);
    if (!chat || author !== "user" || !this.isMine(chat)) return;
    if (sessionId !== this.selected) this.#unread.set(sessionId, this.unread(sessionId) + 1);
    this.#emit("calling", { sessionId });
  }

  #put(chat) {
    this.#chats.set(chat.sessionId, chat);
  }

  #forgetEnded() {
    for (const [sessionId, chat] of this.#chats) {
      if (!isOpen(chat) && sessionId !== this.selected) this.#chats.delete(sessionId);
    }
  }

  #changed() {
    this.#emit("change");
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/**
 * What is said with one user on the coordinators' side, over the topic `chat:{business}:{user}`.
 *
 * Events: `change`. A line of `lines` is `{key, author, text, at, coordinatorId, state}`, the
 * state being `queued` (waits for the connection), `sending`, `stored` or `failed`.
 */
export class Talk extends EventTarget {
  #channel;
  #lines = new Map(); // messageId → line
  #typingTimer = null;
  #typingTold = 0;

  /** Whether the user is writing. */
  isTyping = false;

  constructor(coordinatorId) {
    super();
    this.coordinatorId = coordinatorId;
  }

  attach(channel) {
    this.#channel = channel;
    channel.addEventListener("state", ({ detail }) => {
      if (detail.name === "joined") this.#restore(detail.response.messages);
    });
    channel.addEventListener("message", ({ detail }) => this.#take(detail));
  }

  /** Oldest first; what is not stored yet comes last. */
  get lines() {
    return [...this.#lines.values()];
  }

  send(text) {
    const key = newId();
    const at = new Date().toISOString();
    const line = { key, author: "coordinator", text, at, coordinatorId: this.coordinatorId };
    this.#lines.set(key, { ...line, state: "queued" });
    this.#deliver(key);
  }

  retry(key) {
    this.#deliver(key);
  }

  /** Say that the coordinator is writing, not more often than is of use. */
  tellTyping() {
    if (Date.now() - this.#typingTold < TYPING_EVERY_MS) return;
    this.#typingTold = Date.now();
    this.#channel.cast("typing", { author: "coordinator" });
  }

  async #deliver(key) {
    this.#become(key, { state: "sending" });
    const { text, at, coordinatorId } = this.#lines.get(key);
    const said = { message: text, timestamp: at, messageId: key, coordinatorId };
    try {
      await this.#channel.push("agent_message", said);
      this.#become(key, { state: "stored" });
    } catch (error) {
      if (!(error instanceof PushError)) throw error;
      // A repeat doubles nothing: it may have been stored before the connection was lost.
      this.#become(key, { state: error.reason === "disconnected" ? "queued" : "failed", error });
    }
  }

  #restore(messages) {
    const unsent = this.lines.filter(({ state }) => state !== "stored");
    this.#lines = new Map(messages.map((words) => [words.messageId, lineOf(words)]));
    for (const line of unsent) {
      if (!this.#lines.has(line.key)) this.#lines.set(line.key, line);
    }
    for (const { key, state } of unsent) {
      if (state === "queued" && this.#lines.get(key).state === "queued") this.#deliver(key);
    }
    this.#changed();
  }

  #take({ event, payload }) {
    if (event === "typing" && payload.author === "user") {
      this.#setTyping(payload.expiresInMs);
    } else if (event === "user_message" || event === "agent_message") {
      this.#lines.set(payload.messageId, lineOf(payload));
      if (event === "user_message") this.#setTyping(0);
    }
    this.#changed();
  }

  #setTyping(expiresInMs) {
    clearTimeout(this.#typingTimer);
    this.isTyping = expiresInMs > 0;
    if (!this.isTyping) return;
    this.#typingTimer = setTimeout(() => {
      this.isTyping = false;
      this.#changed();
    }, expiresInMs);
  }

  #become(key, change) {
    this.#lines.set(key, { ...this.#lines.get(key), ...change });
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new CustomEvent("change"));
  }
}

function lineOf({ messageId, author, message, timestamp, coordinatorId = null }) {
  const line = { key: messageId, author, text: message, at: timestamp, coordinatorId };
  return { ...line, state: "stored" };
}

/**
 * A line of the conversation with the AI, the nth of them: as the bridge was told it, of the
 * server's log, or of a context package.
 */
export function pastLine(entry, n) {
  const { seq = null, messageId, author, message, timestamp, coordinatorId = null } = entry;
  const key = messageId ?? `past ${seq ?? -n}`;
  return { key, seq, author, text: message, at: timestamp, coordinatorId, state: "stored" };
}
