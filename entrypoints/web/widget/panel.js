/**
 * The chat in the widget's frame, or on a page of its own: its connection, what is unread, and the
 * view once it is opened.
 *
 * `widget.js` of an earlier or a later release may load this one: `createChat` keeps its shape.
 */

import { ChatView } from "../chat/chat.js";
import { createClient } from "../client/client.js";
import { Attention } from "./attention.js";

/** @import { WidgetOptions } from "./widget.js" */
/**
 * @typedef {object} Page  what is told to who shows the chat
 * @property {() => void} [close]  absent: the chat is the page, and cannot be closed
 * @property {(count: number) => void} [unread]
 * @property {(message: {author: string, text: string}) => void} [message]  somebody else wrote
 * @property {(business: {name: string, colour?: string}) => void} [business]
 */
/** @typedef {Pick<WidgetOptions, "token" | "user">} User */

// The badge says no more than "9+".
const COUNTED = 50;

/**
 * Return a chat, which connects once it is shown, or resumed.
 *
 * @param {HTMLElement} root
 * @param {WidgetOptions} options
 * @param {Page} page
 */
export const createChat = (root, options, page) => new Chat(root, options, page);

export class Chat {
  #root;
  #options;
  #page;
  #client;
  /** @type {ChatView | null} */
  #view = null;
  #isOpen = false;
  #unread = 0;
  #attention = new Attention(() => this.#client.recall("sound") !== "off");
  #abort = new AbortController();

  /**
   * @param {HTMLElement} root
   * @param {WidgetOptions} options
   * @param {Page} page
   */
  constructor(root, options, page) {
    this.#root = root;
    this.#options = options;
    this.#page = page;
    const { business, location, language, url, token, user } = options;
    this.#client = createClient({ business, location, language, url, token, user });
    this.#client.on("change", () => this.#onChange());
    this.#client.on("received", (message) => this.#onReceived(message));
    const { signal } = this.#abort;
    document.addEventListener("visibilitychange", () => this.#onChange(), { signal });
    // A page with an open connection is not kept for the way back to it.
    window.addEventListener("pagehide", () => this.#client.disconnect(), { signal });
    window.addEventListener("pageshow", (event) => event.persisted && this.#client.connect(), {
      signal,
    });
    this.#onChange();
  }

  /** Connect, without being shown. */
  resume() {
    this.#client.connect();
  }

  /** @param {boolean} isFocused */
  show(isFocused) {
    this.#setOpen(true);
    const { language, colour, title, greeting } = this.#options;
    this.#view ??= new ChatView(this.#root, this.#client, {
      language,
      colour,
      mode: this.#page.close ? "widget" : "page",
      onClose: this.#page.close,
      texts: { title, greeting },
    });
    this.#client.connect();
    this.#onChange();
    if (isFocused) this.#view.focus();
  }

  hide() {
    this.#setOpen(false);
    this.#onChange();
  }

  /** @param {User} user */
  setUser(user) {
    this.#client.setUser(user);
  }

  signOut() {
    this.#client.signOut();
    if (!this.#isOpen) this.#client.disconnect();
    else this.#setOpen(true); // as the new visitor
  }

  dispose() {
    this.#abort.abort();
    this.#attention.dispose();
    this.#view?.dispose();
    this.#client.dispose();
  }

  /** @param {boolean} isOpen */
  #setOpen(isOpen) {
    this.#isOpen = isOpen;
    if (this.#page.close) this.#client.remember("isOpen", isOpen);
  }

  get #isRead() {
    return this.#isOpen && !document.hidden;
  }

  #onChange() {
    const { business, conversation } = this.#client;
    if (business) this.#page.business?.(business);
    if (conversation.sessionId && !this.#client.recall("isStarted")) {
      this.#client.remember("isStarted", true);
    }
    if (this.#view) this.#view.isVisible = this.#isRead;
    this.#count();
  }

  /** @param {{author: string, text: string}} message */
  #onReceived({ author, text }) {
    this.#page.message?.({ author, text });
    if (!this.#isRead || !document.hasFocus()) this.#attention.call();
    this.#count();
  }

  #count() {
    const { conversation } = this.#client;
    const { sessionId, lastSeq } = conversation;
    const read = /** @type {{sessionId: string, seq: number} | undefined} */ (
      this.#client.recall("read")
    );
    const readSeq = read && read.sessionId === sessionId ? read.seq : 0;
    if (this.#isRead && sessionId && lastSeq > readSeq) {
      this.#client.remember("read", { sessionId, seq: lastSeq });
    }
    const count = this.#isRead ? 0 : unreadAfter(conversation.items(-COUNTED), readSeq);
    if (count !== this.#unread) this.#page.unread?.(count);
    this.#unread = count;
    this.#attention.show(count);
  }
}

/**
 * Return how many messages of others there are after `seq` in the newest session.
 *
 * @param {import("../client/conversation.js").Item[]} items
 * @param {number} seq
 */
function unreadAfter(items, seq) {
  let count = 0;
  for (let n = items.length - 1; n >= 0 && items[n].kind !== "session"; n -= 1) {
    const item = items[n];
    if (item.kind === "message" && item.author !== "user" && (item.seq ?? 0) > seq) count += 1;
  }
  return count;
}
