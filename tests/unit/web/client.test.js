/** The rules of the customer's client: who chats, with which token, and what survives a reload. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { createClient } from "../../../entrypoints/web/client/client.js";
import { FakeBrowser, FakeServer, FakeStorage, settled, tokenOf } from "./fakes.js";

const DAY_MS = 86_400_000;
const KEY = "ai-agent:b1";
const AT = "2030-01-01T12:00:00.000Z";

let browser, server, storage, clients;

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"] });
  mock.method(Math, "random", () => 1);
  browser = new FakeBrowser();
  server = new FakeServer();
  storage = new FakeStorage();
  clients = [];
});

afterEach(() => {
  for (const client of clients) client.dispose();
  server.close();
  browser.close();
  mock.timers.reset();
  mock.restoreAll();
});

/** A client in a tab of its own. */
function open(options = {}) {
  const client = createClient({ business: "b1", url: "https://chat.example", storage, ...options });
  clients.push(client);
  return client;
}

/** The client of a reloaded page. */
function reload(client, options) {
  client.dispose();
  return open(options);
}

async function connect(client) {
  client.connect();
  await settled();
  return client;
}

async function pass(ms) {
  mock.timers.tick(ms);
  await settled();
}

/** Let a time pass that is long for a heartbeat. */
async function passLong(ms) {
  for (let left = ms; left > 0; left -= 25_000) await pass(Math.min(left, 25_000));
}

const stored = () => JSON.parse(storage.getItem(KEY));
const store = (changes) => storage.setItem(KEY, JSON.stringify({ ...stored(), ...changes }));
const refuse = (reason, rest) => {
  throw { reason, ...rest };
};
const problem = (status, code, rest) => ({ status, code, ...rest });
const texts = (client) => client.conversation.items().map(({ text, state }) => [text, state]);
const sent = (event) => server.pushed.filter((pushed) => pushed.event === event);
const acknowledge = () => {
  let seq = 0;
  return (event, { messageId }) => {
    if (event !== "new_message") return {};
    seq += 1;
    return { messageId, seq, sessionId: "s1", status: "ai", duplicate: false };
  };
};

// Visitors.

test("a visitor is named by the server once, without a preflight, and joins with the token", async () => {
  const client = open();
  const before = client.identity;
  await connect(client);
  const [{ url, method, headers }] = server.requests;

  assert.equal(before, null);
  assert.deepEqual(
    [url, method, headers],
    ["https://chat.example/visitors/b1", "POST", { "Content-Type": "text/plain" }],
  );
  assert.equal(client.connection.name, "joined");
  assert.deepEqual(client.identity, { kind: "visitor", userId: "v-1" });
  assert.deepEqual(server.joins, [
    {
      businessId: "b1",
      locationId: "main",
      userId: "v-1",
      token: "token-v-1",
      language: "ro-RO",
      stream: true,
    },
  ]);
  assert.equal(server.socket.url.href, "wss://chat.example/socket/websocket?vsn=2.0.0");
});

test("a language as websites write it, with an underscore, is one", async () => {
  await connect(open({ language: "de_AT" }));

  assert.equal(server.joins[0].language, "de-AT");
});

test("a visitor is the same after a reload and in another tab", async () => {
  const client = await connect(open());
  const other = await connect(open());
  const again = reload(client);

  assert.deepEqual(other.identity, { kind: "visitor", userId: "v-1" });
  assert.deepEqual(again.identity, { kind: "visitor", userId: "v-1" });
  assert.equal(server.requests.length, 1);
});

for (const hasLocks of [true, false]) {
  const where = hasLocks ? "with" : "without";
  test(`two tabs that start at the same time end with one visitor, ${where} locks`, async () => {
    if (hasLocks) browser.addLocks();
    const tabs = [open(), open()];
    for (const tab of tabs) tab.connect();
    await settled(30);

    const users = tabs.map(({ identity }) => identity.userId);
    assert.deepEqual(users, ["v-1", "v-1"]);
    assert.deepEqual(
      server.joins.map(({ userId, token }) => [userId, token]),
      Array(2).fill(["v-1", "token-v-1"]),
    );
    assert.equal(stored().visitor.userId, "v-1");
    if (hasLocks) assert.equal(server.requests.length, 1);
  });
}

test("a visitor's token is renewed with fewer than 29 days left, and not before", async () => {
  const client = await connect(open());
  server.name = ({ token }) => ({
    userId: "v-1",
    token: `${token}+`,
    expiresAt: new Date(Date.now() + 30 * DAY_MS).toISOString(),
  });
  client.dispose();
  mock.timers.tick(DAY_MS - 1000);
  const early = await connect(open());
  const requestsBefore = server.requests.length;
  mock.timers.tick(2000);
  const late = await connect(reload(early));
  await connect(reload(late));

  assert.equal(requestsBefore, 1);
  assert.deepEqual(
    server.requests.map(({ token }) => token),
    [null, "token-v-1"],
  );
  assert.equal(server.joins.at(-1).token, "token-v-1+");
});

