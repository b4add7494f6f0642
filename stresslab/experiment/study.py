"""What stands at the top of a config: the scenario, and the designs that vary it."""

from __future__ import annotations

import functools
import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from stresslab.core.declarations import declared, param
from stresslab.experiment.paths import nearest
from stresslab.experiment.shapes import OverridePath

MOST_CELLS = 1_000_000  # of one design
LARGEST_SEED = (1 << 63) - 1

#: Each figure has a file of its name; drawing itself takes seconds to load.
FIGURE_NAMES = sorted(
    file.stem
    for file in (Path(__file__).parents[1] / "report" / "figures").glob("*.py")
    if file.stem != "__init__"
)


@declared
class Range:
    """An interval that a sampled parameter is drawn from."""

    low: float = param("Lower end")
    high: float = param("Upper end")
    scale: str = param(
        "Even spacing in the value or in its log", default="linear", choices=("linear", "log")
    )

    def faults(self) -> Iterator[tuple[str, str]]:
        if self.low >= self.high:
            yield "high", f"{self.high:g} is not above low = {self.low:g}"
        elif self.scale == "log" and self.low <= 0:
            yield "low", f"{self.low:g} has no logarithm; a log scale needs low > 0"


@declared
class Sample:
    """Points spread over a box, one range per path."""

    samples: int = param("Number of points", ge=1, le=MOST_CELLS)
    ranges: dict[OverridePath, Range] = param("Range of each path")

    def faults(self) -> Iterator[tuple[str, str]]:
        if not self.ranges:
            yield "ranges", "empty; name at least one path"


@declared
class SobolSample(Sample):
    """Points of a Sobol sequence, centred in their cells."""

    def faults(self) -> Iterator[tuple[str, str]]:
        yield from super().faults()
        if self.samples & (self.samples - 1):
            yield "samples", f"{self.samples} is not a power of two, which a Sobol sequence needs"
        if len(self.ranges) > MOST_SOBOL_PATHS:
            yield "ranges", f"{len(self.ranges)} paths; at most {MOST_SOBOL_PATHS} are allowed"


MOST_SOBOL_PATHS = 10


@declared
class Points:
    """The design points, in one of five forms; without any there is one point, the scenario."""

    grid: dict[OverridePath, tuple[Any, ...]] | None = param(
        "Values of each path; all combinations, the last path varies fastest", default=None
    )
    zip: dict[OverridePath, tuple[Any, ...]] | None = param(
        "Values of each path; the first of each, the second of each, ...", default=None
    )
    list: tuple[dict[OverridePath, Any], ...] | None = param("Points written out", default=None)
    latin_hypercube: Sample | None = param("Latin hypercube over a box", default=None)
    sobol: SobolSample | None = param("Sobol sequence over a box", default=None)

    def faults(self) -> Iterator[tuple[str, str]]:
        forms = [n for n in POINT_FORMS if getattr(self, n) is not None]
        if len(forms) > 1:
            yield "", f"found {' and '.join(forms)}; expected one of {', '.join(POINT_FORMS)}"
        for form in forms:
            yield from self._empty(form)
        yield from self._repeated()
        lengths = {len(values) for values in (self.zip or {}).values()}
        if len(lengths) > 1:
            found = ", ".join(str(n) for n in sorted(lengths))
            yield "zip", f"lists of {found} values; they must be equally long"

    @property
    def n_points(self) -> int:
        """Points of the design; 0 where a form is empty."""
        if self.grid is not None:
            return math.prod(len(values) for values in self.grid.values())
        if self.zip is not None:
            return min((len(values) for values in self.zip.values()), default=0)
        if self.list is not None:
            return len(self.list)
        sample = self.latin_hypercube or self.sobol
        return sample.samples if sample is not None else 1

    def _repeated(self) -> Iterator[tuple[str, str]]:
        """Yield values that stand twice: two points of one place would pass for more replicates."""
        for path, values in (self.grid or {}).items():
            for value in _twice(values):
                yield f"grid.{path}", f"{value} stands twice; each value makes a point of its own"
        for value in _twice(self.list or ()):
            yield "list", f"the point {value} stands twice"
        for value in _twice(zip(*(self.zip or {}).values(), strict=False)):
            yield "zip", f"the point {value} stands twice"

    def _empty(self, form: str) -> Iterator[tuple[str, str]]:
        content = getattr(self, form)
        if not content:
            yield form, "empty; leave it out, or write at least one path"
        elif form in ("grid", "zip"):
            for path, values in content.items():
                if not values:
                    yield f"{form}.{path}", "empty; write at least one value"


