// The page of advice: one document of figures, written out in words, charts and tables.
import {labelledAt, versusChart, strategiesChart, occupancyChart, leavingChart, causesChart, freeChart} from "../charts/advice.js";
import {Speech, el, given} from "./say.js";
import {Frame, PRINT, behind, kpi, plainTable} from "./frame.js";

const data = JSON.parse(document.getElementById("data").textContent);
const words = JSON.parse(document.getElementById("words").textContent);
const at = (id) => document.getElementById(id);
const OFFERS = 5; // told apart by colour; the rest are one
const shell = new Frame(words, {language: document.documentElement.dataset.language, theme: "auto"});
const byOffer = new Map(data.candidates.map((c) => [c.offer, c]));

let speech;

// ---------------------------------------------------------------- words

// A sentence of the data: a key with its arguments, which may be sentences themselves; or text as it came.
function told(row) {
  if (typeof row === "string") return row;
  if (Array.isArray(row)) return row.map(told).join(speech.word("list.comma"));
  if (row.key.startsWith("term.")) return speech.term({...row, key: row.key.slice(5)});
  const args = Object.fromEntries(Object.entries(row.args ?? {}).map(([name, value]) => [name, value !== null && typeof value === "object" ? told(value) : value]));
  return speech.has(row.key) ? speech.text(row.key, args) : row.text ?? row.key;
}

// Amounts in sentences are written as in tables, not in thousands.
class Adviser extends Speech {
  written(value, how, args) { return how === "sum" ? sum(value) : super.written(value, how, args); }

  // With the terminal's digits.
  pct(value) {
    const share = Number(value);
    const close = share > 0 && share < 0.01 || share > 0.99 && share < 1;
    return minus(this.number(value, {style: "percent", maximumFractionDigits: close ? 1 : 0}));
  }
}

function minus(text) { return text.replace("-", "−"); }

// Money as short as its size allows.
function sum(value) {
  const size = Math.abs(value);
  const digits = size >= 100 || size < 0.005 ? {maximumFractionDigits: 0} : {minimumFractionDigits: 2, maximumFractionDigits: 2};
  return minus(speech.cash(Math.abs(value) < 0.005 ? 0 : value, data.currency, digits));
}

function signed(value) { return (value > 0 ? "+" : "") + sum(value); }

function spread(e) { return speech.range(e.p5, e.p95, sum); }

function outcome(key) { return data.outcomes.find((o) => o.key === key); }

function named_(c) { return c.kind === "list" ? c.offer : `${c.offer} (${c.kind})`; }

function worth(key, name) {
  const found = data[name];
  if (!found) return kpi(speech.word(key), "–", speech.word("kpi.none"));
  return kpi(speech.word(key), signed(found.amount.mean), speech.text("kpi.worth", {low: found.amount.low, high: found.amount.high}));
}

function writeKpis() {
  const best = outcome(data.recommended);
  at("figures").replaceChildren(
    kpi(speech.text("kpi.cost", {months: data.months}), sum(best.cost.mean), spread(best.cost)),
    kpi(speech.word("kpi.dearer"), speech.pct(data.dearer.share), speech.text("kpi.dearer_more", {dearest: data.dearest.share})),
    kpi(speech.word("kpi.lock_in"), sum(data.lock_in.amount.mean), speech.text("kpi.worth", {low: data.lock_in.amount.low, high: data.lock_in.amount.high})),
    data.second_vendor ? worth("kpi.second", "second_vendor") : worth("kpi.portability", "portability"));
}

// ---------------------------------------------------------------- tables

const table = (headers, rows) => plainTable(speech, headers, rows);

function heads(...names) {
  return names.map((name) => (name.startsWith("-") ? [speech.word(`col.${name.slice(1)}`)] : [speech.word(`col.${name}`), true]));
}

// ---------------------------------------------------------------- charts

function widthOf(id, half = false) { return shell.width(at(id), half ? PRINT.half : PRINT.whole); }

function headed(id, title, note) {
  at(`${id}-title`).textContent = title;
  at(`${id}-note`).textContent = note ?? "";
  return speech.text("chart.alt", {title});
}

