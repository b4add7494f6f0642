"""Three accounts in a row, worked out on paper: the second shares an asset with each other one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.sparse import csr_array

from stresslab.validation.overlap_market import (
    IMPACT,
    PORTFOLIO,
    Portfolios,
    by_hand,
    in_the_market,
    tolerance,
)

HALF = PORTFOLIO // 2
IN_A_ROW = Portfolios(csr_array([[PORTFOLIO, HALF, 0], [0, HALF, PORTFOLIO]]), first=0)
#: Two thirds of A are sold, which costs the second account half of what A loses.
SECOND_LOSES = -math.expm1(-IMPACT * 2 / 3) / 2


@pytest.mark.parametrize(
    ("leverage", "falls"), [(10, True), (4.0, True), (3.9, False), (3.5, False)]
)
def test_the_second_falls_from_its_tolerance_on_and_takes_the_third_along(leverage, falls) -> None:
    assert (tolerance(leverage) < SECOND_LOSES) == falls
    # The third loses 1 - exp(-1.0536 / 3) = 29.6 % of all it has, more than the second.
    assert by_hand(IN_A_ROW, leverage).tolist() == [False, falls, falls]


def test_the_market_agrees_and_isolated_margin_keeps_to_the_first_asset() -> None:
    cross = in_the_market(IN_A_ROW, 10, seed=1)
    isolated = in_the_market(IN_A_ROW, 10, seed=1, cross=False)

    np.testing.assert_array_equal(cross.accounts, by_hand(IN_A_ROW, 10))
    assert cross.assets.tolist() == [True, True]
    assert isolated.accounts.tolist() == [False, True, False]
    assert isolated.assets.tolist() == [True, False]
