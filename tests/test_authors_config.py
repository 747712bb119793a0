"""The authors' configuration format: exact laws against hand enumeration, refusals by line, and nothing but ModelError.

Oracles: kernels and values derived by hand, real Python functions called with Fractions, and expressions generated
together with their values.
"""

from __future__ import annotations

import ast
import copy
import inspect
import json
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mfverify
import mfverify.authors_config
from mfverify.authors_config import model_from_config
from mfverify.errors import ModelError
from mfverify.model import Model

F = Fraction
PATROL = Path(next(iter(mfverify.__path__))) / "models" / "patrol_config.json"

SIGNATURES = {
    "global_agent_reward": "global_state, global_action",
    "local_agent_reward": "local_state, global_state, local_action",
    "global_agent_transition": "global_state, global_action",
    "local_agent_transition": "local_state, global_state, local_action",
}


def source(name: str, *body: str) -> list[str]:
    return [f"def {name}({SIGNATURES[name]}):", *(f"    {line}" for line in body)]


def document(**functions: list[Any]) -> dict[str, Any]:
    """A configuration with two states and two actions of each kind, every function constant unless given."""
    return {
        "environment": {
            "global_agent": {"state_space": [0, 1], "action_space": [0, 1]},
            "local_agent": {"state_space": [0, 1], "action_space": [0, 1]},
            "functions": {name: source(name, "return 0") for name in SIGNATURES} | functions,
        },
        "simulation": {"horizon": 10, "discount_factor": F(9, 10)},
    }


def evaluated(expression: str) -> Fraction:
    """The value of an expression without variables, as a global reward."""
    model = model_from_config(document(global_agent_reward=source("global_agent_reward", f"return {expression}")), "test")
    assert len(set(model.global_reward.ravel())) == 1
    value = model.global_reward[0, 0]
    assert isinstance(value, Fraction)
    return value


def issue(config: Any) -> str:
    with pytest.raises(ModelError) as caught:
        model_from_config(config, "test")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500
    return str(caught.value)


# The bundled patrol configuration.


@pytest.fixture(scope="module")
def patrol() -> Model:
    return model_from_config(json.loads(PATROL.read_text(), parse_float=Fraction), "patrol")


def test_patrol_global_kernel_is_the_one_derived_by_hand(patrol: Model) -> None:
    """An order is lost with probability 1/5; strengths are clamped to 0..2; actions are -1, 0, 1."""
    stay, slip = F(1), [F(1, 5), F(4, 5)]
    expected = [
        [[stay, 0, 0], [stay, 0, 0], [slip[0], slip[1], 0]],
        [[slip[1], slip[0], 0], [0, stay, 0], [0, slip[0], slip[1]]],
        [[0, slip[1], slip[0]], [0, 0, stay], [0, 0, stay]],
    ]
    assert patrol.global_kernel.tolist() == expected


def test_patrol_local_kernel_is_the_one_derived_by_hand(patrol: Model) -> None:
    """Trouble with probability 1/4, then settled by ``g`` levels (watch) or by one half of the time (strong patrol alone)."""
    rising = [[F(3, 4), F(1, 4), 0], [0, F(3, 4), F(1, 4)], [0, 0, 1]]
    settled_by_one = [[1, 0, 0], [F(3, 4), F(1, 4), 0], [0, F(3, 4), F(1, 4)]]
    settled_by_two = [[1, 0, 0], [1, 0, 0], [F(3, 4), F(1, 4), 0]]
    half_the_time = [[F(7, 8), F(1, 8), 0], [F(3, 8), F(1, 2), F(1, 8)], [0, F(3, 8), F(5, 8)]]
    by_global_state_and_action = [[rising, rising], [rising, settled_by_one], [half_the_time, settled_by_two]]
    expected = [[[by_global_state_and_action[g][a][s] for a in range(2)] for g in range(3)] for s in range(3)]
    assert patrol.local_kernel.tolist() == expected


def test_patrol_rewards_and_discount_are_the_decimals_written(patrol: Model) -> None:
    assert patrol.global_reward.tolist() == [[-F(3, 10) * g - F(1, 20) * abs(b) for b in (-1, 0, 1)] for g in range(3)]
    assert patrol.local_reward.tolist() == [[[1 - F(s, 2) - F(15, 100) * a for a in range(2)] for _g in range(3)] for s in range(3)]
    assert patrol.discount == F(9, 10)
    assert patrol.name == "patrol"
    assert "3 global actions (-1, 0, 1)" in patrol.documentation
    assert "2 local actions (0, 1)" in patrol.documentation


def test_patrol_needs_its_global_decision(patrol: Model) -> None:
    """With one local agent, no constant global action is within 1/4 of the optimum in any state.

    Value iteration from zero is off by at most gamma^T rt / (1 - gamma) after T steps, on both sides of the difference.
    """
    global_kernel, local_kernel = patrol.floats("global_kernel"), patrol.floats("local_kernel")
    reward = patrol.floats("global_reward")[:, None, :, None] + patrol.floats("local_reward").transpose(1, 0, 2)[:, :, None, :]

    def optimum(allowed: list[int]) -> Any:
        value = np.zeros((3, 3))
        for _ in range(200):
            next_value = np.einsum("gbh,sgat,ht->gsba", global_kernel, local_kernel, value)
            value = (reward + 0.9 * next_value)[:, :, allowed, :].max(axis=(2, 3))
        return value

    error = 2 * 0.9**200 * float(patrol.rt) / 0.1
    best = optimum([0, 1, 2])
    for action in range(3):
        assert (best - optimum([action])).min() > 0.25 + error


