"""19. Auto-deleveraging: position ADL and profit haircut, and the policies for both.

Lots are worth 100 USD at first; people meet in a deep impact book against `external`, or leave the
order book empty, so that forced orders find nobody.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from stresslab.liquidation.adl import ADL_POLICIES
from stresslab.liquidation.adl.queue_fill import queue_fill
from stresslab.liquidation.division import Contributors, Queue
from stresslab.margin.bankruptcy import bankruptcy_price
from tests.markets import (
    ORDER_BOOK,
    TICKS,
    USD,
    Ask,
    asset,
    buy_at_market,
    changed,
    market,
    model_of,
    people,
    rows,
    scripted,
    state,
    tables_of,
)

QUEUES = [name for name, kind in ADL_POLICIES.items() if issubclass(kind, Queue)]
SHARES = [name for name in ADL_POLICIES if name not in QUEUES]
every_policy = pytest.mark.parametrize("policy", sorted(ADL_POLICIES))
BOTTOMLESS = {"kind": "impact", "law": {"kind": "linear", "depth_usd": 1e18}}
PAID = ("deficit_micro_usd", "fund_micro_usd", "adl_micro_usd", "socialised_micro_usd")


def test_the_policies_are_those_of_the_rulebook():
    assert len(QUEUES) == 3 and len(SHARES) == 5


# -- V8: five accounts with equity 10, 5, 1, -3, -12 and profit 8, 4, 1/2, -3, -12 -----------------


def five(policy: str, severity: float = 0.5):
    """Return those accounts in units of 1,000 USD when all prices have halved.

    Winners are short 160, 80 and 10 lots, losers long 80 and 300; account 2 has a small position
    in a second market, which makes its leverage the highest, 0.92 against 0.8 and 0.5.
    """
    model = scripted(
        market(
            {
                "winners": people((2000.0, {}), (1000.0, {}), (500.0, {})),
                "losers": people((1000.0, {}), (3000.0, {})),
            },
            assets=("BTC", "ETH"),
            market__book=BOTTOMLESS,
            liquidation__insurance_fund_usd=0.0,
            liquidation__adl_severity=severity,
            liquidation__profit_haircut={"kind": policy},
            liquidation__socialised_loss={"kind": "on_withdrawal"},  # so that only ADL is seen
        ),
        {
            1: [
                buy_at_market(row, lots)
                for row, lots in enumerate((-160, -80, -10, 80, 300))
            ] + [buy_at_market(1, 6, asset=1)]
        },
    )  # fmt: skip
    model.world.index[2:, 0] = TICKS // 2
    return model


def five_after(policy: str, severity: float = 0.5):
    """Return equity of the winners in units after settlement, who paid what, and the tables."""
    model = five(policy, severity)
    tables = tables_of(model)
    deficits = [row[0] for row in rows(tables, "waterfall", *PAID)]
    assert deficits == [3000 * USD, 12_000 * USD]
    seized = dict.fromkeys(range(3), 0)
    for account, loss in rows(tables, "adl", "account", "loss_micro_usd"):
        seized[account] += loss
    assert not tables["adl"]["lots"].any(), "positions are untouched"
    assert model.world.clearing.accounts.position[0, :3].tolist() == [-160, -80, -10]
    return [Fraction(seized[n], 1000 * USD) for n in range(3)], tables


def test_the_queue_takes_all_of_the_second_then_of_the_first():
    seized, _ = five_after("profit_times_leverage")
    assert seized == [Fraction(7, 2), 4, 0]
    assert [e - s for e, s in zip((10, 5, 1), seized, strict=True)] == [Fraction(13, 2), 1, 1]


def test_pro_rata_takes_six_tenths_of_every_profit():
    seized, _ = five_after("by_profit")
    assert seized == [Fraction(24, 5), Fraction(12, 5), Fraction(3, 10)]
    left = [e - s for e, s in zip((10, 5, 1), seized, strict=True)]
    assert left == [Fraction(26, 5), Fraction(13, 5), Fraction(7, 10)]


def test_pro_rata_by_equity_takes_the_same_part_of_equity_up_to_the_profit():
    """1.5 then 6 of 16 and 14.5: 7.5 / 16 of each would be 4.6875, 2.34375, 0.46875."""
    seized, _ = five_after("by_equity")
    assert seized == [Fraction(75, 16), Fraction(75, 32), Fraction(15, 32)]
    seized, _ = five_after("by_equity", severity=0.6)  # 9 / 16 of 1 is more than 1/2
    assert seized[2] == Fraction(1, 2)
    assert sum(seized) == 9 and abs(seized[0] - 2 * seized[1]) <= Fraction(2, 1000 * USD)


def test_pro_rata_in_contracts_follows_the_lots():
    seized, _ = five_after("by_contracts")
    assert seized == [Fraction(24, 5), Fraction(12, 5), Fraction(3, 10)], "lots are 160 : 80 : 10"


def test_min_max_of_money_is_pro_rata_by_equity():
    assert five_after("min_max")[0] == five_after("by_equity")[0]


@every_policy
@pytest.mark.parametrize("severity", [0.0, 0.1, 0.5, 0.75])
def test_what_is_seized_is_severity_times_the_deficit_to_the_unit(policy, severity):
    seized, tables = five_after(policy, severity)
    assert sum(seized) == 15 * Fraction(str(severity))
    assert all(
        (d, adl + socialised) == (adl + socialised, d) and adl == d * Fraction(str(severity))
        for d, _, adl, socialised in rows(tables, "waterfall", *PAID)
    )


@every_policy
def test_no_policy_takes_more_than_the_profits(policy):
    """All of the deficit is wanted, 15, and the profits are 12.5: the rest is socialised."""
    seized, tables = five_after(policy, 1.0)
    assert seized == [8, 4, Fraction(1, 2)]
    assert sum(row[3] for row in rows(tables, "waterfall", *PAID)) == 2500 * USD


# -- split-proof, rank-preserving, scale-free: pro rata is, the queue is not -----------------------


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


# -- position ADL ----------------------------------------------------------------------------------

#: BitMEX's example: 20 contracts at a bankruptcy price; account: (contracts, score).
QUEUED = {1: (10, 3), 2: (10, 6), 3: (20, 1), 4: (30, 4), 5: (20, 5), 6: (10, 2)}


def handed_over(policy: str = "profit_times_leverage", side: int = 1, held=None, **changes):
    """Return a pool of 20 lots with 700 USD, marked 40 USD away from its entry, in empty books.

    It is worth nothing 35 USD away. ``held`` are the lots and leverages of the other side.
    """
    held = held or QUEUED.values()
    total = sum(lots for lots, _ in held)
    scenario = market(
        {
            "queue": people(*((100.0 * lots / x, {"BTC": -side * lots}) for lots, x in held)),
            "victim": people((700.0, {"BTC": 20 * side})),
            "others": people((1e6, {"BTC": side * (total - 20)})),
        },
        market__book=ORDER_BOOK,
        liquidation={
            "feedback": "market", "insurance_fund_usd": 0.0, "position_adl": {"kind": policy},
        },
        **changes,
    )  # fmt: skip
    model = model_of(scenario)
    model.world.index[2:] = TICKS - 4000 * side
    return model


@pytest.mark.parametrize("side", [1, -1])
def test_the_published_queue_is_closed_at_the_bankruptcy_price(side):
    model = handed_over(side=side)
    tables = tables_of(model)
    taken = rows(tables, "adl", "account", "lots", "loss_micro_usd")
    assert [(account + 1, abs(lots)) for account, lots, _ in taken] == [(2, 10), (5, 10)]
    queue = [(account, lots, score) for account, (lots, score) in QUEUED.items()]
    assert {a + 1: abs(lots) for a, lots, _ in taken} == queue_fill(20, queue)
    for _, lots, loss in taken:
        price = 100 - 40 * side + Fraction(loss, USD) / lots
        assert price == 100 - 35 * side == bankruptcy_price(side, Fraction(100), Fraction(20, 7))


#: Lots taken of 10, 10, 20, 30, 20 and 10 held, to the sum of 20: by hand.
TAKEN = {
    # 20 x (10, 10, 20, 30, 20, 10) / 100
    "by_contracts": [2, 2, 4, 6, 4, 2],
    "by_profit": [2, 2, 4, 6, 4, 2],  # each lot has made 40 USD
    # equities 733 1/3, 566 2/3, 2,800, 1,950, 1,200, 900: 1.80, 1.39, 6.87, 4.79, 2.94, 2.21
    "by_equity": [2, 1, 7, 5, 3, 2],
    # lots at a loss of 5: first come 2,800's and 1,950's; a 2nd of 733 costs as 7.64 of 2,800
    "min_max": [2, 1, 7, 5, 3, 2],
}


@pytest.mark.parametrize("policy", sorted(TAKEN))
@pytest.mark.parametrize("side", [1, -1])
def test_shares_in_whole_lots(policy, side):
    taken = rows(tables_of(handed_over(policy, side)), "adl", "account", "lots", "loss_micro_usd")
    assert [abs(lots) for _, lots, _ in taken] == TAKEN[policy]
    assert all(loss == 5 * USD * abs(lots) for _, lots, loss in taken)


def test_largest_remainders_and_min_max_part_ways_where_lots_are_few():
    """Equities 70 : 16 : 14 and 3 lots: shares 2.1, 0.48, 0.42; one of 16 is more than 3 of 70."""
    crowd = winners((70, 99), (16, 99), (14, 99))
    crowd = crowd._replace(most=np.array([9, 9, 9]), bearable=np.array([9, 9, 9]))
    found = {p: ADL_POLICIES[p]().divide(3, crowd).most.tolist() for p in ("by_equity", "min_max")}
    assert found == {"by_equity": [2, 1, 0], "min_max": [3, 0, 0]}


@every_policy
@pytest.mark.parametrize("side", [1, -1])
def test_every_policy_hands_all_lots_over_and_seizes_the_deficit_to_the_unit(policy, side):
    """Seven uneven winners, one of which could bear two lots only; nothing divides."""
    held = [(3, 7), (10, 3), (1, 9), (7, 2), (6, 9), (2, 1), (11, 4)]
    model = handed_over(policy, side, held)
    model.world.index[2:] = TICKS - 4123 * side
    tables = tables_of(model)
    ((deficit, fund, adl, socialised),) = rows(tables, "waterfall", *PAID)
    assert deficit == 20 * 4123 * 10_000 - 700 * USD
    assert (fund, adl, socialised) == (0, deficit, 0)
    taken = rows(tables, "adl", "account", "lots", "loss_micro_usd")
    assert sum(lots for _, lots, _ in taken) == 20 * side
    assert sum(loss for *_, loss in taken) == deficit
    assert all(0 < side * lots <= held[account][0] for account, lots, _ in taken)
    assert state(model, len(held)) == (0, 0, 0)


def test_a_winner_gives_no_more_lots_than_its_equity_bears():
    """5 USD a lot; a hedge that fell left the first short 12 of its 10 lots' profit: 2 lots."""
    held = {"BTC": -10}, {"BTC": -40}
    scenario = market(
        {
            "queue": people((488.0 + 12, held[0] | {"ETH": 22}), (4000.0, held[1])),
            "victim": people((700.0, {"BTC": 20})),
            "others": people((1e6, {"BTC": 30, "ETH": -22})),
        },
        assets=("BTC", "ETH"),
        market__book=ORDER_BOOK,
        liquidation={"feedback": "market", "insurance_fund_usd": 0.0,
                     "position_adl": {"kind": "by_contracts"}, "rounds_per_step": 1},
    )  # fmt: skip
    model = model_of(scenario)
    model.world.index[2:, 0], model.world.index[2:, 1] = 6000, 6000
    equity = 500 + 10 * 40 - 22 * 40
    assert equity == 20
    tables = tables_of(model)
    mine = [
        (account, lots, loss)
        for account, lots, loss, liquidation in rows(
            tables, "adl", "account", "lots", "loss_micro_usd", "liquidation"
        )
        if account in (0, 1) and lots > 0
    ]
    assert mine[:2] == [(0, 4, 20 * USD), (1, 16, 80 * USD)], "a fifth each: 4 lots are its equity"


