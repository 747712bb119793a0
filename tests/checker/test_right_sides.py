"""Right sides as expressions: enclosed for every operation of the grammar, and everything else refused."""

from __future__ import annotations

from fractions import Fraction

import mpmath
import pytest

from mfverify.checker import check_certificate as checker
from mfverify.checker import finite_claims

Q = Fraction
AT = {"n": 20, "k": 7, "gamma": Q(9, 10), "w": Q(-3, 2), "tiny": Q(1, 10**12), "zero": 0}


def exact(text: str) -> mpmath.mpf:
    """The value with 60 digits, by another evaluator."""
    names = {name: mpmath.mpf(Q(x).numerator) / Q(x).denominator for name, x in AT.items()}
    functions = {"sqrt": mpmath.sqrt, "log": mpmath.log, "exp": mpmath.exp}
    return mpmath.mpf(eval(text, {"__builtins__": {}}, names | functions))


@pytest.mark.parametrize(
    "text",
    [
        "n - k + 1",
        "(n - k + 1)/(2*n*k)",
        "w*k - w*n",
        "-w**3/(1 - gamma)**2",
        "w**2 + w**3",
        "(n - k)**(-2)",
        "gamma**(-1) - (1/k)**(-2)",
        "k**(3/2)/k**(-1/2)",
        "sqrt(k)*sqrt(sqrt(n))",
        "log(k) - log(1/n) + log(tiny)",
        "exp(w) + exp(-w) + exp(zero)",
        "sqrt((n - k + 1)/(2*n*k)*log(40*n*k**(2 + 1/2)/(1 - gamma)**2)) + 1/(10*sqrt(k))",
        "(log(n) - 3)**2 + (log(k) - 2)**3",
        "(log(n) - log(k))/(log(k) - log(n))",
        "--k - - -n",
        "exp(-8*n*k*tiny**2/(n - k + 1))",
    ],
)
def test_every_operation_is_enclosed(text: str) -> None:
    low, high = checker.expression(text, AT)
    with mpmath.workdps(60):
        value = exact(text)
        assert mpmath.mpf(low.numerator) / low.denominator - mpmath.mpf(10) ** -50 <= value
        assert value <= mpmath.mpf(high.numerator) / high.denominator + mpmath.mpf(10) ** -50
    assert 0 <= high - low < Q(1, 10**6)
    assert (low == high) or any(word in text for word in ("sqrt", "log", "exp", "1/2", "3/2"))


