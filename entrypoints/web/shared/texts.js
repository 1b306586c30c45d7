/** The texts of both pages: the state of the connection, and why a request was refused. */

/** @import { Cause, ErrorResponse } from "../client/phoenix.js" */
/** @import { ConnectionState } from "../client/client.js" */

/** By the reason. In a Map, unlike in an object, nothing is found for `constructor`. */
const REFUSALS = new Map(
  Object.entries({
    invalid_payload:
      "The request is invalid. Business, location and user IDs have 1–128 letters, digits and " +
      ". _ : @ - each.",
    invalid_url: "The server URL is invalid. Example: ws://localhost:3001/socket/websocket.",
    unauthorized: "The token is missing, invalid or expired. Enter a valid one and reconnect.",
    token_expired: "The token has expired. Enter a new one and reconnect.",
    identity_unavailable: "The server cannot verify tokens at the moment.",
    business_mismatch: "The token or the topic belongs to another business. Check the business.",
    identity_mismatch: "The message names a user other than the one who joined. Reconnect.",
    overloaded: "The server is at capacity.",
    rate_limited: "Too many messages in a short time.",
    storage_unavailable: "Storage is unavailable at the moment; nothing was saved or sent.",
    message_too_long: "The message is too long. Shorten it.",
    not_in_live_chat: "There is no live chat to end.",
    expired: "Nobody answered in time: nothing was done.",
    withdrawn: "The question no longer stands: nothing was done.",
    unknown_confirmation: "The AI agent server does not know this question.",
    already_claimed: "Another coordinator has already claimed it.",
    transition_refused: "The user is no longer waiting for a person.",
    session_closed: "The conversation is closed.",
    unknown_business: "The AI agent server does not know this business.",
    unknown_session: "The AI agent server does not know this conversation.",
    server_unavailable: "The AI agent server cannot be reached at the moment.",
    phx_close: "The server closed the channel. Reconnect to continue.",
    timeout: "No response within 10 seconds. It is safe to try again.",
    disconnected: "There is no connection.",
    connection_lost: "The connection was lost twice while this was sent.",
    "unmatched topic":
      "The server does not know this topic. Check the business and the server URL.",
  }),
);

/**
 * Return what a refusal means, and what to do about it.
 *
 * @param {string} reason
 * @param {ErrorResponse | null} [response]
 */
export function explainRefusal(reason, response) {
  const { retryAfterMs, by, detail = response?.message } = response ?? {};
  const sentences = [REFUSALS.get(reason) ?? `The request was refused (${reason}).`];
  if (by) sentences.push(`It is with ${by}.`);
  if (retryAfterMs) sentences.push(`Try again in ${Math.ceil(retryAfterMs / 1000)} s.`);
  if (typeof detail === "string") sentences.push(`(${detail})`);
  return sentences.join(" ");
}

/**
 * Return the texts for the state of a connection; `title` and `detail` if something is wrong.
 *
 * @param {ConnectionState} state
 * @returns {{label: string, tone: "good" | "busy" | "bad" | "off", title?: string, detail?: string}}
 */
export function connectionText(state) {
  switch (state.name) {
    case "connecting":
      return { label: "Connecting…", tone: "busy" };
    case "joining":
      return { label: "Joining…", tone: "busy" };
    case "joined":
      return { label: "Connected", tone: "good" };
    case "offline":
      return {
        label: "Offline",
        tone: "bad",
        title: "There is no network.",
        detail: "What is written is sent once it is back.",
      };
    case "waiting":
      return waitingText(state.retryAt, state.cause);
    case "refused":
      return {
        label: "Refused",
        tone: "bad",
        title: `Connection refused: ${state.reason}.`,
        detail: explainRefusal(state.reason, state.response),
      };
    default:
      return { label: "Not connected", tone: "off" };
  }
}

/**
 * @param {number} retryAt
 * @param {Cause} cause
 * @returns {ReturnType<typeof connectionText>}
 */
function waitingText(retryAt, cause) {
  const seconds = Math.max(0, Math.ceil((retryAt - Date.now()) / 1000));
  const label = `Reconnecting in ${seconds} s`;
  return { label, tone: "busy", title: "Not connected.", detail: causeText(cause) };
}

/** @param {Cause} cause */
function causeText({ code, reason }) {
  // No close frame: a browser does not tell a refused upgrade from a server that is down.
  if (code === 1006) return "Check that the server is running and accepts this page's origin.";
  const text =
    REFUSALS.get(reason) ?? (reason ? `Reason: ${reason}.` : "The server closed the connection.");
  return code ? `${text} (close code ${code})` : text;
}
