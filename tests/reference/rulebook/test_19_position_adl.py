"""19. Auto-deleveraging: open lots are handed to winners at the leg's bankruptcy price.

Lots are worth 100 USD at first; people leave the order book empty, so that forced orders find
nobody.
"""

from __future__ import annotations

from fractions import Fraction

import pytest

from stresslab.liquidation.adl.queue_fill import queue_fill
from stresslab.margin.bankruptcy import bankruptcy_price
from tests.markets import (
    ORDER_BOOK,
    TICKS,
    USD,
    asset,
    market,
    model_of,
    people,
    rows,
    state,
    tables_of,
)
from tests.reference.adl_markets import PAID, every_policy

#: BitMEX's example: 20 contracts at a bankruptcy price; account: (contracts, score).
QUEUED = {1: (10, 3), 2: (10, 6), 3: (20, 1), 4: (30, 4), 5: (20, 5), 6: (10, 2)}


def handed_over(policy: str = "profit_times_leverage", side: int = 1, held=None, **changes):
    """Return a pool of 20 lots with 700 USD, marked 40 USD away from its entry, in empty books.

    It is worth nothing 35 USD away. ``held`` are the lots and leverages of the other side.
    """
    held = held or QUEUED.values()
    total = sum(lots for lots, _ in held)
    scenario = market(
        {
            "queue": people(*((100.0 * lots / x, {"BTC": -side * lots}) for lots, x in held)),
            "victim": people((700.0, {"BTC": 20 * side})),
            "others": people((1e6, {"BTC": side * (total - 20)})),
        },
        market__book=ORDER_BOOK,
        liquidation={
            "feedback": "market", "insurance_fund_usd": 0.0, "position_adl": {"kind": policy},
        },
        **changes,
    )  # fmt: skip
    model = model_of(scenario)
    model.world.index[2:] = TICKS - 4000 * side
    return model


@pytest.mark.parametrize("side", [1, -1])
def test_the_published_queue_is_closed_at_the_bankruptcy_price(side):
    model = handed_over(side=side)
    tables = tables_of(model)
    taken = rows(tables, "adl", "account", "lots", "loss_micro_usd")
    assert [(account + 1, abs(lots)) for account, lots, _ in taken] == [(2, 10), (5, 10)]
    queue = [(account, lots, score) for account, (lots, score) in QUEUED.items()]
    assert {a + 1: abs(lots) for a, lots, _ in taken} == queue_fill(20, queue)
    for _, lots, loss in taken:
        price = 100 - 40 * side + Fraction(loss, USD) / lots
        assert price == 100 - 35 * side == bankruptcy_price(side, Fraction(100), Fraction(20, 7))


#: Lots taken of 10, 10, 20, 30, 20 and 10 held, to the sum of 20: by hand.
TAKEN = {
    # 20 x (10, 10, 20, 30, 20, 10) / 100
    "by_contracts": [2, 2, 4, 6, 4, 2],
    "by_profit": [2, 2, 4, 6, 4, 2],  # each lot has made 40 USD
    # equities 733 1/3, 566 2/3, 2,800, 1,950, 1,200, 900: 1.80, 1.39, 6.87, 4.79, 2.94, 2.21
    "by_equity": [2, 1, 7, 5, 3, 2],
    # lots at a loss of 5: first come 2,800's and 1,950's; a 2nd of 733 costs as 7.64 of 2,800
    "min_max": [2, 1, 7, 5, 3, 2],
}


@pytest.mark.parametrize("policy", sorted(TAKEN))
@pytest.mark.parametrize("side", [1, -1])
def test_shares_in_whole_lots(policy, side):
    taken = rows(tables_of(handed_over(policy, side)), "adl", "account", "lots", "loss_micro_usd")
    assert [abs(lots) for _, lots, _ in taken] == TAKEN[policy]
    assert all(loss == 5 * USD * abs(lots) for _, lots, loss in taken)


@every_policy
@pytest.mark.parametrize("side", [1, -1])
def test_every_policy_hands_all_lots_over_and_seizes_the_deficit_to_the_unit(policy, side):
    """Seven uneven winners, one of which could bear two lots only; nothing divides."""
    held = [(3, 7), (10, 3), (1, 9), (7, 2), (6, 9), (2, 1), (11, 4)]
    model = handed_over(policy, side, held)
    model.world.index[2:] = TICKS - 4123 * side
    tables = tables_of(model)
    ((deficit, fund, adl, socialised),) = rows(tables, "waterfall", *PAID)
    assert deficit == 20 * 4123 * 10_000 - 700 * USD
    assert (fund, adl, socialised) == (0, deficit, 0)
    taken = rows(tables, "adl", "account", "lots", "loss_micro_usd")
    assert sum(lots for _, lots, _ in taken) == 20 * side
    assert sum(loss for *_, loss in taken) == deficit
    assert all(0 < side * lots <= held[account][0] for account, lots, _ in taken)
    assert state(model, len(held)) == (0, 0, 0)


