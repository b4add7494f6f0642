"""A position of a single lot is closed, limited and handed over like any other, long or short."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.liquidation.closures import CLOSURES
from stresslab.liquidation.floor import within
from tests.markets import (
    ORDER_BOOK,
    TICKS,
    UNIT,
    USD,
    Ask,
    market,
    people,
    rows,
    scripted,
    tables_of,
)

every_side = pytest.mark.parametrize("side", [1, -1])
IMPACT = {"kind": "impact", "law": {"kind": "linear", "depth_usd": 1e4}}
NEEDS = {"rate_limited": {"usd_per_window": 1e6}}


def played(side, *, off=600, quotes=(), **changes):
    """Return the log of one isolated lot at 10x whose price moves against it in step 2."""
    scenario = market(
        {
            "one": people((10.0, {"BTC": side}), mode="isolated"),
            "rich": people((1e6, {"BTC": -side}), (1e6, {})),
        },
        duration_seconds=2.0,
        **changes,
    )
    model = scripted(scenario, {1: list(quotes)})
    model.world.index[2:] = TICKS - side * off
    return tables_of(model), model


@every_side
@pytest.mark.parametrize("kind", sorted(CLOSURES))
def test_every_policy_closes_it(side, kind):
    closure = {"kind": kind, **NEEDS.get(kind, {})}
    tables, model = played(side, margin__isolated__closure=closure)
    assert rows(tables, "forced_orders", "lots", "filled_lots") == [(-side, -side)]
    assert model.world.clearing.accounts.position[0].tolist() == [0, -side, 0]


@every_side
@pytest.mark.parametrize("feedback", ["market", "slipped", "no_feedback"])
@pytest.mark.parametrize("book", [ORDER_BOOK, IMPACT])
@pytest.mark.parametrize("band", [None, {"kind": "from_mark", "distance": 0.05}])
def test_it_fills_in_any_book_within_a_band_or_without(side, feedback, book, band):
    """At 94 or 106 USD; a quote one tick worse than the mark is far within 5 %."""
    quote = Ask(2, side, TICKS - side * 601)
    tables, model = played(
        side, quotes=[quote] if book is ORDER_BOOK else [], market__book=book,
        liquidation={"feedback": feedback, "price_band": band, "usd_per_step": 200.0},
    )  # fmt: skip
    ((lots, cash),) = rows(tables, "forced_orders", "filled_lots", "cash_micro_usd")
    assert lots == -side
    mark = side * (TICKS - side * 600) * UNIT
    expected = mark if feedback == "no_feedback" else mark - UNIT
    assert cash == expected if book is ORDER_BOOK or cash == mark else mark - USD < cash < mark
    taken = feedback == "market" and book is ORDER_BOOK
    assert model.world.clearing.accounts.position[0].tolist() == [0, -side, side * taken]


@every_side
def test_a_limit_at_the_mark_itself_is_a_price_there(side):
    """A band narrower than a tick lets nothing but the mark through, and that is enough."""
    band = {"kind": "from_mark", "distance": 1e-9}
    tables, _ = played(side, liquidation={"feedback": "no_feedback", "price_band": band})
    assert rows(tables, "forced_orders", "filled_lots") == [(-side,)]


@every_side
def test_it_is_handed_to_a_winner_when_its_pool_is_bankrupt(side):
    """10 USD bear 10 USD of loss; at 15 away 5 USD are missing."""
    tables, model = played(
        side, off=1500, market__book=ORDER_BOOK,
        liquidation={"feedback": "market", "insurance_fund_usd": 0.0},
    )  # fmt: skip
    found = rows(tables, "adl", "account", "lots", "loss_micro_usd")
    assert found == [(1_000_000, side, 5 * USD)]
    assert model.world.clearing.accounts.position[0].tolist() == [0, 0, 0]


@every_side
def test_it_is_handed_over_alive_when_its_book_is_exhausted(side):
    """4 USD of equity go with it."""
    tables, _ = played(
        side, market__book=ORDER_BOOK,
        liquidation={"feedback": "market", "adl_on_exhausted_book": True},
    )  # fmt: skip
    assert rows(tables, "adl", "account", "lots", "loss_micro_usd") == [(1_000_000, side, -4 * USD)]
    assert tables["liquidations"]["outcome"].tolist() == ["closed"]


@pytest.mark.parametrize("wanted", [-3, -1, 0, 1, 3])
@pytest.mark.parametrize("room", [-2, -1, 0, 1, 2])
def test_an_order_takes_what_its_side_has_room_for(wanted, room):
    same = wanted * room > 0
    expected = int(np.sign(wanted)) * min(abs(wanted), abs(room)) if same else 0
    assert within(wanted, room) == expected
