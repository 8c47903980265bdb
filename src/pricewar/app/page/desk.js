// The desk: a log laid beside the offers, and an outlook for its team. The log stays on this machine.
import {Speech} from "./say.js";
import {AdviceSpeech} from "./advice_view.js";
import {button, copy, download, el, given} from "./parts.js";
import {Bills} from "./desk_bills.js";
import {Outlook} from "./desk_outlook.js";

// What the desk keeps in the page's state, as it is on a fresh page.
export const FRESH = {
  view: "bills", log: "", format: "", zone: "", maps: "", only: "", currency: "",
  kind: "", vendor: "", models: "all", search: "", order: "kinds", count: "20", sort: "rank", down: "",
  growth: "", day: "", present: "", months: "", team: "", draws: "600",
};
const PREFIX = {bill: "desk.bill/", advice: "desk.advice/"};

export function mount(root, app) { return new Desk(root, app); }

class Desk {
  constructor(root, app) {
    root.classList.add("desk");
    this.root = root;
    // The same app, but a picture that leaves the desk says which log it is of.
    this.app = Object.create(app, {made: {value: () => this.made()}});
    this.lists = {};
    this.known = null; // formats and the team's template
    this.answer = null; // the bill now shown, and of which question
    this.names = new Map(); // handles → names of logs dropped here
    if (app.config.log) this.names.set(app.config.log.log, app.config.log.name);
    this.writeParts();
    this.bills = new Bills(this.billsPlace, this);
    this.outlook = new Outlook(this.outlookPlace, this);
    app.ask("desk", {}, {part: (known) => { this.known = known; this.writeFormats(); this.outlook.speak(); }, error: (e) => app.failed(e)});
  }

  // ---------------------------------------------------------------- state

  // The desk's part of the state, with what a link left out or garbled as on a fresh page.
  get choice() {
    const stored = this.app.state.get().desk;
    return Object.fromEntries(Object.entries(FRESH).map(([key, start]) => [key, typeof stored[key] === "string" ? stored[key] : start]));
  }

  set(patch, merge = null) {
    const next = {...this.choice, ...patch};
    const kept = Object.fromEntries(Object.entries(next).filter(([key, value]) => value !== FRESH[key]));
    this.app.state.set({desk: kept}, {merge});
  }

  // The log asked of: one dropped here, else the one the program was started with, else the sample ("").
  get handle() {
    const {log} = this.choice;
    return log === "sample" ? "" : log || this.app.config.log?.log || "";
  }

  // Whether the bill is of the log that is named above it: never does it stand below the name of another.
  get here() { return this.answered?.log === this.handle; }

  // What is sent to the server; see app/desk_choice.py.
  question() {
    const choice = this.choice;
    return {
      log: this.handle, format: choice.format, zone: choice.zone, currency: choice.currency, date: this.app.state.get().date,
      maps: choice.maps.split(/[,\n]/).map((m) => m.trim()).filter(Boolean), only: choice.only ? [choice.only] : [],
    };
  }

  show() {
    const {language, date} = this.app.state.get();
    if (this.spoken !== language) this.speak(language);
    const choice = this.choice;
    this.writeChoice(choice, date);
    const name = JSON.stringify(this.question());
    if (name !== this.asked) this.ask(name);
    this.views();
    if (this.answer) this.bills.show(choice);
    this.outlook.show(choice);
  }

  hide() {}

  draw() {
    if (this.choice.view === "bills") this.bills.draw();
    else this.outlook.draw();
  }

  ask(name) {
    this.asked = name;
    this.root.classList.add("stale");
    this.fault.hidden = true;
    const question = this.question();
    const begun = this.app.ask("bill", question, {
      progress: (p) => this.progress(p, () => begun.cancel()),
      part: (answer) => {
        this.answer = answer;
        this.answered = question;
        if (!this.choice.only) this.models = answer.bill.log?.models ?? [];
        this.names.set(this.handle, answer.log.name);
        this.bills.give(answer.bill, this.billSpeech(answer.bill.currency));
        this.outlook.offers(answer.bill);
        this.writeChoice(this.choice, this.app.state.get().date);
        this.views();
        this.bills.show(this.choice);
        this.outlook.show(this.choice);
      },
      error: (error) => this.failed(error),
      done: () => this.settled(),
    });
    this.progress({text: "desk.progress.reading", done: 0, of: 0}, () => begun.cancel());
  }

