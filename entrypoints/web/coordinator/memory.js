/** What a browser remembers for one coordinator, over reloads and in all tabs. */

import { browserStorage } from "../client/memory.js";
import { Emitter } from "../client/emitter.js";
import { objectOf, textOf, textOrNull } from "./wire.js";

/** @import { KeyStorage } from "../client/memory.js" */

/** @typedef {"reply" | "note" | "whisper"} Mode  what the composer writes */
/** @typedef {{sessionId: string, businessId: string, userId: string}} Address  of a conversation */
/**
 * @typedef {Address & {mode: Mode, text: string, at: string, reason: string | null}} Unsent
 *   what is on its way; `reason`: why it failed
 */
/** @typedef {Map<string, unknown>} Fields  by name; `at`: when one was changed last, in epoch ms */

const VERSION = 1;
const MAX_CHATS = 200;
const MAX_TEXT = 8_000;
/** @type {readonly Mode[]} */
const MODES = ["reply", "note", "whisper"];
const UNSENT = "unsent ";

/**
 * One JSON object under one key: some fields of each conversation, and those of the page.
 *
 * Only the fields that this tab has changed are written over what is stored, so that tabs do not
 * undo each other's. Where there is no storage, or it takes nothing, all lasts as long as the page.
 *
 * Events: `change` (another tab has changed something of a conversation).
 *
 * @extends {Emitter<{change: null}>}
 */
export class DeskMemory extends Emitter {
  #key;
  #storage;
  /** @type {Map<string, Fields>} by sessionId; the page's under "" */
  #chats;
  /** @type {Map<string, Set<string>>} the fields that are not stored yet */
  #changed = new Map();
  #isFlushDue = false;
  #stop;

