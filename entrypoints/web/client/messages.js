/** What both sides' messages have in common: their shape, their ids, their delivery. */

import { PushError } from "./phoenix.js";

/** @typedef {"user" | "ai" | "coordinator" | "system"} Author */
/** @typedef {"ai" | "waiting" | "live" | "closed"} Status  who owns a conversation */
/**
 * @typedef {"queued" | "sending" | "stored" | "failed" | "streaming" | "interrupted"} DeliveryState
 *   `queued` waits for a connection; `streaming` is an answer that is still being written, and
 *   `interrupted` one that nobody writes any more
 */
/**
 * @typedef {object} Message
 * @property {string} key  its id
 * @property {Author} author
 * @property {string} text
 * @property {string} [at]  ISO 8601
 * @property {string | null} [coordinatorId]
 * @property {DeliveryState} state
 * @property {PushError | null} [error]  why it `failed`
 * @property {number} [losses]  the connections lost in a row while it was in flight
 */

const MAX_LOSSES = 2;
const TYPING_INTERVAL_MS = 2_000;

/** Return 32 hexadecimal digits; `crypto.randomUUID` is missing on pages served by plain HTTP. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Return the change to a message whose delivery failed.
 *
 * It is resent with the same id, so that one that was stored after all is not duplicated; but not
 * once two connections in a row were lost with it, as it may be what ends them.
 *
 * @param {PushError} error
 * @param {number} [losses]  those before
 * @returns {{state: DeliveryState, error: PushError, losses: number}}
 */
export function undelivered(error, losses = 0) {
  if (error.reason !== "disconnected") return { state: "failed", error, losses: 0 };
  const lost = losses + (error.response.inFlight ? 1 : 0);
  if (lost >= MAX_LOSSES) {
    return { state: "failed", error: new PushError("connection_lost"), losses: 0 };
  }
  return { state: "queued", error, losses: lost };
}

/** Limits typing notices to one in two seconds. */
export class TypingThrottle {
  #sentAt = 0;

  /** Return whether a notice may be sent now, and count it as sent. */
  admit() {
    const now = Date.now();
    if (now - this.#sentAt < TYPING_INTERVAL_MS) return false;
    this.#sentAt = now;
    return true;
  }
}
