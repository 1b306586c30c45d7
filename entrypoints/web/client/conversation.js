/**
 * The model of one user's conversation: its log by seq, what is being sent, and who owns it.
 *
 * It does not touch the page. The log has neither gaps nor duplicates: entries from joins, pages of
 * history, pushes and acknowledgements are merged by seq, and where the one before an entry is
 * missing, the server is asked for it.
 */

import { Emitter } from "./emitter.js";
import { newId, TypingThrottle, undelivered } from "./messages.js";
import { PushError, toWellFormed } from "./phoenix.js";
import { SessionLog } from "./session-log.js";
import { isShown, messageItem, toItem } from "./wire.js";

/** @import { Author, Message, Status } from "./messages.js" */
/** @import { PhoenixChannel } from "./phoenix.js" */
/**
 * @import {
 *   Acknowledgement, AnswerPush, DeltaPush, HistoryReply, JoinReply, MessagePush, Ownership,
 *   StatusPush, TypingPush, WireEntry,
 * } from "./wire.js"
 */

/**
 * @typedef {object} Identity
 * @property {string} businessId
 * @property {string} userId  empty until it is known
 * @property {string} locationId
 */
/**
 * @typedef {object} UnsentMessage
 * @property {string} messageId
 * @property {string} text
 * @property {string} [at]  ISO 8601
 * @property {string} [reason]  why it failed; absent: it is sent once there is a connection
 */
/** @typedef {{url: string, topic: string}} LiveChatAddress */
/** @typedef {{type: string, [name: string]: unknown}} Action */
/**
 * @typedef {Message & {
 *   kind: "message",
 *   actions: Action[],
 *   isAnswer?: boolean,
 *   seq?: number,
 *   prevSeq?: number,
 *   isFromOtherWindow?: boolean,
 * }} MessageItem
 */
/**
 * @typedef {object} StatusItem
 * @property {string} key
 * @property {"status"} kind
 * @property {Status} status
 * @property {string | null} reason
 * @property {string | null} [coordinatorId]
 * @property {string} at
 * @property {number} seq
 * @property {number} prevSeq
 */
/** @typedef {{key: string, kind: "session"}} SessionItem  where a new session begins */
/** @typedef {"expired" | "withdrawn" | "done" | "failed" | "unknown"} QuestionEnd */
/** @typedef {"open" | "sending" | "approved" | "rejected" | QuestionEnd} QuestionState */
/** @typedef {{state: QuestionState, error?: PushError | null}} Question  one for a yes */
/** @typedef {MessageItem | StatusItem | SessionItem} Item */
/** @typedef {(MessageItem | StatusItem) & {seq: number, prevSeq: number}} LogEntry */
/**
 * @typedef {object} PartialAnswer  an answer that is being written, or was when it was interrupted
 * @property {MessageItem} item
 * @property {number | null} nextIndex  that of the piece that follows; null: the answer must begin
 *   anew, as a new join counts its pieces from 0
 * @property {number} afterSeq  the newest seq when it began, or was interrupted
 */
/** @typedef {{place: number, waitS: number | null}} QueuePush */

const PAGE_SIZE = 50;
// An entry that is still on its way mostly closes its gap by itself.
const GAP_DELAY_MS = 250;
// A running turn sends pieces or signs of typing more often.
const PIECE_TIMEOUT_MS = 6_000;

/**
 * A user's conversation.
 *
 * Events: `change` (read the fields and `items()` again) and `received` (a message that somebody
 * else wrote since the first join).
 *
 * @extends {Emitter<{change: null, received: MessageItem}>}
 */
export class Conversation extends Emitter {
  /** @type {PhoenixChannel | null} */
  #channel = null;
  /** @type {PhoenixChannel | null} the bridge's, while the user's messages go over it */
  #directChannel = null;
  /** @type {SessionLog[]} oldest first */
  #logs = [];
  /** @type {Item[] | null} what of the logs is shown; null: it has changed */
  #shown = null;
  /** @type {Map<string, MessageItem>} by messageId: not in the log yet */
  #outgoing = new Map();
  /** @type {PartialAnswer | null} */
  #partialAnswer = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #pieceTimer;
  /** @type {Map<Author, ReturnType<typeof setTimeout>>} who is writing, until the timer expires */
  #typing = new Map();
  #typingThrottle = new TypingThrottle();
  #ownershipSeq = 0;
  #isFetchingMissing = false;
  #isHeld = false;
  /** @type {Map<string, {state: QuestionState, seq: number}>} by confirmId: what the log says */
  #outcomes = new Map();
  /** @type {Map<string, Question>} by confirmId: what has become of the answers from this window */
  #answers = new Map();
  /** @type {{confirmId: string, sessionId: string, seq: number} | null} the newest question */
  #newestQuestion = null;

