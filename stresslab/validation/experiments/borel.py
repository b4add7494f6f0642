"""Cascade sizes down a uniform field of liquidation prices follow the Borel law exactly."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from stresslab.analysis.intervals import wilson
from stresslab.contagion.borel import borel_tanner
from stresslab.validation.experiment import Experiment, Size
from stresslab.validation.uniform_field import (
    EXPONENTIAL,
    LINEAR,
    Field,
    Law,
    cascade_sizes,
)
from stresslab.validation.verdicts import Check, Panel, Result, Series

MARKETS = 16
RESERVE = 300  # lots; a cascade this large is rarer than 1e-9 at 0.5, 1e-4 at 0.7, 7e-3 at 0.9
N_BINS = 12
LEAST_EXPECTED = 5.0  # cascades in a bin
STANDARD_ERRORS = 4.0
LEVEL_OF_MEAN = 6.3e-5
LEVEL_OF_LAW = 1e-5


class Case(NamedTuple):
    """One kind of field, and how often it is set going."""

    ratio: float
    seeds: int  # lots sold at once
    width: int  # of a field, in lots
    steps: int
    runs: int  # of MARKETS fields each
    law: Law = LINEAR

    @property
    def name(self) -> str:
        starts = f", {self.seeds} seeds" if self.seeds > 1 else ""
        return f"n = {self.ratio:g}{starts}, {self.law.kind}"


CASES = {
    Size.QUICK: (Case(0.5, 1, 440, 60, 1), Case(0.5, 3, 480, 25, 1),
                 Case(0.7, 1, 440, 30, 1, EXPONENTIAL)),
    Size.FULL: (Case(0.5, 1, 720, 210, 16), Case(0.7, 1, 1000, 210, 3),
                Case(0.9, 1, 1600, 130, 2), Case(0.5, 3, 800, 83, 4),
                Case(0.5, 1, 720, 210, 3, EXPONENTIAL)),
}  # fmt: skip


def run(size: Size, seed: int) -> Result:
    """Sell lot after lot into fresh fields and count who is liquidated by each."""
    return _measured(size, seed, density=1.0)


def control(size: Size, seed: int) -> Result:
    """The same in fields that are a third denser than the law is told."""
    return _measured(size, seed, density=4 / 3)


def _measured(size: Size, seed: int, *, density: float) -> Result:
    checks: list[Check] = []
    panels: list[Panel] = []
    counts: dict[str, float | int] = {}
    for place, case in enumerate(CASES[size]):
        field = Field(min(case.ratio * density, 1.0), case.width, MARKETS, case.law)
        sizes = cascade_sizes(
            field, case.steps, seed, seeds=case.seeds, reserve=RESERVE, runs=case.runs,
            first_run=100 * place,
        )  # fmt: skip
        law = _law(case, sizes)
        checks += [_first(case, sizes), _mean(case, sizes), law]
        panels.append(_panel(case, sizes))
        counts[f"cascades, {case.name}"] = int(sizes.size)
        counts[f"p of chi-square, {case.name}"] = _p_value(law)
    return Result(checks, panels=panels, facts=counts)


def _capped_law(case: Case) -> np.ndarray:
    """Return P(size = s) up to ``RESERVE``, where larger cascades are counted as of that size."""
    law = borel_tanner(case.ratio, case.seeds, RESERVE)
    law[-1] += 1.0 - math.fsum(law.tolist())
    return law


def _first(case: Case, sizes: np.ndarray) -> Check:
    expected = math.exp(-case.ratio * case.seeds)
    error = math.sqrt(expected * (1 - expected) / sizes.size)
    measured = float(np.mean(sizes == case.seeds))
    return Check(f"P(nobody follows), {case.name}", measured, expected, STANDARD_ERRORS * error,
                 level=LEVEL_OF_MEAN, power=_power(sizes.size, error))  # fmt: skip


def _mean(case: Case, sizes: np.ndarray) -> Check:
    """Hold the mean size against that of the law, both cut off where the field may end."""
    law, size = _capped_law(case), np.arange(RESERVE + 1)
    expected = math.fsum((law * size).tolist())
    variance = math.fsum((law * (size - expected) ** 2).tolist())
    error = math.sqrt(variance / sizes.size)
    whole = case.seeds / (1 - case.ratio)
    what = f"mean size, {case.name} (k / (1 - n) = {whole:.4g}, cut off at {RESERVE})"
    measured = float(np.minimum(sizes, RESERVE).mean())
    return Check(what, measured, expected, STANDARD_ERRORS * error, level=LEVEL_OF_MEAN,
                 power=_power(sizes.size, error))  # fmt: skip


def _law(case: Case, sizes: np.ndarray) -> Check:
    """Return the chi-square statistic, which must not exceed its quantile at 1 - level."""
    from scipy.stats import chi2

    law = _capped_law(case)
    edges = _edges(law * sizes.size, case.seeds)
    expected = np.add.reduceat(law, edges) * sizes.size
    counted = np.bincount(np.minimum(sizes, RESERVE), minlength=RESERVE + 1)
    found = np.add.reduceat(counted, edges)
    statistic = float(np.sum((found - expected) ** 2 / expected))
    freedom = len(edges) - 1
    most = float(chi2.isf(LEVEL_OF_LAW, freedom))
    return Check(f"chi-square over {len(edges)} bins, {case.name}", statistic, freedom,
                 most - freedom, level=LEVEL_OF_LAW,
                 power=f"{sizes.size:,} cascades; a ratio off by a third fails")  # fmt: skip


def _p_value(law: Check) -> float:
    """Return the chance of a chi-square as large; the expected one is the degrees of freedom."""
    from scipy.stats import chi2

    return float(chi2.sf(law.measured, law.expected))


def _edges(expected: np.ndarray, first: int) -> list[int]:
    """Return the first size of each bin: single sizes while there are enough, the rest in one."""
    edges = [first]
    while len(edges) < N_BINS:
        following = edges[-1] + 1
        if expected[edges[-1]] < LEAST_EXPECTED or expected[following:].sum() < LEAST_EXPECTED:
            break
        edges.append(following)
    return edges


def _power(n: int, error: float) -> str:
    return f"{n:,} cascades find {(STANDARD_ERRORS + 1.28) * error:.2g}"


def _panel(case: Case, sizes: np.ndarray) -> Panel:
    """Return the share of cascades of at least a size, with 95 % intervals."""
    law = _capped_law(case)
    survival = law[::-1].cumsum()[::-1]
    grid = np.unique(np.geomspace(case.seeds, RESERVE, 24).astype(int))
    expected = [int(s) for s in grid if survival[s] * sizes.size > 0.2]
    seen = [s for s in expected if np.any(sizes >= s)]
    shares = [wilson(int(np.sum(sizes >= s)), sizes.size) for s in seen]
    return Panel(
        case.name, "Size s of a cascade (liquidations)", "Share of at least s", (
            Series("simulated", seen, [share.mid or 0.0 for share in shares],
                   low=[share.low or 0.0 for share in shares],
                   high=[share.high or 0.0 for share in shares]),
            Series("Borel-Tanner" if case.seeds > 1 else "Borel", expected,
                   [float(survival[s]) for s in expected], is_expected=True),
        ), x_scale="log", y_scale="log",
    )  # fmt: skip


EXPERIMENT = Experiment(
    name="borel",
    title="Cascade sizes down a uniform field of liquidation prices",
    claim="Where every liquidation moves the price over a Poisson number of others with mean n, "
    "the size of a cascade is Borel-distributed, and Borel-Tanner if k lots begin it.",
    source="Borel 1942; Tanner 1961 (published: the law). That liquidations down a uniform field "
    "under linear permanent impact are this branching process, n = impact times density: ours.",
    falsified_by="A share or mean more than 4 standard errors off, a chi-square beyond its 1e-5 "
    "quantile.",
    run=run,
    control=control,
    control_is="fields a third denser than the law is told",
)
