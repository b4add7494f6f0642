"""Deficits of a step go through the waterfall by account id, at the ranking of their own step."""

from __future__ import annotations

import numpy as np
import pytest

from tests.markets import ORDER_BOOK, TICKS, USD, market, model_of, people, rows, tables_of


def two_steps(**liquidation):
    """Return longs of 300 and 450 USD for 20 lots, and two shorts of 40 whose rank turns round.

    At 88 USD profit in percent times leverage is 0.24 for the short from 100 and 0.22 for that
    from 96 USD; at 80 USD it is 0.31 and 0.33, and once the first has given 20 lots, 0.16.
    """
    story = market(
        {
            "longs": people((300.0, {"BTC": 20}), (450.0, {"BTC": 20}), (1e5, {"BTC": 40})),
            "shorts": people((1300.0, {"BTC": -40}), (1000.0, {"BTC": -40})),
        },
        market__book=ORDER_BOOK,
        liquidation={"feedback": "market", "insurance_fund_usd": 0.0, **liquidation},
    )
    model = model_of(story)
    model.world.clearing.accounts.entry_cost[0, 4] = -40 * 96 * USD
    return model


def test_legs_that_find_nobody_go_to_whoever_ranks_first_in_their_step():
    """60 and 50 USD of equity are left with 20 lots at 88 and at 80 USD."""
    model = two_steps(adl_on_exhausted_book=True)
    model.world.index[2:], model.world.index[3:] = 8800, 8000
    found = rows(tables_of(model), "adl", "step", "account", "lots", "loss_micro_usd")
    assert found == [(2, 1_000_000, 20, -60 * USD), (3, 1_000_001, 20, -50 * USD)]


def test_deficits_are_cut_from_whoever_ranks_first_in_their_step():
    """At 84 and 76 USD 20 and 30 USD are missing; the first has given 20 lots by then."""
    model = two_steps()
    model.world.index[2:], model.world.index[3:] = 8400, 7600
    found = rows(tables_of(model), "adl", "step", "account", "lots", "loss_micro_usd")
    assert found == [(2, 1_000_000, 20, 20 * USD), (3, 1_000_001, 20, 30 * USD)]


@pytest.mark.parametrize("fund", [0.0, 25.0, 1e6])
def test_pools_in_deficit_are_settled_by_account_id_wallets_first_then_by_asset(fund):
    """Rows are not ids: row 1 has the lowest id. Each of four pools misses 10 USD."""
    held = {"BTC": 10, "ETH": 10}
    against = dict.fromkeys(held, -40)
    story = market(
        {"silos": people((200.0, held), (200.0, held), mode="isolated"),
         "wallets": people((200.0, held), (200.0, held)), "rest": people((1e6, against))},
        assets=("BTC", "ETH"),
        liquidation__insurance_fund_usd=fund,
    )  # fmt: skip
    model = model_of(story)
    model.world.clearing.accounts.id[:] = [7, 2, 5, 3, 9]
    model.world.index[2:] = 8900
    tables = tables_of(model)
    found = rows(tables, "waterfall", "account", "mode", "asset", "deficit_micro_usd",
                 "fund_micro_usd")  # fmt: skip
    order = [(2, "isolated", 0), (2, "isolated", 1), (3, "cross", 0), (5, "cross", 0),
             (7, "isolated", 0), (7, "isolated", 1)]  # fmt: skip
    deficits = [20 if mode == "cross" else 10 for _, mode, _ in order]
    before = np.cumsum([0, *deficits[:-1]])
    paid = [min(d, max(0, fund - b)) for d, b in zip(deficits, before, strict=True)]
    expected = [(*who, d * USD, p * USD) for who, d, p in zip(order, deficits, paid, strict=True)]
    assert sorted(found, key=lambda row: row[:3]) == expected
    assert [row for row in found if row[4] < row[3]] == [r for r in expected if r[4] < r[3]]


def test_legs_that_find_nobody_are_handed_over_by_account_id_then_wallet_and_asset():
    """All with equity left: the winner of both markets is asked in this order."""
    held = {"BTC": 10, "ETH": 10}
    story = market(
        {"silos": people((200.0, held), mode="isolated"), "wallet": people((200.0, held)),
         "rest": people((1e6, dict.fromkeys(held, -20)))},
        assets=("BTC", "ETH"),
        duration_seconds=2.0,
        market__book=ORDER_BOOK,
        margin__cross__closure={"kind": "whole"},
        liquidation={"feedback": "market", "adl_on_exhausted_book": True},
    )  # fmt: skip
    model = model_of(story)
    model.world.clearing.accounts.id[:2] = 1, 0
    model.world.index[2:] = 9400
    found = rows(tables_of(model), "waterfall", "account", "mode", "asset")
    assert found == [(0, "cross", 0), (0, "cross", 0), (1, "isolated", 0), (1, "isolated", 1)]


