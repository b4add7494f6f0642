"""Rule 9: one requirement for a whole cross pool: hedges, breaks, and marks that part."""

from __future__ import annotations

import dataclasses
import itertools
import random
from decimal import Decimal
from fractions import Fraction

import pytest

from stresslab.core.declarations import build, faults
from stresslab.margin.portfolio.book import MAINTENANCE
from stresslab.scenario import Scenario
from tests.markets import TICKS, USD, changed, fall, model_of, rows, run, state, tables_of
from tests.reference.plain_grid import grid_need
from tests.reference.scenario_venue import CLASS, need, venue


def test_hedging_lowers_the_requirement():
    """A long of 1,000 USD needs 0.8 x 18 % + 1.5 %; a short of as much costs its charge only."""
    alone = need(BTC=10)
    assert alone == 144 + 15
    assert need(BTC=10, ETH=-10) == 30 < alone
    assert need(BTC=10, ETH=-4) == Fraction("0.8") * 18 * 6 + 21 < alone
    assert need(BTC=10, ETH=4) > alone, "what falls with it does not hedge it"
    assert need({}, BTC=10, ETH=-10) == 2 * alone, "nor what is in no class with it"


def test_a_correlation_break_raises_the_requirement_of_a_hedge_and_of_nothing_else():
    """One leg moves by 10 % alone: 0.8 x 100 more than the nothing that the hedge could lose."""
    broken = {**CLASS, "break_move": 0.1}
    assert need(broken, BTC=10, ETH=-10) == 80 + 30 > need(BTC=10, ETH=-10)
    assert need(broken, BTC=10) == need(BTC=10), "a lone leg loses 18 % anyway"
    less = {**CLASS, "hedge_credit": 0.75}
    assert need(less, BTC=10, ETH=-10) == Fraction("0.8") * 18 * Fraction("2.5") + 30
    assert need({**CLASS, "hedge_credit": 0.0}, BTC=10, ETH=-10) == 144 + 30


def test_a_hedge_that_breaks_is_liquidated_and_both_prices_are_its_causes():
    """BTC falls by 20 % and ETH by 8: the hedge loses 120 USD of 160, and needs what is open."""
    story = venue(
        (160.0, {"BTC": 10, "ETH": -10}), market__shocks={"a": fall(0.2), "b": fall(0.08, "ETH")}
    )
    tables = run(story)
    assert rows(tables, "liquidations", "account", "step", "equity_micro_usd",
                "maintenance_micro_usd", "excess_before_micro_usd") == [
        (0, 2, 40 * USD, (Fraction("0.8") * 18 * Fraction("1.2") + Fraction("25.8")) * USD,
         130 * USD)]  # fmt: skip
    eaten = dict(rows(tables, "breach_amounts", "asset", "amount_micro_usd"))
    found = {a: Fraction(x, USD) for a, x in eaten.items()}
    rate, charge = Fraction("0.144"), Fraction("0.015")  # shorts are the larger side at once
    assert abs(found[0] - (200 + 200 * rate - 200 * charge)) < 280 * rate / 1024
    assert abs(found[1] - (-80 - 80 * rate - 80 * charge)) < 280 * rate / 1024
    assert sum(found.values()) == 120 + 120 * rate - 280 * charge
    same = changed(story, market__shocks={"a": fall(0.2, "BTC", "ETH")})
    assert run(same)["liquidations"]["account"].size == 0, "while the hedge holds nothing happens"


def moved(story, *prices):
    """Return the model of a story whose marks take these prices (BTC, ETH), then stand still."""
    model = model_of(story)
    for step, pair in enumerate(prices, start=1):
        model.world.index[step:] = pair
    return model


def follows(**rules):
    return {**CLASS, "credit_by_correlation": {"half_life_seconds": 1.0, **rules}}


