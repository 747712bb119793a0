"""No verdict rests on a picked tolerance, and no text that a user hands in is ever executed."""

from __future__ import annotations

import ast

import pytest

from tests.architecture.sources import imports, modules

TOLERANCES = {"isclose", "allclose", "assert_allclose", "approx", "assert_array_almost_equal", "nsimplify"}
EXECUTING = {"eval", "exec", "__import__", "execfile"}
UNSAFE_READERS = {"pickle", "cPickle", "cloudpickle", "dill", "marshal", "shelve", "jsonpickle"}
UNSAFE_FUNCTIONS = {"sympify", "parse_expr", "lambdify", "literal_eval"}
"""They execute their argument, or invite it."""


def names(tree: ast.Module) -> list[tuple[str, int]]:
    """Every name and attribute that a module uses, with its line: an alias of a function is a use of it too."""
    used = [(node.id, node.lineno) for node in ast.walk(tree) if isinstance(node, ast.Name)]
    used += [(node.attr, node.lineno) for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    used += [(alias.name, node.lineno) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names]
    return used


def test_the_scan_sees_what_it_looks_for() -> None:
    sample = ast.parse("from math import isclose as near\nnp.allclose(a, b)\nf = eval\nbuiltins.exec('x')\n")
    assert {name for name, _ in names(sample)} >= {"isclose", "allclose", "eval", "exec"}


@pytest.mark.parametrize("module", modules())
def test_no_tolerance_and_nothing_executed(module: str) -> None:
    forbidden = TOLERANCES | EXECUTING | UNSAFE_FUNCTIONS
    assert [f"line {line}: {name}" for name, line in names(modules()[module]) if name in forbidden] == []
    assert [f"line {i.line}: {i.imported}" for i in imports(module) if i.imported.split(".")[0] in UNSAFE_READERS] == []
    bare_compile = [
        node.lineno
        for node in ast.walk(modules()[module])
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "compile"
    ]
    assert bare_compile == []


@pytest.mark.parametrize("module", modules())
def test_no_shell(module: str) -> None:
    """Other programs are started, if at all, from a list of arguments."""
    shell = [node.lineno for node in ast.walk(modules()[module]) if isinstance(node, ast.keyword) and node.arg == "shell"]
    assert shell == []
    starters = [
        node for node in ast.walk(modules()[module]) if isinstance(node, ast.Attribute) and ast.unparse(node) in {"os.system", "os.popen"}
    ]
    assert [node.lineno for node in starters] == []
