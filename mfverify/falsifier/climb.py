"""Climbing: the numbers of a model are moved towards a larger ratio of left to right side, many candidates at a time.

An *island* has a fixed structure: sizes, n and k, and which next states each row of a kernel may lead to. What climbs are numbers in [0, 1]
that stand for the rows, the rewards, the discount and, where a claim is not homogeneous in the rewards, their scale. Candidates are ranked
by the claim's screen, in doubles. The best of an island is rounded to a model with small denominators, as small as its ratio allows,
and only that is evaluated by the certified sides. An island is a function of the claim, its seed and, where it is one *around* an instance, that
instance, so islands can be computed in any order and anywhere.

The numbers climb by differential evolution (``scipy.optimize.differential_evolution``), which asks for a whole generation at a time.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from math import comb
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from scipy.optimize import differential_evolution
from threadpoolctl import threadpool_limits

from mfverify import screening
from mfverify.errors import ModelError
from mfverify.falsifier import templates
from mfverify.falsifier.model_domains import sizes_of, two_types
from mfverify.falsifier.model_moves import assembled, random_model
from mfverify.screening import Models
from mfverify.theory.claim import Claim
from mfverify.theory.screen import Screen
from mfverify.theory.search_space import Arrangement, Origin

if TYPE_CHECKING:
    from mfverify.model import Model
    from mfverify.notation import Floats

GENERATION: Final = 48
"""Candidates that are ranked at a time."""
GENERATIONS: Final = 40
"""Generations of an island at most."""
_ISLAND: Final = 12_000_000
"""Transition probabilities of all candidates of an island, about: a few seconds of work; at least :data:`FEWEST` generations."""
FEWEST: Final = 8
ENOUGH: Final = 1.05
"""Ratio from which on an island ends: what is this far above 1 is violated after rounding too."""
NOISE: Final = 1e-6
"""Share of the largest value below which a difference of two values counts as rounding."""
MOST_AGENTS: Final = 16
"""Agents of a candidate at most."""
MOST_NUMBERS: Final = 40_000
"""Transition probabilities of a candidate at most: what takes a few milliseconds."""
MOST_CARRIED: Final = 450_000
"""The same for the best model of an island, which is tried with more agents: what takes a fraction of a second."""
DENOMINATORS: Final = (1, 2, 4, 8, 16, 64, 1024)
"""Denominators to which the best candidate is rounded, the first that keeps its ratio."""
LOWEST, HIGHEST = 0.02, 0.98
"""Discounts that are tried."""
_TRIES: Final = 500
SCALES: Final = (-8.0, 10.0)
"""Powers of two by which rewards are multiplied where a claim is not homogeneous in them."""


class Near(NamedTuple):
    """What an island is around."""

    model: Model
    n: int
    k: int


@dataclass(frozen=True)
class Structure:
    """What an island keeps: sizes and, for each row of the kernels, the next states that it may lead to.

    ``global_support[g, b, h]`` and ``local_support[s, g, a, t]`` are booleans. ``uncoupled``: local kernels do not depend on the global
    state. ``with_global_reward``, ``scaled``: whether there is a global reward, and a scale.
    """

    global_support: Any
    local_support: Any
    uncoupled: bool
    with_global_reward: bool
    scaled: bool

    @property
    def sizes(self) -> tuple[int, int, int, int]:
        """``(|S_g|, |A_g|, |S_l|, |A_l|)``."""
        return *self.global_support.shape[:2], self.local_support.shape[0], self.local_support.shape[2]

    @property
    def dimension(self) -> int:
        """How many numbers climb."""
        return sum(size for _, size in self._parts())

    def _parts(self) -> Iterator[tuple[str, int]]:
        global_states, global_actions, states, actions = self.sizes
        yield "global_kernel", int(_open(self.global_support).sum())
        yield "local_kernel", int(_open(self._local).sum())
        yield "global_reward", global_states * global_actions if self.with_global_reward else 0
        yield "local_reward", states * global_states * actions
        yield "discount", 1
        yield "scale", int(self.scaled)

    @property
    def _local(self) -> Any:
        """The support of local kernels; of one global state where it does not depend on it."""
        return self.local_support[:, :1] if self.uncoupled else self.local_support

    def _split(self, x: Floats) -> dict[str, Floats]:
        ends = np.cumsum([size for _, size in self._parts()])
        return dict(zip((name for name, _ in self._parts()), np.split(x, ends[:-1]), strict=True))

    def models(self, x: Floats) -> Models:
        """The models of numbers ``x[i, m]`` in [0, 1]. Rows and rewards reach the ends of their ranges before the numbers do."""
        parts, number = self._split(x), x.shape[1]
        global_states, global_actions, states, actions = self.sizes
        scale = np.ones(number)
        if self.scaled:
            scale = 2.0 ** (SCALES[0] + (SCALES[1] - SCALES[0]) * parts["scale"][0])
        local = _rows(parts["local_kernel"], self._local)
        global_reward = np.zeros((global_states, global_actions, number))
        if self.with_global_reward:
            global_reward = _rewards(parts["global_reward"]).reshape(global_reward.shape) * scale
        return Models(
            _rows(parts["global_kernel"], self.global_support),
            np.ascontiguousarray(np.broadcast_to(local, (states, global_states, actions, states, number))),
            global_reward,
            _rewards(parts["local_reward"]).reshape(states, global_states, actions, number) * scale,
            LOWEST + (HIGHEST - LOWEST) * parts["discount"][0],
        )

    def numbers(self, model: Model) -> Floats:
        """The numbers ``[i]`` of a model of this structure, its rewards divided by the largest one where a scale does not climb."""
        one = screening.stacked([model])
        largest = float(np.maximum(one.rt_l, one.rt_g)[0]) or 1.0
        scale = 2.0 ** np.ceil(np.log2(largest)) if self.scaled else max(largest, 1.0)
        local_kernel = one.local_kernel[:, : self._local.shape[1]]
        parts = [_of_rows(one.global_kernel, self.global_support), _of_rows(local_kernel, self._local)]
        parts += [(one.global_reward.ravel() / scale + 1.5) / 3] if self.with_global_reward else []
        parts += [(one.local_reward.ravel() / scale + 1.5) / 3, (one.discount - LOWEST) / (HIGHEST - LOWEST)]
        parts += [np.array([(np.log2(scale) - SCALES[0]) / (SCALES[1] - SCALES[0])])] if self.scaled else []
        return np.clip(np.concatenate(parts), 0.0, 1.0)

    def model(self, x: Floats, denominator: int) -> Model | None:
        """The exact model of numbers ``x[i]``, everything rounded to multiples of 1/denominator (the discount at least to tenths)."""
        found = self.models(x[:, None])
        scale = Fraction(1)
        if self.scaled:
            largest = float(np.maximum(found.rt_l, found.rt_g)[0]) or 1.0
            scale = Fraction(2) ** int(np.floor(np.log2(largest)))
        return assembled(
            {
                "global_kernel": _rounded_rows(found.global_kernel[..., 0], denominator),
                "local_kernel": _rounded_rows(found.local_kernel[..., 0], denominator),
                "global_reward": _rounded(found.global_reward[..., 0] / float(scale), denominator) * scale,
                "local_reward": _rounded(found.local_reward[..., 0] / float(scale), denominator) * scale,
                "discount": _rounded_discount(float(found.discount[0]), denominator),
            }
        )


def _open(support: Any) -> Any:
    """The entries of rows that may lead to more than one state."""
    return support & (support.sum(axis=-1, keepdims=True) > 1)


def _rows(u: Floats, support: Any) -> Floats:
    """Rows from one number for each open entry."""
    weight = np.repeat(support[..., None].astype(float), u.shape[1], axis=-1)
    weight[_open(support)] = np.clip(2 * u - 0.5, 0, 1)
    total = weight.sum(axis=-2, keepdims=True)
    empty = total == 0
    return np.where(empty, support[..., None] / support.sum(axis=-1)[..., None, None], weight / np.where(empty, 1, total))


def _of_rows(rows: Floats, support: Any) -> Floats:
    """The numbers of the open entries of the rows of one model; :func:`_rows` is the inverse."""
    rows = rows[..., 0]
    found: Floats = (rows / rows.max(axis=-1, keepdims=True))[_open(support)] / 2 + 0.25
    return found


def _rewards(u: Floats) -> Floats:
    return np.clip(3 * u - 1.5, -1, 1)


def _rounded(x: Floats, denominator: int) -> Any:
    out = np.array([Fraction(round(float(y) * denominator), denominator) for y in x.ravel()], dtype=object)
    return out.reshape(x.shape)


def _rounded_rows(rows: Floats, denominator: int) -> Any:
    """Each row in multiples of 1/denominator, by largest remainders."""
    flat = rows.reshape(-1, rows.shape[-1]) * denominator
    out = []
    for row in flat:
        whole = np.floor(row + 1e-9).astype(int)
        for t in np.argsort(whole - row, kind="stable")[: denominator - whole.sum()]:
            whole[t] += 1
        out += [Fraction(int(y), denominator) for y in whole]
    return np.array(out, dtype=object).reshape(rows.shape)


def _rounded_discount(discount: float, denominator: int) -> Fraction:
    places = max(10, denominator)
    return Fraction(min(max(round(discount * places), 1), places - 1), places)


@dataclass(frozen=True)
class Space:
    """Where islands are drawn from: sizes of random models, numbers of agents, whether scale matters, templates are used, agents have two types.

    ``more``: numbers of agents with which the best model of an island is tried too. ``most``: the largest number of agents of a candidate, None for
    any. ``below``: what the number of agents has to be less than, None in a search. ``local_states``: the largest number of local states of a model.
    ``pair(model, n, k)``: n and k as the claim's screen takes them, or None where the claim does not speak of them.
    """

    sizes: tuple[tuple[int, int, int, int], ...]
    agents: tuple[int, ...]
    pair: Callable[[Model, int, int], tuple[int, int] | None]
    scaled: bool
    templates: bool = True
    types: bool = False
    local_states: int | None = None
    more: tuple[int, ...] = ()
    most: int | None = None
    below: int | None = None


@dataclass
class Climbed:
    """What an island reached: candidates ranked, each better ratio with the number ranked so far, and the best model with small denominators.

    ``curve`` and ``ratio`` are those of :func:`scores`, not certified.
    """

    agents: int
    subsample: int
    screened: int = 0
    ratio: float = float("-inf")
    curve: list[tuple[int, float]] = field(default_factory=list)
    found: tuple[Model, float] | None = None


def scores(screen: Screen, models: Models, n: int, k: int) -> Floats:
    """What climbs: left/right, both sides raised by a millionth of the largest value, since small ones are noise; -inf without a value.

    Above 1 exactly where left exceeds right, up to rounding.
    """
    left, right = screen.sides(models, n, k)
    noise = NOISE * (models.rt_g + models.rt_l) / (1 - models.discount)
    with np.errstate(all="ignore"):
        score = np.where(right + noise > 0, left / (right + noise), left - right)
    return np.where(np.isfinite(score), score, -np.inf)


def numbers_of(sizes: tuple[int, int, int, int], n: int) -> int:
    """Transition probabilities of the n-agent system."""
    global_states, _, states, actions = sizes
    return global_states * comb(n + states * actions - 1, n) * comb(n + states - 1, n)


def drawn(space: Space, rng: random.Random) -> tuple[Structure, int, int]:
    """A structure and a pair (n, k). Raises :class:`ModelError` where the claim speaks of none of those that are tried."""
    for _ in range(_TRIES):
        from_template = space.templates and rng.random() < 0.4
        model = templates.drawn(rng, rng.randrange(100)) if from_template else random_model(rng, rng.choice(space.sizes), scaled=False)
        if space.types:
            typed = two_types(model, rng)
            if typed is None:
                continue
            model = typed
        if space.local_states is not None and model.sizes[2] > space.local_states:
            continue
        agents = [n for n in space.agents if numbers_of(model.sizes, n) <= MOST_NUMBERS]
        if not agents:
            continue
        n = rng.choice(agents)
        pair = space.pair(model, n, max(1, rng.choice((n - 1, n - 1, n // 2, 1, n, rng.randint(1, n)))))
        if pair is not None and space.pair(model, *pair) == pair:
            return structure_of(model, rng, space.scaled, more=not (from_template or space.types)), *pair
    raise ModelError(f"no model with {space.agents[0]} to {space.agents[-1]} agents was found that the claim speaks of")


def structure_of(model: Model, rng: random.Random, scaled: bool, more: bool) -> Structure:
    """The structure of a model; ``more``: every second row may lead to one more state."""
    kernels = [np.asarray(getattr(model, name) != 0, dtype=bool) for name in ("global_kernel", "local_kernel")]
    uncoupled = bool((model.local_kernel == model.local_kernel[:, :1]).all())
    for support in kernels if more else ():
        for index in np.ndindex(support.shape[:-1]):
            if rng.random() < 0.5:
                support[index][rng.randrange(support.shape[-1])] = True
    if uncoupled:
        kernels[1][:] = kernels[1][:, :1]
    return Structure(kernels[0], kernels[1], uncoupled, bool((model.global_reward != 0).any()), scaled)


def space_of(claim: Claim, below: int | None = None) -> Space | None:
    """Where the islands of a claim are drawn from; None for a claim without a screen, or whose instances are not models with n and k.

    With ``below`` the numbers of agents are those from half of it on, or fewer, and less than it.
    """
    arrangement = claim.searched
    if claim.screen is None or not isinstance(arrangement, Arrangement):
        return None

    def pair(model: Model, n: int, k: int) -> tuple[int, int] | None:
        made = arrangement.instance(model, n, k)
        return None if made is None else sizes_of(made)

    first, last = (1, MOST_AGENTS) if below is None else (max(1, min(below, MOST_AGENTS) // 2), min(below - 1, MOST_AGENTS))
    most = min(max(arrangement.agents), claim.screen.agents or MOST_AGENTS)
    few = tuple(n for n in range(first, last + 1) if n <= most)
    if not few:
        return None
    origin = arrangement.origin
    templated, typed = origin is not Origin.RANDOM, origin is Origin.TYPES
    more = tuple(n for n in arrangement.agents if claim.screen.agents is None and below is None)
    screen = claim.screen
    return Space(arrangement.sizes, few, pair, arrangement.scaled, templated, typed, screen.local_states, more, screen.agents, below)


def around(space: Space, rng: random.Random, near: Near) -> tuple[Structure, int, int] | None:
    """The structure of a model, every second time with rows that may lead to one more state, and n and k as they are or others.

    With so many agents that a candidate would take too long, n is the largest that does not. None where the claim does not speak of the model.
    """
    model, n, k = near
    m, j = n, k
    if space.below is not None or rng.random() < 0.5:
        m = n + rng.choice((-2, -1, 1, 2, n // 2)) if space.below is None else space.below - rng.choice((1, 1, 2, 3))
        j = rng.choice((k, m - (n - k), m - (n - k), k + 1, k - 1))
    largest = max((x for x in range(1, m + 1) if numbers_of(model.sizes, x) <= MOST_NUMBERS and x <= (space.most or x)), default=0)
    if largest < m:
        m, j = largest, largest - (m - j) if 2 * j > m else j
    j = min(max(j, 1), m)
    if m < 1 or (space.local_states or model.sizes[2]) < model.sizes[2]:
        return None
    pair = space.pair(model, m, j)
    if pair is None or space.pair(model, *pair) != pair:
        return None
    return structure_of(model, rng, space.scaled, more=not space.types and rng.random() < 0.5), *pair


def climb(screen: Screen, space: Space, seed: str, most: int = GENERATIONS, near: Near | None = None) -> Climbed:
    """An island: what was reached in at most ``most`` generations, fewer where a candidate is expensive.

    With ``near`` it begins at that model and at models that have some of its numbers. Linear algebra has one thread: systems are small, and
    an island is the same function of its seed whatever the number of threads.
    """
    with threadpool_limits(1, user_api="blas"):
        return _climbed(screen, space, seed, most, near)


def _climbed(screen: Screen, space: Space, seed: str, most: int, near: Near | None) -> Climbed:
    rng = random.Random(seed)
    found = around(space, rng, near) if near is not None else None
    structure, n, k = found or drawn(space, rng)
    generations = max(FEWEST, min(most, _ISLAND // (GENERATION * numbers_of(structure.sizes, n))))
    out = Climbed(n, k)
    best: list[tuple[float, Floats]] = []

    def rank(x: Floats) -> Floats:
        x = x.reshape(structure.dimension, -1)
        found = _batched(screen, structure.models(x), n, k)
        out.screened += len(found)
        top = int(found.argmax())
        if found[top] > out.ratio:
            out.ratio = float(found[top])
            out.curve.append((out.screened, out.ratio))
            best.append((out.ratio, x[:, top].copy()))
        return -np.where(np.isfinite(found), found, -1e100)

    start = np.random.default_rng(rng.getrandbits(64))
    first = start.random((GENERATION, structure.dimension))
    if near is not None and found is not None:
        kept = start.random(first.shape) < np.linspace(1, 0.5, GENERATION)[:, None]
        first = np.where(kept, structure.numbers(near.model), first)
    differential_evolution(
        rank,
        [(0.0, 1.0)] * structure.dimension,
        maxiter=generations,
        init=first,
        mutation=(0.4, 0.9),
        recombination=0.8,
        tol=0.0,
        atol=1e-12,
        rng=start,
        polish=False,
        updating="deferred",
        vectorized=True,
        callback=lambda *_, **__: out.ratio > ENOUGH,
    )
    if best:
        out.found = _with_small_denominators(screen, structure, best[-1], n, k)
    if out.found is not None and out.found[1] < 1:
        _carry(screen, space, out)
    return out


def _carry(screen: Screen, space: Space, out: Climbed) -> None:
    """The best model with more agents: the fewest with which it looks violated, else those with the largest ratio.

    Islands have few agents, and a violation may need many.
    """
    assert out.found is not None
    model, ratio = out.found
    n, k = out.agents, out.subsample
    more = [m for m in space.more if m > n and numbers_of(model.sizes, m) <= MOST_CARRIED]
    pairs = {space.pair(model, m, j) for m in more for j in (k, m - (n - k), m // 2, k * m // n)}
    for pair in sorted(found for found in pairs if found is not None and found[0] > n):
        score = float(scores(screen, screening.stacked([model]), *pair)[0])
        out.screened += 1
        if score > ratio:
            ratio, out.found, (out.agents, out.subsample) = score, (model, score), pair
        if score > out.ratio:
            out.ratio = score
            out.curve.append((out.screened, score))
        if score > 1 + NOISE:
            return


def _batched(screen: Screen, models: Models, n: int, k: int) -> Floats:
    size = screening.batch_of(models.sizes, n)
    parts = [scores(screen, models.some(slice(i, i + size)), n, k) for i in range(0, models.number, size)]
    return np.concatenate(parts)


def _with_small_denominators(
    screen: Screen, structure: Structure, best: tuple[float, Floats], n: int, k: int
) -> tuple[Model, float] | None:
    """The best candidate rounded: the coarsest model that is still violated, or that keeps the ratio up to 1 %; else the best of all."""
    ratio, x = best
    found: tuple[Model, float] | None = None
    for denominator in DENOMINATORS:
        model = structure.model(x, denominator)
        if model is None:
            continue
        score = float(scores(screen, screening.stacked([model]), n, k)[0])
        if found is None or score > found[1]:
            found = model, score
        if score > 1 + 1e-6 or score > ratio * 0.99:
            break
    return found
