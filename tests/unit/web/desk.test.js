/** The rules of the coordinators' model: the lists, the open conversation, and what is remembered. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { Desk } from "../../../entrypoints/web/coordinator/desk.js";
import { DeskMemory } from "../../../entrypoints/web/coordinator/memory.js";
import { FakeBrowser, FakeChannel, FakeStorage, settled } from "./fakes.js";

const at = (minutes) => new Date(Date.UTC(2030, 0, 1, 12, minutes)).toISOString();

let channels, storage, board, desk;

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  storage = new FakeStorage();
  desk = openDesk();
});

function openDesk(ids = ["b1"], coordinatorId = "Maria") {
  channels = new Map();
  const opened = new Desk({
    coordinatorId,
    businesses: ids.map((businessId) => ({ businessId, name: "", token: "t1" })),
    openChannel: (topic, payload) => {
      const channel = new FakeChannel(topic, payload);
      channels.set(topic, channel);
      return channel;
    },
    storage,
  });
  board = channels.get("coordinators:b1");
  return opened;
}

const chat = (userId, status, coordinatorId = null, since = at(0), more = {}) => ({
  sessionId: `s-${userId}`,
  userId,
  status,
  coordinatorId,
  since,
  waitingSince: status === "waiting" ? since : null,
  ...more,
});
const mine = (userId, since = at(0), more = {}) => chat(userId, "live", "Maria", since, more);
const missed = (userId, message, timestamp = at(0), status = "ai") =>
  chat(userId, status, null, at(0), { missed: { message, timestamp, reason: "user_request" } });
const asked = (userId, state, timestamp = at(0), by = "coordinator") =>
  chat(userId, "ai", null, at(0), {
    confirmation: { confirmId: `s-${userId}-3`, by, state, what: "Table", timestamp },
  });
const said = (userId, minutes, status = "ai") =>
  chat(userId, status, null, at(0), { last: { author: "user", text: "x", at: at(minutes) } });
const join = (chats = [], more = {}) => board.join({ chats, server: { reachable: true }, ...more });
const notify = (type, changed, extra = {}) =>
  board.receive("notification", { type, chat: changed, ...extra });
const users = (view) => desk.rows(view).map(({ userId }) => userId);
const listen = (type) => {
  const heard = [];
  desk.on(type, (detail) => heard.push(detail));
  return heard;
};
const calls = () => {
  const heard = [];
  desk.on("attention", ({ chat: { userId }, kind }) => heard.push(`${kind} ${userId}`));
  return heard;
};

/** Return the milliseconds of one of 100 calls, as they were in the best ten: others use the cores. */
function fastest(call) {
  const tens = Array.from({ length: 10 }, (_, ten) => {
    const begun = performance.now();
    for (let n = 0; n < 10; n++) call(10 * ten + n);
    return (performance.now() - begun) / 10;
  });
  return Math.min(...tens);
}

// The lists.

test("of one's own, who has been unanswered longest comes first, then the newest", () => {
  const unanswered = (minutes) => ({ unanswered: 1, unansweredSince: at(minutes) });
  join([
    mine("old"),
    mine("new", at(9)),
    mine("late", at(2), unanswered(8)),
    mine("first", at(3), unanswered(5)),
    chat("other", "live", "Ion", at(1), unanswered(1)),
  ]);

  assert.deepEqual(users("mine"), ["first", "late", "new", "old"]);
});

test("who has waited longest comes first, then what is asked, then what was missed", () => {
  join([
    missed("one", "1"),
    missed("two", "2", at(5)),
    missed("three", "3", at(9), "waiting"),
    asked("done", "done", at(7)),
    asked("open", "proposed", at(1)),
    asked("customers", "proposed", at(1), "customer"),
    chat("dan", "waiting", null, at(5)),
    chat("eva", "live", "Ion"),
  ]);

  assert.deepEqual(users("waiting"), ["three", "dan", "open", "done", "two", "one"]);
});

test("what is unanswered is what the bridge counts, and so survives a reload", () => {
  const row = mine("ana", at(0), { unanswered: 2, unansweredSince: at(0) });
  join([row]);
  desk.dispose();
  desk = openDesk();
  join([row]);

  assert.equal(desk.rows("mine")[0].unanswered, 2);
  assert.equal(desk.totals.unanswered, 1);
});

test("the totals are those that the businesses count", () => {
  desk = openDesk(["b1", "b2"]);
  board.join({ chats: [mine("ana")], counts: { waiting: 2, missed: 1 } });
  channels.get("coordinators:b2").join({ chats: [], counts: { waiting: 5, asked: "x" } });
  board.receive("counts", { waiting: 3, missed: 1 });

  assert.deepEqual(desk.totals, { mine: 1, unanswered: 0, waiting: 8, missed: 1, asked: 0 });
});

test("a business has the name, the replies and the presence that its bridge gives", () => {
  const business = { name: "Trattoria", replies: { hello: "Hello", broken: 3 } };
  join([], { business, presence: { online: 1, coordinators: ["Maria"] }, awayAfterS: 180 });
  board.receive("presence", { online: 2, coordinators: ["Ion", "Maria", 3] });
  board.receive("server", { reachable: false });

  const [{ name, replies, presence, isServerReachable, awayAfterS }] = desk.businesses;
  assert.deepEqual([name, replies], ["Trattoria", { hello: "Hello" }]);
  assert.deepEqual(presence, { online: 2, coordinators: ["Ion", "Maria"] });
  assert.deepEqual([isServerReachable, awayAfterS], [false, 180]);
});

test("the rows of several businesses are one list, or those of one of them", () => {
  desk = openDesk(["b1", "b2"]);
  board.join({ chats: [chat("ana", "waiting", null, at(1))] });
  channels.get("coordinators:b2").join({ chats: [chat("dan", "waiting", null, at(0))] });
  const all = users("waiting");
  const changes = listen("change");
  desk.filter = "b1";

  assert.deepEqual(all, ["dan", "ana"]);
  assert.equal(changes.length, 1);
  assert.deepEqual(users("waiting"), ["ana"]);
});

test("a row that leaves every list is forgotten, unless it is open", () => {
  join([mine("ana"), mine("eva")]);
  desk.select("s-ana");
  notify("gone", chat("ana", "closed"));
  notify("gone", chat("eva", "closed"));
  const open = desk.chat("s-ana").status;
  desk.select(null);

  assert.equal(open, "closed");
  assert.equal(desk.chat("s-eva"), null);
  assert.equal(desk.chat("s-ana"), null);
});

