"""Before anybody is liquidated: margin calls, top-ups by hand, stop-losses."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.core.columns import (
    IOC,
    MARKET,
    N_CUTS,
    N_MARGIN_CALLS,
    N_STOPS,
    N_TOPUPS,
    STOP,
    VOLUNTARY,
    Orders,
    make_accounts,
    make_orders,
)
from stresslab.core.events import CROSS, ISOLATED
from stresslab.core.random import Streams, uniform
from stresslab.margin.calls import Answers, send_margin_calls
from stresslab.margin.stops import StopBook, limit_of, look_at_stops
from tests.markets import (
    TICKS,
    USD,
    changed,
    fall,
    market,
    model_of,
    people,
    rows,
    run,
    state,
)

SHORT = people((1e6, {"BTC": -10}))


def called(size: float, mode: str = "isolated", **changes):
    """Return the log of a fall, for 10 lots with 100 USD allotted and 400 in the wallet."""
    scenario = market(
        {"one": {**people((500.0, {"BTC": 10}), mode=mode), "free_wallet": 0.8}, "short": SHORT},
        market__shocks={"s": fall(size)},
        **changes,
    )
    return run(scenario)


def events(tables):
    """Return (margin calls, top-ups, liquidations) of the first account."""
    calls = rows(tables, "accounts", "n_margin_calls", "n_topups")[0]
    return (*calls, len(tables["liquidations"]["account"]))


def test_a_margin_call_precedes_a_liquidation():
    """Equity 100 - 1000 f against maintenance 50 (1 - f): called beyond 4 %, closed from 5.3 %."""
    assert events(called(0.04)) == (0, 0, 0)
    assert events(called(0.0401)) == (1, 0, 0)
    assert events(called(0.06)) == (1, 0, 1)


def test_a_call_is_sent_once_while_it_lasts_and_again_after_a_recovery():
    scenario = market(
        {"one": {**people((500.0, {"BTC": 10}), mode="isolated"), "free_wallet": 0.8},
         "short": SHORT},
        duration_seconds=8.0, market__shocks={"s": fall(0.045)},
    )  # fmt: skip
    model = model_of(scenario)
    model.world.index[4:6] = TICKS  # it recovers for two steps
    model.run()
    assert model.world.clearing.accounts.n_margin_calls[0] == 2


def test_the_level_of_the_call_is_the_configs():
    assert events(called(0.03, margin__call_levels=[0.5])) == (1, 0, 0)
    assert events(called(0.04, margin__call_levels=[1.0])) == (0, 0, 0)


def test_a_cross_account_without_positions_is_never_called():
    model = model_of(market({"idle": people((1.0, {}))}))
    accounts = model.world.clearing.accounts
    accounts.wallet[0] = -1  # it owes: short of margin at every level
    assert model.engine.spells.pools_to_call()[0].tolist() == [0]
    model.margin()
    assert accounts.n_margin_calls.tolist() == [0]


def topping(probability: float, fraction: float, size: float = 0.06):
    """Return the model after a fall, for a speculator who may answer calls."""
    habits = {
        "topup_share": 1.0, "topup_probability": probability, "topup_fraction": fraction,
        "stop_share": 0.0, "entry_probability": 0.0, "exit_probability": 0.0,
    }  # fmt: skip
    one = {**people((500.0, {"BTC": 10}), mode="isolated"), "free_wallet": 0.8}
    one["strategy"] = {"kind": "leveraged_speculator", **habits}
    model = model_of(market({"one": one, "short": SHORT}, market__shocks={"s": fall(size)}))
    model.run()
    return model


def test_a_top_up_moves_free_money_into_the_silo_and_saves_the_position():
    """40 USD are left in the silo against 47 of maintenance; half of the wallet's 400 come."""
    model = topping(1.0, 0.5)
    assert state(model, 0, 1)[0] == (40 + 200) * USD
    assert state(model, 0, 0)[0] == 200 * USD
    assert model.world.clearing.accounts.n_topups[0] == 1
    assert len(model.log.columns("liquidations")["account"]) == 0


def test_who_does_not_answer_is_liquidated():
    model = topping(0.0, 0.5)
    assert model.world.clearing.accounts.n_topups[0] == 0
    assert model.log.columns("liquidations")["account"].tolist() == [0]


