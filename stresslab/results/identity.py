"""Identity of results: canonical bytes of what a cell is made from, and their digest."""

from __future__ import annotations

import hashlib
import json
from typing import Any

#: Raise it whenever the same inputs give other results: old cells are then never continued.
RESULTS_VERSION = 2

CELL_DIGITS = 16


def canonical(value: Any) -> str:
    """Return plain data as JSON that has one form only: no blanks, shortest floats.

    Keys stay in their order: that of declarations where parameters are declared, and as written
    where names are free, since assets and groups of traders take their ids from it.

    >>> canonical({"b": 0.1, "a": [1, None]})
    '{"b":0.1,"a":[1,null]}'
    """
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def digest(value: Any) -> str:
    """Return the sha256 of plain data in canonical form."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def cell_id(scenario_digest: str, seed: int, replicate: int) -> str:
    """Return the identity of a cell: what it is made from, never its place in a design."""
    made_from = {
        "results_version": RESULTS_VERSION,
        "scenario": scenario_digest,
        "seed": seed,
        "replicate": replicate,
    }
    return digest(made_from)[:CELL_DIGITS]