@pytest.mark.parametrize("first", [0, 1])
def test_legs_are_handed_over_by_descending_maintenance(first):
    """10 lots of one market and 4 of the other: the larger leg goes first, whichever it is."""
    names = ("BTC", "ETH")
    held = {names[first]: 10, names[1 - first]: 4}
    against = {name: -lots for name, lots in held.items()}
    scenario = market(
        {"one": people((200.0, held)), "other": people((1e5, against))},
        assets=names,
        market__book=ORDER_BOOK,
        liquidation={"feedback": "market", "insurance_fund_usd": 0.0},
    )
    model = model_of(scenario)
    model.world.index[2:] = 8000
    taken = rows(tables_of(model), "adl", "asset", "lots", "loss_micro_usd")
    assert taken == [(first, 10, 57_142_857), (1 - first, 4, 22_857_143)], "80 USD by 10 to 4"


def stuck(side: int, **changes):
    """Return a pool of 20 lots and 300 USD marked 12 away: 60 left, 88 or 112 needed, no book."""
    scenario = market(
        {
            "victim": people((300.0, {"BTC": 20 * side})),
            "other": people((1e4, {"BTC": -5 * side}), (1e3, {"BTC": -15 * side})),
        },
        market__book=ORDER_BOOK,
        liquidation={"feedback": "market", "insurance_fund_usd": 0.0, **changes},
    )
    model = model_of(scenario)
    model.world.index[2:] = TICKS - 1200 * side
    return model


