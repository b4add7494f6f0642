"""A slow market for passive traders: the rules of DESIGN 4, 6 and 8 written out pool by pool.

Nothing here is shared with the package but the draw that orders a round. Plain loops, whole
micro-USD, fractions; floats only where the law of the book has them (exponential). Traders hold
what the config writes; prices move by shocks and by forced orders.

Where the rules leave a choice, this is what was chosen: cross pools come before silos, each by id.
Fees, penalties and requirements round up, prices and cash to the nearest, halves to even. A deficit
is the doing of the leg that had lost most at the first breach; pools are settled by account; the
bankrupt account's other pools neither win nor pay. Moves of the book that are too small to show in
the mark wait, under their causes' names, until it moves.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from stresslab.core.random import Streams, uniform
from tests.reference.slow_pools import Pool, Spell, contracts_of, exact, pools_of, whole
from tests.reference.slow_waterfall import Settlement

LOG_ONE_PERCENT = 0.009950330853168083
INDEX, ROUNDING = ("index", None), ("rounding", None)


@dataclass
class Order:
    """One forced order of one pool in one round."""

    pool: Pool
    spell: Spell
    asset: int
    round: int
    step: int
    mark: int
    lots: int
    cash: int = 0
    fee: int = 0
    penalty: int = 0


@dataclass
class Slow:
    """A run of the slow market; ``run`` fills the lists that the tests compare."""

    plain: dict[str, Any]
    seed: int = 1
    spells: list[Spell] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    path: list[tuple[int, int, int, int, int]] = field(default_factory=list)
    totals: list[tuple[int, int, int, int]] = field(default_factory=list)
    fees: int = 0

    def __post_init__(self) -> None:
        self.contracts = contracts_of(self.plain)
        self.pools = pools_of(self.plain, self.contracts)
        rules = self.plain["liquidation"]
        self.feedback = rules.get("feedback", "market")
        self.target = exact(rules.get("liquidation_target", 0.9))
        self.settlement = Settlement(
            self.contracts,
            self.pools,
            int(exact(rules["insurance_fund_usd"]) * 1_000_000),
            rules.get("adl", True),
        )
        self.index = [contract.initial_ticks for contract in self.contracts]
        self.marks = list(self.index)
        self.flow = [Fraction(0) for _ in self.contracts]
        self.owners: list[dict[tuple, Fraction]] = [{} for _ in self.contracts]
        self.waiting: list[dict[tuple, Fraction]] = [{} for _ in self.contracts]
        self._judge(0, 0)

    # -- the step ---------------------------------------------------------------------------

    def run(self) -> Slow:
        """Play all steps."""
        plain = self.plain
        for step in range(1, round(plain["duration_seconds"] / plain["step_seconds"]) + 1):
            self._move_index(step)
            lowest, n_rounds = list(self.marks), 0
            breached = self._judge(step, 0)
            while breached and n_rounds < plain["liquidation"].get("rounds_per_step", 50):
                n_rounds += 1
                self._play_round(step, n_rounds, breached)
                lowest = [min(pair) for pair in zip(lowest, self.marks, strict=True)]
                breached = self._judge(step, n_rounds)
            self._settle(step)
            for asset, index in enumerate(self.index):
                self.path.append((step, asset, index, self.marks[asset], lowest[asset]))
            self.totals.append((step, self.settlement.fund, self.fees, n_rounds))
        return self

    def _move_index(self, step: int) -> None:
        """Move the index by the shocks, let the flow decay, and mark."""
        half_life = self.plain["market"]["book"]["law"].get("resilience_half_life_seconds")
        seconds = self.plain["step_seconds"]
        keep = Fraction(1) if half_life is None else Fraction(0.5 ** (seconds / half_life))
        for asset, contract in enumerate(self.contracts):
            before = self._price(asset, self.flow[asset])
            self.index[asset] = nearest(contract.initial_ticks * self._shocked(contract.name, step))
            moved = self._price(asset, self.flow[asset])
            decayed = self._price(asset, self.flow[asset] * keep)
            phi = {INDEX: Fraction(moved) - Fraction(before)}
            for owner, lots in self.owners[asset].items():
                back = Fraction(decayed) - Fraction(moved)
                phi[owner] = back * lots / self.flow[asset] if self.flow[asset] else Fraction(0)
                self.owners[asset][owner] = lots * keep
            self.flow[asset] *= keep
            self._mark(asset, phi)

    def _shocked(self, name: str, step: int) -> Fraction:
        """Return the index over its initial value: every shock is a ramp that stays."""
        level = Fraction(1)
        for shock in self.plain["market"]["shocks"].values():
            if name in shock["assets"]:
                seconds = self.plain["step_seconds"]
                first = math.ceil(exact(shock["at_seconds"]) / exact(seconds))
                steps = max(1, round(shock.get("over_seconds", 0.0) / seconds))
                done = min(max(step - first + 1, 0), steps)
                level *= 1 - exact(shock["fall"]) * Fraction(done, steps)
        return level

    # -- prices -----------------------------------------------------------------------------

    def _price(self, asset: int, flow: Fraction) -> Fraction | float:
        """Return index · exp(f(flow / depth)) in ticks, before rounding."""
        x = flow / self.contracts[asset].depth_lots
        if self._law == "exponential":
            return max(self.index[asset] * math.exp(LOG_ONE_PERCENT * float(x)), 1.0)
        return max(self.index[asset] * (1 + x / 100), Fraction(1))

    @property
    def _law(self) -> str:
        return self.plain["market"]["book"]["law"]["kind"]

    def _cash(self, asset: int, net: int) -> int:
        """Return what a round's net flow pays: along the path, or at the price half way.

        The path is paid as the difference of two whole sums since no flow, so that splitting an
        order changes nothing.
        """
        flow, unit = self.flow[asset], self.contracts[asset].unit
        if self._fill == "integral":
            return self._paid_since_no_flow(asset, flow + net) - self._paid_since_no_flow(
                asset, flow
            )
        return round(Fraction(self._price(asset, flow + Fraction(net, 2))) * net * unit)

    def _paid_since_no_flow(self, asset: int, flow: Fraction) -> int:
        contract, x = self.contracts[asset], flow / self.contracts[asset].depth_lots
        mean: Fraction | float = 1 + x / 200
        if self._law == "exponential":
            rise = LOG_ONE_PERCENT * float(x)
            mean = math.expm1(rise) / rise if rise else 1.0
        return round(Fraction(mean) * self.index[asset] * flow * contract.unit)

    @property
    def _fill(self) -> str:
        return self.plain["market"]["book"].get("fill_price", "integral")

    def _mark(self, asset: int, phi: dict[tuple, Fraction]) -> None:
        """Set the mark and charge every holder what each cause ate of its pool."""
        before = self.marks[asset]
        if self.plain["market"]["mark"]["rule"] == "index":
            after, phi = self.index[asset], {INDEX: Fraction(self.index[asset] - before)}
        else:
            after = nearest(self._price(asset, self.flow[asset]))
        waiting = self.waiting[asset]  # moves that were too small to show in a whole tick
        for cause, ticks in phi.items():
            waiting[cause] = waiting.get(cause, Fraction(0)) + ticks
        if after == before:
            return
        self.marks[asset], self.waiting[asset] = after, {}
        phi = {**waiting, ROUNDING: after - before - sum(waiting.values())}
        for pool in self.pools:
            self._charge_move(pool, asset, before, after, phi)

    def _charge_move(
        self, pool: Pool, asset: int, before: int, after: int, phi: dict[tuple, Fraction]
    ) -> None:
        """Charge the movers for the position last judged, whoever changed it for the difference."""
        judged = pool.judged_lots.get(asset, 0)
        if not judged and not pool.lots.get(asset, 0):
            return
        amount = self._lost(pool, asset, judged, before, after)
        rest = amount
        for cause, ticks in phi.items():
            part = math.floor(Fraction(ticks) / (after - before) * amount)
            pool.charge((*cause, asset), part)
            rest -= part
        pool.charge((*ROUNDING, asset), rest)
        for source, where, lots in pool.taken:
            if where == asset:
                judged += lots
                more = self._lost(pool, asset, judged, before, after)
                pool.charge(("adl", source, -1), more - amount)
                amount = more

    def _lost(self, pool: Pool, asset: int, lots: int, before: int, after: int) -> int:
        """Return the margin that a move eats of a leg of so many lots."""
        contract = self.contracts[asset]
        return pool.leg_excess(contract, lots, before) - pool.leg_excess(contract, lots, after)

    # -- judgement and rounds ---------------------------------------------------------------

    def _judge(self, step: int, number: int) -> list[Pool]:
        """End and open spells on the same marks; return the pools in breach, by id."""
        breached = []
        for pool in self.pools:
            equity = pool.equity(self.contracts, self.marks)
            maintenance = pool.maintenance(self.contracts, self.marks)
            if pool.spell and equity >= 0 and (pool.is_flat or equity >= maintenance):
                self._end(pool, step, "closed" if pool.is_flat else "restored")
            elif not pool.spell and equity < maintenance and not pool.is_flat:
                pool.spell = Spell(
                    (pool.account, pool.mode, pool.asset, step, number),
                    equity,
                    maintenance,
                    pool.notional(self.contracts, self.marks),
                    pool.excess,
                    dict(pool.lots),
                    self._largest_loss(pool),
                    {cause: amount for cause, amount in pool.eaten.items() if amount},
                )
                self.spells.append(pool.spell)
            if pool.spell and not pool.is_flat:
                breached.append(pool)
            pool.excess, pool.eaten, pool.judged_lots = equity - maintenance, {}, dict(pool.lots)
            pool.taken = []
        return breached

    def _largest_loss(self, pool: Pool) -> int:
        """Return the leg that lost most since it was opened: the market that made the deficit."""
        lost = {
            a: lots * (contract.initial_ticks - self.marks[a]) * contract.unit
            for a, contract in enumerate(self.contracts)
            if (lots := pool.lots.get(a, 0))
        }
        return max(lost, key=lambda a: (lost[a], -a))

    def _play_round(self, step: int, number: int, breached: list[Pool]) -> None:
        """Send the forced orders of all breached pools, fill them, charge them, mark."""
        orders = [
            Order(pool, pool.spell, asset, number, step, self.marks[asset], lots)
            for pool in breached
            for asset, lots in self._forced(pool)
        ]
        turns = self._turns(orders, step, number)
        for asset in range(len(self.contracts)):
            self._fill_together(asset, [order for order in turns if order.asset == asset])
        for order in orders:
            self._charge(order)
        self.orders += orders
        if self.feedback == "market":
            for asset in range(len(self.contracts)):
                self._move_price(asset, [order for order in orders if order.asset == asset])

    def _move_price(self, asset: int, orders: list[Order]) -> None:
        """Add a round's orders to the flow; they share the move by signed lots (DESIGN 8)."""
        net = sum(order.lots for order in orders)
        before = Fraction(self._price(asset, self.flow[asset]))
        self.flow[asset] += net
        moved = Fraction(self._price(asset, self.flow[asset])) - before
        owners, phi = self.owners[asset], {}
        for order in orders:
            owner = ("liquidation", order.spell.key)
            owners[owner] = owners.get(owner, Fraction(0)) + order.lots
            phi[owner] = moved * order.lots / net if net else Fraction(0)
        self._mark(asset, phi)

    def _turns(self, orders: list[Order], step: int, number: int) -> list[Order]:
        """Return a round's orders as they reach the book: by a draw of the account (DESIGN 7)."""
        key = Streams(self.seed, 0)["forced_order"]
        return sorted(
            orders, key=lambda o: (uniform(key, o.pool.account, step, number), o.pool.account)
        )

    def _forced(self, pool: Pool) -> list[tuple[int, int]]:
        """Return (asset, lots) of what a breached pool must trade in this round."""
        held = [asset for asset, lots in sorted(pool.lots.items()) if lots]
        if self._rules(pool)["closure"]["kind"] == "whole":
            return [(asset, -pool.lots[asset]) for asset in held]
        leg = max(held, key=lambda a: (self._leg_maintenance(pool, a), -a))
        return [(leg, -self._least_lots(pool, leg))]

    def _leg_maintenance(self, pool: Pool, asset: int) -> Fraction:
        return self.contracts[asset].maintenance(pool.lots[asset], self.marks[asset])

    def _least_lots(self, pool: Pool, asset: int) -> int:
        """Return the fewest lots of a leg that restore the buffer, or the whole leg."""
        contract, mark, lots = self.contracts[asset], self.marks[asset], pool.lots[asset]
        side = 1 if lots > 0 else -1
        rate = self._taker_rate + exact(self._rules(pool)["penalty_rate"])
        equity = pool.equity(self.contracts, self.marks)
        others = pool.maintenance(self.contracts, self.marks) - self._leg_maintenance(pool, asset)
        for closed in range(1, abs(lots)):
            after = equity - contract.notional(closed, mark) * rate
            kept = others + contract.maintenance(abs(lots) - closed, mark)
            if kept <= self.target * after:
                return side * closed
        return lots

    def _fill_together(self, asset: int, orders: list[Order]) -> None:
        """Fill a round's orders of one asset at one price; cash rounds on the running sum."""
        net = sum(order.lots for order in orders)
        unit = self.contracts[asset].unit
        price = Fraction(self._price(asset, self.flow[asset])) * unit
        if self.feedback == "no_feedback":
            price = Fraction(self.marks[asset] * unit)
        elif net:
            price = Fraction(self._cash(asset, net), net)
        done = paid = 0
        for order in orders:
            done += order.lots
            upto = round(price * done)
            order.cash, paid = paid - upto, upto
            order.pool.cash += order.cash
            order.pool.lots[asset] += order.lots

    def _charge(self, order: Order) -> None:
        """Take the fee, then the penalty, as far as the pool's equity reaches."""
        left = max(order.pool.equity(self.contracts, self.marks), 0)
        order.fee = min(whole(abs(order.cash) * self._taker_rate), left)
        penalty = whole(abs(order.cash) * exact(self._rules(order.pool)["penalty_rate"]))
        order.penalty = min(penalty, left - order.fee)
        order.pool.cash -= order.fee + order.penalty
        self.fees += order.fee
        self.settlement.fund += order.penalty

    @property
    def _taker_rate(self) -> Fraction:
        return exact(self.plain["market"]["fees"]["taker_rate"])

    def _rules(self, pool: Pool) -> dict[str, Any]:
        return self.plain["margin"][pool.mode]

    def _settle(self, step: int) -> None:
        self.settlement.settle(step, self.marks)
        for pool in self.pools:
            if pool.spell and pool.is_flat:
                self._end(pool, step, "bankrupt")
            if pool.mode == "isolated" and pool.is_flat and pool.cash > 0:
                wallet = next(p for p in self.pools if p.account == pool.account)
                wallet.cash, pool.cash = wallet.cash + pool.cash, 0

    def _end(self, pool: Pool, step: int, outcome: str) -> None:
        pool.spell.end_step = step
        pool.spell.outcome = "bankrupt" if pool.spell.is_bankrupt else outcome
        pool.spell = None

    def final_equity(self) -> dict[int, int]:
        """Return each account's equity at the marks."""
        total: dict[int, int] = {}
        for pool in self.pools:
            equity = pool.equity(self.contracts, self.marks)
            total[pool.account] = total.get(pool.account, 0) + equity
        return total


def nearest(number: Fraction | float) -> int:
    """Return the nearest whole tick, ties to even."""
    return round(number)
