/** The head of the chat: whose it is, who is there, whether it is connected, and the menu. */

import { el } from "../shared/dom.js";
import { icon, iconButton } from "./dom.js";
import { plainName } from "./texts.js";

/** @import { ChatClient } from "../client/client.js" */
/** @import { Words } from "./texts.js" */

/**
 * @typedef {object} HeaderState
 * @property {string} title  the website's own; "": the business's name
 * @property {boolean} isMenuOpen
 * @property {boolean} canClose
 * @property {boolean} isPage  whether the chat is the page
 * @property {string} logo  its address; "" if there is none
 */

/**
 * Create what is in the head.
 *
 * @param {ChatClient} chat
 * @param {Words} words
 * @param {HeaderState} state
 * @returns {ChildNode[]}
 */
export function header(chat, words, { title, isMenuOpen, canClose, isPage, logo }) {
  const { texts } = words;
  const { text, tone } = presence(chat, words);
  const name = title || plainName(chat.business?.name) || texts.title;
  const who = el(
    "div",
    { className: "who" },
    el(isPage ? "h1" : "h2", {}, el("bdi", {}, name)),
    el(
      "p",
      { className: "presence", data: { tone } },
      el("span", { className: "dot" }),
      el("bdi", {}, text),
    ),
  );
  const menuState = { ariaHasPopup: "menu", ariaExpanded: String(isMenuOpen) };
  const menu = iconButton("menu", "more", texts.menu, menuState);
  const close = canClose ? [iconButton("close", "close", texts.close)] : [];
  return [avatar(chat, logo), who, menu, ...close];
}

/**
 * @param {ChatClient} chat
 * @param {string} logo
 */
function avatar({ conversation, business }, logo) {
  const name = conversation.status === "live" ? plainName(conversation.coordinatorId) : "";
  const className = `avatar ${conversation.status}`;
  if (name) return el("span", { className, ariaHidden: "true" }, initials(name));
  if (logo) return el("span", { className: "avatar logo" }, el("img", { src: logo, alt: "" }));
  const ofBusiness = initials(plainName(business?.name));
  return el("span", { className, ariaHidden: "true" }, ofBusiness || icon("spark"));
}

/**
 * Return "MI" for "Maria Ionescu".
 *
 * @param {string} name
 */
function initials(name) {
  const words = name.split(" ").filter((word) => /^\p{L}/u.test(word));
  const letters = [words[0], words.length > 1 ? words[words.length - 1] : ""];
  return letters
    .map((word) => [...(word ?? "")][0] ?? "")
    .join("")
    .toLocaleUpperCase();
}

/**
 * Return who is there, or what keeps the chat from being connected.
 *
 * @param {ChatClient} chat
 * @param {Words} words
 * @returns {{text: string, tone: "good" | "busy" | "off"}}
 */
export function presence({ connection, conversation }, words) {
  const { texts } = words;
  const { status, coordinatorId } = conversation;
  if (connection.name === "connecting" || connection.name === "joining") {
    return { text: texts.connecting, tone: "busy" };
  }
  if (connection.name === "refused") return { text: texts.notConnected, tone: "off" };
  const tone = connection.name === "joined" ? "good" : "off";
  if (status === "waiting") return { text: texts.waiting, tone: "busy" };
  if (status === "live") {
    const name = words.authorName({ author: "coordinator", coordinatorId });
    return { text: texts.live(name), tone };
  }
  return status === "closed"
    ? { text: texts.closed, tone: "off" }
    : { text: texts.assistant, tone };
}
