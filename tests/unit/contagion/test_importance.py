"""Ranking forecasts: areas and correlations against scipy, and a removal told number by number."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import mannwhitneyu, spearmanr

from stresslab.contagion import Contagion
from stresslab.contagion.importance import Foretold, auc, fallen, rank_correlation, twin_of
from stresslab.contagion.shadow import Shadow
from tests.markets import changed, run
from tests.unit.contagion.test_shadow import CASCADE, cascade, shadow_of

RNG = np.random.default_rng(1)


@pytest.mark.parametrize("n", [5, 40])
def test_the_area_is_that_of_mann_and_whitney(n: int) -> None:
    score, is_positive = RNG.integers(0, 6, n) * 1.0, np.arange(n) % 3 == 0
    statistic = mannwhitneyu(score[is_positive], score[~is_positive]).statistic
    expected = statistic / (is_positive.sum() * (~is_positive).sum())
    assert auc(score, is_positive) == pytest.approx(expected, abs=1e-12)


def test_the_area_of_one_kind_alone_is_undefined() -> None:
    assert math.isnan(auc(np.arange(3.0), np.ones(3, bool)))
    assert math.isnan(auc(np.arange(3.0), np.zeros(3, bool)))


def test_rank_correlation_is_that_of_spearman() -> None:
    first = RNG.integers(0, 5, 30) * 1.0
    second = first + RNG.normal(0, 2, 30)
    expected = spearmanr(first, second).statistic
    assert 0.2 < expected < 0.95
    assert rank_correlation(first, second) == pytest.approx(expected, abs=1e-12)
    assert math.isnan(rank_correlation(np.ones(4), np.arange(4.0)))


def test_a_removal_is_told_number_by_number() -> None:
    """Four longs fall one by one; without the first nobody else does (see ``test_shadow.py``).

    Of the three others the plain shadow foretells the fourth, the shadow in turn all. Their forced
    notional is ten lots each, two at 93.06 USD and one at 91.18. The first one tipped the second
    and third over, whole, and of the fourth the other two did.
    """
    scenario = cascade(*CASCADE)
    shadow = shadow_of(scenario)
    original = Contagion(run(scenario))
    twin = twin_of(Contagion(run(changed(scenario, counterfactual={"remove": [0]}))))
    assert fallen(original).account.tolist() == [0, 1, 2, 3] and twin.fallen.account.size == 0
    row = Foretold(original, shadow).outcome(shadow.chosen(accounts=(0,)), (0,), twin)
    counts = ("fell", "saved", "felled", "shadow_saved", "shadow_right", "shadow_in_turn_saved")
    assert [row[name] for name in counts] == [3, 3, 0, 1, 1, 3]
    assert row["saved_usd"] == row["shadow_in_turn_usd"] == pytest.approx(1861.2 + 911.8)
    assert row["shadow_usd"] == pytest.approx(911.8)
    assert row["trigger_usd"] == pytest.approx(1861.2)
    assert math.isnan(row["auc_shadow"]), "all of them are saved"


def test_without_the_second_the_others_are_ranked() -> None:
    """The fourth alone is saved, and has 2.14 USD of headroom where the third lacks more."""
    scenario = cascade(*CASCADE)
    shadow = shadow_of(scenario)
    twin = twin_of(Contagion(run(changed(scenario, counterfactual={"remove": [1]}))))
    row = Foretold(Contagion(run(scenario)), shadow).outcome(
        shadow.chosen(accounts=(1,)), (1,), twin
    )
    assert twin.fallen.account.tolist() == [0, 2]
    assert (row["saved"], row["felled"], row["shadow_in_turn_right"]) == (1, 0, 1)
    assert row["auc_shadow"] == row["auc_shadow_in_turn"] == 1.0
    assert row["auc_trigger_share"] == 1.0, "half of the fourth's breach, nothing of the others"
    assert row["auc_twin_prices"] == 1.0
    assert (row["twin_prices_saved"], row["twin_prices_right"]) == (1, 1)


def test_whoever_defends_himself_is_scored_apart() -> None:
    """Of the three others the fourth alone is saved; the third had a stop, so two are passive.

    By size all three are alike but the fourth, who sold at a lower price: first in either ranking.
    """
    scenario = cascade(*CASCADE)
    tables = run(scenario)
    accounts = dict(tables["accounts"])
    accounts["n_stops"] = (np.asarray(accounts["account"]) == 2).astype(np.int64)
    original = Contagion({**tables, "accounts": accounts})
    shadow = shadow_of(scenario)
    twin = twin_of(Contagion(run(changed(scenario, counterfactual={"remove": [1]}))))
    row = Foretold(original, shadow).outcome(shadow.chosen(accounts=(1,)), (1,), twin)
    assert (row["fell"], row["passive"], row["saved"], row["passive_saved"]) == (3, 2, 1, 1)
    assert row["passive_auc_shadow"] == 1.0
    accounts["n_stops"] = (np.asarray(accounts["account"]) == 3).astype(np.int64)
    row = Foretold(original, shadow).outcome(shadow.chosen(accounts=(1,)), (1,), twin)
    assert (row["saved"], row["passive_saved"]) == (1, 0), "who was saved had the stop"
    assert math.isnan(row["passive_auc_shadow"]) and row["auc_shadow"] == 1.0


def test_whoever_opened_on_the_way_is_scored_apart() -> None:
    """The third holds 10 lots at its breach; had it opened with 4, it chose the rest itself."""
    scenario = cascade(*CASCADE)
    tables = run(scenario)
    positions = dict(tables["positions"])
    is_third = np.asarray(positions["account"]) == 2
    positions["initial_lots"] = np.where(is_third, 4, positions["initial_lots"])
    terms = shadow_of(scenario).excess.terms
    twin = twin_of(Contagion(run(changed(scenario, counterfactual={"remove": [1]}))))
    passive = []
    for opened in (tables["positions"], positions):
        original = Contagion({**tables, "positions": opened})
        shadow = Shadow(original, terms)
        row = Foretold(original, shadow).outcome(shadow.chosen(accounts=(1,)), (1,), twin)
        passive.append(row["passive"])
    assert is_third.sum() == 1 and passive == [3, 2]
