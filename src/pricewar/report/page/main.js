// The report: one state, written out in words, charts and a table.
import {KINDS, number} from "../charts/shared.js";
import {gapChart} from "../charts/gap.js";
import {servedChart} from "../charts/served.js";
import {daysChart, modelsChart} from "../charts/load.js";
import {Speech, el, given} from "./say.js";
import {Frame, PRINT, behind, plainTable} from "./frame.js";
import {OfferTable, bill, currencyOf, kindMark, offerLabel, offerName} from "./bill.js";

const data = JSON.parse(document.getElementById("data").textContent);
const words = JSON.parse(document.getElementById("words").textContent);
const offers = data.offers ?? [];
const log = data.log ?? {};
const baseline = data.baseline ?? {};
const at = (id) => document.getElementById(id);
const TOKEN_METERS = ["input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "reasoning"];
const CHARTED_MODELS = 8;
const PRINTED_BILLS = 5;
const shell = new Frame(words, {language: document.documentElement.dataset.language, theme: "auto", kind: "", models: "all", search: "", order: "kinds", count: "20", sort: "rank", down: ""});
const state = shell.state;

let speech;
let table;
let fillNotBilled;

// ---------------------------------------------------------------- choosing

const searched = offers.map((o) => [o.id, o.vendor, o.plan, o.model].filter(Boolean).join(" ").toLowerCase());

function chosen() {
  const needles = state.search.toLowerCase().split(/\s+/).filter(Boolean);
  return offers.flatMap((offer, place) =>
    (!state.kind || offer.kind === state.kind)
    && (state.models === "all" || (state.models === "same" ? offer.exact === true : !offer.light))
    && needles.every((needle) => searched[place].includes(needle)) ? [place] : []);
}

function last(x) { return Number.isNaN(x) ? Infinity : x; }
function gapOf(offer) { return number(offer.per_mtok?.mid) - number(offer.headline_per_mtok); }

function charted(places) {
  const cheap = (a, b) => last(number(a.per_mtok?.mid)) - last(number(b.per_mtok?.mid));
  const known = places.map((place) => offers[place]).sort(state.order === "gap" ? (a, b) => last(-gapOf(a)) - last(-gapOf(b)) : cheap);
  if (state.count === "all") return known;
  const count = Number(state.count) || 20;
  if (state.order !== "kinds") return known.slice(0, count);
  // The cheapest of every kind, then the second of every kind, and so on: hundreds of list prices hide nothing.
  const taken = new Map();
  const turn = new Map(known.map((offer) => {
    taken.set(offer.kind, (taken.get(offer.kind) ?? 0) + 1);
    return [offer, taken.get(offer.kind)];
  }));
  return [...known].sort((a, b) => turn.get(a) - turn.get(b)).slice(0, count).sort(cheap);
}

// ---------------------------------------------------------------- the answer

const warned = (offer, key) => (offer.warnings ?? []).some((w) => w?.key === key);
const byTotal = (a, b) => last(number(a.total?.mid)) - last(number(b.total?.mid));
const billed = offers.filter((o) => !Number.isNaN(number(o.total?.mid))).sort((a, b) => last(number(a.rank)) - last(number(b.rank)) || byTotal(a, b));
const cheapest = billed[0];
// What is not published may cost: an offer is recommended without a word only where limits and prices are known.
const doubtful = (o) => warned(o, "unknown_limits") || (o.warnings ?? []).some((w) => w?.key === "unknown_value" && w.args?.what !== "retirement");
const surest = billed.find((o) => !doubtful(o));
const same = billed.find((o) => o.exact === true);
const looksFree = (o) => number(o.headline_per_mtok) === 0 && number(o.total.mid) > 0;
// The one that people would take for free and that mostly is not.
const MOSTLY = 0.9;
const seemsFree = billed.find((o) => o !== cheapest && looksFree(o) && !doubtful(o) && number(o.free_share) < MOSTLY)
  ?? billed.find((o) => o !== cheapest && looksFree(o));
const logDays = () => {
  const span = (new Date(log.last) - new Date(log.first)) / 864e5;
  return Math.max(1, log.days?.length && !(span >= 0) ? log.days.length : Math.ceil(span || 0));
};

function change(offer, less = "change.less", more = "change.more") {
  const before = number(baseline.total), after = number(offer.total?.mid);
  if (!(before > 0) || Number.isNaN(after) || baseline.complete === false) return "";
  const share = after / before - 1;
  return Math.abs(share) < 0.005 ? "" : speech.text(share < 0 ? less : more, {share: Math.abs(share)});
}

function strong(text) { return el("strong", {}, text); }

function between(value) {
  const spread = value?.low !== null && value?.high !== null && number(value?.low) !== number(value?.high);
  return spread ? speech.range(value.low, value.high, (v) => speech.money(v)) : "";
}

function priced(offer) {
  const spread = between(offer.total);
  return el("span", {}, strong(speech.money(offer.total.mid)), spread ? ` (${spread})` : "");
}

// The offer, and between brackets what a reader must know to compare it.
function introduced(offer) {
  return el("span", {}, offerName(offer), offer.light ? ` (${speech.word("head.light")})` : "");
}

function writeHeadline() {
  const sentences = [];
  const days = logDays();
  if (Number.isNaN(number(baseline.total))) sentences.push(speech.sentence("head.logged_none"));
  else sentences.push(speech.sentence(baseline.complete === false ? "head.logged_part" : "head.logged", {total: strong(speech.money(baseline.total)), days}));
  if (!cheapest) sentences.push(speech.sentence("head.no_offer"));
  else {
    sentences.push(speech.sentence("head.cheapest", {offer: introduced(cheapest), total: priced(cheapest), change: change(cheapest)}));
    if (cheapest !== surest) {
      sentences.push(speech.sentence("head.unknown_limits"));
      if (surest) sentences.push(speech.sentence("head.known_limits", {offer: introduced(surest), total: priced(surest)}));
    }
    if (looksFree(cheapest) && number(cheapest.free_share) < MOSTLY) {
      sentences.push(speech.sentence("head.cheapest_free", {share: cheapest.free_share}));
    } else if (seemsFree) {
      const share = seemsFree.free_share;
      const known = share !== null && share !== undefined;
      sentences.push(speech.sentence(known ? "head.free" : "head.free_unknown", {offer: offerName(seemsFree), share: share ?? 0, total: strong(speech.money(seemsFree.total.mid))}));
    }
  }
  if (offers.length) sentences.push([el("span", {class: "quiet"}, ...speech.sentence("head.cost_alone"))]);
  const space = state.language === "en" ? " " : "";
  at("headline").replaceChildren(...sentences.flatMap((sentence) => [...sentence, space]));
}

function figure(key, value, name, more) {
  return el("div", {class: "kpi"},
    el("dt", {}, speech.word(key)),
    el("dd", {}, el("span", {class: "value"}, value), name ? el("span", {class: "name"}, name) : null, more ? el("span", {class: "more"}, more) : null));
}

function offerFigure(key, offer) {
  if (!offer) return figure(key, "–", null, speech.word("kpi.none"));
  const difference = change(offer, "kpi.less", "kpi.more");
  return figure(key, speech.money(offer.total.mid), el("span", {}, kindMark(offer.kind), offerName(offer)), [between(offer.total), difference].filter(Boolean).join(" · "));
}

function writeFigures() {
  const perM = baseline.per_mtok === null || baseline.per_mtok === undefined ? null : speech.text("kpi.per_m", {price: baseline.per_mtok});
  at("figures").replaceChildren(
    figure("kpi.logged", speech.money(baseline.total), perM, null),
    offerFigure("kpi.cheapest", cheapest),
    ...(same ? [offerFigure("kpi.same", same)] : []),
    ...(seemsFree ? [offerFigure("kpi.free", seemsFree)] : []),
    ...(same && seemsFree ? [] : [countFigure()]));
}

function countFigure() {
  const missing = data.not_billed?.length ?? 0;
  return figure("kpi.offers", speech.count(offers.length), null, missing ? speech.text("kpi.not_billed", {n: missing}) : "");
}

// ---------------------------------------------------------------- tables behind the charts

const tabled = (headers, rows) => plainTable(speech, headers, rows);

// ---------------------------------------------------------------- charts

function widthOf(id) { return shell.width(at(id), id === "days" || id === "models" ? PRINT.half : PRINT.whole, 260); }

// What is neither free nor paid, of the same whole as these two.
function shareRefused(offer) {
  const rest = 1 - number(offer.free_share) - number(offer.paid_share);
  return Number.isNaN(rest) ? null : rest < 0.0005 ? 0 : rest;
}

function drawGap(places) {
  const list = charted(places);
  const compared = places.map((p) => offers[p]).filter((o) => !Number.isNaN(gapOf(o)));
  const dearer = compared.filter((o) => gapOf(o) > 0.005 * Math.max(number(o.headline_per_mtok), 1e-9));
  at("gap-title").textContent = speech.text("gap.title", {n: dearer.length, all: compared.length});
  const rows = list.map((offer) => ({offer, label: offerLabel(offer), kind: offer.kind, doubtful: doubtful(offer), headline: offer.headline_per_mtok, low: offer.per_mtok?.low, mid: offer.per_mtok?.mid, high: offer.per_mtok?.high}));
  const rate = (v) => speech.rate(v);
  at("gap").replaceChildren(list.length ? gapChart(Plot, d3, rows, {
    width: widthOf("gap"), rate, baseline: baseline.per_mtok,
    baselineLabel: speech.text("gap.baseline", {price: baseline.per_mtok ?? "0"}),
    freeWord: speech.word("free"), unknownWord: speech.word("unknown"),
    alt: speech.text("gap.alt", {n: list.length}),
    tip: ({offer}) => [offerLabel(offer), speech.word(`kind.${offer.kind}`, offer.kind),
      `${speech.word("col.headline")}: ${rate(offer.headline_per_mtok)}`,
      `${speech.word("col.effective")}: ${rate(offer.per_mtok?.mid)}`,
      `${speech.word("col.total")}: ${speech.money(offer.total?.mid)}`,
      ...(offer.bit ?? []).slice(0, 3).map((t) => `– ${speech.term(t, currencyOf(offer))}`)].join("\n"),
  }) : el("p", {class: "quiet"}, speech.word("filter.empty")));
  behind(at("gap-data"), () => tabled(
    [[speech.word("col.offer")], [speech.word("col.kind")], [speech.word("col.headline"), true], [speech.word("col.low"), true], [speech.word("col.effective"), true], [speech.word("col.high"), true]],
    list.map((o) => [offerName(o), speech.word(`kind.${o.kind}`, o.kind), rate(o.headline_per_mtok), rate(o.per_mtok?.low), rate(o.per_mtok?.mid), rate(o.per_mtok?.high)])));
}

function drawServed(places) {
  const fine = places.map((p) => offers[p]).filter((o) => o.bit?.length || o.refused?.length || number(o.free_share) > 0);
  const refusing = fine.filter((o) => shareRefused(o) > 0);
  at("served-title").textContent = speech.text("served.title", {n: refusing.length, all: fine.length});
  const list = charted(fine.map((o) => offers.indexOf(o)));
  const rows = list.map((o) => ({label: offerLabel(o), free: o.free_share, paid: o.paid_share, refused: shareRefused(o),
    terms: [...new Set([...(o.refused ?? []), ...(o.bit ?? [])].map((t) => speech.term(t, currencyOf(o))))]}));
  at("served").replaceChildren(list.length ? servedChart(Plot, d3, rows, {
    width: widthOf("served"), pct: (v) => speech.pct(v), unknownWord: speech.word("unknown"), alt: speech.text("served.alt", {n: list.length}),
  }) : el("p", {class: "quiet"}, speech.word("served.none")));
  behind(at("served-data"), () => tabled(
    [[speech.word("col.offer")], [speech.word("col.free"), true], [speech.word("col.paid"), true], [speech.word("col.refused"), true], [speech.word("col.bit")]],
    list.map((o, place) => [offerName(o), speech.pct(o.free_share), speech.pct(o.paid_share), speech.pct(shareRefused(o)), el("bdi", {}, rows[place].terms.join("; "))])));
}

function drawLoad() {
  const days = log.days ?? [];
  const models = (log.models ?? []).map((m) => ({...m, tokens: m.tokens ?? {}, label: [m.vendor, m.model].filter(Boolean).join(" · "),
    total: TOKEN_METERS.reduce((sum, meter) => sum + (number(m.tokens?.[meter]) || 0), 0)})).sort((a, b) => b.total - a.total);
  const tokens = models.reduce((sum, m) => sum + m.total, 0);
  at("load-title").replaceChildren(...(models.length ? speech.sentence("load.title", {requests: log.requests ?? 0, days: logDays(), share: tokens ? models[0].total / tokens : 0, model: given(models[0].model)}) : [speech.word("load.days")]));
  const short = (v) => speech.short(v);
  at("days").replaceChildren(daysChart(Plot, d3, days, {width: widthOf("days"), alt: speech.text("load.days_alt", {n: days.length}), count: short, day: (d) => speech.day(d)}));
  const shown = models.slice(0, CHARTED_MODELS);
  const used = TOKEN_METERS.filter((key) => models.some((m) => number(m.tokens[key]) > 0));
  const meters = used.map((key) => ({key, label: speech.word(`meter.${key}`)}));
  at("models").replaceChildren(modelsChart(Plot, d3, shown, {width: widthOf("models"), alt: speech.text("load.models_alt", {n: shown.length}), count: short, meters}));
  at("meters").replaceChildren(...meters.map(({key, label}) => el("li", {}, el("span", {class: `swatch m-${key.replaceAll("_", "-")}`}), label)));
  behind(at("days-data"), () => tabled([[speech.word("col.day")], [speech.word("col.requests"), true], [speech.word("col.tokens"), true]],
    days.map((d) => [speech.date(d.day), speech.count(d.requests), speech.count(d.tokens)])));
  behind(at("models-data"), () => tabled([[speech.word("col.model")], [speech.word("col.requests"), true], ...[...used, "search"].map((m) => [speech.word(`meter.${m}`), true])],
    models.map((m) => [given(m.label), speech.count(m.requests), ...[...used, "search"].map((meter) => speech.count(m.tokens[meter] ?? 0))])));
}

// ---------------------------------------------------------------- what it rests on

function writeMade() {
  const terms = data.terms === "replay" ? speech.word("terms.replay") : speech.text("terms.on", {on: data.terms ?? data.as_of ?? ""});
  at("meta").replaceChildren(...speech.sentence("meta", {source: given((log.source ?? []).join(", ")), terms, as_of: data.as_of ?? ""}));

  const assume = data.assumptions ?? {};
  const triples = ["tokens", "verbosity", "cache"].filter((key) => Array.isArray(assume[key]));
  at("assumptions").replaceChildren(
    triples.length ? tabled([[""], ...["low", "mid", "high"].map((k) => [speech.word(`assume.${k}`), true])],
      triples.map((key) => [speech.word(`assume.${key}`), ...[0, 1, 2].map((place) => speech.count(assume[key][place]))])) : "",
    el("ul", {lang: "en"}, (assume.text ?? []).map((text) => el("li", {}, el("bdi", {}, String(text))))));

  const left = log.exclusions ?? [];
  const count = left.reduce((sum, e) => sum + (number(e.count) || 0), 0);
  at("exclusions").replaceChildren(
    el("p", {}, count ? speech.text("made.rows", {rows: log.rows ?? 0, rows_in: log.rows_in ?? 0, n: count}) : speech.text("made.exclusions_none", {n: log.rows ?? 0})),
    left.length ? tabled([[speech.word("made.cause")], [speech.word("made.count"), true], [speech.word("made.examples")]],
      left.map((e) => [el("bdi", {lang: "en"}, String(e.cause ?? "")), speech.count(e.count), given((e.examples ?? []).join(", "))])) : "",
    el("ul", {lang: "en"}, (log.notes ?? []).map((text) => el("li", {}, el("bdi", {}, String(text))))));

  const outside = data.not_billed ?? [];
  at("not-billed-block").hidden = !outside.length;
  at("not-billed-count").textContent = speech.text("made.not_billed_n", {n: outside.length});
  fillNotBilled = behind(at("not-billed"), () => tabled([[speech.word("col.offer")], [speech.word("made.why")]], outside.map((o) => [given(o.id), el("bdi", {}, speech.term(o.why))])));

  const missing = (baseline.missing ?? []).map((m) => (typeof m === "string" ? m : [m?.vendor, m?.model].filter(Boolean).join("/")));
  at("baseline").replaceChildren(
    tabled([[speech.word("col.model")], [speech.word("col.offer")], [speech.word("bill.amount"), true]],
      (baseline.models ?? []).map((m) => [given([m.vendor, m.model].filter(Boolean).join(" · ")), given(m.offer ?? speech.word("unknown")), speech.money(m.total)])),
    missing.length ? el("p", {class: "flag"}, el("bdi", {}, speech.text("made.missing", {names: missing.join(", ")}))) : "");

  at("how").replaceChildren(
    el("p", {}, el("bdi", {}, speech.text("made.version", {version: data.pricewar ?? "?", made: data.made ?? "", as_of: data.as_of ?? "", format: log.format ?? "?"}))),
    log.bucket_seconds ? el("p", {}, speech.text("made.bucket", {seconds: log.bucket_seconds})) : "",
    el("p", {}, speech.word("made.private")),
    el("h4", {}, speech.word("made.again")),
    el("pre", {class: "scroll", tabindex: "0"}, el("code", {}, String(data.command ?? ""))));
}

function writeTop() {
  const top = billed.slice(0, PRINTED_BILLS);
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
  const kinds = [...new Set(offers.map((o) => String(o.kind)))].sort((a, b) => order(a) - order(b));
  options(at("kind"), [["", speech.word("filter.all")], ...kinds.map((kind) => [kind, speech.word(`kind.${kind}`, kind)])], state.kind);
  options(at("models-of"), ["all", "same", "full"].map((key) => [key, speech.word(`filter.class.${key}`)]), state.models);
  options(at("order"), ["kinds", "cheap", "gap"].map((key) => [key, speech.word(`filter.order.${key}`)]), state.order);
  options(at("count"), [...["10", "20", "40", "80"].map((n) => [n, n]), ["all", speech.word("filter.count.all")]], state.count);
  at("search").value = state.search;
  at("search").placeholder = speech.word("filter.placeholder");
  at("legend").replaceChildren(...kinds.map((kind) => el("li", {}, kindMark(kind), el("bdi", {}, speech.word(`kind.${kind}`, kind)))), ...(offers.some(doubtful) ? [el("li", {}, el("b", {}, "? "), speech.word("gap.doubtful"))] : []), el("li", {class: "axis"}, speech.text("gap.axis", {currency: data.currency ?? ""})));
  at("parts").replaceChildren(...["free", "paid", "refused"].map((part) => el("li", {}, el("span", {class: `swatch s-${part}`}), speech.word(`served.${part}`))));
}

function order(kind) {
  const place = Object.keys(KINDS).indexOf(kind);
  return place < 0 ? 99 : place;
}

// ---------------------------------------------------------------- one state, written out

function showOffers() {
  const places = chosen();
  at("matches").textContent = speech.text("filter.matches", {n: places.length, all: offers.length});
  drawGap(places);
  drawServed(places);
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
  writeControls();
  writeHeadline();
  writeFigures();
  table.speak(speech);
  showOffers();
  drawLoad();
  writeMade();
  writeTop();
}

function redraw() {
  table.widen();
  const places = chosen();
  drawGap(places);
  drawServed(places);
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
  showTable(chosen());
});
for (const [id, key] of [["kind", "kind"], ["models-of", "models"], ["order", "order"], ["count", "count"]]) listen(id, key, "change", showOffers);
at("show-all").addEventListener("click", () => {
  table.whole = true;
  showTable(chosen());
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
