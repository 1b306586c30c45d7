/**
 * A Phoenix Channels client, protocol V1 and V2: one socket that carries one channel.
 *
 * As the socket carries nothing else, both fail together: a crashed channel, a lost connection and
 * a missing heartbeat all close the socket, wait, and reconnect with a new join_ref.
 */

import { Emitter } from "./emitter.js";

/** @typedef {"1.0.0" | "2.0.0"} Version */
/**
 * @typedef {object} Frame
 * @property {string | null} joinRef
 * @property {string | null} ref
 * @property {string} topic
 * @property {string} event
 * @property {unknown} payload
 */
/**
 * @typedef {object} ErrorResponse  the `response` of a reply with status `error`
 * @property {string} [reason]
 * @property {string} [detail]
 * @property {string} [message]
 * @property {number} [retryAfterMs]
 * @property {string} [by]  the coordinator who has the conversation
 * @property {boolean} [inFlight]  the connection was lost after the request was sent
 */
/** @typedef {{code?: number, reason: string}} Cause  why a connection ended */
/**
 * @typedef {{name: "idle"}
 *   | {name: "connecting"}
 *   | {name: "joining"}
 *   | {name: "joined", response: unknown}
 *   | {name: "waiting", retryAt: number, cause: Cause}
 *   | {name: "refused", reason: string, response: ErrorResponse}} ChannelState
 *   `retryAt` is in epoch milliseconds; `refused` is final until `connect` is called
 */
/** @typedef {{direction: "in" | "out", text: string}} WireFrame  a frame as it was sent */
/** @typedef {{event: string, payload: unknown}} ChannelMessage */
/**
 * @typedef {object} Options
 * @property {string} url  ws(s)://host/socket/websocket
 * @property {Version} vsn
 * @property {string} topic
 * @property {() => object} joinPayload  called at every join
 * @property {(reason: string) => boolean} isTransient  whether to connect again after a join that
 *   was refused so, a channel that was closed so, or a failed `prepare`
 * @property {() => Promise<void>} [prepare]  what every connection needs first; rejects with
 *   PushError
 */
/**
 * @typedef {object} PendingRequest
 * @property {(response: unknown) => void} resolve
 * @property {(error: PushError) => void} reject
 * @property {ReturnType<typeof setTimeout>} timer
 */

/** @type {Version} */
export const V1 = "1.0.0";
/** @type {Version} */
export const V2 = "2.0.0";

const TIMEOUT_MS = 10_000;
const HEARTBEAT_MS = 30_000;
const CHECK_TIMEOUT_MS = 3_000;
const BACKOFF_MS = [500, 1_000, 2_000, 5_000, 10_000, 20_000];
// A timer holds no more than 24 days, and a longer one ends at once.
const LONGEST_PAUSE_MS = 3_600_000;
const LIFECYCLE_EVENTS = ["phx_close", "phx_error"];

/**
 * How each protocol version writes a frame.
 *
 * @type {Record<Version, {encode: (frame: Frame) => unknown, decode: (json: any) => Frame}>}
 */
const CODECS = {
  [V1]: {
    encode: ({ ref, topic, event, payload }) => ({ topic, event, payload, ref }),
    // V1 has no join_ref; the frame that ends a channel carries that of the join in `ref` instead.
    decode: ({ topic, event, payload, ref }) => {
      const joinRef = LIFECYCLE_EVENTS.includes(event) ? ref : null;
      return { joinRef, ref, topic, event, payload };
    },
  },
  [V2]: {
    encode: ({ joinRef, ref, topic, event, payload }) => [joinRef, ref, topic, event, payload],
    decode: ([joinRef, ref, topic, event, payload]) => ({ joinRef, ref, topic, event, payload }),
  },
};

/**
 * Return a text with U+FFFD for each half of a surrogate pair, as `String.toWellFormed` does.
 *
 * @param {string} text
 */
export const toWellFormed = (text) => text.replace(/\p{Surrogate}/gu, "\ufffd");

