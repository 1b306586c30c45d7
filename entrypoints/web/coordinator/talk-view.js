/** One conversation: who has it, what was said and done in it, and what can be done now. */

import { icon, morphChildren } from "../chat/dom.js";
import { MessageList } from "../chat/message-list.js";
import { textNodes } from "../chat/messages.js";
import { timeOf } from "../chat/texts.js";
import { PushError } from "../client/phoenix.js";
import { showAlert } from "../shared/connection.js";
import { byId, el, keepingFocus, setText } from "../shared/dom.js";
import { reconcile } from "../shared/message-list.js";
import { addressesIn, ContextView, starsOf } from "./context-view.js";
import { hasOutcome } from "./desk.js";
import { TalkComposer } from "./talk-composer.js";

/** @import { Row } from "../chat/messages.js" */
/** @import { Action, Desk } from "./desk.js" */
/** @import { Item, Talk } from "./talk.js" */
/** @import { DeskWords, TextKey } from "./texts.js" */
/** @import { Asked, Chat } from "./wire.js" */

/** @typedef {"claim" | "stepIn" | "takeOver" | Exclude<Action, "claim">} Act */
/** @typedef {{talk: Talk, items: () => readonly Item[], hasEarlier: boolean}} Shown */

/**
 * What can be done with a conversation: when it is offered, the key, whether it is asked about before
 * it is done, and whether it is in the menu.
 *
 * @type {Record<Act, {isOffered: (chat: Chat, isMine: boolean) => boolean, key?: string,
 *   className?: string, isAsked?: boolean, isRare?: boolean}>}
 */
const ACTS = {
  claim: { key: "c", className: "primary", isOffered: ({ status }) => status === "waiting" },
  stepIn: { key: "c", className: "primary", isOffered: ({ status }) => status === "ai" },
  takeOver: { isOffered: ({ status }, isMine) => status === "live" && !isMine },
  attend: { isOffered: (chat) => chat.missed !== null || hasOutcome(chat) },
  forward: { key: "f", isAsked: true, isRare: true, isOffered: (_, isMine) => isMine },
  requeue: { key: "q", isAsked: true, isRare: true, isOffered: (_, isMine) => isMine },
  return: { key: "e", isAsked: true, isOffered: (_, isMine) => isMine },
  close: { key: "x", isAsked: true, isOffered: (_, isMine) => isMine },
};
/** @typedef {Exclude<Act, "claim" | "stepIn" | "takeOver" | "attend">} AskedAct */
const GROUP_MS = 5 * 60_000;
/** So many pages are loaded to find the place where a conversation was left. */
const MOST_PAGES = 5;
/** Stands for the place of the first message that nobody has answered; no key has a space. */
const UNREAD = "first unread";

/**
 * Return what can be done with a conversation.
 *
 * @param {Chat} chat
 * @param {boolean} isMine
 */
export const actsOf = (chat, isMine) =>
  /** @type {Act[]} */ (Object.keys(ACTS)).filter((act) => ACTS[act].isOffered(chat, isMine));

export class TalkView {
  #desk;
  #words;
  #list;
  #composer;
  #context;
  /** @type {Shown | null} */
  #shown = null;
  /** @type {string | null} the item to go to, once it is there */
  #place = null;
  #pages = 0;
  /** @type {string | undefined} the newest item that has been shown */
  #newest;
  #isActing = false;
  /** @type {(() => void) | null} what the dialog is about, once it is confirmed */
  #confirmed = null;

  #title = el("strong", { id: "owner-title" });
  #detail = el("span", { id: "owner-detail" });
  #buttons = el("div.acts", {});
  #menu = el("div.menu", { id: "talk-menu" });
  #header;
  #card = el("div.confirmation", { id: "confirmation", role: "group", tabIndex: -1 });
  #empty;
  #live = el("p.visually-hidden", { role: "status" });
  #dialog = el("dialog", { id: "act-dialog" });

