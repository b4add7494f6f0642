"""What the headline study claims, in a third of its people and 240 of its 600 seconds.

Four paired replicates a cell, one seed; claims are about means over replicates, with room. Hedgers
are passive: those who trade carry a shock across silos by cutting the leg that lost its hedge.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from stresslab.contagion import Contagion
from stresslab.contagion.outcomes import outcomes
from stresslab.experiment.config import read_config
from tests.markets import changed, run

CONFIG = Path(__file__).parents[2] / "configs" / "cross_vs_isolated.yaml"
ISOLATED, CROSS = 0.0, 1.0
ALL = ("BTC", "ETH", "SOL", "XRP", "DOGE")
REPLICATES = 4

pytestmark = pytest.mark.slow


class Cell(NamedTuple):
    """One replicate: its outcomes, and the accounts whose positions in other assets were closed."""

    outcomes: dict[str, float]
    spilled: frozenset[int]


@functools.cache
def scenario() -> dict[str, Any]:
    """Return the study's scenario with a third of its people, and hedgers who never trade."""
    config = read_config(CONFIG)
    whole = config.values["scenario"]
    counts = {
        f"traders__{name}__count": round(group["count"] / 3)
        for name, group in whole["traders"].items()
        if group["count"]
    }
    passive = {"traders__hedgers__strategy": {"kind": "passive"}}
    return changed(whole, duration_seconds=240.0, **counts, **passive)


@functools.cache
def cells(
    share: float, assets: tuple[str, ...], fall: float, direction: float = 0.0,
    dispersion: float = 0.0,
) -> tuple[Cell, ...]:  # fmt: skip
    """Return the replicates of one arm at one point."""
    point = changed(
        scenario(),
        margin_mode={"kind": "fixed_share", "cross_share": share},
        market__shocks__first__assets=list(assets),
        market__shocks__first__fall=fall,
        traders__speculators__holdings__direction_correlation=direction,
        margin__allotment_dispersion=dispersion,
    )
    seed = read_config(CONFIG).seed
    return tuple(_cell(run(point, seed=seed, replicate=r)) for r in range(REPLICATES))


def _cell(tables: Any) -> Cell:
    contagion = Contagion(tables)
    orders = contagion.forced
    elsewhere = (orders.asset != 0) & (orders.notional > 0)
    # makers and dip buyers, groups 0 and 1, use cross margin in every arm
    elsewhere &= orders.account >= 2_000_000
    return Cell(outcomes(contagion), frozenset(orders.account[elsewhere].tolist()))


def mean(outcome: str, *arguments: Any) -> float:
    """Return the mean of an outcome over the replicates of an arm at a point."""
    return float(np.mean([cell.outcomes[outcome] for cell in cells(*arguments)]))


def ratio(outcome: str, *point: Any) -> float:
    """Return the outcome under cross margin over that under isolated margin."""
    return mean(outcome, CROSS, *point) / mean(outcome, ISOLATED, *point)


LONE = ("BTC",)
LIQUIDATED = "n_accounts_liquidated"


def test_first_of_all_people_are_liquidated():
    assert mean(LIQUIDATED, ISOLATED, LONE, 0.2) > 80
    assert mean(LIQUIDATED, CROSS, LONE, 0.2) > 8
    assert mean(LIQUIDATED, ISOLATED, ALL, 0.1) > 80
    assert mean(LIQUIDATED, CROSS, ALL, 0.1) > 8
    assert mean("endogenous_share", ISOLATED, ALL, 0.1) > 0.1


@pytest.mark.parametrize("fall", [0.2, 0.4])
def test_a_lone_shock_stays_in_its_asset_under_isolated_margin(fall):
    """In other assets the same accounts are closed as without a shock, but for one or two."""
    closed = 0
    for shocked, calm in zip(cells(ISOLATED, LONE, fall), cells(ISOLATED, LONE, 0.0), strict=True):
        assert shocked.outcomes["forced_notional_shocked_usd"] > 300_000
        assert len(shocked.spilled - calm.spilled) <= 2
        closed += len(calm.spilled)
    assert closed > 5, "somebody is always liquidated somewhere"
    beyond = mean("spill_share", ISOLATED, LONE, fall) - mean("spill_share", ISOLATED, LONE, 0.0)
    assert abs(beyond) < 0.0005


