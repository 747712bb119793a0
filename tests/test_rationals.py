"""Numbers as texts: one grammar for all versions of Python; complete in files, short for people, without a limit of digits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import mfverify as mfv
from mfverify import rationals
from mfverify.authors_config import model_from_config
from mfverify.certificate import certify, check_certificate
from mfverify.checker import check_certificate as independent
from mfverify.cli import run
from mfverify.enclosure import Interval
from mfverify.errors import ModelError
from mfverify.export.formats import export_model
from mfverify.model import derived_name
from mfverify.model_files import load_model, save_model
from mfverify.papers.mean_field_sampling.remark_4_9 import twins
from mfverify.papers.quantities import scaled
from mfverify.rationals import described, estimate, exact, from_text, parameter, shown, written
from mfverify.theory.cases.populations import SampledPopulation
from tests.test_exit_status import MODEL

SPELLED: dict[str, Fraction] = {
    "0": Fraction(0),
    "-0": Fraction(0),
    "3": Fraction(3),
    "+3": Fraction(3),
    "007": Fraction(7),
    "-1/3": Fraction(-1, 3),
    "2/4": Fraction(1, 2),
    "0.25": Fraction(1, 4),
    ".5": Fraction(1, 2),
    "-.5": Fraction(-1, 2),
    "1.": Fraction(1),
    "1e-5": Fraction(1, 10**5),
    "2.5E+1": Fraction(25),
    "1e0400": Fraction(10**400),
}
NO_NUMBERS = [
    "",
    " ",
    ".",
    "-",
    "e5",
    "1_000",
    " 1",
    "1 ",
    "1\n",
    "1/ 2",
    "1 /2",
    "1/-2",
    "1/0",
    "1.5/2",
    "--1",
    "0x10",
    "1e",
    "1e12345",
    "1e1.5",
]
NO_NUMBERS += ["nan", "inf", "-Infinity", "١/٢", "１", "½", "1/2/3", "1,5", "1e٢", "1\0"]


@pytest.mark.parametrize("text", SPELLED)
def test_the_grammar(text: str) -> None:
    assert from_text(text) == SPELLED[text] == exact(text, "here")
    assert Fraction(text) == SPELLED[text], "Python reads it the same"


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(ValueError):
        from_text(text)
    with pytest.raises(ModelError, match=r'^here: found .*, expected a finite number: .* or a string such as "1/3"$'):
        exact(text, "here")


READERS: dict[str, Callable[[str, Path], Any]] = {
    "arguments": lambda text, _: mfv.models.coordination(eta=text),
    "models": lambda text, _: mfv.Model([[[1]]], [[[[1]]]], [[0]], [[[text]]], "1/2"),
    "JSON": lambda text, folder: _loaded(folder / "m.json", json.dumps(MODEL | {"discount": text})),
    "TOML": lambda text, folder: _loaded(
        folder / "m.toml",
        f'discount = "{text}"\nglobal_kernel=[[[1]]]\nlocal_kernel=[[[[1]]]]\nglobal_reward=[[0]]\nlocal_reward=[[[0]]]\n',
    ),
    "intervals": lambda text, _: Interval.exactly(text),
    "checker": lambda text, _: _checked(text),
}


def _loaded(path: Path, text: str) -> Any:
    path.write_text(text, encoding="utf-8")
    return load_model(path)


def _checked(text: str) -> None:
    document = certify("C3", SampledPopulation((1, 1), 1)).document | {"margin": text}
    answer = check_certificate(mfv.Certificate(_sealed(document)))
    if not answer.accepted:
        raise ValueError(answer.reasons)


def _sealed(document: dict[str, Any]) -> dict[str, Any]:
    import hashlib

    content = {key: part for key, part in document.items() if key != "digest"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return content | {"digest": hashlib.sha256(text.encode()).hexdigest()}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("text", ["1_0/30", " 1/3", "1 / 3", "1/3 ", "١/٣", "nan"])
def test_every_reader_refuses_what_only_some_versions_of_python_read(tmp_path: Path, reader: str, text: str) -> None:
    with pytest.raises(ValueError):
        READERS[reader](text, tmp_path)


@pytest.mark.parametrize("reader", READERS)
def test_every_reader_reads_the_grammar(tmp_path: Path, reader: str) -> None:
    READERS[reader]("1/100", tmp_path)


@pytest.mark.parametrize("text", ["1_000", "١٢", " 3", "3.0", "1e3", "9" * 5000])
@pytest.mark.parametrize("option", ["--agents", "--subsample", "--samples", "--seed"])
def test_options_are_integers_in_plain_digits(option: str, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    given_options = {"--agents": "3", "--subsample": "2", "--samples": "2", "--seed": "0"} | {option: text}
    assert run(["gap", "models:absorbing", *(part for pair in given_options.items() for part in pair)]) == 2
    shown_line = capsys.readouterr().err
    assert f"'{option}'" in shown_line and "is not a valid integer" in shown_line and len(shown_line) < 200


@pytest.mark.parametrize("text", ["inf", "nan", "1_0", "١", "1e999"])
def test_a_budget_is_a_number_of_the_grammar(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["falsify", "C3", "--budget", text]) == 2
    assert "is not a valid number" in capsys.readouterr().err


# ---------------------------------------------------------------------------------------------------------- writing


@given(st.fractions() | st.builds(lambda x, y: Fraction(x, 2**y + 1), st.integers(-(10**2000), 10**2000), st.integers(0, 20_000)))
def test_what_is_written_is_read_back(number: Fraction) -> None:
    assert from_text(written(number)) == number


def test_ends_of_the_limit() -> None:
    for digits in (599, 600, 601, 639, 640, 641, 4299, 4300, 4301, 50_000):
        number = Fraction(10**digits - 1, 7)
        assert from_text(written(number)) == number
        assert written(-number.numerator) == "-" + format(Decimal(number.numerator), "f")


@given(st.fractions(), st.integers(2, 17))
def test_estimates_are_those_of_doubles_where_there_are_doubles(number: Fraction, digits: int) -> None:
    assert estimate(number, digits) == f"{float(number):.{digits}g}"


def test_estimates_beyond_doubles() -> None:
    assert estimate(Fraction(1, 10**400)) == "1e-400"
    assert estimate(-Fraction(10**5000, 3)) == "-3.33333e+4999"
    assert estimate(Fraction(2, 3) * 10**9000, 3) == "6.67e+8999"


def test_texts_for_people() -> None:
    long = Fraction(10**5000 + 1, 3**9000)
    assert described(Fraction(-5, 8), 40) == "-5/8"
    assert described(long, 40) == f"{estimate(long, 12)} (a fraction with a denominator of 4295 digits)"
    assert described(10**5000, 40) == "1e+5000 (an integer of 5001 digits)"
    assert shown(1 - Fraction(1, 10**400)) == "1 - 1e-400"
    assert (parameter(Fraction(1, 3)), len(parameter(long))) == ("1/3", len("3.14159265359e+705~01234567"))
    assert parameter(long) != parameter(long + Fraction(1, 10**6000))


def test_refused_values_are_quoted_shortly() -> None:
    for value in ("x" * 10**6, 10**6000, [1] * 10**6, np.zeros(10**6), True, None, 1j, np.float32("nan"), b"1"):
        assert len(rationals.quoted(value)) <= 60
        if not isinstance(value, int) or isinstance(value, bool):
            with pytest.raises(ModelError, match="found"):
                exact(value, "here")
    with pytest.raises(ModelError, match="more than 4096 bits"):
        exact(10**6000, "here")


# ---------------------------------------------------------------------------------------------------------- long numbers everywhere


LONG = 10**1200 + 7
"""Its digits are more than Python turns into text at the strictest setting of its limit."""


@pytest.fixture(scope="module")
def long_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model file with numbers of 1200 digits."""
    path = tmp_path_factory.mktemp("long") / "long.json"
    kernel = [[[[f"1/{LONG}", f"{LONG - 1}/{LONG}"]], [["1/4", "3/4"]]], [[[0, 1]], [["1/2", "1/2"]]]]
    path.write_text(json.dumps(MODEL | {"name": "long", "discount": f"{LONG // 2}/{LONG}", "local_kernel": kernel}))
    return path


