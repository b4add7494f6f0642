"""What a market takes back in a step: a gap that closes by a quarter, and shadows that fade."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from stresslab.contagion.fading import kept_per_step
from tests.markets import fall
from tests.unit.contagion.test_shadow import cascade, shadow_of


def path_of(cause: str) -> Any:
    """Return a run whose index falls by 64 ticks in step 2; the mark closes a quarter each step.

    Marks 164, 148, 136, 127 over an index of 100: gaps of 64, 48 and 36 before each move.
    """
    marks, index = np.array([[164], [148], [136], [127]]), np.array([[164], [100], [100], [100]])
    moves = {
        "stage": np.arange(1, 4), "step": np.arange(2, 5), "asset": np.zeros(3, int),
        "from_ticks": marks[:-1, 0], "to_ticks": marks[1:, 0],
    }  # fmt: skip
    causes = {
        "stage": np.repeat(np.arange(1, 4), 2), "asset": np.zeros(6, int),
        "cause": np.array(["liquidation", cause] * 3), "share": np.array([0.0, 1.0] * 3),
    }  # fmt: skip
    paths = SimpleNamespace(step=np.arange(1, 5), mark_price=marks, index_price=index)
    tables = {"price_moves": moves, "price_causes": causes}
    return SimpleNamespace(paths=paths, tables=tables, n_assets=1)


@pytest.mark.parametrize(
    ("cause", "kept"), [("quotes", 0.75), ("voluntary", 0.75), ("index", 1.0), ("liquidation", 1.0)]
)
def test_traders_and_quotes_take_back_a_quarter(cause: str, kept: float) -> None:
    """What index or liquidations move is nobody's answer to a gap."""
    assert kept_per_step(path_of(cause)) == pytest.approx([kept], abs=1e-12)


def test_where_nobody_answers_nothing_fades() -> None:
    shadow = shadow_of(cascade(100.0, 109.0, 115.0, 127.0))
    first = shadow.chosen(accounts=(0,))
    assert shadow._kept.tolist() == [1.0]
    fading, in_turn = (shadow.headroom_in_turn(first, fades=fades) for fades in (True, False))
    assert fading.tolist() == in_turn.tolist() and (in_turn > 0).sum() == 3


def test_a_sale_is_worth_less_the_longer_ago() -> None:
    """The first sale eats 8.93 USD of the second, which falls two steps later at 92.51 USD.

    It has 119.5 + 10 (0.95 · 92.51 - 100) = -1.655 then. Where half of a move is left a step later,
    the sale has 2.2325 to give back by then, still enough. The mark that its own sale would have
    moved is rounded by up to a tick, 0.095 USD.
    """
    falls = {"a": fall(0.06), "b": fall(0.006, at=4.0)}
    shadow = shadow_of(cascade(100.0, 119.5, market__shocks=falls, duration_seconds=7.0))
    pools = shadow.pools
    assert pools.account.tolist() == [0, 1]
    assert shadow.excess.path.steps[pools.stage[1]] - shadow.excess.path.steps[pools.stage[0]] == 2
    assert (pools.equity - pools.maintenance)[1] / 1e6 == pytest.approx(-1.655, abs=1e-5)
    shadow.__dict__["_kept"] = np.array([0.5])
    first = shadow.chosen(accounts=(0,))
    usd = 10 * 0.95 * 92.51
    found = [shadow.headroom_in_turn(first, fades=fades)[1] * usd for fades in (False, True)]
    assert found[0] - found[1] == pytest.approx(8.93 * 3 / 4, abs=1e-5)
    assert found[1] == pytest.approx(-1.655 + 8.93 / 4, abs=0.095)
    assert shadow.saved_in_turn(first, fades=True).tolist() == [1]
