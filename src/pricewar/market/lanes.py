# ruff: noqa: ARG001, ARG002 - Numba reads the arguments' names, used or not
"""Eight numbers at once, for the market's compiled pass.

Compiled, a value of this kind is one vector of eight doubles, which the processor adds, multiplies and
divides in one or a few instructions; not compiled (NUMBA_DISABLE_JIT), it is a NumPy array of eight. `load`
and `store` move it from and to the rows of a C-contiguous array of two dimensions; + − × ÷ work between two
of them and with a number. Products may be fused with sums.

Exponential and logarithm are within two units in the last place: reduction by powers of two (Cody and
Waite 1980), then Taylor's series and that of the inverse hyperbolic tangent. Numba's cache does not notice
an edit here: touch the files that use it.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from llvmlite import ir
from numba import extending, types
from numba.core import cgutils
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import models

WIDTH = 8

numba: Any = extending  # neither has types of its own
known: Any = infer_global
_DOUBLES, _BITS = ir.VectorType(ir.DoubleType(), WIDTH), ir.VectorType(ir.IntType(64), WIDTH)


class Lanes(types.Type):
    """Numba's type of eight doubles."""

    def __init__(self) -> None:
        super().__init__("Lanes")


eight = Lanes()


@numba.register_model(Lanes)
class _Model(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _DOUBLES)


