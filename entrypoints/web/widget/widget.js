/**
 * `/widget.js`: the chat on any page, by one line of script.
 *
 * It is small: a button, and the page's way to the chat (`AIAgent`). The chat itself is loaded when
 * it is opened, or when this browser has a conversation that goes on.
 */

import { browserStorage, Memory } from "../client/memory.js";
import { Launcher } from "./launcher.js";

/** @import { Chat, createChat } from "./panel.js" */
/**
 * @typedef {object} WidgetOptions
 * @property {string} business
 * @property {string} [url]  where the chat server is; default: where this script is from
 * @property {string} [location]
 * @property {string} [language]  default: the browser's
 * @property {string} [colour]
 * @property {string} [position]  left or right
 * @property {string} [theme]  light or dark; default: what the system prefers
 * @property {string} [title]
 * @property {string} [greeting]
 * @property {boolean} [open]  open at the first visit
 * @property {() => Promise<string> | string} [token]  of a signed-in user
 * @property {string} [user]  default: the token's `sub`
 */
/** @typedef {Pick<WidgetOptions, "token" | "user">} User */
/** @typedef {"open" | "close" | "unread" | "message" | "error"} EventName */
/** @typedef {(detail: any) => void} Listener */

/** The path of the panel, from where this script is. @type {string} */
const PANEL = PANEL_PATH;
const SOON_MS = 400;
const IDLE_MS = 8_000;
// prettier-ignore
const ATTRIBUTES = ["business", "location", "language", "colour", "position", "theme", "title",
  "greeting", "url"];

/** @type {Map<string, Set<Listener>>} */
const listeners = new Map();

/**
 * Call the page's listeners.
 *
 * @param {EventName} name
 * @param {unknown} [detail]
 */
function emit(name, detail) {
  for (const listener of [...(listeners.get(name) ?? [])]) {
    try {
      listener(detail);
    } catch (error) {
      reportError(error);
    }
  }
}

/** @param {string} text */
const warn = (text) => console.warn(`AIAgent: ${text}`);

class Widget {
  #options;
  #url;
  #launcher;
  /** @type {Promise<Chat | null> | null} */
  #loading = null;
  /** @type {Chat | null} */
  #chat = null;
  #isOpen = false;
  #isPrefetched = false;
  #attempts = 0;
  #abort = new AbortController();

