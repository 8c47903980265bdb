// Pictures of exact games: a surface over states with its contours, curves through folds, bars. Nodes are kept between
// redraws; numbers come as they are, null where there is none.
import {apart, lookOf, symbolPath} from "./lines.js";
import {fitted, textWidth} from "./shared.js";

const LABEL = 12;
const known = (v) => v !== null && v !== undefined && Number.isFinite(v);

function picture(d3, root, name, layers) {
  const svg = d3.select(root).append("svg").attr("class", `pw-plot ${name}`).attr("role", "img");
  for (const layer of layers) svg.append("g").attr("class", layer);
  return svg;
}

// A colour of the page as red, green, blue: the theme decides what it is.
function resolved(node, name) {
  node.style.color = `var(${name})`;
  const [r, g, b] = getComputedStyle(node).color.match(/[\d.]+/g).map(Number);
  return [r, g, b];
}

const mixed = (a, b, t) => a.map((v, i) => Math.round(v + (b[i] - v) * t));

const CLIPPED = 4; // how many times the middle's span all values may take before the ends are cut

// From where to where colours go: below zero they are others; a few values far out do not take all colours, they get
// the colour of the end. `root`: of small numbers more is seen.
export function ramp(d3, values, {root = false} = {}) {
  const sorted = Float64Array.from(values.filter(known)).sort();
  let [low, high] = [sorted[0] ?? 0, sorted[sorted.length - 1] ?? 0];
  const [least, most] = [low, high];
  const [from, to] = [0.03, 0.97].map((q) => d3.quantileSorted(sorted, q) ?? 0);
  if (!root && to > from && high - low > CLIPPED * (to - from)) {
    const room = to - from;
    [low, high] = [Math.max(low, from - room), Math.min(high, to + room)];
  }
  const bend = root ? Math.sqrt : (t) => t;
  const zero = low < 0 && high > 0 ? 0 : low;
  const share = (a, b, v) => bend(Math.min(1, Math.max(0, b === a ? 0.5 : (v - a) / (b - a))));
  const color = ([pale, full, deep]) => (v) => (v < zero ? mixed(pale, deep, share(zero, low, v)) : mixed(pale, full, share(zero, high, v)));
  return {low, high, least, most, ends: color};
}

// Ends that were cut say how far the values go.
function cutEnds({low, high, least, most}, write) {
  return [least < low ? {t: low, text: `≥ ${write(least)}`} : null, most > high ? {t: high, text: `≤ ${write(most)}`} : null].filter(Boolean);
}

const SCALE = 70, MOST = 460, LEAST = 150; // px; the scale takes more where its figures do

