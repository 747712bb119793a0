"""A run of the catalogue: the same document however it is computed, nothing computed twice, nothing taken from other code."""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

import mfverify as mfv
from mfverify import verification
from mfverify.enclosure import Interval
from mfverify.errors import ModelError
from mfverify.model import Model
from mfverify.model_files import load_model
from mfverify.papers import CATALOGUE
from mfverify.theory.cases.case import Case
from mfverify.theory.cases.of_model import OnModel
from mfverify.theory.catalogue import Catalogue
from mfverify.theory.claim import Claim, Control, Finding, NotApplicable, Outcome, Profile, Sides, Status, Unresolved
from mfverify.theory.sabotage import by_factor
from mfverify.verification import NO_COMMIT, Report, commit_of, verify, write_report

CHEAP = ["B5", "L2", "C2"]


def content(report: Report | dict[str, Any]) -> str:
    """All of a document but its provenance, as text: equal texts are equal documents, order and every digit included."""
    document = report.document if isinstance(report, Report) else report
    return json.dumps({key: value for key, value in document.items() if key != "provenance"})


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """What was computed in this process since the last question. Nothing is drawn meanwhile: these tests do not look at the page."""
    compute = verification.finding
    seen: list[str] = []

    def counting(claim: Claim, instance: Case) -> Finding:
        seen.append(f"{claim.id} {instance.label}")
        return compute(claim, instance)

    def answer() -> list[str]:
        out = list(seen)
        seen.clear()
        return out

    monkeypatch.setattr(verification, "finding", counting)
    monkeypatch.setattr(verification, "write_report", lambda document, out: None)
    return answer


@pytest.fixture(scope="module")
def plain() -> Report:
    """A run in one process without a store."""
    return verify(CHEAP, workers=1)


# -------------------------------------------------------------------------------------------------------------- one document


def test_the_document_is_complete(plain: Report) -> None:
    document = plain.document
    assert [part["id"] for part in document["claims"]] == CHEAP
    for part in document["claims"]:
        claim = CATALOGUE[part["id"]]
        assert [i["label"] for i in part["instances"]] == [i.label for i in claim.instances(Profile.QUICK, None)]
        assert part["registered"] == part["status"] == claim.registered.value
    verdicts = Counter(i["verdict"] for part in document["claims"] for i in part["instances"])
    summary = document["summary"]
    assert {verdict: n for verdict, n in summary["verdicts"].items() if n} == verdicts
    assert summary["instances"] == sum(verdicts.values())
    assert summary["claims"] == sum(summary["statuses"].values()) == len(CHEAP)
    assert summary["unexpected"] == plain.unexpected == []
    used = {i["model"] for part in document["claims"] for i in part["instances"]} - {None}
    assert [model["name"] for model in document["models"]] == sorted(used)
    assert set(document["provenance"]) >= {"version", "commit", "code", "python", "machine", "started", "seconds"}
    durations = document["provenance"]["seconds_of_instances"]
    assert {name: len(seconds) for name, seconds in durations.items()} == {
        part["id"]: len(part["instances"]) for part in document["claims"]
    }
    assert all(0 <= second < 600 for seconds in durations.values() for second in seconds)


def _repository(folder: Path, *tracked: str) -> None:
    """A git repository with one commit that holds the files named."""
    named = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    for arguments in (("init", "-q"), ("add", *tracked), ("commit", "-q", "--allow-empty", "-m", "first")):
        subprocess.run(["git", *named, *arguments], cwd=folder, check=True, capture_output=True)


def test_the_commit_is_that_of_the_packages_own_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "checkout" / "mfverify"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    assert commit_of(package) == NO_COMMIT
    _repository(tmp_path / "checkout", "mfverify/__init__.py")
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=package, check=True, capture_output=True, text=True).stdout.strip()
    found = commit_of(package)
    assert len(found) >= 7
    assert head.startswith(found)
    (package / "__init__.py").write_text("changed = True")
    assert commit_of(package) == f"{found}-dirty"
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    assert commit_of(package) == f"{found}-dirty"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert commit_of(package) == NO_COMMIT


