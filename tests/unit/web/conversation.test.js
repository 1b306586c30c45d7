/** The rules of the user's conversation model. */

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { queueText } from "../../../entrypoints/web/chat/banner.js";
import { Words } from "../../../entrypoints/web/chat/texts.js";
import { Conversation } from "../../../entrypoints/web/client/conversation.js";
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
const delta = (index, text, responseId = "r1") =>
  channel.receive("message_delta", { responseId, index, text });
const states = () => conversation.items().map(({ text, state }) => [text, state]);
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

test("what was written while the connection was down is received, and what was before is not", () => {
  const received = [];
  conversation.on("received", ({ text }) => received.push(text));
  channel.join(joined([entry(1, "user", "one"), entry(2, "ai", "two")]));
  channel.lose();

  channel.join(joined([entry(2, "ai", "two"), entry(3, "user", "three"), entry(4, "ai", "four")]));

  assert.deepEqual(received, ["four"]);
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

test("a seq that jumps is no gap where the entry before it is known", () => {
  channel.join(joined([{ ...entry(3, "user", "one"), prevSeq: 0 }]));
  const { hasEarlier } = conversation;

  channel.receive("agent_message", { ...agentMessage(6, "two"), prevSeq: 3 });
  channel.receive("conversation_status", {
    ...{ sessionId: "s1", seq: 9, prevSeq: 6, status: "live", updatedAt: AT },
  });
  mock.timers.tick(250);

  assert.equal(channel.request("history"), undefined);
  assert.deepEqual([hasEarlier, conversation.lastSeq], [false, 9]);
  assert.deepEqual(texts(), ["one", "two", "live"]);
});

test("an entry that follows one that is not known is a gap, even if its seq is the next", async () => {
  channel.join(joined([{ ...entry(2, "user", "one"), prevSeq: 1 }]));

  channel.receive("agent_message", { ...agentMessage(8, "three"), prevSeq: 5 });
  channel.receive("agent_message", { ...agentMessage(9, "four"), prevSeq: 8 });
  const { lastSeq } = conversation;
  mock.timers.tick(250);
  const { payload, reply } = channel.request("history");
  reply({ messages: [{ ...entry(5, "coordinator", "two"), prevSeq: 2 }], more: false });
  await settled();

  assert.equal(lastSeq, 2);
  assert.deepEqual(payload, { afterSeq: 2, limit: 50 });
  assert.deepEqual(texts(), ["one", "two", "three", "four"]);
  assert.equal(conversation.lastSeq, 9);
});

test("earlier entries are there until the first one has none before it", async () => {
  channel.join(joined([{ ...entry(9, "user", "two"), prevSeq: 6 }]));
  const before = conversation.hasEarlier;

  conversation.loadEarlier();
  const { payload, reply } = channel.request("history");
  reply({ messages: [{ ...entry(6, "user", "one"), prevSeq: 0 }], more: false });
  await settled();

  assert.deepEqual(payload, { beforeSeq: 7, limit: 50 });
  assert.deepEqual([before, conversation.hasEarlier], [true, false]);
  assert.deepEqual(texts(), ["one", "two"]);
});

test("the final answer replaces its deltas", () => {
  channel.join(joined([entry(1, "user", "one")]));
  delta(0, "He");
  delta(1, "llo");
  const whileStreaming = conversation.items().at(-1);

  channel.receive("new_message", answer(2, "Hello!", "r1"));

  assert.deepEqual([whileStreaming.text, whileStreaming.state], ["Hello", "streaming"]);
  assert.deepEqual(texts(), ["one", "Hello!"]);
  assert.equal(conversation.items().at(-1).state, "stored");
});

test("what the assistant writes of itself replaces its deltas, and ends its sign of typing", () => {
  channel.join(joined([entry(1, "user", "one")]));
  channel.receive("typing", { author: "ai", expiresInMs: 6_000 });
  delta(0, "Do");

  channel.receive("new_message", { ...answer(2, "Done.", "r1"), inReplyTo: [], author: "ai" });

  assert.deepEqual(states(), [
    ["one", "stored"],
    ["Done.", "stored"],
  ]);
  assert.equal(conversation.isAnswering, false);
});

test("a first delta again starts the answer anew", () => {
  channel.join(joined([entry(1, "user", "one")]));

  delta(0, "Wrong");
  delta(0, "Right");

  assert.deepEqual(texts(), ["one", "Right"]);
});

test("a piece that does not follow is not shown", () => {
  channel.join(joined([entry(1, "user", "one")]));
  const shown = [];

  for (const [index, text, responseId] of [
    ...[
      [4, "middle"],
      [0, "One"],
      [2, " three"],
      [1, " two"],
      [1, " two"],
      [2, "x", "r0"],
    ],
    ...[
      [0, "One two three"],
      [1, " four"],
    ],
  ]) {
    delta(index, text, responseId);
    shown.push(texts().slice(1).join());
  }

  assert.deepEqual(shown, [
    ...["", "One", "One", "One two", "One two", "One two"],
    ...["One two three", "One two three four"],
  ]);
});

test("after a join in mid-answer the text stays, and goes on from the text so far", () => {
  channel.join(joined([entry(1, "user", "one")]));
  delta(0, "One");
  channel.lose();
  const whileAway = states();
  channel.join(joined([], 1));
  const whileJoined = states();
  delta(1, " of the earlier join's numbers");
  const notContinued = states();
  delta(0, "One two");
  delta(1, " three");

  const streaming = (text) => [
    ["one", "stored"],
    [text, "streaming"],
  ];
  assert.deepEqual(whileAway, streaming("One"));
  assert.deepEqual(whileJoined, streaming("One"));
  assert.deepEqual(notContinued, streaming("One"));
  assert.deepEqual(states(), streaming("One two three"));
});

test("an answer that was finished while the connection was down takes the place of its text", () => {
  channel.join(joined([entry(1, "user", "one")]));
  delta(0, "One");
  channel.lose();

  channel.join(joined([{ ...entry(2, "ai", "Another answer.", "r2"), inReplyTo: ["m1"] }]));
  delta(0, "Another ans", "r2"); // late

  assert.deepEqual(texts(), ["one", "Another answer."]);
});

test("a text is gone after a join that finds the conversation with a person, or erased", () => {
  channel.join(joined([entry(1, "user", "one")]));
  delta(0, "One");
  channel.lose();
  channel.join(joined([], 1, "live"));
  const live = texts();
  channel.receive("conversation_status", {
    ...{ sessionId: "s1", seq: 2, status: "ai", updatedAt: AT },
  });
  delta(0, "Two", "r2");
  channel.lose();
  channel.join(NOTHING_YET);

  assert.deepEqual(live, ["one"]);
  assert.deepEqual(texts(), ["one", "ai"]);
});

test("an answer that nobody writes any more is marked so, and stays where it was", () => {
  channel.join(joined([entry(1, "user", "one")]));
  delta(0, "One");
  mock.timers.tick(5_000);
  channel.receive("typing", { author: "ai", expiresInMs: 6_000 });
  mock.timers.tick(5_999);
  const before = [conversation.isAnswering, ...states()];
  mock.timers.tick(1);
  const { isAnswering } = conversation;
  channel.receive("user_message", { ...entry(2, "user", "two"), sessionId: "s1" });
  channel.join(joined([], 2)); // a join changes nothing of it
  mock.timers.tick(10_000);

  assert.deepEqual(before, [true, ["one", "stored"], ["One", "streaming"]]);
  assert.equal(isAnswering, false);
  assert.deepEqual(states(), [
    ["one", "stored"],
    ["One", "interrupted"],
    ["two", "stored"],
  ]);
});

test("an interrupted answer makes room for the one that is written in its place", () => {
  channel.join(joined([entry(1, "user", "one")]));
  delta(0, "One");
  mock.timers.tick(6_000);
  const interrupted = states().at(-1);
  delta(0, "Anew", "r2");
  const anew = states().slice(1);
  channel.receive("new_message", answer(2, "Anew.", "r2"));

  assert.deepEqual(interrupted, ["One", "interrupted"]);
  assert.deepEqual(anew, [["Anew", "streaming"]]);
  assert.deepEqual(texts(), ["one", "Anew."]);
});

test("an interrupted answer goes on with the piece that follows after all", () => {
  channel.join(joined([entry(1, "user", "one")]));
  delta(0, "One");
  mock.timers.tick(6_000);

  delta(1, " two");

  assert.deepEqual(states().at(-1), ["One two", "streaming"]);
});

test("a notice of the server's leaves an answer alone, and each answer replaces its own text", () => {
  channel.join(joined([entry(1, "user", "one")]));
  delta(0, "Fir");
  channel.receive("new_message", { ...answer(2, "A notice.", "n1"), inReplyTo: [] });
  const whileStreaming = texts();
  channel.receive("new_message", answer(3, "First.", "r1"));
  delta(0, "Sec", "r2");
  delta(1, "ond", "r2");
  const second = texts();
  channel.receive("new_message", answer(4, "Second.", "r2"));

  assert.deepEqual(whileStreaming, ["one", "A notice.", "Fir"]);
  assert.deepEqual(second, ["one", "A notice.", "First.", "Second"]);
  assert.deepEqual(texts(), ["one", "A notice.", "First.", "Second."]);
});

test("earlier entries that are loaded in mid-answer leave it alone", async () => {
  channel.join(joined([entry(3, "user", "three")]));
  delta(0, "Fo");
  conversation.loadEarlier();
  const earlier = [entry(1, "user", "one"), entry(2, "ai", "two")];
  channel.request("history").reply({ messages: earlier, more: false });
  await settled();

  assert.deepEqual(texts(), ["one", "two", "three", "Fo"]);
});

test("an answer can be stopped from the first sign of it until it is there", async () => {
  const stages = [];
  channel.join(joined([entry(1, "user", "one")]));
  stages.push(conversation.isAnswering);
  channel.receive("typing", { author: "ai", expiresInMs: 6_000 });
  stages.push(conversation.isAnswering);
  delta(0, "One");
  stages.push(conversation.isAnswering);
  conversation.stopAnswer();
  const { payload, reply } = channel.request("stop_answer");
  reply({ responseId: "r1" });
  await settled();
  stages.push(conversation.isAnswering);
  channel.receive("new_message", answer(2, "One", "r1"));
  stages.push(conversation.isAnswering);

  assert.deepEqual(payload, {});
  assert.deepEqual(stages, [false, true, true, true, false]);
  assert.deepEqual(states().at(-1), ["One", "stored"]);
});

test("an answer that turns out to be no longer written is interrupted by the stop", async () => {
  channel.join(joined([entry(1, "user", "one")]));
  channel.receive("typing", { author: "ai", expiresInMs: 6_000 });
  delta(0, "One");
  conversation.stopAnswer();
  channel.request("stop_answer").reply({});
  await settled();

  assert.equal(conversation.isAnswering, false);
  assert.deepEqual(states().at(-1), ["One", "interrupted"]);
});

test("an unfinished answer disappears when the AI loses the conversation", () => {
  channel.join(joined([entry(1, "user", "one")]));
  delta(0, "He");

  const change = { sessionId: "s1", seq: 2, status: "live", reason: "takeover", updatedAt: AT };
  channel.receive("conversation_status", { ...change, coordinatorId: "Maria" });
  delta(1, "llo");

  assert.deepEqual(texts(), ["one", "live"]);
  assert.deepEqual([conversation.status, conversation.coordinatorId], ["live", "Maria"]);
});

test("a join that finds a live chat knows with whom, from the log", () => {
  const change = { kind: "status", seq: 2, status: "live", reason: "accepted", timestamp: AT };
  channel.join(joined([entry(1, "user", "one"), { ...change, coordinatorId: "Maria" }], 2, "live"));

  assert.deepEqual([conversation.coordinatorId, conversation.reason], ["Maria", "accepted"]);
});

test("a join in a long live chat knows with whom, from who wrote last", () => {
  const said = { ...entry(60, "coordinator", "one"), coordinatorId: "Maria" };
  channel.join(joined([said, entry(61, "user", "two")], 61, "live"));

  assert.equal(conversation.coordinatorId, "Maria");
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

test("the place in the queue is known while the user waits, and void after it", () => {
  channel.receive("queue", { place: 9, waitS: null });
  const before = conversation.queue;
  channel.join(joined([], 0, "waiting"));
  channel.receive("queue", { place: 3, waitS: 200 });
  const { queue } = conversation;
  const detail = queueText(conversation, new Words("en"));
  channel.receive("queue", { place: 1, waitS: null });
  const next = queueText(conversation, new Words("en"));
  channel.receive("conversation_status", {
    sessionId: "s1",
    seq: 1,
    status: "live",
    reason: "accepted",
    updatedAt: AT,
  });

  assert.equal(before, null);
  assert.deepEqual(queue, { place: 3, waitS: 200 });
  assert.equal(detail, "You are number 3 in line. About 3 minutes.");
  assert.equal(next, "You are next.");
  assert.equal(conversation.queue, null);
});

test("a typing notice expires by itself", () => {
  channel.join(joined([], 0, "live"));

  channel.receive("typing", { author: "coordinator", expiresInMs: 5_000 });
  const before = conversation.typing;
  mock.timers.tick(5_000);

  assert.deepEqual(before, ["coordinator"]);
  assert.deepEqual(conversation.typing, []);
});

// Questions for a yes.

const question = (seq, confirmId = `s1-${seq}`) => ({
  ...entry(seq, "ai", "Shall I?"),
  actions: [{ type: "confirm", confirmId, by: "customer", title: "Table", items: [] }],
});
const outcome = (seq, author, state, confirmId) => ({
  ...entry(seq, author, "…"),
  actions: [{ type: "confirmation", confirmId, state }],
});
const stateOf = (confirmId) => conversation.question(confirmId).state;

test("only the newest question is open, and what the log says of it counts, whatever comes first", () => {
  channel.join(joined([question(2), question(4)]));
  const before = [stateOf("s1-2"), stateOf("s1-4")];
  channel.receive("new_message", { sessionId: "s1", ...outcome(6, "ai", "done", "s1-4") });
  channel.receive("user_message", { sessionId: "s1", ...outcome(5, "user", "approved", "s1-4") });

  assert.deepEqual(before, ["withdrawn", "open"]);
  assert.equal(stateOf("s1-4"), "done");
});

test("an answer is being sent until its reply, which says the answer that counts", async () => {
  channel.join(joined([question(2)]));
  conversation.confirm("s1-2", "yes");
  const sending = stateOf("s1-2");
  const { payload, reply } = channel.request("confirm_action");
  reply({ confirmId: "s1-2", answer: "no" });
  await settled();

  assert.equal(sending, "sending");
  assert.deepEqual(payload, { confirmId: "s1-2", answer: "yes" });
  assert.equal(stateOf("s1-2"), "rejected");
});

test("an answer that was given here is not from another window", async () => {
  channel.join(joined([question(2)]));
  conversation.confirm("s1-2", "yes");
  channel.receive("user_message", { sessionId: "s1", ...outcome(3, "user", "approved", "s1-2") });

  assert.equal(conversation.items().at(-1).isFromOtherWindow, false);
});

for (const [reason, state] of [
  ["expired", "expired"],
  ["withdrawn", "withdrawn"],
  ["rate_limited", "open"],
]) {
  test(`a question whose answer is refused as ${reason} is ${state}`, async () => {
    channel.join(joined([question(2)]));
    conversation.confirm("s1-2", "yes");
    channel.request("confirm_action").refuse(reason);
    await settled();

    const { state: found, error } = conversation.question("s1-2");
    assert.equal(found, state);
    assert.equal(error?.reason, state === "open" ? reason : undefined);
  });
}

test("a question does not stand any more once the conversation has another owner or session", () => {
  channel.join(joined([question(2)]));
  channel.receive("conversation_status", {
    sessionId: "s1",
    status: "live",
    seq: 3,
    updatedAt: AT,
  });

  assert.equal(stateOf("s1-2"), "withdrawn");
});

// A part of what there is to show.

test("a part of the items is what slice would return of all of them, in every state", () => {
  const all = () => conversation.items();
  const check = () => {
    assert.equal(conversation.length, all().length);
    for (const start of [-9, -3, -2, -1, 0, 1, 2, 3, 9]) {
      for (const end of [-9, -2, -1, 0, 1, 2, 3, 4, 9, undefined]) {
        assert.deepEqual(conversation.items(start, end), all().slice(start, end));
      }
    }
    return texts();
  };
  const empty = check();
  channel.join(joined([entry(1, "user", "one"), entry(2, "coordinator", "two")]));
  const logged = check();
  delta(0, "thr");
  const streaming = check();
  mock.timers.tick(6_000);
  channel.receive("agent_message", agentMessage(3, "four"));
  const interrupted = check();
  conversation.send("five");
  const outgoing = check();
  channel.receive("user_message", { ...entry(1, "user", "six", "n1"), sessionId: "s2" });
  const next = check();

  assert.deepEqual(empty, []);
  assert.deepEqual(logged, ["one", "two"]);
  assert.deepEqual(streaming, ["one", "two", "thr"]);
  assert.deepEqual(interrupted, ["one", "two", "thr", "four"]);
  assert.deepEqual(outgoing, ["one", "two", "thr", "four", "five"]);
  assert.deepEqual(next, ["one", "two", "four", "session", "six", "five"]);
});

test("an item stays the same object while it does not change", () => {
  channel.join(joined([entry(1, "user", "one")]));
  const [one] = conversation.items();
  channel.receive("agent_message", agentMessage(3, "three"));
  channel.receive("agent_message", agentMessage(2, "two"));
  delta(0, "four");

  assert.equal(conversation.items()[0], one);
  assert.deepEqual(texts(), ["one", "two", "three", "four"]);
});

test("a piece of an answer costs the same in a long conversation as in a short one", () => {
  const long = Array.from({ length: 10_000 }, (_, n) => entry(n + 1, "coordinator", "words"));
  channel.join(joined(long));
  conversation.items();
  const real = { filter: Array.prototype.filter, sort: Array.prototype.sort };
  let longest = 0;
  for (const name of Object.keys(real)) {
    Array.prototype[name] = function (...callback) {
      longest = Math.max(longest, this.length);
      return real[name].apply(this, callback);
    };
  }
  delta(0, "One");
  delta(1, " two");
  const [last] = conversation.items(-1);
  channel.receive("agent_message", agentMessage(10_001, "next"));
  const shown = conversation.items(-2).map(({ text }) => text);
  Object.assign(Array.prototype, real);

  assert.equal(last.text, "One two");
  assert.deepEqual(shown, ["next", "One two"]);
  assert.ok(longest < 10, `an array of ${longest} was gone through`);
});

// What survives a reload.

test("messages of before a reload are sent under their ids, and shown once", async () => {
  conversation.restore([
    { messageId: "m1", text: "one", at: AT },
    { messageId: "m2", text: "two", at: AT },
    { messageId: "m3", text: "three", at: AT, reason: "message_too_long" },
  ]);
  await settled();
  const before = states();
  channel.join(joined([entry(1, "user", "one", "m1")]));
  const requests = channel.sent.map(({ payload }) => [payload.messageId, payload.message]);

  assert.deepEqual(before, [
    ["one", "queued"],
    ["two", "queued"],
    ["three", "failed"],
  ]);
  assert.deepEqual(requests, [["m2", "two"]]);
  assert.deepEqual(texts(), ["one", "two", "three"]);
  assert.deepEqual(
    conversation.unsent.map(({ messageId, reason }) => [messageId, reason]),
    [
      ["m2", undefined],
      ["m3", "message_too_long"],
    ],
  );
});

for (const [where, sessionId, seq] of [
  ["further back than what is shown", "s1", 3],
  ["in an earlier session", "s0", 99],
]) {
  test(`a message of before a reload that is ${where} is neither shown nor unsent`, async () => {
    conversation.restore([{ messageId: "m1", text: "old", at: AT }]);
    await settled();
    channel.join(joined([entry(51, "ai", "new")]));
    const { payload, reply } = channel.request("new_message");
    reply({ messageId: payload.messageId, seq, sessionId, status: "ai", duplicate: true });
    await settled();

    assert.deepEqual(texts(), ["new"]);
    assert.deepEqual(conversation.unsent, []);
    assert.deepEqual([conversation.sessionId, conversation.lastSeq], ["s1", 51]);
    conversation.loadEarlier();
    assert.deepEqual(channel.request("history").payload, { beforeSeq: 51, limit: 50 });
  });
}

test("while it is held nothing is sent, and afterwards everything", async () => {
  channel.join(NOTHING_YET);
  conversation.isHeld = true;
  conversation.send("one");
  await settled();
  const held = [channel.sent.length, conversation.items()[0].state];
  conversation.isHeld = false;

  assert.deepEqual(held, [0, "queued"]);
  assert.equal(channel.request("new_message").payload.message, "one");
});

// The answer that is being written when somebody joins.

test("a join in mid-answer shows the text from its beginning", () => {
  channel.join(joined([entry(1, "user", "one")]));
  delta(0, "The text so far");
  delta(1, " goes on");

  assert.deepEqual(texts(), ["one", "The text so far goes on"]);
  assert.equal(conversation.isAnswering, true);
});

test("an answer in a new session takes the place of its own text, whatever the seqs before", () => {
  channel.join(joined([entry(80, "user", "one")]));
  delta(0, "He", "r1");
  channel.receive("user_message", { ...entry(1, "user", "again", "n1"), sessionId: "s2" });
  delta(0, "Hel", "r2");
  channel.receive("new_message", { ...answer(2, "Hello!", "r2"), sessionId: "s2" });

  assert.deepEqual(texts(), ["one", "session", "again", "Hello!"]);
});

// The rating.

const rated = (seq, rating) => ({
  ...entry(seq, "user", "★"),
  actions: [{ type: "rating", rating }],
});

test("a rating is sent for the session that is shown, and is known once it is stored", async () => {
  channel.join(joined([entry(1, "user", "one")], 1, "closed"));
  const before = conversation.rating;
  conversation.rate(4, "Good \ud83d");
  const { payload, reply } = channel.request("rate_conversation");
  const sending = conversation.rating;
  channel.receive("user_message", { sessionId: "s1", ...rated(2, 4) });
  const [last] = conversation.items(-1);
  reply({ sessionId: "s1", rating: 4 });
  await settled();

  assert.deepEqual([before, sending, conversation.rating], [null, null, 4]);
  assert.equal(last.isFromOtherWindow, false);
  assert.deepEqual(payload, { rating: 4, comment: "Good \ufffd", sessionId: "s1" });
});

test("a rating that is refused is not known, and its sender is told", async () => {
  channel.join(joined([entry(1, "user", "one")]));
  const rating = conversation.rate(4);
  channel.request("rate_conversation").refuse("rate_limited");

  await assert.rejects(rating, { reason: "rate_limited" });
  assert.equal(conversation.rating, null);
});

test("the newest rating counts, wherever it was given", () => {
  channel.join({ ...joined([entry(1, "user", "one")]), rating: 2 });
  const told = conversation.rating;
  channel.receive("user_message", { sessionId: "s1", ...rated(3, 5) });
  channel.receive("user_message", { sessionId: "s1", ...rated(2, 1) });
  const newest = conversation.rating;
  channel.receive("user_message", { ...entry(1, "user", "again", "n1"), sessionId: "s2" });

  assert.deepEqual([told, newest, conversation.rating], [2, 5, null]);
});

test("a log with a rating has it", () => {
  channel.join(joined([entry(1, "user", "one"), rated(2, 3)]));

  assert.equal(conversation.rating, 3);
});

test("a join has the customer's language, if it is known", () => {
  const romanian = new Conversation(IDENTITY, "ro");

  assert.equal(romanian.joinPayload().language, "ro");
  assert.equal("language" in conversation.joinPayload(), false);
});
