"""The command line: parses and calls; no mathematics. How a command ends: :mod:`mfverify.exit_status`."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mfverify import interrupts, notices
from mfverify.bundled import certificate_path
from mfverify.errors import MfverifyError, ModelError
from mfverify.exit_status import ExitStatus, standard_streams, tell, unplanned
from mfverify.files import check_writable, write_whole
from mfverify.json_files import parse_json, read_text
from mfverify.rationals import described, from_text, quoted, written
from mfverify.subsample_mfq.draws import WORDS, way
from mfverify.validation import positive_integer, require_posix
from mfverify.version import __version__

if TYPE_CHECKING:
    from mfverify import costs
    from mfverify.enclosure import Enclosure
    from mfverify.model import Model
    from mfverify.verification import Progress

_SHOWN_STATES = 24
_WORTH_SAYING = 60
"""Seconds of work from which on a terminal is told what to expect."""
_LONGEST_EXACT = 40
"""Characters of a rational that are shown beside its lower and upper bound; --json has all of them."""
_LONGEST_FOLDED = 400
"""Characters of an exact value that are printed over several lines; --json has all of them."""
_LARGEST_REPORT = 256 * 2**20



def _silent(context: click.Context, option: click.Parameter, as_json: bool) -> bool:
    """A program that reads the document is not told what takes long."""
    if as_json:
        context.with_resource(notices.silence())
    return as_json


_json_option = click.option(
    "--json", "as_json", is_flag=True, callback=_silent, help="Print one JSON document on standard output and nothing else there."
)


def integer(value: str | int) -> int:
    """An option that is an integer, written with the digits 0 to 9: no underscores and no digits of other scripts."""
    if isinstance(value, str) and not re.fullmatch(r"[+-]?[0-9]{1,600}", value):
        raise click.BadParameter(f"{quoted(value)} is not a valid integer.")
    return int(value)


def number(value: str | float) -> float:
    """An option that is a number of the grammar of :mod:`mfverify.rationals`."""
    try:
        return float(from_text(value) if isinstance(value, str) else value)
    except (ValueError, OverflowError):
        raise click.BadParameter(f"{quoted(value)} is not a valid number.") from None


class _ListOptions(click.Command):
    """A command whose repeatable options also take several values in a row: ``--claims T1 L2``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        repeatable = {name for option in self.params if isinstance(option, click.Option) and option.multiple for name in option.opts}
        spelled: list[str] = []
        current = ""
        for argument in args:
            if argument.startswith("-"):
                current = argument if argument in repeatable else ""
            elif current and spelled[-1] != current:
                spelled.append(current)
            spelled.append(argument)
        return super().parse_args(ctx, spelled)


_EPILOG = "Exit status: " + "; ".join(f"{status.value} {status.meaning}" for status in ExitStatus) + "."


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, epilog=_EPILOG)
@click.version_option(version=__version__)
def main() -> None:
    """Check the statements of a paper on subsampled mean-field MARL with exact solvers."""


def run(arguments: Sequence[str] | None = None) -> int:
    """Entry point: run a command and return its exit status; every failure is one line on standard error."""
    with standard_streams(), interrupts.remembered() as control_c:
        try:
            outcome = _run(sys.argv[1:] if arguments is None else list(arguments))
            if sys.stdout is not None:
                sys.stdout.flush()
            return ExitStatus.INTERRUPTED if control_c.seen else outcome
        except click.exceptions.NoArgsIsHelpError:
            return _fail(f"missing command; one of {', '.join(main.commands)} (mfverify --help says more)")
        except click.ClickException as error:
            return _fail(error.format_message())
        except (KeyboardInterrupt, click.Abort):
            return _interrupted()
        except MfverifyError as error:
            return _interrupted() if control_c.seen else _fail(str(error))
        except (Exception, SystemExit) as error:  # code called by a command may also raise SystemExit, whose status is not that of the command
            return _interrupted() if control_c.seen else unplanned(error)


