"""One cascade as a layered network: who tipped whom over, generation by generation."""

from __future__ import annotations

import math

import networkx as nx
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from stresslab.report.adapter import to_pandas
from stresslab.report.axes import legend_above
from stresslab.report.cascade_words import MOST, with_words
from stresslab.report.cascades import RULE, episode_frames, largest_episode
from stresslab.report.chart import Chart, Frames, Labels, Prepared
from stresslab.report.labels import Label, rounded, short
from stresslab.report.missing import NotInRun
from stresslab.report.seaborn import sns
from stresslab.report.source import Source
from stresslab.report.style import MODE_MARKERS, PAGE, QUIET, asset_colours

_SMALLEST, _LARGEST = 12.0, 420.0  # areas of the nodes in square points


def prepare(source: Source) -> Prepared:
    """Take the episode with the most forced notional of one run."""
    row = source.example()
    run = source.contagion(row["cell"])
    if not len(run.ids):
        raise NotInRun("nobody was liquidated in the runs that keep their events")
    rows = largest_episode(run)
    text = (
        f"{source.named(row)}. Its largest episode: {len(rows)} of {len(run.ids)} "
        f"liquidations, by links to the root of their cascade tree; a root was tipped over by no "
        f"liquidation. {RULE}"
    )
    labels = {"generation": Label("links to the root of the cascade tree")}
    frames = episode_frames(run, rows)
    if len(rows) > MOST:
        return Prepared(frames, labels, text)
    words = " At a root and along edges: margin eaten since the last judgement, net by cause."
    return Prepared(with_words(run, frames), labels, text + words)


def draw(frames: Frames, labels: Labels) -> Figure:
    """Draw generations from left to right; area is notional, width of an edge its trigger share.

    ``nodes``: node, layer (0 first), generation (text under the layer), asset (with most forced
    notional), mode, held_shocked, notional_usd, liquidations (more than 1: a group,
    notional_usd is their mean).
    ``edges``: source, target, share. Where few fell, both have ``words``.
    """
    nodes, edges = frames["nodes"], frames["edges"]
    tallest = nodes.group_by("layer").len()["len"].max() or 1
    figure = Figure(
        figsize=(PAGE, min(2.2 + 0.17 * float(str(tallest)), 5.6)), layout="constrained"
    )
    axes = figure.subplots()
    graph = _graph(nodes, edges)
    places = _layout(graph, nodes)
    _edges(axes, graph, places)
    _nodes(axes, nodes, places)
    _words(axes, nodes, edges, places)
    _ground(axes, nodes, labels)
    _legend(figure, nodes)
    return figure


def _graph(nodes: pl.DataFrame, edges: pl.DataFrame) -> nx.DiGraph:
    graph = nx.DiGraph()
    graph.add_nodes_from((n, {"layer": layer}) for n, layer in nodes.select("node", "layer").rows())
    graph.add_weighted_edges_from(edges.select("source", "target", "share").rows(), weight="share")
    return graph


def _layout(graph: nx.DiGraph, nodes: pl.DataFrame) -> dict[str, tuple[float, float]]:
    """Place each layer in a column, sorted by where its parents stand, so that few edges cross."""
    height: dict[str, float] = {}
    places: dict[str, tuple[float, float]] = {}
    for (layer,), column in nodes.sort("layer", "asset", "node").group_by(
        "layer", maintain_order=True
    ):
        order = sorted(column["node"], key=lambda n: _parents_height(graph, n, height))
        for place, node in enumerate(order):
            height[node] = (place + 0.5) / len(order)
            places[node] = (float(str(layer)), height[node])
    return places


def _parents_height(graph: nx.DiGraph, node: str, height: dict[str, float]) -> float:
    weights = [
        (graph.edges[p, node]["share"], height[p]) for p in graph.predecessors(node) if p in height
    ]
    total = sum(w for w, _ in weights)
    return sum(w * h for w, h in weights) / total if total else 0.5


def _edges(axes: Axes, graph: nx.DiGraph, places: dict[str, tuple[float, float]]) -> None:
    order = sorted(graph.edges, key=lambda e: graph.edges[e]["share"])
    shares = [graph.edges[e]["share"] for e in order]
    nx.draw_networkx_edges(
        graph,
        places,
        edgelist=order,
        ax=axes,
        arrows=False,
        hide_ticks=False,
        width=[0.4 + 1.8 * s for s in shares],
        edge_color=[(0.35, 0.35, 0.35, 0.3 + 0.32 * s) for s in shares],
    )


