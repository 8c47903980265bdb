// Why did this change: levers undone one at a time, and what happens in the futures, month by month.
import {button, csv, download, el, table} from "./parts.js";
import {vendorName} from "./war_levers.js";

const OUTCOMES = ["hhi", "leader", "light_end", "flagship_end", "bills", "surplus", "roi", "subsidy", "vendors_profit", "suppliers_profit", "exits", "fringe", "free", "harvest"];

export class Why {
  // room: {levers, figure(row, value, digits), question(): the message of "war" now shown, or null while none is}.
  constructor(root, app, room) {
    Object.assign(this, {app, room});
    this.outcome = "hhi";
    this.title = el("h2", {id: "why-title"});
    this.choice = el("select", {id: "why-outcome"});
    this.choiceWord = el("span", {class: "quiet"});
    this.choice.addEventListener("change", () => {
      this.outcome = this.choice.value;
      this.ask();
    });
    this.note = el("p", {class: "quiet"});
    this.bars = el("div", {class: "why-rows"});
    this.whyCard = el("section", {class: "card wide", "aria-labelledby": "why-title"}, this.title, el("label", {class: "why-choice"}, this.choiceWord, this.choice), this.note, this.bars);
    this.logTitle = el("h2", {id: "log-title"});
    this.logNote = el("p", {class: "quiet"});
    this.log = el("div", {id: "log"});
    this.logSave = button("", {look: "plain", press: () => this.sheet && download("pricewar-events.csv", csv(this.sheet), "text/csv;charset=utf-8")});
    this.logCard = el("section", {class: "card wide", "aria-labelledby": "log-title"}, this.logTitle, this.logNote, this.log, el("div", {class: "feet"}, this.logSave));
    root.append(this.whyCard, this.logCard);
    // It takes as many runs as levers were moved: it is asked only while somebody looks.
    this.seen = new Set();
    const observer = new IntersectionObserver((entries) => {
      for (const {target, isIntersecting} of entries) {
        if (isIntersecting) this.seen.add(target);
        else this.seen.delete(target);
      }
      if (this.seen.size && this.due) this.ask();
    });
    observer.observe(this.whyCard);
    observer.observe(this.logCard);
  }

  // The hand rests, or nobody moved: the answer belongs to another scenario now.
  calm() {
    this.due = true;
    if (this.seen.size || this.app.printing) this.ask();
  }

  ask() {
    const message = this.room.question();
    if (!message) return;
    this.due = false;
    const asked = JSON.stringify([message, this.outcome]);
    if (asked === this.asked) return;
    this.asked = asked;
    this.app.ask("why", {...message, outcome: this.outcome}, {
      part: (found) => {
        this.found = found;
        this.draw();
      },
      progress: ({text, done, of}) => { this.note.textContent = this.app.speech.text("war.why.progress", {what: this.app.speech.word(text), done, of}); },
      error: (error) => {
        this.asked = null;
        this.app.failed(error);
      },
    });
  }

  // ---------------------------------------------------------------- written out

  draw() {
    const {speech} = this.app;
    this.title.textContent = speech.word("war.why.title");
    this.choiceWord.textContent = speech.word("war.why.of");
    this.choice.replaceChildren(...OUTCOMES.map((key) => el("option", {value: key}, speech.word(`war.kpi.${key}`))));
    this.choice.value = this.outcome;
    this.logTitle.textContent = speech.word("war.log.title");
    this.logNote.textContent = speech.word("war.log.note");
    this.logSave.textContent = `${speech.word("save")} (CSV)`;
    this.logSave.hidden = !this.found;
    for (const card of [this.whyCard, this.logCard]) card.classList.toggle("unasked", !this.found); // nothing to print yet
    if (!this.found) return;
    this.drawParts();
    this.drawLog();
  }

  // How much of a change, with its sign.
  amount(change) {
    const {speech} = this.app;
    const {kind, unit} = this.found;
    if (change === null || change === undefined) return this.found.undone < this.found.levers ? "…" : "–";
    const sign = change > 0 ? "+" : change < 0 ? "−" : "±";
    const size = Math.abs(change);
    if (kind === "relative") return sign + speech.number(size, {style: "percent", maximumFractionDigits: 1});
    if (kind === "points") return sign + speech.text("war.points", {n: speech.number(size * 100, {maximumSignificantDigits: 2})});
    return sign + this.room.figure({unit}, size, {maximumSignificantDigits: 2});
  }

  drawParts() {
    const {speech} = this.app;
    const {total, parts, rest, levers, undone} = this.found;
    this.note.textContent = !levers ? speech.word("war.why.nothing") : undone < levers ? speech.text("war.why.undoing", {done: undone, of: levers}) : speech.word("war.why.note");
    if (!levers) return void this.bars.replaceChildren();
    const largest = Math.max(...[total, ...parts, rest].filter(Boolean).map((p) => Math.abs(p.change ?? 0)), 1e-12);
    const row = (name, {change, low, high}, look = "") => {
      const bar = el("span", {class: `why-bar ${change < 0 ? "down" : "up"}`});
      bar.style.width = `${change === null ? 0 : Math.abs(change) / largest * 50}%`; // half the track to either side of zero
      return el("tr", {class: look}, el("th", {scope: "row"}, name), el("td", {class: "n"}, this.amount(change)),
        el("td", {class: "n quiet"}, low === null || low === undefined ? "" : `${this.amount(low)} … ${this.amount(high)}`), el("td", {class: "why-track"}, bar));
    };
    const named = (part) => {
      const lever = this.room.levers.byKey.get(part.key);
      const write = lever ? this.room.levers.withUnit(lever) : String;
      return [this.room.levers.fullTitle(part.key), el("span", {class: "quiet"}, ` ${write(part.base)} → ${write(part.value)}`)];
    };
    this.bars.replaceChildren(el("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": speech.word("war.why.title")}, el("table", {class: "plain why"},
      el("thead", {}, el("tr", {}, ["lever", "change", "interval", "picture"].map((key) => el("th", {scope: "col", class: key === "change" || key === "interval" ? "n" : null}, speech.word(`war.why.${key}`))))),
      el("tbody", {}, parts.map((part) => row(named(part), part)), rest && levers > 1 ? row(speech.word("war.why.rest"), rest) : null, row(speech.text("war.why.total", {what: speech.word(`war.kpi.${this.found.outcome}`)}), total, "best")))));
  }

  drawLog() {
    const {speech} = this.app;
    const {events} = this.found;
    const vendors = new Map(this.room.vendors().map((v) => [v.key, vendorName(speech, v)]));
    const pct = (v) => (v === null ? "–" : speech.pct(v));
    const month = (v) => (v === null ? "–" : speech.number(v, {maximumFractionDigits: 0}));
    const head = (key, write) => ({title: speech.word(`war.log.${key}`), numeric: Boolean(write), write});
    this.sheet = {
      headers: [head("month", month), head("what"), head("vendor"), head("share", pct), head("low", month), head("high", month), head("base_share", pct), head("base_month", month)],
      rows: events.map((e) => [e.month, speech.word(`war.event.${e.what}`, e.what), e.vendor === null ? speech.word("war.market_whole") : vendors.get(e.vendor) ?? e.vendor, e.share, e.low, e.high, e.base_share, e.base_month]),
    };
    this.log.replaceChildren(events.length ? table(speech, this.sheet) : el("p", {class: "empty"}, speech.word("none")));
  }
}
