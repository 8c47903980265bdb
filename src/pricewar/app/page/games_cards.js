// The cards of the games: equilibria, a surface with its slice, the industry over time, branches, published figures.
import {BarsChart, CurveChart, SurfaceChart} from "../charts/games.js";
import {lookOf, symbolPath} from "../charts/lines.js";
import {Card, button, el, given, table} from "./parts.js";
import {DRAWN, TALL, Trace} from "./games_trace.js";

const HEIGHT = 250;
const PATHS = ["hhi", "price", "consumers", "surplus"];
const NOTES = [ // of the games' tables, with the numbers in them
  [/^discounted: consumers (\S+), surplus (\S+?)(; with no outside good .*)?$/, "discounted"],
  [/^one of (\d+) Markov perfect equilibria$/, "one_of"],
  [/^mean price in the long run (\S+); attached to 1 (\S+), to 2 (\S+)$/, "long_run"],
  [/^each solved from the equilibrium selected by (.*)$/, "each"],
  [/^positive: the price is a sacrifice by that test; of states with firm 1 active: short run at (\S+), vacuum at (\S+), rival exit at (\S+)$/, "sacrifice"],
];
const LISTED = 61; // levels of a surface's table

const upper = (text) => text.charAt(0).toLocaleUpperCase() + text.slice(1);

export class Cards {
  constructor(root, app, games) {
    this.app = app;
    this.games = games;
    this.root = root;
    this.equilibria = el("section", {class: "card equilibria", "aria-labelledby": "equilibria-title"});
    this.grid = el("div", {class: "grid2"});
    this.pictures = el("div", {class: "grid2"});
    this.shown = el("select", {id: "surface-shown"});
    this.shown.addEventListener("change", () => games.change({show: this.shown.value}));
    this.moves = el("input", {type: "checkbox", id: "surface-moves"});
    this.moves.addEventListener("change", () => games.change({moves: this.moves.checked}));
    this.shownWord = el("span", {});
    this.movesWord = el("span", {});
    this.movesLabel = el("label", {class: "inline"}, this.moves, this.movesWord);
    this.readout = el("p", {class: "readout", "aria-live": "polite"});
    this.surface = this.card("game-surface", this.grid, el("div", {class: "tools"}, el("label", {}, this.shownWord, this.shown), this.movesLabel));
        this.slice = this.card("game-slice", this.grid);
    this.slice.chart.after(this.readout);
    this.surfaceChart = new SurfaceChart(d3, this.surface.chart, {point: (at) => this.point(at), pick: (at) => this.pick(at)});
    this.sliceChart = new CurveChart(d3, this.slice.chart, {pick: (x) => games.change({at: [x, games.now.at[1]]}, "at")});
    this.paths = PATHS.map((key) => {
      const card = this.card(`game-${key}`, this.grid);
      return {key, card, chart: new CurveChart(d3, card.chart)};
    });
    root.append(this.equilibria, this.grid, this.pictures);
    this.trace = new Trace(root, this);
    this.tables = el("section", {class: "card tables"});
    this.figures = el("section", {class: "card figures", "aria-labelledby": "figures-title"});
    this.rules = el("section", {class: "card rules", "aria-labelledby": "rules-title"});
    root.append(this.figures, this.tables, this.rules);
    this.drawn = new Map();
    this.forget();
  }

  card(key, place, ...tools) {
    const card = new Card(this.app, key);
    card.chart.before(...tools);
    place.append(card.root);
    return card;
  }

  get speech() { return this.app.speech; }

  get answer() { return this.games.answer; }

  // The equilibrium chosen, from 1.
  get k() { return this.answer ? Math.max(1, Math.min(this.games.now.k, this.answer.count)) : 1; }

  get detail() { return this.answer?.details[this.k] ?? null; }

  number(v, digits = 5) {
    if (v !== null && v !== 0 && Math.abs(v) < 1e-4) return this.small(v, Math.min(digits, 4));
    return this.speech.number(v === null ? v : v + 0, {maximumSignificantDigits: digits}, "–"); // + 0: never −0
  }

