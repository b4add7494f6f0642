"""Next-generation matrix along the path: what forced notional of each type brought about.

A type is an asset, the side of the position that is closed and the margin mode of its pool. The
matrix is a ratio of sums over the liquidations of completed episodes, like the branching ratio.
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np

from stresslab.contagion.attribution import LIQUIDATION
from stresslab.contagion.columns import MICRO_USD, as_int, rows_of
from stresslab.contagion.networks.debtrank import spectral_radius
from stresslab.contagion.projection import Contagion

SIDES = ("long", "short")
MODES = ("isolated", "cross")


class Generations(NamedTuple):
    """Sums that the matrix is a ratio of; types in the order of :func:`type_names`."""

    caused: np.ndarray  # (n_types, n_types) micro-USD of the column that the row brought about
    forced: np.ndarray  # (n_types,) forced notional, micro-USD


def types_of(assets: list[str]) -> list[tuple[str, str, str]]:
    """Return (asset, side, mode) of every type in order: asset by asset, longs first.

    >>> types_of(["A"])[:3]
    [('A', 'long', 'isolated'), ('A', 'long', 'cross'), ('A', 'short', 'isolated')]
    """
    return list(product(assets, SIDES, MODES))


def type_names(assets: list[str]) -> list[str]:
    """Return the types as words, such as ``BTC long cross``."""
    return [" ".join(kind) for kind in types_of(assets)]


def generations(run: Contagion) -> Generations:
    """Return forced notional by type, and by the types of those who caused it.

    A liquidation's trigger share in another is laid to the assets whose price moves did it; there
    the parent counts with the side that it closed in that asset. What came through
    auto-deleveraging, or of a parent that closed nothing in the asset, belongs to no type.
    """
    n, n_types = len(run.ids), len(SIDES) * len(MODES) * run.n_assets
    kind = _kinds(run)
    counted = run.episodes.is_complete[run.episodes.of]
    notional = run.forced_notional_by_asset * counted[:, np.newaxis]
    shares = _shares(run, kind, n_types)
    caused = np.zeros(n_types * n_types)
    forced = np.zeros(n_types, np.int64)
    rows = np.arange(n_types) * n_types
    for asset in range(run.n_assets):
        place = rows + kind[:, asset, np.newaxis]
        weight = shares * notional[:, asset, np.newaxis]
        caused += np.bincount(place.ravel(), weight.ravel(), caused.size)
        np.add.at(forced, kind[:, asset], notional[:, asset])
    return Generations(caused.reshape(n_types, n_types) if n else _none(n_types), forced)


def next_generation(sums: Generations) -> np.ndarray:
    """Return N[i, j]: notional of type j that one unit of forced notional of type i brings about.

    ``(n_types, n_types)``; rows of types that nobody was forced to close are 0.

    References
    ----------
    Diekmann, Heesterbeek and Metz (1990), On the definition and the computation of the basic
    reproduction ratio, Journal of Mathematical Biology 28, 365-382.
    """
    whole = np.broadcast_to(sums.forced[:, np.newaxis], sums.caused.shape)
    return np.divide(sums.caused, whole, out=np.zeros(sums.caused.shape), where=whole > 0)


def radius(sums: Generations) -> float:
    """Return the spectral radius of the matrix: growth of forced notional per generation."""
    is_some = sums.forced > 0
    return spectral_radius(next_generation(sums)[np.ix_(is_some, is_some)])


def generation_columns(run: Contagion) -> dict[str, np.ndarray]:
    """Return the sums as a long table, one row per entry; the diagonal where a type was forced.

    ``forced_usd`` is that of the causing type: it is summed over the diagonal alone.
    """
    sums = generations(run)
    is_told = (sums.caused > 0) | np.diag(sums.forced > 0)
    cause, effect = np.nonzero(is_told)
    names = np.array(types_of(run.asset_names), dtype=object).reshape(-1, 3)
    columns = {f"cause_{what}": names[cause, k] for k, what in enumerate(("asset", "side", "mode"))}
    columns |= {what: names[effect, k] for k, what in enumerate(("asset", "side", "mode"))}
    return {
        **columns,
        "caused_usd": sums.caused[cause, effect] / MICRO_USD,
        "forced_usd": sums.forced[cause] / MICRO_USD,
    }


def _none(n_types: int) -> np.ndarray:
    return np.zeros((n_types, n_types))


def _kinds(run: Contagion) -> np.ndarray:
    """Return the type of each liquidation in each asset, (n_liquidations, n_assets)."""
    lots = _filled(run)
    is_short = (lots > 0).astype(np.int64)  # it bought, to close a short
    asset = np.arange(run.n_assets)
    mode = run.is_cross.astype(np.int64)[:, np.newaxis]
    return (asset * len(SIDES) + is_short) * len(MODES) + mode


def _filled(run: Contagion) -> np.ndarray:
    """Return signed forced lots filled, (n_liquidations, n_assets)."""
    lots = np.zeros((len(run.ids), run.n_assets), np.int64)
    filled = as_int(run.tables["forced_orders"]["filled_lots"])
    np.add.at(lots, (run.forced.liquidation, run.forced.asset), filled)
    return lots


def _shares(run: Contagion, kind: np.ndarray, n_types: int) -> np.ndarray:
    """Return each liquidation's trigger share by the type of its parents, (n, n_types)."""
    n, amounts, edges = len(run.ids), run.amounts, run.parents
    is_part = (amounts.cause == LIQUIDATION) & (amounts.micro_usd > 0) & (amounts.asset >= 0)
    child = rows_of(amounts.liquidation[is_part], run.ids)
    parent = rows_of(amounts.source[is_part], run.ids)
    asset, eaten = amounts.asset[is_part], amounts.micro_usd[is_part]
    pair = child * n + parent
    known, place = np.unique(pair, return_inverse=True)
    whole = np.bincount(place, eaten, len(known))[place]
    edge = rows_of(pair, edges.child * n + edges.parent)
    closed = _filled(run)[parent, asset] != 0
    is_told = (edge >= 0) & closed
    by_price = edges.share - edges.adl_share
    share = by_price[edge[is_told]] * eaten[is_told] / whole[is_told]
    where = child[is_told] * n_types + kind[parent, asset][is_told]
    return np.bincount(where, share, n * n_types).reshape(n, n_types)
