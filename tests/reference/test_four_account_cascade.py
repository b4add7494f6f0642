"""A cascade of four accounts in two assets, computed on paper and run through the engine.

One lot of either asset is worth 1 USD a tick; both start at 1,000 ticks. Maintenance margin is 10 %
of notional, so a long lot that loses a tick eats 0.90 USD of its pool's excess X (equity -
maintenance). The book is linear: one lot moves A by one tick once its index is at 900 (9 lots are
its depth), and B by one tick at its index of 1,000 (10 lots). Marks are book prices. There is no
trading fee; isolated pools close whole and pay a penalty of 1 % to the fund; cross pools close the
fewest lots of their largest leg that bring maintenance / equity to 0.82, and pay no penalty.

    account 0  isolated  20 A          wealth 3,500    X = 3,500 - 2,000 = 1,500
    account 1  isolated  10 A          wealth 1,990    X = 1,990 - 1,000 =   990
    account 2  cross     20 A, 30 B    wealth 7,040    X = 7,040 - 5,000 = 2,040
    account 3  cross     10 A, 30 B    wealth 5,240    X = 5,240 - 4,000 = 1,240
    account 4  cross    -60 A, -60 B   wealth 1,000,000: rich, the other side of all

**Step 2, index.** A falls from 1,000 to 900: 90 USD for each lot of A.
Account 0: X = 1,500 - 1,800 = -300 (equity 1,500, maintenance 1,800): liquidation 0, by the index.
X of the others: account 1: 990 - 900 = 90; account 2: 2,040 - 1,800 = 240; account 3: 340.

**Round 1.** Liquidation 0 sells 20 A: from 900 to 880, at 890 on average, for 17,800. It had
3,500 - 20,000 = -16,500 in cash; 1,300 is left, the penalty takes 178: 1,122 remain. Closed.
The 20 ticks eat 18 USD for each lot of A. Account 1: 90 - 180 = -90; account 2: 240 - 360 = -120;
account 3: 340 - 180 = 160. So 1 (account 2, cross pools come first) and 2 (account 1) are
liquidations of the first generation, all by liquidation 0.

**Round 2.** Liquidation 1 has equity 7,040 - 20 x 120 = 4,640, maintenance 1,760 + 3,000 = 4,760.
Its largest leg is B: 4,760 - 100 k <= 0.82 x 4,640 = 3,804.80 takes k = 10 lots. They go from 1,000
to 990, at 995, for 9,950. Liquidation 2 sells 10 A: from 880 to 870, at 875, for 8,750. It had
1,990 - 10,000 = -8,010; 740 is left, less the penalty of 87.50: 652.50. Closed.
Account 2: equity 4,640 - 50 - 20 x 10 (B) - 20 x 10 (A) = 4,190, maintenance 1,740 + 1,980 = 3,720,
X = 470: restored. Account 3: A eats 9 x 10 = 90 and B eats 9 x 30 = 270: X = 160 - 360 = -200. That
is liquidation 3: 3/4 by liquidation 1, through B, and 1/4 by liquidation 2, through A. Its
generation is 3/4 x (1 + 1) + 1/4 x (1 + 1) = 2, its principal parent liquidation 1, its depth 2.

**Round 3.** Liquidation 3 has equity 5,240 - 10 x 130 - 30 x 10 = 3,640, maintenance 870 + 2,970 =
3,840. Its largest leg is B: 3,840 - 99 k <= 0.82 x 3,640 = 2,984.80 takes k = 9 lots. They go from
990 to 981, at 985.50, for 8,869.50. Equity 3,640 - 40.50 - 21 x 9 = 3,410.50, maintenance 870 +
2,060.10, X = 480.40: restored. Account 2: 470 - 0.9 x 20 x 9 = 308, quiet.

At the end account 2 has 4,190 - 180 = 4,010 and account 4 has 1,000,000 + 60 x 130 + 60 x 19 =
1,008,940. `external` bought 30 A for 26,550, worth 26,100, and 19 B for 18,819.50, worth 18,639: it
loses 630.50. The fund gets 265.50. Together they have what they had: 1,017,770 and its 1,000.
At the index (900 and 1,000) accounts 0 to 3 have lost 3,500 - 1,122 = 2,378, 1,990 - 652.50 =
1,337.50, 7,040 - 4,990 = 2,050 and 5,240 - 4,109.50 = 1,130.50. Forced notional at the mark:
18,000, 10,000, 8,800 and 8,910.
"""

