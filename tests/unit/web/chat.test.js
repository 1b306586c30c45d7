/** The rules of the chat that need no page: words, colours, the window of the list, transcripts. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { connectionTrouble } from "../../../entrypoints/web/chat/banner.js";
import { ListWindow } from "../../../entrypoints/web/chat/list-window.js";
import { rowsOf } from "../../../entrypoints/web/chat/messages.js";
import { endOf } from "../../../entrypoints/web/chat/rating.js";
import { plainName, Words } from "../../../entrypoints/web/chat/texts.js";
import { accentProperties, contrast } from "../../../entrypoints/web/chat/theme.js";
import { transcriptText } from "../../../entrypoints/web/chat/transcript.js";

const at = (minute) => new Date(2030, 0, 1, 12, minute).toISOString();
let lastSeq = 0;
const message = (author, text, more = {}) => {
  lastSeq += 1;
  const key = `m${lastSeq}`;
  return { kind: "message", key, author, text, at: at(0), state: "stored", actions: [], ...more };
};
const status = (name, more = {}) => {
  lastSeq += 1;
  return { kind: "status", key: `s1 ${lastSeq}`, status: name, reason: null, at: at(0), ...more };
};
const conversation = (items) => ({
  rating: null,
  items: (start = 0) => items.slice(start),
  question: () => ({ state: "open", error: null }),
});
const rows = (items, words = new Words("en")) =>
  rowsOf(items, 0, items.length, conversation(items), words).map(({ key }) => key);

test("both languages have the same texts, in all their plurals", () => {
  const [english, romanian] = [new Words("en").texts, new Words("ro").texts];
  const compare = (one, other, path) => {
    assert.equal(typeof one, typeof other, path);
    if (typeof one === "function") assert.equal(one.length, other.length, path);
    if (typeof one !== "object") return;
    const isPlural = "other" in one && "one" in one;
    if (isPlural) {
      assert.deepEqual(Object.keys(one), ["one", "other"], path);
      assert.deepEqual(Object.keys(other), ["one", "few", "other"], path);
      return;
    }
    assert.deepEqual(Object.keys(one).sort(), Object.keys(other).sort(), path);
    for (const key of Object.keys(one)) compare(one[key], other[key], `${path}.${key}`);
  };
  compare(english, romanian, "texts");
});

test("a number of things is written as its language does", () => {
  const counted = (language, n) => {
    const words = new Words(language);
    return words.count(words.texts.newMessages, n);
  };

  assert.equal(counted("en", 1), "1 new message");
  assert.equal(counted("en-GB", 2), "2 new messages");
  assert.equal(counted("ro", 1), "1 mesaj nou");
  assert.equal(counted("ro-MD", 2), "2 mesaje noi");
  assert.equal(counted("ro", 25), "25 de mesaje noi");
});

test("a language without texts has the English ones, dates too, and its own direction", () => {
  const words = new Words("ar-EG", { title: "دردشة", greeting: undefined });

  assert.equal(words.language, "en");
  assert.equal(words.dir, "rtl");
  assert.equal(words.texts.title, "دردشة");
  assert.equal(words.texts.greeting, new Words("en").texts.greeting);
  assert.match(words.date(new Date(2030, 0, 1)), /January/);
  assert.match(new Words("ro").date(new Date(2030, 0, 1)), /ianuarie/);
  for (const broken of ["", "xx", "constructor", "en_US"]) {
    assert.equal(new Words(broken).texts.send, "Send", broken);
  }
});

test("a day is named by its distance", () => {
  const words = new Words("en");
  const daysAgo = (days) => {
    const day = new Date();
    day.setDate(day.getDate() - days);
    return day;
  };

  assert.equal(words.day(daysAgo(0)), "Today");
  assert.equal(words.day(daysAgo(1)), "Yesterday");
  assert.match(words.day(daysAgo(800)), /\d{4}/);
});

test("a refusal that is not known has a text, whatever its name", () => {
  const words = new Words("en");

  assert.match(words.refusal("rate_limited"), /a lot at once/);
  for (const reason of ["", "no_such_reason", "constructor", "__proto__"]) {
    assert.equal(words.refusal(reason), words.texts.refusals.other);
  }
  const refused = (reason) =>
    connectionTrouble({ name: "refused", reason, response: {} }, false, words);
  assert.equal(refused("unknown_business"), words.texts.unknownBusiness);
  assert.equal(refused("origin_not_allowed"), words.texts.notOnThisPage);
  assert.equal(refused("no_such_reason"), words.texts.unavailable);
});

test("a name does not change the words around it", () => {
  assert.equal(plainName("\u202eMaria\u202c \n Ionescu\u200f "), "Maria Ionescu");
  assert.equal(plainName(null), "");
  const words = new Words("en");
  assert.equal(words.authorName({ author: "coordinator", coordinatorId: "\u202e" }), "Team member");
  assert.equal(words.authorName({ author: "user" }), "You");
});

test("every colour can be read on, and what is in it be read", () => {
  const parse = (css) => css.match(/\d+/g).map(Number);
  const colours = ["#000", "#fff", "#ffe600", "#0a7d55", "#777777", "#ff0000", "#00f", "red", null];
  for (const colour of [...colours, ...Array.from({ length: 64 }, hexOf)]) {
    const properties = accentProperties(colour);
    const [accent, onAccent, onLight, onDark] = Object.values(properties).map(parse);
    assert.ok(contrast(accent, onAccent) >= 4.5, colour);
    for (const ground of [
      [255, 255, 255],
      [240, 242, 244],
    ]) {
      assert.ok(contrast(onLight, ground) >= 4.5, colour);
    }
    for (const ground of [
      [27, 31, 36],
      [42, 47, 54],
    ]) {
      assert.ok(contrast(onDark, ground) >= 4.5, colour);
    }
  }
  assert.equal(accentProperties("#0a7d55")["--accent"], "rgb(10 125 85)");
  for (const other of ["url(x)", 5, {}]) {
    assert.equal(accentProperties(other)["--accent"], accentProperties(null)["--accent"]);
  }
});

/** One of 64 colours, evenly spread. */
const hexOf = (_, n) =>
  `#${[n & 3, (n >> 2) & 3, n >> 4].map((part) => (part * 85).toString(16).padStart(2, "0")).join("")}`;