test("10,000 rows take 100 changes in less than a millisecond each", async () => {
  join([]);
  desk.loadMore("open");
  const rows = Array.from({ length: 10_000 }, (_, n) => said(`u${n}`, n));
  board.answer("list", { chats: rows, cursor: null });
  await settled();
  const each = fastest((n) => {
    notify("changed", said(`u${(n * 7919) % 10_000}`, 20_000 + n));
    desk.rows("open");
  });

  assert.equal(desk.rows("open").length, 10_000);
  assert.equal(users("open")[0], `u${(99 * 7919) % 10_000}`);
  assert.ok(each < 1, `${each} ms`);
});

// What calls.

test("somebody new who waits calls, also when a join brings them, but never twice", () => {
  const heard = calls();
  join([chat("ana", "waiting"), chat("eva", "waiting", null, at(1))]);
  board.lose();
  join([chat("ana", "waiting"), chat("eva", "waiting", null, at(1))]);
  notify("waiting", chat("ana", "waiting"));
  notify("waiting", chat("dan", "waiting"));

  assert.deepEqual(heard, ["waiting ana", "waiting dan"]);
});

test("a missed message and a question for a yes call once each", () => {
  const heard = calls();
  join([missed("ana", "one")]);
  join([missed("ana", "one"), asked("eva", "done")]);
  notify("missed", missed("ana", "two", at(1)));
  notify("asked", asked("dan", "proposed"));
  notify("changed", asked("dan", "approved"));

  assert.deepEqual(heard, ["missed ana", "missed ana", "asked dan"]);
});

test("a customer's message calls in one's own conversations alone", () => {
  const heard = calls();
  join([mine("ana"), chat("eva", "live", "Ion")]);
  for (const sessionId of ["s-ana", "s-eva", "s-none"]) {
    board.receive("live_message", { sessionId, author: "user", messageId: sessionId });
  }
  board.receive("live_message", { sessionId: "s-ana", author: "coordinator", messageId: "m" });

  assert.deepEqual(heard, ["message ana"]);
});

test("what was written to this coordinator while the connection was away calls at the join", () => {
  const heard = calls();
  join([mine("ana", at(0), { unanswered: 1 })]);
  board.lose();
  join([mine("ana", at(0), { unanswered: 2 })]);
  board.lose();
  join([mine("ana", at(0), { unanswered: 2 })]);

  assert.deepEqual(heard, ["message ana"]);
});

test("a conversation that a colleague forwards calls, and one that is taken over from here does not", async () => {
  const heard = calls();
  join([chat("ana", "live", "Ion"), chat("dan", "live", "Ion")]);
  notify("changed", mine("ana"));
  const done = desk.act("claim", "s-dan", { takeOver: true });
  notify("changed", mine("dan"));
  board.answer("claim", mine("dan"));
  await done;

  assert.deepEqual(heard, ["forwarded ana"]);
});

test("a conversation that somebody else ends or takes has ended for this coordinator", async () => {
  const heard = listen("ended");
  join([mine("ana"), mine("dan"), mine("eva")]);
  notify("changed", chat("ana", "live", "Ion"));
  const done = desk.act("close", "s-dan");
  notify("gone", chat("dan", "closed"));
  board.answer("close", chat("dan", "closed"));
  await done;
  board.lose();
  join([]);

  assert.deepEqual(
    heard.map(({ chat: { userId } }) => userId),
    ["ana", "eva"],
  );
});

test("a refusal is for the coordinator whose request it was", () => {
  const refusals = listen("refused");
  join([chat("ana", "waiting")]);
  const refusal = { wished: "live", reason: "session_closed" };
  notify("refused", chat("ana", "closed"), { ...refusal, coordinatorId: "Ion" });
  notify("refused", chat("ana", "closed"), { ...refusal, coordinatorId: "Maria" });

  assert.deepEqual(
    refusals.map(({ requestedStatus, reason }) => [requestedStatus, reason]),
    [["live", "session_closed"]],
  );
});

// Requests.

test("an action gives the row its new state, and rejects with the code of its refusal", async () => {
  join([chat("ana", "waiting"), mine("dan")]);
  const claimed = desk.act("claim", "s-ana");
  board.answer("claim", mine("ana"));
  const { status } = await claimed;
  const forwarded = desk.act("forward", "s-dan", { to: "Ion" });
  const payload = board.refuse("forward", "not_there");

  assert.equal(status, "live");
  assert.deepEqual(users("mine").sort(), ["ana", "dan"]);
  assert.deepEqual(payload, { sessionId: "s-dan", to: "Ion" });
  await assert.rejects(forwarded, { reason: "not_there" });
});

test("a reply that is older than what was pushed meanwhile changes nothing", async () => {
  join([chat("ana", "waiting")]);
  const claimed = desk.act("claim", "s-ana");
  notify("changed", mine("ana"));
  notify("gone", chat("ana", "closed"));
  board.answer("claim", mine("ana"));
  await claimed;

  assert.deepEqual(users("mine"), []);
});

test("a missed message is attended to as it was seen, and leaves the list", async () => {
  join([missed("ana", "one", at(3))]);
  const done = desk.act("attend", "s-ana");
  const payload = board.answer("attend", chat("ana", "ai"));
  await done;

  assert.deepEqual(payload, { sessionId: "s-ana", timestamp: at(3) });
  assert.deepEqual(users("waiting"), []);
});

test("an answer is being sent until its reply, and keeps why it was refused", async () => {
  join([asked("ana", "proposed")]);
  desk.confirm("s-ana", "s-ana-3", "yes");
  const sending = desk.answering("s-ana-3");
  const payload = board.refuse("confirm", "server_unavailable");
  await settled();

  assert.deepEqual(sending, { isSending: true, error: null });
  assert.deepEqual(payload, { sessionId: "s-ana", confirmId: "s-ana-3", answer: "yes" });
  assert.equal(desk.answering("s-ana-3").error?.reason, "server_unavailable");
  assert.deepEqual(users("waiting"), ["ana"]);
});

test("a renewed token is used on what is joined, and by every later join", async () => {
  join([mine("ana")]);
  desk.select("s-ana");
  desk.renew([{ businessId: "b1", token: "t2" }]);

  assert.deepEqual(board.answer("refresh_token"), { token: "t2" });
  assert.equal(board.payload.token, "t2");
  assert.equal(channels.get("chat:b1:ana").payload.token, "t2");
});

// Pages.

const load = async (view, reply, channel = board) => {
  desk.loadMore(view);
  const payload = channel.answer("list", reply);
  await settled(2);
  return payload;
};

test("pages follow each other by their cursors, newest activity first", async () => {
  join([]);
  const first = await load("open", { chats: [said("c", 9), said("b", 8)], cursor: "next" });
  const hasMore = desk.hasMore("open");
  const second = await load("open", { chats: [said("b", 8), said("a", 7)], cursor: null });

  assert.deepEqual(first, { view: "open" });
  assert.deepEqual(second, { view: "open", cursor: "next" });
  assert.deepEqual(users("open"), ["c", "b", "a"]);
  assert.deepEqual([hasMore, desk.hasMore("open")], [true, false]);
});

