/**
 * The customer's chat with a business, for any interface: it keeps a connection, an identity, and
 * what must survive a reload.
 */

import { User, Visitor } from "./accounts.js";
import { connectionState, isOffline, isTransientRefusal, supervise } from "./connection.js";
import { Conversation } from "./conversation.js";
import { Emitter } from "./emitter.js";
import { browserStorage, emptySlot, Memory } from "./memory.js";
import { PhoenixChannel, PushError, V2 } from "./phoenix.js";

export { PushError };

/** @import { TokenSource } from "./accounts.js" */
/** @import { MessageItem, UnsentMessage } from "./conversation.js" */
/** @import { Business, KeyStorage } from "./memory.js" */
/** @import { ChannelState } from "./phoenix.js" */
/** @import { JoinReply } from "./wire.js" */

/**
 * @typedef {object} ClientOptions
 * @property {string} business
 * @property {string} [location]  default: `main`
 * @property {string} [language]  BCP 47, until the customer has shown one; default: the browser's
 * @property {string} [url]  the server's; default: where this module comes from
 * @property {TokenSource} [token]  returns a token of the user who is signed in to the website
 * @property {string} [user]  that user; default: the token's `sub`. Without both: a visitor
 * @property {KeyStorage | null} [storage]  default: `localStorage`, where there is one
 */
/** @typedef {Pick<ClientOptions, "token" | "user">} SignedInUser */
/**
 * @typedef {ChannelState | {name: "offline"}} ConnectionState
 *   `offline`: the browser has no network; `refused` is final until `connect` or `retryNow`
 */
/** @typedef {{kind: "visitor" | "user", userId: string}} ChatIdentity */

const DEFAULT_LOCATION = "main";
// A refresh comes this long before the end of a token, or at three quarters of a short one's life.
const REFRESH_BEFORE_MS = 60_000;
const LEAST_REFRESH_MS = 10_000;
// A timer stands still while a machine sleeps, and holds no more than 24 days.
const LONGEST_TIMER_MS = 600_000;
// Failures that say nothing about what was asked for, beside the refusals of a join.
const TRANSIENT_FAILURES = ["disconnected", "timeout", "server_unavailable", "token_unavailable"];
const DEAD_VISITS = ["unauthorized", "visitors_off"];
const SIGN_IN_PAUSES_MS = [5_000, 10_000, 20_000, 60_000];

/**
 * Return a client of a business's chat; it connects once `connect` is called.
 *
 * @param {ClientOptions} options
 */
export const createClient = (options) => new ChatClient(options);

/**
 * A customer's chat with a business.
 *
 * Events: `change` (the conversation, the connection or the business has changed: read them again),
 * `received` (a message that somebody else wrote since the first join) and `conversation`
 * (`conversation` is another object, of another identity).
 *
 * @extends {Emitter<{change: null, received: MessageItem, conversation: null}>}
 */
export class ChatClient extends Emitter {
  #options;
  #memory;
  /** @type {Visitor | User} */
  #account;
  /** @type {Conversation} */
  #conversation;
  /** @type {PhoenixChannel} */
  #channel;
  #isConnected = false;
  /** Whether the browser has lost its network, and the connection has not shown that it lives. */
  #isDoubted = false;
  /** @type {User | null} who is signed in once the visitor's conversation allows it */
  #next = null;
  /** @type {User | null} whom `setUser` has named last */
  #entering = null;
  #isSigningIn = false;
  #signInAttempts = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #signInTimer;
  /** @type {string | undefined} */
  #expiresAt;
  #refreshAt = Infinity;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #refreshTimer;
  #keptUnsent = "[]";
  #signOuts;
  /** @type {(() => void)[]} stop what listens beyond this object */
  #stops;
  /** @type {(() => void)[]} stop listening to the conversation and channel of this identity */
  #leave = [];

