"""The fire-sale model on real banks: a config like any other, and what is read off its event log.

Amounts of a config are in a unit of account that the engine calls USD and counts in millionths.
Here it is 10 EUR, so money is counted in 1e-5 EUR: 22.8 trillion EUR of assets then are a quarter
of what int64 holds, a bond has 1e8 ticks, and a lot of it is worth 1,000 EUR.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from stresslab.market.impact.law import ONE_PERCENT
from stresslab.validation.banks import Bank
from stresslab.validation.simulated import simulated

BONDS = ("GOV", "CORP")
DEBTS = ("LOAN", "DEPOSITS")
TICKS = 100_000_000  # of a bond before the first step
LOT = 1e-3  # millions of EUR: a lot of bonds before the first step
FINE_LOT = 1e-4  # millions of EUR: a lot of debt, or of what cannot be sold
MONEY_UNIT = 1e-11  # millions of EUR
DEFAULT = 0.03  # equity over assets below which a bank is in default
TARGET = 0.05
REFERENCE_SALE = 0.05  # share of an asset whose sale lowers the price by ``impact``
ONE_STEP_SHOCK = 0.1  # fall of government bonds where banks react once
LEAST_EXTENT = 0.05  # below it no event is systemic

_ACCOUNT = 1e-5  # millions of EUR: the unit of account, a million money units
_NO_IMPACT = 1e30
_DEEP_LENDER = 1e12


class Setting(NamedTuple):
    """What one run of the fire-sale model varies."""

    shock: float = 0.2  # fall of government bonds
    impact: float = 0.01  # fall of a price when 5 % of the asset is sold
    buffer: float = 0.04  # equity over assets below which a bank delevers
    steps: int = 6


class Outcome(NamedTuple):
    """What one run came to."""

    defaults: int
    banks: int
    sold: float  # share of tradable assets sold, at initial prices

    @property
    def extent(self) -> float:
        """Share of banks in default, 0 where the event is not systemic."""
        share = self.defaults / self.banks
        return share if share >= LEAST_EXTENT else 0.0


def outcome(setting: Setting, banks: Sequence[Bank], seed: int) -> Outcome:
    """Run the model and count banks in breach and lots sold."""
    tables, _ = simulated(scenario(setting, banks), seed)
    defaults = np.unique(tables["liquidations"]["account"]).size
    path, held = tables["path"], sum(sum(lots_of(bank)) for bank in banks)
    is_bond = path["asset"] < len(BONDS)
    return Outcome(int(defaults), len(banks), int(path["volume_lots"][is_bond].sum()) / held)


def scenario(setting: Setting, banks: Sequence[Bank]) -> dict[str, Any]:
    """Return the market of leverage-targeting banks."""
    return {
        "step_seconds": 1.0,
        "duration_seconds": float(setting.steps),
        "assets": {
            **{name: _asset("spot", LOT, TICKS) for name in BONDS},
            "ILLIQUID": _asset("spot", FINE_LOT, 1000),
            **{name: _asset("perpetual", FINE_LOT, 1000) for name in DEBTS},
        },
        "market": {
            "book": _book(setting.impact, banks),
            "shocks": {"first": {"assets": ["GOV"], "fall": setting.shock, "at_seconds": 1.0}},
            "mark": {"rule": "mid"},
            "fees": {"maker_rate": 0.0, "taker_rate": 0.0},
            "funding": {"interest_rate": 0.0},
        },
        "margin": _margin(),
        "liquidation": {
            "pauses": {"always": {"at_seconds": 0.0, "for_seconds": 1e9}},
            "insurance_fund_usd": 0.0,
            "adl": False,
        },
        "traders": {
            "banks": {
                "strategy": {"kind": "leverage_targeting", "target": TARGET,
                             "buffer": setting.buffer, "illiquid": ["ILLIQUID", "DEPOSITS"],
                             "first_seconds": 2.0},
                "seconds_between_turns": 0.0,
                "assets": [*BONDS, "LOAN"],
                "accounts": [_account(bank) for bank in banks],
            },
            "lender": _lender(banks),
        },
    }  # fmt: skip


def one_step(banks: Sequence[Bank], illiquidity: float, shocked: str) -> dict[str, Any]:
    """Return the market in which banks go back to the leverage they had, once.

    Banks have no cash, and bonds an impact linear in what is sold. ``shocked`` falls by 10 %: the
    government bonds, or a claim of their size beside them, part of what cannot be sold.

    Parameters
    ----------
    illiquidity : share of its price that a bond loses for a million EUR sold
    """
    market = scenario(Setting(ONE_STEP_SHOCK, 0.0, 1.0, 2), banks)
    law = {
        "kind": "linear",
        "depth_usd": _NO_IMPACT,
        "depth_usd_by_asset": dict.fromkeys(BONDS, 0.01 / illiquidity / _ACCOUNT),
    }
    market["assets"]["CLAIM"] = market["assets"]["GOV"]
    market["market"]["book"]["law"] = law
    market["market"]["shocks"]["first"]["assets"] = [shocked]
    for brackets in market["margin"]["brackets"].values():
        brackets[0]["maintenance_rate"] = 1e-6  # nobody is in breach
    group = market["traders"]["banks"]
    group["strategy"] |= {"target": None, "illiquid": ["ILLIQUID", "CLAIM", "DEPOSITS"]}
    for bank, account in zip(banks, group["accounts"], strict=True):
        government, other = bank.bonds
        rest = round((bank.assets - 2 * government - other) / FINE_LOT)
        claim = {"CLAIM": lots_of(bank)[0]} if government else {}
        account["positions"] |= {"ILLIQUID": rest, **claim}
    return market


def lots_of(bank: Bank) -> tuple[int, int]:
    """Return the lots of government and of other bonds that a bank has."""
    government, other = (round(amount / LOT) for amount in bank.bonds)
    return government, other


def _asset(kind: str, lot: float, ticks: int) -> dict[str, Any]:
    price = lot / _ACCOUNT
    return {"kind": kind, "initial_price_usd": price, "tick_size_usd": price / ticks,
            "lot_size": 1.0}  # fmt: skip


def _book(impact: float, banks: Sequence[Bank]) -> dict[str, Any]:
    """Return a book whose price falls by ``impact`` when 5 % of an asset is sold."""
    held = np.array([lots_of(bank) for bank in banks]).sum(axis=0) * LOT / _ACCOUNT
    steepness = -math.log1p(-impact) / REFERENCE_SALE
    depths = {} if impact == 0 else {
        name: float(usd) * ONE_PERCENT / steepness for name, usd in zip(BONDS, held, strict=True)
    }  # fmt: skip
    law = {"kind": "exponential", "depth_usd": _NO_IMPACT, "depth_usd_by_asset": depths}
    return {"kind": "impact", "law": law, "fill_price": "ends", "clearing": "together"}


def _margin() -> dict[str, Any]:
    """Return margin by which a pool is in breach when equity < 3 % of equity and debt together."""
    rate = DEFAULT / (1 - DEFAULT)
    bracket = {"floor_usd": 0.0, "maintenance_rate": rate, "max_leverage": 20.0}
    closed = {"closure": {"kind": "whole"}, "penalty_rate": 0.0}
    return {"brackets": {name: [bracket] for name in DEBTS}, "spot_haircut": 0.0,
            "cross": closed, "isolated": closed}  # fmt: skip


def _account(bank: Bank) -> dict[str, Any]:
    government, other = lots_of(bank)
    illiquid = bank.assets - bank.cash - sum(bank.bonds)
    owed = -round(bank.debt / 2 / FINE_LOT)
    positions = {"GOV": government, "CORP": other, "ILLIQUID": round(illiquid / FINE_LOT),
                 **dict.fromkeys(DEBTS, owed)}  # fmt: skip
    held = {name: lots for name, lots in positions.items() if lots != 0}
    return {"wealth_usd": bank.equity / _ACCOUNT, "positions": held}


def _lender(banks: Sequence[Bank]) -> dict[str, Any]:
    """Return who is owed what the banks owe, deep enough never to matter."""
    owed = -sum(_account(bank)["positions"]["LOAN"] for bank in banks)
    account = {"wealth_usd": _DEEP_LENDER, "positions": dict.fromkeys(DEBTS, owed)}
    return {"strategy": {"kind": "passive"}, "accounts": [account]}
