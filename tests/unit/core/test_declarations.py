"""A declared class is a frozen value: equal by content, usable as a key, shown with its fields."""

from __future__ import annotations

import dataclasses

import pytest

from stresslab.core.declarations import declared, param


@declared
class Fee:
    """One rate."""

    rate: float = param("Rate", unit="of the notional", default=0.5)


@declared
class Discount(Fee):
    """Has the same field as a fee and is none."""


def test_equal_content_is_equal_and_one_key() -> None:
    assert Fee(rate=0.25) == Fee(rate=0.25)
    assert len({Fee(rate=0.25), Fee(rate=0.25), Fee()}) == 2


def test_another_value_or_another_class_is_not_equal() -> None:
    assert Fee(rate=0.25) != Fee()
    assert Fee() != Discount()


def test_shown_as_it_is_written() -> None:
    assert repr(Fee(rate=0.25)) == "Fee(rate=0.25)"


def test_fields_cannot_be_set() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Fee().rate = 1.0  # type: ignore[misc]


def test_own_methods_stay() -> None:
    @declared
    class Named:
        """Shows itself otherwise."""

        name: str = param("Name", default="x")

        def __repr__(self) -> str:
            return self.name

    assert repr(Named()) == "x"
