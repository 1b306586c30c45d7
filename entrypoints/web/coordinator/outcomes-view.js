/** The outcomes of a business: its figures for some days, in all and by day. */

import { byId, el, typedById } from "../shared/dom.js";
import { PushError } from "../client/phoenix.js";

/** @import { Desk } from "./desk.js" */
/** @import { DeskWords, TextKey } from "./texts.js" */

/** @typedef {Record<string, any>} Figures  of a day, or of all, as the server reports them */
/** @typedef {[title: TextKey, valueOf: (of: Figures) => string, detail?: string]} Column */

const PERIODS = [1, 7, 30, 90];
const DAY_MS = 86_400_000;
const NONE = "–";

export class OutcomesView {
  #desk;
  #words;
  #business = typedById(HTMLSelectElement, "outcomes-business");
  #period = typedById(HTMLSelectElement, "outcomes-period");
  #body = byId("outcomes-body");
  /** The newest request: the reply to an earlier one is dropped. */
  #request = 0;

  /** @param {Desk} desk @param {DeskWords} words */
  constructor(desk, words) {
    this.#desk = desk;
    this.#words = words;
    for (const days of PERIODS) {
      this.#period.append(el("option", { value: `${days}` }, words.n("lastDays", days)));
    }
    for (const { businessId, name } of desk.businesses) {
      this.#business.append(el("option", { value: businessId }, name));
    }
    this.#period.value = "7";
    this.#business.hidden = desk.businesses.length < 2;
    for (const select of [this.#period, this.#business]) {
      select.addEventListener("change", () => this.load());
    }
  }

  /** Load the figures and show them. */
  async load() {
    const request = (this.#request += 1);
    this.#body.ariaBusy = "true";
    const shown = await this.#loaded();
    if (request !== this.#request) return;
    this.#body.ariaBusy = "false";
    this.#body.replaceChildren(...shown);
  }

  async #loaded() {
    const days = Number(this.#period.value);
    // The server counts by days of UTC.
    const dayOf = (/** @type {number} */ ms) => new Date(ms).toISOString().slice(0, 10);
    const period = { from: dayOf(Date.now() - (days - 1) * DAY_MS), to: dayOf(Date.now()) };
    try {
      return this.#elements(await this.#desk.outcomes(this.#business.value, period));
    } catch (error) {
      if (!(error instanceof PushError)) throw error;
      const retry = el("button.quiet", {}, this.#words.t("retry"));
      retry.addEventListener("click", () => this.load());
      const text = this.#words.refusalOf(error.reason, error.response);
      return [el("p.note", { role: "alert" }, text, " ", retry)];
    }
  }

  /** @param {any} outcomes */
  #elements({ currency, days, total }) {
    const words = this.#words;
    if (total.conversations + total.ended + sumOf(total.handoffs) === 0) {
      return [el("p.note", {}, words.t("outcomes.none"))];
    }
    const columns = this.#columns(total, currency);
    const tiles = columns.map(([title, valueOf, detail = ""]) => {
      const value = el("dd", {}, valueOf(total), el("small", {}, detail));
      return el("div", {}, el("dt", {}, words.t(title)), value);
    });
    const reasons = Object.entries(total.handoffs).sort(([, one], [, other]) => other - one);
    const byReason = reasons.map(([reason, n]) => [words.code("reason", reason), n]);
    const byStars = [5, 4, 3, 2, 1].map((n) => ["★".repeat(n), total.ratings[n] ?? 0]);
    return [
      el("dl.tiles", {}, ...tiles),
      el("p.muted", {}, words.t("outcomes.solvedMeans")),
      this.#shares("outcomes.reasons", byReason),
      this.#shares("outcomes.ratings", byStars),
      this.#table(days.reverse(), columns),
    ];
  }

  /** @param {Figures} total @param {string | null} currency @returns {Column[]} */
  #columns({ ratings, solved, ended, cost }, currency) {
    const words = this.#words;
    const number = (/** @type {number | null} */ n, maximumFractionDigits = 0, format = {}) =>
      n?.toLocaleString(words.locale, { maximumFractionDigits, ...format }) ?? NONE;
    const time = (/** @type {{medianS: number | null}} */ { medianS }) =>
      medianS === null ? NONE : words.duration(medianS * 1000);
    const share = (/** @type {Figures} */ of) =>
      number(of.ended ? of.solved / of.ended : null, 0, { style: "percent" });
    const ofEnded = words.t("outcomes.ofEnded", { n: number(solved), ended: number(ended) });
    const median = words.t("outcomes.median");
    /** @type {Column[]} */
    const columns = [
      ["outcomes.conversations", (of) => number(of.conversations)],
      ["outcomes.solved", share, ofEnded],
      ["outcomes.handoffs", (of) => number(sumOf(of.handoffs))],
      ["outcomes.firstAnswer", (of) => time(of.firstAnswer), median],
      ["outcomes.human", (of) => time(of.human), median],
      ["outcomes.rating", (of) => number(of.averageRating, 1), words.n("rated", sumOf(ratings))],
      ["outcomes.unanswered", (of) => number(of.unansweredQuestions)],
      ["outcomes.tokens", (of) => number(of.tokensPerConversation)],
      ["outcomes.cost", (of) => number(of.cost, 2, { style: "currency", currency })],
    ];
    return cost === null || !currency ? columns.slice(0, -1) : columns; // without prices
  }

  /** @param {TextKey} title @param {any[][]} entries  a text and its number each */
  #shares(title, entries) {
    const most = Math.max(1, ...entries.map(([, n]) => n));
    const rows = entries.map(([text, n]) => {
      const bar = el("span.bar", {});
      bar.style.width = `${(n / most) * 100}%`;
      return el("li", {}, el("span", {}, text), bar, el("b", {}, this.#words.number(n)));
    });
    const list = el("ol", {}, ...rows);
    return el("section.shares", {}, el("h3", {}, this.#words.t(title)), list);
  }

  /** @param {Figures[]} days @param {Column[]} columns */
  #table(days, columns) {
    const words = this.#words;
    const heads = columns.map(([title]) => el("th", { scope: "col" }, words.t(title)));
    const rows = days.map((figures) => {
      const day = words.shortDay(new Date(`${figures.day}T12:00`));
      const cells = columns.map(([, valueOf]) => el("td", {}, valueOf(figures)));
      return el("tr", {}, el("th", { scope: "row" }, day), ...cells);
    });
    const head = el("tr", {}, el("th", { scope: "col" }, words.t("outcomes.day")), ...heads);
    const region = { className: "days", role: "region", ariaLabel: words.t("outcomes.byDay") };
    return el("div", { ...region, tabIndex: 0 }, el("table", {}, head, ...rows));
  }
}

/** @param {Record<string, number>} counts */
const sumOf = (counts) => Object.values(counts).reduce((sum, n) => sum + n, 0);
