/** The user's page: its settings, its connections, and its controls. */

import { Composer } from "../chat/composer.js";
import {
  alertIfRefused,
  connectionOf,
  hideAlert,
  ownSocketUrl,
  showAlert,
  showConnectionState,
  superviseConnection,
} from "../shared/connection.js";
import { isTransientRefusal } from "../client/connection.js";
import { byId, keepingFocus, listen, setText, swap, typedById } from "../shared/dom.js";
import { newId } from "../client/messages.js";
import { PhoenixChannel, V1, V2 } from "../client/phoenix.js";
import { connectionText } from "../shared/texts.js";
import { Conversation } from "../client/conversation.js";
import { FramesPanel } from "./frames.js";
import { ConversationView, renderEmpty, WORDS } from "./view.js";

/** @import { Version } from "../client/phoenix.js" */
/** @import { Identity } from "../client/conversation.js" */

/** @typedef {Identity & {url: string, vsn: Version, token: string, language: string}} Settings */
/**
 * @typedef {object} Active  what is made of the settings
 * @property {string} settings  as JSON
 * @property {Conversation} conversation
 * @property {PhoenixChannel} channel
 */

// The server URL is not among them: a link must not lead the page, and a token, to another server.
const FROM_QUERY = ["businessId", "locationId", "userId", "language", "vsn"];

const form = typedById(HTMLFormElement, "settings");
const dialog = typedById(HTMLDialogElement, "transfer-dialog");
const frames = new FramesPanel();
const view = new ConversationView();
const composer = new Composer(WORDS, {
  onSend: send,
  onInput: (draft) => {
    sessionStorage.setItem("draft", draft);
    if (draft) active.conversation.notifyTyping();
  },
  onStop: stopAnswer,
});
/** @type {PhoenixChannel | null} straight to the bridge, while the user wants it */
let directChannel = null;
let isRenderDue = false;

const newUserId = () => `user-${newId().slice(0, 8)}`;

/** @param {string} name */
const input = (name) =>
  /** @type {HTMLInputElement | RadioNodeList} */ (form.elements.namedItem(name));

/** @returns {Settings} */
const currentSettings = () =>
  /** @type {Settings} */ (/** @type {unknown} */ (Object.fromEntries(new FormData(form))));

/** Fill in the settings: from the page's address, else from the last visit, else the defaults. */
function restoreSettings() {
  const defaults = { url: ownSocketUrl(), businessId: "b1", locationId: "l1", userId: newUserId() };
  const remembered = JSON.parse(localStorage.getItem("settings") ?? "{}");
  const query = [...new URLSearchParams(location.search)].filter(([k]) => FROM_QUERY.includes(k));
  const values = { ...defaults, vsn: V2, ...remembered, ...Object.fromEntries(query) };
  for (const [name, value] of Object.entries(values)) {
    if (form.elements.namedItem(name)) input(name).value = value;
  }
  if (query.length === 0) rememberSettings();
  input("token").value = takeToken();
}

