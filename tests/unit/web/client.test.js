/** The rules of the customer's client: who chats, with which token, and what survives a reload. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { createClient } from "../../../entrypoints/web/client/client.js";
import { FakeServer, FakeStorage, settled } from "./fakes.js";

let server, storage, clients;

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"] });
  server = new FakeServer();
  storage = new FakeStorage();
  clients = [];
});

afterEach(() => {
  for (const client of clients) client.dispose();
  server.close();
  mock.timers.reset();
  mock.restoreAll();
});

function open(options = {}) {
  const client = createClient({ business: "b1", url: "https://chat.example", storage, ...options });
  clients.push(client);
  return client;
}

test("a visitor is named by the server once, and joins with the token", async () => {
  const client = open();
  const before = client.identity;
  client.connect();
  await settled();
  const [request] = server.requests;

  assert.equal(before, null);
  assert.deepEqual([request.url, request.method], ["https://chat.example/visitors/b1", "POST"]);
  assert.equal(client.connection.name, "joined");
  assert.deepEqual(client.identity, { kind: "visitor", userId: "v-1" });
  assert.equal(server.joins[0].userId, "v-1");
  assert.equal(server.joins[0].token, "token-v-1");
});

test("a visitor is remembered over a reload, in all tabs", async () => {
  open().connect();
  await settled();
  const again = open();

  assert.deepEqual(again.identity, { kind: "visitor", userId: "v-1" });
  again.connect();
  await settled();
  assert.equal(server.requests.length, 1);
});
