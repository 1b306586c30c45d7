/** The coordinators' page: who is signed in, which part is shown, and the keys. */

import { plainName } from "../chat/texts.js";
import { isTransientRefusal } from "../client/connection.js";
import { PhoenixChannel, V2 } from "../client/phoenix.js";
import {
  connectionOf,
  ownSocketUrl,
  showAlert,
  superviseConnection,
} from "../shared/connection.js";
import { byId, el, listen, setText, typedById } from "../shared/dom.js";
import { Attention } from "./attention.js";
import { Desk } from "./desk.js";
import { ListView } from "./list-view.js";
import { OutcomesView } from "./outcomes-view.js";
import { TalkView } from "./talk-view.js";
import { DeskWords } from "./texts.js";

/** @import { Membership, View } from "./desk.js" */
/** @import { Address } from "./memory.js" */
/** @import { TextKey } from "./texts.js" */

/** @typedef {{coordinatorId: string, businesses: Membership[], expiresAt?: string}} Session */
/** @typedef {"list" | "conversation" | "context" | "outcomes"} PartName  on a phone, one is shown */

const SESSION = "coordinators session"; // credentials go with the window
const REMEMBERED = "coordinator";
const RENEWED_BEFORE_MS = 6 * 3_600_000;
const TICK_MS = 5_000;
const SEQUENCE_MS = 1_500;

/** @type {[keys: string, text: TextKey, action?: () => void][]} without: a button has the key */
const KEYS = [
  ["j, ↓", "key.next", () => page?.list.focus(1)],
  ["k, ↑", "key.previous", () => page?.list.focus(-1)],
  ["Enter", "key.open"],
  ["u", "key.unread", () => openUnanswered()],
  ["g m", "view.mine", () => showView("mine")],
  ["g w", "view.waiting", () => showView("waiting")],
  ["g a", "view.open", () => showView("open")],
  ["g h", "view.history", () => showView("history")],
  ["g o", "outcomes", () => go("outcomes")],
  ["/, Ctrl+K", "searchAll", () => search()],
  ["c", "key.claim"],
  ["r", "key.reply"],
  ["n", "key.note"],
  ["w", "key.whisper"],
  ["s", "key.suggest"],
  ["f", "key.forward"],
  ["q", "key.requeue"],
  ["e", "key.return"],
  ["x", "key.close"],
  ["Esc", "key.leave"],
  ["?", "keys", () => keysDialog.showModal()],
];

const words = new DeskWords();
const signInDialog = typedById(HTMLDialogElement, "sign-in-dialog");
const signInForm = typedById(HTMLFormElement, "sign-in");
const keysDialog = typedById(HTMLDialogElement, "keys-dialog");
const singleKeys = typedById(HTMLInputElement, "single-keys");

/** @type {Session | null} */
let session = null;
/** @type {ReturnType<typeof start> | null} what there is once somebody is signed in */
let page = null;
/** @type {{password: boolean, token: boolean} | null} how one signs in; null: it is not known */
let how = null;
/** @type {WeakMap<PhoenixChannel, Session | null>} as whom each connection was tried last */
const triedAs = new WeakMap();
/** @type {WeakSet<object>} the refusals that were reported */
const reported = new WeakSet();
let isRenderDue = false;
/** The first key of a sequence, and when it was pressed. */
let first = { key: "", at: 0 };

// Signing in.

async function restoreSession() {
  const kept = JSON.parse(sessionStorage.getItem(SESSION) ?? "null");
  if (kept) enter(kept);
  how = await fetch("/sign-in").then(
    (reply) => (reply.ok ? reply.json() : null),
    () => null,
  );
  if (kept) return;
  const { coordinatorId, businessId } = remembered();
  // Where a name alone is enough, who one is is asked once.
  if (!coordinatorId || how?.password || how?.token) askToSignIn();
  else enter({ coordinatorId, businesses: [{ businessId, name: "", token: "" }] });
}

const remembered = () => JSON.parse(localStorage.getItem(REMEMBERED) ?? "{}");

