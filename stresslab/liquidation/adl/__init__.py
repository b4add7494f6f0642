"""Auto-deleveraging: in which order winners are asked to give. One file per policy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from stresslab.liquidation.adl.profit_times_leverage import profit_times_leverage

#: A policy gets profit, cost and pool equity and notional of the candidates, all ``(n,)`` in
#: micro-USD, and returns their scores; the highest is asked first.
Policy = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]

ADL_POLICIES: dict[str, Policy] = {"profit_times_leverage": profit_times_leverage}
