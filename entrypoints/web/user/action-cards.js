/** The cards for `actions[]`: what a message offers beside its text. */

import { el } from "../shared/dom.js";

/** @import { Action } from "./conversation.js" */

/**
 * Create the card of an action.
 *
 * @param {Action} action
 */
export function actionCard(action) {
  return el("div", { className: "card", data: { type: action.type } }, ...cardContent(action));
}

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
