"""The window of mean degrees in which one failure can take a network down (Watts; Gai-Kapadia)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from stresslab.analysis.intervals import wilson
from stresslab.contagion.networks.thresholds import (
    Reach,
    cascade_window,
    final_size,
    giant_component,
    poisson_network,
    threshold_cascade,
)
from stresslab.validation import levels
from stresslab.validation.experiment import Experiment, Size
from stresslab.validation.verdicts import Check, Panel, Result, Series

N_BANKS = 1000
BUFFER, INTERBANK = 4, 20  # % of total assets: whole numbers, since 0.04 / 0.2 is below 0.2
SYSTEMIC = 0.05  # share of banks that fail beyond the first
RUNS = {Size.QUICK: 240, Size.FULL: 1500}

#: Neighbours below which a node of an undirected network is vulnerable -> ends of the window.
WINDOWS = {4: (1.11414163, 3.86306886), 5: (1.02070391, 5.76467709), 6: (1.00373123, 7.47708018),
           10: (1.00000113, 13.6593139)}  # fmt: skip

#: Mean degree -> frequency of systemic failures in 4,000 runs of an independent program.
FREQUENCIES = {1.5: 0.512, 2: 0.697, 3: 0.792, 4: 0.720, 5: 0.498, 6: 0.176, 7: 0.018, 8: 0.00075}
RUNS_THERE = 4000
RARE = 10.0  # systemic failures there, below which a count is no normal number
#: Largest distance of the mean extent of systemic failures from the giant component.
EXTENT_TOLERANCE = 0.01
#: Below this the giant component is not what failures come to, and the program's mean extent is
#: what is expected, of so many systemic failures there.
EXTENT_FROM, SPARSE_EXTENT, SYSTEMIC_THERE = 2, 0.575153, 2046
LEAST = 10  # systemic failures whose mean extent is judged


class _Found(NamedTuple):
    """What networks of one mean degree came to."""

    degree: float
    systemic: int  # of so many networks
    runs: int
    extent: float  # mean share of failed banks where a failure is systemic, and its deviation
    spread: float


def run(size: Size, seed: int) -> Result:
    """Solve for the window, then count how often and how far one failure spreads."""
    return _measured(size, seed, BUFFER / INTERBANK)


def control(size: Size, seed: int) -> Result:
    """The same with a buffer of 3 %: banks with more debtors are vulnerable."""
    return _measured(size, seed, 3 / INTERBANK)


def _measured(size: Size, seed: int, threshold: float) -> Result:
    checks: list[Check] = list(_window_checks())
    found = []
    for place, degree in enumerate(FREQUENCIES):
        rng = np.random.Generator(np.random.Philox(key=seed + place))
        counted = _simulated(degree, threshold, RUNS[size], rng)
        checks.append(_frequency_check(counted))
        if counted.systemic >= LEAST:
            checks.append(_extent_check(counted))
        found.append(counted)
    return Result(checks, panels=_panels(found), facts={"networks": RUNS[size], "banks": N_BANKS})


def _frequency_check(found: _Found) -> Check:
    """Hold a frequency to the program's, within 4 standard errors of both samples."""
    expected = FREQUENCIES[found.degree]
    what = f"frequency of systemic failure, mean degree {found.degree:g}"
    if expected * RUNS_THERE < RARE:
        return _rare_check(what, found, expected)
    spread = math.sqrt(expected * (1 - expected) * (1 / found.runs + 1 / RUNS_THERE))
    return levels.mean(what, found.systemic / found.runs, expected, spread,
                       f"{found.runs:,} networks", errors=levels.ASKED)  # fmt: skip


def _rare_check(what: str, found: _Found, expected: float) -> Check:
    """Hold a handful to what further runs of the program would come to at the ladder's own level.

    A Poisson number whose mean is known by a handful is negative binomial (Jeffreys 1946).
    """
    from scipy.stats import nbinom

    law = nbinom(expected * RUNS_THERE + 0.5, RUNS_THERE / (RUNS_THERE + found.runs))
    most = int(law.isf(levels.OURS))
    power = f"{found.runs:,} networks find more than {most} systemic failures"
    level, p = float(law.sf(most)), float(law.sf(found.systemic - 1))
    return Check(what, found.systemic / found.runs, expected, most / found.runs - expected,
                 level=level, p=p, power=power)  # fmt: skip


