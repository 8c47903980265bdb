// The report: one state, written out in words, charts and a table.
import {Speech, el, given} from "./say.js";
import {Frame, PRINT, behind, sheetTable} from "./frame.js";
import {OfferTable, bill, kindMark, offerName} from "./bill.js";
import {BillView} from "./bills_view.js";

const data = JSON.parse(document.getElementById("data").textContent);
const words = JSON.parse(document.getElementById("words").textContent);
const offers = data.offers ?? [];
const at = (id) => document.getElementById(id);
const PRINTED_BILLS = 5;
const shell = new Frame(words, {language: document.documentElement.dataset.language, theme: "auto", kind: "", models: "all", search: "", order: "kinds", count: "20", sort: "rank", down: ""});
const state = shell.state;

let speech;
let view;
let table;
let fillNotBilled;

// ---------------------------------------------------------------- the answer and its charts

const tabled = (sheet) => sheetTable(speech, sheet);

function widthOf(id) { return shell.width(at(id), id === "days" || id === "models" ? PRINT.half : PRINT.whole, 260); }

function drawn(id, picture) {
  at(id).replaceChildren(picture.draw(widthOf(id)));
  behind(at(`${id}-data`), () => tabled(picture.sheet()));
}

function drawOffers(places) {
  for (const id of ["gap", "served"]) {
    const picture = view[id](places, state);
    at(`${id}-title`).textContent = picture.title;
    drawn(id, picture);
  }
}

function drawLoad() {
  const load = view.load();
  at("load-title").replaceChildren(...load.title);
  drawn("days", load.days);
  drawn("models", load.models);
  at("meters").replaceChildren(...load.meters.map(({key, label}) => el("li", {}, el("span", {class: `swatch m-${key.replaceAll("_", "-")}`}), label)));
}

// ---------------------------------------------------------------- what it rests on

function writeMade() {
  const terms = data.terms === "replay" ? speech.word("terms.replay") : speech.text("terms.on", {on: data.terms ?? data.as_of ?? ""});
  at("meta").replaceChildren(...speech.sentence("meta", {source: given((data.log?.source ?? []).join(", ")), terms, as_of: data.as_of ?? ""}));
  at("assumptions").replaceChildren(...view.assumptions(tabled));
  at("exclusions").replaceChildren(...view.exclusions(tabled));
  at("baseline").replaceChildren(...view.logged(tabled));
  const outside = data.not_billed ?? [];
  at("not-billed-block").hidden = !outside.length;
  at("not-billed-count").textContent = speech.text("made.not_billed_n", {n: outside.length});
  fillNotBilled = behind(at("not-billed"), () => tabled(view.outside()));
  at("how").replaceChildren(...view.made(), el("p", {}, speech.word("made.private")), el("h4", {}, speech.word("made.again")),
    el("pre", {class: "scroll", tabindex: "0"}, el("code", {}, String(data.command ?? ""))));
}

function writeTop() {
  const top = view.billed.slice(0, PRINTED_BILLS);
  at("top-bills").replaceChildren(...top.map((offer) => el("section", {}, el("h4", {}, kindMark(offer.kind), offerName(offer)), bill(offer, speech))));
}

// ---------------------------------------------------------------- controls

function options(select, entries, value) {
  select.replaceChildren(...entries.map(([key, text]) => el("option", {value: key}, text)));
  select.value = value;
  if (select.selectedIndex < 0) select.selectedIndex = 0;
}

function writeControls() {
  shell.write(speech);
  options(at("kind"), [["", speech.word("filter.all")], ...view.kinds.map((kind) => [kind, speech.word(`kind.${kind}`, kind)])], state.kind);
  options(at("models-of"), ["all", "same", "full"].map((key) => [key, speech.word(`filter.class.${key}`)]), state.models);
  options(at("order"), ["kinds", "cheap", "gap"].map((key) => [key, speech.word(`filter.order.${key}`)]), state.order);
  options(at("count"), [...["10", "20", "40", "80"].map((n) => [n, n]), ["all", speech.word("filter.count.all")]], state.count);
  at("search").value = state.search;
  at("search").placeholder = speech.word("filter.placeholder");
  at("legend").replaceChildren(...view.legend());
  at("parts").replaceChildren(...view.parts());
}

// ---------------------------------------------------------------- one state, written out

function showOffers() {
  const places = view.chosen(state);
  at("matches").textContent = speech.text("filter.matches", {n: places.length, all: offers.length});
  drawOffers(places);
  showTable(places);
}

function showTable(places) {
  const waiting = table.show(places, {key: state.sort, down: state.down === "1"});
  at("show-all").hidden = !waiting;
  at("show-all").textContent = speech.text("offers.all", {n: places.length});
  at("more").textContent = waiting ? speech.text("offers.more", {n: waiting}) : "";
}

function showAll() {
  speech = new Speech(words, state.language, data.currency ?? "USD");
  view = new BillView(data, speech);
  writeControls();
  at("headline").replaceChildren(...view.headline());
  at("figures").replaceChildren(...view.figures());
  table.speak(speech);
  showOffers();
  drawLoad();
  writeMade();
  writeTop();
}

function redraw() {
  table.widen();
  drawOffers(view.chosen(state));
  drawLoad();
}

function listen(id, key, event, then) {
  at(id).addEventListener(event, () => {
    state[key] = at(id).value;
    shell.remember();
    then();
  });
}

table = new OfferTable(at("offer-table"), offers, (key) => {
  state.down = state.sort === key && !state.down ? "1" : "";
  state.sort = key;
  shell.remember();
  showTable(view.chosen(state));
});
for (const [id, key] of [["kind", "kind"], ["models-of", "models"], ["order", "order"], ["count", "count"]]) listen(id, key, "change", showOffers);
at("show-all").addEventListener("click", () => {
  table.whole = true;
  showTable(view.chosen(state));
  at("offers").focus();
});
listen("search", "search", "input", showOffers);

let wasOpen = false;
shell.begin({
  show: showAll, draw: redraw, watched: at("gap"),
  before() {
    wasOpen = at("not-billed").open;
    at("not-billed").open = true;
    fillNotBilled();
  },
  after() { at("not-billed").open = wasOpen; },
});
