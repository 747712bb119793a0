r"""What the algorithm costs: table sizes (S1), the regime switch (S2), one sweep (S3), agent types (S4). Paper, section 3, Remarks 3.1, 4.8, 4.9.

Costs are counted, not timed: entries that exist, found by enumeration, against formulas. Numbers of entries are exact
integers. A cost bound counts as vacuous where it is no smaller than the cost of doing without the structure: labelled tables for
S1 and S3, no subsampling (k = n) for S3b and S4.

Types (paper, section 2) are a component of the local state that never changes: ``S_l = E x S``, agent i of type e moves and
is rewarded as in the model of type e. A start state in which all agents are of type e is a start state of that model alone.

**S1.** *Proof.* A distribution of k - 1 agents over Z classes is a vector of Z counts, each one of the k numbers 0, .., k - 1.

**S2r.** *Proof.* Over ``|S_g||A_g|`` the standard table has ``|Z|^k`` entries, the mean-field table at most ``|Z| k^|Z|`` (S1t, S1). The
switch picks the table whose side of the comparison is the smaller one, so the number of its entries is at most the smaller of the two.

**S3.** *Proof.* In one global state there are J <= |Z| choices (local state, distinct kernel) and U <= |Z| distinct kernels. The pairs
compared are the count vectors of k agents over J choices, the expectations the count vectors over U kernels, once for each of at most
``|A_g|`` distinct rows. A count vector of k agents over at most |Z| classes is one of k - 1 agents with one more agent in one of the
classes, so there are at most ``|Z| k^|Z|`` of them (S1): at most ``|S_g| |Z| k^|Z|`` pairs and ``|S_g||A_g| |Z| k^|Z|`` expectations.

**S3f.** *Proof.* The entries are a sum, with positive weights, of numbers ``C(k+j-1, j-1) = (k+1)..(k+j-1)/(j-1)!`` of count vectors with j
<= |Z| (see S3). For real k > 0 the logarithm of each has the slope ``sum_{i<j} k/(k+i) <= |Z| - 1`` in ln k, and the slope of a sum is a
mean of the slopes of its terms. So every secant of ln(entries) against ln(k) has a slope of at most |Z| - 1, and the least-squares slope is
a mean of the secants' slopes, with the weights ``(ln k_i - ln k_j)^2``.

**S3b.** *Proof.* The mean-field table has at most ``|S_g||A_g||Z| k^|Z|`` entries (S1t, S1), and ``k = ceil(log2 n) <= log2 n + 1``.

**S4.** *Proof.* The mean-field table has at most ``|S_g||A_g||Z| k^|Z|`` entries (S1t, S1) with ``|Z| = |E||S_l||A_l|``, and
``k^|E| <= exp(|E| ln ln n) <= n`` for ``k <= ln n`` and ``|E| <= ln n/ln ln n``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import lru_cache, partial
from itertools import product
from math import sqrt
from typing import Any

import numpy as np
import sympy as sp

from mfverify import counts, models
from mfverify.bellman.labelled import LabelledOperator
from mfverify.bellman.lumped import LumpedOperator
from mfverify.bounds import costs as bounds
from mfverify.bounds.bound import Bound
from mfverify.bounds.evaluate import enclose
from mfverify.bounds.symbols import A_g, A_l, E, S_g, S_l, Z, k, n, times
from mfverify.claims.claim import Claim, Control, Instance, Outcome, Profile, Sides, Status, Unresolved, tightest
from mfverify.claims.grounds import by_definition, proof, theorem
from mfverify.claims.quantities import learned, rational_system, trivial_gap
from mfverify.enclosure import Interval, round_down, round_up
from mfverify.errors import ModelError, TooLargeError, UndecidedTieError
from mfverify.model import Model, derived_name
from mfverify.models.agent_types import preferences, typed
from mfverify.subsample_mfq.execution import exact_execution_value
from mfverify.subsample_mfq.learning import Regime, mean_field_table_size, standard_table_size, switch

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

TYPED_TABLE = Bound(
    "S4",
    times(S_g, A_g, E, S_l, A_l, n ** (S_l * A_l)),
    "Remark 4.9",
    "bounds the mean-field table with |E| types, |S_l| and |A_l| being the states and actions of one type",
)


@lru_cache(maxsize=256)
def sized(local_states: int, local_actions: int, global_states: int = 1, global_actions: int = 1) -> Model:
    """A model of the given sizes in which nothing moves and nothing is earned: only its tables matter."""
    stay = [
        [[[int(t == s) for t in range(local_states)] for _ in range(local_actions)] for _ in range(global_states)]
        for s in range(local_states)
    ]
    return Model(
        [[[int(h == g) for h in range(global_states)] for _ in range(global_actions)] for g in range(global_states)],
        stay,
        [[0] * global_actions for _ in range(global_states)],
        [[[0] * local_actions for _ in range(global_states)] for _ in range(local_states)],
        Fraction(1, 2),
        f"sizes {global_states}{global_actions}{local_states}{local_actions}",
    )


def _sizes(model: Model) -> dict[sp.Symbol, int]:
    """The symbols of a model's sizes, ``Z`` included."""
    global_states, global_actions, local_states, local_actions = model.sizes
    return {S_g: global_states, A_g: global_actions, S_l: local_states, A_l: local_actions, Z: local_states * local_actions}


