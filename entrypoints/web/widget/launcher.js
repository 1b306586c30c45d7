/**
 * What the widget puts on a page: a button, and the frame of the chat, in a closed shadow tree.
 *
 * Nothing of it takes part in the page's layout, and the page's styles do not reach it.
 */

import { accentProperties } from "../chat/theme.js";
import { textsIn } from "./texts.js";
import css from "./widget.css";

/** @typedef {"loading" | "failed" | "ready"} FrameState */
/**
 * @typedef {object} Look
 * @property {string} language
 * @property {string} [colour]
 * @property {string} [position]  left or right
 * @property {string} [theme]  light, dark, or whatever the system prefers
 * @property {string} [title]  the name of the frame
 */
/**
 * @typedef {object} Actions
 * @property {() => void} toggle
 * @property {() => void} close
 * @property {() => void} retry
 * @property {() => void} approach  the customer may be about to open the chat
 * @property {() => void} restart  the page has taken all listeners away
 */

const FULL = "(max-width: 600px), (max-height: 500px)";
const SVG = "http://www.w3.org/2000/svg";
const CHAT_ICON =
  "M12 3.5c5 0 9 3.4 9 7.8s-4 7.8-9 7.8c-1 0-2-.1-2.9-.4l-4.6 1.8 1.2-3.7C4 15.4 3 13.5 3 11.3c0-4.4 4-7.8 9-7.8Z";
const DOWN_ICON = "m5 9 7 7 7-7";
// A page that takes the widget away as often as it is put back has its way in the end.
const MAX_RETURNS = 50;
const KEY_EVENTS = ["keydown", "keypress", "keyup"];
const PROBE = "ai-agent-probe";

export class Launcher {
  #host = document.createElement("ai-agent-chat");
  #root = this.#host.attachShadow({ mode: "closed" });
  #widget = element("div", "widget");
  #button = element("button", "launcher");
  #badge = element("span", "badge");
  #status = element("span", "status");
  #dialog = element("dialog", "");
  #frame = element("div", "view");
  #loading = element("div", "loading");
  #full = matchMedia(FULL);
  #observer = new MutationObserver(() => this.#return());
  #returns = 0;
  #isOpen = false;
  #unread = 0;
  /** @type {Element | null} what had the focus when the frame was opened */
  #opener = null;
  /** @type {string | null} the page's own, while it does not scroll */
  #pageOverflow = null;
  #texts;
  #actions;
  #abort = new AbortController();

  /**
   * @param {Look} look
   * @param {Actions} actions
   */
  constructor(look, actions) {
    this.#actions = actions;
    this.#texts = textsIn(look.language);
    const styles = new CSSStyleSheet();
    styles.replaceSync(css);
    this.#root.adoptedStyleSheets = [styles];
    this.#build(look);
    this.#listen();
    this.setUnread(0);
    this.setState("loading");
  }

  /** The element for the chat itself. */
  get frame() {
    return this.#frame;
  }

  /** Put the widget on the page, and keep it there. */
  attach() {
    // Beside the body, which a page may replace or hide; and in the top layer, where no transform or
    // filter of the page applies.
    document.documentElement.append(this.#host);
    if (!this.#widget.matches(":popover-open")) this.#widget.showPopover();
    this.#observer.disconnect();
    this.#observer.observe(document, { childList: true });
    this.#observer.observe(document.documentElement, { childList: true });
    this.#present();
  }

  remove() {
    this.#observer.disconnect();
    this.#abort.abort();
    this.#isOpen = false;
    this.#present();
    this.#host.remove();
  }

  open() {
    if (this.#isOpen) return;
    const focused = document.activeElement;
    this.#opener = focused === this.#host || focused === document.body ? null : focused;
    this.#isOpen = true;
    this.#present();
  }

  close() {
    if (!this.#isOpen) return;
    const hadFocus = this.#dialog.contains(this.#root.activeElement);
    this.#isOpen = false;
    this.#present();
    if (hadFocus) this.#returnFocus();
  }

  /** True if the frame covers the screen, as on a phone. */
  get isFull() {
    return this.#full.matches;
  }

  focus() {
    this.#dialog.focus({ preventScroll: true });
  }

  /** @param {FrameState} state */
  setState(state) {
    const { loading, failed, retry, close } = this.#texts;
    this.#frame.hidden = state !== "ready";
    this.#loading.hidden = state === "ready";
    this.#dialog.ariaBusy = String(state === "loading");
    const isFailed = state === "failed";
    this.#loading.replaceChildren(
      isFailed ? "" : element("div", "spinner"),
      element("p", "", isFailed ? failed : loading),
      isFailed ? action(retry, "", this.#actions.retry) : "",
      action(close, "quiet", this.#actions.close),
    );
  }

  /** @param {number} count */
  setUnread(count) {
    this.#badge.hidden = count === 0;
    this.#badge.textContent = count > 9 ? "9+" : String(count);
    this.#status.textContent = count > this.#unread ? this.#texts.unread(count) : "";
    this.#unread = count;
    this.#name();
  }

  /** @param {string | undefined} colour  as `#rrggbb` or `#rgb`; otherwise the default */
  setColour(colour) {
    for (const [name, value] of Object.entries(accentProperties(colour))) {
      this.#widget.style.setProperty(name, value);
    }
  }

  /** @param {string} title */
  setTitle(title) {
    this.#dialog.ariaLabel = title;
  }

  /** @param {Look} look */
  #build({ language, colour, position, theme, title }) {
    this.#widget.lang = language;
    this.#widget.popover = "manual";
    this.#widget.dataset.position = position === "left" ? "left" : "right";
    this.#widget.dataset.theme = theme ?? "auto";
    this.#button.type = "button";
    this.#button.dataset.open = "false";
    this.#button.append(icon("chat", CHAT_ICON), icon("close", DOWN_ICON), this.#badge);
    this.#badge.ariaHidden = "true";
    this.#status.role = "status";
    this.#dialog.tabIndex = -1;
    this.#dialog.role = "dialog";
    this.#dialog.append(this.#frame, this.#loading);
    this.#widget.append(this.#dialog, this.#button, this.#status);
    this.#root.append(this.#widget);
    this.setTitle(title ?? "Chat");
    this.setColour(colour);
  }

  #listen() {
    const { signal } = this.#abort;
    const { toggle, close, approach } = this.#actions;
    this.#host.addEventListener(PROBE, (event) => event.preventDefault());
    this.#button.addEventListener("click", toggle);
    this.#button.addEventListener("pointerenter", approach);
    this.#button.addEventListener("focus", approach);
    this.#dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      close();
    });
    this.#widget.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.isComposing || event.defaultPrevented) return;
      event.preventDefault();
      close();
    });
    // To the page, what is typed here would seem to be typed into no field: into its short cuts.
    for (const type of KEY_EVENTS) {
      this.#root.addEventListener(type, (event) => event.stopPropagation());
    }
    this.#full.addEventListener("change", () => this.#present(), { signal });
    for (const type of ["resize", "scroll"]) {
      visualViewport?.addEventListener(type, () => this.#fit(), { signal });
    }
  }