# Deterministic functions: called as Python functions with Fractions.


def global_agent_reward(global_state: Any, global_action: Any) -> Any:
    """A docstring, annotations and comments are no code."""
    total: Any
    closeness: int = 3 - abs(global_state - global_action)  # comment
    bonus = total = 0
    if 0 < global_state <= 2 or global_action == -2:
        bonus += closeness // 2
        bonus *= -global_action
    elif not global_state:
        bonus -= global_action % 3
    else:
        pass
    if global_state < -1:
        grade = 1
    elif global_state < 0:
        grade = 2
    elif global_state < 1:
        grade = 3
    else:
        if global_action < 0:
            grade = 4
        else:
            grade = 5
        grade *= 10
    total = closeness / 4 + bonus - grade
    return min(total, 7, max([global_state, -global_action]))


def local_agent_reward(local_state: Any, global_state: Any, local_action: Any) -> Any:
    drift = (local_state - 3 * local_action) / 7
    drift **= 2
    near = local_state == global_state or abs(local_state - global_state) < 2 != local_action
    return (
        int(drift)  # an expression over several lines
        - round(local_action / 2)
        + (drift if near else -drift // 1)
    )


def global_agent_transition(global_state: Any, global_action: Any) -> Any:
    new_state = global_state + global_action
    if new_state > 2:
        return 2
    return -2 if new_state < -2 else new_state


def local_agent_transition(local_state: Any, global_state: Any, local_action: Any) -> Any:
    pull = (global_state - local_state) / 3
    return max(-1, min(1, int(round(local_state + local_action + pull))))


def test_deterministic_functions_agree_with_python_on_fractions() -> None:
    global_states, global_actions = [F(-2), F(2), F(0), F(1), F(-1)], [F(1), F(-2), F(2)]
    local_states, local_actions = [F(0), F(-1), F(1)], [F(-1), F(1, 2), F(0)]
    lines = {
        f.__name__: inspect.getsource(f).splitlines()
        for f in (global_agent_reward, local_agent_reward, global_agent_transition, local_agent_transition)
    }
    config = document(**lines)
    config["environment"]["global_agent"] = {"state_space": global_states, "action_space": global_actions}
    config["environment"]["local_agent"] = {"state_space": local_states, "action_space": local_actions}
    model = model_from_config(config, "test")
    assert model.sizes == (5, 3, 3, 3)
    for (g, x), (b, u) in product(enumerate(global_states), enumerate(global_actions)):
        assert model.global_reward[g, b] == global_agent_reward(x, u)
        assert model.global_kernel[g, b].tolist() == [int(global_agent_transition(x, u) == y) for y in global_states]
    for (s, y), (g, x), (a, u) in product(enumerate(local_states), enumerate(global_states), enumerate(local_actions)):
        assert model.local_reward[s, g, a] == local_agent_reward(y, x, u)
        # half a local action: round(1/2 + ...) is where half-to-even shows
        assert model.local_kernel[s, g, a].tolist() == [int(local_agent_transition(y, x, u) == z) for z in local_states]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("0.1", F(1, 10)),
        ("0.1 + 0.2 == 0.3", F(1)),
        ("1e-2 + .5 + 5.", F(551, 100)),
        ("1_0.2_5", F(41, 4)),
        ("2.5E+1", F(25)),
        ("0x10 + 0b11 + 1_000", F(1019)),
        ("-7 // 2", F(-4)),
        ("-7 % 3", F(2)),
        ("7 % -3", F(-2)),
        ("7.5 % 2", F(3, 2)),
        ("7 / 2", F(7, 2)),
        ("int(-1.5)", F(-1)),
        ("int(1.9)", F(1)),
        ("round(0.5)", F(0)),
        ("round(1.5)", F(2)),
        ("round(2.5)", F(2)),
        ("round(-2.5)", F(-2)),
        ("round(2.51)", F(3)),
        ("round(0.125, 2)", F(12, 100)),
        ("round(1250, -2)", F(1200)),
        ("abs(-0.25)", F(1, 4)),
        ("min(3, 1.5, 2)", F(3, 2)),
        ("max([1, 2.5])", F(5, 2)),
        ("min([7])", F(7)),
        ("-2 ** 2", F(-4)),
        ("2 ** 3 ** 2", F(512)),
        ("2 ** -1", F(1, 2)),
        ("0.5 ** 2.0", F(1, 4)),
        ("0 ** 0", F(1)),
        ("+3 - -4", F(7)),
        ("1 < 2 < 2", F(0)),
        ("1 < 2 <= 2 != 3", F(1)),
        ("2 > 1 == 1", F(1)),
        ("0 and 1 / 0", F(0)),
        ("2 or 1 / 0", F(2)),
        ("1 and 3", F(3)),
        ("0 or 0.0", F(0)),
        ("3 > 4 > 1 / 0", F(0)),
        ("not 0.5", F(0)),
        ("not False", F(1)),
        ("True + True", F(2)),
        ("3 if 0 else 4", F(4)),
        ("3 if 0.1 else 1 / 0", F(3)),
        ("0.7 - 0.1 * 7", F(0)),
        ("1 if 0 else 2 if 0 else 3", F(3)),
    ],
)
def test_expressions_follow_python_on_rationals(expression: str, value: Fraction) -> None:
    assert evaluated(expression) == value


