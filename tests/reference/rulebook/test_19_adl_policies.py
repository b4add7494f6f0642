"""19. Auto-deleveraging: what each policy takes of profits in cash, to the unit.

Lots are worth 100 USD at first; people meet in a deep impact book against `external`.
"""

from __future__ import annotations

from fractions import Fraction

import pytest

from stresslab.liquidation.adl import ADL_POLICIES
from stresslab.liquidation.division import Queue
from tests.markets import TICKS, USD, buy_at_market, market, people, rows, scripted, tables_of
from tests.reference.adl_markets import PAID, every_policy

QUEUES = [name for name, kind in ADL_POLICIES.items() if issubclass(kind, Queue)]
SHARES = [name for name in ADL_POLICIES if name not in QUEUES]
BOTTOMLESS = {"kind": "impact", "law": {"kind": "linear", "depth_usd": 1e18}}


def test_the_policies_are_those_of_the_rulebook():
    assert len(QUEUES) == 3 and len(SHARES) == 5


# -- V8: five accounts with equity 10, 5, 1, -3, -12 and profit 8, 4, 1/2, -3, -12 -----------------


def five(policy: str, severity: float = 0.5):
    """Return those accounts in units of 1,000 USD when all prices have halved.

    Winners are short 160, 80 and 10 lots, losers long 80 and 300; account 2 has a small position
    in a second market, which makes its leverage the highest, 0.92 against 0.8 and 0.5.
    """
    model = scripted(
        market(
            {
                "winners": people((2000.0, {}), (1000.0, {}), (500.0, {})),
                "losers": people((1000.0, {}), (3000.0, {})),
            },
            assets=("BTC", "ETH"),
            market__book=BOTTOMLESS,
            liquidation__insurance_fund_usd=0.0,
            liquidation__adl_severity=severity,
            liquidation__profit_haircut={"kind": policy},
            liquidation__socialised_loss={"kind": "on_withdrawal"},  # so that only ADL is seen
        ),
        {
            1: [
                buy_at_market(row, lots)
                for row, lots in enumerate((-160, -80, -10, 80, 300))
            ] + [buy_at_market(1, 6, asset=1)]
        },
    )  # fmt: skip
    model.world.index[2:, 0] = TICKS // 2
    return model


def five_after(policy: str, severity: float = 0.5):
    """Return equity of the winners in units after settlement, who paid what, and the tables."""
    model = five(policy, severity)
    tables = tables_of(model)
    deficits = [row[0] for row in rows(tables, "waterfall", *PAID)]
    assert deficits == [3000 * USD, 12_000 * USD]
    seized = dict.fromkeys(range(3), 0)
    for account, loss in rows(tables, "adl", "account", "loss_micro_usd"):
        seized[account] += loss
    assert not tables["adl"]["lots"].any(), "positions are untouched"
    assert model.world.clearing.accounts.position[0, :3].tolist() == [-160, -80, -10]
    return [Fraction(seized[n], 1000 * USD) for n in range(3)], tables


def test_the_queue_takes_all_of_the_second_then_of_the_first():
    seized, _ = five_after("profit_times_leverage")
    assert seized == [Fraction(7, 2), 4, 0]
    assert [e - s for e, s in zip((10, 5, 1), seized, strict=True)] == [Fraction(13, 2), 1, 1]


def test_pro_rata_takes_six_tenths_of_every_profit():
    seized, _ = five_after("by_profit")
    assert seized == [Fraction(24, 5), Fraction(12, 5), Fraction(3, 10)]
    left = [e - s for e, s in zip((10, 5, 1), seized, strict=True)]
    assert left == [Fraction(26, 5), Fraction(13, 5), Fraction(7, 10)]


def test_pro_rata_by_equity_takes_the_same_part_of_equity_up_to_the_profit():
    """1.5 then 6 of 16 and 14.5: 7.5 / 16 of each would be 4.6875, 2.34375, 0.46875."""
    seized, _ = five_after("by_equity")
    assert seized == [Fraction(75, 16), Fraction(75, 32), Fraction(15, 32)]
    seized, _ = five_after("by_equity", severity=0.6)  # 9 / 16 of 1 is more than 1/2
    assert seized[2] == Fraction(1, 2)
    assert sum(seized) == 9 and abs(seized[0] - 2 * seized[1]) <= Fraction(2, 1000 * USD)


def test_pro_rata_in_contracts_follows_the_lots():
    seized, _ = five_after("by_contracts")
    assert seized == [Fraction(24, 5), Fraction(12, 5), Fraction(3, 10)], "lots are 160 : 80 : 10"


def test_min_max_of_money_is_pro_rata_by_equity():
    assert five_after("min_max")[0] == five_after("by_equity")[0]


@every_policy
@pytest.mark.parametrize("severity", [0.0, 0.1, 0.5, 0.75])
def test_what_is_seized_is_severity_times_the_deficit_to_the_unit(policy, severity):
    seized, tables = five_after(policy, severity)
    assert sum(seized) == 15 * Fraction(str(severity))
    assert all(
        (d, adl + socialised) == (adl + socialised, d) and adl == d * Fraction(str(severity))
        for d, _, adl, socialised in rows(tables, "waterfall", *PAID)
    )


@every_policy
def test_no_policy_takes_more_than_the_profits(policy):
    """All of the deficit is wanted, 15, and the profits are 12.5: the rest is socialised."""
    seized, tables = five_after(policy, 1.0)
    assert seized == [8, 4, Fraction(1, 2)]
    assert sum(row[3] for row in rows(tables, "waterfall", *PAID)) == 2500 * USD
