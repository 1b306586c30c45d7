/** The view of a conversation: its messages, who owns it, and who is writing. */

import { byId, el, listen, setText } from "../shared/dom.js";
import {
  deliveryMark,
  divider,
  failureNotice,
  firstKey,
  isNearEnd,
  isSameAuthor,
  reconcile,
  scrollToEnd,
  timeElement,
} from "../shared/message-list.js";
import { actionCards } from "./action-cards.js";
import { authorName, ownerText, statusChangeText } from "./texts.js";

/** @import { Conversation, Item, MessageItem } from "../client/conversation.js" */

export class ConversationView {
  /** @type {Conversation | null} */
  #conversation = null;
  #isRenderDue = false;
  #scroller = byId("scroller");
  #onRetry;
  #onAnswer;

  /**
   * @param {(messageId: string) => void} onRetry
   * @param {(confirmId: string, answer: "yes" | "no") => void} onAnswer  to a question for a yes
   */
  constructor(onRetry, onAnswer) {
    this.#onRetry = onRetry;
    this.#onAnswer = onAnswer;
    this.#scroller.addEventListener("scroll", () => this.#updateJump());
    listen("jump", "click", () => this.scrollToEnd());
  }

  /**
   * Show this conversation and its changes.
   *
   * @param {Conversation} conversation
   */
  show(conversation) {
    this.#conversation = conversation;
    conversation.on("change", () => this.#scheduleRender());
    conversation.on("received", announce);
    this.#scheduleRender();
  }

  scrollToEnd() {
    scrollToEnd(this.#scroller);
  }

  /** Render a burst of changes once. */
  #scheduleRender() {
    if (this.#isRenderDue) return;
    this.#isRenderDue = true;
    queueMicrotask(() => {
      this.#isRenderDue = false;
      if (this.#conversation) this.#render(this.#conversation);
    });
  }

  /** @param {Conversation} conversation */
  #render(conversation) {
    const scroller = this.#scroller;
    const wasAtEnd = isNearEnd(scroller);
    const fromEnd = scroller.scrollHeight - scroller.scrollTop;
    const items = conversation.items();
    const grewAbove = this.#renderItems(items, conversation);
    renderOwner(conversation);
    renderTyping(conversation, items);
    byId("earlier").hidden = !conversation.hasEarlier;
    byId("empty").hidden = items.length > 0;
    if (wasAtEnd) this.scrollToEnd();
    // What the reader looks at keeps its place while the log grows above it.
    else if (grewAbove) scroller.scrollTop = scroller.scrollHeight - fromEnd;
    this.#updateJump();
  }

  /**
   * Render the list; return whether it has a new beginning.
   *
   * @param {Item[]} items
   * @param {Conversation} conversation
   */
  #renderItems(items, conversation) {
    const list = byId("log");
    const first = firstKey(list);
    const focused = focusedQuestion();
    reconcile(
      list,
      items.map((item, n) => ({
        key: item.key,
        version: versionOf(item, conversation),
        isGrouped: isGrouped(items[n - 1], item),
        build: () => this.#build(item, conversation),
      })),
    );
    if (focused) keepFocus(list, focused);
    return first !== undefined && items[0]?.key !== first;
  }

  /**
   * @param {Item} item
   * @param {Conversation} conversation
   */
  #build(item, conversation) {
    if (item.kind === "session") return divider("New conversation");
    if (item.kind === "status") {
      return divider(el("span", {}, statusChangeText(item), " ", timeElement(item.at)));
    }
    return el(
      "li",
      { className: "entry", data: { author: item.author, state: item.state, key: item.key } },
      el("span", { className: "author" }, authorName(item)),
      el("div", { className: "bubble", dir: "auto", textContent: item.text }),
      ...actionCards(item.actions, (id) => conversation.question(id), this.#onAnswer),
      this.#footer(item),
    );
  }

  /** @param {MessageItem} item */
  #footer(item) {
    return el(
      "span",
      { className: "meta" },
      item.state === "streaming" ? null : timeElement(item.at),
      item.isFromOtherWindow ? "from another window" : null,
      item.state === "interrupted" ? "interrupted" : null,
      item.author === "user" ? deliveryMark(item.state) : null,
      failureNotice(item, this.#onRetry),
    );
  }

  #updateJump() {
    byId("jump").hidden = isNearEnd(this.#scroller);
  }
}

/**
 * Return what changes when the element of an item must: also with what becomes of its question.
 *
 * @param {Item} item
 * @param {Conversation} conversation
 */
function versionOf(item, conversation) {
  if (item.kind !== "message") return item;
  const asked = item.actions.filter(({ type }) => type === "confirm");
  if (asked.length === 0) return item;
  const questions = asked.map(({ confirmId }) => conversation.question(String(confirmId)));
  const states = questions.map(({ state, error }) => `${state} ${error?.reason ?? ""}`);
  return [item.key, item.state, item.text, ...states].join("\n");
}

/** Return the id of the question whose card has the focus, if one has. */
function focusedQuestion() {
  const card = document.activeElement?.closest("[data-question]");
  return card instanceof HTMLElement ? card.dataset.question : undefined;
}

/**
 * Give the focus back to the card of a question that was built again.
 *
 * @param {HTMLElement} list
 * @param {string} question
 */
function keepFocus(list, question) {
  if (focusedQuestion() === question) return;
  /** @type {NodeListOf<HTMLElement>} */
  const cards = list.querySelectorAll("[data-question]");
  const card = [...cards].find(({ dataset }) => dataset.question === question);
  card?.focus({ preventScroll: true });
}

/**
 * @param {Item | undefined} previous
 * @param {Item} item
 */
function isGrouped(previous, item) {
  return previous?.kind === "message" && item.kind === "message" && isSameAuthor(previous, item);
}

/** @param {Conversation} conversation */
function renderOwner(conversation) {
  const { status } = conversation;
  const { title, detail } = ownerText(conversation);
  const isHandedOver = status === "waiting" || status === "live";
  byId("owner").dataset.status = status;
  setText(byId("owner-title"), title);
  setText(byId("owner-detail"), detail);
  setText(byId("end"), status === "waiting" ? "Cancel request" : "End live chat");
  const [shown, hidden] = isHandedOver ? ["end", "transfer"] : ["transfer", "end"];
  const hadFocus = document.activeElement === byId(hidden);
  byId(shown).hidden = false;
  byId(hidden).hidden = true;
  if (hadFocus) byId(shown).focus();
}

/**
 * @param {Conversation} conversation
 * @param {Item[]} items
 */
function renderTyping({ typing, coordinatorId }, items) {
  const isStreaming = items.some((item) => item.kind === "message" && item.state === "streaming");
  const author = typing.find((name) => name !== "ai" || !isStreaming);
  byId("typing").hidden = author === undefined;
  if (author) {
    const name = authorName({ author, coordinatorId: author === "ai" ? null : coordinatorId });
    setText(byId("typing-text"), `${name} is typing…`);
  }
}

/** @param {MessageItem} item */
function announce(item) {
  setText(byId("announcer"), `${authorName(item)}: ${item.text}`);
}
