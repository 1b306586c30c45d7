/** The sound that calls a coordinator, and its switch. */

import { Chime } from "../shared/chime.js";
import { byId, listen } from "../shared/dom.js";

export class Sound {
  #chime = new Chime();
  #onReady;

  /** @param {() => void} onReady  called when the browser allows sound */
  constructor(onReady) {
    this.#onReady = onReady;
    // Browsers allow sound after the first click or key.
    window.addEventListener("pointerdown", () => this.#start());
    window.addEventListener("keydown", () => this.#start());
    listen("sound", "click", () => {
      const isOn = !this.#isOn;
      localStorage.setItem("sound", isOn ? "on" : "off");
      this.#show(isOn);
    });
    this.#show(localStorage.getItem("sound") !== "off");
  }

  play() {
    if (this.#isOn) this.#chime.play();
  }

  get #isOn() {
    return byId("sound").getAttribute("aria-pressed") !== "false";
  }

  #start() {
    this.#chime.start();
    this.#onReady();
  }

  /** @param {boolean} isOn */
  #show(isOn) {
    byId("sound").setAttribute("aria-pressed", String(isOn));
    byId("sound").title = isOn ? "Sound is on" : "Sound is off";
  }
}
