"""The queue that stands while a step is settled asks whom a new ranking for every deficit would."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from stresslab.liquidation import winners
from stresslab.liquidation.winners_queue import Ranked, WinnersQueue
from tests.markets import Tables, drawn, fall, market, run

QUEUES = ("profit_times_leverage", "profit_times_margin_ratio", "price_ratio_times_leverage")
NAMES = ("BTC", "ETH", "SOL")


def crowd(seed: int, policy: str, is_open: bool, **changes: Any) -> dict[str, Any]:
    """Return a market in which many are short of everything at once, with nobody to insure them."""
    book = {"kind": "directional", "share_long": 0.6, "number_weights": [0.3, 0.4, 0.3]}
    wealth = {"kind": "pareto", "minimum_usd": 2000.0, "tail": 1.5, "cap_usd": 1e5}
    traders = {
        "levered": drawn("passive", 40, wealth=wealth, holdings=book,
                         leverage={"median": 8.0, "sigma": 0.5, "cap": 10.0}),
        "calm": drawn("passive", 30, wealth=wealth, is_counterparty=True,
                      leverage={"median": 3.0, "cap": 8.0}),
    }  # fmt: skip
    return market(
        traders,
        assets=NAMES,
        market__book={"kind": "limit_order_book"},
        market__shocks={"a": fall(0.3, "BTC", "ETH"), "b": fall(0.25, "SOL", at=3.0)},
        margin_mode={"kind": "fixed_share", "cross_share": random.Random(seed).choice((0.3, 1.0))},
        liquidation={
            "feedback": "market" if is_open else "no_feedback", "insurance_fund_usd": 0.0,
            "position_adl": {"kind": policy}, "profit_haircut": {"kind": policy},
        },
        **changes,
    )  # fmt: skip


def is_same(one: Tables, other: Tables) -> bool:
    return all(np.array_equal(one[t][c], other[t][c]) for t in one for c in one[t])


@pytest.mark.parametrize("is_open", [True, False])
@pytest.mark.parametrize("policy", QUEUES)
def test_it_changes_no_byte(policy, is_open, monkeypatch):
    n_given = 0
    for seed in range(2):
        extra = {} if seed else {"liquidation__deficit_keeps_market": True}
        scenario = crowd(seed, policy, is_open, **extra)
        standing = run(scenario, seed=seed)
        with monkeypatch.context() as patch:
            patch.setattr(winners, "_asks_in_turn", lambda policy: False)
            anew = run(scenario, seed=seed)
        assert is_same(standing, anew)
        n_given += standing["adl"]["step"].size
        assert standing["waterfall"]["step"].size > 10
    assert n_given > 60


def test_it_holds_the_order_through_changes_and_new_rankings():
    """Scores in few values, so that ties matter; rows leave, return and change."""
    rng, n = np.random.default_rng(4), 400
    by_id = rng.permutation(n)
    place = np.argsort(by_id)
    score, most = rng.integers(0, 40, n) / 8, rng.integers(0, 4, n)
    log: list[int] = []

    def rank(rows: np.ndarray) -> Ranked:
        rows = rows[most[rows] > 0]
        return Ranked(rows, score[rows], most[rows])

    queue = WinnersQueue(place, by_id, log, rank)
    n_walked = 0
    for size in (0, 1, 3, 7, 2, 150, 4, 9, 399, 5, 1):
        rows = rng.choice(n if size > 40 else 12, size)  # the same ones again and again
        score[rows], most[rows] = rng.integers(0, 40, size) / 8, rng.integers(0, 4, size)
        log.extend(rows.tolist())
        left_out = int(rng.integers(n))
        expected = sorted((-score[row], place[row]) for row in range(n) if most[row] > 0)
        expected = [(by_id[p], most[by_id[p]]) for _, p in expected if by_id[p] != left_out]
        assert list(queue.walk(left_out)) == expected
        n_walked += len(expected)
    assert n_walked > 3000
