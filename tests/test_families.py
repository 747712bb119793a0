"""Bundled models with arguments on the command line: read, never evaluated, refused by name."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest

from mfverify import models
from mfverify.cli import run
from mfverify.errors import ModelError
from mfverify.models.families import Family


@pytest.mark.parametrize("name", models.BUNDLED)
def test_every_bundled_model_is_a_family(name: str) -> None:
    family = Family.named(name)
    assert family.text == name
    assert family.model().fingerprint == models.BUNDLED[name]().fingerprint
    assert Family.named(f"{name}()") == family


def test_arguments_are_those_of_the_function() -> None:
    assert Family.named("random_coupled( seed = 4,local_states=3 )").model().fingerprint == models.random_coupled(4, 3).fingerprint
    changed = Family.named("coordination(eta=1/50)").at({"discount": Fraction(3, 4), "eta": Fraction(1, 40)})
    assert changed.text == "coordination(eta=1/40, discount=3/4)"
    assert changed.model().fingerprint == models.coordination("1/40", "3/4").fingerprint
    assert Family.named("absorbing(discount=0.25)").model().name == "absorbing(discount=1/4)"
    assert Family.named("squeeze").parameters["levels"] and not Family.named("squeeze").parameters["mu"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nothing", "models:nothing: there is no bundled model of this name; the names are absorbing, "),
        ("coordination(nothing=1)", "models:coordination: has no argument nothing; it takes eta, discount"),
        ("patrol(discount=1/2)", "models:patrol: has no argument discount; it takes none"),
        ("coordination(eta=exit())", "models:coordination(eta=exit()): expected|models:coordination, eta: found 'exit"),
        ("coordination(eta=1/0)", "models:coordination, eta: found '1/0', expected a finite number"),
        ("coordination(1/2)", "models:coordination: found '1/2', expected argument=value"),
        ("coordination(eta=1, eta=2)", "models:coordination: the argument eta is given twice"),
        ("squeeze(levels=5/2)", "models:squeeze, levels: found 5/2, expected an integer"),
        ("squeeze(levels=1)", "levels: found 1, expected at least 2"),
        ("coordination(eta=1", "models:coordination(eta=1: expected NAME or NAME(argument=value, ...)"),
    ],
)
def test_what_is_not_a_family_is_refused(text: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ModelError):
        Family.named(text).model()
    assert run(["solve", f"models:{text}", "--agents", "2"]) == 2
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert any(err.startswith(f"mfverify: error: {one}") for one in said.split("|"))


def test_commands_take_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["gap", "models:coordination(eta=1/50)", "--agents", "3", "--subsample", "2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["model"] == "coordination(eta=1/50)"
