/** The list of messages: a window over them all, which stays where the reader is. */

import { el, setText } from "../shared/dom.js";
import { icon, morph, morphChildren } from "./dom.js";
import { ListWindow } from "./list-window.js";
import { rowsOf } from "./messages.js";

/** @import { Conversation, Item } from "../client/conversation.js" */
/** @import { Row } from "./messages.js" */
/** @import { Words } from "./texts.js" */

const NEAR_END_PX = 60;
const NEAR_EDGE_PX = 600;

export class MessageList {
  #words;
  #loadEarlier;
  #window = new ListWindow();
  /** @type {Conversation | null} */
  #conversation = null;
  /** @type {readonly Item[]} */
  #items = [];
  /** @type {Map<string, {node: HTMLElement, version: unknown[]}>} by the row's key */
  #shown = new Map();
  #followsEnd = true;
  #isLoading = false;
  /** How many messages have come since the reader left the end. */
  #unseen = 0;

  #earlier = el("button", { type: "button", className: "pill", data: { act: "earlier" } });
  #greeting = el("div", { className: "greeting" });
  #list = el("ol", { role: "list" });
  #tail = el("div", { className: "tail" });
  #scroller;
  #jump = el("button", { type: "button", className: "jump pill", data: { act: "newest" } });

  /**
   * @param {Words} words
   * @param {() => Promise<void>} loadEarlier
   */
  constructor(words, loadEarlier) {
    this.#words = words;
    this.#loadEarlier = loadEarlier;
    this.#scroller = el(
      "div",
      { className: "scroller", role: "region", ariaLabel: words.texts.messages, tabIndex: 0 },
      el("div", { className: "content" }, this.#earlier, this.#greeting, this.#list, this.#tail),
    );
    this.#jump.hidden = true;
    this.element = el("div", { className: "messages" }, this.#scroller, this.#jump);
    this.#scroller.addEventListener("scroll", () => this.#onScroll(), { passive: true });
    // The end stays in sight when the field below grows, or the keyboard takes half of the screen.
    this.#observer.observe(this.#scroller);
  }

  #observer = new ResizeObserver(() => {
    if (this.#followsEnd) this.#toEnd();
  });

  dispose() {
    this.#observer.disconnect();
  }

  /**
   * Show a conversation as it is now.
   *
   * @param {Conversation} conversation
   * @param {{greeting: Node[], tail: Node[]}} around  what is before and behind its messages
   */
  render(conversation, { greeting, tail }) {
    if (conversation !== this.#conversation) this.#begin(conversation);
    const items = conversation.items();
    this.#window.update(items, this.#followsEnd);
    this.#items = items;
    this.#keepingPlace(() => {
      this.#renderRows();
      const isAtBeginning = this.#window.isAtStart && !conversation.hasEarlier;
      morphChildren(this.#greeting, /** @type {ChildNode[]} */ (isAtBeginning ? greeting : []));
      morphChildren(this.#tail, /** @type {ChildNode[]} */ (this.#window.isAtEnd ? tail : []));
      this.#earlier.hidden = !conversation.hasEarlier || !this.#window.isAtStart;
      const { earlier, loadingEarlier } = this.#words.texts;
      setText(this.#earlier, this.#isLoading ? loadingEarlier : earlier);
    });
    this.#renderJump();
  }

  /** Count a message that has just come. */
  noteReceived() {
    if (!this.#followsEnd) this.#unseen += 1;
  }

  showNewest() {
    this.#window.end(this.#items);
    this.#renderRows();
    this.#followsEnd = true;
    this.#toEnd();
    this.#renderJump();
  }

  focus() {
    this.#scroller.focus({ preventScroll: true });
  }

  async earlier() {
    if (this.#isLoading || !this.#conversation?.hasEarlier) return;
    this.#isLoading = true;
    setText(this.#earlier, this.#words.texts.loadingEarlier);
    try {
      await this.#loadEarlier();
    } finally {
      this.#isLoading = false;
      setText(this.#earlier, this.#words.texts.earlier);
    }
  }

  /** @param {Conversation} conversation */
  #begin(conversation) {
    this.#conversation = conversation;
    this.#window = new ListWindow();
    this.#followsEnd = true;
    this.#unseen = 0;
    this.#shown.clear();
    this.#list.replaceChildren();
  }

  #renderRows() {
    const { from, to } = this.#window;
    if (!this.#conversation) return;
    const rows = rowsOf(this.#items, from, to, this.#conversation, this.#words);
    const known = this.#shown;
    this.#shown = new Map();
    rows.forEach((row, n) => {
      const node = this.#nodeOf(row, known.get(row.key));
      if (this.#list.children[n] !== node) {
        this.#list.insertBefore(node, this.#list.children[n] ?? null);
      }
    });
    while (this.#list.children.length > rows.length) this.#list.lastElementChild?.remove();
  }

  /**
   * @param {Row} row
   * @param {{node: HTMLElement, version: unknown[]} | undefined} known
   */
  #nodeOf({ key, version, build }, known) {
    const isSame = known?.version.every((value, n) => value === version[n]);
    const node = known?.node ?? build();
    if (known && !(isSame && known.version.length === version.length)) morph(node, build());
    this.#shown.set(key, { node, version });
    return node;
  }

  /**
   * Change the list; what the reader looks at stays where it is.
   *
   * @param {() => void} change
   */
  #keepingPlace(change) {
    const scroller = this.#scroller;
    const top = scroller.getBoundingClientRect().top;
    const anchor = this.#followsEnd
      ? null
      : [...this.#list.children].find((node) => node.getBoundingClientRect().bottom > top);
    const before = anchor?.getBoundingClientRect().top ?? 0;
    change();
    if (this.#followsEnd) this.#toEnd();
    else if (anchor?.isConnected) {
      const moved = anchor.getBoundingClientRect().top - before;
      if (moved !== 0) scroller.scrollTop += moved;
    }
  }

  #onScroll() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    const behind = scrollHeight - scrollTop - clientHeight;
    this.#followsEnd = this.#window.isAtEnd && behind < NEAR_END_PX;
    if (this.#followsEnd) this.#unseen = 0;
    if (scrollTop < NEAR_EDGE_PX) this.#extendUp();
    else if (behind < NEAR_EDGE_PX && !this.#window.isAtEnd) {
      this.#window.later(this.#items);
      this.#keepingPlace(() => this.#renderRows());
    }
    this.#renderJump();
  }

  #extendUp() {
    if (!this.#window.isAtStart) {
      this.#window.earlier(this.#items);
      this.#keepingPlace(() => this.#renderRows());
    } else if (!this.#followsEnd) this.earlier();
  }

  #toEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  #renderJump() {
    const { newest, newMessages } = this.#words.texts;
    this.#jump.hidden = this.#followsEnd;
    this.#jump.ariaLabel = this.#unseen > 0 ? null : newest;
    const text = this.#unseen > 0 ? this.#words.count(newMessages, this.#unseen) : "";
    morphChildren(this.#jump, [el("span", {}, text), icon("down")]);
  }
}
