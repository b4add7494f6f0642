"""Value on other chains: reserves, transfers to the venue, and what of it counts as collateral.

What counts is an *advance*: money in the wallet that the venue lends against value elsewhere. So a
pool's cash holds what counts, every rule that asks a pool asks for it too, and each change is a
posting with a reason of its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from stresslab.core.columns import Accounts
from stresslab.core.compiled import kernel
from stresslab.core.errors import InvariantError
from stresslab.core.events import EventLog
from stresslab.core.exact import FLOOR, mul_div
from stresslab.core.ledger import BRIDGE, CHAINS, EXTERNAL, House, Journal, move_house, pay_house
from stresslab.core.portable import exp
from stresslab.core.random import Streams, normals, uniforms
from stresslab.margin.chains.rules import Chain
from stresslab.margin.tiers import RATE_UNIT, rate_units

MICRO = 1_000_000


class Elsewhere(NamedTuple):
    """What accounts have on other chains, micro-USD, and the part of it that counts."""

    reserve: np.ndarray  # (C, N)
    in_flight: np.ndarray  # (C, N)
    advance: np.ndarray  # (N,) what counts of both, lent to the wallet
    reserve_weight: np.ndarray  # (C,) part that counts, 1e-9
    flight_weight: np.ndarray  # (C,)


@dataclass
class Transfer:
    """Value on its way from a chain to the venue."""

    id: int
    row: int
    chain: int
    amount: int
    fee: int
    sent_step: int
    due_step: int
    fails: bool
    outcome: str = "in_flight"


@dataclass
class ChainBook:
    """Keeps reserves and transfers; a called account sends all it has elsewhere.

    The time of a transfer and its failure are drawn by account, step and chain, so a longer median
    delay delays every transfer and changes nothing else.
    """

    rules: Mapping[str, Chain]
    accounts: Accounts
    house: House
    journal: Journal
    streams: Streams
    step_seconds: float
    transfers: list[Transfer] = field(default_factory=list)
    _live: list[Transfer] = field(default_factory=list)

    def __post_init__(self) -> None:
        n_chains, n_accounts = len(self.rules), self.accounts.id.size
        chains = self.rules.values()
        self.columns = Elsewhere(
            reserve=np.zeros((n_chains, n_accounts), np.int64),
            in_flight=np.zeros((n_chains, n_accounts), np.int64),
            advance=np.zeros(n_accounts, np.int64),
            reserve_weight=np.array([_weight(c, c.haircut) for c in chains], np.int64),
            flight_weight=np.array([_weight(c, c.in_flight_haircut) for c in chains], np.int64),
        )
        self._last_sent = np.full((n_chains, n_accounts), np.iinfo(np.int64).min)

    def keep(self, reserves: np.ndarray) -> None:
        """Take reserves (C, N) out of the wallets before the first step."""
        self.columns.reserve[:] += reserves
        rows = np.flatnonzero(reserves.any(axis=0))
        self._credit(rows, -reserves[:, rows].sum(axis=0))
        self._revalue(rows)

    def elsewhere(self) -> np.ndarray:
        """Return what each account owns beyond its pools, (N,): reserves, flights, less advance."""
        c = self.columns
        return np.asarray(c.reserve.sum(axis=0) + c.in_flight.sum(axis=0) - c.advance)

    def late(self, rows: np.ndarray) -> np.ndarray:
        """Return what accounts have in flight that does not count yet, micro-USD."""
        counted = np.zeros(rows.size, np.int64)
        _count_flights(self.columns, rows, counted)
        return np.asarray(self.columns.in_flight[:, rows].sum(axis=0) - counted)

    def arrive(self, step: int) -> None:
        """Credit the transfers that are due; those that fail return to the reserve."""
        due = [transfer for transfer in self._live if transfer.due_step <= step]
        if due:
            self._live = [transfer for transfer in self._live if transfer.due_step > step]
            self._land(due)

    def send(self, rows: np.ndarray, step: int) -> bool:
        """Let accounts send all they keep elsewhere; tell whether anything came over at once."""
        started: list[Transfer] = []
        for place, chain in enumerate(self.rules.values()):
            able = rows[self.columns.reserve[place, rows] > 0]
            able = able[self._last_sent[place, able] != step]
            started += self._start(place, chain, able, step)
        self._revalue(np.unique([transfer.row for transfer in started]).astype(np.int64))
        at_once = [transfer for transfer in started if transfer.due_step == step]
        self._live += [transfer for transfer in started if transfer.due_step > step]
        self._land(at_once)
        return bool(at_once)

    def seize(self, row: int) -> None:
        """Take over what an account in deficit has pledged: all that counts, in part or in full."""
        c = self.columns
        for place in range(len(self.rules)):
            taken = 0
            if c.reserve_weight[place] > 0:
                taken += int(c.reserve[place, row])
                c.reserve[place, row] = 0
            if c.flight_weight[place] > 0:
                taken += self._stop_flights(place, row)
            self._credit(np.array([row]), np.array([taken]))
        self._revalue(np.array([row]))

    def check(self, step: int, stage: str) -> None:
        """Compare the accounts' own columns with the ledger's one balance of all chains.

        Raises
        ------
        InvariantError
            When they differ, or when what is in flight is not what transfers carry.
        """
        c = self.columns
        held, booked = int(self.elsewhere().sum()), int(self.house.cash[CHAINS])
        if held != booked:
            raise InvariantError(
                f"step {step}, {stage}: accounts own {held} micro-USD on other chains less "
                f"advances, the ledger has {booked}"
            )
        carried = sum(transfer.amount for transfer in self._live)
        if carried != int(c.in_flight.sum()):
            raise InvariantError(
                f"step {step}, {stage}: transfers carry {carried} micro-USD, accounts have "
                f"{int(c.in_flight.sum())} in flight"
            )

    def finish(self, log: EventLog) -> None:
        """Write all transfers into the event log."""
        names = list(self.rules)
        for transfer in self.transfers:
            log.append(
                "chain_transfers",
                transfer=transfer.id,
                account=int(self.accounts.id[transfer.row]),
                chain=names[transfer.chain],
                sent_step=transfer.sent_step,
                due_step=transfer.due_step,
                amount_micro_usd=transfer.amount,
                fee_micro_usd=transfer.fee,
                outcome=transfer.outcome,
            )

    def _start(self, place: int, chain: Chain, rows: np.ndarray, step: int) -> list[Transfer]:
        """Begin one transfer an account from a chain; the advance is set by the caller."""
        if rows.size == 0:
            return []
        self._last_sent[place, rows] = step
        ids = self.accounts.id[rows]
        luck = normals(self.streams["transfer_time"], ids, step, place).tolist()
        fates = uniforms(self.streams["transfer_failure"], ids, step, place).tolist()
        n_before = sum(transfer.chain == place for transfer in self._live)
        crowd = 1.0 + chain.congestion * (n_before + rows.size)
        started = []
        for row, z, fate in zip(rows.tolist(), luck, fates, strict=True):
            fee = self._pay_fee(place, chain, row)
            amount = int(self.columns.reserve[place, row])
            if amount == 0:
                continue
            self.columns.reserve[place, row] = 0
            self.columns.in_flight[place, row] += amount
            delay = chain.delay_seconds * crowd * exp(chain.delay_sigma * z)
            due = step + math.ceil(delay / self.step_seconds)
            fails = fate < chain.failure_probability
            number = len(self.transfers) + len(started)
            started.append(Transfer(number, row, place, amount, fee, step, due, fails))
        self.transfers += started
        return started

    def _pay_fee(self, place: int, chain: Chain, row: int) -> int:
        """Pay the fee of sending a whole reserve out of it; return it, micro-USD."""
        held = int(self.columns.reserve[place, row])
        share = -(-held * rate_units(chain.fee_rate) // RATE_UNIT)
        fee = min(held, round(chain.fee_usd * MICRO) + share)
        self.columns.reserve[place, row] -= fee
        move_house(self.house, CHAINS, EXTERNAL, fee)
        return fee

    def _land(self, transfers: list[Transfer]) -> None:
        """End flights: into the wallet, or back into the reserve."""
        if not transfers:
            return
        c = self.columns
        for transfer in transfers:
            c.in_flight[transfer.chain, transfer.row] -= transfer.amount
            transfer.outcome = "failed" if transfer.fails else "arrived"
            if transfer.fails:
                c.reserve[transfer.chain, transfer.row] += transfer.amount
        landed = [transfer for transfer in transfers if not transfer.fails]
        rows = np.array([transfer.row for transfer in landed], np.int64)
        self._credit(rows, np.array([transfer.amount for transfer in landed], np.int64))
        self._revalue(np.unique([transfer.row for transfer in transfers]).astype(np.int64))

    def _stop_flights(self, place: int, row: int) -> int:
        """Take an account's transfers on a chain out of flight; return what they carried."""
        caught = [t for t in self._live if t.chain == place and t.row == row]
        for transfer in caught:
            transfer.outcome = "seized"
            self._live.remove(transfer)
        amount = sum(transfer.amount for transfer in caught)
        self.columns.in_flight[place, row] -= amount
        return amount

    def _credit(self, rows: np.ndarray, amounts: np.ndarray) -> None:
        _credit(self.accounts, self.house, self.journal, rows, amounts)

    def _revalue(self, rows: np.ndarray) -> None:
        _revalue(self.accounts, self.house, self.journal, self.columns, rows)


