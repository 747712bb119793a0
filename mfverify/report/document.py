"""The document that a run leaves behind (``report.json``), read into records; the report is rendered from it alone.

The schema, format 1 (``?`` marks a key that may be left out, ``|null`` a value that may be null)::

    {"format": 1, "profile": str,
     "summary": {"claims": int, "instances": int,
                 "verdicts": {verdict: int, ...}, "statuses": {status: int, ...},
                 "unexpected": [ids of the claims whose status is not the registered one]},
     "claims": [{"id", "paper"?: str|null, "title", "statement", "source", "reading": str, "assumptions": [str],
                 "registered": status, "status": status, "rests_on": [ids], "repairs"?: [ids], "failing_step"?: str,
                 "grounds"?: {"kind": ground, "sentence": what the kind means, "where": str, "uses": [ids that our argument uses]},
                 "left_means", "right_means": str, "control": what the sabotaged twin changes,
                 "instances": [{"model": name|null, "agents": int|null, "subsample": int|null,
                                "parameters": {name: int|str}, "label": str, "verdict": verdict,
                                "actual": side|null, "bound": side|null, "trivial": side|null, "slack": side|null,
                                "reason": str, "details": {}, "reproduce": command}]}],
     "papers"?: [{"name", "title": str, "authors": [str], "arxiv": str, "main": [[ids of the readings of a main theorem]]}],
     "models": [{"name", "documentation", "fingerprint": str, "given"?: bool, "discount", "rt_g", "rt_l", "rt": exact rationals,
                 "sizes": {"global_states", "global_actions", "local_states", "local_actions": int}}],
     "graph"?: {"unsupported": {id: [refuted ids that every argument for it uses, directly or through others]},
                "replaced"?: {id: [refuted ids that the source's argument for it uses, while the one of its grounds does not]}, ...},
     "certificates"?: [{"claim", "file", "sha256", "left_at_least", "right_at_most": str, "story": str|null, "where"?: str,
                        "agents"?: int|null, "content"?: base64|null, "story_text"?: str|null}],
     "searches"?: null | [{"claim", "version", "date", "code": str, "seed", "candidates": int, "seconds": number, "exhausted": bool,
                           "families": {name: int}, "verdicts": {verdict: int}, "violated": label|null,
                           "best": {"family", "label": str, "ratio": number|null, "actual", "bound": side|null} | null, "notes"?: [sentence],
                           "curve"?: as details.curve, or null}],
     "walks"?: [{"claim", "instance": label, "conclusion": str, "breaks": int|null,
                 "lines": [{"step", "where": str, "uses": [ids], "verdict": verdict, "left", "right": side | {"means": str}}]}],
     "maps"?: [{"claim", "place": str, "x", "y": {"name": str, "values": [str]}, "rows": [letters of verdicts, one string for each y],
                "command": str}],
     "vacuity"?: {"sizes": str, "rows": [{"bound", "discount": str, "agents": int, "first": int|null, "at_end": number}],
                  "curves": [as details.curve], "plain"?: [sentences on the bounds of the main theorems]},
     "provenance": {name: anything, "seconds_of_instances"?: {id of a claim: [number|null for each of its instances]}}}

- A *side* is ``{"lower": x|null, "upper": y|null, "exact"?: "p/q", "ends"?: [x, y]}``: the number lies between the two doubles; null
  means unbounded. ``ends`` are the two bounds as rationals in hexadecimal, where the doubles are too coarse to derive the verdict.
  ``slack`` is bound / actual.
- ``statement``, ``title``, ``reading``, ``assumptions``, ``left_means``, ``right_means`` and ``control`` are prose with
  LaTeX between ``$...$`` (inline) or ``$$...$$`` (display); every other string is plain text.
- ``details`` is for the reader: ``worst`` is a short text on the worst state or pair; ``curve`` is drawn: ``{"title",
  "x_label", "y_label": str, "x": [number], "series": [{"label": str, "lower": [number|null], "upper": [number|null]}],
  "scale": "linear"|"log"}``; any other key is shown as a line ``key: value``.
- ``given`` says that the model is one of the caller, not of this package; a claim whose ``paper`` is null is one of the caller too.
  What the catalogue registers is about the models of this package.
- Verdicts, statuses and grounds are the words of :class:`~mfverify.theory.claim.Verdict`, :class:`~mfverify.theory.claim.Status`
  and :class:`~mfverify.theory.grounds.Ground`.

The summary has to agree with the claims, the status of a claim with the verdicts on its instances, and each verdict with its two
sides, from which it is derived again: a document that contradicts itself is refused.
"""

