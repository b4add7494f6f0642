"""Stylised facts of returns: how far a market of leveraged traders is from recorded bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from stresslab.results.frames import Tables
from stresslab.validation.experiment import Experiment, Size
from stresslab.validation.stylised import market, telling
from stresslab.validation.stylised.moments import clustering
from stresslab.validation.verdicts import Check, Counts, Result

_SHUFFLES = 99
#: Mean and deviation of eight other runs, and of the largest of their shuffles.
_POWER = "two days of other seeds come to 0.29 ± 0.03, their shuffles to 0.02 at most on average"
FEEDBACK, NONE = "feedback", "no_feedback"


class Scale(NamedTuple):
    """How much is drawn under each seed."""

    replicates: int
    calm: int  # replicates without feedback, told beside the others
    days: float  # of each replicate


SCALES = {Size.QUICK: Scale(1, 0, 1.0), Size.FULL: Scale(4, 1, 2.0)}


def run(size: Size, seed: int) -> Result:
    """Let the market trade, and see whether its large moves come together."""
    scale = SCALES[size]
    logs = _played(FEEDBACK, scale.replicates, scale.days, seed)
    calm = _played(NONE, scale.calm, scale.days, seed)
    counts = {"market": _bars(logs), **({"calm": _bars(calm)} if calm else {})}
    return Result(_checks(logs, counts["market"][:, 0], seed), counts=counts)


def control(size: Size, seed: int) -> Result:
    """The same checks on the same people, of whom nobody borrows, follows trends or widens."""
    scale = SCALES[size]
    logs = _played(NONE, scale.replicates, scale.days, seed)
    return Result(_checks(logs, _bars(logs)[:, 0], seed))


def tell(size: Size, counts: Sequence[Counts]) -> Result:
    """Tell the distances of the runs of all seeds."""
    every = {name: np.concatenate([count[name] for count in counts]) for name in counts[0]}
    distances, panels = telling.told(every["market"], every.get("calm"))
    facts = {"runs": len(every["market"]), **SCALES[size]._asdict()}
    return Result((), distances, panels, facts)


def _played(arm: str, replicates: int, days: float, seed: int) -> list[Tables]:
    scenario = market.scenario(arm=arm, days=days)
    return [market.played(scenario, seed, replicate) for replicate in range(replicates)]


def _bars(logs: Sequence[Tables]) -> np.ndarray:
    """Return log returns and volumes of each run, shape ``(n_runs, 2, n_minutes)``."""
    return np.array([market.bars(log) for log in logs])


def _checks(logs: Sequence[Tables], returns: np.ndarray, seed: int) -> list[Check]:
    """Ask whether something happened, and of every run whether its order in time matters."""
    stopped = sum(int(log["accounts"]["n_stops"].sum()) > 0 for log in logs)
    liquidated = sum(log["liquidations"]["step"].size > 0 for log in logs)
    moved = sum((row != 0.0).mean() > 0.5 for row in returns)
    clustered = sum(_is_clustered(row, seed) for row in returns)
    n = float(len(logs))
    return [
        Check("runs that move in more than half of their minutes", float(moved), n, 0.0),
        Check("runs in which stops closed positions", float(stopped), n, 0.0),
        Check("runs in which somebody was liquidated", float(liquidated), n, 0.0),
        Check(f"runs that cluster more than each of {_SHUFFLES} shuffles of their own returns",
              float(clustered), n, 0.0, power=_POWER),
    ]  # fmt: skip


def _is_clustered(returns: np.ndarray, seed: int) -> bool:
    draws = np.random.default_rng(seed)
    sizes = np.abs(returns)
    most = max(clustering(draws.permutation(sizes)) for _ in range(_SHUFFLES))
    return clustering(sizes) > most


EXPERIMENT = Experiment(
    name="stylised",
    title="Stylised facts of returns, told by their distance from recorded bars",
    claim="Where people follow trends, borrow and set stops and makers widen their quotes, large "
    "moves come together, and where they do not, they do not; how far eleven statistics of returns "
    "at one and five minutes are from nine series of crypto prices is told, not judged.",
    source="Bands: measurements on Bitfinex 2017 to 2019 and a BTC perpetual, January 2022, and on "
    "windows of bars as long as a run, ours. Coverage of moments: Franke and Westerhoff (2012). "
    "The mix of traders is ours.",
    falsified_by="A run whose large moves do not come together more than those of its own shuffled "
    "returns, or a market without feedback whose moves do.",
    run=run,
    control=control,
    control_is="the same people, of whom nobody borrows, follows trends or widens quotes",
    tell=tell,
)
