"""Trigger shares, generations and branching against a slow version in exact fractions.

Written from the words: margin eaten by a price move is split over the move's causes; per cause net;
w = max(L, 0) / sum of max(L, 0); g = sum of w_parent x (1 + g_parent); branching = sum of forced
notional x endogenous share / sum of forced notional. Shares are sixty-fourths and amounts multiples
of 64, so that nothing is rounded and both must agree to the last bit of a float.
"""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction

import pytest

from stresslab.contagion import Contagion, Tables
from stresslab.contagion.attribution import LIQUIDATION
from stresslab.contagion.outcomes import measure
from stresslab.core.events import CAUSES
from tests.unit.contagion.random_log import random_log


def slow_net(log: Tables) -> dict[int, dict[tuple[str, int], Fraction]]:
    """Return the net amount per liquidation and cause."""
    rows, causes = log["breach_amounts"], log["price_causes"]
    net: dict[int, dict[tuple[str, int], Fraction]] = defaultdict(lambda: defaultdict(Fraction))
    wanted = ("liquidation", "stage", "asset", "cause", "source_liquidation", "amount_micro_usd")
    for number, stage, asset, cause, taker, amount in zip(
        *(rows[name].tolist() for name in wanted), strict=True
    ):
        if cause != "price":
            net[number][cause, taker] += amount
            continue
        for s, a, name, source, share in zip(*(c.tolist() for c in causes.values()), strict=True):
            if (s, a) == (stage, asset):
                net[number][name, source] += amount * Fraction(share)
    return net


def slow_shares(log: Tables) -> dict[int, dict[tuple[str, int], Fraction]]:
    shares = {}
    for number, net in slow_net(log).items():
        total = sum(max(amount, Fraction(0)) for amount in net.values())
        shares[number] = {
            cause: max(amount, Fraction(0)) / total for cause, amount in net.items() if total
        }
    return shares


@pytest.fixture(params=range(5))
def log(request: pytest.FixtureRequest) -> Tables:
    return random_log(request.param)


def test_shares_are_those_of_the_slow_version(log: Tables) -> None:
    found = Contagion(log).triggers
    fast = {
        (liquidation, CAUSES[cause], source): share
        for liquidation, cause, source, share in zip(
            *(column.tolist() for column in found[:3]), found.share.tolist(), strict=True
        )
        if share
    }
    slow = {
        (number, *cause): float(share)
        for number, shares in slow_shares(log).items()
        for cause, share in shares.items()
        if share
    }
    assert sum(cause == "liquidation" for _, cause, _ in fast) > 20
    assert sum(cause == "adl" for _, cause, _ in fast) > 20
    assert (found.cause == LIQUIDATION).any()
    assert fast == slow


def test_generations_are_those_of_the_slow_version(log: Tables) -> None:
    generation: dict[int, Fraction] = {}
    for number, shares in sorted(slow_shares(log).items()):
        generation[number] = sum(
            (w * (1 + generation[source]) for (_, source), w in shares.items() if source >= 0),
            Fraction(0),
        )
    fast = Contagion(log).forest.generation.tolist()
    assert max(fast) > 1
    assert fast == pytest.approx([float(g) for g in generation.values()], rel=1e-14)


def test_branching_is_that_of_the_slow_version(log: Tables) -> None:
    notional: dict[int, int] = defaultdict(int)
    orders = log["forced_orders"]
    columns = (orders[name].tolist() for name in ("liquidation", "mark_ticks", "filled_lots"))
    for number, mark, lots in zip(*columns, strict=True):
        notional[number] += mark * abs(lots)
    caused = sum(
        notional[number] * share
        for number, shares in slow_shares(log).items()
        for (_, source), share in shares.items()
        if source >= 0
    )
    found = measure(log)
    assert found["branching_denominator_usd"] == sum(notional.values()) > 0
    assert found["branching_numerator_usd"] == pytest.approx(float(caused), rel=1e-14)


def test_the_slow_version_is_not_always_right() -> None:
    """Negative control: without netting the two disagree."""
    log = random_log(0)
    log["breach_amounts"]["amount_micro_usd"][:] = abs(log["breach_amounts"]["amount_micro_usd"])
    assert (
        Contagion(log).triggers.share.tolist() != Contagion(random_log(0)).triggers.share.tolist()
    )