  settled() {
    this.root.classList.remove("stale");
    this.root.dataset.billed = "yes";
    this.under.replaceChildren();
  }

  // progress: {text, done, of}; stop: what the button does.
  progress({text, done, of}, stop) {
    this.root.dataset.billed = "no";
    const {speech} = this.app;
    if (!this.bar?.isConnected) {
      this.bar = el("progress", {});
      this.doing = el("span");
      this.under.replaceChildren(this.bar, this.doing, button(speech.word("desk.cancel"), {press: () => {
        stop();
        this.settled();
        this.failed({what: speech.word("desk.stopped"), remedy: null, where: null}, () => { this.asked = null; this.show(); });
      }}));
    }
    if (of) { this.bar.max = of; this.bar.value = done; } else this.bar.removeAttribute("value");
    this.bar.setAttribute("aria-label", speech.word(text));
    this.doing.textContent = speech.word(text);
  }

  // An error stands where the answer would: what, where, what to do. again: offers another try.
  failed({what, where, remedy}, again = null) {
    const {speech} = this.app;
    this.settled();
    this.root.classList.add("stale");
    this.fault.hidden = false;
    this.fault.replaceChildren(...[
      el("p", {}, el("strong", {lang: again ? null : "en"}, what), where ? [" ", el("code", {}, where)] : null),
      remedy ? el("p", {lang: "en"}, remedy) : null,
      /--(format|map|zone)\b/.test(remedy ?? "") ? el("p", {}, speech.word("desk.fault.here")) : null,
      el("div", {class: "buttons"}, again ? button(speech.word("desk.again"), {press: again}) : null,
        this.handle ? button(speech.word("desk.use_sample"), {press: () => this.set({log: "sample"})}) : null),
    ].filter(Boolean));
    if (/--(format|map)\b/.test(remedy ?? "")) this.more.open = true;
    this.views();
  }

  // ---------------------------------------------------------------- words

  speak(language) {
    this.spoken = language;
    this.lists = {};
    const {speech} = this.app;
    for (const [node, key] of this.words) node.textContent = speech.word(key);
    this.maps.placeholder = speech.word("desk.maps.example");
    this.drop.setAttribute("aria-label", speech.word("desk.drop"));
    this.zone.placeholder = "Asia/Shanghai";
    this.writeFormats();
    this.writeLog();
    if (this.answer) this.bills.give(this.answer.bill, this.billSpeech(this.answer.bill.currency));
    this.outlook.speak();
  }

  // The report's words, and the advice's, which stand in the catalogue under a prefix.
  list(which) {
    const {language} = this.app.state.get();
    this.lists[which] ??= Object.fromEntries([language, "en"].map((each) => [each, Object.fromEntries(Object.entries(this.app.words[each])
      .filter(([key]) => key.startsWith(PREFIX[which])).map(([key, text]) => [key.slice(PREFIX[which].length), text]))]));
    return this.lists[which];
  }

  billSpeech(currency) { return new Speech(this.list("bill"), this.app.state.get().language, currency ?? "USD"); }

  adviceSpeech(currency) { return new AdviceSpeech(this.list("advice"), this.app.state.get().language, currency ?? "USD"); }

  made() {
    const {speech} = this.app;
    return `pricewar ${document.documentElement.dataset.version} · ${this.answer ? `${this.answer.log.name} · ${speech.text("desk.as_of", {day: this.answer.bill.as_of})}` : ""}`;
  }

  // ---------------------------------------------------------------- the log and how it is read