test("a token that cannot be renewed for now goes on", async () => {
  const client = await connect(open());
  client.dispose();
  mock.timers.tick(2 * DAY_MS);
  server.name = () => {
    throw new TypeError("Failed to fetch");
  };
  const again = await connect(reload(client));

  assert.equal(again.connection.name, "joined");
  assert.equal(server.joins.at(-1).token, "token-v-1");
});

test("a visitor whose token is dead gets another name; what is unsent and remembered stays", async () => {
  const client = await connect(open());
  client.remember("draft", "half a");
  const { name } = server;
  server.name = (request) => (request.token ? problem(401, "unauthorized") : name(request));
  server.join = ({ token }) =>
    token === "token-v-1"
      ? refuse("unauthorized")
      : { sessionId: null, status: "ai", seq: 0, messages: [] };
  server.push = () => null;
  const again = open();
  again.conversation.send("Hello");
  const before = again.conversation;
  const changes = mock.fn();
  again.on("conversation", changes);
  await connect(again);
  await pass(500);

  assert.deepEqual(again.identity, { kind: "visitor", userId: "v-2" });
  assert.notEqual(again.conversation, before);
  assert.equal(changes.mock.callCount(), 1);
  assert.deepEqual(texts(again), [["Hello", "sending"]]);
  assert.equal(sent("new_message")[0].payload.userId, "v-2");
  assert.equal(again.recall("draft"), "half a");
  assert.deepEqual(
    server.requests.map(({ token }) => token),
    [null, "token-v-1", null],
  );
});

test("without a network a visitor is asked for again and again, in growing pauses", async () => {
  const { name } = server;
  server.name = () => {
    throw new TypeError("Failed to fetch");
  };
  const client = await connect(open());
  const pauses = [];
  for (let n = 0; n < 4; n++) {
    pauses.push(client.connection.retryAt - Date.now());
    await pass(pauses.at(-1));
  }
  server.name = name;
  client.retryNow();
  await settled();

  assert.deepEqual(pauses, [500, 1_000, 2_000, 5_000]);
  assert.equal(client.connection.name, "joined");
});

for (const [status, code] of [
  [403, "origin_not_allowed"],
  [404, "unknown_business"],
  [404, "visitors_off"],
]) {
  test(`a visitor refused as ${code} is not asked for again`, async () => {
    const { name } = server;
    server.name = () => problem(status, code);
    const client = await connect(open());
    await pass(600_000);
    const { connection } = client;
    const asked = server.requests.length;
    server.name = name;
    client.retryNow();
    await settled();

    assert.deepEqual([connection.name, connection.reason, asked], ["refused", code, 1]);
    assert.equal(client.connection.name, "joined");
  });
}

for (const [what, answer, pause] of [
  ["over a limit", problem(429, "rate_limited", { retryAfter: "7" }), 7_000],
  ["failing", problem(503, "storage_unavailable"), 500],
  ["not the server's", { status: 200, page: "of a hotel's network" }, 500],
]) {
  test(`a visitor's request whose answer is ${what} is made again`, async () => {
    server.name = () => answer;
    const { connection } = await connect(open());

    assert.deepEqual([connection.name, connection.retryAt - Date.now()], ["waiting", pause]);
  });
}

test("a server without tokens names a visitor without one", async () => {
  server.name = () => ({ userId: "v-1", token: null, expiresAt: null });
  await connect(reload(await connect(open())));

  assert.deepEqual(
    server.joins.map(({ userId, token }) => [userId, token]),
    Array(2).fill(["v-1", undefined]),
  );
  assert.equal(server.requests.length, 1);
});

// Users and their tokens.

test("a user is whom the token names", async () => {
  const client = await connect(open({ token: async () => tokenOf("Ștefan") }));

  assert.deepEqual(client.identity, { kind: "user", userId: "Ștefan" });
  assert.deepEqual([server.joins[0].userId, server.joins[0].token], ["Ștefan", tokenOf("Ștefan")]);
  assert.equal(server.requests.length, 0);
});

test("a user's token is kept nowhere", async () => {
  const client = await connect(open({ token: () => tokenOf("ana") }));
  client.remember("draft", "x");
  client.dispose();

  assert.equal(storage.getItem(KEY).includes(tokenOf("ana")), false);
});

test("a server without tokens takes a user's word", async () => {
  await connect(open({ user: "ana" }));

  assert.deepEqual([server.joins[0].userId, server.joins[0].token], ["ana", undefined]);
});

for (const [what, token, reason] of [
  ["nothing", () => null, "invalid_token"],
  ["no text", () => 42, "invalid_token"],
  ["no token that names somebody", () => "opaque", "invalid_token"],
]) {
  test(`a token callback that returns ${what} is refused, and not called again`, async () => {
    const source = mock.fn(token);
    const { connection } = await connect(open({ token: source }));
    await pass(60_000);

    assert.deepEqual([connection.name, connection.reason], ["refused", reason]);
    assert.equal(source.mock.callCount(), 1);
    assert.equal(server.sockets.length, 0);
  });
}

test("another user's token is not used", async () => {
  const { connection } = await connect(open({ user: "ana", token: () => tokenOf("ben") }));

  assert.deepEqual([connection.name, connection.reason], ["refused", "identity_mismatch"]);
  assert.equal(server.sockets.length, 0);
});

