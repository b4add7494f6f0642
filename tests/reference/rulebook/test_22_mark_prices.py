"""Mechanic 22: mark price rules, and an oracle that is late or stale.

The decisive story: one market order in a thin book prints a wick; a venue that marks at the last
price liquidates whom a venue that marks at the index leaves alone, and its forced orders deepen
the wick.
"""

from __future__ import annotations

import random
from fractions import Fraction
from statistics import median

import numpy as np
import pytest

from stresslab.core.columns import LIMIT, MARKET
from stresslab.core.declarations import build, faults
from stresslab.core.events import CAUSE_ID
from stresslab.market.median_mark import make_board
from stresslab.market.oracle import OracleRules, oracle_path
from stresslab.market.rules import MarkRules
from stresslab.scenario import Scenario
from tests.markets import (
    DEEP,
    ORDER_BOOK,
    TICKS,
    USD,
    Ask,
    fall,
    market,
    model_of,
    people,
    rows,
    run,
    scripted,
    tables_of,
)

INDEX, VOLUNTARY, STOP, ROUNDING = (
    CAUSE_ID[name] for name in ("index", "voluntary", "stop", "rounding")
)
RULES = {
    "index": {"rule": "index"},
    "mid": {"rule": "mid"},
    "last": {"rule": "last"},
    "blend": {"rule": "blend", "index_weight": 0.0, "half_life_seconds": 60.0,
              "book_price": "last"},
    "median": {"rule": "median", "half_life_seconds": 60.0, "book_price": "last"},
}  # fmt: skip


def wick(rule: str):
    """Return the log of a market in which 30 lots are sold into 20 lots of near bids.

    Far bids wait at 94 to 80 USD; five holders have 8 % of their notional behind them.
    """
    ladder = [Ask(7, 20, 9990, LIMIT)] + [Ask(7, 20, 9400 - 200 * k, LIMIT) for k in range(8)]
    script = {
        1: [*ladder, Ask(7, -50, 10_010, LIMIT)],
        2: [Ask(6, -30, kind=MARKET)],
        3: [Ask(7, 40, 9990, LIMIT)],
    }
    scenario = market(
        {"holders": people(*[(80.0, {"BTC": 10})] * 5), "others": people(
            (1e6, {"BTC": -50}), (1e6, {}), (1e7, {}))},
        duration_seconds=6.0, market__book=ORDER_BOOK, market__mark=RULES[rule],
        margin__brackets__BTC=[
            {"floor_usd": 0.0, "maintenance_rate": 0.05, "max_leverage": 15.0}
        ],
        liquidation={"feedback": "market"},
    )  # fmt: skip
    return tables_of(scripted(scenario, script))


def test_marking_at_the_last_price_amplifies_a_wick_that_marking_at_the_index_ignores():
    last, index = wick("last"), wick("index")
    path = index["path"]["index_ticks"].tolist()
    assert set(path) == {TICKS} and set(last["path"]["index_ticks"].tolist()) == {TICKS}

    assert index["path"]["volume_lots"][1] == 30, "the wick was there: 10 lots at 94 USD"
    assert rows(index, "liquidations", "account") == []
    assert set(index["path"]["mark_ticks"].tolist()) == {TICKS}

    assert len(last["liquidations"]["account"]) == 5
    assert last["path"]["lowest_mark_ticks"].min() < 9400, "deeper than the wick itself"
    assert last["path"]["forced_lots"].sum() > 40


@pytest.mark.parametrize("rule", ["blend", "median"])
def test_an_average_or_a_median_ignores_it_too(rule):
    """An average of a minute takes in a hundredth of the wick in its one second; 5 % would do."""
    tables = wick(rule)
    assert rows(tables, "liquidations", "account") == []
    assert tables["path"]["mark_ticks"].min() > 9900


def test_the_median_is_the_middle_of_its_three_candidates_to_the_tick():
    """Index, index with the average basis, last trade: by hand in fractions."""
    draw, half_life = random.Random(22), 4.0
    rules = build(MarkRules, {"rule": "median", "half_life_seconds": half_life})
    board = make_board(rules, np.array([10_000]), 1.0)
    gain = Fraction(1 - 0.5 ** (1.0 / half_life))
    index = book = Fraction(10_000)
    basis, seen = Fraction(0), set()
    for _ in range(400):
        di, db = draw.choice([0, 0, -7, 9, 40]), draw.choice([0, -60, 25, 3, 50])
        di, db = (-di, -db) if draw.random() < 0.5 else (di, db)
        board.index_moved(0, di)
        board.book_moved(0, INDEX, di)
        board.book_moved(0, VOLUNTARY, db)
        index, book = index + di, book + di + db
        basis += gain * (book - index - basis)
        board.update(0, time_passes=True)
        expected = median([index, index + basis, book])
        assert abs(int(board.ticks[0]) - expected) <= Fraction(1, 2) + Fraction(1, 10**6)
        seen.add([index, index + basis, book].index(expected))
    assert seen == {0, 1, 2}


