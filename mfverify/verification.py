"""Run the catalogue: list the instances, compute them, and collect the findings.

Instances that share a model and a number of agents are computed by the same worker, so that optima and learned policies are
computed once. Finished instances go to the store as they come; the report is made from them.
"""

from __future__ import annotations

import json
import os
import platform
import shlex
import subprocess
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final, Literal

from mfverify.errors import LESS_THAN_ALL_VALUES, ModelError, WorkersError
from mfverify.files import check_writable, write_whole
from mfverify.model import Model
from mfverify.papers import CATALOGUE
from mfverify.papers.named import SentByName, claim_named, is_registered, name_of
from mfverify.papers.plans import cases_of
from mfverify.progress import Counted, counting
from mfverify.rationals import written
from mfverify.readable import table
from mfverify.report.certificates import beside_the_sources
from mfverify.report.document import DURATIONS
from mfverify.report.maps import documented_maps
from mfverify.report.searches import documented_searches
from mfverify.results import Store, code_version, finding_document, library_versions
from mfverify.runner import completed, usable_cores
from mfverify.theory.argument import Walk
from mfverify.theory.cases.case import Case
from mfverify.theory.cases.of_model import Subsampled
from mfverify.theory.claim import Claim, Profile, Status, Verdict, finding, status
from mfverify.validation import chosen, positive_integer
from mfverify.version import __version__

Document = dict[str, Any]


@dataclass(frozen=True)
class Report:
    """The outcome of a run: ``document`` is what ``report.json`` holds (contract: ``verify --json``)."""

    document: Mapping[str, Any]

    @property
    def unexpected(self) -> list[str]:
        """Ids of claims whose status differs from the registered one."""
        found: list[str] = self.document["summary"]["unexpected"]
        return found

    def claim(self, claim_id: str) -> Mapping[str, Any]:
        """The part of one claim."""
        for part in self.document["claims"]:
            if part["id"] == claim_id:
                found: Mapping[str, Any] = part
                return found
        raise ModelError(f"claim {claim_id!r}: is not in this report; it has {', '.join(p['id'] for p in self.document['claims'])}")

    def __repr__(self) -> str:
        summary = self.document["summary"]
        told = ", ".join(f"{number} {word}" for word, number in summary["statuses"].items() if number)
        return f"Report({summary['claims']} claims, {summary['instances']} instances: {told}; {len(self.unexpected)} unexpected)"

    def _repr_html_(self) -> str:
        """In a notebook: a row for each claim."""
        rows = [
            (part["id"], part["title"], part["status"], part["registered"], str(len(part["instances"]))) for part in self.document["claims"]
        ]
        return table(("id", "claim", "status", "registered", "instances"), rows)

    def to_json(self) -> str:
        """The document as JSON text."""
        return json.dumps(self.document, indent=1) + "\n"


@dataclass(frozen=True)
class _Task(SentByName):
    """One instance to compute. ``kept``: whether the store may hold it; the code version does not cover claims defined by a caller."""

    claim: Claim
    instance: Case
    key: str
    reproduce: str
    kept: bool


