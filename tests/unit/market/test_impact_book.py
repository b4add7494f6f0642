"""Closed forms of the impact book, and how it is compiled."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from stresslab.core.columns import MARKET, make_fills
from stresslab.core.declarations import build
from stresslab.market.books import BOOKS, ImpactBookRules, LimitOrderBookRules
from stresslab.market.impact import LAWS
from stresslab.market.impact_book import (
    cash_of,
    decay,
    impact_depth,
    make_impact_books,
    price_now,
    price_ticks,
    submit_impact,
)


def make(name, index, depth_lots, **settings):
    law = LAWS[name](depth_usd=float(depth_lots), **settings)
    return make_impact_books(law, "integral", np.array([index]), {"BTC": 1.0})


def send(books, lots, unit_value=1):
    fills = make_fills(1)
    submit_impact(books, 0, 0, MARKET, lots, 0, unit_value, fills)
    return int(fills.cash[0])


@pytest.mark.parametrize("ticks_per_lot", [1, 3, 10])
def test_linear_impact_moves_whole_ticks_a_lot(ticks_per_lot):
    """Depth in lots is 0.01 · index / (ticks a lot)."""
    index = 30_000
    books = make("linear", index, 0.01 * index / ticks_per_lot)
    for sold in range(1, 2000):
        send(books, -1)
        assert price_ticks(books, 0) == index - ticks_per_lot * sold


def test_linear_impact_pays_the_mean_of_the_prices_at_both_ends():
    books = make("linear", 30_000, 300)
    assert send(books, 100) == 100 * (30_000 + 30_100) // 2


def test_a_square_root_walk_moves_with_the_root_and_pays_two_thirds_of_it():
    """In log price, as a V-shaped book does; small moves, so that log and price agree."""
    index, depth = 10**9, 10**10
    for lots in (10**4, 10**6, 10**8):
        books = make("square_root", index, depth)
        move = math.log(1.01) * math.sqrt(lots / depth)
        paid = cash_of(books, 0, lots, 1) / (index * lots) - 1
        send(books, lots)
        assert math.log(price_now(books, 0) / index) == pytest.approx(move, rel=1e-9)
        exact = 2 * math.fsum(move**k / (math.factorial(k) * (k + 2)) for k in range(1, 9))
        assert paid == pytest.approx(2 / 3 * move, rel=move)
        assert paid == pytest.approx(exact, rel=1e-5)


def test_exponential_impact_multiplies_and_pays_its_integral():
    books = make("exponential", 10**6, 1000)
    cash = send(books, -2500)
    assert price_now(books, 0) == pytest.approx(10**6 * 1.01**-2.5, rel=1e-13)
    assert cash == pytest.approx(10**9 / math.log(1.01) * (1.01**-2.5 - 1), abs=1)


def test_the_optimal_schedule_of_obizhaeva_and_wang():
    """Resilience 2, horizon 1 in ten intervals, 1e5 shares, impact 1e-5 a share.

    One share is 1e6 lots here, so that rounding the trades to lots is harmless, and one tick is one
    unit of price. Cost is what is paid above the index.
    """
    scale, index, shares, impact, n_intervals = 10**6, 1_000, 100_000, 1e-5, 10
    depth_lots = 0.01 * index / impact * scale
    half_life = math.log(2) / 2.0
    gap = 1.0 / n_intervals
    kept = math.exp(-2.0 * gap)
    outer = shares / (2 + (n_intervals - 1) * (1 - kept))
    inner = outer * (1 - kept)
    assert (round(outer, 4), round(inner, 4)) == (27_537.4127, 4_991.6861)

    optimal = [outer] + [inner] * (n_intervals - 1) + [outer]
    equal = [shares / (n_intervals + 1)] * (n_intervals + 1)
    for trades, expected in ((optimal, 25_041.57), (equal, 27_295.24), ([shares], 50_000.0)):
        books = make("obizhaeva_wang", index, depth_lots, resilience_half_life_seconds=half_life)
        cost = 0
        for trade in trades:
            lots = round(trade * scale)
            cost += send(books, lots) - index * lots
            decay(books, gap)
        assert cost / scale == pytest.approx(expected, abs=0.006)
        assert cost / scale == pytest.approx(plain_cost(trades, impact, kept), rel=1e-9)


def plain_cost(trades, impact, kept):
    displacement, cost = 0.0, 0.0
    for trade in trades:
        cost += (displacement + impact * trade / 2) * trade
        displacement = (displacement + impact * trade) * kept
    return cost


def test_depth_of_an_asset_by_name():
    law = LAWS["exponential"](depth_usd=1e6, depth_usd_by_asset={"DOGE": 2e4})
    books = make_impact_books(law, "integral", np.array([100, 100]), {"BTC": 10.0, "DOGE": 2.0})
    assert books.depth_lots.tolist() == [1e5, 1e4]


def test_without_resilience_the_flow_counts_for_ever():
    books = make("linear", 30_000, 300)
    send(books, 5)
    decay(books, 1e6)
    assert books.flow.tolist() == [5.0]


def test_a_full_batch_of_fills_is_an_error():
    books, fills = make("linear", 30_000, 300), make_fills(1)
    submit_impact(books, 0, 0, MARKET, 1, 0, 1, fills)
    with pytest.raises(OverflowError, match="fills of one stage"):
        submit_impact(books, 0, 0, MARKET, 1, 0, 1, fills)
    assert books.flow.tolist() == [1.0]


def test_books_are_built_from_plain_config_values():
    rules = build(
        ImpactBookRules,
        {"kind": "impact", "law": {"kind": "power", "depth_usd": 5.0, "exponent": 0.4}},
    )
    assert rules.law == LAWS["power"](depth_usd=5.0, exponent=0.4)
    assert rules.fill_price == "integral"
    assert sorted(BOOKS) == ["impact", "limit_order_book"]
    assert LimitOrderBookRules(highest_price=2.5).n_levels(101) == 254
    assert "post_only" not in ImpactBookRules.order_kinds


LAW_FILE = '''
from stresslab.core.declarations import declared
from stresslab.market.impact.law import ImpactLaw

@declared
class Doubled(ImpactLaw):
    """A law from outside the package."""

    @staticmethod
    def displacement(x, shape):
        return {factor} * x
'''
PROGRAM = """
import numpy as np, plugin
from stresslab.core.columns import MARKET, make_fills
from stresslab.market.impact_book import make_impact_books, price_now, submit_impact

