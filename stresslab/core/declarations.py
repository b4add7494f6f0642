"""A parameter is declared once, where it is used, with its unit, bounds, symbol and source.

Standard library only. ``experiment/`` turns these declarations into pydantic models; errors, the
JSON Schema, the parameter page, column names and chart labels read the same line.
"""

from __future__ import annotations

import dataclasses
import functools
import sys
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")

_DECLARED: set[type] = set()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Declaration:
    """What is known about one parameter beside its type and default.

    ``kinds`` names the table of interchangeable parts that the parameter (or each value of a
    ``dict`` parameter) is chosen from: the config then writes ``{kind: NAME, ...}``. ``is_path``
    marks a data file, found from the folder of the config.
    """

    description: str
    unit: str = ""
    symbol: str = ""
    source: str = ""
    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None
    choices: tuple[str, ...] | None = None
    kinds: Mapping[str, type] | None = None
    is_path: bool = False


def param(
    description: str,
    *,
    default: Any = MISSING,
    factory: Callable[[], Any] | None = None,
    unit: str = "",
    symbol: str = "",
    source: str = "",
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    lt: float | None = None,
    choices: tuple[str, ...] | None = None,
    kinds: Mapping[str, type] | None = None,
    is_path: bool = False,
) -> Any:
    """Declare one parameter of a ``@declared`` class."""
    declaration = Declaration(
        description=description,
        unit=unit,
        symbol=symbol,
        source=source,
        ge=ge,
        gt=gt,
        le=le,
        lt=lt,
        choices=choices,
        kinds=kinds,
        is_path=is_path,
    )
    metadata = {"declaration": declaration}
    if factory is not None:
        return dataclasses.field(default_factory=factory, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(param,))
def declared(cls: type[T]) -> type[T]:
    """Make a class whose fields are declared parameters: a frozen, keyword-only dataclass.

    A declared class may define ``faults(self)`` yielding ``(path, message)`` for rules that span
    several fields; ``path`` is relative to the object, ``""`` for the object itself.
    """
    written = cls.__doc__  # where it is missing, a dataclass puts its signature
    made = dataclasses.dataclass(init=False, repr=False, eq=False, kw_only=True)(cls)
    made.__doc__ = written
    for name, method in _SHARED.items():
        if name not in cls.__dict__:
            setattr(made, name, method)
    _DECLARED.add(made)
    return made


# A dataclass would write and compile these anew for each of a hundred classes and more, and every
# check of a config would wait for it.


@functools.cache
def _fields(cls: type) -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(cls)  # type: ignore[arg-type]


def _init(one: Any, **values: Any) -> None:
    cls: type = type(one)
    own = vars(one)
    for field in _fields(cls):
        is_given = field.name in values
        own[field.name] = values.pop(field.name) if is_given else _default_of(cls, field)
    if values:
        raise TypeError(f"{cls.__qualname__} has no {', '.join(map(repr, values))}")


