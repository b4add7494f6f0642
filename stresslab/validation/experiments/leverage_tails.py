"""Leverage makes tails fat: ten value funds that borrow, and noise traders who never do."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from stresslab.validation import leveraged_funds
from stresslab.validation.experiment import Experiment, Size
from stresslab.validation.leverage_bands import BANDS, LEVEL, NOMINAL, RETURNS, Band
from stresslab.validation.stylised.moments import acf, hill
from stresslab.validation.verdicts import Check, Distance, Panel, Result, Series

VALUE = 1e6  # ticks
TAILS = (0.10, 0.05, 0.01)  # of the falls
LEAST_TAIL = 20  # falls below which a tail is too few to judge
TAIL, KURTOSIS = "Hill 5 %", "excess kurtosis"
#: Limits between which the tail must grow fatter, and those between which it must not.
FATTER, SATURATED = ((1.0, 3.0), (3.0, 10.0), (1.0, 10.0)), (10.0, 15.0)

Found = dict[float, dict[str, float]]


class Scale(NamedTuple):
    """How much is drawn."""

    leverages: Sequence[float]
    markets: int
    settled: int
    steps: int

    @property
    def spread(self) -> float:
        """Standard deviations here, in those of the runs there."""
        return max(1.0, math.sqrt(RETURNS / (self.markets * self.steps)))


SCALES = {
    Size.QUICK: Scale((1.0, 10.0), 8, 500, 600),
    Size.FULL: Scale(tuple(BANDS), 8, 4000, 4500),
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
    by_limit = dict(zip(scale.leverages, prices, strict=True))
    found = {limit: statistics(path) for limit, path in by_limit.items()}
    checks = [*_band_checks(found, scale), *_step_checks(found, scale)]
    distances = [*_distances(found)]
    facts = {
        "markets": scale.markets, "steps": scale.steps, "settled": scale.settled,
        "statistics": len(distances),
        "within 4 standard deviations": sum(told.distance == 0 for told in distances),
    }  # fmt: skip
    falls = {limit: _falls(path) for limit, path in by_limit.items()}
    return Result(checks, distances, panels=(_hill_panel(found), _tail_panel(falls)), facts=facts)


def statistics(prices: np.ndarray) -> dict[str, float]:
    """Return tails and memory of log returns of prices of shape (markets, steps).

    Hill exponents are those of falls that begin below value, where the funds hold something; the
    rest is that of all returns. A tail of too few falls is left out.
    """
    returns = np.diff(np.log(prices), axis=1)
    falls = _falls(prices)
    z = (returns - returns.mean()) / returns.std()
    found = {
        f"Hill {share:.0%}".replace("%", " %"): hill(falls, share)
        for share in TAILS if share * falls.size >= LEAST_TAIL
    }  # fmt: skip
    return {
        **found,
        KURTOSIS: float(np.mean(z**4)) - 3.0,
        "skewness": float(np.mean(z**3)),
        "deviation of returns": float(returns.std()),
        "ACF abs r, lag 1": acf(np.abs(returns), 1),
        "ACF abs r, lag 10": acf(np.abs(returns), 10),
    }


def _falls(prices: np.ndarray) -> np.ndarray:
    returns = np.diff(np.log(prices), axis=1)
    active = returns[prices[:, :-1] < VALUE]
    falls: np.ndarray = -active[active < 0]
    return falls


def _band_checks(found: Found, scale: Scale) -> Iterator[Check]:
    power = f"{scale.markets * scale.steps:,} returns"
    for limit, what, value in _each(found):
        band, name = BANDS[limit][what], what
        if what == KURTOSIS and limit > 1.0:
            band, name = band.log, f"log of {what}"
            value = math.log(value) if value > 0 else math.nan
        yield Check(f"leverage {limit:g}: {name}", value, band.mean, band.tolerance(scale.spread),
                    level=LEVEL, power=power, p=band.chance(value, scale.spread))  # fmt: skip


def _step_checks(found: Found, scale: Scale) -> Iterator[Check]:
    """Hold how much fatter the tail is at the higher limit against the bands' difference.

    A tail that is no fatter fails, however wide the bands are; between the saturated limits the
    tail may differ by four deviations, less than the fall from 3 to 10.
    """
    for low, high in (*FATTER, SATURATED):
        if TAIL in found.get(low, ()) and TAIL in found.get(high, ()):
            one, other = BANDS[low][TAIL], BANDS[high][TAIL]
            expected = one.mean - other.mean
            both = Band(expected, math.hypot(one.deviation, other.deviation))
            widest = NOMINAL * both.deviation if (low, high) == SATURATED else expected
            yield Check(
                f"fall of {TAIL} from leverage {low:g} to {high:g}",
                found[low][TAIL] - found[high][TAIL], expected,
                min(both.tolerance(scale.spread), widest), level=LEVEL,
            )  # fmt: skip


def _distances(found: Found) -> Iterator[Distance]:
    """Tell which statistics lie within four deviations of twelve runs, as they were measured."""
    for limit, what, value in _each(found):
        mean, deviation = BANDS[limit][what]
        reach = NOMINAL * deviation
        yield Distance(f"leverage {limit:g}: {what}", value, mean - reach, mean + reach)


def _each(found: Found) -> Iterator[tuple[float, str, float]]:
    for limit, statistics_of in found.items():
        for what, value in statistics_of.items():
            yield limit, what, value


def _hill_panel(found: Found) -> Panel:
    series = []
    for what in ("Hill 10 %", TAIL):
        limits = [limit for limit in found if what in found[limit]]
        series.append(Series(what, limits, [found[limit][what] for limit in limits]))
        known = [limit for limit in BANDS if min(found) <= limit <= max(found)]
        bands = [BANDS[limit][what] for limit in known]
        reach = [NOMINAL * band.deviation for band in bands]
        series.append(
            Series(
                what, known, [band.mean for band in bands], is_expected=True,
                low=[band.mean - r for band, r in zip(bands, reach, strict=True)],
                high=[band.mean + r for band, r in zip(bands, reach, strict=True)],
            )
        )  # fmt: skip
    return Panel("Tails by leverage", "Most leverage of a fund", "Hill exponent of falls",
                 tuple(series))  # fmt: skip


def _tail_panel(falls: dict[float, np.ndarray]) -> Panel:
    series = []
    for limit, sizes in falls.items():
        if limit not in (1.0, 5.0, 10.0):
            continue
        ordered = np.sort(sizes)[::-1]
        places = np.unique(np.geomspace(1, 0.6 * ordered.size, 40).astype(int)) - 1
        share = (places + 1) / ordered.size
        series.append(Series(f"leverage {limit:g}", ordered[places].tolist(), share.tolist()))
    x, y = "Fall of the log price", "Share at least as large"
    return Panel("Falls that begin below value", x, y, tuple(series), "log", "log")


EXPERIMENT = Experiment(
    name="leverage-tails",
    title="Leverage makes tails fat",
    claim="Without leverage returns are next to Gaussian; the more funds may borrow, the fatter is "
    "the tail of falls, until beyond a limit of ten it makes no difference.",
    source="Thurner, Farmer and Geanakoplos 2012, Quantitative Finance 12 (published: the model; "
    "leverage causes fat tails). Bands: where one more run lies after twelve runs of an "
    "independent program, ours; the constants of investors' flows are partly recalled there.",
    falsified_by="A Hill exponent, kurtosis, skewness, deviation or autocorrelation outside its "
    "band; a tail no fatter at 10 than at 3 or at 3 than at 1, or fatter still beyond 10.",
    run=run,
    control=control,
    control_is="funds that never borrow",
)
