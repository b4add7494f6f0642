"""Plain scalars of YAML 1.2 (core schema): nothing but null, true, false, numbers and text.

No dates, no ``yes``, no ``1_000``: what looks like text is text.
"""

from __future__ import annotations

import re

_NAMED = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_WHOLE = re.compile(r"[-+]?[0-9]+\Z")
_OTHER_BASE = re.compile(r"0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)\Z|\.(nan|NaN|NAN)\Z")

#: Digits that are read exactly; longer numbers fit no parameter and are read as floats.
LONGEST_INTEGER = 400


def read_scalar(text: str) -> bool | int | float | str | None:
    """Return the value of a plain scalar.

    >>> [read_scalar(t) for t in ("5", "5e-4", "yes", "true", "1_000", "2020-03-12")]
    [5, 0.0005, 'yes', True, '1_000', '2020-03-12']
    """
    if text in _NAMED:
        return _NAMED[text]
    if _WHOLE.match(text) and len(text) <= LONGEST_INTEGER:
        return int(text)
    if _OTHER_BASE.match(text) and len(text) <= LONGEST_INTEGER:
        return int(text, 0)
    if _NUMBER.match(text):
        return float(text)
    return float(text.replace(".", "", 1)) if _NOT_FINITE.match(text) else text
