"""The instances of a run as a table, one row each, for pandas and the like: CSV, or Parquet with its types.

Columns: the claim's id, registered and found status; model, agents, subsample, the other parameters as a JSON object, label;
verdict; ``lower``, ``upper`` and, where it is known, the ``exact`` rational of the two sides, of the trivial bound and of the
slack (bound / actual); reason, worst state, the command that computes the instance again, and how many seconds it took, which is all
that differs between two runs on the same inputs.

Doubles are written so that reading them gives the same double, where the reader is asked to: ``pandas.read_csv(path,
float_precision="round_trip")``. An end that is unbounded or unknown is empty.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Final

from mfverify.errors import ModelError
from mfverify.files import whole_file, write_whole
from mfverify.report.document import read

SIDES: Final = ("actual", "bound", "trivial", "slack")
_TEXTS: Final = ("claim", "registered", "status", "model", "label", "verdict", "parameters", "reason", "worst", "reproduce")
_COUNTS: Final = ("agents", "subsample")


class Format(Enum):
    """How a table is written."""

    CSV = "csv"
    PARQUET = "parquet"


def rows(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row for each instance, in the order of the report. Raises :class:`ModelError` for what is not a report."""
    durations = read(document).durations
    return [
        _row(part, one) | {"seconds": seconds}
        for part in document["claims"]
        for one, seconds in zip(part["instances"], durations.get(part["id"], (None,) * len(part["instances"])), strict=True)
    ]


def write_table(document: Mapping[str, Any], path: Path, written_as: Format) -> None:
    """Write the rows whole or not at all. Raises :class:`ModelError` where Parquet is requested and pyarrow is not installed."""
    found = rows(document)
    if written_as is Format.CSV:
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, _columns(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(found)
        write_whole(path, text.getvalue())
        return
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise ModelError("--to parquet: needs the package pyarrow; pip install 'mfverify[tables]', or take --to csv") from None
    kinds = {name: pa.string() for name in _TEXTS} | {name: pa.int64() for name in _COUNTS}
    schema = pa.schema([(name, kinds.get(name, pa.string() if name.endswith("exact") else pa.float64())) for name in _columns()])
    try:
        table = pa.Table.from_pylist(found, schema=schema)
    except (pa.ArrowException, OverflowError) as error:
        raise ModelError(f"{path}: has no Parquet form ({' '.join(str(error).split())}); take --to csv") from None
    with whole_file(path) as stream:
        parquet.write_table(table, stream)


def _columns() -> list[str]:
    before = ["claim", "registered", "status", "model", "agents", "subsample", "parameters", "label", "verdict"]
    sides = [f"{side}_{end}" for side in SIDES for end in ("lower", "upper", "exact")]
    return [*before, *sides, "reason", "worst", "reproduce", "seconds"]


def _row(part: Mapping[str, Any], one: Mapping[str, Any]) -> dict[str, Any]:
    sides = {f"{side}_{end}": (one[side] or {}).get(end) for side in SIDES for end in ("lower", "upper", "exact")}
    worst = one["details"].get("worst")
    return {
        "claim": part["id"],
        "registered": part["registered"],
        "status": part["status"],
        **{name: one[name] for name in ("model", "agents", "subsample", "label", "verdict", "reason", "reproduce")},
        "parameters": json.dumps(one["parameters"]),
        "worst": None if worst is None else str(worst),
        **sides,
    }
