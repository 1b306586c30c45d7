/** What is beside a conversation: why it was handed over, what is known of it, and earlier ones. */

import { inlineNodes, parseInline } from "../chat/markdown.js";
import { timeOf } from "../chat/texts.js";
import { el } from "../shared/dom.js";
import { isSame } from "../shared/message-list.js";
import { listOf, objectOf, textOrNull } from "./wire.js";

/** @import { Talk } from "./talk.js" */
/** @import { DeskWords, TextKey } from "./texts.js" */
/** @import { Chat } from "./wire.js" */

/**
 * Return a text as it is, with links to the addresses in it.
 *
 * @param {unknown} text
 */
export const addressesIn = (text) => inlineNodes(parseInline(String(text), { isPlain: true }));

/**
 * Return a rating as stars.
 *
 * @param {number} rating  from 1 to 5
 */
export const starsOf = (rating) => "★".repeat(rating) + "☆".repeat(5 - rating);

export class ContextView {
  #words;
  #onOpen;
  #body = el("div.about", {});
  /** @type {unknown[]} what is shown */
  #shown = [];

  /**
   * @param {HTMLElement} root
   * @param {DeskWords} words
   * @param {(sessionId: string) => void} onOpen
   */
  constructor(root, words, onOpen) {
    this.#words = words;
    this.#onOpen = onOpen;
    const ariaLabel = words.t("backToTalk");
    const back = el("button.icon.back", { ariaLabel, data: { go: "back" } }, "←");
    const title = el("h2", {}, words.t("context"));
    root.replaceChildren(el("div.row", {}, back, title), this.#body);
  }

  /**
   * Show what is known of a conversation; built once for each state, so that what is unfolded stays.
   *
   * @param {Talk | null} talk
   */
  show(talk) {
    const shown = talk ? [talk.chat, talk.context, talk.earlier] : [];
    if (this.#body.hasChildNodes() && isSame(shown, this.#shown)) return;
    this.#shown = shown;
    const none = el("p.note", {}, this.#words.t("contextEmpty"));
    this.#body.replaceChildren(...(talk ? this.#about(talk) : [none]));
  }

  /** @param {Talk} talk */
  #about({ chat, context: received, earlier }) {
    const words = this.#words;
    const context = objectOf(received) ?? {};
    const { missed, rating } = chat;
    const reason = missed?.reason ?? chat.reason;
    const given = rating && `${starsOf(rating.rating)} ${rating.comment ?? ""}`;
    return [
      reason ? el("p", {}, el("span.reason", {}, words.code("reason", reason))) : null,
      this.#part("about.missed", missed?.message, "question"),
      this.#part("about.question", context.openQuestion, "question"),
      this.#part("about.summary", chat.summary ?? context.summary),
      this.#part("about.rating", given),
      el(
        "dl.facts",
        {},
        this.#fact("about.customer", words.customer(chat.userId)),
        this.#fact("about.language", this.#language(context.language)),
        this.#fact("about.location", chat.locationId),
        ...Object.entries(objectOf(context.visit) ?? {}).map(([name, value]) => fact(name, value)),
        this.#fact("about.tools", listOf(context.toolsUsed).map(String).join(", ")),
        this.#fact("about.since", this.#time(chat.waitingSince)),
        this.#fact("about.session", chat.sessionId),
      ),
      earlier.length > 0 ? this.#earlier(earlier) : null,
    ].filter((part) => part !== null);
  }

  /** @param {readonly Chat[]} earlier */
  #earlier(earlier) {
    const rows = earlier.map((chat) => {
      const { sessionId, status, summary, last } = chat;
      const name = chat.coordinatorId ?? this.#words.t("colleague");
      const about = this.#words.code("status", status, { name });
      const open = el(
        "button.past",
        {},
        el("b", {}, this.#time(last?.at ?? chat.since)),
        el("span.muted", {}, about),
        el("span.preview", {}, summary ?? last?.text ?? ""),
      );
      open.addEventListener("click", () => this.#onOpen(sessionId));
      return el("li", {}, open);
    });
    const title = el("h3", {}, this.#words.t("about.earlier"));
    return el("section", {}, title, el("ol", {}, ...rows));
  }

  /**
   * @param {TextKey} title
   * @param {unknown} text
   */
  #part(title, text, className = "") {
    const given = [text].flat().filter((each) => textOrNull(each));
    if (given.length === 0) return null;
    const shown = el("p", { className, dir: "auto" }, ...addressesIn(given.join(" ")));
    return el("section", {}, el("h3", {}, this.#words.t(title)), shown);
  }

  /**
   * @param {TextKey} name
   * @param {string | null} value
   */
  #fact(name, value) {
    return fact(this.#words.t(name), value);
  }

  /** @param {string | null} at */
  #time(at) {
    const time = timeOf(at);
    return time ? `${this.#words.shortDay(time)}, ${this.#words.clock(time)}` : "";
  }

  /** @param {unknown} code */
  #language(code) {
    if (!textOrNull(code)) return null;
    try {
      const names = new Intl.DisplayNames(this.#words.language, { type: "language" });
      return names.of(String(code)) ?? String(code);
    } catch {
      return String(code);
    }
  }
}

/**
 * @param {string} name
 * @param {unknown} value
 */
const fact = (name, value) =>
  value ? el("div", {}, el("dt", {}, name), el("dd", { dir: "auto" }, String(value))) : null;
