// One colour per method everywhere: that of the figures. Where these have another marker, lines have other dashes.

const DASHES = ["", "7 3", "2 3", "9 3 2 3", "4 2", "12 4", "9 3 2 3 2 3", "1 2"];

function strokeOf(method) {
  return `m${method.colour}`;
}

function fillOf(method) {
  return `f${method.colour}`;
}

function dashOf(method) {
  return DASHES[method.line];
}

function swatch(method) {
  const line = svg("line", { x1: 0, y1: 5, x2: 26, y2: 5, class: `mean ${strokeOf(method)}`, "stroke-dasharray": dashOf(method) || null });
  return svg("svg", { viewBox: "0 0 26 10", "aria-hidden": "true" }, line);
}

// The place of a share among the colours of the heat map.
function heatClass(value) {
  return value === null ? "" : `v${Math.round(20 * Math.min(1, Math.max(0, value)))}`;
}
