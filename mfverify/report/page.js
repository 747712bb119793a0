// Sorts, filters, searches, copies, unfolds. The page is complete without it: it shows nothing that is not in the page as text.
(() => {
  "use strict";
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const make = (tag, attributes = {}, ...inside) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...inside);
    return element;
  };
  const button = (words, action) => {
    const made = make("button", { type: "button" }, words);
    made.addEventListener("click", action);
    return made;
  };
  const labelled = (label, control) => make("label", {}, label + " ", control);
  const form = (name) => {
    const made = make("form", { class: name });
    made.addEventListener("submit", (event) => event.preventDefault());
    return made;
  };
  const choice = (every, values) => {
    const made = make("select");
    made.append(new Option(every, ""), ...values.map((value) => new Option(value, value)));
    return made;
  };
  const region = (label, inside) => make("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": label }, inside);

  // Sorting: by number where both are numbers, within each paper; what has no value comes last either way.
  const key = (row, column) => {
    const cell = row.cells[column];
    const words = cell.dataset.key ?? cell.textContent.trim();
    return words === "–" ? "" : words;
  };
  const compare = (a, b) => {
    if (a === "" || b === "") return (a === "") - (b === "");
    const numbers = [Number(a), Number(b)];
    return numbers.some(Number.isNaN) ? a.localeCompare(b, "en", { numeric: true }) : numbers[0] - numbers[1];
  };
  const sortable = (table) => {
    const headings = [...table.tHead.rows[0].cells];
    headings.forEach((heading, column) => {
      const press = button("", () => {
        const down = heading.getAttribute("aria-sort") === "ascending";
        headings.forEach((other) => other.removeAttribute("aria-sort"));
        heading.setAttribute("aria-sort", down ? "descending" : "ascending");
        for (const body of table.tBodies) {
          const rows = [...body.rows].filter((row) => !row.classList.contains("paper"));
          body.append(...rows.sort((a, b) => {
            const [left, right] = [key(a, column), key(b, column)];
            return (left === "" || right === "" || !down ? 1 : -1) * compare(left, right);
          }));
        }
      });
      press.append(...heading.childNodes);
      heading.append(press);
    });
  };

  // Copying.
  const copy = (words, at) => {
    const said = (done) => { at.textContent = done ? "copied" : "select and copy"; };
    (navigator.clipboard?.writeText(words) ?? Promise.reject()).then(() => said(true), () => {
      const area = make("textarea", { "aria-hidden": "true" });
      area.value = words;
      at.after(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      said(done);
    });
  };
  for (const source of all("[data-copy]")) {
    const press = button("Copy " + source.dataset.copy, () => copy(source.textContent.trim(), press));
    (source.closest("details") ?? source).after(press);
  }

  // Instances: lines of text, cells divided by tabs; as a table once they are unfolded. What is folded is text that makes no elements yet.
  const folded = (hidden) => new DOMParser().parseFromString(hidden.textContent, "text/html").body;
  const models = new Map(all("#models ~ .scroll tbody th a").map((link) => [link.textContent, link.getAttribute("href")]));
  const cells = (line) => line.textContent.split(/\t+/).map((cell) => cell.trim());
  const headings = (lines) => cells(lines.querySelector("strong"));
  const command = (lines, row) => {
    if (row.Command && row.Command !== "–") return row.Command;
    const given = (letter) => (row[letter] && row[letter] !== "–" ? `${letter}=${row[letter]}` : "");
    const parts = [row.Model, given("n"), given("k"), row.Parameters].filter((part) => part && part !== "–");
    const label = row.Label ?? parts.join(" ");
    return lines.dataset.command?.replace("'LABEL'", () => "'" + label.replaceAll("'", "'\"'\"'") + "'");
  };
  let known;  // all instances, read when they are first searched or a table is made of some
  const instances = () => known ??= all("details.instances > noscript").flatMap((hidden) => {
    const lines = folded(hidden).querySelector("pre");
    const id = hidden.closest("section").querySelector("h3").textContent.split(". ")[0];
    const names = headings(lines);
    return all("span", lines).map((line) => {
      const row = Object.fromEntries(cells(line).map((cell, column) => [names[column], cell]));
      const given = ["n", "k"].filter((name) => row[name] && row[name] !== "–").map((name) => `${name}=${row[name]}`);
      const parts = row.Label ? [row.Label] : [row.Model, ...given, row.Parameters];
      const label = parts.filter((part) => part && part !== "–").join(" ");
      return { id, label, row, at: line.id, words: `${id} ${label} ${Object.values(row).join(" ")}`.toLowerCase() };
    });
  });
  const verdict = (words) => {
    const [sign, word] = [words.slice(0, 1), words.slice(2)];
    return make("span", { class: "mark " + word }, make("span", { class: "sign", "aria-hidden": "true" }, sign), " " + word);
  };
  const classes = { Verdict: "verdict", Model: "name", Parameters: "name", Label: "name", Command: "name", Notes: "notes" };
  const tabulate = (lines) => {
    const names = headings(lines);
    const some = Boolean(lines.dataset.command) || names.includes("Command");
    const again = some && !names.includes("Command") ? [...names, "Command"] : names;
    const head = make("tr", {}, ...again.map((name) => make("th", { scope: "col", class: classes[name] ?? "number" }, name)));
    const body = make("tbody");
    for (const line of all("span", lines)) {
      const found = cells(line);
      const row = make("tr", { id: line.id });
      names.forEach((name, column) => {
        const words = found[column] ?? "";
        const cell = make("td", { class: classes[name] ?? "number" });
        if (name === "Verdict") {
          cell.append(verdict(words), make("a", { class: "here", href: "#" + line.id, "aria-label": "Link to " + line.id }));
        } else if (name === "Model" && models.has(words)) cell.append(make("a", { href: models.get(words) }, words));
        else cell.append(words);
        row.append(cell);
      });
      if (some) {
        const words = command(lines, Object.fromEntries(names.map((name, column) => [name, found[column]])));
        const press = button("copy", () => copy(words, press));
        press.setAttribute("aria-label", "Copy the command of " + line.id);
        const cell = row.cells[again.indexOf("Command")] ?? row.appendChild(make("td"));
        cell.className = "";
        cell.replaceChildren(press);
      }
      body.append(row);
    }
    const table = make("table", {}, make("thead", {}, head), body);
    sortable(table);
    lines.replaceWith(region(lines.getAttribute("aria-label"), table));
  };
  const unfold = (details) => {
    instances();  // while they are lines of text
    all("noscript", details).forEach((hidden) => { hidden.outerHTML = hidden.textContent; });
    all("pre.rows", details).forEach(tabulate);
  };
  document.addEventListener("toggle", (event) => {
    if (event.target.matches?.("details.instances, details.plots") && event.target.open) unfold(event.target);
  }, true);
  const arrive = () => {
    const name = decodeURIComponent(location.hash.slice(1));
    const inside = name && all("details.instances > noscript").find((hidden) => hidden.textContent.includes(`id="${name}"`));
    let target = inside || (name && document.getElementById(name));
    if (!target) return;
    for (let around = target.closest("details"); around; around = around.parentElement.closest("details")) {
      around.open = true;
      unfold(around);
    }
    target = document.getElementById(name);
    all("tr.found").forEach((row) => row.classList.remove("found"));
    if (target.matches("tr")) target.classList.add("found");
    target.scrollIntoView();
  };
  addEventListener("hashchange", arrive);
  const go = (name) => { if (location.hash === "#" + name) arrive(); else location.hash = name; };

  // The table of claims.
  const table = document.querySelector("table.overview");
  const claims = table ? all("tbody tr:not(.paper)", table) : [];
  if (claims.length > 1) {
    sortable(table);
    const bar = form("filter");
    const text = make("input", { type: "search" });
    const status = choice("any status", [...new Set(claims.map((row) => row.dataset.status))].sort());
    const papers = [...table.tBodies].map((body) => body.dataset.paper);
    const paper = choice("any paper", papers);
    const shown = make("output", { "aria-live": "polite" });
    bar.append(labelled("Find", text), labelled("Status", status));
    if (papers.length > 1) bar.append(labelled("Paper", paper));
    bar.append(shown);
    const filter = () => {
      const wanted = text.value.trim().toLowerCase();
      let left = 0;
      for (const body of table.tBodies) {
        let some = false;
        for (const row of body.rows) {
          if (row.classList.contains("paper")) continue;
          row.hidden = !(row.textContent.toLowerCase().includes(wanted)
            && (status.value === "" || row.dataset.status === status.value)
            && (paper.value === "" || body.dataset.paper === paper.value));
          some ||= !row.hidden;
          left += !row.hidden;
        }
        const heading = body.querySelector(".paper");
        if (heading) heading.hidden = !some;
      }
      shown.value = `${left} of ${claims.length} claims`;
    };
    text.addEventListener("input", filter);
    [status, paper].forEach((control) => control.addEventListener("change", filter));
    filter();
    table.closest(".scroll").before(bar);
  }

  // The search over all instances.
  const place = document.getElementById("search");
  if (place && document.querySelector("details.instances")) {
    const most = 50;
    const bar = form("search");
    const text = make("input", { type: "search", placeholder: "such as: T1 n=2000" });
    const kinds = choice("any verdict", ["violated", "holds", "vacuous", "not-applicable", "undecided"]);
    const shown = make("output", { "aria-live": "polite" });
    const results = make("div");
    const search = () => {
      // A number is meant whole: n=20 does not find n=200.
      const wanted = text.value.toLowerCase().split(/\s+/).filter(Boolean)
        .map((word) => new RegExp(word.replace(/[^\w\s]/g, "\\$&") + (/\d$/.test(word) ? "(?![\\d/.])" : "")));
      results.textContent = shown.value = "";
      if (!wanted.length && !kinds.value) return;
      const found = instances().filter((one) => wanted.every((word) => word.test(one.words))
        && (kinds.value === "" || one.row.Verdict.slice(2) === kinds.value));
      shown.value = `${found.length} of ${instances().length} instances` + (found.length > most ? `; the first ${most} are listed` : "");
      if (!found.length) return;
      const head = make("tr", {}, ...["Claim", "Instance", "Verdict", "Left side", "Right side"].map((name) => make("th", { scope: "col" }, name)));
      const body = make("tbody", {}, ...found.slice(0, most).map((one) => make("tr", {},
        make("th", { scope: "row" }, one.id), make("td", {}, button(one.label || one.at, () => go(one.at))),
        make("td", { class: "verdict" }, verdict(one.row.Verdict)), make("td", {}, one.row["Left side"] ?? "–"), make("td", {}, one.row["Right side"] ?? "–"))));
      results.append(region("Instances found", make("table", {}, make("thead", {}, head), body)));
    };
    text.addEventListener("input", search);
    kinds.addEventListener("change", search);
    bar.append(labelled("Words", text), labelled("Verdict", kinds), shown);
    place.append(make("h3", {}, "Find instances"), bar, results);
  }

  // The values under a pointer: those of the nearest abscissa, from the data of the plot.
  const record = (line) => [...line.matchAll(/"((?:[^"]|"")*)"|([^,]+)|(?<=,)(?=,|$)/g)].map((cell) => cell[1]?.replaceAll('""', '"') ?? cell[2] ?? "");
  document.addEventListener("pointermove", (event) => {
    const plot = event.target.closest?.("svg[data-x]");
    all(".tip").forEach((tip) => { if (tip.parentElement !== plot?.parentElement) tip.remove(); });
    if (!plot) return;
    const link = plot.parentElement.querySelector("a[download]");
    if (!link) return;
    const box = plot.getBoundingClientRect();
    const here = (event.clientX - box.left) / box.width * plot.viewBox.baseVal.width;
    const places = plot.dataset.x.split(" ").map(Number);
    const nearest = places.reduce((best, x, i) => (Math.abs(x - here) < Math.abs(places[best] - here) ? i : best), 0);
    const [names, ...data] = decodeURIComponent(link.getAttribute("href").split(",").slice(1).join(",")).trim().split("\n").map(record);
    const row = data[nearest];
    const said = [`${names[0]} = ${row[0]}`];
    for (let i = 1; i < names.length; i++) {
      if (!names[i].endsWith(", lower")) said.push(row[i]);
      else said.push(`${names[i].slice(0, -7)}: ${row[i] === row[i + 1] ? row[i++] : `[${row[i]}, ${row[++i]}]`}`);
    }
    const tip = plot.parentElement.querySelector(".tip") ?? plot.parentElement.appendChild(make("div", { class: "tip", "aria-hidden": "true" }));
    tip.textContent = said.join("; ");
  });

  arrive();
})();