def _twice(values: Iterable[Any]) -> Iterator[str]:
    """Yield, as text and once each, the values that stand more than once."""
    texts = Counter(json.dumps(value, default=str) for value in values)
    yield from (text for text, n in texts.items() if n > 1)


POINT_FORMS = ("grid", "zip", "list", "latin_hypercube", "sobol")


@declared
class Design:
    """An experiment: points x arms x controls x replicates of one scenario."""

    title: str = param("What the design asks", default="")
    replicates: int = param("Replicates of every point, arm and control", ge=1, le=MOST_CELLS)
    arms: dict[str, dict[OverridePath, Any]] = param(
        "Named overrides {path: value} that are compared", factory=lambda: {"base": {}}
    )
    controls: dict[str, dict[OverridePath, Any]] = param(
        "Named overrides {path: value} that every arm is run with", factory=lambda: {"feedback": {}}
    )
    points: Points = param("Design points", factory=Points)

    def faults(self) -> Iterator[tuple[str, str]]:
        for name in ("arms", "controls"):
            if not getattr(self, name):
                yield name, "empty; leave it out, or write at least one name"
        factors = (self.points.n_points, len(self.arms), len(self.controls), self.replicates)
        if math.prod(factors) > MOST_CELLS:
            points, arms, controls, replicates = (f"{n:,}" for n in factors)
            yield (
                "",
                f"{points} points x {arms} arms x {controls} controls x {replicates} replicates "
                f"are {math.prod(factors):,} cells; at most {MOST_CELLS:,} are allowed",
            )


@declared
class Record:
    """What is kept of a cell beside its outcomes."""

    events: str = param(
        "Cells whose whole event log is kept",
        default="first_replicate",
        choices=("all", "first_replicate", "none"),
    )


@declared
class Report:
    """What the report shows."""

    figures: tuple[str, ...] = param("Names of the figures, empty for all", factory=tuple)

    def faults(self) -> Iterator[tuple[str, str]]:
        for place, name in enumerate(self.figures):
            if name not in FIGURE_NAMES:
                close = nearest(name, FIGURE_NAMES)
                hint = f"did you mean '{close}'?" if close else f"known: {', '.join(FIGURE_NAMES)}"
                yield f"figures.{place}", f"unknown figure '{name}'; {hint}"


@declared
class Study:
    """A config file: what is simulated, how it is varied, what is kept and shown."""

    name: str = param("Name of the study, and of the folder of its runs")
    title: str = param("One line for tables and figures", default="")
    description: str = param("What the study asks and where its numbers come from", default="")
    seed: int = param("Seed of all chance", ge=0, le=LARGEST_SEED)
    scenario: Any = param("What is simulated")
    designs: dict[str, Design] = param("Experiments made with the scenario")
    record: Record = param("What is kept of each cell", factory=Record)
    report: Report = param("What the report shows", factory=Report)
    small: dict[OverridePath, Any] = param(
        "Overrides {path: value} that make the quick form of the study", factory=dict
    )

    def faults(self) -> Iterator[tuple[str, str]]:
        if not self.designs:
            yield "designs", "empty; write at least one design"
        if not self.name or any(c in "/\\.:" or c.isspace() for c in self.name):
            yield (
                "name",
                f"found {self.name!r}; expected letters, digits, _ and -, as in a file name",
            )


@functools.cache
def study_of(scenario: type) -> type[Study]:
    """Return the study whose ``scenario`` is of a given declared class."""
    field = param("What is simulated")
    body = {
        "__annotations__": {"scenario": scenario},
        "scenario": field,
        "__module__": __name__,
        "__doc__": Study.__doc__,
    }
    return declared(type("Study", (Study,), body))
