/** The log of one session, as far as it is here. */

/** @import { LogEntry } from "./conversation.js" */

/** The entries of one session, by seq: it rises from one to the next, but not always by 1. */
export class SessionLog {
  /** @type {LogEntry[]} by seq */
  entries = [];
  /** @type {Set<string>} */
  #keys = new Set();
  /** @type {LogEntry[]} those behind a gap */
  #ahead = [];

  /**
   * @param {string} sessionId
   * @param {number} startsAfter  the seq before the first one that is wanted
   */
  constructor(sessionId, startsAfter) {
    this.sessionId = sessionId;
    /** Up to here, nothing is missing. */
    this.completeSeq = startsAfter;
    /** The highest seq that is known to exist. */
    this.headSeq = startsAfter;
    /** The newest seq before those that are here; 0: there is none. */
    this.earlierSeq = startsAfter;
  }

  /**
   * Add an entry; return whether it is new.
   *
   * @param {LogEntry} entry
   */
  add(entry) {
    const { entries } = this;
    let n = entries.length; // mostly it is the newest
    if (n > 0 && entry.seq <= entries[n - 1].seq) {
      n = this.#placeOf(entry.seq);
      if (entries[n]?.seq === entry.seq) return false;
    }
    entries.splice(n, 0, entry);
    this.#keys.add(entry.key);
    this.headSeq = Math.max(this.headSeq, entry.seq);
    this.earlierSeq = Math.min(this.earlierSeq, entry.prevSeq);
    this.#ahead.push(entry);
    this.#advance();
    return true;
  }

  /**
   * Accept that no more entries exist up to `seq`.
   *
   * @param {number} seq
   */
  markComplete(seq) {
    this.completeSeq = Math.max(this.completeSeq, seq);
    this.#advance();
  }

  get hasGap() {
    return this.completeSeq < this.headSeq;
  }

  /**
   * Return whether an entry has this key.
   *
   * @param {string} key
   */
  has(key) {
    return this.#keys.has(key);
  }

  /**
   * Return the index of the first entry that is not before `seq`.
   *
   * @param {number} seq
   */
  #placeOf(seq) {
    let low = 0;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.entries[middle].seq < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #advance() {
    this.#ahead.sort((a, b) => a.seq - b.seq);
    while (this.#ahead.length > 0 && this.#ahead[0].prevSeq <= this.completeSeq) {
      const { seq } = /** @type {LogEntry} */ (this.#ahead.shift());
      this.completeSeq = Math.max(this.completeSeq, seq);
    }
  }
}
