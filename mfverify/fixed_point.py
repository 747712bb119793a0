"""Certified fixed points: the one place where an iteration becomes an enclosure.

*Operators.* Every Bellman operator ``T`` of this project, optimal or of one policy, exact or sampled, of labelled agents or of counts, is
monotone and satisfies ``T(V + c) = T V + gamma c``. What is computed is ``fl(T V)``, off by at most ``error(V)`` in every entry.

*Certificate.* For any vector ``V``, let ``lo`` and ``hi`` be the least and the largest entry of ``T V - V``. Then the fixed point lies
between ``T V + gamma lo / (1 - gamma)`` and ``T V + gamma hi / (1 - gamma)`` (:func:`fixed_point_enclosure`). How ``V`` was found does not
matter, and neither does a constant: ``V + c`` has the same enclosure in exact arithmetic. Errors grow with the largest entry, so every
vector is shifted to the middle of its range before it is applied. Near discount 1 values are of the size ``1 / (1 - gamma)``
while their differences are not; without the shift, and in a solver that does not drop constants, rounding would count a second time
with that factor.

*Iteration* (:func:`enclose`). Newton's steps where the operator has them: ``V + (I - gamma P)^-1 (T V - V)`` with the transition matrix
``P`` of a greedy policy is a step of policy iteration, and with the same policy it refines a solution by its residual. Then steps of value
iteration with Anderson's extrapolation.

*Stopping rule.* The enclosure is as narrow as asked, or neither a step of Newton nor an extrapolated nor a plain step narrows it: then
rounding is what is left. No number of iterations ends it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

import numpy as np

from mfverify import progress
from mfverify.compiled import njit
from mfverify.enclosure import Enclosure, StopReason, Work, add_down, add_up, round_down, round_up

if TYPE_CHECKING:
    from mfverify.notation import Floats

_REMEMBERED: Final = 6
"""Steps of value iteration that an extrapolation looks back on, beside the last one."""

_DIRECTIONS: Final = 40
"""Steps of GMRES before it begins again; so many vectors are held."""


class Operator(Protocol):
    """A monotone ``T`` with ``T(V + c) = T V + discount c`` on arrays of one shape, in double precision."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of values."""

    @property
    def discount(self) -> Fraction:
        """``gamma``, exact."""

    @property
    def pairs(self) -> int:
        """(State, joint action) pairs that an application compares; 0 for a single policy."""

    def apply(self, value: Floats) -> Floats:
        """``T V``, off by at most :meth:`error` in every entry."""

    def error(self, value: Floats) -> Fraction:
        """A bound of ``max |fl(T V) - T V|``, from the number of roundings and the largest entry of ``value``."""


Newton: TypeAlias = Callable[["Floats", "Floats", float], "Floats | None"]
"""The next vector from a vector, its image and the *gain*: the width of its enclosure over the least width before it (0 at first).
None where no such step is worth while any more."""


def fixed_point_enclosure(image: Floats, value: Floats, error: Fraction, discount: Fraction, work: Work | None = None) -> Enclosure:
    """Enclose the fixed point of a monotone operator ``T`` with ``T(V + c) = T V + gamma c``.

    ``image`` is ``T value`` computed in double precision, off by at most ``error`` in every entry. With ``lo`` and
    ``hi`` the least and the largest entry of the exact ``T V - V``, the fixed point lies between
    ``T V + gamma lo / (1 - gamma)`` and ``T V + gamma hi / (1 - gamma)`` (MacQueen 1966; Puterman 1994, Theorem 6.6.3).
    Every operation is rounded outward. Cost: linear in the number of entries.
    """
    slack = round_up(error)
    lo = Fraction(float(add_down(image, -value).min())) - error
    hi = Fraction(float(add_up(image, -value).max())) + error
    factor = discount / (1 - discount)
    low = add_down(add_down(image, np.array(-slack)), np.array(round_down(factor * lo)))
    high = add_up(add_up(image, np.array(slack)), np.array(round_up(factor * hi)))
    return Enclosure(low, high, None, work)


