"""What each liquidation's deleveraging ate of a pool, transfer by transfer, against the words.

By brackets a transfer costs what was paid above the old mark, and from then on the move of its
lots; by scenarios what the rest of the book is asked for, at the marks of the breach.
"""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from stresslab.core.events import ISOLATED
from stresslab.core.ledger import ADL
from stresslab.liquidation.adl_trail import AdlTrail
from stresslab.liquidation.judgement import explain
from stresslab.margin.portfolio.book import MAINTENANCE
from stresslab.margin.posting import close_lots
from tests.markets import TICKS, TIERS, UNIT, bracket_margin, market, model_of, people
from tests.reference.plain_grid import grid_need

NAMES, N = ("A", "B", "C"), 4
RULES = {"classes": {"two": ["A", "B"]}, "break_move": 0.1}


def crowd(rng, **changes):
    """Return the columns of three accounts, some of whose positions are isolated."""
    held = [{a: rng.choice((-1, 1)) * rng.randint(9, 40) for a in NAMES} for _ in range(N - 1)]
    rest = {a: -sum(lots[a] for lots in held) for a in NAMES}
    story = market({"all": people(*((1e5, lots) for lots in held), (1e6, rest))}, assets=NAMES,
                   margin__brackets=dict.fromkeys(NAMES, TIERS), **changes)  # fmt: skip
    model = model_of(story)
    accounts = model.world.clearing.accounts
    for a in range(len(NAMES)):
        for n in range(N):
            if rng.random() < 0.4:
                accounts.mode[a, n] = ISOLATED
    return model


def transfers(rng, c, trail):
    """Let accounts lose lots for three liquidations; return (code, asset, lots, cash, source)."""
    done = []
    for _ in range(20):
        n, a, source = rng.randrange(N - 1), rng.randrange(len(NAMES)), rng.randint(4, 6)
        held = int(c.accounts.position[a, n])
        if abs(held) < 3:
            continue
        lots = -rng.randint(1, 2) * (1 if held > 0 else -1)
        cash = lots * (TICKS + rng.randint(-800, 800)) * UNIT
        pool = close_lots(c.accounts, c.house, c.journal, n, a, lots, cash, ADL)
        c.journal.adl_lots[c.journal.slot[n], a] += lots
        code = int(pool) * N + n
        trail.note(np.array([code]), a, np.array([lots]), np.array([cash]), source)
        done.append((code, a, lots, cash, source))
    return done


def eaten_by_brackets(old, new, a, lots):
    """Return what a move eats of a position: what it asks more, less what it gains."""
    need = [bracket_margin(abs(lots * marks[a]) * UNIT) for marks in (old, new)]
    return need[1] - need[0] - lots * (new[a] - old[a]) * UNIT


@pytest.mark.parametrize("by_scenarios", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_sources_of_random_transfers(seed, by_scenarios):
    rng, trail = Random(seed), AdlTrail()
    changes = {"margin__portfolio": RULES, "margin__cross__closure": {"kind": "whole"}}
    model = crowd(rng, **(changes if by_scenarios else {}))
    c, rules = model.world.clearing, model._scenario.margin.portfolio
    done = transfers(rng, c, trail)
    old = [TICKS + rng.randint(-300, 300) for _ in NAMES]
    new = [mark + rng.randint(-900, 900) for mark in old]
    asked = [*sorted(rng.sample(sorted({code for code, *_ in done}), 3)), 4 * N - 1]
    marks = np.array(old), np.array(new)
    why = explain(c.accounts, c.tables, c.tables, c.journal, *marks, np.array(asked))
    found = trail.sources(c.accounts, c.tables, *marks, np.array(asked), why.by_reason[:, ADL])

    def missing(book):
        values = {name: lots * new[a] * UNIT for a, (name, lots) in enumerate(book.items())}
        return grid_need(rules, (), values, MAINTENANCE) - sum(values.values())

    expected = {}
    for place, code in enumerate(asked):
        pool, n = divmod(code, N)
        mine = [row for row in done if row[0] == code]
        book = {
            name: int(c.accounts.position[a, n])
            if (c.accounts.mode[a, n] == ISOLATED) == (pool > 0) and pool in (0, 1 + a) else 0
            for a, name in enumerate(NAMES)
        }  # fmt: skip
        for _, a, lots, *_ in mine:
            book[NAMES[a]] -= lots
        for _, a, lots, cash, source in mine:
            before = dict(book)
            book[NAMES[a]] += lots
            if by_scenarios and pool == 0:
                part = cash + missing(book) - missing(before)
            else:
                move = [eaten_by_brackets(old, new, a, b[NAMES[a]]) for b in (before, book)]
                part = cash - lots * old[a] * UNIT + move[1] - move[0]
            expected[place, source] = expected.get((place, source), 0) + part
    rows = zip(*(column.tolist() for column in found), strict=True)
    assert {(place, source): amount for place, source, amount in rows} == {
        key: amount for key, amount in sorted(expected.items()) if amount
    }
    assert len(expected) >= 3
