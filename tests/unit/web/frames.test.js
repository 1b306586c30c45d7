/** The rules of the panel of frames. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { matchesFilter, redactToken, summarise } from "../../../entrypoints/web/user/frames.js";

test("a token is not shown, whatever is in it", () => {
  const text = JSON.stringify({ token: 'a"b\\', userId: "ana" });

  assert.equal(redactToken(text), '{"token":"•••","userId":"ana"}');
});

test("a filter wants all its words, and none of those with a minus", () => {
  const text = '[null,"1","messages:b1","phx_reply",{}]';

  assert.equal(matchesFilter(text, "Messages reply"), true);
  assert.equal(matchesFilter(text, "messages other"), false);
  assert.equal(matchesFilter(text, "messages -phx_reply"), false);
  assert.equal(matchesFilter(text, "messages -"), false);
  assert.equal(matchesFilter(text, ""), true);
});

test("a frame is summarised alike in both protocol versions", () => {
  const summary = { ref: "1", event: "e", payload: '{"a":1}' };

  assert.deepEqual(summarise('["1","1","t","e",{"a":1}]'), summary);
  assert.deepEqual(summarise('{"topic":"t","event":"e","payload":{"a":1},"ref":"1"}'), summary);
  assert.deepEqual(summarise("[12 bytes]"), { ref: "", event: "?", payload: "[12 bytes]" });
});