test("what changes has its place among the pages, and what ends goes to the history", async () => {
  join([]);
  await load("open", { chats: [said("b", 8), said("a", 7)], cursor: null });
  await load("history", { chats: [], cursor: null });
  notify("changed", said("a", 9));
  notify("changed", said("new", 10));
  notify("changed", said("b", 11, "closed"));

  assert.deepEqual(users("open"), ["new", "a"]);
  assert.deepEqual(users("history"), ["b"]);
});

test("a page that is older than what was pushed meanwhile brings nothing back", async () => {
  join([]);
  desk.loadMore("open");
  notify("changed", said("a", 9, "closed"));
  notify("changed", said("b", 9));
  board.answer("list", { chats: [said("b", 3), said("a", 2), said("c", 1)], cursor: null });
  await settled();

  assert.deepEqual(users("open"), ["b", "c"]);
  assert.equal(desk.rows("open")[0].last.at, at(9));
});

test("of two businesses nothing is shown behind a hole in one of them", async () => {
  desk = openDesk(["b1", "b2"]);
  const other = channels.get("coordinators:b2");
  join([]);
  other.join({ chats: [] });
  desk.loadMore("open");
  board.answer("list", { chats: [said("a9", 9), said("a8", 8)], cursor: "a" });
  other.answer("list", { chats: [said("b7", 7), said("b1", 1)], cursor: "b" });
  await settled();
  const before = users("open");
  desk.loadMore("open");
  const isAskedAgain = other.request("list") !== undefined;
  board.answer("list", { chats: [said("a5", 5)], cursor: null });
  await settled();

  assert.deepEqual(before, ["a9", "a8"]);
  assert.equal(isAskedAgain, false);
  assert.deepEqual(users("open"), ["a9", "a8", "b7", "a5", "b1"]);
});

test("after a reconnect the pages are read again under what is shown", async () => {
  join([]);
  await load("open", { chats: [said("d", 9), said("c", 8)], cursor: "1" });
  await load("open", { chats: [said("b", 7), said("a", 6)], cursor: "2" });
  board.lose();
  join([]);
  const meanwhile = users("open");
  board.answer("list", { chats: [said("new", 12), said("d", 9)], cursor: "1" });
  await settled();
  const second = board.answer("list", { chats: [said("b", 7), said("a", 6)], cursor: "2" });
  await settled();

  assert.deepEqual(meanwhile, ["d", "c", "b", "a"]);
  assert.equal(second.cursor, "1");
  assert.deepEqual(users("open"), ["new", "d", "b", "a"]);
  assert.equal(board.request("list"), undefined);
});

test("a page that fails says why, and comes with the next join", async () => {
  join([]);
  desk.loadMore("open");
  board.lose();
  await settled();
  const { reason } = desk.failure("open");
  join([]);
  board.answer("list", { chats: [said("a", 1)], cursor: null });
  await settled();

  assert.equal(reason, "disconnected");
  assert.equal(desk.failure("open"), null);
  assert.deepEqual(users("open"), ["a"]);
});

test("a page that is refused is not asked for again at once, but by the next join", async () => {
  join([]);
  desk.loadMore("open");
  board.refuse("list", "rate_limited");
  await settled(2);
  desk.loadMore("open");
  const isAskedAtOnce = board.request("list") !== undefined;
  mock.timers.tick(5_000);
  await settled(2);
  desk.loadMore("open");
  board.refuse("list", "rate_limited");
  await settled(2);
  board.lose();
  join([]);
  mock.timers.tick(5_000);
  await settled(2);
  board.answer("list", { chats: [said("a", 1)], cursor: null });
  await settled(2);

  assert.equal(isAskedAtOnce, false);
  assert.deepEqual(users("open"), ["a"]);
});

test("a page that is asked for without a connection is loaded by the join, and by nobody before", async () => {
  const changes = listen("change");
  await desk.loadMore("open");
  const before = [changes.length, desk.isLoading("open"), desk.failure("open")];
  join([]);
  board.answer("list", { chats: [said("a", 1)], cursor: null });
  await settled();

  assert.deepEqual(before, [0, false, null]);
  assert.deepEqual(users("open"), ["a"]);
});

test("a search shows what it finds, and its end what was loaded", async () => {
  join([]);
  await load("open", { chats: [said("a", 2), said("b", 1)], cursor: "next" });
  desk.search(" soup ");
  const payload = board.answer("list", { chats: [said("c", 0)], cursor: null });
  board.answer("list", { chats: [said("d", 0, "closed")], cursor: null });
  await settled();
  notify("changed", said("a", 5));
  const found = [users("open"), users("history")];
  desk.search("");

  assert.deepEqual(payload, { view: "open", query: "soup" });
  assert.deepEqual(found, [["c"], ["d"]]);
  assert.deepEqual(users("open"), ["a", "b"]);
});

/**
 * A bridge whose conversations change by chance, and whose frames arrive late, but in order.
 *
 * `seed`: the same one makes the same choices.
 */
class ChanceBridge {
  chats = new Map();
  #frames = [];
  #read = [];
  #now = 0;
  #seed;

  constructor(seed) {
    this.#seed = seed;
  }

