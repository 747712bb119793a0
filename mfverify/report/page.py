"""The page: what the template needs, gathered from the document's records."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import groupby
from typing import Any, Final

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup, escape

from mfverify.report import answers, dependencies, maps, plots, rows, summary
from mfverify.report.digits import compared, ratio
from mfverify.report.document import (
    CertificateRecord,
    ClaimRecord,
    Curve,
    Document,
    InstanceRecord,
    PaperRecord,
    SearchRecord,
    Side,
    WalkRecord,
    read,
)
from mfverify.report.mathematics import typeset
from mfverify.report.plots import Panel
from mfverify.report.words import counts, mark, story, value_in_words
from mfverify.theory.claim import Status, Verdict
from mfverify.theory.grounds import Ground

MOST_REPAIRS: Final = 3
"""Repaired statements that the first screen names by their titles; further ones by their ids."""

LONGEST_SHOWN: Final = 10
"""Instances whose duration the page shows; report.json has the others."""

_SIZES: Final = {
    Markup("|S<sub>g</sub>|"): "global_states",
    Markup("|A<sub>g</sub>|"): "global_actions",
    Markup("|S<sub>l</sub>|"): "local_states",
    Markup("|A<sub>l</sub>|"): "local_actions",
}


@dataclass(frozen=True)
class ClaimSection:
    """One claim as the template shows it."""

    record: ClaimRecord
    title: Markup
    statement: Markup
    reading: Markup
    assumptions: tuple[Markup, ...]
    left_means: Markup
    right_means: Markup
    control: Markup
    rests_on: Markup
    grounds: str
    grounds_use: Markup
    contradicted: bool
    repairs: Markup
    repaired_by: Markup
    differs: bool
    smallest_slack: Markup
    slack_key: str
    panels: list[Panel]
    maps: list[Panel]
    curves_elsewhere: list[tuple[ClaimRecord | None, int]]
    curves_left_out: int
    undrawn: int
    certificates: list[CertificateRecord]
    offered: CertificateRecord | None
    story: Markup
    walks: list[WalkRecord]
    search: SearchRecord | None
    closest: Markup
    effort: Panel | None
    telling: InstanceRecord | None
    telling_heading: str
    telling_numbers: str
    command: str
    lines: Markup


@dataclass(frozen=True)
class PaperSection:
    """The claims of one paper as the template shows them; ``number`` counts from 1."""

    number: int
    title: str
    reference: str
    link: str
    short: str
    sections: list[ClaimSection]

    @property
    def counts(self) -> list[int]:
        """How many claims have which status."""
        return [sum(section.record.status is status for section in self.sections) for status in Status]


def render(document: Mapping[str, Any]) -> str:
    """The whole of ``report.html``: one HTML page that loads nothing and is complete without its script.

    ``document`` is what ``report.json`` holds, of the schema in :mod:`mfverify.report.document`; nothing is recomputed, and
    the same document gives the same bytes. Raises :class:`~mfverify.errors.ModelError` naming the entry of the document,
    or the LaTeX fragment, that cannot be shown.
    """
    run = read(document)
    script = _resource("page.js")
    found = answers.answers(run)
    papers = _papers(run)
    sections = [section for paper in papers for section in paper.sections]
    return _template().render(
        run=run,
        style=Markup(_resource("page.css")),
        script=Markup(script),
        script_hash=_allowance(script),
        answers=found,
        lead=answers.lead(found),
        most_repairs=MOST_REPAIRS,
        unchecked_sentence=answers.unchecked_sentence,
        picture=_picture(found, sections),
        heading=summary.heading(run),
        titles={section.record.id: section.title for section in sections},
        means={section.record.id: (section.left_means, section.right_means) for section in sections},
        links={paper.name: _link(paper) for paper in run.papers},
        anchors={claim.id: claim.anchor for claim in run.claims},
        violated=Verdict.VIOLATED,
        opening=summary.opening(run),
        verdict_sentence=summary.verdict_sentence(run),
        registered_sentence=summary.registered_sentence(run),
        grounds_sentence=summary.grounds_sentence(run),
        violations=[_violation(section.record, run) for section in sections if section.record.count(Verdict.VIOLATED)],
        papers=papers,
        sections=sections,
        models=run.models,
        given_models=[model.name for model in run.models if model.given],
        size_names=_SIZES,
        verdicts=list(Verdict),
        statuses=list(Status),
        grounds=list(Ground),
        verdict_words=summary.VERDICT_WORDS,
        status_words=summary.STATUS_WORDS,
        refuted=Status.REFUTED,
        corroborated=Status.CORROBORATED,
        no_proof="a search that finds nothing is not a proof; it shows how much was searched.",
        used=_used(run),
        dependencies=dependencies.drawing(run),
        vacuity_panels=[plots.curve_panel(curve, run.vacuity.sizes, f"bounds-{i}") for i, curve in enumerate(run.vacuity.curves, start=1)]
        if run.vacuity
        else [],
        vacuity_agents=list(dict.fromkeys(row.agents for row in run.vacuity.rows)) if run.vacuity else [],
        vacuity_table=[(key, list(cells)) for key, cells in groupby(run.vacuity.rows, key=lambda row: (row.bound, row.discount))]
        if run.vacuity
        else [],
        unsearched=_unsearched(run),
        provenance=_provenance(run),
        citation=_citation(run),
        durations=_durations(run),
        longest=_longest(run),
        mark=mark,
        compared=compared,
        where=summary.where,
        counted=summary.counted,
        counts=counts,
    )


def _allowance(script: str) -> str:
    """The name by which the page's content security policy lets exactly this script run, and no other."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
    return environment.from_string(_resource("page.html"))


