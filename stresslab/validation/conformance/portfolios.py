"""Examples of portfolio margin by scenarios, in the fields of the venue's test cases."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from stresslab.core.errors import StresslabError
from stresslab.margin.portfolio import (
    Collateral,
    Contingencies,
    Expiry,
    ForwardContingency,
    GridParameters,
    LossFactors,
    Option,
    Portfolio,
    Scenario,
    SkewShock,
    VolatilityShock,
    grid_margin,
)
from stresslab.margin.portfolio.scenarios import ABSOLUTE, DOWN, LINEAR, NONE, UP
from stresslab.validation.conformance.inputs import Inputs

Section = TypeVar("Section")

VOLATILITY_MOVES = {"none": NONE, "up": UP, "down": DOWN, "linear": LINEAR, "abs": ABSOLUTE}

#: Where the venue's sections of parameters go: its names against ours.
SECTIONS: dict[str, tuple[str, type, dict[str, str]]] = {
    "VolShock": (
        "volatility",
        VolatilityShock,
        {
            "VOLRANGEUP": "up",
            "VOLRANGEDOWN": "down",
            "MIN_VOL_EVAL_SHOCKED": "up_floor",
            "SHORTTERMPOWER": "short_power",
            "LONGTERMPOWER": "long_power",
            "DTE_FLOOR": "floor_days",
        },
    ),
    "SkewShock": (
        "skew",
        SkewShock,
        {
            "LINEAR_SCALE_CAP": "linear_cap",
            "LINEAR_CBASE": "linear_cap_slope",
            "ABS_SCALE_CAP": "absolute_cap",
            "ABS_CBASE": "absolute_cap_slope",
            "MIN_K_STAR": "least_width",
            "MIN_WIDTH_SCALE": "width_scale",
            "VOL_PARAM_STATIC": "width_volatility",
            "VOL_PARAM_SCALE": "width_volatility_slope",
        },
    ),
    "Margin": (
        "losses",
        LossFactors,
        {
            "MM_LOSS_FACTOR": "maintenance",
            "IM_LOSS_FACTOR": "initial",
            "BASE_STATIC_DISCOUNT": "long_discount",
            "BASE_STATIC_DISCOUNT_NEG": "short_discount",
            "LONG_RATE_MULTSCALE": "long_rate_scale",
            "LONG_RATE_ADDSCALE": "long_rate_addition",
            "SHORT_RATE_MULTSCALE": "short_rate_scale",
            "SHORT_RATE_ADDSCALE": "short_rate_addition",
        },
    ),
    "BasisContingency": (
        "forward",
        ForwardContingency,
        {
            "SCENARIO_SPOT_UP": "spot_up",
            "SCENARIO_SPOT_DOWN": "spot_down",
            "BASIS_CONT_ADD_FACTOR": "addition",
            "BASIS_CONT_MULT_FACTOR": "slope",
        },
    ),
    "OtherContingency": (
        "contingencies",
        Contingencies,
        {
            "PEG_LOSS_THRESHOLD": "peg_threshold",
            "PEG_LOSS_FACTOR": "peg_factor",
            "CONF_THRESHOLD": "confidence_threshold",
            "CONF_MARGIN": "confidence_margin",
            "MM_PERP_PERCENT": "perpetual_maintenance",
            "IM_PERP_PERCENT": "perpetual_initial",
            "MM_OPTION_PERCENT": "short_maintenance",
            "IM_OPTION_PERCENT": "short_initial",
        },
    ),
}


def grid(given: Inputs) -> dict[str, Any]:
    """Margins, and the worst of the regular, tail and skew scenarios."""
    scenarios = None
    if "scenarios" in given:
        scenarios = [_scenario(row) for row in given.get("scenarios")]
    margin = grid_margin(
        portfolio_of(Inputs(given.get("portfolio"))),
        parameters_of(given.get("params", default={})),
        scenarios,
    )
    return {
        "im": margin.initial,
        "mm": margin.maintenance,
        "worst_regular_tail_skew": margin.worst_scenario,
    }


def parameters_of(sections: Mapping[str, Mapping[str, Any]]) -> GridParameters:
    """Return grid parameters from the venue's sections; what is left out keeps its default."""
    return GridParameters(
        **{
            name: _section(cls, names, Inputs(sections.get(section, {})))
            for section, (name, cls, names) in SECTIONS.items()
        }
    )