for (const [what, source] of [
  ["throws", () => refuse("its own error")],
  ["rejects", () => Promise.reject(new Error("503"))],
  ["hangs", () => new Promise(() => {})],
]) {
  test(`a token callback that ${what} is called again later`, async () => {
    let isBroken = true;
    const token = mock.fn(() => (isBroken ? source() : tokenOf("ana")));
    const client = await connect(open({ token }));
    await pass(10_000);
    const { name, cause } = client.connection;
    isBroken = false;
    client.retryNow();
    await settled();

    assert.deepEqual([name, cause?.reason], ["waiting", "token_unavailable"]);
    assert.equal(client.connection.name, "joined");
  });
}

test("a refused token is followed by one fresh one, and then by none", async () => {
  let n = 0;
  const token = mock.fn(() => tokenOf("ana", n++));
  server.join = () => refuse("unauthorized");
  const client = await connect(open({ token }));
  const { name } = client.connection;
  await pass(500);
  const { connection } = client;
  await pass(600_000);

  assert.equal(name, "waiting");
  assert.deepEqual([connection.name, connection.reason], ["refused", "unauthorized"]);
  assert.deepEqual(
    server.joins.map((join) => join.token),
    [tokenOf("ana", 0), tokenOf("ana", 1)],
  );
});

test("who connects again after a refusal does so with a fresh token", async () => {
  let n = 0;
  server.join = ({ token }) => (token === tokenOf("ana", 2) ? {} : refuse("unauthorized"));
  const client = await connect(open({ token: () => tokenOf("ana", n++) }));
  await pass(500);
  const { name } = client.connection;
  await connect(client);

  assert.deepEqual([name, client.connection.name], ["refused", "joined"]);
});

test("a token that the server ends is followed by a fresh one", async () => {
  let n = 0;
  const client = await connect(open({ token: () => tokenOf("ana", n++) }));
  server.socket.receive("token_expired", {});
  server.socket.receive("phx_close", {});
  await pass(500);

  assert.equal(client.connection.name, "joined");
  assert.equal(server.joins.at(-1).token, tokenOf("ana", 1));
});

test("a lost connection is joined again with the token that there is", async () => {
  const token = mock.fn(() => tokenOf("ana"));
  await connect(open({ token }));
  server.socket.drop();
  await pass(500);

  assert.equal(server.joins.length, 2);
  assert.equal(token.mock.callCount(), 1);
});

const endsIn = (ms) => new Date(Date.now() + ms).toISOString();
const joinedUntil = (tokenExpiresAt) => ({
  sessionId: null,
  status: "ai",
  seq: 0,
  messages: [],
  tokenExpiresAt,
});

test("a token is refreshed a minute before its end, again and again", async () => {
  let n = 0;
  server.join = () => joinedUntil(endsIn(3_600_000));
  server.push = () => ({ tokenExpiresAt: endsIn(3_600_000) });
  const client = await connect(open({ token: () => tokenOf("ana", n++) }));
  await passLong(3_539_000);
  const before = sent("refresh_token").length;
  await passLong(3_600_000);

  assert.equal(before, 0);
  assert.deepEqual(
    sent("refresh_token").map(({ payload }) => payload.token),
    [tokenOf("ana", 1), tokenOf("ana", 2)],
  );
  assert.equal(client.connection.name, "joined");
});

test("a token's end that was slept through is made up for when the page is seen again", async () => {
  let n = 0;
  server.join = () => joinedUntil(endsIn(3_600_000));
  await connect(open({ token: () => tokenOf("ana", n++) }));
  mock.timers.setTime(Date.now() + 3_550_000); // no timer has run
  browser.show();
  await settled();

  assert.deepEqual(sent("refresh_token").at(0)?.payload.token, tokenOf("ana", 1));
});

test("a token that ends in a month is not refreshed at once", async () => {
  server.join = () => joinedUntil(endsIn(30 * DAY_MS));
  await connect(open());
  await passLong(3_600_000);

  assert.equal(sent("refresh_token").length, 0);
});

test("a token that is always the same, or whose end is past by this clock, makes no loop", async () => {
  const end = endsIn(60_000);
  server.join = () => joinedUntil(end);
  server.push = () => ({ tokenExpiresAt: end });
  const token = mock.fn(() => tokenOf("ana"));
  await connect(open({ token }));
  for (let n = 0; n < 120; n++) await pass(1_000);

  assert.ok(token.mock.callCount() < 8, String(token.mock.callCount()));
});

test("a refresh that fails is made again, and does not end the connection", async () => {
  let n = 0;
  const token = mock.fn(() => (n++ === 1 ? Promise.reject(new Error()) : tokenOf("ana", n)));
  server.join = () => joinedUntil(endsIn(600_000));
  server.push = () => ({ tokenExpiresAt: endsIn(600_000) });
  const client = await connect(open({ token }));
  await passLong(540_000);
  const failed = sent("refresh_token").length;
  await passLong(50_000);

  assert.deepEqual([failed, sent("refresh_token").length], [0, 1]);
  assert.equal(client.connection.name, "joined");
});

