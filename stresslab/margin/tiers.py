"""Tiered initial and maintenance margin as exact integers.

Maintenance margin of a notional ``n`` in bracket ``k`` is ``n * m_k - c_k`` with
``c_k = c_(k-1) + F_k * (m_k - m_(k-1))``: continuous and convex in ``n`` (the published recursion
of Binance and Hyperliquid). Initial margin is ``n / L_k`` at the bracket's highest leverage, times
the mode's factor. Both are rounded up to the micro-USD, against the trader.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import numpy as np

from stresslab.core.compiled import kernel, merged
from stresslab.core.errors import ConfigError
from stresslab.core.exact import CEIL, mul_div
from stresslab.margin.portfolio.book import grid_of
from stresslab.margin.rules import Bracket, MarginRules

RATE_UNIT = 1_000_000_000  # rates are integers in 1e-9 of the notional
MICRO = 1_000_000


class MarginTables(NamedTuple):
    """Brackets of all assets; rows beyond an asset's last bracket repeat it."""

    floor: np.ndarray  # (A, K) micro-USD
    rate: np.ndarray  # (A, K) maintenance, 1e-9
    deduction: np.ndarray  # (A, K) micro-USD, c_k
    initial: np.ndarray  # (A, K) initial margin rate at factor 1; spot: haircut on top; 1e-9
    factor: np.ndarray  # (3,) initial margin factor by mode, 1e-9
    unit_value: np.ndarray  # (A,) micro-USD of one tick times one lot
    is_spot: np.ndarray  # (A,) 1 for spot
    n_lines: np.ndarray  # (A,) brackets of the asset
    portfolio: np.ndarray  # (A, 12) scenario grid of cross pools; no row: brackets hold
    at_equality: np.ndarray  # (1,) 1 if equity of exactly the maintenance margin is a breach


def margin_tables(
    rules: MarginRules, names: list[str], is_spot: np.ndarray, unit_value: np.ndarray
) -> MarginTables:
    """Compile the declared brackets of the assets, in their order, into columns."""
    rows = [
        _spot_brackets(rules, name) if spot else _perpetual_brackets(rules, name)
        for name, spot in zip(names, is_spot, strict=True)
    ]
    depth = max(len(r) for r in rows)
    columns = [np.array([_pad(r, depth, place) for r in rows], np.int64) for place in range(4)]
    factors = [1.0, rules.isolated.initial_margin_factor, rules.cross.initial_margin_factor]
    return MarginTables(
        *columns,
        factor=np.array([rate_units(f) for f in factors], np.int64),
        unit_value=unit_value.astype(np.int64),
        is_spot=is_spot.astype(np.int64),
        n_lines=np.array([len(r) for r in rows], np.int64),
        portfolio=grid_of(rules.portfolio, names, is_spot.tolist()),
        at_equality=np.array([rules.breach_at_equality], np.int64),
    )


def rate_units(rate: float) -> int:
    """Return a rate as an integer number of 1e-9."""
    return round(Fraction(str(rate)) * RATE_UNIT)


def _pad(rows: list[tuple[int, int, int, int]], depth: int, place: int) -> list[int]:
    values = [row[place] for row in rows]
    return values + [values[-1]] * (depth - len(values))


def _spot_brackets(rules: MarginRules, name: str) -> list[tuple[int, int, int, int]]:
    """Spot is bought in full; it counts as collateral less its haircut, slice by slice."""
    declared = rules.collateral.get(name)
    if declared is None:
        return [(0, rate_units(rules.spot_haircut), 0, RATE_UNIT)]
    compiled: list[tuple[int, int, int, int]] = []
    addition = rate_units(declared.initial_addition)
    for tier in declared.slices:
        row = _line(tier.floor_usd, tier.haircut, compiled, f"margin.collateral.{name}")
        compiled.append((*row, addition))
    return compiled


def _perpetual_brackets(rules: MarginRules, name: str) -> list[tuple[int, int, int, int]]:
    cap = Fraction(str(rules.max_leverage.get(name, 1000)))
    compiled: list[tuple[int, int, int, int]] = []
    for bracket in rules.brackets[name]:
        compiled.append(_compile(bracket, cap, compiled, name))
    return compiled


