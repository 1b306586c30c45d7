/**
 * What is known of one user's conversation: its log by seq, what is on its way, who owns it.
 *
 * Nothing here touches the page. The log is kept free of gaps and of duplicates by the seq that
 * every entry carries: what a join, a page of history, a push and an acknowledgement tell is laid
 * into the same log, and where a number is missing, the server is asked for it.
 */

import { PushError } from "../shared/phoenix.js";

/** The longest message, in characters after trimming. */
export const MAX_TEXT = 8_000;

const PAGE = 50;
const TYPING_EVERY_MS = 2_000;
// An entry that is still on its way mostly closes its gap by itself.
const GAP_PATIENCE_MS = 250;

/** The entries of one session, by seq; `mark`: up to here, nothing is missing. */
class Log {
  #entries = new Map();

  constructor(sessionId, mark) {
    this.sessionId = sessionId;
    this.mark = mark;
    this.head = mark; // the highest seq that is known to exist
    this.first = mark + 1;
  }

  /** Whether the entry is new. */
  add(entry) {
    if (this.#entries.has(entry.seq)) return false;
    this.#entries.set(entry.seq, entry);
    this.head = Math.max(this.head, entry.seq);
    this.first = Math.min(this.first, entry.seq);
    this.#advance();
    return true;
  }

  /** There is nothing more up to `seq` than is here. */
  concede(seq) {
    this.mark = Math.max(this.mark, seq);
    this.#advance();
  }

  get hasGap() {
    return this.mark < this.head;
  }

  get entries() {
    return [...this.#entries.values()].sort((a, b) => a.seq - b.seq);
  }

  #advance() {
    while (this.#entries.has(this.mark + 1)) this.mark += 1;
  }
}

/**
 * Events: `change` (read the fields and `items()` again) and `arrived` (a message that somebody
 * else wrote, and that is new rather than history).
 *
 * An item is `{key, kind: "message", author, text, actions, at, state, error?}` with a `state` of
 * `queued` (waits for the connection), `sending`, `stored`, `failed` or `streaming`; or
 * `{key, kind: "status", status, reason, at}`; or `{key, kind: "session"}`, where a new one begins.
 */
export class Conversation extends EventTarget {
  #channel;
  #bridge = null; // what the user says goes over this channel, if there is one
  #logs = []; // one per session, oldest first
  #outgoing = new Map(); // messageId → item that the log does not have yet
  #drafts = new Map(); // responseId → pieces of an answer in the making
  #typing = new Map(); // author → timer
  #typingTold = 0;
  #statusSeq = 0;
  #filling = false;

  status = "ai";
  reason = null;
  coordinatorId = null;
  liveChat = null;

  /** @param {{businessId: string, userId: string, locationId: string}} identity */
  constructor(identity) {
    super();
    this.identity = identity;
  }

  /** Converse over this channel from now on. */
  attach(channel) {
    this.#channel = channel;
    channel.addEventListener("message", ({ detail }) => this.#take(detail.event, detail.payload));
    channel.addEventListener("state", ({ detail }) => {
      if (detail.name === "joined") this.#joined(detail.response);
      else this.#quieten();
    });
  }

  /**
   * Talk over the bridge's own channel from now on; null: over the server's again.
   *
   * The server still tells all that is said, under the same ids: it is shown once.
   */
  goOver(bridge) {
    this.#bridge = bridge;
    bridge?.addEventListener("message", ({ detail }) => {
      if (bridge === this.#bridge) this.#hear(detail.event, detail.payload);
    });
    bridge?.addEventListener("state", ({ detail }) => {
      if (detail.name === "joined") this.#sendQueued();
    });
    this.#sendQueued();
  }

  /** What a join says, to take up where the log ends. */
  joinPayload(token) {
    const { sessionId, mark } = this.#current ?? {};
    const resume = sessionId ? { sessionId, lastSeq: mark } : {};
    return { ...this.identity, ...(token && { token }), stream: true, ...resume };
  }

  get #current() {
    return this.#logs.at(-1);
  }

  get sessionId() {
    return this.#current?.sessionId ?? null;
  }

  get lastSeq() {
    return this.#current?.mark ?? 0;
  }

  get hasEarlier() {
    return (this.#current?.first ?? 1) > 1;
  }

  /** Who is writing just now: "ai", "coordinator". */
  get typing() {
    return [...this.#typing.keys()];
  }

  items() {
    const logged = this.#logs.flatMap((log, n) => [
      ...(n > 0 ? [{ key: `session ${log.sessionId}`, kind: "session" }] : []),
      ...log.entries,
    ]);
    return [...logged, ...this.#outgoing.values(), ...this.#drafts.values()];
  }

  send(text) {
    const messageId = newId();
    const now = new Date().toISOString();
    this.#outgoing.set(messageId, message({ messageId, author: "user", text, at: now }, "queued"));
    this.#transmit(messageId);
  }

  /** Send again what failed, as the same message: if it was stored after all, it is not doubled. */
  retry(messageId) {
    this.#transmit(messageId);
  }

  async transfer(text) {
    const payload = { ...this.identity, ...(text && { message: text }) };
    const { liveChat } = await this.#channel.push("transfer_to_live_chat", payload);
    this.liveChat = liveChat ?? this.liveChat;
    this.#changed();
  }

  async endLiveChat() {
    await this.#channel.push("end_live_chat", {});
  }

  async loadEarlier() {
    const log = this.#current;
    const request = { beforeSeq: log.first, limit: PAGE };
    const { messages, more } = await this.#channel.push("history", request);
    this.#addAll(log, messages);
    if (!more) log.first = 1;
    this.#changed();
  }

  /** The user is writing: worth telling a human, and not at every key. */
  tellTyping() {
    const now = Date.now();
    if (this.status !== "live" || now - this.#typingTold < TYPING_EVERY_MS) return;
    this.#typingTold = now;
    if (this.#bridge) this.#bridge.cast("typing", { author: "user" });
    else this.#channel.cast("typing", {});
  }

  #joined({ sessionId, status, seq, messages, liveChat }) {
    this.#drafts.clear();
    if (sessionId) {
      const log = this.#logOf(sessionId, (messages[0]?.seq ?? seq + 1) - 1);
      this.#addAll(log, messages);
      log.head = Math.max(log.head, seq);
    }
    this.#statusSeq = 0; // whatever was heard before
    this.#own({ seq, status, reason: this.#reasonOf(status), liveChat });
    this.#fill();
    this.#sendQueued();
    this.#changed();
  }

  #sendQueued() {
    for (const [messageId, item] of this.#outgoing) {
      if (item.state === "queued") this.#transmit(messageId);
    }
  }

  /** From the bridge; what bears no id, or is the user's own, the server alone tells. */
  #hear(event, payload) {
    if (event === "typing" && payload.author === "coordinator") this.#take(event, payload);
    if (event !== "agent_message" || !payload.messageId || this.#knows(payload.messageId)) return;
    this.#stopTyping("coordinator");
    const item = itemOf({ ...payload, author: "coordinator" }, this.sessionId);
    this.#outgoing.set(item.key, item);
    this.#emit("arrived", item);
    this.#changed();
  }

  #knows(key) {
    return this.#outgoing.has(key) || this.#current.entries.some((entry) => entry.key === key);
  }

  /** Why the conversation has the status that it has, if the log has come to that. */
  #reasonOf(status) {
    const change = this.#current?.entries.findLast((entry) => entry.kind === "status");
    return change?.status === status ? change.reason : null;
  }

  /** Whoever was writing: without a connection it is not known. */
  #quieten() {
    for (const author of this.typing) this.#stopTyping(author);
    this.#changed();
  }

  #take(event, payload) {
    this.#handlers[event]?.(payload);
    this.#changed();
  }

