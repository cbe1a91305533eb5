// One colour per method everywhere: in alphabetical order. Where there are more methods than colours, the lines of the
// next round are dashed.

const DASHES = ["", "7 3", "2 3", "9 3 2 3", "4 2"];

function strokeOf(method) {
  return `m${method.number % page.palette}`;
}

function fillOf(method) {
  return `f${method.number % page.palette}`;
}

function dashOf(method) {
  return DASHES[Math.floor(method.number / page.palette) % DASHES.length];
}

function swatch(method) {
  const line = svg("line", { x1: 0, y1: 5, x2: 26, y2: 5, class: `mean ${strokeOf(method)}`, "stroke-dasharray": dashOf(method) || null });
  return svg("svg", { viewBox: "0 0 26 10", "aria-hidden": "true" }, line);
}

// The place of a share among the colours of the heat map.
function heatClass(value) {
  return value === null ? "" : `v${Math.round(20 * Math.min(1, Math.max(0, value)))}`;
}
