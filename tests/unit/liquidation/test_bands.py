"""What a forced order may give away against the mark, by the words of each band."""

from __future__ import annotations

from fractions import Fraction

import pytest

from stresslab.liquidation.bands.band import Leg, PriceBand
from stresslab.liquidation.bands.bankruptcy import BankruptcyBand
from stresslab.liquidation.bands.fillable import FillableBand
from stresslab.liquidation.bands.from_mark import BandFromMark
from stresslab.liquidation.closures.closure import Closure
from stresslab.liquidation.division import Queue, Sharing


def leg(**known: int) -> Leg:
    """Return a leg of 1,000 that needs 40 of the pool's 100; equity is 50."""
    usual = {"notional": 1000, "maintenance": 40, "pool_equity": 50, "pool_maintenance": 100,
             "legs_maintenance": 120}  # fmt: skip
    return Leg(**{**usual, **known})


def test_the_bankruptcy_price_gives_away_the_leg_s_part_of_equity():
    """By maintenance margin, as dYdX shares it: 40 of 120 is a third."""
    assert BankruptcyBand().concession(leg()) == Fraction(50, 3)
    assert BankruptcyBand().concession(leg(pool_equity=-30)) == -10


def test_legs_that_need_no_margin_give_away_all_equity():
    """Spot without a haircut needs none, so there is nothing to share by."""
    free = leg(maintenance=0, legs_maintenance=0, pool_equity=-7)
    assert BankruptcyBand().concession(free) == -7


@pytest.mark.parametrize(
    ("equity", "part"),
    [(100, 0), (130, 0), (75, Fraction(1, 2)), (50, 1), (40, 1), (-500, 1)],
)
def test_the_fillable_price_goes_from_the_mark_to_the_spread(equity, part):
    """``clamp(2 (1 - equity / maintenance), 0, 1)`` of 1.5 times the leg's 40."""
    band = FillableBand(adjustment=2.0, spread=1.5)
    assert band.concession(leg(pool_equity=equity)) == part * 60


def test_a_pool_that_needs_no_margin_sells_at_the_mark():
    assert FillableBand().concession(leg(pool_maintenance=0, pool_equity=-7)) == 0


def test_a_band_around_the_mark_is_a_part_of_the_leg_s_value():
    assert BandFromMark(distance=0.05).concession(leg()) == 50


@pytest.mark.parametrize("kind", [PriceBand, Queue, Sharing, Closure])
def test_a_part_without_its_rule_cannot_be_made(kind):
    with pytest.raises(TypeError, match="abstract"):
        kind()
