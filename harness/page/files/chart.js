// Length curves as SVG: the mean over seeds with its interval, each seed, the training length, and the baselines.

const MARGIN = { left: 46, right: 14, top: 38, bottom: 40 };

// `curves` are those of one task, the one that is asked for first. `chosen` is the metric, `logarithmic` the scale.
function drawChart(task, curves, metric, logarithmic, width) {
  const height = Math.round(Math.max(240, Math.min(400, width * 0.5)));
  const lengths = curves[0].lengths;
  const [first, last] = [lengths[0], lengths[lengths.length - 1]];
  const across = (length) => {
    const place = logarithmic ? Math.log(length / first) / Math.log(last / first) : (length - first) / (last - first);
    return MARGIN.left + place * (width - MARGIN.left - MARGIN.right);
  };
  const most = metric === BITS ? 1.05 * Math.max(...curves.flatMap((one) => [...one.mean, ...(one.high || [])])) : 1;
  const up = (value) => height - MARGIN.bottom - (Math.min(value, most) / most) * (height - MARGIN.top - MARGIN.bottom);
  const path = (values) => values.map((value, place) => [lengths[place], value]).filter(([, value]) => value !== null)
    .map(([length, value], place) => `${place ? "L" : "M"}${across(length).toFixed(1)} ${up(value).toFixed(1)}`).join("");

  const drawing = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": described(task, curves, metric) });
  const floor = height - MARGIN.bottom;
  drawing.append(svg("rect", { class: "trained", x: MARGIN.left, y: MARGIN.top, width: across(task.train) - MARGIN.left, height: floor - MARGIN.top }));
  for (const value of metric === BITS ? ticks(0, most, 5) : [0, 0.25, 0.5, 0.75, 1]) {
    drawing.append(svg("line", { class: "gridline", x1: MARGIN.left, x2: width - MARGIN.right, y1: up(value), y2: up(value) }));
    drawing.append(svg("text", { x: MARGIN.left - 6, y: up(value) + 4, "text-anchor": "end" }, metric === BITS ? String(value) : plain(value, 2)));
  }
  for (const length of lengthTicks(first, last, logarithmic, width)) {
    drawing.append(svg("line", { class: "axis", x1: across(length), x2: across(length), y1: floor, y2: floor + 5 }));
    drawing.append(svg("text", { x: across(length), y: floor + 18, "text-anchor": "middle" }, String(length)));
  }
  drawing.append(svg("line", { class: "axis", x1: MARGIN.left, x2: width - MARGIN.right, y1: floor, y2: floor }));
  drawing.append(svg("text", { x: (MARGIN.left + width - MARGIN.right) / 2, y: height - 6, "text-anchor": "middle" }, "length"));
  drawing.append(svg("text", { x: 4, y: 13 }, METRICS[metric] + ({ token_accuracy: ", teacher-forced", bits_per_byte: ", lower is better" }[metric] || "")));

  task.curves.forEach((guess, place) => {
    drawing.append(svg("path", { class: `guess${place ? " strongest" : ""}`, d: path(guess[metric]) }));
  });
  for (const one of [...curves].reverse()) {
    const method = one.cell.method;
    const main = one === curves[0];
    if (one.low && (main || curves.length <= 4)) {
      const over = path(one.high);
      const under = lengths.map((length, place) => `L${across(length).toFixed(1)} ${up(one.low[place]).toFixed(1)}`).reverse().join("");
      drawing.append(svg("path", { class: `band ${fillOf(method)}`, d: `${over}${under}Z` }));
    }
    if (main && one.rows.length > 1) one.rows.forEach((row) => drawing.append(svg("path", { class: `seed ${strokeOf(method)}`, d: path(row) })));
    drawing.append(svg("path", { class: `mean ${main ? "" : "other "}${strokeOf(method)}`, d: path(one.mean), "stroke-dasharray": dashOf(method) || null, "data-method": method.label }));
    if (main) lengths.forEach((length, place) => drawing.append(svg("circle", { class: fillOf(method), cx: across(length), cy: up(one.mean[place]), r: lengths.length > 60 ? 1.5 : 2.75 })));
  }
  const edge = across(task.train);
  const side = edge > width * 0.6 ? ["end", -5] : ["start", 5];
  drawing.append(svg("line", { class: "training", x1: edge, x2: edge, y1: MARGIN.top - 12, y2: floor }));
  drawing.append(svg("text", { x: edge + side[1], y: MARGIN.top - 6, "text-anchor": side[0], class: "training-label" }, `trained up to ${task.train}`));
  return { drawing, across, lengths, floor };
}

function described(task, curves, metric) {
  const one = curves[0];
  const at = (length) => {
    const place = one.lengths.indexOf(length);
    return place < 0 ? "" : `${share(one.mean[place])} at length ${length}`;
  };
  const last = one.lengths[one.lengths.length - 1];
  const others = curves.length > 1 ? ` Beside it ${curves.slice(1).map((other) => other.cell.method.label).join(", ")}.` : "";
  return `${METRICS[metric]} of ${one.cell.method.label} on ${task.label} against length: ${[at(task.train), at(last)].filter(Boolean).join(", ")}; trained up to length ${task.train}.${others} All values are in the table of numbers below.`;
}

function ticks(low, high, count) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough);
  const found = [];
  for (let value = Math.ceil(low / step) * step; value <= high * 1.0001; value += step) found.push(Number(value.toPrecision(6)));
  return found;
}

function lengthTicks(first, last, logarithmic, width) {
  const count = Math.max(3, Math.floor(width / 90));
  if (!logarithmic) return ticks(first, last, count).filter((tick) => tick >= first);
  const found = [first];
  for (let length = 1; length <= last; length *= 2) if (length >= first * 1.9) found.push(length);
  const apart = Math.ceil(found.length / (count + 2));
  return found.filter((_, place) => place % apart === 0);
}
