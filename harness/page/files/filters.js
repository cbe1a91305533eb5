// The filters: text, and a list of values for each axis on which the methods differ.

function makeFilters() {
  const place = byId("axes");
  for (const filter of FILTERS.filter((one) => one.values.length > 1)) {
    const boxes = filter.values.map((value) => element("label", {}, element("input", { type: "checkbox", value, onchange: (event) => choose(filter, value, event.target.checked) }), value));
    place.append(element("details", { class: "filter", "data-filter": filter.name },
      element("summary", {}, filter.name), element("fieldset", {}, element("legend", { class: "hidden" }, `Show only these: ${filter.name}`), boxes)));
  }
  byId("text").addEventListener("input", (event) => {
    state.text = event.target.value;
    state.firsts = {};
    render();
  });
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  byId("clear").addEventListener("click", () => {
    state.text = byId("text").value = "";
    state.chosen.clear();
    state.firsts = {};
    place.querySelectorAll("input").forEach((box) => { box.checked = false; });
    render();
  });
  // One list is open at a time; Escape and a click elsewhere close it.
  place.addEventListener("toggle", (event) => {
    if (event.target.open) place.querySelectorAll("details[open]").forEach((other) => { if (other !== event.target) other.open = false; });
  }, true);
  place.addEventListener("keydown", (event) => {
    const open = event.target.closest("details[open]");
    if (event.key !== "Escape" || !open) return;
    open.open = false;
    open.querySelector("summary").focus();
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest("details.filter")) place.querySelectorAll("details[open]").forEach((open) => { open.open = false; });
  });
}

function choose(filter, value, on) {
  const chosen = state.chosen.get(filter.name) || new Set();
  chosen[on ? "add" : "delete"](value);
  state.chosen.set(filter.name, chosen);
  state.firsts = {};
  render();
}

function showFilters() {
  for (const place of document.querySelectorAll("details.filter")) {
    const { filter } = place.dataset;
    const chosen = [...(state.chosen.get(filter) || [])];
    place.classList.toggle("active", chosen.length > 0);
    place.querySelector("summary").textContent = chosen.length ? `${filter}: ${chosen.length > 1 ? `${chosen.length} of them` : chosen[0]}` : filter;
  }
  const passing = passingCells().length;
  byId("count").textContent = passing === cells.length ? `${plural(cells.length, "cell")}: a method on a task` : `${passing.toLocaleString("en-US")} of ${plural(cells.length, "cell")}`;
  byId("clear").disabled = !state.text && [...state.chosen.values()].every((chosen) => !chosen.size);
}
