"""Initial and maintenance margin, liquidation and bankruptcy price, and what is closed how."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from stresslab.calculator.account import Holdings
from stresslab.calculator.bench import MICRO, Bench, Leg, mode_of
from stresslab.calculator.breach import first_breach, found_breach
from stresslab.calculator.displayed import Shown, shown_price
from stresslab.calculator.grid import Grid, grid_for
from stresslab.calculator.inputs import MODES, SIDES, legs_of, number, positive, require
from stresslab.calculator.steps import ClosingStep, closing_steps
from stresslab.core.errors import ConfigError
from stresslab.core.rational import Number, exact
from stresslab.experiment.venues import read_pack
from stresslab.margin.bankruptcy import bankruptcy_price_of_margin
from stresslab.margin.leverage_table import leverage_table
from stresslab.margin.liquidation_price import TabledLeg, linear_in_tables
from stresslab.margin.rules import Bracket
from stresslab.margin.tiers import RATE_UNIT, initial_margins, rate_units
from stresslab.scenario import VENUES


@dataclass(frozen=True)
class MarginCheck:
    """Margin of a position; money and prices in USD, ``None`` where no price liquidates.

    ``liquidation_price`` is the first tick at which the engine finds the pool in breach;
    ``displayed_liquidation_price`` is what the venue's own formula shows.
    """

    venue: str
    asset: str
    side: str
    mode: str
    quantity: float
    entry: float
    mark: float
    tick: float
    leverage: float
    notional: float
    initial_margin: float
    maintenance_margin: float  # of the whole pool
    equity: float  # of the pool
    is_in_breach: bool
    liquidation_price: float | None
    displayed_liquidation_price: float | None
    bankruptcy_price: float | None
    steps: tuple[ClosingStep, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return dataclasses.asdict(self)


def check_margin(
    venue: str,
    side: str,
    quantity: Number | str,
    entry: Number | str,
    leverage: Number | str,
    *,
    mark: Number | str | None = None,
    asset: str = "BTC",
    mode: str = "isolated",
    wallet: Number | str | None = None,
    others: Holdings | None = None,
    tick: Number | str | None = None,
    with_steps: bool = True,
) -> MarginCheck:
    """Return margins, prices and steps of liquidation of a position on a venue.

    Parameters
    ----------
    venue : name of a pack, as in ``scenario.venue``
    side : ``long`` or ``short``
    quantity, entry, mark : base units, USD, USD; the mark is the entry unless given
    leverage : what the trader chose; it sets the initial margin
    asset : whose leverage table holds; others get the venue's default table
    mode : ``isolated`` or ``cross``
    wallet : USD, without profit not realised: the margin set aside when isolated, the wallet when
        cross; the initial margin unless given
    others : the rest of a cross account
    tick : price step in USD; six digits of the price or more unless given
    with_steps : whether the engine is run for the steps of liquidation

    Raises
    ------
    ConfigError
        When the venue is unknown or does not allow the position.
    """
    require("venue", venue, VENUES)
    require("side", side, tuple(SIDES))
    require("mode", mode, MODES)
    legs = legs_of(SIDES[side], quantity, entry, mark, asset, others, mode)
    grids = [grid_for((leg.entry, leg.mark), (leg.quantity,)) for leg in legs]
    if tick is not None:
        grids[0] = grid_for((legs[0].mark,), (legs[0].quantity,), positive("tick", tick))
    checked = _Checked(venue, legs, grids, mode, positive("leverage", leverage), wallet, others)
    return checked.made(with_steps)


class _Checked:
    """The numbers of one check, each by the function that the engine or the venue uses."""

    def __init__(
        self, venue: str, legs: Sequence[Leg], grids: Sequence[Grid], mode: str,
        leverage: Fraction, wallet: Number | str | None, others: Holdings | None,
    ) -> None:  # fmt: skip
        self.venue, self.mode, self.leverage = venue, mode, leverage
        self.leg, self.grid = legs[0], grids[0]
        money = others.wallet_usd if wallet is None and others is not None else wallet
        self.bench = Bench(venue, legs, grids, mode)
        self.initial = self._initial_margin()
        self.money = self.initial if money is None else number("wallet", money)
        self.bench.give(self.money)
        self.brackets = self.bench.scenario.margin.brackets[self.leg.asset]
        self.table = leverage_table(
            [(exact(row.floor_usd), Fraction(rate_units(row.maintenance_rate), RATE_UNIT))
             for row in self.brackets]
        )  # fmt: skip

    @property
    def is_by_scenarios(self) -> bool:
        """Whether a grid margins the pool: then no bracket tells the price."""
        return self.mode == "cross" and self.bench.scenario.margin.portfolio is not None

    def made(self, with_steps: bool) -> MarginCheck:
        equity, need = self.bench.state()
        price = self._price()
        if self.is_by_scenarios:
            ticks = found_breach(self.bench, self.leg.side)
        else:
            ticks = first_breach(self._price(self._last), self.leg.side, self.grid.tick)
        bankrupt = bankruptcy_price_of_margin(
            self.leg.side, self.leg.quantity, self.leg.mark, Fraction(equity, MICRO)
        )
        shown = shown_price(_pack(self.venue)["displayed_price"], self._shown(price))
        steps = closing_steps(self.bench, ticks) if with_steps and ticks is not None else ()
        return MarginCheck(
            venue=self.venue,
            asset=self.leg.asset,
            side="long" if self.leg.side > 0 else "short",
            mode=self.mode,
            quantity=float(self.leg.quantity),
            entry=float(self.leg.entry),
            mark=float(self.leg.mark),
            tick=float(self.grid.tick),
            leverage=float(self.leverage),
            notional=float(self.leg.quantity * self.leg.mark),
            initial_margin=float(self.initial),
            maintenance_margin=need / MICRO,
            equity=equity / MICRO,
            is_in_breach=equity - self._last < need,
            liquidation_price=None if ticks is None else float(ticks * self.grid.tick),
            displayed_liquidation_price=float(shown) if shown > 0 else None,
            bankruptcy_price=float(bankrupt) if bankrupt > 0 else None,
            steps=steps,
        )

    def _initial_margin(self) -> Fraction:
        """Return the larger of the venue's initial margin and of value over leverage, in USD."""
        value = self.leg.quantity * self.leg.entry
        notional = np.array([math.ceil(value * MICRO)], np.int64)
        asked = initial_margins(self.bench.clearing.tables, 0, notional, mode_of(self.mode))[0]
        if self.is_by_scenarios:
            asked = max(1, self.bench.added_by_scenarios())
        most = value * MICRO / int(asked)
        if self.leverage > most + Fraction(1, 1000):
            raise ConfigError(
                f"leverage: {float(self.leverage):g} is outside [1, {float(most):.4g}] x on "
                f"{self.venue} for {self.leg.asset} of {float(value):,.2f} USD"
            )
        return max(
            Fraction(int(asked), MICRO), Fraction(math.ceil(value / self.leverage * MICRO), MICRO)
        )

    @property
    def _last(self) -> int:
        """The last micro-USD, without which a pool at exactly its maintenance margin falls."""
        return int(self.bench.scenario.margin.breach_at_equality)

    def _price(self, less: int = 0) -> Number:
        """Return where equity meets maintenance margin, exactly; 0 or below if nowhere.

        With ``less`` micro-USD of equity than there are.
        """
        if self.is_by_scenarios:
            ticks = found_breach(self.bench, self.leg.side)
            return Fraction(0) if ticks is None else ticks * self.grid.tick
        equity, need = self.bench.state_without()
        leg = TabledLeg(self.leg.side, self.leg.quantity, Fraction(0), self.table)
        return linear_in_tables(Fraction(equity - need - less, MICRO), [leg])

    def _shown(self, price: Number) -> Shown:
        equity, _ = self.bench.state()
        _, others = self.bench.state_without()
        notional = self.leg.quantity * self.leg.mark
        row = _bracket(self.brackets, notional)
        return Shown(
            side=self.leg.side,
            quantity=self.leg.quantity,
            entry=self.leg.entry,
            mark=self.leg.mark,
            leverage=self.leverage,
            margin=self.money,
            equity=Fraction(equity, MICRO),
            other_maintenance=Fraction(others, MICRO),
            table=self.table,
            max_leverage=exact(row.max_leverage),
            taker_fee=exact(self.bench.scenario.market.fees.taker_rate),
            tick=self.grid.tick,
            is_isolated=self.mode == "isolated",
            exact=price,
        )


def _bracket(rows: Sequence[Bracket], notional: Fraction) -> Bracket:
    return [row for row in rows if row.floor_usd < notional][-1]


def _pack(venue: str) -> dict[str, Any]:
    found: dict[str, Any] = read_pack(venue).value
    return found
