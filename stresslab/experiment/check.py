"""The check of a config: its text, its values, its rules, its designs; every fault at once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path as FilePath
from typing import Any

from stresslab.experiment.complaints import Complaint
from stresslab.experiment.datafiles import data_files, replaced
from stresslab.experiment.designs import PlannedDesign, Planner
from stresslab.experiment.faults import Fault, Path, dotted
from stresslab.experiment.judge import Judge
from stresslab.experiment.overrides import Override, Variant, in_order
from stresslab.experiment.rules import broken_rules, steps_of
from stresslab.experiment.shapes import Shape, shapes
from stresslab.experiment.sources import Source
from stresslab.experiment.validation import validate
from stresslab.experiment.venues import ROOT, on_venue, own_values


class Check:
    """Collects the faults of one config; one fault does not breed another.

    After :meth:`run`, ``values`` and ``designs`` are complete if ``faults`` is empty. Data files
    stand in them by absolute path.
    """

    def __init__(self, source: Source, study: Shape) -> None:
        self.source, self.study = source, study
        self.faults = list(source.faults)
        self.values: dict[str, Any] = {}
        self.written: dict[str, Any] = {}
        self.designs: tuple[PlannedDesign, ...] = ()
        self._faulty = {steps_of(f.path, source.value) for f in source.faults if f.path}

    def run(self) -> None:
        """Check everything that can be checked."""
        if not isinstance(self.source.value, dict):
            return
        written = self._find_files((), self.study, self.source.value)
        self.written = self._find_files((), self.study, own_values(self.source))
        complete, complaints = validate(self.study, written)
        for complaint in complaints:
            if self.source.is_whole or not complaint.is_missing:
                self._note(complaint)
        broken = broken_rules(self.study, written, self._faulty, complete=complete)
        for steps, message in list(broken):
            self._note(Complaint(steps, message))
        if self.source.is_whole:
            self.values = complete or written
            self.designs = tuple(self._plan(self.values))
        if not self.faults:
            self._judge_combinations()

    def _note(self, complaint: Complaint) -> None:
        """Turn a complaint into a fault, unless its place is known to be faulty."""
        path = complaint.path
        if any(path[: len(known)] == known for known in self._faulty):
            return
        self._faulty.add(path)
        self.faults.append(Fault(self._place(complaint), dotted(path), complaint.message))

    def _place(self, complaint: Complaint) -> Any:
        if complaint.is_missing:
            return self.source.key_place(complaint.path[:-1])
        if complaint.is_about_key:
            return self.source.key_place(complaint.path)
        return self.source.place(complaint.path)

    def _find_files(self, at: Path, shape: Shape, value: Any) -> Any:
        """Make data files absolute; each is found beside the file that names it."""
        for steps, name in list(data_files(shape, value, at)):
            place = self.source.place(steps)
            folder = os.path.dirname(place.file) if place.line else ""
            file = os.path.normpath(os.path.join(folder, name))
            if os.path.isfile(file):
                value = replaced(value, steps[len(at) :], str(FilePath(file).resolve()))
            else:
                self._note(Complaint(steps, f"no such file: {file}"))
        return value

    def _plan(self, values: dict[str, Any]) -> Iterator[PlannedDesign]:
        designs, seed = values.get("designs"), values.get("seed")
        shape = shapes(self.study.options[0])["designs"].item
        planner = Planner(self.study, values, self._find_files, self._on_venue)
        for name, design in designs.items() if isinstance(designs, dict) else ():
            complete, complaints = validate(shape, design)
            is_sound = not any(path[:2] == ("designs", name) for path in self._faulty)
            if is_sound and not complaints and isinstance(seed, int):
                yield planner.plan(name, complete)
        for complaint in planner.complaints:
            self._note(complaint)

    def _on_venue(self, venue: str | None) -> tuple[Any, list[Complaint]]:
        """Return the scenario on another venue, complete, and what is wrong with it there."""
        scenario = {**self.written[ROOT], "venue": venue}
        own = replace(self.source, value={**self.written, ROOT: scenario}, pack=None)
        moved = on_venue(own, venue)
        root = shapes(self.study.options[0])[ROOT]
        return validate(root, moved.value[ROOT], (ROOT,))

    def _judge_combinations(self) -> None:
        """Check the rules of every scenario that the designs make."""
        root = shapes(self.study.options[0])[ROOT]
        judge = Judge(root, self.values[ROOT])
        judged: set[tuple[Path, ...]] = set()
        for design in self.designs:
            for variants in design.combinations():
                overrides = in_order(variants)
                made_of = tuple(o.written_at for o in overrides)
                is_sampled = any("ranges" in steps for steps in made_of)
                if overrides and (is_sampled or made_of not in judged):
                    judged.add(made_of)
                    self._judge(judge, variants, overrides)

    def _judge(
        self, judge: Judge, variants: tuple[Variant, Variant, Variant], overrides: list[Override]
    ) -> None:
        point, arm, control = variants
        name = f"with arm '{arm.name}', control '{control.name}', point {point.name}"
        try:
            for where, message in judge.broken_rules(overrides):
                blamed = _blamed(overrides, where.split("."))
                self._note(Complaint(blamed.written_at, f"{name}: {ROOT}.{where}: {message}"))
        except LookupError as error:
            override: Override = error.args[0]
            message = f"{name} there is no such parameter, so nothing is overridden"
            self._note(Complaint(override.written_at, message, is_about_key=True))


def _blamed(overrides: list[Override], steps: list[str]) -> Override:
    """Return the override nearest to a broken rule, the first among equals."""

    def in_common(override: Override) -> int:
        return sum(str(a) == b for a, b in zip(override.steps, steps, strict=False))

    return max(overrides, key=in_common)