def _run(arguments: list[str]) -> int:
    """Run a command. Unlike ``main.main`` this leaves an output that cannot be written to the caller."""
    require_posix("mfverify")
    if "_MFVERIFY_COMPLETE" in os.environ:
        return int(main.main(arguments, prog_name="mfverify", standalone_mode=False) or 0)
    try:
        with main.make_context("mfverify", arguments) as context:
            outcome = main.invoke(context)
    except click.exceptions.Exit as end:
        return end.exit_code
    return outcome if isinstance(outcome, int) else ExitStatus.DONE


def _interrupted() -> int:
    tell("interrupted")
    return ExitStatus.INTERRUPTED


def _fail(message: str) -> int:
    tell(f"error: {message}")
    return ExitStatus.BAD_INPUT


def load_argument(text: str) -> Model:
    """A model from a file, or a bundled one from ``models:NAME``."""
    if text.startswith("models:"):
        from mfverify.models import BUNDLED

        name = text.removeprefix("models:")
        if name not in BUNDLED:
            raise ModelError(f"{text}: there is no bundled model of this name; the names are {', '.join(BUNDLED)}")
        return BUNDLED[name]()
    from mfverify.model_files import load_model

    return load_model(text)


@main.command(cls=_ListOptions)
@click.option("--profile", type=click.Choice(["quick", "full"]), default="quick", show_default=True, help="How much to compute.")
@click.option("--claims", "claims", multiple=True, metavar="ID...", help="Only these claims, such as: --claims T1 L2.")
@click.option("--paper", metavar="NAME", help="Only the claims of this paper, such as mean_field_sampling.")
@click.option("--models", "models", multiple=True, metavar="FILE...", help="Model files (or models:NAME) instead of the bundled models.")
@click.option("--instance", metavar="LABEL", help="Only the instance with this label (as in report.json).")
@click.option("--out", type=click.Path(path_type=Path), default=None, help="Folder for report.html, report.json and the store of results.")
@click.option("--workers", type=integer, default=None, help="Worker processes [default: what pays, up to the usable cores].")
@click.option("--scheduler", metavar="ADDRESS", help="Compute on the Dask cluster with this scheduler, such as tcp://10.0.0.1:8786.")
@click.option("--resume", is_flag=True, help="Take finished instances from the store in --out.")
@_json_option
def verify(
    profile: str,
    claims: tuple[str, ...],
    paper: str | None,
    models: tuple[str, ...],
    instance: str | None,
    out: Path | None,
    workers: int | None,
    scheduler: str | None,
    resume: bool,
    as_json: bool,
) -> int:
    """Check the claim catalogue; exit 1 if a status differs from the registered one."""
    if resume and out is None:
        raise ModelError("--resume: needs --out DIR, the folder of the run to continue")
    workers = _checked_workers(workers, scheduler)
    if paper is not None and claims:
        raise ModelError("--paper: chooses the claims, and so does --claims; leave one of the two out")
    chosen_models = [load_argument(m) for m in models] or None
    from mfverify.papers import CATALOGUE
    from mfverify.verification import verify as run_catalogue

    chosen_claims = list(claims) if paper is None else CATALOGUE.of_paper(paper)

    try:
        with _progress() as progress:
            report = run_catalogue(
                chosen_claims or None,
                chosen_models,
                profile,
                instance=instance,
                out=out,
                workers=workers,
                scheduler=scheduler,
                resume=resume,
                model_arguments=shlex.join(models),
                progress=progress,
            )
    except KeyboardInterrupt:
        kept = "what was finished is kept, --resume continues" if out is not None else "nothing is kept without --out DIR"
        tell(f"interrupted; {kept}")
        return ExitStatus.INTERRUPTED
    # A single instance or a user's models need not show what a whole claim is registered with.
    partial = instance is not None or chosen_models is not None
    if as_json:
        click.echo(report.to_json(), nl=False)
    else:
        _print_report(report.document)
        if out is not None:
            # A path is never broken over lines.
            click.echo(f"wrote {out / 'report.html'}\nwrote {out / 'report.json'}")
    if partial:
        registered = {part["id"]: part["registered"] for part in report.document["claims"]}
        return int(any(part["status"] == "refuted" and registered[part["id"]] != "refuted" for part in report.document["claims"]))
    return int(bool(report.unexpected))


