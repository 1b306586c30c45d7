/** The panel of raw frames: the last 500, both ways, to filter, pause, copy, and send by hand. */

import { byId, el, listen, setText, typedById } from "../shared/dom.js";
import { encode } from "../client/phoenix.js";

/** @import { PhoenixChannel, WireFrame } from "../client/phoenix.js" */
/** @import { Identity } from "../client/conversation.js" */

/** @typedef {WireFrame & {at: Date}} ShownFrame */

const LIMIT = 500;
const NEAR_END_PX = 40;
// A token is a credential: frames are shown to others, and copied into reports.
const TOKEN = /("token"\s*:\s*")(?:[^"\\]|\\.)*/g;

/**
 * Return the text of a frame without its token.
 *
 * @param {string} text
 */
export const redactToken = (text) => text.replace(TOKEN, "$1•••");

/**
 * Return whether a text has all words of a filter, and none of those with a minus.
 *
 * @param {string} text
 * @param {string} filter
 */
export function matchesFilter(text, filter) {
  const searched = text.toLowerCase();
  const terms = filter.toLowerCase().split(/\s+/).filter(Boolean);
  return terms.every((term) =>
    term.length > 1 && term.startsWith("-")
      ? !searched.includes(term.slice(1))
      : searched.includes(term),
  );
}

/**
 * Return what a frame is recognised by in a list, whichever its protocol version.
 *
 * @param {string} text
 * @returns {{ref: string, event: string, payload: string}}
 */
export function summarise(text) {
  const json = parse(text);
  const { ref, event, payload } = Array.isArray(json)
    ? { ref: json[1], event: json[3], payload: json[4] }
    : (json ?? {});
  if (!event) return { ref: "", event: "?", payload: text };
  return { ref: String(ref ?? ""), event: String(event), payload: JSON.stringify(payload) };
}

export class FramesPanel {
  /** @type {ShownFrame[]} oldest first */
  #frames = [];
  #isPaused = false;
  #scroller = byId("frames-scroller");
  #followsEnd = true;
  /** The scroll position of the end, when it was last scrolled to. */
  #endTop = 0;
  #countSincePause = 0;
  /** @type {PhoenixChannel | null} */
  #channel = null;
  /** @type {Identity | null} */
  #identity = null;

