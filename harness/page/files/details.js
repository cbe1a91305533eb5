// What opens from a cell: its scores, its length curves, its runs with their configs and commands.

const shown = { cell: null, metric: "", logarithmic: false, beside: new Set() };

function openCell(cell, beside = []) {
  const { task } = cell;
  shown.cell = cell;
  shown.metric = task.metric;
  shown.logarithmic = task.longest / task.train > 8;
  shown.beside = new Set(beside.filter((other) => other !== cell));
  byId("details-title").textContent = `${cell.method.label} on ${task.label}`;
  byId("details-body").replaceChildren(facts(cell), figure(cell), ...runList(cell));
  const dialog = byId("details");
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
  remember(`#${encodeURIComponent(task.id)}/${encodeURIComponent(cell.id)}`);
  redraw();
}

// The address of the page names the open cell, so that it can be sent to somebody.
function remember(hash) {
  try {
    history.replaceState(null, "", hash || location.pathname + location.search);
  } catch {
    // a browser may forbid this for files
  }
}

function openRemembered() {
  const [task, method] = location.hash.slice(1).split("/").map(decodeURIComponent);
  const cell = cells.find((one) => one.task.id === task && one.id === method);
  if (cell) openCell(cell);
}

function facts(cell) {
  const { task } = cell;
  const one = (name, value, small) => element("div", {}, element("dt", {}, name), element("dd", {}, value, small ? element("small", {}, small) : null));
  const ranks = cell.rank === null ? "none" : cell.rank_best === null || cell.rank_best === cell.rank_worst ? String(cell.rank) : `${cell.rank} (${cell.rank_best} to ${cell.rank_worst})`;
  const interval = cell.score_low === null ? ["no run finished", "a single seed has no interval"][cell.seeds] || "" : cell.by_chance ? `seeds: ${share(cell.score_min)} to ${share(cell.score_max)}, learned by chance` : `95 %: ${share(cell.score_low)} to ${share(cell.score_high)}`;
  const list = element("dl", { class: "facts" },
    one("Rank on the task", ranks, ranks.includes("(") ? "possible ranks in brackets" : ""),
    one(`Mean ${METRICS[task.metric]} beyond ${task.train}`, share(cell.score), interval),
    one("Up to there", share(cell.in_distribution), cell.converged === null ? "" : `${cell.converged} of ${plural(cell.seeds, "seed")} converged`),
    one("Above best guess", share(cell.above_guess), cell.guess && `guess: ${cell.guess}`),
    one("Reach at .9", reachText(cell), cell.reach_multiple === null ? "" : `${cell.reach_multiple} × the training length`),
    cell.farther === null ? null : one("Farther apart than trained", share(cell.farther), `${share(cell.farther_share, 4)} of the test`),
    one("Cost", `${whole(cell.steps)} steps`, `${brief(cell.parameters)} parameters, ${whole(cell.training_seconds)} s`),
  );
  const note = cell.note ? element("p", { class: "caution" }, `Note: ${cell.note}.`) : null;
  return element("div", {}, list, note || "");
}

function reachText(cell, name = "reach") {
  if (cell[name] === null) return "–";
  return `${cell[name === "reach" ? "censored" : "half_censored"] ? ">" : ""}${cell[name]}`;
}

