/**
 * The conversation as it is seen: bubbles, actions, who owns it, who is writing.
 *
 * What came over the wire goes into the page as text alone, so that no message can be markup.
 */

import { byId, el, setText } from "../shared/dom.js";
import { authorWords, changeWords, explain, ownerWords } from "../shared/texts.js";

const NEAR_END_PX = 80;

export class ConversationView {
  #conversation;
  #rendered = new Map(); // key → {item, node}
  #due = false;
  #onRetry;

  /** @param {(messageId: string) => void} onRetry */
  constructor(onRetry) {
    this.#onRetry = onRetry;
    byId("scroller").addEventListener("scroll", () => this.#offerJump());
    byId("jump").addEventListener("click", () => this.toEnd());
  }

  /** Show this conversation from now on, and what becomes of it. */
  show(conversation) {
    this.#conversation = conversation;
    conversation.addEventListener("change", () => this.#renderSoon());
    conversation.addEventListener("arrived", ({ detail }) => this.#announce(detail));
    this.#renderSoon();
  }

  /** A burst of changes is rendered once. */
  #renderSoon() {
    if (this.#due) return;
    this.#due = true;
    queueMicrotask(() => {
      this.#due = false;
      this.#render();
    });
  }

  #render() {
    const conversation = this.#conversation;
    const scroller = byId("scroller");
    const follow = isNearEnd(scroller);
    const fromEnd = scroller.scrollHeight - scroller.scrollTop;
    const grewAbove = this.#reconcile(conversation.items());
    this.#renderOwner();
    this.#renderTyping();
    byId("earlier").hidden = !conversation.hasEarlier;
    byId("empty").hidden = this.#rendered.size > 0;
    if (follow) this.toEnd();
    // What the reader looks at stays where it is while the log grows above it.
    else if (grewAbove) scroller.scrollTop = scroller.scrollHeight - fromEnd;
    this.#offerJump();
  }

  /** Bring the list up to date, leaving what has not changed; whether it grew at its beginning. */
  #reconcile(items) {
    const list = byId("log");
    const [first] = this.#rendered.keys();
    const kept = new Map();
    items.forEach((item, n) => {
      const node = this.#nodeFor(item);
      const place = list.children[n] ?? null;
      if (node !== place) list.insertBefore(node, place);
      node.classList.toggle("follows", isSameVoice(items[n - 1], item));
      kept.set(item.key, { item, node });
    });
    while (list.children.length > items.length) list.lastElementChild.remove();
    this.#rendered = kept;
    return first !== undefined && items[0]?.key !== first;
  }

  #nodeFor(item) {
    const known = this.#rendered.get(item.key);
    if (known?.item === item) return known.node;
    const node = this.#build(item);
    // An entry that changes takes its old place, without coming in again.
    if (known) node.classList.add("settled");
    if (known) known.node.replaceWith(node);
    return node;
  }

  #build(item) {
    if (item.kind === "session") return el("li", { className: "divider" }, "New conversation");
    if (item.kind === "status") {
      const words = el("span", {}, changeWords(item), " ", timeOf(item.at) ?? "");
      return el("li", { className: "divider" }, words);
    }
    return el(
      "li",
      { className: "entry", data: { author: item.author, state: item.state, key: item.key } },
      el("span", { className: "author" }, authorWords(item)),
      el("div", { className: "bubble", textContent: item.text }),
      ...item.actions.map(actionCard),
      this.#footer(item),
    );
  }

  #footer(item) {
    const { elsewhere, state } = item;
    return el(
      "span",
      { className: "meta" },
      state === "streaming" ? null : timeOf(item.at),
      elsewhere ? "from another window" : null,
      item.author === "user" ? tick(state) : null,
      state === "failed" ? this.#failure(item) : null,
    );
  }

  #failure({ key, error }) {
    const retry = el("button", { type: "button", className: "retry" }, "Retry");
    retry.addEventListener("click", () => this.#onRetry(key));
    return el("span", { className: "failure" }, explain(error.reason, error.response), " ", retry);
  }

  #renderOwner() {
    const { status } = this.#conversation;
    const { title, detail } = ownerWords(this.#conversation);
    byId("owner").dataset.status = status;
    setText(byId("owner-title"), title);
    setText(byId("owner-detail"), detail);
    byId("transfer").hidden = status === "waiting" || status === "live";
    byId("end").hidden = !byId("transfer").hidden;
    setText(byId("end"), status === "waiting" ? "Cancel request" : "End live chat");
  }

  #renderTyping() {
    const { typing, coordinatorId } = this.#conversation;
    const isStreaming = [...this.#rendered.values()].some(({ item }) => item.state === "streaming");
    const author = typing.find((name) => name !== "ai" || !isStreaming);
    byId("typing").hidden = author === undefined;
    if (author) {
      const who = authorWords({ author, coordinatorId: author === "ai" ? null : coordinatorId });
      setText(byId("typing-words"), `${who} is writing…`);
    }
  }

  #announce(item) {
    setText(byId("announcer"), `${authorWords(item)}: ${item.text}`);
  }

  /** Show the newest message. */
  toEnd() {
    const scroller = byId("scroller");
    scroller.scrollTop = scroller.scrollHeight;
  }

  #offerJump() {
    byId("jump").hidden = isNearEnd(byId("scroller"));
  }
}

