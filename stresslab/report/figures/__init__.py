"""The figures, each a chart in a file of its own; a new one is a file and a line here."""

from __future__ import annotations
