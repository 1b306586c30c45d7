/** The cards for `actions[]`: what a message offers beside its text. */

import { el } from "../shared/dom.js";
import { explainRefusal } from "../shared/texts.js";
import { questionText } from "./texts.js";

/** @import { Action, Question } from "../client/conversation.js" */

/**
 * Create the cards of a message's actions. `confirmation` has none: it shows on its question's.
 *
 * @param {Action[]} actions
 * @param {(confirmId: string) => Question} questionOf
 * @param {(confirmId: string, answer: "yes" | "no") => void} onAnswer
 */
export function actionCards(actions, questionOf, onAnswer) {
  const shown = actions.filter(({ type }) => type !== "confirmation");
  return shown.map((action) => {
    if (action.type !== "confirm") {
      return el("div", { className: "card", data: { type: action.type } }, ...cardContent(action));
    }
    const confirmId = String(action.confirmId);
    return questionCard(action, questionOf(confirmId), (answer) => onAnswer(confirmId, answer));
  });
}

/**
 * Create the card of a question for a yes, with buttons while the customer may answer it.
 *
 * @param {Action} action
 * @param {Question} question
 * @param {(answer: "yes" | "no") => void} onAnswer
 */
function questionCard({ confirmId, by, title, items, expiresAt }, { state, error }, onAnswer) {
  const isAsked = by === "customer" && (state === "open" || state === "sending");
  const button = (/** @type {"yes" | "no"} */ answer, /** @type {string} */ label) => {
    const className = answer === "yes" ? "primary" : "quiet";
    const disabled = state === "sending";
    const made = el("button", { type: "button", className, disabled, data: { answer } }, label);
    made.addEventListener("click", () => onAnswer(answer));
    return made;
  };
  const rows = /** @type {{label: unknown, value: unknown}[]} */ (items ?? []).map((item) =>
    el("div", {}, el("dt", {}, textOf(item.label)), el("dd", {}, textOf(item.value))),
  );
  const card = el(
    "div",
    {
      className: "card",
      tabIndex: -1,
      data: { type: "confirm", question: String(confirmId), state },
    },
    el("h3", {}, textOf(title)),
    rows.length > 0 ? el("dl", {}, ...rows) : null,
    isAsked ? el("div", { className: "answers" }, button("yes", "Yes"), button("no", "No")) : null,
    el("p", { className: "outcome" }, questionText({ state, by, expiresAt })),
    error ? el("p", { className: "failure", role: "alert" }, refusalText(error)) : null,
  );
  card.role = "group";
  card.ariaLabel = textOf(title);
  return card;
}

/** @param {import("../client/phoenix.js").PushError} error */
const refusalText = ({ reason, response }) => explainRefusal(reason, response);

/** @param {Action} action */
function cardContent(action) {
  switch (action.type) {
    case "live_chat":
      return liveChat(action);
    case "reservations":
      return reservations(action);
    case "leave_message":
      return leaveMessage(action);
    case "business_info":
      return businessInfo(action);
    case "sources":
      return sources(action);
    default:
      return [el("h3", {}, String(action.type)), el("pre", {}, JSON.stringify(action, null, 2))];
  }
}

/** @param {Action} action */
function liveChat({ status, topic, url }) {
  return [
    el("h3", {}, status === "live" ? "Live chat" : "Live chat requested"),
    definitions({ status, topic, url }),
  ];
}

/** @param {Action} action */
function leaveMessage({ returnsAt }) {
  const title = el("h3", {}, "Leave a message");
  return returnsAt ? [title, definitions({ backAt: timeOf(String(returnsAt)) })] : [title];
}

/** @param {string} time */
const timeOf = (time) =>
  new Date(time).toLocaleString([], {
    weekday: "long",
    day: "numeric",
    month: "long",
    hour: "2-digit",
    minute: "2-digit",
  });

/** @param {Action} action */
function reservations(action) {
  const items = /** @type {Record<string, unknown>[]} */ (action.items ?? []);
  if (items.length === 0) return [el("h3", {}, "No reservations")];
  const columns = [...new Set(items.flatMap((item) => Object.keys(item)))].filter(isForPeople);
  const head = columns.map((name) => el("th", { scope: "col" }, labelOf(name)));
  const rows = items.map((item) =>
    el("tr", {}, ...columns.map((name) => el("td", {}, textOf(item[name])))),
  );
  const table = el("table", {}, el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...rows));
  return [el("h3", {}, "Reservations"), el("div", { className: "table" }, table)];
}

/** @param {Action} action */
function businessInfo({ type: _, name, ...info }) {
  const shown = Object.entries(info).filter(([key]) => isForPeople(key));
  return [
    el("h3", {}, String(name ?? "About us")),
    definitions(Object.fromEntries(shown.flatMap(([key, value]) => flatten(key, value)))),
  ];
}

/** @param {Action} action */
function sources(action) {
  const items = /** @type {Record<string, unknown>[]} */ (action.items ?? []);
  const rows = items.map(({ title, location }) =>
    el("li", {}, textOf(title), " ", el("span", {}, textOf(location))),
  );
  return [el("h3", {}, "Sources"), el("ul", {}, ...rows)];
}

/**
 * Return the entries of a nested object, as in `{facts: {hours}}`, in its place.
 *
 * @param {string} name
 * @param {unknown} value
 * @returns {[string, unknown][]}
 */
function flatten(name, value) {
  const isObject = value !== null && typeof value === "object" && !Array.isArray(value);
  return isObject ? Object.entries(value) : [[name, value]];
}

/** @param {Record<string, unknown>} pairs */
function definitions(pairs) {
  const shown = Object.entries(pairs).filter(([, value]) => value != null && value !== "");
  const rows = shown.map(([name, value]) =>
    el("div", {}, el("dt", {}, labelOf(name)), el("dd", {}, textOf(value))),
  );
  return el("dl", {}, ...rows);
}

/**
 * Return whether a key is worth showing: ids are for machines.
 *
 * @param {string} name
 */
const isForPeople = (name) => !/id$/i.test(name);

/**
 * Return `openingHours` and `opening_hours` as "Opening hours".
 *
 * @param {string} name
 */
function labelOf(name) {
  if (name === "url") return "URL";
  const words = name
    .replace(/_/g, " ")
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** @param {unknown} value */
function textOf(value) {
  if (value == null) return "–";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
