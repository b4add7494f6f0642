"""Seconds and memory of a cascade with a million edges; run on request, prints JSON.

    python tests/benchmark/bench_graph.py [N_EDGES]

An event log of liquidations with 50 parents each is written, then projected (shares, parents,
generations, trees) and measured as columns and a sparse matrix. The goal is 10 s and 2 GB for a
million edges, projection included. A small cascade of the same kind is held against networkx.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

import networkx
import numpy as np

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from stresslab.contagion import Contagion, Tables  # noqa: E402
from stresslab.contagion.graph import GRAPHS, edge_columns, structure  # noqa: E402
from stresslab.contagion.next_generation import generations, radius  # noqa: E402
from tests.unit.contagion.cases import USD, tables  # noqa: E402

N_EDGES = 1_000_000
N_PARENTS = 50
AMOUNT = 64 * N_PARENTS * USD


def cascade(n: int) -> Tables:
    """Return ``n`` liquidations, each felled by the index and by up to 50 earlier ones."""
    log = tables(assets=[{"asset": 0, "name": "A", "unit_value_micro_usd": USD}])
    rng = np.random.default_rng(n)
    ids = np.arange(n)
    seconds = np.arange(n + 100)
    number = np.minimum(ids, N_PARENTS)
    child = np.repeat(ids, number)
    within = np.arange(len(child)) - np.repeat(np.cumsum(number) - number, number)
    start = np.maximum(0, child - 4 * N_PARENTS)
    parent = start + within * np.maximum(1, (child - start) // N_PARENTS)
    share = np.full(len(child), 0.8 / N_PARENTS)
    fill(log, "totals", step=seconds, seconds=seconds + 1.0)
    fill(log, "accounts", account=ids)
    fill(log, "price_moves", stage=ids)
    fill(
        log, "price_causes",
        stage=np.concatenate([child, ids]), liquidation=np.concatenate([parent, -np.ones(n)]),
        cause=np.concatenate([np.full(len(child), "liquidation", object),
                              np.full(n, "index", object)]),
        share=np.concatenate([share, 1 - np.bincount(child, share, n)]),
    )  # fmt: skip
    fill(log, "breach_amounts", liquidation=ids, stage=ids,
         cause=np.full(n, "price", object), amount_micro_usd=np.full(n, AMOUNT))  # fmt: skip
    fill(log, "liquidations", liquidation=ids, account=ids, step=ids, end_step=ids, stage=ids,
         mode=np.full(n, "isolated", object), outcome=np.full(n, "closed", object),
         excess_before_micro_usd=np.full(n, AMOUNT))  # fmt: skip
    fill(log, "forced_orders", liquidation=ids, account=ids, step=ids,
         mode=np.full(n, "isolated", object), mark_ticks=np.full(n, 100),
         filled_lots=-rng.integers(1, 9, n))  # fmt: skip
    return log


def fill(log: Tables, table: str, **columns: np.ndarray) -> None:
    """Give a table these columns; the others are 0."""
    n = len(next(iter(columns.values())))
    for name, column in log[table].items():
        log[table][name] = np.asarray(columns.get(name, np.zeros(n))).astype(column.dtype)


def measured(log: Tables) -> dict[str, float]:
    """Project and measure a cascade; return seconds by part and what was found."""
    run, began, worked = Contagion(log), time.perf_counter(), time.process_time()
    n_edges = len(run.parents.child)
    shares = time.perf_counter()
    depth = int(run.forest.depth.max())
    trees = time.perf_counter()
    found = structure(run)
    columns = edge_columns(run)
    growth = radius(generations(run))
    ended = time.perf_counter()  # neighbours lengthen these seconds, not those of the processor
    return {
        "edges": n_edges,
        "seconds": ended - began,
        "processor_seconds": time.process_time() - worked,
        "seconds_of_shares": shares - began,
        "seconds_of_trees": trees - shares,
        "seconds_of_measures": ended - trees,
        "depth": depth,
        "largest_core": int(found.core.max()),
        "most_descendants": float(found.descendants.max()),
        "cascades": int(found.cascade.max()) + 1,
        "spectral_radius": growth,
        "principal": int(columns["is_principal"].sum()),
    }


def hold_against_networkx(n: int) -> int:
    """Raise where the columns of a small cascade differ from networkx; return its edges."""
    run = Contagion(cascade(n))
    graph, found = GRAPHS["liquidations"](run), structure(run)
    cores = networkx.core_number(graph.to_undirected())
    assert found.core.tolist() == [cores[node] for node in graph]
    katz = networkx.katz_centrality_numpy(
        graph.reverse(), 1.0, 1.0, weight="share", normalized=False
    )
    np.testing.assert_allclose(found.descendants, [katz[node] for node in graph], rtol=1e-9)
    n_parts = networkx.number_weakly_connected_components(graph)
    assert int(found.cascade.max()) + 1 == n_parts
    return int(graph.number_of_edges())


def main() -> None:
    """Print one line of JSON."""
    n_edges = int(sys.argv[1]) if len(sys.argv) > 1 else N_EDGES
    n_checked = hold_against_networkx(300)
    log = cascade(n_edges // N_PARENTS + N_PARENTS // 2 + 1)
    told = {"checked_edges": n_checked, **measured(log)}
    told["peak_gb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(json.dumps({k: round(v, 3) if isinstance(v, float) else v for k, v in told.items()}))


if __name__ == "__main__":
    main()
