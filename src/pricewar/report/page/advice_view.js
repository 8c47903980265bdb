// Advice: what is said, drawn and tabled of it.
import {labelledAt, versusChart, strategiesChart, occupancyChart, leavingChart, causesChart, freeChart} from "../charts/advice.js";
import {Speech, el, given} from "./say.js";
import {kpi} from "./frame.js";

const OFFERS = 5; // told apart by colour; the rest are one

// Amounts in sentences are written as in tables, not in thousands.
export class AdviceSpeech extends Speech {
  written(value, how, args) { return how === "sum" ? this.sum(value) : super.written(value, how, args); }

  // With the terminal's digits.
  pct(value) {
    const share = Number(value);
    const close = share > 0 && share < 0.01 || share > 0.99 && share < 1;
    return this.number(value, {style: "percent", maximumFractionDigits: close ? 1 : 0}).replace("-", "−");
  }

  // Money as short as its size allows.
  sum(value) {
    const size = Math.abs(value);
    const digits = size >= 100 || size < 0.005 ? {maximumFractionDigits: 0} : {minimumFractionDigits: 2, maximumFractionDigits: 2};
    return this.cash(size < 0.005 ? 0 : value, this.currency, digits).replace("-", "−");
  }

  signed(value) { return (value > 0 ? "+" : "") + this.sum(value); }

  spread(e) { return this.range(e.p5, e.p95, (v) => this.sum(v)); }

  // A sentence of the data: a key with its arguments, which may be sentences themselves; or text as it came.
  told(row) {
    if (typeof row === "string") return row;
    if (Array.isArray(row)) return row.map((each) => this.told(each)).join(this.word("list.comma"));
    if (row.key.startsWith("term.")) return this.term({...row, key: row.key.slice(5)});
    const args = Object.fromEntries(Object.entries(row.args ?? {}).map(([name, value]) => [name, value !== null && typeof value === "object" ? this.told(value) : value]));
    return this.has(row.key) ? this.text(row.key, args) : row.text ?? row.key;
  }
}

// Each picture is {title, note, draw(width, alt) → node or nodes, sheet()}, as those of BillView; null where there is nothing to show.
// data: as `report.advice.shown` gives it. name(id, label): how an offer is named in a table, a button perhaps.
export class AdviceView {
  constructor(data, speech, name = (id, label) => given(label ?? id)) {
    this.data = data;
    this.speech = speech;
    this.name = name;
    this.byOffer = new Map(data.candidates.map((c) => [c.offer, c]));
    this.sum = (v) => (v === null || v === undefined ? "–" : speech.sum(v));
    this.pct = (v) => speech.pct(v);
  }

  outcome(key) { return this.data.outcomes.find((o) => o.key === key); }

  named(c) { return c.kind === "list" ? c.offer : `${c.offer} (${c.kind})`; }

  story() { return this.data.story.map((row) => this.speech.told(row)); }

  figures() {
    const {speech, data} = this;
    const worth = (key, name) => {
      const found = data[name];
      if (!found) return kpi(speech.word(key), "–", speech.word("kpi.none"));
      return kpi(speech.word(key), speech.signed(found.amount.mean), speech.text("kpi.worth", {low: found.amount.low, high: found.amount.high}));
    };
    const best = this.outcome(data.recommended);
    return [
      kpi(speech.text("kpi.cost", {months: data.months}), speech.sum(best.cost.mean), speech.spread(best.cost)),
      kpi(speech.word("kpi.dearer"), speech.pct(data.dearer.share), speech.text("kpi.dearer_more", {dearest: data.dearest.share})),
      kpi(speech.word("kpi.lock_in"), speech.sum(data.lock_in.amount.mean), speech.text("kpi.worth", {low: data.lock_in.amount.low, high: data.lock_in.amount.high})),
      data.second_vendor ? worth("kpi.second", "second_vendor") : worth("kpi.portability", "portability")];
  }

  // Headers by name of column; one that begins with "-" holds text.
  heads(...names) {
    return names.map((name) => (name.startsWith("-") ? {title: this.speech.word(`col.${name.slice(1)}`)} : {title: this.speech.word(`col.${name}`), numeric: true}));
  }

  money(...names) { return names.map((name) => ({title: this.speech.word(`col.${name}`), numeric: true, write: this.sum})); }

  shares(...names) { return names.map((name) => ({title: this.speech.word(`col.${name}`), numeric: true, write: this.pct})); }

