"""Mechanic 13: alerts at several levels; the trader adds, cuts or ignores.

An alert precedes every liquidation unless one move went from above every level to a breach; such
gaps are counted. 10 lots at 100 USD with 100 USD behind them: equity is 100 - 1000 f after a fall f
and maintenance 50 (1 - f), so the ratio is 0.6 at 1.82 %, 0.8 at 4 %, 1 at 5.26 %.
"""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import pytest

from stresslab.core.declarations import build, faults
from stresslab.core.events import ISOLATED
from stresslab.scenario import Scenario
from tests.markets import (
    TICKS,
    USD,
    asset,
    lively,
    market,
    model_of,
    people,
    rows,
    state,
    tables_of,
)

LEVELS = [0.6, 0.8]


def ratio(ticks: int, side: int = 1, margin: int = 100) -> Fraction:
    """Return maintenance over equity at a price."""
    equity = margin * USD + 10 * side * (ticks - TICKS) * 10_000
    return Fraction(10 * ticks * 10_000, 20) / equity


def holder(path: list[int], *, side: int = 1, mode: str = "isolated", habits=None, **changes):
    """Return the log of one position along an index path, with 400 USD in the wallet beside it."""
    wealth, free = (500.0, 0.8) if mode == "isolated" else (100.0, 0.0)
    one = {**people((wealth, {"BTC": 10 * side}), mode=mode), "free_wallet": free}
    if habits:
        one["strategy"] = {
            "kind": "leveraged_speculator", "stop_share": 0.0, "topup_share": 0.0,
            "entry_probability": 0.0, "exit_probability": 0.0, **habits,
        }  # fmt: skip
    model = model_of(
        market(
            {"one": one, "rich": people((1e6, {"BTC": -10 * side}))},
            duration_seconds=float(len(path)), **{"margin__call_levels": LEVELS, **changes},
        )
    )  # fmt: skip
    model.world.index[1:, 0] = path
    return model, tables_of(model)


def told(tables):
    return rows(tables, "alerts", "step", "account", "level")


def counts(tables):
    """Return (margin calls, cuts, gaps, liquidations) of the first account."""
    [calls, *_] = rows(tables, "accounts", "n_margin_calls", "n_cuts", "n_gaps")
    return (*calls, len(tables["liquidations"]["account"]))


@pytest.mark.parametrize("mode", ["isolated", "cross"])
@pytest.mark.parametrize("side", [1, -1])
def test_each_level_alerts_when_it_is_crossed_and_not_one_tick_before(side, mode):
    path = [TICKS - side * fall for fall in range(100, 530, 1)]
    whole = {"margin__cross__closure": {"kind": "whole"}}
    _, tables = holder(path, side=side, mode=mode, **whole)

    crossed = {
        level: 1 + next(i for i, p in enumerate(path) if ratio(p, side) > Fraction(str(level)))
        for level in LEVELS
    }
    breach = next((i + 1 for i, p in enumerate(path) if ratio(p, side) > 1), None)
    assert told(tables) == [(step, 0, level) for level, step in crossed.items()]
    assert counts(tables)[0] == 2
    assert rows(tables, "liquidations", "step") == ([(breach,)] if breach else [])
    assert breach is not None or side > 0
    assert counts(tables)[2] == 0, "no gap"


def test_a_jump_over_one_level_is_one_alert_of_the_higher():
    _, tables = holder([TICKS, TICKS - 450, TICKS - 450])
    assert told(tables) == [(2, 0, 0.8)] and counts(tables) == (1, 0, 0, 0)


def test_whoever_recovers_is_alerted_again():
    _, tables = holder([TICKS - 300, TICKS - 100, TICKS - 300, TICKS - 450, TICKS - 300,
                        TICKS - 450])  # fmt: skip
    assert told(tables) == [(1, 0, 0.6), (3, 0, 0.6), (4, 0, 0.8), (6, 0, 0.8)]
    assert counts(tables) == (4, 0, 0, 0)


@pytest.mark.parametrize(
    ("path", "gaps"),
    [
        ([TICKS, TICKS - 600], 1),  # from above every level to a breach
        ([TICKS - 181, TICKS - 600], 1),  # 0.5995
        ([TICKS - 182, TICKS - 600], 0),  # 0.6001: alerted, then in breach
        ([TICKS - 182, TICKS - 100, TICKS - 600], 1),  # alerted, recovered, then at once
    ],
)
def test_a_gap_is_a_liquidation_that_no_alert_preceded(path, gaps):
    _, tables = holder(path)
    assert counts(tables)[2:] == (gaps, 1)


