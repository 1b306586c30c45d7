/** The coordinators' page: who is here, the conversation that is open, and what a click does. */

import { Board, MAX_TEXT, Talk, pastLine } from "./board.js";
import { DeskView, explain, listOf } from "./view.js";
import { PhoenixChannel, PushError, V2 } from "../shared/phoenix.js";
import { byId, ratio, setText } from "../shared/dom.js";
import { connectionWords } from "../shared/texts.js";

const MAX_FIELD_PX = 168;
// A join that is refused so may be granted later.
const TRANSIENT = ["storage_unavailable", "rate_limited", "identity_unavailable", "join crashed"];

const ENDINGS = {
  return: {
    title: "Return to the AI",
    detail: "The assistant goes on with the conversation. It will know what you sum up here.",
    confirm: "Return",
  },
  close: {
    title: "Close the conversation",
    detail: "If the user writes again, a new conversation begins.",
    confirm: "Close",
  },
};

const field = byId("message");
const view = new DeskView(open, (key) => talk.retry(key));
const beeper = makeBeeper();
let identity = null;
let board = null;
let boardChannel = null;
let talk = null; // with the user of the selected conversation
let talkChannel = null;
let past = []; // what was said before: told to the bridge, or of the server's log
let hasMore = true; // of the server's log
let ending = null; // "return" or "close", while its dialog is open
let showDue = false;

// Who is here.

function restoreIdentity() {
  const remembered = JSON.parse(localStorage.getItem("coordinator") ?? "null");
  const token = sessionStorage.getItem("token") ?? "";
  const form = byId("who").elements;
  form.businessId.value = remembered?.businessId ?? "b1";
  form.coordinatorId.value = remembered?.coordinatorId ?? "";
  form.token.value = token;
  if (remembered) begin({ ...remembered, token });
  else byId("who-dialog").showModal();
}

function enter() {
  if (byId("who-dialog").returnValue !== "go") return;
  byId("who-dialog").returnValue = "";
  const { token, ...names } = Object.fromEntries(new FormData(byId("who")));
  localStorage.setItem("coordinator", JSON.stringify(names));
  sessionStorage.setItem("token", token); // a secret goes with the window
  begin({ ...names, token });
}

function begin(who) {
  identity = who;
  leaveTalk();
  boardChannel?.disconnect();
  board = new Board(identity);
  boardChannel = channelTo(`coordinators:${identity.businessId}`, identity);
  board.attach(boardChannel);
  boardChannel.addEventListener("state", showConnection);
  board.addEventListener("change", showSoon);
  board.addEventListener("calling", ({ detail }) => {
    // What is being looked at need not be heard.
    if (document.hidden || detail.sessionId !== board.selected) beeper.beep();
  });
  board.addEventListener("refused", ({ detail }) => warnOfRefusal(detail));
  setText(byId("whose"), `${identity.coordinatorId} · ${identity.businessId}`);
  boardChannel.connect();
  showSoon();
}

function channelTo(topic, payload) {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  return new PhoenixChannel({
    url: `${scheme}//${location.host}/socket/websocket`,
    vsn: V2,
    topic,
    joinPayload: () => payload,
    isTransient: (reason) => TRANSIENT.includes(reason),
  });
}

function showConnection() {
  const { state } = boardChannel;
  const words = connectionWords(state);
  byId("pill").dataset.tone = words.tone;
  setText(byId("pill-label"), state.name === "joined" ? "Connected" : words.label);
  if (state.name === "refused") warn("The bridge refused.", explain(state.reason));
  else if (state.name === "joined") byId("alert").hidden = true;
  showSoon();
}

// One conversation.

