"""The rules of a venue in words: descriptions and units come from the declarations."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

from stresslab.core.declarations import Declaration, Parameter, build, first_line, is_declared
from stresslab.core.errors import ConfigError
from stresslab.experiment.config import read_config
from stresslab.experiment.paths import nearest
from stresslab.experiment.shapes import declared_parameters
from stresslab.experiment.venues import read_pack
from stresslab.scenario import VENUES, Scenario

WIDTH = 80
SPOT = "spot"
MODE = "<mode>"

#: Stage -> what of a scenario belongs to it; a stage prints all parameters that stand there.
STAGES: dict[str, tuple[str, ...]] = {
    "margin": (
        f"margin.{MODE}.initial_margin_factor",
        "margin.max_leverage", "margin.portfolio", "margin.spot_haircut", "margin.collateral",
        "margin.requirement",
    ),
    "trigger": ("margin.breach_at_equality", "margin.call_levels", "margin.call_below_initial"),
    "closure": (
        f"margin.{MODE}.closure", "liquidation.liquidation_target",
        "liquidation.price_band", "liquidation.usd_per_step", "liquidation.pools_per_round",
        "liquidation.rounds_per_step",
    ),
    "fees": (
        "market.fees", f"margin.{MODE}.penalty_rate",
    ),
    "waterfall": (
        "liquidation.insurance_fund_usd", "liquidation.insurance_fund_by_asset_usd",
        "liquidation.socialised_loss",
    ),
    "adl": ("liquidation.adl", "liquidation.position_adl", "liquidation.profit_haircut"),
    "funding": ("market.funding",),
    "marks": ("market.mark", "market.circuit_breaker"),
}  # fmt: skip
_TITLES = {
    "margin": "Margin",
    "trigger": "Trigger: a pool is in breach when its equity is below maintenance margin",
    "closure": "Closure",
    "fees": "Fees and penalties",
    "waterfall": "Waterfall: insurance fund, then deleveraging, then socialised loss",
    "adl": "Deleveraging",
    "funding": "Funding",
    "marks": "Mark price and halts",
}


def lines(name: str, asset: str | None = None) -> Iterator[str]:
    """Yield the rules of a venue, 80 columns wide.

    Raises
    ------
    ConfigError
        If there is no such venue, or no table of the asset.
    """
    if name not in VENUES:
        near = nearest(name, VENUES)
        hint = f"; did you mean {near!r}?" if near else ""
        raise ConfigError(f"venue: {name!r} is unknown, allowed are {', '.join(VENUES)}{hint}")
    pack = read_pack(name).value
    rules = _rules(name, pack)
    yield f"{name}: {pack['title']}"
    yield from _wrapped(" ".join(pack["summary"].split()), "  ")
    for stage, paths in STAGES.items():
        yield ""
        yield _TITLES[stage]
        yield from _wrapped(f"Source: {pack['sources'][stage]}", "  ", "          ")
        if stage == "margin":
            yield from _tables(rules.margin.brackets, asset)
        for path in paths:
            yield from _at(rules, path)
    yield ""
    yield "Where the engine differs"
    for text in pack["differs"]:
        yield from _wrapped(text, "  - ", "    ")


def _rules(name: str, pack: dict[str, Any]) -> Scenario:
    """Return the venue's rules for the assets that it has tables of."""
    asset = {"initial_price_usd": 100.0, "tick_size_usd": 0.01, "lot_size": 1.0}
    assets: dict[str, Any] = dict.fromkeys(pack["scenario"]["margin"]["brackets"], asset)
    group = {"strategy": {"kind": "passive"}, "accounts": [{"wealth_usd": 1.0}]}
    values = {
        "name": "rules",
        "seed": 0,
        "scenario": {
            "venue": name,
            "step_seconds": 1.0,
            "duration_seconds": 1.0,
            "assets": {**assets, SPOT: {**asset, "kind": "spot"}},
            "traders": {"one": group},
        },
        "designs": {"one": {"replicates": 1}},
    }
    return build(Scenario, read_config(values).values["scenario"])


