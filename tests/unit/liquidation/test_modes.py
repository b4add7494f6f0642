"""What a venue's two margin modes are like unless a config says otherwise."""

from __future__ import annotations

from stresslab.liquidation.closures.least_to_restore import LeastToRestore
from stresslab.liquidation.closures.whole import Whole
from stresslab.liquidation.modes import MarginAndClosure
from tests.markets import BRACKETS, market, model_of, people


def test_isolated_pools_are_closed_whole_at_a_higher_penalty_and_opened_with_more_margin():
    """Of 1,000 USD at 10x an isolated position asks for 125 USD, a cross one for 100."""
    story = market({"one": people((1e3, {"BTC": 1}), (1e3, {"BTC": -1}))})
    story["margin"] = {"brackets": {"BTC": BRACKETS}}
    margin = model_of(story)._scenario.margin
    assert isinstance(margin, MarginAndClosure)
    assert type(margin.isolated.closure) is Whole
    assert type(margin.cross.closure) is LeastToRestore
    assert (margin.isolated.penalty_rate, margin.cross.penalty_rate) == (0.0125, 0.005)
    factors = margin.isolated.initial_margin_factor, margin.cross.initial_margin_factor
    assert factors == (1.25, 1.0)
