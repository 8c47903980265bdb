// The levers: named wars and policies, one native slider and number for each, where each value comes from.
import {Lever, button, el, given} from "./parts.js";

const same = (a, b) => {
  const [x, y] = [Object.entries(a), Object.entries(b)];
  return x.length === y.length && x.every(([key, value]) => b[key] === value);
};

export class Levers {
  constructor(root, app) {
    this.app = app;
    this.market = el("select", {id: "market"});
    this.market.addEventListener("change", () => app.state.set({market: this.market.value, levers: {}, baseline: {}, vendor: ""}));
    this.marketWord = el("span", {});
    this.presetsWord = el("h3", {});
    this.presets = el("div", {class: "chips"});
    this.resetAll = button("", {press: () => app.state.set({levers: {...app.state.get().baseline}})});
    this.keep = button("", {press: () => app.state.set({baseline: {...app.state.get().levers}})});
    this.forget = button("", {press: () => app.state.set({baseline: {}})});
    this.groups = el("div", {class: "groups"});
    this.toggleWord = el("span", {});
    this.changedCount = el("span", {class: "count"});
    this.toggle = button([this.toggleWord, this.changedCount], {look: "sheet-toggle", press: () => this.unfold(!root.classList.contains("unfolded"))});
    this.toggle.setAttribute("aria-expanded", "false");
    this.toggle.setAttribute("aria-controls", "levers");
    this.root = root;
    root.append(this.toggle, el("div", {id: "levers", class: "levers-inside"},
      el("label", {class: "market"}, this.marketWord, this.market), this.presetsWord, this.presets,
      el("div", {class: "lever-buttons"}, this.resetAll, this.keep, this.forget), this.groups));
    root.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && root.classList.contains("unfolded")) {
        this.unfold(false);
        this.toggle.focus();
      }
    });
    this.all = new Map();
  }

  unfold(open) {
    this.root.classList.toggle("unfolded", open);
    this.toggle.setAttribute("aria-expanded", String(open));
  }

  // known: the answer to "markets" for the market shown. Builds its levers.
  build(known) {
    this.known = known;
    this.byKey = new Map(known.levers.map((lever) => [lever.key, lever]));
    this.all.clear();
    this.more = el("details", {class: "more"}, el("summary", {}), el("div", {class: "inside"}));
    this.grouped = [];
    const main = known.levers.filter((lever) => lever.main), others = known.levers.filter((lever) => !lever.main);
    this.groups.replaceChildren(...this.group(main, true), this.more);
    this.more.lastChild.append(...this.group(others, false));
    this.presetButtons = known.presets.filter((preset) => preset.kind !== "war").map((preset) => ({
      preset, node: button("", {look: "chip", pressed: false, press: () => this.take(preset)}),
    }));
    this.presets.replaceChildren(...this.presetButtons.map(({node}) => node));
    this.speak();
  }

  // Groups in the order of their first lever. A closed group is built when it is opened.
  group(list, open) {
    const groups = new Map();
    for (const lever of list) groups.set(lever.group, [...(groups.get(lever.group) ?? []), lever]);
    return [...groups].map(([name, levers]) => {
      const [summary, count, body] = [el("span", {}), el("span", {class: "count"}), el("div", {class: "group-body"})];
      const node = el("details", {class: "group"}, el("summary", {}, summary, count), body);
      const row = {name, levers, summary, count, body, built: false};
      this.grouped.push(row);
      node.addEventListener("toggle", () => { if (node.open) this.fill(row); });
      if (open) {
        node.open = true;
        this.fill(row);
      }
      return node;
    });
  }

  fill(row) {
    if (row.built) return;
    row.built = true;
    for (const lever of row.levers) {
      const made = new Lever(this.app, lever, {changed: (value) => this.moved(lever, value), reset: () => this.reset(lever)});
      this.all.set(lever.key, made);
      row.body.append(made.root);
      this.speakOne(made);
      this.showOne(made, this.app.state.get());
    }
  }

  value(levers, lever) { return levers[lever.key] ?? lever.value; }

  // Only what differs from the market's own value is kept.
  with(levers, lever, value) {
    const {[lever.key]: _, ...others} = levers;
    return value === lever.value ? others : {...others, [lever.key]: value};
  }

  moved(lever, value) {
    const {levers} = this.app.state.get();
    this.app.state.set({levers: this.with(levers, lever, value)}, {merge: `lever.${lever.key}`});
  }

  reset(lever) {
    const {levers, baseline} = this.app.state.get();
    this.app.state.set({levers: this.with(levers, lever, this.value(baseline, lever))});
    this.all.get(lever.key).range.focus(); // the button that was pressed is now disabled
  }

  take(preset) {
    const {levers, baseline} = this.app.state.get();
    this.app.state.set({levers: same(levers, preset.levers) ? {...baseline} : {...preset.levers}}); // pressed again: let go
  }

  // ---------------------------------------------------------------- words

  // A lever's name; one of a single vendor or segment stands in that one's group.
  title(lever) { return this.app.speech.word(lever.what, lever.meaning); }

  groupName(name) {
    const {speech} = this.app;
    const vendor = this.shownMarket()?.vendors.find((v) => v.key === name);
    return vendor ? vendorName(speech, vendor) : speech.word(`war.group.${name}`, speech.word(`war.segment.${name}`, name));
  }

  // For sentences elsewhere: the name with whom it is of.
  fullTitle(key) {
    const lever = this.byKey?.get(key);
    if (!lever) return key;
    const whole = lever.main || this.app.speech.has(`war.group.${lever.group}`);
    return whole ? this.title(lever) : `${this.groupName(lever.group)}: ${this.title(lever)}`;
  }

  marketName(key) { return this.app.speech.word(`war.market.${key}`, this.known?.markets.find((m) => m.key === key)?.title || key); }

  shownMarket() { return this.known?.markets.find((m) => m.key === this.known.market); }

  unitWord(unit) {
    const currency = this.shownMarket()?.currency ?? "";
    const key = `war.unit.${unit.replace(currency, "money")}`;
    return this.app.speech.has(key) ? this.app.speech.text(key, {currency}) : unit;
  }

  write(lever) {
    const {speech} = this.app;
    return (value) => {
      if (value === null || value === undefined) return "–";
      if (lever.scale === "switch") return speech.word(value > lever.low ? "yes" : "no");
      const close = {maximumSignificantDigits: 3};
      if (lever.unit === "share") return speech.number(value, {style: "percent", ...close});
      const size = Math.abs(value);
      return speech.number(value, size >= 10_000 ? {notation: "compact", ...close} : size > 0 && size < 1e-4 ? {notation: "scientific", ...close} : close);
    };
  }

  withUnit(lever) {
    const write = this.write(lever), unit = this.unitWord(lever.unit);
    return (value) => (unit && lever.unit !== "share" && lever.scale !== "switch" ? `${write(value)} ${unit}` : write(value));
  }

  speak() {
    const {speech} = this.app;
    const word = (key) => speech.word(key);
    this.marketWord.textContent = word("war.market");
    this.presetsWord.textContent = word("war.presets");
    this.resetAll.textContent = word("war.reset");
    this.keep.textContent = word("war.keep");
    this.forget.textContent = word("war.forget");
    this.toggleWord.textContent = word("war.levers");
    this.root.setAttribute("aria-label", word("war.levers"));
    if (!this.known) return;
    this.market.replaceChildren(...this.known.markets.map((m) => el("option", {value: m.key}, this.marketName(m.key))));
    this.market.value = this.known.market;
    for (const {preset, node} of this.presetButtons) {
      node.textContent = speech.word(`war.preset.${preset.key}`, preset.key);
      node.title = Object.entries(preset.levers).map(([key, value]) => `${this.fullTitle(key)} ${this.withUnit(this.byKey.get(key))(value)}`).join(", ");
    }
    this.more.firstChild.textContent = word("war.more");
    for (const {summary, name} of this.grouped) summary.textContent = this.groupName(name);
    for (const row of this.all.values()) this.speakOne(row);
  }

  speakOne(row) {
    const {lever} = row;
    row.speak({
      title: this.title(lever), unit: lever.unit === "share" ? "%" : this.unitWord(lever.unit), write: this.write(lever), told: this.withUnit(lever),
      summary: this.summary(lever), about: () => this.about(lever), back: this.app.speech.word("war.reset_one"),
    });
  }

  // How sure the value is, in a few words, at the point of use.
  summary(lever) {
    const {speech} = this.app;
    if (lever.off) return speech.word("war.off");
    return [speech.word(lever.source && !lever.assumed ? "war.from_source" : "war.assumed"), speech.word(`war.confidence.${lever.confidence}`, lever.confidence)].join(" · ");
  }

  about(lever) {
    const {speech} = this.app;
    const write = this.withUnit(lever);
    const row = (key, ...cells) => [el("dt", {}, speech.word(`war.about.${key}`)), el("dd", {}, ...cells)];
    const english = (text) => el("span", {lang: "en"}, text);
    const factor = lever.unit === "times";
    const of = lever.of.map((o) => el("li", {translate: "no"}, `${o.name}: ${o.written}${o.low < o.high ? ` (${speech.range(o.low, o.high, (v) => speech.number(v, {maximumSignificantDigits: 3}))})` : ""}`));
    return el("dl", {class: "about-list"}, [
      row("meaning", factor ? `${speech.word("war.factor")}: ` : "", english(lever.meaning.replace(/^lever: /, ""))),
      factor ? null : row("own", write(lever.value)),
      lever.range ? row("range", speech.range(lever.range[0], lever.range[1], write)) : null,
      lever.scale === "switch" ? null : row("slider", speech.range(lever.low, lever.high, write)),
      lever.because ? row("because", english(lever.because)) : null,
      lever.source ? row("source", lever.url ? el("a", {href: lever.url, target: "_blank", rel: "noreferrer noopener"}, given(lever.source)) : given(lever.source), lever.read_on ? ` · ${speech.text("war.read_on", {on: lever.read_on})}` : "") : null,
      lever.reference ? row("reference", english(lever.reference)) : null,
      of.length && factor ? row("of", el("ul", {}, of, lever.more ? el("li", {}, speech.text("war.about.more", {n: lever.more})) : null)) : null,
      row("key", el("code", {translate: "no"}, lever.sets.map((name) => `--set ${name}=${this.value(this.app.state.get().levers, lever)}`).join(" "))),
    ].filter(Boolean).flat());
  }

  // ---------------------------------------------------------------- the state

  showOne(row, {levers, baseline}) {
    const [value, base] = [this.value(levers, row.lever), this.value(baseline, row.lever)];
    if (row.value !== value || row.base !== base) row.show(value, base);
  }

  show({levers, baseline}) {
    if (!this.byKey) return;
    const differs = (lever) => this.value(levers, lever) !== this.value(baseline, lever);
    let changed = 0;
    for (const row of this.grouped) {
      const count = row.levers.filter(differs).length;
      changed += count;
      row.count.textContent = count ? String(count) : "";
    }
    for (const row of this.all.values()) this.showOne(row, {levers, baseline});
    for (const {preset, node} of this.presetButtons) node.setAttribute("aria-pressed", String(same(levers, preset.levers)));
    this.changedCount.textContent = changed ? String(changed) : "";
    this.resetAll.disabled = this.keep.disabled = changed === 0;
    this.forget.hidden = Object.keys(baseline).length === 0;
  }
}

export function vendorName(speech, vendor) { return speech.word(`war.vendor.${vendor.key}`, vendor.name); }
