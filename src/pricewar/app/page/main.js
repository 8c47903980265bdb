// The page: one state, one socket, three tabs; language, theme, undo and the link.
import {Speech} from "./say.js";
import {dress, redrawn, themed, PRINT} from "./frame.js";
import {button, copy, el} from "./parts.js";
import {State} from "./state.js";
import {Wire} from "./wire.js";

const words = JSON.parse(document.getElementById("words").textContent);
const config = JSON.parse(document.getElementById("config").textContent);
const at = (id) => document.getElementById(id);
const TABS = ["war", "desk", "games"];
const SAID = 4000; // ms for which a remark stays

let speech;
let printing = false;
const tabs = {};
const damaged = [];

const state = new State({language: document.documentElement.dataset.language, refused: (part) => damaged.push(part)});
// Who starts the program with a log comes for its bill; a link says itself where it leads.
if (config.log && location.hash.length < 2) state.begin({tab: "desk"});
const wire = new Wire(undefined, (status) => {
  at("connection").dataset.status = status;
  writeConnection();
  if (status === "open") loadMissing();
});

// What a tab is given.
const app = {
  state, words, config,
  get speech() { return speech; },
  get printing() { return printing; },
  ask: (topic, message, handlers) => wire.ask(topic, message, handlers),
  // The width a chart is drawn to.
  width: (node, printed = PRINT.half) => (printing ? printed : Math.max(220, Math.floor(node.clientWidth))),
  say, notice, failed,
  // One line below a picture that leaves the page.
  made: () => `pricewar ${document.documentElement.dataset.version} · ${[state.get().market, speech.date(new Date().toISOString())].filter(Boolean).join(" · ")}`,
};

// ---------------------------------------------------------------- remarks

// A short remark, heard by screen readers, gone after a while.
function say(text) {
  at("said").textContent = text;
  clearTimeout(say.waiting);
  say.waiting = setTimeout(() => at("said").replaceChildren(), SAID);
}

// Something to be read and put away; `detail` is shown as it is, to be copied.
function notice(text, detail = null, look = "") {
  const row = el("div", {class: `notice ${look}`.trim()}, el("p", {}, text), detail ? el("pre", {class: "scroll", tabindex: "0"}, detail) : null,
    button(speech.word("notice.close"), {press: () => row.remove()}));
  at("notices").replaceChildren(...[...at("notices").children].slice(-2), row);
  return row;
}

// An error answer of the server: what, where, what to do.
function failed({what, where, remedy}) {
  const key = `error.${what}`;
  return notice([speech.word(key, what), where, remedy].filter(Boolean).join(" · "), null, "bad");
}

function writeConnection() {
  const node = at("connection");
  const lost = node.dataset.status !== "open";
  node.hidden = !lost;
  if (speech && lost) node.textContent = speech.word("connection.closed");
}

// ---------------------------------------------------------------- tabs

async function opened(name) {
  tabs[name] ??= import(`./${name}.js`).then(({mount}) => mount(at(`tab-${name}`), app)).catch((error) => {
    delete tabs[name];
    missing.get(name)?.remove();
    missing.set(name, notice(speech.text("tab.failed", {tab: speech.word(`tab.${name}`)}), at("connection").dataset.status === "open" ? String(error) : null, "bad"));
    return null;
  });
  return tabs[name];
}

const missing = new Map(); // tab → the notice that it could not be loaded

// What could not be loaded while the server was away is tried again.
function loadMissing() {
  if (!missing.size) return;
  for (const row of missing.values()) row.remove();
  missing.clear();
  show();
}

let shown = null; // name and tab now on the page

async function show() {
  const {tab} = state.get();
  for (const name of TABS) {
    at(`tab-${name}`).hidden = name !== tab;
    const chosen = at(`to-${name}`);
    chosen.setAttribute("aria-selected", String(name === tab));
    chosen.tabIndex = name === tab ? 0 : -1;
  }
  const now = await opened(tab);
  if (!now || state.get().tab !== tab) return;
  if (shown && shown.name !== tab) shown.tab.hide?.();
  shown = {name: tab, tab: now};
  now.show(state.get());
  document.documentElement.dataset.drawn = "yes";
}

function listenTabs() {
  for (const [place, name] of TABS.entries()) {
    at(`to-${name}`).addEventListener("click", () => state.set({tab: name}));
    at(`to-${name}`).addEventListener("keydown", (event) => {
      const step = {ArrowRight: 1, ArrowLeft: -1}[event.key];
      const to = step ? (place + step + TABS.length) % TABS.length : {Home: 0, End: TABS.length - 1}[event.key];
      if (to === undefined) return;
      event.preventDefault();
      state.set({tab: TABS[to]});
      at(`to-${TABS[to]}`).focus();
    });
  }
}

// ---------------------------------------------------------------- one state, written out

function writeSteps() {
  at("undo").disabled = !state.canUndo;
  at("redo").disabled = !state.canRedo;
}

function speakAll() {
  speech = new Speech(words, state.get().language, "USD");
  dress(speech, state.get());
  for (const node of document.querySelectorAll("[data-title]")) {
    node.title = speech.word(node.dataset.title);
    node.setAttribute("aria-label", node.title);
  }
  writeConnection();
  writeSteps();
}

let waiting = 0;
state.on((now, changed) => {
  if (changed.includes("language")) speakAll();
  if (changed.includes("theme")) {
    themed(now.theme);
    at("theme").value = now.theme;
  }
  writeSteps();
  document.documentElement.dataset.drawn = "no";
  cancelAnimationFrame(waiting);
  waiting = requestAnimationFrame(show); // many moves in one frame are drawn once
});

for (const id of ["language", "theme"]) at(id).addEventListener("change", () => state.set({[id]: at(id).value}));
at("undo").addEventListener("click", () => state.undo());
at("redo").addEventListener("click", () => state.redo());
at("copy-link").addEventListener("click", () => copy(app, location.origin + location.pathname + state.link(), "copied.link"));
addEventListener("keydown", (event) => {
  // A field that is being written in has an undo of its own.
  if (!(event.ctrlKey || event.metaKey) || event.altKey || event.target.matches?.("input[type=text], input[type=search], textarea")) return;
  const key = event.key.toLowerCase();
  const back = key === "z" && !event.shiftKey;
  if (!back && key !== "y" && !(key === "z" && event.shiftKey)) return;
  event.preventDefault();
  if (back) state.undo();
  else state.redo();
});

const draw = () => shown?.tab.draw ? shown.tab.draw() : shown?.tab.show(state.get());
redrawn(at("main"), draw, () => printing);
addEventListener("beforeprint", () => {
  printing = true;
  draw();
});
addEventListener("afterprint", () => {
  printing = false;
  draw();
});

at("skip").addEventListener("click", (event) => {
  event.preventDefault(); // the fragment is the state's
  at("main").focus();
});
listenTabs();
themed(state.get().theme);
speakAll();
state.refused = (part) => notice(speech.text("link.damaged", {part}), null, "bad");
for (const part of damaged) state.refused(part);
show().then(() => { document.documentElement.dataset.ready = "yes"; });
