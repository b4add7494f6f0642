"""One breach computed on paper for each cause, through the whole road: engine, log, projection.

One lot is worth 100 USD at 10,000 ticks, so ten lots gain or lose 10 cents a tick; maintenance is
5 % of the notional, so that a tick against a long eats 9.5 cents of its excess X. Where depth is
named, ten lots move the price by 1 % of the index.

What stands elsewhere: index and earlier liquidations in two assets
(``test_four_account_cascade.py``), funding, fees, auto-deleveraging and socialised losses
(``unit/liquidation/test_judgement.py``), requirement (``rulebook/test_07``), seized collateral
(``rulebook/test_10``), transfers from other chains (``rulebook/test_11``), a move of a portfolio
grid with its kink (``rulebook/test_09``).
"""

from __future__ import annotations

from typing import Any

import pytest

from stresslab.contagion import Contagion, Tables
from stresslab.core.columns import CANCEL_ALL, LIMIT, QUOTE
from stresslab.core.events import CAUSES
from tests.markets import (
    ORDER_BOOK,
    USD,
    Ask,
    buy_at_market,
    fall,
    market,
    model_of,
    people,
    run,
    scripted,
    tables_of,
)

THIN = {"kind": "impact", "law": {"kind": "linear", "depth_usd": 1000.0}}
MID = {"market__mark": {"rule": "mid"}}
RICH = people((1e7, {}))


def eaten(tables: Tables, liquidation: int = 0) -> dict[tuple[str, int], float]:
    """Return USD by (cause, source) of one breach; the log is checked on the way."""
    contagion = Contagion(tables)
    contagion.check()
    columns = (column.tolist() for column in contagion.amounts)
    return {
        (CAUSES[cause], source): micro / USD
        for number, cause, source, _, micro in zip(*columns, strict=True)
        if number == liquidation
    }


def excess(tables: Tables, liquidation: int = 0) -> tuple[float, float]:
    """Return X at the last judgement before and at the breach, USD."""
    row = Contagion(tables).liquidations
    before = row["excess_before_micro_usd"][liquidation]
    after = row["equity_micro_usd"][liquidation] - row["maintenance_micro_usd"][liquidation]
    return before / USD, after / USD


def long(wealth: float, **changes: Any) -> dict[str, Any]:
    """Return a market of a long of 10 lots, its other side and somebody rich without position."""
    traders = {"one": people((wealth, {"BTC": 10})), "other": people((1e6, {"BTC": -10}))}
    return market({**traders, "rich": RICH}, **changes)


def test_voluntary_flow() -> None:
    """Row 2 sells 20 lots into the book: 2 % or 200 ticks, 19 USD of the 10 to spare."""
    scenario = long(60.0, market__book=THIN, **MID)
    tables = tables_of(scripted(scenario, {2: [buy_at_market(2, -20)]}))
    assert excess(tables) == (10, -9)
    assert eaten(tables) == {("voluntary", -1): 19}


def test_withdrawn_quotes() -> None:
    """Bids at 9,990 and 9,900, an offer at 10,010. The first bid goes: the mid falls to 9,955.

    45 ticks eat 4.275 USD of the 4 to spare, though nobody has traded. What makes them quotes is
    who sent them: orders of market makers are tagged.
    """
    traders = {"one": people((54.0, {"BTC": 10})), "other": people((1e6, {"BTC": -10}))}
    quoting = people((1e7, {}), (1e7, {}))
    scenario = market({**traders, "makers": quoting}, market__book=ORDER_BOOK, **MID)
    script = {
        1: [Ask(2, 5, 9990, LIMIT), Ask(3, 5, 9900, LIMIT), Ask(3, -5, 10_010, LIMIT)],
        2: [Ask(2, 0, kind=CANCEL_ALL, tag=QUOTE)],
    }
    tables = tables_of(scripted(scenario, script))
    assert tables["path"]["mark_ticks"].tolist()[:2] == [10_000, 9955]
    assert tables["path"]["volume_lots"].tolist()[:2] == [0, 0]
    assert excess(tables) == (4, -0.275)
    assert eaten(tables) == {("quotes", -1): 4.275}


def test_own_execution() -> None:
    """Ten lots more at 11,500 against a mark of 10,000: 150 USD paid for nothing, 50 required.

    Of 155 USD to spare 45 are then missing, and no price has moved.
    """
    scenario = long(205.0, market__book=ORDER_BOOK)
    script = {1: [Ask(2, -10, 11_500, LIMIT)], 2: [buy_at_market(0, 10)]}
    tables = tables_of(scripted(scenario, script))
    assert tables["price_moves"]["stage"].size == 0
    assert excess(tables) == (155, -45)
    assert eaten(tables) == {("own_execution", -1): 200}