from __future__ import annotations

from typing import Any

import pytest

from stresslab.contagion import Contagion, Tables
from stresslab.contagion.graph import asset_graph, liquidation_graph, tree_graph
from stresslab.contagion.matrix import asset_matrix, branching_matrix
from stresslab.contagion.outcomes import measure
from stresslab.core.declarations import build, faults
from stresslab.core.events import CAUSES, TABLES
from stresslab.model import StressModel
from stresslab.scenario import Scenario
from tests.reference.slow_market import Slow

USD = 1_000_000
A, B, NONE = 0, 1, -1


def plain() -> dict[str, Any]:
    """Return the scenario as a config would resolve it."""
    asset = {"kind": "perpetual", "initial_price_usd": 1000.0, "tick_size_usd": 1.0}
    bracket = {"floor_usd": 0.0, "maintenance_rate": 0.1, "max_leverage": 8.0}
    depth = {"A": 9000.0, "B": 10_000.0}
    return {
        "step_seconds": 1.0,
        "duration_seconds": 100.0,
        "assets": {"A": {**asset, "lot_size": 1.0}, "B": {**asset, "lot_size": 1.0}},
        "market": {
            "book": {
                "kind": "impact",
                "law": {"kind": "linear", "depth_usd": 1.0, "depth_usd_by_asset": depth},
            },
            "index": {"kind": "constant"},
            "shocks": {"first": {"assets": ["A"], "fall": 0.1, "at_seconds": 2.0}},
            "mark": {"rule": "mid"},
            "fees": {"maker_rate": 0.0, "taker_rate": 0.0},
        },
        "margin": {
            "brackets": {"A": [bracket], "B": [bracket]},
            "isolated": {"closure": {"kind": "whole"}, "penalty_rate": 0.01},
            "cross": {"closure": {"kind": "least_to_restore"}, "penalty_rate": 0.0},
        },
        "liquidation": {"liquidation_target": 0.82, "insurance_fund_usd": 1000.0},
        "traders": {
            "traders": group(
                0.0,
                {"wealth_usd": 3500.0, "positions": {"A": 20}},
                {"wealth_usd": 1990.0, "positions": {"A": 10}},
            ),
            "poolers": group(
                1.0,
                {"wealth_usd": 7040.0, "positions": {"A": 20, "B": 30}},
                {"wealth_usd": 5240.0, "positions": {"A": 10, "B": 30}},
                {"wealth_usd": 1_000_000.0, "positions": {"A": -60, "B": -60}},
            ),
        },
    }


def group(cross_share: float, *accounts: dict[str, Any]) -> dict[str, Any]:
    return {
        "strategy": {"kind": "passive"},
        "margin_mode": {"kind": "fixed_share", "cross_share": cross_share},
        "accounts": list(accounts),
    }


#: Account ids of accounts 0 to 4 above: a million per group.
ACCOUNTS = (0, 1, 1_000_000, 1_000_001, 1_000_002)


@pytest.fixture(scope="module")
def tables() -> Tables:
    scenario = build(Scenario, plain())
    assert not list(faults(scenario))
    log = StressModel(scenario, seed=1, replicate=0).run()
    return {name: log.columns(name) for name in TABLES}


@pytest.fixture(scope="module")
def run(tables: Tables) -> Contagion:
    return Contagion(tables)


