// The heat map: a row for each task, a column for each method, a number in each cell. It is one stop of the tab key;
// arrow keys move inside it.

const MEASURES = {
  score: { label: "Score beyond the training length", text: (cell) => share(cell.score, 2), colour: (cell) => (cell.task.metric === BITS ? null : cell.score), order: (cell) => (cell.task.metric === BITS ? -cell.score : cell.score) },
  above_guess: { label: "Score above the best guess", text: (cell) => share(cell.above_guess, 2), colour: (cell) => cell.above_guess },
  area: { label: "Area over log length", text: (cell) => share(cell.area, 2), colour: (cell) => (cell.task.metric === BITS ? null : cell.area) },
  reach_multiple: { label: "Reach at .9, × training length", text: (cell) => (cell.reach_multiple === null ? "–" : `${cell.censored ? ">" : ""}${Number(cell.reach_multiple.toPrecision(2))}`), colour: (cell) => (cell.reach_multiple === null ? null : cell.reach_multiple / (cell.task.longest / cell.task.train)) },
  in_distribution: { label: "Score up to the training length", text: (cell) => share(cell.in_distribution, 2), colour: (cell) => cell.in_distribution },
};

function heatView() {
  const passing = passingCells();
  const measure = MEASURES[state.measure];
  const order = measure.order || measure.colour;
  const value = (cell) => { const found = cell && order(cell); return found === null || found === undefined ? -Infinity : found; };
  const grid = new Map(tasks.map((task) => [task, new Map()]));
  for (const cell of passing) grid.get(cell.task).set(cell.method, cell);
  let rows = tasks.filter((task) => grid.get(task).size);
  const columns = methods.filter((method) => rows.some((task) => grid.get(task).has(method)));
  const by = columns.includes(state.byMethod) ? state.byMethod : null;
  if (by) rows = [...rows].sort((one, other) => value(grid.get(other).get(by)) - value(grid.get(one).get(by)));
  const select = element("select", { id: "measure", onchange: (event) => { state.measure = event.target.value; render(); byId("measure").focus(); } },
    Object.entries(MEASURES).map(([name, one]) => element("option", { value: name, selected: name === state.measure }, one.label)));
  const tools = element("div", { class: "tools" }, element("label", {}, "Show", select),
    element("span", { class: "scale" }, "0", element("span", {}, Array.from({ length: 21 }, (_, step) => element("i", { class: `v${step}` }))), state.measure === "reach_multiple" ? "longest tested" : "1"));
  if (!rows.length) return [tools, nothing()];
  const table = element("table", { class: `heat${columns.length <= 8 ? " few" : ""}`, role: "grid", "aria-describedby": "heat-help", "aria-label": `${measure.label} of each method on each task` },
    element("caption", {}, element("span", {}, `${measure.label}, mean over seeds`)),
    element("thead", {}, element("tr", { role: "row" }, element("th", { scope: "col", role: "columnheader" }, `${plural(rows.length, "task")}`),
      columns.map((method) => element("th", { scope: "col", role: "columnheader", "aria-sort": method === by ? "descending" : null },
        element("button", { type: "button", tabindex: "-1", "data-method": method.number, title: `Sort the tasks by ${method.label}` }, method.label))))),
    element("tbody", {}, rows.map((task) => heatRow(task, columns, grid.get(task), measure, value))),
    rows.length > 1 && state.measure !== "reach_multiple" ? meanRow(rows, columns, grid, measure) : null);
  rove(table);
  const help = element("p", { class: "muted help", id: "heat-help" }, "Open a cell for its length curves and runs. A task's name compares its methods, a method's name sorts the tasks. ",
    element("em", {}, "Hatched"), ": not converged up to the training length. ", element("u", {}, "Underlined"), ": the best that converged. Arrow keys move, Enter opens.");
  return [tools, help, element("div", { class: "frame fitted", "data-frame": "heat" }, table)];
}

