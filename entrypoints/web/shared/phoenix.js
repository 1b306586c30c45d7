/**
 * A Phoenix Channels client, protocol V1 and V2: one socket that carries one channel.
 *
 * As the socket carries nothing else, whatever befalls the one befalls the other: a crashed
 * channel, a lost connection and a missing heartbeat all end in the same way, which is to drop the
 * socket, wait, and begin anew with a fresh join_ref.
 */

export const V1 = "1.0.0";
export const V2 = "2.0.0";

const TIMEOUT_MS = 10_000;
const HEARTBEAT_MS = 30_000;
const BACKOFF_MS = [500, 1_000, 2_000, 5_000, 10_000, 20_000];
const LIFECYCLE = ["phx_close", "phx_error"];

/** How a frame `{joinRef, ref, topic, event, payload}` is written in each protocol version. */
const CODECS = {
  [V1]: {
    encode: ({ ref, topic, event, payload }) => ({ topic, event, payload, ref }),
    // V1 has no join_ref; an end of the channel carries the one of the join in `ref` instead.
    decode: ({ topic, event, payload, ref }) => {
      const joinRef = LIFECYCLE.includes(event) ? ref : null;
      return { joinRef, ref, topic, event, payload };
    },
  },
  [V2]: {
    encode: ({ joinRef, ref, topic, event, payload }) => [joinRef, ref, topic, event, payload],
    decode: ([joinRef, ref, topic, event, payload]) => ({ joinRef, ref, topic, event, payload }),
  },
};

/** The text of a frame, as protocol version `vsn` writes it. */
export const encode = (vsn, frame) => JSON.stringify(CODECS[vsn].encode(frame));

/** A request that came to nothing: `reason` is the server's, or `timeout` or `disconnected`. */
export class PushError extends Error {
  constructor(reason, response = {}) {
    super(reason);
    this.reason = reason;
    this.response = response;
  }
}

/**
 * Events: `state` (see `state`), `message` `{event, payload}` (what the server pushes) and `frame`
 * `{direction: "in" | "out", text}` (everything on the wire, as it is).
 */
export class PhoenixChannel extends EventTarget {
  #options;
  #state = { name: "idle" };
  #socket = null;
  #joinRef = null;
  #farewell = null; // what the server has said that it is about to close the channel for
  #lastRef = 0;
  #attempt = 0;
  #retry = null;
  #deadline = null;
  #heartbeat = null;
  #pending = new Map();

  /**
   * @param {object} options
   * @param {string} options.url  ws(s)://host/socket/websocket
   * @param {string} options.vsn  V1 or V2
   * @param {string} options.topic
   * @param {() => object} options.joinPayload  asked for at every join
   * @param {(reason: string) => boolean} options.isTransient  whether a join refused so is retried
   */
  constructor(options) {
    super();
    this.#options = options;
  }

  /**
   * One of `{name: "idle"}`, `{name: "connecting"}`, `{name: "joining"}`,
   * `{name: "joined", response}`, `{name: "waiting", retryAt, why}` (retryAt: epoch milliseconds)
   * and, from which it does not come back by itself, `{name: "refused", reason, response}`.
   */
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

