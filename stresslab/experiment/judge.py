"""Judges every scenario that designs make, at the cost of what each of them changes.

A scenario that was found sound is kept as objects. Overrides replace some of them; the rules that
are asked again are those of the new objects and of the objects around them.
"""

from __future__ import annotations

import functools
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
        self._scenario = scenario

    @functools.cached_property
    def sound(self) -> Any:
        """The scenario as objects; without overrides nobody asks for them."""
        return built(self.shape, self._scenario)

    def broken_rules(self, overrides: Iterable[Override]) -> Iterator[tuple[str, str]]:
        """Yield path and message of each rule that the scenario breaks with these overrides.

        Raises
        ------
        LookupError
            If an override leads nowhere; the argument is the override.
        """
        ordered = sorted(overrides, key=lambda o: len(o.steps))
        scenario = _overlaid(self.shape, self.sound, [(o.steps, o) for o in ordered])
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


def _overlaid(shape: Shape, owner: Any, overrides: list[tuple[Path, Override]]) -> Any:
    """Return objects with some inside replaced; everything beside the ways there is shared.

    Each override comes with the steps that are left to its place, shorter ways first.
    """
    inside: dict[Any, list[tuple[Path, Override]]] = {}
    for steps, override in overrides:
        if steps:
            inside.setdefault(steps[0], []).append((steps[1:], override))
        else:
            owner = built(shape, override.value)
    new = {}
    for step, below in inside.items():
        try:
            key, inner, value = _child(shape, owner, step)
        except (KeyError, IndexError, ValueError):
            raise LookupError(below[0][1]) from None
        new[key] = _overlaid(inner, value, below)
    return _with(owner, new) if new else owner


def _child(shape: Shape, owner: Any, step: str | int) -> tuple[Any, Shape, Any]:
    """Return what stands one step inside, with its key and its shape."""
    if isinstance(owner, dict):
        return step, shape.item, owner[step]
    if isinstance(owner, tuple):
        return int(step), shape.item, owner[int(step)]
    cls: type = type(owner)
    if not declarations.is_declared(cls):
        raise KeyError(step)
    return str(step), shapes(cls)[str(step)], getattr(owner, str(step))


def _with(owner: Any, new: dict[Any, Any]) -> Any:
    if isinstance(owner, dict):
        return owner | new
    if isinstance(owner, tuple):
        return tuple(new.get(place, item) for place, item in enumerate(owner))
    return declarations.replaced(owner, new)


def _at(value: Any, steps: Path) -> Any:
    for step in steps:
        if isinstance(value, dict):
            value = value[step]
        elif isinstance(value, tuple):
            value = value[int(step)]
        else:
            value = getattr(value, str(step))
    return value
