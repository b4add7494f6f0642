"""Orders become trades: acceptance, the book and the posting of fills, in one compiled loop."""

from __future__ import annotations

from stresslab.core.columns import CANCEL_ALL
from stresslab.core.compiled import kernel
from stresslab.margin.acceptance import UNKNOWN, accepted_lots
from stresslab.margin.posting import settle_fills
from stresslab.margin.requests import answer_request
from stresslab.market.impact_book import submit_impact
from stresslab.market.limit_order_book import (
    best_ask,
    best_bid,
    cancel_all,
    is_quotable,
    submit,
)

REQUESTED, REFUSED, CANCELLED, TRADED = range(4)  # places in the counts of a stage


@kernel
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


@kernel
def match_in_limit_order_books(
    books, accounts, house, journal, tables, costs, marks, orders, sequence, fills, use_last,
    price, moves, volume, counts,
):  # fmt: skip
    """Send a batch of orders through the order books in the given sequence.

    ``price`` (A,) holds twice the book price, ``moves`` (tags, A) collects its changes by the tag
    of the order that made them; ``use_last`` takes the last trade for the book price.
    """
    trader, asset, room = -1, -1, UNKNOWN
    for place in sequence:
        n, a, kind = orders.trader[place], orders.asset[place], orders.kind[place]
        if n != trader or a != asset or kind == CANCEL_ALL:
            trader, asset, room = n, a, UNKNOWN
        first = fills.n[0]
        if kind > CANCEL_ALL:
            orders.price[place] = answer_request(
                accounts, house, journal, tables, marks, books.resting_buy, books.resting_sell, n,
                a, kind, orders.lots[place],
            )  # fmt: skip
            room = UNKNOWN
            continue
        if kind == CANCEL_ALL:
            counts[CANCELLED] += cancel_all(books, a, n, orders.lots[place])
        else:
            counts[REQUESTED] += 1
            lots, room = accepted_lots(
                accounts, tables, marks, books.resting_buy, books.resting_sell, n, a,
                orders.lots[place], orders.reduce_only[place], room,
            )  # fmt: skip
            if lots == 0 or not is_quotable(books, a, kind, orders.price[place]):
                counts[REFUSED] += 1
                continue
            submit(books, a, n, kind, lots, orders.price[place], tables.unit_value[a], fills)
            if fills.n[0] > first:
                settle_fills(accounts, house, journal, tables, costs, marks, fills, first)
                room = UNKNOWN
                counts[TRADED] += fills.n[0] - first
                volume[a] += lots_traded(fills, first)
        before = price[a]
        price[a] = book_price_after(books, tables, fills, first, a, use_last, before)
        moves[orders.tag[place], a] += price[a] - before


@kernel
def lots_traded(fills, first):
    """Return the lots of the fills from row ``first`` on, without sign."""
    total = 0
    for f in range(first, fills.n[0]):
        total += abs(fills.lots[f])
    return total


@kernel
def book_price_after(books, tables, fills, first, asset, use_last, before):
    """Return twice the book price after an order: the mid, or the price of the last fill."""
    if not use_last:
        return twice_book_price(books, asset, before)
    last = fills.n[0] - 1
    if last < first:
        return before
    return 2 * (fills.cash[last] // (fills.lots[last] * tables.unit_value[asset]))


@kernel
def match_in_impact_books(
    books, accounts, house, journal, tables, costs, marks, orders, sequence, fills, resting,
    counts, volume, flow,
):  # fmt: skip
    """Send a batch of orders to the impact books; ``flow`` (tags, A) collects their signed lots.

    ``resting`` (A, N) is all zeros: nothing rests in an impact book.
    """
    for place in sequence:
        n, a = orders.trader[place], orders.asset[place]
        kind = orders.kind[place]
        if kind > CANCEL_ALL:
            orders.price[place] = answer_request(
                accounts, house, journal, tables, marks, resting, resting, n, a, kind,
                orders.lots[place],
            )  # fmt: skip
        if kind >= CANCEL_ALL:
            continue
        counts[REQUESTED] += 1
        lots, _ = accepted_lots(
            accounts, tables, marks, resting, resting, n, a,
            orders.lots[place], orders.reduce_only[place], UNKNOWN,
        )  # fmt: skip
        if lots == 0:
            counts[REFUSED] += 1
            continue
        first = fills.n[0]
        filled = submit_impact(
            books, a, n, kind, lots, orders.price[place], tables.unit_value[a], fills
        )
        settle_fills(accounts, house, journal, tables, costs, marks, fills, first)
        counts[TRADED] += fills.n[0] - first
        volume[a] += abs(filled)
        flow[orders.tag[place], a] += filled
