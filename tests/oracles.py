"""Brute-force oracles: labelled agents, every subset enumerated, plain Fractions. No code is shared with mfverify.

An :class:`Instance` is the data of a model in nested tuples. A :class:`LabelledSystem` is its n-agent decision process with
one coordinate per agent. Its optimum comes from exact policy iteration and is accepted only after exact substitution into
Bellman's equation; a policy's value comes from an exact linear solve and is accepted only after exact substitution. So the
libraries used on the way need not be trusted.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property, lru_cache
from itertools import combinations, permutations, product
from math import prod
from typing import Any, TypeVar

import flint

State = tuple[int, tuple[int, ...]]
"""A global state and the labelled agents' states, or a global state and a count vector."""
Action = tuple[int, tuple[int, ...]]
"""A global action and the labelled agents' actions, or a global action and action counts over Z_l."""
Node = TypeVar("Node", bound=Hashable)
Move = TypeVar("Move", bound=Hashable)
Row = tuple[Fraction, Mapping[Node, Fraction]]
"""A reward and the law of the next state."""


# ---------------------------------------------------------------------------------------------------------------- instances


@dataclass(frozen=True)
class Instance:
    """``global_kernel[g][b][h]``, ``local_kernel[s][g][a][t]``, ``global_reward[g][b]``, ``local_reward[s][g][a]``."""

    global_kernel: Any
    local_kernel: Any
    global_reward: Any
    local_reward: Any
    discount: Fraction
    name: str = "instance"

    @property
    def sizes(self) -> tuple[int, int, int, int]:
        """``(|S_g|, |A_g|, |S_l|, |A_l|)``."""
        return len(self.global_kernel), len(self.global_kernel[0]), len(self.local_kernel), len(self.local_kernel[0][0])

    @property
    def rt(self) -> Fraction:
        """``max |r_g| + max |r_l|``."""
        return max(abs(r) for row in self.global_reward for r in row) + max(
            abs(r) for block in self.local_reward for row in block for r in row
        )


def nested(shape: Sequence[int], entry: Callable[..., Any], *index: int) -> Any:
    """Nested tuples of the given shape."""
    if len(index) == len(shape):
        return entry(*index)
    return tuple(nested(shape, entry, *index, i) for i in range(shape[len(index)]))


def near_deterministic_row(rng: random.Random, size: int) -> tuple[Fraction, ...]:
    """A Dirichlet(0.15, .., 0.15) sample rounded to sixteenths that sum to one: usually one entry near 1, rarely mixed."""
    weights = [rng.gammavariate(0.15, 1.0) + 1e-12 for _ in range(size)]
    shares = [16 * w / sum(weights) for w in weights]
    parts = [int(x) for x in shares]
    for i in sorted(range(size), key=lambda i: parts[i] - shares[i])[: 16 - sum(parts)]:
        parts[i] += 1
    return tuple(Fraction(p, 16) for p in parts)


def random_instance(seed: int, global_states: int, global_actions: int, local_states: int, local_actions: int) -> Instance:
    """A coupled model: near-deterministic kernels, local rewards that depend on the global state, rewards in 32nds."""
    rng = random.Random(f"coupled {seed}")

    def reward(*_: int) -> Fraction:
        return Fraction(rng.randint(-32, 32), 32)

    return Instance(
        nested((global_states, global_actions), lambda *_: near_deterministic_row(rng, global_states)),
        nested((local_states, global_states, local_actions), lambda *_: near_deterministic_row(rng, local_states)),
        nested((global_states, global_actions), reward),
        nested((local_states, global_states, local_actions), reward),
        rng.choice([Fraction(1, 2), Fraction(3, 4), Fraction(9, 10)]),
        f"coupled-{seed}",
    )


def tied_instance(seed: int, global_states: int, global_actions: int, local_states: int, local_actions: int) -> Instance:
    """A deterministic model with rewards 0 and, rarely, 1: it is full of exact ties, of identical and of different actions."""
    rng = random.Random(f"tied {seed}")

    def unit(size: int) -> tuple[Fraction, ...]:
        target = rng.randrange(size)
        return tuple(Fraction(int(t == target)) for t in range(size))

    def reward(*_: int) -> Fraction:
        return Fraction(int(rng.random() < 0.25))

    return Instance(
        nested((global_states, global_actions), lambda *_: unit(global_states)),
        nested((local_states, global_states, local_actions), lambda *_: unit(local_states)),
        nested((global_states, global_actions), reward),
        nested((local_states, global_states, local_actions), reward),
        Fraction(1, 2),
        f"tied-{seed}",
    )


