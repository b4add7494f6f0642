"""The columns that belong to traders alone, beside their accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from stresslab.traders.stops import MARKET_STOP

if TYPE_CHECKING:
    import numpy as np

#: Value of ``reentry_step`` while no return to the market is planned.
NOT_PLANNED = -1
#: Value of a hedge leg that a trader does not have.
NO_LEG = -1


class TraderColumns(NamedTuple):
    """What a trader is and remembers; ``asset`` is the first axis of two-dimensional columns."""

    group: np.ndarray  # (N,) place of the trader's group in the config
    wealth: np.ndarray  # (N,) equity of the whole account before the first step, micro-USD
    leverage: np.ndarray  # (N,) target leverage, notional over equity
    risk_aversion: np.ndarray  # (N,) standardised: mean 0, standard deviation 1
    trait: np.ndarray  # (N,) uniform in (0, 1), fixed for good: spreads thresholds in a group
    trades: np.ndarray  # (A, N) int8, 1 for the assets that the trader trades
    n_traded: np.ndarray  # (N,) their number
    first_leg: np.ndarray  # (N,) asset of a hedge's first leg, NO_LEG if none
    second_leg: np.ndarray  # (N,) asset of the second leg
    stop_ticks: np.ndarray  # (A, N) price at which the position is to be closed, 0 for none
    stop_distance: np.ndarray  # (N,) part of the margin lost at the stop, 0 for no stop
    take_profit_ticks: np.ndarray  # (A, N) price at which profit is to be taken, 0 for none
    take_profit_distance: np.ndarray  # (N,) part of the margin gained there, 0 for none
    waiting_ticks: np.ndarray  # (A, N) limit of a triggered stop that is not filled, 0 for none
    stop_trigger: np.ndarray  # (N,) place in TRIGGERS of the price that stop orders watch
    stop_offset: np.ndarray  # (N,) limit beyond the trigger, of it; negative: a market order
    reentry_step: np.ndarray  # (A, N) first step of a new position, or NOT_PLANNED
    topup_probability: np.ndarray  # (N,) chance of answering a margin call
    topup_fraction: np.ndarray  # (N,) part of the free wallet cash then moved into the silo
    cut_probability: np.ndarray  # (N,) chance of cutting positions after a margin call
    cut_fraction: np.ndarray  # (N,) part of each position then closed
    seen_liquidations: np.ndarray  # (N,) own liquidations already counted in ``experience``
    experience: np.ndarray  # (N,) own liquidations under isolated margin less those under cross


def make_columns(n_traders: int, n_assets: int) -> TraderColumns:
    """Return columns of traders without wealth, leverage 1, no assets, no stops."""
    import numpy as np  # here, so that checking a config need not load it

    def per_trader(kind: type = np.int64) -> np.ndarray:
        return np.zeros(n_traders, kind)

    return TraderColumns(
        group=per_trader(),
        wealth=per_trader(),
        leverage=np.ones(n_traders),
        risk_aversion=per_trader(np.float64),
        trait=np.full(n_traders, 0.5),
        trades=np.zeros((n_assets, n_traders), np.int8),
        n_traded=per_trader(),
        first_leg=np.full(n_traders, NO_LEG),
        second_leg=np.full(n_traders, NO_LEG),
        stop_ticks=np.zeros((n_assets, n_traders), np.int64),
        stop_distance=per_trader(np.float64),
        take_profit_ticks=np.zeros((n_assets, n_traders), np.int64),
        take_profit_distance=per_trader(np.float64),
        waiting_ticks=np.zeros((n_assets, n_traders), np.int64),
        stop_trigger=per_trader(),
        stop_offset=np.full(n_traders, MARKET_STOP),
        reentry_step=np.zeros((n_assets, n_traders), np.int64),
        topup_probability=per_trader(np.float64),
        topup_fraction=per_trader(np.float64),
        cut_probability=per_trader(np.float64),
        cut_fraction=per_trader(np.float64),
        seen_liquidations=per_trader(),
        experience=per_trader(),
    )
