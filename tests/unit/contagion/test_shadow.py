"""Shadows: a cascade followed on paper, nobody saved by nothing, and agreement with twins."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from stresslab.contagion import Contagion
from stresslab.contagion.shadow import Shadow, Terms
from stresslab.model import StressModel
from tests.markets import changed, fall, lively, market, model_of, people, tables_of

THIN = {"kind": "impact", "law": {"kind": "linear", "depth_usd": 1000.0}}


def shadow_of(scenario: dict[str, Any]) -> Shadow:
    model: StressModel = model_of(scenario)
    t = model.world.clearing.tables
    terms = Terms(t.floor, t.rate / 1e9, t.deduction, bool(t.portfolio.size))
    return Shadow(Contagion(tables_of(model)), terms)


def cascade(*wealth: float, **changes: Any) -> dict[str, Any]:
    """Return isolated longs of 10 lots and a fall by 6 %; 10 lots sold move 94 ticks."""
    longs = people(*((w, {"BTC": 10}) for w in wealth), mode="isolated")
    scenario = market(
        {"longs": longs, "other": people((1e7, {"BTC": -10 * len(wealth)}))},
        market__book=THIN, market__mark={"rule": "mid"}, market__shocks={"s": fall(0.06)},
        liquidation={"feedback": "market", "insurance_fund_usd": 1e6}, duration_seconds=5.0,
    )  # fmt: skip
    return changed(scenario, **changes)


def fallen(scenario: dict[str, Any]) -> list[int]:
    return sorted(set(tables_of(model_of(scenario))["liquidations"]["account"].tolist()))


CASCADE = (100.0, 109.0, 115.0, 127.0)
#: Ten lots at the marks of the breaches, 94, 93.06 twice and 91.18 USD, less 5 % of maintenance
#: that goes down with the price: USD that a fall by everything would cost.
STAKES = 10 * 0.95 * np.array([94.0, 93.06, 93.06, 91.18])


def test_a_cascade_on_paper() -> None:
    """X after the fall is W - 107: -7, 2, 8 and 20 USD. 94 ticks eat 8.93 of each long.

    The first sale leaves -6.93 to the second and -0.93 to the third, who sell next. The fourth has
    20 - 3 x 8.93 = -6.79 then and sells last. In the shadows of a pool its own sale is taken back,
    so in the end the second lacks 6.93 + 8.93 (by the third) + 8.93 (by the fourth) = 24.79, the
    third 18.79 and the fourth 6.79. The first one's sale covers 8.93 of each.
    """
    shadow = shadow_of(cascade(*CASCADE))
    assert shadow.pools.account.tolist() == [0, 1, 2, 3]
    lacking = shadow.headroom(shadow.chosen(accounts=(0,))) * STAKES
    assert lacking[1:] == pytest.approx([8.93 - 24.79, 8.93 - 18.79, 8.93 - 6.79], abs=1e-5)
    assert shadow.saved(shadow.chosen(accounts=(0,))).tolist() == [3]
    assert shadow.saved(shadow.chosen(liquidations=(0, 2, 3))).tolist() == [1, 3]
    assert shadow.saved(shadow.chosen(assets=(0,))).tolist() == [1, 2, 3]


def test_in_turn_nobody_who_is_saved_sells() -> None:
    """Without the first sale the second and third stand at once, so neither sells to the fourth.

    Without the second's sale the first and third fall as they did, and leave 20 - 17.86 = 2.14.
    """
    shadow = shadow_of(cascade(*CASCADE))
    assert shadow.saved_in_turn(shadow.chosen(accounts=(0,))).tolist() == [1, 2, 3]
    second = shadow.chosen(accounts=(1,))
    assert shadow.saved_in_turn(second).tolist() == [3]
    assert shadow.headroom_in_turn(second)[3] == pytest.approx(2.14 / STAKES[3], abs=1e-6)


def test_of_one_victim_shadows_and_twins_say_the_same() -> None:
    """A linear law and one victim: nothing is of second order."""
    for wealth, n_saved in ((109.0, 1), (106.0, 0)):  # the second fell by the index itself
        scenario = cascade(100.0, wealth)
        shadow = shadow_of(scenario)
        assert shadow.pools.account.tolist() == [0, 1]
        twin = fallen(changed(scenario, counterfactual={"remove": [0]}))
        chosen = shadow.chosen(accounts=(0,))
        assert shadow.saved(chosen).tolist() == shadow.saved_in_turn(chosen).tolist()
        assert np.setdiff1d([0, 1], [0, *twin]).tolist() == [1] * n_saved
        assert shadow.saved(chosen).tolist() == [1] * n_saved


@pytest.mark.parametrize("book", ["limit_order_book", "impact"])
def test_nothing_saves_nobody_and_more_never_saves_fewer(book: str) -> None:
    """Where all fall, whoever sells does harm: a larger set covers at least as much."""
    shadow = shadow_of(lively(book, 0.5, traders__speculators__holdings__share_long=1.0))
    n = shadow.pools.account.size
    assert n > 20 and shadow.sales.ticks.size > 20
    nobody = np.zeros(shadow.sales.ticks.size, bool)
    assert shadow.saved(nobody).size == shadow.saved_in_turn(nobody).size == 0
    assert (shadow.headroom(nobody) < 0).all()
    down = shadow.sales.ticks < 0
    accounts = np.unique(shadow.sales.account[down])
    some, more = (np.isin(shadow.sales.account, accounts[:k]) & down for k in (3, 12))
    is_long = (shadow.pools.lots >= 0).all(axis=1)
    is_other = is_long & ~np.isin(shadow.pools.account, accounts[:12])
    assert is_other.sum() > 3
    gain = shadow.headroom(more)[is_other] - shadow.headroom(some)[is_other]
    assert gain.min() >= -1e-9 and gain.max() > 0.01


@pytest.mark.parametrize("book", ["limit_order_book", "impact"])
def test_x_at_a_breach_is_the_recorded_one(book: str) -> None:
    shadow = shadow_of(lively(book, 0.5))
    pools = shadow.pools
    rows = np.arange(pools.account.size)
    excess = shadow._realised(rows)[rows, pools.stage]
    assert rows.size > 10
    assert np.abs(excess - (pools.equity - pools.maintenance)).max() <= 2  # each leg rounds up