def test_a_top_up_that_is_too_small_does_not_save():
    model = topping(1.0, 0.01)
    assert model.world.clearing.accounts.n_topups[0] == 1
    assert model.log.columns("liquidations")["account"].tolist() == [0]


@pytest.mark.parametrize("side", [-1, 1])
def test_a_top_up_takes_only_what_cross_positions_leave_free(side):
    """Of 400 USD in the wallet, 300 are the initial margin of 30 lots held under cross."""
    habits = {"topup_share": 1.0, "topup_probability": 1.0, "topup_fraction": 1.0,
              "stop_share": 0.0, "entry_probability": 0.0, "exit_probability": 0.0}  # fmt: skip
    one = people((500.0, {"BTC": 10, "ETH": 30 * side}), mode="isolated")
    one["strategy"] = {"kind": "leveraged_speculator", **habits}
    scenario = market(
        {"one": one, "short": people((1e6, {"BTC": -10, "ETH": -30 * side}))},
        assets=("BTC", "ETH"), margin__allotment="initial_margin",
        market__shocks={"s": fall(0.045)},
    )  # fmt: skip
    model = model_of(scenario)
    c = model.world.clearing.accounts
    c.mode[1, 0] = 2  # the ETH position joins the wallet, with the money of its silo
    c.cash[0, 0] += c.cash[2, 0]
    c.cash[2, 0] = 0
    model.run()
    assert state(model, 0, 0)[0] == 300 * USD
    assert state(model, 0, 1)[0] == (55 + 100) * USD


class Desk:
    """Twenty accounts with 100 USD each, flat, and room for orders in which others have been."""

    N = 20

    def __init__(self, **answers: float) -> None:
        names = ("BTC", "ETH", "COIN")
        scenario = market({"all": people(*[(100.0, {})] * self.N)}, assets=names)
        scenario["assets"]["COIN"]["kind"] = "spot"
        del scenario["margin"]["brackets"]["COIN"]
        world = (model := model_of(scenario)).world
        self.clearing, self.marks, self.model = world.clearing, world.board.ticks, model
        self.accounts, self.orders = self.clearing.accounts, make_orders(100)
        for column in self.orders[1:]:
            column[:] = 77
        zeros = {name: np.zeros(self.N) for name in Answers._fields}
        self.answers = Answers(**{**zeros, **{k: np.full(self.N, v) for k, v in answers.items()}})
        self.called = np.zeros(self.accounts.cash.size, np.int8)
        self.key = Streams(7, 0)["answers"]

    def hold(self, n: int, asset: int, lots: int, mode: int) -> None:
        self.accounts.position[asset, n], self.accounts.mode[asset, n] = lots, mode

    def call(self, pools, crossed=None, step=3) -> list[tuple[int, ...]]:
        """Call pools and return the orders, whole rows."""
        c = self.clearing
        levels = np.array([1] * len(pools) if crossed is None else crossed, np.int8)
        self.orders.n[0] = 0
        send_margin_calls(
            self.accounts, c.house, c.journal, c.tables, self.marks, np.array(pools), levels,
            self.called, self.answers, self.orders, self.key, step,
        )  # fmt: skip
        return rows_of(self.orders)

    def luck(self, n: int, pool: int, step: int = 3) -> float:
        return float(uniform(self.key, int(self.accounts.id[n]), step, pool))

    def tally(self, column: int) -> list[int]:
        return self.accounts.tally[column].tolist()


def rows_of(orders: Orders) -> list[tuple[int, ...]]:
    columns = [column[: orders.n[0]].tolist() for column in orders[1:]]
    return list(zip(*columns, strict=True))


@pytest.mark.parametrize(
    ("fraction", "lots"),
    [(0.3, (3, 3, 2)), (1.0, (10, 7, 4)), (1e-9, (1, 1, 1)), (2.0, (10, 7, 4))],
)
def test_a_cut_closes_a_part_of_every_perpetual_of_the_pool_rounded_up(fraction, lots):
    """10 and -7 lots under cross beside spot; 4 isolated lots of another account."""
    desk = Desk(cut_probability=1.0, cut_fraction=fraction)
    desk.hold(1, 0, 10, CROSS)
    desk.hold(1, 1, -7, CROSS)
    desk.hold(1, 2, 5, CROSS)
    desk.hold(2, 0, 6, CROSS)
    desk.hold(2, 1, 4, ISOLATED)
    assert desk.call([1, 2 * Desk.N + 2]) == [
        (1, 0, MARKET, -lots[0], 0, 1, VOLUNTARY),
        (1, 1, MARKET, lots[1], 0, 1, VOLUNTARY),
        (2, 1, MARKET, -lots[2], 0, 1, VOLUNTARY),
    ]
    assert desk.tally(N_CUTS)[:4] == [0, 2, 1, 0] and sum(desk.tally(N_MARGIN_CALLS)) == 2
    assert sum(desk.tally(N_TOPUPS)) == 0


