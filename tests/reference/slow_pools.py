"""Contracts, tiers and pools of the slow market, in whole micro-USD and exact fractions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import Any

MICRO_USD = 1_000_000
WALLET = -1  # the asset of a pool that is no silo

Cause = tuple[str, Any, int]  # name, liquidation that did it (or None), asset whose price moved


def exact(number: float) -> Fraction:
    """Return the decimal that a config writes, not the float that is nearest to it."""
    return Fraction(str(number))


@dataclass(frozen=True)
class Contract:
    """One perpetual: its grid and its leverage table (floor in micro-USD, rate, leverage)."""

    name: str
    unit: int
    initial_ticks: int
    depth_lots: Fraction
    brackets: tuple[tuple[Fraction, Fraction, Fraction], ...]
    max_leverage: Fraction | None

    def notional(self, lots: int, ticks: int) -> int:
        return abs(lots) * ticks * self.unit

    def maintenance(self, lots: int, ticks: int) -> Fraction:
        """Return ``n m_k - c_k`` with ``c_k = c_(k-1) + F_k (m_k - m_(k-1))`` (MECHANICS 1)."""
        notional, deduction = self.notional(lots, ticks), Fraction(0)
        rate = self.brackets[0][1]
        for (_, lower, _), (floor, upper, _) in pairwise(self.brackets):
            if notional <= floor:
                break
            deduction, rate = deduction + floor * (upper - lower), upper
        return notional * rate - deduction

    def initial_margin(self, lots: int, ticks: int, factor: Fraction) -> Fraction:
        """Return the notional over the highest leverage of the bracket that it lies in."""
        notional = self.notional(lots, ticks)
        reached = [row for row in self.brackets if notional > row[0]] or [self.brackets[0]]
        leverage = reached[-1][2]
        if self.max_leverage is not None:
            leverage = min(leverage, self.max_leverage)
        return notional * factor / leverage


@dataclass
class Spell:
    """One liquidation: first breach of a pool until it is restored or flat."""

    key: tuple[int, str, int, int, int]  # account, mode, asset, step, round
    equity: int
    maintenance: int
    notional: int
    excess_before: int
    legs: dict[int, int]
    charged: int
    amounts: dict[Cause, int]
    end_step: int = -1
    outcome: str = "open"
    is_bankrupt: bool = False


@dataclass
class Pool:
    """Collateral and the positions that it backs."""

    account: int
    mode: str
    asset: int
    cash: int
    lots: dict[int, int]
    excess: int = 0
    spell: Spell | None = None
    cut: dict[int, int] = field(default_factory=dict)  # profit taken by ADL, by asset
    judged_lots: dict[int, int] = field(default_factory=dict)
    eaten: dict[Cause, int] = field(default_factory=dict)
    taken: list[tuple[Cause, int, int]] = field(default_factory=list)  # source, asset, lots by ADL

    @property
    def is_flat(self) -> bool:
        return not any(self.lots.values())

    def equity(self, contracts: Sequence[Contract], ticks: Sequence[int]) -> int:
        """Return cash plus positions at the mark (DESIGN 3)."""
        held = self.lots.items()
        return self.cash + sum(lots * ticks[a] * contracts[a].unit for a, lots in held)

    def maintenance(self, contracts: Sequence[Contract], ticks: Sequence[int]) -> int:
        held = self.lots.items()
        return sum(whole(contracts[a].maintenance(lots, ticks[a])) for a, lots in held)

    def notional(self, contracts: Sequence[Contract], ticks: Sequence[int]) -> int:
        return sum(contracts[a].notional(lots, ticks[a]) for a, lots in self.lots.items())

    def excess_at(self, contracts: Sequence[Contract], ticks: Sequence[int]) -> int:
        return self.equity(contracts, ticks) - self.maintenance(contracts, ticks)

    def leg_excess(self, contract: Contract, lots: int, ticks: int) -> int:
        """Return what a leg adds to equity - maintenance at a price."""
        return lots * ticks * contract.unit - whole(contract.maintenance(lots, ticks))

    def charge(self, cause: Cause, amount: int) -> None:
        """Book margin eaten since the last judgement."""
        self.eaten[cause] = self.eaten.get(cause, 0) + amount


def whole(amount: Fraction) -> int:
    """Return a requirement in whole micro-USD, rounded up."""
    return -(-amount.numerator // amount.denominator)


def contracts_of(plain: dict[str, Any]) -> list[Contract]:
    """Return the contracts of a scenario in the order of their ids."""
    law, margin = plain["market"]["book"]["law"], plain["margin"]
    depths, caps = law.get("depth_usd_by_asset", {}), margin.get("max_leverage", {})
    return [
        Contract(
            name,
            int(exact(row["tick_size_usd"]) * exact(row["lot_size"]) * MICRO_USD),
            int(exact(row["initial_price_usd"]) / exact(row["tick_size_usd"])),
            exact(depths.get(name, law["depth_usd"]))
            / (exact(row["initial_price_usd"]) * exact(row["lot_size"])),
            tuple(
                (
                    exact(b["floor_usd"]) * MICRO_USD,
                    exact(b["maintenance_rate"]),
                    exact(b["max_leverage"]),
                )
                for b in margin["brackets"][name]
            ),
            exact(caps[name]) if name in caps else None,
        )
        for name, row in plain["assets"].items()
    ]


def pools_of(plain: dict[str, Any], contracts: Sequence[Contract]) -> list[Pool]:
    """Return the pools: the wallets by account, then a silo per isolated position."""
    names = [contract.name for contract in contracts]
    factor = exact(plain["margin"]["isolated"].get("initial_margin_factor", 1.0))
    by_wealth = plain["margin"].get("allotment", "wealth") == "wealth"
    pools = []
    for place, group in enumerate(plain["traders"].values()):
        mode = group.get("margin_mode", plain.get("margin_mode", {"cross_share": 1.0}))
        for number, row in enumerate(group["accounts"]):
            account = place * 1_000_000 + number
            wealth = int(exact(row["wealth_usd"]) * MICRO_USD)
            lots = {names.index(n): q for n, q in sorted(row["positions"].items()) if q}
            lots = dict(sorted(lots.items()))
            cost = {a: q * contracts[a].initial_ticks * contracts[a].unit for a, q in lots.items()}
            if mode["cross_share"] == 1.0:
                pools.append(Pool(account, "cross", WALLET, wealth - sum(cost.values()), lots))
                continue
            need = [contracts[a].initial_margin(q, contracts[a].initial_ticks, factor)
                    for a, q in lots.items()]  # fmt: skip
            parts = pro_rata(wealth, need) if by_wealth else [whole(n) for n in need]
            pools.append(Pool(account, "cross", WALLET, wealth - sum(parts), {}))
            pools += [
                Pool(account, "isolated", a, part - cost[a], {a: lots[a]})
                for a, part in zip(lots, parts, strict=True)
            ]
    return sorted(pools, key=lambda pool: (pool.mode == "isolated", pool.account, pool.asset))


def pro_rata(amount: int, weights: Sequence[Fraction | int]) -> list[int]:
    """Share a whole amount by weight: floors, then one unit each to the largest remainders."""
    total = sum(weights)
    if not total:
        return [0] * len(weights)
    ideal = [Fraction(amount) * w / total for w in weights]
    parts = [share.numerator // share.denominator for share in ideal]
    order = sorted(range(len(weights)), key=lambda i: (parts[i] - ideal[i], i))
    for place in order[: amount - sum(parts)]:
        parts[place] += 1
    return parts
