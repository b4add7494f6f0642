"""Five accounts and a price that halves: three winners, two losers, and who pays their deficit.

In units of 1,000 USD, after the fall the winners have equity 10, 5 and 1 and profit 8, 4 and 1/2,
the losers equity -3 and -12. All trade in step 1 against a book without bottom, and the index
halves in step 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from stresslab.validation.simulated import simulated

UNIT = 1_000_000_000  # micro-USD
PRICE = 100.0
DEFICIT = 15  # units
_BRACKETS = [{"floor_usd": 0.0, "maintenance_rate": 0.005, "max_leverage": 100.0}]
_AT, _STEPS = 2.0, 4.0


class Account(NamedTuple):
    """One account: 20 lots gain or lose a unit when the price halves."""

    wealth: float  # units
    lots: int  # signed, of the market that falls
    elsewhere: int = 0  # lots of a market that stands still, which raise leverage


#: The second winner's position elsewhere makes its leverage the highest: 0.92, 0.8 and 0.5.
WINNERS = (Account(2, -160), Account(1, -80, 6), Account(0.5, -10))
LOSERS = (Account(1, 80), Account(3, 300))
#: The second winner as two accounts: one takes the position elsewhere and a quarter of the other,
#: with little wealth, so that the rest of it, at a leverage of 0.77, falls behind the first.
SPLIT = (WINNERS[0], Account(0.9, -60), Account(0.1, -20, 6), WINNERS[2])


def seized(
    policy: str, severity: float, seed: int, winners: Sequence[Account] = WINNERS
) -> tuple[Fraction, ...]:
    """Return what a policy of profit haircuts takes from each winner, in units."""
    tables, _ = simulated(scenario(policy, severity, winners), seed)
    deficits = tables["waterfall"]["deficit_micro_usd"].tolist()
    if deficits != [3 * UNIT, 12 * UNIT]:
        raise AssertionError(f"deficits are {deficits}, not 3 and 12 units")
    taken = [0] * len(winners)
    adl = tables["adl"]
    ids = [f"winner_{place}" for place in range(len(winners))]
    names = dict(zip(tables["accounts"]["account"], tables["accounts"]["group"], strict=True))
    for account, loss in zip(adl["account"], adl["loss_micro_usd"].tolist(), strict=True):
        taken[ids.index(names[account])] += loss
    return tuple(Fraction(amount, UNIT) for amount in taken)


def scenario(policy: str, severity: float, winners: Sequence[Account] = WINNERS) -> dict[str, Any]:
    """Return the market under a policy of profit haircuts."""
    people = {f"winner_{n}": account for n, account in enumerate(winners)}
    people |= {f"loser_{n}": account for n, account in enumerate(LOSERS)}
    elsewhere = sum(account.elsewhere for account in people.values())
    names = ("COIN", "OTHER")
    traders = {name: _trader(account) for name, account in people.items()}
    traders["counterparty"] = {
        "strategy": {"kind": "passive"},
        "accounts": [{"wealth_usd": 1e6, "positions": {"OTHER": -elsewhere}}],
    }
    return {
        "step_seconds": 1.0,
        "duration_seconds": _STEPS,
        "assets": {name: {"kind": "perpetual", "initial_price_usd": PRICE, "tick_size_usd": 0.01,
                          "lot_size": 1.0} for name in names},
        "market": {
            "book": {"kind": "impact", "law": {"kind": "linear", "depth_usd": 1e15}},
            "mark": {"rule": "index"},
            "fees": {"maker_rate": 0.0, "taker_rate": 0.0},
            "shocks": {"halving": {"assets": ["COIN"], "fall": 0.5, "at_seconds": _AT}},
        },
        "margin": {
            "brackets": dict.fromkeys(names, _BRACKETS),
            "cross": {"closure": {"kind": "whole"}, "penalty_rate": 0.0},
        },
        "liquidation": {
            "feedback": "no_feedback", "insurance_fund_usd": 0.0, "adl_severity": severity,
            "profit_haircut": {"kind": policy}, "socialised_loss": {"kind": "on_withdrawal"},
        },
        "traders": traders,
    }  # fmt: skip


def _trader(account: Account) -> dict[str, Any]:
    held = {"OTHER": account.elsewhere} if account.elsewhere else {}
    return {
        "strategy": {"kind": "metaorder", "schedule": [account.lots]},
        "assets": ["COIN"],
        "leverage": {"median": 50.0},
        "accounts": [{"wealth_usd": 1000.0 * account.wealth, "positions": held}],
        "seconds_between_turns": 0.0,
    }
