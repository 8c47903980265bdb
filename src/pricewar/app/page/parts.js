// What every tab is built of: cards with a chart, its table and its exports; levers; files; the clipboard.
import {el, given} from "./say.js";
import {behind, kpi, sheetTable} from "./frame.js";
import {textWidth} from "../charts/shared.js";

export {el, given, behind, kpi, sheetTable as table};

export function button(label, {press, look = null, title = null, pressed = null} = {}) {
  const node = el("button", {type: "button", class: look, title, "aria-pressed": pressed === null ? null : String(pressed)}, label);
  if (press) node.addEventListener("click", press);
  return node;
}

// ---------------------------------------------------------------- tables

// A sheet (see sheetTable) for a spreadsheet: raw numbers, so that nothing is lost by writing them for people.
export function csv({headers, rows}) {
  const field = (value) => {
    const text = value instanceof Node ? value.textContent : value === null || value === undefined ? "" : String(value);
    // A cell that a spreadsheet would take for a formula is kept a text.
    const safe = typeof value !== "number" && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
    return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  return [headers.map((h) => h.title), ...rows.map((row) => row.cells ?? row)].map((row) => row.map(field).join(",")).join("\r\n") + "\r\n";
}

// ---------------------------------------------------------------- files and clipboard

export function download(name, content, type = "text/plain;charset=utf-8") {
  const address = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], {type}));
  const link = el("a", {href: address, download: name});
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

// Copies a text; says so through the app, or shows the text where the browser refuses.
export async function copy(app, text, said = "copied") {
  try {
    await navigator.clipboard.writeText(text);
    app.say(app.speech.word(said));
  } catch {
    app.notice(app.speech.word("copy.by_hand"), text);
  }
}

const DRAWN = ["fill", "fill-opacity", "stroke", "stroke-opacity", "stroke-width", "stroke-dasharray", "stroke-linejoin", "stroke-linecap", "opacity",
  "font-size", "font-family", "font-weight", "text-anchor", "dominant-baseline", "paint-order", "visibility", "display"];
const NS = "http://www.w3.org/2000/svg";

// A copy of what is drawn with every colour and font resolved, so that it looks the same elsewhere.
function copyOf(svg) {
  const clone = svg.cloneNode(true);
  const [from, to] = [svg, clone].map((node) => [node, ...node.querySelectorAll("*")]);
  from.forEach((node, place) => {
    const look = getComputedStyle(node);
    for (const name of DRAWN) {
      const value = look.getPropertyValue(name);
      if (value && value !== "none" || name === "fill" || name === "stroke") to[place].setAttribute(name, value);
    }
    to[place].removeAttribute("style");
    to[place].removeAttribute("class");
  });
  for (const style of clone.querySelectorAll("style")) style.remove();
  return clone;
}

// A text in lines no wider than `room`; languages without spaces break between any two letters.
function folded(text, room, size) {
  const lines = [];
  let line = "";
  for (const piece of text.match(/[\u3000-\u9fff\uff00-\uffef]|[^\s\u3000-\u9fff\uff00-\uffef]+|\s+/g) ?? []) {
    if (line && textWidth(line + piece, size) > room) {
      lines.push(line.trimEnd());
      line = "";
    }
    if (line || piece.trim()) line += piece;
  }
  return line.trimEnd() ? [...lines, line.trimEnd()] : lines;
}

const EDGE = 12, NOTE = 12, MADE = 10.5, LINE = 16; // px

