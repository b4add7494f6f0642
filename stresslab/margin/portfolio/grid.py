"""Portfolio margin from a grid of scenarios: what a hedged portfolio could lose at worst.

References
----------
Derive (formerly Lyra), portfolio margin risk manager 2: contracts and portfolio test cases.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from stresslab.core.errors import StresslabError
from stresslab.margin.portfolio.holdings import Expiry, Portfolio
from stresslab.margin.portfolio.parameters import GridParameters
from stresslab.margin.portfolio.scenarios import (
    ABSOLUTE,
    LINEAR,
    NONE,
    Scenario,
    standard_scenarios,
)
from stresslab.margin.portfolio.shocks import (
    marked_value,
    rounding_error,
    shocked_value,
    static_discount,
    years_to,
)


class GridMargin(NamedTuple):
    """Margins of a portfolio in quote: what is left after the requirement, negative is short."""

    initial: float
    maintenance: float
    worst_scenario: float  # change of value in the worst scenario
    forward_contingency: float  # change of value, 0 or below
    value: float  # cash and everything else at the mark


def grid_margin(
    portfolio: Portfolio,
    grid: GridParameters | None = None,
    scenarios: Sequence[Scenario] | None = None,
) -> GridMargin:
    """Return the margins of a portfolio.

    ``MM = value + worst · factor - C_MM`` and ``IM = value + worst · factor' - C_MM - C_IM``,
    where worst is the lowest of all scenarios and the forward contingency.

    Raises
    ------
    StresslabError
        When there is no scenario.

    >>> long = Portfolio(spot=100.0, perpetuals=1.0, perpetual_price=100.0)
    >>> round(grid_margin(long).initial, 9)  # falls of 18 %, and 2 % of notional
    -20.0
    """
    grid = GridParameters() if grid is None else grid
    scenarios = standard_scenarios() if scenarios is None else scenarios
    if not scenarios:
        raise StresslabError("portfolio margin: a grid needs at least one scenario")
    marks = [marked_value(expiry) for expiry in portfolio.expiries]
    worst = min(scenario_change(portfolio, scenario, grid, marks) for scenario in scenarios)
    contingency = math.fsum(
        _forward_contingency(expiry, mark, grid)
        for expiry, mark in zip(portfolio.expiries, marks, strict=True)
    )
    maintenance_charge, initial_charge = _charges(portfolio, grid)
    value = _value(portfolio, marks)
    loss = min(worst, contingency)
    return GridMargin(
        initial=value + loss * _initial_factor(portfolio, grid) - maintenance_charge
        - initial_charge,
        maintenance=value + loss * grid.losses.maintenance - maintenance_charge,
        worst_scenario=worst,
        forward_contingency=contingency,
        value=value,
    )  # fmt: skip


def scenario_change(
    portfolio: Portfolio,
    scenario: Scenario,
    grid: GridParameters,
    marks: Sequence[float] | None = None,
) -> float:
    """Return how much a portfolio's value changes against the mark in one scenario, in quote.

    Perpetuals and collateral that moves with spot change in proportion. In turns of the surface
    every expiry is taken to lose, since the surface may turn the other way there. Options that
    cancel change by exactly 0.
    """
    if marks is None:
        marks = [marked_value(expiry) for expiry in portfolio.expiries]
    moving = portfolio.perpetuals * portfolio.perpetual_price
    moving += math.fsum(
        portfolio.value_of(collateral)
        for collateral in portfolio.collaterals
        if collateral.moves_with_spot
    )
    changes = [moving * (scenario.spot_factor - 1)]
    for expiry, mark in zip(portfolio.expiries, marks, strict=True):
        shocked = shocked_value(expiry, scenario, grid)
        change = shocked * static_discount(expiry, shocked, grid) - mark
        if abs(change) <= rounding_error(expiry):
            continue
        changes.append(-abs(change) if scenario.volatility in (LINEAR, ABSOLUTE) else change)
    return math.fsum(changes) * scenario.damping


def naked_shorts(expiry: Expiry) -> float:
    """Return the options sold beyond those held at the same strike, summed over strikes."""
    net: dict[float, float] = defaultdict(float)
    for option in expiry.options:
        net[option.strike] += option.amount
    return math.fsum(max(0.0, -amount) for amount in net.values())


def _value(portfolio: Portfolio, marks: Sequence[float]) -> float:
    collateral = [portfolio.value_of(held) for held in portfolio.collaterals]
    return math.fsum([portfolio.cash, portfolio.unrealised, *collateral, *marks])


def _initial_factor(portfolio: Portfolio, grid: GridParameters) -> float:
    below = max(0.0, grid.contingencies.peg_threshold - portfolio.stable_price)
    return grid.losses.initial + below * grid.contingencies.peg_factor


def _forward_contingency(expiry: Expiry, mark: float, grid: GridParameters) -> float:
    rules = grid.forward
    moved = [
        shocked_value(expiry, Scenario(spot, NONE), grid)
        for spot in (rules.spot_up, rules.spot_down)
    ]
    return min(0.0, *(value - mark for value in moved)) * (
        rules.addition + rules.slope * years_to(expiry)
    )


def _charges(portfolio: Portfolio, grid: GridParameters) -> tuple[float, float]:
    """Return the charges on notional for maintenance and, on top of them, initial margin."""
    rules, spot = grid.contingencies, portfolio.spot
    notional = abs(portfolio.perpetuals) * spot
    maintenance = [notional * rules.perpetual_maintenance]
    initial = [notional * (rules.perpetual_initial + _doubt(portfolio.confidence, grid))]
    for expiry in portfolio.expiries:
        shorts = naked_shorts(expiry) * spot
        gross = math.fsum(abs(option.amount) for option in expiry.options) * spot
        doubt = _doubt(min(portfolio.confidence, expiry.confidence), grid)
        maintenance.append(shorts * rules.short_maintenance)
        initial.append(shorts * rules.short_initial + gross * doubt)
    for held in portfolio.collaterals:
        value = portfolio.value_of(held)
        doubt = _doubt(min(portfolio.spot_confidence, held.confidence), grid)
        maintenance.append(value * held.maintenance_haircut)
        initial.append(value * (held.initial_haircut + doubt))
    return math.fsum(maintenance), math.fsum(initial)


def _doubt(confidence: float, grid: GridParameters) -> float:
    """Return the charge on notional for an oracle that is unsure of its price."""
    rules = grid.contingencies
    if confidence >= rules.confidence_threshold:
        return 0.0
    return (1 - confidence) * rules.confidence_margin
