"""Orders become trades: acceptance, the book and the posting of fills, in one compiled loop."""

from __future__ import annotations

from numba import njit

from stresslab.core.columns import CANCEL_ALL
from stresslab.margin.acceptance import accepted_lots
from stresslab.margin.posting import settle_fills
from stresslab.market.impact_book import submit_impact
from stresslab.market.limit_order_book import best_ask, best_bid, cancel_all, submit

REQUESTED, REFUSED, CANCELLED, TRADED = range(4)  # places in the counts of a stage


@njit(cache=True)
def twice_book_price(books, asset, before):
    """Return twice the mid in ticks; with one side empty the mid may only move towards the other.

    An empty book keeps its last price.
    """
    bid, ask = best_bid(books, asset), best_ask(books, asset)
    if bid > 0 and ask > 0:
        return bid + ask
    if bid > 0:
        return max(before, 2 * bid)
    if ask > 0:
        return min(before, 2 * ask)
    return before


@njit(cache=True)
def match_in_limit_order_books(
    books, accounts, house, journal, tables, costs, marks, orders, sequence, fills, use_last,
    price, moves, volume, counts,
):  # fmt: skip
    """Send a batch of orders through the order books in the given sequence.

    ``price`` (A,) holds twice the book price, ``moves`` (tags, A) collects its changes by the tag
    of the order that made them; ``use_last`` takes the last trade for the book price.
    """
    for place in sequence:
        n, a, kind, tag = (
            orders.trader[place],
            orders.asset[place],
            orders.kind[place],
            orders.tag[place],
        )
        first = fills.n[0]
        if kind == CANCEL_ALL:
            counts[CANCELLED] += cancel_all(books, a, n, orders.lots[place])
        else:
            counts[REQUESTED] += 1
            lots = accepted_lots(
                accounts, tables, marks, books.resting_buy, books.resting_sell, n, a,
                orders.lots[place], orders.reduce_only[place],
            )  # fmt: skip
            if lots == 0:
                counts[REFUSED] += 1
                continue
            submit(books, a, n, kind, lots, orders.price[place], tables.unit_value[a], fills)
            settle_fills(accounts, house, journal, tables, costs, marks, fills, first)
        before = price[a]
        price[a] = book_price_after(books, tables, fills, first, a, use_last, before)
        moves[tag, a] += price[a] - before
        counts[TRADED] += fills.n[0] - first
        for f in range(first, fills.n[0]):
            volume[a] += abs(fills.lots[f])


@njit(cache=True)
def book_price_after(books, tables, fills, first, asset, use_last, before):
    """Return twice the book price after an order: the mid, or the price of the last fill."""
    if not use_last:
        return twice_book_price(books, asset, before)
    last = fills.n[0] - 1
    if last < first:
        return before
    return 2 * (fills.cash[last] // (fills.lots[last] * tables.unit_value[asset]))


@njit(cache=True)
def match_in_impact_books(
    books, accounts, house, journal, tables, costs, marks, orders, sequence, fills, resting,
    counts, volume, flow,
):  # fmt: skip
    """Send a batch of orders to the impact books; ``flow`` (A,) collects their signed lots.

    ``resting`` (A, N) is all zeros: nothing rests in an impact book.
    """
    for place in sequence:
        n, a = orders.trader[place], orders.asset[place]
        if orders.kind[place] == CANCEL_ALL:
            continue
        counts[REQUESTED] += 1
        lots = accepted_lots(
            accounts, tables, marks, resting, resting, n, a,
            orders.lots[place], orders.reduce_only[place],
        )  # fmt: skip
        if lots == 0:
            counts[REFUSED] += 1
            continue
        first = fills.n[0]
        submit_impact(
            books, a, n, orders.kind[place], lots, orders.price[place], tables.unit_value[a], fills
        )
        settle_fills(accounts, house, journal, tables, costs, marks, fills, first)
        counts[TRADED] += fills.n[0] - first
        for f in range(first, fills.n[0]):
            volume[a] += abs(fills.lots[f])
            flow[a] += fills.lots[f]
