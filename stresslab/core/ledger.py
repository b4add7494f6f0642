"""Exact double-entry money and positions: the only code that writes cash or lots.

A *pool* of account row ``n`` is a number: 0 is the wallet (cross pool), ``1 + a`` the silo of asset
``a``. The venue's own accounts and ``external``, the counterparty of every fill that no trader
takes, live in :class:`House`. Every posting takes from one place what it gives to another, so money
and contracts are conserved by construction; :func:`check_conservation` proves it all the same.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stresslab.core.columns import Accounts
from stresslab.core.compiled import kernel, merged
from stresslab.core.errors import InvariantError

EXTERNAL, INSURANCE_FUND, FEES, ROUNDING, CLEARING, SHORTFALL, CHAINS = range(7)
HOUSE_ACCOUNTS = (
    "external", "insurance_fund", "fees", "rounding", "clearing", "shortfall", "chains",
)  # fmt: skip
#: Place of the insurance fund that asset 0 has for itself; the other assets' follow.
FIRST_OWN_FUND = len(HOUSE_ACCOUNTS)

#: Why money moved; reasons of the journal that explains a breach.
OWN_EXECUTION, FEE, FUNDING, TRANSFER, ADL, BRIDGE = range(6)
N_REASONS = 6


class House(NamedTuple):
    """Accounts that belong to no trader."""

    cash: np.ndarray  # (7 + A,) micro-USD, by HOUSE_ACCOUNTS, then the funds of single markets
    position: np.ndarray  # (A,) lots held by external
    fund: np.ndarray  # (A,) place in ``cash`` of the insurance fund that stands for a market
    postings: np.ndarray  # (1,) postings so far


class Journal(NamedTuple):
    """State of every account touched since the last judgement, as it was at that judgement.

    The first posting to an account copies its columns; the journal also sums later postings by
    reason. Slots are given out in order of first touch; ``count[0]`` are in use.
    """

    count: np.ndarray  # (1,)
    slot: np.ndarray  # (N,) slot of the account, -1 when untouched
    account: np.ndarray  # (N,) row in each slot
    cash: np.ndarray  # (N, A + 1) by slot
    position: np.ndarray  # (N, A) by slot
    mode: np.ndarray  # (N, A) int8 by slot
    amount: np.ndarray  # (N, A + 1, N_REASONS) money received since, by slot, pool and reason
    adl_lots: np.ndarray  # (N, A) lots received by auto-deleveraging since, by slot


def make_house(n_assets: int) -> House:
    """Return a house with empty accounts and one insurance fund for all markets."""
    return House(
        cash=np.zeros(FIRST_OWN_FUND + n_assets, np.int64),
        position=np.zeros(n_assets, np.int64),
        fund=np.full(n_assets, INSURANCE_FUND, np.int64),
        postings=np.zeros(1, np.int64),
    )


def give_own_fund(house: House, asset: int, amount: int) -> None:
    """Let a market have an insurance fund of its own, with a balance in micro-USD to begin with."""
    house.fund[asset] = FIRST_OWN_FUND + asset
    house.cash[FIRST_OWN_FUND + asset] = amount


def fund_total(house: House) -> int:
    """Return the balance of all insurance funds, micro-USD."""
    return int(house.cash[INSURANCE_FUND] + house.cash[FIRST_OWN_FUND:].sum())


def make_journal(n_accounts: int, n_assets: int) -> Journal:
    """Return an empty journal."""
    return Journal(
        count=np.zeros(1, np.int64),
        slot=np.full(n_accounts, -1, np.int64),
        account=np.zeros(n_accounts, np.int64),
        cash=np.zeros((n_accounts, n_assets + 1), np.int64),
        position=np.zeros((n_accounts, n_assets), np.int64),
        mode=np.zeros((n_accounts, n_assets), np.int8),
        amount=np.zeros((n_accounts, n_assets + 1, N_REASONS), np.int64),
        adl_lots=np.zeros((n_accounts, n_assets), np.int64),
    )


@kernel
def clear_journal(journal):
    """Forget everything: a judgement has just been made."""
    for slot in range(journal.count[0]):
        journal.slot[journal.account[slot]] = -1
    journal.count[0] = 0


@kernel
def touch(accounts, journal, n):
    """Copy the account's columns into the journal unless that was done; return its slot."""
    slot = journal.slot[n]
    if slot >= 0:
        return slot
    slot = journal.count[0]
    journal.count[0] = slot + 1
    journal.slot[n] = slot
    journal.account[slot] = n
    journal.cash[slot, 0] = accounts.cash[0, n]
    for a in range(accounts.position.shape[0]):
        journal.cash[slot, 1 + a] = accounts.cash[1 + a, n]
        journal.position[slot, a] = accounts.position[a, n]
        journal.mode[slot, a] = accounts.mode[a, n]
        journal.adl_lots[slot, a] = 0
    journal.amount[slot] = 0
    return slot