def _checked_workers(workers: int | None, scheduler: str | None) -> int | None:
    if workers is None:
        return None
    if scheduler is not None:
        raise ModelError("--workers: are those of the cluster where --scheduler is given; leave one of the two out")
    return positive_integer("--workers", workers)


@main.command()
@click.option("--graph", "show", flag_value="graph", help="Print what rests on what, with the registered statuses.")
@click.option("--paper", metavar="NAME", help="Only the claims of this paper, such as mean_field_sampling.")
@_json_option
def claims(show: str | None, paper: str | None, as_json: bool) -> None:
    """List the catalogue: id, statement, source, registered status and grounds of each claim."""
    from mfverify.papers import CATALOGUE
    from mfverify.theory import dependencies

    chosen = list(CATALOGUE) if paper is None else CATALOGUE.of_paper(paper)
    if show == "graph" and not as_json:
        for line in dependencies.as_text(chosen, {c.id: c.registered for c in chosen}).splitlines():
            _say(line)
        return
    if as_json:
        click.echo(
            json.dumps(
                [
                    {
                        "id": c.id,
                        "paper": CATALOGUE.paper_of(c),
                        "title": c.title,
                        "statement": c.statement,
                        "source": c.source,
                        "reading": c.reading,
                        "registered": c.registered.value,
                        "grounds": c.stands_on.to_json(),
                        "rests_on": list(c.rests_on),
                    }
                    for c in chosen
                ],
                indent=1,
            )
        )
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in ("id", "claim", "source", "registered", "grounds"):
        table.add_column(column, no_wrap=column in ("id", "registered", "grounds"))
    for c in chosen:
        table.add_row(c.id, c.title, c.source, c.registered.value, c.stands_on.kind.value)
    _console().print(table)


@main.command(cls=_ListOptions)
@click.argument("model")
@click.option("--agents", type=integer, required=True, help="Number of local agents n.")
@click.option("--method", type=click.Choice(["lumped", "flat", "rational", "limit"]), default="lumped", show_default=True)
@click.option("--state", "asked", multiple=True, metavar="GLOBAL:C1+C2...", help="Only these states: the global one and the agents in each local one.")
@_json_option
def solve(model: str, agents: int, method: str, asked: tuple[str, ...], as_json: bool) -> None:
    """Enclose the optimal value of the n-agent system."""
    agents = positive_integer("--agents", agents)
    loaded = load_argument(model)
    chosen = [_state_of(loaded, agents, text) for text in asked]
    states, width, stopped = _solved(loaded, agents, method, chosen)
    if as_json:
        click.echo(json.dumps({"model": loaded.name, "agents": agents, "method": method, "stopped": stopped, "states": states}, indent=1))
        return
    _say(f"optimal value of {loaded.name} with n = {agents}, method {method}")
    _say(f"largest width {width:.1e}: {stopped}")
    _print_states(states)


def _solved(model: Model, agents: int, method: str, chosen: Sequence[tuple[int, tuple[int, ...]]]) -> tuple[list[dict[str, Any]], float, str]:
    """The values of the requested states (default: all), the largest width, and why the iteration stopped."""
    if method == "limit" and chosen:
        from mfverify.enclosure import StopReason
        from mfverify.exact.optimal import optimal_value_at

        found = optimal_value_at(model, chosen)
        states = [{"global": g, "counts": list(c), **one.to_json()} for (g, c), one in zip(chosen, found, strict=True)]
        return states, max(float(one.width) for one in found), StopReason.BOUNDS.value
    from mfverify import costs

    _announce(costs.solving(model, agents, method))
    from mfverify.exact.optimal import optimal_value

    value = optimal_value(model, agents, method)
    states = _states(model, agents, value)
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
        raise ModelError(f"--state: found {quoted(text)}, expected the global state and the agents in each local state, such as 0:3+1") from None
    n = population_of_state(model, *state)
    if n != agents:
        raise ModelError(f"--state: {text} has {n} agents, expected --agents = {agents}")
    return state