  versus() {
    const {data, speech} = this, pair = data.versus;
    if (!pair) return null;
    const more = this.byOffer.get(pair.free).staying.mean - this.byOffer.get(pair.paid).staying.mean;
    const lines = [["free", "var(--gift)", "6 3"], ["paid", "var(--best)", null]].map(([side, color, dash]) => ({
      label: speech.text(`versus.${side}`, {offer: pair[side]}), color, dash, ...this.byOffer.get(pair[side]).by_month,
    }));
    return {
      title: speech.text(more > 0 ? "versus.more" : "versus.less", {amount: Math.abs(more)}),
      note: speech.word("versus.note"),
      tale: data.tale.map((row) => speech.told(row)),
      draw: (width, alt) => {
        const chart = versusChart(Plot, d3, lines, {width, months: data.months, write: this.sum, alt});
        if (labelledAt(lines, width)) return [chart];
        return [el("ul", {class: "legend"}, lines.map((line, i) => el("li", {}, el("span", {class: `swatch o-${i ? 0 : 1}`}), line.label))), chart];
      },
      sheet: () => ({
        headers: [{title: speech.word("col.month"), numeric: true}, ...lines.flatMap(({label}) => ["", " 5%", " 95%"].map((part) => ({title: label + part, numeric: true, write: this.sum})))],
        rows: d3.range(data.months).map((t) => [t + 1, ...lines.flatMap((line) => [line.p50[t], line.p5[t], line.p95[t]])]),
      }),
    };
  }

  get ranked() { return [...this.data.outcomes].sort((a, b) => a.benchmark - b.benchmark || a.cost.mean - b.cost.mean); }

  strategy(o) { return this.speech.word(`strategy.${o.key}`, o.title ?? o.strategy); }

  strategies() {
    const {data, speech} = this;
    const rows = this.ranked.map((o) => ({label: this.strategy(o), mean: o.cost.mean, p5: o.cost.p5, p95: o.cost.p95, tail: o.cost.tail, best: o.key === data.recommended, bound: o.benchmark}));
    const paying = data.outcomes.some((o) => o.never);
    return {
      title: speech.word("strategies.title"),
      note: speech.text("strategies.note", {months: data.months}),
      draw: (width, alt) => [strategiesChart(Plot, d3, rows, {width, write: this.sum, alt})],
      sheet: () => ({
        headers: [...this.heads("-strategy", "-offer"), ...this.money("cost"), ...this.heads("error", "between"), ...this.money("tail"), ...this.shares("refused"),
          {title: speech.word("col.moves"), numeric: true, write: (v) => speech.number(v, {maximumFractionDigits: 1})},
          ...(paying ? [...this.shares("roi"), ...this.heads("break_even")] : []), {title: speech.word("col.against"), numeric: true, write: (v) => (v === null ? "" : speech.signed(v))}],
        rows: this.ranked.map((o) => ({look: o.key === data.recommended ? "best" : o.benchmark ? "bound" : null, cells: [
          this.strategy(o), o.offers.join(" + "), o.cost.mean, speech.range(o.cost.low, o.cost.high, this.sum), speech.spread(o.cost), o.cost.tail,
          o.unserved, o.switches, ...(paying ? [o.roi?.mean ?? null, o.break_even ? speech.text("month.n", {month: o.break_even}) : "–"] : []),
          o.key === data.recommended ? null : o.against.mean]})),
      }),
    };
  }

  // The plan's words: {begin, triggers: sheet, looks: [text]}; its chart is `occupancy`.
  plan() {
    const {data, speech} = this;
    return {
      begin: speech.text("plan.begin", {offer: data.plan.begin, agreed: data.plan.agreed}),
      triggers: {headers: [{title: speech.word("plan.when")}, {title: speech.word("plan.then")}], rows: data.triggers.map((pair) => pair.map((row) => speech.told(row)))},
      looks: data.looks.map((look) => `${speech.date(look.day)}: ${speech.told(look.said)}`),
    };
  }

  occupancy() {
    const {data, speech} = this;
    const used = Object.entries(data.plan.occupancy).map(([offer, shares]) => ({offer, shares, total: d3.sum(shares)})).sort((a, b) => b.total - a.total);
    const bands = used.slice(0, OFFERS).map((u, place) => ({label: u.offer, place, shares: u.shares}));
    if (used.length > OFFERS) {
      bands.push({label: speech.word("out.other"), place: OFFERS, shares: d3.range(data.months).map((t) => d3.sum(used.slice(OFFERS), (u) => u.shares[t]))});
    }
    // Two vendors side by side fill every month each.
    const height = Math.max(...d3.range(data.months).map((t) => d3.sum(bands, (b) => b.shares[t])), 1);
    const scaled = bands.map((b) => ({...b, shares: b.shares.map((s) => s / height)}));
    return {
      title: speech.word("plan.occupancy"),
      legend: bands.map((b) => el("li", {}, el("span", {class: `swatch o-${b.place}`}), given(b.label))),
      draw: (width, alt) => [occupancyChart(Plot, d3, scaled, {width, months: data.months, pct: this.pct, alt})],
      sheet: () => ({
        headers: [{title: speech.word("col.offer")}, ...d3.range(0, data.months, 3).map((t) => ({title: String(t + 1), numeric: true, write: this.pct}))],
        rows: used.map((u) => [u.offer, ...d3.range(0, data.months, 3).map((t) => u.shares[t])]),
      }),
    };
  }

