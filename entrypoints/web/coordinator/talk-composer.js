/** The field in which a coordinator writes: to the customer, to colleagues, or to the assistant. */

import { Composer, MAX_LENGTH } from "../chat/composer.js";
import { icon, morphChildren } from "../chat/dom.js";
import { el, setText } from "../shared/dom.js";

/** @import { Desk } from "./desk.js" */
/** @import { Mode } from "./memory.js" */
/** @import { Talk } from "./talk.js" */
/** @import { DeskWords } from "./texts.js" */
/** @import { Chat } from "./wire.js" */

/**
 * @typedef {object} Suggested  what the assistant proposes in place of a draft
 * @property {string} before  the draft that was there
 * @property {string} text
 * @property {boolean} isStreaming
 */

/** @typedef {[name: string, text: string]} Reply  a canned one */

/** @type {Record<Mode, {key: string, limit: number}>} the longest text, and the key that leads here */
const MODES = {
  reply: { key: "r", limit: MAX_LENGTH },
  note: { key: "n", limit: 4_000 },
  whisper: { key: "w", limit: 2_000 },
};
const ALL = /** @type {Mode[]} */ (Object.keys(MODES));
const MAX_SHOWN = 50;

/**
 * Return whether a message is left in it and no coordinator has it: a reply takes it over.
 *
 * @param {Chat} chat
 */
const isLeft = ({ missed, status }) => missed !== null && status !== "waiting" && status !== "live";

/**
 * Return what can be written in a conversation; a note always can.
 *
 * @param {Chat} chat
 * @param {boolean} isMine
 */
export function modesOf(chat, isMine) {
  const isOffered = { reply: isMine || isLeft(chat), note: true, whisper: chat.status === "ai" };
  return ALL.filter((mode) => isOffered[mode]);
}

/**
 * Return a canned reply with its variables filled; one without a value leaves nothing behind.
 *
 * @param {string} reply
 * @param {Record<string, string>} values
 */
export function filled(reply, values) {
  const text = reply.replace(/([,;]?[ \t]*)\{(customer|coordinator|business)\}/g, (_, gap, name) =>
    values[name] ? gap + values[name] : "",
  );
  return text === reply
    ? text
    : text.replace(/^[,;\s]+(\p{L}?)/u, (_, first) => first.toUpperCase());
}

/**
 * Return the replies that fit what is typed: those whose name begins so come first.
 *
 * @param {Reply[]} replies
 * @param {string} query
 */
export function matching(replies, query) {
  const wanted = folded(query.trim());
  const rank = (/** @type {Reply} */ [name, text]) =>
    folded(name).startsWith(wanted) ? 0 : folded(`${name}\n${text}`).includes(wanted) ? 1 : 2;
  const found = replies.filter((reply) => rank(reply) < 2);
  return found.sort((one, other) => rank(one) - rank(other)).slice(0, MAX_SHOWN);
}

/** @param {string} text */
const folded = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

