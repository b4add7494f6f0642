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
    excess = shadow.excess.realised(rows)[rows, pools.stage]
    assert rows.size > 10
    assert np.abs(excess - (pools.equity - pools.maintenance)).max() <= 2  # each leg rounds up


def sold_out(tables: dict[str, Any]) -> dict[str, Any]:
    """Return the cascade's log as if the fourth had sold at a loss before it was judged.

    Its own orders fetched 5 USD less than it owed; nothing is left of its ten lots.
    """
    fourth = {name: tables[name]["liquidation"] == 3 for name in ("liquidations", "breach_legs")}
    rows, legs = dict(tables["liquidations"]), tables["breach_legs"]
    for name, amount in (("equity_micro_usd", -5_000_000), ("maintenance_micro_usd", 0)):
        rows[name] = np.where(fourth["liquidations"], amount, rows[name])
    kept = {name: column[~fourth["breach_legs"]] for name, column in legs.items()}
    causes = dict(tables["breach_amounts"])
    mine = causes["liquidation"] == 3
    causes["cause"] = np.where(mine, "own_execution", causes["cause"])
    return {**tables, "liquidations": rows, "breach_legs": kept, "breach_amounts": causes}


def test_whoever_sold_out_is_asked_what_that_would_have_fetched() -> None:
    """Each of the three sales before its own cost the fourth 10 lots x 94 ticks = 9.40 USD.

    It lacks 5. What prices do after its sale, here a second fall, is nothing to it; in turn,
    without the first sale none of the three sells.
    """
    falls = {"a": fall(0.06), "b": fall(0.02, at=4.0)}
    scenario = cascade(*CASCADE, market__shocks=falls, duration_seconds=7.0)
    tables = sold_out(tables_of(model_of(scenario)))
    shadow = Shadow(Contagion(tables), shadow_of(scenario).excess.terms)
    stake = 10 * 91.18
    nobody = np.zeros(shadow.sales.ticks.size, bool)
    assert shadow.pools.is_emptied.tolist() == [False, False, False, True]
    assert shadow.headroom(nobody)[3] * stake == pytest.approx(-5.0, abs=1e-5)
    first = shadow.chosen(accounts=(0,))
    assert shadow.headroom(first)[3] * stake == pytest.approx(9.40 - 5.0, abs=1e-5)
    assert shadow.headroom(shadow.chosen(accounts=(3,)))[3] * stake == pytest.approx(-5.0, abs=1e-5)
    assert shadow.headroom_in_turn(first)[3] * stake == pytest.approx(28.20 - 5.0, abs=1e-5)
    path, place = shadow.excess.path, shadow.pools.stage[3]
    steps = path.steps[place] + np.array([-1, 0, 1])
    marks = path.marks[place] + np.array([[300], [100], [-500]])
    assert shadow.headroom_along(steps, marks)[3] * stake == pytest.approx(10.0 - 5.0, abs=1e-5)
    assert shadow.headroom_along(steps[:1], marks[:1])[3] * stake == pytest.approx(25.0, abs=1e-5)


def test_whoever_never_traded_is_not_sold_out() -> None:
    """The same fourth without a trade of its own: nothing says what it held."""
    scenario = cascade(*CASCADE)
    tables = sold_out(tables_of(model_of(scenario)))
    amounts = dict(tables["breach_amounts"])
    amounts["cause"] = np.where(amounts["liquidation"] == 3, "fees", amounts["cause"])
    shadow = Shadow(
        Contagion({**tables, "breach_amounts": amounts}), shadow_of(scenario).excess.terms
    )
    assert not shadow.pools.is_emptied.any() and not shadow.pools.lots[3].any()
