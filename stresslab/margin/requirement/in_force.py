"""The margin rates in force: the brackets' own and the add-ons of every part, written each step.

A constant added to every maintenance rate of an asset leaves the deductions as they are, since
they depend on differences of rates; margin stays continuous in the notional. Where scenarios margin
cross pools, the add-ons are to the charge on the asset's notional, and the hedge credit may follow
the correlation of marks.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from stresslab.margin.portfolio.book import ADDITION, CLASS, CREDIT, INITIAL_ADDITION
from stresslab.margin.portfolio.credit import CreditNow
from stresslab.margin.portfolio.rules import PortfolioRules
from stresslab.margin.requirement import RequirementPart
from stresslab.margin.requirement.part import Opening, Running, Sight
from stresslab.margin.tiers import RATE_UNIT, MarginTables


class RatesInForce:
    """Writes the rates of the margin tables; add-ons of several parts add up.

    The maintenance add-on raises initial rates by at least as much, so that a position is never
    opened in breach. No rate exceeds the whole notional.
    """

    def __init__(
        self,
        parts: Mapping[str, RequirementPart],
        names: list[str],
        tables: MarginTables,
        opening: Opening,
        portfolio: PortfolioRules | None = None,
    ) -> None:
        self._tables = tables
        self._rate = [row.tolist() for row in tables.rate]
        self._initial = [row.tolist() for row in tables.initial]
        self._grid = tables.portfolio.copy()
        running = [(part.assets or names, part.running(opening)) for part in parts.values()]
        self._parts: list[list[Running]] = [
            [] if spot else [part for assets, part in running if name in assets]
            for name, spot in zip(names, tables.is_spot, strict=True)
        ]
        self._running = [part for _, part in running]
        self._credit = None
        if portfolio is not None and portfolio.credit_by_correlation is not None:
            classes = tables.portfolio[:, CLASS].tolist()
            self._credit = CreditNow(portfolio.credit_by_correlation, classes, opening)
        self._write()

    @property
    def is_fixed(self) -> bool:
        """Whether the rates never change."""
        return not self._running and self._credit is None

    def update(self, sight: Sight) -> bool:
        """Let every part see the step and write the rates; tell whether any has changed."""
        for part in self._running:
            part.update(sight)
        if self._credit is not None:
            self._credit.update(sight)
        return self._write()

    def add_ons(self) -> tuple[np.ndarray, np.ndarray]:
        """Return what is added to the lowest bracket's initial and maintenance rate, 1e-9."""
        initial = [row[0] for row in self._initial]
        rate = [row[0] for row in self._rate]
        return self._tables.initial[:, 0] - initial, self._tables.rate[:, 0] - rate

    def _write(self) -> bool:
        changed = False
        for asset, parts in enumerate(self._parts):
            if parts:
                changed |= self._write_asset(asset, parts)
        if self._credit is not None:
            changed |= self._write_credit(self._credit)
        return changed

    def _write_credit(self, credit: CreditNow) -> bool:
        whole, before = self._grid[:, CREDIT], self._tables.portfolio[:, CREDIT].copy()
        now = [
            round(share * rate) for share, rate in zip(credit.shares, whole.tolist(), strict=True)
        ]
        self._tables.portfolio[:, CREDIT] = now
        return not np.array_equal(before, now)

    def _write_asset(self, asset: int, parts: list[Running]) -> bool:
        rates, initials = self._rate[asset], self._initial[asset]
        need = min(sum(part.maintenance(asset) for part in parts), RATE_UNIT - max(rates))
        asked = [
            rate + max(need, sum(part.initial(asset, rate) for part in parts)) for rate in initials
        ]
        new_rates = np.array(rates) + need
        new_initials = np.minimum(asked, RATE_UNIT)
        tables = self._tables
        if np.array_equal(tables.rate[asset], new_rates) and np.array_equal(
            tables.initial[asset], new_initials
        ):
            return False
        tables.rate[asset], tables.initial[asset] = new_rates, new_initials
        for row in tables.portfolio[asset : asset + 1]:
            row[ADDITION] = self._grid[asset, ADDITION] + need
            row[INITIAL_ADDITION] = self._grid[asset, INITIAL_ADDITION] + asked[0] - initials[0]
        return True
