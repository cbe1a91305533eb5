// The other views: the table of methods by task, the runs, cautions, and what the numbers mean.

function opens(cell, text) {
  return element("button", { type: "button", class: "link", onclick: () => openCell(cell) }, text);
}

const METHOD_COLUMNS = [
  { label: "Task", text: true, value: (row) => row.task.label },
  { label: "Method", text: true, header: true, class: "name", value: (row) => row.method.label, show: (row) => (row.baseline ? row.method.label : opens(row, row.method.label)) },
  { label: "Rank", title: "Rank on the task, possible ranks in brackets", value: (row) => (row.rank === null ? null : -row.rank), show: (row) => (row.rank === null ? null : row.rank_best === null || row.rank_best === row.rank_worst ? row.rank : `${row.rank} (${row.rank_best}–${row.rank_worst})`) },
  { label: "Score", title: "Mean beyond the training length", value: (row) => row.score, show: (row) => share(row.score) },
  { label: "95 % interval", title: "Student's t over seeds; ‡: their range, where some learned and others did not", value: (row) => row.score_low, show: (row) => (row.score_low === null ? null : row.by_chance ? `${share(row.score_min)} to ${share(row.score_max)} ‡` : `${share(row.score_low)} to ${share(row.score_high)}`) },
  { label: "Above guess", title: "Above the task's strongest baseline", value: (row) => row.above_guess, show: (row) => share(row.above_guess) },
  { label: "In distribution", value: (row) => row.in_distribution, show: (row) => share(row.in_distribution) },
  { label: "Converged", title: "Seeds that reach .99 up to the training length", value: (row) => (row.converged === null || !row.seeds ? null : row.converged / row.seeds), show: (row) => (row.converged === null ? null : `${row.converged} of ${row.seeds}`) },
  { label: "Reach .9", value: (row) => row.reach, show: (row) => reachText(row) },
  { label: "Reach .5", value: (row) => row.reach_half, show: (row) => reachText(row, "reach_half") },
  { label: "× trained", value: (row) => row.reach_multiple },
  { label: "Area", title: "Mean over the logarithm of the length beyond training", value: (row) => row.area, show: (row) => share(row.area) },
  { label: "Token accuracy", value: (row) => row.token_accuracy, show: (row) => share(row.token_accuracy) },
  { label: "Farther", title: "Score on dependencies longer than any in training", value: (row) => row.farther, show: (row) => share(row.farther) },
  { label: "Seeds", value: (row) => row.seeds },
  { label: "Steps", value: (row) => row.steps, show: (row) => whole(row.steps) },
  { label: "Parameters", value: (row) => row.parameters, show: (row) => whole(row.parameters) },
  { label: "Seconds", value: (row) => row.training_seconds, show: (row) => whole(row.training_seconds) },
  { label: "Note", text: true, class: "note", value: (row) => row.note },
];

// The trivial baselines of the tasks that are shown, as rows without a rank.
function baselineRows(passing) {
  const nothingKnown = Object.fromEntries(page.cell_columns.map((name) => [name, null]));
  return [...new Set(passing.map((cell) => cell.task))].flatMap((task) => task.baselines.map((baseline) => ({ ...nothingKnown, ...baseline, task, method: { label: `(${baseline.name})` }, note: "", baseline: true })));
}

function tableView() {
  const passing = passingCells();
  if (!passing.length) return [nothing()];
  const box = element("input", { type: "checkbox", id: "baselines", checked: state.baselines, onchange: (event) => { state.baselines = event.target.checked; render(); byId("baselines").focus(); } });
  const rows = state.baselines ? [...passing, ...baselineRows(passing)] : passing;
  const usual = state.sorts.methods ? rows : rows.map((row, place) => [row, place]).sort(([one, a], [other, b]) => one.task.number - other.task.number || a - b).map(([row]) => row);
  return [element("div", { class: "tools" }, element("label", {}, box, "Show chance, blind, shortcuts and oracle")),
    ...sortedTable("methods", "Methods on each task, the best first; a column's name sorts by it.", METHOD_COLUMNS, usual, (row) => (row.baseline ? "baseline" : null))];
}

const RUN_COLUMNS = [
  { label: "Task", text: true, value: (run) => run.cell.task.label },
  { label: "Method", text: true, class: "name", value: (run) => run.cell.method.label },
  { label: "Seed", value: (run) => run.seed },
  { label: "Run", text: true, header: true, class: "name", value: (run) => run.record, show: (run) => opens(run.cell, run.record) },
  { label: "Status", text: true, value: (run) => run.status },
  { label: "Score", value: (run) => run.score, show: (run) => share(run.score) },
  { label: "In distribution", value: (run) => run.in_distribution, show: (run) => share(run.in_distribution) },
  { label: "Reach .9", value: (run) => run.reach },
  { label: "Final loss", value: (run) => run.loss, show: (run) => brief(run.loss) },
  { label: "Steps", value: (run) => run.steps, show: (run) => whole(run.steps) },
  { label: "Seconds", value: (run) => run.seconds, show: (run) => whole(run.seconds) },
  { label: "Finished", text: true, value: (run) => run.finished, show: (run) => run.finished.slice(0, 10) },
  { label: "Record", text: true, value: (run) => run.path },
];

function runsView() {
  const passing = passingRuns();
  return passing.length ? sortedTable("runs", "All runs; a run's name opens its curve, config and command.", RUN_COLUMNS, passing) : [nothing()];
}

function cautionsView() {
  const intro = element("p", {}, "What speaks for caution with comparisons on this page. It is said of all records, whatever the filters.");
  const list = page.cautions.length ? element("ul", {}, page.cautions.map((line) => element("li", {}, line))) : element("p", {}, "None was found.");
  return [element("div", { class: "prose" }, element("h2", {}, "Cautions"), intro, list)];
}

const MEANINGS = [
  ["Score", "the mean of the task's metric over the tested lengths beyond the training length, each weighing the same; the mean over seeds, every seed counted."],
  ["95 % interval", "Student's t over seeds, cut at 0 and 1. A single seed has none; where some of a few seeds learned and others did not, it would be too narrow, and their range stands in its place (‡). The curve of a single seed shows Wilson's interval over its test examples, which says nothing of other seeds."],
  ["Above the best guess", "(score − guess) / (1 − guess), where the guess is the strongest of chance, blind and the task's shortcuts. Below 0 a shortcut does better."],
  ["Blind", "the best predictor that knows the length and nothing else of the input."],
  ["Reach", "the longest tested length up to which every tested length scores .9 (or .5); > where that is the longest tested."],
  ["Area", "the mean over the logarithm of the length beyond training: doubling the length counts the same everywhere."],
  ["Converged", "a seed that scores .99 up to the training length. Methods of which most seeds did not converge have no rank; none is left out."],
  ["Possible ranks", "those that Welch's test of the seeds, with Holm's correction over all pairs of the task, leaves open."],
  ["Mean over tasks", "of what a method was run on; the fraction says how much that is. Nothing stands in for what is missing."],
];

function aboutView() {
  return [element("div", { class: "prose" },
    element("h2", {}, "What the numbers mean"),
    element("ul", {}, MEANINGS.map(([name, text]) => element("li", {}, element("strong", {}, name), `: ${text}`))),
    element("h2", {}, "Where they come from"),
    element("p", {}, `The records of ${plural(new Set(runs.map((run) => run.record)).size, "run")} in ${page.folders.join(", ")}, written by version ${page.harness.join(", ")} of the harness. The page is made from them alone: the same records give the same page. It sends and fetches nothing.`))];
}