def moving_instance(seed: int, global_states: int, local_states: int, local_actions: int) -> Instance:
    """Agents choose their next state, so that every local state has the same few kernels; rewards differ everywhere."""
    drawn = random_instance(seed, global_states, 2, local_states, local_actions)
    units = [tuple(Fraction(int(t == s)) for t in range(local_states)) for s in range(local_states)]
    kernel = nested((local_states, global_states, local_actions), lambda s, g, a: units[(a + (s == g)) % local_states])
    return replace(drawn, local_kernel=kernel, name=f"moving-{seed}")


def with_local_reward(instance: Instance, s: int, g: int, a: int, change: Fraction) -> Instance:
    """The same instance with one local reward changed."""
    _, _, local_states, local_actions = instance.sizes
    shape = (local_states, instance.sizes[0], local_actions)
    changed = nested(shape, lambda *z: instance.local_reward[z[0]][z[1]][z[2]] + (change if z == (s, g, a) else 0))
    return replace(instance, local_reward=changed)


# ------------------------------------------------------------------------------------------------- exact decision processes


def solve_exactly(rows: Mapping[Node, Row[Node]], discount: Fraction) -> dict[Node, Fraction]:
    """The value of a Markov reward process, checked by substitution."""
    nodes = list(rows)
    number = {node: i for i, node in enumerate(nodes)}
    left, right = flint.fmpq_mat(len(nodes), len(nodes)), flint.fmpq_mat(len(nodes), 1)
    for node, (reward, law) in rows.items():
        i = number[node]
        assert sum(law.values()) == 1
        for target, p in law.items():
            x = Fraction(int(target == node)) - discount * p
            left[i, number[target]] = flint.fmpq(x.numerator, x.denominator)
        if node not in law:
            left[i, i] = 1
        right[i, 0] = flint.fmpq(reward.numerator, reward.denominator)
    solution = left.solve(right)
    value = {node: Fraction(int(solution[i, 0].p), int(solution[i, 0].q)) for node, i in number.items()}
    for node, (reward, law) in rows.items():
        assert value[node] == reward + discount * sum(p * value[target] for target, p in law.items())
    return value


def action_values(moves: Mapping[Move, Row[Node]], discount: Fraction, value: Mapping[Node, Fraction]) -> dict[Move, Fraction]:
    """``Q(state, .)`` exactly."""
    return {move: reward + discount * sum(p * value[target] for target, p in law.items()) for move, (reward, law) in moves.items()}


def solve_decisions(
    decisions: Mapping[Node, Mapping[Move, Row[Node]]], discount: Fraction
) -> tuple[dict[Node, Fraction], dict[Node, list[Move]]]:
    """The optimal value and all maximisers of every state; the value is checked to solve Bellman's equation exactly."""
    policy = {node: max(moves, key=lambda move: moves[move][0]) for node, moves in decisions.items()}
    while True:
        value = solve_exactly({node: decisions[node][policy[node]] for node in decisions}, discount)
        scores = {node: action_values(moves, discount, value) for node, moves in decisions.items()}
        best = {node: max(found.values()) for node, found in scores.items()}
        if best == value:
            return value, {node: [move for move, q in found.items() if q == best[node]] for node, found in scores.items()}
        for node, found in scores.items():
            if best[node] > value[node]:
                policy[node] = next(move for move, q in found.items() if q == best[node])


def iterate_values(decisions: Mapping[Node, Mapping[Move, Row[Node]]], discount: Fraction, steps: int) -> dict[Node, Fraction]:
    """Value iteration from 0 in Fractions: off by at most ``gamma^steps / (1 - gamma)`` times the largest reward."""
    value = dict.fromkeys(decisions, Fraction(0))
    for _ in range(steps):
        value = {node: max(action_values(moves, discount, value).values()) for node, moves in decisions.items()}
    return value