def _default_of(cls: type, field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not MISSING:
        return field.default_factory()
    if field.default is MISSING:
        raise TypeError(f"{cls.__qualname__} lacks {field.name!r}")
    return field.default


def _refuse(one: Any, name: str, *_: Any) -> None:
    raise dataclasses.FrozenInstanceError(f"{type(one).__qualname__}.{name} is fixed")


def _values(one: Any) -> dict[str, Any]:
    cls: type = type(one)
    return {field.name: getattr(one, field.name) for field in _fields(cls)}


def _repr(one: Any) -> str:
    written = ", ".join(f"{name}={value!r}" for name, value in _values(one).items())
    return f"{type(one).__qualname__}({written})"


def _eq(one: Any, other: object) -> bool:
    return _values(one) == _values(other) if type(one) is type(other) else NotImplemented


def _hash(one: Any) -> int:
    return hash(tuple(_values(one).values()))


_SHARED = {
    "__init__": _init,
    "__setattr__": _refuse,
    "__delattr__": _refuse,
    "__repr__": _repr,
    "__eq__": _eq,
    "__hash__": _hash,
}


@dataclasses.dataclass(frozen=True)
class Parameter:
    """One declared parameter of a class: name, resolved type, default and declaration."""

    name: str
    type: Any
    default: Any
    declaration: Declaration

    @property
    def is_required(self) -> bool:
        return self.default is MISSING


def parameters(cls: type) -> list[Parameter]:
    """Return the declared parameters of a class in the order they are written."""
    return [
        Parameter(name, kind, _default(cls, name), declaration)
        for name, (kind, declaration) in _declarations(cls).items()
    ]


@functools.cache  # slow, and the same every time
def _declarations(cls: type) -> dict[str, tuple[Any, Declaration]]:
    """Return type and declaration of each declared parameter by name."""
    hints = typing.get_type_hints(cls)
    return {
        field.name: (hints[field.name], field.metadata["declaration"])
        for field in _fields(cls)
        if "declaration" in field.metadata
    }


def _default(cls: type, name: str) -> Any:
    field = next(f for f in _fields(cls) if f.name == name)
    return field.default_factory() if field.default_factory is not MISSING else field.default


def is_declared(cls: Any) -> bool:
    """Tell whether a type is a ``@declared`` class."""
    return cls in _DECLARED


def replaced(one: T, values: Mapping[str, Any]) -> T:
    """Return a declared object with some parameters replaced; the others are shared."""
    new = object.__new__(type(one))
    vars(new).update(_values(one), **values)
    return new


def build(cls: type[T], values: Mapping[str, Any]) -> T:
    """Build a declared object from plain, already validated values (a resolved config)."""
    plain: type = cls
    makers, made = _makers(plain), object.__new__(cls)
    own = vars(made)
    for field in _fields(plain):  # written out: a config may list ten thousands of accounts
        name = field.name
        if name in values and name in makers:
            value, make = values[name], makers[name]
            own[name] = value if make is None or value is None else make(value)
        else:
            own[name] = _default_of(plain, field)
    return made


Maker = Callable[[Any], Any]


@functools.cache
def _makers(cls: type) -> dict[str, Maker | None]:
    """Return by name what turns a parameter's plain value into its object, None: it is one."""
    known = _declarations(cls).items()
    return {name: _maker(kind, declaration.kinds) for name, (kind, declaration) in known}


def _maker(kind: Any, kinds: Mapping[str, type] | None) -> Maker | None:
    container, inner = _parts(kind)
    if container is not None:
        return _container_maker(container, _maker(inner, kinds))
    if kinds is not None:
        return lambda value: build(kinds[value["kind"]], value)
    return functools.partial(build, inner) if is_declared(inner) else None


def _container_maker(container: Any, make: Maker | None) -> Maker:
    if make is None:
        return container  # type: ignore[no-any-return]
    if container is dict:
        return lambda value: {
            key: None if item is None else make(item) for key, item in value.items()
        }
    return lambda value: tuple([None if item is None else make(item) for item in value])


@functools.cache
def _parts(kind: Any) -> tuple[Any, Any]:
    """Return the container that a type is, if it is one, and the type of a value in it."""
    kind = _without_none(kind)
    container, arguments = typing.get_origin(kind), typing.get_args(kind)
    if container is dict or container is tuple:
        return container, arguments[1 if container is dict else 0]
    return None, kind


def first_line(documented: type | Callable[..., Any]) -> str:
    """Return what something says of itself; a class without words stands for its module."""
    text = (documented.__doc__ or "").strip()
    if not text:
        text = (sys.modules[documented.__module__].__doc__ or "").strip()
    return text.partition("\n")[0]


def _without_none(kind: Any) -> Any:
    if isinstance(kind, types.UnionType) or typing.get_origin(kind) is typing.Union:
        rest = [k for k in typing.get_args(kind) if k is not type(None)]
        return rest[0] if len(rest) == 1 else kind
    return kind


def faults(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield ``(path, message)`` of every cross-field rule broken in a tree of declared objects."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from faults(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, tuple):
        ruled = {kind for kind in set(map(type, value)) if not _is_without_rules(kind)}
        for place, item in enumerate(value if ruled else ()):
            if type(item) in ruled:
                yield from faults(item, f"{path}.{place}" if path else str(place))
    elif is_declared(type(value)):
        cls: type = type(value)
        for name in _with_parts(cls):
            yield from faults(getattr(value, name), f"{path}.{name}" if path else name)
        if hasattr(value, "faults"):
            for where, message in value.faults():
                yield (".".join(p for p in (path, where) if p), message)


@functools.cache
def _is_without_rules(cls: type) -> bool:
    """Tell whether values of a type have no rules to break, nor anything inside them."""
    if is_declared(cls):
        return not hasattr(cls, "faults") and not _with_parts(cls)
    return cls in _SCALARS


@functools.cache
def _with_parts(cls: type) -> tuple[str, ...]:
    """Return the parameters whose values may hold declared objects, which numbers cannot."""
    known = _declarations(cls).items()
    return tuple(
        name
        for name, (kind, declaration) in known
        if declaration.kinds is not None or not _is_of_scalars(kind)
    )


def _is_of_scalars(kind: Any) -> bool:
    container, inner = _parts(kind)
    return _is_of_scalars(inner) if container is not None else inner in _SCALARS


_SCALARS = (bool, int, float, str)