def test_marks_that_part_raise_the_requirement_of_a_hedge_within_a_run():
    """Up and down together, then apart, in the hedge's favour: it gains 20 USD and is liquidated.

    Means of products halve every second: after +1 %, -1/101, and then +1 % against -1 %, the
    products of the pair are negative and nothing is credited. The hedge of 1,000 against 1,000 USD
    that needed 30 then needs 144 more; the move itself asks for 1.44.
    """
    path = [(10_100, 10_100), (TICKS, TICKS), (10_100, 9_900)]
    held = (150.0, {"BTC": 10, "ETH": -10})
    calm = tables_of(moved(venue(held), *path))
    assert calm["liquidations"]["account"].size == 0, "while the credit stands nothing happens"
    tables = tables_of(moved(venue(held, rules=follows()), *path))
    assert rows(tables, "liquidations", "account", "step", "equity_micro_usd",
                "maintenance_micro_usd", "excess_before_micro_usd") == [
        (0, 3, 170 * USD, 144 * USD * 101 // 100 + 30 * USD, 120 * USD)]  # fmt: skip
    eaten: dict[str, int] = {}
    for cause, amount in rows(tables, "breach_amounts", "cause", "amount_micro_usd"):
        eaten[cause] = eaten.get(cause, 0) + amount
    assert eaten == {"requirement": 144 * USD, "price": -20 * USD + 144 * USD // 100}


@pytest.mark.parametrize("bounds", [(0.0, 1.0), (-0.5, 0.7), (0.2, 0.9)])
def test_the_credit_is_that_of_the_pair_that_moves_together_least(bounds):
    """Three assets on random paths, against Decimals; one billionth is one rounding."""
    rng, none_at, whole_at = random.Random(str(bounds)), *bounds
    names = ("A", "B", "C")
    story = venue(
        (1e6, {"A": 10, "B": -7}), perpetuals=names, duration_seconds=9.0,
        rules={"classes": {"x": ["A", "B", "C"]}, "hedge_credit": 0.9,
               "credit_by_correlation": {"half_life_seconds": 3.0, "none_at": none_at,
                                         "whole_at": whole_at}},
    )  # fmt: skip
    model = model_of(story)
    kept = Decimal("0.5") ** (Decimal(1) / 3)
    last, mean, seen = [Decimal(TICKS)] * 3, {}, set()
    for step in range(1, 9):
        common = rng.gauss(0, 0.01)
        now = [round(float(p) * (1 + common + rng.gauss(0, 0.004))) for p in last]
        model.world.index[step:] = now
        model.step()
        moves = [(Decimal(p) - old) / old for p, old in zip(now, last, strict=True)]
        last = [Decimal(p) for p in now]
        for a, b in itertools.combinations_with_replacement(range(3), 2):
            mean[a, b] = kept * mean.get((a, b), 0) + (1 - kept) * moves[a] * moves[b]
        lowest = min(
            mean[a, b] / (mean[a, a] * mean[b, b]).sqrt() for a, b in ((0, 1), (0, 2), (1, 2))
        )
        above = (lowest - Decimal(str(none_at))) / Decimal(str(round(whole_at - none_at, 9)))
        share = min(max(above, Decimal(0)), Decimal(1))
        credit = model.world.clearing.tables.portfolio[:, 4].tolist()
        assert len(set(credit)) == 1 and abs(credit[0] - share * 900_000_000) <= 1
        seen.add(credit[0])
        rules = dataclasses.replace(
            build(Scenario, story).margin.portfolio, hedge_credit=credit[0] / 1e9
        )
        held = dict(zip(names, (10, -7, 0), strict=True))
        values = {n: lots * p * 10_000 for (n, lots), p in zip(held.items(), now, strict=True)}
        assert state(model, 0)[1] == grid_need(rules, (), values, MAINTENANCE)
    assert len(seen) > 3


def test_a_lone_leg_and_whoever_is_in_no_class_feel_no_correlation():
    path = [(10_100, TICKS), (TICKS, TICKS)]
    model = moved(venue((1e6, {"BTC": 10}), rules=follows()), *path)
    model.run()
    assert model.world.clearing.tables.portfolio[0, 4] == 0, "one price alone has moved"
    assert state(model, 0)[1] == need(BTC=10) * USD
    apart = moved(venue((1e6, {"BTC": 10, "ETH": -10}), rules={
        "credit_by_correlation": {"half_life_seconds": 1.0}}), *path)  # fmt: skip
    apart.run()
    assert state(apart, 0)[1] == need({}, BTC=10, ETH=-10) * USD


def test_correlations_that_bound_nothing_are_refused():
    story = venue((1e6, {}), rules=follows(none_at=0.5, whole_at=0.5))
    assert list(faults(build(Scenario, story))) == [
        ("margin.portfolio.credit_by_correlation.none_at",
         "0.5 is not below 0.5, where the whole credit counts")]  # fmt: skip
