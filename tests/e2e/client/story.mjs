/**
 * Stories of customers with the client, for tests that check what they print: one line of JSON for
 * each step. Arguments: the story, the server's address, and a token of the user `ana`.
 */

import { createClient } from "../../../entrypoints/web/client/client.js";

const [story, url, token] = process.argv.slice(2);
const stored = new Map();
const storage = {
  getItem: (key) => stored.get(key) ?? null,
  setItem: (key, value) => stored.set(key, value),
};
const ana = { user: "ana", token: async () => token };
const open = (options) =>
  createClient({ business: "b1", url, storage, language: "en", ...options });
const tell = (step, found) => console.log(JSON.stringify({ step, found }));

/**
 * Wait until something is so, and print it with whom the client chats as.
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
  tell(step, [found, chat.identity]);
}

const messages = ({ conversation }) =>
  conversation.items().filter(({ kind }) => kind === "message");
const isJoined = (chat) => () => chat.connection.name === "joined";
/** Whether the AI has answered everything: then, all there is. */
const answered = (chat) => () => {
  const all = messages(chat);
  const isOver = all.at(-1)?.author === "ai" && all.every(({ state }) => state === "stored");
  return isOver && all.map(({ author, text }) => [author, text]);
};

const stories = {
  async visitor() {
    const chat = open();
    let isStreamed = false;
    chat.on("change", () => {
      isStreamed ||= messages(chat).some(({ state }) => state === "streaming");
    });
    chat.connect();
    // Before there is a name, or a connection.
    chat.conversation.send("Hello there, my dear friends!");
    await until(chat, "answered", answered(chat));
    tell("streamed", isStreamed);
    chat.dispose();

    const again = open();
    again.connect();
    await until(again, "reloaded", answered(again));
    again.dispose();
  },

  async user() {
    const chat = open(ana);
    chat.connect();
    chat.conversation.send("It is me, and I am Ana.");
    await until(chat, "answered", answered(chat));
    await chat.conversation.rate(4, "Quick and kind.");
    await until(chat, "rated", () => chat.conversation.rating);
    chat.dispose();

    const again = open(ana);
    again.connect();
    await until(again, "reloaded", () => messages(again).length > 2 && again.conversation.rating);
    again.signOut();
    tell("forgotten", !JSON.stringify([...stored]).includes("ana"));
    await until(again, "signed out", isJoined(again));
    again.dispose();
  },

  async signIn() {
    const chat = open();
    chat.connect();
    chat.conversation.send("Hello there, my dear friends!");
    await until(chat, "answered", answered(chat));
    chat.setUser(ana);
    await until(chat, "signed in", () => chat.identity?.kind === "user" && isJoined(chat)());
    chat.conversation.send("It is me again, and I am Ana.");
    await until(chat, "answered as a user", answered(chat));
    tell("forgotten", !JSON.stringify([...stored]).includes("v-"));
    chat.dispose();
  },
};

await stories[story]();
