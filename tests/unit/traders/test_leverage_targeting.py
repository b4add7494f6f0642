"""A leverage-targeting bank's orders, on a balance sheet worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from stresslab.core.columns import MARKET
from stresslab.core.declarations import build, faults
from stresslab.model import StressModel
from stresslab.scenario import Scenario
from stresslab.traders.trader import Order
from tests.markets import USD, asset, market, model_of

GOV, CORP, ROOM, LOAN, TERM = range(5)
NAMES = ("GOV", "CORP", "ROOM", "LOAN", "TERM")


def scenario(wealth_usd: float = 500.0, **strategy: Any) -> dict[str, Any]:
    """Return a bank of 10,000 USD: 60 lots of GOV, 30 of CORP, 5 of ROOM, 500 USD of cash.

    It owes what its wealth leaves, half of it as LOAN, half as TERM, in lots of 1 USD.
    """
    owed = round((10_000 - wealth_usd) / 2)
    held = {"GOV": 60, "CORP": 30, "ROOM": 5, "LOAN": -owed, "TERM": -owed}
    bank = {
        "strategy": {"kind": "leverage_targeting", "illiquid": ["ROOM", "TERM"], **strategy},
        "seconds_between_turns": 0.0,
        "accounts": [{"wealth_usd": wealth_usd, "positions": held}],
    }
    lends = {"wealth_usd": 1e6, "positions": {"LOAN": owed, "TERM": owed}}
    lender = {"strategy": {"kind": "passive"}, "accounts": [lends]}
    made = market({"banks": bank, "lender": lender}, assets=NAMES)
    for name in ("GOV", "CORP", "ROOM"):
        made["assets"][name] = asset("spot")
        del made["margin"]["brackets"][name]
    for name in ("LOAN", "TERM"):
        made["assets"][name] = {**asset(), "initial_price_usd": 1.0}
        made["margin"]["brackets"][name] = [
            {"floor_usd": 0.0, "maintenance_rate": 0.01, "max_leverage": 20.0}
        ]
    made["margin"]["spot_haircut"] = 0.0
    return made


def answer(model: StressModel, fall: float = 0.0) -> list[Order]:
    """Return the bank's orders when GOV has fallen."""
    world = model.world
    world.market.mark[GOV] = round(10_000 * (1 - fall))
    world.market.step[0] = 1
    trader = world.crowd.groups[0].trader(0)
    return trader.decide(world.market, None)  # type: ignore[arg-type]


def sales(gov: int, corp: int) -> list[Order]:
    return [Order(a, MARKET, -lots, reduce_only=1) for a, lots in ((GOV, gov), (CORP, corp))]


def test_a_bank_above_its_buffer_rests() -> None:
    assert answer(model_of(scenario()), fall=0.0) == []
    assert answer(model_of(scenario()), fall=0.016) == []  # equity 404 of 9,904


def test_below_its_buffer_it_repays_with_cash_and_sells_pro_rata_for_the_rest() -> None:
    # Down 4 %: equity 260 of 9,760, so 4,560 too much; 500 of it is repaid. What is missing,
    # 4,060, is 46.3 % of bonds worth 5,760 + 3,000.
    orders = answer(model_of(scenario()), fall=0.04)
    assert orders == [Order(LOAN, MARKET, 500, reduce_only=1), *sales(28, 14)]


def test_need_within_the_cash_sells_nothing() -> None:
    # Down 3 %: 320 of 9,820; the target of 3.3 % asks for 123 less.
    orders = answer(model_of(scenario(target=0.033)), fall=0.03)
    assert orders == [Order(LOAN, MARKET, 123, reduce_only=1)]


def test_a_large_need_sells_at_most_everything_liquid() -> None:
    orders = answer(model_of(scenario()), fall=0.07)  # equity 80 asks for 7,980 less
    assert orders == [Order(LOAN, MARKET, 500, reduce_only=1), *sales(52, 26)]
    orders = answer(model_of(scenario(target=1.0)), fall=0.04)
    assert orders == [Order(LOAN, MARKET, 500, reduce_only=1), *sales(60, 30)]


def test_without_a_target_it_goes_back_to_the_ratio_that_it_had() -> None:
    # 4 % down cost 240; debt over equity was 19, so 4,560 go, as with a target of 5 %.
    orders = answer(model_of(scenario(target=None)), fall=0.04)
    assert orders == answer(model_of(scenario()), fall=0.04)
    # At 10 % the bank of the same assets sheds 9 times what it lost.
    orders = answer(model_of(scenario(1000.0, target=None, buffer=1.0)), fall=0.04)
    assert sum(o.lots for o in orders if o.asset == LOAN) == 500
    worth = -sum(o.lots * (96 if o.asset == GOV else 100) for o in orders if o.asset != LOAN)
    assert worth == pytest.approx(9 * 240 - 500, abs=100)


def test_a_bank_that_has_been_in_breach_sells_all_that_is_liquid() -> None:
    model = model_of(scenario())
    model.world.clearing.accounts.n_liquidations[0] = 1
    assert answer(model) == sales(60, 30)


def test_before_its_time_it_leaves_the_balance_sheet_alone() -> None:
    late, on_time = scenario(first_seconds=2.0), scenario(first_seconds=1.0)
    assert answer(model_of(late), fall=0.04) == []
    assert answer(model_of(on_time), fall=0.04) != []


def test_what_it_does_is_repaid_and_sold_in_the_market() -> None:
    model = model_of(scenario(first_seconds=2.0, buffer=0.06))
    assert answer(model) == []
    model.step()
    model.step()
    accounts = model.world.clearing.accounts
    # Equity 500 of 10,000 is on target: nothing to do although below the buffer.
    assert accounts.position[:3, 0].tolist() == [60, 30, 5]
    assert accounts.wallet[0] == 500 * USD


def test_an_illiquid_asset_that_does_not_exist_is_a_fault() -> None:
    found = list(faults(build(Scenario, scenario(illiquid=["ROOMS"]))))
    assert found == [
        ("traders.banks.strategy.illiquid.0", "unknown asset 'ROOMS'; did you mean 'ROOM'?")
    ]
