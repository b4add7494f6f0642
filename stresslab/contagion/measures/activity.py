"""What traders did about it: margin calls, stops, top-ups, volume."""

from __future__ import annotations

import numpy as np

from stresslab.contagion.columns import as_int, usd
from stresslab.contagion.measures.measure import Measure
from stresslab.contagion.projection import Contagion


def n_margin_calls(run: Contagion) -> int:
    """Count margin calls."""
    return _sum(run, "accounts", "n_margin_calls")


def n_cuts(run: Contagion) -> int:
    """Count positions cut in answer to margin calls."""
    return _sum(run, "accounts", "n_cuts")


def n_gaps(run: Contagion) -> int:
    """Count liquidations that no margin call preceded: the price jumped over every level."""
    return _sum(run, "accounts", "n_gaps")


def n_stops(run: Contagion) -> int:
    """Count stop-loss orders triggered."""
    return _sum(run, "accounts", "n_stops")


def n_topups(run: Contagion) -> int:
    """Count margin top-ups made by hand."""
    return _sum(run, "accounts", "n_topups")


def volume(run: Contagion) -> float:
    """Return the notional traded, at the mark of each step's end."""
    traded = run.paths.volume * run.paths.mark_price
    return usd((traded @ run.unit_values).sum()) if traded.size else 0.0


def n_fills(run: Contagion) -> int:
    """Count fills."""
    return _sum(run, "counts", "fills")


def n_orders(run: Contagion) -> int:
    """Count order requests of traders."""
    return _sum(run, "counts", "orders")


def n_refused(run: Contagion) -> int:
    """Count orders refused by margin or mode rules."""
    return _sum(run, "counts", "refused")


def n_rounds(run: Contagion) -> int:
    """Count liquidation rounds."""
    return _sum(run, "totals", "rounds")


def n_topped_up(run: Contagion) -> int:
    """Count accounts that topped up at least once."""
    return int(np.count_nonzero(run.tables["accounts"]["n_topups"]))


def _sum(run: Contagion, table: str, column: str) -> int:
    return int(as_int(run.tables[table][column]).sum())


MEASURES = (
    Measure("n_margin_calls", "calls", "Margin calls", n_margin_calls),
    Measure("n_cuts", "positions", "Positions cut after margin calls", n_cuts),
    Measure("n_gaps", "liquidations", "Liquidations without a margin call", n_gaps),
    Measure("n_stops", "orders", "Stop-loss orders triggered", n_stops),
    Measure("n_topups", "top-ups", "Margin top-ups", n_topups),
    Measure("n_accounts_topped_up", "accounts", "Accounts that topped up", n_topped_up),
    Measure("volume_usd", "USD", "Notional traded", volume),
    Measure("n_fills", "fills", "Fills", n_fills),
    Measure("n_orders", "orders", "Order requests", n_orders),
    Measure("n_refused", "orders", "Orders refused", n_refused),
    Measure("n_rounds", "rounds", "Liquidation rounds", n_rounds),
)