def combined(children: st.SearchStrategy[tuple[str, Fraction]]) -> st.SearchStrategy[tuple[str, Fraction]]:
    """Expressions together with their values, each built from smaller ones."""
    pairs = st.tuples(children, children)
    triples = st.tuples(children, children, children)
    return st.one_of(
        pairs.map(lambda p: (f"({p[0][0]} + {p[1][0]})", p[0][1] + p[1][1])),
        pairs.map(lambda p: (f"({p[0][0]} - {p[1][0]})", p[0][1] - p[1][1])),
        pairs.map(lambda p: (f"({p[0][0]} * {p[1][0]})", p[0][1] * p[1][1])),
        pairs.filter(lambda p: p[1][1] != 0).map(lambda p: (f"({p[0][0]} / {p[1][0]})", p[0][1] / p[1][1])),
        pairs.filter(lambda p: p[1][1] != 0).map(lambda p: (f"({p[0][0]} // {p[1][0]})", F(p[0][1] // p[1][1]))),
        pairs.filter(lambda p: p[1][1] != 0).map(lambda p: (f"({p[0][0]} % {p[1][0]})", p[0][1] % p[1][1])),
        pairs.map(lambda p: (f"({p[0][0]} < {p[1][0]})", F(p[0][1] < p[1][1]))),
        pairs.map(lambda p: (f"({p[0][0]} and {p[1][0]})", p[0][1] and p[1][1])),
        pairs.map(lambda p: (f"({p[0][0]} or {p[1][0]})", p[0][1] or p[1][1])),
        pairs.map(lambda p: (f"min({p[0][0]}, {p[1][0]})", min(p[0][1], p[1][1]))),
        pairs.map(lambda p: (f"max([{p[0][0]}, {p[1][0]}])", max(p[0][1], p[1][1]))),
        triples.map(lambda t: (f"({t[0][0]} if {t[1][0]} else {t[2][0]})", t[0][1] if t[1][1] else t[2][1])),
        triples.map(lambda t: (f"({t[0][0]} <= {t[1][0]} > {t[2][0]})", F(t[0][1] <= t[1][1] > t[2][1]))),
        children.map(lambda e: (f"-{e[0]}", -e[1])),
        children.map(lambda e: (f"(not {e[0]})", F(not e[1]))),
        children.map(lambda e: (f"abs({e[0]})", abs(e[1]))),
        children.map(lambda e: (f"int({e[0]})", F(int(e[1])))),
        children.map(lambda e: (f"round({e[0]})", F(round(e[1])))),
    )


LITERALS = st.one_of(
    st.integers(0, 9).map(lambda i: (str(i), F(i))),
    st.integers(0, 999).map(lambda i: (f"{i // 100}.{i % 100:02}", F(i, 100))),
)


@settings(deadline=None)
@given(st.recursive(LITERALS, combined, max_leaves=12))
def test_generated_expressions_have_the_value_they_were_built_with(expression: tuple[str, Fraction]) -> None:
    assert evaluated(expression[0]) == expression[1]


# Random transitions: laws enumerated by hand, over the states 0, 1, 2.


@pytest.mark.parametrize(
    ("body", "law"),
    [
        (["return 1 if random.random() < 0.3 else 0"], ["7/10", "3/10", "0"]),
        (["return 1 if random.random() <= 0.3 else 0"], ["7/10", "3/10", "0"]),
        (["return 1 if random.random() > 0.3 else 0"], ["3/10", "7/10", "0"]),
        (["return 1 if random.random() >= 0.3 else 0"], ["3/10", "7/10", "0"]),
        (["return 1 if 0.3 < random.random() else 0"], ["3/10", "7/10", "0"]),
        (["return 1 if 0.3 >= random.random() else 0"], ["7/10", "3/10", "0"]),
        (["return random.random() < 1.5"], ["0", "1", "0"]),
        (["return random.random() < -1"], ["1", "0", "0"]),
        (["return random.random() > 1"], ["1", "0", "0"]),
        (["return 7 if random.random() < 0 else 1"], ["0", "1", "0"]),
        (["return not random.random() < 1 / 3"], ["1/3", "2/3", "0"]),
        (["return random.random() < 0.5 and random.random() < 1 / 3"], ["5/6", "1/6", "0"]),
        (["return random.random() < 0.5 or random.random() < 1 / 3"], ["1/3", "2/3", "0"]),
        (["return (random.random() < 0.5) + (random.random() < 0.5)"], ["1/4", "1/2", "1/4"]),
        (["x = random.random() < 0.5", "return x + x"], ["1/2", "0", "1/2"]),
        (["return random.choice([0, 0, 1])"], ["2/3", "1/3", "0"]),
        (["return random.choice([0, random.choice([1, 2])])"], ["1/2", "1/4", "1/4"]),
        (["return random.choice([0, 1]) * random.choice([1, 2])"], ["1/2", "1/4", "1/4"]),
        (["return random.random() < random.choice([0.2, 0.6])"], ["3/5", "2/5", "0"]),
        (
            ["if random.random() < 0.2:", "    return 2", "elif random.random() < 0.5:", "    return 1", "return 0"],
            ["2/5", "2/5", "1/5"],
        ),
        (
            # up with 1/10, down with 1/10, clamped, then a coin that only 2 tosses
            [
                "here = 1",
                "if random.random() < 0.2:",
                "    step = random.choice([-1, 1])",
                "    here += step",
                "if here == 2:",
                "    here = 2 if random.random() < 0.5 else 0",
                "return max(0, min(2, here))",
            ],
            ["3/20", "4/5", "1/20"],
        ),
    ],
)
def test_random_transitions_have_the_law_enumerated_by_hand(body: list[str], law: list[str]) -> None:
    config = document(local_agent_transition=source("local_agent_transition", "import random", *body))
    config["environment"]["local_agent"]["state_space"] = [0, 1, 2]
    model = model_from_config(config, "test")
    assert [list(map(str, model.local_kernel[index])) for index in np.ndindex(3, 2, 2)] == [law] * 12


def test_a_probability_may_depend_on_the_arguments() -> None:
    body = ("import random", "return random.random() < 0.25 * (1 + global_state + 2 * global_action)")
    model = model_from_config(document(global_agent_transition=source("global_agent_transition", *body)), "test")
    assert model.global_kernel[:, :, 1].tolist() == [[F(1, 4), F(3, 4)], [F(1, 2), F(1)]]


def test_a_long_chain_of_elif_is_read() -> None:
    chain = [line for i in range(200) for line in (f"{'el' if i else ''}if global_state == {i + 1}:", f"    return {i}")]
    model = model_from_config(document(global_agent_reward=source("global_agent_reward", *chain, "else:", "    return 0.5")), "test")
    assert model.global_reward.tolist() == [[F(1, 2), F(1, 2)], [F(0), F(0)]]


def test_numbers_of_the_document_are_the_decimals_they_are_printed_as() -> None:
    config = document(local_agent_transition=source("local_agent_transition", "return 0.1 if local_state == 0.3 else 0.3"))
    config["environment"]["local_agent"]["state_space"] = [0.3, F(1, 10)]
    config["simulation"]["discount_factor"] = 0.9
    model = model_from_config(config, "test")
    assert model.discount == F(9, 10)
    assert model.local_kernel[:, 0, 0].tolist() == [[0, 1], [1, 0]]


# Refusals.

REFUSED = [
    ("x = open('f')", "'open' may not be called; allowed are abs, min, max, round, int, random.random() < p and random.choice([...])"),
    ("x = __import__('os')", "'__import__' may not be called"),
    ("x = eval('1')", "'eval' may not be called"),
    ("x = exec('1')", "'exec' may not be called"),
    ("x = float(1)", "'float' may not be called"),
    ("x = random.randint(0, 1)", "'random.randint' may not be called"),
    ("x = random.seed(0)", "'random.seed' may not be called"),
    ("x = random.random().real", "is not allowed"),
    ("x = local_state.real", "'local_state.real' is not allowed"),
    ("x = local_state.__class__.__bases__", "is not allowed"),
    ("x = (lambda: 1)()", "may not be called"),
    ("x = lambda: 1", "'lambda: 1' is not allowed"),
    ("x = [i for i in [1]]", "is not allowed"),
    ("x = sum(i for i in [1])", "'sum' may not be called"),
    ("x = {1: 2}", "is not allowed"),
    ("x = {1, 2}", "is not allowed"),
    ("x = [1, 2]", "is not allowed"),
    ("x = (1, 2)", "is not allowed"),
    ("x = [1, 2][0]", "is not allowed"),
    ("x = local_state[0]", "is not allowed"),
    ("x = (y := 1)", "'y := 1' is not allowed"),
    ("x = f'{local_state}'", "is not allowed"),
    ("x = 'text'", "is not a number"),
    ("x = b'text'", "is not a number"),
    ("x = None", "'None' is not a number"),
    ("x = ...", "is not a number"),
    ("x = 1j", "'1j' is not a number"),
    ("x = max(*[1, 2])", "has the wrong arguments"),
    ("x = max(1, *[2])", "'*[2]' is not allowed"),
    ("x = max([*[1, 2]])", "is not allowed"),
    ("x = max(1, 2, key=abs)", "has the wrong arguments"),
    ("x = max(1)", "has the wrong arguments"),
    ("x = max([])", "has the wrong arguments"),
    ("x = min([1], [2])", "'[1]' is not allowed"),
    ("x = abs()", "has the wrong arguments"),
    ("x = int(1, 2)", "has the wrong arguments"),
    ("x = round(1, ndigits=1)", "has the wrong arguments"),
    ("x = round(1, 0.5)", "cannot round to 1/2 digits"),
    ("x = abs", "'abs' is not a variable"),
    ("x = random", "'random' is not a variable"),
    ("x = __builtins__", "'__builtins__' is not a variable"),
    ("x = unknown + 1", "'unknown' is not a variable"),
    ("x = later; later = 1", "'later' is used before it is assigned"),
    ("random = 1", "'random' may not be assigned"),
    ("abs = 1", "'abs' may not be assigned"),
    ("x, y = 1, 2", "'x, y' may not be assigned"),
    ("x.y = 1", "'x.y' may not be assigned"),
    ("x[0] = 1", "'x[0]' may not be assigned"),
    ("x.y: int = 1", "'x.y' may not be assigned"),
    ("x = 1 is 1", "comparisons are == != < <= > >="),
    ("x = 1 in [1]", "comparisons are == != < <= > >="),
    ("x = ~1", "is not allowed"),
    ("x = 1 @ 2", "arithmetic is + - * / // % **"),
    ("x = 1 << 2", "arithmetic is + - * / // % **"),
    ("x = 1; x |= 2", "arithmetic is + - * / // % **"),
    ("while True: pass", "'while True: pass' is not allowed; allowed are assignments to names"),
    ("for i in [1]: pass", "is not allowed"),
    ("class X: pass", "is not allowed"),
    ("def f(): pass", "is not allowed"),
    ("async def f(): pass", "is not allowed"),
    ("with x: pass", "is not allowed"),
    ("global x", "'global x' is not allowed"),
    ("nonlocal x", "is not allowed"),
    ("del local_state", "is not allowed"),
    ("assert 1", "is not allowed"),
    ("raise 1", "is not allowed"),
    ("yield 1", "is not allowed"),
    ("x = yield", "is not allowed"),
    ("x = await 1", "is not allowed"),
    ("abs(1)", "is not allowed"),
    ("x = 1; 'text in the middle'", "is not allowed"),
    ("import os", "'import os' is not allowed; the only import is 'import random'"),
    ("import random as r", "the only import is"),
    ("import random, os", "the only import is"),
    ("import random.os", "the only import is"),
    ("from random import random", "the only import is"),
    ("from os import *", "the only import is"),
    ("return", "a return without a value"),
    ("x = 1 / 0", "division by zero (for local_state=0, global_state=0, local_action=0)"),
    ("x = 1 % local_state", "division by zero"),
    ("x = 1 // 0.0", "division by zero"),
    ("x = 0 ** -1", "division by zero"),
    ("x = 2 ** 0.5", "the exponent 1/2 is not an integer"),
    ("x = 10 ** 10 ** 10", "the exponent 10000000000 is too large"),
    ("x = 1 ** 10 ** 300", "is too large"),
    ("x = 2 ** 1024", "more than 1024 bits"),
    ("x = 2 ** 1025", "the exponent 1025 is too large"),
    ("x = 2 ** 1000 * 2 ** 1000", "more than 1024 bits"),
    ("x = 1e999999999999", "the exponent of '1e999999999999' is too large"),
    ("x = 1e9999", "more than 1024 bits"),
    ("x = 1e-9999", "more than 1024 bits"),
    ("x = 0x" + "f" * 300, "more than 1024 bits"),
    ("x = " + "9" * 5000, "is not Python"),
    ("x = 1 +", "is not Python"),
    ("x = (1", "is not Python"),
    ("x = 'open", "is not Python"),
    ("x = $", "is not Python"),
    ("        x = 1", "is not Python"),
    ("x = 1\n", "holds a line break"),
    ("x = 1\0", "character that is no text"),
    ("x = 1 # \ud800", "character that is no text"),
]


@pytest.mark.parametrize(("line", "expected"), REFUSED, ids=[line[:40].encode("ascii", "backslashreplace").decode() for line, _ in REFUSED])
def test_what_is_outside_the_language_is_refused_by_line(line: str, expected: str) -> None:
    lines = source("local_agent_transition", "# a comment", "", line, "return 0")
    message = issue(document(local_agent_transition=lines))
    assert message.startswith("environment.functions.local_agent_transition, line ")
    assert expected in message
    if "is not Python" not in expected:
        assert message.startswith("environment.functions.local_agent_transition, line 4: ")


@pytest.mark.parametrize(
    "block",
    [
        ["try:", "    x = 1", "except:", "    x = 2"],
        ["match local_state:", "    case 0:", "        x = 1"],
        ["for i in [1]:", "    x = 1", "else:", "    x = 2"],
        ["def inner():", "    return 1"],
        ["with open('f') as x:", "    pass"],
    ],
)
def test_compound_statements_other_than_if_are_refused(block: list[str]) -> None:
    message = issue(document(local_agent_transition=source("local_agent_transition", *block, "return 0")))
    assert message.startswith(f"environment.functions.local_agent_transition, line 2: {block[0]!r} is not allowed; allowed are ")


@pytest.mark.parametrize("line", ["x = eval('1')", "while True: pass", "x = unknown"])
def test_refused_even_where_it_is_never_reached(line: str) -> None:
    lines = source("local_agent_transition", "if 1 < 0:", f"    {line}", "return 0", line)
    assert "local_agent_transition, line 3: " in issue(document(local_agent_transition=lines))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("x = random.random()", "random.random() may only be compared with a number"),
        ("x = random.random() * 2 < 1", "random.random() may only be compared with a number"),
        ("x = random.random() if local_state else 0", "random.random() may only be compared with a number"),
        ("x = not random.random()", "random.random() may only be compared with a number"),
        ("x = 0.2 < random.random() < 0.4", "random.random() may only be compared with a number"),
        ("x = random.random() < random.random()", "random.random() may only be compared with a number"),
        ("x = random.random() == 0.5", "compare random.random() with a number by"),
        ("x = random.random() != 0.5", "compare random.random() with a number by"),
        ("x = random.random(1) < 0.5", "compare random.random() with a number by"),
        ("x = random.choice([])", "write random.choice([x, y, ...])"),
        ("x = random.choice((0, 1))", "write random.choice([x, y, ...])"),
        ("x = random.choice(local_state)", "write random.choice([x, y, ...])"),
        ("x = random.choice([0], 1)", "write random.choice([x, y, ...])"),
        ("x = random.choice(seq=[0])", "write random.choice([x, y, ...])"),
        ("x = random.choice([*[0]])", "is not allowed"),
    ],
)
def test_random_draws_without_a_finite_law_are_refused(line: str, expected: str) -> None:
    message = issue(document(local_agent_transition=source("local_agent_transition", "import random", line, "return 0")))
    assert message.startswith("environment.functions.local_agent_transition, line 3: ")
    assert expected in message


@pytest.mark.parametrize("draw", ["random.random() < 0.5", "random.choice([0, 1])"])
def test_random_needs_its_import_before(draw: str) -> None:
    for lines in (
        [f"return {draw}"],
        ["if local_action:", "    import random", f"return {draw}"],
        [f"x = {draw}", "import random", "return x"],
    ):
        assert "random is used before it is imported" in issue(document(local_agent_transition=source("local_agent_transition", *lines)))


@pytest.mark.parametrize("draw", ["random.random() < 0.5", "random.choice([1, 1])"])
@pytest.mark.parametrize("name", ["global_agent_reward", "local_agent_reward"])
def test_a_random_reward_is_refused(name: str, draw: str) -> None:
    message = issue(document(**{name: source(name, "import random", f"return {draw}")}))
    assert message == f"environment.functions.{name}, line 3: a random reward is not supported; return its expected value"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], "found an empty list, expected a list of source lines"),
        ([""], "line 1: found no code"),
        (["# nothing"], "line 1: found no code"),
        ([7], "line 1: found int, expected one line of source text"),
        (["def global_agent_reward(global_state, global_action):\n    return 0"], "line 1: the entry holds a line break"),
        (["def other(global_state, global_action):", "    return 0"], "line 1: found"),
        (
            ["def global_agent_reward(global_action, global_state):", "    return 0"],
            "expected 'def global_agent_reward(global_state, global_action):'",
        ),
        (["def global_agent_reward(global_state):", "    return 0"], "without defaults, stars or decorators"),
        (["def global_agent_reward(global_state, global_action=0):", "    return 0"], "without defaults, stars or decorators"),
        (["def global_agent_reward(global_state, global_action, *more):", "    return 0"], "without defaults, stars or decorators"),
        (["def global_agent_reward(global_state, global_action, **more):", "    return 0"], "without defaults, stars or decorators"),
        (["def global_agent_reward(global_state, /, global_action):", "    return 0"], "without defaults, stars or decorators"),
        (["def global_agent_reward(global_state, global_action, *, x):", "    return 0"], "without defaults, stars or decorators"),
        (
            ["@staticmethod", "def global_agent_reward(global_state, global_action):", "    return 0"],
            "without defaults, stars or decorators",
        ),
        (["async def global_agent_reward(global_state, global_action):", "    return 0"], "line 1: found"),
        (["import random", "def global_agent_reward(global_state, global_action):", "    return 0"], "line 1: found 'import random'"),
        ([*source("global_agent_reward", "return 0"), "global_agent_reward = 1"], "line 3: found 'global_agent_reward = 1'"),
        ([*source("global_agent_reward", "return 0"), *source("global_agent_reward", "return 1")], "line 3: found"),
        (["lambda: 0"], "line 1: found 'lambda: 0'"),
        (source("global_agent_reward", "'only a docstring'"), "line 2: the function ends without a return"),
        (
            source("global_agent_reward", "if global_state == 0:", "    return 1"),
            "line 3: the function ends without a return; return a number on every path",
        ),
        (source("global_agent_reward", *["x = 1"] * 500, "return 0"), "more than 500 lines or 32768 characters"),
        (source("global_agent_reward", f"return 0  # {'x' * 40_000}"), "more than 500 lines or 32768 characters"),
    ],
)
def test_a_list_that_is_not_the_function_is_refused(lines: list[Any], expected: str) -> None:
    message = issue(document(global_agent_reward=lines))
    assert message.startswith("environment.functions.global_agent_reward")
    assert expected in message


