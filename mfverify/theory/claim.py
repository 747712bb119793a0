"""What a claim is, what an instance of it is, and how a verdict is reached.

A *claim* is a statement about all models: an inequality ``left <= right`` under assumptions. An *instance* is the claim at
one :class:`~mfverify.theory.cases.case.Case`: on one model (or population) with one choice of parameters; its *sides* are two certified intervals. The verdict follows from
the intervals alone, in :func:`judge`; no claim decides its own verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, Generic

from mfverify.enclosure import Ends, Interval, Truth, ends_of
from mfverify.errors import ModelError
from mfverify.theory.cases.case import Case
from mfverify.theory.grounds import REFUTED, SEARCH_ONLY, Grounds

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    from mfverify.model import Model
    from mfverify.theory.argument import Line
    from mfverify.theory.bound import Bound
    from mfverify.theory.screen import Screen
    from mfverify.theory.search_space import SearchSpace
    from mfverify.theory.witness import GapProof, Witness

    C = TypeVar("C", bound=Case, default=Any)
else:  # defaults of type variables are Python 3.13
    from typing import TypeVar

    C = TypeVar("C")


class Verdict(Enum):
    """The outcome of one instance.

    Examples
    --------
    >>> one = Interval.exactly(1)
    >>> [judge(Sides(one, Interval.exactly(right), trivial=Interval.exactly(3))) for right in (2, 0, 4)]
    [<Verdict.HOLDS: 'holds'>, <Verdict.VIOLATED: 'violated'>, <Verdict.VACUOUS: 'vacuous'>]
    """

    HOLDS = "holds"
    VIOLATED = "violated"
    VACUOUS = "vacuous"
    NOT_APPLICABLE = "not-applicable"
    UNDECIDED = "undecided"


LETTERS: Final = {Verdict.HOLDS: "h", Verdict.VIOLATED: "x", Verdict.VACUOUS: "v", Verdict.NOT_APPLICABLE: "-", Verdict.UNDECIDED: "u"}
"""How verdicts are written in a map."""


class Status(Enum):
    """The outcome of a claim over all its instances.

    Examples
    --------
    >>> status([Verdict.HOLDS, Verdict.VIOLATED]), status([Verdict.HOLDS, Verdict.VACUOUS])
    (<Status.REFUTED: 'refuted'>, <Status.CORROBORATED: 'corroborated'>)
    """

    REFUTED = "refuted"
    CORROBORATED = "corroborated"
    VACUOUS = "vacuous"
    UNDECIDED = "undecided"


class Profile(Enum):
    """How much a run computes.

    Examples
    --------
    >>> Profile("quick")
    <Profile.QUICK: 'quick'>
    """

    QUICK = "quick"
    FULL = "full"


@dataclass(frozen=True)
class Sides:
    """The two sides of an instance, certified.

    Parameters
    ----------
    left, right
        Enclosures of the two sides.
    trivial
        What the left side can never exceed, if known: a right side that is no better is called vacuous.
    details
        For the reader: the worst state, a curve to draw; JSON values only.

    Examples
    --------
    >>> judge(Sides(left=Interval.exactly("1/3"), right=Interval.exactly("1/2"))).value
    'holds'
    """

    left: Interval
    right: Interval
    trivial: Interval | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class NotApplicable:
    """An assumption of the claim fails on this instance, or its right side is not defined.

    Parameters
    ----------
    reason
        Which, in a sentence.
    details
        What would happen, for the reader; JSON values only.

    Examples
    --------
    >>> judge(NotApplicable("the model has two local actions")).value
    'not-applicable'
    """

    reason: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Unresolved:
    """The two sides could not be certified on this instance.

    Parameters
    ----------
    reason
        Why, in a sentence.

    Examples
    --------
    >>> judge(Unresolved("a greedy action is undecided")).value
    'undecided'
    """

    reason: str


Outcome = Sides | NotApplicable | Unresolved


@dataclass(frozen=True)
class Control:
    """How a claim is sabotaged: the same check must then find it violated on at least one instance. All functions take the cases of the claim.

    Parameters
    ----------
    sabotage
        What is changed, in words.
    sides
        Another check, such as the same one with another model; by default that of the claim.
    instances
        Where it is tried; by default the instances of the quick profile.
    left, right
        Make another side of one, for a given case; :mod:`mfverify.theory.sabotage` has the usual ones.

    Examples
    --------
    >>> Control("the right side is halved", right=lambda side, case: side / 2).right(Interval.exactly(1), None)
    [0.5, 0.5]
    """

    sabotage: str
    sides: Callable[[Any], Outcome] | None = None
    instances: Callable[[], Sequence[Any]] | None = None
    left: Callable[[Interval, Any], Interval] | None = None
    right: Callable[[Interval, Any], Interval] | None = None


@dataclass(frozen=True)
class Claim(Generic[C]):
    """One statement of the catalogue as an executable check. ``C`` is the type of its cases: the arguments of its sides.

    Parameters
    ----------
    id
        Short and unique, such as ``"T1"``.
    title, statement, source
        A title, the statement in LaTeX, and the place in the source.
    reading
        Which reading of the source is checked.
    assumptions
        Under which the statement is made.
    registered
        The status that a run is expected to find.
    sides
        Computes the two sides of a case.
    instances
        Lists the cases of a profile, on the given models or on the bundled ones.
    control
        How the check is shown to be able to fail.
    rests_on
        Ids of the claims that the source's argument uses for this one.
    left_means, right_means
        What the sides are, for reports.
    repairs
        Ids of the refuted claims that a claim of ours replaces.
    failing_step
        Which step of the argument fails, for a claim that is registered as refuted.
    grounds
        Why a claim that is not refuted should be believed, and which claims our own argument uses; without it a search is the only evidence.
    gap_bound, gap_sampling
        The right side of a claim about the optimality gap: on every case with a model, n and k alone the claim is that the largest gap over
        start states, with these draws, is at most this bound, without a further assumption. It is used where values are out of reach, and for
        the table of where such bounds are not vacuous.
    certificate
        How a violated instance is certified: by the gap of a policy, or by what the function finds; without it certificates do not cover the
        claim.
    argument
        The lines of the source's argument, as reconstructed, on a case.
    searched
        Where a search for a counterexample takes cases from; by default ``instances`` on generated models.
    screen
        Computes both sides on many small models at once, in doubles, for searches and for classes of models that are decided as a whole.

    Examples
    --------
    >>> from mfverify.papers import CATALOGUE
    >>> claim = CATALOGUE["T1"]
    >>> claim.title, claim.registered.value
    ('Theorem 4.2: the optimality gap', 'refuted')
    """

    id: str
    title: str
    statement: str
    source: str
    reading: str
    assumptions: tuple[str, ...]
    registered: Status
    sides: Callable[[C], Outcome]
    instances: Callable[[Profile, Sequence[Model] | None], Sequence[C]]
    control: Control
    rests_on: tuple[str, ...] = ()
    left_means: str = "left side"
    right_means: str = "right side"
    repairs: tuple[str, ...] = ()
    failing_step: str = ""
    grounds: Grounds | None = None
    gap_bound: Bound | None = None
    gap_sampling: str = "independent"
    certificate: GapProof | Callable[[C], Witness] | None = None
    argument: Callable[[C], Sequence[Line]] | None = None
    searched: SearchSpace[C] | None = None
    screen: Screen | None = None

    @property
    def stands_on(self) -> Grounds:
        """The grounds, also of a claim that states none: its counterexample where it is registered as refuted, else a search."""
        if self.registered is Status.REFUTED:
            return REFUTED
        return self.grounds or SEARCH_ONLY

    def controlled(self) -> Sequence[C]:
        """The cases on at least one of which the sabotaged claim has to be violated."""
        return self.control.instances() if self.control.instances is not None else self.instances(Profile.QUICK, None)

    def sabotaged(self, case: C) -> Outcome:
        """The sides of the sabotaged claim."""
        control = self.control
        outcome = (control.sides or self.sides)(case)
        if not isinstance(outcome, Sides):
            return outcome
        left, right = (
            side if change is None else change(side, case)
            for side, change in ((outcome.left, control.left), (outcome.right, control.right))
        )
        return replace(outcome, left=left, right=right)


@dataclass(frozen=True)
class Finding:
    """What was found on one instance."""

    claim: str
    instance: Case
    verdict: Verdict
    left: Interval | None = None
    right: Interval | None = None
    trivial: Interval | None = None
    reason: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


def judge(outcome: Outcome) -> Verdict:
    """The verdict from the certified intervals: ``holds`` iff upper(left) <= lower(right), ``violated`` iff lower(left) > upper(right).

    A right side that holds but is certainly no smaller than the trivial bound is ``vacuous``.
    """
    if isinstance(outcome, NotApplicable):
        return Verdict.NOT_APPLICABLE
    if isinstance(outcome, Unresolved):
        return Verdict.UNDECIDED
    answer: Truth = outcome.left <= outcome.right
    if answer is False:
        return Verdict.VIOLATED
    if answer is not True:
        return Verdict.UNDECIDED
    if outcome.trivial is not None and (outcome.right >= outcome.trivial) is True:
        return Verdict.VACUOUS
    return Verdict.HOLDS


def judge_written(left: Ends, right: Ends, trivial: Ends | None) -> Verdict:
    """:func:`judge` on the sides in a document. An unbounded side is infinite."""
    most = sum((abs(x) for ends in (left, right, trivial or ()) for x in ends if x is not None), Fraction(1))

    def interval(ends: Ends) -> Interval:
        return Interval(-most if ends[0] is None else ends[0], most if ends[1] is None else ends[1])

    return judge(Sides(interval(left), interval(right), None if trivial is None else interval(trivial)))


def contradiction(document: Mapping[str, Any]) -> str:
    """How the verdict of an instance in a report or a store disagrees with its own sides; empty where it does not.

    The verdict of an instance without sides (not applicable, or not computed) cannot be derived again. Raises :class:`ModelError`
    where a side is no interval.
    """
    stated = Verdict(document["verdict"])
    sides = []
    for name in ("actual", "bound", "trivial"):
        try:
            sides.append(None if document[name] is None else ends_of(document[name]))
        except (KeyError, TypeError):
            raise ModelError(f"{name}: expected null or an object with lower and upper") from None
        except ModelError as error:
            raise ModelError(f"{name}: {error}") from None
    left, right, trivial = sides
    if left is None and right is None:
        without = stated in (Verdict.NOT_APPLICABLE, Verdict.UNDECIDED)
        return "" if without else f"the verdict {stated.value} needs both sides, actual and bound; one of them is null"
    if left is None or right is None:
        return f"the verdict {stated.value} needs both sides, actual and bound; one of them is null"
    derived = judge_written(left, right, trivial)
    return "" if derived is stated else f"the verdict is {stated.value}, but its sides make it {derived.value}"


def finding(claim: Claim[C], instance: C) -> Finding:
    """Compute the sides of one instance and judge them."""
    outcome = claim.sides(instance)
    verdict = judge(outcome)
    if isinstance(outcome, Sides):
        return Finding(claim.id, instance, verdict, outcome.left, outcome.right, outcome.trivial, "", outcome.details)
    details = outcome.details if isinstance(outcome, NotApplicable) else {}
    return Finding(claim.id, instance, verdict, reason=outcome.reason, details=details)


def status(verdicts: Sequence[Verdict]) -> Status:
    """The status of a claim: one certified violation refutes it; without one, at least one non-vacuous instance must hold.

    Instances that are not applicable do not count. A claim with an undecided instance and no violation stays undecided
    only if nothing holds; the number of undecided instances is reported beside the status.
    """
    if Verdict.VIOLATED in verdicts:
        return Status.REFUTED
    if Verdict.HOLDS in verdicts:
        return Status.CORROBORATED
    if Verdict.VACUOUS in verdicts and Verdict.UNDECIDED not in verdicts:
        return Status.VACUOUS
    return Status.UNDECIDED


def tightest(candidates: Sequence[Sides], companions: Sequence[Sides] = ()) -> Sides:
    """The most informative of several inequalities that an instance states at once.

    A violation first (the largest excess), then an undecided one, then the non-vacuous one with the largest left/right
    ratio: the instance holds if all of them do, and is vacuous if all ``candidates`` are. These have to be one statement at
    several places, each with its trivial bound where one is known. ``companions`` are inequalities of another kind that the
    claim states beside it (a sign, say): they can violate the instance or leave it undecided, but that they hold does not
    make a vacuous statement a telling one. Raises :class:`ModelError` where there is no candidate.
    """
    if not candidates:
        raise ModelError("an instance without any inequality has no tightest one; report it as not-applicable")
    severity = {Verdict.VIOLATED: 3, Verdict.UNDECIDED: 2, Verdict.HOLDS: 1, Verdict.VACUOUS: 0}

    def order(sides: Sides) -> tuple[int, Any]:
        verdict = judge(sides)
        if verdict is Verdict.VIOLATED or sides.right.lower <= 0:
            return severity[verdict], sides.left.lower - sides.right.upper
        return severity[verdict], sides.left.midpoint / sides.right.midpoint

    failing = [sides for sides in companions if judge(sides) in (Verdict.VIOLATED, Verdict.UNDECIDED)]
    return max([*candidates, *failing], key=order)
