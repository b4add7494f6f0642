"""What is left unsaid counts nothing, and inputs that mean nothing are refused by name."""

from __future__ import annotations

from fractions import Fraction

import pytest

from stresslab.core.errors import StresslabError
from stresslab.margin import initial_margin as margins
from stresslab.margin import liquidation_price as prices
from stresslab.margin.bankruptcy import (
    bankruptcy_price,
    bankruptcy_price_of_margin,
    bankruptcy_quote,
    inverse_bankruptcy_price,
)
from stresslab.margin.collateral_weights import (
    asset_weight,
    borrow_scaled_weight,
    deposit_scaled_weight,
)
from stresslab.margin.cross_account import CrossAccount, CrossPosition
from stresslab.margin.portfolio import (
    Collateral,
    Expiry,
    Option,
    Portfolio,
    Scenario,
    grid_margin,
    naked_shorts,
)
from stresslab.margin.portfolio.black76 import black76
from stresslab.margin.weighted_health import PerpetualHolding, TokenHolding, weighted_health

LEG = prices.Leg(1, 3, 100, Fraction(1, 50))
TABLE = [(1, 3, 100, [prices.tiered.TableRow(0, Fraction(1, 50), 0)])]


@pytest.mark.parametrize(
    ("function", "said", "neutral"),
    [
        (prices.linear, (50, [LEG]), {"other_profit": 0, "other_maintenance": 0}),
        (prices.linear_in_tables, (50, [prices.TabledLeg(*TABLE[0])]),
         {"other_profit": 0, "other_maintenance": 0, "mark": None}),
        (prices.entry_maintenance, (1, 3, 100, 10, Fraction(1, 50)),
         {"amount": 0, "extra_margin": 0}),
        (prices.fee_inside, (-1, 3, 100, 40, Fraction(1, 50)), {"taker_fee": 0}),
        (prices.from_margin_ratio, (-1, 3, 100, Fraction(1, 50), 7), {"taker_fee": 0}),
        (prices.dydx, (500, -3, 100, Fraction(1, 50)), {"other_maintenance": 0}),
        (prices.kucoin, (-3, 100, 50, 400, Fraction(1, 50)), {"taker_fee": 0}),
        (prices.inverse, (1, 300, 100, 2, Fraction(1, 50)),
         {"amount": 0, "other_profit": 0, "other_maintenance": 0}),
        (prices.inverse_fee_inside, (-1, 300, 100, 2, Fraction(1, 50)), {"taker_fee": 0}),
        (prices.inverse_with_fee_at_bankruptcy, (-1, 300, 100, 2, Fraction(1, 50)),
         {"taker_fee": 0}),
        (margins.margins_with_closing_fee, (1, 300, 10, Fraction(1, 50), Fraction(1, 1000)),
         {"amount": 0}),
        (margins.margin_with_orders, (3, 2, 9, Fraction(1, 50), 100),
         {"fee_provision": 0, "open_loss": 0}),
        (margins.scaled_initial_margin, (101, Fraction(1, 7), 5, 0, 10), {"quote_step": 0}),
    ],
)  # fmt: skip
def test_a_default_is_what_changes_nothing(function, said, neutral):
    plain = function(*said)
    assert plain == function(*said, **neutral)
    for name, value in neutral.items():
        if value == 0:
            assert plain != function(*said, **{name: Fraction(1, 10)}), "it is used at all"


def test_a_leg_without_an_amount_has_none():
    assert LEG.amount == 0
    assert prices.linear(50, [LEG]) == prices.linear(50, [LEG._replace(amount=Fraction(0))])


