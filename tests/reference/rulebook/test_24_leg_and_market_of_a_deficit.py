"""24. Deficits keep the leg and market that made them; cross tests ignore isolated legs.

Two scenarios were bugs of a real venue: its test whether a cross account is bankrupt looked at
isolated positions too, and an isolated leg that was closed fell back to the cross account (Drift
protocol v2, "exclude isolated perp positions in is_cross_margin_bankrupt").
"""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.core.events import FLAT, ISOLATED
from stresslab.core.ledger import EXTERNAL, INSURANCE_FUND, move_house
from tests.markets import (
    ORDER_BOOK,
    TICKS,
    USD,
    buy_at_market,
    market,
    model_of,
    people,
    rows,
    scripted,
    state,
    tables_of,
)

BOTTOMLESS = {"kind": "impact", "law": {"kind": "linear", "depth_usd": 1e18}}
PAID = ("deficit_micro_usd", "fund_micro_usd", "adl_micro_usd", "socialised_micro_usd")
CHARGED = ("account", "mode", "asset")
every_side = pytest.mark.parametrize("side", [1, -1])


def mixed(side: int, **changes):
    """Return a trader of 20 isolated BTC with 200 USD and 20 cross ETH with 300 in the wallet.

    One winner is on the other side of each market and somebody idle is rich.
    """
    model = scripted(
        market(
            {
                "trader": people((500.0, {})),
                "winners": people((1e4, {}), (1e4, {})),
                "idle": people((1e6, {})),
            },
            assets=("BTC", "ETH"),
            market__book=BOTTOMLESS,
            liquidation={"feedback": "no_feedback", "insurance_fund_usd": 0.0, **changes},
        ),
        {
            1: [
                buy_at_market(0, 20 * side), buy_at_market(0, 20 * side, asset=1),
                buy_at_market(1, -20 * side), buy_at_market(2, -20 * side, asset=1),
            ]
        },
    )  # fmt: skip
    model.world.clearing.accounts.chosen_mode[0, 0] = ISOLATED
    return model


def move(model, side: int, btc: int, eth: int, step: int = 2) -> None:
    """Let the marks be so many USD against the trader from a step on."""
    model.world.index[step:, 0] = TICKS - 100 * btc * side
    model.world.index[step:, 1] = TICKS - 100 * eth * side


