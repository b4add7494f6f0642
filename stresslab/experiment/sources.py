"""Where a config's values come from: a file, the files it extends, overrides by path.

Mappings merge deeply. Scalars and lists replace; so does a mapping that says its ``kind``, and
``null`` in place of a mapping removes it, also by path; a design that is removed takes along what
the quick form says of it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from stresslab.experiment.documents import parse, read_document
from stresslab.experiment.faults import Fault, Path, Place
from stresslab.experiment.paths import NoSuchPath, Unclear, follow
from stresslab.experiment.reader import Document
from stresslab.experiment.shapes import Shape

LONGEST_CHAIN = 8  # files that extend each other
SET = "--set"
SMALL = "_small"  # ends the name of a quick form


@dataclass
class Source:
    """Merged values of a config, the places they were written at, and the faults of the texts."""

    name: str
    value: Any
    places: dict[Path, Place] = field(default_factory=dict)
    key_places: dict[Path, Place] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    is_whole: bool = True  # False when a file of the chain could not be read
    pack: str | None = None  # file that places of a venue's rules name, where the config is on one
    removed: list[Path] = field(default_factory=list)  # mappings that null took away

    def place(self, path: Path) -> Place:
        """Return where a value is written, or the nearest value around it."""
        return self._nearest(self.places, path)

    def key_place(self, path: Path) -> Place:
        """Return where the key of a value is written."""
        return self.key_places.get(path) or self.place(path)

    def _nearest(self, places: dict[Path, Place], path: Path) -> Place:
        for depth in range(len(path), -1, -1):
            if path[:depth] in places:
                return places[path[:depth]]
        return Place(self.name)


def from_file(file: str) -> Source:
    """Read a config file and everything it extends."""
    return _extended(file, chain=())


def from_mapping(value: Mapping[str, Any], name: str = "<config>") -> Source:
    """Take a config that Python code holds; data files are found from the current folder."""
    return Source(name, dict(value), {(): Place(name)})


def _extended(file: str, chain: tuple[str, ...]) -> Source:
    document = read_document(file)
    source = _source(file, document)
    source.is_whole = isinstance(document.value, dict)
    if not isinstance(document.value, dict) or "extends" not in document.value:
        return source
    base_file = source.value.pop("extends")
    place = source.place(("extends",))
    message = _extends_fault(file, base_file, chain)
    if message:
        source.faults.append(Fault(place, "extends", message))
        source.is_whole = False
        return source
    base = _extended(_beside(file, base_file), (*chain, file))
    source.faults = base.faults + source.faults
    if not base.is_whole:
        source.is_whole = False
        return source
    base.name, base.faults = file, source.faults
    before = _names(base.value.get("designs"))
    merge(base, source, ())
    _forget_quick_forms(base, before - _names(base.value.get("designs")))
    return base


def _names(designs: Any) -> set[str]:
    return set(designs) if isinstance(designs, dict) else set()


def _forget_quick_forms(source: Source, removed: set[str]) -> None:
    small = source.value.get("small")
    if not isinstance(small, dict):
        return
    for path in list(small):
        parts = str(path).split(".")
        if parts[0] == "designs" and len(parts) > 1 and parts[1] in removed:
            del small[path]
            _forget(source, ("small", path))


def _source(name: str, document: Document) -> Source:
    source = Source(name, document.value, document.places, document.key_places, document.faults)
    if not isinstance(source.value, dict) and not source.faults:
        message = "a config is a mapping of names to values, such as 'name: my_study'"
        source.faults.append(Fault(source.place(()), "", message))
    return source


def _extends_fault(file: str, base: Any, chain: tuple[str, ...]) -> str | None:
    if not isinstance(base, str) or not base:
        return f"found {base!r}; expected the path of a config file"
    target = _beside(file, base)
    if os.path.realpath(target) in {os.path.realpath(f) for f in (*chain, file)}:
        return "files extend each other in a circle: " + " -> ".join((*chain, file, target))
    if len(chain) + 1 >= LONGEST_CHAIN:
        return f"more than {LONGEST_CHAIN} files extend each other"
    if not os.path.isfile(target):
        return f"no such file: {target}"
    return None


def _beside(file: str, path: str) -> str:
    return os.path.normpath(os.path.join(os.path.dirname(file), path))


def merge(base: Source, over: Source, path: Path) -> None:
    """Lay ``over`` on ``base`` below ``path``, places included."""
    target, values = _at(base.value, path), _at(over.value, path)
    for key, value in values.items():
        where = (*path, key)
        below = target.get(key)
        if isinstance(value, dict) and isinstance(below, dict) and "kind" not in value:
            base.places[where] = over.place(where)
            base.key_places[where] = over.key_place(where)
            merge(base, over, where)
            continue
        _forget(base, where)
        if value is None and isinstance(below, dict):
            del target[key]
            base.removed.append(where)
            continue
        target[key] = value
        base.places[where] = over.place(where)
        _adopt(base, over, where)


def _at(value: Any, path: Path) -> Any:
    for part in path:
        value = value[part]
    return value


def _forget(source: Source, path: Path) -> None:
    for places in (source.places, source.key_places):
        for known in [p for p in places if p[: len(path)] == path]:
            del places[known]


def _adopt(base: Source, over: Source, path: Path) -> None:
    for mine, theirs in ((base.places, over.places), (base.key_places, over.key_places)):
        mine.update({p: place for p, place in theirs.items() if p[: len(path)] == path})


def apply_settings(source: Source, shape: Shape, settings: Sequence[str]) -> None:
    """Apply ``PATH=VALUE`` overrides, as given with ``--set``; values are YAML."""
    for setting in settings:
        path, _, text = setting.partition("=")
        if not path.strip() or not text.strip():
            message = f"found {setting!r}; expected PATH=VALUE"
            source.faults.append(Fault(Place(SET), "", message))
            continue
        document = parse(text, SET)
        source.faults.extend(Fault(Place(SET), path, f.message) for f in document.faults)
        if not document.faults:
            _set(source, shape, path.strip(), document.value, Place(SET))


def apply_small(source: Source, shape: Shape) -> None:
    """Apply the config's own ``small`` overrides: its quick form, which has a name of its own."""
    small = source.value.get("small")
    if isinstance(source.value.get("name"), str):
        source.value["name"] += SMALL
    for path, value in (small if isinstance(small, dict) else {}).items():
        _set(source, shape, path, value, source.place(("small", path)))


def _set(source: Source, shape: Shape, path: str, value: Any, place: Place) -> None:
    try:
        target = follow(shape, source.value, path, fill=True)
    except NoSuchPath as error:
        source.faults.append(Fault(place, path, str(error)))
        return
    except Unclear:
        return
    *parents, last = target.steps
    owner = _at(source.value, tuple(parents))
    _forget(source, target.steps)
    if value is None and isinstance(owner, dict) and isinstance(owner.get(last), dict):
        del owner[last]
        source.removed.append(target.steps)
        return
    owner[last] = value
    source.places[target.steps] = source.key_places[target.steps] = place
