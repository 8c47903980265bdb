// A war's page: one document of figures, written out in words, charts and tables.
import {openedChart, followedChart, pathChart, stagesChart} from "../charts/war.js";
import {Speech, el, given} from "./say.js";
import {Frame, PRINT, behind, kpi, plainTable} from "./frame.js";

const data = JSON.parse(document.getElementById("data").textContent);
const words = JSON.parse(document.getElementById("words").textContent);
const at = (id) => document.getElementById(id);
const STAGES = ["launch", "promotion", "war", "consolidation", "harvest", "out"];
const MONTH = 365.25 / 12;
const shell = new Frame(words, {language: document.documentElement.dataset.language, theme: "auto"});

let speech;

// ---------------------------------------------------------------- words

// A figure of the record or the model, in its unit.
function figured(value, unit) {
  if (value === null || value === undefined) return "–";
  if (unit === "share" || unit === "chance") return speech.pct(value);
  if (unit === "times") return `${speech.number(value, {maximumSignificantDigits: 2})}×`;
  return speech.number(value, {maximumFractionDigits: 0});
}

function price(value) {
  if (value === null || value === undefined) return "–";
  return value === 0 ? "0" : speech.number(value, value >= 99.5 ? {maximumFractionDigits: 0} : {maximumSignificantDigits: 2});
}

function lineName(line) { return speech.text(`line.${line.key}`, line); }

function told(rows) {
  return rows.map(({key, args}) => {
    if (key.startsWith("miss.") && key !== "miss.opener") {
      const write = (v) => figured(v, args.unit);
      return speech.text(key, {...args, line: lineName(args), history: write(args.history), low: write(args.low), high: write(args.high)});
    }
    return speech.parts(speech.word(key), args)?.join("") ?? "";
  }).filter(Boolean).map((text) => (data.vendors.some((v) => text.startsWith(v.name)) ? text : text[0].toUpperCase() + text.slice(1)));
}

function writeKpis() {
  const mine = data.opened.by_vendor.find((r) => r.history) ?? data.opened.by_vendor[0];
  const median = (values) => d3.median(values.filter((v) => v !== null)) ?? null;
  const light = data.depth.filter((r) => r.tier === "light");
  const [fall, was] = [median(light.map((r) => r.model_3.median)), median(light.map((r) => r.history_3))];
  const harvest = data.stages.begins.harvest;
  at("figures").replaceChildren(
    kpi(speech.text("kpi.opener", {vendor: mine.vendor}), speech.pct(mine.chance), speech.text("kpi.opener_more", {even: data.opened.chance})),
    kpi(speech.word("kpi.lag"), data.followed.lag ? speech.days(Math.round(data.followed.lag.median)) : "–", data.followed.history_lag === null ? "" : speech.text("kpi.lag_more", {history: Math.round(data.followed.history_lag)})),
    kpi(speech.word("kpi.fall"), fall === null ? "–" : `−${speech.pct(fall)}`, was === null ? "" : speech.text("kpi.fall_more", {history: was})),
    kpi(speech.word("kpi.harvest"), harvest.chance ? speech.text("kpi.harvest_value", {month: Math.round(harvest.median + 1)}) : speech.word("kpi.never"), harvest.chance ? speech.text("kpi.harvest_more", {chance: harvest.chance}) : ""));
}

// ---------------------------------------------------------------- tables behind the charts

const table = (headers, rows) => plainTable(speech, headers, rows);

function bandTable(id, rows, write) {
  behind(at(`${id}-data`), () => table(
    [[speech.word("col.vendor")], [speech.word("col.month"), true], [speech.word("col.low"), true], [speech.word("col.median"), true], [speech.word("col.high"), true]],
    rows.flatMap((r) => r.median.flatMap((m, t) => ((t + 1) % 3 && t ? [] : [[given(r.vendor), String(t + 1), write(r.low[t]), write(m), write(r.high[t])]])))));
}

// ---------------------------------------------------------------- charts

function widthOf(id, half = false) { return shell.width(at(id), half ? PRINT.half : PRINT.whole); }

function alt(title) { return speech.text("chart.alt", {title}); }

function drawOpened() {
  at("opened-title").textContent = speech.word("opened.title");
  const rows = data.opened.by_vendor.map((r) => ({...r, label: r.vendor}));
  at("opened").replaceChildren(openedChart(Plot, d3, rows, {
    width: widthOf("opened", true), even: data.opened.chance, evenLabel: speech.text("opened.even", {even: data.opened.chance}),
    pct: (v) => speech.pct(v), alt: alt(speech.word("opened.title")),
  }));
  behind(at("opened-data"), () => table([[speech.word("col.vendor")], [speech.word("col.chance"), true], [speech.word("col.history")]],
    rows.map((r) => [given(r.vendor), speech.pct(r.chance), r.history ? "◆" : ""])));
}

