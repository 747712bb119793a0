"""The verb: search, shrink, certify, and a record of what was done.

What is repeatable: the candidates of a search and their order are a function of claim and seed, and of what it begins with; the instance
found is the first violated one in that order; what it is shrunk to, and the certificate, are functions of that instance. The workers, their number and
their speed, play no part. Time decides only how far a search or a shrinking gets: two runs of the same code that both find something find the same, and
two that both finish shrinking end with the same certificate. A limit on the number of candidates, in place of time, makes the rest
repeatable too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from mfverify.certificate import Certificate, certify
from mfverify.errors import MfverifyError, ModelError, NoCertificateError
from mfverify.falsifier import records
from mfverify.falsifier.evaluation import Asked, Candidate, Evaluated, Evaluator, evaluate
from mfverify.falsifier.exhaust import decided_classes
from mfverify.falsifier.model_domains import sizes_of
from mfverify.falsifier.model_moves import assembled, untied
from mfverify.falsifier.search import Searched, outcome, search, summary
from mfverify.falsifier.shrink import Shrunk, shrink
from mfverify.falsifier.smallest import Front, descend
from mfverify.papers.named import claim_named
from mfverify.progress import Draw, bar
from mfverify.rationals import quoted
from mfverify.results import code_version
from mfverify.runner import FOR_EVER, connected, usable_cores
from mfverify.theory.cases.case import Case
from mfverify.theory.claim import Claim, Status, Verdict
from mfverify.theory.search_space import Arrangement
from mfverify.validation import positive_integer
from mfverify.version import __version__

Progress = Callable[[str, Searched, Shrunk | None], None]
"""Called with the claim's id, what was searched so far, and what was found and shrunk so far."""


@dataclass(frozen=True)
class Attack:
    """The outcome of one search. ``certificate`` is None where nothing was found, or where ``reason`` says why there is none.

    Where the simplest violated instance has none, ``found`` is a less simple one that has (or the same with rewards that differ by a
    little), and ``reason`` is why.
    ``smallest`` are the violated instances that were certified and that no other one beats in every respect.
    """

    claim: Claim
    seed: int
    budget: float
    searched: Searched
    shrunk: Shrunk | None = None
    certificate: Certificate | None = None
    reason: str = ""
    smallest: Front = field(default_factory=Front)

    @property
    def found(self) -> Evaluated | None:
        """The simplest violated instance reached that has a certificate, else the simplest, with its certified sides; None if none was found."""
        return self.shrunk.best if self.shrunk is not None else self.searched.found

    @property
    def status(self) -> Status:
        """Refuted, or undecided: a search that finds nothing is no evidence beyond the instances that were searched."""
        return Status.REFUTED if self.found is not None else Status.UNDECIDED

    def to_json(self) -> dict[str, Any]:
        """What was searched, the best and the violated instance, how it was shrunk, the certificate's content.

        ``searched`` names also the classes of models on which the claim was decided before, from the project's record.
        """
        found = self.found
        document: dict[str, Any] = {
            "claim": self.claim.id,
            "registered": self.claim.registered.value,
            "status": self.status.value,
            "seed": self.seed,
            "first": [one.label for one in self.searched.first],
            "budget": self.budget,
            "seconds": round(self.searched.seconds, 1),
            "searched": summary(self.searched) | {"classes": decided_classes(self.claim)},
            "violated": None,
            "shrinking": None,
            "smallest": self.smallest.to_json(),
            "certificate": None if self.certificate is None else self.certificate.document,
            "reason": self.reason,
        }
        if found is not None:
            document["violated"] = outcome(found)
        if self.searched.found is not None and self.shrunk is not None:
            document["shrinking"] = {
                "from": self.searched.found.candidate.instance.label,
                "family": self.searched.found.candidate.family,
                "tried": self.shrunk.tried,
                "steps": self.shrunk.steps,
                "finished": self.shrunk.finished,
            }
        return document


class InterruptedAttack(KeyboardInterrupt):
    """The user stopped a search; ``attack`` holds what was found so far."""

    def __init__(self, attack: Attack) -> None:
        super().__init__()
        self.attack = attack


