"""A cascade of four accounts in two assets, computed on paper.

One tick times one lot is 1 USD in both assets, maintenance margin is 10 % of notional, both prices
start at 100. So a long lot loses 1 USD of equity a tick and frees 0.10 USD of requirement: a tick
eats 0.90 USD of its pool's excess (equity - maintenance). Everybody is long; `external` is short.

    account 1  isolated  100 A           equity 1,500
    account 2  cross      50 A and 40 B  equity 1,600
    account 3  isolated   30 B           equity   500
    account 4  isolated   20 A           equity   660

**Step 1, index.** A falls from 100 to 90. Account 1: equity 1,500 - 100 x 10 = 500 against
10 % x 9,000 = 900. Its excess went from 1,500 - 1,000 = 500 to -400: the index ate 900. It
breaches: liquidation 0, exogenous, generation 0. The others stand: account 2 has 1,100 - 850 = 250
left, account 3 has 500 - 300 = 200, account 4 has 460 - 180 = 280.

**Round 1.** Liquidation 0 sells its 100 A for 8,480 (mark value 9,000, loss 520), which leaves
1,500 - 10,000 + 8,480 = -20: the insurance fund pays 20. The sale moves the mark of A from 90 to
80. It eats 10 x 50 x 0.9 = 450 of account 2, from 250 to 600 - 800 = -200: liquidation 1, all by
liquidation 0, generation 1. The index had eaten as much of it, but before its last judgement:
that is not what tipped it over. Account 4 stands at 260 - 160 = 100.

**Round 2.** Liquidation 1 closes the least that restores it: 20 A for 1,590 (mark value 1,600, loss
10) and 40 B for 3,840 (mark value 4,000, loss 160, fee 10). It keeps 30 A, equity 420 against 240.
The sale of B moves the mark of B from 100 to 92; the mark of A is slow, the sale shows later. It
eats 8 x 30 x 0.9 = 216 of account 3, from 200 to 260 - 276 = -16: liquidation 2, all by
liquidation 1, generation 1 x (1 + 1) = 2. It sells 30 B for 2,700 (mark value 2,760,
loss 60, fee 5).

**Step 2, index.** The mark of A goes from 80 to 70: 5 ticks because the index falls from 90 to 85,
5 because the sale of liquidation 1 arrives. Together they eat 10 x 20 x 0.9 = 180 of account 4, 90
each, from 100 to 60 - 140 = -80: liquidation 3, half by the index and half by liquidation 1,
generation 1/2 x (1 + 1) = 1. It sells 20 A for 1,400 (mark value 1,400, fee 5).

Then A returns to 85. Equity at the end: 0; 420 + 30 x 5 = 570; 260 - 65 = 195; 60 - 5 = 55. Loss of
traders 1,500 + 1,030 + 305 + 605 = 3,440, and the fund's 20: 3,460. External made 3,440.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from stresslab.contagion import Contagion
from stresslab.contagion.attribution import LIQUIDATION
from stresslab.contagion.long import LONG_TABLES
from stresslab.contagion.matrix import asset_matrix, branching_matrix
from stresslab.contagion.outcomes import measure
from stresslab.core.events import CAUSE_ID
from tests.unit.contagion.cases import USD, hand_cascade


@pytest.fixture(scope="module")
def run() -> Contagion:
    return Contagion(hand_cascade())


@pytest.fixture(scope="module")
def outcomes() -> dict[str, int | float]:
    return measure(hand_cascade())


def test_margin_eaten_by_cause(run: Contagion) -> None:
    index = CAUSE_ID["index"]
    rows = list(zip(*(column.tolist() for column in run.amounts), strict=True))
    assert rows == [
        (0, index, -1, 0, 900 * USD),
        (1, LIQUIDATION, 0, 0, 450 * USD),
        (2, LIQUIDATION, 1, 1, 216 * USD),
        (3, index, -1, 0, 90 * USD),
        (3, LIQUIDATION, 1, 0, 90 * USD),
    ]


def test_parents_are_exact(run: Contagion) -> None:
    edges = run.parents
    columns = (edges.child.tolist(), edges.parent.tolist(), edges.share.tolist())
    assert list(zip(*columns, strict=True)) == [
        (1, 0, 1.0),
        (2, 1, 1.0),
        (3, 1, 0.5),
    ]
    assert run.forest.principal.tolist() == [-1, 0, 1, 1]


def test_generations_depth_and_trees_are_exact(run: Contagion) -> None:
    assert run.forest.generation.tolist() == [0.0, 1.0, 2.0, 1.0]
    assert run.forest.endogenous_share.tolist() == [0.0, 1.0, 1.0, 0.5]
    assert run.forest.depth.tolist() == [0, 1, 2, 2]
    assert run.forest.root.tolist() == [0, 0, 0, 0]


def test_a_minority_of_causes_can_be_kept_from_carrying_a_tree() -> None:
    run = Contagion(hand_cascade(), least_endogenous_share=0.51)
    assert run.forest.principal.tolist() == [-1, 0, 1, -1]
    assert run.forest.generation.tolist() == [0.0, 1.0, 2.0, 1.0]


def test_cascade_size(outcomes: dict[str, int | float]) -> None:
    assert outcomes["n_liquidations"] == outcomes["n_accounts_liquidated"] == 4
    assert outcomes["share_accounts_liquidated"] == 1.0
    assert outcomes["forced_notional_usd"] == 9_000 + 1_600 + 4_000 + 2_760 + 1_400
    assert outcomes["forced_loss_usd"] == 520 + 10 + 170 + 65 + 5
    assert (outcomes["loss_isolated_usd"], outcomes["loss_cross_usd"]) == (590, 180)
    assert (outcomes["depth"], outcomes["width"]) == (2, 2)
    assert (outcomes["generations"], outcomes["generations_mean"]) == (2.0, 1.0)
    assert (outcomes["n_trees"], outcomes["largest_tree"]) == (1, 4)
    assert (outcomes["n_episodes"], outcomes["n_episodes_open"]) == (1, 0)
    assert outcomes["duration_seconds"] == 1.0


def test_branching(outcomes: dict[str, int | float]) -> None:
    assert outcomes["branching_numerator_usd"] == 5_600 + 2_760 + 0.5 * 1_400
    assert outcomes["branching_denominator_usd"] == 18_760
    assert outcomes["branching_ratio"] == pytest.approx(float(Fraction(9_060, 18_760)))
    assert outcomes["branching_ratio_count"] == outcomes["endogenous_share"] == 2.5 / 4
    assert outcomes["branching_first_numerator_usd"] == 5_600
    assert outcomes["branching_first_denominator_usd"] == 9_000 + 0.5 * 1_400
    assert np.isnan(outcomes["branching_ratio_first"])
    assert np.isnan(outcomes["branching_ratio_max"])


def test_spill_is_told_apart(outcomes: dict[str, int | float]) -> None:
    assert outcomes["forced_notional_shocked_usd"] == 12_000
    assert outcomes["spill_same_accounts_usd"] == 4_000
    assert outcomes["spill_other_accounts_usd"] == 2_760
    assert outcomes["n_spill_same_accounts"] == outcomes["n_spill_other_accounts"] == 1
    assert outcomes["spill_share"] == 6_760 / 7_000
    assert outcomes["crossed"] == outcomes["crossed_to_others"] == 1.0
    assert outcomes["share_holders_liquidated"] == outcomes["share_others_liquidated"] == 1.0
    assert outcomes["share_cross_initial"] == 90 / 240


def test_losses_add_up(outcomes: dict[str, int | float]) -> None:
    assert outcomes["trader_loss_usd"] == outcomes["external_profit_usd"] == 3_440
    assert outcomes["system_loss_usd"] == 3_460
    assert outcomes["deficit_usd"] == outcomes["fund_paid_usd"] == 20
    assert outcomes["deficit_isolated_usd"] == 20
    assert outcomes["n_accounts_bankrupt"] == outcomes["n_bankrupt"] == 1
    assert (outcomes["n_restored"], outcomes["n_closed"]) == (1, 2)


def test_prices(outcomes: dict[str, int | float]) -> None:
    assert outcomes["overshoot"] == outcomes["overshoot_shocked"] == 15 / 85
    assert outcomes["overshoot_unshocked"] == 0.08
    assert outcomes["recovery_seconds"] == 8.0
    assert outcomes["depth_minimum_share"] == 0.25
    assert outcomes["open_interest_fall"] == 1 - 30 / 240
    assert outcomes["price_fall"] == pytest.approx(0.3)
    assert outcomes["forced_volume_share"] == 210 / 250


def test_whose_loss_sold_whose_positions(run: Contagion) -> None:
    assert asset_matrix(run).tolist() == [[12_000, 4_000], [0, 2_760], [0, 0]]
    assert asset_matrix(run, "endogenous").tolist() == [[2_300, 4_000], [0, 2_760], [0, 0]]
    assert asset_matrix(run, mode="cross").tolist() == [[1_600, 4_000], [0, 0], [0, 0]]
    expected = [[2_300 / 12_000, 4_000 / 12_000], [0, 2_760 / 6_760]]
    assert branching_matrix(run).tolist() == expected


def test_long_tables(run: Contagion) -> None:
    sizes = LONG_TABLES["liquidation_sizes"](run)
    assert {name: column.tolist() for name, column in sizes.items()} == {
        "root": [0],
        "mode": ["isolated"],
        "liquidations": [4],
        "accounts": [4],
        "depth": [2],
        "notional_usd": [18_760.0],
        "loss_usd": [770.0],
    }
    waterfall = LONG_TABLES["waterfall"](run)
    assert waterfall["loss_usd"].tolist() == [3_440, 0, 20, 0, 0, 3_460]
    assert LONG_TABLES["strategies"](run)["liquidated"].tolist() == [4]
    assert LONG_TABLES["modes"](run)["notional_usd"].tolist() == [13_160, 5_600]
    assert LONG_TABLES["asset_matrix"](run)["notional_usd"].sum() == 18_760
