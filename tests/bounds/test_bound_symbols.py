"""The table of symbols and the LaTeX of every right-hand side."""

from __future__ import annotations

from types import ModuleType

import latex2mathml.converter
import pytest
import sympy as sp

from mfverify.bounds import concentration, costs, lipschitz, noise, optimality, symbols
from mfverify.bounds.bound import Bound
from mfverify.errors import ModelError

MODULES: tuple[ModuleType, ...] = (concentration, costs, lipschitz, noise, optimality)
ALL = [value for module in MODULES for value in vars(module).values() if isinstance(value, Bound)]

FRAGMENTS: tuple[tuple[Bound, tuple[str, ...]], ...] = (
    (concentration.SUP_NORM_TAIL, (r"2 |\mathcal{Z}_l| e^{", r"{n - k + 1}")),
    (concentration.TV_TAIL_BY_SETS, (r"2^{|\mathcal{Z}_l|}",)),
    (concentration.TV_QUANTILE, (r"\sqrt{\frac{n - k + 1}{8 k n} \ln{", r"\frac{2 |\mathcal{Z}_l|}{\delta}")),
    (lipschitz.SAME_SIZE, (r"\frac{2 \tilde{r}_l}{1 - \gamma}", r"\mathrm{TV}")),
    (optimality.THEOREM_4_2, (
        r"\frac{\tilde{r}}{\left(1 - \gamma\right)^{2}} \sqrt{\frac{n - k + 1}{2 k n} \ln{", r"k^{|\mathcal{A}_l| + \frac{1}{2}}",
        r"+ \frac{1}{10 \sqrt{k}} + 2 \epsilon_{k,m}", "40",
    )),
    (optimality.THEOREM_4_2_WEAKER, (r"\sqrt{\frac{n - k + 1}{2 k n}} \ln{", r"\frac{2 \epsilon_{k,m}}{1 - \gamma}")),
    (optimality.THEOREM_4_4, (r"+ \frac{4}{\sqrt{k}}",)),
    (optimality.SHARED_DRAW, (r"\frac{|\mathcal{Z}_l|}{4 n} \mathbf{1}\{k < n\}", r"\frac{\gamma}{1 - \gamma}")),
    (optimality.ITERATE_SIZE, (r"1 - \gamma^{t}",)),
    (noise.SAMPLES, (r"k^{|\mathcal{A}_l| |\mathcal{S}_l| + \frac{7}{2}}", r"\left(1 - \gamma\right)^{5}")),
    (costs.DISTRIBUTIONS, (r"\binom{|\mathcal{Z}_l| + k - 2}{|\mathcal{Z}_l| - 1}",)),
)  # fmt: skip


@pytest.mark.parametrize(("bound", "fragments"), FRAGMENTS, ids=[bound.name for bound, _ in FRAGMENTS])
def test_latex_reads_like_the_paper(bound: Bound, fragments: tuple[str, ...]) -> None:
    for fragment in fragments:
        assert fragment in bound.latex


@pytest.mark.parametrize("bound", ALL, ids=lambda bound: bound.name)
def test_latex_uses_the_names_of_the_table_and_becomes_mathml(bound: Bound) -> None:
    entries = {entry.symbol: entry.latex for entry in symbols.TABLE}
    assert bound.symbols
    for symbol in bound.symbols:
        assert entries[symbol] in bound.latex
    for code_name in ("rt_", "eps_", "S_{", "A_{", "Z_{"):
        assert code_name not in bound.latex
    assert latex2mathml.converter.convert(bound.latex).startswith("<math")


def test_table_has_each_symbol_and_each_name_once() -> None:
    assert len({entry.symbol for entry in symbols.TABLE}) == len({entry.latex for entry in symbols.TABLE}) == len(symbols.TABLE) == 22
    assert {value for value in vars(symbols).values() if isinstance(value, sp.Symbol)} == {entry.symbol for entry in symbols.TABLE}


def test_sums_are_led_by_a_positive_term_and_keep_their_value() -> None:
    assert symbols.latex(symbols.n - symbols.k) == "n - k"
    assert symbols.latex(1 - symbols.gamma) == r"1 - \gamma"
    assert symbols.latex(-symbols.k - 1) == "- k - 1"
    assert symbols.latex(symbols.plus(symbols.TV, symbols.epsilon)) == r"\mathrm{TV} + \epsilon"


def test_a_piecewise_that_is_no_indicator_is_printed_in_full() -> None:
    other = sp.Piecewise((2, symbols.k < symbols.n), (0, True))
    assert r"\begin{cases}" in symbols.latex(other)


def test_a_bound_with_a_foreign_symbol_is_refused() -> None:
    with pytest.raises(ModelError, match="q"):
        Bound("X", sp.Symbol("q") + symbols.k, "nowhere", "none")