function figure(cell) {
  const { task } = cell;
  const metrics = task.metric === BITS ? [BITS, "token_accuracy"] : ["exact_match", "token_accuracy"];
  const choices = metrics.map((metric) => {
    const input = element("input", { type: "radio", name: "metric", value: metric, checked: metric === shown.metric, onchange: () => { shown.metric = metric; redraw(); } });
    return element("label", {}, input, element("span", {}, METRICS[metric]));
  });
  const scale = element("input", { type: "checkbox", id: "logarithmic", checked: shown.logarithmic, onchange: (event) => { shown.logarithmic = event.target.checked; redraw(); } });
  const others = task.cells.filter((other) => other !== cell && other.runs.some((run) => run.tests));
  const compare = others.length ? element("details", { class: "more", open: shown.beside.size > 0 },
    element("summary", {}, `Compare with ${plural(others.length, "other method")} on ${task.label}`),
    element("ul", { class: "legend", id: "others" }, others.map((other) => element("li", {}, element("label", {},
      element("input", { type: "checkbox", checked: shown.beside.has(other), onchange: (event) => { shown.beside[event.target.checked ? "add" : "delete"](other); redraw(); } }),
      swatch(other.method), other.method.label))))) : "";
  return element("section", { "aria-label": "Length curves" },
    element("div", { class: "tools" },
      element("fieldset", { class: "segments" }, element("legend", { class: "hidden" }, "Metric"), choices),
      element("label", {}, scale, "Logarithmic lengths")),
    element("figure", { class: "chart", id: "chart", tabindex: "0", "aria-label": "Curve. Left and right arrow keys read it out length by length" }),
    element("ul", { class: "legend", id: "legend" }),
    element("p", { class: "muted", id: "intervals" }),
    element("p", { class: "readout muted", id: "readout", role: "status", "aria-live": "polite" }),
    compare,
    element("details", { class: "more", id: "numbers" }, element("summary", {}, "Numbers and counts"), element("div", { class: "frame", tabindex: "0", role: "region", "aria-label": "Numbers and counts" })));
}

// Draw the curve again, at the width that there is.
function redraw() {
  const { cell, metric } = shown;
  if (!cell || !byId("chart")) return;
  const curves = [cell, ...shown.beside].map((one) => curve(one, metric)).filter(Boolean);
  const place = byId("chart");
  if (!curves.length || curves[0].cell !== cell) {
    place.replaceChildren(element("p", { class: "notice" }, "No run of this method finished on this task: there is no curve."));
    return;
  }
  const chart = drawChart(cell.task, curves, metric, shown.logarithmic, Math.max(280, place.clientWidth || 700));
  place.replaceChildren(chart.drawing);
  legend(cell.task, curves);
  readOut(place, chart, curves, metric);
  numbers(cell.task, curves[0], metric);
}

function legend(task, curves) {
  const line = (kind, text) => element("li", {}, element("label", {}, svg("svg", { viewBox: "0 0 26 10", "aria-hidden": "true" }, svg("line", { x1: 0, y1: 5, x2: 26, y2: 5, class: kind })), text));
  const own = curves.map((one) => element("li", {}, element("label", {}, swatch(one.cell.method), one.cell.method.label)));
  const kinds = [...new Set(curves.map((one) => one.kind))];
  byId("intervals").textContent = `Bands: ${kinds.map((kind) => (kinds.length > 1 ? `${kind} (${curves.filter((one) => one.kind === kind).map((one) => one.cell.method.label).join(", ")})` : kind)).join("; ")}.${curves.length > 4 ? " With more than four methods, of the first one alone." : ""}`;
  const guesses = task.curves.map((guess, place) => line(`guess${place ? " strongest" : ""}`, place ? `strongest baseline: ${guess.name}` : "blind: knows the length alone"));
  byId("legend").replaceChildren(...own, ...guesses, line("training", `training length ${task.train}`));
}

// The values at one length, under the pointer or by arrow keys.
function readOut(place, chart, curves, metric) {
  const cursor = svg("line", { class: "cursor", y1: MARGIN.top, y2: chart.floor, visibility: "hidden" });
  chart.drawing.append(cursor);
  let at = -1;
  const show = (next) => {
    at = Math.max(0, Math.min(chart.lengths.length - 1, next));
    const x = chart.across(chart.lengths[at]);
    for (const [name, value] of [["x1", x], ["x2", x], ["visibility", "visible"]]) cursor.setAttribute(name, value);
    const said = curves.map((one) => `${one.cell.method.label} ${share(one.mean[at])}${one.low ? ` (${share(one.low[at])} to ${share(one.high[at])})` : ""}`);
    byId("readout").textContent = `Length ${chart.lengths[at]}: ${said.join("; ")}`;
  };
  byId("readout").textContent = "Point at the curve, or focus it and use the arrow keys, to read values.";
  place.onkeydown = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, Home: -1e6, End: 1e6 }[event.key];
    if (!step) return;
    event.preventDefault();
    show(at < 0 ? (step > 0 && step < 1e6 ? 0 : step < 0 ? 0 : 1e6) : at + step);
  };
  place.onpointermove = (event) => {
    const box = chart.drawing.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * chart.drawing.viewBox.baseVal.width;
    const apart = chart.lengths.map((length) => Math.abs(chart.across(length) - x));
    const next = apart.indexOf(Math.min(...apart));
    if (next !== at) show(next);
  };
}

