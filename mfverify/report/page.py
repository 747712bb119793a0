"""The page: what the template needs, gathered from the document's records."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import groupby
from typing import Any, Final

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup, escape

from mfverify.report import dependencies, plots, summary
from mfverify.report.digits import compact, compared, ratio
from mfverify.report.document import CertificateRecord, ClaimRecord, Document, InstanceRecord, ModelRecord, SearchRecord, Side, read, text
from mfverify.report.mathematics import typeset
from mfverify.report.plots import Panel
from mfverify.theory.claim import Status, Verdict
from mfverify.theory.grounds import Ground

FIRST_ROWS: Final = 12
"""Instances of a claim that are shown at once; the others unfold."""

LONGEST_SHOWN: Final = 10
"""Instances whose duration the page shows; report.json has the others."""

_LONGEST_DETAIL: Final = 240

SYMBOLS: Final = {
    Status.REFUTED: "✗", Status.CORROBORATED: "✓", Status.VACUOUS: "○", Status.UNDECIDED: "?",
    Verdict.HOLDS: "✓", Verdict.VIOLATED: "✗", Verdict.VACUOUS: "○", Verdict.NOT_APPLICABLE: "–", Verdict.UNDECIDED: "?",
}  # fmt: skip
"""The sign shown beside each word, so that no information is given by colour alone."""

_SIZES: Final = {
    Markup("|S<sub>g</sub>|"): "global_states",
    Markup("|A<sub>g</sub>|"): "global_actions",
    Markup("|S<sub>l</sub>|"): "local_states",
    Markup("|A<sub>l</sub>|"): "local_actions",
}


@dataclass(frozen=True)
class Column:
    """A column of a table of instances: heading, style class, and the cell of an instance."""

    heading: str
    style: str
    cell: Callable[[InstanceRecord], Markup]


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
    smallest_slack: Markup
    slack_key: str
    subsample_panels: list[Panel]
    more_subsample_panels: int
    undrawn: int
    curve_panels: list[Panel]
    more_curve_panels: int
    certificates: list[CertificateRecord]
    search: SearchRecord | None
    closest: Markup
    telling: InstanceRecord | None
    telling_heading: str
    telling_numbers: Markup
    columns: list[Column]


def render(document: Mapping[str, Any]) -> str:
    """The whole of ``report.html``: one HTML page that loads nothing; its only script sorts and filters one table.

    ``document`` is what ``report.json`` holds, of the schema in :mod:`mfverify.report.document`; nothing is recomputed, and
    the same document gives the same bytes. Raises :class:`~mfverify.errors.ModelError` naming the entry of the document,
    or the LaTeX fragment, that cannot be shown.
    """
    run = read(document)
    script = _resource("page.js")
    return _template().render(
        run=run,
        style=Markup(_resource("page.css")),
        script=Markup(script),
        script_hash=_allowance(script),
        heading=summary.heading(run),
        own=summary.is_own(run),
        opening=summary.opening(run),
        verdict_sentence=summary.verdict_sentence(run),
        registered_sentence=summary.registered_sentence(run),
        grounds_sentence=summary.grounds_sentence(run),
        violations=[_violation(claim) for claim in run.claims if claim.count(Verdict.VIOLATED)],
        sections=[_section(claim, run) for claim in run.claims],
        models=run.models,
        size_names=_SIZES,
        verdicts=list(Verdict),
        grounds=list(Ground),
        verdict_words=summary.VERDICT_WORDS,
        status_words=summary.STATUS_WORDS,
        refuted_means=summary.STATUS_WORDS[Status.REFUTED],
        corroborated=Status.CORROBORATED,
        no_proof="a search that finds nothing is not a proof; it shows how much was searched.",
        corroborated_means=summary.STATUS_WORDS[Status.CORROBORATED],
        used=_used(run),
        dependencies=dependencies.drawing(run),
        vacuity_panels=[plots.curve_panel(curve, run.vacuity.sizes, f"plot-vacuity-{i}") for i, curve in enumerate(run.vacuity.curves)]
        if run.vacuity
        else [],
        vacuity_agents=list(dict.fromkeys(row.agents for row in run.vacuity.rows)) if run.vacuity else [],
        vacuity_table=[(key, list(rows)) for key, rows in groupby(run.vacuity.rows, key=lambda row: (row.bound, row.discount))]
        if run.vacuity
        else [],
        unsearched=_unsearched(run),
        provenance=_provenance(run),
        durations=_durations(run),
        longest=_longest(run),
        first_rows=FIRST_ROWS,
        mark=mark,
        where=summary.where,
        counted=summary.counted,
    )


def mark(word: Status | Verdict) -> Markup:
    """A status or verdict as a sign and its word."""
    return Markup('<span class="mark {0}"><span class="sign" aria-hidden="true">{1}</span> {0}</span>').format(word.value, SYMBOLS[word])


def _allowance(script: str) -> str:
    """The name by which the page's content security policy lets exactly this script run, and no other."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
    return environment.from_string(_resource("page.html"))


