"""A claim decided on every member of a finite class of models.

A representative of each orbit is decided first by the claim's screen, in doubles with a certified error (:mod:`mfverify.papers.screens`),
many at a time; its answer holds for the whole orbit. What the screen leaves open is decided by the claim's own certified sides, on
every member of the orbit, since what a policy does at a tie depends on the names of actions. Members that are still open are counted as
undecided, and then the record does not say that the claim holds on the class.

The class is cut into slices, each a task. Finished slices are kept in a file that is written as a whole, so that an interrupted run is
continued, with any number of workers or on a Dask cluster. The digest is that of the claim's id, the class, the pairs (n, k), and all
representatives with their orbit sizes and verdicts, in order; it does not depend on the machine.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from mfverify import screening
from mfverify.bundled import folder
from mfverify.errors import ModelError
from mfverify.falsifier import records
from mfverify.falsifier.classes import ModelClass
from mfverify.falsifier.model_domains import sizes_of
from mfverify.files import write_whole
from mfverify.json_files import parse_json, read_text
from mfverify.papers import CATALOGUE
from mfverify.papers.named import SentByName, is_registered
from mfverify.progress import bar
from mfverify.results import code_version
from mfverify.runner import completed
from mfverify.theory.cases.case import Case
from mfverify.theory.cases.of_model import Subsampled
from mfverify.theory.claim import Claim, Sides, Verdict, judge
from mfverify.theory.screen import Exactness, Screen
from mfverify.theory.search_space import Arrangement
from mfverify.version import __version__

SLICE: Final = 2**15
"""Tuples in a slice: some seconds of work."""

MOST_EXACT: Final = 2000
"""Members of a slice that the certified sides decide at most; further ones stay undecided."""

RECORD: Final = folder("reports") / "classes.json"
"""The project's record of the classes that were exhausted."""

_LARGEST_STORE = 256 * 2**20
_SECONDS_BETWEEN_WRITES = 5.0

Pair = tuple[int, int]

CLASSES: Final[Mapping[str, ModelClass]] = {
    "coins": ModelClass((2, 2, 2, 2), (Fraction(-1), Fraction(1))),
    "short-sighted": ModelClass((2, 2, 2, 2), (Fraction(-1), Fraction(1)), Fraction(1, 64)),
    "certain": ModelClass((2, 2, 2, 2), (Fraction(-1), Fraction(0), Fraction(1)), denominator=1),
    "picks": ModelClass((2, 2, 2, 2), (Fraction(-1), Fraction(0), Fraction(1)), picks=True, uncoupled=True),
    "three-states": ModelClass((2, 2, 3, 2), (Fraction(-1), Fraction(1)), Fraction(1, 8), denominator=1, picks=True, uncoupled=True),
    "passive": ModelClass((2, 2, 2, 1), (Fraction(-1), Fraction(0), Fraction(1)), global_rewards=(Fraction(-1), Fraction(0), Fraction(1))),
    "onlookers": ModelClass((2, 2, 2, 1), (Fraction(-1), Fraction(0), Fraction(1)), denominator=4, picks=True),
    "no-choice": ModelClass((2, 1, 2, 2), (Fraction(-1), Fraction(1))),
    "certain-no-choice": ModelClass((2, 1, 2, 2), (Fraction(-1), Fraction(0), Fraction(1)), denominator=1),
}
"""The classes by name."""


@dataclass(frozen=True)
class Slice(SentByName):
    """A task: the representatives among the tuples ``first`` to ``last - 1`` of a class."""

    claim: Claim
    models: ModelClass
    pairs: tuple[Pair, ...]
    first: int
    last: int


@dataclass
class Decided:
    """What is known of some representatives.

    ``not_applicable`` counts the instances, of all members, on which the condition of the claim fails; ``worst`` is the largest ratio
    left/right, in doubles, with its tuple, n and k.
    """

    members: int = 0
    orbits: int = 0
    by_sides: int = 0
    undecided: int = 0
    not_applicable: int = 0
    violated: list[tuple[int, int, int]] = field(default_factory=list)
    worst: tuple[float, int, int, int] | None = None
    digest: str = ""
    seconds: float = 0.0

    def add(self, other: Decided) -> None:
        """Take in what is known of further representatives; digests are combined elsewhere, in order."""
        self.members += other.members
        self.orbits += other.orbits
        self.by_sides += other.by_sides
        self.undecided += other.undecided
        self.not_applicable += other.not_applicable
        self.seconds += other.seconds
        self.violated = [*self.violated, *other.violated][:20]
        if other.worst is not None and (self.worst is None or other.worst[0] > self.worst[0]):
            self.worst = other.worst


