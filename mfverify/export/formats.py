"""One verb: write the n-agent system for another tool."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from mfverify.export.drn import EXACT_PROPERTY, PROPERTY, value_offset, write_drn
from mfverify.export.quantecon import write_npz
from mfverify.files import whole_file
from mfverify.rationals import described, written
from mfverify.validation import chosen, positive_integer

if TYPE_CHECKING:
    from mfverify.export.explicit import Extent
    from mfverify.model import Model


class Format(Enum):
    """What to write; the value is the word that users type."""

    DRN = "drn"
    QUANTECON_NPZ = "quantecon-npz"

    @property
    def suffix(self) -> str:
        """How the names of such files end."""
        return ".drn" if self is Format.DRN else ".npz"


@dataclass(frozen=True)
class Exported:
    """What was written: where, in which format, how large, and what to add to a value of ``nonnegative`` rewards."""

    path: Path
    format: Format
    extent: Extent
    value_offset: Fraction

    @property
    def reading(self) -> tuple[str, ...]:
        """How to get ``V*`` out of the file, in a few lines."""
        if self.format is Format.DRN:
            return (
                f"V* is {EXACT_PROPERTY} in Storm's exact engine,",
                f"and {PROPERTY} + ({described(self.value_offset, 200)}) in any engine",
            )
        return (
            "Q = scipy.sparse.load_npz(file), x = numpy.load(file), and V* is the v of",
            'DiscreteDP(x["R"], Q, float(x["beta"]), x["s_indices"], x["a_indices"])',
            '.solve("policy_iteration")',
        )

    def to_json(self) -> dict[str, object]:
        """The record as JSON; the offset is a string such as ``"-15/2"``, and null where the format has no use for it."""
        drn = self.format is Format.DRN
        return {
            "format": self.format.value,
            "file": str(self.path),
            **asdict(self.extent),
            "property": PROPERTY if drn else None,
            "value_offset": written(self.value_offset) if drn else None,
        }


def export_model(model: Model, n: int, path: str | Path | None = None, to: str | Format = Format.DRN) -> Exported:
    """Write the lumped n-agent system (global state and count vector; joint actions with their laws) for another tool.

    Parameters
    ----------
    model
        The system.
    n
        Number of local agents, at least 1.
    path
        Where; by default the model's name and n in the current folder. The file is written whole or not at all.
    to
        ``"drn"`` (Storm, exact rationals, discount as stopping; :mod:`mfverify.export.drn`) or ``"quantecon-npz"`` (doubles;
        :mod:`mfverify.export.quantecon`).

    Returns
    -------
    Exported
        Path, format, size, and in ``reading`` how the other tool gets ``V*`` out of the file.

    Raises
    ------
    ModelError
        n < 1, an unknown format, or a path that cannot be written.
    TooLargeError
        Before any work, with the numbers.

    Examples
    --------
    >>> import tempfile
    >>> from mfverify.models import absorbing
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     exported = export_model(absorbing(), 2, Path(folder) / "system.drn")
    ...     exported.path.name, exported.path.read_text().startswith("//")
    ('system.drn', True)
    """
    n = positive_integer("agents", n)
    form = chosen("to", to, Format)
    target = Path(path) if path is not None else Path(default_name(model, n) + form.suffix)
    write = write_drn if form is Format.DRN else write_npz
    with whole_file(target) as stream:
        size = write(model, n, stream)
    return Exported(target, form, size, value_offset(model))


def default_name(model: Model, n: int) -> str:
    """A file name from a model's name: letters, digits and hyphens only, so that it never leads to another folder."""
    words = re.sub(r"[^A-Za-z0-9]+", "-", model.name).strip("-")[:80] or "model"
    return f"{words}-n{n}"
