"""What a design varies, as a reader would say it: paths that change in step are one factor."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from stresslab.experiment.config import scenario_class
from stresslab.experiment.paths import follow
from stresslab.experiment.shapes import Shape
from stresslab.report.labels import FRACTION, Label, number
from stresslab.report.source import SHOCK_SIZE, Source
from stresslab.report.words import declaration_label

#: The factor that groups of traders, when all change in step, stand for.
N_TRADERS = "n_traders"

#: The factor that the size of a lone shock is.
SIZE = "size"

_ROOT = "scenario."


@dataclass(frozen=True)
class Factor:
    """Something that the points of a design vary.

    ``of`` is the name, given by the config, of what the parameter belongs to, such as a group of
    traders. ``with_it`` names what changes in step, from its first to its last value.
    """

    key: str
    label: Label
    values: Mapping[int, Any]  # by point
    of: str = ""
    with_it: tuple[str, ...] = ()

    @property
    def is_number(self) -> bool:
        return all(isinstance(v, int | float) and v is not True for v in self.values.values())

    @property
    def levels(self) -> list[Any]:
        """Values, numbers by size and others as they first occur."""
        found = dict.fromkeys(self.values[point] for point in sorted(self.values))
        return sorted(found) if self.is_number else list(found)

    @property
    def name(self) -> str:
        """The parameter as configs and columns call it, in words."""
        return self.key.rpartition(".")[2].replace("_", " ")

    def phrase(self, point: int) -> str:
        """Return a point's value with its name: ``penalty rate 1.5 %``, ``hedgers: passive``."""
        text = level_text(self.values[point], self.label.unit)
        if self.of and not self.is_number:
            return f"{self.of}: {text}"
        return f"{self.name} {text} {unit_text(self.label.unit)}".rstrip()


def unit_text(unit: str) -> str:
    """Return a unit as it follows a number; a whole, such as ``of equity``, is left out."""
    return "%" if unit == FRACTION else unit.partition("of ")[0].strip()


def level_text(value: Any, unit: str = "") -> str:
    """Return one value of a factor in words.

    >>> level_text(0.25, "fraction"), level_text(True), level_text(None)
    ('25', 'yes', 'none')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return number(value, unit)
    return "none" if value is None else str(value)


def told_apart(values: Mapping[int, Any]) -> dict[int, Any]:
    """Return values with objects in as few words as tell them apart: the kind, or what differs.

    >>> told_apart({0: '{"kind":"hedger","tolerance":0.05}', 1: '{"kind":"passive"}'})
    {0: 'hedger', 1: 'passive'}
    """
    found = {p: json.loads(v) for p, v in values.items() if isinstance(v, str) and v[:1] == "{"}
    if len(found) < len(values):
        return dict(values)
    kinds = {p: str(content.get("kind")) for p, content in found.items()}
    distinct = {values[p]: kind for p, kind in kinds.items()}
    if len(set(distinct.values())) == len(distinct):
        return kinds
    return {p: _differing(content, list(found.values())) for p, content in found.items()}


def _differing(content: dict[str, Any], others: list[dict[str, Any]]) -> str:
    parts = [
        f"{name.replace('_', ' ')} {level_text(value)}"
        for name, value in content.items()
        if any(other.get(name) != value for other in others)
    ]
    return ", ".join(parts)


def shock_size(source: Source) -> Factor:
    """Return the size of the shock as a factor; points without one size have none."""
    values = dict(source.done.drop_nulls("x").select("point", "x").unique().sort("point").rows())
    return Factor(SIZE, SHOCK_SIZE, values)


def factors(source: Source) -> list[Factor]:
    """Return what a design varies beside the sizes of a lone shock and the assets it takes."""
    rows = source.run.outcomes.filter(design=source.design)
    points = rows.unique("point", keep="first", maintain_order=True).sort("point")
    paths = {name: path for name, path in source.columns.items() if name in points.columns}
    scenario = source.scenario(points["cell"][0])
    found = [
        _factor(scenario, path, dict(points.select("point", name).rows()))
        for name, path in paths.items()
        if points[name].n_unique() > 1 and not _is_setting(path, scenario)
    ]
    return [_merged(group, source, points) for group in _in_step(found)]


def _is_setting(path: str, scenario: Mapping[str, Any]) -> bool:
    """Tell whether a path is told by the name of the pattern and the size of the only shock."""
    ends = (".fall", ".assets") if len(scenario["market"]["shocks"]) == 1 else (".fall",)
    return path.startswith("scenario.market.shocks.") and path.endswith(ends)


def _factor(scenario: dict[str, Any], path: str, values: dict[int, Any]) -> Factor:
    shape, inner = Shape(scenario_class()), path.removeprefix(_ROOT)
    target = follow(shape, scenario, inner)
    kind = float if target.shape.options == (float,) else object
    label = declaration_label(target.shape.declaration, kind)
    text = label.text.partition(":")[0].partition(",")[0]
    of = _owner(shape, scenario, inner)
    spoken = f"{of}: {text[:1].lower()}{text[1:]}" if of else text
    return Factor(path, replace(label, text=spoken), told_apart(values), of)


def _owner(shape: Shape, scenario: dict[str, Any], path: str) -> str:
    """Return the name of the entry that a path leads through, if there are others beside it."""
    steps, value, names = path.split("."), scenario, []
    for place, step in enumerate(steps[:-1]):
        is_named = follow(shape, scenario, ".".join(steps[:place])).shape.container is dict
        if place and is_named and len(value) > 1:
            names.append(step)
        value = value[step]
    return " ".join(names)


def _in_step(found: list[Factor]) -> list[list[Factor]]:
    """Group factors that change together: one value of one goes with one value of the other."""
    groups: list[list[Factor]] = []
    for factor in found:
        for group in groups:
            if _together(group[0], factor):
                group.append(factor)
                break
        else:
            groups.append([factor])
    return groups


def _together(one: Factor, other: Factor) -> bool:
    """Tell whether two factors rise (or fall) together over all points."""
    pairs = {(_sortable(one.values[p]), _sortable(other.values[p])) for p in one.values}
    is_unique = len({a for a, _ in pairs}) == len(pairs) == len({b for _, b in pairs})
    ordered = [b for _, b in sorted(pairs)]
    is_ordered = ordered in (sorted(ordered), sorted(ordered, reverse=True))
    return is_unique and (is_ordered or not (one.is_number and other.is_number))


def _sortable(value: Any) -> tuple[str, Any]:
    return ("", value) if isinstance(value, int | float) else (type(value).__name__, str(value))


def _merged(group: list[Factor], source: Source, points: pl.DataFrame) -> Factor:
    """Return one factor for a group: the number of traders if it is that, else its first."""
    head, rest = group[0], group[1:]
    counts = [f for f in group if f.key.startswith("scenario.traders.") and _is_count(f)]
    if len(counts) > 1:
        cells = points.select("point", "cell").rows()
        values = {point: source.n_traders(cell) for point, cell in cells}
        head = Factor(N_TRADERS, Label("number of traders"), values)
        rest = [f for f in group if f not in counts]
    return replace(head, with_it=tuple(_range(f) for f in rest))


def _is_count(factor: Factor) -> bool:
    return factor.key.endswith(".count")


def _range(factor: Factor) -> str:
    first, last = (level_text(v, factor.label.unit) for v in (factor.levels[0], factor.levels[-1]))
    text = factor.label.text[:1].lower() + factor.label.text[1:]
    return f"{text} {first} to {last} {unit_text(factor.label.unit)}".rstrip()
