/** Rendering a list in place: what has changed of it, and where it is scrolled to. */

import { morph } from "../chat/dom.js";

/** @typedef {import("../chat/messages.js").Row} Row */

const NEAR_END_PX = 80;

/** @type {WeakMap<Element, {key: string, version: unknown[]}>} */
const rendered = new WeakMap();

/**
 * Bring a list up to date, keeping what is the same: with its focus, selection and state.
 *
 * @param {HTMLElement} list
 * @param {Row[]} rows
 */
export function reconcile(list, rows) {
  const keys = new Set(rows.map(({ key }) => key));
  // What goes first leaves the rest in place: an element that is moved loses its focus.
  for (const node of [...list.children]) {
    if (!keys.has(rendered.get(node)?.key ?? "")) node.remove();
  }
  const known = new Map([...list.children].map((node) => [rendered.get(node)?.key, node]));
  rows.forEach(({ key, version, build }, n) => {
    const node = known.get(key) ?? build();
    const before = rendered.get(node)?.version;
    if (before && !isSame(before, version)) morph(node, build());
    rendered.set(node, { key, version });
    if (list.children[n] !== node) list.insertBefore(node, list.children[n] ?? null);
  });
}

/**
 * @param {unknown[]} one
 * @param {unknown[]} other
 */
export const isSame = (one, other) =>
  one.length === other.length && one.every((value, n) => value === other[n]);

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
