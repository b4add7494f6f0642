"""Runs experiments and gathers their verdicts."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from stresslab.validation.experiment import N_FURTHER_SEEDS, Experiment, Size, seed_of
from stresslab.validation.experiments import EXPERIMENTS, experiment
from stresslab.validation.verdicts import Result


@dataclass(frozen=True)
class Verdict:
    """An experiment, what came of it under its seeds, and whether its control failed."""

    experiment: Experiment
    size: Size
    result: Result  # under the first seed
    further: tuple[Result, ...]  # under the further seeds
    control: Result
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether everything that is judged passed and the negative control did not."""
        if not self.experiment.is_judged:
            return self.result.passed
        results = (self.result, *self.further)
        return all(result.passed for result in results) and not self.control.passed

    def as_plain(self) -> dict[str, Any]:
        """Return the verdict as plain values for JSON."""
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
            "checks": [_check(c) for c in self.result.checks],
            "distances": [{**vars(d), "distance": d.distance} for d in self.result.distances],
            "facts": dict(self.result.facts),
            "further_seeds": [result.passed for result in self.further],
            "control": {
                "is": self.experiment.control_is,
                "failed": not self.control.passed,
                "checks": [_check(c) for c in self.control.checks if not c.passed],
            },
        }


def _check(check: Any) -> dict[str, Any]:
    return {**vars(check), "verdict": "pass" if check.passed else "fail"}


def climb(names: Sequence[str], size: Size) -> Iterator[Verdict]:
    """Run experiments, all where none is named, in the order of the ladder."""
    found = {name: experiment(name) for name in names or EXPERIMENTS}
    for name in EXPERIMENTS:
        if name in found:
            yield judge(found[name], size)


def judge(chosen: Experiment, size: Size) -> Verdict:
    """Run one experiment, its further seeds where it draws any, and its negative control."""
    began = time.perf_counter()
    n_further = N_FURTHER_SEEDS if chosen.is_statistical and chosen.is_judged else 0
    result = chosen.run(size, seed_of(chosen.name))
    further = tuple(chosen.run(size, seed_of(chosen.name, 1 + n)) for n in range(n_further))
    control = chosen.control(Size.QUICK, seed_of(chosen.name))
    return Verdict(chosen, size, result, further, control, time.perf_counter() - began)
