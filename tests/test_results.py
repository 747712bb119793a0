"""The store of finished instances, the version of the code, and one instance as it stands in the report."""

from __future__ import annotations

import json
import os
import pickle
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfverify import results
from mfverify.enclosure import Interval
from mfverify.errors import ModelError
from mfverify.models import absorbing
from mfverify.results import Store, code_version, finding_document
from mfverify.theory.cases.case import Case
from mfverify.theory.cases.of_model import Subsampled
from mfverify.theory.claim import Finding, Sides, Verdict, contradiction, judge


@dataclass(frozen=True)
class Drawn(Subsampled):
    """A case with a number and a text."""

    seed: int
    kind: str


def finding(left: Interval | None, right: Interval | None) -> Finding:
    """Some finding with these two sides."""
    verdict = Verdict.UNDECIDED if left is None or right is None else judge(Sides(left, right, Interval.exactly(4)))
    return Finding(
        "X",
        Drawn(absorbing(), 3, 2, 7, "a"),
        verdict,
        left,
        right,
        Interval.exactly(4),
        "why",
        {"worst": "there"},
    )


def document(verdict: str = "holds") -> dict[str, Any]:
    """A finished instance with digits that have to come back as they are."""
    right = {"violated": "3/10", "holds": "1/2", "vacuous": "4"}[verdict]
    return finding_document(finding(Interval.exactly("1/3"), Interval.exactly(right)), "mfverify verify")


def put_text(path: Path, key: str, text: str) -> None:
    """A row with a matching digest and this content, as someone else's program might write it."""
    with closing(sqlite3.connect(path)) as other, other:
        other.execute(
            "INSERT OR REPLACE INTO finding (key, code, digest, document) VALUES (?, ?, ?, ?)",
            (key, code_version(), results._digest(key, text), text),
        )


def test_what_is_put_is_there_for_the_next_process(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "results.sqlite"
    with Store(path) as store:
        assert store.get("a") is None
        store.put("a", document())
        store.put("b", document("violated"))
        store.put("b", document("vacuous"))
    with Store(path) as again:
        assert again.get("a") == document()
        assert again.get("b") == document("vacuous")
        assert again.get("c") is None


def test_how_long_an_instance_took_is_kept_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "results.sqlite"
    with Store(path) as store:
        store.put("a", document(), 1.25)
        store.put("b", document())
        put_text(path, "c", json.dumps(document()))
        with closing(sqlite3.connect(path)) as other, other:
            other.execute("UPDATE finding SET seconds = ? WHERE key = 'c'", ("long",))
        assert [store.seconds(key) for key in ("a", "b", "c", "d")] == [1.25, None, None, None]
        assert store.get("a") == store.get("b") == document()


def test_put_is_on_the_disk_before_the_store_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "results.sqlite"
    with Store(path) as store:
        store.put("a", document())
        with closing(sqlite3.connect(path)) as other:
            rows = other.execute("SELECT key, document FROM finding").fetchall()
    assert [(key, json.loads(text)) for key, text in rows] == [("a", document())]


def test_only_quick_instances_are_not_waited_for_on_the_disk(tmp_path: Path) -> None:
    normal, full = (1,), (2,)
    with Store(tmp_path / "results.sqlite") as store:
        for seconds, expected in ((0.01, normal), (0.1, full), (0.0999, normal), (None, full), (0.0, normal), (60.0, full)):
            store.put("a", document(), seconds)
            assert store._connection.execute("PRAGMA synchronous").fetchone() == expected
            with Store(tmp_path / "results.sqlite") as other:
                assert other.seconds("a") == seconds


def test_two_stores_write_to_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "results.sqlite"
    with Store(path) as one, Store(path) as two:
        one.put("a", document("holds"))
        two.put("b", document("violated"))
        assert one.get("b") == document("violated")
        assert two.get("a") == document("holds")


def test_many_open_a_new_store_at_once(tmp_path: Path) -> None:
    """Switching to the write-ahead log is where SQLite refuses instead of waiting."""

    def write(i: int) -> None:
        with Store(tmp_path / "results.sqlite") as store:
            store.put(f"key {i}", document())

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(write, range(64)))
    with Store(tmp_path / "results.sqlite") as store:
        assert [store.get(f"key {i}") for i in range(64)] == [document()] * 64


