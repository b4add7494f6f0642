"""A delayed engine closes pools at exponential times after their breach, and not before."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from stresslab.core.random import Streams
from stresslab.liquidation.execution_delay import ExecutionDelay
from tests.markets import fall, market, people, run


def crowd(delay: float, **changes: Any) -> dict[str, Any]:
    """Return forty longs that one fall puts in breach, none of them bankrupt."""
    longs = people(*[(14.5, {"BTC": 1})] * 40)
    shorts = people((9000.0, {"BTC": -40}))
    return market({"longs": longs, "shorts": shorts}, duration_seconds=60.0,
                  market__shocks={"s": fall(0.12)}, margin__cross__closure={"kind": "whole"},
                  liquidation__execution_delay_seconds=delay, **changes)  # fmt: skip


def steps_waited(tables: dict[str, dict[str, np.ndarray]]) -> np.ndarray:
    breached = dict(zip(tables["liquidations"]["liquidation"].tolist(),
                        tables["liquidations"]["step"].tolist(), strict=True))  # fmt: skip
    forced = tables["forced_orders"]
    began = np.array([breached[number] for number in forced["liquidation"].tolist()])
    return np.asarray(forced["step"] - began)


def test_without_a_delay_pools_are_closed_at_once() -> None:
    waited = steps_waited(run(crowd(0.0)))
    assert waited.tolist() == [0] * 40


def test_with_a_delay_they_wait() -> None:
    tables = run(crowd(5.0))
    assert tables["liquidations"]["step"].tolist() == [2] * 40
    waited = steps_waited(tables)
    assert waited.size == 40
    assert waited.min() >= 1
    assert len(set(waited.tolist())) > 5
    assert waited.mean() == pytest.approx(5.5, abs=4 * 5 / np.sqrt(40))


def test_whose_time_has_not_come_stays_in_breach() -> None:
    tables = run(crowd(1e6))
    assert tables["liquidations"]["outcome"].tolist() == ["open"] * 40
    assert tables["forced_orders"]["order"].size == 0


def test_waits_are_exponential_and_no_pool_is_due_before() -> None:
    ids = np.arange(4000)
    delay = ExecutionDelay(5.0, ids, 3 * ids.size, 0.001, Streams(3, 0))
    codes = ids.size + ids  # the first asset's isolated pools
    delay.breached(10, codes)
    due = [delay.due(10 + step, codes).size / ids.size for step in (0, 3466, 5000, 10_000)]
    assert due[0] == 0.0
    expected = 1 - np.exp(-np.array([3.466, 5.0, 10.0]) / 5.0)
    np.testing.assert_allclose(due[1:], expected, atol=4 * 0.5 / np.sqrt(ids.size))


def test_no_delay_keeps_nobody() -> None:
    delay = ExecutionDelay(0.0, np.arange(3), 6, 1.0, Streams(3, 0))
    delay.breached(1, np.array([0, 2]))
    assert delay.due(1, np.array([0, 2])).tolist() == [0, 2]
