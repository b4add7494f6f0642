"""A run is the same to the last bit when numba is switched off: kernels do what they say."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from stresslab.core.events import TABLES
from tests.benchmark.headline import digest
from tests.markets import lively, model_of

PROGRAM = """
import numpy as np
from tests.property.test_compiled_equals_plain import outcome
np.seterr(over="ignore")  # draws and products wrap, as they do in kernels
print(*outcome())
"""


def outcome() -> tuple[str, int, int]:
    """Return a digest of a lively market's log, its forced orders and its settled deficits."""
    log = model_of(lively(duration_seconds=25.0)).run()
    sizes = [log.columns(table)["step"].size for table in ("forced_orders", "waterfall")]
    return digest(log), *sizes


def test_a_market_is_the_same_without_compilation() -> None:
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=root,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    compiled, n_forced, n_settled = outcome()
    assert n_forced > 10 and n_settled > 0
    assert done.stdout.split() == [compiled, str(n_forced), str(n_settled)]
    assert len(TABLES) > 10 and np.geterr()["over"] == "warn"
