"""8. Margin that follows the depth of the book: thinner asks for more, at a price that stands."""

from __future__ import annotations

from itertools import pairwise
from math import isclose, sqrt

import pytest

from stresslab.core.columns import CANCEL_ALL
from tests.markets import (
    ORDER_BOOK,
    TICKS,
    USD,
    Ask,
    buy_at_market,
    market,
    model_of,
    people,
    rows,
    scripted,
    tables_of,
)

THIN, DEEP = 2, 3  # rows of the two makers: 100 and 900 lots on each side
WITHDRAW = 4  # step in which the deep one leaves


def quotes(row, bids, asks=None):
    """Return one maker's orders, 0.1 % off 100 USD on each side."""
    return [Ask(row, bids, 9_990), Ask(row, -(bids if asks is None else asks), 10_010)]


def withdrawn(row, side=0):
    """Return the withdrawal of a maker's orders, of one side if it is named."""
    return [Ask(row, side, kind=CANCEL_ALL)]


def thinning(mode, lots, *, wealth_usd=60.0, script=None, venue=None, **part):
    """Return a market of 100,000 USD a side that is left with 10,000; its mid stands at 100 USD."""
    scenario = market(
        {
            "one": people((wealth_usd, {"BTC": lots}), mode=mode),
            "other": people((1e6, {"BTC": -lots}), (1e6, {}), (1e6, {}), (20.0, {})),
        },
        market__book=ORDER_BOOK,
        market__mark={"rule": "mid"},
        margin__brackets={
            "BTC": [{"floor_usd": 0.0, "maintenance_rate": 0.05, "max_leverage": 18.0}]
        },
        margin__cross={"closure": {"kind": "whole"}, "penalty_rate": 0.0},
        duration_seconds=8.0,
        margin__requirement={"depth": {"kind": "depth", "notional_usd": 5e4, **part}},
        **(venue or {}),
    )
    steps = {1: quotes(THIN, 100) + quotes(DEEP, 900), WITHDRAW: withdrawn(DEEP)}
    return scripted(scenario, {**steps, **(script or {})})


def causes(tables):
    return dict(rows(tables, "breach_amounts", "cause", "amount_micro_usd"))


# -- the decisive test: the book thins at a fixed price --------------------------------------------

#: Closing 50,000 USD costs 0.5 % where 100,000 move the price by 1 %, and 5 % where 10,000 do.
ABOVE = {"multiple": 1.0, "above": 0.005}


@pytest.mark.parametrize("lots", [10, -10])
@pytest.mark.parametrize("mode", ["isolated", "cross"])
def test_a_maintenance_add_on_liquidates_at_a_price_that_never_moved(mode, lots):
    """4.5 % more of 1,000 USD: 95 are needed of 60."""
    tables = tables_of(thinning(mode, lots, maintenance=ABOVE))
    assert set(tables["path"]["mark_ticks"].tolist()) == {TICKS}
    assert tables["path"]["bid_depth_lots"].tolist() == [1000] * 3 + [100] * 5
    found = rows(tables, "liquidations", "mode", "step", "maintenance_micro_usd")
    assert found == [(mode, WITHDRAW, 95 * USD)]
    assert causes(tables) == {"requirement": 45 * USD}
    assert tables["breach_amounts"]["stage"].tolist() == [-1], "no price move is its parent"
    assert tables["price_causes"]["stage"].size == 0