// The picture as it looks now, standing on its own: title, what it is of and how it is drawn above, where it is from
// below, its ground beneath. told: {title, note, legend: element | null, made: text, lines apart}.
export function standalone(svg, {title, note, legend, made}) {
  const box = svg.getBoundingClientRect();
  const [width, height] = [Math.ceil(box.width), Math.ceil(box.height)];
  const page = document.createElementNS(NS, "svg");
  const look = getComputedStyle(document.body);
  const put = (name, attributes, text) => {
    const node = document.createElementNS(NS, name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    if (text) node.textContent = text;
    page.append(node);
    return node;
  };
  const write = (text, x, y, size, more = {}) => put("text", {x, y, "font-family": look.fontFamily, "font-size": size, fill: look.color, ...more}, text);
  put("rect", {width: "100%", height: "100%", fill: getComputedStyle(svg.closest(".card") ?? document.body).backgroundColor});
  let y = 4;
  for (const line of folded(title, width * 0.9, 14)) write(line, EDGE, y += 18, 14, {"font-weight": 600});
  for (const line of folded(note, width, NOTE)) write(line, EDGE, y += LINE, NOTE, {"fill-opacity": 0.75});
  if (legend) {
    let x = EDGE;
    y += LINE + 3;
    for (const item of legend.children) {
      const text = item.textContent.trim(), mark = item.querySelector("svg"), swatch = item.querySelector(".swatch");
      const wide = textWidth(text, NOTE) + (mark || swatch ? 20 : 0);
      if (x > EDGE && x + wide > width + EDGE) [x, y] = [EDGE, y + LINE + 2];
      if (mark) {
        const size = mark.getBoundingClientRect();
        const clone = copyOf(mark);
        for (const [key, value] of Object.entries({x, y: y - 4 - size.height / 2, width: size.width, height: size.height})) clone.setAttribute(key, value);
        page.append(clone);
      } else if (swatch) put("rect", {x, y: y - 10, width: 14, height: 12, fill: getComputedStyle(swatch).backgroundColor, stroke: getComputedStyle(swatch).borderColor});
      write(text, x + (mark || swatch ? 20 : 0), y, NOTE);
      x += wide + 16;
    }
  }
  const clone = copyOf(svg);
  y += 8;
  for (const [key, value] of Object.entries({x: EDGE, y, width, height})) clone.setAttribute(key, value);
  page.append(clone);
  y += height + 2;
  for (const line of made.split("\n").flatMap((each) => folded(each, width, MADE))) write(line, EDGE, y += 13, MADE, {"fill-opacity": 0.7});
  y += 8;
  for (const [key, value] of Object.entries({xmlns: NS, width: width + 2 * EDGE, height: y, viewBox: `0 0 ${width + 2 * EDGE} ${y}`})) page.setAttribute(key, value);
  return page;
}

export function svgText(svg, told) { return new XMLSerializer().serializeToString(standalone(svg, told)); }

// The picture as PNG, twice as fine as on the screen.
export async function png(svg, told, finer = 2) {
  const page = standalone(svg, told);
  const [width, height] = ["width", "height"].map((name) => Number(page.getAttribute(name)));
  const address = URL.createObjectURL(new Blob([new XMLSerializer().serializeToString(page)], {type: "image/svg+xml"}));
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    const canvas = el("canvas", {width: width * finer, height: height * finer});
    canvas.getContext("2d").drawImage(image, 0, 0, width * finer, height * finer);
    return await new Promise((done) => canvas.toBlob(done, "image/png"));
  } finally { URL.revokeObjectURL(address); }
}

// ---------------------------------------------------------------- cards

