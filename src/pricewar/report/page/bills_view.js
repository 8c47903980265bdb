// A log on many offers: what is said, drawn and tabled of it, for the report and for the desk alike.
import {KINDS, number} from "../charts/shared.js";
import {gapChart} from "../charts/gap.js";
import {servedChart} from "../charts/served.js";
import {daysChart, modelsChart} from "../charts/load.js";
import {el, given} from "./say.js";
import {currencyOf, kindMark, offerLabel, offerName} from "./bill.js";

const TOKEN_METERS = ["input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "reasoning"];
const CHARTED_MODELS = 8;
const MOSTLY = 0.9; // an offer of which less is free than this, and that looks free, seems free

const endless = (x) => (Number.isNaN(x) ? Infinity : x);
const gapOf = (offer) => number(offer.per_mtok?.mid) - number(offer.headline_per_mtok);
const warned = (offer, key) => (offer.warnings ?? []).some((w) => w?.key === key);
const looksFree = (o) => number(o.headline_per_mtok) === 0 && number(o.total.mid) > 0;
const strong = (text) => el("strong", {}, text);

// What is not published may cost: an offer is recommended without a word only where limits and prices are known.
function doubtful(o) { return warned(o, "unknown_limits") || (o.warnings ?? []).some((w) => w?.key === "unknown_value" && w.args?.what !== "retirement"); }

// What is neither free nor paid, of the same whole as these two.
function shareRefused(offer) {
  const rest = 1 - number(offer.free_share) - number(offer.paid_share);
  return Number.isNaN(rest) ? null : rest < 0.0005 ? 0 : rest;
}

function placeOfKind(kind) {
  const place = Object.keys(KINDS).indexOf(kind);
  return place < 0 ? 99 : place;
}

// Each picture is {title, note, draw(width) → node, sheet() → {headers: [{title, numeric, write}], rows: [[raw value, …]]}}.
export class BillView {
  constructor(data, speech) {
    this.data = data;
    this.speech = speech;
    this.offers = data.offers ?? [];
    this.log = data.log ?? {};
    this.baseline = data.baseline ?? {};
    this.searched = this.offers.map((o) => [o.id, o.vendor, o.plan, o.model].filter(Boolean).join(" ").toLowerCase());
    const byTotal = (a, b) => endless(number(a.total?.mid)) - endless(number(b.total?.mid));
    this.billed = this.offers.filter((o) => !Number.isNaN(number(o.total?.mid))).sort((a, b) => endless(number(a.rank)) - endless(number(b.rank)) || byTotal(a, b));
    this.cheapest = this.billed[0];
    this.surest = this.billed.find((o) => !doubtful(o));
    this.same = this.billed.find((o) => o.exact === true);
    // The one that people would take for free and that mostly is not.
    this.seemsFree = this.billed.find((o) => o !== this.cheapest && looksFree(o) && !doubtful(o) && number(o.free_share) < MOSTLY)
      ?? this.billed.find((o) => o !== this.cheapest && looksFree(o));
  }

  get kinds() { return [...new Set(this.offers.map((o) => String(o.kind)))].sort((a, b) => placeOfKind(a) - placeOfKind(b)); }

  get vendors() { return [...new Set(this.offers.map((o) => String(o.vendor ?? "")))].filter(Boolean).sort(); }

  get anyDoubt() { return this.offers.some(doubtful); }

  // ---------------------------------------------------------------- choosing

  // Places of the offers that a choice {kind, vendor, models, search} leaves.
  chosen({kind = "", vendor = "", models = "all", search = ""}) {
    const needles = search.toLowerCase().split(/\s+/).filter(Boolean);
    return this.offers.flatMap((offer, place) =>
      (!kind || offer.kind === kind)
      && (!vendor || offer.vendor === vendor)
      && (models === "all" || (models === "same" ? offer.exact === true : !offer.light))
      && needles.every((needle) => this.searched[place].includes(needle)) ? [place] : []);
  }

  // Those of them that a chart shows, by {order, count}.
  charted(places, {order = "kinds", count: most = "20"}) {
    const cheap = (a, b) => endless(number(a.per_mtok?.mid)) - endless(number(b.per_mtok?.mid));
    const known = places.map((place) => this.offers[place]).sort(order === "gap" ? (a, b) => endless(-gapOf(a)) - endless(-gapOf(b)) : cheap);
    if (most === "all") return known;
    const count = Number(most) || 20;
    if (order !== "kinds") return known.slice(0, count);
    // The cheapest of every kind, then the second of every kind, and so on: hundreds of list prices hide nothing.
    const taken = new Map();
    const turn = new Map(known.map((offer) => {
      taken.set(offer.kind, (taken.get(offer.kind) ?? 0) + 1);
      return [offer, taken.get(offer.kind)];
    }));
    return [...known].sort((a, b) => turn.get(a) - turn.get(b)).slice(0, count).sort(cheap);
  }

  // ---------------------------------------------------------------- the answer

  get days() {
    const span = (new Date(this.log.last) - new Date(this.log.first)) / 864e5;
    return Math.max(1, this.log.days?.length && !(span >= 0) ? this.log.days.length : Math.ceil(span || 0));
  }

  change(offer, less = "change.less", more = "change.more") {
    const before = number(this.baseline.total), after = number(offer.total?.mid);
    if (!(before > 0) || Number.isNaN(after) || this.baseline.complete === false) return "";
    const share = after / before - 1;
    return Math.abs(share) < 0.005 ? "" : this.speech.text(share < 0 ? less : more, {share: Math.abs(share)});
  }

  between(value) {
    const spread = value?.low !== null && value?.high !== null && number(value?.low) !== number(value?.high);
    return spread ? this.speech.range(value.low, value.high, (v) => this.speech.money(v)) : "";
  }

  priced(offer) {
    const spread = this.between(offer.total);
    return el("span", {}, strong(this.speech.money(offer.total.mid)), spread ? ` (${spread})` : "");
  }

  // The offer, and between brackets what a reader must know to compare it.
  introduced(offer) { return el("span", {}, offerName(offer), offer.light ? ` (${this.speech.word("head.light")})` : ""); }

  headline() {
    const {speech, baseline, cheapest, surest, seemsFree} = this;
    const sentences = [];
    if (Number.isNaN(number(baseline.total))) sentences.push(speech.sentence("head.logged_none"));
    else sentences.push(speech.sentence(baseline.complete === false ? "head.logged_part" : "head.logged", {total: strong(speech.money(baseline.total)), days: this.days}));
    if (!cheapest) sentences.push(speech.sentence("head.no_offer"));
    else {
      sentences.push(speech.sentence("head.cheapest", {offer: this.introduced(cheapest), total: this.priced(cheapest), change: this.change(cheapest)}));
      if (cheapest !== surest) {
        sentences.push(speech.sentence("head.unknown_limits"));
        if (surest) sentences.push(speech.sentence("head.known_limits", {offer: this.introduced(surest), total: this.priced(surest)}));
      }
      if (looksFree(cheapest) && number(cheapest.free_share) < MOSTLY) {
        sentences.push(speech.sentence("head.cheapest_free", {share: cheapest.free_share}));
      } else if (seemsFree) {
        const share = seemsFree.free_share;
        const known = share !== null && share !== undefined;
        sentences.push(speech.sentence(known ? "head.free" : "head.free_unknown", {offer: offerName(seemsFree), share: share ?? 0, total: strong(speech.money(seemsFree.total.mid))}));
      }
    }
    if (this.offers.length) sentences.push([el("span", {class: "quiet"}, ...speech.sentence("head.cost_alone"))]);
    const space = speech.language === "en" ? " " : "";
    return sentences.flatMap((sentence) => [...sentence, space]);
  }

  // Key figures; name(offer): how an offer is named, a button perhaps.
  figures(name = offerName) {
    const {speech, baseline, same, seemsFree} = this;
    const figure = (key, value, whose, more) => el("div", {class: "kpi"}, el("dt", {}, speech.word(key)),
      el("dd", {}, el("span", {class: "value"}, value), whose ? el("span", {class: "name"}, whose) : null, more ? el("span", {class: "more"}, more) : null));
    const of = (key, offer) => {
      if (!offer) return figure(key, "–", null, speech.word("kpi.none"));
      const difference = this.change(offer, "kpi.less", "kpi.more");
      return figure(key, speech.money(offer.total.mid), el("span", {}, kindMark(offer.kind), name(offer)), [this.between(offer.total), difference].filter(Boolean).join(" · "));
    };
    const perM = baseline.per_mtok === null || baseline.per_mtok === undefined ? null : speech.text("kpi.per_m", {price: baseline.per_mtok});
    const missing = this.data.not_billed?.length ?? 0;
    return [
      figure("kpi.logged", speech.money(baseline.total), perM, null),
      of("kpi.cheapest", this.cheapest),
      ...(same ? [of("kpi.same", same)] : []),
      ...(seemsFree ? [of("kpi.free", seemsFree)] : []),
      ...(same && seemsFree ? [] : [figure("kpi.offers", speech.count(this.offers.length), null, missing ? speech.text("kpi.not_billed", {n: missing}) : "")])];
  }

  // ---------------------------------------------------------------- charts, and the tables behind them

  column(key, numeric = false, write = null) { return {title: this.speech.word(key), numeric, write}; }

  gap(places, choice) {
    const {speech, baseline} = this;
    const list = this.charted(places, choice);
    const compared = places.map((p) => this.offers[p]).filter((o) => !Number.isNaN(gapOf(o)));
    const dearer = compared.filter((o) => gapOf(o) > 0.005 * Math.max(number(o.headline_per_mtok), 1e-9));
    const rows = list.map((offer) => ({offer, label: offerLabel(offer), kind: offer.kind, doubtful: doubtful(offer), headline: offer.headline_per_mtok, low: offer.per_mtok?.low, mid: offer.per_mtok?.mid, high: offer.per_mtok?.high}));
    const rate = (v) => speech.rate(v);
    return {
      title: speech.text("gap.title", {n: dearer.length, all: compared.length}),
      note: speech.word("gap.note"),
      draw: (width) => (list.length ? gapChart(Plot, d3, rows, {
        width, rate, baseline: baseline.per_mtok,
        baselineLabel: speech.text("gap.baseline", {price: baseline.per_mtok ?? "0"}),
        freeWord: speech.word("free"), unknownWord: speech.word("unknown"),
        alt: speech.text("gap.alt", {n: list.length}),
        tip: ({offer}) => [offerLabel(offer), speech.word(`kind.${offer.kind}`, offer.kind),
          `${speech.word("col.headline")}: ${rate(offer.headline_per_mtok)}`,
          `${speech.word("col.effective")}: ${rate(offer.per_mtok?.mid)}`,
          `${speech.word("col.total")}: ${speech.money(offer.total?.mid)}`,
          ...(offer.bit ?? []).slice(0, 3).map((t) => `– ${speech.term(t, currencyOf(offer))}`)].join("\n"),
      }) : el("p", {class: "quiet"}, speech.word("filter.empty"))),
      sheet: () => ({
        headers: [this.column("col.offer"), this.column("col.kind"), this.column("col.headline", true, rate), this.column("col.low", true, rate), this.column("col.effective", true, rate), this.column("col.high", true, rate)],
        rows: list.map((o) => [offerLabel(o), speech.word(`kind.${o.kind}`, o.kind), o.headline_per_mtok, o.per_mtok?.low, o.per_mtok?.mid, o.per_mtok?.high]),
      }),
    };
  }

  served(places, choice) {
    const {speech} = this;
    const fine = places.filter((p) => { const o = this.offers[p]; return o.bit?.length || o.refused?.length || number(o.free_share) > 0; });
    const refusing = fine.filter((p) => shareRefused(this.offers[p]) > 0);
    const list = this.charted(fine, choice);
    const rows = list.map((o) => ({label: offerLabel(o), free: o.free_share, paid: o.paid_share, refused: shareRefused(o),
      terms: [...new Set([...(o.refused ?? []), ...(o.bit ?? [])].map((t) => speech.term(t, currencyOf(o))))]}));
    const pct = (v) => speech.pct(v);
    return {
      title: speech.text("served.title", {n: refusing.length, all: fine.length}),
      note: speech.word("served.note"),
      draw: (width) => (list.length ? servedChart(Plot, d3, rows, {width, pct, unknownWord: speech.word("unknown"), alt: speech.text("served.alt", {n: list.length})})
        : el("p", {class: "quiet"}, speech.word("served.none"))),
      sheet: () => ({
        headers: [this.column("col.offer"), this.column("col.free", true, pct), this.column("col.paid", true, pct), this.column("col.refused", true, pct), this.column("col.bit")],
        rows: rows.map((row) => [row.label, row.free, row.paid, row.refused, row.terms.join("; ")]),
      }),
    };
  }

  // The log: {title: nodes, days, models, meters}, the last for a legend.
  load() {
    const {speech, log} = this;
    const days = log.days ?? [];
    const models = (log.models ?? []).map((m) => ({...m, tokens: m.tokens ?? {}, label: [m.vendor, m.model].filter(Boolean).join(" · "),
      total: TOKEN_METERS.reduce((sum, meter) => sum + (number(m.tokens?.[meter]) || 0), 0)})).sort((a, b) => b.total - a.total);
    const tokens = models.reduce((sum, m) => sum + m.total, 0);
    const short = (v) => speech.short(v), count = (v) => speech.count(v);
    const shown = models.slice(0, CHARTED_MODELS);
    const used = TOKEN_METERS.filter((key) => models.some((m) => number(m.tokens[key]) > 0));
    const meters = used.map((key) => ({key, label: speech.word(`meter.${key}`)}));
    return {
      title: models.length ? speech.sentence("load.title", {requests: log.requests ?? 0, days: this.days, share: tokens ? models[0].total / tokens : 0, model: given(models[0].model)}) : [speech.word("load.days")],
      meters,
      days: {
        title: speech.word("load.days"),
        draw: (width) => daysChart(Plot, d3, days, {width, alt: speech.text("load.days_alt", {n: days.length}), count: short, day: (d) => speech.day(d)}),
        sheet: () => ({
          headers: [this.column("col.day", false, (d) => speech.date(d)), this.column("col.requests", true, count), this.column("col.tokens", true, count)],
          rows: days.map((d) => [d.day, d.requests, d.tokens]),
        }),
      },
      models: {
        title: speech.word("load.models"),
        draw: (width) => modelsChart(Plot, d3, shown, {width, alt: speech.text("load.models_alt", {n: shown.length}), count: short, meters}),
        sheet: () => ({
          headers: [this.column("col.model"), this.column("col.requests", true, count), ...[...used, "search"].map((m) => this.column(`meter.${m}`, true, count))],
          rows: models.map((m) => [m.label, m.requests, ...[...used, "search"].map((meter) => m.tokens[meter] ?? 0)]),
        }),
      },
    };
  }

  // ---------------------------------------------------------------- what it rests on

  // Marks of the kinds and how to read the axis.
  legend() {
    const {speech} = this;
    return [...this.kinds.map((kind) => el("li", {}, kindMark(kind), el("bdi", {}, speech.word(`kind.${kind}`, kind)))),
      ...(this.anyDoubt ? [el("li", {}, el("b", {}, "? "), speech.word("gap.doubtful"))] : []),
      el("li", {class: "axis"}, speech.text("gap.axis", {currency: this.data.currency ?? ""}))];
  }

  parts() { return ["free", "paid", "refused"].map((part) => el("li", {}, el("span", {class: `swatch s-${part}`}), this.speech.word(`served.${part}`))); }

  // tabled(sheet) → node: how a table is written here.
  assumptions(tabled) {
    const {speech} = this, assume = this.data.assumptions ?? {};
    const triples = ["tokens", "verbosity", "cache"].filter((key) => Array.isArray(assume[key]));
    const count = (v) => speech.count(v);
    return [
      triples.length ? tabled({headers: [{title: ""}, ...["low", "mid", "high"].map((k) => this.column(`assume.${k}`, true, count))],
        rows: triples.map((key) => [speech.word(`assume.${key}`), ...[0, 1, 2].map((place) => assume[key][place])])}) : "",
      el("ul", {lang: "en"}, (assume.text ?? []).map((text) => el("li", {}, el("bdi", {}, String(text)))))];
  }

  exclusions(tabled) {
    const {speech, log} = this;
    const left = log.exclusions ?? [];
    const count = left.reduce((sum, e) => sum + (number(e.count) || 0), 0);
    return [
      el("p", {}, count ? speech.text("made.rows", {rows: log.rows ?? 0, rows_in: log.rows_in ?? 0, n: count}) : speech.text("made.exclusions_none", {n: log.rows ?? 0})),
      left.length ? tabled({headers: [this.column("made.cause"), this.column("made.count", true, (v) => speech.count(v)), this.column("made.examples")],
        rows: left.map((e) => [el("bdi", {lang: "en"}, String(e.cause ?? "")), e.count, (e.examples ?? []).join(", ")])}) : "",
      el("ul", {lang: "en"}, (log.notes ?? []).map((text) => el("li", {}, el("bdi", {}, String(text)))))];
  }

  logged(tabled) {
    const {speech, baseline} = this;
    const missing = (baseline.missing ?? []).map((m) => (typeof m === "string" ? m : [m?.vendor, m?.model].filter(Boolean).join("/")));
    return [
      tabled({headers: [this.column("col.model"), this.column("col.offer"), this.column("bill.amount", true, (v) => speech.money(v))],
        rows: (baseline.models ?? []).map((m) => [[m.vendor, m.model].filter(Boolean).join(" · "), m.offer ?? speech.word("unknown"), m.total])}),
      missing.length ? el("p", {class: "flag"}, el("bdi", {}, speech.text("made.missing", {names: missing.join(", ")}))) : ""];
  }

  outside() {
    const {speech} = this;
    return {headers: [this.column("col.offer"), this.column("made.why")], rows: (this.data.not_billed ?? []).map((o) => [o.id, speech.term(o.why)])};
  }

  made() {
    const {speech, data, log} = this;
    return [
      el("p", {}, el("bdi", {}, speech.text("made.version", {version: data.pricewar ?? "?", made: data.made ?? "", as_of: data.as_of ?? "", format: log.format ?? "?"}))),
      log.bucket_seconds ? el("p", {}, speech.text("made.bucket", {seconds: log.bucket_seconds})) : ""];
  }
}
