"""Dotted paths into a config: ``scenario.market.shocks.first.fall``.

A path exists when the declarations know it, written or left at its default. Names never hold
dots, except where names are themselves paths (in arms, controls and points): there the longest
name that fits is taken.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from stresslab.experiment.faults import Path
from stresslab.experiment.shapes import KIND, Shape, declared_parameters, plain, shapes


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
        name, after = first_step(rest, value)
        inner = _inner(shape, value, name, _Trail(path, tuple(steps)), may_add=fill and not after)
        step = int(name) if isinstance(value, list) else name
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


def first_step(path: str, value: Any) -> tuple[str, str]:
    """Split off the first step of a path through a value, and return it with the rest."""
    names = value if isinstance(value, dict) else ()
    whole = [n for n in names if "." in n and (path == n or path.startswith(f"{n}."))]
    step = max(whole, key=len) if whole else path.partition(".")[0]
    return step, path[len(step) + 1 :]


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
    inner = shapes(cls)[step]
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