@main.command()
@click.argument("model")
@click.option("--agents", type=integer, required=True, help="Number of local agents n.")
@click.option("--to", type=click.Choice(["drn", "quantecon-npz"]), required=True, help="Storm, exact rationals; or QuantEcon, doubles.")
@click.option("--out", type=click.Path(path_type=Path), default=None, help="The file [default: the model's name and n].")
@_json_option
def export(model: str, agents: int, to: str, out: Path | None, as_json: bool) -> None:
    """Write the n-agent system explicitly for Storm or QuantEcon."""
    agents = positive_integer("--agents", agents)
    loaded = load_argument(model)
    from mfverify.export.formats import export_model

    written = export_model(loaded, agents, out, to)
    if as_json:
        click.echo(json.dumps({"model": loaded.name, "agents": agents, **written.to_json()}, indent=1))
        return
    click.echo(f"wrote {written.path}")
    size = written.extent
    _say(f"{loaded.name} with n = {agents}: {size.states} states, {size.choices} choices, {size.transitions} transitions")
    for line in written.reading:
        _say(line)


@main.command()
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
@_json_option
def gap(model: str, agents: int, subsample: int, sampling: str, samples: int | None, seed: int, as_json: bool) -> None:
    """Enclose the optimality gap of SUBSAMPLE-MFQ beside the bound of Theorem 4.2."""
    agents = positive_integer("--agents", agents)
    subsample = positive_integer("--subsample", subsample, agents, "--agents = ")
    if samples is not None:
        samples = positive_integer("--samples", samples)
    if seed < 0:
        raise ModelError(f"--seed: found {seed}, expected an integer of at least 0")
    loaded = load_argument(model)
    from mfverify import costs

    _announce(
        costs.solving(loaded, agents), costs.learning(loaded, subsample, samples), way(sampling).cost(loaded, agents, subsample)
    )
    import numpy as np

    from mfverify.exact.optimal import optimal_value
    from mfverify.papers.mean_field_sampling.symbols import eps_km, symbol_values
    from mfverify.papers.mean_field_sampling.theorem_4_2 import THEOREM_4_2
    from mfverify.subsample_mfq.execution import execution_value
    from mfverify.subsample_mfq.learning import bellman_noise, learn
    from mfverify.theory.evaluate import UndefinedError

    learned = learn(loaded, subsample, samples, seed)
    difference = optimal_value(loaded, agents) - execution_value(loaded, agents, learned, sampling)
    states = _states(loaded, agents, difference)
    g, c = np.unravel_index(int(difference.lower.argmax()), difference.shape)
    worst = states[int(g) * difference.shape[1] + int(c)]
    noise = bellman_noise(learned)
    try:
        bound: dict[str, Any] | None = THEOREM_4_2.enclose({**symbol_values(loaded, agents, subsample), eps_km: noise}).to_json()
    except UndefinedError:
        bound = None
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
    _say(
        f"gap of {loaded.name}: n = {agents}, k = {subsample}, {sampling} draws"
        + (f", m = {samples}, seed {seed}" if samples else ", exact operator")
    )
    _say(f"largest gap {difference.max()!r} at s_g = {worst['global']}, counts {tuple(worst['counts'])}")
    _say(
        "bound of Theorem 4.2: "
        + (f"[{bound['lower']!r}, {bound['upper']!r}]" if bound else "not defined here (its logarithm has an argument below one)")
    )
    _print_states(states)


def _existing_certificate(context: click.Context, parameter: click.Parameter, value: str) -> str:
    """The argument, where it names a file that exists."""
    click.Path(exists=True, dir_okay=False).convert(str(certificate_path(value)), parameter, context)
    return value


@main.command()
@click.argument("certificate", callback=_existing_certificate)
@_json_option
def check(certificate: str, as_json: bool) -> int:
    """Have a certificate (a file, or certificates:NAME for a bundled one) checked by the independent checker; exit 1 if it is refused."""
    from mfverify.checker.check_certificate import check_file

    answer = check_file(str(certificate_path(certificate)))
    if as_json:
        click.echo(json.dumps({"certificate": certificate, "accepted": answer.accepted, "reasons": answer.reasons, "steps": answer.steps}))
    else:
        _say("accepted" if answer.accepted else "refused")
        for reason in answer.reasons:
            _say(f"  {reason}")
        _say(f"  {answer.steps} steps")
    return 0 if answer.accepted else 1


