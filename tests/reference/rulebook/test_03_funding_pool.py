"""3. Funding comes from the wallet (cross) or the allotted margin (isolated), and sums to zero."""

from __future__ import annotations

import pytest

from tests.markets import USD, market, model_of, people, rows, state, tables_of

TWINS = (0, 1_000_000)  # the isolated one, the cross one


def twins(lots, rate, seconds):
    """Return two accounts with 10,000 USD and the same position at a price that never moves."""
    scenario = market(
        {
            "silo": people((1e4, {"BTC": lots}), mode="isolated"),
            "pool": people((1e4, {"BTC": lots})),
            "other": people((1e6, {"BTC": -2 * lots})),
        },
        margin__allotment="initial_margin",  # 100 USD; 9,900 stay in the wallet
        market__funding={"interval_seconds": 2.0, "interest_rate": rate, "clamp": 1.0},
        duration_seconds=seconds,
    )
    return model_of(scenario)


def funding(tables):
    return dict(rows(tables, "accounts", "account", "funding_micro_usd"))


@pytest.mark.parametrize("side", [1, -1])
def test_funding_alone_liquidates_the_silo_and_never_its_cross_twin(side):
    """0.5 % of 1,000 USD an interval: after ten the silo has its maintenance, 50, and holds."""
    for rate, last in ((0.005, 11), (0.00500001, 10)):
        tables = tables_of(twins(10 * side, side * rate, 40.0))
        assert set(tables["path"]["mark_ticks"].tolist()) == {10_000}
        found = rows(tables, "liquidations", "account", "mode", "step")
        assert found == [(0, "isolated", 2 * last + 1)]  # judged in the step after the payment
        assert rows(tables, "breach_amounts", "cause", "amount_micro_usd") == [
            ("funding", round(rate * 1000 * USD))
        ]
        assert funding(tables)[0] == -last * round(rate * 1000 * USD)
        assert funding(tables)[TWINS[1]] == -20 * round(rate * 1000 * USD)


@pytest.mark.parametrize("side", [1, -1])
def test_it_comes_from_the_pool_that_holds_the_position(side):
    """Nine payments of 5 USD: the silo loses them from its 100, the twin from its wallet."""
    model = twins(10 * side, 0.005 * side, 18.0)
    tables = tables_of(model)
    assert funding(tables) == {0: -45 * USD, TWINS[1]: -45 * USD, 2_000_000: 90 * USD}
    assert sum(funding(tables).values()) == 0
    wallet, silo = ([state(model, row, pool)[0] for row in (0, 1)] for pool in (0, 1))
    assert wallet == [9_900 * USD, 9_955 * USD]
    assert silo == [55 * USD, 0]


def test_the_other_side_receives_it():
    tables = tables_of(twins(10, -0.005, 20.0))
    assert funding(tables) == {0: 50 * USD, TWINS[1]: 50 * USD, 2_000_000: -100 * USD}
    assert tables["liquidations"]["account"].size == 0
