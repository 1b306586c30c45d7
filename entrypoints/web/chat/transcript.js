/** A conversation as a plain text, for the customer to keep. */

import { isTold } from "./messages.js";
import { plainName, timeOf } from "./texts.js";

/** @import { Item } from "../client/conversation.js" */
/** @import { Words } from "./texts.js" */

/**
 * Return the text.
 *
 * Every line of a message but its first is indented: none of them can pass for another's message.
 *
 * @param {readonly Item[]} items
 * @param {string} business
 * @param {Words} words
 */
export function transcriptText(items, business, words) {
  const { texts } = words;
  const lines = [texts.transcript(plainName(business) || texts.title), ""];
  let day = "";
  items.forEach((item, n) => {
    if (item.kind === "session") {
      lines.push("", `— ${texts.newConversation} —`);
      return;
    }
    const at = timeOf(item.at);
    if (at && at.toDateString() !== day) {
      day = at.toDateString();
      lines.push("", words.date(at), "");
    }
    const time = at ? `[${words.clock(at)}] ` : "";
    if (item.kind === "status") {
      const isNoticed = isTold(item, items[n - 1]) || isTold(item, items[n + 1]);
      if (!isNoticed) lines.push(`${time}${texts.statuses[item.status]}`);
      return;
    }
    const text = item.text
      .replace(/\r\n?|[\u2028\u2029\u0085\v\f]/g, "\n")
      .replace(/\n/g, "\n    ");
    const state = item.state === "failed" ? ` (${texts.failed})` : "";
    lines.push(`${time}${words.authorName(item)}: ${text}${state}`);
  });
  return `${lines.join("\n")}\n`;
}

/**
 * Let the browser save a text as a file.
 *
 * @param {string} name
 * @param {string} text
 */
export function saveText(name, text) {
  // With a mark of the byte order, every editor shows its letters.
  const url = URL.createObjectURL(new Blob(["\ufeff", text], { type: "text/plain;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