def _weight(chain: Chain, haircut: float) -> int:
    return RATE_UNIT if chain.is_at_hand else RATE_UNIT - rate_units(haircut)


@kernel
def _credit(accounts, house, journal, rows, amounts):
    """Move money from the chains into wallets."""
    for place in range(rows.size):
        pay_house(accounts, house, journal, rows[place], 0, CHAINS, -amounts[place], BRIDGE)


@kernel
def _revalue(accounts, house, journal, columns, rows):
    """Set the advances of accounts to what counts of their reserves and flights now."""
    for n in rows:
        counted = 0
        for c in range(columns.reserve.shape[0]):
            counted += mul_div(columns.reserve[c, n], columns.reserve_weight[c], RATE_UNIT, FLOOR)
            counted += mul_div(columns.in_flight[c, n], columns.flight_weight[c], RATE_UNIT, FLOOR)
        change = counted - columns.advance[n]
        if change != 0:
            columns.advance[n] = counted
            pay_house(accounts, house, journal, n, 0, CHAINS, -change, BRIDGE)


@kernel
def _count_flights(columns, rows, counted):
    for place in range(rows.size):
        for c in range(columns.reserve.shape[0]):
            held, weight = columns.in_flight[c, rows[place]], columns.flight_weight[c]
            counted[place] += mul_div(held, weight, RATE_UNIT, FLOOR)