function numbers(task, one, metric) {
  const counted = metric !== BITS;
  const head = ["length", "mean", ...(one.low ? ["95 % from", "to"] : []), ...one.runs.map((run) => `seed ${run.seed}`), "blind"];
  const rows = one.lengths.map((length, place) => element("tr", {},
    element("th", { scope: "row" }, `${length}${length > task.train ? "" : " (trained)"}`),
    element("td", {}, share(one.mean[place])),
    ...(one.low ? [element("td", {}, share(one.low[place])), element("td", {}, share(one.high[place]))] : []),
    one.runs.map((run, number) => element("td", {}, counted
      ? `${metric === "exact_match" ? run.exact[place] : run.correct[place]}/${metric === "exact_match" ? run.tests.examples[place] : run.tests.tokens[place]}`
      : share(one.rows[number][place]))),
    element("td", {}, share(task.curves[0]?.[metric][place]))));
  byId("numbers").lastElementChild.replaceChildren(element("table", { class: "rows" },
    element("caption", {}, element("span", {}, `${METRICS[metric]} of ${one.cell.method.label} on ${task.label} at each tested length. ${counted ? "Seeds are given as right of all." : ""} ${one.kind}.`)),
    element("thead", {}, element("tr", {}, head.map((name) => element("th", { scope: "col" }, name)))),
    element("tbody", {}, rows)));
}

function runList(cell) {
  const sorted = [...cell.runs].sort((one, other) => one.seed - other.seed || inOrder(one.record, other.record));
  return [element("h3", {}, `${plural(sorted.length, "run")}`), ...sorted.map((run, place) => runDetails(run, place === 0))];
}

function runDetails(run, open) {
  const pair = (name, value) => (value === "" || value === null ? [] : [element("dt", {}, name), element("dd", {}, value)]);
  const said = run.status === "finished" ? `score ${share(run.score)}, up to training length ${share(run.in_distribution)}` : "failed";
  const config = element("details", { class: "more", ontoggle: (event) => {
    const text = event.target.querySelector("pre");
    if (!text.textContent) text.textContent = JSON.stringify(configOf(run), null, 1);
  } }, element("summary", {}, "Config"), copied("config", () => JSON.stringify(configOf(run), null, 1), ""));
  return element("details", { class: "run", open },
    element("summary", {}, element("strong", {}, `Seed ${run.seed}`), ` · ${said}`),
    run.command
      ? element("div", {}, element("p", { class: "muted" }, run.status === "finished" ? "Does this run again, under the same id:" : "Tries this run again, with retry=true where its record lies:"), copied("command", () => run.command, run.command))
      : element("p", { class: "caution" }, `No command: ${run.refusal}.`),
    element("dl", { class: "pairs" },
      pair("Id", run.record), pair("Record", run.path), pair("Reason", run.reason),
      pair("Reach at .9", run.reach === null ? "" : String(run.reach)),
      pair("Training", [run.steps !== null ? `${whole(run.steps)} steps` : "", run.loss !== null ? `final loss ${brief(run.loss)}` : "", run.seconds !== null ? `${whole(run.seconds)} s` : ""].filter(Boolean).join(", ")),
      pair("Finished", run.finished.replace("T", " ").replace("+00:00", " UTC")), pair("Device", run.device),
      pair("Program", [run.harness, run.commit && `commit ${run.commit.slice(0, 12)}`, run.modified ? "changed after that" : ""].filter(Boolean).join(", "))),
    config);
}

function copied(what, text, visible) {
  const place = element("pre", { tabindex: "0" }, visible);
  const button = element("button", { type: "button", class: "plain copy", "aria-label": `Copy the ${what}`, onclick: async () => {
    const done = await copy(text());
    button.textContent = done ? "Copied" : "Select it by hand";
    speak(done ? `The ${what} was copied` : "Copying was not allowed");
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  } }, "Copy");
  return element("div", { class: "code" }, place, button);
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = element("textarea", { class: "hidden" });
    area.value = text;
    byId("details").append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}
