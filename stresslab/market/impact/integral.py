"""The area under an impact law: what a flow pays on its way."""

from __future__ import annotations

from decimal import Decimal, localcontext

import numpy as np

from stresslab.core.compiled import kernel
from stresslab.core.portable import exp
from stresslab.market.impact.formula import displacement

_STEP = Decimal("0.125")
_REACH = 26  # steps to either side; beyond, weights are below 1e-17


def _rule() -> tuple[np.ndarray, np.ndarray]:
    """Return nodes in (0, 1) and weights of the tanh-sinh rule, rounded from exact decimals.

    It is chosen because power laws have no derivative at zero flow, which it does not mind.

    References
    ----------
    Takahasi and Mori (1974), Double exponential formulas for numerical integration, Publications
    of the Research Institute for Mathematical Sciences 9, 721-741.
    """
    with localcontext() as context:
        context.prec = 40
        half_pi = Decimal("1.570796326794896619231321691639751442099")
        nodes, weights = [], []
        for place in range(-_REACH, _REACH + 1):
            grown = (_STEP * place).exp()
            sinh, cosh = (grown - 1 / grown) / 2, (grown + 1 / grown) / 2
            node = 1 / (1 + (-2 * half_pi * sinh).exp())
            nodes.append(node)
            weights.append(cosh * node * (1 - node))
        whole = sum(weights)
        return (
            np.array([float(node) for node in nodes]),
            np.array([float(weight / whole) for weight in weights]),
        )


_NODES, _WEIGHTS = _rule()


@kernel
def mean_factor(law: np.ndarray, shape: np.ndarray, x: float, lowest: float) -> float:
    """Return the mean of price over index while the flow goes from 0 to ``x`` depths.

    ``lowest`` is the smallest price over index that the book allows, one tick.
    """
    mean = 0.0
    for place in range(_NODES.size):
        moved = displacement(law, x * _NODES[place], shape)
        mean += _WEIGHTS[place] * max(exp(moved), lowest)
    return mean