export class SurfaceChart {
  // point([i, j] | null): the state pointed at; pick([i, j]): the state clicked, or moved to by keys.
  constructor(d3, root, {point = () => {}, pick = () => {}} = {}) {
    this.d3 = d3;
    this.svg = picture(d3, root, "surface", ["cells", "contours", "arrows", "slice", "names", "x", "y", "xname", "yname", "cursor", "ramp"]).attr("tabindex", 0);
    this.probe = document.createElement("span");
    this.probe.hidden = true;
    root.append(this.probe);
    this.svg.on("pointermove", (event) => point(this.at(event)));
    this.svg.on("pointerleave", () => point(null));
    this.svg.on("click", (event) => {
      const at = this.at(event);
      if (at) pick(at);
    });
    this.svg.on("keydown", (event) => {
      const step = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1]}[event.key];
      if (!step || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      // At once, so that keys pressed before the next drawing add up.
      this.o.cursor = [[0, "x"], [1, "y"]].map(([k, axis]) => Math.min(this.o[axis].length - 1, Math.max(0, this.o.cursor[k] + step[k])));
      pick(this.o.cursor);
    });
  }

  // o: {width, x: [labels], y: [labels], z: [by x][by y], xName, yName, cursor: [i, j], moves: {u, v} | null, root, write(v),
  //     steps: thresholds to draw, alt}.
  update(o) {
    this.o = o;
    const {d3, svg} = this;
    const [nx, ny] = [o.x.length, o.y.length];
    const left = 34 + Math.max(...o.y.map((t) => textWidth(String(t), LABEL))) - 6, top = 8, bottom = 38;
    const flat = d3.range(ny).flatMap((j) => d3.range(nx).map((i) => o.z[i][j]));
    const colors = ramp(d3, flat, {root: o.root});
    const ends = cutEnds(colors, o.write);
    const scale = Math.max(SCALE, 34 + Math.max(0, ...ends.map((e) => textWidth(e.text, LABEL))));
    const side = Math.max(LEAST, Math.min(MOST, o.width - left - scale));
    const cell = side / Math.max(nx, ny);
    const [wide, tall] = [cell * nx, cell * ny];
    const [width, height] = [o.width, tall + top + bottom];
    this.box = {left, top, cell, nx, ny};
    const x = (i) => left + cell * (i + 0.5);
    const y = (j) => top + cell * (ny - j - 0.5);
    svg.attr("width", width).attr("height", height).attr("viewBox", `0 0 ${width} ${height}`).attr("aria-label", o.alt);
    const color = colors.ends(["--heat-low", "--heat-high", "--heat-deep"].map((name) => resolved(this.probe, name)));
    // One picture of all cells: as many nodes would be slow with hundreds of levels.
    const fine = Math.max(1, Math.ceil(cell));
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [nx * fine, ny * fine];
    const pen = canvas.getContext("2d");
    for (let i = 0; i < nx; i += 1) {
      for (let j = 0; j < ny; j += 1) {
        if (!known(o.z[i][j])) continue;
        pen.fillStyle = `rgb(${color(o.z[i][j]).join(",")})`;
        pen.fillRect(i * fine, (ny - 1 - j) * fine, fine, fine);
      }
    }
    svg.select(".cells").selectAll("image").data([0]).join("image").attr("x", left).attr("y", top).attr("width", wide).attr("height", tall)
      .attr("preserveAspectRatio", "none").attr("image-rendering", "pixelated").attr("href", canvas.toDataURL());
    this.contours(flat, colors);
    const reach = cell * 0.9 * Math.max(1, Math.ceil(Math.max(nx, ny) / 16));
    this.arrows(x, y, reach);
    this.axis(".x", o.x, wide, (s) => s.attr("x", (t) => x(t)).attr("y", top + tall + 15).attr("text-anchor", "middle"));
    this.axis(".y", o.y, tall, (s) => s.attr("x", left - 6).attr("y", (t) => y(t)).attr("dy", "0.33em").attr("text-anchor", "end"));
    svg.select(".xname").selectAll("text").data([o.xName]).join("text").attr("x", left + wide / 2).attr("y", height - 5).attr("text-anchor", "middle").attr("font-size", LABEL).attr("fill", "var(--muted)").text((t) => fitted(t, wide + left, LABEL));
    svg.select(".yname").selectAll("text").data([o.yName]).join("text").attr("transform", `translate(11,${top + tall / 2}) rotate(-90)`).attr("text-anchor", "middle").attr("font-size", LABEL).attr("fill", "var(--muted)").text((t) => fitted(t, tall, LABEL));
    const [i, j] = o.cursor;
    svg.select(".slice").selectAll("line").data([j]).join("line").attr("x1", left).attr("x2", left + wide).attr("y1", y(j)).attr("y2", y(j)).attr("stroke", "var(--ink)").attr("stroke-dasharray", "2 3").attr("stroke-opacity", 0.8);
    svg.select(".cursor").selectAll("rect").data([4, 1.8]).join("rect").attr("x", x(i) - cell / 2 - 1).attr("y", y(j) - cell / 2 - 1).attr("width", cell + 2).attr("height", cell + 2).attr("fill", "none")
      .attr("stroke", (w) => (w === 4 ? "var(--card)" : "var(--ink)")).attr("stroke-width", (w) => w);
    this.key(colors, color, left + wide + 14, top, tall);
  }

  axis(place, labels, room, put) {
    const widest = Math.max(...labels.map((t) => textWidth(String(t), LABEL))) + 8;
    const every = Math.max(1, Math.ceil(labels.length / Math.max(2, Math.floor(room / Math.max(widest, 20)))));
    const nice = [1, 2, 5, 10, 20, 25, 50, 100].find((n) => n >= every) ?? every;
    const whole = labels.every((t) => Number.isInteger(Number(t)));
    const ticks = this.d3.range(labels.length).filter((k) => (whole && nice > 1 ? Number(labels[k]) % nice === 0 || k === 0 && Number(labels[0]) === 1 && nice > 2 : k % every === 0));
    put(this.svg.select(place).selectAll("text").data(ticks).join("text").attr("font-size", LABEL).attr("fill", "var(--muted)")).text((t) => String(labels[t]));
  }

  contours(flat, colors) {
    const {d3, svg, o} = this;
    const {left, top, cell, nx, ny} = this.box;
    const steps = (o.steps ?? d3.ticks(colors.low, colors.high, 7)).filter((t) => t > colors.low && t < colors.high);
    // In cells with room for it stands the number itself.
    const words = cell >= 40 ? flat.map((v, p) => ({text: known(v) ? o.write(v) : "", cx: left + cell * (p % nx + 0.5), cy: top + cell * (ny - Math.floor(p / nx) - 0.5)})).filter((t) => t.text && textWidth(t.text, 11) < cell - 4) : [];
    const filled = flat.map((v) => (known(v) ? v : colors.low));
    const found = nx > 1 && ny > 1 && !words.length ? d3.contours().size([nx, ny]).thresholds(steps)(filled) : [];
    const path = d3.geoPath(d3.geoTransform({point(px, py) { this.stream.point(left + cell * px, top + cell * (ny - py)); }}));
    // Only between two states that have a number, and within the frame: d3 closes its rings along the border.
    const has = (i, j) => known(o.z[i]?.[j]);
    const inside = ([px, py]) => px > 0.51 && py > 0.51 && px < nx - 0.51 && py < ny - 0.51
      && has(Math.floor(px - 0.5), Math.floor(py - 0.5)) && has(Math.ceil(px - 0.5), Math.ceil(py - 0.5));
    const lines = found.map((c) => ({type: "MultiLineString", value: c.value, coordinates: c.coordinates.flat().flatMap((ring) => {
      const runs = [[]];
      for (const p of ring) {
        if (inside(p)) runs[runs.length - 1].push(p);
        else if (runs[runs.length - 1].length) runs.push([]);
      }
      return runs.filter((run) => run.length > 1);
    })})).filter((c) => c.coordinates.length);
    svg.select(".contours").selectAll("path").data(lines).join("path").attr("d", path).attr("fill", "none").attr("stroke", "var(--ink)").attr("stroke-opacity", 0.45).attr("stroke-width", 1);
    const taken = [];
    const names = lines.flatMap((c) => {
      const run = d3.greatest(c.coordinates, (r) => r.length);
      if (run.length * cell < 46) return [];
      for (const share of [0.5, 0.3, 0.7, 0.15, 0.85]) {
        const [px, py] = run[Math.floor((run.length - 1) * share)];
        const [cx, cy] = [left + cell * px, top + cell * (ny - py)];
        const text = o.write(c.value);
        const half = textWidth(text, 11) / 2;
        if (cx - half < left || cx + half > left + cell * nx || cy < top + 7 || cy > top + cell * ny - 6) continue;
        if (taken.some((t) => Math.abs(t.cx - cx) < t.half + half + 6 && Math.abs(t.cy - cy) < 15)) continue;
        taken.push({cx, cy, half, text});
        return [taken[taken.length - 1]];
      }
      return [];
    });
    svg.select(".names").selectAll("text").data(words.length ? words : names).join("text").attr("x", (t) => t.cx).attr("y", (t) => t.cy).attr("dy", "0.33em").attr("text-anchor", "middle").attr("font-size", 11)
      .attr("fill", "var(--ink)").attr("stroke", "var(--card)").attr("stroke-width", 3.2).attr("stroke-opacity", 0.85).attr("paint-order", "stroke").text((t) => t.text);
  }

  // Where the industry is expected to move in a period; length by ratio, the longest as long as its room.
  arrows(x, y, reach) {
    const {d3, svg, o} = this;
    const every = Math.max(1, Math.ceil(Math.max(o.x.length, o.y.length) / 16));
    const shown = o.moves ? d3.range(0, o.x.length, every).flatMap((i) => d3.range(0, o.y.length, every).map((j) => ({i, j, u: o.moves.u[i]?.[j], v: o.moves.v[i]?.[j]}))).filter((a) => known(a.u) && known(a.v) && (a.u || a.v)) : [];
    const longest = d3.max(shown, (a) => Math.hypot(a.u, a.v)) || 1;
    svg.select(".arrows").selectAll("path").data(shown).join("path").attr("fill", "none").attr("stroke", "var(--ink)").attr("stroke-width", 1.3).attr("d", (a) => {
      const size = Math.hypot(a.u, a.v);
      const length = reach * Math.sqrt(size / longest);
      const [dx, dy] = [a.u / size * length, -a.v / size * length];
      const [ex, ey] = [x(a.i) + dx, y(a.j) + dy];
      const turn = Math.atan2(dy, dx);
      const head = Math.min(4, length * 0.5);
      const side = (by) => `${ex - head * Math.cos(turn + by)},${ey - head * Math.sin(turn + by)}`;
      return `M${x(a.i)},${y(a.j)}L${ex},${ey}M${side(0.5)}L${ex},${ey}L${side(-0.5)}`;
    });
  }

  key(colors, color, at, top, tall) {
    const {d3, svg, o} = this;
    const scale = d3.scaleLinear([colors.low, colors.high], [top + tall, top]);
    const flat = colors.low === colors.high;
    const rows = flat ? [0.5] : d3.range(0, 1, 1 / 48);
    const height = tall / rows.length;
    const value = (t) => colors.low + (colors.high - colors.low) * (flat ? 0.5 : t + 0.5 / 48);
    svg.select(".ramp").selectAll("rect").data(rows).join("rect").attr("x", at).attr("width", 10).attr("y", (t) => (flat ? top : top + tall * (1 - t) - height)).attr("height", height + 0.5).attr("fill", (t) => `rgb(${color(value(t)).join(",")})`);
    const cut = cutEnds(colors, o.write);
    const ticks = flat ? [{t: colors.low, text: o.write(colors.low)}] : [...d3.ticks(colors.low, colors.high, Math.max(2, Math.floor(tall / 60))).filter((t) => cut.every((c) => Math.abs(scale(c.t) - scale(t)) > 14)).map((t) => ({t, text: o.write(t)})), ...cut];
    svg.select(".ramp").selectAll("text").data(ticks).join("text").attr("x", at + 15).attr("y", (t) => (flat ? top + tall / 2 : scale(t.t))).attr("dy", "0.33em").attr("font-size", LABEL).attr("fill", "var(--muted)").text((t) => t.text);
  }

  at(event) {
    if (!this.o) return null;
    const [px, py] = this.d3.pointer(event, this.svg.node());
    const {left, top, cell, nx, ny} = this.box;
    const [i, j] = [Math.floor((px - left) / cell), ny - 1 - Math.floor((py - top) / cell)];
    return i >= 0 && i < nx && j >= 0 && j < ny ? [i, j] : null;
  }
}