  /** @type {Status} */
  status = "ai";
  /** @type {string | null} */
  reason = null;
  /** @type {string | null} */
  coordinatorId = null;
  /** @type {LiveChatAddress | null} */
  liveChat = null;
  /** @type {QueuePush | null} the place among those who wait; null: it is not known */
  queue = null;
  /** What the business says before anybody has written. */
  greeting = "";
  /** @type {string[]} questions that can be sent with one touch */
  suggestions = [];
  /** How the user has rated the session that is shown, from 1 to 5. */
  rating = /** @type {number | null} */ (null);
  #ratingSeq = 0;
  #hasRated = false;

  /**
   * @internal
   * @param {Identity} identity
   * @param {string} [language]  the user's, until they have shown one (BCP 47)
   */
  constructor(identity, language) {
    super();
    this.identity = identity;
    this.language = language;
  }

  /**
   * Use this channel of the server's.
   *
   * @internal
   * @param {PhoenixChannel} channel
   */
  attach(channel) {
    this.#channel = channel;
    channel.on("message", ({ event, payload }) => this.#onEvent(event, payload));
    channel.on("state", (state) => {
      if (state.name === "joined") this.#onJoined(/** @type {JoinReply} */ (state.response));
      else this.#onDisconnected();
    });
  }

  /**
   * Send the user's messages over the bridge's own channel; null: over the server's again.
   *
   * The server still pushes every message, under the same id: it is shown once.
   *
   * @internal
   * @param {PhoenixChannel | null} channel
   */
  useDirectChannel(channel) {
    this.#directChannel = channel;
    channel?.on("message", ({ event, payload }) => {
      if (channel === this.#directChannel) this.#onDirectEvent(event, payload);
    });
    channel?.on("state", (state) => {
      if (state.name === "joined") this.#sendQueued();
    });
    this.#sendQueued();
  }

  /**
   * Return the payload of a join that resumes where the log ends.
   *
   * @internal
   * @param {string} [token]
   */
  joinPayload(token) {
    const log = this.#current;
    const resume = log ? { sessionId: log.sessionId, lastSeq: log.completeSeq } : {};
    const { language } = this;
    return {
      ...this.identity,
      ...(token && { token }),
      ...(language && { language }),
      stream: true,
      ...resume,
    };
  }

  get #current() {
    return this.#logs.at(-1);
  }

  get sessionId() {
    return this.#current?.sessionId ?? null;
  }

  get lastSeq() {
    return this.#current?.completeSeq ?? 0;
  }

  get hasEarlier() {
    return (this.#current?.earlierSeq ?? 0) > 0;
  }

  /** The authors who are writing at the moment. */
  get typing() {
    return [...this.#typing.keys()];
  }

  /** Whether the AI is answering, as far as is known. */
  get isAnswering() {
    const isWriting = this.#partialAnswer?.item.state === "streaming";
    return this.status === "ai" && (isWriting || this.#typing.has("ai"));
  }

  /** Whether somebody's answer is awaited, a message is unsent, or a question is open. */
  get isBusy() {
    const isUnsent = [...this.#outgoing.values()].some(({ state }) => state !== "failed");
    const asked = this.#newestQuestion && this.question(this.#newestQuestion.confirmId).state;
    const isAsked = asked === "open" || asked === "sending";
    const isHandedOver = this.status === "waiting" || this.status === "live";
    return isHandedOver || this.isAnswering || isUnsent || isAsked;
  }

  /** How many items there are to show. */
  get length() {
    const { head, tail } = this.#parts;
    return head + tail.length;
  }

  /**
   * Return what there is to show, oldest first, or a part of it as `Array.prototype.slice` would.
   *
   * @param {number} [start]  negative: counted from the end
   * @param {number} [end]
   * @returns {Item[]}
   */
  items(start = 0, end = Infinity) {
    const { shown, head, tail } = this.#parts;
    const length = head + tail.length;
    const from = Math.max(start < 0 ? length + start : start, 0);
    const to = Math.max(end < 0 ? length + end : Math.min(end, length), 0);
    const late = tail.slice(Math.max(from - head, 0), Math.max(to - head, 0));
    return from < head ? [...shown.slice(from, Math.min(to, head)), ...late] : late;
  }

  /** What is shown: the first `head` of the logs' items, and what follows them. */
  get #parts() {
    const shown = (this.#shown ??= this.#logs.flatMap(({ sessionId, entries }, n) => {
      const entriesShown = /** @type {Item[]} */ (entries.filter(isShown));
      return n > 0
        ? [{ key: `session ${sessionId}`, kind: "session" }, ...entriesShown]
        : entriesShown;
    }));
    const partial = this.#partialAnswer;
    let head = shown.length;
    /** @type {Item[]} */
    const tail = [];
    if (partial?.item.state === "interrupted") {
      const isBefore = (/** @type {Item} */ item) =>
        "seq" in item && (item.seq ?? 0) <= partial.afterSeq;
      head = shown.findLastIndex(isBefore) + 1;
      tail.push(partial.item, ...shown.slice(head));
    }
    tail.push(...this.#outgoing.values());
    if (partial?.item.state === "streaming") tail.push(partial.item);
    return { shown, head, tail };
  }

  /** @param {string} typed */
  send(typed) {
    const key = newId();
    const text = toWellFormed(typed);
    const at = new Date().toISOString();
    this.#outgoing.set(key, messageItem({ key, author: "user", text, at, state: "queued" }));
    this.#transmit(key);
  }

  /**
   * The user's messages that are not acknowledged.
   *
   * @returns {UnsentMessage[]}
   */
  get unsent() {
    const own = [...this.#outgoing.values()].filter(({ author }) => author === "user");
    return own
      .filter(({ state }) => state !== "stored")
      .map(({ key: messageId, text, at, state, error }) => {
        const reason = state === "failed" ? (error?.reason ?? "unknown") : undefined;
        return { messageId, text, at, reason };
      });
  }

  /**
   * Go on sending what was not acknowledged before a reload, or in another tab.
   *
   * @internal
   * @param {UnsentMessage[]} messages
   */
  restore(messages) {
    for (const { messageId: key, text, at, reason } of messages) {
      if (this.#isKnown(key)) continue;
      /** @type {Partial<MessageItem>} */
      const state = reason
        ? { state: "failed", error: new PushError(reason) }
        : { state: "queued" };
      const item = messageItem({ key, author: "user", text, at, state: "queued" });
      this.#outgoing.set(key, { ...item, ...state });
    }
    this.#sendQueued();
    this.#changed();
  }

  /**
   * Resend a failed message under the same id.
   *
   * @param {string} messageId
   */
  retry(messageId) {
    this.#transmit(messageId);
  }

  /**
   * Request a live chat.
   *
   * @param {string} [text]  a message to go with it
   */
  async transfer(text) {
    const payload = { ...this.identity, ...(text && { message: text }) };
    const reply = await this.#push("transfer_to_live_chat", payload);
    const { liveChat } = /** @type {{liveChat?: LiveChatAddress | null}} */ (reply);
    this.liveChat = liveChat ?? this.liveChat;
    this.#changed();
  }

  /**
   * Return what has become of a question for a yes.
   *
   * @param {string} confirmId
   * @returns {Question}
   */
  question(confirmId) {
    const outcome = this.#outcomes.get(confirmId);
    if (outcome) return { state: outcome.state };
    const isNewest = this.#newestQuestion?.confirmId === confirmId;
    const isCurrent = isNewest && this.#newestQuestion?.sessionId === this.sessionId;
    if (!isCurrent || this.status !== "ai") return { state: "withdrawn" };
    return this.#answers.get(confirmId) ?? { state: "open" };
  }

  /**
   * Answer a question for a yes; the first answer counts, wherever it was given.
   *
   * @param {string} confirmId
   * @param {"yes" | "no"} answer
   */
  async confirm(confirmId, answer) {
    this.#setAnswer(confirmId, { state: "sending" });
    try {
      const reply = await this.#push("confirm_action", { confirmId, answer });
      const counts = /** @type {{answer: "yes" | "no"}} */ (reply).answer;
      this.#setAnswer(confirmId, { state: counts === "yes" ? "approved" : "rejected" });
    } catch (error) {
      if (!(error instanceof PushError)) throw error;
      const { reason } = error;
      const isOver = reason === "expired" || reason === "withdrawn";
      this.#setAnswer(confirmId, isOver ? { state: reason } : { state: "open", error });
    }
  }

  /**
   * @param {string} confirmId
   * @param {Question} answer
   */
  #setAnswer(confirmId, answer) {
    this.#answers.set(confirmId, answer);
    this.#changed();
  }

  async endLiveChat() {
    await this.#push("end_live_chat", {});
  }

  /**
   * Rate the conversation, also after its end; the newest rating counts.
   *
   * @param {number} rating  from 1 to 5
   * @param {string} [comment]
   */
  async rate(rating, comment) {
    const { sessionId } = this;
    const words = comment && toWellFormed(comment);
    this.#hasRated = true;
    await this.#push("rate_conversation", {
      rating,
      ...(words && { comment: words }),
      ...(sessionId && { sessionId }),
    });
    if (sessionId === this.sessionId) this.rating = rating;
    this.#changed();
  }

  /** Stop the answer that is being written; what was written of it is stored. */
  async stopAnswer() {
    const { responseId } = /** @type {{responseId?: string}} */ (
      await this.#push("stop_answer", {})
    );
    if (responseId) return;
    // Nobody was writing it any more.
    this.#stopTyping("ai");
    this.#interruptAnswer();
    this.#changed();
  }

  async loadEarlier() {
    const log = this.#current;
    if (!log) return;
    const { messages, more } = await this.#history({ beforeSeq: log.earlierSeq + 1 });
    this.#addAll(log, messages, false);
    if (!more) log.earlierSeq = 0;
    this.#changed();
  }

  /** Notify the coordinator that the user is writing. */
  notifyTyping() {
    if (this.status !== "live" || !this.#typingThrottle.admit()) return;
    if (this.#directChannel) this.#directChannel.notify("typing", { author: "user" });
    else this.#channel?.notify("typing", {});
  }

  /**
   * Whether nothing is sent for now, as if there were no connection.
   *
   * @internal
   */
  set isHeld(/** @type {boolean} */ isHeld) {
    if (isHeld === this.#isHeld) return;
    this.#isHeld = isHeld;
    if (isHeld) return;
    this.#fetchMissing();
    this.#sendQueued();
  }

  /**
   * @param {string} event
   * @param {object} payload
   */
  async #push(event, payload) {
    if (!this.#channel || this.#isHeld) throw new PushError("disconnected");
    return this.#channel.push(event, payload);
  }

  /**
   * @param {{beforeSeq: number} | {afterSeq: number}} range
   * @returns {Promise<HistoryReply>}
   */
  async #history(range) {
    const reply = await this.#push("history", { ...range, limit: PAGE_SIZE });
    return /** @type {HistoryReply} */ (reply);
  }

  /** @param {JoinReply} reply */
  #onJoined({ sessionId, status, seq, messages, liveChat, greeting, suggestions, rating }) {
    this.greeting = greeting ?? "";
    this.suggestions = suggestions ?? [];
    if (sessionId !== this.sessionId) this.#endPartialAnswer();
    if (sessionId) {
      const areNew = this.#current !== undefined;
      const log = this.#logOf(sessionId, (messages[0]?.seq ?? seq + 1) - 1);
      this.#addAll(log, messages, areNew);
      log.headSeq = Math.max(log.headSeq, seq);
    }
    if (rating !== undefined) this.rating = rating;
    this.#ownershipSeq = 0; // the reply is newer than any push before it
    this.#setOwnership({ ...this.#changeTo(status), seq, status, liveChat });
    if (this.#partialAnswer) {
      this.#partialAnswer.nextIndex = null;
      this.#awaitPiece();
    }
    this.#fetchMissing();
    this.#sendQueued();
    this.#changed();
  }

  #sendQueued() {
    for (const [messageId, item] of this.#outgoing) {
      if (item.state === "queued") this.#transmit(messageId);
    }
  }

  /**
   * Handle an event of the bridge's channel. Messages without an id, and the user's own, come from
   * the server alone.
   *
   * @param {string} event
   * @param {unknown} payload
   */
  #onDirectEvent(event, payload) {
    if (event === "typing") {
      const typing = /** @type {TypingPush} */ (payload);
      if (typing.author === "coordinator") this.#onEvent(event, typing);
    }
    if (event !== "agent_message") return;
    const { messageId, message, timestamp, coordinatorId } = /** @type {MessagePush} */ (payload);
    if (!messageId || this.#isKnown(messageId)) return;
    this.#stopTyping("coordinator");
    const item = messageItem({
      key: messageId,
      author: "coordinator",
      text: message,
      at: timestamp,
      coordinatorId,
      state: "stored",
    });
    this.#outgoing.set(messageId, item);
    this.emit("received", item);
    this.#changed();
  }

  /** @param {string} key */
  #isKnown(key) {
    return this.#outgoing.has(key) || this.#current?.has(key);
  }

  /**
   * Return the reason for the status, and whose it is, if the log that is here has the change; of a
   * longer one, who has written last.
   *
   * @param {Status} status
   */
  #changeTo(status) {
    const entries = this.#current?.entries ?? [];
    const change = entries.findLast((entry) => entry.kind === "status");
    if (change?.kind === "status" && change.status === status) {
      return { reason: change.reason, coordinatorId: change.coordinatorId };
    }
    if (status !== "live") return {};
    const heard = entries.findLast((entry) => entry.kind === "message" && entry.coordinatorId);
    return { coordinatorId: heard?.coordinatorId };
  }

