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
 * @property {(error: Error) => void} [blocked]  the page does not let the chat connect
 */
/** @typedef {Pick<WidgetOptions, "token" | "user">} User */

// The badge says no more than "9+".
const COUNTED = 50;
const ELSEWHERE_MS = 300;

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
  /** @type {{name: string, colour?: string} | null} */
  #business = null;
  #isOpen = false;
  #unread = 0;
  /** Why the server has refused the connection. */
  #refusal = "";
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
    this.#client.on("conversation", () => this.#setOpen(this.#isOpen)); // it is another identity's
    const { signal } = this.#abort;
    document.addEventListener("visibilitychange", () => this.#onChange(), { signal });
    // A page with an open connection is not kept for the way back to it.
    window.addEventListener("pagehide", () => this.#client.disconnect(), { signal });
    window.addEventListener("pageshow", (event) => event.persisted && this.#client.connect(), {
      signal,
    });
    document.addEventListener("securitypolicyviolation", (each) => this.#onViolation(each), {
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
    if (business && business !== this.#business) this.#page.business?.(business);
    this.#business = business;
    if (conversation.sessionId && !this.#client.recall("isStarted")) {
      this.#client.remember("isStarted", true);
    }
    if (this.#view) this.#view.isVisible = this.#isRead;
    this.#warn();
    this.#count();
  }

  /** Give the website's developers the reason; customers are told what it means for them. */
  #warn() {
    const { connection } = this.#client;
    const reason = connection.name === "refused" ? connection.reason : "";
    if (reason && reason !== this.#refusal) console.warn(`AIAgent: refused: ${reason}`);
    this.#refusal = reason;
  }

  /** @param {{author: string, text: string}} message */
  #onReceived({ author, text }) {
    this.#page.message?.({ author, text });
    this.#count();
    // Another tab may show it at this moment.
    setTimeout(() => {
      const isSeen = this.#isRead ? document.hasFocus() : this.#unread === 0;
      if (!isSeen && !this.#abort.signal.aborted) this.#attention.call();
    }, ELSEWHERE_MS);
  }

  /**
   * Stop connecting where the page's policy does not allow it: another attempt cannot succeed.
   *
   * @param {SecurityPolicyViolationEvent} violation
   */
  #onViolation({ effectiveDirective, blockedURI }) {
    const { url = location.origin } = this.#options;
    const isOurs = blockedURI.replace(/^ws/, "http").startsWith(`${url}/`);
    if (effectiveDirective !== "connect-src" || !isOurs) return;
    this.#client.disconnect();
    this.#page.blocked?.(new Error(`the page's policy does not let the chat connect to ${url}`));
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