def verify(
    claims: Sequence[str | Claim] | None = None,
    models: Sequence[Model] | None = None,
    profile: str | Profile = Profile.QUICK,
    *,
    instance: str | None = None,
    out: str | Path | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    resume: bool = False,
    model_arguments: str = "",
    progress: Counted | Literal[False] | None = None,
) -> Report:
    """Check claims of the catalogue (all by default) on models (the bundled ones by default).

    Parameters
    ----------
    claims
        Ids, :class:`~mfverify.theory.claim.Claim` records, or ``FILE.py:NAME`` for one in a file, which is executed.
    models
        Models, with different names and contents.
    profile
        ``"quick"`` or ``"full"``: how many instances.
    instance
        The label of a single instance to compute.
    out
        A folder, which gets ``report.html``, ``report.json`` and the store of results.
    workers
        Processes on this machine; by default as many as pay, up to the usable cores.
    scheduler
        The address of a Dask cluster whose workers are used instead, such as ``tcp://10.0.0.1:8786``; the report is the same.
    resume
        Take finished instances of the same code from the store in ``out`` (records of your own are computed anew).
    model_arguments
        How a command named ``models``, for the commands that a report shows.
    progress
        Called with (finished, total, label); by default a bar on a terminal and in a notebook, with False none.

    Returns
    -------
    Report
        The status of every claim and the verdict of every instance; ``document`` is its JSON.

    Raises
    ------
    ModelError
        Before any work: unknown or repeated ids, models that share a name or their content, an unusable folder, no cluster at the address.
    WorkersError
        Workers were lost and not replaced.

    Examples
    --------
    >>> report = verify(["C3"], instance="n=2 k=1 population=1+1", workers=1)
    >>> report.claim("C3")["status"], report.document["summary"]["verdicts"]["violated"]
    ('refuted', 1)
    """
    profile = chosen("profile", profile, Profile)
    chosen_claims = _chosen_claims(claims)
    if models is not None:
        _check_models(models)
    if scheduler is not None and workers is not None:
        raise ModelError("workers: are those of the cluster where a scheduler is given; leave one of the two out")
    if workers is not None:
        workers = positive_integer("workers", workers)
    if out is not None and Path(out).is_dir():
        for name in ("report.json", "report.html"):
            check_writable(Path(out) / name)
    started = time.time()
    tasks = _tasks(chosen_claims, models, profile, instance, model_arguments)
    found: dict[str, _Computed] = {}
    with Store(Path(out) / "results.sqlite") if out is not None else nullcontext() as store:
        if store is not None and resume:
            found = _kept(tasks, store)
        elif store is not None:
            store.forget_other_code()
        groups = _groups([task for task in tasks if task.key not in found])
        keep = partial(_keep, store) if store is not None else None
        try:
            with counting(progress) as tell:
                for task, computed in completed(_compute, groups, workers=workers, scheduler=scheduler, keep=keep):
                    found[task.key] = computed
                    if tell is not None:
                        tell(len(found), len(tasks), f"{task.claim.id} {task.instance.label}")
        except WorkersError as error:
            kept = (
                "what was finished is kept, --resume continues" if store is not None else "nothing is kept without a folder for it (--out)"
            )
            raise WorkersError(f"{error}; {kept}") from None
    given = frozenset(model.name for model in models or ())
    document = _document(chosen_claims, tasks, found, profile, started, given)
    if models is None and instance is None:
        document["walks"] = _walks(tasks, found)
    report = Report(document)
    if out is not None:
        write_report(report.document, Path(out))
    return report


def _chosen_claims(claims: Sequence[str | Claim] | None) -> list[Claim]:
    """The claims to check, each once."""
    if claims is None:
        return list(CATALOGUE)
    if isinstance(claims, str):
        raise ModelError(f"claims: found the text {claims!r}, expected a list of ids such as ['T1']")
    found = [c if isinstance(c, Claim) else claim_named(c) for c in claims]
    if not found:
        raise ModelError("claims: found none, expected at least one id")
    twice = [claim_id for claim_id, times in Counter(c.id for c in found).items() if times > 1]
    if twice:
        raise ModelError(f"claims: {twice[0]} is given twice; name each claim once")
    return found


def _check_models(models: Sequence[Model]) -> None:
    """Refuse two models of equal name or content: they would be counted as one."""
    if not models:
        raise ModelError("models: found none, expected at least one model")
    by_name: set[str] = set()
    by_content: dict[str, str] = {}
    for i, model in enumerate(models):
        if not isinstance(model, Model):
            raise ModelError(f"models[{i}]: found {type(model).__name__}, expected a Model; load_model reads one from a file")
        if model.name in by_name:
            raise ModelError(f"models: two of them share the name {model.name!r}; give each its own")
        if model.fingerprint in by_content:
            raise ModelError(f"models: {by_content[model.fingerprint]!r} and {model.name!r} are the same model; give it once")
        by_name.add(model.name)
        by_content[model.fingerprint] = model.name


def _kept(tasks: Sequence[_Task], store: Store) -> dict[str, _Computed]:
    """Finished instances from the store, renamed for this run: the same model may have had another name or path."""
    found = {}
    for task in tasks:
        known = store.get(task.key) if task.kept else None
        if known is not None:
            model, agents, subsample, parameters = task.instance.written
            instance = {"agents": agents, "subsample": subsample, "parameters": dict(parameters)}
            named = known | instance | {"model": model.name if model else None, "label": task.instance.label, "reproduce": task.reproduce}
            found[task.key] = _Computed(named, store.seconds(task.key))
    return found


