"""What traders ask of the venue beside orders: a margin mode, margin into or out of a silo."""

from __future__ import annotations

from stresslab.core.columns import N_TOPUPS, SET_MODE
from stresslab.core.compiled import kernel
from stresslab.core.events import FLAT, ISOLATED
from stresslab.core.ledger import move_margin
from stresslab.margin.acceptance import headroom
from stresslab.margin.posting import releasable

#: The venue's answers, in the order of their names in the event log.
TAKEN, POSITION_OPEN, ORDERS_OPEN, SPOT, NOT_ISOLATED, WALLET, INITIAL_MARGIN = range(7)
ANSWERS = (
    "taken",
    "position_open",
    "orders_open",
    "spot",
    "not_isolated",
    "wallet",
    "initial_margin",
)
_NO_ASSET = -1


@kernel
def answer_request(
    accounts, house, journal, tables, marks, resting_buy, resting_sell, n, a, kind, wanted
):  # fmt: skip
    """Grant or refuse a request whole and return the answer.

    ``wanted`` is a margin mode for SET_MODE, else signed micro-USD into the silo.
    """
    if tables.is_spot[a]:
        return SPOT
    if kind == SET_MODE:
        return _set_mode(accounts, resting_buy[a, n] + resting_sell[a, n], n, a, wanted)
    if accounts.mode[a, n] != ISOLATED or accounts.position[a, n] == 0:
        return NOT_ISOLATED
    if wanted > 0:
        free = headroom(accounts, tables, marks, resting_buy, resting_sell, _NO_ASSET, n)
        if wanted > free:
            return WALLET
        move_margin(accounts, house, journal, n, 0, 1 + a, wanted)
        accounts.tally[N_TOPUPS, n] += 1
        return TAKEN
    if -wanted > releasable(accounts, tables, marks, n, a):
        return INITIAL_MARGIN
    move_margin(accounts, house, journal, n, 1 + a, 0, -wanted)
    return TAKEN


@kernel
def _set_mode(accounts, resting, n, a, wanted):
    """Choose the mode of the next position; it is locked from entry until flat, and by orders."""
    if accounts.mode[a, n] != FLAT:
        return TAKEN if accounts.mode[a, n] == wanted else POSITION_OPEN
    if resting != 0 and accounts.chosen_mode[a, n] != wanted:
        return ORDERS_OPEN
    accounts.chosen_mode[a, n] = wanted
    return TAKEN
