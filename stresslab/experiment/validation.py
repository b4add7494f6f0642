"""Declarations become pydantic validators; their complaints become faults in the house's words.

``pydantic_core`` is used without the model classes of ``pydantic``: a study has some hundred
declared classes, building and importing models would take most of the time of a check, and what
is wanted back is plain data with every default written out.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Iterator
from typing import Any, NamedTuple

from pydantic_core import CoreSchema, SchemaValidator, ValidationError
from pydantic_core import core_schema as core

from stresslab.core.declarations import Parameter
from stresslab.experiment import wording
from stresslab.experiment.faults import Path
from stresslab.experiment.paths import nearest
from stresslab.experiment.shapes import KIND, Shape, declared_parameters, plain, shape_of

INT64 = (-(1 << 63), (1 << 63) - 1)
_NAME = r"^[^.\s]+$"  # a name in a path: no dots, no blanks
_TAG = "<{}>"  # how a kind is marked in pydantic's locations


class Complaint(NamedTuple):
    """One thing that is wrong with a value, at a path inside it."""

    path: Path
    message: str
    is_about_key: bool = False
    is_missing: bool = False


def validate(shape: Shape, value: Any) -> tuple[Any, list[Complaint]]:
    """Return a value with every default written out, and what is wrong with it.

    The value is ``None`` when anything is wrong.
    """
    try:
        return _validator(shape.type, _key(shape)).validate_python(value), []
    except ValidationError as error:
        return None, list(_complaints(shape, value, error))


class _key:
    """Makes a shape usable as a cache key: declarations hold tables, which have no hash."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape

    def __hash__(self) -> int:
        return id(self.shape.declaration)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _key) and self.shape.declaration is other.shape.declaration


@functools.lru_cache(maxsize=1024)
def _validator(type_: Any, key: _key) -> SchemaValidator:
    return SchemaValidator(_schema(key.shape))


def _schema(shape: Shape) -> CoreSchema:
    if shape.is_any:
        return core.any_schema()
    schema = _value_schema(shape)
    return core.nullable_schema(schema) if shape.is_optional else schema


def _value_schema(shape: Shape) -> CoreSchema:
    if shape.container is dict:
        names = core.str_schema(strict=True, pattern=None if shape.has_paths_as_names else _NAME)
        return core.dict_schema(names, _schema(shape.item), strict=True)
    if shape.container is tuple:
        return core.list_schema(
            _schema(shape.item), min_length=shape.length, max_length=shape.length, strict=True
        )
    if shape.kinds is not None:
        choices = {_TAG.format(kind): _object(cls, kind) for kind, cls in shape.kinds.items()}
        return core.tagged_union_schema(choices, _tag, strict=True)
    if shape.is_object:
        return _object(shape.options[0])
    return _scalar(shape)


def _tag(value: Any) -> str | None:
    kind = value.get(KIND) if isinstance(value, dict) else None
    return _TAG.format(kind) if isinstance(kind, str) else None


def _object(cls: type, kind: str | None = None) -> CoreSchema:
    fields = {name: _field(p) for name, p in declared_parameters(cls).items()}
    if kind is not None:
        fields = {KIND: core.typed_dict_field(core.literal_schema([kind])), **fields}
    return core.typed_dict_schema(fields, extra_behavior="forbid", strict=True)


def _field(parameter: Parameter) -> core.TypedDictField:
    shape = shape_of(parameter)
    schema = _schema(shape)
    if parameter.is_required:
        return core.typed_dict_field(schema)
    default = plain(parameter.default, shape)
    fresh = functools.partial(copy.deepcopy, default)
    return core.typed_dict_field(
        core.with_default_schema(schema, default_factory=fresh), required=False
    )


def _scalar(shape: Shape) -> CoreSchema:
    schemas = [_scalar_of(option, shape) for option in shape.options]
    return schemas[0] if len(schemas) == 1 else core.union_schema([*schemas])


def _scalar_of(option: Any, shape: Shape) -> CoreSchema:
    d = shape.declaration
    if option is bool:
        return core.bool_schema(strict=True)
    if option is int:
        low = INT64[0] if d.ge is None else int(d.ge)
        high = INT64[1] if d.le is None else int(d.le)
        return core.int_schema(ge=low, gt=_whole(d.gt), le=high, lt=_whole(d.lt), strict=True)
    if option is float:
        return core.float_schema(
            allow_inf_nan=False, ge=d.ge, gt=d.gt, le=d.le, lt=d.lt, strict=True
        )
    if option is str:
        return core.literal_schema(list(d.choices)) if d.choices else core.str_schema(strict=True)
    raise TypeError(f"a parameter cannot be declared as {option!r}")


