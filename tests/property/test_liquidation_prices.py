"""The liquidation price that is reported is the first tick at which the engine's flag flips."""

from __future__ import annotations

import random
from fractions import Fraction

import numpy as np
import pytest

from stresslab.calculator import Holding, Holdings, check_margin
from stresslab.calculator.grid import grid_for
from stresslab.core.columns import make_accounts
from stresslab.core.declarations import build
from stresslab.core.events import CROSS, ISOLATED
from stresslab.core.rational import exact
from stresslab.experiment.config import read_config
from stresslab.margin.pools import breached_among, pool_state
from stresslab.margin.tiers import margin_tables
from stresslab.scenario import VENUES, Scenario

N_POSITIONS = 12  # of every venue, side and mode
MICRO = 1_000_000
PRICES = {"BTC": 60_000, "ETH": 3_000, "DOGE": Fraction("0.2"), "OTHER": 40, "BOND": 100}


class Account:
    """An account of the engine, its columns written by hand from the rules of a venue."""

    def __init__(self, venue, mode, found, money, others):
        legs = [("perpetual", found.side, found.quantity, found.entry, found.mark, found.asset)]
        legs += [(o.kind, o.side, o.quantity, o.entry_usd, o.mark_usd, o.asset) for o in others]
        numbers = [[exact(value) for value in leg[2:5]] for leg in legs]
        grids = [grid_for((entry, mark), (size,)) for size, entry, mark in numbers]
        grids[0] = grids[0]._replace(tick=exact(found.tick))
        scenario = _scenario(venue, [leg[0] for leg in legs], [leg[5] for leg in legs])
        spot = np.array([leg[0] == "spot" for leg in legs], np.int64)
        units = [int(grid.tick * grid.lot * MICRO) for grid in grids]
        names = [leg[5] for leg in legs]
        self.tables = margin_tables(scenario.margin, names, spot, np.array(units, np.int64))
        self.accounts = make_accounts(1, len(legs))
        self.pool = 1 if mode == "isolated" else 0
        cash = exact(money)
        for place, (leg, (size, entry, _), grid) in enumerate(
            zip(legs, numbers, grids, strict=True)
        ):
            side = 1 if leg[1] == "long" else -1
            self.accounts.position[place, 0] = side * grid.lots(size)
            self.accounts.mode[place, 0] = ISOLATED if mode == "isolated" else CROSS
            cash -= 0 if leg[0] == "spot" else side * size * entry
        assert (cash * MICRO).denominator == 1
        self.accounts.cash[self.pool, 0] = int(cash * MICRO)
        self.marks = np.array(
            [grid.ticks(mark) for (_, _, mark), grid in zip(numbers, grids, strict=True)], np.int64
        )

    def is_in_breach(self, ticks):
        """Return the engine's flag with the first leg's mark at a price."""
        marks = self.marks.copy()
        marks[0] = ticks
        code = np.array([self.pool])
        n_found = breached_among(self.accounts, self.tables, marks, code, np.empty(1, np.int64))
        equity, need, _ = pool_state(self.accounts, self.tables, marks, self.pool, 0)
        assert bool(n_found) == (equity < need)
        return bool(n_found)

    def state(self):
        """Return equity and maintenance margin at the marks, micro-USD."""
        return pool_state(self.accounts, self.tables, self.marks, self.pool, 0)[:2]


def _scenario(venue, kinds, names):
    asset = {"initial_price_usd": 100.0, "tick_size_usd": 0.01, "lot_size": 1.0}
    assets = {name: {**asset, "kind": kind} for name, kind in zip(names, kinds, strict=True)}
    one = {"strategy": {"kind": "passive"}, "accounts": [{"wealth_usd": 1.0}]}
    scenario = {
        "venue": venue, "step_seconds": 1, "duration_seconds": 1, "assets": assets,
        "traders": {"one": one},
    }  # fmt: skip
    values = {"name": "one", "seed": 1, "scenario": scenario, "designs": {"d": {"replicates": 1}}}
    return build(Scenario, read_config(values).values["scenario"])


