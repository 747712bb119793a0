"""Every model of a tiny size with the simplest numbers: rows that are certain or fair coins, rewards -1, 0 and 1.

The global agent picks its next state, the discount is 1/2, local kernels do not depend on the global state, and there is no global reward.
Models come in the order of how many of their rewards are nonzero and of their rows are coins; of those that differ by the names of
states or actions only one comes.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations, permutations, product
from typing import TypeAlias

from mfverify.model import Model

Row: TypeAlias = tuple[int, int]
"""The two places that a row leads to with probability 1/2 each; the same place twice where it is certain."""
Kernel: TypeAlias = tuple[tuple[Row, ...], ...]
Reward: TypeAlias = tuple[tuple[tuple[int, ...], ...], ...]

SIZES = ((2, 1, 2), (2, 2, 2), (3, 1, 2), (2, 1, 3), (3, 2, 2))
"""``(|S_l|, |A_l|, |S_g| = |A_g|)``, the smallest first."""


def grid(local_states: int, local_actions: int, places: int) -> Iterator[Model]:
    """All models of one size, lazily; their number grows like ``3^(|S_l||S_g||A_l|)``."""
    coins = [(t, u) for t in range(local_states) for u in range(t, local_states)]
    kernels: dict[int, list[Kernel]] = {}
    for flat in product(coins, repeat=local_states * local_actions):
        kernel = tuple(flat[s * local_actions : (s + 1) * local_actions] for s in range(local_states))
        kernels.setdefault(sum(t != u for t, u in flat), []).append(kernel)
    entries = local_states * places * local_actions
    for weight in range(1, entries + len(kernels)):
        for coined, found in kernels.items():
            for reward in _rewards(weight - coined, local_states, places, local_actions):
                for kernel in found:
                    if _is_first(kernel, reward):
                        yield _model(kernel, reward, places)


def _rewards(nonzero: int, local_states: int, places: int, local_actions: int) -> Iterator[Reward]:
    """All rewards with so many nonzero entries, ``[s][g][a]``."""
    entries = local_states * places * local_actions
    for chosen in combinations(range(entries), nonzero) if 0 < nonzero <= entries else ():
        for signs in product((1, -1), repeat=nonzero):
            flat = [0] * entries
            for i, sign in zip(chosen, signs, strict=True):
                flat[i] = sign
            step = places * local_actions
            yield tuple(
                tuple(tuple(flat[s * step + g * local_actions : s * step + (g + 1) * local_actions]) for g in range(places))
                for s in range(local_states)
            )


def _is_first(kernel: Kernel, reward: Reward) -> bool:
    """Whether no renaming of local states, local actions or places gives a smaller description."""
    states, actions, places = range(len(kernel)), range(len(kernel[0])), range(len(reward[0]))
    own = kernel, reward
    for p in permutations(states):
        back = {new: old for old, new in enumerate(p)}
        for q in permutations(actions):
            renamed = tuple(tuple(tuple(sorted((p[t], p[u]))) for t, u in (kernel[back[s]][a] for a in q)) for s in states)
            if renamed > own[0]:
                continue
            for r in permutations(places):
                other = tuple(tuple(tuple(reward[back[s]][g][a] for a in q) for g in r) for s in states)
                if (renamed, other) < own:
                    return False
    return True


def _model(kernel: Kernel, reward: Reward, places: int) -> Model:
    local_states = len(kernel)
    unit = [[int(g == h) for h in range(places)] for g in range(places)]
    half = Fraction(1, 2)
    rows = [[[half * ((t == x) + (u == x)) for x in range(local_states)] for t, u in actions] for actions in kernel]
    name = f"grid {local_states}{len(kernel[0])}{places} " + ",".join(f"{t}{u}" for actions in kernel for t, u in actions)
    signs = "".join("-0+"[x + 1] for by_state in reward for by_action in by_state for x in by_action)
    return Model([unit] * places, [[moves] * places for moves in rows], [[0] * places] * places, reward, half, f"{name} {signs}")
