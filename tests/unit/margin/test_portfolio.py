"""Portfolio margin by scenarios: hedges lower it, doubt and naked shorts raise it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stresslab.core.errors import StresslabError
from stresslab.margin.portfolio import (
    Collateral,
    Contingencies,
    Expiry,
    GridParameters,
    LossFactors,
    Option,
    Portfolio,
    Scenario,
    SkewShock,
    VolatilityShock,
    grid_margin,
    naked_shorts,
    scenario_change,
    standard_scenarios,
)
from stresslab.margin.portfolio.black76 import black76, normal_share
from stresslab.margin.portfolio.scenarios import ABSOLUTE, DOWN, LINEAR, NONE, UP
from stresslab.margin.portfolio.shocks import discount_to, shocked_value, static_discount

DAY = 86_400.0
NO_CHARGES = Contingencies(
    perpetual_maintenance=0.0, perpetual_initial=0.0, short_maintenance=0.0, short_initial=0.0
)
BARE = GridParameters(contingencies=NO_CHARGES)
amounts = st.floats(-10, 10).filter(lambda amount: abs(amount) > 1e-3)
strikes = st.floats(50, 200)


def expiry(*options, days=20.0, rate=0.05, confidence=1.0, forward=101.0):
    return Expiry(days * DAY, forward, rate, confidence, options)


def portfolio(**held):
    return Portfolio(**{"spot": 100.0, "perpetual_price": 100.0, **held})


def call(amount, strike=100.0, volatility=0.6):
    return Option(strike, True, amount, volatility)


def put(amount, strike=100.0, volatility=0.6):
    return Option(strike, False, amount, volatility)


def used(held, grid=None):
    """Return the initial margin that a portfolio needs."""
    margin = grid_margin(held, grid)
    return margin.value - margin.initial


# -- Black's formula ------------------------------------------------------------------------------


@given(st.floats(10, 1000), st.floats(10, 1000), st.floats(0.01, 3), st.floats(0.001, 5))
def test_call_less_put_is_the_discounted_forward(forward, strike, volatility, years):
    discount = math.exp(-0.04 * years)
    call_value, put_value = (
        black76(forward, strike, volatility, years, discount, is_call) for is_call in (True, False)
    )

    assert call_value - put_value == pytest.approx(discount * (forward - strike), abs=1e-9)
    assert max(0, discount * (forward - strike)) - 1e-9 <= call_value <= discount * forward


def test_value_is_the_mean_payoff_of_a_lognormal_price():
    """Integrate the payoff over the normal density, without the formula."""
    forward, strike, deviation, n = 100.0, 110.0, 0.3, 200_000
    quantiles = [(-8 + 16 * (i + 0.5) / n) for i in range(n)]
    step = 16 / n / math.sqrt(2 * math.pi)
    mean = math.fsum(
        max(0.0, forward * math.exp(deviation * z - deviation**2 / 2) - strike)
        * math.exp(-z * z / 2)
        for z in quantiles
    )

    assert black76(forward, strike, deviation, 1.0, 1.0, True) == pytest.approx(
        mean * step, rel=1e-7
    )
    assert normal_share(0.0) == 0.5


@pytest.mark.parametrize(
    ("volatility", "years", "strike"), [(0.0, 1.0, 90.0), (0.5, 0.0, 90.0), (0.5, 1.0, 0.0)]
)
def test_without_time_volatility_or_strike_only_intrinsic_value_is_left(volatility, years, strike):
    assert black76(100, strike, volatility, years, 0.5, True) == 0.5 * (100 - strike)
    assert black76(100, strike, volatility, years, 0.5, False) == 0.0


def test_price_scales_with_its_unit():
    whole = black76(100, 110, 0.5, 0.5, 1.0, True)

    assert black76(0.1, 0.11, 0.5, 0.5, 1.0, True) == pytest.approx(whole / 1000, rel=1e-12)


# -- the grid -------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1.0, -1.0])
def test_a_perpetual_alone_needs_the_largest_move_either_way(size):
    margin = grid_margin(portfolio(perpetuals=size))

    assert margin.worst_scenario == pytest.approx(-18)
    assert margin.initial == pytest.approx(-18 - 1.5 - 0.5)
    assert margin.maintenance == pytest.approx(-0.8 * 18 - 1.5)


@given(amounts, amounts, strikes, strikes)
@settings(max_examples=30)
def test_a_book_never_needs_more_than_its_legs(first, second, strike, other):
    """Scenario losses are subadditive: legs together lose at most what they lose apart."""
    legs = [
        portfolio(expiries=[expiry(call(first, strike))]),
        portfolio(expiries=[expiry(put(second, other), days=60)]),
        portfolio(perpetuals=-first),
    ]
    expiries = [leg.expiries[0] for leg in legs[:2]]
    together = portfolio(expiries=expiries, perpetuals=-first)

    assert used(together, BARE) <= sum(used(leg, BARE) for leg in legs) + 1e-9


def test_hedging_lowers_the_requirement():
    short_call = portfolio(expiries=[expiry(call(-1))])
    hedged = portfolio(expiries=[expiry(call(-1))], perpetuals=0.5)

    assert 0 < used(hedged) < used(short_call)


def test_collateral_hedges_only_when_it_moves_with_spot():
    coins = {
        moves: Collateral(1.0, 100.0, moves, maintenance_haircut=0.0, initial_haircut=0.0)
        for moves in (True, False)
    }
    used_with = {
        moves: used(portfolio(perpetuals=-1.0, collaterals=[coin])) for moves, coin in coins.items()
    }

    assert used_with[True] == pytest.approx(1.5 + 0.5)  # charges on notional alone
    assert used_with[False] == pytest.approx(18 + 2)


def test_a_broken_hedge_needs_more():
    """The same legs on expiries whose forwards may part are charged for it."""
    one = portfolio(expiries=[expiry(call(-1), call(1, 101.0))])
    parted = portfolio(expiries=[expiry(call(-1)), expiry(call(1, 101.0), days=90)])

    assert grid_margin(one).forward_contingency > grid_margin(parted).forward_contingency
    assert used(parted) > used(one) > 0


def test_haircuts_and_charges_come_on_top():
    coin = Collateral(2.0, 50.0, False, maintenance_haircut=0.1, initial_haircut=0.05)
    margin = grid_margin(portfolio(cash=10.0, collaterals=[coin]))

    assert margin.value == 110
    assert margin.maintenance == pytest.approx(110 - 10)
    assert margin.initial == pytest.approx(110 - 15)


def test_collateral_is_worth_more_of_a_cheap_quote_currency():
    coin = Collateral(2.0, 50.0, False, 0.0, 0.0)

    assert grid_margin(portfolio(collaterals=[coin])).value == 100
    assert grid_margin(portfolio(collaterals=[coin], stable_price=0.5)).value == 200
    assert Collateral(1.0, 1.0, False, 0.0, 0.0).confidence == 1


@pytest.mark.parametrize(
    ("confidence", "charge"), [(0.55, 0.0), (0.5499, 0.4501), (0.0, 1.0), (1.0, 0.0)]
)
def test_doubt_is_charged_below_the_threshold(confidence, charge):
    sure = portfolio(perpetuals=1.0)
    doubted = sure._replace(perpetual_confidence=confidence)
    coin = Collateral(1.0, 100.0, False, 0.0, 0.0)
    coins = [portfolio(collaterals=[coin._replace(confidence=c)]) for c in (1.0, confidence)]
    options = [portfolio(expiries=[expiry(call(2.0), confidence=c)]) for c in (1.0, confidence)]

    assert used(doubted) - used(sure) == pytest.approx(charge * 100)
    assert used(coins[1]) - used(coins[0]) == pytest.approx(charge * 100)
    assert used(options[1]) - used(options[0]) == pytest.approx(charge * 200)
    margins = [grid_margin(held).maintenance for held in (sure, doubted)]
    assert margins[0] == margins[1]


def test_doubt_is_charged_by_its_margin():
    rules = Contingencies(confidence_margin=2.0, confidence_threshold=0.9)
    doubted = portfolio(perpetuals=1.0, perpetual_confidence=0.8)
    sure = portfolio(perpetuals=1.0)

    grid = GridParameters(contingencies=rules)
    assert used(doubted, grid) - used(sure, grid) == pytest.approx(0.2 * 2 * 100)


def test_doubt_about_spot_reaches_all_and_about_perpetuals_options_too():
    coin = Collateral(1.0, 100.0, False, 0.0, 0.0)
    held = portfolio(collaterals=[coin], perpetuals=1.0, expiries=[expiry(call(1.0))])

    def charge(**confidence):
        return used(held._replace(**confidence)) - used(held)

    assert charge(spot_confidence=0.5) == pytest.approx(150)
    assert charge(perpetual_confidence=0.5) == pytest.approx(100)
    unused = held._replace(perpetuals=0.0)
    assert used(unused._replace(perpetual_confidence=0.1)) == used(unused)


@pytest.mark.parametrize(
    ("options", "naked"),
    [
        ([call(-2)], 2),
        ([call(-2), put(-1)], 3),
        ([call(-2), put(1)], 1),
        ([call(-2), put(3)], 0),
        ([call(-2), call(5, 110.0)], 2),
        ([call(2), put(3)], 0),
        ([], 0),
    ],
)
def test_naked_shorts_are_net_by_strike(options, naked):
    assert naked_shorts(expiry(*options)) == naked


def test_a_falling_stablecoin_raises_initial_margin_only():
    held = portfolio(perpetuals=1.0)
    fallen = held._replace(stable_price=0.9)

    assert used(fallen) - used(held) == pytest.approx(18 * (0.98 - 0.9) * 2)
    assert grid_margin(fallen).maintenance == grid_margin(held).maintenance


@pytest.mark.parametrize(("days", "rate"), [(0.0, 0.5), (73.0, 0.9), (365.0, 2.5)])
def test_the_forward_contingency_is_the_worse_move_by_time(days, rate):
    """Half of the loss at expiry and twice it a year more, of a short put deep in the money."""
    settled = expiry(put(-1.0, 1e6, 0.0), days=days, rate=0.0, forward=100.0)
    found = grid_margin(portfolio(expiries=[settled])).forward_contingency

    fixed = days == 0  # nothing of the forward moves any more
    assert found == pytest.approx(0 if fixed else -4.5 * rate)


def test_a_gain_either_way_is_no_contingency():
    straddle = expiry(call(1.0, volatility=0.0), put(1.0, volatility=0.0), forward=100.0)

    assert grid_margin(portfolio(expiries=[straddle])).forward_contingency == 0


# -- volatility -----------------------------------------------------------------------------------


def test_longer_options_see_smaller_moves_of_volatility():
    def ratio(days, move):
        dated = expiry(call(1.0), days=days, rate=0.0, forward=100.0)
        moved = shocked_value(dated, Scenario(1.0, move), GridParameters())
        return moved / shocked_value(dated, Scenario(1.0, NONE), GridParameters())

    rises = [ratio(days, UP) for days in (0.5, 1, 10, 30, 31, 200)]
    assert rises[0] == pytest.approx(rises[1], rel=1e-2)  # times below a day count as a day
    assert sorted(rises, reverse=True)[1:] == rises[1:]
    assert all(ratio(days, DOWN) < 1 for days in (1, 30, 200))


@pytest.mark.parametrize(
    ("days", "move", "factor"),
    [
        (30, UP, 1.5),
        (30, DOWN, 0.725),
        (60, UP, 1 + 0.5 * 0.5**0.13),
        (15, DOWN, 1 - 0.275 * 2**0.3),
        (0.5, UP, 1 + 0.5 * 30**0.3),
    ],
)
def test_volatility_moves_by_its_factor(days, move, factor):
    grid = GridParameters()
    moved = shocked_value(expiry(call(1.0), days=days), Scenario(1.05, move), grid)
    given_it = expiry(call(1.0, volatility=0.6 * factor), days=days)

    assert moved == pytest.approx(shocked_value(given_it, Scenario(1.05), grid), rel=1e-12)


def test_a_rise_has_a_floor_and_a_fall_stops_at_zero():
    calm = expiry(call(1.0, volatility=0.1), rate=0.0)
    grid = GridParameters(volatility=VolatilityShock(up=0.0, down=2.0, up_floor=0.8))
    floored = shocked_value(calm, Scenario(1.0, UP), grid)

    assert floored == shocked_value(expiry(call(1.0, volatility=0.8), rate=0.0),
                                    Scenario(1.0, NONE), grid)  # fmt: skip
    assert shocked_value(calm, Scenario(1.0, DOWN), grid) == 101 - 100


@pytest.mark.parametrize("strike", [60.0, 101.0, 160.0])
def test_turns_of_the_surface_leave_spot_and_the_middle_alone(strike):
    held = expiry(call(1.0, strike))
    grid = GridParameters()
    marked = shocked_value(held, Scenario(1.0, NONE), grid)
    linear, absolute = (
        shocked_value(held, Scenario(2.0, move), grid) for move in (LINEAR, ABSOLUTE)
    )

    assert absolute >= marked
    assert (linear > marked) == (strike > 101) and (linear < marked) == (strike < 101)
    assert (absolute == marked) == (strike == 101)


def test_a_negative_cap_turns_the_surface_the_other_way_at_least_by_the_cap():
    grid = GridParameters(skew=SkewShock(linear_cap=-0.2, linear_cap_slope=0.0))
    high = shocked_value(expiry(call(1.0, 110.0)), Scenario(1.0, LINEAR), grid)
    low = shocked_value(expiry(call(1.0, 95.0)), Scenario(1.0, LINEAR), grid)

    assert high == pytest.approx(
        shocked_value(expiry(call(1.0, 110.0, 0.6 * 0.8)), Scenario(1.0), grid)
    )
    assert low == pytest.approx(
        shocked_value(expiry(call(1.0, 95.0, 0.6 * 1.2)), Scenario(1.0), grid)
    )


def test_in_turns_every_expiry_loses():
    held = portfolio(expiries=[expiry(call(1.0, 150.0))])
    opposite = portfolio(expiries=[expiry(call(-1.0, 150.0))])
    plain = GridParameters(
        losses=LossFactors(
            long_discount=1.0, short_discount=1.0, long_rate_addition=0.0, short_rate_addition=0.0,
            long_rate_scale=0.0, short_rate_scale=0.0,
        )
    )  # fmt: skip
    turn = Scenario(1.0, LINEAR)

    losses = [scenario_change(book, turn, plain) for book in (held, opposite)]
    assert losses[0] == losses[1] < 0


def test_static_discounts_by_formula():
    grid, year = GridParameters(), expiry(call(1.0), days=365, rate=0.3)

    assert static_discount(year, 1.0, grid) == pytest.approx(0.95 * math.exp(-(0.3 + 0.08)))
    assert static_discount(year, -1.0, grid) == pytest.approx(1.04 * math.exp(0.5 * 0.3 + 0.08))


def test_static_discounts_only_ever_hurt():
    grid, held = GridParameters(), expiry(call(1.0), days=300, rate=0.2)

    assert static_discount(held, 1.0, grid) < 0.95
    assert 1.04 < static_discount(held, -1.0, grid) <= 1 / discount_to(held)
    short = expiry(call(1.0), days=1, rate=0.2)
    assert static_discount(short, -1.0, grid) == 1 / discount_to(short)
    negative = expiry(call(1.0), days=300, rate=-0.5)
    assert discount_to(negative) == 1.0


# -- expiry ---------------------------------------------------------------------------------------


def test_the_last_half_hour_settles_bit_by_bit():
    def change(seconds):
        held = Expiry(seconds, 100.0, 0.0, 1.0, [call(1.0, 50.0)])
        return shocked_value(held, Scenario(1.1), GridParameters()) - 50

    assert change(1800.0) == pytest.approx(10)
    assert change(900.0) == pytest.approx(5)
    assert change(0.0) == change(-60.0) == 0


def test_options_that_cancel_change_by_nothing():
    box = [call(-1, 100), call(1, 110), put(1, 100), put(-1, 110)]
    margin = grid_margin(portfolio(expiries=[expiry(*box, rate=0.0)]), BARE)

    assert margin.value == pytest.approx(-10)
    assert margin.worst_scenario == 0


def test_the_standard_grid_has_the_scenario_of_no_move_and_damped_tails():
    scenarios = standard_scenarios()

    assert Scenario(1.0, NONE, 1.0) in scenarios
    tails = [scenario for scenario in scenarios if scenario.damping < 1]
    assert [round((t.spot_factor - 1) * t.damping, 12) for t in tails] == [-0.036] * 2 + [0.036] * 4


def test_a_grid_without_scenarios_or_with_unknown_moves_is_refused():
    with pytest.raises(StresslabError, match="at least one scenario"):
        grid_margin(portfolio(), scenarios=[])
    with pytest.raises(StresslabError, match="'sideways' is none of"):
        grid_margin(portfolio(expiries=[expiry(call(1.0))]), scenarios=[Scenario(1.0, "sideways")])


def test_initial_below_maintenance_is_a_fault():
    faults = list(LossFactors(initial=0.5, maintenance=0.8).faults())

    assert faults == [("initial", "0.5 is below the maintenance factor, 0.8")]
    assert not list(LossFactors().faults())
    assert not list(LossFactors(initial=0.8, maintenance=0.8).faults())
