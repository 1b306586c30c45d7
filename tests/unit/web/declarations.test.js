/** The types of the client, as somebody else's TypeScript uses them. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const COMPILER = join(ROOT, "node_modules/typescript/bin/tsc");
const CONSUMER = `
import { createClient, ChatClient, PushError } from "./client.js";
import type { Conversation, Item, MessageItem } from "./client.js";

const chat: ChatClient = createClient({
  business: "b1",
  url: "https://chat.example",
  token: async () => (await fetch("/chat-token")).text(),
});
const stop: () => void = chat.on("received", (message: MessageItem) => console.log(message.text));
chat.on("change", () => {
  const { connection, conversation } = chat;
  if (connection.name === "refused") console.log(connection.reason);
  if (connection.name === "waiting") console.log(connection.retryAt - Date.now());
  for (const item of conversation.items(-50)) show(item);
});

function show(item: Item): string {
  switch (item.kind) {
    case "message":
      return item.state === "failed" ? (item.error?.reason ?? "") : item.text;
    case "status":
      return item.status;
    case "session":
      return "";
  }
}

async function leave(conversation: Conversation) {
  try {
    await conversation.rate(5, "Thanks");
  } catch (error) {
    if (error instanceof PushError) console.log(error.reason);
  }
  stop();
  chat.signOut();
}
chat.connect();
leave(chat.conversation);

// @ts-expect-error: a business is needed
createClient({});
// @ts-expect-error: there is no such event
chat.on("nonsense", () => {});
// @ts-expect-error: a state has its own fields alone
chat.connection.reason;
// @ts-expect-error: what a page does with the wire is not for others
chat.conversation.attach;
`;

const folder = mkdtempSync(join(tmpdir(), "consumer-"));
after(() => rmSync(folder, { recursive: true }));

test("the types are one file, and what others write against them compiles strictly", (t) => {
  if (!existsSync(COMPILER)) return t.skip("the packages of npm are not installed");
  const script = join(ROOT, "entrypoints/web/declarations.mjs");
  const types = execFileSync(process.execPath, [script], { encoding: "utf8" });
  writeFileSync(join(folder, "client.d.ts"), types);
  writeFileSync(join(folder, "consumer.ts"), CONSUMER);
  const options = ["--ignoreConfig", "--strict", "--noEmit", "--module", "es2022"];
  options.push("--moduleResolution", "bundler", "--lib", "es2022,dom", "--types", "");
  let complaints = "";
  try {
    execFileSync(process.execPath, [COMPILER, ...options, "consumer.ts"], { cwd: folder });
  } catch (error) {
    complaints = String(error.stdout);
  }

  assert.equal(complaints, "");
  assert.doesNotMatch(types, /\bimport\b/);
});
