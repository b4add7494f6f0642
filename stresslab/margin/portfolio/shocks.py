"""Value of the options of one expiry under a move of spot and volatility."""

from __future__ import annotations

import math
from collections.abc import Callable

from stresslab.core.errors import StresslabError
from stresslab.margin.portfolio.black76 import SECONDS_PER_YEAR, black76
from stresslab.margin.portfolio.holdings import Expiry, Option
from stresslab.margin.portfolio.parameters import GridParameters, SkewShock, VolatilityShock
from stresslab.margin.portfolio.scenarios import ABSOLUTE, LINEAR, MOVES, NONE, UP, Scenario

ROUNDING = 1e-14  # of the prices that go into an option's value
_DAY = 86_400
_TERM = 30 * _DAY


def years_to(expiry: Expiry) -> float:
    """Return the time to expiry in years of 365 days."""
    return max(expiry.seconds, 0.0) / SECONDS_PER_YEAR


def discount_to(expiry: Expiry) -> float:
    """Return the value today of one unit paid at expiry; a negative rate counts as 0."""
    return math.exp(-max(expiry.rate, 0.0) * years_to(expiry))


def marked_value(expiry: Expiry) -> float:
    """Return the value of the options at the mark, in quote."""
    return _value(expiry, 1.0, lambda option: option.volatility)


def shocked_value(expiry: Expiry, scenario: Scenario, grid: GridParameters) -> float:
    """Return the value of the options in a scenario, before the static discount.

    Turns of the surface leave spot unmoved, whatever the scenario says of it.

    Raises
    ------
    StresslabError
        When the scenario's move of volatility has no such name.
    """
    move = scenario.volatility
    if move not in MOVES:
        raise StresslabError(f"volatility: {move!r} is none of {', '.join(MOVES)}")
    if move in (LINEAR, ABSOLUTE):
        return _value(expiry, 1.0, _turned(expiry, grid.skew, move == LINEAR))
    return _value(expiry, scenario.spot_factor, _scaled(expiry, grid.volatility, move))


def static_discount(expiry: Expiry, value: float, grid: GridParameters) -> float:
    """Return the factor on a shocked value: long value is worth less, short value costs more.

    Long ``a+ exp(-T (r scale + addition))``; short ``a- exp(T (r scale + addition))``, at most one
    over the discount to expiry.
    """
    years, rate, losses = years_to(expiry), max(expiry.rate, 0.0), grid.losses
    if value >= 0:
        dampened = rate * losses.long_rate_scale + losses.long_rate_addition
        return losses.long_discount * math.exp(-years * dampened)
    raised = rate * losses.short_rate_scale + losses.short_rate_addition
    return min(1 / discount_to(expiry), losses.short_discount * math.exp(years * raised))


def rounding_error(expiry: Expiry) -> float:
    """Return what rounding alone may leave of options whose values cancel, in quote."""
    gross = (abs(option.amount) * (expiry.forward + option.strike) for option in expiry.options)
    return ROUNDING * math.fsum(gross)


def _value(expiry: Expiry, spot_factor: float, volatility: Callable[[Option], float]) -> float:
    forward, years, discount = expiry.forward_at(spot_factor), years_to(expiry), discount_to(expiry)
    return math.fsum(
        option.amount
        * black76(forward, option.strike, volatility(option), years, discount, option.is_call)
        for option in expiry.options
    )


def _scaled(expiry: Expiry, shock: VolatilityShock, move: str) -> Callable[[Option], float]:
    if move == NONE:
        return lambda option: option.volatility
    power = shock.short_power if expiry.seconds <= _TERM else shock.long_power
    growth = float((_TERM / max(expiry.seconds, shock.floor_days * _DAY)) ** power)
    if move == UP:
        raised = 1 + shock.up * growth
        return lambda option: max(shock.up_floor, option.volatility * raised)
    lowered = max(0.0, 1 - shock.down * growth)
    return lambda option: option.volatility * lowered


def _turned(expiry: Expiry, skew: SkewShock, is_linear: bool) -> Callable[[Option], float]:
    """Return volatility times ``1 + clip(k cap / k*, ±cap)``, k the (absolute) log moneyness."""
    root = math.sqrt(years_to(expiry))
    if is_linear:
        cap = skew.linear_cap + skew.linear_cap_slope * root
    else:
        cap = skew.absolute_cap + skew.absolute_cap_slope * root
    surface = skew.width_volatility + skew.width_volatility_slope * root
    width = max(skew.least_width, root * skew.width_scale * surface)

    def turned(option: Option) -> float:
        moneyness = math.log(option.strike / expiry.forward)
        moneyness = moneyness if is_linear else abs(moneyness)
        turn = moneyness * cap / width
        turn = min(cap, turn) if moneyness >= 0 else max(-cap, turn)
        return option.volatility * max(0.0, 1 + turn)

    return turned