@pytest.mark.parametrize("side", [1, -1])
def test_lots_that_find_nobody_stay_open_unless_the_venue_deleverages(side):
    model = stuck(side)
    tables = tables_of(model)
    assert tables["liquidations"]["outcome"].tolist() == ["open"]
    assert len(tables["adl"]["lots"]) == 0
    assert state(model, 0)[0] == 60 * USD


@pytest.mark.parametrize("side", [1, -1])
def test_an_exhausted_book_sends_the_leg_to_winners_at_its_bankruptcy_price(side):
    """20 lots are worth nothing 15 away; winners get them 3 USD a lot better than the mark."""
    model = stuck(side, adl_on_exhausted_book=True)
    tables = tables_of(model)
    taken = rows(tables, "adl", "account", "lots", "loss_micro_usd")
    assert taken == [(1_000_001, 15 * side, -45 * USD), (1_000_000, 5 * side, -15 * USD)]
    assert rows(tables, "waterfall", *PAID) == [(-60 * USD, 0, -60 * USD, 0)]
    assert tables["liquidations"]["outcome"].tolist() == ["closed"]
    assert [state(model, row)[0] for row in range(3)] == [0, 10_075 * USD, 1225 * USD]
    assert model.world.clearing.accounts.position[0].tolist() == [0, 0, 0]