def rows(tables: Tables, table: str, *columns: str) -> list[tuple]:
    return list(zip(*(tables[table][name].tolist() for name in columns), strict=True))


def test_breaches(tables: Tables) -> None:
    names = ("liquidation", "account", "mode", "step", "round", "equity_micro_usd",
             "maintenance_micro_usd", "excess_before_micro_usd", "outcome")  # fmt: skip
    assert rows(tables, "liquidations", *names) == [
        (0, ACCOUNTS[0], "isolated", 2, 0, 1_500 * USD, 1_800 * USD, 1_500 * USD, "closed"),
        (1, ACCOUNTS[2], "cross", 2, 1, 4_640 * USD, 4_760 * USD, 240 * USD, "restored"),
        (2, ACCOUNTS[1], "isolated", 2, 1, 790 * USD, 880 * USD, 90 * USD, "closed"),
        (3, ACCOUNTS[3], "cross", 2, 2, 3_640 * USD, 3_840 * USD, 160 * USD, "restored"),
    ]


def test_forced_orders(tables: Tables) -> None:
    names = ("liquidation", "asset", "round", "mark_ticks", "filled_lots", "cash_micro_usd",
             "fee_micro_usd", "penalty_micro_usd")  # fmt: skip
    assert sorted(rows(tables, "forced_orders", *names)) == [
        (0, A, 1, 900, -20, 17_800 * USD, 0, 178 * USD),
        (1, B, 2, 1000, -10, 9_950 * USD, 0, 0),
        (2, A, 2, 880, -10, 8_750 * USD, 0, 87_500_000),
        (3, B, 3, 990, -9, 8_869_500_000, 0, 0),
    ]


def test_prices(tables: Tables) -> None:
    assert rows(tables, "price_moves", "round", "asset", "from_ticks", "to_ticks") == [
        (0, A, 1000, 900),
        (1, A, 900, 880),
        (2, A, 880, 870),
        (2, B, 1000, 990),
        (3, B, 990, 981),
    ]


def test_equities_at_the_end(tables: Tables) -> None:
    equity = (1_122_000_000, 652_500_000, 4_010_000_000, 3_410_500_000, 1_008_940_000_000)
    assert rows(tables, "accounts", "account", "final_equity_micro_usd") == list(
        zip(ACCOUNTS, equity, strict=True)
    )
    last = rows(tables, "totals", "insurance_fund_micro_usd", "external_micro_usd")[-1]
    assert last == (1_265_500_000, -630_500_000)
    assert sum(equity) + sum(last) == (1_017_770 + 1_000) * USD


def test_margin_eaten_by_cause(run: Contagion) -> None:
    run.check()
    columns = [column.tolist() for column in run.amounts]
    found = [(row[0], CAUSES[row[1]], *row[2:]) for row in zip(*columns, strict=True)]
    assert sorted(found) == [
        (0, "index", NONE, A, 1_800 * USD),
        (1, "liquidation", 0, A, 360 * USD),
        (2, "liquidation", 0, A, 180 * USD),
        (3, "liquidation", 1, B, 270 * USD),
        (3, "liquidation", 2, A, 90 * USD),
    ]


def test_parents_and_trigger_shares(run: Contagion) -> None:
    edges = run.parents
    columns = (edges.child, edges.parent, edges.share, edges.micro_usd)
    assert list(zip(*(column.tolist() for column in columns), strict=True)) == [
        (1, 0, 1.0, 360 * USD),
        (2, 0, 1.0, 180 * USD),
        (3, 1, 0.75, 270 * USD),
        (3, 2, 0.25, 90 * USD),
    ]


def test_generations_and_depth(run: Contagion) -> None:
    forest = run.forest
    assert forest.endogenous_share.tolist() == [0.0, 1.0, 1.0, 1.0]
    assert forest.generation.tolist() == [0.0, 1.0, 1.0, 2.0]
    assert forest.principal.tolist() == [-1, 0, 0, 1]
    assert forest.root.tolist() == [0, 0, 0, 0]
    assert forest.depth.tolist() == [0, 1, 1, 2]


