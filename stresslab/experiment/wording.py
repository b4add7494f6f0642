"""Words of faults: what is allowed at a place, with its unit, and what was found there."""

from __future__ import annotations

import math
from typing import Any

from stresslab.core.declarations import Declaration
from stresslab.experiment.scalars import read_scalar
from stresslab.experiment.shapes import Shape

LONGEST_QUOTE = 40
_NOUNS = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}


def expected(shape: Shape) -> str:
    """Say what may stand at a place: ``a number in [0, 1) of the price``."""
    if shape.is_any:
        return "any value"
    text = _expected_value(shape)
    return f"{text}, or null" if shape.is_optional else text


def _expected_value(shape: Shape) -> str:
    if shape.container is dict:
        return "a mapping of names to values"
    if shape.container is tuple:
        length = f"{shape.length} values" if shape.length else "values"
        return f"a list of {length}, each {_expected_value(shape.item)}"
    if shape.kinds is not None:
        return f"a mapping with kind: one of {', '.join(shape.kinds)}"
    if shape.is_object:
        return "a mapping of parameters"
    return _expected_scalar(shape)


def _expected_scalar(shape: Shape) -> str:
    declaration = shape.declaration
    if declaration.choices:
        return f"one of {', '.join(declaration.choices)}"
    noun = " or ".join(_NOUNS.get(option, str(option)) for option in shape.options)
    interval = bounds(declaration) if {int, float} & set(shape.options) else ""
    return " ".join(p for p in (noun, interval and f"in {interval}", _unit(shape)) if p)


def bounds(declaration: Declaration) -> str:
    """Return the allowed interval in the usual notation, ``""`` when there is none.

    >>> bounds(Declaration(description="", gt=0, le=1))
    '(0, 1]'
    """
    d = declaration
    if d.ge is None and d.gt is None and d.le is None and d.lt is None:
        return ""
    low = f"[{_number(d.ge)}" if d.ge is not None else f"({_number(d.gt, -math.inf)}"
    high = f"{_number(d.le)}]" if d.le is not None else f"{_number(d.lt, math.inf)})"
    return f"{low}, {high}"


def _number(value: float | None, missing: float = math.inf) -> str:
    number = missing if value is None else value
    is_whole = math.isfinite(number) and number == int(number) and abs(number) >= 1e6
    return str(int(number)) if is_whole else f"{number:g}"


def _unit(shape: Shape) -> str:
    return shape.declaration.unit if {int, float} & set(shape.options) else ""


def outside(value: Any, shape: Shape) -> str:
    """Say that a number is out of range: ``500 is outside [1, 125] x``."""
    return f"{found(value)} is outside {bounds(shape.declaration)} {_unit(shape)}".rstrip()


def found(value: Any) -> str:
    """Say what was found, short enough for a line."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    if isinstance(value, str):
        return f"text {_shortened(value)!r}"
    digits = str(value) if abs(value) < 10**30 or isinstance(value, float) else None
    return digits if digits else f"a number of {math.floor(math.log10(abs(value))) + 1} digits"


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_QUOTE else text[: LONGEST_QUOTE - 3] + "..."


def number_hint(value: Any) -> str:
    """Say how to write a number that was written as text, ``""`` if it was not.

    >>> number_hint("20%")
    "; write it as a fraction, without '%'"
    """
    if not isinstance(value, str):
        return ""
    if _is_number(value):
        return "; remove the quotes"
    if _is_number(value.replace("_", "").replace(",", "")):
        return "; write it with digits only"
    return "; write it as a fraction, without '%'" if _is_number(value.rstrip("% ")) else ""


def _is_number(text: str) -> bool:
    value = read_scalar(text)
    return isinstance(value, int | float) and not isinstance(value, bool)
