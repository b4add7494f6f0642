from __future__ import annotations

import math

import pytest

from stresslab.experiment.documents import parse
from stresslab.experiment.faults import Place
from stresslab.experiment.scalars import read_scalar


def test_values_remember_where_they_were_written() -> None:
    document = parse("scenario:\n  assets: {BTC: 5}\n  sizes:\n    - 1\n    - 2\n", "f")
    assert document.faults == []
    assert document.value == {"scenario": {"assets": {"BTC": 5}, "sizes": [1, 2]}}
    assert document.places["scenario", "assets", "BTC"] == Place("f", 2, 17)
    assert document.key_places["scenario", "assets", "BTC"] == Place("f", 2, 12)
    assert document.places["scenario", "sizes", 1] == Place("f", 5, 7)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0x1F", 31),
        ("0o17", 15),
        ("-12", -12),
        ("+.5", 0.5),
        ("1e-6", 1e-6),
        ("1.", 1.0),
        ("-.inf", -math.inf),
        ("~", None),
        ("", None),
        ("False", False),
        ("no", "no"),
        ("0b1", "0b1"),
        ("1 000", "1 000"),
        ("12:30", "12:30"),
    ],
)
def test_plain_scalars_are_those_of_yaml_1_2(text: str, value: object) -> None:
    read = read_scalar(text)
    assert (read, type(read)) == (value, type(value))


def test_not_a_number_is_read_as_such() -> None:
    assert math.isnan(read_scalar(".nan"))  # type: ignore[arg-type]


def test_quoted_scalars_are_text() -> None:
    assert parse("a: '5'\nb: \"true\"\nc: |\n  1\n", "f").value == {
        "a": "5",
        "b": "true",
        "c": "1\n",
    }


def test_keys_are_text() -> None:
    assert parse("1: a\ntrue: b\n", "f").value == {"1": "a", "true": "b"}


def test_aliases_repeat_values_and_their_places() -> None:
    document = parse("a: &x {deep: [1, 2]}\nb: *x\n", "f")
    assert document.value["b"] == {"deep": [1, 2]}
    assert document.value["b"] is not document.value["a"]
    assert document.places["b", "deep", 1] == Place("f", 1, 18)


def test_merges_yield_to_what_is_written() -> None:
    document = parse("base: &b {fee: 1, tick: 2}\nBTC:\n  <<: *b\n  tick: 3\n", "f")
    assert document.value["BTC"] == {"tick": 3, "fee": 1}
    assert document.places["BTC", "fee"] == Place("f", 1, 16)
    assert document.places["BTC", "tick"] == Place("f", 4, 9)


def test_several_faults_are_found_in_one_text() -> None:
    document = parse("a: 1\na: 2\nb: !x 3\nc: *nothing\n", "f")
    assert [str(fault) for fault in document.faults] == [
        "f:2:1: a: 'a' is written twice, first in line 1",
        "f:3:4: b: tag '!x' is not allowed; write a plain value",
        "f:4:4: c: alias '*nothing' has no anchor before it",
    ]
