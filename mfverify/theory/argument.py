"""An argument walked through on one instance: its inequalities, line by line, with both sides certified.

An argument for ``gap <= bound`` is a chain of inequalities, and the right side of a line is the left side of the next. A line may be
unfounded and still hold on an instance; a line that is certainly violated shows where the argument breaks there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mfverify.rationals import estimate
from mfverify.theory.claim import Sides, Verdict, judge

if TYPE_CHECKING:
    from mfverify.enclosure import Interval
    from mfverify.theory.cases.case import Case
    from mfverify.theory.claim import Claim


@dataclass(frozen=True)
class Line:
    """One inequality ``left <= right`` of an argument.

    ``step`` says in words how the argument gets from left to right; ``uses`` names the claims that it uses for that; ``where`` is the state
    or sample at which the sides are taken.
    """

    step: str
    left_means: str
    left: Interval
    right_means: str
    right: Interval
    uses: tuple[str, ...] = ()
    where: str = ""

    @property
    def verdict(self) -> Verdict:
        """``holds``, ``violated`` or ``undecided``, from the certified sides alone."""
        return judge(Sides(self.left, self.right))

    def to_json(self) -> dict[str, Any]:
        """The line as an entry of a report."""
        return {
            "step": self.step,
            "uses": list(self.uses),
            "where": self.where,
            "verdict": self.verdict.value,
            "left": self.left.to_json() | {"means": self.left_means},
            "right": self.right.to_json() | {"means": self.right_means},
        }


@dataclass(frozen=True)
class Walk:
    """The lines of the argument for a claim on one instance."""

    claim: Claim
    instance: Case
    lines: Sequence[Line]

    @property
    def breaks(self) -> int | None:
        """The number of the first line that is certainly violated, from 1 on; None where no line is."""
        return next((i for i, line in enumerate(self.lines, start=1) if line.verdict is Verdict.VIOLATED), None)

    def to_json(self) -> dict[str, Any]:
        """The walk as one document: claim, instance, lines, and the first line that breaks."""
        return {
            "claim": self.claim.id,
            "instance": self.instance.label,
            "lines": [line.to_json() for line in self.lines],
            "breaks": self.breaks,
            "conclusion": self.conclusion,
        }

    @property
    def conclusion(self) -> str:
        """One sentence: where the argument breaks on this instance, and whether the claim is violated there."""
        whole = judge(Sides(self.lines[0].left, self.lines[-1].right))
        fate = {Verdict.VIOLATED: "The claim is violated here", Verdict.HOLDS: "The claim itself holds here"}
        said = fate.get(whole, "Whether the claim holds here is undecided")
        if self.breaks is None:
            return f"No line is violated on this instance. {said}."
        line = self.lines[self.breaks - 1]
        named = f" ({', '.join(line.uses)})" if line.uses else ""
        return f"The argument breaks at line {self.breaks}{named}: {line.step}. {said}."

    def as_text(self) -> str:
        """The walk for a terminal."""
        out = [f"argument for {self.claim.id} ({self.claim.source}) on {self.instance.label}"]
        for i, line in enumerate(self.lines, start=1):
            using = f", using {', '.join(line.uses)}" if line.uses else ""
            out += ["", f"{i}. {line.step}{using}: {line.verdict.value}"]
            out += [f"     {_shown(line.left)}  {line.left_means}", f"  <= {_shown(line.right)}  {line.right_means}"]
            out += [f"     at {line.where}"] if line.where else []
        return "\n".join([*out, "", self.conclusion])


def _shown(side: Interval) -> str:
    """Both ends to six digits, or one number where they agree."""
    low, high = estimate(side.lower), estimate(side.upper)
    return low if low == high else f"[{low}, {high}]"
