// Headline price against effective price: one row per offer, hollow mark to filled mark, the interval as a band.
import {kindOf, named, number, fitted, textWidth, labelRoom, NARROW, PLOT_CLASS} from "./shared.js";

// rows: {label, kind, headline, low, mid, high, doubtful} with decimal text; a doubtful price gets a question mark.
// options: {width, baseline, baselineLabel, alt, freeWord, unknownWord, rate(x), tip(row)}.
export function gapChart(Plot, d3, rows, options) {
  const {width, rate} = options;
  const narrow = width < NARROW;
  const points = rows.map((row, place) => {
    const mid = number(row.mid);
    const low = number(row.low), high = number(row.high);
    return {
      row, place, mid, ...kindOf(row.kind), headline: number(row.headline),
      low: Number.isNaN(low) ? mid : low, high: Number.isNaN(high) ? mid : high,
    };
  });
  const baseline = number(options.baseline);
  const all = points.flatMap((p) => [p.headline, p.low, p.mid, p.high]).concat(baseline).filter((x) => x >= 0);
  const positive = all.filter((x) => x > 0);
  const top = d3.max(all) || 1;
  // Free is a place on the axis: linear about zero, then logarithmic, so that 0 stands at a finite distance.
  const constant = Math.max(d3.min(positive) ?? 1, top / 1e4);
  const marginLeft = narrow ? 6 : labelRoom(width);
  const intervals = width >= 900; // written out only where there is room; the band shows them anyway
  const marginRight = narrow ? 6 : 16;
  const insetLeft = 52, insetRight = intervals ? 150 : 70;
  const x = d3.scaleSymlog([0, top], [marginLeft + insetLeft, width - marginRight - insetRight]).constant(constant);
  const rowHeight = narrow ? 40 : 22;
  const marginTop = 42, marginBottom = 10;
  const rowsTop = marginTop + (narrow ? 8 : 2);
  const labelDy = narrow ? -14 : 0;
  const markDy = narrow ? 5 : 0;

  const ticks = [0];
  for (let power = Math.floor(Math.log10(constant)); power <= Math.log10(top); power++) {
    for (const step of [1, 3]) {
      const value = Number(`${step}e${power}`);
      if (value <= top && x(value) - x(ticks.at(-1)) > (narrow ? 46 : 56)) ticks.push(value);
    }
  }

  const valueLabel = (p) => {
    if (Number.isNaN(p.mid)) return options.unknownWord;
    const doubt = p.row.doubtful ? " ?" : "";
    return p.low !== p.high && intervals ? `${rate(p.row.mid)}${doubt}  (${rate(p.row.low)}–${rate(p.row.high)})` : rate(p.row.mid) + doubt;
  };
  const headlineLabel = (p) => (p.headline === 0 ? options.freeWord : rate(p.row.headline));
  const left = (p) => d3.min([p.headline, p.low, p.mid].filter((v) => v >= 0)) ?? 0;
  const right = (p) => d3.max([p.headline, p.mid, p.high].filter((v) => v >= 0)) ?? 0;
  // A headline price is written only where it stands clear of the effective one.
  const apart = points.filter((p) => p.headline <= left(p) && x(p.mid) - x(p.headline) > 9);
  const known = points.filter((p) => p.mid >= 0);
  // Where the work pays less than the headline, the two labels change sides.
  const cheaper = new Set(known.filter((p) => p.headline > p.high && x(p.headline) - x(p.mid) > 9 && x(p.low) - marginLeft > textWidth(valueLabel(p)) + 12));

  const marks = [
    Plot.ruleX(ticks, {stroke: "var(--grid)"}),
    Plot.axisX(ticks, {anchor: "top", tickSize: 0, tickPadding: 4, label: null,
      fontSize: 12, tickFormat: (v) => (v === 0 ? "0" : rate(String(v))), fill: "var(--muted)"}),
    Plot.link(known.filter((p) => p.low !== p.high), {x1: "low", x2: "high", y: "place", stroke: "color", strokeWidth: 11, strokeOpacity: 0.22, dy: markDy}),
    Plot.link(known.filter((p) => p.headline >= 0), {x1: "headline", x2: "mid", y: "place", stroke: "color", strokeWidth: 1.6, dy: markDy}),
  ];
  if (baseline >= 0) {
    // The label moves to the side that has room.
    const atRight = x(baseline) + textWidth(options.baselineLabel) + 10 < width - marginRight;
    marks.push(
      Plot.ruleX([baseline], {stroke: "var(--ink)", strokeDasharray: "4 3", strokeWidth: 1.2, insetTop: -26}),
      Plot.text([baseline], {x: (v) => v, frameAnchor: "top", dy: -28, dx: atRight ? 5 : -5, textAnchor: atRight ? "start" : "end",
        text: () => options.baselineLabel, fontSize: 12, fontWeight: 600, fill: "var(--ink)", stroke: "var(--card)", strokeWidth: 5}),
    );
  }
  marks.push(
    Plot.dot(points.filter((p) => p.headline >= 0), {x: "headline", y: "place", symbol: "symbol", stroke: "color", fill: "var(--card)", r: 4.5, strokeWidth: 1.6, dy: markDy}),
    Plot.dot(known, {x: "mid", y: "place", symbol: "symbol", fill: "color", stroke: "color", r: 4.5, dy: markDy}),
    Plot.text(apart, {x: left, y: "place", text: headlineLabel, textAnchor: "end", dx: -9, dy: markDy, fontSize: 12, fill: "var(--muted)"}),
    Plot.text(cheaper, {x: "headline", y: "place", text: headlineLabel, textAnchor: "start", dx: 9, dy: markDy, fontSize: 12, fill: "var(--muted)"}),
    Plot.text(cheaper, {x: "low", y: "place", text: valueLabel, textAnchor: "end", dx: -10, dy: markDy, fontSize: 12, fill: "var(--ink)", fontVariant: "tabular-nums", stroke: "var(--card)", strokeWidth: 4}),
    Plot.text(points.filter((p) => !cheaper.has(p)), {x: right, y: "place", text: valueLabel, textAnchor: "start", dx: 10, stroke: "var(--card)", strokeWidth: 4, dy: markDy, fontSize: 12, fill: "var(--ink)", fontVariant: "tabular-nums"}),
    Plot.text(points, {y: "place", frameAnchor: "left", textAnchor: narrow ? "start" : "end", dx: narrow ? 0 : -10, dy: labelDy,
      text: (p) => fitted(p.row.label, narrow ? width - 12 : marginLeft - 14), fontSize: 12, fill: "var(--ink)", stroke: "var(--card)", strokeWidth: 4}),
    Plot.tip(known, Plot.pointerY({x: "mid", y: "place", dy: markDy, title: (p) => options.tip(p.row), fontSize: 12, lineHeight: 1.35,
      fill: "var(--card)", stroke: "var(--line)", preferredAnchor: "bottom"})),
  );
  return named(Plot.plot({
    className: PLOT_CLASS, width, height: rowsTop + marginBottom + rowHeight * rows.length,
    marginTop, marginBottom, marginLeft, marginRight,
    x: {type: "symlog", constant, domain: [0, top], insetLeft, insetRight},
    y: {type: "linear", domain: [-0.5, rows.length - 0.5], range: [rowsTop, rowsTop + rowHeight * rows.length], axis: null},
    marks,
  }), options.alt);
}
