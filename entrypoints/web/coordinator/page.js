/** The coordinators' page: who is signed in, the open conversation, and the controls. */

import { Composer } from "../chat/composer.js";
import { Words } from "../chat/texts.js";
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
import { byId, listen, setText, typedById } from "../shared/dom.js";
import { PhoenixChannel, PushError, V2 } from "../client/phoenix.js";
import { explainRefusal } from "../shared/texts.js";
import { ChatList } from "./chat-list.js";
import { Sound } from "./sound.js";
import { END_DIALOGS, refusalTitle, textsIn } from "./texts.js";
import { toPastMessage, Transcript } from "./transcript.js";
import { canWriteIn, CoordinatorView, listOf } from "./view.js";

/** @import { Chat, Identity, Missed } from "./chat-list.js" */
/** @import { PastEntry, PastMessage } from "./transcript.js" */

const signInDialog = typedById(HTMLDialogElement, "sign-in-dialog");
const signInForm = typedById(HTMLFormElement, "sign-in");
const endDialog = typedById(HTMLDialogElement, "end-dialog");
const view = new CoordinatorView(openChat, (key) => chat?.transcript.retry(key), confirm);
const sound = new Sound(() =>
  setText(byId("waiting-empty"), "No one is waiting. You will hear a sound when someone is."),
);
const composer = new Composer(new Words("en-GB"), {
  onSend: (text) => {
    chat?.transcript.send(text);
    view.scrollToEnd();
  },
  onInput: (draft) => draft && chat?.transcript.notifyTyping(),
  onStop: () => {},
});

/** @type {{chats: ChatList, channel: PhoenixChannel} | null} of the business, once signed in */
let desk = null;
/** @type {{sessionId: string, transcript: Transcript, channel: PhoenixChannel} | null} open */
let chat = null;
/** @type {PastMessage[]} of the open conversation: as the bridge or, once asked, the server has it */
let past = [];
let hasEarlier = true;
/** @type {Missed | null} what the user of the open conversation left, also after the answer */
let left = null;
/** @type {"return" | "close"} what the dialog asks about */
let ending = "return";
let isRenderDue = false;

// Signing in.

function restoreIdentity() {
  const remembered = JSON.parse(localStorage.getItem("coordinator") ?? "null");
  const token = sessionStorage.getItem("token") ?? "";
  const values = { businessId: "b1", coordinatorId: "", ...remembered, token };
  for (const [name, value] of Object.entries(values)) {
    /** @type {HTMLInputElement} */ (signInForm.elements.namedItem(name)).value = value;
  }
  if (remembered) signIn(values);
  else signInDialog.showModal();
}

function onSignInClosed() {
  const isConfirmed = signInDialog.returnValue === "ok";
  signInDialog.returnValue = "";
  if (!isConfirmed) return;
  const identity = /** @type {Identity} */ (Object.fromEntries(new FormData(signInForm)));
  // As the bridge has it: the page compares names with its own.
  identity.coordinatorId = identity.coordinatorId.normalize("NFC").trim().replace(/\s+/gu, " ");
  const { token, ...names } = identity;
  localStorage.setItem("coordinator", JSON.stringify(names));
  sessionStorage.setItem("token", token); // a credential goes with the window
  signIn(identity);
}

/** @param {Identity} identity */
function signIn(identity) {
  leaveChat();
  desk?.channel.disconnect();
  const channel = channelTo(`coordinators:${identity.businessId}`, identity);
  const chats = new ChatList(identity, channel);
  desk = { chats, channel };
  channel.on("state", showConnection);
  chats.on("change", scheduleRender);
  chats.on("attention", ({ sessionId }) => {
    if (document.hidden || sessionId !== chats.selected) sound.play();
  });
  chats.on("refused", (refusal) => {
    const title = refusalTitle(refusal.chat.userId, refusal.requestedStatus);
    showAlert(title, explainRefusal(refusal.reason));
  });
  setText(byId("signed-in-as"), `${identity.coordinatorId} · ${identity.businessId}`);
  channel.connect();
  scheduleRender();
}

/**
 * @param {string} topic
 * @param {object} payload
 */
function channelTo(topic, payload) {
  return new PhoenixChannel({
    url: ownSocketUrl(),
    vsn: V2,
    topic,
    joinPayload: () => payload,
    isTransient: isTransientRefusal,
  });
}

function showConnection() {
  if (!desk) return;
  const state = connectionOf(desk.channel);
  showConnectionState(state);
  if (state.name === "refused") {
    showAlert("Connection refused.", explainRefusal(state.reason, state.response));
  } else if (state.name === "joined") hideAlert();
  scheduleRender();
}

// The open conversation.

/** @param {string} sessionId */
function openChat(sessionId) {
  openView("conversation");
  const opened = desk?.chats.chat(sessionId);
  if (!desk || !opened || desk.chats.selected === sessionId) return;
  leaveChat();
  const { coordinatorId, token } = desk.chats.identity;
  const { businessId, userId } = opened;
  const channel = channelTo(`chat:${businessId}:${userId}`, { businessId, userId, token });
  const transcript = new Transcript(coordinatorId, channel);
  chat = { sessionId, transcript, channel };
  desk.chats.select(sessionId);
  transcript.on("change", scheduleRender);
  // What the server told the bridge meanwhile is fetched again after every interruption.
  channel.on("state", (state) => {
    if (state.name === "joined") loadPast(sessionId);
    scheduleRender();
  });
  channel.connect();
  composer.fill("");
}

function leaveChat() {
  chat?.channel.disconnect();
  chat = null;
  past = [];
  hasEarlier = true;
  left = null;
  desk?.chats.select(null);
}