@main.command()
@click.argument("claims", nargs=-1, required=True, metavar="CLAIM...")
@click.option(
    "--budget", type=number, default=60.0, show_default=True, metavar="SECONDS", help="Time for each claim: searching, then shrinking."
)
@click.option("--candidates", type=integer, default=None, help="At most so many instances in the search, and in the shrinking.")
@click.option("--out", type=click.Path(path_type=Path), default=None, help="File for the certificate of the violation (one claim).")
@click.option("--record", type=click.Path(path_type=Path), default=None, help="File for what was searched and found; other claims in it are kept.")
@click.option("--seed", type=integer, default=0, show_default=True, help="Seed of the sequence of candidates.")
@click.option("--workers", type=integer, default=None, help="Worker processes [default: the usable cores].")
@click.option("--scheduler", metavar="ADDRESS", help="Search on the Dask cluster with this scheduler, such as tcp://10.0.0.1:8786.")
@_json_option
def falsify(
    claims: tuple[str, ...],
    budget: float,
    candidates: int | None,
    out: Path | None,
    record: Path | None,
    seed: int,
    workers: int | None,
    scheduler: str | None,
    as_json: bool,
) -> int:
    """Search for a simple instance that violates a claim (or each of several; "all" is the catalogue); exit 1 if one refutes what is not registered as refuted."""
    from mfverify.falsifier import attack as falsifier
    from mfverify.papers import CATALOGUE

    ids = [claim.id for claim in CATALOGUE] if claims == ("all",) else list(dict.fromkeys(claims))
    for claim_id in ids:
        CATALOGUE[claim_id]
    workers = _checked_workers(workers, scheduler)
    if out is not None and len(ids) > 1:
        raise ModelError(f"--out: found {len(ids)} claims, expected one; a certificate concerns one claim, --record takes several")
    for name, path in (("--out", out), ("--record", record)):
        if path is not None:
            check_writable(path, name)
    earlier = falsifier.recorded(record) if record is not None else []
    done: list[falsifier.Attack] = []
    for claim_id in ids:
        try:
            with _searching(budget) as progress:
                one = falsifier.attack(
                    claim_id, budget, seed=seed, workers=workers, scheduler=scheduler, candidates=candidates, progress=progress
                )
            done.append(one)
        except falsifier.InterruptedAttack as stopped:
            tell("interrupted; so far:")
            for line in _attack_lines(stopped.attack.to_json()):
                click.echo(line, err=True)
            return ExitStatus.INTERRUPTED
        if record is not None:
            write_whole(record, json.dumps(falsifier.record(done, earlier), indent=1) + "\n")
        if not as_json:
            for line in _attack_lines(done[-1].to_json()):
                _say(line)
    if out is not None and done[0].certificate is not None:
        done[0].certificate.save(out)
    if as_json:
        documents = [one.to_json() for one in done]
        click.echo(json.dumps(documents[0] if len(ids) == 1 else documents, indent=1))
    else:
        written = [path for path in (out if done[0].certificate is not None else None, record) if path is not None]
        for path in written:
            click.echo(f"wrote {path}")
        if out is not None and out not in written:
            _say(f"wrote nothing to {out}: there is no certificate")
    return int(any(one.found is not None and one.claim.registered.value != "refuted" for one in done))


