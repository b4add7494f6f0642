"""Rule 9: how pools margined by scenarios are judged and closed, and what ate their margin."""

from __future__ import annotations

import random
from fractions import Fraction

import numpy as np
import pytest

from stresslab.core.events import CROSS, ISOLATED
from stresslab.margin.sweep import pools_short_of_margin
from tests.markets import TICKS, USD, fall, lively, model_of, people, rows, run, state, tables_of
from tests.reference.scenario_venue import CLASS, LEAST, venue


def test_the_look_in_floats_lets_no_short_pool_pass():
    """A thousand random books, two fifths of them within a few micro-USD of their requirement."""
    rng = random.Random(12)
    story = venue((1e6, {}), perpetuals=("A", "B", "C"), spot=("S",),
                  rules={"classes": {"x": ["B", "C"]}, "break_move": 0.2, "floor_of_hedged": 0.02,
                         "move_scale": {"C": 1.3}, "hedge_credit": 0.9})  # fmt: skip
    model = model_of({**story, "traders": {"many": people(*[(1e6, {})] * 1000)}})
    c = model.world.clearing
    held = [[rng.choice((0, 1, -1)) * rng.randint(1, 10**6) for _ in range(1000)] for _ in range(4)]
    c.accounts.position[:] = held
    c.accounts.position[3] = abs(c.accounts.position[3])
    c.accounts.mode[:] = np.where(c.accounts.position != 0, CROSS, 0)
    marks = np.array([9_713, 10_411, 8_017, 101])
    for level in (10**9, 800_000_000):
        c.accounts.cash[0] = 0
        for n in range(1000):
            value, maintenance, _ = state(model, n, marks=marks)
            wanted = -(-maintenance * 10**9 // level)
            off = rng.choice((0, -1, 1, -3, 4, 10**4, -(10**5), 10**9, -(10**9), 10**12))
            c.accounts.cash[0, n] = wanted - value + off
        states = [state(model, n, marks=marks) for n in range(1000)]
        expected = [n for n, (e, m, _) in enumerate(states) if e * level < m * 10**9]
        room = np.empty(c.accounts.cash.size, np.int64)
        found = pools_short_of_margin(c.accounts, c.tables, marks, level, room)
        assert found.tolist() == expected
        assert 300 < len(expected) < 700


def test_what_memory_held_before_is_not_looked_at(monkeypatch):
    """Columns of a tile beyond the last account may hold anything, infinity too."""
    model = model_of(venue((170.0, {"BTC": 10}), (200.0, {"BTC": -10}), (1e6, {})))
    c, marks = model.world.clearing, np.array([TICKS - 200, TICKS])
    room = np.empty(c.accounts.cash.size, np.int64)

    def used(shape, kind=np.float64):
        return np.full(shape, np.inf if np.dtype(kind).kind == "f" else 77, kind)

    monkeypatch.setattr(np, "empty", used)
    found = pools_short_of_margin(c.accounts, c.tables, marks, 10**9, room)
    equity, maintenance, _ = state(model, 0, marks=marks)
    assert (equity, maintenance) == (150 * USD, 155_820_000) and found.tolist() == [0]


def test_beside_scenarios_isolated_positions_are_judged_by_their_bracket_to_the_unit():
    """A look in floats cannot tell them apart: a micro-USD below 5 %, at 5 %, and one above."""
    model = model_of(venue((1e6, {}), (1e6, {}), (1e6, {})))
    c = model.world.clearing
    for n, off in enumerate((1, -1, 0)):
        c.accounts.position[1, n], c.accounts.mode[1, n] = -7, ISOLATED
        c.accounts.cash[2, n] = 735 * USD + off
        assert state(model, n, pool=2)[:2] == (35 * USD + off, 35 * USD)
    room = np.empty(c.accounts.cash.size, np.int64)
    found = pools_short_of_margin(c.accounts, c.tables, model.world.board.ticks, 10**9, room)
    assert [divmod(code, c.accounts.id.size) for code in found.tolist()] == [(2, 1)]


@pytest.mark.parametrize("side", [1, -1])
def test_a_lone_leg_breaches_at_the_first_tick_of_its_closed_form(side):
    """Equity W + s q (p - 100) against q p (0.8 x 0.18 + 0.015)."""
    model = model_of(venue((300.0, {"BTC": 10 * side})))
    rate = Fraction("0.159")
    bankrupt = (Fraction(1000 * side) - 300) / (10 * side - 10 * rate)
    flips = []
    for ticks in range(int(bankrupt * 100) - 3, int(bankrupt * 100) + 4):
        equity, maintenance, _ = state(model, 0, marks=[ticks, TICKS])
        p = Fraction(ticks, 100)
        assert (equity < maintenance) == (300 + side * 10 * (p - 100) < 10 * p * rate)
        flips.append(equity < maintenance)
    assert True in flips and False in flips


def test_the_least_share_of_all_legs_restores_the_pool_and_one_permille_less_does_not():
    """Equity 40 of the broken hedge against 0.9: 43.08 (1 - s) is at most 36 from s = 0.1644."""
    story = venue(
        (160.0, {"BTC": 1000, "ETH": -1000}),
        market__shocks={"a": fall(0.2), "b": fall(0.08, "ETH")},
    )
    story["traders"]["some"]["accounts"][0]["wealth_usd"] = 16_000.0
    tables = run(story)
    orders = rows(tables, "forced_orders", "round", "asset", "filled_lots")
    maintenance = Fraction("0.144") * 120 * 100 + Fraction("0.015") * 172_000
    target = Fraction("0.9") * 4000
    share = next(
        s for s in range(1, 1001)
        if maintenance * (1000 - s) / 1000 <= target
    )  # fmt: skip
    assert orders == [(1, 0, -share), (1, 1, share)]
    assert rows(tables, "liquidations", "outcome") == [("restored",)]


def test_a_pool_that_no_share_restores_is_closed_whole():
    tables = run(venue((160.0, {"BTC": 10, "ETH": -10}), market__shocks={"a": fall(0.5)}))
    assert rows(tables, "forced_orders", "round", "asset", "filled_lots") == [
        (1, 0, -10),
        (1, 1, 10),
    ]
    assert rows(tables, "liquidations", "outcome") == [("bankrupt",)]


HEDGE = {"a": fall(0.3), "b": fall(0.2, "ETH")}


def test_a_kink_of_the_grid_is_shared_along_the_move():
    """Longs 1,000 to 700 and shorts 900 to 720: the net turns at five sixths of the move.

    Up to there BTC lowers the requirement and ETH raises it, then the reverse: -250 + 50 and
    150 - 30 times 14.4 cents. Only the 1,024th of the move with the turn in it may be off.
    """
    tables = run(venue((130.0, {"BTC": 10, "ETH": -9}), market__shocks=HEDGE))
    eaten = dict(rows(tables, "breach_amounts", "asset", "amount_micro_usd"))
    rate, charge, piece = Fraction("0.144"), Fraction("0.015"), Fraction(480, 1024)
    found = {a: Fraction(x, USD) for a, x in eaten.items()}
    assert abs(found[0] - (300 - 200 * rate - 300 * charge)) < piece * rate
    assert abs(found[1] - (-180 + 120 * rate - 180 * charge)) < piece * rate
    assert sum(found.values()) == 120 - 80 * rate - 480 * charge


def test_the_order_of_assets_does_not_matter_to_the_shares():
    found = []
    for order in (("BTC", "ETH"), ("ETH", "BTC")):
        story = venue((130.0, {"BTC": 10, "ETH": -9}), perpetuals=order, market__shocks=HEDGE)
        eaten = dict(rows(run(story), "breach_amounts", "asset", "amount_micro_usd"))
        found.append([eaten[order.index(name)] for name in ("BTC", "ETH")])
    assert max(abs(a - b) for a, b in zip(*found, strict=True)) <= 1


@pytest.mark.parametrize(("further", "expected"), [
    (0.0, {("adl", -1): Fraction("190.3")}),
    (0.1, {("price", 1): Fraction("79.03"), ("adl", -1): Fraction("170.14")}),
])  # fmt: skip
def test_deleveraging_that_breaks_a_hedge_is_charged_with_what_is_then_asked(further, expected):
    """Both fall by 30 %; the long's deficit of 100 takes the hedge's short away, at a loss of 100.

    The hedge had 200 against 21 and has 100 against 111.30 for ETH alone. If ETH falls on to 63 it
    would have lost 70 and been asked 9.03 more with its short, and the rest is still ADL's.
    """
    story = venue(
        (200.0, {"BTC": 10}), (200.0, {"BTC": -10, "ETH": 10}),
        market__book={"kind": "limit_order_book"}, liquidation__feedback="market",
        liquidation__insurance_fund_usd=0.0,
        market__shocks={"s": fall(0.3, "BTC", "ETH"), "t": fall(further, "ETH", at=3.0)},
    )  # fmt: skip
    tables = run(story)
    assert rows(tables, "adl", "account", "asset", "lots", "loss_micro_usd") == [
        (1, 0, 10, 100 * USD)]  # fmt: skip
    assert rows(tables, "liquidations", "account", "step")[:2] == [(0, 2), (1, 3)]
    found = rows(tables, "breach_amounts", "liquidation", "cause", "asset", "amount_micro_usd")
    eaten: dict[tuple[str, int], Fraction] = {}
    for number, cause, place, amount in found:
        if number == 1:
            eaten[cause, place] = eaten.get((cause, place), Fraction(0)) + Fraction(amount, USD)
    assert eaten == expected


@pytest.mark.parametrize("book", ["limit_order_book", "impact"])
def test_causes_and_money_add_up_in_a_lively_market_margined_by_scenarios(book):
    """Every judgement compares the causes with the ledger, and every stage both sums."""
    grid = {"scenarios": [{"spot_move": m} for m in (-0.08, -0.04, 0.0, 0.04, 0.08)]}
    story = lively(
        book,
        0.7,
        margin__portfolio={**CLASS, **grid, "hedge_credit": 0.9, "break_move": 0.05},
        margin__cross__closure=LEAST,
        duration_seconds=25.0,
        market__shocks={"s": fall(0.25, at=10.0)},
        liquidation__insurance_fund_usd=0.0,
    )
    tables = tables_of(model_of(story))
    modes = tables["liquidations"]["mode"].tolist()
    assert modes.count("cross") > 10
    assert tables["adl"]["account"].size > 0
    lost = rows(tables, "liquidations", "liquidation", "excess_before_micro_usd",
                "equity_micro_usd", "maintenance_micro_usd")  # fmt: skip
    amounts = rows(tables, "breach_amounts", "liquidation", "amount_micro_usd")
    for number, before, equity, maintenance in lost:
        mine = sum(x for n, x in amounts if n == number)
        assert mine == before - (equity - maintenance)