def _bundled(given: Sequence[Model] | None) -> list[Model]:
    return (
        list(given)
        if given is not None
        else [models.coordination(), models.absorbing(), models.random_coupled(4), models.random_coupled(6, 3, 2)]
    )


def _subsample(instance: Instance) -> int:
    assert instance.subsample is not None
    return instance.subsample


def _model(instance: Instance) -> Model:
    assert instance.model is not None
    return instance.model


# ------------------------------------------------------------------------------------------------------------ S1


def _distributions(instance: Instance, shift: int = 0) -> Outcome:
    """Enumerated distributions of k - 1 agents (``shift`` more sabotages) against ``k^Z``."""
    size, classes = _subsample(instance), int(instance["classes"])
    found = len(counts.count_vectors(size - 1 + shift, classes))
    right = bounds.DISTRIBUTIONS_AT_MOST.enclose({k: size, Z: classes})
    return Sides(
        Interval.exactly(found),
        right,
        Interval.exactly(classes ** (size - 1)),
        {"labelled tuples of k - 1 pairs": str(classes ** (size - 1))},
    )


def _distribution_instances(profile: Profile, _: Sequence[Model] | None) -> list[Instance]:
    sizes = (1, 2, 3, 5, 8, 12, 20) if profile is Profile.QUICK else (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 30, 50)
    most = 2 * 10**5 if profile is Profile.QUICK else 5 * 10**6
    classes = (1, 2, 3, 4, 6, 9)
    return [
        Instance(None, None, size, (("classes", z),))
        for z in classes
        for size in sizes
        if counts.number_of_count_vectors(size - 1, z) <= most
    ]


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


def _table_sizes(instance: Instance, shift: int = 0) -> Outcome:
    """The largest difference between enumerated entries, the paper's formulas and the code's sizes; ``shift`` sabotages."""
    model, size = _model(instance), _subsample(instance)
    standard, mean_field = counted_tables(model, size)
    differences = {}
    for name, found, formula, code in (
        ("standard", standard, bounds.STANDARD_TABLE, standard_table_size(model, size)),
        ("mean-field", mean_field, bounds.MEAN_FIELD_TABLE, mean_field_table_size(model, size)),
    ):
        stated = formula.enclose({**_sizes(model), k: size + (shift if name == "mean-field" else 0)})
        differences[name] = max(abs(stated - found).upper, Fraction(abs(code - found)))
    details = {"worst": f"standard table {standard} entries, mean-field table {mean_field} entries"}
    return Sides(Interval.exactly(max(differences.values())), Interval.exactly(0), None, details)


def _table_instances(profile: Profile, given: Sequence[Model] | None) -> list[Instance]:
    most = 3 * 10**4 if profile is Profile.QUICK else 10**6
    return [Instance(m, None, size) for m in _bundled(given) for size in range(1, 9) if standard_table_size(m, size) <= most]


# ------------------------------------------------------------------------------------------------------------ S2