@pytest.mark.parametrize("off", [0, -1])
def test_a_pool_with_nothing_left_owes_nothing(off):
    """100 USD bear 10 lots from 100 to 90 USD to the unit; a micro-USD less is a deficit of it."""
    story = market(
        {"one": people((100.0, {"BTC": 10}), mode="isolated"), "rest": people((1e4, {"BTC": -10}))}
    )
    model = model_of(story)
    c = model.world.clearing
    c.accounts.cash[1, 0] += off
    c.accounts.cash[0, 1] -= off
    model.world.index[2:] = TICKS - 1000
    tables = tables_of(model)
    assert rows(tables, "waterfall", "deficit_micro_usd") == [(1,)] * -off
    assert tables["liquidations"]["outcome"].tolist() == ["bankrupt" if off else "closed"]


def exhausted(cents, **liquidation):
    """Return the log of a long of 10 lots that finds nobody at 90 USD, with so many cents left."""
    story = market(
        {"one": people((100.0 + cents / 100, {"BTC": 10})), "rest": people((1e4, {"BTC": -10}))},
        duration_seconds=2.0,
        market__book=ORDER_BOOK,
        liquidation={"feedback": "market", "insurance_fund_usd": 0.0, **liquidation},
    )
    model = model_of(story)
    model.world.index[2:] = 9000
    return tables_of(model)


@pytest.mark.parametrize(("cents", "outcome"), [(1, "closed"), (0, "closed"), (-1, "bankrupt")])
def test_a_leg_with_nothing_left_is_handed_over_at_the_mark_and_one_that_owes_as_a_deficit(
    cents, outcome
):
    tables = exhausted(cents, adl_on_exhausted_book=True)
    assert rows(tables, "adl", "lots", "loss_micro_usd") == [(10, -cents * USD // 100)]
    assert tables["liquidations"]["outcome"].tolist() == [outcome]


@pytest.mark.parametrize("rules", [{}, {"adl": False, "adl_on_exhausted_book": True}])
def test_a_venue_that_does_not_deleverage_so_leaves_the_leg_open(rules):
    tables = exhausted(5, **rules)
    assert tables["adl"]["lots"].size == 0 and tables["forced_orders"]["lots"].size > 0
    assert tables["liquidations"]["outcome"].tolist() == ["open"]


class Pledges:
    """What accounts keep on other chains: 5 USD each, in the order in which it is seized."""

    def __init__(self, model):
        self.model, self.seized = model, []

    def seize(self, row):
        self.seized.append(row)
        self.model.world.clearing.accounts.cash[0, row] += 5 * USD

    def send(self, rows, step):
        return 0

    def late(self, rows):
        return 0 * rows


def test_what_a_wallet_in_deficit_has_pledged_pays_before_the_fund_and_no_silo_is_helped():
    """Wallets miss 4 and 9 USD, a silo 4: 5 USD each are seized of the first two."""
    longs = [(96.0, {"BTC": 10}), (91.0, {"BTC": 10})]
    story = market(
        {"longs": people(*longs), "silo": people((96.0, {"BTC": 10}), mode="isolated"),
         "rest": people((1e4, {"BTC": -30}))},
        margin__brackets={
            "BTC": [{"floor_usd": 0.0, "maintenance_rate": 0.05, "max_leverage": 12.0}]
        },
    )  # fmt: skip
    model = model_of(story)
    pledges = Pledges(model)
    engine, c = model.engine, model.world.clearing
    engine._settlement._chains = pledges
    model.world.board.ticks[:] = 9000
    c.accounts.cash[1, 2] = 96 * USD - 10 * 100 * USD
    engine.spells.judge(2, 0, None)
    engine.settle(2)
    assert pledges.seized == [0, 1]
    found = engine.recorder.log.columns("waterfall")
    columns = zip(*(found[x].tolist() for x in ("account", "fund_micro_usd")), strict=True)
    assert sorted(columns) == [(1, 4 * USD), (1_000_000, 4 * USD)]
