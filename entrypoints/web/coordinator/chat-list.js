/**
 * The model of a business's conversations: who is waiting, who is talking with whom, who left a
 * message while no coordinator was there, and which coordinators are.
 *
 * It does not touch the page. Whatever was missed while there was no connection comes with the next
 * join, which replaces what was known.
 */

import { Emitter } from "../client/emitter.js";
import { PushError } from "../client/phoenix.js";

/** @import { Status } from "../client/messages.js" */
/** @import { ChannelMessage, PhoenixChannel } from "../client/phoenix.js" */
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
 * @property {Missed | null} missed  what its user left, unless a coordinator has attended to it
 * @property {Asked | null} [confirmation]  the newest that waits for a yes, or did
 * @property {{rating: number, comment: string | null} | null} [rating]  the user's, from 1 to 5
 */
/**
 * @typedef {object} Missed  what a user wrote while no coordinator was there
 * @property {string} message
 * @property {string} timestamp
 * @property {string} reason
 * @property {Record<string, unknown>} context
 */
/**
 * @typedef {object} Asked  what the AI does only with a person's yes
 * @property {string} confirmId
 * @property {"customer" | "coordinator"} by
 * @property {"proposed" | "approved" | "rejected" | "expired" | "withdrawn" | "started" | "done" |
 *   "failed" | "unknown"} state
 * @property {string} what
 * @property {string} timestamp
 * @property {string | null} expiresAt
 * @property {string | null} result
 * @property {string | null} coordinatorId  who has answered
 */
/** @typedef {{isSending: boolean, error: PushError | null}} Answering  a yes or a no from here */
/** @typedef {{online: number, coordinators: string[]}} Presence  the first of their names */
/** @typedef {{businessId: string, coordinatorId: string, token: string}} Identity */
/** @typedef {{sessionId: string}} Attention */
/** @typedef {{chat: Chat, requestedStatus: Status, reason: string}} Refusal */
/**
 * @typedef {object} JoinReply
 * @property {Chat[]} waiting
 * @property {Chat[]} live
 * @property {Chat[]} missed
 * @property {Chat[]} [asked]
 * @property {Presence} presence
 * @property {{reachable: boolean | null}} server
 */
/**
 * @typedef {object} Notification
 * @property {"waiting" | "missed" | "asked" | "changed" | "gone" | "refused"} type
 * @property {Chat} chat
 * @property {string | null} [coordinatorId]
 * @property {Status} [wished]
 * @property {string} [reason]
 */

/** As many missed messages as the bridge lists at once. */
const MISSED_PAGE = 20;

/** @param {Chat} chat */
const isOpen = ({ status }) => status === "waiting" || status === "live";

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
const isListed = (chat) => isOpen(chat) || Boolean(chat.missed) || isAsked(chat);

/**
 * The conversations of a business.
 *
 * Events: `change`, `attention` (somebody is waiting, has left a message, or has written to this
 * coordinator) and `refused` (the server refused what this coordinator had requested).
 *
 * @extends {Emitter<{change: null, attention: Attention, refused: Refusal}>}
 */
export class ChatList extends Emitter {
  #channel;
  /** @type {Map<string, Chat>} by sessionId */
  #chats = new Map();
  /** @type {Map<string, number>} by sessionId */
  #unread = new Map();
  /** Whether the bridge may have missed messages beyond those that are listed. */
  #hasMoreMissed = false;
  /** @type {Map<string, Answering>} by confirmId */
  #answering = new Map();

  /** @type {Presence} the coordinators who are there */
  presence = { online: 0, coordinators: [] };
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

