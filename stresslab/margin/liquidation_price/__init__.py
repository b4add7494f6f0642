"""Prices at which venues liquidate, as they publish or display them, one file per family.

They are about a position as a trader sees it. The engine asks for no price: it compares equity
with maintenance margin at the marks, to the micro-USD.

In all of them ``side`` is +1 long and -1 short, ``quantity`` is base coins without sign, ``size``
is signed, prices and money are in the quote currency, rates are fractions of notional.
"""

from stresslab.margin.liquidation_price.cross import dydx, hyperliquid, hyperliquid_raw, kucoin
from stresslab.margin.liquidation_price.displayed import displayed_bankruptcy, displayed_price
from stresslab.margin.liquidation_price.inverse import (
    inverse,
    inverse_fee_inside,
    inverse_with_fee_at_bankruptcy,
)
from stresslab.margin.liquidation_price.linear import (
    entry_maintenance,
    fee_inside,
    from_margin_ratio,
    position_fields,
)
from stresslab.margin.liquidation_price.tiered import Leg, TabledLeg, linear, linear_in_tables

__all__ = [
    "Leg",
    "TabledLeg",
    "displayed_bankruptcy",
    "displayed_price",
    "dydx",
    "entry_maintenance",
    "fee_inside",
    "from_margin_ratio",
    "hyperliquid",
    "hyperliquid_raw",
    "inverse",
    "inverse_fee_inside",
    "inverse_with_fee_at_bankruptcy",
    "kucoin",
    "linear",
    "linear_in_tables",
    "position_fields",
]
