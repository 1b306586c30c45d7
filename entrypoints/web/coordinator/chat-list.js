/**
 * The model of a business's conversations: who is waiting, and who is talking with whom.
 *
 * It does not touch the page. Whatever was missed while there was no connection comes with the next
 * join, which replaces what was known.
 */

import { Emitter } from "../shared/emitter.js";

/** @import { Status } from "../shared/messages.js" */
/** @import { ChannelMessage, PhoenixChannel } from "../shared/phoenix.js" */
/** @import { PastEntry, WireMessage } from "./transcript.js" */

/**
 * @typedef {object} Chat  a conversation as coordinators see it
 * @property {string} sessionId
 * @property {string} businessId
 * @property {string} userId
 * @property {string | null} locationId
 * @property {Status} status
 * @property {string} since
 * @property {string | null} waitingSince
 * @property {string | null} coordinatorId
 * @property {string | null} reason
 * @property {string | null} summary
 * @property {Record<string, unknown> | null} context
 * @property {boolean} pending  whether the server has not confirmed it yet
 */
/** @typedef {{businessId: string, coordinatorId: string, token: string}} Identity */
/** @typedef {{sessionId: string}} Attention */
/** @typedef {{chat: Chat, requestedStatus: Status, reason: string}} Refusal */
/**
 * @typedef {object} JoinReply
 * @property {Chat[]} waiting
 * @property {Chat[]} live
 * @property {{reachable: boolean | null}} server
 */
/**
 * @typedef {object} Notification
 * @property {"waiting" | "changed" | "gone" | "refused"} type
 * @property {Chat} chat
 * @property {string | null} [coordinatorId]
 * @property {Status} [wished]
 * @property {string} [reason]
 */

/** @param {Chat} chat */
const isOpen = ({ status }) => status === "waiting" || status === "live";

/**
 * The conversations of a business.
 *
 * Events: `change`, `attention` (somebody is waiting, or has written to this coordinator) and
 * `refused` (the server refused what this coordinator had requested).
 *
 * @extends {Emitter<{change: null, attention: Attention, refused: Refusal}>}
 */
export class ChatList extends Emitter {
  #channel;
  /** @type {Map<string, Chat>} by sessionId */
  #chats = new Map();
  /** @type {Map<string, number>} by sessionId */
  #unread = new Map();

  /** @type {boolean | null} whether the AI agent server can be reached; null: not known yet */
  isServerReachable = null;
  /** @type {string | null} the conversation that is open: nothing in it is unread */
  selected = null;

