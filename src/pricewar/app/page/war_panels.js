// The pictures of the war room: what each shows, how it is written, and the table behind it.
import {LineChart, RibbonChart, ShareBars, runsOf} from "../charts/lines.js";
import {Card, el} from "./parts.js";
import {PRINT} from "./frame.js";
import {vendorName} from "./war_levers.js";

const STAGES = ["launch", "promotion", "war", "consolidation", "harvest", "out"];
const FLOORS = [0.01, 0.001]; // prices are drawn logarithmically down to here, zero on the axis below
const HEIGHT = 236, LOW = 200;
const MONTH = 365.25 / 12; // days

// of: whose lines these are. how: how their values are written; most: where the axis ends at the latest.
const LINES = {
  light_price: {of: "vendors", kind: "price", how: "price"},
  flagship_price: {of: "vendors", kind: "price", how: "price"},
  share: {of: "vendors", how: "pct", most: 1},
  allowance: {of: "vendors", how: "amount"},
  free_share: {of: "market", how: "pct", most: 1},
  cash: {of: "vendors", how: "sum"},
  runway: {of: "vendors", how: "months", most: 60},
  hhi: {of: "market", how: "index"},
  supplier_profit: {of: "market", how: "sum"},
  roi: {of: "segments", how: "pct"},
};
const ORDER = ["light_price", "flagship_price", "share", "hhi", "stages", "cash", "runway", "allowance", "free_share", "supplier_profit", "roi", "winners"];
const ALL = "all"; // the teams of every segment

export class Panels {
  // focus: {key(): who is looked at, point(key | null), pick(key)}. effect(key): what a card's title says of the change.
  constructor(root, app, {focus, effect}) {
    Object.assign(this, {app, focus, effect});
    this.cards = new Map();
    this.seen = new Set();
    this.due = new Set();
    const grid = el("div", {class: "grid2"});
    const observer = new IntersectionObserver((entries) => this.came(entries), {rootMargin: "150px"});
    for (const key of ORDER) {
      const card = new Card(app, key, {wide: key === "stages", legend: key === "stages"});
      const own = LINES[key]?.of === "segments";
      const look = (name) => {
        if (card.own === (name ?? ALL)) return;
        card.own = name ?? ALL;
        this.draw([key]);
      };
      const Chart = key === "stages" ? RibbonChart : key === "winners" ? ShareBars : LineChart;
      card.picture = new Chart(d3, card.chart, own ? {point: look} : {point: focus.point, pick: focus.pick});
      card.root.dataset.key = key;
      this.cards.set(key, card);
      grid.append(card.root);
      observer.observe(card.root);
    }
    root.append(grid);
  }

  // Only what is in sight is drawn; the rest when it comes into sight.
  came(entries) {
    for (const {target, isIntersecting} of entries) {
      const {key} = target.dataset;
      if (isIntersecting) this.seen.add(key);
      else this.seen.delete(key);
      if (isIntersecting && this.due.has(key)) this.drawOne(key);
    }
  }

  // answer: of "war"; base: the part of it that belongs to the baseline, or null while that is not known.
  show(answer, base) {
    Object.assign(this, {answer, base});
    this.draw();
  }

  draw(keys = ORDER) {
    if (!this.answer) return;
    for (const key of keys) {
      this.due.add(key);
      if (this.seen.has(key) || this.app.printing) this.drawOne(key);
    }
  }

  drawOne(key) {
    this.due.delete(key);
    const card = this.cards.get(key);
    const {speech} = this.app;
    card.title(speech.word(`war.panel.${key}`), this.effect(key));
    card.note(speech.text(`war.note.${key}`, {currency: this.answer.currency}));
    if (key === "stages") this.drawStages(card);
    else if (key === "winners") this.drawWinners(card);
    else this.drawLines(card, key, LINES[key]);
  }

  // ---------------------------------------------------------------- how values are written