test("a refresh that is refused is followed by one fresh token on a new connection", async () => {
  let n = 0;
  server.join = () => joinedUntil(endsIn(600_000));
  server.push = (event, payload, socket) => {
    setImmediate(() => socket.receive("phx_close", {}));
    return refuse("unauthorized");
  };
  const client = await connect(open({ token: () => tokenOf("ana", n++) }));
  await passLong(540_000);
  await pass(500);

  assert.equal(client.connection.name, "joined");
  assert.deepEqual(
    server.joins.map(({ token }) => token),
    [tokenOf("ana", 0), tokenOf("ana", 2)],
  );
});

test("a visitor's token is refreshed by renewing it", async () => {
  server.join = () => joinedUntil(endsIn(600_000));
  await connect(open());
  server.name = () => ({ userId: "v-1", token: "renewed", expiresAt: endsIn(30 * DAY_MS) });
  await passLong(540_000);

  assert.equal(server.requests.at(-1).token, "token-v-1");
  assert.deepEqual(sent("refresh_token").at(0)?.payload.token, "renewed");
});

// A visitor who signs in.

const visiting = async () => {
  let status = "ai";
  server.join = ({ userId }) =>
    userId.startsWith("v-")
      ? { sessionId: "s0", status, seq: 0, messages: [] }
      : { sessionId: null, status: "ai", seq: 0, messages: [] };
  const client = await connect(open());
  return { client, handOver: () => (status = "waiting") };
};
const ana = { token: () => tokenOf("ana"), user: "ana" };

test("a visitor becomes a user on a socket that proves both, and is forgotten", async () => {
  const { client } = await visiting();
  const before = client.conversation;
  const changes = mock.fn();
  client.on("conversation", changes);
  client.remember("isOpen", true);
  client.setUser(ana);
  await settled(30);

  assert.deepEqual(sent("sign_in").at(0)?.payload, { visitorToken: "token-v-1" });
  assert.deepEqual(
    server.joins.map(({ userId }) => userId),
    ["v-1", "ana", "ana"],
  );
  assert.notEqual(client.conversation, before);
  assert.equal(changes.mock.callCount(), 1);
  assert.deepEqual(client.identity, { kind: "user", userId: "ana" });
  assert.equal(client.connection.name, "joined");
  assert.equal(stored().visitor.userId, null);
  assert.equal(client.recall("isOpen"), true);
  assert.equal(server.sockets.filter(({ readyState }) => readyState === 1).length, 1);
});

for (const [what, occupy, free] of [
  [
    "is with a person",
    (push) => push("conversation_status", { sessionId: "s1", status: "live", seq: 1 }),
    (push) => push("conversation_status", { sessionId: "s1", status: "ai", seq: 2 }),
  ],
  [
    "waits for one",
    (push) => push("conversation_status", { sessionId: "s1", status: "waiting", seq: 1 }),
    (push) => push("conversation_status", { sessionId: "s1", status: "ai", seq: 2 }),
  ],
  [
    "is answered",
    (push) => push("message_delta", { responseId: "r1", index: 0, text: "Hel" }),
    (push) =>
      push("new_message", {
        ...{ sessionId: "s1", seq: 1, responseId: "r1", message: "Hello", timestamp: AT },
        inReplyTo: ["m1"],
      }),
  ],
  [
    "has an open question",
    (push) =>
      push("new_message", {
        ...{ sessionId: "s1", seq: 1, responseId: "r1", message: "Shall I?", timestamp: AT },
        actions: [{ type: "confirm", confirmId: "c1" }],
      }),
    (push) =>
      push("new_message", {
        ...{ sessionId: "s1", seq: 2, responseId: "r2", message: "Done.", timestamp: AT },
        actions: [{ type: "confirmation", confirmId: "c1", state: "done" }],
      }),
  ],
]) {
  test(`a visitor whose conversation ${what} signs in after it`, async () => {
    const { client } = await visiting();
    const { socket } = server;
    const push = (event, payload) => socket.receive(event, payload);
    occupy(push);
    client.setUser(ana);
    await pass(5_000);
    const { identity } = client;
    free(push);
    await settled(30);

    assert.equal(identity.userId, "v-1");
    assert.equal(client.identity.userId, "ana");
    assert.equal(sent("sign_in").length, 1);
  });
}

test("a message that is not sent yet is sent by the visitor, who signs in after it", async () => {
  const { client } = await visiting();
  let reply;
  server.push = (event, payload) =>
    event === "new_message"
      ? new Promise((resolve) => (reply = resolve))
      : acknowledge()(event, payload);
  client.conversation.send("Hello");
  client.setUser(ana);
  await settled(30);
  const { identity } = client;
  const [{ payload }] = sent("new_message");
  reply(acknowledge()("new_message", payload));
  await settled(30);

  assert.equal(identity.userId, "v-1");
  assert.equal(client.identity.userId, "ana");
});

