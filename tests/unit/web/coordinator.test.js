/** The words of the coordinators' page. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { customerName, textsIn } from "../../../entrypoints/web/coordinator/texts.js";

test("the texts about missed messages are Romanian for Romanians, and else English", () => {
  const labels = ["ro", "ro-RO", "RO-md", "en", "rom", "de"].map((tag) => textsIn(tag).missed);

  assert.deepEqual(labels, ["Ratate", "Ratate", "Ratate", "Missed", "Missed", "Missed"]);
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