class _Narrowest:
    """The vectors tried so far: the narrowest enclosure, and the vector and image that gave it."""

    def __init__(self, operator: Operator, width: float) -> None:
        self.operator, self.width = operator, width
        self.sweeps, self.first = 0, 0.0
        self.best: Enclosure | None = None
        self.at: tuple[Floats, Floats]

    def tried(self, value: Floats) -> tuple[Floats, Floats, float]:
        """The vector shifted to the middle of its range, its image, and the gain: its width over the least one before it (0 at first)."""
        value = value - (value.min() / 2 + value.max() / 2)
        image = self.operator.apply(value)
        self.sweeps += 1
        now = fixed_point_enclosure(image, value, self.operator.error(value), self.operator.discount)
        before, widest = self.best, float(now.width.max())
        if before is None or widest < before.width.max():
            self.best, self.at = now, (value, image)
        self.first = self.first or widest
        progress.narrowed(self.sweeps, self.first, widest, self.width)
        return value, image, 0.0 if before is None else float(widest / before.width.max())

    @property
    def reached(self) -> bool:
        """Whether the enclosure is as narrow as asked."""
        return self.best is not None and bool(self.best.width.max() <= self.width)


def enclose(operator: Operator, width: float, start: Floats | None = None, newton: Newton | None = None) -> Enclosure:
    """Enclose the fixed point of ``operator``, to ``width`` where double precision allows it (the stop reason says which).

    ``start`` is a first guess (zero if None) and ``newton`` proposes steps; neither has any part in the guarantee. Cost: the sweeps and
    evaluations that ``work`` counts.
    """
    found = _Narrowest(operator, width)
    value, image, gain = found.tried(np.zeros(operator.shape) if start is None else start)
    evaluations = 0
    while newton is not None and not found.reached:
        proposed = newton(value, image, gain)
        if proposed is None:
            break
        evaluations += 1
        value, image, gain = found.tried(proposed)
    # Value iteration from the best vector: an extrapolated step is kept if it narrows the enclosure at least as much as a plain one does in
    # exact arithmetic, otherwise a plain step takes its place.
    history = [found.at]
    candidate, plain = history[-1][1], True
    while not found.reached:
        value, image, gain = found.tried(candidate)
        if gain < (1.0 if plain else float(operator.discount)):
            history = [*history[-_REMEMBERED:], (value, image)]
            candidate, plain = _extrapolated(history), False
        elif plain:
            break
        else:
            history = history[-1:]
            candidate, plain = history[0][1], True
    assert found.best is not None
    stop = StopReason.WIDTH if found.reached else StopReason.PRECISION
    return Enclosure(found.best.lower, found.best.upper, None, Work(stop, found.sweeps, evaluations, operator.pairs))


def _extrapolated(history: list[tuple[Floats, Floats]]) -> Floats:
    """The affine combination of the images whose residual is least (Anderson 1965); constants do not count, they are certified away."""
    residuals = np.stack([(image - value).ravel() for value, image in history])
    residuals -= residuals.mean(axis=1, keepdims=True)
    images = np.stack([image.ravel() for _, image in history])
    share, *_ = np.linalg.lstsq(np.diff(residuals, axis=0).T, residuals[-1], rcond=None)
    mixed: Floats = images[-1] - share @ np.diff(images, axis=0)
    return mixed.reshape(history[-1][1].shape) if np.isfinite(mixed).all() else history[-1][1]


def newton_of_chain(operator: Operator, moved: Callable[[Floats], Floats]) -> Newton:
    """Newton's steps of a linear operator ``reward + gamma P V``, where ``moved`` is ``V - gamma P V``: as long as they halve the width."""
    return lambda value, image, gain: None if gain > 1 / 2 else value + correction(operator, moved, value, image)


def correction(operator: Operator, moved: Callable[[Floats], Floats], value: Floats, image: Floats) -> Floats:
    """An uncertified solution of ``x - gamma P x = image - value`` up to a constant: ``value + x`` is the value of the policy with ``P``.

    Solved until the residual is small against the error of one application, or what rounding leaves. Constants are dropped everywhere:
    ``I - gamma P`` maps them to constants, so it acts on vectors up to a constant, and there its condition does not grow with
    ``1 / (1 - gamma)`` when the states communicate. GMRES (Saad and Schultz 1986), begun again from what it found until the residual no
    longer halves. Cost: a few dozen calls of ``moved``.
    """
    residual, scale = image - value, float(np.abs(value).max())
    enough = float(operator.error(value)) / 16
    solution = np.zeros(residual.shape)
    left = residual - residual.mean()
    size = float(np.abs(left).max())
    while True:
        # What rounding leaves of a residual on average; a few times that at its largest. Less is not to be had.
        floor = max(enough, 2.0**-52 * (scale + float(np.abs(solution).max())))
        if not size > 4 * floor:
            return solution
        refined = solution + _krylov_cycle(moved, left, floor * float(np.sqrt(left.size)))
        left = residual - moved(refined)
        left -= left.mean()
        now = float(np.abs(left).max())
        if not now <= size / 2:
            return refined if now < size else solution
        solution, size = refined, now


