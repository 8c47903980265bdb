// The pictures of the war room: what each shows, how it is written, and the table behind it.
import {LineChart, RibbonChart, ShareBars, runsOf} from "../charts/lines.js";
import {Card, el} from "./parts.js";
import {PRINT} from "./frame.js";
import {vendorName} from "./war_levers.js";

const STAGES = ["launch", "promotion", "war", "consolidation", "harvest", "out"];
const FLOORS = [0.01, 0.001]; // prices are drawn logarithmically down to here, zero on the axis below
const HEIGHT = 236;
const RUNGS = [1, 1.25, 1.6, 2, 2.5, 3, 4, 5, 6, 8, 10];
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
  roi: {of: "segments", how: "times"},
};
const ORDER = ["light_price", "flagship_price", "share", "hhi", "stages", "cash", "runway", "allowance", "free_share", "supplier_profit", "roi", "winners"];
const ALL = "all"; // the teams of every segment

// The next step of a ladder: an axis that ends on one does not tremble while a lever moves, and the same state has the
// same picture however it was come by.
function rung(top) {
  const power = 10 ** Math.floor(Math.log10(top));
  return (RUNGS.find((step) => step * power >= top * 0.9999) ?? 10) * power;
}

export class Panels {
  // focus: {key(): who is looked at, point(key | null), pick(key)}. effect(key): what a card's title says of
  // the change; moved(): whether anything differs from the baseline.
  constructor(root, app, {focus, effect, moved}) {
    Object.assign(this, {app, focus, effect, moved});
    this.cards = new Map();
    this.seen = new Set();
    this.due = new Set();
    const grid = el("div", {class: "grid2"});
    const observer = new IntersectionObserver((entries) => this.came(entries), {rootMargin: "150px"});
    for (const key of ORDER) {
      const card = new Card(app, key, {wide: key === "stages" || key === "winners", legend: key === "stages"});
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

  // answer: of "war"; base: what of it belongs to the baseline, or null while that is not known; history: the record, or null.
  show(answer, base, history) {
    Object.assign(this, {answer, base, history});
    this.draw();
  }

  draw(keys = ORDER) {
    if (!this.answer) return;
    for (const key of keys) {
      this.due.add(key);
      this.name(key);
      // One that had nothing to show is out of sight for that alone.
      if (this.seen.has(key) || this.cards.get(key).root.hidden || this.app.printing) this.drawOne(key);
    }
  }

  // Its words, also where the picture is out of sight: who hears the page goes by headings.
  name(key) {
    const card = this.cards.get(key);
    card.title(this.app.speech.word(`war.panel.${key}`), this.effect(key));
    card.chart.querySelector("svg")?.setAttribute("aria-label", card.alt);
  }

  drawOne(key) {
    this.due.delete(key);
    const card = this.cards.get(key);
    const {speech} = this.app;
    const said = [speech.text(`war.note.${key}`, {currency: this.answer.currency}), ...this.more(key).map((word) => speech.word(word))];
    card.note(said.join(speech.language === "en" ? " " : ""));
    if (key === "stages") this.drawStages(card);
    else if (key === "winners") this.drawWinners(card);
    else this.drawLines(card, key, LINES[key]);
  }

  // What a note says beside that: of the record and the baseline only where they are drawn.
  more(key) {
    const past = Boolean(this.history);
    if (key === "stages") return past && this.moved() ? ["war.note.stages.both"] : past ? ["war.note.stages.past"] : this.moved() ? ["war.note.stages.base"] : [];
    if (!past) return [];
    return {share: ["war.note.share.past"], light_price: ["war.note.price.past"], flagship_price: ["war.note.price.past"]}[key] ?? [];
  }

  // ---------------------------------------------------------------- how values are written

  writer(how) {
    const {speech} = this.app;
    const unknown = (write) => (v) => (v === null || v === undefined ? "–" : write(v));
    return unknown({
      pct: (v) => speech.pct(v),
      sum: (v) => speech.cash(v, this.answer.currency, {notation: "compact", maximumSignificantDigits: 3}),
      months: (v) => speech.number(v, {maximumFractionDigits: 0}),
      times: (v) => speech.text("war.in.ratio", {n: speech.number(v, {maximumFractionDigits: 2})}),
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
    const told = (series) => series?.median.some((v) => v !== null);
    const row = (of, label, place, series, was, more) => (told(series) ? [{key: of, label, place, ...series, base: was?.median ?? null, ...more}] : []);
    if (line.of === "market") return row("market", this.app.speech.word("war.market_whole"), 0, answer.market_series[key], base?.market_series[key]);
    if (line.of === "segments") {
      return [...row(ALL, this.app.speech.word("war.segment.all"), 0, answer.market_series[key], base?.market_series[key]),
        ...Object.entries(answer[key]).flatMap(([name, series], place) => row(name, this.app.speech.word(`war.segment.${name}`, name), place + 1, series, base?.[key][name]))];
    }
    return this.vendors().flatMap((v, place) => row(v.key, v.name, place, answer.series[key][v.key], base?.series[key][v.key], this.recorded(key, v.key)));
  }

  // What the record has of a vendor: steps of its list price, single readings of its share.
  recorded(key, vendor) {
    const {history} = this;
    if (!history) return {};
    if (key === "share") return {dots: (history.shares[vendor] ?? []).map((p) => ({month: p.month + 1, value: p.share}))};
    const path = history.prices[key.replace("_price", "")]?.[vendor] ?? [];
    return {steps: path.flatMap((s, i) => (s.low === null ? [] : [{x1: s.day / MONTH, x2: i + 1 < path.length ? path[i + 1].day / MONTH : this.recordEnds(), low: s.low, high: s.high}]))};
  }

  // The month of the market in which the record stops.
  recordEnds() {
    const [year, month] = this.history.ends.split("-").map(Number);
    const [from, first] = this.answer.start.split("-").map(Number);
    return (year - from) * 12 + month - first + 1;
  }

  drawLines(card, key, line) {
    const rows = this.rows(key, line);
    card.root.hidden = !rows.length;
    if (!rows.length) return;
    const write = this.writer(line.how);
    const focus = this.looked(line, card);
    const drawn = rows.flatMap((r) => [r.median, r.base ?? [], ...(r.key === focus || rows.length === 1 ? [r.high, r.low] : []), (r.steps ?? []).map((s) => s.high), (r.dots ?? []).map((p) => p.value)]);
    const [least, top] = d3.extent(drawn.flatMap((values) => (values ?? []).filter((v) => v !== null && Number.isFinite(v))));
    const axis = line.kind === "price" ? this.priceAxis(rows, top, write) : this.plainAxis(least, top, line, write);
    const {months} = this.answer;
    card.picture.update({
      width: this.app.width(card.chart, PRINT.whole), height: HEIGHT, months, kind: line.kind ?? "linear", rows, focus, write, alt: card.alt, xName: this.app.speech.word("war.axis.month"), ...axis,
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

  priceAxis(rows, top, write) {
    const begin = d3.median(rows, (r) => r.median.find((v) => v > 0));
    const floor = FLOORS.find((f) => begin > f * 20) ?? FLOORS[FLOORS.length - 1];
    const high = rung(Math.max(top ?? 1, floor * 100) * 1.1);
    const ticks = d3.range(Math.round(Math.log10(floor)), Math.ceil(Math.log10(high)) + 1).map((power) => 10 ** power).filter((v) => v <= high)
      .map((v) => ({value: v, label: v === floor ? `≤${write(v)}` : write(v)}));
    return {domain: [floor, high], ticks};
  }

  plainAxis(least, top, line, write) {
    const high = Math.min(rung((top > 0 ? top : 1) * 1.02), line.most ?? Infinity);
    const low = least < 0 ? -rung(-least * 1.02) : 0;
    return {domain: [low, high], ticks: d3.ticks(low, high, 4).map((value) => ({value, label: value === line.most && line.how === "months" ? `≥${write(value)}` : write(value)})), rule: low < 0 ? 0 : undefined};
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
    const past = (names) => (names ? runs(names.map((stage) => stage && {stage, chance: 1})) : null);
    const moved = this.moved();
    const row = (key, label, place, now, was, then) => {
      const made = {key, label, place, runs: runs(now) ?? [], base: runs(was), past: past(then)};
      return {...made, strips: [moved ? made.base : null, made.past].filter(Boolean)};
    };
    const rows = [row("market", speech.word("war.market_whole"), undefined, stages.market, this.base?.stages.market, this.history?.stages.market),
      ...this.vendors().flatMap((v, place) => (stages.vendors[v.key] ? [row(v.key, v.name, place, stages.vendors[v.key], this.base?.stages.vendors[v.key], this.history?.stages.vendors[v.key])] : []))];
    card.picture.update({
      width: this.app.width(card.chart, PRINT.whole), months: this.answer.months.length, rows, focus: this.focus.key(),
      word: (stage) => speech.word(`stage.${stage}`), alt: card.alt, xName: speech.word("war.axis.month"),
    });
    const named = (list) => (list ?? []).map((r) => `${speech.word(`stage.${r.stage}`)} ${r.from + 1}–${r.to}`).join("; ");
    card.sheet(() => ({
      headers: ["vendor", "stages", "base", "history"].map((key) => ({title: speech.word(`war.col.${key}`)})),
      rows: rows.map((r) => [r.label, named(r.runs), named(r.base), named(r.past)]),
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
