"""Many small models at once: optimum, greedy policy, executed value and gap of every one, in compiled loops over the models.

For searches over models, sweeps of instances and statistics, at a few to a hundred microseconds per model and core. Every number is an
enclosure with the same guarantee as that of a single model (``bellman/small.py``, ``subsample_mfq/small_chains.py``); no Python runs per model.

>>> import numpy as np
>>> rng = np.random.default_rng(1)
>>> many = Models(rng.random((100, 2, 2, 2)), rng.random((100, 2, 2, 2, 2)), rng.random((100, 2, 2)), rng.random((100, 2, 2, 2)), "9/10")
>>> found = gaps(many, n=4, k=2)
>>> bool((found.lower <= found.upper).all()), int(found.decided.sum())
(True, 100)

A tie that doubles cannot decide is not guessed: ``decided`` is False for that model, and its executed value and gap are NaN. Look at such
a model alone, ``learn(many.model(i), k)``, where ties are decided in exact arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mfverify.bellman import small
from mfverify.enclosure import add_down, add_up
from mfverify.errors import ModelError, TooLargeError
from mfverify.model import Model
from mfverify.rationals import exact
from mfverify.subsample_mfq import small_chains
from mfverify.subsample_mfq.draws import way
from mfverify.subsample_mfq.own_draws import OwnDraws
from mfverify.validation import positive_integer

if TYPE_CHECKING:
    from mfverify.notation import Booleans, Floats, Integers

_AXES: Final = {"global_kernel": "igbh", "local_kernel": "isgat", "global_reward": "igb", "local_reward": "isga"}
"""i: model, g and h: global states, b: global actions, s and t: local states, a: local actions."""

_MOST_NUMBERS: Final = 10**7
"""Systems whose laws would have more numbers than this are refused."""

_LARGEST: Final = 2.0**900
_SMALLEST: Final = 2.0**-900

SAMPLINGS: Final = ("independent", "shared", "systematic", "with-replacement")
"""The ways of drawing that are compiled."""


class Models:
    """Models of one size in arrays with one leading axis, the model.

    global_kernel: weights ``[i, s_g, a_g, s_g']``; ``P_g(s_g'|s_g, a_g)`` is a weight over the sum of its row, exactly.
    local_kernel: weights ``[i, s_l, s_g, a_l, s_l']``, likewise ``P_l``.
    global_reward: ``r_g [i, s_g, a_g]``.
    local_reward: ``r_l [i, s_l, s_g, a_l]``.
    discount: ``gamma``, one for all models or one for each: a rational as text, Fraction or double, or an array of doubles.

    Entries are the rationals that the doubles are, so whole numbers as weights give rationals such as 1/3. A kernel in doubles whose rows
    sum to one up to rounding is taken as the model that is normalised. Raises :class:`ModelError` naming the array, the index and the
    value for a weight that is negative, a row that sums to nothing, numbers that are not finite or beyond 2**900, or a discount outside (0, 1).
    """

    def __init__(self, global_kernel: Any, local_kernel: Any, global_reward: Any, local_reward: Any, discount: Any) -> None:
        given = {"global_kernel": global_kernel, "local_kernel": local_kernel, "global_reward": global_reward, "local_reward": local_reward}
        arrays = {name: _doubles(name, values) for name, values in given.items()}
        _check_shapes(arrays)
        for name in ("global_kernel", "local_kernel"):
            _check_weights(name, arrays[name])
        self._weights = arrays["global_kernel"], arrays["local_kernel"]
        self._rewards = arrays["global_reward"], arrays["local_reward"]
        number = len(self._weights[0])
        self._discounts: list[Fraction] | Floats
        gamma, low, high, self._discounts = _discounts(discount, number)
        rt = np.abs(self._rewards[0]).max(axis=(1, 2)) + np.abs(self._rewards[1]).max(axis=(1, 2, 3))
        _check_magnitude(rt * (1 + high))
        kernels = [np.ascontiguousarray(w / w.sum(axis=-1, keepdims=True)) for w in self._weights]
        global_reward, local_reward = _without_merged(self._weights, self._rewards)
        self._copies = small.Copies(kernels[0], kernels[1], global_reward, local_reward, gamma, low, high, rt)
        self._unmerged = small.Copies(kernels[0], kernels[1], *self._rewards, gamma, low, high, rt)
        self._roundings = small.Roundings(kernels[1].shape[-1], kernels[0].shape[-1], 0)

    @classmethod
    def of(cls, models: Sequence[Model]) -> Models:
        """Models in exact rationals, all of one size."""
        if not models or len({m.sizes for m in models}) > 1:
            raise ModelError("models: expected at least one model, all with the same numbers of states and actions")
        found = cls.__new__(cls)
        found._exact = tuple(models)
        found._copies, found._unmerged = (
            small.Copies(*(np.concatenate(part) for part in zip(*(small.copies(m, merged) for m in models), strict=True)))
            for merged in (True, False)
        )
        found._roundings = small.Roundings()
        return found

    _exact: tuple[Model, ...] = ()

    def __len__(self) -> int:
        return len(self._copies.discount)

    @property
    def sizes(self) -> tuple[int, int, int, int]:
        """``(|S_g|, |A_g|, |S_l|, |A_l|)``."""
        local_states, global_states, local_actions = self._copies.local_reward.shape[1:]
        return global_states, self._copies.global_reward.shape[2], local_states, local_actions

    def model(self, i: int, name: str = "model") -> Model:
        """One of the models in exact rationals, for every other function of this package."""
        if self._exact:
            return self._exact[i]
        discounts = self._discounts
        discount = discounts[i] if isinstance(discounts, list) else Fraction(float(discounts[i]))
        (global_kernel, local_kernel), (global_reward, local_reward) = self._weights, self._rewards
        kernels = _normalised(global_kernel[i]), _normalised(local_kernel[i])
        return Model(*kernels, _fractions(global_reward[i]), _fractions(local_reward[i]), discount, name)


@dataclass(frozen=True, eq=False)
class Values:
    """Enclosures of values, ``lower`` and ``upper``: axes ``[i, s_g, rank in count_vectors(n, |S_l|)]``."""

    lower: Floats
    upper: Floats

    @property
    def width(self) -> Floats:
        """The largest width of each model."""
        widest: Floats = np.nextafter(self.upper - self.lower, np.inf).max(axis=(1, 2))
        return widest


@dataclass(frozen=True, eq=False)
class Policies(Values):
    """The k-agent systems: ``max_a Q_k`` between ``lower`` and ``upper``, and a greedy joint action for every sample.

    ``global_action[i, s_g, x]`` and ``action_counts[i, s_g, x, s_l, a_l]``, ``x`` the rank of the sample in ``count_vectors(k, |S_l|)``.
    ``lead[i, s_g, x]``: a lower bound of how much its action value exceeds that of every other joint action (of actions with one kernel only
    the best counts). ``decided[i]``: all leads are positive, so that this is the greedy policy.
    """

    k: int
    global_action: Integers
    action_counts: Integers
    lead: Floats
    decided: Booleans

    @property
    def local_action(self) -> Integers:
        """``[i, s_g, x, s_l]``: what an agent in ``s_l`` plays, the smallest action that an agent there takes; -1 where the sample has none."""
        played = self.action_counts > 0
        found: Integers = np.where(played.any(axis=-1), played.argmax(axis=-1), -1)
        return found


@dataclass(frozen=True, eq=False)
class Gaps:
    """The largest gap over start states, ``max V* - V^{pi_k}``, between ``lower[i]`` and ``upper[i]``; NaN where not ``decided[i]``.

    ``worst[i]``: a start state at which the lower end is reached, ``(s_g, rank)``. ``optimum``, ``learned`` and ``executed`` are what it is made of.
    """

    lower: Floats
    upper: Floats
    worst: Integers
    decided: Booleans
    optimum: Values
    learned: Policies
    executed: Values


def optimum(models: Models | Sequence[Model], n: int, width: float = 1e-9) -> Values:
    """Enclose the optimal value of ``n`` agents in every model; ``optimal_values`` of the package.

    Parameters
    ----------
    models
        :class:`Models`, or a sequence of models of one size.
    n
        Number of local agents, at least 1.
    width
        Requested largest difference between the two bounds; wider where double precision allows no more.

    Returns
    -------
    Values
        Axes ``[i, s_g, rank in count_vectors(n, |S_l|)]``.

    Raises
    ------
    ModelError
        n < 1, a width that is not positive, no model, or models of different sizes.
    TooLargeError
        The laws do not fit.

    Notes
    -----
    Cost for two local states and actions: about 4, 9, 35 microseconds a model and core at n = 4, 8, 16.

    Examples
    --------
    >>> from mfverify.models import coordination
    >>> optimum([coordination(eta="1/100"), coordination(eta="1/50")], 4).lower.shape
    (2, 2, 5)
    """
    found = _solved(_given(models), "agents", n, width)
    return Values(found.lower, found.upper)


def learn(models: Models | Sequence[Model], k: int, width: float = 1e-9) -> Policies:
    """Learn the k-agent system of every model with the exact operator; ``greedy_policies`` of the package.

    Parameters
    ----------
    models, width
        As for :func:`optimum`.
    k
        Number of local agents of the smaller system, at least 1.

    Returns
    -------
    Policies
        Values and greedy joint actions of every sample.

    Raises
    ------
    ModelError, TooLargeError
        As for :func:`optimum`.

    Examples
    --------
    >>> from mfverify.models import random_coupled
    >>> found = learn([random_coupled(seed) for seed in (0, 1)], 2)
    >>> found.global_action.shape, found.decided.tolist()
    ((2, 2, 3), [True, True])
    """
    models = _given(models)
    found = _solved(models, "subsample", k, width)
    _, _, local_states, local_actions = models.sizes
    listed = small.plan(k, local_states, local_actions).actions.reshape(-1, local_states, local_actions)
    decided: Booleans = np.all(found.lead > 0, axis=(1, 2))
    return Policies(found.lower, found.upper, k, found.global_action, listed[found.joint_action], found.lead, decided)


def execution_value(models: Models | Sequence[Model], n: int, learned: Policies, sampling: str = "independent", width: float = 1e-9) -> Values:
    """Enclose the value of the executed policies with ``n`` agents; ``execution_values`` of the package.

    Parameters
    ----------
    models, n, width
        As for :func:`optimum`.
    learned
        The result of :func:`learn` on these models, k <= n.
    sampling
        A word of :data:`SAMPLINGS`, as for :func:`mfverify.execution_value`.

    Returns
    -------
    Values
        NaN in models that are not decided.

    Raises
    ------
    ModelError
        Another word for sampling, k > n, or policies of other models.
    TooLargeError
        A system is not small.

    Examples
    --------
    >>> from mfverify.models import random_coupled
    >>> many = [random_coupled(seed) for seed in (0, 1)]
    >>> execution_value(many, 4, learn(many, 2)).lower.shape
    (2, 2, 5)
    """
    models, n = _given(models), positive_integer("agents", n)
    if sampling not in SAMPLINGS:
        raise ModelError(
            f"sampling: found {sampling!r}, expected one of {', '.join(SAMPLINGS)}; execution_value of a single model knows more"
        )
    if learned.k > n:
        raise ModelError(f"subsample: found {learned.k}, expected at most agents = {n}")
    if len(learned.decided) != len(models):
        raise ModelError(f"learned: has {len(learned.decided)} models, expected {len(models)}; learn on these models")
    drawn = way(sampling)
    how = drawn if isinstance(drawn, OwnDraws) else None
    if not small_chains.fits(n, learned.k, models.sizes, how):
        raise TooLargeError(f"{n} agents, k = {learned.k}: not a small system; use execution_value of single models")
    flat = learned.action_counts.reshape(*learned.action_counts.shape[:3], -1)
    tables = small_chains.Policies(learned.global_action, learned.local_action, flat, learned.decided)
    return Values(*small_chains.execute(models._unmerged, n, learned.k, tables, how is None, models._roundings, width, how))


optimal_values, greedy_policies, execution_values = optimum, learn, execution_value
"""Their names in the package, where they stand beside those of a single model."""


def gaps(models: Models, n: int, k: int, sampling: str = "independent", width: float = 1e-9) -> Gaps:
    """The optimality gap of the policy that is learned with ``k`` and executed with ``n`` agents, for every model; errors as for its parts."""
    if positive_integer("subsample", k) > positive_integer("agents", n):
        raise ModelError(f"subsample: found {k}, expected at most agents = {n}")
    best, learned = optimum(models, n, width), learn(models, k, width)
    executed = execution_value(models, n, learned, sampling, width)
    lower, upper = add_down(best.lower, -executed.upper), add_up(best.upper, -executed.lower)
    number, _, vectors = lower.shape
    at = lower.reshape(number, -1).argmax(axis=1)
    worst = np.stack([at // vectors, at % vectors], axis=1)
    return Gaps(lower.max(axis=(1, 2)), upper.max(axis=(1, 2)), worst, learned.decided, best, learned, executed)


def _given(models: Models | Sequence[Model]) -> Models:
    return models if isinstance(models, Models) else Models.of(models)


def _solved(models: Models, place: str, n: int, width: float) -> small.Solved:
    """Solve all, within what is small."""
    n = positive_integer(place, n)
    if not width > 0:
        raise ModelError(f"width: found {width}, expected a positive number")
    if small.numbers(n, models.sizes) > _MOST_NUMBERS:
        raise TooLargeError(
            f"{place}: found {n}, the laws of all joint actions have {small.numbers(n, models.sizes):.3g} numbers, more than {_MOST_NUMBERS:.0e} for a small system; "
            f"use optimal_value and learn of single models"
        )
    return small.solve(models._copies, n, models._roundings, width)


def _doubles(name: str, values: Any) -> Floats:
    """An array of finite doubles with the axes that its name demands."""
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise ModelError(f"{name}: found something that is no array of numbers, expected doubles with {len(_AXES[name])} axes") from None
    if array.ndim != len(_AXES[name]) or array.size == 0:
        raise ModelError(f"{name}: found the shape {array.shape}, expected {len(_AXES[name])} axes, none of them empty")
    wrong = ~(np.abs(array) <= _LARGEST)
    if wrong.any():
        _refuse(name, array, wrong, "a finite number of at most 2**900 in absolute value")
    return array


def _refuse(name: str, array: Floats, wrong: Booleans, expected: str) -> None:
    """Name the first entry that is wrong."""
    at = tuple(int(x) for x in np.argwhere(wrong)[0])
    raise ModelError(f"{name}[{', '.join(map(str, at))}]: found {array[at]!r}, expected {expected}")


def _check_shapes(arrays: dict[str, Floats]) -> None:
    """Every axis of the same set has the same length in all arrays."""
    known: dict[str, tuple[int, str]] = {}
    for name, array in arrays.items():
        for axis, length in zip(_AXES[name], array.shape, strict=True):
            member = {"h": "g", "t": "s"}.get(axis, axis)
            first, where = known.setdefault(member, (length, name))
            if first != length:
                raise ModelError(f"{name}: found the shape {array.shape}, expected {first} along the axis of {where} that it shares")


def _check_weights(name: str, weights: Floats) -> None:
    """No negative weight, and sums that can be divided by."""
    if (weights < 0).any():
        _refuse(name, weights, weights < 0, "a weight >= 0")
    sums = weights.sum(axis=-1)
    if not (sums >= _SMALLEST).all():
        _refuse(name, sums, ~(sums >= _SMALLEST), "a row of weights that sums to at least 2**-900")


def _check_magnitude(values: Floats) -> None:
    if not (values <= _LARGEST).all():
        i = int(np.flatnonzero(~(values <= _LARGEST))[0])
        raise ModelError(
            f"rewards of model {i}: found discounted sums of up to {values[i]:.3g}, expected at most 2**900; rescale the rewards"
        )


def _discounts(given: Any, number: int) -> tuple[Floats, Floats, Floats, list[Fraction] | Floats]:
    """The double nearest to each discount, doubles around ``gamma / (1 - gamma)``, and the discounts themselves."""
    if isinstance(given, np.ndarray) and given.ndim == 1 and given.dtype == np.float64:
        if len(given) != number:
            raise ModelError(f"discount: found {len(given)} numbers, expected one, or one for each of {number} models")
        wrong = ~((given > 0) & (given < 1))
        if wrong.any():
            _refuse("discount", given, wrong, "a number strictly between 0 and 1")
        # Two roundings, of the difference and of the quotient: less than four times 2**-53.
        factor = given / (1.0 - given)
        return given.copy(), factor * (1.0 - 2.0**-50), factor * (1.0 + 2.0**-50), given.copy()
    listed = [given] * number if isinstance(given, (str, int, float, Fraction)) else list(given)
    if len(listed) != number:
        raise ModelError(f"discount: found {len(listed)} numbers, expected one, or one for each of {number} models")
    known = {x: exact(x, "discount") for x in dict.fromkeys(listed)}
    for x, gamma in known.items():
        if not 0 < gamma < 1:
            raise ModelError(f"discount: found {x}, expected a number strictly between 0 and 1")
    around = {x: (float(gamma), *small.factors(gamma)) for x, gamma in known.items()}
    gammas, low, high = (np.array(part) for part in zip(*(around[x] for x in listed), strict=True))
    return gammas, low, high, [known[x] for x in listed]


def _without_merged(weights: tuple[Floats, Floats], rewards: tuple[Floats, Floats]) -> list[Floats]:
    """Rewards, minus infinity for actions that another one with equal weights replaces: a better one, or an equal one before it."""
    found = []
    for rows, earned in zip(weights, rewards, strict=True):
        left = np.array(earned)
        for b in range(earned.shape[-1]):
            for a in range(b):
                same = (rows[..., a, :] == rows[..., b, :]).all(axis=-1)
                better = earned[..., b] > earned[..., a]
                left[..., a][same & better] = -np.inf
                left[..., b][same & ~better] = -np.inf
        found.append(left)
    return found


def _fractions(array: Floats) -> Any:
    """The rationals that doubles are, as nested lists."""
    return [_fractions(part) for part in array] if array.ndim else Fraction(float(array))


def _normalised(weights: Floats) -> Any:
    """Rows over their exact sums, as nested lists."""
    if weights.ndim > 1:
        return [_normalised(part) for part in weights]
    row = _fractions(weights)
    total = sum(row, Fraction(0))
    return [x / total for x in row]
