/** Finding, creating and filling elements. Text from the wire is only ever set as text. */

/**
 * Return the element `id`.
 *
 * @param {string} id
 */
export function byId(id) {
  const node = document.getElementById(id);
  if (!node) throw new Error(`The page has no #${id}`);
  return node;
}

/**
 * Return the element `id` as an instance of `type`.
 *
 * @template {HTMLElement} T
 * @param {new () => T} type
 * @param {string} id
 * @returns {T}
 */
export function typedById(type, id) {
  const node = byId(id);
  if (!(node instanceof type)) throw new Error(`#${id} is not a ${type.name}`);
  return node;
}

/**
 * Create an element with properties, `dataset` entries under `data`, and children, of which null,
 * undefined and false are skipped. A button submits nothing, unless its type says so.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag | `${Tag}.${string}`} tag  with classes, such as "p.note"
 * @param {Partial<HTMLElementTagNameMap[Tag]> & {data?: Record<string, string>}} properties
 * @param {(Node | string | null | undefined | false)[]} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function el(tag, { data = {}, ...properties } = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const node = document.createElement(/** @type {Tag} */ (name));
  node.classList.add(...classes);
  if (node instanceof HTMLButtonElement) node.type = "button";
  Object.assign(node, properties);
  Object.assign(node.dataset, data);
  node.append(...children.filter((child) => child != null && child !== false));
  return node;
}

/**
 * Set a text unless it is there already: a screen reader would read it out again.
 *
 * @param {Element} node
 * @param {string} text
 */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Listen to an event of the element `id`.
 *
 * @template {keyof HTMLElementEventMap} Type
 * @param {string} id
 * @param {Type} type
 * @param {(event: HTMLElementEventMap[Type]) => void} listener
 */
export function listen(id, type, listener) {
  byId(id).addEventListener(type, listener);
}

/**
 * Show one of two elements; where the other one has the focus, it goes over.
 *
 * @param {string} shown
 * @param {string} hidden
 */
export function swap(shown, hidden) {
  const hadFocus = document.activeElement === byId(hidden);
  byId(shown).hidden = false;
  byId(hidden).hidden = true;
  if (hadFocus) byId(shown).focus();
}

/**
 * Change the page; where the element that has the focus goes away, its card gets it, or another one.
 *
 * @param {() => void} change
 * @param {() => void} [focusOther]
 */
export function keepingFocus(change, focusOther = () => byId("scroller").focus()) {
  const focused = document.activeElement;
  const card = focused?.closest(".card");
  change();
  const isMoved = ![focused, document.body].includes(document.activeElement);
  if (!focused || focused === document.body || isMoved || canHaveFocus(focused)) return;
  if (card instanceof HTMLElement && canHaveFocus(card)) card.focus({ preventScroll: true });
  else focusOther();
}

/** @param {Element} element */
const canHaveFocus = (element) =>
  element.getClientRects().length > 0 && !element.matches(":disabled");
