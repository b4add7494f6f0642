"""What a config says about the market: assets, index, shocks, mark price, fees and funding."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path

from stresslab.core.declarations import declared, param
from stresslab.core.errors import ConfigError
from stresslab.market.books import BOOKS, BookRules, LimitOrderBookRules
from stresslab.market.oracle import OracleRules

MICRO_USD = 1_000_000
FEWEST_TICKS = 100  # of a price: coarser ones hide small moves


@declared
class Asset:
    """A linear perpetual or a spot asset, with the grid its prices and quantities live on."""

    kind: str = param("Contract", default="perpetual", choices=("perpetual", "spot"))
    initial_price_usd: float = param("Index price before the first step", unit="USD", gt=0, le=1e9)
    tick_size_usd: float = param("Smallest price step", unit="USD", gt=0, le=1e6)
    lot_size: float = param("Smallest quantity step", unit="base units", gt=0, le=1e12)

    @property
    def unit_value(self) -> int:
        """Micro-USD of one tick times one lot."""
        return int(self._exact_unit())

    @property
    def initial_ticks(self) -> int:
        """Index price before the first step, in ticks."""
        return round(_ticks(self.initial_price_usd, self.tick_size_usd))

    def _exact_unit(self) -> Fraction:
        return Fraction(str(self.tick_size_usd)) * Fraction(str(self.lot_size)) * MICRO_USD

    def faults(self) -> Iterator[tuple[str, str]]:
        unit = self._exact_unit()
        if unit.denominator != 1 or unit < 1:
            yield (
                "tick_size_usd",
                f"tick {self.tick_size_usd:g} USD times lot {self.lot_size:g} is "
                f"{float(unit):g} micro-USD; it must be a whole number, at least 1",
            )


@functools.cache  # asked again for every combination of overrides
def _ticks(price_usd: float, tick_size_usd: float) -> Fraction:
    return Fraction(str(price_usd)) / Fraction(str(tick_size_usd))


def tick_faults(assets: Mapping[str, Asset], book: BookRules) -> Iterator[tuple[str, str]]:
    """Yield ``(path, message)`` for each asset whose price has too few or too many ticks."""
    for name, asset in assets.items():
        ticks = _ticks(asset.initial_price_usd, asset.tick_size_usd)
        if not FEWEST_TICKS <= ticks <= book.most_ticks:
            yield (
                f"{name}.tick_size_usd",
                f"price {asset.initial_price_usd:g} USD is {float(ticks):g} ticks; allowed are "
                f"{FEWEST_TICKS} to {book.most_ticks} ticks",
            )


@declared
class Shock:
    """A fall of the index that does not come back: a linear ramp, the same for all its assets."""

    assets: tuple[str, ...] = param("Assets whose index falls")
    fall: float = param("Size of the fall", unit="of the price", symbol="s", ge=0, lt=1)
    at_seconds: float = param("Start of the fall", unit="s", ge=0)
    over_seconds: float = param(
        "Length of the fall; 0 falls in one step", unit="s", ge=0, default=0.0
    )

    def faults(self) -> Iterator[tuple[str, str]]:
        if not self.assets:
            yield "assets", "empty; name the assets that fall, or leave the shock out"
        for name in dict.fromkeys(self.assets):
            if self.assets.count(name) > 1:
                yield "assets", f"'{name}' stands twice; an asset falls once in a shock"


@declared
class ConstantIndex:
    """The index stands still but for shocks."""


@declared
class BrownianIndex:
    """Correlated geometric Brownian motion without drift."""

    daily_volatility: float = param(
        "Standard deviation of a day's log return", unit="per day", symbol="σ", ge=0, le=5
    )
    volatility_by_asset: dict[str, float] = param(
        "Assets with a volatility of their own", unit="per day", factory=dict, ge=0, le=5
    )
    correlation: float = param(
        "Correlation of log returns between any two assets", default=0.0, ge=0, lt=1
    )


@declared
class RevertingIndex(BrownianIndex):
    """The log of the index is drawn back to that of its initial price: AR(1) from step to step.

    Volatility is that of the innovations; returns over long times have less.
    """

    half_life_seconds: float = param(
        "Time in which half of the distance is made good", unit="s", gt=0, le=1e10
    )


@declared
class ReplayIndex:
    """The index follows recorded bars, scaled to each asset's initial price.

    A bar becomes steps by its open, nearer extreme, other extreme and close, at equal distances,
    with straight lines between; the nearer extreme is the one closer to the open.
    """

    file: str = param("CSV of bars: open_time (s), open, high, low, close", is_path=True)
    bar_seconds: float = param("Length of a bar", unit="s", gt=0)
    assets: tuple[str, ...] = param("Assets that follow the bars; the others stand still")
    daily_volatility: float = param(
        "Volatility of calm times, as traders know it", unit="per day", default=0.04, ge=0, le=5
    )
    start_time: int = param("open_time of the first bar used", unit="s since 1970", ge=0)

    def seconds_held(self) -> float | None:
        """Return the time from ``start_time`` to the end of the bars; None if they are unsound."""
        try:
            times = self._open_times()
            return (len(times) - times.index(self.start_time)) * self.bar_seconds
        except (ConfigError, ValueError):
            return None

    def _open_times(self) -> list[int]:
        from stresslab.market.bars import read_bars

        return [bar[0] for bar in read_bars(Path(self.file), self.bar_seconds)]

    def faults(self) -> Iterator[tuple[str, str]]:
        try:
            times = self._open_times()
        except ConfigError as error:
            yield "file", str(error)
            return
        if self.start_time not in times:
            yield (
                "start_time",
                f"no bar opens at {self.start_time}; bars open every {self.bar_seconds:g} s from "
                f"{times[0]} to {times[-1]}",
            )


INDEX_MODELS: dict[str, type] = {
    "constant": ConstantIndex,
    "brownian": BrownianIndex,
    "reverting": RevertingIndex,
    "replay": ReplayIndex,
}


@declared
class MarkRules:
    """Mark price = index + (1 - index weight) · EMA(book price - index), or a median of three.

    ``mid`` and ``last`` are the book price itself, ``index`` the index, whatever the other fields.
    ``median`` is that of the index, index + EMA(book price - index), and the book price.
    """

    rule: str = param(
        "Rule of the mark price",
        default="mid",
        choices=("index", "mid", "last", "blend", "median"),
        source="Binance, Mark Price of USD-M futures, for the median: index with funding basis, "
        "index with average basis, last price",
    )
    index_weight: float = param("Weight of the index in a blend", default=0.0, ge=0, le=1)
    half_life_seconds: float = param(
        "Half-life of the average of the basis in a blend or median; 0 follows at once",
        unit="s",
        default=0.0,
        ge=0,
    )
    book_price: str = param(
        "Price of the book that a blend or a median takes in: the mid or the last trade",
        default="mid",
        choices=("mid", "last"),
    )

    @property
    def uses_last(self) -> bool:
        """Whether the book price is that of the last trade."""
        return self.rule == "last" or (
            self.rule in ("blend", "median") and self.book_price == "last"
        )

    def faults(self) -> Iterator[tuple[str, str]]:
        if self.rule == "median" and self.half_life_seconds == 0:
            yield (
                "half_life_seconds",
                "0 s makes two candidates of the median the same; it must be above 0 s",
            )


@declared
class FeeRules:
    """Trading fees of the venue."""

    maker_rate: float = param(
        "Fee of a resting order; negative is a rebate",
        unit="of notional",
        default=0.0002,
        ge=-0.01,
        le=0.05,
    )
    taker_rate: float = param(
        "Fee of an order that takes", unit="of notional", default=0.0005, ge=0, le=0.05
    )


@declared
class DailyRates:
    """Interest on both sides of a contract."""

    quote: float = param("Interest on the quote currency", unit="per day", ge=-0.1, le=0.1)
    base: float = param("Interest on the base currency", unit="per day", ge=-0.1, le=0.1)


@declared
class FundingRules:
    """Funding = premium + clamp(interest - premium, ±clamp), capped, paid at its interval.

    The premium is an average over the interval of (book price - index) / index, or of the same with
    impact prices.
    """

    interval_seconds: float = param("Time between payments", unit="s", default=28800.0, gt=0)
    rate_seconds: float | None = param(
        "Time that premium, interest, clamp and cap are for, of which a payment is the interval's "
        "part; without it, the interval",
        unit="s",
        default=None,
        gt=0,
        source="Hyperliquid and dYdX: a rate of 8 hours, of which an eighth is paid every hour",
    )
    interest_rate: float = param(
        "Interest of one interval", unit="per interval", default=0.0001, ge=-0.01, le=0.01
    )
    daily_rates: DailyRates | None = param(
        "Interest of quote and base currency, which gives that of an interval in place of "
        "interest_rate",
        default=None,
    )
    form: str = param(
        "How premium and interest make a rate: the premium corrected towards the interest by at "
        "most the clamp, or their sum",
        default="clamped",
        choices=("clamped", "added"),
    )
    clamp: float = param(
        "Widest correction towards interest", unit="per interval", default=0.0005, ge=0
    )
    cap: float = param(
        "Largest rate of one interval", unit="per interval", default=0.02, gt=0, le=1
    )
    cap_of_margin_gap: float | None = param(
        "Largest rate as a multiple of initial less maintenance margin rate",
        unit="x",
        default=None,
        gt=0,
        le=100,
        source="dYdX Chain: 6",
    )
    cap_of_maintenance: float | None = param(
        "Largest rate as a multiple of the maintenance margin rate",
        unit="x",
        default=None,
        gt=0,
        le=100,
    )
    premium: str = param(
        "What is compared with the index: the price of the book, or what an order of "
        "impact_notional_usd would pay on either side",
        default="book_price",
        choices=("book_price", "impact_price"),
    )
    impact_notional_usd: float | None = param(
        "Notional of the order that impact prices are for", unit="USD", default=None, gt=0, le=1e12
    )
    average: str = param(
        "Average of the premium samples of an interval, one each step",
        default="mean",
        choices=("mean", "linear", "ewma", "median"),
        source="mean: BitMEX; linear, weights 1 to n: Bybit; ewma: Paradex; median: dYdX",
    )
    average_half_life_seconds: float | None = param(
        "Half-life of the average `ewma`, which goes on over payments",
        unit="s",
        default=None,
        gt=0,
    )

    @property
    def period_seconds(self) -> float:
        """Time that the rate is for."""
        return self.rate_seconds or self.interval_seconds

    @property
    def interest(self) -> float:
        """Interest of the time that the rate is for."""
        if self.daily_rates is None:
            return self.interest_rate
        from stresslab.market.funding_terms import SECONDS_PER_DAY, interest_component

        quote, base = self.daily_rates.quote, self.daily_rates.base
        return float(interest_component(quote, base, SECONDS_PER_DAY / self.period_seconds))

    def faults(self) -> Iterator[tuple[str, str]]:
        if self.premium == "impact_price" and self.impact_notional_usd is None:
            yield "impact_notional_usd", "is missing; impact prices are for a notional in USD"
        if (self.average == "ewma") != (self.average_half_life_seconds is not None):
            yield (
                "average_half_life_seconds",
                "belongs to the average 'ewma', which needs it, and to no other; the average is "
                f"'{self.average}'",
            )


@declared
class BreakerRules:
    """A market is halted when its mark moves too far within a window of time."""

    move: float = param(
        "Move of the mark, from any mark of the window, above which the market is halted",
        unit="of price",
        gt=0,
        lt=10,
    )
    window_seconds: float = param("Length of the window", unit="s", gt=0, le=86_400)
    halt_seconds: float = param("Length of the halt", unit="s", gt=0, le=86_400)
    stops: str = param(
        "What a halt stops: every order but cancellations, or forced orders only",
        default="trading",
        choices=("trading", "liquidations"),
    )


@declared
class MarketRules:
    """Everything about prices."""

    book: BookRules = param("How orders become trades", kinds=BOOKS, factory=LimitOrderBookRules)
    index: ConstantIndex | BrownianIndex | ReplayIndex = param(
        "Exogenous price", kinds=INDEX_MODELS, factory=ConstantIndex
    )
    shocks: dict[str, Shock] = param("Scheduled falls of the index", factory=dict)
    mark: MarkRules = param("Price that margin is judged at", factory=MarkRules)
    oracle: OracleRules = param("When the index reaches the venue", factory=OracleRules)
    fees: FeeRules = param("Trading fees", factory=FeeRules)
    funding: FundingRules = param("Payments between longs and shorts", factory=FundingRules)
    circuit_breaker: BreakerRules | None = param(
        "Halts of single markets after large moves; empty is none", default=None
    )
    volatility_half_life_seconds: float = param(
        "Half-life of the volatility and trend that traders see", unit="s", default=60.0, gt=0
    )
