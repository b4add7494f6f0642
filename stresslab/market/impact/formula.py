"""The formula of an impact law, as kernels call it: by where it stands.

numba can hand a compiled function to a kernel, but looks it up through Python at every call, which
takes longer than most kernels do. A number costs nothing, and kernels are the same for all laws.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numba import cfunc, config, types
from numba.core import cgutils
from numba.extending import intrinsic, overload

_SHAPE = types.Array(types.float64, 1, "C")
_FORMULA = types.float64(types.float64, _SHAPE)
_FORMULAS: dict[int, Callable[..., float]] = {}  # by where they stand; it keeps them alive


@cache
def formula_of(formula: Callable[..., float]) -> np.ndarray:
    """Return where a law's ``displacement`` stands once compiled, shape ``(1,)``.

    The formula is kept on disk beside its own file: an edited or a new law compiles itself and
    nothing else.
    """
    if config.DISABLE_JIT:
        place, made = len(_FORMULAS), formula
    else:
        made = cfunc(_FORMULA, cache=True)(formula)
        place = made.address
    _FORMULAS[place] = made
    return np.array([place], np.int64)


def displacement(law: np.ndarray, x: float, shape: np.ndarray) -> float:
    """Return f(x), the log of price over index, of the law that stands at ``law[0]``."""
    return _FORMULAS[int(law[0])](x, shape)


@overload(displacement)  # what kernels call instead
def _displacement(law, x, shape):
    return lambda law, x, shape: _formula_at(law[0])(x, shape)


@intrinsic
def _formula_at(_: Any, place: Any) -> Any:
    """Return the function that stands at an address."""

    def look_up(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        formula = cgutils.create_struct_proxy(signature.return_type)(context, builder)
        formula.c_addr = builder.inttoptr(arguments[0], cgutils.voidptr_t)
        return formula._getvalue()

    return types.FunctionType(_FORMULA)(place), look_up
