// A war played many times: chances, lags, paths with their bands, stages month by month.
import {named, fitted, textWidth, PLOT_CLASS} from "./shared.js";

const ROW = 26;

function labels(Plot, rows, marginLeft) {
  return Plot.text(rows, {y: (_, place) => place, frameAnchor: "left", textAnchor: "end", dx: -10, text: (r) => fitted(r.label, marginLeft - 14), fontSize: 12, fill: "var(--ink)"});
}

function room(rows) { return Math.min(150, Math.max(...rows.map((r) => textWidth(r.label))) + 18); }

// rows: {label, chance, history}. options: {width, alt, even, evenLabel, pct(x)}.
export function openedChart(Plot, d3, rows, options) {
  const {width, pct, even} = options;
  const marginLeft = room(rows), marginTop = 22;
  const top = Math.max(even * 1.25, d3.max(rows, (r) => r.chance) * 1.02, 0.05);
  return named(Plot.plot({
    className: PLOT_CLASS, width, height: marginTop + 6 + ROW * rows.length, marginTop, marginBottom: 6, marginLeft, marginRight: 70,
    x: {type: "linear", domain: [0, top], axis: null},
    y: {type: "linear", domain: [-0.5, rows.length - 0.5], range: [marginTop, marginTop + ROW * rows.length], axis: null},
    marks: [
      Plot.rect(rows, {x1: 0, x2: "chance", y1: (_, i) => i - 0.32, y2: (_, i) => i + 0.32, fill: "var(--model)", fillOpacity: (r) => (r.history ? 1 : 0.55)}),
      Plot.ruleX([even], {stroke: "var(--ink)", strokeDasharray: "4 3", insetTop: -4}),
      Plot.text([even], {x: (v) => v, frameAnchor: "top", dy: -16, text: () => options.evenLabel, fontSize: 12, fill: "var(--muted)"}),
      Plot.text(rows, {x: "chance", y: (_, i) => i, dx: 6, textAnchor: "start", text: (r) => (r.history ? `${pct(r.chance)} ◆` : pct(r.chance)), fontSize: 12, fill: "var(--ink)", stroke: "var(--card)", strokeWidth: 4, fontVariant: "tabular-nums"}),
      labels(Plot, rows, marginLeft),
      Plot.ruleX([0], {stroke: "var(--line)"}),
    ],
  }), options.alt);
}

// rows: {label, median, low, high, low50, high50, history}. options: {width, alt, count(x)}.
export function followedChart(Plot, d3, rows, options) {
  const {width, count} = options;
  const marginLeft = room(rows), marginTop = 22;
  const known = rows.filter((r) => r.median !== null);
  const at = (r) => rows.indexOf(r);
  const past = rows.filter((r) => r.history !== null);
  const top = Math.max(1, d3.max(known, (r) => r.high) ?? 1, d3.max(past, (r) => r.history) ?? 1) * 1.04;
  return named(Plot.plot({
    className: PLOT_CLASS, width, height: marginTop + 6 + ROW * rows.length, marginTop, marginBottom: 6, marginLeft, marginRight: 16,
    x: {type: "linear", domain: [0, top]},
    y: {type: "linear", domain: [-0.5, rows.length - 0.5], range: [marginTop, marginTop + ROW * rows.length], axis: null},
    marks: [
      Plot.gridX({ticks: 5, stroke: "var(--grid)", strokeOpacity: 1}),
      Plot.axisX({anchor: "top", ticks: 5, tickSize: 0, label: null, fontSize: 12, tickFormat: count, fill: "var(--muted)"}),
      Plot.rect(known, {x1: "low", x2: "high", y1: (r) => at(r) - 0.12, y2: (r) => at(r) + 0.12, fill: "var(--model)", fillOpacity: 0.3}),
      Plot.rect(known, {x1: "low50", x2: "high50", y1: (r) => at(r) - 0.26, y2: (r) => at(r) + 0.26, fill: "var(--model)", fillOpacity: 0.4}),
      Plot.dot(known, {x: "median", y: at, r: 4.5, fill: "var(--model)", stroke: "var(--card)"}),
      Plot.dot(past, {x: "history", y: at, symbol: "diamond", r: 5.5, fill: "var(--past)", stroke: "var(--card)", strokeWidth: 1.5}),
      labels(Plot, rows, marginLeft),
    ],
  }), options.alt);
}

