"""What each policy costs: a run of the headline market with it, against the run without; Markdown.

    python tests/benchmark/bench_policies.py [repeats]

Every closure, auto-deleveraging policy, way to socialise a loss and rule of the requirement is put
into the market of the headline study (2,000 traders, 5 assets, 600 steps, half of them on cross
margin, BTC falls by 20 %, no insurance fund), one at a time. CPU time of a whole run in a warm
process, the least of the repeats, is compared with that of the same market without it; per forced
order it tells what a policy does itself from what it makes the market do.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from stresslab.core.declarations import build
from stresslab.experiment.documents import read_document
from stresslab.liquidation.adl import ADL_POLICIES
from stresslab.liquidation.closures import CLOSURES
from stresslab.liquidation.socialised import SOCIALISED_LOSSES
from stresslab.model import StressModel
from stresslab.scenario import Scenario
from tests.benchmark.headline import CONFIG
from tests.markets import changed

SEED = 1010
REPEATS = 3
FOLLOWS = {"initial": {"multiple": 1.0}, "maintenance": {"multiple": 1.0, "cap": 0.01}}
PARTS: dict[str, dict[str, Any]] = {
    "volatility": FOLLOWS,
    "depth": {"notional_usd": 1e5, **FOLLOWS},
    "open_interest": {"lower_cap_usd": 1e6, "upper_cap_usd": 1e9},
    "announced": {"initial": 0.01, "maintenance": 0.002, "at_seconds": 30.0},
}
NEEDED = {"rate_limited": {"usd_per_window": 1e6, "window_seconds": 60.0}}
CREDIT = {"half_life_seconds": 60.0}
GRID = {
    "classes": {"all": ["BTC", "ETH", "SOL", "XRP", "DOGE"]},
    "scenarios": [{"spot_move": move} for move in (-0.004, -0.002, 0.0, 0.002, 0.004)],
    "perpetual_addition": 0.002,
    "perpetual_initial_addition": 0.001,
}


def policies() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield (room, name, changes of the scenario by path)."""
    for kind in CLOSURES:
        closure = {"kind": kind, **NEEDED.get(kind, {})}
        yield "closure", kind, {"margin__cross__closure": closure,
                                "margin__isolated__closure": closure}  # fmt: skip
    for kind in ADL_POLICIES:
        rule = {"kind": kind}
        yield "adl", kind, {"liquidation__position_adl": rule, "liquidation__profit_haircut": rule}
    for kind in SOCIALISED_LOSSES:
        rule = {"kind": kind}
        yield "loss", kind, {"liquidation__adl": False, "liquidation__socialised_loss": rule}
    for kind, rule in PARTS.items():
        yield "requirement", kind, {"margin__requirement": {kind: {"kind": kind, **rule}}}
    every = {kind: {"kind": kind, **rule} for kind, rule in PARTS.items()}
    yield "requirement", "all four", {"margin__requirement": every}
    yield "requirement", "call_below_initial", {"margin__call_below_initial": True}
    for name, extra in (
        ("scenarios", {}),
        ("scenarios, credit", {"credit_by_correlation": CREDIT}),
    ):
        yield "requirement", name, {
            "margin__portfolio": {**GRID, **extra},
            "margin__cross__closure": {"kind": "least_common_share"},
        }  # fmt: skip


def scenario(changes: dict[str, Any]) -> Scenario:
    """Return the headline market with changes."""
    plain = read_document(str(CONFIG)).value["scenario"]
    plain["market"]["shocks"]["first"].update(assets=["BTC"], fall=0.2)
    plain["margin_mode"] = {"kind": "fixed_share", "cross_share": 0.5}
    plain.setdefault("liquidation", {})["insurance_fund_usd"] = 0.0
    return build(Scenario, changed(plain, **changes))


def measure(changes: dict[str, Any], repeats: int) -> tuple[float, int, int]:
    """Return seconds of CPU of a run, forced orders and deficits."""
    seconds = []
    for _ in range(repeats + 1):
        model = StressModel(scenario(changes), seed=SEED, replicate=1)
        began = time.process_time()
        log = model.run()
        seconds.append(time.process_time() - began)
    orders = log.columns("forced_orders")["step"].size
    return min(seconds[1:]), orders, log.columns("waterfall")["step"].size


def main(repeats: int) -> None:
    """Print a table."""
    base, orders, deficits = measure({}, repeats)
    print("| rule | of | ms a run | to default | µs a forced order | forced orders | deficits |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    _row("as configured", "", base, base, orders, deficits)
    for room, name, changes in policies():
        seconds, orders, deficits = measure(changes, repeats)
        _row(name, room, seconds, base, orders, deficits)


def _row(name: str, room: str, seconds: float, base: float, orders: int, deficits: int) -> None:
    each = f"{1e6 * seconds / orders:,.0f}" if orders else ""
    print(f"| `{name}` | {room} | {1e3 * seconds:,.0f} | {seconds / base:.2f} | {each} | "
          f"{orders:,} | {deficits:,} |", flush=True)  # fmt: skip


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else REPEATS)