function drawFollowed() {
  at("followed-title").textContent = speech.word("followed.title");
  const rows = data.followed.by_vendor.map((r) => ({...r, label: r.vendor}));
  const write = (v) => figured(v, "days");
  at("followed").replaceChildren(followedChart(Plot, d3, rows, {width: widthOf("followed", true), count: (v) => speech.count(v), alt: alt(speech.word("followed.title"))}));
  behind(at("followed-data"), () => table(
    [[speech.word("col.vendor")], [speech.word("col.follows"), true], [speech.word("col.low"), true], [speech.word("col.median"), true], [speech.word("col.high"), true], [speech.word("col.history"), true]],
    rows.map((r) => [given(r.vendor), figured(r.chance, "share"), write(r.low), write(r.median), write(r.high), write(r.history)])));
}

// Small pictures side by side, one for each vendor, all on one scale.
function panels(id, rows, options) {
  const grid = el("div", {class: "panels"});
  at(id).replaceChildren(grid);
  const slots = rows.map((r) => el("div", {class: "panel"}, el("h3", {}, given(r.vendor))));
  grid.append(...slots);
  const width = shell.width(slots[0], PRINT.panel, 0);
  rows.forEach((r, place) => {
    const points = r.median.map((median, t) => ({month: t + 1, median, low: r.low[t], high: r.high[t], low50: r.low50[t], high50: r.high50[t]}));
    if (r.peace?.median !== undefined && r.peace.median !== null) points.unshift({month: 0, ...r.peace});
    slots[place].append(pathChart(Plot, d3, points, {...options, ...(options.of?.(r) ?? {}), width, months: data.months, alt: alt(`${options.title}, ${r.vendor}`)}));
  });
}

// History's days as months, a gap where nobody recorded the price.
function steps(row) {
  const end = (data.stages.begins.harvest.history_until + 1);
  return row.history.flatMap((s, place) => {
    if (s.low === null) return [];
    const x2 = Math.min(place + 1 < row.history.length ? row.history[place + 1].day / MONTH : end, data.months);
    return [{x1: s.day / MONTH, x2, low: s.low, high: s.high}];
  });
}

function drawPrices(tier) {
  const rows = data.prices.filter((r) => r.tier === tier);
  const title = speech.word(`prices.${tier}`);
  at(`${tier}-title`).textContent = title;
  const top = Math.max(1, ...rows.flatMap((r) => [...r.high, r.peace.high, ...r.history.map((s) => s.high ?? 0)].filter((v) => v !== null)));
  const floor = 0.01;
  const ticks = [0.01, 0.1, 1, 10, 100].filter((v) => v <= top * 1.2).map((value) => ({value, label: value === floor ? `≤${price(value)}` : price(value)}));
  panels(tier, rows, {title, kind: "price", domain: [floor, top * 1.15], ticks, write: price, of: (r) => ({steps: steps(r)})});
  behind(at(`${tier}-data`), () => table(
    [[speech.word("col.vendor")], [speech.word("col.month"), true], [speech.word("col.low"), true], [speech.word("col.median"), true], [speech.word("col.high"), true], [speech.word("col.history"), true]],
    rows.flatMap((r) => [0, 1, 2, 3, 6, 9, 12, 15, 18, 24, 30, 36].filter((m) => m <= data.months).map((m) => {
      const past = steps(r).find((s) => s.x1 <= m && m < s.x2);
      const [low, middle, high] = m ? [r.low[m - 1], r.median[m - 1], r.high[m - 1]] : [r.peace.low, r.peace.median, r.peace.high];
      return [given(r.vendor), String(m), price(low), price(middle), price(high), past ? (past.low === past.high ? price(past.low) : speech.range(past.low, past.high, price)) : ""];
    }))));
}

function drawShares() {
  const title = speech.word("shares.title");
  at("shares-title").textContent = title;
  const top = Math.min(1, Math.max(...data.shares.flatMap((r) => [...r.high, ...r.history.map((h) => h.share)])) * 1.08);
  const write = (v) => (v === null ? "–" : speech.pct(v));
  const ticks = d3.ticks(0, top, 3).map((value) => ({value}));
  panels("shares", data.shares, {title, kind: "linear", domain: [0, top], ticks, write, of: (r) => ({dots: r.history.map((h) => ({month: h.month + 1, value: h.share}))})});
  bandTable("shares", data.shares, write);
}

function drawFree() {
  const title = speech.word("free.title");
  at("free-title").textContent = title;
  const write = (v) => (v === null ? "–" : speech.pct(v));
  panels("free", data.allowances, {title, kind: "linear", domain: [0, 1], ticks: [0, 0.5, 1].map((value) => ({value})), write});
  bandTable("free", data.allowances, write);
}

function drawCash() {
  const title = speech.word("cash.title");
  at("cash-title").textContent = title;
  const write = (v) => (v === null ? "–" : speech.cash(v, data.currency, {notation: "compact", maximumSignificantDigits: 2}));
  const top = Math.max(1, ...data.cash.flatMap((r) => r.high.filter((v) => v !== null)));
  panels("cash", data.cash, {title, kind: "linear", domain: [0, top * 1.05], ticks: d3.ticks(0, top, 3).map((value) => ({value})), write});
  bandTable("cash", data.cash, write);
}

