"""The event log gives back what was appended, whatever its shape."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.core.events import TABLES, EventLog

ROW = {"step": 1, "liquidation": 2, "asset": 0, "loss_micro_usd": 5}


def test_rows_and_columns_stand_in_the_order_of_appending() -> None:
    log = EventLog()
    log.append("socialised", account=7, **ROW)
    log.append("socialised", account=np.array([8, 9]), **ROW | {"loss_micro_usd": [1, 2]})
    log.append("socialised", account=np.array([], np.int64), **ROW)
    log.append("socialised", account=np.int64(3), **ROW | {"step": 2})
    table = log.columns("socialised")
    assert table["account"].tolist() == [7, 8, 9, 3]
    assert table["loss_micro_usd"].tolist() == [5, 1, 2, 5]
    assert table["step"].tolist() == [1, 1, 1, 2]
    assert table["step"].dtype == np.int32


def test_text_is_one_value_however_long() -> None:
    log = EventLog()
    log.append("assets", **{c.name: 1 for c in TABLES["assets"]} | {"name": "BTC", "kind": "spot"})
    assert log.columns("assets")["name"].tolist() == ["BTC"]


def test_an_empty_table_has_its_columns() -> None:
    table = EventLog().columns("adl")
    assert list(table) == [column.name for column in TABLES["adl"]]
    assert all(column.size == 0 for column in table.values())


def test_whole_columns_are_joined_as_the_type_of_the_table() -> None:
    log = EventLog()
    for first in (0, 3):
        rows = np.arange(first, first + 3, dtype=np.int64)
        log.append("positions", account=rows, asset=rows, mode=np.array(["cross"] * 3, object),
                   initial_lots=rows, final_lots=-rows,
                   initial_notional_micro_usd=rows)  # fmt: skip
    columns = log.columns("positions")
    assert columns["asset"].dtype == np.int32
    assert columns["asset"].tolist() == [0, 1, 2, 3, 4, 5]
    assert columns["final_lots"].tolist() == [0, -1, -2, -3, -4, -5]
    assert columns["mode"].tolist() == ["cross"] * 6


def test_columns_of_unequal_length_are_refused() -> None:
    log = EventLog()
    log.append("socialised", account=np.array([1, 2, 3]), **ROW | {"loss_micro_usd": [1, 2]})
    with pytest.raises(ValueError, match="unequal length beside 'loss_micro_usd'"):
        log.columns("socialised")