def _whole(bound: float | None) -> int | None:
    return None if bound is None else int(bound)


def _complaints(shape: Shape, value: Any, error: ValidationError) -> Iterator[Complaint]:
    errors = error.errors(include_url=False, include_context=False)
    misspelt: set[Path] = set()
    for item in errors:
        if item["type"] == "extra_forbidden":
            path, owner, _ = _where(shape, value, item["loc"][:-1])
            name = str(item["loc"][-1])
            near = nearest(name, _names(owner, value, path))
            misspelt.add((*path, near or ""))
            yield Complaint((*path, name), _unknown(name, near, path), is_about_key=True)
    seen: set[Path] = set()
    for item in errors:
        if item["type"] == "extra_forbidden":
            continue
        path, inner, about_key = _where(shape, value, item["loc"])
        if path in seen or (item["type"] == "missing" and path in misspelt):
            continue
        seen.add(path)
        is_missing = item["type"] == "missing"
        yield Complaint(path, _message(item, inner), about_key, is_missing)


def _where(shape: Shape, value: Any, location: tuple[Any, ...]) -> tuple[Path, Shape, bool]:
    """Follow a pydantic location, which names kinds and options beside the path itself."""
    path: list[Any] = []
    for step in location:
        if step == "[key]":
            return tuple(path), shape, True
        cls = shape.class_of(value)
        if shape.kinds is not None and step == _TAG.format((value or {}).get(KIND)):
            continue
        if cls is not None:
            known = declared_parameters(cls)
            inner = shape_of(known[step]) if step in known else Shape(Any)
        elif shape.container is not None:
            inner = shape.item
        else:
            continue  # which of several scalar types was tried
        path.append(step)
        shape = inner
        value = _get(value, step)
    return tuple(path), shape, False


def _get(value: Any, step: Any) -> Any:
    if isinstance(value, dict):
        return value.get(step)
    is_inside = isinstance(value, list) and isinstance(step, int) and step < len(value)
    return value[step] if is_inside else None


def _names(owner: Shape, value: Any, path: Path) -> list[str]:
    for step in path:
        value = _get(value, step)
    cls = owner.class_of(value)
    return list(declared_parameters(cls)) if cls else []


def _unknown(name: str, near: str | None, path: Path) -> str:
    if near is None:
        return f"unknown parameter {name!r}"
    whole = ".".join(str(step) for step in (*path, near))
    return f"unknown parameter {name!r}; did you mean '{whole}'?"


def _message(item: Any, shape: Shape) -> str:
    value, allowed = item["input"], wording.expected(shape)
    match item["type"]:
        case "missing":
            return f"required parameter is missing; expected {allowed}{_about(shape)}"
        case "string_pattern_mismatch" | "invalid_key":
            return "a name here has no dots and no blanks, so that paths can name it"
        case "greater_than_equal" | "greater_than" | "less_than_equal" | "less_than":
            if wording.bounds(shape.declaration):
                return wording.outside(value, shape)
            return f"{wording.found(value)} does not fit into 64 bits"
        case "finite_number":
            return f"found {wording.found(value)}; expected {allowed}, finite"
        case "union_tag_invalid" | "union_tag_not_found":
            return _kind_message(value, shape)
        case "literal_error" if isinstance(value, str):
            near = nearest(value, shape.declaration.choices or ())
            hint = f"; did you mean '{near}'?" if near else ""
            return f"found {wording.found(value)}; expected {allowed}{hint}"
    hint = "; remove the quotes" if wording.looks_like_number(value) and "number" in allowed else ""
    return f"found {wording.found(value)}; expected {allowed}{hint}"


def _about(shape: Shape) -> str:
    description = shape.declaration.description
    return f" ({description[:1].lower()}{description[1:]})" if description else ""


def _kind_message(value: Any, shape: Shape) -> str:
    kinds = shape.kinds or {}
    names = ", ".join(kinds)
    if isinstance(value, str) and value in kinds:
        return f"found {wording.found(value)}; write {{kind: {value}}}"
    if not isinstance(value, dict):
        return f"found {wording.found(value)}; expected {wording.expected(shape)}"
    if KIND not in value:
        return f"kind is missing; expected one of {names}"
    kind = value[KIND]
    near = nearest(kind, kinds) if isinstance(kind, str) else None
    hint = f"; did you mean '{near}'?" if near else ""
    return f"unknown kind {kind!r}; expected one of {names}{hint}"
