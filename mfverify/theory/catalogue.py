"""The catalogue of claims: papers are packages of one folder, claims are found in their files, and none is listed anywhere else.

A file of a paper's package is searched for the ids in its ``Claim(id="...")`` records without being imported, so that a run of one
claim imports no solver that it does not use. When a file is imported, its claims have to be those that were found.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Final

from mfverify.errors import ModelError
from mfverify.theory.claim import Claim
from mfverify.theory.paper import Paper

_RECORD: Final = re.compile(r"^(?!\s*#).*(?<!\w)Claim\(", re.MULTILINE)
_RECORD_WITH_ID: Final = re.compile(r"(?<!\w)Claim\(\s*id=\"([^\"\\]+)\"")


def ids_in(source: str, place: str) -> list[str]:
    """The ids of the claims that a file defines, without executing it.

    Raises :class:`ModelError` for a record whose first argument is not its id as a literal.
    """
    found: list[str] = _RECORD_WITH_ID.findall(source)
    if len(found) != len(_RECORD.findall(source)):
        raise ModelError(f'{place}: a Claim without its id in front; write Claim(id="...", ...) with the id as a literal text')
    return found


def _natural(paper: Paper, claim_id: str) -> tuple[int, str, int, str]:
    """Sorts ids by the paper's themes, then by number, then by what follows; unknown themes come last."""
    letters, number, rest = re.fullmatch(r"(\D*)(\d*)(.*)", claim_id, re.DOTALL).groups()  # type: ignore[union-attr]  # matches every text
    themes = list(paper.themes)
    return themes.index(letters) if letters in themes else len(themes), letters, int(number or 0), rest


class Catalogue:
    """The claims by id: those of papers in the order of :meth:`add_papers`, others as they were registered or announced.

    A file whose ids are announced is loaded when one of its claims is first requested: a run of one claim then imports no
    solver that it does not use. ``extend`` adds claims whose ids are not known beforehand; it is called once, before an
    unknown id is refused and before the claims are listed.
    """

    def __init__(self, extend: Callable[[Catalogue], None] | None = None) -> None:
        self._claims: dict[str, Claim | Callable[[], Sequence[Claim]]] = {}
        self._papers: dict[str, Paper] = {}
        self._paper_of: dict[str, str] = {}
        self._module_of: dict[str, str] = {}
        self._extend = extend

    def add_papers(self, package: str) -> None:
        """Announce the claims of every paper that is a package inside ``package``, in the order of :class:`Paper` and of the ids.

        Raises :class:`ModelError` where a package holds no record of its name, or where an id is found twice.
        """
        found = []
        for inside in iter_modules(import_module(package).__path__):
            if not inside.ispkg:
                continue
            module = import_module(f"{package}.{inside.name}")
            paper = getattr(module, "PAPER", None)
            if not isinstance(paper, Paper) or paper.name != inside.name:
                raise ModelError(f'{module.__name__}: expected a record PAPER = Paper(name="{inside.name}", ...)')
            found.append((paper, module.__name__, Path(str(module.__file__)).parent))
        for paper, name, folder in sorted(found, key=lambda one: (one[0].place, one[0].name)):
            self._add_paper(paper, name, folder)

    def _add_paper(self, paper: Paper, package: str, folder: Path) -> None:
        self._papers[paper.name] = paper
        loads: dict[str, Callable[[], Sequence[Claim]]] = {}
        for path in sorted(folder.glob("*.py")):
            module = f"{package}.{path.stem}"
            load = partial(self._claims_in, module)
            for claim_id in ids_in(path.read_text(encoding="utf-8"), str(path)):
                if claim_id in self._module_of:
                    raise ModelError(f"claim {claim_id}: is in {self._module_of[claim_id]} and in {module}; ids are unique")
                loads[claim_id] = load
                self._module_of[claim_id] = module
        for claim_id in sorted(loads, key=partial(_natural, paper)):
            self.announce([claim_id], loads[claim_id])
            self._paper_of[claim_id] = paper.name

    def _claims_in(self, module: str) -> list[Claim]:
        """The claims of a file, without those that it imports from other files."""
        found = [one for one in vars(import_module(module)).values() if isinstance(one, Claim)]
        return [one for one in found if self._module_of.get(one.id, module) == module]

    @property
    def papers(self) -> tuple[Paper, ...]:
        """The papers, in the order in which their claims are listed."""
        return tuple(self._papers.values())

    def paper_of(self, claim: Claim) -> str | None:
        """The name of the paper that a claim belongs to; None for one that no paper of the catalogue holds."""
        name = self._paper_of.get(claim.id)
        return name if name is not None and self[claim.id] is claim else None

    def module_of(self, claim_id: str) -> str:
        """The module that holds a claim. Raises :class:`ModelError` for a claim that no paper of the catalogue holds."""
        if claim_id not in self._module_of:
            raise ModelError(f"claim {claim_id!r}: no paper of the catalogue holds it")
        return self._module_of[claim_id]

    def of_paper(self, name: str) -> list[Claim]:
        """The claims of a paper. Raises :class:`ModelError` for an unknown name, with the names that there are."""
        if name not in self._papers:
            raise ModelError(f"paper {name!r}: is not in the catalogue; the papers are {', '.join(self._papers)}")
        return [self[claim_id] for claim_id, paper in self._paper_of.items() if paper == name]

    def register(self, claim: Claim) -> Claim:
        """Add a claim; ids are unique."""
        self._add(claim.id, claim)
        return claim

    def announce(self, ids: Sequence[str], load: Callable[[], Sequence[Claim]]) -> None:
        """Add the claims that ``load`` gives, under these ids and in this order, without loading them yet."""
        for claim_id in ids:
            self._add(claim_id, load)

    def __getitem__(self, claim_id: str) -> Claim:
        if claim_id not in self:
            raise ModelError(f"claim {claim_id!r}: is not in the catalogue; the ids are {', '.join(self._claims)}")
        found = self._claims[claim_id]
        return found if isinstance(found, Claim) else self._loaded(found)[claim_id]

    def __contains__(self, claim_id: str) -> bool:
        if claim_id not in self._claims:
            self._complete()
        return claim_id in self._claims

    def __iter__(self) -> Iterator[Claim]:
        self._complete()
        return iter([self[claim_id] for claim_id in list(self._claims)])

    def __len__(self) -> int:
        self._complete()
        return len(self._claims)

    def _add(self, claim_id: str, claim: Claim | Callable[[], Sequence[Claim]]) -> None:
        if claim_id in self._claims:
            raise ModelError(f"claim {claim_id}: is registered already; choose another id")
        self._claims[claim_id] = claim

    def _loaded(self, load: Callable[[], Sequence[Claim]]) -> dict[str, Claim]:
        """The claims of an announced file, which have to be the announced ones: a claim left out would never be checked."""
        claims = {claim.id: claim for claim in load()}
        announced = [claim_id for claim_id, known in self._claims.items() if known is load]
        if sorted(claims) != sorted(announced):
            raise ModelError(f"claims: {', '.join(claims)} are found where {', '.join(announced)} are announced; bring the two in line")
        self._claims.update(claims)
        return claims

    def _complete(self) -> None:
        extend, self._extend = self._extend, None
        if extend is not None:
            extend(self)
