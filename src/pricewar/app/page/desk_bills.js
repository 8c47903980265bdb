// Today's bill: what every offer would charge for the log, each number with where it comes from.
import {BillView} from "./bills_view.js";
import {OfferTable, offerLabel} from "./bill.js";
import {Card, behind, button, el, given, table} from "./parts.js";

const SELECTS = ["kind", "vendor", "models", "order", "count"];

export class Bills {
  constructor(root, desk) {
    this.root = root;
    this.desk = desk;
    this.app = desk.app;
    this.headline = el("h2", {id: "headline"});
    this.figures = el("dl", {class: "kpis"});
    this.names = {};
    this.selects = Object.fromEntries(SELECTS.map((key) => {
      const select = el("select", {id: `desk-by-${key}`});
      select.addEventListener("change", () => desk.set({[key]: select.value}));
      return [key, select];
    }));
    this.search = el("input", {type: "search", id: "desk-search", autocomplete: "off", spellcheck: "false"});
    this.search.addEventListener("input", () => desk.set({search: this.search.value.slice(0, 200)}, "desk-search"));
    this.matches = el("output", {id: "matches", "aria-live": "polite"});
    const label = (key, input, look = null) => el("label", {class: look}, this.names[key] = el("span"), input);
    this.filters = el("div", {class: "filters", role: "search"}, label("kind", this.selects.kind), label("vendor", this.selects.vendor), label("models", this.selects.models),
      label("search", this.search, "grow"), label("order", this.selects.order), label("count", this.selects.count), this.matches);
    this.gap = new Card(this.app, "desk-gap", {legend: true});
    this.served = new Card(this.app, "desk-served", {legend: true});
    this.days = new Card(this.app, "desk-days");
    this.models = new Card(this.app, "desk-models", {legend: true});
    this.gap.chart.classList.add("pointed");
    this.gap.chart.addEventListener("click", () => { // the offer under the pointer
      const at = this.gap.chart.querySelector("svg")?.value;
      if (at?.row?.offer) this.reveal(at.row.offer.id);
    });
    this.table = el("table", {id: "offer-table"});
    this.all = button("", {press: () => { this.rows.whole = true; this.show(desk.choice, true); }});
    this.all.id = "show-all";
    this.offersTitle = el("h2", {id: "desk-offers-title"});
    this.offersNote = el("p", {class: "quiet"});
    // A number of a row opens where it comes from, as the row's name does.
    this.table.addEventListener("click", (event) => {
      if (event.target.closest(".figure, .range") && !event.target.closest(".detail")) event.target.closest("tr").querySelector(".opener")?.click();
    });
    this.rests = el("section", {class: "card"});
    root.append(el("section", {class: "answer"}, this.headline, this.figures), this.filters, this.gap.root, this.served.root,
      el("div", {class: "grid2 loads"}, this.days.root, this.models.root),
      el("section", {class: "card offers", id: "desk-offers", tabindex: "-1"}, this.offersTitle, this.offersNote, el("div", {class: "scroll wide", tabindex: "0", role: "region", "aria-labelledby": "desk-offers-title"}, this.table), this.all),
      this.rests);
  }

  // A comparison, and the language it is told in.
  give(data, speech) {
    const before = this.data;
    this.data = data;
    this.speech = speech;
    this.view = new BillView(data, speech);
    if (before !== data) {
      this.table.replaceChildren();
      this.rows = new OfferTable(this.table, this.view.offers, (key) => {
        const {sort, down} = this.desk.choice;
        this.desk.set({sort: key, down: sort === key && !down ? "1" : ""});
      });
    }
    this.rows.speak(speech);
    this.shown = null;
    this.write();
  }

  write() {
    const {speech, view} = this;
    this.headline.replaceChildren(...view.headline());
    this.figures.replaceChildren(...view.figures((offer) => this.named(offer)));
    for (const [key, word] of [["kind", "filter.kind"], ["models", "filter.class"], ["search", "filter.search"], ["order", "filter.order"], ["count", "filter.count"]]) this.names[key].textContent = speech.word(word);
    this.names.vendor.textContent = this.app.speech.word("desk.vendor");
    this.search.placeholder = speech.word("filter.placeholder");
    const options = {
      kind: [["", speech.word("filter.all")], ...view.kinds.map((kind) => [kind, speech.word(`kind.${kind}`, kind)])],
      vendor: [["", this.app.speech.word("desk.vendor.all")], ...view.vendors.map((vendor) => [vendor, vendor])],
      models: ["all", "same", "full"].map((key) => [key, speech.word(`filter.class.${key}`)]),
      order: ["kinds", "cheap", "gap"].map((key) => [key, speech.word(`filter.order.${key}`)]),
      count: [...["10", "20", "40", "80"].map((n) => [n, n]), ["all", speech.word("filter.count.all")]],
    };
    for (const [key, select] of Object.entries(this.selects)) select.replaceChildren(...options[key].map(([value, text]) => el("option", {value}, text)));
    this.gap.legend.replaceChildren(...view.legend());
    this.served.legend.replaceChildren(...view.parts());
    this.offersTitle.textContent = speech.word("offers");
    this.offersNote.textContent = `${speech.word("offers.note")} ${this.app.speech.word("desk.sources")}`;
    this.writeRests();
  }

