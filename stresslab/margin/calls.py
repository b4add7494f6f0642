"""Margin calls and what traders answer: what happens before anybody is liquidated."""

from __future__ import annotations

from stresslab.core.columns import N_MARGIN_CALLS, N_TOPUPS
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