@pytest.mark.parametrize(
    "expression",
    [
        "(" * 60 + "1" + ")" * 60,
        "(" * 5000 + "1" + ")" * 5000,
        "(" * 5000,
        "[" * 5000,
        "max(1, " * 55 + "1" + ")" * 55,
        "-" * 900 + "1",
        "-" * 30_000 + "1",
        "not " * 900 + "1",
        "not " * 8000 + "1",
        "1" + " + 1" * 400,
        "1" + " + 1" * 8000,
        "1" + " ** 1" * 100,
        "1" + " ** 1" * 5000,
        "1 if 0 else " * 100 + "1",
        "1 if 0 else " * 2500 + "1",
        "lambda: " * 400 + "1",
        "lambda: " * 4000 + "1",
        "x" + ".a" * 400,
        "x" + ".a" * 15_000,
        "x" + "[0]" * 300,
        "f" + "()" * 300,
        "f'" + "{" * 2000,
    ],
    ids=lambda text: f"{text[:12]}x{len(text)}",
)
def test_deep_nesting_is_refused(expression: str) -> None:
    assert "environment.functions.global_agent_reward, line " in issue(
        document(global_agent_reward=source("global_agent_reward", f"return {expression}"))
    )


def test_deep_blocks_are_refused() -> None:
    for depth in (60, 150):
        blocks = [" " * i + "if 1:" for i in range(depth)]
        assert "nested brackets and blocks" in issue(
            document(global_agent_reward=source("global_agent_reward", *blocks, " " * depth + "return 1"))
        )


