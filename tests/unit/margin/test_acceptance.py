"""Which orders a venue takes: to the micro-USD of initial margin, and whatever only shrinks."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

import numpy as np
import pytest

from stresslab.core.columns import IOC, LIMIT, POST_ONLY
from stresslab.core.events import CROSS, FLAT, ISOLATED
from stresslab.core.exact import LARGEST
from stresslab.margin.acceptance import (
    UNKNOWN,
    accepted_lots,
    free_wallet,
    headroom,
    is_reducing,
    reduced,
)
from tests.markets import (
    ORDER_BOOK,
    TICKS,
    USD,
    Ask,
    accepted,
    asset,
    market,
    model_of,
    people,
    rows,
    scripted,
    tables_of,
    trade,
)

SPOT = {"BTC": asset(), "GOLD": asset("spot")}


def lone(wealth: float = 100.0, *, mode: str = "cross", **changes):
    """Return a model with one flat account, a rich one beside it, and 10x leverage."""
    scenario = market(
        {"one": people((wealth, {}), mode=mode), "rich": people((1e6, {}))}, **changes
    )
    return model_of(scenario)


def test_the_last_micro_usd_of_initial_margin_decides():
    """10 lots are 1,000 USD and need 100 USD at 10x."""
    model = lone(100.0)
    assert accepted(model, 0, 10) == 10
    assert accepted(model, 0, -10) == -10
    model.world.clearing.accounts.wallet[0] -= 1
    assert accepted(model, 0, 10) == 0
    assert accepted(model, 0, -10) == 0
    assert accepted(model, 0, 9) == 9


def test_isolated_margin_is_stricter_by_its_factor():
    stricter = {"margin__isolated__initial_margin_factor": 1.25}
    assert accepted(lone(124.99, mode="isolated", **stricter), 0, 10) == 0
    assert accepted(lone(124.99, mode="cross", **stricter), 0, 10) == 10
    assert accepted(lone(125.0, mode="isolated", **stricter), 0, 10) == 10


def test_an_isolated_order_needs_the_margin_of_the_traders_own_leverage():
    """A trader who targets 2x allots half of the notional, whatever the venue would let it do."""
    scenario = market({"one": people((499.99, {}), mode="isolated"), "rich": people((1e6, {}))})
    scenario["traders"]["one"]["leverage"] = {"median": 2.0}
    assert accepted(model_of(scenario), 0, 9) == 9
    assert accepted(model_of(scenario), 0, 10) == 0


def test_a_leverage_cap_refuses_what_the_bracket_allows():
    assert accepted(lone(100.0, margin__max_leverage={"BTC": 5.0}), 0, 10) == 0
    assert accepted(lone(200.0, margin__max_leverage={"BTC": 5.0}), 0, 10) == 10


def test_open_orders_reserve_the_margin_of_the_worst_position_they_make():
    model = lone(100.0)
    assert accepted(model, 0, 4, resting={0: 6}) == 4
    assert accepted(model, 0, 5, resting={0: 6}) == 0
    assert accepted(model, 0, -10, resting={0: 10}) == -10, "buys and sells offset each other"
    assert accepted(model, 0, -11, resting={0: 10}) == 0


def test_open_orders_of_another_asset_reserve_too():
    model = lone(100.0, assets=("BTC", "ETH"))
    assert accepted(model, 0, 4, resting={1: 6}) == 4
    assert accepted(model, 0, 5, resting={1: 6}) == 0


def test_margin_held_by_isolated_positions_is_not_free():
    """100 USD: 60 go into the silo of 6 lots, so 4 more lots and not 5."""
    model = lone(100.0, mode="isolated", assets=("BTC", "ETH"))
    trade(model, 0, 1, 6, asset=1)
    accounts = model.world.clearing.accounts
    assert accounts.mode[1, 0] == ISOLATED and accounts.wallet[0] == 40 * USD
    assert accepted(model, 0, 4) == 4
    assert accepted(model, 0, 5) == 0


def test_unrealised_profit_of_the_cross_pool_is_margin():
    model = lone(100.0, assets=("BTC", "ETH"))
    trade(model, 0, 1, 10, asset=1)
    assert accepted(model, 0, 1) == 0
    model.world.board.ticks[1] = TICKS + TICKS // 10
    assert accepted(model, 0, 9) == 9, "200 USD less 110 for the position leave 90"
    assert accepted(model, 0, 10) == 0


@pytest.mark.parametrize("held", [10, -10])
def test_orders_that_only_shrink_a_position_are_taken_without_any_margin(held):
    model = lone(100.0)
    trade(model, *((0, 1) if held > 0 else (1, 0)), abs(held))
    model.world.clearing.accounts.wallet[0] -= 99 * USD
    assert accepted(model, 0, held // 10) == 0, "no margin for more"
    assert accepted(model, 0, -held) == -held
    assert accepted(model, 0, -held - held // 10) == 0, "one lot beyond flat opens a position"
    assert accepted(model, 0, -held // 2, resting={0: -held // 2}) == -held // 2
    assert accepted(model, 0, -held, resting={0: -held // 10}) == 0, "together they go beyond flat"


def test_reduce_only_is_cut_to_the_position_and_refused_elsewhere():
    model = lone(100.0)
    assert accepted(model, 0, 5, reduce_only=1) == 0, "flat"
    trade(model, 0, 1, 3)
    assert accepted(model, 0, 5, reduce_only=1) == 0, "same side"
    assert accepted(model, 0, -2, reduce_only=1) == -2
    assert accepted(model, 0, -5, reduce_only=1) == -3
    trade(model, 1, 0, 7)
    assert accepted(model, 0, 9, reduce_only=1) == 4
    assert accepted(model, 0, -9, reduce_only=1) == 0


def test_spot_cannot_be_sold_short_and_is_bought_in_full():
    scenario = market({"one": people((500.0, {"GOLD": 2})), "rich": people((1e6, {}))})
    model = model_of({**scenario, "assets": SPOT})
    assert accepted(model, 0, -2, asset=1) == -2
    assert accepted(model, 0, -3, asset=1) == 0
    assert accepted(model, 0, -1, asset=1, resting={1: -2}) == 0
    assert accepted(model, 1, -1, asset=1) == 0
    assert accepted(model, 0, 3, asset=1) == 3
    assert accepted(model, 0, 4, asset=1) == 0


def test_refused_orders_reach_no_book_and_are_counted():
    """Given 100 USD, 11 lots are refused, 10 rest; nobody trades with the refused ones."""
    scenario = market(
        {"one": people((100.0, {})), "rich": people((1e6, {}))}, market__book=ORDER_BOOK
    )
    script = {
        1: [Ask(0, 11, TICKS, LIMIT)],
        2: [Ask(1, -20, TICKS, LIMIT)],
        3: [Ask(0, 10, TICKS, LIMIT)],
    }
    tables = tables_of(scripted(scenario, script))
    assert rows(tables, "counts", "orders", "refused", "fills") == [(3, 1, 1)]
    assert tables["path"]["volume_lots"].tolist() == [0, 0, 10, 0]
    assert rows(tables, "positions", "account", "final_lots") == [(0, 10), (1_000_000, -10)]


def test_post_only_never_takes():
    scenario = market(
        {"one": people((1000.0, {})), "rich": people((1e6, {}))}, market__book=ORDER_BOOK
    )
    script = {
        1: [Ask(1, -5, TICKS, LIMIT)],
        2: [Ask(0, 5, TICKS, POST_ONLY)],
        3: [Ask(0, 5, TICKS - 1, POST_ONLY)],
    }
    tables = tables_of(scripted(scenario, script))
    assert tables["path"]["volume_lots"].tolist() == [0, 0, 0, 0]
    assert tables["path"]["best_bid_ticks"].tolist() == [-1, -1, TICKS - 1, TICKS - 1]
    assert tables["path"]["best_ask_ticks"].tolist() == [TICKS] * 4


def test_a_price_off_the_levels_of_the_book_is_refused():
    scenario = market(
        {"one": people((1e6, {})), "rich": people((1e6, {}))}, market__book=ORDER_BOOK
    )
    far = 1_000_000 * TICKS
    script = {
        1: [Ask(0, 5, 0, LIMIT), Ask(1, -5, -1, POST_ONLY)],
        2: [Ask(0, 5, far, LIMIT), Ask(1, -5, TICKS, LIMIT)],
        3: [Ask(0, 5, far, IOC)],
    }
    tables = tables_of(scripted(scenario, script))
    assert rows(tables, "counts", "orders", "refused", "fills") == [(5, 3, 1)]
    assert tables["path"]["volume_lots"].tolist() == [0, 0, 5, 0]


@pytest.mark.parametrize("held", range(-3, 4))
@pytest.mark.parametrize("lots", [-3, -2, -1, 1, 2, 3])
def test_reducing_is_towards_zero_and_not_across_it(held, lots):
    """Small numbers, one by one: what brings a position nearer to zero, and not beyond it."""
    ends = [end for end in range(abs(held) + 1) if held and end == abs(held) - abs(lots)]
    opposite = held * lots < 0
    cut = min(abs(lots), abs(held)) if opposite else 0
    assert reduced(held, lots) == (cut if lots > 0 else -cut)
    assert is_reducing(held, lots, 0) == (opposite and bool(ends))
    for resting in (1, 2):
        fits = opposite and abs(lots) + resting <= abs(held)
        assert is_reducing(held, lots, resting) == fits


def test_an_order_of_one_lot_meets_a_position_of_one():
    model = lone()
    trade(model, 0, -1, 1)
    model.world.clearing.accounts.wallet[0] = -100 * USD  # equity of nothing
    assert accepted(model, 0, -1) == -1
    assert accepted(model, 0, -2) == accepted(model, 0, 1) == 0
    assert accepted(model, 0, -2, reduce_only=1) == -1


def test_what_an_isolated_order_reserves_is_rounded_up():
    """A lot at 3x: 100 USD times 333,333,333 billionths, so 33,333,333.3 micro-USD."""
    scenario = market({"one": people((100.0, {}), mode="isolated"), "rich": people((1e6, {}))})
    scenario["traders"]["one"]["leverage"] = {"median": 3.0}
    accounts = (model := model_of(scenario)).world.clearing.accounts
    assert accounts.allotment_rate[0] == 333_333_333
    accounts.wallet[0] = 33_333_333
    assert accepted(model, 0, 1) == 0
    accounts.wallet[0] += 1
    assert accepted(model, 0, 1) == 1


def test_unknown_headroom_is_no_amount_of_money():
    assert UNKNOWN == -LARGEST - 1


class Plain:
    """What one account may order, in Python's own numbers, from the words.

    BTC and ETH at 10x, isolated at 8x; of COIN, spot, 20 % count for nothing and 10 % not for
    opening; GOLD, spot too, opens nothing.
    """

    def __init__(self, model, buys, sells) -> None:
        a, self.buys, self.sells = model.world.clearing.accounts, buys, sells
        self.cash, self.held = int(a.cash[0, 0]), a.position[:, 0].tolist()
        self.mode, self.chosen = a.mode[:, 0].tolist(), a.chosen_mode[:, 0].tolist()
        self.rate = Fraction(int(a.allotment_rate[0]), 10**9)
        self.marks = [int(mark) * 10_000 for mark in model.world.board.ticks]

    def is_cross(self, a: int) -> bool:
        mode = self.chosen[a] if self.mode[a] == FLAT else self.mode[a]
        return a > 1 or mode == CROSS

    def reserve(self, a: int, buys: int, sells: int) -> int:
        worst = max(abs(self.held[a] + buys), abs(self.held[a] - sells))
        if a > 1:
            return worst * self.marks[a]
        if self.is_cross(a):
            return ceil(Fraction(worst * self.marks[a], 10))
        more = max(0, worst - abs(self.held[a])) * self.marks[a]
        return max(ceil(more * self.rate), ceil(ceil(Fraction(more, 10)) * Fraction(5, 4)))

    def equity(self) -> int:
        cross = [a for a in range(4) if self.mode[a] == CROSS]
        return self.cash + sum(self.held[a] * self.marks[a] for a in cross)

    def headroom(self, asset: int) -> int:
        free = self.equity()
        for a in range(4):
            if a != asset:
                free -= self.reserve(a, self.buys[a], self.sells[a])
        if asset in (0, 1) and self.is_cross(asset) and self.held[2] > 0:
            worth = self.held[2] * self.marks[2]
            free += max(0, worth - ceil(Fraction(worth, 5)) - ceil(Fraction(worth, 10)))
        return free

    def free(self) -> int:
        return max(0, self.equity() - sum(self.reserve(a, 0, 0) for a in range(4)))

    def takes(self, a: int, lots: int, reduce_only: int) -> int:
        held, side = self.held[a], 1 if lots > 0 else -1
        opposite = held * lots < 0
        if reduce_only:
            return side * min(abs(lots), abs(held)) if opposite else 0
        resting = self.buys[a] if lots > 0 else self.sells[a]
        if opposite and abs(lots) + resting <= abs(held):
            return lots
        if a > 1 and lots < 0:
            return 0
        need = self.reserve(
            a, self.buys[a] + max(0, lots), self.sells[a] + max(0, -lots)
        )  # fmt: skip
        return lots if need <= self.headroom(a) else 0


def test_random_orders_are_taken_as_the_words_say_to_the_micro_usd():
    """Wallets at what an order needs and a micro-USD below, positions and orders in four assets."""
    names, draw = ("BTC", "ETH", "COIN", "GOLD"), np.random.default_rng(17)
    scenario = market(
        {"one": people((1000.0, {}))}, assets=names, margin__isolated__initial_margin_factor=1.25,
        margin__collateral={"COIN": {"haircut": 0.2, "initial_addition": 0.1}},
    )  # fmt: skip
    for name in names[2:]:
        scenario["assets"][name]["kind"] = "spot"
        del scenario["margin"]["brackets"][name]
    c, marks = (model := model_of(scenario)).world.clearing, model.world.board.ticks
    a, taken, refused = c.accounts, 0, 0
    for case in range(600):
        a.position[:, 0] = draw.integers(-6, 7, 4) * (draw.random(4) < 0.6)
        a.position[2:] = np.abs(a.position[2:])
        a.mode[:, 0] = np.where(a.position[:, 0] == 0, FLAT, draw.choice((ISOLATED, CROSS), 4))
        a.mode[2:] = np.where(a.position[2:] == 0, FLAT, CROSS)
        a.chosen_mode[:, 0] = draw.choice((ISOLATED, CROSS), 4)
        a.allotment_rate[0] = draw.integers(1, 400_000_000)
        marks[:] = draw.integers(7000, 13_000, 4)
        a.cash[:, 0] = draw.integers(-1000 * USD, 1000 * USD, 5)
        buys, sells = draw.integers(0, 5, (2, 4, 1)) * (draw.random((2, 4, 1)) < 0.5)
        sells[2:] = 0
        k, lots = int(draw.integers(0, 4)), int(draw.choice((-7, -3, -2, -1, 1, 2, 3, 7)))
        plain = Plain(model, buys[:, 0].tolist(), sells[:, 0].tolist())
        if case % 3:
            need = plain.reserve(k, plain.buys[k] + max(0, lots), plain.sells[k] + max(0, -lots))
            a.cash[0, 0] += need - plain.headroom(k) - case % 3 + 1
            plain.cash = int(a.cash[0, 0])
        rest = (a, c.tables, marks, buys, sells)
        assert headroom(*rest, k, 0) == plain.headroom(k)
        assert headroom(*rest, -1, 0) == plain.headroom(-1)
        assert free_wallet(a, c.tables, marks, 0) == plain.free()
        only = int(draw.random() < 0.2)
        found, room = accepted_lots(*rest, 0, k, lots, only, UNKNOWN)
        assert found == plain.takes(k, lots, only)
        assert room in (UNKNOWN, plain.headroom(k))
        taken, refused = taken + (found != 0), refused + (found == 0)
        if room != UNKNOWN:
            assert accepted_lots(*rest, 0, k, lots, 0, room) == (found, room)
            assert accepted_lots(*rest, 0, k, lots, 0, -LARGEST) == (0, -LARGEST)
    assert taken > 150 and refused > 150
