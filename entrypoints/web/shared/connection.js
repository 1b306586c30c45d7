/** The connection of a page: where it leads, how its state is shown, what is reported. */

import { byId, listen, setText } from "./dom.js";
import { supervise } from "../client/connection.js";
import { PushError } from "../client/phoenix.js";
import { connectionText, explainRefusal } from "./texts.js";

/** @import { ChannelState, PhoenixChannel } from "../client/phoenix.js" */

/** Return the URL of the socket of the page's own server. */
export function ownSocketUrl() {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  return `${scheme}//${location.host}/socket/websocket`;
}

/**
 * Show the state of the connection in the header.
 *
 * @param {ChannelState} state
 */
export function showConnectionState(state) {
  const { tone, label } = connectionText(state);
  byId("pill").dataset.tone = tone;
  setText(byId("pill-label"), label);
}

/**
 * Look after the connections of a page, count down to the next attempt, and let alerts be closed.
 *
 * @param {() => (PhoenixChannel | null)[]} channels  the first is the page's own
 */
export function superviseConnection(channels) {
  listen("alert-close", "click", hideAlert);
  supervise(channels);
  setInterval(() => {
    const state = channels()[0]?.state;
    if (state?.name === "waiting") showConnectionState(state);
  }, 250);
}

/**
 * Show an alert across the page.
 *
 * @param {string} title
 * @param {string} detail
 */
export function showAlert(title, detail) {
  setText(byId("alert-title"), title);
  setText(byId("alert-detail"), detail);
  byId("alert").hidden = false;
}

export function hideAlert() {
  byId("alert").hidden = true;
}

/**
 * Run an action; if the server refuses it, show an alert.
 *
 * @param {string} title
 * @param {() => Promise<unknown>} action
 */
export async function alertIfRefused(title, action) {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof PushError)) throw error;
    showAlert(title, explainRefusal(error.reason, error.response));
  }
}
