/** The rules of the user's conversation model. */

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { Conversation } from "../../../entrypoints/web/user/conversation.js";
import { FakeChannel, settled } from "./fakes.js";

const IDENTITY = { businessId: "b1", userId: "ana", locationId: "l1" };
const NOTHING_YET = { sessionId: null, status: "ai", seq: 0, messages: [], more: false };
const AT = "2030-01-01T12:00:00.000Z";

let conversation, channel;

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  conversation = new Conversation(IDENTITY);
  channel = new FakeChannel();
  conversation.attach(channel);
});

const entry = (seq, author, message, messageId = `m${seq}`) => ({
  kind: "message",
  seq,
  messageId,
  author,
  message,
  actions: [],
  timestamp: AT,
});
const agentMessage = (seq, message) => ({ sessionId: "s1", ...entry(seq, "coordinator", message) });
const answer = (seq, message, responseId) => ({
  sessionId: "s1",
  seq,
  responseId,
  message,
  actions: [],
  timestamp: AT,
  inReplyTo: ["m1"],
});
const joined = (messages, seq = messages.at(-1)?.seq ?? 0, status = "ai") => ({
  sessionId: "s1",
  status,
  seq,
  messages,
  more: false,
});
const texts = () => conversation.items().map(({ kind, text, status }) => text ?? status ?? kind);

test("a join without a log asks for none, and a later one resumes where it ends", () => {
  const { lastSeq } = conversation.joinPayload();
  channel.join(joined([entry(1, "user", "one"), entry(2, "ai", "two")]));

  assert.equal(lastSeq, undefined);
  assert.deepEqual(conversation.joinPayload("secret"), {
    ...IDENTITY,
    token: "secret",
    stream: true,
    sessionId: "s1",
    lastSeq: 2,
  });
});

test("a resumed join adds what was missed, in order and without duplicates", () => {
  channel.join(joined([entry(1, "user", "one"), entry(2, "ai", "two")]));
  channel.lose();
  channel.join(joined([entry(2, "ai", "two"), entry(3, "coordinator", "three")]));

  assert.deepEqual(texts(), ["one", "two", "three"]);
});

test("a push that comes twice is shown once", () => {
  channel.join(joined([entry(1, "user", "one")]));
  const received = [];
  conversation.on("received", ({ text }) => received.push(text));

  channel.receive("agent_message", agentMessage(2, "two"));
  channel.receive("agent_message", agentMessage(2, "two"));

  assert.deepEqual(texts(), ["one", "two"]);
  assert.deepEqual(received, ["two"]);
});

test("a gap that does not close by itself is fetched from the history", async () => {
  channel.join(joined([entry(1, "user", "one")]));

  channel.receive("agent_message", agentMessage(3, "three"));
  const { lastSeq } = conversation;
  mock.timers.tick(250);
  const { payload, reply } = channel.request("history");
  reply({ messages: [entry(2, "coordinator", "two")], more: false });
  await settled();

  assert.equal(lastSeq, 1);
  assert.deepEqual(payload, { afterSeq: 1, limit: 50 });
  assert.deepEqual(texts(), ["one", "two", "three"]);
  assert.equal(conversation.lastSeq, 3);
});

test("a gap that closes by itself is not fetched", () => {
  channel.join(joined([entry(1, "user", "one")]));

  channel.receive("agent_message", agentMessage(3, "three"));
  channel.receive("agent_message", agentMessage(2, "two"));
  mock.timers.tick(250);

  assert.equal(channel.request("history"), undefined);
  assert.deepEqual(texts(), ["one", "two", "three"]);
});

test("a seq that the server does not have is no gap for ever", async () => {
  channel.join(joined([entry(1, "user", "one")]));

  channel.receive("agent_message", agentMessage(3, "three"));
  mock.timers.tick(250);
  channel.request("history").reply({ messages: [agentMessage(3, "three")], more: false });
  await settled();

  assert.equal(conversation.lastSeq, 3);
});

test("the final answer replaces its deltas", () => {
  channel.join(joined([entry(1, "user", "one")]));
  channel.receive("message_delta", { responseId: "r1", index: 0, text: "He" });
  channel.receive("message_delta", { responseId: "r1", index: 1, text: "llo" });
  const whileStreaming = conversation.items().at(-1);

  channel.receive("new_message", answer(2, "Hello!", "r1"));

  assert.deepEqual([whileStreaming.text, whileStreaming.state], ["Hello", "streaming"]);
  assert.deepEqual(texts(), ["one", "Hello!"]);
  assert.equal(conversation.items().at(-1).state, "stored");
});

test("a first delta again starts the answer anew", () => {
  channel.join(joined([entry(1, "user", "one")]));

  channel.receive("message_delta", { responseId: "r1", index: 0, text: "Wrong" });
  channel.receive("message_delta", { responseId: "r1", index: 0, text: "Right" });

  assert.deepEqual(texts(), ["one", "Right"]);
});

test("an unfinished answer disappears when the AI loses the conversation", () => {
  channel.join(joined([entry(1, "user", "one")]));
  channel.receive("message_delta", { responseId: "r1", index: 0, text: "He" });

  const change = { sessionId: "s1", seq: 2, status: "live", reason: "takeover", updatedAt: AT };
  channel.receive("conversation_status", { ...change, coordinatorId: "Maria" });
  channel.receive("message_delta", { responseId: "r1", index: 1, text: "llo" });

  assert.deepEqual(texts(), ["one", "live"]);
  assert.deepEqual([conversation.status, conversation.coordinatorId], ["live", "Maria"]);
});