def test_a_winner_gives_no_more_lots_than_its_equity_bears():
    """5 USD a lot; a hedge that fell left the first short 12 of its 10 lots' profit: 2 lots."""
    held = {"BTC": -10}, {"BTC": -40}
    scenario = market(
        {
            "queue": people((488.0 + 12, held[0] | {"ETH": 22}), (4000.0, held[1])),
            "victim": people((700.0, {"BTC": 20})),
            "others": people((1e6, {"BTC": 30, "ETH": -22})),
        },
        assets=("BTC", "ETH"),
        market__book=ORDER_BOOK,
        liquidation={"feedback": "market", "insurance_fund_usd": 0.0,
                     "position_adl": {"kind": "by_contracts"}, "rounds_per_step": 1},
    )  # fmt: skip
    model = model_of(scenario)
    model.world.index[2:, 0], model.world.index[2:, 1] = 6000, 6000
    equity = 500 + 10 * 40 - 22 * 40
    assert equity == 20
    tables = tables_of(model)
    mine = [
        (account, lots, loss)
        for account, lots, loss, liquidation in rows(
            tables, "adl", "account", "lots", "loss_micro_usd", "liquidation"
        )
        if account in (0, 1) and lots > 0
    ]
    assert mine[:2] == [(0, 4, 20 * USD), (1, 16, 80 * USD)], "a fifth each: 4 lots are its equity"


@pytest.mark.parametrize("first", [0, 1])
def test_legs_are_handed_over_by_descending_maintenance(first):
    """10 lots of one market and 4 of the other: the larger leg goes first, whichever it is."""
    names = ("BTC", "ETH")
    held = {names[first]: 10, names[1 - first]: 4}
    against = {name: -lots for name, lots in held.items()}
    scenario = market(
        {"one": people((200.0, held)), "other": people((1e5, against))},
        assets=names,
        market__book=ORDER_BOOK,
        liquidation={"feedback": "market", "insurance_fund_usd": 0.0},
    )
    model = model_of(scenario)
    model.world.index[2:] = 8000
    taken = rows(tables_of(model), "adl", "asset", "lots", "loss_micro_usd")
    assert taken == [(first, 10, 57_142_857), (1 - first, 4, 22_857_143)], "80 USD by 10 to 4"


def stuck(side: int, **changes):
    """Return a pool of 20 lots and 300 USD marked 12 away: 60 left, 88 or 112 needed, no book."""
    scenario = market(
        {
            "victim": people((300.0, {"BTC": 20 * side})),
            "other": people((1e4, {"BTC": -5 * side}), (1e3, {"BTC": -15 * side})),
        },
        market__book=ORDER_BOOK,
        liquidation={"feedback": "market", "insurance_fund_usd": 0.0, **changes},
    )
    model = model_of(scenario)
    model.world.index[2:] = TICKS - 1200 * side
    return model


@pytest.mark.parametrize("side", [1, -1])
def test_lots_that_find_nobody_stay_open_unless_the_venue_deleverages(side):
    model = stuck(side)
    tables = tables_of(model)
    assert tables["liquidations"]["outcome"].tolist() == ["open"]
    assert len(tables["adl"]["lots"]) == 0
    assert state(model, 0)[0] == 60 * USD


@pytest.mark.parametrize("side", [1, -1])
def test_an_exhausted_book_sends_the_leg_to_winners_at_its_bankruptcy_price(side):
    """20 lots are worth nothing 15 away; winners get them 3 USD a lot better than the mark."""
    model = stuck(side, adl_on_exhausted_book=True)
    tables = tables_of(model)
    taken = rows(tables, "adl", "account", "lots", "loss_micro_usd")
    assert taken == [(1_000_001, 15 * side, -45 * USD), (1_000_000, 5 * side, -15 * USD)]
    assert rows(tables, "waterfall", *PAID) == [(-60 * USD, 0, -60 * USD, 0)]
    assert tables["liquidations"]["outcome"].tolist() == ["closed"]
    assert [state(model, row)[0] for row in range(3)] == [0, 10_075 * USD, 1225 * USD]
    assert model.world.clearing.accounts.position[0].tolist() == [0, 0, 0]


