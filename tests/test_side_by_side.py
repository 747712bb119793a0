"""The comparison with real solvers: processes are limited, values are judged, and what is missing is said."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import storm_sound_value_iteration as storm
from benchmarks.__main__ import authors_steps, main, other_script
from benchmarks.authors_step import ours, theirs
from benchmarks.peers import FLAT, PEERS, Found, Peer, installed, measure
from benchmarks.results_page import write_page
from benchmarks.side_by_side import Limits, Suite, exponent, exponents, judged, lines_of, ratios, right, run_suite
from benchmarks.systems import SYSTEMS, labelled_system
from mfverify.exact.optimal import optimal_value

FAST = {"seconds": 120.0, "mib": 4000}


def test_labelled_agents_are_the_same_process() -> None:
    model, n = SYSTEMS["dense"](), 3
    state, reward, law, position = labelled_system(model, n)
    assert len(state) == 2 * 2 * (2 * 2) ** n
    assert np.abs(law.sum(axis=1) - 1).max() < 1e-12
    best = optimal_value(model, n)
    value = best.midpoint.ravel()[position]
    starts = np.searchsorted(state, np.arange(len(position)))
    image = np.maximum.reduceat(reward + float(model.discount) * (law @ value), starts)
    assert np.abs(image - value).max() < 1e-11


def test_a_value_is_inside_within_its_tolerance_or_off() -> None:
    enclosure = optimal_value(SYSTEMS["coupled"](), 2)
    middle = enclosure.midpoint.ravel()

    def verdict(lower: Any, upper: Any, tolerance: float = 0.0) -> str:
        return str(judged({"lower": lower.tolist(), "upper": upper.tolist(), "tolerance": tolerance}, enclosure)["verdict"])

    assert verdict(middle, middle) == "inside"
    assert verdict(middle + 1e-6, middle + 1e-6) == "off"
    assert verdict(middle + 1e-6, middle + 1e-6, 1e-6) == "within its tolerance"
    assert verdict(middle - 1, middle + 1) == "inside"
    # An interval that lies beside the value misses it, however narrow.
    assert verdict(middle - 2e-6, middle - 1e-6) == "off"
    one = middle.copy()
    one[3] -= 0.5
    found = judged({"lower": one.tolist(), "upper": one.tolist(), "tolerance": 0.0, "policy_value": one.tolist()}, enclosure)
    assert found["example"]["state"] == 3
    assert found["error"] == pytest.approx(0.5)
    assert found["policy_loss"] == pytest.approx(0.5)


@pytest.mark.slow
def test_processes_are_stopped_at_their_limits() -> None:
    rows, why = lines_of(["-c", "print('{\"a\": 1}', flush=True); print('noise')"], Limits(30, 1000))
    assert (rows, why) == ([{"a": 1}], "")
    rows, why = lines_of(["-c", "import time; print('{\"a\": 1}', flush=True); time.sleep(60)"], Limits(8, 1000))
    assert (rows, why) == ([{"a": 1}], "more than 8 s in all")
    rows, why = lines_of(["-c", "import time; x = bytearray(300_000_000); time.sleep(60)"], Limits(30, 200))
    assert (rows, why) == ([], "more than 200 MiB of memory")
    rows, why = lines_of(["-c", "raise ValueError('broken')"], Limits(30, 1000))
    assert (rows, why) == ([], "ended with status 1: ValueError: broken")
    rows, why = lines_of(["-c", "raise ValueError('no /some/where/file.py here')"], Limits(30, 1000))
    assert why == "ended with status 1: ValueError: no (path) here"


def test_what_is_not_installed_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    assert installed(PEERS["mfverify"])
    assert installed(Peer("no-such-solver", "", lambda *_: None, lambda _: Found(np.zeros(1), np.zeros(1)), "")) is None
    missing = [name for name, peer in PEERS.items() if installed(peer) is None]
    if not missing:
        pytest.skip("every peer is installed: this is tested where one is missing (.venv, not .venv-bench)")
    found = run_suite(Suite("", "coupled", (2, 3), (missing[0],)), Limits(**FAST), say=lambda _: None)
    assert [row["status"] for row in found["rows"]] == ["not installed", "not installed"]


@pytest.mark.slow
def test_a_peer_that_fails_is_a_result() -> None:
    found = run_suite(Suite("", "dense 3x3", (2, 10**6, 10**7), ("mfverify",)), Limits(**FAST), say=lambda _: None)
    assert [row["status"] for row in found["rows"]] == ["done", "beyond it", "not tried"]
    assert "use fewer agents" in found["rows"][1]["why"]
    assert "1000000" in found["rows"][2]["why"]


HERE = {name: peer for name, peer in (PEERS | FLAT).items() if installed(peer)}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [name for name in HERE if name != "jaxdp"])  # JAX is a minute of compilation
def test_every_installed_peer_solves_the_process(name: str) -> None:
    model, n = SYSTEMS["dense"](), 3
    row = judged(measure(HERE[name], model, n, repeats=1), optimal_value(model, n))
    if name == "pymdptoolbox VI":
        assert row["policy_loss"] < 1e-9
    elif name in ("Storm VI", "Storm SVI"):
        assert row["error"] < 1e-5
    else:
        assert row["verdict"] != "off", (name, row["error"])


def row_of(peer: str, n: int, solve: float, build: float = 0.0, **more: Any) -> dict[str, Any]:
    """A finished measurement."""
    package = "mfverify" if peer == "mfverify" else "other"
    numbers = {"solve_seconds": solve, "build_seconds": build, "solve_spread": [solve / 2, 2 * solve], "peak_mib": 100, "runs": 3}
    return {
        "peer": peer, "package": package, "version": "1", "method": "m", "promises": "p", "agents": n, "status": "done",
        "verdict": "inside", "error": 0.0, "pairs": 10, "difference": {"mean": 0, "smallest": 0, "largest": 0},
        "example": {"state": 0, "found": [1.0, 2.0], "enclosure": [3.0, 4.0]}, **numbers, **more,
    }  # fmt: skip


def document_of() -> dict[str, Any]:
    """A document with everything that can happen."""
    rows = [
        *(row_of("mfverify", n, n / 1000) for n in (10, 20, 40)),
        *(row_of("quick but wrong", n, n / 10**6, verdict="off", error=1.0) for n in (10, 20)),
        *(row_of("sound", n, n**2 / 1000, 1.0, policy_loss=0.0) for n in (10, 20)),
        row_of("sound", 40, 0) | {"status": "beyond it", "why": "more than 60 s | in all"},
        row_of("absent", 10, 0) | {"status": "not installed", "version": None},
    ]
    suite = {"title": "Suite", "system": "dense", "model": "dense", "discount": "9/10", "choices": {"40": 1e9}, "rows": rows}
    step = {"k": 2, "table": 5, "build_seconds": 1.0, "peak_mib": 1}
    return {
        "machine": {"processor": "p", "usable_cores": 2, "system": "s", "python": "3", "mfverify": "1", "numpy": "2", "numba": "0"},
        "limits": {"seconds": 60.0, "mib": 5000},
        "suites": [suite | {"ratios": ratios(suite), "exponents": exponents(suite)}],
        "storm": {"status": "not installed"},
        "authors": {
            "status": "done",
            "theirs": [step | {"first_step_seconds": 30.0, "later_step_seconds": 3.0}],
            "ours": [step | {"sweep_seconds": 0.1, "sweep_spread": [0.1, 0.1], "solve_seconds": 0.2}],
            "stopped": "",
            "exponents": {"theirs, first step": 2.0, "ours, one sweep": None},
        },
        "scripts": [{"script": "a.py", "status": "done", "output": "table"}, {"script": "b.py", "status": "not there"}],
        "seconds": 600.0,
    }


def test_ratios_count_only_what_is_right() -> None:
    suite = document_of()["suites"][0]
    assert [row["peer"] for row in suite["rows"] if row["agents"] == 10 and right(row)] == ["mfverify", "sound"]
    assert [(r["agents"], r["fastest_solve"]) for r in suite["ratios"]] == [(10, "sound"), (20, "sound")]
    assert suite["ratios"][1]["solve"] == pytest.approx(20)
    assert suite["ratios"][1]["solve_spread"] == pytest.approx([5, 80])
    assert suite["ratios"][1]["build_and_solve"] == pytest.approx(1.4 / 0.02)
    assert suite["exponents"]["sound"]["solve"] == pytest.approx(2)
    assert exponent([(10, 1.0)]) is None


@pytest.mark.slow
def test_the_page_says_what_is_off_missing_and_beyond(tmp_path: Path) -> None:
    paths = write_page(document_of(), tmp_path)
    page = paths[0].read_text()
    assert [path.name for path in paths] == ["index.md", "time.svg", "memory.svg", "authors.svg"]
    for text in (
        "not installed",
        "beyond it: more than 60 s / in all",
        "**off**",
        "**quick but wrong**",
        "Nothing to show: not there",
        "| 300 |",
    ):
        assert text in page, text
    assert "off)" in paths[1].read_text()
    first = [path.read_bytes() for path in paths]
    assert [path.read_bytes() for path in write_page(document_of(), tmp_path)] == first
    (tmp_path / "results.json").write_text(json.dumps(document_of()))
    main(["--page-only", "--out", str(tmp_path)])
    assert [path.read_bytes() for path in paths] == first


AUTHORS = """
import numpy as np
class Q_function:
    def __init__(self, n, state_spaces, action_spaces, samples, transition_system, reward_system, gamma):
        print("noise")
        self.n_joint_states, self.n_joint_actions = n, len(action_spaces[0])
        assert transition_system[1](1, 0, 0) in (0, 1) and reward_system[0](0, 1) == -0.1 and gamma == 0.9 and samples == 10
        self.steps = 0
    def update_Q(self):
        self.steps += 1
