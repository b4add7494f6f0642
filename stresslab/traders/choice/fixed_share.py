"""Fixed share: each trader belongs to one margin mode for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stresslab.core.declarations import declared, param

if TYPE_CHECKING:
    from stresslab.core.columns import Orders
    from stresslab.traders.group import Group, StepDraws


@declared
class FixedShare:
    """A trader is a cross trader if its one draw lies below the share.

    The draw does not depend on the share, so whoever uses cross margin at one share uses it at
    every larger one: arms and points of a sweep are nested.
    """

    cross_share: float = param("Share of traders who use cross margin", ge=0, le=1)

    def choose_first(self, group: Group, draws: StepDraws) -> None:
        """Set the modes of the group's first positions, which are the modes of all later ones."""
        from stresslab.traders.kernels.choice import choose_by_share

        sight, key = group.sight, draws.streams["margin_mode"]
        chosen = group.accounts.chosen_mode
        choose_by_share(group.members, self.cross_share, sight.id, sight.is_spot, chosen, key)

    def choose(self, group: Group, draws: StepDraws, orders: Orders, first: int, last: int) -> None:
        """Keep what was chosen at the start."""
