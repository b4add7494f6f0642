"""A design's arms, controls and points, each override found in the scenario and checked there."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from stresslab.experiment import wording
from stresslab.experiment.complaints import Complaint
from stresslab.experiment.datafiles import data_files
from stresslab.experiment.faults import Path
from stresslab.experiment.overrides import Override, Variant
from stresslab.experiment.paths import NoSuchPath, Target, Unclear, follow, nearest
from stresslab.experiment.points import written_points
from stresslab.experiment.shapes import Shape, shapes
from stresslab.experiment.validation import validate
from stresslab.experiment.venues import PATH as VENUE
from stresslab.experiment.venues import ROOT, SECTIONS

SAMPLED_FORMS = ("latin_hypercube", "sobol")

#: Puts the scenario on another venue: complete values, or complaints.
OnVenue = Callable[[str | None], tuple[Any, list[Complaint]]]
#: Makes the data files that a value names absolute: (steps, shape, value) -> value.
FindFiles = Callable[[Path, Shape, Any], Any]


@dataclass(frozen=True)
class PlannedDesign:
    """A design whose overrides are complete values, ready to be laid over the scenario."""

    name: str
    replicates: int
    arms: tuple[Variant, ...]
    controls: tuple[Variant, ...]
    points: tuple[Variant, ...]

    def combinations(self) -> Iterator[tuple[Variant, Variant, Variant]]:
        """Yield every (point, arm, control), the control varying fastest."""
        yield from itertools.product(self.points, self.arms, self.controls)


@dataclass
class Planner:
    """Reads one design out of a study; what is wrong with it is in ``complaints``.

    ``at`` in every method are the steps in the config at which something is written.
    """

    study: Shape
    values: dict[str, Any]
    find_files: FindFiles
    on_venue: OnVenue
    complaints: list[Complaint] = field(default_factory=list)
    _targets: dict[Path, Target | None] = field(default_factory=dict)
    _overrides: dict[Path, Override | None] = field(default_factory=dict)
    _venues: dict[Path, tuple[Override, ...]] = field(default_factory=dict)
    _replaced: list[tuple[str, Any]] = field(default_factory=list)

    def plan(self, name: str, design: dict[str, Any]) -> PlannedDesign:
        """Return the design, complete only where it caused no complaints."""
        at: Path = ("designs", name)
        self._replaced = [*_replaced_parts(design), *self._replaced_by_venues(design)]
        arms = self._variants((*at, "arms"), design["arms"])
        controls = self._variants((*at, "controls"), design["controls"])
        points = self._points((*at, "points"), design["points"])
        self._refuse_double(arms, controls, points)
        return PlannedDesign(name, design["replicates"], arms, controls, points)

    def _variants(self, at: Path, named: dict[str, dict[str, Any]]) -> tuple[Variant, ...]:
        return tuple(
            self._variant(name, {path: (value, (*at, name, path)) for path, value in paths.items()})
            for name, paths in named.items()
        )

    def _points(self, at: Path, points: dict[str, Any]) -> tuple[Variant, ...]:
        for form in SAMPLED_FORMS:
            for path, interval in ((points[form] or {}).get("ranges") or {}).items():
                self._check_range(path, interval, (*at, form, "ranges", path))
        written = written_points(points, self.values["seed"])
        return tuple(
            self._variant(
                str(n), {path: (value, (*at, *where)) for path, (value, where) in p.items()}
            )
            for n, p in enumerate(written)
        )

    def _variant(self, name: str, values: dict[str, tuple[Any, Path]]) -> Variant:
        found = [self._override(path, value, at) for path, (value, at) in values.items()]
        overrides = [o for o in found if o is not None]
        implied = [i for o in overrides if o.path == VENUE for i in self._implied(o)]
        return Variant(name, (*implied, *overrides))

    def _implied(self, venue: Override) -> tuple[Override, ...]:
        """Return what another venue puts in place of the rules of the scenario's own."""
        at = venue.written_at
        if at not in self._venues:
            self._venues[at] = tuple(self._sections(venue.value, at))
        return self._venues[at]

    def _sections(self, venue: str | None, at: Path) -> Iterator[Override]:
        scenario, complaints = self.on_venue(venue)
        for complaint in complaints:
            place = ".".join(str(step) for step in (ROOT, *complaint.path))
            self._complain(Complaint(at, f"on this venue {place}: {complaint.message}"))
        for name in SECTIONS if not complaints else ():
            shape = shapes(self._scenario_class)[name]
            files = tuple(steps for steps, _ in data_files(shape, scenario[name]))
            path = f"{ROOT}.{name}"
            yield Override(path, (name,), scenario[name], at, files, is_implied=True)

    @property
    def _scenario_class(self) -> type:
        shape: Shape = shapes(self.study.options[0])[ROOT]
        return cast(type, shape.options[0])

    def _override(self, path: str, value: Any, at: Path) -> Override | None:
        if at[-2:-1] == ("ranges",) and at[2] == "points":
            target = self._targets.get(at)
            return Override(path, target.steps[1:], _fitted(value, target), at) if target else None
        if at not in self._overrides:
            self._overrides[at] = self._checked(path, value, at)
        return self._overrides[at]

    def _checked(self, path: str, value: Any, at: Path) -> Override | None:
        target = self._target(path, at)
        if target is None:
            return None
        value = self.find_files(at, target.shape, value)
        complete, complaints = validate(target.shape, value, target.steps)
        for complaint in complaints:
            self._complain(complaint._replace(path=(*at, *complaint.path)))
        if complaints:
            return None
        files = tuple(steps for steps, _ in data_files(target.shape, complete))
        return Override(path, target.steps[1:], complete, at, files)

    def _check_range(self, path: str, interval: dict[str, Any], at: Path) -> None:
        target = self._target(path, at)
        if target is None:
            return
        if target.shape.options not in ((int,), (float,)):
            allowed = wording.expected(target.shape)
            self._complain(Complaint(at, f"only numbers can be sampled; here stands {allowed}"))
            return
        ends = {
            end: validate(target.shape, _fitted(interval[end], target)) for end in ("low", "high")
        }
        for end, (_, complaints) in ends.items():
            for complaint in complaints:
                self._complain(complaint._replace(path=(*at, end)))
        self._targets[at] = target

    def _target(self, path: str, at: Path) -> Target | None:
        if path.partition(".")[0] != ROOT or path == ROOT:
            self._complain_of_path(at, self._outside_scenario(path))
            return None
        try:
            return follow(self.study, self.values, path)
        except Unclear:
            return None
        except NoSuchPath as error:
            target = self._inside_replaced(path)
            if target is None:
                self._complain_of_path(at, str(error))
            return target

    def _inside_replaced(self, path: str) -> Target | None:
        """Look for a path inside the parts that an arm or a control puts in place of others."""
        for owner, value in self._replaced:
            if not path.startswith(owner + "."):
                continue
            try:
                outer = follow(self.study, self.values, owner)
                inner = follow(outer.shape, value, path[len(owner) + 1 :])
            except (NoSuchPath, Unclear):
                continue
            return Target((*outer.steps, *inner.steps), inner.shape)
        return None

    def _replaced_by_venues(self, design: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        for variants in (design["arms"], design["controls"]):
            for paths in variants.values():
                if isinstance(paths.get(VENUE), str):
                    scenario, _ = self.on_venue(paths[VENUE])
                    yield from ((f"{ROOT}.{name}", scenario[name]) for name in SECTIONS if scenario)

    def _outside_scenario(self, path: str) -> str:
        head, _, rest = path.partition(".")
        candidate = f"{ROOT}.{rest}" if nearest(head, [ROOT]) else f"{ROOT}.{path}"
        try:
            follow(self.study, self.values, candidate)
        except (NoSuchPath, Unclear):
            return f"an override names a path inside '{ROOT}'"
        return f"an override names a path inside '{ROOT}'; did you mean '{candidate}'?"

    def _complain_of_path(self, at: Path, message: str) -> None:
        """Complain at the path itself, not at one of the values that are listed for it."""
        is_listed = isinstance(at[-1], int)
        self._complain(Complaint(at[:-1] if is_listed else at, message, is_about_key=True))

    def _complain(self, complaint: Complaint) -> None:
        if complaint not in self.complaints:
            self.complaints.append(complaint)

    def _refuse_double(self, *groups: Iterable[Variant]) -> None:
        """Refuse a path that two of arm, control and point override: which one would win?"""
        owners: dict[str, str] = {}
        for name, group in zip(("an arm", "a control", "a point"), groups, strict=True):
            overrides = {o.path: o for variant in group for o in variant.overrides}
            for path in [p for p in overrides if p in owners]:
                message = f"overridden by {owners[path]} and by {name}; one of them must leave it"
                self._complain_of_path(overrides[path].written_at, message)
            owners.update(dict.fromkeys(overrides, name))


def _replaced_parts(design: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for variants in (design["arms"], design["controls"]):
        for paths in variants.values():
            yield from ((path, value) for path, value in paths.items() if isinstance(value, dict))


def _fitted(value: float, target: Target) -> float | int:
    return round(value) if target.shape.options == (int,) else value
