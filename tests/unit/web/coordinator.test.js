/** The words of the coordinators' page. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { customerName, textsIn } from "../../../entrypoints/web/coordinator/texts.js";

test("the texts about missed messages are Romanian for Romanians, and else English", () => {
  const labels = ["ro", "ro-RO", "RO-md", "en", "rom", "de"].map((tag) => textsIn(tag).missed);

  assert.deepEqual(labels, ["Ratate", "Ratate", "Ratate", "Missed", "Missed", "Missed"]);
});

test("a visitor has a name that people can say", () => {
  assert.equal(customerName("v-8bb8396b43c2241a088d0c5220a4b0d0"), "Visitor 8bb8");
  for (const own of ["ana", "v-8bb8", "v-8bb8396b43c2241a088d0c5220a4b0d0x"]) {
    assert.equal(customerName(own), own);
  }
});
