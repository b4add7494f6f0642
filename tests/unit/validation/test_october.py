"""10 October 2025: facts, winners and policies, moments of an event log, the search."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import yaml

from stresslab.core.errors import ConfigError
from stresslab.experiment.config import read_config
from stresslab.validation.experiment import Size
from stresslab.validation.experiments import oct10
from stresslab.validation.october import endowments, market, policies, prediction, search
from stresslab.validation.october.facts import assets, facts, waves
from stresslab.validation.october.moments import by_asset, moments
from stresslab.validation.october.prediction import distance

PUBLISHED_USERS = Path(__file__).parents[4] / "shared/data/hyperliquid_2025-10-10/adl_users.csv"


def test_the_waves_add_up_to_the_published_totals() -> None:
    assert len(waves()) == 16
    assert sum(wave.needed for wave in waves()) == pytest.approx(15_079_669.61, abs=0.01)
    assert sum(wave.production for wave in waves()) == pytest.approx(60_108_335.33, abs=0.01)


def test_facts_lie_in_their_bands_and_assets_have_the_shares_of_the_day() -> None:
    every = [*facts("calibration"), *facts("prediction")]
    assert len(every) > 20
    assert [fact.name for fact in every if not fact.low <= fact.value <= fact.high] == []
    shares = {each.name: round(each.adl_share, 3) for each in assets()}
    assert {name: shares[name] for name in ("BTC", "ETH", "SOL", "HYPE")} == {
        "BTC": 0.515, "ETH": 0.604, "SOL": 0.618, "HYPE": 0.557,
    }  # fmt: skip


@pytest.mark.parametrize("wave", [waves()[0], waves()[4], waves()[10]])
def test_drawn_winners_have_the_sums_of_their_wave(wave: endowments.Wave) -> None:
    winners = endowments.drawn(wave, 3)
    assert winners.profit.sum() / 1e6 == pytest.approx(wave.capacity, rel=1e-6)
    assert winners.equity.sum() / 1e6 == pytest.approx(wave.equity, rel=1e-6)
    assert (winners.profit <= winners.equity).all()
    top = np.sort(winners.profit)[::-1][:101].astype(float)
    assert 1 / np.log(top[:100] / top[100]).mean() == pytest.approx(0.87, abs=0.25)


def test_a_policy_takes_what_is_needed_and_a_queue_of_whole_profits_more() -> None:
    winners = endowments.Winners(*(np.array(x) * 10**6 for x in ([8, 4, 2], [9, 8, 20], [9, 8, 2])))
    shared = policies.bill("by_profit", winners, 7.0)
    assert (shared.seized, shared.largest_profit_share, shared.smallest_share) == (7.0, 0.5, 0.5)
    assert shared.largest_share == pytest.approx(4 / 9)
    queue = policies.bill("profit_times_leverage", winners, 7.0)
    assert (queue.seized, queue.largest_profit_share, queue.smallest_share) == (7.0, 0.875, 0.0)
    whole = policies.bill("profit_times_leverage", winners, 7.0, whole=True)
    assert whole.seized == 8.0
    assert policies.overshoot([queue, whole]) == 1.0
    assert policies.worst_gap([queue, whole]) == pytest.approx(1 / 7)


def _tables_of_users(tmp_path: Path) -> list[Path]:
    """Return a table of our own, and the published one where the data lies beside the project."""
    table = tmp_path / "users.csv"
    table.write_text("equity_usd,profit_usd\n4e7,1e7\n1e7,2e7\n-5,3\n7,-1\n")
    return [table, *([PUBLISHED_USERS] if PUBLISHED_USERS.exists() else [])]


def test_on_given_endowments_every_shared_budget_is_the_needed_one(tmp_path: Path) -> None:
    for table in _tables_of_users(tmp_path):
        found = oct10.point(endowments=str(table))
        assert found["winners"] >= 2
        for policy in policies.SHARED:
            assert found[f"{policy}.seized_usd"] == pytest.approx(oct10.NEEDED, rel=1e-9)
        assert found["price_ratio_times_leverage.overshoot_of_whole_profits_usd"] > 1e5


@pytest.mark.parametrize(
    ("text", "why"),
    [("equity,profit\n1,2\n", "has no columns equity_usd and profit_usd"),
     ("equity_usd,profit_usd\n1,x\n", "could not convert"),
     ("equity_usd,profit_usd\n-1,5\n", "nobody has both"),
     ("equity_usd,profit_usd\n10,5\n", "profits of 5 USD")],
)  # fmt: skip
def test_endowments_that_cannot_pay_are_refused(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "users.csv").write_text(text)
    with pytest.raises(ConfigError, match=why):
        oct10.point(endowments=str(tmp_path / "users.csv"))


def test_the_control_fails_where_the_policies_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prediction, "deleveraged_without_feedback", lambda seed, replicates: 0)
    wrong = oct10.control(Size.QUICK, 5)
    failing = {check.what.split(":")[0] for check in wrong.checks if not check.passed}
    assert {*policies.SHARED, *policies.QUEUES} <= failing
    assert "replicates of the market in which somebody is deleveraged" in failing


def _columns(names: str, *rows: tuple[object, ...]) -> dict[str, np.ndarray]:
    return {
        name: np.array([row[k] for row in rows]) for k, name in enumerate(names.split())
    }  # fmt: skip


def _event_log() -> dict[str, dict[str, np.ndarray]]:
    """Four steps of 10 s: BTC falls from 100 to 90, ETH from 100 to 60, a lot is worth the mark."""
    marks = ((100, 100), (95, 80), (90, 70), (90, 60))
    return {
        "assets": _columns("name kind unit_value_micro_usd", ("BTC", "perpetual", 10**6),
                           ("ETH", "perpetual", 10**6)),
        "path": _columns("step asset mark_ticks", *(
            (step, asset, mark) for step, row in enumerate(marks, 1)
            for asset, mark in enumerate(row))),
        "totals": _columns("step seconds", *((k, 10.0 * k) for k in (1, 2, 3, 4))),
        "positions": _columns("account asset initial_lots final_lots", (0, 0, 5, 0), (1, 0, 5, 5),
                              (2, 0, 3, 2), (3, 0, -8, -7), (4, 0, -5, -4), (5, 1, -5, -3)),
        "liquidations": _columns("liquidation account step", (0, 0, 2), (1, 6, 2)),
        "forced_orders": _columns("step account asset filled_lots cash_micro_usd",
                                  (2, 0, 0, -2, 190 * 10**6), (3, 0, 0, 0, 0)),
        "adl": _columns("step liquidation account asset lots loss_micro_usd",
                        (3, 0, 3, 0, 1, 2 * 10**6), (2, 1, 5, 1, 2, -10**6), (3, 0, 3, 0, 0, 99)),
    }  # fmt: skip


def test_moments_of_an_event_log_are_those_of_its_fills() -> None:
    found = moments(_event_log())
    assert found["btc_longs_liquidated"] == pytest.approx(1 / 2)  # account 1 had no fill
    assert found["btc_shorts_deleveraged"] == pytest.approx(1 / 2)
    assert found["adl_share"] == pytest.approx(250 / 440)
    assert found["btc_adl_share"] == pytest.approx(90 / 280)
    assert (found["half_life_seconds"], found["adl_delay_seconds"]) == (0.0, 0.0)
    assert (found["adl_waves"], found["largest_wave"]) == (2.0, 0.5)
    assert (found["btc_fall"], found["alt_loss_ratio"]) == (pytest.approx(0.1), pytest.approx(4.0))
    assert found["adl_gini"] == pytest.approx(abs(160 - 90) / (2 * 250))
    assert by_asset(_event_log())["ETH"] == (160.0, 1.0, pytest.approx(0.4))


def test_what_a_wave_took_counts_the_prices_at_its_end() -> None:
    log = _event_log()
    log["totals"]["seconds"] = np.array([1.0, 2.0, 3.0, 4.0])  # one wave, over at marks 90 and 70
    found = moments(log)
    assert found["adl_waves"] == 1.0
    # Account 3 lost 2; account 5 gained 1 at the fill, and missed 2 lots times 10 after it.
    assert found["overshoot_over_needed"] == pytest.approx((2 + 19 - 3) / 3)


def test_the_config_says_what_was_fitted_and_is_an_ordinary_one() -> None:
    assert market.scenario(market.changes_for(market.fitted())) == market.scenario()
    for each in market.PARAMETERS:
        assert market.fitted()[each.name] == pytest.approx(
            min(each.values, key=lambda value: abs(value - market.fitted()[each.name])), rel=1e-6
        )
    config = read_config(yaml.safe_load(market.CONFIG.read_text()))
    assert len(config.values["scenario"]["assets"]) == 13


def test_the_search_walks_down_to_the_lowest_point_and_tries_nothing_twice() -> None:
    tried: list[tuple[float, ...]] = []

    def loss(values: Mapping[str, float]) -> float:
        tried.append(tuple(values.values()))
        return (values["a"] - 3) ** 2 + (values["b"] - values["a"]) ** 2 / 2

    grids = {"a": (0.0, 1.0, 2.0, 3.0, 4.0), "b": (0.0, 1.0, 2.0, 3.0, 4.0)}
    steps = list(search.search(loss, grids, {"a": 0.0, "b": 4.0}))
    assert steps[-1].values == {"a": 3.0, "b": 3.0}
    assert [step.loss for step in steps] == sorted((step.loss for step in steps), reverse=True)
    assert len(tried) == len(set(tried)) > 5


def test_a_distance_has_an_interval_over_replicates() -> None:
    told = distance("share", [0.1, 0.2, 0.3, float("nan")], 0.3, 0.4)
    assert told.measured == pytest.approx(0.2)
    assert told.interval is not None
    assert 0.1 <= told.interval[0] < 0.2 < told.interval[1] <= 0.3
    assert told.distance == pytest.approx(1.0)
