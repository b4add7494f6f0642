"""Funding payments, from the pool that holds the position; what rounding leaves is booked."""

from __future__ import annotations

from stresslab.core.columns import FUNDING_RECEIVED
from stresslab.core.compiled import kernel
from stresslab.core.events import ISOLATED
from stresslab.core.exact import CEIL, mul_div
from stresslab.core.ledger import CLEARING, EXTERNAL, FUNDING, ROUNDING, move_house, pay_house
from stresslab.margin.tiers import RATE_UNIT


@kernel
def pay_funding(accounts, house, journal, tables, index, rates):
    """Let longs pay ``position · index · rate`` to shorts; ``rates`` (A,) in 1e-9, signed.

    Each payment is rounded up against its payer or receiver; the residue goes to `rounding`.
    """
    n_assets, n_accounts = accounts.position.shape
    for a in range(n_assets):
        if tables.is_spot[a] or rates[a] == 0:
            continue
        price = index[a] * tables.unit_value[a]
        collected = 0
        for n in range(n_accounts):
            lots = accounts.position[a, n]
            if lots == 0:
                continue
            due = mul_div(lots * price, rates[a], RATE_UNIT, CEIL)
            pool = 1 + a if accounts.mode[a, n] == ISOLATED else 0
            pay_house(accounts, house, journal, n, pool, CLEARING, due, FUNDING)
            accounts.tally[FUNDING_RECEIVED, n] -= due
            collected += due
        due = mul_div(house.position[a] * price, rates[a], RATE_UNIT, CEIL)
        move_house(house, EXTERNAL, CLEARING, due)
        move_house(house, CLEARING, ROUNDING, collected + due)
