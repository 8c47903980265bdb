// The games: choose one, move its parameters, see its equilibria, how prices depend on the state, and the published
// figures beside ours. The server solves; this page shows.
import {button, copy, el, given} from "./parts.js";
import {Cards} from "./games_cards.js";
import {Parameters} from "./games_parameters.js";

const CALM_START = 2500; // ms after which a start that takes long says why
const FIRST = "learning-bdk2014";

const isObject = (v) => v !== null && typeof v === "object" && !Array.isArray(v);
const whole = (v, low, high) => (Number.isInteger(v) && v >= low && v <= high ? v : undefined);

// What a link holds of the games; whatever does not fit is as on a fresh page.
export function held(from) {
  const {game, set, all, budget, seed, k, at, show, moves, trace, figures} = from;
  const numbers = (o) => Object.fromEntries(Object.entries(isObject(o) ? o : {}).filter(([, v]) => Number.isFinite(v)));
  return {
    game: typeof game === "string" ? game : FIRST, set: numbers(set), all: all === true, k: whole(k, 1, 1e6) ?? 1,
    budget: whole(budget, 1, 5000), seed: whole(seed, 0, 2 ** 31), show: typeof show === "string" ? show : "price", moves: moves === true, figures: figures === true,
    at: Array.isArray(at) && at.length === 2 && at.every(Number.isFinite) ? at : [1, 1],
    trace: isObject(trace) && typeof trace.parameter === "string" && Number.isFinite(trace.low) && Number.isFinite(trace.high) ? {...trace, set: numbers(trace.set)} : null,
  };
}

export async function mount(root, app) {
  await dressed();
  return new Games(root, app);
}

// The tab's own style, waited for so that nothing jumps.
function dressed() {
  return new Promise((done) => {
    const link = el("link", {rel: "stylesheet", href: "/page/games.css"});
    link.onload = link.onerror = () => done();
    document.head.append(link);
  });
}