def write_report(document: Mapping[str, Any], out: Path) -> None:
    """Write ``report.json`` and ``report.html`` from a document, each whole or not at all; what was computed comes first."""
    from mfverify.report.page import render

    write_whole(out / "report.json", json.dumps(document, indent=1) + "\n")
    write_whole(out / "report.html", render(document))


def _tasks(
    claims: Sequence[Claim], models: Sequence[Model] | None, profile: Profile, label: str | None, model_arguments: str
) -> list[_Task]:
    """Every instance of every claim, once; a label may name an instance of either profile."""
    tasks: list[_Task] = []
    for claim in claims:
        instances = cases_of(claim, profile, models)
        if label is not None:
            instances += cases_of(claim, Profile.FULL, models)
        seen: set[str] = set()
        for one in instances:
            key = one.key(claim.id, code_version())
            if key not in seen and label in (None, one.label):
                seen.add(key)
                command = f"mfverify verify --claims {shlex.quote(name_of(claim) or claim.id)} --instance {shlex.quote(one.label)}" + (
                    f" --models {model_arguments}" if model_arguments and one.written.model else ""
                )
                tasks.append(_Task(claim, one, key, command, _is_covered(claim)))
    if label is not None and not tasks:
        raise ModelError(f"instance: {label!r} is none of {', '.join(c.id for c in claims)}; take a label from report.json")
    return tasks


def _is_covered(claim: Claim) -> bool:
    """Whether the code version covers a claim's code: a record of the catalogue, and not one that another package added."""
    sides: Any = claim.sides
    while isinstance(sides, partial):
        sides = sides.func
    return is_registered(claim) and str(getattr(sides, "__module__", "")).startswith("mfverify.")


def _groups(tasks: Sequence[_Task]) -> list[list[_Task]]:
    """Tasks that share expensive values stay together; the largest systems come first, so that none is left alone at the end.

    Groups of one model follow each other: policies that were learned with as many agents serve several groups, and only so many are remembered.
    """
    groups: dict[Any, list[_Task]] = {}
    agents_of: dict[Any, int] = {}
    largest: dict[Any, int] = {}
    for task in tasks:
        model, agents, *_ = task.instance.written
        shared = model.fingerprint if model else (task.claim.id, task.instance.label)
        key = shared, agents
        groups.setdefault(key if model else (shared, None), []).append(task)
        agents_of[key if model else (shared, None)] = size = (agents or 0) if model else 0
        largest[shared] = max(largest.get(shared, 0), size)
    place = {shared: i for i, shared in enumerate(largest)}
    return [groups[key] for key in sorted(groups, key=lambda key: (-largest[key[0]], place[key[0]], -agents_of[key]))]


@dataclass(frozen=True)
class _Computed:
    """One instance as the report shows it, and the time it took, without what earlier instances in this process have computed already."""

    document: Document
    seconds: float | None


def _compute(task: _Task) -> _Computed:
    started = time.perf_counter()
    found = finding(task.claim, task.instance)
    if found.verdict is Verdict.UNDECIDED and found.left is None and task.claim.gap_bound is not None:
        found = replace(found, reason=f"{found.reason}; {LESS_THAN_ALL_VALUES}")
    document = finding_document(found, task.reproduce)
    return _Computed(document, round(time.perf_counter() - started, 4))


def _keep(store: Store, task: _Task, computed: _Computed) -> None:
    if task.kept:
        store.put(task.key, computed.document, computed.seconds)


