"""The command line: what is printed, in which form, with which exit status, and what is refused before anything is done."""

from __future__ import annotations

import json
import os
import shlex
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from mfverify import verification
from mfverify.bundled import certificate_path
from mfverify.cli import main, run
from mfverify.cli.terminal import digits, sides
from mfverify.counts import count_vectors
from mfverify.model import Model
from mfverify.model_files import load_model, save_model
from mfverify.models import absorbing, coordination
from mfverify.papers import CATALOGUE, named
from mfverify.theory.cases.case import Case
from mfverify.theory.catalogue import Catalogue
from mfverify.theory.claim import Claim, Finding, Status
from tests.signals import control_c_interrupts

HEAVY = ("numba", "scipy", "sympy", "matplotlib", "loky", "jinja2", "networkx", "flint")
"""What takes long to import, and what nothing that is refused needs."""

SOUND: dict[str, Any] = {
    "name": "two rooms",
    "discount": "1/2",
    "global_kernel": [[["1/3", "2/3"], [1, 0]], [[0, 1], ["1/2", "1/2"]]],
    "local_kernel": [[[[1, 0]], [["1/4", "3/4"]]], [[[0, 1]], [["1/2", "1/2"]]]],
    "global_reward": [[0, "-1/10"], [0, "-1/10"]],
    "local_reward": [[[1], [0]], [[0], [1]]],
}
"""A model in the own format: two global states and actions, two local states, one local action."""


