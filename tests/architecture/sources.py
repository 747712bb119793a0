"""The project's own files, parsed: what the tests of the architecture read."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PROJECT = Path(__file__).parents[2]
PACKAGE = PROJECT / "mfverify"


@dataclass(frozen=True)
class Import:
    """A module that a file imports; ``typing_only`` where it stands under ``if TYPE_CHECKING``."""

    importer: str
    imported: str
    line: int
    typing_only: bool


def module_name(path: Path) -> str:
    """Dotted name of a file of the package; a package has the name of its folder."""
    parts = path.relative_to(PROJECT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}
"""Every module of the package by its dotted name."""


@cache
def parsed(module: str) -> ast.Module:
    """The syntax tree of a module."""
    return ast.parse(MODULES[module].read_text(encoding="utf-8"), str(MODULES[module]))


def part(module: str) -> str:
    """The part of the package that a module belongs to; "" is the package itself."""
    return module.split(".")[1] if "." in module else ""


@cache
def imports(module: str) -> tuple[Import, ...]:
    """Every import statement of a module, wherever it stands; ``from package import module`` names the module."""
    return tuple(_imports(module))


def _imports(module: str) -> Iterator[Import]:
    tree = parsed(module)
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}, line {node.lineno}: a relative import; spell it out"
            source = node.module or ""
            names = [f"{source}.{alias.name}" if f"{source}.{alias.name}" in MODULES else source for alias in node.names]
        else:
            continue
        for name in dict.fromkeys(names):
            yield Import(module, name, node.lineno, id(node) in typing_only)


def own_imports() -> list[Import]:
    """Imports between modules of the package."""
    return [found for module in MODULES for found in imports(module) if found.imported.split(".")[0] == "mfverify"]