const list = (from, to) => Array.from({ length: to - from }, (_, n) => ({ key: `k${from + n}` }));
const shown = (window, items) => {
  const part = items.slice(window.from, window.to);
  return [part[0]?.key, part.at(-1)?.key];
};

test("the window shows the end, and stays there while the list grows", () => {
  const window = new ListWindow();
  window.update([], true);
  window.update(list(0, 3), true);
  assert.deepEqual(shown(window, list(0, 3)), ["k0", "k2"]);
  for (let length = 4; length <= 2_000; length += 1) {
    window.update(list(0, length), true);
    assert.ok(window.to === length && window.to - window.from <= 300);
  }
  assert.ok(window.isAtEnd && !window.isAtStart);
});

test("the window stays with what is read, whatever comes before and behind it", () => {
  const window = new ListWindow();
  window.update(list(1_000, 2_000), true);
  window.earlier(list(1_000, 2_000));
  const before = shown(window, list(1_000, 2_000));

  window.update(list(500, 2_000), false);
  assert.deepEqual(shown(window, list(500, 2_000)), before);
  window.update(list(500, 2_001), false);
  assert.deepEqual(shown(window, list(500, 2_001)), [before[0], "k2000"]);
  window.update(list(500, 9_000), false);
  assert.equal(shown(window, list(500, 9_000))[0], before[0]);
  assert.ok(window.to - window.from <= 300 && !window.isAtEnd);
});

test("the window reaches both ends of any list, and never has more than its limit", () => {
  const items = list(0, 10_000);
  const window = new ListWindow();
  window.update(items, true);
  let steps = 0;
  for (; !window.isAtStart; steps += 1) {
    const { from, to } = window;
    window.earlier(items);
    assert.ok(window.from < from && window.to >= Math.min(to, window.from + 300));
    assert.ok(window.to - window.from <= 300);
  }
  for (; !window.isAtEnd; steps += 1) {
    window.later(items);
    assert.ok(window.to - window.from <= 300);
  }
  assert.ok(steps < 300);
  window.end(items);
  assert.equal(window.to, 10_000);
});

