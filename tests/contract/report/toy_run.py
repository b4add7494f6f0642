"""A run made by hand: the hand-computed cascade in every cell, outcomes that grow with size."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import polars as pl

from stresslab.contagion import Contagion, Tables
from stresslab.contagion.long import LONG_TABLES, long_tables
from stresslab.contagion.outcomes import OUTCOMES, measure
from stresslab.core.events import TABLES
from stresslab.experiment.columns import HEAD, column_names
from stresslab.results.event_files import pack_events
from stresslab.results.files import sha256, write_whole
from stresslab.results.folder import RunFolder
from stresslab.results.frames import parquet_bytes, to_frame
from stresslab.results.identity import RESULTS_VERSION, canonical
from stresslab.results.long_tables import pack_long
from stresslab.results.records import DONE, Record
from stresslab.results.run import Run
from tests.unit.contagion.cases import USD, hand_cascade, tables

FALLS, SHARES, REPLICATES = (0.1, 0.2), (0.0, 0.5, 1.0), 3
FUNDS = (1e5, 1e6, 1e7)
FALL, FUND = "scenario.market.shocks.first.fall", "scenario.liquidation.insurance_fund_usd"
ARMS = {"isolated": 0.0, "cross": 1.0}


class ToyRun:
    """What figures read of a run: study, resolved form, outcomes, events."""

    def __init__(
        self,
        path: Path,
        failed: int = 1,
        with_map: bool = True,
        points: Sequence[dict[str, Any]] = tuple({FUND: fund} for fund in FUNDS),
    ) -> None:
        """``points`` are those of the third design, which varies other things than shocks."""
        self.path = path
        self.name = "toy"
        self.with_map = with_map
        self.study = _study()
        columns = column_names([FALL, *points[0]])
        self.resolved: dict[str, Any] = {
            "study": self.study,
            "scenarios": [],
            "cells": [],
            "columns": columns,
        }
        rows = [*self._response(), *self._sweep(), *self._third(points)]
        self.outcomes = pl.DataFrame([self._outcome(r, n < failed) for n, r in enumerate(rows)])
        if failed >= len(rows):  # nothing finished, so nothing says which outcomes there are
            self.outcomes = self.outcomes.drop(*_measured(), strict=False)

    def with_events(self) -> list[str]:
        kept = self.outcomes.filter(status="done", replicate=1)
        return kept["cell"].unique(maintain_order=True).to_list()

    def long(self, table: str, cells: Sequence[str]) -> pl.DataFrame:
        columns = LONG_TABLES[table](Contagion(events(self.with_map)))
        frame = pl.DataFrame({n: v.tolist() for n, v in columns.items()})
        return pl.concat([frame.select(pl.lit(cell).alias("cell"), pl.all()) for cell in cells])

    def tables(self, cell: str) -> Tables:
        assert cell in self.with_events()
        return events(self.with_map)

    def events(self, cell: str) -> dict[str, pl.DataFrame]:
        found = self.tables(cell)
        return {name: to_frame(name, found[name]) for name in TABLES}

    def _response(self) -> list[dict[str, Any]]:
        return [
            self._place("shock_response", point, arm, fall, share, replicate)
            for point, fall in enumerate(FALLS)
            for arm, share in ARMS.items()
            for replicate in range(REPLICATES)
        ]

    def _sweep(self) -> list[dict[str, Any]]:
        points = [(fall, share) for fall in FALLS for share in SHARES]
        return [
            self._place("share_sweep", point, "base", fall, share, replicate)
            for point, (fall, share) in enumerate(points)
            for replicate in range(REPLICATES)
        ]

    def _third(self, points: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        return [
            self._place("third", point, arm, values.get(FALL, FALLS[0]), share, replicate, values)
            for point, values in enumerate(points)
            for arm, share in ARMS.items()
            for replicate in range(REPLICATES)
        ]

    def _place(
        self,
        design: str,
        point: int,
        arm: str,
        fall: float,
        share: float,
        replicate: int,
        values: Mapping[str, Any] = MappingProxyType({}),
    ) -> dict[str, Any]:
        overrides = {FALL: fall, "scenario.margin_mode.cross_share": share, **values}
        if overrides not in self.resolved["scenarios"]:
            self.resolved["scenarios"].append(overrides)
        number = self.resolved["scenarios"].index(overrides)
        cell = f"{number:x}{replicate}"
        self.resolved["cells"].append([cell, number, replicate])
        names = {"design": design, "point": point, "arm": arm, "control": "feedback"}
        columns = {n: _plain(values.get(p)) for n, p in self.resolved["columns"].items()}
        place = {**names, "replicate": replicate, "cell": cell}
        return {**place, **columns, "fall": fall, "of_arm": share}

    def _outcome(self, place: dict[str, Any], is_failed: bool) -> dict[str, Any]:
        size = place["fall"] * (1 + place["replicate"] / 10)
        values = {
            **_measured(),
            "share_accounts_liquidated": size,
            "penalties_usd": 12.5,
            "spill_same_accounts_usd": 1e6 * size * place["of_arm"],
            "crossed": float(place["of_arm"] > 0.4 and place["fall"] > 0.15),
        }
        place.pop("of_arm")
        if is_failed:
            error = {"status": "failed", "error_type": "ValueError", "error": "no market"}
            return {**place, **error, **dict.fromkeys(values)}
        return {**place, "status": "done", "error_type": "", "error": "", **values}


def _plain(value: Any) -> Any:
    """Return a value as a column of the design holds it."""
    return json.dumps(value, separators=(",", ":")) if isinstance(value, dict) else value


def _study() -> dict[str, Any]:
    return {
        "name": "toy",
        "title": "Toy study",
        "description": "Does it spread?",
        "seed": 7,
        "report": {"figures": []},
        "scenario": {
            "assets": {"A": {}, "B": {}},
            "market": {"shocks": {"first": {"assets": ["A"], "fall": 0.1}}},
            "margin_mode": {"kind": "fixed_share", "cross_share": 1.0},
            "margin": {"cross": {"penalty_rate": 0.01}},
            "liquidation": {"insurance_fund_usd": FUNDS[0]},
            "traders": {
                "levered": {"count": 3, "accounts": [], "strategy": {"kind": "passive"}},
                "makers": {"count": 1, "accounts": []},
            },
        },
        "designs": {
            "shock_response": _design(list(ARMS)),
            "share_sweep": _design(["base"]),
            "third": _design(list(ARMS)),
        },
    }


def _design(arms: list[str]) -> dict[str, Any]:
    names = {"arms": {arm: {} for arm in arms}, "controls": {"feedback": {}}}
    return {"title": "", "replicates": REPLICATES, **names}


@functools.cache
def _measured() -> dict[str, int | float]:
    return measure(events(with_map=False))


@functools.cache
def events(with_map: bool) -> Tables:
    """Return the hand-computed cascade, with a liquidation map of two moves if asked for."""
    found = hand_cascade()
    moves = [
        {"asset": asset, "mode": mode, "move": move, "notional_micro_usd": 500 * USD, "pools": 1}
        for asset in (0, 1)
        for mode in ("isolated", "cross")
        for move in (-0.2, 0.2)
    ]
    if with_map:
        found["liquidation_map"] = tables(liquidation_map=moves)["liquidation_map"]
    return found


def stored(path: Path) -> Run:
    """Write the run made by hand into a folder, as the runner would, and open it."""
    toy, folder = ToyRun(path), RunFolder(path)
    folder.make()
    events_of, long_of = pack_events(events(True)), pack_long(_long_tables())
    for row in toy.outcomes.unique("cell", keep="first", maintain_order=True).to_dicts():
        outcomes = {name: _number(row[name]) for name in OUTCOMES}
        keeps = row["replicate"] == 1
        sums = {"long_sha256": sha256(long_of), "events_sha256": sha256(events_of) if keeps else ""}
        folder.store(
            Record(row["cell"], DONE, outcomes, **sums), events_of if keeps else None, long_of
        )
    head = [*HEAD, *toy.resolved["columns"]]
    write_whole(folder.design, parquet_bytes(toy.outcomes.select(head)))
    cells = {cell: [cell, *rest] for cell, *rest in toy.resolved["cells"]}
    resolved = {**toy.resolved, "cells": list(cells.values()), "results_version": RESULTS_VERSION}
    write_whole(folder.resolved, canonical(resolved).encode())
    folder.write_checksums(iter([folder.design, folder.resolved]))
    return Run(path)


def _number(value: Any) -> Any:
    return None if value is None or value != value else value


@functools.cache
def _long_tables() -> Tables:
    return long_tables(Contagion(events(with_map=True)))