def _random_position(rng, venue, side, mode):
    """Return arguments of a check and what else the account holds."""
    asset = rng.choice(["BTC", "ETH", "DOGE", "OTHER"])
    entry = _near(rng, PRICES[asset], 0.3)
    notional = 10 ** rng.uniform(2, 6.5)
    finest = 1 if entry < 1 else 1000  # so that money stays whole
    quantity = Fraction(max(1, round(notional / float(entry) * finest)), finest)
    mark = rng.choice([None, _near(rng, entry, 0.02)])
    others = ()
    if mode == "cross":
        names = [name for name in PRICES if name != asset]
        others = tuple(_holding(rng, name) for name in rng.sample(names, rng.randint(0, 3)))
    wallet = None
    if others or rng.random() < 0.5:
        wallet = round(float(entry * quantity) * rng.uniform(0.03, 0.9) - _spare(others), 2)
    return {
        "venue": venue, "side": side, "quantity": quantity, "entry": entry, "leverage": 2,
        "mark": mark, "asset": asset, "mode": mode, "wallet": wallet,
        "others": Holdings(positions=others) if mode == "cross" else None, "with_steps": False,
    }  # fmt: skip


def _spare(others):
    """Return roughly what other holdings have beyond their maintenance margin, USD."""
    spare = 0.0
    for o in others:
        sign = 1 if o.side == "long" else -1
        profit = sign * o.quantity * (o.mark_usd - o.entry_usd)
        value = o.quantity * o.mark_usd
        spare += 0.9 * value if o.kind == "spot" else profit - 0.05 * value
    return spare


def _near(rng, price, spread):
    """Return a price of at most five digits near another one."""
    value = float(price) * rng.uniform(1 - spread, 1 + spread)
    return Fraction(f"{value:.5g}")


def _holding(rng, name):
    spot = name == "BOND"
    mark = float(_near(rng, PRICES[name], 0.1))
    return Holding(
        asset=name,
        kind="spot" if spot else "perpetual",
        side="long" if spot else rng.choice(["long", "short"]),
        quantity=float(1 + round(10 ** rng.uniform(2, 5) / mark)) / (1 if mark < 1 else 4),
        entry_usd=mark if rng.random() < 0.5 else float(_near(rng, mark, 0.1)),
        mark_usd=mark,
    )


@pytest.mark.parametrize("mode", ["isolated", "cross"])
@pytest.mark.parametrize("side", ["long", "short"])
@pytest.mark.parametrize("venue", VENUES)
def test_the_engine_s_flag_flips_at_the_reported_tick(venue, side, mode):
    rng = random.Random(f"{venue}/{side}/{mode}")
    n_flipped = 0
    for _ in range(N_POSITIONS):
        asked = _random_position(rng, venue, side, mode)
        others = asked["others"].positions if asked["others"] else ()
        found = check_margin(**asked)
        money = found.initial_margin if asked["wallet"] is None else asked["wallet"]
        account = Account(venue, mode, found, money, others)
        assert account.state() == (
            round(found.equity * MICRO),
            round(found.maintenance_margin * MICRO),
        )
        step = 1 if side == "long" else -1
        if found.liquidation_price is None:
            assert side == "long" and not account.is_in_breach(1)
            continue
        ticks = round(exact(found.liquidation_price) / exact(found.tick))
        assert account.is_in_breach(ticks)
        if side == "long" or ticks > 1:
            assert not account.is_in_breach(ticks + step)
            n_flipped += 1
        assert found.is_in_breach == ((int(account.marks[0]) - ticks) * step <= 0)
        for distance in (2, 10, 1000):  # no second flip nearby
            assert not account.is_in_breach(ticks + step * distance) or ticks + step * distance < 1
            assert account.is_in_breach(max(1, ticks - step * distance))
    assert n_flipped > N_POSITIONS // 3


@pytest.mark.parametrize("side", ["long", "short"])
def test_a_price_that_lies_on_a_tick_is_not_yet_in_breach(side):
    """1 at 100 USD with 14.5 USD, 10 % maintenance: a long meets it at 95, a short at 104.09."""
    sign = 1 if side == "long" else -1
    price = Fraction(95) if side == "long" else Fraction(104)
    money = price / 10 - sign * (price - 100)  # equity meets maintenance exactly there
    found = check_margin(
        "hyperliquid", side, 1, 100, 2, asset="OTHER", wallet=money, tick="0.01", with_steps=False
    )
    rate = Fraction(1, 20)
    met = (100 * sign - money) / (sign - rate)
    assert found.liquidation_price is not None
    assert (met - exact(found.liquidation_price)) * sign > 0
    assert (met - exact(found.liquidation_price)) * sign <= Fraction(1, 100)


def test_a_short_that_nothing_liquidates_has_no_price():
    """A thousandth sold beside 1e9 USD: no mark that is looked at is high enough."""
    found = check_margin(
        "span", "short", "0.001", 100, 1, asset="OTHER", wallet=10**9, mode="cross",
        tick="0.01", with_steps=False,
    )  # fmt: skip
    assert found.liquidation_price is None and not found.is_in_breach
