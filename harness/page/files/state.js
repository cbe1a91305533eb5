// What is chosen on the page, and the cells and runs that pass.

const words = new Intl.Collator("en", { numeric: true });

const state = {
  view: "heat",
  text: "",
  chosen: new Map(), // by name of a filter the set of values that pass; empty: all
  baselines: true,
  measure: "score",
  byMethod: null, // the heat map's rows are in the order of this method's scores
  sorts: {},
  firsts: {},
};

const FILTERS = [
  { name: "task", of: (cell) => cell.task.label },
  { name: "method", of: (cell) => cell.method.label },
  ...AXES.map((name, place) => ({ name, of: (cell) => cell.method.axes[place] })),
  { name: "converged", of: (cell) => cell.solved },
].map((filter) => ({ ...filter, values: [...new Set(cells.map(filter.of))].sort(inOrder) }));



function inOrder(one, other) {
  return words.compare(one, other);
}

// The words that were searched for: all must occur.
function searched(text) {
  return state.text.toLowerCase().split(/\s+/).filter(Boolean).every((word) => text.includes(word));
}

function passes(cell, without = () => false) {
  return FILTERS.every((filter) => {
    const chosen = state.chosen.get(filter.name);
    return !chosen || !chosen.size || without(filter.name) || chosen.has(filter.of(cell));
  });
}

function passingCells() {
  return cells.filter((cell) => searched(cell.text) && passes(cell));
}

function passingRuns() {
  const kept = new Set(cells.filter((cell) => passes(cell)));
  return runs.filter((run) => kept.has(run.cell) && searched(run.text));
}
