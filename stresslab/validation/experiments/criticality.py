"""At and above a branching ratio of one: power-law sizes, cascades without end, a jump."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from stresslab.analysis.intervals import wilson
from stresslab.contagion.borel import borel_tanner, extinction
from stresslab.validation import levels, two_markets
from stresslab.validation.experiment import Experiment, Size
from stresslab.validation.simulated import event_log
from stresslab.validation.two_markets import MATRIX, cascades, mean_sizes, variances_of_sizes
from stresslab.validation.uniform_field import Field, cascade_sizes, scenario
from stresslab.validation.verdicts import Check, Counts, Panel, Result, Series

SMALL = 10  # sizes from which the tail of the law is a power to 3 %
SUPERCRITICAL = 1.3
ENDLESS = 200  # a cascade this large ends with a chance below 1e-6 at a ratio of 1.3
#: Share of the tail's slope that is not yet -1/2 between the sizes compared.
SLOPE_BIAS = 0.01

#: Even fields: longs in the reach of a lot, width in ticks, and lots sold at once.
RATIOS = (0.2, 0.5, 0.8, 0.9, 0.95, 1.0, 1.05, 1.5)
EVEN_WIDTH = 400
SHOCKS = (4, 20, 80)


class Scale(NamedTuple):
    """How much is drawn."""

    runs: int  # of FIELDS each, at a ratio of 1
    endless_runs: int
    pairs: int  # of two markets
    steps: int  # in which one market of each pair is sold
    pair_runs: int


#: Fields side by side: what a step costs grows with their square.
FIELDS = 8
SCALES = {Size.QUICK: Scale(2, 4, 4, 25, 1), Size.FULL: Scale(8, 20, 8, 60, 4)}
RESERVE = 400  # sizes compared at a ratio of 1
_ROOM = 250  # sales of a cascade of two types; a larger one has a chance below 1e-7


def run(size: Size, seed: int) -> Result:
    """Draw cascades at a ratio of 1 and 1.3 and in two markets, and let even fields fall."""
    return _measured(SCALES[size], seed, density=1.0, is_joined=True)


def control(size: Size, seed: int) -> Result:
    """The same in fields less dense by a third, and with one leg each in the two markets."""
    return _measured(SCALES[size], seed, density=2 / 3, is_joined=False)


def _measured(scale: Scale, seed: int, *, density: float, is_joined: bool) -> Result:
    critical = Field(density, 1200, FIELDS)
    sizes = cascade_sizes(critical, 45, seed, reserve=RESERVE, runs=scale.runs)
    falls = _falls(seed, density)
    found = [_two_types(scale, first, seed, is_joined) for first in range(2)]
    endless = [_two_types_endless(scale, first, seed, is_joined) for first in range(2)]
    counts = {
        "sizes": np.bincount(np.minimum(sizes, RESERVE), minlength=RESERVE + 1),
        "endless, of all": np.array(_endless(scale, seed, density * SUPERCRITICAL)),
        "falls": np.array([falls[n, lots] for n in RATIOS for lots in SHOCKS]),
        "cascades": np.array([len(each.sizes) for each in found]),
        "sales": np.array([each.sizes.sum(axis=0) for each in found]),
        "children": np.array([each.children.sum(axis=0) for each in found]),
        "ended, of all": np.array(endless),
    }
    checks = [*_one_market(counts), *_fall_checks(falls), *_two_markets(counts)]
    return Result(checks, counts=counts)


def together(size: Size, counts: Counts) -> list[Check]:
    """Hold the cascades of all seeds to the same laws, with half the standard errors."""
    checks = [*_one_market(counts), *_two_markets(counts)]
    return [replace(check, what=f"all seeds: {check.what}") for check in checks]


def tell(size: Size, counts: Sequence[Counts]) -> Result:
    """Tell the cascades of all seeds, and the falls, which nothing is drawn for."""
    sums = {name: np.sum([count[name] for count in counts], axis=0) for name in counts[0]}
    places = [(n, lots) for n in RATIOS for lots in SHOCKS]
    falls = dict(zip(places, counts[0]["falls"].tolist(), strict=True))
    facts = {"cascades, n = 1": int(sums["sizes"].sum()),
             "cascades, n = 1.3": int(sums["endless, of all"][1]),
             "cascades from market A": int(sums["cascades"][0]),
             "cascades from market B": int(sums["cascades"][1])}  # fmt: skip
    panels = (_tail_panel(sums["sizes"]), _fall_panel(falls), _size_panel(sums))
    return Result(panels=panels, facts=facts)


# -- one market ---------------------------------------------------------------------------------


def _one_market(counts: Counts) -> list[Check]:
    """Hold the tail at a ratio of 1, and the share without end at 1.3."""
    n_endless, n = counts["endless, of all"].tolist()
    expected = 1 - float(extinction(np.array([[SUPERCRITICAL]]))[0])
    what = f"P(no end), n = {SUPERCRITICAL:g}"
    endless = levels.share(what, n_endless, n, expected, "cascades")
    return [*_tail_checks(counts["sizes"]), endless]


def _survival() -> np.ndarray:
    """Return P(S >= s) at a ratio of 1, for s up to the reserve."""
    law: np.ndarray = borel_tanner(1.0, 1, RESERVE)
    return 1.0 - np.concatenate([[0.0], law.cumsum()[:-1]])


def _tail_checks(counted: np.ndarray) -> list[Check]:
    """Hold numbers of cascades by size to the law's tail, and to its slope."""
    survival, n, checks = _survival(), int(counted.sum()), []
    near, far = (int(counted[s:].sum()) for s in (SMALL, RESERVE // 2))
    for s, large in ((SMALL, near), (RESERVE // 2, far)):
        checks.append(levels.share(f"P(S >= {s}), n = 1", large, n, float(survival[s]), "cascades"))
    ratio = RESERVE / 2 / SMALL
    share = 1 / math.sqrt(ratio)
    error = math.sqrt((1 - share) / share / max(near, 1)) / math.log(ratio)
    slope = math.log(far / near) / math.log(ratio) if far else math.nan
    what = f"slope of the tail between {SMALL} and {RESERVE // 2}, n = 1"
    drawn = f"{near:,} cascades of at least {SMALL}"
    return [*checks, levels.mean(what, slope, -0.5, error, drawn, within=SLOPE_BIAS)]


def _endless(scale: Scale, seed: int, ratio: float) -> tuple[int, int]:
    """Return how many cascades do not end, and of how many."""
    found = cascade_sizes(Field(ratio, 400, FIELDS), 5, seed, reserve=ENDLESS + 50,
                          runs=scale.endless_runs, first_run=100)  # fmt: skip
    return int(np.sum(found >= ENDLESS)), int(found.size)


# -- even fields --------------------------------------------------------------------------------


def _falls(seed: int, density: float) -> dict[tuple[float, int], float]:
    """Return the fall in ticks by ratio and lots sold, where longs stand at equal distances.

    Each long stands at the near edge of its stretch of field. A fall that ends on an edge then
    liquidates exactly the longs of the stretches above it, as the fluid does.
    """
    depths = [np.arange(round(n * density * EVEN_WIDTH)) / (n * density) for n in RATIOS]
    found: dict[tuple[float, int], float] = {}
    for lots in SHOCKS:
        path = event_log(scenario(depths, 1, lots), seed)["path"]
        falls = (path["index_ticks"] - path["mark_ticks"]).tolist()
        found |= {(n, lots): float(fall) for n, fall in zip(RATIOS, falls, strict=True)}
    return found


def _fluid(ratio: float, lots: float) -> float:
    """Return the fall of a field of uniform density: s / (1 - n), or s + n W beyond the band."""
    if ratio < 1 and lots / (1 - ratio) <= EVEN_WIDTH:
        return lots / (1 - ratio)
    return lots + ratio * EVEN_WIDTH


def _fall_checks(falls: dict[tuple[float, int], float]) -> list[Check]:
    """Hold every fall against the fluid limit, to 1e-9 of it."""
    return [
        Check(f"fall of an even field, n = {n:g}, shock {lots / EVEN_WIDTH:g} of its width",
              fall / EVEN_WIDTH, _fluid(n, lots) / EVEN_WIDTH, 1e-9, "widths")
        for (n, lots), fall in falls.items()
    ]  # fmt: skip


# -- two markets --------------------------------------------------------------------------------


def _two_types(scale: Scale, first: int, seed: int, is_joined: bool) -> two_markets.Cascades:
    """Return cascades that begin in one of two markets which cross margin joins."""
    width, first_seed = 3 * scale.steps + 2 * _ROOM, seed + 100 * first
    parts = [
        cascades(scale.pairs, width, scale.steps, first, first_seed + number, reserve=_ROOM,
                 is_joined=is_joined)
        for number in range(scale.pair_runs)
    ]  # fmt: skip
    return two_markets.Cascades(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _two_markets(counts: Counts) -> list[Check]:
    """Hold mean sales and children by first market, and the shares that end at twice the matrix."""
    means, variances = mean_sizes(MATRIX), variances_of_sizes(MATRIX)
    cascades_from = counts["cascades"]
    checks = []
    for (i, j), expected in np.ndenumerate(means):
        n = int(cascades_from[i])
        size = float(counts["sales"][i, j] / n)
        error = math.sqrt(variances[i, j] / n)
        what = f"mean sales in {'AB'[j]} of a cascade from {'AB'[i]}"
        checks.append(levels.mean(what, size, float(expected), error, f"{n:,} cascades"))
    children = counts["children"] / cascades_from[:, None]
    right, left = (np.abs(np.linalg.eig(m)[1][:, np.argmax(np.linalg.eigvals(m).real)])
                   for m in (MATRIX, MATRIX.T))  # fmt: skip
    weights = np.outer(left, right) / (left @ right)
    error = math.sqrt(float(np.sum(weights**2 * MATRIX / cascades_from[:, None])))
    radius = float(np.abs(np.linalg.eigvals(children)).max())
    expected = float(np.abs(np.linalg.eigvals(MATRIX)).max())
    what = "spectral radius of the matrix of direct children"
    drawn = f"{int(cascades_from.sum()):,} cascades"
    checks.append(levels.mean(what, radius, expected, error, drawn))
    return [*checks, *_endless_checks(counts["ended, of all"].tolist())]


_DOUBLED = 2.0  # times the matrix: a spectral radius of 1.4


def _two_types_endless(scale: Scale, first: int, seed: int, is_joined: bool) -> tuple[int, int]:
    """Return how many cascades end, and of how many, where the matrix is twice as large."""
    n_ended = n = 0
    for number in range(2 * scale.pair_runs):
        own = seed + 100 * first + 50 + number
        found = cascades(8, 2 * _ROOM, 2, first, own, reserve=_ROOM, factor=_DOUBLED,
                         is_joined=is_joined)  # fmt: skip
        n += len(found.sizes)
        n_ended += int(np.sum(found.sizes.sum(axis=1) < ENDLESS))
    return n_ended, n


def _endless_checks(endless: Sequence[Sequence[int]]) -> list[Check]:
    checks = []
    expected = extinction(_DOUBLED * MATRIX)
    for market, (n_ended, n), q in zip("AB", endless, expected.tolist(), strict=True):
        what = f"P(end) of a cascade from {market}, matrix doubled"
        checks.append(levels.share(what, n_ended, n, q, "cascades"))
    return checks


# -- figure -------------------------------------------------------------------------------------


def _tail_panel(counted: np.ndarray) -> Panel:
    survival, n = _survival(), int(counted.sum())
    grid = np.unique(np.geomspace(1, RESERVE, 24).astype(int)).tolist()
    seen = [s for s in grid if counted[s:].any()]
    shares = [wilson(int(counted[s:].sum()), n) for s in seen]
    power = [1 / math.sqrt(math.pi * s / 2) for s in grid]
    return Panel("Ratio 1", "Size s of a cascade (liquidations)", "Share of at least s", (
        Series("simulated", seen, [share.mid or 0.0 for share in shares],
               low=[share.low or 0.0 for share in shares],
               high=[share.high or 0.0 for share in shares]),
        Series("Borel", grid, [float(survival[s]) for s in grid], is_expected=True),
        Series("power -1/2", grid, power, is_expected=True),
    ), x_scale="log", y_scale="log")  # fmt: skip


def _fall_panel(falls: dict[tuple[float, int], float]) -> Panel:
    series = []
    grid = np.linspace(0.1, 1.6, 301).tolist()
    for lots in SHOCKS:
        name = f"shock {lots / EVEN_WIDTH:g}"
        series.append(Series(name, RATIOS, [falls[n, lots] / EVEN_WIDTH for n in RATIOS]))
        line = [_fluid(n, lots) / EVEN_WIDTH for n in grid]
        series.append(Series(name, grid, line, is_expected=True))
    return Panel("Even fields", "Ratio n", "Fall (widths of the field)", series, y_scale="log")


def _size_panel(counts: Counts) -> Panel:
    means, n = mean_sizes(MATRIX), counts["cascades"][:, None]
    names = [f"{a} to {b}" for a in "AB" for b in "AB"]
    measured = (counts["sales"] / n).ravel().tolist()
    errors = (1.96 * np.sqrt(variances_of_sizes(MATRIX) / n)).ravel().tolist()
    places = [1, 2, 3, 4]
    return Panel(
        "Two markets", f"1 to 4: {', '.join(names)}", "Mean sales", (
            Series("simulated", places, measured,
                   low=[m - e for m, e in zip(measured, errors, strict=True)],
                   high=[m + e for m, e in zip(measured, errors, strict=True)], has_bars=True),
            Series("(I - N)^-1", [place + 0.12 for place in places], means.ravel().tolist()),
        ),
    )  # fmt: skip


EXPERIMENT = Experiment(
    name="criticality",
    title="Cascades at and above a branching ratio of one, and in two markets",
    claim="At n = 1 the tail of cascade sizes is a power with slope -1/2; at n = 1.3 a share of "
    "0.42297 never ends; an even field falls by s / (1 - n), or by s + n W beyond its band; in two "
    "markets that cross margin joins, mean sizes are (I - N)^-1.",
    source="Otter 1949, Harris 1963 (published: exponent 3/2, mean sizes and extinction of "
    "branching processes of one and several types). The fall of an even field, and all of it as "
    "liquidations: ours.",
    falsified_by="A share, slope or mean that a right model comes to once in a million times, a "
    "fall off by 1e-9 of the width of its field.",
    run=run,
    control=control,
    control_is="fields less dense by a third, and nobody with legs in both markets",
    together=together,
    tell=tell,
)