export class CurveChart {
  // pick(x): a place along the axis was clicked.
  constructor(d3, root, {pick = null} = {}) {
    this.d3 = d3;
    this.svg = picture(d3, root, "curves", ["grid", "x", "y", "rule", "curves", "dots", "marks", "ends", "cursor"]);
    this.svg.on("pointermove", (event) => this.cursor(this.nearest(event)));
    this.svg.on("pointerleave", () => this.cursor(null));
    this.svg.attr("tabindex", 0);
    this.svg.on("keydown", (event) => this.keyed(event));
    this.svg.on("blur", () => this.cursor(null));
    if (pick) {
      this.svg.attr("class", "pw-plot curves pickable");
      this.svg.on("click", (event) => {
        const near = this.nearest(event);
        if (near) pick(near.line.x[near.i]);
      });
    }
  }

  // o: {width, height, lines: [{key, label, place, x, y, bold}], marks: [{x, y, place, text}], rule: x | null, log, dots,
  //     domain: [low, high] | null, marksX: where x is named, zero, xName, write(v), writeX(x), said(line, i), alt}.
  update(o) {
    this.o = o;
    const {d3, svg} = this;
    const {width, height} = o;
    const xs = o.lines.flatMap((l) => l.x), ys = o.lines.flatMap((l) => l.y).filter(known);
    let [low, high] = ys.length ? d3.extent(ys) : [0, 1];
    if (o.zero) [low, high] = [Math.min(low, 0), Math.max(high, 0)];
    if (low === high) [low, high] = [low - Math.max(Math.abs(low) * 0.05, 0.01), high + Math.max(Math.abs(high) * 0.05, 0.01)];
    // A line that does not move is not made to look as if it did.
    const least = Math.max(Math.abs(low), Math.abs(high)) * 1e-6;
    if (high - low < least) [low, high] = [low - least, high + least];
    const ticks = d3.ticks(low, high, Math.max(3, Math.floor(height / 50)));
    const several = o.lines.length > 1;
    const room = several ? Math.min(110, Math.max(...o.lines.map((l) => textWidth(l.label, LABEL, 600))) + 22) : 0;
    const margin = this.margin = {top: 14, bottom: 36, left: 12 + Math.max(...ticks.map((t) => textWidth(o.write(t), LABEL))), right: 14 + room};
    const span = o.domain ?? d3.extent(xs);
    const x = this.x = (o.log ? d3.scaleLog : d3.scaleLinear)(span, [margin.left + 4, width - margin.right - 4]);
    const y = this.y = d3.scaleLinear([low, high], [height - margin.bottom, margin.top]);
    svg.attr("width", width).attr("height", height).attr("viewBox", `0 0 ${width} ${height}`).attr("aria-label", o.alt);
    svg.select(".grid").selectAll("line").data(ticks).join("line").attr("x1", margin.left).attr("x2", width - margin.right).attr("y1", y).attr("y2", y).attr("stroke", (t) => (t === 0 && low < 0 ? "var(--muted)" : "var(--grid)"));
    svg.select(".y").selectAll("text").data(ticks).join("text").attr("x", margin.left - 6).attr("y", y).attr("dy", "0.33em").attr("text-anchor", "end").attr("font-size", LABEL).attr("fill", "var(--muted)").text(o.write);
    const inner = width - margin.left - margin.right;
    const marks = o.marksX ?? (o.log ? [1, 10, 100, 1000].filter((t) => t >= span[0] && t <= span[1]) : d3.ticks(span[0], span[1], Math.max(2, Math.floor(inner / 70))));
    svg.select(".x").selectAll("text").data([...marks.map((t) => ({t, text: o.writeX(t), y: height - 21})), {t: null, text: o.xName, y: height - 4}]).join("text")
      .attr("x", (m) => (m.t === null ? margin.left + inner / 2 : x(m.t))).attr("y", (m) => m.y).attr("text-anchor", "middle").attr("font-size", LABEL).attr("fill", "var(--muted)").text((m) => m.text);
    svg.select(".rule").selectAll("line").data(known(o.rule) && o.rule >= span[0] && o.rule <= span[1] ? [o.rule] : []).join("line").attr("x1", x).attr("x2", x).attr("y1", margin.top).attr("y2", height - margin.bottom).attr("stroke", "var(--ink)").attr("stroke-dasharray", "4 3");
    const drawn = (l) => d3.line((_, i) => x(l.x[i]), (v) => y(v)).defined(known)(l.y);
    svg.select(".curves").selectAll("path").data(o.lines, (l) => l.key).join("path").attr("data-key", (l) => l.key).attr("d", drawn).attr("fill", "none").attr("stroke", (l) => lookOf(l.place).color).attr("stroke-width", (l) => (l.bold ? 2.8 : 1.6)).attr("stroke-linejoin", "round");
    const dots = o.dots ? o.lines.flatMap((l) => l.y.map((v, i) => ({l, v, x: l.x[i]})).filter((p) => known(p.v))) : [];
    svg.select(".dots").selectAll("circle").data(dots).join("circle").attr("cx", (p) => x(p.x)).attr("cy", (p) => y(p.v)).attr("r", (p) => (p.l.bold ? 2.4 : 1.6)).attr("fill", (p) => lookOf(p.l.place).color);
    const groups = svg.select(".marks").selectAll("g").data((o.marks ?? []).filter((m) => known(m.y))).join((enter) => {
      const g = enter.append("g");
      g.append("path");
      g.append("text");
      return g;
    });
    groups.select("path").attr("d", (m) => symbolPath(d3, m.place, 54)).attr("transform", (m) => `translate(${x(m.x)},${y(m.y)})`).attr("fill", (m) => m.fill ?? "var(--card)").attr("stroke", "var(--ink)").attr("stroke-width", 1.4);
    groups.select("text").attr("font-size", 11).attr("fill", "var(--ink)").attr("stroke", "var(--card)").attr("stroke-width", 3).attr("paint-order", "stroke").text((m) => m.text ?? "");
    this.marksApart(groups, this.ends(room));
    this.cursor(null);
  }

