"""One episode as nodes and edges of a picture: what is grouped, merged and left out.

A picture of hundreds of liquidations is a black patch, so the rules are: a layer shows the
liquidations with the largest cascades below them one by one and the rest as one node per margin
mode; layers beyond the last are shown as one; weak edges are left out, unless they hold a tree
together.
"""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

import numpy as np
import polars as pl

from stresslab.contagion import Contagion
from stresslab.contagion.columns import MICRO_USD, is_in

SHOWN_IN_A_LAYER, LAST_LAYER, LEAST_SHARE = 14, 10, 0.1

RULE = (
    f"A layer shows the {SHOWN_IN_A_LAYER} liquidations with the most forced notional in them and "
    "in the tree below them; the others are one node per margin mode (×n: n, at their mean size). "
    f"Layers from {LAST_LAYER} on are shown as one. Trigger shares below {LEAST_SHARE:.0%} are "
    "left out, unless they are the largest of a node."
)


class Member(NamedTuple):
    """A liquidation of the episode; ``below_usd`` is forced in it and in the tree below it."""

    row: int
    layer: int
    asset: str
    mode: str
    held_shocked: bool
    notional_usd: float
    below_usd: float


def largest_episode(run: Contagion) -> np.ndarray:
    """Return the rows of the episode with the most forced notional; ties: the earlier one."""
    of = run.episodes.of
    notional = np.zeros(int(of.max()) + 1, np.int64)
    np.add.at(notional, of, run.forced_notional)
    return np.flatnonzero(of == int(np.argmax(notional)))


def episode_frames(run: Contagion, rows: np.ndarray) -> dict[str, pl.DataFrame]:
    """Return the frames of the cascade figure for the liquidations in ``rows``."""
    below = _below(run)
    members = [_member(run, row, below[row]) for row in rows.tolist()]
    node_of = _grouped(members)
    nodes = _nodes(members, node_of, run.asset_names)
    return {"nodes": nodes, "edges": _edges(run, members, node_of)}


def _below(run: Contagion) -> list[int]:
    """Return forced notional of each liquidation and the cascade tree below it, in micro-USD."""
    sums = run.forced_notional.tolist()
    principal = run.forest.principal.tolist()
    for row in range(len(sums) - 1, -1, -1):  # children have higher ids than their parents
        if principal[row] >= 0:
            sums[principal[row]] += sums[row]
    return sums


def _member(run: Contagion, row: int, below: int) -> Member:
    sold = run.forced_notional_by_asset[row]
    own = int(run.liquidations["asset"][row])
    held = bool(is_in(run.liquidations["account"][row : row + 1], run.shocked_holders)[0])
    return Member(
        row=row,
        layer=min(int(run.forest.depth[row]), LAST_LAYER),
        asset=run.asset_names[int(np.argmax(sold)) if sold.any() else max(own, 0)],
        mode=str(run.liquidations["mode"][row]),
        held_shocked=held or not run.is_shocked.any(),
        notional_usd=int(run.forced_notional[row]) / MICRO_USD,
        below_usd=below / MICRO_USD,
    )


def _grouped(members: list[Member]) -> dict[int, str]:
    """Return the node of each liquidation: its own, or that of the small ones of its mode."""
    layers: defaultdict[int, list[Member]] = defaultdict(list)
    for member in sorted(members, key=lambda m: (-m.below_usd, m.row)):
        layers[member.layer].append(member)
    node_of = {}
    for layer, ordered in layers.items():
        for place, member in enumerate(ordered):
            is_shown = place < SHOWN_IN_A_LAYER
            node_of[member.row] = f"{member.row}" if is_shown else f"{layer} {member.mode}"
    return node_of


def _nodes(members: list[Member], node_of: dict[int, str], assets: list[str]) -> pl.DataFrame:
    frame = pl.DataFrame(members, list(Member._fields), orient="row").with_columns(
        node=pl.Series([node_of[m.row] for m in members], dtype=pl.String)
    )
    largest = pl.col("notional_usd").arg_max()
    nodes = frame.group_by("node", "layer", "mode", maintain_order=True).agg(
        asset=pl.col("asset").get(largest),
        held_shocked=pl.col("held_shocked").get(largest),
        notional_usd=pl.col("notional_usd").mean(),
        liquidations=pl.len(),
    )
    beyond = pl.when(pl.col("layer") == LAST_LAYER).then(pl.lit("≥ ")).otherwise(pl.lit(""))
    named = nodes.with_columns(generation=beyond + pl.col("layer").cast(pl.String))
    return named.cast({"asset": pl.Enum(assets)}).sort("layer", "node")


def _edges(run: Contagion, members: list[Member], node_of: dict[int, str]) -> pl.DataFrame:
    """Return trigger shares between nodes of successive layers, averaged over a group's members."""
    layer = {m.row: m.layer for m in members}
    sizes: defaultdict[str, int] = defaultdict(int)
    for node in node_of.values():
        sizes[node] += 1
    sums: defaultdict[tuple[str, str], float] = defaultdict(float)
    columns = (run.parents.parent.tolist(), run.parents.child.tolist(), run.parents.share.tolist())
    for parent, child, share in zip(*columns, strict=True):
        if parent in layer and child in layer and layer[parent] < layer[child]:
            pair = node_of[parent], node_of[child]
            sums[pair] += share / sizes[pair[1]]
    rows = [(source, target, share) for (source, target), share in sorted(sums.items())]
    schema = {"source": pl.String, "target": pl.String, "share": pl.Float64}
    frame = pl.DataFrame(rows, schema, orient="row")
    largest = pl.col("share") == pl.col("share").max().over("target")
    return frame.filter((pl.col("share") >= LEAST_SHARE) | largest)
