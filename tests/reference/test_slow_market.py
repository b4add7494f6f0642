"""The engine against a slow market written from the rules, on random small scenarios.

Everything is compared as whole numbers: marks, breaches, forced orders and their cash, fees and
penalties, who paid each deficit, equities, and the margin that each cause ate before a breach. Only
the last may differ, by two micro-USD: shares of a price move are floats in the event log.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from stresslab.contagion import Contagion, Tables
from stresslab.core.declarations import build, faults
from stresslab.core.events import CAUSES, TABLES
from stresslab.model import StressModel
from stresslab.scenario import Scenario
from tests.reference.slow_market import Slow
from tests.reference.slow_scenarios import scenario

N_SCENARIOS = 160
SEED = 1

Key = tuple[int, str, int, int, int]  # account, mode, asset, step, round of the first breach


class Pair(NamedTuple):
    """One scenario run by the package and by the slow market."""

    number: int
    fast: Tables
    slow: Slow

    def rows(self, table: str, *columns: str) -> list[tuple]:
        """Return columns of an event table as tuples, in order."""
        return list(zip(*(self.fast[table][name].tolist() for name in columns), strict=True))

    def keys(self) -> dict[int, Key]:
        """Return what each liquidation id of the package stands for."""
        names = ("liquidation", "account", "mode", "asset", "step", "round")
        return {row[0]: row[1:] for row in self.rows("liquidations", *names)}


def run_both(number: int, plain: dict[str, Any]) -> Pair:
    declared = build(Scenario, plain)
    assert not list(faults(declared))
    log = StressModel(declared, seed=SEED, replicate=0).run()
    tables = {name: log.columns(name) for name in TABLES}
    return Pair(number, tables, Slow(plain, SEED).run())


@pytest.fixture(scope="module")
def pairs() -> list[Pair]:
    return [run_both(number, scenario(number)) for number in range(N_SCENARIOS)]


# -- first: something happened ------------------------------------------------------------------


def count(pairs: list[Pair], happened: Callable[[Slow], bool]) -> int:
    """Return the number of scenarios in which something happened."""
    return sum(happened(pair.slow) for pair in pairs)


def test_the_scenarios_are_worth_comparing(pairs: list[Pair]) -> None:
    outcomes = [{spell.outcome for spell in pair.slow.spells} for pair in pairs]
    amounts = [[cause[0] for s in pair.slow.spells for cause in s.amounts] for pair in pairs]
    assert count(pairs, lambda slow: len(slow.spells) >= 1) > 100
    assert count(pairs, lambda slow: not slow.settlement.waterfall and bool(slow.spells)) > 20
    assert count(pairs, lambda slow: any(row[4] for row in slow.settlement.waterfall)) > 20
    assert count(pairs, lambda slow: any(not row[4] for row in slow.settlement.adl)) > 30
    assert count(pairs, lambda slow: any(row[4] for row in slow.settlement.adl)) >= 2
    assert count(pairs, lambda slow: bool(slow.settlement.socialised)) > 20
    assert count(pairs, lambda slow: any(row[3] > 2 for row in slow.totals)) > 10
    assert sum("restored" in found for found in outcomes) > 30
    assert sum("closed" in found for found in outcomes) > 30
    assert sum("liquidation" in causes for causes in amounts) > 20
    assert sum("adl" in causes for causes in amounts) >= 1


# -- then: both say the same --------------------------------------------------------------------


def test_marks_and_index(pairs: list[Pair]) -> None:
    names = ("step", "asset", "index_ticks", "mark_ticks", "lowest_mark_ticks")
    for pair in pairs:
        assert pair.rows("path", *names) == pair.slow.path, pair.number


def test_liquidations(pairs: list[Pair]) -> None:
    names = (
        "account", "mode", "asset", "step", "round",
        "equity_micro_usd", "maintenance_micro_usd", "notional_micro_usd",
        "excess_before_micro_usd", "end_step", "outcome",
    )  # fmt: skip
    for pair in pairs:
        slow = [
            (*s.key, s.equity, s.maintenance, s.notional, s.excess_before, s.end_step, s.outcome)
            for s in pair.slow.spells
        ]
        assert sorted(pair.rows("liquidations", *names)) == sorted(slow), pair.number


def test_forced_orders(pairs: list[Pair]) -> None:
    names = (
        "liquidation", "asset", "step", "round", "mark_ticks", "lots", "filled_lots",
        "cash_micro_usd", "fee_micro_usd", "penalty_micro_usd",
    )  # fmt: skip
    for pair in pairs:
        keys = pair.keys()
        fast = [(keys[row[0]], *row[1:]) for row in pair.rows("forced_orders", *names)]
        slow = [
            (
                o.spell.key,
                o.asset,
                o.step,
                o.round,
                o.mark,
                o.lots,
                o.lots,
                o.cash,
                o.fee,
                o.penalty,
            )
            for o in pair.slow.orders
        ]
        assert sorted(fast) == sorted(slow), pair.number


def test_who_pays_deficits(pairs: list[Pair]) -> None:
    paid = ("deficit", "fund", "adl", "socialised")
    names = ("step", "liquidation", "asset", *(f"{name}_micro_usd" for name in paid))
    for pair in pairs:
        keys = pair.keys()
        fast = [(row[0], keys[row[1]], *row[2:]) for row in pair.rows("waterfall", *names)]
        assert sorted(fast) == sorted(pair.slow.settlement.waterfall), pair.number


def test_winners_and_payers(pairs: list[Pair]) -> None:
    names = ("step", "liquidation", "account", "asset", "lots", "loss_micro_usd")
    payers = ("step", "account", "asset", "loss_micro_usd")
    for pair in pairs:
        keys, settlement = pair.keys(), pair.slow.settlement
        fast = [(row[0], keys[row[1]], *row[2:]) for row in pair.rows("adl", *names)]
        assert sorted(fast) == sorted(settlement.adl), pair.number
        assert sorted(pair.rows("socialised", *payers)) == sorted(settlement.socialised), (
            pair.number
        )


def test_final_equity_fund_and_fees(pairs: list[Pair]) -> None:
    names = ("step", "insurance_fund_micro_usd", "fees_micro_usd", "rounds")
    for pair in pairs:
        fast = dict(pair.rows("accounts", "account", "final_equity_micro_usd"))
        assert fast == pair.slow.final_equity(), pair.number
        assert pair.rows("totals", *names) == pair.slow.totals, pair.number


def test_margin_eaten_by_cause(pairs: list[Pair]) -> None:
    for pair in pairs:
        contagion, keys = Contagion(pair.fast), pair.keys()
        contagion.check()
        columns = (column.tolist() for column in contagion.amounts)
        fast = {
            (keys[number], CAUSES[cause], keys.get(source), asset): amount
            for number, cause, source, asset, amount in zip(*columns, strict=True)
        }
        slow = {
            (spell.key, *cause): amount
            for spell in pair.slow.spells
            for cause, amount in spell.amounts.items()
        }
        for cause in fast.keys() | slow.keys():
            assert abs(fast.get(cause, 0) - slow.get(cause, 0)) <= 2, (pair.number, cause)


def test_another_rule_is_another_market(pairs: list[Pair]) -> None:
    """Negative control: a slow market that restores a bigger buffer disagrees."""
    n_different = 0
    for pair in pairs[:60]:
        rules = {**pair.slow.plain["liquidation"], "liquidation_target": 0.3}
        other = Slow({**pair.slow.plain, "liquidation": rules}, SEED).run()
        n_different += sorted(pair.rows("forced_orders", "lots")) != sorted(
            (order.lots,) for order in other.orders
        )
    assert n_different > 5