def attack(
    claim: str | Claim,
    budget: float = 60,
    *,
    seed: int = 0,
    workers: int | None = None,
    scheduler: str | None = None,
    candidates: int | None = None,
    earlier: Sequence[Mapping[str, Any]] = (),
    progress: Progress | Literal[False] | None = None,
) -> Attack:
    """Search for an instance that violates a claim, shrink it, and certify what is left.

    Parameters
    ----------
    claim
        An id of the catalogue, ``FILE.py:NAME`` (the file is executed), or a :class:`~mfverify.theory.claim.Claim` of your own, which is
        searched on the instances that its ``instances`` lists for generated models.
    budget
        Seconds, for search and shrinking together.
    seed
        Of the search.
    workers
        Processes, the usable cores by default.
    scheduler
        The address of a Dask cluster whose workers are used instead, such as ``tcp://10.0.0.1:8786``; the certificate is made here.
    candidates
        Largest number of instances that the search, and then the shrinking, evaluates.
    earlier
        Searches, as :func:`recorded` gives them. The search begins with the best instance of those against the same statement, so that it
        continues where they ended.
    progress
        Called with what was searched; by default a bar on a terminal and in a notebook, with False none.

    Returns
    -------
    Attack
        ``found``, ``certificate``, ``status``, and in ``to_json()`` everything that was searched.

    Raises
    ------
    ModelError
        Before any work: an unknown claim, an argument out of its range, no cluster at the address.
    InterruptedAttack
        The user interrupted it; what was found so far is in it.
    WorkersError
        Workers were lost and not replaced.

    Examples
    --------
    >>> found = attack("C3", candidates=50, workers=1)
    >>> found.status.value, found.certificate.document["agents"]
    ('refuted', 2)
    """
    if not isinstance(claim, Claim):
        claim = claim_named(claim)
    if isinstance(budget, bool) or not isinstance(budget, (int, float)) or not 0 < budget < float("inf"):
        raise ModelError(f"budget: found {quoted(budget)}, expected a positive number of seconds")
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ModelError(f"seed: found {quoted(seed)}, expected an integer of at least 0")
    if scheduler is not None and workers is not None:
        raise ModelError("workers: are those of the cluster where a scheduler is given; leave one of the two out")
    workers = positive_integer("workers", workers if workers is not None else usable_cores())
    if candidates is not None:
        candidates = positive_integer("candidates", candidates)
    name = claim.id
    searched, shrunk, front = Searched(name, seed, first_of(claim, earlier)), None, Front()
    try:
        with (
            connected(scheduler) if scheduler is not None else nullcontext() as cluster,
            bar() if progress is None else nullcontext() as draw,
        ):
            progress = progress or (_drawn(draw, budget) if draw is not None else None)
            evaluator = Evaluator(claim, workers, time.monotonic() + budget, cluster)
            search(claim, evaluator, candidates, searched, (lambda s: progress(name, s, None)) if progress else None)
            if searched.found is not None:
                shrunk = Shrunk(searched.found)
                front.add(searched.found)
                tell = (lambda s: progress(name, searched, s)) if progress else None
                if candidates is not None:
                    shrink(claim, evaluator, candidates, shrunk, front.add, tell)
                else:
                    descend(claim, evaluator, searched, shrunk, front, tell)
    except KeyboardInterrupt:
        raise InterruptedAttack(Attack(claim, seed, budget, searched, shrunk, smallest=front)) from None
    if shrunk is None:
        return Attack(claim, seed, budget, searched)
    certificate, reason = _certificate(claim, shrunk)
    return Attack(claim, seed, budget, searched, shrunk, certificate, reason, front)


def first_of(claim: Claim, earlier: Sequence[Mapping[str, Any]]) -> tuple[Case, ...]:
    """The best instances of earlier searches against the statement of a claim; of records without a model, or with one that is not covered, none.

    Raises :class:`ModelError` for a search that cannot be read.
    """
    out = []
    for one in earlier:
        if (one["claim"], one.get("statement")) != (claim.id, claim.statement) or not isinstance(claim.searched, Arrangement):
            continue
        try:
            best = one["searched"]["best"]
            if best is not None and best["model"] is not None and "agents" in best:
                made = claim.searched.instance(assembled(best["model"]), best["agents"], best["subsample"])
                out += [] if made is None else [made]
        except (KeyError, TypeError, AttributeError):
            raise ModelError(f"record of {claim.id}: its best instance cannot be read; search without it") from None
    return tuple(out)


def _drawn(draw: Draw, budget: float) -> Progress:
    """A bar of the time that is used, with the best ratio so far."""
    started = time.monotonic()

    def progress(claim: str, searched: Searched, shrunk: Shrunk | None) -> None:
        best = f"best left/right {searched.best.score:.4g}" if searched.best is not None else "no sides yet"
        where = shrunk.best.candidate.instance.label if shrunk is not None else f"{searched.evaluations} candidates, {best}"
        state = f"{claim} shrinking ({shrunk.tried} tried): " if shrunk is not None else f"{claim} "
        draw(min(budget, time.monotonic() - started), budget, state + where)

    return progress


def _certificate(claim: Claim, shrunk: Shrunk) -> tuple[Certificate | None, str]:
    """The certificate of the simplest instance that has one, and why simpler ones have none.

    An instance may have ties that only exact values of a large system decide; one whose rewards differ by a little, or the one that it was
    simplified from, need not.
    """
    reason, reached = "", [*shrunk.earlier, shrunk.best]
    for i in reversed(range(len(reached))):
        instance = reached[i].candidate.instance
        try:
            found = certify(claim, instance)
        except NoCertificateError as error:
            reason = reason or str(error)
            last = i + 1 == len(reached) or reached[i + 1].candidate.instance.order < instance.order  # of those with as many agents
            other = _untied(claim, instance) if last else None
            if other is None:
                continue
            shrunk.best, found = other
            shrunk.earlier, shrunk.finished = reached[: i + 1], False
            return found, reason
        except MfverifyError as error:
            reason = reason or str(error)
            continue
        if reason:
            shrunk.best, shrunk.earlier, shrunk.finished = reached[i], reached[:i], False
        return found, reason
    return None, reason