  #handlers = {
    __proto__: null, // an event may be called `constructor`
    new_message: (payload) => {
      // Only an answer says what it answers; without, it is a notice of the server's own.
      const isAnswer = payload.inReplyTo?.length > 0;
      if (isAnswer) this.#stopTyping("ai");
      if (isAnswer) this.#drafts.clear();
      this.#drafts.delete(payload.responseId);
      const author = isAnswer ? "ai" : "system";
      this.#pushed({ ...payload, author, messageId: payload.responseId });
    },
    agent_message: (payload) => {
      this.#stopTyping("coordinator");
      this.#pushed({ ...payload, author: "coordinator" });
    },
    user_message: (payload) => {
      const elsewhere = !this.#outgoing.has(payload.messageId);
      this.#pushed({ ...payload, author: "user", elsewhere });
    },
    conversation_status: (payload) => {
      this.#pushed({ ...payload, kind: "status", timestamp: payload.updatedAt });
      if (payload.sessionId !== this.sessionId) return; // of one that is over
      this.#own(payload);
      if (this.status === "ai") return;
      // An answer of the AI's that is still in the making will not come.
      this.#drafts.clear();
      this.#stopTyping("ai");
    },
    typing: ({ author, expiresInMs }) => {
      clearTimeout(this.#typing.get(author));
      const expire = () => {
        this.#stopTyping(author);
        this.#changed();
      };
      this.#typing.set(author, setTimeout(expire, expiresInMs));
    },
    message_delta: ({ responseId, index, text }) => {
      if (this.status !== "ai") return; // a straggler of an answer that will not come
      // Index 0 again is a new try of the same answer.
      const pieces = index === 0 ? [] : [...(this.#drafts.get(responseId)?.pieces ?? [])];
      pieces[index] = text;
      const shown = { messageId: responseId, author: "ai", text: pieces.join("") };
      this.#drafts.set(responseId, { ...message(shown, "streaming"), pieces });
    },
  };

  #pushed(payload) {
    const log = this.#logOf(payload.sessionId, 0);
    const item = itemOf(payload, log.sessionId);
    const isNew = !this.#outgoing.has(item.key);
    const isAdded = this.#add(log, item);
    if (isAdded && isNew && item.kind === "message" && item.author !== "user") this.#emit("arrived", item);
    if (log.hasGap) setTimeout(() => this.#fill(), GAP_PATIENCE_MS);
  }

  /** The log of a session; a new one begins after `mark`, and is the current one from then on. */
  #logOf(sessionId, mark) {
    let log = this.#logs.find((known) => known.sessionId === sessionId);
    if (!log) {
      log = new Log(sessionId, mark);
      this.#logs.push(log);
      this.#statusSeq = 0;
      this.#own({ seq: 0, status: "ai" }); // a session begins with the assistant
    }
    return log;
  }

  #addAll(log, messages) {
    for (const entry of messages) this.#add(log, itemOf(entry, log.sessionId));
  }

