"""What must not matter to contagion does not: names of accounts, order of rows, split causes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stresslab.contagion import Contagion, Tables
from stresslab.contagion.attribution import eaten, triggers
from stresslab.contagion.columns import sum_by
from stresslab.contagion.matrix import asset_matrix
from stresslab.contagion.outcomes import measure
from tests.unit.contagion.cases import hand_cascade, tables
from tests.unit.contagion.random_log import random_log

SEEDS = st.integers(0, 19)


@settings(max_examples=30)
@given(SEEDS, st.integers(0, 10_000))
def test_relabelling_accounts_changes_no_outcome(seed: int, shift: int) -> None:
    log = hand_cascade()
    names = dict(zip(range(5), relabelled(seed, shift), strict=True))
    for columns in log.values():
        if "account" in columns:
            columns["account"] = np.array([names[old] for old in columns["account"].tolist()])
    assert len(set(names.values())) == 5
    np.testing.assert_equal(measure(log), measure(hand_cascade()))


def relabelled(seed: int, shift: int) -> list[int]:
    return (np.random.default_rng(seed).permutation(5) * 7 + shift).tolist()


@given(SEEDS)
def test_order_of_rows_changes_nothing(seed: int) -> None:
    log, mixed = random_log(seed), {}
    for name, columns in log.items():
        order = np.random.default_rng(seed).permutation(len(next(iter(columns.values()))))
        mixed[name] = {column: values[order] for column, values in columns.items()}
    assert len(Contagion(log).parents.child) > 10
    np.testing.assert_equal(measure(mixed), measure(log))


@settings(max_examples=40)
@given(SEEDS, st.floats(-3, 3))
def test_splitting_a_share_moves_at_most_the_rounding(seed: int, cut: float) -> None:
    log, split = random_log(seed), random_log(seed)
    causes = split["price_causes"]
    rest = {name: column.copy() for name, column in causes.items()}
    rest["share"] = causes["share"] - causes["share"] * cut
    causes["share"] = causes["share"] * cut
    split["price_causes"] = {
        name: np.concatenate([column, rest[name]]) for name, column in causes.items()
    }
    whole, parts = nets(log), nets(split)
    assert len(whole) > 40
    for cause in whole.keys() | parts.keys():
        assert abs(whole.get(cause, 0) - parts.get(cause, 0)) <= 60, cause


def nets(log: Tables) -> dict[tuple[int, ...], int]:
    amounts = eaten(log)
    keys, sums = sum_by(amounts[:3], amounts.micro_usd)
    return dict(zip(zip(*(key.tolist() for key in keys), strict=True), sums.tolist(), strict=True))


@given(
    st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=6),
    st.integers(-(10**15), 10**15),
)
def test_parts_sum_to_the_recorded_amount_whatever_the_shares(
    shares: list[float], amount: int
) -> None:
    log = tables(
        assets=[{"asset": 0}],
        breach_amounts=[
            {"liquidation": 7, "stage": 0, "cause": "price", "amount_micro_usd": amount}
        ],
        price_causes=[
            {"stage": 0, "cause": "liquidation", "liquidation": source, "share": share}
            for source, share in enumerate(shares)
        ],
    )
    assert int(eaten(log).micro_usd.sum()) == amount


@given(SEEDS)
def test_shares_sum_to_one_and_are_never_negative(seed: int) -> None:
    found = triggers(eaten(random_log(seed)))
    ids, sums = sum_by([found.liquidation], found.share)
    assert len(ids[0]) > 10
    assert (found.share >= 0).all()
    assert np.abs(sums - 1).max() < 1e-12


@given(SEEDS)
def test_the_endogenous_matrix_sums_to_the_branching_numerator(seed: int) -> None:
    run = Contagion(random_log(seed))
    found = measure(run.tables)
    assert found["branching_numerator_usd"] > 0
    numerator = asset_matrix(run, "endogenous").sum()
    assert numerator == pytest.approx(found["branching_numerator_usd"], rel=1e-12)
    assert asset_matrix(run).sum() == pytest.approx(found["forced_notional_usd"], rel=1e-12)


@given(SEEDS)
def test_generations_never_exceed_what_came_before(seed: int) -> None:
    forest = Contagion(random_log(seed)).forest
    assert forest.generation.max() > 0
    assert (forest.generation <= np.arange(len(forest.generation))).all()
    assert (forest.principal < np.arange(len(forest.principal))).all()
    assert (forest.endogenous_share <= 1 + 1e-12).all()
