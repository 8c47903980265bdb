// What stands around every page: language and theme, the link that holds them, charts redrawn to their width and for print.
import {el, given} from "./say.js";

// What A4 leaves between its margins, in CSS pixels: the whole of it, half, and one of three panels.
export const PRINT = {whole: 690, half: 325, panel: 215};
const THEMES = ["auto", "light", "dark"];

export class Frame {
  // words: by language. defaults: the state of a fresh page, `language` and `theme` among it; the link changes it.
  constructor(words, defaults) {
    this.words = words;
    this.defaults = defaults;
    const linked = [...new URLSearchParams(location.hash.slice(1))].filter(([key]) => Object.hasOwn(defaults, key));
    this.state = {...defaults, ...Object.fromEntries(linked)};
    if (!Object.hasOwn(words, this.state.language)) this.state.language = defaults.language;
    this.printing = false;
  }

  // The link holds what differs from the start, so that a view can be kept and sent.
  remember() {
    const changed = Object.entries(this.state).filter(([key, value]) => value !== this.defaults[key]);
    const hash = new URLSearchParams(changed).toString();
    try { history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search); } catch { /* some viewers forbid it */ }
  }

  // The words of the template, and the choices of language and theme, in the reader's language.
  write(speech) {
    dress(speech, this.state);
  }

  // The width a chart is drawn to: what its place has, or what the paper leaves.
  width(node, printed = PRINT.whole, least = 240) {
    return this.printing ? printed : Math.max(least, Math.floor(node.clientWidth));
  }

  // Shows the page and keeps it right: `show` writes everything, `draw` the charts alone when the width of `watched`
  // changes or the page is printed; `before` and `after` stand around the print.
  begin({show, draw, watched, before = () => {}, after = () => {}}) {
    for (const [id, then] of [["language", show], ["theme", () => themed(this.state.theme)]]) {
      const select = document.getElementById(id);
      select.addEventListener("change", () => {
        this.state[id] = select.value;
        this.remember();
        then();
      });
    }
    themed(this.state.theme);
    show();
    redrawn(watched, draw, () => this.printing);
    addEventListener("beforeprint", () => {
      this.printing = true;
      before();
      draw();
    });
    addEventListener("afterprint", () => {
      this.printing = false;
      after();
      draw();
    });
    document.documentElement.dataset.ready = "yes";
  }
}

// The words of the template and the two choices every page has.
export function dress(speech, {language, theme}) {
  for (const node of document.querySelectorAll("[data-word]")) node.textContent = speech.word(node.dataset.word);
  document.documentElement.lang = speech.locale;
  document.title = `${speech.word("title")} · pricewar`;
  const themes = document.getElementById("theme");
  themes.replaceChildren(...THEMES.map((key) => el("option", {value: key}, speech.word(`theme.${key}`))));
  themes.value = theme;
  document.getElementById("language").value = language;
}

export function themed(theme) {
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
}

// Charts are drawn to the width they are given, never scaled.
export function redrawn(watched, draw, held = () => false) {
  let drawnAt = watched.clientWidth, waiting = 0;
  new ResizeObserver(() => {
    const now = watched.clientWidth;
    if (held() || now === drawnAt || !now) return;
    drawnAt = now;
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(draw);
  }).observe(watched);
}

// A table of text; headers: [title, numeric]. A row is a list of cells, or {cells, look} where it has a class.
export function plainTable(speech, headers, rows) {
  return el("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": speech.word("data")}, el("table", {class: "plain"},
    el("thead", {}, el("tr", {}, headers.map(([title, numeric]) => el("th", {scope: "col", class: numeric ? "n" : null}, title)))),
    el("tbody", {}, rows.map((row) => el("tr", {class: row.look ?? null}, (row.cells ?? row).map((cell, place) =>
      el(place ? "td" : "th", {class: headers[place][1] ? "n" : null, scope: place ? null : "row"}, cell)))))));
}

// sheet: {headers: [{title, numeric, write}], rows: [[raw value, …]]}; a value that is a node or has no `write` stands as it is.
export function sheetTable(speech, {headers, rows}) {
  const cell = (value, place) => {
    if (value instanceof Node) return value;
    if (headers[place].write) return headers[place].write(value);
    return value === null || value === undefined ? "" : typeof value === "number" ? speech.count(value) : given(value);
  };
  return plainTable(speech, headers.map((h) => [h.title, h.numeric ?? false]), rows.map((row) => ({look: row.look, cells: (row.cells ?? row).map(cell)})));
}

// Written when opened: a closed table costs nothing. Returns what writes it at once.
export function behind(details, write) {
  const fill = () => details.querySelector(".inside").replaceChildren(write());
  details.ontoggle = () => { if (details.open) fill(); };
  if (details.open) fill();
  return fill;
}

export function kpi(title, value, more) {
  return el("div", {class: "kpi"}, el("dt", {}, title), el("dd", {}, el("span", {class: "value"}, value), more ? el("span", {class: "more"}, more) : null));
}