  /** Return a number below `limit`. */
  chance(limit) {
    this.#seed = (Math.imul(this.#seed, 1_103_515_245) + 12_345) >>> 0;
    return (this.#seed >>> 8) % limit;
  }

  change() {
    const userId = `u${this.chance(30)}`;
    const status = ["ai", "ai", "waiting", "live", "closed"][this.chance(5)];
    const coordinatorId = status === "live" ? ["Maria", "Ion"][this.chance(2)] : null;
    const time = at((this.#now += this.chance(2))); // some have the same
    const left = { message: `m${this.#now}`, timestamp: time, reason: "user_request" };
    const changed = chat(userId, status, coordinatorId, time, {
      unanswered: this.chance(2),
      unansweredSince: time,
      missed: this.chance(5) === 0 ? left : null,
      last: this.chance(2) ? { author: "user", text: "x", at: time } : null,
    });
    this.chats.set(userId, changed);
    this.push("notification", { type: "changed", chat: changed });
  }

  push(event, payload) {
    if (board.state.name === "joined") this.#frames.push(() => board.receive(event, payload));
  }

  /** Send the replies that have been read from the storage, and read those to newer requests. */
  answer() {
    this.#frames.push(...this.#read.splice(0));
    for (const { payload, reply, refuse } of board.sent.splice(0)) {
      const page = this.#page(payload);
      this.#read.push(Object.assign(() => reply(page), { refuse }));
    }
  }

  #page({ view, cursor }) {
    const all = [...this.chats.values()]
      .filter(({ status }) => (status === "closed") === (view === "history"))
      .map((each) => [`${each.last?.at ?? each.since} ${each.sessionId}`, each])
      .sort(([a], [b]) => (a < b ? 1 : -1))
      .filter(([place]) => !cursor || place < cursor);
    const page = all.slice(0, 4);
    const next = all.length > page.length ? page.at(-1)[0] : null;
    return { chats: page.map(([, each]) => each), cursor: next };
  }

  async deliver(count) {
    for (const frame of this.#frames.splice(0, count)) {
      frame();
      await settled(1);
    }
  }

  lose() {
    for (const { refuse } of [...this.#frames.splice(0), ...this.#read.splice(0)]) {
      refuse?.("disconnected");
    }
    board.lose();
  }

  join() {
    const isListed = ({ status, missed }) => ["waiting", "live"].includes(status) || missed;
    join([...this.chats.values()].filter(isListed));
  }

  /** Let all arrive, and load all that there is. */
  async finish(opened) {
    if (board.state.name !== "joined") this.join();
    for (;;) {
      for (const view of ["open", "history"]) if (opened.hasMore(view)) opened.loadMore(view);
      this.answer();
      this.answer();
      if (this.#frames.length === 0) break;
      await this.deliver(Infinity);
    }
  }
}

const shownOf = (opened) =>
  ["mine", "waiting", "open", "history"].map((view) =>
    opened
      .rows(view)
      .map(({ userId, status, since }) => `${userId} ${status} ${since}`)
      .sort(),
  );

for (let seed = 1; seed <= 20; seed++) {
  test(`whatever happens, the rows in the end are those that a new page loads (${seed})`, async () => {
    const bridge = new ChanceBridge(seed);
    bridge.join();
    for (let n = 0; n < 150; n++) {
      const choice = bridge.chance(20);
      if (choice < 9) bridge.change();
      else if (choice < 11) desk.loadMore("open");
      else if (choice < 13) desk.loadMore("history");
      else if (choice < 15) bridge.answer();
      else if (choice < 19) await bridge.deliver(bridge.chance(4));
      else if (board.state.name === "joined") bridge.lose();
      else bridge.join();
      await settled(1);
      for (const view of ["mine", "waiting", "open", "history"]) {
        assert.equal(new Set(users(view)).size, users(view).length, view);
      }
    }
    await bridge.finish(desk);
    const rows = shownOf(desk);
    desk.dispose();
    desk = openDesk();
    await bridge.finish(desk);

    assert.deepEqual(rows, shownOf(desk));
    assert.equal(rows[2].length + rows[3].length, bridge.chats.size);
  });
}

// The open conversation.

const entry = (messageId, author, text, minutes, more = {}) => ({
  messageId,
  author,
  message: text,
  timestamp: at(minutes),
  ...more,
});
const logged = (seq, author, text, minutes, more = {}) => ({
  ...entry(`m${seq}`, author, text, minutes, more),
  kind: "message",
  seq,
});
let live;
async function open(row, { reply = {}, log = null, messages = [] } = {}) {
  desk.select(row.sessionId);
  live = channels.get(`chat:b1:${row.userId}`);
  live.join({ messages });
  board.answer("open", { chat: row, messages: [], notes: [], earlier: [], ...reply });
  await settled(2);
  if (log) board.answer("more", log);
  else board.refuse("more", "server_unavailable");
  await settled(2);
  return desk.talk;
}
const texts = (talk) => talk.items.map(({ kind, text }) => (kind === "divider" ? "—" : text));

test("a conversation that has left every list is opened by its address, or its refusal is told", async () => {
  const address = { sessionId: "s-ana", businessId: "b1", userId: "ana" };
  join([chat("ana", "waiting")]);
  notify("gone", chat("ana", "closed"));
  join([]);
  desk.select("s-ana");
  assert.equal(desk.talk, null);

  desk.select("s-ana", address);
  board.refuse("open", "unknown_session");
  await settled(2);
  assert.equal(desk.talk.error.reason, "unknown_session");

  desk.select(null);
  desk.select("s-ana", address);
  board.answer("open", { chat: chat("ana", "closed"), messages: [], notes: [], earlier: [] });
  await settled(2);
  assert.equal(desk.talk.error, null);
  assert.equal(desk.talk.chat.status, "closed");
});

test("what the bridge was told is shown until the server's log is there, which has it once", async () => {
  join([mine("ana")]);
  const told = [
    entry("user:1", "user", "Hi", 1),
    entry("ai:2", "ai", "Hello", 2),
    entry("user:3", "user", "Now?", 3),
  ];
  const talk = await open(mine("ana"), { reply: { messages: told } });
  const before = texts(talk);
  const loading = talk.loadEarlier();
  const log = [logged(2, "ai", "Hello", 2, { tools: [{ name: "search", outcome: "found" }] })];
  board.answer("more", { messages: [...log, logged(3, "user", "Now?", 3)], more: true });
  await loading;
  board.receive("live_message", { sessionId: "s-ana", ...told[2] });
  board.refuse("more", "server_unavailable");
  await settled(2);
  const newest = texts(talk);
  const earlier = talk.loadEarlier();
  const { beforeSeq } = board.answer("more", { messages: [logged(1, "user", "Hi", 1)] });
  await earlier;

  assert.deepEqual(before, ["Hi", "Hello", "Now?"]);
  assert.deepEqual(newest, ["Hello", "Now?"]);
  assert.equal(beforeSeq, 2);
  assert.deepEqual(texts(talk), ["Hi", "Hello", "Now?"]);
  assert.equal(talk.hasEarlier, false);
  assert.equal(talk.items[1].tools[0].name, "search");
});

test("a message is shown once, whichever of the ways it comes", async () => {
  join([mine("ana")]);
  const message = entry("m2", "user", "Soup?", 2);
  const log = { messages: [logged(1, "ai", "Hello", 1), logged(2, "user", "Soup?", 2)] };
  const talk = await open(mine("ana"), { log, messages: [message] });
  board.receive("live_message", { sessionId: "s-ana", ...message });
  live.receive("user_message", message);
  live.lose();
  live.join({ messages: [message] });

  assert.deepEqual(texts(talk), ["Hello", "—", "Soup?"]);
});

test("dividers stand where the assistant's part and the live chat change", async () => {
  join([mine("ana")]);
  const talk = await open(mine("ana"), {
    reply: { messages: [entry("1", "user", "Hi", 1), entry("2", "ai", "Hello", 2)] },
    messages: [entry("3", "user", "Human?", 3), entry("4", "coordinator", "Here", 4)],
  });
  board.receive("live_message", { sessionId: "s-ana", ...entry("5", "ai", "Back", 5) });
  const dividers = talk.items.map(({ kind, type, text }) => (kind === "divider" ? type : text));

  assert.deepEqual(dividers, ["Hi", "Hello", "live", "Human?", "Here", "assistant", "Back"]);
});

test("the messages of the customer's other conversations are in those alone", async () => {
  join([mine("ana")]);
  const talk = await open(mine("ana"), {
    messages: [
      entry("1", "user", "Last week", 1, { sessionId: "s-old" }),
      entry("2", "user", "Today", 2, { sessionId: "s-ana" }),
      entry("3", "user", "Somewhere", 3),
    ],
  });

  assert.deepEqual(texts(talk), ["—", "Today", "Somewhere"]);
});

test("what is said in a conversation with the AI extends it while it is open", async () => {
  const row = chat("ana", "ai");
  join([asked("ana", "proposed")]);
  const talk = await open(row, { reply: { messages: [entry("a", "user", "Hi", 1)] } });
  board.receive("live_message", { sessionId: "s-ana", ...entry("b", "ai", "Hello", 2) });
  board.receive("live_message", { sessionId: "s-eva", ...entry("c", "ai", "No", 3) });

  assert.deepEqual(texts(talk), ["Hi", "Hello"]);
});

test("steps, whispers, ratings and why it was handed over come from the server's log", async () => {
  join([mine("ana")]);
  const status = (seq, reason) => ({
    kind: "status",
    seq,
    status: "x",
    reason,
    timestamp: at(seq),
  });
  const log = [
    logged(1, "ai", "Table", 1, { audience: "coordinator", write: { state: "done" } }),
    logged(2, "user", "Yes", 2, { audience: "customer+coordinator", write: { state: "approved" } }),
    logged(3, "coordinator", "Be brief", 3, { audience: "model", coordinatorId: "Ion" }),
    logged(4, "system", "{}", 4, { audience: "model" }),
    logged(5, "user", "Good", 5, { actions: [{ type: "rating", rating: 4 }] }),
    status(6, "user_request"),
    status(7, "delivered"),
    status(8, "accepted"),
    status(9, "ended_by_user"),
  ];
  const talk = await open(mine("ana"), { log: { messages: log } });
  const shown = talk.items.map(({ kind, type, rating, coordinatorId }) =>
    [kind, type ?? rating ?? coordinatorId].filter(Boolean).join(" "),
  );

  assert.deepEqual(shown, [
    ...["step done", "message", "whisper Ion", "rating 4"],
    ...["event user_request", "event ended_by_user"],
  ]);
});

test("an answer of the server's log names its sources, whatever else its actions are", async () => {
  join([mine("ana")]);
  const items = [{ title: "Meniu › Deserturi", location: "meniu.md#deserturi" }];
  const actions = [{ type: "business_info" }, { type: "sources", items }, null, "x"];
  const strange = [undefined, null, {}, [{ type: "sources", items: 1 }]];
  const messages = [actions, ...strange].map((each, n) =>
    logged(n + 1, "ai", "Papanași", n, { actions: each }),
  );
  const talk = await open(mine("ana"), { log: { messages } });

  assert.deepEqual(
    talk.items.map(({ sources }) => sources),
    [["Meniu › Deserturi (meniu.md#deserturi)"], [], [], [], []],
  );
});

test("the log is read again for the sources of an answer, and for a report that comes late", async () => {
  join([chat("ana", "waiting")]);
  const talk = await open(chat("ana", "ai"), { log: { messages: [logged(1, "user", "Hi", 5)] } });
  const sources = [{ type: "sources", items: [{ title: "Menu", location: "menu.md" }] }];
  board.receive("live_message", { sessionId: "s-ana", ...entry("r1", "ai", "Soup", 6) });
  const shown = texts(talk);
  const second = logged(2, "ai", "Soup", 6, { actions: sources });
  board.answer("more", { messages: [logged(1, "user", "Hi", 5), second] });
  await settled(2);
  board.receive("live_message", { sessionId: "s-ana", ...entry("r2", "user", "Late", 4) });
  board.answer("more", { messages: [second, logged(3, "user", "Late", 7)] });
  await settled(2);

  assert.deepEqual(shown, ["Hi", "Soup"]);
  assert.deepEqual(texts(talk), ["Hi", "Soup", "Late"]);
  assert.deepEqual(talk.items[1].sources, ["Menu (menu.md)"]);
});

test("a whisper is one item, whether it comes as what a colleague did or from the log", async () => {
  join([chat("ana", "waiting")]);
  const whisper = { audience: "model", coordinatorId: "Ion" };
  const log = { messages: [logged(1, "coordinator", "Be brief", 1, whisper)] };
  const talk = await open(chat("ana", "ai"), { log });
  const note = (noteId, text) => ({
    ...{ noteId, sessionId: "s-ana", coordinatorId: "Ion", text, at: at(2) },
    event: { type: "whispered" },
  });
  board.receive("note", note("m1", "Be brief"));
  board.receive("note", note("m2", "Offer soup"));

  assert.deepEqual(
    talk.items.map(({ kind, text }) => [kind, text]),
    [
      ["whisper", "Be brief"],
      ["whisper", "Offer soup"],
    ],
  );
});

test("notes and what coordinators did have their place in time", async () => {
  join([mine("ana")]);
  const note = (noteId, minutes, event = null) => ({
    ...{ noteId, sessionId: "s-ana", coordinatorId: "Ion", text: noteId, at: at(minutes), event },
  });
  const talk = await open(mine("ana"), {
    reply: {
      messages: [entry("a", "user", "Hi", 2)],
      notes: [note("n1", 1), note("n2", 3, { type: "forwarded", to: "Maria" })],
    },
  });
  board.receive("note", note("n3", 4));
  board.receive("note", { ...note("n4", 5), sessionId: "s-eva" });

  assert.deepEqual(texts(talk), ["n1", "Hi", "n2", "n3"]);
  const { kind, type, to, coordinatorId } = talk.items[2];
  assert.deepEqual([kind, type, to, coordinatorId], ["event", "forwarded", "Maria", "Ion"]);
});

test("what the customer left is shown until it is among the messages", async () => {
  const row = missed("ana", "Call me", at(2));
  join([row]);
  const talk = await open(row, { reply: { messages: [entry("a", "ai", "Sorry", 1)] } });
  const before = texts(talk);
  const loading = talk.loadEarlier();
  const log = [logged(1, "ai", "Sorry", 1), logged(2, "user", "Call me", 2)];
  board.answer("more", { messages: log });
  await loading;

  assert.deepEqual(before, ["Sorry", "Call me"]);
  assert.deepEqual(texts(talk), ["Sorry", "Call me"]);
});

test("a context package's last messages stand in where nothing else is known", async () => {
  const lastMessages = [{ author: "user", message: "Hi" }, null, 3];
  join([mine("ana")]);
  const talk = await open(mine("ana"), {
    reply: { chat: { ...mine("ana"), context: { lastMessages } } },
  });

  assert.equal(texts(talk)[0], "Hi");
  assert.deepEqual(talk.context, { lastMessages });
});

test("after a reconnect what was missed of the log is there, down to what was known", async () => {
  join([mine("ana")]);
  const talk = await open(mine("ana"), { log: { messages: [logged(1, "user", "1", 1)] } });
  board.lose();
  join([mine("ana")]);
  board.answer("open", { chat: mine("ana") });
  await settled(2);
  board.answer("more", { messages: [logged(4, "user", "4", 4)], more: true });
  await settled(2);
  board.answer("more", {
    messages: [logged(2, "ai", "2", 2), logged(3, "ai", "3", 3)],
    more: true,
  });
  await settled(2);

  assert.deepEqual(texts(talk), ["1", "2", "3", "4"]);
  assert.equal(board.request("more"), undefined);
});

test("the first message that nobody has answered has the mark", async () => {
  const row = mine("ana", at(0), { unanswered: 2 });
  join([row]);
  const talk = await open(row, {
    messages: [
      entry("1", "user", "a", 1),
      entry("2", "coordinator", "b", 2),
      entry("3", "user", "c", 3),
      entry("4", "user", "d", 4),
    ],
  });
  const before = talk.unreadFrom;
  notify("changed", mine("ana"));

  assert.equal(before, "3");
  assert.equal(talk.unreadFrom, null);
});

test("who writes and who is there comes over the live chat", async () => {
  join([mine("ana")]);
  const talk = await open(mine("ana"), { reply: { customerOnline: true } });
  const seen = [talk.customerOnline];
  live.receive("typing", { author: "user", expiresInMs: 5_000 });
  seen.push(talk.isTyping);
  mock.timers.tick(5_000);
  seen.push(talk.isTyping);
  live.receive("customer", { online: false });
  seen.push(talk.customerOnline);
  talk.notifyTyping();

  assert.deepEqual(seen, [true, true, false, false]);
  assert.deepEqual(live.request("typing").payload, { author: "coordinator" });
});

test("a suggestion is written bit by bit, and ends with its reply", async () => {
  join([mine("ana")]);
  const talk = await open(mine("ana"));
  talk.suggest();
  const { suggestionId } = board.request("suggest").payload;
  board.receive("suggestion", { suggestionId, delta: "Hel" });
  board.receive("suggestion", { suggestionId: "other", delta: "x" });
  board.receive("suggestion", { suggestionId, delta: "lo" });
  const { state, text } = talk.suggestion;
  board.answer("suggest", { text: "Hello." });
  await settled(2);

  assert.deepEqual([state, text], ["streaming", "Hello"]);
  assert.deepEqual(talk.suggestion, { state: "done", text: "Hello.", error: null });
});

test("a suggestion is stopped when its conversation is left", async () => {
  join([mine("ana"), mine("dan")]);
  const talk = await open(mine("ana"));
  talk.suggest();
  const { suggestionId } = board.request("suggest").payload;
  desk.select("s-dan");
  board.refuse("suggest", "stopped");
  await settled(2);

  assert.deepEqual(board.request("stop_suggestion").payload, { suggestionId });
  assert.equal(talk.suggestion, null);
});

const STEP = { audience: "coordinator", write: { state: "done" } };
const reported = (said) => ({ ...said, messageId: `report${said.seq}` });

/** A conversation that goes on by chance, over two connections that are lost and come back. */
class ChanceTalk extends ChanceBridge {
  #log = [];
  #notes = [];
  #lastNote = 0;
  #minutes = 0;
  #isLive = false;
  #sockets = [[], []];

  goOn() {
    const seq = this.#log.length + 1;
    this.#minutes += 1;
    const text = `t${seq}`;
    const kind = this.chance(8);
    if (kind === 0) this.#isLive = !this.#isLive;
    if (kind === 1) this.#say(logged(seq, "ai", text, this.#minutes, STEP));
    else if (kind === 2) {
      const note = {
        noteId: `n${++this.#lastNote}`,
        text: `n${this.#lastNote}`,
        at: at(this.#minutes),
      };
      this.#notes.push({ ...note, coordinatorId: "Ion", sessionId: "s-ana" });
      this.#send(board, "note", this.#notes.at(-1));
    } else if (this.#isLive) {
      const author = ["user", "coordinator"][this.chance(2)];
      const said = this.#say(logged(seq, author, text, this.#minutes, { isLive: true }));
      this.#send(board, "live_message", said);
      this.#send(live, author === "user" ? "user_message" : "agent_message", said);
    } else {
      const said = this.#say(logged(seq, ["user", "ai"][this.chance(2)], text, this.#minutes));
      this.#send(board, "live_message", reported(said));
    }
  }

  #say(message) {
    this.#log.push({ ...message, sessionId: "s-ana" });
    return this.#log.at(-1);
  }

  #frames(channel) {
    return this.#sockets[channel === board ? 0 : 1];
  }

  #send(channel, event, payload) {
    const send = () => channel.receive(event, payload);
    if (channel.state.name === "joined") this.#frames(channel).push(send);
  }

  answer() {
    for (const { event, payload, reply, refuse } of board.sent.splice(0)) {
      const response =
        event === "open" ? this.#opened() : this.#page(payload.beforeSeq ?? Infinity);
      this.#frames(board).push(Object.assign(() => reply(response), { refuse }));
    }
  }

  #opened() {
    const told = this.#log.filter(({ audience, isLive }) => !audience && !isLive);
    return { chat: mine("ana"), messages: told.slice(-6).map(reported), notes: this.#notes };
  }

  #page(before) {
    const all = this.#log.filter(({ seq }) => seq < before);
    return { messages: all.slice(-5), more: all.length > 5 };
  }

  async deliver(count) {
    for (const frame of this.#sockets[this.chance(2)].splice(0, count)) {
      frame();
      await settled(1);
    }
  }

  toggle(channel) {
    if (channel.state.name === "joined") {
      for (const { refuse } of this.#frames(channel).splice(0)) refuse?.("disconnected");
      channel.lose();
    } else if (channel === board) join([mine("ana")]);
    else live.join({ messages: this.#log.filter(({ isLive }) => isLive).slice(-4) });
  }

  async finish() {
    for (const channel of [board, live]) {
      if (channel.state.name === "joined") this.toggle(channel); // steps come with the next join
      this.toggle(channel);
    }
    for (let rounds = 0; rounds < 200; rounds++) {
      this.answer();
      await this.deliver(Infinity);
      if (rounds > 20 && desk.talk.hasEarlier) desk.talk.loadEarlier();
    }
    const all = [...this.#log.map((each) => [each.timestamp, each.message])];
    all.push(...this.#notes.map((note) => [note.at, note.text]));
    return all.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, text]) => text);
  }
}

for (let seed = 1; seed <= 20; seed++) {
  test(`whatever happens, a conversation in the end is as the log has it (${seed})`, async () => {
    const bridge = new ChanceTalk(seed);
    join([mine("ana")]);
    desk.select("s-ana");
    live = channels.get("chat:b1:ana");
    for (let n = 0; n < 120; n++) {
      const choice = bridge.chance(20);
      if (choice < 8) bridge.goOn();
      else if (choice < 12) bridge.answer();
      else if (choice < 18) await bridge.deliver(bridge.chance(4));
      else if (choice < 19) bridge.toggle(board);
      else bridge.toggle(live);
      await settled(1);
      const shown = texts(desk.talk).filter((text) => text !== "—");
      assert.equal(new Set(shown).size, shown.length, `${n}: ${shown}`);
    }
    const log = await bridge.finish();

    assert.deepEqual(
      texts(desk.talk).filter((text) => text !== "—"),
      log,
    );
  });
}

test("10,000 messages take another in less than a millisecond", async () => {
  join([mine("ana")]);
  const messages = Array.from({ length: 10_000 }, (_, n) => logged(n + 1, "user", "x", n));
  const talk = await open(mine("ana"), { log: { messages } });
  const each = fastest((n) => {
    live.receive("user_message", entry(`n${n}`, "user", "y", 20_000 + n));
    assert.equal(talk.items.at(-1).key, `n${n}`);
  });

  assert.equal(talk.items.length, 10_101);
  assert.ok(each < 1, `${each} ms`);
});

test("nothing that comes from the network throws, whatever its shape", async () => {
  const values = [null, undefined, 0, -1, NaN, "x", "", true, [], [null, 3, {}], {}, { a: 1 }];
  const strange = (fields) =>
    values.map((value) => Object.fromEntries(fields.map((f) => [f, value])));
  const fields = [
    ...["chats", "counts", "presence", "server", "business", "awayAfterS", "messages", "notes"],
    ...["chat", "earlier", "context", "missed", "confirmation", "rating", "last", "actions", "seq"],
    ...["message", "messageId", "timestamp", "author", "userId", "status", "event", "noteId"],
    ...["delta", "online", "expiresInMs", "cursor", "write", "tools", "since", "unanswered"],
  ];
  const row = mine("ana");
  const payloads = [...values, ...strange(fields)];
  const nested = strange(fields).map((each) => ({ ...each, chats: [{ ...each, ...row }] }));
  for (const payload of [...payloads, ...nested]) {
    storage = new FakeStorage();
    desk = openDesk();
    board.join(payload);
    join([row]);
    const log = {
      messages: [...payloads, { ...payload, seq: 1 }, { ...payload, seq: 2, kind: "status" }],
    };
    const talk = await open(row, { reply: payload ?? {}, log });
    desk.loadMore("open");
    board.answer("list", { chats: [payload], cursor: payload });
    for (const event of ["notification", "live_message", "note", "suggestion", "counts"]) {
      board.receive(event, payload);
      board.receive(event, { ...payload, sessionId: "s-ana" });
    }
    for (const event of ["typing", "customer", "user_message", "agent_message"]) {
      live.receive(event, payload);
    }
    notify("changed", { ...payload, sessionId: "s-ana" });
    notify("changed", { ...payload, sessionId: "s-x", status: "waiting" });
    live.join(payload);
    await settled(2);
    for (const view of ["mine", "waiting", "open", "history"]) assert.ok(desk.rows(view));
    for (const { key, text, kind } of talk.items) {
      assert.ok(key && typeof text === "string" && kind);
    }
  }
});

// What is written.

const states = (talk) => talk.items.map(({ text, state }) => `${text} ${state}`);

test("what is written without a connection is sent once the chat is joined", async () => {
  join([mine("ana")]);
  desk.select("s-ana");
  const { talk } = desk;
  talk.send("one");
  const [{ key, state }] = talk.items;
  live = channels.get("chat:b1:ana");
  live.join({ messages: [] });
  const { messageId, message } = live.answer("agent_message");
  await settled(2);

  assert.equal(state, "queued");
  assert.deepEqual([messageId, message], [key, "one"]);
  assert.deepEqual(states(talk), [" stored", "one stored"]);
});

test("a message that the chat has already is not sent again", async () => {
  join([mine("ana")]);
  desk.select("s-ana");
  desk.talk.send("one");
  const [{ key }] = desk.talk.items;
  live = channels.get("chat:b1:ana");
  live.join({ messages: [entry(key, "coordinator", "one", 1)] });

  assert.equal(live.request("agent_message"), undefined);
  assert.deepEqual(states(desk.talk), [" stored", "one stored"]);
});

test("a message waits for the one before it, so that none overtakes another", async () => {
  join([mine("ana")]);
  const talk = await open(mine("ana"));
  talk.send("one");
  talk.send("two");
  const first = live.sent.map(({ payload }) => payload.message);
  live.refuse("agent_message", "rate_limited", { retryAfterMs: 7_000 });
  await settled(2);
  mock.timers.tick(7_000);
  const again = live.answer("agent_message").message;
  await settled(2);
  const second = live.answer("agent_message").message;
  await settled(2);

  assert.deepEqual([first, again, second], [["one"], "one", "two"]);
  assert.equal(talk.isBusy, false);
});

test("a note and a whisper go to the colleagues' side, and never to the customer's topic", async () => {
  join([mine("ana")]);
  const talk = await open(mine("ana"));
  talk.note("Regular");
  talk.whisper("Offer soup");
  const note = board.answer("note", {});
  await settled(2);
  const whisper = board.answer("whisper", {});
  await settled(2);

  assert.deepEqual([note.text, whisper.text], ["Regular", "Offer soup"]);
  assert.deepEqual([note.sessionId, whisper.sessionId], ["s-ana", "s-ana"]);
  assert.deepEqual(live.sent, []);
  assert.deepEqual(
    talk.items.map(({ kind, state }) => `${kind} ${state}`),
    ["note stored", "whisper stored"],
  );
});

test("what is on its way survives a reload, and is sent again under the same id", async () => {
  join([mine("ana")]);
  const talk = await open(mine("ana"));
  talk.send("reply");
  talk.note("note");
  const id = live.request("agent_message").payload.messageId;
  await settled(1);
  desk.dispose();
  desk = openDesk();
  join([mine("ana")]);
  live = channels.get("chat:b1:ana");
  live.join({ messages: [] });
  const { messageId } = live.answer("agent_message", { duplicate: true });
  const { text } = board.answer("note", {});
  await settled(2);

  assert.equal(messageId, id);
  assert.equal(text, "note");
  assert.deepEqual(desk.memory.unsent("s-ana"), []);
});

test("a message is sent although its conversation is not open any more, or was not since a reload", async () => {
  join([mine("ana"), mine("dan")]);
  const talk = await open(mine("ana"));
  const first = live;
  talk.send("one");
  desk.select("s-dan");
  const kept = desk.channels.includes(first);
  desk.dispose();
  desk = openDesk();
  join([mine("ana"), mine("dan")]);
  live = channels.get("chat:b1:ana");
  live.join({ messages: [] });
  const { message } = live.answer("agent_message");
  await settled(2);

  assert.equal(kept, true);
  assert.equal(message, "one");
  assert.equal(desk.selected, "s-dan");
  assert.equal(desk.channels.includes(live), false);
});

test("what is refused for good can be sent again or dropped, also after a reload", async () => {
  join([mine("ana")]);
  let talk = await open(mine("ana"));
  talk.send("one");
  talk.send("two");
  live.refuse("agent_message", "session_closed");
  await settled(2);
  live.refuse("agent_message", "message_too_long");
  await settled(2);
  const [one, two] = talk.items.slice(-2);
  desk.dispose();
  desk = openDesk();
  join([mine("ana")]);
  talk = desk.talk;
  live = channels.get("chat:b1:ana");
  live.join({ messages: [] });
  const failed = talk.items.map(({ error }) => error?.reason);
  talk.retry(one.key);
  const { messageId } = live.answer("agent_message");
  talk.discard(two.key);
  await settled(2);

  assert.deepEqual(failed, ["session_closed", "message_too_long"]);
  assert.equal(messageId, one.key);
  assert.deepEqual(texts(talk), ["—", "one"]);
  assert.deepEqual(desk.memory.unsent("s-ana"), []);
});

test("a message that two connections in a row were lost with is not sent by itself", async () => {
  join([mine("ana")]);
  const talk = await open(mine("ana"));
  talk.send("one");
  for (let n = 0; n < 2; n++) {
    live.lose();
    await settled(2);
    live.join({ messages: [] });
  }

  assert.equal(talk.items.at(-1).error?.reason, "connection_lost");
  assert.equal(live.request("agent_message"), undefined);
});

// What is remembered.

let browser = null;

afterEach(() => {
  browser?.close();
  browser = null;
});

test("drafts, places, the open conversation and the list survive a reload", () => {
  join([mine("ana")]);
  desk.select("s-ana");
  desk.memory.setDraft("s-ana", "reply", "Dear");
  desk.memory.setDraft("s-ana", "note", "Careful");
  desk.memory.setDraft("s-dan", "reply", "Hello");
  desk.memory.setDraft("s-dan", "reply", "");
  desk.memory.setPlace("s-ana", "m3");
  desk.memory.view = "history";
  desk.memory.sound = false;
  desk.dispose();
  const { memory, selected } = (desk = openDesk());

  assert.equal(selected, "s-ana");
  assert.deepEqual(
    ["reply", "note", "whisper"].map((mode) => memory.draft("s-ana", mode)),
    ["Dear", "Careful", ""],
  );
  assert.equal(memory.draft("s-dan", "reply"), "");
  assert.deepEqual([memory.place("s-ana"), memory.view, memory.sound], ["m3", "history", false]);
});

test("coordinators who share a browser do not read each other's drafts", () => {
  desk.memory.setDraft("s-ana", "reply", "Dear");
  desk.dispose();
  desk = openDesk(["b1"], "Ion");

  assert.equal(desk.memory.draft("s-ana", "reply"), "");
});

test("two tabs of one coordinator keep each other's drafts", () => {
  browser = new FakeBrowser();
  const [one, two] = [new DeskMemory("Maria", storage), new DeskMemory("Maria", storage)];
  const heard = [];
  two.on("change", () => heard.push(two.draft("s-ana", "reply")));
  one.setDraft("s-ana", "reply", "one");
  one.view = "open";
  one.flush();
  two.setDraft("s-dan", "reply", "two");
  two.setDraft("s-ana", "note", "two");
  two.view = "mine";
  browser.changed(storage, "ai-agent-desk:Maria");
  two.flush();
  const third = new DeskMemory("Maria", storage);

  assert.deepEqual(heard, ["one"]);
  assert.deepEqual(
    [third.draft("s-ana", "reply"), third.draft("s-dan", "reply"), third.draft("s-ana", "note")],
    ["one", "two", "two"],
  );
  assert.deepEqual([one.view, two.view], ["open", "mine"]);
});

test("of more conversations than are kept the oldest go, but none with a message on its way", () => {
  const { memory } = desk;
  const unsent = {
    sessionId: "s0",
    businessId: "b1",
    userId: "u",
    mode: "reply",
    text: "x",
    at: "",
  };
  mock.timers.reset();
  mock.timers.enable({ apis: ["Date"] });
  memory.setUnsent("s0", "k", { ...unsent, reason: null });
  for (let n = 1; n <= 300; n++) {
    mock.timers.tick(1_000);
    memory.setDraft(`s${n}`, "reply", "text");
  }
  memory.flush();
  const kept = new DeskMemory("Maria", storage);

  assert.equal(kept.unsent("s0").length, 1);
  assert.deepEqual([kept.draft("s1", "reply"), kept.draft("s300", "reply")], ["", "text"]);
});

test("a full or forbidden storage loses nothing while the page is open", () => {
  let isFull = true;
  storage.setItem = (key, value) => {
    if (isFull) throw new DOMException("", "QuotaExceededError");
    storage.items.set(key, value);
  };
  const memory = new DeskMemory("Maria", storage);
  memory.setDraft("s-ana", "reply", "Dear");
  memory.flush();
  const meanwhile = memory.draft("s-ana", "reply");
  isFull = false;
  memory.setDraft("s-dan", "reply", "Hello");
  memory.flush();
  const none = new DeskMemory("Maria", null);
  none.setDraft("s-ana", "reply", "Dear");
  none.flush();

  assert.equal(meanwhile, "Dear");
  assert.equal(new DeskMemory("Maria", storage).draft("s-ana", "reply"), "Dear");
  assert.equal(none.draft("s-ana", "reply"), "Dear");
});

test("what is stored is ours only where it has its shape", () => {
  const key = "ai-agent-desk:Maria";
  const chats = {
    "": { selected: 3, view: {}, sound: "x" },
    "s-ana": { "draft reply": 3, place: [], "unsent k": { mode: "shout", text: "x" }, at: "x" },
    __proto__: { "draft reply": "x" },
    "s-dan": null,
  };
  for (const stored of ["{", "null", "3", "[]", '{"version":1,"chats":3}', { version: 1, chats }]) {
    storage.setItem(key, typeof stored === "string" ? stored : JSON.stringify(stored));
    const memory = new DeskMemory("Maria", storage);
    memory.setDraft("s-eva", "reply", "new");
    memory.flush();

    assert.equal(memory.draft("s-ana", "reply"), "");
    assert.deepEqual([memory.selected, memory.view, memory.sound], [null, null, true]);
    assert.deepEqual([memory.unsentChats(), memory.place("s-ana")], [[], null]);
    assert.equal(new DeskMemory("Maria", storage).draft("s-eva", "reply"), "new");
  }
});
