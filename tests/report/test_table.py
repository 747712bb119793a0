"""The instances of a run as a table: every instance a row, every number the one in the report."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from mfverify.cli import run
from mfverify.errors import ModelError
from mfverify.report.table import Format, rows, write_table
from mfverify.verification import verify


@pytest.fixture(scope="module")
def document() -> Any:
    """Claims on populations, exact and rounded numbers, with and without a model, one instance to which nothing applies."""
    found = json.loads(verify(["C3", "C6"], workers=1).to_json())
    found["claims"][0]["instances"][0]["reason"] = 'a "quoted", text\nin two lines; =1+1'
    return found


def instances(document: Any) -> list[tuple[Any, Any]]:
    """Claims with their instances."""
    found = [(part, one) for part in document["claims"] for one in part["instances"]]
    assert len(found) > 50
    return found


def same(row: dict[str, Any], part: Any, one: Any) -> None:
    """A row states what the report does, to the last digit."""
    assert (row["claim"], row["status"], row["registered"]) == (part["id"], part["status"], part["registered"])
    for name in ("model", "label", "verdict", "reason", "reproduce"):
        assert (row[name] or None) == (one[name] or None)
    for name in ("agents", "subsample"):
        assert (int(row[name]) if row[name] not in ("", None) else None) == one[name]
    assert json.loads(row["parameters"]) == one["parameters"]
    for side in ("actual", "bound", "trivial", "slack"):
        for end in ("lower", "upper"):
            cell = row[f"{side}_{end}"]
            assert (float(cell) if cell not in ("", None) else None) == (one[side] or {}).get(end)
        assert (row[f"{side}_exact"] or None) == (one[side] or {}).get("exact")


def test_csv_has_every_instance_to_the_last_digit(document: Any, tmp_path: Path) -> None:
    write_table(document, tmp_path / "results.csv", Format.CSV)
    with (tmp_path / "results.csv").open(encoding="utf-8", newline="") as stream:
        read = list(csv.DictReader(stream))
    for row, (part, one) in zip(read, instances(document), strict=True):
        same(row, part, one)
    assert len({row["verdict"] for row in read}) > 1
    assert [float(row["seconds"]) for row in read] == [s for part in document["claims"] for s in document["provenance"]["seconds_of_instances"][part["id"]]]


def test_parquet_has_every_instance_with_its_types(document: Any, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed (pip install 'mfverify[tables]'): Parquet was not written")
    write_table(document, tmp_path / "results.parquet", Format.PARQUET)
    table = parquet.read_table(tmp_path / "results.parquet")
    for row, (part, one) in zip(table.to_pylist(), instances(document), strict=True):
        same(row, part, one)
    types = {field.name: str(field.type) for field in table.schema}
    assert (types["agents"], types["actual_lower"], types["bound_exact"]) == ("int64", "double", "string")


def test_what_has_no_parquet_form_is_one_clear_line(document: Any, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed (pip install 'mfverify[tables]'): Parquet was not written")
    large = json.loads(json.dumps(document))
    large["claims"][0]["instances"][0]["agents"] = 10**30
    with pytest.raises(ModelError, match=r"results\.parquet: has no Parquet form .*; take --to csv") as refusal:
        write_table(large, tmp_path / "results.parquet", Format.PARQUET)
    assert len(str(refusal.value).splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_without_pyarrow_parquet_is_refused(document: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ModelError, match=r"needs the package pyarrow; pip install 'mfverify\[tables\]', or take --to csv"):
        write_table(document, tmp_path / "results.parquet", Format.PARQUET)
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_report_has_no_table() -> None:
    with pytest.raises(ModelError):
        rows({"format": 1})


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_the_command(document: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str]) -> None:
    (tmp_path / "report.json").write_text(json.dumps(document))
    assert run(["report", str(tmp_path), "--to", "csv", *more]) == 0
    out, err = capsys.readouterr()
    path = tmp_path / "results.csv"
    assert (json.loads(out)["table"] if more else out) == (str(path) if more else f"wrote {path}\n")
    assert err == ""
    assert len(path.read_text().splitlines()) > len(instances(document))
    assert run(["report", "--compare", str(tmp_path), str(tmp_path), "--to", "csv"]) == 2
