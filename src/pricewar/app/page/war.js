// The war room: move a lever and see prices, shares, cash and stages answer, beside a baseline and what it rests on.
import {lookOf, symbolPath} from "../charts/lines.js";
import {behind} from "./frame.js";
import {button, el, kpi} from "./parts.js";
import {Levers, vendorName} from "./war_levers.js";
import {Panels} from "./war_panels.js";
import {Why} from "./war_why.js";

const CALM = 350; // ms without a move after which what takes longer is asked
const NOBODY = "-";
const KEPT = 24; // figures of baselines remembered
const FIGURES = ["hhi", "bills", "surplus", "roi", "light_end", "subsidy", "exits", "harvest"]; // beside the title's
// The key figure that each card's title tells of.
const TOLD = {light_price: "light_end", flagship_price: "flagship_end", share: "leader", hhi: "hhi", stages: "harvest", cash: "subsidy", runway: "exits", free_share: "free", supplier_profit: "suppliers_profit", roi: "roi", winners: "fringe"};

const OWN = ["hhi", "free_share", "supplier_profit", "roi"]; // where that figure is what the card shows

export function mount(root, app) { return new Room(root, app); }

class Room {
  constructor(root, page) {
    // The same app, but a picture that leaves the room says what was moved, and on which draws.
    const app = this.app = Object.create(page, {made: {value: () => this.made(page)}});
    root.classList.add("war");
    this.aside = el("aside", {class: "levers"});
    this.status = el("div", {class: "status"});
    this.kpis = el("dl", {class: "kpis"});
    this.chips = el("div", {class: "vendors", role: "group"});
    this.body = el("div", {class: "body unanswered"});
    root.append(el("div", {class: "room"}, this.aside, this.body));
    this.movedLine = el("p", {class: "moved-line"});
    this.means = el("details", {class: "means"}, el("summary", {}), el("div", {class: "inside"}));
    this.kpisNote = el("p", {class: "quiet"});
    this.key = el("ul", {class: "legend key"});
    this.kpisFoot = el("div", {class: "kpis-foot"}, this.kpisNote, this.means);
    this.body.append(this.movedLine, this.status, this.kpis, this.kpisFoot, this.chips, this.key);
    this.levers = new Levers(this.aside, app);
    this.pointed = null;
    const focus = {key: () => this.focused(), point: (key) => this.point(key), pick: (key) => this.pick(key)};
    this.panels = new Panels(this.body, app, {focus, effect: (key) => this.effect(key), moved: () => this.moved()});
    this.why = new Why(this.body, app, {levers: this.levers, figure: (...figure) => this.figure(...figure), question: () => this.shownQuestion, vendors: () => this.answer?.vendors ?? []});
    this.bases = new Map();
    this.solved = new Map(); // scenario → {key, …} of conduct solved for it
    this.writeStatusParts();
  }

  // ---------------------------------------------------------------- what is asked

  show(state) {
    const spoken = this.spoken !== state.language;
    this.spoken = state.language;
    if (this.known?.market !== state.market || !state.market) return this.learn(state.market);
    if (!this.admitted(state)) return;
    if (spoken) this.levers.speak();
    this.levers.show(state);
    this.question(state);
    if (spoken) this.redraw();
    else this.refocus();
  }

  hide() { clearTimeout(this.calming); }

  draw() { this.panels.draw(); }

  // The levers of a market; of the one the server begins with while none is chosen.
  learn(market) {
    const wanted = market || this.app.config.market || "";
    if (this.learning === wanted) return;
    this.learning = wanted;
    this.app.ask("markets", wanted ? {market: wanted} : {}, {
      part: (known) => {
        this.learning = null;
        this.known = known;
        this.levers.build(known);
        if (market) this.show(this.app.state.get());
        else this.app.state.begin({market: known.market});
      },
      error: (error) => {
        this.learning = null;
        this.app.failed(error);
        if (market) this.app.state.begin({market: "", levers: {}, baseline: {}});
      },
    });
  }

  // Levers a link names and this market lacks, or past their ends, are left out and said.
  admitted({levers, baseline}) {
    const known = this.levers.byKey;
    const wrong = (moved) => Object.keys(moved).filter((key) => !known.has(key) || moved[key] < known.get(key).low || moved[key] > known.get(key).high);
    const bad = [...new Set([...wrong(levers), ...wrong(baseline)])];
    if (!bad.length) return true;
    this.app.notice(this.app.speech.text("war.no_lever", {levers: bad.join(", ")}), null, "bad");
    const without = (moved) => Object.fromEntries(Object.entries(moved).filter(([key]) => !bad.includes(key)));
    this.app.state.begin({levers: without(levers), baseline: without(baseline)});
    return false;
  }

  scenario({market, levers, seed, futures}) { return {market, levers, seed, futures}; }

