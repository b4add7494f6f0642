"""Splitting, netting, clipping and projecting the margin that was eaten."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.contagion import Contagion, Tables
from stresslab.contagion.attribution import LIQUIDATION, ROUNDING, clipped, eaten, triggers
from stresslab.core.errors import InvariantError
from stresslab.core.events import CAUSE_ID
from tests.unit.contagion.cases import liquidation, tables

ASSETS = [{"asset": 0, "name": "A"}, {"asset": 1, "name": "B"}]


def shares(tables: Tables) -> dict[tuple[int, int, int], float]:
    found = triggers(eaten(tables))
    keys = zip(found.liquidation.tolist(), found.cause.tolist(), found.source.tolist(), strict=True)
    return dict(zip(keys, found.share.tolist(), strict=True))


def price(number: int, stage: int, amount: int, asset: int = 0) -> dict:
    row = {"liquidation": number, "stage": stage, "asset": asset, "cause": "price"}
    return {**row, "amount_micro_usd": amount}


def part(stage: int, cause: str, share: float, source: int = -1, asset: int = 0) -> dict:
    row = {"stage": stage, "asset": asset, "cause": cause, "share": share}
    return {**row, "liquidation": source}


def test_floors_leave_their_remainder_to_rounding() -> None:
    log = tables(
        assets=ASSETS,
        liquidations=[liquidation(0), liquidation(1), liquidation(2)],
        breach_amounts=[price(2, 5, 10)],
        price_causes=[part(5, "index", 1 / 3)]
        + [part(5, "liquidation", 1 / 3, source) for source in (0, 1)],
    )
    amounts = eaten(log)
    assert amounts.micro_usd.tolist() == [3, 1, 3, 3]
    assert amounts.cause.tolist() == [CAUSE_ID["index"], ROUNDING, LIQUIDATION, LIQUIDATION]
    assert amounts.source.tolist() == [-1, -1, 0, 1]


def test_negative_parts_are_floored_too() -> None:
    log = tables(
        assets=ASSETS,
        breach_amounts=[price(2, 5, 7)],
        price_causes=[part(5, "voluntary", -0.5), part(5, "index", 1.5)],
    )
    by_cause = dict(zip(eaten(log).cause.tolist(), eaten(log).micro_usd.tolist(), strict=True))
    assert by_cause == {CAUSE_ID["index"]: 10, CAUSE_ID["voluntary"]: -4, ROUNDING: 1}


def test_a_cause_is_netted_over_stages_and_assets_before_it_is_clipped() -> None:
    """The index ate 30 through A and gave 10 back through B: 20 in all, as much as the source."""
    log = tables(
        assets=ASSETS,
        liquidations=[liquidation(0), liquidation(1)],
        breach_amounts=[price(1, 1, 30), price(1, 2, -10, asset=1), price(1, 3, 20)],
        price_causes=[
            part(1, "index", 1.0),
            part(2, "index", 1.0, asset=1),
            part(3, "liquidation", 1.0, 0),
        ],
    )
    assert shares(log) == {(1, CAUSE_ID["index"], -1): 0.5, (1, LIQUIDATION, 0): 0.5}


def test_causes_that_gave_margin_back_have_no_share_and_are_reported() -> None:
    log = tables(
        assets=ASSETS,
        breach_amounts=[
            price(1, 1, 30),
            {"liquidation": 1, "cause": "funding", "amount_micro_usd": -10, "asset": -1},
            {"liquidation": 1, "cause": "fees", "amount_micro_usd": 10, "asset": -1},
        ],
        price_causes=[part(1, "index", 1.0)],
    )
    expected = {"index": 0.75, "funding": 0.0, "fees": 0.25}
    assert shares(log) == {(1, CAUSE_ID[name], -1): share for name, share in expected.items()}
    assert clipped(triggers(eaten(log))) == (10, 40)


def test_nothing_eaten_means_no_shares() -> None:
    log = tables(
        assets=ASSETS,
        breach_amounts=[{"liquidation": 1, "cause": "fees", "amount_micro_usd": -1, "asset": -1}],
    )
    assert list(shares(log).values()) == [0.0]


def test_a_price_move_without_causes_is_refused() -> None:
    log = tables(assets=ASSETS, breach_amounts=[price(4, 9, 30)])
    with pytest.raises(InvariantError, match=r"liquidation 4.*asset 0 at stage 9.*no causes"):
        eaten(log)


def test_shares_by_asset_split_each_cause_by_what_its_assets_ate() -> None:
    """Liquidation 0 ate 10 through A and 30 through B, fees 40: shares 1/8, 3/8, 1/2."""
    log = tables(
        assets=ASSETS,
        liquidations=[liquidation(0), liquidation(1)],
        breach_amounts=[
            price(1, 1, 10),
            price(1, 1, 30, asset=1),
            {"liquidation": 1, "cause": "fees", "amount_micro_usd": 40, "asset": -1},
        ],
        price_causes=[part(1, "liquidation", 1.0, 0), part(1, "liquidation", 1.0, 0, asset=1)],
    )
    by_asset = Contagion(log).asset_shares
    assert by_asset[1].tolist() == [[0, 0, 0.5], [0.125, 0.375, 0]]
    assert not np.any(by_asset[0])