def test_a_venue_without_counterparties_leaves_the_leg_open():
    """The winners have sold to `external`, which takes no part: nothing to hand over to."""
    scenario = market(
        {"victim": people((300.0, {"BTC": 20})), "other": people((1e4, {"BTC": -20}))},
        market__book=ORDER_BOOK,
        liquidation={"feedback": "market", "insurance_fund_usd": 0.0,
                     "adl_on_exhausted_book": True},
    )  # fmt: skip
    model = model_of(scenario)
    c = model.world.clearing
    c.accounts.position[0, 1] = 0
    c.house.position[0] = -20
    model.world.index[2:] = TICKS - 1200
    tables = tables_of(model)
    assert len(tables["waterfall"]["step"]) == len(tables["adl"]["step"]) == 0
    assert tables["liquidations"]["outcome"].tolist() == ["open"]


def test_one_leg_of_two_goes_at_its_own_bankruptcy_price():
    """Maintenance 80 and 40: of the 100 USD left, two thirds go with the first leg."""
    scenario = market(
        {
            "victim": people((700.0, {"BTC": 20, "ETH": 10})),
            "other": people((1e4, {"BTC": -20}), (1e4, {"ETH": -10})),
        },
        assets=("BTC", "ETH"),
        duration_seconds=2.0,
        market__book=ORDER_BOOK,
        liquidation={"feedback": "market", "insurance_fund_usd": 0.0,
                     "adl_on_exhausted_book": True},
    )  # fmt: skip
    model = model_of(scenario)
    model.world.index[2:, 0] = TICKS - 2000
    model.world.index[2:, 1] = TICKS - 2000
    assert model.world.clearing.accounts.cash[0, 0] == (700 - 3000) * USD
    tables = tables_of(model)
    assert rows(tables, "adl", "asset", "lots", "loss_micro_usd") == [(0, 20, -66_666_666)]
    assert tables["liquidations"]["outcome"].tolist() == ["open"]
    assert state(model, 0) == (100 * USD - 66_666_666, 40 * USD, 800 * USD)


