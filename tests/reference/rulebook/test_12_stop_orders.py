"""Mechanic 12: stop-losses and take-profits, on mark, last trade or index, at market or at a limit.

The decisive story: a cluster of stops makes a cascade in which nobody is liquidated, and the fall
is booked to the cause `stop`.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from stresslab.core.columns import IOC, LIMIT, MARKET
from stresslab.core.declarations import build, faults
from stresslab.model.halts import hold_back
from stresslab.scenario import Scenario
from tests.markets import (
    ORDER_BOOK,
    TICKS,
    USD,
    Ask,
    changed,
    fall,
    market,
    model_of,
    orders_of,
    people,
    rows,
    scripted,
    tables_of,
)

LEVELS = [9900 - 50 * k for k in range(10)]
THIN = {"kind": "impact", "law": {"kind": "linear", "depth_usd": 1000.0}}  # 10 lots: 1 %


def holders(levels: list[int], *, side: int = 1, lots: int = 10, script=None, **changes):
    """Return a model of unlevered holders with a stop-loss each, and one rich trader opposite."""
    group = people(*[(lots * 100.0, {"BTC": side * lots})] * len(levels))
    rich = people((1e7, {"BTC": -side * lots * len(levels)}))
    scenario = market({"holders": group, "rich": rich}, duration_seconds=12.0)
    scenario = changed(scenario, **changes)
    model = model_of(scenario) if script is None else scripted(scenario, script)
    model.world.crowd.columns.stop_ticks[0, : len(levels)] = levels
    return model


def by_cause(tables) -> dict[str, float]:
    """Return the ticks that each cause moved the mark in all."""
    moves = {
        (stage, asset): to - start
        for stage, asset, start, to in rows(
            tables, "price_moves", "stage", "asset", "from_ticks", "to_ticks"
        )
    }
    total: dict[str, float] = {}
    for stage, asset, cause, share in rows(
        tables, "price_causes", "stage", "asset", "cause", "share"
    ):
        total[cause] = total.get(cause, 0.0) + share * moves[stage, asset]
    return total


def cascade_by_hand(index: int, levels: list[int]) -> list[int]:
    """Return the marks after the fall: each stop reached sells 10 lots, which move 1 % each."""
    waiting, sold, marks = sorted(levels), 0, [index]
    while True:
        reached = [level for level in waiting if marks[-1] <= level]
        waiting = [level for level in waiting if level not in reached]
        if not reached:
            return marks
        sold += len(reached)
        marks.append(round(Fraction(index) * (100 - sold) / 100))


def test_a_cluster_of_stops_makes_a_cascade_with_no_liquidation():
    thin = {"market__book": THIN, "market__mark": {"rule": "mid"}}
    expected = cascade_by_hand(9900, LEVELS)
    assert len(expected) >= 4 and expected[-1] == 8910

    tables = tables_of(holders(LEVELS, market__shocks={"s": fall(0.01)}, **thin))
    marks = tables["path"]["mark_ticks"].tolist()

    assert tables["accounts"]["n_stops"].tolist() == [1] * 10 + [0]
    assert marks[1 : 1 + len(expected)] == expected
    assert set(marks[1 + len(expected) :]) == {expected[-1]}
    assert rows(tables, "liquidations", "account") == []
    assert rows(tables, "forced_orders", "account") == []


def test_without_the_stops_the_price_falls_by_the_shock_alone():
    tables = tables_of(
        holders([0] * 10, market__shocks={"s": fall(0.01)}, market__book=THIN,
                market__mark={"rule": "mid"})
    )  # fmt: skip
    assert set(tables["path"]["mark_ticks"].tolist()) == {TICKS, 9900}


def test_the_fall_is_booked_to_the_stops():
    tables = tables_of(holders(LEVELS, market__shocks={"s": fall(0.01)}, market__book=THIN,
                               market__mark={"rule": "mid"}))  # fmt: skip
    moved = by_cause(tables)
    assert moved["index"] == pytest.approx(-100, abs=1e-9)
    assert moved["stop"] == pytest.approx(8910 - 9900, abs=0.5)
    assert "voluntary" not in moved and "liquidation" not in moved


@pytest.mark.parametrize("half_life", [None, 2.0])
def test_what_resilience_gives_back_goes_to_the_stops_too(half_life):
    law = {**THIN["law"], "resilience_half_life_seconds": half_life}
    tables = tables_of(
        holders([9900], market__shocks={"s": fall(0.01)}, market__mark={"rule": "mid"},
                market__book={"kind": "impact", "law": law})
    )  # fmt: skip
    left = 1.0 if half_life is None else 0.5 ** ((12 - 3) / half_life)
    assert by_cause(tables)["stop"] == pytest.approx(-99 * left, abs=1.0)


def test_in_an_order_book_stops_walk_down_the_bids():
    """Bids of 10 lots every 60 ticks: each stop eats one and moves the mid half of the way."""
    bids = [Ask(3, 10, 9970 - 60 * k, LIMIT) for k in range(6)] + [Ask(3, -10, TICKS, LIMIT)]
    model = holders([9985, 9960, 9930], script={1: bids}, market__book=ORDER_BOOK,
                    market__mark={"rule": "mid"})  # fmt: skip
    tables = tables_of(model)
    assert tables["path"]["mark_ticks"].tolist()[:6] == [9985, 9955, 9925, 9895, 9895, 9895]
    assert tables["accounts"]["n_stops"].tolist() == [1, 1, 1, 0]
    assert by_cause(tables)["stop"] == -90 and rows(tables, "liquidations", "account") == []


def test_a_liquidation_tipped_over_by_stops_is_their_doing():
    """10 holders sell 100 lots; a levered one, 3 % above its liquidation price, goes with them."""
    levered = people((86.0, {"BTC": 10}))
    model = model_of(
        market(
            {"holders": people(*[(1000.0, {"BTC": 10})] * 3), "levered": levered,
             "rich": people((1e7, {"BTC": -40}))},
            duration_seconds=8.0, market__book=THIN, market__mark={"rule": "mid"},
            market__shocks={"s": fall(0.01)}, liquidation__feedback="no_feedback",
            margin__brackets__BTC=[
                {"floor_usd": 0.0, "maintenance_rate": 0.05, "max_leverage": 12.0}
            ],
        )
    )  # fmt: skip
    model.world.crowd.columns.stop_ticks[0, :3] = (9900, 9900, 9900)
    tables = tables_of(model)
    [(account, stage)] = rows(tables, "liquidations", "account", "stage")
    causes = [
        (cause, round(share, 2))
        for at, cause, share in rows(tables, "price_causes", "stage", "cause", "share")
        if at == stage
    ]
    assert account == 1_000_000
    assert ("stop", 1.0) in causes and {c for c, _ in causes} <= {"stop", "rounding"}


# -- which price triggers --------------------------------------------------------------------------

WATCHED = ("mark", "last", "index")


def watching(trigger: str, moved: str, ticks: int, *, side: int = 1, level: int, profit=False):
    """Return how many stops go when one of the three prices, and only that one, goes to a tick."""
    opposite = [Ask(1, side, ticks, LIMIT), Ask(2, -side, ticks, LIMIT)] if moved == "last" else []
    model = holders(
        [0], side=side, script={2: opposite}, market__book=ORDER_BOOK,
        market__mark={"rule": "index" if moved == "mark" else "blend", "index_weight": 1.0},
        traders__holders__stops={"trigger": trigger},
        traders__other=people((1e7, {})),
    )  # fmt: skip
    columns = model.world.crowd.columns
    (columns.take_profit_ticks if profit else columns.stop_ticks)[0, 0] = level
    if moved == "index":
        model.mark = lambda: None  # the mark stands still
    if moved in ("mark", "index"):
        model.world.index[3:] = ticks
    if moved == "mark":
        record = model.margin

        def margin_before_the_index_moves():
            model.world.oracle_now[:] = TICKS
            record()

        model.margin = margin_before_the_index_moves
    tables = tables_of(model)
    return int(tables["accounts"]["n_stops"][0])


@pytest.mark.parametrize("profit", [False, True])
@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("moved", WATCHED)
def test_each_price_triggers_at_its_tick_and_not_one_before(moved, side, profit):
    away = -side if not profit else side  # where prices must go
    level = TICKS + 100 * away
    for ticks, goes in ((level, 1), (level - away, 0), (level + away, 1)):
        assert watching(moved, moved, ticks, side=side, level=level, profit=profit) == goes


@pytest.mark.parametrize("trigger", WATCHED)
def test_a_stop_watches_no_other_price(trigger):
    moves = {moved: watching(trigger, moved, 9900, level=9900) for moved in WATCHED}
    assert moves == {moved: int(moved == trigger) for moved in WATCHED}


# -- how it executes -------------------------------------------------------------------------------


def gapped(side: int, execution: str, offset: float = 0.0):
    """Return the path of one holder's position through a gap of 10 % that comes back to 6 %."""
    stops = {"execution": execution, "limit_offset": offset}
    model = holders([TICKS - side * 500], side=side, duration_seconds=6.0,
                    traders__holders__stops=stops)  # fmt: skip
    index = [TICKS, TICKS - side * 1000, TICKS - side * 1000, TICKS - side * 600, TICKS, TICKS]
    model.world.index[1:7, 0] = index
    held = []
    for _ in index:
        model.step()
        held.append(int(model.world.clearing.accounts.position[0, 0]))
    return held, model


