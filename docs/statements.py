"""The statements of the catalogue in the pages: a Sphinx extension that writes them from the claims themselves while it builds.

A page says ``{statement} R4`` in a fence where the statement R4 belongs; what follows is written by hand, a proof for example. Four fences are
known: ``{statement} ID``, ``{statement-table}`` (all claims), ``{remaining-statements}`` (those that no page names) and
``{statement-graph}``. They are replaced before the page is parsed, so labels, links and headings work as if they were typed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from mfverify import bundled
from mfverify.papers import CATALOGUE
from mfverify.report.dependencies import Node, graph
from mfverify.theory.claim import Claim, Status
from mfverify.theory.dependencies import Argument, arguments, arrows, unsupported
from mfverify.theory.grounds import Anchor

if TYPE_CHECKING:
    from sphinx.application import Sphinx

FENCE = re.compile(r"^```\{(statement|statement-table|remaining-statements|statement-graph)\} *(\S*)\n```$", re.MULTILINE)
_MATHS = re.compile(r"(\$[^$]+\$)")
_TEST_NAME = re.compile(r"`[\w/]+\.py(::\w+)?`")
"""The name of a test or a file, which paper has to break somewhere."""

_LONG = 90
"""Formulas with more characters of LaTeX than this are displayed."""


def prose(text: str) -> str:
    """Plain text with LaTeX between dollars as MyST: what Markdown would read as markup is escaped."""
    parts = _MATHS.split(" ".join(text.split()))
    return "".join(part if part.startswith("$") else re.sub(r"([\\`*_{}\[\]<>#|~^$])", r"\\\1", part) for part in parts)


def displayed(statement: str) -> str:
    """The same with long formulas as displays, each with the punctuation that follows it."""

    def formula(found: re.Match[str]) -> str:
        return f"\n\n$$\n{found[1]}{found[2]}\n$$\n\n" if len(found[1]) > _LONG else found[0]

    return re.sub(r"\$([^$]+)\$([.,;:]?)", formula, prose(statement)).rstrip()


def link(claim_id: str) -> str:
    """A link to a statement, on whichever page it is."""
    return f"[{claim_id}](#{claim_id})"


def links(ids: Iterator[str] | list[str] | tuple[str, ...]) -> str:
    """Links to statements, or a word where there is none."""
    return ", ".join(link(claim_id) for claim_id in ids) or "no other statement"


def module_of(claim: Claim) -> str:
    """The module whose file holds the statement."""
    return CATALOGUE.module_of(claim.id)


def source_page(module: str) -> str:
    """The name of the page that shows a statement's file."""
    return f"mathematics/code/{module.removeprefix('mfverify.papers.').replace('.', '-')}"


def facts(claim: Claim, html: bool) -> Iterator[str]:
    """What the catalogue knows of a claim beside its statement, one line of Markdown each."""
    own = claim.stands_on
    yield f"*Source*: {prose(claim.source)}."
    yield f"*Reading that is checked*: {prose(claim.reading)}."
    yield f"*Assumptions*: {'; '.join(prose(one) for one in claim.assumptions) or 'none'}."
    status = f"*Status*: **{claim.registered.value}**. *Grounds*: {own.kind.value}"
    yield status + (f", {prose(str(own.where))}" if own.where and not isinstance(own.where, Anchor) else "") + "."
    for argument, uses in arguments(claim).items():
        yield f"*{'The argument of its grounds' if argument is Argument.GROUNDS else 'The argument of the source'} uses*: {links(uses)}."
    if claim.registered is Status.REFUTED:
        yield f"*Step that fails*: {prose(claim.failing_step)}."
        yield f"*What holds instead*: {links([other.id for other in CATALOGUE if claim.id in other.repairs])}."
    if claim.repairs:
        yield f"*In place of*: {links(claim.repairs)}."
    file = f"{module_of(claim).replace('.', '/')}.py"
    code = f'<a href="{source_page(module_of(claim)).removeprefix("mathematics/")}.html"><code>{file}</code></a>' if html else f"`{file}`"
    yield f'*Executable check*: `pytest proofs_checks -k "{claim.id}- or {claim.id}]"`; its code: {code}.'
    yield f"*On given models*: `mfverify verify --claims {claim.id} --models FILE`."
    if (bundled.folder("reports") / "certificates" / f"{claim.id}.json").exists():
        yield f"*Certificate*: `mfverify check certificates:{claim.id}`."