  constructor() {
    listen("frames-filter", "input", () => this.#renderAll());
    listen("frames-heartbeats", "change", () => this.#renderAll());
    listen("frames-clear", "click", () => this.#clear());
    listen("frames-pause", "click", () => this.#pause(!this.#isPaused));
    const copyButton = typedById(HTMLButtonElement, "frames-copy");
    copyButton.addEventListener("click", () =>
      copy(this.#matching().map(reportLine).join("\n"), copyButton),
    );
    this.#scroller.addEventListener("scroll", () => this.#onScroll());
    listen("raw-example", "change", () => this.#fillInExample());
    listen("raw", "submit", (event) => this.#sendRaw(event));
  }

  /**
   * Show the frames of a channel, and send raw frames over it.
   *
   * @param {PhoenixChannel} channel
   * @param {Identity} identity
   */
  attach(channel, identity) {
    this.#channel = channel;
    this.#identity = identity;
    this.watch(channel);
    channel.on("state", () => {
      typedById(HTMLButtonElement, "raw-send").disabled = !this.#channel?.isOpen;
    });
  }

  /**
   * Show the frames of another channel too.
   *
   * @param {PhoenixChannel} channel
   */
  watch(channel) {
    channel.on("frame", (frame) => this.#add(frame));
  }

  /** @param {WireFrame} frame */
  #add({ direction, text }) {
    const frame = { direction, text: redactToken(text), at: new Date() };
    this.#frames.push(frame);
    if (this.#frames.length > LIMIT) this.#frames.shift();
    if (this.#isPaused) this.#countSincePause += 1;
    else if (isShown(frame)) this.#append(frame);
    this.#renderCount();
  }

  /** @param {ShownFrame} frame */
  #append(frame) {
    const list = byId("frames-list");
    list.append(row(frame));
    while (list.childElementCount > LIMIT) list.firstElementChild?.remove();
    byId("frames-empty").hidden = true;
    if (this.#followsEnd) this.#scrollToEnd();
  }

  #matching() {
    return this.#frames.filter(isShown);
  }

  #renderAll() {
    const shown = this.#matching();
    byId("frames-list").replaceChildren(...shown.map(row));
    byId("frames-empty").hidden = shown.length > 0;
    this.#scrollToEnd();
  }

  #onScroll() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    const isNearEnd = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
    // A panel that shrinks hides the end, although nobody has scrolled up.
    const isWhereItWas = scrollTop >= this.#endTop - NEAR_END_PX;
    this.#followsEnd = isNearEnd || (this.#followsEnd && isWhereItWas);
  }

  #scrollToEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#endTop = this.#scroller.scrollTop;
    this.#followsEnd = true;
  }

  #renderCount() {
    const text = this.#isPaused ? `${this.#countSincePause} new` : String(this.#frames.length);
    for (const count of document.querySelectorAll("[data-frame-count]")) setText(count, text);
  }

  /** @param {boolean} isPaused */
  #pause(isPaused) {
    this.#isPaused = isPaused;
    this.#countSincePause = 0;
    byId("frames-pause").setAttribute("aria-pressed", String(isPaused));
    setText(byId("frames-pause"), isPaused ? "Resume" : "Pause");
    if (!isPaused) this.#renderAll();
    this.#renderCount();
  }

  #clear() {
    this.#frames = [];
    this.#countSincePause = 0;
    this.#renderAll();
    this.#renderCount();
  }

  /** Fill in an example, as the channel would write it now. */
  #fillInExample() {
    const select = typedById(HTMLSelectElement, "raw-example");
    const channel = this.#channel;
    const example = channel && this.#example(channel.topic, select.value);
    if (channel && example) {
      const ref = select.value === "message" ? null : channel.nextRef();
      const joinRef = example.topic === channel.topic ? channel.joinRef : null;
      const text = encode(channel.vsn, { joinRef, ref, ...example });
      typedById(HTMLTextAreaElement, "raw-text").value = text;
    }
    select.value = "";
  }

  /**
   * @param {string} topic
   * @param {string} name
   */
  #example(topic, name) {
    switch (name) {
      case "heartbeat":
        return { topic: "phoenix", event: "heartbeat", payload: {} };
      case "message":
        return { topic, event: "new_message", payload: { ...this.#identity, message: "Bună!" } };
      case "history":
        return { topic, event: "history", payload: { limit: 10 } };
      case "rating":
        return { topic, event: "rate_conversation", payload: { rating: 5 } };
      case "unknown":
        return { topic, event: "no_such_event", payload: {} };
      default:
        return null;
    }
  }

  /** @param {SubmitEvent} event */
  #sendRaw(event) {
    event.preventDefault();
    const text = typedById(HTMLTextAreaElement, "raw-text").value;
    if (text && this.#channel?.isOpen) this.#channel.sendRaw(text);
  }
}

/**
 * Return whether the filter of the panel lets a frame through.
 *
 * @param {ShownFrame} frame
 */
function isShown({ text }) {
  const isHeartbeat = text.includes('"phoenix"');
  if (isHeartbeat && !typedById(HTMLInputElement, "frames-heartbeats").checked) return false;
  return matchesFilter(text, typedById(HTMLInputElement, "frames-filter").value);
}

/** @param {Date} at */
const clockTime = (at) =>
  at.toTimeString().slice(0, 8) + "." + String(at.getMilliseconds()).padStart(3, "0");

/** @param {ShownFrame} frame */
const reportLine = ({ at, direction, text }) =>
  `${at.toISOString()} ${direction === "in" ? "<-" : "->"} ${text}`;

/** @param {ShownFrame} frame */
function row(frame) {
  const { direction, at } = frame;
  const { event, ref, payload } = summarise(frame.text);
  const node = el(
    "details",
    {},
    el(
      "summary",
      {},
      el("time", { dateTime: at.toISOString() }, clockTime(at)),
      el("span", { className: "direction", title: direction === "in" ? "received" : "sent" }),
      el("b", {}, event, el("i", {}, ref && ` ${ref}`)),
      el("code", {}, payload),
    ),
  );
  // The content is built when the row is first opened.
  node.addEventListener("toggle", () => unfold(node, frame), { once: true });
  return el("li", { data: { direction } }, node);
}

/**
 * @param {HTMLElement} node
 * @param {ShownFrame} frame
 */
function unfold(node, { text }) {
  const button = el("button", { type: "button", className: "quiet" }, "Copy");
  button.addEventListener("click", () => copy(text, button));
  node.append(el("pre", {}, indent(text)), button);
}

/** @param {string} text */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** @param {string} text */
function indent(text) {
  const json = parse(text);
  return json === null ? text : JSON.stringify(json, null, 2);
}

/**
 * Copy a text, and confirm it on the button. The clipboard is missing on pages served by plain
 * HTTP; a selection works everywhere.
 *
 * @param {string} text
 * @param {HTMLButtonElement} button
 */
async function copy(text, button) {
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    copySelection(text);
  }
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = label), 1_200);
}

/** @param {string} text */
function copySelection(text) {
  const area = el("textarea", { className: "visually-hidden", value: text });
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}
