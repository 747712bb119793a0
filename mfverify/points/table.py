"""The points of a sweep as a table, one row each: CSV, or Parquet with its types.

Columns: the claim; the axes, each value as a rational text; model, agents, subsample; verdict; ``by``, what the sides come from
(:class:`~mfverify.points.outcome.By`), and ``start`` where it is one start; ``lower``, ``upper`` and, where it is known, the ``exact``
rational of the two sides and the trivial bound; the interval of a simulation with its confidence, which no verdict rests on; the reason;
the command that computes the point again.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from mfverify.errors import ModelError
from mfverify.files import whole_file, write_whole

SIDES: Final = ("actual", "bound", "trivial")
_ENDS: Final = ("lower", "upper", "exact")
_SIMULATED: Final = ("start", "lower", "upper", "confidence", "episodes", "seed")
_WHOLE: Final = ("agents", "subsample", "simulated_episodes", "simulated_seed")
_NUMBERS: Final = ("lower", "upper", "confidence")
SUFFIXES: Final = (".csv", ".parquet")


def rows(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row for each point of a sweep's document, in its order."""
    return [_row(document, one) for one in document["points"]]


def columns(document: Mapping[str, Any]) -> list[str]:
    """The names of the columns; axes are named ``axis_NAME``."""
    axes = [f"axis_{axis['name']}" for axis in document["axes"]]
    sides = [f"{side}_{end}" for side in SIDES for end in _ENDS]
    return [
        "claim",
        *axes,
        "model",
        "agents",
        "subsample",
        "verdict",
        "by",
        "start",
        *sides,
        *(f"simulated_{x}" for x in _SIMULATED),
        "reason",
        "reproduce",
    ]


def check_suffix(path: Path, option: str = "table") -> None:
    """Refuse a table that is neither CSV nor Parquet, and Parquet without pyarrow, before any work."""
    if path.suffix not in SUFFIXES:
        raise ModelError(f"{option}: {path}: found the ending {path.suffix!r}, expected {' or '.join(SUFFIXES)}")
    if path.suffix == ".parquet":
        _pyarrow(option)


def write_table(document: Mapping[str, Any], path: Path) -> None:
    """Write the rows whole or not at all, as the ending of ``path`` says."""
    check_suffix(path)
    found = rows(document)
    names = columns(document)
    if path.suffix == ".csv":
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(found)
        write_whole(path, text.getvalue())
        return
    arrow, parquet = _pyarrow("table")
    schema = arrow.schema([(name, _kind(arrow, name)) for name in names])
    with whole_file(path) as stream:
        parquet.write_table(arrow.Table.from_pylist(found, schema=schema), stream)


def _kind(arrow: Any, name: str) -> Any:
    if name in _WHOLE:
        return arrow.int64()
    return arrow.float64() if name.rpartition("_")[2] in _NUMBERS else arrow.string()


def _pyarrow(option: str) -> tuple[Any, Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise ModelError(f"{option}: Parquet needs the package pyarrow; pip install 'mfverify[tables]', or write .csv") from None
    return pyarrow, parquet


def _row(document: Mapping[str, Any], one: Mapping[str, Any]) -> dict[str, Any]:
    simulated: Mapping[str, Any] = one["simulated"] or {}
    axes: Sequence[Mapping[str, Any]] = document["axes"]
    return {
        "claim": document["claim"],
        **{f"axis_{axis['name']}": one["at"][axis["name"]] for axis in axes},
        **{name: one[name] for name in ("model", "agents", "subsample", "verdict", "by", "start", "reproduce")},
        **{f"{side}_{end}": (one[side] or {}).get(end) for side in SIDES for end in _ENDS},
        **{f"simulated_{name}": simulated.get(name) for name in _SIMULATED},
        "reason": "; ".join(x for x in (one["reason"], simulated.get("reason", "")) if x),
    }
