"""The store of finished instances, the version of the code, and one instance as it stands in the report."""

from __future__ import annotations

import json
import os
import sqlite3
from fractions import Fraction
from pathlib import Path

import pytest

from mfverify import results
from mfverify.claims.claim import Finding, Instance, Verdict
from mfverify.enclosure import Interval
from mfverify.errors import ModelError
from mfverify.models import absorbing
from mfverify.results import Store, finding_document

DOCUMENT = {"verdict": "holds", "actual": {"lower": 0.1, "upper": 0.30000000000000004}, "details": {"worst": "s_g = 0"}}


def test_what_is_put_is_there_for_the_next_process(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "results.sqlite"
    with Store(path) as store:
        assert store.get("a") is None
        store.put("a", DOCUMENT)
        store.put("b", {"verdict": "violated"})
        store.put("b", {"verdict": "vacuous"})
    with Store(path) as again:
        assert again.get("a") == DOCUMENT
        assert again.get("b") == {"verdict": "vacuous"}
        assert again.get("c") is None


def test_put_is_on_the_disk_before_the_store_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "results.sqlite"
    with Store(path) as store:
        store.put("a", DOCUMENT)
        with sqlite3.connect(path) as other:
            rows = other.execute("SELECT key, document FROM finding").fetchall()
        other.close()
    assert [(key, json.loads(text)) for key, text in rows] == [("a", DOCUMENT)]


def test_two_stores_write_to_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "results.sqlite"
    with Store(path) as one, Store(path) as two:
        one.put("a", {"from": "one"})
        two.put("b", {"from": "two"})
        assert one.get("b") == {"from": "two"}
        assert two.get("a") == {"from": "one"}


def test_clear_forgets_everything(tmp_path: Path) -> None:
    with Store(tmp_path / "results.sqlite") as store:
        store.put("a", DOCUMENT)
        store.clear()
        assert store.get("a") is None


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


@pytest.mark.parametrize("text", ["{", "[1]", "null", "\x00"], ids=["half", "a list", "null", "control"])
def test_a_damaged_row_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "results.sqlite"
    with Store(path) as store:
        store.put("a", DOCUMENT)
        with sqlite3.connect(path) as other:
            other.execute("UPDATE finding SET document = ?", (text,))
        other.close()
        with pytest.raises(ModelError, match=r"results\.sqlite: cannot be read back .* remove the file"):
            store.get("a")


def test_a_table_of_another_shape_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "results.sqlite"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE finding (something TEXT)")
    other.close()
    with Store(path) as store:
        with pytest.raises(ModelError, match="cannot be read back"):
            store.get("a")
        with pytest.raises(ModelError, match="cannot be kept"):
            store.put("a", DOCUMENT)


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


def finding(left: Interval | None, right: Interval | None) -> Finding:
    """Some finding with these two sides."""
    return Finding(
        "X",
        Instance(absorbing(), 3, 2, (("seed", 7), ("kind", "a"))),
        Verdict.HOLDS,
        left,
        right,
        Interval.exactly(4),
        "why",
        {"worst": "there"},
    )


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
