"""Leave-one-out importance: every removal is a twin that is run, beside what foretold it."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stresslab.contagion.columns import as_int
from stresslab.contagion.importance import Foretold, Twin, twin_of
from stresslab.contagion.projection import Contagion
from stresslab.contagion.shadow import Shadow, Terms
from stresslab.core.declarations import build
from stresslab.core.errors import ConfigError
from stresslab.experiment.cells import scenario_of
from stresslab.experiment.config import scenario_class
from stresslab.experiment.twins import Changes, changed_scenario, original_tables
from stresslab.experiment.worker import die_with_parent
from stresslab.margin.tiers import RATE_UNIT, margin_tables
from stresslab.results.run import Run

Task = tuple[dict[str, Any], int, int, Path]

#: Rules that can be left out, and what a twin changes for it; empty-handed where it has no such.
RULES: dict[str, Changes] = {
    "feedback": Changes({"feedback": "no_feedback"}),
    "stop_orders": Changes({"without_stop_orders": True}),
    "auto_deleveraging": Changes(settings=("scenario.liquidation.adl=false",)),
    "insurance_fund": Changes(settings=("scenario.liquidation.insurance_fund_usd=0",)),
}


@dataclass(frozen=True)
class Removal:
    """One thing that is left out: an ``account``, the price effect of an ``asset``, a ``rule``."""

    kind: str
    name: str
    changes: Changes
    accounts: tuple[int, ...] = ()


@dataclass(frozen=True)
class Cell:
    """A finished cell and all that is left out of it."""

    name: str
    replicate: int
    original: Contagion
    shadow: Shadow
    foretold: Foretold
    removals: list[Removal]
    tasks: list[Task]


def leave_out(
    run: Run,
    cells: Sequence[str],
    top: int = 10,
    workers: int = 1,
    tell: Callable[[str], None] | None = None,
) -> dict[str, list[Any]]:
    """Leave out each of the ``top`` accounts by forced notional, every asset and every rule.

    Parameters
    ----------
    workers
        Processes that run twins; with one, this process does.
    tell
        Hears about each removal that is done.

    Returns
    -------
    Columns, a row per cell and removal; ``place`` counts an account from the largest.

    Raises
    ------
    ConfigError
        If there is no such cell, or nobody was liquidated in it.
    """
    prepared = [_prepare(run, cell, top) for cell in cells]
    twins = _run([task for cell in prepared for task in cell.tasks], workers)
    rows = []
    for cell in prepared:
        for place, removal in enumerate(cell.removals, start=1):
            row = _row(cell, removal, place, next(twins))
            rows.append(row)
            if tell is not None:
                told = f"saved {row['saved']}, felled {row['felled']}"
                tell(f"replicate {cell.replicate}: {removal.kind} {removal.name}: {told}")
    return {name: [row[name] for row in rows] for name in rows[0]}


def replicates_of(run: Run, cell: str, n: int) -> list[str]:
    """Return a cell and the next finished ones of its arm and point, at most ``n`` in all."""
    cells = {name: (number, replicate) for name, number, replicate in run.resolved["cells"]}
    first = run.record(cell).cell
    number, since = cells[first]
    alike = sorted((r, name) for name, (m, r) in cells.items() if m == number and r >= since)
    done = {first, *(record.cell for record in run.records() if record.is_done)}
    return [name for _, name in alike if name in done][:n]


def _prepare(run: Run, cell: str, top: int) -> Cell:
    record = run.record(cell)
    original = Contagion(original_tables(run, record.cell))
    if not len(original.ids):
        raise ConfigError(f"cell {record.cell}: nobody was liquidated, so nothing can be prevented")
    number, replicate = {c: (n, r) for c, n, r in run.resolved["cells"]}[record.cell]
    scenario = scenario_of(run.resolved, number)
    foretold = Foretold(original, shadow := Shadow(original, terms_of(run, scenario)))
    removals = list(_removals(foretold, original.asset_names, top))
    tasks = [
        (changed_scenario(run, scenario, removal.changes), int(run.study["seed"]), replicate,
         run.path)
        for removal in removals
    ]  # fmt: skip
    return Cell(record.cell, replicate, original, shadow, foretold, removals, tasks)


def _row(cell: Cell, removal: Removal, place: int, twin: Twin) -> dict[str, Any]:
    chosen = _chosen(cell.shadow, removal, cell.original.asset_names)
    return {
        "cell": cell.name,
        "replicate": cell.replicate,
        "kind": removal.kind,
        "name": removal.name,
        "place": place if removal.kind == "account" else None,
        "size_usd": _size_usd(cell.original, cell.foretold, removal),
        **cell.foretold.outcome(chosen, removal.accounts, twin),
    }


def terms_of(run: Run, scenario: dict[str, Any]) -> Terms:
    """Return the maintenance margins that a scenario begins with."""
    local = changed_scenario(run, scenario, Changes())
    built: Any = build(scenario_class(), local)
    is_spot = np.array([asset.kind == "spot" for asset in built.assets.values()])
    units = np.array([asset.unit_value for asset in built.assets.values()], np.int64)
    t = margin_tables(built.margin, list(built.assets), is_spot, units)
    return Terms(t.floor, t.rate / RATE_UNIT, t.deduction, bool(t.portfolio.size))


def _removals(foretold: Foretold, assets: list[str], top: int) -> Iterator[Removal]:
    order = np.lexsort((foretold.fallen.account, -foretold.fallen.micro_usd))
    for account in foretold.fallen.account[order[:top]].tolist():
        yield Removal("account", str(account), Changes({"remove": [account]}), (account,))
    for name in assets:
        yield Removal("asset", name, Changes({"quiet_assets": [name]}))
    for name, changes in RULES.items():
        yield Removal("rule", name, changes)


def _chosen(shadow: Shadow, removal: Removal, assets: list[str]) -> np.ndarray:
    if removal.kind == "asset":
        return shadow.chosen(assets=(assets.index(removal.name),))
    if removal.name == "feedback":
        return np.ones(shadow.sales.ticks.size, bool)
    return shadow.chosen(accounts=removal.accounts)


def _size_usd(run: Contagion, foretold: Foretold, removal: Removal) -> float | None:
    if removal.kind == "rule":
        return None
    if removal.kind == "account":
        return foretold.size_usd(removal.accounts)
    place = run.asset_names.index(removal.name)
    return int(as_int(run.forced_notional_by_asset)[:, place].sum()) / 1e6


def _run(tasks: Sequence[Task], workers: int) -> Iterator[Twin]:
    if workers == 1:
        yield from map(_twin_in, tasks)
        return
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=spawn, initializer=die_with_parent) as pool:
        yield from pool.map(_twin_in, tasks)


def _twin_in(task: Task) -> Twin:
    from stresslab.experiment.simulation import play

    return twin_of(Contagion(play(*task)))
