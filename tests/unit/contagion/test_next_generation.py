"""The next-generation matrix along the path: by hand, in one dimension, and mirrored."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stresslab.contagion import Contagion
from stresslab.contagion.next_generation import (
    generation_columns,
    generations,
    next_generation,
    radius,
    type_names,
)
from stresslab.contagion.outcomes import measure
from tests.unit.contagion.cases import USD, hand_cascade, one_liquidation, tables
from tests.unit.contagion.random_log import random_log
from tests.unit.contagion.test_measures import chain


def test_the_hand_cascade_by_type() -> None:
    """0 sells A and fells 1 by it; 1 sells A (half of what fells 3) and B (fells 2)."""
    run = Contagion(hand_cascade())
    matrix, names = next_generation(generations(run)), type_names(run.asset_names)
    found = {(names[i], names[j]): matrix[i, j] for i, j in np.argwhere(matrix > 0).tolist()}
    assert found == {
        ("A long isolated", "A long cross"): pytest.approx(1_600 / 10_400),
        ("A long isolated", "B long cross"): pytest.approx(4_000 / 10_400),
        ("A long cross", "A long isolated"): pytest.approx(700 / 1_600),
        ("B long cross", "B long isolated"): pytest.approx(2_760 / 4_000),
    }
    assert radius(generations(run)) == pytest.approx(math.sqrt(700 / 10_400))


def test_one_type_gives_the_branching_ratio() -> None:
    found = measure(chain(60, 0.5))
    assert found["branching_ratio"] > 0.4
    grown = radius(generations(Contagion(chain(60, 0.5))))
    assert grown == pytest.approx(found["branching_ratio"], rel=1e-12)
    assert found["spectral_radius"] == pytest.approx(grown, abs=5e-10)  # the outcome is rounded
    assert math.isnan(measure(chain(49, 0.5))["spectral_radius"])


@pytest.mark.parametrize("log", [tables, one_liquidation], ids=["empty", "one"])
def test_small_logs_have_no_growth(log) -> None:
    assert radius(generations(Contagion(log()))) == 0.0
    assert len(generation_columns(Contagion(log()))["caused_usd"]) == 0


@given(st.integers(0, 19))
def test_buying_instead_of_selling_swaps_the_sides(seed: int) -> None:
    log = random_log(seed)
    there = generations(Contagion(log))
    log["forced_orders"]["filled_lots"] *= -1
    back = generations(Contagion(log))
    assert there.caused.sum() > 0
    swapped = np.arange(len(there.forced)).reshape(-1, 2, 2)[:, ::-1].ravel()
    np.testing.assert_array_equal(back.caused, there.caused[np.ix_(swapped, swapped)])
    np.testing.assert_array_equal(back.forced, there.forced[swapped])


@given(st.integers(0, 19))
def test_types_share_out_what_liquidations_caused(seed: int) -> None:
    run = Contagion(random_log(seed))
    sums = generations(run)
    numerator = measure(run.tables)["branching_numerator_usd"]
    assert 0 < sums.caused.sum() / USD <= numerator * (1 + 1e-12)
    assert int(sums.forced.sum()) == int(run.forced_notional.sum())


def test_the_long_table_holds_the_sums() -> None:
    columns = generation_columns(Contagion(hand_cascade()))
    is_diagonal = np.logical_and.reduce(
        [columns[what] == columns[f"cause_{what}"] for what in ("asset", "side", "mode")]
    )
    assert columns["caused_usd"].sum() == 1_600 + 4_000 + 700 + 2_760
    assert columns["forced_usd"][is_diagonal].sum() == 10_400 + 1_600 + 4_000 + 2_760


def test_what_came_by_auto_deleveraging_has_no_type() -> None:
    """Half of 60 liquidations' shares become ADL of the parent: half of the matrix is left."""
    log = chain(60, 0.5)
    rows = log["breach_amounts"]
    adl = {name: column.copy() for name, column in rows.items()}
    adl["cause"][:] = "adl"
    adl["stage"][:] = adl["asset"][:] = -1
    adl["source_liquidation"] = rows["liquidation"] - 1
    adl = {name: column[1:] for name, column in adl.items()}
    log["breach_amounts"] = {n: np.concatenate([rows[n], adl[n]]) for n in rows}
    run = Contagion(log)
    sums = generations(run)
    assert run.parents.adl_share.sum() == pytest.approx(59 / 2)
    assert sums.caused.sum() / sums.forced.sum() == pytest.approx(59 / 4 / 60)
