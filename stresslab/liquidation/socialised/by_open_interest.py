"""Both sides of the market pay per contract."""

from __future__ import annotations

from stresslab.core.declarations import declared
from stresslab.liquidation.adl.by_contracts import ByContracts


@declared
class ByOpenInterest(ByContracts):
    """Longs and shorts of the market pay the same for each contract that they hold.

    ``loss / (OI long + OI short)`` a contract. What holders cannot bear, or all of it when nobody
    holds the contract, is shared by equity.

    References
    ----------
    Drift protocol v2, funding rate deltas to resolve a bankruptcy.
    """