// A card: title, what changed, chart, the table behind it, and the picture or table as a file.
// `key` names its parts (ids `KEY-title`, `KEY`, `KEY-data`) and its files.
export class Card {
  constructor(app, key, {wide = false, legend = false} = {}) {
    this.app = app;
    this.key = key;
    this.heading = el("h2", {id: `${key}-title`});
    this.noteLine = el("p", {class: "quiet"});
    this.legend = legend ? el("ul", {class: "legend"}) : null;
    this.chart = el("div", {id: key, class: "chart"});
    this.dataSummary = el("summary", {});
    this.data = el("details", {id: `${key}-data`, class: "behind"}, this.dataSummary, el("div", {class: "inside"}));
    this.saveSummary = el("summary", {});
    this.save = el("details", {class: "save"}, this.saveSummary);
    this.root = el("section", {class: `card figure${wide ? " wide" : ""}`, "aria-labelledby": `${key}-title`},
      this.heading, this.noteLine, this.legend, this.chart, el("div", {class: "feet"}, this.data, this.save));
    // A menu lies over the picture: it goes when one turns elsewhere.
    const close = (to) => { if (to && !this.save.contains(to)) this.save.open = false; };
    this.save.addEventListener("focusout", (event) => close(event.relatedTarget));
    addEventListener("pointerdown", (event) => close(event.target));
    this.save.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !this.save.open) return;
      this.save.open = false;
      this.saveSummary.focus();
    });
    this.save.append(el("div", {class: "menu"}, ["png", "svg", "csv"].map((kind) => button(kind.toUpperCase(), {press: () => this.export(kind)}))));
  }

  // title: text; effect: {text, better: -1 | 0 | 1, whole} or null, shown after the title; a whole one says all and stands alone.
  title(title, effect = null) {
    const look = effect ? {"-1": "worse", 0: "", 1: "better"}[effect.better ?? 0] : "";
    const alone = effect?.whole === true;
    const text = alone ? effect.text[0].toUpperCase() + effect.text.slice(1) : effect?.text;
    this.titleText = alone ? text : effect ? `${title}: ${text}` : title;
    this.heading.replaceChildren(alone ? "" : title, effect ? el("span", {class: `effect ${look}${alone ? " alone" : ""}`}, text) : "");
    this.dataSummary.textContent = this.app.speech.word("data");
    this.saveSummary.textContent = this.app.speech.word("save");
  }

  note(text) {
    this.noteLine.hidden = !text;
    this.noteLine.replaceChildren(...[text].flat().filter(Boolean));
  }

  // sheet: called when the table is opened or saved; as `table` takes it.
  sheet(make) {
    this.makeSheet = make;
    behind(this.data, () => sheetTable(this.app.speech, make()));
  }

  get alt() { return this.app.speech.text("chart.alt", {title: this.titleText}); }

  get width() { return this.app.width(this.chart); }

  async export(kind) {
    this.save.open = false;
    const name = `pricewar-${this.key}.${kind}`;
    if (kind === "csv") {
      if (this.makeSheet) download(name, csv(this.makeSheet()), "text/csv;charset=utf-8");
      return;
    }
    const svg = this.chart.querySelector("svg");
    if (!svg) return;
    const told = {title: this.titleText, note: this.noteLine.hidden ? "" : this.noteLine.textContent, legend: this.legend, made: this.app.made()};
    if (kind === "svg") download(name, svgText(svg, told), "image/svg+xml");
    else download(name, await png(svg, told));
  }
}

export function card(app, key, options) { return new Card(app, key, options); }

// ---------------------------------------------------------------- levers

const NOTCHES = 1000; // of a slider whose scale is logarithmic
const DIGITS = 3; // of a value set with it

function rounded(value, {low, high, step, scale}) {
  const held = Math.min(high, Math.max(low, value));
  if (step && scale !== "log") return Number((Math.round((held - low) / step) * step + low).toPrecision(12));
  return Number(held.toPrecision(DIGITS));
}

