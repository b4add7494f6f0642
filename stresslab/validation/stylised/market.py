"""The market whose bars are measured: an ordinary config, and its arm without feedback."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from stresslab.results.frames import Tables
from stresslab.validation.simulated import changed, event_log

CONFIG = Path(__file__).with_name("market.yaml")


@cache
def _written() -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    return config


def scenario(days: float = 2.0, arm: str = "feedback") -> dict[str, Any]:
    """Return the scenario of the config in one of its arms, for so many days."""
    of_arm = _written()["designs"]["facts"]["arms"][arm]
    there = {path.removeprefix("scenario."): value for path, value in of_arm.items()}
    length = {"duration_seconds": 86_400.0 * days}
    return changed(_written()["scenario"], {**length, **there})


def played(scenario: Mapping[str, Any], seed: int, replicate: int) -> Tables:
    """Return the event log of one replicate."""
    return event_log(scenario, seed, replicate)


def bars(tables: Tables) -> tuple[np.ndarray, np.ndarray]:
    """Return log returns of the marks and traded lots, minute by minute after the burn-in."""
    path = tables["path"]
    marks = np.log(path["mark_ticks"][path["step"] >= 0].astype(float))
    volume = path["volume_lots"][path["step"] > 0].astype(float)
    return np.diff(marks), volume
