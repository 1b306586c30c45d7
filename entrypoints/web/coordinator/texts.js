/** The words of the coordinators' page: each text in English and in Romanian. */

import { plainName, Words } from "../chat/texts.js";

/** @import { Author } from "../client/messages.js" */
/** @import { ErrorResponse } from "../client/phoenix.js" */

/**
 * `{name}` stands for a value; the forms of a number are separated by `|`: one and other in English,
 * one, few and other in Romanian, where `#` is the number.
 */
const TEXTS = {
  title: ["Coordinators", "Coordonatori"],
  conversations: ["Conversations", "Conversații"],
  you: ["you", "dvs."],
  youSaid: ["You", "Dvs."],
  assistant: ["Assistant", "Asistent"],
  colleague: ["Colleague", "Coleg"],
  customer: ["Customer", "Client"],
  notice: ["Notice", "Anunț"],
  visitor: ["Visitor {id}", "Vizitator {id}"],
  cancel: ["Cancel", "Renunță"],
  close: ["Close", "Închide"],
  retry: ["Try again", "Încearcă din nou"],

  "status.waiting": ["waiting", "așteaptă"],
  "status.live": ["with {name}", "cu {name}"],
  "status.ai": ["with the assistant", "cu asistentul"],
  "status.closed": ["closed", "închisă"],

  "reason.user_request": ["Asked for a person", "A cerut o persoană"],
  "reason.ai_decision": ["Handed over by the assistant", "Transferată de asistent"],
  "reason.ai_failure": ["The assistant failed", "Asistentul nu a reușit"],
  "reason.coordinator": ["A colleague stepped in", "A intervenit un coleg"],
  "reason.requeued": ["Put back in the queue", "Repusă în coadă"],
  "reason.coordinator_away": ["The colleague had to leave", "Colegul a trebuit să plece"],

  yes: ["Yes", "Da"],
  no: ["No", "Nu"],
  askedYou: ["The assistant waits for a coordinator’s yes", "Asistentul așteaptă acordul dvs."],
  askedUser: [
    "The assistant waits for the customer’s yes",
    "Asistentul așteaptă acordul clientului",
  ],
  until: ["until {time}", "până la {time}"],
  by: ["by {name}", "de {name}"],
  "asked.proposed": ["waits for a yes", "așteaptă acordul"],
  "asked.approved": ["Confirmed. It is being done.", "Confirmat. Se face acum."],
  "asked.rejected": ["Declined. Nothing was done.", "Refuzat. Nu s-a făcut nimic."],
  "asked.expired": [
    "Nobody answered in time. Nothing was done.",
    "Nimeni nu a răspuns la timp. Nu s-a făcut nimic.",
  ],
  "asked.withdrawn": [
    "No longer valid. Nothing was done.",
    "Nu mai este valabil. Nu s-a făcut nimic.",
  ],
  "asked.started": ["has begun", "a început"],
  "asked.done": ["Done.", "S-a făcut."],
  "asked.failed": [
    "It could not be done. Nothing was changed.",
    "Nu s-a putut face. Nu s-a schimbat nimic.",
  ],
  "asked.unknown": [
    "It is not known whether it was done. Please check.",
    "Nu se știe dacă s-a făcut. Vă rugăm să verificați.",
  ],

  "refusal.other": ["It was refused ({reason}).", "A fost refuzat ({reason})."],
  "refusal.already_claimed": ["It is with {by} by now.", "Între timp este la {by}."],
};

/** @typedef {keyof typeof TEXTS} TextKey */
/** @typedef {Record<string, string | number>} Values */

/** The words in one language, with how times and numbers are written in it. */
export class DeskWords extends Words {
  #column;

  /** @param {string} language  a BCP 47 tag; English, unless it is Romanian */
  constructor(language = globalThis.navigator?.language ?? "en") {
    const isRomanian = /^ro\b/i.test(language);
    super(isRomanian ? language : "en-GB");
    this.#column = isRomanian ? 1 : 0;
  }

  /**
   * Return a text with its values.
   *
   * @param {TextKey} key
   * @param {Values} [values]
   */
  t(key, values = {}) {
    return this.#fill(TEXTS[key][this.#column], values);
  }

  /**
   * Return a text about a number of things.
   *
   * @param {TextKey} key
   * @param {number} n
   * @param {Values} [values]
   */
  n(key, n, values = {}) {
    const [one, few = one, other = few] = TEXTS[key][this.#column].split("|");
    return this.#fill(this.count({ one, few, other }, n), values);
  }

  /**
   * Return the text for a code of the wire's; the code itself where there is none.
   *
   * @param {"status" | "reason" | "asked" | "refusal"} kind
   * @param {string | null | undefined} code
   * @param {Values} [values]
   */
  code(kind, code, values = {}) {
    const key = `${kind}.${code}`;
    return Object.hasOwn(TEXTS, key) ? this.t(/** @type {TextKey} */ (key), values) : (code ?? "");
  }

  /**
   * Return why a request was refused, and what to do about it.
   *
   * @param {string} reason
   * @param {ErrorResponse | null} [response]
   */
  refusalOf(reason, response) {
    const by = response?.by ?? this.t("colleague");
    const isKnown = Object.hasOwn(TEXTS, `refusal.${reason}`);
    return this.code("refusal", isKnown ? reason : "other", { reason, by });
  }

  /**
   * Return the name of a customer. The server has named a visitor by 32 hexadecimal digits, of which
   * the first tell those of a day apart.
   *
   * @param {string} userId
   */
  customer(userId) {
    const isVisitor = /^v-[0-9a-f]{32}$/.test(userId);
    return isVisitor ? this.t("visitor", { id: userId.slice(2, 6) }) : plainName(userId);
  }

  /**
   * Return the name of an author.
   *
   * @param {{author: Author, coordinatorId?: string | null}} message
   */
  author({ author, coordinatorId }) {
    if (author === "user") return this.t("customer");
    if (author === "ai") return this.t("assistant");
    return plainName(coordinatorId) || this.t(author === "coordinator" ? "colleague" : "notice");
  }

  /**
   * @param {string} text
   * @param {Values} values
   */
  #fill(text, values) {
    return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
  }
}
