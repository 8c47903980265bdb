// The outlook: what to do, what it costs over the team's horizon, and when to look again.
import {AdviceView} from "./advice_view.js";
import {Card, behind, button, el, given, table} from "./parts.js";

const CARDS = ["versus", "strategies", "leaving", "causes", "free"];
const WAIT = 600; // ms after the last change of the team before the outlook is asked again

export class Outlook {
  constructor(root, desk) {
    this.root = root;
    this.desk = desk;
    this.app = desk.app;
    this.answer = null;
    this.writeTeam();
    this.under = el("div", {class: "status", role: "status"});
    this.fault = el("div", {class: "notice bad fault", role: "alert", hidden: true});
    this.story = el("ul", {class: "story"});
    this.figures = el("dl", {class: "kpis"});
    this.meta = el("p", {class: "quiet"});
    this.cards = Object.fromEntries(CARDS.map((key) => [key, new Card(this.app, `desk-${key}`)]));
    this.tale = el("ul", {class: "tale"});
    this.cards.versus.noteLine.after(this.tale);
    this.plan = new Card(this.app, "desk-plan", {legend: true});
    this.planWords = el("div", {class: "plan-words"});
    this.plan.noteLine.after(this.planWords);
    this.offersPlace = el("section", {class: "card long"});
    this.made = el("section", {class: "card long"});
    this.body = el("div", {class: "outlook-body", hidden: true}, el("section", {class: "answer"}, this.story, this.figures, this.meta), this.cards.strategies.root, this.plan.root, this.cards.versus.root,
      el("div", {class: "grid2 loads"}, this.cards.leaving.root, this.cards.causes.root), this.cards.free.root, this.offersPlace, this.made);
    root.append(this.team, this.fault, this.under, this.body);
  }

  // ---------------------------------------------------------------- the team

