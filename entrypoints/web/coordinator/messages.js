/** What a message of the transcript shows beside its text. */

import { el } from "../shared/dom.js";
import { explainRefusal } from "../shared/texts.js";

/** @import { DeliveryState, Message } from "../client/messages.js" */

/**
 * Return whether two messages have the same author.
 *
 * @param {Message} one
 * @param {Message} other
 */
export function isSameAuthor(one, other) {
  return one.author === other.author && one.coordinatorId === other.coordinatorId;
}

/**
 * Create the element of a time, with the date unless it is today's; null if there is none.
 *
 * @param {string | undefined} at
 */
export function timeElement(at) {
  const when = new Date(at ?? "");
  if (at === undefined || Number.isNaN(when.getTime())) return null;
  const isToday = when.toDateString() === new Date().toDateString();
  /** @type {Intl.DateTimeFormatOptions} */
  const time = { hour: "2-digit", minute: "2-digit", hour12: false };
  /** @type {Intl.DateTimeFormatOptions} */
  const format = isToday ? time : { ...time, day: "numeric", month: "short" };
  return el("time", { dateTime: at, title: at }, when.toLocaleString("en-GB", format));
}

/** @type {Record<DeliveryState, [mark: string, label: string]>} */
const DELIVERY = {
  queued: ["◷", "Waiting for the connection"],
  sending: ["◷", "Sending"],
  stored: ["✓", "Stored"],
  failed: ["!", "Not sent"],
  streaming: ["", ""],
  interrupted: ["", ""],
};

/**
 * Create the mark that shows how far a message has got.
 *
 * @param {DeliveryState} state
 */
export function deliveryMark(state) {
  const [mark, label] = DELIVERY[state];
  return el("span", { className: "tick", title: label, role: "img", ariaLabel: label }, mark);
}

/**
 * Create the line under a message that was not sent; null if it was.
 *
 * @param {Message} message
 * @param {(key: string) => void} onRetry
 */
export function failureNotice({ key, state, error }, onRetry) {
  if (state !== "failed" || !error) return null;
  const retry = el("button", { type: "button", className: "retry" }, "Retry");
  retry.addEventListener("click", () => onRetry(key));
  const text = explainRefusal(error.reason, error.response);
  return el("span", { className: "failure" }, text, " ", retry);
}

/** @param {(Node | string | null)[]} content */
export const divider = (...content) => el("li", { className: "divider" }, ...content);
