/** The part of a long list that is on the page. */

const LIMIT = 300;
const FIRST = 60;
const STEP = 80;

/**
 * The window over a list of items: `items.slice(from, to)` are shown.
 *
 * It stays with what it shows while the list grows before and behind it.
 */
export class ListWindow {
  from = 0;
  to = 0;
  /** @type {string | undefined} the key of the first item that is shown */
  #first;
  /** The length of the list. */
  #length = 0;

  /**
   * Follow the changes of the list.
   *
   * @param {readonly {key: string}[]} items
   * @param {boolean} followsEnd  whether the reader is at its end
   */
  update(items, followsEnd) {
    const { length } = items;
    const moved = this.#first === undefined ? -1 : indexOf(items, this.#first, this.from);
    if (moved < 0) {
      // Another list, or one that was empty.
      this.#show(items, length - FIRST, length);
      return;
    }
    // A window that reached the end goes on reaching it, as far as it may grow.
    const reachedEnd = this.to >= this.#length;
    const to = reachedEnd ? length : moved + (this.to - this.from);
    if (followsEnd && length - moved > LIMIT) this.#show(items, length - LIMIT + STEP, length);
    else if (followsEnd) this.#show(items, Math.min(moved, length - FIRST), length);
    else this.#show(items, moved, Math.min(to, moved + LIMIT));
  }

  /**
   * Show more of what is before.
   *
   * @param {readonly {key: string}[]} items
   */
  earlier(items) {
    const from = Math.max(0, this.from - STEP);
    this.#show(items, from, Math.min(this.to, from + LIMIT));
  }

  /**
   * Show more of what is behind.
   *
   * @param {readonly {key: string}[]} items
   */
  later(items) {
    const to = Math.min(items.length, this.to + STEP);
    this.#show(items, Math.max(this.from, to - LIMIT), to);
  }

  /**
   * Show the end.
   *
   * @param {readonly {key: string}[]} items
   */
  end(items) {
    if (!this.isAtEnd) this.#show(items, items.length - FIRST, items.length);
  }

  /**
   * Show what is around an item; return whether there is one of this key.
   *
   * @param {readonly {key: string}[]} items
   * @param {string} key
   */
  around(items, key) {
    const at = indexOf(items, key, this.from);
    if (at >= this.from && at < this.to) return true;
    if (at >= 0) this.#show(items, at - FIRST, Math.min(at + STEP, items.length));
    return at >= 0;
  }

  get isAtStart() {
    return this.from === 0;
  }

  get isAtEnd() {
    return this.to === this.#length;
  }

  /**
   * @param {readonly {key: string}[]} items
   * @param {number} from
   * @param {number} to
   */
  #show(items, from, to) {
    this.from = Math.max(0, from);
    this.to = to;
    this.#first = items[this.from]?.key;
    this.#length = items.length;
  }
}

/**
 * Return the index of a key, which is most likely near `guess` or behind it.
 *
 * @param {readonly {key: string}[]} items
 * @param {string} key
 * @param {number} guess
 */
function indexOf(items, key, guess) {
  const found = items.findIndex((item, n) => n >= guess && item.key === key);
  return found < 0 ? items.findIndex((item) => item.key === key) : found;
}