def _switch_sides(
    picked: Callable[[Model, int], int],
    smaller: Callable[[Model, int], int],
    larger: Callable[[Model, int], int],
    instance: Instance,
) -> Outcome:
    """The tightest of ``picked <= smaller`` over a range of k, trivial being ``picked <= larger``; with a curve of both tables."""
    model = sized(int(instance["states"]), int(instance["actions"]))
    sizes = range(int(instance["first k"]), int(instance["last k"]) + 1)
    candidates, wrong = [], []
    for size in sizes:
        left, right = picked(model, size), smaller(model, size)
        if left > right:
            wrong.append(size)
        worst = f"k={size}: the switch picks the {switch(model, size).value} table"
        candidates.append(Sides(Interval.exactly(left), Interval.exactly(right), Interval.exactly(larger(model, size)), {"worst": worst}))
    tables = {"standard table": standard_table_size, "mean-field table": mean_field_table_size}
    curve = {
        "title": f"table entries, |S_l|={instance['states']}, |A_l|={instance['actions']}",
        "x_label": "k",
        "y_label": "entries over |S_g||A_g|",
        "scale": "log",
        "x": [float(size) for size in sizes],
        "series": [
            {
                "label": name,
                "lower": [round_down(Fraction(table(model, x))) for x in sizes],
                "upper": [round_up(Fraction(table(model, x))) for x in sizes],
            }
            for name, table in tables.items()
        ],
    }
    chosen = tightest(candidates)
    return Sides(
        chosen.left,
        chosen.right,
        chosen.trivial,
        {**chosen.details, "k with the larger table": ", ".join(map(str, wrong)) or "none", "curve": curve},
    )


def _picked(model: Model, size: int) -> int:
    """Entries of the table that the paper's switch picks."""
    return standard_table_size(model, size) if switch(model, size) is Regime.STANDARD else mean_field_table_size(model, size)


def _not_picked(model: Model, size: int) -> int:
    """Entries of the other table."""
    return mean_field_table_size(model, size) if switch(model, size) is Regime.STANDARD else standard_table_size(model, size)


def _smaller(model: Model, size: int) -> int:
    return min(standard_table_size(model, size), mean_field_table_size(model, size))


def _larger(model: Model, size: int) -> int:
    return max(standard_table_size(model, size), mean_field_table_size(model, size))


def _bound_of_picked(model: Model, size: int, standard: Regime = Regime.STANDARD) -> int:
    """The side of the paper's comparison that belongs to the table picked; ``standard`` = the other regime sabotages."""
    formula = bounds.SWITCH_STANDARD if switch(model, size) is standard else bounds.SWITCH_MEAN_FIELD
    return int(formula.enclose({**_sizes(model), k: size}).lower)


def _bounds(model: Model, size: int) -> list[int]:
    values = {**_sizes(model), k: size}
    return [int(formula.enclose(values).lower) for formula in (bounds.SWITCH_STANDARD, bounds.SWITCH_MEAN_FIELD)]


def _smaller_bound(model: Model, size: int) -> int:
    return min(_bounds(model, size))


def _larger_bound(model: Model, size: int) -> int:
    return max(_bounds(model, size))


def _smaller_than_bounds(scale: Fraction, instance: Instance) -> Outcome:
    """Entries of the table picked against ``scale`` times the smaller of the two sides that the switch compares."""
    out = _switch_sides(_picked, lambda model, size: int(_smaller_bound(model, size) * scale), _larger, instance)
    assert isinstance(out, Sides)
    return Sides(out.left, out.right, out.trivial, {**out.details, "curve": _regimes()})


@lru_cache(maxsize=1)
def _regimes() -> dict[str, Any]:
    """Which regime wins where: for every |Z_l| the largest k for which the standard table is picked, and for which it is the smaller."""
    pairs = range(2, 13)

    def last(standard: Callable[[Model, int], bool]) -> list[float]:
        return [float(max(size for size in range(1, 6 * z + 10) if standard(sized(z, 1), size))) for z in pairs]

    lines = {
        "standard table picked up to this k (the switch)": last(lambda model, size: switch(model, size) is Regime.STANDARD),
        "standard table smaller up to this k (exact sizes)": last(
            lambda model, size: standard_table_size(model, size) <= mean_field_table_size(model, size)
        ),
    }
    return {
        "title": "which regime wins where",
        "x_label": "|Z_l|",
        "y_label": "k",
        "scale": "linear",
        "x": [float(z) for z in pairs],
        "series": [{"label": label, "lower": found, "upper": found} for label, found in lines.items()],
    }


