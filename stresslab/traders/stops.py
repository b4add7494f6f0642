"""What a config says about a group's stop orders: which price triggers them, how they execute."""

from __future__ import annotations

from collections.abc import Iterator

from stresslab.core.declarations import declared, param

#: Prices that may trigger a stop order, in the order of the rows that the engine compares with.
TRIGGERS = ("mark", "last", "index")


@declared
class StopOrders:
    """Stop-losses and take-profits of a group; which traders set them is up to the strategy."""

    trigger: str = param(
        "Price that triggers stop orders: the mark, the last trade or the index",
        default="mark",
        choices=TRIGGERS,
    )
    execution: str = param(
        "What a triggered stop sends: a market order, or a limit order that waits until it is "
        "filled",
        default="market",
        choices=("market", "limit"),
    )
    limit_offset: float = param(
        "How far beyond the trigger the limit of a limit order lies, against the trader",
        unit="of the trigger",
        default=0.0,
        ge=0,
        lt=1,
    )

    @property
    def offset(self) -> float:
        """The limit offset, or MARKET_STOP where stops execute at market."""
        return self.limit_offset if self.execution == "limit" else MARKET_STOP

    def faults(self) -> Iterator[tuple[str, str]]:
        if self.execution == "market" and self.limit_offset > 0:
            yield (
                "limit_offset",
                f"{self.limit_offset:g} has no meaning for market orders; it needs execution "
                "'limit'",
            )


#: Offset of a stop that executes at market.
MARKET_STOP = -1.0