def _resource(name: str) -> str:
    return files("mfverify.report").joinpath(name).read_text(encoding="utf-8")


def _section(claim: ClaimRecord, run: Document) -> ClaimSection:
    place = f"claim {claim.id}"
    panels, more = plots.against_subsample(claim)
    curve_panels, more_curves = plots.curves(claim)
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
        grounds=claim.grounds.kind.value if claim.grounds else "–",
        grounds_use=_with_statuses(claim.grounds.uses, run) if claim.grounds else Markup(""),
        contradicted=claim.grounds is not None and claim.grounds.kind.is_argument and claim.status is Status.REFUTED,
        repairs=_with_statuses(claim.repairs, run),
        repaired_by=_with_statuses([other.id for other in run.claims if claim.id in other.repairs], run),
        smallest_slack=_ratio(tightest.slack if tightest else None),
        slack_key=_sort_key(tightest.slack if tightest else None),
        subsample_panels=panels,
        more_subsample_panels=more,
        undrawn=sum(instance.actual is None or instance.bound is None for instance in claim.instances),
        curve_panels=curve_panels,
        more_curve_panels=more_curves,
        certificates=[one for one in run.certificates if one.claim == claim.id],
        search=(search := (run.searches or {}).get(claim.id)),
        closest=_closest(search) if search else Markup(""),
        telling=telling,
        telling_heading="Clearest violation" if claim.count(Verdict.VIOLATED) else "Tightest instance" if tightest else "First instance",
        telling_numbers=_comparison(telling) if telling else Markup(""),
        columns=_columns(claim, {model.name: model for model in run.models}),
    )