  /** @param {ClientOptions} options */
  constructor(options) {
    super();
    const { business, url = moduleOrigin(), storage = browserStorage() } = options;
    if (!url) throw new TypeError("url is needed: this module was not loaded from a server");
    this.#options = {
      ...options,
      base: new URL(url.endsWith("/") ? url : `${url}/`, globalThis.location?.href),
      location: options.location ?? DEFAULT_LOCATION,
      // Websites write `de_AT`, too.
      language: (options.language ?? globalThis.navigator?.language)?.replaceAll("_", "-"),
    };
    this.#memory = new Memory(`ai-agent:${business}`, storage);
    this.#signOuts = this.#memory.remembered.signOuts;
    const isSignedIn = options.token != null || options.user != null;
    this.#account = isSignedIn ? this.#user(options) : this.#visitor();
    [this.#conversation, this.#channel] = this.#begin();
    this.#stops = [
      supervise(
        () => [this.#channel],
        () => this.#onSign(),
      ),
      this.#memory.onChange(() => this.#onOtherTab()),
    ];
  }

  get conversation() {
    return this.#conversation;
  }

  /** @returns {ConnectionState} */
  get connection() {
    return connectionState(this.#channel.state, this.#isDoubted);
  }

  /** The business, as of the last visit until the first join; `logo` is a URL. */
  get business() {
    return this.#memory.remembered.business;
  }

  /** @returns {ChatIdentity | null} */
  get identity() {
    const { kind, userId } = this.#account;
    return userId === null ? null : { kind, userId };
  }

  /** Connect, and reconnect until `disconnect` is called or the server refuses. */
  connect() {
    this.#isConnected = true;
    const account = this.#account;
    if (this.#channel.state.name === "refused") {
      [account.isStale, account.isRefused] = [account.isRefused, false];
    }
    this.#channel.connect();
  }

  disconnect() {
    this.#isConnected = false;
    this.#channel.disconnect();
  }

  /** Try at once, also after a refusal. */
  retryNow() {
    if (this.#channel.state.name === "refused") this.connect();
    else this.#channel.retryNow();
  }

  /** End everything for good. */
  dispose() {
    this.disconnect();
    this.#forgetTimers();
    this.#memory.flush();
    for (const stop of [...this.#stops, ...this.#leave]) stop();
  }

  /**
   * Go on as a user of the website's, once no answer, person or question is awaited.
   *
   * @param {SignedInUser} user
   */
  setUser({ token, user }) {
    const next = this.#user({ token, user });
    this.#enter(next, token);
  }

  /**
   * @param {User} next
   * @param {TokenSource | undefined} source
   */
  async #enter(next, source) {
    const known = this.#next ?? this.#account;
    this.#entering = next;
    if (known.kind === "user") {
      try {
        if (next.userId === null) await next.prepare();
      } catch {
        // The connection shows what is wrong.
      }
      if (this.#entering !== next) return;
      if (next.userId === known.userId) {
        known.useSource(source);
        if (this.#channel.state.name === "refused") this.connect();
        return;
      }
    }
    if (this.#isVisiting) {
      this.#forgetSignIn();
      this.#next = next;
      this.#signInWhenFree();
    } else {
      // What was written before the visitor had a name goes along.
      this.#become(next, this.#account.userId === null ? this.#queued : []);
    }
  }

  /** Whether there is a visitor with a conversation, or with a connection that will show one. */
  get #isVisiting() {
    const { name } = this.#channel.state;
    const isConnecting = name !== "idle" && name !== "refused";
    const isShown = this.#hasJoined || this.#conversation.length > 0;
    return (
      this.#account.kind === "visitor" && this.#account.userId !== null && isConnecting && isShown
    );
  }

  /** Forget the user in this browser, in all its tabs, and go on as a new visitor. */
  signOut() {
    this.#memory.signOut();
    this.#signOuts = this.#memory.remembered.signOuts;
    this.#become(this.#visitor());
  }

  /**
   * Remember a small value for this identity, over reloads and in all tabs of the browser.
   *
   * @param {string} key
   * @param {unknown} value  as JSON; undefined: forget it
   */
  remember(key, value) {
    this.#account.update(({ values }) => (values[key] = value));
  }

  /**
   * Return what was remembered; undefined if nothing was.
   *
   * @param {string} key
   * @returns {unknown}
   */
  recall(key) {
    return this.#account.slot.values[key];
  }

  get #hasJoined() {
    return this.#channel.state.name === "joined";
  }

  /** @param {SignedInUser} user */
  #user({ token, user }) {
    return new User(token, user, this.#memory);
  }

  #visitor() {
    const { business, base } = this.#options;
    const url = new URL(`visitors/${encodeURIComponent(business)}`, base);
    return new Visitor(url, this.#memory, `ai-agent:${business}`);
  }

  /** What is written and not sent yet. */
  get #queued() {
    return this.#conversation.unsent.filter(({ reason }) => reason === undefined);
  }

  /**
   * Go on as somebody else.
   *
   * @param {Visitor | User} account
   * @param {UnsentMessage[]} messages  to be sent as them
   */
  #become(account, messages = []) {
    this.#forgetTimers();
    for (const stop of this.#leave.splice(0)) stop();
    this.#channel.disconnect();
    this.#account = account;
    this.#next = this.#entering = null;
    [this.#conversation, this.#channel] = this.#begin();
    this.emit("conversation", null);
    if (this.#isConnected) this.#channel.connect();
    this.#conversation.restore(messages);
    this.emit("change", null);
  }

  /**
   * Return a conversation of the account, and its connection.
   *
   * @returns {[Conversation, PhoenixChannel]}
   */
  #begin() {
    const account = this.#account;
    const { business: businessId, location: locationId, language } = this.#options;
    const identity = { businessId, userId: account.userId ?? "", locationId };
    const conversation = new Conversation(identity, language);
    const channel = this.#newChannel({
      joinPayload: () => conversation.joinPayload(account.token ?? undefined),
      isTransient: (reason) => isTransient(reason) || account.canRecover(reason),
      prepare: () => this.#prepare(account, conversation),
    });
    account.keep();
    if (account.userId !== null) this.#restore(account, conversation);
    this.#keptUnsent = JSON.stringify(conversation.unsent);
    this.#leave = [
      channel.on("state", (state) => this.#onState(state, account)),
      conversation.on("received", (message) => this.emit("received", message)),
      conversation.on("change", () => this.#onChange()),
    ];
    conversation.attach(channel);
    return [conversation, channel];
  }

  /**
   * @param {Pick<import("./phoenix.js").Options, "joinPayload" | "isTransient" | "prepare">} options
   */
  #newChannel(options) {
    const { base, business } = this.#options;
    const url = new URL("socket/websocket", base);
    url.protocol = base.protocol === "http:" ? "ws:" : "wss:";
    return new PhoenixChannel({
      url: url.href,
      vsn: V2,
      topic: `messages:${business}`,
      ...options,
    });
  }

  /**
   * Have what a connection of the account needs.
   *
   * @param {Visitor | User} account
   * @param {Conversation} conversation
   */
  async #prepare(account, conversation) {
    await account.prepare();
    if (this.#isReplaced(account, conversation)) return;
    if (account.kind === "user" && !account.hasEntered) {
      try {
        await this.#takeVisitAlong(account);
      } catch (error) {
        if (!isBusy(error) || account !== this.#account) throw error;
        this.#become(this.#visitor());
        this.#next = account;
        this.#signInLater();
        return;
      }
    }
    if (account !== this.#account || conversation.identity.userId) return;
    account.keep();
    conversation.identity.userId = account.userId ?? "";
    this.#restore(account, conversation);
    this.emit("change", null);
  }

  /**
   * Return whether the account is not the one of this conversation, or not any more: then another
   * conversation goes on.
   *
   * @param {Visitor | User} account
   * @param {Conversation} conversation
   */
  #isReplaced(account, conversation) {
    if (account !== this.#account) return true;
    const { userId } = conversation.identity;
    if (!userId || userId === account.userId) return false;
    this.#become(account); // the visitor that was remembered is no more
    return true;
  }

  /**
   * @param {Visitor | User} account
   * @param {Conversation} conversation
   */
  #restore({ slot }, conversation) {
    const messages = Object.entries(slot.unsent);
    if (messages.length === 0) return;
    conversation.restore(messages.map(([messageId, message]) => ({ messageId, ...message })));
  }

  /**
   * Sign a user in where a visitor has had a conversation: it becomes the context of what follows,
   * and the visitor is forgotten. One who has not written stays who they are in other tabs.
   *
   * @param {User} user
   */
  async #takeVisitAlong(user) {
    this.#memory.refresh();
    const { userId, token, hasSession, unsent } = this.#memory.remembered.visitor;
    const isUnsent = Object.values(unsent).some(({ reason }) => reason === undefined);
    if (isUnsent && user === this.#account) throw new PushError("visitor_busy");
    if (hasSession && token !== null) await this.#signIn(user, token);
    const { visitor } = this.#memory.remembered;
    if (visitor.userId === userId)
      user.update((slot) => Object.assign(slot.values, visitor.values));
    this.#memory.update((remembered) => {
      const { visitor } = remembered;
      if (visitor.userId !== userId) return;
      remembered.visitor = hasSession ? emptySlot() : { ...visitor, values: {} };
    });
    user.hasEntered = true;
  }

