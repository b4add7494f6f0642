"""What a figure says when a run holds nothing for it."""

from __future__ import annotations

from stresslab.core.errors import StresslabError


class NotInRun(StresslabError):
    """The run holds nothing for this figure; the message is the reason shown in the report."""
