"""Four numbers in one register, for compiled loops: the same operation on four rows at once.

The compiler makes vector instructions of long loops by itself, but not of short ones, and not where a value is carried from
one entry to the next. So the loops of ``rows.py`` say which four numbers belong together: an array of *lanes* holds position ``p``
of four rows at ``4 p .. 4 p + 3``, and an operation here is one operation of each of the four. A multiplication and an addition may
be contracted into one rounding; nothing else is reassociated, and not-a-number is excluded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic, models, register_model

LANES: Final = 4
"""Numbers in a register of 256 bits; for machines with other registers the compiler puts together or takes apart."""

_VECTOR: Final = ir.VectorType(ir.DoubleType(), LANES)
_INDICES: Final = ir.VectorType(ir.IntType(64), LANES)
_FLAGS: Final = ("contract", "nnan", "nsz")


class _FourType(types.Type):
    """Four doubles; they exist inside compiled functions only."""

    def __init__(self) -> None:
        super().__init__(name="Four")


@register_model(_FourType)
class _FourModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, numba_type: Any) -> None:
        super().__init__(manager, numba_type, _VECTOR)


_FOUR: Final = _FourType()


def _address(context: Any, builder: Any, array_type: Any, array: Any, position: Any) -> Any:
    """Where the four numbers of a position begin."""
    start = builder.mul(position, ir.Constant(position.type, LANES))
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [start]), _VECTOR.as_pointer())


def _spread(builder: Any, x: Any, vector: Any) -> Any:
    four = ir.Constant(vector, ir.Undefined)
    for lane in range(LANES):
        four = builder.insert_element(four, x, ir.Constant(ir.IntType(32), lane))
    return four


@intrinsic
def load(typing: Any, array: Any, position: Any) -> Any:
    """The four numbers at a position of a contiguous array of lanes."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        return builder.load(_address(context, builder, signature.args[0], *given), align=8)

    return _FOUR(array, types.intp), generate


@intrinsic
def store(typing: Any, array: Any, position: Any, four: Any) -> Any:
    """Write four numbers to a position of a contiguous array of lanes."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        builder.store(given[2], _address(context, builder, signature.args[0], *given[:2]), align=8)
        return context.get_dummy_value()

    return types.none(array, types.intp, _FOUR), generate


@intrinsic
def spread(typing: Any, x: Any) -> Any:
    """The same number four times."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        return _spread(builder, given[0], _VECTOR)

    return _FOUR(types.float64), generate


@intrinsic
def multiply_add(typing: Any, a: Any, x: Any, y: Any) -> Any:
    """``a x + y``, in one rounding or two."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        return builder.fadd(builder.fmul(given[0], given[1], flags=_FLAGS), given[2], flags=_FLAGS)

    return _FOUR(_FOUR, _FOUR, _FOUR), generate


@intrinsic
def plus(typing: Any, x: Any, y: Any) -> Any:
    """``x + y``."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        return builder.fadd(*given, flags=_FLAGS)

    return _FOUR(_FOUR, _FOUR), generate


def _extreme(name: str) -> Callable[..., Any]:
    """The vector form of one of LLVM's ``maxnum`` and ``minnum``.

    Not a comparison and a selection: of one that is written back the compiler makes a masked store, which some machines do slowly.
    """

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        kind = ir.FunctionType(_VECTOR, [_VECTOR, _VECTOR])
        function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.{name}.v{LANES}f64")
        return builder.call(function, given, fastmath=_FLAGS)

    return generate


@intrinsic
def larger(typing: Any, x: Any, y: Any) -> Any:
    """``max(x, y)``."""
    return _FOUR(_FOUR, _FOUR), _extreme("maxnum")


@intrinsic
def smaller(typing: Any, x: Any, y: Any) -> Any:
    """``min(x, y)``."""
    return _FOUR(_FOUR, _FOUR), _extreme("minnum")


@intrinsic
def where_larger(typing: Any, x: Any, y: Any, four: Any) -> Any:
    """``four`` where ``x > y``, 0 elsewhere."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        return builder.select(builder.fcmp_ordered(">", given[0], given[1], flags=_FLAGS), given[2], ir.Constant(_VECTOR, [0.0] * LANES))

    return _FOUR(_FOUR, _FOUR, _FOUR), generate


@intrinsic
def first_lanes(typing: Any, count: Any, x: Any, y: Any) -> Any:
    """The first ``count`` lanes of ``x``, the others of ``y``."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        inside = builder.icmp_signed("<", ir.Constant(_INDICES, list(range(LANES))), _spread(builder, given[0], _INDICES))
        return builder.select(inside, given[1], given[2])

    return _FOUR(types.int64, _FOUR, _FOUR), generate