  // Something is not nothing, however little.
  chance(v) { return v > 0 && v < 5e-5 ? `< ${this.speech.number(1e-4, {style: "percent", maximumFractionDigits: 2})}` : this.speech.number(v, {style: "percent", maximumFractionDigits: 2}); }

  small(v, digits = 2) { return v === null ? this.speech.word("games.not_computed") : v === 0 ? "0" : this.speech.number(v, {notation: "scientific", maximumSignificantDigits: digits}); }

  // A text of the games' own tables.
  said(text) {
    const key = `games.t.${text}`;
    return this.speech.has(key) ? this.speech.word(key) : String(text);
  }

  // A note of the games' own tables, its numbers kept.
  note(text) {
    for (const [form, key] of NOTES) {
      const match = text.match(form);
      if (match) return el("p", {class: "quiet"}, this.speech.text(`games.n.${key}`, {a: match[1] ?? "", b: match[2] ?? "", c: match[3] ?? ""}).replace(/; with no outside.*/, ""));
    }
    return el("p", {class: "quiet", lang: "en"}, text);
  }

  forget() {
    this.trace.forget();
    this.rows = this.comparedFor = null;
    this.forgetRules();
  }

  forgetRules() { this.ruled = null; }

  cancelled() {
    this.trace.cancelled();
    if (this.rows && this.rows.rows.length < this.rows.of || !this.rows && this.games.now.figures) {
      this.rows = this.comparedFor = null;
      this.games.change({figures: false});
    }
  }

  // ---------------------------------------------------------------- when what is drawn

  show() {
    this.ask();
    this.draw();
  }

  solved() { this.draw(); }

  // What the state wants besides equilibria.
  ask() {
    const {games} = this;
    const {game, figures} = games.now;
    this.trace.ask();
    if (figures && this.comparedFor !== game) {
      this.comparedFor = game;
      this.rows = null;
      games.run("game_figures", {game}, {part: (rows) => {
        this.rows = rows;
        this.draw();
      }});
    }
    if (!figures && this.comparedFor) {
      games.drop("game_figures");
      this.comparedFor = this.rows = null;
    }
  }

  draw() {
    if (!this.games.known) return;
    const {speech, answer, k} = this;
    const at = [speech, this.app.state.get().theme, this.app.printing, this.games.now.game];
    const wide = this.root.clientWidth;
    this.once("equilibria", [...at, answer, k], () => this.drawEquilibria());
    this.drawSurface();
    this.once("paths", [...at, answer, k, wide], () => this.drawPaths());
    this.once("pictures", [...at, answer, k, wide], () => this.drawPictures());
    this.trace.draw();
    this.once("figures", [...at, this.rows, this.games.now.figures], () => this.drawFigures());
    this.once("tables", [...at, answer, k], () => this.drawTables());
    this.once("rules", [...at, answer, k, this.ruled], () => this.drawRules());
  }

  // Draws what depends on something that changed since it was drawn last.
  once(name, on, draw) {
    const before = this.drawn.get(name);
    if (before?.every((value, place) => value === on[place])) return;
    this.drawn.set(name, on);
    draw();
  }

  // ---------------------------------------------------------------- equilibria