function drawVersus() {
  const pair = data.versus;
  const more = pair ? byOffer.get(pair.free).staying.mean - byOffer.get(pair.paid).staying.mean : 0;
  const title = pair ? speech.text(more > 0 ? "versus.more" : "versus.less", {amount: Math.abs(more)}) : speech.word("versus.title");
  const alt = headed("versus", title, speech.word(pair ? "versus.note" : "versus.none"));
  at("versus-data").hidden = !pair;
  at("tale").replaceChildren(...data.tale.map((row) => el("li", {}, told(row))));
  if (!pair) return;
  const lines = [["free", "var(--gift)", "6 3"], ["paid", "var(--best)", null]].map(([side, color, dash]) => ({
    label: speech.text(`versus.${side}`, {offer: pair[side]}), color, dash, ...byOffer.get(pair[side]).by_month,
  }));
  const legend = el("ul", {class: "legend"}, lines.map((line, i) => el("li", {}, el("span", {class: `swatch o-${i ? 0 : 1}`}), line.label)));
  const width = widthOf("versus");
  const chart = versusChart(Plot, d3, lines, {width, months: data.months, write: sum, alt});
  at("versus").replaceChildren(...(labelledAt(lines, width) ? [chart] : [legend, chart]));
  behind(at("versus-data"), () => table([[speech.word("col.month"), true], ...lines.flatMap((line) => [[line.label, true], [speech.word("col.between"), true]])],
    d3.range(data.months).map((t) => [String(t + 1), ...lines.flatMap((line) => [sum(line.p50[t]), speech.range(line.p5[t], line.p95[t], sum)])])));
}

function ranked() { return [...data.outcomes].sort((a, b) => a.benchmark - b.benchmark || a.cost.mean - b.cost.mean); }

function strategyName(o) { return speech.word(`strategy.${o.key}`, o.title); }

function drawStrategies() {
  const title = speech.word("strategies.title");
  const alt = headed("strategies", title, speech.text("strategies.note", {months: data.months}));
  const rows = ranked().map((o) => ({label: strategyName(o), mean: o.cost.mean, p5: o.cost.p5, p95: o.cost.p95, tail: o.cost.tail, best: o.key === data.recommended, bound: o.benchmark}));
  at("strategies").replaceChildren(strategiesChart(Plot, d3, rows, {width: widthOf("strategies"), write: sum, alt}));
  const paying = data.outcomes.some((o) => o.never);
  behind(at("strategies-data"), () => table(
    [...heads("-strategy", "-offer", "cost", "error", "between", "tail", "refused", "moves"), ...(paying ? heads("roi", "break_even") : []), ...heads("against")],
    ranked().map((o) => ({look: o.key === data.recommended ? "best" : o.benchmark ? "bound" : null, cells: [
      strategyName(o), o.offers.map((name, i) => [i ? " + " : "", given(name)]), sum(o.cost.mean), speech.range(o.cost.low, o.cost.high, sum), spread(o.cost), sum(o.cost.tail),
      speech.pct(o.unserved), speech.number(o.switches, {maximumFractionDigits: 1}),
      ...(paying ? [o.roi ? speech.pct(o.roi.mean) : "–", o.break_even ? speech.text("month.n", {month: o.break_even}) : "–"] : []),
      o.key === data.recommended ? "" : signed(o.against.mean)]}))));
}

function drawPlan() {
  const plan = data.plan;
  at("plan-begin").textContent = speech.text("plan.begin", {offer: plan.begin, agreed: plan.agreed});
  at("plan-triggers").replaceChildren(table([[speech.word("plan.when")], [speech.word("plan.then")]], data.triggers.map((pair) => pair.map(told))));
  at("plan-looks").replaceChildren(...data.looks.map((look) => el("li", {}, `${speech.date(look.day)}: ${told(look.said)}`)));
  const used = Object.entries(plan.occupancy).map(([offer, shares]) => ({offer, shares, total: d3.sum(shares)})).sort((a, b) => b.total - a.total);
  const bands = used.slice(0, OFFERS).map((u, place) => ({label: u.offer, place, shares: u.shares}));
  if (used.length > OFFERS) {
    bands.push({label: speech.word("out.other"), place: OFFERS, shares: d3.range(data.months).map((t) => d3.sum(used.slice(OFFERS), (u) => u.shares[t]))});
  }
  // Two vendors side by side fill every month each.
  const height = Math.max(...d3.range(data.months).map((t) => d3.sum(bands, (b) => b.shares[t])), 1);
  const scaled = bands.map((b) => ({...b, shares: b.shares.map((s) => s / height)}));
  at("occupancy-legend").replaceChildren(...bands.map((b) => el("li", {}, el("span", {class: `swatch o-${b.place}`}), given(b.label))));
  at("occupancy").replaceChildren(occupancyChart(Plot, d3, scaled, {width: widthOf("occupancy"), months: data.months, pct: (v) => speech.pct(v), alt: speech.text("chart.alt", {title: speech.word("plan.occupancy")})}));
  behind(at("occupancy-data"), () => table([[speech.word("col.offer")], ...d3.range(0, data.months, 3).map((t) => [String(t + 1), true])],
    used.map((u) => [given(u.offer), ...d3.range(0, data.months, 3).map((t) => speech.pct(u.shares[t]))])));
}

