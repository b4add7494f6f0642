"""Mechanic 21: premium from impact prices, interest, clamp, caps, and averages of the premium.

Published examples: dYdX Chain, TestGetPremiumPrice; Paradex, Funding Mechanism; Bybit, What is
funding rate; dYdX Chain, Funding (cap).
"""

from __future__ import annotations

import math
from fractions import Fraction
from statistics import median

import numpy as np
import pytest

from stresslab.core.columns import LIMIT
from stresslab.core.declarations import build, faults
from stresslab.market.funding import PremiumAverage, funding_rate, margin_cap, sampled_premiums
from stresslab.market.funding_premium import premium_parts_per_million
from stresslab.market.rules import FundingRules
from stresslab.scenario import Scenario
from tests.markets import (
    DEEP,
    ORDER_BOOK,
    TICKS,
    USD,
    Ask,
    market,
    model_of,
    people,
    scripted,
    sums,
    tables_of,
)

PREMIUM = {"premium": "impact_price"}


def rules(**changes) -> FundingRules:
    return build(FundingRules, changes)


# -- the premium -----------------------------------------------------------------------------------


def premium_of_book(bids, asks, index: float, notional: float, tick: str, lot: str) -> Fraction:
    """Return the engine's premium of an order book, in parts per million, truncated."""
    asset = {"kind": "perpetual", "initial_price_usd": index, "tick_size_usd": float(tick),
             "lot_size": float(lot)}  # fmt: skip
    ticks, lots = Fraction(tick), Fraction(lot)
    asks_of = [
        Ask(1, side * int(Fraction(str(size)) / lots), int(Fraction(str(price)) / ticks), LIMIT)
        for side, levels in ((1, bids), (-1, asks))
        for price, size in levels
    ]
    scenario = market({"all": people((1e6, {}), (1e7, {}))}, market__book=ORDER_BOOK)
    model = scripted({**scenario, "assets": {"BTC": asset}}, {1: asks_of})
    model.step()
    w = model.world
    found = sampled_premiums(
        rules(impact_notional_usd=notional, **PREMIUM), w.floor, w.oracle_now,
        w.clearing.tables.unit_value,
    )  # fmt: skip
    return math.trunc(Fraction(float(found[0])) * 1_000_000)


DYDX = [
    ([[9999, 0.1], [9998, 1]], [[10001, 1]], 9000, 5000, "1", "0.1", 110_911),
    ([[9999.8, 1]], [[10000.1, 0.1]], 10001, 2000, "0.1", "0.1", 0),
]


@pytest.mark.parametrize(("bids", "asks", "index", "notional", "tick", "lot", "ppm"), DYDX)
def test_the_published_premiums_of_books(bids, asks, index, notional, tick, lot, ppm):
    assert premium_of_book(bids, asks, index, notional, tick, lot) == ppm
    assert premium_parts_per_million(bids, asks, index, notional) == ppm


@pytest.mark.parametrize(
    ("bids", "asks", "index"),
    [
        ([[9999.9, 1]], [[10001, 1]], 15_000),  # below the index: the asks count
        ([[9990, 0.3], [9980, 0.1], [9970, 5]], [[9995, 0.1], [9999, 0.2]], 9500),
        ([[9990, 0.3], [9980, 0.1], [9970, 5]], [[9995, 0.1], [9999, 5]], 10_200),
        ([[9000, 0.1]], [[9001, 0.1]], 9500),  # no side has the depth
        ([], [[9001, 5]], 9500),
        ([[9900, 5]], [], 9500),
        ([], [], 9500),
    ],
)
def test_the_engine_samples_what_the_published_rule_says(bids, asks, index):
    """As the published functions in rationals, on books of several levels and of one side."""
    found = premium_of_book(bids, asks, index, 5000, "0.1", "0.1")
    assert found == premium_parts_per_million(bids, asks, index, 5000)
    assert (found == 0) == (
        max(len(bids), len(asks)) < 1 or (index == 9500 and bids == [[9000, 0.1]])
    )


def impact_market(flow: float, **changes):
    law = {"kind": "linear", "depth_usd": 1000.0}  # 10 lots: 1 %
    model = model_of(market({"all": people((1e6, {}))},
                            market__book={"kind": "impact", "law": law}, **changes))  # fmt: skip
    model.world.floor.books.flow[0] = flow
    return model.world


@pytest.mark.parametrize(
    ("flow", "notional", "bid", "ask"),
    [
        (0, 100_500, None, 10_050),  # 10 lots along 10,000 to 10,100
        (0, 99_500, 9950, None),
        (10, 100_500, 10_050, None),  # back along 10,100 to 10,000
        (-10, 99_500, None, 9950),
    ],
)
def test_impact_prices_of_a_law_in_closed_form(flow, notional, bid, ask):
    found = impact_market(flow).floor.impact_prices(0, float(notional))
    for price, expected in zip(found, (bid, ask), strict=True):
        assert expected is None or price == pytest.approx(expected, rel=1e-12)


