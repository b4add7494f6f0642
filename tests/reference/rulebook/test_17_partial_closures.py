"""17. Partial liquidation: shares, brackets and limits of a step, each by its published rule.

Expected lots are computed here from the rules' texts, in whole numbers and fractions.
"""

from __future__ import annotations

import math
from fractions import Fraction

import pytest

from stresslab.liquidation.partial_sizes import notional_limits
from tests.markets import TIERS, changed, fall, market, one_leg, people, rows, run


def sent(tables):
    """Return (step, round, lots without sign) of every forced order, all of them filled."""
    found = rows(tables, "forced_orders", "step", "round", "lots", "filled_lots")
    assert found and all(lots == filled for *_, lots, filled in found)
    return [(step, number, abs(lots)) for step, number, lots, _ in found]


FIFTH = {"kind": "share_then_whole"}


@pytest.mark.parametrize(("above", "first"), [(9100.0, 100), (9099.999999, 20), (9100.000001, 100)])
def test_only_a_position_above_the_bar_is_sent_by_a_share(above, first):
    """100 lots at 91 USD are 9,100 USD: at the bar they are not above it."""
    tables = run(one_leg(100, 1000.0, 0.09, {**FIFTH, "above_usd": above}))
    assert sent(tables)[0] == (2, 1, first)


def test_the_rest_follows_whole_while_the_account_cools_down():
    """20 % of 100 lots leave 364 USD needed against 100: the next round lies in the cool-down."""
    tables = run(one_leg(100, 1000.0, 0.09, {**FIFTH, "above_usd": 1000.0}))
    assert sent(tables) == [(2, 1, 20), (2, 2, 80)]


def test_before_a_first_share_nothing_cools_down_however_long_that_takes():
    tables = run(
        one_leg(100, 1000.0, 0.09, {**FIFTH, "above_usd": 1000.0, "cooldown_seconds": 86_400.0})
    )
    assert sent(tables) == [(2, 1, 20), (2, 2, 80)]


def test_a_cool_down_may_also_leave_the_account_alone():
    """A fifth of what is left, rounded up to a lot, every 30 s from step 2 on."""
    closure = {**FIFTH, "above_usd": 1000.0, "in_cooldown": "nothing"}
    tables = run(one_leg(100, 1000.0, 0.09, closure, duration_seconds=70.0))
    assert sent(tables) == [(2, 1, 20), (32, 1, 16), (62, 1, 13)]


@pytest.mark.parametrize(("again", "second"), [(31.0, 80), (32.0, 16)])
def test_a_new_breach_within_the_cool_down_is_closed_whole(again, second):
    """At 94.9 % a fifth restores 490 of 474.5 USD to 379.6; a second fall needs more again."""
    closure = {**FIFTH, "above_usd": 1000.0}
    scenario = one_leg(100, 980.0, 0.052, closure, duration_seconds=40.0)
    fell = {"s": fall(0.052), "t": fall(0.012, at=again)}
    tables = run(changed(scenario, market__shocks=fell))
    assert sent(tables) == [(2, 1, 20), (int(again), 1, second)]
    assert tables["liquidations"]["outcome"].tolist()[0] == "restored"


@pytest.mark.parametrize(
    ("lots", "brackets", "closed"),
    [
        (25, 1, 25),  # 25 · 80 = 2,000 USD is still the first bracket
        (26, 1, 1),
        (100, 1, 75),
        (100, 2, 100),  # there is one bracket below, not two
        (625, 1, 600),  # 50,000 USD is still the second
        (626, 1, 1),
        (626, 2, 601),
        (700, 1, 75),
    ],
)
def test_a_leg_steps_down_into_a_lower_bracket(lots, brackets, closed):
    """At 80 USD brackets end at 25 and 625 lots; what stays is in the lower one to the lot."""
    wealth = lots * 20.0 + 0.03 * lots * 80
    closure = {"kind": "tier_step_down", "brackets": brackets}
    tables = run(one_leg(lots, wealth, 0.2, closure, tiers=TIERS))
    assert sent(tables)[0] == (2, 1, closed)