  /** Show what is the case: open or closed, as a part of the page or in its place. */
  #present() {
    const isFull = this.#full.matches;
    this.#widget.dataset.full = String(isFull);
    this.#button.dataset.open = String(this.#isOpen);
    this.#name();
    const isModal = this.#dialog.matches(":modal");
    if (this.#dialog.open && (!this.#isOpen || isModal !== isFull)) this.#dialog.close();
    if (this.#isOpen && !this.#dialog.open && this.#host.isConnected) {
      if (isFull) this.#dialog.showModal();
      // `show` would move the focus, also where the customer has opened nothing now.
      else this.#dialog.open = true;
    }
    this.#lockPage(this.#isOpen && isFull);
    this.#fit();
  }

  #name() {
    const { open, close, unread } = this.#texts;
    const unreadText = this.#unread > 0 ? `, ${unread(this.#unread)}` : "";
    this.#button.ariaLabel = (this.#isOpen ? close : open) + unreadText;
  }

  /** Fit a full frame into what the keyboard leaves of the screen. */
  #fit() {
    if (!visualViewport || !this.#isOpen || !this.#full.matches) return;
    const { height, offsetTop } = visualViewport;
    this.#widget.style.setProperty("--view-height", `${height}px`);
    this.#widget.style.setProperty("--view-top", `${offsetTop}px`);
  }

  /** @param {boolean} isLocked */
  #lockPage(isLocked) {
    const { style } = document.documentElement;
    if (isLocked && this.#pageOverflow === null) {
      this.#pageOverflow = style.overflow;
      style.overflow = "hidden";
    } else if (!isLocked && this.#pageOverflow !== null) {
      style.overflow = this.#pageOverflow;
      this.#pageOverflow = null;
      if (document.documentElement.getAttribute("style") === "") {
        document.documentElement.removeAttribute("style");
      }
    }
  }

  #returnFocus() {
    const opener = this.#opener?.isConnected ? this.#opener : null;
    if (opener instanceof HTMLElement) opener.focus({ preventScroll: true });
    if (document.activeElement !== opener) this.#button.focus({ preventScroll: true });
  }

  /** Come back after the page has replaced its content. */
  #return() {
    if (this.#host.isConnected || this.#returns >= MAX_RETURNS) return;
    this.#returns += 1;
    setTimeout(() => {
      if (this.#host.isConnected || this.#abort.signal.aborted) return;
      if (this.#hasListeners) this.attach();
      else this.#actions.restart();
    });
  }

  /** False after `document.open`, which takes the listeners of all elements away. */
  get #hasListeners() {
    return !this.#host.dispatchEvent(new Event(PROBE, { cancelable: true }));
  }
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} className
 * @param {string} [text]
 */
function element(tag, className, text) {
  const made = document.createElement(tag);
  made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

/**
 * @param {string} label
 * @param {string} className
 * @param {() => void} onClick
 */
function action(label, className, onClick) {
  const button = element("button", className, label);
  button.type = "button";
  button.addEventListener("click", onClick);
  return button;
}

/**
 * @param {string} className
 * @param {string} path
 */
function icon(className, path) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", className);
  svg.setAttribute("aria-hidden", "true");
  const shape = document.createElementNS(SVG, "path");
  shape.setAttribute("d", path);
  svg.append(shape);
  return svg;
}