def test_spot_that_finds_no_buyer_is_not_handed_to_anybody():
    """A pool of spot and money owed: nobody is on the other side of spot."""
    scenario = market(
        {"holder": people((1000.0, {"SPOT": 4, "BTC": 1})), "other": people((1e4, {"BTC": -1}))},
        assets=("BTC", "SPOT"),
        market__book=ORDER_BOOK,
        assets__SPOT=asset("spot"),
        margin__spot_haircut=0.2,
        margin__brackets={"BTC": [{"floor_usd": 0.0, "maintenance_rate": 0.01,
                                   "max_leverage": 10.0}]},
        liquidation={"feedback": "market", "insurance_fund_usd": 0.0,
                     "adl_on_exhausted_book": True},
    )  # fmt: skip
    model = model_of(scenario)
    c = model.world.clearing
    c.accounts.cash[0, 0] -= 950 * USD  # borrowed to nearly what the haircut allows
    c.house.cash[0] += 950 * USD
    model.world.index[2:, 1] = 9000
    tables = tables_of(model)
    assert (
        tables["forced_orders"]["asset"][0] == 1
        and not tables["forced_orders"]["filled_lots"].any()
    )
    assert len(tables["adl"]["lots"]) == 0


# -- who paid whom, account by account -------------------------------------------------------------


def crowded(**changes):
    """Return 9 cross and 9 isolated longs in two markets and two shorts, prices a third lower."""
    longs = [(60.0 + 7 * k, {"BTC": 6 + k, "ETH": 9 - k}) for k in range(9)]
    loose = [{"floor_usd": 0.0, "maintenance_rate": 0.01, "max_leverage": 50.0}]
    total = {name: -sum(lots[name] for _, lots in longs) for name in ("BTC", "ETH")}
    return market(
        {
            "longs": people(*longs),
            "silos": people(*longs, mode="isolated"),
            "shorts": people((500.0, total), (3000.0, total)),
        },
        assets=("BTC", "ETH"),
        margin__allotment="initial_margin",
        margin__brackets={"BTC": loose, "ETH": loose},
        liquidation__insurance_fund_usd=500.0,
        **changes,
    )


@every_policy
@pytest.mark.parametrize("book", ["empty", "external"])
def test_flows_balance_account_by_account_and_liquidation_by_liquidation(policy, book):
    """Everybody ends with wealth and price moves, less what it paid, plus what was paid for it."""
    kinds = {"position_adl": {"kind": policy}, "profit_haircut": {"kind": policy}}
    extra = {"feedback": "market"} if book == "empty" else {"feedback": "no_feedback"}
    scenario = changed(
        crowded(), liquidation={"insurance_fund_usd": 500.0, "adl_severity": 0.9, **kinds, **extra}
    )
    if book == "empty":
        scenario["market"]["book"] = ORDER_BOOK
    model = model_of(scenario)
    model.world.index[2:] = [6700, 7100]
    tables = tables_of(model)
    expected = dict(rows(tables, "accounts", "account", "wealth_micro_usd"))
    lost = np.array([33, 29]) * USD
    for account, place, lots in rows(tables, "positions", "account", "asset", "initial_lots"):
        expected[account] -= lots * int(lost[place])
    flows = {}
    for account, number, deficit, fund in rows(
        tables, "waterfall", "account", "liquidation", "deficit_micro_usd", "fund_micro_usd"
    ):
        expected[account] += deficit
        flows[number] = flows.get(number, 0) + deficit - fund
    assert len(flows) > 10 and sum(flows.values()) > 0
    for table in ("adl", "socialised"):
        for account, number, loss in rows(
            tables, table, "account", "liquidation", "loss_micro_usd"
        ):
            expected[account] -= loss
            flows[number] -= loss
    assert not any(flows.values()), "each deficit is paid by those named, to the unit"
    assert len(tables["adl"]["account"]) > 10 and len(tables["socialised"]["account"]) > 10
    assert expected == dict(rows(tables, "accounts", "account", "final_equity_micro_usd"))


def test_two_instruments_take_policies_of_their_own():
    """Given a queue for lots and pro rata for cash, the one asks few, the other everybody."""
    kinds = {
        "position_adl": {"kind": "profit_times_leverage"},
        "profit_haircut": {"kind": "by_profit"},
    }
    cash = changed(
        crowded(), liquidation={"feedback": "no_feedback", "insurance_fund_usd": 0.0, **kinds}
    )
    model = model_of(cash)
    model.world.index[2:] = 9700
    tables = tables_of(model)
    first = tables["adl"]["liquidation"] == tables["adl"]["liquidation"][0]
    assert np.count_nonzero(first) == 2 and not tables["adl"]["lots"].any()
    losses = tables["adl"]["loss_micro_usd"][first]
    assert abs(losses[0] - losses[1]) <= 1, "the shorts hold the same"


# -- a deleveraged hedge names the liquidation that deleveraged it ---------------------------------


