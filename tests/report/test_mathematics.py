"""LaTeX to MathML: what is good comes through with the arities of MathML Core, what is not is refused by name."""

from __future__ import annotations

import pytest

from mfverify.errors import ModelError
from mfverify.report.mathematics import typeset
from tests.report.pages import Element, parse

ARITIES = {"mfrac": 2, "mroot": 2, "msub": 2, "msup": 2, "msubsup": 3, "munder": 2, "mover": 2, "munderover": 3}

GOOD = (
    r"\sup_{s_0} V^{\star}(s_0) - V^{\pi_k}(s_0) \le \frac{\tilde{r}}{(1-\gamma)^2}",
    r"\Pr\left[\max_{z \in \mathcal{Z}_l} |F_\Delta(z) - F_{[n]}(z)| > \varepsilon\right] \le 2|\mathcal{Z}_l| e^{-2kn\varepsilon^2/m}",
    r"\|\hat{Q}^{\star}_k - \widehat{Q}^{\mathrm{est}}_{k,m}\|_\infty \to 0",
    r"\operatorname{TV}(F, G) = \tfrac{1}{2} \sum_{z} |F(z) - G(z)|",
    r"\mathbb{E}\bigl[\mathbf{1}\{s_i = s_g\}\bigr] \ge \binom{k-2+|\mathcal{Z}_l|}{|\mathcal{Z}_l|-1}",
    r"T \ge \frac{2}{1-\gamma} \log \frac{\tilde{r}\sqrt{k}}{1-\gamma}, \qquad k' = \lfloor n/2 \rfloor",
    r"\begin{cases} 1 & x > 0 \\ 0 & \text{otherwise} \end{cases}",
    r"x \in A \subseteq B \iff y \neq z, \quad \tilde{O}(1/\sqrt{k}) \approx \sqrt[3]{x}",
)


def maths(prose: str) -> Element:
    (element,) = parse(str(typeset(prose, "claim X, statement"))).all("math")
    return element


@pytest.mark.parametrize("latex", GOOD)
@pytest.mark.parametrize("dollars", ["$", "$$"])
def test_the_notation_of_the_catalogue_comes_through(latex: str, dollars: str) -> None:
    element = maths(dollars + latex + dollars)
    assert element.attributes["display"] == {"$": "inline", "$$": "block"}[dollars]
    assert element.attributes["alttext"] == latex
    wrong = [inner.tag for inner in element.all() if inner.tag in ARITIES and len(inner.children) != ARITIES[inner.tag]]
    assert wrong == []
    assert "\\" not in element.text


def test_a_fraction_has_its_two_parts_in_order() -> None:
    (fraction,) = maths(r"$\frac{a}{b+1}$").all("mfrac")
    assert [part.text for part in fraction.children if isinstance(part, Element)] == ["a", "b+1"]


def test_a_binomial_is_the_base_of_its_exponent_in_one_piece() -> None:
    (power,) = maths(r"$\binom{n}{k}^{-1}$").all("msup")
    assert [part.text for part in power.children if isinstance(part, Element)] == ["(nk)", "−1"]
    (both,) = maths(r"$\binom{n}{k}_a^b$").all("msubsup")
    assert [part.text for part in both.children if isinstance(part, Element)] == ["(nk)", "a", "b"]


def test_limits_stand_below_in_display_and_beside_in_line() -> None:
    for operator in (r"\max", r"\sup", r"\Pr", r"\argmax"):
        assert [inner.tag for inner in maths(f"$${operator}_{{z}} x$$").all()][:2] == ["mrow", "munder"]
        assert [inner.tag for inner in maths(f"${operator}_{{z}} x$").all()][:2] == ["mrow", "msub"]


def test_alphabets_are_characters() -> None:
    assert maths(r"$\mathbb{E} \mathbb{1} \mathbf{1} \mathcal{S}$").text == "\U0001d53c\U0001d7d9\U0001d7cf\U0001d4ae"
    assert maths(r"$|\mathcal S_l| \mathcal E \mathcal T \mathbb E \mathbb R \mathfrak C$").text == "|𝒮l|ℰ𝒯𝔼ℝℭ"


def test_an_alphabet_that_browsers_do_not_draw_is_refused() -> None:
    with pytest.raises(ModelError, match=r"claim X, statement: .* browsers do not draw the alphabet 'sans-serif'"):
        typeset(r"$\mathsf S$", "claim X, statement")


def test_prose_around_mathematics_is_escaped() -> None:
    assert str(typeset("a < b & \\$5 <b>", "place")) == "a &lt; b &amp; $5 &lt;b&gt;"
    assert str(typeset("x $<$ y", "place")).startswith("x <math")


@pytest.mark.parametrize("latex", [r"\text{<b>hi</b>}", r"\text{</math><script>x</script>}", "<script>", r'\text{" onload="x}'])
def test_markup_inside_mathematics_is_text(latex: str) -> None:
    element = maths(f"${latex}$")
    assert {inner.tag for inner in element.all()} <= {"mrow", "mi", "mo", "mtext", "mn"}
    assert all("onload" not in inner.attributes for inner in [element, *element.all()])
    assert element.attributes["alttext"] == latex


@pytest.mark.parametrize(
    ("prose", "message"),
    [
        (r"$\foo{x}$", r"the command \\foo is not known"),
        (r"$\frac{a}$", "an argument is missing"),
        (r"$\sqrt$", "does not translate"),
        ("$x_$", "does not translate: missing super script or subscript"),
        ("$x_1_2$", "does not translate"),
        ("${a$", "a brace { is never closed"),
        ("$a}$", "a brace } closes nothing"),
        (r"$\left( x$", "does not translate"),
        (r"$\begin{matrix} a$", "does not translate"),
        (r"$\begin{aligned} a &= b \end{aligned}$", "an & is outside"),
        (r"$a \\ b$", "does not translate"),
        (r"$\href{javascript:alert(1)}{x}$", "'href', which is not among"),
        (r"$\color{red} x$", "'mathcolor', which is not among"),
        (r"$\operatorname{arg\,max} x$", r"a part of it is empty \(<mo>; \\operatorname takes letters only"),
        (r"$\mathop{\mathrm{arg}}_a x$", "an operator of several parts"),
        ("$ $", "does not translate"),
        ("costs $5", r"\$ opens mathematics that is never closed"),
        ("$$x$", r"opened with \$\$ is closed with \$"),
        (r"the ratio \frac{a}{b}", r"LaTeX \\frac is outside mathematics"),
    ],
)
def test_latex_that_fails_is_named_with_its_place(prose: str, message: str) -> None:
    with pytest.raises(ModelError, match=message) as caught:
        typeset(prose, "claim X, statement")
    assert str(caught.value).startswith("claim X, statement: ")
    assert "\n" not in str(caught.value)