from __future__ import annotations

import base64
import hashlib
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, Final, TypeVar

from mfverify.bundled import PREFIX
from mfverify.errors import ModelError
from mfverify.rationals import from_text, written
from mfverify.theory.claim import LETTERS, Status, Verdict, contradiction, status
from mfverify.theory.grounds import Ground
from mfverify.validation import chosen

FORMAT: Final = 1
"""The version of the schema that this module reads."""

DURATIONS: Final = "seconds_of_instances"
"""The entry of the provenance that says how long each instance took."""

SCALES: Final = ("linear", "log")
"""The vertical scales of a curve."""

SIZES: Final = ("global_states", "global_actions", "local_states", "local_actions")
"""The sets of a model whose sizes the document states."""

_LONGEST_ANCHOR: Final = 120
"""Characters of a label that go into the address of an instance."""

_LONGEST_EXACT: Final = 1000
"""Exact rationals longer than this many characters are read from their two doubles instead: they are too long to display."""

_CONTROL_CHARACTERS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")

Record = TypeVar("Record")


@dataclass(frozen=True)
class Side:
    """A number between two rationals; ``None``: unbounded. ``full`` holds both bounds as the document states them."""

    lower: Fraction | None
    upper: Fraction | None
    exact: str | None
    full: str


@dataclass(frozen=True)
class Series:
    """One line of a curve: per abscissa the lower and upper bound of the enclosure, ``nan`` where there is none."""

    label: str
    lower: tuple[float, ...]
    upper: tuple[float, ...]


@dataclass(frozen=True)
class Curve:
    """What an instance asks to have drawn; ``scale`` is one of :data:`SCALES`."""

    title: str
    x_label: str
    y_label: str
    x: tuple[float, ...]
    series: tuple[Series, ...]
    scale: str


@dataclass(frozen=True)
class InstanceRecord:
    """One instance of a claim and what was found; ``number`` counts from 1 in the order of the document.

    ``anchor`` is its place on the page: made of its label, so that a link to it survives another run.
    """

    number: int
    anchor: str
    model: str | None
    agents: int | None
    subsample: int | None
    parameters: tuple[tuple[str, str], ...]
    label: str
    verdict: Verdict
    actual: Side | None
    bound: Side | None
    trivial: Side | None
    slack: Side | None
    reason: str
    worst: str
    curve: Curve | None
    details: tuple[tuple[str, Any], ...]
    reproduce: str


@dataclass(frozen=True)
class GroundsRecord:
    """The grounds of a claim beside its instances; ``where`` is a place, a reference or a reason, and may be empty."""

    kind: Ground
    where: str
    uses: tuple[str, ...]


@dataclass(frozen=True)
class ClaimRecord:
    """One claim with its instances; ``anchor`` is its place on the page, ``grounds`` None in documents older than these.

    ``paper`` is the name of the paper that the claim belongs to; None for a claim of the caller, empty in documents older than papers.
    """

    id: str
    anchor: str
    paper: str | None
    title: str
    statement: str
    source: str
    reading: str
    assumptions: tuple[str, ...]
    registered: Status
    status: Status
    rests_on: tuple[str, ...]
    repairs: tuple[str, ...]
    failing_step: str
    left_means: str
    right_means: str
    control: str
    grounds: GroundsRecord | None
    instances: tuple[InstanceRecord, ...]

    def count(self, verdict: Verdict) -> int:
        """How many instances have this verdict."""
        return sum(instance.verdict is verdict for instance in self.instances)


@dataclass(frozen=True)
class CertificateRecord:
    """A certificate of a violated instance, in a file that the independent checker reads; the numbers are as it states them.

    ``where`` is its instance in words, ``content`` the file in base64 (empty where the document does not hold it), ``story_text``
    what the file ``story`` says; each may be empty.
    """

    claim: str
    file: str
    sha256: str
    left: str
    right: str
    story: str
    where: str = ""
    agents: int | None = None
    content: str = ""
    story_text: str = ""

    @property
    def argument(self) -> str:
        """What ``mfverify check`` takes wherever it is installed: the name of a bundled certificate; the path of another file."""
        bundled = re.fullmatch(r"reports/certificates/([^/]+)\.json", self.file)
        return f"{PREFIX}{bundled[1]}" if bundled else self.file


