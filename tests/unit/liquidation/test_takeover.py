"""What the fund gains and pays when it takes over, against the rule in whole numbers.

Of a pool's equity a leg has ``floor(equity * need / needs)``, of which its lots have their part:
the quote that a fill must bring is rounded up, as at dYdX. What it brings beyond that is the gain.
"""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from stresslab.core.columns import FEES_PAID, PENALTIES_PAID
from stresslab.core.ledger import FEES, INSURANCE_FUND
from stresslab.liquidation.forced import Charges, make_forced_orders, settle_forced
from stresslab.liquidation.takeover import back_orders, take_over
from stresslab.margin.posting import settle_external
from tests.markets import TIERS, UNIT, USD, asset, bracket_margin, market, model_of, people, sums

NAMES = ("A", "B", "C")
TAKER = 450_001  # 1e-9 of the notional: nothing divides


def venue(*accounts, fund=0):
    """Return the model of a market of three perpetuals and a coin without a haircut."""
    others = {a: -sum(lots.get(a, 0) for _, lots in accounts) for a in NAMES}
    story = market({"some": people(*accounts), "rest": people((1e9, others))},
                   assets=(*NAMES, "COIN"))  # fmt: skip
    story["assets"]["COIN"] = asset("spot")
    story["margin"]["brackets"] = dict.fromkeys(NAMES, TIERS)
    story["margin"]["collateral"] = {"COIN": {"haircut": 0.0}}
    model = model_of(story)
    model.world.clearing.house.cash[INSURANCE_FUND] = fund
    return model


def taken(model, marks, rows, fills, keep, pool=0):
    """Take orders (account, asset, lots) over, filled at so many lots and so much cash each."""
    c, orders = model.world.clearing, make_forced_orders(8)
    orders.n[0] = len(rows)
    for k, (n, a, lots) in enumerate(rows):
        orders.pool[k] = pool * c.accounts.id.size + n
        orders.account[k], orders.asset[k] = n, a
        orders.lots[k], orders.keep[k] = lots, keep
    back_orders(c.accounts, c.tables, marks, orders)
    backing = orders.backing[: len(rows)].tolist()
    for k, (lots, cash) in enumerate(fills):
        settle_forced(c.accounts, c.house, c.journal, orders, k, lots, cash)
        settle_external(c.house, rows[k][1], -lots, -cash)
    charges = Charges(np.zeros(3, np.int64), np.array([TAKER]))
    sequence = np.arange(len(rows))
    take_over(c.accounts, c.house, c.journal, c.tables, charges, marks, orders, sequence)
    return orders, backing