  /**
   * @param {HTMLElement} root
   * @param {Desk} desk
   * @param {DeskWords} words
   * @param {(sessionId: string) => void} [onOpen]  opens another conversation of the customer's
   */
  constructor(root, desk, words, onOpen = (sessionId) => desk.select(sessionId)) {
    this.#desk = desk;
    this.#words = words;
    this.#context = new ContextView(byId("context"), words, onOpen);
    this.#composer = new TalkComposer(desk, words, {
      onSent: () => this.scrollToEnd(),
      onTold: (text) => setText(this.#live, text),
    });
    /** @type {MessageList<Item, Shown>} */
    this.#list = new MessageList(words, {
      rows: (items, from, to, shown) => this.#rows(items, from, to, shown),
      greeting: () => [],
      tail: () => this.#tail(),
      loadEarlier: async () => {
        await this.#shown?.talk.loadEarlier();
        return this.#shown?.talk.error == null;
      },
    });
    const button = (/** @type {string} */ name, /** @type {TextKey} */ label, data = {}) =>
      el(`button.icon.${name}`, { data, ariaLabel: words.t(label), title: words.t(label) });
    const back = button("back", "backToList", { go: "back" });
    const about = button("info", "context", { go: "context" });
    const more = button("more", "more", { act: "menu" });
    back.append("←");
    about.append("i");
    more.append(icon("more"));
    more.setAttribute("aria-controls", "talk-menu");
    more.ariaExpanded = "false";
    const menu = el("div.menu-of", {}, more, this.#menu);
    this.#header = el(
      "header.owner",
      {},
      back,
      el("div.owner-text", {}, this.#title, this.#detail),
      this.#buttons,
      menu,
      about,
    );
    this.#empty = el("p.empty", {}, words.t("noneOpen"));
    root.replaceChildren(
      this.#header,
      this.#empty,
      this.#list.element,
      this.#card,
      this.#composer.element,
      this.#live,
      this.#dialog,
    );
    root.addEventListener("click", (event) => this.#onClick(event));
    root.addEventListener("scroll", () => this.#keepPlace(), { capture: true, passive: true });
    // Whoever scrolls is there.
    for (const type of ["wheel", "touchmove", "keydown"]) {
      this.#list.element.addEventListener(type, () => (this.#place = null), { passive: true });
    }
    menu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !this.#isMenuOpen) return;
      event.preventDefault();
      this.#openMenu(false);
      more.focus();
    });
    menu.addEventListener("focusout", ({ relatedTarget }) => {
      if (!(relatedTarget instanceof Node && menu.contains(relatedTarget))) this.#openMenu(false);
    });
    this.#dialog.addEventListener("close", () => {
      if (this.#dialog.returnValue === "ok") this.#confirmed?.();
      this.#confirmed = null;
    });
  }

  /** Bring all of it up to date. */
  show() {
    const { talk } = this.#desk;
    if (talk !== (this.#shown?.talk ?? null)) this.#begin(talk);
    keepingFocus(
      () => this.#render(talk),
      () => this.#list.focus(),
    );
  }

  focusComposer() {
    this.#composer.focus();
  }

  scrollToEnd() {
    this.#place = null;
    this.#list.showNewest();
    this.#keepPlace();
  }

  /**
   * Do something with the open conversation; return whether that can be done now.
   *
   * @param {Act} act
   */
  run(act) {
    const { talk } = this.#desk;
    const isOffered = talk && actsOf(talk.chat, this.#desk.isMine(talk.chat)).includes(act);
    if (!isOffered || this.#isActing || !this.#desk.canAct(talk.chat)) return false;
    if (ACTS[act].isAsked) this.#ask(/** @type {AskedAct} */ (act), talk);
    else this.#act(act, talk);
    return true;
  }

  /** @param {Talk | null} talk */
  #begin(talk) {
    this.#dialog.close();
    this.#newest = undefined;
    this.#pages = 0;
    this.#place = null;
    this.#shown = talk && {
      talk,
      items: () => talk.items,
      get hasEarlier() {
        return talk.hasEarlier;
      },
    };
    if (talk) this.#place = this.#desk.memory.place(talk.sessionId) ?? UNREAD;
  }

  /** @param {Talk | null} talk */
  #render(talk) {
    this.#empty.hidden = talk !== null;
    for (const part of [this.#header, this.#list.element]) part.hidden = talk === null;
    if (talk) this.#showOwner(talk);
    this.#showQuestion(talk?.chat);
    this.#composer.show(talk);
    this.#context.show(talk);
    if (!this.#shown) return;
    this.#countNew(this.#shown.items());
    this.#list.render(this.#shown);
    this.#findPlace();
  }

  // Where one reads.

  /** @param {readonly Item[]} items */
  #countNew(items) {
    const newest = this.#newest;
    this.#newest = items.at(-1)?.key;
    if (newest === undefined || newest === this.#newest) return;
    for (let n = items.length - 1; n >= 0 && items[n].key !== newest; n -= 1) {
      const { kind, author, mode } = items[n];
      if (kind !== "message" || author === "system" || mode !== null) continue;
      this.#list.noteReceived();
      setText(this.#live, `${this.#words.author(items[n])}: ${items[n].text}`);
    }
  }

  /** Go to where the conversation was left, or to what nobody has answered, once it is loaded. */
  #findPlace() {
    const talk = this.#shown?.talk;
    if (!talk || this.#place === null || talk.items.length === 0) return;
    const isWanted = this.#place !== UNREAD;
    if (!isWanted && talk.isLoading) return;
    if (this.#list.showAt(isWanted ? this.#place : beforeUnread(talk))) this.#place = null;
    else if (talk.isLoading) return;
    else if (!isWanted || !talk.hasEarlier || this.#pages >= MOST_PAGES) this.#place = null;
    else {
      this.#pages += 1;
      talk.loadEarlier();
    }
  }

  #keepPlace() {
    const talk = this.#shown?.talk;
    if (!talk || this.#place !== null || talk.items.length === 0) return;
    this.#desk.memory.setPlace(talk.sessionId, this.#list.place);
  }

  // Who has it.

  /** @param {Talk} talk */
  #showOwner(talk) {
    const { chat } = talk;
    const words = this.#words;
    const desk = this.#desk;
    const { status, coordinatorId, waitingSince, since } = chat;
    this.#header.dataset.status = status;
    setText(this.#title, words.customer(chat.userId));
    const isMine = desk.isMine(chat);
    const name = isMine ? words.t("you") : (coordinatorId ?? words.t("colleague"));
    const isWithPeople = status === "waiting" || status === "live"; // only then it is known
    const online = isWithPeople ? talk.customerOnline : null;
    const at = timeOf((status === "waiting" && waitingSince) || since);
    const parts = [
      words.code("status", status, { name }),
      at && words.t("since", { time: words.shortTime(at) }),
      online === null ? null : words.t(online ? "online" : "offline"),
      chat.pending ? words.t("pending") : null,
    ];
    const detail = parts.filter(Boolean).join(" · ");
    if (this.#newest !== undefined && this.#detail.textContent !== detail)
      setText(this.#live, detail);
    setText(this.#detail, detail);
    const isDisabled = String(this.#isActing || !desk.canAct(chat));
    const acts = actsOf(chat, isMine);
    const [rare, usual] = [true, false].map((isRare) =>
      acts.filter((act) => (ACTS[act].isRare ?? false) === isRare),
    );
    // Each by its own key: a second press of one is never of another that took its place.
    const row = (/** @type {Act} */ act) => {
      return { key: act, version: [isDisabled], build: () => this.#button(act, isDisabled) };
    };
    reconcile(this.#buttons, usual.map(row));
    reconcile(this.#menu, rare.map(row));
    /** @type {HTMLElement} */ (this.#menu.parentElement).hidden = rare.length === 0;
  }

  /**
   * @param {Act} act
   * @param {string} ariaDisabled
   */
  #button(act, ariaDisabled) {
    const { className = "quiet", key = "" } = ACTS[act];
    const properties = { className, ariaDisabled, ariaKeyShortcuts: key || null, data: { act } };
    return el("button", properties, this.#words.t(`act.${act}`));
  }

  get #isMenuOpen() {
    return this.#menu.classList.contains("open");
  }

  /** @param {boolean} isOpen */
  #openMenu(isOpen) {
    this.#menu.classList.toggle("open", isOpen);
    const button = this.#menu.previousElementSibling;
    if (button) button.ariaExpanded = String(isOpen);
  }

  // What is done.

  /**
   * @param {Act} act
   * @param {Talk} talk
   * @param {{to?: string, summary?: string | null}} [payload]
   */
  async #act(act, { sessionId }, payload = {}) {
    const isTaking = act === "claim" || act === "stepIn" || act === "takeOver";
    const action = isTaking ? "claim" : act;
    const request = isTaking && act !== "claim" ? { takeOver: true } : payload;
    this.#isActing = true;
    this.show();
    try {
      await this.#desk.act(action, sessionId, request);
    } catch (error) {
      if (!(error instanceof PushError)) throw error;
      const why = this.#words.refusalOf(error.reason, error.response);
      showAlert(this.#words.t("actFailed"), why);
    } finally {
      this.#isActing = false;
    }
    this.show();
    const { talk } = this.#desk;
    const isHere = talk?.sessionId === sessionId;
    if (isTaking && isHere && this.#desk.isMine(talk.chat)) this.#composer.reply();
  }

  /**
   * Ask for what an action needs, and whether it is meant.
   *
   * @param {AskedAct} act
   * @param {Talk} talk
   */
  #ask(act, talk) {
    const words = this.#words;
    const field = el("textarea", { rows: 3, maxLength: 4_000, name: "summary" });
    const colleagues = act === "forward" ? this.#colleagues(talk.chat) : [];
    const confirm = el(
      "button.primary",
      { type: "submit", value: "ok", disabled: act === "forward" && colleagues.length === 0 },
      words.t(`act.${act}`),
    );
    const optional = el("span.muted", {}, words.t("optional"));
    const label = el("span", {}, words.t(act === "forward" ? "noteFor" : "summary"), " ", optional);
    const cancel = { type: /** @type {const} */ ("submit"), formNoValidate: true, value: "" };
    const form = el(
      "form",
      { method: "dialog" },
      el("h2", { id: "act-title" }, words.t(`key.${act}`)),
      el("p", {}, words.t(`ask.${act}`)),
      colleagues.length > 0 &&
        el("fieldset", {}, el("legend", {}, words.t("forwardTo")), ...colleagues),
      confirm.disabled && el("p", {}, words.t("nobodyHere")),
      el("label", {}, label, field),
      el("div.row.end", {}, el("button.quiet", cancel, words.t("cancel")), confirm),
    );
    this.#dialog.replaceChildren(form);
    this.#dialog.setAttribute("aria-labelledby", "act-title");
    this.#dialog.returnValue = "";
    this.#confirmed = () => {
      const to = new FormData(form).get("to");
      const summary = field.value.trim() || null;
      this.#act(act, talk, to ? { to: String(to), summary } : { summary });
    };
    this.#openMenu(false);
    this.#dialog.showModal();
    /** @type {HTMLElement | null} */ (form.querySelector("input, textarea"))?.focus();
  }

  /** @param {Chat} chat */
  #colleagues({ businessId }) {
    const business = this.#desk.businesses.find((each) => each.businessId === businessId);
    const names = business?.presence.coordinators ?? [];
    return names
      .filter((name) => name !== this.#desk.coordinatorId)
      .map((value, n) => {
        const input = { type: "radio", name: "to", value, required: true, checked: n === 0 };
        return el("label.row", {}, el("input", input), el("bdi", {}, value));
      });
  }

  /** @param {MouseEvent} event */
  #onClick({ target }) {
    const pressed = target instanceof Element ? target.closest("[data-act]") : null;
    const talk = this.#shown?.talk;
    if (!(pressed instanceof HTMLElement) || !talk) return;
    const { act = "", id = "" } = pressed.dataset;
    const asked = talk.chat.confirmation;
    if (act === "newest") this.scrollToEnd();
    else if (act === "earlier") this.#list.earlier();
    else if (act === "retry") talk.retry(id);
    else if (act === "discard") this.#discard(talk, id);
    else if (act === "menu") this.#openMenu(!this.#isMenuOpen);
    else if ((act === "yes" || act === "no") && asked) {
      if (pressed.ariaDisabled !== "true") this.#desk.confirm(talk.sessionId, asked.confirmId, act);
    } else if (Object.hasOwn(ACTS, act)) this.run(/** @type {Act} */ (act));
  }

  /**
   * Take what was not sent back into the field, unless something is being written there.
   *
   * @param {Talk} talk
   * @param {string} key
   */
  #discard(talk, key) {
    const item = talk.items.find((each) => each.key === key);
    if (item?.mode && this.#composer.takeBack(item.mode, item.text)) talk.discard(key);
  }

  // What waits for a yes.

  /** @param {Chat | undefined} chat */
  #showQuestion(chat) {
    const asked = chat?.confirmation;
    this.#card.hidden = !asked;
    if (!chat || !asked) return;
    const { isSending, error } = this.#desk.answering(asked.confirmId);
    const words = this.#words;
    const { state, by, what, result } = asked;
    this.#card.dataset.state = state;
    this.#card.ariaLabel = what;
    const ariaDisabled = String(isSending || !this.#desk.canAct(chat));
    const button = (/** @type {"yes" | "no"} */ act, className = "quiet") =>
      el("button", { className, ariaDisabled, data: { act } }, words.t(act));
    const isForUs = by === "coordinator" && state === "proposed";
    const why = state === "proposed" && error && words.refusalOf(error.reason, error.response);
    const card = el(
      "div",
      {},
      el("p.what", { dir: "auto" }, what),
      el("p.outcome", {}, isSending ? words.t("sending") : this.#askedText(asked)),
      result && el("p.result", { dir: "auto" }, result),
      why && el("p.failure", { role: "alert" }, why),
      isForUs && el("div.row", {}, button("yes", "primary"), button("no")),
    );
    morphChildren(this.#card, [...card.childNodes]);
  }

  /** @param {Asked} asked */
  #askedText({ by, state, expiresAt, coordinatorId }) {
    const words = this.#words;
    if (state !== "proposed") {
      const text = words.code("asked", state);
      return coordinatorId ? `${text} (${words.t("by", { name: coordinatorId })})` : text;
    }
    const waits = words.t(by === "coordinator" ? "askedYou" : "askedUser");
    const until = timeOf(expiresAt);
    return until ? `${waits}, ${words.t("until", { time: words.moment(until) })}.` : `${waits}.`;
  }

  // What was said and done.

  #tail() {
    const talk = this.#shown?.talk;
    if (!talk) return [];
    const words = this.#words;
    const dots = el("span.dots", { ariaHidden: "true" }, el("i"), el("i"), el("i"));
    const name = words.customer(talk.chat.userId);
    const text = talk.error
      ? words.refusalOf(talk.error.reason, talk.error.response)
      : talk.items.length === 0 && words.t(talk.isLoading ? "loading" : "noMessages");
    const tail = el(
      "div",
      {},
      text && el("p.note", {}, text),
      talk.isTyping && el("div.typing", { id: "typing" }, dots, words.texts.isTyping(name)),
    );
    return [...tail.childNodes];
  }

  /**
   * @param {readonly Item[]} items
   * @param {number} from
   * @param {number} to
   * @param {Shown} shown
   */
  #rows(items, from, to, { talk }) {
    /** @type {Row[]} */
    const rows = [];
    const { unreadFrom } = talk;
    let day = from > 0 ? dayOf(items[from - 1]) : "";
    for (let n = from; n < to; n += 1) {
      const item = items[n];
      const at = timeOf(item.at);
      if (at && day !== at.toDateString()) {
        day = at.toDateString();
        rows.push(lineRow(`day ${day}`, "day", this.#words.day(at)));
      }
      if (item.key === unreadFrom) rows.push(lineRow("new", "new", this.#words.t("new")));
      rows.push(this.#row(item, items[n - 1], talk.chat, item.key === unreadFrom));
    }
    return rows;
  }

  /**
   * @param {Item} item
   * @param {Item | undefined} before
   * @param {Chat} chat
   * @param {boolean} isAfterLine
   * @returns {Row}
   */
  #row(item, before, chat, isAfterLine) {
    const { key, kind } = item;
    if (kind === "divider") {
      return lineRow(key, "side", this.#words.t(item.type === "live" ? "sideLive" : "sideAi"));
    }
    if (kind === "event" || kind === "step" || kind === "rating") {
      return { key, version: [item], build: () => this.#event(item) };
    }
    const isGrouped = !isAfterLine && isContinued(before, item);
    return { key, version: [item, isGrouped], build: () => this.#entry(item, isGrouped, chat) };
  }

  /**
   * @param {Item} item
   * @param {boolean} isGrouped
   * @param {Chat} chat
   */
  #entry(item, isGrouped, { userId }) {
    const words = this.#words;
    const { kind, author, state, coordinatorId, sources, tools, key, error } = item;
    const isOwn = author === "coordinator" && coordinatorId === this.#desk.coordinatorId;
    const name = author === "user" ? words.customer(userId) : words.author(item);
    const at = timeOf(item.at);
    const mode = kind === "note" || kind === "whisper" ? kind : null;
    const seenBy = mode && `${words.t(`mode.${mode}`)} · ${words.t(`mode.${mode}.what`)}`;
    const shown =
      author === "user" || kind !== "message" ? addressesIn(item.text) : textNodes(item);
    const looked = tools.map(({ name, query, outcome }) =>
      el("li", {}, [name, query && `“${query}”`, outcome].filter(Boolean).join(" · ")),
    );
    const sourced = [...sources.map((source) => el("li", {}, source)), ...looked];
    const button = (/** @type {"retry" | "discard"} */ act, /** @type {TextKey} */ text) =>
      el("button", { data: { act, id: key } }, words.t(text));
    return el(
      isGrouped ? "li.entry" : "li.entry.first",
      { data: { kind, author, state, mine: String(isOwn) } },
      el(
        "span.author",
        {},
        el("bdi", {}, isOwn ? words.t("youSaid") : name),
        seenBy && ` · ${seenBy}`,
      ),
      el("div.bubble", { dir: "auto", lang: "" }, ...shown),
      sourced.length > 0 &&
        el(
          "details.sources",
          {},
          el("summary", {}, words.n("lookedUp", sourced.length)),
          el("ul", {}, ...sourced),
        ),
      el(
        "span.meta",
        {},
        at && el("time", { dateTime: item.at, title: words.moment(at) }, words.clock(at)),
        isOwn && this.#mark(state),
        state === "failed" &&
          el(
            "span.failure",
            {},
            words.refusalOf(error?.reason ?? ""),
            button("retry", "retry"),
            button("discard", "takeBack"),
          ),
      ),
    );
  }

  /** @param {Item["state"]} state */
  #mark(state) {
    if (state === "stored") {
      const ariaLabel = this.#words.texts.stored;
      return el("span.tick", { role: "img", ariaLabel }, icon("check"));
    }
    const { texts } = this.#words;
    return el("span", {}, state === "queued" || state === "sending" ? texts[state] : texts.failed);
  }

  /**
   * Create the line about something that is no message.
   *
   * @param {Item} item
   */
  #event(item) {
    const { kind, text, rating } = item;
    const at = timeOf(item.at);
    const time = at && el("time", { dateTime: item.at }, this.#words.clock(at));
    const said = kind !== "step" && text ? el("q", { dir: "auto" }, ...addressesIn(text)) : null;
    const line = el("span", {}, this.#eventText(item), said && " ", said, " ", time);
    const className = `line ${kind}`;
    return el("li", { className, data: { rating: String(rating ?? "") } }, line);
  }

  /** @param {Item} item */
  #eventText({ kind, type, text, to, rating, coordinatorId }) {
    const words = this.#words;
    if (kind === "rating") return `${words.t("about.rating")}: ${starsOf(rating ?? 0)}`;
    if (kind === "step") return `${text} · ${words.code("asked", type)}`;
    const nameOf = (/** @type {string | null} */ id) =>
      id === this.#desk.coordinatorId ? words.t("you") : (id ?? words.t("colleague"));
    const known = words.code("event", type, { name: nameOf(coordinatorId), to: nameOf(to) });
    return known === type ? words.code("reason", type) : known;
  }
}

/**
 * @param {string} key
 * @param {string} className
 * @param {string} text
 * @returns {Row}
 */
const lineRow = (key, className, text) => ({
  key,
  version: [text],
  build: () => el("li", { className: `divider ${className}` }, el("span", {}, text)),
});

/**
 * Return the key of what is before the first message that nobody has answered, "" for none.
 *
 * @param {Talk} talk
 */
function beforeUnread({ items, unreadFrom }) {
  const at = items.findIndex(({ key }) => key === unreadFrom);
  return at < 0 ? "" : items[Math.max(0, at - 1)].key;
}

/** @param {Item} item */
const dayOf = ({ at }) => timeOf(at)?.toDateString() ?? "";

/**
 * Return whether two items are of one author and one kind, and near in time.
 *
 * @param {Item | undefined} one
 * @param {Item} other
 */
function isContinued(one, other) {
  if (one?.kind !== other.kind || one.author !== other.author) return false;
  if (one.coordinatorId !== other.coordinatorId || dayOf(one) !== dayOf(other)) return false;
  return !(Math.abs(Date.parse(other.at) - Date.parse(one.at)) > GROUP_MS);
}
