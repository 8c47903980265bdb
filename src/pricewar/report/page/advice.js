// The page of advice: one document of figures, written out in words, charts and tables.
import {el} from "./say.js";
import {Frame, PRINT, behind, sheetTable} from "./frame.js";
import {AdviceSpeech, AdviceView} from "./advice_view.js";

const data = JSON.parse(document.getElementById("data").textContent);
const words = JSON.parse(document.getElementById("words").textContent);
const at = (id) => document.getElementById(id);
const HALVES = ["leaving", "causes"];
const shell = new Frame(words, {language: document.documentElement.dataset.language, theme: "auto"});

let speech;
let view;

const tabled = (sheet) => sheetTable(speech, sheet);

// ---------------------------------------------------------------- charts

// A picture with its title, its note and the table behind it; `instead` is said where there is none.
function drawn(id, picture, {title = picture?.title, note = picture?.note, instead = "", more = () => []} = {}) {
  if (at(`${id}-title`)) at(`${id}-title`).textContent = title;
  if (at(`${id}-note`)) at(`${id}-note`).textContent = picture ? note ?? "" : instead;
  at(`${id}-data`).hidden = !picture;
  const width = shell.width(at(id), HALVES.includes(id) ? PRINT.half : PRINT.whole);
  at(id).replaceChildren(...(picture ? picture.draw(width, speech.text("chart.alt", {title})) : []));
  if (picture) behind(at(`${id}-data`), () => el("div", {}, tabled(picture.sheet()), more()));
}

function draw() {
  const versus = view.versus();
  drawn("versus", versus, {title: versus?.title ?? speech.word("versus.title"), instead: speech.word("versus.none")});
  at("tale").replaceChildren(...(versus?.tale ?? []).map((text) => el("li", {}, text)));
  drawn("strategies", view.strategies());
  const occupancy = view.occupancy();
  at("occupancy-legend").replaceChildren(...occupancy.legend);
  drawn("occupancy", occupancy);
  drawn("leaving", view.leaving(), {title: view.leavingTitle, instead: speech.word("none"), more: () => tabled(view.worths())});
  drawn("causes", view.causes());
  drawn("free", view.free(), {title: view.freeTitle, instead: speech.word("free.none")});
}

// ---------------------------------------------------------------- words and tables

function writePlan() {
  const plan = view.plan();
  at("plan-begin").textContent = plan.begin;
  at("plan-triggers").replaceChildren(tabled(plan.triggers));
  at("plan-looks").replaceChildren(...plan.looks.map((text) => el("li", {}, text)));
}

function writeOffers() {
  at("offers-note").textContent = speech.text("offers.note", {months: data.months});
  at("offers").replaceChildren(tabled(view.offers()));
  behind(at("offers-data"), () => tabled(view.knowledge()));
  at("out-summary").textContent = view.outSummary;
  at("out").replaceChildren(tabled(view.outCounts()));
  behind(at("out-all"), () => tabled(view.out()));
  at("skipped").replaceChildren(...view.skipped());
}

function writeMade() {
  at("meta").textContent = view.meta;
  at("made").replaceChildren(...view.made());
  at("assumptions").querySelector(".inside").replaceChildren(el("p", {class: "quiet"}, speech.word("assumptions.note")), tabled(view.assumptions()));
}

function showAll() {
  speech = new AdviceSpeech(words, shell.state.language, data.currency);
  view = new AdviceView(data, speech);
  shell.write(speech);
  at("story").replaceChildren(...view.story().map((text) => el("li", {}, text)));
  at("figures").replaceChildren(...view.figures());
  draw();
  writePlan();
  writeOffers();
  writeMade();
}

shell.begin({show: showAll, draw, watched: at("strategies")});
