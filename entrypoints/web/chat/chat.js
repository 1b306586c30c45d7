/** The chat as customers see it, in any element: of a page, or of a shadow tree. */

import { el } from "../shared/dom.js";
import { PushError } from "../client/phoenix.js";
import { banner, connectionTrouble } from "./banner.js";
import css from "./chat.css";
import { Composer } from "./composer.js";
import { icon, morphChildren } from "./dom.js";
import { header } from "./header.js";
import { blockNodes, blocksText, parseMarkdown } from "./markdown.js";
import { Menu } from "./menu.js";
import { MessageList } from "./message-list.js";
import { rowsOf } from "./messages.js";
import { endOf, Rating } from "./rating.js";
import { Words } from "./texts.js";
import { accentProperties } from "./theme.js";
import { saveText, transcriptText } from "./transcript.js";

/** @import { ChatClient } from "../client/client.js" */
/** @import { Conversation, Item, MessageItem } from "../client/conversation.js" */

/**
 * @typedef {object} ChatViewOptions
 * @property {string} [language]  BCP 47; one without texts has the English ones; default: the
 *   browser's
 * @property {"widget" | "page"} [mode]
 * @property {() => void} [onClose]  without it, there is no button for that
 * @property {{title?: string, greeting?: string}} [texts]  the website's own
 * @property {string} [colour]  the website's own; default: the business's
 */

const MAX_PAGES = 400;
/** @type {CSSStyleSheet | null} */
let styles = null;

export class ChatView {
  #chat;
  #options;
  #words;
  #root;
  #view;
  #menu;
  /** @type {MessageList<Item, Conversation>} */
  #list;
  #composer;
  #rating;
  #head = el("header", { className: "header" });
  #banner = el("div", { className: "banners" });
  #announcer = el("div", { className: "unseen", ariaLive: "polite" });
  #abort = new AbortController();
  /** @type {(() => void)[]} */
  #stops;
  #frame = 0;
  #isVisible = true;
  #asksToEnd = false;
  #failure = "";
  #failedLogo = "";
  /** @type {string | undefined} */
  #colour = "";
  /** What is wrong with the connection, as it was said last. */
  #trouble = "";
  #isLost = false;
  /** How many messages are known not to have been sent. */
  #failures = 0;
  #hasJoined = false;