def test_a_store_that_is_sent_to_another_process_opens_the_same_file_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Store(Path("results.sqlite")) as store:
        parcel = pickle.dumps(store)
        monkeypatch.chdir("/")
        arrived = pickle.loads(parcel)
        arrived.put("a", document(), 1.25)
        assert store.get("a") == document()
        assert store.seconds("a") == 1.25
    assert [path.name for path in tmp_path.iterdir()] == ["results.sqlite"], "the other process holds the file open"


def test_a_closed_store_is_one_file(tmp_path: Path) -> None:
    """As long as anyone has it open there is a write-ahead log; the last one to close it writes the log back and takes it away."""
    path = tmp_path / "results.sqlite"
    with Store(path) as one:
        with Store(path) as two:
            one.put("a", document())
            two.put("b", document())
        assert len(list(tmp_path.iterdir())) == 3
        assert one.get("b") == document()
    assert [found.name for found in tmp_path.iterdir()] == ["results.sqlite"]
    alone = tmp_path / "elsewhere" / "copy.sqlite"
    alone.parent.mkdir()
    alone.write_bytes(path.read_bytes())
    with Store(alone) as store:
        assert store.get("a") == store.get("b") == document()


def test_results_of_other_code_are_forgotten_and_those_of_this_code_are_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store(tmp_path / "results.sqlite") as store:
        store.put("new", document())
        with monkeypatch.context() as patch:
            patch.setattr(results, "code_version", lambda: "older code")
            store.put("old", document())
        with Store(tmp_path / "results.sqlite"):
            store.forget_other_code()
            assert store.get("old") == document(), "dropped under the feet of another run"
        store.forget_other_code()
        assert store.get("old") is None
        assert store.get("new") == document()
        with Store(tmp_path / "results.sqlite") as another:
            assert another.get("new") == document()


def test_a_store_of_the_first_format_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "results.sqlite"
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("CREATE TABLE finding (key TEXT PRIMARY KEY, document TEXT NOT NULL)")
        other.execute("INSERT INTO finding VALUES ('a', '{}')")
    with Store(path) as store:
        assert store.get("a") is None
        store.put("a", document())
        assert store.get("a") == document()


@pytest.mark.parametrize(
    "content", [b"this is not a database, " * 100, b"SQLite format 3\x00" + b"\xff" * 5000], ids=["text", "damaged header"]
)
def test_a_file_that_is_no_store_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "results.sqlite"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"results\.sqlite: cannot be used as a store of results") as refusal:
        Store(path)
    assert len(str(refusal.value).splitlines()) == 1
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    "text",
    ["{", "[1]", "null", "\x00", "[" * 100_000, "9" * 5000, "{}", '{"verdict": "holds"}', json.dumps(document() | {"verdict": "certain"})],
    ids=["half", "a list", "null", "control", "deep", "long number", "empty", "parts missing", "unknown verdict"],
)
def test_a_row_that_is_no_finished_instance_counts_as_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "results.sqlite"
    with Store(path) as store:
        put_text(path, "a", json.dumps(document()))
        assert store.get("a") == document()
        put_text(path, "a", text)
        assert store.get("a") is None


def test_a_table_of_another_shape_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "results.sqlite"
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("CREATE TABLE finding (something TEXT)")
    with pytest.raises(ModelError, match="cannot be used as a store of results"):
        Store(path)


