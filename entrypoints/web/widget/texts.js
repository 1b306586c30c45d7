/** What the launcher says before the chat itself is loaded. */

/**
 * @typedef {object} Texts
 * @property {string} open
 * @property {string} close
 * @property {string} loading
 * @property {string} failed
 * @property {string} retry
 * @property {(count: number) => string} unread
 */

/** @type {Record<string, Texts>} */
const TEXTS = {
  en: {
    open: "Open the chat",
    close: "Close the chat",
    loading: "The chat is being loaded…",
    failed: "The chat could not be loaded.",
    retry: "Try again",
    unread: (count) => `${count} unread ${count === 1 ? "message" : "messages"}`,
  },
  ro: {
    open: "Deschide chatul",
    close: "Închide chatul",
    loading: "Chatul se încarcă…",
    failed: "Chatul nu a putut fi încărcat.",
    retry: "Încearcă din nou",
    unread: (count) => `${count} ${count === 1 ? "mesaj necitit" : "mesaje necitite"}`,
  },
};

/**
 * Return the texts in a language, or in English.
 *
 * @param {string} language  a BCP 47 tag
 */
export const textsIn = (language) => TEXTS[language.split("-")[0].toLowerCase()] ?? TEXTS.en;
