/** What calls a coordinator who looks elsewhere: sound, the title, notifications, the app's badge. */

import { Chime } from "../shared/chime.js";
import { byId } from "../shared/dom.js";
import { showAlert } from "../shared/connection.js";

/** @import { Call, Desk } from "./desk.js" */
/** @import { DeskWords } from "./texts.js" */
/** @import { Chat } from "./wire.js" */

const QUIET_MS = 2_000;

export class Attention {
  #chime = new Chime();
  #playedAt = 0;
  #desk;
  #words;
  #onOpen;

  /**
   * @param {Desk} desk
   * @param {DeskWords} words
   * @param {(chat: Chat) => void} onOpen  called where a notification is clicked
   */
  constructor(desk, words, onOpen) {
    this.#desk = desk;
    this.#words = words;
    this.#onOpen = onOpen;
    // Browsers allow sound after the first click or key.
    for (const type of ["pointerdown", "keydown"]) {
      window.addEventListener(type, () => this.#chime.start(), { once: true });
    }
    byId("notifications").hidden = !("Notification" in window);
  }

  toggleSound() {
    this.#desk.memory.sound = !this.#desk.memory.sound;
    this.show();
  }

  /** Turn notifications on or off; the browser asks the first time, and never without a click. */
  async toggleNotifications() {
    const isOn = !this.#isNotifying;
    localStorage.setItem("notifications", isOn ? "on" : "off");
    if (isOn && (await Notification.requestPermission()) === "denied") {
      showAlert(this.#words.t("notifications"), this.#words.t("notificationsBlocked"));
    }
    this.show();
  }

  get #isNotifying() {
    const isAllowed = "Notification" in window && Notification.permission === "granted";
    return isAllowed && localStorage.getItem("notifications") !== "off";
  }

  /**
   * Call the coordinator, unless the conversation is before their eyes.
   *
   * @param {{chat: Chat, kind: Call}} call
   */
  call({ chat, kind }) {
    if (document.hasFocus() && chat.sessionId === this.#desk.selected) return;
    if (this.#desk.memory.sound) this.#play();
    if (this.#isNotifying && !document.hasFocus()) this.#notify(chat, kind);
  }

  /** Show the switches, and in the title and as the app's badge how much calls. */
  show() {
    byId("sound").ariaPressed = String(this.#desk.memory.sound);
    byId("notifications").ariaPressed = String(this.#isNotifying);
    const { waiting, unanswered, asked, missed } = this.#desk.totals;
    const counts = Object.entries({ waiting, unanswered, asked, missed }).filter(([, n]) => n > 0);
    const texts = counts.map(([kind, n]) => `${n} ${this.#words.code("title", kind)}`);
    const title = [...texts, this.#words.t("title")].join(" · ");
    if (document.title !== title) document.title = title;
    navigator.setAppBadge?.(waiting + unanswered + asked).catch(() => {}); // it is no app
  }

  /** Play the sound once for a burst of calls, and in one of the page's tabs. */
  #play() {
    if (Date.now() - this.#playedAt < QUIET_MS) return;
    this.#playedAt = Date.now();
    if (!navigator.locks) return this.#chime.play();
    navigator.locks.request("coordinators sound", { ifAvailable: true }, async (lock) => {
      if (!lock) return;
      this.#chime.play();
      await new Promise((resolve) => setTimeout(resolve, QUIET_MS / 2));
    });
  }

  /** @param {Chat} chat @param {Call} kind */
  #notify(chat, kind) {
    const { sessionId, userId, last, missed, confirmation, summary } = chat;
    const texts = { missed: missed?.message, asked: confirmation?.what, waiting: summary };
    const body = new Map(Object.entries(texts)).get(kind) ?? last?.text;
    const title = this.#words.t(`calls.${kind}`, { name: this.#words.customer(userId) });
    // Tabs show it once, as theirs has the same tag.
    const options = { body, tag: sessionId, icon: "/web/shared/icon.svg", silent: true };
    try {
      const shown = new Notification(title, options);
      shown.onclick = () => {
        window.focus();
        this.#onOpen(chat);
        shown.close();
      };
    } catch {
      // On a phone only an app that is installed has them.
    }
  }
}