def _document(
    claims: Sequence[Claim],
    tasks: Sequence[_Task],
    found: Mapping[str, _Computed],
    profile: Profile,
    started: float,
    given: frozenset[str],
) -> Document:
    """The content of ``report.json``; everything but ``provenance`` depends on the inputs and the code alone.

    ``given`` names the models that the caller gave.
    """
    parts: list[Document] = []
    verdicts: Counter[str] = Counter()
    statuses: Counter[str] = Counter()
    unexpected = []
    models: dict[str, Model] = {}
    seconds: dict[str, list[float | None]] = {}
    for claim in claims:
        own = [task for task in tasks if task.claim is claim]
        instances = [found[task.key].document for task in own]
        seconds[claim.id] = [found[task.key].seconds for task in own]
        outcome = status([Verdict(i["verdict"]) for i in instances])
        verdicts.update(i["verdict"] for i in instances)
        statuses[outcome.value] += 1
        if outcome is not claim.registered:
            unexpected.append(claim.id)
        models.update((model.name, model) for model in (task.instance.written.model for task in own) if model)
        parts.append(
            {
                "id": claim.id,
                "paper": CATALOGUE.paper_of(claim),
                "title": claim.title,
                "statement": claim.statement,
                "source": claim.source,
                "reading": claim.reading,
                "assumptions": list(claim.assumptions),
                "registered": claim.registered.value,
                "status": outcome.value,
                "grounds": claim.stands_on.to_json(),
                "rests_on": list(claim.rests_on),
                "repairs": list(claim.repairs),
                "failing_step": claim.failing_step,
                "left_means": claim.left_means,
                "right_means": claim.right_means,
                "control": claim.control.sabotage,
                "instances": instances,
            }
        )
    return {
        "format": 1,
        "profile": profile.value,
        "summary": {
            "claims": len(parts),
            "instances": len(tasks),
            "verdicts": {v.value: verdicts[v.value] for v in Verdict},
            "statuses": {s.value: statuses[s.value] for s in Status},
            "unexpected": unexpected,
        },
        "claims": parts,
        "papers": _papers_document(parts),
        "graph": _graph_document(claims, {part["id"]: Status(part["status"]) for part in parts}),
        "vacuity": _vacuity_document() if any(claim.gap_bound is not None for claim in claims) else None,
        "models": [_model_document(models[name]) | {"given": name in given} for name in sorted(models)],
        "certificates": beside_the_sources({part["id"] for part in parts if part["status"] == Status.REFUTED.value}),
        "searches": documented_searches({part["id"]: part["statement"] for part in parts if part["status"] != Status.REFUTED.value}),
        "maps": documented_maps({part["id"]: part["statement"] for part in parts}),
        "provenance": provenance(started) | {DURATIONS: seconds},
    }


def _walks(tasks: Sequence[_Task], found: Mapping[str, _Computed]) -> list[Document]:
    """The argument for the readings of each first main theorem line by line, on small systems with the exact operator.

    For the first reading where the violation is clearest and where it holds most narrowly, for each reading where every line holds.
    """
    shown = {name for paper in CATALOGUE.papers for readings in paper.main_theorems[:1] for name in readings}
    by_claim: dict[str, list[_Task]] = {}
    for task in tasks:
        if task.claim.argument is None or task.claim.id not in shown or type(task.instance) is not Subsampled:
            continue
        if found[task.key].document["verdict"] in _WALKED and 0 < (task.instance.written.agents or 0) <= _MOST_WALKED:
            by_claim.setdefault(task.claim.id, []).append(task)

    def ratio(task: _Task) -> float:
        known = found[task.key].document
        return float(known["actual"]["lower"] / known["bound"]["upper"])

    walks: list[Document] = []
    for number, listed in enumerate(by_claim.values()):
        for word in _WALKED[:2] if number == 0 else ():
            clearest = max((task for task in listed if found[task.key].document["verdict"] == word), key=ratio, default=None)
            walks += [] if clearest is None else [_walk(clearest)]
        few = (_walk(task) for task in listed if (task.instance.written.agents or 0) <= _FEW_WALKED)
        walks += islice((walk for walk in few if {line["verdict"] for line in walk["lines"]} == {Verdict.HOLDS.value}), 1)
    return walks


def _walk(task: _Task) -> Document:
    assert task.claim.argument is not None
    return Walk(task.claim, task.instance, task.claim.argument(task.instance)).to_json()