@pytest.fixture(autouse=True)
def _plain_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test works in a folder of its own, on a terminal of unknown width."""
    monkeypatch.chdir(tmp_path)
    for name in ("COLUMNS", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)


Shown = tuple[int, str, str]


@pytest.fixture
def mfverify(capsys: pytest.CaptureFixture[str]) -> Callable[..., Shown]:
    """Run a command in this process: exit status, standard output, standard error."""

    def call(*arguments: str) -> Shown:
        capsys.readouterr()
        code = run(arguments)
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return call


def no_constant(name: str) -> Any:
    """JSON has no NaN and no Infinity."""
    raise AssertionError(f"{name} is not JSON")


def read(text: str) -> Any:
    """One JSON document and nothing else."""
    return json.loads(text, parse_constant=no_constant)


def files(folder: Path) -> dict[str, bytes | None]:
    """Every path below a folder with its content."""
    return {str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None for p in sorted(folder.rglob("*"))}


def changed(path: Sequence[str | int], value: Any) -> dict[str, Any]:
    """The sound document with one entry replaced."""
    document: dict[str, Any] = json.loads(json.dumps(SOUND))
    place: Any = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return document


def without_provenance(document: dict[str, Any]) -> dict[str, Any]:
    """What two equal runs share."""
    return {key: value for key, value in document.items() if key != "provenance"}


# ---------------------------------------------------------------------------------------------------------- commands that succeed


def test_claims_lists_the_catalogue(mfverify: Callable[..., Shown]) -> None:
    code, out, err = mfverify("claims")
    assert (code, err) == (0, "")
    listed, certificates = out.split("\n\n")
    heading, *lines = listed.splitlines()
    assert heading.split() == ["id", "claim", "source", "registered", "grounds"]
    first_lines = [line for line in lines if not line.startswith(" ")]
    assert [line.split()[0] for line in first_lines] == [claim.id for claim in CATALOGUE]
    for line, claim in zip(first_lines, CATALOGUE, strict=True):
        assert line.rstrip().endswith(f"{claim.registered.value.ljust(12)}  {claim.stands_on.kind.value}")
    assert max(map(len, out.splitlines())) <= 80
    said = " ".join(certificates.split())
    named = said.removeprefix("mfverify check certificates:NAME checks a certificate of each refuted statement: ").split(", ")
    assert [name.split("_")[0] for name in named] == [claim.id for claim in CATALOGUE if claim.registered is Status.REFUTED]
    assert all(certificate_path(f"certificates:{name}").is_file() for name in named)


def test_a_paper_without_a_refuted_statement_names_no_certificate(mfverify: Callable[..., Shown]) -> None:
    assert "certificate" not in mfverify("claims", "--paper", "sub_sample_q")[1]


def test_a_proof_names_the_certificates(mfverify: Callable[..., Shown]) -> None:
    assert mfverify("claims", "--proof", "M1")[1].endswith("Certificate: mfverify check certificates:M1\n")
    assert "Certificate" not in mfverify("claims", "--proof", "M1r")[1]


def test_claims_as_json(mfverify: Callable[..., Shown]) -> None:
    code, out, err = mfverify("claims", "--json")
    assert (code, err) == (0, "")
    document = read(out)
    assert [entry["id"] for entry in document] == [claim.id for claim in CATALOGUE]
    for entry in document:
        assert entry["paper"] == CATALOGUE.paper_of(CATALOGUE[entry["id"]])
        assert set(entry) == {"id", "paper", "title", "statement", "source", "reading", "registered", "grounds", "rests_on", "certificates"}
        assert bool(entry["certificates"]) is (entry["registered"] == "refuted")
        assert entry["grounds"] == CATALOGUE[entry["id"]].stands_on.to_json()
        assert entry["statement"] == CATALOGUE[entry["id"]].statement


def test_the_claims_of_one_paper(mfverify: Callable[..., Shown]) -> None:
    of_all = [mfverify("claims", "--paper", paper.name, "--json") for paper in CATALOGUE.papers]
    assert [entry["id"] for shown in of_all for entry in read(shown[1])] == [claim.id for claim in CATALOGUE]
    assert all({entry["paper"] for entry in read(shown[1])} == {paper.name} for shown, paper in zip(of_all, CATALOGUE.papers, strict=True))
    code, out, err = mfverify("claims", "--paper", "ours", "--graph")
    assert (code, err) == (0, "")
    assert out.splitlines()[0].startswith("R1 ") and not any(line.startswith("T1 ") for line in out.splitlines())


def test_a_run_of_one_paper(mfverify: Callable[..., Shown]) -> None:
    code, out, err = mfverify("verify", "--paper", "ours", "--instance", "lottery(reward=1) k=1 reward=1", "--workers", "1", "--json")
    document = read(out)
    assert (code, err) == (0, "")
    assert {part["id"]: part["paper"] for part in document["claims"]} == {claim.id: "ours" for claim in CATALOGUE.of_paper("ours")}
    assert [part["id"] for part in document["claims"] if part["instances"]] == ["N1r"]


@pytest.mark.parametrize("command", ["claims", "verify"])
def test_a_paper_that_is_not_there(mfverify: Callable[..., Shown], command: str) -> None:
    code, out, err = mfverify(command, "--paper", "mean-field")
    assert (code, out) == (2, "")
    papers = ", ".join(paper.name for paper in CATALOGUE.papers)
    assert "mean_field_sampling" in papers
    assert err == f"mfverify: error: paper 'mean-field': is not in the catalogue; the papers are {papers}\n"


def test_claims_are_chosen_once(mfverify: Callable[..., Shown]) -> None:
    code, out, err = mfverify("verify", "--paper", "ours", "--claims", "R1")
    assert (code, out) == (2, "")
    assert err == "mfverify: error: --paper: chooses the claims, and so does --claims; leave one of the two out\n"


def assert_certified(shown: list[str], state: dict[str, Any]) -> None:
    """What a terminal shows for an enclosure: a decimal that both ends round to, or ends that contain both."""
    numbers = [Fraction(word.strip("[],")) for word in shown]
    low, up = Fraction(state["lower"]), Fraction(state["upper"])
    if len(numbers) == 2:
        assert numbers[0] <= low <= up <= numbers[1]
    else:
        half = Fraction(1, 2 * 10 ** len(shown[0].partition(".")[2]))
        assert [abs(end - number) <= half for end in (low, up) for number in numbers] == [True, True]


def test_solve_prints_every_state(mfverify: Callable[..., Shown]) -> None:
    code, out, err = mfverify("solve", "models:absorbing", "--agents", "2")
    assert (code, err) == (0, "")
    rows = [line.split() for line in out.splitlines() if line.strip()[:1] in ("0", "1")]
    vectors = [[str(x) for x in row] for row in count_vectors(2, 3)]
    assert [row[:4] for row in rows] == [[g, *vector] for g in ("0", "1") for vector in vectors]
    states = read(mfverify("solve", "models:absorbing", "--agents", "2", "--json")[1])["states"]
    for row, state in zip(rows, states, strict=True):
        assert_certified(row[4:], state)


@pytest.mark.parametrize("method", ["lumped", "flat", "rational", "limit"])
def test_solve_as_json_against_the_closed_form(mfverify: Callable[..., Shown], method: str) -> None:
    code, out, err = mfverify("solve", "models:absorbing", "--agents", "2", "--method", method, "--json")
    assert (code, err) == (0, "")
    document = read(out)
    assert set(document) == {"model", "agents", "states", "method", "stopped"}
    assert (document["model"], document["agents"], document["method"]) == ("absorbing", 2, method)
    assert [(s["global"], s["counts"]) for s in document["states"]] == [(g, row.tolist()) for g in (0, 1) for row in count_vectors(2, 3)]
    for state in document["states"]:
        assert set(state) == {"global", "counts", "lower", "upper"} | ({"exact"} if method == "rational" else set())
        assert state["lower"] <= state["upper"]
    # From two agents in i: gamma/2 + gamma^2/(1-gamma) E max(X, 2-X)/2 with X binomial(2, 1/2) = 1/4 + 1/2 (1/2 1 + 1/2 1/2) = 5/8.
    start = next(s for s in document["states"] if s["counts"] == [2, 0, 0])
    assert Fraction(start["lower"]) <= Fraction(5, 8) <= Fraction(start["upper"])
    if method == "rational":
        assert start["exact"] == "5/8"


def test_solve_at_given_states(mfverify: Callable[..., Shown]) -> None:
    asked = ("--state", "0:1000000+0+0", "1:0+1000000+0")
    code, out, err = mfverify("solve", "models:absorbing", "--agents", "1000000", "--method", "limit", *asked, "--json")
    assert (code, err) == (0, "")
    first, second = read(out)["states"]
    assert (first["global"], first["counts"], second["global"], second["counts"]) == (0, [10**6, 0, 0], 1, [0, 10**6, 0])
    # In the limit half of the agents are on either side from the next step on; all of them are at A while s_g = B, until the next step.
    assert first["lower"] <= 1 / 2 <= first["upper"] < 0.51
    assert second["lower"] <= 1 <= second["upper"] < 1.01


@pytest.mark.parametrize("method", ["lumped", "limit"])
def test_a_larger_width_is_used_and_stays_certain(mfverify: Callable[..., Shown], method: str) -> None:
    """A wide and a narrow enclosure of three agents have values in common at every state, and their widths differ."""
    found = []
    for width in ("100", "1e-9"):
        code, out, err = mfverify("solve", "models:absorbing", "--agents", "3", "--method", method, "--width", width, "--json")
        assert (code, err) == (0, "")
        found.append(read(out)["states"])
    for wide, narrow in zip(*found, strict=True):
        assert wide["lower"] <= narrow["upper"] and narrow["lower"] <= wide["upper"]
    assert max(s["upper"] - s["lower"] for s in found[0]) > max(s["upper"] - s["lower"] for s in found[1])


def test_states_are_picked_out_of_all(mfverify: Callable[..., Shown]) -> None:
    code, out, err = mfverify("solve", "models:absorbing", "--agents", "2", "--method", "rational", "--state", "0:2+0+0", "--json")
    assert (code, err) == (0, "")
    assert [(s["counts"], s["exact"]) for s in read(out)["states"]] == [([2, 0, 0], "5/8")]


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ("0:1+1", "expected 3 integers >= 0"),
        ("2:1+1+0", "expected 0 to 1"),
        ("0:1+1+1", "has 3 agents, expected --agents = 2"),
        ("0", "such as 0:3+1"),
        ("0:a+b+c", "such as 0:3+1"),
        ("0:3+-1+0", "expected 3 integers >= 0"),
    ],
)
def test_states_that_are_none(mfverify: Callable[..., Shown], state: str, says: str) -> None:
    code, out, err = mfverify("solve", "models:absorbing", "--agents", "2", "--state", state)
    assert (code, out) == (2, "") and says in err


def test_gap_as_json(mfverify: Callable[..., Shown]) -> None:
    code, out, err = mfverify("gap", "models:coordination", "--agents", "4", "--subsample", "2", "--json")
    assert (code, err) == (0, "")
    document = read(out)
    contract = {"model", "agents", "states", "subsample", "sampling", "max_gap", "bound_theorem_4_2"}
    assert set(document) == contract | {"samples", "seed", "bellman_noise"}
    assert (document["agents"], document["subsample"], document["sampling"], document["samples"], document["seed"]) == (
        4,
        2,
        "independent",
        None,
        None,
    )
    assert set(document["max_gap"]) == {"lower", "upper", "state"}
    assert set(document["bound_theorem_4_2"]) == {"lower", "upper"}
    assert document["bellman_noise"] == {"lower": 0.0, "upper": 0.0, "exact": "0"}
    assert document["max_gap"]["lower"] == max(s["lower"] for s in document["states"])
    assert document["max_gap"]["upper"] == max(s["upper"] for s in document["states"])
    worst = next(
        s
        for s in document["states"]
        if (s["global"], s["counts"]) == (document["max_gap"]["state"]["global"], document["max_gap"]["state"]["counts"])
    )
    assert worst["lower"] == document["max_gap"]["lower"]


def test_gap_of_a_plan_learns_nothing(mfverify: Callable[..., Shown]) -> None:
    """A plan looks up no table, and samples for it are refused."""
    code, out, _ = mfverify("gap", "models:coordination", "--agents", "4", "--subsample", "2", "--sampling", "plan")
    assert code == 0 and "k = 2, plan draws, nothing learned" in out
    code, out, err = mfverify("gap", "models:coordination", "--agents", "4", "--subsample", "2", "--sampling", "plan", "--samples", "3")
    assert (code, out) == (2, "") and "--samples: found 3 with --sampling plan, which learns nothing" in err


def test_gap_in_words_says_what_its_json_says(mfverify: Callable[..., Shown]) -> None:
    arguments = ("gap", "models:coordination", "--agents", "5", "--subsample", "3", "--sampling", "shared", "--samples", "3", "--seed", "7")
    document = read(mfverify(*arguments, "--json")[1])
    code, out, err = mfverify(*arguments)
    assert (code, err) == (0, "")
    assert (document["sampling"], document["samples"], document["seed"]) == ("shared", 3, 7)
    for word in ("n = 5, k = 3, shared draws, m = 3, seed 7", f"largest gap {digits(document['max_gap'])} at"):
        assert word in " ".join(out.split())
    rows = [line.split() for line in out.splitlines() if line.strip()[:1] in ("0", "1")]
    for row, state in zip(rows, document["states"], strict=True):
        assert_certified(row[3:], state)


def test_sides_that_share_their_digits_are_told_apart() -> None:
    near, above = {"lower": 0.25, "upper": 0.2500000000000001}, {"lower": 0.2500000000000002, "upper": 0.2500000000000003}
    assert list(sides({"actual": above, "bound": near})) == [
        "  actual   [0.2500000000000002, 0.2500000000000003]",
        "  bound    [0.25, 0.2500000000000001]",
    ]
    assert list(sides({"actual": {"lower": 0.25, "upper": 0.25, "exact": "1/4"}, "bound": {"lower": 1.0, "upper": None}})) == [
        "  actual = 1/4",
        "  bound    [1.0, unbounded]",
    ]
    assert list(sides({"actual": None, "bound": {"lower": 0.03809523809523809, "upper": 0.0380952380952381, "exact": "4/105"}})) == [
        "  bound  = 4/105, 0.038095238095238"
    ]


def test_gap_where_the_bound_is_not_defined(mfverify: Callable[..., Shown], tmp_path: Path) -> None:
    # At k = 1 the logarithm has the argument 40 rt |S_l| |A_l| |A_g| / (1 - gamma)^2 = 40 (1/1000) 2 / (1/4) = 0.32 < 1.
    document = SOUND | {
        "global_reward": [[0], [0]],
        "global_kernel": [[[1, 0]], [[0, 1]]],
        "local_reward": [[["1/1000"], [0]], [[0], ["1/1000"]]],
    }
    (tmp_path / "m.json").write_text(json.dumps(document))
    code, out, err = mfverify("gap", "m.json", "--agents", "2", "--subsample", "1", "--json")
    assert (code, err) == (0, "")
    assert read(out)["bound_theorem_4_2"] is None
    assert "not defined here" in mfverify("gap", "m.json", "--agents", "2", "--subsample", "1")[1]


def test_verify_several_claims_in_a_row(mfverify: Callable[..., Shown], tmp_path: Path) -> None:
    code, out, err = mfverify("verify", "--claims", "B5", "L2", "--workers", "1", "--out", "here")
    assert (code, err) == (0, "")
    statuses = {line.split()[0]: line for line in out.splitlines()}
    assert "corroborated" in statuses["B5"] and "refuted" in statuses["L2"]
    assert [Path(line.split()[-1]) for line in out.splitlines() if line.startswith("wrote")] == [
        Path("here/report.html"),
        Path("here/report.json"),
    ]
    assert sorted(files(tmp_path)) == ["here", "here/report.html", "here/report.json", "here/results.sqlite"]
    document = read((tmp_path / "here" / "report.json").read_text())
    tallies = {
        part["id"]: [
            sum(i["verdict"] == v for i in part["instances"]) for v in ("holds", "violated", "vacuous", "not-applicable", "undecided")
        ]
        for part in document["claims"]
    }
    for claim_id, tally in tallies.items():
        assert statuses[claim_id].split()[-5:] == [str(x) if x else "." for x in tally]


def test_verify_as_json_prints_what_it_writes(mfverify: Callable[..., Shown], tmp_path: Path) -> None:
    code, out, err = mfverify("verify", "--json", "--claims", "L2", "B5", "--workers=1", "--out", "here")
    assert (code, err) == (0, "")
    assert out == (tmp_path / "here" / "report.json").read_text()
    document = read(out)
    assert [part["id"] for part in document["claims"]] == ["L2", "B5"]
    for part in document["claims"]:
        assert {"id", "status", "registered", "instances"} <= set(part)
        for instance in part["instances"]:
            assert {"model", "agents", "subsample", "verdict", "actual", "bound"} <= set(instance)
            assert {"lower", "upper"} <= set(instance["actual"])
            assert {"lower", "upper"} <= set(instance["bound"])


def test_verify_a_single_instance_by_its_label(mfverify: Callable[..., Shown]) -> None:
    code, out, err = mfverify("verify", "--claims", "L2", "--instance", "absorbing k=1 other=2")
    assert (code, err) == (0, "")
    assert "absorbing k=1 other=2: violated" in out
    # Closed form: Q*_1 = 3/4 and Q*_2 = 5/8 where all agents are in i, at distance 0.
    assert "actual = 1/8" in " ".join(out.split())


def test_a_report_says_how_to_compute_each_instance_again(mfverify: Callable[..., Shown], tmp_path: Path) -> None:
    save_model(replace(absorbing("1/3"), name="it's a; model"), tmp_path / "my model.toml")
    document = read(mfverify("verify", "--claims", "L2", "--models", "my model.toml", "--json", "--workers", "1")[1])
    instances = document["claims"][0]["instances"]
    assert len(instances) == 3
    for instance in instances:
        program, *arguments = shlex.split(instance["reproduce"])
        assert program == "mfverify"
        code, out, err = mfverify(*arguments, "--json")
        assert (code, err) in ((0, ""), (1, ""))
        assert read(out)["claims"][0]["instances"] == [instance]


@pytest.mark.slow
def test_report_renders_again_from_the_stored_document(mfverify: Callable[..., Shown], tmp_path: Path) -> None:
    mfverify("verify", "--claims", "L2", "--workers", "1", "--out", "here")
    before = files(tmp_path)
    (tmp_path / "here" / "report.html").unlink()
    code, out, err = mfverify("report", "here")
    assert (code, err) == (0, "")
    assert "here/report.html" in out
    assert files(tmp_path) == before
    code, out, err = mfverify("report", "here", "--json")
    assert (code, err) == (0, "")
    shown = read(out)
    assert shown["report"] == {"html": "here/report.html", "json": "here/report.json"}
    assert shown["summary"]["statuses"]["refuted"] == 1
    assert files(tmp_path) == before


@pytest.mark.parametrize("name", main.commands)
def test_every_command_takes_json_and_help(mfverify: Callable[..., Shown], name: str) -> None:
    code, out, err = mfverify(name, "--help")
    assert (code, err) == (0, "")
    assert "--json" in out
    assert main.commands[name].help


# ---------------------------------------------------------------------------------------------------------- how it looks


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("claims",),
        ("verify", "--help"),
        ("gap", "--help"),
        ("solve", "models:absorbing", "--agents", "3"),
        ("solve", "long.json", "--agents", "2"),
        ("solve", "long.json", "--agents", "3", "--method", "rational"),
        ("gap", "models:coordination", "--agents", "100", "--subsample", "5"),
        ("gap", "long.json", "--agents", "3", "--subsample", "2"),
        ("verify", "--claims", "B5", "L2", "C1", "--workers", "1"),
        ("verify", "--claims", "P1", "--models", "long.json", "--workers", "1"),
        ("verify", "--claims", "L2", "--instance", "absorbing k=1 other=2"),
    ],
    ids=" ".join,
)
def test_lines_fit_into_eighty_columns_and_lose_nothing(mfverify: Callable[..., Shown], tmp_path: Path, arguments: tuple[str, ...]) -> None:
    awkward = SOUND | {
        "name": "n" * 180,
        "discount": "123456789/987654321",
        "local_reward": [[["1/1234567890123"], [0]], [[0], ["7/9876543210987"]]],
    }
    (tmp_path / "long.json").write_text(json.dumps(awkward))
    code, out, err = mfverify(*arguments)
    assert (code, err) == (0, "")
    assert max(len(line) for line in out.splitlines()) <= 80
    assert "…" not in out


def test_a_name_cannot_write_to_the_terminal(mfverify: Callable[..., Shown], tmp_path: Path) -> None:
    hostile = "a\x1b[2Jb"
    try:
        (tmp_path / "m.json").write_text(json.dumps(SOUND | {"name": hostile}))
        shown = mfverify("solve", "m.json", "--agents", "1")
    finally:
        (tmp_path / "m.json").unlink()
    assert "\x1b" not in shown[1] + shown[2]
    missing = mfverify("solve", "no\x1b[2J\nsuch.toml", "--agents", "1")
    assert missing[0] == 2
    assert "\x1b" not in missing[2]
    assert len(missing[2].splitlines()) == 1


def test_progress_is_shown_on_a_terminal_only(mfverify: Callable[..., Shown], monkeypatch: pytest.MonkeyPatch) -> None:
    quiet = mfverify("verify", "--claims", "B5", "--workers", "1", "--json")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    watched = mfverify("verify", "--claims", "B5", "--workers", "1", "--json")
    assert quiet[2] == ""
    assert "24/24" in watched[2]
    assert without_provenance(read(watched[1])) == without_provenance(read(quiet[1]))


# ---------------------------------------------------------------------------------------------------------- exit status 1


def registered_as(monkeypatch: pytest.MonkeyPatch, *claims: Claim) -> None:
    """Let these claims stand in the catalogue in place of those of the same id."""
    other = Catalogue()
    replaced = {claim.id: claim for claim in claims}
    for claim in CATALOGUE:
        other.register(replaced.get(claim.id, claim))
    for module in (verification, named):
        monkeypatch.setattr(module, "CATALOGUE", other)


def test_nothing_is_registered_for_models_of_the_caller(
    mfverify: Callable[..., Shown], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    registered_as(monkeypatch, replace(CATALOGUE["B5"], registered=Status.REFUTED))
    save_model(Model([[[1]]], [[[[1]]]], [[1]], [[[1]]], discount="1/2", name="mine"), tmp_path / "m.json")
    code, out, err = mfverify("verify", "--claims", "B5", "--models", str(tmp_path / "m.json"), "--workers", "1")
    assert (code, err) == (0, "")
    assert "corroborated" in out and "!=" not in out


def test_a_status_other_than_the_registered_one(mfverify: Callable[..., Shown], monkeypatch: pytest.MonkeyPatch) -> None:
    registered_as(
        monkeypatch, replace(CATALOGUE["L2"], registered=Status.CORROBORATED), replace(CATALOGUE["B5"], registered=Status.REFUTED)
    )
    code, out, err = mfverify("verify", "--claims", "L2", "B5", "L1", "--workers", "1")
    assert (code, err) == (1, "")
    lines = {line.split()[0]: " ".join(line.split()) for line in out.splitlines()}
    assert "refuted (!= corroborated)" in lines["L2"]
    assert "corroborated (!= refuted)" in lines["B5"]
    assert "!=" not in lines["L1"]
    code, out, err = mfverify("verify", "--claims", "L2", "B5", "L1", "--workers", "1", "--json")
    assert (code, err) == (1, "")
    assert read(out)["summary"]["unexpected"] == ["L2", "B5"]
    assert mfverify("verify", "--claims", "L1", "--workers", "1")[0] == 0


def test_a_sabotaged_claim_is_noticed(mfverify: Callable[..., Shown], monkeypatch: pytest.MonkeyPatch) -> None:
    registered_as(monkeypatch, replace(CATALOGUE["B5"], sides=CATALOGUE["B5"].sabotaged))
    assert mfverify("verify", "--claims", "B5", "--workers", "1")[0] == 1
    # On given models a claim need not show everything it is registered with, but a violation of a sound claim is news.
    assert mfverify("verify", "--claims", "B5", "--models", "models:coordination", "--workers", "1")[0] == 1


def test_given_models_need_not_refute_what_is_registered_as_refuted(mfverify: Callable[..., Shown], tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text(json.dumps(SOUND | {"local_reward": [[[0], [0]], [[0], [0]]]}))
    code, out, err = mfverify("verify", "--claims", "L2", "--models", "m.json", "--workers", "1", "--json")
    assert (code, err) == (0, "")
    document = read(out)
    assert document["claims"][0]["status"] != "refuted"
    assert [model["name"] for model in document["models"]] == ["two rooms"]


# ---------------------------------------------------------------------------------------------------------- exit status 2


def config(body: str) -> dict[str, Any]:
    """A configuration in the authors' format in which the global reward has this body."""
    spaces = {"state_space": [0, 1], "action_space": [0, 1]}
    move = "    return global_action"
    return {
        "environment": {
            "global_agent": spaces,
            "local_agent": spaces,
            "functions": {
                "global_agent_reward": [
                    "def global_agent_reward(global_state, global_action):",
                    *(f"    {line}" for line in body.splitlines()),
                ],
                "local_agent_reward": ["def local_agent_reward(local_state, global_state, local_action):", "    return 1"],
                "global_agent_transition": ["def global_agent_transition(global_state, global_action):", move],
                "local_agent_transition": [
                    "def local_agent_transition(local_state, global_state, local_action):",
                    "    return local_action",
                ],
            },
        },
        "simulation": {"discount_factor": 0.9},
    }