def test_alerts_between_rounds_precede_the_liquidations_of_the_next():
    """A thin book: each forced order of 50 lots moves the price by half a percent."""
    book = {"kind": "impact", "law": {"kind": "linear", "depth_usd": 10_000.0}}
    crowd = people((500.0, {"BTC": 50}), (512.0, {"BTC": 50}), (600.0, {"BTC": 50}))
    scenario = market(
        {"crowd": crowd, "rich": people((1e7, {"BTC": -150}))},
        market__book=book, market__mark={"rule": "mid"}, liquidation__feedback="market",
        margin__call_levels=[0.8], margin__cross__closure={"kind": "whole"},
    )  # fmt: skip
    model = model_of(scenario)
    model.world.index[2:, 0] = TICKS - 527
    tables = tables_of(model)
    closed = rows(tables, "liquidations", "account", "step", "round")
    alerts = rows(tables, "alerts", "account", "step", "round")
    assert closed == [(0, 2, 0), (1, 2, 1)]
    assert alerts == [(1, 2, 0), (2, 2, 2)]
    assert tables["accounts"]["n_gaps"].tolist() == [1, 0, 0, 0]


# -- what traders answer -------------------------------------------------------------------------

ADDS = {"topup_share": 1.0, "topup_probability": 1.0, "topup_fraction": 0.5}
CUTS = {"cut_share": 1.0, "cut_probability": 1.0, "cut_fraction": 0.55}


@pytest.mark.parametrize("side", [1, -1])
def test_whoever_adds_holds_the_position_with_more_margin(side):
    model, tables = holder([TICKS - side * 450] * 4, side=side, habits=ADDS)
    assert counts(tables) == (1, 0, 0, 0)
    assert state(model, 0, 1)[0] == (100 + 200 - 45) * USD


@pytest.mark.parametrize("mode", ["isolated", "cross"])
@pytest.mark.parametrize("side", [1, -1])
def test_whoever_cuts_holds_less_in_the_next_step(side, mode):
    """0.55 of 10 lots are 6; 4 lots at the same price need less than half."""
    model, tables = holder([TICKS - side * 450] * 4, side=side, mode=mode, habits=CUTS)
    accounts = model.world.clearing.accounts
    assert counts(tables) == (1, 1, 0, 0)
    assert tables["path"]["volume_lots"].tolist() == [0, 6, 0, 0]
    assert accounts.position[0, 0] == 4 * side


def test_whoever_ignores_is_liquidated_where_the_others_are_not():
    path = [TICKS - 450, TICKS - 450, TICKS - 600]
    found = [counts(holder(path, habits=habits)[1])[3] for habits in (None, ADDS, CUTS)]
    assert found == [1, 0, 0]


def test_a_cut_that_comes_too_late_is_no_order():
    """The breach is in the step after the call: nothing is left that could be cut."""
    _, tables = holder([TICKS - 450, TICKS - 450], habits=CUTS, liquidation__rounds_per_step=1)
    assert counts(tables)[:2] == (1, 1)
    _, tables = holder([TICKS, TICKS - 600, TICKS - 600], habits=CUTS)
    assert counts(tables) == (1, 1, 1, 1)
    assert tables["path"]["volume_lots"].tolist() == [0, 0, 0]


@pytest.mark.parametrize(("adds", "cuts"), [(0.3, 0.5), (0.0, 0.4), (1.0, 1.0)])
def test_one_draw_decides_between_adding_cutting_and_nothing(adds, cuts):
    """Of 400 traders called once, the shares are the probabilities."""
    crowd = people(*[(500.0, {"BTC": 10})] * 400, mode="isolated")
    crowd["strategy"] = {
        "kind": "leveraged_speculator", "stop_share": 0.0, "topup_share": 1.0,
        "topup_probability": adds, "cut_share": 1.0, "cut_probability": cuts,
        "entry_probability": 0.0, "exit_probability": 0.0,
    }  # fmt: skip
    model = model_of(
        market({"crowd": {**crowd, "free_wallet": 0.8}, "rich": people((1e7, {"BTC": -4000}))})
    )
    model.world.index[2:, 0] = TICKS - 450
    tables = tables_of(model)
    did = [int(tables["accounts"][name][:400].sum()) for name in ("n_topups", "n_cuts")]
    assert tables["accounts"]["n_margin_calls"][:400].tolist() == [1] * 400
    for count, chance in zip(did, (adds, min(cuts, 1 - adds)), strict=True):
        assert abs(count - 400 * chance) <= 4 * (400 * chance * (1 - chance)) ** 0.5


