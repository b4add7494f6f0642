"""Published worked examples, each within its tolerance."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stresslab.validation.conformance import KINDS, evaluate

VECTORS = json.loads(
    (Path(__file__).parents[1] / "data" / "margin_vectors.json").read_text("utf-8")
)
each_vector = pytest.mark.parametrize("vector", VECTORS, ids=[v["id"] for v in VECTORS])


def agrees(got: Any, expected: Any, tolerance: dict[str, float]) -> bool:
    """Tell whether a value, a list or a table is within ``abs + rel |expected|``."""
    if isinstance(expected, dict):
        return got.keys() == expected.keys() and all(
            agrees(got[name], value, tolerance) for name, value in expected.items()
        )
    if isinstance(expected, list):
        return len(got) == len(expected) and all(
            agrees(one, other, tolerance) for one, other in zip(got, expected, strict=True)
        )
    allowed = tolerance.get("abs", 0) + tolerance.get("rel", 0) * abs(expected)
    return abs(got - expected) <= allowed


def as_texts(value: Any) -> Any:
    """Return inputs with every number but flags and places written as a decimal text."""
    if isinstance(value, dict):
        return {name: as_texts(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [as_texts(inner) for inner in value]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return repr(value) if is_number else value


@each_vector
def test_published_example(vector: dict[str, Any]) -> None:
    got = evaluate(vector["kind"], vector["inputs"])

    assert vector["expected"]
    assert agrees(got, vector["expected"], vector["tol"]), got


@each_vector
def test_decimal_texts_give_the_same(vector: dict[str, Any]) -> None:
    if vector["kind"].startswith("lob."):  # names and sides of orders are no quantities
        return
    got = evaluate(vector["kind"], as_texts(vector["inputs"]))

    assert got == evaluate(vector["kind"], vector["inputs"])


def test_a_wrong_number_is_noticed() -> None:
    """Negative control: no example agrees with expected values a little off."""
    moved = 0
    for vector in VECTORS:
        for name, value in vector["expected"].items():
            if isinstance(value, int | float) and value != 0:
                wrong = {**vector["expected"], name: value * 1.001 + 1e-3}
                got = evaluate(vector["kind"], vector["inputs"])
                assert not agrees(got, wrong, vector["tol"]), vector["id"]
                moved += 1
    assert moved > 50


def test_every_kind_has_an_example() -> None:
    assert {vector["kind"] for vector in VECTORS} == set(KINDS)
    assert (len(VECTORS), len(KINDS)) == (67, 39)


def test_every_example_names_its_source() -> None:
    assert all(len(vector["source"]) > 15 for vector in VECTORS)


def test_an_unknown_kind_is_a_key_error() -> None:
    with pytest.raises(KeyError, match=r"liq_price\.unheard_of"):
        evaluate("liq_price.unheard_of", {})
