"""The results as one page of Markdown with plots; it computes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

from benchmarks.side_by_side import right
from mfverify.files import write_whole

EXPLANATIONS = {
    "pymdptoolbox VI": (
        "Its value iteration stops when the *span* of the last change is small (Puterman's criterion). That certifies the policy, and the "
        "policy is right (see *loss*); the values are those of the last sweep and are shifted by a nearly constant amount. It promises an "
        "epsilon-optimal policy, not values."
    ),
    "Storm SVI": (
        "The interval lies beside the value, not around it, although no reward is negative and the only end component is the target. See "
        "the process of two states below. Storm's default among its sound methods is optimistic value iteration, which is right here."
    ),
    "Storm VI": (
        "Classical value iteration stops when one sweep changes little; with discount 9/10 the distance to the value can then be nine "
        "times that change. Storm says that this method gives no guarantee; it offers sound ones."
    ),
    "Storm PI": "Policies are evaluated by an iterative linear solver with a stopping rule of its own; the policy is right, the values are near.",
}
"""Why a peer's values are off, where that is known."""

NOTES = """\
How to read this. Every peer solves the same decision process, written out by `mfverify export`'s own code (compiled and vectorised), and
is asked for 1e-9 in its own terms. *Build* is writing the process out and making the peer's own structures; *solve* is the median of the
runs after the first (which may compile), with the fastest and the slowest. *Peak* is the memory of the whole process, libraries included,
up to that size. A value is **inside** if it lies in the certified enclosure in every state, **within its tolerance** if it misses by no
more than the peer itself promises, otherwise **off**; *error* is the largest distance from the enclosure, *loss* the largest distance
between the optimum and the exact value of the peer's policy. mfverify builds no process: its time is everything from the model to the
enclosure, with its kernels compiled before and kept on disk (the first use of a version compiles for some seconds). The peers are
general: they do not know that the agents are exchangeable or that the process factorises; that is the point of the comparison, not a
fault of theirs.
"""