@dataclass(frozen=True)
class PaperRecord:
    """A paper of the run; ``main`` gives the ids of the readings of each of its main theorems, which need not be in the run."""

    name: str
    title: str
    authors: tuple[str, ...]
    arxiv: str
    main: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class SearchRecord:
    """A documented search for a counterexample: how much of what was looked at, how long, when, and what came closest.

    ``best`` is the family, the label, the certified lower end of left/right (None without a positive right side), and both sides.
    ``violated`` is the label of what was found, empty where nothing was. ``notes`` are further sentences. ``curve`` is the best ratio against effort.
    """

    claim: str
    seed: int
    candidates: int
    seconds: float
    exhausted: bool
    families: tuple[tuple[str, str], ...]
    verdicts: tuple[tuple[str, str], ...]
    version: str
    date: str
    code: str
    violated: str
    best: tuple[str, str, float | None, Side | None, Side | None] | None
    notes: tuple[str, ...] = ()
    curve: Curve | None = None


@dataclass(frozen=True)
class MapRecord:
    """A claim over two parameters: ``x`` and ``y`` are a name and values; ``rows`` has a letter for each x, a string for each y."""

    claim: str
    place: str
    x: tuple[str, tuple[str, ...]]
    y: tuple[str, tuple[str, ...]]
    rows: tuple[str, ...]
    command: str


@dataclass(frozen=True)
class ModelRecord:
    """One model of the run; the numbers are exact rationals as text. ``given``: whether it is the caller's."""

    name: str
    anchor: str
    documentation: str
    fingerprint: str
    sizes: tuple[tuple[str, str], ...]
    discount: str
    rt_g: str
    rt_l: str
    rt: str
    given: bool = False

    def size(self, name: str) -> str:
        """The size of one of the four sets, by its name in the document."""
        return dict(self.sizes)[name]


@dataclass(frozen=True)
class LineRecord:
    """One inequality of an argument on an instance, with what its sides mean."""

    step: str
    where: str
    uses: tuple[str, ...]
    verdict: Verdict
    left: Side
    right: Side
    left_means: str
    right_means: str


@dataclass(frozen=True)
class WalkRecord:
    """The argument for a claim on one instance, line by line; ``conclusion`` says in a sentence where it breaks."""

    claim: str
    instance: str
    lines: tuple[LineRecord, ...]
    conclusion: str
    breaks: int | None


@dataclass(frozen=True)
class VacuityRow:
    """From which k on a bound is below the trivial one: never where ``first`` is None."""

    bound: str
    discount: str
    agents: int
    first: int | None
    at_end: float


@dataclass(frozen=True)
class Vacuity:
    """Where the gap bounds say something, for models of the sizes described; ``plain`` are sentences on some of them."""

    sizes: str
    rows: tuple[VacuityRow, ...]
    curves: tuple[Curve, ...]
    plain: tuple[str, ...] = ()


@dataclass(frozen=True)
class Document:
    """A whole run. ``searches`` by the id of the claim, None where the project's record was not at hand; ``durations`` in seconds, by claim."""

    profile: str
    claims: tuple[ClaimRecord, ...]
    models: tuple[ModelRecord, ...]
    unexpected: tuple[str, ...]
    provenance: tuple[tuple[str, Any], ...]
    unsupported: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    replaced: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    vacuity: Vacuity | None = None
    certificates: tuple[CertificateRecord, ...] = ()
    searches: Mapping[str, SearchRecord] | None = None
    durations: Mapping[str, tuple[float | None, ...]] = field(default_factory=dict)
    papers: tuple[PaperRecord, ...] = ()
    walks: tuple[WalkRecord, ...] = ()
    maps: tuple[MapRecord, ...] = ()

    @property
    def on_given_models(self) -> bool:
        """Whether the run was made on models of the caller, about which the catalogue registers nothing."""
        return any(model.given for model in self.models)

    @property
    def given_claims(self) -> list[ClaimRecord]:
        """The claims of the caller: those of no paper, where the document says which paper a claim is of."""
        return [claim for claim in self.claims if claim.paper is None]

    def claim(self, claim_id: str) -> ClaimRecord | None:
        """A claim of the run by its id."""
        return next((claim for claim in self.claims if claim.id == claim_id), None)

    def count(self, verdict: Verdict) -> int:
        """How many instances of all claims have this verdict."""
        return sum(claim.count(verdict) for claim in self.claims)

    def having(self, status: Status) -> list[ClaimRecord]:
        """The claims of one status, in the order of the document."""
        return [claim for claim in self.claims if claim.status is status]


