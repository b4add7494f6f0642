"""What causes cost in a run with 10,000 liquidations, and what a twin costs; on request, JSON.

    python tests/benchmark/bench_attribution.py [scale of the crowd] [repeats]

The goals: recording and projecting causes at most 15 % of the run, `whatif` at most twice the time
of the run that it asks about. Recording is everything that would not be there without causes: what
ate a margin, who moved a price, the shares that books and marks remember. Twins are timed as whole
commands, by processor time, in the headline's cross arm after a fall of 20 % of BTC.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from stresslab.contagion import Contagion
from stresslab.core.events import TABLES
from stresslab.experiment.documents import read_document
from stresslab.liquidation import spells
from stresslab.liquidation.adl_trail import AdlTrail
from stresslab.liquidation.recorder import Recorder
from stresslab.liquidation.rounds import Rounds
from stresslab.market.marks import MarkBoard
from stresslab.model import StressModel
from tests.benchmark.headline import CONFIG, headline

SEED = 1010
EVERYTHING = ["BTC", "ETH", "SOL", "XRP", "DOGE"]

#: Where causes are recorded; ``update`` sets the marks too, so that it is counted too high.
RECORDING = (
    (spells, "explain"),
    (AdlTrail, "sources"),
    (AdlTrail, "note"),
    (Rounds, "_attribute"),
    (Recorder, "open_spells"),
    (Recorder, "price_moves"),
    (MarkBoard, "update"),
)


@contextmanager
def timed(places: tuple[tuple[Any, str], ...]) -> Iterator[dict[str, float]]:
    """Sum the seconds spent in functions, none of which calls another."""
    seconds: dict[str, float] = defaultdict(float)
    kept = [(owner, name, getattr(owner, name)) for owner, name in places]
    for owner, name, function in kept:
        setattr(owner, name, _timed(function, name, seconds))
    try:
        yield seconds
    finally:
        for owner, name, function in kept:
            setattr(owner, name, function)


def _timed(function: Callable[..., Any], name: str, seconds: dict[str, float]) -> Any:
    def call(*arguments: Any, **options: Any) -> Any:
        began = time.perf_counter()
        try:
            return function(*arguments, **options)
        finally:
            seconds[name] += time.perf_counter() - began

    return call


def attribution(scale: int) -> dict[str, object]:
    """Return the share of causes in a run of ``scale`` crowds of the headline, isolated."""
    plain = read_document(str(CONFIG)).value["scenario"]
    plain["market"]["shocks"]["first"].update(assets=EVERYTHING, fall=0.2)
    for group in plain["traders"].values():
        group["count"] *= scale
    scenario = headline(0.0, traders=plain["traders"], market=plain["market"])
    StressModel(scenario, seed=SEED, replicate=0).run()  # compiles all that it comes to
    with timed(RECORDING) as seconds:
        began = time.perf_counter()
        log = StressModel(scenario, seed=SEED, replicate=0).run()
        whole = time.perf_counter() - began
    tables = {name: log.columns(name) for name in TABLES}
    began = time.perf_counter()
    run = Contagion(tables)
    run.check()
    generations = run.forest.generation
    projection = time.perf_counter() - began
    recording = sum(seconds.values())
    return {
        "liquidations": generations.size,
        "edges": run.parents.child.size,
        "seconds": round(whole, 2),
        "recording": {name: round(value, 3) for name, value in seconds.items()},
        "share_of_recording": round(recording / whole, 4),
        "projection": round(projection, 3),
        "share_of_both": round((recording + projection) / (whole + projection), 4),
    }


def twins(repeats: int) -> dict[str, object]:
    """Return the least processor seconds of `run` and of `whatif` as commands, compiled before."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "one.yaml"
        config.write_text(
            f"extends: {CONFIG}\nname: one\ndesigns:\n  shock_response:\n    replicates: 1\n"
            "    arms: {isolated: null, cross_whole: null, choice: null}\n"
            "    controls: {slipped: null, no_feedback: null}\n"
            "    points: {grid: {scenario.market.shocks.first.assets: [[BTC]],\n"
            "                    scenario.market.shocks.first.fall: [0.2]}}\n"
            "  share_sweep: null\n  where_cross_fails: null\n  hedgers_leak: null\n"
        )
        runs = [Path(folder) / f"run{k}" for k in range(repeats + 1)]
        run = [_seconds("run", str(config), "--workers", "1", "--out", str(out)) for out in runs]
        cell = next(runs[0].glob("outcomes/*.json")).stem
        gone = _largest(runs[0], cell)
        asked = ("whatif", str(runs[0]), "--cell", cell, "--remove", f"account:{gone}")
        whatif = [_seconds(*asked) for _ in range(repeats + 1)]
    fastest = min(run[1:]), min(whatif[1:])
    return {
        "run": round(fastest[0], 2),
        "whatif": round(fastest[1], 2),
        "ratio": round(fastest[1] / fastest[0], 2),
    }


def _largest(run: Path, cell: str) -> int:
    from stresslab.api import open_run
    from stresslab.contagion.importance import fallen

    found = fallen(open_run(run).contagion(cell))
    return int(found.account[found.micro_usd.argmax()])


def _seconds(*arguments: str) -> float:
    """Return the processor time of a command and its workers, which neighbours do not lengthen."""
    paths = os.pathsep.join(path for path in sys.path if path)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-m", "stresslab.cli", *arguments],
        check=True, capture_output=True, env={**os.environ, "PYTHONPATH": paths},
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


if __name__ == "__main__":
    scale = int(sys.argv[1]) if len(sys.argv) > 1 else 6
    repeats = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    print(json.dumps({"attribution": attribution(scale), "twins": twins(repeats)}))
