/**
 * What a coordinator sees: who waits, who has whom, one conversation, and why somebody waits.
 *
 * What came over the wire goes into the page as text alone, so that no message can be markup.
 */

import { byId, el, setText } from "../shared/dom.js";

const TITLE = "Coordinators";
const NEAR_END_PX = 80;

// No table here has a prototype: what it is asked for comes over the wire, `constructor` or not.
const REASONS = {
  __proto__: null,
  user_request: "Asked for a person",
  ai_decision: "The assistant asked",
  ai_failure: "The assistant failed",
  coordinator: "A colleague stepped in",
};
const REFUSALS = {
  __proto__: null,
  already_claimed: "Another coordinator was first.",
  transition_refused: "The user does not wait for a person any more.",
  session_closed: "The conversation is closed.",
  unknown_session: "The AI agent server does not know the conversation.",
  server_unavailable: "The AI agent server cannot be reached just now.",
  storage_unavailable: "The bridge could not store it. Try again.",
  message_too_long: "The message is longer than 8,000 characters. Shorten it.",
  unauthorized: "The token is missing, wrong or expired.",
  token_expired: "The token has expired. Enter a new one.",
  invalid_payload: "The bridge did not accept it.",
  timeout: "The bridge did not answer in 10 seconds. Trying again doubles nothing.",
  disconnected: "There is no connection just now.",
};
const AUTHORS = {
  __proto__: null,
  ai: "Assistant",
  system: "Notice",
  user: "User",
  coordinator: "Colleague",
};

/** What a reason means. */
export const explain = (reason) => REFUSALS[reason] ?? `The bridge refused (${reason}).`;

export class DeskView {
  #onOpen;
  #onRetry;
  #contextOf = null; // the chat that the panel was last built for

  /**
   * @param {(sessionId: string) => void} onOpen
   * @param {(key: string) => void} onRetry
   */
  constructor(onOpen, onRetry) {
    this.#onOpen = onOpen;
    this.#onRetry = onRetry;
  }

  /**
   * @param {object} desk
   * @param {Board} desk.board
   * @param {boolean} desk.canAct  whether there is a connection
   * @param {?Talk} desk.talk  with the user of the selected conversation
   * @param {Array} desk.past  what was said there before, oldest first
   * @param {boolean} desk.hasMore  whether the server may have more of it
   */
  show(desk) {
    const { board } = desk;
    const chat = board.chat(board.selected);
    this.#showBoard(board);
    showAway(board);
    showOwner(board, chat, desk.canAct);
    this.#showLog(chat, desk);
    this.#showContext(chat);
    byId("composer").hidden = !chat || !board.isMine(chat);
  }

  /** How long somebody has waited goes on. */
  tick(board) {
    for (const time of document.querySelectorAll(".chat time")) {
      setText(time, durationSince(time.dateTime));
    }
    const chat = board.chat(board.selected);
    if (chat?.status === "waiting") setText(byId("owner-detail"), ownerWords(board, chat));
  }

