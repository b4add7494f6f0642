"""Margin calls, top-ups by hand and stop-losses: what happens before anybody is liquidated."""

from __future__ import annotations

from stresslab.core.columns import MARKET, N_MARGIN_CALLS, N_STOPS, N_TOPUPS, STOP
from stresslab.core.compiled import kernel
from stresslab.core.events import CROSS
from stresslab.core.exact import to_ticks
from stresslab.core.ledger import move_margin
from stresslab.core.random import uniform
from stresslab.margin.acceptance import free_wallet


@kernel
def send_margin_calls(
    accounts, house, journal, tables, marks, pools, called, topup_probability, topup_fraction,
    key, step,
):  # fmt: skip
    """Call every pool in ``pools`` that was not called before; isolated ones may be topped up.

    ``called`` (pools * N,) int8 remembers who was called; a pool that recovered may be called
    again. A trader answers with a probability of its own, from what its wallet has free.
    """
    n_accounts = accounts.position.shape[1]
    for code in pools:
        if called[code]:
            continue
        pool, n = code // n_accounts, code % n_accounts
        if pool == 0 and not _holds_cross(accounts, n):
            continue
        accounts.tally[N_MARGIN_CALLS, n] += 1
        if pool == 0 or uniform(key, accounts.id[n], step, pool) >= topup_probability[n]:
            continue
        amount = to_ticks(topup_fraction[n] * free_wallet(accounts, tables, marks, n), 1.0)
        if amount > 0:
            move_margin(accounts, house, journal, n, 0, pool, amount)
            accounts.tally[N_TOPUPS, n] += 1
    called[:] = 0
    for code in pools:
        called[code] = 1


@kernel
def _holds_cross(accounts, n):
    for a in range(accounts.position.shape[0]):
        if accounts.mode[a, n] == CROSS and accounts.position[a, n] != 0:
            return True
    return False


@kernel
def trigger_stops(accounts, marks, stop_ticks, orders):
    """Append a market order for every position whose stop the mark has reached.

    The order closes the whole position and enters the books with the next step's orders.
    """
    n_assets, n_accounts = accounts.position.shape
    for a in range(n_assets):
        for n in range(n_accounts):
            stop = stop_ticks[a, n]
            if stop == 0:
                continue
            held = accounts.position[a, n]
            if (held > 0 and marks[a] <= stop) or (held < 0 and marks[a] >= stop):
                _append_stop(orders, n, a, -held)
                accounts.tally[N_STOPS, n] += 1
                stop_ticks[a, n] = 0
            elif held == 0:
                stop_ticks[a, n] = 0


@kernel
def _append_stop(orders, n, asset, lots):
    row = orders.n[0]
    orders.n[0] = row + 1
    orders.trader[row] = n
    orders.asset[row] = asset
    orders.kind[row] = MARKET
    orders.lots[row] = lots
    orders.price[row] = 0
    orders.reduce_only[row] = 1
    orders.tag[row] = STOP
