"""Constrained exploration: agents on a grid clean hazardous cells and are kept inside a box that the global agent moves.

The cells of a ``side x side`` grid are the local states, row by row. The global agent holds the centre of a box of all cells
at most ``reach`` rows and columns away (a ``d x d`` box with ``d = 2 reach + 1``, cut off at the walls) and moves it by one
cell or leaves it. A local agent stays or moves up, down, left or right; a move that leaves the grid or the box ends in the
nearest cell that is in both, and so does an agent whom the box has left behind. All moves are deterministic.

Rewards, as a user of the task would expect them: an agent on a hazardous cell cleans it, the better the nearer the box's
centre, where the equipment is: from ``1`` at the centre down to ``0`` at the far end of the grid, linear in the number of
steps between them. An unsafe cell costs ``1/2``, a step ``1/20``, moving the box ``1/10``. The first and the last cell are
hazardous; the middle row is unsafe where the grid has one (``side`` odd). The task is the paper's second experiment (its
Appendix B); the sizes of boxes and rewards are ours.

Closed form: with the centre and all agents on one hazardous cell no agent needs to move, so the optimal value there is
``1 / (1 - gamma)``.
"""

from __future__ import annotations

from fractions import Fraction

from mfverify.errors import ModelError
from mfverify.model import Model

STEPS = ((0, 0), (-1, 0), (1, 0), (0, -1), (0, 1))
"""Row and column of each action's step: stay, up, down, left, right; the same five for the box and for the agents."""


def exploration(side: int = 2, reach: int | None = None, discount: str | Fraction = "9/10") -> Model:
    """Constrained exploration on a ``side x side`` grid; ``reach`` defaults to half of the side, rounded down.

    With ``reach = 0`` the agents are dragged along with the box; with ``reach >= side - 1``, as by default on
    2 x 2 cells, it does not restrict any agent. Raises
    :class:`~mfverify.errors.ModelError` for a side below 2 or a negative reach.
    """
    if side < 2:
        raise ModelError(f"side: found {side}, expected at least 2")
    reach = side // 2 if reach is None else reach
    if reach < 0:
        raise ModelError(f"reach: found {reach}, expected at least 0")
    cells = [(row, column) for row in range(side) for column in range(side)]
    number = {cell: i for i, cell in enumerate(cells)}
    hazardous = {cells[0], cells[-1]}
    unsafe = {cell for cell in cells if side % 2 == 1 and cell[0] == side // 2}

    def kept(position: tuple[int, int], centre: tuple[int, int]) -> tuple[int, int]:
        """The nearest cell that is on the grid and in the box around ``centre``."""
        row, column = (max(0, c - reach, min(side - 1, c + reach, x)) for x, c in zip(position, centre, strict=True))
        return row, column

    def stepped(cell: tuple[int, int], action: int) -> tuple[int, int]:
        return cell[0] + STEPS[action][0], cell[1] + STEPS[action][1]

    def on_grid(cell: tuple[int, int]) -> tuple[int, int]:
        row, column = (min(side - 1, max(0, x)) for x in cell)
        return row, column

    def point(cell: tuple[int, int]) -> list[int]:
        return [int(i == number[cell]) for i in range(len(cells))]

    actions = range(len(STEPS))

    def cleaned(cell: tuple[int, int], centre: tuple[int, int]) -> Fraction:
        """What an agent on ``cell`` earns for cleaning it."""
        if cell not in hazardous:
            return Fraction(0)
        return 1 - Fraction(abs(cell[0] - centre[0]) + abs(cell[1] - centre[1]), 2 * (side - 1))

    box_move, step, danger = Fraction(1, 10), Fraction(1, 20), Fraction(1, 2)
    return Model(
        [[point(on_grid(stepped(centre, b))) for b in actions] for centre in cells],
        [[[point(kept(stepped(cell, a), centre)) for a in actions] for centre in cells] for cell in cells],
        [[-box_move if b else 0 for b in actions] for _ in cells],
        [
            [[cleaned(cell, centre) - (danger if cell in unsafe else 0) - (step if a else 0) for a in actions] for centre in cells]
            for cell in cells
        ],
        discount=discount,
        name=f"exploration({side}x{side}, reach={reach})",
        documentation=__doc__ or "",
    )