@pytest.mark.parametrize("side", [1, -1])
def test_a_market_stop_takes_any_price_after_a_gap(side):
    held, model = gapped(side, "market")
    assert held == [10 * side, 10 * side, 0, 0, 0, 0]
    equity = model.world.clearing.accounts.wallet[0]
    assert abs(equity - (1000 - 100) * USD) <= 1, "10 lots closed 10 % from their entry"


@pytest.mark.parametrize(("offset", "closed_at"), [(0.0, 4), (0.0105, 4), (0.011, 3)])
def test_a_limit_stop_waits_for_its_limit(offset, closed_at):
    """Trigger 9,500: limits 9,500, 9,400.25 and 9,395.5 ticks; the price comes back to 9,400."""
    held, model = gapped(1, "limit", offset)
    assert held == [10] * closed_at + [0] * (6 - closed_at)
    paid = TICKS if closed_at == 4 else 9400
    assert abs(model.world.clearing.accounts.wallet[0] - 10 * paid * 10_000) <= 1
    assert not model.world.crowd.columns.waiting_ticks.any()


def test_a_limit_stop_of_a_short_waits_above():
    """Trigger 10,500: a limit of 0.94 % beyond is 10,598.7, up to 10,599; 10,600 is too high."""
    assert gapped(-1, "limit", 0.0094)[0] == [-10] * 4 + [0] * 2
    assert gapped(-1, "limit", 0.0096)[0] == [-10] * 3 + [0] * 3