def test_a_market_that_has_not_the_notional_has_no_impact_price():
    """Sold down to one tick along the linear law: no more than 50 times the depth comes in."""
    bid, ask = impact_market(0).floor.impact_prices(0, 1e12)
    assert bid is None or bid < 2
    assert ask > TICKS


def test_a_displaced_book_pays_funding_by_its_impact_prices():
    """Bought 10 lots up: 1,005 USD sold fetch 100.50, half of the book's own premium."""
    world = impact_market(10)
    given = (world.floor, world.oracle_now, world.clearing.tables.unit_value)
    assert sampled_premiums(rules(), *given)[0] == pytest.approx(0.01)
    impact = rules(impact_notional_usd=1005.0, **PREMIUM)
    assert sampled_premiums(impact, *given)[0] == pytest.approx(0.005)


# -- the rate --------------------------------------------------------------------------------------


def test_the_published_rate_and_what_half_a_bitcoin_pays_in_a_minute():
    """Paradex: premium 0.0008 gives 0.0003 in 8 hours; 0.5 BTC at 60,000 USD pay 0.01875 USD."""
    funding = {"interval_seconds": 60.0, "rate_seconds": 28_800.0, "interest_rate": 0.0001,
               "clamp": 0.0005, "cap": 0.02}  # fmt: skip
    asset = {"kind": "perpetual", "initial_price_usd": 60_000.0, "tick_size_usd": 1.0,
             "lot_size": 0.001}  # fmt: skip
    scenario = market(
        {"long": people((1e5, {"BTC": 500})), "short": people((1e5, {"BTC": -500}))},
        duration_seconds=60.0, market__funding=funding, market__book=DEEP,
    )  # fmt: skip
    model = model_of({**scenario, "assets": {"BTC": asset}})
    books = model.world.floor.books
    books.flow[0] = 0.08 * books.depth_lots[0]  # 1 % a depth
    before = sums(model)
    tables = tables_of(model)

    assert funding_rate(0.0008, rules(**{**funding, "rate_seconds": None})) == pytest.approx(0.0003)
    assert tables["accounts"]["funding_micro_usd"].tolist() == [-18_750, 18_750]
    assert sums(model) == before


@pytest.mark.parametrize(
    ("premium", "rate"),
    [("0", "0.0001"), ("0.0006", "0.0001"), ("0.00061", "0.00011"), ("-0.0004", "0.0001"),
     ("-0.00041", "0.00009"), ("0.0205", "0.02"), ("0.0206", "0.02"), ("-0.03", "-0.02")],
)  # fmt: skip
def test_clamp_and_cap_at_their_boundaries(premium, rate):
    assert funding_rate(float(premium), rules()) == pytest.approx(float(rate), abs=1e-15)


def test_the_published_interest_of_an_interval():
    """Bybit: 0.06 % a day on quote, 0.03 % on base, three intervals: 0.01 %."""
    found = rules(daily_rates={"quote": 0.0006, "base": 0.0003})
    assert found.interest == pytest.approx(0.0001, abs=1e-15)
    hourly = rules(daily_rates={"quote": 0.0006, "base": 0.0003}, interval_seconds=3600.0)
    assert hourly.interest == pytest.approx(0.0003 / 24, abs=1e-15)


def test_an_eighth_of_the_rate_is_paid_every_hour():
    """Hyperliquid: clamp, interest and cap are for 8 hours."""
    eight = {"interval_seconds": 3600.0, "rate_seconds": 28_800.0}
    for premium in (0.0, 0.0016, -0.01, 0.5):
        whole = funding_rate(premium, rules())
        assert funding_rate(premium, rules(**eight)) == pytest.approx(whole / 8, abs=1e-15)


def test_premium_and_interest_may_be_added():
    """dYdX: a premium of 8 hours of 0.0008 and interest of 0.0004: an eighth of both an hour."""
    added = rules(form="added", interest_rate=0.0004, interval_seconds=3600.0,
                  rate_seconds=28_800.0)  # fmt: skip
    assert funding_rate(0.0008, added) == pytest.approx(0.00015, abs=1e-15)


