"""What the log says of moves, breaches, forced orders and payments, row by row."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.core.events import CAUSE_ID, CAUSES, EventLog
from stresslab.core.ledger import ADL, FEE, FUNDING, N_REASONS, OWN_EXECUTION, TRANSFER
from stresslab.liquidation.forced import make_forced_orders
from stresslab.liquidation.judgement import REQUIREMENT, Explanation
from stresslab.liquidation.recorder import Recorder
from stresslab.liquidation.waterfall import Settlement
from tests.markets import market, model_of, people

WALLETS, BTC, ETH = (pool * 3 for pool in range(3))  # codes of row 0; three accounts


@pytest.fixture
def recorder() -> Recorder:
    """Return a recorder of three accounts with ids 70, 50 and 60, in stage 4."""
    story = market({"some": people(*[(1e3, {"BTC": lots}) for lots in (5, -5, 0)])},
                   assets=("BTC", "ETH"))  # fmt: skip
    accounts = model_of(story).world.clearing.accounts
    accounts.id[:] = [70, 50, 60]
    return Recorder(accounts, EventLog(), stage=4)


def told(recorder, table, *names):
    columns = recorder.log.columns(table)
    return list(zip(*(columns[name].tolist() for name in names), strict=True))


def test_a_code_is_a_pool_of_an_account(recorder):
    assert [recorder.mode_of(code) for code in (0, 2, 3, 5, 6, 8)] == [
        ("cross", -1, 0), ("cross", -1, 2), ("isolated", 0, 0), ("isolated", 0, 2),
        ("isolated", 1, 0), ("isolated", 1, 2),
    ]  # fmt: skip


def test_a_move_is_split_over_causes_and_liquidations_have_their_number(recorder):
    """BTC falls by 10 ticks: 6 by the index, 4 by liquidation 0; ETH rises by 5 for two causes."""
    index, quotes = CAUSE_ID["index"], CAUSE_ID["quotes"]
    recorder.price_moves(7, 2, [
        (0, 100, 90, {index: -6.0, len(CAUSES): -4.0}),
        (1, 50, 55, {quotes: 6.0, len(CAUSES) + 3: -1.0}),
    ])  # fmt: skip
    names = ("stage", "step", "round", "asset", "from_ticks", "to_ticks")
    assert told(recorder, "price_moves", *names) == [(4, 7, 2, 0, 100, 90), (4, 7, 2, 1, 50, 55)]
    assert told(recorder, "price_causes", "stage", "asset", "cause", "liquidation", "share") == [
        (4, 0, "index", -1, 0.6), (4, 0, "liquidation", 0, 0.4),
        (4, 1, "quotes", -1, 1.2), (4, 1, "liquidation", 3, -0.2),
    ]  # fmt: skip
    recorder.price_moves(8, 0, [])
    assert len(told(recorder, "price_moves", "step")) == 2


def test_an_alert_names_pool_and_level(recorder):
    codes, numbers = np.array([1, BTC, ETH + 2]), np.array([10, 20, 30])
    recorder.alerts(3, 1, codes, numbers / 40, numbers, numbers + 1)
    names = ("step", "round", "account", "mode", "asset", "level", "equity_micro_usd",
             "maintenance_micro_usd")  # fmt: skip
    assert told(recorder, "alerts", *names) == [
        (3, 1, 50, "cross", -1, 0.25, 10, 11),
        (3, 1, 70, "isolated", 0, 0.5, 20, 21),
        (3, 1, 60, "isolated", 1, 0.75, 30, 31),
    ]


def opened(recorder):
    """Open spells of a wallet and a silo, the second after liquidation 0 of an earlier step."""
    by_price = np.array([[11, 0], [0, 12]])
    by_reason = np.zeros((2, N_REASONS + 1), np.int64)
    for place, reason in enumerate((OWN_EXECUTION, FEE, FUNDING, TRANSFER, REQUIREMENT)):
        by_reason[place % 2, reason] = 20 + place
    by_reason[1, ADL] = 99  # whose parts are those of the trail
    why = Explanation(*(np.array([k, k + 1]) for k in (1, 3, 5, 7)), by_price, by_reason)
    legs, charged = np.array([[5, 0], [0, -9]]), np.array([0, 1])
    trail = tuple(np.array(x) for x in ([1, 1], [0, 2], [60, 39]))
    return recorder.open_spells(6, 2, np.array([0, BTC + 1]), why, legs, charged, trail)


def test_a_breach_is_written_with_its_legs_and_what_ate_its_margin(recorder):
    assert opened(recorder).tolist() == [0, 1]
    recorder.stage = 9
    assert opened(recorder).tolist() == [2, 3]
    assert [spell.charged_asset for spell in recorder.spells] == [0, 1, 0, 1]
    assert told(recorder, "breach_legs", "liquidation", "asset", "position_lots") == [
        (0, 0, 5), (1, 1, -9), (2, 0, 5), (3, 1, -9),
    ]  # fmt: skip
    names = ("liquidation", "stage", "asset", "cause", "source_liquidation", "amount_micro_usd")
    found = [row for row in told(recorder, "breach_amounts", *names) if row[0] < 2]
    assert sorted(found, key=lambda row: row[5]) == [
        (0, 4, 0, "price", -1, 11), (1, 4, 1, "price", -1, 12),
        (0, -1, -1, "own_execution", -1, 20), (1, -1, -1, "fees", -1, 21),
        (0, -1, -1, "funding", -1, 22), (1, -1, -1, "transfer", -1, 23),
        (0, -1, -1, "requirement", -1, 24),
        (1, -1, -1, "adl", 2, 39), (1, -1, -1, "adl", 0, 60),
    ]  # fmt: skip


def test_a_spell_is_written_at_the_end_with_its_outcome(recorder):
    opened(recorder)
    first = recorder.spells[0]
    assert (first.end_step, first.outcome, first.had_deficit) == (-1, "open", False)
    first.end_step, first.outcome = 8, "closed"
    recorder.stage = 5
    opened(recorder)
    recorder.spells[2].end_step, recorder.spells[2].outcome = 9, "bankrupt"
    assert told(recorder, "liquidations", "step") == []
    recorder.finish()
    names = ("liquidation", "account", "mode", "asset", "stage", "step", "round",
             "equity_micro_usd", "maintenance_micro_usd", "notional_micro_usd",
             "excess_before_micro_usd", "end_step", "outcome")  # fmt: skip
    assert told(recorder, "liquidations", *names) == [
        (0, 70, "cross", -1, 4, 6, 2, 1, 3, 5, 7, 8, "closed"),
        (1, 50, "isolated", 0, 4, 6, 2, 2, 4, 6, 8, -1, "open"),
        (2, 70, "cross", -1, 5, 6, 2, 1, 3, 5, 7, 9, "bankrupt"),
        (3, 50, "isolated", 0, 5, 6, 2, 2, 4, 6, 8, -1, "open"),
    ]


def test_value_in_flight_is_written_where_there_is_some(recorder):
    recorder.late_value(np.array([4, 5, 6]), np.array([0, 1, 80]))
    assert told(recorder, "late_value", "liquidation", "in_flight_micro_usd") == [(5, 1), (6, 80)]


def test_forced_orders_belong_to_the_stage_that_their_round_makes(recorder):
    """Two orders, then one: of spells 3 and 1; a batch that is used again changes no row."""
    orders, marks = make_forced_orders(4), np.array([9000, 500])
    spells = np.full(9, -1)
    spells[[1, ETH]] = 3, 1
    orders.n[0] = 2
    orders.pool[:2], orders.account[:2], orders.asset[:2] = [1, ETH], [1, 0], [0, 1]
    orders.lots[:2], orders.filled[:2], orders.cash[:2] = [-4, 6], [-3, 6], [-27, 30]
    orders.fee[:2], orders.penalty[:2] = [1, 2], [5, -6]
    recorder.forced_orders(7, 1, orders, spells, marks)
    orders.n[0], orders.lots[0], orders.filled[0], orders.fee[0] = 1, -1, 0, 0
    orders.penalty[0] = orders.asset[0] = 0
    recorder.forced_orders(7, 2, orders, spells, marks)
    names = ("order", "liquidation", "account", "asset", "mode", "stage", "step", "round")
    assert told(recorder, "forced_orders", *names) == [
        (0, 3, 50, 0, "cross", 5, 7, 1),
        (1, 1, 70, 1, "isolated", 5, 7, 1),
        (2, 3, 50, 0, "cross", 5, 7, 2),
    ]
    names = ("mark_ticks", "lots", "filled_lots", "cash_micro_usd", "fee_micro_usd",
             "penalty_micro_usd")  # fmt: skip
    assert told(recorder, "forced_orders", *names) == [
        (9000, -4, -3, 27, 1, 5), (500, 6, 6, -30, 2, -6), (9000, -1, 0, 27, 0, 0),
    ]  # fmt: skip


PAID = ("step", "liquidation", "account", "asset", "mode", "deficit_micro_usd", "fund_micro_usd",
        "adl_micro_usd", "socialised_micro_usd")  # fmt: skip


def test_deficits_are_written_with_who_paid_them(recorder):
    opened(recorder)
    recorder.fund_payments(6, [], np.array([], np.int64))
    recorder.fund_payments(6, recorder.spells, np.array([80, 90]))
    settled = Settlement(adl=30, socialised=4, seized=[(2, 1, -3, 29), (0, 1, 0, 1)],
                         shared=[(2, 3), (1, 1)])  # fmt: skip
    recorder.settlement(7, recorder.spells[1], 6, settled)
    recorder.settlement(8, recorder.spells[0], 5, Settlement())
    recorder.repayment(9, recorder.spells[0], 2)
    assert told(recorder, "waterfall", *PAID) == [
        (6, 0, 70, 0, "cross", 80, 80, 0, 0),
        (6, 1, 50, 1, "isolated", 90, 90, 0, 0),
        (7, 1, 50, 1, "isolated", 40, 6, 30, 4),
        (8, 0, 70, 0, "cross", 5, 5, 0, 0),
        (9, 0, 70, 0, "cross", 0, 2, 0, -2),
    ]
    names = ("step", "liquidation", "account", "asset", "lots", "loss_micro_usd")
    assert told(recorder, "adl", *names) == [(7, 1, 60, 1, -3, 29), (7, 1, 70, 1, 0, 1)]
    recorder.shared(10, -1, -1, [(0, 8)])
    names = ("step", "liquidation", "account", "asset", "loss_micro_usd")
    assert told(recorder, "socialised", *names) == [
        (7, 1, 60, 1, 3), (7, 1, 50, 1, 1), (10, -1, 70, -1, 8),
    ]  # fmt: skip
