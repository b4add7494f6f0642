"""A verdict needs every seed to pass and the negative control to fail."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stresslab.report.verdicts import show, write
from stresslab.validation import ladder
from stresslab.validation.experiment import Experiment, Size, seed_of
from stresslab.validation.ladder import climb, family_wise_level, judge
from stresslab.validation.processes import in_processes
from stresslab.validation.verdicts import Check, Distance, Panel, Result, Series

SIX = Panel("of a die", "throw", "points", (
    Series("thrown", (1, 2), (3.0, 4.0), low=(2.0, 3.0), high=(4.0, 5.0)),
    Series("fair", (1, 2), (3.5, 3.5), is_expected=True),
))  # fmt: skip


def result(measured: float) -> Result:
    return Result((Check("mean", measured, 3.5, 0.5, level=0.001),), panels=(SIX,))


def toy(right: float = 3.4, control: float = 9.0, unlucky: int | None = None) -> Experiment:
    def run(size: Size, seed: int) -> Result:
        return result(0.0 if seed == seed_of("die", unlucky or 99) else right)

    return Experiment(
        "die", "A die", "It is fair.", "Pascal 1654", "A mean far from 3.5.", run,
        lambda size, seed: result(control), "a loaded die",
    )  # fmt: skip


def test_all_seeds_pass_and_the_control_fails() -> None:
    verdict = judge(toy(), Size.QUICK)
    assert len(verdict.further) == 3
    assert verdict.passed
    assert verdict.as_plain()["control"]["failed"]


@pytest.mark.parametrize(
    "wrong", [toy(right=4.2), toy(control=3.5), toy(unlucky=2), toy(right=float("nan"))]
)
def test_anything_else_is_a_failure(wrong: Experiment) -> None:
    verdict = judge(wrong, Size.QUICK)
    assert not verdict.passed
    assert verdict.as_plain()["verdict"] == "fail"


def test_what_fails_under_a_further_seed_is_named_with_its_numbers() -> None:
    verdict = judge(toy(unlucky=2), Size.QUICK)
    told = verdict.as_plain()["further_seeds"]
    assert [seed["verdict"] for seed in told] == ["pass", "fail", "pass"]
    assert told[1]["seed"] == seed_of("die", 2)
    assert [seed["failed"] for seed in told if seed["verdict"] == "pass"] == [[], []]
    (failed,) = told[1]["failed"]
    assert (failed["what"], failed["measured"], failed["expected"]) == ("mean", 0.0, 3.5)
    assert failed["tolerance"] == 0.5
    assert "  !! further seed 2: mean: 0, expected 3.5 ± 0.5" in list(show(verdict))


def test_what_lies_outside_its_band_is_named_with_its_seed() -> None:
    far = Check("mean", 4.0, 3.5, 0.5, level=0.001, p=0.0004)

    def run(size: Size, seed: int) -> Result:
        return Result((far,)) if seed == seed_of("die", 3) else result(3.4)

    verdict = judge(replace(toy(), run=run), Size.QUICK)
    assert verdict.passed
    (outside,) = verdict.as_plain()["outside"]
    assert (outside["under"], outside["measured"]) == ("further seed 3", 4.0)
    assert "       further seed 3: mean: 4, expected 3.5 ± 0.5, p 0.0004" in list(show(verdict))


def test_levels_add_up_over_checks_and_seeds() -> None:
    verdict = judge(toy(), Size.QUICK)
    assert verdict.level == pytest.approx(0.001)
    assert verdict.level_of_all_seeds == pytest.approx(4 * 0.001)
    assert family_wise_level([verdict, verdict]) == pytest.approx(2 * 4 * 0.001)
    assert verdict.as_plain()["level"] == verdict.level


@pytest.mark.parametrize(("tolerance", "passes"), [(40.0, True), (39.0, False)])
def test_what_all_seeds_counted_is_added_up_and_held(tolerance: float, passes: bool) -> None:
    """Ten throws under each of four seeds are 40, and their check counts like any other."""

    def together(size: Size, counts: Mapping[str, np.ndarray]) -> list[Check]:
        return [Check("throws", float(counts["throws"].sum()), 80.0, tolerance, level=0.002)]

    def run(size: Size, seed: int) -> Result:
        return replace(result(3.4), counts={"throws": np.array([4, 6])})

    verdict = judge(replace(toy(), run=run, together=together), Size.QUICK)
    assert [check.measured for check in verdict.together] == [40.0]
    assert verdict.passed == passes
    assert verdict.level_of_all_seeds == pytest.approx(4 * 0.001 + 0.002)
    assert verdict.as_plain()["checks"][-1]["what"] == "throws"


def test_what_all_seeds_drew_is_told_in_place_of_what_the_first_drew() -> None:
    def tell(size: Size, counts: Sequence[Mapping[str, np.ndarray]]) -> Result:
        return Result((), (Distance("thrown", float(sum(c["n"][0] for c in counts)), 0, 1),))

    def run(size: Size, seed: int) -> Result:
        return replace(result(3.4), counts={"n": np.array([2])})

    verdict = judge(replace(toy(), run=run, tell=tell), Size.QUICK)
    assert [distance.measured for distance in verdict.result.distances] == [8.0]
    assert verdict.result.panels == ()
    assert [check.what for check in verdict.checks] == ["mean"]
    assert verdict.passed


def test_what_is_long_starts_first_and_answers_come_in_order(tmp_path: Path) -> None:
    calls = [partial(_noted, tmp_path / "started", place) for place in range(4)]
    assert list(in_processes(calls, 1, first={2})) == [0, 10, 20, 30]
    assert (tmp_path / "started").read_text().split() == ["2", "0", "1", "3"]


def test_what_a_call_leaves_is_not_collected_again() -> None:
    tracked, frozen = in_processes([gc.get_freeze_count] * 2, 1)
    assert tracked == 0
    assert frozen > 10_000


def _noted(file: Path, place: int) -> int:
    with file.open("a") as stream:
        stream.write(f"{place} ")
    return 10 * place


def test_processes_give_the_verdicts_of_one_in_the_order_of_the_ladder() -> None:
    names = ["debtrank", "contagion-window"]
    side_by_side = list(climb(names, Size.QUICK, workers=2))
    assert [v.experiment.name for v in side_by_side] == ["contagion-window", "debtrank"]
    assert [len(v.further) for v in side_by_side] == [3, 0]
    assert all(v.passed and v.seconds > 0 for v in side_by_side)
    alone = next(climb(["debtrank"], Size.QUICK))
    assert side_by_side[1].result == alone.result


@pytest.mark.parametrize(("shared", "calls"), [(False, 5), (True, 1)])
def test_seeds_that_share_work_are_run_by_one_process(
    shared: bool, calls: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, set[int]]] = []

    def here(parts: Sequence[Callable[[], Any]], workers: int, first: set[int]) -> Iterator[Any]:
        asked.append((len(parts), first))
        return iter([part() for part in parts])

    one = replace(toy(), name="borel", seeds_share_work=shared)
    monkeypatch.setattr(ladder, "experiment", lambda name: one)
    monkeypatch.setattr(ladder, "in_processes", here)
    (verdict,) = climb(["borel"], Size.QUICK, workers=2)
    assert verdict.passed and len(verdict.further) == 3
    assert asked == [(calls, {0} if shared else set())]


def test_an_experiment_that_checks_nothing_fails() -> None:
    assert not Result().passed


def test_seeds_come_from_the_name() -> None:
    seeds = {seed_of(name, number) for name in ("borel", "hawkes") for number in range(4)}
    assert len(seeds) == 8
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_a_verdict_is_told_and_written_with_its_figure(tmp_path: Path) -> None:
    verdict = judge(toy(), Size.QUICK)
    lines = list(show(verdict))
    assert lines[0].startswith("die: pass")
    assert lines[1] == "     mean: 3.4, expected 3.5 ± 0.5"
    write(verdict, tmp_path)
    written = json.loads((tmp_path / "die.json").read_text())
    assert written["checks"][0]["verdict"] == "pass"
    assert {p.suffix for p in tmp_path.iterdir()} == {".json", ".png", ".csv", ".parquet"}


def test_a_full_figure_comes_in_every_format_and_a_quick_one_leaves_none_of_it(
    tmp_path: Path,
) -> None:
    verdict = judge(toy(), Size.FULL)
    write(verdict, tmp_path)
    assert {p.suffix for p in tmp_path.iterdir()} >= {".json", ".pdf", ".png", ".svg", ".csv"}
    write(replace(verdict, size=Size.QUICK), tmp_path)
    assert {p.suffix for p in tmp_path.iterdir()} == {".json", ".png", ".csv", ".parquet"}


def test_a_distance_is_told_with_its_interval() -> None:
    fall = Distance("fall", 0.5, 1.0, 2.0, "of price", (0.4, 0.625))
    told = Experiment(
        "die", "A die", "It is fair.", "Pascal 1654", "-", lambda size, seed: Result((), (fall,)),
        lambda size, seed: result(9.0), "a loaded die", is_judged=False,
    )  # fmt: skip
    line = list(show(judge(told, Size.QUICK)))[1]
    assert line == "     fall: 0.5 of price [0.4, 0.625], band 1 to 2, distance 0.5"


@pytest.mark.parametrize(("measured", "distance"), [(1.5, 0.0), (0.5, 0.5), (4.0, 2.0)])
def test_distance_is_in_widths_of_the_band(measured: float, distance: float) -> None:
    assert Distance("tail", measured, 1.0, 2.0).distance == distance
