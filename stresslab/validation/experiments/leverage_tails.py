"""Leverage makes tails fat: ten value funds that borrow, and noise traders who never do."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from stresslab.validation import leveraged_funds
from stresslab.validation.experiment import Experiment, Size
from stresslab.validation.verdicts import Check, Distance, Panel, Result, Series

STANDARD_DEVIATIONS = 4.0
LEVEL = 6.3e-5
VALUE = 1e6  # ticks
TAILS = (0.10, 0.05, 0.01)  # of the negative returns
LEAST_TAIL = 20  # returns below which a tail is too few to judge
STEPS_THERE = 50_000  # of each run of the independent program

#: Leverage limit -> (mean, standard deviation over twelve runs) of the independent program.
BANDS: dict[float, dict[str, tuple[float, float]]] = {
    1.0: {"Hill 10 %": (4.1859, 0.15173), "Hill 5 %": (5.3602, 0.24993),
          "Hill 1 %": (7.7954, 0.58943), "excess kurtosis": (0.20887, 0.046214),
          "skewness": (-0.0018447, 0.011446)},
    3.0: {"Hill 10 %": (2.7918, 0.14667), "Hill 5 %": (3.4855, 0.27831),
          "Hill 1 %": (5.3859, 0.3922), "excess kurtosis": (1.0688, 0.13593),
          "skewness": (-0.022404, 0.021765)},
    5.0: {"Hill 10 %": (2.466, 0.085212), "Hill 5 %": (2.9421, 0.21247),
          "Hill 1 %": (3.2383, 0.29685), "excess kurtosis": (3.05, 0.70321),
          "skewness": (-0.2171, 0.060165)},
    10.0: {"Hill 10 %": (2.3023, 0.077864), "Hill 5 %": (2.532, 0.10086),
           "Hill 1 %": (2.0365, 0.14478), "excess kurtosis": (10.132, 5.6618),
           "skewness": (-0.56613, 0.15247)},
    15.0: {"Hill 10 %": (2.2993, 0.075254), "Hill 5 %": (2.5361, 0.12691),
           "Hill 1 %": (2.0029, 0.12036), "excess kurtosis": (10.16, 5.2763),
           "skewness": (-0.58517, 0.15983)},
}  # fmt: skip
#: Limits between which the tail must grow fatter, or stay.
STEPS_OF_LEVERAGE = ((1.0, 3.0), (3.0, 10.0), (1.0, 10.0), (10.0, 15.0))


class Scale(NamedTuple):
    """How much is drawn."""

    leverages: Sequence[float]
    markets: int
    settled: int
    steps: int

    @property
    def spread(self) -> float:
        """Standard deviations here, in those of the runs there."""
        return math.sqrt(STEPS_THERE / (self.markets * self.steps))


SCALES = {
    Size.QUICK: Scale((1.0, 10.0), 8, 500, 600),
    Size.FULL: Scale(tuple(BANDS), 5, 3500, 3500),
}


def run(size: Size, seed: int) -> Result:
    """Let funds of every leverage limit trade, and measure the tails of returns."""
    return _measured(SCALES[size], seed, SCALES[size].leverages)


def control(size: Size, seed: int) -> Result:
    """The same with funds that never borrow, whatever limit the bands are those of."""
    scale = SCALES[size]
    return _measured(scale, seed, [1.0] * len(scale.leverages))


def _measured(scale: Scale, seed: int, leverages: Sequence[float]) -> Result:
    prices = leveraged_funds.run(leverages, scale.markets, scale.steps, scale.settled, seed)
    found = {
        limit: statistics(path) for limit, path in zip(scale.leverages, prices, strict=True)
    }  # fmt: skip
    checks = [check for limit in found for check in _band_checks(limit, found[limit], scale)]
    distances = [told for limit in found for told in _distances(limit, found[limit], scale)]
    checks += [
        _step_check(low, high, found, scale)
        for low, high in STEPS_OF_LEVERAGE
        if all("Hill 5 %" in found.get(limit, ()) for limit in (low, high))
    ]
    returns = {
        limit: np.diff(np.log(path), axis=1)[path[:, :-1] < VALUE]
        for limit, path in zip(scale.leverages, prices, strict=True)
    }  # fmt: skip
    facts = {"markets": scale.markets, "steps": scale.steps, "settled": scale.settled}
    return Result(checks, distances, panels=(_hill_panel(found), _tail_panel(returns)), facts=facts)


def statistics(prices: np.ndarray) -> dict[str, float]:
    """Return the tails of log returns of prices of shape (markets, steps).

    Hill exponents are those of falls that begin below value, where the funds hold something;
    kurtosis and skewness are those of all returns. A tail of too few returns is left out.
    """
    returns = np.diff(np.log(prices), axis=1)
    active = returns[prices[:, :-1] < VALUE]
    falls = -active[active < 0]
    everything = returns.ravel()
    z = (everything - everything.mean()) / everything.std()
    found = {
        f"Hill {share:.0%}".replace("%", " %"): hill(falls, share)
        for share in TAILS if share * falls.size >= LEAST_TAIL
    }  # fmt: skip
    return {**found, "excess kurtosis": float(np.mean(z**4)) - 3.0,
            "skewness": float(np.mean(z**3))}  # fmt: skip


def hill(sizes: np.ndarray, share: float) -> float:
    """Return the exponent of the tail, from the largest share of sizes.

    References
    ----------
    Hill (1975), A simple general approach to inference about the tail of a distribution, Annals of
    Statistics 3, 1163-1174.
    """
    ordered = np.sort(sizes)[::-1]
    count = int(share * ordered.size)
    return float(count / np.sum(np.log(ordered[:count] / ordered[count])))


def _band_checks(limit: float, found: dict[str, float], scale: Scale) -> list[Check]:
    return [
        Check(f"leverage {limit:g}: {what}", value, BANDS[limit][what][0],
              _tolerance(limit, what, scale), level=LEVEL,
              power=f"{scale.markets * scale.steps:,} returns")
        for what, value in found.items() if _is_judged(limit, what)
    ]  # fmt: skip


def _distances(limit: float, found: dict[str, float], scale: Scale) -> list[Distance]:
    """Tell what is not judged: with fat tails, one crash makes kurtosis and skewness."""
    told = []
    for what, value in found.items():
        if not _is_judged(limit, what):
            mean, tolerance = BANDS[limit][what][0], _tolerance(limit, what, scale)
            name = f"leverage {limit:g}: {what}"
            told.append(Distance(name, value, mean - tolerance, mean + tolerance))
    return told


def _is_judged(limit: float, what: str) -> bool:
    return limit == 1.0 or what.startswith("Hill")


def _tolerance(limit: float, what: str, scale: Scale) -> float:
    return STANDARD_DEVIATIONS * BANDS[limit][what][1] * max(1.0, scale.spread)


def _step_check(
    low: float, high: float, found: dict[float, dict[str, float]], scale: Scale
) -> Check:
    """Hold how much fatter the tail is at the higher limit against the bands' difference."""
    what = "Hill 5 %"
    (first, one), (second, other) = BANDS[low][what], BANDS[high][what]
    return Check(
        f"fall of Hill 5 % from leverage {low:g} to {high:g}",
        found[low][what] - found[high][what], first - second,
        STANDARD_DEVIATIONS * math.hypot(one, other) * max(1.0, scale.spread),
        level=LEVEL,
    )  # fmt: skip


