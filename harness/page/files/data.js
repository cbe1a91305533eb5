// The data of the page as objects: tasks, methods, cells (a method on a task) with their runs.

const page = JSON.parse(document.getElementById("data").textContent);

function objects(columns, rows) {
  return rows.map((row) => Object.fromEntries(columns.map((column, place) => [column, row[place]])));
}

const AXES = page.axes;
const tasks = page.tasks.map((task, number) => ({ ...task, number, cells: [] }));
const methods = page.methods.map((method, number) => ({ ...method, number }));
const cells = objects(page.cell_columns, page.cells);
const runs = objects(page.run_columns, page.runs);

cells.forEach((cell, number) => {
  cell.number = number;
  cell.task = tasks[cell.task];
  cell.method = methods[cell.method];
  cell.guess = page.guesses[cell.guess];
  cell.note = page.notes[cell.note];
  cell.solved = cell.converged === null ? "no answer" : cell.converged * 2 >= Math.max(cell.seeds, 1) ? "yes" : "no";
  cell.runs = [];
  cell.task.cells.push(cell);
});

for (const run of runs) {
  run.cell = cells[run.cell];
  run.folder = page.texts[run.path];
  run.path = `${run.folder}/${run.record}.json`;
  for (const name of ["reason", "device", "harness", "commit", "refusal"]) run[name] = page.texts[run[name]];
  const words = page.texts[run.command];
  run.command = words ? `${words} seed=${run.seed}` : "";
  run.tests = run.lengths < 0 ? null : page.lengths[run.lengths];
  run.cell.runs.push(run);
}

// What a text search looks through.
for (const cell of cells) {
  const { task, method } = cell;
  cell.text = [task.label, task.name, method.label, ...method.axes, cell.id, cell.note].join(" ").toLowerCase();
}
for (const run of runs) run.text = `${run.cell.text} ${run.record} ${run.path} seed${run.seed} ${run.status}`.toLowerCase();

// The config of a run as the program writes it, the seed in its place.
function configOf(run) {
  return Object.assign({}, ...run.config.map((number) => page.configs[number]), { seed: run.seed });
}

const BITS = "bits_per_byte";
const METRICS = { exact_match: "exact match", token_accuracy: "token accuracy", bits_per_byte: "bits per byte" };

// The score of a run at each tested length, by a metric: shares from counts, bits as they are.
function scores(run, metric) {
  if (!run.tests) return [];
  if (metric === BITS) return run.bits;
  const [right, of] = metric === "exact_match" ? [run.exact, run.tests.examples] : [run.correct, run.tests.tokens];
  return right.map((count, place) => count / of[place]);
}

// The mean over the seeds of a cell at each length, with a 95 % interval: Student's t over seeds, or their range
// where some learned and others did not; for a single seed Wilson's over the test examples, where whole answers are counted; otherwise none.
function curve(cell, metric) {
  const finished = cell.runs.filter((run) => run.tests && scores(run, metric).length);
  if (!finished.length) return null;
  const rows = finished.map((run) => scores(run, metric));
  const lengths = finished[0].tests.length;
  const bound = metric === BITS ? (value) => Math.max(0, value) : (value) => Math.min(1, Math.max(0, value));
  const mean = lengths.map((_, place) => rows.reduce((sum, row) => sum + row[place], 0) / rows.length);
  let low = null;
  let high = null;
  let kind = "";
  if (cell.by_chance) {
    kind = `range over ${rows.length} seeds, some of which learned and others not`;
    low = lengths.map((_, place) => Math.min(...rows.map((row) => row[place])));
    high = lengths.map((_, place) => Math.max(...rows.map((row) => row[place])));
  } else if (rows.length > 1) {
    kind = `95 % t interval over ${rows.length} seeds`;
    const half = lengths.map((_, place) => {
      const squares = rows.reduce((sum, row) => sum + (row[place] - mean[place]) ** 2, 0);
      return page.quantiles[rows.length - 1] * Math.sqrt(squares / (rows.length - 1) / rows.length);
    });
    low = mean.map((value, place) => bound(value - half[place]));
    high = mean.map((value, place) => bound(value + half[place]));
  } else if (metric === "exact_match") {
    kind = "single seed: 95 % Wilson interval over its test examples, not over seeds";
    const intervals = lengths.map((_, place) => wilson(finished[0].exact[place], finished[0].tests.examples[place]));
    low = intervals.map(([from]) => from);
    high = intervals.map(([, to]) => to);
  } else kind = "single seed: no interval";
  return { cell, runs: finished, rows, lengths, mean, low, high, kind };
}

function wilson(right, total) {
  const z = 1.959964;
  const share = right / total;
  const middle = (share + (z * z) / (2 * total)) / (1 + (z * z) / total);
  const half = (z / (1 + (z * z) / total)) * Math.sqrt((share * (1 - share)) / total + (z * z) / (4 * total * total));
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}
