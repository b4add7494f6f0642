"""Each form in which a twin can be asked for, on a run of sixty traders."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stresslab.api import Run, open_run
from stresslab.cli import main
from stresslab.contagion.importance import fallen
from stresslab.contagion.projection import Contagion
from stresslab.experiment.twins import original_tables

Captured = pytest.CaptureFixture[str]


class Asking:
    """Asks for twins of the cell of a run in which most fell."""

    def __init__(self, run: Run, capsys: Captured) -> None:
        done = run.outcomes.filter(status="done").sort("n_accounts_liquidated", "cell")
        self.run, self.cell, self._capsys = run, done["cell"][-1], capsys
        self.log = Contagion(original_tables(run, self.cell))
        found = fallen(self.log)
        self.fallen = found.account.tolist()
        self.largest = int(found.account[found.micro_usd.argmax()])

    def __call__(self, *words: str) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.words(*words, "--json"))
        return told

    def words(self, *words: str, code: int = 0) -> str:
        self._capsys.readouterr()
        assert main(["whatif", str(self.run.path), "--cell", self.cell, *words]) == code
        screen = self._capsys.readouterr()
        return screen.err if code else screen.out


@pytest.fixture
def ask(finished: Path, capsys: Captured) -> Asking:
    asking = Asking(open_run(finished), capsys)
    assert len(asking.fallen) > 20 and len(asking.log.parents.child) > 20
    return asking


def test_who_is_removed_is_neither_saved_nor_felled(ask: Asking) -> None:
    told = ask("--remove", f"account:{ask.largest}")
    assert told["cell"] == ask.cell and told["removed_and_liquidated_before"] == [ask.largest]
    assert ask.largest not in told["saved"] and set(told["saved"]) < set(ask.fallen)
    money = [*told["change_of_final_equity_usd"].values(), *told["change_of_house_usd"].values()]
    assert any(money) and sum(money) == pytest.approx(0, abs=1e-3)


def test_no_feedback_is_what_the_rule_of_that_name_does(ask: Asking) -> None:
    told = ask("--no-feedback")
    assert len(told["saved"]) > 0 and told["felled"] == []
    assert ask("--set", "scenario.liquidation.feedback=no_feedback") == told


def test_quiet_assets_are_all_of_feedback(ask: Asking) -> None:
    saved = [ask(*words)["saved"] for words in (["--quiet", "BTC", "--quiet", "ETH"],
                                                ["--no-feedback"])]  # fmt: skip
    assert saved[0] == saved[1] != []


def test_another_mode_is_told_as_a_difference_of_that_account(ask: Asking) -> None:
    modes = ask.log.liquidations
    (mode,) = set(modes["mode"][modes["account"] == ask.largest].tolist())
    other = "cross" if mode == "isolated" else "isolated"
    told = ask("--mode-of", f"account:{ask.largest}={other}")
    assert told["first_difference"] is not None
    same = ask("--mode-of", f"account:{ask.largest}={mode}")
    assert same["first_difference"] is None and same["change_of_final_equity_usd"] == {}


def test_without_stop_orders_nothing_differs_where_nobody_has_any(ask: Asking) -> None:
    assert ask("--without", "stop_orders")["first_difference"] is None
    assert "equal, event for event" in ask.words("--without", "stop_orders")


def test_from_a_step_on_what_was_before_stands(ask: Asking) -> None:
    first = ask("--no-feedback")["first_difference"]["step"]
    later = ask("--no-feedback", "--from-step", str(first + 2))
    assert later["first_difference"]["step"] >= first + 2
    assert "equal, event for event" in ask.words("--from-step", str(first + 2))
    rule = "scenario.liquidation.feedback=no_feedback"
    assert ask("--set", rule, "--from-step", str(first + 2)) == later


def test_the_screen_names_assets_and_counts_money_in_usd(ask: Asking) -> None:
    screen = ask.words("--no-feedback")
    assert "asset BTC" in screen and "micro" not in screen
    assert "saved " in screen and "insurance_fund" in screen and "-0 USD" not in screen


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--remove", "17"], "expected account:ID"),
        (["--remove", "account:77"], "no account has the id 77"),
        (["--mode-of", "account:1=portfolio"], "account:ID=isolated or account:ID=cross"),
        (["--quiet", "XYZ"], "no asset is named 'XYZ'"),
        (
            ["--set", "scenario.liquidation.insurance_fund_usd=9", "--from-step", "3"],
            "--set: changes how the market opens",
        ),
        (["--no-feedback", "--from-step", "31"], "31 is after the last step, 30"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_unsound_change_is_refused(ask: Asking, words: list[str], complaint: str) -> None:
    assert complaint in ask.words(*words, code=2)
