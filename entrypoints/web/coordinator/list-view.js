/** The list of conversations: a window over ten thousand rows, in an order that keeps still. */

import { plainName, timeOf } from "../chat/texts.js";
import { byId, el, setText, typedById } from "../shared/dom.js";
import { reconcile } from "../shared/message-list.js";
import { isAsked } from "./desk.js";

/** @import { Row } from "../shared/message-list.js" */
/** @import { Desk, View } from "./desk.js" */
/** @import { DeskWords } from "./texts.js" */
/** @import { Chat } from "./wire.js" */

/** @type {View[]} */
const VIEWS = ["mine", "waiting", "open", "history"];
const LATE_MS = 2 * 60_000;
const OVERDUE_MS = 5 * 60_000;
/** Rows that are on the page above and below those that can be seen. */
const SPARE = 8;
/** The order does not change so soon after the pointer or a key was used in the list. */
const HOLD_MS = 2_000;
const SEARCH_MS = 200;

/**
 * Return since when a customer has been waiting for a person's answer; null: for nobody's.
 *
 * @param {Chat} chat
 */
export function awaitedSince({ status, since, waitingSince, unansweredSince }) {
  if (status === "waiting") return timeOf(waitingSince ?? since);
  return status === "live" ? timeOf(unansweredSince) : null;
}

/**
 * Return how pressing it is that a customer has not been answered for so long.
 *
 * @param {number} ms
 */
export const toneOf = (ms) => (ms < LATE_MS ? "calm" : ms < OVERDUE_MS ? "late" : "overdue");

/**
 * Return the rows in the order that is held: what is shown keeps its place, and what is new is last.
 *
 * @param {readonly Chat[]} shown
 * @param {readonly Chat[]} rows
 * @param {(sessionId: string) => Chat | null} find  the state of one that is in the list no more
 */
export function heldOrder(shown, rows, find) {
  const now = new Map(rows.map((chat) => [chat.sessionId, chat]));
  const kept = shown.map((chat) => now.get(chat.sessionId) ?? find(chat.sessionId) ?? chat);
  for (const { sessionId } of shown) now.delete(sessionId);
  return [...kept, ...now.values()];
}

export class ListView {
  #desk;
  #words;
  #scroller = byId("list");
  #list = byId("rows");
  #search = typedById(HTMLInputElement, "search");
  #filter = typedById(HTMLSelectElement, "filter");
  /** @type {readonly Chat[]} as they are shown */
  #rows = [];
  /** What they are rows of: only its order is held. */
  #shown = "";
  /** @type {string | null} the row that has the focus whenever the list has */
  #active = null;
  #rowPx = 60;
  #heldUntil = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #holdTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #searchTimer;

