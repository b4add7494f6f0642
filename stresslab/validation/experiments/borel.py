"""Cascade sizes down a uniform field of liquidation prices follow the Borel law exactly."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from stresslab.analysis.intervals import wilson
from stresslab.contagion.borel import borel_tanner
from stresslab.validation import levels
from stresslab.validation.experiment import Experiment, Size
from stresslab.validation.uniform_field import (
    EXPONENTIAL,
    LINEAR,
    Field,
    Law,
    cascade_sizes,
)
from stresslab.validation.verdicts import Check, Counts, Panel, Result, Series

RESERVE = 300  # lots; a cascade this large is rarer than 1e-9 at 0.5, 1e-4 at 0.7, 7e-3 at 0.9
N_BINS = 12
LEAST_EXPECTED = 5.0  # cascades in a bin
OTHER = 1.1  # times the ratio: the law that the chi-square is to tell from the right one


class Case(NamedTuple):
    """One kind of field, and how often it is set going."""

    ratio: float
    seeds: int  # lots sold at once
    width: int  # of a field, in lots
    steps: int
    runs: int
    markets: int = 16  # of each run, side by side
    law: Law = LINEAR

    @property
    def name(self) -> str:
        starts = f", {self.seeds} seeds" if self.seeds > 1 else ""
        return f"n = {self.ratio:g}{starts}, {self.law.kind}"


CASES = {
    Size.QUICK: (Case(0.5, 1, 440, 60, 1), Case(0.5, 3, 480, 25, 1),
                 Case(0.7, 1, 440, 30, 1, law=EXPONENTIAL)),
    Size.FULL: (Case(0.5, 1, 720, 210, 4), Case(0.7, 1, 1100, 210, 4),
                Case(0.9, 1, 1800, 150, 17, 6), Case(0.5, 3, 800, 83, 4),
                Case(0.5, 1, 720, 210, 4, law=EXPONENTIAL)),
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
    counts: dict[str, np.ndarray] = {}
    for place, case in enumerate(CASES[size]):
        field = Field(min(case.ratio * density, 1.0), case.width, case.markets, case.law)
        sizes = cascade_sizes(
            field, case.steps, seed, seeds=case.seeds, reserve=RESERVE, runs=case.runs,
            first_run=100 * place,
        )  # fmt: skip
        counted = np.bincount(np.minimum(sizes, RESERVE), minlength=RESERVE + 1)
        checks += [_first(case, counted), _mean(case, counted, levels.OURS_ERRORS),
                   _law(case, counted)]  # fmt: skip
        panels.append(_panel(case, sizes))
        counts[case.name] = counted
    facts = {f"cascades, {name}": int(counted.sum()) for name, counted in counts.items()}
    return Result(checks, panels=panels, facts=facts, counts=counts)


def together(size: Size, counts: Counts) -> list[Check]:
    """Hold the cascades of all seeds to mean and law: in the full size at least 50,000 of each."""
    checks: list[Check] = []
    for case in CASES[size]:
        counted = counts[case.name]
        checks += [_mean(case, counted, levels.ASKED), _law(case, counted)]
    return [replace(check, what=f"all seeds: {check.what}") for check in checks]


def _capped_law(case: Case, factor: float = 1.0) -> np.ndarray:
    """Return P(size = s) up to ``RESERVE``, where larger cascades are counted as of that size."""
    law = borel_tanner(case.ratio * factor, case.seeds, RESERVE)
    law[-1] += 1.0 - math.fsum(law.tolist())
    return law


def _first(case: Case, counted: np.ndarray) -> Check:
    expected = math.exp(-case.ratio * case.seeds)
    what = f"P(nobody follows), {case.name}"
    return levels.share(what, int(counted[case.seeds]), int(counted.sum()), expected, "cascades")


def _mean(case: Case, counted: np.ndarray, errors: float) -> Check:
    """Hold the mean size against that of the law, both cut off where the field may end."""
    law, size = _capped_law(case), np.arange(RESERVE + 1)
    expected = math.fsum((law * size).tolist())
    variance = math.fsum((law * (size - expected) ** 2).tolist())
    whole, n = case.seeds / (1 - case.ratio), int(counted.sum())
    return levels.mean(
        f"mean size, {case.name} (k / (1 - n) = {whole:.4g}, cut off at {RESERVE})",
        float(counted @ size) / n, expected, math.sqrt(variance / n), f"{n:,} cascades",
        errors=errors,
    )  # fmt: skip


def _law(case: Case, counted: np.ndarray) -> Check:
    """Hold the counts of sizes to the law by chi-square."""
    law, other, n = _capped_law(case), _capped_law(case, OTHER), int(counted.sum())
    edges = _edges(law * n, case.seeds)
    expected, elsewhere = (np.add.reduceat(p, edges) * n for p in (law, other))
    return levels.goodness(
        f"chi-square over {len(edges)} bins, {case.name}", np.add.reduceat(counted, edges),
        expected, elsewhere, f"a ratio off by {OTHER - 1:.0%}", f"{n:,} cascades",
    )  # fmt: skip


def _edges(expected: np.ndarray, first: int) -> list[int]:
    """Return the first size of each bin: single sizes while there are enough, the rest in one."""
    edges = [first]
    while len(edges) < N_BINS:
        following = edges[-1] + 1
        if expected[edges[-1]] < LEAST_EXPECTED or expected[following:].sum() < LEAST_EXPECTED:
            break
        edges.append(following)
    return edges


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
    falsified_by="A mean more than 4 standard errors off, a share or a chi-square that a right "
    "model comes to once in a million times.",
    run=run,
    control=control,
    control_is="fields a third denser than the law is told",
    together=together,
)
