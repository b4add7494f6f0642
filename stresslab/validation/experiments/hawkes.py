"""Delayed execution turns cascades into a Hawkes process, and its branching ratio is recovered."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from stresslab.contagion.hawkes import FanoFactor, HawkesFit, count_spread, fit_hawkes
from stresslab.validation import levels
from stresslab.validation.experiment import Experiment, Size
from stresslab.validation.simulated import event_log
from stresslab.validation.uniform_field import SELLER, Field, scenario
from stresslab.validation.verdicts import Check, Panel, Result, Series

DELAY = 1.0  # mean seconds from a breach to its execution: 1 / b
BY_LIKELIHOOD, BY_COUNTS = 0.03, 0.06  # tolerances of the two estimates
TRADERS = 10  # who sell a lot at exponential times, in each market


class Case(NamedTuple):
    """One process in each of the markets."""

    markets: int
    ratio: float
    rate: float  # exogenous sales a second, in each market
    warm_up: float  # seconds before counting, several times 1 / (b (1 - n))
    seconds: float  # counted
    window: float  # seconds in which events are counted
    step: float  # seconds


CASES = {
    Size.QUICK: (Case(24, 0.5, 0.25, 20.0, 380.0, 20.0, 0.25),),
    Size.FULL: (
        Case(32, 0.5, 0.35, 20.0, 1200.0, 25.0, 0.25),
        Case(16, 0.9, 0.1, 100.0, 1200.0, 100.0, 0.25),
    ),
}


class Found(NamedTuple):
    """What was counted and estimated."""

    times: np.ndarray  # seconds, one market after another
    rate: float  # events a second and market
    fit: HawkesFit
    spread: FanoFactor


def run(size: Size, seed: int) -> Result:
    """Let shocks come at a rate and executions be late; count, and estimate the ratio."""
    return _measured(size, seed, density=1.0)


def control(size: Size, seed: int) -> Result:
    """The same in fields denser by a fifth than the law is told."""
    return _measured(size, seed, density=1.2)


def _measured(size: Size, seed: int, *, density: float) -> Result:
    checks: list[Check] = []
    panels, facts = [], {}
    for place, case in enumerate(CASES[size]):
        found = _found(case, seed, place, density)
        checks += _checks(case, found, size)
        panels.append(_panel(case, found))
        facts[f"events, n = {case.ratio:g}"] = int(found.times.size)
    return Result(checks, panels=panels, facts=facts)


def market(case: Case, seed: int, place: int, density: float) -> dict[str, Any]:
    """Return fields down which lots are sold at exponential times, and forced sales are late."""
    total = case.warm_up + case.seconds
    events = case.rate * total / (1 - case.ratio)
    spread = math.sqrt(events) / (1 - case.ratio)
    width = math.ceil(density * (1.1 * events + 4.5 * spread))
    field = Field(case.ratio * density, width, case.markets)
    config = scenario(field.drawn(seed, place), 1)
    config |= {"step_seconds": case.step, "duration_seconds": total}
    config["liquidation"]["execution_delay_seconds"] = DELAY
    del config["traders"]["seller"]
    config["traders"] |= {
        f"sellers_{name}": {"strategy": {"kind": "metaorder", "lots": -1}, "assets": [name],
                            "accounts": [SELLER] * TRADERS,
                            "seconds_between_turns": TRADERS / case.rate}
        for name in config["assets"]
    }  # fmt: skip
    return config


def _found(case: Case, seed: int, place: int, density: float) -> Found:
    path = event_log(market(case, seed, place, density), seed, place)["path"]
    sold = path["volume_lots"].reshape(-1, case.markets)[round(case.warm_up / case.step) :]
    step, asset = np.nonzero(sold)
    again = sold[step, asset]
    step, asset = np.repeat(step, again), np.repeat(asset, again)
    within = np.random.Generator(np.random.Philox(key=[seed, 1000 + place])).random(step.size)
    times = np.sort(asset * case.seconds + (step + within) * case.step)
    rate = times.size / (case.markets * case.seconds)
    return Found(times, rate, fit_hawkes(times), count_spread(times, case.window))


def _checks(case: Case, found: Found, size: Size) -> list[Check]:
    rate = case.rate / (1 - case.ratio)
    error = math.sqrt(rate / (case.markets * case.seconds)) / (1 - case.ratio)
    events = f"{found.times.size:,} events"
    return [
        Check(f"events of 4,000 or more, n = {case.ratio:g}", float(found.times.size >= 4000), 1.0,
              0.0),
        levels.mean(f"rate of events, n = {case.ratio:g}", found.rate, rate, error, events,
                    errors=levels.ASKED, unit="per second"),
        _estimate(f"n by likelihood, n = {case.ratio:g}", found.fit, case.ratio, BY_LIKELIHOOD,
                  events, size),
        _estimate(f"n by counts in windows of {case.window:g} s, n = {case.ratio:g}", found.spread,
                  case.ratio, BY_COUNTS, f"{found.spread.windows} windows", size),
    ]  # fmt: skip


def _estimate(
    what: str,
    found: HawkesFit | FanoFactor,
    ratio: float,
    tolerance: float,
    drawn: str,
    size: Size,
) -> Check:
    """Hold an estimate to its tolerance; a sample too small for it to its standard errors."""
    error = (found.high - found.low) / (2 * 1.96)
    if size is Size.FULL:
        return levels.within(what, found.ratio, ratio, tolerance, error, drawn)
    return levels.mean(what, found.ratio, ratio, error, drawn)


def _panel(case: Case, found: Found) -> Panel:
    """Return the variance of counts over their mean by length of windows, with 95 % intervals."""
    lengths = case.window * np.geomspace(0.01, 1.0, 13)
    spreads = [count_spread(found.times, float(w)) for w in lengths]
    low, high = ([(1 - end) ** -2 for end in ends]
                 for ends in zip(*((s.low, s.high) for s in spreads), strict=True))  # fmt: skip
    grid = np.geomspace(lengths[0], lengths[-1], 60)
    expected = [_fano(case.ratio, (1 - case.ratio) / DELAY * w) for w in grid]
    return Panel(
        f"n = {case.ratio:g}", "Length of windows (s)", "Variance over mean of counts", (
            Series("simulated", lengths.tolist(), [s.fano for s in spreads], low=low, high=high),
            Series("Hawkes process", grid.tolist(), expected, is_expected=True),
        ), x_scale="log",
    )  # fmt: skip


def _fano(ratio: float, x: float) -> float:
    """Return variance over mean of a stationary Hawkes process in windows of ``x / (b (1 - n))``.

    Hawkes (1971): with an exponential kernel the covariance density decays at the rate b (1 - n).
    """
    limit = 1 / (1 - ratio) ** 2
    return limit - (limit - 1) * (1 - math.exp(-x)) / x


EXPERIMENT = Experiment(
    name="hawkes",
    title="Delayed execution is a Hawkes process",
    claim="Where shocks come at a rate mu and every execution waits an exponential time, "
    "executions are a Hawkes process: their rate is mu / (1 - n), and n is recovered from their "
    "times by likelihood and by the spread of counts.",
    source="Hawkes 1971; Hawkes and Oakes 1974 (published: the process and its clusters); Hardiman "
    "and Bouchaud 2014 (n = 1 - 1 / sqrt(F)). That delayed liquidations are one: ours.",
    falsified_by="A rate more than 4 standard errors off, n off by 0.03 by likelihood or by 0.06 "
    "by counts, and by more than 4 standard errors.",
    run=run,
    control=control,
    control_is="fields denser by a fifth than the law is told",
)