def _hill_panel(found: dict[float, dict[str, float]]) -> Panel:
    series = []
    for what in ("Hill 10 %", "Hill 5 %"):
        limits = [limit for limit in found if what in found[limit]]
        series.append(Series(what, limits, [found[limit][what] for limit in limits]))
        known = [limit for limit in BANDS if min(found) <= limit <= max(found)]
        series.append(Series(what, known, [BANDS[k][what][0] for k in known], is_expected=True))
    return Panel("Tails by leverage", "Most leverage of a fund", "Hill exponent of falls",
                 tuple(series))  # fmt: skip


def _tail_panel(returns: dict[float, np.ndarray]) -> Panel:
    series = []
    for limit, active in returns.items():
        if limit not in (1.0, 5.0, 10.0):
            continue
        falls = np.sort(-active[active < 0])[::-1]
        places = np.unique(np.geomspace(1, 0.6 * falls.size, 40).astype(int)) - 1
        share = (places + 1) / falls.size
        series.append(Series(f"leverage {limit:g}", falls[places].tolist(), share.tolist()))
    x, y = "Fall of the log price", "Share at least as large"
    return Panel("Falls that begin below value", x, y, tuple(series), "log", "log")


EXPERIMENT = Experiment(
    name="leverage-tails",
    title="Leverage makes tails fat",
    claim="Without leverage returns are next to Gaussian; the more funds may borrow, the fatter is "
    "the tail of falls, until beyond a limit of ten it makes no difference.",
    source="Thurner, Farmer and Geanakoplos 2012, Quantitative Finance 12 (published: the model; "
    "leverage causes fat tails). Bands: mean and 4 standard deviations of twelve runs of an "
    "independent program, ours; the constants of investors' flows are partly recalled there.",
    falsified_by="A Hill exponent outside its band, more than next to Gaussian at 1; a tail no "
    "fatter at 10 than at 1, or fatter still beyond.",
    run=run,
    control=control,
    control_is="funds that never borrow",
)