def _extent_check(found: _Found) -> Check:
    """Hold an extent to the law of a network of this size.

    What the law is off the giant component of an endless one is taken from the tolerance.
    """
    degree, n = found.degree, found.systemic
    what, drawn = f"extent given failure, mean degree {degree:g}", f"{n:,} systemic failures"
    if degree < EXTENT_FROM:
        error = found.spread * math.sqrt(1 / n + 1 / SYSTEMIC_THERE)
        if found.runs < RUNS[Size.FULL]:  # too few for the tolerance
            return levels.mean(what, found.extent, SPARSE_EXTENT, error, drawn)
        return levels.within(what, found.extent, SPARSE_EXTENT, EXTENT_TOLERANCE, error, drawn)
    reach = _reach(degree)
    tolerance = EXTENT_TOLERANCE - abs(reach.mean - giant_component(degree))
    return levels.within(what, found.extent, reach.mean, tolerance, reach.spread / math.sqrt(n),
                         drawn)  # fmt: skip


@cache
def _reach(degree: float) -> Reach:
    return final_size(N_BANKS, degree, SYSTEMIC)


@cache
def _window_checks() -> tuple[Check, ...]:
    checks = []
    for neighbours, ends in WINDOWS.items():
        window = cascade_window(neighbours - 1) or (math.nan, math.nan)
        for name, measured, expected in zip(("lower", "upper"), window, ends, strict=True):
            what = f"{name} end of the window, vulnerable below {neighbours + 1} neighbours"
            checks.append(Check(what, measured, expected, 5e-8 * expected))
    n_windows = sum(cascade_window(k) is not None for k in (1, 2))
    return (*checks, Check("windows with at most 3 neighbours", float(n_windows), 0.0, 0.0))


def _simulated(degree: float, threshold: float, runs: int, rng: np.random.Generator) -> _Found:
    """Draw networks, let one bank of each fail, and count where that was systemic."""
    extents = []
    for _ in range(runs):
        first = np.zeros(N_BANKS, bool)
        first[rng.integers(N_BANKS)] = True
        failed = threshold_cascade(poisson_network(N_BANKS, degree, rng), first, threshold)
        if (failed.sum() - 1) / N_BANKS > SYSTEMIC:
            extents.append(float(failed.mean()))
    mean, spread = (float(np.mean(extents)), float(np.std(extents))) if extents else (math.nan,) * 2
    return _Found(degree, len(extents), runs, mean, spread)


def _panels(found: Sequence[_Found]) -> tuple[Panel, ...]:
    """Draw frequencies and extents with 95 % intervals, those of the program's too."""
    degrees = [each.degree for each in found]
    counted = [wilson(each.systemic, each.runs) for each in found]
    there = [wilson(round(FREQUENCIES[k] * RUNS_THERE), RUNS_THERE) for k in degrees]
    spread = [each for each in found if each.systemic > 1]
    half = [1.96 * each.spread / math.sqrt(each.systemic) for each in spread]
    return (
        Panel("Robust yet fragile", "Mean degree", "Frequency, or share of banks that fail", (
            Series("frequency", degrees, [each.systemic / each.runs for each in found],
                   low=[share.low or 0.0 for share in counted],
                   high=[share.high or 0.0 for share in counted], has_bars=True),
            Series("frequency", degrees, [FREQUENCIES[k] for k in degrees], is_expected=True,
                   low=[share.low or 0.0 for share in there],
                   high=[share.high or 0.0 for share in there]),
            Series("extent", [each.degree for each in spread], [each.extent for each in spread],
                   low=[each.extent - h for each, h in zip(spread, half, strict=True)],
                   high=[each.extent + h for each, h in zip(spread, half, strict=True)],
                   has_bars=True),
            Series("extent", degrees, [giant_component(k) for k in degrees], is_expected=True),
        )),
    )  # fmt: skip


EXPERIMENT = Experiment(
    name="contagion-window",
    title="When one failure can take a network down",
    claim="Global cascades are possible between two mean degrees that solve a closed form; inside, "
    "how often they happen falls while how far they go rises: robust yet fragile.",
    source="Watts 2002, eq. 5; Gai and Kapadia 2010, eq. 11 (published: the equations and a peak "
    "near 0.8 with nothing beyond a mean degree of about 8). Frequencies: 4,000 runs of an "
    "independent program, ours. Extent: the giant component of a Poisson network, in a finite one "
    "the final size of Ludwig 1975.",
    falsified_by="An end of a window off by 5e-8, a frequency off by 4 standard errors, an extent "
    "off by 0.01; at a mean degree of 8 more failures than a handful.",
    run=run,
    control=control,
    control_is="a capital buffer of 3 instead of 4 %",
    seeds_share_work=True,
)
