"""Rules of margin at their bounds: what just holds is taken, what just fails is named."""

from __future__ import annotations

import pytest

from stresslab.liquidation.modes import MarginAndClosure
from stresslab.margin.chains.rules import Chain
from stresslab.margin.collateral_rules import CollateralRules, HaircutTier
from stresslab.margin.portfolio.credit import CreditByCorrelation
from stresslab.margin.portfolio.rules import PortfolioRules
from stresslab.margin.requirement.add_on import AddOn
from stresslab.margin.requirement.announced import Announced
from stresslab.margin.requirement.open_interest import OpenInterest
from stresslab.margin.requirement.part import FollowingPart
from stresslab.margin.rules import Bracket


def said(rules: object) -> dict[str, str]:
    """Return the faults of some rules by their place."""
    return dict(rules.faults())  # type: ignore[attr-defined]


def table(*rows: tuple[float, float, float], **rest: object) -> dict[str, str]:
    """Return the faults of a venue with one leverage table."""
    brackets = tuple(Bracket(floor_usd=f, maintenance_rate=m, max_leverage=x) for f, m, x in rows)
    return said(MarginAndClosure(brackets={"BTC": brackets}, **rest))


def test_maintenance_lies_below_initial_margin():
    assert not said(Bracket(floor_usd=0.0, maintenance_rate=0.0199, max_leverage=50.0))
    words = said(Bracket(floor_usd=0.0, maintenance_rate=0.02, max_leverage=50.0))
    assert words == {"maintenance_rate": "0.02 is not below the initial margin rate 1/50 = 0.02"}
    high = said(Bracket(floor_usd=0.0, maintenance_rate=0.1, max_leverage=50.0))
    assert high == {"maintenance_rate": "0.1 is not below the initial margin rate 1/50 = 0.02"}


def test_brackets_rise_from_nothing_and_leverage_never_does():
    first = (0.0, 0.01, 50.0)
    assert not table(first, (1.0, 0.0100001, 50.0), (2.0, 0.02, 20.0))
    assert set(table(first, (0.0, 0.02, 20.0))) == {"brackets.BTC.1.floor_usd"}
    assert set(table(first, (1.0, 0.01, 50.0))) == {"brackets.BTC.1.maintenance_rate"}
    assert set(table(first, (1.0, 0.011, 51.0))) == {"brackets.BTC.1.max_leverage"}
    third = table(first, (2.0, 0.02, 20.0), (1.0, 0.015, 21.0))
    assert third == {
        "brackets.BTC.2.floor_usd": "1 USD is not above the floor before, 2 USD",
        "brackets.BTC.2.maintenance_rate": "0.015 is not above the rate before, 0.02",
        "brackets.BTC.2.max_leverage": "21 x is above the leverage before, 20 x",
    }
    assert set(table((1.0, 0.01, 50.0))) == {"brackets.BTC.0.floor_usd"}
    assert set(table()) == {"brackets.BTC"}


def test_call_levels_rise():
    row = (0.0, 0.01, 50.0)
    assert not table(row, call_levels=(0.5, 0.500001, 1.0))
    assert set(table(row, call_levels=(0.5, 0.5))) == {"call_levels.1"}
    assert table(row, call_levels=(0.5, 0.9, 0.8)) == {
        "call_levels.2": "0.8 is not above the level before, 0.9"
    }
    assert set(table(row, call_levels=())) == {"call_levels"}


def tiers(*rows: tuple[float, float]) -> tuple[HaircutTier, ...]:
    return tuple(HaircutTier(floor_usd=floor, haircut=cut) for floor, cut in rows)


def test_haircuts_rise_by_slices_from_nothing():
    assert not said(CollateralRules(tiers=tiers((0.0, 0.0), (1.0, 0.001))))
    assert not said(CollateralRules(haircut=0.0)) and not said(CollateralRules(haircut=1.0))
    assert set(said(CollateralRules())) == {""}
    assert set(said(CollateralRules(haircut=0.0, tiers=tiers((0.0, 0.1))))) == {""}
    assert set(said(CollateralRules(tiers=tiers((1.0, 0.1))))) == {"tiers.0.floor_usd"}
    assert set(said(CollateralRules(tiers=tiers((0.0, 0.1), (0.0, 0.2))))) == {"tiers.1.floor_usd"}
    assert set(said(CollateralRules(tiers=tiers((0.0, 0.1), (1.0, 0.1))))) == {"tiers.1.haircut"}
    both = tiers((0.0, 0.1), (2.0, 0.3), (1.0, 0.2))
    assert set(said(CollateralRules(tiers=both))) == {"tiers.2.floor_usd", "tiers.2.haircut"}
    assert CollateralRules(haircut=0.3).slices == tiers((0.0, 0.3))
    assert CollateralRules(haircut=0.0).slices == tiers((0.0, 0.0))
    assert CollateralRules(tiers=both).slices == both


@pytest.mark.parametrize(
    ("rules", "places"),
    [
        (Chain(delay_seconds=1.0, haircut=0.2, in_flight_haircut=0.2), set()),
        (Chain(delay_seconds=1.0, haircut=0.2, in_flight_haircut=0.21), {"in_flight_haircut"}),
        (CreditByCorrelation(none_at=0.5, whole_at=0.6), set()),
        (CreditByCorrelation(none_at=0.5, whole_at=0.5), {"none_at"}),
        (AddOn(multiple=1.0, floor=0.5, cap=0.5), set()),
        (AddOn(multiple=1.0, floor=0.51, cap=0.5), {"floor"}),
        (Announced(at_seconds=1.0, initial=0.1), set()),
        (Announced(at_seconds=1.0, maintenance=0.1), set()),
        (Announced(at_seconds=1.0), {""}),
        (OpenInterest(lower_cap_usd=5.0, upper_cap_usd=5.0), set()),
        (OpenInterest(lower_cap_usd=5.0, upper_cap_usd=4.0), {"upper_cap_usd"}),
        (FollowingPart(initial=AddOn(multiple=1.0)), set()),
        (FollowingPart(maintenance=AddOn(multiple=1.0)), set()),
        (FollowingPart(), {""}),
        (PortfolioRules(initial_factor=0.8, maintenance_factor=0.8), set()),
        (PortfolioRules(initial_factor=0.79, maintenance_factor=0.8), {"initial_factor"}),
        (PortfolioRules(classes={"a": ("X", "Y"), "b": ("Z",)}), set()),
        (PortfolioRules(classes={"a": ("X", "Y"), "b": ("Z", "Y")}), {"classes.b.1"}),
        (PortfolioRules(classes={"a": ("X", "X")}), {"classes.a.1"}),
        (PortfolioRules(scenarios=PortfolioRules().scenarios[:1]), {"scenarios"}),
    ],
)
def test_what_just_holds_is_taken_and_what_just_fails_is_named(rules, places):
    assert set(said(rules)) == places


@pytest.mark.parametrize(
    ("changes", "at_hand"),
    [
        ({}, True), ({"delay_sigma": 3.0, "congestion": 2.0}, True),
        ({"delay_seconds": 1.0}, False),
        ({"fee_usd": 0.01}, False), ({"fee_rate": 0.001}, False),
        ({"failure_probability": 0.01}, False),
    ],
)  # fmt: skip
def test_what_comes_at_once_for_nothing_and_for_sure_is_at_hand(changes, at_hand):
    assert Chain(**{"delay_seconds": 0.0, **changes}).is_at_hand == at_hand
