// The table of offers, each row opening to its itemised bill.
import {el, given} from "./say.js";
import {kindOf, number} from "../charts/shared.js";

// The mark of a kind, the same shape as in the charts.
export function kindMark(kind) {
  const {symbol, color} = kindOf(kind);
  const ns = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(ns, "svg");
  for (const [key, value] of Object.entries({viewBox: "-7 -7 14 14", width: 13, height: 13, "aria-hidden": "true", class: "mark"})) svg.setAttribute(key, value);
  const path = document.createElementNS(ns, "path");
  path.setAttribute("d", d3.symbol(d3[`symbol${symbol[0].toUpperCase()}${symbol.slice(1)}`], 60)());
  path.setAttribute("fill", color);
  svg.append(path);
  return svg;
}

// Short and unique: the id, which `pricewar offers` knows too, and the model where the id does not say it.
export function offerLabel(offer) {
  const id = String(offer.id ?? ""), model = String(offer.model ?? "");
  return [id, id.includes(model) ? "" : model].filter(Boolean).join(" · ");
}

export function currencyOf(offer) { return offer.native_currency || undefined; }

export function offerName(offer) { return given(offerLabel(offer)); }

// A link only where the address is one of the web; anything else stays text.
function link(source, speech, children) {
  const url = String(source?.url ?? "");
  const read = source?.read_on ? speech.text("source.read", {on: source.read_on}) : "";
  const body = children ?? [given(url.replace(/^https?:\/\/(www\.)?/, "")), read ? ` (${read})` : ""];
  if (!/^https?:\/\//i.test(url)) return el("span", {}, ...body);
  return el("a", {href: url, rel: "noreferrer noopener", target: "_blank", title: [url, read].filter(Boolean).join(" · ")}, ...body);
}

function terms(list, speech, className, currency) {
  if (!list?.length) return null;
  return el("ul", {class: className}, list.map((term) => el("li", {}, el("bdi", {}, speech.term(term, currency)))));
}

function interval(value, speech, write) {
  const {low = null, mid = null, high = null} = value ?? {};
  const nodes = [el("span", {class: mid === null ? "unknown" : "figure"}, write(mid))];
  if (low !== null && high !== null && number(low) !== number(high)) nodes.push(el("span", {class: "range"}, speech.range(low, high, write)));
  return nodes;
}

function spread(value) { return {low: value?.low ?? null, mid: value?.mid ?? null, high: value?.high ?? null}; }

// Columns: key, what a row is sorted by, how its cell is written. Unknown always sorts last.
export const COLUMNS = [
  {key: "rank", by: (o) => number(o.rank), cell: (o, s) => [o.rank === null || o.rank === undefined ? "–" : s.count(o.rank)], numeric: true},
  {key: "offer", by: offerLabel},
  {key: "kind", by: (o, s) => s.word(`kind.${o.kind}`, o.kind), cell: (o, s) => [el("bdi", {}, s.word(`kind.${o.kind}`, String(o.kind ?? "")))]},
  {key: "headline", by: (o) => number(o.headline_per_mtok), cell: (o, s) => [rated(o.headline_per_mtok, s)], numeric: true},
  {key: "effective", by: (o) => number(o.per_mtok?.mid), cell: (o, s) => interval(o.per_mtok, s, (v) => s.rate(v)), numeric: true},
  {key: "total", by: (o) => number(o.total?.mid), cell: (o, s) => interval(o.total, s, (v) => s.money(v)), numeric: true},
  {key: "free", by: (o) => number(o.free_share), cell: (o, s) => [s.pct(o.free_share)], numeric: true},
  {key: "served", by: (o) => number(o.served_share?.mid), cell: (o, s) => interval(o.served_share, s, (v) => s.pct(v)), numeric: true},
  {key: "bit", by: (o) => o.bit?.length ?? 0, cell: (o, s) => [terms(o.bit, s, "terms", currencyOf(o)), el("div", {class: "print-only"}, warnings(tagged(o), s))]},
  {key: "warnings", by: (o) => o.warnings?.length ?? 0, cell: (o, s) => [warnings(tagged(o), s)]},
  {key: "sources", by: (o) => (o.sources ?? []).map((x) => String(x.read_on ?? "")).sort().at(-1) ?? "", cell: (o, s) => [sources(o, s)]},
];

function rated(value, speech) {
  return el("span", {class: value === null || value === undefined ? "unknown" : "figure"}, speech.rate(value));
}

// The row's tag already says that another model answers.
function tagged(offer) {
  return {warnings: (offer.warnings ?? []).filter((term) => term?.key !== "other_model" || offer.exact !== false)};
}

function warnings(offer, speech) {
  if (!offer.warnings?.length) return null;
  return el("ul", {class: "terms warn"}, offer.warnings.map((term) =>
    el("li", {class: /^unknown/.test(term?.key ?? "") ? "flag" : null}, el("bdi", {}, speech.term(term)))));
}

// The first source and its date; the others are counted here and listed in the bill.
function sources(offer, speech) {
  const [source, ...others] = offer.sources ?? [];
  if (!source) return null;
  let host = String(source.url ?? "");
  try { host = new URL(host).host.replace(/^www\./, "") || host; } catch { /* not an address: shown as it is */ }
  const read = source.read_on ? speech.date(source.read_on) : "";
  return [el("div", {class: "host"}, link(source, speech, [given(host)])), el("div", {class: "when"}, others.length ? `${read} +${others.length}` : read)];
}

export function columnTitle(key, speech) { return speech.word(`col.${key}`); }

function pair(title, ...body) {
  return el("div", {}, el("dt", {}, title), el("dd", {}, ...body));
}

// The itemised bill of one offer with everything known about it.
export function bill(offer, speech) {
  const money = (value) => speech.exact(value);
  const currency = currencyOf(offer); // lines and terms stand in the offer's own currency, totals in the report's
  const lines = offer.lines ?? [];
  const table = lines.length ? el("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": speech.text("bill.open", {offer: offerLabel(offer)})},
    el("table", {class: "lines"},
      el("thead", {}, el("tr", {}, ["meter", "quantity", "rate", "amount", "rule", "source"].map((key) =>
        el("th", {scope: "col", class: ["quantity", "rate", "amount"].includes(key) ? "n" : null}, speech.word(`bill.${key}`))))),
      el("tbody", {}, lines.map((line) => {
        const cited = (line.sources ?? []).filter((at) => offer.sources?.[at]);
        // A fee or a rounding has an amount only.
        const bare = (line.price === null || line.price === undefined) && !(number(line.quantity) > 0);
        const price = bare ? "–" : line.price === null || line.price === undefined ? speech.word("unknown")
          : speech.text("bill.per", {price: speech.exact(line.price, currency), per: line.per ?? 1});
        const rule = [speech.term(line.rule, currency), line.month, line.allowance ? String(line.allowance) : ""].filter(Boolean).join(" · ");
        return el("tr", {},
          el("td", {}, el("bdi", {}, speech.word(`meter.${line.meter}`, String(line.meter ?? "")))),
          el("td", {class: "n"}, bare ? "–" : [speech.count(line.quantity), " ", el("bdi", {}, speech.unit(line.quantity ?? 0, line.unit))]),
          el("td", {class: "n"}, price),
          el("td", {class: "n"}, speech.exact(line.amount, currency)),
          el("td", {}, el("bdi", {}, rule)),
          el("td", {}, cited.length ? cited.flatMap((at) => [link(offer.sources[at], speech, [`[${at + 1}]`]), " "]) : "–"));
      })))) : el("p", {class: "quiet"}, speech.word("bill.none"));

  const own = spread(offer.own), overflow = spread(offer.overflow), total = spread(offer.total);
  const list = el("dl", {class: "facts"});
  list.append(pair(speech.word("col.offer"), given(offer.id)));
  list.append(pair(speech.word("bill.own"), ...interval(own, speech, money)));
  if (offer.overflow_to && number(overflow.high ?? overflow.mid) !== 0) list.append(pair(speech.text("bill.overflow", {offer: overflowName(offer, speech)}), ...interval(overflow, speech, money)));
  list.append(pair(speech.word("bill.total"), ...interval(total, speech, money)));
  list.append(pair(speech.word("col.served"), ...interval(offer.served_share, speech, (v) => speech.pct(v))));
  list.append(pair(speech.word("col.free"), speech.pct(offer.free_share)));
  if (offer.refused?.length) list.append(pair(speech.word("bill.refused"), el("ul", {class: "terms"}, offer.refused.map((r) =>
    el("li", {}, ...speech.sentence("bill.refused_of", {term: el("bdi", {}, speech.term(r, currency)), requests: r.requests ?? 0, tokens: r.tokens ?? 0}))))));
  if (offer.queued) list.append(pair(speech.word("bill.waited"), speech.text("bill.queued", {n: offer.queued, seconds: offer.longest_wait_seconds ?? "?"})));
  if (offer.bit?.length) list.append(pair(speech.word("col.bit"), terms(offer.bit, speech, "terms", currency)));
  if (offer.warnings?.length) list.append(pair(speech.word("col.warnings"), warnings(offer, speech)));
  if (offer.exact === false) list.append(pair(speech.word("col.effective"), speech.word("interval.other")));
  const force = offer.in_force;
  if (force) {
    const from = !force.from || force.from === "unknown" ? speech.word("bill.from_unknown") : speech.text("bill.from", {on: force.from});
    list.append(pair(speech.word("bill.in_force"), [from, force.until ? speech.text("bill.until", {on: force.until}) : ""].filter(Boolean).join(" · ")));
  }
  if (offer.announced?.length) list.append(pair(speech.word("bill.announced"), terms(offer.announced, speech, "terms", currency)));
  if (offer.fx) list.append(pair(speech.word("bill.currency"), el("bdi", {}, ...speech.sentence("bill.fx", {
    currency: String(offer.native_currency ?? "?"), rate: speech.number(offer.fx.rate, {maximumSignificantDigits: 6}), on: offer.fx.on ?? "?", source: link({url: offer.fx.source}, speech)}))));
  if (offer.confidence) list.append(pair(speech.word("bill.confidence"), el("bdi", {}, speech.word(`confidence.${offer.confidence}`, String(offer.confidence)))));
  const cited = offer.sources?.length ? el("div", {class: "cited"}, el("div", {class: "quiet"}, speech.word("col.sources")),
    el("ol", {class: "terms numbered"}, offer.sources.map((source) => el("li", {}, link(source, speech), source.says ? el("bdi", {class: "says"}, ` ${source.says}`) : "")))) : null;
  return el("div", {class: "bill"}, ...[table, list, cited].filter(Boolean));
}

