/** The card on which a customer rates a conversation. */

import { el } from "../shared/dom.js";
import { icon } from "./dom.js";

/** @import { Conversation } from "../client/conversation.js" */
/** @import { Words } from "./texts.js" */

/**
 * @typedef {object} RatingState
 * @property {"hidden" | "asked" | "sending" | "thanked"} step
 * @property {number} stars  0: none is chosen
 * @property {string} error  why it was not sent; "": it was not tried
 */

const RATINGS = [1, 2, 3, 4, 5];
export const MAX_COMMENT = 2_000;

/**
 * Return what a rating may be asked for: a conversation that has just ended. It is named by the key
 * of the entry that ended it; null if there is none.
 *
 * @param {Conversation} conversation
 */
export function endedAt(conversation) {
  const items = conversation.items();
  for (let n = items.length - 1; n >= 0; n -= 1) {
    const item = items[n];
    if (item.kind === "session") return null;
    if (item.kind === "status") {
      const isEnd = item.status === "closed" || LIVE_CHAT_ENDS.includes(item.reason ?? "");
      return isEnd ? item.key : null;
    }
    if (item.author === "user") return null; // it goes on
  }
  return null;
}

const LIVE_CHAT_ENDS = ["returned", "ended_by_user"];

/**
 * Create the card; null while it is hidden.
 *
 * @param {RatingState} state
 * @param {Words} words
 */
export function ratingCard({ step, stars, error }, { texts }) {
  if (step === "hidden") return null;
  const card = (/** @type {(Node | null)[]} */ ...content) =>
    el(
      "form",
      { className: "card rating", tabIndex: -1, data: { act: "send-rating" } },
      ...content,
    );
  if (step === "thanked") {
    const change = el(
      "button",
      { type: "button", className: "plain", data: { act: "rate" } },
      texts.change,
    );
    return card(el("p", {}, icon("check"), " ", texts.thanks), change);
  }
  const send = el(
    "button",
    { type: "submit", className: "primary", ariaDisabled: String(step === "sending") },
    texts.sendRating,
  );
  const later = el(
    "button",
    { type: "button", className: "plain", data: { act: "not-now" } },
    texts.notNow,
  );
  const comment = el(
    "label",
    { className: "comment" },
    el("span", {}, texts.comment),
    el("textarea", { name: "comment", rows: 2, maxLength: MAX_COMMENT, dir: "auto" }),
  );
  return card(
    el(
      "fieldset",
      {},
      el("legend", { className: "card-title" }, texts.rating),
      el(
        "div",
        { className: "stars" },
        ...RATINGS.map((n) => star(n, stars, texts.ratings[n - 1])),
      ),
      stars > 0
        ? el("p", { className: "quiet", ariaHidden: "true" }, texts.ratings[stars - 1])
        : null,
    ),
    stars > 0 ? comment : null,
    error ? el("p", { className: "failure" }, error) : null,
    el("div", { className: "buttons" }, stars > 0 ? send : null, later),
  );
}

/**
 * @param {number} n
 * @param {number} chosen
 * @param {string} word
 */
const star = (n, chosen, word) =>
  el(
    "label",
    { className: n <= chosen ? "on" : "", title: word },
    el("input", { type: "radio", name: "stars", value: String(n), ariaLabel: word }),
    icon("star"),
  );