def test_a_short_steps_down_by_buying():
    """BTC falls and is long 10 lots; ETH, the larger leg, is short 30 lots of 100 USD."""
    scenario = market(
        {
            "one": people((405.0, {"BTC": 10, "ETH": -30})),
            "rich": people((1e9, {"BTC": -10, "ETH": 30})),
        },
        assets=("BTC", "ETH"),
        market__shocks={"s": fall(0.3)},
        margin__brackets=dict.fromkeys(("BTC", "ETH"), TIERS),
        margin__cross__closure={"kind": "tier_step_down"},
    )
    found = rows(run(scenario), "forced_orders", "round", "asset", "filled_lots")
    assert found[:2] == [(1, 1, 10), (2, 1, 20)]


@pytest.mark.parametrize(
    ("lots", "steps"),
    [
        (1000, [100, 90, 81]),  # 10 % of what is left, 9,100 USD at first
        (100, [10, 10, 10]),  # 10 % is 910 USD, least are 1,000: 10 lots of 91 USD
        (10, [10]),
        (5, [5]),
    ],
)
def test_each_market_is_tried_once_a_step_for_a_share_or_the_least_notional(lots, steps):
    closure = {"kind": "share_per_step"}
    tables = run(one_leg(lots, lots * 10.0, 0.09, closure))
    assert sent(tables) == [(2 + k, 1, size) for k, size in enumerate(steps)]


@pytest.mark.parametrize("lots", [1, 7, 11, 12, 109, 110, 111, 500])
def test_the_share_is_the_published_limit_of_a_block(lots):
    """The same as `notional_limits`, but in whole lots and at least one."""
    price = 91
    tables = run(one_leg(lots, lots * 10.0, 0.09, {"kind": "share_per_step"}))
    _, most = notional_limits(lots, price, 1000, Fraction(1, 10))
    assert sent(tables)[0] == (2, 1, max(1, math.floor(most / price)))


def test_a_pool_has_a_limit_of_a_step_too():
    """ETH, the larger leg, comes first: 10 lots are 900 USD; BTC gets the rest of 1,000 USD."""
    scenario = market(
        {"one": people((290.0, {"BTC": 10, "ETH": 20})),
         "rich": people((1e6, {"BTC": -10, "ETH": -20}))},
        assets=("BTC", "ETH"),
        duration_seconds=2.0,
        market__shocks={"s": fall(0.1, "BTC", "ETH")},
        margin__cross__closure={
            "kind": "share_per_step", "share": 0.5, "least_usd": 0.0, "most_usd": 1000.0,
        },
    )  # fmt: skip
    found = rows(run(scenario), "forced_orders", "asset", "filled_lots")
    assert found == [(1, -10), (0, -1)]


@pytest.mark.parametrize("wealth", [1000.0, 1100.0, 1200.0, 1300.0, 1340.0])
def test_all_positions_are_cut_by_the_least_multiple_of_a_fifth(wealth):
    """(1 - x) m n <= 0.9 e, so x is 1 - 0.9 e / (m n), up to the next fifth."""
    scenario = market(
        {"one": people((wealth, {"BTC": 100, "ETH": 50})),
         "rich": people((1e9, {"BTC": -100, "ETH": -50}))},
        assets=("BTC", "ETH"),
        market__shocks={"s": fall(0.09)},
        margin__cross__closure={"kind": "common_share"},
    )  # fmt: skip
    need = Fraction(5, 100) * (100 * 91 + 50 * 100)
    equity = Fraction(int(wealth)) - 900
    assert 0 < equity < need
    fifths = math.ceil(5 * (1 - Fraction(9, 10) * equity / need))
    found = rows(run(scenario), "forced_orders", "asset", "filled_lots")
    assert found == [(0, -20 * fifths), (1, -10 * fifths)]
    assert fifths in (1, 2, 3, 4, 5)


def test_the_common_share_counts_fee_and_penalty():
    """Without them 0.9 · 450 = 405 of 405 USD would do at 1 - 364 / 455 = 20 %."""
    scenario = one_leg(100, 1304.45, 0.09, {"kind": "common_share"})
    assert sent(run(scenario)) == [(2, 1, 20)]
    charged = changed(scenario, market__fees={"maker_rate": 0.0, "taker_rate": 0.0001})
    assert sent(run(charged)) == [(2, 1, 40)]
