"""What changed between two runs: claims, statuses, verdicts and numbers, instance by instance.

Instances are the same when claim, label and the content of the model are. An enclosure contains the true value, so those of two
runs of the same instance have to intersect; where they do not, at least one of the runs is wrong. That is said first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from mfverify.report.document import ClaimRecord, Document, InstanceRecord, Side, read
from mfverify.report.summary import counted
from mfverify.theory.claim import Status, Verdict

_SHOWN: Final = 12
"""Lines of the same type that are listed; further ones are only counted."""


@dataclass(frozen=True)
class Change:
    """One thing that is not as it was: where, what it was, what it is."""

    place: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.place}: {self.old} -> {self.new}"


@dataclass(frozen=True)
class Comparison:
    """The changes from one run to another.

    ``contradictions``: enclosures of the same quantity that do not intersect. ``moved``: enclosures that differ and do. ``reworded``:
    claims that no longer state the same, whose numbers are not compared.
    """

    claims_added: tuple[str, ...]
    claims_removed: tuple[str, ...]
    reworded: tuple[str, ...]
    statuses: tuple[Change, ...]
    instances_added: tuple[str, ...]
    instances_removed: tuple[str, ...]
    models_changed: tuple[str, ...]
    verdicts: tuple[Change, ...]
    contradictions: tuple[Change, ...]
    moved: tuple[Change, ...]
    compared: int
    provenance: tuple[Change, ...]

    @property
    def alarming(self) -> bool:
        """Whether an outcome changed, or two enclosures contradict each other."""
        return bool(self.statuses or self.verdicts or self.contradictions)

    def to_json(self) -> dict[str, Any]:
        """The comparison as the command line prints it."""
        return {name: [vars(one) if isinstance(one, Change) else one for one in found] for name, found in self._lists()} | {
            "compared": self.compared
        }

    def lines(self) -> list[str]:
        """The comparison as text, the most important differences first."""
        said = [f"{counted(self.compared, 'instance')} in both runs"]
        for name, found in self._lists():
            if found:
                said.append(f"{_HEADINGS[name]}: {len(found)}")
                said += [f"  {one}" for one in found[:_SHOWN]]
                said += [f"  and {len(found) - _SHOWN} more (--json lists all)"] if len(found) > _SHOWN else []
        if not any(found for name, found in self._lists() if name != "provenance"):
            said.append("nothing changed but the provenance" if self.provenance else "nothing changed")
        return said

    def _lists(self) -> Iterator[tuple[str, tuple[Any, ...]]]:
        return ((name, getattr(self, name)) for name in _HEADINGS)


_HEADINGS: Final = {
    "contradictions": "enclosures that contradict each other: one of the runs is wrong",
    "statuses": "statuses that changed",
    "verdicts": "verdicts that changed",
    "claims_added": "claims added",
    "claims_removed": "claims removed",
    "reworded": "claims that state something else (numbers not compared)",
    "models_changed": "models whose content changed (numbers not compared)",
    "instances_added": "instances added",
    "instances_removed": "instances removed",
    "moved": "numbers that moved within their enclosures",
    "provenance": "provenance",
}


def compare(old: Mapping[str, Any], new: Mapping[str, Any]) -> Comparison:
    """What changed from one report document to another."""
    before, after = read(old), read(new)
    were, are = ({claim.id: claim for claim in run.claims} for run in (before, after))
    common = [name for name in are if name in were]
    content = [{model.name: model.fingerprint for model in run.models} for run in (before, after)]
    changed_models = [name for name in content[1] if name in content[0] and content[0][name] != content[1][name]]
    reworded = [name for name in common if _states(were[name]) != _states(are[name])]
    pairs = [(claim, a, b) for claim in common for a, b in _pairs(were[claim], are[claim])]
    same = [(claim, a, b) for claim, a, b in pairs if claim not in reworded and b.model not in changed_models]
    numbers = list(chain.from_iterable(_numbers(f"{claim}, {b.label}", a, b) for claim, a, b in same))
    return Comparison(
        claims_added=tuple(name for name in are if name not in were),
        claims_removed=tuple(name for name in were if name not in are),
        reworded=tuple(reworded),
        statuses=tuple(_changed((name, were[name].status, are[name].status) for name in common)),
        instances_added=tuple(_only_in(are, were)),
        instances_removed=tuple(_only_in(were, are)),
        models_changed=tuple(changed_models),
        verdicts=tuple(_changed((f"{claim}, {b.label}", a.verdict, b.verdict) for claim, a, b in same)),
        contradictions=tuple(change for change, apart in numbers if apart),
        moved=tuple(change for change, apart in numbers if not apart),
        compared=len(pairs),
        provenance=tuple(_provenance(before, after)),
    )


def _states(claim: ClaimRecord) -> tuple[Any, ...]:
    """What a claim says: where it differs, equal labels need not mean equal quantities."""
    return claim.statement, claim.reading, claim.assumptions, claim.left_means, claim.right_means


def _pairs(old: ClaimRecord, new: ClaimRecord) -> Iterator[tuple[InstanceRecord, InstanceRecord]]:
    known = {instance.label: instance for instance in old.instances}
    return ((known[instance.label], instance) for instance in new.instances if instance.label in known)


def _only_in(one: Mapping[str, ClaimRecord], other: Mapping[str, ClaimRecord]) -> Iterator[str]:
    for name, claim in one.items():
        if name in other:
            known = {instance.label for instance in other[name].instances}
            yield from (f"{name}, {instance.label}" for instance in claim.instances if instance.label not in known)


def _changed(found: Iterator[tuple[str, Status | Verdict, Status | Verdict]]) -> Iterator[Change]:
    return (Change(place, old.value, new.value) for place, old, new in found if old is not new)


def _numbers(place: str, old: InstanceRecord, new: InstanceRecord) -> Iterator[tuple[Change, bool]]:
    """The sides that differ, each with whether they are apart."""
    for name in ("actual", "bound", "trivial"):
        a, b = getattr(old, name), getattr(new, name)
        if a is not None and b is not None and (a.lower, a.upper) != (b.lower, b.upper):
            yield Change(f"{place}, {name}", a.full, b.full), _apart(a, b)


def _apart(a: Side, b: Side) -> bool:
    return any(low is not None and high is not None and high < low for low, high in ((a.lower, b.upper), (b.lower, a.upper)))


def _provenance(before: Document, after: Document) -> Iterator[Change]:
    was, now = dict(before.provenance), dict(after.provenance)
    for name in dict.fromkeys([*was, *now]):
        if was.get(name) != now.get(name):
            yield Change(name, str(was.get(name, "-")), str(now.get(name, "-")))
