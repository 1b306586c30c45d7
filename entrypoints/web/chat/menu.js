/** The menu: what a customer may do beside writing. */

import { el } from "../shared/dom.js";
import { icon, morphChildren } from "./dom.js";

/** @import { ChatClient } from "../client/client.js" */
/** @import { IconName } from "./dom.js" */
/** @import { Words } from "./texts.js" */

const BUTTON = '[data-act="menu"]';

/** A menu as in the ARIA Authoring Practices: arrows move, Escape and Tab close it. */
export class Menu {
  #words;
  #onToggle;
  isOpen = false;

  /**
   * @param {Words} words
   * @param {() => void} onToggle
   */
  constructor(words, onToggle) {
    this.#words = words;
    this.#onToggle = onToggle;
    this.element = el("div", { className: "menu", role: "menu", ariaLabel: words.texts.menu });
    this.element.hidden = true;
    this.element.addEventListener("keydown", (event) => this.#onKey(event));
    this.element.addEventListener("focusout", ({ relatedTarget }) => {
      // The button closes it by itself.
      const goesOn = relatedTarget instanceof Element && !relatedTarget.closest(BUTTON);
      if (goesOn && !this.element.contains(relatedTarget)) this.close();
    });
  }

  /**
   * @param {ChatClient} chat
   * @param {boolean} isSoundOn
   */
  render({ connection, conversation }, isSoundOn) {
    const { texts } = this.#words;
    const { status, sessionId } = conversation;
    const isJoined = connection.name === "joined";
    const sound = item("sound", "sound", texts.sound);
    sound.role = "menuitemcheckbox";
    sound.ariaChecked = String(isSoundOn);
    if (isSoundOn) sound.append(icon("check"));
    morphChildren(this.element, [
      status === "waiting"
        ? item("end", "close", texts.cancelRequest, isJoined)
        : status === "live"
          ? item("ask-to-end", "leave", texts.endLiveChat, isJoined)
          : item("transfer", "person", texts.askForPerson, isJoined),
      item("rate", "star", texts.rate, isJoined && sessionId !== null),
      item("download", "save", texts.downloadTranscript, sessionId !== null),
      sound,
    ]);
    this.element.hidden = !this.isOpen;
  }

  toggle() {
    if (this.isOpen) this.close();
    else {
      this.isOpen = true;
      this.#onToggle();
      this.#items[0].focus();
    }
  }

  close() {
    if (!this.isOpen) return;
    this.isOpen = false;
    const hadFocus = this.element.matches(":focus-within");
    const button = this.element.parentElement?.querySelector(BUTTON);
    if (hadFocus && button instanceof HTMLElement) button.focus();
    this.#onToggle();
  }

  get #items() {
    return /** @type {HTMLElement[]} */ ([...this.element.children]);
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const items = this.#items;
    const at = items.findIndex((item) => item.matches(":focus"));
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (event.key === "Tab") this.close();
    if (event.key !== "Escape" && next === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    if (next === undefined) this.close();
    else items.at(next % items.length)?.focus();
  }
}

/**
 * @param {string} act
 * @param {IconName} name
 * @param {string} text
 * @param {boolean} [isOffered]
 */
const item = (act, name, text, isOffered = true) =>
  el(
    "button",
    {
      type: "button",
      role: "menuitem",
      tabIndex: -1,
      data: { act },
      ariaDisabled: String(!isOffered),
    },
    icon(name),
    el("span", {}, text),
  );