def test_a_file_that_is_damaged_meanwhile_is_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "results.sqlite"
    with Store(path) as store:
        with closing(sqlite3.connect(path)) as other, other:
            other.execute("DROP TABLE finding")
        for act, words in (
            (lambda: store.get("a"), "cannot be read back"),
            (lambda: store.put("a", document()), "a result cannot be kept"),
            (store.forget_other_code, "cannot be read back"),
        ):
            with pytest.raises(ModelError, match=rf"results\.sqlite: {words}") as refusal:
                act()
            assert len(str(refusal.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("damage", "words"),
    [(MemoryError(), "MemoryError"), (UnicodeDecodeError("utf-8", b"\xcd", 0, 1, "invalid"), "codec"), (sqlite3.DatabaseError("x"), "x")],
    ids=lambda x: type(x).__name__,
)
def test_whatever_a_damaged_file_makes_sqlite_raise_is_one_clear_line(
    damage: Exception, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found by fuzzing: absurd lengths in the file, and messages that quote bytes of it."""

    def raises(_: Path) -> None:
        raise damage

    monkeypatch.setattr(results, "_opened", raises)
    with pytest.raises(ModelError, match=rf"cannot be used as a store of results \(.*{words}"):
        Store(tmp_path / "results.sqlite")


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ModelError, match="cannot be used as a store of results"):
        Store(tmp_path / "file" / "results.sqlite")
    assert (tmp_path / "file").read_text() == "in the way"


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for the superuser")
def test_a_read_only_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    with pytest.raises(ModelError, match="cannot be used as a store of results"):
        Store(folder / "results.sqlite")
    assert list(folder.iterdir()) == []


def test_the_code_version_changes_with_any_source_and_with_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "__file__", str(tmp_path / "results.py"))
    fresh = results.code_version.__wrapped__
    (tmp_path / "results.py").write_text("a = 1\n")
    (tmp_path / "room").mkdir()
    (tmp_path / "room" / "part.py").write_text("b = 2\n")
    seen = [fresh()]
    (tmp_path / "room" / "notes.txt").write_text("not a source")
    assert fresh() == seen[0]
    (tmp_path / "room" / "part.py").write_text("b = 3\n")
    seen.append(fresh())
    (tmp_path / "room" / "part.py").rename(tmp_path / "room" / "other.py")
    seen.append(fresh())
    (tmp_path / "new.py").write_text("")
    seen.append(fresh())
    assert len(set(seen)) == 4


def test_an_instance_in_the_report() -> None:
    document = finding_document(finding(Interval.exactly("1/3"), Interval(Fraction(1, 2), Fraction(2, 3))), "mfverify verify")
    assert document == {
        "model": "absorbing",
        "agents": 3,
        "subsample": 2,
        "parameters": {"seed": 7, "kind": "a"},
        "label": "absorbing n=3 k=2 seed=7 kind=a",
        "verdict": "holds",
        # 1/3 is no double: its neighbours are 6004799503160661 / 2^54 and 6004799503160662 / 2^54.
        "actual": {"lower": 6004799503160661 / 2**54, "upper": 6004799503160662 / 2**54, "exact": "1/3"},
        "bound": {"lower": 0.5, "upper": 6004799503160662 / 2**53},
        "trivial": {"lower": 4.0, "upper": 4.0, "exact": "4"},
        # (1/2) / (1/3) = 3/2 and (2/3) / (1/3) = 2.
        "slack": {"lower": 1.5, "upper": 2.0},
        "reason": "why",
        "details": {"worst": "there"},
        "reproduce": "mfverify verify",
    }
    assert json.loads(json.dumps(document)) == document


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (None, None),
        (Interval.exactly(0), Interval.exactly(1)),
        (Interval(Fraction(-1), Fraction(1)), Interval.exactly(1)),
        (Interval.exactly(-1), Interval.exactly(1)),
        (Interval.exactly(1), Interval(Fraction(-1), Fraction(1))),
    ],
    ids=["no sides", "zero", "sign unknown", "negative", "bound of unknown sign"],
)
def test_no_slack_where_the_ratio_says_nothing(left: Interval | None, right: Interval | None) -> None:
    assert finding_document(finding(left, right), "")["slack"] is None


# ------------------------------------------------------------------------------------------- verdicts are derived when they are read

TINY, LONG, HUGE = Fraction(1, 10**60), Fraction(10**5000 + 1, 10**5000), Fraction(10**400)
ENDS = st.sampled_from([Fraction(0), Fraction(1, 3), 1 + TINY, 1 - TINY, Fraction(1), LONG, HUGE, HUGE + 1, -HUGE, Fraction(4)])
SIDES = st.tuples(ENDS, ENDS).map(lambda ends: Interval(min(ends), max(ends)))


@given(SIDES, SIDES, st.one_of(st.none(), SIDES))
def test_the_verdict_follows_from_what_is_written(left: Interval, right: Interval, trivial: Interval | None) -> None:
    """Also where doubles are too coarse for it: ends that differ by 1e-60, that have 5000 digits, that are beyond double precision."""
    verdict = judge(Sides(left, right, trivial))
    written = json.loads(json.dumps(finding_document(Finding("X", Case(), verdict, left, right, trivial), "")))
    assert contradiction(written) == ""
    for other in Verdict:
        said = contradiction(written | {"verdict": other.value})
        assert said == ("" if other is verdict else f"the verdict is {other.value}, but its sides make it {verdict.value}")


@pytest.mark.parametrize("verdict", ["holds", "violated", "vacuous"])
def test_a_verdict_of_two_sides_needs_them(verdict: str) -> None:
    bare = document() | {"verdict": verdict}
    for less in ({"actual": None}, {"bound": None}, {"actual": None, "bound": None}):
        assert "needs both sides" in contradiction(bare | less)
    for word in ("undecided", "not-applicable"):
        assert contradiction(bare | {"verdict": word, "actual": None, "bound": None}) == ""


@pytest.mark.parametrize(
    ("side", "words"),
    [
        (3, "expected null or an object with lower and upper"),
        ({"lower": 0.0}, "expected null or an object with lower and upper"),
        ({"lower": "0", "upper": 1.0}, "expected a number or null"),
        ({"lower": True, "upper": 1.0}, "expected a number or null"),
        ({"lower": float("nan"), "upper": 1.0}, "expected a number or null"),
        ({"lower": 1.0, "upper": 0.0}, "the ends are not in order"),
        ({"lower": 0.0, "upper": 1.0, "exact": "2"}, "the ends are not in order"),
        ({"lower": 0.0, "upper": 1.0, "exact": "1e999999999"}, "expected a rational number"),
        ({"lower": 0.0, "upper": 1.0, "exact": "1/0"}, "expected a rational number"),
        ({"lower": 0.0, "upper": 1.0, "ends": ["0x1/0x2", "0x2/0x1"]}, "the ends are not in order"),
        ({"lower": 0.0, "upper": 1.0, "ends": ["0x1/0x0", "0x1/0x1"]}, "expected two rationals in hexadecimal"),
        ({"lower": 0.0, "upper": 1.0, "ends": "0x1/0x2"}, "expected two rationals in hexadecimal"),
    ],
)
def test_a_side_that_is_no_interval_is_refused(side: Any, words: str) -> None:
    with pytest.raises(ModelError, match=f"actual: .*{words}"):
        contradiction(document() | {"actual": side})


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"verdict": "violated"}, "the verdict is violated, but its sides make it holds"),
        ({"verdict": "not-applicable"}, "the verdict is not-applicable, but its sides make it holds"),
        ({"actual": {"lower": 1.0, "upper": 1.0, "exact": "1"}}, "the verdict is holds, but its sides make it violated"),
        ({"trivial": {"lower": 0.25, "upper": 0.25}}, "the verdict is holds, but its sides make it vacuous"),
        ({"bound": None}, "the verdict holds needs both sides"),
        ({"bound": 3}, "bound: expected null or an object"),
    ],
)
def test_a_row_that_contradicts_itself_is_refused_although_its_digest_fits(tmp_path: Path, changed: dict[str, Any], words: str) -> None:
    """No disk does that: an editor of a row can compute its digest, which takes no key."""
    path = tmp_path / "results.sqlite"
    with Store(path) as store:
        put_text(path, "a", json.dumps(document() | changed | {"label": "a\n\ud800 label"}))
        with pytest.raises(ModelError, match=words) as refusal:
            store.get("a")
        assert len(str(refusal.value).splitlines()) == 1
        assert str(refusal.value).startswith(f"{path}: the instance ")
        assert str(refusal.value).endswith("the file was changed, so remove it and run without --resume")
        str(refusal.value).encode()


def test_the_code_version_changes_with_the_libraries_that_compute(monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = results.code_version.__wrapped__
    known = results.library_versions()
    assert all(f" {name} " in f" {known}" for name in ("numpy", "scipy", "numba", "llvmlite", "sympy", "mpmath", "python-flint"))
    seen = {fresh()}
    for name in ("numpy", "numba", "llvmlite", "python-flint", "sympy", "scipy"):
        installed = results.version

        def newer(asked: str, name: str = name, installed: Any = installed) -> str:
            return "99.0" if asked == name else str(installed(asked))

        with monkeypatch.context() as patch:
            patch.setattr(results, "version", newer)
            patch.setattr(results, "library_versions", results.library_versions.__wrapped__)
            seen.add(fresh())
    assert len(seen) == 7
    assert fresh() in seen