/** Open a conversation, and its chat with it. */
async function open(sessionId) {
  openView("talk");
  if (board.selected === sessionId) return;
  leaveTalk();
  const { businessId, userId } = board.chat(sessionId);
  board.select(sessionId);
  talk = new Talk(identity.coordinatorId);
  talkChannel = channelTo(`chat:${businessId}:${userId}`, {
    businessId,
    userId,
    token: identity.token,
  });
  talk.attach(talkChannel);
  talk.addEventListener("change", showSoon);
  // What the server has told meanwhile is asked for again after every interruption.
  talkChannel.addEventListener("state", ({ detail }) => {
    if (detail.name === "joined") loadPast(sessionId);
    showSoon();
  });
  talkChannel.connect();
  field.value = "";
  showDraft();
}

function leaveTalk() {
  talkChannel?.disconnect();
  talkChannel = talk = null;
  past = [];
  hasMore = true;
  board?.select(null);
}

async function loadPast(sessionId) {
  if (past.some(({ seq }) => seq !== null)) return; // of the server's own log: that is more
  try {
    const told = await board.history(sessionId);
    if (board.selected === sessionId) past = told.map(pastLine);
  } catch (error) {
    if (!(error instanceof PushError)) throw error;
  }
  showSoon();
}

/** A page of the server's log; the first one takes the place of what the bridge was told. */
async function loadEarlier() {
  const sessionId = board.selected;
  const before = past.find(({ seq }) => seq !== null)?.seq ?? null;
  const { messages, more } = await board.more(sessionId, before);
  if (board.selected !== sessionId) return;
  const page = messages.filter(({ kind }) => kind === "message").map(pastLine);
  past = before === null ? page : [...page, ...past];
  hasMore = more;
  showSoon();
}

/** What was said before the live chat: told, else what the context package has of it. */
function pastLines(chat) {
  const live = new Set(talk.lines.map(({ key }) => key));
  const said = past.length > 0 ? past : listOf(chat.context?.lastMessages).map(pastLine);
  return said.filter(({ key }) => !live.has(key));
}

// What is seen.

/** A burst of changes is shown once. */
function showSoon() {
  if (showDue) return;
  showDue = true;
  queueMicrotask(() => {
    showDue = false;
    const chat = board.chat(board.selected);
    const canAct = boardChannel.state.name === "joined";
    view.show({ board, canAct, talk, past: chat ? pastLines(chat) : [], hasMore });
  });
}

/** The times that run: how long somebody has waited, and when the next attempt is. */
function tickClocks() {
  if (!board) return;
  view.tick(board);
  if (boardChannel.state.name === "waiting") {
    setText(byId("pill-label"), connectionWords(boardChannel.state).label);
  }
}

function warn(title, detail) {
  setText(byId("alert-title"), title);
  setText(byId("alert-detail"), detail);
  byId("alert").hidden = false;
}

function warnOfRefusal({ chat, wished, reason }) {
  const what = { live: "taken over", ai: "returned", closed: "closed" }[wished];
  warn(`The conversation with ${chat.userId} was not ${what}.`, explain(reason));
}

/** Do what the bridge may refuse, and say so if it does. */
async function attempt(title, action) {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof PushError)) throw error;
    const by = error.response?.by ? ` It is with ${error.response.by}.` : "";
    warn(title, explain(error.reason) + by);
  }
}

// What is done.

function act(what, options) {
  const { selected } = board;
  return attempt("That could not be done.", () => board.act(what, selected, options));
}

async function claim(options) {
  await act("claim", options);
  // With a finger, it would bring up the keyboard unasked.
  if (matchMedia("(pointer: fine)").matches) field.focus();
}

function askForEnd(what) {
  ending = what;
  const words = ENDINGS[what];
  setText(byId("end-title"), words.title);
  setText(byId("end-detail"), words.detail);
  setText(byId("end-confirm"), words.confirm);
  byId("end-dialog").showModal();
}

function endAsAsked() {
  const dialog = byId("end-dialog");
  const summary = byId("summary").value.trim();
  if (dialog.returnValue === "end") act(ending, { summary: summary || null });
  byId("summary").value = dialog.returnValue = "";
}

