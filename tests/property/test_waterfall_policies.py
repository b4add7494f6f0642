"""Whatever the rules of the waterfall: money and lots are conserved, and who paid whom adds up."""

from __future__ import annotations

import pytest

from stresslab.contagion.check import check
from stresslab.core.events import TABLES
from tests.markets import fall, lively, model_of

RULES = [
    ("limit_order_book", "min_max", "by_profit", "by_open_interest", 0.37, True),
    ("limit_order_book", "by_equity", "by_contracts", "on_withdrawal", 0.5, False),
    ("limit_order_book", "profit_times_margin_ratio", "min_max", "by_profit", 0.9, True),
    ("impact", "by_risk", "price_ratio_times_leverage", "by_equity", 0.6, False),
]


@pytest.mark.parametrize(("book", "lots", "cash", "shared", "severity", "flags"), RULES)
def test_every_deficit_is_paid_by_those_named(book, lots, cash, shared, severity, flags):
    """The run itself stops at a unit too many; the check compares payers with what was covered."""
    scenario = lively(
        book,
        liquidation={
            "feedback": "market",
            "insurance_fund_usd": 100.0,
            "insurance_fund_by_asset_usd": {"ETH": 50.0},
            "position_adl": {"kind": lots},
            "profit_haircut": {"kind": cash},
            "socialised_loss": {"kind": shared},
            "adl_severity": severity,
            "adl_on_exhausted_book": flags,
            "deficit_keeps_market": flags,
        },
        duration_seconds=25.0,
        market__shocks={"s": fall(0.4, at=10.0), "t": fall(0.3, "ETH", at=15.0)},
    )
    log = model_of(scenario, seed=3).run()
    tables = {name: log.columns(name) for name in TABLES}
    assert len(tables["waterfall"]["step"]) > 10
    assert len(tables["adl"]["step"]) > 10 and len(tables["socialised"]["step"]) > 10
    check(tables)
    assert tables["path"]["insurance_fund_micro_usd"].min() >= 0
    assert tables["totals"]["insurance_fund_micro_usd"].min() >= 0
