r"""Linear decision processes with infinitely many local states (Theorem 4.12, Appendix J), reduced exactly to finite ones.

A local state is a point ``x`` of [0, 1]. The interval is cut into *cells*; the local kernel is a mixture

    P_l(dx' | x, g, a) = sum_m phi_m(x, g, a) nu_m(dx')

of ``d`` fixed densities ``nu_m``, with features ``phi(x, g, a)`` in the probability simplex that are constant in ``x`` on every
cell, and ``r_l(x, g, a)`` is constant on cells too. This is a linear decision process (Jin, Yang, Wang and Jordan 2020) of
dimension ``d + 1``: the reward is one more feature, with the zero measure and weight 1.

*Reduction.* A local state acts through its cell only, and the mass that ``nu_m`` gives to a cell is a fixed number. So the cells
of the agents form a Markov decision process of their own, the finite :class:`~mfverify.model.Model` with local kernel
``P_l(j | i, g, a) = sum_m phi_m(i, g, a) nu_m(cell j)``, and ``V*``, ``Q*_k``, the policy of Algorithm 1 and the value of the
executed policy at ``(x_1, .., x_n)`` are those of the finite model at the cells. Nothing is approximated.

*What this does not cover.* Features that vary inside a cell (say ``phi = (x, 1 - x)``) have no such reduction; an infinite global
state space is not treated; the global kernel and the rewards are known to the learner. So a violation found here is a violation
of the statement about linear processes, while instances that hold say nothing about features beyond these.

*Learning.* Least-squares value iteration (Jin et al. 2020, Algorithm 1) with M sampled transitions from every (cell, g, a):
the regression of ``V(x')`` on the features is linear in ``V``, so regressing the indicators of the cells once, with ridge 1,
gives ``phi^T N V`` for every ``V`` at once, in exact arithmetic. The estimated row ``phi^T N`` is clipped at 0 and normalised, so
that it is a kernel, and Algorithm 1 runs on the k-agent system of that kernel.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import flint
import numpy as np

from mfverify.enclosure import round_up
from mfverify.errors import ModelError
from mfverify.exact.rational import fraction
from mfverify.model import Model
from mfverify.rationals import shown
from mfverify.subsample_mfq.learning import Learned, learn
from mfverify.validation import positive_integer

if TYPE_CHECKING:
    from mfverify.notation import Exact, Floats, Integers


@dataclass(frozen=True, eq=False)
class LinearMDP:
    """A linear decision process on [0, 1].

    Parameters
    ----------
    breaks: ``0 = b_0 < b_1 < .. < b_S = 1``; cell ``i`` is ``[b_i, b_{i+1})``, the last one closed.
    features: ``phi[i, g, a, m]`` on cell ``i``, rows in the probability simplex.
    measures: ``nu[m, i]``, the mass of component ``m`` on cell ``i``, spread evenly over it; rows sum to one.
    reward: ``r_l[i, g, a]`` on cell ``i``.
    surroundings: a model that gives the global kernel, the global reward, the discount and the name; its local part is replaced.

    All Fractions. Raises :class:`ModelError` where the shapes do not fit, breaks do not ascend from 0 to 1 or a row is no law.
    """

    breaks: tuple[Fraction, ...]
    features: Exact
    measures: Exact
    reward: Exact
    surroundings: Model

    def __post_init__(self) -> None:
        cells = len(self.breaks) - 1
        if cells < 1 or self.breaks[0] != 0 or self.breaks[-1] != 1 or any(x >= y for x, y in pairwise(self.breaks)):
            raise ModelError(f"breaks: found {[shown(b) for b in self.breaks]}, expected numbers that ascend from 0 to 1")
        if self.measures.ndim != 2 or self.measures.shape[1] != cells:
            raise ModelError(f"measures: found shape {self.measures.shape}, expected one mass per component and each of {cells} cells")
        if self.features.shape != (*self.reward.shape, len(self.measures)) or self.reward.shape[0] != cells:
            wanted = (cells, *self.reward.shape[1:], len(self.measures))
            raise ModelError(f"features: found shape {self.features.shape}, expected {wanted} (cell, s_g, a_l, component)")
        for name, array in (("features", self.features), ("measures", self.measures)):
            for index in np.ndindex(array.shape[:-1]):
                if min(array[index]) < 0 or sum(array[index]) != 1:
                    raise ModelError(f"{name}{list(index)}: found {[shown(p) for p in array[index]]}, expected numbers >= 0 with sum 1")

    @cached_property
    def reduction(self) -> Model:
        """The finite model over cells: exact, see the head of this file."""
        return replace(self.surroundings, local_kernel=self.features @ self.measures, local_reward=self.reward)

    def cell(self, point: Fraction) -> int:
        """The cell of a point of [0, 1]."""
        if not 0 <= point <= 1:
            raise ModelError(f"point: found {shown(point)}, expected a number from 0 to 1")
        return sum(1 for b in self.breaks[1:-1] if b <= point)

    def density(self, target: Fraction, point: Fraction, g: int, a: int) -> Fraction:
        """The density of ``P_l(dx' | x, g, a)`` at ``x' = target`` for ``x = point``."""
        j = self.cell(target)
        mass: Fraction = self.features[self.cell(point), g, a] @ self.measures[:, j]
        return mass / (self.breaks[j + 1] - self.breaks[j])


def spread(model: Model) -> LinearMDP:
    """A finite model as a linear process: local state ``s`` is the s-th of equal cells, ``nu_s`` uniform on it, ``phi`` a kernel row."""
    size = model.sizes[2]
    masses = np.array([[Fraction(int(i == j)) for j in range(size)] for i in range(size)], dtype=object)
    breaks = tuple(Fraction(i, size) for i in range(size + 1))
    return LinearMDP(breaks, model.local_kernel, masses, model.local_reward, model)


def random_mixture(seed: int, cells: int = 3, components: int = 2) -> LinearMDP:
    """A seeded coupled process with fewer components than cells: two global states, two actions for every agent.

    Laws are drawn near the corners of the simplex (Dirichlet weight 0.15, in sixteenths) and local rewards in eighths from
    [-1, 1], as in the random coupled models; the cells have random rational lengths.
    """
    rng = random.Random(f"mixture {seed} {cells} {components}")

    def law(size: int) -> list[Fraction]:
        draws = [rng.gammavariate(0.15, 1.0) for _ in range(size)]
        total = sum(draws) or 1.0
        parts = [round(x / total * 16) for x in draws]
        parts[parts.index(max(parts))] += 16 - sum(parts)
        return [Fraction(p, 16) for p in parts]

    def exact(rows: Sequence[object]) -> Exact:
        return np.array(rows, dtype=object)

    lengths = [rng.randint(1, 4) for _ in range(cells)]
    breaks = tuple(Fraction(sum(lengths[:i]), sum(lengths)) for i in range(cells + 1))
    measures = exact([law(cells) for _ in range(components)])
    features = exact([[[law(components) for _a in range(2)] for _g in range(2)] for _i in range(cells)])
    reward = exact([[[Fraction(rng.randint(-8, 8), 8) for _a in range(2)] for _g in range(2)] for _i in range(cells)])
    surroundings = Model(
        [[law(2) for _b in range(2)] for _g in range(2)],
        features @ measures,
        [[Fraction(rng.randint(-8, 8), 32) for _b in range(2)] for _g in range(2)],
        reward,
        discount=Fraction(9, 10),
        name=f"mixture(seed={seed}, cells={cells}, components={components})",
        documentation="A seeded linear decision process on [0, 1], reduced to its cells.",
    )
    return LinearMDP(breaks, features, measures, reward, surroundings)


def sample_transitions(process: LinearMDP, transitions: int, rng: np.random.Generator) -> Floats:
    """Next states ``x'`` in [0, 1], axes ``[cell, g, a, sample]``: ``transitions`` of them from every (cell, g, a).

    A component is drawn by the features, then a point by its density.
    """
    transitions = positive_integer("transitions", transitions)
    breaks = np.array([float(b) for b in process.breaks])
    points = np.empty((*process.reward.shape, transitions))
    thresholds = np.cumsum([[float(p) for p in row] for row in process.measures], axis=1)
    thresholds /= thresholds[:, -1:]
    for index in np.ndindex(process.reward.shape):
        weights = np.array([float(p) for p in process.features[index]])
        component = rng.choice(len(weights), size=transitions, p=weights / weights.sum())
        within = rng.random(transitions)
        # The density of a component is constant on cells: the cell by its mass, then a uniform point of it.
        target = (thresholds[component] <= rng.random((transitions, 1))).sum(axis=1)
        points[index] = breaks[target] + within * (breaks[target + 1] - breaks[target])
    return points


def cell_counts(process: LinearMDP, points: Floats) -> Integers:
    """How many of the points ``[.., sample]`` lie in each cell, axes ``[.., cell]``; decided exactly for doubles."""
    # A double is at least a rational break exactly when it is at least the smallest double that is not below the break.
    inner = np.array([round_up(b) for b in process.breaks[1:-1]])
    found = np.searchsorted(inner, points, side="right")
    return np.stack([(found == j).sum(axis=-1) for j in range(len(process.breaks) - 1)], axis=-1).astype(np.int64)


def regress(process: LinearMDP, hits: Integers) -> Exact:
    """Estimated masses ``N[m, j]``: ridge regression of the indicators of the cells on the features, ridge 1, exact.

    ``hits[i, g, a, j]`` counts the sampled transitions from (cell i, g, a) into cell j. With ``Lambda = I + sum phi phi^T`` over
    all transitions, ``N = Lambda^{-1} sum phi e_j^T`` (Jin et al. 2020, eq. 3.1, for all targets at once).
    """
    rows = process.features.reshape(-1, len(process.measures))
    table = hits.reshape(len(rows), -1)
    size, cells = rows.shape[1], table.shape[1]
    gram = flint.fmpq_mat(size, size, [int(i == j) for i in range(size) for j in range(size)])
    right = flint.fmpq_mat(size, cells)
    for phi, counted in zip(rows, table, strict=True):
        times = int(counted.sum())
        for i in range(size):
            for j in range(size):
                gram[i, j] += _fmpq(times * phi[i] * phi[j])
            for j in range(cells):
                right[i, j] += _fmpq(phi[i] * int(counted[j]))
    solution = gram.solve(right)
    return np.array([[fraction(solution[i, j]) for j in range(cells)] for i in range(size)], dtype=object)


def estimated_kernel(process: LinearMDP, hits: Integers) -> Exact:
    """The kernel over cells ``[i, g, a, j]`` that the regression predicts: ``phi^T N``, clipped at 0 and normalised."""
    predicted = process.features @ regress(process, hits)
    clipped = np.array([max(x, Fraction(0)) for x in predicted.ravel()], dtype=object).reshape(predicted.shape)
    totals = clipped.sum(axis=-1)
    if min(totals.ravel()) == 0:
        raise ModelError("transitions: the regression predicts no next state in some cell; sample more transitions")
    kernel: Exact = clipped / totals[..., np.newaxis]
    return kernel


def sampled_kernel(process: LinearMDP, transitions: int, seed: int) -> Exact:
    """The kernel estimated from seeded samples, ``transitions`` of them from every (cell, g, a)."""
    points = sample_transitions(process, transitions, np.random.default_rng(seed))
    return estimated_kernel(process, cell_counts(process, points))


def learn_with_kernel(process: LinearMDP, kernel: Exact, k: int) -> Learned:
    """Algorithm 1 on the k-agent system that moves by ``kernel``; its policy, to be executed in the true system.

    The enclosed value in the result is that of the assumed system.
    """
    assumed = learn(replace(process.reduction, local_kernel=kernel), k)
    return replace(assumed, model=process.reduction)


def _fmpq(x: Fraction) -> flint.fmpq:
    return flint.fmpq(x.numerator, x.denominator)
