"""The trading floor of impact books: prices are a law of the flow, and flow has owners."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from stresslab.core.columns import IOC, MARKET, Fills, Orders, make_fills
from stresslab.core.compiled import kernel
from stresslab.core.events import CAUSE_ID
from stresslab.liquidation.floor import TAG_CAUSES, Clearing, Moves
from stresslab.liquidation.forced import Charges, ForcedOrders, charge_orders, settle_forced
from stresslab.margin.batch_clearing import match_together
from stresslab.margin.clearing import TRADED, match_in_impact_books
from stresslab.margin.posting import settle_external
from stresslab.market.impact_book import (
    ImpactBooks,
    decay,
    execute_in_room,
    impact_depth,
    lots_worth,
    price_now,
    price_ticks,
    submit_impact,
)

_FORGOTTEN_LOTS = 1e-9
#: Nothing rests in an impact book, so quotes are orders like any other.
_CAUSES = tuple(CAUSE_ID["voluntary"] if c == CAUSE_ID["quotes"] else c for c in TAG_CAUSES)


@dataclass
class ImpactFloor:
    """Impact books of all assets; a step's orders fill in turn or together.

    ``owners`` holds, by asset and cause, the flow that each cause still has in the price; when
    resilience forgets flow, the move goes back to those whose flow it was.
    """

    clearing: Clearing
    books: ImpactBooks
    together: bool = False  # whether the orders of a step fill at one price
    fills: Fills = field(init=False)
    volume: np.ndarray = field(init=False)
    counts: np.ndarray = field(init=False)
    owners: list[dict[int, float]] = field(init=False)

    def __post_init__(self) -> None:
        n_assets, n_accounts = self.clearing.accounts.position.shape
        self.fills = make_fills(8 * n_accounts + 65_536)
        self.volume = np.zeros(n_assets, np.int64)
        self.counts = np.zeros(4, np.int64)
        self.owners = [{} for _ in range(n_assets)]
        self._resting = np.zeros((n_assets, n_accounts), np.int64)

    def open_step(self, index: np.ndarray, seconds: float) -> Moves:
        """Let the index move the price, then let resilience forget flow."""
        self.volume[:] = 0
        if self.books.resilience[0] == 0.0 and np.array_equal(self.books.index, index):
            return []
        before = self.prices()
        self.books.index[:] = index
        shifted = self.prices()
        moves = [
            (int(a), CAUSE_ID["index"], float(shifted[a] - before[a]))
            for a in np.flatnonzero(shifted != before)
        ]
        if self.books.resilience[0] == 0.0:
            return moves
        flow = self.books.flow.copy()
        decay(self.books, seconds)
        after = self.prices()
        for a in np.flatnonzero(after != shifted).tolist():
            moves += self._give_back(a, float(after[a] - shifted[a]), float(flow[a]))
        return moves

    def _give_back(self, asset: int, ticks: float, flow: float) -> Moves:
        kept = float(self.books.flow[asset]) / flow
        owners = self.owners[asset]
        moves = [(asset, cause, ticks * lots / flow) for cause, lots in owners.items()]
        self.owners[asset] = {
            cause: lots * kept for cause, lots in owners.items() if abs(lots) > _FORGOTTEN_LOTS
        }
        rest = ticks - math.fsum(move[2] for move in moves)
        return [*moves, (asset, CAUSE_ID["resilience"], rest)]

    def own(self, assets: np.ndarray, causes: np.ndarray, lots: np.ndarray) -> None:
        """Note that signed lots of the flow belong to causes, one asset, cause and lots a row."""
        for asset, cause, part in zip(assets.tolist(), causes.tolist(), lots.tolist(), strict=True):
            owners = self.owners[asset]
            owners[cause] = owners.get(cause, 0.0) + part

    def prices(self) -> np.ndarray:
        """Return the price of each asset in ticks, not rounded, shape ``(n_assets,)``."""
        prices = np.empty(self.books.flow.size)
        _prices(self.books, prices)
        return prices

    def last_trades(self) -> np.ndarray:
        """Return the price that the next lot would trade at, in ticks, ``(n_assets,)``."""
        return np.rint(self.prices()).astype(np.int64)

    def impact_prices(self, asset: int, notional: float) -> tuple[float | None, float | None]:
        """Return what selling and buying a notional (ticks times lots) would average, in ticks.

        None where a whole market sold does not bring in as much.
        """
        sides = (lots_worth(self.books, asset, notional, side) for side in (-1, 1))
        bid, ask = (notional / lots if lots > 0 else None for lots in sides)
        return bid, ask

    def match(self, orders: Orders, sequence: np.ndarray, marks: np.ndarray) -> Moves:
        """Send voluntary orders to the books in the given sequence."""
        self.fills.n[0] = 0
        before, start = self.prices(), self.books.flow.copy()
        flow = np.zeros((len(TAG_CAUSES), marks.size), np.int64)
        c = self.clearing
        common = (
            self.books, c.accounts, c.house, c.journal, c.tables, c.costs, marks, orders, sequence,
            self.fills,
        )  # fmt: skip
        if self.together:
            pending, net = np.zeros((2, *self._resting.shape), np.int64), np.zeros_like(marks)
            taken = np.zeros(int(orders.n[0]), np.int64)
            match_together(*common, *pending, taken, net, self.counts, self.volume, flow)
        else:
            match_in_impact_books(*common, self._resting, self.counts, self.volume, flow)
        return self._moves_of(flow, before, start)

    def _moves_of(self, flow: np.ndarray, before: np.ndarray, start: np.ndarray) -> Moves:
        """Charge a batch's moves to the causes of its orders' tags, in the order of the tags.

        ``flow`` (tags, A) are the signed lots of each tag; ``before`` and ``start`` are price and
        flow before the batch. The move depends on the flow alone, so the order of orders does not
        matter.
        """
        after, end, moves = self.prices(), self.books.flow.copy(), []
        for tag in np.flatnonzero(flow.any(axis=1)).tolist() or [0]:
            moved = np.flatnonzero(flow[tag])
            self.own(moved, np.full_like(moved, _CAUSES[tag]), flow[tag, moved])
            start = start + flow[tag]
            self.books.flow[:] = start
            reached = self.prices() if flow[tag + 1 :].any() else after
            moves += [
                (int(a), _CAUSES[tag], float(reached[a] - before[a]))
                for a in np.flatnonzero(reached - before)
            ]
            before = reached
        self.books.flow[:] = end
        return moves

    def force(
        self, orders: ForcedOrders, sequence: np.ndarray, charges: Charges, marks: np.ndarray
    ) -> np.ndarray:
        """Fill a round's forced orders together by asset; return each price move in ticks."""
        before = self.prices()
        self._fill(orders, sequence, charges, marks)
        n = int(orders.n[0])
        np.add.at(self.volume, orders.asset[:n], np.abs(orders.filled[:n]))
        self.counts[TRADED] += np.count_nonzero(orders.filled[:n])
        return self.prices() - before

    def slip(
        self, orders: ForcedOrders, sequence: np.ndarray, charges: Charges, marks: np.ndarray
    ) -> np.ndarray:
        """Fill at the price that the law asks, then undo what the flow did to it."""
        flow = self.books.flow.copy()
        self._fill(orders, sequence, charges, marks)
        self.books.flow[:] = flow
        return np.zeros(marks.size)

    def _fill(
        self, orders: ForcedOrders, sequence: np.ndarray, charges: Charges, marks: np.ndarray
    ) -> None:
        c, room = self.clearing, np.empty((3, sequence.size), np.int64)
        _fill_by_asset(
            self.books, c.accounts, c.house, c.journal, c.tables, charges, marks, orders, sequence,
            *room, self.fills,
        )  # fmt: skip

    def withdraw(self, pools: np.ndarray) -> None:
        """Do nothing: no order rests in an impact book."""

    def quotes(self, bids: np.ndarray, asks: np.ndarray) -> None:
        """Write the price of every asset as both best quotes."""
        _quotes(self.books, bids)
        asks[:] = bids

    def totals(self) -> tuple[int, ...]:
        """Return fills, order requests, refused orders and cancelled orders so far."""
        requested, refused, cancelled, traded = (int(count) for count in self.counts)
        return traded, requested, refused, cancelled

    def depths(self, marks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the lots that move the price by 1 % of the mark, each ``(n_assets,)``."""
        sellable, buyable = np.zeros_like(marks), np.zeros_like(marks)
        _depths(self.books, marks, sellable, buyable)
        return sellable, buyable


@kernel
def _prices(books, prices):
    for a in range(prices.size):
        prices[a] = price_now(books, a)


@kernel
def _quotes(books, quotes):
    for a in range(quotes.size):
        quotes[a] = price_ticks(books, a)


@kernel
def _depths(books, marks, sellable, buyable):
    for a in range(marks.size):
        reach = max(1, marks[a] // 100)
        sellable[a], buyable[a] = impact_depth(books, a, marks[a] - reach, marks[a] + reach)


@kernel
def _fill_by_asset(
    books, accounts, house, journal, tables, charges, marks, orders, sequence, rows, lots, cash,
    fills,
):  # fmt: skip
    """Fill the orders of each asset together, or in turn where any of them has a limit."""
    for a in range(marks.size):
        n, has_limit = 0, False
        for row in sequence:
            if orders.asset[row] == a:
                rows[n], lots[n] = row, orders.lots[row]
                has_limit = has_limit or orders.limit[row] != 0
                n += 1
        if has_limit:
            fills.n[0] = 0
            _settle_in_turn(books, accounts, house, journal, tables, orders, rows[:n], a, fills)
        elif n > 0:
            execute_in_room(books, a, lots[:n], tables.unit_value[a], cash[:n])
            _settle_together(accounts, house, journal, orders, rows[:n], a, lots, cash)
    charge_orders(accounts, house, journal, tables, charges, marks, orders, sequence)


@kernel
def _settle_together(accounts, house, journal, orders, rows, asset, lots, cash):
    for place in range(rows.size):
        settle_forced(accounts, house, journal, orders, rows[place], lots[place], cash[place])
        settle_external(house, asset, -lots[place], -cash[place])


@kernel
def _settle_in_turn(books, accounts, house, journal, tables, orders, rows, asset, fills):
    """Fill orders with limits one after another, each as far as its own limit allows."""
    for row in rows:
        n, limit, first = orders.account[row], orders.limit[row], fills.n[0]
        kind = MARKET if limit == 0 else IOC
        lots = submit_impact(
            books, asset, n, kind, orders.lots[row], limit, tables.unit_value[asset], fills
        )
        if lots != 0:
            settle_forced(accounts, house, journal, orders, row, lots, fills.cash[first])
            settle_external(house, asset, -lots, -fills.cash[first])