def test_stop_orders() -> None:
    """A holder's stop at 9,900 sells 10 lots: 1 % of the index of 9,900, or 99 ticks.

    The index eats 9.50 of the 15 USD to spare, the stop a step later 9.405 of the 5.50 left.
    """
    traders = {"one": people((65.0, {"BTC": 10})), "holder": people((1000.0, {"BTC": 10}))}
    scenario = market(
        {**traders, "rich": people((1e7, {"BTC": -20}))},
        market__book=THIN, market__shocks={"s": fall(0.01)}, **MID,
    )  # fmt: skip
    model = model_of(scenario)
    model.world.crowd.columns.stop_ticks[0, 1] = 9900
    tables = tables_of(model)
    assert excess(tables) == (5.5, -3.905)
    assert eaten(tables) == {("stop", -1): 9.405}


def test_what_resilience_takes_back_is_the_doing_of_who_displaced_the_price() -> None:
    """Row 2 buys 20 lots, + 2 %; then the index falls to 9,850 and half of the flow is forgotten.

    9,850 x 1.02 = 10,047 before the book gives way, and 9,948.5 after: of 252 ticks 153 are the
    index's, 98.5 the buyer's, and half a tick is rounding. The long has 2 + 19 to spare and loses
    23.94.
    """
    law = {**THIN["law"], "resilience_half_life_seconds": 1.0}
    scenario = long(
        52.0, market__book={"kind": "impact", "law": law}, market__shocks={"s": fall(0.015)}, **MID
    )
    tables = tables_of(scripted(scenario, {1: [buy_at_market(2, 20)]}))
    assert tables["path"]["mark_ticks"].tolist()[:2] == [10_200, 9948]
    assert excess(tables) == (21, pytest.approx(-2.94))
    tick = 23.94 / 252
    assert eaten(tables) == {
        ("index", -1): pytest.approx(153 * tick, abs=2e-6),
        ("voluntary", -1): pytest.approx(98.5 * tick, abs=2e-6),
        ("rounding", -1): pytest.approx(0.5 * tick, abs=2e-6),
    }


def test_a_lagged_mark_names_the_sale_of_a_step_ago() -> None:
    """The first long breaches at 9,400 and sells 10 lots: 94 ticks, of which the mark takes half.

    It does so a step later, when no round is running: 47 ticks eat 4.465 of the 2 USD that the
    second long has left, and they are the first one's.
    """
    traders = {"longs": people((100.0, {"BTC": 10}), (109.0, {"BTC": 10}), mode="isolated")}
    scenario = market(
        {**traders, "other": people((1e7, {"BTC": -20}))},
        market__book=THIN, market__shocks={"s": fall(0.06)},
        market__mark={"rule": "blend", "index_weight": 0.0, "half_life_seconds": 1.0},
        liquidation={"feedback": "market"},
    )  # fmt: skip
    tables = run(scenario)
    found = Contagion(tables).liquidations
    assert found["step"].tolist() == [2, 3] and found["round"].tolist() == [0, 0]
    assert tables["path"]["mark_ticks"].tolist()[1:3] == [9400, 9353]
    assert excess(tables, 1) == (2, -2.465)
    assert eaten(tables, 1) == {("liquidation", 0): 4.465}


def test_a_hedge_that_deleveraging_breaks_has_a_parent_though_no_sale_moved_a_price() -> None:
    """Both assets fall by 30 %: the long owes 200, and the hedge's winning short pays 170 of it.

    Forced orders move nothing here, so that no price has a liquidation behind it.
    """
    traders = {"long": people((100.0, {"BTC": 10})), "rich": people((1e6, {"ETH": -10}))}
    scenario = market(
        {**traders, "hedged": people((170.0, {"BTC": -10, "ETH": 10}))},
        assets=("BTC", "ETH"), market__shocks={"s": fall(0.3, "BTC", "ETH")},
        liquidation__insurance_fund_usd=0.0,
    )  # fmt: skip
    tables = run(scenario)
    contagion = Contagion(tables)
    assert eaten(tables, 1) == {("adl", 0): 170}
    assert "liquidation" not in tables["price_causes"]["cause"].tolist()
    edges = contagion.parents
    assert [column.tolist() for column in edges] == [[1], [0], [1.0], [170 * USD], [1.0]]
    assert contagion.forest.generation.tolist() == [0.0, 1.0]
    assert contagion.forest.depth.tolist() == [0, 1]
