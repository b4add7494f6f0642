"""The headline: what shock size and scope do under each margin rule, and how the rules differ."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from stresslab.analysis.contrasts import contrasts
from stresslab.analysis.frames import FULL, keys
from stresslab.analysis.intervals import LEVEL
from stresslab.analysis.summaries import probabilities, summarise

SHARE, CROSSED = "share_accounts_liquidated", "crossed"
#: Columns of a number, beside those of its place in the design.
ESTIMATE = ["quantity", "of", "mid", "low", "high", "n"]


def headline(
    frame: pl.DataFrame,
    arms: Sequence[str],
    pair: tuple[str, str] = ("cross", "isolated"),
    control: str = FULL,
    level: float = LEVEL,
) -> pl.DataFrame:
    """Return the headline in long form, one row per design, point, quantity and arm or contrast.

    ``quantity`` is ``share_accounts_liquidated`` (mean, Student's interval), ``crossed``
    (probability, Wilson's interval) or ``difference`` (mean paired difference of the share,
    Student's interval); ``of`` names the arm or the contrast; ``n`` counts replicates or pairs.
    """
    cells = frame.filter((pl.col("control") == control) & pl.col("arm").is_in(list(arms)))
    places = [name for name in keys(frame) if name not in ("arm", "control")]
    shares = summarise(cells, [SHARE], level=level).rename({"outcome": "quantity", "mean": "mid"})
    crossed = probabilities(cells, [CROSSED], level=level)
    crossed = crossed.rename({"outcome": "quantity", "probability": "mid"})
    differences = contrasts(cells, [SHARE], *pair, level=level).rename(
        {"contrast": "of", "difference": "mid"}
    )
    parts = [
        shares.rename({"arm": "of"}),
        crossed.rename({"arm": "of"}),
        differences.with_columns(quantity=pl.lit("difference")),
    ]
    rows = pl.concat([part.select(*places, *ESTIMATE) for part in parts])
    order = {name: place for place, name in enumerate((SHARE, CROSSED, "difference"))}
    ranks = [
        pl.col("quantity").replace_strict(order, return_dtype=pl.Int64),
        pl.col("of").replace_strict(_order(arms), default=len(arms), return_dtype=pl.Int64),
    ]
    return rows.sort([*places, *ranks], nulls_last=True, maintain_order=True)


def _order(names: Sequence[str]) -> dict[str, int]:
    return {name: place for place, name in enumerate(names)}


def headline_text(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the headline as people read it: one row per point, percentages with intervals."""
    places = [name for name in rows.columns if name not in ESTIMATE]
    texts = [_text(*row) for row in rows.select("quantity", "mid", "low", "high").rows()]
    named = rows.with_columns(
        pl.concat_str("quantity", "of", separator=": ").alias("column"),
        pl.Series("text", texts, dtype=pl.String),
    )
    return named.pivot("column", index=places, values="text", maintain_order=True)


def _text(quantity: str, mid: float | None, low: float | None, high: float | None) -> str:
    sign = "+" if quantity == "difference" else ""
    if mid is None:
        return "–"
    text = f"{100 * mid:{sign}z.1f} %"
    if low is not None and high is not None:
        text += f" [{100 * low:{sign}z.1f}, {100 * high:{sign}z.1f}]"
    return text.replace("-", "−")