  writer(how) {
    const {speech} = this.app;
    const unknown = (write) => (v) => (v === null || v === undefined ? "–" : write(v));
    return unknown({
      pct: (v) => speech.pct(v),
      sum: (v) => speech.cash(v, this.answer.currency, {notation: "compact", maximumSignificantDigits: 3}),
      months: (v) => speech.number(v, {maximumFractionDigits: 0}),
      amount: (v) => speech.number(v, {maximumSignificantDigits: 3}),
      index: (v) => speech.number(v, {maximumFractionDigits: 2, minimumFractionDigits: 2}),
      price: (v) => (v === 0 ? "0" : speech.number(v, v >= 99.5 ? {maximumFractionDigits: 0} : {maximumSignificantDigits: 2})),
    }[how]);
  }

  vendors() { return this.answer.vendors.map((v) => ({...v, name: vendorName(this.app.speech, v)})); }

  // Who is looked at among these lines: the vendor, or the one chosen on this very card where the lines are no vendors'.
  looked(line, card) { return line.of === "vendors" ? this.focus.key() : card.own ?? ALL; }

  // ---------------------------------------------------------------- lines

  rows(key, line) {
    const {answer, base} = this;
    const row = (of, label, place, series, was, more) => (series ? [{key: of, label, place, ...series, base: was?.median ?? null, ...more}] : []);
    if (line.of === "market") return row("market", this.app.speech.word("war.market_whole"), 0, answer.market_series[key], base?.market_series[key]);
    if (line.of === "segments") {
      return [...row(ALL, this.app.speech.word("war.segment.all"), 0, answer.market_series[key], base?.market_series[key]),
        ...Object.entries(answer[key]).flatMap(([name, series], place) => row(name, this.app.speech.word(`war.segment.${name}`, name), place + 1, series, base?.[key][name]))];
    }
    return this.vendors().flatMap((v, place) => row(v.key, v.name, place, answer.series[key][v.key], base?.series[key][v.key], this.recorded(answer.history?.[key]?.[v.key])));
  }

  // What the record has of a vendor: price steps with their day, or single readings with their month.
  recorded(past) {
    if (!past?.length) return {};
    if (past[0].day === undefined) return {dots: past.map((p) => ({month: p.month, value: p.value}))};
    const months = this.answer.months;
    return {steps: past.flatMap((s, i) => (s.low === null ? [] : [{x1: s.day / MONTH, x2: i + 1 < past.length ? past[i + 1].day / MONTH : s.until ?? months[months.length - 1], low: s.low, high: s.high}]))};
  }

  drawLines(card, key, line) {
    const rows = this.rows(key, line);
    card.root.hidden = !rows.length;
    if (!rows.length) return;
    const write = this.writer(line.how);
    const focus = this.looked(line, card);
    const drawn = rows.flatMap((r) => [r.median, r.base ?? [], ...(r.key === focus || rows.length === 1 ? [r.high, r.low] : []), (r.steps ?? []).map((s) => s.high), (r.dots ?? []).map((p) => p.value)]);
    const [least, top] = d3.extent(drawn.flatMap((values) => (values ?? []).filter((v) => v !== null && Number.isFinite(v))));
    const axis = line.kind === "price" ? this.priceAxis(card, rows, top, write) : this.plainAxis(card, least, top, line, write);
    const {months} = this.answer;
    card.picture.update({
      width: this.app.width(card.chart, PRINT.whole), height: rows.length === 1 ? LOW : HEIGHT, months, kind: line.kind ?? "linear", rows, focus, write, alt: card.alt, ...axis,
      said: (r, i) => this.said(r, i, write),
    });
    card.sheet(() => this.lineSheet(rows, write));
  }

  said(r, i, write) {
    const {speech} = this.app;
    const name = r.key === "market" ? "" : `${r.label} `;
    const spread = r.low && r.low[i] !== null ? ` (${speech.range(r.low[i], r.high[i], write)})` : "";
    const base = r.base && r.base[i] !== null && r.base[i] !== r.median[i] ? ` · ${speech.text("war.base_was", {value: write(r.base[i])})}` : "";
    return `${speech.text("war.month", {month: this.answer.months[i]})}: ${name}${write(r.median[i])}${spread}${base}`;
  }

  // An axis grows at once and shrinks only when it is much too long, so that a moving lever does not make it tremble.
  steady(card, top) {
    if (!(card.top >= top && card.top <= top * 1.6)) card.top = top;
    return card.top;
  }

