"""Transfers between chains: who sends, how long it takes, what arrives, by draws and numbers."""

from __future__ import annotations

from math import ceil

import numpy as np
import pytest

from stresslab.core.columns import make_accounts
from stresslab.core.errors import InvariantError
from stresslab.core.ledger import CHAINS, EXTERNAL, make_house, make_journal
from stresslab.core.portable import exp
from stresslab.core.random import Streams, normals, uniforms
from stresslab.margin.chains.book import ChainBook
from stresslab.margin.chains.rules import Chain

N = 30
RULES = {
    "near": Chain(delay_seconds=5.0, haircut=0.5, in_flight_haircut=0.25, fee_rate=0.01),
    "far": Chain(
        delay_seconds=40.0, delay_sigma=1.0, congestion=0.1, haircut=1.0, in_flight_haircut=0.9,
        fee_usd=0.0001, failure_probability=0.3,
    ),
}  # fmt: skip


def book(reserves: np.ndarray, **rules: Chain) -> ChainBook:
    """Return the book of accounts with so much on each chain, in steps of 2 s."""
    accounts = make_accounts(reserves.shape[1], 1)
    accounts.id[:] = 100 + np.arange(reserves.shape[1])
    accounts.cash[0] = 10**6
    made = ChainBook(
        rules, accounts, make_house(1), make_journal(reserves.shape[1], 1), Streams(4, 2), 2.0
    )
    made.keep(reserves)
    made.check(0, "begin")
    return made


def test_transfers_take_the_time_of_their_draws_and_their_crowd():
    reserves = np.stack([np.arange(N) * 1000, np.full(N, 5000)])
    chains, streams = book(reserves, **RULES), Streams(4, 2)
    rows, ids = np.arange(0, N, 2), 100 + np.arange(0, N, 2)
    assert not chains.send(rows, 7)
    near = [t for t in chains.transfers if t.chain == 0]
    far = [t for t in chains.transfers if t.chain == 1]
    assert [t.id for t in chains.transfers] == list(range(len(near) + len(far)))
    assert [t.row for t in near] == rows[1:].tolist(), "the first has nothing there"
    assert all((t.due_step, t.sent_step, t.fails) == (7 + 3, 7, False) for t in near)
    assert [t.fee for t in near] == [10 * n for n in rows[1:].tolist()]
    assert [t.amount for t in near] == [990 * n for n in rows[1:].tolist()]
    z = normals(streams["transfer_time"], ids, 7, 1).tolist()
    fates = uniforms(streams["transfer_failure"], ids, 7, 1).tolist()
    crowd = 1.0 + 0.1 * rows.size
    assert [t.due_step for t in far] == [7 + ceil(40.0 * crowd * exp(x) / 2.0) for x in z]
    assert [t.fails for t in far] == [fate < 0.3 for fate in fates]
    assert 0 < sum(t.fails for t in far) < rows.size
    assert {(t.fee, t.amount) for t in far} == {(100, 4900)}
    more = np.arange(1, N, 2)
    chains.send(more, 8)
    later = [t for t in chains.transfers if t.chain == 1 and t.sent_step == 8]
    z = normals(streams["transfer_time"], 100 + more, 8, 1).tolist()
    crowd = 1.0 + 0.1 * (rows.size + more.size)
    assert [t.due_step for t in later] == [8 + ceil(40.0 * crowd * exp(x) / 2.0) for x in z]
    assert chains.house.cash[EXTERNAL] == sum(t.fee for t in chains.transfers)
    chains.check(8, "after")


def test_everything_lands_or_returns_and_money_is_where_the_rules_say():
    reserves = np.stack([np.full(N, 3000), np.full(N, 5000)])
    chains, c = book(reserves, **RULES), None
    chains.send(np.arange(N), 1)
    for step in range(2, 4000, 13):
        chains.arrive(step)
        chains.check(step, "arrived")
        c = chains.columns
        flying = [t for t in chains.transfers if t.outcome == "in_flight"]
        assert all(t.due_step > step for t in flying)
        assert c.in_flight.sum() == sum(t.amount for t in flying)
        counted = c.reserve[0] // 2 + c.in_flight[0] * 3 // 4 + c.in_flight[1] // 10
        assert c.advance.tolist() == counted.tolist()
    back = [t for t in chains.transfers if t.outcome == "failed"]
    assert 0 < len(back) < N and all(t.chain == 1 and t.fails for t in back)
    assert c.reserve[1].sum() == sum(t.amount for t in back) and not c.reserve[0].any()
    landed = [t for t in chains.transfers if t.outcome == "arrived"]
    money = np.full(N, 10**6 - 8000)
    for transfer in landed:
        money[transfer.row] += transfer.amount
    assert chains.accounts.cash[0].tolist() == money.tolist()
    assert chains.elsewhere().tolist() == c.reserve.sum(axis=0).tolist()


def test_at_once_is_in_the_same_step_and_counts_in_full_before():
    chains = book(np.array([[700, 0, 900]]), here=Chain(delay_seconds=0.0))
    assert chains.accounts.cash[0].tolist() == [10**6] * 3, "all of it is lent"
    assert chains.send(np.array([0, 1]), 3)
    assert chains.columns.reserve.tolist() == [[0, 0, 900]]
    assert chains.columns.advance.tolist() == [0, 0, 900]
    assert [t.outcome for t in chains.transfers] == ["arrived"]
    assert not chains.send(np.array([0, 1]), 4), "nothing is left to send"


def test_a_fee_takes_what_is_there_and_a_rest_of_nothing_is_not_sent():
    chains = book(np.array([[99, 100, 101]]), far=Chain(delay_seconds=9.0, fee_usd=0.0001))
    chains.send(np.arange(3), 1)
    assert [(t.row, t.amount, t.fee, t.id) for t in chains.transfers] == [(2, 1, 100, 0)]
    assert chains.columns.reserve.tolist() == [[0, 0, 0]]
    assert chains.house.cash[EXTERNAL] == 299
    chains.check(1, "sent")


def test_seizing_stops_the_flights_of_one_account_on_chains_that_count():
    rules = {"near": RULES["near"], "far": Chain(delay_seconds=9.0)}
    chains = book(np.array([[1000, 1000], [400, 400]]), **rules)
    chains.send(np.arange(2), 1)
    chains.columns.reserve[0, 0] += 50
    chains.house.cash[CHAINS] += 50
    chains.accounts.cash[0, 0] -= 50
    chains.seize(0)
    assert [t.outcome for t in chains.transfers] == ["seized", "in_flight"] + ["in_flight"] * 2
    assert chains.columns.in_flight.tolist() == [[0, 990], [400, 400]]
    assert chains.columns.reserve.tolist() == [[0, 0], [0, 0]]
    assert chains.columns.advance.tolist() == [0, 990 * 3 // 4]
    assert chains.accounts.cash[0, 0] == 10**6 - 1400 - 50 + 990 + 50
    assert chains.late(np.array([0, 1])).tolist() == [400, 990 - 742 + 400]


def test_books_that_differ_by_a_micro_usd_stop_the_run():
    chains = book(np.array([[1000, 1000]]), near=RULES["near"])
    chains.send(np.array([1]), 1)
    chains.columns.in_flight[0, 1] += 1
    chains.house.cash[CHAINS] += 1
    with pytest.raises(InvariantError, match="transfers carry 990 micro-USD, accounts have 991"):
        chains.check(1, "sent")
    chains.house.cash[CHAINS] -= 1
    with pytest.raises(InvariantError, match="step 1, sent: accounts own"):
        chains.check(1, "sent")
