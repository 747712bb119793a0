"""``mfverify solve``: what is the optimal value?"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from mfverify.cli.options import ListOptions, announce, integer, json_option, load_argument, number, or_else
from mfverify.cli.terminal import print_states, say, state_rows
from mfverify.errors import ModelError
from mfverify.rationals import quoted
from mfverify.validation import positive_integer

if TYPE_CHECKING:
    from mfverify.model import Model


@click.command(cls=ListOptions)
@click.argument("model")
@click.option("--agents", type=integer, required=True, help="Number of local agents n.")
@click.option("--method", type=click.Choice(["lumped", "flat", "rational", "limit"]), default="lumped", show_default=True)
@click.option(
    "--state", "asked", multiple=True, metavar="GLOBAL:C1+C2...", help="Only these states: the global one and the agents in each local one."
)
@click.option(
    "--width",
    type=number,
    default=1e-9,
    show_default=True,
    help="Largest requested width; for method limit that of infinitely many agents and of fewer, and a larger one takes less time.",
)
@json_option
def solve(model: str, agents: int, method: str, asked: tuple[str, ...], width: float, as_json: bool) -> None:
    """Enclose the optimal value of the n-agent system."""
    agents = positive_integer("--agents", agents)
    if not 0 < width < math.inf:
        raise ModelError(f"--width: found {width}, expected a positive number")
    loaded = load_argument(model)
    chosen = [_state_of(loaded, agents, text) for text in asked]
    states, reached, stopped = _solved(loaded, agents, method, chosen, width)
    if as_json:
        click.echo(json.dumps({"model": loaded.name, "agents": agents, "method": method, "stopped": stopped, "states": states}, indent=1))
        return
    say(f"optimal value of {loaded.name} with n = {agents}, method {method}")
    say(f"largest width {reached:.1e}: {stopped}")
    print_states(states)


def _solved(
    model: Model, agents: int, method: str, chosen: Sequence[tuple[int, tuple[int, ...]]], width: float
) -> tuple[list[dict[str, Any]], float, str]:
    """The values of the requested states (default: all), the largest width, and why the iteration stopped."""
    if method == "limit" and chosen:
        from mfverify.enclosure import StopReason
        from mfverify.exact.optimal import optimal_value_at

        found = optimal_value_at(model, chosen, width)
        states = [{"global": g, "counts": list(c), **one.to_json()} for (g, c), one in zip(chosen, found, strict=True)]
        reached = max(float(one.width) for one in found)
        return states, reached, (StopReason.WIDTH if reached <= width else StopReason.BOUNDS).value
    from mfverify import costs

    with or_else("--method limit with --state encloses single states of any number of agents"):
        announce(costs.solving(model, agents, method))
        from mfverify.exact.optimal import optimal_value

        value = optimal_value(model, agents, method, width)
    states = state_rows(model, agents, value)
    if chosen:
        states = [one for state in chosen for one in states if (one["global"], tuple(one["counts"])) == state]
    return states, float(value.width.max()), value.work.stop.value if value.work else ""


def _state_of(model: Model, agents: int, text: str) -> tuple[int, tuple[int, ...]]:
    """A state from ``GLOBAL:C1+C2+...``."""
    from mfverify.mean_field.finite import population_of_state

    s_g, _, listed = text.partition(":")
    try:
        state = integer(s_g), tuple(integer(c) for c in listed.split("+"))
    except click.BadParameter:
        raise ModelError(
            f"--state: found {quoted(text)}, expected the global state and the agents in each local state, such as 0:3+1"
        ) from None
    n = population_of_state(model, *state)
    if n != agents:
        raise ModelError(f"--state: {text} has {n} agents, expected --agents = {agents}")
    return state