function heatRow(task, columns, row, measure, value) {
  const best = Math.max(...[...row.values()].filter((cell) => cell.ranked).map(value));
  return element("tr", { role: "row" },
    element("th", { scope: "row", role: "rowheader" }, element("button", { type: "button", class: "link", tabindex: "-1", "data-task": task.number }, task.label)),
    columns.map((method) => {
      const cell = row.get(method);
      if (!cell) return element("td", { class: "none", role: "gridcell", tabindex: "-1", title: "not run" }, "·");
      const kinds = [heatClass(measure.colour(cell)), cell.ranked ? "" : "weak", cell.ranked && (best > 0 || task.metric === BITS) && value(cell) === best ? "best" : ""];
      return element("td", { class: kinds.filter(Boolean).join(" "), role: "gridcell", tabindex: "-1", "data-cell": cell.number },
        measure.text(cell), cell.ranked ? null : element("span", { class: "hidden" }, ", not converged"));
    }));
}

// The mean over what a method has, beside how much that is; nothing stands in for what is missing.
function meanRow(rows, columns, grid, measure) {
  const scored = rows.filter((task) => task.metric !== BITS);
  return element("tfoot", {}, element("tr", { role: "row" }, element("th", { scope: "row", role: "rowheader" }, "mean, over tasks"),
    columns.map((method) => {
      const values = scored.map((task) => grid.get(task).get(method)).filter(Boolean).map(measure.colour).filter((one) => one !== null);
      const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
      return element("td", { role: "gridcell", tabindex: "-1" }, values.length ? share(mean, 2) : "–", element("br"), element("small", { class: "muted" }, `${values.length}/${scored.length}`));
    })));
}

// One tab stop: the cell that was focused last. Arrow keys, Home and End move; Enter and space open.
function rove(table) {
  const lines = [...table.querySelectorAll("tr")].map((row) => [...row.children].map((cell) => cell.querySelector("button") || cell));
  const place = (target) => {
    const row = lines.findIndex((line) => line.some((cell) => cell === target || cell.contains(target)));
    return [row, row < 0 ? -1 : lines[row].findIndex((cell) => cell === target || cell.contains(target))];
  };
  let current = lines[1][1];
  current.tabIndex = 0;
  const move = (row, column) => {
    const line = lines[Math.max(0, Math.min(lines.length - 1, row))];
    const next = line[Math.max(0, Math.min(line.length - 1, column))];
    current.tabIndex = -1;
    current = next;
    current.tabIndex = 0;
    current.focus();
  };
  table.addEventListener("focusin", (event) => {
    const [row, column] = place(event.target);
    if (row < 0) return;
    current.tabIndex = -1;
    current = lines[row][column];
    current.tabIndex = 0;
  });
  table.addEventListener("keydown", (event) => {
    const [row, column] = place(event.target);
    const steps = { ArrowRight: [row, column + 1], ArrowLeft: [row, column - 1], ArrowDown: [row + 1, column], ArrowUp: [row - 1, column],
      Home: [event.ctrlKey ? 0 : row, 0], End: [event.ctrlKey ? 1e6 : row, 1e6], PageDown: [row + 10, column], PageUp: [row - 10, column] };
    if (steps[event.key]) {
      event.preventDefault();
      move(...steps[event.key]);
    } else if ((event.key === "Enter" || event.key === " ") && event.target.dataset.cell) {
      event.preventDefault();
      openCell(cells[event.target.dataset.cell]);
    }
  });
  table.addEventListener("click", (event) => {
    const target = event.target.closest("[data-cell], [data-task], [data-method]");
    if (!target) return;
    if (target.dataset.cell) openCell(cells[target.dataset.cell]);
    else if (target.dataset.task) openTask(tasks[target.dataset.task]);
    else {
      const method = methods[target.dataset.method];
      state.byMethod = state.byMethod === method ? null : method;
      render();
      byId("view").querySelector(`[data-method="${method.number}"]`)?.focus();
      speak(state.byMethod ? `Tasks sorted by ${method.label}` : "Tasks in alphabetical order");
    }
  });
}

// The methods of a task that pass, the best first, in one figure.
function openTask(task) {
  const own = task.cells.filter((cell) => passingCells().includes(cell) && cell.runs.some((run) => run.tests));
  if (own.length) openCell(own[0], own.slice(1));
}

function nothing() {
  return element("p", { class: "notice" }, "Nothing passes these filters. “Clear filters” shows everything again.");
}