def _violation(claim: ClaimRecord) -> dict[str, Any]:
    found = summary.clearest_violation(claim)
    assert found is not None  # only claims with a violation are asked
    return {
        "claim": claim,
        "title": typeset(claim.title, f"claim {claim.id}, title"),
        "where": found.where,
        "left": found.left,
        "right": found.right,
        "left_means": typeset(claim.left_means, f"claim {claim.id}, left_means"),
        "right_means": typeset(claim.right_means, f"claim {claim.id}, right_means"),
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
    said = [(name, _value(value)) for name, value in run.provenance]
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
    at = Markup("at <span class=\"label\">{}</span> ({})").format(label, family)
    if ratio_ is not None:
        return Markup("The largest certified left side / right side was {}, ").format(f"{ratio_:.6g}") + at
    if left is None or right is None:
        return Markup("")
    shown = compared(left, right)
    return Markup("The closest was a left side of {} against {}, ").format(_number(shown[0].text, left), _number(shown[1].text, right)) + at


def _as_number(word: str) -> tuple[int, str]:
    return (int(word), "") if word.isdecimal() else (-1, word)


def _used(run: Document) -> dict[str, int]:
    """Per model of the run, the number of instances on it."""
    return {model.name: sum(i.model == model.name for claim in run.claims for i in claim.instances) for model in run.models}


def _columns(claim: ClaimRecord, models: Mapping[str, ModelRecord]) -> list[Column]:
    """The columns of the table of instances, without those that would be empty."""
    instances = claim.instances

    def some(of: Callable[[InstanceRecord], Any]) -> bool:
        return any(of(instance) for instance in instances)

    def model(instance: InstanceRecord) -> Markup:
        if instance.model is None:
            return Markup("–")
        known = models.get(instance.model)
        return Markup('<a href="#{}">{}</a>').format(known.anchor, known.name) if known else escape(instance.model)

    columns = [
        Column("Verdict", "verdict", lambda i: mark(i.verdict) + _here(i)),
        Column("Model", "name", model),
        Column("n", "number", lambda i: _or_dash(i.agents)),
        Column("k", "number", lambda i: _or_dash(i.subsample)),
        Column("Parameters", "name", lambda i: _parameters(i.parameters)),
        Column("Left side", "number", lambda i: _pair(i)[0]),
        Column("Right side", "number", lambda i: _pair(i)[1]),
        Column("Trivial", "number", lambda i: _side(i.trivial)),
        Column("Slack", "number", lambda i: _ratio(i.slack)),
        Column("Notes", "notes", _notes),
    ]
    needed: dict[str, Callable[[InstanceRecord], Any]] = {
        "Model": lambda i: i.model is not None,
        "n": lambda i: i.agents is not None,
        "k": lambda i: i.subsample is not None,
        "Parameters": lambda i: i.parameters,
        "Left side": lambda i: i.actual,
        "Right side": lambda i: i.bound,
        "Trivial": lambda i: i.trivial,
        "Slack": lambda i: i.slack,
    }
    return [column for column in columns if column.heading not in needed or some(needed[column.heading])]


def _here(instance: InstanceRecord) -> Markup:
    """The link of an instance to itself; its sign is drawn by the style sheet."""
    return Markup(' <a class="here" href="#{}" aria-label="Link to instance {}"></a>').format(instance.anchor, instance.label)


def _notes(instance: InstanceRecord) -> Markup:
    said = Markup(" ").join(escape(part) for part in (instance.reason, instance.worst) if part)
    rows: Sequence[tuple[str, str]] = [(name, _value(value)) for name, value in instance.details]
    lines = Markup("").join(Markup("<li>{}: {}</li>").format(name, value) for name, value in rows)
    more = Markup('<details class="more"><summary>{}</summary>{}<code class="command">{}</code></details>').format(
        "details" if rows else "command", Markup("<ul>{}</ul>").format(lines) if rows else "", instance.reproduce
    )
    return said + more


def _comparison(instance: InstanceRecord) -> Markup:
    left, right = _pair(instance)
    relation = {Verdict.VIOLATED: ">", Verdict.HOLDS: "≤", Verdict.VACUOUS: "≤"}.get(instance.verdict, "against")
    return Markup("left side {} {} right side {}").format(left, relation, right)


def _pair(instance: InstanceRecord) -> tuple[Markup, Markup]:
    """Both sides with enough digits to see the verdict."""
    if instance.actual is None or instance.bound is None:
        return _side(instance.actual), _side(instance.bound)
    left, right = compared(instance.actual, instance.bound)
    return _number(left.text, instance.actual), _number(right.text, instance.bound)


def _side(side: Side | None) -> Markup:
    return Markup("–") if side is None else _number(compact(side).text, side)


def _ratio(side: Side | None) -> Markup:
    return Markup("–") if side is None else _number(ratio(side).text, side)


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


def _parameters(parameters: Sequence[tuple[str, str]]) -> Markup:
    return escape(", ".join(f"{name}\u00a0=\u00a0{value}" for name, value in parameters)) or Markup("–")


def _or_dash(value: int | None) -> Markup:
    return Markup("–") if value is None else escape(value)


def _value(value: Any) -> str:
    """A value of ``details`` or ``provenance`` on one line."""
    written = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    written = text(written)
    return written if len(written) <= _LONGEST_DETAIL else written[: _LONGEST_DETAIL - 1] + "… (in full in report.json)"
