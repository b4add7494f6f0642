"""What fills do to pools: modes lock, margin is allotted and released, others are untouched."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor

import numpy as np
import pytest

from stresslab.core.columns import FEES_PAID
from stresslab.core.events import CROSS, FLAT, ISOLATED
from stresslab.core.ledger import CLEARING, EXTERNAL, FEES
from stresslab.margin.posting import settle_external, settle_side
from tests.markets import (
    LOT,
    TICKS,
    USD,
    accepted,
    asset,
    market,
    model_of,
    people,
    state,
    sums,
    trade,
)


def two(mode: str = "isolated", wealth: float = 1000.0, **changes):
    """Return a model with a flat account of a mode in row 0 and a rich one in row 1."""
    scenario = market(
        {"one": people((wealth, {}), mode=mode), "rich": people((1e6, {}))},
        assets=("BTC", "ETH"),
        **changes,
    )
    return model_of(scenario)


def pools(model, row=0):
    """Return the cash of wallet and silos, USD."""
    return (model.world.clearing.accounts.cash[:, row] / USD).tolist()


def mode(model, asset=0, row=0):
    return int(model.world.clearing.accounts.mode[asset, row])


def choose(model, chosen, asset=0, row=0):
    model.world.clearing.accounts.chosen_mode[asset, row] = chosen


def test_opening_isolated_moves_the_initial_margin_into_a_silo():
    model = two()
    trade(model, 0, 1, 20)
    assert mode(model) == ISOLATED
    assert pools(model) == [800, 200 - 2000, 0], "margin less what the position cost"
    assert state(model, 0, 1)[0] == 200 * USD and state(model, 0, 0)[0] == 800 * USD


def test_opening_cross_pays_from_the_wallet():
    model = two("cross")
    trade(model, 0, 1, 20)
    assert mode(model) == CROSS
    assert pools(model) == [1000 - 2000, 0, 0]
    assert state(model, 0)[0] == 1000 * USD


def test_a_mode_is_locked_until_flat_and_chosen_again_after():
    model = two()
    trade(model, 0, 1, 5)
    choose(model, CROSS)
    trade(model, 0, 1, 5)
    assert mode(model) == ISOLATED and pools(model)[1] == 100 - 1000, "added in the locked mode"
    trade(model, 1, 0, 10)
    assert mode(model) == FLAT
    trade(model, 0, 1, 5)
    assert mode(model) == CROSS


def test_a_position_that_turns_closes_in_the_old_mode_and_opens_in_the_chosen_one():
    model = two()
    trade(model, 0, 1, 10)
    choose(model, CROSS)
    trade(model, 1, 0, 15)
    accounts = model.world.clearing.accounts
    assert mode(model) == CROSS and accounts.position[0, 0] == -5
    assert pools(model) == [1000 + 500, 0, 0]
    assert accounts.entry_cost[0, 0] == -5 * LOT


def test_each_asset_has_a_mode_of_its_own():
    model = two()
    choose(model, CROSS, asset=1)
    trade(model, 0, 1, 5)
    trade(model, 0, 1, 5, asset=1)
    assert (mode(model, 0), mode(model, 1)) == (ISOLATED, CROSS)
    assert pools(model) == [1000 - 50 - 500, 50 - 500, 0]


def test_spot_belongs_to_the_wallet_whatever_was_chosen():
    poor, rich = people((1000.0, {}), mode="isolated"), people((1e6, {"ETH": 50}))
    spot = {"BTC": asset(), "ETH": asset("spot")}
    model = model_of({**market({"one": poor, "rich": rich}), "assets": spot})
    choose(model, ISOLATED, asset=1)
    trade(model, 0, 1, 5, asset=1)
    assert mode(model, 1) == CROSS and pools(model) == [500, 0, 0]


@pytest.mark.parametrize("price", [TICKS, TICKS + 700, TICKS - 300])
def test_a_partial_close_releases_its_share_of_the_equity(price):
    """Given 20 lots, when 5 close, a quarter of the silo's equity at that price is free again."""
    model = two()
    trade(model, 0, 1, 20)
    marks = [price, TICKS]
    before = state(model, 0, 1, marks)[0]
    trade(model, 1, 0, 5, price=price)
    after = state(model, 0, 1, marks)[0]
    assert before == 200 * USD + 20 * (price - TICKS) * 10_000
    assert before - after == before // 4
    assert state(model, 0, 0, marks)[0] == 800 * USD + before // 4
    equity, _, notional = state(model, 0, 1, marks)
    assert notional * before == 15 * LOT * price // TICKS * 4 * equity // 3, "same leverage"


