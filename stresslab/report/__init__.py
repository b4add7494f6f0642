"""Figures, tables and the page of a run.

Importing this is cheap; drawing loads matplotlib and seaborn, which takes a second or two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure

    from stresslab.results.run import Run


def render(
    run: Run,
    folder: Path | None = None,
    tell: Callable[[str], None] | None = None,
    workers: int = 1,
) -> Path:
    """Draw all figures that a run carries, write tables and ``report.html``; return the page.

    ``folder`` is the run's own unless given; ``tell`` hears about each figure, drawn or not;
    several ``workers`` are processes that draw, and give the same bytes.
    """
    from stresslab.report.rendering import render as render_run

    return render_run(run, folder or run.path, tell, workers)


def figure(run: Run, name: str) -> Figure:
    """Return one figure of a run, drawn in the paper theme."""
    from stresslab.report.drawing import draw

    return draw(run, name)


def keep_importance(
    run: Run,
    cell: str,
    removals: Mapping[str, Sequence[Any]],
    effects: Mapping[str, Sequence[Any]],
    forecasts: Mapping[str, Sequence[Any]],
) -> list[Path]:
    """Write the removals of a cell, what foretold them and their figure; return the paths."""
    import polars as pl

    from stresslab.report.figures.importance import FOLDER, draw, of_cell
    from stresslab.report.save import save
    from stresslab.report.style import theme

    tables = (pl.DataFrame(t, infer_schema_length=None) for t in (removals, effects, forecasts))
    prepared = of_cell(cell, *tables)
    with theme():
        picture = draw(prepared.frames, prepared.labels)
    return save(picture, prepared.frames, run.path / FOLDER, cell)


def headlines(run: Run) -> dict[str, pl.DataFrame]:
    """Return the headline numbers of every design, in long form: a row per point, quantity, arm."""
    from stresslab.report.overview import headlines as of_designs

    return of_designs(run)