function overflowName(offer, speech) {
  return String(offer.overflow_to).split(" → ").map((id) => (id === "as-logged" ? speech.word("made.baseline") : id)).join(" → ");
}

const FIRST_ROWS = 40;

// One table over its whole life: sorting moves rows, so that focus and open bills stay.
export class OfferTable {
  constructor(table, offers, onSort) {
    this.table = table;
    this.offers = offers;
    this.open = new Set();
    this.whole = false;
    this.rows = new Map();
    this.headers = COLUMNS.map((column) => {
      const button = el("button", {type: "button"});
      button.addEventListener("click", () => onSort(column.key));
      return el("th", {scope: "col", class: `c-${column.key}${column.numeric ? " n" : ""}`}, button);
    });
    this.body = el("tbody");
    table.append(el("thead", {}, el("tr", {}, this.headers)), this.body);
  }

  // Writes every cell again, in another language.
  speak(speech) {
    this.speech = speech;
    this.rows.clear();
    for (const [place, header] of this.headers.entries()) {
      const title = columnTitle(COLUMNS[place].key, speech);
      header.firstChild.textContent = title;
      header.dataset.title = title; // what paper shows: a button is not printed again on the next page
    }
    this.headers[0].firstChild.setAttribute("aria-label", speech.word("col.rank_long"));
  }

