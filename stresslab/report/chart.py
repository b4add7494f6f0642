"""What a figure is: which tidy frames it needs, how a run gives them, how they are drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from stresslab.report.labels import Label

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from stresslab.report.source import Source

#: Finished numbers by frame name; a chart computes nothing from them.
Frames = Mapping[str, pl.DataFrame]

#: What each quantity in the frames is called, by column or outcome name.
Labels = Mapping[str, Label]


@dataclass(frozen=True)
class Prepared:
    """A figure's numbers, words and caption, ready to be drawn."""

    frames: Frames
    labels: Labels = field(default_factory=dict)
    caption: str = ""


@dataclass(frozen=True)
class Chart:
    """One figure.

    Parameters
    ----------
    title
        What the figure shows, as a heading.
    prepare
        Gives the tidy frames of one design of a run, or raises :class:`NotInRun`.
    draw
        Gives the picture from frames and labels alone, computing nothing.
    every_design
        Whether each design of a run that carries the figure gets one, or only the first.
    """

    title: str
    prepare: Callable[[Source], Prepared]
    draw: Callable[[Frames, Labels], Figure]
    every_design: bool = True