  // Words beside marks, none upon another.
  marksApart(groups, taken) {
    groups.each((m) => taken.push({cx: this.x(m.x), cy: this.y(m.y), half: 4}));
    groups.each((m, i, nodes) => {
      const text = this.d3.select(nodes[i]).select("text");
      if (!m.text) return void text.text("");
      const half = textWidth(m.text, 11) / 2;
      const [px, py] = [this.x(m.x), this.y(m.y)];
      const tries = [[half + 9, 4], [-half - 9, 4], [0, -12], [0, 18], [half + 9, -10], [-half - 9, -10], [half + 9, 16], [-half - 9, 16]];
      for (const [dx, dy] of tries) {
        const [cx, cy] = [px + dx, py + dy];
        if (cx - half < this.margin.left || cx + half > this.o.width - this.margin.right || cy < 10 || cy > this.o.height - this.margin.bottom) continue;
        if (taken.some((t) => Math.abs(t.cx - cx) < t.half + half + 4 && Math.abs(t.cy - cy) < 13)) continue;
        taken.push({cx, cy, half});
        return void text.attr("x", cx).attr("y", cy).attr("text-anchor", "middle");
      }
      text.text("");
    });
  }

  ends(room) {
    const {d3, svg, o} = this;
    const last = (l) => d3.greatest(d3.range(l.y.length).filter((i) => known(l.y[i])), (i) => l.x[i]);
    const ends = room ? o.lines.filter((l) => last(l) !== undefined).map((l) => ({l, x: this.x(l.x[last(l)]), y: this.y(l.y[last(l)])})) : [];
    const at = o.width - this.margin.right + 16;
    // A line that ends within the picture has its name there.
    const inside = (e) => at - e.x > 70;
    const placed = apart(ends.map((e) => e.y), 14.5, this.margin.top, o.height - this.margin.bottom);
    svg.select(".ends").selectAll("g").data(ends, (e) => e.l.key).join((enter) => {
      const g = enter.append("g");
      for (const name of ["path.leader", "path.shape", "text"]) g.append(name.split(".")[0]).attr("class", name.split(".")[1] ?? null);
      return g;
    }).each((e, i, nodes) => {
      const g = d3.select(nodes[i]);
      const {color} = lookOf(e.l.place);
      g.select(".leader").attr("d", inside(e) ? null : `M${e.x + 4},${e.y}L${at - 8},${placed[i]}L${at - 3},${placed[i]}`).attr("fill", "none").attr("stroke", color).attr("stroke-opacity", 0.55);
      g.select(".shape").attr("d", symbolPath(d3, e.l.place, 34)).attr("transform", `translate(${e.x},${e.y})`).attr("fill", color).attr("stroke", "var(--card)").attr("stroke-width", 0.8);
      g.select("text").attr("x", inside(e) ? e.x + 10 : at).attr("y", inside(e) ? e.y + 13 : placed[i]).attr("dy", "0.33em").attr("font-size", LABEL).attr("font-weight", e.l.bold ? 700 : 400).attr("fill", color).text(fitted(e.l.label, room - 16, LABEL, 700));
    });
    return ends.filter(inside).map((e) => {
      const half = textWidth(e.l.label, LABEL, 700) / 2;
      return {cx: e.x + 10 + half, cy: e.y + 13, half};
    });
  }

