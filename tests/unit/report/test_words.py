"""Labels read the declarations: nothing is named twice, units come along."""

from __future__ import annotations

import pytest

from stresslab.contagion.outcomes import OUTCOMES
from stresslab.core.declarations import declared, param
from stresslab.report.labels import FRACTION, Label, number, short
from stresslab.report.words import outcome_label, parameter_label


@declared
class Part:
    """A part with parameters of all kinds."""

    fall: float = param("Size of the fall", unit="of the price", ge=0, lt=1)
    share: float = param("Share of traders", ge=0, le=1)
    length: float = param("Length", unit="s", ge=0)
    count: int = param("Traders", ge=0, le=1)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("fall", "Size of the fall (% of the price)"),
        ("share", "Share of traders (%)"),
        ("length", "Length (s)"),
        ("count", "Traders"),
    ],
)
def test_a_parameter_is_named_with_its_unit(name: str, text: str) -> None:
    assert str(parameter_label(Part, name)).replace("\xa0", " ") == text


def test_every_outcome_has_a_label_with_its_unit() -> None:
    assert len(OUTCOMES) > 50
    for name, measure in OUTCOMES.items():
        label = outcome_label(name)
        assert label.text
        if measure.unit in ("USD", "s"):
            assert str(label).endswith(f"({measure.unit})")
        if name.endswith("_share") and not name.startswith("clipped"):
            assert label.unit == FRACTION


def test_yes_or_no_becomes_a_share_of_runs() -> None:
    assert str(outcome_label("crossed")).startswith("Share of runs in which liquidation crossed")


def test_ratios_that_are_no_shares_stay_plain() -> None:
    assert outcome_label("branching_ratio").unit == ""
    assert outcome_label("overshoot").unit == FRACTION


def test_a_unit_never_stands_alone_on_a_line() -> None:
    wrapped = Label("share of all accounts in the market liquidated", FRACTION).wrapped(20)
    assert wrapped.count("\n") >= 1
    assert wrapped.splitlines()[-1] != "(%)"


def test_numbers_are_short_and_names_keep_both_ends() -> None:
    assert [number(v) for v in (0.0, 1500.0, 2.5e9, -3e6)] == ["0", "1.5 k", "2.5 bn", "-3 m"]
    name = short("a_liquid_staking_token_on_some_chain", 12)
    assert len(name) == 12
    assert name.startswith("a_liqu") and name.endswith("chain")
