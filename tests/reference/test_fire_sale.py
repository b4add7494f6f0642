"""Fire sales on the integer ledger agree with a plain version in floats, off the grid too."""

from __future__ import annotations

import json

import pytest

from stresslab.cli import main
from stresslab.validation.banks import banks
from stresslab.validation.fire_sale_market import Setting, outcome
from stresslab.validation.rounding_bound import rounding_bound
from tests.reference.plain_fire_sale import fire_sale, rows

#: Settings between and beyond the published ones, with steps of their own.
SETTINGS = (
    Setting(0.17, 0.03, 0.05, 10),
    Setting(0.0437, 0.0062, 1.0, 4),
    Setting(0.113, 0.0021, 0.045, 3),
)


def test_the_plain_version_gives_all_published_runs() -> None:
    published = rows("firesale_reference.csv")
    assert len(published) == 63
    for row in published:
        defaults, sold = fire_sale(
            *(float(row[n]) for n in ("gov_bond_shock", "price_impact", "leverage_buffer")), 6
        )
        extent = defaults / 48 if defaults / 48 >= 0.05 else 0.0
        assert extent == pytest.approx(float(row["systemic_event_extent"]), abs=1e-9)
        assert sold == pytest.approx(float(row["tradable_sold_fraction"]), abs=1e-9)


@pytest.mark.parametrize("setting", SETTINGS)
def test_off_the_grid_counts_agree_and_shares_within_the_bound(setting: Setting) -> None:
    defaults, sold = fire_sale(*setting)
    found, bound = outcome(setting, banks(), 1), rounding_bound(setting, banks())

    assert 0.1 < sold < 1
    assert found.defaults == defaults == bound.defaults
    assert bound.sold == pytest.approx(sold, abs=1e-12)
    assert 0 < bound.error <= 1e-6
    assert abs(found.sold - sold) <= bound.error + 1e-12


def test_the_command_takes_a_setting_of_ones_own(capsys: pytest.CaptureFixture[str]) -> None:
    wanted = "validate firesale-eba --shock 0.17 --impact 0.03 --buffer 0.05 --steps 10 --json"
    assert main(wanted.split()) == 0
    told = json.loads(capsys.readouterr().out)
    defaults, sold = fire_sale(0.17, 0.03, 0.05, 10)

    assert told["defaults"] == defaults
    assert told["extent"] == defaults / 48
    assert abs(told["sold_fraction"] - sold) <= told["sold_fraction_bound"] + 1e-12


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("validate --shock 0.1", "name it alone"),
        ("validate borel --shock 0.1", "--shock: only of the experiment firesale-eba"),
        (
            "validate firesale-eba --endowments users.csv",
            "--endowments: only of the experiment oct10",
        ),
        ("validate firesale-eba --impact 1", "outside [0, 1) of the price"),
        ("validate firesale-eba --steps 0", "outside [1, 1000]"),
        ("validate firesale-eba --shock 1.5 --steps 2", "--shock: 1.5 is outside [0, 1)"),
        ("validate firesale-eba --shock nan", "--shock: nan is outside [0, 1) of the price"),
        ("validate firesale-eba --buffer 2", "--buffer: 2 is outside (0, 1] of assets"),
    ],
)
def test_settings_without_meaning_are_refused(
    wrong: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(wrong.split()) == 2
    told = capsys.readouterr().err
    assert words in told
    assert told.count("\n") == 1
