"""What else an account holds: the file that ``stresslab margin --cross`` reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stresslab.core.declarations import build, declared, faults, param
from stresslab.experiment.documents import read_document
from stresslab.experiment.faults import ConfigFaults, Fault, Place, dotted
from stresslab.experiment.shapes import Shape
from stresslab.experiment.validation import validate


@declared
class Holding:
    """A position beside the one that is asked about, at a mark price that stands."""

    asset: str = param("Asset, by the name of its leverage table")
    kind: str = param("Contract", default="perpetual", choices=("perpetual", "spot"))
    side: str = param("Side; spot is held long", default="long", choices=("long", "short"))
    quantity: float = param("Size without sign", unit="base units", gt=0, le=1e12)
    entry_usd: float | None = param(
        "Price it was opened at; empty is the mark: no profit yet", unit="USD", default=None, gt=0
    )
    mark_usd: float = param("Mark price", unit="USD", gt=0, le=1e9)

    def faults(self) -> Iterator[tuple[str, str]]:
        if self.kind == "spot" and self.side == "short":
            yield "side", "found 'short'; spot is held long, and paid in full"


@declared
class Holdings:
    """A cross account without the position that is asked about."""

    wallet_usd: float | None = param(
        "Money in the wallet, profit not realised left out and spot already paid", unit="USD",
        default=None, ge=-1e12, le=1e12,
    )  # fmt: skip
    positions: tuple[Holding, ...] = param("Its other cross positions", default=())

    def faults(self) -> Iterator[tuple[str, str]]:
        names = [holding.asset for holding in self.positions]
        for place, name in enumerate(names):
            if name in names[:place]:
                yield f"positions.{place}.asset", f"{name!r} is held already; one position each"


def read_holdings(file: str) -> Holdings:
    """Read a YAML file of holdings.

    Raises
    ------
    ConfigError
        With every fault of the file.
    """
    document = read_document(file)
    found = list(document.faults)
    if not found:
        found = list(_faults(document.value, document.places))
    if found:
        raise ConfigFaults(file, found)
    return build(Holdings, validate(Shape(Holdings), document.value)[0])


def _faults(value: Any, places: dict[Any, Place]) -> Iterator[Fault]:
    complete, complaints = validate(Shape(Holdings), value)
    for complaint in complaints:
        path = complaint.path[:-1] if complaint.is_missing else complaint.path
        yield Fault(places[path], dotted(complaint.path), complaint.message)
    if complete is not None:
        for where, message in faults(build(Holdings, complete)):
            path = tuple(int(step) if step.isdigit() else step for step in where.split("."))
            yield Fault(places.get(path, places[()]), where, message)