BAD_MODELS: dict[str, tuple[str, str, Sequence[str]]] = {
    # name: (file name, content, what the line has to name)
    "negative probability": (
        "m.json",
        json.dumps(changed(("local_kernel", 0, 1, 0), ["-1/4", "5/4"])),
        ["m.json", "local_kernel[0, 1, 0, 0]", "-1/4"],
    ),
    "row sums to 0.9": (
        "m.json",
        json.dumps(changed(("global_kernel", 1, 0), [0.4, 0.5])),
        ["m.json", "global_kernel[1, 0, :]", "9/10", "expected 1"],
    ),
    "NaN in JSON": ("m.json", json.dumps(changed(("global_reward", 0, 1), float("nan"))), ["m.json", "global_reward[0, 1]", "NaN"]),
    "nan in TOML": (
        "m.toml",
        "discount = nan\nglobal_kernel = [[[1]]]\nlocal_kernel = [[[[1]]]]\nglobal_reward = [[0]]\nlocal_reward = [[[0]]]\n",
        ["m.toml", "discount", "nan"],
    ),
    "infinity": ("m.json", json.dumps(changed(("local_reward", 1, 0, 0), float("inf"))), ["local_reward[1, 0, 0]", "Infinity"]),
    "too few axes": ("m.json", json.dumps(changed(("local_reward",), [[1, 0], [0, 1]])), ["local_reward[0, 0]", "a_l"]),
    "ragged": ("m.json", json.dumps(changed(("global_kernel", 0, 1), [1])), ["global_kernel[0, 1]"]),
    "wrong shape": ("m.json", json.dumps(changed(("local_reward",), [[[1], [0]], [[0], [1]], [[0], [0]]])), ["local_reward", "3", "s_l"]),
    "empty": ("m.json", json.dumps(changed(("global_reward",), [])), ["global_reward", "empty"]),
    "discount 1": ("m.json", json.dumps(changed(("discount",), 1)), ["discount", "found 1", "strictly between 0 and 1"]),
    "discount 0": ("m.json", json.dumps(changed(("discount",), "0")), ["discount", "found 0"]),
    "missing key": (
        "m.json",
        json.dumps({key: value for key, value in SOUND.items() if key != "local_kernel"}),
        ["local_kernel", "missing"],
    ),
    "unknown key": ("m.json", json.dumps(SOUND | {"gamma": 0.9}), ["gamma", "unknown key"]),
    "not a number": ("m.json", json.dumps(changed(("global_reward", 1, 0), "two")), ["global_reward[1, 0]", "two"]),
    "a truth value": ("m.json", json.dumps(changed(("global_reward", 1, 0), True)), ["global_reward[1, 0]", "True"]),
    "half a file": ("m.json", json.dumps(SOUND)[:100], ["m.json"]),
    "half a TOML file": ("m.toml", "discount = [", ["m.toml"]),
    "a list": ("m.json", "[]", ["m.json", "list"]),
    "unknown type": ("m.yaml", "discount: 1", ["m.yaml", ".toml or .json"]),
    "calls open": (
        "c.json",
        json.dumps(config("open('written', 'w')\nreturn 0")),
        ["c.json", "environment.functions.global_agent_reward", "line 2", "open"],
    ),
    "calls __import__": (
        "c.json",
        json.dumps(config("return __import__('os').system('touch written')")),
        ["c.json", "environment.functions.global_agent_reward", "line 2", "__import__"],
    ),
    "imports os": (
        "c.json",
        json.dumps(config("import os\nreturn os.getpid()")),
        ["c.json", "environment.functions.global_agent_reward", "line 2", "os"],
    ),
    "calls eval": ("c.json", json.dumps(config("return eval('1')")), ["c.json", "environment.functions.global_agent_reward", "eval"]),
}


