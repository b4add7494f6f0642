"""The venue knows whether it has any price to watch."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.margin.stops import StopBook, are_watched


@pytest.mark.parametrize("field", [None, "stop_ticks", "take_profit_ticks", "waiting_ticks"])
@pytest.mark.parametrize("ticks", [1, -1, 1 << 40])
def test_a_price_anywhere_is_watched(field: str | None, ticks: int) -> None:
    levels = {name: np.zeros((3, 50), np.int64) for name in StopBook._fields[:3]}
    book = StopBook(**levels, stop_trigger=np.zeros(50, np.int64), stop_offset=np.zeros(50))
    if field is not None:
        getattr(book, field)[2, 49] = ticks
    assert are_watched(book) == (field is not None)
