"""Write a figure as PDF, SVG and PNG with the numbers it shows beside it, the same bytes each time.

Matplotlib stamps dates, versions and random ids into files; they are fixed or left out here. The
data lie beside as CSV, for people, and Parquet, for programs with the types kept.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import polars as pl
from matplotlib.figure import Figure

from stresslab.core.errors import StorageError
from stresslab.report.style import theme
from stresslab.report.tables import write_frame

#: White around a picture in inches.
PAD = 0.03

#: Metadata without a date, for each format.
METADATA: dict[str, dict[str, str | None]] = {
    "pdf": {"Creator": "stresslab", "Producer": None, "CreationDate": None},
    "svg": {"Creator": "stresslab", "Date": None},
    "png": {"Software": None},
}


def save(
    figure: Figure, frames: Mapping[str, pl.DataFrame], folder: Path, name: str,
    formats: Collection[str] = tuple(METADATA),
) -> list[Path]:  # fmt: skip
    """Write ``NAME.pdf``, ``.svg``, ``.png``; each frame as ``NAME[_FRAME].csv``, ``.parquet``.

    Returns the paths written, pictures first. A figure with one frame gives its data the figure's
    own name; with several, the frame's name is added. Of fewer ``formats`` the others are removed
    if they are there: they would show something else.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return [*_pictures(figure, folder, name, formats), *_data(frames, folder, name)]
    except OSError as error:
        raise StorageError(f"{folder}: figure {name} cannot be written: {error}") from error


def _pictures(figure: Figure, folder: Path, name: str, formats: Collection[str]) -> list[Path]:
    """Write the formats; the layout is found once, since finding it takes longer than drawing."""
    paths = []
    with theme():
        _lay_out(figure)
        box = figure.get_tightbbox().padded(PAD)
        for suffix, metadata in METADATA.items():
            path = folder / f"{name}.{suffix}"
            if suffix not in formats:
                path.unlink(missing_ok=True)
                continue
            figure.savefig(path, metadata=metadata, bbox_inches=box)
            paths.append(path)
    return paths


def _lay_out(figure: Figure) -> None:
    """Find the layout and keep it: an engine that stays would have every format drawn twice."""
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
        figure._layout_engine = None


def _data(frames: Mapping[str, pl.DataFrame], folder: Path, name: str) -> list[Path]:
    paths = []
    for key, frame in frames.items():
        paths += write_frame(frame, folder / (name if len(frames) == 1 else f"{name}_{key}"))
    return paths