// One lever as native inputs: a slider and a number for the same value, a tick where the baseline stands, and below it
// where the value comes from. lever: {key, unit, low, high, step, scale, value, …}. changed(value) is called at every move.
export class Lever {
  constructor(app, lever, {changed, reset}) {
    this.app = app;
    this.lever = lever;
    this.changed = changed;
    // A share is read and written in percent.
    this.times = lever.unit === "share" ? 100 : 1;
    const id = `lever-${lever.key.replaceAll(/[^\w-]/g, "_")}`;
    this.label = el("label", {for: id});
    this.back = button("↺", {look: "plain back", press: reset});
    this.source = el("summary", {});
    this.inside = el("div", {class: "inside"});
    this.about = el("details", {class: "about"}, this.source, this.inside);
    if (lever.scale === "switch") {
      this.range = el("input", {type: "checkbox", id, role: "switch"});
      this.range.addEventListener("change", () => this.move(this.range.checked ? lever.high : lever.low, true));
      this.root = el("div", {class: "lever switch"}, el("div", {class: "lever-head"}, this.range, this.label, this.back), this.about);
      return;
    }
    const linear = lever.scale !== "log";
    this.range = el("input", {type: "range", id, min: linear ? lever.low : 0, max: linear ? lever.high : NOTCHES, step: linear ? lever.step ?? "any" : 1});
    this.number = el("input", {type: "number", class: "exact", min: this.spoken(lever.low), max: this.spoken(lever.high), step: "any", inputmode: "decimal"});
    this.unit = el("span", {class: "unit"});
    this.tick = el("span", {class: "tick", "aria-hidden": "true"});
    this.ends = el("div", {class: "ends", "aria-hidden": "true"}, el("span"), el("span"));
    this.range.addEventListener("input", () => this.move(this.fromRange()));
    this.number.addEventListener("change", () => {
      const value = this.number.valueAsNumber / this.times;
      if (Number.isFinite(value)) this.move(Math.min(lever.high, Math.max(lever.low, Number(value.toPrecision(12)))), true);
      else this.show(this.value, this.base);
    });
    this.root = el("div", {class: "lever"}, el("div", {class: "lever-head"}, this.label, this.back, el("span", {class: "value"}, this.number, this.unit)),
      el("div", {class: "track"}, this.range, this.tick), this.ends, this.about);
  }

  // What the number shows of a value.
  spoken(value) { return Number((value * this.times).toPrecision(12)); }

  // Where a value stands along the slider, 0 to 1.
  place(value) {
    const {low, high, scale} = this.lever;
    const share = scale === "log" ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
    return Math.min(1, Math.max(0, share));
  }

  fromRange() {
    const {low, high, scale} = this.lever;
    const raw = Number(this.range.value);
    return rounded(scale === "log" ? low * (high / low) ** (raw / NOTCHES) : raw, this.lever);
  }

  move(value, exact = false) {
    const set = exact ? value : rounded(value, this.lever);
    this.show(set, this.base);
    this.changed(set);
  }

  // The words, in the reader's language. about: nodes for the disclosure; called when it is opened.
  speak({title, unit, write, told, summary, about, back}) {
    this.told = told;
    this.label.textContent = title;
    this.back.title = back;
    this.back.setAttribute("aria-label", `${back}: ${title}`);
    this.source.textContent = summary;
    behind(this.about, about);
    if (this.number) {
      this.number.setAttribute("aria-label", unit ? `${title}, ${unit}` : title);
      this.unit.textContent = unit;
      [this.lever.low, this.lever.high].forEach((value, place) => { this.ends.children[place].textContent = write(value); });
      if (this.value !== undefined) this.range.setAttribute("aria-valuetext", told(this.value));
    }
  }

  show(value, base) {
    this.value = value;
    this.base = base;
    const moved = value !== base;
    this.root.classList.toggle("moved", moved);
    this.back.disabled = !moved; // kept in its place, so that nothing jumps
    if (!this.number) {
      this.range.checked = value > this.lever.low;
      return;
    }
    const notch = this.lever.scale === "log" ? Math.round(this.place(value) * NOTCHES) : value;
    if (Number(this.range.value) !== notch) this.range.value = notch;
    if (this.number.valueAsNumber !== this.spoken(value)) this.number.value = this.spoken(value);
    this.range.setAttribute("aria-valuetext", this.told ? this.told(value) : String(value));
    this.tick.style.left = `calc(8px + ${this.place(base)} * (100% - 16px))`; // the thumb is 16 px wide
  }
}

export function slider(app, lever, options) { return new Lever(app, lever, options); }
