/**
 * A customer's story with the client, for a test that checks what it prints: one line of JSON for
 * each step. Arguments: the server's address, and tokens of the user `ana`.
 */

import { createClient } from "../../../entrypoints/web/client/client.js";

const [url, ...tokens] = process.argv.slice(2);
const stored = new Map();
const storage = {
  getItem: (key) => stored.get(key) ?? null,
  setItem: (key, value) => stored.set(key, value),
};
const open = (options) =>
  createClient({ business: "b1", url, storage, language: "en", ...options });

/**
 * Wait until something is so, and print it.
 *
 * @param {import("../../../entrypoints/web/client/client.js").ChatClient} chat
 * @param {string} step
 * @param {() => unknown} isSo  returns what is printed
 */
async function until(chat, step, isSo) {
  let found = isSo();
  while (!found) {
    const { connection } = chat;
    if (connection.name === "refused") throw new Error(`${step}: ${connection.reason}`);
    await new Promise((resolve) => chat.addEventListener("change", resolve, { once: true }));
    found = isSo();
  }
  console.log(JSON.stringify({ step, found, identity: chat.identity }));
}

const texts = ({ conversation }) =>
  conversation
    .items()
    .filter(({ kind }) => kind === "message")
    .map(({ author, text, state }) => [author, text, state]);
const isJoined = (chat) => () => chat.connection.name === "joined";
/** Whether the AI has answered everything: then, how. */
const answered = (chat) => () => {
  const all = texts(chat);
  return all.at(-1)?.[0] === "ai" && all.every(([, , state]) => state === "stored") && all;
};

let chat = open();
let isWritten = false;
chat.on("change", () => (isWritten ||= texts(chat).some(([, , state]) => state === "streaming")));
chat.connect();
chat.conversation.send("Hello there, my dear friends!"); // before there is a name or a connection
await until(chat, "answered", answered(chat));
console.log(JSON.stringify({ step: "written piece by piece", found: isWritten }));

chat.dispose();
chat = open();
chat.connect();
await until(chat, "reloaded", answered(chat));

let asked = 0;
const ana = { user: "ana", token: async () => tokens[Math.min(asked++, tokens.length - 1)] };
chat.setUser(ana);
await until(chat, "signed in", () => chat.identity?.kind === "user" && isJoined(chat)());
chat.conversation.send("It is me again, and I am Ana.");
await until(chat, "answered as a user", answered(chat));
await chat.conversation.rate(4, "Quick and kind.");
await until(chat, "rated", () => chat.conversation.rating);

chat.dispose();
chat = open(ana);
chat.connect();
await until(chat, "reloaded as a user", () => texts(chat).length > 2 && chat.conversation.rating);

chat.signOut();
await until(chat, "signed out", isJoined(chat));
console.log(
  JSON.stringify({ step: "forgotten", found: !JSON.stringify([...stored]).includes("ana") }),
);
chat.dispose();
