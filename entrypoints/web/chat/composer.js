/** The field in which a customer writes. */

import { el, setText } from "../shared/dom.js";
import { icon, iconButton } from "./dom.js";

/** @import { Words } from "./texts.js" */

/** The longest message, in characters after trimming, as the server counts them. */
export const MAX_LENGTH = 8_000;
/** Of the most characters, so many from the end they are counted for the reader. */
const COUNTED = 1_000;
const MAX_HEIGHT_PX = 148;

export class Composer {
  #words;
  #options;
  #field;
  #counter = el("span", { className: "counter", id: "counter" });
  #send;
  #stop;
  #canSend = true;
  maxLength = MAX_LENGTH;

  /**
   * @param {Words} words
   * @param {object} options
   * @param {(text: string) => void} options.onSend
   * @param {(draft: string) => void} options.onInput
   * @param {() => void} options.onStop
   */
  constructor(words, options) {
    this.#words = words;
    this.#options = options;
    const { texts } = words;
    this.#field = el("textarea", {
      rows: 1,
      placeholder: texts.placeholder,
      ariaLabel: texts.message,
      enterKeyHint: "send",
      dir: "auto",
    });
    this.#field.setAttribute("aria-describedby", "counter");
    this.#send = el(
      "button",
      { type: "submit", className: "round send", ariaLabel: texts.send, title: texts.send },
      icon("send"),
    );
    this.#stop = iconButton("stop", "stop", texts.stop, { className: "round stop" });
    this.element = el(
      "form",
      { className: "composer" },
      el("div", { className: "field" }, this.#field, this.#stop, this.#send),
      this.#counter,
    );
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#field.addEventListener("input", () => {
      options.onInput(this.#field.value);
      this.#refresh();
    });
    // The field keeps the focus, and with it the keyboard of a touch screen.
    this.#send.addEventListener("mousedown", (event) => event.preventDefault());
    this.#field.addEventListener("keydown", (event) => this.#onKey(event));
    // Another width has other lines.
    new ResizeObserver(() => this.#refresh()).observe(this.#field);
    this.#stop.hidden = true;
    this.#refresh();
  }

  /** @param {{canSend: boolean, canStop: boolean}} state */
  render({ canSend, canStop }) {
    this.#canSend = canSend;
    this.#stop.hidden = !canStop;
    this.element.hidden = !canSend;
    this.#refresh();
  }

  /** @param {string} draft */
  fill(draft) {
    this.#field.value = draft;
    this.#refresh();
  }

  focus() {
    this.#field.focus({ preventScroll: true });
  }

  #refresh() {
    const field = this.#field;
    const { texts } = this.#words;
    const length = [...field.value.trim()].length;
    const isTooLong = length > this.maxLength;
    const count = texts.counter(this.#words.number(length), this.#words.number(this.maxLength));
    this.#counter.hidden = length < this.maxLength - COUNTED;
    this.#counter.classList.toggle("over", isTooLong);
    setText(this.#counter, isTooLong ? `${texts.tooLong} ${count}` : count);
    if (isTooLong) field.ariaInvalid = "true";
    else field.removeAttribute("aria-invalid");
    // A disabled button would drop the focus, and not tell why it does nothing.
    this.#send.ariaDisabled = String(length === 0 || isTooLong || !this.#canSend);
    this.#send.hidden = !this.#stop.hidden && length === 0;
    // What is above must not move while the field is measured: it would lose its place.
    this.element.style.height = `${this.element.offsetHeight}px`;
    field.style.height = "auto";
    field.style.height = `${Math.min(field.scrollHeight, MAX_HEIGHT_PX)}px`;
    this.element.style.height = "";
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    // The Enter or Escape that ends a composition (Japanese, accents) is not for us.
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.#submit();
    } else if (event.key === "Escape" && !this.#stop.hidden) {
      event.stopPropagation();
      event.preventDefault();
      this.#options.onStop();
    }
  }

  #submit() {
    if (this.#send.ariaDisabled === "true") return;
    const text = this.#field.value.trim();
    this.fill("");
    this.#options.onInput("");
    this.#options.onSend(text);
  }
}
