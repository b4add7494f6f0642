"""Faults of trader groups, alone and against the assets of the scenario."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from stresslab.core.declarations import faults
from stresslab.traders.rules import population_faults
from tests.toy_traders import groups_of, speculators

IS_SPOT = {"BTC": False, "ETH": False, "BTC_SPOT": True}


def _paths(**configs: dict[str, Any]) -> dict[str, str]:
    return dict(population_faults(groups_of(**configs), IS_SPOT))


def _written(*positions: dict[str, int]) -> dict[str, Any]:
    accounts = [{"wealth_usd": 100.0, "positions": p} for p in positions]
    return {"strategy": {"kind": "passive"}, "accounts": accounts}


def test_a_sound_population_has_no_fault() -> None:
    groups = groups_of(a=speculators(), b=_written({"BTC": 1, "BTC_SPOT": 5}, {"BTC": -1}))
    assert not list(faults(groups)) and not list(population_faults(groups, IS_SPOT))


def test_count_and_accounts_exclude_each_other() -> None:
    neither = {"strategy": {"kind": "noise"}}
    both = {**_written({}), "count": 3, "wealth": {"kind": "equal", "amount_usd": 1.0}}
    found = [path for path, _ in faults(groups_of(neither=neither, both=both))]
    assert found == ["neither", "both"]


def test_drawn_traders_need_wealth() -> None:
    found = list(faults(groups_of(a={"strategy": {"kind": "noise"}, "count": 3})))
    assert found == [("a.wealth", "is missing; drawn traders need a distribution of wealth")]


def test_unbalanced_positions_are_named_with_their_sum() -> None:
    found = _paths(a=_written({"BTC": 3}, {"BTC": -1}), b=_written({"ETH": 2}, {"ETH": -2}))
    assert list(found) == ["a.accounts.1.positions.BTC"]
    assert "+2 lots" in found["a.accounts.1.positions.BTC"]


def test_spot_needs_no_balance_but_cannot_be_short() -> None:
    assert not _paths(a=_written({"BTC_SPOT": 3}))
    assert list(_paths(a=_written({"BTC_SPOT": -3}))) == ["a.accounts.0.positions.BTC_SPOT"]


def test_unknown_assets_are_named_with_the_nearest() -> None:
    holdings = {"kind": "directional", "asset_weights": {"BTCC": 1.0}}
    found = _paths(a=speculators(assets=["ETHH"], holdings=holdings))
    assert list(found) == ["a.assets.0", "a.holdings.asset_weights.BTCC"]
    assert found["a.assets.0"] == "unknown asset 'ETHH'; did you mean 'ETH'?"


def test_unknown_assets_of_accounts_are_named_once() -> None:
    found = _paths(a=_written({"BTC": 1}, {"BTC": -1, "ETHH": 2}))
    assert list(found) == ["a.accounts.1.positions.ETHH"]
    assert "did you mean 'ETH'?" in found["a.accounts.1.positions.ETHH"]


def test_a_carry_trade_needs_spot_on_one_leg() -> None:
    holdings = {"kind": "spot_perpetual", "spot_of": {"BTC": "ETH"}}
    found = _paths(a=speculators(holdings=holdings))
    assert list(found) == ["a.holdings.spot_of.BTC"]


def test_declarations_import_neither_mesa_nor_numba_nor_numpy() -> None:
    code = (
        "import sys, stresslab.traders.rules as r; assert r.TraderGroup; "
        "print([m for m in ('mesa', 'numba', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