  // A bill spans the columns that can be seen at this width.
  get span() { return this.headers.filter((header) => getComputedStyle(header).display !== "none").length || COLUMNS.length; }

  widen() { for (const cell of this.body.querySelectorAll(":scope > .detail > td")) cell.colSpan = this.span; }

  row(place) {
    if (!this.rows.has(place)) this.rows.set(place, this.build(place));
    return this.rows.get(place);
  }

  build(place) {
    const {speech} = this, offer = this.offers[place];
    const id = `bill-${place}`;
    const button = el("button", {type: "button", class: "opener", "aria-expanded": "false", "aria-controls": id}, kindMark(offer.kind), given([offer.vendor, offer.model].filter(Boolean).join(" · ") || offer.id));
    const tags = [offer.light ? speech.word("light") : "", offer.exact === false ? speech.word("other_model") : ""].filter(Boolean);
    const flags = (offer.warnings ?? []).filter((w) => w?.key === "unknown_limits").map((w) => speech.term(w));
    const main = el("tr", {class: "offer"}, COLUMNS.map((column) => {
      if (column.key !== "offer") return el("td", {class: `c-${column.key}${column.numeric ? " n" : ""}`}, column.cell(offer, speech));
      return el("th", {scope: "row", class: "c-offer"}, button, el("div", {class: "plan"}, given(offer.plan)),
        tags.length || flags.length ? el("div", {class: "tags"}, tags.map((t) => el("span", {class: "tag"}, t)), flags.map((t) => el("span", {class: "tag flag only-narrow"}, t))) : null);
    }));
    const cell = el("td", {colspan: COLUMNS.length});
    const detail = el("tr", {class: "detail", id, hidden: true}, cell);
    const show = (open) => {
      button.setAttribute("aria-expanded", String(open));
      detail.hidden = !open;
      // A bill is written when it is first asked for.
      if (open && !cell.firstChild) cell.append(bill(offer, speech));
      if (open) this.open.add(place); else this.open.delete(place);
    };
    button.addEventListener("click", () => show(detail.hidden));
    if (this.open.has(place)) show(true);
    return [main, detail];
  }

  // `places`: the offers chosen. Sorts and shows them; returns how many wait behind "show all".
  show(places, sort) {
    const column = COLUMNS.find((c) => c.key === sort.key) ?? COLUMNS[0];
    const collator = new Intl.Collator(this.speech.locale, {numeric: true});
    const keys = new Map(places.map((place) => [place, column.by(this.offers[place], this.speech)]));
    const missing = (v) => v === undefined || v === "" || Number.isNaN(v);
    const ordered = [...places].sort((a, b) => {
      const ka = keys.get(a), kb = keys.get(b);
      if (missing(ka) || missing(kb)) return missing(ka) - missing(kb) || a - b;
      const order = typeof ka === "number" ? ka - kb : collator.compare(ka, kb);
      return (sort.down ? -order : order) || a - b;
    });
    for (const [place, header] of this.headers.entries()) {
      if (COLUMNS[place] === column) header.setAttribute("aria-sort", sort.down ? "descending" : "ascending");
      else header.removeAttribute("aria-sort");
    }
    const shown = this.whole ? ordered : ordered.slice(0, FIRST_ROWS);
    this.body.replaceChildren(...shown.flatMap((place) => this.row(place)));
    this.widen();
    return ordered.length - shown.length;
  }
}
