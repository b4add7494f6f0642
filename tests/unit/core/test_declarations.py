"""A declared class is a frozen value: equal by content, usable as a key, shown with its fields."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from stresslab.core.declarations import build, declared, faults, param


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


def test_fields_cannot_be_removed() -> None:
    fee = Fee()
    with pytest.raises(dataclasses.FrozenInstanceError):
        del fee.rate
    assert fee.rate == 0.5


def test_what_is_not_declared_is_refused() -> None:
    with pytest.raises(TypeError, match="Fee has no 'rat'"):
        Fee(rat=0.25)  # type: ignore[call-arg]


def test_what_has_no_default_must_be_given() -> None:
    @declared
    class Needed:
        """Has no default."""

        name: str = param("Name")

    with pytest.raises(TypeError, match="lacks 'name'"):
        Needed()  # type: ignore[call-arg]


def test_each_object_has_a_default_of_its_own() -> None:
    @declared
    class Holder:
        """Holds a mapping."""

        held: dict[str, int] = param("Held", factory=dict)

    assert Holder().held is not Holder().held


def test_one_field_can_be_replaced() -> None:
    assert dataclasses.replace(Fee(), rate=0.25) == Fee(rate=0.25)


def test_own_methods_stay() -> None:
    @declared
    class Named:
        """Shows itself otherwise."""

        name: str = param("Name", default="x")

        def __repr__(self) -> str:
            return self.name

    assert repr(Named()) == "x"


@declared
class Ruled:
    """Breaks its rule below zero."""

    n: int = param("Number", default=0)

    def faults(self) -> Iterator[tuple[str, str]]:
        if self.n < 0:
            yield "n", "is negative"


@declared
class Listing:
    """Some with a rule, some without, in lists and by name."""

    ruled: tuple[Ruled, ...] = param("With a rule", default=())
    fees: tuple[Fee, ...] = param("Without", default=())
    named: dict[str, Ruled] = param("By name", factory=dict)


def test_what_is_listed_is_built_and_its_rules_are_asked_in_order() -> None:
    plain = {"ruled": [{"n": 1}, {"n": -1}, {}], "fees": [{"rate": 0.1}], "named": {"a": {"n": -2}}}
    listing = build(Listing, plain)
    assert listing.ruled == (Ruled(n=1), Ruled(n=-1), Ruled())
    assert (listing.fees, listing.named) == ((Fee(rate=0.1),), {"a": Ruled(n=-2)})
    found = [("ruled.1.n", "is negative"), ("named.a.n", "is negative")]
    assert list(faults(listing)) == found