/**
 * Return the text of a frame in a protocol version, with well-formed strings in it.
 *
 * @param {Version} vsn
 * @param {Frame} frame
 */
export const encode = (vsn, frame) =>
  JSON.stringify(CODECS[vsn].encode(frame), (_key, value) =>
    typeof value === "string" ? toWellFormed(value) : value,
  );

/**
 * Return the frame that a text stands for, or null if it is none.
 *
 * @param {Version} vsn
 * @param {string} text
 * @returns {Frame | null}
 */
export function decode(vsn, text) {
  try {
    return CODECS[vsn].decode(JSON.parse(text));
  } catch {
    return null;
  }
}

/** A request that failed: `reason` is the server's, or `timeout` or `disconnected`. */
export class PushError extends Error {
  /**
   * @param {string} reason
   * @param {ErrorResponse} response
   */
  constructor(reason, response = {}) {
    super(reason);
    this.reason = reason;
    this.response = response;
  }
}

/**
 * A channel that reconnects by itself.
 *
 * Events: `state` (see `state`), `message` (an event that the server pushed) and `frame`
 * (everything sent and received, unparsed).
 *
 * @extends {Emitter<{state: ChannelState, message: ChannelMessage, frame: WireFrame}>}
 */
export class PhoenixChannel extends Emitter {
  #options;
  /** @type {ChannelState} */
  #state = { name: "idle" };
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {string | null} */
  #joinRef = null;
  /** @type {string | null} announced by the server before it closes the channel */
  #closeReason = null;
  #lastRef = 0;
  #attempt = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retryTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #openTimer;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #heartbeatTimer;
  /** @type {Promise<void> | null} */
  #ongoingCheck = null;
  /** @type {object | null} identifies the connection that is being prepared */
  #preparation = null;
  /** @type {Map<string, PendingRequest>} by ref */
  #pending = new Map();

  /** @param {Options} options */
  constructor(options) {
    super();
    this.#options = options;
  }

  get state() {
    return this.#state;
  }

  get vsn() {
    return this.#options.vsn;
  }

  get topic() {
    return this.#options.topic;
  }