def portfolio_of(given: Inputs) -> Portfolio:
    """Return a portfolio from the venue's fields."""
    unrealised = _float(given, "UnrealisedPerpPNL", 0) + _float(given, "UnrealisedFunding", 0)
    spot = _float(given, "SpotPrice")
    return Portfolio(
        spot=spot,
        cash=_float(given, "Cash", 0),
        perpetuals=_float(given, "NumPerps", 0),
        perpetual_price=_float(given, "PerpPrice", spot),
        unrealised=unrealised,
        stable_price=_float(given, "StablePrice", 1),
        spot_confidence=_float(given, "SpotConfidence", 1),
        perpetual_confidence=_float(given, "PerpConfidence", 1),
        expiries=_expiries(given.get("Options", default=[]), given.get("OptionFeeds", default=[])),
        collaterals=[_collateral(Inputs(row)) for row in given.get("Collaterals", default=[])],
    )


def _section(cls: type[Section], names: Mapping[str, str], given: Inputs) -> Section:
    return cls(**{ours: _float(given, theirs) for theirs, ours in names.items() if theirs in given})


def _collateral(given: Inputs) -> Collateral:
    return Collateral(
        amount=_float(given, "Amount"),
        price=_float(given, "Price"),
        moves_with_spot=_truth(given.get("IsRiskCancelling", default=False)),
        maintenance_haircut=_float(given, "MMHaircut", 0),
        initial_haircut=_float(given, "IMHaircut", 0),
        confidence=_float(given, "Confidence", 1),
    )


def _expiries(
    options: Sequence[Mapping[str, Any]], feeds: Sequence[Mapping[str, Any]]
) -> list[Expiry]:
    held: dict[float, list[Option]] = defaultdict(list)
    for given in map(Inputs, options):
        held[_float(given, "Expiry")].append(_option(given))
    known = {_float(feed, "FeedExpiry"): feed for feed in map(Inputs, feeds)}
    missing = sorted(set(held) - set(known))
    if missing:
        raise StresslabError(f"OptionFeeds: no feed for options expiring in {missing[0]:g} s")
    return [_expiry(seconds, known[seconds], held[seconds]) for seconds in sorted(held)]


def _expiry(seconds: float, feed: Inputs, options: list[Option]) -> Expiry:
    of_volatility = feed.get("OptionVolConfidences", default=1)
    listed = of_volatility if isinstance(of_volatility, list | tuple) else [of_volatility]
    confidences = [float(value) for value in listed]
    confidences += [_float(feed, "ForwardConfidence", 1), _float(feed, "RateConfidence", 1)]
    return Expiry(
        seconds=seconds,
        forward=_float(feed, "Forward"),
        rate=_float(feed, "Rate", 0),
        confidence=min(confidences),
        options=options,
    )


def _option(given: Inputs) -> Option:
    return Option(
        strike=_float(given, "Strike"),
        is_call=_truth(given.get("IsCall")),
        amount=_float(given, "Amount"),
        volatility=_float(given, "MarkVol"),
    )


def _scenario(row: Sequence[Any]) -> Scenario:
    spot, move, damping = (*row, 1)[:3]
    name = str(move).lower()
    return Scenario(float(spot), VOLATILITY_MOVES.get(name, name), float(damping))


def _truth(value: Any) -> bool:
    """Return a flag written as true, 1, "1" or "true"."""
    return str(value).lower() in ("true", "1", "1.0")


def _float(given: Inputs, name: str, default: float | None = None) -> float:
    return float(given.number(name, default=default))


KINDS = {"pm.scenario_grid_linear": grid, "pm.scenario_grid_options": grid}
