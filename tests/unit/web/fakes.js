/** Doubles for the pages' models: a channel and a WebSocket that a test plays the server of. */

import { Emitter } from "../../../entrypoints/web/client/emitter.js";
import { PushError } from "../../../entrypoints/web/client/phoenix.js";

/** A channel that is joined once `join` is called; replies are given by the test. */
export class FakeChannel extends Emitter {
  state = { name: "idle" };
  sent = [];

  constructor(topic = "", payload = {}) {
    super();
    this.topic = topic;
    this.payload = payload;
  }

  connect() {}

  disconnect() {
    this.lose();
    this.state = { name: "idle" };
  }

  push(event, payload) {
    if (this.state.name !== "joined") return Promise.reject(new PushError("disconnected"));
    return new Promise((resolve, reject) => {
      const refuse = (reason, response) => reject(new PushError(reason, response));
      this.sent.push({ event, payload, reply: resolve, refuse });
    });
  }

  notify(event, payload) {
    this.sent.push({ event, payload });
  }

  join(response) {
    this.#setState({ name: "joined", response });
  }

  lose() {
    for (const { refuse } of this.sent.splice(0)) refuse?.("disconnected", { inFlight: true });
    this.#setState({ name: "waiting", retryAt: Date.now(), cause: { reason: "" } });
  }

  receive(event, payload) {
    this.emit("message", { event, payload });
  }

  /** The first request for this event, which the test may answer. */
  request(event) {
    return this.sent.find((sent) => sent.event === event);
  }

  /** Answer the first request for this event, which is then no more; return its payload. */
  answer(event, response = {}) {
    const { payload, reply } = this.#take(event);
    reply(response);
    return payload;
  }

  refuse(event, reason, response) {
    const { payload, refuse } = this.#take(event);
    refuse(reason, response);
    return payload;
  }

  #take(event) {
    const [taken] = this.sent.splice(this.sent.indexOf(this.request(event)), 1);
    return taken;
  }

  #setState(state) {
    this.state = state;
    this.emit("state", state);
  }
}

/** A WebSocket whose other side is the test. */
export class FakeWebSocket {
  static OPEN = 1;
  static opened = [];

  readyState = 0;
  sent = [];

  constructor(url) {
    this.url = new URL(url);
    FakeWebSocket.opened.push(this);
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.readyState = 3;
  }

  accept() {
    this.readyState = 1;
    this.onopen();
  }

  receive(frame) {
    this.onmessage({ data: JSON.stringify(frame) });
  }

  drop(code = 1006) {
    this.onclose({ code, reason: "" });
  }
}

/** A browser's storage, shared by what a test opens on it. */
export class FakeStorage {
  items = new Map();

  getItem(key) {
    return this.items.get(key) ?? null;
  }

  setItem(key, value) {
    this.items.set(key, value);
  }
}

/**
 * A server that names visitors and accepts joins, over `fetch` and `WebSocket`.
 *
 * A test replaces the fields that say what it answers; `join` and `push` return the response of a
 * reply, or throw `{reason, …}`; null: no reply.
 */
export class FakeServer {
  requests = [];
  sockets = [];
  joins = [];
  pushed = [];
  visitors = 0;
  name = () => {
    this.visitors += 1;
    const userId = `v-${this.visitors}`;
    const expiresAt = new Date(Date.now() + 30 * 86_400_000).toISOString();
    return { userId, token: `token-${userId}`, expiresAt };
  };
  join = () => ({ sessionId: null, status: "ai", seq: 0, messages: [], more: false });
  push = () => ({ messages: [], more: false });
  #real = { fetch: globalThis.fetch, WebSocket: globalThis.WebSocket };

  constructor() {
    const server = this;
    globalThis.fetch = async (url, options) => server.#fetch(String(url), options);
    globalThis.WebSocket = class {
      static OPEN = 1;
      readyState = 0;

      constructor(url) {
        this.url = new URL(url);
        server.sockets.push(this);
        setImmediate(() => this.accept());
      }

      accept() {
        if (this.readyState !== 0) return;
        this.readyState = 1;
        this.onopen?.();
      }

      send(text) {
        server.#receive(this, JSON.parse(text));
      }

      receive(event, payload) {
        this.onmessage?.({ data: JSON.stringify([null, null, "messages:b1", event, payload]) });
      }

      close() {
        this.readyState = 3;
      }

      drop(code = 1006) {
        this.readyState = 3;
        this.onclose?.({ code, reason: "" });
      }
    };
  }

  get socket() {
    return this.sockets.at(-1);
  }

  close() {
    Object.assign(globalThis, this.#real);
  }

  async #fetch(url, { method, body, headers }) {
    const request = { url, method, headers, token: body ? JSON.parse(body).token : null };
    this.requests.push(request);
    const { status = 200, retryAfter, ...json } = await this.name(request);
    const all = {
      "Content-Type": "application/json",
      ...(retryAfter && { "Retry-After": retryAfter }),
    };
    return new Response(JSON.stringify(json), { status, headers: all });
  }

  async #receive(socket, [joinRef, ref, topic, event, payload]) {
    let status = "ok";
    let response = {};
    try {
      if (event === "phx_join") {
        this.joins.push(payload);
        response = await this.join(payload, socket);
      } else if (event !== "heartbeat") {
        this.pushed.push({ event, payload });
        response = await this.push(event, payload, socket);
      } else if (this.isFrozen) return;
    } catch (error) {
      if (!error.reason) throw error;
      [status, response] = ["error", error];
    }
    if (response === null) return;
    const frame = [joinRef, ref, topic, "phx_reply", { status, response }];
    socket.onmessage?.({ data: JSON.stringify(frame) });
  }
}

/** Let the promises that are settled run what awaits them. */
export async function settled(turns = 12) {
  for (let n = 0; n < turns; n++) await new Promise((resolve) => setImmediate(resolve));
}

/** A browser around a client: its window, its document and what it knows of the network. */
export class FakeBrowser {
  window = new EventTarget();
  document = Object.assign(new EventTarget(), { hidden: false });
  navigator = { onLine: true, language: "ro-RO" };
  #real = {};

  constructor() {
    for (const name of ["window", "document", "navigator"]) {
      this.#real[name] = Object.getOwnPropertyDescriptor(globalThis, name);
      Object.defineProperty(globalThis, name, { value: this[name], configurable: true });
    }
  }

  close() {
    for (const [name, descriptor] of Object.entries(this.#real)) {
      if (descriptor) Object.defineProperty(globalThis, name, descriptor);
      else delete globalThis[name];
    }
  }

  setOnline(onLine) {
    this.navigator.onLine = onLine;
    this.window.dispatchEvent(new Event(onLine ? "online" : "offline"));
  }

  show() {
    this.document.dispatchEvent(new Event("visibilitychange"));
  }

  /** Tell every tab that another one has changed the storage. */
  changed(storage, key = "ai-agent:b1") {
    const event = Object.assign(new Event("storage"), { key, storageArea: storage });
    this.window.dispatchEvent(event);
  }

  /** Give the tabs locks, as a browser does. */
  addLocks() {
    let last = Promise.resolve();
    this.navigator.locks = {
      request: (_name, _options, work) => {
        const result = last.then(work);
        last = result.catch(() => {});
        return result;
      },
    };
  }
}

/** Return a token of a user, as far as a client reads one. */
export const tokenOf = (sub, n = 0) =>
  ["x", Buffer.from(JSON.stringify({ sub, n })).toString("base64url"), "x"].join(".");
