/** What a browser remembers for one coordinator, over reloads and in all tabs. */

import { Emitter } from "../client/emitter.js";
import { browserStorage } from "../client/memory.js";
import { objectOf, textOf, textOrNull } from "./wire.js";

/** @import { KeyStorage } from "../client/memory.js" */

/** @typedef {"reply" | "note" | "whisper"} Mode  what the composer writes */
/** @typedef {{sessionId: string, businessId: string, userId: string}} Address  of a conversation */
/**
 * @typedef {Address & {mode: Mode, text: string, at: string, reason: string | null}} Unsent
 *   what is on its way; `reason`: why it failed
 */
/** @typedef {Map<string, unknown>} Fields  by name; `at`: the newest change of one, in epoch ms */

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
  /** @type {Map<string, Fields>} those that are not stored yet; null: removed */
  #edits = new Map();
  #isFlushDue = false;

  /**
   * @param {string} coordinatorId
   * @param {KeyStorage | null} [storage]  default: `localStorage`, where there is one
   */
  constructor(coordinatorId, storage = browserStorage()) {
    super();
    this.#key = `ai-agent-desk:${coordinatorId}`;
    this.#storage = storage;
    this.#chats = this.#read();
    globalThis.window?.addEventListener?.("storage", this.#onStorage);
  }

  dispose() {
    this.flush();
    globalThis.window?.removeEventListener?.("storage", this.#onStorage);
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

  /** @param {string} sessionId @param {Mode} mode @param {string} text */
  setDraft(sessionId, mode, text) {
    this.#set(sessionId, `draft ${mode}`, text.slice(0, MAX_TEXT) || null);
  }

  /**
   * Return what was written last; null: nothing was.
   *
   * @param {string} sessionId
   */
  mode(sessionId) {
    return MODES.find((mode) => mode === this.#get(sessionId, "mode")) ?? null;
  }

  /** @param {string} sessionId @param {Mode} mode */
  setMode(sessionId, mode) {
    this.#set(sessionId, "mode", mode);
  }

  /**
   * Return the key of the item at which the conversation was left; null: at its end.
   *
   * @param {string} sessionId
   */
  place(sessionId) {
    return textOrNull(this.#get(sessionId, "place"));
  }

  /** @param {string} sessionId @param {string | null} key */
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
   */
  unsent(sessionId) {
    return [...(this.#chats.get(sessionId) ?? [])].flatMap(([name, value]) => {
      const unsent = name.startsWith(UNSENT) ? toUnsent(objectOf(value)) : null;
      return unsent ? [/** @type {const} */ ([name.slice(UNSENT.length), unsent])] : [];
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
    const all = [...this.#chats.keys()].map((sessionId) => this.unsent(sessionId));
    return all.flatMap((unsent) => unsent.find(([, { reason }]) => reason === null)?.[1] ?? []);
  }

  /** Write what has changed, over what another tab has written meanwhile. */
  flush() {
    this.#isFlushDue = false;
    if (this.#edits.size === 0 || !this.#storage) return;
    this.#readAgain();
    // Where the storage is full, the newest conversations are kept.
    for (let most = MAX_CHATS; most >= 1; most = Math.floor(most / 4)) {
      const kept = newest(this.#chats, most);
      const chats = [...kept].map(([sessionId, fields]) => [sessionId, Object.fromEntries(fields)]);
      try {
        const json = { version: VERSION, chats: Object.fromEntries(chats) };
        this.#storage.setItem(this.#key, JSON.stringify(json));
      } catch {
        continue;
      }
      if (most < MAX_CHATS) return;
      this.#chats = kept;
      this.#edits.clear();
      return;
    }
  }

  /** @param {string} sessionId @param {string} name */
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
    for (const chats of [this.#chats, this.#edits]) {
      chats.set(
        sessionId,
        new Map([...(chats.get(sessionId) ?? []), [name, value], ["at", Date.now()]]),
      );
    }
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    queueMicrotask(() => this.flush());
  }

  /** Take over what is stored, under what has been changed here since. */
  #readAgain() {
    const page = this.#chats.get(""); // of this tab: what is stored is read when a page is opened
    this.#chats = this.#read();
    if (page) this.#chats.set("", page);
    for (const [sessionId, edited] of this.#edits) {
      this.#chats.set(sessionId, new Map([...(this.#chats.get(sessionId) ?? []), ...edited]));
    }
  }

  #onStorage = (/** @type {StorageEvent} */ { key, storageArea }) => {
    if (storageArea !== this.#storage || (key !== null && key !== this.#key)) return;
    this.#readAgain();
    this.emit("change", null);
  };

  /** @returns {Map<string, Fields>} */
  #read() {
    try {
      const json = JSON.parse(this.#storage?.getItem(this.#key) ?? "null");
      const chats = json?.version === VERSION ? fieldsOf(json.chats) : [];
      return new Map(chats.map(([sessionId, fields]) => [sessionId, new Map(fieldsOf(fields))]));
    } catch {
      return new Map();
    }
  }
}

/** @param {unknown} json */
const fieldsOf = (json) => Object.entries(objectOf(json) ?? {});

/**
 * Return the page's fields and those of the newest conversations, without what was removed; one
 * with something on its way is among the newest.
 *
 * @param {Map<string, Fields>} chats
 * @param {number} most
 */
function newest(chats, most) {
  const kept = [...chats].flatMap(([sessionId, all]) => {
    const fields = new Map([...all].filter(([, value]) => value !== null));
    const isUnsent = [...fields.keys()].some((name) => name.startsWith(UNSENT));
    const rank = sessionId === "" || isUnsent ? Infinity : Number(fields.get("at")) || 0;
    return sessionId === "" || fields.size > 1 ? [{ sessionId, fields, rank }] : [];
  });
  kept.sort((a, b) => (a.rank === b.rank ? 0 : b.rank - a.rank));
  return new Map(kept.slice(0, most + 1).map(({ sessionId, fields }) => [sessionId, fields]));
}

/** @param {Record<string, any> | null} json @returns {Address | null} */
function toAddress(json) {
  const [sessionId, businessId] = [textOrNull(json?.sessionId), textOrNull(json?.businessId)];
  return sessionId && businessId ? { sessionId, businessId, userId: textOf(json?.userId) } : null;
}

/** @param {Record<string, any> | null} json @returns {Unsent | null} */
function toUnsent(json) {
  const address = toAddress(json);
  const mode = MODES.find((known) => known === json?.mode);
  const text = textOrNull(json?.text);
  if (!address || !mode || !text) return null;
  return { ...address, mode, text, at: textOf(json?.at), reason: textOrNull(json?.reason) };
}
