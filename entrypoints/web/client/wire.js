/** What the server sends of a conversation, and how its entries become items. */

/** @import { Action, LiveChatAddress, LogEntry, MessageItem, StatusItem } from "./conversation.js" */
/** @import { Author, Status } from "./messages.js" */

/**
 * @typedef {object} WireMessage  an entry of `messages[]`
 * @property {"message"} kind
 * @property {number} seq
 * @property {number} [prevSeq]  that of the entry before it, 0: there is none; absent: `seq - 1`
 * @property {string} [messageId]
 * @property {Author} author
 * @property {string} message
 * @property {Action[]} [actions]
 * @property {string} timestamp
 * @property {string[]} [inReplyTo]  the messages that it answers; of none: it is a notice
 * @property {string | null} [coordinatorId]
 */
/**
 * @typedef {object} WireStatus  an entry of `messages[]`
 * @property {"status"} kind
 * @property {number} seq
 * @property {number} [prevSeq]
 * @property {Status} status
 * @property {string | null} reason
 * @property {string | null} [coordinatorId]
 * @property {string} timestamp
 */
/** @typedef {WireMessage | WireStatus} WireEntry */
/**
 * @typedef {object} JoinReply
 * @property {string | null} sessionId
 * @property {Status} status
 * @property {number} seq
 * @property {WireEntry[]} messages
 * @property {LiveChatAddress | null} [liveChat]
 * @property {string} [greeting]
 * @property {string[]} [suggestions]
 * @property {number | null} [rating]
 * @property {string} [tokenExpiresAt]
 * @property {{name: string, colour?: string, logo?: string}} [business]  `logo`: a path
 */
/** @typedef {{messages: WireEntry[], more: boolean}} HistoryReply */
/**
 * @typedef {object} Acknowledgement
 * @property {number} seq
 * @property {string} sessionId
 * @property {Status} status
 * @property {boolean} duplicate
 */
/**
 * @typedef {object} Ownership  who owns the conversation, as of `seq`
 * @property {number} seq
 * @property {Status} status
 * @property {string | null} [reason]
 * @property {string | null} [coordinatorId]
 * @property {LiveChatAddress | null} [liveChat]
 */
/** @typedef {Omit<WireMessage, "kind" | "author"> & {sessionId: string}} MessagePush */
/** @typedef {MessagePush & {responseId: string, author?: Author}} AnswerPush */
/** @typedef {Ownership & {prevSeq?: number, sessionId: string, updatedAt: string}} StatusPush */
/** @typedef {{author: Author, expiresInMs: number}} TypingPush */
/** @typedef {{responseId: string, index: number, text: string}} DeltaPush */

// Changes of a request for a human on its way to the bridge, not of the conversation's owner.
const DELIVERY_REASONS = ["delivered", "undeliverable"];

/**
 * @param {Omit<MessageItem, "kind" | "actions">} message
 * @returns {MessageItem}
 */
export const messageItem = (message) => ({ kind: "message", actions: [], ...message });

/**
 * Return whether an entry of the log has a place on the page: what a delivery means for the user,
 * a notice says.
 *
 * @param {MessageItem | StatusItem} item
 */
export const isShown = (item) =>
  item.kind !== "status" || !DELIVERY_REASONS.includes(item.reason ?? "");

/**
 * Return an entry from the wire as an item.
 *
 * @param {WireEntry} entry
 * @param {string} sessionId
 * @returns {LogEntry}
 */
export function toItem(entry, sessionId) {
  const { seq, prevSeq = seq - 1, timestamp: at } = entry;
  const key = `${sessionId} ${seq}`;
  if (entry.kind === "status") {
    const { status, reason, coordinatorId } = entry;
    return { key, kind: "status", status, reason, coordinatorId, at, seq, prevSeq };
  }
  const { messageId = key, author, message: text, actions = [], coordinatorId } = entry;
  const item = messageItem({ key: messageId, author, text, at, coordinatorId, state: "stored" });
  return { ...item, actions, isAnswer: (entry.inReplyTo?.length ?? 0) > 0, seq, prevSeq };
}