def _resource(name: str) -> str:
    return files("mfverify.report").joinpath(name).read_text(encoding="utf-8")


def _link(paper: PaperRecord) -> str:
    """The address of a paper on arXiv; empty for one that is not there."""
    return f"https://arxiv.org/abs/{paper.arxiv}" if re.fullmatch(r"[0-9]{4}\.[0-9]{4,5}", paper.arxiv) else ""


def _papers(run: Document) -> list[PaperSection]:
    found = []
    drawn: dict[Curve, str] = {}
    for number, (paper, claims) in enumerate(answers.ordered(run), start=1):
        sections = [_section(claim, run, drawn) for claim in claims]
        if paper is not None:
            by = f"{', '.join(paper.authors)}. " if paper.authors else ""
            found.append(PaperSection(number, paper.title, by, _link(paper), paper.name.replace("_", " "), sections))
        else:
            title = "Claims of your own" if run.given_claims else "Claims"
            found.append(PaperSection(number, title, "", "", title.lower(), sections))
    return found


def _picture(found: Sequence[answers.PaperAnswers], sections: Sequence[ClaimSection]) -> tuple[ClaimSection, Panel] | None:
    """The plot of both sides of the first main theorem that is violated, else of the first; None where no main theorem has one."""
    drawn = {section.record.id: section for section in sections if section.panels}
    checked = [answer.claim for paper in found for answer in paper.answers]
    chosen = [claim for claim in checked if claim.id in drawn]
    chosen.sort(key=lambda claim: claim.status is not Status.REFUTED)
    return (drawn[chosen[0].id], drawn[chosen[0].id].panels[0]) if chosen else None


