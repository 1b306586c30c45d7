/** The list of messages: a window over them all, which stays where the reader is. */

import { el, setText } from "../shared/dom.js";
import { icon, morph, morphChildren } from "./dom.js";
import { ListWindow } from "./list-window.js";

/** @import { Row } from "./messages.js" */
/** @import { Words } from "./texts.js" */

const NEAR_END_PX = 60;
const NEAR_EDGE_PX = 600;
/** A row of which less can be seen does not count as seen. */
const SLIVER_PX = 4;

/**
 * @template {{key: string}} Item
 * @template {{items: () => readonly Item[], hasEarlier: boolean}} Conversation
 */
export class MessageList {
  #words;
  #options;
  #window = new ListWindow();
  /** @type {Conversation | null} */
  #conversation = null;
  /** @type {readonly Item[]} */
  #items = [];
  /** @type {Map<string, {node: HTMLElement, version: unknown[]}>} by the row's key */
  #shown = new Map();
  #followsEnd = true;
  #isLoading = false;
  /** Whether earlier messages are loaded at the top, or only once they are asked for. */
  #loadsByItself = true;
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
   * @param {object} options
   * @param {(items: readonly Item[], from: number, to: number, conversation: Conversation) => Row[]}
   *   options.rows  returns the rows of a part of the items
   * @param {() => ChildNode[]} options.greeting  what is before the first message
   * @param {() => ChildNode[]} options.tail  what is behind the last one
   * @param {() => Promise<boolean>} options.loadEarlier  returns whether that went well
   */
  constructor(words, options) {
    this.#words = words;
    this.#options = options;
    this.#scroller = el(
      "div",
      { className: "scroller", role: "region", ariaLabel: words.texts.messages, tabIndex: 0 },
      el("div", { className: "content" }, this.#earlier, this.#greeting, this.#list, this.#tail),
    );
    this.#jump.hidden = true;
    this.element = el("div", { className: "messages" }, this.#scroller, this.#jump);
    this.#scroller.addEventListener("scroll", () => this.#onScroll(), { passive: true });
    // The end stays in sight when the field below grows, or the keyboard takes half of the screen.
    new ResizeObserver(() => this.#followsEnd && this.#toEnd()).observe(this.#scroller);
  }

  /**
   * Show a conversation as it is now.
   *
   * @param {Conversation} conversation
   */
  render(conversation) {
    if (conversation !== this.#conversation) this.#begin(conversation);
    this.#items = conversation.items();
    this.#window.update(this.#items, this.#followsEnd);
    this.#update();
  }

  /** Count a message that has just come. */
  noteReceived() {
    if (!this.#followsEnd) this.#unseen += 1;
  }

  showNewest() {
    this.#window.end(this.#items);
    this.#followsEnd = true;
    this.#unseen = 0;
    this.#update();
  }

  /** The key of the first row that can be seen; null: the end is in sight. */
  get place() {
    const anchor = this.#followsEnd ? null : this.#anchor();
    return [...this.#shown].find(([, { node }]) => node === anchor)?.[0] ?? null;
  }

  /**
   * Show an item at the top; return whether there is one of this key.
   *
   * @param {string} key
   */
  showAt(key) {
    if (!this.#window.around(this.#items, key)) return false;
    this.#followsEnd = false;
    this.#update();
    const scroller = this.#scroller;
    const top = this.#shown.get(key)?.node.getBoundingClientRect().top ?? 0;
    scroller.scrollTop += top - scroller.getBoundingClientRect().top;
    this.#onScroll();
    return true;
  }

  focus() {
    this.#scroller.focus({ preventScroll: true });
  }

  async earlier() {
    if (this.#isLoading || !this.#conversation?.hasEarlier) return;
    this.#isLoading = true;
    this.#update();
    this.#loadsByItself = await this.#options.loadEarlier();
    this.#isLoading = false;
    if (this.#conversation) this.render(this.#conversation);
    this.#onScroll(); // a reader who is at the top meanwhile cannot scroll further to see it
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

  /** Bring the page up to date; what the reader looks at stays where it is. */
  #update() {
    const { texts } = this.#words;
    const { isAtStart, isAtEnd } = this.#window;
    const hasEarlier = this.#conversation?.hasEarlier ?? false;
    const restore = this.#place();
    this.#renderRows();
    morphChildren(this.#greeting, isAtStart && !hasEarlier ? this.#options.greeting() : []);
    morphChildren(this.#tail, isAtEnd ? this.#options.tail() : []);
    this.#earlier.hidden = !isAtStart || !hasEarlier;
    setText(this.#earlier, this.#isLoading ? texts.loadingEarlier : texts.earlier);
    restore();
    this.#renderJump();
  }

  /** Return a function that brings back what is now at the top of what the reader sees. */
  #place() {
    if (this.#followsEnd) return () => this.#toEnd();
    const scroller = this.#scroller;
    const anchor = this.#anchor();
    const before = anchor?.getBoundingClientRect().top ?? 0;
    return () => {
      const moved = anchor?.isConnected ? anchor.getBoundingClientRect().top - before : 0;
      if (moved !== 0) scroller.scrollTop += moved;
    };
  }

  /** Return the first row that can be seen. */
  #anchor() {
    const { top } = this.#scroller.getBoundingClientRect();
    // The name of a day goes before the first message of it that is on the page.
    return [...this.#list.querySelectorAll(":scope > :not(.day)")].find(
      (node) => node.getBoundingClientRect().bottom > top + SLIVER_PX,
    );
  }

  #renderRows() {
    if (!this.#conversation) return;
    const list = this.#list;
    const { from, to } = this.#window;
    const rows = this.#options.rows(this.#items, from, to, this.#conversation);
    const known = this.#shown;
    this.#shown = new Map();
    rows.forEach((row, n) => {
      const node = this.#nodeOf(row, known.get(row.key));
      if (list.children[n] !== node) list.insertBefore(node, list.children[n] ?? null);
    });
    while (list.children.length > rows.length) list.lastElementChild?.remove();
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

  #onScroll() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    const behind = scrollHeight - scrollTop - clientHeight;
    this.#followsEnd = this.#window.isAtEnd && behind < NEAR_END_PX;
    if (this.#followsEnd) this.#unseen = 0;
    if (scrollTop < NEAR_EDGE_PX && !this.#window.isAtStart) {
      this.#window.earlier(this.#items);
      this.#move();
    } else if (behind < NEAR_EDGE_PX && !this.#window.isAtEnd) {
      this.#window.later(this.#items);
      this.#move();
    } else if (scrollTop < NEAR_EDGE_PX && !this.#followsEnd && this.#loadsByItself) {
      this.earlier();
    }
    this.#renderJump();
  }

  /** Show another part; a reader whose focus was in what goes away goes on from the list. */
  #move() {
    const hadFocus = this.#list.matches(":focus-within");
    this.#update();
    if (hadFocus && !this.#list.matches(":focus-within")) this.focus();
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
