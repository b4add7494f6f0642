"""Winners drawn at random: what a policy asks of them, and which fairness it breaks."""

from __future__ import annotations

import numpy as np

from stresslab.liquidation.adl import ADL_POLICIES
from stresslab.liquidation.division import Contributors

_ROUNDING = 2  # micro-USD by which whole bills may differ from shares


def broken_by(
    policy: str, profit: np.ndarray, wallet: np.ndarray, amount: int, part: float
) -> tuple[bool, bool, bool]:
    """Tell whether a split, the order, or the scale of the bills is broken, beyond rounding.

    Parameters
    ----------
    profit, wallet, amount : of each winner, and what all pay, micro-USD
    part : of the first winner's profit that goes to one of the two it splits into, and of its
        wallet that goes to the other
    """
    bills = bills_of(policy, profit, wallet, amount)
    split = bills_of(
        policy, _split(profit, int(profit[0] * part)), _split(wallet, int(wallet[0] * (1 - part))),
        amount,
    )  # fmt: skip
    order = np.argsort(profit)
    left = (profit - bills)[order]
    twice = bills_of(policy, profit, wallet, 2 * amount)
    return (
        bool(abs(int(split[:2].sum() - bills[0])) > _ROUNDING),
        bool((np.diff(left) < -1).any()),
        bool((np.abs(twice - 2 * bills) > _ROUNDING).any()),
    )


def _split(whole: np.ndarray, part: int) -> np.ndarray:
    return np.concatenate([[part, whole[0] - part], whole[1:]])


def bills_of(policy: str, profit: np.ndarray, wallet: np.ndarray, amount: int) -> np.ndarray:
    """Return what each winner, short from 3 to 2, pays of an amount, micro-USD."""
    ones, most = np.ones(profit.size, np.int64), profit
    crowd = Contributors(
        side=-ones, lots=profit, value=2 * profit, cost=3 * profit, profit=profit,
        equity=wallet + profit, maintenance=profit // 10, notional=2 * profit, wallet=wallet,
        most=most, bearable=most,
    )  # fmt: skip
    place, asked = ADL_POLICIES[policy]().divide(amount, crowd)
    before = np.cumsum(asked) - asked
    bills = np.zeros(profit.size, np.int64)
    bills[place] = np.clip(amount - before, 0, asked)
    return bills