@pytest.mark.parametrize("half_life", [1.0, 5.0])
def test_the_causes_of_a_median_add_up_to_its_moves(half_life):
    draw = random.Random(7)
    rules = build(MarkRules, {"rule": "median", "half_life_seconds": half_life})
    board = make_board(rules, np.array([10_000]), 1.0)
    moves = 0
    for turn in range(500):
        board.index_moved(0, draw.choice([0, 11, -11, 3]))
        board.book_moved(0, VOLUNTARY, draw.uniform(-20, 20))
        board.book_moved(0, STOP, draw.choice([0, -33, 33]))
        before = int(board.ticks[0])
        shares = board.update(0, time_passes=turn % 3 == 0)
        move = int(board.ticks[0]) - before
        assert sum((shares or {}).values()) == pytest.approx(move, abs=1e-6)
        assert abs((shares or {}).get(ROUNDING, 0.0)) <= 1.0 + 1e-6
        moves += move != 0
    assert moves > 200


def test_each_piece_of_a_medians_way_belongs_to_the_candidate_in_the_middle():
    """The book falls by 40 while the index falls by 10: candidates 10,000 all, no average yet.

    Within a round no time passes, so index and averaged candidate fall by 10 together and are the
    median all the way: the sale of 30 does not show. A rise of the index by 20 then carries both
    up, above the book: again theirs.
    """
    rules = build(MarkRules, {"rule": "median", "half_life_seconds": 1.0})
    board = make_board(rules, np.array([10_000]), 1.0)
    board.index_moved(0, -10)
    board.book_moved(0, INDEX, -10)
    board.book_moved(0, VOLUNTARY, -30)
    assert board.update(0, time_passes=False) == {INDEX: -10}
    assert board.update(0, time_passes=True) == {VOLUNTARY: -15}, "half of the basis of -30"
    board.book_moved(0, STOP, 60)
    shares = board.update(0, time_passes=False)
    assert shares == {STOP: 15}, "the book crosses 9,975 to 10,020; the index at 9,990 stops it"


def test_a_blend_takes_in_the_last_trade_where_it_is_told_to():
    """One trade at 99 USD between bids and asks that stay where they were."""
    script = {
        1: [Ask(2, 5, 9900, LIMIT), Ask(2, -5, 10_100, LIMIT)],
        2: [Ask(1, -1, kind=MARKET)],
    }
    for price, marks in (("mid", [TICKS] * 4), ("last", [TICKS, 9950, 9950, 9950])):
        scenario = market(
            {"all": people((1e6, {}), (1e6, {}), (1e6, {}))}, market__book=ORDER_BOOK,
            market__mark={"rule": "blend", "index_weight": 0.5, "book_price": price},
        )  # fmt: skip
        tables = tables_of(scripted(scenario, script))
        assert tables["path"]["volume_lots"].sum() == 1
        assert tables["path"]["mark_ticks"].tolist() == marks


def test_the_average_basis_follows_its_half_life():
    """The mid stays at 100 USD while the index rises to 110: half of the basis in each second."""
    tables = run(
        market(
            {"all": people((1e6, {}))}, duration_seconds=5.0, market__book=ORDER_BOOK,
            market__mark={"rule": "blend", "half_life_seconds": 1.0},
            market__shocks={"s": fall(0.1, at=1.0)},
        )
    )  # fmt: skip
    by_hand = [round(9000 + 1000 * (1 - Fraction(1, 2**k))) for k in range(1, 6)]
    assert tables["path"]["mark_ticks"].tolist() == by_hand


# -- the oracle ------------------------------------------------------------------------------------


def published(index: list[int], **rules) -> list[int]:
    path = np.array([index]).T
    return oracle_path(path, build(OracleRules, rules), 1.0)[:, 0].tolist()


def test_a_late_oracle_shows_what_was():
    index = [100, 101, 102, 103, 104, 105]
    assert published(index, lag_seconds=2.0) == [100, 100, 100, 101, 102, 103]
    assert published(index, lag_seconds=1.5) == [100, 100, 100, 101, 102, 103], "whole steps"
    assert published(index, lag_seconds=0.0) == index


