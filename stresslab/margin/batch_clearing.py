"""A step's orders to the impact books, those of one asset filled together at one price."""

from __future__ import annotations

from stresslab.core.columns import CANCEL_ALL, MARKET
from stresslab.core.compiled import kernel
from stresslab.core.exact import to_ticks
from stresslab.margin.acceptance import UNKNOWN, accepted_lots, reduced
from stresslab.margin.clearing import REFUSED, REQUESTED, TRADED
from stresslab.margin.posting import settle_external, settle_fills, settle_side
from stresslab.margin.requests import answer_request
from stresslab.market.impact_book import clearing_price, submit_impact


@kernel
def match_together(
    books, accounts, house, journal, tables, costs, marks, orders, sequence, fills, buys, sells,
    taken, net, counts, volume, flow,
):  # fmt: skip
    """Accept a batch of orders, fill the market orders of each asset at the price of their net.

    What is accepted is judged on what everybody held before the batch, and on the trader's own
    orders earlier in it, which count as open. A fill's cash is that price times its lots, rounded
    to whole micro-USD: it depends on no other order's place, so neither does anything else. Limit
    and IOC orders then follow one after another, as far as their own limit allows.

    ``buys`` and ``sells`` (A, N), ``taken`` (n,) and ``net`` (A,) are room, all zeros;
    ``flow`` (tags, A) collects the signed lots that were filled.
    """
    for place in sequence:
        _accept(
            accounts, house, journal, tables, marks, orders, place, buys, sells, taken, counts
        )  # fmt: skip
        if taken[place] != 0 and orders.kind[place] == MARKET:
            net[orders.asset[place]] += taken[place]
    for place in sequence:
        if taken[place] == 0 or orders.kind[place] != MARKET:
            continue
        n, a, lots = orders.trader[place], orders.asset[place], taken[place]
        price = clearing_price(books, a, net[a])
        cash = to_ticks(price * lots * tables.unit_value[a], 1.0)
        settle_side(accounts, house, journal, tables, n, a, lots, cash, costs.taker[0], marks)
        settle_external(house, a, -lots, -cash)
        _count(orders, place, lots, counts, volume, flow)
    for a in range(net.size):
        books.flow[a] += net[a]
    for place in sequence:
        if taken[place] == 0 or orders.kind[place] == MARKET:
            continue
        n, a, first = orders.trader[place], orders.asset[place], fills.n[0]
        filled = submit_impact(
            books, a, n, orders.kind[place], taken[place], orders.price[place],
            tables.unit_value[a], fills,
        )  # fmt: skip
        if filled != 0:
            settle_fills(accounts, house, journal, tables, costs, marks, fills, first)
            _count(orders, place, filled, counts, volume, flow)


@kernel
def _accept(accounts, house, journal, tables, marks, orders, place, buys, sells, taken, counts):
    """Answer a request, or write the lots of an order that the venue takes into ``taken``."""
    n, a, kind = orders.trader[place], orders.asset[place], orders.kind[place]
    if kind > CANCEL_ALL:
        orders.price[place] = answer_request(
            accounts, house, journal, tables, marks, buys, sells, n, a, kind, orders.lots[place]
        )
    if kind >= CANCEL_ALL:
        return
    counts[REQUESTED] += 1
    lots = orders.lots[place]
    if orders.reduce_only[place]:
        lots = reduced(accounts.position[a, n] + buys[a, n] - sells[a, n], lots)
    else:
        lots, _ = accepted_lots(
            accounts, tables, marks, buys, sells, n, a, lots, 0, UNKNOWN
        )  # fmt: skip
    if lots == 0:
        counts[REFUSED] += 1
        return
    taken[place] = lots
    if lots > 0:
        buys[a, n] += lots
    else:
        sells[a, n] -= lots


@kernel
def _count(orders, place, lots, counts, volume, flow):
    counts[TRADED] += 1
    volume[orders.asset[place]] += abs(lots)
    flow[orders.tag[place], orders.asset[place]] += lots
