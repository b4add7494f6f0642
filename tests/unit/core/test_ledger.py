"""The ledger: what one place gives another gets, and nothing else can happen unnoticed."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from stresslab.core.columns import make_accounts
from stresslab.core.errors import InvariantError
from stresslab.core.events import ISOLATED
from stresslab.core.ledger import (
    ADL,
    BRIDGE,
    CLEARING,
    FEE,
    FEES,
    FIRST_OWN_FUND,
    FUNDING,
    HOUSE_ACCOUNTS,
    INSURANCE_FUND,
    N_REASONS,
    OWN_EXECUTION,
    TRANSFER,
    Conservation,
    change_position,
    clear_journal,
    conserved_sums,
    fund_total,
    give_own_fund,
    make_house,
    make_journal,
    move_house,
    move_margin,
    pay_house,
)

N, A = 4, 2


@pytest.fixture
def books():
    """Four accounts with 100 each, long and short 5 lots of asset 1."""
    accounts, house, journal = make_accounts(N, A), make_house(A), make_journal(N, A)
    accounts.cash[0] = 100
    accounts.position[1, 0], accounts.position[1, 2] = 5, -5
    return accounts, house, journal


def test_what_a_pool_pays_the_house_receives(books):
    accounts, house, journal = books
    pay_house(accounts, house, journal, 1, 0, FEES, 7, FEE)
    pay_house(accounts, house, journal, 1, 0, INSURANCE_FUND, -3, FEE)
    assert accounts.cash[0].tolist() == [100, 96, 100, 100]
    assert (house.cash[FEES], house.cash[INSURANCE_FUND]) == (7, -3)
    assert house.postings.tolist() == [2]


def test_margin_moves_between_pools_of_one_account(books):
    accounts, house, journal = books
    move_margin(accounts, house, journal, 2, 0, 1 + 1, 40)
    assert accounts.cash[:, 2].tolist() == [60, 0, 40]
    assert accounts.wallet[2] == 60 and accounts.silo[1, 2] == 40
    assert house.postings.tolist() == [1]


def test_house_accounts_pay_each_other(books):
    _, house, _ = books
    move_house(house, INSURANCE_FUND, FEES, 9)
    assert (house.cash[INSURANCE_FUND], house.cash[FEES]) == (-9, 9)
    assert house.postings.tolist() == [1]


def test_the_first_touch_copies_and_later_ones_only_add_up(books):
    accounts, house, journal = books
    accounts.mode[1, 2] = ISOLATED
    pay_house(accounts, house, journal, 2, 0, FEES, 10, FEE)
    accounts.mode[1, 2] = 0
    change_position(accounts, journal, 2, 1, 5)
    pay_house(accounts, house, journal, 2, 0, FEES, 1, FEE)
    pay_house(accounts, house, journal, 2, 2, CLEARING, 4, FUNDING)
    move_margin(accounts, house, journal, 2, 0, 2, 20)

    slot = journal.slot[2]
    assert journal.count[0] == 1 and journal.account[slot] == 2
    assert journal.cash[slot].tolist() == [100, 0, 0]
    assert journal.position[slot].tolist() == [0, -5]
    assert journal.mode[slot].tolist() == [0, ISOLATED]
    amounts = journal.amount[slot]
    assert amounts[0, FEE] == -11 and amounts[2, FUNDING] == -4
    assert amounts[0, TRANSFER] == -20 and amounts[2, TRANSFER] == 20
    assert amounts.sum() == -15
    assert journal.slot[0] == journal.slot[1] == -1, "nobody else was touched"


def test_every_account_touched_keeps_a_slot_of_its_own(books):
    accounts, house, journal = books
    for n, paid in ((2, 10), (0, 5), (2, 1), (0, 2)):
        pay_house(accounts, house, journal, n, 0, FEES, paid, FEE)
    move_margin(accounts, house, journal, 0, 0, 1, 3)
    assert journal.count.tolist() == [2]
    assert journal.slot.tolist() == [1, -1, 0, -1]
    assert journal.amount[:2, 0, FEE].tolist() == [-11, -7]
    assert journal.amount[:2, :, TRANSFER].tolist() == [[0, 0, 0], [-3, 3, 0]]
    assert not journal.amount[2:].any()
    assert house.postings.tolist() == [5]


def test_lots_that_change_without_money_are_journalled_too(books):
    accounts, _, journal = books
    change_position(accounts, journal, 2, 1, 4)
    assert accounts.position[1].tolist() == [5, 0, -1, 0]
    assert journal.count.tolist() == [1] and journal.position[journal.slot[2]].tolist() == [0, -5]


def test_a_journal_has_a_place_for_every_pool_and_reason():
    journal = make_journal(N, A)
    assert {OWN_EXECUTION, FEE, FUNDING, TRANSFER, ADL, BRIDGE} == set(range(N_REASONS))
    assert journal.amount.shape == (N, 1 + A, N_REASONS)
    assert journal.cash.shape == (N, 1 + A)
    assert journal.position.shape == journal.mode.shape == journal.adl_lots.shape == (N, A)
    assert journal.slot.tolist() == [-1] * N and journal.count.tolist() == [0]


def test_a_market_s_own_fund_stands_beside_the_common_one():
    house = make_house(A)
    assert house.cash.size == len(HOUSE_ACCOUNTS) + A and house.postings.tolist() == [0]
    assert house.fund.tolist() == [INSURANCE_FUND] * A
    give_own_fund(house, 1, 30)
    house.cash[INSURANCE_FUND] = 7
    assert house.fund.tolist() == [INSURANCE_FUND, FIRST_OWN_FUND + 1]
    assert house.cash[FIRST_OWN_FUND:].tolist() == [0, 30]
    assert fund_total(house) == 37


def test_a_judged_journal_forgets_and_copies_anew(books):
    accounts, house, journal = books
    pay_house(accounts, house, journal, 2, 0, FEES, 10, FEE)
    journal.adl_lots[0] = 3
    clear_journal(journal)
    assert journal.count[0] == 0 and journal.slot.tolist() == [-1] * N

    pay_house(accounts, house, journal, 0, 0, FEES, 1, FEE)
    pay_house(accounts, house, journal, 2, 0, FEES, 1, FEE)
    assert journal.account[:2].tolist() == [0, 2]
    assert journal.cash[:2, 0].tolist() == [100, 90]
    assert journal.amount[:2, 0, FEE].tolist() == [-1, -1]
    assert not journal.adl_lots[:2].any()


def test_sums_count_every_pool_house_account_and_lot(books):
    accounts, house, _ = books
    accounts.silo[0, 1], house.cash[FEES], house.position[0] = 11, 5, 4
    money, lots = conserved_sums(accounts, house)
    assert money == 400 + 11 + 5
    assert lots.tolist() == [4, 0]


def test_one_unit_more_anywhere_stops_the_run(books):
    accounts, house, _ = books
    conservation = Conservation(accounts, house)
    conservation.check(accounts, house, 17, "match")

    for place, off in ((accounts.wallet[1:], 1), (accounts.silo[1], -1), (house.cash, 1)):
        place[0] += off
        with pytest.raises(InvariantError) as caught:
            conservation.check(accounts, house, 17, "match")
        place[0] -= off
        assert str(caught.value) == (
            f"step 17, match: money is {400 + off} micro-USD, {off:+d} off the initial 400"
        )


def test_one_lot_less_stops_the_run_and_names_the_asset(books):
    accounts, house, _ = books
    conservation = Conservation(accounts, house)
    accounts.position[1, 2] -= 1
    with pytest.raises(InvariantError, match=r"step 3, settle: asset 1 has -1 lots in sum, -1 off"):
        conservation.check(accounts, house, 3, "settle")


def test_money_left_in_clearing_stops_the_run(books):
    accounts, house, journal = books
    conservation = Conservation(accounts, house)
    pay_house(accounts, house, journal, 0, 0, CLEARING, 12, FEE)
    with pytest.raises(InvariantError, match=r"step 8, fund: the clearing account holds 12 micro"):
        conservation.check(accounts, house, 8, "fund")


@njit
def _post(accounts, house, journal, kind, row, source, target, amount):
    for k in range(kind.size):
        if kind[k] == 0:
            pay_house(accounts, house, journal, row[k], source[k], target[k], amount[k], FEE)
        elif kind[k] == 1:
            move_margin(accounts, house, journal, row[k], source[k], target[k], amount[k])
        else:
            move_house(house, source[k], target[k], amount[k])


@pytest.mark.slow
def test_ten_million_postings_agree_with_python_integers():
    """Batches of a million; the same postings on a list of Python's own integers."""
    n_accounts, n_assets, n_house = 50, 4, FIRST_OWN_FUND
    accounts, house = make_accounts(n_accounts, n_assets), make_house(n_assets)
    journal = make_journal(n_accounts, n_assets)
    conservation = Conservation(accounts, house)
    n_pools = n_assets + 1
    first_of_house = n_accounts * n_pools
    balances = [0] * (first_of_house + n_house)
    rng = np.random.default_rng(7)
    for _ in range(10):
        size = 1_000_000
        kind, row = rng.integers(0, 3, size), rng.integers(0, n_accounts, size)
        source = rng.integers(0, n_pools, size)
        target = rng.integers(0, n_pools, size)
        amount = rng.integers(-(10**15), 10**15, size)
        _post(accounts, house, journal, kind, row, source, target, amount)
        gives = np.where(kind < 2, row * n_pools + source, first_of_house + source)
        gets = np.where(kind == 1, row * n_pools + target, first_of_house + target)
        postings = zip(gives.tolist(), gets.tolist(), amount.tolist(), strict=True)
        for give, get, paid in postings:
            balances[give] -= paid
            balances[get] += paid

    assert house.postings[0] == 10_000_000
    assert max(map(abs, balances)) > 2**53, "amounts that a float could not hold to the unit"
    assert accounts.cash.T.ravel().tolist() == balances[:first_of_house]
    assert house.cash[:n_house].tolist() == balances[first_of_house:]
    money, _ = conserved_sums(accounts, house)
    assert money == 0 == sum(balances)
    reasons = journal.amount.reshape(n_accounts, n_pools, N_REASONS)[journal.slot].sum(axis=2)
    assert reasons.tolist() == accounts.cash.T.tolist(), "the journal saw every posting"
    house.cash[CLEARING] = 0
    with pytest.raises(InvariantError, match="money is"):
        conservation.check(accounts, house, 1, "tampered")
