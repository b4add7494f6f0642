"""128-bit products, bit scans and reading ahead, which kernels need and numba does not offer.

Each stands here as an instruction and as plain Python, which holds when numba is switched off.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import config, types
from numba.core.extending import _Intrinsic

from stresslab.core.compiled import kernel

_LOW_HALF = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_ONE = np.uint64(1)
_ALL = (1 << 64) - 1


class _Instruction(_Intrinsic):  # type: ignore[misc]
    """An intrinsic of compiled kernels that does in interpreted ones what ``plain`` does."""

    def __init__(self, name: str, defn: Any, plain: Callable[..., Any] | None = None) -> None:
        super().__init__(name, defn)
        self._plain = plain

    def __call__(self, *arguments: Any) -> Any:
        return super().__call__() if self._plain is None else self._plain(*arguments)


def _instruction(plain: Callable[..., Any]) -> Callable[[Any], Any]:
    """Make an intrinsic of a function; without compilation it is what ``plain`` does."""

    def choose(define: Any) -> Any:
        if config.DISABLE_JIT:
            return plain
        instruction = _Instruction(define.__name__, define, plain)
        instruction._register()
        return instruction

    return choose


@_instruction(lambda first, second: np.uint64((int(first) * int(second)) >> 64))
def multiply_high(typing_context: Any, first: Any, second: Any) -> Any:
    """Return the upper 64 bits of the 128-bit product of two uint64 (inside kernels only)."""

    def lower(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        wide = ir.IntType(128)
        a, b = (builder.zext(value, wide) for value in arguments)
        high = builder.lshr(builder.mul(a, b), ir.Constant(wide, 64))
        return builder.trunc(high, ir.IntType(64))

    return types.uint64(types.uint64, types.uint64), lower


@_instruction(lambda word: ((int(word) & -int(word)) & _ALL).bit_length() - 1)
def lowest_bit(typing_context: Any, word: Any) -> Any:
    """Return the place (0 .. 63) of the lowest bit set in a 64-bit word that is not zero."""

    def lower(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), lower


@_instruction(lambda word: (int(word) & _ALL).bit_length() - 1)
def highest_bit(typing_context: Any, word: Any) -> Any:
    """Return the place (0 .. 63) of the highest bit set in a 64-bit word that is not zero."""

    def lower(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        zeros = builder.ctlz(arguments[0], ir.Constant(ir.IntType(1), 1))
        return builder.sub(ir.Constant(ir.IntType(64), 63), zeros)

    return types.int64(types.int64), lower


@_instruction(lambda column, place: None)
def fetch_early(typing_context: Any, column: Any, place: Any) -> Any:
    """Ask for the cache line of a column's place to be brought near the processor, into level 2.

    Nothing waits for it and nothing but time depends on it.
    """

    def lower(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(column)(context, builder, arguments[0])
        number, address = ir.IntType(32), ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [address, number, number, number])
        fetch = builder.module.declare_intrinsic("llvm.prefetch", [address], kind)
        line = builder.bitcast(builder.gep(array.data, [arguments[1]]), address)
        reads, level_2, data = number(0), number(2), number(1)
        builder.call(fetch, [line, reads, level_2, data])
        return context.get_dummy_value()

    return types.void(column, types.intp), lower


@kernel
def divide_wide(high: int, low: int, divisor: int) -> tuple[int, int]:
    """Divide the 128-bit number ``high:low`` by a uint64; return quotient and remainder.

    All three are uint64 and ``high < divisor``, so that the quotient fits 64 bits.

    References
    ----------
    Knuth (1997), The Art of Computer Programming 2, algorithm 4.3.1 D, with two 32-bit digits.
    """
    if divisor <= _LOW_HALF:  # one digit, as the unit of rates is: divide as on paper
        tens = (high << _HALF) | (low >> _HALF)
        ones = ((tens % divisor) << _HALF) | (low & _LOW_HALF)
        return ((tens // divisor) << _HALF) | (ones // divisor), ones % divisor
    shift = np.uint64(63 - highest_bit(np.int64(divisor)))
    divisor <<= shift
    if shift > 0:
        high = (high << shift) | (low >> (np.uint64(64) - shift))
    low <<= shift
    upper, rest = _divide_digit(high, low >> _HALF, divisor)
    lower, rest = _divide_digit(rest, low & _LOW_HALF, divisor)
    return (upper << _HALF) | lower, rest >> shift


@kernel
def _divide_digit(rest: int, digit: int, divisor: int) -> tuple[int, int]:
    """Return one 32-bit quotient digit of ``rest:digit`` and the new rest."""
    top, bottom = divisor >> _HALF, divisor & _LOW_HALF
    quotient, left = rest // top, rest % top
    while quotient > _LOW_HALF or quotient * bottom > ((left << _HALF) | digit):
        quotient -= _ONE
        left += top
        if left > _LOW_HALF:
            break
    return quotient, (((rest << _HALF) | digit) - quotient * divisor)