def decide(task: Slice) -> Decided:
    """Decide the claim on every member whose representative is in a slice."""
    started = time.monotonic()
    screen, models = _screen_of(task.claim), task.models
    numbers, sizes = models.orbits(task.first, task.last)
    found = Decided(int(sizes.sum()), len(numbers))
    letters = np.full((len(numbers), len(task.pairs)), b"h", dtype="S1")
    open_left = MOST_EXACT
    batch = min(screening.batch_of(models.sizes, max(n for n, _ in task.pairs)), 512)
    for begin in range(0, len(numbers), batch):
        here = numbers[begin : begin + batch]
        arrays = models.arrays(here)
        for j, (n, k) in enumerate(task.pairs):
            limit = 0.0 if screen.grain is None else float(screen.grain(models.sizes, exactness(models), n, k)) * (1 - 2**-40)
            excess, ratio = screen.decides(arrays, n, k)  # type: ignore[misc]  # _screen_of refuses screens without it
            found.not_applicable += int(sizes[begin : begin + batch][np.isnan(ratio) & np.isfinite(excess)].sum())
            ratio = np.where(np.isfinite(ratio), ratio, -np.inf)  # a model that overflows in doubles is open, and shows no ratio
            top = int(np.argmax(ratio))
            if ratio[top] > (-np.inf if found.worst is None else found.worst[0]):
                found.worst = float(ratio[top]), int(here[top]), n, k
            for i in np.flatnonzero(~((excess <= 0) | (excess < limit))):
                verdict = None if open_left <= 0 else _by_sides(task, int(here[i]), n, k)
                open_left -= 1
                found.by_sides += verdict is not None
                found.undecided += verdict is None
                if verdict is Verdict.VIOLATED:
                    found.violated.append((int(here[i]), n, k))
                letters[begin + i, j] = b"u" if verdict is None else b"v" if verdict is Verdict.VIOLATED else b"h"
    content = [np.ascontiguousarray(part).tobytes() for part in (numbers.astype("<i8"), sizes.astype("<i8"), letters)]
    found.digest = hashlib.sha256(b"".join(content)).hexdigest()
    found.seconds = time.monotonic() - started
    return found


def _by_sides(task: Slice, number: int, n: int, k: int) -> Verdict | None:
    """The verdict of the certified sides on the whole orbit: violated if one member is, None if one is open."""
    answer: Verdict | None = Verdict.HOLDS
    for model in task.models.orbit(number):
        verdict = judge(task.claim.sides(instance_of(task.claim, model, n, k)))
        if verdict is Verdict.VIOLATED:
            return verdict
        if verdict not in (Verdict.HOLDS, Verdict.VACUOUS):
            answer = None
    return answer


def instance_of(claim: Claim, model: Any, n: int, k: int) -> Case:
    """The case of a claim on a model, n and k. Raises :class:`ModelError` where the claim has none, or does not cover the model."""
    if isinstance(claim.searched, Arrangement) and not claim.searched.admits(model):
        raise ModelError(f"class: claim {claim.id} does not cover models of sizes {model.sizes}; choose another class")
    made = claim.searched.make(model, n, k) if isinstance(claim.searched, Arrangement) else Subsampled(model, n, k)
    if made is None or sizes_of(made) != (n, k):
        raise ModelError(f"claim {claim.id}: has no instance with n = {n} and k = {k}")
    return made


def exactness(models: ModelClass) -> Exactness:
    """How many bits the entries of a class have."""
    bits = models.denominator.bit_length() - 1
    return Exactness(bits, 0 if models.picks else bits, models.discount)


def _screen_of(claim: Claim) -> Screen:
    screen = claim.screen
    if screen is None or screen.decides is None:
        known = [one.id for one in CATALOGUE if one.screen is not None and one.screen.decides is not None]
        raise ModelError(f"claim {claim.id}: cannot be decided on a class of models; claims that can be: {', '.join(known)}")
    return screen


