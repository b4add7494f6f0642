"""A YAML text becomes plain values, and every value remembers where it was written."""

from __future__ import annotations

from pathlib import Path as FilePath

from yaml import MarkedYAMLError, YAMLError

from stresslab.experiment.faults import Fault, Place
from stresslab.experiment.reader import Document, Reader, Unreadable

LARGEST_FILE = 4 << 20  # bytes


def read_document(file: str) -> Document:
    """Read a file; whatever is wrong with it is in ``faults``, nothing is raised."""
    document = Document()
    try:
        document = parse(_text(file), file)
    except Unreadable as reason:
        document.faults.append(Fault(Place(file, 1, 1), "", str(reason)))
    except UnicodeDecodeError as error:
        message = f"byte 0x{error.object[error.start]:02x} is not UTF-8; save the file as UTF-8"
        document.faults.append(Fault(_place_of_byte(file, error), "", message))
    return document


def parse(text: str, file: str) -> Document:
    """Read a text that stands in a file, or came from somewhere that is named like one."""
    document = Document()
    try:
        Reader(text, file, document).read()
    except Unreadable:
        pass
    except MarkedYAMLError as error:
        index = _index(error)
        place = Place(file, *_line_and_column(text, index))
        document.faults.append(Fault(place, "", _wording(error, text, index)))
    except YAMLError as error:
        place = Place(file, *_line_and_column(text, getattr(error, "position", 0)))
        document.faults.append(Fault(place, "", "a control character is not allowed here"))
    return document


def _text(file: str) -> str:
    path = FilePath(file)
    if path.is_dir():
        raise Unreadable("this is a folder; a config file is expected")
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise Unreadable(f"larger than {LARGEST_FILE >> 20} MB; a config is a short text")
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise Unreadable("no such file") from None
    except OSError as error:
        raise Unreadable(f"cannot be read: {error.strerror}") from error


def _place_of_byte(file: str, error: UnicodeDecodeError) -> Place:
    before = error.object[: error.start]
    line = before.count(b"\n") + 1
    return Place(file, line, error.start - (before.rfind(b"\n") + 1) + 1)


def _line_and_column(text: str, index: int) -> tuple[int, int]:
    before = text[:index]
    return before.count("\n") + 1, index - (before.rfind("\n") + 1) + 1


def _index(error: MarkedYAMLError) -> int:
    mark = error.problem_mark or error.context_mark
    return mark.index if mark else 0


def _wording(error: MarkedYAMLError, text: str, index: int) -> str:
    if text[index : index + 1] == "\t":
        return "a tab is not allowed here; indent with spaces"
    problem = (error.problem or "").replace("did not find expected", "expected")
    if problem.startswith("expected"):
        problem += f", found {text[index]!r}" if text[index:] else ", found the end of the text"
    context = f" ({error.context})" if error.context else ""
    hint = (
        "; check the indentation, and quote a text that holds ': '"
        if problem.startswith("mapping values")
        else ""
    )
    return f"not valid YAML: {problem}{context}{hint}"
