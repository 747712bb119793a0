"""Assumptions of the paper as text, as claims list them."""

from typing import Final

FINITE_SETS: Final = ("Assumption 2.1 (finite sets)",)
FINITE: Final = (*FINITE_SETS, "Assumption 2.2 (bounded rewards)")
EXACT_OPERATOR: Final = "eps_{k,m} = 0 (exact operator)"
EXACT_AND_INDEPENDENT: Final = (*FINITE, "independent draws (Algorithm 2)", EXACT_OPERATOR)
UNIFORM_SAMPLE: Final = ("Delta uniform among the k-subsets of [n]",)