/** @param {string} [note]  why it is asked for again */
function askToSignIn(note = "") {
  const { businessId = "b1", coordinatorId = "" } = remembered();
  const isPassword = how?.password === true;
  showField("businessId", !isPassword, businessId);
  showField("name", true, coordinatorId);
  showField("password", isPassword);
  showField("token", !isPassword && how?.token !== false).required = how?.token === true;
  setText(byId("sign-in-note"), note);
  if (!signInDialog.open) signInDialog.showModal();
  const fields = [...signInForm.querySelectorAll("input:enabled")];
  /** @type {HTMLInputElement[]} */ (fields).find(({ value }) => !value)?.focus();
}

/** @param {string} name @param {boolean} isShown @param {string} [value]  unless one is typed */
function showField(name, isShown, value = "") {
  const field = /** @type {HTMLInputElement} */ (signInForm.elements.namedItem(name));
  field.disabled = !isShown;
  field.value ||= value;
  /** @type {HTMLElement} */ (field.closest("label")).hidden = !isShown;
  return field;
}

/** @param {SubmitEvent} event */
async function onSignIn(event) {
  event.preventDefault();
  const data = new FormData(signInForm);
  const [businessId, name, token] = ["businessId", "name", "token"].map((field) =>
    String(data.get(field) ?? ""),
  );
  // As the bridge has it: the page compares names with its own.
  const coordinatorId = name.normalize("NFC").trim().replace(/\s+/gu, " ");
  const refused = data.has("password")
    ? await requestTokens("/sign-in", { name: coordinatorId, password: data.get("password") })
    : enter({ coordinatorId, businesses: [{ businessId, name: "", token }] });
  setText(byId("sign-in-note"), refused ? words.refusalOf(refused) : "");
}

/**
 * Go on with tokens that the bridge gives; return why it gives none.
 *
 * @param {string} path
 * @param {object} body
 */
async function requestTokens(path, body) {
  const headers = { "Content-Type": "application/json" };
  const request = { method: "POST", headers, body: JSON.stringify(body) };
  const reply = await fetch(path, request).catch(() => null);
  if (!reply?.ok) {
    const { status } = reply ?? {};
    return status === 401 ? "wrong_password" : status === 429 ? "rate_limited" : "unreachable";
  }
  const { name, expiresAt, businesses } = await reply.json();
  return enter({ coordinatorId: name, expiresAt, businesses });
}

/**
 * Begin as somebody, or go on with new tokens: nothing that is on the page is lost.
 *
 * @param {Session} given
 */
function enter(given) {
  const isOther = session !== null && identityOf(session) !== identityOf(given);
  session = given;
  const { coordinatorId, businesses } = given;
  sessionStorage.setItem(SESSION, JSON.stringify(given));
  const names = { coordinatorId, businessId: businesses[0]?.businessId };
  localStorage.setItem(REMEMBERED, JSON.stringify(names));
  signInForm.reset();
  signInDialog.close();
  if (isOther) location.reload();
  else if (!page) page = start(given);
  else {
    page.desk.renew(businesses);
    showStatus();
  }
  return null;
}

/** @param {Session} session */
const identityOf = ({ coordinatorId, businesses }) =>
  JSON.stringify([coordinatorId, businesses.map(({ businessId }) => businessId).sort()]);

/** Get new tokens long before these expire; where there are none, the password is asked for then. */
function renewTokens() {
  const { expiresAt, businesses = [] } = session ?? {};
  if (!expiresAt || Date.parse(expiresAt) - Date.now() > RENEWED_BEFORE_MS) return;
  requestTokens("/sign-in/renew", { tokens: businesses.map(({ token }) => token) });
}

function signOut() {
  sessionStorage.removeItem(SESSION);
  localStorage.removeItem(REMEMBERED);
  page?.desk.dispose(); // its drafts stay for whoever signs in by this name
  location.reload();
}

// The desk.

/** @param {Session} session */
function start({ coordinatorId, businesses }) {
  const desk = new Desk({ coordinatorId, businesses, openChannel, storage: localStorage });
  const list = new ListView(desk, words, openChat);
  const talk = new TalkView(byId("conversation"), desk, words, openChat);
  const attention = new Attention(desk, words, (chat) => openChat(chat.sessionId, false, chat));
  const outcomes = new OutcomesView(desk, words);
  setText(byId("signed-in-as"), coordinatorId);
  desk.on("change", scheduleRender);
  desk.on("attention", (call) => attention.call(call));
  desk.on("refused", ({ chat, requestedStatus, reason }) => {
    const change = words.code("change", requestedStatus);
    const name = words.customer(chat.userId);
    showAlert(words.t("refused", { name, change }), words.refusalOf(reason));
  });
  desk.on("ended", ({ chat }) => {
    const name = plainName(chat.coordinatorId) || words.t("colleague");
    const state = words.code("status", chat.status, { name });
    showAlert(words.t("notYours", { name: words.customer(chat.userId) }), state);
  });
  desk.connect();
  scheduleRender();
  return { desk, list, talk, attention, outcomes };
}

