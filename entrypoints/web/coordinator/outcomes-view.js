/** The outcomes of a business: its figures for some days, in all and by day. */

import { byId, el, typedById } from "../shared/dom.js";
import { PushError } from "../client/phoenix.js";

/** @import { Desk } from "./desk.js" */
/** @import { DeskWords, TextKey } from "./texts.js" */

/** @typedef {{count: number, medianS: number | null}} Times */
/**
 * @typedef {object} Figures  of a day, or of all
 * @property {string} [day]
 * @property {number} conversations
 * @property {number} ended
 * @property {number} solved
 * @property {Record<string, number>} handoffs  by reason
 * @property {Times} firstAnswer
 * @property {Times} human  from the request to the takeover
 * @property {Record<string, number>} ratings  by rating
 * @property {number | null} averageRating
 * @property {number} unansweredQuestions
 * @property {number | null} tokensPerConversation
 * @property {number | null} cost
 */
/** @typedef {{title: TextKey, valueOf: (figures: Figures) => string, detail?: string}} Column */

const PERIODS = [1, 7, 30, 90];
const DAY_MS = 86_400_000;

export class OutcomesView {
  #desk;
  #words;
  #business = typedById(HTMLSelectElement, "outcomes-business");
  #period = typedById(HTMLSelectElement, "outcomes-period");
  #body = byId("outcomes-body");
  /** The newest request: the reply to an earlier one is dropped. */
  #request = 0;

