"""A small declared scenario for tests of ``experiment/``: every feature of declarations."""

from __future__ import annotations

from collections.abc import Iterator

from stresslab.core.declarations import declared, param


@declared
class Asset:
    """An asset whose tick must divide a unit."""

    price_usd: float = param("Price", unit="USD", gt=0, le=1e9)
    tick_usd: float = param("Tick", unit="USD", gt=0, default=0.5)

    def faults(self) -> Iterator[tuple[str, str]]:
        if self.price_usd % self.tick_usd:
            yield (
                "tick_usd",
                f"{self.price_usd:g} USD is no whole number of ticks of {self.tick_usd:g}",
            )


@declared
class SquareRoot:
    """One kind of impact."""

    coefficient: float = param("Impact coefficient", default=0.7, symbol="Y", ge=0, le=5)


@declared
class Exponential:
    """Another kind of impact."""

    depth_lots: int = param("Depth", unit="lots", ge=1)
    rate: float = param("Rate", default=0.1, unit="per s", gt=0)


@declared
class Replay:
    """A kind that reads a file."""

    file: str = param("Bars", is_path=True)

    def faults(self) -> Iterator[tuple[str, str]]:
        with open(self.file, encoding="utf-8") as stream:
            times = [int(line) for line in stream]
        if times != sorted(times):
            yield "file", "bars are out of order"


IMPACTS = {"square_root": SquareRoot, "exponential": Exponential, "replay": Replay}


@declared
class Traders:
    """A group of traders."""

    count: int = param("Traders", ge=1, le=1_000_000)
    mode: str = param("Margin mode", default="cross", choices=("isolated", "cross"))
    leverage: float = param("Leverage", unit="x", default=5.0, ge=1, le=125)
    is_long: bool = param("Long", default=True)
    stop_loss: float | None = param("Stop-loss", unit="of the price", default=None, gt=0, lt=1)


@declared
class Shock:
    """A fall."""

    assets: tuple[str, ...] = param("Assets that fall")
    fall: float = param("Size of the fall", unit="of the price", ge=0, lt=1)


@declared
class ToyScenario:
    """The root."""

    duration_seconds: float = param("Length", unit="s", gt=0, default=60.0)
    assets: dict[str, Asset] = param("Assets")
    impact: SquareRoot | Exponential | Replay = param(
        "Impact law", kinds=IMPACTS, factory=SquareRoot
    )
    shocks: dict[str, Shock] = param("Shocks", factory=dict)
    traders: dict[str, Traders] = param("Groups of traders", factory=dict)
    feedback: str = param("Feedback", default="market", choices=("market", "none"))

    def faults(self) -> Iterator[tuple[str, str]]:
        for name, shock in self.shocks.items():
            for place, asset in enumerate(shock.assets):
                if asset not in self.assets:
                    yield f"shocks.{name}.assets.{place}", f"unknown asset {asset!r}"
