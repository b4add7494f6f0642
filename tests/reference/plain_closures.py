"""The most lots that each closure policy allows, computed from its rule's text.

In whole numbers and fractions, from a breached pool as it stands before an order is chosen.
"""

from __future__ import annotations

import math
from fractions import Fraction

from stresslab.liquidation.partial_sizes import notional_limits
from tests.markets import TIERS, UNIT, USD, bracket_margin


class Seen:
    """A breached pool as the rules' texts see it: plain numbers, read before an order is chosen."""

    def __init__(self, model, code, marks):
        accounts = model.world.clearing.accounts
        pool, self.row = divmod(int(code), accounts.id.size)
        assets = range(3) if pool == 0 else [pool - 1]
        self.lots = {a: int(accounts.position[a, self.row]) for a in assets}
        self.lots = {a: lots for a, lots in self.lots.items() if lots}
        self.price = {a: int(marks[a]) * UNIT for a in range(3)}
        worth = sum(lots * self.price[a] for a, lots in self.lots.items())
        self.equity = int(accounts.cash[pool, self.row]) + worth

    def notional(self, asset):
        return abs(self.lots[asset]) * self.price[asset]

    def restored_by(self, closed):
        """Tell whether closing lots by asset, free of charge, brings 90 % of equity."""
        kept = {a: abs(lots) - closed.get(a, 0) for a, lots in self.lots.items()}
        need = sum(bracket_margin(lots * self.price[a]) for a, lots in kept.items())
        return self.equity > 0 and 10 * need <= 9 * self.equity


def whole_position(pool, asset, clock, memory):
    return abs(pool.lots[asset])


def least(pool, asset, clock, memory):
    """The fewest lots that restore, found by trying one after another."""
    held = abs(pool.lots[asset])
    return next((n for n in range(1, held) if pool.restored_by({asset: n})), held)


def quarter_first(pool, asset, clock, memory):
    """A quarter above 900 USD, unless a quarter was sent less than 2 steps ago."""
    held = abs(pool.lots[asset])
    quarters = [step for step in memory.get(pool.row, []) if step < clock]
    if pool.notional(asset) <= 900 * USD or (quarters and clock - quarters[-1] < 2):
        return held
    memory.setdefault(pool.row, []).append(clock)
    return math.ceil(Fraction(held, 4))


def down_a_bracket(pool, asset, clock, memory):
    """What lies above the end of the next lower bracket; all in the lowest."""
    ends = [int(row["floor_usd"]) * USD for row in TIERS[1:]]
    below = [end for end in ends if end < pool.notional(asset)]
    return abs(pool.lots[asset]) - (below[-1] // pool.price[asset] if below else 0)


def three_tenths(pool, asset, clock, memory):
    _, most = notional_limits(1, pool.notional(asset), 150 * USD, Fraction(3, 10))
    return max(1, math.floor(most / pool.price[asset]))


def common_fifths(pool, asset, clock, memory):
    """The first multiple of 20 % of all positions that restores the pool."""

    def cut(fifths):
        return {a: math.ceil(abs(lots) * Fraction(fifths, 5)) for a, lots in pool.lots.items()}

    return cut(next((n for n in range(1, 5) if pool.restored_by(cut(n))), 5))[asset]


def common_permille(pool, asset, clock, memory):
    """The first permille of all positions, each in lots rounded up, that restores the pool."""

    def cut(share):
        return {a: math.ceil(abs(lots) * Fraction(share, 1000)) for a, lots in pool.lots.items()}

    return cut(next((n for n in range(1, 1000) if pool.restored_by(cut(n))), 1000))[asset]


def room_of_two_steps(pool, asset, clock, memory):
    """What is left of 700 USD in this step and the one before."""
    used = sum(amount for step, a, amount in memory.get("used", []) if a == asset
               and step > clock - 2)  # fmt: skip
    return (700 * USD - used) // pool.price[asset]


#: The most lots that each rule allows, from its text.
MOST = {
    "whole": whole_position,
    "least_to_restore": least,
    "share_then_whole": quarter_first,
    "tier_step_down": down_a_bracket,
    "share_per_step": three_tenths,
    "common_share": common_fifths,
    "least_common_share": common_permille,
    "rate_limited": room_of_two_steps,
    "dutch_auction": whole_position,
    "takeover": whole_position,
}

#: Policies that close one leg of a pool in a round, and those whose legs share an allowance.
ONE_LEG = {"least_to_restore", "tier_step_down"}
RATIONED = {"share_per_step", "rate_limited"}