def read(document: Mapping[str, Any]) -> Document:
    """The records of a document of the schema above. Raises :class:`ModelError` naming the place that does not fit it."""
    top = _mapping(document, "report document")
    version = _get(top, "format", "report document")
    if version != FORMAT:
        raise ModelError(f"report document, format: found {version!r}, expected {FORMAT}; render it with the version that wrote it")
    claims = tuple(_claim(entry, number) for number, entry in _list(top, "claims", "report document"))
    models = tuple(_model(entry, number) for number, entry in _list(top, "models", "report document"))
    _unique([claim.id for claim in claims], "claim ids")
    _unique([model.name for model in models], "model names")
    summary = _mapping(_get(top, "summary", "report document"), "summary")
    provenance = _mapping(_get(top, "provenance", "report document"), "provenance")
    read_document = Document(
        profile=_string(top, "profile", "report document"),
        claims=claims,
        models=models,
        unexpected=_strings(summary, "unexpected", "summary"),
        provenance=tuple((text(str(name)), value) for name, value in provenance.items() if name != DURATIONS),
        unsupported=_causes(top, "unsupported"),
        replaced=_causes(top, "replaced"),
        vacuity=_vacuity(top["vacuity"]) if top.get("vacuity") is not None else None,
        certificates=tuple(
            _certificate(entry, number) for number, entry in _list({"certificates": []} | dict(top), "certificates", "report document")
        ),
        searches=_searches(top) if top.get("searches") is not None else None,
        durations=_durations(provenance, claims),
        papers=_papers(top, claims),
        walks=tuple(_walk(entry, number) for number, entry in _list({"walks": []} | dict(top), "walks", "report document")),
        maps=tuple(_map(entry, f"map {number}") for number, entry in _list({"maps": []} | dict(top), "maps", "report document")),
    )
    _agrees(summary, read_document)
    return read_document


def _certificate(entry: Any, number: int) -> CertificateRecord:
    place = f"certificate {number}"
    fields = _mapping(entry, place)
    claim, file, digest, left, right = (
        _string(fields, name, place) for name in ("claim", "file", "sha256", "left_at_least", "right_at_most")
    )
    content = _text_if_given(fields, "content", place)
    if content and _digest_of(content) != digest:
        raise ModelError(f"{place}, content: is not base64 of a file with the SHA-256 {digest}; run again")
    return CertificateRecord(
        claim=claim,
        file=file,
        sha256=digest,
        left=left,
        right=right,
        story=_optional(fields, "story", place, _as_text) or "",
        where=_text_if_given(fields, "where", place),
        agents=_optional(fields, "agents", place, _as_integer) if "agents" in fields else None,
        content=content,
        story_text=_text_if_given(fields, "story_text", place),
    )


def _walk(entry: Any, number: int) -> WalkRecord:
    place = f"walk {number}"
    fields = _mapping(entry, place)
    lines = tuple(_line(line, f"{place}, line {index}") for index, line in _list(fields, "lines", place))
    breaks = next((index for index, line in enumerate(lines, start=1) if line.verdict is Verdict.VIOLATED), None)
    if not lines or _get(fields, "breaks", place) != breaks:
        raise ModelError(f"{place}, breaks: found {fields['breaks'] if lines else 'no line'!r}, but the first violated line is {breaks}; run again")
    return WalkRecord(_string(fields, "claim", place), _string(fields, "instance", place), lines, _string(fields, "conclusion", place), breaks)


def _line(entry: Any, place: str) -> LineRecord:
    fields = _mapping(entry, place)
    left, right = (_mapping(_get(fields, name, place), f"{place}, {name}") for name in ("left", "right"))
    said = contradiction({"verdict": _get(fields, "verdict", place), "actual": left, "bound": right, "trivial": None})
    if said:
        raise ModelError(f"{place}: {said}; the file was changed after the run, so run it again")
    return LineRecord(
        _string(fields, "step", place),
        _string(fields, "where", place),
        _strings(fields, "uses", place),
        chosen(f"{place}, verdict", fields["verdict"], Verdict),
        _side(left, f"{place}, left"),
        _side(right, f"{place}, right"),
        _string(left, "means", f"{place}, left"),
        _string(right, "means", f"{place}, right"),
    )


def _digest_of(content: str) -> str:
    """The SHA-256 of what a text in base64 stands for; empty where it is no base64."""
    try:
        return hashlib.sha256(base64.b64decode(content, validate=True)).hexdigest()
    except ValueError:
        return ""


