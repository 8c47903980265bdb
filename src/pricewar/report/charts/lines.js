// Charts that are redrawn at every move of a lever: their nodes are kept and only what changed is written.
import {fitted, textWidth} from "./shared.js";

const SYMBOLS = ["symbolCircle", "symbolSquare", "symbolTriangle", "symbolDiamond", "symbolStar", "symbolCross", "symbolWye"];
const COLORS = 8;
const LABEL = 12, LABEL_ROOM = 104, LEADER = 22, GAP = 14.5;

// What tells a line from its neighbours: a colour, and a shape for those who do not see it.
export function lookOf(place) { return {color: `var(--v${place % COLORS})`, symbol: SYMBOLS[place % SYMBOLS.length]}; }

export function symbolPath(d3, place, size = 38) { return d3.symbol(d3[lookOf(place).symbol], size)(); }

export const PAST = 3; // the diamond: what the record has, in the report too

// Places labels near where they belong, none upon another, all between `low` and `high`.
export function apart(wanted, gap, low, high) {
  const order = wanted.map((y, place) => ({y: Math.min(high, Math.max(low, y)), place})).sort((a, b) => a.y - b.y);
  const groups = [];
  for (const {y, place} of order) {
    groups.push({places: [place], middle: y});
    // Labels that would touch become a block around their common middle, within the chart.
    while (groups.length > 1) {
      const [above, below] = groups.slice(-2);
      const room = gap * (above.places.length + below.places.length) / 2;
      if (below.middle - above.middle >= room - 1e-9) break;
      const count = above.places.length + below.places.length;
      const middle = (above.middle * above.places.length + below.middle * below.places.length) / count;
      const half = gap * (count - 1) / 2;
      groups.splice(-2, 2, {places: [...above.places, ...below.places], middle: Math.max(low + half, Math.min(high - half, middle))});
    }
  }
  const placed = Array(wanted.length);
  for (const {places, middle} of groups) places.forEach((place, i) => { placed[place] = middle + (i - (places.length - 1) / 2) * gap; });
  return placed;
}

const widths = new Map();

// As `fitted`, remembered: names come back at every move.
function label(text, room, weight = 400) {
  const key = `${document.documentElement.lang}|${room}|${weight}|${text}`;
  if (!widths.has(key)) widths.set(key, fitted(text, room, LABEL, weight));
  return widths.get(key);
}

function picture(d3, root, name) {
  return d3.select(root).append("svg").attr("class", `pw-plot ${name}`).attr("role", "img");
}

function axes(svg, {x, y, width, height, margin, ticks, months, write, xName}) {
  const inner = width - margin.right;
  svg.select(".grid").selectAll("line").data(ticks).join("line").attr("x1", margin.left).attr("x2", inner)
    .attr("y1", (t) => y(t.value)).attr("y2", (t) => y(t.value)).attr("stroke", "var(--grid)");
  svg.select(".y").selectAll("text").data(ticks).join("text").attr("x", margin.left - 6).attr("y", (t) => y(t.value)).attr("dy", "0.32em")
    .attr("text-anchor", "end").attr("font-size", LABEL).attr("fill", "var(--muted)").text((t) => t.label ?? write(t.value));
  const [first, last] = [months[0], months[months.length - 1]];
  const marks = [];
  for (let m = Math.ceil(first / 12) * 12; m <= last; m += 12) marks.push(m);
  // What is counted stands at the axis' beginning, where no mark does.
  const named = xName ? [{at: x(first), anchor: "start", text: xName}] : [];
  svg.select(".x").selectAll("text").data([...named, ...marks.map((m) => ({at: x(m), anchor: "middle", text: String(m)}))]).join("text").attr("x", (m) => m.at).attr("y", height - 4)
    .attr("text-anchor", (m) => m.anchor).attr("font-size", LABEL).attr("fill", "var(--muted)").text((m) => m.text);
}

