"""The tables of a report: headline, amplification, branching, what pairing saved, what failed."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from stresslab.analysis.contrasts import variance_reduction
from stresslab.analysis.headline import ESTIMATE, headline, headline_text
from stresslab.analysis.ratios import amplification, branching
from stresslab.contagion.outcomes import OUTCOMES
from stresslab.report.html import Table
from stresslab.report.labels import Label
from stresslab.report.source import CROSS_SHARE, SHOCK_SIZE, Source, sources
from stresslab.report.tables import html_table, write_tables
from stresslab.report.words import outcome_label
from stresslab.results.run import Run

#: Outcomes for which the report states how much pairing cut the variance.
PAIRED_OUTCOMES = ("share_accounts_liquidated", "forced_notional_usd", "system_loss_usd")

NO_FEEDBACK = "no_feedback"


def run_tables(run: Run, folder: Path) -> list[Table]:
    """Write the tables of a run as files and return those that the page shows."""
    frames, shown = {"outcomes": run.outcomes}, []
    designs = list(sources(run))
    for source in designs:
        for make in (_headline, _amplification, _branching):
            numbers, table = make(source)
            if numbers.height:
                frames[table.name] = numbers
                shown.append(table)
    for collect in (_pairing, _failed):
        numbers, table = collect(designs)
        if numbers.height:
            frames[table.name] = numbers
            shown.append(table)
    write_tables(frames, folder)
    return shown


def headlines(run: Run) -> dict[str, pl.DataFrame]:
    """Return the headline numbers of every design that has finished cells, in long form."""
    found = {source.design: _headline_numbers(source) for source in sources(run)}
    return {design: numbers for design, numbers in found.items() if numbers.height}


def _headline(source: Source) -> tuple[pl.DataFrame, Table]:
    numbers = _headline_numbers(source)
    text = headline_text(_used(numbers)) if numbers.height else numbers
    caption = (
        "Share of accounts liquidated: mean over replicates with 95 % Student interval. Crossed: "
        "probability that anything was force-sold in an unshocked asset, with 95 % Wilson "
        "interval. Difference: mean paired difference of the share, with 95 % Student interval."
    )
    return numbers, _table(source, "headline", "Headline", text, caption)


def _headline_numbers(source: Source) -> pl.DataFrame:
    """Compare cross with isolated, or the second arm with the first."""
    arms = source.arms
    if len(arms) == 1:
        alone = headline(_cells(source), arms, (arms[0], arms[0]), source.control)
        return alone.filter(pl.col("quantity") != "difference")
    pair = ("cross", "isolated") if {"cross", "isolated"} <= set(arms) else (arms[1], arms[0])
    return headline(_cells(source), arms, pair, source.control)


def _amplification(source: Source) -> tuple[pl.DataFrame, Table]:
    numbers = amplification(_cells(source), full=source.control, without=NO_FEEDBACK)
    caption = (
        "What happened over what would have happened had forced orders moved no price: ratio of "
        "sums over replicates, with 95 % jackknife interval."
    )
    return numbers, _table(source, "amplification", "Amplification", _used(numbers), caption)


def _branching(source: Source) -> tuple[pl.DataFrame, Table]:
    numbers = branching(_at_control(source))
    shown = numbers.filter(pl.col("ratio").is_not_null(), unit="notional")
    text = _used(shown.drop("unit"))
    caption = (
        "Forced notional that liquidations brought about, over all of it, in completed episodes: "
        "ratio of sums over replicates, with 95 % jackknife interval; no row where none completed. "
        "By number of liquidations and for the first generation: in the file."
    )
    return numbers, _table(source, "branching", "Branching ratio", text, caption)


def _pairing(designs: list[Source]) -> tuple[pl.DataFrame, Table]:
    parts = [
        variance_reduction(_at_control(source), list(PAIRED_OUTCOMES), arm, source.arms[0])
        for source in designs
        for arm in source.arms[1:]
    ]
    numbers = pl.concat(parts) if parts else pl.DataFrame()
    caption = (
        "Variance ratio: variance of paired differences over that of unpaired ones, all points "
        "together. Replicates saved: unpaired replicates that one pair is worth."
    )
    html = html_table(_worded(numbers))
    return numbers, Table("pairing", "What pairing the arms saved", html, caption)


def _failed(designs: list[Source]) -> tuple[pl.DataFrame, Table]:
    columns = ("design", "point", "arm", "control", "replicate", "cell", "error_type", "error")
    cells = designs[0].run.outcomes.filter(status="failed").select(columns)
    caption = "Each can be made again with: stresslab reproduce RUN --cell ID."
    return cells, Table("failed", "Cells that failed", html_table(cells), caption)


def _table(source: Source, name: str, title: str, text: pl.DataFrame, caption: str) -> Table:
    labels = {column: _point_label(column) for column in text.columns}
    html = html_table(_worded(_shortened(text)), {n: found for n, found in labels.items() if found})
    heading = f"{title}: {source.plan['title'] or source.design}"
    return Table(f"{name}_{source.design}", heading, html, caption)


def _point_label(column: str) -> Label | None:
    known = {"fall": SHOCK_SIZE, "cross_share": CROSS_SHARE}
    return known.get(column.rsplit(".", 1)[-1])


def _cells(source: Source) -> pl.DataFrame:
    return source.run.outcomes.filter(design=source.design)


def _at_control(source: Source) -> pl.DataFrame:
    return _cells(source).filter(control=source.control)


def _used(frame: pl.DataFrame) -> pl.DataFrame:
    """Leave out what all rows of a design's table share, and paths that other designs vary."""
    places = [name for name in frame.columns if name not in ESTIMATE]
    empty = [name for name in places if frame[name].is_null().all()]
    return frame.drop({*empty, "design", "control"}, strict=False)


def _shortened(frame: pl.DataFrame) -> pl.DataFrame:
    """Write long lists of assets, such as ``BTC+ETH+SOL+XRP``, as their number."""
    texts = frame.select(pl.col(pl.String)).columns
    return frame.with_columns(pl.Series(n, map(_short_list, frame[n])) for n in texts)


def _short_list(text: str | None) -> str | None:
    n_names = (text or "").count("+") + 1
    return f"{n_names} assets" if n_names > 3 else text


def _worded(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a frame with outcomes called what charts call them."""
    if "outcome" not in frame.columns:
        return frame
    named = [outcome_label(n).text if n in OUTCOMES else n for n in frame["outcome"]]
    return frame.with_columns(outcome=pl.Series(named, dtype=pl.String))
