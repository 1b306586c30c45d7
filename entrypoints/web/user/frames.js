/** The raw frames, both ways: the last 500, to filter, hold still, copy, and send by hand. */

import { encode } from "../shared/phoenix.js";
import { byId, el, setText } from "../shared/dom.js";

const LIMIT = 500;
// A token is a credential: frames are shown to others, and copied into reports.
const TOKEN = /("token"\s*:\s*")(?:[^"\\]|\\.)*/g;

export class FramesPanel {
  #frames = []; // oldest first
  #paused = false;
  #missed = 0;
  #channel = null;

  constructor() {
    byId("frames-filter").addEventListener("input", () => this.#renderAll());
    byId("frames-beats").addEventListener("change", () => this.#renderAll());
    byId("frames-clear").addEventListener("click", () => this.#clear());
    byId("frames-pause").addEventListener("click", () => this.#pause(!this.#paused));
    byId("frames-copy").addEventListener("click", ({ target }) =>
      copy(this.#shown().map(line).join("\n"), target),
    );
    byId("raw-example").addEventListener("change", ({ target }) => this.#example(target));
    byId("raw").addEventListener("submit", (event) => this.#sendRaw(event));
  }

  /** Show the frames of this channel from now on. */
  watch(channel, identity) {
    this.#channel = channel;
    this.identity = identity;
    this.watchAlso(channel);
    channel.addEventListener("state", () => {
      byId("raw-send").disabled = !this.#channel.isOpen;
    });
  }

  /** Show what goes over this channel too. */
  watchAlso(channel) {
    channel.addEventListener("frame", ({ detail }) => this.#add(detail));
  }

  #add({ direction, text }) {
    const frame = { direction, text: text.replace(TOKEN, "$1•••"), at: new Date() };
    this.#frames.push(frame);
    if (this.#frames.length > LIMIT) this.#frames.shift();
    if (this.#paused) this.#missed += 1;
    else if (this.#matches(frame)) this.#append(frame);
    this.#renderTally();
  }

  #append(frame) {
    const scroller = byId("frames-scroller");
    const follow = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 40;
    const list = byId("frames-list");
    list.append(row(frame));
    while (list.childElementCount > LIMIT) list.firstElementChild.remove();
    byId("frames-empty").hidden = true;
    if (follow) scroller.scrollTop = scroller.scrollHeight;
  }

  #shown() {
    return this.#frames.filter((frame) => this.#matches(frame));
  }

  #matches({ text }) {
    if (!byId("frames-beats").checked && isHeartbeat(text)) return false;
    const searched = text.toLowerCase();
    const terms = byId("frames-filter").value.toLowerCase().split(/\s+/).filter(Boolean);
    // All words must occur, and those with a minus must not.
    return terms.every((term) =>
      term.length > 1 && term.startsWith("-")
        ? !searched.includes(term.slice(1))
        : searched.includes(term),
    );
  }

  #renderAll() {
    const shown = this.#shown();
    byId("frames-list").replaceChildren(...shown.map(row));
    byId("frames-empty").hidden = shown.length > 0;
    const scroller = byId("frames-scroller");
    scroller.scrollTop = scroller.scrollHeight;
  }

  #renderTally() {
    const text = this.#paused ? `${this.#missed} new` : String(this.#frames.length);
    for (const tally of document.querySelectorAll("[data-tally]")) setText(tally, text);
  }

  #pause(paused) {
    this.#paused = paused;
    this.#missed = 0;
    byId("frames-pause").setAttribute("aria-pressed", String(paused));
    byId("frames-pause").textContent = paused ? "Resume" : "Pause";
    if (!paused) this.#renderAll();
    this.#renderTally();
  }

  #clear() {
    this.#frames = [];
    this.#missed = 0;
    this.#renderAll();
    this.#renderTally();
  }

  /** Fill in an example, as the channel would write it now. */
  #example(select) {
    const channel = this.#channel;
    if (channel && select.value) {
      const [topic, event, payload] = this.#examples(channel.topic)[select.value];
      const ref = select.value === "message" ? null : channel.nextRef();
      const joinRef = topic === channel.topic ? channel.joinRef : null;
      const frame = { joinRef, ref, topic, event, payload };
      byId("raw-text").value = encode(channel.vsn, frame);
    }
    select.value = "";
  }

  #examples(topic) {
    return {
      heartbeat: ["phoenix", "heartbeat", {}],
      message: [topic, "new_message", { ...this.identity, message: "Bună!" }],
      history: [topic, "history", { limit: 10 }],
      unknown: [topic, "no_such_event", {}],
    };
  }

  #sendRaw(event) {
    event.preventDefault();
    const text = byId("raw-text").value;
    if (text && this.#channel?.isOpen) this.#channel.sendRaw(text);
  }
}

const isHeartbeat = (text) => text.includes('"phoenix"');

const clockOf = (at) =>
  at.toTimeString().slice(0, 8) + "." + String(at.getMilliseconds()).padStart(3, "0");

const line = ({ at, direction, text }) =>
  `${at.toISOString()} ${direction === "in" ? "<-" : "->"} ${text}`;

function row(frame) {
  const { direction, at } = frame;
  const { event, ref, payload } = summary(frame.text);
  const node = el(
    "details",
    {},
    el(
      "summary",
      {},
      el("time", { dateTime: at.toISOString() }, clockOf(at)),
      el("span", { className: "way", title: direction === "in" ? "received" : "sent" }),
      el("b", {}, event, el("i", {}, ref == null ? "" : ` ${ref}`)),
      el("code", {}, payload),
    ),
  );
  // What nobody opens is not laid out.
  node.addEventListener("toggle", () => unfold(node, frame), { once: true });
  return el("li", { data: { direction } }, node);
}

function unfold(node, frame) {
  const button = el("button", { type: "button", className: "quiet" }, "Copy");
  button.addEventListener("click", () => copy(frame.text, button));
  node.append(el("pre", {}, pretty(frame.text)), button);
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** What one looks for in a list of frames; opened, a frame is shown as it is. */
function summary(text) {
  const frame = parsed(text);
  const { ref, event, payload } = Array.isArray(frame)
    ? { ref: frame[1], event: frame[3], payload: frame[4] }
    : (frame ?? {});
  return { ref, event: String(event ?? "?"), payload: event ? JSON.stringify(payload) : text };
}

function pretty(text) {
  const frame = parsed(text);
  return frame === null ? text : JSON.stringify(frame, null, 2);
}

/** The clipboard is missing where the page comes by plain HTTP; a selection works everywhere. */
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

function copySelection(text) {
  const area = el("textarea", { className: "unseen", value: text });
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}