/** @param {string} sessionId */
async function loadPast(sessionId) {
  if (!desk || isFromServer()) return; // the server's own log has more than the bridge
  try {
    const entries = await desk.chats.history(sessionId);
    if (chat?.sessionId === sessionId) past = entries.map(toPastMessage);
  } catch (error) {
    if (!(error instanceof PushError)) throw error;
  }
  scheduleRender();
}

const isFromServer = () => past.some(({ seq }) => seq !== null);

/** Load a page of the server's log; the first one replaces what the bridge had. */
async function loadEarlier() {
  if (!desk || !chat) return;
  const { sessionId } = chat;
  const before = past.find(({ seq }) => seq !== null)?.seq ?? null;
  const { messages, more } = await desk.chats.serverHistory(sessionId, before);
  if (chat?.sessionId !== sessionId) return;
  const page = messages.filter(({ kind }) => kind === "message").map(toPastMessage);
  past = before === null ? page : [...page, ...past];
  hasEarlier = more;
  scheduleRender();
}

/**
 * Return what was written before the live chat: as loaded, else from the context package.
 *
 * @param {Transcript} transcript
 * @param {Chat} selected
 */
function pastMessages(transcript, selected) {
  left = selected.missed ?? left;
  const live = new Set(transcript.messages.map(({ key }) => key));
  /** @type {PastEntry[]} */
  const lastMessages = listOf((selected.missed ?? selected).context?.lastMessages);
  const messages = past.length > 0 ? past : lastMessages.map(toPastMessage);
  return withMissed(messages, left).filter(({ key }) => !live.has(key));
}

/**
 * Add the message that the user left, unless it is among what was written.
 *
 * @param {PastMessage[]} messages
 * @param {Missed | null} missed
 */
function withMissed(messages, missed) {
  if (
    !missed ||
    messages.some(({ author, text }) => author === "user" && text === missed.message)
  ) {
    return messages;
  }
  const entry = { author: /** @type {const} */ ("user"), ...missed, messageId: "missed" };
  return [...messages, toPastMessage(entry, messages.length)];
}

/** Render a burst of changes once. */
function scheduleRender() {
  if (isRenderDue) return;
  isRenderDue = true;
  queueMicrotask(() => {
    isRenderDue = false;
    if (!desk) return;
    const { chats, channel } = desk;
    const transcript = chat?.transcript ?? null;
    const selected = chats.selectedChat;
    view.show({
      chats,
      canAct: channel.state.name === "joined",
      transcript,
      past: transcript && selected ? pastMessages(transcript, selected) : [],
      hasEarlier,
    });
    composer.render({ canSend: canWriteIn(chats, selected), canStop: false });
  });
}

// Actions on it.

/**
 * @param {"claim" | "return" | "close"} action
 * @param {{takeOver?: boolean, summary?: string | null}} [options]
 */
async function act(action, options) {
  const sessionId = chat?.sessionId;
  const chats = desk?.chats;
  if (!chats || !sessionId) return;
  await alertIfRefused("The action failed.", () => chats.act(action, sessionId, options));
}

async function attend() {
  const sessionId = chat?.sessionId;
  const chats = desk?.chats;
  if (!chats || !sessionId) return;
  const title = textsIn(navigator.language).attendFailed;
  await alertIfRefused(title, () => chats.attend(sessionId));
}

/**
 * @param {string} sessionId
 * @param {string} confirmId
 * @param {"yes" | "no"} answer
 */
function confirm(sessionId, confirmId, answer) {
  desk?.chats.confirm(sessionId, confirmId, answer);
}

/** @param {{takeOver?: boolean}} [options] */
async function claim(options) {
  await act("claim", options);
  if (matchMedia("(pointer: fine)").matches) composer.focus();
}

/** @param {"return" | "close"} action */
function openEndDialog(action) {
  ending = action;
  const { title, detail, confirm } = END_DIALOGS[action];
  setText(byId("end-title"), title);
  setText(byId("end-detail"), detail);
  setText(byId("end-confirm"), confirm);
  endDialog.showModal();
}

function onEndDialogClosed() {
  const field = typedById(HTMLTextAreaElement, "summary");
  const summary = field.value.trim();
  if (endDialog.returnValue === "end") act(ending, { summary: summary || null });
  field.value = endDialog.returnValue = "";
}

/**
 * Show one of the panels; on a wide screen all are visible.
 *
 * @param {"chats" | "conversation" | "context"} name
 */
function openView(name) {
  document.body.dataset.view = name;
}

function listenToControls() {
  signInDialog.addEventListener("close", onSignInClosed);
  signInDialog.addEventListener("cancel", (event) => {
    if (!desk) event.preventDefault(); // there is nothing to go back to
  });
  listen("pill", "click", () => signInDialog.showModal());
  listen("back", "click", () => {
    leaveChat();
    openView("chats");
  });
  listen("open-context", "click", () => openView("context"));
  listen("close-context", "click", () => openView("conversation"));
  listen("claim", "click", () => claim());
  listen("take-over", "click", () => claim({ takeOver: true }));
  listen("attend", "click", () => attend());
  listen("return", "click", () => openEndDialog("return"));
  listen("close", "click", () => openEndDialog("close"));
  endDialog.addEventListener("close", onEndDialogClosed);
  listen("earlier", "click", () =>
    alertIfRefused("Earlier messages could not be loaded.", loadEarlier),
  );
  superviseConnection(() => [desk?.channel ?? null, chat?.channel ?? null], showConnection);
  setInterval(() => desk && view.updateTimes(desk.chats), 500);
}

composer.element.id = "composer";
composer.element.hidden = true;
byId("keys").before(composer.element);
listenToControls();
restoreIdentity();