  /**
   * @param {string} event
   * @param {unknown} payload
   */
  #onEvent(event, payload) {
    switch (event) {
      case "new_message":
        this.#onAnswer(/** @type {AnswerPush} */ (payload));
        break;
      case "agent_message":
        this.#stopTyping("coordinator");
        this.#addPushed(/** @type {MessagePush} */ (payload), "coordinator");
        break;
      case "user_message":
        this.#addPushed(/** @type {MessagePush} */ (payload), "user");
        break;
      case "conversation_status":
        this.#onStatus(/** @type {StatusPush} */ (payload));
        break;
      case "queue":
        if (this.status === "waiting") this.queue = /** @type {QueuePush} */ (payload);
        break;
      case "typing":
        this.#onTyping(/** @type {TypingPush} */ (payload));
        break;
      case "message_delta":
        this.#onDelta(/** @type {DeltaPush} */ (payload));
        break;
    }
    this.#changed();
  }

  /** @param {AnswerPush} push */
  #onAnswer(push) {
    const { author = push.inReplyTo?.length ? "ai" : "system" } = push;
    if (author === "ai") this.#stopTyping("ai");
    this.#addPushed({ ...push, messageId: push.responseId }, author);
  }

  /** @param {StatusPush} push */
  #onStatus(push) {
    const { sessionId, updatedAt: timestamp, reason = null } = push;
    this.#addNew(sessionId, { ...push, kind: "status", reason, timestamp });
    if (sessionId === this.sessionId) this.#setOwnership(push); // else of an earlier session
  }

  /** @param {TypingPush} push */
  #onTyping({ author, expiresInMs }) {
    if (author === "ai" && this.#partialAnswer?.item.state === "streaming") {
      this.#awaitPiece(expiresInMs);
    }
    clearTimeout(this.#typing.get(author));
    const expire = () => {
      this.#stopTyping(author);
      this.#changed();
    };
    this.#typing.set(author, setTimeout(expire, expiresInMs));
  }

  /** @param {DeltaPush} push */
  #onDelta({ responseId, index, text }) {
    if (this.status !== "ai") return; // late, of an answer that will not be finished
    const known = this.#partialAnswer;
    const isBeginning = index === 0 && !this.#isKnown(responseId);
    const isNext = known?.item.key === responseId && known.nextIndex === index;
    if (!isBeginning && !isNext) return; // the final answer has the whole text
    const written = isNext ? known.item.text + text : text;
    this.#partialAnswer = {
      item: messageItem({ key: responseId, author: "ai", text: written, state: "streaming" }),
      nextIndex: index + 1,
      afterSeq: this.#current?.headSeq ?? 0,
    };
    this.#awaitPiece();
  }

  /** Wait for the next piece of the answer, or a sign of typing; without either it has ended. */
  #awaitPiece(timeoutMs = PIECE_TIMEOUT_MS) {
    clearTimeout(this.#pieceTimer);
    this.#pieceTimer = setTimeout(() => {
      this.#interruptAnswer();
      this.#changed();
    }, timeoutMs);
  }

  /** Keep what was written of the answer where it is: another one may come in its place. */
  #interruptAnswer() {
    clearTimeout(this.#pieceTimer);
    const partial = this.#partialAnswer;
    if (partial?.item.state !== "streaming") return;
    partial.item = { ...partial.item, state: "interrupted" };
    partial.afterSeq = this.#current?.headSeq ?? 0;
  }

  #endPartialAnswer() {
    clearTimeout(this.#pieceTimer);
    this.#partialAnswer = null;
  }

  /**
   * @param {MessagePush} push
   * @param {Author} author
   */
  #addPushed(push, author) {
    const isOwn = this.#outgoing.has(push.messageId ?? "");
    this.#addNew(push.sessionId, { ...push, kind: "message", author }, isOwn);
  }

  /** @param {LogEntry} item */
  #announce(item) {
    if (item.kind === "message" && item.author !== "user") this.emit("received", item);
  }

  /**
   * Add an entry that was pushed.
   *
   * @param {string} sessionId
   * @param {WireEntry} entry
   * @param {boolean} isOwn  whether it was sent from this window
   */
  #addNew(sessionId, entry, isOwn = false) {
    const log = this.#logOf(sessionId, 0);
    const item = toItem(entry, sessionId);
    if (item.kind === "message" && item.author === "user") {
      item.isFromOtherWindow = !isOwn && !this.#isAnsweredHere(item);
    }
    if (this.#add(log, item)) this.#announce(item);
    this.#fetchMissingLater(log);
  }

  /**
   * Return whether a message is an answer or a rating that was given here by a button.
   *
   * @param {MessageItem} item
   */
  #isAnsweredHere({ actions }) {
    return actions.some(
      ({ type, confirmId }) =>
        (type === "confirmation" && this.#answers.has(String(confirmId))) ||
        (type === "rating" && this.#hasRated),
    );
  }

  /**
   * Return the log of a session; a new one becomes the current one.
   *
   * @param {string} sessionId
   * @param {number} startsAfter
   */
  #logOf(sessionId, startsAfter) {
    let log = this.#logs.find((known) => known.sessionId === sessionId);
    if (!log) {
      log = new SessionLog(sessionId, startsAfter);
      this.#logs.push(log);
      this.#shown = null;
      // What was interrupted in the session before is not finished in this one.
      if (this.#partialAnswer?.item.state === "interrupted") this.#endPartialAnswer();
      if (this.#partialAnswer) this.#partialAnswer.afterSeq = 0;
      this.rating = null;
      this.#ratingSeq = 0;
      this.#ownershipSeq = 0;
      this.#setOwnership({ seq: 0, status: "ai" }); // every session begins with the AI
    }
    return log;
  }

  /**
   * @param {SessionLog} log
   * @param {WireEntry[]} entries
   * @param {boolean} areNew  whether they were written since the first join
   */
  #addAll(log, entries, areNew) {
    for (const entry of entries) {
      const item = toItem(entry, log.sessionId);
      if (this.#add(log, item) && areNew) this.#announce(item);
    }
  }

  /**
   * Add an entry; return whether it was not shown before.
   *
   * @param {SessionLog} log
   * @param {LogEntry} item
   */
  #add(log, item) {
    const wasShown = this.#outgoing.delete(item.key);
    const partial = this.#partialAnswer;
    const isAnswer = item.kind === "message" && item.isAnswer;
    const isWhole = item.key === partial?.item.key; // also of one that answers no message
    if (partial && (isWhole || (isAnswer && item.seq > partial.afterSeq))) this.#endPartialAnswer();
    if (item.kind === "message") this.#noteActions(item, log.sessionId);
    const isNewest = log === this.#current && item.seq > log.headSeq;
    const isNew = log.add(item);
    if (!isNewest) this.#shown = null;
    else if (isShown(item)) this.#shown?.push(item);
    return isNew && !wasShown;
  }

  /**
   * Note the questions for a yes that a message puts, what it says has become of others, and how
   * it rates the conversation.
   *
   * @param {MessageItem & {seq: number}} item
   * @param {string} sessionId
   */
  #noteActions({ actions, seq }, sessionId) {
    for (const { type, confirmId: id, state, rating } of actions) {
      if (type === "rating" && sessionId === this.sessionId && seq > this.#ratingSeq) {
        this.rating = Number(rating);
        this.#ratingSeq = seq;
      }
      const confirmId = String(id);
      if (type === "confirmation" && seq > (this.#outcomes.get(confirmId)?.seq ?? 0)) {
        this.#outcomes.set(confirmId, { state: /** @type {QuestionState} */ (state), seq });
      }
      const newest = this.#newestQuestion;
      const isNewer = newest?.sessionId !== sessionId || seq > newest.seq;
      if (type === "confirm" && isNewer && sessionId === this.sessionId) {
        this.#newestQuestion = { confirmId, sessionId, seq };
      }
    }
  }

  /** @param {SessionLog | undefined} log */
  #fetchMissingLater(log) {
    if (log?.hasGap) setTimeout(() => this.#fetchMissing(), GAP_DELAY_MS);
  }

  /** Fetch what is missing, page by page, one request at a time. */
  async #fetchMissing() {
    if (this.#isFetchingMissing) return;
    this.#isFetchingMissing = true;
    try {
      while (this.#current?.hasGap) await this.#fetchPage(this.#current);
    } catch (error) {
      if (!(error instanceof PushError)) throw error; // the next join fetches it
    } finally {
      this.#isFetchingMissing = false;
    }
  }

  /** @param {SessionLog} log */
  async #fetchPage(log) {
    const { completeSeq, headSeq } = log;
    const { messages, more } = await this.#history({ afterSeq: completeSeq });
    this.#addAll(log, messages, true);
    // The server has no more than this; what was pushed meanwhile may still have gaps.
    if (!more || log.completeSeq === completeSeq) log.markComplete(headSeq);
    this.#changed();
  }

  /** @param {string} messageId */
  async #transmit(messageId) {
    const item = this.#outgoing.get(messageId);
    if (!item) return;
    const { text: message, at: timestamp } = item;
    this.#updateOutgoing(messageId, { state: "sending", error: null });
    try {
      if (this.#directChannel) {
        await this.#directChannel.push("user_message", { message, messageId, timestamp });
        this.#updateOutgoing(messageId, { state: "stored" });
      } else {
        const payload = { ...this.identity, message, messageId };
        const reply = await this.#push("new_message", payload);
        this.#onAcknowledged(messageId, /** @type {Acknowledgement} */ (reply));
      }
    } catch (error) {
      if (!(error instanceof PushError)) throw error;
      this.#updateOutgoing(messageId, undelivered(error, item.losses));
    }
  }

  /**
   * @param {string} messageId
   * @param {Acknowledgement} acknowledgement
   */
  #onAcknowledged(messageId, { seq, sessionId, status, duplicate }) {
    const item = this.#outgoing.get(messageId);
    if (!item) return; // it has come with a join or a page of history
    const known = this.#logs.find((log) => log.sessionId === sessionId);
    if (duplicate && this.#current && (!known || seq <= known.earlierSeq)) {
      this.#outgoing.delete(messageId); // it is further back than what is shown
      this.#changed();
      return;
    }
    const prevSeq = seq - 1; // an acknowledgement names none: if it is another, it is fetched
    this.#add(this.#logOf(sessionId, 0), { ...item, seq, prevSeq, state: "stored" });
    if (!duplicate) this.#setOwnership({ seq, status });
    this.#fetchMissingLater(this.#current);
    this.#changed();
  }

  /**
   * Note who owns the conversation, unless something newer is known.
   *
   * @param {Ownership} ownership
   */
  #setOwnership({ seq, status, reason, coordinatorId, liveChat }) {
    if (seq < this.#ownershipSeq) return;
    this.#ownershipSeq = seq;
    const isChange = status !== this.status;
    this.reason = reason ?? (isChange ? null : this.reason);
    this.coordinatorId = coordinatorId ?? (isChange ? null : this.coordinatorId);
    this.status = status;
    if (isChange) this.queue = null;
    const isHandedOver = status === "waiting" || status === "live";
    this.liveChat = isHandedOver ? (liveChat ?? this.liveChat) : null;
    if (status === "ai") return;
    // An unfinished answer of the AI will not be finished.
    this.#endPartialAnswer();
    this.#stopTyping("ai");
  }

  /**
   * @param {string} messageId
   * @param {Partial<MessageItem>} change
   */
  #updateOutgoing(messageId, change) {
    const item = this.#outgoing.get(messageId);
    if (item) this.#outgoing.set(messageId, { ...item, ...change });
    this.#changed();
  }

  /** Without a connection it is not known who is writing, nor whether an answer has ended. */
  #onDisconnected() {
    for (const author of this.typing) this.#stopTyping(author);
    clearTimeout(this.#pieceTimer);
    this.#changed();
  }

  /** @param {Author} author */
  #stopTyping(author) {
    clearTimeout(this.#typing.get(author));
    this.#typing.delete(author);
  }

  #changed() {
    this.emit("change", null);
  }
}
