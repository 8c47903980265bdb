// The side of the games: which game, its parameters as a slider and a number each, and the search.
import {button, el, given} from "./parts.js";

const FIRST = 7; // parameters shown at once

export class Parameters {
  constructor(root, app, games) {
    this.app = app;
    this.games = games;
    this.toggle = button("", {look: "sheet-toggle", press: () => {
      const open = root.classList.toggle("unfolded");
      this.toggle.setAttribute("aria-expanded", String(open));
    }});
    this.toggle.setAttribute("aria-expanded", "false");
    this.select = el("select", {id: "game"});
    this.select.addEventListener("change", () => games.change({game: this.select.value, set: {}, all: false, k: 1, at: [1, 1], show: "price", trace: null, figures: false}));
    this.selectWord = el("span", {});
    this.paper = el("p", {class: "quiet paper"});
    this.about = el("p", {class: "quiet"});
    this.reset = button("", {press: () => games.change({set: {}})});
    this.rows = el("div", {});
    this.all = el("input", {type: "checkbox", id: "game-all"});
    this.all.addEventListener("change", () => games.change({all: this.all.checked, k: 1}));
    this.allWord = el("span", {});
    this.search = el("div", {class: "search"}, el("label", {class: "check"}, this.all, this.allWord));
    this.budget = this.number("game-budget", "budget", 1, 5000);
    this.seed = this.number("game-seed", "seed", 0, 2 ** 31);
    root.append(this.toggle, el("div", {class: "levers-inside"}, el("label", {class: "market"}, this.selectWord, this.select), this.about, this.paper, this.search, el("div", {class: "lever-buttons"}, this.reset), this.rows));
  }

  // A number of the search.
  number(id, key, low, high) {
    const word = el("span", {});
    const input = el("input", {type: "number", id, min: low, max: high, step: 1, inputmode: "numeric"});
    input.addEventListener("change", () => {
      const value = input.valueAsNumber;
      this.games.change({[key]: Number.isInteger(value) && value >= low && value <= high ? value : undefined, k: 1});
    });
    const root = el("label", {class: "market"}, word, input);
    this.search.append(root);
    return {word, input, root};
  }

  show(spoken) {
    const {speech} = this.app;
    const {game, games} = this;
    const built = this.builtFor !== game.name;
    if (built || spoken) this.speak(game, games.known);
    if (built) this.build(game);
    if (built || spoken) this.speakRows(game);
    this.builtFor = game.name;
    const {set, all, budget, seed} = games.now;
    this.reset.disabled = !Object.keys(set).length;
    this.reset.hidden = !game.parameters.length;
    this.search.hidden = !game.search;
    this.all.checked = all;
    this.budget.input.value = budget ?? game.budget ?? "";
    this.seed.input.value = seed ?? 0;
    this.seed.root.hidden = !all || !game.seed;
    this.budget.root.hidden = !all;
    for (const row of this.fields) row.show(set[row.p.name] ?? row.p.default);
    const changed = Object.keys(set).length;
    this.toggle.textContent = `${speech.word("games.parameters")}${changed ? ` (${changed})` : ""}`;
    const moved = this.fields.slice(FIRST).filter((row) => set[row.p.name] !== undefined).length;
    if (this.moreCount) this.moreCount.textContent = moved ? String(moved) : "";
  }

  get game() { return this.games.game; }

  speak(game, known) {
    const {speech} = this.app;
    this.selectWord.textContent = speech.word("games.game");
    this.select.replaceChildren(...known.map((g) => el("option", {value: g.name}, speech.word(`games.g.${g.name}`, g.summary))));
    this.select.value = game.name;
    // The choice cuts long names: in full they stand below it.
    this.about.replaceChildren(el("span", {}, speech.word(`games.g.${game.name}`, game.summary)), el("code", {class: "name", translate: "no"}, game.name));
    this.paper.replaceChildren(given(game.reference));
    this.paper.lang = "en";
    this.reset.textContent = speech.word("games.reset");
    this.allWord.textContent = speech.word("games.all");
    this.budget.word.textContent = speech.word("games.budget");
    this.seed.word.textContent = speech.word("games.seed");
  }

  build(game) {
    this.fields = game.parameters.map((p) => new Field(p, (value, merge) => this.set(p, value, merge)));
    const [first, more] = [this.fields.slice(0, FIRST), this.fields.slice(FIRST)];
    this.moreWord = el("span", {});
    this.moreCount = el("span", {class: "count"});
    this.none = el("p", {class: "quiet"});
    const open = Object.keys(this.games.now.set).some((name) => more.some((row) => row.p.name === name));
    this.rows.replaceChildren(...(game.parameters.length ? [] : [this.none]), ...first.map((row) => row.root),
      ...(more.length ? [el("details", {class: "group", open}, el("summary", {}, this.moreWord, this.moreCount), ...more.map((row) => row.root))] : []));
  }

