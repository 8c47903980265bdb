// What the reader chose: one plain object, written into the link, with undo and redo.

const STEPS = 200; // undone at most
const PAUSE = 700; // ms without a move after which the next move is a step of its own
const LONGEST = 20_000; // characters of a link

const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const oneOf = (...values) => (value) => values.includes(value);
const text = (longest) => (value) => typeof value === "string" && value.length <= longest;
const integer = (low, high) => (value) => Number.isInteger(value) && value >= low && value <= high;
const numbers = (value) => isObject(value) && Object.entries(value).every(([key, v]) => /^[^~,]{1,120}$/.test(key) && Number.isFinite(v));

// start: on a fresh page. fits: what may stand there. undo: whether a change of it can be undone. always: in every link.
export const FIELDS = {
  tab: {start: "war", fits: oneOf("war", "desk", "games")},
  market: {start: "", fits: text(80), undo: true, always: true},
  levers: {start: {}, fits: numbers, undo: true},
  baseline: {start: {}, fits: numbers, undo: true},
  futures: {start: 200, fits: integer(8, 2000), undo: true, always: true},
  seed: {start: 0, fits: integer(0, 2 ** 31), undo: true, always: true},
  conduct: {start: "held", fits: oneOf("held", "solve"), undo: true},
  vendor: {start: "", fits: text(80)},
  date: {start: "", fits: (value) => value === "" || /^\d{4}-\d{2}-\d{2}$/.test(value) && !Number.isNaN(+new Date(value)), undo: true},
  desk: {start: {}, fits: isObject, undo: true},
  games: {start: {}, fits: isObject, undo: true},
  language: {start: "en", fits: oneOf("en", "zh", "ja")},
  theme: {start: "auto", fits: oneOf("auto", "light", "dark")},
};

const same = (a, b) => a === b || (typeof a === "object" && JSON.stringify(a) === JSON.stringify(b));

function written(key, value) {
  if (FIELDS[key].fits === numbers) return Object.entries(value).map(([name, v]) => `${name}~${v}`).join(",");
  return isObject(value) ? JSON.stringify(value) : String(value);
}

function read(key, given) {
  const {start, fits} = FIELDS[key];
  if (typeof start === "number") return given.trim() === "" ? NaN : Number(given);
  if (fits === numbers) {
    if (given === "") return {};
    return Object.fromEntries(given.split(",").map((pair) => {
      const [name, value, more] = pair.split("~");
      return [name, more !== undefined || !value?.trim() ? NaN : Number(value)];
    }));
  }
  return isObject(start) ? JSON.parse(given) : given;
}

// A link's fragment as a patch; throws an Error whose message is the part that does not hold.
export function unlink(fragment) {
  const patch = {};
  if (fragment.length > LONGEST) throw new Error("#");
  for (const [key, given] of new URLSearchParams(fragment.replace(/^#/, ""))) {
    if (!Object.hasOwn(FIELDS, key)) throw new Error(key);
    try { patch[key] = read(key, given); } catch { throw new Error(key); }
    if (!FIELDS[key].fits(patch[key])) throw new Error(key);
  }
  return patch;
}

export class State {
  // refused: told which part of a link is damaged.
  constructor({language = "en", refused = () => {}} = {}) {
    this.start = Object.fromEntries(Object.entries(FIELDS).map(([key, field]) => [key, field.start]));
    this.start.language = language;
    this.now = this.start;
    this.past = [];
    this.future = [];
    this.gesture = null;
    this.hearers = [];
    this.refused = refused;
    this.follow(true);
    addEventListener("hashchange", () => { if (location.hash !== this.writtenHash) this.follow(false); });
    addEventListener("pagehide", () => this.writeLink());
    addEventListener("pointerdown", () => { this.held = true; }, true);
    for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => { this.held = false; }, true);
  }

  get() { return this.now; }

  on(hear) { this.hearers.push(hear); }

  // Changes what `patch` names. Moves with the same `merge` that follow one another closely are one step back.
  set(patch, {merge = null} = {}) {
    const changed = Object.keys(patch).filter((key) => !same(this.now[key], patch[key]));
    for (const key of changed) if (!FIELDS[key]?.fits(patch[key])) throw new Error(`state: ${key}`);
    if (!changed.length) return;
    if (changed.some((key) => FIELDS[key].undo)) {
      if (merge === null || merge !== this.gesture) {
        this.past.push(this.kept());
        if (this.past.length > STEPS) this.past.shift();
      }
      this.future = [];
      this.gesture = merge;
      clearTimeout(this.pausing);
      if (merge !== null) this.pause();
    }
    this.now = {...this.now, ...Object.fromEntries(changed.map((key) => [key, patch[key]]))};
    this.tell(changed);
  }

  // What the page itself settles (the market it begins with, a lever that does not exist): no step to undo.
  begin(patch) {
    this.now = {...this.now, ...patch};
    this.tell(Object.keys(patch));
  }

  // Ends the gesture after a while; not while the hand holds on: a drag is one step, however slow.
  pause() { this.pausing = setTimeout(() => (this.held ? this.pause() : this.rest()), PAUSE); }

  // The gesture is over: the next move is a step of its own.
  rest() {
    clearTimeout(this.pausing);
    this.gesture = null;
  }

  undo() { this.step(this.past, this.future); }

  redo() { this.step(this.future, this.past); }

  get canUndo() { return this.past.length > 0; }

  get canRedo() { return this.future.length > 0; }

  // The fragment that holds the whole state.
  link() {
    const held = Object.entries(this.now).filter(([key, value]) => FIELDS[key].always && value !== "" || !same(value, this.start[key]));
    return `#${new URLSearchParams(held.map(([key, value]) => [key, written(key, value)])).toString().replaceAll("%7E", "~").replaceAll("%2C", ",")}`;
  }

  // ---------------------------------------------------------------- within

  kept() { return Object.fromEntries(Object.keys(FIELDS).filter((key) => FIELDS[key].undo).map((key) => [key, this.now[key]])); }

  step(from, to) {
    if (!from.length) return;
    this.rest();
    to.push(this.kept());
    const before = this.now;
    this.now = {...this.now, ...from.pop()};
    this.tell(Object.keys(FIELDS).filter((key) => !same(before[key], this.now[key])));
  }

  tell(changed) {
    for (const hear of this.hearers) hear(this.now, changed);
    clearTimeout(this.linking);
    this.linking = setTimeout(() => this.writeLink(), 250); // browsers refuse a link rewritten at every move
  }

  writeLink() {
    clearTimeout(this.linking);
    const hash = this.link();
    // An address that is not what was written or followed last is a link on its way here: it is not written over.
    if (hash === location.hash || location.hash !== this.writtenHash) return;
    try { history.replaceState(null, "", hash); } catch { /* asked too often: the next move writes it */ }
    this.writtenHash = location.hash;
  }

  // Takes what the address says: all of it or nothing.
  follow(first) {
    let patch;
    this.writtenHash = location.hash;
    try { patch = unlink(location.hash); } catch (error) {
      this.refused(error.message);
      return;
    }
    const whole = {...this.start, language: this.now.language, theme: this.now.theme, ...patch};
    if (first) this.now = whole;
    else if (location.hash.length > 1) this.set(whole);
  }
}
