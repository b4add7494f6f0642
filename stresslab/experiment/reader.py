"""Walks the events of a YAML text and keeps the place of every value and of its key."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from stresslab.experiment.faults import Fault, Path, Place, dotted
from stresslab.experiment.scalars import read_scalar

DEEPEST = 40  # levels of nesting
MOST_VALUES = 30_000  # after aliases are expanded

MERGE_KEY = "<<"


@dataclass
class Document:
    """Plain values with the places of values and of their keys, and what is wrong with the text."""

    value: Any = None
    places: dict[Path, Place] = field(default_factory=dict)
    key_places: dict[Path, Place] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


class Unreadable(Exception):
    """The text cannot be read further; the fault is already noted."""


class Reader:
    """Walks the parser's events; an alias is read by walking its anchor's events again."""

    def __init__(self, text: str, file: str, document: Document) -> None:
        self.file, self.document = file, document
        self.events: list[Any] = list(yaml.parse(text, Loader=yaml.CSafeLoader))
        self.cursor = 0
        self.n_values = 0
        self.anchors: dict[str, int] = {}
        self.open_anchors: set[str] = set()

    def read(self) -> None:
        """Fill the document."""
        self.cursor = 2  # after the starts of stream and document
        if len(self.events) <= 3 or self._is_blank():
            self._fault(self.events[0], (), "the file is empty")
            return
        self.document.value = self._value(())
        while not isinstance(self.events[self.cursor], DocumentEndEvent):
            self.cursor += 1
        following = self.events[self.cursor + 1]
        if following is not self.events[-1]:
            self._fault(following, (), "a second document starts here; a config is one document")

    def _is_blank(self) -> bool:
        event = self.events[2]
        return isinstance(event, ScalarEvent) and not event.value and not event.style

    def _place(self, event: Any) -> Place:
        mark = event.start_mark
        if isinstance(event, ScalarEvent) and not event.style and not event.value:
            mark = self.events[self.cursor - 1].end_mark  # nothing is written: behind its key
        return Place(self.file, mark.line + 1, mark.column + 1)

    def _fault(self, event: Any, path: Path, message: str) -> None:
        self.document.faults.append(Fault(self._place(event), dotted(path), message))

    def _stop(self, event: Any, path: Path, message: str) -> None:
        self._fault(event, path, message)
        raise Unreadable

    def _value(self, path: Path) -> Any:
        event = self.events[self.cursor]
        self.document.places[path] = self._place(event)
        self._check_limits(event, path)
        self.cursor += 1
        if isinstance(event, AliasEvent):
            return self._aliased(event, path)
        self._check_tag(event, path)
        if event.anchor is None:
            return self._content(event, path)
        self.anchors[event.anchor] = self.cursor - 1
        self.open_anchors.add(event.anchor)
        value = self._content(event, path)
        self.open_anchors.discard(event.anchor)
        return value

    def _check_limits(self, event: Any, path: Path) -> None:
        self.n_values += 1
        if len(path) > DEEPEST:
            self._stop(event, path[:3], f"nested deeper than {DEEPEST} levels")
        if self.n_values > MOST_VALUES:
            message = f"more than {MOST_VALUES:,} values once aliases are expanded"
            self._stop(event, path[:3], message)

    def _check_tag(self, event: Any, path: Path) -> None:
        if event.tag is not None:
            self._fault(event, path, f"tag {event.tag!r} is not allowed; write a plain value")

    def _aliased(self, event: Any, path: Path) -> Any:
        if event.anchor in self.open_anchors:
            self._stop(event, path, f"alias '*{event.anchor}' contains itself")
        if event.anchor not in self.anchors:
            self._fault(event, path, f"alias '*{event.anchor}' has no anchor before it")
            return None
        back, self.cursor = self.cursor, self.anchors[event.anchor]
        value = self._value(path)
        self.cursor = back
        return value

    def _content(self, event: Any, path: Path) -> Any:
        if isinstance(event, MappingStartEvent):
            return self._mapping(path)
        if isinstance(event, SequenceStartEvent):
            return self._sequence(path)
        is_plain = not event.style and event.tag is None
        return read_scalar(event.value) if is_plain else event.value

    def _sequence(self, path: Path) -> list[Any]:
        values: list[Any] = []
        while not isinstance(self.events[self.cursor], SequenceEndEvent):
            values.append(self._value((*path, len(values))))
        self.cursor += 1
        return values

    def _mapping(self, path: Path) -> dict[str, Any]:
        values: dict[str, Any] = {}
        merged: list[Any] = []
        while not isinstance(self.events[self.cursor], MappingEndEvent):
            key_event = self.events[self.cursor]
            key = self._key(path)
            where = (*path, key)
            if key == MERGE_KEY:
                merged.append(self._value(where))
            elif key in values:
                first = self.document.key_places[where].line
                self._fault(key_event, where, f"'{key}' is written twice, first in line {first}")
                self._skip(where)
            else:
                self.document.key_places[where] = self._place(key_event)
                values[key] = self._value(where)
        self.cursor += 1
        for source in merged:
            self._merge(values, source, path)
        return values

    def _key(self, path: Path) -> str:
        event = self.events[self.cursor]
        if not isinstance(event, ScalarEvent):
            self._stop(event, path, "a key must be a name, not a list, mapping or alias")
        self._check_tag(event, path)
        self.cursor += 1
        return str(event.value)

    def _skip(self, path: Path) -> None:
        places = dict(self.document.places), dict(self.document.key_places)
        self._value(path)
        self.document.places, self.document.key_places = places

    def _merge(self, values: dict[str, Any], source: Any, path: Path) -> None:
        """Take what ``<<`` offers and the mapping does not say itself."""
        for part in source if isinstance(source, list) else [source]:
            if not isinstance(part, dict):
                place = self.document.places[(*path, MERGE_KEY)]
                message = f"'{MERGE_KEY}' merges a mapping"
                self.document.faults.append(Fault(place, dotted(path), message))
                continue
            for key in [k for k in part if k not in values]:
                values[key] = part[key]
        if isinstance(source, dict):
            _move_places(self.document, (*path, MERGE_KEY), path)


def _move_places(document: Document, source: Path, target: Path) -> None:
    depth = len(source)
    for places in (document.places, document.key_places):
        for path in [p for p in places if p[:depth] == source and len(p) > depth]:
            places.setdefault((*target, *path[depth:]), places[path])