def _untied(claim: Claim, instance: Case) -> tuple[Evaluated, Certificate] | None:
    """A violated instance with the same n and k, whose rewards differ from those of this one by a little, with its certificate; None without one."""
    if not isinstance(claim.searched, Arrangement) or instance.written.model is None:
        return None
    covered = filter(claim.searched.admits, untied(instance.written.model))
    made = (claim.searched.make(model, *sizes_of(instance)) for model in covered)
    answers = (evaluate(Asked(claim, Candidate("without ties", one), FOR_EVER)) for one in made if one is not None)
    for answer in answers:
        if answer.verdict is Verdict.VIOLATED:
            with suppress(NoCertificateError):
                return answer, certify(claim, answer.candidate.instance)
    return None


def falsify(
    claim: str | Claim,
    budget: float = 60,
    *,
    seed: int = 0,
    workers: int | None = None,
    scheduler: str | None = None,
    candidates: int | None = None,
    progress: Progress | Literal[False] | None = None,
) -> Certificate | None:
    """Search for a violated instance of a claim: the certificate of a simple one, or None.

    None means that nothing was found among what was searched; :func:`attack` says what that was.

    Parameters
    ----------
    claim, budget, seed, workers, scheduler, candidates, progress
        As for :func:`attack`.

    Returns
    -------
    Certificate or None
        Accepted by the independent checker.

    Raises
    ------
    ModelError
        Something was found that certificates do not cover (the message names the instance); otherwise as :func:`attack`.

    Examples
    --------
    >>> found = falsify("C3", workers=1)
    >>> found.document["agents"], found.document["subsample"]
    (2, 1)
    >>> falsify("R3m", candidates=5, workers=1) is None     # nothing was found, which proves nothing
    True
    """
    outcome_ = attack(claim, budget, seed=seed, workers=workers, scheduler=scheduler, candidates=candidates, progress=progress)
    if outcome_.found is not None and outcome_.certificate is None:
        raise ModelError(
            f"{outcome_.claim.id} is violated at {outcome_.found.candidate.instance.label}, without a certificate: {outcome_.reason}"
        )
    return outcome_.certificate


def record(attacks: Sequence[Attack], earlier: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """The record of several searches, without certificates and classes, and with what each claim stated, the date and the code.

    Of ``earlier`` searches those against other claims are kept. Searches that found nothing against the same statement add up: the one with
    the largest ratio is kept whole, the others in brief, in ``others``. In the order of the catalogue; what it does not have comes last.
    """
    made = {"date": time.strftime("%Y-%m-%d", time.gmtime()), "version": __version__, "code": code_version()[:16]}
    before = {one["claim"]: one for one in earlier}
    new = [
        {
            **one.to_json(),
            "searched": summary(one.searched),
            "certificate": one.certificate is not None,
            "statement": one.claim.statement,
            **made,
        }
        for one in attacks
    ]
    together = [with_others(one, before.get(one["claim"])) for one in new]
    return records.with_new("searches", together, earlier, lambda one: one["claim"])


def with_others(new: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Any]:
    """The search with the larger ratio, and in ``others`` what else was searched against the same statement, each seed and code once."""
    if old is None or old.get("statement") != new["statement"] or new["violated"] is not None or old["violated"] is not None:
        return dict(new)
    if _sequence(new) == _sequence(old):  # the same candidates, more or fewer of them
        furthest = max(new, old, key=lambda one: one["searched"]["candidates"])
        return {**furthest, **({"others": old["others"]} if old.get("others") else {})}
    best, other = (new, old) if _ratio(new) >= _ratio(old) else (old, new)
    brief = {
        **{name: other[name] for name in ("seed", "first", "seconds", "date", "version", "code") if name in other},
        **{name: other["searched"].get(name, 0) for name in ("candidates", "screened")},
        "ratio": None if _ratio(other) == float("-inf") else _ratio(other),
    }
    others = [one for one in old.get("others", []) if _sequence(one) not in (_sequence(new), _sequence(old))]
    return {**best, "others": [*others, brief]}


def _sequence(search: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    """What the sequence of candidates of a claim depends on."""
    return search["seed"], search["code"], search.get("first", [])


def _ratio(search: Mapping[str, Any]) -> float:
    """The certified ratio of a recorded search; -inf where it had none."""
    best = search["searched"]["best"]
    return float("-inf") if best is None or best["ratio"] is None else float(best["ratio"])


def recorded(path: Path) -> list[Mapping[str, Any]]:
    """The searches in a file that :func:`record` filled, as :func:`mfverify.falsifier.records.recorded`."""
    return records.recorded(path, "searches")
