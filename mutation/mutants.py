"""The mutants of a module: small faults, one at a time, anywhere in it.

The faults are those of mutmut (operators, comparisons, numbers, arguments, assignments, branches) and one kind of our own: a name for one
direction becomes that of the other (``add_down`` and ``add_up``, ``lower`` and ``upper``, ``min`` and ``max``), because rounding the wrong
way is the fault that matters most here. mutmut itself leaves out statements of a module and functions with decorators; here the right-hand
sides of the claims and the compiled loops stand there, so the faults are applied to the whole file.

Not mutated, by rule, because the certified numbers do not depend on it:

- docstrings, annotations, type aliases, imports and what stands under ``if TYPE_CHECKING``;
- what words a message: the arguments of ``raise``, the second one of ``require``, ``__repr__``, formatted strings, literals with a blank;
- ``strict`` of ``zip``, which guards against a slip of the programmer where the lengths are equal by construction;
- options of the compiler: the arguments of ``numba.njit`` and of what is made from it.

Two faults of mutmut are not used either: None in the place of an argument or of an assigned value. They are two fifths of all and nearly
every test notices them, so they would only make the score look better.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import libcst as cst
from libcst.metadata import MetadataWrapper, WhitespaceInclusivePositionProvider
from mutmut.mutation.mutators import mutation_operators, operator_assignment

_DIRECTIONS = [
    ("lower", "upper"), ("low", "high"), ("lo", "hi"), ("min", "max"), ("minimum", "maximum"), ("floor", "ceil"), ("any", "all"),
    ("add_down", "add_up"), ("round_down", "round_up"), ("best", "second"), ("argmin", "argmax"),
]  # fmt: skip
OPPOSITE = {here: there for pair in _DIRECTIONS for here, there in (pair, pair[::-1])}
"""Names that are mixed up in our own kind of fault."""


@dataclass(frozen=True)
class Mutant:
    """One fault: the text of the whole module with it, and where it is.

    ``before`` and ``after`` are the changed lines; ``function`` names the function (or method, as ``Class.method``) in whose body the
    fault is, and is empty where it is in none.
    """

    path: str
    line: int
    before: str
    after: str
    source: str
    function: str

    @property
    def key(self) -> str:
        """A short name for this fault in this text."""
        return hashlib.sha256(f"{self.path}\n{self.source}".encode()).hexdigest()[:16]

    @property
    def module(self) -> str:
        """The dotted name of the module."""
        return self.path.removesuffix(".py").replace("/", ".")


def mutants_of(path: str) -> list[Mutant]:
    """All mutants of a file, in the order of the text; each is another program than the module and than every other one."""
    source = Path(path).read_text(encoding="utf-8")
    wrapper = MetadataWrapper(cst.parse_module(source), unsafe_skip_copy=True)
    positions = wrapper.resolve(WhitespaceInclusivePositionProvider)
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))

    def span(node: cst.CSTNode) -> tuple[int, int]:
        place = positions[node]
        return starts[place.start.line - 1] + place.start.column, starts[place.end.line - 1] + place.end.column

    found = []
    for statement in wrapper.module.body:
        first, last = span(statement)
        seen = {ast.dump(ast.parse(source[first:last]))}
        for node, changed, function in _faults(statement, ()):
            start, stop = span(node)
            text = wrapper.module.code_for_node(changed)
            try:
                tree = ast.dump(ast.parse(source[first:start] + text + source[stop:last]))
            except SyntaxError:
                continue
            if tree not in seen:
                seen.add(tree)
                found.append(_mutant(path, source, start, stop, text, function))
    return sorted(found, key=lambda mutant: mutant.line)


def _mutant(path: str, source: str, start: int, stop: int, text: str, function: str) -> Mutant:
    head, tail = source.rfind("\n", 0, start) + 1, source.find("\n", stop)
    before, after = (" ".join(line.split()) for line in (source[head:tail], source[head:start] + text + source[stop:tail]))
    return Mutant(path, source.count("\n", 0, start) + 1, before, after, source[:start] + text + source[stop:], function)


def _faults(node: cst.CSTNode, parents: tuple[cst.CSTNode, ...]) -> Iterator[tuple[cst.CSTNode, cst.CSTNode, str]]:
    """A node, what comes in its place, and the function it stands in, for a node and all that is inside it."""
    if not _is_left_out(node, parents):
        yield from ((node, changed, _function(parents)) for changed in _changes(node, parents))
        for child in node.children:
            yield from _faults(child, (*parents, node))


def _function(parents: Sequence[cst.CSTNode]) -> str:
    """The outermost function in whose body a node is, with its classes."""
    names: list[str] = []
    for parent, inner in pairwise(parents):
        if isinstance(parent, cst.ClassDef):
            names.append(parent.name.value)
        if isinstance(parent, cst.FunctionDef):
            return ".".join([*names, parent.name.value]) if inner is parent.body else ""
    return ""


def _changes(node: cst.CSTNode, parents: Sequence[cst.CSTNode]) -> Iterator[cst.CSTNode]:
    for kind, operator in mutation_operators:
        if isinstance(node, kind) and operator is not operator_assignment:
            yield from (changed for changed in operator(node) if not _is_left_out_change(node, changed))
    if isinstance(node, cst.Name) and node.value in OPPOSITE and not _is_defined_here(node, parents):
        yield node.with_changes(value=OPPOSITE[node.value])
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, (cst.Add, cst.Subtract)):
        yield node.left  # a dropped term


def _is_left_out_change(node: cst.CSTNode, changed: cst.CSTNode) -> bool:
    """Whether an argument became None, or ``strict`` was dropped."""
    if not (isinstance(node, cst.Call) and isinstance(changed, cst.Call)):
        return False
    if len(node.args) > len(changed.args):
        return any(_is_keyword(x, "strict") for x in node.args) and not any(_is_keyword(x, "strict") for x in changed.args)
    return any(
        isinstance(x.value, cst.Name) and x.value.value == "None" and x is not y for x, y in zip(changed.args, node.args, strict=True)
    )


def _is_defined_here(node: cst.CSTNode, parents: Sequence[cst.CSTNode]) -> bool:
    """Whether a name is being given a meaning, not used."""
    parent = parents[-1]
    if isinstance(parent, (cst.FunctionDef, cst.Param, cst.Arg)):
        return parent.name is node if not isinstance(parent, cst.Arg) else parent.keyword is node
    targets: Iterable[cst.CSTNode] = [p.target for p in parents if isinstance(p, (cst.AssignTarget, cst.AnnAssign, cst.CompFor, cst.For))]
    return any(node is target or node in _inside(target) for target in targets) and not isinstance(parent, cst.Attribute)


def _inside(node: cst.CSTNode) -> list[cst.CSTNode]:
    return [x for child in node.children for x in (child, *_inside(child))]


def _is_left_out(node: cst.CSTNode, parents: Sequence[cst.CSTNode]) -> bool:
    """The rules in the head of this file."""
    parent = parents[-1] if parents else None
    if isinstance(node, (cst.Import, cst.ImportFrom, cst.Annotation, cst.Raise, cst.FormattedString)):
        return True
    if isinstance(node, cst.Expr) and isinstance(node.value, (cst.SimpleString, cst.ConcatenatedString)):
        return True
    if isinstance(node, cst.SimpleString):
        return " " in node.value
    if isinstance(node, cst.FunctionDef):
        return node.name.value == "__repr__"
    if isinstance(node, cst.If):
        return isinstance(node.test, cst.Name) and node.test.value == "TYPE_CHECKING"
    if isinstance(node, cst.AnnAssign):
        return "TypeAlias" in cst.Module([]).code_for_node(node.annotation.annotation)
    if isinstance(node, cst.Arg) and isinstance(parent, cst.Call):
        return (_called(parent) == "require" and parent.args.index(node) == 1) or _is_keyword(node, "strict")
    return isinstance(node, cst.Call) and _called(node) in ("njit", "_Undecided", "TypeVar")


def _is_keyword(argument: cst.Arg, name: str) -> bool:
    return argument.keyword is not None and argument.keyword.value == name


def _called(call: cst.Call) -> str:
    function = call.func
    return function.value if isinstance(function, cst.Name) else function.attr.value if isinstance(function, cst.Attribute) else ""
