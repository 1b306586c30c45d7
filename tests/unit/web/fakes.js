/** Doubles for the pages' models: a channel and a WebSocket that a test plays the server of. */

import { Emitter } from "../../../entrypoints/web/client/emitter.js";
import { PushError } from "../../../entrypoints/web/client/phoenix.js";

/** A channel that is joined once `join` is called; replies are given by the test. */
export class FakeChannel extends Emitter {
  state = { name: "idle" };
  sent = [];

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

/** Let the promises that are settled run what awaits them. */
export const settled = () => new Promise((resolve) => setImmediate(resolve));