def _attack_lines(document: dict[str, Any]) -> Iterator[str]:
    """The result of a search as text."""
    searched, violated, shrinking = document["searched"], document["violated"], document["shrinking"]
    families = ", ".join(f"{name} {number}" for name, number in searched["families"].items())
    looked = f"searched {searched['candidates']} candidates with seed {document['seed']} ({families or 'none'})"
    if searched["exhausted"]:
        looked += ", all that there are"
    if violated is None:
        yield f"{document['claim']}: undecided, nothing found"
        yield f"  {looked}"
        if searched["best"] is not None:
            best = searched["best"]
            ratio = f"{best['ratio']:.6g}" if best["ratio"] is not None else f"{best['actual']['lower']!r} / {best['bound']['upper']!r}"
            yield f"  largest left/right: {ratio}, {best['family']}: {best['label']}"
    else:
        yield f"{document['claim']}: violated at {violated['label']}"
        for name in ("actual", "bound"):
            exact = violated[name].get("exact", "")
            shown = f"= {exact}, " if 0 < len(exact) <= _LONGEST_EXACT else ""
            yield f"  {name:7}{shown}in [{violated[name]['lower']!r}, {violated[name]['upper']!r}]"
        yield f"  {looked}"
        if shrinking is not None:
            end = "nothing simpler that was tried is violated" if shrinking["finished"] else "not finished"
            yield f"  shrunk from {shrinking['from']} in {shrinking['steps']} steps, {shrinking['tried']} tried: {end}"
        yield "  certified" if document["certificate"] is not None else f"  no certificate: {document['reason'] or 'interrupted'}"
    for failure in searched["failures"]:
        yield f"  the claim's code failed at {failure}"


