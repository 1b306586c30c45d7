/** The view of the coordinators' page: the list, one conversation, and why it was handed over. */

import { byId, el, setText, typedById } from "../shared/dom.js";
import { inlineNodes, parseInline } from "../chat/markdown.js";
import { textNodes } from "../chat/messages.js";
import { isNearEnd, reconcile, scrollToEnd } from "../shared/message-list.js";
import { explainRefusal } from "../shared/texts.js";
import { hasOutcome, isAsked } from "./chat-list.js";
import { deliveryMark, divider, failureNotice, isSameAuthor, timeElement } from "./messages.js";
import {
  answerRefusal,
  askedText,
  authorName,
  customerName,
  reasonText,
  textsIn,
  unreachableText,
} from "./texts.js";

/** @import { Row } from "../shared/message-list.js" */
/** @import { Message } from "../client/messages.js" */
/** @import { Asked, Chat, ChatList } from "./chat-list.js" */
/** @import { PastEntry, PastMessage, Transcript } from "./transcript.js" */

/**
 * @typedef {object} Shown
 * @property {ChatList} chats
 * @property {boolean} canAct  whether there is a connection
 * @property {Transcript | null} transcript  of the open conversation
 * @property {PastMessage[]} past  what was written there before the live chat, oldest first
 * @property {boolean} hasEarlier  whether the server may have more of it
 */
/**
 * @typedef {{message: Message, title: string} | {message: Message, isGrouped: boolean}} TimelineItem
 *   a divider before the message, or the message
 */

const TITLE = "Coordinators";
const TEXTS = textsIn(navigator.language);

export class CoordinatorView {
  #scroller = byId("scroller");
  #onOpen;
  #onRetry;
  #onAnswer;
  #shownQuestion = "";
  /** @type {Chat | undefined} the one that the context panel shows */
  #contextOf;

  /**
   * @param {(sessionId: string) => void} onOpen
   * @param {(key: string) => void} onRetry
   * @param {(sessionId: string, confirmId: string, answer: "yes" | "no") => void} onAnswer
   */
  constructor(onOpen, onRetry, onAnswer) {
    this.#onOpen = onOpen;
    this.#onRetry = onRetry;
    this.#onAnswer = onAnswer;
    setText(byId("missed-label"), TEXTS.missed);
    setText(byId("online-label"), TEXTS.online);
    setText(byId("attend"), TEXTS.attend);
  }

  /** @param {Shown} shown */
  show(shown) {
    const { chats } = shown;
    const chat = chats.selectedChat;
    this.#showList(chats);
    showPresence(chats);
    showServer(chats);
    showOwner(chats, chat, shown.canAct);
    this.#showLog(chat, shown);
    this.#showContext(chat);
    this.#showQuestion(chats, chat, shown.canAct);
  }

  /**
   * Update the waiting times.
   *
   * @param {ChatList} chats
   */
  updateTimes(chats) {
    for (const time of document.querySelectorAll("time.since")) {
      setText(time, durationSince(/** @type {HTMLTimeElement} */ (time).dateTime));
    }
    const chat = chats.selectedChat;
    if (chat?.status === "waiting") setText(byId("owner-detail"), ownerText(chats, chat));
  }