test("another list is shown from its own end", () => {
  const window = new ListWindow();
  window.update(list(0, 500), true);
  window.update(list(700, 710), false);
  assert.deepEqual(shown(window, list(700, 710)), ["k700", "k709"]);
});

test("a change of status is shown unless a notice beside it is of the same event", () => {
  const noticed = [status("waiting"), message("system", "I have asked a colleague.")];
  const before = [message("system", "Closed."), status("closed")];
  const asked = [
    message("ai", "A colleague will help.", { actions: [{ type: "live_chat" }] }),
    status("waiting"),
  ];
  const alone = [message("ai", "Hello"), status("live", { at: at(5) }), message("user", "Hi")];
  const other = [message("system", "Stopped.", { at: at(0) }), status("live", { at: at(5) })];

  assert.deepEqual(rows(noticed).slice(1), [noticed[1].key]);
  assert.deepEqual(rows(before).slice(1), [before[0].key]);
  assert.deepEqual(rows(asked).slice(1), [asked[0].key]);
  assert.deepEqual(
    rows(alone).slice(1),
    alone.map(({ key }) => key),
  );
  assert.deepEqual(
    rows(other).slice(1),
    other.map(({ key }) => key),
  );
});

test("each day is named once, before its first message", () => {
  const items = [
    message("user", "a", { at: new Date(2030, 0, 1, 23, 59).toISOString() }),
    message("ai", "b", { at: new Date(2030, 0, 2, 0, 1).toISOString() }),
    message("ai", "c", { at: new Date(2030, 0, 2, 0, 2).toISOString() }),
    message("ai", "being written", { at: undefined, state: "streaming" }),
  ];
  const kinds = rows(items).map((key) => (key.startsWith("day ") ? "day" : key));

  assert.deepEqual(kinds, ["day", items[0].key, "day", ...items.slice(1).map(({ key }) => key)]);
});

test("a rating is asked for once a conversation has ended, and until it goes on", () => {
  const ended = (...items) => endOf(conversation(items));
  const closed = status("closed", { reason: "idle" });
  const returned = status("ai", { reason: "returned" });

  assert.equal(ended(), null);
  assert.equal(ended(message("user", "a"), message("ai", "b")), null);
  assert.equal(ended(message("user", "a"), closed), closed.key);
  assert.equal(ended(returned, message("system", "The assistant is back.")), returned.key);
  assert.equal(ended(returned, message("user", "one more thing")), null);
  assert.equal(ended(status("ai", { reason: "cancelled" })), null);
  assert.equal(ended(closed, { kind: "session", key: "session s2" }), null);
});

test("a transcript has everything that is shown, and no line of one author passes for another's", () => {
  const items = [
    message("user", "Hello\r\n[12:00] Maria: I am Maria\u2028[12:00] Maria: truly"),
    message("coordinator", "Hi", { coordinatorId: "Maria\n\u202eIonescu" }),
    status("closed"),
    message("system", "The conversation is closed."),
    { kind: "session", key: "session s2" },
    status("live", { at: at(9) }),
    message("user", "Lost", { state: "failed", at: at(20) }),
  ];
  const words = new Words("en-GB");
  const text = transcriptText(items, "Bistro", words);

  assert.deepEqual(text.split("\n"), [
    "Conversation with Bistro",
    "",
    "",
    words.date(new Date(2030, 0, 1)),
    "",
    "[12:00] You: Hello",
    "    [12:00] Maria: I am Maria",
    "    [12:00] Maria: truly",
    "[12:00] Maria Ionescu: Hi",
    "[12:00] Notice: The conversation is closed.",
    "",
    "— New conversation —",
    "[12:09] A colleague has joined.",
    "[12:20] You: Lost (Not sent.)",
    "",
  ]);
});
