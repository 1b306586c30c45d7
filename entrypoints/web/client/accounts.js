/** Who chats, and how they prove it: a visitor whom the server names, or a user of the website's. */

import { emptySlot } from "./memory.js";
import { PushError } from "./phoenix.js";

/** @import { Memory, Slot } from "./memory.js" */

/** @typedef {() => string | null | undefined | Promise<string | null | undefined>} TokenSource */

const TIMEOUT_MS = 10_000;
const DAY_MS = 86_400_000;
// A visitor's token lasts 30 days from its last use.
const RENEWED_BELOW_MS = 29 * DAY_MS;
// What a status means, whatever the code of the problem document; else its code counts.
const STATUS_REASONS = new Map([
  [401, "unauthorized"],
  [429, "rate_limited"],
]);
const TOKEN_REFUSALS = ["unauthorized", "token_expired"];

/**
 * What both kinds of account have in common: a token, and one fresh one after a refusal.
 *
 * @abstract
 */
class Account {
  /** @type {string | null} null: it is not known before the first connection */
  userId = null;
  /** @type {string | null} */
  token = null;
  /** Whether the token was refused, and there is no fresh one yet. */
  isStale = false;
  /** Whether a token was refused, and none has been accepted since. */
  isRefused = false;

  /**
   * Return whether to try again after a refusal: once, if a fresh token can make it good.
   *
   * @param {string} reason
   */
  canRecover(reason) {
    if (!TOKEN_REFUSALS.includes(reason) || this.isRefused) return false;
    this.isRefused = this.isStale = true;
    return true;
  }
}

/** A visitor, remembered by the browser: the same in all its tabs. */
export class Visitor extends Account {
  kind = /** @type {const} */ ("visitor");
  #url;
  #memory;
  #lock;

  /**
   * @param {URL} url  where visitors are named
   * @param {Memory} memory
   * @param {string} lock  the name of what only one tab does at a time
   */
  constructor(url, memory, lock) {
    super();
    this.#url = url;
    this.#memory = memory;
    this.#lock = lock;
    this.#adopt();
  }

  /** What is remembered for the visitor, before they have a name too. */
  get slot() {
    return this.#memory.remembered.visitor;
  }

  /** A visitor is remembered as soon as the server has named them. */
  keep() {}

  /** @param {(slot: Slot) => void} edit */
  update(edit) {
    const { userId } = this;
    this.#memory.update(({ visitor }) => {
      if (userId === null || visitor.userId === userId) edit(visitor);
    });
  }

  /**
   * Have a name and a token that is not about to end.
   *
   * @param {boolean} [isRenewed]  whether to renew the token in any case
   */
  async prepare(isRenewed = this.isStale) {
    if (!isRenewed && !this.#isDue) return;
    const { token } = this;
    await alone(this.#lock, async () => {
      this.#memory.refresh();
      this.#adopt();
      const isRenewedElsewhere = this.userId !== null && this.token !== token;
      if (isRenewedElsewhere || !(isRenewed || this.#isDue)) return;
      await this.#renew(isRenewed);
    });
  }

  /** @param {boolean} isRequired */
  async #renew(isRequired) {
    const { userId, token } = this;
    const { signOuts } = this.#memory.remembered;
    try {
      this.#keep(await this.#request(token), signOuts);
    } catch (error) {
      const { reason } = /** @type {PushError} */ (error);
      if (token && reason === "unauthorized") this.#keep(await this.#request(null), signOuts);
      else if (isRequired || userId === null) throw error;
    }
  }

  get #isDue() {
    if (this.userId === null) return true;
    const left = Date.parse(this.slot.expiresAt ?? "") - Date.now();
    return this.token !== null && left < RENEWED_BELOW_MS;
  }

  #adopt() {
    const { userId, token } = this.slot;
    if (userId === null) return;
    const isStale = this.isStale && token === this.token;
    Object.assign(this, { userId, token, isStale });
  }

  /**
   * @param {{userId: string, token: string | null, expiresAt: string | null}} named
   * @param {number} signOuts  how many there were when the server was asked
   */
  #keep({ userId, token, expiresAt }, signOuts) {
    this.#memory.refresh();
    if (this.#memory.remembered.signOuts !== signOuts) return; // who has signed out is forgotten
    const other = this.slot.userId;
    // Without a lock, another tab may have been named meanwhile: there is one visitor.
    if (other !== null && other !== this.userId && other !== userId) return this.#adopt();
    this.#memory.update(({ visitor }) => {
      const hasSession = visitor.hasSession && visitor.userId === userId;
      Object.assign(visitor, { userId, token, expiresAt, hasSession });
    });
    this.#memory.flush();
    this.#adopt();
    Object.assign(this, { isStale: false });
  }

  /** @param {string | null} token  one to renew */
  async #request(token) {
    let response;
    let body;
    try {
      response = await fetch(this.#url, {
        method: "POST",
        // As text, this needs no preflight.
        body: token === null ? "" : JSON.stringify({ token }),
        headers: { "Content-Type": "text/plain" },
        credentials: "omit",
        cache: "no-store",
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      body = await response.json();
    } catch {
      // No network, an origin that may not read the answer, or an answer that is not the server's.
    }
    if (response && !response.ok) throw refusal(response, body?.code);
    if (typeof body?.userId !== "string") throw new PushError("disconnected");
    return body;
  }
}