def _compile(
    bracket: Bracket, cap: Fraction, before: list[tuple[int, int, int, int]], name: str
) -> tuple[int, int, int, int]:
    line = _line(bracket.floor_usd, bracket.maintenance_rate, before, f"margin.brackets.{name}")
    leverage = min(Fraction(str(bracket.max_leverage)), cap)
    initial = -(-RATE_UNIT * leverage.denominator // leverage.numerator)
    return (*line, initial)


def _line(
    floor_usd: float, slice_rate: float, before: list[tuple[int, int, int, int]], path: str
) -> tuple[int, int, int]:
    """Return (floor, rate, deduction) of the next slice of a table, in whole units."""
    floor = round(Fraction(str(floor_usd)) * MICRO)
    rate = rate_units(slice_rate)
    deduction = Fraction(0)
    if before:
        deduction = before[-1][2] + Fraction(floor * (rate - before[-1][1]), RATE_UNIT)
    if deduction.denominator != 1:
        raise ConfigError(
            f"{path}: floor {floor_usd:g} USD gives a deduction of "
            f"{float(deduction):g} micro-USD; floors and rates must give whole micro-USD"
        )
    return floor, rate, int(deduction)


@merged
def bracket_of(tables, asset, notional):
    """Return the bracket whose floor lies below the notional."""
    k = 0
    while k + 1 < tables.n_lines[asset] and notional > tables.floor[asset, k + 1]:
        k += 1
    return k


@merged
def maintenance_margin(tables, asset, notional):
    """Return the maintenance margin of one position's notional, micro-USD, rounded up."""
    if notional == 0:
        return 0
    k = bracket_of(tables, asset, notional)
    return mul_div(notional, tables.rate[asset, k], RATE_UNIT, CEIL) - tables.deduction[asset, k]


@merged
def collateral_value(tables, asset, value):
    """Return what of a spot holding's value backs the opening of perpetuals, micro-USD."""
    addition = tables.initial[asset, 0]
    if value <= 0 or addition == RATE_UNIT:
        return 0
    haircut = maintenance_margin(tables, asset, value)
    return max(0, value - haircut - mul_div(value, addition, RATE_UNIT, CEIL))


@merged
def initial_margin(tables, asset, notional, mode):
    """Return the initial margin of one position's notional in a mode, micro-USD, rounded up."""
    if notional == 0:
        return 0
    rate = tables.initial[asset, bracket_of(tables, asset, notional)]
    if tables.is_spot[asset]:
        return notional
    base = mul_div(notional, rate, RATE_UNIT, CEIL)
    factor = tables.factor[mode]
    return base if factor == RATE_UNIT else mul_div(base, factor, RATE_UNIT, CEIL)


@merged
def margins(tables, asset, notional, mode):
    """Return maintenance and initial margin of one perpetual's notional in a mode, as above."""
    if notional == 0:
        return 0, 0
    k = bracket_of(tables, asset, notional)
    maintenance = share_of(notional, tables.rate[asset, k], CEIL) - tables.deduction[asset, k]
    base = share_of(notional, tables.initial[asset, k], CEIL)
    return maintenance, base + share_of(base, tables.factor[mode] - RATE_UNIT, CEIL)


@merged
def share_of(amount, rate, rounding):
    """Return what :func:`mul_div` makes of a rate in 1e-9, FLOOR or CEIL, in two small products."""
    if amount < 0 or rate < 0 or rate > RATE_UNIT:
        return mul_div(amount, rate, RATE_UNIT, rounding)
    whole, rest = amount // RATE_UNIT, amount % RATE_UNIT * rate
    if rounding == CEIL:
        rest += RATE_UNIT - 1
    return whole * rate + rest // RATE_UNIT


def initial_margins(
    tables: MarginTables, asset: int, notional: np.ndarray, mode: int
) -> np.ndarray:
    """Return the initial margin of many positions in one asset, micro-USD, shape ``(n,)``."""
    margins = np.empty_like(notional)
    _initial_margins(tables, asset, notional, mode, margins)
    return margins


@kernel
def _initial_margins(tables, asset, notional, mode, margins):
    for place in range(notional.size):
        margins[place] = initial_margin(tables, asset, notional[place], mode)


def lowest_initial_rates(tables: MarginTables) -> np.ndarray:
    """Return each asset's initial margin rate in its lowest bracket, as a fraction; spot is 1."""
    return np.where(tables.is_spot == 1, 1.0, tables.initial[:, 0] / RATE_UNIT)


def to_rates(fractions: np.ndarray) -> np.ndarray:
    """Return fractions as integers in 1e-9."""
    return np.rint(fractions * RATE_UNIT).astype(np.int64)