  /**
   * @param {Desk} desk
   * @param {DeskWords} words
   * @param {(sessionId: string, isByPointer: boolean) => void} onOpen
   */
  constructor(desk, words, onOpen) {
    this.#desk = desk;
    this.#words = words;
    for (const view of VIEWS) {
      const text = [words.t(`view.${view}`), " ", el("span.count", {})];
      const button = el("button", { id: `view-${view}` }, ...text);
      button.addEventListener("click", () => this.showView(view));
      byId("views").append(button);
    }
    const options = [
      ["", words.t("allBusinesses")],
      ...desk.businesses.map((each) => [each.businessId, each.name]),
    ];
    this.#filter.append(...options.map(([value, text]) => el("option", { value }, text)));
    this.#filter.hidden = desk.businesses.length < 2;
    this.#filter.addEventListener("change", () => (desk.filter = this.#filter.value || null));
    this.#search.addEventListener("input", () => {
      clearTimeout(this.#searchTimer);
      this.#searchTimer = setTimeout(() => this.#find(), SEARCH_MS);
    });
    this.#search.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== "ArrowDown") return;
      event.preventDefault();
      this.#focus(0);
    });
    this.#list.addEventListener("click", ({ target, detail }) => {
      const sessionId = sessionOf(target);
      if (sessionId) onOpen(sessionId, detail > 0);
    });
    this.#list.addEventListener("focusin", ({ target }) => (this.#active = sessionOf(target)));
    this.#list.addEventListener("keydown", (event) => this.#onKey(event));
    for (const type of ["pointermove", "pointerdown", "keydown", "wheel", "touchmove"]) {
      this.#scroller.addEventListener(type, () => this.#hold(), { passive: true });
    }
    this.#scroller.addEventListener("scroll", () => this.#showRows());
    new ResizeObserver(() => this.#showRows()).observe(this.#scroller);
  }

  get #view() {
    return VIEWS.find((name) => name === this.#desk.memory.view) ?? "mine";
  }

  /** Whether the rows are of several businesses. */
  get #isOfSeveral() {
    return this.#desk.businesses.length > 1 && this.#desk.filter === null;
  }

  /** @param {View} name */
  showView(name) {
    this.#desk.memory.view = name;
    this.show();
    this.#scroller.scrollTop = 0;
  }

  /** Bring all of it up to date. */
  show() {
    const { totals, filter, query } = this.#desk;
    const view = this.#view;
    const counts = { mine: totals.mine, waiting: totals.waiting + totals.missed + totals.asked };
    for (const name of VIEWS) {
      const button = byId(`view-${name}`);
      button.ariaCurrent = String(name === view);
      const count = new Map(Object.entries(counts)).get(name);
      const shown = /** @type {Element} */ (button.lastElementChild);
      setText(shown, count ? this.#words.number(count) : "");
    }
    const rows = this.#desk.rows(view);
    const shown = JSON.stringify([view, filter, query]);
    const isHeld = shown === this.#shown && Date.now() < this.#heldUntil;
    this.#rows = isHeld ? heldOrder(this.#rows, rows, (id) => this.#desk.chat(id)) : rows;
    this.#shown = shown;
    this.#list.classList.toggle("several", this.#isOfSeveral);
    this.#showRows();
    const note = this.#note();
    byId("list-note").hidden = note === "";
    setText(byId("list-note"), note);
  }

  /**
   * Give the focus to the row that had it last, or to one so many rows further.
   *
   * @param {number} by
   */
  focus(by = 0) {
    const at = this.#indexOf(this.#active ?? this.#desk.selected);
    const isInside = this.#list.matches(":focus-within");
    this.#focus(at < 0 ? 0 : at + (isInside ? by : 0));
  }

  focusSearch() {
    this.#search.select();
    this.#search.focus();
  }

  /** Leave the search: first what is searched for, then the field. */
  leaveSearch() {
    if (!this.#search.value) return this.focus();
    this.#search.value = "";
    this.#find();
  }

  #find() {
    this.#desk.search(this.#search.value);
    // What is found may be anywhere: also with the assistant, or over.
    const isPaged = this.#view === "open" || this.#view === "history";
    if (this.#desk.query && !isPaged) this.showView("open");
  }

  /** Return why the list is empty, or ends here; "": it is all there. */
  #note() {
    const failure = this.#desk.failure(this.#view);
    if (failure) return this.#words.refusalOf(failure.reason, failure.response);
    const isLoading = this.#desk.isLoading(this.#view) || !this.#desk.isJoined;
    if (isLoading && (this.#rows.length === 0 || this.#desk.hasMore(this.#view)))
      return this.#words.t("loading");
    if (this.#rows.length > 0) return "";
    return this.#words.t(this.#desk.query ? "empty.search" : `empty.${this.#view}`);
  }

  /** Show the rows that can be seen, some around them, and the one that has the focus. */
  #showRows() {
    const { scrollTop, clientHeight } = this.#scroller;
    const from = Math.max(0, Math.floor(scrollTop / this.#rowPx) - SPARE);
    const to = Math.ceil((scrollTop + clientHeight) / this.#rowPx) + SPARE;
    const active = this.#indexOf(this.#active);
    const hadFocus = this.#list.matches(":focus-within");
    const indexes = [...this.#rows.slice(from, to).keys()].map((n) => from + n);
    if (hadFocus && active >= 0 && active < from) indexes.unshift(active);
    if (hadFocus && active >= to) indexes.push(active);
    const tabStop = indexes.includes(active) ? active : indexes[0];
    reconcile(
      this.#list,
      indexes.map((n) => this.#row(n, n === tabStop)),
    );
    this.#rowPx = this.#list.firstElementChild?.clientHeight || this.#rowPx;
    indexes.forEach((n, nth) => {
      const row = /** @type {HTMLElement} */ (this.#list.children[nth]);
      row.style.top = `${n * this.#rowPx}px`;
    });
    this.#list.style.height = `${this.#rows.length * this.#rowPx}px`;
    if (hadFocus && !this.#list.matches(":focus-within")) this.#buttonAt(active)?.focus();
    const isAtEnd = to >= this.#rows.length && this.#desk.hasMore(this.#view);
    if (isAtEnd && this.#desk.isJoined && !this.#desk.isLoading(this.#view))
      this.#desk.loadMore(this.#view);
  }

  /** @param {number} n @param {boolean} isTabStop @returns {Row} */
  #row(n, isTabStop) {
    const chat = this.#rows[n];
    const { sessionId, status, unanswered } = chat;
    const size = this.#desk.hasMore(this.#view) ? -1 : this.#rows.length;
    const isCurrent = sessionId === this.#desk.selected;
    const { age, tone } = this.#age(chat);
    const about = this.#about(chat);
    const build = () => {
      const words = this.#words;
      const isUnread = unanswered > 0 && (status === "live" || status === "waiting");
      const mine = String(this.#desk.isMine(chat));
      const button = el(
        "button.chat",
        {
          tabIndex: isTabStop ? 0 : -1,
          ariaCurrent: String(isCurrent),
          data: { sessionId, status, tone, mine },
        },
        el("strong", {}, el("bdi", {}, words.customer(chat.userId))),
        el("span.age", {}, age),
        el(
          "span.last.row",
          {},
          el("span.preview", {}, this.#preview(chat)),
          asksForYes(chat) && el("span.asks", {}, words.t("needsYes")),
          isUnread && el("span.unread", {}, words.number(unanswered)),
          isUnread && el("span.visually-hidden", {}, words.t("unread")),
        ),
        about && el("span.holder", {}, about),
      );
      return el("li", { ariaSetSize: String(size), ariaPosInSet: String(n + 1) }, button);
    };
    return { key: sessionId, version: [chat, n, size, isTabStop, isCurrent, age, about], build };
  }

  /**
   * Return how long the customer has been waiting for an answer; else when it was last written in.
   *
   * @param {Chat} chat
   */
  #age(chat) {
    const since = awaitedSince(chat);
    const at = timeOf(chat.missed?.timestamp ?? chat.last?.at ?? chat.since);
    if (!since) return { age: at ? this.#words.shortTime(at) : "", tone: "calm" };
    const ms = Date.now() - since.getTime();
    const time = ms < 60_000 ? "< 1 min" : this.#words.duration(ms);
    return { age: this.#words.t("waits", { time }), tone: toneOf(ms) };
  }

  /**
   * Return the business, where rows of several are shown, and who has the conversation.
   *
   * @param {Chat} chat
   */
  #about(chat) {
    const { status, missed, reason, businessId } = chat;
    const words = this.#words;
    const { businesses } = this.#desk;
    const business = businesses.find((each) => each.businessId === businessId)?.name;
    const name = plainName(chat.coordinatorId) || words.t("colleague");
    let holder = words.code("status", status, { name });
    if (this.#desk.isMine(chat)) holder = "";
    else if (status === "waiting") holder = words.code("reason", reason);
    else if (missed && status !== "live") holder = words.t("leftAMessage");
    return [this.#isOfSeveral && business, holder].filter(Boolean).join(" · ");
  }

  /**
   * Return what was last written, and by whom; of what calls for a coordinator, what it is.
   *
   * @param {Chat} chat
   */
  #preview(chat) {
    const { missed, confirmation, last, summary } = chat;
    if (missed) return missed.message;
    if (confirmation && isAsked(chat)) {
      const { state, what } = confirmation;
      return state === "proposed" ? what : `${this.#words.code("asked", state)} ${what}`;
    }
    if (!last || last.author === "user") return last?.text ?? summary ?? "";
    const isOwn = last.author === "coordinator" && last.coordinatorId === this.#desk.coordinatorId;
    return `${isOwn ? this.#words.t("youSaid") : this.#words.author(last)}: ${last.text}`;
  }

  /** Keep the order for a while: what is about to be pressed does not move away. */
  #hold() {
    clearTimeout(this.#holdTimer);
    this.#heldUntil = Date.now() + HOLD_MS;
    this.#holdTimer = setTimeout(() => this.show(), HOLD_MS);
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const at = this.#indexOf(this.#active);
    const end = this.#rows.length - 1;
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: end }[event.key];
    const isPlain = !event.altKey && !event.ctrlKey && !event.metaKey;
    if (next === undefined || !isPlain) return;
    event.preventDefault();
    this.#focus(next);
  }

  /** @param {number} index */
  #focus(index) {
    const n = Math.min(Math.max(index, 0), this.#rows.length - 1);
    if (n < 0) return;
    this.#active = this.#rows[n].sessionId;
    const { scrollTop, clientHeight } = this.#scroller;
    const top = n * this.#rowPx;
    this.#scroller.scrollTop = Math.min(Math.max(scrollTop, top + this.#rowPx - clientHeight), top);
    this.#showRows();
    this.#buttonAt(n)?.focus({ preventScroll: true });
  }

  /** @param {number} n */
  #buttonAt(n) {
    const buttons = [...this.#list.getElementsByTagName("button")];
    return buttons.find((button) => sessionOf(button) === this.#rows[n]?.sessionId);
  }

  /** @param {string | null} sessionId */
  #indexOf(sessionId) {
    return sessionId === null ? -1 : this.#rows.findIndex((chat) => chat.sessionId === sessionId);
  }
}

/**
 * Return the conversation whose row an element is in.
 *
 * @param {EventTarget | null} target
 */
function sessionOf(target) {
  const button = target instanceof Element ? target.closest("button") : null;
  return button?.dataset.sessionId ?? null;
}

/** @param {Chat} chat */
const asksForYes = ({ confirmation }) =>
  confirmation?.by === "coordinator" && confirmation.state === "proposed";
