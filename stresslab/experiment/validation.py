"""Declarations become pydantic validators; their complaints become faults in the house's words.

``pydantic_core`` is used without the model classes of ``pydantic``: a study has some hundred
declared classes, building and importing models would take most of the time of a check, and what
is wanted back is plain data with every default written out.
"""

from __future__ import annotations

import copy
import functools
from typing import Any

from pydantic_core import CoreSchema, SchemaValidator, ValidationError
from pydantic_core import core_schema as core

from stresslab.core.declarations import Parameter
from stresslab.experiment.complaints import INT64, Complaint, complaints, tag
from stresslab.experiment.faults import Path
from stresslab.experiment.shapes import KIND, Shape, declared_parameters, plain, shape_of

_NAME = r"^[^.\s]+$"  # a name in a path: no dots, no blanks


def validate(shape: Shape, value: Any, at: Path = ()) -> tuple[Any, list[Complaint]]:
    """Return a value with every default written out, and what is wrong with it.

    The value is ``None`` when anything is wrong. ``at`` is the path of the value, for messages.
    """
    try:
        return _validator(shape.type, _key(shape)).validate_python(value), []
    except ValidationError as error:
        return None, list(complaints(shape, value, error, at))


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
        choices = {tag(kind): _object(cls, kind) for kind, cls in shape.kinds.items()}
        return core.tagged_union_schema(choices, _tag_of, strict=True)
    if shape.is_object:
        return _object(shape.options[0])
    return _scalar(shape)


def _tag_of(value: Any) -> str | None:
    kind = value.get(KIND) if isinstance(value, dict) else None
    return tag(kind) if isinstance(kind, str) else None


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
    if not isinstance(default, dict | list):
        return core.typed_dict_field(
            core.with_default_schema(schema, default=default), required=False
        )
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
