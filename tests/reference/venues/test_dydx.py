"""Published examples of dYdX v4, run through the engine on its pack."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from stresslab.core.rational import exact
from stresslab.liquidation.bands.band import Leg
from stresslab.margin.requirement.in_force import RatesInForce
from stresslab.margin.requirement.part import Opening, Sight
from stresslab.margin.tiers import initial_margins, margin_tables
from stresslab.market.funding import funding_rate, margin_cap
from tests.reference.venues.engine import VECTORS, EngineAccount, Position, bracket, rules_of

MICRO = 1_000_000


def test_the_documented_short_is_liquidated_at_its_price():
    vector = VECTORS["dydx-doc-iso"]
    given = vector["inputs"]
    position = Position(given["size"], given["price"])
    own = {"margin": {"brackets": {"X": [bracket(given["mmf"])]}}}
    account = EngineAccount("dydx", {"X": position}, given["equity"], "cross", **own)
    assert account.meets(vector)


@pytest.mark.parametrize("name", ["dydx-fillable-1", "dydx-fillable-5", "dydx-fillable-10"])
def test_a_forced_order_is_offered_no_worse_than_the_fillable_price(name):
    """Equity and maintenance come from the engine's pool, the limit from the pack's band."""
    vector = VECTORS[name]
    given = vector["inputs"]
    (held,) = given["positions"]
    size, price = exact(held["size"]), exact(held["price"])
    own = {
        "margin": {"brackets": {"X": [bracket(held["mmf"])]}},
        "liquidation": {
            "price_band": {
                "adjustment": given["bankruptcy_adjustment"], "spread": given["spread_to_mm"],
            }
        },
    }  # fmt: skip
    equity = exact(given["quote_balance"]) + size * price
    account = EngineAccount("dydx", {"X": Position(size, price)}, equity, "cross", **own)
    have, need = account.state()
    assert have < need, "in breach"
    leg = Leg(int(abs(size) * price * MICRO), need, have, need, need)
    cost = account.rules.liquidation.price_band.concession(leg)
    assert price - Fraction(cost, MICRO) / size == vector["expected"]["fillable_price"]


def test_a_step_takes_no_more_of_a_position_than_a_block():
    """Of one coin at 50,000 USD half may go: 25,000 USD."""
    from stresslab.liquidation.closing import ModeCloser
    from stresslab.liquidation.forced import make_forced_orders

    vector = VECTORS["dydx-blocklimit-2"]
    given = vector["inputs"]
    closure = {
        "share": given["max_portion"], "least_usd": given["min_notional"], "most_usd": None,
    }  # fmt: skip
    position = Position(given["size"], given["price"])
    account = EngineAccount(
        "dydx", {"X": position}, 1, "cross", margin={"cross": {"closure": closure}}
    )
    orders = make_forced_orders(4)
    clearing = _Clearing(account)
    closer = ModeCloser(account.rules.margin.cross, 0.9, clearing, 1.0)
    closer.choose(1, account.marks, np.zeros(1, np.int64), None, orders)
    assert orders.n[0] == 1
    sold = -int(orders.lots[0]) * exact(position.lot)
    assert sold * exact(given["price"]) == vector["expected"]["max_notional"]


class _Clearing:
    """As much of the engine's clearing as a closure asks for."""

    def __init__(self, account):
        self.accounts, self.tables = account.accounts, account.tables
        self.costs = type("Costs", (), {"taker": np.zeros(1, np.int64)})


def test_initial_margin_grows_with_open_interest():
    vector = VECTORS["dydx-oimf-3"]
    given = vector["inputs"]
    caps = {"lower_cap_usd": given["oi_lower"], "upper_cap_usd": given["oi_upper"]}
    own = {
        "brackets": {"X": [bracket(0.1, 1 / given["base_imf"])]}, "requirement": {"mid_cap": caps},
    }  # fmt: skip
    rules = rules_of("dydx", ["X"], margin=own)
    tables = margin_tables(rules.margin, ["X"], np.zeros(1, np.int64), np.ones(1, np.int64))
    rates = RatesInForce(rules.margin.requirement, ["X"], tables, Opening(1.0, [100], [0.0]))
    asked = np.array([round(given["notional"] * MICRO)], np.int64)
    assert initial_margins(tables, 0, asked, 2)[0] == 0.1 * MICRO, "nothing is open yet"
    rates.update(Sight(1.0, [100], [100], lambda: [0.0], lambda: [round(given["oi"] * MICRO)]))
    assert initial_margins(tables, 0, asked, 2)[0] == vector["expected"]["im"] * MICRO


def test_the_funding_cap_is_six_times_the_gap_of_the_margins():
    """The documented factor; for BTC in the pack it comes to 4.8 % of eight hours."""
    factor = exact(VECTORS["dydx-funding-cap"]["inputs"]["factor"])
    rules = rules_of("dydx", ["BTC"])
    (row,) = rules.margin.brackets["BTC"]
    gap = 1 / exact(row.max_leverage) - exact(row.maintenance_rate)
    assert exact(rules.market.funding.cap_of_margin_gap) == factor
    assert factor * gap == Fraction(48, 1000)
    assert (rules.market.funding.form, rules.market.funding.interest) == ("added", 0)


def test_the_documented_cap_is_the_engine_s():
    """Initial less maintenance rate of 2 %: no rate above 12 %."""
    vector = VECTORS["dydx-funding-cap"]
    given = vector["inputs"]
    own = {"brackets": {"X": [bracket(given["mmf"], 1 / given["imf"])]}}
    rules = rules_of("dydx", ["X"], margin=own)
    tables = margin_tables(rules.margin, ["X"], np.zeros(1, np.int64), np.ones(1, np.int64))
    rates = (int(column[0, 0]) / 1e9 for column in (tables.initial, tables.rate))
    funding = rules.market.funding
    cap = margin_cap(funding, *rates)
    assert np.isclose(cap, vector["expected"]["cap"], rtol=1e-9)
    # an hour pays an eighth of what the cap leaves of a premium of 20 %
    assert np.isclose(funding_rate(0.2, funding, cap), vector["expected"]["cap"] / 8, rtol=1e-9)