def _repeat(builder: Any, value: Any) -> Any:
    one = builder.insert_element(ir.Constant(_DOUBLES, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    pattern = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
    return builder.shuffle_vector(one, ir.Constant(_DOUBLES, ir.Undefined), pattern)


@numba.lower_cast(types.Number, Lanes)
def _from_number(context: Any, builder: Any, was: Any, kind: Any, value: Any) -> Any:
    return _repeat(builder, context.cast(builder, value, was, types.float64))


def _operator(names: tuple[Any, ...], instruction: str) -> None:
    """Numba knows an operator of two, one of them perhaps a number, as the instruction."""

    class Template(AbstractTemplate):
        def generic(self, args: Any, kws: Any) -> Any:
            fit = all(a == eight or isinstance(a, types.Number) for a in args)
            return signature(eight, eight, eight) if len(args) == 2 and eight in args and fit else None

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return getattr(builder, instruction)(*args, flags=("contract",))

    for name in names:
        known(name)(Template)
        numba.lower_builtin(name, eight, eight)(lower)


_operator((operator.add, operator.iadd), "fadd")
_operator((operator.sub, operator.isub), "fsub")
_operator((operator.mul, operator.imul), "fmul")
_operator((operator.truediv, operator.itruediv), "fdiv")


def _place(context: Any, builder: Any, kind: Any, array: Any, row: Any, at: Any) -> Any:
    """Where eight stand in a C-contiguous array of two dimensions."""
    struct = context.make_array(kind)(context, builder, array)
    offset = builder.add(builder.mul(row, builder.extract_value(struct.shape, 1)), at)
    return builder.bitcast(builder.gep(struct.data, [offset]), _DOUBLES.as_pointer())


@numba.intrinsic
def _load(typing: Any, array: Any, row: Any, at: Any) -> Any:
    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.load(_place(context, builder, sig.args[0], *args), align=8)

    return eight(array, types.intp, types.intp), code


@numba.intrinsic
def _store(typing: Any, array: Any, row: Any, at: Any, value: Any) -> Any:
    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        builder.store(args[3], _place(context, builder, sig.args[0], *args[:3]), align=8)
        return context.get_dummy_value()

    return types.void(array, types.intp, types.intp, eight), code


@numba.intrinsic
def _spread(typing: Any, value: Any) -> Any:
    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return _repeat(builder, args[0])

    return eight(types.float64), code


@numba.intrinsic
def _total(typing: Any, value: Any) -> Any:
    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        kind = ir.FunctionType(ir.DoubleType(), [ir.DoubleType(), _DOUBLES])
        name = f"llvm.vector.reduce.fadd.v{WIDTH}f64"
        sums = cgutils.get_or_insert_function(builder.module, kind, name)
        return builder.call(sums, [ir.Constant(ir.DoubleType(), -0.0), args[0]], fastmath=("reassoc",))

    return types.float64(eight), code


@numba.intrinsic
def _choose(typing: Any, sign: Any, yes: Any, no: Any) -> Any:
    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        above = builder.fcmp_ordered(">", args[0], ir.Constant(_DOUBLES, [0.0] * WIDTH))
        return builder.select(above, args[1], args[2])

    return eight(eight, eight, eight), code


@numba.intrinsic
def _power(typing: Any, k: Any) -> Any:
    """2**k; k as it stands in the last bits of k + 1.5 × 2**52."""

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        whole = builder.bitcast(args[0], _BITS)
        shifted = builder.shl(whole, ir.Constant(_BITS, [52] * WIDTH))
        return builder.bitcast(builder.add(shifted, ir.Constant(_BITS, [1023 << 52] * WIDTH)), _DOUBLES)

    return eight(eight), code


@numba.intrinsic
def _fraction(typing: Any, x: Any) -> Any:
    """x over its power of two, between √½ and √2."""

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        bits = builder.sub(builder.bitcast(args[0], _BITS), ir.Constant(_BITS, [_ROOT] * WIDTH))
        kept = builder.and_(bits, ir.Constant(_BITS, [(1 << 52) - 1] * WIDTH))
        return builder.bitcast(builder.add(kept, ir.Constant(_BITS, [_ROOT] * WIDTH)), _DOUBLES)

    return eight(eight), code


@numba.intrinsic
def _exponent(typing: Any, x: Any) -> Any:
    """The power of two that `_fraction` leaves out."""

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        bits = builder.sub(builder.bitcast(args[0], _BITS), ir.Constant(_BITS, [_ROOT] * WIDTH))
        return builder.sitofp(builder.ashr(bits, ir.Constant(_BITS, [52] * WIDTH)), _DOUBLES)

    return eight(eight), code


_ROOT = 0x3FE6A09E667F3BCD  # the bits of √½
_MAGIC = 6755399441055744.0  # 1.5 × 2**52: adding it rounds to a whole number
_LOG2E = 1.4426950408889634
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10


class _Eight(np.ndarray):
    """A NumPy array of eight that, like the compiled value, is never changed in place."""

    def __iadd__(self, other: Any) -> Any:
        return self + other

    def __isub__(self, other: Any) -> Any:
        return self - other

    def __imul__(self, other: Any) -> Any:
        return self * other

    def __itruediv__(self, other: Any) -> Any:
        return self / other


def load(array: Any, row: int, at: int) -> Any:
    """Eight numbers of a row, from `at` on."""
    return array[row, at : at + WIDTH].copy().view(_Eight)


def store(array: Any, row: int, at: int, value: Any) -> None:
    """Put the eight into a row, from `at` on."""
    array[row, at : at + WIDTH] = value


def spread(x: float) -> Any:
    """One number eight times."""
    return np.full(WIDTH, x).view(_Eight)


def total(value: Any) -> float:
    """Their sum, in an order that is not said."""
    return float(value.sum())


def choose(sign: Any, yes: Any, no: Any) -> Any:
    """`yes` where sign > 0, else `no`."""
    return np.where(sign > 0.0, yes, no).view(_Eight)


def exp(x: Any) -> Any:
    """e**x; beyond ±708 as at ±708."""
    return np.exp(np.clip(x, -708.0, 708.0))


def log(x: Any) -> Any:
    """ln x for normal positive x."""
    return np.log(x)


@numba.overload(load, strict=False)
def _(array: Any, row: Any, at: Any) -> Any:
    return lambda array, row, at: _load(array, row, at)


@numba.overload(store, strict=False)
def _(array: Any, row: Any, at: Any, value: Any) -> Any:
    return lambda array, row, at, value: _store(array, row, at, value)


@numba.overload(spread, strict=False)
def _(x: Any) -> Any:
    return lambda x: _spread(x)


@numba.overload(total, strict=False)
def _(value: Any) -> Any:
    return lambda value: _total(value)


@numba.overload(choose, strict=False)
def _(sign: Any, yes: Any, no: Any) -> Any:
    return lambda sign, yes, no: _choose(sign, yes, no)


@numba.overload(exp, strict=False)
def _(x: Any) -> Any:
    if x != eight:
        return None

    def code(x: Any) -> Any:
        x = _choose(-708.0 - x, -708.0, _choose(x - 708.0, 708.0, x))
        y = x * _LOG2E + _MAGIC
        k = y - _MAGIC
        r = (x - k * _LN2_HIGH) - k * _LN2_LOW
        r2 = r * r
        r4 = r2 * r2
        a = (0.5 + r * (1 / 6)) + r2 * (1 / 24 + r * (1 / 120))
        b = (1 / 720 + r * (1 / 5040)) + r2 * (1 / 40320 + r * (1 / 362880))
        c = (1 / 3628800 + r * (1 / 39916800)) + r2 * (1 / 479001600 + r * (1 / 6227020800))
        return (1.0 + (r + r2 * (a + r4 * (b + r4 * c)))) * _power(y)

    return code


@numba.overload(log, strict=False)
def _(x: Any) -> Any:
    if x != eight:
        return None

    def code(x: Any) -> Any:
        f, k = _fraction(x), _exponent(x)
        z = (f - 1.0) / (f + 1.0)
        q = z * z
        q2 = q * q
        q4 = q2 * q2
        a = (1 / 3 + q * (1 / 5)) + q2 * (1 / 7 + q * (1 / 9))
        b = (1 / 11 + q * (1 / 13)) + q2 * (1 / 15 + q * (1 / 17))
        c = (1 / 19 + q * (1 / 21)) + q2 * (1 / 23)
        s = q * (a + q4 * (b + q4 * c))
        return k * _LN2_HIGH + (k * _LN2_LOW + 2.0 * (z + z * s))

    return code
