"""Examples in docstrings do what they show, and the verbs of the package have one."""

from __future__ import annotations

import ast
import doctest
from importlib import import_module

import pytest

from tests.architecture.sources import MODULES, parsed


def examples(module: str) -> bool:
    """Whether a docstring of a module shows an example."""
    if ">>> " not in MODULES[module].read_text(encoding="utf-8"):
        return False
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    return any(">>> " in (ast.get_docstring(node) or "") for node in ast.walk(parsed(module)) if isinstance(node, documented))


WITH_EXAMPLES = [name for name in MODULES if examples(name)]


def test_the_verbs_have_examples() -> None:
    assert {
        "mfverify",
        "mfverify.counts",
        "mfverify.certificate",
        "mfverify.falsifier.attack",
        "mfverify.subsample_mfq.execution",
        "mfverify.subsample_mfq.learning",
        "mfverify.verification",
    } <= set(WITH_EXAMPLES)


@pytest.mark.slow
@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples_in_docstrings_do_what_they_show(name: str) -> None:
    said: list[str] = []
    attempted = 0
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for test in doctest.DocTestFinder(exclude_empty=True).find(import_module(name)):
        attempted += runner.run(test, out=said.append).attempted
    assert (runner.failures, "".join(said)) == (0, "")
    assert attempted > 0


def test_a_wrong_example_is_noticed() -> None:
    test = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3\n", {}, "wrong", None, 0)
    assert doctest.DocTestRunner().run(test, out=lambda _: None).failed == 1
