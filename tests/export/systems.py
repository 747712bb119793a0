"""The systems that are exported, and the files read back with the standard library only."""

from __future__ import annotations

import random
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import pytest

from mfverify import models
from mfverify.model import Model
from tests.agreement.checks import model_of
from tests.oracles import random_instance, tied_instance

SEEDS = range(25)
FAST = 8


def drawn(seed: int) -> tuple[Model, int]:
    """A random model with 2 to 4 agents; every third one is full of ties."""
    rng = random.Random(f"exported {seed}")
    make = tied_instance if seed % 3 == 2 else random_instance
    sizes = rng.randint(1, 3), rng.randint(1, 2), rng.randint(1, 3), rng.randint(1, 2)
    return model_of(make(seed, *sizes)), rng.randint(2, 4 if sizes[2] * sizes[3] < 6 else 2)


LOSSES = Model(
    [[[1]]],
    [[[["1/2", "1/2"], [0, 1]]], [[["1/3", "2/3"], [1, 0]]]],
    [[-3]],
    [[[-1, -2]], [[-2, "-1/2"]]],
    "9/10",
    name="losses",
)
"""Every reward is negative, and so is every value."""

SYSTEMS: dict[str, tuple[Model, int]] = {
    "coordination": (models.coordination(), 5),
    "absorbing": (models.absorbing(), 2),
    "patrol": (models.patrol(), 2),
    "nothing but losses": (LOSSES, 3),
    "one reward": (Model([[[1]]], [[[[1]]]], [[3]], [[[-3]]], "1/2", name="one reward"), 2),
    **{f"seed {seed}": drawn(seed) for seed in SEEDS},
}
"""Thirty models, each with its number of agents."""

EACH = [pytest.param(name, marks=[pytest.mark.slow] if i >= FAST else []) for i, name in enumerate(SYSTEMS)]
"""Their names, for tests; the first few are fast."""


@dataclass(frozen=True)
class Choice:
    """One choice of a .drn file: label, rewards in the order of the header, probabilities of the next states."""

    label: str
    rewards: list[Fraction]
    law: dict[int, Fraction]


@dataclass(frozen=True)
class Read:
    """A .drn file: names of the rewards, labels of each state, choices of each state."""

    rewards: list[str]
    declared: tuple[int, int]
    labels: list[list[str]]
    choices: list[list[Choice]]


def read_drn(path: Path) -> Read:
    """Read the subset of the format that the export uses, by its published grammar and not by looking at the writer."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("//")]
    assert lines[0] == "@type: MDP"
    assert lines[1] == "@value_type: rational"
    header = {name: lines[lines.index(name) + 1] for name in ("@reward_models", "@nr_states", "@nr_choices")}
    labels: list[list[str]] = []
    choices: list[list[Choice]] = []
    for line in map(str.strip, lines[lines.index("@model") + 1 :]):
        word, *rest = line.split(" ", 2)
        if word == "state":
            assert int(rest[0]) == len(labels)
            labels.append(rest[1].split())
            choices.append([])
        elif word == "action":
            choices[-1].append(Choice(rest[0], [Fraction(x) for x in rest[1].strip("[]").split(", ")], {}))
        else:
            target, value = line.split(" : ")
            assert int(target) not in choices[-1][-1].law
            choices[-1][-1].law[int(target)] = Fraction(value)
    return Read(header["@reward_models"].split(), (int(header["@nr_states"]), int(header["@nr_choices"])), labels, choices)