  // What a pointer shows, by keys: points of a line to the left and right, lines up and down.
  keyed(event) {
    const {o} = this;
    if (!o?.lines.length || event.ctrlKey || event.altKey || event.metaKey) return;
    const step = {ArrowLeft: -1, ArrowRight: 1}[event.key], turn = {ArrowUp: -1, ArrowDown: 1}[event.key];
    if (event.key === "Escape") return this.cursor(null);
    if (!step && !turn) return;
    event.preventDefault();
    const lines = o.lines.filter((l) => l.y.some(known));
    const from = lines.indexOf(this.near?.line);
    const line = lines[from < 0 ? Math.max(0, lines.findIndex((l) => l.bold)) : (from + (turn ?? 0) + lines.length) % lines.length];
    if (!line) return;
    const there = line.y.map((v, i) => i).filter((i) => known(line.y[i]));
    const x = this.near && from >= 0 ? this.near.line.x[this.near.i] : null;
    // Along a branch that folds back places are in the order of the branch; from line to line, the nearest.
    const at = x === null ? -1 : turn ? this.d3.leastIndex(there, (i) => Math.abs(line.x[i] - x)) : there.indexOf(this.near.i);
    const to = x === null ? (step === -1 ? there.length - 1 : 0) : Math.min(there.length - 1, Math.max(0, at + (step ?? 0)));
    this.cursor({line, i: there[to]});
    this.svg.attr("aria-label", `${o.alt} ${o.said(line, there[to])}`);
  }

