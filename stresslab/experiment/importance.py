"""Leave-one-out importance: every removal is a twin that is run, beside what foretells it."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stresslab.contagion.columns import as_int
from stresslab.contagion.importance import (
    PREDICTIONS,
    SCORES,
    Fallen,
    Foretold,
    fallen,
    rank_correlation,
)
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
class Importance:
    """What all removals from one cell did, and how well each forecast told it."""

    cell: str
    removals: dict[str, list[Any]]  # columns, a row per removal
    forecasts: dict[str, list[Any]]  # columns, a row per forecast


def importance(
    run: Run, cell: str, top: int = 10, workers: int = 1, tell: Callable[[str], None] | None = None
) -> Importance:
    """Leave out each of the ``top`` accounts by forced notional, every asset and every rule.

    Parameters
    ----------
    workers
        Processes that run twins; with one, this process does.
    tell
        Hears about each removal that is done.

    Raises
    ------
    ConfigError
        If there is no such cell, or nobody was liquidated in it.
    """
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
    rows = []
    for removal, twin in zip(removals, _run(tasks, workers), strict=True):
        chosen = _chosen(shadow, removal, original.asset_names)
        row = foretold.outcome(chosen, removal.accounts, twin)
        size = _size_usd(original, foretold, removal)
        rows.append({"kind": removal.kind, "name": removal.name, "size_usd": size, **row})
        if tell is not None:
            tell(f"{removal.kind} {removal.name}: saved {row['saved']}, felled {row['felled']}")
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    return Importance(record.cell, columns, forecasts(columns))


def terms_of(run: Run, scenario: dict[str, Any]) -> Terms:
    """Return the maintenance margins that a scenario begins with."""
    local = changed_scenario(run, scenario, Changes())
    built: Any = build(scenario_class(), local)
    is_spot = np.array([asset.kind == "spot" for asset in built.assets.values()])
    units = np.array([asset.unit_value for asset in built.assets.values()], np.int64)
    t = margin_tables(built.margin, list(built.assets), is_spot, units)
    return Terms(t.floor, t.rate / RATE_UNIT, t.deduction, bool(t.portfolio.size))


def forecasts(removals: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Return how well each forecast told who is saved, and which accounts matter.

    ``auc`` is the mean within removals of accounts that save some and not all, ``least_auc`` the
    lowest and ``n_auc`` their number; ``rank_correlation`` is with the forced notional that others
    are spared, over removals of accounts.
    """
    is_account = np.array([kind == "account" for kind in removals["kind"]])
    spared = np.array(removals["saved_usd"], float)[is_account]
    names = {f"{name.removesuffix('_usd')}": name for name in PREDICTIONS}
    names["trigger_share"] = names.pop("trigger")
    columns: dict[str, list[Any]] = {
        n: [] for n in ("forecast", "auc", "least_auc", "n_auc", "rank_correlation")
    }
    for name in SCORES:
        found = np.array(removals[f"auc_{name}"], float)[is_account]
        found = found[~np.isnan(found)]
        columns["forecast"].append(name)
        columns["auc"].append(float(found.mean()) if found.size else None)
        columns["least_auc"].append(float(found.min()) if found.size else None)
        columns["n_auc"].append(int(found.size))
        told = np.array(removals[names[name]], float)[is_account] if name in names else spared[:0]
        correlation = rank_correlation(told, spared) if told.size else np.nan
        columns["rank_correlation"].append(None if np.isnan(correlation) else correlation)
    return columns


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


Task = tuple[dict[str, Any], int, int, Path]


def _run(tasks: Sequence[Task], workers: int) -> Iterator[Fallen]:
    if workers == 1:
        yield from map(_fallen_in, tasks)
        return
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=spawn, initializer=die_with_parent) as pool:
        yield from pool.map(_fallen_in, tasks)


def _fallen_in(task: Task) -> Fallen:
    from stresslab.experiment.simulation import simulate

    tables, _, _ = simulate(*task)
    return fallen(Contagion(tables))
