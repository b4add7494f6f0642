"""Every rung of the validation ladder holds in its quick size, and its control fails."""

from __future__ import annotations

import pytest

from stresslab.validation.experiment import Size
from stresslab.validation.experiments import EXPERIMENTS, experiment
from stresslab.validation.ladder import judge
from stresslab.validation.levels import MOST_FALSE_ALARMS


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_passes_and_its_control_fails(name: str) -> None:
    verdict = judge(experiment(name), Size.QUICK)
    wrong = [check for check in verdict.result.checks if not check.passed]
    assert not wrong
    assert verdict.passed
    assert verdict.level_of_all_seeds <= MOST_FALSE_ALARMS
    if verdict.experiment.is_judged:
        assert any(not check.passed for check in verdict.control.checks)
