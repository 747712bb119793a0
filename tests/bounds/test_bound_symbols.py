"""The table of symbols and the LaTeX of every right-hand side."""

from __future__ import annotations

from fractions import Fraction

import latex2mathml.converter
import pytest
import sympy as sp

from mfverify.errors import ModelError
from mfverify.papers.mean_field_sampling.bounded_iterates import ITERATE_SIZE
from mfverify.papers.mean_field_sampling.dkw_without_replacement import SUP_NORM_TAIL
from mfverify.papers.mean_field_sampling.lemma_4_3 import SAMPLES
from mfverify.papers.mean_field_sampling.table_sizes import DISTRIBUTIONS
from mfverify.papers.mean_field_sampling.theorem_4_2 import THEOREM_4_2, THEOREM_4_2_WEAKER
from mfverify.papers.mean_field_sampling.theorem_4_4 import THEOREM_4_4
from mfverify.papers.mean_field_sampling.theorem_e_3 import SAME_SIZE
from mfverify.papers.mean_field_sampling.total_variation_tail import TV_QUANTILE
from mfverify.papers.ours import symbols
from mfverify.papers.ours.shared_draw import SHARED_DRAW
from mfverify.papers.ours.total_variation_by_sets import TV_TAIL_BY_SETS
from mfverify.theory.bound import Bound
from mfverify.theory.formula import latex, plus
from mfverify.theory.symbols import MODEL_CLASS, PaperSymbol, amount
from tests.bounds.all_bounds import all_bounds

ALL = all_bounds()

FRAGMENTS: tuple[tuple[Bound, tuple[str, ...]], ...] = (
    (SUP_NORM_TAIL, (r"2 |\mathcal{Z}_l| e^{", r"{n - k + 1}")),
    (TV_TAIL_BY_SETS, (r"2^{|\mathcal{Z}_l|}",)),
    (TV_QUANTILE, (r"\sqrt{\frac{n - k + 1}{8 k n} \ln{", r"\frac{2 |\mathcal{Z}_l|}{\delta}")),
    (SAME_SIZE, (r"\frac{2 \tilde{r}_l}{1 - \gamma}", r"\mathrm{TV}")),
    (THEOREM_4_2, (
        r"\frac{\tilde{r}}{\left(1 - \gamma\right)^{2}} \sqrt{\frac{n - k + 1}{2 k n} \ln{", r"k^{|\mathcal{A}_l| + \frac{1}{2}}",
        r"+ \frac{1}{10 \sqrt{k}} + 2 \epsilon_{k,m}", "40",
    )),
    (THEOREM_4_2_WEAKER, (r"\sqrt{\frac{n - k + 1}{2 k n}} \ln{", r"\frac{2 \epsilon_{k,m}}{1 - \gamma}")),
    (THEOREM_4_4, (r"+ \frac{4}{\sqrt{k}}",)),
    (SHARED_DRAW, (r"\frac{|\mathcal{Z}_l|}{4 n} \mathbf{1}\{k < n\}", r"\frac{\gamma}{1 - \gamma}")),
    (ITERATE_SIZE, (r"1 - \gamma^{t}",)),
    (SAMPLES, (r"k^{|\mathcal{A}_l| |\mathcal{S}_l| + \frac{7}{2}}", r"\left(1 - \gamma\right)^{5}")),
    (DISTRIBUTIONS, (r"\binom{|\mathcal{Z}_l| + k - 2}{|\mathcal{Z}_l| - 1}",)),
)  # fmt: skip


@pytest.mark.parametrize(("bound", "fragments"), FRAGMENTS, ids=[bound.name for bound, _ in FRAGMENTS])
def test_latex_reads_like_the_paper(bound: Bound, fragments: tuple[str, ...]) -> None:
    for fragment in fragments:
        assert fragment in bound.latex


@pytest.mark.parametrize("bound", ALL, ids=lambda bound: bound.name)
def test_latex_uses_the_names_of_the_table_and_becomes_mathml(bound: Bound) -> None:
    entries = {entry.symbol: entry.latex for entry in symbols.TABLE}
    assert bound.needed
    for symbol in bound.needed:
        assert entries[symbol] in bound.latex
    for code_name in ("rt_", "eps_", "S_{", "A_{", "Z_{"):
        assert code_name not in bound.latex
    assert latex2mathml.converter.convert(bound.latex).startswith("<math")


def test_table_has_each_symbol_and_each_name_once() -> None:
    assert len({entry.symbol for entry in symbols.TABLE}) == len({entry.latex for entry in symbols.TABLE}) == len(list(symbols.TABLE)) == 23
    assert {value for value in vars(symbols).values() if isinstance(value, sp.Symbol)} == {entry.symbol for entry in symbols.TABLE}


def test_sums_are_led_by_a_positive_term_and_keep_their_value() -> None:
    assert latex(symbols.n - symbols.k) == "n - k"
    assert latex(1 - symbols.gamma) == r"1 - \gamma"
    assert latex(-symbols.k - 1) == "- k - 1"
    assert latex(plus(symbols.TV, symbols.epsilon), symbols.TABLE) == r"\mathrm{TV} + \epsilon"


def test_a_piecewise_that_is_no_indicator_is_printed_in_full() -> None:
    other = sp.Piecewise((2, symbols.k < symbols.n), (0, True))
    assert r"\begin{cases}" in latex(other)


def test_a_bound_with_a_foreign_symbol_is_refused() -> None:
    with pytest.raises(ModelError, match="q"):
        Bound("X", sp.Symbol("q") + symbols.k, "nowhere", "none")


def test_a_bound_uses_the_symbols_that_its_paper_declares() -> None:
    with pytest.raises(ModelError, match="eps_km"):
        Bound("X", symbols.eps_km + symbols.k, "nowhere", "a symbol beyond the model class without a table")
    declared = Bound("X", symbols.eps_km + symbols.k, "nowhere", "with its table", symbols.TABLE)
    assert declared.needed == (symbols.k, symbols.eps_km)
    assert declared.latex == r"\epsilon_{k,m} + k"


def test_a_bound_takes_symbols_of_its_own_with_their_ranges() -> None:
    spread = PaperSymbol(amount("spread"), "w", "a spread of values", below=2)
    own = Bound("X", spread.symbol * symbols.k, "nowhere", "own symbols", symbols=(spread,))
    assert own.needed == (symbols.k, spread.symbol)
    assert own.latex == "k w"
    assert own.enclose({symbols.k: 3, spread.symbol: Fraction(1, 3)}).lower == 1
    for outside in (Fraction(-1, 3), -1):
        with pytest.raises(ModelError, match="spread"):
            own.enclose({symbols.k: 3, spread.symbol: outside})
    with pytest.raises(ModelError, match=r"spread are not declared; use those of the model class, or give symbols="):
        Bound("X", spread.symbol * symbols.k, "nowhere", "without them")


def test_a_table_is_extended_by_new_names_only() -> None:
    extra = PaperSymbol(amount("extra"), "x", "one more")
    assert amount("extra") in MODEL_CLASS.extended(extra)
    assert amount("extra") not in MODEL_CLASS
    for entries in ((PaperSymbol(amount("k"), "k", "taken"),), (extra, extra)):
        with pytest.raises(ModelError, match="is in the table already"):
            MODEL_CLASS.extended(*entries)
