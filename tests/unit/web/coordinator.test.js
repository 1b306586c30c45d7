/** The words of the coordinators' page, and the rules of its list. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { awaitedSince, heldOrder, toneOf } from "../../../entrypoints/web/coordinator/list-view.js";
import { DeskWords } from "../../../entrypoints/web/coordinator/texts.js";

const AT = "2030-01-01T12:00:00.000Z";
const LATER = "2030-01-01T12:05:00.000Z";
const ENGLISH = new DeskWords("en-GB");
const ROMANIAN = new DeskWords("ro-RO");

const row = (sessionId, changed = {}) => ({
  sessionId,
  status: "live",
  since: AT,
  waitingSince: null,
  unansweredSince: null,
  ...changed,
});
const ids = (rows) => rows.map(({ sessionId }) => sessionId);

test("the words are Romanian for Romanians, and else English", () => {
  const titles = ["ro", "ro-RO", "RO-md", "en", "rom", "de"].map((tag) =>
    new DeskWords(tag).t("title"),
  );

  assert.deepEqual(titles, [...Array(3).fill("Coordonatori"), ...Array(3).fill("Coordinators")]);
});

test("a number of things has the form of its language", () => {
  const days = (words) => [1, 7, 30].map((n) => words.n("lastDays", n));

  assert.deepEqual(days(ENGLISH), ["Today", "Last 7 days", "Last 30 days"]);
  assert.deepEqual(days(ROMANIAN), ["Astăzi", "Ultimele 7 zile", "Ultimele 30 de zile"]);
});

test("a code of the wire's without words of its own is shown as it is, and is never a property", () => {
  assert.equal(ENGLISH.code("reason", "user_request"), "Asked for a person");
  assert.equal(ENGLISH.code("reason", "constructor"), "constructor");
  assert.equal(ENGLISH.code("reason", null), "");
  assert.match(ENGLISH.refusalOf("toString"), /toString/);
});

test("a value is put in as it is, whatever it looks like", () => {
  assert.equal(ENGLISH.t("calls.waiting", { name: "$& {name} #" }), "$& {name} # is waiting");
});

test("a time is said in its largest unit", () => {
  const said = [8, 59, 60, 3_599, 3_900, 48 * 3_600].map((s) => ENGLISH.duration(s * 1000));

  assert.deepEqual(said, ["8 s", "59 s", "1 min", "59 min", "1 h 05", "2 d"]);
});

test("a visitor has a name that people can say", () => {
  assert.equal(ENGLISH.customer("v-8bb8396b43c2241a088d0c5220a4b0d0"), "Visitor 8bb8");
  for (const own of ["ana", "Ștefan Ionescu", "v-8bb8", "v-8bb8396b43c2241a088d0c5220a4b0d0x"]) {
    assert.equal(ENGLISH.customer(own), own);
  }
});

test("a customer awaits a person from the request on, and then from the first word unanswered", () => {
  const since = (changed) => awaitedSince(row("ana", changed))?.toISOString();

  assert.equal(since({ status: "waiting", waitingSince: LATER }), LATER);
  assert.equal(since({ status: "waiting" }), AT);
  assert.equal(since({ unansweredSince: LATER }), LATER);
  assert.equal(since({}), undefined);
  assert.equal(since({ status: "ai", unansweredSince: LATER }), undefined);
  assert.equal(since({ status: "closed", unansweredSince: LATER }), undefined);
});

test("who is not answered gets more pressing with time", () => {
  const tones = [0, 119_999, 120_000, 299_999, 300_000].map(toneOf);

  assert.deepEqual(tones, ["calm", "calm", "late", "late", "overdue"]);
});

test("an order that is held moves no row, shows each as it is now, and adds what is new below", () => {
  const shown = [row("ana"), row("dan"), row("eva")];
  const rows = [row("ion"), row("eva", { unanswered: 2 }), row("ana")];
  const left = row("dan", { status: "closed" });

  const held = heldOrder(shown, rows, (id) => (id === "dan" ? left : null));

  assert.deepEqual(ids(held), ["ana", "dan", "eva", "ion"]);
  assert.equal(held[1], left);
  assert.equal(held[2], rows[1]);
});
