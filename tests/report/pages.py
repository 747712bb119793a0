"""A reader of HTML pages for the tests: well-formedness, ids, links, headings, text; on the standard library's parser."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset({"meta", "link", "br", "hr", "img", "input", "col", "wbr", "source"})


@dataclass
class Element:
    """One element: tag, attributes, children (elements and strings)."""

    tag: str
    attributes: dict[str, str]
    children: list[Element | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All text inside, white space collapsed."""
        return " ".join("".join(self._pieces()).split())

    def _pieces(self) -> list[str]:
        return [piece for child in self.children for piece in ([child] if isinstance(child, str) else child._pieces())]

    def all(self, tag: str | None = None) -> list[Element]:
        """The elements below, in document order; of one tag, if given."""
        found = []
        for child in self.children:
            if isinstance(child, Element):
                found += [child] if tag in (None, child.tag) else []
                found += child.all(tag)
        return found

    def by_id(self, name: str) -> Element:
        """The one element with this id."""
        (found,) = (element for element in self.all() if element.attributes.get("id") == name)
        return found

    def section(self, heading_id: str) -> Element:
        """The one section labelled by this heading."""
        (found,) = (element for element in self.all("section") if element.attributes.get("aria-labelledby") == heading_id)
        return found


def instances(section: Element) -> list[dict[str, str]]:
    """The instances in the section of a claim, as the lines of text that they are: each cell by its heading."""
    (lines,) = (pre for pre in section.all("pre") if pre.attributes.get("class") == "rows")
    headings = _cells(lines.all("strong")[0])
    return [dict(zip(headings, _cells(line), strict=True)) for line in lines.all("span")]


def _cells(line: Element) -> list[str]:
    return re.split("\t+", "".join(line._pieces()))


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("document", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> has an attribute twice: {names}"
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def parse(page: str) -> Element:
    """The tree of a page in which every element is closed where it should be; an AssertionError otherwise."""
    builder = _Builder()
    builder.feed(page)
    builder.close()
    assert builder.open == [builder.root], f"not closed: {[element.tag for element in builder.open[1:]]}"
    return builder.root