def _check(claim: Claim, models: ModelClass, pairs: Sequence[Pair]) -> None:
    screen = _screen_of(claim)
    if not pairs:
        raise ModelError("pairs: found none, expected at least one pair of n and k")
    for n, k in pairs:
        if not 1 <= k <= n:
            raise ModelError(f"pairs: found n = {n} and k = {k}, expected 1 <= k <= n")
        if n * exactness(models).local_bits + exactness(models).global_bits > 40:
            raise ModelError(f"pairs: products of the kernel entries of n = {n} agents are not exact in doubles; choose fewer agents")
        instance_of(claim, models.representative(0), n, k)
    values = (*models.rewards, *models.global_rewards)
    if models.discount.denominator & (models.discount.denominator - 1) or any(x.denominator & (x.denominator - 1) for x in values):
        raise ModelError("class: needs a discount and rewards that doubles hold exactly, multiples of a power of 1/2")
    if screen.grain is not None and any(x.denominator != 1 for x in values):
        raise ModelError(f"class: claim {claim.id} is often an equality, which is decided for integer rewards only")


Progress = Callable[[int, int, Decided], None]
"""Called with the number of finished slices, of all slices, and what is known so far."""


def exhaust(
    claim: str | Claim,
    models: str | ModelClass,
    pairs: Sequence[Pair],
    *,
    store: Path | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    progress: Progress | Literal[False] | None = None,
) -> dict[str, Any]:
    """Decide a claim on every member of a class for the given pairs (n, k), and say what was decided, as JSON values.

    ``models`` is a class or the name of one in :data:`CLASSES`. ``store`` keeps finished slices: a run with the same claim, class, pairs
    and code continues from it. ``workers``, ``scheduler`` and ``progress`` as for :func:`mfverify.falsifier.attack.attack`. Raises
    :class:`ModelError` for a claim, class or pair that cannot be decided, and where the sizes of the orbits do not add up.
    """
    claim = CATALOGUE[claim] if isinstance(claim, str) else claim
    if isinstance(models, str):
        if models not in CLASSES:
            raise ModelError(f"class: found {models!r}, expected one of {', '.join(CLASSES)}")
        models = CLASSES[models]
    pairs = tuple(pairs)
    _check(claim, models, pairs)
    tasks = [Slice(claim, models, pairs, first, min(first + SLICE, models.tuples)) for first in range(0, models.tuples, SLICE)]
    head = {
        "claim": claim.id,
        "statement": claim.statement,
        "class": models.title,
        "pairs": [list(pair) for pair in pairs],
        "code": code_version(),
    }
    done = _stored(store, head)
    written = time.monotonic()
    so_far = Decided()
    for one in done.values():
        so_far.add(one)
    left = [[task] for task in tasks if task.first not in done]
    with bar(counts=True) if progress is None else nullcontext() as draw:
        for task, answer in completed(decide, left, workers=workers, scheduler=scheduler):
            done[task.first] = answer
            so_far.add(answer)
            if store is not None and time.monotonic() - written > _SECONDS_BETWEEN_WRITES:
                _write(store, head, done)
                written = time.monotonic()
            if progress:
                progress(len(done), len(tasks), so_far)
            elif draw is not None:
                draw(len(done), len(tasks), f"{so_far.members:,} models decided")
    if store is not None:
        _write(store, head, done)
    return _record(claim, models, head, [done[task.first] for task in tasks])


def _record(claim: Claim, models: ModelClass, head: Mapping[str, Any], answers: Sequence[Decided]) -> dict[str, Any]:
    whole = Decided()
    for answer in answers:
        whole.add(answer)
    if whole.members != models.members:
        raise ModelError(f"class: the orbits have {whole.members} members in all, and the class has {models.members}")
    pairs = [(n, k) for n, k in head["pairs"]]
    status = "violated" if whole.violated else "undecided" if whole.undecided else "holds"
    return {
        "claim": claim.id,
        "statement": claim.statement,
        "class": models.title,
        "pairs": head["pairs"],
        "status": status,
        "models": whole.members,
        "instances": whole.members * len(pairs),
        "orbits": whole.orbits,
        "by_sides": whole.by_sides,
        "undecided": whole.undecided,
        "not_applicable": whole.not_applicable,
        "violated": [list(one) for one in whole.violated],
        "worst": _worst(claim, models, whole),
        "verdicts": verdicts(claim, models, whole.worst, pairs),
        "digest": digest_of(claim.id, models.title, head["pairs"], [answer.digest for answer in answers]),
        "seconds": round(whole.seconds, 1),
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "version": __version__,
        "code": head["code"][:16],
    }


