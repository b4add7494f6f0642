"""19. Auto-deleveraging: what pro rata keeps and queues do not, and how each policy ranks."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from stresslab.liquidation.adl import ADL_POLICIES
from stresslab.liquidation.division import Contributors
from stresslab.margin.bankruptcy import bankruptcy_price
from tests.markets import USD


def winners(*columns: tuple[int, int], notional: tuple[int, ...] | None = None) -> Contributors:
    """Return winners with (equity, profit) in units, all short from 3 to 2 unless told."""
    equity, profit = (np.array(c, np.int64) * USD for c in zip(*columns, strict=True))
    whole = np.array(notional or [2 * p for _, p in columns], np.int64) * USD
    ones = np.ones(equity.size, np.int64)
    most = np.minimum(equity, profit)
    return Contributors(
        side=-ones, lots=profit // USD, value=whole, cost=whole + profit, profit=profit,
        equity=equity, maintenance=whole // 20, notional=whole, wallet=equity - profit, most=most,
        bearable=most,
    )  # fmt: skip


def bills(policy: str, amount: int, crowd: Contributors) -> list[int]:
    """Return what each pays of an amount in units, micro-USD."""
    place, asked = ADL_POLICIES[policy]().divide(amount * USD, crowd)
    paid = np.zeros(crowd.equity.size, np.int64)
    left = amount * USD
    for row, most in zip(place.tolist(), asked.tolist(), strict=True):
        paid[row] = min(left, most)
        left -= int(paid[row])
    assert left == 0
    return paid.tolist()


def test_splitting_an_account_changes_no_bill_pro_rata():
    whole = winners((500, 200), (200, 100), (100, 20))
    split = winners((100, 150), (400, 50), (200, 100), (100, 20))
    assert bills("by_profit", 96, whole) == [60 * USD, 30 * USD, 6 * USD]
    assert bills("by_profit", 96, split) == [45 * USD, 15 * USD, 30 * USD, 6 * USD]


def test_splitting_an_account_pays_in_the_queue():
    """All have the same profit in percent, so leverage ranks: profit over equity 0.4, 0.38, 0.2.

    Split, a part with 3/4 of the profit and 88 % of the equity falls behind the second account.
    """
    whole = winners((500, 200), (260, 100), (100, 20))
    split = winners((440, 150), (60, 50), (260, 100), (100, 20))
    assert bills("profit_times_leverage", 120, whole) == [120 * USD, 0, 0]
    assert bills("profit_times_leverage", 120, split) == [0, 50 * USD, 70 * USD, 0]


def test_pro_rata_keeps_the_order_of_profits():
    crowd = winners((900, 80), (500, 40), (100, 39), (300, 5))
    for amount in (1, 50, 100, 163):
        paid = bills("by_profit", amount, crowd)
        left = [profit - bill for profit, bill in zip(crowd.profit.tolist(), paid, strict=True)]
        assert left == sorted(left, reverse=True), amount


def test_the_queue_turns_the_order_of_profits_round():
    crowd = winners((10, 7), (5, 4), (2, 1))
    paid = bills("profit_times_leverage", 4, crowd)
    assert paid == [0, 4 * USD, 0]
    assert crowd.profit[1] > crowd.profit[2] and crowd.profit[1] - paid[1] < crowd.profit[2]


@pytest.mark.parametrize("policy", ["by_profit", "by_contracts"])
def test_pro_rata_scales_with_the_deficit(policy):
    """Twice the deficit is twice every bill, while no profit is used up."""
    crowd = winners((900, 80), (500, 80), (100, 80))
    once, twice = (bills(policy, amount, crowd) for amount in (36, 72))
    assert twice == [2 * bill for bill in once] and min(once) > 0


def test_the_queue_does_not_scale_with_the_deficit():
    crowd = winners((10, 7), (5, 4), (2, 1))
    once, twice = (bills("profit_times_leverage", amount, crowd) for amount in (3, 6))
    assert once == [0, 3 * USD, 0] and twice == [2 * USD, 4 * USD, 0]


@pytest.mark.parametrize("policy", ["by_profit", "by_equity", "by_contracts", "by_risk", "min_max"])
def test_shares_do_not_depend_on_the_unit_of_money(policy):
    small = winners((900, 80), (500, 40), (100, 39))
    large = winners((9000, 800), (5000, 400), (1000, 390))
    assert bills(policy, 700, large) == pytest.approx(
        [10 * bill for bill in bills(policy, 70, small)], abs=10
    )


# -- worked examples of single policies ------------------------------------------------------------


def test_risk_weights_of_the_published_example():
    """Equities 0.163, 0.728, 0.109 of the whole and leverages 1.031, 0.925, 1.548."""
    equity, leverage = (163, 728, 109), (1031, 925, 1548)
    crowd = winners(
        *((e * 1000, 10**6) for e in equity),
        notional=tuple(e * x for e, x in zip(equity, leverage, strict=True)),
    )
    whole = 10_000
    shares = [bill / (whole * USD) for bill in bills("by_risk", whole, crowd)]
    assert shares == pytest.approx([0.164, 0.589, 0.246], abs=2e-3)
    quadratic = ADL_POLICIES["by_risk"](leverage_exponent=3)
    shares = quadratic.divide(whole * USD, crowd).most / (whole * USD)
    assert shares.tolist() == pytest.approx([0.155, 0.498, 0.348], abs=2e-3)


def test_bankruptcy_and_liquidation_prices_of_the_published_positions():
    """Entry 1; longs of 1, 3/2 and 19/2 times, shorts of 3/2 and 99/10; maintenance 10 %."""
    positions = [(1, 1), (1, Fraction(3, 2)), (-1, Fraction(3, 2)), (1, Fraction(19, 2)),
                 (-1, Fraction(99, 10))]  # fmt: skip
    found = [bankruptcy_price(s, Fraction(1), Fraction(x)) for s, x in positions]
    assert found == [0, Fraction(1, 3), Fraction(5, 3), Fraction(17, 19), Fraction(109, 99)]
    closed = [
        float(b / (1 - s * Fraction(1, 10))) for b, (s, _) in zip(found, positions, strict=True)
    ]
    assert closed == pytest.approx([0, 0.3704, 1.5152, 0.9942, 1.0010], abs=1e-4)


def test_binance_ranks_profit_over_wallet_times_margin_ratio():
    """Scores 100/200 x 10/300, 90/100 x 20/190, in loss 0; a wallet of 0 counts as 1 USD."""
    crowd = winners((300, 100), (190, 90), (50, -10), (90, 90), notional=(200, 400, 900, 2))
    expected = [Fraction(100, 200) * Fraction(10, 300), Fraction(90, 100) * Fraction(20, 190), 0,
                Fraction(90, 1) * Fraction(1, 900)]  # fmt: skip
    score = ADL_POLICIES["profit_times_margin_ratio"]().score(crowd)
    assert score.tolist() == pytest.approx([float(s) for s in expected])
    gone = crowd._replace(equity=np.array([300, 190, 50, 0]) * USD)
    assert ADL_POLICIES["profit_times_margin_ratio"]().score(gone)[3] == 0


def test_a_loss_ranks_by_percent_over_leverage_however_low_that_is():
    """BitMEX: minus 10 % at leverage 5 and 1/2, in profit times them; one micro-USD is a profit."""
    crowd = winners((20, -10), (200, -10), (20, 10), (200, 10), notional=(100,) * 4)
    crowd = crowd._replace(cost=np.full(4, 100 * USD))
    score = ADL_POLICIES["profit_times_leverage"]().score(crowd)
    assert score.tolist() == pytest.approx([-0.1 / 5, -0.1 * 2, 0.1 * 5, 0.1 / 2])
    least = crowd._replace(profit=np.array([1, -1, 0, 1]))
    expected = [1e-8 * 5, -1e-8 * 2, 0, 1e-8 / 2]
    assert ADL_POLICIES["profit_times_leverage"]().score(least).tolist() == pytest.approx(expected)


@pytest.mark.parametrize(("policy", "of_one", "of_nothing"), [
    ("profit_times_leverage", Fraction(10, 110) * 100, Fraction(10, 110) * 100),
    ("price_ratio_times_leverage", Fraction(110, 100) * 100, Fraction(110, 100) * 100),
    ("profit_times_margin_ratio", Fraction(10, 1) * 5, 0),
])  # fmt: skip
def test_a_pool_worth_nothing_ranks_as_one_worth_the_least_unit(policy, of_one, of_nothing):
    """Shorts from 110 to 100 USD with equity 0, 1 and 2 micro-USD; scores in millions.

    Of Binance's ratios the second is 0 where there is no equity; its wallet counts as 1 USD.
    """
    crowd = winners(*[(1, 10)] * 3, notional=(100,) * 3)._replace(equity=np.array([0, 1, 2]))
    score = ADL_POLICIES[policy]().score(crowd) / USD
    expected = [of_nothing, of_one, of_one / 2]
    assert score.tolist() == pytest.approx([float(x) for x in expected])


@pytest.mark.parametrize("side", [1, -1])
def test_hyperliquid_ranks_the_ratio_of_prices_times_leverage(side):
    """A long from 80 to 100 and a short from 100 to 80 have both come by 5/4."""
    value, cost = (100, 80) if side > 0 else (80, 100)
    crowd = winners((50, 20), (25, 20), notional=(value, value))._replace(
        side=np.array([side, side]), cost=np.array([cost, cost]) * USD
    )
    score = ADL_POLICIES["price_ratio_times_leverage"]().score(crowd)
    expected = [Fraction(5, 4) * Fraction(value, 50), Fraction(5, 4) * Fraction(value, 25)]
    assert score.tolist() == pytest.approx([float(s) for s in expected])


@pytest.mark.parametrize("side", [1, -1])
def test_a_position_that_cost_nothing_ranks_as_one_for_the_least_unit(side):
    """Entry and mark of 0, 1 and 2 micro-USD against 100 USD, leverage 2; scores in units."""
    least, whole = np.array([0, 1, 2]), np.full(3, 100 * USD)
    crowd = winners(*[(50, 20)] * 3)._replace(side=np.full(3, side))
    score = ADL_POLICIES["price_ratio_times_leverage"]().score
    come_up = crowd._replace(value=whole, cost=least if side > 0 else whole)
    gone_down = crowd._replace(value=least if side < 0 else whole, cost=whole)
    if side > 0:
        assert score(come_up).tolist() == pytest.approx([200 * USD, 200 * USD, 100 * USD])
    else:
        assert score(gone_down).tolist() == pytest.approx([0, 2, 2])
    assert score(crowd._replace(value=whole, cost=whole)).tolist() == [2, 2, 2]
    in_percent = ADL_POLICIES["profit_times_leverage"]().score(crowd._replace(cost=least * side))
    assert in_percent.tolist() == pytest.approx([16 * USD, 16 * USD, 8 * USD]), "leverage 4 / 5"


def test_largest_remainders_and_min_max_part_ways_where_lots_are_few():
    """Equities 70 : 16 : 14 and 3 lots: shares 2.1, 0.48, 0.42; one of 16 is more than 3 of 70."""
    crowd = winners((70, 99), (16, 99), (14, 99))
    crowd = crowd._replace(most=np.array([9, 9, 9]), bearable=np.array([9, 9, 9]))
    found = {p: ADL_POLICIES[p]().divide(3, crowd).most.tolist() for p in ("by_equity", "min_max")}
    assert found == {"by_equity": [2, 1, 0], "min_max": [3, 0, 0]}


@pytest.mark.parametrize(
    ("power", "weights"), [(0, [1, 2, 4]), (1, [60, 40, 40]), (2, [3600, 800, 400])]
)
def test_risk_is_equity_times_a_power_of_leverage_down_to_the_last_unit_of_equity(power, weights):
    """Equities of 1, 2 and 4 micro-USD behind 60, 40 and 40; of 0 and less there is no weight."""
    crowd = winners(*[(1, 1)] * 5)._replace(
        equity=np.array([1, 2, 4, 0, -3]), notional=np.array([60, 40, 40, 90, 90])
    )
    found = ADL_POLICIES["by_risk"](leverage_exponent=power).weights(crowd)
    assert found[:3] / found.max() == pytest.approx(np.array(weights) / max(weights), rel=1e-9)
    assert found[3:].tolist() == [0, 0]


def test_min_max_asks_those_without_weight_last():
    """Nothing behind the second and less behind the third: 4 lots, then 2 by what they have."""
    crowd = winners(*[(1, 1)] * 3)._replace(
        equity=np.array([5, 0, -4]) * USD, bearable=np.array([4, 9, 9])
    )
    found = {n: ADL_POLICIES["min_max"]().divide(n, crowd).most.tolist() for n in (3, 4, 6)}
    assert found == {3: [3, 0, 0], 4: [4, 0, 0], 6: [4, 1, 1]}