function after(r) { return r.months ? speech.text("leaving.months", {months: r.months}) : speech.word("leaving.at_once"); }

function rising(r) { return r.share === null ? speech.text("leaving.rise_free", r) : speech.text("leaving.rise", r); }

function drawLeaving() {
  const title = speech.text("leaving.title", {offer: data.plan.begin.split(" + ")[0]});
  const alt = headed("leaving", title, speech.word("leaving.note"));
  const rows = data.plan.rises.map((r) => ({label: after(r), value: r.leaving, more: rising(r), short: speech.text("leaving.rise_free", r)}));
  if (!rows.length) { at("leaving").replaceChildren(speech.word("none")); return; }
  at("leaving").replaceChildren(leavingChart(Plot, d3, rows, {width: widthOf("leaving", true), write: sum, alt}));
  behind(at("leaving-data"), () => el("div", {},
    table(heads("-month", "leaving", "rise", "-to"), data.plan.rises.map((r) => [after(r), sum(r.leaving), rising(r), given(r.to)])),
    table(heads("-cause", "amount", "error", "between"), ["lock_in", "portability", "second_vendor", "regret"].filter((k) => data[k]).map((k) => {
      const e = k === "regret" ? data.regret : data[k].amount;
      return [speech.word(`worth.${k}`), sum(e.mean), speech.range(e.low, e.high, sum), spread(e)];
    }))));
}

function drawCauses() {
  const mine = data.accounts.find((a) => a.key === data.recommended) ?? data.accounts[0];
  const alt = headed("causes", `${speech.word("causes.title")}: ${speech.word(`strategy.${mine.key}`, mine.strategy)}`, speech.word("causes.note"));
  let so = mine.base;
  const rows = [{label: speech.word("causes.base"), from: 0, to: mine.base, total: true}];
  for (const cause of mine.causes) {
    rows.push({label: speech.word(`cause.${cause.key}`, cause.words), from: so, to: so + cause.amount});
    so += cause.amount;
  }
  rows.push({label: speech.word("causes.total"), from: 0, to: mine.total, total: true});
  at("causes").replaceChildren(causesChart(Plot, d3, rows, {width: widthOf("causes", true), write: sum, signed, alt}));
  behind(at("causes-data"), () => table([[speech.word("col.cause")], ...data.accounts.map((a) => [speech.word(`strategy.${a.key}`, a.strategy), true])], [
    [speech.word("causes.base"), ...data.accounts.map((a) => sum(a.base))],
    ...mine.causes.map((c) => [speech.word(`cause.${c.key}`, c.words), ...data.accounts.map((a) => signed(a.causes.find((b) => b.key === c.key).amount))]),
    [speech.word("causes.total"), ...data.accounts.map((a) => sum(a.total))]]));
}

function drawFree() {
  const alt = headed("free", speech.text("free.title", {until: data.until}), speech.word(data.reliance.length ? "free.note" : "free.none"));
  at("free-data").hidden = !data.reliance.length;
  if (!data.reliance.length) return;
  // An offer that stands but serves hardly any of the work is none to rely on.
  const served = (c) => `, ${speech.word("col.served")} ${speech.pct(c.served)}`;
  const rows = data.reliance.map((r) => ({label: named_(byOffer.get(r.offer)), ending: served(byOffer.get(r.offer)), stands: r.stands.share, asNow: r.as_now.share}));
  at("free").replaceChildren(freeChart(Plot, d3, rows, {width: widthOf("free"), pct: (v) => speech.pct(v), alt}));
  const chance = (s) => `${speech.pct(s.share)} (${speech.range(s.low, s.high, (v) => speech.pct(v))})`;
  behind(at("free-data"), () => table(heads("-offer", "served", "stands", "as_now", "half", "-then", "kept", "dearest"), data.reliance.map((r) => {
    const c = byOffer.get(r.offer);
    return [given(r.offer), speech.pct(c.served), chance(r.stands), chance(r.as_now), r.end ? speech.date(r.end) : "–", r.then ? given(r.then) : "–", sum(c.staying.mean), speech.pct(c.dearest.share)];
  })));
}

// ---------------------------------------------------------------- offers, assumptions

function quality(c) {
  const text = speech.word(`quality.${c.verdict ?? "unasked"}`, c.verdict ?? "");
  return c.verdict === "undecided" ? el("span", {class: "doubt", title: c.reasons.map(told).join(" ")}, text) : text;
}

