/** The page: its settings, its connection, and what a click or a key does. */

import { Conversation, MAX_TEXT, newId } from "./conversation.js";
import { FramesPanel } from "./frames.js";
import { PhoenixChannel, PushError, V1, V2 } from "../shared/phoenix.js";
import { ConversationView } from "./view.js";
import { byId, ratio, setText } from "../shared/dom.js";
import { connectionWords, emptyWords, explain } from "../shared/texts.js";

// A server URL is not among them: a link must not lead the page, and a token, to another server.
const FROM_ADDRESS = ["businessId", "locationId", "userId", "vsn"];
// A join that is refused so may be granted later: these say nothing of what was asked for.
const TRANSIENT = [
  "overloaded",
  "rate_limited",
  "identity_unavailable",
  "storage_unavailable",
  "join crashed",
];
const MAX_FIELD_PX = 168;

const settings = byId("settings");
const field = byId("message");
const dialog = byId("transfer-dialog");
const view = new ConversationView((messageId) => conversation.retry(messageId));
const frames = new FramesPanel();
let used = null; // the settings that these two were made with
let channel = null;
let bridge = null; // the channel straight to the bridge, while the user wants one
let conversation = null;

function defaultUrl() {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  return `${scheme}//${location.host}/socket/websocket`;
}

const newUser = () => `user-${newId().slice(0, 8)}`;

/** From the page's address, else as they were last time, else by default. */
function restoreSettings() {
  const defaults = { url: defaultUrl(), businessId: "b1", locationId: "l1", userId: newUser() };
  const remembered = JSON.parse(localStorage.getItem("settings") ?? "{}");
  const asked = [...new URLSearchParams(location.search)].filter(([k]) => FROM_ADDRESS.includes(k));
  const values = { ...defaults, vsn: V2, ...remembered, ...Object.fromEntries(asked) };
  for (const [name, value] of Object.entries(values)) {
    if (settings.elements[name]) settings.elements[name].value = value;
  }
  if (asked.length === 0) rememberSettings();
  settings.elements.token.value = takeToken();
}

/** The token of an address that ends in #token=…: no server gets to see it, nor does the history. */
function takeToken() {
  const token = new URLSearchParams(location.hash.replace(/^#\??/, "")).get("token");
  if (token) history.replaceState(null, "", location.pathname + location.search);
  return token ?? "";
}

function rememberSettings() {
  const { token, ...values } = Object.fromEntries(new FormData(settings));
  // Unless somebody chose one, the server's address is the page's, wherever that goes.
  if (values.url === defaultUrl()) delete values.url;
  localStorage.setItem("settings", JSON.stringify(values));
}

function connect() {
  if (!settings.checkValidity()) {
    openTab("connection");
    settings.reportValidity();
    return;
  }
  if (JSON.stringify([...new FormData(settings)]) !== used) begin();
  rememberSettings();
  byId("settings-fold").open = false;
  channel.connect();
  openTab("chat");
  // With a finger, it would bring up the keyboard unasked.
  if (matchMedia("(pointer: fine)").matches) field.focus();
}

/** A conversation as the settings have it; while they stay, so does it, whatever is connected. */
function begin() {
  channel?.disconnect();
  if (bridge) leaveBridge();
  used = JSON.stringify([...new FormData(settings)]);
  const { url, vsn, token, ...identity } = Object.fromEntries(new FormData(settings));
  const started = new Conversation(identity);
  conversation = started;
  channel = new PhoenixChannel({
    url,
    vsn,
    topic: `messages:${identity.businessId}`,
    joinPayload: () => started.joinPayload(token),
    isTransient: (reason) => TRANSIENT.includes(reason),
  });
  started.attach(channel);
  frames.watch(channel, identity);
  view.show(started);
  channel.addEventListener("state", showConnection);
  started.addEventListener("change", showFacts);
  showConnection();
  showFacts();
}

function showConnection() {
  const { state } = channel;
  const words = connectionWords(state);
  const isActive = state.name !== "idle" && state.name !== "refused";
  byId("pill").dataset.tone = words.tone;
  setText(byId("pill-label"), words.label);
  setText(byId("pill-vsn"), channel.vsn === V1 ? "V1" : "V2");
  byId("connect").hidden = isActive;
  byId("disconnect").hidden = !isActive;
  byId("empty-connect").hidden = isActive;
  const [title, detail] = emptyWords(isActive);
  setText(byId("empty-title"), title);
  setText(byId("empty-detail"), detail);
  for (const id of ["transfer", "end"]) byId(id).disabled = state.name !== "joined";
  if (state.name === "refused") byId("settings-fold").open = true;
  if (words.title) warn(words.title, words.detail, state.name === "waiting");
  else if (state.name === "joined" || state.name === "idle") byId("alert").hidden = true;
  showDraft();
}

/** While it waits to reconnect, the seconds run down. */
function countDown() {
  if (channel.state.name === "waiting") {
    setText(byId("pill-label"), connectionWords(channel.state).label);
  }
}

function showFacts() {
  const { sessionId, lastSeq, liveChat } = conversation;
  setText(byId("fact-session"), sessionId ?? "–");
  setText(byId("fact-seq"), sessionId ? String(lastSeq) : "–");
  const { businessId, locationId, userId } = conversation.identity;
  setText(byId("connection-summary"), `${businessId} · ${locationId} · ${userId}`);
  setText(byId("fact-topic"), channel.topic);
  setText(byId("fact-live"), liveChat ? `${liveChat.topic} at ${liveChat.url}` : "–");
  byId("direct-switch").hidden = !liveChat;
  if (!liveChat && bridge) leaveBridge();
}

/** In a live chat one may talk to the bridge itself, beside the server. */
function goToBridge() {
  const { businessId, userId } = conversation.identity;
  const token = settings.elements.token.value;
  bridge = new PhoenixChannel({
    ...conversation.liveChat,
    vsn: V2,
    joinPayload: () => ({ businessId, userId, ...(token && { token }) }),
    isTransient: (reason) => TRANSIENT.includes(reason),
  });
  bridge.addEventListener("state", ({ detail }) => {
    setText(byId("direct-state"), connectionWords(detail).label);
  });
  frames.watchAlso(bridge);
  conversation.goOver(bridge);
  bridge.connect();
}

function leaveBridge() {
  const left = bridge;
  bridge = null;
  conversation.goOver(null);
  left.disconnect();
  byId("direct").checked = false;
  setText(byId("direct-state"), "");
}

function warn(title, detail, canRetry = false) {
  setText(byId("alert-title"), title);
  setText(byId("alert-detail"), detail);
  byId("alert-retry").hidden = !canRetry;
  byId("alert").hidden = false;
}

/** The browser keeps the page from where it may not connect to: trying again is of no use. */
function giveUp({ effectiveDirective }) {
  if (effectiveDirective !== "connect-src") return;
  if (bridge && bridge.state.name !== "joined") leaveBridge();
  else channel.disconnect();
  warn("Not connected.", "This page may connect to its own server alone, and to its bridge.");
}

/** Do what the server may refuse, and say so if it does. */
async function attempt(title, action) {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof PushError)) throw error;
    warn(title, explain(error.reason, error.response));
  }
}

