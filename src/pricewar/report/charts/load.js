// The log itself: requests a day, and tokens by model and meter.
import {named, fitted, textWidth, NARROW, PLOT_CLASS} from "./shared.js";

// days: {day, requests} by date. options: {width, alt, count(x), day(date)}.
export function daysChart(Plot, d3, days, options) {
  const {width} = options;
  const bars = days.map((d) => ({date: new Date(`${d.day}T00:00:00Z`), requests: Number(d.requests)})).filter((d) => !Number.isNaN(+d.date));
  const peak = bars.length ? bars[d3.maxIndex(bars, (d) => d.requests)] : null;
  const span = bars.length ? [d3.min(bars, (d) => d.date), d3.utcDay.offset(d3.max(bars, (d) => d.date), 1)] : undefined;
  const [first, last] = span ?? [];
  // The peak's label keeps inside the frame.
  const part = peak && +last > +first ? (peak.date - first) / (last - first) : 0.5;
  // As many days are named as there is room for, none that the log does not hold or that the edge would cut.
  const x = d3.scaleUtc(span ?? [0, 1], [50, width - 12]);
  const every = span ? Math.ceil(d3.utcDay.count(first, last) / Math.max(2, Math.floor((width - 62) / 84))) : 1;
  const ticks = span ? d3.utcDay.range(first, last, every).filter((t) => x(t) < width - 34) : [];
  return named(Plot.plot({
    className: PLOT_CLASS, width, height: 230, marginTop: 26, marginLeft: 50, marginRight: 12, marginBottom: 26,
    x: {type: "utc", domain: span},
    y: {zero: true},
    marks: [
      Plot.axisY({ticks: 4, tickSize: 0, label: null, fontSize: 12, tickFormat: options.count, fill: "var(--muted)"}),
      Plot.gridY({ticks: 4, stroke: "var(--grid)", strokeOpacity: 1}),
      Plot.axisX(ticks, {tickSize: 3, label: null, fontSize: 12, tickFormat: options.day, fill: "var(--muted)", stroke: "var(--line)"}),
      Plot.rectY(bars, {x: "date", y: "requests", interval: "day", fill: "var(--accent)", insetLeft: bars.length > 90 ? 0 : 0.7, insetRight: bars.length > 90 ? 0 : 0.7}),
      peak ? Plot.text([peak], {
        x: (d) => +d.date + 432e5, y: "requests", text: (d) => `${options.count(d.requests)} · ${options.day(d.date)}`,
        dy: -9, textAnchor: part < 0.15 ? "start" : part > 0.85 ? "end" : "middle", fontSize: 12, fontWeight: 600, fill: "var(--ink)",
      }) : null,
      Plot.ruleY([0], {stroke: "var(--line)"}),
    ],
  }), options.alt);
}

// models: {label, total, tokens: {meter: count}}. options: {width, alt, count(x), meters: [{key, label}]}.
export function modelsChart(Plot, d3, models, options) {
  const {width, count, meters} = options;
  const narrow = width < NARROW;
  const marginLeft = narrow ? 6 : Math.min(240, width * 0.36);
  const marginRight = 64;
  const rowHeight = narrow ? 42 : 24;
  const inner = width - marginLeft - marginRight;
  const top = d3.max(models, (m) => m.total) || 1;
  const parts = models.flatMap((model, place) => {
    let start = 0;
    return meters.flatMap(({key, label}, order) => {
      const amount = Number(model.tokens[key] ?? 0);
      if (!(amount > 0)) return [];
      const bar = {place, key, label, order, x1: start, x2: start + amount};
      start += amount;
      return [bar];
    });
  });
  const half = narrow ? 0.22 : 0.36;
  const shift = narrow ? 0.2 : 0;
  const room = (p) => ((p.x2 - p.x1) / top) * inner;
  return named(Plot.plot({
    className: PLOT_CLASS, width, height: 8 + rowHeight * models.length, marginTop: 4, marginBottom: 4, marginLeft, marginRight,
    x: {type: "linear", domain: [0, top], axis: null},
    y: {type: "linear", domain: [-0.5, models.length - 0.5], range: [4, 4 + rowHeight * models.length], axis: null},
    marks: [
      Plot.rect(parts, {
        x1: "x1", x2: "x2", y1: (p) => p.place - half + shift, y2: (p) => p.place + half + shift,
        fill: (p) => `var(--meter-${p.key.replaceAll("_", "-")})`, stroke: "var(--card)", strokeWidth: 1,
      }),
      Plot.text(parts.filter((p) => room(p) > textWidth(p.label) + 10), {
        x: (p) => (p.x1 + p.x2) / 2, y: (p) => p.place + shift, text: "label", fontSize: 12, fill: "var(--ink)",
      }),
      Plot.text(models, {x: "total", y: (_, place) => place + shift, text: (m) => count(m.total), dx: 6, textAnchor: "start", fontSize: 12, fill: "var(--ink)", fontVariant: "tabular-nums"}),
      Plot.text(models, {
        y: (_, place) => place, frameAnchor: "left", textAnchor: narrow ? "start" : "end", dx: narrow ? 0 : -10, dy: narrow ? -12 : 0,
        text: (m) => fitted(m.label, narrow ? width - 12 : marginLeft - 14), fontSize: 12, fill: "var(--ink)",
      }),
    ],
  }), options.alt);
}
