"""The slow market with announced margin: rates that change at the old marks, before prices move."""

from __future__ import annotations

import dataclasses
from random import Random
from typing import Any

import pytest

from stresslab.core.declarations import build, faults
from stresslab.core.events import TABLES
from stresslab.model import StressModel
from stresslab.scenario import Scenario
from tests.reference import test_slow_market as same
from tests.reference.slow_market import Slow
from tests.reference.slow_pools import exact, whole
from tests.reference.slow_scenarios import scenario

N_SCENARIOS = 60
REQUIREMENT = ("requirement", None, -1)


class Announcing(Slow):
    """Raises every bracket of an asset in the step of an announcement."""

    def _move_index(self, step: int) -> None:
        for part in self.plain["margin"]["requirement"].values():
            if step == part["at_seconds"]:
                for name in part["assets"]:
                    self._raise(name, exact(part["maintenance"]))
        super()._move_index(step)

    def _raise(self, name: str, add_on: Any) -> None:
        asset = [contract.name for contract in self.contracts].index(name)
        before = self.contracts[asset]
        raised = tuple(
            (floor, rate + add_on, leverage) for floor, rate, leverage in before.brackets
        )
        after = self.contracts[asset] = dataclasses.replace(before, brackets=raised)
        for pool in self.pools:
            lots, mark = pool.lots.get(asset, 0), self.marks[asset]
            if lots:
                need = [whole(contract.maintenance(lots, mark)) for contract in (before, after)]
                pool.charge(REQUIREMENT, need[1] - need[0])


def announced(number: int) -> dict[str, Any]:
    """Return a random scenario with one or two announcements."""
    plain, draw = scenario(number), Random(1000 + number)
    plain["margin"]["requirement"] = {
        f"announcement_{place}": {
            "kind": "announced",
            "at_seconds": float(draw.randint(1, 6)),
            "maintenance": draw.choice((0.01, 0.02, 0.05)),
            "assets": draw.sample(list(plain["assets"]), draw.randint(1, len(plain["assets"]))),
        }
        for place in range(draw.randint(1, 2))
    }
    return plain


def run_both(number: int) -> same.Pair:
    plain = announced(number)
    declared = build(Scenario, plain)
    assert not list(faults(declared))
    log = StressModel(declared, seed=same.SEED, replicate=0).run()
    tables = {name: log.columns(name) for name in TABLES}
    return same.Pair(number, tables, Announcing(plain, same.SEED).run())


@pytest.fixture(scope="module")
def pairs() -> list[same.Pair]:
    return [run_both(number) for number in range(N_SCENARIOS)]


def test_announcements_tip_pools_over(pairs: list[same.Pair]) -> None:
    amounts = [(s.key, s.amounts) for pair in pairs for s in pair.slow.spells]
    raised = [causes for _, causes in amounts if REQUIREMENT in causes]
    assert len(raised) > 40
    assert sum(set(causes) == {REQUIREMENT} for causes in raised) > 10, "at a price that stood"
    assert sum(len(causes) > 1 for causes in raised) > 5, "with a price that moved"


@pytest.mark.parametrize(
    "claim",
    [
        same.test_marks_and_index,
        same.test_liquidations,
        same.test_forced_orders,
        same.test_who_pays_deficits,
        same.test_winners_and_payers,
        same.test_final_equity_fund_and_fees,
        same.test_margin_eaten_by_cause,
    ],
    ids=lambda claim: claim.__name__,
)
def test_both_say_the_same(claim: Any, pairs: list[same.Pair]) -> None:
    claim(pairs)