# ------------------------------------------------------------------------------------------------------------ labelled agents


def counts_of(values: Sequence[int], size: int) -> tuple[int, ...]:
    """How many of the values are 0, 1, .., size - 1."""
    found = Counter(values)
    return tuple(found[v] for v in range(size))


def all_count_vectors(n: int, size: int) -> list[tuple[int, ...]]:
    """The count vectors of n labelled agents, found by listing all their joint states, lexicographically sorted."""
    return sorted({counts_of(states, size) for states in product(range(size), repeat=n)})


def subset_law(counts: Sequence[int], k: int) -> dict[tuple[int, ...], Fraction]:
    """The law of the counts of a uniform k-subset, by listing the subsets of labelled agents."""
    labels = [s for s, x in enumerate(counts) for _ in range(x)]
    found = Counter(counts_of([labels[i] for i in subset], len(counts)) for subset in combinations(range(len(labels)), k))
    return {sample: Fraction(times, sum(found.values())) for sample, times in found.items()}


@dataclass(frozen=True)
class LabelledSystem:
    """The n-agent system with one coordinate per agent: states ``(g, (s_1..s_n))``, joint actions ``(b, (a_1..a_n))``."""

    instance: Instance
    n: int

    @cached_property
    def states(self) -> list[State]:
        """All labelled states."""
        global_states, _, local_states, _ = self.instance.sizes
        return [(g, s) for g in range(global_states) for s in product(range(local_states), repeat=self.n)]

    @cached_property
    def joint_actions(self) -> list[Action]:
        """All labelled joint actions."""
        _, global_actions, _, local_actions = self.instance.sizes
        return [(b, a) for b in range(global_actions) for a in product(range(local_actions), repeat=self.n)]

    def row(self, state: State, action: Action) -> Row[State]:
        """Reward and law of the next labelled state (eq. 1 and 2); each is computed once."""
        if (state, action) not in self._rows:
            self._rows[state, action] = self._multiplied(state, action)
        return self._rows[state, action]

    @cached_property
    def _rows(self) -> dict[tuple[State, Action], Row[State]]:
        return _rows_of(self)

    def _multiplied(self, state: State, action: Action) -> Row[State]:
        """One row, by multiplying out the agents' laws."""
        (g, s), (b, a) = state, action
        data = self.instance
        laws = [data.global_kernel[g][b], *(data.local_kernel[si][g][ai] for si, ai in zip(s, a, strict=True))]
        law: dict[State, Fraction] = {}
        for combination in product(*([(t, p) for t, p in enumerate(part) if p] for part in laws)):
            h, *t = (target for target, _ in combination)
            law[h, tuple(t)] = prod((p for _, p in combination), start=Fraction(1))
        reward = data.global_reward[g][b] + sum(data.local_reward[si][g][ai] for si, ai in zip(s, a, strict=True)) / self.n
        return Fraction(reward), law

    @cached_property
    def decisions(self) -> dict[State, dict[Action, Row[State]]]:
        """Every labelled state with every labelled joint action."""
        return {state: {action: self.row(state, action) for action in self.joint_actions} for state in self.states}

    @cached_property
    def _solution(self) -> tuple[dict[State, Fraction], dict[State, list[Action]]]:
        return _solution_of(self)

    @property
    def optimum(self) -> dict[State, Fraction]:
        """``V*`` of every labelled state, exactly."""
        return self._solution[0]

    @property
    def maximisers(self) -> dict[State, list[Action]]:
        """All labelled joint actions that maximise ``Q``, exactly."""
        return self._solution[1]

    def by_counts(self, value: Mapping[State, Fraction]) -> dict[State, Fraction]:
        """The value of (global state, count vector); fails unless it is the same for all labelled states with these counts."""
        size = self.instance.sizes[2]
        grouped: defaultdict[State, set[Fraction]] = defaultdict(set)
        for (g, s), v in value.items():
            grouped[g, counts_of(s, size)].add(v)
        for state, found in grouped.items():
            assert len(found) == 1, f"the value of {state} depends on the names of the agents"
        return {state: found.pop() for state, found in grouped.items()}

    def image(self, value: Mapping[State, Fraction]) -> dict[State, Fraction]:
        """``T V`` exactly, for a value on (global state, count vector)."""
        size = self.instance.sizes[2]
        labelled = {(g, s): value[g, counts_of(s, size)] for g, s in self.states}
        discount = self.instance.discount
        return self.by_counts({state: max(action_values(moves, discount, labelled).values()) for state, moves in self.decisions.items()})


