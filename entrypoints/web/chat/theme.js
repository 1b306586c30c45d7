/** The colours that follow from a business's own, each readable on what it is on. */

/** @typedef {[red: number, green: number, blue: number]} Colour  each 0–255 */

const LEAST_CONTRAST = 4.5;
// The grounds of chat.css that words in the accent stand on: the darkest light, the lightest dark.
const LIGHT_GROUND = /** @type {Colour} */ ([240, 242, 244]);
const DARK_GROUND = /** @type {Colour} */ ([42, 47, 54]);
const WHITE = /** @type {Colour} */ ([255, 255, 255]);
const BLACK = /** @type {Colour} */ ([0, 0, 0]);
const DEFAULT = /** @type {Colour} */ ([47, 111, 98]);

/**
 * Return the custom properties for a colour, `#rrggbb` or `#rgb`; of any other text the default's.
 *
 * @param {string | null | undefined} text
 * @returns {Record<string, string>}
 */
export function accentProperties(text) {
  const accent = parseColour(text) ?? DEFAULT;
  const isLight = contrast(accent, WHITE) < LEAST_CONTRAST;
  return {
    "--accent": css(accent),
    "--on-accent": css(isLight ? BLACK : WHITE),
    "--accent-on-light": css(readable(accent, LIGHT_GROUND, BLACK)),
    "--accent-on-dark": css(readable(accent, DARK_GROUND, WHITE)),
  };
}

/**
 * Return a colour, as far towards another one as it must be to be read on a ground.
 *
 * @param {Colour} colour
 * @param {Colour} ground
 * @param {Colour} towards
 */
function readable(colour, ground, towards) {
  for (let share = 0; share < 1; share += 0.05) {
    const mixed = mix(colour, towards, share);
    if (contrast(mixed, ground) >= LEAST_CONTRAST) return mixed;
  }
  return towards;
}

/**
 * @param {string | null | undefined} text
 * @returns {Colour | null}
 */
function parseColour(text) {
  const digits = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(String(text).trim())?.[1];
  if (!digits) return null;
  const pairs = digits.length === 3 ? [...digits].map((d) => d + d) : digits.match(/../g);
  return /** @type {Colour} */ (pairs?.map((pair) => parseInt(pair, 16)));
}

/**
 * Return the contrast of two colours (WCAG 2.2), from 1 to 21.
 *
 * @param {Colour} one
 * @param {Colour} other
 */
export function contrast(one, other) {
  const [darker, lighter] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

/** @param {Colour} colour */
function luminance(colour) {
  const [red, green, blue] = colour.map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/**
 * @param {Colour} from
 * @param {Colour} to
 * @param {number} share
 */
const mix = (from, to, share) =>
  /** @type {Colour} */ (from.map((value, n) => Math.round(value + (to[n] - value) * share)));

/** @param {Colour} colour */
const css = (colour) => `rgb(${colour.join(" ")})`;
