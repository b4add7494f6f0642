"""How far whole lots, ticks and money units can move the share sold in the fire-sale model.

Between its thresholds the share of assets sold is a smooth function of every rounding that the
ledger makes, so the largest error is, to first order, the sum over roundings of the absolute
derivative times half a quantum (Wilkinson 1963, running error analysis). The model is run once in
floats, each number with its derivatives after all roundings; a threshold nearer than its own error
is counted, since there the branch taken could differ.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from stresslab.validation.banks import Bank
from stresslab.validation.fire_sale_market import (
    DEFAULT,
    FINE_LOT,
    LOT,
    MONEY_UNIT,
    REFERENCE_SALE,
    TARGET,
    TICKS,
    Setting,
)


class Rounded:
    """A number with its derivatives after the roundings, each in units of its largest size."""

    __slots__ = ("slopes", "value")

    def __init__(self, value: float, slopes: np.ndarray) -> None:
        self.value, self.slopes = value, slopes

    def __add__(self, other: Rounded) -> Rounded:
        return Rounded(self.value + other.value, self.slopes + other.slopes)

    def __sub__(self, other: Rounded) -> Rounded:
        return Rounded(self.value - other.value, self.slopes - other.slopes)

    def __mul__(self, other: Rounded) -> Rounded:
        slopes = self.slopes * other.value + other.slopes * self.value
        return Rounded(self.value * other.value, slopes)

    def __truediv__(self, other: Rounded) -> Rounded:
        value = self.value / other.value
        return Rounded(value, (self.slopes - other.slopes * value) / other.value)

    def times(self, factor: float) -> Rounded:
        """Return the number times a constant."""
        return Rounded(factor * self.value, factor * self.slopes)

    def exp(self) -> Rounded:
        """Return e to the number."""
        value = math.exp(self.value)
        return Rounded(value, value * self.slopes)

    @property
    def error(self) -> float:
        """The largest error, if all roundings go against it."""
        return float(np.abs(self.slopes).sum())


@dataclass
class _Sheet:
    """A bank's balance sheet while the model runs."""

    cash: Rounded
    illiquid: Rounded
    debt: Rounded
    loan: Rounded
    held: list[Rounded]
    ordered: list[Rounded]
    is_dead: bool = False


@dataclass
class Bound:
    """The share sold, how far roundings can move it, and how near thresholds were met."""

    sold: float = 0.0
    error: float = 0.0
    defaults: int = 0
    nearest: float = math.inf  # least distance from a threshold, in errors of the ratio


@dataclass
class _Run:
    setting: Setting
    sheets: list[_Sheet]
    prices: list[Rounded]
    room: int  # roundings that there is room for
    used: int = 0
    nearest: float = math.inf
    sold: list[Rounded] = field(default_factory=list)

    def rounded(self, number: Rounded, largest: float) -> Rounded:
        """Return the number after one more rounding of at most ``largest``."""
        slopes = number.slopes.copy()
        slopes[self.used] += largest
        self.used += 1
        return Rounded(number.value, slopes)


def rounding_bound(setting: Setting, banks: Sequence[Bank]) -> Bound:
    """Return the share sold in floats and the bound on what the ledger's integers change of it."""
    run = _open(setting, banks)
    held = [sum(bank.bonds[a] for bank in banks) for a in (0, 1)]
    first = list(run.prices)
    for _ in range(setting.steps):
        marks = _clear(run, first, held)
        for sheet in run.sheets:
            _decide(run, sheet, marks)
    share = (run.sold[0] + run.sold[1]).times(1 / sum(held))
    return Bound(share.value, share.error, sum(s.is_dead for s in run.sheets), run.nearest)


def _open(setting: Setting, banks: Sequence[Bank]) -> _Run:
    room = 2 + len(banks) * (3 + 5 * setting.steps) + 2 * setting.steps
    exact = [Rounded(value, np.zeros(room)) for value in (1 - setting.shock, 1.0, 0.0)]
    run = _Run(setting, [], exact[:2], room, sold=[exact[2], exact[2]])
    run.prices[0] = run.rounded(exact[0], 0.5 / TICKS)
    run.sheets = [_sheet(run, bank, exact[2]) for bank in banks]
    return run


def _sheet(run: _Run, bank: Bank, zero: Rounded) -> _Sheet:
    """Round debt and what is illiquid to lots; cash takes up the difference, as in the market."""

    def number(value: float) -> Rounded:
        return Rounded(value, zero.slopes)

    debt = run.rounded(number(bank.debt), FINE_LOT)
    illiquid = run.rounded(number(bank.assets - bank.cash - sum(bank.bonds)), FINE_LOT / 2)
    cash = number(bank.equity) + debt - illiquid - number(sum(bank.bonds))
    held = [number(amount) for amount in bank.bonds]
    return _Sheet(cash, illiquid, debt, debt.times(0.5), held, [zero, zero])


def _clear(run: _Run, first: list[Rounded], held: Sequence[float]) -> list[Rounded]:
    """Fill all orders of the last step at the mean of old and new price; return the marks."""
    steepness = -math.log1p(-run.setting.impact) / REFERENCE_SALE
    marks = []
    for a in (0, 1):
        for sheet in run.sheets:
            run.sold[a] += sheet.ordered[a]
        price = first[a] * run.sold[a].times(-steepness / held[a]).exp()
        paid = (price + run.prices[a]).times(0.5)
        for sheet in run.sheets:
            sheet.cash = run.rounded(sheet.cash + sheet.ordered[a] * paid, MONEY_UNIT)
            sheet.held[a] -= sheet.ordered[a]
        run.prices[a] = price
        marks.append(run.rounded(price, 0.5 / TICKS))
    return marks


def _decide(run: _Run, sheet: _Sheet, marks: Sequence[Rounded]) -> None:
    """Let a bank default, or repay and order sales, as the specification says."""
    nothing = sheet.ordered[0].times(0.0)
    sheet.ordered = [nothing, nothing]
    if sheet.is_dead:
        return
    worth = marks[0] * sheet.held[0] + marks[1] * sheet.held[1]
    assets = sheet.cash + sheet.illiquid + worth
    ratio = (assets - sheet.debt) / assets
    for threshold in (DEFAULT, run.setting.buffer):
        run.nearest = min(run.nearest, abs(ratio.value - threshold) / ratio.error)
    if ratio.value < DEFAULT:
        sheet.is_dead, sheet.ordered = True, list(sheet.held)
    elif ratio.value < run.setting.buffer:
        _delever(run, sheet, assets - (assets - sheet.debt).times(1 / TARGET), worth)


def _delever(run: _Run, sheet: _Sheet, need: Rounded, worth: Rounded) -> None:
    if need.value <= 0:
        return
    least = min(need, sheet.cash, sheet.loan, key=lambda amount: amount.value)
    paid = run.rounded(least, FINE_LOT)
    sheet.cash, sheet.debt, sheet.loan = (x - paid for x in (sheet.cash, sheet.debt, sheet.loan))
    missing = need - paid - sheet.cash
    if missing.value <= 0 or worth.value <= 0:
        return
    if missing.value >= worth.value:
        sheet.ordered = list(sheet.held)
        return
    share = missing / worth
    sheet.ordered = [run.rounded(share * held, LOT / 2) for held in sheet.held]
