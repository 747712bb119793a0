"""The report of a run, as one HTML page rendered from the stored document alone.

The schema of the document is described in :mod:`mfverify.report.document`.
"""

from typing import Any

__all__ = ["render"]


def __getattr__(name: str) -> Any:
    """Load ``render`` on first use: a run that only looks up certificates does not need the plots."""
    if name == "render":
        from mfverify.report.page import render

        return render
    raise AttributeError(f"module 'mfverify.report' has no attribute {name!r}")
