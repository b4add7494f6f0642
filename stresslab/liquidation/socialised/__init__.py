"""Socialised loss: who pays what no winner can. One file per variant and one line here."""

from __future__ import annotations

from stresslab.liquidation.adl.by_equity import ByEquity
from stresslab.liquidation.socialised.by_open_interest import ByOpenInterest
from stresslab.liquidation.socialised.by_profit import ByProfit
from stresslab.liquidation.socialised.on_withdrawal import OnWithdrawal

#: A variant shares a loss over all pools of other accounts that have equity.
SOCIALISED_LOSSES: dict[str, type] = {
    "by_equity": ByEquity,
    "by_open_interest": ByOpenInterest,
    "by_profit": ByProfit,
    "on_withdrawal": OnWithdrawal,
}
