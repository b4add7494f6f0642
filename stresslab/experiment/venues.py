"""Venue packs: the rules of a venue, taken by name as the base of a config's own.

``scenario.venue: NAME`` lays the pack ``stresslab/venues/NAME.yaml`` under what the config says.
Tables by asset of a pack may hold more assets than the config trades, and a ``default`` for those
that they do not name; the config gets tables of its own assets, and nothing else.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any

from stresslab.experiment.documents import parse
from stresslab.experiment.faults import Path
from stresslab.experiment.paths import nearest
from stresslab.experiment.reader import Document
from stresslab.experiment.sources import Source, merge
from stresslab.scenario import VENUES, venue_file

ROOT = "scenario"
AT = (ROOT, "venue")
PATH = ".".join(AT)
#: What a pack may say, and what an arm with another venue changes.
SECTIONS = ("market", "margin", "liquidation")
DEFAULT = "default"
#: Tables by asset, and the kind of contract that their default is for.
_TABLES: dict[Path, str] = {
    (ROOT, "margin", "brackets"): "perpetual",
    (ROOT, "margin", "max_leverage"): "perpetual",
    (ROOT, "margin", "collateral"): "spot",
    (ROOT, "liquidation", "insurance_fund_by_asset_usd"): "perpetual",
}
_BRACKETS: Path = (ROOT, "margin", "brackets")
_PARTS: Path = (ROOT, "margin", "requirement")
_CLASSES: Path = (ROOT, "margin", "portfolio", "classes")


def read_pack(name: str) -> Document:
    """Return the document of a pack; places name it as ``venues/NAME.yaml``."""
    return parse(venue_file(name).read_text("utf-8"), label(name))


def label(name: str) -> str:
    """Return how messages call the file of a pack."""
    return f"venues/{name}.yaml"


def chosen_venue(source: Source, settings: Sequence[str], *, small: bool) -> str | None:
    """Return the venue that a config ends up with: that of ``--set``, its quick form or its own."""
    scenario = source.value.get(ROOT)
    chosen = scenario.get("venue") if isinstance(scenario, dict) else None
    quick = source.value.get("small") if small else None
    if isinstance(quick, dict):
        chosen = quick.get(PATH, chosen)
    for setting in settings:
        path, _, text = setting.partition("=")
        if path.strip() == PATH:
            chosen = parse(text, PATH).value
    return chosen if isinstance(chosen, str) else None


def on_venue(source: Source, venue: str | None) -> Source:
    """Return a config laid over the pack of a venue.

    Over the nearest one if there is none of that name, so that the rest of it can be judged.
    """
    if venue is None:
        return source
    name = venue if venue in VENUES else nearest(venue, VENUES) or VENUES[0]
    document = read_pack(name)
    rules = {ROOT: document.value[ROOT]}
    scenario = source.value.get(ROOT)
    _fit_to_assets(document, rules, scenario.get("assets") if isinstance(scenario, dict) else None)
    base = Source(source.name, rules, document.places, document.key_places, source.faults)
    base.places[()] = source.place(())
    base.is_whole, base.pack = source.is_whole, label(name)
    merge(base, source, ())
    _drop_nulls(base)
    return base


def own_values(source: Source) -> dict[str, Any]:
    """Return what the config itself says, without what its venue says."""
    values: dict[str, Any] = _own(source, source.value, ())
    for path in source.removed if source.pack else ():
        owner = values
        for step in path[:-1]:
            owner = owner.setdefault(str(step), {})
        owner[str(path[-1])] = None
    return values


def _own(source: Source, value: Any, path: Path) -> Any:
    if source.pack is None or not isinstance(value, dict):
        return value
    kept = {}
    for key, item in value.items():
        where = (*path, key)
        if _is_own(source, item, where):
            kept[key] = _own(source, item, where)
    return kept


def _is_own(source: Source, value: Any, path: Path) -> bool:
    if isinstance(value, dict) and value:
        return any(_is_own(source, item, (*path, key)) for key, item in value.items())
    return source.place(path).file != source.pack


def _fit_to_assets(document: Document, rules: dict[str, Any], assets: Any) -> None:
    """Turn tables by asset into tables of the config's own assets."""
    kinds = {name: _kind(asset) for name, asset in (assets or {}).items()}
    listed = set(_at(rules, _BRACKETS) or {})
    for path, kind in _TABLES.items():
        table = _at(rules, path)
        if isinstance(table, dict):
            _fit_table(document, table, path, [name for name in kinds if kinds[name] == kind])
    others = [name for name, kind in kinds.items() if kind == "perpetual" and name not in listed]
    parts = _at(rules, _PARTS) or {}
    for name, part in list(parts.items()):
        if "assets" in part:
            part["assets"] = list(_named(part["assets"], list(kinds), others))
            if not part["assets"]:
                del parts[name]
    classes = _at(rules, _CLASSES) or {}
    for name, members in classes.items():
        classes[name] = list(_named(members, list(kinds), others))


def _drop_nulls(base: Source) -> None:
    """Let null also take away a part that this venue does not have: another one may."""
    parts = _at(base.value, _PARTS)
    for name in [n for n in parts if parts[n] is None] if isinstance(parts, dict) else ():
        del parts[name]
        base.removed.append((*_PARTS, name))


def _kind(asset: Any) -> str:
    return str(asset.get("kind", "perpetual")) if isinstance(asset, dict) else "perpetual"


def _at(value: Any, path: Path) -> Any:
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _fit_table(document: Document, table: dict[str, Any], path: Path, assets: list[str]) -> None:
    for name in [name for name in assets if name not in table and DEFAULT in table]:
        table[name] = copy.deepcopy(table[DEFAULT])
        place = document.places[(*path, DEFAULT)]
        document.places[(*path, name)] = document.key_places[(*path, name)] = place
    for name in [name for name in table if name not in assets]:
        del table[name]


def _named(names: list[str], known: list[str], others: list[str]) -> Iterator[str]:
    for name in names:
        if name == DEFAULT:
            yield from others
        elif name in known:
            yield name