  /**
   * @param {Desk} desk
   * @param {DeskWords} words
   */
  constructor(desk, words) {
    this.#desk = desk;
    this.#words = words;
    const periods = PERIODS.map((days) =>
      el("option", { value: String(days) }, words.n("lastDays", days)),
    );
    this.#period.append(...periods);
    this.#period.value = "7";
    this.#business.hidden = desk.businesses.length < 2;
    for (const select of [this.#period, this.#business]) {
      select.addEventListener("change", () => this.load());
    }
  }

  /** Load the figures and show them. */
  async load() {
    const { businesses, filter } = this.#desk;
    const options = businesses.map(({ businessId, name }) =>
      el("option", { value: businessId }, name),
    );
    const chosen = this.#business.value || filter;
    this.#business.replaceChildren(...options);
    this.#business.value = chosen ?? businesses[0].businessId;
    const request = (this.#request += 1);
    this.#body.ariaBusy = "true";
    const shown = await this.#loaded();
    if (request !== this.#request) return;
    this.#body.ariaBusy = "false";
    this.#body.replaceChildren(...shown);
  }

  async #loaded() {
    // The server counts by days of UTC.
    const [from, to] = [Number(this.#period.value) - 1, 0].map((days) =>
      new Date(Date.now() - days * DAY_MS).toISOString().slice(0, 10),
    );
    try {
      return this.#elements(await this.#desk.outcomes(this.#business.value, { from, to }));
    } catch (error) {
      if (!(error instanceof PushError)) throw error;
      const retry = el("button", { type: "button", className: "quiet" }, this.#words.t("retry"));
      retry.addEventListener("click", () => this.load());
      const text = this.#words.refusalOf(error.reason, error.response);
      return [el("p", { className: "note", role: "alert" }, text, " ", retry)];
    }
  }

  /** @param {any} outcomes  as the server reports them */
  #elements({ currency, days, total }) {
    const words = this.#words;
    if (total.conversations + total.ended + sumOf(total.handoffs) === 0) {
      return [el("p", { className: "note" }, words.t("outcomes.none"))];
    }
    const columns = this.#columns(total, currency);
    const tiles = columns.map(({ title, valueOf, detail = "" }) => {
      const value = el("dd", {}, valueOf(total), " ", el("small", {}, detail));
      return el("div", {}, el("dt", {}, words.t(title)), value);
    });
    const reasons = Object.entries(total.handoffs).sort(([, one], [, other]) => other - one);
    const byReason = reasons.map(([reason, n]) => [words.code("reason", reason), n]);
    const byStars = [5, 4, 3, 2, 1].map((n) => ["★".repeat(n), total.ratings[n] ?? 0]);
    const shares = [
      this.#shares("outcomes.reasons", byReason),
      this.#shares("outcomes.ratings", byStars),
    ];
    return [
      el("dl", { className: "tiles" }, ...tiles),
      el("p", { className: "muted" }, words.t("outcomes.solvedMeans")),
      el("div", { className: "shares" }, ...shares),
      this.#table(days.reverse(), columns),
    ];
  }

  /**
   * @param {Figures} total
   * @param {string | null} currency
   */
  #columns({ ratings, solved, ended, cost }, currency) {
    const words = this.#words;
    const number = (
      /** @type {number | null} */ n,
      /** @type {Intl.NumberFormatOptions} */ format = {},
    ) =>
      n === null ? "–" : n.toLocaleString(words.locale, { maximumFractionDigits: 1, ...format });
    const time = (/** @type {Times} */ { medianS }) =>
      medianS === null ? "–" : words.duration(medianS * 1000);
    const median = words.t("outcomes.median");
    /** @type {Intl.NumberFormatOptions} */
    const money = { style: "currency", currency: currency ?? "", maximumFractionDigits: 2 };
    /** @type {(Column | null)[]} */
    const columns = [
      { title: "outcomes.conversations", valueOf: (each) => number(each.conversations) },
      {
        title: "outcomes.solved",
        valueOf: (each) =>
          number(each.ended ? each.solved / each.ended : null, {
            style: "percent",
            maximumFractionDigits: 0,
          }),
        detail: words.t("outcomes.ofEnded", { n: number(solved), ended: number(ended) }),
      },
      { title: "outcomes.handoffs", valueOf: (each) => number(sumOf(each.handoffs)) },
      { title: "outcomes.firstAnswer", valueOf: (each) => time(each.firstAnswer), detail: median },
      { title: "outcomes.human", valueOf: (each) => time(each.human), detail: median },
      {
        title: "outcomes.rating",
        valueOf: (each) => number(each.averageRating),
        detail: words.n("outcomes.rated", sumOf(ratings)),
      },
      { title: "outcomes.unanswered", valueOf: (each) => number(each.unansweredQuestions) },
      {
        title: "outcomes.tokens",
        valueOf: (each) => number(each.tokensPerConversation, { maximumFractionDigits: 0 }),
      },
      cost === null
        ? null
        : { title: "outcomes.cost", valueOf: (each) => number(each.cost, money) },
    ];
    return columns.filter((column) => column !== null);
  }

  /**
   * @param {TextKey} title
   * @param {any[][]} entries  a text and its number each
   */
  #shares(title, entries) {
    const most = Math.max(1, ...entries.map(([, n]) => n));
    const rows = entries.map(([text, n]) => {
      const bar = el("span", { className: "bar" });
      bar.style.width = `${(n / most) * 100}%`;
      return el("li", {}, el("span", {}, text), bar, el("b", {}, this.#words.number(n)));
    });
    return el("section", {}, el("h3", {}, this.#words.t(title)), el("ol", {}, ...rows));
  }

  /**
   * @param {Figures[]} days
   * @param {Column[]} columns
   */
  #table(days, columns) {
    const titles = /** @type {TextKey[]} */ ([
      "outcomes.day",
      ...columns.map(({ title }) => title),
    ]);
    const heads = titles.map((title) => el("th", { scope: "col" }, this.#words.t(title)));
    const rows = days.map((figures) => {
      const day = this.#words.shortDay(new Date(`${figures.day}T12:00`));
      const cells = columns.map(({ valueOf }) => el("td", {}, valueOf(figures)));
      return el("tr", {}, el("th", { scope: "row" }, day), ...cells);
    });
    const table = el("table", {}, el("tr", {}, ...heads), ...rows);
    const ariaLabel = this.#words.t("outcomes.byDay");
    return el("div", { className: "days", role: "region", ariaLabel, tabIndex: 0 }, table);
  }
}

/** @param {Record<string, number>} counts */
const sumOf = (counts) => Object.values(counts).reduce((sum, n) => sum + n, 0);