def test_a_heartbeat_publishes_every_so_often_and_a_deviation_in_between():
    index = [1000, 1001, 1002, 1003, 1004, 1005, 1100, 1101, 1102]
    assert published(index, heartbeat_seconds=4.0) == [1000] * 4 + [1004] * 4 + [1102]
    jumps = published(index, heartbeat_seconds=4.0, deviation=0.05)
    assert jumps == [1000] * 4 + [1004] * 2 + [1100] * 3
    at_once = [1000, 1000, 1050, 1050]
    assert published(at_once, heartbeat_seconds=9.0, deviation=0.05) == at_once, "exactly 5 %"
    assert published([1000, 1000, 1049], heartbeat_seconds=9.0, deviation=0.05) == [1000] * 3


def test_an_outage_publishes_nothing_and_what_is_due_comes_when_it_is_over():
    index = [10, 11, 12, 13, 14, 15]
    outage = {"o": {"at_seconds": 2.0, "over_seconds": 2.0}}
    assert published(index, outages=outage) == [10, 11, 11, 11, 14, 15]
    late = published(index, outages=outage, heartbeat_seconds=3.0)
    assert late == [10, 10, 10, 10, 14, 14], "due in the third second, published in the fourth"


def levered(rule: str = "index", size: float = 0.2, **oracle):
    scenario = market(
        {"one": people((100.0, {"BTC": 10})), "rich": people((1e6, {"BTC": -10}))},
        duration_seconds=8.0, market__oracle=oracle, market__mark={"rule": rule},
        market__shocks={"s": {**fall(size, at=2.0), "over_seconds": 4.0}},
    )  # fmt: skip
    return run(scenario)


def test_a_late_oracle_liquidates_late_and_leaves_a_larger_deficit():
    """The index falls 5 % a second from the second second on; 100 USD bear 10 %."""
    late = [levered(lag_seconds=float(lag)) for lag in (0, 1, 3)]
    assert [rows(t, "liquidations", "step") for t in late] == [[(4,)], [(5,)], [(7,)]]
    marks = late[2]["path"]["mark_ticks"].tolist()
    index = late[2]["path"]["index_ticks"].tolist()
    assert marks == [TICKS] * 3 + index[:5]


def test_a_stale_oracle_hides_a_fall_and_then_shows_it_at_once():
    """15 % in one move: the deficit is 50 USD, where an oracle in time leaves 10 USD of equity."""
    outage = {"o": {"at_seconds": 2.5, "over_seconds": 2.0}}
    stale, fresh = levered(outages=outage), levered()
    assert rows(fresh, "waterfall", "deficit_micro_usd") == []
    assert rows(stale, "liquidations", "step", "equity_micro_usd") == [(5, -50 * USD)]
    assert rows(stale, "waterfall", "deficit_micro_usd") == [(50 * USD,)]
    assert stale["accounts"]["n_gaps"].tolist()[0] == 1


def test_books_know_the_index_in_time_whatever_the_oracle_does():
    """Marked at its own book, the venue liquidates in time: only index marking is late."""
    tables = levered("mid", lag_seconds=3.0)
    assert rows(tables, "liquidations", "step") == [(4,)]


def test_funding_is_paid_at_the_published_index():
    tables = {}
    for lag in (0.0, 2.0):
        model = model_of(
            market({"one": people((1e5, {"BTC": 10})), "rich": people((1e6, {"BTC": -10}))},
                   market__book=DEEP, market__oracle={"lag_seconds": lag},
                   market__shocks={"s": fall(0.5, at=4.0)},
                   market__funding={"interval_seconds": 4.0, "interest_rate": 0.001,
                                    "clamp": 1.0, "cap": 0.01})
        )  # fmt: skip
        tables[lag] = tables_of(model)["accounts"]["funding_micro_usd"].tolist()
    assert tables == {0.0: [-500_000, 500_000], 2.0: [-USD, USD]}


def test_a_median_of_two_equal_candidates_and_an_idle_deviation_are_faults():
    one = {"one": people((1.0, {}))}
    for changes, path in (
        ({"market__mark": {"rule": "median"}}, "market.mark.half_life_seconds"),
        ({"market__oracle": {"deviation": 0.01}}, "market.oracle.deviation"),
    ):
        assert [where for where, _ in faults(build(Scenario, market(one, **changes)))] == [path]