def _section(claim: ClaimRecord, run: Document, drawn_before: dict[Curve, str]) -> ClaimSection:
    place = f"claim {claim.id}"
    certificates = [one for one in run.certificates if one.claim == claim.id]
    curves, elsewhere, left_out = plots.curves(claim, drawn_before)
    telling = summary.telling(claim)
    tightest = summary.tightest(claim.instances)
    return ClaimSection(
        record=claim,
        title=typeset(claim.title, f"{place}, title"),
        statement=typeset(claim.statement, f"{place}, statement"),
        reading=typeset(claim.reading, f"{place}, reading"),
        assumptions=tuple(typeset(assumption, f"{place}, assumptions") for assumption in claim.assumptions),
        left_means=typeset(claim.left_means, f"{place}, left_means"),
        right_means=typeset(claim.right_means, f"{place}, right_means"),
        control=typeset(claim.control, f"{place}, control"),
        rests_on=_with_statuses(claim.rests_on, run),
        grounds=claim.grounds.kind.value if claim.grounds else rows.NONE,
        grounds_use=_with_statuses(claim.grounds.uses, run) if claim.grounds else Markup(""),
        contradicted=claim.grounds is not None and claim.grounds.kind.is_argument and claim.status is Status.REFUTED,
        repairs=_with_statuses(claim.repairs, run),
        repaired_by=_with_statuses([other.id for other in run.claims if claim.id in other.repairs], run),
        differs=summary.differs(claim, run),
        smallest_slack=_ratio(tightest.slack if tightest else None),
        slack_key=_sort_key(tightest.slack if tightest else None),
        panels=[*plots.against_subsample(claim), *curves],
        maps=[maps.panel(one) for one in run.maps if one.claim == claim.id],
        curves_elsewhere=[(run.claim(other), number) for other, number in elsewhere.items()],
        curves_left_out=left_out,
        undrawn=sum(instance.actual is None or instance.bound is None for instance in claim.instances),
        certificates=certificates,
        offered=min((one for one in certificates if one.content), key=lambda one: one.agents or 0, default=None),
        story=next((story(one.story_text) for one in certificates if one.story_text), Markup("")),
        walks=[walk for walk in run.walks if walk.claim == claim.id],
        search=(search := (run.searches or {}).get(claim.id)),
        closest=_closest(search) if search else Markup(""),
        effort=_effort(search) if search else None,
        telling=telling,
        telling_heading="Clearest violation" if claim.count(Verdict.VIOLATED) else "Tightest instance" if tightest else "First instance",
        telling_numbers=rows.comparison(telling) if telling else "",
        command=rows.command(claim),
        lines=rows.lines(claim),
    )


def _effort(search: SearchRecord) -> Panel | None:
    """The best ratio of a search against its effort, where there are points enough to draw."""
    if search.curve is None or len(set(search.curve.x)) < plots.FEWEST_POINTS:
        return None
    return plots.curve_panel(search.curve, f"seed {search.seed}", f"{search.claim}-search")


def _violation(claim: ClaimRecord, run: Document) -> dict[str, Any]:
    found = summary.clearest_violation(claim)
    assert found is not None  # only claims with a violation are asked
    return {
        "claim": claim,
        "title": typeset(claim.title, f"claim {claim.id}, title"),
        "where": answers.unbroken(found.where),
        "left": found.left.removeprefix(" = ").removeprefix(" in "),
        "right": found.right.removeprefix(" = ").removeprefix(" in "),
        "certificate": answers.smallest_certificate(claim, run),
    }


def _with_statuses(names: Sequence[str], run: Document) -> Markup:
    """Claims by id, each with its status and a link; those outside the run by id alone."""
    known = {other.id: other for other in run.claims}
    parts = [
        Markup('<a href="#{}">{}</a> ({})').format(known[name].anchor, name, known[name].status.value) if name in known else escape(name)
        for name in names
    ]
    return Markup(", ").join(parts)


def _provenance(run: Document) -> list[tuple[str, str]]:
    """What the run recorded of itself, and the seeds and models that its numbers depend on."""
    seeds = sorted(
        {value for claim in run.claims for i in claim.instances for name, value in i.parameters if name == "seed"}, key=_as_number
    )
    said = [(name, value_in_words(value)) for name, value in run.provenance]
    if seeds:
        said.append(("seeds", f"{', '.join(seeds)}; each is among the parameters of its instance, and nothing else is random"))
    if run.models:
        said.append(("models", f"{len(run.models)}, by fingerprint (SHA-256 of the exact content) in the table of models"))
    return said