def test_a_losing_silo_releases_nothing_and_takes_nothing():
    """10 lots at 10x, closed by half at -15 %: the silo owes, the wallet stays as it is."""
    model = two()
    trade(model, 0, 1, 10)
    trade(model, 1, 0, 5, price=8500)
    assert state(model, 0, 1, [8500, TICKS])[0] == -50 * USD
    assert state(model, 0, 0)[0] == 900 * USD


def test_the_residue_of_a_flat_silo_returns_to_the_wallet():
    model = two()
    trade(model, 0, 1, 10)
    trade(model, 1, 0, 10, price=TICKS + 300)
    assert mode(model) == FLAT and pools(model) == [1030, 0, 0]
    assert model.world.clearing.accounts.entry_cost[0, 0] == 0


def test_a_flat_silo_that_owes_keeps_its_debt_away_from_the_wallet():
    model = two()
    trade(model, 0, 1, 10)
    trade(model, 1, 0, 10, price=8000)
    assert mode(model) == ISOLATED, "the waterfall still owes it a settlement"
    assert pools(model) == [900, -100, 0]


def test_an_allotment_is_the_traders_own_rate_but_never_below_the_venues():
    scenario = market({"one": people((1000.0, {}), mode="isolated"), "rich": people((1e6, {}))})
    scenario["traders"]["one"]["leverage"] = {"median": 4.0}
    model = model_of(scenario)
    trade(model, 0, 1, 8)
    assert state(model, 0, 1)[0] == 200 * USD
    scenario["traders"]["one"]["leverage"] = {"median": 40.0}
    model = model_of(scenario)
    trade(model, 0, 1, 8)
    assert state(model, 0, 1)[0] == 80 * USD


def test_an_allotment_never_exceeds_the_wallet():
    model = two(wealth=50.0)
    trade(model, 0, 1, 10)
    assert state(model, 0, 1)[0] == 50 * USD and pools(model)[0] == 0


@pytest.mark.parametrize("side", [-1, 1])
def test_an_isolated_position_beside_a_cross_one_gets_its_margin(side):
    """1,000 USD, 20 lots of ETH under cross need 200; 10 lots of BTC get a silo of 100."""
    model = two()
    choose(model, CROSS, asset=1)
    trade(model, 0, 1, 20 * side, asset=1)
    assert accepted(model, 0, 10) == 10
    trade(model, 0, 1, 10)
    assert (mode(model, 0), mode(model, 1)) == (ISOLATED, CROSS)
    assert state(model, 0, 1)[0] == 100 * USD
    assert state(model, 0, 0)[0] == 900 * USD


FEES_OF = {"market__fees": {"maker_rate": -0.0001, "taker_rate": 0.001}}


