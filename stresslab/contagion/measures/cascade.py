"""Size, depth, generations and duration of cascades."""

from __future__ import annotations

import math

import numpy as np

from stresslab.contagion.columns import as_int, exact_sum, ratio, usd
from stresslab.contagion.forest import width
from stresslab.contagion.measures.measure import Measure
from stresslab.contagion.projection import Contagion


def n_liquidations(run: Contagion) -> int:
    """Count liquidations: spells of a pool from its first breach until restored or flat."""
    return len(run.ids)


def n_accounts_liquidated(run: Contagion) -> int:
    """Count accounts with at least one liquidation."""
    return len(np.unique(run.liquidations["account"]))


def share_accounts_liquidated(run: Contagion) -> float:
    """Return accounts liquidated over all accounts."""
    return ratio(n_accounts_liquidated(run), len(run.tables["accounts"]["account"]))


def forced_notional(run: Contagion) -> float:
    """Return the notional of forced fills at the marks they were judged on."""
    return usd(run.forced.notional.sum())


def forced_loss(run: Contagion) -> float:
    """Return what forced closing cost: execution off the mark, fees and penalties."""
    return usd(run.forced.loss.sum())


def depth(run: Contagion) -> int:
    """Return the longest chain of principal parents, in links."""
    return int(run.forest.depth.max(initial=0))


def tree_width(run: Contagion) -> int:
    """Return the most liquidations at one depth of one cascade tree."""
    return width(run.forest)


def generations(run: Contagion) -> float:
    """Return the highest generation; NaN without liquidations."""
    return float(run.forest.generation.max()) if len(run.ids) else math.nan


def generations_mean(run: Contagion) -> float:
    """Return the mean generation; NaN without liquidations."""
    return ratio(exact_sum(run.forest.generation), len(run.ids))


def n_trees(run: Contagion) -> int:
    """Count cascade trees."""
    return len(np.unique(run.forest.root))


def largest_tree(run: Contagion) -> int:
    """Return the accounts in the cascade tree that has most of them."""
    return int(run.trees["accounts"].max(initial=0))


def largest_tree_notional(run: Contagion) -> float:
    """Return the forced notional of the cascade tree that has most of it."""
    return usd(run.trees["notional_micro_usd"].max(initial=0))


def largest_tree_loss(run: Contagion) -> float:
    """Return what forced closing cost in the cascade tree where it cost most."""
    return usd(run.trees["loss_micro_usd"].max(initial=0))


def n_episodes(run: Contagion) -> int:
    """Count episodes."""
    return len(run.episodes.first_step)


def n_episodes_open(run: Contagion) -> int:
    """Count episodes that the end of the run cut short."""
    return int((~run.episodes.is_complete).sum())


def duration_seconds(run: Contagion) -> float:
    """Return the time from first breach to last end of the longest episode; NaN without one."""
    if not n_episodes(run):
        return math.nan
    steps = as_int(run.episodes.last_step - run.episodes.first_step)
    return int(steps.max()) * run.step_seconds


MEASURES = (
    Measure("n_liquidations", "liquidations", "Liquidations", n_liquidations),
    Measure("n_accounts_liquidated", "accounts", "Accounts liquidated", n_accounts_liquidated),
    Measure(
        "share_accounts_liquidated",
        "1",
        "Share of accounts liquidated",
        share_accounts_liquidated,
    ),
    Measure("forced_notional_usd", "USD", "Forced notional", forced_notional),
    Measure("forced_loss_usd", "USD", "Cost of forced closing", forced_loss),
    Measure("depth", "links", "Depth of the deepest cascade tree", depth),
    Measure("width", "liquidations", "Width of the widest cascade tree", tree_width),
    Measure("generations", "1", "Highest generation", generations),
    Measure("generations_mean", "1", "Mean generation", generations_mean),
    Measure("n_trees", "trees", "Cascade trees", n_trees),
    Measure("largest_tree", "accounts", "Accounts in the largest cascade tree", largest_tree),
    Measure(
        "largest_tree_usd",
        "USD",
        "Forced notional of the largest cascade tree",
        largest_tree_notional,
    ),
    Measure(
        "largest_tree_loss_usd",
        "USD",
        "Cost of forced closing in the costliest cascade tree",
        largest_tree_loss,
    ),
    Measure("n_episodes", "episodes", "Episodes", n_episodes),
    Measure("n_episodes_open", "episodes", "Episodes cut short by the end", n_episodes_open),
    Measure("duration_seconds", "s", "Duration of the longest episode", duration_seconds),
)