export class LineChart {
  // point(key | null): the line pointed at; pick(key): the line clicked.
  constructor(d3, root, {point = () => {}, pick = () => {}} = {}) {
    this.d3 = d3;
    this.svg = picture(d3, root, "lines");
    for (const name of ["grid", "y", "x", "bands", "past", "base", "rules", "medians", "ends", "cursor"]) this.svg.append("g").attr("class", name);
    this.svg.on("pointermove", (event) => this.moved(event, point));
    this.svg.on("pointerleave", () => this.left(point));
    this.svg.on("click", (event) => {
      const key = this.nearest(event)?.key;
      if (key) pick(key);
    });
    // The same by keys: months to the left and right, lines up and down, Enter to pick.
    this.svg.attr("tabindex", 0);
    this.svg.on("keydown", (event) => this.keyed(event, point, pick));
    this.svg.on("blur", () => this.left(point));
  }

  // o: {width, height, months: [number], kind: "price" | "linear", domain: [low, high], ticks: [{value, label}], write(x),
  //     rows: [{key, label, place, median, low, high, low50, high50, base, steps, dots}], focus: key | null, rule, alt, xName, said(row, i)}.
  // Bands, baseline and history belong to the row in focus; a chart of one row always shows its own.
  update(o) {
    this.o = o;
    const {d3} = this;
    const {width, height, months, rows} = o;
    const price = o.kind === "price";
    const floor = o.domain[0];
    const up = price ? (v) => Math.max(v, floor) : (v) => v;
    const single = rows.length === 1;
    const room = single ? 0 : Math.min(LABEL_ROOM, Math.max(...rows.map((r) => textWidth(r.label, LABEL, 600))) + 4);
    const margin = this.margin = {
      top: 10, bottom: 20, right: single ? 12 : room + LEADER + 4,
      left: 10 + Math.max(...o.ticks.map((t) => textWidth(t.label ?? o.write(t.value), LABEL))),
    };
    const x = this.x = d3.scaleLinear([months[0], months[months.length - 1]], [margin.left, width - margin.right]);
    const y = this.y = (price ? d3.scaleLog : d3.scaleLinear)(o.domain, [height - margin.bottom, margin.top]).clamp(true);
    this.svg.attr("width", width).attr("height", height).attr("viewBox", `0 0 ${width} ${height}`).attr("aria-label", o.alt);
    axes(this.svg, {x, y, width, height, margin, ticks: o.ticks, months, write: o.write, xName: o.xName});

    const known = (v) => v !== null && v !== undefined && Number.isFinite(v);
    const line = d3.line((_, i) => x(months[i]), (v) => y(up(v))).defined(known);
    const band = (low, high) => d3.area((_, i) => x(months[i]), (_, i) => y(up(low[i])), (_, i) => y(up(high[i])))
      .defined((_, i) => known(low[i]) && known(high[i]))(low);
    const focused = single ? rows : rows.filter((r) => r.key === o.focus);
    const bands = focused.flatMap((r) => [["80", r.low, r.high, 0.14], ["50", r.low50, r.high50, 0.2]].filter((b) => b[1] && b[2]).map((b) => [...b, r]));
    this.svg.select(".bands").selectAll("path").data(bands).join("path").attr("d", (b) => band(b[1], b[2]))
      .attr("fill", (b) => lookOf(b[4].place).color).attr("fill-opacity", (b) => b[3]);
    this.svg.select(".base").selectAll("path").data(focused.filter((r) => r.base)).join("path").attr("d", (r) => line(r.base)).attr("fill", "none")
      .attr("stroke", (r) => lookOf(r.place).color).attr("stroke-width", 1.8).attr("stroke-dasharray", "5 4");
    this.svg.select(".rules").selectAll("line").data(o.rule === undefined ? [] : [o.rule]).join("line").attr("x1", margin.left).attr("x2", width - margin.right)
      .attr("y1", y).attr("y2", y).attr("stroke", "var(--muted)").attr("stroke-dasharray", "2 3");
    const pale = (r) => (o.focus && !single && r.key !== o.focus ? 0.6 : 1);
    this.svg.select(".medians").selectAll("path").data(rows, (r) => r.key).join("path").attr("data-key", (r) => r.key).attr("d", (r) => line(r.median)).attr("fill", "none")
      .attr("stroke", (r) => lookOf(r.place).color).attr("stroke-opacity", pale).attr("stroke-width", (r) => (r.key === o.focus || single ? 2.6 : 1.8)).attr("stroke-linejoin", "round");
    this.drawPast(focused, up, y);
    if (single) this.svg.select(".ends").selectAll("*").remove();
    else this.drawEnds(rows, up, room, pale, known);
    this.drawCursor();
  }