# -- every liquidation of a lively market --------------------------------------------------------


@pytest.mark.parametrize("levels", [[0.8], [0.5, 0.7, 0.9]])
@pytest.mark.parametrize("book", ["limit_order_book", "impact"])
def test_an_alert_precedes_every_liquidation_but_the_counted_gaps(book, levels):
    """Beside the engine, every pool is valued at every judgement, in fractions."""
    model = model_of(lively(book, duration_seconds=22.0, margin__call_levels=levels))
    lowest, above, silent = Fraction(str(levels[0])), {}, Counter()
    engine, accounts = model.engine, model.world.clearing.accounts
    judge = engine.spells.judge

    def watched(step, round_, suspects):
        first = len(engine.recorder.spells)
        judged = judge(step, round_, suspects)
        n_pools, n = accounts.cash.shape[0], accounts.id.size
        for spell in engine.recorder.spells[first:]:
            silent[spell.code % n] += above.get(spell.code, True)
        for pool in range(n_pools):
            for row in range(n):
                equity, maintenance, _ = state(model, row, pool)
                is_held = pool > 0 or (accounts.mode[:, row] == 2).any()
                is_above = not is_held or maintenance <= lowest * equity
                above[pool * n + row] = is_above or equity < maintenance
        return judged

    engine.spells.judge = watched
    tables = tables_of(model)

    assert tables["accounts"]["n_gaps"].tolist() == [silent[row] for row in range(accounts.id.size)]
    n_gaps, n_closed = sum(silent.values()), len(tables["liquidations"]["account"])
    assert 0 < n_gaps < n_closed and n_closed > 15
    alerted = Counter(rows(tables, "alerts", "account", "asset"))
    named = Counter(rows(tables, "liquidations", "account", "asset"))
    unannounced = sum(max(0, named[pool] - alerted[pool]) for pool in named)
    assert unannounced <= n_gaps


def test_levels_must_rise_and_be_there():
    for levels, where in (([0.8, 0.8], "call_levels.1"), ([0.9, 0.5], "call_levels.1"),
                          ([], "call_levels")):  # fmt: skip
        scenario = market({"one": people((1.0, {}))}, margin__call_levels=levels)
        assert [path for path, _ in faults(build(Scenario, scenario))] == [f"margin.{where}"]


def test_a_cut_closes_a_part_of_every_perpetual_of_the_pool_and_no_spot():
    """Half of 10 lots, of 7 short ones rounded up, and none of 3 coins; what is isolated stays.

    95 USD are left in the wallet's pool after a fall of BTC by 7 %, and 46.5 + 35 are needed.
    """
    habits = {"kind": "leveraged_speculator", "stop_share": 0.0, "topup_share": 0.0,
              "entry_probability": 0.0, "exit_probability": 0.0, "cut_share": 1.0,
              "cut_probability": 1.0, "cut_fraction": 0.5}  # fmt: skip
    held = {"BTC": 10, "ETH": -7, "SOL": 4, "USDX": 3}
    one = {**people((800.0, held)), "strategy": habits}
    rest = people((1e6, {name: -lots for name, lots in held.items() if name != "USDX"}))
    scenario = market({"one": one, "rest": rest}, assets=tuple(held),
                      margin__call_levels=LEVELS)  # fmt: skip
    scenario["assets"]["USDX"] = asset("spot")
    scenario["margin"]["collateral"] = {"USDX": {"haircut": 0.0}}
    del scenario["margin"]["brackets"]["USDX"]
    model = model_of(scenario)
    accounts = model.world.clearing.accounts
    accounts.mode[2, 0] = ISOLATED
    accounts.cash[[0, 3], 0] += [-235 * USD, 235 * USD]
    model.world.index[2:, 0] = 9300
    tables = tables_of(model)

    assert rows(tables, "alerts", "account", "level")[:1] == [(0, 0.8)]
    assert rows(tables, "accounts", "n_cuts")[0] == (2,)
    assert accounts.position[:, 0].tolist() == [5, -3, 4, 3]