class Games {
  constructor(root, app) {
    this.app = app;
    root.classList.add("games");
    this.aside = el("aside", {class: "levers"});
    this.status = el("div", {class: "status"});
    this.body = el("div", {class: "body"});
    root.append(el("div", {class: "room"}, this.aside, this.body));
    this.says = el("span", {class: "says", role: "status"});
    this.bar = el("progress", {max: 1, value: 0});
    this.stop = button("", {press: () => this.cancel()});
    this.copyCommand = button("", {press: () => this.copyText("command")});
    this.copyPython = button("", {press: () => this.copyText("python")});
    this.status.append(this.says, this.bar, this.stop, el("span", {class: "grow"}, this.copyCommand, " ", this.copyPython));
    this.failure = el("div", {class: "notice bad", role: "alert", hidden: true});
    this.body.append(this.status, this.failure);
    this.jobs = new Map(); // topic → {cancel, progress}
    this.parameters = new Parameters(this.aside, app, this);
    this.cards = new Cards(this.body, app, this);
    // The picture of the cells holds the colours of the theme it was drawn in.
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  get now() { return held(this.app.state.get().games); }

  get game() { return this.known?.find((g) => g.name === this.now.game) ?? null; }

  // Changes the games' part of the state.
  change(patch, merge = null) {
    this.app.state.set({games: {...this.app.state.get().games, ...patch}}, {merge});
  }

  // ---------------------------------------------------------------- what is asked

  show(state) {
    if (!this.known) return this.learn();
    const now = this.now;
    if (!this.game) {
      this.app.notice(this.app.speech.text("games.unknown_game", {name: now.game}), null, "bad");
      return this.app.state.begin({games: {}});
    }
    const look = `${state.language}|${state.theme}`;
    const spoken = this.look !== look;
    this.look = look;
    this.parameters.show(spoken);
    this.question();
    this.cards.show(spoken);
    this.writeStatus();
  }

  hide() {}

  draw() { this.cards.draw(); }

  learn() {
    if (this.learning) return;
    this.learning = true;
    this.app.ask("games", {}, {
      part: ({games}) => {
        this.known = games;
        this.show(this.app.state.get());
      },
      error: (error) => {
        this.learning = false;
        this.app.failed(error);
      },
    });
  }

  message() {
    const {game, set, all, budget, seed, k} = this.now;
    const search = all ? {all, ...(budget ? {budget} : {}), ...(seed ? {seed} : {})} : {};
    return {game, set, ...search, k};
  }

  // Asks for the equilibria as the state has them, unless they are here.
  question() {
    const {k, ...rest} = this.message();
    const name = JSON.stringify(rest);
    const here = this.asked === name && (!this.answer?.whole || this.answer.details[k] || k > this.answer.count);
    if (here) return;
    if (this.askedGame !== rest.game) {
      for (const topic of [...this.jobs.keys()]) this.drop(topic);
      this.answer = null;
      this.cards.forget();
    }
    this.asked = name;
    this.askedGame = rest.game;
    this.failure.hidden = true;
    this.body.classList.add("stale");
    this.body.dataset.whole = "no";
    this.cards.forgetRules();
    this.run("game", this.message(), {
      part: (answer) => {
        this.answer = answer;
        this.body.classList.remove("stale");
        this.cards.solved();
      },
      done: () => { this.body.dataset.whole = "yes"; },
    });
  }

  // A question with its progress and its end; `part` gets the answers.
  run(topic, message, {part, done = () => {}}) {
    clearTimeout(this.jobs.get(topic)?.waiting); // the wire gives the older question until its first part
    const job = {progress: null};
    this.jobs.set(topic, job);
    const over = () => {
      clearTimeout(job.waiting);
      if (this.jobs.get(topic) === job) this.jobs.delete(topic);
      this.writeStatus();
    };
    job.waiting = setTimeout(() => {
      if (job.progress?.text === "games.progress.starting") job.progress = {text: "games.progress.first", done: 0, of: 0};
      this.writeStatus();
    }, CALM_START);
    const {cancel} = this.app.ask(topic, message, {
      part: (data) => {
        part(data);
        this.writeStatus();
      },
      progress: (progress) => {
        job.progress = progress;
        this.writeStatus();
      },
      done: () => {
        over();
        done();
      },
      error: (error) => {
        over();
        this.failed(error);
        if (topic === "game") this.body.classList.add("stale"); // what stands there answers other parameters
      },
    });
    job.cancel = cancel;
    this.writeStatus();
  }

  drop(topic) {
    const job = this.jobs.get(topic);
    if (!job) return;
    clearTimeout(job.waiting);
    job.cancel?.();
    this.jobs.delete(topic);
  }

  // Stops everything under way; what is here already stays.
  cancel() {
    const searching = this.jobs.has("game") && this.now.all;
    for (const topic of [...this.jobs.keys()]) this.drop(topic);
    this.body.classList.remove("stale");
    this.body.dataset.whole = "yes";
    this.app.say(this.app.speech.word("games.cancelled"));
    this.cards.cancelled();
    if (searching) this.change({all: false});
    this.writeStatus();
  }

  // What cannot be answered, said where the answer would stand.
  failed({what, where, remedy}) {
    this.body.classList.remove("stale");
    this.body.dataset.whole = "yes";
    this.failure.hidden = false;
    const parts = [what, where, remedy].filter(Boolean);
    this.failure.replaceChildren(el("p", {lang: "en"}, parts.map((text, place) => [place ? " · " : "", given(text)])));
  }

  copyText(kind) {
    const text = this.answer?.[kind];
    if (text) copy(this.app, text);
  }

  // ---------------------------------------------------------------- written out

  writeStatus() {
    const {speech} = this.app;
    if (!speech) return;
    const job = [...this.jobs.values()].find((j) => j.progress) ?? [...this.jobs.values()][0];
    this.bar.hidden = this.stop.hidden = !job;
    this.stop.textContent = speech.word("games.cancel");
    this.copyCommand.textContent = speech.word("games.copy_command");
    this.copyPython.textContent = speech.word("games.copy_python");
    this.copyCommand.disabled = this.copyPython.disabled = !this.answer;
    if (job) {
      const {text, done, of} = job.progress ?? {text: "games.progress.starting", done: 0, of: 0};
      this.says.textContent = speech.text(text, {n: done});
      if (of) this.bar.value = done / of;
      else this.bar.removeAttribute("value");
      this.bar.setAttribute("aria-label", this.says.textContent);
    } else {
      const one = this.answer?.equilibria[Math.min(this.now.k, this.answer.count) - 1];
      this.says.textContent = one ? `${speech.word(`games.result.${one.result}`, one.result)} · ${speech.text("games.seconds", {n: speech.number(one.seconds, {maximumSignificantDigits: 2})})}` : "";
    }
  }
}
