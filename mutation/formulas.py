"""Where the right-hand sides of claims stand in a file: the lines of its bounds, and of what these are made of."""

from __future__ import annotations

import ast
from pathlib import Path


def formula_lines(path: str) -> set[int]:
    """The lines of the statements of a module that define a ``Bound``, and of the module's own names that these use."""
    named: dict[str, ast.stmt] = {}
    for statement in ast.parse(Path(path).read_text(encoding="utf-8")).body:
        targets = [statement.target] if isinstance(statement, ast.AnnAssign) else getattr(statement, "targets", [])
        names = [statement.name] if isinstance(statement, ast.FunctionDef) else [t.id for t in targets if isinstance(t, ast.Name)]
        named |= dict.fromkeys(names, statement)
    bounds = {name for name, statement in named.items() if not name.startswith("_") and _defines_bound(statement)}
    reached: set[str] = set()
    while bounds - reached:
        name = (bounds - reached).pop()
        reached.add(name)
        bounds |= {node.id for node in ast.walk(named[name]) if isinstance(node, ast.Name) and node.id in named}
    return {line for name in reached for line in range(named[name].lineno, (named[name].end_lineno or 0) + 1)}


def _defines_bound(statement: ast.stmt) -> bool:
    value = getattr(statement, "value", None)
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "Bound"