def test_depth_within_the_bounds_is_read() -> None:
    """A value 55 levels deep inside 45 blocks: no bound is reached, nor is the interpreter's stack."""
    blocks = [" " * i + "if 1:" for i in range(45)]
    lines = source("global_agent_reward", *blocks, " " * 45 + "return 1" + " + 1" * 54, "return 0")
    assert model_from_config(document(global_agent_reward=lines), "test").global_reward[0, 0] == 55


@pytest.mark.slow
def test_too_many_random_outcomes_are_refused() -> None:
    body = ["import random", "x = 0", *["x += random.choice([0, 0, 0, 0, 0, 0, 0, 0])"] * 20, "return x"]
    assert "combinations of arguments and random outcomes" in issue(
        document(local_agent_transition=source("local_agent_transition", *body))
    )


def test_probabilities_too_long_to_be_added_up_are_refused() -> None:
    """One run of 300 draws, and a sum over many denominators that share no factor."""
    many = ["import random", *["x = random.random() < 1 / 3 ** 50"] * 300, "return 0"]
    coprime = ["import random", f"x = random.choice({list(range(2, 60))})", "return random.random() < 1 / (2 ** 250 + 2 * x + 1)"]
    assert "the probability of a run has more than 4096 bits" in issue(
        document(local_agent_transition=source("local_agent_transition", *many))
    )
    assert "a probability has more than 4096 bits" in issue(document(local_agent_transition=source("local_agent_transition", *coprime)))