  get joinRef() {
    return this.#joinRef;
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Connect and join, and reconnect until `disconnect` is called or the server refuses. */
  connect() {
    if (this.#socket || this.#preparation || this.#retryTimer !== undefined) return;
    this.#attempt = 0;
    this.#open();
  }

  disconnect() {
    this.#closeSocket();
    this.#setState({ name: "idle" });
  }

  /** Skip the rest of the current backoff. */
  retryNow() {
    if (this.#state.name !== "waiting") return;
    clearTimeout(this.#retryTimer);
    this.#open();
  }

  /** Find out soon whether the connection is alive: it may have been lost without a sign. */
  async check() {
    if (this.#state.name !== "joined") return;
    this.#ongoingCheck ??= this.#sendHeartbeat(CHECK_TIMEOUT_MS).finally(() => {
      this.#ongoingCheck = null;
    });
    await this.#ongoingCheck;
  }

  /**
   * Resolve with the `response` of the reply; reject with PushError.
   *
   * @param {string} event
   * @param {object} payload
   * @param {number} [timeoutMs]
   */
  async push(event, payload, timeoutMs = TIMEOUT_MS) {
    if (this.#state.name !== "joined") throw new PushError("disconnected");
    try {
      return await this.#request(this.topic, event, payload, timeoutMs);
    } catch (error) {
      const reason = error instanceof PushError ? error.reason : "";
      // The server has dropped the channel, and its phx_error was lost.
      if (reason === "unmatched topic") this.#reconnectLater({ reason });
      if (reason === "timeout") this.check();
      throw error;
    }
  }

  /**
   * Send an event without asking for a reply; drop it while not joined.
   *
   * @param {string} event
   * @param {object} payload
   */
  notify(event, payload) {
    if (this.#state.name !== "joined") return;
    this.#send({ joinRef: this.#joinRef, ref: null, topic: this.topic, event, payload });
  }

  /**
   * Send a text as it is.
   *
   * @param {string} text
   */
  sendRaw(text) {
    this.#socket?.send(text);
    this.emit("frame", { direction: "out", text });
  }

  nextRef() {
    this.#lastRef += 1;
    return String(this.#lastRef);
  }

  #open() {
    this.#retryTimer = undefined;
    this.#setState({ name: "connecting" });
    if (this.#options.prepare) this.#prepare(this.#options.prepare);
    else this.#openSocket();
  }

  /** @param {() => Promise<void>} prepare */
  async #prepare(prepare) {
    const preparation = (this.#preparation = {});
    const isOver = () => this.#preparation !== preparation;
    try {
      await prepare();
    } catch (error) {
      if (!(error instanceof PushError)) throw error;
      if (!isOver()) this.#onRefused(error);
      return;
    }
    if (isOver()) return;
    this.#preparation = null;
    this.#openSocket();
  }

  #openSocket() {
    let socket;
    try {
      socket = new WebSocket(endpoint(this.#options));
    } catch (error) {
      this.#refuse("invalid_url", { detail: error instanceof Error ? error.message : undefined });
      return;
    }
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.#onOpen();
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onclose = ({ code, reason }) => this.#reconnectLater({ code, reason });
    this.#openTimer = setTimeout(() => this.#reconnectLater({ reason: "timeout" }), TIMEOUT_MS);
  }

  #onOpen() {
    clearTimeout(this.#openTimer);
    // On a fixed schedule: traffic from the server does not prove to it that this client lives.
    this.#heartbeatTimer = setInterval(() => this.#sendHeartbeat(TIMEOUT_MS), HEARTBEAT_MS);
    this.#join();
  }

  #join() {
    this.#setState({ name: "joining" });
    const ref = this.nextRef();
    this.#joinRef = ref;
    this.#closeReason = null;
    // At once, and not by a promise: what is pushed right after the reply comes after it.
    this.#await(ref, TIMEOUT_MS, {
      resolve: (response) => this.#setState({ name: "joined", response }),
      reject: (error) => {
        if (error.reason !== "disconnected") this.#onRefused(error);
      },
    });
    const payload = this.#options.joinPayload();
    this.#send({ joinRef: ref, ref, topic: this.topic, event: "phx_join", payload });
  }

  /** @param {PushError} error */
  #onRefused({ reason, response }) {
    const isTransient = reason === "timeout" || this.#options.isTransient(reason);
    if (isTransient) this.#reconnectLater({ reason }, response.retryAfterMs);
    else this.#refuse(reason, response);
  }

  /** @param {number} timeoutMs */
  async #sendHeartbeat(timeoutMs) {
    try {
      await this.#request("phoenix", "heartbeat", {}, timeoutMs);
    } catch (error) {
      if (!(error instanceof PushError)) throw error;
      if (error.reason === "timeout") this.#reconnectLater({ reason: "heartbeat timeout" });
    }
  }

  /**
   * @param {string} topic
   * @param {string} event
   * @param {object} payload
   * @param {number} timeoutMs
   * @returns {Promise<unknown>}
   */
  #request(topic, event, payload, timeoutMs) {
    return new Promise((resolve, reject) => {
      const ref = this.nextRef();
      this.#await(ref, timeoutMs, { resolve, reject });
      const joinRef = topic === this.topic ? this.#joinRef : null;
      this.#send({ joinRef, ref, topic, event, payload });
    });
  }

  /**
   * @param {string} ref
   * @param {number} timeoutMs
   * @param {Omit<PendingRequest, "timer">} request
   */
  #await(ref, timeoutMs, request) {
    const onTimeout = () => this.#finishRequest(ref, "error", { reason: "timeout" });
    this.#pending.set(ref, { ...request, timer: setTimeout(onTimeout, timeoutMs) });
  }