  writeParts() {
    this.words = [];
    const worded = (node, key) => { this.words.push([node, key]); return node; };
    const field = (key, input, look = null) => el("label", {class: look}, worded(el("span"), key), input);
    this.file = el("input", {type: "file", id: "desk-file", hidden: true});
    this.file.addEventListener("change", () => { if (this.file.files[0]) this.take([...this.file.files]); this.file.value = ""; });
    this.logLine = el("p", {class: "log-name"});
    this.choose = worded(button("", {press: () => this.file.click()}), "desk.choose");
    this.sample = worded(button("", {press: () => this.set({log: "sample", only: ""})}), "desk.use_sample");
    this.drop = el("section", {class: "card drop", id: "desk-drop"}, el("div", {class: "drop-line"}, this.logLine, el("div", {class: "buttons"}, this.choose, this.file, this.sample)),
      worded(el("p", {class: "quiet"}), "desk.stays"));
    this.listenDrop();

    const today = () => new Date().toISOString().slice(0, 10);
    this.day = el("input", {type: "date", id: "desk-day", max: today(), min: "2023-01-01"});
    // Today is the date of a fresh page, so that a link of today is tomorrow's too.
    this.day.addEventListener("change", () => this.app.state.set({date: this.day.value === today() ? "" : this.day.value}));
    this.only = el("select", {id: "desk-only"});
    this.only.addEventListener("change", () => this.set({only: this.only.value}));
    this.format = el("select", {id: "desk-format"});
    this.format.addEventListener("change", () => this.set({format: this.format.value}));
    const typed = (key, id) => {
      const input = el("input", {type: "text", id, autocomplete: "off", spellcheck: "false"});
      input.addEventListener("change", () => this.set({[key]: input.value.trim()}));
      return input;
    };
    this.zone = typed("zone", "desk-zone");
    this.maps = typed("maps", "desk-maps");
    this.currency = el("select", {id: "desk-currency"}, ["USD", "EUR", "CNY", "JPY"].map((code) => el("option", {value: code === "USD" ? "" : code}, code)));
    this.currency.addEventListener("change", () => this.set({currency: this.currency.value}));
    this.moreTitle = worded(el("summary"), "desk.reading");
    this.more = el("details", {class: "more-read"}, this.moreTitle, el("div", {class: "filters"}, field("desk.format", this.format), field("desk.zone", this.zone), field("desk.maps", this.maps, "grow")),
      worded(el("p", {class: "quiet"}), "desk.maps.note"));
    const options = el("div", {class: "filters"}, field("desk.only", this.only), field("desk.date", this.day), field("desk.currency", this.currency), this.more);
    this.drop.append(options);

    this.under = el("div", {class: "status", role: "status"});
    this.fault = el("div", {class: "notice bad fault", role: "alert", hidden: true});
    this.tabs = el("div", {class: "tabs views", role: "group"}, ["bills", "outlook"].map((view) => {
      const node = worded(button("", {press: () => this.set({view}), pressed: false}), `desk.view.${view}`);
      node.dataset.view = view;
      return node;
    }));
    this.takes = el("div", {class: "buttons takes"});
    this.viewsLine = el("div", {class: "views-line"}, this.tabs, this.takes);
    this.billsPlace = el("div", {class: "desk-bills"});
    this.outlookPlace = el("div", {class: "desk-outlook"});
    this.root.append(this.drop, this.fault, this.under, this.viewsLine, this.billsPlace, this.outlookPlace);
  }

  listenDrop() {
    const over = (on) => this.drop.classList.toggle("over", on);
    this.root.addEventListener("dragover", (event) => {
      if (![...event.dataTransfer?.types ?? []].includes("Files")) return;
      event.preventDefault();
      over(true);
    });
    this.root.addEventListener("dragleave", (event) => { if (!this.root.contains(event.relatedTarget)) over(false); });
    this.root.addEventListener("drop", (event) => {
      event.preventDefault();
      over(false);
      if (event.dataTransfer?.files.length) this.take([...event.dataTransfer.files]);
    });
  }

