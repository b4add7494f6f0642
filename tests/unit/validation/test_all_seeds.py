"""What experiments hold and tell of the cascades, networks and markets of all seeds together."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from scipy.stats import nbinom

from stresslab.contagion.borel import borel_tanner
from stresslab.validation.experiment import Size
from stresslab.validation.experiments import agreement, contagion_window, criticality, hawkes
from stresslab.validation.two_markets import MATRIX, mean_sizes

N = 20_000  # cascades of each kind


def counted(factor: float = 1.0) -> dict[str, np.ndarray]:
    """Return counts as the law has them, and the two markets' sales ``factor`` times as many."""
    law = borel_tanner(1.0, 1, criticality.RESERVE)
    law[-1] += 1.0 - law.sum()
    return {
        "sizes": np.round(N * law).astype(np.int64),
        "endless, of all": np.array([round(0.42297 * N), N]),
        "falls": np.ones(len(criticality.RATIOS) * len(criticality.SHOCKS)),
        "cascades": np.array([N, N]),
        "sales": factor * N * mean_sizes(MATRIX),
        "children": factor * N * MATRIX,
        "ended, of all": np.array([[round(0.4889888 * N), N]] * 2),
    }


def added(parts: list[dict[str, np.ndarray]]) -> Mapping[str, np.ndarray]:
    return {name: np.sum([part[name] for part in parts], axis=0) for name in parts[0]}


def test_cascades_of_four_seeds_are_held_twice_as_tight_as_those_of_one() -> None:
    one = criticality.together(Size.FULL, counted())
    four = criticality.together(Size.FULL, added([counted()] * 4))
    assert len(one) == 11 and all(check.passed for check in (*one, *four))
    assert all(check.what.startswith("all seeds: ") for check in four)
    for single, check in zip(one, four, strict=True):
        bias = criticality.SLOPE_BIAS if "slope" in check.what else 0.0
        assert check.measured == pytest.approx(single.measured, rel=1e-3)
        assert check.tolerance - bias == pytest.approx((single.tolerance - bias) / 2, rel=0.01)
    wrong = criticality.together(Size.FULL, added([counted(0.95)] * 4))
    failed = [check.what for check in wrong if not check.passed]
    assert len(failed) == 5 and all("sales" in what or "radius" in what for what in failed)


def test_the_figure_of_criticality_is_of_all_seeds() -> None:
    told = criticality.tell(Size.FULL, [counted()] * 4)
    assert told.facts["cascades, n = 1.3"] == 4 * N
    tail, falls, sizes = told.panels
    assert tail.series[0].y[0] == 1.0
    assert {y for series in falls.series if not series.is_expected for y in series.y} == {1 / 400}
    assert sizes.series[0].y == pytest.approx([2.5, 0.8333, 1.25, 2.0833], rel=1e-3)


def test_counts_of_all_markets_are_told_in_one_curve() -> None:
    """Poisson counts in one seed, none in the other: half the mean, and a spread of clusters."""
    case = hawkes.CASES[Size.QUICK][0]
    steps = round(case.seconds / case.step)
    drawn = np.random.default_rng(4).poisson(2.0, (case.markets, steps))
    told = hawkes.tell(Size.QUICK, [{"n = 0.5": drawn}, {"n = 0.5": 0 * drawn}])
    assert told.facts == {"events, n = 0.5": int(drawn.sum()), "markets, n = 0.5": 48}
    first = told.panels[0].series[0]
    assert first.y[0] == pytest.approx(2.0, rel=0.05)  # 1 of Poisson numbers, 1 between seeds
    assert first.low[0] < first.y[0] < first.high[0]


def test_ratios_are_told_over_that_of_the_field_by_liquidations() -> None:
    counts = [{"n = 0.5": np.array([0.52, 0.5, 1.0, 0.5]) * n,
               "n = 0.9": np.array([0.9, 0.9, 1.0, 0.9]) * n} for n in (1000, 3000)]  # fmt: skip
    told = agreement.tell(Size.QUICK, counts)
    assert told.facts["liquidations, n = 0.5"] == 4000
    attribution, times, theory, band = told.panels[0].series
    assert attribution.y == pytest.approx([1.04, 1.0])
    assert [h - y for h, y in zip(times.high, times.y, strict=True)] == pytest.approx(
        [1.96 * (0.5 / 4000) ** 0.5 / 0.5, 1.96 * (0.9 / 4000) ** 0.5 / 0.9]
    )
    assert theory.y == pytest.approx([1.0, 1.0])
    assert (*band.low, *band.high) == (0.98, 0.98, 1.02, 1.02)


@pytest.mark.parametrize("runs", [240, 1500])
def test_a_handful_of_failures_is_held_to_what_a_handful_elsewhere_allows(runs: int) -> None:
    """Three of 4,000 there; the predictive law is written out as a mixture of Poisson laws."""
    found = contagion_window._Found(8, 0, runs, float("nan"), float("nan"))
    check = contagion_window._rare_check("at 8", found, 0.00075)
    most = round((check.tolerance + check.expected) * runs)
    assert check.passed
    draws = np.random.default_rng(1).gamma(3.5, runs / 4000, 400_000)
    few = most // 2
    law = nbinom(3.5, 4000 / (4000 + runs))
    beyond = np.mean(np.random.default_rng(2).poisson(draws) > few)
    assert law.sf(few) == pytest.approx(beyond, rel=0.2)
    assert law.sf(most) == pytest.approx(check.level) and check.level <= 1e-6 < law.sf(most - 1)
    many = found._replace(systemic=most + 1)
    assert not contagion_window._rare_check("at 8", many, 0.00075).passed