@pytest.mark.parametrize("lots", [1, -1])
@pytest.mark.parametrize("mode", [CROSS, ISOLATED])
def test_one_lot_is_cut_whole(lots, mode):
    desk = Desk(cut_probability=1.0, cut_fraction=0.5)
    desk.hold(0, 1, lots, mode)
    pool = 0 if mode == CROSS else 2
    assert desk.call([pool * Desk.N]) == [(0, 1, MARKET, -lots, 0, 1, VOLUNTARY)]


def test_who_draws_just_the_chance_of_adding_cuts_and_just_that_of_cutting_does_nothing():
    desk = Desk(topup_fraction=0.5, cut_fraction=1.0)
    for n in (0, 1):
        desk.hold(n, 1, 5, ISOLATED)
        luck = desk.luck(n, 2)
        desk.answers.topup_probability[n] = luck if n == 0 else luck / 2
        desk.answers.cut_probability[n] = 1.0 if n == 0 else luck - luck / 2
    assert desk.call([2 * Desk.N, 2 * Desk.N + 1]) == [(0, 1, MARKET, -5, 0, 1, VOLUNTARY)]
    assert desk.tally(N_TOPUPS)[:2] == [0, 0]


def test_one_draw_tells_who_adds_who_cuts_and_who_does_neither():
    """3 in 10 add half of their 100 USD, 4 in 10 cut; a wallet has nowhere to add from."""
    desk = Desk(topup_probability=0.3, topup_fraction=0.5, cut_probability=0.4, cut_fraction=1.0)
    for n in range(Desk.N):
        desk.hold(n, 0, 5, ISOLATED)
        desk.hold(n, 1, 1, CROSS)
    desk.marks[1] = 0  # so that the wallets have their 100 USD free
    silos = [Desk.N + n for n in range(Desk.N)]
    found = desk.call([*range(Desk.N), *silos])
    luck = [[desk.luck(n, pool) for n in range(Desk.N)] for pool in (0, 1)]
    cuts = [[n for n in range(Desk.N) if 0.3 <= luck[pool][n] < 0.7] for pool in (0, 1)]
    adds = [n for n in range(Desk.N) if luck[1][n] < 0.3]
    assert len(adds) > 2 and len(cuts[0]) > 2 and len(cuts[1]) > 2
    assert [(row[0], row[1]) for row in found] == [(n, 1) for n in cuts[0]] + [
        (n, 0) for n in cuts[1]
    ]
    assert desk.accounts.cash[1].tolist() == [50 * USD * (n in adds) for n in range(Desk.N)]
    assert desk.tally(N_TOPUPS) == [int(n in adds) for n in range(Desk.N)]
    assert desk.tally(N_MARGIN_CALLS) == [2] * Desk.N


def test_a_top_up_is_rounded_to_the_nearest_micro_usd_and_nothing_is_none():
    """A third of 100 USD; half a micro-USD is none."""
    for fraction, added in ((1 / 3, 33_333_333), (2 / 3, 66_666_667), (5e-9, 0), (1.1e-8, 1)):
        desk = Desk(topup_probability=1.0, topup_fraction=fraction)
        desk.hold(0, 1, 5, ISOLATED)
        assert desk.call([2 * Desk.N]) == []
        assert desk.accounts.cash[:, 0].tolist() == [100 * USD - added, 0, added, 0]
        assert desk.tally(N_TOPUPS)[0] == (added > 0) and desk.tally(N_MARGIN_CALLS)[0] == 1


def test_a_pool_is_called_again_at_more_levels_and_after_a_recovery_only():
    desk, n_calls = Desk(), []
    desk.hold(3, 0, 5, ISOLATED)
    code = Desk.N + 3
    for pools, crossed in (
        ([code], [1]), ([code], [1]), ([code], [2]), ([code], [1]), ([code], [2]), ([], []),
        ([code], [2]),
    ):  # fmt: skip
        desk.call(np.array(pools, np.int64), crossed)
        n_calls.append(desk.tally(N_MARGIN_CALLS)[3])
    assert n_calls == [1, 1, 2, 2, 3, 3, 4]