  mark(place) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    for (const [key, value] of Object.entries({viewBox: "-7 -7 14 14", width: 14, height: 14, class: "swatch-line", "aria-hidden": "true"})) svg.setAttribute(key, value);
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", symbolPath(d3, place, 56));
    path.setAttribute("fill", lookOf(place).color);
    svg.append(path);
    return svg;
  }

  drawEquilibria() {
    const {speech, answer} = this;
    this.equilibria.hidden = !answer;
    if (!answer) return;
    const {count, equilibria, all, whole} = answer;
    const title = !count ? speech.word("games.found.none") : all && whole ? speech.text(count === 1 ? "games.found.one" : "games.found.many", {n: count}) : speech.word("games.found.one");
    const one = equilibria[this.k - 1];
    const notes = [];
    if (!count) notes.push(speech.word("games.none_note"));
    else if (!one) notes.push("");
    else if (!one.solved) notes.push(speech.text("games.unsolved", {result: speech.word(`games.result.${one.result}`, one.result)}), ` · ${one.remedy}`);
    else notes.push(all && whole ? speech.word(this.games.game.name.startsWith("leapfrogging") ? "games.exhaustive" : "games.searched") : speech.text("games.selected", {how: one.selection}));
    if (count > equilibria.length) notes.push(` ${speech.text("games.listed", {n: equilibria.length, of: count})}`);
    const names = Object.keys(equilibria.find((e) => e.solved)?.figures ?? {});
    const judged = !whole || equilibria.some((e) => e.stable !== null);
    const stable = (e) => (e.stable === null ? speech.word(whole ? "games.not_computed" : "games.working") : speech.word(e.stable ? "yes" : "no"));
    const sheet = {
      headers: [{title: speech.word("games.number")}, ...names.map((name) => ({title: this.said(name), numeric: true, write: (v) => this.number(v, 7)})),
        ...(judged ? [{title: speech.word("games.stable")}] : []), {title: speech.word("games.gain"), numeric: true, write: (v) => this.small(v)}, {title: speech.word("games.residual"), numeric: true, write: (v) => this.small(v)}, {title: speech.word("games.selection")}],
      rows: equilibria.map((e, place) => ({look: place + 1 === this.k && count > 1 ? "chosen" : "", cells: [this.choice(place, count), ...names.map((name) => e.figures[name] ?? null), ...(judged ? [stable(e)] : []), e.exploitability, e.residual, el("span", {lang: "en"}, e.selection)]})),
    };
    const focused = document.activeElement?.name === "equilibrium";
    this.equilibria.replaceChildren(el("h2", {id: "equilibria-title"}, title), el("p", {class: "quiet"}, notes), count ? table(speech, sheet) : "", el("p", {class: "quiet"}, count ? [speech.word("games.meaning"), judged ? speech.word("games.meaning.stable") : ""] : ""));
    if (focused) this.equilibria.querySelector("input:checked")?.focus({preventScroll: true});
  }

  choice(place, count) {
    if (count === 1) return "1";
    const input = el("input", {type: "radio", name: "equilibrium", value: place + 1, "aria-label": this.speech.text("games.equilibrium", {k: place + 1})});
    input.checked = place + 1 === this.k;
    input.addEventListener("change", () => this.games.change({k: place + 1}));
    return el("label", {class: "choice"}, input, place < DRAWN ? this.mark(place) : "", String(place + 1));
  }

  // Equilibria drawn together: all that are here in full, the chosen one among them.
  together() {
    const places = Object.keys(this.answer.details).map(Number).filter((k) => k <= DRAWN || k === this.k);
    return places.map((k) => ({k, detail: this.answer.details[k]}));
  }

  // ---------------------------------------------------------------- the surface and its slice

  nameOf(surface) {
    return surface.title ? this.said(surface.title) : this.speech.text(`games.s.${surface.key}`, {period: surface.period ?? 0});
  }

  keyOf(surface) { return surface.period === null ? surface.key : `${surface.key}-${surface.period}`; }

  axisName(name) { return this.speech.word(`games.axis.${name}`, this.said(name)); }

  // The surface shown, and the state chosen on it as places along its axes.
  chosen(detail = this.detail) {
    const surfaces = detail?.surfaces ?? [];
    const {show, at} = this.games.now;
    const surface = surfaces.find((s) => this.keyOf(s) === show) ?? surfaces[0] ?? null;
    if (!surface) return null;
    const near = (labels, value) => d3.leastIndex(labels, (label) => Math.abs(label - value));
    return {surface, cursor: [near(surface.x, at[0]), near(surface.y, at[1])]};
  }

  pick([i, j]) {
    const {surface} = this.chosen();
    this.games.change({at: [surface.x[i], surface.y[j]]}, "at");
  }

  point(at) {
    const now = at ? at.join() : null;
    if (this.pointed === now) return;
    this.pointed = now;
    this.writeReadout(at);
  }

  // Every figure of the state pointed at, else of the one chosen.
  writeReadout(at = null) {
    const chosen = this.chosen();
    if (!chosen) return;
    const {speech} = this;
    const [i, j] = at ?? chosen.cursor;
    const {surface} = chosen;
    const [x, y] = surface.axes.map((name) => this.said(name));
    const figures = this.detail.surfaces.filter((s) => s.x.length === surface.x.length && s.y.length === surface.y.length);
    const write = (s) => {
      const v = s.z[i][j];
      return v === null ? "–" : s.chance ? this.chance(v) : this.number(v, 6);
    };
    this.readout.replaceChildren(el("span", {}, speech.text("games.at", {x, y, i: surface.x[i], j: surface.y[j]})),
      ...figures.map((s) => el("span", {}, `${this.nameOf(s)}: `, el("b", {}, write(s)))));
  }

  drawSurface() {
    const chosen = this.chosen();
    const {speech} = this;
    this.surface.root.hidden = this.slice.root.hidden = !chosen;
    this.grid.hidden = !chosen && !this.detail?.path;
    if (!chosen) return;
    const {surface, cursor} = chosen;
    const name = this.nameOf(surface);
    const {moves} = this.games.now;
    this.shownWord.textContent = speech.word("games.shown");
    this.movesWord.textContent = speech.word("games.moves");
    this.shown.replaceChildren(...this.detail.surfaces.map((s) => el("option", {value: this.keyOf(s)}, this.nameOf(s))));
    this.shown.value = this.keyOf(surface);
    this.movesLabel.hidden = !this.detail.moves;
    this.moves.checked = moves;
    const write = surface.chance ? (v) => this.chance(v) : (v) => this.number(v, 4);
    const title = upper(speech.text("games.surface", {what: name}));
    this.surface.title(this.answer.count > 1 ? `${title} · ${speech.text("games.equilibrium", {k: this.k})}` : title);
    this.surface.note(speech.word("games.keys"));
    // Of hundreds of levels as many stand in the table as a reader can scroll through.
    const every = Math.ceil(Math.max(surface.x.length, surface.y.length) / LISTED);
    const some = (list) => list.filter((_, place) => place % every === 0);
    this.surface.sheet(() => ({
      headers: [{title: `${this.said(surface.axes[0])} \\ ${this.said(surface.axes[1])}`}, ...some(surface.y).map((label) => ({title: String(label), numeric: true, write: (v) => (v === null ? "–" : this.number(v, 6))}))],
      rows: some(surface.x.map((label, i) => [String(label), ...some(surface.z[i])])),
    }));
    const first = this.detail.moves ? this.detail.moves.u.length - surface.x.length : 0; // states without the firm are left out
    const [xName, yName] = surface.axes.map((axis) => this.axisName(axis));
    this.surfaceChart.update({
      width: this.surface.width, x: surface.x, y: surface.y, z: surface.z, xName, yName, cursor, write, root: surface.key === "chance", alt: this.surface.alt,
      moves: moves && this.detail.moves ? {u: this.detail.moves.u.slice(first).map((r) => r.slice(first)), v: this.detail.moves.v.slice(first).map((r) => r.slice(first))} : null,
    });
    this.writeReadout();
    this.drawSlice(surface, cursor, name, write, xName);
  }

  drawSlice(surface, [i, j], name, write, xName) {
    const {speech} = this;
    const [x, y] = surface.axes.map((axis) => this.said(axis));
    this.slice.title(speech.text("games.slice", {y, j: surface.y[j], what: name}));
    this.slice.note(null);
    const lines = this.together().map(({k, detail}) => {
      const same = detail.surfaces.find((s) => this.keyOf(s) === this.keyOf(surface));
      return same && {key: String(k), label: speech.text("games.equilibrium", {k}), place: k - 1, x: same.x, y: same.z.map((row) => row[j] ?? null), bold: k === this.k};
    }).filter(Boolean);
    this.slice.sheet(() => ({
      headers: [{title: x, numeric: true}, ...lines.map((l) => ({title: lines.length > 1 ? l.label : name, numeric: true, write: (v) => (v === null ? "–" : this.number(v, 7))}))],
      rows: surface.x.map((label, place) => [label, ...lines.map((l) => l.y[place])]),
    }));
    this.sliceChart.update({
      width: this.slice.width, height: TALL, lines, dots: surface.x.length <= 61, rule: surface.x[i], xName, write, writeX: (v) => this.number(v), alt: this.slice.alt,
      said: (l, place) => `${lines.length > 1 ? `${l.label} · ` : ""}${x} = ${this.number(l.x[place])}: ${write(l.y[place])}`,
    });
  }

  // ---------------------------------------------------------------- over time

  drawPaths() {
    const {speech} = this;
    const here = this.detail?.path ?? null;
    const all = here ? this.together().filter(({detail}) => detail.path) : [];
    for (const {key, card, chart} of this.paths) {
      card.root.hidden = !here;
      if (!here) continue;
      card.title(speech.word(`games.path.${key}`));
      const sums = key === "surplus" || key === "consumers";
      card.note(sums ? (here.outside ? speech.text("games.path.note", here.discounted) : speech.word("games.path.differences")) : null);
      const lines = all.map(({k, detail}) => ({key: String(k), label: speech.text("games.equilibrium", {k}), place: k - 1, x: detail.path.periods.map((t) => t + 1), y: detail.path[key], bold: k === this.k}));
      card.sheet(() => ({
        headers: [{title: speech.word("games.period"), numeric: true}, ...lines.map((l) => ({title: l.label, numeric: true, write: (v) => this.number(v, 6)}))],
        rows: here.periods.map((t, place) => [t, ...lines.map((l) => l.y[place])]),
      }));
      const write = (v) => this.number(v, 4);
      chart.update({
        width: card.width, height: HEIGHT, lines, log: true, marksX: [0, 1, 3, 10, 30, 100, 300, 999].map((t) => t + 1), xName: speech.word("games.period"), write, writeX: (v) => speech.count(v - 1), alt: card.alt,
        said: (l, place) => `${lines.length > 1 ? `${l.label} · ` : ""}${speech.word("games.period")} ${speech.count(l.x[place] - 1)}: ${write(l.y[place])}`,
      });
    }
  }

  // Curves and bars that a game itself shows.
  drawPictures() {
    const pictures = this.detail?.pictures ?? [];
    this.pictures.hidden = !pictures.length;
    const name = JSON.stringify([this.games.game.name, pictures.map((p) => [p.kind, p.title])]);
    if (this.picturesOf !== name) {
      this.picturesOf = name;
      this.pictures.replaceChildren();
      this.made = pictures.map((p, place) => {
        const card = this.card(`game-picture-${place + 1}`, this.pictures);
        return {card, chart: p.kind === "bars" ? new BarsChart(d3, card.chart) : new CurveChart(d3, card.chart)};
      });
    }
    pictures.forEach((p, place) => {
      const {card, chart} = this.made[place];
      const [x, y] = [this.said(p.axes[0]), this.said(p.axes[1])];
      const lines = Object.entries(p.series).map(([key, values], order) => ({key, label: this.said(key), place: order, x: p.x, y: values, bold: true}));
      card.title(upper(this.said(p.title)));
      card.note(p.note);
      card.sheet(() => ({headers: [{title: x, numeric: true}, ...lines.map((l) => ({title: l.label, numeric: true, write: (v) => this.number(v, 7)}))], rows: p.x.map((v, i) => [v, ...lines.map((l) => l.y[i])])}));
      const write = (v) => this.number(v, 4);
      const options = {width: card.width, height: HEIGHT, xName: x, write, alt: card.alt};
      if (p.kind === "bars") chart.update({...options, x: p.x.map((v) => this.number(v, 3)), y: lines[0].y});
      else chart.update({...options, lines, dots: true, writeX: (v) => this.number(v), said: (l, i) => `${x} ${this.number(l.x[i])}: ${y} ${write(l.y[i])}`});
    });
  }

  // ---------------------------------------------------------------- published figures

  drawFigures() {
    const {speech} = this;
    const {game} = this.games;
    const found = this.rows;
    const whole = found && found.rows.length === found.of;
    const ok = found?.rows.filter((r) => r.agrees).length ?? 0;
    const title = whole && found.of ? speech.text(ok === found.of ? "games.figures.all" : "games.figures.some", {ok, n: found.of}) : speech.word("games.figures");
    const precise = (v) => this.number(v, 12);
    const sheet = found && {
      headers: [{title: ""}, {title: speech.word("games.figure")}, ...["published", "ours"].map((key) => ({title: speech.word(`games.${key}`), numeric: true, write: precise})),
        {title: speech.word("games.difference"), numeric: true, write: (v) => (v === null ? "–" : v === 0 ? "0" : this.small(v))}, {title: speech.word("games.tolerance"), numeric: true, write: (v) => (v ? this.small(v) : "0")}, {title: speech.word("games.digits")}, {title: speech.word("games.took"), numeric: true}],
      rows: found.rows.map((r) => [el("span", {class: r.agrees ? "agrees" : "differs"}, r.agrees ? "✓" : "✗", el("span", {class: "sr"}, speech.word(r.agrees ? "yes" : "no"))),
        el("span", {lang: "en"}, r.what, el("span", {class: "range"}, `${r.id} · ${r.source}`), r.note ? el("span", {class: "differs"}, r.note) : ""), r.published, r.ours, r.difference, r.tolerance, speech.word(`games.digits.${r.digits}`, r.digits), r.seconds]),
    };
    this.figures.replaceChildren(el("h2", {id: "figures-title"}, title), el("p", {class: "quiet"}, speech.word(game.figures ? "games.figures.own" : "games.figures.no")),
      found?.rows.length ? table(speech, sheet) : "",
      game.figures && !this.games.now.figures ? button(speech.text("games.figures.go", {n: game.figures}), {press: () => this.games.change({figures: true})}) : "");
  }

  // ---------------------------------------------------------------- tables of the solution, other rules

  sheetOf(t) {
    const cell = (v) => (typeof v === "string" ? this.said(v) : typeof v === "boolean" ? this.speech.word(v ? "yes" : "no") : v);
    const numeric = t.columns.map((_, place) => t.rows.some((row) => typeof row[place] === "number"));
    return {
      headers: t.columns.map((title, place) => ({title: this.said(title), numeric: numeric[place], write: (v) => (typeof v === "number" ? this.number(v, 7) : v === null ? "–" : given(v))})),
      rows: t.rows.map((row) => row.map(cell)),
    };
  }

  part(t) {
    return el("div", {class: "part"}, t.title ? el("h3", {}, upper(this.said(t.title))) : "", table(this.speech, this.sheetOf(t)), t.note ? this.note(t.note) : "");
  }

  drawTables() {
    const tables = this.detail?.tables ?? [];
    this.tables.hidden = !tables.length;
    this.tables.replaceChildren(el("h2", {}, this.speech.word("games.tables")), ...tables.map((t) => this.part(t)));
  }

  drawRules() {
    const {speech} = this;
    this.rules.hidden = !this.games.game.rules || !this.detail;
    if (this.rules.hidden) return;
    const here = this.ruled?.k === this.k ? this.ruled : null;
    this.rules.replaceChildren(el("h2", {id: "rules-title"}, speech.word("games.rules")),
      here ? this.part({...here.table, title: ""}) : button(speech.word("games.rules.go"), {press: () => this.goRules()}));
  }

  goRules() {
    this.games.run("game_rules", this.games.message(), {part: (found) => {
      this.ruled = found;
      this.draw();
    }});
  }
}
