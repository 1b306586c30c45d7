/** What a coordinator may write in a conversation, do with it, and send with few keys. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { filled, matching, modesOf } from "../../../entrypoints/web/coordinator/talk-composer.js";
import { actsOf } from "../../../entrypoints/web/coordinator/talk-view.js";

const VALUES = { customer: "Ana", coordinator: "Maria", business: "Bistro Verde" };
const chat = (status, more = {}) => ({ status, missed: null, confirmation: null, ...more });
const missed = { message: "Mă sunați?", timestamp: "2030-01-01T10:00:00Z", reason: "user_request" };

describe("what is written", () => {
  test("customers get a reply from the coordinator who has the conversation alone", () => {
    assert.deepEqual(modesOf(chat("live"), true), ["reply", "note"]);
    assert.deepEqual(modesOf(chat("live"), false), ["note"]);
    assert.deepEqual(modesOf(chat("waiting"), false), ["note"]);
    assert.deepEqual(modesOf(chat("closed"), false), ["note"]);
  });

  test("the assistant can be whispered to while it has the conversation", () => {
    assert.deepEqual(modesOf(chat("ai"), false), ["note", "whisper"]);
  });

  test("a message that was left can be answered, unless somebody is asked for or has it", () => {
    assert.equal(modesOf(chat("ai", { missed }), false)[0], "reply");
    assert.equal(modesOf(chat("closed", { missed }), false)[0], "reply");
    assert.equal(modesOf(chat("waiting", { missed }), false)[0], "note");
    assert.equal(modesOf(chat("live", { missed }), false)[0], "note");
  });
});

describe("what is done", () => {
  test("each status has its own actions", () => {
    assert.deepEqual(actsOf(chat("waiting"), false), ["claim"]);
    assert.deepEqual(actsOf(chat("ai"), false), ["stepIn"]);
    assert.deepEqual(actsOf(chat("live"), false), ["takeOver"]);
    assert.deepEqual(actsOf(chat("live"), true), ["forward", "requeue", "return", "close"]);
    assert.deepEqual(actsOf(chat("closed"), false), []);
  });

  test("what was left, and the outcome of a yes, can be marked as done", () => {
    const confirmation = { by: "coordinator", state: "done" };
    assert.ok(actsOf(chat("ai", { missed }), false).includes("attend"));
    assert.ok(actsOf(chat("ai", { confirmation }), false).includes("attend"));
  });
});

describe("canned replies", () => {
  test("their variables are filled", () => {
    const text = "Bună, {customer}! Sunt {coordinator} de la {business}.";
    assert.equal(filled(text, VALUES), "Bună, Ana! Sunt Maria de la Bistro Verde.");
  });

  test("an unknown name leaves neither braces nor a comma behind", () => {
    const unknown = { ...VALUES, customer: "" };
    assert.equal(filled("Bună, {customer}! Spuneți.", unknown), "Bună! Spuneți.");
    assert.equal(filled("{customer}, vă ascult.", unknown), "Vă ascult.");
  });

  test("a name with braces is not filled again", () => {
    assert.equal(
      filled("Bună {customer}", { ...VALUES, customer: "{business}" }),
      "Bună {business}",
    );
  });

  test("they are found by name and by text, without accents, those of the name first", () => {
    const replies = [
      ["orar", "Suntem deschiși de la 10; parcarea, de la 9."],
      ["parcare", "Avem 20 de locuri."],
    ];
    const names = (query) => matching(replies, query).map(([name]) => name);
    assert.deepEqual(names(""), ["orar", "parcare"]);
    assert.deepEqual(names("PARC"), ["parcare", "orar"]);
    assert.deepEqual(names("deschisi"), ["orar"]);
    assert.deepEqual(names("nimic"), []);
  });
});
