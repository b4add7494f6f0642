"""What pydantic finds wrong with a value, in the house's words and at the house's paths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pydantic_core import ErrorDetails, ValidationError

from stresslab.experiment import wording
from stresslab.experiment.faults import Path
from stresslab.experiment.paths import nearest
from stresslab.experiment.shapes import KIND, Shape, shapes

INT64 = (-(1 << 63), (1 << 63) - 1)


class Complaint(NamedTuple):
    """One thing that is wrong with a value, at a path inside it."""

    path: Path
    message: str
    is_about_key: bool = False
    is_missing: bool = False


def tag(kind: Any) -> str:
    """Mark a kind, so that it is told from a name in pydantic's locations."""
    return f"<{kind}>"


def complaints(
    shape: Shape, value: Any, error: ValidationError, at: Path = ()
) -> Iterator[Complaint]:
    """Yield what is wrong with a value at path ``at``; a misspelt name is not missed as well."""
    found = error.errors(include_url=False, include_context=False)
    unknown = [item for item in found if item["type"] == "extra_forbidden"]
    misspelt: set[Path] = set()
    for item in unknown:
        complaint, meant = _unknown(shape, value, item["loc"], at)
        misspelt.add(meant)
        yield complaint
    seen: set[Path] = set()
    for item in [item for item in found if item not in unknown]:
        path, inner, is_about_key = _where(shape, value, item["loc"])
        if item["type"] == "union_tag_invalid":
            path = (*path, KIND)
        is_missing = item["type"] == "missing"
        if path not in seen and not (is_missing and path in misspelt):
            seen.add(path)
            yield Complaint(path, _message(item, inner), is_about_key, is_missing)


def _unknown(
    shape: Shape, value: Any, location: tuple[Any, ...], at: Path
) -> tuple[Complaint, Path]:
    """Complain of an unknown name; return also the path that was probably meant."""
    path, owner, _ = _where(shape, value, location[:-1])
    for step in path:
        value = _get(value, step)
    name, cls = str(location[-1]), owner.class_of(value)
    known = shapes(cls) if cls else {}
    near = nearest(name, known) or _deeper(name, known)
    message = f"unknown parameter {name!r}"
    if near is not None:
        message += f"; did you mean '{'.'.join(str(s) for s in (*at, *path, near))}'?"
    elif owner.kinds is not None:
        message += f" of the kind {value[KIND]!r}"
    return Complaint((*path, name), message, is_about_key=True), (*path, near or "")


def _deeper(name: str, known: Mapping[str, Shape]) -> str | None:
    """Return where a name stands one step further in, if it was written too high up."""
    for owner, shape in known.items():
        if shape.is_object and shape.kinds is None and name in shapes(shape.options[0]):
            return f"{owner}.{name}"
    return None


def _where(shape: Shape, value: Any, location: tuple[Any, ...]) -> tuple[Path, Shape, bool]:
    """Follow a pydantic location, which names kinds and options beside the path itself."""
    path: list[Any] = []
    for step in location:
        if step == "[key]":
            return tuple(path), shape, True
        cls = shape.class_of(value)
        if shape.kinds is not None and step == tag((value or {}).get(KIND)):
            continue
        if cls is not None:
            inner = shapes(cls).get(step, Shape(Any))
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


def _message(item: ErrorDetails, shape: Shape) -> str:
    value, allowed = item["input"], wording.expected(shape)
    match item["type"]:
        case "missing":
            return f"required parameter is missing; expected {allowed}{_about(shape)}"
        case "string_pattern_mismatch" | "invalid_key":
            return "a name here has no dots and no blanks, so that paths can name it"
        case "greater_than_equal" | "greater_than" | "less_than_equal" | "less_than":
            if isinstance(value, int) and not INT64[0] <= value <= INT64[1]:
                return f"{wording.found(value)} does not fit into 64 bits"
            return wording.outside(value, shape)
        case "finite_number":
            return f"found {wording.found(value)}; expected {allowed}, finite"
        case "union_tag_invalid" | "union_tag_not_found":
            return _kind_message(value, shape)
        case "literal_error" if isinstance(value, str):
            near = nearest(value, shape.declaration.choices or ())
            hint = f"; did you mean '{near}'?" if near else ""
            return f"found {wording.found(value)}; expected {allowed}{hint}"
    hint = wording.number_hint(value) if {int, float} & set(shape.options) else ""
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