  /** Connect and join, and keep doing so until `disconnect` or a refusal. */
  connect() {
    if (this.#socket || this.#retry) return;
    this.#attempt = 0;
    this.#open();
  }

  disconnect() {
    this.#drop();
    this.#become({ name: "idle" });
  }

  /** Do not wait for the rest of the backoff. */
  retryNow() {
    if (this.#state.name !== "waiting") return;
    clearTimeout(this.#retry);
    this.#open();
  }

  /** Resolves with the `response` of the reply; rejects with PushError. */
  async push(event, payload) {
    if (this.#state.name !== "joined") throw new PushError("disconnected");
    try {
      return await this.#request(this.topic, event, payload);
    } catch (error) {
      // The server no longer knows the channel: its phx_error did not reach us.
      if (error.reason === "unmatched topic") this.#lose({ reason: error.reason });
      throw error;
    }
  }

  /** Send without asking for a reply; what cannot be sent now is not worth sending later. */
  cast(event, payload) {
    if (this.#state.name !== "joined") return;
    this.#send({ joinRef: this.#joinRef, ref: null, topic: this.topic, event, payload });
  }

  sendRaw(text) {
    this.#socket.send(text);
    this.#emit("frame", { direction: "out", text });
  }

  nextRef() {
    this.#lastRef += 1;
    return String(this.#lastRef);
  }

  #open() {
    this.#retry = null;
    this.#become({ name: "connecting" });
    let socket;
    try {
      socket = new WebSocket(endpoint(this.#options));
    } catch (error) {
      this.#refuse("invalid_url", { detail: error.message });
      return;
    }
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.#opened();
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onclose = ({ code, reason }) => this.#lose({ code, reason });
    this.#deadline = setTimeout(() => this.#lose({ reason: "timeout" }), TIMEOUT_MS);
  }

  #opened() {
    clearTimeout(this.#deadline);
    // On a fixed schedule: traffic from the server proves to it nothing about us.
    this.#heartbeat = setInterval(() => this.#beat(), HEARTBEAT_MS);
    this.#join();
  }

  async #join() {
    this.#become({ name: "joining" });
    const ref = this.nextRef();
    this.#joinRef = ref;
    this.#farewell = null;
    try {
      const payload = this.#options.joinPayload();
      const response = await this.#request(this.topic, "phx_join", payload, ref);
      this.#attempt = 0;
      this.#become({ name: "joined", response });
    } catch (error) {
      if (error.reason === "disconnected") return;
      const transient = error.reason === "timeout" || this.#options.isTransient(error.reason);
      if (transient) this.#lose({ reason: error.reason });
      else this.#refuse(error.reason, error.response);
    }
  }

  async #beat() {
    try {
      await this.#request("phoenix", "heartbeat", {});
    } catch (error) {
      if (error.reason === "timeout") this.#lose({ reason: "heartbeat timeout" });
    }
  }

  #request(topic, event, payload, ref = this.nextRef()) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#settle(ref, "error", { reason: "timeout" }), TIMEOUT_MS);
      this.#pending.set(ref, { resolve, reject, timer });
      const joinRef = topic === this.topic ? this.#joinRef : null;
      this.#send({ joinRef, ref, topic, event, payload });
    });
  }

  #send(frame) {
    this.sendRaw(encode(this.vsn, frame));
  }

  #receive(data) {
    const isText = typeof data === "string";
    this.#emit("frame", { direction: "in", text: isText ? data : `[${data.byteLength} bytes]` });
    const frame = isText ? this.#decode(data) : null;
    if (frame?.event === "phx_reply") {
      this.#settle(frame.ref, frame.payload?.status, frame.payload?.response);
    } else if (frame?.topic === this.topic) {
      this.#handle(frame);
    }
  }

  /** The frame, or null: what is no frame stands in the log of frames, and is otherwise ignored. */
  #decode(text) {
    try {
      return CODECS[this.vsn].decode(JSON.parse(text));
    } catch {
      return null;
    }
  }

  #handle({ joinRef, event, payload }) {
    // A frame of an earlier join says nothing about this one.
    if (joinRef != null && joinRef !== this.#joinRef) return;
    if (event === "phx_error") this.#lose({ reason: payload?.reason ?? "phx_error" });
    else if (event === "phx_close") this.#refuse(this.#farewell ?? "phx_close");
    else if (event === "token_expired") this.#farewell = event;
    else this.#emit("message", { event, payload });
  }

  #settle(ref, status, response) {
    const request = this.#pending.get(ref);
    if (!request) return;
    clearTimeout(request.timer);
    this.#pending.delete(ref);
    if (status === "ok") request.resolve(response);
    else request.reject(new PushError(response?.reason ?? "unknown", response));
  }

  #lose(why) {
    this.#drop();
    const step = BACKOFF_MS[Math.min(this.#attempt, BACKOFF_MS.length - 1)];
    // Jitter: the clients of a server that restarts must not all come back at once.
    const delay = step * (0.5 + Math.random() / 2);
    this.#attempt += 1;
    this.#retry = setTimeout(() => this.#open(), delay);
    this.#become({ name: "waiting", retryAt: Date.now() + delay, why });
  }

  #refuse(reason, response = {}) {
    this.#drop();
    this.#become({ name: "refused", reason, response });
  }

  /** Let go of the socket without waiting for its close: a dead peer would never answer it. */
  #drop() {
    clearTimeout(this.#deadline);
    clearTimeout(this.#retry);
    clearInterval(this.#heartbeat);
    this.#retry = null;
    const socket = this.#socket;
    this.#socket = null;
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close(1000);
    }
    for (const ref of [...this.#pending.keys()]) {
      this.#settle(ref, "error", { reason: "disconnected" });
    }
  }

  #become(state) {
    this.#state = state;
    this.#emit("state", state);
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

function endpoint({ url, vsn }) {
  const address = new URL(url);
  address.searchParams.set("vsn", vsn);
  return address;
}
