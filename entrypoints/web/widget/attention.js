/** What tells of a message that nobody sees: a number in the page's title, and a sound. */

import { Chime } from "../shared/chime.js";

const SOUND_MS = 1_000;

export class Attention {
  #chime = new Chime();
  #prefix = "";
  #isSoundOn;

  /** @param {() => boolean} isSoundOn */
  constructor(isSoundOn) {
    this.#isSoundOn = isSoundOn;
  }

  /** Play the sound, if the customer wants it and has done anything on this page. */
  call() {
    const { locks, userActivation } = navigator;
    if (!this.#isSoundOn() || (userActivation && !userActivation.hasBeenActive)) return;
    const play = () => {
      this.#chime.start();
      this.#chime.play();
    };
    if (!locks) play();
    // One tab speaks for all that have the chat.
    else locks.request("ai-agent sound", { ifAvailable: true }, (lock) => lock && hold(play));
  }

  /**
   * Write the number of unread messages before the page's title while the page is hidden.
   *
   * @param {number} count
   */
  show(count) {
    const prefix = document.hidden && count > 0 ? `(${count}) ` : "";
    if (prefix === this.#prefix) return;
    // The page may have changed its title meanwhile.
    const isOurs = this.#prefix !== "" && document.title.startsWith(this.#prefix);
    const title = isOurs ? document.title.slice(this.#prefix.length) : document.title;
    this.#prefix = prefix;
    document.title = prefix + title;
  }

  dispose() {
    this.#chime.stop();
    if (this.#prefix && document.title.startsWith(this.#prefix)) {
      document.title = document.title.slice(this.#prefix.length);
    }
  }
}

/**
 * Do something, and let nobody else do it meanwhile.
 *
 * @param {() => void} action
 */
function hold(action) {
  action();
  return new Promise((resolve) => setTimeout(resolve, SOUND_MS));
}