/** The draft's length, as the server counts: characters, trimmed. */
function showDraft() {
  const length = [...field.value.trim()].length;
  const isOver = length > MAX_TEXT;
  setText(byId("counter"), ratio(length, MAX_TEXT));
  byId("counter").classList.toggle("over", isOver);
  field.toggleAttribute("aria-invalid", isOver);
  const canQueue = channel.state.name !== "idle" && channel.state.name !== "refused";
  byId("send").disabled = length === 0 || isOver || !canQueue;
  field.style.height = "auto";
  field.style.height = `${Math.min(field.scrollHeight, MAX_FIELD_PX)}px`;
}

function sendDraft() {
  if (byId("send").disabled) return;
  conversation.send(field.value.trim());
  field.value = "";
  showDraft();
  view.toEnd();
}

/** On a narrow screen one panel is seen at a time. */
function openTab(name) {
  if (name === "connection") byId("settings-fold").open = true;
  document.body.dataset.tab = name;
  for (const button of document.querySelectorAll("[data-opens]")) {
    button.setAttribute("aria-current", String(button.dataset.opens === name));
  }
}

function listen(id, type, listener) {
  byId(id).addEventListener(type, listener);
}

function listenToConnection() {
  listen("settings", "submit", (event) => {
    event.preventDefault();
    connect();
  });
  listen("empty-connect", "click", connect);
  listen("disconnect", "click", () => channel.disconnect());
  listen("new-user", "click", () => (settings.elements.userId.value = newUser()));
  listen("direct", "change", () => (byId("direct").checked ? goToBridge() : leaveBridge()));
  listen("alert-retry", "click", () => channel.retryNow());
  listen("alert-close", "click", () => (byId("alert").hidden = true));
  listen("pill", "click", () => {
    openTab("connection");
    settings.elements.url.focus();
  });
  for (const button of document.querySelectorAll("[data-opens]")) {
    button.addEventListener("click", () => openTab(button.dataset.opens));
  }
  window.addEventListener("online", () => channel.retryNow());
  document.addEventListener("securitypolicyviolation", giveUp);
  // The timers of a page that nobody looks at run late.
  document.addEventListener("visibilitychange", () => channel.retryNow());
  setInterval(countDown, 250);
}

function listenToConversation() {
  listen("composer", "submit", (event) => {
    event.preventDefault();
    sendDraft();
  });
  field.addEventListener("input", () => {
    showDraft();
    conversation.tellTyping();
  });
  field.addEventListener("keydown", (event) => {
    // The Enter that ends a composition (Japanese, accents) is no wish to send.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    sendDraft();
  });
  listen("earlier", "click", () =>
    attempt("Earlier messages could not be loaded.", () => conversation.loadEarlier()),
  );
  listen("end", "click", () =>
    attempt("The live chat could not be ended.", () => conversation.endLiveChat()),
  );
  listen("transfer", "click", () => dialog.showModal());
  dialog.addEventListener("close", () => {
    if (dialog.returnValue !== "ask") return;
    const text = byId("transfer-text").value.trim();
    byId("transfer-text").value = dialog.returnValue = "";
    attempt("A person could not be asked for.", () => conversation.transfer(text));
  });
}

restoreSettings();
begin();
listenToConnection();
listenToConversation();
