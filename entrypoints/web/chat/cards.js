/** The cards for `actions[]`: what a message offers a customer beside its text. */

import { el } from "../shared/dom.js";
import { icon } from "./dom.js";
import { timeOf } from "./texts.js";

/** @import { Action, Question, QuestionState } from "../client/conversation.js" */
/** @import { Words } from "./texts.js" */

/** @typedef {(confirmId: string) => Question} QuestionOf */
/** @typedef {Record<string, unknown>} Values */

/**
 * Create the cards of a message's actions. What has none is not for customers.
 *
 * @param {Action[]} actions
 * @param {Words} words
 * @param {QuestionOf} questionOf
 * @returns {HTMLElement[]}
 */
export const actionCards = (actions, words, questionOf) =>
  actions.flatMap((action) => cardOf(action, words, questionOf) ?? []);

/**
 * @param {Action} action
 * @param {Words} words
 * @param {QuestionOf} questionOf
 */
function cardOf(action, words, questionOf) {
  switch (action.type) {
    case "confirm":
      return confirmCard(action, words, questionOf(String(action.confirmId)));
    case "reservations":
      return reservationsCard(action, words);
    case "business_info":
      return infoCard(action, words);
    case "leave_message":
      return leaveMessageCard(action, words);
    case "sources":
      return sourcesCard(action, words);
    default:
      return null;
  }
}

/**
 * @param {string} type
 * @param {string} title
 * @param {(Node | null)[]} content
 */
function card(type, title, ...content) {
  const heading = title && el("p", { className: "card-title" }, title);
  return el(
    "div",
    { className: `card ${type}`, role: "group", ariaLabel: title },
    heading || null,
    ...content,
  );
}

/**
 * Create the card of a question for a yes, with buttons while the customer may answer it.
 *
 * @param {Action} action
 * @param {Words} words
 * @param {Question} question
 */
function confirmCard({ confirmId, by, title, items, expiresAt }, words, { state, error }) {
  const { texts } = words;
  const isOpen = state === "open" || state === "sending";
  const isAsked = isOpen && by === "customer";
  const until = timeOf(expiresAt);
  const outcome = isOpen && !isAsked ? texts.approval : texts.questions[state];
  const button = (/** @type {"yes" | "no"} */ answer) =>
    el(
      "button",
      {
        type: "button",
        className: answer === "yes" ? "primary" : "",
        data: { act: "confirm", id: String(confirmId), answer },
        ariaDisabled: String(state === "sending"),
      },
      texts[answer],
    );
  const made = card(
    "confirm",
    textOf(title),
    definitions(records(items).map(({ label, value }) => [textOf(label), textOf(value)])),
    isAsked ? el("div", { className: "buttons" }, button("yes"), button("no")) : null,
    isAsked && state === "open" && until
      ? el("p", { className: "quiet" }, texts.answerUntil(words.moment(until)))
      : null,
    outcome ? el("p", { className: "outcome" }, outcomeIcon(state), outcome) : null,
    error ? el("p", { className: "failure" }, words.refusal(error.reason)) : null,
  );
  made.dataset.state = state;
  made.tabIndex = -1;
  return made;
}

/** @param {QuestionState} state */
function outcomeIcon(state) {
  if (state === "done") return icon("check");
  return state === "failed" || state === "unknown" ? icon("alert") : null;
}

/**
 * @param {Action} action
 * @param {Words} words
 */
function reservationsCard({ items }, words) {
  const { texts } = words;
  const found = records(items);
  const title = found.length > 0 ? texts.reservations : texts.noReservations;
  const rows = found.map(({ date, time, guests, name }) => {
    const day = timeOf(date && `${date}T00:00`);
    return definitions([
      [texts.date, day ? words.day(day) : textOf(date)],
      [texts.time, textOf(time)],
      [texts.guests, textOf(guests)],
      [texts.name, textOf(name)],
    ]);
  });
  return card("reservations", title, ...rows);
}

/**
 * @param {Action} action
 * @param {Words} words
 */
function infoCard({ name, facts }, { texts }) {
  if (!isRecord(facts)) return null;
  const pairs = Object.entries(facts);
  return card(
    "business-info",
    textOf(name) || texts.about,
    definitions(pairs.map(([label, value]) => [labelOf(label), textOf(value)])),
  );
}

/**
 * @param {Action} action
 * @param {Words} words
 */
function leaveMessageCard({ returnsAt }, words) {
  const { texts } = words;
  const back = timeOf(returnsAt);
  return card(
    "leave-message",
    texts.leaveMessage,
    el("p", {}, texts.leaveMessageDetail),
    back ? el("p", { className: "quiet" }, texts.backAt(words.moment(back))) : null,
  );
}

/**
 * Create the card of the documents that an answer rests on: where they are is for operators.
 *
 * @param {Action} action
 * @param {Words} words
 */
function sourcesCard({ items }, { texts }) {
  const titles = new Set(records(items).map(({ title }) => textOf(title)));
  titles.delete("");
  if (titles.size === 0) return null;
  const rows = [...titles].map((title) => el("li", {}, title));
  return card("sources", texts.sources, el("ul", {}, ...rows));
}

/**
 * Create a list of names and values, without those that are empty; null if all are.
 *
 * @param {[name: string, value: string][]} pairs
 */
function definitions(pairs) {
  const rows = pairs
    .filter(([, value]) => value)
    .map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value)));
  return rows.length > 0 ? el("dl", {}, ...rows) : null;
}

/**
 * Return `openingHours` and `opening_hours` as "Opening hours".
 *
 * @param {string} name
 */
function labelOf(name) {
  const words = name
    .replace(/_/g, " ")
    .replace(/(\p{Ll})(\p{Lu})/gu, (_, end, begin) => `${end} ${begin.toLowerCase()}`)
    .trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/**
 * Return a value as a customer can read it: an object is for machines.
 *
 * @param {unknown} value
 * @returns {string}
 */
function textOf(value) {
  if (Array.isArray(value)) return value.map(textOf).filter(Boolean).join(", ");
  return value === null || value === undefined || isRecord(value) ? "" : String(value);
}

/**
 * @param {unknown} value
 * @returns {value is Values}
 */
const isRecord = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * @param {unknown} items
 * @returns {Values[]}
 */
const records = (items) => (Array.isArray(items) ? items.filter(isRecord) : []);
