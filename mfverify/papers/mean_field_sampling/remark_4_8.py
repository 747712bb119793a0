"""Remark 4.8: what one sweep costs, and the table for k = log n. Claims S3, S3f and S3b; proofs: docs/mathematics/sizes.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
import sympy as sp

from mfverify import counts
from mfverify.bellman.lumped import LumpedOperator
from mfverify.enclosure import Interval
from mfverify.model import Model
from mfverify.papers.mean_field_sampling.assumptions import FINITE_SETS
from mfverify.papers.mean_field_sampling.sizes import bundled, sizes_of
from mfverify.papers.mean_field_sampling.symbols import A_g, S_g, Z, k, n
from mfverify.subsample_mfq.learning import mean_field_table_size, standard_table_size
from mfverify.theory.bind import bind
from mfverify.theory.bound import Bound
from mfverify.theory.cases.of_model import OfAgents, OfSample, OnModel, sample_alone
from mfverify.theory.claim import Claim, Control, Outcome, Profile, Sides, Status
from mfverify.theory.evaluate import enclose
from mfverify.theory.formula import times
from mfverify.theory.grounds import proof
from mfverify.theory.sabotage import by_adding
from mfverify.theory.search_costs import table_cost
from mfverify.theory.search_space import Arrangement

SWEEP = Bound(
    "S3",
    times(2, S_g, A_g, Z, k**Z),
    "Remark 3.1, Remark 4.8; the factor 2 is ours",
    "bounds the entries of one exact sweep: twice the bound of the mean-field table",
)

LOGARITHMIC_TABLE = Bound(
    "S3b",
    times(S_g, A_g, Z, (sp.log(n) / sp.log(2) + 1) ** Z),
    "Remark 4.8",
    "bounds the mean-field table for k = ceil(log2 n)",
)


def sweep_entries(model: Model, size: int) -> int:
    """Entries that one exact sweep of the learner over k agents visits: (state, joint local action) pairs compared, and expectations.

    An expectation of the next value for each multiset of distinct kernels and each distinct row of the global agent. How many of them
    are in memory at a time is the solver's affair.
    """
    operator = LumpedOperator(model, size)
    expectations = sum(len(c.global_rows) * counts.number_of_count_vectors(size, len(c.kernels)) for c in operator.choices)
    return operator.pairs + expectations


def _sweep(bound: Bound, case: OfSample) -> Outcome:
    model, size = case.model, case.subsample
    right = bound.enclose({**sizes_of(model), k: size})
    return Sides(Interval.exactly(sweep_entries(model, size)), right, Interval.exactly(standard_table_size(model, size)))


_LINEAR_SWEEP = Bound("S3 control", times(2, S_g, A_g, Z, k), "sabotage", "the exponent |Z| is replaced by 1")


def _sweep_sizes(model: Model, profile: Profile) -> list[int]:
    """Values of k for which the count vectors can be enumerated quickly."""
    most = 2 * 10**4 if profile is Profile.QUICK else 2 * 10**5
    sizes = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
    return [size for size in sizes if counts.number_of_count_vectors(size, model.sizes[2]) <= most]


def _sweep_instances(profile: Profile, given: Sequence[Model] | None) -> list[OfSample]:
    return [OfSample(m, size) for m in bundled(given) for size in _sweep_sizes(m, profile)]


@dataclass(frozen=True)
class Ladder(OnModel):
    """Several k."""

    k: tuple[int, ...]


def _fitted(case: Ladder) -> Outcome:
    """The least-squares slope of log(entries of a sweep) on log(k), enclosed, against ``|Z|``."""
    model, sizes = case.model, case.k
    entries = [sweep_entries(model, size) for size in sizes]
    xs, ys = [_log(size) for size in sizes], [_log(found) for found in entries]
    mean = sum(xs[1:], xs[0]) / len(xs)
    centred = [x - mean for x in xs]
    slope = _total([x * y for x, y in zip(centred, ys, strict=True)]) / _total([x * x for x in centred])
    curve = {
        "title": "entries of one sweep",
        "x_label": "k",
        "y_label": "entries",
        "scale": "log",
        "x": [float(size) for size in sizes],
        "series": [{"label": model.name, "lower": [float(x) for x in entries], "upper": [float(x) for x in entries]}],
    }
    details = {"standard error of the exponent": f"{_standard_error(xs, ys, slope):.4f}", "curve": curve}
    return Sides(slope, Interval.exactly(model.sizes[2] * model.sizes[3]), None, details)


def _log(number: int) -> Interval:
    return enclose(sp.log(n), {n: number})


def _total(terms: list[Interval]) -> Interval:
    return sum(terms[1:], terms[0])


def _standard_error(xs: list[Interval], ys: list[Interval], slope: Interval) -> float:
    """The usual standard error of a least-squares slope, for the reader (double precision)."""
    x, y = (np.array([float(v.midpoint) for v in values]) for values in (xs, ys))
    residual = y - y.mean() - float(slope.midpoint) * (x - x.mean())
    return sqrt(float(residual @ residual) / (len(x) - 2) / float((x - x.mean()) @ (x - x.mean())))


def _fitted_instances(profile: Profile, given: Sequence[Model] | None) -> list[Ladder]:
    out = []
    for model in bundled(given):
        sizes = [size for size in _sweep_sizes(model, profile) if size >= 4]
        out.append(Ladder(model, tuple(sizes)))
    return out


def _logarithmic(bound: Bound, case: OfAgents) -> Outcome:
    """The mean-field table for ``k = ceil(log2 n)`` against a power of ``log2 n + 1``; trivial is the table for k = n."""
    model, total = case.model, case.agents
    size = (total - 1).bit_length()
    right = bound.enclose({**sizes_of(model), n: total})
    return Sides(
        Interval.exactly(mean_field_table_size(model, size)),
        right,
        Interval.exactly(mean_field_table_size(model, total)),
        {"worst": f"k={size}"},
    )


_LINEAR_IN_LOG = Bound("S3b control", times(S_g, A_g, Z, (sp.log(n) / sp.log(2) + 1)), "sabotage", "the exponent |Z| is replaced by 1")


def _logarithmic_instances(_: Profile, given: Sequence[Model] | None) -> list[OfAgents]:
    return [OfAgents(m, total) for m in bundled(given) for total in (2, 8, 100, 1000, 10**4, 10**6, 10**9)]


def _two_or_more(model: Model, n: int, k: int) -> OfAgents | None:
    del k
    return OfAgents(model, n) if n >= 2 else None


def _free(model: Model, n: int, k: int) -> float:
    """Formulas cost nothing."""
    return 0


_POWERS = tuple(sorted({10**i for i in range(1, 10)} | {2**i for i in range(1, 30)} | {2**i + 1 for i in range(1, 30)}))


S3 = Claim(
    id="S3",
    title="One sweep is polynomial in k",
    statement=r"One exact sweep has at most $" + SWEEP.latex + "$ entries.",
    source="Remark 4.8",
    reading="entries = (state, joint local action) pairs compared + expectations of the next value (one for each multiset of distinct local "
    "kernels and each distinct row of the global agent), whether a solver holds them in memory or not; actions with the same kernel count once; "
    "vacuous where the labelled table is no larger",
    assumptions=FINITE_SETS,
    registered=Status.CORROBORATED,
    sides=bind(_sweep, SWEEP),
    instances=_sweep_instances,
    control=Control("the exponent |Z| is replaced by 1", bind(_sweep, _LINEAR_SWEEP)),
    rests_on=("S1",),
    left_means="entries counted",
    right_means="polynomial bound",
    grounds=proof("docs/mathematics/sizes.md", "S3", uses=("S1",)),
    searched=Arrangement(sample_alone, table_cost, (1, 2, 3, 4, 6, 8, 12, 16)),
)

S3F = Claim(
    id="S3f",
    title="Fitted exponent of one sweep",
    statement=r"The entries of one sweep grow like $k^p$ with $p \le |\mathcal Z_l|$.",
    source="Remark 4.8",
    reading="least-squares slope of log(entries) on log(k) over k >= 4, enclosed; its standard error is beside it",
    assumptions=FINITE_SETS,
    registered=Status.CORROBORATED,
    sides=_fitted,
    instances=_fitted_instances,
    control=Control("|Z| is replaced by |Z| - 2", right=by_adding(-2)),
    rests_on=("S3",),
    left_means="fitted exponent",
    right_means="|Z|",
    grounds=proof("docs/mathematics/sizes.md", "S3f", uses=("S3",)),
)

S3B = Claim(
    id="S3b",
    title="k = O(log n) gives a polylogarithmic table",
    statement=r"For $k = \lceil \log_2 n \rceil$ the mean-field table has at most $" + LOGARITHMIC_TABLE.latex + "$ entries.",
    source="Remark 4.8",
    reading="exact table size; vacuous where the bound is no smaller than the table for k = n",
    assumptions=FINITE_SETS,
    registered=Status.CORROBORATED,
    sides=bind(_logarithmic, LOGARITHMIC_TABLE),
    instances=_logarithmic_instances,
    control=Control("the exponent |Z| is replaced by 1", bind(_logarithmic, _LINEAR_IN_LOG)),
    rests_on=("S1",),
    left_means="entries",
    right_means="power of log n",
    grounds=proof("docs/mathematics/sizes.md", "S3b", uses=("S1", "S1t")),
    searched=Arrangement(_two_or_more, _free, _POWERS),
)