def test_outcomes(tables: Tables) -> None:
    outcomes = measure(tables)
    assert outcomes["n_liquidations"] == outcomes["n_accounts_liquidated"] == 4
    assert outcomes["forced_notional_usd"] == 18_000 + 10_000 + 8_800 + 8_910
    assert (outcomes["depth"], outcomes["n_trees"], outcomes["largest_tree"]) == (2, 1, 4)
    assert (outcomes["generations"], outcomes["generations_mean"]) == (2.0, 1.0)
    assert outcomes["branching_numerator_usd"] == 10_000 + 8_800 + 8_910
    assert outcomes["branching_ratio"] == pytest.approx(27_710 / 45_710, rel=1e-15)
    assert outcomes["branching_ratio_count"] == 3 / 4
    assert (outcomes["n_restored"], outcomes["n_closed"], outcomes["n_bankrupt"]) == (2, 2, 0)
    assert outcomes["spill_same_accounts_usd"] == 10_000 + 8_910
    assert outcomes["spill_other_accounts_usd"] == 0
    assert outcomes["trader_loss_usd"] == 2_378 + 1_337.5 + 2_050 + 1_130.5
    assert outcomes["external_profit_usd"] == -630.5  # at the mark


def test_asset_matrix(run: Contagion) -> None:
    assert asset_matrix(run).tolist() == [[26_800, 12_227.5], [0, 6_682.5], [0, 0]]
    endogenous = [[8_800, 12_227.5], [0, 6_682.5], [0, 0]]
    assert asset_matrix(run, "endogenous").tolist() == endogenous
    assert asset_matrix(run, mode="isolated").tolist() == [[26_800, 0], [0, 0], [0, 0]]
    assert branching_matrix(run).tolist() == [
        [8_800 / 26_800, 12_227.5 / 26_800],
        [0, 6_682.5 / 18_910],
    ]


def test_graphs(run: Contagion) -> None:
    edges = liquidation_graph(run).edges(data="share")
    assert sorted(edges) == [
        ("liquidation:0", "liquidation:1", 1.0),
        ("liquidation:0", "liquidation:2", 1.0),
        ("liquidation:1", "liquidation:3", 0.75),
        ("liquidation:2", "liquidation:3", 0.25),
    ]
    assert sorted(tree_graph(run).edges) == [
        ("liquidation:0", "liquidation:1"),
        ("liquidation:0", "liquidation:2"),
        ("liquidation:1", "liquidation:3"),
    ]
    assert asset_graph(run).number_of_edges() > 0


@pytest.mark.parametrize(("wealth", "falls"), [(3800.0, False), (3799.99, True)])
def test_a_pool_that_just_meets_its_requirement_stands(wealth: float, falls: bool) -> None:
    """Account 0 with 3,800 has X = 3,800 - 2,000 - 1,800 = 0 after the fall: no breach."""
    changed = plain()
    changed["traders"]["traders"]["accounts"][0]["wealth_usd"] = wealth
    log = StressModel(build(Scenario, changed), seed=1, replicate=0).run()
    assert log.columns("path")["index_ticks"].min() == 900
    assert (len(log.columns("liquidations")["account"]) > 0) == falls


def test_the_slow_market_agrees() -> None:
    slow = Slow(plain()).run()
    assert [spell.key[0] for spell in slow.spells] == [ACCOUNTS[n] for n in (0, 2, 1, 3)]
    assert slow.final_equity()[ACCOUNTS[3]] == 3_410_500_000
    assert slow.spells[3].amounts == {
        ("liquidation", slow.spells[1].key, B): 270 * USD,
        ("liquidation", slow.spells[2].key, A): 90 * USD,
    }