  // Asks for the war as the state has it, unless just that was asked.
  question(state) {
    const scenario = this.scenario(state);
    const name = JSON.stringify([scenario, state.baseline, state.conduct]);
    if (name === this.asked) return;
    this.asked = name;
    this.scenarioName = JSON.stringify([scenario, state.baseline]);
    this.stopSolving();
    this.ask(state, this.solved.get(this.scenarioName)?.key ?? this.solvedLast(state.market));
    clearTimeout(this.calming);
    this.calming = setTimeout(() => this.calm(), CALM);
  }

  ask(state, conduct) {
    this.body.classList.add("stale");
    this.waitsFor = "war.progress.running";
    this.writeStatus();
    this.body.dataset.whole = "no";
    const conducted = state.conduct === "solve" ? conduct : "held";
    this.shownQuestion = {...this.scenario(state), baseline: state.baseline, conduct: conducted};
    this.app.ask("war", {...this.shownQuestion, base_id: this.baseKept}, {
      part: (answer) => this.answered(answer),
      progress: ({text}) => {
        this.waitsFor = text;
        this.writeStatus();
      },
      done: () => {
        this.body.dataset.whole = "yes";
        this.writeStatus();
      },
      error: (error) => this.failed(error),
    });
  }

  answered(answer) {
    this.body.classList.remove("stale");
    this.body.classList.remove("unanswered");
    this.waitsFor = null;
    if (answer.base) {
      this.bases.set(answer.base_id, answer.base);
      this.baseKept = answer.base_id;
      if (this.bases.size > KEPT) this.bases.delete(this.bases.keys().next().value);
    }
    const begun = performance.now();
    if (answer.whole || answer.market !== this.answer?.market) this.history = answer.history;
    this.answer = answer;
    this.redraw();
    // For those who measure; kept by nobody else.
    performance.measure("pricewar.picture", {start: begun, detail: {futures: answer.futures, moved: answer.moved}});
    performance.clearMeasures("pricewar.picture");
  }

  failed(error) {
    this.body.classList.remove("stale");
    this.waitsFor = null;
    this.asked = null;
    this.app.failed(error);
    this.writeStatus();
  }

  // The hand rests: what takes longer may be asked.
  calm() {
    const state = this.app.state.get();
    if (state.conduct === "solve" && !this.solved.has(this.scenarioName)) this.solve(state);
    this.why.calm();
  }

  // ---------------------------------------------------------------- conduct

  solve(state) {
    const name = this.scenarioName;
    this.solving = {done: 0, of: 0, text: "war.progress.solving"};
    this.writeStatus();
    this.solveJob = this.app.ask("solve", {...this.scenario(state), baseline: state.baseline}, {
      progress: (p) => {
        this.solving = p;
        this.writeStatus();
      },
      part: (found) => {
        this.solved.delete(name); // the last one found stands last
        this.solved.set(name, {...found, market: state.market});
      },
      done: () => {
        this.solving = null;
        this.solveJob = null;
        if (this.scenarioName === name && this.solved.has(name)) {
          this.ask(this.app.state.get(), this.solved.get(name).key);
          this.why.calm();
        }
        this.writeStatus();
      },
      error: (error) => {
        this.stopSolving();
        this.app.failed(error);
      },
    });
  }

  // Whether a rule differs from the baseline's: with conduct held, its effect on subsidies can have the wrong sign.
  ruled() {
    const {levers, baseline} = this.app.state.get();
    return [...(this.levers.byKey?.values() ?? [])].some((lever) => lever.group === "rules" && this.levers.value(levers, lever) !== this.levers.value(baseline, lever));
  }

  // While a lever moves, conduct stays as it was last solved in this market.
  solvedLast(market) { return [...this.solved.values()].filter((s) => s.market === market).at(-1)?.key ?? "held"; }

  stopSolving() {
    this.solveJob?.cancel();
    this.solveJob = this.solving = null;
    this.writeStatus();
  }

  writeStatusParts() {
    this.saysConduct = el("span", {class: "says", role: "status"});
    this.bar = el("progress", {max: 1, value: 0});
    this.cancelButton = button("", {press: () => this.stopSolving()});
    this.resolve = el("input", {type: "checkbox", id: "resolve"});
    this.resolve.addEventListener("change", () => this.app.state.set({conduct: this.resolve.checked ? "solve" : "held"}));
    this.resolveWord = el("span", {});
    this.fresh = el("span", {class: "fresh grow"});
    this.status.append(el("label", {}, this.resolve, this.resolveWord), this.saysConduct, this.bar, this.cancelButton);
    this.kpisFoot.append(this.fresh);
  }