# The same system is made again and again: for every way of drawing, and in every test of its instance.


@lru_cache(maxsize=100)
def _rows_of(system: LabelledSystem) -> dict[tuple[State, Action], Row[State]]:
    """The rows of a system that were computed so far."""
    return {}


@lru_cache(maxsize=100)
def _solution_of(system: LabelledSystem) -> tuple[dict[State, Fraction], dict[State, list[Action]]]:
    return solve_decisions(system.decisions, system.instance.discount)


# ----------------------------------------------------------------------------------------------- SUBSAMPLE-MFQ, by enumeration


@dataclass(frozen=True)
class PlanRules:
    """Plans as data, for each global state a list: what plan i is worth in each local state, what it plays, how it goes on.

    ``worth[g][i][s]``; ``actions[g][i]`` is a global action and an action for each local state; ``following[g][i][h]`` is the plan of global
    state h that comes next.
    """

    worth: Sequence[Sequence[Sequence[Fraction]]]
    actions: Sequence[Sequence[tuple[int, Sequence[int]]]]
    following: Sequence[Sequence[Sequence[int]]]

    def chosen(self, g: int, sample: Sequence[int]) -> int:
        """The first plan that is worth most to the agents of a labelled sample."""
        totals = [sum((row[s] for s in sample), Fraction(0)) for row in self.worth[g]]
        return totals.index(max(totals))

    def played(self, g: int, i: int, s: Sequence[int]) -> Action:
        """The labelled joint action of plan i."""
        b, own = self.actions[g][i]
        return b, tuple(own[label] for label in s)


@dataclass(frozen=True, eq=False)
class Greedy:
    """The greedy policy of the labelled k-agent system with the documented tie-breaking; the plans of ways that follow plans."""

    system: LabelledSystem
    rules: PlanRules | None = None

    def pair_counts(self, states: Sequence[int], actions: Sequence[int]) -> tuple[int, ...]:
        """Action counts over ``Z_l``."""
        _, _, local_states, local_actions = self.system.instance.sizes
        return counts_of([s * local_actions + a for s, a in zip(states, actions, strict=True)], local_states * local_actions)

    def global_action(self, g: int, sample: tuple[int, ...]) -> int:
        """The global agent's part: the smallest maximising ``a_g``."""
        return min(b for b, _ in self.system.maximisers[g, sample])

    def local_action(self, g: int, own: int, others: tuple[int, ...]) -> int:
        """The own part: of the maximisers, the smallest (a_g, own a_l, action counts of the others)."""
        found = self.system.maximisers[g, (own, *others)]
        return min((b, a[0], self.pair_counts(others, a[1:])) for b, a in found)[1]

    def _is_smallest_of_its_kind(self, s: int, g: int, a: int) -> bool:
        data = self.system.instance
        kind = (data.local_kernel[s][g][a], data.local_reward[s][g][a])
        return all((data.local_kernel[s][g][x], data.local_reward[s][g][x]) != kind for x in range(a))

    def shared_action(self, g: int, sample: tuple[int, ...]) -> Action:
        """The joint action of a shared sample: smallest (a_g, action counts over Z_l), identical actions counted once."""
        found = [
            (b, a)
            for b, a in self.system.maximisers[g, sample]
            if all(self._is_smallest_of_its_kind(s, g, x) for s, x in zip(sample, a, strict=True))
        ]
        return min(found, key=lambda action: (action[0], self.pair_counts(sample, action[1]), action[1]))


