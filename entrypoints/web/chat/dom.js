/** Nodes of the chat: bringing them up to date in place, and pictures. */

import { el } from "../shared/dom.js";

const SVG = "http://www.w3.org/2000/svg";

/**
 * Make a node like another one, keeping what is the same: with its focus, selection and state.
 *
 * What the other one listens to is not taken over: elements are listened to above them.
 *
 * @param {ChildNode} node
 * @param {ChildNode} next
 */
export function morph(node, next) {
  if (node.nodeName !== next.nodeName) {
    node.replaceWith(next);
  } else if (node instanceof Element && next instanceof Element) {
    for (const { name } of [...node.attributes]) {
      if (!next.hasAttribute(name)) node.removeAttribute(name);
    }
    for (const { name, value } of next.attributes) {
      if (node.getAttribute(name) !== value) node.setAttribute(name, value);
    }
    morphChildren(node, [...next.childNodes]);
  } else if (node.nodeValue !== next.nodeValue) {
    node.nodeValue = next.nodeValue;
  }
}

/**
 * Make the children of an element like these nodes.
 *
 * @param {Element} parent
 * @param {ChildNode[]} next
 */
export function morphChildren(parent, next) {
  while (parent.childNodes.length > next.length) parent.lastChild?.remove();
  next.forEach((child, n) => {
    const known = parent.childNodes[n];
    if (known) morph(known, child);
    else parent.append(child);
  });
}

/** The pictures, as paths in a square of 20. */
const PATHS = {
  send: "M10 16V4m0 0L5 9m5-5 5 5",
  stop: "M6 6h8v8H6z",
  close: "m5 5 10 10m0-10L5 15",
  more: "M4 10h.01M10 10h.01M16 10h.01",
  down: "M10 4v12m0 0 5-5m-5 5-5-5",
  star: "m10 2.8 2.2 4.6 5 .7-3.6 3.5.9 5-4.5-2.4-4.5 2.4.9-5L2.8 8.1l5-.7z",
  spark: "m10 2 2 6 6 2-6 2-2 6-2-6-6-2 6-2z",
  person: "M10 10a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7Zm-6.5 7a6.5 6.5 0 0 1 13 0",
  check: "m4.5 10.5 3.5 3.5 7.5-8",
  alert: "M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14Zm0-10.5v4m0 3h.01",
  save: "M10 3v9m0 0 4-4m-4 4-4-4M4 16.5h12",
  sound: "M3 8v4h3l4 3.5v-11L6 8H3Zm10-.5a4 4 0 0 1 0 5m2-7.5a7 7 0 0 1 0 10",
  leave: "M8 4H4v12h4M8 10h9m0 0-3-3m3 3-3 3",
};

/** @typedef {keyof typeof PATHS} IconName */

/**
 * Create a picture; what it stands for is said beside it.
 *
 * @param {IconName} name
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", `icon ${name}`);
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

/**
 * Create a button that shows a picture.
 *
 * @param {string} act
 * @param {IconName} name
 * @param {string} label
 * @param {Partial<HTMLButtonElement>} [properties]
 */
export const iconButton = (act, name, label, properties = {}) =>
  el(
    "button",
    {
      type: "button",
      className: "icon-button",
      ariaLabel: label,
      title: label,
      data: { act },
      ...properties,
    },
    icon(name),
  );