def refused(shown: Shown, *words: str) -> None:
    """Exit status 2, one line on standard error that has these words, nothing on standard output."""
    code, out, err = shown
    assert (code, out) == (2, "")
    assert err.endswith("\n")
    assert len(err.splitlines()) == 1
    assert err.startswith("mfverify: error: ")
    assert "Traceback" not in err
    for word in words:
        assert word in err


@pytest.mark.parametrize("name", BAD_MODELS)
@pytest.mark.parametrize(
    "command",
    [
        ("solve", "{}", "--agents", "2"),
        ("gap", "{}", "--agents", "2", "--subsample", "1", "--json"),
        ("verify", "--models", "{}", "--out", "here", "--claims", "L2"),
    ],
    ids=lambda command: command[0],
)
def test_a_bad_model_is_refused_and_nothing_written(
    mfverify: Callable[..., Shown], tmp_path: Path, command: Sequence[str], name: str
) -> None:
    file, content, words = BAD_MODELS[name]
    (tmp_path / file).write_text(content)
    before = files(tmp_path)
    refused(mfverify(*(part.format(file) for part in command)), *words)
    assert files(tmp_path) == before


BAD_ARGUMENTS: dict[str, tuple[str, Sequence[str]]] = {
    "no command": ("", ["missing command"]),
    "unknown command": ("falsifie", ["falsifie"]),
    "unknown option": ("claims --long", ["--long"]),
    "unknown model": ("solve models:unknown --agents 2", ["models:unknown", "coordination"]),
    "no such file": ("solve nowhere.toml --agents 2", ["nowhere.toml", "No such file"]),
    "a folder as a model": ("solve . --agents 2", [".: is not a file"]),
    "no agents given": ("solve models:absorbing", ["--agents"]),
    "n = 0": ("solve models:absorbing --agents 0", ["--agents", "found 0"]),
    "n = -3": ("solve models:absorbing --agents -3", ["--agents", "found -3"]),
    "n is no integer": ("solve models:absorbing --agents 2.5", ["--agents", "2.5"]),
    "width of zero": ("solve models:absorbing --agents 2 --width 0", ["--width", "found 0"]),
    "negative width": ("solve models:absorbing --agents 2 --width -1/2", ["--width", "found -0.5"]),
    "width is no number": ("solve models:absorbing --agents 2 --width wide", ["--width", "wide"]),
    "unknown method": ("solve models:absorbing --agents 2 --method fast", ["--method", "fast"]),
    "n = 0 for a gap": ("gap models:absorbing --agents 0 --subsample 1", ["--agents", "found 0"]),
    "k > n": ("gap models:absorbing --agents 3 --subsample 4", ["--subsample", "found 4", "--agents = 3"]),
    "k = 0": ("gap models:absorbing --agents 3 --subsample 0", ["--subsample", "found 0"]),
    "m = 0": ("gap models:absorbing --agents 3 --subsample 2 --samples 0", ["--samples", "found 0"]),
    "negative seed": ("gap models:absorbing --agents 3 --subsample 2 --samples 2 --seed -1", ["--seed", "found -1"]),
    "unknown sampling": ("gap models:absorbing --agents 3 --subsample 2 --sampling lottery", ["--sampling", "lottery"]),
    "unknown profile": ("verify --profile slow", ["--profile", "slow"]),
    "no workers": ("verify --workers 0", ["--workers", "found 0"]),
    "resume nothing": ("verify --resume", ["--resume", "--out"]),
    "report of nothing": ("report nowhere", ["nowhere", "No such file"]),
}
NEEDS_THE_CATALOGUE: dict[str, tuple[str, Sequence[str]]] = {
    "unknown claim": ("verify --claims L2 T9 --out here", ["'T9'", "the ids are", "L2"]),
    "a claim twice": ("verify --claims L2 L2 --out here", ["L2", "twice"]),
    "unknown instance": ("verify --claims L2 --instance elsewhere --out here", ["'elsewhere'", "L2"]),
    "a model twice": ("verify --models models:absorbing models:absorbing --out here", ["absorbing", "name"]),
    "a store that is a folder": ("verify --claims L2 --out taken", ["taken/results.sqlite"]),
    "a folder that is a file": ("verify --claims L2 --out file", ["file/results.sqlite"]),
}