  /**
   * @param {Identity} identity
   * @param {PhoenixChannel} channel
   */
  constructor(identity, channel) {
    super();
    this.identity = identity;
    this.#channel = channel;
    channel.on("state", (state) => {
      if (state.name === "joined") this.#onJoined(/** @type {JoinReply} */ (state.response));
    });
    channel.on("message", (message) => this.#onMessage(message));
  }

  /** The conversations that wait for a coordinator, the longest first. */
  get waiting() {
    const waiting = [...this.#chats.values()].filter(({ status }) => status === "waiting");
    return waiting.sort((a, b) => waitingSince(a).localeCompare(waitingSince(b)));
  }

  /** The conversations that a coordinator has: this one's own first. */
  get live() {
    const live = [...this.#chats.values()].filter(({ status }) => status === "live");
    return live.sort(
      (a, b) => Number(this.isMine(b)) - Number(this.isMine(a)) || a.since.localeCompare(b.since),
    );
  }

  /** The conversation that is open. */
  get selectedChat() {
    return this.#chats.get(this.selected ?? "");
  }

  /** @param {string} sessionId */
  chat(sessionId) {
    return this.#chats.get(sessionId);
  }

  /** @param {Chat} chat */
  isMine({ status, coordinatorId }) {
    return status === "live" && coordinatorId === this.identity.coordinatorId;
  }

  /**
   * Return the number of unread messages.
   *
   * @param {string} sessionId
   */
  unread(sessionId) {
    return this.#unread.get(sessionId) ?? 0;
  }

  /**
   * Open a conversation; null: none.
   *
   * @param {string | null} sessionId
   */
  select(sessionId) {
    this.selected = sessionId;
    this.#unread.delete(sessionId ?? "");
    this.#removeEnded();
    this.#changed();
  }

  /**
   * Request a change of a conversation.
   *
   * @param {"claim" | "return" | "close"} action
   * @param {string} sessionId
   * @param {{takeOver?: boolean, summary?: string | null}} options  `takeOver`: even from another
   */
  async act(action, sessionId, options = {}) {
    const chat = await this.#channel.push(action, { sessionId, ...options });
    this.#put(/** @type {Chat} */ (chat));
    this.#changed();
  }

  /**
   * Return what the user and the AI wrote, as far as the bridge knows, oldest first.
   *
   * @param {string} sessionId
   */
  async history(sessionId) {
    const reply = await this.#channel.push("history", { sessionId });
    return /** @type {{messages: PastEntry[]}} */ (reply).messages;
  }

  /**
   * Return a page of the server's own log, the last one before `beforeSeq`.
   *
   * @param {string} sessionId
   * @param {number | null} beforeSeq
   */
  async serverHistory(sessionId, beforeSeq) {
    const reply = await this.#channel.push("more", { sessionId, beforeSeq });
    return /** @type {{messages: (PastEntry & {kind: string})[], more: boolean}} */ (reply);
  }

  /** @param {JoinReply} reply */
  #onJoined({ waiting, live, server }) {
    const waitedBefore = new Set(this.waiting.map(({ sessionId }) => sessionId));
    const selected = this.selectedChat;
    this.#chats = new Map([...waiting, ...live].map((chat) => [chat.sessionId, chat]));
    // The open conversation stays in sight although it has ended meanwhile.
    if (selected && !this.#chats.has(selected.sessionId)) {
      this.#put(isOpen(selected) ? { ...selected, status: "ai", coordinatorId: null } : selected);
    }
    this.isServerReachable = server.reachable;
    const arrived = waiting.find(({ sessionId }) => !waitedBefore.has(sessionId));
    if (arrived) this.emit("attention", { sessionId: arrived.sessionId });
    this.#changed();
  }

  /** @param {ChannelMessage} message */
  #onMessage({ event, payload }) {
    if (event === "notification") {
      this.#onNotification(/** @type {Notification} */ (payload));
    } else if (event === "live_message") {
      this.#onLiveMessage(/** @type {WireMessage & {sessionId: string}} */ (payload));
    } else if (event === "server") {
      this.isServerReachable = /** @type {{reachable: boolean | null}} */ (payload).reachable;
    }
    this.#changed();
  }

  /** @param {Notification} notification */
  #onNotification({ type, chat, coordinatorId, wished: requestedStatus, reason }) {
    this.#put(chat);
    this.#removeEnded();
    if (type === "waiting") this.emit("attention", { sessionId: chat.sessionId });
    const isForMe = coordinatorId === this.identity.coordinatorId;
    if (type === "refused" && isForMe && requestedStatus && reason) {
      this.emit("refused", { chat, requestedStatus, reason });
    }
  }

  /** @param {WireMessage & {sessionId: string}} message */
  #onLiveMessage({ sessionId, author }) {
    const chat = this.#chats.get(sessionId);
    if (!chat || author !== "user" || !this.isMine(chat)) return;
    if (sessionId !== this.selected) this.#unread.set(sessionId, this.unread(sessionId) + 1);
    this.emit("attention", { sessionId });
  }

  /** @param {Chat} chat */
  #put(chat) {
    this.#chats.set(chat.sessionId, chat);
  }

  #removeEnded() {
    for (const [sessionId, chat] of this.#chats) {
      if (!isOpen(chat) && sessionId !== this.selected) this.#chats.delete(sessionId);
    }
  }

  #changed() {
    this.emit("change", null);
  }
}

/** @param {Chat} chat */
const waitingSince = (chat) => chat.waitingSince ?? chat.since;
