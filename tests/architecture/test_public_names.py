"""Public names: each resolves, says what it is, and exists once."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

import pytest

import mfverify as mfv
from mfverify.papers import CATALOGUE
from tests.architecture.sources import MODULES, PACKAGE, PROJECT, parsed


def test_every_public_name_resolves_and_is_documented() -> None:
    assert len(mfv.__all__) > 10
    assert len(set(mfv.__all__)) == len(mfv.__all__)
    for name in mfv.__all__:
        found = getattr(mfv, name)
        assert (found.__doc__ or "").strip(), name
    assert dir(mfv) == mfv.__all__


def test_every_public_name_is_on_the_page_of_the_reference() -> None:
    page = (PROJECT / "docs" / "reference" / "python.md").read_text(encoding="utf-8")
    assert [name for name in mfv.__all__ if name not in page] == []


def test_a_name_that_does_not_exist_is_refused() -> None:
    with pytest.raises(AttributeError, match="module 'mfverify' has no attribute 'unknown'"):
        _ = mfv.unknown


def undocumented(tree: ast.Module) -> Iterator[str]:
    """Public functions, classes and methods of a module without a docstring."""
    if not ast.get_docstring(tree):
        yield "the module"
    for node in tree.body:
        if not isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)) or node.name.startswith("_"):
            continue
        overload = any(ast.unparse(decorator) == "overload" for decorator in node.decorator_list)
        if not (ast.get_docstring(node) or overload):
            yield node.name
        if isinstance(node, ast.ClassDef):
            methods = [
                part for part in node.body if isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef)) and not part.name.startswith("_")
            ]
            yield from (f"{node.name}.{method.name}" for method in methods if not ast.get_docstring(method))


def test_the_scan_sees_what_it_looks_for() -> None:
    sample = ast.parse("def f(): pass\nclass C:\n    '''Said.'''\n    def m(self): pass\n    def _p(self): pass\n")
    assert list(undocumented(sample)) == ["the module", "f", "C.m"]


def test_everything_public_has_a_docstring() -> None:
    assert len(MODULES) > 100
    assert [f"{module}: {name}" for module in MODULES for name in undocumented(parsed(module))] == []


def test_a_file_is_named_after_its_subject() -> None:
    vague = {"utils", "util", "helpers", "helper", "misc", "common", "tools", "stuff"}
    folders = (PACKAGE, PROJECT / "tests", PROJECT / "proofs_checks", PROJECT / "benchmarks", PROJECT / "examples")
    paths = [path for folder in folders for path in folder.rglob("*.py")]
    assert len(paths) > 80
    assert [str(path) for path in paths if path.stem in vague] == []


def test_claims_have_one_id_each_and_one_title() -> None:
    # Ids that differ in nothing but case would share an address on a page and a word in a command.
    assert [i for i, times in Counter(claim.id.lower() for claim in CATALOGUE).items() if times > 1] == []
    assert [t for t, times in Counter(claim.title for claim in CATALOGUE).items() if times > 1] == []
