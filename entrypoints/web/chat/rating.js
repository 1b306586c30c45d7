/** The rating of a conversation: when it is asked for, and the card on which it is given. */

import { PushError } from "../client/phoenix.js";
import { el } from "../shared/dom.js";
import { icon } from "./dom.js";

/** @import { Conversation } from "../client/conversation.js" */
/** @import { Words } from "./texts.js" */

const RATINGS = [1, 2, 3, 4, 5];
const MAX_COMMENT = 2_000;
const LIVE_CHAT_ENDS = ["returned", "ended_by_user"];
// Few entries follow the end of a conversation.
const SEARCHED = 50;

export class Rating {
  #words;
  /** @type {"hidden" | "asked" | "sending" | "thanked"} */
  #step = "hidden";
  /** Whether the customer has asked for it. */
  #isWanted = false;
  /** 0: none is chosen. */
  #stars = 0;
  /** Why it was not sent; "": it was not tried. */
  #failure = "";

  /** @param {Words} words */
  constructor(words) {
    this.#words = words;
  }

  reset() {
    this.#step = "hidden";
    this.#isWanted = false;
    this.#stars = 0;
    this.#failure = "";
  }

  /** Ask for it, as the customer wants to give it. */
  ask() {
    this.reset();
    this.#step = "asked";
    this.#isWanted = true;
  }

  /**
   * Ask for it where a conversation has just ended.
   *
   * @param {Conversation} conversation
   * @param {unknown} declined  the end after which the customer did not want to
   */
  follow(conversation, declined) {
    if (this.#isWanted || this.#step === "sending" || this.#step === "thanked") return;
    const end = endOf(conversation);
    const isDue = end !== null && conversation.rating === null && end !== declined;
    if (isDue === (this.#step === "asked")) return;
    this.reset();
    if (isDue) this.#step = "asked";
  }

  /** @param {number} stars */
  choose(stars) {
    this.#stars = stars;
  }

  /**
   * Send what is on the card; return what is to be said of it, or "" if there is nothing to send.
   *
   * @param {Conversation} conversation
   * @param {string} comment
   * @param {() => void} onSending
   */
  async send(conversation, comment, onSending) {
    if (this.#step !== "asked" || this.#stars === 0) return "";
    this.#step = "sending";
    onSending();
    try {
      await conversation.rate(this.#stars, comment);
      this.reset();
      this.#step = "thanked";
      return this.#words.texts.thanks;
    } catch (error) {
      if (!(error instanceof PushError)) throw error;
      this.#step = "asked";
      this.#failure = this.#words.refusal(error.reason);
      return this.#failure;
    }
  }

  /** Create the card; null while nothing is asked. */
  card() {
    const { texts } = this.#words;
    if (this.#step === "hidden") return null;
    if (this.#step === "thanked") {
      const change = button("rate", texts.change);
      return card(el("p", { className: "outcome" }, icon("check"), texts.thanks), change);
    }
    const stars = this.#stars;
    const isSending = this.#step === "sending";
    const send = el(
      "button",
      { type: "submit", className: "primary", ariaDisabled: String(isSending) },
      texts.sendRating,
    );
    const comment = el(
      "label",
      { className: "comment" },
      el("span", {}, texts.comment),
      el("textarea", { name: "comment", rows: 2, maxLength: MAX_COMMENT, dir: "auto" }),
    );
    const word = stars > 0 ? texts.ratings[stars - 1] : "";
    return card(
      el(
        "fieldset",
        {},
        el("legend", { className: "card-title" }, texts.rating),
        el("div", { className: "stars" }, ...RATINGS.map((n) => star(n, stars, texts))),
        word ? el("p", { className: "quiet", ariaHidden: "true" }, word) : null,
      ),
      word ? comment : null,
      this.#failure ? el("p", { className: "failure" }, this.#failure) : null,
      el("div", { className: "buttons" }, word ? send : null, button("not-now", texts.notNow)),
    );
  }
}

/**
 * Return the key of the entry with which a conversation has ended, or its live chat; null if it has
 * not, or goes on.
 *
 * @param {Conversation} conversation
 */
export function endOf(conversation) {
  for (const item of conversation.items(-SEARCHED).reverse()) {
    if (item.kind === "session" || (item.kind === "message" && item.author === "user")) return null;
    if (item.kind === "message") continue;
    const isEnd = item.status === "closed" || LIVE_CHAT_ENDS.includes(item.reason ?? "");
    return isEnd ? item.key : null;
  }
  return null;
}

/** @param {(Node | null)[]} content */
const card = (...content) =>
  el("form", { className: "card rating", tabIndex: -1, data: { act: "rating" } }, ...content);

/**
 * @param {string} act
 * @param {string} text
 */
const button = (act, text) =>
  el("button", { type: "button", className: "plain", data: { act } }, text);

/**
 * @param {number} n
 * @param {number} chosen
 * @param {Words["texts"]} texts
 */
function star(n, chosen, { ratings }) {
  const word = ratings[n - 1];
  return el(
    "label",
    { className: n <= chosen ? "on" : "", title: word },
    el("input", { type: "radio", name: "stars", value: String(n), ariaLabel: word }),
    icon("star"),
  );
}