  speakRows(game) {
    const {speech} = this.app;
    this.none.textContent = speech.word("games.no_parameters");
    this.moreWord.textContent = speech.word("games.more");
    for (const row of this.fields) row.speak(speech, game);
  }

  set(p, value, merge) {
    const {[p.name]: _, ...rest} = this.games.now.set;
    this.games.change({set: value === p.default ? rest : {...rest, [p.name]: value}}, merge);
  }
}

export function labelOf(speech, game, name) {
  return speech.word(`games.p.${game.name}.${name}`, speech.word(`games.p.${name}`, game.parameters.find((p) => p.name === name)?.meaning ?? name));
}

// One parameter: a slider over what is near, a number over all that is allowed; a switch is a check box.
class Field {
  constructor(p, changed) {
    this.p = p;
    const id = `parameter-${p.name}`;
    this.label = el("label", {for: id});
    this.back = button("↺", {look: "plain back", press: () => changed(p.default)});
    if (p.switch) {
      this.check = el("input", {type: "checkbox", id, role: "switch"});
      this.check.addEventListener("change", () => changed(this.check.checked ? 1 : 0));
      this.root = el("div", {class: "lever switch"}, el("div", {class: "lever-head"}, this.check, this.label, this.back));
      return;
    }
    const span = p.to - p.from;
    this.range = el("input", {type: "range", id, min: p.from, max: p.to, step: p.integer ? 1 : "any"});
    this.number = el("input", {type: "number", class: "exact", min: p.low, max: p.high, step: p.integer ? 1 : "any", inputmode: "decimal"});
    this.unit = el("span", {class: "unit"});
    this.tick = el("span", {class: "tick", "aria-hidden": "true"});
    this.ends = el("div", {class: "ends", "aria-hidden": "true"});
    const grain = 10 ** Math.floor(Math.log10(span / 400)); // a slider gives round numbers
    this.range.addEventListener("input", () => {
      const raw = Number(this.range.value);
      const round = p.integer ? Math.round(raw) : Number((Math.round(raw / grain) * grain).toPrecision(8));
      changed(Math.min(p.high, Math.max(p.low, round)), id);
    });
    // What is typed goes to the solver as it is: it says what is out of range, and what to give.
    this.number.addEventListener("change", () => {
      if (Number.isFinite(this.number.valueAsNumber)) changed(this.number.valueAsNumber);
      else this.show(this.value);
    });
    this.step = grain;
    this.root = el("div", {class: "lever"}, el("div", {class: "lever-head"}, this.label, this.back, el("span", {class: "value"}, this.number, this.unit)),
      el("div", {class: "track"}, this.range, this.tick), this.ends);
  }

  speak(speech, game) {
    const {p} = this;
    const title = labelOf(speech, game, p.name);
    const unit = p.unit ? speech.word(`games.unit.${p.unit}`) : "";
    const write = (v) => speech.number(v, {maximumSignificantDigits: 5});
    this.label.textContent = title;
    this.label.title = `${p.name}: ${p.meaning}`;
    this.back.title = speech.word("games.reset_one");
    this.back.setAttribute("aria-label", `${this.back.title}: ${title}`);
    if (!this.number) return;
    this.number.setAttribute("aria-label", unit ? `${title}, ${unit}` : title);
    this.unit.textContent = unit;
    this.ends.replaceChildren(el("span", {}, write(p.from)), el("span", {class: "allowed"}, p.from !== p.low || p.to !== p.high ? `(${speech.text("games.bounds", {low: speech.short(p.low), high: speech.short(p.high)})})` : ""), el("span", {}, write(p.to)));
    this.write = write;
  }

  show(value) {
    const {p} = this;
    this.value = value;
    this.root.classList.toggle("moved", value !== p.default);
    this.back.disabled = value === p.default;
    if (this.check) {
      this.check.checked = value === 1;
      return;
    }
    if (Number(this.range.value) !== value) this.range.value = value;
    const shown = Number(value.toPrecision(7)); // as many digits as the field has room for
    if (this.number.valueAsNumber !== shown) this.number.value = shown;
    this.number.setAttribute("aria-invalid", String(!(value >= p.low && value <= p.high)));
    this.range.setAttribute("aria-valuetext", this.write ? this.write(value) : String(value));
    const place = Math.min(1, Math.max(0, (p.default - p.from) / (p.to - p.from)));
    this.tick.style.left = `calc(8px + ${place} * (100% - 16px))`; // the thumb is 16 px wide
  }
}
