"""An audit of a run from its event log alone: where all money and all lots are, step by step.

It knows nothing of the ledger: it adds up the rows of ``balances`` and compares them with what the
other tables say was brought in, paid, seized and held.
"""

from __future__ import annotations

import itertools
from collections import Counter
from typing import NamedTuple

import numpy as np

from stresslab.results.frames import Tables

MICRO = 1_000_000
HOUSE = ("insurance_fund", "fees", "external", "rounding", "clearing", "shortfall")


class Sheet(NamedTuple):
    """The balance sheet of every stage, micro-USD; arrays of shape ``(n_stages,)``."""

    step: np.ndarray
    accounts: np.ndarray  # equity of pools that have any, at the mark
    unsettled: np.ndarray  # what pools owe whose equity is negative, at most 0
    house: dict[str, np.ndarray]  # by HOUSE
    revaluation: np.ndarray  # gain of the spot held since it was valued for the initial collateral
    initial: int  # wealth of all accounts and the insurance fund before the first step
    net_lots: np.ndarray  # (n_stages, n_assets) lots of everybody and external in sum

    @property
    def surplus(self) -> np.ndarray:
        """Return what there is more than the initial collateral, shape ``(n_stages,)``."""
        total: np.ndarray = self.accounts + self.unsettled + sum(self.house.values())
        return total - self.revaluation - self.initial


def balance_sheet(tables: Tables, insurance_fund_usd: float) -> Sheet:
    """Return the balance sheets of a run whose scenario records balances."""
    rows, path = tables["balances"], tables["path"]
    assets, unit = tables["assets"], tables["assets"]["unit_value_micro_usd"]
    first = assets["initial_price_ticks"]
    marks = {0: first} | {step: path["mark_ticks"][path["step"] == step]
                          for step in np.unique(path["step"]).tolist()}  # fmt: skip
    stages = _stages(rows)
    n = len(stages)
    sheet = Sheet(
        step=np.array([rows["step"][part.start] for part in stages]),
        accounts=np.zeros(n, np.int64), unsettled=np.zeros(n, np.int64),
        house={name: np.zeros(n, np.int64) for name in HOUSE},
        revaluation=np.zeros(n, np.int64),
        initial=int(tables["accounts"]["wealth_micro_usd"].sum())
        + round(insurance_fund_usd * MICRO),
        net_lots=np.zeros((n, unit.size), np.int64),
    )  # fmt: skip
    is_spot = assets["kind"] == "spot"
    for place, part in enumerate(stages):
        mark = marks[int(rows["step"][part.start])]
        asset, lots = rows["asset"][part], rows["lots"][part]
        value = rows["cash_micro_usd"][part] + lots * np.where(asset >= 0, (mark * unit)[asset], 0)
        np.add.at(sheet.net_lots[place], asset[asset >= 0], lots[asset >= 0])
        holders = rows["holder"][part]
        for name in HOUSE:
            sheet.house[name][place] = value[holders == name].sum()
        equities = _pool_equities(rows, part, value, holders == "account")
        sheet.accounts[place] = equities[equities > 0].sum()
        sheet.unsettled[place] = equities[equities < 0].sum()
        gain = sheet.net_lots[place] * (mark - first) * unit
        sheet.revaluation[place] = gain[is_spot].sum()
    return sheet


def _stages(rows: dict[str, np.ndarray]) -> list[slice]:
    """Return the rows of each stage, in order: a stage ends where the next begins."""
    is_new = (rows["step"][1:] != rows["step"][:-1]) | (rows["stage"][1:] != rows["stage"][:-1])
    edges = [0, *(1 + np.flatnonzero(is_new)).tolist(), rows["step"].size]
    return [slice(a, b) for a, b in itertools.pairwise(edges)]


def _pool_equities(
    rows: dict[str, np.ndarray], part: slice, value: np.ndarray, is_account: np.ndarray
) -> np.ndarray:
    """Return the equity of every pool: an account's wallet with its cross legs, or a silo."""
    account = rows["account"][part][is_account]
    is_cross = rows["mode"][part][is_account] == "cross"
    pool = np.where(is_cross, -1, rows["asset"][part][is_account])
    _, which = np.unique(np.stack([account, pool]), axis=1, return_inverse=True)
    equities = np.zeros(which.max(initial=-1) + 1, np.int64)
    np.add.at(equities, which.ravel(), value[is_account])
    return equities


def fund_gap(tables: Tables) -> int:
    """Return the largest change of the funds in a step that penalties and deficits do not tell."""
    totals, forced, paid = tables["totals"], tables["forced_orders"], tables["waterfall"]
    change = np.diff(totals["insurance_fund_micro_usd"])
    told = _by_step(forced, "penalty_micro_usd") - _by_step(paid, "fund_micro_usd")
    return max(
        (abs(int(found) - told[step])
         for step, found in zip(totals["step"][1:].tolist(), change, strict=True)),
        default=0,
    )  # fmt: skip


class _Sums(Counter[int]):
    """Sums by step that may be negative."""

    def __sub__(self, other: Counter[int]) -> _Sums:
        found = _Sums(self)
        found.subtract(other)
        return found


def _by_step(rows: dict[str, np.ndarray], column: str) -> _Sums:
    sums = _Sums()
    for step, amount in zip(rows["step"].tolist(), rows[column].tolist(), strict=True):
        sums[step] += amount
    return sums


def payer_gap(tables: Tables) -> int:
    """Return the largest difference between a deficit's shares and what its payers gave."""
    largest = 0
    for table, column in (("adl", "adl_micro_usd"), ("socialised", "socialised_micro_usd")):
        owed, given = _by_deficit(tables["waterfall"], column), Counter[tuple[int, int]]()
        given.update(_by_deficit(tables[table], "loss_micro_usd"))
        keys = owed.keys() | given.keys()
        largest = max([largest, *(abs(owed[key] - given[key]) for key in keys if key[1] >= 0)])
    return largest


def _by_deficit(rows: dict[str, np.ndarray], column: str) -> Counter[tuple[int, int]]:
    sums: Counter[tuple[int, int]] = Counter()
    for step, liquidation, amount in zip(
        rows["step"].tolist(), rows["liquidation"].tolist(), rows[column].tolist(), strict=True
    ):
        sums[step, liquidation] += amount
    return sums
