/** A short sound that calls somebody, made by the browser itself. */

const TONES = [
  { frequency: 660, delayS: 0 },
  { frequency: 880, delayS: 0.14 },
];

/**
 * Browsers allow sound after the first click or key; until then, `play` does nothing.
 */
export class Chime {
  /** @type {AudioContext | null} */
  #audio = null;

  /** Get ready, in an event that allows sound. */
  start() {
    this.#audio ??= new AudioContext();
    this.#audio.resume();
  }

  play() {
    if (!this.#audio) return;
    for (const { frequency, delayS } of TONES) playTone(this.#audio, frequency, delayS);
  }

  stop() {
    this.#audio?.close();
    this.#audio = null;
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