def test_spaces_too_large_to_tabulate_are_refused() -> None:
    config = document()
    config["environment"]["local_agent"]["state_space"] = list(range(2000))
    assert issue(config).startswith("environment.local_agent: the kernel has 16000000 entries")


def test_a_next_state_outside_the_space_is_refused_with_its_arguments() -> None:
    message = issue(document(global_agent_transition=source("global_agent_transition", "return global_state + global_action / 2")))
    assert message == (
        "environment.functions.global_agent_transition: the next state for global_state=0, global_action=1 is 1/2,"
        " which is not in environment.global_agent.state_space (0, 1); clamp or round it to one of these"
    )


def changed(path: str, value: Any) -> dict[str, Any]:
    config: dict[str, Any] = copy.deepcopy(document())
    *parents, last = path.split(".")
    table = config
    for key in parents:
        table = table[key]
    if value is KeyError:
        del table[last]
    else:
        table[last] = value
    return config


ENTRIES = [
    "environment",
    "environment.global_agent",
    "environment.local_agent",
    "environment.functions",
    "simulation",
    "environment.global_agent.state_space",
    "environment.global_agent.action_space",
    "environment.local_agent.state_space",
    "environment.local_agent.action_space",
    "simulation.discount_factor",
    *(f"environment.functions.{name}" for name in SIGNATURES),
]


