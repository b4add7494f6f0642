"""How much faster two workers finish a study than one; run on request, prints JSON.

    python tests/benchmark/bench_workers.py [repeats]

The goal is 1.8 x. The study is part of the headline's: both arms, three shocks, replicates enough
to outweigh the start of the workers. A first run compiles; then one and two workers take turns, and
all must store the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import stresslab

CONFIG = Path(__file__).parent / "workers.yaml"


def run(workers: int) -> tuple[float, str]:
    """Return the seconds of a study and a digest of what it stored."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        began = time.perf_counter()
        finished = stresslab.run(CONFIG, out=out, workers=workers)
        seconds = time.perf_counter() - began
        assert finished.outcomes["n_liquidations"].sum() > 0
        return seconds, hashlib.sha256((out / "checksums.json").read_bytes()).hexdigest()


def measure(repeats: int) -> dict[str, object]:
    """Return medians over repeats."""
    digests = {run(2)[1]}
    seconds: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(repeats):
        for workers, taken in seconds.items():
            passed, digest = run(workers)
            taken.append(passed)
            digests.add(digest)
    one, two = (statistics.median(taken) for taken in seconds.values())
    ratios = [alone / both for alone, both in zip(seconds[1], seconds[2], strict=True)]
    return {
        "one_worker": round(one, 2),
        "two_workers": round(two, 2),
        "ratio": round(statistics.median(ratios), 3),
        "is_right": len(digests) == 1,
    }


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 3)))
