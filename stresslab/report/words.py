"""Labels read from where the quantity is declared: measures, parameters, event tables."""

from __future__ import annotations

from typing import Any

from stresslab.contagion.outcomes import OUTCOMES
from stresslab.core.declarations import Declaration, Parameter, parameters
from stresslab.report.labels import FRACTION, Label

#: Pure numbers that are no fraction of a whole and so are not shown in per cent.
_PLAIN = ("branching", "generations", "clipped")


def outcome_label(name: str) -> Label:
    """Return what a measure is called; yes-or-no measures become a share of runs."""
    measure = OUTCOMES[name]
    text = measure.description
    if is_yes_or_no(name):
        return Label(f"Share of runs in which {text.removeprefix('Whether ')}", FRACTION)
    if measure.unit == "1":
        return Label(text, "" if name.startswith(_PLAIN) else FRACTION)
    return Label(text, measure.unit if measure.unit in ("USD", "s") else "")


def is_yes_or_no(name: str) -> bool:
    """Tell whether a measure says whether something happened."""
    return OUTCOMES[name].description.startswith("Whether ")


def outcome_labels(*names: str) -> dict[str, Label]:
    """Return the labels of several measures."""
    return {name: outcome_label(name) for name in names}


def parameter_label(owner: type, name: str) -> Label:
    """Return what a declared parameter is called, with its unit."""
    found: Parameter = next(p for p in parameters(owner) if p.name == name)
    return declaration_label(found.declaration, found.type)


def declaration_label(declaration: Declaration, kind: Any = float) -> Label:
    """Return a declaration as a label; shares between 0 and 1 are shown in per cent.

    A unit "of the price" says what the share is of.
    """
    text, unit = declaration.description, declaration.unit
    highest = declaration.lt if declaration.le is None else declaration.le
    is_share = kind is float and declaration.ge == 0 and highest == 1
    if is_share and (not unit or unit.startswith("of ")):
        return Label(text, FRACTION, unit)
    return Label(text, unit)
