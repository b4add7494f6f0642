"""From a run to figures, tables and page: what the results carry is drawn, the rest is named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from matplotlib.figure import Figure

from stresslab.analysis.contrasts import variance_reduction
from stresslab.analysis.headline import headline, headline_text
from stresslab.core.errors import ConfigError, StorageError
from stresslab.report.chart import Chart, NotInRun, Prepared
from stresslab.report.figures import FIGURES
from stresslab.report.html import Page, Picture, Table, html
from stresslab.report.save import save
from stresslab.report.source import Source, sources
from stresslab.report.style import theme
from stresslab.report.tables import html_table, write_tables
from stresslab.report.words import outcome_label
from stresslab.results.run import Run

#: Outcomes for which the report states how much pairing cut the variance.
PAIRED_OUTCOMES = ("share_accounts_liquidated", "forced_notional_usd", "system_loss_usd")


@dataclass(frozen=True)
class Drawing:
    """A figure that the run carries: its numbers and how it is drawn and named."""

    name: str
    title: str
    source: Source
    prepared: Prepared
    chart: Chart

    def draw(self) -> Figure:
        """Return the picture in the paper theme."""
        with theme():
            return self.chart.draw(self.prepared.frames, self.prepared.labels)

    @property
    def caption(self) -> str:
        return f"{self.prepared.caption} {provenance(self.source)}"


@dataclass(frozen=True)
class Absent:
    """A figure that the run does not carry, and why."""

    name: str
    title: str
    reason: str


def provenance(source: Source) -> str:
    """Say what every caption must: design, replicates, seed, cells, failures, shared luck."""
    places = source.places
    n_done, n_failed = (int((places["status"] == s).sum()) for s in ("done", "failed"))
    failed = f", {n_failed} failed" if n_failed else ", none failed"
    missing = places.height - n_done - n_failed
    unfinished = f", {missing} unfinished" if missing else ""
    return (
        f"Design {source.design}, control {source.control}: {source.replicates} replicates of seed "
        f"{source.seed} (replicate numbers 0 to {source.replicates - 1}), {places.height} cells in "
        f"all controls{failed}{unfinished}. Arms and points share their luck, so intervals of "
        "different points are not independent."
    )


def drawings(run: Run, names: tuple[str, ...] = ()) -> Iterator[Drawing | Absent]:
    """Yield each figure for every design that carries it; the first one has the plain name."""
    designs = list(sources(run))
    for name in names or FIGURES:
        yield from _of_designs(name, designs)


def _of_designs(name: str, designs: list[Source]) -> Iterator[Drawing | Absent]:
    chart, reasons, n_drawn = FIGURES[name], [], 0
    for source in designs:
        if n_drawn and not chart.every_design:
            return
        try:
            prepared = chart.prepare(source)
        except NotInRun as reason:
            reasons.append(str(reason))
            continue
        end, extra = (f"_{source.design}", f" ({source.design})") if n_drawn else ("", "")
        yield Drawing(name + end, chart.title + extra, source, prepared, chart)
        n_drawn += 1
    if not n_drawn:
        yield Absent(name, chart.title, "; ".join(dict.fromkeys(reasons)))


def draw(run: Run, name: str) -> Figure:
    """Return one figure of a run.

    Raises
    ------
    ConfigError
        If there is no figure of that name, or the run does not carry it.
    """
    if name not in FIGURES:
        raise ConfigError(f"figure: {name!r} is unknown, allowed are {', '.join(FIGURES)}")
    found = next(drawings(run, (name,)))
    if isinstance(found, Absent):
        raise ConfigError(f"figure {name} cannot be drawn: {found.reason}")
    return found.draw()


def render(run: Run, folder: Path, tell: Callable[[str], None] | None = None) -> Path:
    """Draw all figures that a run carries and write tables and page; return the page.

    Parameters
    ----------
    run
        The results.
    folder
        Gets ``figures/``, ``tables/`` and ``report.html``.
    tell
        Hears about each figure, drawn or not.
    """
    tell = tell or (lambda line: None)
    wanted = tuple(run.study["report"]["figures"])
    pictures, absent = [], []
    for found in drawings(run, wanted):
        if isinstance(found, Absent):
            absent.append((found.title, found.reason))
            tell(f"  {found.name}: not drawn, {found.reason}")
        else:
            pictures.append(_picture(found, folder))
            tell(f"  {found.name}")
    page = Page(_title(run), _lead(run), _tables(run, folder), pictures, absent)
    return _write(folder / "report.html", html(page))


def _picture(drawing: Drawing, folder: Path) -> Picture:
    files = save(drawing.draw(), drawing.prepared.frames, folder / "figures", drawing.name)
    svg = next(path for path in files if path.suffix == ".svg").read_bytes()
    names = [f"figures/{path.name}" for path in files]
    return Picture(drawing.name, drawing.title, drawing.caption, svg, names)


def _write(path: Path, text: str) -> Path:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error}") from error
    return path


def _title(run: Run) -> str:
    return str(run.study["title"] or run.name)


def _lead(run: Run) -> str:
    return str(run.study["description"] or f"Results of the study {run.name}.")


def _tables(run: Run, folder: Path) -> list[Table]:
    """Write the tables beside the page and return those that it shows."""
    frames, shown = {}, []
    for source in sources(run):
        name = f"headline_{source.design}"
        numbers, readable = _headline(source)
        if numbers.height:
            frames[name] = numbers
            title = f"Headline: {source.plan['title'] or source.design}"
            shown.append(Table(name, title, html_table(readable), _HEADLINE_CAPTION))
    pairing = _pairing(run)
    if pairing.height:
        frames["pairing"] = pairing
        shown.append(_pairing_table(pairing))
    failed = run.outcomes.filter(status="failed")
    if failed.height:
        columns = ("design", "point", "arm", "control", "replicate", "cell", "error_type", "error")
        frames["failed"] = failed.select(columns)
        text = "Each can be made again with: stresslab reproduce RUN --cell ID."
        shown.append(Table("failed", "Cells that failed", html_table(frames["failed"]), text))
    write_tables({"outcomes": run.outcomes, **frames}, folder / "tables")
    return shown


_HEADLINE_CAPTION = (
    "Share of accounts liquidated: mean over replicates with 95 % Student interval. Crossed: "
    "probability that liquidation reached an unshocked asset, with 95 % Wilson interval. "
    "Difference: mean paired difference of the share, with 95 % Student interval."
)


def headlines(run: Run) -> dict[str, pl.DataFrame]:
    """Return the headline numbers of every design that has finished cells, in long form."""
    found = {source.design: _headline_numbers(source) for source in sources(run)}
    return {design: numbers for design, numbers in found.items() if numbers.height}


def _headline(source: Source) -> tuple[pl.DataFrame, pl.DataFrame]:
    numbers = _headline_numbers(source)
    empty = [name for name in numbers.columns if numbers[name].is_null().all()]
    text = headline_text(numbers.drop(empty, "design", strict=False)) if numbers.height else numbers
    return numbers, text


def _headline_numbers(source: Source) -> pl.DataFrame:
    pair = (source.arms[1], source.arms[0]) if len(source.arms) > 1 else (source.arms[0],) * 2
    pair = ("cross", "isolated") if {"cross", "isolated"} <= set(source.arms) else pair
    mine = source.run.outcomes.filter(design=source.design)
    numbers = headline(mine, source.arms, pair, source.control)
    return numbers if len(source.arms) > 1 else numbers.filter(pl.col("quantity") != "difference")


def _pairing(run: Run) -> pl.DataFrame:
    parts = []
    for source in sources(run):
        mine = run.outcomes.filter(design=source.design, control=source.control)
        parts += [
            variance_reduction(mine, list(PAIRED_OUTCOMES), arm, source.arms[0])
            for arm in source.arms[1:]
        ]
    return pl.concat(parts) if parts else pl.DataFrame()


def _pairing_table(frame: pl.DataFrame) -> Table:
    named = [outcome_label(name).text for name in frame["outcome"]]
    text = frame.with_columns(outcome=pl.Series(named, dtype=pl.String))
    caption = (
        "Variance ratio: variance of paired differences over that of unpaired ones, all points "
        "together. Replicates saved: unpaired replicates that one pair is worth."
    )
    return Table("pairing", "What pairing the arms saved", html_table(text), caption)
