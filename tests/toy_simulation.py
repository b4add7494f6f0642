"""What stands for the model in tests of the runner: quick, deterministic, and told to misbehave."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np

from stresslab.core.events import FLOAT, SMALL, TABLES, TEXT

#: Falls at which a cell misbehaves.
RAISES, DIES, DIES_ONCE = 0.66, 0.99, 0.98

MODES = np.array(["isolated", "cross", "cross"], dtype=object)

#: A longer cell leaves a mark when it starts.
LONG = 1000.0


def simulate(scenario: dict[str, Any], seed: int, replicate: int, folder: Path) -> Any:
    """Return tables and outcomes that depend on all inputs."""
    fall = scenario["shocks"]["first"]["fall"]
    _misbehave(fall, folder / f"died-{scenario['traders']['levered']['mode']}-{replicate}")
    if scenario["duration_seconds"] > LONG:
        (folder / f"started-{replicate}").touch()
    time.sleep(scenario["duration_seconds"] / 1000)
    rng = np.random.Generator(np.random.Philox(key=seed * 1000 + replicate))
    count = scenario["traders"]["levered"]["count"]
    tables = {name: _table(name, rng, count) for name in TABLES}
    loss = float(rng.normal(size=count).max()) * fall
    first = next(iter(scenario["assets"]))
    outcomes = {"loss_usd": loss, "n_liquidations": np.int64(count), "ratio": float("nan")}
    outcomes[f"price_of_{first}_usd"] = scenario["assets"][first]["price_usd"]
    return tables, outcomes, {"sizes": {"size": rng.normal(size=3), "mode": MODES}}


def _misbehave(fall: float, mark: Path) -> None:
    if fall == RAISES:
        raise ValueError(f"no market at a fall of {fall}")
    if fall == DIES or (fall == DIES_ONCE and not mark.exists()):
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)


def _table(name: str, rng: np.random.Generator, n_rows: int) -> dict[str, np.ndarray]:
    return {c.name: _column(c.type, rng, n_rows) for c in TABLES[name]}


def _column(kind: str, rng: np.random.Generator, n_rows: int) -> np.ndarray:
    if kind == TEXT:
        return np.array(["isolated", "cross"], dtype=object)[rng.integers(0, 2, n_rows)]
    if kind == FLOAT:
        return rng.normal(size=n_rows)
    return rng.integers(-9, 9, n_rows).astype(np.int32 if kind == SMALL else np.int64)
