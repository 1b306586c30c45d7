/** What a browser remembers of the chat with a business, over reloads and in all its tabs. */

/** @typedef {{text: string, at?: string, reason?: string}} Unsent  `reason`: why it failed */
/**
 * @typedef {object} Slot  what is remembered for one identity
 * @property {string | null} userId
 * @property {string | null} token  a visitor's alone: a user's is kept nowhere
 * @property {string | null} expiresAt
 * @property {boolean} hasSession  whether a conversation has begun
 * @property {Record<string, unknown>} values
 * @property {Record<string, Unsent>} unsent  by messageId
 */
/** @typedef {{name: string, colour?: string, logo?: string}} Business */
/**
 * @typedef {object} Remembered
 * @property {number} version
 * @property {number} signOuts  how often somebody has signed out in this browser
 * @property {Business | null} business
 * @property {Slot} visitor
 * @property {Slot} user
 */
/** @typedef {Pick<Storage, "getItem" | "setItem">} KeyStorage */

const VERSION = 1;

/** @returns {Slot} */
export const emptySlot = () => ({
  userId: null,
  token: null,
  expiresAt: null,
  hasSession: false,
  values: {},
  unsent: {},
});

/**
 * One JSON object under one key.
 *
 * Where there is no storage, or it takes nothing (full, or forbidden to a frame), what is remembered
 * lasts as long as the page.
 */
export class Memory {
  #storage;
  #key;
  /** @type {((remembered: Remembered) => void)[]} not in the storage yet */
  #edits = [];
  #isBehind = false;

  /**
   * @param {string} key
   * @param {KeyStorage | null} storage
   */
  constructor(key, storage) {
    this.#key = key;
    this.#storage = storage;
    this.remembered = this.#read();
  }

  /**
   * Change what is remembered: here at once, and in the storage once for a burst of changes.
   *
   * @param {(remembered: Remembered) => void} edit  makes the same change whenever it is called
   */
  update(edit) {
    edit(this.remembered);
    this.#edits.push(edit);
    if (this.#edits.length === 1) queueMicrotask(() => this.flush());
  }

  /** Write what has changed, over what another tab has written meanwhile. */
  flush() {
    const edits = this.#edits.splice(0);
    if (edits.length === 0) return;
    if (this.#readAgain()) for (const edit of edits) edit(this.remembered);
    try {
      this.#storage?.setItem(this.#key, JSON.stringify(this.remembered));
      this.#isBehind = false;
    } catch {
      this.#isBehind = true; // what is stored is older: it must not come back
    }
    this.#isBehind ||= !this.#storage;
  }

  /** Forget the visitor and the user, at once, so that no tab goes on with them. */
  signOut() {
    this.update((remembered) => {
      remembered.signOuts += 1;
      remembered.visitor = emptySlot();
      remembered.user = emptySlot();
    });
    this.flush();
  }

  /** Read again what another tab may have written. */
  refresh() {
    this.flush();
    this.#readAgain();
  }

  /** Take over what is stored, unless it is older; return whether it was taken over. */
  #readAgain() {
    const stored = this.#read();
    if (this.#isBehind && stored.signOuts <= this.remembered.signOuts) return false;
    this.remembered = stored;
    this.#isBehind = false;
    return true;
  }

  /**
   * Call `listener` after another tab has changed what is remembered; return a function that stops
   * that.
   *
   * @param {() => void} listener
   */
  onChange(listener) {
    /** @param {StorageEvent} event */
    const handle = ({ key, storageArea }) => {
      if (key !== this.#key || storageArea !== this.#storage) return;
      this.refresh();
      listener();
    };
    globalThis.window?.addEventListener?.("storage", handle);
    return () => globalThis.window?.removeEventListener?.("storage", handle);
  }

  /** @returns {Remembered} */
  #read() {
    try {
      return remembered(JSON.parse(this.#storage?.getItem(this.#key) ?? "null"));
    } catch {
      return remembered(null);
    }
  }
}

/** Return the browser's storage, null where there is none or the page may not use it. */
export function browserStorage() {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
  }
}

/**
 * Return what of a stored value is ours, and has the shape that it should have.
 *
 * @param {any} json
 * @returns {Remembered}
 */
function remembered(json) {
  const known = json?.version === VERSION ? json : {};
  return {
    version: VERSION,
    signOuts: Number.isSafeInteger(known.signOuts) ? known.signOuts : 0,
    business: isObject(known.business) && isText(known.business.name) ? known.business : null,
    visitor: slot(known.visitor),
    user: slot(known.user),
  };
}

/**
 * @param {any} json
 * @returns {Slot}
 */
function slot(json) {
  if (!isObject(json) || !isObject(json.values) || !isObject(json.unsent)) return emptySlot();
  const { userId, token, expiresAt, values } = json;
  const unsent = Object.entries(json.unsent).filter(([, entry]) => isText(entry?.text));
  return {
    userId: isText(userId) ? userId : null,
    token: isText(token) ? token : null,
    expiresAt: isText(expiresAt) ? expiresAt : null,
    hasSession: json.hasSession === true,
    values,
    unsent: Object.fromEntries(unsent),
  };
}

/** @param {unknown} value */
const isText = (value) => typeof value === "string" && value !== "";

/** @param {unknown} value */
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
