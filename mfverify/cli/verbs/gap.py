"""``mfverify gap``: what does subsampling cost?"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import click

from mfverify.cli.options import announce, integer, json_option, load_argument, or_else
from mfverify.cli.terminal import digits, print_states, say, state_rows
from mfverify.errors import LESS_THAN_ALL_VALUES, ModelError
from mfverify.subsample_mfq.draws import WORDS, way
from mfverify.validation import positive_integer


@click.command()
@click.argument("model")
@click.option("--agents", type=integer, required=True, help="Number of local agents n.")
@click.option("--subsample", type=integer, required=True, help="Number of sampled agents k.")
@click.option(
    "--sampling",
    type=click.Choice(WORDS),
    metavar="WAY",
    default="independent",
    show_default=True,
    help=f"How the agents draw: {', '.join(WORDS)}.",
)
@click.option("--samples", type=integer, default=None, help="Learn with the empirical operator of m samples instead of the exact one.")
@click.option("--seed", type=integer, default=0, show_default=True, help="Seed of the samples.")
@json_option
def gap(model: str, agents: int, subsample: int, sampling: str, samples: int | None, seed: int, as_json: bool) -> None:
    """Enclose the optimality gap of SUBSAMPLE-MFQ beside the bound of Theorem 4.2."""
    agents = positive_integer("--agents", agents)
    subsample = positive_integer("--subsample", subsample, agents, "--agents = ")
    if samples is not None:
        samples = positive_integer("--samples", samples)
    if seed < 0:
        raise ModelError(f"--seed: found {seed}, expected an integer of at least 0")
    how = way(sampling)
    if samples is not None and not how.table:
        raise ModelError(f"--samples: found {samples} with --sampling {sampling}, which learns nothing; leave --samples out")
    loaded = load_argument(model)
    from mfverify import costs

    with or_else(LESS_THAN_ALL_VALUES):
        announce(costs.solving(loaded, agents), *how.all_costs(loaded, agents, subsample, samples))
    import numpy as np

    from mfverify.exact.optimal import optimal_value
    from mfverify.papers import CATALOGUE
    from mfverify.papers.mean_field_sampling.symbols import eps_km, symbol_values
    from mfverify.subsample_mfq.execution import execution_value
    from mfverify.subsample_mfq.learning import Regime, bellman_noise, learn
    from mfverify.theory.evaluate import UndefinedError

    with or_else(LESS_THAN_ALL_VALUES):
        learned = learn(loaded, subsample, samples, seed, Regime.MEAN_FIELD if how.table else Regime.NONE)
        difference = optimal_value(loaded, agents) - execution_value(loaded, agents, learned, sampling)
    states = state_rows(loaded, agents, difference)
    g, c = np.unravel_index(int(difference.lower.argmax()), difference.shape)
    worst = states[int(g) * difference.shape[1] + int(c)]
    noise = bellman_noise(learned)
    theorem = CATALOGUE[CATALOGUE.papers[0].main_theorems[0][0]]
    bound: dict[str, Any] | None = None
    if theorem.gap_bound is not None:
        with suppress(UndefinedError):
            bound = theorem.gap_bound.enclose({**symbol_values(loaded, agents, subsample), eps_km: noise}).to_json()
    document = {
        "model": loaded.name,
        "agents": agents,
        "subsample": subsample,
        "sampling": sampling,
        "samples": samples,
        "seed": seed if samples is not None else None,
        "max_gap": difference.max().to_json() | {"state": {"global": worst["global"], "counts": worst["counts"]}},
        "bellman_noise": noise.to_json(),
        "bound_theorem_4_2": bound,
        "states": states,
    }
    if as_json:
        click.echo(json.dumps(document, indent=1))
        return
    say(
        f"gap of {loaded.name}: n = {agents}, k = {subsample}, {sampling} draws"
        + (f", m = {samples}, seed {seed}" if samples else ", exact operator" if how.table else ", nothing learned")
    )
    say(f"largest gap {difference.max()} at s_g = {worst['global']}, counts {tuple(worst['counts'])}")
    say(
        f"bound of {theorem.source}: "
        + (digits(bound) if bound else "not defined here (its logarithm has an argument below one)")
    )
    print_states(states, "gap")