/** @param {string} topic @param {object} payload */
function openChannel(topic, payload) {
  const channel = new PhoenixChannel({
    url: ownSocketUrl(),
    vsn: V2,
    topic,
    joinPayload: () => payload,
    isTransient: isTransientRefusal,
  });
  triedAs.set(channel, session);
  return channel;
}

/** Render a burst of changes once; also the title of a page that is not seen. */
function scheduleRender() {
  if (isRenderDue) return;
  isRenderDue = true;
  if (document.hidden) queueMicrotask(render);
  else requestAnimationFrame(render);
}

function render() {
  isRenderDue = false;
  if (!page) return;
  page.list.show();
  page.talk.show();
  page.attention.show();
  showStatus();
}

/** Show the state of the connection and of the AI server, and who is here. */
function showStatus() {
  if (!page) return;
  const { channels, businesses, coordinatorId } = page.desk;
  const states = channels.map((channel) => connectionOf(channel));
  const { name } = states.find((state) => state.name !== "joined") ?? { name: "joined" };
  const isJoined = name === "joined";
  const isAway = businesses.some(({ isServerReachable }) => isServerReachable === false);
  const tones = {
    joined: isAway ? "busy" : "good",
    offline: "bad",
    waiting: "bad",
    refused: "bad",
  };
  byId("status").dataset.tone = new Map(Object.entries(tones)).get(name) ?? "busy";
  setText(
    byId("connection"),
    isJoined && isAway ? words.t("serverAway") : words.code("connection", name),
  );
  const names = new Set(businesses.flatMap(({ presence }) => presence.coordinators));
  const others = [...names].filter((each) => each !== coordinatorId);
  const here =
    others.length > 0 ? words.t("here", { names: others.join(", ") }) : words.t("nobodyHere");
  setText(byId("here"), isJoined ? here : "");
  channels.forEach(reportRefusal);
}

/**
 * Report a join that is refused, once; where there are other tokens by now, it is tried with those.
 *
 * @param {PhoenixChannel} channel
 */
function reportRefusal(channel) {
  const { state } = channel;
  if (state.name !== "refused") return;
  if (triedAs.get(channel) !== session) {
    triedAs.set(channel, session);
    channel.connect();
  } else if (!reported.has(state)) {
    reported.add(state);
    const isOver = ["unauthorized", "token_expired"].includes(state.reason);
    if (isOver) askToSignIn(words.t("signInAgain"));
    else showAlert(words.t("connection.refused"), words.refusalOf(state.reason));
  }
}

// What is shown.

/**
 * @param {string} sessionId
 * @param {boolean} [isByPointer]
 * @param {Address} [address]  of a conversation that may be in no list any more
 */
function openChat(sessionId, isByPointer = false, address) {
  if (!page) return;
  const { desk, talk } = page;
  desk.select(sessionId, address);
  go("conversation");
  render();
  const chat = desk.chat(sessionId);
  if (isNarrow()) byId("conversation").focus();
  // Who clicks and types writes; with keys one goes on in the list.
  else if (isByPointer && chat && desk.isMine(chat)) talk.focusComposer();
}

const isNarrow = () => matchMedia("(max-width: 800px)").matches;

/**
 * Show a part. The browser's way back leads to the one before.
 *
 * @param {PartName} name
 */
function go(name) {
  if (name === document.body.dataset.view) return;
  const depth = history.state?.depth ?? 0;
  if (name !== "list") history.pushState({ view: name, depth: depth + 1 }, "");
  else if (depth > 0) history.go(-depth);
  showPart(name);
}

/** @param {PartName} name */
function showPart(name) {
  document.body.dataset.view = name;
  if (name !== "outcomes") return;
  page?.outcomes.load();
  byId("outcomes-title").focus();
}

/** @param {View} name */
function showView(name) {
  go("list");
  page?.list.showView(name);
  page?.list.focus();
}

function search() {
  go("list");
  page?.list.focusSearch();
}

