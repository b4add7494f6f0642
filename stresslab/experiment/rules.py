"""Rules that span several parameters: the ``faults()`` of declared classes, over plain values.

Where a part of a config is faulty, its sound parts are judged all the same: rules of the objects
around the fault stay silent, so that one fault does not breed another.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stresslab.core import declarations
from stresslab.experiment.faults import Path
from stresslab.experiment.paths import first_step
from stresslab.experiment.shapes import Shape, shapes
from stresslab.experiment.validation import validate

Broken = tuple[Path, str]  # steps, message


def broken_rules(
    shape: Shape, value: Any, faulty: set[Path], path: Path = (), complete: Any = None
) -> Iterator[Broken]:
    """Yield the rules that a plain value breaks; ``faulty`` are the steps already complained of.

    ``complete`` is the same value with every default written out, where that is known.
    """
    if not isinstance(value, dict | list):
        return
    if (
        isinstance(value, dict)
        and shape.is_object
        and not any(f[: len(path)] == path for f in faulty)
    ):
        yield from _judge(shape, value, path, complete)
        return
    for step, inner in _inside(shape, value):
        yield from broken_rules(inner, value[step], faulty, (*path, step))


def _judge(shape: Shape, value: dict[str, Any], path: Path, complete: Any) -> Iterator[Broken]:
    if complete is None:
        complete, _ = validate(shape, value)
    cls = shape.class_of(value)
    if complete is None or cls is None:
        return
    for where, message in declarations.faults(declarations.build(cls, complete)):
        yield (*path, *steps_of(where, complete)), message


def _inside(shape: Shape, value: dict[str, Any] | list[Any]) -> Iterator[tuple[Any, Shape]]:
    if shape.container is dict and isinstance(value, dict):
        yield from ((key, shape.item) for key in value)
    elif shape.container is tuple and isinstance(value, list):
        yield from ((place, shape.item) for place in range(len(value)))
    elif isinstance(value, dict):
        known = shapes(cls) if (cls := shape.class_of(value)) else {}
        yield from ((name, known[name]) for name in value if name in known)


def steps_of(path: str, value: Any) -> Path:
    """Split a dotted path along the values it goes through; names may hold dots themselves."""
    steps: list[str | int] = []
    while path:
        step, path = first_step(path, value)
        if isinstance(value, list) and step.isdigit() and int(step) < len(value):
            steps.append(int(step))
            value = value[int(step)]
        else:
            steps.append(step)
            value = value.get(step) if isinstance(value, dict) else None
    return tuple(steps)
