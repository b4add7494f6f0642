"""What ate the margin of pools that traded, paid, were deleveraged and saw rates and marks move.

Expected amounts are written from the order of things: postings at the old marks and rates, then the
change of rates, then the move of the marks, of which deleveraging bears what it made different.
"""

from __future__ import annotations

from fractions import Fraction
from random import Random

import numpy as np
import pytest

from stresslab.core.events import CROSS, ISOLATED
from stresslab.core.ledger import (
    ADL,
    FEE,
    FEES,
    FUNDING,
    N_REASONS,
    OWN_EXECUTION,
    TRANSFER,
    move_margin,
    pay_house,
)
from stresslab.liquidation.judgement import REQUIREMENT, explain
from stresslab.margin.portfolio.book import MAINTENANCE
from stresslab.margin.posting import close_lots
from stresslab.margin.tiers import RATE_UNIT
from tests.markets import TICKS, TIERS, UNIT, USD, bracket_margin, market, model_of, people, trade
from tests.reference.plain_grid import grid_need

NAMES = ("A", "B", "C", "D")
N_ASSETS, N = len(NAMES), 6
RULES = {"classes": {"two": ["A", "B"]}, "break_move": 0.1, "move_scale": {"C": 1.3}}


def crowd(rng, **changes):
    """Return the model of accounts whose positions are cross or isolated one by one."""
    held = [{a: rng.choice((-1, 0, 1)) * rng.randint(1, 60) for a in NAMES} for _ in range(N - 1)]
    rest = {a: -sum(lots[a] for lots in held) for a in NAMES}
    accounts = people(*((1e5, lots) for lots in held), (1e6, rest))
    changes.setdefault("margin__brackets", dict.fromkeys(NAMES, TIERS))
    model = model_of(market({"all": accounts}, assets=NAMES, **changes))
    c = model.world.clearing.accounts
    for a in range(N_ASSETS):
        for n in range(N):
            if c.position[a, n] and rng.random() < 0.4:
                c.mode[a, n] = ISOLATED
                c.cash[1 + a, n] = -int(c.position[a, n]) * TICKS * UNIT + rng.randint(0, 10**9)
    return model


class Acts:
    """Random acts on a market, and what each pool got for each reason by the words of the rule."""

    def __init__(self, rng, model):
        self.rng, self.c = rng, model.world.clearing
        self.got = np.zeros((N, N_ASSETS + 1, N_REASONS), object)
        self.adl = np.zeros((N, N_ASSETS), object)
        self.own = np.zeros((N, N_ASSETS), object)

    def pay(self, n):
        pool = self.rng.choice([0, *self._silos(n)])
        reason, amount = self.rng.choice((FEE, FUNDING)), self.rng.randint(-(10**8), 10**8)
        pay_house(self.c.accounts, self.c.house, self.c.journal, n, pool, FEES, amount, reason)
        self.got[n, pool, reason] -= amount

    def move(self, n):
        if pools := self._silos(n):
            pool, amount = self.rng.choice(pools), self.rng.randint(-(10**8), 10**8)
            move_margin(self.c.accounts, self.c.house, self.c.journal, n, 0, pool, amount)
            self.got[n, 0, TRANSFER] -= amount
            self.got[n, pool, TRANSFER] += amount

    def close(self, n, reason):
        held = [a for a in range(N_ASSETS) if abs(self.c.accounts.position[a, n]) > 1]
        if not held:
            return
        a = self.rng.choice(held)
        lots = int(self.c.accounts.position[a, n])
        closed = -self.rng.randint(1, abs(lots) - 1) * (1 if lots > 0 else -1)
        cash = closed * (TICKS + self.rng.randint(-900, 900)) * UNIT
        j = self.c.journal
        pool = close_lots(self.c.accounts, self.c.house, j, n, a, closed, cash, reason)
        self.got[n, pool, reason] -= cash
        if reason == ADL:
            j.adl_lots[j.slot[n], a] += closed
        (self.adl if reason == ADL else self.own)[n, a] += closed

    def some(self):
        for _ in range(20):
            n = self.rng.randrange(1, N)  # account 0 is never touched
            act = self.rng.choice((self.pay, self.move, self.close, self.close))
            act(n, *([self.rng.choice((ADL, OWN_EXECUTION))] if act == self.close else []))

    def _silos(self, n):
        return [1 + a for a in range(N_ASSETS) if self.c.accounts.mode[a, n] == ISOLATED]


def legs_of(accounts, position, pool, n):
    """Return lots by asset of a pool."""
    mode = CROSS if pool == 0 else ISOLATED
    return {
        a: int(position[a, n])
        for a in range(N_ASSETS)
        if accounts.mode[a, n] == mode and pool in (0, 1 + a)
    }