// What stands beside an offer's name.
function marks(c) {
  const found = c.ends ? [speech.text("offers.ends", {day: c.ends})] : [];
  return c.unpublished.length ? [...found, told({key: "offers.unpublished", args: {what: c.unpublished.map((key) => ({key: `unpublished.${key}`}))}})] : found;
}

function kindOut(e) { return `out.${e.key || "other"}`; }

function writeOffers() {
  at("offers-note").textContent = speech.text("offers.note", {months: data.months});
  const sorted = [...data.candidates].sort((a, b) => a.staying.mean - b.staying.mean);
  at("offers").replaceChildren(table(heads("-offer", "today", "served", "kept", "between", "tail", "dearest", "-quality"), sorted.map((c) => [
    el("span", {}, given(named_(c)), marks(c).map((mark) => el("small", {class: "muted"}, ` · ${mark}`))), sum(c.today + c.refused), speech.pct(c.served), sum(c.staying.mean), spread(c.staying), sum(c.staying.tail), speech.pct(c.dearest.share), quality(c)])));
  behind(at("offers-data"), () => table(heads("-offer", "-why"), sorted.map((c) => [given(c.offer), [...c.terms.map((term) => speech.term(term)), ...c.reasons.map(told)].join(speech.word("list.comma"))])));
  const counts = d3.rollups(data.left_out, (rows) => rows.length, kindOut);
  if (data.dearer_left_out.length) counts.push(["out.dearer", data.dearer_left_out.length]);
  counts.sort((a, b) => b[1] - a[1]);
  at("out-summary").textContent = speech.text("out.summary", {taken: data.candidates.length, considered: data.considered});
  at("out").replaceChildren(table(heads("-why", "count"), counts.map(([key, n]) => [speech.word(key), speech.count(n)])));
  behind(at("out-all"), () => table(heads("-offer", "-why"), [
    ...data.left_out.map((e) => [given(e.offer), shell.state.language === "en" ? e.why : el("span", {title: e.why}, e.key ? speech.word(kindOut(e), e.why) : el("span", {lang: "en"}, e.why))]), ...data.dearer_left_out.map((id) => [given(id), speech.word("out.dearer")])]));
  const skipped = data.skipped.map((s) => el("li", {}, `${speech.word(`strategy.${s.offer}`)}: ${speech.word(`skipped.${s.key}`, s.why)}`));
  at("skipped").replaceChildren(...(skipped.length ? [el("h3", {}, speech.word("skipped.title")), el("ul", {class: "looks"}, skipped)] : []));
}

function writeMade() {
  at("meta").textContent = speech.text("meta", {log: data.log.source, requests: data.workload.requests_a_month, months: data.months, start: data.start, draws: data.draws, source: told(data.source)});
  at("made").replaceChildren(...[
    el("p", {}, speech.text("made.futures", {fitted: data.fitted, judged: data.judged})),
    el("p", {}, speech.text("made.error", {cost: data.workload.error_cost, refused: data.workload.error_refused})),
    data.market ? null : el("p", {}, speech.word("made.record")),
    data.evidence ? el("ul", {lang: "en", class: "looks"}, [`${data.evidence.sources.join(", ")}: ${data.evidence.used} / ${data.evidence.rows}`, ...data.evidence.unknown, ...data.evidence.exclusions.map((e) => `${e.count} × ${e.cause}`)].map((text) => el("li", {}, text))) : null,
    el("ul", {class: "looks"}, data.notes.map((note) => (typeof note === "string" ? el("li", {lang: "en"}, note) : el("li", {}, told(note))))),
    el("p", {}, speech.text("made.version", {version: data.pricewar, made: data.made, seconds: data.seconds, seed: data.seed})),
    el("h4", {}, speech.word("made.again")), el("pre", {class: "scroll", tabindex: "0"}, el("code", {}, data.command))].filter(Boolean));
  at("assumptions").querySelector(".inside").replaceChildren(el("p", {class: "quiet"}, speech.word("assumptions.note")),
    table(heads("-key", "value", "-unit", "-why"), data.assumptions.map((a) => ({look: a.given ? "best" : null, cells: [given(a.key), a.value, el("span", {lang: "en"}, a.unit), a.given ? speech.word("assumptions.given") : el("span", {lang: "en"}, a.why)]}))));
}

// ---------------------------------------------------------------- one state, written out

function draw() {
  drawVersus();
  drawStrategies();
  drawPlan();
  drawLeaving();
  drawCauses();
  drawFree();
}

function showAll() {
  speech = new Adviser(words, shell.state.language, data.currency);
  shell.write(speech);
  at("story").replaceChildren(...data.story.map((row) => el("li", {}, told(row))));
  writeKpis();
  draw();
  writeOffers();
  writeMade();
}

shell.begin({show: showAll, draw, watched: at("strategies")});