COMMANDS = [
    ["solve", "{}", "--agents", "2", "--method", "rational"],
    ["solve", "{}", "--agents", "2", "--method", "rational", "--json"],
    ["gap", "{}", "--agents", "2", "--subsample", "1"],
    ["export", "{}", "--agents", "2", "--to", "drn", "--out", "x.drn"],
    ["verify", "--claims", "P1", "T3", "L2", "X1", "--models", "{}", "--workers", "1", "--out", "here"],
    ["report", "here"],
    ["report", "here", "--to", "csv"],
    ["solve", "row.json", "--agents", "2"],
]
"""The last one is refused: a row of long numbers does not sum to one."""


@pytest.mark.slow
def test_commands_under_the_strictest_limit_of_digits(long_model: Path) -> None:
    document = json.loads(long_model.read_text())
    document["local_kernel"][0][0][0][0] = f"2/{LONG}"
    (long_model.parent / "row.json").write_text(json.dumps(document))
    code = "import json, sys\nfrom mfverify.cli import run\nprint(json.dumps([run(line) for line in json.loads(sys.argv[1])]), file=sys.stderr)"
    lines = [[part.format("long.json") for part in line] for line in COMMANDS]
    done = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-c", code, json.dumps(lines)],
        env=os.environ | {"PYTHONINTMAXSTRDIGITS": "640"},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
        cwd=long_model.parent,
    )
    refused, codes = done.stderr.splitlines()
    assert json.loads(codes) == [0, 0, 0, 0, 0, 0, 0, 2]
    assert "local_kernel[0, 0, 0, :]: the row sums to 1 + 1e-1200, expected 1; write numbers" in refused
    printed = done.stdout[done.stdout.index("{") : done.stdout.index("\n}\n") + 2]
    states = json.loads(printed)["states"]
    truth = mfv.optimal_value(load_model(long_model), 2, method="rational")
    assert truth.exact is not None
    assert [from_text(state["exact"]) for state in states] == list(truth.exact.ravel())
    assert max(len(state["exact"]) for state in states) > 4300
    assert "a fraction with a denominator of" in done.stdout and "--json prints them in full" in done.stdout
    assert max(len(line) for line in done.stdout[: done.stdout.index("{")].splitlines()) <= 80


