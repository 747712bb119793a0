"""Storm's explicit format (.drn) with exact rationals.

The format has no discount. It is modelled as stopping: every transition keeps the share ``gamma`` of its probability, and the
rest leads to one more state, labelled ``end``, in which nothing is earned. The expected total reward until ``end`` is then the
discounted value: it is ``V*(g, c) = R{"reward"}max=? [F "end"]`` in the state labelled ``g<g>_c<counts>``.

There are two reward structures. ``reward`` is the model's, which may be negative. Storm's iterative solvers assume rewards
that are not: with negative ones they return wrong numbers for reachability rewards, and refuse total rewards; its exact
engine is right for both. ``nonnegative`` is the same reward minus its smallest value over all choices (:func:`reward_floor`), so
that ``V* = R{"nonnegative"}max + floor / (1 - gamma)`` for every solver. The header of the file states that offset.

Needs Storm 1.10 or later (``@value_type``). Source: Storm's parser of the format, *DirectEncodingParser*.
"""

from __future__ import annotations

from fractions import Fraction
from math import lcm, log10
from typing import TYPE_CHECKING, BinaryIO

import flint

from mfverify.errors import TooLargeError
from mfverify.exact.rational import JointAction, RationalSystem, fraction
from mfverify.export.explicit import Extent, extent
from mfverify.rationals import written

if TYPE_CHECKING:
    from mfverify.exact.rational import State
    from mfverify.model import Model

MOST_BYTES = 2**29
"""Files that could be longer are refused before any work."""

PROPERTY = 'R{"nonnegative"}max=? [F "end"]'
"""What any of Storm's engines is asked; :func:`value_offset` turns the answer into ``V*``."""

EXACT_PROPERTY = 'R{"reward"}max=? [F "end"]'
"""What Storm's exact engine is asked: the answer is ``V*``."""


def longest_file(model: Model, n: int, size: Extent) -> int:
    """An upper bound of the bytes of the file: every numerator and denominator as long as its common denominator."""
    local = lcm(*(p.denominator for p in model.local_kernel.ravel()))
    rest = lcm(*(p.denominator for p in model.global_kernel.ravel())) * model.discount.denominator
    reward = lcm(*(r.denominator for r in (*model.global_reward.ravel(), *model.local_reward.ravel()))) * n
    digits = n * log10(local) + log10(rest) + 2
    _, _, size_l, local_actions = model.sizes
    names = 8 + 4 * size_l * local_actions
    per_choice = 40 + names + 4 * (log10(reward) + log10(max(1, float(model.rt))) + 4) + 2 * (log10(model.discount.denominator) + 1)
    return int(size.transitions * (2 * digits + 8 + len(str(size.states))) + size.choices * per_choice + size.states * (24 + names)) + 2000


def reward_floor(model: Model) -> Fraction:
    """What ``nonnegative`` subtracts: the smallest reward of any choice, or one less where all rewards are equal.

    The smallest is earned where every agent is in one local state and takes its least rewarding action, for every n. Storm
    refuses a reward structure that is zero everywhere, hence the exception.
    """
    states, _, size, _ = model.sizes
    ends = []
    for pick in (min, max):
        ends.append(pick(pick(model.global_reward[g]) + pick(pick(model.local_reward[s, g]) for s in range(size)) for g in range(states)))
    least, most = ends
    return Fraction(least - (least == most))


def value_offset(model: Model) -> Fraction:
    """What is added to the value of ``nonnegative`` to get ``V*``, exact and the same for every n."""
    return reward_floor(model) / (1 - model.discount)


def state_label(state: State) -> str:
    """The label of a state in the file: ``g1_c0_3`` is global state 1 with counts (0, 3)."""
    g, c = state
    return f"g{g}_c{'_'.join(map(str, c))}"


def action_label(action: JointAction) -> str:
    """The label of a choice: ``b1_d0_2_1_0`` is global action 1 with these action counts over ``Z_l``, local state major."""
    b, d = action
    return f"b{b}_d{'_'.join(map(str, d))}"


def write_drn(model: Model, n: int, stream: BinaryIO) -> Extent:
    """Write the n-agent system; returns how large it is (the state ``end`` apart).

    Raises :class:`TooLargeError` before anything is written. Cost: exact arithmetic for every transition.
    """
    size = extent(model, n)
    longest = longest_file(model, n, size)
    if longest > MOST_BYTES:
        raise TooLargeError(
            f"{model.name} with {n} agents needs a .drn file of up to {longest / 2**20:.3g} MiB ({size.transitions:.3g} transitions with exact "
            f"rationals), more than {MOST_BYTES / 2**20:.3g} MiB; use fewer agents, or quantecon-npz"
        )
    system = RationalSystem(model, n)
    stream.write(_header(model, n, size).encode("utf-8"))
    gamma = flint.fmpq(model.discount.numerator, model.discount.denominator)
    floor = reward_floor(model)
    number = {state: i for i, state in enumerate(system.states)}
    end = f"\t\t{size.states} : {1 - gamma}\n"
    transitions = 0
    for (g, c), i in number.items():
        lines = [f"state {i} init {state_label((g, c))}\n"]
        for b in range(model.sizes[1]):
            mixed = [(h, gamma * flint.fmpq(p.numerator, p.denominator)) for h, p in enumerate(model.global_kernel[g, b]) if p]
            for d in system.local_action_counts(c):
                reward = fraction(system.reward(g, (b, d)))
                lines.append(f"\taction {action_label((b, d))} [{written(reward)}, {written(reward - floor)}]\n")
                law = sorted(system.law(g, d).items())
                lines += [f"\t\t{number[h, target]} : {weight * p}\n" for h, weight in mixed for target, p in law]
                lines.append(end)
                transitions += len(mixed) * len(law)
        stream.write("".join(lines).encode("utf-8"))
    stream.write(f"state {size.states} end\n\taction end [0, 0]\n\t\t{size.states} : 1\n".encode())
    return Extent(size.states, size.choices, transitions)


def _header(model: Model, n: int, size: Extent) -> str:
    name = "".join(c if c.isprintable() else "?" for c in model.name)
    return (
        f"// {name}, {n} agents, written by mfverify. Discount {written(model.discount)}: every transition keeps this share of its\n"
        f'// probability and the rest leads to the state "end". Value of a state: {EXACT_PROPERTY} (exact engine), or\n'
        f"// {PROPERTY} + ({written(value_offset(model))}) (any engine; nonnegative = reward - ({written(reward_floor(model))})).\n"
        f"@type: MDP\n@value_type: rational\n@parameters\n\n@reward_models\nreward nonnegative\n"
        f"@nr_states\n{size.states + 1}\n@nr_choices\n{size.choices + 1}\n@model\n"
    )
