"""Make the bundled certificates again: ``python reports/certificates/build.py [NAME ...]`` (all of them by default).

``--table`` checks them all instead, each in a process of its own, and writes the tables of ``README.md``, the first one with the times;
``--smallest`` writes the second one alone: the smallest counterexamples on file. ``--searches`` writes the one of the searches that found nothing.

Each is made from its claim and instance alone, so the files come out byte for byte as they are. Instances that a search found, on
models without a name of their own, are taken from the certificate that is there: it holds the model.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

from mfverify import models
from mfverify.certificate import certify, load_certificate
from mfverify.falsifier.smallest import measures_of
from mfverify.model import Model
from mfverify.models.commitment import hard as commitment_family
from mfverify.models.preferences import preferences
from mfverify.papers import CATALOGUE
from mfverify.papers.alternating_marl.deviations import Deviation, Reads
from mfverify.papers.alternating_marl.half_of_maximum import Direction, OneDirection
from mfverify.papers.alternating_marl.tables import TwoTables
from mfverify.papers.graphon_mean_field.crowd import Crowd
from mfverify.papers.mean_field_sampling.failure_probability import Paid, lottery
from mfverify.papers.mean_field_sampling.laws_of_estimates import Estimate
from mfverify.papers.mean_field_sampling.regime_switch import Switched
from mfverify.papers.mean_field_sampling.remark_4_9 import Typed
from mfverify.papers.mean_field_sampling.reward_samples import RewardSamples
from mfverify.papers.mean_field_sampling.theorem_4_12 import LinearProcess
from mfverify.papers.mean_field_sampling.theorem_e_3 import TwoSizes
from mfverify.papers.mean_field_sampling.uniform_rate import Rate
from mfverify.theory.cases.of_model import Subsampled
from mfverify.theory.cases.populations import SampledPopulation
from mfverify.theory.cases.transitions import MeanTransition, Transition

HERE = Path(__file__).parent


def commitment() -> Model:
    """Everybody chooses a side once; for ever after, local agents earn 1 on the global agent's side and -1 on the other."""
    sides = range(2)
    stay = [[[int(s == t) for t in sides]] * 2 for s in sides]
    return Model(
        [[[0, 1, 0], [0, 0, 1]], [[0, 1, 0]] * 2, [[0, 0, 1]] * 2],
        [[[[int(a == t) for t in sides] for a in sides], stay[s], stay[s]] for s in sides],
        [[0, 0]] * 3,
        [[["-1/100" if a != s else 0 for a in sides], *[[1 if s == b else -1] * 2 for b in sides]] for s in sides],
        discount="1/2",
        name="commitment",
    )


def scaled_commitment(scale: str) -> Model:
    """The same as the falsifier has it, moving a little dearer and all rewards multiplied: the bounds are not homogeneous in them."""
    return commitment_family(2, Fraction(1, 64), Fraction(1, 2), Fraction(scale))


def two_steps(leaning: str, scale: str) -> Model:
    """Commitment in two steps at a discount a little above 1/2."""
    return models.commitment_twice(2, leaning, "11/20", scale)


def uneven_majority() -> Model:
    """Agents stand for ever on side 0 or 1; the global agent picks where to be; agents there earn 11/10 on side 0, 1 on side 1."""
    follow = [[[1, 0], [0, 1]]] * 2
    return Model(follow, [[[[1, 0]]] * 2, [[[0, 1]]] * 2], [[0, 0]] * 2, [[["11/10"], [0]], [[0], [1]]], "1/2", "uneven majority")


def uneven_splitting(idle: int) -> Model:
    """The splitting lottery with unequal gains: +2 or -1 at +, -1 or 1/2 at -, by the global agent's place. ``idle`` is the number of the idle action."""
    half = Fraction(1, 2)
    actions = [([1, 0, 0], Fraction(0)), ([0, half, half], Fraction(-1, 16))]
    first = actions if idle == 0 else actions[::-1]
    return Model(
        [[[1, 0], [0, 1]]] * 2,
        [[[row for row, _ in first]] * 2, [[[0, 1, 0]] * 2] * 2, [[[0, 0, 1]] * 2] * 2],
        [[0, 0]] * 2,
        [[[pay for _, pay in first]] * 2, [[2] * 2, [-1] * 2], [[-1] * 2, [half] * 2]],
        discount="9/10",
        name=f"uneven splitting (idle is action {idle})",
    )