def _paper(entry: Any, number: int) -> PaperRecord:
    place = f"paper {number}"
    fields = _mapping(entry, place)
    main = [
        tuple(_as_text(one, f"{place}, main") for _, one in _list({"main": readings}, "main", f"{place}, main"))
        for _, readings in _list(fields, "main", place)
    ]
    if not all(main):
        raise ModelError(f"{place}, main: a main theorem without a claim; name at least one")
    return PaperRecord(
        _string(fields, "name", place),
        _string(fields, "title", place),
        _strings(fields, "authors", place),
        _string(fields, "arxiv", place),
        tuple(main),
    )


def _papers(top: Mapping[str, Any], claims: Sequence[ClaimRecord]) -> tuple[PaperRecord, ...]:
    """The papers of the claims; those that the document does not describe by their name alone, in the order of the claims."""
    stated = [_paper(entry, number) for number, entry in _list({"papers": []} | dict(top), "papers", "report document")]
    _unique([paper.name for paper in stated], "papers")
    known = {paper.name for paper in stated}
    unknown = [name for name in dict.fromkeys(claim.paper for claim in claims) if name and name not in known]
    return (*stated, *(PaperRecord(name, name, (), "", ()) for name in unknown))


def _searches(top: Mapping[str, Any]) -> dict[str, SearchRecord]:
    found = [_search(entry, f"search {number}") for number, entry in _list(top, "searches", "report document")]
    _unique([one.claim for one in found], "claims searched")
    return {one.claim: one for one in found}


def _map(entry: Any, place: str) -> MapRecord:
    fields = _mapping(entry, place)
    (x, y) = (
        (_string(axis, "name", f"{place}, {name}"), _strings(axis, "values", f"{place}, {name}"))
        for name in ("x", "y")
        for axis in (_mapping(_get(fields, name, place), f"{place}, {name}"),)
    )
    rows = _strings(fields, "rows", place)
    if not x[1] or not rows or len(rows) != len(y[1]) or any(len(row) != len(x[1]) or not set(row) <= set(LETTERS.values()) for row in rows):
        raise ModelError(f"{place}, rows: expected {len(y[1])} rows of {len(x[1])} letters among {', '.join(LETTERS.values())}")
    return MapRecord(_string(fields, "claim", place), _string(fields, "place", place), x, y, rows, _string(fields, "command", place))


def _search(entry: Any, place: str) -> SearchRecord:
    fields = _mapping(entry, place)
    families, verdicts = (_mapping(_get(fields, name, place), f"{place}, {name}") for name in ("families", "verdicts"))
    best = _optional(fields, "best", place, _mapping)
    return SearchRecord(
        claim=_string(fields, "claim", place),
        seed=_as_integer(_get(fields, "seed", place), f"{place}, seed"),
        candidates=_as_integer(_get(fields, "candidates", place), f"{place}, candidates"),
        seconds=_seconds(_get(fields, "seconds", place), f"{place}, seconds"),
        exhausted=bool(_get(fields, "exhausted", place)),
        families=tuple((text(str(name)), text(str(number))) for name, number in families.items()),
        verdicts=tuple((text(str(name)), text(str(number))) for name, number in verdicts.items()),
        version=_string(fields, "version", place),
        date=_string(fields, "date", place),
        code=_string(fields, "code", place),
        violated=_optional(fields, "violated", place, _as_text) or "",
        best=None
        if best is None
        else (
            _string(best, "family", f"{place}, best"),
            _string(best, "label", f"{place}, best"),
            None if _get(best, "ratio", f"{place}, best") is None else _point(best["ratio"], f"{place}, best, ratio"),
            _optional(best, "actual", f"{place}, best", _side),
            _optional(best, "bound", f"{place}, best", _side),
        ),
        notes=tuple(_as_text(one, f"{place}, notes") for _, one in _list({"notes": []} | dict(fields), "notes", place)),
        curve=None if fields.get("curve") is None else _curve(fields["curve"], f"{place}, curve"),
    )


def _durations(provenance: Mapping[str, Any], claims: Sequence[ClaimRecord]) -> dict[str, tuple[float | None, ...]]:
    stated = _mapping(provenance.get(DURATIONS) or {}, f"provenance, {DURATIONS}")
    found = {}
    for claim in claims:
        if claim.id in stated:
            place = f"provenance, {DURATIONS}, {claim.id}"
            entries = _list(stated, claim.id, f"provenance, {DURATIONS}")
            if len(entries) != len(claim.instances):
                raise ModelError(f"{place}: found {len(entries)} durations for {len(claim.instances)} instances; give one each, or null")
            found[claim.id] = tuple(None if value is None else _seconds(value, f"{place}[{number - 1}]") for number, value in entries)
    return found