  get leavingTitle() { return this.speech.text("leaving.title", {offer: this.data.plan.begin.split(" + ")[0]}); }

  leaving() {
    const {data, speech} = this;
    if (!data.plan.rises.length) return null;
    const after = (r) => (r.months ? speech.text("leaving.months", {months: r.months}) : speech.word("leaving.at_once"));
    const rising = (r) => (r.share === null ? speech.text("leaving.rise_free", r) : speech.text("leaving.rise", r));
    const rows = data.plan.rises.map((r) => ({label: after(r), value: r.leaving, more: rising(r), short: speech.text("leaving.rise_free", r)}));
    return {
      title: this.leavingTitle,
      note: speech.word("leaving.note"),
      draw: (width, alt) => [leavingChart(Plot, d3, rows, {width, write: this.sum, alt})],
      sheet: () => ({headers: [...this.heads("-month"), ...this.money("leaving"), ...this.heads("rise", "-to")], rows: data.plan.rises.map((r) => [after(r), r.leaving, rising(r), r.to])}),
    };
  }

  // What lock-in costs, and what portability, a second vendor and knowing the future are worth.
  worths() {
    const {data, speech} = this;
    return {
      headers: [...this.heads("-cause"), ...this.money("amount"), ...this.heads("error", "between")],
      rows: ["lock_in", "portability", "second_vendor", "regret"].filter((k) => data[k]).map((k) => {
        const e = k === "regret" ? data.regret : data[k].amount;
        return [speech.word(`worth.${k}`), e.mean, speech.range(e.low, e.high, this.sum), speech.spread(e)];
      }),
    };
  }

  causes() {
    const {data, speech} = this;
    const mine = data.accounts.find((a) => a.key === data.recommended) ?? data.accounts[0];
    let so = mine.base;
    const rows = [{label: speech.word("causes.base"), from: 0, to: mine.base, total: true}];
    for (const cause of mine.causes) {
      rows.push({label: speech.word(`cause.${cause.key}`, cause.words), from: so, to: so + cause.amount});
      so += cause.amount;
    }
    rows.push({label: speech.word("causes.total"), from: 0, to: mine.total, total: true});
    return {
      title: `${speech.word("causes.title")}: ${this.strategy(mine)}`,
      note: speech.text("causes.note", {futures: mine.futures, judged: data.judged}),
      draw: (width, alt) => [causesChart(Plot, d3, rows, {width, write: this.sum, signed: (v) => speech.signed(v), alt})],
      sheet: () => ({
        headers: [...this.heads("-cause"), ...data.accounts.map((a) => ({title: this.strategy(a), numeric: true, write: this.sum}))],
        rows: [
          [speech.word("causes.base"), ...data.accounts.map((a) => a.base)],
          ...mine.causes.map((c) => [speech.word(`cause.${c.key}`, c.words), ...data.accounts.map((a) => a.causes.find((b) => b.key === c.key).amount)]),
          [speech.word("causes.total"), ...data.accounts.map((a) => a.total)]],
      }),
    };
  }

  get freeTitle() { return this.speech.text("free.title", {until: this.data.until}); }

  free() {
    const {data, speech} = this;
    if (!data.reliance.length) return null;
    // An offer that stands but serves hardly any of the work is none to rely on.
    const served = (c) => `, ${speech.word("col.served")} ${speech.pct(c.served)}`;
    const rows = data.reliance.map((r) => ({label: this.named(this.byOffer.get(r.offer)), ending: served(this.byOffer.get(r.offer)), stands: r.stands.share, asNow: r.as_now.share}));
    const chance = (s) => `${speech.pct(s.share)} (${speech.range(s.low, s.high, this.pct)})`;
    return {
      title: this.freeTitle,
      note: speech.word("free.note"),
      draw: (width, alt) => [freeChart(Plot, d3, rows, {width, pct: this.pct, alt})],
      sheet: () => ({
        headers: [...this.heads("-offer"), ...this.shares("served"), ...this.heads("stands", "as_now", "half", "-then"), ...this.money("kept"), ...this.shares("dearest")],
        rows: data.reliance.map((r) => {
          const c = this.byOffer.get(r.offer);
          return [r.offer, c.served, chance(r.stands), chance(r.as_now), r.end ? speech.date(r.end) : "–", r.then ?? "–", c.staying.mean, c.dearest.share];
        }),
      }),
    };
  }

  // ---------------------------------------------------------------- offers, assumptions

  quality(c) {
    const {speech} = this, text = speech.word(`quality.${c.verdict ?? "unasked"}`, c.verdict ?? "");
    return c.verdict === "undecided" ? el("span", {class: "doubt", title: c.reasons.map((row) => speech.told(row)).join(" ")}, text) : text;
  }

