"""How fast a market takes back what forced orders did to its price, read from one run's path."""

from __future__ import annotations

import numpy as np

from stresslab.contagion.attribution import LIQUIDATION
from stresslab.contagion.columns import as_int
from stresslab.contagion.projection import Contagion
from stresslab.core.events import CAUSE_ID, CAUSES

_NOT_AN_ANSWER = [CAUSES[LIQUIDATION], CAUSES[CAUSE_ID["index"]], CAUSES[CAUSE_ID["rounding"]]]


def kept_per_step(run: Contagion) -> np.ndarray:
    """Return the part of a displacement that is still there a step later; (n_assets,) in [0, 1].

    What traders and quotes move of the mark in a step, regressed through the origin on the gap
    that they find between the last mark and the new index: one less the part of it that they close.
    An impact book gives displacement back by itself, to its owners; nothing of that is counted.
    """
    path = run.paths
    gap = (path.mark_price[:-1] - path.index_price[1:]).astype(float)
    answer = _answers(run)[1:]
    squares = (gap**2).sum(axis=0)
    closed = np.divide(
        -(gap * answer).sum(axis=0), squares, out=np.zeros(run.n_assets), where=squares > 0
    )
    return 1.0 - np.clip(closed, 0.0, 1.0)


def _answers(run: Contagion) -> np.ndarray:
    """Return ticks that traders and quotes moved the marks by; (n_steps, n_assets)."""
    moves, causes = run.tables["price_moves"], run.tables["price_causes"]
    keys = [as_int(t["stage"]) * run.n_assets + as_int(t["asset"]) for t in (moves, causes)]
    order = np.argsort(keys[0], kind="stable")
    is_answer = ~np.isin(causes["cause"], _NOT_AN_ANSWER)
    move = order[np.searchsorted(keys[0][order], keys[1][is_answer])]
    size = as_int(moves["to_ticks"])[move] - as_int(moves["from_ticks"])[move]
    found = np.zeros(run.paths.mark_price.shape)
    place = np.searchsorted(run.paths.step, as_int(moves["step"])[move])
    share = np.asarray(causes["share"], float)[is_answer]
    np.add.at(found, (place, as_int(causes["asset"])[is_answer]), share * size)
    return found
