"""The window of mean degrees in which one failure can take a network down (Watts; Gai-Kapadia)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import numpy as np

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
FREQUENCIES = {1.5: 0.512, 2: 0.697, 3: 0.792, 4: 0.720, 5: 0.498, 6: 0.176, 7: 0.018}
RUNS_THERE = 4000
#: Largest distance of the mean extent of systemic failures from the giant component.
EXTENT_TOLERANCE = 0.01
EXTENT_FROM = 2  # below it so few banks are linked that extents spread
LEAST = 10  # systemic failures whose mean extent is judged


def run(size: Size, seed: int) -> Result:
    """Solve for the window, then count how often and how far one failure spreads."""
    return _measured(size, seed, BUFFER / INTERBANK)


def control(size: Size, seed: int) -> Result:
    """The same with a buffer of 3 %: banks with more debtors are vulnerable."""
    return _measured(size, seed, 3 / INTERBANK)


def _measured(size: Size, seed: int, threshold: float) -> Result:
    checks = list(_window_checks())
    found = []
    for place, (degree, expected) in enumerate(FREQUENCIES.items()):
        rng = np.random.Generator(np.random.Philox(key=seed + place))
        frequency, extent = _simulated(degree, threshold, RUNS[size], rng)
        spread = math.sqrt(expected * (1 - expected) * (1 / RUNS[size] + 1 / RUNS_THERE))
        n_systemic = round(frequency * RUNS[size])
        what = f"frequency of systemic failure, mean degree {degree:g}"
        checks.append(levels.mean(what, frequency, expected, spread, f"{RUNS[size]:,} networks",
                                  errors=levels.ASKED))  # fmt: skip
        if degree >= EXTENT_FROM and n_systemic >= LEAST:
            checks.append(_extent_check(degree, extent, n_systemic))
        found.append((degree, frequency, extent, expected, giant_component(degree)))
    return Result(checks, panels=_panels(found), facts={"networks": RUNS[size], "banks": N_BANKS})


def _extent_check(degree: float, extent: float, n_systemic: int) -> Check:
    """Hold an extent to the law of a network of this size.

    What the law is off the giant component of an endless one is taken from the tolerance.
    """
    reach = _reach(degree)
    tolerance = EXTENT_TOLERANCE - abs(reach.mean - giant_component(degree))
    return levels.within(f"extent given failure, mean degree {degree:g}", extent, reach.mean,
                         tolerance, reach.spread / math.sqrt(n_systemic),
                         f"{n_systemic:,} systemic failures")  # fmt: skip


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


def _simulated(
    degree: float, threshold: float, runs: int, rng: np.random.Generator
) -> tuple[float, float]:
    """Return frequency and mean extent of systemic failures."""
    extents = []
    for _ in range(runs):
        first = np.zeros(N_BANKS, bool)
        first[rng.integers(N_BANKS)] = True
        failed = threshold_cascade(poisson_network(N_BANKS, degree, rng), first, threshold)
        if (failed.sum() - 1) / N_BANKS > SYSTEMIC:
            extents.append(float(failed.mean()))
    return len(extents) / runs, float(np.mean(extents)) if extents else math.nan


def _panels(found: Sequence[tuple[float, ...]]) -> tuple[Panel, ...]:
    degree, frequency, extent, expected, giant = (list(c) for c in zip(*found, strict=True))
    kept = [place for place, value in enumerate(extent) if math.isfinite(value)]
    return (
        Panel("Robust yet fragile", "Mean degree", "Share", (
            Series("frequency", degree, frequency),
            Series("frequency", degree, expected, is_expected=True),
            Series("extent", [degree[k] for k in kept], [extent[k] for k in kept]),
            Series("extent", degree, giant, is_expected=True),
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
    "off by 0.01.",
    run=run,
    control=control,
    control_is="a capital buffer of 3 instead of 4 %",
    seeds_share_work=True,
)