@pytest.mark.parametrize("path", ENTRIES)
def test_missing_and_mistyped_entries_are_named(path: str) -> None:
    assert issue(changed(path, KeyError)).startswith(f"{path}: missing key, expected ")
    for value, shown in ((None, "None"), ("text", "'text'"), (True, "True"), ({1} if "discount" in path else 3, None)):
        message = issue(changed(path, value))
        assert message.startswith(f"{path}: found {shown or ''}")
        assert "(and " not in message  # one mistake, one issue


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("environment.local_agent.state_space", [], "environment.local_agent.state_space: found an empty list"),
        ("environment.local_agent.state_space", [0, 1, 0], "environment.local_agent.state_space[2]: found 0, which is already listed at [0]"),
        (
            "environment.local_agent.state_space",
            [0, 0.5, F(1, 2)],
            "environment.local_agent.state_space[2]: found 1/2, which is already listed at [1]",
        ),
        (
            "environment.global_agent.action_space",
            [0, True],
            "environment.global_agent.action_space[1]: found True, expected a finite number",
        ),
        (
            "environment.global_agent.action_space",
            [0, "1"],
            "environment.global_agent.action_space[1]: found '1', expected a finite number",
        ),
        (
            "environment.global_agent.action_space",
            [0, [1]],
            "environment.global_agent.action_space[1]: found list, expected a finite number",
        ),
        ("environment.global_agent.action_space", [float("nan")], "environment.global_agent.action_space[0]: found nan"),
        ("environment.global_agent.action_space", [float("inf")], "environment.global_agent.action_space[0]: found inf"),
        (
            "environment.global_agent.action_space",
            [10**5000],
            "environment.global_agent.action_space[0]: found a number of more than 1024 bits",
        ),
        ("simulation.discount_factor", 1, "simulation.discount_factor: found 1, expected a number strictly between 0 and 1"),
        ("simulation.discount_factor", 0.0, "simulation.discount_factor: found 0, expected a number strictly between 0 and 1"),
        ("simulation.discount_factor", "0.9", "simulation.discount_factor: found '0.9', expected a finite number"),
        ("environment.functions.helper", [], "environment.functions: unknown key 'helper'; the keys are global_agent_reward"),
        ("environment.wind", 1, "environment: unknown key 'wind'"),
        ("environment.global_agent.start", 1, "environment.global_agent: unknown key 'start'"),
    ],
)
def test_values_out_of_range_are_named(path: str, value: Any, expected: str) -> None:
    assert issue(changed(path, value)).startswith(expected)