@pytest.mark.parametrize("kind", ["isolated", "cross"])
def test_fees_are_paid_by_the_pool_that_holds_the_position(kind):
    model = two(kind, **FEES_OF)
    trade(model, 0, 1, 10)
    pool = 1 if kind == "isolated" else 0
    margin = 100 if pool else 1000
    assert state(model, 0, pool)[0] == (margin - 1) * USD, "0.1 % of 1,000 USD"
    c = model.world.clearing
    assert c.accounts.fees[:2].tolist() == [USD, -USD // 10]
    assert c.house.cash[FEES] == USD - USD // 10
    assert state(model, 1)[0] == 1_000_000 * USD + USD // 10, "the maker is paid a rebate"


def test_fees_are_rounded_up_against_the_trader():
    model = two(market__fees={"maker_rate": 0.0, "taker_rate": 0.000000001})
    trade(model, 0, 1, 1)
    trade(model, 1, 0, 1, price=TICKS - 1)
    assert model.world.clearing.accounts.fees[:2].tolist() == [1, 1]


def test_external_stands_in_both_sums():
    model = two()
    before = sums(model)
    trade(model, 0, -1, 10)
    house = model.world.clearing.house
    assert house.position[0] == -10 and house.cash[EXTERNAL] == 10 * LOT
    assert house.cash[CLEARING] == 0
    assert sums(model) == before


@pytest.mark.parametrize(("closed", "left"), [(1, 666), (2, 333), (3, 0)])
def test_a_close_takes_its_share_of_the_entry_cost_rounded_down(closed, left):
    """Three lots that cost 999 micro-USD."""
    model = two("cross")
    trade(model, 0, 1, 3)
    accounts = model.world.clearing.accounts
    accounts.entry_cost[0, 0] = 999
    trade(model, 1, 0, closed)
    assert accounts.entry_cost[0, 0] == left


class Plain:
    """One account in two perpetuals and a spot asset, in Python's own numbers, from the words."""

    def __init__(self, model, row: int = 0) -> None:
        a = model.world.clearing.accounts
        columns = (a.cash, a.position, a.mode, a.chosen_mode, a.entry_cost, a.profit_cut)
        self.cash, self.held, self.mode, self.chosen, self.cost, self.cut = (
            column[:, row].tolist() for column in columns
        )
        self.rate = Fraction(int(a.allotment_rate[row]), 10**9)
        self.marks = [int(mark) * 10_000 for mark in model.world.board.ticks]
        self.fees = 0

    def columns(self) -> list[list[int]]:
        return [self.cash, self.held, self.mode, self.cost, self.cut, [self.fees]]

    def initial(self, notional: int, mode: int) -> int:
        """10x, and 1.25 times as much when isolated."""
        return ceil(ceil(Fraction(notional, 10)) * (Fraction(5, 4) if mode == ISOLATED else 1))

    def free(self) -> int:
        """What no cross position needs of the wallet's equity; spot is paid in full."""
        free = self.cash[0]
        for a, lots in enumerate(self.held):
            if self.mode[a] == CROSS:
                worth = abs(lots) * self.marks[a]
                free += lots * self.marks[a] - (worth if a == 2 else self.initial(worth, CROSS))
        return max(0, free)

    def fill(self, a: int, lots: int, cash: int, fee_rate: int) -> None:
        size, held = abs(lots), abs(self.held[a])
        closing = min(size, held) if lots * self.held[a] < 0 else 0
        fee = ceil(Fraction(abs(cash) * fee_rate, 10**9))
        part = floor(Fraction(cash * closing, size))
        self.fees += fee
        if closing:
            pool = self.close(a, closing if lots > 0 else -closing, part, fee * (closing == size))
            self.settle_rest(a, pool, closing, part, held, fee * (closing == size))
        if closing < size:
            self.open(a, (size - closing) * (1 if lots > 0 else -1), cash - part, fee)

    def close(self, a: int, lots: int, cash: int, fee: int) -> int:
        pool = 1 + a if self.mode[a] == ISOLATED else 0
        share = Fraction(abs(lots), abs(self.held[a]))
        self.cost[a] -= floor(self.cost[a] * share)
        self.cut[a] -= floor(self.cut[a] * share)
        self.cash[pool] -= cash + fee
        self.held[a] += lots
        return pool

    def settle_rest(self, a: int, pool: int, closing: int, cash: int, held: int, fee: int) -> None:
        """A flat position is unlocked unless its silo owes; a part releases what it frees."""
        if self.held[a] == 0:
            if pool and self.cash[pool] < 0:
                return
            if pool:
                self.move(pool, 0, self.cash[pool])
            self.mode[a], self.cost[a], self.cut[a] = FLAT, 0, 0
        elif pool:
            before = self.cash[pool] + cash + fee
            equity = before + floor(Fraction(-cash * held, closing))
            due = max(0, floor(Fraction(equity * closing, held)))
            value = self.held[a] * self.marks[a]
            spare = self.cash[pool] + value - self.initial(abs(value), ISOLATED)
            self.move(pool, 0, max(0, min(due, spare)))

    def open(self, a: int, lots: int, cash: int, fee: int) -> None:
        if self.mode[a] == FLAT:
            self.mode[a] = CROSS if a == 2 else self.chosen[a]
        pool = 0
        if self.mode[a] == ISOLATED:
            pool = 1 + a
            wanted = max(ceil(abs(cash) * self.rate), self.initial(abs(cash), ISOLATED))
            self.move(0, pool, min(wanted, self.free()))
        self.cash[pool] -= cash + fee
        self.held[a] += lots
        self.cost[a] += cash

    def move(self, source: int, target: int, amount: int) -> None:
        self.cash[source] -= amount
        self.cash[target] += amount


def three_assets():
    """Return a model of two accounts, two perpetuals and a spot asset."""
    crowd = {"one": people((1000.0, {})), "rich": people((1e6, {}))}
    scenario = market(
        crowd, assets=("BTC", "ETH", "COIN"), margin__isolated__initial_margin_factor=1.25
    )
    scenario["assets"]["COIN"]["kind"] = "spot"
    del scenario["margin"]["brackets"]["COIN"]
    return model_of(scenario)


def begin(model, draw) -> Plain:
    """Empty all accounts but for some money in the wallets."""
    a = model.world.clearing.accounts
    for column in (a.cash, a.position, a.mode, a.entry_cost, a.profit_cut, a.tally):
        column[:] = 0
    a.cash[0] = draw.integers(0, 3000 * USD, 2)
    a.allotment_rate[:] = draw.integers(1, 500_000_000, 2)
    return Plain(model)


def test_random_fills_do_what_the_words_say_to_the_micro_usd():
    """Opens, adds, cuts, closes and turns in every mode, at prices off the mark, with a rebate."""
    draw, model = np.random.default_rng(16), three_assets()
    c, board = model.world.clearing, model.world.board
    a, seen, released, owing = c.accounts, set(), 0, 0
    for _ in range(40):
        plain, total = begin(model, draw), None
        for _ in range(12):
            a.chosen_mode[:] = draw.choice((ISOLATED, CROSS), a.chosen_mode.shape)
            board.ticks[:] = draw.integers(7000, 13_000, 3)
            plain.chosen = a.chosen_mode[:, 0].tolist()
            plain.marks = [int(mark) * 10_000 for mark in board.ticks]
            k, lots = int(draw.integers(0, 3)), int(draw.choice((-9, -5, -2, -1, 1, 2, 3, 8)))
            if k == 2:
                lots = max(lots, -plain.held[2]) or 1
            cash = lots * 10_000 * int(draw.integers(7000, 13_000)) + int(draw.integers(-9, 10))
            if plain.held[k]:
                a.profit_cut[k, 0] = plain.cut[k] = int(draw.integers(0, 1000))
            rate = int(draw.choice((0, 500_001, -100_003)))
            kind, silo = (plain.mode[k], np.sign(plain.held[k])), plain.cash[1 + k]
            total = sums(model) if total is None else total
            settle_side(a, c.house, c.journal, c.tables, 0, k, lots, cash, rate, board.ticks)
            settle_external(c.house, k, -lots, -cash)
            plain.fill(k, lots, cash, rate)
            columns = (a.cash, a.position, a.mode, a.entry_cost, a.profit_cut, a.tally[[FEES_PAID]])
            assert [column[:, 0].tolist() for column in columns] == plain.columns()
            assert sums(model) == total
            seen.add((*kind, np.sign(lots), np.sign(plain.held[k])))
            released += plain.mode[k] == ISOLATED and plain.cash[1 + k] + cash < silo
            owing += plain.held[k] == 0 and plain.mode[k] == ISOLATED
    assert len(seen) >= 20 and released > 5 and owing > 0