def _krylov_cycle(moved: Callable[[Floats], Floats], residual: Floats, floor: float) -> Floats:
    """The combination of Krylov vectors with the least residual, from at most ``_DIRECTIONS`` of them; a Euclidean norm of ``floor`` is enough."""
    basis = np.empty((_DIRECTIONS + 1, residual.size))
    triangle = np.zeros((_DIRECTIONS + 1, _DIRECTIONS))
    rotations = np.empty((2, _DIRECTIONS))
    right = np.zeros(_DIRECTIONS + 1)
    # In units of a power of two no square overflows and no digit changes.
    unit = 2.0 ** (math.frexp(float(np.abs(residual).max()))[1] - 1)
    right[0] = unit * np.linalg.norm(residual / unit)
    basis[0] = residual.ravel() / right[0]
    steps, more = 0, True
    while more and steps < _DIRECTIONS:
        new = moved(basis[steps].reshape(residual.shape)).ravel()
        steps, more = _one_direction_more(basis, triangle, rotations, right, new, steps, floor)
    step: Floats = _combined(basis, triangle, right, steps)
    return step.reshape(residual.shape)


_reassociated = njit(fastmath={"reassoc", "contract", "nsz"})
"""For sums whose value nothing certified rests on."""


@_reassociated
def _dot(x: Floats, y: Floats) -> float:
    total = 0.0
    for i in range(len(x)):
        total += x[i] * y[i]
    return total


@_reassociated
def _subtract(x: Floats, share: float, y: Floats) -> None:
    for i in range(len(x)):
        x[i] -= share * y[i]


@_reassociated
def _one_direction_more(
    basis: Floats, triangle: Floats, rotations: Floats, right: Floats, image: Floats, k: int, floor: float
) -> tuple[int, bool]:
    """Add the ``image`` of the k-th direction, without its mean, to the basis: how many are usable now, and whether more would help.

    ``triangle`` and ``right`` are the least-squares problem after the Givens ``rotations`` (cosines, then sines).
    """
    new = basis[k + 1]
    mean = 0.0
    for i in range(len(image)):
        mean += image[i]
    mean /= len(image)
    for i in range(len(image)):
        new[i] = image[i] - mean
    whole = np.sqrt(_dot(new, new))
    for i in range(k + 1):
        triangle[i, k] = _dot(basis[i], new)
        _subtract(new, triangle[i, k], basis[i])
    length = np.sqrt(_dot(new, new))
    # Of a vector that lies in the span of the others only rounding is left.
    length = length if length > 2.0**-45 * whole else 0.0
    for i in range(k):
        upper, lower = triangle[i, k], triangle[i + 1, k]
        triangle[i, k] = rotations[0, i] * upper + rotations[1, i] * lower
        triangle[i + 1, k] = rotations[0, i] * lower - rotations[1, i] * upper
    radius = np.sqrt(triangle[k, k] ** 2 + length**2)
    if radius == 0.0:
        return k, False
    rotations[0, k], rotations[1, k] = triangle[k, k] / radius, length / radius
    triangle[k, k] = radius
    right[k], right[k + 1] = rotations[0, k] * right[k], -rotations[1, k] * right[k]
    if length == 0.0:
        return k + 1, False
    for i in range(len(new)):
        new[i] /= length
    return k + 1, abs(right[k + 1]) > floor


@_reassociated
def _combined(basis: Floats, triangle: Floats, right: Floats, steps: int) -> Floats:
    """The solution of the least-squares problem as a combination of the directions."""
    out = np.zeros(basis.shape[1])
    for k in range(steps - 1, -1, -1):
        for i in range(k + 1, steps):
            right[k] -= triangle[k, i] * right[i]
        right[k] /= triangle[k, k]
        _subtract(out, -right[k], basis[k])
    return out
