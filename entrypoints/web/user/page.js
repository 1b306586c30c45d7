/** The user's page: its settings, its connections, and its controls. */

import { Composer } from "../shared/composer.js";
import {
  alertIfRefused,
  hideAlert,
  ownSocketUrl,
  showAlert,
  showConnectionState,
  superviseConnection,
} from "../shared/connection.js";
import { isTransientRefusal } from "../client/connection.js";
import { byId, el, listen, setText, typedById } from "../shared/dom.js";
import { newId } from "../client/messages.js";
import { PhoenixChannel, V1, V2 } from "../client/phoenix.js";
import { connectionText } from "../shared/texts.js";
import { Conversation } from "../client/conversation.js";
import { FramesPanel } from "./frames.js";
import { emptyText } from "./texts.js";
import { ConversationView } from "./view.js";

/** @import { Version } from "../client/phoenix.js" */
/** @import { Identity } from "../client/conversation.js" */

/** @typedef {Identity & {url: string, vsn: Version, token: string}} Settings */
/**
 * @typedef {object} Active  what is made of the settings
 * @property {string} settings  as JSON
 * @property {Conversation} conversation
 * @property {PhoenixChannel} channel
 */

// The server URL is not among them: a link must not lead the page, and a token, to another server.
const FROM_QUERY = ["businessId", "locationId", "userId", "vsn"];

const form = typedById(HTMLFormElement, "settings");
const dialog = typedById(HTMLDialogElement, "transfer-dialog");
const messageField = typedById(HTMLTextAreaElement, "message");
const frames = new FramesPanel();
const view = new ConversationView(
  (messageId) => active.conversation.retry(messageId),
  (confirmId, answer) => active.conversation.confirm(confirmId, answer),
);
const composer = new Composer({
  onSend: (text) => {
    sessionStorage.removeItem("draft");
    send(text);
  },
  onTyping: () => {
    sessionStorage.setItem("draft", messageField.value);
    active.conversation.notifyTyping();
  },
  canSend: () => !["idle", "refused"].includes(active.channel.state.name),
});
/** @type {PhoenixChannel | null} straight to the bridge, while the user wants it */
let directChannel = null;

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
    showFacts();
  }
  rememberSettings();
  // For a reload; a token is kept nowhere, and must be given again.
  sessionStorage.setItem("connected", currentSettings().token ? "" : active.settings);
  typedById(HTMLDetailsElement, "settings-details").open = false;
  active.channel.connect();
  openTab("chat");
  composer.focus();
}

/**
 * Start a conversation with the current settings; it stays until they change, connected or not.
 *
 * @returns {Active}
 */
function begin() {
  const settings = currentSettings();
  const { url, vsn, token, ...identity } = settings;
  const conversation = new Conversation(identity);
  const channel = new PhoenixChannel({
    url,
    vsn,
    topic: `messages:${identity.businessId}`,
    joinPayload: () => conversation.joinPayload(token),
    isTransient: isTransientRefusal,
  });
  conversation.attach(channel);
  frames.attach(channel, identity);
  view.show(conversation);
  channel.on("state", showConnection);
  conversation.on("change", showFacts);
  conversation.on("change", showEmpty);
  conversation.on("change", showStop);
  return { settings: JSON.stringify(settings), conversation, channel };
}

function showConnection() {
  const { state, vsn } = active.channel;
  const isActive = state.name !== "idle" && state.name !== "refused";
  showConnectionState(state);
  setText(byId("pill-vsn"), vsn === V1 ? "V1" : "V2");
  byId("connect").hidden = isActive;
  byId("disconnect").hidden = !isActive;
  byId("empty-connect").hidden = isActive;
  showEmpty();
  for (const id of ["transfer", "end"]) {
    typedById(HTMLButtonElement, id).disabled = state.name !== "joined";
  }
  if (state.name === "refused") typedById(HTMLDetailsElement, "settings-details").open = true;
  byId("alert-retry").hidden = state.name !== "waiting";
  const { title, detail = "" } = connectionText(state);
  if (title) showAlert(title, detail);
  else if (state.name === "joined" || state.name === "idle") hideAlert();
  showStop();
  composer.refresh();
}

/** Show the business's greeting, and the questions that it suggests, in an empty conversation. */
function showEmpty() {
  const { conversation, channel } = active;
  const isActive = channel.state.name !== "idle" && channel.state.name !== "refused";
  const { title, detail } = emptyText(isActive, conversation.greeting);
  setText(byId("empty-title"), title);
  setText(byId("empty-detail"), detail);
  const shown = isActive ? conversation.suggestions : [];
  const suggestions = byId("suggestions");
  suggestions.hidden = shown.length === 0;
  suggestions.replaceChildren(
    ...shown.map((text) => {
      const button = el("button", { type: "button", className: "quiet", textContent: text });
      button.addEventListener("click", () => send(text));
      return button;
    }),
  );
}

/** @param {string} text */
function send(text) {
  active.conversation.send(text);
  view.scrollToEnd();
}

/** Offer to stop the answer while there is one. */
function showStop() {
  const { conversation, channel } = active;
  const isOffered = conversation.isAnswering && channel.state.name === "joined";
  const button = byId("stop");
  if (!isOffered && document.activeElement === button) {
    composer.focus();
    if (document.activeElement === button) byId("scroller").focus(); // on a touch screen
  }
  button.hidden = byId("stop-key").hidden = !isOffered;
}

function stopAnswer() {
  return alertIfRefused("The answer could not be stopped.", () => active.conversation.stopAnswer());
}

function showFacts() {
  const { sessionId, lastSeq, liveChat, identity } = active.conversation;
  const { businessId, locationId, userId } = identity;
  setText(byId("fact-session"), sessionId ?? "–");
  setText(byId("fact-seq"), sessionId ? String(lastSeq) : "–");
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
  superviseConnection(() => [active.channel, directChannel]);
}

function listenToConversation() {
  listen("stop", "click", stopAnswer);
  listen("composer", "keydown", (event) => {
    if (event.key === "Escape" && !event.isComposing && !byId("stop").hidden) stopAnswer();
  });
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
messageField.value = sessionStorage.getItem("draft") ?? "";
let active = begin();
showConnection();
showFacts();
listenToConnection();
listenToConversation();
if (sessionStorage.getItem("connected") === active.settings) connect();