def up(amount, rate):
    return -(-amount * rate // 10**9)


@pytest.mark.parametrize("seed", range(12))
def test_gains_and_losses_are_those_of_the_rule_to_the_unit(seed):
    """Pools of up to three legs; fills in part or whole, better and worse than bankruptcy."""
    rng = Random(seed)
    held = {a: rng.choice((-1, 1)) * rng.randint(1, 60) for a in NAMES[: rng.randint(1, 3)]}
    model = venue((1e5, held), fund=rng.choice((0, 100, 10**12)))
    c = model.world.clearing
    marks = np.array([rng.randint(7000, 13_000) for _ in range(4)])
    lots = dict(enumerate(held.values()))
    value = {a: q * int(marks[a]) * UNIT for a, q in lots.items()}
    needs = {a: bracket_margin(abs(v)) for a, v in value.items()}
    equity = rng.randint(-(10**6), sum(needs.values()))
    c.accounts.cash[0, 0] = equity - sum(value.values())
    money = sums(model)
    keep = rng.choice((10**9, 15_000_001, 3_333_333))
    rows = [(0, a, -q) for a, q in lots.items()]
    fills = []
    for _, a, q in rows:
        filled = int(np.sign(q)) * rng.randint(0, abs(q))
        fair = filled * int(marks[a]) * UNIT
        fills.append((filled, fair + rng.randint(-(10**7), 10**7) * (filled != 0)))
    orders, backing = taken(model, marks, rows, fills, keep)

    parts = [equity * needs[a] // sum(needs.values()) for _, a, _ in rows]
    assert backing == parts
    expected, fund = [], []
    for part, (_, a, q), (filled, cash) in zip(parts, rows, fills, strict=True):
        behind = part * abs(filled) // abs(q)
        gain = filled * int(marks[a]) * UNIT - cash + behind
        fee = min(max(gain, 0), up(abs(cash), TAKER)) if filled else 0
        fund.append(gain if gain < 0 and filled else 0)
        expected.append((fee, min(max(gain, 0) - fee, up(abs(cash), keep)) if filled else 0))
    has = int(c.house.cash[INSURANCE_FUND]) - sum(orders.penalty[:3].tolist())
    left = has + sum(kept for _, kept in expected)
    for k, loss in enumerate(fund):
        if loss < 0:
            expected[k] = (0, -min(-loss, left))
            left += expected[k][1]
    n = len(rows)
    got = list(zip(orders.fee[:n].tolist(), orders.penalty[:n].tolist(), strict=True))
    assert got == expected and left >= 0
    fees, kept = (sum(column) for column in zip(*expected, strict=True))
    assert c.accounts.tally[FEES_PAID, 0] == fees == c.house.cash[FEES]
    assert c.accounts.tally[PENALTIES_PAID, 0] == kept
    assert c.house.cash[INSURANCE_FUND] == left
    spent = sum(cash for _, cash in fills) + fees + kept
    assert c.accounts.cash[0, 0] == equity - sum(value.values()) - spent
    assert sums(model) == money


def test_part_of_a_leg_has_its_part_of_the_equity():
    """7 of 10 lots, of which 3 are filled: 1,000,003 and its tenths, down to the unit."""
    model = venue((1e5, {"A": 10}))
    c, marks = model.world.clearing, np.array([9000] * 4)
    c.accounts.cash[0, 0] = 1_000_003 - 10 * 9000 * UNIT
    fair = -3 * 9000 * UNIT
    orders, backing = taken(model, marks, [(0, 0, -7)], [(-3, fair)], 10**9)
    assert backing == [700_002]
    fee = up(-fair, TAKER)
    assert (orders.fee[0], orders.penalty[0]) == (fee, 300_000 - fee) and fee < 300_000


def test_a_pool_that_needs_no_margin_stands_with_all_its_equity():
    """A coin without a haircut, and money owed: the sale of 5 of 6 at the mark leaves 5/6."""
    model = venue((1e5, {}))
    c, marks = model.world.clearing, np.array([10_000] * 4)
    c.accounts.position[3, 0], c.accounts.mode[3, 0] = 6, 2
    c.accounts.cash[0, 0] = 600 - 6 * 100 * USD
    fill = (-5, -5 * 100 * USD)
    orders, backing = taken(model, marks, [(0, 3, -6)], [fill], 10**9)
    assert backing == [600]
    assert orders.fee[0] + orders.penalty[0] == 500


def test_orders_for_the_pool_s_own_account_are_left_alone():
    model = venue((1e5, {"A": 10}))
    orders, backing = taken(model, np.array([9000] * 4), [(0, 0, -10)], [(-10, -900 * USD)], -1)
    assert backing == [0] and (orders.fee[0], orders.penalty[0]) == (0, 0)
    assert model.world.clearing.accounts.position[0, 0] == 0


@pytest.mark.parametrize("better", [10, -30])
def test_a_silo_gains_and_loses_from_its_own_money(better):
    """10 micro-USD behind 10 ETH, a fill 10 better or 30 worse: the silo ends with nothing."""
    model = venue((1e5, {"B": 10}), fund=100)
    c, marks = model.world.clearing, np.array([9000] * 4)
    c.accounts.mode[1, 0] = 1
    fair = 10 * 9000 * UNIT
    c.accounts.cash[2, 0] = 10 - fair
    wallet = c.accounts.cash[0, 0]
    orders, _ = taken(model, marks, [(0, 1, -10)], [(-10, -fair - better)], 10**9, pool=2)
    gain = 10 + better
    fee = max(0, gain)  # the fee asks for more than there is
    assert (orders.fee[0], orders.penalty[0]) == (fee, min(0, gain))
    assert c.accounts.cash[0, 0] == wallet and c.accounts.cash[2, 0] == 0
    assert c.accounts.mode[1, 0] == 0 and c.house.cash[INSURANCE_FUND] == 100 + min(0, gain)