  writeStatus() {
    const {speech, state} = this.app;
    if (!speech) return;
    const {conduct} = state.get();
    this.resolve.checked = conduct === "solve";
    this.resolveWord.textContent = speech.word("war.resolve");
    const solved = this.solved.get(this.scenarioName);
    const shows = this.answer?.conduct ?? "held";
    // A lever's answer comes before one can read that it is waited for; the first of a market does not.
    const waits = this.waitsFor && this.answer?.market !== state.get().market;
    this.saysConduct.textContent = waits ? speech.word(this.waitsFor) : this.solving ? speech.word(this.solving.text || "war.progress.solving")
      : shows === "held" ? speech.word(this.ruled() ? "war.held_rules" : "war.held") : solved?.key === shows ? speech.text("war.solved", {gain: solved.quality.mine.exploitability}) : speech.word("war.solved_before");
    this.cancelButton.hidden = !this.solving;
    this.bar.hidden = !this.solving && !waits;
    if (this.solving?.done) this.bar.value = this.solving.done / this.solving.of;
    else this.bar.removeAttribute("value");
    this.bar.setAttribute("aria-label", this.saysConduct.textContent);
    this.cancelButton.textContent = speech.word("war.cancel");
    this.fresh.textContent = this.answer ? speech.text("war.futures", {n: this.answer.futures, of: this.answer.of, seed: state.get().seed}) + (this.answer.openings === "held" ? ` · ${speech.word("war.openings_held")}` : "") : "";
  }

  made(page) {
    if (!this.answer) return page.made();
    return [`${page.made()} · ${this.fresh.textContent}`, this.moved() ? this.movedLine.textContent : null].filter(Boolean).join("\n");
  }

  // ---------------------------------------------------------------- who is looked at

  // The one pointed at, else the one chosen, else the one with the largest share at the end of the baseline.
  focused() {
    if (this.pointed) return this.pointed;
    const {vendor} = this.app.state.get();
    if (vendor === NOBODY) return null;
    const vendors = this.answer?.vendors ?? [];
    if (vendors.some((v) => v.key === vendor)) return vendor;
    const last = (v) => this.base?.series?.share?.[v.key]?.median?.at(-1) ?? this.answer.series.share?.[v.key]?.median?.at(-1) ?? 0;
    return d3.greatest(vendors.filter((v) => !v.fringe), last)?.key ?? null;
  }

  point(key) {
    const now = key === "market" ? null : key;
    if (this.pointed === now) return;
    this.pointed = now;
    cancelAnimationFrame(this.pointing);
    this.pointing = requestAnimationFrame(() => this.refocus());
  }

  pick(key) {
    if (key === "market") return;
    this.app.state.set({vendor: this.app.state.get().vendor === key ? NOBODY : key});
  }

  refocus() {
    const now = this.focused();
    if (now === this.drawnFor) return;
    this.drawnFor = now;
    this.writeChips();
    this.panels.draw();
  }

  writeChips() {
    const {speech} = this.app;
    const focus = this.focused();
    const vendors = this.answer?.vendors ?? [];
    this.chips.setAttribute("aria-label", speech.word("war.vendors"));
    const names = `${vendors.map((v) => v.key).join("|")}|${this.spoken}`;
    if (this.chipNames !== names) {
      this.chipNames = names;
      this.chips.replaceChildren(el("span", {class: "quiet"}, speech.word("war.vendors")), ...vendors.map((v, place) => {
        const node = button("", {pressed: false, press: () => this.pick(v.key)});
        const mark = document.createElementNS("http://www.w3.org/2000/svg", "svg");
        mark.setAttribute("viewBox", "-7 -7 14 14");
        mark.setAttribute("aria-hidden", "true");
        const shape = document.createElementNS("http://www.w3.org/2000/svg", "path");
        shape.setAttribute("d", symbolPath(d3, place, 56));
        shape.setAttribute("fill", lookOf(place).color);
        mark.append(shape);
        node.append(mark, vendorName(speech, v));
        node.style.color = lookOf(place).color;
        node.dataset.key = v.key;
        node.addEventListener("pointerenter", () => this.point(v.key));
        node.addEventListener("pointerleave", () => this.point(null));
        return node;
      }));
    }
    for (const node of this.chips.querySelectorAll("button")) node.setAttribute("aria-pressed", String(node.dataset.key === focus));
  }

  // ---------------------------------------------------------------- written out

  // What a card's title says of the change: a key figure's, paired future by future with the baseline.
  effect(card) {
    const key = TOLD[card];
    const row = key && this.answer.kpis.find((k) => k.key === key);
    const change = row ? this.change(row, true) : null;
    return change && {...change, whole: row.clear && OWN.includes(card)};
  }