/** Open the conversation whose customer has waited longest: an own one, or one that is anybody's. */
function openUnanswered() {
  if (!page) return;
  const { desk } = page;
  const own = desk.rows("mine").filter(({ unanswered }) => unanswered > 0);
  const all = [...own, ...desk.rows("waiting")];
  const next = all.find(({ sessionId }) => sessionId !== desk.selected);
  if (next) openChat(next.sessionId);
}

// Keys.

/** @param {KeyboardEvent} event */
function onKey(event) {
  const { key, ctrlKey, metaKey, altKey, target } = event;
  const isBusy = !page || document.querySelector("dialog[open]") !== null;
  if (isBusy || event.defaultPrevented || altKey || !(target instanceof Element)) return;
  if (key === "Escape") leave(target);
  else if ((ctrlKey || metaKey) && key === "k") search();
  else if (ctrlKey || metaKey || !singleKeys.checked) return;
  else if (target.matches("input, textarea, select") || !press(key)) return;
  event.preventDefault();
}

/**
 * Do what a key is for; return whether it is for anything.
 *
 * @param {string} key
 */
function press(key) {
  const isSecond = first.key === "g" && Date.now() - first.at < SEQUENCE_MS;
  const pressed = isSecond ? `g ${key}` : key;
  first = { key, at: Date.now() };
  const [, , action] = KEYS.find(([keys]) => keys.split(", ").includes(pressed)) ?? [];
  if (action) action();
  const buttons = [...document.querySelectorAll(`[aria-keyshortcuts~="${CSS.escape(pressed)}"]`)];
  const button = buttons.find((each) => each.checkVisibility() && !each.matches(":disabled"));
  if (!action && button instanceof HTMLElement) button.click();
  return Boolean(action ?? button);
}

/** @param {Element} target  what has the focus */
function leave(target) {
  if (target.id === "search") page?.list.leaveSearch();
  else if (document.body.dataset.view === "outcomes" || isNarrow()) history.back();
  else page?.list.focus();
}

// The page.

/** Fill in the words of the page. */
function showWords() {
  document.documentElement.lang = words.language;
  for (const node of document.querySelectorAll("[data-text], [data-label]")) {
    const { text, label } = /** @type {HTMLElement} */ (node).dataset;
    if (text) setText(node, words.t(/** @type {TextKey} */ (text)));
    if (!label) continue;
    node.ariaLabel = words.t(/** @type {TextKey} */ (label));
    if (node instanceof HTMLButtonElement) node.title = node.ariaLabel;
    if (node instanceof HTMLInputElement) node.placeholder = words.t("search");
  }
  const rows = KEYS.map(([keys, text]) => {
    const each = keys.split(", ").map((key) => el("kbd", {}, key));
    return el("div", {}, el("dt", {}, ...each), el("dd", {}, words.t(text)));
  });
  byId("keys").append(...rows);
}

function listenToControls() {
  signInForm.addEventListener("submit", onSignIn);
  signInDialog.addEventListener("cancel", (event) => event.preventDefault()); // nothing is behind it
  listen("sign-out", "click", signOut);
  listen("sound", "click", () => page?.attention.toggleSound());
  listen("notifications", "click", () => page?.attention.toggleNotifications());
  listen("show-account", "click", () => {
    const mine = page?.desk.totals.mine ?? 0;
    setText(byId("leaves-live"), mine ? words.n("leavesLive", mine) : "");
  });
  listen("show-keys", "click", () => keysDialog.showModal());
  singleKeys.checked = localStorage.getItem("keys") !== "off";
  singleKeys.addEventListener("change", () =>
    localStorage.setItem("keys", singleKeys.checked ? "on" : "off"),
  );
  document.addEventListener("keydown", onKey);
  document.addEventListener("click", ({ target }) => {
    const button = target instanceof Element ? target.closest("[data-go]") : null;
    const name = button?.getAttribute("data-go");
    if (name === "back") history.back();
    else if (name) go(/** @type {PartName} */ (name));
  });
  window.addEventListener("popstate", () => showPart(history.state?.view ?? "list"));
  document.addEventListener("visibilitychange", render);
  superviseConnection(() => page?.desk.channels ?? [], showStatus);
  setInterval(() => page?.list.show(), TICK_MS);
  setInterval(renewTokens, 60_000);
}

showWords();
listenToControls();
restoreSession();
