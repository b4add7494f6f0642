"""The 48 European banks that published fire-sale studies run on, and their published results."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import NamedTuple

_DATA = Path(__file__).parent / "data"
CASH_SHARE = 0.05  # of assets
_PER_CENT = 0.01


class Bank(NamedTuple):
    """A balance sheet, millions of EUR."""

    name: str
    equity: float  # common equity tier 1
    assets: float
    government_bonds: float
    other_bonds: float

    @property
    def debt(self) -> float:
        """What it owes."""
        return self.assets - self.equity

    @property
    def bonds(self) -> tuple[float, float]:
        """Tradable assets: government bonds, other bonds."""
        return self.government_bonds, self.other_bonds

    @property
    def cash(self) -> float:
        """Cash, by assumption."""
        return CASH_SHARE * self.assets


class Row(NamedTuple):
    """One published run of the fire-sale model."""

    impact: float  # fall of a price when 5 % of the asset is sold
    shock: float  # fall of government bonds
    buffer: float  # equity over assets below which a bank delevers
    extent: float  # share of banks in default, 0 below 5 %
    sold: float  # share of tradable assets sold, at initial prices


@cache
def banks() -> tuple[Bank, ...]:
    """Return the banks; assets are equity over the leverage ratio."""
    return tuple(_bank(row) for row in _rows("eba_2018.csv"))


def _bank(row: dict[str, str]) -> Bank:
    equity, government = float(row["cet1_eur_m"]), float(row["government_bonds_eur_m"])
    assets = equity / (_PER_CENT * float(row["leverage_ratio_pct"]))
    other = float(row["debt_securities_eur_m"]) - government
    return Bank(row["bank"], equity, assets, government, other)


@cache
def published_runs() -> tuple[Row, ...]:
    """Return the published runs of the fire-sale model, in their order."""
    names = (
        "price_impact", "gov_bond_shock", "leverage_buffer", "systemic_event_extent",
        "tradable_sold_fraction",
    )  # fmt: skip
    return tuple(
        Row(*(float(row[name]) for name in names)) for row in _rows("firesale_reference.csv")
    )


def vulnerable_banks_reference(variant: str) -> list[dict[str, str]]:
    """Return the rows of the closed form, ``uncapped`` or ``capped``, in the order of the banks."""
    rows = _rows("vulnerable_banks_reference.csv")
    return [row for row in rows if row["variant"] == variant]


def _rows(name: str) -> list[dict[str, str]]:
    with (_DATA / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
