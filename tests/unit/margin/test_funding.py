"""Funding payments: from the pool that holds the position, to the micro-USD, external included."""

from __future__ import annotations

import numpy as np

from stresslab.core.ledger import CLEARING, EXTERNAL, ROUNDING
from stresslab.margin.funding import pay_funding
from tests.markets import LOT, TICKS, USD, asset, market, model_of, people, rows, run, sums, trade

RATE = 100_000  # 1e-4 in units of 1e-9


def venue():
    """Return a model: 7 lots long isolated, 3 long cross, 6 short cross, 4 short external."""
    model = model_of(
        market(
            {
                "silo": people((1000.0, {}), mode="isolated"),
                "pool": people((1000.0, {}), (1000.0, {})),
            }
        )
    )
    trade(model, 0, -1, 7)
    trade(model, 1, -1, 3)
    trade(model, 2, -1, -6)
    return model


def pay(model, rate, index=TICKS):
    c = model.world.clearing
    pay_funding(
        c.accounts, c.house, c.journal, c.tables, np.array([index]), np.array([rate], np.int64)
    )


def test_longs_pay_shorts_from_silo_wallet_and_external():
    model = venue()
    c = model.world.clearing
    before, cash, external = sums(model), c.accounts.cash.copy(), c.house.cash[EXTERNAL]
    pay(model, RATE)
    cent = LOT // 10_000  # what one lot pays
    assert (c.accounts.cash - cash).tolist() == [[0, -3 * cent, 6 * cent], [-7 * cent, 0, 0]]
    assert c.house.cash[EXTERNAL] - external == 4 * cent
    assert c.accounts.funding.tolist() == [-7 * cent, -3 * cent, 6 * cent]
    assert c.house.cash[CLEARING] == c.house.cash[ROUNDING] == 0
    assert sums(model) == before


def test_a_negative_rate_lets_shorts_pay():
    model = venue()
    pay(model, -RATE)
    assert model.world.clearing.accounts.funding.tolist() == [70_000, 30_000, -60_000]


def test_parts_of_a_micro_usd_go_to_rounding_never_to_a_trader():
    """A rate of 3e-9 on an index of 9,999 ticks: 0.29997 micro-USD a lot."""
    model = venue()
    before = sums(model)
    pay(model, 3, index=9_999)
    c = model.world.clearing
    exact = [-7 * 0.29997, -3 * 0.29997, 6 * 0.29997]
    paid = c.accounts.funding.tolist()
    assert paid == [-3, -1, 1], "rounded against each of them"
    assert all(p <= e for p, e in zip(paid, exact, strict=True))
    assert c.house.cash[ROUNDING] == 3 + 1 - 1 - 1, "external receives 1 of its 1.2"
    assert c.house.cash[CLEARING] == 0 and sums(model) == before


def test_spot_pays_no_funding():
    scenario = market({"one": people((1000.0, {"BTC": 5}))})
    model = model_of({**scenario, "assets": {"BTC": asset("spot")}})
    pay(model, RATE)
    assert model.world.clearing.accounts.funding.tolist() == [0]


def test_funding_is_paid_at_its_interval_on_the_index():
    """Every 2 s of 5: twice 1 % (interest) of 1,000 USD, then of 900 USD after the fall."""
    scenario = market(
        {"long": people((1000.0, {"BTC": 10})), "short": people((1000.0, {"BTC": -10}))},
        duration_seconds=5.0,
        market__funding={"interval_seconds": 2.0, "interest_rate": 0.01, "clamp": 1.0},
        market__shocks={"s": {"assets": ["BTC"], "fall": 0.1, "at_seconds": 3.0}},
    )
    tables = run(scenario)
    found = rows(tables, "accounts", "funding_micro_usd")
    assert tables["path"]["index_ticks"].tolist() == [10_000, 10_000, 9_000, 9_000, 9_000]
    # an impact book follows the index at once, so the premium is 0 and the rate is the interest
    assert found == [(-(10 + 9) * USD,), ((10 + 9) * USD,)]


def test_a_premium_of_the_book_over_the_index_makes_longs_pay():
    scenario = market(
        {"long": people((1000.0, {"BTC": 10})), "short": people((1000.0, {"BTC": -10}))},
        market__funding={"interval_seconds": 2.0, "interest_rate": 0.0, "clamp": 0.0},
    )
    model = model_of(scenario)
    model.world.floor.books.flow[0] = 0.02 * model.world.floor.books.depth_lots[0] * 100
    premium = model.world.floor.prices()[0] / TICKS - 1
    model.run()
    paid = -model.world.clearing.accounts.funding[0] / (2 * 1000 * USD)
    assert premium > 0.005 and abs(paid / min(premium, 0.02) - 1) < 1e-6


def test_a_holder_of_one_lot_pays_like_any_other():
    model = model_of(market({"pool": people((1000.0, {}), (1000.0, {}))}))
    trade(model, 0, 1, 1)
    cash = model.world.clearing.accounts.cash.copy()
    pay(model, RATE)
    moved = (model.world.clearing.accounts.cash - cash)[0].tolist()
    assert moved == [-LOT // 10_000, LOT // 10_000]
