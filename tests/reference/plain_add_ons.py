"""Rates in force after some steps, from the words of the model page: what follows the market.

A reading is a standard deviation over a horizon, or the slippage of a position of reference at the
depth within 1 %; open interest scales initial rates in a line to 1 (dYdX v4, liquidity tiers).
Add-ons are whole billionths of the notional, halves to even.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any, NamedTuple

from tests.reference.plain_margin import MICRO_USD, NANO, Contract, Row, exact


class Sight(NamedTuple):
    """What a venue sees in a step, by asset."""

    seconds: Fraction
    marks: Sequence[int]
    index: Sequence[int]
    depth_usd: Sequence[int]
    open_micro_usd: Sequence[int]


class AddOns(NamedTuple):
    """What is added to rates now, in billionths: to maintenance, and to each initial rate."""

    maintenance: int
    initial: list[int]


def raise_rates(
    contract: Contract, a: int, parts: Sequence[dict[str, Any]], calm: float, first: int,
    seen: Sequence[Sight], step: Fraction,
) -> tuple[Fraction, Fraction]:  # fmt: skip
    """Write the rates in force: add-ons add up, initial at least as much as maintenance.

    Returns what is added to the maintenance and the initial rate of the lowest bracket.
    """
    given = list(_add_ons(contract.rows, parts, a, calm, first, seen, step))
    top = max(row.rate for row in contract.rows)
    need = min(sum(g.maintenance for g in given), int((1 - top) / NANO))
    raised = [max(need, sum(g.initial[k] for g in given)) for k in range(len(contract.rows))]
    contract.rows = [
        Row(row.floor, row.rate + need * NANO, min(Fraction(1), row.initial + more * NANO))
        for row, more in zip(contract.rows, raised, strict=True)
    ]
    return need * NANO, raised[0] * NANO


def half_even(number: Fraction | Decimal) -> int:
    """Return the nearest integer, of two the even one."""
    return round(Fraction(number))


def follow(rule: dict[str, Any] | None, readings: Sequence[Fraction], step: Fraction) -> int:
    """Return ``multiple (reading - above)`` within floor and cap, no faster than its limits."""
    if rule is None:
        return 0
    now = None
    for reading in readings:
        asked = exact(rule["multiple"]) * max(reading - exact(rule.get("above", 0)), Fraction(0))
        asked = min(max(asked, exact(rule.get("floor", 0))), exact(rule.get("cap", 0.5)))
        target = half_even(asked / NANO)
        if now is None:
            now = target
            continue
        limits = [rule.get("rise_per_second"), rule.get("fall_per_second")]
        rise, fall = (
            10**9 if limit is None else max(1, half_even(exact(limit) * step / NANO))
            for limit in limits
        )
        now += min(max(target - now, -fall), rise)
    return now or 0


def volatility(
    rule: dict[str, Any], prices: Sequence[int], calm: float, step: Fraction
) -> list[Fraction]:
    """Return the standard deviation over the horizon before the first step and after each."""
    with localcontext() as context:
        context.prec = 40
        stretch = (Decimal(str(rule["horizon_seconds"])) / _decimal(step)).sqrt()
        squares = [Decimal(calm) ** 2]
        variance = squares[0]
        found = [variance.sqrt() * stretch]
        for old, new in itertools.pairwise(prices):
            squares.append(_decimal(Fraction(new - old, old)) ** 2)
            if rule.get("estimator", "ewma") == "ewma":
                kept = Decimal("0.5") ** (_decimal(step) / Decimal(str(rule["half_life_seconds"])))
                variance = kept * variance + (1 - kept) * squares[-1]
            else:
                length = half_even(exact(rule["window_seconds"]) / step)
                window = ([squares[0]] * length + squares[1:])[-length:]
                variance = sum(window, Decimal(0)) / length
            found.append(variance.sqrt() * stretch)
    return [Fraction(reading) for reading in found]


def _decimal(number: Fraction) -> Decimal:
    return Decimal(number.numerator) / Decimal(number.denominator)


def _add_ons(
    rows: list[Row], parts: Sequence[dict[str, Any]], a: int, calm: float, first: int,
    seen: Sequence[Sight], step: Fraction,
) -> Iterator[AddOns]:  # fmt: skip
    """Yield what each part adds to one contract's rates after the steps seen."""
    for part in parts:
        if part["kind"] == "open_interest":
            yield AddOns(0, _by_open_interest(rows, part, seen[-1].open_micro_usd[a]))
            continue
        names = ("maintenance", "initial")
        if part["kind"] == "announced":
            share = _announced(part, seen[-1].seconds)
            need, initial = (half_even(exact(part.get(n, 0)) * share / NANO) for n in names)
        else:
            readings = _readings(part, a, calm, first, seen, step)
            need, initial = (follow(part.get(n), readings, step) for n in names)
        yield AddOns(need, [initial] * len(rows))


def _by_open_interest(rows: list[Row], part: dict[str, Any], open_micro_usd: int) -> list[int]:
    """Return ``min(1, m + k (1 - m)) - m`` with k clamped between the caps, rounded up."""
    low, high = exact(part["lower_cap_usd"]), exact(part["upper_cap_usd"])
    k = (Fraction(open_micro_usd, MICRO_USD) - low) / (high - low)
    k = min(max(k, Fraction(0)), Fraction(1))
    scaled = [min(Fraction(1), row.initial + k * (1 - row.initial)) for row in rows]
    return [math.ceil((s - row.initial) / NANO) for s, row in zip(scaled, rows, strict=True)]


def _announced(part: dict[str, Any], seconds: Fraction) -> Fraction:
    """Return the share of an announced add-on that is in force."""
    passed, length = seconds - exact(part["at_seconds"]), exact(part["over_seconds"])
    if passed < 0:
        return Fraction(0)
    return min(passed / length, Fraction(1)) if length else Fraction(1)


def _readings(
    part: dict[str, Any], a: int, calm: float, first: int, seen: Sequence[Sight], step: Fraction
) -> list[Fraction]:
    """Return the readings before the first step and after each."""
    if part["kind"] == "volatility":
        steps = [(s.index if part.get("price") == "index" else s.marks)[a] for s in seen]
        return volatility(part, [first, *steps], calm, step)
    reach = exact(part["notional_usd"]) / 100
    return [Fraction(0)] + [reach / s.depth_usd[a] for s in seen]
