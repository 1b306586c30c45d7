/** The connection of a page: where it leads, how its state is shown, what is reported. */

import { byId, keepingFocus, listen, setText } from "./dom.js";
import { connectionState, isOffline, supervise } from "../client/connection.js";
import { PushError } from "../client/phoenix.js";
import { connectionText, explainRefusal } from "./texts.js";

/** @import { ConnectionState } from "../client/client.js" */
/** @import { PhoenixChannel } from "../client/phoenix.js" */

/** @type {PhoenixChannel | null} joined, but the network is gone: it is being found out */
let doubted = null;

/** Return the URL of the socket of the page's own server. */
export function ownSocketUrl() {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  return `${scheme}//${location.host}/socket/websocket`;
}

/**
 * Return the state of a connection of the page's.
 *
 * @param {PhoenixChannel} channel
 */
export const connectionOf = (channel) => connectionState(channel.state, channel === doubted);

/**
 * Show the state of the connection in the header.
 *
 * @param {ConnectionState} state
 */
export function showConnectionState(state) {
  const { tone, label } = connectionText(state);
  byId("pill").dataset.tone = tone;
  setText(byId("pill-label"), label);
}

/**
 * Look after the connections of a page, and let alerts be closed.
 *
 * @param {() => (PhoenixChannel | null)[]} channels  the first is the page's own
 * @param {() => void} show  shows its state: called where the network goes, or comes back, and to
 *   count down to the next attempt
 */
export function superviseConnection(channels, show) {
  listen("alert-close", "click", () => keepingFocus(hideAlert));
  supervise(channels, async () => {
    const channel = channels()[0];
    const isDoubted = isOffline() && channel?.state.name === "joined";
    doubted = isDoubted ? channel : null;
    show();
    if (!isDoubted) return;
    await channel.check();
    doubted = null;
    show();
  });
  setInterval(() => {
    if (channels()[0]?.state.name === "waiting") show();
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