  scrollToEnd() {
    scrollToEnd(this.#scroller);
  }

  /** @param {ChatList} chats */
  #showList(chats) {
    const { waiting, live, missed, asked } = chats;
    const open = asked.filter(({ confirmation }) => confirmation?.state === "proposed").length;
    setText(byId("asked-label"), open ? TEXTS.asked : TEXTS.outcomes);
    setText(byId("asked-count"), open ? String(open) : "");
    setText(byId("waiting-count"), waiting.length ? String(waiting.length) : "");
    setText(byId("missed-count"), missed.length ? String(missed.length) : "");
    setText(byId("live-count"), live.length ? String(live.length) : "");
    for (const [id, list] of /** @type {const} */ ([
      ["waiting", waiting],
      ["asked", asked],
      ["missed", missed],
      ["live", live],
    ])) {
      reconcile(
        byId(id),
        list.map((chat) => this.#chatItem(chats, chat)),
      );
    }
    byId("waiting-empty").hidden = waiting.length > 0;
    byId("asked-title").hidden = asked.length === 0;
    byId("missed-title").hidden = missed.length === 0;
    byId("live-title").hidden = live.length === 0;
    document.title = titleOf(waiting.length, open);
  }

  /**
   * @param {ChatList} chats
   * @param {Chat} chat
   * @returns {Row}
   */
  #chatItem(chats, chat) {
    const { sessionId } = chat;
    const shown = {
      chat,
      preview: previewOf(chats, chat),
      unread: chats.unread(sessionId),
      isCurrent: sessionId === chats.selected,
    };
    const build = () => {
      const button = chatButton(shown);
      button.addEventListener("click", () => this.#onOpen(sessionId));
      return el("li", {}, button);
    };
    return { key: sessionId, version: [JSON.stringify(shown)], build };
  }

  /**
   * @param {Chat | undefined} chat
   * @param {Shown} shown
   */
  #showLog(chat, { chats, transcript, past, hasEarlier }) {
    const scroller = this.#scroller;
    const wasAtEnd = isNearEnd(scroller);
    const timeline = chat && transcript ? timelineOf(past, transcript.messages) : [];
    reconcile(
      byId("log"),
      timeline.map((item) => this.#timelineItem(item, chats, chat?.userId ?? "")),
    );
    byId("empty").hidden = timeline.length > 0;
    byId("earlier").hidden = !chat || !hasEarlier;
    const isFromServer = past.some(({ seq }) => seq !== null);
    setText(
      byId("earlier"),
      isFromServer ? "Load earlier messages" : "Load history from the server",
    );
    setText(byId("empty-title"), chat ? "No messages yet" : "Select a conversation");
    byId("typing").hidden = !transcript?.isTyping;
    setText(byId("typing-text"), `${customerName(chat?.userId ?? "")} is typing…`);
    if (wasAtEnd) this.scrollToEnd();
  }

  /**
   * @param {TimelineItem} item
   * @param {ChatList} chats
   * @param {string} userId
   * @returns {Row}
   */
  #timelineItem(item, chats, userId) {
    const { message } = item;
    if ("title" in item) {
      const { title } = item;
      return { key: `divider ${message.key}`, version: [title], build: () => divider(title) };
    }
    const text = lineText(message);
    if (text !== null) {
      return { key: message.key, version: [text], build: () => divider(text) };
    }
    return {
      key: message.key,
      // Messages are created again from the bridge's replies: the same content is the same version.
      version: [JSON.stringify(message), item.isGrouped],
      build: () => this.#entry(item, chats, userId),
    };
  }

  /**
   * @param {{message: Message & {sources?: string[]}, isGrouped: boolean}} item
   * @param {ChatList} chats
   * @param {string} userId
   */
  #entry({ message, isGrouped }, chats, userId) {
    const { author, coordinatorId, state, sources = [] } = message;
    const isMine = author === "coordinator" && coordinatorId === chats.identity.coordinatorId;
    const name = author === "user" ? customerName(userId) : authorName(message);
    return el(
      "li",
      {
        className: isGrouped ? "entry" : "entry first",
        data: { author, state, mine: String(isMine) },
      },
      el("span", { className: "author" }, el("bdi", {}, isMine ? "You" : name)),
      el("div", { className: "bubble", dir: "auto", lang: "" }, ...shownText(message)),
      sources.length > 0
        ? el("span", { className: "meta sources" }, `Sources: ${sources.join("; ")}`)
        : null,
      el(
        "span",
        { className: "meta" },
        timeElement(message.at),
        isMine ? deliveryMark(state) : null,
        failureNotice(message, this.#onRetry),
      ),
    );
  }

