"""JSON Schema of a config file, from the declarations: for editors and other programs."""

from __future__ import annotations

from typing import Any

from stresslab.core.declarations import Declaration, Parameter, first_line
from stresslab.experiment.config import scenario_class
from stresslab.experiment.shapes import KIND, Shape, declared_parameters, plain, shape_of
from stresslab.experiment.study import study_of

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SCALARS = {bool: "boolean", int: "integer", float: "number", str: "string"}
_BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}


def json_schema(scenario: type | None = None) -> dict[str, Any]:
    """Return the JSON Schema of a config."""
    return _Writer().document(study_of(scenario or scenario_class()))


class _Writer:
    """Writes every declared class once, under ``$defs``."""

    def __init__(self) -> None:
        self.definitions: dict[str, Any] = {}

    def document(self, study: type) -> dict[str, Any]:
        root = self._object(study)
        base = {"type": "string", "description": "Config that this one extends, from its folder"}
        root["properties"] = {"extends": base, **root["properties"]}
        root.pop("required")  # the config that is extended may have it
        return {"$schema": DIALECT, **root, "$defs": self.definitions}

    def _object(self, cls: type, kind: str | None = None) -> dict[str, Any]:
        known = declared_parameters(cls)
        properties = {name: self._parameter(p) for name, p in known.items()}
        required = [name for name, p in known.items() if p.is_required]
        if kind is not None:
            properties = {KIND: {"const": kind}, **properties}
            required = [KIND, *required]
        return {
            "type": "object",
            "description": first_line(cls),
            "properties": properties,
            "required": required,
            "additionalProperties": False,
        }

    def _parameter(self, parameter: Parameter) -> dict[str, Any]:
        shape = shape_of(parameter)
        written = {**self._shape(shape), **_about(parameter.declaration)}
        if not parameter.is_required:
            written["default"] = plain(parameter.default, shape)
        return written

    def _shape(self, shape: Shape) -> dict[str, Any]:
        if shape.is_any:
            return {}
        value = self._value(shape)
        return {"anyOf": [value, {"type": "null"}]} if shape.is_optional else value

    def _value(self, shape: Shape) -> dict[str, Any]:
        if shape.container is dict:
            return {"type": "object", "additionalProperties": self._shape(shape.item)}
        if shape.container is tuple:
            n = shape.length
            limits = {} if n is None else {"minItems": n, "maxItems": n}
            return {"type": "array", "items": self._shape(shape.item), **limits}
        if shape.kinds is not None:
            return {"oneOf": [self._reference(c, kind) for kind, c in shape.kinds.items()]}
        if shape.is_object:
            return self._reference(shape.options[0])
        return _scalar(shape)

    def _reference(self, cls: type, kind: str | None = None) -> dict[str, Any]:
        name = f"{cls.__module__.removeprefix('stresslab.')}.{cls.__name__}"
        name = name if kind is None else f"{name}.{kind}"
        if name not in self.definitions:
            self.definitions[name] = {}  # stands while its own parameters are written
            self.definitions[name] = self._object(cls, kind)
        return {"$ref": f"#/$defs/{name}"}


def _scalar(shape: Shape) -> dict[str, Any]:
    declaration = shape.declaration
    if declaration.choices:
        return {"enum": list(declaration.choices)}
    names = [_SCALARS[option] for option in shape.options]
    written: dict[str, Any] = {"type": names[0] if len(names) == 1 else names}
    if {int, float} & set(shape.options):
        for bound, keyword in _BOUNDS.items():
            if getattr(declaration, bound) is not None:
                written[keyword] = getattr(declaration, bound)
    return written


def _about(declaration: Declaration) -> dict[str, Any]:
    """Return what is said about a parameter; unit, symbol and source under keys of our own."""
    said = {
        "description": declaration.description,
        "x-unit": declaration.unit,
        "x-symbol": declaration.symbol,
        "x-source": declaration.source,
    }
    return {key: text for key, text in said.items() if text}