// One line with its bands; points: {month, median, low, high, low50, high50}; steps: {x1, x2, low, high}; dots: {month, value}.
// options: {width, alt, domain: [low, high], kind: "price" | "linear", months, write(x), ticks, rule}.
export function pathChart(Plot, d3, points, options) {
  const {width, kind, months, write, steps = [], dots = [], ticks} = options;
  const known = points.filter((p) => p.median !== null);
  const price = kind === "price";
  // Logarithmic down to a hundredth, and zero on the axis below it.
  const floor = options.domain[0];
  const up = (v) => (price ? Math.max(v, floor) : v);
  const marginLeft = 8 + Math.max(...ticks.map((t) => textWidth(t.label ?? write(t.value))));
  return named(Plot.plot({
    className: PLOT_CLASS, width, height: Math.round(Math.min(150, Math.max(118, width * 0.52))), marginTop: 8, marginBottom: 20, marginLeft, marginRight: 10,
    x: {type: "linear", domain: [0, months]},
    y: {type: price ? "log" : "linear", domain: options.domain, clamp: true},
    marks: [
      Plot.gridY(ticks.map((t) => t.value), {stroke: "var(--grid)", strokeOpacity: 1}),
      Plot.axisY(ticks.map((t) => t.value), {tickSize: 0, label: null, fontSize: 12, tickFormat: (v) => ticks.find((t) => t.value === v)?.label ?? write(v), fill: "var(--muted)"}),
      Plot.axisX(d3.range(0, months + 1, 12), {tickSize: 3, label: null, fontSize: 12, tickFormat: (v) => String(v), fill: "var(--muted)", stroke: "var(--line)"}),
      options.rule === undefined ? null : Plot.ruleY([options.rule], {stroke: "var(--muted)", strokeDasharray: "4 3"}),
      Plot.areaY(known, {x: "month", y1: (p) => up(p.low), y2: (p) => up(p.high), fill: "var(--model)", fillOpacity: 0.16}),
      Plot.areaY(known, {x: "month", y1: (p) => up(p.low50), y2: (p) => up(p.high50), fill: "var(--model)", fillOpacity: 0.24}),
      Plot.line(known, {x: "month", y: (p) => up(p.median), stroke: "var(--model)", strokeWidth: 2.2}),
      Plot.rect(steps.filter((s) => s.high > s.low), {x1: "x1", x2: "x2", y1: (s) => up(s.low), y2: (s) => up(s.high), fill: "var(--past)", fillOpacity: 0.3}),
      Plot.link(steps.filter((s) => s.high <= s.low), {x1: "x1", x2: "x2", y1: (s) => up(s.low), y2: (s) => up(s.low), stroke: "var(--past)", strokeWidth: 2.4}),
      Plot.dot(dots, {x: "month", y: "value", symbol: "diamond", r: 5.5, fill: "var(--past)", stroke: "var(--card)", strokeWidth: 1.5}),
    ],
  }), options.alt);
}

// rows: {label, model: [{stage, chance}], history: [stage | null]}. options: {width, alt, months, word(stage)}.
export function stagesChart(Plot, d3, rows, options) {
  const {width, months} = options;
  const marginLeft = room(rows), marginTop = 20, height = 34;
  const cells = rows.flatMap((row, place) => row.model.map((c, month) => ({...c, month, place})));
  const past = rows.flatMap((row, place) => (row.history ?? []).flatMap((stage, month) => (stage ? [{stage, month, place}] : [])));
  const none = rows.flatMap((row, place) => (row.history?.some(Boolean) ? [] : [{place}]));
  return named(Plot.plot({
    className: PLOT_CLASS, width, height: marginTop + 6 + height * rows.length, marginTop, marginBottom: 6, marginLeft, marginRight: 10,
    x: {type: "linear", domain: [0, months]},
    y: {type: "linear", domain: [-0.5, rows.length - 0.5], range: [marginTop, marginTop + height * rows.length], axis: null},
    marks: [
      Plot.axisX(d3.range(0, months + 1, 6), {anchor: "top", tickSize: 0, label: null, fontSize: 12, tickFormat: (v) => String(v), fill: "var(--muted)"}),
      Plot.rect(cells, {x1: "month", x2: (c) => c.month + 1, y1: (c) => c.place - 0.42, y2: (c) => c.place + 0.12, fill: (c) => `var(--stage-${c.stage})`, fillOpacity: (c) => 0.25 + 0.75 * c.chance, insetRight: 0.5}),
      Plot.rect(past, {x1: "month", x2: (c) => c.month + 1, y1: (c) => c.place + 0.16, y2: (c) => c.place + 0.4, fill: (c) => `var(--stage-${c.stage})`, stroke: (c) => (c.stage === "out" ? "var(--line)" : "none"), insetRight: 0.5}),
      Plot.link(none, {x1: 0, x2: months, y1: (r) => r.place + 0.28, y2: (r) => r.place + 0.28, stroke: "var(--line)", strokeDasharray: "3 4"}),
      Plot.text(rows, {y: (_, place) => place, frameAnchor: "left", textAnchor: "end", dx: -10, dy: -4, text: (r) => fitted(r.label, marginLeft - 14), fontSize: 12, fontWeight: (r) => (r.market ? 700 : 400), fill: "var(--ink)"}),
    ],
  }), options.alt);
}
