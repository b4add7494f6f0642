"""Published worked examples, evaluated by the functions that own the rules.

An example has a kind, inputs and expected values; this package only reads the inputs and names
the function. One file per family of kinds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from stresslab.validation.conformance import (
    accounts,
    collateral,
    funding,
    initial_margins,
    liquidation_prices,
    liquidations,
    order_books,
    portfolios,
)
from stresslab.validation.conformance.inputs import Inputs

Evaluator = Callable[[Inputs], dict[str, Any]]

KINDS: dict[str, Evaluator] = {
    **liquidation_prices.KINDS,
    **initial_margins.KINDS,
    **accounts.KINDS,
    **collateral.KINDS,
    **liquidations.KINDS,
    **funding.KINDS,
    **portfolios.KINDS,
    **order_books.KINDS,
}


def evaluate(kind: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a worked example of a kind gives, under the names of its expected values.

    Parameters
    ----------
    kind : one of ``KINDS``
    inputs : as in the example; numbers may be ints, floats or decimal texts

    Raises
    ------
    KeyError
        When the kind is unknown.
    StresslabError
        When an input is missing or makes no sense; the message names it.

    >>> evaluate("bankruptcy_price.linear_isolated", {"side": "long", "entry": 100, "leverage": 5})
    {'bankruptcy_price': 80.0}
    """
    return KINDS[kind](Inputs(inputs))