def test_a_power_of_what_may_be_of_either_sign_goes_down_to_zero() -> None:
    assert checker.power((Q(-2), Q(3)), (Q(2), Q(2))) == (0, 9)
    assert checker.power((Q(-2), Q(3)), (Q(3), Q(3))) == (-8, 27)
    assert checker.power((Q(-3), Q(-2)), (Q(2), Q(2))) == (4, 9)
    assert checker.power((Q(-3), Q(-2)), (Q(-1), Q(-1))) == (-Q(1, 2), -Q(1, 3))
    assert checker.power((Q(0), Q(0)), (Q(0), Q(0))) == (1, 1)
    low, high = checker.power((Q(4), Q(9)), (Q(-3, 2), Q(-3, 2)))
    assert low < Q(1, 27) and high == Q(1, 8) and Q(1, 27) - low < Q(1, 10**15)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x", "x: is no symbol of this right side"),
        ("", "a right side has at most 1000"),
        ("n" * 1001, "a right side has at most 1000"),
        ("n; k", "a right side has at most 1000"),
        ("n[0]", "a right side has at most 1000"),
        ("'n'", "a right side has at most 1000"),
        ("n +", "no expression in the notation of Python"),
        ("(" * 300 + ")" * 300, "no expression in the notation of Python"),
        ("1.5", "a right side is written with integers"),
        ("1e5", "a right side is written with integers"),
        ("2j", "a right side is written with integers"),
        ("True", "a right side is written with integers"),
        ("n//k", "a right side is written with integers"),
        ("n.real", "a right side is written with integers"),
        ("+n", "a right side is written with integers"),
        ("not n", "a right side is written with integers"),
        ("n if k else w", "a right side is written with integers"),
        ("sqrt()", "a right side is written with integers"),
        ("max(n)", "a right side is written with integers"),
        ("sqrt(*n)", "a right side is written with integers"),
        ("n(k)", "a right side is written with integers"),
        ("log", "log: is no symbol of this right side"),
        ("n/zero", "divides by what may be 0"),
        ("1/(sqrt(k)*sqrt(k) - 7)", "divides by what may be 0"),
        ("zero**(-1)", "divides by what may be 0"),
        ("sqrt(w)", "a root is taken of what may be negative"),
        ("w**(1/2)", "a root is taken of what may be negative"),
        ("log(w)", "a logarithm is taken of what may be 0 or less"),
        ("log(zero)", "a logarithm is taken of what may be 0 or less"),
        ("k**(1/3)", "an exponent is no multiple of 1/2"),
        ("k**sqrt(k)", "an exponent is no multiple of 1/2"),
        ("k**2001", "an exponent is no multiple of 1/2"),
        ("(k**2000)**2000", "a power is too long"),
        ("k**2000*k**2000*k**2000*k**2000*k", "too long for this checker"),
        ("exp(5001)", "an exponent is too large"),
        ("+".join(["exp(k)"] * 21), "at most 20 exponentials"),
    ],
)
def test_what_is_not_in_the_grammar_or_has_no_value_is_refused(text: str, words: str) -> None:
    with pytest.raises(checker.Refused) as refusal:
        checker.expression(text, AT)
    assert words in str(refusal.value)


def test_very_deep_expressions_end_in_an_error_that_a_check_catches() -> None:
    for text in ("-" * 999 + "n", "n**" * 300 + "n"):
        with pytest.raises((checker.Refused, RecursionError, MemoryError)):
            checker.expression(text, AT)


def test_the_exponential_of_a_long_fraction_is_that_of_short_ones_around_it() -> None:
    """With thousands of digits in each of thousands of terms a right side of one line would take minutes."""
    x = 300 + Q(1, 3**1900)
    below = Q(int(x * checker.FINE**6), checker.FINE**6)
    found = checker.exponential(x)
    assert found == (checker.exponential(below)[0], checker.exponential(below + Q(1, checker.FINE**6))[1])
    assert found[0] < found[1] < found[0] * (1 + Q(1, 2**200))


@pytest.mark.parametrize("printed", [checker.PRINTED, finite_claims.PRINTED], ids=["gaps", "others"])
def test_printed_right_sides_are_in_the_grammar(printed: dict[str, str]) -> None:
    names = {"n": 20, "k": 7, "gamma": Q(9, 10), "rt": 3, "S_g": 2, "A_g": 2, "S_l": 2, "A_l": 2, "Z": 4, "C": Q(1, 2), "d": Q(1, 3)}
    for text in printed.values():
        low, high = checker.expression(text, names)
        assert 0 <= low <= high < low + Q(1, 10**6) * max(1, low)


@pytest.mark.parametrize("claim", ["T1", "T1b", "T2c"])
def test_a_theorem_says_nothing_where_its_logarithm_is_that_of_a_number_below_one(claim: str) -> None:
    one = [[["1"]]]
    tiny = {"discount": "1/2", "global_kernel": one, "local_kernel": [one], "global_reward": [["0"]], "local_reward": [[["1/1000"]]]}
    with pytest.raises(checker.Refused, match="the logarithm of a number below one here, so it says nothing"):
        checker.theorem_bound(claim, checker.Model({"model": tiny}), 2, 1)
    larger = checker.Model({"model": tiny | {"local_reward": [[["1"]]]}})
    assert checker.theorem_bound(claim, larger, 2, 1) > 0