  named(offer) { return button(given(offerLabel(offer)), {look: "plain as-link", title: this.app.speech.word("desk.open_bill"), press: () => this.reveal(offer.id)}); }

  writeRests() {
    const {speech, view} = this;
    const tabled = (sheet) => table(speech, sheet);
    const part = (key, ...inside) => el("div", {}, el("h3", {}, speech.word(key)), inside);
    const summary = el("summary", {}, speech.text("made.not_billed_n", {n: this.data.not_billed?.length ?? 0}));
    const outside = el("details", {id: "desk-outside"}, summary, el("div", {class: "inside"}));
    behind(outside, () => tabled(view.outside()));
    this.rests.replaceChildren(el("h2", {}, speech.word("made")), el("div", {class: "two"},
      part("made.exclusions", el("div", {id: "desk-excluded"}, view.exclusions(tabled))), part("made.baseline", view.logged(tabled)),
      part("made.assumptions", view.assumptions(tabled)), part("made.how", view.made(), el("h4", {}, speech.word("made.again")), el("pre", {class: "scroll", tabindex: "0"}, el("code", {id: "desk-command"}, String(this.data.command ?? ""))))),
    this.data.not_billed?.length ? part("made.not_billed", outside) : "");
  }

  show(choice, again = false) {
    for (const [key, select] of Object.entries(this.selects)) {
      select.value = choice[key];
      if (select.selectedIndex < 0) select.selectedIndex = 0;
    }
    if (document.activeElement !== this.search) this.search.value = choice.search;
    if (this.root.hidden) return;
    const shown = JSON.stringify(SELECTS.map((key) => choice[key]).concat(choice.search));
    const sorted = JSON.stringify([shown, choice.sort, choice.down]);
    const {view, speech} = this;
    const places = view.chosen(choice);
    if (shown !== this.shown || this.undrawn) {
      this.shown = shown;
      this.places = places;
      this.matches.textContent = speech.text("filter.matches", {n: places.length, all: view.offers.length});
      this.draw();
      this.sorted = null;
    }
    if (sorted !== this.sorted || again) {
      this.sorted = sorted;
      const waiting = this.rows.show(places, {key: choice.sort, down: choice.down === "1"});
      this.all.hidden = !waiting;
      this.all.textContent = speech.text("offers.all", {n: places.length});
    }
  }

  draw() {
    this.undrawn = this.root.offsetParent === null; // out of sight there is no width to draw to
    if (!this.view || this.undrawn) return;
    const {view} = this, choice = this.desk.choice, places = this.places ?? view.chosen(choice);
    const load = view.load();
    this.models.legend.replaceChildren(...load.meters.map(({key, label}) => el("li", {}, el("span", {class: `swatch m-${key.replaceAll("_", "-")}`}), label)));
    for (const [card, made, title] of [[this.gap, view.gap(places, choice)], [this.served, view.served(places, choice)], [this.days, load.days, load.title], [this.models, load.models]]) {
      card.title(made.title);
      if (title) card.heading.replaceChildren(...title);
      card.note(made.note);
      card.chart.replaceChildren(made.draw(card.width));
      card.sheet(made.sheet);
    }
    this.rows.widen();
  }

  // Opens the bill of an offer and goes there, past filters that would hide it.
  reveal(id) {
    const place = this.view.offers.findIndex((offer) => offer.id === id);
    if (place < 0) return void this.app.notice(this.app.speech.text("desk.not_here", {offer: id}));
    if (!this.view.chosen(this.desk.choice).includes(place)) this.desk.set({kind: "", vendor: "", models: "all", search: ""});
    this.rows.whole = true;
    this.show(this.desk.choice, true);
    const opener = this.rows.row(place)[0].querySelector(".opener");
    if (opener.getAttribute("aria-expanded") !== "true") opener.click();
    opener.focus({preventScroll: true});
    opener.scrollIntoView({block: "center"});
  }
}
