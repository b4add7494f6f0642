"""DebtRank through prices: closed forms for two and three accounts, and what must not matter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stresslab.contagion import Contagion
from stresslab.contagion.networks import debtrank
from stresslab.contagion.networks.impact import standing
from stresslab.contagion.price_network import account_standing, price_network
from tests.unit.contagion.cases import hand_cascade, one_liquidation, tables


def test_losses_of_the_hand_cascade() -> None:
    """Depth is 20,000 USD: 1's 10,000 in A moves A by half a per cent, 2 holds 5,000 of it."""
    found = price_network(Contagion(hand_cascade()))
    assert found.account.tolist() == [1, 2, 3, 4]
    assert found.losses_usd[1, 0] == pytest.approx(5_000 * 0.005)
    assert found.losses_usd[2, 1] == pytest.approx(3_000 * 4_000 * 0.01 / 20_000)
    assert found.losses_usd[0, 2] == found.losses_usd[0, 0] == 0.0
    assert found.equity_usd.tolist() == [1_500, 1_600, 500, 660]


def test_the_other_side_does_not_lose() -> None:
    log = hand_cascade()
    log["positions"]["initial_lots"][1:3] *= -1  # account 2 is short now
    found = price_network(Contagion(log)).losses_usd
    assert found[1, 0] == found[0, 1] == 0.0
    assert found[3, 0] > 0.0


def test_two_accounts_have_a_closed_form() -> None:
    """Each passes on its loss over the other's equity: 20 / 100 and 20 / 50, weights 2 : 1."""
    losses = np.array([[0.0, 20.0], [20.0, 0.0]])
    found = standing(losses, np.array([100.0, 50.0]), np.array([2 / 3, 1 / 3]))
    assert found.impact == pytest.approx([1 / 3 * 0.4, 2 / 3 * 0.2])
    assert found.vulnerability == pytest.approx([0.2, 0.4])


@given(st.integers(1, 9), st.integers(0, 10_000))
def test_all_at_once_is_debtrank_one_by_one(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    losses = rng.random((n, n)) * (rng.random((n, n)) < 0.4)
    np.fill_diagonal(losses, 0.0)
    equity, weight = rng.random(n) + 0.2, rng.random(n)
    found = standing(losses, equity, weight)
    for node in range(n):
        hit = np.eye(n)[node]
        added, level = debtrank(losses, equity, hit, weight)
        assert found.impact[node] == pytest.approx(added, abs=1e-12)
        assert (level >= hit).all()
    order = rng.permutation(n)
    mixed = standing(losses[np.ix_(order, order)], equity[order], weight[order])
    assert mixed.impact == pytest.approx(found.impact[order])
    assert mixed.vulnerability == pytest.approx(found.vulnerability[order])


@pytest.mark.parametrize(("log", "n"), [(tables, 0), (one_liquidation, 0)], ids=["empty", "one"])
def test_small_markets(log, n: int) -> None:
    """The one account of the small log has no wealth, so it has no DebtRank."""
    ids, found = account_standing(Contagion(log()))
    assert len(ids) == len(found.impact) == len(found.vulnerability) == n


def test_one_account_alone_harms_nobody() -> None:
    found = standing(np.zeros((1, 1)), np.ones(1), np.ones(1))
    assert found.impact.tolist() == found.vulnerability.tolist() == [0.0]