def _seconds(value: Any, place: str) -> float:
    number = _point(value, place)
    if not 0 <= number < math.inf:
        raise ModelError(f"{place}: found {value!r}, expected a number of seconds")
    return number


def _causes(top: Mapping[str, Any], name: str) -> dict[str, tuple[str, ...]]:
    graph = _mapping(top.get("graph") or {}, "graph")
    causes = _mapping(graph.get(name, {}), f"graph, {name}")
    return {text(str(claim)): _strings(causes, claim, f"graph, {name}") for claim in causes}


def _vacuity(entry: Any) -> Vacuity:
    fields = _mapping(entry, "vacuity")
    rows = []
    for number, raw in _list(fields, "rows", "vacuity"):
        place = f"vacuity, row {number}"
        row = _mapping(raw, place)
        first = _get(row, "first", place)
        rows.append(
            VacuityRow(
                _string(row, "bound", place),
                _string(row, "discount", place),
                int(_get(row, "agents", place)),
                None if first is None else int(first),
                _point(row["at_end"], place),
            )
        )
    curves = tuple(_curve(curve, f"vacuity, curve {number}") for number, curve in _list(fields, "curves", "vacuity"))
    plain = _strings(fields, "plain", "vacuity") if "plain" in fields else ()
    return Vacuity(_string(fields, "sizes", "vacuity"), tuple(rows), curves, plain)


def side_between(lower: float, upper: float) -> Side:
    """The number between two doubles; ``nan`` and infinities are unbounded."""
    ends = [None if not math.isfinite(end) else end for end in (lower, upper)]
    return _side({"lower": ends[0], "upper": ends[1]}, "point of a curve")


def text(value: str) -> str:
    """A string with the characters that no page may hold (controls, lone surrogates) replaced by U+FFFD."""
    return _CONTROL_CHARACTERS.sub("\ufffd", value)


def _claim(entry: Any, number: int) -> ClaimRecord:
    fields = _mapping(entry, f"claim {number}")
    name = _string(fields, "id", f"claim {number}")
    place = f"claim {name}"
    anchor = _anchor("claim", name, number)
    instances = [_instance(entry, index, place) for index, entry in _list(fields, "instances", place)]
    return ClaimRecord(
        id=name,
        anchor=anchor,
        paper=_optional(fields, "paper", place, _as_text) if "paper" in fields else "",
        title=_string(fields, "title", place),
        statement=_string(fields, "statement", place),
        source=_string(fields, "source", place),
        reading=_string(fields, "reading", place),
        assumptions=_strings(fields, "assumptions", place),
        registered=chosen(f"{place}, registered", _get(fields, "registered", place), Status),
        status=chosen(f"{place}, status", _get(fields, "status", place), Status),
        rests_on=_strings(fields, "rests_on", place),
        repairs=_strings(fields, "repairs", place) if "repairs" in fields else (),
        failing_step=_string(fields, "failing_step", place) if "failing_step" in fields else "",
        left_means=_string(fields, "left_means", place),
        right_means=_string(fields, "right_means", place),
        control=_string(fields, "control", place),
        grounds=_grounds(fields["grounds"], f"{place}, grounds") if "grounds" in fields else None,
        instances=_anchored(anchor, instances),
    )


def _grounds(entry: Any, place: str) -> GroundsRecord:
    fields = _mapping(entry, place)
    return GroundsRecord(
        chosen(f"{place}, kind", _get(fields, "kind", place), Ground), _string(fields, "where", place), _strings(fields, "uses", place)
    )


def _anchored(claim: str, instances: Sequence[InstanceRecord]) -> tuple[InstanceRecord, ...]:
    """Instances with their places on the page: the label in plain characters, numbered where two would be the same."""
    taken: set[str] = set()
    placed = []
    for instance in instances:
        plain = f"{claim}-{re.sub(r'[^A-Za-z0-9.]+', '-', instance.label).strip('-')[:_LONGEST_ANCHOR]}"
        anchor = plain if plain not in taken else f"{plain}--{instance.number}"
        taken.add(anchor)
        placed.append(replace(instance, anchor=anchor))
    return tuple(placed)