test("what is written while the sign-in runs goes to the user's conversation", async () => {
  const { client } = await visiting();
  let reply;
  server.push = (event, payload) =>
    event === "sign_in"
      ? new Promise((resolve) => (reply = resolve))
      : acknowledge()(event, payload);
  client.setUser(ana);
  await settled(30);
  client.conversation.send("Hello");
  await settled();
  const early = sent("new_message").length;
  reply({ sessionId: null });
  await settled(30);

  assert.equal(early, 0);
  assert.deepEqual(
    sent("new_message").map(({ payload }) => payload.userId),
    ["ana"],
  );
  assert.deepEqual(texts(client), [["Hello", "stored"]]);
});

test("a visitor whom the server finds busy goes on, what they write is sent, and signs in later", async () => {
  const { client } = await visiting();
  let isBusy = true;
  const acknowledged = acknowledge();
  server.push = (event, payload) =>
    event === "sign_in" && isBusy ? refuse("visitor_busy") : acknowledged(event, payload);
  const changes = mock.fn();
  client.on("conversation", changes);
  client.setUser(ana);
  await settled(30);
  client.conversation.send("Hello");
  await settled(30);
  const attempts = sent("sign_in").length;
  const changesBefore = changes.mock.callCount();
  isBusy = false;
  await pass(5_000);
  await settled(30);

  assert.deepEqual([attempts, changesBefore], [1, 0]);
  assert.equal(sent("new_message")[0].payload.userId, "v-1");
  assert.equal(client.identity.userId, "ana");
});

test("a page that knows the user takes the remembered visitor along before it joins", async () => {
  const { client } = await visiting();
  const again = reload(client, ana);
  const { conversation } = again;
  await connect(again);
  await settled(30);

  assert.equal(again.conversation, conversation);
  assert.equal(sent("sign_in").length, 1);
  assert.deepEqual(again.identity, { kind: "user", userId: "ana" });
  assert.equal(stored().visitor.userId, null);
});

test("a visitor without a conversation has nothing to take along, and stays one in other tabs", async () => {
  const client = await connect(open());
  const other = await connect(open());
  client.remember("draft", "half");
  client.setUser(ana);
  await settled(30);
  browser.changed(storage);
  await settled(30);

  assert.equal(sent("sign_in").length, 0);
  assert.deepEqual([client.identity.userId, client.recall("draft")], ["ana", "half"]);
  assert.equal(other.identity.userId, "v-1");
  assert.equal(server.requests.length, 1);
});

test("a page that knows the user goes on as a visitor who is busy, until that is over", async () => {
  const { client, handOver } = await visiting();
  let isBusy = true;
  handOver();
  server.push = (event) => (event === "sign_in" && isBusy ? refuse("visitor_busy") : {});
  const again = reload(client, ana);
  await connect(again);
  await settled(30);
  const { identity, connection } = again;
  const { status } = again.conversation;
  await pass(20_000);
  const attempts = sent("sign_in").length;
  isBusy = false;
  server.socket.receive("conversation_status", { sessionId: "s1", status: "ai", seq: 2 });
  await settled(30);

  assert.deepEqual(identity, { kind: "visitor", userId: "v-1" });
  assert.deepEqual([connection.name, status], ["joined", "waiting"]);
  assert.equal(attempts, 1);
  assert.equal(again.identity.userId, "ana");
});

test("a visitor's unsent message is sent before a page that knows the user signs in", async () => {
  const { client } = await visiting();
  server.push = () => null;
  client.conversation.send("Hello");
  await settled();
  const again = reload(client, ana);
  server.push = acknowledge();
  await connect(again);
  await pass(5_000);
  await settled(30);

  assert.deepEqual(
    sent("new_message").map(({ payload }) => payload.userId),
    ["v-1", "v-1"],
  );
  assert.equal(sent("sign_in").length, 1);
  assert.equal(again.identity.userId, "ana");
});

for (const reason of ["unauthorized", "visitors_off"]) {
  test(`a visitor who is refused as ${reason} has nothing to take along`, async () => {
    const { client } = await visiting();
    server.push = (event) => (event === "sign_in" ? refuse(reason) : {});
    client.setUser(ana);
    await settled(30);

    assert.equal(client.identity.userId, "ana");
    assert.equal(client.connection.name, "joined");
    assert.equal(stored().visitor.userId, null);
  });
}

test("a user whose token is refused is so, and the visitor stays remembered", async () => {
  const { client } = await visiting();
  server.join = ({ userId }) => (userId === "ana" ? refuse("unauthorized") : {});
  client.setUser(ana);
  await settled(30);
  await pass(5_000);
  await settled(30);
  await pass(60_000);

  assert.deepEqual([client.connection.name, client.connection.reason], ["refused", "unauthorized"]);
  assert.equal(stored().visitor.userId, "v-1");
});

test("a tab whose visitor is signed in by another tab follows, with what is unsent", async () => {
  const { client } = await visiting();
  const other = await connect(open());
  server.push = (event, payload) => (event === "sign_in" ? {} : acknowledge()(event, payload));
  other.conversation.isHeld = true;
  other.conversation.send("Hello");
  other.setUser(ana);
  client.setUser(ana);
  await settled(30);
  browser.changed(storage);
  await settled(30);

  assert.equal(sent("sign_in").length, 1);
  assert.deepEqual(other.identity, { kind: "user", userId: "ana" });
  assert.deepEqual(texts(other), [["Hello", "stored"]]);
  assert.equal(server.joins.at(-1).userId, "ana");
});