  /** The conversations in which a message was left, the newest first; the open ones are elsewhere. */
  get missed() {
    const missed = [...this.#chats.values()].filter((chat) => chat.missed && !isOpen(chat));
    return missed.sort((a, b) => missedAt(b).localeCompare(missedAt(a)));
  }

  /** The conversations that need a coordinator's yes, the open questions first, then the newest. */
  get asked() {
    const asked = [...this.#chats.values()].filter(
      (chat) => isAsked(chat) && !isOpen(chat) && !chat.missed,
    );
    const isOver = (/** @type {Chat} */ chat) => Number(chat.confirmation?.state !== "proposed");
    return asked.sort((a, b) => isOver(a) - isOver(b) || askedAt(b).localeCompare(askedAt(a)));
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
    this.#replace(/** @type {Chat} */ (chat));
    this.#changed();
  }

  /**
   * Mark the message that was left as attended to; not a newer one, which nobody has seen.
   *
   * @param {string} sessionId
   */
  async attend(sessionId) {
    const timestamp = this.#chats.get(sessionId)?.missed?.timestamp;
    const chat = await this.#channel.push("attend", { sessionId, timestamp });
    this.#replace(/** @type {Chat} */ (chat));
    this.#changed();
  }

  /**
   * Answer what waits for a yes. The first answer counts, and the chat comes back with it.
   *
   * @param {string} sessionId
   * @param {string} confirmId
   * @param {"yes" | "no"} answer
   */
  async confirm(sessionId, confirmId, answer) {
    this.#setAnswering(confirmId, { isSending: true, error: null });
    try {
      const chat = await this.#channel.push("confirm", { sessionId, confirmId, answer });
      this.#replace(/** @type {Chat} */ (chat));
      this.#setAnswering(confirmId, { isSending: false, error: null });
    } catch (error) {
      if (!(error instanceof PushError)) throw error;
      this.#setAnswering(confirmId, { isSending: false, error });
    }
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
   * @param {string} confirmId
   * @param {Answering} answering
   */
  #setAnswering(confirmId, answering) {
    this.#answering.set(confirmId, answering);
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
  #onJoined({ waiting, live, missed, asked = [], presence, server }) {
    const calledBefore = new Set(
      [...this.waiting, ...this.missed, ...this.asked].map(({ sessionId }) => sessionId),
    );
    const selected = this.selectedChat;
    const all = [...asked, ...missed, ...waiting, ...live];
    this.#chats = new Map(all.map((chat) => [chat.sessionId, chat]));
    this.#hasMoreMissed = missed.length >= MISSED_PAGE;
    this.presence = presence;
    // The open conversation stays in sight although it has ended meanwhile.
    if (selected && !this.#chats.has(selected.sessionId)) {
      const ended = { ...selected, missed: null, confirmation: null };
      this.#put(isOpen(selected) ? { ...ended, status: "ai", coordinatorId: null } : ended);
    }
    this.isServerReachable = server.reachable;
    const questions = asked.filter(({ confirmation }) => confirmation?.state === "proposed");
    const arrived = [...waiting, ...missed, ...questions].find(
      ({ sessionId }) => !calledBefore.has(sessionId),
    );
    if (arrived) this.emit("attention", { sessionId: arrived.sessionId });
    this.#changed();
  }

  /** @param {ChannelMessage} message */
  #onMessage({ event, payload }) {
    if (event === "notification") {
      this.#onNotification(/** @type {Notification} */ (payload));
    } else if (event === "live_message") {
      this.#onLiveMessage(/** @type {WireMessage & {sessionId: string}} */ (payload));
    } else if (event === "presence") {
      this.presence = /** @type {Presence} */ (payload);
    } else if (event === "server") {
      this.isServerReachable = /** @type {{reachable: boolean | null}} */ (payload).reachable;
    }
    this.#changed();
  }

  /** @param {Notification} notification */
  #onNotification({ type, chat, coordinatorId, wished: requestedStatus, reason }) {
    this.#replace(chat);
    this.#removeEnded();
    if (type === "waiting" || type === "missed" || type === "asked")
      this.emit("attention", { sessionId: chat.sessionId });
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

  /**
   * Put a chat in its new state; where that makes room among the missed ones, load the next.
   *
   * @param {Chat} chat
   */
  #replace(chat) {
    const wasMissed = Boolean(this.#chats.get(chat.sessionId)?.missed);
    this.#put(chat);
    if (wasMissed && !chat.missed && this.#hasMoreMissed) this.#loadMissed();
  }

  async #loadMissed() {
    this.#hasMoreMissed = false;
    try {
      const reply = await this.#channel.push("missed", {});
      const { missed } = /** @type {{missed: Chat[]}} */ (reply);
      for (const chat of missed) this.#put(chat);
      this.#hasMoreMissed = missed.length >= MISSED_PAGE;
    } catch (error) {
      if (!(error instanceof PushError)) throw error; // the next join has them
    }
    this.#changed();
  }

  /** @param {Chat} chat */
  #put(chat) {
    this.#chats.set(chat.sessionId, chat);
  }

  #removeEnded() {
    for (const [sessionId, chat] of this.#chats) {
      if (!isListed(chat) && sessionId !== this.selected) this.#chats.delete(sessionId);
    }
  }

  #changed() {
    this.emit("change", null);
  }
}

/** @param {Chat} chat */
const waitingSince = (chat) => chat.waitingSince ?? chat.since;

/** @param {Chat} chat */
const missedAt = (chat) => chat.missed?.timestamp ?? chat.since;

/** @param {Chat} chat */
const askedAt = (chat) => chat.confirmation?.timestamp ?? chat.since;
