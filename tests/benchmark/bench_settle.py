"""CPU time of settling many deficits in one step with an empty insurance fund; prints JSON.

    python tests/benchmark/bench_settle.py [accounts ...]

A fall of 30 % in one step leaves a part of all longs in deficit after the market has closed them,
or, where no book takes them, with their lots still open: their deficits are cut from the winners'
profit, or their lots are handed over, one pool after the other. Time per deficit should not grow
with the crowd.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from stresslab.model import StressModel  # noqa: E402
from tests.markets import drawn, fall, market, model_of, tables_of  # noqa: E402

SIZES = (3_000, 30_000)


def crowd(n_accounts: int, is_open: bool) -> StressModel:
    """Return a market of longs with all leverages and as many shorts with little."""
    leverage = {"median": 5.0, "sigma": 0.6, "cap": 10.0}
    wealth = {"kind": "pareto", "minimum_usd": 1000.0, "tail": 1.5, "cap_usd": 1e6}
    traders = {
        "longs": drawn(
            "passive", n_accounts // 2, wealth=wealth, leverage=leverage,
            holdings={"kind": "directional", "share_long": 1.0},
        ),
        "shorts": drawn(
            "passive", n_accounts // 2, leverage={"median": 2.0, "cap": 4.0},
            wealth={**wealth, "minimum_usd": 6000.0}, is_counterparty=True,
        ),
    }  # fmt: skip
    feedback = {"feedback": "market", "insurance_fund_usd": 0.0} if is_open else {
        "feedback": "no_feedback", "insurance_fund_usd": 0.0}  # fmt: skip
    return model_of(
        market(
            traders,
            liquidation=feedback,
            market__book={"kind": "limit_order_book"},
            market__shocks={"s": fall(0.3)},
        )
    )


def run(n_accounts: int, is_open: bool) -> dict[str, object]:
    """Return how long all settling took, and how many deficits there were."""
    model = crowd(n_accounts, is_open)
    settle, taken = model.engine.settle, []

    def timed(step: int) -> None:
        began = time.process_time()
        settle(step)
        taken.append(time.process_time() - began)

    model.engine.settle = timed  # type: ignore[method-assign]
    tables = tables_of(model)
    deficits, given = len(tables["waterfall"]["step"]), len(tables["adl"]["step"])
    return {
        "accounts": n_accounts,
        "lots": "open" if is_open else "closed",
        "deficits": deficits,
        "transfers": given,
        "seconds": round(sum(taken), 3),
        "microseconds_per_deficit": round(1e6 * sum(taken) / deficits),
    }


if __name__ == "__main__":
    sizes = [int(size) for size in sys.argv[1:]] or SIZES
    run(200, False), run(200, True)
    found = [run(size, is_open) for size in sizes for is_open in (False, True)]
    print(json.dumps(found, indent=1))
