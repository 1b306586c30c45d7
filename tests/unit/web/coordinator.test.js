/** The rules of the coordinators' models: the list of conversations, and one live chat. */

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { ChatList } from "../../../entrypoints/web/coordinator/chat-list.js";
import { customerName, textsIn } from "../../../entrypoints/web/coordinator/texts.js";
import { toPastMessage, Transcript } from "../../../entrypoints/web/coordinator/transcript.js";
import { FakeChannel, settled } from "./fakes.js";

const AT = "2030-01-01T12:00:00.000Z";
const LATER = "2030-01-01T12:05:00.000Z";

let channel, chats;

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  channel = new FakeChannel();
  chats = new ChatList({ businessId: "b1", coordinatorId: "Maria", token: "" }, channel);
});

const chat = (userId, status, coordinatorId = null, since = AT) => ({
  sessionId: `s-${userId}`,
  userId,
  status,
  coordinatorId,
  since,
  waitingSince: status === "waiting" ? since : null,
  missed: null,
});
const missedChat = (userId, message, timestamp = AT, status = "ai") => ({
  ...chat(userId, status),
  missed: { message, timestamp, reason: "user_request", context: {} },
});
const joined = (waiting, live, missed = []) =>
  channel.join({
    waiting,
    live,
    missed,
    presence: { online: 1, coordinators: ["Maria"] },
    server: { reachable: true },
  });
const notify = (type, changed, extra = {}) =>
  channel.receive("notification", { type, chat: changed, ...extra });
// Both models listen to the one channel of these tests.
const EMPTY = { waiting: [], live: [], missed: [], presence: {}, server: {} };
const users = (list) => list.map(({ userId }) => userId);

test("who has waited longest comes first, and one's own live chats", () => {
  joined(
    [chat("dan", "waiting", null, LATER), chat("ana", "waiting")],
    [chat("eva", "live", "Ion"), chat("ivo", "live", "Maria", LATER)],
  );

  assert.deepEqual(users(chats.waiting), ["ana", "dan"]);
  assert.deepEqual(users(chats.live), ["ivo", "eva"]);
});

test("messages in one's own chats are unread until the chat is opened", () => {
  joined([], [chat("ana", "live", "Maria"), chat("eva", "live", "Ion")]);

  for (const sessionId of ["s-ana", "s-ana", "s-eva"]) {
    channel.receive("live_message", { sessionId, author: "user" });
  }
  const before = ["s-ana", "s-eva"].map((sessionId) => chats.unread(sessionId));
  chats.select("s-ana");

  assert.deepEqual(before, [2, 0]);
  assert.equal(chats.unread("s-ana"), 0);
});

test("somebody new who waits calls for attention, also when a join tells of them", () => {
  const calls = [];
  chats.on("attention", ({ sessionId }) => calls.push(sessionId));

  joined([chat("ana", "waiting")], []);
  joined([chat("ana", "waiting")], []);
  notify("waiting", chat("dan", "waiting"));

  assert.deepEqual(calls, ["s-ana", "s-dan"]);
});

test("a conversation that has ended stays only while it is open", () => {
  joined([], [chat("ana", "live", "Maria"), chat("eva", "live", "Maria")]);
  chats.select("s-ana");

  notify("gone", chat("ana", "closed"));
  notify("gone", chat("eva", "closed"));
  const open = chats.selectedChat;
  chats.select(null);

  assert.equal(open.status, "closed");
  assert.equal(chats.chat("s-eva"), undefined);
  assert.equal(chats.chat("s-ana"), undefined);
});

test("a refusal is told to the coordinator whose request it was", () => {
  const refusals = [];
  chats.on("refused", ({ requestedStatus, reason }) => refusals.push([requestedStatus, reason]));
  joined([chat("ana", "waiting")], []);

  const refusal = { wished: "live", reason: "session_closed" };
  notify("refused", chat("ana", "closed"), { ...refusal, coordinatorId: "Ion" });
  notify("refused", chat("ana", "closed"), { ...refusal, coordinatorId: "Maria" });

  assert.deepEqual(refusals, [["live", "session_closed"]]);
});

test("what was missed comes newest first, and not where somebody waits", () => {
  joined(
    [missedChat("eva", "three", LATER, "waiting")],
    [],
    [
      missedChat("ana", "one"),
      missedChat("dan", "two", LATER),
      missedChat("eva", "three", LATER, "waiting"),
    ],
  );

  assert.deepEqual(users(chats.missed), ["dan", "ana"]);
  assert.deepEqual(users(chats.waiting), ["eva"]);
});

test("a missed message calls for attention, once", () => {
  const calls = [];
  chats.on("attention", ({ sessionId }) => calls.push(sessionId));

  joined([], [], [missedChat("ana", "one")]);
  joined([], [], [missedChat("ana", "one")]);
  notify("missed", missedChat("dan", "two"));

  assert.deepEqual(calls, ["s-ana", "s-dan"]);
});

test("a missed message leaves the list once a coordinator has attended to it", async () => {
  joined([], [], [missedChat("ana", "one"), missedChat("dan", "two")]);

  notify("changed", chat("dan", "live", "Ion"));
  const done = chats.attend("s-ana");
  await settled();
  channel.request("attend").reply(chat("ana", "ai"));
  await done;

  assert.deepEqual(users(chats.missed), []);
  assert.deepEqual(users(chats.live), ["dan"]);
});

