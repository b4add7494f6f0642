"""Pools that could not open now what they hold: to the micro-USD, in both modes, spot apart."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

import numpy as np
import pytest

from stresslab.core.events import CROSS, ISOLATED
from stresslab.margin.initial_calls import Called, lines_above, pools_to_call
from stresslab.margin.pools import pool_states
from stresslab.margin.tiers import RATE_UNIT
from tests.markets import TICKS, USD, market, model_of, people


def called(model, *levels) -> Called:
    """Return who is called, by default below maintenance or initial margin."""
    c = model.world.clearing
    levels = np.array(levels or (RATE_UNIT,), np.int64)
    out = np.empty(c.accounts.cash.size, np.int64)
    return pools_to_call(c.accounts, c.tables, model.world.board.ticks, levels, out)


def below(model):
    """Return the codes of pools that have one level more than those short of maintenance margin."""
    found = called(model)
    return found.pools[found.levels > np.isin(found.pools, found.short)].tolist()


def venue(positions, mode="cross", **changes):
    """Return a model of one account with 1,000 USD; isolated asks 1.25 times what cross does."""
    other = {name: -lots for name, lots in positions.items() if name != "USDX"}
    scenario = market(
        {"one": people((1000.0, positions), mode=mode), "other": people((1e6, other))},
        assets=("BTC", "ETH", "USDX"),
        margin__isolated__initial_margin_factor=1.25,
        **changes,
    )
    scenario["assets"]["USDX"]["kind"] = "spot"
    del scenario["margin"]["brackets"]["USDX"]
    return model_of(scenario)


@pytest.mark.parametrize("lots", [10, -10])
def test_a_cross_pool_needs_what_all_its_legs_need(lots):
    """10x on 1,000 and on 2,000 USD: 300 of its 1,000."""
    model = venue({"BTC": lots, "ETH": 2 * lots})
    wallet = model.world.clearing.accounts.wallet
    wallet[0] -= 700 * USD
    assert below(model) == []
    wallet[0] -= 1
    assert below(model) == [0]


@pytest.mark.parametrize("lots", [10, -10])
def test_a_silo_needs_what_isolated_asks_and_has_no_other_money(lots):
    """1,000 USD isolated at 10x and 1.25: 125, whatever the wallet has."""
    model = venue({"ETH": lots}, mode="isolated")
    silo = model.world.clearing.accounts.silo
    silo[1, 0] -= 1000 * USD - 125 * USD
    assert below(model) == []
    silo[1, 0] -= 1
    model.world.clearing.accounts.wallet[0] = -1
    assert below(model) == [2 * 2]  # pool 2 of row 0, among two accounts; the wallet holds nothing


def test_a_price_counts_for_both_sides_of_the_comparison():
    """10 lots with 111 USD of equity, at 101 USD a lot: 101 are needed of 121 - 20."""
    model = venue({"BTC": 10})
    model.world.clearing.accounts.wallet[0] -= 909 * USD
    model.world.board.ticks[0] = TICKS + 100
    assert below(model) == []
    model.world.clearing.accounts.wallet[0] -= 1
    assert below(model) == [0]


@pytest.mark.parametrize(
    ("haircut", "backs"),
    [(None, 0), ({"haircut": 0.2}, 80), ({"haircut": 0.2, "initial_addition": 0.5}, 30)],
)
def test_spot_backs_what_its_haircut_leaves(haircut, backs):
    """A lot of spot for 100 of the 1,000 USD; 10 lots of a perpetual need 100."""
    collateral = {} if haircut is None else {"USDX": haircut}
    model = venue({"BTC": 10, "USDX": 1}, margin__collateral=collateral)
    wallet = model.world.clearing.accounts.wallet
    wallet[0] -= (900 - 100 + backs) * USD
    assert below(model) == []
    wallet[0] -= 1
    assert below(model) == [0]


def test_who_holds_spot_only_is_never_called():
    model = venue({"USDX": 1})
    accounts = model.world.clearing.accounts
    accounts.wallet[0] -= 5000 * USD
    assert np.count_nonzero(accounts.position) == 1
    assert below(model) == []


STEPS = [
    [(0.0, 0.004, 150.0), (3000.0, 0.005, 100.0), (8000.0, 0.01, 50.0), (20_000.0, 0.02, 40.0),
     (30_000.0, 0.025, 20.0), (40_000.0, 0.05, 10.0), (60_000.0, 0.1, 5.0), (90_000.0, 0.3, 1.0)],
    [(0.0, 0.01, 50.0), (100.0, 0.3, 2.0), (50_000.0, 0.4, 1.9)],
    [(0.0, 0.05, 10.0)],
]  # fmt: skip


def plain_below(model, row, pool):
    """Tell with fractions whether a pool has less than its perpetuals need, from the config."""
    c, marks = model.world.clearing, model.world.board.ticks.tolist()
    a, equity, need = c.accounts, int(c.accounts.cash[pool, row]), 0
    mode, factor = (CROSS, Fraction(1)) if pool == 0 else (ISOLATED, Fraction(5, 4))
    holds = False
    for asset in range(3) if pool == 0 else [pool - 1]:
        if a.mode[asset, row] != mode:
            continue
        value = int(a.position[asset, row]) * marks[asset] * 10_000
        equity, holds = equity + value, True
        reached = [line for line in STEPS[asset] if abs(value) > line[0] * USD]
        rate = Fraction(-(-(10**9) // Fraction(str(reached[-1][2]))), 10**9)
        need += ceil(ceil(abs(value) * rate) * factor)
    return holds and equity < need


def test_lines_above_the_steps_let_nobody_escape():
    """3,000 random accounts in three tables of brackets, many of them near what they need."""
    names, draw = ("BTC", "ETH", "SOL"), np.random.default_rng(15)
    brackets = {
        name: [dict(zip(("floor_usd", "maintenance_rate", "max_leverage"), line, strict=True))
               for line in lines]
        for name, lines in zip(names, STEPS, strict=True)
    }  # fmt: skip
    scenario = market(
        {"all": people(*[(1e7, {})] * 3000)}, assets=names,
        margin__brackets=brackets, margin__isolated__initial_margin_factor=1.25,
    )  # fmt: skip
    model = model_of(scenario)
    a, t = model.world.clearing.accounts, model.world.clearing.tables
    model.world.board.ticks[:] = (10_000, 3_333, 77)
    value = model.world.board.ticks * t.unit_value
    lots = np.rint(10 ** draw.uniform(0, 3.3, a.position.shape)).astype(np.int64)
    a.position[:] = lots * draw.choice((-1, 0, 1), a.position.shape)
    a.mode[:] = np.where(a.position == 0, 0, draw.choice((ISOLATED, CROSS), a.position.shape))
    worth = np.abs(a.position) * value[:, None]
    for pool in range(4):
        held = np.where(a.mode == CROSS, worth, 0).sum(axis=0)
        if pool > 0:
            held = np.where(a.mode[pool - 1] == ISOLATED, worth[pool - 1], 0)
        signed = np.where(a.mode == CROSS, a.position * value[:, None], 0).sum(axis=0)
        if pool > 0:
            signed = (
                np.where(a.mode[pool - 1] == ISOLATED, a.position[pool - 1], 0) * value[pool - 1]
            )
        a.cash[pool] = (
            held * draw.choice((0.00667, 0.01, 0.02, 0.1, 0.2, 0.6, 1.0, 1.2), held.size) - signed
        )
    expected = [
        pool * 3000 + row
        for pool in range(4)
        for row in range(3000)
        if plain_below(model, row, pool)
    ]
    assert 1000 < len(expected) < 6000
    assert below(model) == expected
    codes, levels = np.arange(a.cash.size), (400_000_000, 800_000_000, RATE_UNIT)
    equity, need, _ = pool_states(a, t, model.world.board.ticks, codes)
    states = list(zip(equity.tolist(), need.tolist(), strict=True))
    crossed = np.array([sum(x * e < RATE_UNIT * m for x in levels) for e, m in states])
    found, is_below = called(model, *levels), np.isin(codes, expected)
    assert len(set((crossed + is_below).tolist())) == 5
    assert found.short.tolist() == np.flatnonzero(crossed).tolist()
    assert found.pools.tolist() == np.flatnonzero(crossed + is_below).tolist()
    assert found.levels.tolist() == (crossed + is_below)[found.pools].tolist()


def test_a_flat_silo_needs_nothing_and_is_called_when_it_owes():
    model = venue({"ETH": 10}, mode="isolated")
    accounts = model.world.clearing.accounts
    accounts.position[1, 0], accounts.cash[2, 0] = 0, 0
    assert called(model).pools.tolist() == []
    accounts.cash[2, 0] = -1
    assert called(model).pools.tolist() == called(model).short.tolist() == [2 * 2]
    assert called(model).levels.tolist() == [2], "short, and below nothing that it would need"


def lines_of(rows, level=RATE_UNIT, cross=1.0, **changes):
    """Return tables with the same brackets (floor, rate, leverage) everywhere, and lines above."""
    brackets = [dict(zip(("floor_usd", "maintenance_rate", "max_leverage"), row, strict=True))
                for row in rows]  # fmt: skip
    model = venue(
        {"BTC": 1}, margin__brackets=dict.fromkeys(("BTC", "ETH", "USDX"), brackets),
        margin__cross__initial_margin_factor=cross, **changes,
    )  # fmt: skip
    tables = model.world.clearing.tables
    above, times = lines_above(tables, level)
    assert above.floor is tables.floor and above.rate is not tables.rate
    return tables, above, float(times)


@pytest.mark.parametrize(
    ("row", "level", "cross", "expected"),
    [
        ((0.0, 0.01, 50.0), RATE_UNIT, 1.0, 20_000_000),
        ((0.0, 0.01, 50.0), RATE_UNIT, 1.5, 30_000_000),
        ((0.0, 0.01, 50.0), RATE_UNIT * 4 // 5, 1.0, 20_000_000),
        ((0.0, 0.01, 50.0), RATE_UNIT * 2 // 5, 1.0, 25_000_000),
        ((0.0, 0.01, 50.0), RATE_UNIT * 3 // 10, 1.0, 33_333_334),
        ((0.0, 0.005, 60.0), RATE_UNIT, 1.0, 16_666_667),
        ((0.0, 0.005, 60.0), RATE_UNIT, 1.1, 18_333_334),
    ],
)
def test_the_line_of_one_bracket_is_the_larger_of_both_margins(row, level, cross, expected):
    """Maintenance margin over the level, or initial margin, in 1e-9, rounded up; 3 roundings."""
    _, above, times = lines_of([row], level, cross)
    assert above.rate[:2].tolist() == [[expected], [expected]]
    assert above.deduction[:2].tolist() == [[-3], [-3]]
    assert times == np.float32(max(1.0, 1.25 / cross))


def test_a_silo_never_needs_less_than_what_is_asked_of_maintenance():
    """Cross asks 2 times as much as isolated: a silo still needs its maintenance margin."""
    assert lines_of([(0.0, 0.01, 50.0)], cross=2.5)[2] == 1.0


def test_the_lines_go_through_the_top_of_every_step_that_is_steeper():
    """At 1,000, 5,000 and 20,000 USD initial margin leaps to 20x, 10x, 4x: 50, 500, 5,000 USD."""
    tables, above, _ = lines_of(
        [(0.0, 0.002, 50.0), (1000.0, 0.004, 20.0), (5000.0, 0.006, 10.0), (20_000.0, 0.008, 4.0)]
    )
    floors = tables.floor[0].tolist()
    slopes = [Fraction(rate, RATE_UNIT) for rate in above.rate[0].tolist()]
    lesses = above.deduction[0].tolist()
    assert slopes == [Fraction(50, 1000), Fraction(450, 4000), Fraction(4500, 15_000),
                      Fraction(4500, 15_000)]  # fmt: skip
    tops = [0, 50 * USD, 500 * USD, 5000 * USD]
    for k, top in enumerate(tops):
        assert top <= slopes[k] * floors[k] - lesses[k] <= top + 5
    assert lesses[0] == -3


def test_a_step_below_the_line_so_far_leaves_it():
    """From 40 % through 1,000 USD on, 41 % at 4,000 lies on no steeper line from there."""
    _, above, _ = lines_of([(0.0, 0.1, 5.0), (1000.0, 0.2, 2.5), (4000.0, 0.3, 2.4)])
    assert above.rate[0].tolist() == [400_000_000, 422_222_223, 422_222_223]


def test_where_a_line_would_be_too_steep_one_line_is_above_all():
    """2x in 1,000 USD behind a billion at 100x: once the whole notional, at least, is asked."""
    rows = [(0.0, 0.005, 100.0), (1e9, 0.1, 2.0), (1e9 + 1000, 0.3, 1.0)]
    for level, cross, most in ((RATE_UNIT, 1.0, 1), (RATE_UNIT // 2, 1.0, 2), (RATE_UNIT, 3.0, 3)):
        _, above, _ = lines_of(rows, level, cross)
        assert above.rate[0].tolist() == [most * RATE_UNIT] * 3
        assert above.deduction[0].tolist() == [-3] * 3


def test_a_line_is_as_steep_as_a_hundred_times_the_notional_and_no_steeper():
    """From 10 USD asked at 1,000 to 1,010 asked at 1,010; a cent less between is too little."""
    rows = [(0.0, 0.001, 200.0), (1000.0, 0.005, 100.0)]
    _, above, _ = lines_of([*rows, (1010.0, 0.3, 1.0)])
    assert above.rate[0].tolist() == [RATE_UNIT // 100, 100 * RATE_UNIT, 100 * RATE_UNIT]
    _, above, _ = lines_of([*rows, (1009.99, 0.3, 1.0)])
    assert above.rate[0].tolist() == [RATE_UNIT] * 3


@pytest.mark.parametrize(
    ("level", "rates", "lesses"),
    [
        (RATE_UNIT, [120_000_000, 220_000_000], [-3, 100 * USD - 3]),
        (RATE_UNIT // 2, [220_000_000, 420_000_000], [-3, 200 * USD - 3]),
        (RATE_UNIT * 3 // 10, [353_333_334, 686_666_667], [-3, 333_333_333 - 3]),
    ],
)
def test_spot_that_backs_lacks_its_haircut_over_the_level_and_what_is_added(level, rates, lesses):
    """10 %, and 20 % beyond 1,000 USD, with 2 % on top that is for opening alone."""
    tiers = [{"floor_usd": 0.0, "haircut": 0.1}, {"floor_usd": 1000.0, "haircut": 0.2}]
    collateral = {"USDX": {"tiers": tiers, "initial_addition": 0.02}}
    _, above, _ = lines_of(
        [(0.0, 0.01, 50.0), (1e6, 0.02, 25.0)], level, margin__collateral=collateral
    )
    assert above.rate[2].tolist() == rates
    assert above.deduction[2].tolist() == lesses


def test_spot_that_backs_nothing_needs_all_that_it_is_worth():
    for level, most in ((RATE_UNIT, 1), (RATE_UNIT // 2, 2)):
        _, above, _ = lines_of([(0.0, 0.01, 50.0)], level)
        assert above.rate[2].tolist() == [most * RATE_UNIT]
        assert above.deduction[2].tolist() == [-3]


def test_a_narrow_bracket_far_from_zero_is_no_overflow():
    """2x in 1,000 USD behind a billion at 100x: the line through both rises 5e5 times as fast."""
    rows = [(0, 0.005, 100), (1_000_000_000, 0.1, 2), (1_000_001_000, 0.3, 1)]
    brackets = [dict(zip(("floor_usd", "maintenance_rate", "max_leverage"), r, strict=True))
                for r in rows]  # fmt: skip
    model = venue({"BTC": 10}, margin__brackets=dict.fromkeys(("BTC", "ETH", "USDX"), brackets))
    accounts = model.world.clearing.accounts
    accounts.position[0, 0] = 20_000_000  # 2 billion USD
    accounts.cash[0, 0] = 0  # bought with nothing of its own but 2 billion
    assert below(model) == []
    accounts.cash[0, 0] = -1
    assert below(model) == [0]


def test_under_scenarios_the_factor_of_cross_is_on_initial_margin_alone():
    """One class, a fall of 10 % at worst: 10 lots need 100 USD to live, 130 to be opened."""
    moves = [{"spot_move": move, "volatility": "none"} for move in (0.0, -0.1, 0.1)]
    grid = {"classes": {"one": ["BTC"]}, "scenarios": moves, "perpetual_addition": 0.0,
            "perpetual_initial_addition": 0.0, "maintenance_factor": 1.0}  # fmt: skip
    model = venue(
        {"BTC": 10}, margin__portfolio=grid, margin__cross__initial_margin_factor=1.3,
        margin__cross__closure={"kind": "least_common_share"},
    )  # fmt: skip
    accounts = model.world.clearing.accounts
    assert pool_need(model) == 100 * USD
    accounts.wallet[0] -= 870 * USD
    assert called(model).pools.tolist() == []
    accounts.wallet[0] -= 1
    assert called(model).pools.tolist() == [0] and not called(model).short.size
    accounts.wallet[0] -= 30 * USD
    assert called(model).short.tolist() == [0] and called(model).levels.tolist() == [2]


def pool_need(model):
    """Return the maintenance margin of the first cross pool."""
    c = model.world.clearing
    return pool_states(c.accounts, c.tables, model.world.board.ticks, np.array([0]))[1][0]
