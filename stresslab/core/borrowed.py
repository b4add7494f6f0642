"""Columns lent to a kernel without counting who holds them.

Numba counts a reference whenever an array is taken out of a tuple or handed to another function,
and where a kernel has several ways out it cannot remove the counting again: it cost the order book
30 ns an order, more than matching did. A kernel that begins with ``columns = borrow(columns)`` is
spared that. The caller holds the arrays while it runs, so nothing can be freed meanwhile; a
borrowed array must not be returned or stored.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic


@intrinsic
def borrow(typing_context: Any, columns: Any) -> Any:
    """Return an array, or a named tuple of arrays, whose holders are not counted."""

    def lower(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _without_owner(context, builder, columns, arguments[0])

    return columns(columns), lower


def _without_owner(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    if isinstance(kind, types.BaseTuple):
        items = [
            _without_owner(context, builder, item, builder.extract_value(value, place))
            for place, item in enumerate(kind)
        ]
        return context.make_tuple(builder, kind, items)
    if not isinstance(kind, types.Array):
        return value
    array = context.make_array(kind)(context, builder, value)
    array.meminfo = cgutils.get_null_value(array.meminfo.type)
    array.parent = cgutils.get_null_value(array.parent.type)
    return array._getvalue()
