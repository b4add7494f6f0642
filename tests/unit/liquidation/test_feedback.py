"""The controls: what forced orders do to prices, and that nothing else changes with them."""

from __future__ import annotations

import numpy as np
import pytest

from tests.markets import (
    LOT,
    ORDER_BOOK,
    TICKS,
    Ask,
    changed,
    drawn,
    fall,
    market,
    model_of,
    people,
    rows,
    run,
    scripted,
    tables_of,
)

UNIT = 10_000
THIN = {"kind": "impact", "law": {"kind": "linear", "depth_usd": 200.0}}
SEEN = (
    "index_ticks", "mark_ticks", "lowest_mark_ticks", "best_bid_ticks", "best_ask_ticks",
    "bid_depth_lots", "ask_depth_lots", "volume_lots",
)  # fmt: skip
LIVELY = {
    "makers": drawn("market_maker", 6, 20_000.0, leverage={"median": 5.0},
                    seconds_between_turns=1.0, parameters={"n_levels": 3}),
    "noise": drawn("noise", 20, 2000.0, seconds_between_turns=2.0),
}  # fmt: skip


def two_longs(feedback: str, book=THIN, wealth: float = 100.0, rule: str = "mid"):
    """Return a fall that breaches the poorer of two longs of 10 lots."""
    return market(
        {
            "longs": people((wealth, {"BTC": 10}), (1.1 * wealth, {"BTC": 10})),
            "short": people((1e6, {"BTC": -20})),
        },
        market__book=book,
        market__mark={"rule": rule},
        market__shocks={"s": fall(0.06)},
        liquidation__feedback=feedback,
        liquidation__insurance_fund_usd=1e6,
    )


def passive(feedback: str, **changes):
    """Return its log."""
    return run(two_longs(feedback, **changes))


def cash(tables):
    return rows(tables, "forced_orders", "account", "filled_lots", "cash_micro_usd")


def test_forced_orders_move_the_mark_and_breach_the_next_one():
    """1 % of the price is 200 USD deep: what the first account must sell breaches the second."""
    with_feedback, without = passive("market"), passive("no_feedback")
    assert without["liquidations"]["account"].tolist() == [0]
    assert with_feedback["liquidations"]["account"].tolist() == [0, 1]
    assert without["path"]["mark_ticks"].tolist() == [TICKS, 9400, 9400, 9400]
    assert with_feedback["path"]["mark_ticks"][1] < 9400


@pytest.mark.parametrize(("was", "now"), [("no_feedback", "market"), ("market", "slipped")])
def test_feedback_that_is_changed_before_the_fall_is_the_feedback_of_the_fall(was, now):
    model = model_of(two_longs(was))
    model.engine.closing.feedback = now
    assert cash(tables_of(model)) == cash(passive(now)) != cash(passive(was))


def test_no_feedback_fills_at_the_mark_of_the_round():
    ((account, lots, got),) = cash(passive("no_feedback"))
    assert account == 0 and -10 < lots < 0
    assert got == -lots * 9400 * UNIT


def test_slipped_pays_what_the_book_asks_and_leaves_the_marks_of_no_feedback():
    slipped, without = passive("slipped"), passive("no_feedback")
    for column in ("mark_ticks", "lowest_mark_ticks", "index_ticks", "best_bid_ticks"):
        assert slipped["path"][column].tolist() == without["path"][column].tolist()
    assert slipped["liquidations"]["account"].tolist() == [0]
    first, (_, lots, got) = cash(slipped)[0], cash(without)[0]
    assert first[1] == lots, "the same order"
    assert first[2] < got - LOT // 100, "at a worse price"


def test_slipped_orders_of_a_round_pay_behind_each_other():
    """Both accounts are sold in one round, each for the same quantity of an order book's bids."""
    bids = drawn("fundamental", 1, 1e6, leverage={"median": 1.0}, seconds_between_turns=0.0,
                 parameters={"threshold": 0.02, "dispersion": 0.0, "ladder_size": 0.0004,
                             "ladder_spacing": 0.01, "order_size": 0.0001})  # fmt: skip
    scenario = market(
        {
            "longs": people((100.0, {"BTC": 10}), (100.0, {"BTC": 10}), mode="isolated"),
            "short": people((1e6, {"BTC": -20})),
            "bids": bids,
        },
        market__book=ORDER_BOOK,
        market__mark={"rule": "index"},
        market__shocks={"s": fall(0.06, at=3.0)},
        liquidation__feedback="slipped",
    )
    tables = run(scenario)
    found = cash(tables)
    assert [row[1] for row in found[:2]] == [-10, -10]
    assert found[0][2] != found[1][2], "one of them was ahead of the other"
    asked = changed(scenario, liquidation__feedback="market")
    assert sum(r[2] for r in found[:2]) == sum(r[2] for r in cash(run(asked))[:2])
    n_resting = tables["path"]["bid_depth_lots"]
    without = run(changed(scenario, liquidation__feedback="no_feedback"))
    assert n_resting.tolist() == without["path"]["bid_depth_lots"].tolist()


