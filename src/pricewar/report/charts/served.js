// What happened to the work: free, paid, or refused and sent on; one stacked bar per offer.
import {named, number, fitted, textWidth, hatching, labelRoom, NARROW, PLOT_CLASS} from "./shared.js";

// As many terms as fit, and how many more there are.
function counted(terms, width) {
  for (let shown = terms.length; shown > 0; shown--) {
    const text = terms.slice(0, shown).join("; ") + (shown < terms.length ? `  +${terms.length - shown}` : "");
    if (textWidth(text) <= width) return text;
  }
  return fitted(terms[0] ?? "", width);
}

// rows: {label, free, paid, refused, terms: [text]}. options: {width, alt, unknownWord, pct(x)}.
export function servedChart(Plot, d3, rows, options) {
  const {width, pct} = options;
  const narrow = width < NARROW;
  const wide = width >= 900;
  const marginLeft = narrow ? 14 : labelRoom(width);
  const marginRight = narrow ? 20 : wide ? 300 : 24;
  const rowHeight = narrow ? 44 : 24;
  const marginTop = 26, marginBottom = 6;
  const inner = width - marginLeft - marginRight;
  const parts = rows.flatMap((row, place) => {
    let start = 0;
    return ["free", "paid", "refused"].flatMap((part) => {
      const share = number(row[part]);
      if (!(share > 0)) return [];
      const bar = {place, part, share, x1: start, x2: Math.min(1, start + share)};
      start += share;
      return [bar];
    });
  });
  const half = narrow ? 0.24 : 0.36;
  const shift = narrow ? 0.2 : 0;
  const unknown = rows.flatMap((row, place) => (parts.some((p) => p.place === place) ? [] : [{place}]));
  const label = (p) => pct(p.share);
  return named(Plot.plot({
    className: PLOT_CLASS, width, height: marginTop + marginBottom + rowHeight * rows.length, marginTop, marginBottom, marginLeft, marginRight,
    x: {type: "linear", domain: [0, 1]},
    y: {type: "linear", domain: [-0.5, rows.length - 0.5], range: [marginTop, marginTop + rowHeight * rows.length], axis: null},
    marks: [
      hatching("pw-hatch", "refused"),
      Plot.axisX([0, 0.25, 0.5, 0.75, 1], {anchor: "top", tickSize: 0, tickPadding: 4, label: null, fontSize: 12, tickFormat: pct, fill: "var(--muted)", textAnchor: "middle"}),
      Plot.rect(parts, {
        x1: "x1", x2: "x2", y1: (p) => p.place - half + shift, y2: (p) => p.place + half + shift,
        fill: (p) => (p.part === "refused" ? "url(#pw-hatch)" : `var(--${p.part})`), stroke: (p) => `var(--${p.part}-line)`, strokeWidth: 1, insetLeft: 0.5, insetRight: 0.5,
      }),
      Plot.text(parts.filter((p) => p.share * inner > textWidth(label(p)) + 10), {
        x: (p) => (p.x1 + p.x2) / 2, y: (p) => p.place + shift, text: label, fontSize: 12, fill: "var(--ink)",
        stroke: (p) => `var(--${p.part})`, strokeWidth: 5, fontVariant: "tabular-nums",
      }),
      Plot.text(unknown, {x: 0, y: (p) => p.place + shift, dx: 4, text: () => options.unknownWord, textAnchor: "start", fontSize: 12, fill: "var(--muted)"}),
      Plot.text(rows, {
        y: (_, place) => place, frameAnchor: "left", textAnchor: narrow ? "start" : "end", dx: -10, dy: narrow ? -12 : 0,
        text: (row) => fitted(row.label, narrow ? width - 12 : marginLeft - 14), fontSize: 12, fill: "var(--ink)",
      }),
      wide ? Plot.text(rows, {
        y: (_, place) => place, frameAnchor: "right", textAnchor: "start", dx: 12,
        text: (row) => counted(row.terms, marginRight - 16), fontSize: 12, fill: "var(--muted)",
      }) : null,
    ],
  }), options.alt);
}
