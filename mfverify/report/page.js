// Sorts and filters the table of claims. The page is complete without it: it only reorders and hides what is there.
(() => {
  "use strict";
  const table = document.querySelector("table.overview");
  if (!table || table.tBodies[0].rows.length < 2) return;
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const headings = [...table.tHead.rows[0].cells];

  const key = (row, column) => row.cells[column].dataset.key ?? row.cells[column].textContent.trim();
  const compare = (a, b) => {
    if (a === "" || b === "") return (a === "") - (b === "");
    const numbers = [Number(a), Number(b)];
    return numbers.some(Number.isNaN) ? a.localeCompare(b, "en", { numeric: true }) : numbers[0] - numbers[1];
  };
  headings.forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const down = heading.getAttribute("aria-sort") === "ascending";
      headings.forEach((other) => other.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", down ? "descending" : "ascending");
      const sign = down ? -1 : 1;
      body.append(...[...rows].sort((a, b) => {
        const [left, right] = [key(a, column), key(b, column)];
        return (left === "" || right === "" ? 1 : sign) * compare(left, right);  // what has no value comes last either way
      }));
    });
  });

  const bar = document.createElement("form");
  bar.className = "filter";
  bar.addEventListener("submit", (event) => event.preventDefault());
  const text = document.createElement("input");
  text.type = "search";
  const words = document.createElement("select");
  const every = new Option("any status", "");
  words.append(every, ...[...new Set(rows.map((row) => row.dataset.status))].sort().map((word) => new Option(word, word)));
  const shown = document.createElement("output");
  shown.setAttribute("aria-live", "polite");
  const labelled = (label, control) => {
    const around = document.createElement("label");
    around.append(label + " ", control);
    return around;
  };
  bar.append(labelled("Find", text), labelled("Status", words), shown);
  const filter = () => {
    const wanted = text.value.trim().toLowerCase();
    let left = 0;
    for (const row of rows) {
      row.hidden = !(row.textContent.toLowerCase().includes(wanted) && (words.value === "" || row.dataset.status === words.value));
      left += !row.hidden;
    }
    shown.value = `${left} of ${rows.length} claims`;
  };
  text.addEventListener("input", filter);
  words.addEventListener("change", filter);
  filter();
  table.closest(".scroll").before(bar);
})();
