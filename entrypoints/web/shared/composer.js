/** The field in which a message is written. */

import { byId, listen, setText, typedById } from "./dom.js";

/** The longest message, in characters after trimming. */
const MAX_LENGTH = 8_000;
const MAX_HEIGHT_PX = 168;
const NUMBER = new Intl.NumberFormat("en");

export class Composer {
  #field = typedById(HTMLTextAreaElement, "message");
  #button = typedById(HTMLButtonElement, "send");
  #options;

  /**
   * @param {object} options
   * @param {(text: string) => void} options.onSend
   * @param {() => void} options.onTyping
   * @param {() => boolean} options.canSend
   */
  constructor(options) {
    this.#options = options;
    listen("composer", "submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    this.#field.addEventListener("input", () => {
      this.refresh();
      options.onTyping();
    });
    this.#field.addEventListener("keydown", (event) => {
      // The Enter that ends a composition (Japanese, accents) must not send.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#send();
    });
  }

  /** Update the counter, the button and the height. */
  refresh() {
    const field = this.#field;
    // As the server counts: characters, trimmed.
    const length = [...field.value.trim()].length;
    const isTooLong = length > MAX_LENGTH;
    setText(byId("counter"), `${NUMBER.format(length)} / ${NUMBER.format(MAX_LENGTH)}`);
    byId("counter").classList.toggle("over", isTooLong);
    field.setAttribute("aria-invalid", String(isTooLong));
    this.#button.disabled = length === 0 || isTooLong || !this.#options.canSend();
    field.style.height = "auto";
    field.style.height = `${Math.min(field.scrollHeight, MAX_HEIGHT_PX)}px`;
  }

  clear() {
    this.#field.value = "";
    this.refresh();
  }

  /** Focus the field, except on a touch screen: that would open the keyboard unasked. */
  focus() {
    if (matchMedia("(pointer: fine)").matches) this.#field.focus();
  }

  #send() {
    if (this.#button.disabled) return;
    const text = this.#field.value.trim();
    this.clear();
    this.focus(); // the button, if it had the focus, is disabled now
    this.#options.onSend(text);
  }
}
