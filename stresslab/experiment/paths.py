"""Dotted paths into a config: ``scenario.market.shocks.first.fall``.

A path exists when the declarations know it, written or left at its default. Names never hold
dots, except where names are themselves paths (in arms, controls and points): there the whole
rest of the path is tried as a name first.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from stresslab.experiment.faults import Path
from stresslab.experiment.shapes import KIND, Shape, declared_parameters, plain, shape_of


class NoSuchPath(LookupError):
    """A path that leads nowhere; the message names the nearest one that exists."""


class Unclear(LookupError):
    """A path through a value that is itself faulty, so nothing can be said about it."""


@dataclass(frozen=True)
class Target:
    """Where a path leads: its steps, and the shape of the value there."""

    steps: Path
    shape: Shape


def follow(shape: Shape, value: Any, path: str, *, fill: bool = False) -> Target:
    """Return where ``path`` leads in a value of a shape.

    ``fill`` writes the defaults that the path goes through into ``value``, and lets the last step
    be a name that its mapping does not hold yet.
    """
    steps: list[str | int] = []
    rest = path
    while rest:
        step, after = _split(rest, value)
        inner = _inner(shape, value, step, _Trail(path, tuple(steps)), may_add=fill and not after)
        if isinstance(value, list):
            step = int(step)
        if isinstance(value, dict) and step not in value:
            value = value if fill else dict(value)
            value[step] = inner.default
        steps.append(step)
        shape, value, rest = inner.shape, value[step], after
    return Target(tuple(steps), shape)


@dataclass(frozen=True)
class _Trail:
    """The path that is followed and the steps taken so far, for messages."""

    path: str
    steps: Path

    def end(self, step: str, names: Iterable[str]) -> NoSuchPath:
        parent = ".".join(str(s) for s in self.steps)
        near = nearest(step, names)
        place = f"'{parent}' has no '{step}'" if parent else f"there is no '{step}'"
        whole = f"{parent}.{near}" if parent else near
        hint = f"; did you mean '{whole}'?" if near else _choice(names)
        return NoSuchPath(f"{place}, so nothing is overridden{hint}")


@dataclass(frozen=True)
class _Inner:
    shape: Shape
    default: Any = None


def _split(path: str, value: Any) -> tuple[Any, str]:
    if isinstance(value, dict) and path in value:
        return path, ""
    step, _, after = path.partition(".")
    return step, after


def _inner(shape: Shape, value: Any, step: str, trail: _Trail, *, may_add: bool) -> _Inner:
    """Return the shape one step further in, and its default where it has one."""
    if shape.is_any:
        if isinstance(value, dict) and (step in value or may_add):
            return _Inner(shape)
        raise trail.end(step, value if isinstance(value, dict) else ())
    if value is None:
        raise trail.end(step, ())
    if shape.container is dict and isinstance(value, dict):
        if step in value or may_add:
            return _Inner(shape.item)
        raise trail.end(step, value)
    if shape.container is tuple and isinstance(value, list):
        if step.isdigit() and int(step) < len(value):
            return _Inner(shape.item)
        raise trail.end(step, ())
    return _parameter(shape, value, step, trail)


def _parameter(shape: Shape, value: Any, step: str, trail: _Trail) -> _Inner:
    if not shape.is_object:
        raise trail.end(step, ())
    cls = shape.class_of(value)
    if cls is None:
        raise Unclear
    if shape.kinds is not None and step == KIND:
        part = ".".join(str(s) for s in trail.steps)
        message = f"a kind cannot be overridden alone; override '{part}' with {{kind: ...}}"
        raise NoSuchPath(message)
    known = declared_parameters(cls)
    if step not in known:
        raise trail.end(step, known)
    found = known[step]
    inner = shape_of(found)
    return _Inner(inner, None if found.is_required else plain(found.default, inner))


def nearest(name: str, names: Iterable[str]) -> str | None:
    """Return the known name that is most like a misspelt one, if any is like it."""
    close = difflib.get_close_matches(str(name), list(names), n=1, cutoff=0.6)
    return close[0] if close else None


def _choice(names: Iterable[str]) -> str:
    known = list(names)
    if not known or len(known) > 12:
        return ""
    return f"; it has {', '.join(known)}"
