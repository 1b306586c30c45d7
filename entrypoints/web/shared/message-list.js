/** Rendering a list of messages: what changed, in place, and what every message shows. */

import { el } from "./dom.js";
import { explainRefusal } from "./texts.js";

/** @import { DeliveryState, Message } from "../client/messages.js" */

/**
 * @typedef {object} ListItem
 * @property {string} key
 * @property {unknown} version  unless it changes, the element stays
 * @property {boolean} [isGrouped]  whether it continues the message before it
 * @property {() => HTMLElement} build
 */

const NEAR_END_PX = 80;

/** @type {WeakMap<Element, {key: string, version: unknown}>} */
const rendered = new WeakMap();

/**
 * Bring a list up to date, keeping unchanged elements: with their focus, selection and state.
 *
 * @param {HTMLElement} list
 * @param {ListItem[]} items
 */
export function reconcile(list, items) {
  const known = new Map([...list.children].map((node) => [rendered.get(node)?.key, node]));
  items.forEach(({ key, version, isGrouped = false, build }, n) => {
    let node = known.get(key);
    if (!node || rendered.get(node)?.version !== version) {
      const previous = node;
      node = build();
      rendered.set(node, { key, version });
      // An element that replaces another one is not animated.
      if (previous) node.classList.add("updated");
      previous?.replaceWith(node);
    }
    node.classList.toggle("grouped", isGrouped);
    if (list.children[n] !== node) list.insertBefore(node, list.children[n] ?? null);
  });
  while (list.children.length > items.length) list.lastElementChild?.remove();
}

/**
 * Return the key of the first element of a list.
 *
 * @param {HTMLElement} list
 */
export function firstKey(list) {
  const first = list.firstElementChild;
  return first ? rendered.get(first)?.key : undefined;
}

/** @param {Element} scroller */
export function isNearEnd({ scrollHeight, scrollTop, clientHeight }) {
  return scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
}

/** @param {Element} scroller */
export function scrollToEnd(scroller) {
  scroller.scrollTop = scroller.scrollHeight;
}

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
