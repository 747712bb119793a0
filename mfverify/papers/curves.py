"""Curves for the reader of a report: lines of certified values against a number."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Any

from mfverify.enclosure import Interval, round_down, round_up


def line(label: str, intervals: Sequence[Interval]) -> dict[str, Any]:
    """A line of a curve on a logarithmic scale; points that may be zero are left out."""
    ends = [(round_down(x.lower), round_up(x.upper)) if x.lower > 0 else (None, None) for x in intervals]
    return {"label": label, "lower": [lower for lower, _ in ends], "upper": [upper for _, upper in ends]}


def order(label: str, first: float, x: Sequence[int]) -> dict[str, Any]:
    """The order ``1/sqrt(x)`` through the first point, for the eye."""
    shape = [first * sqrt(x[0] / point) for point in x]
    return {"label": f"order 1/sqrt({label}), fitted at the first point", "lower": shape, "upper": shape}


def curve(title: str, x_label: str, y_label: str, x: Sequence[int], series: list[dict[str, Any]]) -> dict[str, Any]:
    """A curve on a logarithmic scale, as a report draws it."""
    return {"title": title, "x_label": x_label, "y_label": y_label, "scale": "log", "x": list(x), "series": series}
