"""Compiled rule of :class:`stresslab.traders.strategies.market_maker.MarketMaker`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from stresslab.core.columns import CANCEL_ALL, POST_ONLY, QUOTE, Orders
from stresslab.core.compiled import kernel
from stresslab.traders.kernels.common import Sight, equity_of, lots_of, send, spread_around


@kernel
def decide_market_maker(rows: np.ndarray, values: Any, sight: Sight, orders: Orders) -> None:
    """Append the orders of the market makers in ``rows``."""
    cash, position, lot_value, trades = sight.cash, sight.position, sight.lot_value, sight.trades
    trait, index, mark, is_spot = sight.trait, sight.index, sight.mark, sight.is_spot
    best_bid, best_ask = sight.best_bid, sight.best_ask
    volatility, normal_volatility = sight.volatility, sight.normal_volatility
    for row in rows:
        equity = equity_of(cash, position, lot_value, row)
        half_spread = spread_around(values.half_spread, values.dispersion, trait[row])
        for asset in range(lot_value.size):
            if trades[asset, row] == 0:
                continue
            send(orders, row, asset, CANCEL_ALL, 0, 0, 0, QUOTE)
            normal = normal_volatility[asset]
            roughness = max(1.0, volatility[asset] / normal) if normal > 0.0 else 1.0
            if equity <= 0 or roughness > values.withdraw_at:
                continue
            wider = 1.0 + values.widening * (roughness - 1.0)
            half, spacing = half_spread * wider, values.level_spacing
            held, value = position[asset, row], lot_value[asset]
            limit = lots_of(values.inventory_limit * equity, value)
            inventory = min(1.0, max(-1.0, held / limit)) if limit > 0 else 0.0
            at_mark = np.float64(mark[asset])
            fair = at_mark + values.anchor * (np.float64(index[asset]) - at_mark)
            centre = fair * (1.0 - values.inventory_skew * half * inventory)
            buying = limit - held
            selling = held if is_spot[asset] == 1 else limit + held
            for level in range(values.n_levels):
                distance = half + level * spacing * wider
                size = lots_of(
                    values.quote_size * equity * (1.0 + values.size_growth * level), value
                )
                bid = np.int64(math.floor(centre * (1.0 - distance)))
                ask = max(1, np.int64(math.ceil(centre * (1.0 + distance))))
                if best_ask[asset] > 0:
                    bid = min(bid, best_ask[asset] - 1)
                if best_bid[asset] > 0:
                    ask = max(ask, best_bid[asset] + 1)
                if bid > 0 and min(size, buying) > 0:
                    send(orders, row, asset, POST_ONLY, min(size, buying), bid, 0, QUOTE)
                if min(size, selling) > 0:
                    send(orders, row, asset, POST_ONLY, -min(size, selling), ask, 0, QUOTE)
                buying -= size
                selling -= size
