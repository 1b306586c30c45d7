/** The rules of the Phoenix Channels client. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { PhoenixChannel, V1, V2, decode, encode } from "../../../entrypoints/web/client/phoenix.js";
import { FakeWebSocket, settled } from "./fakes.js";

const FRAME = { joinRef: "1", ref: "2", topic: "t", event: "e", payload: { a: 1 } };

let channel, states;

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"] });
  globalThis.WebSocket = FakeWebSocket;
  FakeWebSocket.opened = [];
  channel = new PhoenixChannel({
    url: "ws://server/socket/websocket",
    vsn: V2,
    topic: "messages:b1",
    joinPayload: () => ({ userId: "ana" }),
    isTransient: (reason) => reason === "overloaded",
  });
  states = [];
  channel.on("state", ({ name }) => states.push(name));
});

afterEach(() => {
  channel.disconnect();
  mock.timers.reset();
});

const socket = () => FakeWebSocket.opened.at(-1);
const reply = (ref, status, response = {}, topic = "messages:b1") =>
  socket().receive([channel.joinRef, ref, topic, "phx_reply", { status, response }]);

async function join(response = {}) {
  channel.connect();
  socket().accept();
  reply(channel.joinRef, "ok", response);
  await settled();
}

test("version 2 writes arrays, version 1 objects without a join_ref", () => {
  assert.equal(encode(V2, FRAME), '["1","2","t","e",{"a":1}]');
  assert.equal(encode(V1, FRAME), '{"topic":"t","event":"e","payload":{"a":1},"ref":"2"}');
});

test("both versions read what they write", () => {
  assert.deepEqual(decode(V2, encode(V2, FRAME)), FRAME);
  assert.deepEqual(decode(V1, encode(V1, FRAME)), { ...FRAME, joinRef: null });
  assert.equal(decode(V2, "no frame"), null);
});

test("the end of a version 1 channel carries the join_ref as its ref", () => {
  const text = encode(V1, { ...FRAME, event: "phx_error" });

  assert.equal(decode(V1, text).joinRef, "2");
});

test("a channel connects, joins and tells the reply", async () => {
  await join({ seq: 7 });

  assert.equal(socket().url.href, "ws://server/socket/websocket?vsn=2.0.0");
  assert.deepEqual(socket().sent, [["1", "1", "messages:b1", "phx_join", { userId: "ana" }]]);
  assert.deepEqual(states, ["connecting", "joining", "joined"]);
  assert.deepEqual(channel.state.response, { seq: 7 });
});

test("a push resolves with its reply, and rejects with the reason of an error", async () => {
  await join();

  const accepted = channel.push("history", {});
  reply("2", "ok", { more: false });
  const refused = channel.push("history", {});
  reply("3", "error", { reason: "rate_limited", retryAfterMs: 5 });

  assert.deepEqual(await accepted, { more: false });
  const { reason, response } = await refused.catch((error) => error);
  assert.deepEqual([reason, response.retryAfterMs], ["rate_limited", 5]);
});

test("a push without an answer fails after ten seconds", async () => {
  await join();

  const push = channel.push("history", {});
  mock.timers.tick(10_000);

  await assert.rejects(push, { reason: "timeout" });
});

test("a lost connection rejects what is pending and joins again with a new join_ref", async () => {
  await join();
  const push = channel.push("history", {});

  socket().drop();
  await assert.rejects(push, { reason: "disconnected" });
  mock.timers.tick(500);
  socket().accept();

  assert.deepEqual(states.slice(3), ["waiting", "connecting", "joining"]);
  assert.equal(FakeWebSocket.opened.length, 2);
  assert.equal(channel.joinRef, "3");
});

test("a frame has well-formed text", () => {
  const text = encode(V2, { ...FRAME, payload: { message: "Salut \ud83d 😀 \ude00" } });

  assert.equal(text, '["1","2","t","e",{"message":"Salut \ufffd 😀 \ufffd"}]');
});

test("the pauses between attempts grow, and start over once something was acknowledged", async () => {
  const pauses = [];
  channel.on("state", (state) => {
    if (state.name === "waiting") pauses.push(state.retryAt - Date.now());
  });
  mock.method(Math, "random", () => 1);
  channel.connect();

  for (const pause of [500, 1_000, 2_000]) {
    socket().drop();
    mock.timers.tick(pause);
  }
  await join();
  socket().drop(); // a join alone is not enough
  mock.timers.tick(5_000);
  await join();
  channel.push("new_message", {});
  reply(String(Number(channel.joinRef) + 1), "ok");
  socket().drop();
  mock.restoreAll();

  assert.deepEqual(pauses, [500, 1_000, 2_000, 5_000, 500]);
});

test("a join refused for now is retried, and one refused for good is not", async () => {
  channel.connect();
  socket().accept();
  reply(channel.joinRef, "error", { reason: "overloaded" });
  await settled();
  mock.timers.tick(500);
  socket().accept();
  reply(channel.joinRef, "error", { reason: "unauthorized" });
  await settled();
  mock.timers.tick(60_000);

  assert.deepEqual(states.slice(2), ["waiting", "connecting", "joining", "refused"]);
  assert.equal(channel.state.reason, "unauthorized");
});

test("a join refused for a time is retried no sooner", async () => {
  channel.connect();
  socket().accept();
  reply(channel.joinRef, "error", { reason: "overloaded", retryAfterMs: 15_000 });
  await settled();

  assert.equal(channel.state.retryAt - Date.now(), 15_000);
});

for (const [given, pause] of [
  [2_592_000_000, 3_600_000], // 30 days: more than a timer holds, so that it would end at once
  ["soon", 500],
  [-1, 500],
  [{}, 500],
]) {
  test(`a pause of ${JSON.stringify(given)} that is asked for makes no loop`, async () => {
    mock.method(Math, "random", () => 1);
    channel.connect();
    socket().accept();
    reply(channel.joinRef, "error", { reason: "overloaded", retryAfterMs: given });
    await settled();
    mock.restoreAll();

    assert.equal(channel.state.retryAt - Date.now(), pause);
  });
}

test("a heartbeat without a reply ends the connection", async () => {
  await join();

  mock.timers.tick(30_000);
  const heartbeat = socket().sent.at(-1);
  mock.timers.tick(10_000);
  await settled();

  assert.deepEqual(heartbeat, [null, "2", "phoenix", "heartbeat", {}]);
  assert.equal(channel.state.name, "waiting");
});

test("a check finds a dead connection within three seconds, and leaves a live one alone", async () => {
  await join();
  channel.check();
  channel.check();
  const asked = socket().sent.slice(1);
  reply(asked[0][1], "ok", {}, "phoenix");
  await settled();
  mock.timers.tick(3_000);
  const afterReply = channel.state.name;
  channel.check();
  mock.timers.tick(3_000);
  await settled();

  assert.deepEqual(asked, [[null, "2", "phoenix", "heartbeat", {}]]);
  assert.deepEqual([afterReply, channel.state.name], ["joined", "waiting"]);
});

test("a push without an answer has the connection checked", async () => {
  await join();
  const push = channel.push("history", {});
  mock.timers.tick(10_000);
  await assert.rejects(push, { reason: "timeout" });
  const heartbeat = socket().sent.at(-1);
  mock.timers.tick(3_000);
  await settled();

  assert.equal(heartbeat[3], "heartbeat");
  assert.equal(channel.state.name, "waiting");
});

test("a frame of an earlier join is ignored", async () => {
  await join();
  const messages = [];
  channel.on("message", ({ event }) => messages.push(event));

  socket().receive(["0", null, "messages:b1", "phx_error", {}]);
  socket().receive(["0", null, "messages:b1", "new_message", {}]);
  socket().receive([null, null, "messages:b1", "new_message", {}]);
  socket().receive([null, null, "messages:b2", "new_message", {}]);

  assert.deepEqual(messages, ["new_message"]);
  assert.equal(channel.state.name, "joined");
});

test("a channel that the server closes is not joined again; an announced reason is told", async () => {
  await join();

  socket().receive([channel.joinRef, null, "messages:b1", "token_expired", {}]);
  socket().receive([channel.joinRef, null, "messages:b1", "phx_close", {}]);
  mock.timers.tick(60_000);

  assert.deepEqual([channel.state.name, channel.state.reason], ["refused", "token_expired"]);
});

test("what is pushed right after the reply to a join comes after it", async () => {
  const order = [];
  channel.on("state", ({ name }) => order.push(name));
  channel.on("message", ({ event }) => order.push(event));
  channel.connect();
  socket().accept();
  reply(channel.joinRef, "ok");
  socket().receive([channel.joinRef, null, "messages:b1", "message_delta", {}]);

  assert.deepEqual(order.slice(-2), ["joined", "message_delta"]);
});

test("a refused token is why the server then closes the channel", async () => {
  await join();
  const push = channel.push("refresh_token", {});
  reply("2", "error", { reason: "unauthorized" });
  await assert.rejects(push, { reason: "unauthorized" });
  socket().receive([channel.joinRef, null, "messages:b1", "phx_close", {}]);

  assert.deepEqual([channel.state.name, channel.state.reason], ["refused", "unauthorized"]);
});