def test_while_a_market_is_halted_market_stops_are_kept_and_limit_stops_sent_anew():
    """Both wait; the limit order is one of every step, so keeping it would double it."""
    batch = orders_of([Ask(0, -10, kind=MARKET, reduce_only=1),
                       Ask(1, -10, 9500, kind=IOC, reduce_only=1)])  # fmt: skip
    for _ in range(3):
        hold_back(batch, np.array([True]))
        assert batch.kind[: batch.n[0]].tolist() == [MARKET]
    hold_back(batch, np.array([False]))
    assert batch.n[0] == 0


def test_of_stop_loss_and_take_profit_one_cancels_the_other():
    model = holders([9000])
    columns = model.world.crowd.columns
    columns.take_profit_ticks[0, 0] = 10_500
    model.world.index[2:, 0] = 10_500
    model.world.index[6:, 0] = 8_000
    tables = tables_of(model)
    assert tables["accounts"]["n_stops"].tolist() == [1, 0]
    assert abs(model.world.clearing.accounts.wallet[0] - 1050 * USD) <= 1
    assert columns.stop_ticks[0, 0] == columns.take_profit_ticks[0, 0] == 0


def test_speculators_take_profit_where_the_gain_is_the_part_of_margin_they_want():
    """At 5x a gain of the whole margin is a move of 20 %: not at 11,999 ticks, at 12,000."""
    for ticks, stops in ((11_999, 0), (12_000, 1)):
        crowd = people((400.0, {"BTC": 10}))
        crowd["strategy"] = {"kind": "leveraged_speculator", "stop_share": 0.0,
                             "take_profit_share": 1.0, "take_profit": 1.0, "topup_share": 0.0,
                             "entry_probability": 0.0, "exit_probability": 0.0}  # fmt: skip
        crowd["leverage"] = {"median": 5.0}
        model = model_of(market({"crowd": crowd, "rich": people((1e6, {"BTC": -10}))}))
        model.world.index[2:] = ticks
        assert tables_of(model)["accounts"]["n_stops"].tolist() == [stops, 0]


def test_an_offset_without_a_limit_order_is_a_fault():
    scenario = market({"one": {**people((1.0, {})), "stops": {"limit_offset": 0.01}}})
    [(path, message)] = faults(build(Scenario, scenario))
    assert path == "traders.one.stops.limit_offset" and "execution 'limit'" in message
