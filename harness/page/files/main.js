// Puts the page together.

const VIEWS = {
  heat: { label: "Heat map", make: heatView },
  table: { label: "Methods by task", make: tableView },
  runs: { label: "Runs", make: runsView },
  cautions: { label: `Cautions (${page.cautions.length})`, make: cautionsView },
  about: { label: "About", make: aboutView },
};

function render() {
  showFilters();
  const frame = byId("view").querySelector(".frame");
  const [left, top] = [frame?.scrollLeft || 0, frame?.scrollTop || 0];
  byId("view").replaceChildren(...VIEWS[state.view].make());
  const again = byId("view").querySelector(".frame");
  if (again && frame && again.dataset.frame === frame.dataset.frame) Object.assign(again, { scrollLeft: left, scrollTop: top });
}

function makeTabs() {
  const place = byId("tabs");
  const names = Object.keys(VIEWS);
  const choose = (name, focus) => {
    state.view = name;
    for (const tab of place.children) {
      const own = tab.dataset.view === name;
      tab.setAttribute("aria-selected", String(own));
      tab.tabIndex = own ? 0 : -1;
      if (own && focus) tab.focus();
    }
    byId("view").setAttribute("aria-labelledby", `tab-${name}`);
    render();
  };
  place.append(...names.map((name) => element("button", { type: "button", role: "tab", id: `tab-${name}`, "data-view": name, "aria-controls": "view", onclick: () => choose(name) }, VIEWS[name].label)));
  place.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const now = names.indexOf(state.view);
    const next = event.key === "Home" ? 0 : event.key === "End" ? names.length - 1 : step ? (now + step + names.length) % names.length : -1;
    if (next < 0) return;
    event.preventDefault();
    choose(names[next], true);
  });
  choose("heat");
}

// The theme that was chosen is kept where the browser allows it.
function makeTheme() {
  const kept = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
  const apply = (theme) => {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
  };
  for (const input of byId("theme").querySelectorAll("input")) {
    input.checked = input.value === (["light", "dark"].includes(kept()) ? kept() : "auto");
    if (input.checked) apply(input.value);
    input.addEventListener("change", () => {
      apply(input.value);
      try { localStorage.setItem("theme", input.value); } catch { /* it is not kept then */ }
    });
  }
}

function start() {
  const seeds = cells.map((cell) => cell.runs.length);
  const [least, most] = [Math.min(...seeds), Math.max(...seeds)];
  byId("summary").textContent = `${plural(tasks.length, "task")} · ${plural(methods.length, "method")} · ${plural(new Set(runs.map((run) => run.record)).size, "run")} · ${least < most ? `${least} to ` : ""}${plural(most, "seed")} per cell`;
  makeTheme();
  makeFilters();
  makeTabs();
  const dialog = byId("details");
  byId("close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("close", () => { shown.cell = null; remember(""); });
  new ResizeObserver(() => {
    const place = byId("chart");
    if (place && place.clientWidth && place.clientWidth !== Number(place.dataset.width)) { place.dataset.width = place.clientWidth; redraw(); }
  }).observe(dialog);
  openRemembered();
}

start();
