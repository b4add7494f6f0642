"""A config file becomes a checked, fully explicit study, or every fault it has."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stresslab.experiment.check import Check
from stresslab.experiment.designs import PlannedDesign
from stresslab.experiment.faults import ConfigFaults
from stresslab.experiment.shapes import Shape
from stresslab.experiment.sources import apply_settings, apply_small, from_file, from_mapping
from stresslab.experiment.study import study_of
from stresslab.experiment.venues import chosen_venue, on_venue


@dataclass(frozen=True)
class Config:
    """A sound study: ``values`` are complete, data files stand in them by absolute path."""

    source: str
    values: dict[str, Any]
    written: dict[str, Any]  # what the files and overrides said, without defaults
    designs: tuple[PlannedDesign, ...]
    study: Shape

    @property
    def name(self) -> str:
        """Name of the study."""
        return str(self.values["name"])

    @property
    def seed(self) -> int:
        """Seed of all chance."""
        return int(self.values["seed"])


def read_config(
    source: str | os.PathLike[str] | Mapping[str, Any],
    settings: Sequence[str] = (),
    *,
    small: bool = False,
    scenario: type | None = None,
) -> Config:
    """Read and check a config.

    Parameters
    ----------
    source
        A config file, or the same content as a mapping.
    settings
        Overrides ``PATH=VALUE``, as given with ``--set``.
    small
        Apply the config's own ``small`` overrides.
    scenario
        Declared class of the scenario, if not the one of the package.

    Raises
    ------
    ConfigFaults
        With every fault of the config.
    """
    if isinstance(source, Mapping):
        read = from_mapping(_copied(source))
    else:
        read = from_file(os.fspath(source))
    study = Shape(study_of(scenario or scenario_class()))
    if read.is_whole:
        read = on_venue(read, chosen_venue(read, settings, small=small))
    if read.is_whole and small:
        apply_small(read, study)
    if read.is_whole:
        apply_settings(read, study, settings)
    check = Check(read, study)
    check.run()
    if check.faults:
        raise ConfigFaults(read.name, check.faults)
    return Config(read.name, check.values, check.written, check.designs, study)


def _copied(value: Any) -> Any:
    """Return the same plain values in mappings and lists of their own."""
    if isinstance(value, dict | Mapping):
        return {
            key: item if type(item) in _SCALARS else _copied(item) for key, item in value.items()
        }
    if isinstance(value, list):
        return [item if type(item) in _SCALARS else _copied(item) for item in value]
    return value


_SCALARS = frozenset((float, int, str, bool))


def scenario_class() -> type:
    """Return the declared class of a scenario; the one place that names it."""
    from stresslab.scenario import Scenario

    return Scenario
