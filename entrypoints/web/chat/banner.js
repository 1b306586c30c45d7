/** The line under the head: what stands in the way, what is asked, how long it takes. */

import { el } from "../shared/dom.js";
import { iconButton } from "./dom.js";

/** @import { ChatClient, ConnectionState } from "../client/client.js" */
/** @import { Conversation } from "../client/conversation.js" */
/** @import { Words } from "./texts.js" */

/**
 * @typedef {object} BannerState
 * @property {boolean} isLost  whether the connection was lost, and is not back yet
 * @property {boolean} asksToEnd  whether the customer is asked if the live chat is to end
 * @property {string} failure  why the last request failed; ""
 */

/**
 * Create the line; null if there is nothing to show in it.
 *
 * @param {ChatClient} chat
 * @param {Words} words
 * @param {BannerState} state
 */
export function banner({ connection, conversation }, words, { isLost, asksToEnd, failure }) {
  const { texts } = words;
  const { status, coordinatorId } = conversation;
  if (asksToEnd && status === "live") {
    const name = words.authorName({ author: "coordinator", coordinatorId });
    const answers = [button("end", texts.end, "primary"), button("keep", texts.keep)];
    const group = el("div", { className: "buttons" }, ...answers);
    return line("question", texts.endQuestion(name), group);
  }
  if (failure) return line("failure", failure, iconButton("dismiss", "close", texts.dismiss));
  const trouble = connectionTrouble(connection, isLost, words);
  if (trouble) {
    const canRetry = ["waiting", "refused"].includes(connection.name);
    return line("trouble", trouble, canRetry ? button("connect", texts.tryNow) : null);
  }
  if (status !== "waiting") return null;
  const cancel = button("end", texts.cancel);
  return line("waiting", queueText(conversation, words), cancel);
}

/**
 * Return what keeps the chat from being connected; "" if nothing does.
 *
 * @param {ConnectionState} connection
 * @param {boolean} isLost
 * @param {Words} words
 */
export function connectionTrouble(connection, isLost, { texts }) {
  if (connection.name === "offline") return texts.offline;
  if (connection.name === "refused") return refusedText(connection.reason, texts);
  return isLost ? texts.reconnecting : "";
}

/**
 * @param {string} reason
 * @param {Words["texts"]} texts
 */
function refusedText(reason, texts) {
  switch (reason) {
    case "unknown_business":
      return texts.unknownBusiness;
    case "origin_not_allowed":
    case "visitors_off":
      return texts.notOnThisPage;
    case "unauthorized":
    case "token_expired":
      return texts.signedOut;
    default:
      return texts.unavailable;
  }
}

/**
 * Return where a customer stands among those who wait, and how long it may yet take.
 *
 * @param {Conversation} conversation
 * @param {Words} words
 */
export function queueText({ queue }, words) {
  const { texts } = words;
  if (!queue) return texts.waitingDetail;
  const place = queue.place === 1 ? texts.next : texts.place(queue.place);
  if (queue.waitS === null) return place;
  const minutes = Math.max(1, Math.round(queue.waitS / 60));
  return `${place} ${words.count(texts.waitMinutes, minutes)}`;
}

/**
 * @param {string} type
 * @param {string} text
 * @param {(Node | null)[]} buttons
 */
const line = (type, text, ...buttons) =>
  el("div", { className: `banner ${type}` }, el("p", {}, text), ...buttons);

/**
 * @param {string} act
 * @param {string} text
 * @param {string} [className]
 */
const button = (act, text, className = "") =>
  el("button", { type: "button", className, data: { act } }, text);