def flows(tables):
    """Return who was charged, what was covered, and the accounts that paid through ADL, USD."""
    covered = [tuple(x // USD for x in row) for row in rows(tables, "waterfall", *PAID)]
    return rows(tables, "waterfall", *CHARGED), covered, rows(tables, "adl", "account", "asset")


@every_side
def test_a_cross_pool_is_bankrupt_though_an_isolated_leg_is_rich(side):
    """ETH has lost 600 of 300; the isolated 20 BTC are 400 up and stay untouched to the bit."""
    model = mixed(side)
    move(model, side, -20, 30)
    tables = tables_of(model)
    charged, covered, payers = flows(tables)
    assert charged == [(0, "cross", 1)] and covered == [(300, 0, 300, 0)]
    assert payers == [(1_000_001, 1)], "the winner of the market that made it"
    accounts = model.world.clearing.accounts
    assert accounts.position[:, 0].tolist() == [20 * side, 0]
    assert accounts.mode[:, 0].tolist() == [ISOLATED, FLAT]
    assert accounts.cash[1, 0] == 200 * USD - 2000 * side * USD
    assert state(model, 0)[0] == 0 and state(model, 0, 1)[0] == 600 * USD


@every_side
def test_an_isolated_leg_is_bankrupt_though_the_wallet_is_rich(side):
    """BTC has lost 600 of 200; the cross 20 ETH and the wallet of 300 stay untouched to the bit."""
    model = mixed(side)
    move(model, side, 30, -20)
    tables = tables_of(model)
    charged, covered, payers = flows(tables)
    assert charged == [(0, "isolated", 0)] and covered == [(400, 0, 400, 0)]
    assert payers == [(1_000_000, 0)]
    accounts = model.world.clearing.accounts
    assert accounts.position[:, 0].tolist() == [0, 20 * side]
    assert accounts.cash[0, 0] == 300 * USD - 2000 * side * USD and accounts.cash[1, 0] == 0
    assert state(model, 0)[0] == 700 * USD


@every_side
@pytest.mark.parametrize("ticks", [0, 1])
def test_the_cross_test_neither_lends_from_nor_borrows_for_an_isolated_leg(side, ticks):
    """Cross: 300 and 20 lots; long it falls below 5 % between 89.47 and 89.48, short at 109.52.

    The isolated leg has doubled its margin or has nothing left but its maintenance: no difference.
    """
    edge = 8947 if side > 0 else 10_953
    for btc in (-10, 4):
        model = mixed(side)
        move(model, side, btc, 0)
        model.world.index[2:, 1] = edge + side * (1 - ticks)
        tables = tables_of(model)
        breached = rows(tables, "liquidations", "account", "mode")
        assert breached == ([(0, "cross")] if ticks else [])
        if ticks:
            assert abs(tables["forced_orders"]["asset"] - 1).max() == 0, "only ETH is closed"


@every_side
def test_both_pools_of_one_account_are_bankrupt_apart(side):
    """Each has its own deficit, its own market and its own payer."""
    model = mixed(side)
    move(model, side, 30, 30)
    charged, covered, payers = flows(tables_of(model))
    assert charged == [(0, "cross", 1), (0, "isolated", 0)]
    assert covered == [(300, 0, 300, 0), (400, 0, 400, 0)]
    assert payers == [(1_000_001, 1), (1_000_000, 0)]


@every_side
def test_the_debt_of_a_closed_isolated_leg_never_falls_back_to_the_cross_account(side):
    """Given nobody else to pay 400 in step 2, the flat leg owes it until the fund has it in step 4.

    Meanwhile the cross pool of the same account is as rich as before and in no breach.
    """
    scenario = market(
        {"trader": people((500.0, {}))},
        assets=("BTC", "ETH"),
        market__book=BOTTOMLESS,
        liquidation={"feedback": "no_feedback", "insurance_fund_usd": 0.0},
    )
    orders = [buy_at_market(0, 20 * side), buy_at_market(0, 20 * side, asset=1)]
    model = scripted(scenario, {1: orders})
    accounts, house = model.world.clearing.accounts, model.world.clearing.house
    accounts.chosen_mode[0, 0] = ISOLATED
    move(model, side, 30, -20)
    for _ in range(3):
        model.step()
    assert accounts.position[:, 0].tolist() == [0, 20 * side]
    assert accounts.mode[0, 0] == ISOLATED, "what it owes keeps the leg locked"
    assert (state(model, 0, 1)[0], state(model, 0)[0]) == (-400 * USD, 700 * USD)
    move_house(house, EXTERNAL, INSURANCE_FUND, 500 * USD)
    model.step()
    assert (state(model, 0, 1)[0], state(model, 0)[0]) == (0, 700 * USD)
    assert accounts.mode[0, 0] == FLAT and house.cash[INSURANCE_FUND] == 100 * USD
    table = model.log.columns("waterfall")
    found = [table[name].tolist() for name in (*CHARGED, "deficit_micro_usd")]
    assert [column[-1] for column in found] == [0, "isolated", 0, 400 * USD]


def two_legs(side: int, book, **changes):
    """Return a cross pool of 20 BTC and 5 ETH with 300 USD, and a winner for each market."""
    held = {"BTC": 20 * side, "ETH": 5 * side}
    return market(
        {
            "trader": people((300.0, held)),
            "winners": people((1e4, {"BTC": -20 * side}), (1e4, {"ETH": -5 * side})),
        },
        assets=("BTC", "ETH"),
        market__book=book,
        liquidation={"insurance_fund_usd": 0.0, **changes},
    )


@every_side
def test_a_cross_deficit_stays_with_the_market_that_made_it_after_its_leg_is_closed(side):
    """BTC has lost 600 of 300; both legs are closed before anybody settles; ETH never moved."""
    scenario = two_legs(side, BOTTOMLESS, feedback="no_feedback")
    model = model_of(scenario)
    move(model, side, 30, 0)
    charged, covered, payers = flows(tables_of(model))
    assert charged == [(0, "cross", 0)] and covered == [(300, 0, 300, 0)]
    assert payers == [(1_000_000, 0)]
    assert model.world.clearing.accounts.position[:, 0].tolist() == [0, 0]


@every_side
def test_an_open_hedge_does_not_take_over_the_deficit_of_a_closed_leg(side):
    """Given one round a step, BTC is closed at the mark and ETH still open when 300 are missing.

    The winner of BTC pays with its profit of 600; the other side of ETH, which won nothing, keeps
    its position and its money.
    """
    scenario = two_legs(
        side, BOTTOMLESS, feedback="no_feedback", rounds_per_step=1, deficit_keeps_market=True
    )
    scenario["duration_seconds"] = 2.0
    model = model_of(scenario)
    move(model, side, 30, 0)
    tables = tables_of(model)
    accounts = model.world.clearing.accounts
    assert accounts.position[:, 0].tolist() == [0, 5 * side], "ETH is still open"
    charged, covered, payers = flows(tables)
    assert charged == [(0, "cross", 0)] and covered == [(300, 0, 300, 0)]
    assert payers == [(1_000_000, 0)]
    assert not np.any(tables["adl"]["lots"])
    assert state(model, 2)[0] == 10_000 * USD
    assert accounts.position[1, 2] == -5 * side


@every_side
def test_without_the_rule_the_open_leg_is_handed_over_for_it(side):
    """The bankruptcy quote of dYdX: whoever is against the legs still open takes them over."""
    scenario = two_legs(side, BOTTOMLESS, feedback="no_feedback", rounds_per_step=1)
    model = model_of(scenario)
    move(model, side, 30, 0)
    tables = tables_of(model)
    assert rows(tables, "adl", "account", "asset", "lots") == [(1_000_001, 1, 5 * side)]


@every_side
def test_open_lots_are_asked_when_the_profits_of_the_closed_market_are_gone(side):
    """The winners of BTC have left before the fall: the deficit of 300 goes to the open ETH leg."""
    scenario = two_legs(
        side, BOTTOMLESS, feedback="no_feedback", rounds_per_step=1, deficit_keeps_market=True
    )
    model = scripted(scenario, {1: [buy_at_market(1, 20 * side)]})
    move(model, side, 30, 0)
    charged, _, payers = flows(tables_of(model))
    assert charged[0] == (0, "cross", 0)
    assert payers[0] == (1_000_001, 1)


def test_open_lots_of_the_market_that_made_the_deficit_are_handed_over():
    """Given empty books both legs are open: BTC goes first, each at its bankruptcy quote."""
    model = model_of(two_legs(1, ORDER_BOOK, feedback="market"))
    move(model, 1, 30, 0)
    charged, covered, payers = flows(tables_of(model))
    assert charged == [(0, "cross", 0)] and covered == [(300, 0, 300, 0)]
    assert payers == [(1_000_000, 0), (1_000_001, 1)]
