"""Who is asked for a deficit, in which order and for how much, as the policies say."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from stresslab.core.columns import Accounts
from stresslab.liquidation.division import Contributors, Division, Queue, Sharing
from stresslab.liquidation.payers import (
    contributors,
    count_bearable,
    list_winners,
    make_payers,
)
from stresslab.liquidation.rules import LiquidationRules
from stresslab.liquidation.winners_queue import Ranked, WinnersQueue
from stresslab.margin.tiers import MarginTables

#: Rows of accounts, and what each is asked for at most: lots or micro-USD.
Asked = tuple[np.ndarray, np.ndarray]


class Winners:
    """The winners of every market while a step is settled, at marks that stand still.

    Policies that share out ask everybody for every deficit. Policies with a queue rank everybody
    once, and then only those whom a deficit has changed.
    """

    def __init__(self, accounts: Accounts, tables: MarginTables, rules: LiquidationRules) -> None:
        self._accounts, self._tables, self._rules = accounts, tables, rules
        self.payers = make_payers(accounts.cash.size)
        self.by_id = np.argsort(accounts.id, kind="stable")
        self._place = np.argsort(self.by_id)
        self.begin()

    def begin(self) -> None:
        """Forget how winners ranked: positions or prices may be others."""
        self._changed: list[int] = []
        self._queues: dict[tuple[int, int], WinnersQueue] = {}

    def have_changed(self, rows: list[int]) -> None:
        """Take note of accounts whose pools hold something else than before."""
        self._changed.extend(rows)

    def of_lots(self, n: int, a: int, marks: np.ndarray, owed: int) -> Iterator[Asked]:
        """Yield who is asked to take over the leg of an account, until it is taken or nobody left.

        ``owed`` is what all its lots lose. Who cannot bear it is passed over by the transfer.
        """
        held = int(self._accounts.position[a, n])
        side, policy = (-1 if held > 0 else 1), self._rules.position_adl
        if owed > 0 and _asks_in_turn(policy):
            walk = self._queue(policy, a, side, marks).walk(n)
            while (left := abs(int(self._accounts.position[a, n]))) > 0:
                rows, most = _first(walk, left)
                if rows.size == 0:
                    return
                yield rows, most
            return
        count = self._list(a, side, marks, n, self.by_id)
        count_bearable(self.payers, count, abs(held), owed)
        bearable = self.payers.bearable[:count].copy()
        winners = self._contributors(a, marks, np.abs(self.payers.held[:count]), bearable)
        yield self._divided(policy.divide(abs(held), winners))

    def of_profit(self, n: int, a: int, marks: np.ndarray, owed: int) -> Asked:
        """Return who is asked for how much of the profit made in a market, micro-USD."""
        policy = self._rules.profit_haircut
        if _asks_in_turn(policy):
            return _first(self._queue(policy, a, 0, marks).walk(n), owed)
        count = self._list(a, 0, marks, n, self.by_id)
        most = self._most(count, 0)
        return self._divided(policy.divide(owed, self._contributors(a, marks, most, most)))

    def _divided(self, division: Division) -> Asked:
        return self.payers.row[division.place], division.most

    def _queue(self, policy: Queue, a: int, side: int, marks: np.ndarray) -> WinnersQueue:
        def rank(rows: np.ndarray) -> Ranked:
            count = self._list(a, side, marks, -1, rows)
            most = self._most(count, side)
            score = policy.score(self._contributors(a, marks, most, most))
            can_lose = (most > 0) & (self.payers.equity[:count] >= 0)
            columns = self.payers.row[:count], score, most
            return Ranked(*(column[can_lose] for column in columns))

        if (a, side) not in self._queues:
            self._queues[a, side] = WinnersQueue(self._place, self.by_id, self._changed, rank)
        return self._queues[a, side]

    def _list(self, a: int, side: int, marks: np.ndarray, exclude: int, rows: np.ndarray) -> int:
        """Write those of some rows who hold a side (0: are in profit); return how many."""
        return int(
            list_winners(self._accounts, self._tables, marks, a, side, exclude, rows, self.payers)
        )

    def _most(self, count: int, side: int) -> np.ndarray:
        """Return what each listed winner has to give: lots of a side, or its profit (0)."""
        p = self.payers
        if side != 0:
            return np.abs(p.held[:count])
        return np.minimum(p.profit[:count], np.maximum(p.equity[:count], 0))

    def _contributors(
        self, a: int, marks: np.ndarray, most: np.ndarray, bearable: np.ndarray
    ) -> Contributors:
        lot_value = int(marks[a]) * int(self._tables.unit_value[a])
        return contributors(self.payers, most.size, lot_value, most, bearable)


def _asks_in_turn(policy: Queue | Sharing) -> bool:
    """Tell whether a policy does no more than rank."""
    return type(policy).divide is Queue.divide


def _first(walk: Iterator[tuple[int, int]], amount: int) -> Asked:
    """Return the next in rank who together have at least an amount to give."""
    rows, most = [], []
    for row, has in walk:
        rows.append(row)
        most.append(has)
        amount -= has
        if amount <= 0:
            break
    return np.array(rows, np.int64), np.array(most, np.int64)
