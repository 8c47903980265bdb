// What every chart shares: shapes and colours of the kinds, numbers out of decimal text, room for a label.

// A kind is told by its shape; its colour only repeats it.
export const KINDS = {
  list: {symbol: "circle", color: "var(--kind-list)"},
  free: {symbol: "triangle", color: "var(--kind-free)"},
  grant: {symbol: "diamond", color: "var(--kind-grant)"},
  pack: {symbol: "square", color: "var(--kind-pack)"},
  introductory: {symbol: "star", color: "var(--kind-introductory)"},
  provisioned: {symbol: "wye", color: "var(--kind-provisioned)"},
};
const OTHER_KIND = {symbol: "cross", color: "var(--muted)"};

export function kindOf(kind) {
  return Object.hasOwn(KINDS, kind) ? KINDS[kind] : OTHER_KIND;
}

// Below this width a row's label stands above its marks, not beside them.
export const NARROW = 620;

// Plot writes a style element whose text depends on this name alone; the report's policy allows just that text.
export const PLOT_CLASS = "pw-plot";

// For drawing only: money is shown from the decimal text itself. Unknown is NaN, never 0.
export function number(text) {
  return text === null || text === undefined || text === "" ? NaN : Number(text);
}

const pen = document.createElement("canvas").getContext("2d");
const measured = new Map();
const MEASURED = 4000; // widths remembered: asking for the page's font at every text is what costs

// The page's font depends on its language alone.
export function textWidth(text, size = 12, weight = 400) {
  const key = `${document.documentElement.lang}|${weight}|${size}|${text}`;
  let width = measured.get(key);
  if (width === undefined) {
    pen.font = `${weight} ${size}px ${getComputedStyle(document.body).fontFamily}`;
    width = pen.measureText(text).width;
    if (measured.size >= MEASURED) measured.clear();
    measured.set(key, width);
  }
  return width;
}

// The text cut to a width, so that no label runs into its neighbour.
export function fitted(text, width, size = 12, weight = 400) {
  if (textWidth(text, size, weight) <= width) return text;
  const letters = Array.from(text);
  let low = 0, high = letters.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (textWidth(letters.slice(0, middle).join("") + "…", size, weight) <= width) low = middle;
    else high = middle - 1;
  }
  return letters.slice(0, low).join("").trimEnd() + "…";
}

// What a row's label gets when it stands beside its marks.
export function labelRoom(width) { return Math.min(330, Math.max(190, width * (width < 900 ? 0.36 : 0.28))); }

// A picture with a name; what it shows in full stands in the table behind it.
export function named(svg, label) {
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", label);
  // Plot names its groups for readers of the code; inside a picture with one name that is noise.
  for (const group of svg.querySelectorAll("[aria-label]")) {
    group.dataset.mark = group.getAttribute("aria-label");
    group.removeAttribute("aria-label");
    group.removeAttribute("aria-description");
  }
  return svg;
}

// Hatching, so that a share is told from its neighbour without colour.
export function hatching(id, color) {
  return (index, scales, values, dimensions, context) => {
    const make = (name, attributes) => {
      const node = context.document.createElementNS("http://www.w3.org/2000/svg", name);
      for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
      return node;
    };
    const defs = make("defs", {});
    const pattern = make("pattern", {id, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)"});
    pattern.append(
      make("rect", {width: 6, height: 6, fill: `var(--${color})`}),
      make("line", {x1: 0, y1: 0, x2: 0, y2: 6, stroke: `var(--${color}-line)`, "stroke-width": 2.4}),
    );
    defs.append(pattern);
    return defs;
  };
}
