"""Populations: sized to their margin, balanced, hedged, or written out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.core.errors import ConfigError
from stresslab.traders.population import Population
from stresslab.traders.rules import IDS_PER_GROUP
from stresslab.traders.state import NO_LEG
from tests.toy_traders import INSTRUMENTS, draw, groups_of, initial_margin, speculators

MAKERS = {
    "strategy": {"kind": "market_maker"},
    "count": 10,
    "wealth": {"kind": "equal", "amount_usd": 1e6},
    "is_counterparty": True,
}
PAIRS = {
    "strategy": {"kind": "hedger"},
    "count": 30,
    "wealth": {"kind": "equal", "amount_usd": 50_000.0},
    "leverage": {"median": 6.0},
    "holdings": {"kind": "pair"},
}
CARRY = {
    "strategy": {"kind": "hedger"},
    "count": 5,
    "wealth": {"kind": "equal", "amount_usd": 100_000.0},
    "leverage": {"median": 4.0},
    "assets": ["BTC", "BTC_SPOT"],
    "holdings": {"kind": "spot_perpetual", "spot_of": {"BTC": "BTC_SPOT"}},
}
PERPETUALS = slice(0, 3)


def _value(population: Population) -> np.ndarray:
    """Return the signed value of all positions, micro-USD, by asset and trader."""
    return population.position * INSTRUMENTS.lot_value[:, np.newaxis]


def _margin(population: Population) -> np.ndarray:
    """Return each trader's initial margin over all perpetuals."""
    notional = abs(_value(population))
    return sum(initial_margin(a, notional[a]) for a in range(3))


def test_longs_equal_shorts_in_every_perpetual() -> None:
    population = draw(groups_of(makers=MAKERS, speculators=speculators(), pairs=PAIRS))
    assert (abs(population.position[PERPETUALS]).sum(axis=1) > 1_000).all()
    assert population.position[PERPETUALS].sum(axis=1).tolist() == [0, 0, 0]


def test_nobody_holds_more_than_its_wealth_can_margin() -> None:
    population = draw(groups_of(makers=MAKERS, speculators=speculators(free_wallet=0.5)))
    is_speculator = population.columns.group == 1
    margin, wealth = _margin(population), population.columns.wealth
    assert (margin > 0).mean() > 0.9
    assert (margin[is_speculator] <= 0.5 * wealth[is_speculator]).all()
    assert (margin <= wealth).all()


def test_positions_have_the_target_leverage_where_margin_allows() -> None:
    makers = {**MAKERS, "wealth": {"kind": "equal", "amount_usd": 1e9}}
    groups = groups_of(makers=makers, speculators=speculators(leverage={"median": 3.0}))
    population = draw(groups)
    wealth = population.columns.wealth
    reached = abs(_value(population)).sum(axis=0) / wealth
    rich = (population.columns.group == 1) & (wealth > 5_000 * 10**6) & (wealth < 10**5 * 10**6)
    assert rich.sum() > 20
    assert reached[rich].max() <= 3.0
    assert reached[rich].min() > 2.7


def test_a_one_sided_crowd_is_met_by_counterparties() -> None:
    holdings = {"kind": "directional", "share_long": 1.0}
    population = draw(groups_of(makers=MAKERS, speculators=speculators(holdings=holdings)))
    by_group = [
        population.position[PERPETUALS][:, population.columns.group == g].sum() for g in (0, 1)
    ]
    assert by_group[1] > 0
    assert by_group[0] == -by_group[1]


def test_a_one_sided_crowd_alone_is_refused() -> None:
    holdings = {"kind": "directional", "share_long": 1.0}
    with pytest.raises(ConfigError, match="lots of BTC are long"):
        draw(groups_of(speculators=speculators(holdings=holdings)))


def test_pairs_offset_each_other_and_survive_balancing() -> None:
    population = draw(groups_of(makers=MAKERS, speculators=speculators(), pairs=PAIRS))
    rows = np.flatnonzero(population.columns.group == 2)
    value = _value(population)[:, rows]
    first = population.columns.first_leg[rows]
    second = population.columns.second_leg[rows]
    picks = np.arange(rows.size)
    assert ((value != 0).sum(axis=0) == 2).all()
    assert set(np.sign(value[first, picks]).tolist()) == {-1, 1}
    gap = abs(value[first, picks] + value[second, picks])
    assert (gap <= 2 * INSTRUMENTS.lot_value.max()).all()