def test_a_venue_without_counterparties_leaves_the_leg_open():
    """The winners have sold to `external`, which takes no part: nothing to hand over to."""
    scenario = market(
        {"victim": people((300.0, {"BTC": 20})), "other": people((1e4, {"BTC": -20}))},
        market__book=ORDER_BOOK,
        liquidation={"feedback": "market", "insurance_fund_usd": 0.0,
                     "adl_on_exhausted_book": True},
    )  # fmt: skip
    model = model_of(scenario)
    c = model.world.clearing
    c.accounts.position[0, 1] = 0
    c.house.position[0] = -20
    model.world.index[2:] = TICKS - 1200
    tables = tables_of(model)
    assert len(tables["waterfall"]["step"]) == len(tables["adl"]["step"]) == 0
    assert tables["liquidations"]["outcome"].tolist() == ["open"]


def test_one_leg_of_two_goes_at_its_own_bankruptcy_price():
    """Maintenance 80 and 40: of the 100 USD left, two thirds go with the first leg."""
    scenario = market(
        {
            "victim": people((700.0, {"BTC": 20, "ETH": 10})),
            "other": people((1e4, {"BTC": -20}), (1e4, {"ETH": -10})),
        },
        assets=("BTC", "ETH"),
        duration_seconds=2.0,
        market__book=ORDER_BOOK,
        liquidation={"feedback": "market", "insurance_fund_usd": 0.0,
                     "adl_on_exhausted_book": True},
    )  # fmt: skip
    model = model_of(scenario)
    model.world.index[2:, 0] = TICKS - 2000
    model.world.index[2:, 1] = TICKS - 2000
    assert model.world.clearing.accounts.cash[0, 0] == (700 - 3000) * USD
    tables = tables_of(model)
    assert rows(tables, "adl", "asset", "lots", "loss_micro_usd") == [(0, 20, -66_666_666)]
    assert tables["liquidations"]["outcome"].tolist() == ["open"]
    assert state(model, 0) == (100 * USD - 66_666_666, 40 * USD, 800 * USD)


def test_spot_that_finds_no_buyer_is_not_handed_to_anybody():
    """A pool of spot and money owed: nobody is on the other side of spot."""
    scenario = market(
        {"holder": people((1000.0, {"SPOT": 4, "BTC": 1})), "other": people((1e4, {"BTC": -1}))},
        assets=("BTC", "SPOT"),
        market__book=ORDER_BOOK,
        assets__SPOT=asset("spot"),
        margin__spot_haircut=0.2,
        margin__brackets={"BTC": [{"floor_usd": 0.0, "maintenance_rate": 0.01,
                                   "max_leverage": 10.0}]},
        liquidation={"feedback": "market", "insurance_fund_usd": 0.0,
                     "adl_on_exhausted_book": True},
    )  # fmt: skip
    model = model_of(scenario)
    c = model.world.clearing
    c.accounts.cash[0, 0] -= 950 * USD  # borrowed to nearly what the haircut allows
    c.house.cash[0] += 950 * USD
    model.world.index[2:, 1] = 9000
    tables = tables_of(model)
    assert (
        tables["forced_orders"]["asset"][0] == 1
        and not tables["forced_orders"]["filled_lots"].any()
    )
    assert len(tables["adl"]["lots"]) == 0


@pytest.mark.parametrize("side", [1, -1])
def test_lots_go_to_the_other_side_only_in_profit_or_not(side):
    """Somebody on its own side is far in profit, the other side in loss: that takes the lots."""
    scenario = market(
        {
            "victim": people((300.0, {"BTC": 20 * side})),
            "friend": people((1e4, {"BTC": 5 * side})),
            "other": people((1e4, {"BTC": -25 * side})),
        },
        market__book=ORDER_BOOK,
        liquidation={"feedback": "market", "insurance_fund_usd": 0.0},
    )
    model = model_of(scenario)
    cost = model.world.clearing.accounts.entry_cost
    cost[0, 1], cost[0, 2] = (
        5 * side * (100 - 90 * side) * USD,
        -25 * side * (100 - 90 * side) * USD,
    )
    model.world.index[2:] = TICKS - 3000 * side
    tables = tables_of(model)
    assert rows(tables, "adl", "account", "lots") == [(2_000_000, 20 * side)]