test("the delivery of a request changes neither what is shown nor who owns it", () => {
  channel.join(joined([entry(1, "user", "one")]));
  const waiting = { sessionId: "s1", status: "waiting", updatedAt: AT };
  const change = (seq, reason) => ({ ...waiting, seq, reason });
  channel.receive("conversation_status", change(2, "user_request"));
  const before = texts();
  channel.receive("conversation_status", change(3, "delivered"));
  channel.receive("conversation_status", change(4, "undeliverable"));

  assert.deepEqual(texts(), before);
  assert.equal(conversation.status, "waiting");
});

test("an older status does not replace a newer one", () => {
  channel.join(joined([entry(1, "user", "one")]));
  const change = (seq, status) => ({ sessionId: "s1", seq, status, updatedAt: AT });

  channel.receive("conversation_status", change(3, "live"));
  channel.receive("conversation_status", change(2, "waiting"));

  assert.equal(conversation.status, "live");
});

test("a message is acknowledged under its seq", async () => {
  channel.join(NOTHING_YET);

  conversation.send("one");
  const { payload, reply } = channel.request("new_message");
  const before = conversation.items()[0].state;
  reply({ messageId: payload.messageId, seq: 1, sessionId: "s1", status: "ai", duplicate: false });
  await settled();

  assert.equal(before, "sending");
  assert.deepEqual(
    conversation.items().map(({ key, seq, state }) => [key, seq, state]),
    [[payload.messageId, 1, "stored"]],
  );
});

test("a message written without a connection is sent under the same id after the join", async () => {
  conversation.send("one");
  await settled();
  const [{ key, state }] = conversation.items();

  channel.join(NOTHING_YET);

  assert.equal(state, "queued");
  assert.equal(channel.request("new_message").payload.messageId, key);
});

test("a message that was refused is kept, and sent again on demand under the same id", async () => {
  channel.join(NOTHING_YET);
  conversation.send("one");
  channel.request("new_message").refuse("storage_unavailable");
  await settled();
  const [{ key, state, error }] = conversation.items();

  conversation.retry(key);

  assert.deepEqual([state, error.reason], ["failed", "storage_unavailable"]);
  assert.deepEqual(
    channel.sent.map(({ payload }) => payload.messageId),
    [key, key],
  );
});

test("an acknowledgement that was lost is made up for by the next join", async () => {
  channel.join(NOTHING_YET);
  conversation.send("one");
  const { messageId } = channel.request("new_message").payload;
  channel.lose();
  await settled();

  channel.join(joined([entry(1, "user", "one", messageId)]));

  assert.deepEqual(texts(), ["one"]);
  assert.equal(conversation.items()[0].state, "stored");
  assert.equal(channel.request("new_message"), undefined);
});

test("a message in flight at two closes in a row has failed, and is sent again on demand", async () => {
  const sent = () => channel.sent.filter(({ event }) => event === "new_message").length;
  channel.join(NOTHING_YET);
  conversation.send("one");
  channel.lose();
  await settled();
  const [{ state: once }] = conversation.items();
  channel.join(NOTHING_YET);
  channel.lose();
  await settled();
  const [{ key, state: twice, error }] = conversation.items();
  channel.join(NOTHING_YET);
  const again = sent();
  conversation.retry(key);

  assert.deepEqual([once, twice, error.reason], ["queued", "failed", "connection_lost"]);
  assert.deepEqual([again, sent()], [0, 1]);
});

test("a text is shown and sent without half a character", () => {
  channel.join(NOTHING_YET);

  conversation.send("Salut \ud83d");

  assert.equal(channel.request("new_message").payload.message, "Salut \ufffd");
  assert.deepEqual(texts(), ["Salut \ufffd"]);
});

test("a message over the bridge is shown once, whichever side tells it first", () => {
  const bridge = new FakeChannel();
  channel.join(joined([entry(1, "user", "one")], 1, "live"));
  conversation.useDirectChannel(bridge);
  const received = [];
  conversation.on("received", ({ text }) => received.push(text));

  const pushed = agentMessage(2, "two");
  bridge.receive("agent_message", { messageId: "m2", message: "two", timestamp: AT });
  channel.receive("agent_message", pushed);
  bridge.receive("agent_message", { messageId: "m2", message: "two", timestamp: AT });

  assert.deepEqual(texts(), ["one", "two"]);
  assert.deepEqual(received, ["two"]);
});

test("a new session is set apart, and the next join resumes it", () => {
  channel.join(joined([entry(1, "user", "one")]));

  channel.receive("user_message", { ...entry(1, "user", "again", "n1"), sessionId: "s2" });

  assert.deepEqual(texts(), ["one", "session", "again"]);
  assert.deepEqual([conversation.sessionId, conversation.joinPayload().lastSeq], ["s2", 1]);
});

test("a typing notice expires by itself", () => {
  channel.join(joined([], 0, "live"));

  channel.receive("typing", { author: "coordinator", expiresInMs: 5_000 });
  const before = conversation.typing;
  mock.timers.tick(5_000);

  assert.deepEqual(before, ["coordinator"]);
  assert.deepEqual(conversation.typing, []);
});
