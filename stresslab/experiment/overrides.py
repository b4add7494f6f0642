"""Overrides: what an arm, a control or a design point changes in a scenario."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from stresslab.experiment.faults import Path


@dataclass(frozen=True)
class Override:
    """One value laid over a scenario: ``path`` as written, ``steps`` inside the scenario."""

    path: str
    steps: Path
    value: Any
    written_at: Path = ()  # steps in the config, for messages
    files: tuple[Path, ...] = ()  # steps of data files inside the value
    is_implied: bool = False  # follows from an override of the venue


@dataclass(frozen=True)
class Variant:
    """A named set of overrides: an arm, a control, or a design point (named by its number)."""

    name: str
    overrides: tuple[Override, ...] = ()


def in_order(variants: Iterable[Variant]) -> list[Override]:
    """Return the overrides of variants, what venues imply first: the others are laid over it."""
    overrides = [override for variant in variants for override in variant.overrides]
    return sorted(overrides, key=lambda override: not override.is_implied)


def overlaid(scenario: dict[str, Any], overrides: Iterable[Override]) -> dict[str, Any]:
    """Return a scenario with overrides applied, shorter paths first; the original stays as it is.

    Raises
    ------
    LookupError
        If a path leads nowhere in this scenario; the argument is the override.
    """
    result = dict(scenario)
    for override in sorted(overrides, key=lambda o: len(o.steps)):
        try:
            _lay(result, override.steps, override.value)
        except (KeyError, IndexError, TypeError, ValueError):
            raise LookupError(override) from None
    return result


def _lay(owner: Any, steps: Path, value: Any) -> None:
    """Set a value deep inside, copying every container on the way down."""
    for step in steps[:-1]:
        key = _key(owner, step)
        owner[key] = copy.copy(owner[key])
        owner = owner[key]
    key = _key(owner, steps[-1])
    owner[key]  # it must exist: an override of nothing is an error
    owner[key] = value


def _key(owner: Any, step: str | int) -> Any:
    return int(step) if isinstance(owner, list) else step