  #add(log, item) {
    this.#outgoing.delete(item.key);
    return log.add(item);
  }

  /** Ask for what is missing, page by page. One asks at a time. */
  async #fill() {
    if (this.#filling) return;
    this.#filling = true;
    try {
      while (this.#current?.hasGap) await this.#fillOnce(this.#current);
    } catch (error) {
      if (!(error instanceof PushError)) throw error; // the next join asks again
    } finally {
      this.#filling = false;
    }
  }

  async #fillOnce(log) {
    const { mark, head } = log;
    const request = { afterSeq: mark, limit: PAGE };
    const { messages, more } = await this.#channel.push("history", request);
    this.#addAll(log, messages);
    // Where the server has no more than this, nothing is missing; what came meanwhile may be.
    if (!more || log.mark === mark) log.concede(head);
    this.#changed();
  }

  async #transmit(messageId) {
    const { text: message, at: timestamp } = this.#outgoing.get(messageId);
    this.#mark(messageId, { state: "sending", error: null });
    try {
      if (this.#bridge) {
        await this.#bridge.push("user_message", { message, messageId, timestamp });
        this.#mark(messageId, { state: "stored" });
      } else {
        const payload = { ...this.identity, message, messageId };
        this.#acknowledged(messageId, await this.#channel.push("new_message", payload));
      }
    } catch (error) {
      if (!(error instanceof PushError)) throw error;
      const state = error.reason === "disconnected" ? "queued" : "failed";
      this.#mark(messageId, { state, error });
    }
  }

  #acknowledged(messageId, { seq, sessionId, status, duplicate }) {
    const item = this.#outgoing.get(messageId);
    if (!item) return; // a replay has told of it already
    this.#add(this.#logOf(sessionId, 0), { ...item, seq, state: "stored" });
    if (!duplicate) this.#own({ seq, status });
    if (this.#current.hasGap) setTimeout(() => this.#fill(), GAP_PATIENCE_MS);
    this.#changed();
  }

  /** Who owns the conversation, unless something newer is known. */
  #own({ seq, status, reason, coordinatorId, liveChat }) {
    if (seq < this.#statusSeq) return;
    this.#statusSeq = seq;
    const changed = status !== this.status;
    this.reason = reason ?? (changed ? null : this.reason);
    this.coordinatorId = coordinatorId ?? (changed ? null : this.coordinatorId);
    this.status = status;
    const isHuman = status === "waiting" || status === "live";
    this.liveChat = isHuman ? (liveChat ?? this.liveChat) : null;
  }

  #mark(messageId, change) {
    const item = this.#outgoing.get(messageId);
    if (item) this.#outgoing.set(messageId, { ...item, ...change });
    this.#changed();
  }

  #stopTyping(author) {
    clearTimeout(this.#typing.get(author));
    this.#typing.delete(author);
  }

  #changed() {
    this.#emit("change");
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

function message({ messageId, author, text, at, actions = [], ...rest }, state) {
  return { key: messageId, kind: "message", author, text, at, actions, state, ...rest };
}

/** An entry of the wire, of `messages[]` or pushed, as an item. */
function itemOf(entry, sessionId) {
  const { seq, messageId = `${sessionId} ${seq}`, timestamp: at } = entry;
  if (entry.kind === "status") {
    const { status, reason } = entry;
    return { key: `${sessionId} ${seq}`, kind: "status", status, reason, at, seq };
  }
  const { author, message: text, actions, coordinatorId, elsewhere } = entry;
  const shown = { messageId, author, text, at, actions, coordinatorId, elsewhere, seq };
  return message(shown, "stored");
}

/** 32 hexadecimal digits; `crypto.randomUUID` is missing where the page comes by plain HTTP. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