/** A user of the website's, with a token of its server's. */
export class User extends Account {
  kind = /** @type {const} */ ("user");
  #source;
  #memory;
  /** What is remembered until the user chats. */
  #slot = emptySlot();
  #isKept = false;
  /** Whether the visit before has been taken along. */
  hasEntered = false;

  /**
   * @param {TokenSource | undefined} source
   * @param {string | undefined} userId  default: that of the token
   * @param {Memory} memory
   */
  constructor(source, userId, memory) {
    super();
    this.#source = source;
    this.#memory = memory;
    if (userId) Object.assign(this, { userId });
  }

  get slot() {
    return this.#isKept ? this.#memory.remembered.user : this.#slot;
  }

  /** @param {(slot: Slot) => void} edit */
  update(edit) {
    const { userId } = this;
    if (!this.#isKept) edit(this.#slot);
    else {
      this.#memory.update(({ user }) => {
        if (user.userId === userId) edit(user);
      });
    }
  }

  /** Remember the user, once they are known, in the place of any other. */
  keep() {
    const { userId } = this;
    if (this.#isKept || userId === null) return;
    this.#isKept = true;
    const { values } = this.#slot;
    this.#memory.update((remembered) => {
      const { user } = remembered;
      const slot = user.userId === userId ? user : { ...emptySlot(), userId };
      Object.assign(slot.values, values);
      remembered.user = slot;
    });
  }

  /** @param {boolean} [isRenewed]  whether to ask for a token in any case */
  async prepare(isRenewed = this.isStale) {
    if (!this.#source || (this.token !== null && !isRenewed)) return this.#requireName();
    const token = await asked(this.#source);
    const subject = subjectOf(token);
    if (this.userId === null && subject === null) throw new PushError("invalid_token");
    if (this.userId !== null && subject !== null && subject !== this.userId) {
      throw new PushError("identity_mismatch");
    }
    Object.assign(this, { token, isStale: false, userId: this.userId ?? subject });
  }

  /**
   * Ask another source for tokens from now on.
   *
   * @param {TokenSource | undefined} source
   */
  useSource(source) {
    this.#source = source;
    Object.assign(this, { token: null, isStale: false, isRefused: false });
  }

  #requireName() {
    if (this.userId === null) throw new PushError("invalid_token");
  }
}

/**
 * Return the token that the website gives.
 *
 * @param {TokenSource} source
 * @returns {Promise<string>}
 */
async function asked(source) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(reject, TIMEOUT_MS);
  });
  let token;
  try {
    token = await Promise.race([source(), late]);
  } catch (error) {
    if (error !== undefined) globalThis.reportError?.(error); // the website's own
    throw new PushError("token_unavailable");
  } finally {
    clearTimeout(timer);
  }
  if (typeof token !== "string" || token === "") throw new PushError("invalid_token");
  return token;
}

/**
 * Return whom a token names; null if it is none that can be read here.
 *
 * @param {string} token
 * @returns {string | null}
 */
function subjectOf(token) {
  try {
    const base64 = token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const { sub } = JSON.parse(new TextDecoder().decode(bytes));
    return typeof sub === "string" && sub !== "" ? sub : null;
  } catch {
    return null;
  }
}

/**
 * Return the error of a refused request.
 *
 * @param {Response} response
 * @param {unknown} code  that of the problem document
 */
function refusal({ status, headers }, code) {
  const pause = Number(headers.get("Retry-After")) * 1000;
  const response = pause > 0 ? { retryAfterMs: pause } : {};
  // Nothing is wrong with what was asked for.
  if (status >= 500) return new PushError("server_unavailable", response);
  const known = typeof code === "string" ? code : `status_${status}`;
  return new PushError(STATUS_REASONS.get(status) ?? known, response);
}

/**
 * Do something in one tab at a time, where the browser can see to that.
 *
 * @param {string} name
 * @param {() => Promise<void>} work
 */
async function alone(name, work) {
  const { locks } = globalThis.navigator ?? {};
  let hasBegun = false;
  const begin = () => {
    hasBegun = true;
    return work();
  };
  try {
    if (locks) return await locks.request(name, { signal: AbortSignal.timeout(TIMEOUT_MS) }, begin);
  } catch (error) {
    if (hasBegun) throw error; // else it cannot be had: by this frame, or in time
  }
  if (!hasBegun) await work();
}