def _papers_document(parts: Sequence[Document]) -> list[Document]:
    """The papers of these claims, in the order of the catalogue, each with its main theorems."""
    present = {part["paper"] for part in parts}
    return [
        {
            "name": paper.name,
            "title": paper.title,
            "authors": list(paper.authors),
            "arxiv": paper.arxiv,
            "main": [list(readings) for readings in paper.main_theorems],
        }
        for paper in CATALOGUE.papers
        if paper.name in present
    ]


def _graph_document(claims: Sequence[Claim], statuses: Mapping[str, Status]) -> Document:
    """Dependencies of claims, which claims lose their support in this run, and which keep it by another argument than the source's."""
    from mfverify.theory import dependencies

    return {
        "nodes": [claim.id for claim in claims],
        "arrows": {argument.value: [list(arrow) for arrow in dependencies.arrows(claims, argument)] for argument in dependencies.Argument},
        "unsupported": dependencies.unsupported(claims, statuses),
        "replaced": dependencies.replaced(claims, statuses),
    }


_VACUITY: Final[Document] = {}
"""That part of the last report of this process: some seconds of work, which depend on the bounds alone."""


def _vacuity_document() -> Document:
    """The k from which on bounds of the optimality gap are not vacuous, for all claims of the catalogue that state one."""
    bounds = {claim.id: claim.gap_bound for claim in CATALOGUE if claim.gap_bound is not None}
    plain = [([bounds[i] for i in paper.headlines], paper.experiments) for paper in CATALOGUE.papers]
    asked = repr((bounds, plain))
    if _VACUITY.get("asked") != asked:
        from mfverify.theory import vacuity

        lines = [line for of_paper, experiments in plain for line in vacuity.plain_statements(of_paper, experiments)]
        _VACUITY.update(asked=asked, document=vacuity.document(list(bounds.values()), lines))
    return deepcopy(_VACUITY["document"])


def _model_document(model: Model) -> Document:
    global_states, global_actions, local_states, local_actions = model.sizes
    return {
        "name": model.name,
        "documentation": model.documentation,
        "fingerprint": model.fingerprint,
        "sizes": {
            "global_states": global_states,
            "global_actions": global_actions,
            "local_states": local_states,
            "local_actions": local_actions,
        },
        "discount": written(model.discount),
        "rt_g": written(model.rt_g),
        "rt_l": written(model.rt_l),
        "rt": written(model.rt),
    }


def provenance(started: float) -> Document:
    """Where, when and by which code a run was made: the only part of a report that differs between equal runs."""
    return {
        "version": __version__,
        "commit": commit_of(Path(__file__).parent),
        "code": code_version()[:16],
        "python": platform.python_version(),
        "libraries": library_versions(),
        "machine": f"{platform.machine()}, {usable_cores()} usable cores",
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started)),
        "seconds": round(time.time() - started, 1),
    }


_MOST_WALKED: Final = 200
"""Agents of an instance whose argument a run walks through; larger ones take longer than a second."""

_WALKED: Final = (Verdict.VIOLATED.value, Verdict.HOLDS.value, Verdict.VACUOUS.value)

_FEW_WALKED: Final = 20
"""Agents of instances that are walked through until one is found on which every line holds."""

NO_COMMIT: Final = "none: the package does not lie in a repository of its own; its version and code digest identify it"
"""What a report gives in place of a commit."""


def commit_of(package: Path) -> str:
    """The commit that the sources in ``package`` were checked out from, with ``-dirty`` where tracked files differ from it.

    Only the package's own repository answers: its top folder holds ``package``, whose ``__init__.py`` it tracks. An installed package
    often lies in the repository of another project, whose commit does not identify it.
    """
    without_overrides = {name: x for name, x in os.environ.items() if not name.startswith("GIT_")}

    def git(*arguments: str) -> str:
        asked = subprocess.run(
            ["git", "-C", str(package), *arguments],
            capture_output=True,
            text=True,
            check=True,
            env=without_overrides,
            stdin=subprocess.DEVNULL,
        )
        return asked.stdout.strip()

    try:
        own = Path(git("rev-parse", "--show-toplevel")).resolve() == package.resolve().parent
        git("ls-files", "--error-unmatch", "__init__.py")
        return git("describe", "--always", "--dirty", "--exclude", "*") if own else NO_COMMIT
    except (OSError, subprocess.CalledProcessError):
        return NO_COMMIT
