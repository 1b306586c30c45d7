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

/** @type {Record<Act, string>} the key of each, "" for none */
const KEYS = {
  claim: "c",
  stepIn: "c",
  takeOver: "",
  attend: "",
  forward: "f",
  requeue: "q",
  return: "e",
  close: "x",
};
const ACTS = /** @type {Act[]} */ (Object.keys(KEYS));
/** Those that are asked about before they are done. */
const ASKED = /** @type {const} */ (["forward", "requeue", "return", "close"]);
const RARE = ["forward", "requeue"];
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
export function actsOf(chat, isMine) {
  const { status, missed } = chat;
  const isOffered = {
    claim: status === "waiting",
    stepIn: status === "ai",
    takeOver: status === "live" && !isMine,
    attend: missed !== null || hasOutcome(chat),
    forward: isMine,
    requeue: isMine,
    return: isMine,
    close: isMine,
  };
  return ACTS.filter((act) => isOffered[act]);
}

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
  #buttons = el("div", { className: "acts" });
  #menu = el("div", { className: "menu", id: "talk-menu" });
  #header;
  #card = el("div", { id: "confirmation", className: "confirmation", role: "group", tabIndex: -1 });
  #empty;
  #live = el("p", { className: "visually-hidden", role: "status" });
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
    const back = this.#iconButton("back", "backToList");
    back.dataset.go = "back";
    const about = this.#iconButton("info", "context");
    about.dataset.go = "context";
    const more = el("button", { type: "button", className: "icon more", data: { act: "menu" } });
    more.append(icon("more"));
    more.ariaLabel = more.title = words.t("more");
    more.setAttribute("aria-controls", "talk-menu");
    more.ariaExpanded = "false";
    const menu = el("div", { className: "menu-of" }, more, this.#menu);
    this.#header = el(
      "header",
      { className: "owner" },
      back,
      el("div", { className: "owner-text" }, this.#title, this.#detail),
      this.#buttons,
      menu,
      about,
    );
    this.#empty = el("p", { className: "empty" }, words.t("noneOpen"));
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
    const asked = ASKED.find((each) => each === act);
    if (asked) this.#ask(asked, talk);
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
    const rare = acts.filter((act) => RARE.includes(act));
    // Each by its own key: a second press of one is never of another that took its place.
    for (const [parent, shown] of /** @type {const} */ ([
      [this.#buttons, acts.filter((act) => !RARE.includes(act))],
      [this.#menu, rare],
    ])) {
      reconcile(
        parent,
        shown.map((act) => {
          return { key: act, version: [isDisabled], build: () => this.#button(act, isDisabled) };
        }),
      );
    }
    /** @type {HTMLElement} */ (this.#menu.parentElement).hidden = rare.length === 0;
  }

  /**
   * @param {Act} act
   * @param {string} ariaDisabled
   */
  #button(act, ariaDisabled) {
    const className = ["claim", "stepIn"].includes(act) ? "primary" : "quiet";
    const text = this.#words.t(`act.${act}`);
    const button = el("button", { type: "button", className, ariaDisabled, data: { act } }, text);
    if (KEYS[act]) button.setAttribute("aria-keyshortcuts", KEYS[act]);
    return button;
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
   * @param {typeof ASKED[number]} act
   * @param {Talk} talk
   */
  #ask(act, talk) {
    const words = this.#words;
    const title = el("h2", { id: "act-title" }, words.t(`key.${act}`));
    const field = el("textarea", { rows: 3, maxLength: 4_000, name: "summary" });
    const label = el("span", {}, words.t(act === "forward" ? "noteFor" : "summary"), " ");
    label.append(el("span", { className: "muted" }, words.t("optional")));
    const colleagues = act === "forward" ? this.#colleagues(talk.chat) : [];
    const confirm = el("button", { className: "primary", value: "ok" }, words.t(`act.${act}`));
    confirm.disabled = act === "forward" && colleagues.length === 0;
    const who = el("fieldset", {}, el("legend", {}, words.t("forwardTo")), ...colleagues);
    const nobody = el("p", {}, words.t("nobodyHere"));
    const form = el(
      "form",
      { method: "dialog" },
      title,
      el("p", {}, words.t(`ask.${act}`)),
      act !== "forward" ? null : colleagues.length > 0 ? who : nobody,
      el("label", {}, label, field),
      el(
        "div",
        { className: "row end" },
        el("button", { className: "quiet", formNoValidate: true, value: "" }, words.t("cancel")),
        confirm,
      ),
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
    const first = form.querySelector("input, textarea");
    if (first instanceof HTMLElement) first.focus();
  }

  /** @param {Chat} chat */
  #colleagues({ businessId }) {
    const business = this.#desk.businesses.find((each) => each.businessId === businessId);
    const names = business?.presence.coordinators ?? [];
    return names
      .filter((name) => name !== this.#desk.coordinatorId)
      .map((value, n) => {
        const input = el("input", { type: "radio", name: "to", value, required: true });
        input.checked = n === 0;
        return el("label", { className: "row" }, input, el("bdi", {}, value));
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
    } else if (Object.hasOwn(KEYS, act)) this.run(/** @type {Act} */ (act));
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
    const isDisabled = isSending || !this.#desk.canAct(chat);
    const button = (/** @type {"yes" | "no"} */ act) => {
      const className = act === "yes" ? "primary" : "quiet";
      const made = el("button", { type: "button", className, data: { act } }, words.t(act));
      made.ariaDisabled = String(isDisabled);
      return made;
    };
    const isForUs = by === "coordinator" && state === "proposed";
    const why =
      error && state === "proposed" ? words.refusalOf(error.reason, error.response) : null;
    morphChildren(
      this.#card,
      [
        el("p", { className: "what", dir: "auto" }, what),
        el("p", { className: "outcome" }, isSending ? words.t("sending") : this.#askedText(asked)),
        result ? el("p", { className: "result", dir: "auto" }, result) : null,
        why ? el("p", { className: "failure", role: "alert" }, why) : null,
        isForUs ? el("div", { className: "row" }, button("yes"), button("no")) : null,
      ].filter((part) => part !== null),
    );
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
    const dots = el("span", { className: "dots" }, el("i"), el("i"), el("i"));
    dots.setAttribute("aria-hidden", "true");
    const name = this.#words.customer(talk.chat.userId);
    const typing = el("div", { id: "typing", className: "typing" }, dots);
    typing.append(el("span", {}, this.#words.texts.isTyping(name)));
    const isEmpty = talk.items.length === 0;
    const error = talk.error && this.#words.refusalOf(talk.error.reason, talk.error.response);
    const note = isEmpty
      ? talk.isLoading
        ? this.#words.t("loading")
        : this.#words.t("noMessages")
      : "";
    return [
      error || note ? el("p", { className: "note" }, error ?? note) : null,
      talk.isTyping ? typing : null,
    ].filter((part) => part !== null);
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
    const rests = sources.map((source) => el("li", {}, source));
    const retry = el(
      "button",
      { type: "button", data: { act: "retry", id: key } },
      words.t("retry"),
    );
    const discard = el("button", { type: "button", data: { act: "discard", id: key } });
    discard.append(words.t("takeBack"));
    return el(
      "li",
      {
        className: isGrouped ? "entry" : "entry first",
        data: { kind, author, state, mine: String(isOwn) },
      },
      el(
        "span",
        { className: "author" },
        el("bdi", {}, isOwn ? words.t("youSaid") : name),
        seenBy && el("span", { className: "seen-by" }, ` · ${seenBy}`),
      ),
      el("div", { className: "bubble", dir: "auto", lang: "" }, ...shown),
      rests.length + looked.length > 0
        ? el(
            "details",
            { className: "sources" },
            el("summary", {}, words.n("lookedUp", rests.length + looked.length)),
            el("ul", {}, ...rests, ...looked),
          )
        : null,
      el(
        "span",
        { className: "meta" },
        at && el("time", { dateTime: item.at, title: words.moment(at) }, words.clock(at)),
        isOwn ? this.#mark(state) : null,
        state === "failed"
          ? el(
              "span",
              { className: "failure" },
              words.refusalOf(error?.reason ?? ""),
              retry,
              discard,
            )
          : null,
      ),
    );
  }

  /** @param {Item["state"]} state */
  #mark(state) {
    if (state === "stored") {
      const ariaLabel = this.#words.texts.stored;
      return el("span", { className: "tick", role: "img", ariaLabel }, icon("check"));
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

  /**
   * @param {"back" | "info"} name
   * @param {TextKey} label
   */
  #iconButton(name, label) {
    const text = name === "back" ? "←" : "i";
    const button = el("button", { type: "button", className: `icon ${name}` }, text);
    button.ariaLabel = button.title = this.#words.t(label);
    return button;
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
