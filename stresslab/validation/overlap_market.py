"""Overlapping portfolios: accounts hold random assets, one of them is sold out, who follows?

Each account is long a Poisson number of perpetuals for equal amounts, and as much in total as any
other. In the one step of the run an account, drawn beforehand, sells all it has; the rest is the
liquidation engine's doing. Impact is exponential in the share of an asset that has been sold.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_array

from stresslab.market.impact.law import ONE_PERCENT
from stresslab.validation.simulated import event_log

PORTFOLIO = 27_720  # lots of 1 USD: whole lots for up to 12 assets
MAINTENANCE = 0.001
IMPACT = 1.0536  # selling a tenth of an asset lowers its price by a tenth
_MAX_LEVERAGE = 100.0
_TICK = 1e-6
_DEEP = 1e9


class Portfolios(NamedTuple):
    """Who holds what, and who sells first."""

    lots: csr_array  # (M, N) of each asset and account
    first: int  # the account that sells out

    @property
    def n_holders(self) -> int:
        """Accounts that hold anything."""
        return int(np.count_nonzero(self.in_accounts))

    @property
    def in_accounts(self) -> np.ndarray:
        """Lots of every account, (N,)."""
        return np.asarray(self.lots.sum(axis=0))

    @property
    def in_assets(self) -> np.ndarray:
        """Lots of every asset, (M,)."""
        return np.asarray(self.lots.sum(axis=1))


class Fallen(NamedTuple):
    """What came of one account's sale."""

    accounts: np.ndarray  # (N,) bool: with a liquidation, the first seller aside
    assets: np.ndarray  # (M,) bool: in which a liquidation sold


def draw(mean_assets: float, accounts: int, assets: int, rng: np.random.Generator) -> Portfolios:
    """Draw who holds what: each account each asset with the same chance."""
    n_held = rng.binomial(accounts * assets, mean_assets / assets)
    pairs = np.sort(rng.choice(accounts * assets, n_held, replace=False, shuffle=False))
    asset, account = np.divmod(pairs, accounts)
    number = np.bincount(account, minlength=accounts)
    lots = np.rint(PORTFOLIO / number[account]).astype(np.int64)
    first = int(rng.choice(np.flatnonzero(number)))
    # Rising pairs are the rows of the array already, which takes scipy longer to find.
    starts = np.searchsorted(asset, np.arange(assets + 1))
    return Portfolios(csr_array((lots, account, starts), shape=(assets, accounts)), first)


def tolerance(leverage: float) -> float:
    """Return the share of its portfolio that one asset may cost an account before it is in breach.

    Of a portfolio of 1 with equity 1/L a loss x leaves 1/L - x against m (1 - x).
    """
    return (1 / leverage - MAINTENANCE) / (1 - MAINTENANCE)


def by_hand(drawn: Portfolios, leverage: float, impact: float = IMPACT) -> np.ndarray:
    """Return who falls under cross margin, (N,) bool, by iterating prices and losses in floats."""
    owned, held = drawn.in_accounts, np.maximum(drawn.in_assets, 1)
    # Whole lots make portfolios a little unequal, and wealth is that of an exact one.
    limit = (PORTFOLIO / leverage - MAINTENANCE * owned) / (1 - MAINTENANCE)
    by_account = drawn.lots.T
    out = np.zeros(owned.size, bool)
    out[drawn.first] = True
    while True:
        sold = (drawn.lots @ out) / held
        lost = by_account @ -np.expm1(-impact * sold)
        new = out | ((lost > limit) & (owned > 0))
        if (new == out).all():
            out[drawn.first] = False
            return out
        out = new


def in_the_market(
    drawn: Portfolios, leverage: float, seed: int, *, cross: bool = True, impact: float = IMPACT
) -> Fallen:
    """Run the market and return whom and what liquidations reached."""
    holders = _holders(drawn)
    tables = event_log(scenario(drawn, leverage, cross=cross, impact=impact), seed)
    assets, accounts = (np.zeros(n, bool) for n in drawn.lots.shape)
    fallen = np.unique(tables["liquidations"]["account"])
    accounts[holders[fallen[fallen < holders.size]]] = True
    traded = np.flatnonzero(drawn.in_assets)
    assets[traded[np.unique(tables["forced_orders"]["asset"])]] = True
    return Fallen(accounts, assets)


def _holders(drawn: Portfolios) -> np.ndarray:
    """Return the accounts that hold anything, but for the first seller, in order."""
    is_holder = drawn.in_accounts > 0
    is_holder[drawn.first] = False
    return np.flatnonzero(is_holder)


def scenario(
    drawn: Portfolios, leverage: float, *, cross: bool = True, impact: float = IMPACT
) -> dict[str, Any]:
    """Return the market; assets that nobody holds are left out."""
    held, by_account = drawn.in_assets, drawn.lots.T.tocsr()
    names = {int(a): f"A{a}" for a in np.flatnonzero(held)}
    wealth = PORTFOLIO / leverage

    def account(row: int) -> dict[str, Any]:
        span = slice(by_account.indptr[row], by_account.indptr[row + 1])
        pairs = sorted(zip(by_account.indices[span].tolist(), by_account.data[span].tolist(),
                           strict=True))  # fmt: skip
        return {"wealth_usd": wealth, "positions": {names[a]: lots for a, lots in pairs}}

    first = account(drawn.first)
    shorts = {name: -int(held[a]) for a, name in names.items()}
    depths = {name: float(held[a]) * ONE_PERCENT / impact for a, name in names.items()}
    closed = {"closure": {"kind": "whole"}, "penalty_rate": 0.0, "initial_margin_factor": 1.0}
    bracket = {"floor_usd": 0.0, "maintenance_rate": MAINTENANCE, "max_leverage": _MAX_LEVERAGE}
    mode = {"kind": "fixed_share", "cross_share": float(cross)}
    return {
        "step_seconds": 1.0,
        "duration_seconds": 1.0,
        "assets": {name: {"kind": "perpetual", "initial_price_usd": 1.0, "tick_size_usd": _TICK,
                          "lot_size": 1.0} for name in names.values()},
        "market": {
            "book": {"kind": "impact", "law": {"kind": "exponential", "depth_usd": 1.0,
                                               "depth_usd_by_asset": depths}},
            "mark": {"rule": "mid"},
            "fees": {"maker_rate": 0.0, "taker_rate": 0.0},
        },
        "margin": {"brackets": {name: [bracket] for name in names.values()}, "cross": closed,
                   "isolated": closed},
        "liquidation": {"rounds_per_step": 10_000, "insurance_fund_usd": 1e11, "adl": False},
        "traders": {
            "accounts": {"strategy": {"kind": "passive"}, "margin_mode": mode,
                         "accounts": [account(row) for row in _holders(drawn).tolist()]},
            "first": {"strategy": {"kind": "metaorder", "lots": -max(first["positions"].values())},
                      "assets": list(first["positions"]), "accounts": [first],
                      "seconds_between_turns": 0.0},
            "shorts": {"strategy": {"kind": "passive"},
                       "accounts": [{"wealth_usd": _DEEP, "positions": shorts}]},
        },
    }  # fmt: skip
