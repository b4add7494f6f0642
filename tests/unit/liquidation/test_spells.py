"""When a pool is in breach: what is judged, what began and ended, who is told and who is late."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.core.columns import N_GAPS
from stresslab.core.events import ISOLATED
from tests.markets import LOT, TICKS, USD, market, model_of, people

NAMES = ("BTC", "ETH", "SOL")
N = 3  # accounts


@pytest.fixture
def model():
    """Return a market of two like accounts and one that backs them; SOL is isolated.

    10 BTC long, 10 ETH short and 10 SOL long; the wallet has 200 USD, the silo 100.
    """
    held = {"BTC": 10, "ETH": -10, "SOL": 10}
    rest = {name: -2 * lots for name, lots in held.items()}
    story = market({"two": people((300.0, held), (300.0, held)), "rest": people((1e6, rest))},
                   assets=NAMES, margin__call_levels=[0.5, 0.8])  # fmt: skip
    model = model_of(story)
    accounts = model.world.clearing.accounts
    for n in (0, 1):
        accounts.mode[2, n] = ISOLATED
        accounts.cash[3, n] = 100 * USD - 10 * LOT
        accounts.cash[0, n] += 10 * LOT - 100 * USD
    return model


def judged(model, marks, *, step=3, round_=0, suspects=None):
    """Return the codes in breach, and the fresh ones, when marks stand there."""
    model.world.board.ticks[:] = marks
    breached, fresh = model.engine.spells.judge(step, round_, suspects)
    return breached.tolist(), fresh.tolist()


CALM = (TICKS, TICKS, TICKS)
#: BTC loses 60 USD, ETH 80 and SOL 95: the wallet has 60 against 101, the silo 5 against 45.25.
ROUGH = (9400, 10_800, 9050)
BOTH = [0, 1, 3 * N, 3 * N + 1]


def test_pools_breach_once_and_stay_in_breach(model):
    assert judged(model, CALM) == ([], [])
    assert judged(model, ROUGH) == (BOTH, BOTH)
    assert judged(model, ROUGH) == (BOTH, [])
    assert model.engine.spells.of_pool[BOTH].tolist() == [0, 1, 2, 3]
    assert model.world.clearing.accounts.n_liquidations.tolist() == [2, 2, 0]


def test_a_wallet_is_charged_with_its_own_largest_loss_and_a_silo_with_its_market(model):
    """SOL has lost most, but in a silo of its own; each pool's legs are its own."""
    judged(model, ROUGH)
    spells = model.engine.recorder.spells
    assert [spell.charged_asset for spell in spells] == [1, 1, 2, 2]
    legs = model.engine.recorder.log.columns("breach_legs")
    found = zip(*(legs[x].tolist() for x in ("liquidation", "asset", "position_lots")), strict=True)
    assert list(found) == [
        (0, 0, 10), (0, 1, -10), (1, 0, 10), (1, 1, -10), (2, 2, 10), (3, 2, 10),
    ]  # fmt: skip


def test_equal_losses_are_charged_to_the_earlier_asset_and_gains_to_none(model):
    judged(model, (9250, 10_750, TICKS))
    assert [spell.charged_asset for spell in model.engine.recorder.spells] == [0, 0]
    model.engine.spells.end(0, 4, "closed")
    judged(model, (12_000, 14_000, TICKS))
    assert model.engine.recorder.spells[2].charged_asset == 1, "BTC has gained"


def test_a_spell_ends_restored_with_positions_and_closed_without(model):
    judged(model, ROUGH)
    accounts = model.world.clearing.accounts
    accounts.position[2, 0] = accounts.mode[2, 0] = accounts.cash[3, 0] = 0
    assert judged(model, (TICKS, TICKS, 9050), step=4) == ([3 * N + 1], [])
    spells = model.engine.recorder.spells
    assert [(s.outcome, s.end_step) for s in spells] == [
        ("restored", 4), ("restored", 4), ("closed", 4), ("open", -1),
    ]  # fmt: skip
    assert model.engine.spells.of_pool[BOTH].tolist() == [-1, -1, -1, 3]
    assert judged(model, ROUGH, step=5)[1] == [0, 1], "a new spell of each"
    assert model.world.clearing.accounts.n_liquidations.tolist() == [3, 3, 0]


def test_a_spell_with_a_deficit_on_the_way_ends_bankrupt(model):
    judged(model, ROUGH)
    model.engine.recorder.spells[0].had_deficit = True
    judged(model, CALM, step=4)
    outcomes = [spell.outcome for spell in model.engine.recorder.spells]
    assert outcomes == ["bankrupt", "restored", "restored", "restored"]