test("a visitor whose tab knows no user is another one once they are signed in elsewhere", async () => {
  const { client } = await visiting();
  const other = await connect(open());
  client.setUser(ana);
  await settled(30);
  browser.changed(storage);
  await settled(30);

  assert.deepEqual(other.identity, { kind: "visitor", userId: "v-2" });
});

test("a visitor with a conversation stays in it while there is no connection", async () => {
  const { client } = await visiting();
  const { conversation } = client;
  server.socket.receive("agent_message", { sessionId: "s1", seq: 1, message: "Hi", timestamp: AT });
  server.socket.drop();
  client.setUser(ana);
  await settled(30);
  const meanwhile = client.conversation;
  await pass(500);
  await settled(30);

  assert.equal(meanwhile, conversation);
  assert.equal(client.identity.userId, "ana");
});

test("a visitor who is refused does not keep the user away, nor what was written", async () => {
  const { client } = await visiting();
  server.push = () => null;
  client.conversation.send("Hello");
  await settled();
  server.push = acknowledge();
  server.join = ({ userId }) =>
    userId === "ana"
      ? { sessionId: null, status: "ai", seq: 0, messages: [] }
      : refuse("origin_not_allowed");
  const again = reload(client, ana);
  await connect(again);
  await settled(30);

  assert.deepEqual(again.identity, { kind: "user", userId: "ana" });
  assert.deepEqual(texts(again), [["Hello", "stored"]]);
});

test("a user who was refused gets in with the token that is named next", async () => {
  server.join = ({ token }) => (token === tokenOf("ana", 9) ? {} : refuse("unauthorized"));
  const client = await connect(open(ana));
  await pass(500);
  const { name } = client.connection;
  client.setUser({ user: "ana", token: () => tokenOf("ana", 9) });
  await settled(30);

  assert.equal(name, "refused");
  assert.equal(client.connection.name, "joined");
});

test("the same user again is no other, and gives the next token", async () => {
  const client = await connect(open({ token: () => tokenOf("ana") }));
  const { conversation } = client;
  client.setUser({ token: () => tokenOf("ana", 2) });
  await settled();
  client.setUser({ token: () => tokenOf("ana", 3), user: "ana" });
  server.socket.drop();
  await pass(500);

  assert.equal(client.conversation, conversation);
  assert.equal(server.joins.at(-1).token, tokenOf("ana", 3));
});

test("another user has a conversation and a memory of their own", async () => {
  const client = await connect(open(ana));
  client.remember("draft", "Ana's");
  client.conversation.send("Ana's");
  const { conversation } = client;
  client.setUser({ user: "ben", token: () => tokenOf("ben") });
  await settled(30);

  assert.notEqual(client.conversation, conversation);
  assert.deepEqual([client.recall("draft"), texts(client)], [undefined, []]);
  assert.equal(server.joins.at(-1).userId, "ben");
});

test("of two users that are named at once the last one counts", async () => {
  const client = await connect(open());
  client.setUser({ token: () => tokenOf("ana") });
  client.setUser({ token: () => tokenOf("ben") });
  await settled(30);

  assert.deepEqual(client.identity, { kind: "user", userId: "ben" });
});

test("signing out forgets the user in all tabs, and goes on as a new visitor", async () => {
  const client = await connect(open(ana));
  const other = await connect(open(ana));
  client.remember("draft", "Ana's");
  server.push = () => null;
  client.conversation.send("not sent");
  await settled();
  client.signOut();
  const { identity } = client;
  await settled(30);
  browser.changed(storage);
  await settled(30);

  assert.equal(identity, null);
  for (const tab of [client, other]) {
    assert.deepEqual(tab.identity, { kind: "visitor", userId: "v-1" });
    assert.deepEqual([tab.recall("draft"), texts(tab)], [undefined, []]);
  }
  assert.doesNotMatch(storage.getItem(KEY), /ana|Ana|not sent/);
});

test("a token that comes after the sign-out leaves nothing of the user", async () => {
  let give;
  const client = await connect(open({ token: () => new Promise((resolve) => (give = resolve)) }));
  client.remember("draft", "Ana's");
  client.signOut();
  give(tokenOf("ana"));
  await settled(30);

  assert.doesNotMatch(storage.getItem(KEY), /ana|Ana/);
  assert.deepEqual(client.identity, { kind: "visitor", userId: "v-1" });
});

test("a user who waits for the visitor's conversation takes nobody's place yet", async () => {
  const before = await connect(open(ana));
  before.remember("draft", "Ana's");
  before.dispose();
  const { client } = await visiting();
  server.socket.receive("conversation_status", { sessionId: "s1", status: "live", seq: 1 });
  client.setUser({ user: "ben", token: () => tokenOf("ben") });
  await settled();

  assert.equal(stored().user.userId, "ana");
});

