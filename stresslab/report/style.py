"""How figures look: theme, sizes, and one colour, marker and dash for each arm.

Colours are taken from the palette of Okabe and Ito (2008), darkened where needed so that the arms
of the headline study also differ in grey. Equal lines must not hide each other, so every arm is
drawn thinner than the one before it: what lies below stays visible as an outline.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

import matplotlib as mpl
import polars as pl

from stresslab.report.seaborn import sns

#: Widths in inches of a figure in one column and across two columns of a paper.
COLUMN, PAGE = 3.4, 7.0

#: Tallest figure in inches that fits a page with its caption.
PAGE_HEIGHT = 8.4

#: Grey of guides, grids and everything that is not data.
QUIET = "#666666"

#: Colour map of magnitudes: from white, monotone in lightness.
MAGNITUDES = "rocket_r"


@dataclass(frozen=True)
class Stroke:
    """How one series is drawn; three marks tell it apart, any one is enough."""

    colour: str
    marker: str
    dash: str | tuple[float, tuple[float, ...]]
    width: float = 1.6
    marker_size: float = 5.0


_SOLID = "-"
_DASHED = (0.0, (4.0, 1.6))
_DOTTED = (0.0, (1.2, 1.4))
_DASH_DOT = (0.0, (5.0, 1.4, 1.2, 1.4))
_LONG = (0.0, (8.0, 2.0))
_DASH_DOT_DOT = (0.0, (5.0, 1.4, 1.2, 1.4, 1.2, 1.4))

#: The arms of the shipped studies always look the same, in any figure and any subset.
KNOWN = {
    "isolated": Stroke("#D55E00", "o", _SOLID),
    "cross": Stroke("#00508A", "s", _DASHED),
    "cross_whole": Stroke("#56B4E9", "^", _DASH_DOT),
    "choice": Stroke("#1A1A1A", "D", _DOTTED),
}

#: Other names take these in the order in which the design lists them.
SPARE = (
    Stroke("#D55E00", "o", _SOLID),
    Stroke("#00508A", "s", _DASHED),
    Stroke("#1A1A1A", "D", _DOTTED),
    Stroke("#56B4E9", "^", _DASH_DOT),
    Stroke("#007A59", "v", _LONG),
    Stroke("#CC79A7", "P", _DASH_DOT_DOT),
    Stroke("#E69F00", "X", _SOLID),
    Stroke("#7A7A7A", "h", _DASHED),
)

#: Marker of a margin mode wherever single liquidations are drawn.
MODE_MARKERS = {"isolated": "o", "cross": "s"}

#: Assets that get a colour of their own, in the order of the config; later ones share a grey.
ASSET_COLOURS = (
    "#D55E00",
    "#00508A",
    "#009E73",
    "#E69F00",
    "#CC79A7",
    "#56B4E9",
    "#7B3FA0",
    "#8C6D1F",
)
OTHER_ASSETS = "#9A9A9A"

_WIDTH, _MARKER = 2.0, 6.2  # of the first series, in points
_NARROWER = 0.77  # each next series by this factor, down to a third


def strokes(names: Iterable[str]) -> dict[str, Stroke]:
    """Give every name its stroke; known arms keep theirs, later names are drawn thinner."""
    ordered = list(dict.fromkeys(names))
    spare = [s for s in SPARE if s.colour not in {KNOWN[n].colour for n in ordered if n in KNOWN}]
    unknown = iter(range(len(ordered)))
    plain = {n: KNOWN.get(n) or spare[next(unknown) % len(spare)] for n in ordered}
    return {n: _narrowed(stroke, place) for place, (n, stroke) in enumerate(plain.items())}


def asset_colours(assets: pl.Series) -> dict[str, str]:
    """Give assets their colours in the order of the config, which is the order of the Enum.

    Assets beyond the palette share one grey: more hues than these nobody tells apart.
    """
    ordered = assets.dtype.categories.to_list()  # type: ignore[attr-defined]
    return {n: (*ASSET_COLOURS, *[OTHER_ASSETS] * len(ordered))[i] for i, n in enumerate(ordered)}


def _narrowed(stroke: Stroke, place: int) -> Stroke:
    factor = max(_NARROWER**place, 0.34)
    return replace(stroke, width=_WIDTH * factor, marker_size=_MARKER * factor)


def theme() -> AbstractContextManager[None]:
    """Return the paper theme as a context: it holds while drawing and while saving."""
    context: AbstractContextManager[None] = mpl.rc_context(_settings())
    return context


def _settings() -> dict[str, object]:
    return {
        **sns.axes_style("ticks"),
        **sns.plotting_context("paper"),
        "font.family": "sans-serif",
        "font.sans-serif": ["DejaVu Sans"],  # ships with matplotlib: the same on every machine
        "font.size": 7.0,
        "axes.labelsize": 7.0,
        "axes.titlesize": 7.5,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.titlepad": 4.0,
        "axes.labelpad": 2.5,
        "axes.linewidth": 0.6,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": "#E4E4E4",
        "grid.linewidth": 0.5,
        "xtick.labelsize": 6.5,
        "ytick.labelsize": 6.5,
        "xtick.major.width": 0.6,
        "ytick.major.width": 0.6,
        "xtick.major.size": 2.5,
        "ytick.major.size": 2.5,
        "xtick.minor.size": 1.5,
        "ytick.minor.size": 1.5,
        "xtick.minor.width": 0.4,
        "ytick.minor.width": 0.4,
        "legend.fontsize": 7.0,
        "legend.title_fontsize": 7.0,
        "legend.frameon": False,
        "legend.handlelength": 3.2,
        "legend.columnspacing": 1.4,
        "figure.labelsize": 7.0,
        "figure.titlesize": 8.0,
        "figure.dpi": 100.0,
        "savefig.dpi": 300.0,
        "figure.constrained_layout.h_pad": 0.05,
        "figure.constrained_layout.w_pad": 0.05,
        "pdf.fonttype": 42,
        "svg.fonttype": "path",
        "svg.hashsalt": "stresslab",
    }