def _nodes(axes: Axes, nodes: pl.DataFrame, places: dict[str, tuple[float, float]]) -> None:
    data = to_pandas(nodes)
    data["x"], data["y"] = zip(*(places[n] for n in data["node"]), strict=True)
    held = data["held_shocked"].to_numpy()
    sns.scatterplot(
        data=data,
        x="x",
        y="y",
        hue="asset",
        palette=asset_colours(nodes["asset"]),
        style="mode",
        markers=MODE_MARKERS,
        size="notional_usd",
        sizes=(_SMALLEST, _LARGEST),
        size_norm=(0.0, data["notional_usd"].max()),
        edgecolor=["white" if h else "black" for h in held],
        linewidth=[0.4 if h else 1.4 for h in held],
        ax=axes,
        legend=False,
        zorder=3,
    )
    largest = data["notional_usd"].max()
    for row in data[data["liquidations"] > 1].itertuples():
        radius = _width(row.notional_usd, largest) / 2
        where = {"xytext": (0, -radius - 1), "textcoords": "offset points"}
        look = {"ha": "center", "va": "top", "fontsize": 5.5, "zorder": 4}
        ground = {"boxstyle": "square,pad=0.1", "facecolor": "white", "linewidth": 0, "alpha": 0.8}
        axes.annotate(f"×{row.liquidations}", (row.x, row.y), bbox=ground, **where, **look)


def _words(
    axes: Axes, nodes: pl.DataFrame, edges: pl.DataFrame, places: dict[str, tuple[float, float]]
) -> None:
    """Write who fell below each node, and what ate the margin in the middle of each edge."""
    look = {"ha": "center", "fontsize": 6, "zorder": 4}
    if "words" in nodes.columns:
        for node, words, usd in nodes.select("node", "words", "notional_usd").rows():
            radius = _width(usd, float(str(nodes["notional_usd"].max()))) / 2
            where = {"xytext": (0, -radius - 2), "textcoords": "offset points", "va": "top"}
            axes.annotate(words, places[node], **where, **look)
    if "words" in edges.columns:
        ground = {"boxstyle": "square,pad=0.1", "facecolor": "white", "linewidth": 0}
        for source, target, words in edges.select("source", "target", "words").rows():
            x, y = (sum(pair) / 2 for pair in zip(places[source], places[target], strict=True))
            axes.annotate(words, (x, y), va="center", bbox=ground, **look)


def _width(notional: float, largest: float) -> float:
    """Return the width of a node in points; its area grows with the notional."""
    return math.sqrt(_SMALLEST + (_LARGEST - _SMALLEST) * notional / (largest or 1.0))


def _ground(axes: Axes, nodes: pl.DataFrame, labels: Labels) -> None:
    """Name the generations below the columns and leave room for the largest nodes."""
    columns = nodes.unique("layer", maintain_order=True).sort("layer")
    axes.set_xticks(columns["layer"].to_list(), columns["generation"].to_list())
    axes.tick_params(left=False, bottom=True, labelleft=False, labelbottom=True)
    axes.spines["left"].set_visible(False)
    axes.grid(False)
    last = float(str(columns["layer"].max()))
    axes.set(
        xlim=(-0.5, last + 0.5), ylim=(-0.02, 1.02), xlabel=str(labels["generation"]), ylabel=""
    )


def _legend(figure: Figure, nodes: pl.DataFrame) -> None:
    colours = asset_colours(nodes["asset"])
    named = [n for n in colours if n in set(nodes["asset"])]
    handles = [_dot(short(n), colours[n], "o") for n in named]
    handles += [_dot(f"{m} pool", QUIET, MODE_MARKERS[m]) for m in sorted(set(nodes["mode"]))]
    if not nodes["held_shocked"].all():
        handles.append(_dot("never held a shocked asset", "white", "o", edge="black"))
    largest = float(str(nodes["notional_usd"].max() or 0))
    shown = float(f"{largest / 4:.1g}")  # the largest itself would not fit into a legend
    text = f"{rounded(shown)} USD (largest: {rounded(largest)})"
    handles.append(_dot(text, "white", "o", size=_width(shown, largest), edge=QUIET))
    legend_above(figure, handles)


def _dot(label: str, colour: str, marker: str, size: float = 6, edge: str = "white") -> Line2D:
    marks = {"markersize": size, "markeredgecolor": edge, "markeredgewidth": 0.8}
    return Line2D([], [], color=colour, marker=marker, linestyle="", label=label, **marks)


CHART = Chart("One cascade, layer by layer", prepare, draw, every_design=False)
