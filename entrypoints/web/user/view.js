/** The view of a conversation: what customers see of it, and beside it what developers want to. */

import { queueText } from "../chat/banner.js";
import { morphChildren } from "../chat/dom.js";
import { blocksText, inlineNodes, parseInline, parseMarkdown } from "../chat/markdown.js";
import { rowsOf } from "../chat/messages.js";
import { endOf, Rating } from "../chat/rating.js";
import { Words } from "../chat/texts.js";
import { byId, el, keepingFocus, listen, setText, swap } from "../shared/dom.js";
import { firstKey, isNearEnd, reconcile, scrollToEnd } from "../shared/message-list.js";

/** @import { Conversation, Item, MessageItem, StatusItem } from "../client/conversation.js" */

const ANNOUNCED = 3;

export const WORDS = new Words("en-GB");

export class ConversationView {
  #scroller = byId("scroller");
  /** @type {Conversation | null} */
  #conversation = null;
  #followsEnd = true;
  /** The scroll position of the end, when it was last scrolled to. */
  #endTop = 0;
  #rating = new Rating(WORDS);
  /** @type {string | null} the end after which the user did not want to rate */
  #declined = null;

  constructor() {
    this.#scroller.addEventListener("scroll", () => this.#onScroll());
    // The end stays in sight where the window, or the field below, changes its size.
    new ResizeObserver(() => {
      this.#noteFollowing();
      this.#followEnd();
    }).observe(this.#scroller);
    listen("jump", "click", () => this.scrollToEnd());
    listen("rating", "change", ({ target }) => {
      if (!(target instanceof HTMLInputElement)) return;
      this.#rating.choose(Number(target.value));
      this.#renderRating();
    });
    listen("rating", "submit", (event) => {
      event.preventDefault();
      this.#rate();
    });
  }

  /** @param {Conversation} conversation */
  render(conversation) {
    if (conversation !== this.#conversation) {
      conversation.on("received", announceMessage);
      this.#rating.reset();
    }
    this.#conversation = conversation;
    WORDS.spoken = conversation.language ?? "";
    const scroller = this.#scroller;
    this.#noteFollowing();
    const fromEnd = scroller.scrollHeight - scroller.scrollTop;
    const items = conversation.items();
    const grewAbove = renderItems(items, conversation);
    renderOwner(conversation);
    renderTyping(conversation, items);
    this.#rating.follow(conversation, this.#declined);
    this.#renderRating();
    byId("earlier").hidden = !conversation.hasEarlier;
    byId("empty").hidden = items.length > 0;
    // What the reader looks at keeps its place while the log grows above it.
    if (grewAbove) scroller.scrollTop = scroller.scrollHeight - fromEnd;
    this.#followEnd();
    byId("jump").hidden = isNearEnd(scroller);
  }

  scrollToEnd() {
    this.#followsEnd = true;
    this.#followEnd();
  }

  /** Show what has just been written here. */
  showOwn() {
    this.#rating.reset();
    this.scrollToEnd();
  }

  askForRating() {
    this.#rating.ask();
    this.#renderRating();
  }

  declineRating() {
    this.#declined = this.#conversation && endOf(this.#conversation);
    this.#rating.reset();
    this.#renderRating();
  }

  #onScroll() {
    this.#noteFollowing();
    byId("jump").hidden = isNearEnd(this.#scroller);
  }

  /** Note whether the reader is at the end: a list that shrinks hides it from one who has not moved. */
  #noteFollowing() {
    const isWhereItWas = this.#scroller.scrollTop >= this.#endTop - 1;
    this.#followsEnd = isNearEnd(this.#scroller) || (this.#followsEnd && isWhereItWas);
  }

  #followEnd() {
    if (!this.#followsEnd) return;
    scrollToEnd(this.#scroller);
    this.#endTop = this.#scroller.scrollTop;
  }

  async #rate() {
    const conversation = this.#conversation;
    if (!conversation) return;
    const comment = byId("rating").querySelector("textarea")?.value.trim() ?? "";
    announce(await this.#rating.send(conversation, comment, () => this.#renderRating()));
    this.#renderRating();
  }

  #renderRating() {
    const card = this.#rating.card();
    keepingFocus(() => morphChildren(byId("rating"), card ? [card] : []));
    this.#followEnd();
  }
}