_exact_switch = partial(_switch_sides, _picked, _smaller, _larger)
_wrong_switch = partial(_switch_sides, _not_picked, _smaller, _larger)
_bound_switch = partial(_switch_sides, _bound_of_picked, _smaller_bound, _larger_bound)
_wrong_bound_switch = partial(_switch_sides, partial(_bound_of_picked, standard=Regime.MEAN_FIELD), _smaller_bound, _larger_bound)


def _switch_instances(profile: Profile, _: Sequence[Model] | None) -> list[Instance]:
    """Ranges of k from 1 on, and for two and four pairs the ranges in which the switch is right."""
    last = 30 if profile is Profile.QUICK else 100
    pairs = [(1, 1), (2, 1), (3, 1), (2, 2), (3, 2), (3, 3)]
    ranges = [(s, a, 1, last) for s, a in pairs] + [(2, 1, 1, 2), (2, 1, 7, last), (2, 2, 1, 3), (2, 2, 10, last)]
    return [Instance(None, None, None, (("states", s), ("actions", a), ("first k", first), ("last k", end))) for s, a, first, end in ranges]


# ------------------------------------------------------------------------------------------------------------ S3


def sweep_entries(model: Model, size: int) -> int:
    """Numbers that one exact sweep of the learner over k agents is about: (state, joint local action) pairs compared, and expectations.

    An expectation of the next value for each multiset of distinct kernels and each distinct row of the global agent. How many of them
    are in memory at a time is the solver's affair.
    """
    operator = LumpedOperator(model, size)
    expectations = sum(len(c.global_rows) * counts.number_of_count_vectors(size, len(c.kernels)) for c in operator.choices)
    return operator.pairs + expectations


def _sweep(instance: Instance, bound: Bound = SWEEP) -> Outcome:
    model, size = _model(instance), _subsample(instance)
    right = bound.enclose({**_sizes(model), k: size})
    return Sides(Interval.exactly(sweep_entries(model, size)), right, Interval.exactly(standard_table_size(model, size)))


_LINEAR_SWEEP = Bound("S3 control", times(2, S_g, A_g, Z, k), "sabotage", "the exponent |Z| is replaced by 1")


def _sweep_sizes(model: Model, profile: Profile) -> list[int]:
    """Values of k for which the count vectors can be enumerated quickly."""
    most = 2 * 10**4 if profile is Profile.QUICK else 2 * 10**5
    sizes = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
    return [size for size in sizes if counts.number_of_count_vectors(size, model.sizes[2]) <= most]


def _sweep_instances(profile: Profile, given: Sequence[Model] | None) -> list[Instance]:
    return [Instance(m, None, size) for m in _bundled(given) for size in _sweep_sizes(m, profile)]


def _fitted(instance: Instance, less: int = 0) -> Outcome:
    """The least-squares slope of log(entries of a sweep) on log(k), enclosed, against ``|Z|`` (``less`` sabotages)."""
    model = _model(instance)
    sizes = [int(x) for x in str(instance["k"]).split("+")]
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
    return Sides(slope, Interval.exactly(model.sizes[2] * model.sizes[3] - less), None, details)


def _log(number: int) -> Interval:
    return enclose(sp.log(n), {n: number})


def _total(terms: list[Interval]) -> Interval:
    return sum(terms[1:], terms[0])


def _standard_error(xs: list[Interval], ys: list[Interval], slope: Interval) -> float:
    """The usual standard error of a least-squares slope, for the reader (double precision)."""
    x, y = (np.array([float(v.midpoint) for v in values]) for values in (xs, ys))
    residual = y - y.mean() - float(slope.midpoint) * (x - x.mean())
    return sqrt(float(residual @ residual) / (len(x) - 2) / float((x - x.mean()) @ (x - x.mean())))


def _fitted_instances(profile: Profile, given: Sequence[Model] | None) -> list[Instance]:
    out = []
    for model in _bundled(given):
        sizes = [size for size in _sweep_sizes(model, profile) if size >= 4]
        out.append(Instance(model, None, None, (("k", "+".join(map(str, sizes))),)))
    return out