def _instance(entry: Any, number: int, claim: str) -> InstanceRecord:
    place = f"{claim}, instance {number}"
    fields = _mapping(entry, place)
    verdict = chosen(f"{place}, verdict", _get(fields, "verdict", place), Verdict)
    sides = {name: _optional(fields, name, place, _side) for name in ("actual", "bound", "trivial", "slack")}
    try:
        said = contradiction(fields)
    except ModelError as error:
        said = str(error)
    if said:
        raise ModelError(f"{place}: {said}; the file was changed after the run, so run it again")
    details = dict(_mapping(_get(fields, "details", place), f"{place}, details"))
    worst, curve = details.pop("worst", ""), details.pop("curve", None)
    parameters = _mapping(_get(fields, "parameters", place), f"{place}, parameters")
    return InstanceRecord(
        number=number,
        anchor="",
        model=_optional(fields, "model", place, _as_text),
        agents=_optional(fields, "agents", place, _as_integer),
        subsample=_optional(fields, "subsample", place, _as_integer),
        parameters=tuple((text(str(name)), text(str(value))) for name, value in parameters.items()),
        label=_string(fields, "label", place),
        verdict=verdict,
        actual=sides["actual"],
        bound=sides["bound"],
        trivial=sides["trivial"],
        slack=sides["slack"],
        reason=_string(fields, "reason", place),
        worst=text(str(worst)),
        curve=None if curve is None else _curve(curve, f"{place}, details.curve"),
        details=tuple((text(str(name)), value) for name, value in details.items()),
        reproduce=_string(fields, "reproduce", place),
    )


def _side(value: Any, place: str) -> Side:
    fields = _mapping(value, place)
    raw_lower, raw_upper = _get(fields, "lower", place), _get(fields, "upper", place)
    lower, upper = _end(raw_lower, f"{place}.lower"), _end(raw_upper, f"{place}.upper")
    if lower is not None and upper is not None and lower > upper:
        raise ModelError(f"{place}: found lower {raw_lower!r} above upper {raw_upper!r}; write the lower bound first")
    full = f"[{'−∞' if lower is None else raw_lower}, {'∞' if upper is None else raw_upper}]"
    exact = fields.get("exact")
    if exact is None or len(str(exact)) > _LONGEST_EXACT:
        return Side(lower, upper, None, full)
    number = _end(str(exact), f"{place}.exact")
    if number is None or (lower is not None and number < lower) or (upper is not None and number > upper):
        raise ModelError(f"{place}.exact: found {exact!r}, which is not between lower {raw_lower!r} and upper {raw_upper!r}")
    return Side(number, number, written(number), f"{written(number)}, in {full}")


def _end(value: Any, place: str) -> Fraction | None:
    """An end of an interval as the rational it is; null and infinities are unbounded."""
    if value is None or (isinstance(value, float) and math.isinf(value)):
        return None
    try:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise TypeError
        return from_text(value) if isinstance(value, str) else Fraction(value)
    except (TypeError, ValueError, ZeroDivisionError):
        raise ModelError(f"{place}: found {value!r}, expected a number or null") from None


def _curve(value: Any, place: str) -> Curve:
    fields = _mapping(value, place)
    scale = _string(fields, "scale", place)
    if scale not in SCALES:
        raise ModelError(f"{place}, scale: found {scale!r}, expected one of {', '.join(SCALES)}")
    x = tuple(_point(point, f"{place}, x[{index - 1}]") for index, point in _list(fields, "x", place))
    if not x or not all(math.isfinite(point) for point in x):
        raise ModelError(f"{place}, x: expected at least one number and no null")
    series = []
    for number, entry in _list(fields, "series", place):
        here = f"{place}, series {number}"
        line = _mapping(entry, here)
        ends = [tuple(_point(point, f"{here}, {end}") for _, point in _list(line, end, here)) for end in ("lower", "upper")]
        if [len(end) for end in ends] != [len(x)] * 2:
            raise ModelError(f"{here}: found {len(ends[0])} lower and {len(ends[1])} upper ends for {len(x)} points; give one each")
        series.append(Series(_string(line, "label", here), *ends))
    if not series:
        raise ModelError(f"{place}, series: there is nothing to draw; leave the curve out")
    labels = {name: _string(fields, name, place) for name in ("title", "x_label", "y_label")}
    return Curve(labels["title"], labels["x_label"], labels["y_label"], x, tuple(series), scale)


def _point(value: Any, place: str) -> float:
    """A coordinate to draw: ``nan`` where there is none."""
    end = _end(value, place)
    try:
        return math.nan if end is None else float(end)
    except OverflowError:
        raise ModelError(f"{place}: found a number beyond double precision; draw its logarithm") from None