def independent_play(greedy: Greedy, n: int, state: State) -> dict[Action, Fraction]:
    """Algorithm 2: the law of the labelled joint action, over all draws of all agents."""
    k = greedy.system.n
    g, s = state
    of_global = [greedy.global_action(g, tuple(s[i] for i in subset)) for subset in combinations(range(n), k)]
    of_agents = [
        [greedy.local_action(g, s[i], tuple(s[j] for j in subset)) for subset in combinations([j for j in range(n) if j != i], k - 1)]
        for i in range(n)
    ]
    draws = Counter((b, tuple(a)) for b, *a in product(of_global, *of_agents))
    return {action: Fraction(times, sum(draws.values())) for action, times in draws.items()}


def shared_play(greedy: Greedy, n: int, state: State) -> dict[Action, Fraction]:
    """One common subset: members play their part, an outsider copies a random member in its state, or plays 0 without one."""
    k = greedy.system.n
    g, s = state
    subsets = list(combinations(range(n), k))
    law: defaultdict[Action, Fraction] = defaultdict(Fraction)
    for subset in subsets:
        for action, p in _copied(greedy, g, s, subset).items():
            law[action] += p / len(subsets)
    return dict(law)


def _copied(greedy: Greedy, g: int, s: Sequence[int], subset: Sequence[int]) -> dict[Action, Fraction]:
    """The members of one subset play their part; the others copy."""
    b, part = greedy.shared_action(g, tuple(s[i] for i in subset))
    played = dict(zip(subset, part, strict=True))
    options = [[played[i]] if i in played else [played[j] for j in subset if s[j] == s[i]] or [0] for i in range(len(s))]
    found = Counter((b, a) for a in product(*options))
    return {action: Fraction(times, sum(found.values())) for action, times in found.items()}


def plan_play(greedy: Greedy, n: int, state: State) -> dict[Action, Fraction]:
    """One common subset, and all agents follow the plan that is worth most to it."""
    g, s = state
    assert greedy.rules is not None
    subsets = list(combinations(range(n), greedy.system.n))
    law: defaultdict[Action, Fraction] = defaultdict(Fraction)
    for subset in subsets:
        law[greedy.rules.played(g, greedy.rules.chosen(g, [s[i] for i in subset]), s)] += Fraction(1, len(subsets))
    return dict(law)


def with_replacement_play(greedy: Greedy, n: int, state: State) -> dict[Action, Fraction]:
    """As :func:`independent_play`, over all sequences of agents that may repeat; a local agent draws k - 1 of the others."""
    k = greedy.system.n
    g, s = state
    of_global = [greedy.global_action(g, tuple(s[i] for i in drawn)) for drawn in product(range(n), repeat=k)]
    of_agents = [
        [greedy.local_action(g, s[i], tuple(s[j] for j in drawn)) for drawn in product([j for j in range(n) if j != i], repeat=k - 1)]
        for i in range(n)
    ]
    laws = [{a: Fraction(times, len(found)) for a, times in Counter(found).items()} for found in (of_global, *of_agents)]
    return {(b, tuple(a)): prod((law[x] for law, x in zip(laws, (b, *a), strict=True)), start=Fraction(1)) for b, *a in product(*laws)}


def systematic_play(greedy: Greedy, n: int, state: State) -> dict[Action, Fraction]:
    """As :func:`independent_play`, over all starts of each agent in the list of agents ordered by state, walked as a circle."""
    k = greedy.system.n
    g, s = state

    def samples(agents: Sequence[int], size: int) -> list[list[int]]:
        listed = sorted(agents, key=lambda i: (s[i], i))
        interval = len(listed) // size if size else 0
        return [[s[(listed * 2)[start + j * interval]] for j in range(size)] for start in range(len(listed))] or [[]]

    of_global = [greedy.global_action(g, tuple(drawn)) for drawn in samples(range(n), k)]
    of_agents = [
        [greedy.local_action(g, s[i], tuple(drawn)) for drawn in samples([j for j in range(n) if j != i], k - 1)] for i in range(n)
    ]
    laws = [{a: Fraction(times, len(found)) for a, times in Counter(found).items()} for found in (of_global, *of_agents)]
    return {(b, tuple(a)): prod((law[x] for law, x in zip(laws, (b, *a), strict=True)), start=Fraction(1)) for b, *a in product(*laws)}