def write_page(document: dict[str, Any], folder: Path) -> list[Path]:
    """Write ``index.md`` and its plots; returns the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    plots = list(_plots(document, folder))
    page = folder / "index.md"
    write_whole(page, "\n".join(_lines(document, plots)).rstrip() + "\n")
    return [page, *(path for path, _ in plots)]


def _lines(document: dict[str, Any], plots: Sequence[tuple[Path, str]]) -> Iterator[str]:
    machine, limits = document["machine"], document["limits"]
    yield "# Side by side with real solvers"
    yield ""
    yield (
        f"Measured by `make bench` in {document['seconds'] / 60:.0f} minutes on {machine['usable_cores']} cores ({machine['processor']}), "
        f"Python {machine['python']}, numpy {machine['numpy']}, numba {machine['numba']}, mfverify {machine['mfverify']}. One peer may take "
        f"{limits['seconds']:.0f} s over all sizes of a suite and {limits['mib']} MiB. All numbers: [results.json](results.json)."
    )
    yield ""
    yield NOTES
    yield from _headline(document["suites"])
    for path, description in plots:
        yield f"![{description}]({path.name})"
        yield ""
    for suite in document["suites"]:
        yield from _suite(suite)
    yield from _off(document["suites"])
    yield from _storm(document["storm"])
    yield from _authors(document["authors"])
    for script in document["scripts"]:
        yield f"## `benchmarks/{script['script']}`"
        yield ""
        if script["status"] == "done":
            yield from ("```text", script["output"], "```")
        else:
            yield f"Nothing to show: {script['status']}."
        yield ""


def _headline(suites: Sequence[dict[str, Any]]) -> Iterator[str]:
    yield "## In short"
    yield ""
    for suite in suites:
        if suite["ratios"]:
            last = suite["ratios"][-1]
            low, high = last["solve_spread"]
            yield (
                f"- {suite['title']}, n = {last['agents']}: the fastest right solve among the peers ({last['fastest_solve']}) takes "
                f"**{last['solve']:.3g}** times as long as the certified enclosure ({low:.3g} to {high:.3g} over the runs), the fastest build "
                f"and solve ({last['fastest_build_and_solve']}) **{last['build_and_solve']:.3g}** times."
            )
        alone = [row for row in suite["rows"] if row["package"] == "mfverify" and row["status"] == "done"]
        if alone and (not suite["ratios"] or alone[-1]["agents"] > suite["ratios"][-1]["agents"]):
            n = alone[-1]["agents"]
            yield (
                f"- {suite['title']}, n = {n}: {_time(alone[-1]['solve_seconds'])} s for mfverify{_rate(alone[-1])}; no peer got there "
                f"(written out, {suite['choices'][str(n)]:.2g} choices)."
            )
    yield ""


def _rate(row: dict[str, Any]) -> str:
    return f", {row['pairs'] / row['solve_seconds']:.2g} (state, joint action) pairs per second" if row.get("pairs") else ""


def _suite(suite: dict[str, Any]) -> Iterator[str]:
    yield f"## {suite['title']}"
    yield ""
    yield f"System `{suite['system']}` of `benchmarks/systems.py`, discount {suite['discount']}."
    yield ""
    yield "| n | solver | build, s | solve, s | runs from .. to | peak, MiB | pairs per s | values | error | loss |"
    yield "|--:|---|--:|--:|--:|--:|--:|---|--:|--:|"
    for row in sorted(suite["rows"], key=lambda row: row["agents"]):
        n, name = row["agents"], f"{row['peer']}" + (f" {row['version']}" if row["version"] and row["package"] != "mfverify" else "")
        if row["status"] != "done":
            why = row["status"] if row["status"] == "not installed" else f"{row['status']}: {row['why']}"
            yield f"| {n} | {name} | | | | | | {why.replace('|', '/')} | | |"
            continue
        low, high = row["solve_spread"]
        rate = f"{row['pairs'] / row['solve_seconds']:.2g}" if row.get("pairs") else ""
        loss = "" if "policy_loss" not in row else f"{row['policy_loss']:.1e}"
        verdict = f"**{row['verdict']}**" if row["verdict"] == "off" else row["verdict"]
        yield (
            f"| {n} | {name} | {_time(row['build_seconds'])} | {_time(row['solve_seconds'])} | {_time(low)} .. {_time(high)} | "
            f"{row['peak_mib']} | {rate} | {verdict} | {row['error']:.1e} | {loss} |"
        )
    yield ""
    if suite["ratios"]:
        yield "Time of the fastest right peer over that of mfverify (certified enclosure included):"
        yield ""
        yield "| n | solve | spread | fastest solve | build and solve | fastest build and solve |"
        yield "|--:|--:|--:|---|--:|---|"
        for r in suite["ratios"]:
            low, high = r["solve_spread"]
            yield (
                f"| {r['agents']} | {r['solve']:.3g} | {low:.3g} .. {high:.3g} | {r['fastest_solve']} | {r['build_and_solve']:.3g} | "
                f"{r['fastest_build_and_solve']} |"
            )
        yield ""
    shown = {name: found for name, found in suite["exponents"].items() if found["solve"] is not None}
    if shown:
        yield (
            "Growth exponents in n, by least squares over the last three sizes: "
            + "; ".join(f"{name} {found['solve']:.1f} (with build {found['build and solve']:.1f})" for name, found in shown.items())
            + "."
        )
        yield ""


def _off(suites: Sequence[dict[str, Any]]) -> Iterator[str]:
    """What is off, fairly: one paragraph for each peer, with its worst example."""
    worst: dict[str, tuple[dict[str, Any], str]] = {}
    for suite in suites:
        for row in suite["rows"]:
            if row["status"] == "done" and not right(row) and (row["peer"] not in worst or row["error"] > worst[row["peer"]][0]["error"]):
                worst[row["peer"]] = row, suite["system"]
    yield "## What is off, and why"
    yield ""
    if not worst:
        yield "Nothing was off in this run."
        yield ""
    for name, (row, system) in worst.items():
        example = row["example"]
        low, high = example["found"]
        found = f"{low!r}" if low == high else f"[{low!r}, {high!r}]"
        yield f"**{name}** ({row['package']} {row['version']}, promises {row['promises']}): {EXPLANATIONS.get(name, 'Not explained yet.')}"
        yield ""
        yield (
            f"Largest on `{system}` at n = {row['agents']}, state {example['state']}: found {found}, enclosure "
            f"[{example['enclosure'][0]!r}, {example['enclosure'][1]!r}]; over all states the midpoints differ by "
            f"{row['difference']['smallest']:.3g} to {row['difference']['largest']:.3g}."
        )
        yield ""


def _storm(storm: dict[str, Any]) -> Iterator[str]:
    yield "## Storm's sound value iteration on a process of two states"
    yield ""
    if storm["status"] != "done":
        yield f"stormpy is {storm['status']}."
        yield ""
        return
    yield (
        "`benchmarks/storm_sound_value_iteration.py` holds the whole process: two states, three choices, rewards 5, 2 and 4. The value of "
        f"state 0 is {storm['expected']} by hand, and {storm['exact']} by Storm's exact engine."
    )
    yield ""
    yield "| method | precision | interval | contains the value | missed by |"
    yield "|---|---|---|---|--:|"
    for row in storm["rows"]:
        said = "yes" if row["contains"] else "**no**"
        missed = "" if row["contains"] else f"{row['missed_by']:.1e}"
        yield f"| {row['method']} | {row['precision']} | [{row['lower']!r}, {row['upper']!r}] | {said} | {missed} |"
    yield ""
    if any(not row["contains"] for row in storm["rows"]):
        yield (
            "Negative rewards and the way the discount is modelled are not the cause: this process has neither. Our reading of Storm's "
            "source (`SoundValueIterationHelper`, stage `b_eq_d`): once the "
            "upper bound has come down to the *decision value*, at which some state would prefer another action, actions are still chosen "
            "for that fixed value while the upper bound is allowed to pass below it; below it the choice need no longer be the best, so the "
            "upper bound can fall under the value. Read that as a conjecture; the intervals above are facts. The miss shrinks with the "
            "precision that is asked and stays larger than the interval is wide."
        )
        yield ""
    yield (
        "A second, known limitation concerns rewards below zero: Storm's iterative solvers assume values that are not negative "
        "([report](https://github.com/stormchecker/storm/issues/1061)). That is why the export adds the shifted reward structure "
        "`nonnegative`, and why the comparison uses it."
    )
    yield ""


def _authors(authors: dict[str, Any]) -> Iterator[str]:
    yield "## The authors' learning step"
    yield ""
    if authors["status"] != "done":
        yield "Not measured: give a clone of their repository, `make bench AUTHORS=path`."
        yield ""
        return
    yield (
        "On the public configuration of the paper's authors (five global states, three local states and actions, discount 9/10): one "
        "`update_Q` of theirs (10 sampled next states for each entry; the first call draws them, later ones reuse them) beside one exact "
        "Bellman sweep of the k-agent system. The steps are not the same operator: theirs pairs state and action distributions "
        "independently. Only the cost is compared."
    )
    yield ""
    yield "| k | their table | their first step, s | later step, s | our pairs | one exact sweep, s | certified solve, s | first step / sweep |"
    yield "|--:|--:|--:|--:|--:|--:|--:|--:|"
    theirs = {row["k"]: row for row in authors["theirs"]}
    for mine in authors["ours"]:
        row = theirs.get(mine["k"])
        cells = [f"{row['table']}", _time(row["first_step_seconds"]), _time(row["later_step_seconds"])] if row else ["", "not finished", ""]
        ratio = f"{row['first_step_seconds'] / mine['sweep_seconds']:.3g}" if row else ""
        yield (
            f"| {mine['k']} | {' | '.join(cells)} | {mine['table']} | {_time(mine['sweep_seconds'])} | {_time(mine['solve_seconds'])} | {ratio} |"
        )
    yield ""
    found = {name: value for name, value in authors["exponents"].items() if value is not None}
    if found:
        yield "Growth exponents in k over the last three sizes: " + ", ".join(f"{name} {value:.1f}" for name, value in found.items()) + "."
        yield ""


def _time(seconds: float) -> str:
    return f"{seconds:.3g}"


# --------------------------------------------------------------------------------------------------------------------- plots


def _plots(document: dict[str, Any], folder: Path) -> Iterator[tuple[Path, str]]:
    """One figure for times and one for memory on the main suite; one for the authors' step."""
    main = document["suites"][0]
    yield from _against_n(main, folder / "time.svg", "build + solve, s", lambda row: row["build_seconds"] + row["solve_seconds"])
    yield from _against_n(main, folder / "memory.svg", "peak memory, MiB", lambda row: row["peak_mib"])
    authors = document["authors"]
    if authors["status"] == "done" and authors["theirs"]:
        lines = {
            "their first step": [(row["k"], row["first_step_seconds"]) for row in authors["theirs"]],
            "one exact sweep": [(row["k"], row["sweep_seconds"]) for row in authors["ours"]],
            "certified solve": [(row["k"], row["solve_seconds"]) for row in authors["ours"]],
        }
        yield _figure(folder / "authors.svg", lines, "k", "s"), "Time of the authors' learning step and of our exact sweep against k"


