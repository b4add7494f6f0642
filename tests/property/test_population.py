"""Populations and chance: nobody's draws depend on who else is there, nor on rows or shares."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from stresslab.core.columns import Accounts, Market, make_accounts
from stresslab.core.events import CROSS, ISOLATED
from stresslab.core.random import Streams
from stresslab.traders.choice.fixed_share import FixedShare
from stresslab.traders.choice.logit import Logit
from stresslab.traders.crowd import Crowd
from stresslab.traders.population import Population
from stresslab.traders.rules import TraderGroup
from tests.toy_traders import INSTRUMENTS, draw, groups_of, rows_of, speculators

N_STEPS = 30
DRAWN = ("wealth", "leverage", "risk_aversion", "trait", "trades", "n_traded")


def _config(**changes: Any) -> dict[str, dict[str, Any]]:
    """Return a crowd of every strategy."""
    people: dict[str, Any] = {"count": 20, "wealth": {"kind": "lognormal", "median_usd": 1e5}}
    makers = {"strategy": {"kind": "market_maker"}, "is_counterparty": True, **people}
    return {
        "makers": {**makers, "seconds_between_turns": 0.0},
        "speculators": speculators(60),
        "noise": {"strategy": {"kind": "noise"}, **people},
        "momentum": {"strategy": {"kind": "momentum"}, **people},
        "dip_buyers": {"strategy": {"kind": "fundamental"}, **people},
        "pairs": {"strategy": {"kind": "hedger"}, "holdings": {"kind": "pair"}, **people},
        **changes,
    }


def _crowd(groups: dict[str, TraderGroup], population: Population, margin_mode: Any) -> Crowd:
    """Return the population at work, its positions opened in cash of one cross pool."""
    n_assets, n_traders = population.position.shape
    accounts = make_accounts(n_traders, n_assets)
    accounts.id[:] = population.id
    accounts.position[:] = population.position
    spent = population.position * INSTRUMENTS.lot_value[:, np.newaxis]
    accounts.wallet[:] = population.columns.wealth - spent.sum(axis=0)
    accounts.mode[:] = np.where(population.position != 0, CROSS, 0)
    market, streams = _market(), Streams(1, 0)
    crowd = Crowd(groups, margin_mode, population, accounts, market, streams, 1.0, N_STEPS)
    crowd.prepare()
    return crowd


def _market() -> Market:
    flat = np.zeros(4)
    return Market(
        step=np.zeros(1, np.int64),
        index=INSTRUMENTS.price.copy(),
        mark=INSTRUMENTS.price * 98 // 100,
        best_bid=INSTRUMENTS.price * 97 // 100,
        best_ask=INSTRUMENTS.price * 99 // 100,
        trend=flat - 1e-4,
        volatility=flat + 2e-4,
        normal_volatility=flat + 1e-4,
        correlation=0.5 + 0.5 * np.eye(4),
        unit_value=INSTRUMENTS.unit_value,
        initial_rate=np.array([0.01, 0.02, 0.05, 1.0]),
        is_spot=INSTRUMENTS.is_spot,
    )


def _accounts(crowd: Crowd) -> Accounts:
    return crowd.groups[0].accounts


def _orders(crowd: Crowd) -> list[list[tuple[int, ...]]]:
    """Return the orders of each step, traders by their ids."""
    ids, market = _accounts(crowd).id, crowd.groups[0].market
    steps = []
    for step in range(1, N_STEPS + 1):
        market.step[0] = step
        rows = rows_of(crowd.decide(step))
        steps.append(sorted((int(ids[row]), *order) for row, *order in rows))
    return steps


def test_another_trader_changes_nobody_elses_draws() -> None:
    before = draw(groups_of(**_config()))
    after = draw(groups_of(**_config(speculators=speculators(61))))

    assert after.id.size == before.id.size + 1
    kept = np.isin(after.id, before.id)
    assert after.id[kept].tolist() == before.id.tolist()
    for name in DRAWN:
        old, new = getattr(before.columns, name), getattr(after.columns, name)
        np.testing.assert_array_equal(old, new[..., kept])
    held = before.position != 0
    same_side = np.sign(before.position[held]) == np.sign(after.position[:, kept][held])
    assert same_side[np.tile(before.columns.group, (4, 1))[held] == 1].all()


def test_another_seed_changes_the_people() -> None:
    groups = groups_of(**_config())
    assert draw(groups, seed=1).position.tolist() != draw(groups, seed=2).position.tolist()


@pytest.mark.parametrize("margin_mode", [FixedShare(cross_share=0.5), Logit()])
def test_rows_do_not_matter_ids_do(margin_mode: Any) -> None:
    groups = groups_of(**_config())
    plain = draw(groups)
    mixed = draw(groups).permuted(np.random.default_rng(0).permutation(plain.id.size))

    left, right = _crowd(groups, plain, margin_mode), _crowd(groups, mixed, margin_mode)
    orders = _orders(left)

    assert sum(map(len, orders)) > 1_000
    assert orders == _orders(right)
    order = np.argsort(_accounts(right).id)
    np.testing.assert_array_equal(
        _accounts(left).chosen_mode, _accounts(right).chosen_mode[:, order]
    )


def test_margin_modes_change_neither_people_nor_positions() -> None:
    groups = groups_of(**_config())
    changed = groups_of(**_config(speculators=speculators(60, margin_mode={
        "kind": "fixed_share", "cross_share": 1.0}
    )))  # fmt: skip
    np.testing.assert_array_equal(draw(groups).position, draw(changed).position)


def test_cross_shares_are_nested() -> None:
    groups = groups_of(**_config())
    before: set[int] = set()
    sizes = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        accounts = _accounts(_crowd(groups, draw(groups), FixedShare(cross_share=share)))
        perpetual = accounts.chosen_mode[:3]
        assert (perpetual == perpetual[0]).all(), "a trader has two modes"
        now = set(accounts.id[perpetual[0] == CROSS].tolist())
        assert before <= now
        before = now
        sizes.append(len(now) / accounts.id.size)
    assert sizes[0] == 0.0 and sizes[-1] == 1.0
    assert sizes[1:4] == pytest.approx([0.25, 0.5, 0.75], abs=0.12)


def test_spot_is_always_in_the_cross_pool() -> None:
    groups = groups_of(**_config())
    for margin_mode in (FixedShare(cross_share=0.0), Logit(constant=-20.0)):
        accounts = _accounts(_crowd(groups, draw(groups), margin_mode))
        assert (accounts.chosen_mode[:3] == ISOLATED).all()
        assert (accounts.chosen_mode[3] == CROSS).all()


def test_a_group_may_choose_for_itself() -> None:
    own = {"kind": "fixed_share", "cross_share": 1.0}
    groups = groups_of(**_config(speculators=speculators(60, margin_mode=own)))
    crowd = _crowd(groups, draw(groups), FixedShare(cross_share=0.0))
    is_speculator = crowd.columns.group == 1
    chosen = _accounts(crowd).chosen_mode[:3]
    assert (chosen[:, is_speculator] == CROSS).all()
    assert (chosen[:, ~is_speculator] == ISOLATED).all()