def test_files_of_long_numbers_are_complete(long_model: Path, tmp_path: Path) -> None:
    model = load_model(long_model)
    for name in ("m.json", "m.toml"):
        save_model(model, tmp_path / name)
        assert load_model(tmp_path / name) == model
    written_as = export_model(model, 2, tmp_path / "x.drn", "drn")
    assert f"Discount {model.discount.numerator}/{LONG}" in (tmp_path / "x.drn").read_text()
    assert from_text(str(written_as.to_json()["value_offset"])) == written_as.value_offset
    assert all(len(line) < 300 for line in written_as.reading)


def test_the_checker_reads_long_numbers_or_refuses_in_one_line() -> None:
    assert independent.rational(f"{10**1999 - 1}", "here") == 10**1999 - 1
    with pytest.raises(independent.Refused, match='here: expected a rational number such as "5/8"'):
        independent.rational("1" * 2001, "here")


@pytest.mark.parametrize(
    "make",
    [
        lambda x: mfv.models.coordination(eta=x),
        lambda x: mfv.models.coordination(discount=x),
        lambda x: mfv.models.redrawn(eta=x),
        lambda x: mfv.models.crews(eta=x, discount=x),
        lambda x: mfv.models.random_coupled(0, discount=x),
        lambda x: mfv.models.squeeze(mu=x, sigma=x),
    ],
)
def test_names_of_models_with_long_parameters_are_short_and_differ(make: Callable[[Fraction], mfv.Model]) -> None:
    names = [make(Fraction(LONG // 2 + more, LONG)).name for more in (0, 1)]
    assert max(map(len, names)) <= 200
    assert names[0] != names[1]


def test_names_of_models_made_from_others_are_short_and_differ(tmp_path: Path) -> None:
    long = ["n" * 199 + "a", "n" * 199 + "b"]
    models = [mfv.Model([[[1]]], [[[[1]]]], [[0]], [[[10**300]]], "1/2", name) for name in long]
    made = [scaled(model, 1 / model.rt).name for model in models] + [twins(model, 3).name for model in models]
    assert len(set(made)) == 4 and max(map(len, made)) <= 200
    assert scaled(mfv.models.absorbing(), 2).name == "absorbing, rewards times 2"
    documents = [{key: value for key, value in MODEL.items() if key != "name"}, MODEL]
    for document, name in zip(documents, (derived_name("m" * 240), MODEL["name"]), strict=True):
        (tmp_path / f"{'m' * 240}.json").write_text(json.dumps(document))
        assert load_model(tmp_path / f"{'m' * 240}.json").name == name


@pytest.mark.parametrize("name", ["coordination", "redrawn", "crews", "squeeze", "random_coupled", "splitting", "absorbing", "exploration"])
def test_parameters_of_models_are_refused_by_name(name: str) -> None:
    make = getattr(mfv.models, name)
    arguments = (0,) if name == "random_coupled" else ()
    with pytest.raises(ModelError, match=r"^discount: found 'one half', expected a finite number"):
        make(*arguments, discount="one half")


# ---------------------------------------------------------------------------------------------------------- rounded rows


def test_a_row_of_floats_in_a_file_names_the_remedy(tmp_path: Path) -> None:
    thirds = [1 / 3] * 3
    kernel = [[[thirds]], [[[0, 1, 0]]], [[[0, 0, 1]]]]
    document = {
        "discount": 0.5,
        "global_kernel": [[[1]]],
        "local_kernel": kernel,
        "global_reward": [[0]],
        "local_reward": [[[0]], [[1]], [[2]]],
    }
    (tmp_path / "m.json").write_text(json.dumps(document))
    with pytest.raises(
        ModelError, match=r'm.json: local_kernel\[0, 0, 0, :\]: the row sums to .*, expected 1; write .* as strings such as "1/3"$'
    ):
        load_model(tmp_path / "m.json")
    assert mfv.Model(**document).local_kernel[0, 0, 0, 0] == Fraction(1, 3), "an argument in Python is known to be rounded"
    document["local_kernel"][0][0][0] = ["1/3", "1/3", "1/2"]
    (tmp_path / "m.json").write_text(json.dumps(document))
    with pytest.raises(ModelError, match=r"the row sums to 7/6, expected 1$"):
        load_model(tmp_path / "m.json")


def test_numbers_of_configurations_are_decimals(tmp_path: Path) -> None:
    document = json.loads((Path(mfv.__file__).parent / "models" / "patrol_config.json").read_text())
    for value in ("0.9", True, float("nan")):
        document["simulation"]["discount_factor"] = value
        with pytest.raises(ModelError, match=r"simulation\.discount_factor: found .*, expected a finite number"):
            model_from_config(document, name="patrol")
    document["simulation"]["discount_factor"] = 0.9
    assert model_from_config(document, name="patrol").discount == Fraction(9, 10)


# ---------------------------------------------------------------------------------------------------------- tiny and huge numbers


@pytest.mark.parametrize("discount", ["1e-400", "1e-310"])
@pytest.mark.parametrize("method", ["lumped", "flat", "rational"])
@pytest.mark.filterwarnings("error")
def test_a_discount_below_doubles(discount: str, method: str) -> None:
    model = mfv.models.coordination(discount=discount)
    value = mfv.optimal_value(model, 2, method=method)
    truth = mfv.optimal_value(model, 2, method="rational").exact
    assert truth is not None
    assert all(Fraction(a) <= x <= Fraction(b) for a, b, x in zip(value.lower.flat, value.upper.flat, truth.flat, strict=True))


@pytest.mark.parametrize("p", ["1e-310", "1e-400", "5e-324"])
@pytest.mark.filterwarnings("error")
def test_probabilities_below_normal_doubles_raise_no_warning(p: str) -> None:
    rest = 1 - from_text(p)
    model = mfv.Model([[[1]]], [[[[rest, p]] * 2], [[[p, rest], [rest, p]]]], [[0]], [[[0, 0]], [[1, "1/2"]]], "1/2")
    learned = mfv.learn(model, 1)
    played = mfv.execution_value(model, 3, learned)
    best = mfv.optimal_value(model, 3)
    truth = mfv.optimal_value(model, 3, method="rational").exact
    assert truth is not None
    assert all(Fraction(a) <= x <= Fraction(b) for a, b, x in zip(best.lower.flat, best.upper.flat, truth.flat, strict=True))
    assert (played.lower <= best.upper).all()


@pytest.mark.filterwarnings("error")
def test_rewards_near_the_largest_that_is_allowed() -> None:
    played = []
    for scale in ("1e299", "1"):
        model = mfv.Model([[[1]]], [[[["1/2", "1/2"]]], [[["1/3", "2/3"]]]], [[0]], [[[scale]], [[f"-{scale}"]]], "1/2")
        played.append(mfv.execution_value(model, 3, mfv.learn(model, 2)))
    large, small = played
    assert float(large.width.max()) < 1e-10 * 1e299
    scaled = [(Fraction(x) * 10**299, Fraction(y) * 10**299) for x, y in zip(small.lower.flat, small.upper.flat, strict=True)]
    for low, high, (below, above) in zip(large.lower.flat, large.upper.flat, scaled, strict=True):
        assert Fraction(low) <= above and below <= Fraction(high), "the enclosures of one value and its multiple do not meet"
