"""Rules of the waterfall in three markets computed by hand, run through the engine.

All prices start at 1,000, one lot is worth 1 USD a tick and maintenance is 10 % of notional.
"""

from __future__ import annotations

from typing import Any

import pytest

from stresslab.contagion import Contagion, Tables
from stresslab.core.declarations import build, faults
from stresslab.core.events import CAUSES, TABLES
from stresslab.model import StressModel
from stresslab.scenario import Scenario
from tests.reference.slow_market import Slow
from tests.reference.test_four_account_cascade import group, plain, rows

USD = 1_000_000


def market(groups: dict[str, Any], falls: dict[str, tuple[str, float, float]]) -> dict[str, Any]:
    """Return a market marked at the index, without fund or feedback; falls are (asset, fall, s)."""
    scenario = plain()
    cross = {"closure": {"kind": "least_to_restore"}, "penalty_rate": 0.0}
    scenario["market"]["mark"] = {"rule": "index"}
    scenario["market"]["shocks"] = {
        name: {"assets": [asset], "fall": fall, "at_seconds": at}
        for name, (asset, fall, at) in falls.items()
    }
    scenario["margin"].update(
        cross=cross, isolated={"closure": {"kind": "whole"}, "penalty_rate": 0.0}
    )
    scenario["liquidation"] = {"feedback": "no_feedback", "insurance_fund_usd": 0.0}
    return {**scenario, "duration_seconds": 5.0, "traders": groups}


def account(wealth: float, **positions: int) -> dict[str, Any]:
    return {"wealth_usd": wealth, "positions": positions}


def run(scenario: dict[str, Any]) -> Tables:
    declared = build(Scenario, scenario)
    assert not list(faults(declared))
    log = StressModel(declared, seed=1, replicate=0).run()
    return {name: log.columns(name) for name in TABLES}


def test_a_penalty_makes_no_deficit() -> None:
    """Account 0 closes 10 A and 10 B in one round with 1,800 of equity and a penalty of 5 %.

    A sells at its mark of 900. The book of B is thin: 10 lots push it down by 30 %, they sell at
    850 on average and lose 1,500. 300 is left for the penalty, and nobody has a deficit.
    """
    groups = {"all": group(1.0, account(2800.0, A=10, B=10), account(1e6, A=-10, B=-10))}
    scenario = market(groups, {"first": ("A", 0.1, 2.0)})
    scenario["margin"]["cross"] = {"closure": {"kind": "whole"}, "penalty_rate": 0.05}
    scenario["market"]["book"]["law"]["depth_usd_by_asset"] = {"A": 1e12, "B": 1000 / 3}
    scenario["liquidation"]["feedback"] = "market"
    tables = run(scenario)
    cash = sum(tables["forced_orders"]["cash_micro_usd"].tolist())
    assert cash == pytest.approx((9_000 + 8_500) * USD, abs=2)
    assert tables["waterfall"]["deficit_micro_usd"].tolist() == []
    penalties = sum(tables["forced_orders"]["penalty_micro_usd"].tolist())
    assert penalties == pytest.approx(300 * USD, abs=2)


def test_a_profit_is_cut_once() -> None:
    """Two longs of 10 A and 1,600 lose 3,000 each at 700: two deficits of 1,400.

    Account 2 is short 4 A with 10,000: its profit of 1,200 ranks first and goes to the first
    deficit whole. The other 200 and the second deficit are cut from the 4,800 of account 3.
    """
    groups = {
        "longs": group(0.0, account(1600.0, A=10), account(1600.0, A=10)),
        "shorts": group(1.0, account(10_000.0, A=-4), account(1e9, A=-16)),
    }
    tables = run(market(groups, {"first": ("A", 0.3, 2.0)}))
    assert tables["waterfall"]["deficit_micro_usd"].tolist() == [1_400 * USD] * 2
    assert rows(tables, "adl", "liquidation", "account", "loss_micro_usd") == [
        (0, 1_000_000, 1_200 * USD),
        (0, 1_000_001, 200 * USD),
        (1, 1_000_001, 1_400 * USD),
    ]


#: Step 2: A falls to 500. Account 0 is at -1,000; the one round of the step sells its B, its A is
#: handed to account 1 with the loss of 1,000. Account 1 had X = 4,000 - 3,000 + 5,000 + 500, in all
#: 6,500; 500 of its requirement are released. Step 3: A falls to 400, which would have given it
#: 1,100 and now gives nothing, and B to 600, which eats 20 x 400 x 0.9 = 7,200: X = -1,200.
FALLS = {"first": ("A", 0.5, 2.0), "second": ("A", 0.2, 3.0), "third": ("B", 0.4, 3.0)}
EATEN = {
    ("index", 0): -1_100 * USD,
    ("index", 1): 7_200 * USD,
    ("adl", -1): (1_000 + 1_100) * USD,
    ("own_execution", -1): -500 * USD,
}


def deleveraged() -> dict[str, Any]:
    people = account(4000.0, A=10, B=10), account(4000.0, A=-10, B=20), account(1e6, B=-30)
    scenario = market({"all": group(1.0, *people)}, FALLS)
    scenario["liquidation"]["rounds_per_step"] = 1
    return scenario


def test_open_lots_go_to_a_winner_at_the_bankruptcy_price() -> None:
    tables = run(deleveraged())
    assert rows(tables, "adl", "account", "asset", "lots", "loss_micro_usd") == [
        (1, 0, 10, 1_000 * USD)
    ]
    names = ("account", "step", "equity_micro_usd", "excess_before_micro_usd")
    assert rows(tables, "liquidations", *names)[1] == (1, 3, 0, 6_500 * USD)


def test_adl_is_charged_for_the_difference_from_then_on() -> None:
    found = Contagion(run(deleveraged())).amounts
    columns = (column.tolist() for column in found)
    assert EATEN == {
        (CAUSES[cause], asset): amount
        for liquidation, cause, _, asset, amount in zip(*columns, strict=True)
        if liquidation == 1
    }


def test_the_slow_market_charges_adl_for_the_difference() -> None:
    amounts = Slow(deleveraged()).run().spells[1].amounts
    assert {(name, asset): amount for (name, _, asset), amount in amounts.items()} == EATEN
