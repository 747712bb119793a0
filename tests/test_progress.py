"""Long calls show how far they are where a person watches, and nothing elsewhere."""

from __future__ import annotations

import multiprocessing
import sys
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

import mfverify as mfv
from mfverify import notices
from mfverify.falsifier.attack import attack
from mfverify.points.choice import choose_k
from mfverify.points.sweep import sweep
from mfverify.progress import _Late, bar, counting, step, waiting
from mfverify.verification import verify

CALLS: dict[str, Callable[..., Any]] = {
    "verify": lambda **options: verify(["C3"], instance="n=2 k=1 population=1+1", workers=1, **options),
    "sweep": lambda **options: sweep("C3", None, {"n": [3], "k": [1, 2]}, workers=1, **options),
    "choose_k": lambda **options: choose_k(mfv.models.absorbing(), 2, largest_table=1000, sizes=[1], **options),
    "attack": lambda **options: attack("C3", workers=1, candidates=3, **options),
    "falsify": lambda **options: mfv.falsify("C3", workers=1, candidates=3, **options),
}
SHOWS = {"verify": "1/1", "sweep": "2/2", "choose_k": "1/1", "attack": "C3", "falsify": "C3"}


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a notebook's front end is given to draw, each drawing in place of the one before."""
    drawn: list[str] = []

    def update(bundle: dict[str, str], raw: bool) -> None:
        assert raw
        drawn.append(bundle["text/html"])

    def display(bundle: dict[str, str], raw: bool, display_id: bool = False) -> Any:
        assert display_id or bundle["text/plain"]
        update(bundle, raw)
        return SimpleNamespace(update=update)

    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=True)))  # type: ignore[arg-type]
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=display))  # type: ignore[arg-type]
    monkeypatch.setattr("mfverify.progress._BETWEEN", 0.0)
    return drawn


@pytest.mark.parametrize("name", CALLS)
def test_a_call_shows_a_bar_on_a_terminal_and_nothing_in_a_pipe(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    CALLS[name]()
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    CALLS[name](progress=False)
    assert capsys.readouterr().err == ""
    CALLS[name]()
    out, err = capsys.readouterr()
    assert out == "" and SHOWS[name] in err


@pytest.mark.parametrize("name", CALLS)
def test_a_call_shows_a_bar_in_a_notebook_and_removes_it(name: str, pages: list[str]) -> None:
    CALLS[name]()
    assert pages[0] == "<progress></progress> starting" and pages[-1] == ""
    assert any(SHOWS[name] in page and "value=" in page for page in pages[1:-1])
    pages.clear()
    CALLS[name](progress=False)
    assert pages == []


def test_the_callers_function_is_called_instead(pages: list[str]) -> None:
    told: list[tuple[int, int, str]] = []
    CALLS["sweep"](progress=lambda *news: told.append(news))
    assert [news[:2] for news in told] == [(1, 2), (2, 2)] and pages == []


def test_names_are_shown_as_they_are(pages: list[str]) -> None:
    with counting(None) as tell:
        assert tell is not None
        tell(1, 2, "<b>&")
    assert pages[1] == '<progress value="1" max="2"></progress> 1/2 &lt;b&gt;&amp;'


def test_there_is_one_bar_and_none_in_worker_processes(pages: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with bar() as outer, bar() as inner:
        assert outer is not None and inner is None
    with pytest.raises(KeyboardInterrupt), bar():
        raise KeyboardInterrupt
    assert pages[-1] == ""
    with bar() as again:
        assert again is not None
    monkeypatch.setattr(multiprocessing, "parent_process", lambda: "another")
    with bar() as none:
        assert none is None


def test_a_program_without_standard_error_has_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    with bar() as draw:
        assert draw is None


COMPUTATIONS: dict[str, Callable[[], Any]] = {
    "optimal value of 60 agents: sweep": lambda: mfv.optimal_value(mfv.models.coordination(), 60),
    "learning with k = 60: sweep": lambda: mfv.learn(mfv.models.coordination(), 60),
    "executing with 200 agents, k = 3: sweep": lambda: mfv.execution_value(
        mfv.models.coordination(), 200, mfv.learn(mfv.models.coordination(), 3)
    ),
    "value of infinitely many agents: sweep": lambda: mfv.mean_field_value(mfv.models.coordination()),
    "simulating 4 agents: step": lambda: mfv.simulate(mfv.models.absorbing(), 4, mfv.learn(mfv.models.absorbing(), 1), (0, (4, 0, 0)), episodes=2),
}


@pytest.mark.parametrize("shown", COMPUTATIONS)
def test_a_long_computation_shows_how_far_it_is(shown: str, pages: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mfverify.progress._PATIENCE", 0.0)
    COMPUTATIONS[shown]()
    assert any(shown in page for page in pages) and pages[-1] == ""


def test_a_short_computation_shows_nothing(pages: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("mfverify.progress._PATIENCE", 60.0)
    with waiting("solving"):
        step(1, 2, "half")
    assert pages == []
    monkeypatch.delitem(sys.modules, "IPython")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with waiting("solving"):
        step(1, 2, "half")
    assert capsys.readouterr() == ("", "")


def test_a_long_one_has_a_bar_on_a_terminal_even_before_its_first_step(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("mfverify.progress._PATIENCE", 0.0)
    started = threading.Event()
    monkeypatch.setattr("mfverify.progress._Late.start", lambda self, start=_Late.start: (start(self), started.set()))
    with waiting("solving"):  # in a pipe
        step(1, 2, "half")
    assert not started.is_set()
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with waiting("solving"):
        assert started.wait(60)
        step(1, 2, "half")
    assert "solving: half" in capsys.readouterr().err


def test_what_takes_long_is_said_in_a_notebook(pages: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    notices.progress("a < b")
    thread = threading.Thread(target=notices.progress, args=("in a thread, which has no cell",))
    thread.start()
    thread.join()
    with notices.silence():
        notices.progress("nothing")
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))  # type: ignore[arg-type]
    notices.progress("outside a notebook")
    assert pages == ["mfverify: a &lt; b"] and capsys.readouterr() == ("", "")
