"""Runs experiments, in several processes where asked, and gathers their verdicts."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from stresslab.validation.experiment import N_FURTHER_SEEDS, Experiment, Size, seed_of
from stresslab.validation.experiments import EXPERIMENTS, experiment
from stresslab.validation.levels import is_outside, outside_band
from stresslab.validation.processes import in_processes
from stresslab.validation.verdicts import Check, Result

_CONTROL = -1  # in place of the number of a seed


@dataclass(frozen=True)
class Verdict:
    """An experiment, what came of it under its seeds, and whether its control failed."""

    experiment: Experiment
    size: Size
    result: Result  # under the first seed
    further: tuple[Result, ...]  # under the further seeds
    control: Result
    seconds: float  # of work, all seeds and the control together
    together: tuple[Check, ...] = ()  # on what all seeds counted

    @property
    def passed(self) -> bool:
        """Whether everything that is judged passed and the negative control did not."""
        if not self.experiment.is_judged:
            return self.result.passed
        results = (self.result, *self.further)
        every = all(result.passed for result in results)
        return every and all(c.passed for c in self.together) and not self.control.passed

    @property
    def checks(self) -> tuple[Check, ...]:
        """Return the checks of the first seed and those of all seeds together."""
        return (*self.result.checks, *self.together)

    @property
    def by_seed(self) -> tuple[tuple[str, Check], ...]:
        """Return every check that is judged, under every seed, and that seed in words."""
        if not self.experiment.is_judged:
            return ()
        seeds = ("first seed", *(f"further seed {k + 1}" for k in range(len(self.further))))
        runs = zip(seeds, (self.result, *self.further), strict=True)
        alone = [(seed, check) for seed, run in runs for check in run.checks]
        return (*alone, *(("all seeds", check) for check in self.together))

    @property
    def of_all_seeds(self) -> tuple[Check, ...]:
        """Return every check that is judged, under every seed."""
        return tuple(check for _, check in self.by_seed)

    @property
    def level(self) -> float:
        """Return the chance, at most, that a right model fails a check under the first seed."""
        return sum(c.level for c in self.result.checks) if self.experiment.is_judged else 0.0

    @property
    def level_of_all_seeds(self) -> float:
        """Return the same of every check under every seed."""
        return sum(check.level for check in self.of_all_seeds)

    def as_plain(self) -> dict[str, Any]:
        """Return the verdict as plain values for JSON."""
        outside, drawn = outside_band(self.of_all_seeds)
        return {
            "name": self.experiment.name,
            "title": self.experiment.title,
            "claim": self.experiment.claim,
            "source": self.experiment.source,
            "falsified_by": self.experiment.falsified_by,
            "size": self.size.value,
            "verdict": "pass" if self.passed else "fail",
            "judged": self.experiment.is_judged,
            "seed": seed_of(self.experiment.name),
            "seconds": round(self.seconds, 1),
            "level": self.level,
            "level_of_all_seeds": self.level_of_all_seeds,
            "drawn_numbers": drawn,
            "outside_their_99.9_%_band": outside,
            "outside": [_check(c, seed) for seed, c in self.by_seed if is_outside(c)],
            "checks": [_check(c) for c in self.checks],
            "distances": [{**vars(d), "distance": d.distance} for d in self.result.distances],
            "facts": dict(self.result.facts),
            "further_seeds": [
                _further(self.experiment.name, k + 1, run) for k, run in enumerate(self.further)
            ],
            "control": {
                "is": self.experiment.control_is,
                "failed": not self.control.passed,
                "checks": [_check(c) for c in self.control.checks if not c.passed],
            },
        }


def _check(check: Check, seed: str = "") -> dict[str, Any]:
    under = {"under": seed} if seed else {}
    return {**under, **vars(check), "verdict": "pass" if check.passed else "fail"}


def _further(name: str, number: int, run: Result) -> dict[str, Any]:
    """Return what came of a further seed: its verdict, and in full the checks that failed."""
    return {
        "seed": seed_of(name, number),
        "verdict": "pass" if run.passed else "fail",
        "failed": [_check(check) for check in run.checks if not check.passed],
    }


@dataclass(frozen=True)
class _Part:
    """What one process runs of an experiment: under some seeds, or its control."""

    name: str
    size: Size
    numbers: tuple[int, ...]

    def __call__(self) -> list[tuple[Result, float]]:
        return [_timed(experiment(self.name), self.size, number) for number in self.numbers]


def climb(names: Sequence[str], size: Size, workers: int = 1) -> Iterator[Verdict]:
    """Run experiments, all where none is named, and yield verdicts in the order of the ladder.

    Of several processes none waits long for the last: what no seeds divide is started first.
    """
    named = {name: experiment(name) for name in names or EXPERIMENTS}
    chosen = [named[name] for name in EXPERIMENTS if name in named]
    parts = {each.name: [_Part(each.name, size, k) for k in _divided(each)] for each in chosen}
    every = [part for mine in parts.values() for part in mine]
    whole = {k for k, part in enumerate(every) if _is_whole(named[part.name])}
    runs = in_processes(every, workers, whole) if workers > 1 else (part() for part in every)
    for each in chosen:
        yield _verdict(each, size, [run for _ in parts[each.name] for run in next(runs)])


def judge(chosen: Experiment, size: Size) -> Verdict:
    """Run one experiment, its further seeds where it draws any, and its negative control."""
    return _verdict(chosen, size, [_timed(chosen, size, k) for k in _numbers(chosen)])


def family_wise_level(verdicts: Iterable[Verdict]) -> float:
    """Return the chance, at most, that a right model fails a check under any seed (Bonferroni)."""
    return sum(verdict.level_of_all_seeds for verdict in verdicts)


def _numbers(chosen: Experiment) -> list[int]:
    """Return the numbers of an experiment's seeds, then its control."""
    n_further = N_FURTHER_SEEDS if chosen.is_statistical and chosen.is_judged else 0
    return [*range(1 + n_further), _CONTROL]