def _tables(brackets: dict[str, Any], asset: str | None) -> Iterator[str]:
    """Yield a line of every leverage table, or one of them whole."""
    if asset is not None:
        yield from _table(asset, brackets.get(asset) or brackets["default"])
        return
    yield "  Leverage tables, lowest and highest bracket: maintenance rate at leverage"
    for name, rows in brackets.items():
        low, high = rows[0], rows[-1]
        text = f"{low.maintenance_rate:.4g} at {low.max_leverage:g} x"
        if high is not low:
            text += (
                f", {len(rows)} brackets to {high.maintenance_rate:.4g} "
                f"at {high.max_leverage:.3g} x above {_short(high.floor_usd)} USD"
            )
        shown = "any other" if name == "default" else name
        yield from _wrapped(f"    {shown:<10} {text}", "", " " * 15)


def _table(name: str, rows: Any) -> Iterator[str]:
    yield f"  Leverage table of {name}"
    yield f"    {'above USD':>18} {'maintenance rate':>18} {'highest leverage':>18}"
    for row in rows:
        yield (
            f"    {row.floor_usd:>18,.0f} {row.maintenance_rate:>18.6g} {row.max_leverage:>16g} x"
        )


def _short(value: float) -> str:
    return f"{value / 1e6:g} million" if value >= 1e6 else f"{value:,.0f}"


def _at(rules: Scenario, path: str) -> Iterator[str]:
    """Yield what stands at a path; MODE in it is each margin mode, or both where they agree."""
    if MODE not in path:
        yield from _parameter(*_found(rules, path), "  ", [])
        return
    known, isolated = _found(rules, path.replace(MODE, "isolated"))
    _, cross = _found(rules, path.replace(MODE, "cross"))
    if isolated == cross:
        yield from _parameter(known, isolated, "  ", ["isolated and cross"])
        return
    yield from _parameter(known, isolated, "  ", ["isolated"])
    yield from _parameter(known, cross, "  ", ["cross"])


def _found(rules: Scenario, path: str) -> tuple[Declaration, Any]:
    *steps, last = path.split(".")
    owner: Any = rules
    for step in steps:
        owner = getattr(owner, step)
    return _known(owner)[last].declaration, getattr(owner, last)


def _known(value: Any) -> dict[str, Parameter]:
    cls: type = type(value)
    return declared_parameters(cls)


def _parameter(known: Declaration, value: Any, indent: str, modes: list[str]) -> Iterator[str]:
    if value in (None, {}, ()):
        return
    what = known.description + "".join(f", {mode}" for mode in modes)
    what = what.replace("`", "")
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _parameter(known, item, indent, [*modes, name])
    elif is_declared(type(value)):
        kind = next((n for n, cls in (known.kinds or {}).items() if cls is type(value)), None)
        head = f"{what}: {kind}" if kind else what
        yield from _wrapped(head, indent, indent + "  ")
        if kind:
            yield from _wrapped(first_line(type(value)).replace("``", ""), indent + "  ")
        for name, parameter in _known(value).items():
            inner = getattr(value, name)
            yield from _parameter(parameter.declaration, inner, indent + "  ", [])
    elif isinstance(value, tuple) and is_declared(type(value[0])):
        yield from _wrapped(what, indent, indent + "  ")
        for item in value:
            yield f"{indent}  {_row(item)}"
    else:
        yield from _wrapped(f"{what}: {_value(value, known.unit)}", indent, indent + "  ")


def _row(item: Any) -> str:
    parts = _known(item).items()
    return ", ".join(
        f"{name.removesuffix('_usd').replace('_', ' ')} "
        f"{_value(getattr(item, name), p.declaration.unit)}"
        for name, p in parts
    )


def _value(value: Any, unit: str) -> str:
    """Return a value with its unit; shares as percentages."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(_value(item, unit) for item in value)
    if isinstance(value, str):
        return value
    if unit.startswith(("of ", "per interval")):
        return f"{float(f'{100 * value:.6g}'):,g} % {unit}"
    return f"{value:,.10g} {unit}".rstrip()


def _wrapped(text: str, first: str, rest: str | None = None) -> list[str]:
    following = first if rest is None else rest
    return textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=following, break_on_hyphens=False
    )