  nearest(event) {
    if (!this.o) return null;
    const [px, py] = this.d3.pointer(event, this.svg.node());
    let best = null;
    for (const line of this.o.lines) {
      for (let i = 0; i < line.x.length; i += 1) {
        if (!known(line.y[i])) continue;
        const far = Math.abs(this.x(line.x[i]) - px) * 2 + Math.abs(this.y(line.y[i]) - py);
        if (!best || far < best.far) best = {line, i, far};
      }
    }
    return best;
  }

  cursor(near) {
    const {o, svg} = this;
    this.near = near;
    if (o && !near) svg.attr("aria-label", o.alt);
    const shown = near && o ? [near] : [];
    svg.select(".cursor").selectAll("circle").data(shown).join("circle").attr("cx", (n) => this.x(n.line.x[n.i])).attr("cy", (n) => this.y(n.line.y[n.i])).attr("r", 4).attr("fill", "none").attr("stroke", "var(--ink)").attr("stroke-width", 1.6);
    svg.select(".cursor").selectAll("text").data(shown).join("text").attr("y", 11).attr("font-size", LABEL).attr("fill", "var(--ink)").attr("stroke", "var(--card)").attr("stroke-width", 4).attr("paint-order", "stroke").attr("text-anchor", "middle")
      .text((n) => o.said(n.line, n.i)).attr("x", (n) => {
        const half = textWidth(o.said(n.line, n.i), LABEL) / 2;
        return Math.min(o.width - half - 2, Math.max(half + 2, this.x(n.line.x[n.i])));
      });
  }
}