def test_quotes_are_rounded_to_the_micro_usd_unless_said():
    account = CrossAccount(-100, [CrossPosition(3, 100, Fraction(1, 10))])
    exact = bankruptcy_quote(account, 0, Fraction(-1, 7), 0)
    assert bankruptcy_quote(account, 0, Fraction(-1, 7)) == Fraction(-(-exact * 10**6 // 1), 10**6)
    assert exact.denominator == 21


def test_a_portfolio_holds_nothing_but_what_is_said():
    """Cash, unrealised profit and collateral at par; whatever is not there is worth nothing."""
    empty = grid_margin(Portfolio(spot=100.0))
    assert empty == (0.0, 0.0, 0.0, 0.0, 0.0)
    assert grid_margin(Portfolio(spot=100.0, cash=7.0, unrealised=-3.0)).value == 4.0
    coin = Collateral(2.0, 50.0, False, 0.0, 0.0)
    assert grid_margin(Portfolio(100.0, collaterals=[coin])) == (100.0, 100.0, 0.0, 0.0, 100.0)
    held = Portfolio(100.0, perpetuals=1.0, perpetual_price=100.0)
    sure = held._replace(spot_confidence=1.0, perpetual_confidence=1.0)
    assert grid_margin(held) == grid_margin(sure._replace(stable_price=1.0, expiries=()))
    assert Portfolio(100.0, perpetuals=1.0).perpetual_price == 0.0
    assert Scenario(1.1) == Scenario(1.1, "none", 1.0)


@pytest.mark.parametrize(
    ("spot", "perpetual", "size", "lowest"),
    [(0.3, 0.2, 1.0, 0.2), (0.2, 0.3, -1.0, 0.2), (0.3, 0.2, 0.0, 0.3), (0.3, 0.2, 0.5, 0.2)],
)
def test_the_perpetuals_price_is_doubted_where_some_are_held(spot, perpetual, size, lowest):
    held = Portfolio(100.0, perpetuals=size, spot_confidence=spot, perpetual_confidence=perpetual)
    assert held.confidence == lowest


@pytest.mark.parametrize(
    ("seconds", "fixed"), [(7200.0, 0), (1800.0, 0), (1799.0, 1 / 1800), (450.0, 0.75), (0.0, 1),
                           (-9.0, 1)],
)  # fmt: skip
def test_the_last_half_hour_fixes_its_part_of_the_forward(seconds, fixed):
    expiry = Expiry(seconds, 200.0, 0.0, 1.0, [Option(100.0, True, 1.0, 0.5)])
    assert expiry.fixed_forward == pytest.approx(200 * fixed)
    assert expiry.forward_at(1.1) == pytest.approx(200 * (fixed + (1 - fixed) * 1.1))


def test_a_token_alone_scales_with_nobody_and_a_profit_counts_whole():
    token = TokenHolding(0, 10, Fraction(1, 2), Fraction(3, 2))
    assert token.deposits == token.borrows == 0
    crowd = token._replace(deposit_scale_start=1000, borrow_scale_start=1000)
    for balance in (3, -3):
        assert crowd.health(balance) == token.health(balance) == balance * 10 * (
            Fraction(1, 2) if balance > 0 else Fraction(3, 2)
        )  # fmt: skip
    perpetual = PerpetualHolding(2, 5, 1, Fraction(4, 5), Fraction(6, 5))
    assert perpetual.contribution == 9 and weighted_health([token], [perpetual]) == 45
    assert perpetual._replace(overall_weight=Fraction(1, 3)).contribution == 3


ZEROES = [
    (bankruptcy_price, (1, 100, 10), {2: "leverage"}),
    (bankruptcy_price_of_margin, (1, 2, 100, 10), {1: "quantity"}),
    (inverse_bankruptcy_price, (1, 100, 10), {2: "leverage"}),
    (prices.entry_maintenance, (1, 2, 100, 10, 0.01), {1: "quantity", 3: "leverage"}),
    (prices.fee_inside, (1, 2, 100, 10, 0.01), {1: "quantity"}),
    (prices.from_margin_ratio, (1, 2, 100, 0.01, 2), {1: "quantity"}),
    (prices.position_fields, (1, 2, 100, 10), {1: "quantity"}),
    (prices.hyperliquid, (1, 2, 100, 10, 5), {1: "quantity", 4: "max_leverage"}),
    (prices.hyperliquid_raw, (1, 2, -10, 5), {1: "quantity", 3: "max_leverage"}),
    (prices.kucoin, (2, 100, 10, 300, 0.01), {0: "absolute_size", 3: "gross_value"}),
    (prices.inverse, (1, 300, 100, 1, 0.01), {1: "value", 2: "entry"}),
    (prices.inverse_fee_inside, (1, 300, 100, 1, 0.01), {1: "value", 2: "entry"}),
    (prices.inverse_with_fee_at_bankruptcy, (1, 300, 100, 1, 0.01), {1: "value", 2: "entry"}),
    (margins.inverse_initial_margin, (300, 100, 10), {1: "entry", 2: "leverage"}),
    (margins.closing_fee, (1, 300, 10, 0.001), {2: "leverage"}),
]


@pytest.mark.parametrize(
    ("function", "arguments", "place", "name"),
    [(function, said, place, name) for function, said, names in ZEROES
     for place, name in names.items()],
)  # fmt: skip
def test_what_must_be_above_zero_is_named(function, arguments, place, name):
    assert float(function(*arguments)) != 0
    wrong = [0 if k == place else value for k, value in enumerate(arguments)]
    with pytest.raises(StresslabError, match=f"{name}: 0 is not above 0"):
        function(*wrong)


def test_a_slope_of_nothing_has_no_price_and_the_least_slope_has_one():
    almost = Fraction(1) - Fraction(1, 10**9)
    assert prices.fee_inside(1, 1, 100, 10, almost) == 90 * 10**9
    with pytest.raises(StresslabError, match="1 is not below 1"):
        prices.fee_inside(1, 1, 100, 10, Fraction(1))
    with pytest.raises(StresslabError, match="2 is not below 1"):
        prices.from_margin_ratio(1, 1, 100, 1, 2, 1)
    assert prices.fee_inside(-1, 1, 100, 10, 1) == 55
    with pytest.raises(StresslabError, match="has no price"):
        prices.dydx(10, 3, 100, 1)
    with pytest.raises(StresslabError, match="covers every price"):
        prices.inverse_fee_inside(-1, 300, 100, 3, 0.01)


def test_one_and_a_half_are_numbers_like_any_other():
    """What is special at 0 is not at 1, nor between them."""
    half = Fraction(1, 2)
    assert prices.inverse_fee_inside(1, 100, 200, half, 0) == 100, "one coin"
    assert prices.dydx(5, -1, 7, 0) == 12, "a slope of one"
    assert prices.linear(5, [prices.Leg(-1, 1, 7, 0)]) == 12
    assert inverse_bankruptcy_price(-1, 100, 2) == 200
    for size in (half, 1, -half, -1):
        side = 1 if size > 0 else -1
        equity = Fraction(40) * abs(size) / 2
        price = prices.kucoin(size, Fraction(100), 40, 200, Fraction(1, 50))
        assert equity + size * (price - 100) == abs(size) * price / 50 and side * price < side * 100
    assert asset_weight(2.0, 1.0, 1.0) == 0.55
    assert deposit_scaled_weight(half, 1, 2, 2) == half / 4
    assert borrow_scaled_weight(half, 1, 2, 2) == half * 4
    for size in (half, -half, 1, -1):
        held = PerpetualHolding(size, 1, 2, half, Fraction(3, 2), half)
        worth = size * (half if size > 0 else Fraction(3, 2)) + 2
        assert held.contribution == worth * half
    assert PerpetualHolding(1, 1, -half, half, 1, half)._replace(quote=0).contribution == half / 2
    account = CrossAccount(0, [CrossPosition(1, 1, half)])
    assert account.share_of(half / 2) == half
    assert margins.scaled_initial_rate(half / 5, half, half, half) == 1
    assert margins.scaled_initial_rate(half / 5, half / 2, half, half) == half / 5
    assert margins.scaled_initial_rate(half / 5, 7, 0, 0) == half / 5
    assert margins.margin_with_orders(0, half, 0, 1, 1) == half
    assert margins.margin_with_orders(-half, 0, 0, 1, 1) == half
    assert naked_shorts(Expiry(1.0, 1.0, 0.0, 1.0, [Option(1.0, True, -0.5, 0.5)])) == 0.5
    assert black76(0.5, 0.25, 0.5, 0.25, 1.0, True) < 0.26
    assert black76(0.5, 0.5, 0.5, 1.0, 1.0, True) == black76(0.5, 0.5, 0.5, 1.0, 1.0, False) > 0.09
