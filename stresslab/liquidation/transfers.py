"""The postings by which fund, winners and everybody else pay a deficit, in compiled loops."""

from __future__ import annotations

from stresslab.core.compiled import kernel
from stresslab.core.exact import CEIL, mul_div
from stresslab.core.ledger import ADL, CLEARING, SHORTFALL, TRANSFER, pay_house
from stresslab.liquidation.payers import pool_of
from stresslab.margin.pools import pool_state, position_value
from stresslab.margin.posting import close_lots, retire_pool


@kernel
def pay_from_fund(accounts, house, journal, pools, assets, deficits, paid):
    """Let the funds of the charged assets cover deficits of pool codes, in order, to the last."""
    n_accounts = accounts.position.shape[1]
    for place in range(pools.size):
        pool, n = pools[place] // n_accounts, pools[place] % n_accounts
        fund = house.fund[assets[place]]
        paid[place] = min(deficits[place], max(0, house.cash[fund]))
        if paid[place] > 0:
            pay_house(accounts, house, journal, n, pool, fund, -paid[place], TRANSFER)
        if paid[place] == deficits[place]:
            retire_if_flat(accounts, house, journal, pool, n)


@kernel
def retire_if_flat(accounts, house, journal, pool, n):
    """Unlock an isolated position that is flat and owes nothing."""
    if pool > 0 and accounts.position[pool - 1, n] == 0:
        retire_pool(accounts, house, journal, n, pool - 1)


@kernel
def hand_over(accounts, house, journal, tables, marks, n, a, owed, queue, most, payers):
    """Transfer an open leg along the ``queue``, to each at most its lots; return what is left.

    The price is the mark moved against the winners by ``owed`` over the leg's lots, which is the
    leg's share of the pool's bankruptcy price. Whoever could not bear that is passed over.
    """
    side = 1 if accounts.position[a, n] > 0 else -1
    count = 0
    for place in range(queue.size):
        winner = queue[place]
        open_lots = abs(accounts.position[a, n])
        if open_lots == 0:
            break
        lots = min(open_lots, most[place])
        if lots == 0:
            continue
        loss = mul_div(owed, lots, open_lots, CEIL)
        pool = pool_of(accounts, a, winner)
        if loss > pool_state(accounts, tables, marks, pool, winner)[0]:
            continue
        cash = position_value(tables, marks, a, side * lots) + loss
        _pass_lots(accounts, house, journal, n, a, -side * lots, -cash)
        _pass_lots(accounts, house, journal, winner, a, side * lots, cash)
        payers.row[count] = winner
        payers.pool[count] = pool
        payers.lots[count] = side * lots
        payers.cash[count] = cash
        payers.paid[count] = loss
        owed -= loss
        count += 1
    return owed, count


@kernel
def _pass_lots(accounts, house, journal, n, a, lots, cash):
    close_lots(accounts, house, journal, n, a, lots, cash, ADL)
    journal.adl_lots[journal.slot[n], a] += lots
    if accounts.position[a, n] == 0:
        retire_pool(accounts, house, journal, n, a)


@kernel
def cut_profits(accounts, house, journal, pool, n, a, owed, queue, most, payers):
    """Seize profit in cash along the ``queue``, of each at most what it has; return the rest."""
    count = 0
    for place in range(queue.size):
        winner, taken = queue[place], min(owed, most[place])
        if taken <= 0:
            continue
        source = pool_of(accounts, a, winner)
        pay_over(accounts, house, journal, source, winner, pool, n, taken, ADL)
        accounts.profit_cut[a, winner] += taken
        payers.row[count] = winner
        payers.pool[count] = source
        payers.lots[count] = 0
        payers.cash[count] = taken
        payers.paid[count] = taken
        count += 1
        owed -= taken
    return owed, count


@kernel
def collect(accounts, house, journal, pool, n, payers, places, paid):
    """Let payers cover what a pool owes; with ``pool`` -1 what the venue has advanced."""
    for k in range(places.size):
        row, source = payers.row[places[k]], payers.pool[places[k]]
        if paid[k] > 0 and pool < 0:
            pay_house(accounts, house, journal, row, source, SHORTFALL, paid[k], TRANSFER)
        elif paid[k] > 0:
            pay_over(accounts, house, journal, source, row, pool, n, paid[k], TRANSFER)


@kernel
def pay_over(accounts, house, journal, source, payer, pool, n, amount, reason):
    """Move money from a pool of one account to a pool of another that owes it."""
    pay_house(accounts, house, journal, payer, source, CLEARING, amount, reason)
    pay_house(accounts, house, journal, n, pool, CLEARING, -amount, TRANSFER)


@kernel
def advance(accounts, house, journal, pool, n, amount):
    """Let the venue itself cover a deficit; it is short of that until accounts withdraw."""
    pay_house(accounts, house, journal, n, pool, SHORTFALL, -amount, TRANSFER)