def shared_list_play(greedy: Greedy, n: int, state: State) -> dict[Action, Fraction]:
    """One common ordering of the agents: the global agent uses the first k, an agent itself and the first k - 1 others."""
    k = greedy.system.n
    g, s = state
    found: Counter[Action] = Counter()
    for order in permutations(range(n)):
        b = greedy.global_action(g, tuple(s[i] for i in order[:k]))
        a = tuple(greedy.local_action(g, s[i], tuple([s[j] for j in order if j != i][: k - 1])) for i in range(n))
        found[b, a] += 1
    return {action: Fraction(times, sum(found.values())) for action, times in found.items()}


def stratified_play(greedy: Greedy, n: int, state: State) -> dict[Action, Fraction]:
    """A systematic sample of the agents ordered by state, members and outsiders as for one common subset.

    With ``v`` in the middle of ``[i/n, (i+1)/n)``: places change only where ``v`` is a multiple of ``1/n``.
    """
    k = greedy.system.n
    g, s = state
    order = sorted(range(n), key=lambda i: (s[i], i))
    law: defaultdict[Action, Fraction] = defaultdict(Fraction)
    for i in range(n):
        v = Fraction(2 * i + 1, 2 * n)
        subset = [order[int((v + j) * n / k)] for j in range(k)]
        for action, p in _copied(greedy, g, s, subset).items():
            law[action] += p / n
    return dict(law)


PLAYS: Mapping[str, Callable[[Greedy, int, State], dict[Action, Fraction]]] = {
    "independent": independent_play,
    "with-replacement": with_replacement_play,
    "shared": shared_play,
    "shared-list": shared_list_play,
    "stratified": stratified_play,
    "systematic": systematic_play,
    "plan": plan_play,
}


def play_by_counts(greedy: Greedy, n: int, g: int, c: Sequence[int], sampling: str) -> dict[tuple[int, ...], Fraction]:
    """The law of (global action, action counts over ``Z_l``) in the first step from the global state ``g`` and counts ``c``."""
    k = greedy.system.n
    labels = tuple(s for s, x in enumerate(c) for _ in range(x))
    if sampling == "pool":  # all names are equally likely
        named = list(permutations(labels))
        laws = [{_dealt(greedy, g, s, range(k)): Fraction(1, len(named))} for s in named]
    else:
        named = [labels]
        laws = [{"fixed": shared_play, "plan-fixed": plan_play}.get(sampling, PLAYS.get(sampling, shared_play))(greedy, n, (g, labels))]
    found: defaultdict[tuple[int, ...], Fraction] = defaultdict(Fraction)
    for s, law in zip(named, laws, strict=True):
        for (b, a), p in law.items():
            found[b, *greedy.pair_counts(s, a)] += p
    return dict(found)


