"""Auto-deleveraging: which winners give how much. One file per policy and one line here."""

from __future__ import annotations

from stresslab.liquidation.adl.by_contracts import ByContracts
from stresslab.liquidation.adl.by_equity import ByEquity
from stresslab.liquidation.adl.by_profit import ByProfit
from stresslab.liquidation.adl.by_risk import ByRisk
from stresslab.liquidation.adl.min_max import MinMax
from stresslab.liquidation.adl.price_ratio_times_leverage import PriceRatioTimesLeverage
from stresslab.liquidation.adl.profit_times_leverage import ProfitTimesLeverage
from stresslab.liquidation.adl.profit_times_margin_ratio import ProfitTimesMarginRatio

#: A policy divides lots to be taken over, or money to be paid, among the winners of a market.
ADL_POLICIES: dict[str, type] = {
    "profit_times_leverage": ProfitTimesLeverage,
    "profit_times_margin_ratio": ProfitTimesMarginRatio,
    "price_ratio_times_leverage": PriceRatioTimesLeverage,
    "by_profit": ByProfit,
    "by_equity": ByEquity,
    "by_contracts": ByContracts,
    "by_risk": ByRisk,
    "min_max": MinMax,
}
