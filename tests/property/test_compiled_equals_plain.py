"""A run is the same to the last bit when numba is switched off: kernels do what they say."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from stresslab.core.events import TABLES
from tests.benchmark.headline import digest
from tests.markets import lively, model_of

PROGRAM = """
import numpy as np
from tests.property.test_compiled_equals_plain import outcome, rule_by_rule
np.seterr(over="ignore")  # draws and products wrap, as they do in kernels
print(*outcome(), *outcome(**rule_by_rule()))
"""


def rule_by_rule() -> dict[str, Any]:
    """Return changes of a lively market that turn on what it leaves off before a liquidation.

    Take-profits and limit stops that watch the last trade, alerts at three levels, traders who cut,
    a median mark from a late oracle, funding by impact prices.
    """
    habits = {"reentry_seconds": 5.0, "take_profit_share": 0.5, "take_profit": 0.3,
              "stop_share": 0.6, "stop_loss": 0.3, "topup_probability": 0.3, "cut_share": 1.0,
              "cut_probability": 0.6}  # fmt: skip
    return {
        "traders__speculators__free_wallet": 0.3,
        "traders__speculators__strategy": {"kind": "leveraged_speculator", **habits},
        "traders__speculators__stops": {
            "trigger": "last", "execution": "limit", "limit_offset": 0.02,
        },
        "margin__call_levels": [0.5, 0.7, 0.9],
        "market__mark": {"rule": "median", "half_life_seconds": 5.0, "book_price": "last"},
        "market__oracle": {"lag_seconds": 2.0, "heartbeat_seconds": 3.0, "deviation": 0.01},
        "market__funding": {
            "interval_seconds": 5.0, "premium": "impact_price", "impact_notional_usd": 2000.0,
            "average": "ewma", "average_half_life_seconds": 10.0, "cap_of_margin_gap": 0.5,
        },
    }  # fmt: skip


def outcome(**changes: Any) -> tuple[str, ...]:
    """Return a digest of a lively market's log, and how much happened in it."""
    log = model_of(lively(duration_seconds=25.0, **changes)).run()
    sizes = [log.columns(table)["step"].size for table in ("forced_orders", "waterfall", "alerts")]
    counts = [log.columns("accounts")[name].sum() for name in ("n_stops", "n_cuts", "n_topups")]
    return digest(log), *(str(number) for number in (*sizes, *counts))


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
    compiled, more = outcome(), outcome(**rule_by_rule())
    assert int(compiled[1]) > 10 and int(compiled[2]) > 0
    assert all(int(count) > 0 for count in more[1:]), more
    assert done.stdout.split() == [*compiled, *more]
    assert len(TABLES) > 10 and np.geterr()["over"] == "warn"
