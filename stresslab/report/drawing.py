"""From a run to figures: what the results carry is drawn, the rest is named with its reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from stresslab.core.errors import ConfigError
from stresslab.report.chart import Chart, Prepared
from stresslab.report.figures import FIGURES
from stresslab.report.html import Absent, Picture
from stresslab.report.missing import NotInRun
from stresslab.report.save import save
from stresslab.report.source import Source, sources
from stresslab.report.style import theme
from stresslab.results.run import Run


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
        except (NotInRun, ConfigError) as reason:
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
    _refuse_unknown(name)
    found = next(drawings(run, (name,)))
    if isinstance(found, Absent):
        raise ConfigError(f"figure {name} cannot be drawn: {found.reason}")
    return found.draw()


def draw_into(designs: list[Source], name: str, folder: Path) -> list[Picture | Absent]:
    """Draw one figure for every design that carries it, into ``figures/`` of a folder.

    Raises
    ------
    ConfigError
        If there is no figure of that name.
    StorageError
        If it cannot be written.
    """
    _refuse_unknown(name)
    return [
        found if isinstance(found, Absent) else _picture(found, folder)
        for found in _of_designs(name, designs)
    ]


def _refuse_unknown(name: str) -> None:
    if name not in FIGURES:
        raise ConfigError(f"figure: {name!r} is unknown, allowed are {', '.join(FIGURES)}")


def _picture(drawing: Drawing, folder: Path) -> Picture:
    files = save(drawing.draw(), drawing.prepared.frames, folder / "figures", drawing.name)
    svg = next(path for path in files if path.suffix == ".svg").read_bytes()
    names = [f"figures/{path.name}" for path in files]
    return Picture(drawing.name, drawing.title, drawing.caption, svg, names)