"""


@pytest.mark.slow
def test_the_authors_step_is_timed_on_a_stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (Path(__file__).parents[1] / "docs" / "how-to" / "my-model.md").read_text(encoding="utf-8")
    config = json.loads(page.split("```json\n")[1].split("```")[0])
    config["simulation"]["monte_carlo_samples"] = 10
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "centralized_training.py").write_text(AUTHORS)
    monkeypatch.setattr("sys.path", [*__import__("sys").path])
    rows = list(theirs(tmp_path, [2, 3]))
    assert [(row["k"], row["table"]) for row in rows] == [(2, 4), (3, 6)]
    mine = list(ours(tmp_path, [2, 3]))
    assert all(row["sweep_seconds"] > 0 and row["table"] > 0 for row in mine)
    both = authors_steps(tmp_path, (2, 3), Limits(**FAST))
    assert [len(both["theirs"]), len(both["ours"]), both["stopped"]] == [2, 2, ""]
    assert authors_steps(None, (2,), Limits(**FAST)) == {"status": "not given"}


def test_other_scripts_are_run_and_their_failure_is_said(tmp_path: Path) -> None:
    script = tmp_path / "table.py"
    assert other_script(script, 10)["status"] == "not there"
    script.write_text("print('a  b')")
    assert other_script(script, 60)["output"] == "a  b"
    script.write_text("raise SystemExit('no luck')")
    assert other_script(script, 60)["status"] == "failed: no luck"
    script.write_text("import time; time.sleep(60)")
    assert other_script(script, 0.5)["status"] == "stopped after 0 s"


def test_bad_usage_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--authors", str(tmp_path), "--out", str(tmp_path)])
    assert stopped.value.code == 2
    assert "has no config.json" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_process_of_two_states() -> None:
    pytest.importorskip("stormpy", reason="stormpy is not installed (pip install 'mfverify[interchange]'): Storm did not solve the process of two states")
    found = storm.measure()
    assert Fraction(found["exact"]) == storm.VALUE
    for row in found["rows"]:
        assert row["contains"] == (Fraction(row["lower"]) <= storm.VALUE <= Fraction(row["upper"]))
        if row["method"] != "SOUND_VALUE_ITERATION":
            assert row["contains"]
