"use strict";
(() => {
  const table = document.getElementById("modules");
  // The table of modules: sorted by a column, filtered by text and by state.

  if (table) {
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row, index) => ({
      row,
      index,
      text: row.textContent.toLowerCase(),
      state: row.dataset.state,
    }));
    const order = new Intl.Collator("en", { numeric: true });
    const headers = [...table.tHead.rows[0].cells];

    const key = (entry, column) => {
      const cell = entry.row.cells[column];
      const value = cell.dataset.v;
      if (value === undefined) {
        return cell.textContent;
      }
      return value === "" ? null : Number(value);
    };

    const compare = (a, b) => (typeof a === "number" ? a - b || 0 : order.compare(a, b));

    const sort = (column, ascending) => {
      const keyed = rows.map((entry) => [key(entry, column), entry]);
      keyed.sort(([a, one], [b, other]) => {
        if (a === null || b === null) {
          // What is unknown comes last in both directions.
          return (a === null) - (b === null) || one.index - other.index;
        }
        return (ascending ? compare(a, b) : compare(b, a)) || one.index - other.index;
      });
      body.append(...keyed.map(([, entry]) => entry.row));
      headers.forEach((header, index) => {
        if (header.hasAttribute("aria-sort")) {
          const direction = ascending ? "ascending" : "descending";
          header.setAttribute("aria-sort", index === column ? direction : "none");
        }
      });
    };

    headers.forEach((header, column) => {
      const button = header.querySelector("button");
      if (button) {
        button.disabled = false;
        button.addEventListener("click", () =>
          sort(column, header.getAttribute("aria-sort") !== "ascending"));
      }
    });

    const controls = document.getElementById("controls");
    const text = document.getElementById("filter");
    const state = document.getElementById("state");
    const count = document.getElementById("count");

    const filter = () => {
      const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const entry of rows) {
        const fits =
          (state.value === "" || entry.state === state.value) &&
          words.every((word) => entry.text.includes(word));
        entry.row.hidden = !fits;
        shown += fits ? 1 : 0;
      }
      count.textContent = `${shown} of ${rows.length} modules`;
    };

    text.addEventListener("input", filter);
    state.addEventListener("change", filter);
    controls.hidden = false;
    filter();
  }
})();
