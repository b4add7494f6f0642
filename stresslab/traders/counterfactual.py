"""What a twin changes against the run that it is held against; everything else stays the same.

Chance has an address, so a twin meets the same luck in all that its change does not reach.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from stresslab.core.declarations import declared, param
from stresslab.traders.rules import IDS_PER_GROUP, TraderGroup


@declared
class Counterfactual:
    """One thing changed, from the start or from a step on, with prices free to differ."""

    from_step: int | None = param(
        "First step of the change, as the event log counts; from the start where none is given",
        default=None,
        ge=1,
    )
    remove: tuple[int, ...] = param(
        "Ids of accounts that leave: their orders are withdrawn and `external` takes over their "
        "positions and their money, so that nobody has to trade with them",
        default=(),
        ge=0,
    )
    make_isolated: tuple[int, ...] = param(
        "Ids of accounts whose positions are opened in isolated mode", default=(), ge=0
    )
    make_cross: tuple[int, ...] = param(
        "Ids of accounts whose positions are opened in cross mode", default=(), ge=0
    )
    without_stop_orders: bool = param(
        "Whether stop-losses and take-profits are ignored", default=False
    )
    feedback: str | None = param(
        "What forced orders do to prices, where it differs from liquidation.feedback",
        default=None,
        choices=("market", "slipped", "no_feedback"),
    )

    quiet_assets: tuple[str, ...] = param(
        "Assets in which forced orders move no price: they fill at the mark, against `external`",
        default=(),
    )

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing is changed."""
        return not (
            self.remove or self.make_isolated or self.make_cross or self.without_stop_orders
            or self.feedback or self.quiet_assets
        )  # fmt: skip

    def faults(self) -> Iterator[tuple[str, str]]:
        for name in set(self.make_isolated) & set(self.make_cross):
            yield "make_cross", f"account {name} is made isolated too; choose one"

    def faults_in(
        self, groups: Mapping[str, TraderGroup], assets: Sequence[str], last_step: int
    ) -> Iterator[tuple[str, str]]:
        """Yield a fault for every account, asset and step that the scenario does not have."""
        if self.from_step is not None and self.from_step > last_step:
            yield "from_step", f"{self.from_step} is after the last step, {last_step}"
        yield from self._unknown_accounts(groups)
        for place, name in enumerate(self.quiet_assets):
            if name not in assets:
                yield (
                    f"quiet_assets.{place}",
                    f"no asset is named {name!r}, only {', '.join(assets)}",
                )

    def _unknown_accounts(self, groups: Mapping[str, TraderGroup]) -> Iterator[tuple[str, str]]:
        sizes = [group.count or len(group.accounts) for group in groups.values()]
        for field in ("remove", "make_isolated", "make_cross"):
            for place, name in enumerate(getattr(self, field)):
                group, number = divmod(name, IDS_PER_GROUP)
                if group >= len(sizes) or number >= sizes[group]:
                    yield f"{field}.{place}", _no_such(name, dict(zip(groups, sizes, strict=True)))


def _no_such(name: int, sizes: Mapping[str, int]) -> str:
    ranges = (
        f"{place * IDS_PER_GROUP} to {place * IDS_PER_GROUP + size - 1} ({group})"
        for place, (group, size) in enumerate(sizes.items())
    )
    return f"no account has the id {name}; ids are {', '.join(ranges)}"