  // Hands a file to the server on this machine and asks for its bill.
  async take(files) {
    const {app} = this, [file] = files;
    if (files.length > 1) app.notice(app.speech.text("desk.one_file", {name: file.name}));
    this.fault.hidden = true;
    this.progress({text: "desk.progress.taking", done: 0, of: 0}, () => this.taking?.abort());
    this.taking = new AbortController();
    try {
      const answer = await fetch(`/log?name=${encodeURIComponent(file.name)}`, {method: "POST", body: file, signal: this.taking.signal});
      const said = await answer.json();
      if (!answer.ok) return void this.failed(said.error);
      this.names.set(said.log, said.name);
      this.set({log: said.log, only: "", format: "", maps: ""});
    } catch (error) {
      if (error.name !== "AbortError") this.failed({what: app.speech.word("connection.closed"), where: null, remedy: null}, () => this.take(files));
    }
  }

  writeFormats() {
    const {speech} = this.app;
    this.format.replaceChildren(el("option", {value: ""}, speech.word("desk.format.auto")), ...(this.known?.formats ?? []).map(({key, title}) => el("option", {value: key}, title)));
    this.format.value = this.choice.format;
  }

  writeChoice(choice, date) {
    for (const [input, value] of [[this.day, date || this.answer?.bill.as_of || ""], [this.zone, choice.zone], [this.maps, choice.maps], [this.format, choice.format], [this.currency, choice.currency]]) {
      if (document.activeElement !== input || input.tagName === "SELECT") input.value = value;
    }
    this.writeOnly(choice.only);
    this.writeLog();
  }

  writeOnly(only) {
    const names = [...new Set([...(this.models ?? []).map((m) => [m.vendor, m.model].filter(Boolean).join("/")), ...(only ? [only] : [])])];
    this.only.replaceChildren(el("option", {value: ""}, this.app.speech.word("desk.only.all")), ...names.map((name) => el("option", {value: name}, name)));
    this.only.value = only;
  }

  writeLog() {
    const {speech} = this.app;
    const name = this.names.get(this.handle);
    const log = this.here ? this.answer.bill.log : null;
    const facts = log ? [speech.text("desk.records", {rows: log.rows}), log.format].join(" · ") : "";
    this.logLine.replaceChildren(this.handle ? given(name ?? "…", "strong") : el("strong", {}, speech.word("desk.sample")), facts ? ` · ${facts}` : "");
    this.sample.hidden = !this.handle;
  }

  // ---------------------------------------------------------------- what is shown, and taken away

  views() {
    const {view} = this.choice;
    for (const node of this.tabs.children) node.setAttribute("aria-pressed", String(node.dataset.view === view));
    this.viewsLine.hidden = !this.here;
    this.billsPlace.hidden = view !== "bills" || !this.here;
    this.outlookPlace.hidden = view === "bills" || !this.here;
    const take = (name, key) => button(this.app.speech.word(key), {press: () => this.export(name)});
    const again = (text) => [button(this.app.speech.word("desk.copy.command"), {press: () => copy(this.app, text().command, "desk.copied.command")}),
      button(this.app.speech.word("desk.copy.python"), {press: () => copy(this.app, text().python, "desk.copied.python")})];
    if (view === "bills") this.takes.replaceChildren(take("bills.csv", "desk.take.csv"), take("report.html", "desk.take.report"), ...again(() => this.answer));
    else if (this.outlook.answer) this.takes.replaceChildren(take("advice.html", "desk.take.advice"), take("gateway.zip", "desk.take.gateway"), ...again(() => this.outlook.answer));
    else this.takes.replaceChildren();
  }

  async export(name) {
    const {app} = this;
    const choice = name.startsWith("bills") || name.startsWith("report") ? this.answered : this.outlook.answered;
    app.say(app.speech.text("desk.taking", {name}));
    try {
      const answer = await fetch(`/export/${name}?${new URLSearchParams({choice: JSON.stringify(choice), lang: app.state.get().language})}`);
      if (answer.ok) download(name, await answer.blob());
      else app.failed((await answer.json()).error);
    } catch { app.notice(app.speech.word("connection.closed"), null, "bad"); }
  }

  // Opens the itemised bill of an offer, with its sources.
  reveal(id) {
    if (this.choice.view !== "bills") this.set({view: "bills"});
    requestAnimationFrame(() => requestAnimationFrame(() => this.bills.reveal(id)));
  }
}