@pytest.mark.parametrize("feedback", ["no_feedback", "slipped"])
@pytest.mark.parametrize("book", ["limit_order_book", "impact"])
def test_a_control_touches_no_book_and_nobody_sees_its_liquidations(feedback, book):
    """Given a lively market, whether passive holders are liquidated changes nothing it shows."""
    impact = {"kind": "impact", "law": {"kind": "square_root", "depth_usd": 50_000.0,
                                        "resilience_half_life_seconds": 5.0}}  # fmt: skip
    lively = LIVELY if book == "limit_order_book" else {"noise": LIVELY["noise"]}
    scenario = market(
        {"longs": people(*[(400.0, {"BTC": 30})] * 4), "short": people((1e6, {"BTC": -120})),
         **lively},
        duration_seconds=20.0,
        market__book=ORDER_BOOK if book == "limit_order_book" else impact,
        market__index={"kind": "brownian", "daily_volatility": 0.5},
        market__mark={"rule": "mid"},
        market__shocks={"s": fall(0.12, at=8.0)},
        liquidation__feedback=feedback,
        liquidation__insurance_fund_usd=1e9,
    )  # fmt: skip
    calm = changed(scenario, traders__longs=people(*[(4000.0, {"BTC": 30})] * 4))

    liquidated, safe = run(scenario), run(calm)

    assert len(liquidated["liquidations"]["account"]) >= 4
    assert not np.isin(safe["liquidations"]["account"], range(4)).any()
    assert liquidated["path"]["volume_lots"].sum() > 50
    for column in SEEN:
        assert liquidated["path"][column].tolist() == safe["path"][column].tolist(), column
    others = liquidated["accounts"]["account"] >= 1_000_000
    equity = [t["accounts"]["final_equity_micro_usd"][others].tolist() for t in (liquidated, safe)]
    assert equity[0] == equity[1]
    with_feedback = run(changed(scenario, liquidation__feedback="market"))
    assert with_feedback["path"]["mark_ticks"].tolist() != safe["path"]["mark_ticks"].tolist()


def test_a_market_without_shock_and_liquidation_is_the_same_under_every_feedback():
    scenario = market(
        LIVELY,
        duration_seconds=20.0,
        market__book=ORDER_BOOK,
        market__index={"kind": "brownian", "daily_volatility": 0.3},
        market__mark={"rule": "mid"},
    )
    logs = [
        run(changed(scenario, liquidation__feedback=feedback))
        for feedback in ("market", "slipped", "no_feedback")
    ]
    assert logs[0]["counts"]["fills"][0] > 20
    assert len(logs[0]["liquidations"]["account"]) == 0
    for table, columns in logs[0].items():
        for name, values in columns.items():
            assert all(log[table][name].tolist() == values.tolist() for log in logs[1:]), name


def test_a_rounds_moves_belong_to_its_orders_by_signed_quantity():
    """Two silos of 10 and 20 lots sold in one round share its price move one to two."""
    scenario = market(
        {
            "longs": people((100.0, {"BTC": 10}), (200.0, {"BTC": 20}), mode="isolated"),
            "short": people((1e6, {"BTC": -30})),
        },
        market__book=THIN,
        market__mark={"rule": "mid"},
        market__shocks={"s": fall(0.06)},
        liquidation__feedback="market",
        liquidation__insurance_fund_usd=1e6,
    )
    tables = run(scenario)
    causes = rows(tables, "price_causes", "stage", "cause", "liquidation", "share")
    by_order = {c[2]: c[3] for c in causes if c[1] == "liquidation"}
    assert by_order[1] == pytest.approx(2 * by_order[0], rel=1e-9)
    stage = next(c[0] for c in causes if c[1] == "liquidation")
    assert sum(c[3] for c in causes if c[0] == stage) == pytest.approx(1.0, abs=1e-12)
    assert {c[1] for c in causes if c[0] == stage} <= {"liquidation", "rounding"}


def test_quotes_that_leave_a_quiet_market_move_its_price_as_quotes():
    """The seller's own bid of 94 USD was the best; it leaves, the sale is at the mark of 94.10."""
    scenario = market(
        {"one": people((300.0, {"BTC": 10}), mode="isolated"), "rich": people((1e6, {"BTC": -10}))},
        market__book=ORDER_BOOK,
        market__mark={"rule": "mid"},
        margin__allotment="initial_margin",
        liquidation={"feedback": "market"},
    )
    quotes = {1: [Ask(0, 1, 9400), Ask(1, 10, 9000), Ask(1, -1, 10_600)], 2: [Ask(1, -1, 9420)]}
    model = scripted(scenario, quotes)
    model.engine.closing.silence(np.array([0]))
    tables = tables_of(model)
    sold = rows(tables, "forced_orders", "step", "filled_lots", "cash_micro_usd")
    assert sold == [(2, -10, 10 * 9410 * UNIT)]
    moves = rows(tables, "price_moves", "stage", "from_ticks", "to_ticks", "round")
    ((stage, *move),) = [row for row in moves if row[-1] > 0]
    assert move == [9410, 9210, 1]
    causes = rows(tables, "price_causes", "stage", "cause", "share")
    assert [row[1:] for row in causes if row[0] == stage] == [("quotes", 1.0)]
