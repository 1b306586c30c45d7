/** The document: elements found, made and filled. Text enters the page as text alone. */

export const byId = (id) => document.getElementById(id);

/** An element with properties, `dataset` entries under `data`, and children (null is left out). */
export function el(tag, { data = {}, ...properties } = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  Object.assign(node.dataset, data);
  node.append(...children.filter((child) => child != null));
  return node;
}

/** Assigning the same text again would have a screen reader say it again. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

const NUMBER = new Intl.NumberFormat("en");

/** "1,234 / 8,000". */
export const ratio = (count, limit) => `${NUMBER.format(count)} / ${NUMBER.format(limit)}`;