def _logarithmic(instance: Instance, bound: Bound = LOGARITHMIC_TABLE) -> Outcome:
    """The mean-field table for ``k = ceil(log2 n)`` against a power of ``log2 n + 1``; trivial is the table for k = n."""
    model, total = _model(instance), instance.agents
    assert total is not None
    size = (total - 1).bit_length()
    right = bound.enclose({**_sizes(model), n: total})
    return Sides(
        Interval.exactly(mean_field_table_size(model, size)),
        right,
        Interval.exactly(mean_field_table_size(model, total)),
        {"worst": f"k={size}"},
    )


_LINEAR_IN_LOG = Bound("S3b control", times(S_g, A_g, Z, (sp.log(n) / sp.log(2) + 1)), "sabotage", "the exponent |Z| is replaced by 1")


def _logarithmic_instances(_: Profile, given: Sequence[Model] | None) -> list[Instance]:
    return [Instance(m, total, None) for m in _bundled(given) for total in (2, 8, 100, 1000, 10**4, 10**6, 10**9)]


# ------------------------------------------------------------------------------------------------------------ S4


def types_and_subsample(total: int) -> tuple[int, int]:
    """``|E| = floor(ln n / ln ln n)`` and ``k = floor(ln n)``, decided by enclosures; n >= 16, so that ``ln ln n > 1``."""
    if total < 16:
        raise ModelError(f"agents: found {total}, expected at least 16 (ln ln n > 1)")
    out = []
    for expression in (sp.log(n) / sp.log(sp.log(n)), sp.log(n)):
        value = enclose(sp.floor(expression), {n: total})
        if not value.is_exact:
            raise ModelError(f"agents: {expression} is too close to an integer at n = {total}; choose another n")
        out.append(int(value.lower))
    return out[0], out[1]


def _typed_table(instance: Instance, bound: Bound = TYPED_TABLE) -> Outcome:
    """The table with ``|E|`` types for ``k = floor(ln n)``: since ``k^|E| <= n``, at most ``|S_g||A_g||Z| n^(|S||A|)``."""
    total, states, actions = instance.agents, int(instance["states"]), int(instance["actions"])
    assert total is not None
    types, size = types_and_subsample(total)
    model = sized(types * states, actions)
    right = bound.enclose({S_g: 1, A_g: 1, E: types, S_l: states, A_l: actions, n: total})
    details = {"worst": f"|E|={types}, k={size}"}
    return Sides(
        Interval.exactly(mean_field_table_size(model, size)), right, Interval.exactly(mean_field_table_size(model, total)), details
    )


_TYPED_LINEAR = Bound("S4 control", times(S_g, A_g, E, S_l, A_l, n), "sabotage", "the exponent |S||A| is replaced by 1")


def _typed_table_instances(profile: Profile, _: Sequence[Model] | None) -> list[Instance]:
    totals = (16, 100, 1000, 10**4, 10**6) if profile is Profile.QUICK else (16, 50, 100, 1000, 10**4, 10**5, 10**6, 10**8, 10**12)
    return [Instance(None, total, None, (("states", s), ("actions", a))) for total in totals for s, a in ((1, 1), (2, 1), (2, 2))]


def twins(model: Model, types: int = 2) -> Model:
    """``types`` types that do not differ: every agent behaves as in ``model``."""
    return typed([model] * types, derived_name(model.name, f"{types} types of "))


@lru_cache(maxsize=32)
def gap_by_types(model: Model, types: int, total: int, size: int) -> tuple[Fraction, str, Fraction, str]:
    """The largest exact gap over start states in which all types are present, and over those with one type; each with its place."""
    system = rational_system(model, total)
    gap = system.array(system.optimum) - exact_execution_value(learned(model, size), total).exact
    largest: dict[bool, tuple[Fraction, str]] = {}
    for i, c in enumerate(system.vectors):
        present = int(np.count_nonzero(np.array(c).reshape(types, -1).sum(axis=1)))
        if present not in (1, types):
            continue
        for g in range(model.sizes[0]):
            found = largest.get(present > 1)
            if found is None or gap[g, i] > found[0]:
                largest[present > 1] = gap[g, i], f"s_g={g}, counts {c}"
    return (*largest[True], *largest[False])