@pytest.mark.parametrize("lots", [1, -1])
def test_a_wallet_is_called_from_one_lot_under_cross_on(lots):
    desk = Desk()
    desk.hold(0, 1, lots, CROSS)
    desk.hold(1, 1, lots, ISOLATED)
    desk.call([0, 1, 2])
    assert desk.tally(N_MARGIN_CALLS)[:3] == [1, 0, 0]


# -- stops ---------------------------------------------------------------------------------------


def stopped(side: int, path: list[int], **habits):
    """Return the model of speculators at 5x who stop when half of their margin is lost: at 10 %."""
    habits = {"stop_share": 1.0, "stop_loss": 0.5, "topup_share": 0.0, "entry_probability": 0.0,
              "exit_probability": 0.0, **habits}  # fmt: skip
    crowd = people(*[(400.0, {"BTC": side * 10})] * 5)
    crowd["strategy"] = {"kind": "leveraged_speculator", **habits}
    crowd["leverage"] = {"median": 5.0}
    scenario = market(
        {"crowd": crowd, "other": people((1e6, {"BTC": -side * 50}))},
        duration_seconds=float(len(path)), market__mark={"rule": "index"},
    )  # fmt: skip
    model = model_of(scenario)
    model.world.index[1:, 0] = path
    model.run()
    return model


def test_a_stop_closes_the_whole_position_one_step_after_the_mark_reaches_it():
    model = stopped(1, [TICKS, 9001, 9000, 9000, 9000])
    accounts = model.world.clearing.accounts
    assert accounts.n_stops[:5].tolist() == [1] * 5
    assert accounts.position[0, :5].tolist() == [0] * 5
    assert model.log.columns("path")["volume_lots"].tolist() == [0, 0, 0, 50, 0]


def test_a_stop_above_does_the_same_for_shorts():
    model = stopped(-1, [TICKS, 10_999, 11_000, 11_000, 11_000])
    assert model.log.columns("path")["volume_lots"].tolist() == [0, 0, 0, 50, 0]


def test_a_stop_that_is_not_reached_or_not_set_does_nothing():
    assert not stopped(1, [TICKS, 9001, 9500]).world.clearing.accounts.n_stops.any()
    nobody = stopped(1, [TICKS, 9000, 9000], stop_share=0.0)
    assert not nobody.world.clearing.accounts.n_stops.any()
    assert nobody.world.clearing.accounts.position[0, :5].tolist() == [10] * 5


def test_a_cluster_of_stops_moves_a_thin_market_and_triggers_the_next():
    """Stops at 10 % below for 5x; those at 4x sit at 12.5 % and go only because the first did."""

    def group(leverage):
        crowd = people(*[(1000.0 / leverage * 2, {"BTC": 10})] * 5)
        crowd["strategy"] = {"kind": "leveraged_speculator", "stop_share": 1.0, "stop_loss": 0.5,
                             "topup_share": 0.0, "entry_probability": 0.0,
                             "exit_probability": 0.0}  # fmt: skip
        return {**crowd, "leverage": {"median": leverage}}

    scenario = market(
        {"first": group(5.0), "second": group(4.0), "other": people((1e6, {"BTC": -100}))},
        duration_seconds=6.0,
        market__shocks={"s": fall(0.1)},
        market__mark={"rule": "mid"},
        market__book={"kind": "impact", "law": {"kind": "linear", "depth_usd": 1e9}},
    )
    deep = run(scenario)
    stops = deep["accounts"]["n_stops"].tolist()
    assert stops[:10] == [1] * 5 + [0] * 5
    thin = run(changed(scenario, market__book__law__depth_usd=1000.0))
    assert thin["accounts"]["n_stops"].tolist()[:10] == [1] * 10
    assert thin["path"]["volume_lots"].tolist() == [0, 0, 50, 50, 0, 0]