def statement(claim_id: str, html: bool) -> str:
    """One statement as Markdown: label, heading, statement, facts; a proof that is in a docstring follows as it is there."""
    claim = CATALOGUE[claim_id]
    lines = [f"({claim_id})=", f"## {claim_id}. {prose(claim.title)}", "", f"**Statement.** {displayed(claim.statement)}", ""]
    lines += [f"- {fact}" for fact in facts(claim, html)]
    where = claim.stands_on.where
    if isinstance(where, Anchor) and not where.on_a_page:
        lines += ["", "*Proof*, as it is in the file:", "", "```text", bundled.proof_text(where.place, where.heading).strip(), "```"]
    return "\n".join(lines)


def table() -> str:
    """All statements, by paper, with their status and grounds."""
    lines = []
    for paper in CATALOGUE.papers:
        lines += [f"**{prose(paper.reference)}**", "", "```{tabularcolumns} p{1.4cm}p{5.4cm}p{2.2cm}p{2.4cm}p{2.4cm}", "```", ""]
        lines += ["| statement | | status | grounds | instead |", "|---|---|---|---|---|"]
        for claim in CATALOGUE.of_paper(paper.name):
            instead = [other.id for other in CATALOGUE if claim.id in other.repairs]
            row = (link(claim.id), prose(claim.title), claim.registered.value, claim.stands_on.kind.value, ", ".join(map(link, instead)))
            lines.append(f"| {' | '.join(row)} |")
        lines.append("")
    return "\n".join(lines)


def placed(folder: Path) -> list[str]:
    """The ids that the pages of a folder name, in the order of the pages."""
    texts = (path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.md")))
    return [found[2] for text in texts for found in FENCE.finditer(text) if found[1] == "statement"]


def remaining(folder: Path, html: bool) -> str:
    """The statements that no page names; none of them has a proof on a page."""
    named = set(placed(folder))
    left = [claim.id for claim in CATALOGUE if claim.id not in named and CATALOGUE.paper_of(claim)]
    return "\n\n".join(statement(claim_id, html) for claim_id in left) or "At present every statement has its place on one of the other pages."


def picture() -> str:
    """The graph of what rests on what, with links to the statements, as a picture of the page."""
    statuses = {claim.id: claim.registered for claim in CATALOGUE}
    lost = unsupported(CATALOGUE, statuses)
    pages = {claim_id: path.stem for path in folder_of_pages().glob("*.md") for claim_id in _ids_on(path)}
    nodes = {
        claim.id: Node(claim.registered, claim.id in lost, f"{pages.get(claim.id, 'further')}.html#{claim.id.lower()}", claim.title) for claim in CATALOGUE
    }
    drawn = graph(nodes, arrows(CATALOGUE, Argument.GROUNDS), arrows(CATALOGUE, Argument.SOURCE))
    svg = str(drawn or Markup(""))
    return f"```{{raw}} html\n<div style='overflow-x: auto'>{re.sub(chr(10) + '+', chr(10), svg)}</div>\n```"


def folder_of_pages() -> Path:
    """The folder with the pages of the mathematics."""
    return Path(__file__).parent / "mathematics"


def _ids_on(path: Path) -> list[str]:
    return [found[2] for found in FENCE.finditer(path.read_text(encoding="utf-8")) if found[1] == "statement"]


def expanded(text: str, html: bool) -> str:
    """A page with its fences replaced."""

    def replacement(found: re.Match[str]) -> str:
        if found[1] == "statement":
            return statement(found[2], html)
        if found[1] == "statement-table":
            return table()
        if found[1] == "statement-graph":
            return picture() if html else ""
        return remaining(folder_of_pages(), html)

    text = FENCE.sub(replacement, text)
    return text if html else _TEST_NAME.sub(lambda found: re.sub(r"([_/:]+)", "\\1\u200b", found[0]), text)


def _read(app: Sphinx, docname: str, source: list[str]) -> None:
    if not docname.startswith("mathematics/"):
        return
    source[0] = expanded(source[0], app.builder.format == "html")


def _code_pages(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """One page with the highlighted file of each statement, for the HTML documentation."""
    if app.builder.format != "html" or app.builder.name == "singlehtml":
        return
    for module in sorted({module_of(claim) for claim in CATALOGUE if CATALOGUE.paper_of(claim)}):
        path = Path(bundled.__file__).parent.parent / f"{module.replace('.', '/')}.py"
        code = app.builder.highlighter.highlight_block(path.read_text(encoding="utf-8"), "python", linenos=False)
        title = f"{module.replace('.', '/')}.py"
        yield source_page(module), {"title": title, "body": f"<h1>{title}</h1>{code}", "parents": []}, "page.html"


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the two steps to Sphinx."""
    app.connect("source-read", _read)
    app.connect("html-collect-pages", _code_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
