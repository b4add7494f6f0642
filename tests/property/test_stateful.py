"""Any order of deposits, orders, price moves, funding, liquidations and ADL keeps both invariants.

Hypothesis drives a small venue; its rules are acts of traders and of the market, and a step lets
the engine answer. Run with ``STATEFUL_EXAMPLES=1500`` for 10^5 rules and more.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from stresslab.core.columns import IOC, LIMIT, MARKET
from stresslab.core.events import CROSS, ISOLATED
from stresslab.core.ledger import EXTERNAL, TRANSFER, pay_house
from stresslab.margin.acceptance import free_wallet
from stresslab.model import StressModel
from stresslab.traders.agents import release
from tests.markets import USD, Ask, changed, market, model_of, orders_of, people, sums

N_STEPS = 400
RULES_PER_EXAMPLE = 100
ROWS, ASSETS = 6, 2
BOOKS = (
    {"kind": "limit_order_book"},
    {"kind": "impact", "law": {"kind": "square_root", "depth_usd": 3000.0}},
)


def closing(kind: str, **rules: Any) -> dict[str, Any]:
    """Return a closure for both modes."""
    return {f"margin__{mode}__closure": {"kind": kind, **rules} for mode in ("cross", "isolated")}


#: Rules that venues change; the first are those of the other tests.
RULES: tuple[dict[str, Any], ...] = (
    {},
    {},
    closing("takeover"),
    closing("share_per_step", share=0.3, least_usd=100.0),
    {"liquidation__adl": False, "liquidation__socialised_loss": {"kind": "by_open_interest"}},
    {
        "liquidation__position_adl": {"kind": "min_max"},
        "liquidation__profit_haircut": {"kind": "by_profit"},
        "liquidation__adl_on_exhausted_book": True,
        "liquidation__adl_severity": 0.5,
    },
    {
        "margin__portfolio": {
            "scenarios": [{"spot_move": move} for move in (-0.05, 0.0, 0.05)],
            "classes": {"all": ["BTC", "ETH"]},
            "credit_by_correlation": {"half_life_seconds": 2.0},
        },
        "margin__cross__closure": {"kind": "least_common_share"},
    },
    {
        "margin__requirement": {"v": {"kind": "volatility", "maintenance": {"multiple": 0.2}}},
        "margin__breach_at_equality": True,
    },
)

rows = st.integers(0, ROWS - 1)
assets = st.integers(0, ASSETS - 1)
lots = st.integers(-12, 12).filter(bool)

#: What happened over all examples: the test is worth nothing if nobody was liquidated.
HAPPENED = {"rules": 0, "liquidations": 0, "deficits": 0, "deleveraged": 0, "funding": 0}


def scenario(
    book: dict[str, Any], isolated_first: bool, fund: float, rules: dict[str, Any]
) -> dict[str, Any]:
    longs = people(*[(130.0 + 60 * k, {"BTC": 8, "ETH": 3 - 2 * k}) for k in range(3)])
    shorts = people(*[(140.0 + 50 * k, {"BTC": -8, "ETH": 2 * k - 3}) for k in range(3)])
    share = 0.0 if isolated_first else 1.0
    venue = market(
        {"longs": longs, "shorts": shorts},
        assets=("BTC", "ETH"),
        duration_seconds=float(N_STEPS),
        market__book=book,
        market__mark={"rule": "blend", "index_weight": 0.5, "half_life_seconds": 3.0},
        market__fees={"maker_rate": -0.0001, "taker_rate": 0.0005},
        market__funding={"interval_seconds": 3.0, "interest_rate": 0.001},
        margin__isolated__penalty_rate=0.0125,
        margin__cross__penalty_rate=0.005,
        margin_mode={"kind": "fixed_share", "cross_share": share},
        liquidation={"feedback": "market", "insurance_fund_usd": fund},
    )
    return changed(venue, **rules)


class Venue(RuleBasedStateMachine):
    """Six traders, two perpetuals, and an engine that must never lose a unit."""

    @initialize(
        book=st.sampled_from(BOOKS), isolated=st.booleans(), fund=st.sampled_from((0.0, 40.0)),
        rules=st.sampled_from(RULES),
    )  # fmt: skip
    def open(
        self, book: dict[str, Any], isolated: bool, fund: float, rules: dict[str, Any]
    ) -> None:
        self.model: StressModel = model_of(scenario(book, isolated, fund, rules))
        self.asks: list[Ask] = []
        self.model.world.crowd.decide = self._decide  # type: ignore[method-assign]
        self.money, self.lots = sums(self.model)

    def _decide(self, step: int) -> Any:
        asks, self.asks = self.asks, []
        return orders_of(asks)

    @rule(row=rows, asset=assets, size=lots, away=st.integers(-300, 300))
    def quote(self, row: int, asset: int, size: int, away: int) -> None:
        price = max(1, int(self.model.world.board.ticks[asset]) + away)
        self.asks.append(Ask(row, size, price, LIMIT, asset))

    @rule(
        row=rows, asset=assets, size=lots, kind=st.sampled_from((MARKET, IOC)), reduce=st.booleans()
    )
    def take(self, row: int, asset: int, size: int, kind: int, reduce: bool) -> None:
        price = int(self.model.world.board.ticks[asset])
        self.asks.append(Ask(row, size, price, kind, asset, int(reduce)))

    @rule(row=rows, asset=assets, mode=st.sampled_from((ISOLATED, CROSS)))
    def choose(self, row: int, asset: int, mode: int) -> None:
        self.model.world.clearing.accounts.chosen_mode[asset, row] = mode

    @rule(row=rows, usd=st.integers(1, 200))
    def deposit(self, row: int, usd: int) -> None:
        c = self.model.world.clearing
        pay_house(c.accounts, c.house, c.journal, row, 0, EXTERNAL, -usd * USD, TRANSFER)

    @rule(row=rows, share=st.floats(0, 1))
    def withdraw(self, row: int, share: float) -> None:
        c = self.model.world.clearing
        free = min(free_wallet(c.accounts, c.tables, self.model.world.board.ticks, row),
                   max(0, int(c.accounts.cash[0, row])))  # fmt: skip
        amount = int(free * share)
        pay_house(c.accounts, c.house, c.journal, row, 0, EXTERNAL, amount, TRANSFER)

    @rule(asset=assets, percent=st.integers(-12, 12))
    def move(self, asset: int, percent: int) -> None:
        path, clock = self.model.world.index, self.model.clock
        path[clock + 1 :, asset] = np.clip(
            path[clock + 1 :, asset] * (100 + percent) // 100, 500, 30_000
        )
        self.step()

    @rule()
    def step(self) -> None:
        if self.model.clock < N_STEPS:
            self.model.step()

    @invariant()
    def money_and_contracts_are_conserved(self) -> None:
        HAPPENED["rules"] += 1
        money, held = sums(self.model)
        assert money == self.money
        assert held == self.lots == [0] * ASSETS

    @invariant()
    def silos_belong_to_isolated_positions_and_the_fund_is_no_debtor(self) -> None:
        c = self.model.world.clearing
        assert not c.accounts.silo[c.accounts.mode != ISOLATED].any()
        assert ((c.accounts.mode == 0) == (c.accounts.position == 0))[c.accounts.silo >= 0].all()
        assert int(c.house.cash[1]) >= 0

    def teardown(self) -> None:
        if not hasattr(self, "model"):
            return
        log = self.model.log
        self.model.engine.finish(self.model.recorded_step)
        release(self.model)
        HAPPENED["liquidations"] += log.columns("liquidations")["step"].size
        HAPPENED["deficits"] += log.columns("waterfall")["step"].size
        HAPPENED["deleveraged"] += log.columns("adl")["step"].size
        HAPPENED["funding"] += int(np.any(self.model.world.clearing.accounts.funding != 0))


def test_every_history_keeps_both_invariants() -> None:
    examples = int(os.environ.get("STATEFUL_EXAMPLES", "60"))
    chosen = settings(
        max_examples=examples, stateful_step_count=RULES_PER_EXAMPLE, deadline=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    state_machine = Venue.TestCase
    state_machine.settings = chosen
    state_machine("runTest").runTest()
    print(HAPPENED)
    assert HAPPENED["rules"] > 50 * examples
    assert min(HAPPENED.values()) > 0