def stop_book(n: int, offset: float) -> StopBook:
    """Return a book of two assets in which nobody waits; every account's mark triggers."""
    none = [np.zeros((2, n), np.int64) for _ in range(3)]
    return StopBook(*none, stop_trigger=np.zeros(n, np.int64), stop_offset=np.full(n, offset))


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("turn", ["stop_ticks", "take_profit_ticks"])
@pytest.mark.parametrize("offset", [-1.0, 0.0, 0.5])
def test_a_stop_triggers_at_its_tick_in_a_whole_order_and_cancels_the_other(side, turn, offset):
    """Accounts at 100 ticks with triggers at 99, 100 and 101; the last has nothing to stop."""
    accounts, orders = make_accounts(4, 2), make_orders(9)
    for column in orders[1:]:
        column[:] = 77
    accounts.position[1, :3] = side
    stops = stop_book(4, offset)
    is_falling = (turn == "stop_ticks") == (side > 0)
    stops.stop_ticks[1] = stops.take_profit_ticks[1] = 1 if is_falling else 999
    other = "take_profit_ticks" if turn == "stop_ticks" else "stop_ticks"
    getattr(stops, other)[1] = 999 if is_falling else 1
    getattr(stops, turn)[1] = (99, 100, 101, 100)
    look_at_stops(accounts, np.full((3, 2), 100), stops, orders)
    hit = [1, 2] if is_falling else [0, 1]
    assert accounts.tally[N_STOPS].tolist() == [int(n in hit) for n in range(4)]
    assert [n for n in range(3) if stops.stop_ticks[1, n] == 0] == hit
    assert [n for n in range(3) if stops.take_profit_ticks[1, n] == 0] == hit
    assert getattr(stops, turn)[1, 3] == 0, "a flat position has none"
    levels = dict(zip(range(3), (99, 100, 101), strict=True))
    waiting = {n: limit_of(levels[n], side, offset) for n in hit} if offset >= 0 else {}
    expected = [(n, 1, IOC, -side, waiting[n], 1, STOP) for n in waiting]
    if not waiting:
        expected = [(n, 1, MARKET, -side, 0, 1, STOP) for n in hit]
    assert rows_of(orders) == expected
    assert stops.waiting_ticks[1].tolist() == [waiting.get(n, 0) for n in range(4)]


def test_a_triggered_stop_waits_until_its_position_is_closed():
    accounts, orders, stops = make_accounts(2, 2), make_orders(9), stop_book(2, 0.0)
    accounts.position[0] = (4, 0)
    stops.waiting_ticks[0] = (90, 90)
    for _ in range(2):
        orders.n[0] = 0
        look_at_stops(accounts, np.full((3, 2), 100), stops, orders)
        assert rows_of(orders) == [(0, 0, IOC, -4, 90, 1, STOP)]
        assert stops.waiting_ticks[0].tolist() == [90, 0]


@pytest.mark.parametrize("side", [1, -1])
def test_a_stop_at_the_lowest_tick_is_a_stop(side):
    accounts, orders, stops = make_accounts(1, 2), make_orders(9), stop_book(1, 0.0)
    accounts.position[0, 0] = side
    (stops.stop_ticks if side > 0 else stops.take_profit_ticks)[0, 0] = 1
    look_at_stops(accounts, np.full((3, 2), 1), stops, orders)
    assert stops.waiting_ticks[0, 0] == 1
    assert rows_of(orders) == [(0, 0, IOC, -side, 1, 1, STOP)]


@pytest.mark.parametrize("row", [0, 1, 2])
def test_each_trader_s_own_price_triggers(row):
    """Mark, last trade and index differ; a trigger at 100 goes off where its price is there."""
    accounts, orders, stops = make_accounts(3, 2), make_orders(9), stop_book(3, -1.0)
    accounts.position[0], stops.stop_ticks[0] = 1, 100
    stops.stop_trigger[:] = (0, 1, 2)
    prices = np.full((3, 2), 101)
    prices[row, 0] = 100
    look_at_stops(accounts, prices, stops, orders)
    assert [order[0] for order in rows_of(orders)] == [row]


@pytest.mark.parametrize(
    ("level", "held", "offset", "limit"),
    [(100, 1, 0.1, 90), (101, 1, 0.1, 90), (101, -1, 0.1, 112), (3, 5, 0.5, 1), (1, 5, 0.9, 1),
     (100, 1, 0.0, 100), (100, -1, 0.0, 100)],
)  # fmt: skip
def test_the_limit_of_a_stop_is_whole_ticks_worse_and_never_below_one(level, held, offset, limit):
    assert limit_of(level, held, offset) == limit
