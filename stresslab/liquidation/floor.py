"""The trading floor of an order book venue: voluntary batches and forced rounds."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from stresslab.core.columns import IOC, MARKET, Accounts, Fills, Orders, make_fills
from stresslab.core.compiled import kernel
from stresslab.core.events import CAUSE_ID
from stresslab.core.ledger import House, Journal
from stresslab.liquidation.forced import Charges, ForcedOrders, charge_orders, settle_forced
from stresslab.margin.clearing import (
    CANCELLED,
    TRADED,
    book_price_after,
    match_in_limit_order_books,
    twice_book_price,
)
from stresslab.margin.posting import Costs, settle_external, settle_side
from stresslab.margin.tiers import MarginTables
from stresslab.market.funding_premium import impact_price
from stresslab.market.limit_order_book import (
    LimitOrderBooks,
    best_ask,
    best_bid,
    cancel_all,
    depth,
    levels_worth,
    submit,
    walk,
)

#: (asset, cause, ticks): one move of a book price and who made it.
Moves = list[tuple[int, int, float]]
#: What each tag of an order is the cause of, in the order of the tags.
TAG_CAUSES = (CAUSE_ID["voluntary"], CAUSE_ID["quotes"], CAUSE_ID["stop"])


@dataclass
class Clearing:
    """The venue's columns that every fill is posted to."""

    accounts: Accounts
    house: House
    journal: Journal
    tables: MarginTables
    costs: Costs