/** Return the token of an address that ends in #token=…, and remove it from there. */
function takeToken() {
  const token = new URLSearchParams(location.hash.replace(/^#\??/, "")).get("token");
  if (token) history.replaceState(null, "", location.pathname + location.search);
  return token ?? "";
}

function rememberSettings() {
  const { token: _, url, ...values } = currentSettings();
  // The page's own server is the default, wherever the page is served from.
  const kept = url === ownSocketUrl() ? values : { ...values, url };
  localStorage.setItem("settings", JSON.stringify(kept));
}

function connect() {
  if (!form.checkValidity()) {
    openTab("connection");
    form.reportValidity();
    return;
  }
  if (JSON.stringify(currentSettings()) !== active.settings) {
    active.channel.disconnect();
    leaveDirectChannel();
    active = begin();
  }
  rememberSettings();
  // For a reload; a token is kept nowhere, and must be given again.
  sessionStorage.setItem("connected", currentSettings().token ? "" : active.settings);
  typedById(HTMLDetailsElement, "settings-details").open = false;
  active.channel.connect();
  openTab("chat");
  render();
  focusChat();
}

/**
 * Start a conversation with the current settings; it stays until they change, connected or not.
 *
 * @returns {Active}
 */
function begin() {
  const settings = currentSettings();
  const { url, vsn, token, language, ...identity } = settings;
  const conversation = new Conversation(identity, language);
  const channel = new PhoenixChannel({
    url,
    vsn,
    topic: `messages:${identity.businessId}`,
    joinPayload: () => conversation.joinPayload(token),
    isTransient: isTransientRefusal,
  });
  conversation.attach(channel);
  frames.attach(channel, identity);
  channel.on("state", () => {
    showConnection();
    renderSoon();
  });
  conversation.on("change", renderSoon);
  renderSoon();
  return { settings: JSON.stringify(settings), conversation, channel };
}

/** Render a burst of changes once. */
function renderSoon() {
  if (isRenderDue) return;
  isRenderDue = true;
  queueMicrotask(() => {
    isRenderDue = false;
    render();
  });
}

function render() {
  const { conversation, channel } = active;
  const { name } = channel.state;
  const isActive = name !== "idle" && name !== "refused";
  keepingFocus(() => {
    view.render(conversation);
    renderEmpty(conversation, isActive);
    const canStop = conversation.isAnswering && name === "joined";
    composer.render({ canSend: isActive, canStop });
    byId("empty-connect").hidden = isActive;
    swap(isActive ? "disconnect" : "connect", isActive ? "connect" : "disconnect");
    for (const id of ["transfer", "end"]) {
      typedById(HTMLButtonElement, id).disabled = name !== "joined";
    }
    showFacts();
  }, focusChat);
}

/** Focus the field, or the messages where that would open the keyboard of a touch screen. */
function focusChat() {
  const isShown = !composer.element.hidden;
  if (isShown && matchMedia("(pointer: fine)").matches) composer.focus();
  else byId("scroller").focus({ preventScroll: true });
}

function showConnection() {
  const { channel } = active;
  const state = connectionOf(channel);
  showConnectionState(state);
  setText(byId("pill-vsn"), channel.vsn === V1 ? "V1" : "V2");
  if (state.name === "refused") typedById(HTMLDetailsElement, "settings-details").open = true;
  byId("alert-retry").hidden = state.name !== "waiting";
  const { title, detail = "" } = connectionText(state);
  if (title) showAlert(title, detail);
  else if (state.name === "joined" || state.name === "idle") hideAlert();
}

/** @param {string} text */
function send(text) {
  active.conversation.send(text);
  view.showOwn();
  render();
}

function stopAnswer() {
  return alertIfRefused("The answer could not be stopped.", () => active.conversation.stopAnswer());
}

function showFacts() {
  const { sessionId, lastSeq, liveChat, identity, status, reason, rating } = active.conversation;
  const { businessId, locationId, userId } = identity;
  setText(byId("fact-session"), sessionId ?? "–");
  setText(byId("fact-seq"), sessionId ? String(lastSeq) : "–");
  setText(byId("fact-status"), reason ? `${status} · ${reason}` : status);
  setText(byId("fact-rating"), rating === null ? "–" : String(rating));
  setText(byId("connection-summary"), `${businessId} · ${locationId} · ${userId}`);
  setText(byId("fact-topic"), active.channel.topic);
  setText(byId("fact-live"), liveChat ? `${liveChat.topic} at ${liveChat.url}` : "–");
  byId("direct-option").hidden = !liveChat;
  if (!liveChat) leaveDirectChannel();
}

/** Connect to the bridge itself, beside the server. */
function openDirectChannel() {
  const { conversation } = active;
  if (!conversation.liveChat) return;
  const { businessId, userId } = conversation.identity;
  const { token } = currentSettings();
  directChannel = new PhoenixChannel({
    ...conversation.liveChat,
    vsn: V2,
    joinPayload: () => ({ businessId, userId, ...(token && { token }) }),
    isTransient: isTransientRefusal,
  });
  directChannel.on("state", (state) => {
    setText(byId("direct-state"), connectionText(state).label);
  });
  frames.watch(directChannel);
  conversation.useDirectChannel(directChannel);
  directChannel.connect();
}

function leaveDirectChannel() {
  if (!directChannel) return;
  const channel = directChannel;
  directChannel = null;
  active.conversation.useDirectChannel(null);
  channel.disconnect();
  typedById(HTMLInputElement, "direct").checked = false;
  setText(byId("direct-state"), "");
}

/**
 * Stop connecting to where the browser does not let the page connect: a retry cannot succeed.
 *
 * @param {SecurityPolicyViolationEvent} violation
 */
function onPolicyViolation({ effectiveDirective }) {
  if (effectiveDirective !== "connect-src") return;
  if (directChannel && directChannel.state.name !== "joined") leaveDirectChannel();
  else active.channel.disconnect();
  showAlert("Not connected.", "This page may connect only to its own server and the bridge.");
}

/**
 * Show one of the panels; on a narrow screen the others are hidden.
 *
 * @param {string} name
 */
function openTab(name) {
  if (name === "connection") typedById(HTMLDetailsElement, "settings-details").open = true;
  document.body.dataset.tab = name;
  for (const button of tabButtons()) {
    button.setAttribute("aria-current", String(button.dataset.opens === name));
  }
}

/** @returns {NodeListOf<HTMLButtonElement>} */
const tabButtons = () => document.querySelectorAll("button[data-opens]");

function listenToConnection() {
  listen("settings", "submit", (event) => {
    event.preventDefault();
    connect();
  });
  listen("empty-connect", "click", connect);
  listen("disconnect", "click", () => {
    sessionStorage.removeItem("connected");
    active.channel.disconnect();
  });
  listen("new-user", "click", () => (input("userId").value = newUserId()));
  listen("direct", "change", () => {
    if (typedById(HTMLInputElement, "direct").checked) openDirectChannel();
    else leaveDirectChannel();
  });
  listen("alert-retry", "click", () => active.channel.retryNow());
  listen("pill", "click", () => {
    openTab("connection");
    /** @type {HTMLInputElement} */ (input("url")).focus();
  });
  for (const button of tabButtons()) {
    button.addEventListener("click", () => openTab(button.dataset.opens ?? ""));
  }
  document.addEventListener("securitypolicyviolation", onPolicyViolation);
  superviseConnection(() => [active.channel, directChannel], showConnection);
}

/**
 * Do what a button of the conversation stands for.
 *
 * @param {MouseEvent} event
 */
function onClick({ target }) {
  const button = target instanceof Element ? target.closest("button[data-act]") : null;
  if (!(button instanceof HTMLButtonElement) || button.ariaDisabled === "true") return;
  const { act, id = "", answer, text = "" } = button.dataset;
  if (act === "retry") active.conversation.retry(id);
  else if (act === "confirm") active.conversation.confirm(id, answer === "yes" ? "yes" : "no");
  else if (act === "suggestion") send(text);
  else if (act === "stop") stopAnswer();
  else if (act === "rate") view.askForRating();
  else if (act === "not-now") view.declineRating();
}

function listenToConversation() {
  listen("chat", "click", onClick);
  listen("earlier", "click", () =>
    alertIfRefused("Earlier messages could not be loaded.", () =>
      active.conversation.loadEarlier(),
    ),
  );
  listen("end", "click", () =>
    alertIfRefused("The live chat could not be ended.", () => active.conversation.endLiveChat()),
  );
  listen("transfer", "click", () => dialog.showModal());
  dialog.addEventListener("close", () => {
    const isConfirmed = dialog.returnValue === "ask";
    dialog.returnValue = "";
    if (!isConfirmed) return;
    const field = typedById(HTMLTextAreaElement, "transfer-text");
    const text = field.value.trim();
    field.value = "";
    alertIfRefused("A person could not be asked for.", () => active.conversation.transfer(text));
  });
}

restoreSettings();
composer.element.id = "composer";
composer.fill(sessionStorage.getItem("draft") ?? "");
byId("keys").before(composer.element);
let active = begin();
render();
showConnection();
listenToConnection();
listenToConversation();
if (sessionStorage.getItem("connected") === active.settings) connect();