def digest_of(claim: str, title: str, pairs: Sequence[Sequence[int]], slices: Sequence[str]) -> str:
    """The digest of what was decided: of the claim's id, the title of the class, the pairs (n, k), and the digests of the slices in order."""
    verdicts = hashlib.sha256("".join(slices).encode()).hexdigest()
    return hashlib.sha256(json.dumps([claim, title, [list(pair) for pair in pairs], verdicts]).encode()).hexdigest()


def _worst(claim: Claim, models: ModelClass, whole: Decided) -> dict[str, Any] | None:
    """The member with the largest ratio, with its certified sides."""
    if whole.worst is None:
        return None
    _, number, n, k = whole.worst
    model = models.representative(number)
    outcome = claim.sides(instance_of(claim, model, n, k))
    verdict = judge(outcome)
    if verdict is Verdict.VIOLATED and not whole.violated:
        raise ModelError(
            f"claim {claim.id}: the screen decides that it holds on a member of the class on which its certified sides violate it"
        )
    sides = {"actual": outcome.left.to_json(), "bound": outcome.right.to_json()} if isinstance(outcome, Sides) else {}
    return {"tuple": number, "agents": n, "subsample": k, "ratio": whole.worst[0], "verdict": verdict.value, **sides}


def verdicts(claim: Claim, models: ModelClass, worst: tuple[float, int, int, int] | None, pairs: Sequence[Pair]) -> list[str]:
    """The verdict of the certified sides at each pair on the member with the largest ratio: a bound that is vacuous there says so."""
    if worst is None:
        return []
    model = models.representative(worst[1])
    return [judge(claim.sides(instance_of(claim, model, n, k))).value for n, k in pairs]


def _stored(store: Path | None, head: Mapping[str, Any]) -> dict[int, Decided]:
    """The finished slices in a store, if they are of the same task. Raises :class:`ModelError` for a file that is something else."""
    if store is None or not store.exists():
        return {}
    document = parse_json(store, read_text(store, _LARGEST_STORE, "a store of an exhausted class"))
    try:
        same = {name: document[name] for name in head} == dict(head)
        slices = {
            int(first): Decided(**{**one, "violated": [tuple(x) for x in one["violated"]]}) for first, one in document["slices"].items()
        }
    except (KeyError, TypeError, ValueError, AttributeError):
        raise ModelError(f"{store}: is no store of an exhausted class, and would be lost; choose another file") from None
    if not same:
        raise ModelError(f"{store}: holds another claim, class, pairs or code; choose another file, or delete it")
    return slices


def _write(store: Path, head: Mapping[str, Any], done: Mapping[int, Decided]) -> None:
    slices = {str(first): one.__dict__ for first, one in sorted(done.items())}
    write_whole(store, json.dumps({**head, "slices": slices}) + "\n")


def pairs_of(claim: Claim, models: ModelClass, agents: Sequence[int]) -> list[Pair]:
    """The pairs (n, k) that a claim speaks of, for some numbers of agents. Raises :class:`ModelError` for a claim that no class can decide."""
    _screen_of(claim)
    model = models.representative(0)
    if not isinstance(claim.searched, Arrangement):
        return []
    made = [claim.searched.make(model, n, k) for n in agents for k in range(1, n + 1)]
    return list(dict.fromkeys(sizes_of(one) for one in made if one is not None))


def record(new: Sequence[Mapping[str, Any]], earlier: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """The record of several classes, as JSON values; of ``earlier`` ones those of another claim or class are kept."""
    return records.with_new("classes", new, earlier, lambda one: (one["claim"], one["class"]))


def recorded(path: Path) -> list[Mapping[str, Any]]:
    """The classes in a file that :func:`record` filled, as :func:`mfverify.falsifier.records.recorded`."""
    return records.recorded(path, "classes")


def decided_classes(claim: Claim, path: Path = RECORD) -> list[Mapping[str, Any]]:
    """The classes on which a claim of the catalogue was decided as it is stated now, from the project's record; none for another claim."""
    if not is_registered(claim):
        return []
    return [one for one in recorded(path) if one["claim"] == claim.id and one.get("statement") == claim.statement]
