"""The shape that declarations give a config: which parameter stands at which path."""

from __future__ import annotations

import functools
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stresslab.core.declarations import (
    Declaration,
    Parameter,
    is_declared,
    parameters,
)

KIND = "kind"
#: A name in a mapping that is the path of something to override.
OverridePath = typing.NewType("OverridePath", str)

_UNSAID = Declaration(description="")


@dataclass(frozen=True)
class Shape:
    """What a declaration allows at one place: a type, and the declaration it comes from."""

    type: Any
    declaration: Declaration = _UNSAID

    @functools.cached_property
    def is_optional(self) -> bool:
        return type(None) in typing.get_args(self.type) and self._is_union

    @functools.cached_property
    def _is_union(self) -> bool:
        origin = typing.get_origin(self.type)
        return origin is types.UnionType or origin is typing.Union

    @functools.cached_property
    def options(self) -> tuple[Any, ...]:
        """Types that a value may have, ``None`` left out."""
        arguments = typing.get_args(self.type) if self._is_union else (self.type,)
        return tuple(a for a in arguments if a is not type(None))

    @functools.cached_property
    def container(self) -> Any:
        """``dict`` or ``tuple``, or ``None`` for anything else."""
        return typing.get_origin(self.options[0]) if len(self.options) == 1 else None

    @functools.cached_property
    def length(self) -> int | None:
        """Length of a tuple that has a fixed one."""
        arguments = typing.get_args(self.options[0])
        is_fixed = self.container is tuple and Ellipsis not in arguments
        return len(arguments) if is_fixed else None

    @functools.cached_property
    def item(self) -> Shape:
        """Shape of what a ``dict`` or ``tuple`` holds."""
        arguments = typing.get_args(self.options[0])
        return Shape(arguments[1 if self.container is dict else 0], self.declaration)

    @functools.cached_property
    def has_paths_as_names(self) -> bool:
        """Tell whether the names of a ``dict`` are paths, which hold dots."""
        return self.container is dict and typing.get_args(self.options[0])[0] is OverridePath

    @property
    def kinds(self) -> Mapping[str, type] | None:
        """Interchangeable parts that the value is chosen from."""
        return None if self.container else self.declaration.kinds

    @property
    def is_any(self) -> bool:
        """Tell whether anything may stand here: nothing is declared about the value."""
        return self.type is Any and self.declaration.kinds is None

    @property
    def is_object(self) -> bool:
        """Tell whether a value is a mapping of declared parameters."""
        return self.kinds is not None or is_declared(self.options[0])

    @functools.cached_property
    def may_name_files(self) -> bool:
        """Tell whether a data file may be named here or inside: in long lists it matters."""
        if self.container is not None:
            return self.item.may_name_files
        if self.kinds is not None:
            return True
        if self.is_object:
            return any(inner.may_name_files for inner in shapes(self.options[0]).values())
        return self.declaration.is_path

    def class_of(self, value: Any) -> type | None:
        """Return the declared class that a plain value stands for."""
        if not self.is_object or not isinstance(value, dict):
            return None
        if self.kinds is None:
            return self.options[0]
        kind = value.get(KIND)
        return self.kinds.get(kind) if isinstance(kind, str) else None


@functools.cache
def declared_parameters(cls: type) -> dict[str, Parameter]:
    """Return the parameters of a declared class by name."""
    return {p.name: p for p in parameters(cls)}


@functools.cache
def shapes(cls: type) -> dict[str, Shape]:
    """Return the shapes of a declared class's parameters by name."""
    return {name: shape_of(p) for name, p in declared_parameters(cls).items()}


def shape_of(parameter: Parameter) -> Shape:
    """Return the shape that a parameter gives its value."""
    return Shape(parameter.type, parameter.declaration)


def plain(value: Any, shape: Shape) -> Any:
    """Return a default as a config would write it: mappings, lists and scalars."""
    if is_declared(type(value)):
        cls: type = type(value)
        content = {n: plain(getattr(value, n), inner) for n, inner in shapes(cls).items()}
        if shape.kinds is None:
            return content
        kind = next(name for name, cls in shape.kinds.items() if cls is type(value))
        return {KIND: kind, **content}
    if isinstance(value, Mapping):
        return {key: plain(item, shape.item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item, shape.item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and shape.options == (float,):
        return float(value)
    return value
