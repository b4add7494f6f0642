"""The headline study's market as benchmarks build it, and a digest of all that a run recorded."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from stresslab.core.declarations import build
from stresslab.core.events import TABLES, EventLog
from stresslab.experiment.documents import read_document
from stresslab.scenario import Scenario

CONFIG = Path(__file__).parents[2] / "configs" / "cross_vs_isolated.yaml"


def headline(cross_share: float, **changes: Any) -> Scenario:
    """Return the scenario after a fall of 20 % of BTC, with changes of its top level."""
    plain = read_document(str(CONFIG)).value["scenario"]
    plain["market"]["shocks"]["first"].update(assets=["BTC"], fall=0.2)
    plain["margin_mode"] = {"kind": "fixed_share", "cross_share": cross_share}
    return build(Scenario, {**plain, **changes})


def digest(log: EventLog) -> str:
    """Return a digest of every column of every table."""
    digest = hashlib.sha256()
    for table in TABLES:
        for name, column in log.columns(table).items():
            digest.update(f"{table}/{name}/{column.size}".encode())
            is_text = column.dtype == object
            digest.update(repr(column.tolist()).encode() if is_text else _bytes(column))
    return digest.hexdigest()[:16]


def _bytes(column: np.ndarray) -> bytes:
    return np.ascontiguousarray(column).tobytes()
