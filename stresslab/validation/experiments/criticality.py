"""At and above a branching ratio of one: power-law sizes, cascades without end, a jump."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from stresslab.analysis.intervals import wilson
from stresslab.contagion.borel import borel_tanner, extinction
from stresslab.validation.experiment import Experiment, Size
from stresslab.validation.simulated import simulated
from stresslab.validation.uniform_field import (
    Field,
    cascade_sizes,
    even_scenario,
)
from stresslab.validation.verdicts import Check, Panel, Result, Series

STANDARD_ERRORS = 4.0
LEVEL = 6.3e-5
SMALL = 10  # sizes from which the tail of the law is a power to 3 %
SUPERCRITICAL = 1.3
ENDLESS = 200  # a cascade this large ends with a chance below 1e-6 at a ratio of 1.3
#: Share of the tail's slope that is not yet -1/2 between the sizes compared.
SLOPE_BIAS = 0.01
#: Lots sold at once into 100 longs spread evenly over 200 ticks: within the band, and beyond it.
SHOCKS = (10, 40, 80, 120)
EVEN = Field(0.5, 100)


class Scale(NamedTuple):
    """How much is drawn."""

    longs: int
    reserve: int
    steps: int
    runs: int
    endless_runs: int


SCALES = {Size.QUICK: Scale(1200, 200, 30, 2, 4), Size.FULL: Scale(3000, 400, 50, 4, 10)}


def run(size: Size, seed: int) -> Result:
    """Draw cascades at a ratio of 1 and 1.3, and let an even field fall."""
    return _measured(SCALES[size], seed, critical=1.0, supercritical=SUPERCRITICAL)


def control(size: Size, seed: int) -> Result:
    """The same in fields less dense by a third: a lot moves the price over fewer longs."""
    return _measured(SCALES[size], seed, critical=2 / 3, supercritical=SUPERCRITICAL * 2 / 3)


def _measured(scale: Scale, seed: int, *, critical: float, supercritical: float) -> Result:
    field = Field(critical, scale.longs, markets=4)
    sizes = np.concatenate([
        cascade_sizes(field, scale.steps, seed, reserve=scale.reserve, replicate=number)
        for number in range(scale.runs)
    ])  # fmt: skip
    share, error, n_endless = _endless(scale, seed, supercritical)
    expected = 1 - float(extinction(np.array([[SUPERCRITICAL]]))[0])
    checks = [
        *_tail_checks(sizes, scale.reserve),
        Check(f"P(no end), n = {SUPERCRITICAL:g}", share, expected, STANDARD_ERRORS * error,
              level=LEVEL, power=f"{n_endless:,} cascades find {5.28 * error:.2g}"),
    ]  # fmt: skip
    drops = [_drop(shock, seed) for shock in SHOCKS]
    for shock, drop in zip(SHOCKS, drops, strict=True):
        checks.append(Check(f"fall of an even field, {shock} lots", drop, _fluid(shock),
                            0.5 / (1 - EVEN.ratio), "ticks"))  # fmt: skip
        checks.append(Check(f"the same by hand, {shock} lots", drop, _by_hand(shock), 0.0, "ticks"))
    facts = {"cascades, n = 1": int(sizes.size), "cascades, n = 1.3": n_endless}
    return Result(checks, panels=(_tail_panel(sizes, scale.reserve), _fall_panel(drops)),
                  facts=facts)  # fmt: skip


def _survival(reserve: int) -> np.ndarray:
    """Return P(S >= s) at a ratio of 1, for s up to the reserve."""
    law: np.ndarray = borel_tanner(1.0, 1, reserve)
    return 1.0 - np.concatenate([[0.0], law.cumsum()[:-1]])


def _tail_checks(sizes: np.ndarray, reserve: int) -> list[Check]:
    survival, checks = _survival(reserve), []
    for s in (SMALL, reserve // 2):
        expected = float(survival[s])
        error = math.sqrt(expected * (1 - expected) / sizes.size)
        checks.append(Check(f"P(S >= {s}), n = 1", float(np.mean(sizes >= s)), expected,
                            STANDARD_ERRORS * error, level=LEVEL))  # fmt: skip
    far, near = int(np.sum(sizes >= reserve // 2)), int(np.sum(sizes >= SMALL))
    ratio = reserve / 2 / SMALL
    share = 1 / math.sqrt(ratio)
    error = math.sqrt((1 - share) / share / max(near, 1)) / math.log(ratio)
    slope = math.log(far / near) / math.log(ratio) if far else math.nan
    what = f"slope of the tail between {SMALL} and {reserve // 2}, n = 1"
    tolerance = SLOPE_BIAS + STANDARD_ERRORS * error
    return [*checks, Check(what, slope, -0.5, tolerance, level=LEVEL)]


def _endless(scale: Scale, seed: int, ratio: float) -> tuple[float, float, int]:
    """Return the share of cascades that do not end, its standard error, and their number."""
    field = Field(ratio, 500, markets=8)
    reserve = 300
    found = np.concatenate([
        cascade_sizes(field, 5, seed, reserve=reserve, replicate=100 + number)
        for number in range(scale.endless_runs)
    ])  # fmt: skip
    expected = 1 - float(extinction(np.array([[SUPERCRITICAL]]))[0])
    error = math.sqrt(expected * (1 - expected) / found.size)
    return float(np.mean(found >= ENDLESS)), error, int(found.size)


def _drop(lots: int, seed: int) -> float:
    tables, _ = simulated(even_scenario(EVEN, lots), seed)
    path = tables["path"]
    return float(path["index_ticks"][-1] - path["mark_ticks"][-1])


def _by_hand(lots: int) -> float:
    """Return the least fall that leaves nobody in breach: lots sold plus longs above the price."""
    depths = [1 + 2 * place for place in range(EVEN.longs)]  # ticks, at a ratio of 0.5
    fall = lots
    while (further := lots + sum(depth < fall for depth in depths)) != fall:
        fall = further
    return float(fall)


def _fluid(lots: float) -> float:
    """Return the fall of a field of uniform density: s / (1 - n), or s + n W beyond the band."""
    inside = lots / (1 - EVEN.ratio)
    return inside if inside <= EVEN.width else lots + EVEN.ratio * EVEN.width


def _tail_panel(sizes: np.ndarray, reserve: int) -> Panel:
    survival = _survival(reserve)
    grid = np.unique(np.geomspace(1, reserve, 24).astype(int)).tolist()
    seen = [s for s in grid if np.any(sizes >= s)]
    shares = [wilson(int(np.sum(sizes >= s)), sizes.size) for s in seen]
    power = [1 / math.sqrt(math.pi * s / 2) for s in grid]
    return Panel("Ratio 1", "Size s of a cascade (liquidations)", "Share of at least s", (
        Series("simulated", seen, [share.mid or 0.0 for share in shares],
               low=[share.low or 0.0 for share in shares],
                   high=[share.high or 0.0 for share in shares]),
        Series("Borel", grid, [float(survival[s]) for s in grid], is_expected=True),
        Series("power -1/2", grid, power, is_expected=True),
    ), x_scale="log", y_scale="log")  # fmt: skip


def _fall_panel(drops: list[float]) -> Panel:
    grid = np.linspace(0, 130, 131).tolist()
    return Panel("Even field, ratio 0.5", "Lots sold at once", "Fall of the price (ticks)", (
        Series("simulated", SHOCKS, drops),
        Series("fluid limit", grid, [_fluid(s) for s in grid], is_expected=True),
    ))  # fmt: skip


EXPERIMENT = Experiment(
    name="criticality",
    title="Cascades at and above a branching ratio of one",
    claim="At n = 1 the tail of cascade sizes is a power with slope -1/2; at n = 1.3 a share of "
    "0.42297 never ends; an even field falls by s / (1 - n), or by s + n W beyond its band.",
    source="Otter 1949, Harris 1963 (published: exponent 3/2 and extinction of branching "
    "processes). The fall of an even field, and all of it as liquidations: ours.",
    falsified_by="A share or slope more than 4 standard errors off, a fall more than half a lot's "
    "share, 0.5 / (1 - n) ticks, off.",
    run=run,
    control=control,
    control_is="fields less dense by a third",
)