test("more missed messages are loaded when a full list has room again", async () => {
  const page = Array.from({ length: 20 }, (_, n) => missedChat(`u${n}`, "text"));
  joined([], [], page);

  notify("gone", chat("u0", "ai"));
  await settled();
  channel.request("missed").reply({ missed: [...page.slice(1), missedChat("ana", "older")] });
  await settled();

  assert.equal(chats.missed.length, 20);
  assert.ok(users(chats.missed).includes("ana"));
});

test("who is there is what was pushed last", () => {
  joined([], []);
  const before = chats.presence;

  channel.receive("presence", { online: 2, coordinators: ["Ion", "Maria"] });

  assert.deepEqual(before.coordinators, ["Maria"]);
  assert.deepEqual(chats.presence, { online: 2, coordinators: ["Ion", "Maria"] });
});

test("the texts about missed messages are Romanian for Romanians, and else English", () => {
  const labels = ["ro", "ro-RO", "RO-md", "en", "rom", "de"].map((tag) => textsIn(tag).missed);

  assert.deepEqual(labels, ["Ratate", "Ratate", "Ratate", "Missed", "Missed", "Missed"]);
});

const askedChat = (userId, state, timestamp = AT, by = "coordinator") => ({
  ...chat(userId, "ai"),
  confirmation: { confirmId: `s-${userId}-3`, by, state, what: "Table", timestamp },
});

test("what waits for a coordinator's yes comes first, then what came of others", () => {
  const asked = [
    askedChat("ana", "done", LATER),
    askedChat("dan", "proposed"),
    askedChat("eva", "proposed", LATER),
  ];
  channel.join({ ...EMPTY, asked });
  notify("changed", askedChat("ivo", "proposed", AT, "customer"));

  assert.deepEqual(users(chats.asked), ["eva", "dan", "ana"]);
});

test("a question for a yes calls, and one that is over leaves the list unless it is open", () => {
  const called = [];
  chats.on("attention", ({ sessionId }) => called.push(sessionId));
  joined([], []);
  notify("asked", askedChat("ana", "proposed"));
  notify("asked", askedChat("dan", "proposed"));
  chats.select("s-dan");
  notify("gone", askedChat("ana", "rejected"));
  notify("gone", askedChat("dan", "rejected"));

  assert.deepEqual(called, ["s-ana", "s-dan"]);
  assert.deepEqual(users(chats.asked), []);
  assert.equal(chats.chat("s-ana"), undefined);
  assert.equal(chats.selectedChat.confirmation.state, "rejected");
});

test("an answer is being sent until its reply, and keeps why it was refused", async () => {
  channel.join({ ...EMPTY, asked: [askedChat("ana", "proposed")] });
  chats.confirm("s-ana", "s-ana-3", "yes");
  const sending = chats.answering("s-ana-3");
  const { payload, refuse } = channel.request("confirm");
  refuse("server_unavailable");
  await settled();

  assert.deepEqual(sending, { isSending: true, error: null });
  assert.deepEqual(payload, { sessionId: "s-ana", confirmId: "s-ana-3", answer: "yes" });
  assert.equal(chats.answering("s-ana-3").error?.reason, "server_unavailable");
  assert.deepEqual(users(chats.asked), ["ana"]);
});

test("a step of a call in the server's log is no message, and a customer's yes is one", () => {
  const step = { author: /** @type {const} */ ("ai"), message: "Table", write: { state: "done" } };

  assert.equal(toPastMessage({ ...step, audience: "coordinator" }, 0).step, "done");
  assert.equal(toPastMessage({ ...step, audience: "all" }, 0).step, null);
});

test("a message written without a connection is sent once the chat is joined", async () => {
  const transcript = new Transcript("Maria", channel);
  transcript.send("one");
  await settled();
  const [{ key, state }] = transcript.messages;

  channel.join({ ...EMPTY, messages: [] });
  channel.request("agent_message").reply({});
  await settled();

  assert.equal(state, "queued");
  assert.deepEqual(
    transcript.messages.map((message) => [message.key, message.state]),
    [[key, "stored"]],
  );
});

test("a message that the chat has already is not sent again", async () => {
  const transcript = new Transcript("Maria", channel);
  transcript.send("one");
  await settled();
  const [{ key: messageId }] = transcript.messages;

  const stored = { messageId, author: "coordinator", message: "one", timestamp: AT };
  channel.join({ ...EMPTY, messages: [stored] });

  assert.equal(transcript.messages.length, 1);
  assert.equal(channel.request("agent_message"), undefined);
});

test("an answer of the server's log names its sources, whatever else its actions are", () => {
  const answer = { seq: 4, author: /** @type {const} */ ("ai"), message: "Papanași, 31 de lei." };
  const items = [{ title: "Meniu › Deserturi", location: "meniu.md#deserturi" }];
  const actions = [{ type: "business_info" }, { type: "sources", items }, null, "x"];

  assert.deepEqual(toPastMessage({ ...answer, actions }, 0).sources, [
    "Meniu › Deserturi (meniu.md#deserturi)",
  ]);
  for (const strange of [undefined, null, {}, [{ type: "sources", items: 1 }]]) {
    assert.deepEqual(toPastMessage({ ...answer, actions: strange }, 0).sources, []);
  }
});

test("a visitor has a name that people can say", () => {
  assert.equal(customerName("v-8bb8396b43c2241a088d0c5220a4b0d0"), "Visitor 8bb8");
  for (const own of ["ana", "v-8bb8", "v-8bb8396b43c2241a088d0c5220a4b0d0x"]) {
    assert.equal(customerName(own), own);
  }
});