def test_a_bankruptcy_is_over_when_nothing_is_held_and_nothing_owed(model):
    judged(model, ROUGH)
    accounts, codes = model.world.clearing.accounts, np.array(BOTH)
    accounts.position[2, :2] = 0
    accounts.cash[3, :2] = -1, 0
    accounts.position[:2, 0] = 0
    accounts.cash[0, 0] = 1
    model.engine.spells.end_bankrupt(4, codes)
    spells = model.engine.recorder.spells
    assert all(spell.had_deficit for spell in spells)
    assert [spell.outcome for spell in spells] == ["bankrupt", "open", "open", "bankrupt"]


def test_what_an_earlier_judgement_has_seen_ate_nothing_of_this_breach(model):
    """Rates rise by 1 % and BTC by 1 USD, and are judged; then a fall breaches the wallets."""
    judged(model, CALM)
    model.world.clearing.tables.rate[:] += 10_000_000
    assert judged(model, (TICKS + 100, TICKS, TICKS))[0] == []
    judged(model, (9000, TICKS, TICKS))
    columns = model.engine.recorder.log.columns("breach_amounts")
    amounts = columns["amount_micro_usd"].tolist()
    assert columns["cause"].tolist() == ["price", "price"]
    assert amounts == [110 * USD - 110 * USD * 6 // 100] * 2
    before = model.engine.recorder._opened
    assert sum(len(np.atleast_1d(opened["account"])) for opened in before) == 2


def told(model, *names):
    columns = model.engine.recorder.log.columns("alerts")
    return list(zip(*(columns[name].tolist() for name in names), strict=True))


def test_whoever_crosses_a_level_is_told_once_until_it_has_recovered(model):
    """SOL at 95: 47.50 of 50 USD are 0.95, beyond both levels; at 97: 48.50 of 70 are 0.69."""
    for mark in (9500, 9500, 9700, 9500, TICKS, 9700, 9200):
        judged(model, (TICKS, TICKS, mark))
    names = ("account", "mode", "asset", "level")
    mine = [row[3] for row in told(model, *names) if row[:3] == (0, "isolated", 2)]
    assert mine == [0.8, 0.8, 0.5]
    modes = {row[1] for row in told(model, *names)}
    assert modes == {"isolated"}, "the wallets, at 100 of 200 USD, are not beyond 0.5"
    assert model.world.clearing.accounts.tally[N_GAPS].tolist() == [0, 0, 0]


def test_a_breach_out_of_the_blue_is_a_gap_of_its_account(model):
    """100 USD of wallet need 100 of 200 at first, beyond the level of 0.5 or at it."""
    judged(model, (TICKS, TICKS, 10_500))
    judged(model, (TICKS, TICKS, 9200))
    assert model.world.clearing.accounts.tally[N_GAPS].tolist() == [1, 1, 0]


class OtherChains:
    """Value on other chains: account 0 is sent 200 USD at once when it is in breach."""

    def __init__(self, model, rescues=True):
        self.model, self.rescues, self.asked = model, rescues, []

    def send(self, rows, step):
        self.asked.append((rows.tolist(), step))
        if self.rescues and 0 in rows:
            self.model.world.clearing.accounts.cash[0, 0] += 200 * USD
            self.model.world.clearing.journal.slot[0] = -1
            return 1
        return 0

    def late(self, rows):
        return 7 + rows


@pytest.mark.parametrize("round_", [0, 1, 2])
def test_between_rounds_wallets_in_breach_call_value_from_other_chains(model, round_):
    """Before the first round they have been asked already, as part of margin; silos never are."""
    spells = model.engine.spells
    spells._chains = OtherChains(model)
    breached, _ = judged(model, ROUGH, step=6, round_=round_)
    assert spells._chains.asked == ([([0, 1], 6)] if round_ else [])
    assert breached == (BOTH[1:] if round_ else BOTH)


def test_what_is_in_flight_is_late_for_the_wallet_and_not_for_a_silo(model):
    model.engine.spells._chains = OtherChains(model, rescues=False)
    judged(model, ROUGH)
    found = model.engine.recorder.log.columns("late_value")
    assert found["liquidation"].tolist() == [0, 1]
    assert found["in_flight_micro_usd"].tolist() == [7, 8]


def test_who_is_to_be_called_has_crossed_a_level_and_how_many(model):
    """Wallets at 0.5 are at the first level, not beyond it; silos at 0.69 and in breach."""
    spells, board = model.engine.spells, model.world.board
    for mark, crossed in ((10_500, 0), (9700, 1), (9500, 2), (9200, 2)):
        board.ticks[:] = TICKS, TICKS, mark
        found = spells.pools_to_call()
        silos = [level for code, level in zip(found.pools.tolist(), found[2].tolist(), strict=True)
                 if code >= N]  # fmt: skip
        assert silos == [crossed] * 2 * (crossed > 0)