def _is_whole(chosen: Experiment) -> bool:
    """Tell whether seeds do not divide the work of an experiment."""
    return chosen.seeds_share_work or not chosen.is_statistical


def _divided(chosen: Experiment) -> list[tuple[int, ...]]:
    """Return the numbers of seeds and control that each process takes on."""
    numbers = _numbers(chosen)
    return [tuple(numbers)] if chosen.seeds_share_work else [(number,) for number in numbers]


def _timed(chosen: Experiment, size: Size, number: int) -> tuple[Result, float]:
    began = time.perf_counter()
    if number == _CONTROL:
        result = chosen.control(Size.QUICK, seed_of(chosen.name))
    else:
        result = chosen.run(size, seed_of(chosen.name, number))
    return result, time.perf_counter() - began


def _verdict(chosen: Experiment, size: Size, runs: Sequence[tuple[Result, float]]) -> Verdict:
    first, *further, control = (result for result, _ in runs)
    seconds = sum(seconds for _, seconds in runs)
    together = _together(chosen, size, (first, *further))
    first = _told(chosen, size, (first, *further))
    return Verdict(chosen, size, first, tuple(further), control, seconds, together)


def _told(chosen: Experiment, size: Size, results: Sequence[Result]) -> Result:
    """Return the result of the first seed, with what all seeds together tell."""
    if chosen.tell is None:
        return results[0]
    told = chosen.tell(size, [result.counts for result in results])
    return replace(results[0], distances=told.distances, panels=told.panels, facts=told.facts)


def _together(chosen: Experiment, size: Size, results: Sequence[Result]) -> tuple[Check, ...]:
    """Add up what all seeds counted and hold the sums."""
    if chosen.together is None:
        return ()
    names = results[0].counts
    sums = {name: np.sum([result.counts[name] for result in results], axis=0) for name in names}
    return tuple(chosen.together(size, sums))
