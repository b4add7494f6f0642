"""Stylised facts of returns: how far a market of leveraged traders is from recorded bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from stresslab.results.frames import Tables
from stresslab.validation.experiment import Experiment, Size
from stresslab.validation.stylised import market, telling
from stresslab.validation.stylised.memory import (
    ONE_DAY,
    SHUFFLES,
    TWO_DAYS,
    Beyond,
    beyond_shuffles,
)
from stresslab.validation.verdicts import Check, Counts, Result

FEEDBACK, NONE = "feedback", "no_feedback"


class Scale(NamedTuple):
    """How much is drawn under each seed."""

    replicates: int
    calm: int  # replicates without feedback, told beside the others
    days: float  # of each replicate
    beyond: Beyond  # by how much such a replicate remembers more than its shuffles


SCALES = {Size.QUICK: Scale(1, 0, 1.0, ONE_DAY), Size.FULL: Scale(8, 1, 2.0, TWO_DAYS)}


def run(size: Size, seed: int) -> Result:
    """Let the market trade, and see whether its large moves come together."""
    scale = SCALES[size]
    logs = _played(FEEDBACK, scale.replicates, scale.days, seed)
    calm = _played(NONE, scale.calm, scale.days, seed)
    counts = {"market": _bars(logs), **({"calm": _bars(calm)} if calm else {})}
    return Result(_checks(logs, counts["market"][:, 0], seed, scale), counts=counts)


def control(size: Size, seed: int) -> Result:
    """The same checks on the same people, of whom nobody borrows, follows trends or widens."""
    scale = SCALES[size]
    logs = _played(NONE, scale.replicates, scale.days, seed)
    return Result(_checks(logs, _bars(logs)[:, 0], seed, scale))


def tell(size: Size, counts: Sequence[Counts]) -> Result:
    """Tell the distances of the runs of all seeds."""
    every = {name: np.concatenate([count[name] for count in counts]) for name in counts[0]}
    distances, panels = telling.told(every["market"], every.get("calm"))
    scale = SCALES[size]
    facts = {"runs": len(every["market"]), "replicates": scale.replicates, "days": scale.days}
    return Result((), distances, panels, facts)


def _played(arm: str, replicates: int, days: float, seed: int) -> list[Tables]:
    scenario = market.scenario(arm=arm, days=days)
    return [market.played(scenario, seed, replicate) for replicate in range(replicates)]


def _bars(logs: Sequence[Tables]) -> np.ndarray:
    """Return log returns and volumes of each run, shape ``(n_runs, 2, n_minutes)``."""
    return np.array([market.bars(log) for log in logs])


def _checks(logs: Sequence[Tables], returns: np.ndarray, seed: int, scale: Scale) -> list[Check]:
    """Ask whether something happened in every run, and whether the order in time matters."""
    stopped = sum(int(log["accounts"]["n_stops"].sum()) > 0 for log in logs)
    liquidated = sum(log["liquidations"]["step"].size > 0 for log in logs)
    moved = sum((row != 0.0).mean() > 0.5 for row in returns)
    n = float(len(logs))
    return [
        Check("runs that move in more than half of their minutes", float(moved), n, 0.0),
        Check("runs in which stops closed positions", float(stopped), n, 0.0),
        Check("runs in which somebody was liquidated", float(liquidated), n, 0.0),
        Check(f"runs remember more, on average, than in each of {SHUFFLES} shuffles of each",
              float(beyond_shuffles(returns, seed) > 0), 1.0, 0.0,
              level=scale.beyond.chance_of_none(len(logs)),
              power=f"{n:g} runs of {scale.days:g} days of {scale.beyond}"),
    ]  # fmt: skip


EXPERIMENT = Experiment(
    name="stylised",
    title="Stylised facts of returns, told by their distance from recorded bars",
    claim="Where people follow trends, borrow and set stops and makers widen their quotes, large "
    "moves come together, and where they do not, they do not; how far eleven statistics of returns "
    "at one and five minutes are from nine series of crypto prices is told, not judged.",
    source="Bands: measurements on Bitfinex 2017 to 2019 and a BTC perpetual, January 2022, and on "
    "windows of bars as long as a run, ours. Coverage of moments: Franke and Westerhoff (2012). "
    "The mix of traders is ours.",
    falsified_by="Runs whose large moves do not come together more than those of their own "
    "shuffled returns, or a market without feedback whose moves do.",
    run=run,
    control=control,
    control_is="the same people, of whom nobody borrows, follows trends or widens quotes",
    tell=tell,
)
