"""The columns that all kernels share: accounts, orders, fills, market view.

Every class is a named tuple of numpy arrays, so numba takes it whole. Rows of accounts are traders
``0 .. N-1``; a row is an index, ``id`` is the permanent name (relabelling permutes rows, never
ids). Money is int64 micro-USD, prices int64 ticks, quantities int64 lots, positive long or buy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from stresslab.core.events import CROSS

if TYPE_CHECKING:
    import numpy as np

#: Order kinds. LIMIT may take and rests the remainder; IOC is a limit whose remainder vanishes;
#: POST_ONLY is refused when it would take; CANCEL_ALL withdraws the trader's resting orders of the
#: asset (side by the sign of ``lots``, 0 = both).
LIMIT, MARKET, IOC, POST_ONLY, CANCEL_ALL = range(5)

#: Requests that travel with orders: SET_MODE chooses the mode (``lots``) of the next position,
#: MOVE_MARGIN moves ``lots`` micro-USD from the wallet into a silo, negative out of it. The venue
#: writes its answer into ``price``.
SET_MODE, MOVE_MARGIN = 5, 6

#: What an order is, for the split of a price move: `voluntary`, `quotes` (liquidity offered or
#: withdrawn) or a triggered stop-loss or take-profit.
VOLUNTARY, QUOTE, STOP = range(3)


#: What is counted for every account, in the order of ``Accounts.tally``.
(
    FEES_PAID,  # trading fees, micro-USD
    FUNDING_RECEIVED,  # micro-USD
    PENALTIES_PAID,  # liquidation penalties, micro-USD
    N_LIQUIDATIONS,  # own liquidations (experience)
    N_TOPUPS,
    N_STOPS,
    N_MARGIN_CALLS,
    N_CUTS,  # positions cut in answer to margin calls
    N_GAPS,  # own liquidations that no alert preceded
) = range(9)


class Accounts(NamedTuple):
    """State of every account; ``asset`` is the first axis of two-dimensional columns.

    Kernels get few arrays, since each makes them slower to compile and to call; the properties
    name parts of them.
    """

    id: np.ndarray  # (N,) permanent id, used in chance addresses
    cash: np.ndarray  # (A + 1, N) by pool, net of what its positions paid
    position: np.ndarray  # (A, N) signed lots
    mode: np.ndarray  # (A, N) int8, FLAT, ISOLATED or CROSS: locked until flat
    chosen_mode: np.ndarray  # (A, N) int8, the mode that the next opened position will take
    entry_cost: np.ndarray  # (A, N) signed money paid for the position now held (reporting, ADL)
    profit_cut: np.ndarray  # (A, N) profit of the position now held that ADL seized in cash
    allotment_rate: np.ndarray  # (N,) margin put into a new isolated position, 1e-9 of its notional
    tally: np.ndarray  # (9, N) counted so far: FEES_PAID ... N_GAPS

    @property
    def wallet(self) -> np.ndarray:
        """Cash of the cross pool, shape ``(N,)``."""
        return self.cash[0]

    @property
    def silo(self) -> np.ndarray:
        """Cash of the isolated pool of each position, shape ``(A, N)``."""
        return self.cash[1:]

    @property
    def fees(self) -> np.ndarray:
        """Trading fees paid so far, shape ``(N,)``."""
        return self.tally[FEES_PAID]

    @property
    def funding(self) -> np.ndarray:
        """Funding received so far, shape ``(N,)``."""
        return self.tally[FUNDING_RECEIVED]

    @property
    def penalties(self) -> np.ndarray:
        """Liquidation penalties paid so far, shape ``(N,)``."""
        return self.tally[PENALTIES_PAID]

    @property
    def n_liquidations(self) -> np.ndarray:
        """Own liquidations so far, shape ``(N,)``."""
        return self.tally[N_LIQUIDATIONS]

    @property
    def n_topups(self) -> np.ndarray:
        """Margin top-ups made by hand so far, shape ``(N,)``."""
        return self.tally[N_TOPUPS]

    @property
    def n_stops(self) -> np.ndarray:
        """Stop orders triggered so far, shape ``(N,)``."""
        return self.tally[N_STOPS]

    @property
    def n_cuts(self) -> np.ndarray:
        """Positions cut in answer to margin calls so far, shape ``(N,)``."""
        return self.tally[N_CUTS]

    @property
    def n_gaps(self) -> np.ndarray:
        """Own liquidations so far that no alert preceded, shape ``(N,)``."""
        return self.tally[N_GAPS]

    @property
    def n_margin_calls(self) -> np.ndarray:
        """Margin calls received so far, shape ``(N,)``."""
        return self.tally[N_MARGIN_CALLS]


class Orders(NamedTuple):
    """A batch of order requests; the first ``n[0]`` rows count."""

    n: np.ndarray  # (1,)
    trader: np.ndarray  # (C,) row of the account
    asset: np.ndarray  # (C,)
    kind: np.ndarray  # (C,) LIMIT ...
    lots: np.ndarray  # (C,) signed
    price: np.ndarray  # (C,) limit in ticks; ignored by MARKET and CANCEL_ALL
    reduce_only: np.ndarray  # (C,) 1: may only bring the position towards zero
    tag: np.ndarray  # (C,) VOLUNTARY, QUOTE or STOP


class Fills(NamedTuple):
    """Fills of a stage; the first ``n[0]`` rows count. ``maker`` -1 is `external`."""

    n: np.ndarray  # (1,)
    asset: np.ndarray  # (C,)
    taker: np.ndarray  # (C,)
    maker: np.ndarray  # (C,)
    lots: np.ndarray  # (C,) signed, from the taker's side
    cash: np.ndarray  # (C,) micro-USD that the taker pays (negative: receives)


class Market(NamedTuple):
    """What every trader may see: this step's index, last step's mark, the current book."""

    step: np.ndarray  # (1,)
    index: np.ndarray  # (A,) ticks
    mark: np.ndarray  # (A,) ticks, of the last step
    best_bid: np.ndarray  # (A,) ticks, -1 if the side is empty
    best_ask: np.ndarray  # (A,)
    trend: np.ndarray  # (A,) EWMA of simple mark returns, per step
    volatility: np.ndarray  # (A,) EWMA standard deviation of simple mark returns, per step
    normal_volatility: np.ndarray  # (A,) the same in calm times (from the index model)
    correlation: np.ndarray  # (A, A) of index log returns, from the config
    unit_value: np.ndarray  # (A,) micro-USD of one tick times one lot
    initial_rate: np.ndarray  # (A,) lowest initial margin rate of the venue, as a fraction
    is_spot: np.ndarray  # (A,) 1 for spot, 0 for a perpetual


def make_accounts(n_accounts: int, n_assets: int) -> Accounts:
    """Return empty accounts, everything flat, ids equal to rows."""
    import numpy as np  # here, so that naming an order kind need not load it

    def per_position(kind: type = np.int64) -> np.ndarray:
        return np.zeros((n_assets, n_accounts), kind)

    return Accounts(
        id=np.arange(n_accounts, dtype=np.int64),
        cash=np.zeros((n_assets + 1, n_accounts), np.int64),
        position=per_position(),
        mode=per_position(np.int8),
        chosen_mode=np.full((n_assets, n_accounts), CROSS, np.int8),
        entry_cost=per_position(),
        profit_cut=per_position(),
        allotment_rate=np.zeros(n_accounts, np.int64),
        tally=np.zeros((9, n_accounts), np.int64),
    )


def make_orders(capacity: int) -> Orders:
    """Return an empty batch of at most ``capacity`` orders."""
    import numpy as np

    columns = [np.zeros(capacity, np.int64) for _ in Orders._fields[1:]]
    return Orders(np.zeros(1, np.int64), *columns)


def emptied(orders: Orders, room: int) -> Orders:
    """Return an empty batch with room for some orders: the given one, if it is large enough."""
    if orders.lots.size < room:
        return make_orders(2 * room)
    orders.n[0] = 0
    return orders


def make_fills(capacity: int) -> Fills:
    """Return an empty batch of at most ``capacity`` fills."""
    import numpy as np

    columns = [np.zeros(capacity, np.int64) for _ in Fills._fields[1:]]
    return Fills(np.zeros(1, np.int64), *columns)
