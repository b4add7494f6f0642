"""How a design is laid out in panels: what stands on the axis, in the rows and in the titles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from stresslab.analysis.summaries import probabilities, summarise
from stresslab.contagion.outcomes import OUTCOMES
from stresslab.report.factors import N_TRADERS, SIZE, Factor, factors, shock_size
from stresslab.report.labels import FRACTION, Label, number
from stresslab.report.source import STUDENT, Source, rank
from stresslab.report.words import is_yes_or_no, outcome_label

#: What is shown where the shock leaves some assets alone, and where it takes all or there is none.
LONE = ("share_accounts_liquidated", "crossed", "spill_share")
JOINT = ("share_accounts_liquidated", "forced_notional_usd", "system_loss_usd")

#: Fewer values of a number than these are rows, not an axis; a figure shows no more panels below
#: each other, and no more rows in a panel, than fit a page.
LEAST_ON_AXIS, MOST_PANELS, MOST_ROWS = 3, 4, 12

#: What captions say of :func:`means`.
MEANS = (
    f"Mean over replicates by arm, with {STUDENT}; of what happens or not the probability, with "
    "95 % Wilson interval."
)

#: Columns of the frames that figures of a design are drawn from.
COLUMNS = ("pattern", "panel", "factor", "row", "outcome", "arm", "x", "mid", "low", "high", "n")

#: (cells at their places, names of outcomes) -> outcome, arm, mid, low, high, n by place.
Estimate = Callable[[pl.DataFrame, Sequence[str]], pl.DataFrame]


@dataclass(frozen=True)
class Layout:
    """Where the points of a design stand, and in which words.

    ``places`` has a row per point and axis: point, pattern, place (order of all rows), panel (its
    title), factor (what ``x`` is a value of, empty for rows), row, x.
    """

    source: Source
    places: pl.DataFrame
    axes: list[Factor]
    rows: list[Factor]
    per_trader: bool
    remarks: list[str] = field(default_factory=list)

    @property
    def words(self) -> str:
        """What the names in rows and titles stand for, and what changes unseen."""
        named = [f"{f.name}: {_lower(f.label.text)}" for f in self.rows if f.is_number]
        return "".join(f" {text[:1].upper()}{text[1:]}." for text in (*named, *self.remarks))

    def labels(self, frame: pl.DataFrame) -> dict[str, Label]:
        """Return the labels of axes and outcomes; money of unequal crowds is per trader."""
        found = {factor.key: factor.label for factor in self.axes}
        for name in frame["outcome"].unique(maintain_order=True):
            label = outcome_label(name)
            is_split = self.per_trader and label.unit == "USD"
            found[name] = Label(f"{label.text}, per trader", "USD") if is_split else label
        return found

    def estimates(self, estimate: Estimate, *more: str) -> pl.DataFrame:
        """Return what ``estimate`` makes of the outcomes that tell most about each pattern.

        ``more`` names further columns of it to be kept.
        """
        cells, parts = _cells(self), []
        for _, part in cells.group_by("pattern", maintain_order=True):
            names = _outcomes_of(part, self.source)
            found = estimate(part.drop("point", "n_shocked"), names)
            order = {name: place for place, name in enumerate(names)}
            by_outcome = pl.col("outcome").replace_strict(order, return_dtype=pl.Int64)
            parts.append(found.with_columns(order=by_outcome))
        frame = pl.concat(parts)
        first = pl.col("place").min().over("panel", "pattern")
        arms = rank("arm", self.source.arms)
        return frame.sort(first, "order", "place", arms, maintain_order=True).select(
            *COLUMNS, *more
        )


def is_response(source: Source) -> bool:
    """Tell whether charts of shocks show all of a design.

    They do if it varies a shock only, or a single arm's shock and share of cross margin.
    """
    rest = {f.key.rpartition(".")[2] for f in factors(source)}
    is_phase = len(source.arms) == 1 and n_sizes(source) > 1
    allowed = {"cross_share"} if is_phase else set()
    return n_sizes(source) > 0 and rest <= allowed and not source.is_sampled


def n_sizes(source: Source) -> int:
    """Return how many sizes of one shock a design has."""
    return source.done.filter(pl.col("n_shocked") > 0)["x"].drop_nulls().n_unique()


def means(cells: pl.DataFrame, outcomes: Sequence[str]) -> pl.DataFrame:
    """Return means over replicates, and the probability of what happens or not."""
    chances = [name for name in outcomes if is_yes_or_no(name)]
    sizes = [name for name in outcomes if name not in chances]
    found = [
        summarise(cells, sizes).rename({"mean": "mid"}),
        probabilities(cells, chances).rename({"probability": "mid"}),
    ]
    shared = [name for name in found[1].columns if name in found[0].columns]
    return pl.concat([part.select(shared) for part in found])


def lay_out(source: Source) -> Layout:
    """Choose what of a design stands on the axis, in rows and in titles of panels.

    On the axis: of the numbers with at least three values the one with the most. Sampled points
    have a panel for every number. Everything else is told by the title of a panel or, without an
    axis, by a row.
    """
    others = factors(source)
    axes = _axes(source, others)
    rest = [] if source.is_sampled else [f for f in others if f not in axes]
    remarks = [
        f"with the {f.label.text} changes {'; '.join(f.with_it)}" for f in others if f.with_it
    ]
    is_per_trader = any(f.key == N_TRADERS for f in others)
    return Layout(source, _places(source, axes, rest), axes, rest, is_per_trader, remarks)


def _axes(source: Source, others: list[Factor]) -> list[Factor]:
    numbers = [f for f in (*others, shock_size(source)) if f.is_number]
    axes = [f for f in numbers if len(f.levels) >= LEAST_ON_AXIS]
    if source.is_sampled or not axes:
        return axes
    return [max(axes, key=lambda f: len(f.levels))]


def _places(source: Source, axes: list[Factor], rest: list[Factor]) -> pl.DataFrame:
    """Return a row per point and axis; the size of the shock is told where no axis shows it."""
    points = source.done.unique(["point", "pattern", "x"], maintain_order=True).sort("point")
    is_size_shown = source.is_sampled or any(f.key == SIZE for f in axes)
    fall = pl.lit(None, pl.Float64) if is_size_shown else pl.col("x")
    settings = points.select("point", "pattern", fall.alias("fall")).rows()
    found = [
        (point, *_place(point, pattern, fall, axis, rest))
        for axis in (*axes, *([] if axes else [None]))
        for point, pattern, fall in settings
    ]
    names = ["point", "pattern", "panel", "factor", "row", "x"]
    places = pl.DataFrame(found, names, schema_overrides={"x": pl.Float64}, orient="row")
    places = places.cast({"point": points.schema["point"]}).unique(maintain_order=True)
    return _shown(places).with_row_index("place")


def _place(
    point: int, pattern: str, fall: float | None, axis: Factor | None, rest: list[Factor]
) -> tuple[Any, ...]:
    """Return pattern, panel, factor, row and x of one point."""
    title = f"{pattern} {number(fall, FRACTION)} %" if fall else pattern
    if axis is None:
        return pattern, title, "", "\n".join(f.phrase(point) for f in rest), None
    panel = ", ".join([title, *(f.phrase(point) for f in rest)])
    return pattern, panel, axis.key, "", float(axis.values[point])


def _shown(places: pl.DataFrame) -> pl.DataFrame:
    """Return the panels and rows that fit a page, spread evenly over those there are."""
    panels = _spread(places["panel"].unique(maintain_order=True).to_list(), MOST_PANELS)
    parts = []
    for panel in panels:
        part = places.filter(panel=panel)
        rows = _spread(part["row"].unique(maintain_order=True).to_list(), MOST_ROWS)
        parts.append(part.filter(pl.col("row").is_in(rows)))
    return pl.concat(parts)


def _spread(items: list[str], most: int) -> list[str]:
    if len(items) <= most:
        return items
    return [items[round(place * (len(items) - 1) / (most - 1))] for place in range(most)]


def _cells(layout: Layout) -> pl.DataFrame:
    """Return finished cells at their places, money per trader where crowds differ in size."""
    rows = layout.source.done.drop("x", "y")
    if layout.per_trader:
        traders = {cell: layout.source.n_traders(cell) for cell in rows["cell"].unique()}
        n = pl.col("cell").replace_strict(traders, return_dtype=pl.Int64)
        money = [name for name in OUTCOMES if name.endswith("_usd")]
        rows = rows.with_columns([pl.col(name) / n for name in money])
    return rows.join(layout.places, on=["point", "pattern"], maintain_order="left")


def _outcomes_of(cells: pl.DataFrame, source: Source) -> tuple[str, ...]:
    is_lone = 0 < cells["n_shocked"][0] < len(source.assets)
    return LONE if is_lone and cells["crossed"].count() else JOINT


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