  /**
   * @param {string} coordinatorId
   * @param {KeyStorage | null} [storage]  default: `localStorage`, where there is one
   */
  constructor(coordinatorId, storage = browserStorage()) {
    super();
    this.#key = `ai-agent-desk:${coordinatorId}`;
    this.#storage = storage;
    this.#chats = this.#read();
    /** @param {StorageEvent} event */
    const onStorage = ({ key, storageArea }) => {
      if (storageArea !== this.#storage || (key !== null && key !== this.#key)) return;
      this.#readAgain();
      this.emit("change", null);
    };
    globalThis.window?.addEventListener?.("storage", onStorage);
    this.#stop = () => globalThis.window?.removeEventListener?.("storage", onStorage);
  }

  dispose() {
    this.flush();
    this.#stop();
  }

  /**
   * Return what was typed and not sent.
   *
   * @param {string} sessionId
   * @param {Mode} mode
   */
  draft(sessionId, mode) {
    return textOf(this.#get(sessionId, `draft ${mode}`));
  }

  /**
   * @param {string} sessionId
   * @param {Mode} mode
   * @param {string} text
   */
  setDraft(sessionId, mode, text) {
    this.#set(sessionId, `draft ${mode}`, text.slice(0, MAX_TEXT) || null);
  }

  /**
   * Return the key of the item at which the conversation was left; null: at its end.
   *
   * @param {string} sessionId
   */
  place(sessionId) {
    return textOrNull(this.#get(sessionId, "place"));
  }

  /**
   * @param {string} sessionId
   * @param {string | null} key
   */
  setPlace(sessionId, key) {
    this.#set(sessionId, "place", key);
  }

  /** The conversation that was open last. */
  get selected() {
    return toAddress(objectOf(this.#get("", "selected")));
  }

  set selected(/** @type {Address | null} */ address) {
    this.#set("", "selected", address);
  }

  /** The list that was shown last. */
  get view() {
    return textOrNull(this.#get("", "view"));
  }

  set view(/** @type {string | null} */ view) {
    this.#set("", "view", view);
  }

  /** Whether sounds are played. */
  get sound() {
    return this.#get("", "sound") !== false;
  }

  set sound(/** @type {boolean} */ isOn) {
    this.#set("", "sound", isOn);
  }

  /**
   * Return what of a conversation is on its way, or has failed, by key, in the order of its writing.
   *
   * @param {string} sessionId
   * @returns {[key: string, unsent: Unsent][]}
   */
  unsent(sessionId) {
    return [...(this.#chats.get(sessionId) ?? [])].flatMap(([name, value]) => {
      const unsent = name.startsWith(UNSENT) ? toUnsent(value) : null;
      return unsent ? [[name.slice(UNSENT.length), unsent]] : [];
    });
  }

  /**
   * Keep something until it is stored; null: it is.
   *
   * @param {string} sessionId
   * @param {string} key
   * @param {Unsent | null} unsent
   */
  setUnsent(sessionId, key, unsent) {
    this.#set(sessionId, UNSENT + key, unsent);
  }

  /** Return the conversations in which something is on its way. */
  unsentChats() {
    return [...this.#chats.keys()].flatMap((sessionId) => {
      const unsent = this.unsent(sessionId).find(([, { reason }]) => reason === null);
      return unsent ? [unsent[1]] : [];
    });
  }

  /** Write what has changed, over what another tab has written meanwhile. */
  flush() {
    this.#isFlushDue = false;
    if (this.#changed.size === 0) return;
    this.#readAgain();
    // Where the storage is full, the newest conversations are kept.
    for (let most = MAX_CHATS; most >= 1; most = Math.floor(most / 4)) {
      const chats = newest(this.#chats, most).map(([id, fields]) => [
        id,
        Object.fromEntries(fields),
      ]);
      const json = { version: VERSION, chats: Object.fromEntries(chats) };
      try {
        this.#storage?.setItem(this.#key, JSON.stringify(json));
      } catch {
        continue;
      }
      this.#chats = new Map(newest(this.#chats, MAX_CHATS));
      if (this.#storage) this.#changed.clear();
      return;
    }
  }

  /**
   * @param {string} sessionId
   * @param {string} name
   */
  #get(sessionId, name) {
    return this.#chats.get(sessionId)?.get(name);
  }

  /**
   * Change a field: here at once, and in the storage once for a burst of changes.
   *
   * @param {string} sessionId
   * @param {string} name
   * @param {unknown} value  null: none
   */
  #set(sessionId, name, value) {
    if ((this.#get(sessionId, name) ?? null) === value) return;
    for (const [field, to] of /** @type {[string, unknown][]} */ ([
      [name, value],
      ["at", Date.now()],
    ])) {
      entryOf(this.#chats, sessionId, () => new Map()).set(field, to);
      entryOf(this.#changed, sessionId, () => new Set()).add(field);
    }
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    queueMicrotask(() => this.flush());
  }

  /** Take over what is stored, under what has been changed here since. */
  #readAgain() {
    if (!this.#storage) return;
    const stored = this.#read();
    // The page's own fields are of this tab: they are read when it is opened.
    const page = this.#chats.get("");
    for (const [sessionId, names] of this.#changed) {
      const fields = entryOf(stored, sessionId, () => new Map());
      for (const name of names) fields.set(name, this.#get(sessionId, name) ?? null);
    }
    this.#chats = page ? stored.set("", page) : stored;
  }

  /** @returns {Map<string, Fields>} */
  #read() {
    try {
      const json = JSON.parse(this.#storage?.getItem(this.#key) ?? "null");
      const chats = json?.version === VERSION ? (objectOf(json.chats) ?? {}) : {};
      return new Map(
        Object.entries(chats).map(([id, fields]) => [
          id,
          new Map(Object.entries(objectOf(fields) ?? {})),
        ]),
      );
    } catch {
      return new Map();
    }
  }
}

/**
 * @template Key, Value
 * @param {Map<Key, Value>} map
 * @param {Key} key
 * @param {() => Value} create
 */
function entryOf(map, key, create) {
  const value = map.get(key) ?? create();
  map.set(key, value);
  return value;
}

/**
 * Return the page's fields and the conversations that are kept, without the fields that are none.
 *
 * @param {Map<string, Fields>} chats
 * @param {number} most
 */
function newest(chats, most) {
  const rank = (/** @type {Fields} */ fields) =>
    [...fields.keys()].some((name) => name.startsWith(UNSENT))
      ? Infinity
      : Number(fields.get("at"));
  return [...chats]
    .map(([id, fields]) => /** @type {const} */ ([id, withoutNulls(fields)]))
    .filter(([id, fields]) => id === "" || fields.size > 1)
    .map(([id, fields]) => ({ id, fields, rank: id === "" ? Infinity : rank(fields) || 0 }))
    .sort((a, b) => (a.rank === b.rank ? 0 : b.rank - a.rank))
    .slice(0, most + 1)
    .map(({ id, fields }) => /** @type {[string, Fields]} */ ([id, fields]));
}

/** @param {Fields} fields */
const withoutNulls = (fields) => new Map([...fields].filter(([, value]) => value !== null));

/**
 * @param {Record<string, any> | null} json
 * @returns {Address | null}
 */
function toAddress(json) {
  const sessionId = textOrNull(json?.sessionId);
  const businessId = textOrNull(json?.businessId);
  return sessionId && businessId ? { sessionId, businessId, userId: textOf(json?.userId) } : null;
}

/**
 * @param {unknown} value
 * @returns {Unsent | null}
 */
function toUnsent(value) {
  const json = objectOf(value);
  const address = toAddress(json);
  const mode = MODES.find((known) => known === json?.mode);
  const text = textOrNull(json?.text);
  if (!address || !mode || !text) return null;
  return { ...address, mode, text, at: textOf(json?.at), reason: textOrNull(json?.reason) };
}