@dataclass
class LimitOrderFloor:
    """Order books of all assets; depth is what the agents offer.

    ``twice_price`` (A,) is twice the book price in ticks: the mid, or the last trade.
    """

    clearing: Clearing
    books: LimitOrderBooks
    twice_price: np.ndarray
    use_last: bool
    fills: Fills = field(init=False)
    volume: np.ndarray = field(init=False)
    counts: np.ndarray = field(init=False)
    last: np.ndarray = field(init=False)  # (A,) price of the last trade in ticks

    def __post_init__(self) -> None:
        n_assets, n_accounts = self.clearing.accounts.position.shape
        self.fills = make_fills(64 * n_accounts + 65_536)
        self.volume = np.zeros(n_assets, np.int64)
        self.last = self.twice_price // 2
        self.counts = np.zeros(4, np.int64)
        self._moves = np.zeros((3, n_assets), np.int64)

    def open_step(self, index: np.ndarray, seconds: float) -> Moves:
        """Start a step; resting orders do not move by themselves."""
        self.volume[:] = 0
        return []

    def prices(self) -> np.ndarray:
        """Return the book price of each asset in ticks, shape ``(n_assets,)``."""
        return self.twice_price / 2.0

    def last_trades(self) -> np.ndarray:
        """Return the price of each asset's last trade in ticks, shape ``(n_assets,)``."""
        return self.last

    def impact_prices(self, asset: int, notional: float) -> tuple[float | None, float | None]:
        """Return what selling and buying a notional (ticks times lots) would average, in ticks.

        None for a side without the depth.
        """
        bids, asks = (self._levels(asset, side, notional) for side in (-1, 1))
        return impact_price(bids, notional, is_bid=True), impact_price(asks, notional, is_bid=False)

    def _levels(self, asset: int, side: int, notional: float) -> list[tuple[int, int]]:
        room = 64
        while True:
            prices, lots = np.empty((2, room), np.int64)
            found = levels_worth(self.books, asset, side, notional, prices, lots)
            if found < room:
                return list(zip(prices[:found].tolist(), lots[:found].tolist(), strict=True))
            room *= 8

    def match(self, orders: Orders, sequence: np.ndarray, marks: np.ndarray) -> Moves:
        """Send voluntary orders through the books in the given sequence."""
        self.fills.n[0] = 0
        self._moves[:] = 0
        c = self.clearing
        match_in_limit_order_books(
            self.books, c.accounts, c.house, c.journal, c.tables, c.costs, marks, orders, sequence,
            self.fills, self.use_last, self.twice_price, self._moves, self.volume, self.counts,
        )  # fmt: skip
        _note_last_trades(self.fills, c.tables.unit_value, self.last)
        tags, assets = np.nonzero(self._moves)
        twice = self._moves[tags, assets]
        return [
            (asset, TAG_CAUSES[tag], ticks / 2.0)
            for tag, asset, ticks in zip(
                tags.tolist(), assets.tolist(), twice.tolist(), strict=True
            )
        ]

    def force(
        self, orders: ForcedOrders, sequence: np.ndarray, charges: Charges, marks: np.ndarray
    ) -> np.ndarray:
        """Let a round's forced orders walk the books; return each asset's price move in ticks."""
        before = self.twice_price.copy()
        self.fills.n[0] = 0
        c = self.clearing
        _force(
            self.books, c.accounts, c.house, c.journal, c.tables, c.costs, charges, marks, orders,
            sequence, self.fills, self.use_last, self.twice_price, self.volume, self.counts,
        )  # fmt: skip
        _note_last_trades(self.fills, c.tables.unit_value, self.last)
        return (self.twice_price - before) / 2.0

    def slip(
        self, orders: ForcedOrders, sequence: np.ndarray, charges: Charges, marks: np.ndarray
    ) -> np.ndarray:
        """Fill against external at the price the books ask, leaving them untouched."""
        c = self.clearing
        ahead = np.zeros((2, marks.size), np.int64)
        _slip(
            self.books, c.accounts, c.house, c.journal, c.tables, charges, marks, orders, sequence,
            ahead,
        )  # fmt: skip
        return np.zeros(marks.size)

    def own(self, assets: np.ndarray, causes: np.ndarray, lots: np.ndarray) -> None:
        """Do nothing: a displaced order book keeps no memory of who displaced it."""

    def withdraw(self, pools: np.ndarray) -> None:
        """Cancel the resting orders of pools: of all assets for a cross pool, else of its own."""
        n_assets, n_accounts = self.clearing.accounts.position.shape
        self.counts[CANCELLED] += _withdraw(self.books, pools, n_assets, n_accounts)

    def quotes(self, bids: np.ndarray, asks: np.ndarray) -> None:
        """Write the best quotes of every asset, -1 for an empty side."""
        _quotes(self.books, bids, asks)

    def totals(self) -> tuple[int, ...]:
        """Return fills, order requests, refused orders and cancelled orders so far."""
        requested, refused, cancelled, traded = (int(count) for count in self.counts)
        return traded, requested, refused, cancelled

    def depths(self, marks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return lots bid and offered within 1 % of the mark, each ``(n_assets,)``."""
        bids, asks = np.zeros_like(marks), np.zeros_like(marks)
        _depths(self.books, marks, bids, asks)
        return bids, asks


@kernel
def _note_last_trades(fills, unit_value, last):
    for f in range(fills.n[0]):
        a = fills.asset[f]
        last[a] = fills.cash[f] // (fills.lots[f] * unit_value[a])


@kernel
def _quotes(books, bids, asks):
    for a in range(bids.size):
        bids[a] = best_bid(books, a)
        asks[a] = best_ask(books, a)


@kernel
def _withdraw(books, pools, n_assets, n_accounts):
    cancelled = 0
    for code in pools:
        pool, n = code // n_accounts, code % n_accounts
        for a in range(n_assets):
            if pool == 0 or pool == 1 + a:
                cancelled += cancel_all(books, a, n, 0)
    return cancelled


@kernel
def _depths(books, marks, bids, asks):
    for a in range(marks.size):
        reach = max(1, marks[a] // 100)
        bids[a], asks[a] = depth(books, a, marks[a] - reach, marks[a] + reach)


@kernel
def _force(
    books, accounts, house, journal, tables, costs, charges, marks, orders, sequence, fills,
    use_last, price, volume, counts,
):  # fmt: skip
    for row in sequence:
        n, a, limit = orders.account[row], orders.asset[row], orders.limit[row]
        first = fills.n[0]
        kind = MARKET if limit == 0 else IOC
        submit(books, a, n, kind, orders.lots[row], limit, tables.unit_value[a], fills)
        lots, cash = 0, 0
        for f in range(first, fills.n[0]):
            lots += fills.lots[f]
            cash += fills.cash[f]
            settle_side(
                accounts, house, journal, tables, fills.maker[f], a, -fills.lots[f],
                -fills.cash[f], costs.maker[0], marks,
            )  # fmt: skip
        settle_forced(accounts, house, journal, orders, row, lots, cash)
        volume[a] += abs(lots)
        counts[TRADED] += fills.n[0] - first
        price[a] = book_price_after(books, tables, fills, first, a, use_last, price[a])
    if not use_last:
        for a in range(price.size):  # the quotes of closed pools may be gone from other books
            price[a] = twice_book_price(books, a, price[a])
    charge_orders(accounts, house, journal, tables, charges, marks, orders, sequence)


@kernel
def fill_at_mark(accounts, house, journal, tables, charges, marks, orders, sequence):
    """Fill forced orders in full against external at the round's mark, if their limit allows."""
    for row in sequence:
        a, lots, limit = orders.asset[row], orders.lots[row], orders.limit[row]
        if limit != 0 and (limit < marks[a] if lots > 0 else limit > marks[a]):
            continue
        cash = lots * marks[a] * tables.unit_value[a]
        settle_forced(accounts, house, journal, orders, row, lots, cash)
        settle_external(house, a, -lots, -cash)
    charge_orders(accounts, house, journal, tables, charges, marks, orders, sequence)


@kernel
def _slip(books, accounts, house, journal, tables, charges, marks, orders, sequence, ahead):
    """Walk a copy of the round: each order pays what it would behind those before it."""
    for row in sequence:
        a, wanted, limit = orders.asset[row], orders.lots[row], orders.limit[row]
        side = 0 if wanted > 0 else 1
        before = ahead[side, a]
        if limit != 0:
            bids, asks = depth(books, a, limit, limit)
            reached = asks if wanted > 0 else -bids
            wanted = within(wanted, reached - before)
        lots_before, cash_before = walk(books, a, before, tables.unit_value[a])
        lots_after, cash_after = walk(books, a, before + wanted, tables.unit_value[a])
        ahead[side, a] = before + wanted
        lots, cash = lots_after - lots_before, cash_after - cash_before
        if lots != 0:
            settle_forced(accounts, house, journal, orders, row, lots, cash)
            settle_external(house, a, -lots, -cash)
    charge_orders(accounts, house, journal, tables, charges, marks, orders, sequence)


@kernel
def within(wanted, room):
    """Return the signed lots of an order that signed ``room`` leaves, none if that is used up."""
    if wanted > 0:
        return min(wanted, max(0, room))
    return max(wanted, min(0, room))
