"""Errors that stresslab raises on purpose."""

from __future__ import annotations


class StresslabError(Exception):
    """Base of every deliberate error; ``exit_code`` is what the command line returns."""

    exit_code = 1


class ConfigError(StresslabError):
    """A config or a command that cannot be used as it stands."""

    exit_code = 2


class DamagedResultsError(StresslabError):
    """Stored results whose bytes do not match their checksum, or that cannot be read."""

    exit_code = 3


class StorageError(StresslabError):
    """Results cannot be written: the disk is full or the folder is read-only."""


class InvariantError(StresslabError):
    """The kernel broke a conservation law; the message names step, pool and amounts."""