@lru_cache(maxsize=8)
def _against_types(size: int) -> dict[str, Any]:
    """Gap and cost against the number of types that want different things, 6 agents: one state and one action for each type."""
    numbers = range(1, 4)
    gaps = [float(gap_by_types(preferences(e), e, 6, size)[0]) if e > 1 else 0.0 for e in numbers]
    tables = [float(mean_field_table_size(preferences(e), size)) for e in numbers]
    return {
        "title": f"gap and cost against the number of types, n = 6, k = {size}",
        "x_label": "|E|",
        "y_label": "largest gap; table entries over 1000",
        "scale": "linear",
        "x": [float(e) for e in numbers],
        "series": [
            {"label": "largest gap with all types present", "lower": gaps, "upper": gaps},
            {
                "label": "entries of the mean-field table, in thousands",
                "lower": [x / 1000 for x in tables],
                "upper": [x / 1000 for x in tables],
            },
        ],
    }


def _gap_by_types(instance: Instance, scale: Fraction = Fraction(1)) -> Outcome:
    """The largest gap with all types present against the largest with a single one, whichever it is."""
    model, total, size = _model(instance), instance.agents, _subsample(instance)
    assert total is not None
    try:
        mixed, mixed_place, single, single_place = gap_by_types(model, int(instance["types"]), total, size)
    except (UndecidedTieError, TooLargeError) as error:
        return Unresolved(str(error))
    details: dict[str, Any] = {"worst": f"all types: {mixed_place}; one type: {single_place}"}
    if model.name.startswith("preferences") and total == 6:
        details["curve"] = _against_types(size)
    return Sides(Interval.exactly(mixed), Interval.exactly(single * scale), trivial_gap(model), details)


def _gap_instances(profile: Profile, given: Sequence[Model] | None) -> list[Instance]:
    """Types that do not differ, types of two random models, and types that want different things."""
    if given is not None:
        return [Instance(twins(m), 3, size, (("types", 2),)) for m in given if 2 * m.sizes[2] * m.sizes[3] <= 8 for size in (1, 2)]
    base = models.coordination()
    plan: list[tuple[Model, int, int, tuple[int, ...]]] = [
        (twins(base), 2, 2, (1,)),
        (twins(base), 2, 3, (1, 2)),
        (typed([models.random_coupled(4), models.random_coupled(5)], "random_coupled 4 and 5"), 2, 3, (1, 2)),
        (typed([base, models.coordination(eta="1/2")], "coordination with moving costs 1/100 and 1/2"), 2, 3, (1, 2)),
        (preferences(2), 2, 3, (1, 2, 3)),
        (preferences(2), 2, 6, (1, 3, 5)),
        (preferences(3), 3, 6, (1, 3, 5)),
    ]
    if profile is Profile.FULL:
        plan += [
            (twins(models.random_coupled(16)), 2, 4, (1, 2, 3)),
            (typed([models.random_coupled(5), models.random_coupled(16)], "random_coupled 5 and 16"), 2, 4, (1, 2, 3)),
            (twins(base, 3), 3, 3, (1, 2)),
            (preferences(4), 4, 6, (1, 3, 5)),
        ]
    return [Instance(m, total, size, (("types", types),)) for m, types, total, sizes in plan for size in sizes]


# ------------------------------------------------------------------------------------------------------------ the claims

_FINITE = ("Assumption 2.1 (finite sets)",)
_HALF = Fraction(1, 2)


def _quick(instances: Callable[[Profile, Sequence[Model] | None], list[Instance]]) -> Callable[[], list[Instance]]:
    return partial(instances, Profile.QUICK, None)


S1 = Claim(
    id="S1",
    title="Number of distributions of k - 1 agents",
    statement=r"$|\mu_{k-1}(\mathcal Z_l)| \le " + bounds.DISTRIBUTIONS_AT_MOST.latex + "$",
    source="Remark 3.1",
    reading="the left side is enumerated; vacuous where the bound is no smaller than the number of labelled tuples of k - 1 pairs",
    assumptions=_FINITE,
    registered=Status.CORROBORATED,
    sides=_distributions,
    instances=_distribution_instances,
    control=Control(
        "distributions of 4 k agents are counted", lambda i: _distributions(i, shift=3 * _subsample(i) + 1), _quick(_distribution_instances)
    ),
    left_means="enumerated distributions",
    right_means="k^|Z|",
    grounds=proof(__name__, "S1"),
)

