/** Typed events: the base class of what a page observes. */

/**
 * An EventTarget whose events carry a typed `detail`.
 *
 * @template {Record<string, unknown>} Events  the type of the detail, by the name of the event
 */
export class Emitter extends EventTarget {
  /**
   * Call `listener` with the detail of every event `type`.
   *
   * @template {keyof Events & string} Type
   * @param {Type} type
   * @param {(detail: Events[Type]) => void} listener
   */
  on(type, listener) {
    this.addEventListener(type, (event) => {
      listener(/** @type {CustomEvent<Events[Type]>} */ (event).detail);
    });
  }

  /**
   * Dispatch the event `type` to its listeners.
   *
   * @protected
   * @template {keyof Events & string} Type
   * @param {Type} type
   * @param {Events[Type]} detail
   */
  emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