def causes_of(tables, liquidation: int):
    names = ("liquidation", "cause", "source_liquidation", "amount_micro_usd")
    return [row[1:] for row in rows(tables, "breach_amounts", *names) if row[0] == liquidation]


def hedges(n_victims: int):
    """Return longs of 10 BTC with 200 USD, empty books, and a trader short all of it, long ETH."""
    lots = 10 * n_victims
    scenario = market(
        {
            "longs": people(*[(200.0, {"BTC": 10})] * n_victims),
            "hedger": people((250.0 * n_victims, {"BTC": -lots, "ETH": lots})),
            "other": people((1e6, {"ETH": -lots})),
        },
        assets=("BTC", "ETH"),
        duration_seconds=5.0,
        market__book=ORDER_BOOK,
        liquidation={"feedback": "market", "insurance_fund_usd": 0.0, "rounds_per_step": 1},
    )
    model = model_of(scenario)
    model.world.index[2:, 0] = 7000
    model.world.index[3:, 0] = 6500
    model.world.index[3:, 1] = 4500
    return model


def test_a_deleveraged_hedge_names_its_source():
    """It loses 100 on 10 lots in step 2; in step 3 they would have made 50 more, ETH eats 550."""
    tables = tables_of(hedges(1))
    (account, step, asset) = rows(tables, "liquidations", "account", "step", "asset")[1]
    assert (account, step, asset) == (1_000_000, 3, -1)
    maintenance = Fraction(1, 20)
    eaten = 100 + 50 + 50 * 10 * maintenance * Fraction(1, 10)
    assert [row for row in causes_of(tables, 1) if row[0] == "adl"] == [("adl", 0, eaten * USD)]


def test_each_source_has_its_own_amount_and_they_add_up():
    tables = tables_of(hedges(3))
    found = rows(tables, "liquidations", "liquidation", "account", "step")
    assert [row[1:] for row in found[:3]] == [(0, 2), (1, 2), (2, 2)]
    (mine,) = [number for number, account, _ in found if account == 1_000_000]
    adl = [(source, amount) for cause, source, amount in causes_of(tables, mine) if cause == "adl"]
    assert [source for source, _ in adl] == [0, 1, 2]
    assert len({amount for _, amount in adl}) == 1, "they have lost the same"
    others = [source for cause, source, _ in causes_of(tables, mine) if cause != "adl"]
    assert set(others) == {-1}


def test_a_leg_opened_anew_remembers_what_its_own_deleveraging_gave_it():
    """Its 10 lots went at 90 instead of 70 in step 2; 2 new ones bought at 100 breach in step 3."""
    long = {**people((500.0, {"BTC": 10}), mode="isolated"), "free_wallet": 0.8}
    scenario = market(
        {"idle": people((1.0, {})), "long": long, "short": people((1e6, {"BTC": -10}))},
        market__book=ORDER_BOOK,
        liquidation={"feedback": "market", "insurance_fund_usd": 0.0},
    )
    model = scripted(scenario, {2: [Ask(2, -2, TICKS)], 3: [buy_at_market(1, 2)]})
    model.world.index[2:] = TICKS - 3000
    tables = tables_of(model)
    assert rows(tables, "liquidations", "account", "mode", "step") == [
        (1_000_000, "isolated", 2), (1_000_000, "isolated", 3),
    ]  # fmt: skip
    gave = [
        amount for cause, source, amount in causes_of(tables, 1) if (cause, source) == ("adl", 0)
    ]
    assert gave == [-200 * USD]


@pytest.mark.parametrize("side", [1, -1])
def test_lots_go_to_the_other_side_only_in_profit_or_not(side):
    """Somebody on its own side is far in profit, the other side in loss: that takes the lots."""
    scenario = market(
        {
            "victim": people((300.0, {"BTC": 20 * side})),
            "friend": people((1e4, {"BTC": 5 * side})),
            "other": people((1e4, {"BTC": -25 * side})),
        },
        market__book=ORDER_BOOK,
        liquidation={"feedback": "market", "insurance_fund_usd": 0.0},
    )
    model = model_of(scenario)
    cost = model.world.clearing.accounts.entry_cost
    cost[0, 1], cost[0, 2] = (
        5 * side * (100 - 90 * side) * USD,
        -25 * side * (100 - 90 * side) * USD,
    )
    model.world.index[2:] = TICKS - 3000 * side
    tables = tables_of(model)
    assert rows(tables, "adl", "account", "lots") == [(2_000_000, 20 * side)]