def test_a_lone_shock_crosses_under_cross_margin_beyond_some_size():
    """By the same accounts' other positions, the more the deeper it falls."""
    assert mean("crossed", CROSS, LONE, 0.05) == 0
    assert mean("crossed", CROSS, LONE, 0.2) == 1
    spills = [mean("spill_same_accounts_usd", CROSS, LONE, f) for f in (0.05, 0.1, 0.2, 0.4)]
    assert spills == sorted(spills) and spills[0] == 0
    assert mean("spill_share", CROSS, LONE, 0.4) > 0.1
    isolated = mean("spill_same_accounts_usd", ISOLATED, LONE, 0.4)
    assert spills[-1] > 20 * isolated


def test_deep_cascades_reach_accounts_that_never_held_the_shocked_asset():
    others = [mean("spill_other_accounts_usd", CROSS, LONE, f) for f in (0.05, 0.4)]
    assert others[0] == 0 and others[1] > 10_000
    assert mean("crossed_to_others", CROSS, LONE, 0.4) >= 0.25
    same = mean("spill_same_accounts_usd", CROSS, LONE, 0.4)
    assert others[1] < same / 5, "the road of prices is narrower than that of collateral"
    assert mean("spill_other_accounts_usd", ISOLATED, LONE, 0.4) < 100


@pytest.mark.parametrize("fall", [0.02, 0.05])
def test_small_lone_shocks_liquidate_fewer_accounts_under_cross(fall):
    pairs = zip(cells(ISOLATED, LONE, fall), cells(CROSS, LONE, fall), strict=True)
    differences = [i.outcomes[LIQUIDATED] - c.outcomes[LIQUIDATED] for i, c in pairs]
    assert min(differences) >= 0 and np.mean(differences) > 10


def test_when_everything_falls_cross_is_safer():
    """By accounts, by notional and by the loss of the whole system."""
    fall = 0.1
    pairs = zip(cells(ISOLATED, ALL, fall), cells(CROSS, ALL, fall), strict=True)
    assert all(c.outcomes[LIQUIDATED] < i.outcomes[LIQUIDATED] for i, c in pairs)
    assert ratio(LIQUIDATED, ALL, fall) < 0.3
    assert ratio("forced_notional_usd", ALL, fall) < 0.7
    assert ratio("system_loss_usd", ALL, fall) < 1


def test_one_directional_accounts_lose_much_of_the_advantage():
    """Nothing offsets a loss: the advantage shrinks by every measure, and does not turn."""
    fall = 0.1
    for outcome in (LIQUIDATED, "forced_notional_usd", "system_loss_usd"):
        mixed = ratio(outcome, ALL, fall)
        one_directional = ratio(outcome, ALL, fall, 1.0)
        assert mixed < one_directional < 1, outcome
    assert ratio(LIQUIDATED, ALL, fall, 1.0) > 2 * ratio(LIQUIDATED, ALL, fall)


def test_unequal_margin_is_felt_by_silos_only_and_caps_what_traders_lose():
    """More silos fail, each with little in it: cross gains by accounts, loses by traders' loss."""
    equal, unequal = (ALL, 0.1), (ALL, 0.1, 0.0, 1.5)
    for one, other in zip(cells(CROSS, *equal), cells(CROSS, *unequal), strict=True):
        assert one.outcomes[LIQUIDATED] == other.outcomes[LIQUIDATED] > 0
    assert ratio(LIQUIDATED, *unequal) < 0.8 * ratio(LIQUIDATED, *equal)
    assert ratio("trader_loss_usd", *unequal) > ratio("trader_loss_usd", *equal) > 1
    assert mean("deficit_usd", ISOLATED, *unequal) > mean("deficit_usd", ISOLATED, *equal)
