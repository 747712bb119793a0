"""The searches for counterexamples that the project has documented, and the classes of models on which claims were decided, as a report shows them.

They are kept in ``reports/searches.json`` and ``reports/classes.json``, which ``mfverify falsify --record`` and ``mfverify exhaust --record`` write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from mfverify.bundled import folder
from mfverify.errors import ModelError
from mfverify.json_files import parse_json, read_text

FILE: Final = folder("reports") / "searches.json"
CLASSES: Final = folder("reports") / "classes.json"
_LARGEST: Final = 16 * 2**20
_RISES: Final = 3
"""Rises of the best ratio that are shown."""
_SHOWN_RATIO: Final = 1e-9
"""Where the right side is 0 the ratio of a record is an excess, of which only roundings are left."""

Shown = TypeVar("Shown")


def documented_searches(statements: Mapping[str, str], path: Path = FILE, classes: Path = CLASSES) -> list[dict[str, Any]] | None:
    """What was searched against these claims, given by id with what they state; None where the record is missing.

    A search for a claim that stated something else then is left out, and so is what is no record of a search. In the order of the
    claims. ``curve`` is the best ratio against effort, to draw. ``notes`` are sentences for the reader: how many candidates were ranked, and
    the classes of models on which the claim is decided.
    """
    if not path.exists():
        return None
    decided: dict[str, list[str]] = {}
    for claim, sentence in _about(statements, _entries(classes, "classes"), decided_sentence):
        decided.setdefault(claim, []).append(sentence)
    found = dict(_about(statements, _entries(path, "searches"), _shown))
    for claim, shown in found.items():
        shown["notes"] = [*shown["notes"], *decided.get(claim, [])]
    return [found[claim] for claim in statements if claim in found]


def _entries(path: Path, name: str) -> list[Any]:
    """The list in a record; empty where there is no file or it is something else."""
    if not path.exists():
        return []
    try:
        entries = parse_json(path, read_text(path, _LARGEST, f"a record of {name}"))[name]
    except (ModelError, KeyError):
        return []
    return entries if isinstance(entries, list) else []


def _about(statements: Mapping[str, str], entries: list[Any], show: Callable[[Mapping[str, Any]], Shown]) -> Iterator[tuple[str, Shown]]:
    """What entries say about the claims as they are stated now; others, and what cannot be shown, are left out."""
    for one in entries:
        try:
            if statements.get(one["claim"]) == one["statement"]:
                yield one["claim"], show(one)
        except (KeyError, TypeError, ValueError):
            continue


def _shown(one: Mapping[str, Any]) -> dict[str, Any]:
    searched, best, violated = one["searched"], one["searched"]["best"], one["violated"]
    return {
        **{name: one[name] for name in ("claim", "seed", "seconds", "version", "date", "code")},
        **{name: searched[name] for name in ("candidates", "exhausted", "families", "verdicts")},
        "best": None if best is None else {name: best[name] for name in ("family", "label", "ratio", "actual", "bound")},
        "violated": None if violated is None else violated["label"],
        "notes": [*_begun(one.get("first", [])), *_each(searched), *_ranked(searched), *_others(one.get("others", []))],
        "curve": _against_effort(searched),
    }


def _against_effort(searched: Mapping[str, Any]) -> dict[str, Any] | None:
    """The best ratio among the first 1, 2, 4, 8, ... and all of the ranked candidates; None where the right side is not positive.

    What a search ranks is in doubles: the curve shows whether the search has levelled off, and certifies nothing.
    """
    best, last = searched["best"], searched.get("screened")
    if not last or best is None or best["ratio"] is None:
        return None
    rises = [(int(ranked), float(ratio)) for ranked, ratio in searched["curve"]]
    efforts = [2**i for i in range(int(last).bit_length()) if 2**i * 1.4 < last] + [last]
    points = [(effort, [ratio for ranked, ratio in rises if ranked <= effort]) for effort in efforts]
    x, y = [effort for effort, before in points if before], [before[-1] for _, before in points if before]
    if not x:
        return None
    return {
        "title": "Best ratio against effort",
        "x_label": "candidates ranked",
        "y_label": "largest left / right so far",
        "x": x,
        "series": [{"label": "among those ranked, without enclosures", "lower": y, "upper": y}],
        "scale": "linear",
    }


def _each(searched: Mapping[str, Any]) -> list[str]:
    """How long the certified sides of one candidate took."""
    seconds = searched.get("seconds_each")
    return [] if seconds is None else [f"The certified sides of a candidate took {1000 * seconds:.3g} ms on average."]


def _ranked(searched: Mapping[str, Any]) -> list[str]:
    """How many candidates were ranked without enclosures, how fast, and where the best ratio stood when it last rose."""
    if not searched.get("screened"):
        return []
    rises = [(int(ranked), float(ratio)) for ranked, ratio in searched["curve"]][-_RISES:]
    sentence = f"Ranked without enclosures: {searched['screened']:,} candidates, {searched['per_second']:,} a second."
    if rises:
        sentence += (
            " The largest ratio among them rose last to " + ", ".join(f"{ratio:.4g} after {ranked:,}" for ranked, ratio in rises) + "."
        )
    return [sentence]


def _begun(first: Sequence[str]) -> list[str]:
    """What the search began with, if with the best instance of an earlier one."""
    return [f"The search began with the best instance of an earlier one: {', '.join(first)}."] if first else []


def _others(others: Sequence[Mapping[str, Any]]) -> list[str]:
    """How much other searches against the same statement looked at, and how far they came."""
    if not others:
        return []
    candidates, ranked, seconds = (sum(one[name] for one in others) for name in ("candidates", "screened", "seconds"))
    ratios = ", ".join(f"{one['ratio']:.4g}" for one in sorted(others, key=_ratio, reverse=True) if one["ratio"] is not None)
    count = "Another search" if len(others) == 1 else f"{len(others)} other searches"
    sentence = f"{count} without a violation: {candidates:,} candidates, {ranked:,} ranked, {seconds:,.0f} s"
    return [sentence + (f"; largest ratio: {ratios}." if ratios else ".")]


def _ratio(search: Mapping[str, Any]) -> float:
    return float("-inf") if search["ratio"] is None else float(search["ratio"])


def decided_sentence(one: Mapping[str, Any]) -> str:
    """What is known of a claim on a class of models, for the reader."""
    pairs = [f"n={n} k={k}" for n, k in one["pairs"]]
    vacuous = [pair for pair, verdict in zip(pairs, one["verdicts"], strict=True) if verdict == "vacuous"]
    what = {"holds": "Holds on all", "violated": "Violated on some of the", "undecided": "Not decided on all of the"}[one["status"]]
    sentence = f"{what} {one['models']:,} models of a class ({one['orbits']:,} up to relabelling), at {', '.join(pairs)}: {one['class']}."
    if one.get("not_applicable"):
        sentence += f" The condition of the claim fails on {one['not_applicable']:,} of {one['instances']:,} instances."
    if vacuous:
        sentence += f" The bound is vacuous there at {', '.join(vacuous)}."
    if one["worst"] is not None and one["worst"]["ratio"] > _SHOWN_RATIO:
        sentence += f" Largest left side / right side: {one['worst']['ratio']:.4g}."
    return f"{sentence} Digest: {one['digest'][:16]}."
