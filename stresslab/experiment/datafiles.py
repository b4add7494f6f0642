"""Data files that a config names, known by their content."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from typing import Any

from stresslab.experiment.faults import Path
from stresslab.experiment.shapes import Shape, shapes

FOLDER = "data"  # of a run, where it keeps the data files it needs


def data_files(shape: Shape, value: Any, where: Path = ()) -> Iterator[tuple[Path, str]]:
    """Yield steps and value of every parameter that names a data file."""
    if not shape.may_name_files:
        return
    if shape.container is dict and isinstance(value, dict):
        for key, item in value.items():
            yield from data_files(shape.item, item, (*where, key))
    elif shape.container is tuple and isinstance(value, list):
        for place, item in enumerate(value):
            yield from data_files(shape.item, item, (*where, place))
    elif shape.declaration.is_path and isinstance(value, str):
        yield where, value
    elif (cls := shape.class_of(value)) is not None:
        for name, inner in shapes(cls).items():
            if name in value:
                yield from data_files(inner, value[name], (*where, name))


def renamed(shape: Shape, value: Any, rename: Callable[[str], str]) -> Any:
    """Return a plain value with every data file named anew; the original stays as it is."""
    for steps, file in list(data_files(shape, value)):
        value = replaced(value, steps, rename(file))
    return value


def replaced(value: Any, steps: Path, new: Any) -> Any:
    """Return nested values with one of them replaced; the original stays as it is."""
    if not steps:
        return new
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    copy[steps[0]] = replaced(copy[steps[0]], steps[1:], new)
    return copy


def at(value: Any, steps: Path) -> Any:
    """Return what stands deep inside nested values."""
    for step in steps:
        value = value[step]
    return value


def name_by_content(file: str) -> str:
    """Return the name of a data file inside a run: its own, with a digest of what it holds."""
    with open(file, "rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    stem, extension = os.path.splitext(os.path.basename(file))
    return f"{FOLDER}/{stem}-{digest[:16]}{extension}"
