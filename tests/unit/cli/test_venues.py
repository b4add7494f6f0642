"""The rules of venues in words, and the margin of a position there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import stresslab
from stresslab.cli import main
from stresslab.experiment.venues import read_pack
from stresslab.scenario import VENUES

Captured = pytest.CaptureFixture[str]
POSITION = ["--side", "long", "--qty", "1", "--entry", "60000", "--leverage", "20"]


def said_by(capsys: Captured, *arguments: str, code: int = 0) -> str:
    """Return what a command prints."""
    assert main(list(arguments)) == code
    printed = capsys.readouterr()
    return printed.err if code else printed.out


@pytest.mark.parametrize("venue", VENUES)
def test_rules_fit_into_80_columns_and_name_every_stage_and_source(
    venue: str, capsys: Captured
) -> None:
    said = said_by(capsys, "venue", venue)
    pack = read_pack(venue).value

    assert said.count("\n") > 50
    assert max(map(len, said.splitlines())) <= 80
    assert said.count("  Source: ") == 8
    words = " ".join(said.split())
    for text in [pack["summary"], *pack["sources"].values(), *pack["differs"]]:
        assert " ".join(text.split()) in words
    assert pack["scenario"]["margin"]["cross"]["closure"]["kind"] in said


def test_numbers_have_the_units_of_their_declarations(capsys: Captured) -> None:
    said = said_by(capsys, "venue", "hyperliquid")

    assert "Notional above which a position is large: 100,000 USD" in said
    assert "Fee of an order that takes: 0.045 % of notional" in said
    assert "Time after a share in which no second share is sent: 30 s" in said


def test_a_leverage_table_is_printed_whole_on_request(capsys: Captured) -> None:
    said = said_by(capsys, "venue", "binance", "--asset", "BTC")

    assert "       800,000             0.0065               75 x" in said
    assert said.count(" x\n") >= 12


def test_an_unknown_venue_is_named_with_the_nearest(capsys: Captured) -> None:
    for arguments in (["venue", "binanse"], ["margin", "--venue", "binanse", *POSITION]):
        said = said_by(capsys, *arguments, code=2)
        assert "venue: 'binanse' is unknown" in said
        assert "did you mean 'binance'?" in said


def test_venues_are_listed(capsys: Captured) -> None:
    said = said_by(capsys, "list", "venues")

    assert [line.split()[0] for line in said.splitlines()[1:]] == list(VENUES)


def test_margin_of_a_position_by_hand(capsys: Captured) -> None:
    """57,000 of the loan are met by 1.004 X: at 0.4 % maintenance, X = 57,000 / 0.996."""
    said = said_by(capsys, "margin", "--venue", "binance", *POSITION)
    words = " ".join(said.split())

    assert "initial margin 3,000.00 USD" in words
    assert "maintenance margin 240.00 USD" in words
    assert "liquidation price 57,228.9 USD" in words
    assert 57_228.9 < 57_000 / 0.996 < 57_229.0
    assert "bankruptcy price 57,000.0 USD" in words
    assert "1. after 0 s: sell 1 BTC at 57,228.9" in words
    assert max(map(len, said.splitlines())) <= 80


def test_json_is_what_python_gets(capsys: Captured) -> None:
    said = said_by(capsys, "margin", "--venue", "hyperliquid", *POSITION, "--qty", "10", "--json")
    found = stresslab.check_margin("hyperliquid", "long", 10, 60_000, 20)

    assert json.loads(said) == json.loads(json.dumps(found.to_dict()))
    assert [step.quantity for step in found.steps] == [2.0]  # a fifth restores the position


def test_a_cross_account_is_read_from_a_file(tmp_path: Path, capsys: Captured) -> None:
    """The short's profit of 10,000 and its need of 0.4 % of 20,000 reach the long."""
    file = tmp_path / "positions.yaml"
    other = {"asset": "ETH", "side": "short", "quantity": 10, "entry_usd": 3000, "mark_usd": 2000}
    file.write_text(json.dumps({"wallet_usd": 3000, "positions": [other]}))
    said = said_by(
        capsys, "margin", "--venue", "binance", *POSITION, "--cross", str(file), "--json"
    )
    found = json.loads(said)

    assert found["mode"] == "cross"
    assert found["equity"] == 13_000
    assert found["maintenance_margin"] == 240 + 80
    met = (60_000 - 13_000 + 80) / 0.996
    assert met - 0.1 <= found["liquidation_price"] < met


@pytest.mark.parametrize(
    ("holding", "message"),
    [
        ({"asset": "ETH", "quantity": -1, "mark_usd": 1}, "positions.0.quantity: -1 is outside"),
        ({"asset": "ETH", "quantity": 1}, "positions.0.mark_usd: required parameter is missing"),
        ({"asset": "BTC", "quantity": 1, "mark_usd": 1}, "'BTC' is the position asked about"),
        (
            {"asset": "B", "kind": "spot", "side": "short", "quantity": 1, "mark_usd": 1},
            "positions.0.side: found 'short'; spot is held long",
        ),
    ],
)
def test_faults_of_the_file_are_named(
    holding: dict[str, object], message: str, tmp_path: Path, capsys: Captured
) -> None:
    file = tmp_path / "positions.yaml"
    file.write_text(json.dumps({"positions": [holding]}))

    assert message in said_by(
        capsys, "margin", "--venue", "okx", *POSITION, "--cross", str(file), code=2
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--leverage", "151"], "leverage: 151 is outside [1, 150] x on binance for BTC"),
        (["--side", "buy"], "side: 'buy' is unknown, allowed are long, short"),
        (["--mode", "croos"], "mode: 'croos' is unknown"),
        (["--qty", "0"], "quantity: 0 is not above 0"),
        (["--entry", "six"], "'six' is not a finite number"),
        (["--mark", "60000.123456789"], "write fewer decimals"),
    ],
)
def test_a_position_that_cannot_be_is_refused(
    change: list[str], message: str, capsys: Captured
) -> None:
    said = said_by(capsys, "margin", "--venue", "binance", *POSITION, *change, code=2)

    assert message in said
    assert "Traceback" not in said
