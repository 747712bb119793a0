"""How values are looked at: tables, labelled arrays, plots and notebooks. Nothing here computes."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mfverify.counts import count_vectors, number_of_count_vectors
from mfverify.errors import ModelError
from mfverify.notices import in_notebook

if TYPE_CHECKING:
    import pandas
    import xarray

    from mfverify.model import Model
    from mfverify.notation import Floats

_SHOWN_ROWS: Final = 20


def agents_of(shape: tuple[int, ...], size: int) -> int:
    """The number of agents n with ``shape[1]`` count vectors over ``size`` local states. Raises :class:`ModelError` where there is none."""
    if len(shape) == 2:
        n = 1
        while number_of_count_vectors(n, size) < shape[1] and size > 1:
            n += 1
        if number_of_count_vectors(n, size) == shape[1] and size > 1:
            return n
    raise ModelError(
        f"shape {shape} is not that of a value over the count vectors of {size} local states; give the model that it belongs to"
    )


class Readable:
    """Views of an array of enclosed numbers; a base class of :class:`~mfverify.enclosure.Enclosure`."""

    lower: Floats
    upper: Floats

    def to_dataframe(self, model: Model | None = None) -> pandas.DataFrame:
        """One row for each entry: its position, ``lower`` and ``upper``; with its model the global state and the counts of local states.

        Raises :class:`ModelError` without pandas, and for a model of other sizes.
        """
        try:
            import pandas
        except ImportError:
            raise ModelError("to_dataframe: needs the package pandas; pip install 'mfverify[frames]'") from None
        index = np.indices(self.lower.shape).reshape(self.lower.ndim, -1)
        columns: dict[str, Any] = {f"axis_{i}": place for i, place in enumerate(index)}
        if model is not None:
            rows = count_vectors(agents_of(self.lower.shape, model.sizes[2]), model.sizes[2])
            columns = {"global": index[0], **{f"count_{s}": rows[index[1], s] for s in range(model.sizes[2])}}
        return pandas.DataFrame({**columns, "lower": self.lower.ravel(), "upper": self.upper.ravel()})

    def to_xarray(self, model: Model | None = None) -> xarray.Dataset:
        """A dataset with the variables ``lower`` and ``upper``; with its model the axes are named, and counts are coordinates.

        Raises :class:`ModelError` without xarray, and for a model of other sizes.
        """
        try:
            import xarray
        except ImportError:
            raise ModelError("to_xarray: needs the package xarray; pip install 'mfverify[frames]'") from None
        if model is None:
            names, coordinates = tuple(f"axis_{i}" for i in range(self.lower.ndim)), {}
        else:
            rows = count_vectors(agents_of(self.lower.shape, model.sizes[2]), model.sizes[2])
            names, coordinates = ("global", "rank"), {f"count_{s}": ("rank", rows[:, s]) for s in range(model.sizes[2])}
        return xarray.Dataset({"lower": (names, self.lower), "upper": (names, self.upper)}, coordinates)

    def plot(self, axes: Any = None) -> Any:
        """Draw the bands between ``lower`` and ``upper``, a line for each first index; on matplotlib axes, new ones by default; these are returned.

        In a notebook new axes are shown below the cell.
        """
        if axes is None and in_notebook():
            from matplotlib import pyplot  # whose figures a notebook shows

            axes = pyplot.subplots(layout="constrained")[1]
        elif axes is None:
            from matplotlib.figure import Figure

            axes = Figure(layout="constrained").add_subplot()
        lower, upper = (np.atleast_2d(x).reshape(self.lower.shape[0] if self.lower.ndim > 1 else 1, -1) for x in (self.lower, self.upper))
        for i, (low, high) in enumerate(zip(lower, upper, strict=True)):
            places = np.arange(len(low))
            axes.fill_between(places, low, high, alpha=0.3)
            axes.plot(places, low / 2 + high / 2, label=f"global state {i}" if len(lower) > 1 else None)
        axes.set_xlabel("rank of the count vector")
        axes.set_ylabel("value")
        if len(lower) > 1:
            axes.legend()
        return axes

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        """Refused: one array would silently lose the other bound."""
        del dtype, copy
        raise ModelError("an enclosure is two arrays; take .lower, .upper, or .midpoint, which is an estimate")

    __array_ufunc__ = None  # numpy leaves arithmetic with an enclosure to it

    def _repr_html_(self) -> str:
        """In a notebook: the first entries."""
        rows = [
            (", ".join(map(str, index)), repr(float(self.lower[index])), repr(float(self.upper[index]))) for index, _ in _first(self.lower)
        ]
        more = f"<p>{self.lower.size - len(rows)} more</p>" if self.lower.size > len(rows) else ""
        return table(("entry", "lower", "upper"), rows) + more


def _first(values: Floats) -> list[tuple[tuple[int, ...], float]]:
    return [entry for entry, _ in zip(np.ndenumerate(values), range(_SHOWN_ROWS), strict=False)]


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """An HTML table of texts."""
    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
