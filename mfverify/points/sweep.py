"""A claim over the product of axes: every point computed once, on all cores, kept in a file if requested, and collected."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import product
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from mfverify.errors import ModelError
from mfverify.mean_field.finite import population_of_state
from mfverify.model import Model
from mfverify.models.families import Family
from mfverify.papers.named import SentByName, claim_named, is_registered, name_of
from mfverify.points.axes import MOST_POINTS, Axis
from mfverify.points.instances import Where, instance_at
from mfverify.points.outcome import By, Effort, Known, known_at, text_of_start
from mfverify.points.table import rows, write_table
from mfverify.progress import Counted, counting
from mfverify.rationals import written
from mfverify.results import Store, code_version, finding_document
from mfverify.runner import completed
from mfverify.theory.cases.case import Case
from mfverify.theory.claim import Claim, Finding, NotApplicable, Sides, Verdict, judge
from mfverify.theory.claim_files import digest_of
from mfverify.validation import positive_integer

if TYPE_CHECKING:
    import pandas

Document = dict[str, Any]


@dataclass(frozen=True)
class Sweep:
    """The outcome of a sweep: ``document`` is what ``--json`` prints.

    ``document["points"]`` has one entry for each point, in the order of the product of ``document["axes"]``: ``at`` (axis to value, as
    rational texts), ``verdict``, ``actual``, ``bound``, ``trivial`` (as in a report), ``by``, ``start``, ``simulated``, ``reason`` and
    ``reproduce``.
    """

    document: Mapping[str, Any]

    @property
    def verdicts(self) -> dict[str, int]:
        """How many points have each verdict."""
        found: dict[str, int] = self.document["summary"]
        return found

    def to_json(self) -> str:
        """The document as JSON text."""
        return json.dumps(self.document, indent=1) + "\n"

    def to_dataframe(self) -> pandas.DataFrame:
        """One row for each point, with the columns of :mod:`mfverify.points.table`. Raises :class:`ModelError` without pandas."""
        try:
            import pandas
        except ImportError:
            raise ModelError("to_dataframe: needs the package pandas; pip install pandas, or use save('points.csv')") from None
        return pandas.DataFrame(rows(self.document))

    def save(self, path: str | Path) -> None:
        """Write the table, ``.csv`` or ``.parquet``, whole or not at all."""
        write_table(self.document, Path(path))

    def plot(self, path: str | Path | None = None) -> Any:
        """The picture: lines against the longest axis, or a map where two axes have several values.

        A matplotlib figure; with ``path`` it is written there (``.svg``, ``.png`` or ``.pdf``).
        """
        from mfverify.points.picture import figure, write_picture

        if path is not None:
            write_picture(self.document, Path(path))
        return figure(self.document)

    def __repr__(self) -> str:
        return f"Sweep({sentence(self.document)})"

    def _repr_png_(self) -> bytes:
        """In a notebook: the picture."""
        from mfverify.points.picture import rendered

        return rendered(self.document, "png")


def sentence(document: Mapping[str, Any]) -> str:
    """``T1, 60 points: 12 violated, 48 vacuous``."""
    told = ", ".join(f"{number} {word}" for word, number in document["summary"].items() if number)
    return f"{document['claim']}, {len(document['points'])} point{'s' * (len(document['points']) != 1)}: {told}"


@dataclass(frozen=True)
class _Task(SentByName):
    """One instance to compute, at one or several points."""

    claim: Claim
    instance: Case
    effort: Effort
    key: str


def sweep(
    claim: str | Claim,
    model: Model | Family | str | None = None,
    over: Mapping[str, Sequence[Any] | str] | Sequence[Axis] = (),
    *,
    start: tuple[int, Sequence[int]] | None = None,
    seconds: float = 600.0,
    episodes: int = 1000,
    seed: int = 0,
    verdicts: bool = False,
    store: str | Path | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    model_argument: str = "",
    progress: Counted | Literal[False] | None = None,
) -> Sweep:
    """A claim at every point of the product of axes, with a certified verdict at each.

    Parameters
    ----------
    claim
        An id of the catalogue, a :class:`~mfverify.theory.claim.Claim`, or ``FILE.py:NAME`` (the file is executed).
    model
        A model, a bundled one with arguments or its text, such as ``"coordination(eta=1/50)"``; None for claims about populations.
    over
        The axes by name, each a sequence of numbers or a text (:mod:`mfverify.points.axes`). ``n`` and ``k`` are needed, also with one value
        each; ``discount`` and the parameters of a bundled model may be varied; populations have ``classes``.
    start
        ``(s_g, counts)``: the gap at this start alone is compared with the bound.
    seconds
        Estimated time of one point from which on its values count as out of reach; then the bound alone is compared with what the gap can never
        exceed, and the gap is simulated.
    episodes, seed
        Of this simulation; with 0 episodes there is none.
    verdicts
        Compute no values where the bound alone decides.
    store
        A file of finished points: what it has is taken from it, and what is finished is kept in it at once.
    workers, scheduler
        As for :func:`~mfverify.verification.verify`.
    model_argument
        How a command names a model that has no text.
    progress
        Called with (finished, total, label); by default a bar on a terminal and in a notebook, with False none.

    Returns
    -------
    Sweep
        The points in order; ``verdicts`` counts them, ``document`` is the JSON, and there are methods for tables and pictures.

    Raises
    ------
    ModelError
        Before any work: an axis that does not exist, more than 100,000 points, or a start that is no state of every n.

    Examples
    --------
    >>> found = sweep("T1", "coordination", {"n": [100], "k": [1, 99]}, workers=1)
    >>> [one["verdict"] for one in found.document["points"]]
    ['vacuous', 'violated']
    """
    claim = claim_named(claim) if isinstance(claim, str) else claim
    axes = [Axis.of(name, values) for name, values in over.items()] if isinstance(over, Mapping) else list(over)
    where = Where(claim, Family.named(model.removeprefix("models:")) if isinstance(model, str) else model)
    names = tuple(axis.name for axis in axes)
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise ModelError(f"{twice[0]}: is given twice; name each axis once")
    where.check(names)
    total = prod(len(axis.values) for axis in axes)
    if total > MOST_POINTS:
        raise ModelError(f"over: found {total} points, expected at most {MOST_POINTS}; take fewer values")
    if episodes != 0:
        positive_integer("episodes", episodes)
    if scheduler is not None and workers is not None:
        raise ModelError("workers: are those of the cluster where a scheduler is given; leave one of the two out")
    workers = None if workers is None else positive_integer("workers", workers)
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 <= seconds < float("inf"):
        raise ModelError(f"seconds: found {seconds!r}, expected a number of at least 0")
    state = None if start is None else (start[0], tuple(int(x) for x in start[1]))
    effort = Effort(state, float(seconds), episodes, seed, verdicts)
    if state is not None and claim.gap_bound is None:
        raise ModelError(f"start: claim {claim.id} is not about the optimality gap; leave the start out")
    points = [dict(zip(names, values, strict=True)) for values in product(*(axis.values for axis in axes))]
    made = [_made(where, at, state) for at in points]
    tasks = {_key(claim, one, effort): one for one in made if isinstance(one, Case)}
    wanted = [_Task(claim, one, effort, key) for key, one in tasks.items()]
    found = _computed(wanted, store, workers, scheduler, progress)
    model_text = model if isinstance(model, str) else model_argument
    entries = [
        _entry(where, at, found[_key(claim, one, effort)] if isinstance(one, Case) else _refused(one), model_text, effort)
        for at, one in zip(points, made, strict=True)
    ]
    return Sweep(_document(where, axes, entries, effort))


def _made(where: Where, at: Mapping[str, Fraction], start: tuple[int, tuple[int, ...]] | None) -> Case | NotApplicable:
    n, k = int(at["n"]), int(at["k"])
    model = where.model_at({name: x for name, x in at.items() if name not in ("n", "k", "classes")})
    if start is not None and model is not None:
        agents = population_of_state(model, *start)
        if agents != n:
            raise ModelError(f"start: {text_of_start(start)} has {agents} agents, expected n = {n}")
    return instance_at(where.claim, model, n, k, int(at.get("classes", 2)))


def _key(claim: Claim, instance: Case, effort: Effort) -> str:
    """Hash of all that decides the outcome at a point."""
    content = [instance.key(claim.id, code_version()), digest_of(claim), repr(effort)]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _computed(
    tasks: Sequence[_Task],
    store: str | Path | None,
    workers: int | None,
    scheduler: str | None,
    progress: Counted | Literal[False] | None,
) -> dict[str, Document]:
    """The outcome of every task by its key, from the store where it has it."""
    found: dict[str, Document] = {}
    with Store(Path(store)) if store is not None else nullcontext() as kept:
        if kept is not None:
            for task in tasks:
                known = kept.get(task.key) if _is_kept(task.claim) else None
                if known is not None:
                    found[task.key] = known
        groups: dict[Any, list[_Task]] = {}
        for task in tasks:
            if task.key not in found:
                form = task.instance.written
                groups.setdefault((form.model.fingerprint if form.model else None, form.agents), []).append(task)
        ordered = sorted(groups.values(), key=lambda group: -group[0].instance.order)
        keep = partial(_keep, kept) if kept is not None else None
        with counting(progress) as tell:
            for task, document in completed(_compute, ordered, workers=workers, scheduler=scheduler, keep=keep):
                found[task.key] = document
                if tell is not None:
                    tell(len(found), len(tasks), task.instance.label)
    return found


def _is_kept(claim: Claim) -> bool:
    """Whether the keys cover the code of a claim: one of the catalogue, or one from a file, whose digest is part of the key."""
    return is_registered(claim) or bool(digest_of(claim))


def _keep(store: Store, task: _Task, document: Document) -> None:
    if _is_kept(task.claim):
        store.put(task.key, document)


def _compute(task: _Task) -> Document:
    return _written(task.claim.id, task.instance, known_at(task.claim, task.instance, task.effort), task.effort)


def _written(claim_id: str, instance: Case, known: Known, effort: Effort) -> Document:
    """An outcome as an entry of the store, which is one of a report; what is known by which means is among its details."""
    outcome, verdict = known.outcome, judge(known.outcome)
    details = {"by": known.by.value, "start": None, "simulated": dict(known.simulated) if known.simulated else None}
    if known.by is By.START and effort.start is not None:
        details["start"] = text_of_start(effort.start)
    if isinstance(outcome, Sides):
        reason = str(outcome.details.get("out of reach", ""))
        found = Finding(claim_id, instance, verdict, outcome.left, outcome.right, outcome.trivial, reason, {**outcome.details, **details})
    else:
        found = Finding(claim_id, instance, verdict, reason=outcome.reason, details=details)
    return finding_document(found, "")


def _refused(outcome: NotApplicable) -> Document:
    return _written("", Case(), Known(outcome, By.NOTHING), Effort())


def _entry(where: Where, at: Mapping[str, Fraction], document: Document, model_text: str, effort: Effort) -> Document:
    changes = {name: x for name, x in at.items() if name not in ("n", "k", "classes")}
    details = document["details"]
    model = where.model_at(changes)
    return {
        "at": {name: written(x) for name, x in at.items()},
        "model": None if model is None else model.name,
        "agents": int(at["n"]),
        "subsample": int(at["k"]),
        **{name: document[name] for name in ("verdict", "actual", "bound", "trivial", "reason")},
        **{name: details[name] for name in ("by", "start", "simulated")},
        "reproduce": _command(where, at, changes, model_text, effort),
    }


def _command(where: Where, at: Mapping[str, Fraction], changes: Mapping[str, Fraction], model_text: str, effort: Effort) -> str:
    """The command that computes one point again; empty where the model or the claim has no text."""
    name = name_of(where.claim)
    text, rest = where.text_at(changes)
    text = text or model_text
    if name is None or (where.model is not None and not text):
        return ""
    options = ["--claim", name, "--agents", str(at["n"]), "--subsample", str(at["k"]), *rest]
    options += ["--classes", str(at["classes"])] if "classes" in at else []
    options += ["--start", text_of_start(effort.start)] if effort.start is not None else []
    for option, value, usual in (
        ("--seconds", f"{effort.seconds:g}", "600"),
        ("--episodes", str(effort.episodes), "1000"),
        ("--seed", str(effort.seed), "0"),
    ):
        options += [option, value] if value != usual else []
    return shlex.join(["mfverify", "sweep", *([text] if where.model is not None else []), *options])


def _document(where: Where, axes: Sequence[Axis], entries: Sequence[Document], effort: Effort) -> Document:
    tally = Counter(one["verdict"] for one in entries)
    base = where.model
    return {
        "claim": where.claim.id,
        "title": where.claim.title,
        "registered": where.claim.registered.value,
        "left_means": where.claim.left_means,
        "right_means": where.claim.right_means,
        "model": base.text if isinstance(base, Family) else None if base is None else base.name,
        "axes": [{"name": axis.name, "values": [written(x) for x in axis.values]} for axis in axes],
        "shows": "verdicts" if effort.verdicts else "sides",
        "start": None if effort.start is None else text_of_start(effort.start),
        "summary": {verdict.value: tally[verdict.value] for verdict in Verdict},
        "points": list(entries),
    }
