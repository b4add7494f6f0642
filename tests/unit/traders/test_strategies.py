"""Each strategy's rule on numbers worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from stresslab.core.columns import CANCEL_ALL, IOC, LIMIT, MARKET, POST_ONLY, QUOTE, make_accounts
from stresslab.core.declarations import build
from stresslab.core.events import CROSS, FLAT, ISOLATED
from stresslab.traders.choice.fixed_share import FixedShare
from stresslab.traders.group import Group
from stresslab.traders.state import NOT_PLANNED, make_columns
from stresslab.traders.strategies import STRATEGIES
from stresslab.traders.trader import Order
from tests.toy_traders import draws_of, random_market

MICRO = 10**6
CANCEL = Order(0, CANCEL_ALL, 0, tag=QUOTE)


def _trader(kind: str, held: int = 0, **parameters: Any) -> Any:
    """Return one trader of 10,000 USD in one perpetual: 10,000 ticks, a lot worth 10 USD."""
    group = _group(kind, parameters)
    group.accounts.position[0, 0] = held
    group.accounts.wallet[0] = 10_000 * MICRO - held * 10 * MICRO
    return group.trader(0)


def _group(kind: str, parameters: dict[str, Any]) -> Group:
    market = random_market(np.random.default_rng(0))
    market.step[0] = 7
    market.index[:], market.mark[:] = 10_000, 10_000
    market.best_bid[:], market.best_ask[:] = -1, -1
    market.unit_value[:], market.trend[:] = 1_000, 0.0
    market.volatility[:], market.normal_volatility[:] = 1e-4, 1e-4
    columns = make_columns(1, 4)
    columns.trades[0], columns.n_traded[:] = 1, 1
    strategy = STRATEGIES[kind]
    return Group(
        name="group",
        kind=kind,
        parameters=build(strategy.Parameters, parameters),
        choice=FixedShare(cross_share=1.0),
        accounts=make_accounts(1, 4),
        columns=columns,
        market=market,
        lot_value=market.mark * market.unit_value,
        step_seconds=1.0,
        members=np.zeros(1, np.int64),
    )


def _decide(trader: Any) -> list[Order]:
    return trader.decide(trader.group.market, draws_of(trader.group).of(trader.unique_id))


MAKER = {
    "half_spread": 0.001,
    "level_spacing": 0.002,
    "n_levels": 2,
    "quote_size": 0.1,
    "size_growth": 1.0,
    "inventory_limit": 0.5,
    "dispersion": 0.0,
}


def test_a_maker_quotes_levels_around_the_mark() -> None:
    # 10 % of 10,000 USD is 100 lots, the second level 200.
    assert _decide(_trader("market_maker", **MAKER)) == [
        CANCEL,
        Order(0, POST_ONLY, 100, 9_990, tag=QUOTE),
        Order(0, POST_ONLY, -100, 10_010, tag=QUOTE),
        Order(0, POST_ONLY, 200, 9_970, tag=QUOTE),
        Order(0, POST_ONLY, -200, 10_030, tag=QUOTE),
    ]


def test_a_maker_stays_within_its_inventory_limit_and_leans_against_it() -> None:
    # The limit is 500 lots; 450 long leaves 50 to buy, and shifts both sides down by 0.09 %.
    orders = _decide(_trader("market_maker", held=450, **MAKER))
    assert orders == [
        CANCEL,
        Order(0, POST_ONLY, 50, 9_981, tag=QUOTE),
        Order(0, POST_ONLY, -100, 10_001, tag=QUOTE),
        Order(0, POST_ONLY, -200, 10_021, tag=QUOTE),
    ]


def test_a_maker_never_crosses_the_book() -> None:
    trader = _trader("market_maker", **{**MAKER, "n_levels": 1})
    trader.group.market.best_ask[0] = 9_980
    trader.group.market.best_bid[0] = 9_975
    assert [order.price for order in _decide(trader)[1:]] == [9_979, 10_010]


def test_a_maker_follows_the_index_by_its_anchor() -> None:
    trader = _trader("market_maker", **{**MAKER, "n_levels": 1, "anchor": 0.25})
    trader.group.market.index[0] = 9_600  # fair 9,900
    assert [order.price for order in _decide(trader)[1:]] == [9_890, 9_910]


def test_a_maker_widens_with_volatility_then_withdraws() -> None:
    trader = _trader("market_maker", **{**MAKER, "n_levels": 1, "withdraw_at": 4.0})
    trader.group.market.volatility[0] = 3e-4
    assert [order.price for order in _decide(trader)[1:]] == [9_970, 10_030]
    trader.group.market.volatility[0] = 5e-4
    assert _decide(trader) == [CANCEL]


def test_a_bankrupt_maker_only_withdraws() -> None:
    trader = _trader("market_maker", **MAKER)
    trader.accounts.wallet[0] = -1
    assert _decide(trader) == [CANCEL]


def test_noise_has_mean_zero_and_both_kinds_of_orders() -> None:
    trader = _trader("noise", order_size=0.02)
    signs, kinds, lots = [], set(), []
    for step in range(1_000):
        trader.group.market.step[0] = step
        for order in _decide(trader):
            signs.append(np.sign(order.lots))
            kinds.add(order.kind)
            lots.append(abs(order.lots))
    assert len(signs) > 900
    assert kinds == {MARKET, IOC}
    assert abs(np.mean(signs)) < 4 / np.sqrt(len(signs))
    assert np.mean(lots) == pytest.approx(20, abs=2)


def test_noise_beyond_its_limit_turns_back() -> None:
    trader = _trader("noise", held=1_000)
    orders = []
    for step in range(100):
        trader.group.market.step[0] = step
        orders += _decide(trader)
    assert len(orders) > 80
    assert all(order.lots < 0 for order in orders)


def test_momentum_follows_a_trend_and_leaves_when_it_fades() -> None:
    rule = {"threshold_per_minute": 0.006, "exit_share": 0.5, "speed": 0.5, "dispersion": 0.0}
    trader = _trader("momentum", held=100, **rule)
    market = trader.group.market
    market.trend[0] = -0.00011  # -0.66 % a minute; the target is -1,000 lots
    assert _decide(trader) == [Order(0, MARKET, -550)]
    market.trend[0] = -0.00007  # between exit and entry
    assert _decide(trader) == []
    market.trend[0] = 0.00001
    assert _decide(trader) == [Order(0, MARKET, -50, reduce_only=1)]


DIP = {
    "threshold": 0.02,
    "order_size": 0.1,
    "bid_levels": 2,
    "ask_levels": 1,
    "ladder_spacing": 0.05,
    "ladder_size": 0.6,
    "dispersion": 0.0,
}


def test_a_dip_buyer_rests_a_ladder_far_from_the_mark() -> None:
    # 60 % of equity is 600 lots; the limit at leverage 1 is 1,000.
    assert _decide(_trader("fundamental", **DIP)) == [
        CANCEL,
        Order(0, LIMIT, 600, 9_800, tag=QUOTE),
        Order(0, LIMIT, 400, 9_300, tag=QUOTE),
        Order(0, LIMIT, -600, 10_200, tag=QUOTE),
    ]


def test_a_dip_buyer_buys_below_the_index_up_to_its_threshold() -> None:
    trader = _trader("fundamental", **{**DIP, "bid_levels": 0, "ask_levels": 0})
    trader.group.market.mark[0] = 9_700
    assert _decide(trader) == [Order(0, IOC, 103, 9_800)]
    trader.group.market.mark[0] = 10_300
    assert _decide(trader) == [Order(0, IOC, -97, 10_200)]


def test_a_speculator_waits_then_opens_at_its_leverage_with_a_stop() -> None:
    trader = _trader("leveraged_speculator", entry_probability=1.0, share_long=1.0)
    columns, market = trader.columns, trader.group.market
    columns.leverage[0], columns.stop_distance[0] = 10.0, 0.5
    columns.reentry_step[0, 0] = NOT_PLANNED

    assert _decide(trader) == []
    assert columns.reentry_step[0, 0] > market.step[0]

    market.step[0] = columns.reentry_step[0, 0]
    assert _decide(trader) == [Order(0, MARKET, 10_000)]
    assert columns.stop_ticks[0, 0] == 9_500
    assert columns.reentry_step[0, 0] == NOT_PLANNED


def test_a_short_speculators_stop_lies_above() -> None:
    trader = _trader("leveraged_speculator", entry_probability=1.0, share_long=0.0)
    trader.columns.leverage[0], trader.columns.stop_distance[0] = 4.0, 0.5
    assert _decide(trader) == [Order(0, MARKET, -4_000)]
    assert trader.columns.stop_ticks[0, 0] == 11_250


def test_waiting_time_has_the_stated_mean() -> None:
    trader = _trader("leveraged_speculator", reentry_seconds=100.0)
    waits = []
    for step in range(3_000):
        trader.columns.reentry_step[0, 0] = NOT_PLANNED
        trader.group.market.step[0] = step
        _decide(trader)
        waits.append(trader.columns.reentry_step[0, 0] - step)
    assert np.mean(waits) == pytest.approx(100.5, abs=4 * 100 / np.sqrt(3_000))


def test_a_pair_cuts_the_leg_that_was_left_naked() -> None:
    trader = _trader("hedger", held=300)
    trader.columns.first_leg[0], trader.columns.second_leg[0] = 1, 0
    trader.accounts.position[1, 0] = -100
    assert _decide(trader) == [Order(0, MARKET, -200, reduce_only=1)]
    trader.accounts.position[1, 0] = -290
    assert _decide(trader) == [], "within tolerance"


def test_a_carry_trader_restores_the_short_against_its_spot() -> None:
    trader = _trader("hedger", held=-100)
    trader.columns.first_leg[0], trader.columns.second_leg[0] = 3, 0
    trader.accounts.position[3, 0] = 250
    assert _decide(trader) == [Order(0, MARKET, -150)]
    trader.accounts.position[3, 0] = 0
    assert _decide(trader) == [Order(0, MARKET, 100)]


def test_a_handle_reads_the_columns() -> None:
    trader = _trader("passive", held=-250)
    accounts = trader.accounts
    assert trader.equity == 10_000 * MICRO
    assert trader.wallet == 12_500 * MICRO
    assert trader.positions.tolist() == [-250, 0, 0, 0]
    assert trader.margin_mode == "flat"
    accounts.mode[:, 0] = [ISOLATED, FLAT, FLAT, FLAT]
    assert trader.margin_mode == "isolated"
    accounts.mode[1, 0] = CROSS
    assert trader.margin_mode == "mixed"
    trader.group.market.mark[0] = 11_000
    assert trader.equity == 9_750 * MICRO
