"""By how much absolute returns remember more than their own shuffles, and how surely.

``python -m stresslab.validation.stylised.memory`` draws the runs again that the numbers here come
from, under seeds that the experiment never uses.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from stresslab.validation.experiment import seed_of
from stresslab.validation.stylised import market
from stresslab.validation.stylised.moments import clustering

SHUFFLES = 99
_RUNS = 48
_FIRST = 100  # number of the first seed


class Beyond(NamedTuple):
    """Memory of one run beyond the largest of its shuffles: mean and deviation of 48 runs."""

    mean: float
    deviation: float

    def chance_of_none(self, runs: int) -> float:
        """Return the chance that so many runs remember no more than shuffles, on average."""
        from scipy.stats import t

        error = self.deviation * math.sqrt(1 / runs + 1 / _RUNS)
        return float(t.sf(self.mean / error, _RUNS - 1))

    def __str__(self) -> str:
        return f"{self.mean:g} ± {self.deviation:g} beyond shuffles each"


ONE_DAY, TWO_DAYS = Beyond(0.221, 0.060), Beyond(0.266, 0.063)


def beyond_shuffles(returns: np.ndarray, seed: int) -> float:
    """Return the mean memory of runs, less the largest of as many means of shuffled runs.

    Parameters
    ----------
    returns : shape ``(n_runs, n_minutes)``
    """
    draws, sizes = np.random.default_rng(seed), np.abs(returns)
    shuffled = [
        np.mean([clustering(draws.permutation(row)) for row in sizes]) for _ in range(SHUFFLES)
    ]
    return float(np.mean([clustering(row) for row in sizes]) - max(shuffled))


def main() -> None:
    """Print mean and deviation over runs of one day and of two."""
    for days in (1.0, 2.0):
        scenario = market.scenario(days=days)
        found = [
            beyond_shuffles(market.bars(market.played(scenario, seed, 0))[0][None], seed)
            for seed in (seed_of("stylised", _FIRST + k) for k in range(_RUNS))
        ]
        print(f"{days:g} days: {np.mean(found):.3f} ± {np.std(found, ddof=1):.3f}")


if __name__ == "__main__":
    main()