  /**
   * @param {WidgetOptions} options
   * @param {string} url  the address of the server, with a slash at its end
   */
  constructor(options, url) {
    const language = (options.language || navigator.language).replaceAll("_", "-");
    this.#options = { ...options, language, url: url.replace(/\/$/, "") };
    this.#url = url;
    this.#launcher = new Launcher(
      { ...this.#options, colour: options.colour || recall(options.business).colour },
      {
        toggle: () => this.toggle(),
        close: () => this.close(),
        retry: () => this.#show(true),
        approach: () => this.#prefetch(),
        restart: () => this.#restart(),
      },
    );
    whenThereIsABody(this.#abort.signal, () => this.#start());
  }

  #start() {
    const { isOpen, isStarted } = recall(this.#options.business);
    this.#launcher.attach();
    // On a phone the chat would cover every page that the customer goes on to.
    const mayCover = !this.#launcher.isFull || isReload();
    if (this.#isOpen) this.#show(true);
    else if (isOpen && mayCover) this.#open(false);
    else if (isStarted) this.#load().then((chat) => chat?.resume());
    else if (this.#options.open && isOpen === undefined && !this.#launcher.isFull)
      this.#open(false);
    else whenIdle(this.#abort.signal, () => this.#prefetch());
  }

  open() {
    this.#open(true);
  }

  close() {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#launcher.close();
    this.#chat?.hide();
    emit("close");
  }

  toggle() {
    if (this.#isOpen) this.close();
    else this.open();
  }

  /** @param {User} user */
  setUser({ token, user }) {
    Object.assign(this.#options, { token, user }); // for a chat that is not there yet
    this.#chat?.setUser({ token, user });
  }

  /** Forget the user, and what this browser remembers of them. */
  signOut() {
    Object.assign(this.#options, { token: undefined, user: undefined });
    if (this.#chat) this.#chat.signOut();
    else memoryOf(this.#options.business).signOut(); // of a chat that is loaded later, or never
  }

  destroy() {
    this.#abort.abort();
    this.#launcher.remove();
    this.#chat?.dispose();
  }

  #restart() {
    this.destroy();
    widget = new Widget(this.#options, this.#url);
  }

  /** @param {boolean} hasAsked  false: nobody has done anything for it, and the focus stays */
  #open(hasAsked) {
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.#launcher.open();
    emit("open");
    this.#show(hasAsked);
  }

  /** @param {boolean} hasAsked */
  async #show(hasAsked) {
    if (hasAsked) this.#launcher.focus();
    const chat = await this.#load();
    if (this.#isOpen) chat?.show(hasAsked);
  }

  /** @returns {Promise<Chat | null>} null: it could not be loaded */
  #load() {
    this.#loading ??= this.#import();
    return this.#loading;
  }

  async #import() {
    this.#launcher.setState("loading");
    // A browser may remember that an address failed.
    const query = this.#attempts > 0 ? `?${this.#attempts}` : "";
    this.#attempts += 1;
    try {
      /** @type {{createChat: typeof createChat}} */
      const panel = await import(`${this.#url}${PANEL}${query}`);
      if (this.#abort.signal.aborted) return null;
      this.#chat = panel.createChat(this.#launcher.frame, this.#options, {
        close: () => this.close(),
        unread: (count) => {
          this.#launcher.setUnread(count);
          emit("unread", count);
        },
        message: (message) => emit("message", message),
        business: ({ name, colour }) => {
          this.#launcher.setColour(this.#options.colour || colour);
          this.#launcher.setTitle(this.#options.title || name);
        },
        blocked: (error) => this.#fail(error),
      });
      this.#launcher.setState("ready");
    } catch (error) {
      this.#fail(error);
    }
    return this.#chat;
  }

  /** @param {unknown} error */
  #fail(error) {
    this.#chat?.dispose();
    this.#chat = this.#loading = null;
    this.#launcher.setState("failed");
    emit("error", error);
  }

  /** Have the browser fetch the chat, which it then has when it is opened. */
  #prefetch() {
    const { connection } = /** @type {{connection?: {saveData: boolean}}} */ (navigator);
    const isNeeded = !this.#isPrefetched && !this.#loading && !this.#abort.signal.aborted;
    if (!isNeeded || connection?.saveData) return;
    this.#isPrefetched = true;
    const link = document.createElement("link");
    link.rel = "modulepreload";
    link.fetchPriority = "low";
    link.href = this.#url + PANEL;
    link.onload = () => link.remove();
    link.onerror = () => {
      this.#attempts += 1;
      link.remove();
    };
    document.head.append(link);
  }
}

/**
 * Return what this browser remembers of the chat with a business.
 *
 * @param {string} business
 */
const memoryOf = (business) => new Memory(`ai-agent:${business}`, browserStorage());

/**
 * Return what decides what to do before the chat is loaded.
 *
 * @param {string} business
 */
function recall(business) {
  const { visitor, user, business: known } = memoryOf(business).remembered;
  const { isOpen, isStarted } = { ...visitor.values, ...user.values };
  return {
    isOpen: /** @type {boolean | undefined} */ (isOpen),
    isStarted: Boolean(isStarted),
    colour: known?.colour,
  };
}

/** Return whether the customer has reloaded the page that they were on. */
const isReload = () => {
  const [entry] = performance.getEntriesByType("navigation");
  return /** @type {PerformanceNavigationTiming | undefined} */ (entry)?.type === "reload";
};

/**
 * @param {AbortSignal} signal
 * @param {() => void} action
 */
function whenThereIsABody(signal, action) {
  const soon = () => whenFree(() => signal.aborted || action(), SOON_MS);
  if (document.body) soon();
  else document.addEventListener("DOMContentLoaded", soon, { once: true, signal });
}

/**
 * Act when the page has nothing to do, or after some time.
 *
 * @param {() => void} action
 * @param {number} timeout
 */
function whenFree(action, timeout) {
  if ("requestIdleCallback" in window) requestIdleCallback(action, { timeout });
  else setTimeout(action, timeout / 4);
}

/**
 * @param {AbortSignal} signal
 * @param {() => void} action
 */
function whenIdle(signal, action) {
  const whenLoaded = () => whenFree(action, IDLE_MS);
  if (document.readyState === "complete") whenLoaded();
  else window.addEventListener("load", whenLoaded, { once: true, signal });
}

/** @type {Widget | null} */
let widget = null;
const script = ownScript();

/**
 * Return the element that has loaded this script, null where it cannot be found.
 *
 * @returns {HTMLScriptElement | null}
 */
function ownScript() {
  const { currentScript } = document; // null in a shadow tree, or where a tool has fetched the text
  if (currentScript instanceof HTMLScriptElement && currentScript.src) return currentScript;
  const found = [...document.querySelectorAll("script")].filter(({ src }) =>
    /\/widget\.js([?#]|$)/.test(src),
  );
  return found.find(({ dataset }) => dataset.business) ?? found[0] ?? null;
}

/**
 * Return the options that the attributes of a script give.
 *
 * @param {HTMLScriptElement} script
 */
function attributes({ dataset }) {
  const given = ATTRIBUTES.filter((name) => dataset[name]).map((name) => [name, dataset[name]]);
  const isOpen = dataset.open !== undefined && dataset.open !== "false";
  return { ...Object.fromEntries(given), ...(isOpen && { open: true }) };
}

/** @param {(widget: Widget) => void} action */
function withWidget(action) {
  if (widget) action(widget);
  else warn("there is no chat yet: call init({ business }) first");
}

/**
 * @typedef {object} Agent  what a page has as `AIAgent`
 * @property {(options: WidgetOptions) => void} init
 * @property {() => void} open
 * @property {() => void} close
 * @property {() => void} toggle
 * @property {(user: User) => void} setUser  end the visit, and go on as this user
 * @property {() => void} signOut  forget the user, and begin as a new visitor
 * @property {() => void} destroy
 * @property {(name: EventName, listener: Listener) => () => void} on  returns a function that stops
 *   the calls
 * @property {(action: (agent: Agent) => void) => void} push  call a function with this object.
 *   Before this script has loaded, an array in its place keeps what is pushed:
 *   `(window.AIAgent ??= []).push((agent) => agent.open())`
 */

/** @type {Agent} */
const AIAgent = {
  init(options) {
    const given = { ...(script && attributes(script)), ...options };
    const url = given.url || script?.src.replace(/[^/]*([?#].*)?$/, "");
    if (widget) warn("there is a chat on this page already; destroy() ends it");
    else if (!given.business) warn("init() needs a business");
    else if (!url) warn("init() needs the url of the chat server");
    else widget = new Widget(given, url.replace(/\/?$/, "/"));
  },
  open: () => withWidget((each) => each.open()),
  close: () => withWidget((each) => each.close()),
  toggle: () => withWidget((each) => each.toggle()),
  setUser: (user) => withWidget((each) => each.setUser(user)),
  signOut: () => withWidget((each) => each.signOut()),
  destroy() {
    widget?.destroy();
    widget = null;
  },
  on(name, listener) {
    const set = listeners.get(name) ?? new Set();
    listeners.set(name, set.add(listener));
    return () => set.delete(listener);
  },
  push(action) {
    try {
      action(AIAgent);
    } catch (error) {
      reportError(error);
    }
  },
};

const page = /** @type {{AIAgent?: unknown}} */ (/** @type {unknown} */ (window));
const before = /** @type {{init?: unknown} | undefined} */ (page.AIAgent);
if (typeof before?.init === "function") {
  warn("widget.js is on this page more than once; the first one counts");
} else {
  page.AIAgent = AIAgent;
  if (script?.dataset.business) AIAgent.init(/** @type {WidgetOptions} */ ({}));
  if (Array.isArray(before)) before.forEach((action) => AIAgent.push(action));
}
