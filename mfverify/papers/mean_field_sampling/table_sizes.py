"""Section 3, Remark 3.1, Algorithm 1: sizes of the tables. Claims S1 and S1t; proof of S1: docs/mathematics/sizes.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import product
from math import comb
from typing import Final

import numpy as np
import sympy as sp

from mfverify import counts
from mfverify.bellman.labelled import LabelledOperator
from mfverify.enclosure import Interval
from mfverify.model import Model
from mfverify.papers.mean_field_sampling.assumptions import FINITE_SETS
from mfverify.papers.mean_field_sampling.sizes import bundled, sizes_of
from mfverify.papers.mean_field_sampling.symbols import A_g, A_l, S_g, S_l, Z, k
from mfverify.subsample_mfq.learning import mean_field_table_size, standard_table_size
from mfverify.theory.bound import Bound
from mfverify.theory.cases.case import Case
from mfverify.theory.cases.of_model import OfSample, sample_alone
from mfverify.theory.claim import Claim, Control, Outcome, Profile, Sides, Status
from mfverify.theory.formula import times
from mfverify.theory.grounds import proof, theorem
from mfverify.theory.search_costs import labelled_cost
from mfverify.theory.search_space import Arrangement, Parameters

STANDARD_TABLE: Final = Bound(
    "S1 standard",
    times(S_g, S_l**k, A_g, A_l**k),
    "Algorithm 1, section 3",
    "entries of the table over S_g x S_l^k x A_g x A_l^k",
)

DISTRIBUTIONS: Final = Bound(
    "S1 distributions",
    sp.binomial(k - 2 + Z, Z - 1),
    "section 3",
    "the exact number |mu_{k-1}(Z_l)| of distributions of k - 1 agents",
)

DISTRIBUTIONS_AT_MOST: Final = Bound(
    "S1",
    k**Z,
    "Remark 3.1",
    "bounds |mu_{k-1}(Z_l)|",
)

MEAN_FIELD_TABLE: Final = Bound(
    "S1 mean-field",
    times(S_g, S_l, A_g, A_l, DISTRIBUTIONS.expression),
    "Algorithm 1, section 3",
    "entries of the table over S_g x S_l x mu_{k-1}(Z_l) x A_g x A_l",
)

MEAN_FIELD_TABLE_AT_MOST: Final = Bound(
    "S1 mean-field at most",
    times(S_g, S_l, A_g, A_l, DISTRIBUTIONS_AT_MOST.expression),
    "Remark 3.1",
    "the mean-field table with |mu_{k-1}(Z_l)| replaced by its bound",
)


@dataclass(frozen=True)
class Distributions(Case):
    """k agents and the number of classes."""

    subsample: int
    classes: int


def _distributions(case: Distributions) -> Outcome:
    """Enumerated distributions of k - 1 agents against ``k^Z``."""
    size, classes = case.subsample, case.classes
    found = len(counts.count_vectors(size - 1, classes))
    right = DISTRIBUTIONS_AT_MOST.enclose({k: size, Z: classes})
    return Sides(
        Interval.exactly(found),
        right,
        Interval.exactly(classes ** (size - 1)),
        {"labelled tuples of k - 1 pairs": str(classes ** (size - 1))},
    )


def _of_many(left: Interval, case: Distributions) -> Interval:
    del left
    return Interval.exactly(len(counts.count_vectors(4 * case.subsample, case.classes)))


def _distribution_instances(profile: Profile, _: Sequence[Model] | None) -> list[Distributions]:
    sizes = (1, 2, 3, 5, 8, 12, 20) if profile is Profile.QUICK else (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 30, 50)
    most = 2 * 10**5 if profile is Profile.QUICK else 5 * 10**6
    classes = (1, 2, 3, 4, 6, 9)
    return [Distributions(size, z) for z in classes for size in sizes if counts.number_of_count_vectors(size - 1, z) <= most]


@lru_cache(maxsize=64)
def counted_tables(model: Model, size: int) -> tuple[int, int]:
    """Entries of the standard and of the mean-field table of k agents, by enumeration.

    Standard: the numbers in the labelled operator's table of action values, in those places where the joint state is one of
    the table's. Mean-field: the different entries left when agents 2, .., k lose their names.
    """
    operator = LabelledOperator(model, size)
    standard = sum(operator.action_values(g, np.zeros(operator.shape)).size for g in range(model.sizes[0]))
    global_states, global_actions, local_states, local_actions = model.sizes
    names = product(range(global_states), range(global_actions), *(range(local_states * local_actions),) * size)
    mean_field = {(g, b, own, tuple(sorted(others))) for g, b, own, *others in names}
    return standard, len(mean_field)


def _largest_difference(case: OfSample, more: int) -> Fraction:
    """Between enumerated entries, the paper's formulas and the code's sizes; the mean-field formula is taken at ``k + more``."""
    model, size = case.model, case.subsample
    standard, mean_field = counted_tables(model, size)
    differences = {}
    for name, found, formula, code in (
        ("standard", standard, STANDARD_TABLE, standard_table_size(model, size)),
        ("mean-field", mean_field, MEAN_FIELD_TABLE, mean_field_table_size(model, size)),
    ):
        stated = formula.enclose({**sizes_of(model), k: size + (more if name == "mean-field" else 0)})
        differences[name] = max(abs(stated - found).upper, Fraction(abs(code - found)))
    return max(differences.values())


def _table_sizes(case: OfSample) -> Outcome:
    standard, mean_field = counted_tables(case.model, case.subsample)
    details = {"worst": f"standard table {standard} entries, mean-field table {mean_field} entries"}
    return Sides(Interval.exactly(_largest_difference(case, 0)), Interval.exactly(0), None, details)


def _one_agent_more(left: Interval, case: OfSample) -> Interval:
    del left
    return Interval.exactly(_largest_difference(case, 1))


def _table_instances(profile: Profile, given: Sequence[Model] | None) -> list[OfSample]:
    most = 3 * 10**4 if profile is Profile.QUICK else 10**6
    return [OfSample(m, size) for m in bundled(given) for size in range(1, 9) if standard_table_size(m, size) <= most]


def _few_distributions(k: int, classes: int) -> Distributions | None:
    return Distributions(k, classes) if comb(k + classes - 2, classes - 1) <= 2 * 10**4 else None


S1 = Claim(
    id="S1",
    title="Number of distributions of k - 1 agents",
    statement=r"$|\mu_{k-1}(\mathcal Z_l)| \le " + DISTRIBUTIONS_AT_MOST.latex + "$",
    source="Remark 3.1",
    reading="the left side is enumerated; vacuous where the bound is no smaller than the number of labelled tuples of k - 1 pairs",
    assumptions=FINITE_SETS,
    registered=Status.CORROBORATED,
    sides=_distributions,
    instances=_distribution_instances,
    control=Control("distributions of 4 k agents are counted", left=_of_many),
    left_means="enumerated distributions",
    right_means="k^|Z|",
    grounds=proof("docs/mathematics/sizes.md", "S1"),
    searched=Parameters((range(1, 6001), range(1, 40)), _few_distributions),
)

S1T = Claim(
    id="S1t",
    title="Table sizes",
    statement="The standard table has $" + STANDARD_TABLE.latex + "$ entries, the mean-field table $" + MEAN_FIELD_TABLE.latex + "$.",
    source="section 3, Algorithm 1",
    reading="tables enumerated entry by entry against these formulas and against the sizes that the code uses; the sides are the largest difference and 0",
    assumptions=FINITE_SETS,
    registered=Status.CORROBORATED,
    sides=_table_sizes,
    instances=_table_instances,
    control=Control("the mean-field formula is taken at k + 1", left=_one_agent_more),
    left_means="largest |enumerated - stated|",
    right_means="0",
    grounds=theorem("the number of multisets: Stanley 2012, Enumerative Combinatorics 1, section 1.2; the standard table is a product"),
    searched=Arrangement(sample_alone, labelled_cost, (1, 2, 3, 4, 5, 6)),
)