function showDraft() {
  const length = [...field.value.trim()].length;
  const isOver = length > MAX_TEXT;
  setText(byId("counter"), ratio(length, MAX_TEXT));
  byId("counter").classList.toggle("over", isOver);
  byId("send").disabled = length === 0 || isOver;
  field.style.height = "auto";
  field.style.height = `${Math.min(field.scrollHeight, MAX_FIELD_PX)}px`;
}

function sendDraft() {
  if (byId("send").disabled) return;
  talk.send(field.value.trim());
  field.value = "";
  showDraft();
  byId("scroller").scrollTop = byId("scroller").scrollHeight;
}

/** On a narrow screen one panel is seen at a time: `board`, `talk` or `context`. */
function openView(name) {
  document.body.dataset.view = name;
}

/** A short sound, once the page may make one: after the first click or key. */
function makeBeeper() {
  let audio = null;
  const begin = () => {
    audio ??= new AudioContext();
    audio.resume();
    setText(byId("nobody"), "Nobody is waiting. You will hear it when somebody does.");
  };
  addEventListener("pointerdown", begin);
  addEventListener("keydown", begin);
  const tone = (frequency, after) => {
    const [oscillator, volume] = [audio.createOscillator(), audio.createGain()];
    const start = audio.currentTime + after;
    oscillator.frequency.value = frequency;
    volume.gain.setValueAtTime(0.15, start);
    volume.gain.exponentialRampToValueAtTime(0.001, start + 0.25);
    oscillator.connect(volume).connect(audio.destination);
    oscillator.start(start);
    oscillator.stop(start + 0.25);
  };
  return {
    beep() {
      if (!audio || byId("sound").getAttribute("aria-pressed") === "false") return;
      tone(660, 0);
      tone(880, 0.14);
    },
  };
}

function showSound(isOn) {
  byId("sound").setAttribute("aria-pressed", String(isOn));
  byId("sound").title = isOn ? "Sound is on" : "Sound is off";
}

function listen(id, type, listener) {
  byId(id).addEventListener(type, listener);
}

function listenToBoard() {
  listen("who-dialog", "close", enter);
  // It must be answered once.
  listen("who-dialog", "cancel", (event) => {
    if (!identity) event.preventDefault();
  });
  listen("pill", "click", () => byId("who-dialog").showModal());
  listen("sound", "click", () => {
    const isOn = byId("sound").getAttribute("aria-pressed") === "false";
    localStorage.setItem("sound", isOn ? "on" : "off");
    showSound(isOn);
  });
  listen("alert-close", "click", () => (byId("alert").hidden = true));
  listen("back", "click", () => {
    leaveTalk();
    openView("board");
  });
  listen("about", "click", () => openView("context"));
  listen("to-talk", "click", () => openView("talk"));
  // The timers of a page that nobody looks at run late.
  for (const type of ["online", "visibilitychange"]) {
    addEventListener(type, () => {
      boardChannel?.retryNow();
      talkChannel?.retryNow();
    });
  }
  setInterval(tickClocks, 500);
}

function listenToTalk() {
  listen("claim", "click", () => claim());
  listen("take-over", "click", () => claim({ takeOver: true }));
  listen("return", "click", () => askForEnd("return"));
  listen("close", "click", () => askForEnd("close"));
  listen("end-dialog", "close", endAsAsked);
  listen("earlier", "click", () =>
    attempt("Earlier messages could not be loaded.", loadEarlier),
  );
  listen("composer", "submit", (event) => {
    event.preventDefault();
    sendDraft();
  });
  field.addEventListener("input", () => {
    showDraft();
    talk.tellTyping();
  });
  field.addEventListener("keydown", (event) => {
    // The Enter that ends a composition (Japanese, accents) is no wish to send.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    sendDraft();
  });
}

showSound(localStorage.getItem("sound") !== "off");
listenToBoard();
listenToTalk();
restoreIdentity();