/**
 * Render the list; return whether it has a new beginning.
 *
 * @param {Item[]} items
 * @param {Conversation} conversation
 */
function renderItems(items, conversation) {
  const list = byId("log");
  const first = firstKey(list);
  const byKey = new Map(items.map((item) => [item.key, item]));
  const rows = rowsOf(items, 0, items.length, conversation, WORDS).map((row) => {
    const item = byKey.get(row.key);
    if (!item || item.kind === "session") return row;
    const build = () => {
      const node = row.build();
      (node.querySelector(":scope > .meta") ?? node).append(rawEntry(item));
      return node;
    };
    return { ...row, version: [...row.version, item], build };
  });
  reconcile(list, rows);
  return first !== undefined && rows[0]?.key !== first;
}

/**
 * Create what of an entry is not for customers.
 *
 * @param {MessageItem | StatusItem} item
 */
function rawEntry(item) {
  const { seq } = item;
  const parts =
    item.kind === "status"
      ? [item.status, item.reason]
      : [
          item.state === "stored" ? null : item.state,
          ...item.actions.map(({ type }) => type),
          item.error?.reason,
          item.isFromOtherWindow ? "from another window" : null,
        ];
  const label = [seq === undefined ? null : `#${seq}`, ...parts].filter(Boolean).join(" · ");
  return el(
    "details",
    { className: "raw-entry" },
    el("summary", {}, label),
    el("pre", { tabIndex: 0 }, JSON.stringify(item, null, 2)),
  );
}

/** @param {Conversation} conversation */
function renderOwner(conversation) {
  const { status } = conversation;
  const { texts } = WORDS;
  byId("owner").dataset.status = status;
  setText(byId("owner-title"), ownerText(conversation));
  setText(byId("owner-detail"), status === "waiting" ? queueText(conversation, WORDS) : "");
  setText(byId("end"), status === "waiting" ? texts.cancelRequest : texts.endLiveChat);
  const isHandedOver = status === "waiting" || status === "live";
  swap(isHandedOver ? "end" : "transfer", isHandedOver ? "transfer" : "end");
}

/** @param {Conversation} conversation */
function ownerText({ status, coordinatorId }) {
  const { texts } = WORDS;
  switch (status) {
    case "waiting":
      return texts.waiting;
    case "live":
      return texts.live(WORDS.authorName({ author: "coordinator", coordinatorId }));
    case "closed":
      return texts.closed;
    default:
      return texts.assistant;
  }
}

/**
 * @param {Conversation} conversation
 * @param {Item[]} items
 */
function renderTyping({ typing, coordinatorId }, items) {
  const isStreaming = items.some((item) => item.kind === "message" && item.state === "streaming");
  const author = typing.find((name) => name !== "ai" || !isStreaming);
  byId("typing").hidden = author === undefined;
  if (!author) return;
  setText(byId("typing-text"), WORDS.texts.isTyping(WORDS.authorName({ author, coordinatorId })));
}

/**
 * Show the business's greeting, and the questions that it suggests, in an empty conversation.
 *
 * @param {Conversation} conversation
 * @param {boolean} isActive  whether it is connected, or is going to be
 */
export function renderEmpty({ greeting, suggestions }, isActive) {
  const title = isActive ? greeting || WORDS.texts.greeting : "Start a conversation";
  byId("empty-title").replaceChildren(...inlineNodes(parseInline(title)));
  setText(
    byId("empty-detail"),
    isActive ? "Write a message below." : "Connect, then write the first message.",
  );
  const shown = isActive ? suggestions : [];
  byId("suggestions").hidden = shown.length === 0;
  const button = (/** @type {string} */ text) =>
    el("button", { type: "button", className: "quiet", data: { act: "suggestion", text } }, text);
  morphChildren(byId("suggestions"), shown.map(button));
}

/** @param {MessageItem} item */
function announceMessage(item) {
  announce(`${WORDS.authorName(item)}: ${blocksText(parseMarkdown(item.text))}`);
}

/**
 * Have a screen reader read a text.
 *
 * @param {string} text
 */
function announce(text) {
  const announcer = byId("announcer");
  if (text) announcer.append(el("p", {}, text));
  while (announcer.children.length > ANNOUNCED) announcer.firstElementChild?.remove();
}
