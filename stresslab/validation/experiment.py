"""What every validation experiment is: a claim, its source, and a run that could refute it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from stresslab.validation.verdicts import Check, Counts, Result

N_FURTHER_SEEDS = 3  # a statistical experiment must pass under these too


class Size(Enum):
    """How much an experiment draws: ``quick`` for every change, ``full`` for the record."""

    QUICK = "quick"
    FULL = "full"


#: (size, seed) -> what came of it.
Run = Callable[[Size, int], Result]


@dataclass(frozen=True)
class Experiment:
    """A published result, closed form or peer's number, and how stresslab is held against it."""

    name: str
    title: str
    claim: str
    source: str  # author, year, equation or file; which numbers are published, which are ours
    falsified_by: str
    run: Run
    #: The same with one thing made wrong: it must fail, or the experiment proves nothing.
    control: Run
    control_is: str  # what is made wrong, in words
    is_statistical: bool = True
    is_judged: bool = True  # False: a report of distance to facts
    #: Whether all seeds need the same long calculation, so that they are best run in one process.
    seeds_share_work: bool = False
    #: Holds what all seeds counted, name by name in sum, where one of them alone draws too little.
    together: Callable[[Size, Counts], Sequence[Check]] | None = None
    #: Tells what all seeds drew, where one of them alone draws too little: distances, panels and
    #: facts that stand in place of those of the first seed.
    tell: Callable[[Size, Sequence[Counts]], Result] | None = None
    #: The experiment at one setting of a user's own, by the names of what may be set.
    point: Callable[..., Mapping[str, float]] | None = None


def seed_of(name: str, number: int = 0) -> int:
    """Return the seed of an experiment, from its name; further seeds have numbers 1, 2, 3."""
    digest = hashlib.sha256(f"validation/{name}/{number}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
