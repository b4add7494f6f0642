"""Published examples of Paradex, run through the engine on its pack."""

from __future__ import annotations

import numpy as np

from stresslab.margin.acceptance import reserve
from stresslab.market.funding import funding_rate
from tests.reference.venues.engine import VECTORS, EngineAccount, Position, rules_of

MICRO = 1_000_000


def test_open_orders_hold_back_initial_margin_of_the_larger_side():
    """The pack's BTC has the example's rate: 2 %, 50 x."""
    vector = VECTORS["paradex-imr"]
    given = vector["inputs"]
    account = EngineAccount(
        "paradex", {"BTC": Position(given["position"], given["mark"])}, 1e4, "cross"
    )
    buys, sells = (round(given[name] * 100) for name in ("buy_orders", "sell_orders"))
    held = reserve(account.accounts, account.tables, account.marks, 0, 0, buys, sells)
    assert held == vector["expected"]["imr"] * MICRO
    assert reserve(account.accounts, account.tables, account.marks, 0, 0, 0, 0) == 1800 * MICRO


def test_the_funding_rate_of_the_worked_example():
    vector = VECTORS["paradex-funding"]
    given = vector["inputs"]
    rules = rules_of("paradex", ["BTC"]).market.funding
    assert (rules.interest_rate, rules.clamp, rules.cap) == (
        given["interest"], given["clamp"], given["cap"],
    )  # fmt: skip
    assert np.isclose(funding_rate(given["premium"], rules), vector["expected"]["rate"], rtol=1e-12)


def test_the_cut_is_the_page_s_and_aims_at_90_percent():
    rules = rules_of("paradex", ["BTC"])
    assert rules.margin.cross.closure.multiple_of == 0.2
    assert rules.liquidation.liquidation_target == 0.9
