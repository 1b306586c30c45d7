/** What the page says: of the connection, of the conversation, and of what went wrong. */

// No table here has a prototype: what it is asked for comes over the wire, `constructor` or not.
const REFUSALS = {
  __proto__: null,
  invalid_payload:
    "The server did not accept the data. Business, location and user are 1–128 letters, digits " +
    "and . _ : @ - each.",
  invalid_url: "The server URL is not valid. It looks like ws://localhost:3001/socket/websocket.",
  unauthorized: "The token is missing, wrong or expired. Enter a valid one, then connect again.",
  token_expired: "The token's time is over. Enter a new one, then connect again.",
  identity_unavailable: "The server cannot check the token just now.",
  business_mismatch: "The token or the topic belongs to another business. Check the business.",
  identity_mismatch: "The message names another user than the one who joined. Connect again.",
  overloaded: "The server is at its limit just now.",
  rate_limited: "Too many messages in a short time.",
  storage_unavailable: "The server could not store it; nobody has seen it.",
  message_too_long: "The message is longer than 8,000 characters. Shorten it.",
  not_in_live_chat: "There is no live chat to end.",
  phx_close: "The server has ended the conversation's channel. Connect again to go on.",
  timeout: "The server did not answer in 10 seconds. Trying again doubles nothing.",
  disconnected: "There is no connection just now.",
  "unmatched topic": "The server does not know this topic. Check the business and the server URL.",
};

/** What a reason means, and what to do about it. */
export function explain(reason, response = {}) {
  const sentence = REFUSALS[reason] ?? "The server refused.";
  const wait = response?.retryAfterMs;
  const after = wait ? ` Try again in ${Math.ceil(wait / 1000)} s.` : "";
  const detail = response?.detail ?? response?.message;
  return sentence + after + (typeof detail === "string" ? ` (${detail})` : "");
}

/**
 * The state of the connection: `{label, tone}`, tone being good, busy, bad or off; and where
 * something is wrong `{title, detail}`.
 */
export function connectionWords(state) {
  switch (state.name) {
    case "connecting":
      return { label: "Connecting…", tone: "busy" };
    case "joining":
      return { label: "Joining…", tone: "busy" };
    case "joined":
      return { label: "Joined", tone: "good" };
    case "waiting":
      return waitingWords(state);
    case "refused":
      return refusedWords(state);
    default:
      return { label: "Not connected", tone: "off" };
  }
}

function refusedWords({ reason, response }) {
  const detail = explain(reason, response);
  return { label: "Refused", tone: "bad", title: `Refused: ${reason}.`, detail };
}

function waitingWords({ retryAt, why }) {
  const seconds = Math.max(0, Math.ceil((retryAt - Date.now()) / 1000));
  const label = `Reconnecting in ${seconds} s`;
  return { label, tone: "busy", title: "Not connected.", detail: causeOf(why) };
}

function causeOf({ code, reason }) {
  // No close frame: a browser does not tell whether the upgrade was refused, or nobody is there.
  if (code === 1006) return "Is the server running, and may this page's origin use it?";
  const words = REFUSALS[reason] ?? (reason ? `Reason: ${reason}.` : "The server went away.");
  return code ? `${words} (close code ${code})` : words;
}

/** What stands where no message is yet: `[title, detail]`. */
export const emptyWords = (isActive) =>
  isActive
    ? ["How can we help?", "Write a message below."]
    : ["Start a conversation", "Connect, and write the first message."];

const BECAUSE = {
  __proto__: null,
  user_request: "You asked for a person.",
  ai_decision: "The assistant asked for a person.",
  ai_failure: "The assistant could not answer.",
  coordinator: "A colleague has stepped in.",
  accepted: "A colleague has accepted.",
  takeover: "Another colleague has taken over.",
  cancelled: "The request was cancelled.",
  expired: "Nobody could take over in time.",
  returned: "The colleague has handed back.",
  ended_by_user: "You ended the live chat.",
  closed_by_coordinator: "Closed by a colleague.",
  closed_by_user: "Closed by you.",
  idle: "Closed after a long silence.",
};

const because = (reason) => BECAUSE[reason] ?? "";

const ANY_TIME = "You can ask for a person any time.";

/** Who owns the conversation: `{title, detail}`. */
export function ownerWords({ status, reason, coordinatorId }) {
  switch (status) {
    case "waiting":
      return { title: "Waiting for a person", detail: "You can go on writing meanwhile." };
    case "live":
      return { title: `${coordinatorId ?? "A colleague"} is with you`, detail: because(reason) };
    case "closed":
      return {
        title: "Conversation closed",
        detail: `${because(reason)} Your next message starts a new one.`.trim(),
      };
    default:
      return { title: "AI assistant", detail: because(reason) || ANY_TIME };
  }
}

const CHANGES = {
  __proto__: null,
  ai: "The assistant has the conversation.",
  waiting: "A person was asked for.",
  live: "A person has the conversation.",
  closed: "The conversation is closed.",
};

/** A change of status, as a line in the log. */
export const changeWords = ({ status, reason }) => BECAUSE[reason] ?? CHANGES[status] ?? status;

const AUTHORS = {
  __proto__: null,
  ai: "Assistant",
  coordinator: "Colleague",
  system: "Notice",
  user: "You",
};

/** Whose words a message is; a coordinator has a name. */
export const authorWords = ({ author, coordinatorId }) =>
  coordinatorId ?? AUTHORS[author] ?? author;
