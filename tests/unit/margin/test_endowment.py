"""How initial wealth reaches the pools: same people in every mode, allotted as the config says."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

import numpy as np
import pytest

from stresslab.core.columns import make_accounts
from stresslab.core.errors import ConfigError
from stresslab.core.events import CROSS, ISOLATED
from stresslab.core.exact import apportion
from stresslab.margin.endowment import TILT_UNIT, endow, refuse_born_in_breach
from tests.markets import USD, drawn, market, model_of, people, state

HELD = {"BTC": 10, "ETH": -30}  # 1,000 and 3,000 USD: 100 and 300 USD of initial margin
RICH = people((1e6, {"BTC": -10, "ETH": 30}))


def born(wealth: float = 800.0, mode: str = "isolated", **changes):
    """Return the model of one account that holds two positions."""
    one = {**people((wealth, HELD), mode=mode), "free_wallet": changes.pop("free_wallet", 0.0)}
    return model_of(market({"one": one, "rich": RICH}, assets=("BTC", "ETH"), **changes))


def equities(model, row=0):
    """Return the equity of wallet and silos, USD."""
    return [state(model, row, pool)[0] / USD for pool in range(3)]


def test_wealth_is_allotted_in_proportion_to_initial_margin():
    assert equities(born(800.0)) == [0, 200, 600]


def test_what_backs_no_position_stays_in_the_wallet():
    assert equities(born(1000.0, free_wallet=0.2)) == [200, 200, 600]


def test_initial_margin_only_leaves_the_rest_in_the_wallet():
    assert equities(born(800.0, margin__allotment="initial_margin")) == [400, 100, 300]


def test_cross_keeps_everything_in_one_pool():
    model = born(800.0, "cross")
    assert equities(model) == [800, 0, 0]
    assert state(model, 0)[2] == 4000 * USD


def test_unequal_margin_moves_only_what_lies_beyond_initial_margin():
    model = born(800.0, margin__allotment_dispersion=1.5)
    wallet, btc, eth = equities(model)
    assert wallet == 0 and btc + eth == 800
    assert btc >= 100 and eth >= 300
    assert abs(btc - 200) > 1, "not pro rata"
    assert equities(born(800.0, margin__allotment_dispersion=1.5)) == [wallet, btc, eth]


def test_the_wealth_of_a_crowd_is_the_same_to_the_unit_in_every_mode_and_allotment():
    """Given a drawn crowd, only the partition of its money differs."""
    crowd = drawn(
        "passive", 60, leverage={"median": 4.0, "sigma": 0.5},
        holdings={"kind": "directional", "number_weights": [1, 1, 1]},
    )  # fmt: skip
    house = drawn("passive", 2, 1e6, is_counterparty=True)
    scenarios = [
        market({"crowd": {**crowd, "margin_mode": {"kind": "fixed_share", "cross_share": share}},
                "house": house}, assets=("BTC", "ETH", "SOL"), **changes)
        for share in (0.0, 1.0, 0.5)
        for changes in ({}, {"margin__allotment_dispersion": 1.0})
    ]  # fmt: skip
    models = [model_of(s) for s in scenarios]
    totals, positions = [], []
    for model in models:
        accounts, marks = model.world.clearing.accounts, model.world.board.ticks
        value = (accounts.position * marks[:, None] * 10_000).sum(axis=0)
        totals.append((accounts.cash.sum(axis=0) + value).tolist())
        positions.append(accounts.position.tolist())
    assert np.count_nonzero(positions[0]) > 60
    assert totals[0][:60] == [1000 * USD] * 60
    assert all(t == totals[0] for t in totals) and all(p == positions[0] for p in positions)
    n_modes = [np.unique(m.world.clearing.accounts.mode[:, :60]).tolist() for m in models]
    assert n_modes[0] == [0, 1] and n_modes[2] == [0, 2] and n_modes[4] == [0, 1, 2]


def test_who_would_be_born_in_breach_is_refused_with_its_numbers():
    """4,000 USD need 200 USD of maintenance margin; 199.99 is not enough."""
    born(200.0, "cross")
    with pytest.raises(ConfigError) as caught:
        born(199.99, "cross")
    assert str(caught.value) == (
        "1 pools are in breach before the first step; the first is account 0, cross: equity 199.99 "
        "USD, maintenance margin 200.00 USD. Give its positions more wealth or less leverage"
    )


def test_isolated_margin_that_wealth_cannot_pay_is_refused_too():
    born(400.0)
    with pytest.raises(ConfigError, match=r"account 0 is short of 0\.01 USD: its wealth does not"):
        born(399.99)


def test_the_last_micro_usd_beyond_initial_margin_is_allotted():
    """400 USD are the initial margin of both; the one micro-USD more is theirs too."""
    c = (model := born(800.0)).world.clearing
    fresh = make_accounts(1, 2)
    wealth, lots = np.array([400 * USD + 1]), np.array([[10], [-30]])
    modes, tilt = np.full((2, 1), ISOLATED), np.full((2, 1), TILT_UNIT)
    marks = model.world.board.ticks
    endow(fresh, c.tables, marks, wealth, wealth, lots, modes, True, tilt)
    assert (fresh.cash + np.array([[0], [1000], [-3000]]) * USD)[:, 0].tolist() == [
        0, 100 * USD, 300 * USD + 1,
    ]  # fmt: skip


def test_who_has_nothing_left_is_in_breach_and_not_short_of_money():
    """No equity at all beside 200 USD of maintenance margin owes nobody; a cent less does."""
    with pytest.raises(ConfigError, match=r"account 0, cross: equity 0\.00 USD, maintenance"):
        born(1e-6 / 2, "cross")
    model = born(800.0, "cross")
    c, marks = model.world.clearing, model.world.board.ticks
    refuse_born_in_breach(c.accounts, c.tables, marks)
    c.accounts.wallet[0] -= 800 * USD
    with pytest.raises(ConfigError, match="1 pools are in breach before the first step"):
        refuse_born_in_breach(c.accounts, c.tables, marks)
    c.accounts.wallet[0] -= 10_000
    with pytest.raises(ConfigError, match=r"account 0 is short of 0\.01 USD"):
        refuse_born_in_breach(c.accounts, c.tables, marks)
    c.accounts.wallet[0] += 10**9
    c.accounts.mode[1, 1], c.accounts.cash[2, 1], c.accounts.id[1] = ISOLATED, -2900 * USD, 77
    with pytest.raises(ConfigError) as caught:
        refuse_born_in_breach(c.accounts, c.tables, marks)
    told = "account 77, isolated: equity 100.00 USD, maintenance margin 150.00 USD"
    assert told in str(caught.value)


def test_a_random_crowd_is_endowed_as_fractions_say():
    """Wallet, silos, modes and costs of 60 accounts in three assets, one of them spot."""
    draw = np.random.default_rng(12)
    scenario = market({"one": people((1.0, {}))}, assets=("BTC", "ETH", "COIN"),
                      margin__isolated__initial_margin_factor=1.25)  # fmt: skip
    scenario["assets"]["COIN"]["kind"] = "spot"
    del scenario["margin"]["brackets"]["COIN"]
    tables = model_of(scenario).world.clearing.tables
    prices, n = np.array([9_999, 10_001, 12_345]), 60
    lots = draw.integers(-40, 41, (3, n)) * (draw.random((3, n)) < 0.7)
    lots[2] = np.abs(lots[2])
    modes = draw.choice((ISOLATED, CROSS), (3, n))
    tilt = draw.integers(0, 3 * TILT_UNIT, (3, n))
    wealth = draw.integers(1, 20_000 * USD, n)
    backing = (wealth * draw.random(n)).astype(np.int64)
    seen = set()
    for whole in (True, False):
        accounts = make_accounts(n, 3)
        endow(accounts, tables, prices, wealth, backing, lots, modes, whole, tilt)
        for row in range(n):
            worth = [abs(int(x)) * int(p) * 10_000
                     for x, p in zip(lots[:, row], prices, strict=True)]  # fmt: skip
            needs = [ceil(ceil(Fraction(w, 10)) * Fraction(5, 4)) for w in worth[:2]] + [0]
            weights = [ceil(Fraction(m * int(t), TILT_UNIT))
                       for m, t in zip(needs, tilt[:, row], strict=True)]  # fmt: skip
            surplus = int(backing[row]) - worth[2] - sum(needs)
            shares = [0, 0, 0]
            if whole and surplus > 0 and sum(weights) > 0:
                shares = apportion(surplus, np.array(weights)).tolist()
                seen.add(surplus > 0)
            cash, mode = [int(wealth[row]), 0, 0, 0], [0, 0, 0]
            for a in range(3):
                cost = int(lots[a, row]) * int(prices[a]) * 10_000
                if lots[a, row] == 0:
                    continue
                mode[a], pool = CROSS, 0
                if modes[a, row] == ISOLATED and a < 2:
                    mode[a], pool = ISOLATED, 1 + a
                    cash[0] -= needs[a] + shares[a]
                    cash[pool] += needs[a] + shares[a]
                cash[pool] -= cost
                assert accounts.entry_cost[a, row] == cost
            assert accounts.cash[:, row].tolist() == cash
            assert accounts.mode[:, row].tolist() == mode
        assert np.array_equal(accounts.position, lots)
    assert seen == {True}
