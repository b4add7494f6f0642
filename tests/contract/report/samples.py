"""Synthetic tidy frames of every figure, plain and ugly, shaped like those of a run."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import polars as pl

from stresslab.analysis.importance import importance
from stresslab.contagion.importance import PREDICTIONS, SAYERS, SCORES
from stresslab.report.chart import Prepared
from stresslab.report.figures.importance import of_cell
from stresslab.report.labels import FRACTION, Label

ARMS = ["isolated", "cross", "cross_whole", "choice"]
FALLS = [0.02, 0.04, 0.06, 0.08, 0.1, 0.15, 0.2, 0.3, 0.4]
ASSETS = "BTC ETH SOL BNB XRP DOGE ADA AVAX LINK SUI 1000PEPE liquid_staking_token_of_a_chain"
LONG_ARM = "cross_margin_with_partial_liquidation_and_a_very_long_name"

X = {"x": Label("fall of the index of the shocked assets", FRACTION)}
OUTCOMES = {
    "share_accounts_liquidated": Label("share of accounts liquidated", FRACTION),
    "spill_same_accounts_usd": Label("forced notional in unshocked assets, same accounts", "USD"),
    "spill_other_accounts_usd": Label("forced notional in unshocked assets, other accounts", "USD"),
    "forced_notional_usd": Label("forced notional", "USD"),
    "system_loss_usd": Label("system loss", "USD"),
    "crossed": Label("probability that the cascade crosses", FRACTION),
}
PANELS = [
    ("BTC alone", "share_accounts_liquidated"),
    ("BTC alone", "spill_same_accounts_usd"),
    ("BTC alone", "spill_other_accounts_usd"),
    ("all together", "share_accounts_liquidated"),
    ("all together", "forced_notional_usd"),
    ("all together", "system_loss_usd"),
]


def samples() -> dict[str, tuple[str, Prepared]]:
    """Return sample name -> (figure, what it is drawn from)."""
    return {f"{figure}{suffix}": (figure, sample) for figure, suffix, sample in _samples()}


def _samples() -> Iterator[tuple[str, str, Prepared]]:
    yield "response", "", response(ARMS)
    yield "response", "_ugly", response([*ARMS[:3], LONG_ARM, "fifth", "sixth"], equal=True)
    yield (
        "response",
        "_one",
        Prepared({"response": design(ARMS, "").frames["design"]}, named(PANELS)),
    )
    yield "phase", "", phase()
    yield "ccdf", "", ccdf(300)
    yield "ccdf", "_few", ccdf(6)
    yield "ccdf", "_narrow", narrow(ccdf(40))
    yield "contagion_matrix", "", matrix(5)
    yield "contagion_matrix", "_twelve", matrix(12)
    yield "contagion_matrix", "_zero", matrix(3, value=0.0)
    yield "cascade", "", cascade(8, 18)
    yield "cascade", "_lone", cascade(1, 1)
    yield "cascade", "_wide", cascade(13, 18)
    yield "path", "", path(5)
    yield "path", "_twelve", path(12)
    yield "path", "_quiet", path(1, liquidations=0)
    yield "waterfall", "", waterfall(ARMS)
    yield "waterfall", "_one", waterfall([LONG_ARM])
    yield "differences", "", differences(FALLS)
    yield "design", "", design(ARMS[:2], "size")
    yield "design", "_rows", design([*ARMS[:3], LONG_ARM], "")
    yield "design", "_sampled", design(ARMS, *(f"path{n}" for n in range(3)))
    yield "differences", "_rows", design_differences()
    yield "liquidation_map", "", liquidation_map(5)
    yield "liquidation_map", "_twelve", liquidation_map(12)
    yield "importance", "", left_out(6)
    yield "importance", "_many", left_out(40)
    yield "importance", "_nobody", left_out(3, saved=0)
    yield "importance", "_replicates", left_out(6, replicates=4)


def left_out(n: int, saved: int = 7, replicates: int = 1) -> Prepared:
    """Return removals of n accounts, two assets and a rule; nobody saved has no ranking."""
    names = [str(4_000_000 + 7 * k) for k in range(n)]
    rows, total = np.arange(n + 3), n + 3
    frames = []
    for replicate in range(replicates):
        columns: dict[str, object] = {
            "cell": [f"3f2a{replicate}"] * total,
            "kind": ["account"] * n + ["asset"] * 2 + ["rule"],
            "name": [*names, "BTC", LONG_ARM[:28], "auto_deleveraging"],
            "place": [*range(1, n + 1), None, None, None],
            "fell": rows * 0 + 3 * n,
            "saved": rows * saved // 3 + replicate,
            "felled": rows[::-1] // 2,
            "passive": rows * 0 + 2 * n,
            "passive_saved": rows * saved // 4,
            "saved_usd": (rows - 2.5) * 1e5 * saved,
        }
        for place, name in enumerate(SCORES):
            area = np.linspace(0.4 + 0.05 * (place + replicate), 1, total)
            columns[f"auc_{name}"] = area if saved else [math.nan] * total
            columns[f"passive_auc_{name}"] = np.sqrt(area) if saved else [math.nan] * total
        columns |= {f"{name}_{end}": rows for name in SAYERS for end in ("saved", "right")}
        columns |= {name: rows * 3e4 * (place + 1) for place, name in enumerate(PREDICTIONS)}
        frames.append(pl.DataFrame(columns))
    removals = pl.concat(frames).to_dict(as_series=False)
    found = importance(removals)
    tables = (pl.DataFrame(table, infer_schema_length=None) for table in found[1:])
    return of_cell("3f2a0", *tables)


def _enum(n: int) -> pl.Enum:
    return pl.Enum(ASSETS.split()[:n])


def response(arms: list[str], falls: list[float] = FALLS, equal: bool = False) -> Prepared:
    rows = []
    for pattern, outcome in PANELS:
        for place, arm in enumerate(arms):
            for x in falls:
                mid = 1 / (1 + math.exp(-(x - 0.18 - 0.02 * place * (not equal)) * 25))
                mid *= 0.5 if "share" in outcome else 3e7
                if "spill" in outcome and (arm == "isolated" or equal):
                    mid = 0.0
                if equal and x > 0.2 and arm == "cross":
                    mid = math.nan
                scale = "spill" if "spill" in outcome else outcome
                rows.append((pattern, outcome, scale, arm, x, mid, 0.9 * mid, 1.1 * mid, 20))
    columns = ["pattern", "outcome", "scale", "arm", "x", "mid", "low", "high", "n"]
    return Prepared({"response": pl.DataFrame(rows, columns, orient="row")}, X | named(PANELS))


def named(panels: list[tuple[str, str]]) -> dict[str, Label]:
    return {outcome: OUTCOMES[outcome] for _, outcome in panels}


def phase() -> Prepared:
    rows = [
        ("BTC alone", outcome, x, y, scale / (1 + math.exp(-(x - 0.3 + 0.2 * y) * 30)), threshold)
        for outcome, scale, threshold in [("crossed", 1.0, 0.5), ("system_loss_usd", 1e8, None)]
        for x in FALLS
        for y in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    ]
    columns = ["pattern", "outcome", "x", "y", "value", "threshold"]
    frame = pl.DataFrame(rows, columns, orient="row")
    labels = X | {k: OUTCOMES[k] for k in ("crossed", "system_loss_usd")}
    labels |= {"y": Label("share of traders on cross margin", FRACTION)}
    return Prepared({"phase": frame}, labels)


def ccdf(n: int) -> Prepared:
    random, rows, guides = np.random.default_rng(1), [], []
    for measure, scale in [("accounts", 3.0), ("forced_notional_usd", 1e5)]:
        for arm, tail in zip(ARMS, (0.9, 0.6, 0.7, 0.9), strict=True):
            sizes = np.minimum(np.round(scale * random.pareto(tail, n)), 2000 * scale)
            for size in np.unique(sizes[sizes > 0]):
                share = float((sizes >= size).mean())
                interval = (0.7 * share, min(1.0, 1.4 * share))
                rows.append(("BTC alone", measure, arm, float(size), share, *interval))
        if n > 50:
            ends = [(10 * scale, 0.3), (1000 * scale, 0.3 * 100**-0.6)]
            guides += [("BTC alone", measure, "cross", 0.6, *end) for end in ends]
    text = pl.String
    texts = {"pattern": text, "measure": text, "arm": text}
    sizes = {**texts, "size": float, "at_least": float, "low": float, "high": float}
    lines = {**texts, "exponent": float, "size": float, "at_least": float}
    labels = {
        "accounts": Label("accounts liquidated"),
        "forced_notional_usd": OUTCOMES["forced_notional_usd"],
        "at_least": Label("share of trees at least so large"),
    }
    frames = {
        "ccdf": pl.DataFrame(rows, sizes, orient="row"),
        "guides": pl.DataFrame(guides, lines, orient="row"),
    }
    return Prepared(frames, labels)


def narrow(prepared: Prepared) -> Prepared:
    """Sizes that all lie within one decade."""
    sizes = prepared.frames["ccdf"].filter(
        pl.col("size") > pl.col("size").max().over("measure") / 9
    )
    return Prepared({**prepared.frames, "ccdf": sizes}, prepared.labels)


def matrix(n: int, value: float | None = None) -> Prepared:
    random = np.random.default_rng(2)
    rows = []
    for arm in ARMS:
        for source in ASSETS.split()[:n]:
            for target in ASSETS.split()[:n]:
                spreads = (arm != "isolated" or source == target) and random.random() < 0.8
                drawn = float(10 ** random.normal(5, 1)) if spreads else 0.0
                mean = drawn if value is None else value
                rows.append((arm, source, target, mean, 0.3 * mean, 1.7 * mean))
    columns = ["arm", "source", "target", "value", "low", "high"]
    frame = pl.DataFrame(rows, columns, orient="row")
    frame = frame.cast({"source": _enum(n), "target": _enum(n)})
    labels = {
        "source": Label("asset whose price tipped the pool over"),
        "target": Label("asset of the forced order"),
        "value": Label("forced notional, mean over runs", "USD"),
    }
    return Prepared({"contagion_matrix": frame}, labels)


def cascade(layers: int, width: int) -> Prepared:
    random = np.random.default_rng(3)
    nodes, edges, parents = [], [], []
    for layer in range(layers):
        column = []
        for place in range(max(1, round(width * math.sin((layer + 1) / (layers + 1) * math.pi)))):
            node = f"{layer}-{place:03d}"
            asset = ASSETS.split()[0 if layer == 0 else random.integers(5)]
            mode = "cross" if random.random() < 0.6 else "isolated"
            held = layers == 1 or bool(random.random() < 0.7)
            notional = min(3e6, 1e4 * (1 + random.pareto(0.9)))
            count = int(random.integers(2, 90)) if place == 17 else 1
            nodes.append((node, layer, str(layer), asset, mode, held, notional, count))
            column.append(node)
            for parent, share in zip(parents[:3], random.dirichlet(np.ones(3)), strict=False):
                edges.append((parent, node, float(share)))
        parents = [str(p) for p in random.permutation(column)]
    columns = [
        "node",
        "layer",
        "generation",
        "asset",
        "mode",
        "held_shocked",
        "notional_usd",
        "liquidations",
    ]
    frames = {
        "nodes": pl.DataFrame(nodes, columns, orient="row").cast({"asset": _enum(5)}),
        "edges": pl.DataFrame(
            edges, {"source": pl.String, "target": pl.String, "share": float}, orient="row"
        ),
    }
    return Prepared(frames, {"generation": Label("generation (0: tipped over by the index alone)")})


def path(n: int, liquidations: int = 25) -> Prepared:
    random, times = np.random.default_rng(4), np.arange(0.0, 601.0)
    prices, forced, state = [], [], []
    fund = 1e6 - 8e5 * np.clip((times - 100) / 100, 0, 1)
    state += [("insurance_fund", None, t, v) for t, v in zip(times, fund, strict=True)]
    for place, asset in enumerate(ASSETS.split()[:n]):
        hit = place < 3
        shock = -0.2 * np.clip((times - 60) / 60, 0, 1) * (1.0 if place == 0 else 0.1)
        index = shock + random.normal(0, 0.0006, 601).cumsum()
        mark = index - 0.08 * np.exp(-(((times - 140 - 20 * place) / 40) ** 2)) * hit
        prices += [(asset, *row) for row in zip(times, index, mark, strict=True)]
        for step in random.choice(np.arange(80, 220), liquidations * hit, replace=False):
            mode = "cross" if random.random() < 0.5 else "isolated"
            forced.append((asset, times[step], mark[step], mode, 1e4 * (1 + random.pareto(0.9))))
        interest = 1 - 0.5 * np.clip((times - 80) / 150, 0, 1) * hit
        depth = np.maximum(
            0, 1 - 0.9 * np.exp(-(((times - 140) / 60) ** 2)) + random.normal(0, 0.03, 601)
        )
        state += [("open_interest", asset, t, v) for t, v in zip(times, interest, strict=True)]
        state += [("depth", asset, t, v) for t, v in zip(times, depth, strict=True)]
    text = pl.String
    liquidation = {
        "asset": text,
        "seconds": float,
        "mark": float,
        "mode": text,
        "notional_usd": float,
    }
    quantity = {"quantity": text, "asset": text, "seconds": float, "value": float}
    frames = {
        "prices": pl.DataFrame(prices, ["asset", "seconds", "index", "mark"], orient="row"),
        "liquidations": pl.DataFrame(forced, liquidation, orient="row"),
        "state": pl.DataFrame(state, quantity, orient="row"),
    }
    labels = {
        "mark": Label("return since the start", FRACTION),
        "seconds": Label("time", "s"),
        "open_interest": Label("open interest, share of the initial", FRACTION),
        "depth": Label("bid depth, share of the initial", FRACTION),
        "insurance_fund": Label("insurance fund", "USD"),
    }
    return Prepared({k: v.cast({"asset": _enum(n)}) for k, v in frames.items()}, labels)


def waterfall(arms: list[str]) -> Prepared:
    random, rows = np.random.default_rng(5), []
    for pattern, size in [("BTC alone", 1.0), ("all together", 5.0)]:
        for arm in arms:
            start = 0.0
            names = ["trader loss", "penalties", "insurance fund", "ADL", "socialised"]
            for name, amount in zip(names, random.random(5) * size * 1e6, strict=True):
                rows.append((pattern, arm, name, start, amount, 0.9 * amount, 1.1 * amount))
                start += amount
            rows.append((pattern, arm, "total", 0.0, start, 0.9 * start, 1.1 * start))
    columns = ["pattern", "arm", "component", "start", "amount", "low", "high"]
    frame = pl.DataFrame(rows, columns, orient="row")
    return Prepared({"waterfall": frame}, {"amount": Label("loss, mean over replicates", "USD")})


def differences(falls: list[float]) -> Prepared:
    rows = []
    for pattern, outcome in PANELS[1:4]:
        scale = 0.1 if "share" in outcome else 1e7
        for place, arm in enumerate(ARMS[1:]):
            for x in falls:
                mid = math.sin(12 * x + 0.5 * place) * scale * x * 5
                spread = 0.2 * abs(mid) + 0.01 * scale
                key = (pattern, outcome, f"{arm} − isolated", arm, x)
                rows.append((*key, mid, mid - spread, mid + spread, 20))
    columns = ["pattern", "outcome", "contrast", "arm", "x", "mid", "low", "high", "n"]
    return Prepared(
        {"differences": pl.DataFrame(rows, columns, orient="row")}, X | named(PANELS[1:4])
    )


def design(arms: list[str], *factors: str) -> Prepared:
    """Points over a number with a long title, in rows with long names, or spread over a box."""
    random, rows = np.random.default_rng(6), []
    names = ["direction correlation 100 %\nallotment dispersion 1.5", "mixed", "both"]
    for factor in factors:
        for panel in ["all together 20 %, hedgers: passive"] * 1 if factor else ["a", "b"]:
            for outcome in ("share_accounts_liquidated", "system_loss_usd"):
                for arm in arms:
                    for row, x in (
                        [("", 2.0**n) for n in range(5)]
                        if factor
                        else [(name, None) for name in names]
                    ):
                        mid = None if arm == LONG_ARM else float(random.random())
                        low, high = (None, None) if mid is None else (0.8 * mid, 1.2 * mid)
                        where = ("all together", panel, factor, row, outcome, arm)
                        rows.append((*where, x, mid, low, high, 20))
    texts = dict.fromkeys(("pattern", "panel", "factor", "row", "outcome", "arm"), pl.String)
    numbers = dict.fromkeys(("x", "mid", "low", "high"), pl.Float64)
    frame = pl.DataFrame(rows, {**texts, **numbers, "n": pl.Int64}, orient="row")
    labels = {f: Label(f"what {f} is called", "s") for f in factors if f}
    labels |= {n: OUTCOMES[n] for n in ("share_accounts_liquidated", "system_loss_usd")}
    return Prepared({"design": frame}, labels)


def design_differences() -> Prepared:
    prepared = design(ARMS[:3], "")
    minus = pl.concat_str("arm", pl.lit(" - isolated"))
    frame = prepared.frames["design"].with_columns(contrast=minus, mid=pl.col("mid") - 0.5)
    return Prepared({"differences": frame}, prepared.labels)


def liquidation_map(n: int) -> Prepared:
    rows = [
        (
            asset,
            mode,
            move,
            scale * 1e8 * max(0.0, abs(move) - 0.05) ** 1.5 * (1 if move < 0 else 0.3),
        )
        for asset in ASSETS.split()[:n]
        for mode, scale in [("isolated", 1.0), ("cross", 0.5)]
        for move in np.linspace(-0.4, 0.4, 41)
    ]
    frame = pl.DataFrame(rows, ["asset", "series", "move", "notional_usd"], orient="row")
    labels = {
        "move": Label("move of the asset's mark, alone", FRACTION),
        "notional_usd": Label("notional in pools that breach", "USD"),
    }
    return Prepared({"liquidation_map": frame.cast({"asset": _enum(n)})}, labels)