  /** @param {Frame} frame */
  #send(frame) {
    this.sendRaw(encode(this.vsn, frame));
  }

  /** @param {string | ArrayBuffer} data */
  #receive(data) {
    const isText = typeof data === "string";
    this.emit("frame", { direction: "in", text: isText ? data : `[${data.byteLength} bytes]` });
    // What is not a frame is shown among the frames, and otherwise ignored.
    const frame = isText ? decode(this.vsn, data) : null;
    if (frame?.event === "phx_reply") {
      const reply = /** @type {{status?: string, response?: unknown} | null} */ (frame.payload);
      this.#finishRequest(frame.ref, reply?.status, reply?.response);
    } else if (frame?.topic === this.topic) {
      this.#onFrame(frame);
    }
  }

  /** @param {Frame} frame */
  #onFrame({ joinRef, event, payload }) {
    // A frame of an earlier join does not concern this one.
    if (joinRef != null && joinRef !== this.#joinRef) return;
    if (event === "phx_error") {
      const error = /** @type {ErrorResponse | null} */ (payload);
      this.#reconnectLater({ reason: error?.reason ?? "phx_error" });
    } else if (event === "phx_close") {
      this.#onRefused(new PushError(this.#closeReason ?? "phx_close"));
    } else if (event === "token_expired") this.#closeReason = event;
    else this.emit("message", { event, payload });
  }

  /**
   * @param {string | null} ref
   * @param {string | undefined} status
   * @param {unknown} response
   */
  #finishRequest(ref, status, response) {
    const request = this.#pending.get(ref ?? "");
    if (!request) return;
    clearTimeout(request.timer);
    this.#pending.delete(ref ?? "");
    if (status === "ok") {
      // A join alone does not start the backoff over: what is sent after it may end every socket.
      if (ref !== this.#joinRef) this.#attempt = 0;
      request.resolve(response);
    } else {
      const error = /** @type {ErrorResponse} */ (response ?? {});
      if (error.reason === "unauthorized") this.#closeReason = error.reason; // phx_close follows
      request.reject(new PushError(error.reason ?? "unknown", error));
    }
  }

  /**
   * @param {Cause} cause
   * @param {number} [leastMs]  the pause that the server asks for
   */
  #reconnectLater(cause, leastMs = 0) {
    this.#closeSocket();
    const step = BACKOFF_MS[Math.min(this.#attempt, BACKOFF_MS.length - 1)];
    // Jitter: the clients of a server that restarts must not all come back at once.
    const delay = Math.max(step * (0.5 + Math.random() / 2), pauseOf(leastMs));
    this.#attempt += 1;
    this.#retryTimer = setTimeout(() => this.#open(), delay);
    this.#setState({ name: "waiting", retryAt: Date.now() + delay, cause });
  }

  /**
   * @param {string} reason
   * @param {ErrorResponse} response
   */
  #refuse(reason, response = {}) {
    this.#closeSocket();
    this.#setState({ name: "refused", reason, response });
  }

  /** Abandon the socket without waiting for its close handshake: a dead peer never answers it. */
  #closeSocket() {
    clearTimeout(this.#openTimer);
    clearTimeout(this.#retryTimer);
    clearInterval(this.#heartbeatTimer);
    this.#retryTimer = undefined;
    this.#preparation = null;
    const socket = this.#socket;
    this.#socket = null;
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close(1000);
    }
    for (const ref of [...this.#pending.keys()]) {
      this.#finishRequest(ref, "error", { reason: "disconnected", inFlight: true });
    }
  }

  /** @param {ChannelState} state */
  #setState(state) {
    this.#state = state;
    this.emit("state", state);
  }
}

/**
 * Return the pause that is asked for, as far as it can be kept.
 *
 * @param {unknown} askedMs
 */
const pauseOf = (askedMs) => {
  const pause = Number(askedMs);
  return pause > 0 ? Math.min(pause, LONGEST_PAUSE_MS) : 0;
};

/** @param {Options} options */
function endpoint({ url, vsn }) {
  const address = new URL(url);
  address.searchParams.set("vsn", vsn);
  return address;
}
