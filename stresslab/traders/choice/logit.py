"""Discrete choice: cross margin by the logit of what the trader can see."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from stresslab.core.declarations import declared, param

if TYPE_CHECKING:
    from stresslab.core.columns import Orders
    from stresslab.traders.group import Group, StepDraws


class View(NamedTuple):
    """What a trader sees of itself when it opens a position."""

    free_share: float  # free collateral over equity, 0 to 1
    n_others: int  # positions held beside the one it opens
    offset: float  # part of the book's risk that its positions cancel, 0 to 1
    risk_aversion: float  # standardised
    experience: float  # own liquidations under isolated margin less those under cross


class Coefficients(NamedTuple):
    """The declared coefficients, in the order in which kernels read them."""

    constant: float
    free_collateral: float
    other_positions: float
    offsetting: float
    risk_aversion: float
    experience: float


@declared
class Logit:
    """The utility of cross margin over isolated margin, plus logistic noise, decides.

    ``offset`` is one minus the standard deviation of the book over the sum of those of its legs:
    0 for a single position, 1 for a perfect hedge.

    References
    ----------
    McFadden (1974), Conditional logit analysis of qualitative choice behavior, equation 12.
    """

    constant: float = param("Utility of cross margin by itself", default=0.0, ge=-20, le=20)
    free_collateral: float = param(
        "Utility of all collateral being free; free collateral at risk favours isolated margin",
        default=-1.0,
        ge=-20,
        le=20,
    )
    other_positions: float = param(
        "Utility of each further position held", default=0.2, ge=-20, le=20
    )
    offsetting: float = param("Utility of a perfectly hedged book", default=3.0, ge=-20, le=20)
    risk_aversion: float = param(
        "Utility of one standard deviation of risk aversion", default=-0.5, ge=-20, le=20
    )
    experience: float = param(
        "Utility of each own liquidation under isolated margin less each under cross",
        default=0.5,
        ge=-20,
        le=20,
    )

    def probability(self, view: View) -> float:
        """Return the probability of choosing cross margin."""
        utility = (
            self.constant
            + self.free_collateral * view.free_share
            + self.other_positions * view.n_others
            + self.offsetting * view.offset
            + self.risk_aversion * view.risk_aversion
            + self.experience * view.experience
        )
        return 1.0 / (1.0 + math.exp(-utility))

    def coefficients(self) -> Coefficients:
        """Return the coefficients as kernels read them."""
        return Coefficients(*(getattr(self, name) for name in Coefficients._fields))

    def choose_first(self, group: Group, draws: StepDraws) -> None:
        """Choose the modes of the group's first positions, from the books as they are planned."""
        from stresslab.traders.kernels.choice import choice_columns, choose_first_by_logit

        group.choice_memory = self.coefficients(), choice_columns(group)
        coefficients, columns = group.choice_memory
        key = draws.streams["margin_mode"]
        choose_first_by_logit(group.members, coefficients, group.sight, columns, key)

    def choose(self, group: Group, draws: StepDraws, orders: Orders, first: int, last: int) -> None:
        """Choose the mode of every position that orders ``first`` to ``last`` would open."""
        from stresslab.traders.kernels.choice import choose_by_logit

        coefficients, columns = group.choice_memory
        key, step = draws.streams["margin_mode_at_opening"], draws.step
        choose_by_logit(orders, first, last, coefficients, group.sight, columns, step, key)