  // The record: steps of list prices, or single readings.
  drawPast(rows, up, y) {
    const months = this.o.months;
    const last = months[months.length - 1];
    const steps = rows.flatMap((r) => r.steps ?? []).filter((s) => s.x1 < last && s.x2 > months[0]).map((s) => ({...s, x1: Math.max(s.x1, months[0]), x2: Math.min(s.x2, last)}));
    const past = this.svg.select(".past");
    past.selectAll("rect").data(steps).join("rect").attr("x", (s) => this.x(s.x1)).attr("width", (s) => Math.max(0, this.x(s.x2) - this.x(s.x1)))
      .attr("y", (s) => y(up(s.high)) - 1.3).attr("height", (s) => Math.max(2.6, y(up(s.low)) - y(up(s.high)) + 2.6)).attr("fill", "var(--past)").attr("fill-opacity", (s) => (s.high > s.low ? 0.35 : 0.95));
    past.selectAll("path").data(rows.flatMap((r) => r.dots ?? []).filter((p) => p.month <= last)).join("path").attr("d", symbolPath(this.d3, PAST, 46))
      .attr("transform", (p) => `translate(${this.x(p.month)},${y(up(p.value))})`).attr("fill", "var(--past)").attr("stroke", "var(--card)").attr("stroke-width", 1.2);
  }

  drawEnds(rows, up, room, pale, known) {
    const {months, height, width, focus} = this.o;
    const ends = rows.map((r) => {
      let i = r.median.length - 1;
      while (i > 0 && !known(r.median[i])) i -= 1;
      const value = r.median[i];
      return {row: r, x: this.x(months[Math.min(i, months.length - 1)]), y: known(value) ? this.y(up(value)) : height - this.margin.bottom};
    });
    const gap = Math.min(GAP, (height - this.margin.top - this.margin.bottom + 10) / Math.max(1, rows.length - 1));
    const placed = apart(ends.map((e) => e.y), gap, this.margin.top, height - this.margin.bottom + 6);
    const text = width - this.margin.right + LEADER;
    this.svg.select(".ends").selectAll("g").data(ends, (e) => e.row.key).join((enter) => {
      const g = enter.append("g");
      for (const name of ["path.leader", "path.shape", "text"]) g.append(name.split(".")[0]).attr("class", name.split(".")[1] ?? null);
      return g;
    }).attr("data-key", (e) => e.row.key).attr("opacity", (e) => pale(e.row)).each((e, i, nodes) => {
      const g = this.d3.select(nodes[i]);
      const {color} = lookOf(e.row.place);
      g.select(".leader").attr("d", `M${e.x + 4},${e.y}L${text - 10},${placed[i]}L${text - 3},${placed[i]}`).attr("fill", "none").attr("stroke", color).attr("stroke-opacity", 0.55);
      g.select(".shape").attr("d", symbolPath(this.d3, e.row.place, 30)).attr("transform", `translate(${e.x},${e.y})`).attr("fill", color).attr("stroke", "var(--card)").attr("stroke-width", 0.8);
      const weight = e.row.key === focus ? 700 : 400;
      g.select("text").attr("x", text).attr("y", placed[i]).attr("dy", "0.33em").attr("font-size", LABEL).attr("font-weight", weight).attr("fill", color).text(label(e.row.label, room, weight));
    });
  }

