"""Losses by fire sales, on holders worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.contagion.networks import vulnerable_banks
from stresslab.core.errors import StresslabError

#: Two holders: 60 and 40 of the assets, and 100 of the second one. Leverage 10 and 5.
HELD, EQUITY, DEBT = [[60.0, 40.0], [0.0, 100.0]], [10.0, 20.0], [90.0, 80.0]
SHOCK, SLOPE = [0.1, 0.0], [1e-3, 2e-3]


def test_two_holders_by_hand() -> None:
    found = vulnerable_banks(HELD, EQUITY, DEBT, SHOCK, SLOPE, capped=False)
    # The first loses 6, sells 54: 32.4 and 21.6. Prices fall by 3.24 % and 4.32 %.
    assert found.direct_loss == pytest.approx([6.0, 0.0])
    assert found.sales == pytest.approx([54.0, 0.0])
    assert found.price_fall == pytest.approx([0.0324, 0.0432])
    assert found.indirect_loss == pytest.approx([60 * 0.0324 + 40 * 0.0432, 4.32])
    assert found.vulnerability == pytest.approx([0.3672, 0.216])
    assert found.systemicness == pytest.approx([(3.672 + 4.32) / 30, 0.0])


def test_systemicness_adds_up_to_all_losses_and_sales_can_be_capped() -> None:
    rng = np.random.default_rng(1)
    held, equity, debt = rng.random((9, 4)), rng.random(9) + 0.1, 20 * rng.random(9)
    free = vulnerable_banks(held, equity, debt, np.full(4, 0.3), np.full(4, 0.1), capped=False)
    capped = vulnerable_banks(held, equity, debt, np.full(4, 0.3), np.full(4, 0.1))

    assert free.sales.max() > capped.sales.max()
    assert np.all(capped.sales <= held.sum(axis=1))
    for found in (free, capped):
        caused = found.systemicness.sum() * equity.sum()
        assert caused == pytest.approx(found.indirect_loss.sum())


def test_who_holds_nothing_sells_nothing() -> None:
    found = vulnerable_banks([[0.0], [1.0]], [1.0, 1.0], [9.0, 9.0], [0.1], [0.1])
    assert found.sales.tolist() == [0.0, pytest.approx(0.9)]
    assert found.systemicness[0] == found.indirect_loss[0] == 0.0


@pytest.mark.parametrize(
    ("equity", "slope", "words"),
    [([0.0, 1.0], SLOPE, "equity 0 is not above 0"), (EQUITY, [1e-3], r"illiquidity \(1,\)")],
)
def test_what_has_no_meaning_is_refused(equity, slope, words) -> None:
    with pytest.raises(StresslabError, match=words):
        vulnerable_banks(HELD, equity, DEBT, SHOCK, slope)
