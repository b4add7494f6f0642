"""Published examples of Binance, run through the engine on its pack."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.core.rational import exact
from stresslab.margin.tiers import margin_tables
from tests.reference.venues.engine import (
    VECTORS,
    EngineAccount,
    Position,
    bracket,
    rules_of,
)

MICRO = 1_000_000


def _rows(table):
    """Return brackets of the example's time; the leverage is not asked about."""
    return [bracket(rate, floor=floor) for floor, _, rate, _ in table]


def test_the_help_page_s_cross_account_is_liquidated_at_its_price():
    """Two longs share the wallet; the bracket is that of the notional at the price found."""
    vector = VECTORS["binance-faq-btc-cross"]
    given = vector["inputs"]
    positions, profit = {}, 0
    for name, held in given["positions"].items():
        size = exact(held["qty"])
        positions[name] = Position(size, held["mark"], tick="0.01", lot="0.001")
        profit += size * (exact(held["mark"]) - exact(held["entry"]))
    brackets = {name: _rows(table) for name, table in given["tiers"].items()}
    account = EngineAccount(
        "binance",
        positions,
        exact(given["wallet"]) + profit,
        "cross",
        margin={"brackets": brackets},
    )
    assert account.state()[0] > account.state()[1] > 0
    assert account.meets(vector)


@pytest.mark.parametrize("name", ["binance-iso-1", "binance-iso-5"])
def test_a_maintenance_amount_moves_the_price(name):
    """Rate 1 % and amount 0.01: a bracket that begins at 2 USD above one of 0.5 %."""
    vector = VECTORS[name]
    given = vector["inputs"]
    side = 1 if given["side"] == "long" else -1
    rows = [bracket(0.005), bracket(given["mmr"], floor=given["cum"] / 0.005)]
    account = EngineAccount(
        "binance",
        {"OTHER": Position(side * given["qty"], given["entry"], tick="0.00001", lot="0.1")},
        given["wallet"],
        margin={"brackets": {"OTHER": rows}},
    )
    assert account.meets(vector)


def test_a_bracket_s_amount_follows_the_recursion():
    vector = VECTORS["binance-cum-level5"]
    given = vector["inputs"]
    rows = [
        bracket(0.004), bracket(given["mmr_prev"], floor=50_000.0),
        bracket(given["mmr"], floor=given["floor"]),
    ]  # fmt: skip
    rules = rules_of("binance", ["BTC"], margin={"brackets": {"BTC": rows}})
    tables = margin_tables(rules.margin, ["BTC"], np.zeros(1, np.int64), np.ones(1, np.int64))
    assert tables.deduction[0].tolist() == [
        0, given["cum_prev"] * MICRO, vector["expected"]["cum"] * MICRO,
    ]  # fmt: skip


def test_the_pack_has_the_published_tables_with_their_amounts():
    """BTC, 2026-09: the amount of each bracket as published beside it, in USD."""
    rules = rules_of("binance", ["BTC"])
    tables = margin_tables(rules.margin, ["BTC"], np.zeros(1, np.int64), np.ones(1, np.int64))
    assert [amount / MICRO for amount in tables.deduction[0].tolist()] == [
        0, 300, 1500, 12_000, 132_000, 482_000, 2_982_000, 14_482_000, 26_482_000, 41_482_000,
        121_482_000, 421_482_000,
    ]  # fmt: skip