  /**
   * Show what waits for a yes in the open conversation, with buttons if coordinators are asked.
   *
   * @param {ChatList} chats
   * @param {Chat | undefined} chat
   * @param {boolean} canAct
   */
  #showQuestion(chats, chat, canAct) {
    const card = byId("confirmation");
    const asked = chat?.confirmation;
    card.hidden = !asked;
    const answering = asked ? chats.answering(asked.confirmId) : null;
    const version = JSON.stringify([asked, answering, canAct]);
    if (version === this.#shownQuestion) return;
    this.#shownQuestion = version;
    const hadFocus = card.contains(document.activeElement);
    card.dataset.state = asked?.state ?? "";
    card.ariaLabel = asked?.what ?? "";
    const isDisabled = !canAct || answering?.isSending === true;
    const onAnswer = (/** @type {"yes" | "no"} */ answer) => {
      if (chat && asked) this.#onAnswer(chat.sessionId, asked.confirmId, answer);
    };
    const shown = asked ? questionElements(asked, isDisabled, onAnswer) : [];
    if (answering?.isSending) shown.push(el("p", { className: "outcome" }, TEXTS.sending));
    if (asked && answering?.error && asked.state === "proposed") {
      shown.push(el("p", { className: "failure", role: "alert" }, whyRefused(answering.error)));
    }
    card.replaceChildren(...shown);
    if (hadFocus) card.focus();
  }

  /** @param {Chat | undefined} chat */
  #showContext(chat) {
    // Built once for each state of the conversation: what was unfolded stays so.
    if (chat === this.#contextOf) return;
    this.#contextOf = chat;
    byId("context-empty").hidden = Boolean(chat);
    byId("context-body").replaceChildren(...(chat ? contextElements(chat) : []));
  }
}

/**
 * Return what a message shows of its text: as its reader has it, and of a user's the addresses.
 *
 * @param {Message} message
 */
const shownText = (message) =>
  message.author === "user" ? addressesIn(message.text) : textNodes(message);

/**
 * Return a text as it is, with links to the addresses in it.
 *
 * @param {unknown} text
 */
const addressesIn = (text) => inlineNodes(parseInline(String(text), { isPlain: true }));

/**
 * @param {Asked} asked
 * @param {boolean} isDisabled
 * @param {(answer: "yes" | "no") => void} onAnswer
 */
function questionElements(asked, isDisabled, onAnswer) {
  const { by, state, what, result } = asked;
  const button = (/** @type {"yes" | "no"} */ answer) => {
    const className = answer === "yes" ? "primary" : "quiet";
    const label = TEXTS[answer];
    const made = el("button", { type: "button", className, disabled: isDisabled }, label);
    made.addEventListener("click", () => onAnswer(answer));
    return made;
  };
  const isForUs = by === "coordinator" && state === "proposed";
  return [
    el("p", { className: "what" }, what),
    el("p", { className: "outcome" }, askedText(asked, navigator.language)),
    result ? el("p", { className: "result" }, result) : null,
    isForUs ? el("div", { className: "answers" }, button("yes"), button("no")) : null,
  ].filter((element) => element !== null);
}

/** @param {import("../client/phoenix.js").PushError} error */
const whyRefused = ({ reason, response }) =>
  answerRefusal(reason, navigator.language) ?? explainRefusal(reason, response);

/**
 * Return the line of the log about what is no message: a step of a call of a tool, or a rating; null
 * about a message.
 *
 * @param {Message & Partial<Pick<PastMessage, "step" | "isRating">>} message
 */
function lineText({ text, step, isRating }) {
  if (isRating) return `${TEXTS.rating}: ${text}`;
  if (!step) return null;
  const state = new Map(Object.entries(TEXTS.states)).get(step) ?? step;
  return `${TEXTS.toolCall}: ${text} · ${state}`;
}

/**
 * Return the title of the page: how many wait, or else how much waits for a yes.
 *
 * @param {number} waiting
 * @param {number} asked
 */
function titleOf(waiting, asked) {
  if (waiting) return `(${waiting}) waiting · ${TITLE}`;
  return asked ? `(${asked}) ${TEXTS.asked} · ${TITLE}` : TITLE;
}

/**
 * @param {ChatList} chats
 * @param {Chat} chat
 */
function previewOf(chats, chat) {
  const { confirmation } = chat;
  if (confirmation && isCalling(chat) && !chat.missed) {
    const { state, what } = confirmation;
    return state === "proposed" ? what : `${TEXTS.states[state]} ${what}`;
  }
  if (isAnswerable(chat)) return chat.missed?.message ?? "";
  if (chat.status !== "waiting") return `with ${holderOf(chats, chat)}`;
  const { openQuestion, summary } = chat.context ?? {};
  return String(openQuestion ?? summary ?? reasonText(chat.reason));
}

