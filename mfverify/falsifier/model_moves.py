"""Random models, small changes of a model, and ways to make a model simpler."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from mfverify.errors import ModelError
from mfverify.falsifier.templates import DISCOUNTS, SCALES
from mfverify.model import ARRAYS, Model

Parts = dict[str, Any]
"""The arrays of a model and its discount, to be changed one by one."""


def parts_of(model: Model) -> Parts:
    """Writable copies of the arrays, and the discount."""
    return {name: getattr(model, name).copy() for name in ARRAYS} | {"discount": model.discount}


def assembled(parts: Parts) -> Model | None:
    """A model from its parts, named after its content; None where they are no model (a discount that left its range, say)."""
    numbers = [x for part in parts.values() for x in np.asarray(part, dtype=object).ravel()]
    digest = hashlib.sha256(" ".join(map(str, numbers)).encode()).hexdigest()
    try:
        return Model(**parts, name=f"found-{digest[:8]}")
    except ModelError:
        return None


def _row(rng: random.Random, size: int) -> list[Fraction]:
    """A distribution: certain, a fair coin, or in quarters."""
    row = [Fraction(0)] * size
    for share in rng.choice(((1,), (1,), (Fraction(1, 2),) * 2, (Fraction(1, 4), Fraction(3, 4)))):
        row[rng.randrange(size)] += share
    return row


def random_model(rng: random.Random, sizes: tuple[int, int, int, int], scaled: bool) -> Model:
    """A model with rows of few numbers and rewards in quarters or signs; ``scaled``: all rewards times a number from a ladder.

    Every second model lets the global agent pick its next state: one of the last ones where it has fewer actions, so that the first ones are
    left at once and forever. Every second one has local kernels that do not depend on the global state: agents are then coupled by rewards alone.
    """
    global_states, global_actions, local_states, local_actions = sizes
    picks, uncoupled, signs = rng.random() < 0.5, rng.random() < 0.5, rng.random() < 0.5
    scale = rng.choice(SCALES) if scaled else Fraction(1)
    first = max(0, global_states - global_actions)

    def reward() -> Fraction:
        return scale * (rng.choice((-1, 0, 1)) if signs else Fraction(rng.randint(-4, 4), 4))

    global_kernel = [
        [
            [Fraction(int(h == (first + b) % global_states)) for h in range(global_states)] if picks else _row(rng, global_states)
            for b in range(global_actions)
        ]
        for _ in range(global_states)
    ]
    moves = [
        [[_row(rng, local_states) for _ in range(local_actions)] for _ in range(1 if uncoupled else global_states)]
        for _ in range(local_states)
    ]
    with_global_reward = rng.random() < 0.25
    made = assembled(
        {
            "global_kernel": global_kernel,
            "local_kernel": [by_global * (global_states if uncoupled else 1) for by_global in moves],
            "global_reward": [[reward() / 4 if with_global_reward else 0 for _ in range(global_actions)] for _ in range(global_states)],
            "local_reward": [[[reward() for _ in range(local_actions)] for _ in range(global_states)] for _ in range(local_states)],
            "discount": rng.choice(DISCOUNTS),
        }
    )
    assert made is not None
    return made


def changed(model: Model, rng: random.Random) -> Model | None:
    """The model after one to three random small changes of rewards, rows, scale or discount; None if that is no model.

    What is symmetric may have to stay so: one of the changes multiplies all local rewards of one size.
    """
    parts = parts_of(model)
    for _ in range(rng.choice((1, 1, 2, 3))):
        what = rng.choice(
            ("local_reward",) * 3 + ("size", "size", "local_kernel", "global_kernel", "global_reward", "scale", "discount", "discount")
        )
        if what == "discount":
            parts["discount"] = _other_discount(parts["discount"], rng)
        elif what == "size":
            sizes = abs(parts["local_reward"])
            chosen = sizes == rng.choice(sorted(set(sizes.ravel())))
            parts["local_reward"][chosen] *= rng.choice((Fraction(1, 4), Fraction(1, 2), Fraction(2), Fraction(4)))
        elif what == "scale":
            factor = rng.choice((Fraction(1, 2), Fraction(2), Fraction(1, 8), Fraction(8)))
            parts["global_reward"], parts["local_reward"] = parts["global_reward"] * factor, parts["local_reward"] * factor
        elif what.endswith("kernel"):
            index = tuple(rng.randrange(size) for size in parts[what].shape[:-1])
            parts[what][index] = _row(rng, parts[what].shape[-1])
        else:
            index = tuple(rng.randrange(size) for size in parts[what].shape)
            x, most = parts[what][index], model.rt or Fraction(1)
            parts[what][index] = rng.choice((Fraction(0), most, -most, -x, x / 2, x * 2, x + most / 8, x - most / 8))
    return assembled(parts)


def _other_discount(discount: Fraction, rng: random.Random) -> Fraction:
    """A neighbour in the ladder, or half way to it."""
    nearest = min(range(len(DISCOUNTS)), key=lambda i: abs(DISCOUNTS[i] - discount))
    other = DISCOUNTS[max(0, min(len(DISCOUNTS) - 1, nearest + rng.choice((-1, 1))))]
    return rng.choice((other, (discount + other) / 2))


def untied(model: Model) -> Iterator[Model]:
    """The model with every local reward changed by a little, at random: of actions that were equally good one is then better.

    By at most 2**-10 of the largest stage reward, then by less; each twice. A function of the model.
    """
    rng = random.Random(model.fingerprint)
    for bits in (10, 14, 20):
        for _ in range(2):
            parts = parts_of(model)
            for index in np.ndindex(model.local_reward.shape):
                parts["local_reward"][index] += model.rt * Fraction(rng.randint(-8, 8), 8 * 2**bits)
            made = assembled(parts)
            if made is not None and made != model:
                yield made


def tuned(model: Model) -> Iterator[Model]:
    """The same model with other discounts and scales: what a smaller system may need to stay violated."""
    nearest = min(range(len(DISCOUNTS)), key=lambda i: abs(DISCOUNTS[i] - model.discount))
    for i in range(max(0, nearest - 1), min(len(DISCOUNTS), nearest + 2)):
        for factor in (Fraction(1), Fraction(1, 2), Fraction(1, 8), Fraction(2), Fraction(8)):
            parts = parts_of(model) | {"discount": DISCOUNTS[i]}
            parts["global_reward"], parts["local_reward"] = parts["global_reward"] * factor, parts["local_reward"] * factor
            made = assembled(parts)
            if made is not None and made != model:
                yield made


def simpler_models(model: Model) -> Iterator[Model]:
    """Models that are simpler in one respect: a state or action less, rounder numbers, a zero more, a rounder discount."""
    for parts in _simpler_parts(model):
        made = assembled(parts)
        if made is not None and made != model:
            yield made


def _simpler_parts(model: Model) -> Iterator[Parts]:
    global_states, global_actions, local_states, local_actions = model.sizes
    for kind, size in (("s_g", global_states), ("s_l", local_states)):
        for gone in range(size) if size > 1 else ():
            for heir in range(size):
                if heir != gone:
                    yield _without_state(model, kind, gone, heir)
    for gone in range(global_actions) if global_actions > 1 else ():
        yield parts_of(model) | {name: np.delete(getattr(model, name), gone, axis=1) for name in ("global_kernel", "global_reward")}
    for gone in range(local_actions) if local_actions > 1 else ():
        yield parts_of(model) | {name: np.delete(getattr(model, name), gone, axis=2) for name in ("local_kernel", "local_reward")}
    largest = model.rt
    for names in (("global_reward", "local_reward"), ("local_reward",), ("global_reward",)):
        if largest:
            for top in (1, 2, 4):
                factor = top / max(abs(x) for name in ("global_reward", "local_reward") for x in getattr(model, name).ravel())
                yield parts_of(model) | {name: getattr(model, name) * factor for name in names}
        for denominator in (1, 2, 4, 8):
            yield parts_of(model) | {name: _rounded(getattr(model, name), denominator) for name in names}
    for name in ("global_reward", "local_reward"):
        yield parts_of(model) | {name: getattr(model, name) * 0}
        for index, x in np.ndenumerate(getattr(model, name)):
            ends = (
                Fraction(0),
                *(Fraction(sign * top) for top in (1, 2) for sign in (1, -1)),
                Fraction(round(x)),
                Fraction(round(2 * x), 2),
                x / 2,
            )
            for value in ends if x else ():
                parts = parts_of(model)
                parts[name][index] = value
                yield parts
    for name in ("global_kernel", "local_kernel"):
        size = getattr(model, name).shape[-1]
        for index in np.ndindex(getattr(model, name).shape[:-1]):
            for row in _simple_rows(size):
                parts = parts_of(model)
                parts[name][index] = row
                yield parts
    for top in range(2, 11):
        for numerator in range(1, top):
            discount = Fraction(numerator, top)
            if (discount.denominator, discount.numerator) < (model.discount.denominator, model.discount.numerator):
                yield parts_of(model) | {"discount": discount}


def _rounded(array: Any, denominator: int) -> Any:
    out = np.array([Fraction(round(x * denominator), denominator) for x in array.ravel()], dtype=object)
    return out.reshape(array.shape)


def _simple_rows(size: int) -> list[list[Fraction]]:
    """Certain rows, then fair coins."""
    half = Fraction(1, 2)
    return [[half * ((t == x) + (u == x)) for x in range(size)] for step in range(size) for t in range(size - step) for u in (t + step,)]


def _without_state(model: Model, kind: str, gone: int, heir: int) -> Parts:
    """Parts without one global or local state; transitions to it lead to the heir instead."""
    parts = parts_of(model)
    name = "global_kernel" if kind == "s_g" else "local_kernel"
    parts[name][..., heir] = parts[name][..., heir] + parts[name][..., gone]
    parts[name] = np.delete(np.delete(parts[name], gone, axis=-1), gone, axis=0)
    if kind == "s_g":
        parts["local_kernel"] = np.delete(parts["local_kernel"], gone, axis=1)
        parts["local_reward"] = np.delete(parts["local_reward"], gone, axis=1)
        parts["global_reward"] = np.delete(parts["global_reward"], gone, axis=0)
    else:
        parts["local_reward"] = np.delete(parts["local_reward"], gone, axis=0)
    return parts