@pytest.mark.parametrize("tracked", [(), ("README",), ("environment/mfverify/__init__.py",)])
def test_a_repository_around_an_installed_package_is_not_its_own(tracked: tuple[str, ...], tmp_path: Path) -> None:
    package = tmp_path / "environment" / "mfverify"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (tmp_path / "README").write_text("")
    _repository(tmp_path, *tracked)
    assert commit_of(package) == NO_COMMIT
    # Not tracked by a repository that lies right around it either.
    _repository(tmp_path / "environment")
    assert commit_of(package) == NO_COMMIT


def test_the_text_is_json_and_the_parts_are_found_by_id(plain: Report) -> None:
    assert json.loads(plain.to_json(), parse_constant=pytest.fail) == plain.document
    assert plain.claim("L2") is plain.document["claims"][1]
    with pytest.raises(ModelError, match=r"claim 'T1': is not in this report; it has B5, L2, C2"):
        plain.claim("T1")


@pytest.mark.slow
def test_two_workers_find_what_one_finds(plain: Report, tmp_path: Path) -> None:
    assert content(verify(CHEAP, workers=2, out=tmp_path)) == content(plain)
    assert content(json.loads((tmp_path / "report.json").read_text())) == content(plain)
    with closing(sqlite3.connect(tmp_path / "results.sqlite")) as connection:
        assert connection.execute("SELECT count(*) FROM finding").fetchone()[0] == plain.document["summary"]["instances"]


@pytest.mark.parametrize("workers", [1, 2])
def test_one_file_is_left_beside_the_report_and_a_folder_made_anew_is_a_new_one(tmp_path: Path, workers: int) -> None:
    """Worker processes outlive a run, for the next one: they hold nothing open, neither a log nor a file that is gone."""
    out = tmp_path / "run"
    for resume in (False, True):
        verify(["C5"], workers=workers, out=out, resume=resume)
        assert sorted(path.name for path in out.iterdir()) == ["report.html", "report.json", "results.sqlite"]
    shutil.rmtree(out)
    report = verify(["C5"], workers=workers, out=out)
    with closing(sqlite3.connect(out / "results.sqlite")) as connection:
        assert connection.execute("SELECT count(*) FROM finding").fetchone()[0] == report.document["summary"]["instances"]


@pytest.mark.usefixtures("computed")
def test_a_store_changes_nothing(plain: Report, tmp_path: Path) -> None:
    assert content(verify(CHEAP, workers=1, out=tmp_path)) == content(plain)
    assert content(verify(CHEAP, workers=1, out=tmp_path, resume=True)) == content(plain)


def test_the_text_of_a_violation_is_the_closed_form(plain: Report) -> None:
    (found,) = [i for i in plain.claim("L2")["instances"] if i["label"] == "absorbing k=1 other=2"]
    # Q*_1 = 3/4 and Q*_2 = 5/8 with every agent in i, at total variation 0.
    assert (found["verdict"], found["actual"], found["bound"]) == (
        "violated",
        {"lower": 0.125, "upper": 0.125, "exact": "1/8"},
        {"lower": 0.0, "upper": 0.0, "exact": "0"},
    )


def test_progress_counts_to_the_end(tmp_path: Path) -> None:
    calls: list[tuple[int, int, str]] = []
    verify(["L2"], workers=1, out=tmp_path, progress=lambda *call: calls.append(call))
    assert [(done, total) for done, total, _ in calls] == [(i, 15) for i in range(1, 16)]
    assert all(label.startswith("L2 ") for *_, label in calls)
    calls.clear()
    verify(["L2"], workers=1, out=tmp_path, resume=True, progress=lambda *call: calls.append(call))
    assert calls == []


@pytest.mark.parametrize("label", ["coordination k=1 other=3", "absorbing k=2 other=3"])
def test_a_single_instance(plain: Report, computed: Callable[[], list[str]], label: str) -> None:
    report = verify(["L2"], instance=label, workers=1)
    assert computed() == [f"L2 {label}"]
    assert report.claim("L2")["instances"] == [i for i in plain.claim("L2")["instances"] if i["label"] == label]


def test_a_gap_that_is_out_of_reach_names_what_is_in_reach() -> None:
    of_a_gap = replace(CATALOGUE["T1"], id="own", sides=lambda _: Unresolved("10 agents are too many"))
    models = [mfv.models.absorbing()]
    (first, *_) = verify([of_a_gap], models, workers=1).claim("own")["instances"]
    assert (first["verdict"], first["actual"]) == ("undecided", None)
    assert first["reason"] == (
        "10 agents are too many; mfverify sweep compares what is in reach: the bound alone, one start (--start), a simulation"
    )
    (other, *_) = verify([replace(of_a_gap, gap_bound=None)], models, workers=1).claim("own")["instances"]
    assert (other["verdict"], other["reason"]) == ("undecided", "10 agents are too many")


