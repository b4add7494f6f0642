"""What was closed by force in a run: sales in the market and deleveraging, fill by fill."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stresslab.results.frames import Tables

_MICRO = 1e-6


class Forced(NamedTuple):
    """Fills of perpetuals that were closed by force; seconds count from the first liquidation."""

    names: tuple[str, ...]  # of the perpetuals, which come first among the assets
    market_seconds: np.ndarray  # (n,)
    market_asset: np.ndarray  # (n,)
    market_account: np.ndarray  # (n,)
    market_usd: np.ndarray  # (n,)
    adl_seconds: np.ndarray  # (m,)
    adl_asset: np.ndarray  # (m,)
    adl_account: np.ndarray  # (m,) winner
    adl_usd: np.ndarray  # (m,) at the mark
    adl_loss_usd: np.ndarray  # (m,) of the winner against the mark
    adl_loser: np.ndarray  # (m,) liquidated account
    adl_step: np.ndarray  # (m,) row of the path
    adl_lots: np.ndarray  # (m,) signed
    lot_usd: np.ndarray  # (steps, perpetuals) value of a lot at the mark

    def liquidated_accounts(self, asset: int) -> np.ndarray:
        """Return who was closed by force in an asset, in its market or against winners."""
        in_market = self.market_account[self.market_asset == asset]
        return np.union1d(in_market, self.adl_loser[self.adl_asset == asset])

    def taken_by_waves(self, waves: np.ndarray) -> float:
        """Return what deleveraging took from winners, valued at the end of its wave, USD.

        Each winner and wave: equity without its fills less equity with them, on the prices that
        came about, where that is positive (Chitra 2025, wealth removed at horizon 0).
        """
        last = np.zeros(int(waves.max()) + 1, np.int64)
        np.maximum.at(last, waves, self.adl_step)
        at_fill = self.lot_usd[self.adl_step, self.adl_asset]
        at_end = self.lot_usd[last[waves], self.adl_asset]
        lost = self.adl_loss_usd + self.adl_lots * (at_fill - at_end)
        _, pair = np.unique(np.stack([waves, self.adl_account]), axis=1, return_inverse=True)
        return float(np.maximum(np.bincount(pair.ravel(), lost), 0.0).sum())


def forced(tables: Tables) -> Forced:
    """Return the fills of a run's event log."""
    assets, path = tables["assets"], tables["path"]
    names = tuple(
        str(name)
        for name, kind in zip(assets["name"], assets["kind"], strict=True)
        if kind == "perpetual"
    )
    n_steps = tables["totals"]["step"].size
    ticks = path["mark_ticks"].reshape(n_steps, -1)[:, : len(names)]
    lot_usd = ticks * assets["unit_value_micro_usd"][: len(names)] * _MICRO
    orders, winners = tables["forced_orders"], tables["adl"]
    filled = (orders["filled_lots"] != 0) & (orders["asset"] < len(names))
    handed = winners["lots"] != 0
    first = int(path["step"][0])
    seconds = tables["totals"]["seconds"]
    begin = tables["liquidations"]["step"]
    zero = seconds[int(begin.min()) - first] if begin.size else 0.0
    row = winners["step"][handed] - first
    asset, lots = winners["asset"][handed], winners["lots"][handed]
    loser_of = dict(
        zip(
            tables["liquidations"]["liquidation"].tolist(),
            tables["liquidations"]["account"].tolist(),
            strict=True,
        )
    )
    return Forced(
        names,
        seconds[orders["step"][filled] - first] - zero,
        orders["asset"][filled],
        orders["account"][filled],
        np.abs(orders["cash_micro_usd"][filled]) * _MICRO,
        seconds[row] - zero,
        asset,
        winners["account"][handed],
        np.abs(lots) * lot_usd[row, asset],
        winners["loss_micro_usd"][handed] * _MICRO,
        np.array([loser_of[each] for each in winners["liquidation"][handed].tolist()], np.int64),
        row,
        lots,
        lot_usd,
    )