@merged
def pay_house(accounts, house, journal, n, pool, place, amount, reason):
    """Move money from a pool to a house account; a negative amount moves it back."""
    slot = touch(accounts, journal, n)
    journal.amount[slot, pool, reason] -= amount
    accounts.cash[pool, n] -= amount
    house.cash[place] += amount
    house.postings[0] += 1


@merged
def move_margin(accounts, house, journal, n, source, target, amount):
    """Move money between two pools of one account."""
    slot = touch(accounts, journal, n)
    journal.amount[slot, source, TRANSFER] -= amount
    journal.amount[slot, target, TRANSFER] += amount
    accounts.cash[source, n] -= amount
    accounts.cash[target, n] += amount
    house.postings[0] += 1


@kernel
def move_house(house, source, target, amount):
    """Move money between two house accounts."""
    house.cash[source] -= amount
    house.cash[target] += amount
    house.postings[0] += 1


@merged
def change_position(accounts, journal, n, asset, lots):
    """Add signed lots to a position; the caller books the opposite lots in the same breath."""
    touch(accounts, journal, n)
    accounts.position[asset, n] += lots


@kernel
def _sum_up(cash, position, house_cash, house_position, lots):
    """Return total money and write, by asset, total lots; both are constant for ever."""
    money = 0
    for place in range(house_cash.size):
        money += house_cash[place]
    for pool in range(cash.shape[0]):
        row = cash[pool]
        for n in range(row.size):
            money += row[n]
    for a in range(lots.size):
        row = position[a]
        total = house_position[a]
        for n in range(row.size):
            total += row[n]
        lots[a] = total
    return money


def conserved_sums(accounts: Accounts, house: House) -> tuple[int, np.ndarray]:
    """Return the total of all money and, by asset, of all lots; both are constant for ever."""
    lots = np.empty(accounts.position.shape[0], np.int64)
    money = _sum_up(accounts.cash, accounts.position, house.cash, house.position, lots)
    return int(money), lots


class Conservation:
    """The two sums that never change, checked at every stage of every run.

    Raises
    ------
    InvariantError
        When money or the lots of a contract have appeared or vanished.
    """

    def __init__(self, accounts: Accounts, house: House) -> None:
        self._money, self._lots = conserved_sums(accounts, house)

    def check(self, accounts: Accounts, house: House, step: int, stage: str) -> None:
        """Compare both sums, and the empty clearing account, with their first values."""
        money, lots = conserved_sums(accounts, house)
        if house.cash[CLEARING] != 0:
            raise InvariantError(
                f"step {step}, {stage}: the clearing account holds {house.cash[CLEARING]} "
                "micro-USD; every fill must leave it at 0"
            )
        if money != self._money:
            raise InvariantError(
                f"step {step}, {stage}: money is {money} micro-USD, {money - self._money:+d} off "
                f"the initial {self._money}"
            )
        for asset in (lots != self._lots).nonzero()[0]:
            raise InvariantError(
                f"step {step}, {stage}: asset {asset} has {lots[asset]} lots in sum, "
                f"{lots[asset] - self._lots[asset]:+d} off the initial {self._lots[asset]}"
            )