function isNearEnd({ scrollHeight, scrollTop, clientHeight }) {
  return scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
}

function isSameVoice(previous, item) {
  if (previous?.kind !== "message" || item.kind !== "message") return false;
  return previous.author === item.author && previous.coordinatorId === item.coordinatorId;
}

function timeOf(at) {
  const when = new Date(at);
  if (Number.isNaN(when.getTime())) return null;
  const isToday = when.toDateString() === new Date().toDateString();
  const time = { hour: "2-digit", minute: "2-digit", hour12: false };
  const format = isToday ? time : { ...time, day: "numeric", month: "short" };
  const text = when.toLocaleString("en-GB", format);
  return el("time", { dateTime: at, title: at }, text);
}

const TICKS = {
  queued: ["◷", "Waits for the connection"],
  sending: ["◷", "Sending"],
  stored: ["✓", "Stored"],
  failed: ["!", "Not sent"],
};

function tick(state) {
  const [mark, words] = TICKS[state];
  return el("span", { className: "tick", title: words, role: "img", ariaLabel: words }, mark);
}

/** What a client can act on, beside the words of a message. */
function actionCard(action) {
  const parts = (BUILDERS[action.type] ?? unknown)(action);
  return el("div", { className: "card", data: { type: action.type } }, ...parts);
}

const BUILDERS = {
  __proto__: null, // an action may be of the type `constructor`
  live_chat: liveChat,
  reservations,
  business_info: businessInfo,
};

function liveChat({ status, topic, url }) {
  return [
    el("h3", {}, status === "live" ? "Live chat" : "Live chat requested"),
    definitions({ status, topic, url }),
  ];
}

function reservations({ items = [] }) {
  if (items.length === 0) return [el("h3", {}, "No reservations")];
  const columns = [...new Set(items.flatMap((item) => Object.keys(item)))].filter(isShown);
  const head = columns.map((name) => el("th", { scope: "col" }, labelOf(name)));
  const rows = items.map((item) =>
    el("tr", {}, ...columns.map((name) => el("td", {}, textOf(item[name])))),
  );
  const table = el("table", {}, el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...rows));
  return [el("h3", {}, "Reservations"), el("div", { className: "table" }, table)];
}

/** Ids are for machines. */
const isShown = (name) => !/id$/i.test(name);

function businessInfo({ type, ...info }) {
  return [el("h3", {}, info.name ?? "About us"), definitions(flat(info))];
}

/** One level of nesting, as `{facts: {hours}}` has, is a matter of form. */
function flat(info) {
  const pairs = Object.entries(info).filter(([name]) => name !== "name" && isShown(name));
  return Object.fromEntries(
    pairs.flatMap(([name, value]) =>
      value && typeof value === "object" && !Array.isArray(value)
        ? Object.entries(value)
        : [[name, value]],
    ),
  );
}

function unknown(action) {
  return [el("h3", {}, String(action.type)), el("pre", {}, JSON.stringify(action, null, 2))];
}

function definitions(pairs) {
  const shown = Object.entries(pairs).filter(([, value]) => value != null && value !== "");
  const rows = shown.map(([name, value]) =>
    el("div", {}, el("dt", {}, labelOf(name)), el("dd", {}, textOf(value))),
  );
  return el("dl", {}, ...rows);
}

/** `openingHours` and `opening_hours` as "Opening hours". */
function labelOf(name) {
  const words = name.replace(/_/g, " ").replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function textOf(value) {
  if (value == null) return "–";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
