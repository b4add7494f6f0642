"""Reserves on other chains, to the micro-USD: what counts, what may be seized, what it leaves."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.core.columns import make_accounts
from stresslab.core.ledger import CHAINS, make_house, make_journal
from stresslab.core.random import Streams
from stresslab.margin.chains.book import ChainBook
from stresslab.margin.chains.rules import Chain


def book(reserve: int, **chain: float) -> ChainBook:
    """Return the chain book of two accounts; the first has a wallet of 1,000 and a reserve."""
    accounts = make_accounts(2, 1)
    accounts.id[:] = (0, 1)
    accounts.cash[0] = 1000
    rules = {"far": Chain(**{"delay_seconds": 5.0, **chain})}
    made = ChainBook(rules, accounts, make_house(1), make_journal(2, 1), Streams(1, 0), 1.0)
    made.keep(np.array([[reserve, 0]]))
    made.check(0, "begin")
    return made


def wallet(chains: ChainBook) -> int:
    return int(chains.accounts.cash[0, 0])


@pytest.mark.parametrize(("reserve", "counts"), [(1, 0), (2, 1), (3, 1), (4, 2)])
def test_what_counts_is_rounded_down_and_lent_to_the_last_micro_usd(reserve, counts):
    chains = book(reserve, haircut=0.5)
    assert chains.columns.advance.tolist() == [counts, 0]
    assert wallet(chains) == 1000 - reserve + counts
    assert chains.elsewhere().tolist() == [reserve - counts, 0]


@pytest.mark.parametrize(("haircut", "is_pledged"), [(1.0, False), (0.999999999, True), (0, True)])
def test_the_venue_seizes_what_counts_in_part_and_nothing_else(haircut, is_pledged):
    """A weight of one billionth is enough; of 400 it counts nothing, and yet all may be taken."""
    chains = book(400, haircut=haircut)
    chains.seize(0)
    assert chains.columns.reserve[0, 0] == (0 if is_pledged else 400)
    assert wallet(chains) == (1000 if is_pledged else 600)
    assert chains.columns.advance[0] == 0
    chains.check(1, "seize")


@pytest.mark.parametrize(("haircut", "is_pledged"), [(1.0, False), (0.999999999, True)])
def test_the_same_holds_for_what_is_in_flight(haircut, is_pledged):
    chains = book(400, haircut=1.0, in_flight_haircut=haircut)
    assert not chains.send(np.array([0, 1]), 1)
    assert chains.columns.in_flight.tolist() == [[400, 0]]
    chains.seize(0)
    assert [t.outcome for t in chains.transfers] == ["seized" if is_pledged else "in_flight"]
    assert chains.columns.in_flight[0, 0] == (0 if is_pledged else 400)
    assert wallet(chains) == (1000 if is_pledged else 600)
    chains.check(1, "seize")
    chains.arrive(6)
    assert wallet(chains) == 1000
    assert chains.house.cash[CHAINS] == 0


def test_a_reserve_is_sent_once_a_step_and_lands_when_it_is_due():
    chains = book(400)
    chains.send(np.array([0]), 1)
    chains.columns.reserve[0, 0] += 50  # as if a flight had failed in this very step
    chains.send(np.array([0]), 1)
    assert len(chains.transfers) == 1
    assert (chains.transfers[0].sent_step, chains.transfers[0].due_step) == (1, 6)
    chains.arrive(5)
    assert wallet(chains) == 600 and chains.transfers[0].outcome == "in_flight"
    chains.arrive(6)
    assert wallet(chains) == 1000 and chains.transfers[0].outcome == "arrived"


def test_a_fee_is_a_whole_amount_and_a_share_rounded_up():
    """0.1 % of 401 is one micro-USD when rounded up; 2 more are the fee of any transfer."""
    chains = book(401, fee_usd=2e-6, fee_rate=0.001)
    chains.send(np.array([0]), 1)
    assert (chains.transfers[0].fee, chains.transfers[0].amount) == (3, 398)
    assert chains.elsewhere().tolist() == [398, 0]
    chains.check(1, "send")


def test_late_is_what_does_not_count_yet():
    chains = book(401, haircut=0.9, in_flight_haircut=0.5)
    assert chains.late(np.array([0, 1])).tolist() == [0, 0]
    chains.send(np.array([0]), 1)
    assert chains.late(np.array([0, 1])).tolist() == [201, 0]