def test_the_published_cap_from_the_gap_of_margins():
    """dYdX: 600 % of 0.05 - 0.03 is 0.12."""
    assert margin_cap(rules(cap_of_margin_gap=6.0), 0.05, 0.03) == pytest.approx(0.12)
    assert margin_cap(rules(cap_of_maintenance=0.75), 0.05, 0.004) == pytest.approx(0.003)
    both = rules(cap_of_margin_gap=6.0, cap_of_maintenance=0.75)
    assert margin_cap(both, 0.05, 0.03) == pytest.approx(0.0225)
    assert margin_cap(rules(), 0.05, 0.03) == math.inf


@pytest.mark.parametrize(
    ("caps", "paid"),
    [
        ({"cap": 0.5}, 0.2),
        ({"cap": 0.07}, 0.07),
        ({"cap": 0.5, "cap_of_margin_gap": 3.0}, 0.15),
        ({"cap": 0.5, "cap_of_maintenance": 0.75}, 0.0375),
        ({"cap": 0.01, "cap_of_maintenance": 0.75}, 0.01),
    ],
)
def test_the_engine_pays_no_more_than_every_cap_allows(caps, paid):
    """A book 20 % above its index; initial margin 10 %, maintenance 5 %."""
    scenario = market(
        {"long": people((1e5, {"BTC": 10})), "short": people((1e5, {"BTC": -10}))},
        duration_seconds=1.0,
        market__funding={"interval_seconds": 1.0, "interest_rate": 0.0, "clamp": 0.0, **caps},
    )
    model = model_of(scenario)
    books = model.world.floor.books
    books.flow[0] = 20 * books.depth_lots[0]
    funding = tables_of(model)["accounts"]["funding_micro_usd"]
    assert funding[1] == -funding[0] == pytest.approx(1000 * USD * paid, abs=1)


# -- averages --------------------------------------------------------------------------------------

INDEX = [10_000, 9950, 10_100, 9000]  # the book stays at 10,000
SAMPLES = [Fraction(TICKS - i, i) for i in INDEX]


def ewma(samples: list[Fraction], start: Fraction | None = None) -> Fraction:
    """Half-life of a step: each sample counts as much as all before it."""
    average = samples[0] if start is None else start
    for sample in samples if start is not None else samples[1:]:
        average = (average + sample) / 2
    return average


AVERAGES = {
    "mean": sum(SAMPLES) / 4,
    "linear": sum(k * s for k, s in enumerate(SAMPLES, 1)) / 10,
    "ewma": ewma(SAMPLES),
    "median": median(SAMPLES),
}


def averaging(average: str):
    half_life = {"average_half_life_seconds": 1.0} if average == "ewma" else {}
    return {"average": average, **half_life}


@pytest.mark.parametrize("average", AVERAGES)
def test_each_average_of_a_run_by_hand(average):
    """An empty order book keeps its price while the index moves; one payment of the average."""
    scenario = market(
        {"long": people((1e5, {"BTC": 10})), "short": people((1e5, {"BTC": -10}))},
        market__book=ORDER_BOOK,
        market__funding={"interval_seconds": 4.0, "interest_rate": 0.0, "clamp": 0.0, "cap": 1.0,
                         **averaging(average)},
    )  # fmt: skip
    model = model_of(scenario)
    model.world.index[1:, 0] = INDEX
    paid = tables_of(model)["accounts"]["funding_micro_usd"].tolist()

    rate = round(AVERAGES[average] * 10**9)
    due = Fraction(10 * INDEX[-1] * 10_000 * rate, 10**9)
    assert paid == [-math.ceil(due), math.floor(due)]
    assert len({round(value, 6) for value in AVERAGES.values()}) == 4, "all four differ"


def test_an_exponential_average_goes_on_over_payments_and_the_others_start_again():
    for average in AVERAGES:
        samples = PremiumAverage(rules(**averaging(average)), 1, 1.0)
        for value in (0.0, 0.04):
            samples.add(np.array([value]))
        first = samples.take()
        samples.add(np.array([0.0]))
        second = samples.take()
        carried = average == "ewma"
        assert second == pytest.approx([first[0] / 2 if carried else 0.0]), average


def test_the_fewest_samples():
    for average in AVERAGES:
        one = PremiumAverage(rules(**averaging(average)), 2, 1.0)
        assert one.take() == [0.0, 0.0]
        one.add(np.array([0.01, -0.02]))
        assert one.take() == pytest.approx([0.01, -0.02])


def test_half_of_a_rule_is_a_fault():
    one = {"one": people((1.0, {}))}
    for changes, path in (
        ({"premium": "impact_price"}, "impact_notional_usd"),
        ({"average": "ewma"}, "average_half_life_seconds"),
        ({"average": "mean", "average_half_life_seconds": 60.0}, "average_half_life_seconds"),
    ):
        found = faults(build(Scenario, market(one, market__funding=changes)))
        assert [where for where, _ in found] == [f"market.funding.{path}"]