/** @param {string} userId */
const nameOf = (userId) => (/^\p{L}[\p{L}\p{M}'’ .-]*$/u.test(userId) ? userId : "");

export class TalkComposer {
  #desk;
  #words;
  #onTold;
  #composer;
  #field;
  /** @type {Talk | null} the one that the field is of */
  #talk = null;
  /** @type {Mode} */
  #mode = "note";
  /** Whether nobody has chosen it: it is what is offered first. */
  #isDefault = true;
  /** @type {Map<string, Suggested>} by sessionId */
  #suggested = new Map();
  /** @type {Reply[]} to choose from */
  #choices = [];
  #chosen = 0;
  /** Whether the replies were sent away although `/` is typed. */
  #isDismissed = false;

  #tabs = el("div.modes.row", { role: "group" });
  #what = el("span.what", { id: "mode-what" });
  #mark = el("div.suggested.row", {});
  #list = el("ul.choices", { id: "choices", role: "listbox" });
  #tools = el("div.tools.row", {});

  /**
   * @param {Desk} desk
   * @param {DeskWords} words
   * @param {{onSent: () => void, onTold: (text: string) => void}} options  `onTold` reads out
   */
  constructor(desk, words, { onSent, onTold }) {
    this.#desk = desk;
    this.#words = words;
    this.#onTold = onTold;
    this.#composer = new Composer(words, {
      onSend: (text) => {
        if (this.#mode === "reply") this.#talk?.send(text);
        else if (this.#mode === "note") this.#talk?.note(text);
        else this.#talk?.whisper(text);
        onSent();
      },
      onInput: (draft) => this.#onInput(draft),
      onStop: () => this.#stop(),
    });
    const field = this.#composer.element.querySelector("textarea");
    if (!field) throw new Error("The composer has no field");
    this.#field = field;
    field.setAttribute("aria-describedby", "mode-what counter");
    field.setAttribute("aria-autocomplete", "list");
    field.setAttribute("aria-controls", "choices");
    this.#list.ariaLabel = words.t("canned");
    this.#list.hidden = true;
    this.#tabs.ariaLabel = words.t("writeAs");
    const tab = (/** @type {Mode} */ mode) =>
      el(
        "button",
        { ariaKeyShortcuts: MODES[mode].key, data: { act: "mode", mode } },
        words.t(`mode.${mode}`),
      );
    this.#tools.append(
      el("button", { data: { act: "canned" } }, el("kbd", {}, "/"), words.t("canned")),
      el(
        "button",
        { ariaKeyShortcuts: "s", data: { act: "suggest" } },
        icon("spark"),
        words.t("suggest"),
      ),
      el("span.hint", {}, words.t("enterSends")),
    );
    this.#tabs.append(...ALL.map(tab), this.#what);
    this.element = el(
      "div.write",
      {},
      this.#list,
      this.#tabs,
      this.#mark,
      this.#composer.element,
      this.#tools,
    );
    this.element.addEventListener("click", (event) => this.#onClick(event));
    // Before the field's own: a chosen reply is not sent, nor a suggestion that is being written.
    this.element.addEventListener("keydown", (event) => this.#onKey(event), { capture: true });
    this.element.addEventListener("submit", (event) => this.#onSubmit(event), { capture: true });
    // The field keeps the focus, and what is selected in it.
    for (const part of [this.#list, this.#tools]) {
      part.addEventListener("mousedown", (event) => event.preventDefault());
    }
    field.addEventListener("blur", () => this.#closeChoices());
  }

  /**
   * Show the field for a conversation as it is now; null: none.
   *
   * @param {Talk | null} talk
   */
  show(talk) {
    this.element.hidden = talk === null;
    if (talk !== this.#talk) this.#begin(talk);
    if (!talk) return;
    const offered = this.#offered(talk);
    // What was typed as something else stays its draft, and the rest of it is seen by no customer.
    if (!offered.includes(this.#mode)) this.#setMode("note");
    else if (this.#isDefault && !this.#field.matches(":focus")) this.#setMode(offered[0]);
    for (const tab of this.#tabs.querySelectorAll("button")) {
      tab.hidden = !offered.includes(/** @type {Mode} */ (tab.dataset.mode));
    }
    this.#showSuggestion(talk);
    const isReply = this.#mode === "reply";
    const [canned, suggest] = this.#tools.querySelectorAll("button");
    canned.hidden = !isReply || this.#field.value !== "" || this.#replies.length === 0;
    suggest.hidden = !isReply;
    this.#composer.render({ canSend: true, canStop: this.#isStreaming });
  }

  /**
   * Write as somebody who replies, notes, or whispers; return whether that can be done now.
   *
   * @param {Mode} mode
   */
  writeAs(mode) {
    if (!this.#talk || !this.#offered(this.#talk).includes(mode)) return false;
    this.#choose(mode);
    this.focus();
    return true;
  }

  /** Reply, unless something else is being written. */
  reply() {
    const isWriting = this.#field.matches(":focus") && this.#field.value !== "";
    if (!isWriting) this.writeAs("reply");
  }

  /**
   * Take a text into a draft, unless there is one.
   *
   * @param {Mode} mode
   * @param {string} text
   */
  takeBack(mode, text) {
    const talk = this.#talk;
    if (!talk || this.#desk.memory.draft(talk.sessionId, mode)) return false;
    this.#desk.memory.setDraft(talk.sessionId, mode, text);
    if (mode === this.#mode) this.#composer.fill(text);
    this.writeAs(mode);
    return true;
  }

  focus() {
    this.#composer.focus();
  }

  /** @param {Talk} talk */
  #offered({ chat }) {
    return modesOf(chat, this.#desk.isMine(chat));
  }

  /** @param {Talk | null} talk */
  #begin(talk) {
    this.#stop();
    this.#talk = talk;
    this.#closeChoices();
    if (!talk) return;
    const mode = this.#desk.memory.mode(talk.sessionId);
    this.#isDefault = mode === null;
    this.#setMode(mode ?? this.#offered(talk)[0]);
  }

  /** @param {Mode} mode */
  #choose(mode) {
    this.#isDefault = false;
    if (this.#talk) this.#desk.memory.setMode(this.#talk.sessionId, mode);
    if (mode !== this.#mode) this.#setMode(mode);
  }

  /** @param {Mode} mode */
  #setMode(mode) {
    const words = this.#words;
    if (mode !== "reply") this.#stop();
    this.#mode = mode;
    this.#closeChoices();
    this.element.dataset.mode = mode;
    for (const tab of this.#tabs.querySelectorAll("button")) {
      tab.ariaPressed = String(tab.dataset.mode === mode);
    }
    setText(this.#what, words.t(`mode.${mode}.what`));
    this.#field.ariaLabel = words.t(`key.${mode}`);
    this.#field.placeholder = `${words.t(`key.${mode}`)}…`;
    this.#composer.maxLength = MODES[mode].limit;
    if (this.#talk) this.#composer.fill(this.#desk.memory.draft(this.#talk.sessionId, mode));
  }

  /** @param {string} draft */
  #onInput(draft) {
    const talk = this.#talk;
    if (!talk) return;
    const suggested = this.#suggested.get(talk.sessionId);
    if (this.#mode === "reply" && suggested) {
      // Whoever types goes on with what is there: nothing is written into it any more.
      this.#stop();
      if (!suggested.before || !draft) this.#suggested.delete(talk.sessionId);
    }
    if (draft) this.#choose(this.#mode);
    this.#desk.memory.setDraft(talk.sessionId, this.#mode, draft);
    if (this.#mode === "reply" && draft && !draft.startsWith("/")) talk.notifyTyping();
    if (!draft.startsWith("/") || draft === "/") this.#isDismissed = false;
    this.#chosen = 0;
    this.#showChoices();
    this.#showMark();
  }

  /**
   * Put a text into the field as a draft.
   *
   * @param {string} text
   */
  #fill(text) {
    this.#composer.fill(text);
    if (this.#talk) this.#desk.memory.setDraft(this.#talk.sessionId, this.#mode, text);
  }

  // A suggestion of the assistant's.

  get #isStreaming() {
    return this.#suggested.get(this.#talk?.sessionId ?? "")?.isStreaming === true;
  }

  #suggest() {
    const talk = this.#talk;
    if (!talk || this.#isStreaming || !this.writeAs("reply")) return;
    const before = this.#desk.memory.draft(talk.sessionId, "reply");
    this.#suggested.set(talk.sessionId, { before, text: "", isStreaming: true });
    talk.suggest();
    this.show(talk);
  }

  /** Let nothing more of a suggestion be written; what is there of it stays. */
  #stop() {
    const talk = this.#talk;
    const suggested = this.#suggested.get(talk?.sessionId ?? "");
    if (!talk || !suggested?.isStreaming) return;
    suggested.isStreaming = false;
    if (suggested.text) this.#desk.memory.setDraft(talk.sessionId, "reply", suggested.text);
    else this.#suggested.delete(talk.sessionId);
    talk.stopSuggestion();
  }

  #undo() {
    const { sessionId = "" } = this.#talk ?? {};
    this.#fill(this.#suggested.get(sessionId)?.before ?? "");
    this.#suggested.delete(sessionId);
    this.#showMark();
    this.focus();
  }

  /** @param {Talk} talk */
  #showSuggestion(talk) {
    const { suggestion, sessionId } = talk;
    const suggested = this.#suggested.get(sessionId);
    if (suggested?.isStreaming && suggestion) {
      const hasMore = suggestion.text !== suggested.text;
      suggested.text = suggestion.text;
      if (suggestion.state === "failed") {
        this.#suggested.delete(sessionId);
        this.#fill(suggested.before);
      } else {
        suggested.isStreaming = suggestion.state === "streaming";
        if (hasMore) this.#composer.fill(suggested.text);
        if (!suggested.isStreaming) this.#fill(suggested.text);
      }
    }
    this.#showMark();
  }

  #showMark() {
    const words = this.#words;
    const { sessionId = "", suggestion = null } = this.#talk ?? {};
    const suggested = this.#mode === "reply" ? this.#suggested.get(sessionId) : undefined;
    const error = suggestion?.state === "failed" ? suggestion.error : null;
    const isUntouched = suggested?.isStreaming || suggested?.text === this.#field.value;
    let text = "";
    if (suggested?.isStreaming) text = words.t("suggesting");
    else if (suggested) text = words.t(isUntouched ? "suggested" : "draftKept");
    else if (error && this.#mode === "reply")
      text = `${words.t("notSuggested")} ${words.refusalOf(error.reason)}`;
    this.element.dataset.suggested = String(isUntouched);
    this.#mark.hidden = text === "";
    if (text && text !== this.#mark.textContent) this.#onTold(text);
    const undo = el("button", { data: { act: "undo" } }, words.t("undo"));
    const isUndone = suggested && !suggested.isStreaming;
    morphChildren(this.#mark, [icon("spark"), el("span", {}, text), ...(isUndone ? [undo] : [])]);
  }

  // Canned replies.

  /** The business's, with their variables filled. */
  get #replies() {
    const { chat } = this.#talk ?? {};
    const business = this.#desk.businesses.find((each) => each.businessId === chat?.businessId);
    const values = {
      customer: nameOf(chat?.userId ?? ""),
      coordinator: this.#desk.coordinatorId,
      business: business?.name ?? "",
    };
    const replies = Object.entries(business?.replies ?? {});
    return replies.map(([name, text]) => /** @type {Reply} */ ([name, filled(text, values)]));
  }

  get #isChoosing() {
    return this.#choices.length > 0;
  }

  #showChoices() {
    const typed = this.#field.value.startsWith("/") ? this.#field.value.slice(1) : null;
    const isOpen = this.#mode === "reply" && !this.#isDismissed && typed !== null;
    this.#choices = isOpen ? matching(this.#replies, typed) : [];
    const options = this.#choices.map(([name, text], n) => {
      const ariaSelected = String(n === this.#chosen);
      const data = { act: "choose", n: String(n) };
      const option = { role: "option", id: `choice-${n}`, ariaSelected, data };
      return el("li", option, el("b", {}, name), el("span", {}, text));
    });
    morphChildren(this.#list, options);
    this.#list.hidden = !this.#isChoosing;
    const chosen = this.#list.children[this.#chosen];
    if (chosen) {
      this.#field.setAttribute("aria-activedescendant", chosen.id);
      chosen.scrollIntoView({ block: "nearest", behavior: "instant" });
      this.#onTold(this.#words.n("choices", this.#choices.length));
    } else this.#field.removeAttribute("aria-activedescendant");
  }

  #closeChoices() {
    this.#isDismissed = true;
    this.#showChoices();
  }

  /** @param {number} n */
  #pick(n) {
    const choice = this.#choices[n];
    if (!choice) return;
    this.#closeChoices();
    this.#fill(choice[1]);
    this.#showMark();
    this.focus();
  }

  // What is pressed.

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const { key, isComposing, shiftKey } = event;
    if (event.target !== this.#field || isComposing || event.keyCode === 229) return;
    const moves = { ArrowDown: 1, ArrowUp: -1 }[key];
    const isPicked = (key === "Enter" && !shiftKey) || (key === "Tab" && !shiftKey);
    if (this.#isChoosing && (moves || isPicked || key === "Escape")) {
      const { length } = this.#choices;
      this.#chosen = (this.#chosen + (moves ?? 0) + length) % length;
      if (isPicked) this.#pick(this.#chosen);
      else if (moves) this.#showChoices();
      else this.#closeChoices();
    } else if (key === "Enter" && !shiftKey && this.#isStreaming) {
      // It is not read yet.
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {SubmitEvent} event */
  #onSubmit(event) {
    if (!this.#isStreaming) return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {MouseEvent} event */
  #onClick({ target }) {
    const pressed = target instanceof Element ? target.closest("[data-act]") : null;
    if (!(pressed instanceof HTMLElement)) return;
    const { act, mode, n } = pressed.dataset;
    if (act === "mode") this.writeAs(/** @type {Mode} */ (mode));
    else if (act === "suggest") this.#suggest();
    else if (act === "stop") this.#stop();
    else if (act === "undo") this.#undo();
    else if (act === "choose") this.#pick(Number(n));
    else if (act === "canned") {
      this.focus();
      this.#fill("/");
      this.#onInput("/");
    }
  }
}