@pytest.mark.parametrize("name", [*BAD_ARGUMENTS, *NEEDS_THE_CATALOGUE])
def test_bad_usage_is_refused_and_nothing_written(mfverify: Callable[..., Shown], tmp_path: Path, name: str) -> None:
    (tmp_path / "taken" / "results.sqlite").mkdir(parents=True)
    (tmp_path / "file").write_text("in the way")
    before = files(tmp_path)
    line, words = (BAD_ARGUMENTS | NEEDS_THE_CATALOGUE)[name]
    refused(mfverify(*line.split()), *words)
    assert files(tmp_path) == before


REPORTS = [
    "",
    "{",
    "[]",
    "null",
    '{"format": 2}',
    '{"format": 1}',
    "[" * 100_000,
    '{"format": 1, "claims": [], "summary": {}, "models": [], "profile": "quick", "provenance": 3}',
    "\ud800",
]


@pytest.mark.parametrize("content", REPORTS, ids=range(len(REPORTS)))
def test_what_is_no_report_is_refused(mfverify: Callable[..., Shown], tmp_path: Path, content: str) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "report.json").write_bytes(content.encode("utf-8", "surrogatepass"))
    before = files(tmp_path)
    refused(mfverify("report", "here"))
    assert files(tmp_path) == before


def process(*arguments: str, code: str = "", **more: Any) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own, with pipes."""
    start = ["-c", code] if code else ["-m", "mfverify.cli"]
    return subprocess.run([sys.executable, *start, *arguments], capture_output=True, text=True, timeout=120, check=False, **more)


def test_what_is_refused_at_the_door_imports_nothing_heavy(tmp_path: Path) -> None:
    lines: list[list[str]] = [line.split() for line, _ in BAD_ARGUMENTS.values()]
    for i, (file, content, _) in enumerate(BAD_MODELS.values()):
        folder = tmp_path / str(i)
        folder.mkdir()
        (folder / file).write_text(content)
        lines += [["solve", f"{i}/{file}", "--agents", "2"], ["verify", "--models", f"{i}/{file}", "--out", "here"]]
    code = (
        "import json, sys, time\n"
        "from mfverify.cli import run\n"
        "started = time.perf_counter()\n"
        "codes = [run(line) for line in json.loads(sys.argv[1])]\n"
        "print(json.dumps([codes, time.perf_counter() - started, sorted(set(sys.modules) & set(json.loads(sys.argv[2])))]))\n"
    )
    done = process(json.dumps(lines), json.dumps(HEAVY), code=code, cwd=tmp_path)
    codes, seconds, imported = json.loads(done.stdout)
    assert codes == [2] * len(lines)
    assert imported == []
    assert len(done.stderr.splitlines()) == len(lines)
    assert seconds < len(lines), "more than a second for each"
    assert not (tmp_path / "here").exists()


# ---------------------------------------------------------------------------------------------------------- as a process


def test_exit_status_and_streams_of_a_process(tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text(json.dumps(changed(("discount",), 1)))
    bad = process("solve", "m.json", "--agents", "2", cwd=tmp_path)
    refused((bad.returncode, bad.stdout, bad.stderr), "m.json", "discount")


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["1", "2"])
def test_nothing_but_the_result_is_said_in_a_pipe(tmp_path: Path, workers: str) -> None:
    lines = [
        ["claims"],
        ["solve", "models:absorbing", "--agents", "2"],
        ["gap", "models:absorbing", "--agents", "3", "--subsample", "2"],
        ["verify", "--claims", "B5", "L2", "--workers", workers, "--out", "here"],
        ["report", "here"],
    ]
    code = "import json, sys\nfrom mfverify.cli import run\nsys.exit(max(run(line) for line in json.loads(sys.argv[1])))"
    done = process(json.dumps(lines), code=code, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("wrote here/report.html") == 2


def test_a_reader_that_goes_away_is_neither_an_error_nor_an_outcome(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "mfverify.cli", "solve", "models:coordination", "--agents", "1600", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
    ) as child:
        assert child.stdout is not None and child.stderr is not None
        assert child.stdout.read(10)
        child.stdout.close()
        assert child.stderr.read() == b""
        assert child.wait(60) == 141


# ---------------------------------------------------------------------------------------------------------- interrupted


INTERRUPTED = ["mfverify:", "interrupted;", "what", "was", "finished", "is", "kept,", "--resume", "continues"]


@pytest.fixture
def stop_after(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], list[str]]]:
    """Let the user press Ctrl-C when so many instances are finished; the labels of what was computed are collected."""
    compute = verification.finding

    def arm(most: int) -> list[str]:
        seen: list[str] = []

        def stopping(claim: Claim, instance: Case) -> Finding:
            if len(seen) == most:
                raise KeyboardInterrupt
            seen.append(f"{claim.id} {instance.label}")
            return compute(claim, instance)

        monkeypatch.setattr(verification, "finding", stopping)
        return seen

    yield arm


def test_an_interrupted_run_is_continued(mfverify: Callable[..., Shown], tmp_path: Path, stop_after: Callable[[int], list[str]]) -> None:
    command = ("verify", "--claims", "L2", "B5", "--workers", "1", "--out")
    everything = stop_after(10**9)
    assert mfverify(*command, "whole")[0] == 0
    first = stop_after(11)
    code, out, err = mfverify(*command, "parts")
    assert (code, out) == (130, "")
    assert err.split() == INTERRUPTED
    assert sorted(files(tmp_path / "parts")) == ["results.sqlite"]
    assert stored(tmp_path / "parts") == 11
    second = stop_after(4)
    assert mfverify(*command, "parts", "--resume")[0] == 130
    assert stored(tmp_path / "parts") == 15
    third = stop_after(10**9)
    assert mfverify(*command, "parts", "--resume")[0] == 0
    # The order may differ, because groups of what is left are other groups; nothing is computed twice and nothing left out.
    assert sorted(first + second + third) == sorted(everything)
    assert len(set(everything)) == len(everything)
    reports = [read((tmp_path / run / "report.json").read_text()) for run in ("whole", "parts")]
    assert without_provenance(reports[0]) == without_provenance(reports[1])


def test_without_resume_a_run_starts_anew(mfverify: Callable[..., Shown], stop_after: Callable[[int], list[str]]) -> None:
    assert mfverify("verify", "--claims", "L2", "--workers", "1", "--out", "here")[0] == 0
    again = stop_after(10**9)
    assert mfverify("verify", "--claims", "L2", "--workers", "1", "--out", "here")[0] == 0
    assert len(again) == 15
    nothing_left = stop_after(10**9)
    assert mfverify("verify", "--claims", "L2", "--workers", "1", "--out", "here", "--resume")[0] == 0
    assert nothing_left == []


def stored(folder: Path) -> int:
    """Number of finished instances in the store of a run; 0 while there is none."""
    try:
        with closing(sqlite3.connect(f"file:{folder / 'results.sqlite'}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT count(*) FROM finding").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("whom", ["the process", "the process group"])
def test_control_c(mfverify: Callable[..., Shown], tmp_path: Path, workers: str, whom: str) -> None:
    arguments = ["verify", "--claims", "C1", "B5", "P2", "--workers", workers, "--out", "parts"]
    with subprocess.Popen(
        [sys.executable, "-m", "mfverify.cli", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        start_new_session=True,
        preexec_fn=control_c_interrupts,
    ) as child:
        until = time.monotonic() + 120
        while stored(tmp_path / "parts") < 20 and child.poll() is None and time.monotonic() < until:
            time.sleep(0.02)
        (os.kill if whom == "the process" else os.killpg)(child.pid, signal.SIGINT)
        out, err = child.communicate(timeout=60)
    assert (child.returncode, out) == (130, "")
    assert err.split() == INTERRUPTED
    assert [path.name for path in (tmp_path / "parts").iterdir()] == ["results.sqlite"], "a closed store is one file"
    kept = stored(tmp_path / "parts")
    assert kept >= 20
    assert not (tmp_path / "parts" / "report.json").exists()
    assert mfverify(*arguments, "--resume")[0] == 0
    whole = read(mfverify(*arguments[:-2], "--json")[1])
    assert kept < whole["summary"]["instances"]
    assert without_provenance(read((tmp_path / "parts" / "report.json").read_text())) == without_provenance(whole)


def test_load_of_a_bundled_model_by_name(mfverify: Callable[..., Shown], tmp_path: Path) -> None:
    save_model(coordination(), tmp_path / "m.toml")
    by_name = read(mfverify("solve", "models:coordination", "--agents", "3", "--json")[1])
    by_file = read(mfverify("solve", "m.toml", "--agents", "3", "--json")[1])
    assert load_model(tmp_path / "m.toml") == coordination()
    assert by_name == by_file


@pytest.mark.parametrize("arguments", [["report", "run"], ["report", "run", "--to", "csv"], ["report", "--compare", "run", "run"]])
def test_a_report_whose_verdict_does_not_follow_from_its_sides_is_refused(
    mfverify: Callable[..., Shown], tmp_path: Path, arguments: list[str]
) -> None:
    label = "n=2 k=1 population=1+1"
    assert mfverify("verify", "--claims", "C3", "--instance", label, "--out", "run", "--workers", "1")[0] == 0
    assert mfverify(*arguments)[0] == 0
    path = tmp_path / "run" / "report.json"
    edited = (
        path.read_text().replace('"verdict": "violated"', '"verdict": "holds"').replace('"status": "refuted"', '"status": "corroborated"')
    )
    path.write_text(edited)
    before = {found.name: found.read_bytes() for found in (tmp_path / "run").iterdir()}
    status, out, err = mfverify(*arguments)
    assert (status, out, len(err.splitlines())) == (2, "", 1)
    assert "claim C3, instance 1: the verdict is holds, but its sides make it violated; the file was changed after the run" in err
    assert {found.name: found.read_bytes() for found in (tmp_path / "run").iterdir()} == before


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion_is_printed_for_a_shell(shell: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("_MFVERIFY_COMPLETE", f"{shell}_source")
    assert run([]) == 0
    out, err = capsys.readouterr()
    assert "_mfverify_completion" in out and err == ""