def _model(entry: Any, number: int) -> ModelRecord:
    fields = _mapping(entry, f"model {number}")
    name = _string(fields, "name", f"model {number}")
    place = f"model {name!r}"
    sizes = _mapping(_get(fields, "sizes", place), f"{place}, sizes")
    return ModelRecord(
        name=name,
        anchor=f"model-{number}",
        documentation=_string(fields, "documentation", place),
        fingerprint=_string(fields, "fingerprint", place),
        sizes=tuple((name, str(_as_integer(_get(sizes, name, f"{place}, sizes"), f"{place}, {name}"))) for name in SIZES),
        discount=text(str(_get(fields, "discount", place))),
        rt_g=text(str(_get(fields, "rt_g", place))),
        rt_l=text(str(_get(fields, "rt_l", place))),
        rt=text(str(_get(fields, "rt", place))),
        given=_given(fields.get("given", False), place),
    )


def _given(value: Any, place: str) -> bool:
    if not isinstance(value, bool):
        raise ModelError(f"{place}, given: found {value!r}, expected true or false")
    return value


def _agrees(summary: Mapping[str, Any], document: Document) -> None:
    """Refuse a summary that contradicts the claims."""
    verdicts = Counter(instance.verdict.value for claim in document.claims for instance in claim.instances)
    for claim in document.claims:
        if claim.status is not (found := status([instance.verdict for instance in claim.instances])):
            raise ModelError(f"claim {claim.id}, status: found {claim.status.value}, but its instances make it {found.value}")
    statuses = Counter(claim.status.value for claim in document.claims)
    counted = {"claims": len(document.claims), "instances": sum(verdicts.values())}
    for name, number in counted.items():
        if _get(summary, name, "summary") != number:
            raise ModelError(f"summary, {name}: found {summary[name]!r}, but the document holds {number}; write it again")
    for name, counts in (("verdicts", verdicts), ("statuses", statuses)):
        stated = _mapping(_get(summary, name, "summary"), f"summary, {name}")
        for word in [*stated, *counts]:
            if stated.get(word, 0) != counts[word]:
                raise ModelError(f"summary, {name}, {word}: found {stated.get(word, 0)!r}, but the document holds {counts[word]}")
    differing = [claim.id for claim in document.claims if claim.status is not claim.registered]
    if sorted(document.unexpected) != sorted(differing):
        raise ModelError(f"summary, unexpected: found {list(document.unexpected)}, but the claims that differ are {differing}")


def _anchor(kind: str, name: str, number: int) -> str:
    plain = re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name) and not name.isdigit()
    return f"{kind}-{name}" if plain else f"{kind}-{number}"


def _unique(names: Sequence[str], what: str) -> None:
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise ModelError(f"report document, {what}: {twice[0]!r} occurs twice; names are unique")


def _mapping(value: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ModelError(f"{place}: found {type(value).__name__}, expected an object with named entries")
    return value


def _get(fields: Mapping[str, Any], name: str, place: str) -> Any:
    if name not in fields:
        raise ModelError(f"{place}: has no entry {name!r}, which format {FORMAT} of the report document requires")
    return fields[name]


def _list(fields: Mapping[str, Any], name: str, place: str) -> list[tuple[int, Any]]:
    value = _get(fields, name, place)
    if not isinstance(value, list | tuple):
        raise ModelError(f"{place}, {name}: found {type(value).__name__}, expected a list")
    return list(enumerate(value, start=1))


def _string(fields: Mapping[str, Any], name: str, place: str) -> str:
    return _as_text(_get(fields, name, place), f"{place}, {name}")


def _strings(fields: Mapping[str, Any], name: str, place: str) -> tuple[str, ...]:
    return tuple(_as_text(value, f"{place}, {name}[{number - 1}]") for number, value in _list(fields, name, place))


def _text_if_given(fields: Mapping[str, Any], name: str, place: str) -> str:
    """A string that may be left out or null; empty then."""
    return (_optional(fields, name, place, _as_text) or "") if name in fields else ""


def _as_text(value: Any, place: str) -> str:
    if not isinstance(value, str):
        raise ModelError(f"{place}: found {value!r}, expected a string")
    return text(value)


def _as_integer(value: Any, place: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ModelError(f"{place}: found {value!r}, expected an integer or null")
    return value


def _optional(fields: Mapping[str, Any], name: str, place: str, convert: Callable[[Any, str], Record]) -> Record | None:
    value = _get(fields, name, place)
    return None if value is None else convert(value, f"{place}, {name}")
