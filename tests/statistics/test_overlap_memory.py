"""Why finite markets of overlapping portfolios fall beyond the branching process's window.

In a branching process no account is hit in two of its assets and no asset by two sellers from
outside. Markets of which the same is made true meet it; what losses that add up do is the rest.
``STRESSLAB_OVERLAP_DRAWS`` sets how many markets are drawn.
"""

from __future__ import annotations

import os
from typing import NamedTuple

import numpy as np
import pytest

from stresslab.contagion.networks import overlap_contagion
from stresslab.validation.experiment import seed_of
from stresslab.validation.overlap_market import (
    IMPACT,
    MAINTENANCE,
    PORTFOLIO,
    Portfolios,
    by_hand,
    draw,
    tolerance,
)

DRAWS = int(os.environ.get("STRESSLAB_OVERLAP_DRAWS", "250"))
N, LEVERAGE, SYSTEMIC = 1000, 10, 0.05


class Shares(NamedTuple):
    """How often more than 5 % of the accounts fall."""

    adding_up: float  # as markets are
    once: float  # every account and every asset is hit once


@pytest.fixture(scope="module", params=[2.0, 4.0])
def found(request: pytest.FixtureRequest) -> tuple[float, Shares]:
    rng = np.random.Generator(np.random.Philox(key=seed_of(f"overlap memory {request.param}")))
    drawn = [draw(request.param, N, N, rng) for _ in range(DRAWS)]
    shares = ((is_large(by_hand(d, LEVERAGE), d), is_large(hit_once(d), d)) for d in drawn)
    return request.param, Shares(*np.mean(list(shares), axis=0).tolist())


def is_large(fallen: np.ndarray, drawn: Portfolios) -> bool:
    return bool(fallen.sum() > SYSTEMIC * drawn.n_holders)


def hit_once(drawn: Portfolios) -> np.ndarray:
    """Return who falls if only the worst of an account's assets costs it anything.

    An asset takes the sale of the first who sells there because of another asset, and of those whom
    the asset itself fells.
    """
    held, owned = np.maximum(drawn.in_assets, 1), drawn.in_accounts
    limit = (PORTFOLIO / LEVERAGE - MAINTENANCE * owned) / (1 - MAINTENANCE)
    by_account = drawn.lots.T.tocsr()
    account = np.repeat(np.arange(owned.size), np.diff(by_account.indptr))
    asset, lots = by_account.indices, by_account.data
    out = np.arange(owned.size) == drawn.first
    sold = np.zeros(held.size)
    np.add.at(sold, asset[out[account]], lots[out[account]])
    is_hit = sold > 0
    while True:
        lost = lots * -np.expm1(-IMPACT * sold / held)[asset]
        worst = np.zeros(owned.size)
        np.maximum.at(worst, account, lost)
        new = (worst > limit) & ~out
        if not new.any():
            return out & (np.arange(owned.size) != drawn.first)
        out |= new
        felled = np.flatnonzero(new[account] & (lost == worst[account]))
        felled = felled[np.unique(account[felled], return_index=True)[1]]
        np.add.at(sold, asset[felled], lots[felled])
        carried = np.setdiff1d(np.flatnonzero(new[account]), felled)
        carried = carried[~is_hit[asset[carried]]]
        carried = carried[np.unique(asset[carried], return_index=True)[1]]
        sold[asset[carried]] += lots[carried]
        is_hit[asset[carried]] = True


def test_where_all_is_hit_once_markets_meet_the_branching_process(
    found: tuple[float, Shares],
) -> None:
    """At 4 assets trees that die out, but after 5 % of 1,000 accounts, are 2 % more."""
    mean_assets, shares = found
    predicted = overlap_contagion(mean_assets, tolerance(LEVERAGE), IMPACT).frequency
    error = (max(predicted, 0.03) * (1 - predicted) / DRAWS) ** 0.5
    assert predicted == 0.0 or predicted > 0.7
    assert shares.once == pytest.approx(predicted, abs=0.025 + 4 * error)


def test_beyond_the_window_losses_that_add_up_take_markets_down(
    found: tuple[float, Shares],
) -> None:
    mean_assets, shares = found
    error = (0.15 / DRAWS) ** 0.5
    if mean_assets == 4.0:
        assert shares.adding_up > shares.once + 4 * error
    else:
        assert shares.adding_up == pytest.approx(shares.once, abs=4 * error)
