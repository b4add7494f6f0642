"""Takeover: the insurance fund bears what a position's closing fill makes against bankruptcy.

The pool is settled at its bankruptcy price, so a better fill is the fund's gain and a worse one its
loss. Equity is shared over the legs of a pool by maintenance margin (dYdX Chain, bankruptcy price
in quote quantums); a single leg stands for all of it (BitMEX, Bybit, KuCoin).
"""

from __future__ import annotations

from stresslab.core.columns import FEES_PAID, PENALTIES_PAID
from stresslab.core.compiled import kernel
from stresslab.core.exact import CEIL, FLOOR, mul_div
from stresslab.core.ledger import FEE, FEES, TRANSFER, pay_house
from stresslab.liquidation.closures.kernels.common import maintenance_of_legs
from stresslab.margin.pools import pool_state
from stresslab.margin.posting import retire_pool
from stresslab.margin.tiers import RATE_UNIT, maintenance_margin

NOT_TAKEN = -1  # in ``ForcedOrders.keep``: an order for the pool's own account


@kernel
def back_orders(accounts, tables, marks, orders):
    """Write, for orders taken over, the equity behind their lots at the marks, micro-USD."""
    n_accounts = accounts.position.shape[1]
    for row in range(orders.n[0]):
        if orders.keep[row] == NOT_TAKEN:
            continue
        n, a = orders.account[row], orders.asset[row]
        pool = orders.pool[row] // n_accounts
        equity, _, _ = pool_state(accounts, tables, marks, pool, n)
        maintenance = maintenance_of_legs(accounts, tables, marks, pool, n)
        held = abs(accounts.position[a, n])
        need = maintenance_margin(tables, a, held * marks[a] * tables.unit_value[a])
        part = mul_div(equity, need, maintenance, FLOOR) if maintenance > 0 else equity
        orders.backing[row] = mul_div(part, abs(orders.lots[row]), held, FLOOR)


@kernel
def take_over(accounts, house, journal, tables, charges, marks, orders, sequence):
    """Let the fund keep what fills brought above bankruptcy, then pay what they missed.

    Of a gain the trading fee is paid first, and the fund keeps at most ``keep`` of the fill. It
    pays losses, in sequence, as far as it has money; the rest stays with the pool, for the
    waterfall.
    """
    for pays in range(2):
        for row in sequence:
            if orders.keep[row] != NOT_TAKEN and orders.filled[row] != 0:
                gain = _gain(tables, marks, orders, row)
                if pays == 0 and gain > 0:
                    _keep(accounts, house, journal, charges, orders, row, gain)
                elif pays == 1 and gain < 0:
                    _pay(accounts, house, journal, orders, row, -gain)
    for row in sequence:
        n, a = orders.account[row], orders.asset[row]
        if orders.keep[row] != NOT_TAKEN and accounts.position[a, n] == 0:
            retire_pool(accounts, house, journal, n, a)


@kernel
def _gain(tables, marks, orders, row):
    """Return what a fill brought beyond the bankruptcy price of its lots, micro-USD."""
    a, filled = orders.asset[row], orders.filled[row]
    behind = mul_div(orders.backing[row], abs(filled), abs(orders.lots[row]), FLOOR)
    return filled * marks[a] * tables.unit_value[a] - orders.cash[row] + behind


@kernel
def _keep(accounts, house, journal, charges, orders, row, gain):
    n, pool = orders.account[row], orders.pool[row] // accounts.position.shape[1]
    cash = abs(orders.cash[row])
    fee = min(gain, mul_div(cash, charges.taker[0], RATE_UNIT, CEIL))
    kept = min(gain - fee, mul_div(cash, orders.keep[row], RATE_UNIT, CEIL))
    pay_house(accounts, house, journal, n, pool, FEES, fee, FEE)
    pay_house(accounts, house, journal, n, pool, house.fund[orders.asset[row]], kept, FEE)
    accounts.tally[FEES_PAID, n] += fee
    accounts.tally[PENALTIES_PAID, n] += kept
    orders.fee[row] = fee
    orders.penalty[row] = kept


@kernel
def _pay(accounts, house, journal, orders, row, loss):
    n, pool = orders.account[row], orders.pool[row] // accounts.position.shape[1]
    fund = house.fund[orders.asset[row]]
    paid = min(loss, max(0, house.cash[fund]))
    pay_house(accounts, house, journal, n, pool, fund, -paid, TRANSFER)
    accounts.tally[PENALTIES_PAID, n] -= paid
    orders.penalty[row] = -paid
