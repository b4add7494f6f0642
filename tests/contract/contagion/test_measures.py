"""Every measure keeps its promises, whatever the event log."""

from __future__ import annotations

import math

import pytest

from stresslab.contagion import Contagion, Tables
from stresslab.contagion.long import LONG_TABLES
from stresslab.contagion.measures import MEASURES, Measure
from stresslab.contagion.outcomes import OUTCOMES, measure
from stresslab.core.events import CAUSES
from tests.unit.contagion.cases import hand_cascade, one_liquidation, tables

EXPECTED = {
    "n_liquidations",
    "n_accounts_liquidated",
    "share_accounts_liquidated",
    "forced_notional_usd",
    "forced_notional_shocked_usd",
    "spill_same_accounts_usd",
    "spill_other_accounts_usd",
    "system_loss_usd",
    "crossed",
    "depth",
    "branching_ratio",
    "overshoot",
}


def no_assets() -> Tables:
    return tables()


def no_rows() -> Tables:
    return tables(assets=[{"asset": 0, "name": "A"}])


LOGS = [no_assets, no_rows, one_liquidation, hand_cascade]


@pytest.mark.parametrize("log", LOGS, ids=lambda log: log.__name__)
@pytest.mark.parametrize("part", MEASURES.values(), ids=MEASURES)
def test_a_measure_is_a_plain_finite_number_or_nan(part: Measure, log) -> None:
    value = part.function(Contagion(log()))
    assert type(value) is part.type
    assert not math.isinf(value)
    if part.unit == "USD" or part.type is int:
        assert not math.isnan(value) or part.name == "forced_notional_per_account_usd"


@pytest.mark.parametrize("part", MEASURES.values(), ids=MEASURES)
def test_a_measure_says_what_it_is(part: Measure) -> None:
    assert part.description
    assert part.function.__doc__
    assert (part.unit == "USD") == part.name.endswith("_usd")
    assert (part.unit == "s") == part.name.endswith("_seconds")
    assert (part.type is int) == (part.name in INTEGERS or part.name.startswith("n_"))


INTEGERS = {"depth", "width", "largest_tree", "branching_denominator_count"}


def test_the_outcomes_are_the_measures() -> None:
    assert list(OUTCOMES) == list(measure(hand_cascade()))
    assert set(OUTCOMES) >= EXPECTED


def test_nothing_happened_is_zero_not_missing() -> None:
    found = measure(tables(assets=[{"asset": 0}], accounts=[{"account": 0}]))
    assert found["n_liquidations"] == found["forced_notional_usd"] == found["depth"] == 0
    assert found["share_accounts_liquidated"] == 0.0
    assert math.isnan(found["branching_ratio"])
    assert math.isnan(found["duration_seconds"])


@pytest.mark.parametrize("name", LONG_TABLES)
@pytest.mark.parametrize("log", LOGS, ids=lambda log: log.__name__)
def test_long_tables_have_columns_of_one_length(name: str, log) -> None:
    columns = LONG_TABLES[name](Contagion(log()))
    assert len({len(column) for column in columns.values()}) == 1


def test_every_cause_is_known() -> None:
    assert {"liquidation", "rounding", "index"} <= set(CAUSES)
