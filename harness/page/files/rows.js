// A table that can be sorted by every column and shows a page of its rows at a time.

const PAGE = 100;

// A column has a `label`, the `value` to sort by, and what is shown: `show(row)`, by default the value. `text` columns
// are sorted upwards first, numbers downwards. Rows without a value come last either way.
function sortedTable(name, caption, columns, rows, classOf = () => null) {
  const sort = state.sorts[name];
  const chosen = sort && columns[sort.column];
  let ordered = rows;
  if (chosen) {
    const keyed = rows.map((row) => [chosen.value(row), row]);
    const missing = ([value]) => value === null || value === undefined || value === "";
    const compare = chosen.text ? words.compare : (one, other) => one - other;
    const known = keyed.filter((pair) => !missing(pair)).sort(([one], [other]) => (sort.up ? compare(one, other) : compare(other, one)));
    ordered = [...known, ...keyed.filter(missing)].map(([, row]) => row);
  }
  const first = Math.min(state.firsts[name] || 0, Math.floor(Math.max(0, rows.length - 1) / PAGE) * PAGE);
  const head = columns.map((column, place) => {
    const own = sort && sort.column === place;
    return element("th", { scope: "col", class: column.text ? "text" : null, "aria-sort": own ? (sort.up ? "ascending" : "descending") : "none" },
      element("button", { type: "button", "data-sort": place, title: column.title || null, onclick: () => {
        state.sorts[name] = { column: place, up: own ? !sort.up : Boolean(column.text) };
        state.firsts[name] = 0;
        render();
        byId("view").querySelector(`[data-sort="${place}"]`).focus();
        speak(`Sorted by ${column.label}, ${state.sorts[name].up ? "ascending" : "descending"}`);
      } }, column.label));
  });
  const body = ordered.slice(first, first + PAGE).map((row) => element("tr", { class: classOf(row) }, columns.map((column) => {
    const kinds = [column.text ? "text" : "number", column.class].filter(Boolean).join(" ");
    const shownValue = column.show ? column.show(row) : column.value(row);
    return element(column.header ? "th" : "td", { class: kinds, scope: column.header ? "row" : null }, shownValue === null || shownValue === undefined ? "–" : shownValue);
  })));
  const table = element("table", { class: "rows" },
    element("caption", {}, element("span", {}, caption)), element("thead", {}, element("tr", {}, head)), element("tbody", {}, body));
  return [element("div", { class: "frame", tabindex: "0", role: "region", "aria-label": caption }, table), rows.length > PAGE ? pager(name, first, rows.length) : ""];
}

function pager(name, first, count) {
  const go = (to, id) => () => {
    state.firsts[name] = to;
    render();
    const button = byId(id);
    (button.disabled ? byId("view") : button).focus();
    byId("view").scrollIntoView({ block: "start" });
  };
  const last = Math.floor((count - 1) / PAGE) * PAGE;
  const button = (id, label, to, off) => element("button", { type: "button", class: "plain", id, disabled: off, onclick: go(to, id) }, label);
  return element("nav", { class: "pager", "aria-label": "Pages of the table" },
    button("page-first", "First", 0, first === 0), button("page-back", "Back", Math.max(0, first - PAGE), first === 0),
    element("span", { role: "status" }, `Rows ${first + 1} to ${Math.min(count, first + PAGE)} of ${count.toLocaleString("en-US")}`),
    button("page-next", "Next", Math.min(last, first + PAGE), first === last), button("page-last", "Last", last, first === last));
}