@contextmanager
def _searching(budget: float) -> Iterator[Any]:
    """A line on standard error with the best ratio so far, only when that is a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    with Progress(
        BarColumn(20), TimeElapsedColumn(), TextColumn("{task.description}", markup=False), console=_console(stderr=True), transient=True
    ) as bar:
        task = bar.add_task("starting", total=budget)

        def update(claim: str, searched: Any, shrunk: Any) -> None:
            best = f"best left/right {searched.best.score:.4g}" if searched.best is not None else "no sides yet"
            where = shrunk.best.candidate.instance.label if shrunk is not None else f"{searched.evaluations} candidates, {best}"
            state = f"{claim} shrinking ({shrunk.tried} tried): " if shrunk is not None else f"{claim} "
            bar.update(task, completed=min(budget, bar.tasks[0].elapsed or 0.0), description=(state + where)[:90])

        yield update


@main.command()
@click.argument("run_dir", type=click.Path(path_type=Path), required=False)
@click.option("--compare", "runs", nargs=2, type=click.Path(path_type=Path), metavar="OLD NEW", help="Say what changed between two runs.")
@click.option(
    "--to", "table", type=click.Choice(["csv", "parquet"]), help="Write the instances as a table instead: results.csv or .parquet."
)
@_json_option
def report(run_dir: Path | None, runs: tuple[Path, Path] | None, table: str | None, as_json: bool) -> int:
    """Render report.html again from the stored results of a run, or compare two runs (exit 1 if an outcome changed)."""
    if (run_dir is None) == (runs is None):
        raise click.UsageError("give the folder of one run, or --compare OLD NEW")
    if runs is not None and table is not None:
        raise click.UsageError("--to: writes the instances of one run; give its folder instead of --compare")
    if runs is not None:
        old, new = map(_stored, runs)
        from mfverify.report.compare import compare

        found = compare(old, new)
        if as_json:
            click.echo(json.dumps({"old": str(runs[0]), "new": str(runs[1])} | found.to_json(), indent=1))
        else:
            for line in found.lines():
                _say(line)
        return int(found.alarming)
    assert run_dir is not None  # one of the two was given
    document = _stored(run_dir)
    if table is not None:
        from mfverify.report.table import Format, write_table

        path = run_dir / f"results.{table}"
        write_table(document, path, Format(table))
        click.echo(json.dumps({"table": str(path), "summary": document["summary"]}, indent=1) if as_json else f"wrote {path}")
        return 0
    from mfverify.report.page import render

    page = run_dir / "report.html"
    write_whole(page, render(document))
    if as_json:
        click.echo(
            json.dumps({"report": {"html": str(page), "json": str(run_dir / "report.json")}, "summary": document["summary"]}, indent=1)
        )
    else:
        click.echo(f"wrote {page}")
    return 0


def _announce(*needed: costs.Cost) -> None:
    """Refuse what this machine cannot hold before anything is imported or computed; say on a terminal what takes minutes."""
    from mfverify import costs

    costs.check(*needed)
    if sys.stderr.isatty() and max(cost.seconds for cost in needed) > _WORTH_SAYING:
        for cost in needed:
            click.echo(str(cost), err=True)


def _stored(folder: Path) -> dict[str, Any]:
    """The document of a finished run."""
    path = folder / "report.json"
    document = parse_json(path, read_text(path, _LARGEST_REPORT, "the folder of a finished run"))
    if document.get("format") != 1:
        raise ModelError(f"{path}: is not a report of this format; run mfverify verify --out {folder}")
    return document


def _states(model: Model, agents: int, value: Enclosure) -> list[dict[str, Any]]:
    from mfverify.counts import count_vectors

    vectors = count_vectors(agents, model.sizes[2])
    return [
        {"global": g, "counts": row.tolist(), "lower": float(value.lower[g, c]), "upper": float(value.upper[g, c])}
        | ({"exact": written(value.exact[g, c])} if value.exact is not None else {})
        for g in range(value.shape[0])
        for c, row in enumerate(vectors)
    ]


def _print_states(states: Sequence[dict[str, Any]]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("s_g", justify="right")
    table.add_column("counts", overflow="fold")
    exact = "exact" in states[0]
    for name in ("exact",) if exact else ("lower", "upper"):
        table.add_column(name, justify="right", overflow="fold")
    shortened = {
        text: described(from_text(text), _LONGEST_FOLDED)
        for text in (state["exact"] for state in states[:_SHOWN_STATES] if exact)
        if len(text) > _LONGEST_FOLDED
    }
    for state in states[:_SHOWN_STATES]:
        numbers = (shortened.get(state["exact"], state["exact"]),) if exact else (repr(state["lower"]), repr(state["upper"]))
        table.add_row(str(state["global"]), " ".join(map(str, state["counts"])), *numbers)
    _console().print(table)
    if shortened:
        click.echo("long fractions are shown by their first digits; --json prints them in full")
    if len(states) > _SHOWN_STATES:
        click.echo(f"... and {len(states) - _SHOWN_STATES} more states; --json prints all")


def _print_report(document: dict[str, Any] | Any) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in ("id", "claim", "status", "holds", "viol.", "vac.", "n/a", "und."):
        table.add_column(column, justify="left" if column in ("id", "claim", "status") else "right", no_wrap=column != "claim")
    for part in document["claims"]:
        tally = [
            sum(1 for i in part["instances"] if i["verdict"] == v) for v in ("holds", "violated", "vacuous", "not-applicable", "undecided")
        ]
        mark = "" if part["status"] == part["registered"] else f" (!= {part['registered']})"
        table.add_row(part["id"], part["title"], part["status"] + mark, *(str(x) if x else "." for x in tally))
    _console().print(table)
    if len(document["claims"]) == 1 and len(document["claims"][0]["instances"]) == 1:
        one = document["claims"][0]["instances"][0]
        _say(f"{one['label']}: {one['verdict']}")
        for name in ("actual", "bound"):
            if one[name]:
                _say(
                    f"  {name:7}"
                    + (f"= {one[name]['exact']}, " if 0 < len(one[name].get("exact", "")) <= _LONGEST_EXACT else "")
                    + f"in [{one[name]['lower']!r}, {one[name]['upper']!r}]"
                )
        for text in (one["reason"], one["details"].get("worst", "")):
            if text:
                _say(f"  {text}")


def _say(text: str) -> None:
    """A line of text, folded to the width of the terminal; names are shown as they are, control characters apart."""
    _console().print("".join(c if c.isprintable() else "?" for c in text))


def _console(stderr: bool = False) -> Any:
    """A console that shows every text as it is, and leaves an output that cannot be written to :func:`run`."""
    from rich.console import Console

    class Plain(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError  # rich would end the process with status 1

    return Plain(stderr=stderr, soft_wrap=False, highlight=False, markup=False, emoji=False)


@contextmanager
def _progress() -> Iterator[Progress | None]:
    """A progress bar on standard error, only when that is a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    with Progress(
        BarColumn(30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False),
        console=_console(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task("starting", total=None)

        def update(done: int, total: int, label: str) -> None:
            bar.update(task, completed=done, total=total, description=label[:36])

        yield update


if __name__ == "__main__":
    sys.exit(run())