test("a visitor whose token is being renewed as they sign out is forgotten all the same", async () => {
  browser.addLocks();
  const first = await connect(open());
  first.dispose();
  const later = new Date(Date.now() + 28 * DAY_MS).toISOString();
  store({ visitor: { ...stored().visitor, expiresAt: later, hasSession: true } });
  const { name } = server;
  let answer = () => {};
  server.name = ({ token }) => {
    if (token === null) return name();
    return new Promise((resolve) => {
      answer = () => resolve({ userId: "v-1", token: "renewed", expiresAt: later });
    });
  };
  const client = await connect(open());
  client.signOut();
  answer();
  await settled();

  assert.equal(client.identity?.userId, "v-2");
  assert.equal(stored().visitor.userId, "v-2");
});

test("a tab that could store nothing follows a sign-out in another tab, and undoes nothing of it", async () => {
  const client = await connect(open(ana));
  const other = await connect(open(ana));
  const { setItem } = storage;
  storage.setItem = () => {
    throw new Error("full");
  };
  client.remember("draft", "Ana's");
  await settled();
  storage.setItem = setItem;
  other.signOut();
  browser.changed(storage);
  await settled(30);
  client.remember("draft", "a visitor's");
  await settled();

  assert.equal(client.identity?.kind, "visitor");
  assert.doesNotMatch(storage.getItem(KEY), /ana|Ana/);
  assert.equal(stored().visitor.values.draft, "a visitor's");
});

test("a visitor who signs out is another visitor", async () => {
  const client = await connect(open());
  client.signOut();
  await settled(30);

  assert.deepEqual(client.identity, { kind: "visitor", userId: "v-2" });
});

// What survives a reload.

test("an unsent message survives a reload, and is sent under the same id", async () => {
  const client = open();
  client.conversation.send("before a name");
  server.push = () => null;
  await connect(client);
  client.conversation.send("after it");
  await settled();
  const first = sent("new_message").map(({ payload }) => payload.messageId);
  server.pushed = [];
  server.push = acknowledge();
  const again = reload(client);
  await settled();
  const shown = texts(again);
  await connect(again);

  assert.deepEqual(shown, [
    ["before a name", "queued"],
    ["after it", "queued"],
  ]);
  assert.deepEqual(
    sent("new_message").map(({ payload }) => payload.messageId),
    first,
  );
  assert.deepEqual(
    texts(again).map(([, state]) => state),
    ["stored", "stored"],
  );
  await settled();
  assert.deepEqual(stored().visitor.unsent, {});
});

test("a message that was refused is shown as refused after a reload, and is not sent by itself", async () => {
  server.push = () => refuse("message_too_long");
  const client = await connect(open());
  client.conversation.send("long");
  await settled();
  server.pushed = [];
  const again = await connect(reload(client));
  const [item] = again.conversation.items();

  assert.deepEqual([item.state, item.error.reason], ["failed", "message_too_long"]);
  assert.equal(server.pushed.length, 0);
});

test("what is remembered of a business is there before the first join", async () => {
  server.join = () => ({
    ...{ sessionId: null, status: "ai", seq: 0, messages: [] },
    business: { name: "Bistro Verde", colour: "#0a7d55", logo: "/logo/b1" },
  });
  const again = reload(await connect(open()));

  assert.deepEqual(again.business, {
    name: "Bistro Verde",
    colour: "#0a7d55",
    logo: "https://chat.example/logo/b1",
  });
});

test("a value is remembered at once, over a reload, and forgotten as undefined", () => {
  const client = open();
  client.remember("draft", "half");
  client.remember("isOpen", true);
  const atOnce = client.recall("draft");
  const again = reload(client);
  const later = [again.recall("draft"), again.recall("isOpen")];
  again.remember("draft", undefined);

  assert.equal(atOnce, "half");
  assert.deepEqual(later, ["half", true]);
  assert.equal(reload(again).recall("draft"), undefined);
});

test("a burst of changes is one write", async () => {
  const client = open();
  const write = mock.method(storage, "setItem");
  for (let n = 0; n < 20; n++) client.remember("draft", String(n));
  await settled();

  assert.equal(write.mock.callCount(), 1);
});

test("two tabs do not undo what the other has remembered", async () => {
  const [one, other] = [await connect(open()), await connect(open())];
  one.remember("draft", "from one");
  other.remember("isOpen", true);
  await settled();
  one.remember("language", "ro");
  await settled();

  assert.deepEqual(stored().visitor.values, { draft: "from one", isOpen: true, language: "ro" });
});

for (const [what, content] of [
  ["no JSON", "{"],
  ["no object", "42"],
  ["null", "null"],
  ["another version's", JSON.stringify({ version: 2, visitor: { userId: "v-9" } })],
  [
    "of other shapes",
    JSON.stringify({ version: 1, visitor: [], user: { values: 3 }, business: 7 }),
  ],
  [
    "of other shapes inside",
    JSON.stringify({
      version: 1,
      visitor: { userId: 9, token: {}, values: {}, unsent: { m1: null, m2: "x" } },
    }),
  ],
]) {
  test(`a storage whose content is ${what} counts as empty`, async () => {
    storage.setItem(KEY, content);
    const client = await connect(open());

    assert.deepEqual([client.recall("draft"), client.business], [undefined, null]);
    assert.equal(client.identity.userId, "v-1");
    assert.equal(stored().visitor.userId, "v-1");
  });
}