def bracket_need(add):
    """Return the maintenance margin of lots at a mark, with an add-on to all rates."""

    def need(lots, mark):
        n = abs(lots * mark * UNIT)
        exact = add * n + sum(
            max(0, n - int(row["floor_usd"]) * USD) * (rate - before)
            for row, rate, before in zip(TIERS, RATES, (0, *RATES), strict=False)
        )
        return -(-exact.numerator // exact.denominator)

    return need


RATES = [Fraction(str(row["maintenance_rate"])) for row in TIERS]


def judged(rng, model, acts, rates=None):
    """Let acts happen, rates and marks move; return old marks, new marks, codes and explanation."""
    c = model.world.clearing
    start = c.accounts.cash.copy(), c.accounts.position.copy()
    before = c.tables._replace(rate=c.tables.rate.copy(), portfolio=c.tables.portfolio.copy())
    old = np.array([TICKS + rng.randint(-500, 500) for _ in NAMES])
    acts.some()
    if rates:
        c.tables.rate[:] += rates
    new = old + np.array([rng.choice((0, rng.randint(-900, 900))) for _ in NAMES])
    codes = np.arange(N * (N_ASSETS + 1))
    why = explain(c.accounts, before, c.tables, c.journal, old, new, codes)
    return start, old.tolist(), new.tolist(), why


@pytest.mark.parametrize("seed", range(10))
def test_pools_by_brackets(seed):
    rng = Random(seed)
    model = crowd(rng)
    acts, add = Acts(rng, model), rng.choice((0, 10_000_001))
    (cash, position), old, new, why = judged(rng, model, acts, add)
    accounts, n_acts = model.world.clearing.accounts, 0
    need, later = bracket_need(Fraction(0)), bracket_need(Fraction(add, RATE_UNIT))
    assert need(626, 8000) == bracket_margin(626 * 8000 * UNIT)
    assert why.by_reason.shape == (N * (N_ASSETS + 1), N_REASONS + 1)
    for code in range(N * (N_ASSETS + 1)):
        pool, n = divmod(code, N)
        was, now = (legs_of(accounts, p, pool, n) for p in (position, accounts.position))
        worth = {a: q * old[a] * UNIT for a, q in was.items()}
        before = int(cash[pool, n]) + sum(worth.values())
        before -= sum(need(q, old[a]) for a, q in was.items())
        assert why.excess_before[code] == before
        expected = {r: -acts.got[n, pool, r] for r in range(N_REASONS)}
        expected[REQUIREMENT] = sum(later(q, old[a]) - need(q, old[a]) for a, q in now.items())
        for a, q in now.items():
            expected[OWN_EXECUTION] -= acts.own[n, a] * old[a] * UNIT
            expected[OWN_EXECUTION] += need(q, old[a]) - need(was[a], old[a])
            expected[ADL] -= acts.adl[n, a] * old[a] * UNIT

            def eaten(lots, a=a):
                gained = lots * (new[a] - old[a]) * UNIT
                return later(lots, new[a]) - later(lots, old[a]) - gained

            moved = eaten(q - acts.adl[n, a])
            expected[ADL] += eaten(q) - moved
            assert why.by_price[code, a] == moved
        assert why.by_reason[code].tolist() == [expected[r] for r in range(N_REASONS + 1)]
        assert why.notional[code] == sum(abs(q * new[a] * UNIT) for a, q in now.items())
        assert why.maintenance[code] == sum(later(q, new[a]) for a, q in now.items())
        n_acts += any(expected.values())
    assert n_acts > 3


@pytest.mark.parametrize("seed", range(6))
def test_wallets_by_scenarios(seed):
    """Prices share what moves ask as they may, to their sum; every other cause to the unit."""
    rng = Random(seed)
    model = crowd(rng, margin__portfolio=RULES, margin__cross__closure={"kind": "whole"})
    acts = Acts(rng, model)
    (cash, position), old, new, why = judged(rng, model, acts)
    accounts, rules = model.world.clearing.accounts, model._scenario.margin.portfolio

    def need(legs, marks):
        values = {name: legs.get(a, 0) * marks[a] * UNIT for a, name in enumerate(NAMES)}
        return grid_need(rules, (), values, MAINTENANCE)

    for n in range(N):
        was, now = (legs_of(accounts, p, 0, n) for p in (position, accounts.position))
        prior = {a: q - acts.adl[n, a] for a, q in now.items()}
        before = int(cash[0, n]) + sum(q * old[a] * UNIT for a, q in was.items()) - need(was, old)
        assert why.excess_before[n] == before
        expected = {r: -acts.got[n, 0, r] for r in range(N_REASONS)}
        expected[REQUIREMENT] = 0
        expected[OWN_EXECUTION] += need(prior, old) - need(was, old)
        expected[OWN_EXECUTION] -= sum(acts.own[n, a] * old[a] * UNIT for a in now)
        expected[ADL] += need(now, new) - need(prior, new)
        expected[ADL] -= sum(acts.adl[n, a] * new[a] * UNIT for a in now)
        assert why.by_reason[n].tolist() == [expected[r] for r in range(N_REASONS + 1)]
        gained = sum(q * (new[a] - old[a]) * UNIT for a, q in prior.items())
        assert why.by_price[n].sum() == need(prior, new) - need(prior, old) - gained
        still = [a for a in range(N_ASSETS) if new[a] == old[a] or not prior.get(a)]
        assert not why.by_price[n, still].any(), "what stands still or is not held ate nothing"
    assert acts.adl.any() and acts.own.any()


def test_a_single_lot_opened_since_is_its_owner_s_own_doing():
    """Bought at 101 for a mark of 100 USD: 1 USD lost by one, won by the other; both need 5."""
    model = model_of(market({"two": people((1e3, {}), (1e3, {}))}))
    c, marks = model.world.clearing, model.world.board.ticks
    trade(model, 0, 1, 1, price=TICKS + 100)
    why = explain(c.accounts, c.tables, c.tables, c.journal, marks, marks, np.array([0, 1]))
    assert why.by_reason[:, OWN_EXECUTION].tolist() == [6 * USD, 4 * USD]
    assert why.by_reason.sum() == 10 * USD and not why.by_price.any()