  // ---------------------------------------------------------------- pointing

  nearest(event) {
    if (!this.o) return null;
    const [px, py] = this.d3.pointer(event, this.svg.node());
    const {months, rows, width, kind, domain} = this.o;
    const up = kind === "price" ? (v) => Math.max(v, domain[0]) : (v) => v;
    if (px > width - this.margin.right + LEADER - 4 && rows.length > 1) {
      const tags = [...this.svg.select(".ends").node().children].map((g) => ({key: g.dataset.key, y: Number(g.lastChild.getAttribute("y"))}));
      const tag = this.d3.least(tags, (t) => Math.abs(t.y - py));
      return tag && Math.abs(tag.y - py) < GAP ? {key: tag.key, i: null} : null;
    }
    const month = this.x.invert(Math.min(px, width - this.margin.right));
    const i = this.d3.leastIndex(months, (m) => Math.abs(m - month));
    const row = this.d3.least(rows.filter((r) => Number.isFinite(r.median[i] ?? NaN)), (r) => Math.abs(this.y(up(r.median[i])) - py));
    return row ? {key: row.key, i} : null;
  }

  moved(event, point) {
    const near = this.nearest(event);
    this.cursorAt = near?.i ?? null;
    point(near?.key ?? null);
    this.drawCursor(near?.key);
  }

  left(point) {
    this.cursorAt = null;
    this.drawCursor();
    if (this.o) this.svg.attr("aria-label", this.o.alt);
    point(null);
  }

  keyed(event, point, pick) {
    const {o} = this;
    if (!o?.rows.length || event.ctrlKey || event.altKey || event.metaKey) return;
    const {rows, months, focus} = o;
    const here = rows.length === 1 ? rows[0] : rows.find((r) => r.key === focus);
    const last = months.length - 1;
    const month = {ArrowLeft: (this.cursorAt ?? months.length) - 1, ArrowRight: (this.cursorAt ?? -1) + 1, Home: 0, End: last}[event.key];
    const step = {ArrowUp: -1, ArrowDown: 1}[event.key];
    if (month !== undefined) this.cursorAt = Math.min(last, Math.max(0, month));
    else if (step) {
      // From line to line as their names stand beside the chart, from above.
      const order = [...this.svg.select(".ends").node().children].map((g) => ({key: g.dataset.key, y: Number(g.lastChild.getAttribute("y"))})).sort((a, b) => a.y - b.y).map((t) => t.key);
      const at = order.indexOf(here?.key);
      const next = order[Math.min(order.length - 1, Math.max(0, at < 0 ? 0 : at + step))];
      this.cursorAt ??= last;
      if (next && next !== here?.key) point(next);
    } else if (event.key === "Escape") this.left(point);
    else if (event.key === "Enter" && here) pick(here.key);
    else return;
    event.preventDefault();
    this.drawCursor();
  }

  // The month under the pointer and what stands there, in words.
  drawCursor(key = this.o?.focus) {
    const {o} = this;
    const row = o && (o.rows.length === 1 ? o.rows[0] : o.rows.find((r) => r.key === key));
    const i = this.cursorAt;
    const shown = row && i !== null && i !== undefined && row.median[i] !== null && row.median[i] !== undefined ? [o.said(row, i)] : [];
    if (o && document.activeElement === this.svg.node()) this.svg.attr("aria-label", [o.alt, ...shown].join(" "));
    const cursor = this.svg.select(".cursor");
    cursor.selectAll("line").data(shown).join("line").attr("x1", () => this.x(o.months[i])).attr("x2", () => this.x(o.months[i]))
      .attr("y1", this.margin?.top).attr("y2", () => o.height - this.margin.bottom).attr("stroke", "var(--muted)").attr("stroke-dasharray", "1 3");
    cursor.selectAll("text").data(shown).join("text").attr("font-size", LABEL).attr("y", 9).attr("fill", "var(--ink)").attr("stroke", "var(--card)").attr("stroke-width", 4).attr("paint-order", "stroke")
      .text((said) => said).each((said, _, [node]) => {
        const half = textWidth(said, LABEL) / 2;
        const middle = Math.min(o.width - half - 2, Math.max(half + 2, this.x(o.months[i])));
        this.d3.select(node).attr("x", middle).attr("text-anchor", "middle");
      });
  }
}

