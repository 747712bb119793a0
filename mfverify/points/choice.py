"""The size of a sample for a gap that is accepted or a table that can be held, from certified gaps.

The gap need not fall with k (claim P4), so no size is skipped: where a gap is to be small enough, sizes are tried from the smallest on until
one is certified; where a table is not to be too large, all sizes that fit are compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from mfverify import costs
from mfverify.enclosure import Interval
from mfverify.errors import ModelError, TooLargeError, UndecidedTieError
from mfverify.model import Model
from mfverify.papers.quantities import executed, optimum
from mfverify.progress import Counted, counting
from mfverify.rationals import Number, exact, written
from mfverify.subsample_mfq.draws import way
from mfverify.subsample_mfq.learning import mean_field_table_size
from mfverify.validation import positive_integer


@dataclass(frozen=True)
class Tried:
    """One size: the entries of its table (mean-field regime), its certified largest gap or why there is none, and whether that is accepted."""

    k: int
    entries: int
    gap: Interval | None
    accepted: bool | None
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        """As a JSON object; ``accepted`` is null where neither is certified."""
        gap = None if self.gap is None else self.gap.to_json()
        return {"subsample": self.k, "entries": self.entries, "gap": gap, "accepted": self.accepted, "reason": self.reason}


@dataclass(frozen=True)
class Choice:
    """The chosen size (None: no size is certified to fit) and the sizes that were tried, in this order."""

    k: int | None
    tried: tuple[Tried, ...]

    @property
    def gap(self) -> Interval | None:
        """The certified largest gap of the chosen size."""
        return next((one.gap for one in self.tried if one.k == self.k), None)


def choose_k(
    model: Model,
    n: int,
    *,
    largest_gap: Number | None = None,
    largest_table: int | None = None,
    sampling: str = "independent",
    sizes: Sequence[int] | None = None,
    progress: Counted | Literal[False] | None = None,
) -> Choice:
    """Choose k of n agents for a largest gap, for a largest table, or for both.

    With ``largest_gap`` this is the smallest k whose largest gap over start states is certified to be at most that; otherwise, of those whose
    table fits, the one whose gap has the smallest certified upper bound.

    Parameters
    ----------
    model
        The system.
    n
        Number of local agents.
    largest_gap
        A rational number such as ``"1/10"``.
    largest_table
        Number of entries of the mean-field table.
    sampling
        How the agents draw, as for :func:`execution_value`.
    sizes
        The k to try, 1 to n by default.
    progress
        Called with (finished, total, label); by default a bar on a terminal and in a notebook, with False none.

    Returns
    -------
    Choice
        ``k``, None where none will do, and in ``tried`` the enclosure of the gap of every k that was tried.

    Raises
    ------
    ModelError
        Neither limit is given, or an argument is out of its range.
    TooLargeError
        The optimum itself is out of reach.

    Examples
    --------
    >>> from mfverify.models import absorbing
    >>> found = choose_k(absorbing(), 6, largest_gap="1/100")
    >>> found.k, [one.accepted for one in found.tried]
    (6, [False, False, False, False, False, True])
    """
    n = positive_integer("agents", n)
    if largest_gap is None and largest_table is None:
        raise ModelError("choose: needs a largest gap that is accepted, or a largest table; give one of the two")
    accepted = None if largest_gap is None else exact(largest_gap, "largest_gap")
    most = None if largest_table is None else positive_integer("largest_table", largest_table)
    candidates = sorted({positive_integer("subsample", k, n, "agents = ") for k in (sizes if sizes is not None else range(1, n + 1))})
    fitting = [k for k in candidates if most is None or mean_field_table_size(model, k) <= most]
    costs.check(costs.solving(model, n))
    tried: list[Tried] = []
    with counting(progress) as tell:
        for done, k in enumerate(fitting, start=1):
            tried.append(_tried(model, n, k, sampling, accepted))
            if tell is not None:
                tell(done, len(fitting), f"k = {k}")
            if accepted is not None and tried[-1].accepted:
                return Choice(k, tuple(tried))
    if accepted is not None:
        return Choice(None, tuple(tried))
    known = [(one.gap.upper, one.k) for one in tried if one.gap is not None]
    return Choice(min(known)[1] if known else None, tuple(tried))


def _tried(model: Model, n: int, k: int, sampling: str, accepted: Fraction | None) -> Tried:
    entries = mean_field_table_size(model, k)
    try:
        costs.check(*way(sampling).all_costs(model, n, k))
        gap = (optimum(model, n) - executed(model, n, k, sampling)).max()
    except (TooLargeError, UndecidedTieError) as error:
        return Tried(k, entries, None, None, str(error))
    if accepted is None:
        return Tried(k, entries, gap, None)
    small = gap <= accepted
    return Tried(
        k,
        entries,
        gap,
        small if isinstance(small, bool) else None,
        "" if isinstance(small, bool) else f"the enclosure contains {written(accepted)}",
    )
