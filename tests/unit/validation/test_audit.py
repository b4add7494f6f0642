"""The audit finds one micro-USD or one lot that is out of place, in the tables alone."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import pytest

from stresslab.validation.audit import Sheet, Tables, balance_sheet, fund_gap, payer_gap
from tests.markets import fall, market, people, run

FUND = 50.0


@pytest.fixture(scope="module")
def tables() -> Tables:
    """Return a fall that wipes a long out, whose deficit the fund and a winner pay."""
    group = people((10.5, {"BTC": 1}), (30.0, {"BTC": 2}), (900.0, {"BTC": -3}))
    return run(market({"all": group}, market__shocks={"s": fall(0.4)}, record_balances=True,
                      liquidation__insurance_fund_usd=FUND))  # fmt: skip


def test_a_whole_run_adds_up(tables: Tables) -> None:
    sheet = balance_sheet(tables, FUND)
    assert sheet.initial == 990_500_000
    assert tables["waterfall"]["fund_micro_usd"].sum() == 50_000_000
    assert tables["adl"]["loss_micro_usd"].sum() > 0
    owed = (40 - 10.5 + 80 - 30) * 1_000_000
    assert sheet.unsettled.tolist() == [0, 0, 0, -owed, 0, 0, 0, 0, 0]  # settled in the step
    assert not sheet.surplus.any()
    assert not sheet.net_lots.any()
    assert (fund_gap(tables), payer_gap(tables)) == (0, 0)


def surplus(sheet: Sheet) -> int:
    return int(np.abs(sheet.surplus).max())


@pytest.mark.parametrize(
    ("table", "column", "seen"),
    [
        ("balances", "cash_micro_usd", lambda t: surplus(balance_sheet(t, FUND))),
        ("balances", "lots", lambda t: np.abs(balance_sheet(t, FUND).net_lots).max()),
        ("waterfall", "fund_micro_usd", fund_gap),
        ("adl", "loss_micro_usd", payer_gap),
    ],
)
def test_one_unit_too_many_is_found(
    tables: Tables, table: str, column: str, seen: Callable[[Tables], int]
) -> None:
    assert seen(tables) == 0
    wrong = copy.deepcopy(tables)
    place = np.flatnonzero(wrong[table][column])[-1]
    wrong[table][column][place] += 1
    assert seen(wrong) == 1


def test_balances_are_recorded_on_request_only() -> None:
    plain = run(market({"all": people((900.0, {"BTC": 1}), (900.0, {"BTC": -1}))}))
    assert plain["totals"]["step"].size == 4
    assert plain["balances"]["step"].size == 0
