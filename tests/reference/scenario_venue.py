"""A venue that margins cross pools by scenarios, and what its engine asks of a book."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from stresslab.core.declarations import build
from stresslab.core.events import CROSS
from stresslab.liquidation.modes import MarginAndClosure
from stresslab.margin.portfolio.book import NO_ASSET, book_requirement
from stresslab.margin.portfolio.rules import PortfolioRules
from stresslab.margin.tiers import margin_tables
from stresslab.scenario import Scenario
from tests.markets import BRACKETS, USD, asset, market, model_of, people, state

CLASS = {"classes": {"majors": ["BTC", "ETH"]}}
LEAST = {"kind": "least_common_share"}
NAMES, SPOT = ("A", "B", "C", "S", "T"), ("S", "T")


def some_rules(rng, floors=False):
    """Return a random grid over five assets, two of them spot."""
    moves = [0.0] + [
        rng.choice((-1, 1)) * rng.randint(1, 60) / 100 for _ in range(rng.randint(2, 6))
    ]
    return PortfolioRules(
        scenarios=tuple(
            build(PortfolioRules, {"scenarios": [
                {"spot_move": m, "damping": rng.choice((1.0, 0.35, 0.2))}]}).scenarios[0]
            for m in moves
        ),
        classes=rng.choice((
            {"one": ("A", "B", "S")}, {"one": ("A", "B"), "two": ("C", "S", "T")},
            {"all": ("T", "C", "S", "B", "A")}, {},
        )),
        move_scale={"B": rng.choice((0.5, 1.3)), "S": rng.choice((1.0, 1.07))},
        hedge_credit=rng.choice((0.0, 0.3, 0.85, 1.0)),
        break_move=rng.choice((0.0, 0.07, 0.3)),
        maintenance_factor=0.6,
        initial_factor=rng.choice((0.6, 1.1)),
        perpetual_addition=rng.choice((0.0, 0.013)),
        perpetual_initial_addition=0.005,
        floor_of_net=rng.choice((0.02, 0.3)) if floors else 0.0,
        floor_of_hedged=rng.choice((0.01, 0.2)) if floors else 0.0,
    )  # fmt: skip


def venue(*accounts, spot=(), perpetuals=("BTC", "ETH"), rules=None, **changes: Any):
    """Return a market whose cross pools are margined by scenarios; one account takes the rest."""
    names = (*perpetuals, *spot)
    others = {name: -sum(lots.get(name, 0) for _, lots in accounts) for name in perpetuals}
    scenario = market(
        {"some": people(*accounts), "rest": people((1e7, others))}, assets=names,
        margin__portfolio=CLASS if rules is None else rules, margin__cross__closure=LEAST,
        **changes,
    )  # fmt: skip
    scenario["margin"]["brackets"] = dict.fromkeys(perpetuals, BRACKETS)
    for name in spot:
        scenario["assets"][name] = asset("spot")
    return scenario


def engine(rules, names, spot, values, level):
    """Return what the engine's kernel asks of the same; one tick times one lot is a micro-USD."""
    brackets = {name: BRACKETS for name in names if name not in spot}
    margin = {"brackets": brackets, "isolated": {"closure": {"kind": "whole"}, "penalty_rate": 0.0},
              "cross": {"closure": LEAST, "penalty_rate": 0.0}}  # fmt: skip
    declared = build(type(build(Scenario, venue()).margin), margin)
    object.__setattr__(declared, "portfolio", rules)
    is_spot = np.array([name in spot for name in names], np.int64)
    tables = margin_tables(declared, list(names), is_spot, np.ones(len(names), np.int64))
    position = np.array([[values[name]] for name in names], np.int64)
    mode = np.full((len(names), 1), CROSS, np.int8)
    marks = np.ones(len(names), np.int64)
    return int(book_requirement(tables, marks, position, mode, 0, level, NO_ASSET, 0))


def need(rules=None, **lots):
    """Return the maintenance margin of a book in USD, at 100 USD a lot."""
    return state(model_of(venue((1e6, lots), rules=rules)), 0)[1] * Fraction(1, USD)


def five_assets(rules):
    """Return the tables of five assets, two of them spot, at 7 and 12 % of haircut."""
    haircuts = {name: {"haircut": cut} for name, cut in zip(SPOT, (0.07, 0.12), strict=True)}
    declared = build(
        MarginAndClosure,
        {"brackets": {n: BRACKETS for n in NAMES if n not in SPOT}, "collateral": haircuts,
         "cross": {"closure": LEAST, "penalty_rate": 0.0}},
    )  # fmt: skip
    object.__setattr__(declared, "portfolio", rules)
    is_spot = np.array([name in SPOT for name in NAMES], np.int64)
    return margin_tables(declared, list(NAMES), is_spot, np.array([10, 1000, 1, 100, 10]))
