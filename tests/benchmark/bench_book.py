"""Messages a second that the limit order book takes in one kernel, every fill checked.

    python tests/benchmark/bench_book.py [messages]

One JSON line a case. ``owners`` 0 means that nobody owns an order (no lists by account, nobody
meets himself). The goal is 20 million messages a second, better 50, with 2,000 resting; 8 million,
better 25, with 400,000.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np
from numba import njit

from stresslab.core.columns import Fills, make_fills
from stresslab.market.limit_order_book import (
    LimitOrderBooks,
    cancel,
    make_limit_order_books,
    submit,
)
from tests.benchmark.order_stream import CANCEL, Stream, make_stream

REPEATS = 15
CASES = ((2_000, 0), (2_000, 2_000), (400_000, 0), (400_000, 2_000))


@njit(cache=True)
def replay(
    books: LimitOrderBooks,
    kind: np.ndarray,
    owner: np.ndarray,
    lots: np.ndarray,
    price: np.ndarray,
    cancelled: np.ndarray,
    handles: np.ndarray,
    fills: Fills,
) -> None:
    """Send all messages to the book of asset 0."""
    for place in range(kind.size):
        if kind[place] == CANCEL:
            cancel(books, 0, handles[cancelled[place]])
        else:
            submit(books, 0, owner[place], kind[place], lots[place], price[place], 1, fills)
            handles[place] = books.last_order[0]


def measure(stream: Stream, capacity: int, n_owners: int) -> float:
    """Return the seconds of the quickest repeat, once its fills have been compared."""
    seconds = []
    for _ in range(REPEATS):
        books = make_limit_order_books([20_000], max(n_owners, 1), capacity)
        fills = make_fills(len(stream.fills) + 1)
        handles = np.full(stream.kind.size, -1)
        start = time.perf_counter()
        replay(books, *stream[:5], handles, fills)
        seconds.append(time.perf_counter() - start)
        check(stream, fills)
    return min(seconds[1:])


def check(stream: Stream, fills: Fills) -> None:
    n = fills.n[0]
    price = fills.cash[:n] // fills.lots[:n]
    got = np.stack((fills.taker[:n], fills.maker[:n], fills.lots[:n], price), axis=1)
    if n == 0 or not np.array_equal(got, stream.fills):
        raise SystemExit("the fills differ from the plain book's")


def main() -> None:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    for resting, n_owners in CASES:
        messages = max(n, 4 * resting)
        stream = make_stream(messages, resting, n_owners)
        seconds = measure(stream, 3 * resting, n_owners)
        case = {"resting": resting, "owners": n_owners, "messages": messages}
        speed = {
            "fills": len(stream.fills),
            "million_per_s": round(messages / seconds / 1e6, 1),
            "ns": round(seconds / messages * 1e9, 1),
        }
        print(json.dumps(case | speed))


if __name__ == "__main__":
    main()
