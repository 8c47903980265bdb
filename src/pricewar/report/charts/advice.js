// Advice: cost so far of two ways, strategies with their spread, a plan's offers, leaving, causes, free offers.
import {named, fitted, labelRoom, textWidth, NARROW, PLOT_CLASS} from "./shared.js";

const LINE_ROW = 30;
// Below this width lines are named in a legend, not at their ends.
export const LABELLED = 900;

// What labels at the lines' ends take, and whether there is room for all of it.
function endRoom(lines) { return Math.max(...lines.map((l) => textWidth(l.label, 12.5, 600))) + 16; }

export function labelledAt(lines, width) { return width >= LABELLED && endRoom(lines) <= width * 0.4; }

function left(rows, width) {
  return width < NARROW ? 14 : Math.min(labelRoom(width), Math.max(...rows.map((r) => textWidth(r.label + (r.ending ?? ""), 12, 600))) + 18);
}

// A name cut to a width, but never the figure that stands after it.
function labelled(r, width, size, weight) {
  const ending = r.ending ?? "";
  return fitted(r.label, width - (ending ? textWidth(ending, size, weight) : 0), size, weight) + ending;
}

// The text in as many lines as a width asks for, broken between words.
function wrapped(text, width, size, weight) {
  const lines = [""];
  for (const word of text.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`.trimStart();
    if (lines.at(-1) && textWidth(longer, size, weight) > width) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return lines.map((line) => fitted(line, width, size, weight));
}

// A row's label: beside its marks, or above them where there is no room.
function rowLabels(Plot, rows, width, marginLeft) {
  const narrow = width < NARROW;
  return [true, false].map((best) => Plot.text(rows.filter((r) => Boolean(r.best) === best), {
    y: (r) => rows.indexOf(r), frameAnchor: "left", textAnchor: narrow ? "start" : "end", dx: narrow ? 0 : -10, dy: narrow ? -15 : 0,
    text: (r) => labelled(r, narrow ? width - 20 : marginLeft - 14, 12, 700), fontSize: 12, fontWeight: best ? 700 : 400,
    fill: (r) => (r.bound ? "var(--muted)" : "var(--ink)")}));
}

function frame(rows, width, top) {
  const rowHeight = width < NARROW ? 44 : LINE_ROW;
  return {rowHeight, height: top + 8 + rowHeight * rows.length, y: {type: "linear", domain: [-0.5, rows.length - 0.5], range: [top, top + rowHeight * rows.length], axis: null}};
}

// Labels at the lines' ends, moved apart where they would meet; a thin leader joins each to its line.
function ends(lines, scale, gap) {
  const placed = lines.map((line) => ({line, y: scale(line.p50.at(-1))})).sort((a, b) => a.y - b.y);
  for (let i = 1; i < placed.length; i++) placed[i].at = Math.max(placed[i].y, (placed[i - 1].at ?? placed[i - 1].y) + gap);
  return placed.map((p) => ({...p, at: p.at ?? p.y}));
}

// lines: {label, color, dash, p5, p50, p95}. options: {width, alt, months, write(x)}.
export function versusChart(Plot, d3, lines, options) {
  const {width, months, write} = options;
  const beside = labelledAt(lines, width);
  const top = d3.max(lines, (l) => d3.max(l.p95)) || 1;
  const height = Math.round(Math.min(340, Math.max(220, width * 0.4)));
  const marginTop = 10, marginBottom = 26, marginLeft = 12 + textWidth(write(top));
  const marginRight = beside ? endRoom(lines) : 10;
  const scale = d3.scaleLinear([0, top], [height - marginBottom, marginTop]);
  const labels = ends(lines, scale, 17);
  const points = (line) => line.p50.map((p50, t) => ({month: t + 1, p5: line.p5[t], p50, p95: line.p95[t]}));
  const marks = [
    Plot.gridY({ticks: 5, stroke: "var(--grid)", strokeOpacity: 1}),
    Plot.axisY({ticks: 5, tickSize: 0, label: null, fontSize: 12, tickFormat: write, fill: "var(--muted)"}),
    Plot.axisX(d3.range(0, months + 1, months > 24 ? 6 : 3), {tickSize: 3, label: null, fontSize: 12, tickFormat: (v) => String(v), fill: "var(--muted)", stroke: "var(--line)"}),
  ];
  for (const line of lines) marks.push(Plot.areaY(points(line), {x: "month", y1: "p5", y2: "p95", fill: line.color, fillOpacity: 0.16}));
  for (const line of lines) marks.push(Plot.line(points(line), {x: "month", y: "p50", stroke: line.color, strokeWidth: 2.4, strokeDasharray: line.dash ?? null}));
  if (beside) {
    marks.push(Plot.text(labels, {x: months, y: (p) => scale.invert(p.at), text: (p) => p.line.label, textAnchor: "start", dx: 8, fontSize: 12.5, fontWeight: 600, fill: (p) => p.line.color, clip: false}));
  }
  return named(Plot.plot({className: PLOT_CLASS, width, height, marginTop, marginBottom, marginLeft, marginRight, x: {type: "linear", domain: [0, months]}, y: {type: "linear", domain: [0, top]}, marks}), options.alt);
}

// rows: {label, mean, p5, p95, tail, best, bound}. options: {width, alt, write(x)}.
export function strategiesChart(Plot, d3, rows, options) {
  const {width, write} = options;
  const marginLeft = left(rows, width), marginTop = 22;
  const most = d3.max(rows, (r) => Math.max(r.p95, r.tail, r.mean)) || 1, least = Math.min(0, d3.min(rows, (r) => Math.min(r.p5, r.mean)));
  const {rowHeight, height, y} = frame(rows, width, marginTop + (width < NARROW ? 16 : 0));
  const at = (r) => rows.indexOf(r);
  const half = 7 / rowHeight, thick = 2.2 / rowHeight;
  const color = (r) => (r.bound ? "var(--bound)" : r.best ? "var(--best)" : "var(--other)");
  const room = textWidth(write(most)) + 14;
  return named(Plot.plot({
    className: PLOT_CLASS, width, height, marginTop, marginBottom: 8, marginLeft, marginRight: room,
    x: {type: "linear", domain: [least, most]}, y,
    marks: [
      Plot.gridX({ticks: width < NARROW ? 3 : width < LABELLED ? 4 : 6, stroke: "var(--grid)", strokeOpacity: 1}),
      Plot.axisX({anchor: "top", ticks: width < NARROW ? 3 : width < LABELLED ? 4 : 6, tickSize: 0, label: null, fontSize: 12, tickFormat: write, fill: "var(--muted)"}),
      Plot.rect(rows, {x1: "p95", x2: (r) => Math.max(r.tail, r.p95), y1: (r) => at(r) - thick, y2: (r) => at(r) + thick, fill: color, fillOpacity: 0.55}),
      Plot.rect(rows, {x1: "p5", x2: "p95", y1: (r) => at(r) - half, y2: (r) => at(r) + half, fill: color, fillOpacity: 0.3}),
      Plot.dot(rows, {x: "mean", y: at, r: 4.5, fill: color, stroke: "var(--card)"}),
      Plot.text(rows, {x: (r) => Math.max(r.tail, r.p95, r.mean), y: at, dx: 7, textAnchor: "start", text: (r) => write(r.mean), fontSize: 12, fill: "var(--ink)", fontVariant: "tabular-nums"}),
      rowLabels(Plot, rows, width, marginLeft),
    ],
  }), options.alt);
}

// bands: {label, place, shares}: one for each offer, the first below. options: {width, alt, months, pct(x)}.
export function occupancyChart(Plot, d3, bands, options) {
  const {width, months, pct} = options;
  const points = bands.flatMap((band) => band.shares.map((share, t) => ({month: t, share, place: band.place})));
  return named(Plot.plot({
    className: PLOT_CLASS, width, height: 170, marginTop: 8, marginBottom: 24, marginLeft: 12 + textWidth(pct(1)), marginRight: 12,
    x: {type: "linear", domain: [0, months]}, y: {type: "linear", domain: [0, 1]},
    marks: [
      Plot.rectY(points, Plot.stackY({x1: "month", x2: (p) => p.month + 1, y: "share", fill: (p) => `var(--offer-${p.place})`, order: "place", fillOpacity: 0.8, insetRight: 0.5})),
      Plot.axisY([0, 0.5, 1], {tickSize: 0, label: null, fontSize: 12, tickFormat: pct, fill: "var(--muted)"}),
      Plot.axisX(d3.range(0, months + 1, months > 24 ? 6 : 3), {tickSize: 3, label: null, fontSize: 12, tickFormat: (v) => String(v), fill: "var(--muted)", stroke: "var(--line)"}),
    ],
  }), options.alt);
}

// rows: {label, value, more, short}. options: {width, alt, write(x)}. Bars from zero, the value and more beside each.
export function leavingChart(Plot, d3, rows, options) {
  const {width, write} = options;
  const text = (r) => `${write(r.value)}  ${r.more}`;
  const beside = Math.min(140, Math.max(...rows.map((r) => textWidth(r.label))) + 16), marginTop = 4;
  const room = Math.max(...rows.map((r) => textWidth(text(r)))) + 14;
  // Where the words would leave no room for bars they stand above them.
  const above = width - beside - room < 90;
  const height = above ? 42 : 28, marginLeft = above ? 6 : beside;
  const bars = above ? [-0.02, 0.34] : [-0.3, 0.3];
  return named(Plot.plot({
    className: PLOT_CLASS, width, height: marginTop + 6 + height * rows.length, marginTop, marginBottom: 6, marginLeft, marginRight: above ? 8 : room,
    x: {type: "linear", domain: [0, Math.max(1, d3.max(rows, (r) => r.value))], axis: null},
    y: {type: "linear", domain: [-0.5, rows.length - 0.5], range: [marginTop, marginTop + height * rows.length], axis: null},
    marks: [
      Plot.rect(rows, {x1: 0, x2: "value", y1: (_, i) => i + bars[0], y2: (_, i) => i + bars[1], fill: "var(--best)", fillOpacity: 0.75}),
      above
        ? Plot.text(rows, {y: (_, i) => i - 0.24, frameAnchor: "left", textAnchor: "start", text: (r) => fitted(`${r.label}: ${write(r.value)}  ${r.short}`, width - 14), fontSize: 12, fill: "var(--ink)", fontVariant: "tabular-nums"})
        : [Plot.text(rows, {x: "value", y: (_, i) => i, dx: 7, textAnchor: "start", text, fontSize: 12, fill: "var(--ink)", fontVariant: "tabular-nums"}),
          Plot.text(rows, {y: (_, i) => i, frameAnchor: "left", textAnchor: "end", dx: -10, text: (r) => r.label, fontSize: 12, fill: "var(--ink)"})],
      Plot.ruleX([0], {stroke: "var(--line)"}),
    ],
  }), options.alt);
}

// rows: {label, from, to, total}; a part starts where the one before ended. options: {width, alt, write(x), signed(x)}.
export function causesChart(Plot, d3, rows, options) {
  const {width, write, signed} = options;
  const names = new Map(rows.map((r) => [r, wrapped(r.label, width - 12, 12, 600)]));
  const most = Math.max(...[...names.values()].map((lines) => lines.length));
  const height = 42 + 14 * (most - 1), marginTop = 14, marginLeft = 6;
  const low = Math.min(0, d3.min(rows, (r) => Math.min(r.from, r.to))), high = d3.max(rows, (r) => Math.max(r.from, r.to)) || 1;
  const said = (r) => (r.total ? write(r.to) : signed(r.to - r.from));
  const room = Math.max(...rows.map((r) => textWidth(said(r), 12, 600))) + 14;
  return named(Plot.plot({
    className: PLOT_CLASS, width, height: marginTop + 6 + height * rows.length, marginTop, marginBottom: 6, marginLeft, marginRight: room,
    x: {type: "linear", domain: [low, high], axis: null},
    y: {type: "linear", domain: [-0.5, rows.length - 0.5], range: [marginTop, marginTop + height * rows.length], axis: null},
    marks: [
      Plot.rect(rows, {x1: (r) => Math.min(r.from, r.to), x2: (r) => Math.max(r.from, r.to), y1: (_, i) => i + 0.5 - 23.5 / height, y2: (_, i) => i + 0.5 - 6.5 / height,
        fill: (r) => (r.total ? "var(--other)" : r.to >= r.from ? "var(--owed)" : "var(--gift)"), fillOpacity: 0.8}),
      Plot.text(rows, {x: (r) => Math.max(r.from, r.to), y: (_, i) => i + 0.5 - 15 / height, dx: 7, textAnchor: "start", text: said, fontSize: 12, fill: "var(--ink)", fontVariant: "tabular-nums"}),
      Plot.text(rows, {y: (_, i) => i + 0.5 - 26 / height, frameAnchor: "left", textAnchor: "start", lineAnchor: "bottom", text: (r) => names.get(r).join("\n"), fontSize: 12, fill: "var(--ink)"}),
      Plot.ruleX([0], {stroke: "var(--line)"}),
    ],
  }), options.alt);
}

// rows: {label, ending, stands, asNow}. options: {width, alt, pct(x)}.
export function freeChart(Plot, d3, rows, options) {
  const {width, pct} = options;
  const marginLeft = left(rows, width), marginTop = width < NARROW ? 24 : 20;
  const {rowHeight, height, y} = frame(rows, width, marginTop + (width < NARROW ? 12 : 0));
  const half = 8 / rowHeight;
  const said = (r) => (r.asNow === r.stands ? pct(r.stands) : `${pct(r.asNow)} / ${pct(r.stands)}`);
  return named(Plot.plot({
    className: PLOT_CLASS, width, height, marginTop, marginBottom: 8, marginLeft, marginRight: Math.max(...rows.map((r) => textWidth(said(r)))) + 14,
    x: {type: "linear", domain: [0, 1]}, y,
    marks: [
      Plot.gridX([0, 0.25, 0.5, 0.75, 1], {stroke: "var(--grid)", strokeOpacity: 1}),
      Plot.axisX([0, 0.5, 1], {anchor: "top", tickSize: 0, label: null, fontSize: 12, tickFormat: pct, fill: "var(--muted)"}),
      Plot.rect(rows, {x1: 0, x2: "stands", y1: (_, i) => i - half, y2: (_, i) => i + half, fill: "var(--gift)", fillOpacity: 0.3}),
      Plot.rect(rows, {x1: 0, x2: "asNow", y1: (_, i) => i - half, y2: (_, i) => i + half, fill: "var(--gift)", fillOpacity: 0.75}),
      Plot.text(rows, {x: "stands", y: (_, i) => i, dx: 7, textAnchor: "start", text: said, fontSize: 12, fill: "var(--ink)", fontVariant: "tabular-nums"}),
      rowLabels(Plot, rows, width, marginLeft),
    ],
  }), options.alt);
}