law = plugin.Doubled(depth_usd=1.0)
books = make_impact_books(law, "integral", np.array([1000]), {"BTC": 1.0})
submit_impact(books, 0, 0, MARKET, 1, 0, 1, make_fills(1))
stats = submit_impact.stats
print(sum(stats.cache_hits.values()), sum(stats.cache_misses.values()), round(price_now(books, 0)))
"""


def test_kernels_are_compiled_once_for_all_laws_and_an_edited_law_is_noticed(tmp_path):
    send(make("linear", 30_000, 300), 1)  # whoever comes first compiles

    for factor in ("0.02", "0.045"):
        (tmp_path / "plugin.py").write_text(LAW_FILE.format(factor=factor))
        hits, misses, price = run_program(tmp_path)
        assert (hits, misses) == (1, 0)
        assert price == round(1000 * math.exp(float(factor)))


def run_program(folder: Path) -> list[int]:
    root = Path(__file__).parents[3]
    path = f"{folder}:{root}"
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={"PYTHONPATH": path, "PATH": "/usr/bin:/bin", "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [int(word) for word in done.stdout.split()]


@pytest.mark.parametrize("depth_lots", [1e13, 1e28])
def test_depth_is_found_where_lots_are_many(depth_lots):
    """A book as deep as 2**52 lots or more answers with these, not with a sum past int64."""
    books = make("exponential", 10_000, depth_lots)
    sellable, buyable = impact_depth(books, 0, 9_900, 10_100)
    sold = -depth_lots * math.log(0.99) / math.log(1.01)
    assert buyable == pytest.approx(min(depth_lots, 2.0**52), rel=1e-9)
    assert sellable == pytest.approx(min(sold, 2.0**52), rel=1e-9)
