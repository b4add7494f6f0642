"""Parts of the experiment on auto-deleveraging that its own checks rest on."""

from __future__ import annotations

import numpy as np

from stresslab.validation.experiment import Size
from stresslab.validation.experiments import adl_rules
from stresslab.validation.winners import bills_of, broken_by


def test_bills_by_hand() -> None:
    """Profits 6, 3 and 1 of wallets 4, 1 and 9: pro rata tenths, the queue by leverage."""
    profit, wallet = np.array([600, 300, 100]), np.array([400, 100, 900])
    assert bills_of("by_profit", profit, wallet, 100).tolist() == [60, 30, 10]
    assert bills_of("profit_times_leverage", profit, wallet, 500).tolist() == [200, 300, 0]


def test_each_way_to_be_unfair_is_seen() -> None:
    profit, wallet = np.array([600, 300, 100]), np.array([400, 100, 900])
    assert broken_by("by_profit", profit, wallet, 200, 0.5) == (False, False, False)
    assert broken_by("profit_times_leverage", profit, wallet, 250, 0.8) == (True, True, True)


def test_every_claim_of_fairness_fails_in_the_control() -> None:
    failed = {c.what for c in adl_rules.control(Size.QUICK, 1).checks if not c.passed}
    words = ("splitting", "order of profits", "half", "equity of winner")
    assert all(any(word in what for what in failed) for word in words)
    assert not any("price" in what for what in failed)