# -------------------------------------------------------------------------------------------------------------------- resuming


def edited(folder: Path, label: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Change one row of a store and compute its digest again, as anyone can."""
    with closing(sqlite3.connect(folder / "results.sqlite")) as connection, connection:
        for key, text in connection.execute("SELECT key, document FROM finding").fetchall():
            if (document := json.loads(text))["label"] == label:
                forged = json.dumps(change(document))
                digest = hashlib.sha256(f"{key}\n{forged}".encode()).hexdigest()
                connection.execute("UPDATE finding SET document = ?, digest = ? WHERE key = ?", (forged, digest, key))


def test_an_edited_verdict_is_not_taken_over(tmp_path: Path) -> None:
    """C3 with one of two agents: 1 is more than 0.541, for any text of a row."""
    label = "n=2 k=1 population=1+1"
    verify(["C3"], instance=label, workers=1, out=tmp_path)
    before = (tmp_path / "report.json").read_bytes()
    edited(tmp_path, label, lambda row: row | {"verdict": "holds"})
    for workers in (1, 2):
        with pytest.raises(ModelError, match=r"the verdict is holds, but its sides make it violated; the file was changed, so remove it"):
            verify(["C3"], instance=label, workers=workers, out=tmp_path, resume=True)
    assert (tmp_path / "report.json").read_bytes() == before
    (tmp_path / "results.sqlite").unlink()
    assert verify(["C3"], instance=label, workers=1, out=tmp_path, resume=True).claim("C3")["status"] == "refuted"


def test_the_instance_of_a_stored_result_is_that_of_the_run(tmp_path: Path) -> None:
    label = "n=2 k=1 population=1+1"
    plain = verify(["C3"], instance=label, workers=1, out=tmp_path)
    edited(tmp_path, label, lambda row: row | {"agents": 7, "subsample": 6, "parameters": {"population": "4+3"}, "reproduce": "rm"})
    assert content(verify(["C3"], instance=label, workers=1, out=tmp_path, resume=True)) == content(plain)


def test_resume_computes_only_what_is_missing(tmp_path: Path, computed: Callable[[], list[str]]) -> None:
    verify(["L2"], workers=1, out=tmp_path)
    first = computed()
    assert len(first) == 15
    report = verify(["L2", "B5"], workers=1, out=tmp_path, resume=True)
    assert computed() == [f"B5 {i.label}" for i in CATALOGUE["B5"].instances(Profile.QUICK, None)]
    assert content(report) == content(verify(["L2", "B5"], workers=1))


def test_results_of_other_code_are_not_taken(tmp_path: Path, computed: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    verify(["L2"], workers=1, out=tmp_path)
    computed()
    monkeypatch.setattr(verification, "code_version", lambda: "other code")
    verify(["L2"], workers=1, out=tmp_path, resume=True)
    assert len(computed()) == 15


def test_results_of_another_model_are_not_taken_and_names_are_those_of_the_run(tmp_path: Path, computed: Callable[[], list[str]]) -> None:
    model = mfv.models.absorbing()
    verify(["L2"], models=[model], workers=1, out=tmp_path)
    assert len(computed()) == 3
    verify(["L2"], models=[replace(model, discount="1/3")], workers=1, out=tmp_path, resume=True)
    assert len(computed()) == 3
    renamed = replace(model, name="my lottery")
    report = verify(["L2"], models=[renamed], workers=1, out=tmp_path, resume=True, model_arguments="mine.toml")
    assert computed() == []
    assert content(report) == content(verify(["L2"], models=[renamed], workers=1, model_arguments="mine.toml"))


def test_what_is_finished_is_kept_although_another_instance_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compute = verification.finding
    failing = CATALOGUE["L2"].instances(Profile.QUICK, None)[-1]

    def out_of_luck(claim: Claim, instance: Case) -> Finding:
        if instance == failing:
            raise ModelError("out of luck")
        return compute(claim, instance)

    monkeypatch.setattr(verification, "finding", out_of_luck)
    finished: list[int] = []
    with pytest.raises(ModelError, match="out of luck"):
        verify(["L2"], workers=1, out=tmp_path, progress=lambda done, *_: finished.append(done))
    with closing(sqlite3.connect(tmp_path / "results.sqlite")) as connection:
        assert connection.execute("SELECT count(*) FROM finding").fetchone()[0] == len(finished) > 5


def test_a_corrupted_store_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "results.sqlite").write_bytes(b"no database at all, " * 300)
    for resume in (False, True):
        with pytest.raises(
            ModelError, match=r"results\.sqlite: cannot be used as a store of results .*; choose another folder or remove the file"
        ) as refusal:
            verify(["L2"], workers=1, out=tmp_path, resume=resume)
        assert len(str(refusal.value).splitlines()) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["results.sqlite"]


@pytest.mark.parametrize(
    "damage",
    [
        "document = substr(document, 1, 40)",
        "document = replace(document, '0.125', '0.225')",
        "document = NULL",
        "digest = NULL",
        "digest = (SELECT max(digest) FROM finding WHERE document NOT LIKE '%absorbing k=1 other=2%')",
    ],
    ids=["cut off", "a digit changed", "gone", "of an older format", "of another row"],
)
def test_a_damaged_result_is_computed_again_and_the_others_are_kept(
    tmp_path: Path, computed: Callable[[], list[str]], damage: str, plain: Report
) -> None:
    verify(["L2"], workers=1, out=tmp_path)
    assert len(computed()) == 15
    with closing(sqlite3.connect(tmp_path / "results.sqlite")) as connection, connection:
        connection.execute("PRAGMA ignore_check_constraints = 1")
        if "NULL" in damage:
            connection.execute("CREATE TABLE loose AS SELECT * FROM finding")
            connection.execute("DROP TABLE finding")
            connection.execute("ALTER TABLE loose RENAME TO finding")
        changed = connection.execute(f"UPDATE finding SET {damage} WHERE document LIKE '%absorbing k=1 other=2%'").rowcount
    assert changed == 1
    report = verify(["L2"], workers=1, out=tmp_path, resume=True)
    assert computed() == ["L2 absorbing k=1 other=2"]
    assert report.claim("L2") == plain.claim("L2")


def test_an_unusable_folder_is_refused_before_anything_is_computed(tmp_path: Path, computed: Callable[[], list[str]]) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ModelError, match="cannot be used as a store"):
        verify(["L2"], workers=1, out=tmp_path / "file")
    assert computed() == []


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for the superuser: run the tests as another user")
def test_a_read_only_folder_is_refused_before_anything_is_computed(tmp_path: Path, computed: Callable[[], list[str]]) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    with pytest.raises(ModelError, match="cannot be used as a store"):
        verify(["L2"], workers=1, out=folder)
    assert computed() == []


@pytest.mark.parametrize("name", ["report.html", "report.json"])
def test_a_report_that_cannot_be_written_says_so(tmp_path: Path, name: str) -> None:
    report = verify(["L2"], instance="absorbing k=1 other=2", workers=1)
    (tmp_path / name).mkdir()
    with pytest.raises(ModelError, match=rf"{name}: cannot be written .*; choose a folder that can be"):
        write_report(report.document, tmp_path)
    assert {p.name for p in tmp_path.iterdir()} <= {"report.html", "report.json"}, "half a file is left"


# ---------------------------------------------------------------------------------------------------- sabotage and own claims


def test_a_sabotaged_claim_has_an_unexpected_status(monkeypatch: pytest.MonkeyPatch) -> None:
    other = Catalogue()
    for claim in CATALOGUE:
        other.register(replace(claim, sides=claim.sabotaged) if claim.id == "B5" else claim)
    monkeypatch.setattr(verification, "CATALOGUE", other)
    monkeypatch.setattr("mfverify.papers.named.CATALOGUE", other)
    report = verify(["L2", "B5"], workers=1)
    assert report.unexpected == ["B5"]
    part = report.claim("B5")
    assert (part["status"], part["registered"]) == ("refuted", "corroborated")
    assert any(i["verdict"] == "violated" and i["actual"]["lower"] > i["bound"]["upper"] for i in part["instances"])


@dataclass(frozen=True)
class Patient(OnModel):
    """A model, and the largest discount."""

    patience: int


def reward_range(case: Patient) -> Outcome:
    """``max |r_l| <= 1``, a claim that is true of the bundled coordination model only without moving cost."""
    if case.model.discount > case.patience:
        return NotApplicable("the discount is too large")
    return Sides(Interval.exactly(case.model.rt_l), Interval.exactly(1))


def reward_instances(_: Profile, given: Sequence[Model] | None) -> list[Patient]:
    """One instance for each model."""
    chosen = list(given) if given is not None else [mfv.models.absorbing(), mfv.models.random_coupled(1)]
    return [Patient(m, 1) for m in chosen]


OWN = Claim(
    id="W1",
    title="Rewards of at most one",
    statement=r"$\tilde r_l \le 1$",
    source="a user",
    reading="as it stands",
    assumptions=("none",),
    registered=Status.CORROBORATED,
    sides=reward_range,
    instances=reward_instances,
    control=Control("one is replaced by zero", right=by_factor(0)),
)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_claim_of_ones_own(workers: int, tmp_path: Path) -> None:
    report = mfv.verify(claims=[OWN], workers=workers, out=tmp_path)
    assert report.unexpected == []
    # Rewards of the absorbing lottery are 0 and 1; those of the random models are drawn from -8/8..8/8.
    assert [i["verdict"] for i in report.claim("W1")["instances"]] == ["holds", "holds"]
    assert report.claim("W1")["instances"][0]["actual"]["exact"] == "1"
    assert "Rewards of at most one" in (tmp_path / "report.html").read_text()
    # |1 + 1/100| > 1, |r| = 1 where moving is free.
    models = [mfv.models.coordination("1/100"), mfv.models.coordination("0")]
    report = mfv.verify(claims=["L2", OWN], models=models, workers=workers)
    assert [i["verdict"] for i in report.claim("W1")["instances"]] == ["violated", "holds"]
    assert [i["actual"]["exact"] for i in report.claim("W1")["instances"]] == ["101/100", "1"]


def test_a_claim_of_ones_own_is_never_taken_from_a_store(tmp_path: Path, computed: Callable[[], list[str]]) -> None:
    verify([OWN], workers=1, out=tmp_path)
    assert len(computed()) == 2
    verify([OWN], workers=1, out=tmp_path, resume=True)
    assert len(computed()) == 2
    # A record with the id of a claim of the catalogue does not leave results behind that would pass for the catalogue's.
    lookalike = replace(CATALOGUE["B5"], sides=CATALOGUE["B5"].sabotaged)
    assert verify([lookalike], workers=1, out=tmp_path).unexpected == ["B5"]
    assert verify(["B5"], workers=1, out=tmp_path, resume=True).unexpected == []


# ------------------------------------------------------------------------------------------------------------------ own models


def test_models_of_ones_own(tmp_path: Path) -> None:
    mfv.save_model(mfv.models.coordination("0", "1/3"), tmp_path / "mine.json")
    models = [load_model(tmp_path / "mine.json"), mfv.models.absorbing("1/3")]
    report = mfv.verify(["L1", "L2"], models=models, workers=1)
    assert {i["model"] for part in report.document["claims"] for i in part["instances"]} == {m.name for m in models}
    described = {m["name"]: m for m in report.document["models"]}
    assert {name: m["discount"] for name, m in described.items()} == dict.fromkeys(described, "1/3")
    assert described["absorbing"]["sizes"] == {"global_states": 2, "global_actions": 2, "local_states": 3, "local_actions": 1}
    assert described["absorbing"]["fingerprint"] == models[1].fingerprint


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "unknown claim": ({"claims": ["T9"]}, "claim 'T9': is not in the catalogue"),
    "no claims": ({"claims": []}, "claims: found none"),
    "a text": ({"claims": "T1"}, r"claims: found the text 'T1', expected a list of ids"),
    "a claim twice": ({"claims": ["L2", "L2"]}, "claims: L2 is given twice"),
    "an own claim of the same id": ({"claims": ["L2", replace(OWN, id="L2")]}, "claims: L2 is given twice"),
    "no models": ({"models": []}, "models: found none"),
    "not a model": ({"models": [mfv.models.absorbing(), "coordination"]}, r"models\[1\]: found str, expected a Model"),
    "one name for two models": (
        {"models": [mfv.models.absorbing(), mfv.models.absorbing("1/3")]},
        "models: two of them share the name 'absorbing'",
    ),
    "two names for one model": (
        {"models": [mfv.models.absorbing(), replace(mfv.models.absorbing(), name="lottery")]},
        "'absorbing' and 'lottery' are the same model",
    ),
    "unknown profile": ({"profile": "slow"}, "profile: found 'slow', expected one of 'quick', 'full'"),
    "no workers": ({"workers": 0}, "workers: found 0"),
    "half a worker": ({"workers": 0.5}, "workers: found 0.5"),
    "unknown instance": ({"claims": ["L2"], "instance": "elsewhere"}, "instance: 'elsewhere' is none of L2"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_arguments_are_refused_and_nothing_written(tmp_path: Path, computed: Callable[[], list[str]], name: str) -> None:
    arguments, message = REFUSED[name]
    with pytest.raises(ModelError, match=message) as refusal:
        verify(**({"claims": ["L2"], "workers": 1} | arguments), out=tmp_path / "here")
    assert len(str(refusal.value).splitlines()) == 1
    assert computed() == []
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_is_all_not_applicable_decides_nothing() -> None:
    patient = replace(OWN, instances=lambda _profile, _given: [Patient(mfv.models.absorbing(), 0)])
    part = verify([patient], workers=1).claim("W1")
    assert (part["status"], part["instances"][0]["verdict"], part["instances"][0]["reason"]) == (
        "undecided",
        "not-applicable",
        "the discount is too large",
    )


# ------------------------------------------------------------------------------------------------------------ known violations


@pytest.mark.slow
def test_theorem_4_2_is_violated_where_it_is_known_to_be() -> None:
    """The numbers come from an independent solution of the same systems in rational arithmetic, rounded outward."""
    report = verify(["T1"], instance="coordination n=100 k=99", workers=1)
    (found,) = report.claim("T1")["instances"]
    assert found["verdict"] == "violated"
    assert found["actual"]["lower"] <= 0.52306686 and found["actual"]["upper"] >= 0.52306685
    # rt = 101/100, gamma = 1/2, |S_l| = |A_l| = |A_g| = 2: the bound evaluated here with plain floating point.
    logarithm = math.log(40 * 1.01 * 8 * 99**2.5 / 0.25)
    bound = 1.01 / 0.25 * math.sqrt((100 - 99 + 1) / (2 * 100 * 99) * logarithm) + 1 / (10 * math.sqrt(99))
    assert abs(found["bound"]["lower"] - bound) < 1e-12


def test_arguments_are_walked_through_where_they_break_and_where_not() -> None:
    """The clearest violation, the narrowest instance that holds, and a small one on which every line holds, of whichever reading."""
    sampled = "random_coupled(seed=4, sizes=2222, discount=1/2) n=12 k=11 samples=64 seed=0"
    wanted = {sampled, "coordination n=50 k=49", "coordination n=100 k=75", "absorbing n=12 k=4", "patrol n=6 k=2", "n=2 k=1 population=1+1"}
    tasks = [
        task
        for task in verification._tasks(verification._chosen_claims(["T1", "T1c", "T2", "C3"]), None, mfv.Profile.QUICK, None, "")
        if task.instance.label in wanted
    ]
    walks = verification._walks(tasks, {task.key: verification._compute(task) for task in tasks})
    assert [(walk["claim"], walk["instance"], walk["breaks"]) for walk in walks] == [
        ("T1", "coordination n=50 k=49", 2),
        ("T1", "coordination n=100 k=75", 2),
        ("T1c", "patrol n=6 k=2", None),
    ]


def test_the_groups_of_one_model_follow_each_other() -> None:
    """A policy of two agents serves four and eight; among many models it would be forgotten in between."""
    models = [mfv.models.random_coupled(seed) for seed in (1, 2)]
    tasks = verification._tasks(verification._chosen_claims(["T1"]), models, mfv.Profile.QUICK, None, "")
    forms = [[task.instance.written for task in group] for group in verification._groups(tasks[::-1])]
    assert all(len({(form.model, form.agents) for form in group}) == 1 for group in forms)
    found = [(group[0].model.name, group[0].agents) for group in forms if group[0].model]
    assert found == [(model.name, agents) for model in models[::-1] for agents in (8, 4)]
