"""Parts that make a uniform field of liquidation prices: wealth, positions, a steady seller."""

from __future__ import annotations

import pytest

from stresslab.core.declarations import build, faults
from stresslab.traders.distributions import Uniform
from stresslab.traders.holdings.equal_lots import EqualLots
from tests.markets import drawn, market, model_of, rows, tables_of

LONGS = drawn(
    "passive", 50, wealth={"kind": "uniform", "minimum_usd": 5.0, "maximum_usd": 25.0},
    holdings={"kind": "equal_lots", "lots": {"BTC": 1}},
)  # fmt: skip
SHORTS = drawn("passive", 1, 1e6, leverage={"median": 5.0}, is_counterparty=True)


def seller(**group: object) -> dict[str, object]:
    return {"strategy": {"kind": "metaorder", "lots": -2}, "accounts": [{"wealth_usd": 1e6}],
            "seconds_between_turns": 0.0, **group}  # fmt: skip


@pytest.mark.parametrize(("share", "usd"), [(0.0, 5.0), (0.25, 10.0), (1.0, 25.0)])
def test_uniform_quantiles_are_a_straight_line(share: float, usd: float) -> None:
    assert Uniform(minimum_usd=5.0, maximum_usd=25.0).usd(share) == usd


def test_bounds_the_wrong_way_round_are_a_fault() -> None:
    wrong = Uniform(minimum_usd=25.0, maximum_usd=5.0)
    assert [path for path, _ in faults(wrong)] == ["maximum_usd"]


def test_equal_lots_need_an_asset() -> None:
    assert [path for path, _ in faults(build(EqualLots, {"lots": {}}))] == ["lots"]


def test_everybody_holds_the_same_whatever_the_wealth() -> None:
    tables = tables_of(model_of(market({"longs": LONGS, "shorts": SHORTS})))
    held = [lots for account, lots in rows(tables, "positions", "account", "initial_lots")
            if account < 1_000_000]  # fmt: skip
    wealth = tables["accounts"]["wealth_micro_usd"][:50]
    assert held == [1] * 50
    assert len(set(wealth.tolist())) > 40
    assert wealth.min() >= 5_000_000 and wealth.max() <= 25_000_000


def test_a_metaorder_sells_the_same_every_turn() -> None:
    tables = tables_of(model_of(market({"seller": seller()})))
    assert tables["path"]["volume_lots"].tolist() == [2, 2, 2, 2]
    assert rows(tables, "positions", "final_lots") == [(-8,)]
