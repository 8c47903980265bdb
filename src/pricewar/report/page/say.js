// Words and numbers in the reader's language. Text from the data only ever becomes text nodes.

const LOCALES = {en: "en", zh: "zh-CN", ja: "ja-JP"};

// An element with attributes and children; a child that is no node becomes text.
export function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "class") node.className = value;
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

// A name out of the data, kept apart from the sentence around it in both directions of writing.
export function given(text, tag = "bdi") {
  return el(tag, {translate: "no"}, String(text ?? ""));
}

export class Speech {
  constructor(words, language, currency) {
    this.words = words[language];
    this.english = words.en;
    this.language = language;
    this.locale = LOCALES[language];
    this.currency = currency;
    this.formats = new Map();
    this.plural = new Intl.PluralRules(this.locale);
  }

  has(key) { return Object.hasOwn(this.words, key); }

  // A word, or the raw name where the catalogue has none.
  word(key, otherwise = key) { return this.has(key) ? this.words[key] : otherwise; }

  format(options) {
    const key = JSON.stringify(options);
    if (!this.formats.has(key)) this.formats.set(key, new Intl.NumberFormat(this.locale, options));
    return this.formats.get(key);
  }

  // `value` is decimal text; it goes to Intl as it is, so that long amounts keep their digits.
  number(value, options, otherwise) {
    if (value === null || value === undefined || value === "") return otherwise ?? this.word("unknown");
    if (Number.isNaN(Number(value))) return String(value);
    return this.format(options).format(value);
  }

  count(value) { return this.number(value, {maximumFractionDigits: 2}); }

  short(value) { return this.number(value, {notation: "compact", maximumSignificantDigits: 3}); }

  pct(value) {
    const share = Number(value);
    // Something is not nothing, and nearly all is not all.
    const close = share > 0 && share < 0.01 || share > 0.99 && share < 1;
    return this.number(value, {style: "percent", maximumFractionDigits: close ? 2 : 0});
  }

  // One meter, several joined by a slash, or either followed by "tokens".
  meter(name) {
    const tokens = name !== "tokens" && name.endsWith("tokens");
    const names = name.replace(/ tokens$/, "").split("/").map((part) => this.word(`meter.${part}`, part)).join("/");
    return tokens ? `${names} ${this.word("unit.tokens")}` : names;
  }

  // A quantity with its unit, which some languages inflect.
  unit(value, unit) {
    const template = this.word(`unit.${unit}`, "");
    return template ? this.parts(template, {n: value}).join("") : String(unit ?? "");
  }

  money(value, currency = this.currency) {
    const size = Math.abs(Number(value));
    const digits = size > 0 && size < 1 ? {maximumSignificantDigits: 3}
      : {minimumFractionDigits: 2, maximumFractionDigits: 2};
    return this.cash(value, currency, digits);
  }

  // A price: as many digits as tell it from its neighbours, no more.
  rate(value, currency = this.currency) {
    return this.cash(value, currency, Number(value) >= 100 ? {maximumFractionDigits: 0} : {maximumSignificantDigits: 3});
  }

  exact(value, currency = this.currency) {
    return this.cash(value, currency, {minimumFractionDigits: 2, maximumFractionDigits: 12});
  }

  cash(value, currency, digits) {
    // ¥ alone is the yuan to some readers and the yen to others.
    const currencyDisplay = currency === "CNY" || currency === "JPY" ? "symbol" : "narrowSymbol";
    try {
      return this.number(value, {style: "currency", currency, currencyDisplay, ...digits});
    } catch {
      return `${this.number(value, digits)} ${currency}`; // a code that is none
    }
  }

  date(value) {
    const text = String(value ?? "");
    const moment = new Date(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00Z` : text);
    if (!text || Number.isNaN(+moment)) return text || this.word("unknown");
    return moment.toLocaleDateString(this.locale, {year: "numeric", month: "short", day: "numeric", timeZone: "UTC"});
  }

  day(moment) {
    return moment.toLocaleDateString(this.locale, {month: "short", day: "numeric", timeZone: "UTC"});
  }

  days(n) { return this.format({style: "unit", unit: "day", unitDisplay: "long"}).format(n); }

  range(low, high, write) {
    return this.text("range", {low: write(low), high: write(high)});
  }

  // How an argument is written: the part after the colon of its place.
  written(value, how, args) {
    switch (how) {
      case "num": return this.count(value);
      case "short": return this.short(value);
      case "pct": return this.pct(value);
      case "percent": return this.pct(Number(value) / 100);
      case "money": return this.money(value, args.currency ?? this.currency);
      case "rate": return this.rate(value);
      case "sum": return this.cash(value, args.currency ?? this.currency, {notation: "compact", maximumSignificantDigits: 3});
      case "date": return this.date(value);
      case "days": return this.days(value);
      case "unit": return this.unit(args.amount ?? 0, value);
      case "per": return this.word(`per.${value}`, String(value));
      case "meter": return this.meter(String(value));
      case "weekdays": return value === "every day" ? this.word("weekdays.all")
        : (Array.isArray(value) ? value : String(value).split(/,\s*/)).map((name) => this.weekday(name)).join(" ");
      case "unused": return Number.isNaN(Number(value)) ? this.word(`unused.${value}`, String(value)) : this.text("unused.share", {share: value});
      case undefined: case "raw": return value instanceof Node ? value : String(value);
      default: { // one|other
        const [one, other] = how.split("|");
        return this.plural.select(Number(value)) === "one" ? one : other;
      }
    }
  }

  weekday(name) {
    const place = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].indexOf(name);
    if (place < 0) return String(name);
    return new Date(Date.UTC(2024, 0, 1 + place)).toLocaleDateString(this.locale, {weekday: "short", timeZone: "UTC"});
  }

  // The parts of a sentence: strings and nodes; null when an argument is missing.
  parts(template, args) {
    const parts = [];
    let from = 0;
    for (const match of template.matchAll(/\{(\w+)(?::([^}]*))?\}/g)) {
      const [place, name, how] = match;
      if (!Object.hasOwn(args, name) || args[name] === null || args[name] === undefined) return null;
      parts.push(template.slice(from, match.index), this.written(args[name], how, args));
      from = match.index + place.length;
    }
    parts.push(template.slice(from));
    return parts;
  }

  // A sentence of the catalogue as a list of strings and nodes.
  sentence(key, args = {}) { return this.parts(this.words[key], args) ?? [this.words[key]]; }

  text(key, args = {}) {
    return this.sentence(key, args).map((part) => (part instanceof Node ? part.textContent : part)).join("");
  }

  // A term out of the data: translated where its key and arguments are known, else its own English text.
  // `currency`: that of the offer, in which its terms name money.
  term(term, currency = this.currency) {
    if (term === null || term === undefined) return "";
    if (typeof term === "string") return term;
    const key = `term.${term.key}`;
    const parts = this.has(key) ? this.parts(this.words[key], {currency, ...term.args}) : null;
    return parts ? parts.join("") : String(term.text ?? term.key ?? "");
  }
}