function drawMargins() {
  const title = speech.word("margins.title");
  at("margins-title").textContent = title;
  const rows = ["light", "flagship", "cover"].map((key) => ({...data.margins[key], vendor: speech.word(`margins.${key}`)}));
  const top = Math.max(1.2, ...rows.flatMap((r) => r.high.slice(1).filter((v) => v !== null)));
  const write = (v) => (v === null ? "–" : speech.number(v, {maximumSignificantDigits: 2}));
  const high = Math.min(top, 100);
  const ticks = [0.01, 0.1, 1, 10, 100].filter((v) => v <= high * 1.2).map((value) => ({value, label: value === 0.01 ? `≤${write(value)}` : write(value)}));
  panels("margins", rows, {title, kind: "price", domain: [0.01, high * 1.1], ticks, write, rule: 1});
  bandTable("margins", rows, write);
}

function drawStages() {
  const title = speech.word("stages.title");
  at("stages-title").textContent = title;
  at("stages-legend").replaceChildren(...STAGES.map((stage) => el("li", {}, el("span", {class: `swatch g-${stage}`}), speech.word(`stage.${stage}`))));
  const rows = [{label: speech.word("stages.market"), market: true, model: data.stages.market, history: data.stages.history},
    ...data.stages.vendors.map((r) => ({label: r.vendor, model: r.model, history: r.history}))];
  at("stages").replaceChildren(stagesChart(Plot, d3, rows, {width: widthOf("stages"), months: data.months, alt: alt(title)}));
  behind(at("stages-data"), () => table([[speech.word("col.vendor")], [speech.word("col.month"), true], [speech.word("col.stage")], [speech.word("col.chance"), true], [speech.word("col.history")]],
    rows.flatMap((r) => r.model.flatMap((c, t) => (t % 3 ? [] : [[given(r.label), String(t + 1), speech.word(`stage.${c.stage}`), speech.pct(c.chance), r.history?.[t] ? speech.word(`stage.${r.history[t]}`) : ""]])))));
}

// ---------------------------------------------------------------- lines beside history

function writeLines() {
  const hits = data.lines.filter((l) => l.hit).length;
  at("lines-summary").textContent = speech.text("lines.summary", {hits, all: data.lines.length});
  at("lines").replaceChildren(table(
    [[speech.word("col.line")], [speech.word("col.history"), true], [speech.word("col.low"), true], [speech.word("col.model"), true], [speech.word("col.high"), true], [speech.word("col.verdict")]],
    data.lines.map((l) => {
      const write = (v) => (v === null ? "" : figured(v, l.unit));
      const past = l.unit === "chance" ? speech.word(l.history > 0.5 ? "yes" : "no") : write(l.history);
      return [lineName(l), past, write(l.low), write(l.median), write(l.high),
        el("span", {class: l.hit ? "hit" : "miss"}, `${l.hit ? "✓" : "✗"} ${speech.word(l.hit ? "yes" : "no")}`)];
    })));
  const missed = told(data.missed);
  at("misses").replaceChildren(...(missed.length ? missed : [speech.word("misses.none")]).map((text) => el("li", {}, text)));
}

function writeMade() {
  at("meta").textContent = speech.text("meta", {market: data.market, futures: data.futures, horizon: data.horizon, start: data.start, currency: data.currency});
  at("made").replaceChildren(
    el("p", {}, speech.text("made.facts", {start: data.start})),
    el("p", {}, speech.text("made.prices", {out: data.output_share})),
    el("p", {}, speech.text("made.version", {version: data.pricewar, made: data.made, futures: data.futures, seconds: data.seconds, last: data.futures - 1})),
    el("h4", {}, speech.word("made.again")), el("pre", {class: "scroll", tabindex: "0"}, el("code", {}, data.command)));
  at("sources").querySelector(".inside").replaceChildren(el("ul", {class: "sources"}, data.sources.map((s) =>
    el("li", {}, given(s.url), ` · ${speech.date(s.read_on)}`))));
}

// ---------------------------------------------------------------- one state, written out

function draw() {
  drawOpened();
  drawFollowed();
  drawPrices("light");
  drawPrices("flagship");
  drawStages();
  drawMargins();
  drawShares();
  drawFree();
  drawCash();
}

function showAll() {
  speech = new Speech(words, shell.state.language, data.currency);
  shell.write(speech);
  at("light-legend").replaceChildren(
    el("li", {}, el("span", {class: "key-line"}), speech.word("stages.model")), el("li", {}, el("span", {class: "key-line key-past"}), speech.word("stages.history")));
  at("story").replaceChildren(...told(data.story).map((text) => el("li", {}, text)));
  writeKpis();
  draw();
  writeLines();
  writeMade();
}

shell.begin({show: showAll, draw, watched: at("light")});