  /**
   * @param {HTMLElement | ShadowRoot} root
   * @param {ChatClient} chat
   * @param {ChatViewOptions} [options]
   */
  constructor(root, chat, options = {}) {
    const { language = navigator.language, texts } = options;
    this.#chat = chat;
    this.#options = options;
    this.#words = new Words(language, texts);
    this.#root = addStyles(root);
    this.#rating = new Rating(this.#words);
    this.#menu = new Menu(this.#words, () => this.#render());
    this.#list = new MessageList(this.#words, {
      rows: (items, from, to, conversation) => rowsOf(items, from, to, conversation, this.#words),
      greeting: () => this.#greeting(),
      tail: () => this.#tail(),
      loadEarlier: () => this.#attempt(() => chat.conversation.loadEarlier()),
    });
    this.#composer = new Composer(this.#words, {
      onSend: (text) => this.#send(text),
      onInput: (draft) => {
        chat.remember("draft", draft || undefined);
        if (draft) chat.conversation.notifyTyping();
      },
      onStop: () => this.#attempt(() => chat.conversation.stopAnswer()),
    });
    this.#view = el(
      "section",
      {
        className: "chat-view",
        lang: this.#words.language,
        dir: this.#words.dir,
        ariaLabel: this.#words.texts.title,
      },
      el("div", { className: "head" }, this.#head, this.#menu.element),
      this.#banner,
      this.#list.element,
      this.#composer.element,
      this.#announcer,
    );
    this.#listen();
    root.append(this.#view);
    this.#stops = [
      chat.on("change", () => this.#renderSoon()),
      chat.on("conversation", () => this.#begin()),
      chat.on("received", (message) => this.#onReceived(message)),
    ];
    this.#begin();
  }

  get isVisible() {
    return this.#isVisible;
  }

  /** Whether anybody can see the chat: if not, it is not kept up to date, and says nothing. */
  set isVisible(isVisible) {
    if (isVisible === this.#isVisible) return;
    this.#isVisible = isVisible;
    if (isVisible) this.#render();
    else this.#menu.close();
  }

  /** Focus the field, or the messages where that would open the keyboard of a touch screen. */
  focus() {
    if (matchMedia("(pointer: fine)").matches) this.#composer.focus();
    else this.#list.focus();
  }

  dispose() {
    for (const stop of this.#stops) stop();
    cancelAnimationFrame(this.#frame);
    this.#abort.abort();
    this.#view.remove();
  }

  /** Begin with the conversation that the client has now. */
  #begin() {
    this.#rating.reset();
    this.#hasJoined = this.#asksToEnd = false;
    this.#failures = failed(this.#chat.conversation).length;
    this.#composer.fill(String(this.#chat.recall("draft") ?? ""));
    // Of another identity nothing stays, visible or not.
    this.#announcer.replaceChildren();
    this.#failure = "";
    this.#list.render(this.#chat.conversation);
    this.#render();
  }

  #listen() {
    const { signal } = this.#abort;
    const view = this.#view;
    view.addEventListener("click", (event) => this.#onClick(event), { signal });
    view.addEventListener("change", (event) => this.#onChange(event), { signal });
    view.addEventListener("submit", (event) => this.#onSubmit(event), { signal });
    if (this.#options.mode === "page") {
      globalThis.visualViewport?.addEventListener("resize", () => this.#fitScreen(), { signal });
      globalThis.visualViewport?.addEventListener("scroll", () => this.#fitScreen(), { signal });
    }
    // A logo that the website does not allow has a substitute.
    view.addEventListener("error", ({ target }) => this.#onImageError(target), {
      signal,
      capture: true,
    });
  }

  /** Fit what the keyboard of a touch screen leaves of the page, where it only covers the rest. */
  #fitScreen() {
    const { scale = 1, height = 0, offsetTop = 0 } = globalThis.visualViewport ?? {};
    const isCovered = scale === 1 && height < innerHeight;
    const { style } = this.#view;
    style.maxHeight = isCovered ? `${height}px` : "";
    style.translate = isCovered ? `0 ${offsetTop}px` : "";
  }

  /** Render a burst of changes once. */
  #renderSoon() {
    if (this.#frame || !this.#isVisible) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#render();
    });
  }

  #render() {
    if (!this.#isVisible) return;
    const chat = this.#chat;
    const { conversation, connection, business } = chat;
    this.#followConnection();
    this.#followFailures();
    this.#rating.follow(conversation, chat.recall("unrated"));
    this.#keepingFocus(() => {
      this.#renderColours(this.#options.colour || business?.colour);
      this.#renderHead();
      const state = {
        isLost: this.#isLost,
        asksToEnd: this.#asksToEnd,
        failure: this.#failure,
      };
      const isAlone = connection.name === "refused" && conversation.length === 0;
      const line = isAlone ? null : banner(chat, this.#words, state);
      morphChildren(this.#banner, line ? [line] : []);
      this.#list.render(conversation);
      this.#composer.render({
        canSend: connection.name !== "refused",
        canStop: conversation.isAnswering && connection.name === "joined",
      });
    });
  }

  /** @param {string | undefined} colour */
  #renderColours(colour) {
    if (colour === this.#colour) return;
    this.#colour = colour;
    for (const [name, value] of Object.entries(accentProperties(colour))) {
      this.#view.style.setProperty(name, value);
    }
  }

  #renderHead() {
    const logo = this.#chat.business?.logo ?? "";
    const state = {
      title: this.#options.texts?.title ?? "",
      isMenuOpen: this.#menu.isOpen,
      canClose: this.#options.onClose !== undefined,
      isPage: this.#options.mode === "page",
      logo: logo === this.#failedLogo ? "" : logo,
    };
    morphChildren(this.#head, header(this.#chat, this.#words, state));
    this.#menu.render(this.#chat, this.#chat.recall("sound") !== "off");
  }

  /** Note whether the connection was lost, and tell those who do not see it. */
  #followConnection() {
    const { connection } = this.#chat;
    const { name } = connection;
    if (name === "joined") this.#hasJoined = true;
    if (name === "waiting" || name === "offline") this.#isLost = true;
    if (["joined", "idle", "refused"].includes(name)) this.#isLost = false;
    const trouble = connectionTrouble(connection, this.#isLost, this.#words);
    if (trouble === this.#trouble) return;
    if (trouble || name === "joined") this.#announce(trouble || this.#words.texts.connectedAgain);
    this.#trouble = trouble;
  }

  /** Say that a message was not sent. */
  #followFailures() {
    const messages = failed(this.#chat.conversation);
    const reason = messages.at(-1)?.reason ?? "";
    if (messages.length > this.#failures) {
      this.#announce(`${this.#words.texts.failed} ${this.#words.refusal(reason)}`);
    }
    this.#failures = messages.length;
  }

  /**
   * Render; where the element that has the focus goes away, another one near it gets it.
   *
   * @param {() => void} render
   */
  #keepingFocus(render) {
    const focused = this.#root.activeElement;
    /** @type {HTMLElement[]} */
    const around = [];
    for (let node = focused; node && node !== this.#view; node = node.parentElement) {
      const isPlace = node.getAttribute("tabindex") === "-1";
      if (isPlace && node instanceof HTMLElement) around.push(node);
    }
    const hadFocus = focused !== null && focused !== this.#view && this.#view.contains(focused);
    render();
    if (!hadFocus || isShown(focused)) return;
    const nearest = around.find((node) => node.isConnected && isShown(node));
    if (nearest) nearest.focus({ preventScroll: true });
    else this.focus();
  }

  /** @returns {ChildNode[]} what is before the first message */
  #greeting() {
    const { conversation, connection } = this.#chat;
    const { texts } = this.#words;
    if (connection.name === "refused") {
      return conversation.length > 0 ? [] : [unavailable(this.#trouble, texts.tryNow)];
    }
    // The business's greeting comes with the first join.
    const isAwaited = !this.#hasJoined && connection.name !== "idle";
    const text = this.#options.texts?.greeting || conversation.greeting || texts.greeting;
    if (isAwaited) return conversation.length > 0 ? [] : [typingDots()];
    const greeting = el(
      "div",
      { className: "entry first last", data: { author: "ai" } },
      el("span", { className: "author" }, texts.assistant),
      el(
        "div",
        { className: "bubble", dir: "auto", lang: this.#words.spoken },
        ...blockNodes(parseMarkdown(text)),
      ),
    );
    if (conversation.length > 0 || conversation.suggestions.length === 0) return [greeting];
    const suggestions = conversation.suggestions.map((text) =>
      el("button", { type: "button", className: "pill", data: { act: "suggestion", text } }, text),
    );
    const properties = { className: "suggestions", role: "group", ariaLabel: texts.suggestions };
    return [greeting, el("div", properties, ...suggestions)];
  }

  /** @returns {ChildNode[]} what is behind the last message */
  #tail() {
    const { typing, coordinatorId, isAnswering } = this.#chat.conversation;
    const last = this.#chat.conversation.items(-1)[0];
    const isStreaming = isAnswering && last?.kind === "message" && last.state === "streaming";
    const author = typing.find((name) => name !== "user" && !(name === "ai" && isStreaming));
    const rating = this.#rating.card();
    const nodes = [];
    if (author) {
      const name = this.#words.authorName({ author, coordinatorId });
      const text = el("span", { className: "unseen" }, this.#words.texts.isTyping(name));
      nodes.push(el("p", { className: "typing", data: { author } }, typingDots(), text));
    }
    if (rating) nodes.push(rating);
    return nodes;
  }

  /** @param {string} text */
  #send(text) {
    this.#rating.reset();
    this.#failure = "";
    this.#chat.conversation.send(text);
    this.#render();
    this.#list.showNewest();
  }

  /** @param {MessageItem} message */
  #onReceived(message) {
    if (!this.#isVisible) return;
    this.#list.noteReceived();
    const text = blocksText(parseMarkdown(message.text));
    this.#announce(`${this.#words.authorName(message)}: ${text}`);
  }

  /**
   * Have a screen reader read a text, after what it is reading.
   *
   * @param {string} text
   */
  #announce(text) {
    if (!this.#isVisible) return;
    this.#announcer.append(el("p", {}, text));
    while (this.#announcer.children.length > 3) this.#announcer.firstElementChild?.remove();
  }

  /**
   * Run a request, and show why it failed; return whether it did not.
   *
   * @param {() => Promise<unknown>} request
   */
  async #attempt(request) {
    this.#failure = "";
    this.#render();
    try {
      await request();
    } catch (error) {
      if (!(error instanceof PushError)) throw error;
      this.#failure = this.#words.refusal(error.reason);
      this.#announce(this.#failure);
    }
    this.#render();
    return this.#failure === "";
  }

  /** @param {Event} event */
  #onClick({ target }) {
    const button = target instanceof Element ? target.closest("button[data-act]") : null;
    const isOfMenu = target instanceof Element && this.#menu.element.contains(target);
    if (!(button instanceof HTMLButtonElement) || button.ariaDisabled === "true") {
      if (!isOfMenu) this.#menu.close();
      return;
    }
    const { act = "" } = button.dataset;
    if (act !== "menu" && act !== "sound") this.#menu.close();
    this.#act(act, button.dataset);
  }

  /**
   * @param {string} act
   * @param {DOMStringMap} data
   */
  #act(act, { id = "", answer, text = "" }) {
    const { conversation } = this.#chat;
    switch (act) {
      case "menu":
        return this.#menu.toggle();
      case "close":
        return this.#options.onClose?.();
      case "suggestion":
        return this.#send(text);
      case "retry":
        conversation.retry(id);
        break;
      case "confirm":
        return this.#confirm(id, answer === "yes" ? "yes" : "no");
      case "stop":
        return this.#attempt(() => conversation.stopAnswer());
      case "earlier":
        return this.#list.earlier();
      case "newest":
        return this.#list.showNewest();
      case "connect":
        return this.#chat.retryNow();
      case "transfer":
        return this.#attempt(() => conversation.transfer(""));
      case "download":
        return this.#download();
      case "sound":
        this.#chat.remember("sound", this.#chat.recall("sound") === "off" ? undefined : "off");
        break;
      case "ask-to-end":
        this.#asksToEnd = true;
        break;
      case "end":
        this.#asksToEnd = false;
        return this.#attempt(() => conversation.endLiveChat());
      case "keep":
        this.#asksToEnd = false;
        break;
      case "dismiss":
        this.#failure = "";
        break;
      case "rate":
        this.#rating.ask();
        break;
      case "not-now":
        this.#rating.reset();
        this.#chat.remember("unrated", endOf(conversation) ?? undefined);
        break;
    }
    this.#render();
    if (act === "ask-to-end") this.#focusIn(".banner .primary");
    if (act === "rate") {
      this.#list.showNewest();
      this.#focusIn(".rating input");
    }
  }

  /**
   * @param {string} id
   * @param {"yes" | "no"} answer
   */
  async #confirm(id, answer) {
    const { conversation } = this.#chat;
    const answered = conversation.confirm(id, answer);
    this.#render();
    await answered;
    const { error } = conversation.question(id);
    if (error) this.#announce(this.#words.refusal(error.reason));
  }

  /** @param {string} selector */
  #focusIn(selector) {
    const node = this.#view.querySelector(selector);
    if (node instanceof HTMLElement) node.focus();
  }

  /** @param {Event} event */
  #onChange({ target }) {
    if (!(target instanceof HTMLInputElement) || target.name !== "stars") return;
    this.#rating.choose(Number(target.value));
    this.#render();
  }

  /** @param {SubmitEvent} event */
  async #onSubmit(event) {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || form.dataset.act !== "rating") return;
    event.preventDefault();
    const comment = String(new FormData(form).get("comment") ?? "").trim();
    const { conversation } = this.#chat;
    const outcome = await this.#rating.send(conversation, comment, () => this.#render());
    if (outcome) this.#announce(outcome);
    this.#render();
  }

  /** Save the whole conversation; what cannot be loaded any more is left out. */
  async #download() {
    const { conversation, business } = this.#chat;
    await this.#attempt(async () => {
      for (let page = 0; conversation.hasEarlier && page < MAX_PAGES; page += 1) {
        await conversation.loadEarlier();
      }
    });
    const name = business?.name ?? "";
    const text = transcriptText(conversation.items(), name, this.#words);
    const day = new Date().toISOString().slice(0, 10);
    saveText(`chat-${day}.txt`, text);
  }

  /** @param {EventTarget | null} target */
  #onImageError(target) {
    if (!(target instanceof HTMLImageElement)) return;
    this.#failedLogo = this.#chat.business?.logo ?? "";
    this.#render();
  }
}

/** @param {ChatClient["conversation"]} conversation */
const failed = ({ unsent }) => unsent.filter(({ reason }) => reason !== undefined);

const typingDots = () =>
  el("span", { className: "dots", ariaHidden: "true" }, el("i"), el("i"), el("i"));

/**
 * Create what is shown in place of a chat that there is not.
 *
 * @param {string} text
 * @param {string} tryNow
 */
const unavailable = (text, tryNow) =>
  el(
    "div",
    { className: "nothing" },
    icon("alert"),
    el("p", {}, text),
    el("button", { type: "button", data: { act: "connect" } }, tryNow),
  );

/**
 * Add the styles to the tree that an element is in, and return its root.
 *
 * @param {HTMLElement | ShadowRoot} root
 */
function addStyles(root) {
  const tree = root.getRootNode();
  const owner = tree instanceof ShadowRoot ? tree : document;
  if (!styles) {
    styles = new CSSStyleSheet();
    styles.replaceSync(css);
  }
  if (!owner.adoptedStyleSheets.includes(styles)) owner.adoptedStyleSheets.push(styles);
  return owner;
}

/**
 * Return whether an element is on the page, and not hidden.
 *
 * @param {Element} element
 */
const isShown = (element) => element.getClientRects().length > 0;
