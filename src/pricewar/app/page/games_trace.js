// Branches of equilibria as one parameter moves, followed through their folds.
import {CurveChart} from "../charts/games.js";
import {lookOf} from "../charts/lines.js";
import {labelOf} from "./games_parameters.js";
import {button, el} from "./parts.js";

export const TALL = 340, DRAWN = 12; // height of a wide picture, and lines of different equilibria in one

export class Trace {
  constructor(root, cards) {
    this.cards = cards;
    this.app = cards.app;
    this.games = cards.games;
    this.which = el("select", {id: "trace-parameter"});
    this.which.addEventListener("change", () => this.writeSpan(true));
    [this.low, this.high] = ["trace-low", "trace-high"].map((id) => el("input", {type: "number", id, step: "any", inputmode: "decimal"}));
    this.words = [el("span", {}), el("span", {}), el("span", {})];
    this.goButton = button("", {press: () => this.go()});
    this.card = cards.card("game-trace", root, el("div", {class: "tools"}, el("label", {}, this.words[0], this.which), el("label", {}, this.words[1], this.low), el("label", {}, this.words[2], this.high), this.goButton));
    this.chart = new CurveChart(d3, this.card.chart, {pick: (value) => this.pick(value)});
  }

  // Follows what the state wants followed, once.
  ask() {
    const {game, trace} = this.games.now;
    const wanted = trace ? JSON.stringify([game, trace]) : null;
    if (wanted === this.asked) return;
    this.asked = wanted;
    this.branches = null;
    if (!wanted) return void this.games.drop("game_trace");
    this.games.run("game_trace", {game, ...trace}, {part: (found) => {
      this.branches = found;
      this.draw();
    }});
  }

  forget() { this.asked = this.branches = null; }

  cancelled() {
    if (!this.branches && this.games.now.trace) this.games.change({trace: null});
  }

  // The parameters that can be followed; the one that comes first is the one the paper moves.
  get followed() {
    const found = this.games.game.parameters.filter((p) => !p.integer);
    const first = ["delta", "rho"].map((name) => found.find((p) => p.name === name)).find(Boolean);
    return first ? [first, ...found.filter((p) => p !== first)] : found;
  }

  // From where to where, unless the reader says otherwise: around the value set, within what is allowed.
  writeSpan(anew) {
    const {trace, set} = this.games.now;
    const p = this.followed.find((f) => f.name === this.which.value);
    for (const input of [this.low, this.high]) [input.min, input.max] = [p.low, p.high];
    if (trace && trace.parameter === p.name && !anew) {
      [this.low.value, this.high.value] = [trace.low, trace.high];
      return;
    }
    const usual = {delta: [0, 0.1], rho: [0.7, 1]}[p.name];
    const value = set[p.name] ?? p.default;
    const reach = Math.max(Math.abs(value) * 0.5, 0.05);
    [this.low.value, this.high.value] = usual ?? [Math.max(p.low, value - reach), Math.min(p.high, value + reach)].map((v) => Number(v.toPrecision(4)));
  }

  go() {
    const [low, high] = [this.low.valueAsNumber, this.high.valueAsNumber];
    if (!Number.isFinite(low) || !Number.isFinite(high)) return;
    const parameter = this.which.value;
    const {[parameter]: _, ...set} = this.games.now.set;
    this.asked = null; // pressed again after a mistake or a cancel: asked again
    const trace = {parameter, low, high, set};
    if (JSON.stringify(this.games.now.trace) === JSON.stringify(trace)) this.ask();
    else this.games.change({trace});
  }

  pick(value) {
    const {parameter} = this.branches;
    const p = this.games.game.parameters.find((one) => one.name === parameter);
    const round = Number(Math.min(p.high, Math.max(p.low, value)).toPrecision(6));
    this.games.change({set: {...this.games.now.set, [parameter]: round}});
  }