S1T = Claim(
    id="S1t",
    title="Table sizes",
    statement="The standard table has $"
    + bounds.STANDARD_TABLE.latex
    + "$ entries, the mean-field table $"
    + bounds.MEAN_FIELD_TABLE.latex
    + "$.",
    source="section 3, Algorithm 1",
    reading="tables enumerated entry by entry against these formulas and against the sizes that the code uses; the sides are the largest difference and 0",
    assumptions=_FINITE,
    registered=Status.CORROBORATED,
    sides=_table_sizes,
    instances=_table_instances,
    control=Control("the mean-field formula is taken at k + 1", partial(_table_sizes, shift=1), _quick(_table_instances)),
    left_means="largest |enumerated - stated|",
    right_means="0",
    grounds=theorem("the number of multisets: Stanley 2012, Enumerative Combinatorics 1, section 1.2; the standard table is a product"),
)

S2 = Claim(
    id="S2",
    title="The switch picks the smaller table",
    statement=r"The table picked by $|\mathcal Z_l|^k \le |\mathcal Z_l|\, k^{|\mathcal Z_l|}$ has no more entries than the other.",
    source="Remark 3.1, Algorithm 1",
    reading="exact numbers of entries over |S_g||A_g|, for all k of a range; the switch compares with the bound k^|Z| of |mu_{k-1}|, so it stays standard too long. "
    "Smallest: |Z| = 2, k = 3, 8 entries against 6",
    assumptions=_FINITE,
    registered=Status.REFUTED,
    sides=_exact_switch,
    instances=_switch_instances,
    control=Control("the switch is reversed", _wrong_switch, _quick(_switch_instances)),
    rests_on=("S1",),
    left_means="entries of the table picked",
    right_means="entries of the smaller table",
    failing_step="The switch compares |Z_l|^k with |Z_l| k^|Z_l|, where k^|Z_l| is a bound of the number of distributions, not the number itself. The orders that the "
    "paper states are not affected (S2r)",
)

S2E = Claim(
    id="S2e",
    title="The switch picks the smaller bound",
    statement=r"Of $|\mathcal Z_l|^k$ and $|\mathcal Z_l|\, k^{|\mathcal Z_l|}$ the switch picks the smaller.",
    source="Remark 3.1, Algorithm 1",
    reading="sizes as the paper compares them, |mu_{k-1}| replaced by k^|Z|: true by definition, so it tests the code's switch only",
    assumptions=_FINITE,
    registered=Status.CORROBORATED,
    sides=_bound_switch,
    instances=_switch_instances,
    control=Control("the switch is reversed", _wrong_bound_switch, _quick(_switch_instances)),
    left_means="bound picked",
    right_means="smaller bound",
    grounds=by_definition("it is the rule of Algorithm 1"),
)

S2R = Claim(
    id="S2r",
    title="The table picked is within both bounds",
    statement=r"The table picked by the switch has at most $\min\{"
    + bounds.SWITCH_STANDARD.latex
    + ", "
    + bounds.SWITCH_MEAN_FIELD.latex
    + r"\}$ entries over $|\mathcal S_g||\mathcal A_g|$.",
    source="ours",
    reading="exact numbers of entries for all k of a range. Proof: the standard table has $|Z_l|^k$ entries, the mean-field one at most $|Z_l| k^{|Z_l|}$ (S1), and the "
    "switch picks the one whose side is the smaller",
    assumptions=_FINITE,
    registered=Status.CORROBORATED,
    sides=partial(_smaller_than_bounds, Fraction(1)),
    instances=_switch_instances,
    control=Control("the bound is halved", partial(_smaller_than_bounds, _HALF), _quick(_switch_instances)),
    left_means="entries of the table picked",
    right_means="smaller bound",
    repairs=("S2",),
    grounds=proof(__name__, "S2r", uses=("S1", "S1t")),
)

S3 = Claim(
    id="S3",
    title="One sweep is polynomial in k",
    statement=r"One exact sweep has at most $" + SWEEP.latex + "$ entries.",
    source="Remark 4.8",
    reading="entries = (state, joint local action) pairs compared + expectations of the next value (one for each multiset of distinct local "
    "kernels and each distinct row of the global agent), whether a solver holds them in memory or not; actions with the same kernel count once; "
    "vacuous where the labelled table is no larger",
    assumptions=_FINITE,
    registered=Status.CORROBORATED,
    sides=_sweep,
    instances=_sweep_instances,
    control=Control("the exponent |Z| is replaced by 1", partial(_sweep, bound=_LINEAR_SWEEP), _quick(_sweep_instances)),
    rests_on=("S1",),
    left_means="entries counted",
    right_means="polynomial bound",
    grounds=proof(__name__, "S3", uses=("S1",)),
)

