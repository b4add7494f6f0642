"""What was measured on 10 October 2025, as numbers with their sources."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import NamedTuple

_DATA = Path(__file__).parents[1] / "data"


class Fact(NamedTuple):
    """One number of the day and the band that a distance to it is counted in."""

    name: str
    value: float
    low: float
    high: float
    unit: str
    use: str  # calibration or prediction
    source: str


class Asset(NamedTuple):
    """One perpetual on that day."""

    name: str
    market_usd_m: float  # liquidated in its market
    adl_usd_m: float  # auto-deleveraged
    volume_usd_m: float  # futures of 13 venues, 21:09 to 22:00 UTC
    day_fall: float | None  # high to low on Binance spot; None where it is not listed

    @property
    def forced_usd_m(self) -> float:
        """Notional closed by force."""
        return self.market_usd_m + self.adl_usd_m

    @property
    def adl_share(self) -> float:
        """Auto-deleveraged part of what was closed by force."""
        return self.adl_usd_m / self.forced_usd_m


class Wave(NamedTuple):
    """One wave of auto-deleveraging (fills at most 5 s apart) with a deficit; USD."""

    number: int
    needed: float  # sum of |mark - price| times quantity of its fills
    production: float  # what the equity of winners lost by it
    equity: float  # of the winners
    capacity: float  # sum of min(profit, equity) of the winners
    largest_share_production: float  # of one winner's equity
    largest_share_pro_rata: float


@cache
def facts(use: str) -> tuple[Fact, ...]:
    """Return the facts for ``calibration`` or for ``prediction``."""
    return tuple(_fact(row) for row in _rows("october_2025_facts.csv") if row["use"] == use)


def _fact(row: dict[str, str]) -> Fact:
    value, low, high = (float(row[name]) for name in ("value", "low", "high"))
    return Fact(row["fact"], value, low, high, row["unit"], row["use"], row["source"])


@cache
def assets() -> tuple[Asset, ...]:
    """Return the twelve assets in the order of the config."""
    return tuple(_asset(row) for row in _rows("october_2025_assets.csv"))


def _asset(row: dict[str, str]) -> Asset:
    market, adl, volume = (
        float(row[name]) for name in ("market_usd_m", "adl_usd_m", "futures_volume_usd_m")
    )
    fall = float(row["day_fall"]) if row["day_fall"] else None
    return Asset(row["asset"], market, adl, volume, fall)


@cache
def waves() -> tuple[Wave, ...]:
    """Return the sixteen waves in their order."""
    names = ("needed_usd", "production_usd", "winners_equity_usd", "capacity_usd",
             "largest_share_production", "largest_share_pro_rata")  # fmt: skip
    return tuple(
        Wave(int(row["wave"]), *(float(row[name]) for name in names))
        for row in _rows("october_2025_waves.csv")
    )


def _rows(name: str) -> list[dict[str, str]]:
    with (_DATA / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