  // {text, better} or null where levers and baseline are the same.
  change(row, named) {
    const {speech} = this.app;
    if (row.change === null || !this.moved()) return null;
    if (!row.clear) return {text: speech.word("war.no_change"), better: 0};
    const size = Math.abs(row.change);
    const by = row.kind === "relative" ? speech.pct(size) : row.kind === "points" ? speech.text("war.points", {n: speech.number(size * 100, {maximumSignificantDigits: 2})}) : this.figure(row, size, {maximumSignificantDigits: 2});
    const way = row.change < 0 ? "falls" : "rises";
    if (!named) return {text: `${row.change < 0 ? "▼" : "▲"} ${by}`, better: row.better};
    return {text: speech.text(`war.${way}`, {what: speech.word(`war.effect.${row.key}`, speech.word(`war.kpi.${row.key}`)), by}), better: row.better};
  }

  moved() { return JSON.stringify(this.answer.moved) !== JSON.stringify(this.answer.base_moved); }

  // A key figure in its unit; digits: of a plain number.
  figure({unit}, value, digits = {maximumFractionDigits: Math.abs(value) < 10 ? 1 : 0}) {
    const {speech} = this.app;
    if (value === null || value === undefined) return "–";
    if (unit === this.answer.currency) return speech.cash(value, unit, {notation: "compact", maximumSignificantDigits: 3});
    if (unit === "share" || unit === "chance") return speech.pct(value);
    if (unit === "HHI") return speech.number(value, {minimumFractionDigits: 2, maximumFractionDigits: 2});
    const number = speech.number(value, digits);
    return speech.has(`war.in.${unit}`) ? speech.text(`war.in.${unit}`, {n: number}) : number;
  }

  // What is simulated, and which levers make the difference: on paper and on a phone the levers are out of sight.
  writeMoved() {
    const {moved, base_moved: base, vendors, months, start} = this.answer;
    const {speech} = this.app;
    const moves = (keys) => keys.filter((key) => this.levers.byKey.has(key)).map((key) => {
      const lever = this.levers.byKey.get(key);
      const write = this.levers.withUnit(lever);
      const [from, to] = [base[key] ?? lever.value, moved[key] ?? lever.value];
      return `${this.levers.fullTitle(key)} ${from === to ? "" : `${write(from)} → `}${write(to)}`;
    }).join("; ");
    const differ = [...new Set([...Object.keys(moved), ...Object.keys(base)])].filter((key) => moved[key] !== base[key]);
    const market = this.levers.marketName(this.answer.market);
    this.movedLine.textContent = differ.length ? speech.text("war.levers_moved", {market, levers: moves(differ)})
      : Object.keys(base).length ? speech.text("war.levers_kept", {market, levers: moves(Object.keys(base))})
        : speech.text("war.intro", {market, n: vendors.length, months: months.length, start});
  }

  // How lines and bands are to be read.
  writeKey() {
    const {speech} = this.app;
    const item = (look, key) => el("li", {}, el("span", {class: look, "aria-hidden": "true"}), speech.word(`war.key.${key}`));
    this.key.setAttribute("aria-label", speech.word("war.key"));
    this.key.replaceChildren(item("key-line", "median"), item("swatch band50", "band50"), item("swatch band80", "band80"),
      ...(this.moved() ? [item("key-line key-base", "base")] : []), ...(this.history ? [item("key-line key-past", "past")] : []),
      el("li", {class: "quiet key-keys"}, speech.word("war.key.keys")));
  }

  writeKpis() {
    const {speech} = this.app;
    this.kpis.replaceChildren(...FIGURES.flatMap((key) => this.answer.kpis.filter((k) => k.key === key)).map((row) => {
      const write = (v) => this.figure(row, v);
      const change = this.change(row, false);
      const tile = kpi(speech.word(`war.kpi.${row.key}`), write(row.value), row.low !== null && row.low !== row.high ? speech.range(row.low, row.high, write) : "");
      tile.dataset.key = row.key;
      tile.title = speech.word(`war.means.${row.key}`);
      if (change) tile.lastChild.append(el("span", {class: `delta ${{"-1": "worse", 0: "quiet", 1: "better"}[change.better]}`}, change.text));
      return tile;
    }));
    this.kpisNote.textContent = speech.word("war.figures.note");
    this.means.firstChild.textContent = speech.word("war.figures.means");
    behind(this.means, () => el("dl", {class: "about-list"}, FIGURES.flatMap((key) => [el("dt", {}, speech.word(`war.kpi.${key}`)), el("dd", {}, speech.word(`war.means.${key}`))])));
  }

  redraw() {
    if (!this.answer) return this.writeStatus();
    this.base = this.bases.get(this.answer.base_id) ?? null;
    this.drawnFor = this.focused();
    this.writeStatus();
    this.writeMoved();
    this.writeKpis();
    this.writeChips();
    this.writeKey();
    this.panels.show(this.answer, this.base, this.history);
    this.why.draw();
  }
}