def execution_value(instance: Instance, n: int, k: int, sampling: str, rules: PlanRules | None = None) -> dict[State, Fraction]:
    """The exact value of ``pi_k`` on (global state, count vector), from the labelled chain.

    ``fixed``: one subset for all time, its members' part copied by the others, averaged over the subsets. ``pool``: blocks of
    consecutive agents in turn, averaged over the labelled states of a count vector. ``plan-fixed``: the plan of one subset for all time,
    averaged over the subsets. The plans of ``plan`` and ``plan-fixed`` are ``rules``.
    """
    system = LabelledSystem(instance, n)
    greedy = Greedy(LabelledSystem(instance, k), rules)
    if sampling == "plan-fixed":
        assert rules is not None
        return plan_fixed_value(system, k, rules)
    if sampling == "pool":
        return pool_value(instance, n, k, [[(i * k + j) % n for j in range(k)] for i in range(-(-n // k))])
    if sampling == "fixed":
        subsets = list(combinations(range(n), k))
        values = [_labelled_value(system, lambda state, subset=subset: _copied(greedy, *state, subset)) for subset in subsets]
        return system.by_counts({state: sum((v[state] for v in values), Fraction(0)) / len(subsets) for state in system.states})
    return system.by_counts(_labelled_value(system, lambda state: PLAYS[sampling](greedy, n, state)))


def plan_fixed_value(system: LabelledSystem, k: int, rules: PlanRules) -> dict[State, Fraction]:
    """The exact value of following the plan of one subset, on the labelled chain that remembers the plan."""
    rows: dict[tuple[int, State], Row[tuple[int, State]]] = {}
    for g, s in system.states:
        for i in range(len(rules.actions[g])):
            reward, law = system.row((g, s), rules.played(g, i, s))
            rows[i, (g, s)] = reward, {(rules.following[g][i][h], (h, t)): p for (h, t), p in law.items()}
    value = solve_exactly(rows, system.instance.discount)
    found = {}
    for g, s in system.states:
        plans = [rules.chosen(g, [s[i] for i in subset]) for subset in combinations(range(system.n), k)]
        found[g, s] = sum((value[i, (g, s)] for i in plans), Fraction(0)) / len(plans)
    return system.by_counts(found)


def pool_value(instance: Instance, n: int, k: int, subsets: Sequence[Sequence[int]]) -> dict[State, Fraction]:
    """The exact value of subsets used in turn, on the labelled chain with a place in the list, averaged over labelled states."""
    system = LabelledSystem(instance, n)
    greedy = Greedy(LabelledSystem(instance, k))
    size = instance.sizes[2]
    rows: dict[tuple[int, State], Row[tuple[int, State]]] = {}
    for place, subset in enumerate(subsets):
        for state in system.states:
            reward, law = system.row(state, _dealt(greedy, *state, sorted(subset)))
            rows[place, state] = reward, {((place + 1) % len(subsets), target): p for target, p in law.items()}
    value = solve_exactly(rows, instance.discount)
    grouped: defaultdict[State, list[Fraction]] = defaultdict(list)
    for g, s in system.states:
        grouped[g, counts_of(s, size)].append(value[0, (g, s)])
    return {state: sum(found, Fraction(0)) / len(found) for state, found in grouped.items()}


def _dealt(greedy: Greedy, g: int, s: Sequence[int], subset: Sequence[int]) -> Action:
    """Members play their part, lowest actions first; in each state the others copy its members in turn, in the order of names."""
    b, part = greedy.shared_action(g, tuple(s[i] for i in subset))
    in_state = {label: sorted(a for i, a in zip(subset, part, strict=True) if s[i] == label) for label in set(s)}
    played: dict[int, int] = {}
    for label, actions in in_state.items():
        for inside in (True, False):
            for order, i in enumerate(i for i, si in enumerate(s) if si == label and (i in subset) == inside):
                played[i] = actions[order % len(actions)] if actions else 0
    return b, tuple(played[i] for i in range(len(s)))


def _labelled_value(system: LabelledSystem, play: Callable[[State], Mapping[Action, Fraction]]) -> dict[State, Fraction]:
    """The exact value of a labelled policy."""
    rows: dict[State, Row[State]] = {}
    for state in system.states:
        reward = Fraction(0)
        law: defaultdict[State, Fraction] = defaultdict(Fraction)
        for action, weight in play(state).items():
            earned, targets = system.row(state, action)
            reward += weight * earned
            for target, p in targets.items():
                law[target] += weight * p
        rows[state] = (reward, law)
    return solve_exactly(rows, system.instance.discount)


# ---------------------------------------------------------------------------------------------------------------- comparisons


def flat_order(instance: Instance, n: int) -> list[tuple[tuple[int, int], State]]:
    """Pairs (index in a value array ``[g, rank]``, (global state, count vector))."""
    vectors = all_count_vectors(n, instance.sizes[2])
    return [((g, i), (g, c)) for g in range(instance.sizes[0]) for i, c in enumerate(vectors)]


def assert_encloses(enclosure: Any, expected: Mapping[State, Fraction], instance: Instance, n: int) -> None:
    """Every entry of the enclosure contains the expected rational, and there are exactly as many entries."""
    order = flat_order(instance, n)
    assert len(order) == len(expected) == enclosure.lower.size
    assert enclosure.lower.shape == enclosure.upper.shape == (instance.sizes[0], len(order) // instance.sizes[0])
    for index, state in order:
        low, up = Fraction(float(enclosure.lower[index])), Fraction(float(enclosure.upper[index]))
        assert low <= expected[state] <= up, (
            f"{instance.name}, n={n}, {state}: [{float(low)!r}, {float(up)!r}] misses {float(expected[state])!r}"
        )
