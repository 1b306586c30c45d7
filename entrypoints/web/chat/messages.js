/** What a conversation looks like: its items as elements, each event once. */

import { el } from "../shared/dom.js";
import { actionCards } from "./cards.js";
import { icon } from "./dom.js";
import { timeOf } from "./texts.js";
import { blockNodes, inlineNodes, parseInline, parseMarkdown } from "./markdown.js";

/** @import { Conversation, Item, MessageItem, StatusItem } from "../client/conversation.js" */
/** @import { Words } from "./texts.js" */

/**
 * @typedef {object} Row  an element of the list
 * @property {string} key
 * @property {unknown[]} version  unless one of these changes, the element stays
 * @property {() => HTMLElement} build
 */

const GROUP_MS = 5 * 60_000;
const SAME_EVENT_MS = 2_000;

/**
 * Return the rows of a part of the items.
 *
 * @param {readonly Item[]} items
 * @param {number} from
 * @param {number} to
 * @param {Conversation} conversation
 * @param {Words} words
 * @returns {Row[]}
 */
export function rowsOf(items, from, to, conversation, words) {
  /** @type {Row[]} */
  const rows = [];
  let day = "";
  for (let n = from; n < to; n += 1) {
    const item = items[n];
    const at = timeOf("at" in item ? item.at : null);
    if (at && at.toDateString() !== day) {
      day = at.toDateString();
      const text = words.day(at);
      rows.push({ key: `day ${day}`, version: [text], build: () => divider("day", text) });
    }
    const row = rowOf(items, n, conversation, words);
    if (row) rows.push(row);
  }
  return rows;
}

/**
 * @param {readonly Item[]} items
 * @param {number} n
 * @param {Conversation} conversation
 * @param {Words} words
 * @returns {Row | null}
 */
function rowOf(items, n, conversation, words) {
  const item = items[n];
  const { key } = item;
  if (item.kind === "session") {
    return { key, version: [], build: () => divider("begin", words.texts.newConversation) };
  }
  if (item.kind === "status") {
    if (isTold(item, items[n - 1]) || isTold(item, items[n + 1])) return null;
    const text = words.texts.statuses[item.status] ?? "";
    return text ? { key, version: [], build: () => divider("change", text) } : null;
  }
  const isFirst = !isGrouped(items[n - 1], item);
  const isLast = !isGrouped(item, items[n + 1]);
  const questions = item.actions
    .filter(({ type }) => type === "confirm")
    .flatMap(({ confirmId }) => {
      const { state, error } = conversation.question(String(confirmId));
      return [state, error];
    });
  return {
    key,
    version: [item, isFirst, isLast, ...questions],
    build: () => messageNode(item, { isFirst, isLast }, conversation, words),
  };
}

/**
 * Return whether a message is the server's notice of a change of status: both are of one event.
 *
 * @param {StatusItem} status
 * @param {Item | undefined} item
 */
export function isTold(status, item) {
  if (item?.kind !== "message" || !item.at) return false;
  const isNotice =
    item.author === "system" || item.actions.some(({ type }) => type === "live_chat");
  return isNotice && Math.abs(Date.parse(item.at) - Date.parse(status.at)) < SAME_EVENT_MS;
}

/**
 * Return whether two items are messages that one author wrote in a row.
 *
 * @param {Item | undefined} one
 * @param {Item | undefined} other
 */
function isGrouped(one, other) {
  if (one?.kind !== "message" || other?.kind !== "message") return false;
  if (one.author !== other.author || one.coordinatorId !== other.coordinatorId) return false;
  if (isRating(one) || isRating(other)) return false;
  const [first, second] = [Date.parse(one.at ?? ""), Date.parse(other.at ?? "")];
  return !(Math.abs(second - first) > GROUP_MS);
}

/** @param {MessageItem} item */
const isRating = ({ actions }) => actions.some(({ type }) => type === "rating");

/**
 * @param {MessageItem} item
 * @param {{isFirst: boolean, isLast: boolean}} place
 * @param {Conversation} conversation
 * @param {Words} words
 */
function messageNode(item, { isFirst, isLast }, conversation, words) {
  if (isRating(item)) return ratingNode(item, words);
  const cards = actionCards(item.actions, words, (id) => conversation.question(id));
  const bubble = el(
    "div",
    { className: "bubble", dir: "auto", lang: words.spoken },
    ...textNodes(item),
  );
  return el(
    "li",
    {
      className: `entry${isFirst ? " first" : ""}${isLast ? " last" : ""}`,
      data: { author: item.author, state: item.state },
    },
    el("span", { className: "author" }, el("bdi", {}, words.authorName(item))),
    item.text ? bubble : null,
    ...cards,
    metaNode(item, words),
  );
}

/**
 * Create the nodes of a message's text.
 *
 * @param {Pick<MessageItem, "author" | "text" | "state">} message
 */
export function textNodes({ author, text, state }) {
  if (author === "user") return [text];
  if (author === "system") return inlineNodes(parseInline(text, { isPlain: true }));
  return blockNodes(parseMarkdown(text, { isPartial: state === "streaming" }));
}

/**
 * Create the line under a message: when it was written, and how far it has got.
 *
 * @param {MessageItem} item
 * @param {Words} words
 */
function metaNode({ author, state, at, key, error }, words) {
  const { texts } = words;
  const sentAt = timeOf(at);
  const time = sentAt && el("time", { dateTime: at }, words.clock(sentAt));
  if (state === "failed") {
    const retry = el("button", { type: "button", data: { act: "retry", id: key } }, texts.retry);
    const why = `${texts.failed} ${words.refusal(error?.reason ?? "")}`;
    return el("div", { className: "meta failure" }, icon("alert"), el("span", {}, why), retry);
  }
  if (state === "streaming") return null;
  if (state === "interrupted") return el("span", { className: "meta" }, texts.interrupted);
  if (author !== "user") return el("span", { className: "meta" }, time);
  if (state === "stored") {
    const properties = { className: "mark", role: "img", ariaLabel: texts.stored };
    const mark = el("span", properties, icon("check"));
    return el("span", { className: "meta" }, time, mark);
  }
  return el("span", { className: "meta" }, texts[state]);
}

/**
 * @param {MessageItem} item
 * @param {Words} words
 */
function ratingNode({ actions }, words) {
  const { rating, comment } = actions.find(({ type }) => type === "rating") ?? { type: "" };
  const stars = Math.min(5, Math.max(1, Math.round(Number(rating)) || 1));
  const shown = el(
    "span",
    { className: "stars", role: "img", ariaLabel: words.count(words.texts.stars, stars) },
    ...[1, 2, 3, 4, 5].map((n) => el("span", { className: n <= stars ? "on" : "" }, icon("star"))),
  );
  const said = typeof comment === "string" ? el("p", { dir: "auto" }, comment) : null;
  return el("li", { className: "divider rated" }, words.texts.rated, " ", shown, said);
}

/**
 * @param {string} type
 * @param {string} text
 */
const divider = (type, text) => el("li", { className: `divider ${type}` }, el("span", {}, text));