/**
 * @param {ChatList} chats
 * @param {Chat} chat
 */
const holderOf = (chats, chat) =>
  chats.isMine(chat) ? "you" : (chat.coordinatorId ?? "a colleague");

/**
 * Return whether this coordinator may write in it.
 *
 * @param {ChatList} chats
 * @param {Chat | undefined} chat
 */
export const canWriteIn = (chats, chat) =>
  chat !== undefined && (chats.isMine(chat) || isAnswerable(chat));

/**
 * Return whether it has a message that was left, and no coordinator: writing takes it over.
 *
 * @param {Chat} chat
 */
const isAnswerable = ({ missed, status }) =>
  Boolean(missed) && status !== "waiting" && status !== "live";

/**
 * Return whether it calls for a coordinator although nobody waits for one in it.
 *
 * @param {Chat} chat
 */
const isCalling = (chat) =>
  chat.status !== "waiting" && chat.status !== "live" && (Boolean(chat.missed) || isAsked(chat));

/** @param {Chat} chat */
const asksForYes = ({ confirmation }) =>
  confirmation?.by === "coordinator" && confirmation.state === "proposed";

/** @param {{chat: Chat, preview: string, unread: number, isCurrent: boolean}} shown */
function chatButton({ chat, preview, unread, isCurrent }) {
  const { status, userId } = chat;
  const since = (status === "waiting" && chat.waitingSince) || chat.since;
  const button = el(
    "button",
    { type: "button", className: "chat", data: { status, asks: String(asksForYes(chat)) } },
    el("strong", {}, customerName(userId)),
    isCalling(chat)
      ? timeElement((chat.missed ?? chat.confirmation)?.timestamp)
      : el("time", { className: "since", dateTime: since }, durationSince(since)),
    el("span", { className: "preview" }, preview),
    unread ? el("span", { className: "unread", title: "Unread" }, String(unread)) : null,
  );
  button.setAttribute("aria-current", String(isCurrent));
  return button;
}

/** @param {ChatList} chats */
function showPresence({ presence, identity }) {
  const { online, coordinators } = presence;
  setText(byId("online-count"), online ? String(online) : "");
  const names = coordinators.map((name) =>
    name === identity.coordinatorId ? `${name} (${TEXTS.you})` : name,
  );
  const others = online - coordinators.length;
  if (others > 0) names.push(`+ ${others} ${TEXTS.more}`);
  reconcile(
    byId("online"),
    names.map((name) => ({ key: name, version: [], build: () => el("li", { dir: "auto" }, name) })),
  );
}

/** @param {ChatList} chats */
function showServer(chats) {
  const hasPending = [...chats.waiting, ...chats.live].some((chat) => chat.pending);
  byId("server-unreachable").hidden = chats.isServerReachable !== false;
  setText(byId("server-unreachable"), unreachableText(hasPending));
}

/**
 * @param {ChatList} chats
 * @param {Chat | undefined} chat
 * @param {boolean} canAct
 */
function showOwner(chats, chat, canAct) {
  byId("owner").hidden = !chat;
  if (!chat) return;
  const isMine = chats.isMine(chat);
  byId("owner").dataset.status = chat.status;
  setText(byId("owner-title"), customerName(chat.userId));
  setText(byId("owner-detail"), ownerText(chats, chat));
  const isOffered = {
    claim: chat.status === "waiting",
    "take-over": chat.status === "live" && !isMine,
    attend: Boolean(chat.missed) || hasOutcome(chat),
    return: isMine,
    close: isMine,
  };
  for (const [id, isShown] of Object.entries(isOffered)) {
    const button = typedById(HTMLButtonElement, id);
    button.hidden = !isShown;
    button.disabled = !canAct;
  }
}

/**
 * @param {ChatList} chats
 * @param {Chat} chat
 */
function ownerText(chats, chat) {
  if (isAnswerable(chat)) return TEXTS.leftAMessage;
  if (chat.status === "ai" && isAsked(chat)) return TEXTS.withAssistant;
  const pending = chat.pending ? " · not yet confirmed by the server" : "";
  switch (chat.status) {
    case "waiting":
      return `waiting for ${durationSince(chat.waitingSince ?? chat.since)}`;
    case "live":
      return `is with ${holderOf(chats, chat)}${pending}`;
    case "closed":
      return `The conversation is closed.${pending}`;
    default:
      return `Back with the assistant.${pending}`;
  }
}