  /**
   * Prove a user and a visitor on one socket.
   *
   * @param {User} user
   * @param {string} visitorToken
   */
  async #signIn({ userId, token }, visitorToken) {
    const { business: businessId, location: locationId } = this.#options;
    const channel = this.#newChannel({
      joinPayload: () => ({ businessId, userId, locationId, ...(token && { token }) }),
      isTransient: () => false,
    });
    try {
      await joined(channel);
      await channel.push("sign_in", { visitorToken }).catch((error) => {
        // A visitor whose token is dead has nothing to take along.
        if (!DEAD_VISITS.includes(error.reason)) throw error;
      });
    } finally {
      channel.disconnect();
    }
  }

  /** Sign the next user in if nothing is going on in the visitor's conversation. */
  async #signInWhenFree() {
    const user = this.#next;
    const conversation = this.#conversation;
    const isPausing = this.#signInTimer !== undefined;
    if (!user || this.#isSigningIn || isPausing || !this.#hasJoined || conversation.isBusy) return;
    this.#isSigningIn = true;
    try {
      await user.prepare();
      conversation.isHeld = true; // what is written now goes where it will be answered
      await this.#takeVisitAlong(user);
      if (user === this.#next) this.#become(user, this.#queued);
    } catch (error) {
      if (user !== this.#next) return;
      if (!(error instanceof PushError)) throw error;
      if (isBusy(error) || isTransient(error.reason) || user.canRecover(error.reason)) {
        this.#signInLater();
      } else this.#become(user); // whose connection shows what is wrong
    } finally {
      this.#isSigningIn = false;
      conversation.isHeld = false;
      if (this.#next !== user) this.#signInWhenFree();
    }
  }

  #signInLater() {
    const last = SIGN_IN_PAUSES_MS.length - 1;
    const pause = SIGN_IN_PAUSES_MS[Math.min(this.#signInAttempts, last)];
    this.#signInAttempts += 1;
    this.#signInTimer = setTimeout(() => {
      this.#signInTimer = undefined;
      this.#signInWhenFree();
    }, pause);
  }

  /**
   * @param {ChannelState} state
   * @param {Visitor | User} account
   */
  #onState(state, account) {
    if (state.name === "joined") {
      this.#isDoubted = false;
      account.isRefused = false;
      const { business, tokenExpiresAt } = /** @type {JoinReply} */ (state.response);
      if (business) this.#noteBusiness(business);
      this.#expiresAt = tokenExpiresAt;
      this.#refreshLater();
    } else clearTimeout(this.#refreshTimer);
    if (state.name === "refused" && this.#next) {
      // The visitor does not get any further: nothing is taken along but what is unsent.
      this.#next.hasEntered = true;
      this.#become(this.#next, this.#queued);
    }
    this.emit("change", null);
  }

  /** @param {Business} business */
  #noteBusiness({ name, colour, logo }) {
    const known = { name, colour, logo: logo && new URL(logo, this.#options.base).href };
    if (JSON.stringify(known) === JSON.stringify(this.business)) return;
    this.#memory.update((remembered) => (remembered.business = known));
  }

  #onChange() {
    this.#keepUnsent();
    const account = this.#account;
    if (this.#conversation.sessionId !== null && !account.slot.hasSession) {
      account.update((slot) => (slot.hasSession = true));
    }
    if (this.#next) this.#signInWhenFree();
    this.emit("change", null);
  }

  /** Remember the messages that are not acknowledged, and forget those that are. */
  #keepUnsent() {
    const account = this.#account;
    const { unsent } = this.#conversation;
    const text = JSON.stringify(unsent);
    if (text === this.#keptUnsent || account.userId === null) return;
    const before = /** @type {UnsentMessage[]} */ (JSON.parse(this.#keptUnsent));
    this.#keptUnsent = text;
    account.update((slot) => {
      for (const { messageId } of before) delete slot.unsent[messageId];
      for (const { messageId, ...message } of unsent) slot.unsent[messageId] = message;
    });
  }

  /** Be told at once that the network is gone, and find out soon whether the connection is too. */
  async #onSign() {
    this.#refreshIfDue();
    const channel = this.#channel;
    this.#isDoubted = isOffline() && channel.state.name === "joined";
    this.emit("change", null);
    if (!this.#isDoubted) return;
    await channel.check();
    this.#isDoubted = false;
    this.emit("change", null);
  }

  /** Follow another tab: it may have signed out, or have another visitor. */
  #onOtherTab() {
    const { signOuts, visitor } = this.#memory.remembered;
    const hasSignedOut = signOuts > this.#signOuts;
    this.#signOuts = Math.max(signOuts, this.#signOuts);
    const { kind, userId } = this.#account;
    const isOther = kind === "visitor" && userId !== null && userId !== visitor.userId;
    if (hasSignedOut) this.#become(this.#visitor());
    else if (isOther) this.#become(this.#next ?? this.#visitor(), this.#queued);
    else this.emit("change", null);
  }

  /** Refresh the token in time. */
  #refreshLater() {
    const left = Date.parse(this.#expiresAt ?? "") - Date.now();
    // Where the clock is wrong, the server says when the token has ended.
    if (!(left > 0)) return;
    const early = Math.min(left / 4, REFRESH_BEFORE_MS);
    this.#refreshAt = Date.now() + Math.max(left - early, LEAST_REFRESH_MS);
    this.#refreshIfDue();
  }

  #refreshIfDue() {
    clearTimeout(this.#refreshTimer);
    if (!this.#hasJoined) return;
    const left = this.#refreshAt - Date.now();
    if (left <= 0) this.#refresh();
    else if (left < Infinity) {
      const pause = Math.min(left, LONGEST_TIMER_MS);
      this.#refreshTimer = setTimeout(() => this.#refreshIfDue(), pause);
    }
  }

  async #refresh() {
    const [account, channel] = [this.#account, this.#channel];
    this.#refreshAt = Infinity;
    try {
      await account.prepare(true);
      if (this.#isReplaced(account, this.#conversation)) return;
      const reply = await channel.push("refresh_token", { token: account.token });
      this.#expiresAt = /** @type {{tokenExpiresAt?: string}} */ (reply).tokenExpiresAt;
    } catch (error) {
      if (!(error instanceof PushError)) throw error;
    }
    if (channel === this.#channel) this.#refreshLater();
  }

  #forgetTimers() {
    this.#forgetSignIn();
    clearTimeout(this.#refreshTimer);
    this.#refreshAt = Infinity;
  }

  #forgetSignIn() {
    clearTimeout(this.#signInTimer);
    this.#signInTimer = undefined;
    this.#signInAttempts = 0;
  }
}

/** @param {string} reason */
const isTransient = (reason) => isTransientRefusal(reason) || TRANSIENT_FAILURES.includes(reason);

/** @param {unknown} error */
const isBusy = (error) => error instanceof PushError && error.reason === "visitor_busy";

/** Return the origin that this module was loaded from; null if that is no server. */
function moduleOrigin() {
  const { origin } = new URL(import.meta.url);
  return origin.startsWith("http") ? origin : null;
}

/**
 * Connect a channel once; reject with PushError if that fails.
 *
 * @param {PhoenixChannel} channel
 * @returns {Promise<void>}
 */
const joined = (channel) =>
  new Promise((resolve, reject) => {
    channel.on("state", (state) => {
      if (state.name === "joined") resolve();
      if (state.name === "waiting") reject(new PushError("disconnected"));
      if (state.name === "refused") reject(new PushError(state.reason, state.response));
    });
    channel.connect();
  });