  writeTeam() {
    const {desk} = this;
    const number = (key, id, more) => {
      const input = el("input", {type: "number", id, step: "any", inputmode: "decimal", ...more});
      input.addEventListener("change", () => desk.set({[key]: input.value === "" || !Number.isFinite(input.valueAsNumber) ? "" : String(input.valueAsNumber)}));
      return input;
    };
    this.inputs = {
      growth: number("growth", "desk-growth", {min: -49, max: 100}),
      day: number("day", "desk-engineer", {min: 0}),
      present: el("input", {type: "text", id: "desk-present", list: "desk-ids", autocomplete: "off", spellcheck: "false"}),
      months: number("months", "desk-months", {min: 0, max: 600, step: 1}),
      draws: el("select", {id: "desk-draws"}, ["200", "600", "2000"].map((n) => el("option", {value: n}, n))),
    };
    this.inputs.present.addEventListener("change", () => desk.set({present: this.inputs.present.value.trim()}));
    this.inputs.draws.addEventListener("change", () => desk.set({draws: this.inputs.draws.value}));
    this.ids = el("datalist", {id: "desk-ids"});
    this.labels = {};
    const label = (key) => el("label", {class: key === "present" ? "grow" : null}, this.labels[key] = el("span"), this.inputs[key]);
    this.text = el("textarea", {id: "desk-team", rows: 14, spellcheck: "false", autocomplete: "off", autocapitalize: "off", "aria-describedby": "desk-team-fault"});
    this.text.addEventListener("change", () => desk.set({team: this.text.value.trim() ? this.text.value : ""}));
    this.text.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) desk.set({team: this.text.value.trim() ? this.text.value : ""});
    });
    this.teamFault = el("p", {class: "flag", id: "desk-team-fault", role: "alert"});
    this.fill = button("", {press: () => { this.text.value = desk.known?.template ?? ""; this.text.focus(); }});
    this.apply = button("", {press: () => desk.set({team: this.text.value.trim() ? this.text.value : ""})});
    this.clear = button("", {press: () => { this.text.value = ""; desk.set({team: ""}); }});
    this.yamlTitle = el("summary");
    this.yamlLabel = el("label", {for: "desk-team", class: "quiet"});
    this.yaml = el("details", {class: "yaml"}, this.yamlTitle, this.yamlLabel, this.text, el("div", {class: "buttons"}, this.apply, this.fill, this.clear));
    this.teamTitle = el("h2");
    this.teamNote = el("p", {class: "quiet"});
    this.begin = button("", {look: "main", press: () => this.ask()});
    this.team = el("section", {class: "card team"}, this.teamTitle, this.teamNote, el("div", {class: "filters"}, Object.keys(this.inputs).map(label), this.begin), this.ids, this.teamFault, this.yaml);
  }

  // Ids that may be the present offer.
  offers(bill) { this.ids.replaceChildren(...(bill.offers ?? []).filter((o) => o.exact || o.kind === "list").map((o) => el("option", {value: o.id}))); }

  speak() {
    const {speech} = this.app;
    this.teamTitle.textContent = speech.word("desk.team");
    this.teamNote.textContent = speech.word("desk.team.note");
    for (const [key, node] of Object.entries(this.labels)) node.textContent = speech.word(`desk.team.${key}`);
    this.inputs.growth.placeholder = "0";
    this.inputs.day.placeholder = "800";
    this.inputs.months.placeholder = "0";
    this.inputs.present.placeholder = "openai/gpt-5-mini";
    this.yamlTitle.textContent = speech.word("desk.yaml");
    this.yamlLabel.textContent = speech.word("desk.yaml.note");
    for (const [node, key] of [[this.fill, "desk.yaml.fill"], [this.apply, "desk.yaml.apply"], [this.clear, "desk.yaml.clear"], [this.begin, "desk.begin"]]) node.textContent = speech.word(key);
    if (this.answer) this.write();
  }

  question() {
    const choice = this.desk.choice;
    const number = (text, times = 1) => (text === "" || !Number.isFinite(Number(text)) ? null : Number((Number(text) * times).toPrecision(12)));
    const said = choice.team ? {team: choice.team} : {growth: number(choice.growth, 0.01), engineer_day: number(choice.day), present: choice.present, months: Math.max(0, Math.round(number(choice.months) ?? 0))};
    const draws = Math.round(Number(choice.draws));
    return {...this.desk.question(), ...said, draws: draws >= 2 && draws <= 5000 ? draws : 600};
  }

  show(choice) {
    const {draws} = this.inputs;
    if (![...draws.options].some((o) => o.value === choice.draws)) draws.append(el("option", {value: choice.draws}, choice.draws));
    for (const [key, input] of Object.entries(this.inputs)) {
      if (document.activeElement !== input || input.tagName === "SELECT") input.value = choice[key];
      if (key !== "draws") input.disabled = Boolean(choice.team);
    }
    if (document.activeElement !== this.text) this.text.value = choice.team;
    this.clear.disabled = !choice.team;
    if (choice.team && !this.yaml.open) this.yaml.open = true;
    if (this.root.hidden) return;
    const name = JSON.stringify(this.question());
    if (name !== this.asked) {
      clearTimeout(this.waiting);
      this.waiting = setTimeout(() => { if (!this.root.hidden) this.ask(); }, this.asked ? WAIT : 0);
      this.body.classList.add("stale");
    } else if (this.undrawn) this.draw();
  }

  // ---------------------------------------------------------------- asking

  ask() {
    clearTimeout(this.waiting);
    this.asked = JSON.stringify(this.question());
    this.fault.hidden = true;
    this.mark(null);
    this.body.classList.add("stale");
    this.begin.disabled = true;
    const {speech} = this.app;
    const question = this.question();
    const asked = this.app.ask("outlook", question, {
      progress: (p) => this.progress(p),
      part: (answer) => {
        this.answer = answer;
        this.answered = {...question, draws: answer.draws};
        this.body.hidden = false;
        this.write();
        this.body.classList.toggle("stale", answer.draws < answer.of);
        this.desk.views();
      },
      error: (error) => this.failed(error),
      done: () => this.settled(),
    });
    this.bar = el("progress", {});
    this.doing = el("span", {}, speech.word("desk.progress.reading"));
    this.under.replaceChildren(this.bar, this.doing, button(speech.word("desk.cancel"), {press: () => {
      asked.cancel();
      this.settled();
      this.under.replaceChildren(el("span", {}, speech.word("desk.stopped")));
    }}));
    this.root.dataset.whole = "no";
  }

  progress({text, done, of}) {
    if (of) { this.bar.max = of; this.bar.value = done; }
    const first = this.answer && this.body.classList.contains("stale") && done > of / 2 ? `${this.app.speech.word("desk.more_futures")} ` : "";
    this.doing.textContent = first + this.app.speech.word(text);
    this.bar.setAttribute("aria-label", this.doing.textContent);
  }

  settled() {
    this.under.replaceChildren();
    this.begin.disabled = false;
    this.root.dataset.whole = "yes";
    if (this.answer && this.answer.draws >= this.answer.of) this.body.classList.remove("stale");
  }

  failed({what, where, remedy}) {
    this.settled();
    this.body.classList.add("stale");
    if (/^team(\.yaml)?\b/.test(where ?? "")) return void this.mark({what, where, remedy});
    this.fault.hidden = false;
    this.fault.replaceChildren(el("p", {}, el("strong", {lang: "en"}, what), where ? [" ", el("code", {}, where)] : null), remedy ? el("p", {lang: "en"}, remedy) : "");
  }

  // The team's mistake, at its line.
  mark(error) {
    this.teamFault.replaceChildren(...(error ? [given([error.where, error.what, error.remedy].filter(Boolean).join(" · "))] : []));
    if (!error) return void this.text.removeAttribute("aria-invalid");
    if (!this.text.value) return; // a mistake in the few fields: its words say which
    this.yaml.open = true;
    this.text.setAttribute("aria-invalid", "true");
    const line = Number(/:(\d+)/.exec(error.where)?.[1]);
    if (!line) return;
    const lines = this.text.value.split("\n");
    const from = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
    this.text.focus();
    this.text.setSelectionRange(from, from + (lines[line - 1]?.length ?? 0));
  }

  // ---------------------------------------------------------------- writing

  write() {
    const data = this.answer.outlook;
    this.speech = this.desk.adviceSpeech(data.currency);
    const {speech} = this;
    this.view = new AdviceView(data, speech, (id, label) => button(given(label), {look: "plain as-link", title: this.app.speech.word("desk.open_bill"), press: () => this.desk.reveal(id)}));
    const {view} = this;
    const tabled = (sheet) => table(speech, sheet);
    this.story.replaceChildren(...view.story().map((text) => el("li", {}, text)));
    this.figures.replaceChildren(...view.figures());
    const few = this.answer.draws < this.answer.of;
    this.meta.textContent = [view.meta,
      few ? this.app.speech.text("desk.few", {draws: this.answer.draws, of: this.answer.of}) : ""].filter(Boolean).join(" · ");
    const plan = view.plan();
    this.planWords.replaceChildren(el("p", {}, plan.begin), el("div", {class: "two"}, el("div", {}, tabled(plan.triggers)), el("div", {}, el("h3", {}, speech.word("plan.look")), el("ul", {class: "looks"}, plan.looks.map((text) => el("li", {}, text))))), el("h3", {}, speech.word("plan.occupancy")));
    const more = (title, sheet) => {
      const node = el("details", {}, el("summary", {}, title), el("div", {class: "inside"}));
      behind(node, () => tabled(sheet()));
      return node;
    };
    this.offersPlace.replaceChildren(el("h2", {}, speech.word("offers.title")), el("p", {class: "quiet"}, speech.text("offers.note", {months: data.months})), tabled(view.offers()),
      more(speech.word("offers.why"), () => view.knowledge()), el("h3", {}, speech.word("out.title")), el("p", {}, view.outSummary), tabled(view.outCounts()), more(speech.word("data"), () => view.out()), ...view.skipped());
    this.made.replaceChildren(el("h2", {}, speech.word("made")), tabled(view.worths()), more(speech.word("assumptions.title"), () => view.assumptions()), ...view.made());
    this.made.querySelector("code").id = "desk-advise";
    this.draw();
  }

  draw() {
    this.undrawn = this.root.offsetParent === null; // out of sight there is no width to draw to
    if (!this.view || this.undrawn) return;
    const {view, speech} = this;
    for (const key of CARDS) {
      const card = this.cards[key], made = view[key]();
      card.root.hidden = !made;
      if (made) this.fillCard(card, made);
      if (key === "versus") this.tale.replaceChildren(...(made?.tale ?? []).map((text) => el("li", {}, text)));
    }
    const occupancy = view.occupancy();
    this.plan.legend.replaceChildren(...occupancy.legend);
    this.fillCard(this.plan, occupancy);
    this.plan.title(speech.word("plan.title"));
  }

  fillCard(card, made) {
    card.title(made.title);
    card.note(made.note);
    card.chart.replaceChildren(...made.draw(card.width, card.alt));
    card.sheet(made.sheet);
  }
}