// Months of one stage after the other, as runs; months: [{stage, chance} | null].
export function runsOf(months) {
  const runs = [];
  months.forEach((now, month) => {
    const last = runs[runs.length - 1];
    if (!now) return;
    if (last && last.stage === now.stage && last.to === month) Object.assign(last, {to: month + 1, sum: last.sum + now.chance});
    else runs.push({stage: now.stage, from: month, to: month + 1, sum: now.chance});
  });
  return runs.map(({stage, from, to, sum}) => ({stage, from, to, chance: sum / (to - from)}));
}

const RIBBON = 36, STRIP = 5, THIN = 6;

export class RibbonChart {
  constructor(d3, root) {
    this.d3 = d3;
    this.svg = picture(d3, root, "ribbon");
    for (const name of ["x", "names", "runs", "words", "thin"]) this.svg.append("g").attr("class", name);
  }

  // o: {width, months, rows: [{key, label, place, runs, strips: [runs]}], focus, word(stage), alt, xName}. A row without a place is
  // the whole market's; its strips stand below it, the baseline first, then the record.
  update(o) {
    const {width, months, rows} = o;
    const left = Math.min(120, Math.max(...rows.map((r) => textWidth(r.label, LABEL, 600))) + 14), top = 20;
    const height = top + RIBBON * rows.length + 4;
    const x = this.d3.scaleLinear([0, months], [left, width - 8]);
    const y = (place) => top + RIBBON * place;
    this.svg.attr("width", width).attr("height", height).attr("viewBox", `0 0 ${width} ${height}`).attr("aria-label", o.alt);
    this.svg.select(".x").selectAll("text").data([...(o.xName ? [{at: left - 10, anchor: "end", text: o.xName}] : []), ...this.d3.range(0, months + 1, 6).map((m) => ({at: x(m), anchor: "middle", text: String(m)}))]).join("text")
      .attr("x", (m) => m.at).attr("y", 13).attr("text-anchor", (m) => m.anchor).attr("font-size", LABEL).attr("fill", "var(--muted)").text((m) => m.text);
    this.svg.select(".names").selectAll("text").data(rows).join("text").attr("x", left - 10).attr("y", (_, i) => y(i) + 11).attr("dy", "0.33em").attr("text-anchor", "end").attr("font-size", LABEL)
      .attr("font-weight", (r) => (r.place === undefined || r.key === o.focus ? 700 : 400)).attr("fill", (r) => (r.place === undefined ? "var(--ink)" : lookOf(r.place).color)).text((r) => label(r.label, left - 14, 600));
    const runs = rows.flatMap((r, place) => r.runs.map((run) => ({...run, place})));
    this.svg.select(".runs").selectAll("rect").data(runs).join("rect").attr("x", (r) => x(r.from)).attr("width", (r) => Math.max(1, x(r.to) - x(r.from) - 1)).attr("y", (r) => y(r.place)).attr("height", 22)
      .attr("rx", 2).attr("fill", (r) => `var(--stage-${r.stage})`).attr("fill-opacity", (r) => 0.3 + 0.7 * r.chance).attr("stroke", (r) => (r.stage === "out" ? "var(--line)" : "none"));
    this.svg.select(".words").selectAll("text").data(runs).join("text").attr("x", (r) => x(r.from) + 6).attr("y", (r) => y(r.place) + 11).attr("dy", "0.33em").attr("font-size", LABEL).attr("fill", "var(--ink)")
      .attr("stroke", "var(--card)").attr("stroke-width", 3).attr("stroke-opacity", 0.6).attr("paint-order", "stroke")
      .text((r) => { const word = o.word(r.stage); return textWidth(word, LABEL) + 12 < x(r.to) - x(r.from) ? word : ""; });
    const thin = rows.flatMap((r, place) => r.strips.flatMap((strip, line) => strip.map((run) => ({...run, place, line}))));
    this.svg.select(".thin").selectAll("rect").data(thin).join("rect").attr("x", (r) => x(r.from)).attr("width", (r) => Math.max(0.5, x(Math.min(r.to, months)) - x(r.from) - 0.5)).attr("y", (r) => y(r.place) + 23 + (STRIP + 0.5) * r.line).attr("height", STRIP)
      .attr("fill", (r) => `var(--stage-${r.stage})`).attr("stroke", (r) => (r.stage === "out" ? "var(--line)" : "none"));
  }
}

