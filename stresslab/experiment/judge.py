"""Judges every scenario that designs make, at the cost of what each of them changes.

A scenario that was found sound is kept as objects. Overrides replace some of them; the rules that
are asked again are those of the new objects and of the objects around them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any

from stresslab.core import declarations
from stresslab.experiment.faults import Path
from stresslab.experiment.overrides import Override
from stresslab.experiment.shapes import Shape, shapes


class Judge:
    """Knows a sound scenario and judges what overrides make of it."""

    def __init__(self, shape: Shape, scenario: dict[str, Any]) -> None:
        self.shape = shape
        self.sound = built(shape, scenario)

    def broken_rules(self, overrides: Iterable[Override]) -> Iterator[tuple[str, str]]:
        """Yield path and message of each rule that the scenario breaks with these overrides.

        Raises
        ------
        LookupError
            If an override leads nowhere; the argument is the override.
        """
        ordered = sorted(overrides, key=lambda o: len(o.steps))
        scenario = self.sound
        for override in ordered:
            try:
                scenario = _replaced(self.shape, scenario, override.steps, override.value)
            except (KeyError, IndexError, ValueError):
                raise LookupError(override) from None
        yield from self._around(scenario, ordered)
        for override in ordered:
            path = ".".join(str(step) for step in override.steps)
            yield from declarations.faults(_at(scenario, override.steps), path)

    def _around(self, scenario: Any, overrides: list[Override]) -> Iterator[tuple[str, str]]:
        """Ask the objects that hold what is overridden, innermost first."""
        around = {o.steps[:depth] for o in overrides for depth in range(len(o.steps))}
        for steps in sorted(around, key=lambda s: (-len(s), [str(step) for step in s])):
            rules = getattr(_at(scenario, steps), "faults", None)
            for where, message in rules() if rules else ():
                yield ".".join([*map(str, steps), *([where] if where else [])]), message


def built(shape: Shape, value: Any) -> Any:
    """Return the objects that a complete plain value stands for."""
    cls = shape.class_of(value)
    if cls is not None:
        return declarations.build(cls, value)
    if shape.container is dict and isinstance(value, dict):
        return {key: built(shape.item, item) for key, item in value.items()}
    if shape.container is tuple and isinstance(value, list):
        return tuple(built(shape.item, item) for item in value)
    return value


def _replaced(shape: Shape, owner: Any, steps: Path, value: Any) -> Any:
    """Return objects with one of them replaced; everything beside the way is shared."""
    if not steps:
        return built(shape, value)
    step, *rest = steps
    if isinstance(owner, dict):
        return {**owner, step: _replaced(shape.item, owner[step], tuple(rest), value)}
    if isinstance(owner, tuple):
        items = list(owner)
        items[int(step)] = _replaced(shape.item, items[int(step)], tuple(rest), value)
        return tuple(items)
    cls: type = type(owner)
    if not declarations.is_declared(cls):
        raise KeyError(step)
    inner = shapes(cls)[str(step)]
    new = _replaced(inner, getattr(owner, str(step)), tuple(rest), value)
    return dataclasses.replace(owner, **{str(step): new})


def _at(value: Any, steps: Path) -> Any:
    for step in steps:
        if isinstance(value, dict):
            value = value[step]
        elif isinstance(value, tuple):
            value = value[int(step)]
        else:
            value = getattr(value, str(step))
    return value
