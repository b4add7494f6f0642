"""What a run's log says of who would have stood without some liquidations."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from stresslab.contagion.fading import kept_per_step
from stresslab.contagion.projection import Contagion
from stresslab.contagion.shadow.excess import Excess
from stresslab.contagion.shadow.in_turn import least_in_turn
from stresslab.contagion.shadow.path import add_ons, price_path
from stresslab.contagion.shadow.plain import Plain
from stresslab.contagion.shadow.pools import first_breaches
from stresslab.contagion.shadow.sales import sales
from stresslab.contagion.shadow.terms import Terms


class Shadow:
    """The shadows of one run.

    Parameters
    ----------
    run : a run whose prices liquidations moved
    terms : its margin requirements; add-ons of a run are read from its log
    """

    def __init__(self, run: Contagion, terms: Terms) -> None:
        self._run = run
        path = price_path(run)
        self.pools = first_breaches(run, path.stages)
        self.sales = sales(run, path.stages, self.pools)
        self.excess = Excess(self.pools, path, add_ons(run, path.steps), terms, run.unit_values)
        self._plain = Plain(self.excess, self.sales)

    def chosen(
        self,
        liquidations: tuple[int, ...] = (),
        accounts: tuple[int, ...] = (),
        assets: tuple[int, ...] = (),
    ) -> np.ndarray:
        """Return which sales belong to any of the liquidations, accounts or assets; (n_sales,)."""
        return self.sales.chosen(liquidations, accounts, assets)

    def headroom(self, chosen: np.ndarray) -> np.ndarray:
        """Return how far each pool's X stays from zero where it is least; (n_pools,) returns.

        X along the realised path, with what the chosen sales ate added back, over what the pool
        loses when the price of each of its assets moves against it by one, root of the sum of
        squares. Below zero is felled, infinite is a pool that is never short where its own sales
        are taken back.
        """
        return self.excess.relative(self._plain.least(chosen))

    def saved(self, chosen: np.ndarray) -> np.ndarray:
        """Return the ids of accounts all of whose pools are saved, sorted; nobody without sales."""
        if not chosen.any():
            return np.empty(0, np.int64)
        return self._standing(self.headroom(chosen))

    def saved_in_turn(self, chosen: np.ndarray, *, fades: bool = False) -> np.ndarray:
        """Return the ids of accounts that stand when everybody saved earlier does not sell either.

        So it follows who is saved by whom in turn; of new victims it knows nothing.
        """
        if not chosen.any():
            return np.empty(0, np.int64)
        return self._standing(self.headroom_in_turn(chosen, fades=fades))

    def headroom_in_turn(self, chosen: np.ndarray, *, fades: bool = False) -> np.ndarray:
        """Return the same while those who have not fallen by then do not sell; (n_pools,).

        With ``fades`` the market would have taken back the sales itself, in time: what is added
        back shrinks from step to step as the run's own gaps between mark and index close.
        """
        kept = self._kept if fades else np.ones(self._run.n_assets)
        return self.excess.relative(least_in_turn(self.excess, self.sales, chosen, kept))

    def headroom_along(self, steps: np.ndarray, marks: np.ndarray) -> np.ndarray:
        """Return the same along other prices, from the step of each pool's breach on; (n_pools,).

        Parameters
        ----------
        steps : rising, (n_moves,)
        marks : after each move, ticks, (n_moves, n_assets)
        """
        return self.excess.relative(self.excess.least_along(steps, marks))

    def _standing(self, headroom: np.ndarray) -> np.ndarray:
        return np.setdiff1d(self.pools.account, self.pools.account[headroom < 0])

    @cached_property
    def _kept(self) -> np.ndarray:
        return kept_per_step(self._run)