def watched() -> Model:
    """The agent chooses its next state and earns nothing; the global agent earns 1 for action 1."""
    choose = [[[1, 0], [0, 1]]]
    return Model([[[1], [1]]], [choose, choose], [[0, 1]], [[[0, 0]]] * 2, "1/2", "watched")


NAMED = {
    "T1": ("T1", Subsampled(commitment(), 16, 15)),
    "T1_two_steps": ("T1", Subsampled(two_steps("1/64", "1/2"), 13, 12)),
    "T1_elimination": ("T1", Subsampled(models.elimination(2, "1/128", "4/7", "1/2"), 12, 11)),
    "T1_many_agents": ("T1", Subsampled(models.coordination(), 2000, 401)),
    "T1b": ("T1b", Subsampled(commitment(), 74, 73)),
    "T2": ("T2", Subsampled(commitment(), 44, 43)),
    "T2b": ("T2b", Subsampled(commitment(), 122, 121)),
    "T1c": ("T1c", Subsampled(commitment_family(2, Fraction(1, 1024), Fraction(1, 2), Fraction(1)), 34, 33)),
    "T2c": ("T2c", Subsampled(commitment_family(2, Fraction(1, 1024), Fraction(1, 2), Fraction(16)), 38, 37)),
    "T2_two_steps": ("T2", Subsampled(two_steps("1/64", "16"), 15, 14)),
    "T1c_two_steps": ("T1c", Subsampled(two_steps("1/128", "1/2"), 27, 26)),
    "T2c_two_steps": ("T2c", Subsampled(two_steps("1/128", "16"), 30, 29)),
    "T1b_scaled": ("T1b", Subsampled(scaled_commitment("1/4"), 70, 69)),
    "T2_scaled": ("T2", Subsampled(scaled_commitment("32"), 18, 17)),
    "T2b_scaled": ("T2b", Subsampled(scaled_commitment("16"), 88, 87)),
    "T3_k11": ("T3", Rate(models.redrawn(), 400, 11, Fraction("5/8"))),
    "T3_k51": ("T3", Rate(models.redrawn(), 400, 51, Fraction("9/10"))),
    "T3_k101": ("T3", Rate(models.redrawn(), 400, 101, Fraction("11/10"))),
    "P3": ("P3", Subsampled(models.splitting(), 2, 2)),
    "P4": ("P4", Subsampled(uneven_majority(), 3, 1)),
    "P4_two_agents": ("P4", Subsampled(models.splitting(discount="9/10"), 2, 1)),
    "S4b": ("S4b", Typed(preferences(2), 3, 1, 2)),
    "L2": ("L2", TwoSizes(models.absorbing(), 1, 2)),
    "C2": ("C2", SampledPopulation((1, 1, 1, 1, 1, 1, 1), 3)),
    "C3": ("C3", SampledPopulation((1, 1), 1)),
    "C7": ("C7", Transition((1, 0), (2, 0), "uniform")),
    "C7b": ("C7b", MeanTransition((2, 0), "uniform", 1)),
    "S2": ("S2", Switched(2, 1, 3, 3)),
    "B4b": ("B4b", Estimate(models.absorbing(), 1, 1)),
    "N1c": ("N1c", Paid(lottery(10), 1, Fraction(10))),
    "X1s": ("X1s", RewardSamples(2, Fraction(1), Fraction(1))),
    "X1s_many": ("X1s", RewardSamples(10**4, Fraction(100), Fraction(1))),
    "M1": ("M1", TwoTables(((1, 0), (0, 1)), ((0, 0), (0, 0)))),
    "C3b": ("C3b", OneDirection((1, 1), 1, Direction.TO_TV)),
    "A2": ("A2", Deviation(watched(), 1, Reads.ALL)),
    "H1": ("H1", Crowd(1, 2, Fraction(1, 2))),
    "X3": ("X3", LinearProcess(models.splitting(discount="9/10"), 2, 1, None, 0)),
    "X3_uneven": ("X3", LinearProcess(uneven_splitting(0), 6, 5, None, 0)),
    "X3_uneven_other_rule": ("X3", LinearProcess(uneven_splitting(1), 6, 5, None, 0)),
    "X3b": ("X3b", LinearProcess(models.random_coupled(96), 16, 1, None, 0)),
}
"""What a name stands for: claim and instance, on bundled models."""


