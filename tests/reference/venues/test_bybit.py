"""Published examples of Bybit: its displayed prices from the pack, its bankruptcy in the engine."""

from __future__ import annotations

import pytest

from stresslab.calculator import check_margin
from tests.reference.venues.engine import VECTORS, EngineAccount, Position, rules_of


@pytest.mark.parametrize(
    ("name", "asset"), [("bybit-doc-long-50x", "BTC"), ("bybit-iso-3", "X"), ("bybit-iso-6", "X")]
)
def test_the_displayed_price_is_the_published_one(name, asset):
    """The pack's lowest rates are those of the examples: 0.5 % of BTC, 1 % by default."""
    vector = VECTORS[name]
    given = vector["inputs"]
    found = check_margin(
        "bybit", given["side"], str(given["qty"]), str(given["entry"]), given["leverage"],
        asset=asset, tick="0.01", with_steps=False,
    )  # fmt: skip
    expected = vector["expected"]["liq_price"]
    assert abs(found.displayed_liquidation_price - expected) < 0.01
    assert found.maintenance_margin == given["qty"] * given["entry"] * given["mmr"]


def test_the_engine_follows_the_mark_and_differs_as_the_pack_says():
    """Frozen at entry a long of 20,000 goes at 19,700; at the mark it needs less: 19,698.49."""
    found = check_margin("bybit", "long", 1, 20_000, 50, tick="0.01", with_steps=False)
    met = (20_000 - 400) / 0.995
    assert found.displayed_liquidation_price == 19_700
    assert met - 0.01 <= found.liquidation_price < met < 19_699


def test_the_margin_is_used_up_at_the_bankruptcy_price():
    vector = VECTORS["bybit-bankruptcy-50x"]
    given = vector["inputs"]
    margin = given["entry"] / given["leverage"]
    account = EngineAccount("bybit", {"BTC": Position(1, given["entry"])}, margin)
    price = vector["expected"]["bankruptcy_price"]
    assert account.state_at(price)[0] == 0
    assert account.state_at(price + 1)[0] == 1_000_000


def test_interest_of_eight_hours_from_the_published_daily_rates():
    vector = VECTORS["bybit-interest"]
    given = vector["inputs"]
    rules = rules_of("bybit", ["BTC"]).market.funding
    assert (rules.daily_rates.quote, rules.daily_rates.base) == (
        given["quote_rate"], given["base_rate"],
    )  # fmt: skip
    assert rules.interval_seconds * given["intervals_per_day"] == 86_400
    assert rules.interest == pytest.approx(vector["expected"]["rate"], rel=1e-12)