def _against_n(suite: dict[str, Any], path: Path, label: str, number: Any) -> Iterator[tuple[Path, str]]:
    lines: dict[str, list[tuple[float, float]]] = {}
    for row in suite["rows"]:
        if row["status"] == "done":
            lines.setdefault(row["peer"] + ("" if right(row) else " (off)"), []).append((row["agents"], number(row)))
    if lines:
        yield _figure(path, lines, "n", label), f"{label} against n for each solver on the system {suite['system']}, both axes logarithmic"


def _figure(path: Path, lines: dict[str, list[tuple[float, float]]], x: str, y: str) -> Path:
    """A log-log plot; the same bytes for the same numbers."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with mpl.rc_context({"svg.hashsalt": path.name, "svg.fonttype": "none"}):
        figure = Figure(figsize=(7.2, 4.2), layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.add_subplot()
        markers = "osv^<>DpPX*hd+x"
        for i, (name, points) in enumerate(lines.items()):
            ours = name.startswith("mfverify") or name in ("one exact sweep", "certified solve")
            axes.plot(*zip(*sorted(points), strict=True), marker=markers[i % len(markers)], label=name, linewidth=2.5 if ours else 1.2)
        axes.set(xscale="log", yscale="log", xlabel=x, ylabel=y)
        axes.grid(visible=True, which="major", alpha=0.3)
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize="small", frameon=False)
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
    return path
