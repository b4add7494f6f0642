from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from stresslab.experiment.documents import parse
from stresslab.experiment.written import config_text

VALUES = [
    *("5e-4", "1e5", "0o17", "0x1F", "1.", "null", "~", "", "true", "yes", "no", "12:30", "1_000"),
    *("2020-03-12", "<<", "=", "a: b", "- a", "*a", "&a", "# a", " a ", "two\nlines", "Größe", "'"),
    *(1e-05, 1e300, -0.0, 0.1 + 0.2, 5.0, 5, -(2**63), True, None, [], {}),
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_what_is_written_is_read_as_the_same(value: Any) -> None:
    written = {"a": {"b": value, "c": [value, {"d": value}]}}
    text = config_text(SimpleNamespace(written=written))  # type: ignore[arg-type]
    document = parse(text, "f")
    assert document.faults == []
    assert repr(document.value) == repr(written)
