"""What figures read: one design of a run, its places described by shock and share of cross margin.

A point is described by its complete scenario, not by the paths that a design happens to vary, so
that a shock written in the scenario and one written in a grid are the same thing here.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from stresslab.analysis.frames import DONE, FULL, PLACE
from stresslab.contagion import Contagion
from stresslab.contagion.outcomes import OUTCOMES
from stresslab.experiment.cells import scenario_of
from stresslab.market.rules import Shock
from stresslab.report.labels import FRACTION, Label, number
from stresslab.report.missing import NotInRun
from stresslab.report.words import parameter_label
from stresslab.results.run import Run
from stresslab.traders.choice.fixed_share import FixedShare

#: How captions name the interval of a mean.
STUDENT = "95 % Student interval"

#: What a row of a long table is told apart by.
_OF_LONG = ("pattern", "x", "arm", "replicate", "cell")

#: More shocked assets than these are counted, not named.
_MOST_NAMED = 3

SHOCK_SIZE: Label = parameter_label(Shock, "fall")
CROSS_SHARE: Label = parameter_label(FixedShare, "cross_share")


@dataclass(frozen=True)
class Setting:
    """What a design point does: which assets fall, by how much, who uses cross margin."""

    pattern: str
    n_shocked: int
    fall: float | None
    cross_share: float | None


def setting_of(scenario: Mapping[str, Any]) -> Setting:
    """Describe a complete scenario; without a shock, or with several, there is no one size."""
    shocks = scenario["market"]["shocks"]
    falls = {name: shock["fall"] for name, shock in shocks.items() if shock["fall"] > 0}
    shocked = {asset for name in falls for asset in shocks[name]["assets"]}
    share = scenario["margin_mode"].get("cross_share")
    if len(shocks) > 1 and falls:
        named = ", ".join(f"{name} {number(fall, FRACTION)} %" for name, fall in falls.items())
        return Setting(named, len(shocked), None, share)
    fall = max(falls.values(), default=0.0 if shocks else None)
    is_replayed = scenario["market"].get("index", {}).get("kind") == "replay"
    calm = "replayed index" if is_replayed else "no shock"
    pattern = _pattern(shocked, list(scenario["assets"])) if shocked else calm
    return Setting(pattern, len(shocked), fall, share)


def _pattern(shocked: set[str], assets: list[str]) -> str:
    if len(shocked) == len(assets):
        return "all together" if len(assets) > 1 else assets[0]
    names = [asset for asset in assets if asset in shocked]
    if len(names) > _MOST_NAMED:
        return f"{len(names)} of {len(assets)} assets together"
    return f"{names[0]} alone" if len(names) == 1 else f"{', '.join(names)} together"


@dataclass(frozen=True)
class Source:
    """One design of a run."""

    run: Run
    design: str
    find_kept: Callable[[], list[str]]

    @property
    def kept(self) -> list[str]:
        """Cells of the run that keep their event log; finding them reads every record."""
        return self.find_kept()

    @property
    def plan(self) -> Mapping[str, Any]:
        """The design as its config says it."""
        plan: Mapping[str, Any] = self.run.study["designs"][self.design]
        return plan

    @property
    def is_sampled(self) -> bool:
        """Whether points are spread over a box, so that no two share a value."""
        points = self.plan.get("points") or {}
        return any(points.get(form) for form in ("latin_hypercube", "sobol"))

    @property
    def seed(self) -> int:
        return int(self.run.study["seed"])

    @property
    def replicates(self) -> int:
        return int(self.plan["replicates"])

    @property
    def assets(self) -> list[str]:
        """Names in the order of their ids."""
        return list(self.run.study["scenario"]["assets"])

    @property
    def arms(self) -> list[str]:
        return list(self.plan["arms"])

    @property
    def control(self) -> str:
        """The control that figures show: with full feedback, or the first of the design."""
        controls = list(self.plan["controls"])
        return FULL if FULL in controls else controls[0]

    @cached_property
    def places(self) -> pl.DataFrame:
        """Every place of the design with its setting: finished or not, under every control."""
        rows = self.run.outcomes.filter(design=self.design)
        points = rows.unique(["point", "arm"], keep="first", maintain_order=True)
        keys = points.select("point", "arm", "cell").rows()
        found = [(point, arm, self._setting(cell)) for point, arm, cell in keys]
        settings = pl.DataFrame(
            [(p, a, s.pattern, s.n_shocked, s.fall, s.cross_share) for p, a, s in found],
            {
                "point": rows.schema["point"],
                "arm": pl.String,
                "pattern": pl.String,
                "n_shocked": pl.Int64,
                "x": pl.Float64,
                "y": pl.Float64,
            },
            orient="row",
        )
        return rows.join(settings, on=["point", "arm"], how="left", maintain_order="left")

    def _setting(self, cell: str) -> Setting:
        return setting_of(self.scenario(cell))

    def scenario(self, cell: str) -> dict[str, Any]:
        """Return the complete scenario of a cell."""
        return scenario_of(self.run.resolved, self._numbers[cell])

    def n_traders(self, cell: str) -> int:
        """Return how many traders the scenario of a cell has."""
        groups = self.scenario(cell)["traders"].values()
        return sum(group["count"] or len(group["accounts"]) for group in groups)

    @property
    def columns(self) -> dict[str, str]:
        """Paths that the designs of the run vary, by the name of their column."""
        return dict(self.run.resolved["columns"])

    @cached_property
    def _numbers(self) -> dict[str, int]:
        """Number of the scenario of each cell in the resolved form of the run."""
        return {cell: number for cell, number, _ in self.run.resolved["cells"]}

    @cached_property
    def done(self) -> pl.DataFrame:
        """Finished places under the control that figures show; lone shocks before joint ones."""
        rows = self.places.filter(status=DONE, control=self.control)
        settings = ("pattern", "n_shocked", "x", "y")
        columns = [name for name in (*PLACE, *settings, *OUTCOMES) if name in rows.columns]
        order = (rank("arm", self.arms), "y", "replicate")
        return rows.select(columns).sort("n_shocked", "pattern", "x", *order)

    @property
    def patterns(self) -> list[str]:
        """Sets of assets that fall, the smallest first."""
        return self.done["pattern"].unique(maintain_order=True).to_list()

    def ordered(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Sort finished numbers: lone shocks first, outcomes as asked for, arms as designed."""
        outcomes = frame["outcome"].unique(maintain_order=True).to_list()
        ranks = (rank("outcome", outcomes), rank("arm", self.arms))
        return frame.sort("n_shocked", "pattern", *ranks, "x", maintain_order=True)

    def sizes(self, rows: pl.DataFrame) -> str:
        """Say which shocks are shown, as captions do: ``BTC alone 20 %``."""
        shown = rows.select("pattern", "x").unique(maintain_order=True).rows()
        return ", ".join(p if x is None else f"{p} {number(x, FRACTION)} %" for p, x in shown)

    def contagion(self, cell: str) -> Contagion:
        """Return the projections of a cell that keeps its event log."""
        return Contagion(self.run.tables(cell))

    def shocked(self, *, share_varies: bool = False) -> pl.DataFrame:
        """Return finished places with a shock, or refuse.

        Refused, too, is a design that varies anything else: pooling its points would hide it.
        ``share_varies`` allows the share of cross margin to vary within an arm.
        """
        rows = self.done.filter(pl.col("n_shocked") > 0)
        if not rows.height:
            raise NotInRun(f"no finished cell of design {self.design} has a shock")
        return self._of_single_points(rows, share_varies)

    def struck(self) -> pl.DataFrame:
        """Return finished places with a shock, all where none has one (replays), or refuse.

        What varies besides is refused as by `shocked`.
        """
        if not self.done.height:
            raise NotInRun(f"no cell of design {self.design} is finished")
        rows = self.done.filter(pl.col("n_shocked") > 0)
        return self._of_single_points(rows if rows.height else self.done, share_varies=False)

    def _of_single_points(self, rows: pl.DataFrame, share_varies: bool) -> pl.DataFrame:
        shown = ["pattern", "x", "arm", *(["y"] if share_varies else [])]
        if (
            self.is_sampled
            or rows.group_by(shown).agg(pl.col("point").n_unique())["point"].max() != 1
        ):
            raise NotInRun(f"design {self.design} varies more than this figure shows")
        return rows

    def focus(self, pattern: str) -> float | None:
        """Return the shock size at which cascade trees are largest on average, over all arms.

        The smaller size if two are equal; ``None`` without a shock.
        """
        rows = self.done.filter(pl.col("pattern") == pattern)
        if not rows.height:  # without any finished cell there are no columns of outcomes either
            shock = f"the shock '{pattern}'" if pattern else "a shock"
            raise NotInRun(f"no finished cell of design {self.design} has {shock}")
        trees = rows.group_by("x").agg(pl.col("largest_tree_usd").mean()).sort("x")
        place = trees["largest_tree_usd"].round(6).arg_max()
        size: float | None = trees["x"][place or 0]
        return size

    def at_focus(self, pattern: str, *, one_point: bool = True) -> pl.DataFrame:
        """Return finished places of a pattern at its focus.

        ``one_point`` refuses a design with several points of that size under one arm.
        """
        at_size = pl.col("x").eq_missing(pl.lit(self.focus(pattern), pl.Float64))
        rows = self.done.filter(at_size, pattern=pattern)
        if one_point and rows.group_by("arm").agg(pl.col("point").n_unique())["point"].max() != 1:
            raise NotInRun(f"design {self.design} varies more than this figure shows")
        return rows

    def kept_at_focus(self, pattern: str) -> pl.DataFrame:
        """Return finished places of a pattern at its focus that keep their event log, or refuse."""
        rows = self.at_focus(pattern, one_point=False)
        rows = rows.filter(pl.col("cell").is_in(self.kept))
        if not rows.height:
            raise NotInRun("no finished cell keeps its event log; 'record.events' sets which do")
        return rows

    def long(self, table: str, rows: pl.DataFrame) -> pl.DataFrame:
        """Return a long table of finished places, each of its rows with its place."""
        found = self.run.long(table, rows["cell"].unique(maintain_order=True).to_list())
        return rows.select(_OF_LONG).join(found, on="cell", maintain_order="left_right")

    def example(self) -> dict[str, Any]:
        """Return the place of the run that charts of one run show, or refuse.

        Among runs of the smallest shocked set at its focus that keep their events: the one with the
        most forced notional in unshocked assets, or in all where nothing is shocked or spills; ties
        go to the earlier arm and replicate.
        """
        rows = self.kept_at_focus(self.patterns[0] if self.patterns else "")
        spilled = rows["spill_same_accounts_usd"] + rows["spill_other_accounts_usd"]
        is_spill = bool(spilled.sum())
        place = (spilled if is_spill else rows["forced_notional_usd"]).arg_max() or 0
        where = " in unshocked assets" if is_spill else ""
        return rows.row(place, named=True) | {"chosen": f"most forced notional{where}"}

    def named(self, row: Mapping[str, Any]) -> str:
        """Say which run an example is: arm, shock, replicate, cell, and why this one."""
        size = "" if row["x"] is None else f" {number(row['x'], FRACTION)} %"
        what = f"{row['pattern']}{size}, replicate {row['replicate']} (cell {row['cell']})"
        return f"Arm {row['arm']}, {what}, the run kept with the {row['chosen']}"


def rank(column: str, names: list[str]) -> pl.Expr:
    """Return the place of each value of a column in a list of names, to sort by."""
    return pl.col(column).replace_strict(names, list(range(len(names))), return_dtype=pl.Int64)


def sources(run: Run) -> Iterator[Source]:
    """Yield the designs of a run in the order of its config."""
    find_kept = functools.cache(run.with_events)
    for design in run.study["designs"]:
        yield Source(run, design, find_kept)
