"""The market of the day: an ordinary config, and the few numbers in it that were fitted."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from stresslab.results.frames import Tables
from stresslab.validation.simulated import changed, event_log

CONFIG = Path(__file__).with_name("market.yaml")
_MAKERS, _BUYERS = "makers_of_{}", "buyers_of_{}"
#: Depth falls down the ranking as in ``configs/october_2025.yaml``.
_RANKING = {"majors": 1.0, "mids": 1 / 3, "others": 1 / 15}


class Parameter(NamedTuple):
    """One free number of the config, the places where it stands and the values that were tried."""

    name: str
    places: Mapping[str, float]  # path in the scenario -> factor
    values: tuple[float, ...]


PARAMETERS = (
    Parameter(
        "depth",
        {
            **{f"traders.{_MAKERS.format(k)}.wealth.amount_usd": v for k, v in _RANKING.items()},
            **{f"traders.{_BUYERS.format(k)}.wealth.median_usd": v for k, v in _RANKING.items()},
        },
        (5e4, 7e4, 1e5),
    ),
    Parameter("leverage", {"traders.speculators.leverage.median": 1.0}, (1.5, 2.0, 2.5, 3.0)),
    Parameter(
        "exit_probability",
        {f"traders.{name}.strategy.exit_probability": 1.0 for name in ("speculators", "shorts")},
        (0.001, 0.0025, 0.005),
    ),
    Parameter(
        "length_of_crash",
        {f"market.shocks.{name}.over_seconds": 1.0 for name in ("of_btc", "of_others")},
        (360.0, 390.0, 420.0),
    ),
    Parameter("fall_of_btc", {"market.shocks.of_btc.fall": 1.0}, (0.11, 0.12, 0.13)),
    Parameter("fall_of_others", {"market.shocks.of_others.fall": 1.0}, (0.45, 0.475, 0.50)),
)


@cache
def _written() -> dict[str, Any]:
    scenario: dict[str, Any] = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))["scenario"]
    return scenario


def scenario(changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the scenario of the config, with other values at some paths."""
    return changed(_written(), changes or {})


def fitted() -> dict[str, float]:
    """Return the free numbers as the config has them."""
    return {each.name: _read(each) for each in PARAMETERS}


def _read(parameter: Parameter) -> float:
    (path, factor), *_ = parameter.places.items()
    value: Any = _written()
    for key in path.split("."):
        value = value[key]
    return float(value) / factor


def changes_for(values: Mapping[str, float]) -> dict[str, float]:
    """Return what a set of free numbers changes in the scenario."""
    return {
        path: round(factor * values[each.name], 6)
        for each in PARAMETERS if each.name in values
        for path, factor in each.places.items()
    }  # fmt: skip


def played(seed: int, replicate: int, changes: Mapping[str, Any] | None = None) -> Tables:
    """Return the event log of one replicate."""
    return event_log(scenario(changes), seed, replicate)
