/** The sound that calls a coordinator. */

import { byId, listen } from "../shared/dom.js";

export class Sound {
  /** @type {AudioContext | null} */
  #audio = null;
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
    if (!this.#audio || !this.#isOn) return;
    playTone(this.#audio, 660, 0);
    playTone(this.#audio, 880, 0.14);
  }

  get #isOn() {
    return byId("sound").getAttribute("aria-pressed") !== "false";
  }

  #start() {
    this.#audio ??= new AudioContext();
    this.#audio.resume();
    this.#onReady();
  }

  /** @param {boolean} isOn */
  #show(isOn) {
    byId("sound").setAttribute("aria-pressed", String(isOn));
    byId("sound").title = isOn ? "Sound is on" : "Sound is off";
  }
}

/**
 * @param {AudioContext} audio
 * @param {number} frequency
 * @param {number} delayS
 */
function playTone(audio, frequency, delayS) {
  const oscillator = audio.createOscillator();
  const volume = audio.createGain();
  const start = audio.currentTime + delayS;
  oscillator.frequency.value = frequency;
  volume.gain.setValueAtTime(0.15, start);
  volume.gain.exponentialRampToValueAtTime(0.001, start + 0.25);
  oscillator.connect(volume).connect(audio.destination);
  oscillator.start(start);
  oscillator.stop(start + 0.25);
}