  draw() {
    const {speech} = this.app;
    const {game} = this.games;
    this.card.root.hidden = !game.trace;
    if (!game.trace) return;
    const look = `${game.name}|${speech.language}`;
    const {trace, set} = this.games.now;
    if (this.look !== look) {
      const before = this.look?.startsWith(`${game.name}|`) ? this.which.value : trace?.parameter;
      this.look = look;
      this.which.replaceChildren(...this.followed.map((p) => el("option", {value: p.name}, labelOf(speech, game, p.name))));
      if (this.followed.some((p) => p.name === before)) this.which.value = before;
      ["parameter", "low", "high"].forEach((key, place) => { this.words[place].textContent = speech.word(`games.trace.${key}`); });
      this.goButton.textContent = speech.word("games.trace.go");
      this.writeSpan(false);
    }
    const found = this.branches;
    this.card.chart.hidden = this.card.root.querySelector(".feet").hidden = !found?.branches.length;
    if (!found) {
      this.card.title(speech.word("games.trace"));
      this.card.note(speech.word("games.trace.about"));
      return;
    }
    const name = labelOf(speech, game, found.parameter);
    const value = set[found.parameter] ?? game.parameters.find((p) => p.name === found.parameter).default;
    const {[found.parameter]: _, ...others} = set;
    const {[found.parameter]: __, ...then} = trace?.set ?? {};
    const stale = JSON.stringify(d3.sort(Object.entries(others), ([key]) => key)) !== JSON.stringify(d3.sort(Object.entries(then), ([key]) => key));
    this.card.title(speech.text("games.trace.title", {name}));
    const folds = d3.sum(found.branches, (b) => b.folds.length);
    this.card.note([found.branches.length ? speech.text("games.trace.note", {branches: found.branches.length, points: d3.sum(found.branches, (b) => b.values.length), folds}) : speech.word("games.trace.none"), stale ? ` ${speech.word("games.trace.stale")}` : ""]);
    if (!found.branches.length) return;
    // Colours other than those of the equilibria, which lie on several branches.
    const lines = found.branches.map((b, k) => ({key: String(k), label: speech.text("games.branch", {k: k + 1}), place: k + 4, x: b.values, y: b.figures, bold: true}));
    const marks = found.branches.flatMap((b) => b.folds.map((fold) => {
      const i = d3.leastIndex(b.values, (v) => Math.abs(v - fold));
      return {x: fold, y: b.figures[i], place: 3, text: this.cards.number(fold, 5)};
    }));
    // The equilibria now known, where the parameter stands.
    const figure = "price (1,1)";
    const points = stale ? [] : (this.games.answer?.equilibria ?? []).filter((e) => e.figures[figure] !== undefined).slice(0, DRAWN).map((e, place) => ({x: value, y: e.figures[figure], place, fill: lookOf(place).color}));
    const within = points.filter((p) => p.x >= found.low && p.x <= found.high);
    this.card.sheet(() => ({
      headers: [{title: speech.text("games.branch", {k: ""}).trim()}, {title: name, numeric: true, write: (v) => this.cards.number(v, 8)}, {title: this.cards.said(found.figure), numeric: true, write: (v) => this.cards.number(v, 8)}, {title: speech.text("games.fold", {value: ""}).trim()}],
      rows: found.branches.flatMap((b, k) => {
        const at = new Map(b.folds.map((fold) => [d3.leastIndex(b.values, (v) => Math.abs(v - fold)), fold]));
        return b.values.map((v, i) => [String(k + 1), v, b.figures[i], at.has(i) ? this.cards.number(at.get(i), 8) : ""]);
      }),
    }));
    const write = (v) => this.cards.number(v, 4);
    this.chart.update({
      width: this.card.width, height: TALL, lines, dots: true, marks: [...marks, ...within], rule: value, xName: name, write, writeX: (v) => this.cards.number(v), alt: this.card.alt, domain: [found.low, found.high],
      said: (l, i) => `${lines.length > 1 ? `${l.label} · ` : ""}${found.parameter} = ${this.cards.number(l.x[i], 5)}: ${this.cards.said(found.figure)} ${this.cards.number(l.y[i], 6)}`,
    });
  }
}
