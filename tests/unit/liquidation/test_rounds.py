"""One round: who is served, in which order forced orders go, what is counted and who moved what."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.core.events import CAUSE_ID, CAUSES
from stresslab.core.random import uniform
from tests.markets import ORDER_BOOK, TICKS, UNIT, USD, Ask, market, model_of, orders_of, people

THIN = {"kind": "impact", "law": {"kind": "linear", "depth_usd": 1000.0}}


def silos(n=4, feedback="market", book=THIN, **changes):
    """Return the model of longs of 10 BTC and 5 ETH at 10x, marked 6 % lower, and their rounds."""
    held = {"BTC": 10, "ETH": 5}
    story = market(
        {"longs": people(*[(150.0, held)] * n, mode="isolated"),
         "rest": people((1e6, {name: -lots * n for name, lots in held.items()}))},
        assets=("BTC", "ETH"),
        market__book=book,
        liquidation={"feedback": feedback, **changes},
    )  # fmt: skip
    model = model_of(story)
    model.world.board.ticks[:] = TICKS - 600
    return model, model.engine.closing


def codes_of(n, n_accounts):
    """Return the codes of all silos of the longs."""
    return np.array([pool * n_accounts + row for pool in (1, 2) for row in range(n)])


def spell_of(model):
    """Return a spell number for every pool, three times its code."""
    return 3 * np.arange(model.world.clearing.accounts.cash.size)


def forced(model, *names):
    columns = model.engine.recorder.log.columns("forced_orders")
    return list(zip(*(columns[name].tolist() for name in names), strict=True))


@pytest.mark.parametrize(("limit", "served"), [
    (None, [0, 1, 2, 3]), (5, [0, 1, 2, 3]), (4, [0, 1, 2, 3]), (3, [0, 2, 3]), (1, [2]),
])  # fmt: skip
def test_no_more_pools_are_served_than_there_is_capacity_and_the_poorest_first(limit, served):
    """Equities of 40 USD less 0, 0, 9 and 1; the first two tie, and the lower id goes first."""
    model, closing = silos(pools_per_round=limit)
    accounts = model.world.clearing.accounts
    accounts.cash[1, :4] -= np.array([0, 0, 9, 1]) * USD
    assert closing.choose(2, codes_of(4, 5)[:4])
    assert closing.trade(2, 1, spell_of(model))
    assert [row for (row,) in forced(model, "account")] == served


@pytest.mark.parametrize("round_", [1, 2])
@pytest.mark.parametrize("step", [2, 3])
def test_the_order_at_the_books_is_drawn_by_id_step_and_round(step, round_):
    """Bids of 10 lots at falling prices tell who came first; legs of one account come by asset."""
    model, closing = silos(book=ORDER_BOOK)
    ids = model.world.clearing.accounts.id
    ids[:] = [40, 10, 30, 20, 50]
    bids = [Ask(4, 10, 9300 - k, asset=0) for k in range(4)]
    bids += [Ask(4, 5, 9200 - k, asset=1) for k in range(4)]
    floor, marks = model.world.floor, model.world.board.ticks
    floor.match(orders_of(bids), np.arange(8), marks)
    assert closing.choose(step, codes_of(4, 5)) and closing.trade(step, round_, spell_of(model))
    key = model.streams["forced_order"]
    turn = sorted(range(4), key=lambda n: uniform(key, int(ids[n]), step, round_))
    for asset, best, lots in ((0, 9300, 10), (1, 9200, 5)):
        found = {n: cash for n, a, cash in forced(model, "account", "asset", "cash_micro_usd")
                 if a == asset}  # fmt: skip
        paid = {int(ids[n]): lots * (best - place) * UNIT for place, n in enumerate(turn)}
        assert found == paid


@pytest.mark.parametrize("feedback", ["market", "slipped", "no_feedback"])
def test_fills_are_counted_and_legs_that_find_nobody_are_named(feedback):
    """6 of 20 BTC are bid for at the limit, nothing of ETH; under no_feedback all is filled."""
    model, closing = silos(2, feedback, ORDER_BOOK)
    bid = [Ask(2, 6, 9300)]
    model.world.floor.match(orders_of(bid), np.arange(1), model.world.board.ticks)
    codes = codes_of(2, 3)
    assert closing.choose(2, codes) and closing.trade(2, 1, spell_of(model))
    whole = feedback == "no_feedback"
    assert closing.forced_lots.tolist() == ([20, 10] if whole else [6, 0])
    found = set(closing.unfilled)
    silent = {(int(code), int(code) // 3 - 1) for code in codes}
    nobody = {leg for leg in silent if leg[1] == 1}
    assert len(found) == len(closing.unfilled) and found <= silent
    assert found == set() if whole else (nobody < found and len(found) == 3)
    assert closing.choose(2, codes) is not whole
    if not whole:
        assert closing.trade(2, 2, spell_of(model)) is (feedback == "slipped")
        assert closing.forced_lots.tolist() == ([12, 0] if feedback == "slipped" else [6, 0])
    closing.open_step()
    assert closing.forced_lots.tolist() == [0, 0] and closing.unfilled == []


def moved(model):
    """Return what the board was told: (asset, cause, ticks)."""
    told = []
    model.world.board.book_moved = lambda asset, cause, ticks: told.append((asset, cause, ticks))
    return told


def test_a_move_belongs_to_the_liquidations_by_their_lots_and_so_does_the_flow():
    """Two silos each sell 10 BTC and 5 ETH: 2 and 1 percent of a price, half of it each."""
    model, closing = silos(2)
    told = moved(model)
    closing.choose(2, codes_of(2, 3))
    closing.trade(2, 1, spell_of(model))
    first = len(CAUSES)
    causes = [first + 3 * int(code) for code in codes_of(2, 3)]
    assert [(a, cause) for a, cause, _ in told] == list(zip((0, 0, 1, 1), causes, strict=True))
    assert [ticks for *_, ticks in told] == pytest.approx([-100, -100, -50, -50], rel=1e-9)
    assert model.world.floor.owners == [
        {causes[0]: -10.0, causes[1]: -10.0}, {causes[2]: -5.0, causes[3]: -5.0},
    ]  # fmt: skip


@pytest.mark.parametrize("feedback", ["slipped", "no_feedback"])
def test_a_control_moves_nothing_and_owns_nothing(feedback):
    model, closing = silos(2, feedback)
    told = moved(model)
    closing.choose(2, codes_of(2, 3))
    assert closing.trade(2, 1, spell_of(model))
    assert told == [] and model.world.floor.owners == [{}, {}]
    assert model.world.floor.books.flow.tolist() == [0.0, 0.0]


def test_a_silent_market_fills_at_the_mark_while_the_other_trades():
    """BTC is silent: its sales are at 94 USD and no flow; ETH falls by 1 %."""
    model, closing = silos(2)
    closing.silence(np.array([0]))
    told = moved(model)
    closing.choose(2, codes_of(2, 3))
    closing.trade(2, 1, spell_of(model))
    cash = forced(model, "asset", "filled_lots", "cash_micro_usd")
    assert cash[:2] == [(0, -10, 10 * 9400 * UNIT)] * 2
    assert all(got < 5 * TICKS * UNIT for a, _, got in cash if a == 1)
    assert model.world.floor.books.flow.tolist() == [0.0, -10.0]
    assert [a for a, *_ in told] == [1, 1]
    assert all(lots == 0 for lots in model.world.floor.owners[0].values())


def test_what_a_quiet_market_s_price_does_is_the_doing_of_quotes():
    model, closing = silos(1)
    closing.silence(np.array([1]))
    told = moved(model)
    closing.choose(2, codes_of(1, 2))
    closing._attribute(np.array([-2.0, 3.0]), spell_of(model))
    assert told == [(0, CAUSE_ID["quotes"], -2.0), (1, CAUSE_ID["quotes"], 3.0)]


def test_delayed_pools_are_not_chosen_before_their_time():
    """Mean of 50 s: of 4 pools in breach none in the step itself, all of them at some time."""
    _, closing = silos(execution_delay_seconds=50.0)
    codes = codes_of(4, 5)
    closing.breached(2, codes)
    assert not closing.choose(2, codes)
    assert closing.choose(10_000, codes)


def test_penalties_are_those_of_the_mode():
    story = market({"one": people((1e3, {"BTC": 1}), (1e3, {"BTC": -1}))},
                   margin__isolated__penalty_rate=0.0125, margin__cross__penalty_rate=0.005,
                   market__fees={"maker_rate": 0.0, "taker_rate": 0.0004})  # fmt: skip
    charges = model_of(story).engine.closing.charges
    assert charges.penalty.tolist()[1:] == [12_500_000, 5_000_000]
    assert charges.taker.tolist() == [400_000]
