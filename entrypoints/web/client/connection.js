/** What every connection to the server has in common: when it is tried again, and looked after. */

/** @import { ConnectionState } from "./client.js" */
/** @import { ChannelState, PhoenixChannel } from "./phoenix.js" */

// Refusals of a join that say nothing about what was asked for: it may be granted later.
const TRANSIENT_REFUSALS = [
  "overloaded",
  "rate_limited",
  "draining",
  "identity_unavailable",
  "storage_unavailable",
  "join crashed",
];

/**
 * Return whether a join refused for this reason is retried.
 *
 * @param {string} reason
 */
export const isTransientRefusal = (reason) => TRANSIENT_REFUSALS.includes(reason);

/** Whether the browser knows that there is no network. */
export const isOffline = () => globalThis.navigator?.onLine === false;

/**
 * Return the state of a connection, as far as the browser knows that there is no network.
 *
 * @param {ChannelState} state
 * @param {boolean} isDoubted  whether the network has gone since the connection was known to live
 * @returns {ConnectionState}
 */
export function connectionState(state, isDoubted) {
  const isTried = ["connecting", "joining", "waiting"].includes(state.name);
  return isDoubted || (isTried && isOffline()) ? { name: "offline" } : state;
}

/**
 * Look after connections: find out at once about one that may be lost, and try again at once where
 * it may succeed. Return a function that stops that.
 *
 * @param {() => (PhoenixChannel | null)[]} channels
 * @param {() => void} [onSign]  called at every sign that the network or the page has come or gone
 */
export function supervise(channels, onSign = () => {}) {
  const { document, window } = globalThis;
  if (!window || !document) return () => {};
  const check = () => {
    channels().forEach((channel) => channel?.check());
    onSign();
  };
  const retry = () => {
    channels().forEach((channel) => channel?.retryNow());
    check();
  };
  // Timers of a hidden page run late, and none does in a phone that sleeps.
  const onVisible = () => {
    if (!document.hidden) retry();
  };
  /** @type {[EventTarget, string, () => void][]} */
  const listeners = [
    [window, "online", retry],
    [window, "offline", check],
    [window, "pageshow", retry],
    [document, "visibilitychange", onVisible],
    [document, "resume", onVisible],
  ];
  for (const [target, type, listener] of listeners) target.addEventListener(type, listener);
  return () => {
    for (const [target, type, listener] of listeners) target.removeEventListener(type, listener);
  };
}