S3F = Claim(
    id="S3f",
    title="Fitted exponent of one sweep",
    statement=r"The entries of one sweep grow like $k^p$ with $p \le |\mathcal Z_l|$.",
    source="Remark 4.8",
    reading="least-squares slope of log(entries) on log(k) over k >= 4, enclosed; its standard error is beside it",
    assumptions=_FINITE,
    registered=Status.CORROBORATED,
    sides=_fitted,
    instances=_fitted_instances,
    control=Control("|Z| is replaced by |Z| - 2", partial(_fitted, less=2), _quick(_fitted_instances)),
    rests_on=("S3",),
    left_means="fitted exponent",
    right_means="|Z|",
    grounds=proof(__name__, "S3f", uses=("S3",)),
)

S3B = Claim(
    id="S3b",
    title="k = O(log n) gives a polylogarithmic table",
    statement=r"For $k = \lceil \log_2 n \rceil$ the mean-field table has at most $" + LOGARITHMIC_TABLE.latex + "$ entries.",
    source="Remark 4.8",
    reading="exact table size; vacuous where the bound is no smaller than the table for k = n",
    assumptions=_FINITE,
    registered=Status.CORROBORATED,
    sides=_logarithmic,
    instances=_logarithmic_instances,
    control=Control("the exponent |Z| is replaced by 1", partial(_logarithmic, bound=_LINEAR_IN_LOG), _quick(_logarithmic_instances)),
    rests_on=("S1",),
    left_means="entries",
    right_means="power of log n",
    grounds=proof(__name__, "S3b", uses=("S1", "S1t")),
)

S4 = Claim(
    id="S4",
    title="O(log n / log log n) types cost poly(n)",
    statement=r"With $|\mathcal E| = \lfloor \ln n / \ln\ln n \rfloor$ types and $k = \lfloor \ln n \rfloor$ the mean-field table has at most $"
    + TYPED_TABLE.latex
    + "$ entries.",
    source="section 2, Remark 4.9",
    reading="|S_l| and |A_l| are those of one type, |Z_l| = |E||S_l||A_l|; |S_g| = |A_g| = 1; vacuous where the bound is no smaller than the table for k = n",
    assumptions=(*_FINITE, "n >= 16"),
    registered=Status.CORROBORATED,
    sides=_typed_table,
    instances=_typed_table_instances,
    control=Control("the exponent |S_l||A_l| is replaced by 1", partial(_typed_table, bound=_TYPED_LINEAR), _quick(_typed_table_instances)),
    rests_on=("S1",),
    left_means="entries",
    right_means="power of n",
    grounds=proof(__name__, "S4", uses=("S1", "S1t")),
)

S4B = Claim(
    id="S4b",
    title="The gap does not get worse with the number of types",
    statement=r"$\max_{s_0 : \text{all types}} V^*(s_0) - V^{\pi_k}(s_0) \le \max_{s_0 : \text{one type}} V^*(s_0) - V^{\pi_k}(s_0)$.",
    source="section 2, Remark 4.9",
    reading="one model with |E| types; the largest gap over start states with every type present against the largest over start states with a single type, "
    "whichever it is (weaker than comparing with the first type); exact values, eps = 0, independent draws",
    assumptions=(*_FINITE, "types are a component of the local state that never changes", "eps_{k,m} = 0 (exact operator)"),
    registered=Status.REFUTED,
    sides=_gap_by_types,
    instances=_gap_instances,
    control=Control("one per cent is taken off the right side", partial(_gap_by_types, scale=Fraction(99, 100)), _quick(_gap_instances)),
    left_means="largest gap, all types present",
    right_means="largest gap, a single type",
    failing_step="With types as part of the local state the theorem's bound holds with |S_l| replaced by |E||S_l|, which grows with |E|. That the gap itself does not is "
    "an additional statement: agents of one type can agree with any sample of their own, agents of several types cannot",
)

CLAIMS: tuple[Claim, ...] = (S1, S1T, S2, S2E, S2R, S3, S3F, S3B, S4, S4B)