  // What stands beside an offer's name.
  marks(c) {
    const {speech} = this;
    const found = c.ends ? [speech.text("offers.ends", {day: c.ends})] : [];
    return c.unpublished.length ? [...found, speech.told({key: "offers.unpublished", args: {what: c.unpublished.map((key) => ({key: `unpublished.${key}`}))}})] : found;
  }

  get kept() { return [...this.data.candidates].sort((a, b) => a.staying.mean - b.staying.mean); }

  offers() {
    const {speech} = this;
    return {
      headers: [...this.heads("-offer"), ...this.money("today"), ...this.shares("served"), ...this.money("kept"), ...this.heads("between"), ...this.money("tail"), ...this.shares("dearest"), ...this.heads("-quality")],
      rows: this.kept.map((c) => [el("span", {}, this.name(c.offer, this.named(c)), this.marks(c).map((mark) => el("small", {class: "muted"}, ` · ${mark}`))), c.today + c.refused, c.served, c.staying.mean, speech.spread(c.staying), c.staying.tail, c.dearest.share, this.quality(c)]),
    };
  }

  // What is known of each.
  knowledge() {
    const {speech} = this;
    return {headers: this.heads("-offer", "-why"), rows: this.kept.map((c) => [c.offer, [...c.terms.map((term) => speech.term(term)), ...c.reasons.map((row) => speech.told(row))].join(speech.word("list.comma"))])};
  }

  cause(e) { return `out.${e.key || "other"}`; }

  // Offers set aside, by cause; and each of them.
  outCounts() {
    const {data, speech} = this;
    const counts = d3.rollups(data.left_out, (rows) => rows.length, (e) => this.cause(e));
    if (data.dearer_left_out.length) counts.push(["out.dearer", data.dearer_left_out.length]);
    counts.sort((a, b) => b[1] - a[1]);
    return {headers: this.heads("-why", "count"), rows: counts.map(([key, n]) => [speech.word(key), n])};
  }

  out() {
    const {data, speech} = this;
    const why = (e) => (speech.language === "en" ? e.why : el("span", {title: e.why}, e.key ? speech.word(this.cause(e), e.why) : el("span", {lang: "en"}, e.why)));
    return {headers: this.heads("-offer", "-why"), rows: [...data.left_out.map((e) => [e.offer, why(e)]), ...data.dearer_left_out.map((id) => [id, speech.word("out.dearer")])]};
  }

  get outSummary() { return this.speech.text("out.summary", {taken: this.data.candidates.length, considered: this.data.considered}); }

  // Strategies that cannot be had, with the reason: nodes.
  skipped() {
    const {data, speech} = this;
    const rows = data.skipped.map((s) => el("li", {}, `${speech.word(`strategy.${s.offer}`)}: ${speech.word(`skipped.${s.key}`, s.why)}`));
    return rows.length ? [el("h3", {}, speech.word("skipped.title")), el("ul", {class: "looks"}, rows)] : [];
  }

  assumptions() {
    const {data, speech} = this;
    return {headers: this.heads("-key", "value", "-unit", "-why"), rows: data.assumptions.map((a) => ({look: a.given ? "best" : null, cells: [a.key, a.value, el("span", {lang: "en"}, a.unit), a.given ? speech.word("assumptions.given") : el("span", {lang: "en"}, a.why)]}))};
  }

  get meta() {
    const {data, speech} = this;
    return speech.text("meta", {log: data.log.source, requests: data.workload.requests_a_month, months: data.months, start: data.start, draws: data.draws, source: speech.told(data.source)});
  }

  made() {
    const {data, speech} = this, evidence = data.evidence;
    return [
      el("p", {}, speech.text("made.futures", {fitted: data.fitted, judged: data.judged})),
      el("p", {}, speech.text("made.error", {cost: data.workload.error_cost, refused: data.workload.error_refused})),
      data.market ? "" : el("p", {}, speech.word("made.record")),
      evidence ? el("ul", {lang: "en", class: "looks"}, [`${evidence.sources.join(", ")}: ${evidence.used} / ${evidence.rows}`, ...evidence.unknown, ...evidence.exclusions.map((e) => `${e.count} × ${e.cause}`)].map((text) => el("li", {}, text))) : "",
      el("ul", {class: "looks"}, data.notes.map((note) => el("li", {lang: typeof note === "string" ? "en" : null}, speech.told(note)))),
      el("p", {}, speech.text("made.version", {version: data.pricewar, made: data.made, seconds: data.seconds, seed: data.seed})),
      el("h4", {}, speech.word("made.again")), el("pre", {class: "scroll", tabindex: "0"}, el("code", {}, data.command))].filter(Boolean);
  }
}