export class BarsChart {
  constructor(d3, root) {
    this.d3 = d3;
    this.svg = picture(d3, root, "bars", ["grid", "bars", "values", "x", "y"]);
  }

  // o: {width, height, x: [labels], y: [numbers], xName, write(v), alt}.
  update(o) {
    const {d3, svg} = this;
    const {width, height} = o;
    const margin = {top: 18, bottom: 36, left: 8, right: 8};
    const x = d3.scaleBand(d3.range(o.x.length), [margin.left, width - margin.right]).padding(0.2);
    const y = d3.scaleLinear([Math.min(0, d3.min(o.y)), Math.max(0, d3.max(o.y))], [height - margin.bottom, margin.top]);
    svg.attr("width", width).attr("height", height).attr("viewBox", `0 0 ${width} ${height}`).attr("aria-label", o.alt);
    svg.select(".grid").selectAll("line").data([0]).join("line").attr("x1", margin.left).attr("x2", width - margin.right).attr("y1", y).attr("y2", y).attr("stroke", "var(--line)");
    svg.select(".bars").selectAll("rect").data(o.y).join("rect").attr("x", (_, i) => x(i)).attr("width", x.bandwidth()).attr("y", (v) => Math.min(y(v), y(0))).attr("height", (v) => Math.abs(y(v) - y(0))).attr("fill", "var(--accent)");
    const fits = Math.max(...o.y.map((v) => textWidth(o.write(v), 11))) < x.step() - 2;
    svg.select(".values").selectAll("text").data(fits ? o.y : []).join("text").attr("x", (_, i) => x(i) + x.bandwidth() / 2).attr("y", (v) => Math.min(y(v), y(0)) - 5).attr("text-anchor", "middle").attr("font-size", 11).attr("fill", "var(--ink)").text((v) => (v ? o.write(v) : ""));
    const widest = Math.max(...o.x.map((t) => textWidth(t, LABEL))) + 6;
    const every = Math.max(1, Math.ceil(widest / x.step()));
    svg.select(".x").selectAll("text").data(d3.range(0, o.x.length, every)).join("text").attr("x", (i) => x(i) + x.bandwidth() / 2).attr("y", height - 21).attr("text-anchor", "middle").attr("font-size", LABEL).attr("fill", "var(--muted)").text((i) => o.x[i]);
    svg.select(".y").selectAll("text").data([o.xName]).join("text").attr("x", width / 2).attr("y", height - 4).attr("text-anchor", "middle").attr("font-size", LABEL).attr("fill", "var(--muted)").text((t) => t);
  }
}
