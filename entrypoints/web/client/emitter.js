/** Typed events: the base class of what a page observes. */

/**
 * An EventTarget whose events carry a typed `detail`.
 *
 * @template {Record<string, unknown>} Events  the type of the detail, by the name of the event
 */
export class Emitter extends EventTarget {
  /**
   * Call `listener` with the detail of every event `type`; return a function that stops that.
   *
   * @template {keyof Events & string} Type
   * @param {Type} type
   * @param {(detail: Events[Type]) => void} listener
   */
  on(type, listener) {
    /** @param {Event} event */
    const handle = (event) => listener(/** @type {CustomEvent<Events[Type]>} */ (event).detail);
    this.addEventListener(type, handle);
    return () => this.removeEventListener(type, handle);
  }

  /**
   * Dispatch the event `type` to its listeners.
   *
   * @internal
   * @protected
   * @template {keyof Events & string} Type
   * @param {Type} type
   * @param {Events[Type]} detail
   */
  emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
