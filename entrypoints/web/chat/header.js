/** The head of the chat: whose it is, who is there, whether it is connected, and the menu. */

import { el } from "../shared/dom.js";
import { icon } from "./dom.js";
import { plainName } from "./texts.js";

/** @import { IconName } from "./dom.js" */
/** @import { ChatClient } from "../client/client.js" */
/** @import { Words } from "./texts.js" */

/**
 * @typedef {object} HeaderState
 * @property {boolean} isMenuOpen
 * @property {boolean} isSoundOn
 * @property {boolean} canClose
 * @property {boolean} isPage  whether the chat is the page
 * @property {string} logo  its address; "" if there is none
 * @property {string} [title]  the website's own; default: the business's name
 */

/**
 * Create the head.
 *
 * @param {ChatClient} chat
 * @param {Words} words
 * @param {HeaderState} state
 */
export function header(chat, words, state) {
  const { texts } = words;
  const { text, tone } = presence(chat, words);
  const name = plainName(chat.business?.name);
  return el(
    "header",
    { className: "header" },
    avatar(chat, state.logo),
    el(
      "div",
      { className: "who" },
      el(state.isPage ? "h1" : "h2", {}, el("bdi", {}, state.title || name || texts.title)),
      el(
        "p",
        { className: "presence", data: { tone } },
        el("span", { className: "dot" }),
        el("bdi", {}, text),
      ),
    ),
    iconButton("menu", "more", texts.menu, {
      ariaHasPopup: "menu",
      ariaExpanded: String(state.isMenuOpen),
    }),
    state.canClose ? iconButton("close", "close", texts.close) : null,
  );
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

/**
 * @param {string} act
 * @param {IconName} name
 * @param {string} label
 * @param {Partial<HTMLButtonElement>} [properties]
 */
export const iconButton = (act, name, label, properties = {}) =>
  el(
    "button",
    {
      type: "button",
      className: "icon-button",
      ariaLabel: label,
      title: label,
      data: { act },
      ...properties,
    },
    icon(name),
  );

/**
 * Create the menu.
 *
 * @param {ChatClient} chat
 * @param {Words} words
 * @param {HeaderState} state
 */
export function menu({ connection, conversation }, { texts }, { isMenuOpen, isSoundOn }) {
  const { status, sessionId } = conversation;
  const isJoined = connection.name === "joined";
  /** @type {(act: string, name: IconName, text: string, isOffered?: boolean) => HTMLElement} */
  const item = (act, name, text, isOffered = true) =>
    el(
      "button",
      {
        type: "button",
        role: "menuitem",
        tabIndex: -1,
        data: { act },
        ariaDisabled: String(!isOffered),
      },
      icon(name),
      el("span", {}, text),
    );
  const person =
    status === "waiting"
      ? item("end", "close", texts.cancelRequest, isJoined)
      : status === "live"
        ? item("ask-to-end", "leave", texts.endLiveChat, isJoined)
        : item("transfer", "person", texts.askForPerson, isJoined);
  const sound = item("sound", "sound", texts.sound);
  sound.role = "menuitemcheckbox";
  sound.ariaChecked = String(isSoundOn);
  sound.append(el("span", { className: "switch" }));
  const made = el(
    "div",
    { className: "menu", role: "menu", ariaLabel: texts.menu },
    person,
    item("rate", "star", texts.rate, isJoined && sessionId !== null),
    item("download", "save", texts.downloadTranscript, sessionId !== null),
    sound,
  );
  made.hidden = !isMenuOpen;
  return made;
}
