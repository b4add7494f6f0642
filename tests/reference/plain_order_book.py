"""A price-time priority book in plain lists, written from the rules of matching alone.

Trades are at the maker's price. Market and IOC remainders vanish. Lowering an order keeps its
place. Cancelling what is gone is ignored. A post-only order that would trade is refused. A trader
who meets his own order withdraws it. Owner -1 is nobody's own.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Order:
    name: int
    owner: int
    side: int
    lots: int
    price: int


class PlainOrderBook:
    def __init__(self) -> None:
        self.resting: list[Order] = []  # oldest first
        self.trades: list[tuple[int, int, int, int]] = []  # maker name, taker name, price, lots

    def submit(self, name, owner, side, lots, price=None, rests=True, post_only=False):
        """Send an order; price None is a market order. Return the lots filled."""
        opposite = self.queue(-side)
        if post_only and opposite and self._agree(side, price, opposite[0].price):
            return 0
        left = lots
        for maker in opposite:
            if left == 0 or not self._agree(side, price, maker.price):
                break
            if maker.owner == owner and owner >= 0:
                self.resting.remove(maker)
                continue
            amount = min(left, maker.lots)
            self.trades.append((maker.name, name, maker.price, amount))
            maker.lots -= amount
            left -= amount
            if maker.lots == 0:
                self.resting.remove(maker)
        if left and rests and price is not None:
            self.resting.append(Order(name, owner, side, left, price))
        return lots - left

    def cancel(self, name):
        self.resting = [order for order in self.resting if order.name != name]

    def cancel_all(self, owner, side):
        self.resting = [o for o in self.resting if o.owner != owner or side not in (0, o.side)]

    def reduce(self, name, lots):
        for order in self.resting:
            if order.name == name:
                order.lots = max(order.lots - lots, 0)
        self.resting = [order for order in self.resting if order.lots > 0]

    def queue(self, side):
        """Return one side, best price first, oldest first (sorting keeps age)."""
        return sorted((o for o in self.resting if o.side == side), key=lambda o: -side * o.price)

    @staticmethod
    def _agree(side, limit, offered):
        return limit is None or (offered <= limit if side > 0 else offered >= limit)