@dataclass(frozen=True)
class Duration:
    """How long the instances of a claim took in all, or one of them."""

    claim: ClaimRecord
    seconds: float
    instances: int
    instance: InstanceRecord | None = None


def _durations(run: Document) -> list[Duration]:
    """Claim by claim, the longest first; what a store does not know counts as nothing."""
    found = [
        Duration(claim, sum(known), len(known))
        for claim in run.claims
        if (known := [seconds for seconds in run.durations.get(claim.id, ()) if seconds is not None])
    ]
    return sorted(found, key=lambda one: -one.seconds)


def _longest(run: Document) -> list[Duration]:
    """The instances that took longest."""
    found = [
        Duration(claim, seconds, 1, instance)
        for claim in run.claims
        for instance, seconds in zip(claim.instances, run.durations.get(claim.id, ()), strict=False)
        if seconds is not None
    ]
    return sorted(found, key=lambda one: -one.seconds)[:LONGEST_SHOWN]


def _citation(run: Document) -> str:
    """The run as an entry of a BibTeX file."""
    said = {name: re.sub(r"[{}\\\\]", "", value_in_words(value)) for name, value in run.provenance}
    started = said.get("started", "")
    instances = sum(len(claim.instances) for claim in run.claims)
    notes = [f"{name} {said[name]}" for name in ("version", "commit", "code", "libraries") if name in said]
    fields = {
        "title": f"{{Verification report of mfverify: {summary.counted(len(run.claims), 'claim')} on {summary.counted(instances, 'instance')}}}",
        "year": started[:4],
        "month": started[5:7].lstrip("0"),
        "note": ", ".join([f"profile {run.profile}", *notes]),
    }
    key = "mfverify-" + (re.sub(r"[^0-9TZ]", "", started) or "run")
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([f"@misc{{{key},", *lines, "}"])


def _unsearched(run: Document) -> list[ClaimRecord]:
    """The claims that are not refuted here and that no documented search was made against."""
    if run.searches is None:
        return []
    return [claim for claim in run.claims if claim.status is not Status.REFUTED and claim.id not in run.searches]


def _closest(search: SearchRecord) -> Markup:
    """What came closest to a violation in a search."""
    if search.best is None:
        return Markup("")
    family, label, ratio_, left, right = search.best
    at = Markup('at <span class="label">{}</span> ({})').format(label, family)
    if ratio_ is not None:
        return Markup("The largest certified left side / right side was {}, ").format(f"{ratio_:.6g}") + at
    if left is None or right is None:
        return Markup("")
    shown = compared(left, right)
    return Markup("The closest was a left side of {} against {}, ").format(_number(shown[0].text, left), _number(shown[1].text, right)) + at


def _as_number(word: str) -> tuple[bool, int, str]:
    """The order of numbers, behind other words; by their digits, since Python converts at most 4300 of them."""
    digits = word.lstrip("0")
    return (True, len(digits), digits) if word.isdecimal() else (False, 0, word)


def _used(run: Document) -> dict[str, int]:
    """Per model of the run, the number of instances on it."""
    return {model.name: sum(i.model == model.name for claim in run.claims for i in claim.instances) for model in run.models}


def _ratio(side: Side | None) -> Markup:
    return Markup(rows.NONE) if side is None else _number(ratio(side).text, side)


def _sort_key(side: Side | None) -> str:
    """What a column is sorted by: the lower end as a double, nothing where there is none."""
    if side is None or side.lower is None:
        return ""
    try:
        return repr(float(side.lower))
    except OverflowError:
        return "Infinity"


def _number(shown: str, side: Side) -> Markup:
    return Markup('<span title="{}">{}</span>').format(side.full, shown)
