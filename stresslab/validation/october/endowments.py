"""Who could have paid for the deficits of a wave: winners drawn from published sums, or given."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

import numpy as np

from stresslab.core.errors import ConfigError
from stresslab.validation.october.facts import Wave

WINNERS = 2_000  # drawn for a wave
_TAIL = 0.87  # Hill estimate of ADL notional per user at the top 1 %
_BARE = 9  # rank of the winner whose equity is all profit
_TAIL_RANGE = 1e6  # largest profit that may be drawn, over the smallest
_COVER = (4.41, 0.733)  # equity over profit: median, and its log's deviation from the deciles
_LEVERAGE = (0.43, 1.6)  # of users: median, deviation of the log
_MICRO = 1_000_000
#: Columns of a user's own file, or of the table of users that HyperMultiAssetedADL publishes.
_COLUMNS = (("equity_usd", "profit_usd"), ("account_value_realtime", "closed_pnl"))


class Winners(NamedTuple):
    """Accounts in profit, one row each; micro-USD."""

    profit: np.ndarray  # (n,) that may be seized, at most the equity
    equity: np.ndarray  # (n,)
    notional: np.ndarray  # (n,)


def drawn(wave: Wave, seed: int) -> Winners:
    """Return winners whose profits and equities add up to those of a wave.

    Profits have the Pareto tail measured on the day, equity over profit the published median and
    deciles before it is stretched to the published sum. The equity of one among the largest is its
    profit, as that of somebody was in eleven of the sixteen waves.
    """
    rng = np.random.Generator(np.random.Philox(key=[seed, wave.number]))
    kept = 1.0 - _TAIL_RANGE**-_TAIL
    profit = np.sort((1.0 - kept * rng.random(WINNERS)) ** (-1.0 / _TAIL))[::-1]
    profit *= wave.capacity / profit.sum()
    cover = _COVER[0] * np.exp(_COVER[1] * rng.standard_normal(WINNERS))
    beyond = np.maximum(cover - 1.0, 0.0)
    beyond[_BARE] = 0.0
    beyond *= (wave.equity - wave.capacity) / (profit @ beyond)
    leverage = _LEVERAGE[0] * np.exp(_LEVERAGE[1] * rng.standard_normal(WINNERS))
    return _whole(profit, profit * (1.0 + beyond), leverage)


def given(path: Path) -> Winners:
    """Return the winners of a table: ``equity_usd`` and ``profit_usd``, one row an account.

    The columns ``account_value_realtime`` and ``closed_pnl`` will do as well. Accounts without
    equity or profit are left out.

    Raises
    ------
    ConfigError
        If the table cannot be read, lacks the columns, or holds nobody in profit.
    """
    equity, profit = _columns(path)
    kept = (equity > 0) & (profit > 0)
    if not kept.any():
        raise ConfigError(f"{path}: nobody has both equity and profit")
    equity, profit = equity[kept], profit[kept]
    return _whole(np.minimum(profit, equity), equity, np.full(equity.size, _LEVERAGE[0]))


def _columns(path: Path) -> tuple[np.ndarray, np.ndarray]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    names = next((pair for pair in _COLUMNS if rows and set(pair) <= rows[0].keys()), None)
    if names is None:
        raise ConfigError(f"{path}: has no columns {' and '.join(_COLUMNS[0])}")
    try:
        equity, profit = ([float(row[name]) for row in rows] for name in names)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{path}: {error}") from error
    return np.asarray(equity), np.asarray(profit)


def _whole(profit: np.ndarray, equity: np.ndarray, leverage: np.ndarray) -> Winners:
    whole = [np.rint(each * _MICRO).astype(np.int64) for each in (profit, equity)]
    return Winners(whole[0], np.maximum(whole[1], whole[0]),
                   np.rint(equity * leverage * _MICRO).astype(np.int64))  # fmt: skip