def test_carry_trades_pay_spot_and_margin_from_wealth() -> None:
    population = draw(groups_of(makers=MAKERS, carry=CARRY))
    rows = np.flatnonzero(population.columns.group == 1)
    value, lot = _value(population)[:, rows], INSTRUMENTS.lot_value
    assert (value[3] > 0).all()
    assert (0 <= -value[0] - value[3]).all() and (-value[0] - value[3] < lot[3]).all()
    cash = population.columns.wealth[rows] - value[3]
    assert (abs(-value[0] / cash - 4.0) < 0.1).all()
    assert population.columns.first_leg[rows].tolist() == [3] * 5
    assert population.columns.second_leg[rows].tolist() == [0] * 5


def test_a_carry_trade_at_high_leverage_is_cut_to_what_wealth_pays() -> None:
    population = draw(groups_of(makers=MAKERS, carry={**CARRY, "leverage": {"median": 100.0}}))
    rows = np.flatnonzero(population.columns.group == 1)
    cash = population.columns.wealth[rows] - _value(population)[3, rows]
    margin = _margin(population)[rows]
    assert (margin > 0).all()
    assert (margin <= cash).all() and (margin > 0.9 * cash).all()


def test_accounts_written_out_stand_as_written() -> None:
    accounts = [
        {"wealth_usd": 1_000.0, "positions": {"BTC": 12, "ETH": -4}},
        {"wealth_usd": 500.25, "positions": {"BTC": -12}},
        {"wealth_usd": 700.0, "positions": {"ETH": 4}},
    ]
    population = draw(groups_of(people={"strategy": {"kind": "passive"}, "accounts": accounts}))
    assert population.position.tolist() == [[12, -12, 0], [-4, 0, 4], [0, 0, 0], [0, 0, 0]]
    assert population.columns.wealth.tolist() == [10**9, 500_250_000, 700 * 10**6]
    assert population.id.tolist() == [0, 1, 2]


def test_ids_name_the_group_and_the_place() -> None:
    population = draw(groups_of(makers=MAKERS, speculators=speculators(count=3), pairs=PAIRS))
    assert population.id[10:13].tolist() == [IDS_PER_GROUP + k for k in range(3)]


def test_share_long_and_common_direction() -> None:
    holdings = {
        "kind": "directional",
        "number_weights": [0.0, 0.0, 1.0],
        "share_long": 0.7,
        "direction_correlation": 1.0,
    }
    population = draw(groups_of(makers=MAKERS, speculators=speculators(2_000, holdings=holdings)))
    side = np.sign(population.position[PERPETUALS, 10:])
    held = (side != 0).all(axis=0)
    assert held.sum() > 1_000
    assert (abs(side[:, held].sum(axis=0)) == 3).all(), "an account is on both sides"
    assert abs((side[0, held] > 0).mean() - 0.7) < 0.04


def test_independent_directions_mix_within_accounts() -> None:
    holdings = {"kind": "directional", "number_weights": [0.0, 0.0, 1.0], "share_long": 0.5}
    population = draw(groups_of(makers=MAKERS, speculators=speculators(2_000, holdings=holdings)))
    side = np.sign(population.position[PERPETUALS, 10:])
    held = (side != 0).all(axis=0)
    share_of_one_side = (abs(side[:, held].sum(axis=0)) == 3).mean()
    assert abs(share_of_one_side - 0.25) < 0.05


def test_weights_set_how_often_an_asset_is_held() -> None:
    holdings = {"kind": "directional", "asset_weights": {"SOL": 8.0}}
    population = draw(groups_of(makers=MAKERS, speculators=speculators(2_000, holdings=holdings)))
    held = population.columns.trades[PERPETUALS, 10:].mean(axis=1)
    assert held == pytest.approx([0.1, 0.1, 0.8], abs=0.04)


def test_makers_start_flat_and_have_no_hedge() -> None:
    makers = {**MAKERS, "is_counterparty": False}
    population = draw(groups_of(makers=makers, speculators=speculators()))
    assert not population.position[:, :10].any()
    assert population.columns.trades[:, 0].tolist() == [1, 1, 1, 0]
    assert (population.columns.first_leg == NO_LEG).all()


def test_specialists_trade_one_asset_each_in_turn() -> None:
    makers = {
        **MAKERS,
        "is_counterparty": False,
        "holdings": {"kind": "flat", "is_specialised": True},
    }
    population = draw(groups_of(makers=makers, speculators=speculators()))
    trades = population.columns.trades[PERPETUALS, :10]
    assert trades.argmax(axis=0).tolist() == [0, 1, 2, 0, 1, 2, 0, 1, 2, 0]
    assert (trades.sum(axis=0) == 1).all()