@pytest.mark.parametrize("lots", [10, -10])
@pytest.mark.parametrize("mode", ["isolated", "cross"])
def test_an_initial_margin_add_on_calls_and_refuses_and_liquidates_nobody(mode, lots):
    """22.5 % more: the holder of 60 USD is called, and 20 USD no longer buy a lot of 100."""
    venue = {"margin__call_below_initial": True, "margin__call_levels": [1.0]}
    order = buy_at_market(4, lots // 10)
    before = thinning(mode, lots, venue=venue, initial={**ABOVE, "multiple": 5.0},
                      script={3: [order]})  # fmt: skip
    after = thinning(mode, lots, venue=venue, initial={**ABOVE, "multiple": 5.0},
                     script={6: [order]})  # fmt: skip
    refused = []
    for model in (before, after):
        tables = tables_of(model)
        assert max(tables["requirements"]["initial_add_on"]) >= 0.225
        assert max(tables["requirements"]["maintenance_add_on"]) == 0
        assert tables["liquidations"]["account"].size == 0
        assert tables["accounts"]["n_margin_calls"].tolist()[0] == 1
        refused += tables["counts"]["refused"].tolist()
    assert refused == [0, 1]


def test_a_book_that_stays_deep_asks_for_nothing():
    tables = tables_of(thinning("cross", 10, script={WITHDRAW: []}, maintenance=ABOVE))
    assert tables["path"]["bid_depth_lots"].tolist() == [1000] * 8
    assert tables["requirements"]["step"].tolist() == [0]
    assert tables["liquidations"]["account"].size == 0


# -- monotone in depth -----------------------------------------------------------------------------


def add_on_at(bids, asks, **rules):
    """Return the maintenance add-on where one maker quotes so many lots on each side."""
    script = {1: quotes(DEEP, bids, asks), WITHDRAW: []}
    tables = tables_of(thinning("cross", 10, wealth_usd=1e4, script=script, maintenance=rules))
    assert (tables["path"]["bid_depth_lots"][-1], tables["path"]["ask_depth_lots"][-1]) == (
        bids,
        asks,
    )
    return tables["requirements"]["maintenance_add_on"][-1]


def test_it_never_falls_as_depth_falls():
    """From 100,000 lots to one: 0.01 · 500 lots / depth, until the cap."""
    found = [
        add_on_at(n, n, multiple=2.0, above=0.001, cap=0.9) for n in (10**5, 5000, 300, 11, 7, 1)
    ]
    assert found == [0.0, 0.0, 0.031333333, 0.9, 0.9, 0.9]
    sizes = range(12, 600, 49)
    paths = [add_on_at(n, n, multiple=2.0, cap=0.9) for n in sizes]
    assert all(less > more for less, more in pairwise(paths))
    assert paths == [round(2 * 0.01 * 500 / n, 9) for n in sizes]


@pytest.mark.parametrize("sides", [(1000, 100), (100, 1000)])
def test_the_thinner_side_counts(sides):
    assert add_on_at(*sides, multiple=1.0) == 0.05


def test_an_empty_side_asks_for_the_cap():
    script = {WITHDRAW: withdrawn(DEEP, 1) + withdrawn(THIN, 1)}
    model = thinning("cross", 10, wealth_usd=1e4, script=script,
                     maintenance={"multiple": 1e-6, "cap": 0.3})  # fmt: skip
    tables = tables_of(model)
    assert tables["path"]["bid_depth_lots"].tolist()[-1] == 0
    assert tables["path"]["ask_depth_lots"].tolist()[-1] == 1000
    assert tables["path"]["mark_ticks"].tolist()[-1] == TICKS
    assert tables["requirements"]["maintenance_add_on"].tolist()[-1] == 0.3


def test_depth_beyond_one_per_cent_does_not_count():
    far = [Ask(DEEP, 900, 9_899), Ask(DEEP, -900, 10_101)]
    script = {1: quotes(THIN, 100) + far, WITHDRAW: []}
    tables = tables_of(thinning("cross", 10, script=script, maintenance={"multiple": 0.1}))
    assert tables["requirements"]["maintenance_add_on"].tolist()[-1] == 0.005


# -- average and speed -----------------------------------------------------------------------------


def test_an_average_forgets_depth_by_its_half_life():
    """1,000 lots, then 100: a half-life of two steps keeps sqrt(1/2) of the difference."""
    tables = tables_of(
        thinning("cross", 10, wealth_usd=1e4, half_life_seconds=2.0, maintenance={"multiple": 1.0})
    )
    found = dict(rows(tables, "requirements", "step", "maintenance_add_on"))
    depth, expected = 1000.0, {}
    for step in range(WITHDRAW, 9):
        depth = sqrt(0.5) * depth + (1 - sqrt(0.5)) * 100
        expected[step] = 0.01 * 500 / depth
    assert list(found) == [0, 1, 4, 5, 6, 7, 8]
    assert found[0] == 0 and found[1] == 0.005
    assert all(isclose(found[step], expected[step], abs_tol=1e-9) for step in expected)


def test_a_slow_add_on_follows_a_sudden_withdrawal():
    """0.5 % at once would be 5 %: it rises by 1 % a second instead, and no faster."""
    limits = {"multiple": 1.0, "rise_per_second": 0.01}
    tables = tables_of(thinning("cross", 10, wealth_usd=1e4, maintenance=limits))
    found = rows(tables, "requirements", "step", "maintenance_add_on")
    assert found == [
        (0, 0.0),
        (1, 0.005),
        (4, 0.015),
        (5, 0.025),
        (6, 0.035),
        (7, 0.045),
        (8, 0.05),
    ]


# -- impact books ----------------------------------------------------------------------------------


@pytest.mark.parametrize("depth_usd", [1e5, 1e6])
def test_in_an_impact_book_depth_is_what_moves_the_law_by_one_per_cent(depth_usd):
    law = {"kind": "linear", "depth_usd": depth_usd}
    scenario = market(
        {"one": people((1e6, {"BTC": 10}), (1e6, {"BTC": -10}))},
        market__book={"kind": "impact", "law": law},
        margin__requirement={
            "d": {"kind": "depth", "notional_usd": 5e5, "maintenance": {"multiple": 1.0}}
        },
    )
    model = model_of(scenario)
    tables = tables_of(model)
    lots = min(tables["path"]["bid_depth_lots"][-1], tables["path"]["ask_depth_lots"][-1])
    assert isclose(lots * 100, depth_usd, rel_tol=0.02)
    found = tables["requirements"]["maintenance_add_on"].tolist()
    assert found == [0.0, round(0.01 * 5e5 / (lots * 100), 9)]
