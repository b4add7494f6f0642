"""The page on margin examples shows what happens, and names every kind and its owner."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

from stresslab.validation.conformance import KINDS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "how-to" / "check-a-margin-example.md"


def test_the_page_runs_as_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    code = "\n".join(re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.M | re.S))
    session = doctest.DocTestParser().get_doctest(code, {}, PAGE.name, str(PAGE), 0)

    failed, tried = doctest.DocTestRunner(optionflags=doctest.IGNORE_EXCEPTION_DETAIL).run(session)

    assert tried > 15
    assert failed == 0


def test_the_error_shown_is_the_error_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tracebacks are compared here, where the module path of the error does not matter."""
    from stresslab.core.errors import StresslabError
    from stresslab.validation.conformance import evaluate

    (shown,) = re.findall(r"StresslabError: (.*)", PAGE.read_text("utf-8"))

    with pytest.raises(StresslabError) as raised:
        evaluate("bankruptcy_price.linear_isolated", {"side": "long", "leverage": 50})
    assert str(raised.value) == shown


def test_every_kind_stands_in_the_table_with_a_file_that_exists() -> None:
    rows = re.findall(r"^\| (`.*`) \| (`.*) \|$", PAGE.read_text("utf-8"), re.M)
    kinds = [kind for names, _ in rows for kind in re.findall(r"`([^`]+)`", names)]
    files = [path for _, owner in rows for path in re.findall(r"`([\w/]+\.py)`", owner)]

    assert sorted(kinds) == sorted(KINDS)
    assert len(files) == len(rows) > 15
    assert [path for path in files if not (ROOT / "stresslab" / path).exists()] == []