for (const [what, method] of [
  ["full", "setItem"],
  ["forbidden", "getItem"],
]) {
  test(`with a storage that is ${what}, everything lasts as long as the page`, async () => {
    mock.method(storage, method, () => {
      throw new DOMException("no", "QuotaExceededError");
    });
    if (method === "getItem") mock.method(storage, "setItem", () => refuse("SecurityError"));
    server.push = acknowledge();
    const client = await connect(open());
    client.remember("draft", "half");
    client.conversation.send("Hello");
    await settled();
    client.remember("isOpen", true);
    await settled();

    assert.equal(client.identity.userId, "v-1");
    assert.deepEqual([client.recall("draft"), client.recall("isOpen")], ["half", true]);
    assert.deepEqual(texts(client), [["Hello", "stored"]]);
  });
}

test("where the browser forbids its storage, there is none", async () => {
  Object.defineProperty(globalThis, "localStorage", {
    get: () => refuse("SecurityError"),
    configurable: true,
  });
  const client = await connect(open({ storage: undefined }));
  delete globalThis.localStorage;
  client.remember("draft", "half");

  assert.equal(client.connection.name, "joined");
  assert.equal(client.recall("draft"), "half");
});

test("a storage that another tab empties does not end a connection", async () => {
  const client = await connect(open());
  storage.items.clear();
  browser.changed(storage, null);
  client.remember("draft", "half");
  await settled();

  assert.equal(client.connection.name, "joined");
  assert.equal(client.identity.userId, "v-1");
});

test("another tab's visitor is this tab's", async () => {
  const client = await connect(open());
  store({ visitor: { ...stored().visitor, userId: "v-7", token: "t7" } });
  browser.changed(storage);
  await settled(30);

  assert.deepEqual(client.identity, { kind: "visitor", userId: "v-7" });
  assert.equal(server.joins.at(-1).token, "t7");
});

// The connection.

test("a lost network is told at once, and the connection asked for a sign of life", async () => {
  const client = await connect(open());
  const names = [];
  client.on("change", () => names.push(client.connection.name));
  server.isFrozen = true;
  browser.setOnline(false);
  const atOnce = client.connection.name;
  await pass(3_000);
  const lost = client.connection.name;
  server.isFrozen = false;
  browser.setOnline(true);
  await settled(30);

  assert.deepEqual([atOnce, lost], ["offline", "offline"]);
  assert.deepEqual([names[0], client.connection.name], ["offline", "joined"]);
});

test("a connection that lives without the network goes on", async () => {
  const client = await connect(open());
  browser.setOnline(false);
  await settled();

  assert.equal(client.connection.name, "joined");
  assert.equal(server.sockets.length, 1);
});

for (const [what, sign] of [
  ["the network is back", () => browser.setOnline(true)],
  ["the page is seen again", () => browser.show()],
  ["the page comes out of the cache", () => browser.window.dispatchEvent(new Event("pageshow"))],
  ["the page thaws", () => browser.document.dispatchEvent(new Event("resume"))],
]) {
  test(`a dead connection is found within three seconds after ${what}`, async () => {
    const client = await connect(open());
    server.isFrozen = true;
    sign();
    await pass(3_000);

    assert.equal(client.connection.name, "waiting");
  });

  test(`a pause between attempts ends when ${what}`, async () => {
    const client = await connect(open());
    server.socket.drop();
    sign();
    await settled();

    assert.equal(client.connection.name, "joined");
  });
}

test("a client that is disposed of listens to nothing any more", async () => {
  const client = await connect(open());
  const heard = mock.fn();
  client.on("change", heard);
  client.dispose();
  heard.mock.resetCalls();
  browser.show();
  browser.setOnline(false);
  browser.changed(storage);
  await pass(600_000);

  assert.equal(heard.mock.callCount(), 0);
  assert.equal(server.sockets.length, 1);
});

test("a listener can be removed", async () => {
  const client = open();
  const heard = mock.fn();
  const stop = client.on("change", heard);
  stop();
  await connect(client);

  assert.equal(heard.mock.callCount(), 0);
});

test("a client that disconnects while its visitor is being named does not connect", async () => {
  const client = open();
  client.connect();
  client.disconnect();
  await settled(30);

  assert.equal(client.connection.name, "idle");
  assert.equal(server.sockets.length, 0);
  client.connect();
  await settled(30);
  assert.equal(client.connection.name, "joined");
});

test("received is what others write in the conversation that is shown", async () => {
  const { client } = await visiting();
  const received = [];
  client.on("received", ({ text }) => received.push(text));
  const push = (seq, message) =>
    server.socket.receive("agent_message", { sessionId: "s1", seq, message, timestamp: AT });
  push(1, "to the visitor");
  client.setUser(ana);
  await settled(30);
  push(1, "to the user");

  assert.deepEqual(received, ["to the visitor", "to the user"]);
});

test("a client without a server's address is told so", () => {
  assert.throws(() => createClient({ business: "b1" }), TypeError);
});