def main(names: list[str]) -> None:
    """Write the certificates, and say what each takes to check."""
    found = {path.stem for path in HERE.glob("*.json")}
    for name in names or sorted(found | set(NAMED)):
        path = HERE / f"{name}.json"
        if name in NAMED:
            claim, instance = NAMED[name]
        else:
            before = load_certificate(path)
            claim, instance = before.document["claim"], before.instance
        certificate = certify(claim, instance)
        certificate.save(path)
        print(f"{path.name}: {len(certificate.to_json())} bytes, {certificate.document['cost']['steps']} steps to check")


def described(document: dict[str, Any]) -> str:
    """The instance in a cell of a table."""
    parts = [document["model"]["name"]] if document["model"] else []
    parts += [f"{symbol} = {document[key]}" for symbol, key in (("n", "agents"), ("k", "subsample")) if document[key] is not None]
    return ", ".join(parts + [f"{key} {value}" for key, value in document["parameters"].items()])


def table() -> None:
    """Check every certificate with the checker alone, and put what it takes into the index."""
    checker = HERE.parents[1] / "mfverify" / "checker" / "check_certificate.py"
    rows = []
    for path in sorted(HERE.glob("*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        before = os.times()
        subprocess.run([sys.executable, "-I", str(checker), str(path)], check=True, capture_output=True)
        seconds = os.times().children_user - before.children_user
        story = f"{path.stem.split('_')[0]}.md"
        sides = f"{document['actual']['lower']} | {document['bound']['upper']}"
        cost = f"{document['cost']['steps']:,} | {seconds:.1f} | {path.stat().st_size:,}"
        rows.append(f"| {document['claim']} | [{path.name}]({path.name}) | [{story}]({story}) | {described(document)} | {sides} | {cost} |")
    index = HERE / "README.md"
    text = index.read_text(encoding="utf-8")
    index.write_text(re.sub(r"(\|---\|---.*\n)(\|.*\n)*", lambda found: found[1] + "\n".join(rows) + "\n", text, count=1), encoding="utf-8")


def smallest_rows() -> list[str]:
    """Rows of a table of the smallest counterexamples on file: for each claim and measure the certificate where it is least."""
    found: dict[str, list[tuple[tuple[int, int, int, int], str]]] = {}
    for path in sorted(HERE.glob("*.json")):
        certificate = load_certificate(path)
        found.setdefault(certificate.document["claim"], []).append((measures_of(certificate.instance), path.stem))
    rows = []
    for claim in (one.id for one in CATALOGUE if one.id in found and found[one.id][0][0][0]):  # some claims speak of no agents
        cells = []
        for measure in range(4):
            size, name = min((sizes[measure], sizes, name) for sizes, name in found[claim])[::2]
            cells.append(f"{size} ([{name}]({name}.json))" if len(found[claim]) > 1 else f"[{size}]({name}.json)")
        rows.append(f"| {claim} | {' | '.join(cells)} |")
    return rows


def searched_rows() -> list[str]:
    """Rows of a table of the documented searches for violations of the claims that are not refuted, in the order of the record."""
    rows = []
    for one in json.loads((HERE.parent / "searches.json").read_text(encoding="utf-8"))["searches"]:
        searched, best = one["searched"], one["searched"]["best"]
        if one["violated"] is not None or best is None:
            continue
        ratio = f"{best['actual']['upper']:.4g} against {best['bound']['lower']:.4g}" if best["ratio"] is None else f"{best['ratio']:.4g}"
        candidates = f"{searched['candidates']}{' (all)' if searched['exhausted'] else ''}"
        each = f"{1000 * searched['seconds_each']:.3g}" if searched.get("seconds_each") else ""
        rows.append(f"| {one['claim']} | {one['seed']} | {candidates} | {each} | {searched.get('screened') or ''} | {ratio} | {best['label']} |")
    return rows


def put(heading: str, rows: list[str]) -> None:
    """Put rows into the table of a section of the index."""
    index = HERE / "README.md"
    text = index.read_text(encoding="utf-8")
    pattern = rf"(## {heading}\n(?:(?!\|---).*\n)*\|---.*\n)(\|.*\n)*"
    index.write_text(re.sub(pattern, lambda found: found[1] + "\n".join(rows) + "\n", text, count=1), encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:] == ["--smallest"]:
        put("The smallest on file", smallest_rows())
    elif sys.argv[1:] == ["--searches"]:
        put("Not refuted", searched_rows())
    elif sys.argv[1:] == ["--table"]:
        table()
        put("The smallest on file", smallest_rows())
    else:
        main(sys.argv[1:])