@pytest.mark.parametrize("nothing", [None, [], "text", 3, {}])
def test_a_document_that_is_no_configuration_is_refused(nothing: Any) -> None:
    assert "environment" in issue(nothing)


def test_every_issue_is_listed() -> None:
    config = document(
        global_agent_reward=source("global_agent_reward", "return open"), local_agent_reward=source("local_agent_reward", "return [0]")
    )
    config["simulation"]["discount_factor"] = 2
    with pytest.raises(ModelError) as caught:
        model_from_config(config, "test")
    assert [text.split(":")[0] for text in caught.value.issues] == [
        "environment.functions.global_agent_reward, line 2",
        "environment.functions.local_agent_reward, line 2",
        "simulation.discount_factor",
    ]


def test_what_the_model_does_not_depend_on_is_ignored() -> None:
    config = document() | {"visualization": {"save_plot": True}}
    config["simulation"] |= {"num_local_agents": "many", "training_steps": None}
    assert model_from_config(config, "test") == model_from_config(document(), "test")


def test_the_reader_has_no_way_to_execute_text() -> None:
    tree = ast.parse(inspect.getsource(mfverify.authors_config))
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} | {
        node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)
    }
    assert "parse" in names  # ast.parse, so that the walk is known to see names
    assert not names & {"eval", "exec", "__import__", "import_module", "literal_eval", "getattr", "globals", "__builtins__"}
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == "compile"]


# Nothing but ModelError comes out.


def only_model_errors(config: Any) -> None:
    """Read a configuration; a ModelError is one line that says something, and any other exception fails the test."""
    try:
        model = model_from_config(config, "fuzz")
    except ModelError as error:
        assert str(error)
        assert "\n" not in str(error)
    else:
        assert isinstance(model, Model)


SEED = source(
    "local_agent_transition",
    "import random",
    "step = local_action if random.random() < 0.2 else -1  # slip",
    "if not 0 <= local_state + step <= 1 or global_state == 1.0:",
    "    step = random.choice([0, 1]) * 2 ** 1 // 3 % 2",
    "return max(0, min([1, int(round(abs(local_state + step)))]))",
)
WORDS = "if else elif return lambda while for in is not and or def import random choice 1 0.5 1e9 10**9 x _"
TOKENS = [*WORDS.split(), *".,:;()[]{}'\"\\#@\t ", ":=", "=", "+=", "**", "//", "%"]


@settings(deadline=None, max_examples=200)
@given(st.lists(st.text(max_size=40), max_size=6))
def test_arbitrary_text_gives_a_model_error_or_a_model(lines: list[str]) -> None:
    only_model_errors(document(local_agent_transition=lines))
    only_model_errors(document(local_agent_transition=source("local_agent_transition", *lines, "return 0")))


@settings(deadline=None, max_examples=400)
@given(st.data())
@pytest.mark.slow
def test_mutated_functions_give_a_model_error_or_a_model(data: st.DataObject) -> None:
    lines = list(SEED)
    for _ in range(data.draw(st.integers(1, 4))):
        i = data.draw(st.integers(0, len(lines) - 1))
        start = data.draw(st.integers(0, len(lines[i])))
        end = data.draw(st.integers(start, min(len(lines[i]), start + 8)))
        lines[i] = lines[i][:start] + data.draw(st.sampled_from(TOKENS)) * data.draw(st.sampled_from([0, 1, 1, 1, 2, 60])) + lines[i][end:]
    only_model_errors(document(local_agent_transition=lines))


def test_the_seed_of_the_mutations_is_a_model() -> None:
    assert model_from_config(document(local_agent_transition=SEED), "seed").sizes == (2, 2, 2, 2)


JSON_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.fractions(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=8,
)


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(ENTRIES), JSON_VALUES)
def test_arbitrary_entries_give_a_model_error_or_a_model(path: str, value: Any) -> None:
    only_model_errors(changed(path, value))
    only_model_errors(value)