const BAR = 40;

// Shares of a whole, one bar a row, a thin bar of the baseline below it.
export class ShareBars {
  constructor(d3, root, {pick = () => {}} = {}) {
    this.d3 = d3;
    this.svg = picture(d3, root, "bars");
    for (const name of ["names", "bars", "words", "thin"]) this.svg.append("g").attr("class", name);
    this.svg.select(".bars").on("click", (event) => { if (event.target.dataset.key) pick(event.target.dataset.key); });
  }

  // o: {width, rows: [{label, parts: [{key, label, place, share}], base: [same]}], focus, pct(x), alt}.
  update(o) {
    const {width, rows} = o;
    const left = Math.min(130, Math.max(...rows.map((r) => textWidth(r.label, LABEL))) + 14), top = 4;
    const height = top + BAR * rows.length;
    const x = this.d3.scaleLinear([0, 1], [left, width - 8]);
    const y = (place) => top + BAR * place;
    const stack = (parts, place) => {
      let so = 0;
      return (parts ?? []).map((p) => ({...p, row: place, from: so, to: (so += p.share)}));
    };
    this.svg.attr("width", width).attr("height", height).attr("viewBox", `0 0 ${width} ${height}`).attr("aria-label", o.alt);
    this.svg.select(".names").selectAll("text").data(rows).join("text").attr("x", left - 10).attr("y", (_, i) => y(i) + 12).attr("dy", "0.33em").attr("text-anchor", "end").attr("font-size", LABEL).attr("fill", "var(--ink)").text((r) => label(r.label, left - 14));
    const bars = rows.flatMap((r, place) => stack(r.parts, place));
    const thin = rows.flatMap((r, place) => stack(r.base, place));
    const pale = (p) => (o.focus && p.key !== o.focus ? 0.5 : 0.9);
    const drawn = (group, data, dy, tall) => this.svg.select(group).selectAll("rect").data(data).join("rect").attr("data-key", (p) => p.key).attr("x", (p) => x(p.from)).attr("width", (p) => Math.max(0, x(p.to) - x(p.from) - 1))
      .attr("y", (p) => y(p.row) + dy).attr("height", tall).attr("fill", (p) => lookOf(p.place).color).attr("fill-opacity", pale);
    drawn(".bars", bars, 0, 24);
    drawn(".thin", thin, 26, THIN);
    this.svg.select(".words").attr("pointer-events", "none").selectAll("text").data(bars).join("text").attr("x", (p) => x(p.from) + 5).attr("y", (p) => y(p.row) + 12).attr("dy", "0.33em").attr("font-size", LABEL).attr("fill", "var(--ink)")
      .attr("stroke", "var(--card)").attr("stroke-width", 3).attr("stroke-opacity", 0.7).attr("paint-order", "stroke")
      .text((p) => {
        const room = x(p.to) - x(p.from) - 8;
        const full = `${p.label} ${o.pct(p.share)}`;
        return textWidth(full, LABEL) < room ? full : textWidth(p.label, LABEL) < room ? p.label : "";
      });
  }
}
