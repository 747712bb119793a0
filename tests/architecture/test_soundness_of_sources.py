"""No verdict rests on a picked tolerance, and no text that a user hands in is ever executed."""

from __future__ import annotations

import ast

from tests.architecture.sources import MODULES, imports, parsed

TOLERANCES = {"isclose", "allclose", "assert_allclose", "approx", "assert_array_almost_equal", "nsimplify"}
EXECUTING = {"eval", "exec", "__import__", "execfile"}
UNSAFE_READERS = {"pickle", "cPickle", "cloudpickle", "dill", "marshal", "shelve", "jsonpickle"}
UNSAFE_FUNCTIONS = {"sympify", "parse_expr", "lambdify", "literal_eval"}
"""They execute their argument, or invite it."""


def names(tree: ast.Module) -> list[tuple[str, int]]:
    """Every name and attribute that a module uses, with its line: an alias of a function is a use of it too."""
    used = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            used.append((node.id, node.lineno))
        elif isinstance(node, ast.Attribute):
            used.append((node.attr, node.lineno))
        elif isinstance(node, ast.ImportFrom):
            used += [(alias.name, node.lineno) for alias in node.names]
    return used


def compiled(tree: ast.Module) -> list[int]:
    """Lines that call the function ``compile``, which is no method such as that of a regular expression."""
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return [node.lineno for node in calls if isinstance(node.func, ast.Name) and node.func.id == "compile"]


def shells(tree: ast.Module) -> list[int]:
    """Lines that start another program by a text for a shell: they are started, if at all, from a list of arguments."""
    return sorted(
        node.lineno
        for node in ast.walk(tree)
        if (isinstance(node, ast.keyword) and node.arg == "shell")
        or (isinstance(node, ast.Attribute) and node.attr in {"system", "popen"} and ast.unparse(node.value) == "os")
    )


def test_the_scan_sees_what_it_looks_for() -> None:
    sample = ast.parse("from math import isclose as near\nnp.allclose(a, b)\nf = eval\nbuiltins.exec('x')\n")
    assert {name for name, _ in names(sample)} >= {"isclose", "allclose", "eval", "exec"}
    assert compiled(ast.parse("re.compile('x')\ncompile('x')\n")) == [2]
    assert shells(ast.parse("os.path\nos.system('x')\nf = os.popen\nrun('x', shell=True)\n")) == [2, 3, 4]


def test_no_tolerance_and_nothing_executed() -> None:
    forbidden = TOLERANCES | EXECUTING | UNSAFE_FUNCTIONS
    assert len(MODULES) > 100
    assert [f"{module}, line {line}: {name}" for module in MODULES for name, line in names(parsed(module)) if name in forbidden] == []
    read = [found for module in MODULES for found in imports(module) if found.imported.split(".")[0] in UNSAFE_READERS]
    assert [f"{found.importer}, line {found.line}: {found.imported}" for found in read] == []
    assert [f"{module}, line {line}" for module in MODULES for line in compiled(parsed(module))] == []


def test_no_shell() -> None:
    assert len(MODULES) > 100
    assert [f"{module}, line {line}" for module in MODULES for line in shells(parsed(module))] == []


NUMBERS = {"None", "bool", "int", "float", "tuple[float, float]", "Any"}
"""What a compiled function without counted references may return; ``Any`` stands for numbers in a register (``lanes.py``)."""


def uncounted(tree: ast.Module) -> dict[str, str]:
    """What the functions that are compiled without counted references say they return."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return {
        f.name: ast.unparse(f.returns) if f.returns else "nothing said"
        for f in functions
        if any(ast.unparse(decorator).split(".")[-1] == "uncounted" for decorator in f.decorator_list)
    }


def test_no_array_without_counted_references_is_returned() -> None:
    """The caller of such a function would release memory that is still in use."""
    found = {(module, name): returned for module in MODULES for name, returned in uncounted(parsed(module)).items()}
    assert found
    assert {at: returned for at, returned in found.items() if returned not in NUMBERS} == {}


def test_an_array_that_is_returned_without_counted_references_is_seen() -> None:
    assert uncounted(ast.parse("@uncounted\ndef f(x: Floats) -> Floats: ...")) == {"f": "Floats"}