  priceAxis(card, rows, top, write) {
    const begin = d3.median(rows, (r) => r.median.find((v) => v > 0));
    const floor = FLOORS.find((f) => begin > f * 20) ?? FLOORS[FLOORS.length - 1];
    const high = this.steady(card, Math.max(top ?? 1, floor * 100) * 1.15);
    const ticks = d3.range(Math.round(Math.log10(floor)), Math.ceil(Math.log10(high)) + 1).map((power) => 10 ** power).filter((v) => v <= high)
      .map((v) => ({value: v, label: v === floor ? `≤${write(v)}` : write(v)}));
    return {domain: [floor, high], ticks};
  }

  plainAxis(card, least, top, line, write) {
    const high = Math.min(this.steady(card, (top > 0 ? top : 1) * 1.06), line.most ?? Infinity);
    const low = least < 0 ? least * 1.06 : 0;
    return {domain: [low, high], ticks: d3.ticks(low, high, 4).map((value) => ({value, label: write(value)})), rule: low < 0 ? 0 : undefined};
  }

  lineSheet(rows, write) {
    const {speech} = this.app;
    const {months} = this.answer;
    const column = (key) => ({title: speech.word(`war.col.${key}`), numeric: true, write});
    return {
      headers: [{title: speech.word("war.col.vendor")}, {title: speech.word("war.col.month"), numeric: true}, column("low"), column("low50"), column("median"), column("high50"), column("high"), column("base")],
      rows: rows.flatMap((r) => months.map((month, i) => [r.label, month, r.low?.[i], r.low50?.[i], r.median[i], r.high50?.[i], r.high?.[i], r.base?.[i] ?? null])),
    };
  }

  // ---------------------------------------------------------------- stages

  drawStages(card) {
    const {speech} = this.app;
    const {stages} = this.answer;
    card.legend.replaceChildren(...STAGES.map((stage) => el("li", {}, el("span", {class: `swatch g-${stage}`}), speech.word(`stage.${stage}`))));
    const runs = (months) => (months ? runsOf(months) : null);
    const row = (key, label, place, now, was) => ({key, label, place, runs: runs(now), base: runs(was)});
    const rows = [row("market", speech.word("war.market_whole"), undefined, stages.market, this.base?.stages.market),
      ...this.vendors().flatMap((v, place) => (stages.vendors[v.key] ? [row(v.key, v.name, place, stages.vendors[v.key], this.base?.stages.vendors[v.key])] : []))];
    card.picture.update({
      width: this.app.width(card.chart, PRINT.whole), months: this.answer.months.length, rows, focus: this.focus.key(),
      word: (stage) => speech.word(`stage.${stage}`), alt: card.alt,
    });
    const named = (list) => (list ?? []).map((r) => `${speech.word(`stage.${r.stage}`)} ${r.from + 1}–${r.to}`).join("; ");
    card.sheet(() => ({
      headers: ["vendor", "stages", "base"].map((key) => ({title: speech.word(`war.col.${key}`)})),
      rows: rows.map((r) => [r.label, named(r.runs), named(r.base)]),
    }));
  }

  // ---------------------------------------------------------------- who wins where

  drawWinners(card) {
    const {speech} = this.app;
    const name = (segment) => speech.word(`war.segment.${segment}`, segment);
    const parts = (shares) => (shares ? this.vendors().flatMap((v, place) => (shares[v.key] > 0 ? [{key: v.key, label: v.name, place, share: shares[v.key]}] : [])) : null);
    const rows = Object.entries(this.answer.winners).map(([segment, shares]) => ({label: name(segment), parts: parts(shares), base: parts(this.base?.winners?.[segment])}));
    const pct = (v) => speech.pct(v);
    card.picture.update({width: this.app.width(card.chart, PRINT.whole), rows, focus: this.focus.key(), pct, alt: card.alt});
    card.sheet(() => ({
      headers: [{title: speech.word("war.col.segment")}, {title: speech.word("war.col.vendor")}, {title: speech.word("war.col.share"), numeric: true, write: pct}, {title: speech.word("war.col.base"), numeric: true, write: (v) => (v === null ? "" : pct(v))}],
      rows: rows.flatMap((r) => this.vendors().map((v) => [r.label, v.name, r.parts.find((p) => p.key === v.key)?.share ?? 0, r.base?.find((p) => p.key === v.key)?.share ?? null])),
    }));
  }
}
