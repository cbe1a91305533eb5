// Makes elements. All text is set as text, never parsed as HTML.

const SVG = "http://www.w3.org/2000/svg";

function element(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

function svg(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

function filled(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

function byId(name) {
  return document.getElementById(name);
}

// Say something to a screen reader.
function speak(text) {
  byId("spoken").textContent = text;
}

// Numbers as text. A share that is not quite 1 or 0 is not shown as 1 or 0.
function share(value, digits = 3) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  const smallest = 10 ** -digits;
  if (value < 1 && value > 1 - smallest / 2) return `>${plain(1 - smallest, digits)}`;
  if (value > 0 && value < smallest / 2) return `<${plain(smallest, digits)}`;
  return plain(value, digits);
}

function plain(value, digits) {
  const text = Math.abs(value).toFixed(digits);
  return (value < 0 && Number(text) ? "−" : "") + text.replace(/^0\./, ".");
}

function whole(value) {
  return value === null || value === undefined ? "–" : Math.round(value).toLocaleString("en-US");
}

function brief(value) {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  if (size >= 1e6) return `${(value / 1e6).toPrecision(3)} M`;
  if (size >= 1e4) return `${(value / 1e3).toPrecision(3)} k`;
  if (size > 0 && size < 1e-3) return value.toExponential(1);
  return String(Number(value.toPrecision(4)));
}

function plural(count, word) {
  return `${count.toLocaleString("en-US")} ${word}${count === 1 ? "" : "s"}`;
}