  #showBoard(board) {
    const { waiting, live } = board;
    setText(byId("waiting-count"), waiting.length ? String(waiting.length) : "");
    setText(byId("live-count"), live.length ? String(live.length) : "");
    fill(byId("waiting"), waiting.map((chat) => this.#chatItem(board, chat)));
    fill(byId("live"), live.map((chat) => this.#chatItem(board, chat)));
    byId("nobody").hidden = waiting.length > 0;
    byId("live-title").hidden = live.length === 0;
    document.title = waiting.length ? `(${waiting.length}) waiting · ${TITLE}` : TITLE;
  }

  #chatItem(board, chat) {
    const { sessionId } = chat;
    const seen = {
      chat,
      gist: gistOf(board, chat),
      unread: board.unread(sessionId),
      isCurrent: sessionId === board.selected,
    };
    const build = () => {
      const button = chatButton(seen);
      button.addEventListener("click", () => this.#onOpen(sessionId));
      return el("li", {}, button);
    };
    return { key: sessionId, build, seen };
  }

  #showLog(chat, { board, talk, past, hasMore }) {
    const scroller = byId("scroller");
    const follow = isNearEnd(scroller);
    const items = chat ? timeline(past, talk.lines).map(this.#logItem(board, chat)) : [];
    fill(byId("log"), items);
    byId("empty").hidden = items.length > 0;
    byId("earlier").hidden = !chat || !hasMore;
    const isOfServer = past.some(({ seq }) => seq !== null);
    setText(byId("earlier"), isOfServer ? "Load earlier" : "Load from the server");
    setText(byId("empty-title"), chat ? "Nothing was said yet" : "Choose a conversation");
    byId("typing").hidden = !talk?.isTyping;
    setText(byId("typing-words"), `${chat?.userId} is writing…`);
    if (follow) scroller.scrollTop = scroller.scrollHeight;
  }

  #logItem(board, { userId }) {
    return ({ line, words, follows }) => {
      if (words) return { key: `divider ${line.key}`, seen: words, build: () => divider(words) };
      const mine = isMine(board, line);
      const build = () => {
        const node = entry(line, mine ? "You" : authorOf(line, userId), mine);
        node.classList.toggle("follows", follows);
        const retry = () => this.#onRetry(line.key);
        node.querySelector(".retry")?.addEventListener("click", retry);
        return node;
      };
      return { key: line.key, seen: { line, follows }, build };
    };
  }

  #showContext(chat) {
    // Built once for each state of the conversation: what is folded out stays so.
    if (chat === this.#contextOf) return;
    this.#contextOf = chat;
    byId("context-empty").hidden = Boolean(chat);
    byId("context-body").replaceChildren(...(chat ? contextParts(chat) : []));
  }
}

/**
 * Bring a list up to date, leaving what has not changed: it keeps its focus, and what is selected
 * in it. `items` are `{key, seen, build}`, `seen` being all that the item is built from.
 */
function fill(list, items) {
  const known = new Map([...list.children].map((node) => [node.dataset.key, node]));
  items.forEach(({ key, seen, build }, n) => {
    const text = JSON.stringify(seen);
    let node = known.get(key);
    if (node?.dataset.seen !== text) {
      const old = node;
      node = build();
      Object.assign(node.dataset, { key, seen: text });
      old?.replaceWith(node);
    }
    if (list.children[n] !== node) list.insertBefore(node, list.children[n] ?? null);
  });
  while (list.children.length > items.length) list.lastElementChild.remove();
}

function gistOf(board, chat) {
  const { context, coordinatorId } = chat;
  if (chat.status === "waiting") {
    return context?.openQuestion ?? context?.summary ?? REASONS[chat.reason] ?? "";
  }
  return board.isMine(chat) ? "with you" : `with ${coordinatorId ?? "a colleague"}`;
}

function chatButton({ chat, gist, unread, isCurrent }) {
  const { status, userId } = chat;
  const since = status === "waiting" ? chat.waitingSince : chat.since;
  const button = el(
    "button",
    { type: "button", className: "chat", data: { status } },
    el("strong", {}, userId),
    el("time", { dateTime: since }, durationSince(since)),
    el("span", { className: "gist" }, gist),
    unread ? el("span", { className: "unread", title: "Unread" }, String(unread)) : null,
  );
  button.setAttribute("aria-current", String(isCurrent));
  return button;
}

function showAway(board) {
  const pending = [...board.waiting, ...board.live].filter((chat) => chat.pending).length;
  byId("away").hidden = board.reachable !== false;
  const kept = pending
    ? "What you have decided is kept, and goes to it in order once it is back."
    : "You can go on: what you decide is kept until it is back.";
  setText(byId("away"), `The AI agent server cannot be reached. ${kept}`);
}

function showOwner(board, chat, canAct) {
  byId("owner").hidden = !chat;
  if (!chat) return;
  const mine = board.isMine(chat);
  byId("owner").dataset.status = chat.status;
  setText(byId("owner-title"), chat.userId);
  setText(byId("owner-detail"), ownerWords(board, chat));
  byId("claim").hidden = chat.status !== "waiting";
  byId("take-over").hidden = chat.status !== "live" || mine;
  byId("return").hidden = byId("close").hidden = !mine;
  for (const id of ["claim", "take-over", "return", "close"]) byId(id).disabled = !canAct;
}

function ownerWords(board, chat) {
  const pending = chat.pending ? " · waiting for the server" : "";
  switch (chat.status) {
    case "waiting":
      return `waiting for ${durationSince(chat.waitingSince)}`;
    case "live":
      return (
        (board.isMine(chat) ? "is with you" : `is with ${chat.coordinatorId ?? "a colleague"}`) +
        pending
      );
    case "closed":
      return `The conversation is closed.${pending}`;
    default:
      return `The assistant has the conversation.${pending}`;
  }
}

/**
 * Both sides' lines by their time, as `{line, follows}` (the same voice goes on), and wherever the
 * one side goes over into the other `{line, words}`, a divider before that line.
 */
function timeline(past, live) {
  const items = [];
  let [p, n] = [0, 0];
  let previous = null;
  while (p < past.length || n < live.length) {
    // Each side stays in its own order, whatever the clocks say that it was written by.
    const isLive =
      p === past.length || (n < live.length && Date.parse(live[n].at) < Date.parse(past[p].at));
    const line = isLive ? live[n++] : past[p++];
    const turns = previous ? previous.isLive !== isLive : isLive;
    if (turns) items.push({ line, words: isLive ? "Live chat" : "With the assistant" });
    items.push({ line, follows: !turns && isSameVoice(previous?.line, line) });
    previous = { line, isLive };
  }
  return items;
}

function isSameVoice(previous, line) {
  if (!previous) return false;
  return previous.author === line.author && previous.coordinatorId === line.coordinatorId;
}

function isMine(board, { author, coordinatorId }) {
  return author === "coordinator" && coordinatorId === board.identity.coordinatorId;
}

function authorOf({ author, coordinatorId }, userId) {
  return author === "user" ? userId : (coordinatorId ?? AUTHORS[author] ?? author);
}

const divider = (words) => el("li", { className: "divider" }, words);

function entry({ author, text, at, state, error }, who, mine) {
  return el(
    "li",
    { className: "entry", data: { author, state, mine: String(mine) } },
    el("span", { className: "author" }, who),
    el("div", { className: "bubble", textContent: text }),
    el(
      "span",
      { className: "meta" },
      timeOf(at),
      mine ? tick(state) : null,
      state === "failed" ? failure(error) : null,
    ),
  );
}

function tick(state) {
  const [mark, words] = {
    queued: ["◷", "Waits for the connection"],
    sending: ["◷", "Sending"],
    stored: ["✓", "Stored"],
    failed: ["!", "Not sent"],
  }[state];
  return el("span", { className: "tick", title: words, role: "img", ariaLabel: words }, mark);
}

function failure(error) {
  const retry = el("button", { type: "button", className: "retry" }, "Retry");
  return el("span", { className: "failure" }, explain(error.reason), " ", retry);
}

/** A context package may have anything in it: what is not as it should be is left out. */
export const listOf = (value) => (Array.isArray(value) ? value.filter(Boolean) : []);

function contextParts(chat) {
  const context = chat.context ?? {};
  const last = listOf(context.lastMessages).map(({ author, message }) =>
    el("li", {}, el("b", {}, `${AUTHORS[author] ?? author}: `), String(message)),
  );
  return [
    chat.reason
      ? el("div", {}, el("span", { className: "reason" }, REASONS[chat.reason] ?? chat.reason))
      : null,
    part("Open question", context.openQuestion, "question"),
    part("Summary", chat.summary ?? context.summary),
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
      fact("Asked at", chat.waitingSince && timeOf(chat.waitingSince)),
      fact("Session", chat.sessionId),
    ),
  ].filter(Boolean);
}

function part(title, text, className = "") {
  return text ? el("section", {}, el("h3", {}, title), el("p", { className }, String(text))) : null;
}

function fact(title, value) {
  return value ? el("div", {}, el("dt", {}, title), el("dd", {}, value)) : null;
}

function languageName(code) {
  if (!code) return null;
  try {
    return new Intl.DisplayNames("en", { type: "language" }).of(code);
  } catch {
    return code;
  }
}

function durationSince(at) {
  const seconds = Math.max(0, Math.floor((Date.now() - Date.parse(at)) / 1000));
  if (Number.isNaN(seconds)) return "–";
  const two = (number) => String(number).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${two(seconds % 60)}`;
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)}`;
}

function timeOf(at) {
  const when = new Date(at);
  if (Number.isNaN(when.getTime())) return null;
  const isToday = when.toDateString() === new Date().toDateString();
  const time = { hour: "2-digit", minute: "2-digit", hour12: false };
  const format = isToday ? time : { ...time, day: "numeric", month: "short" };
  return el("time", { dateTime: at, title: at }, when.toLocaleString("en-GB", format));
}

function isNearEnd({ scrollHeight, scrollTop, clientHeight }) {
  return scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
}
