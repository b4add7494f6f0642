"""Before anybody is liquidated: margin calls, top-ups by hand, stop-losses."""

from __future__ import annotations

import pytest

from stresslab.margin.stops import limit_of
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


@pytest.mark.parametrize(
    ("level", "held", "offset", "limit"),
    [(100, 1, 0.1, 90), (101, 1, 0.1, 90), (101, -1, 0.1, 112), (3, 5, 0.5, 1), (1, 5, 0.9, 1),
     (100, 1, 0.0, 100), (100, -1, 0.0, 100)],
)  # fmt: skip
def test_the_limit_of_a_stop_is_whole_ticks_worse_and_never_below_one(level, held, offset, limit):
    assert limit_of(level, held, offset) == limit