/**
 * Merge what was written before and in the live chat by time, with a divider at each change.
 *
 * @param {PastMessage[]} past
 * @param {Message[]} live
 */
function timelineOf(past, live) {
  /** @type {TimelineItem[]} */
  const items = [];
  let [p, n] = [0, 0];
  /** @type {{message: Message, isLive: boolean} | null} */
  let previous = null;
  while (p < past.length || n < live.length) {
    // Each side keeps its own order, whatever its clock says.
    const isLive = p === past.length || (n < live.length && timeOf(live[n]) < timeOf(past[p]));
    const message = isLive ? live[n++] : past[p++];
    const isChange = previous ? previous.isLive !== isLive : isLive;
    if (isChange) items.push({ message, title: isLive ? "Live chat" : "With the assistant" });
    const isGrouped = !isChange && previous !== null && isSameAuthor(previous.message, message);
    items.push({ message, isGrouped });
    previous = { message, isLive };
  }
  return items;
}

/** @param {Message} message */
const timeOf = ({ at }) => Date.parse(at ?? "");

/**
 * Return the entries of a list in a context package, which may hold anything.
 *
 * @template T
 * @param {T[] | unknown} value
 */
export const listOf = (value) =>
  Array.isArray(value) ? /** @type {T[]} */ (value.filter(Boolean)) : [];

/** @param {Chat} chat */
function contextElements(chat) {
  const { context: received, reason } = chat.missed ?? chat;
  const context = received ?? {};
  /** @type {PastEntry[]} */
  const lastMessages = listOf(context.lastMessages);
  const last = lastMessages.map(({ author, message }) =>
    el("li", {}, el("b", {}, `${authorName({ author })}: `), ...addressesIn(message)),
  );
  return [
    reason ? el("div", {}, el("span", { className: "reason" }, reasonText(reason))) : null,
    section(TEXTS.missedMessage, chat.missed?.message, "question"),
    section("Open question", context.openQuestion, "question"),
    section("Summary", chat.summary ?? context.summary),
    section("Rating", ratingText(chat.rating)),
    last.length
      ? el(
          "details",
          {},
          el("summary", {}, last.length > 1 ? `Last ${last.length} messages` : "Last message"),
          el("ol", { className: "last" }, ...last),
        )
      : null,
    el(
      "dl",
      { className: "facts" },
      fact("Language", languageName(context.language)),
      fact("Tools used", listOf(context.toolsUsed).join(", ")),
      fact("Location", chat.locationId),
      fact("Requested", timeElement(chat.waitingSince ?? undefined)),
      fact("Session", chat.sessionId),
    ),
  ].filter((element) => element !== null);
}

/** @param {Chat["rating"]} given */
function ratingText(given) {
  if (!given) return null;
  const { rating, comment } = given;
  return `${"★".repeat(rating)}${"☆".repeat(5 - rating)} ${comment ?? ""}`;
}

/**
 * @param {string} title
 * @param {unknown} text
 */
function section(title, text, className = "") {
  return text
    ? el("section", {}, el("h3", {}, title), el("p", { className }, ...addressesIn(text)))
    : null;
}

/**
 * @param {string} title
 * @param {Node | string | null} value
 */
function fact(title, value) {
  return value ? el("div", {}, el("dt", {}, title), el("dd", {}, value)) : null;
}

/** @param {unknown} code */
function languageName(code) {
  if (!code) return null;
  try {
    return new Intl.DisplayNames("en", { type: "language" }).of(String(code)) ?? String(code);
  } catch {
    return String(code);
  }
}

/**
 * Return the time since then, as in "1:05" or "2 h 05".
 *
 * @param {string} at
 */
function durationSince(at) {
  const seconds = Math.max(0, Math.floor((Date.now() - Date.parse(at)) / 1000));
  if (Number.isNaN(seconds)) return "–";
  const twoDigits = (/** @type {number} */ number) => String(number).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${twoDigits(seconds % 60)}`;
  return `${Math.floor(minutes / 60)} h ${twoDigits(minutes % 60)}`;
}
