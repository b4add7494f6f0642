"""The config of a run, as one file: what the user's files said, merged, with local data files."""

from __future__ import annotations

import yaml

from stresslab.experiment.cells import Plan
from stresslab.experiment.scalars import read_scalar


def config_text(plan: Plan) -> str:
    """Return the YAML of a config that can be run again from the folder of its run.

    It has what the config, the files it extends and the overrides said; defaults are left out
    (they stand in ``resolved.json``).
    """
    return yaml.dump(plan.written, Dumper=_Writer, sort_keys=False, allow_unicode=True, width=100)


class _Writer(yaml.CSafeDumper):
    """Writes plain values so that the reader of configs finds the same ones."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _text(writer: _Writer, text: str) -> yaml.ScalarNode:
    """Quote what would be read as a number; the library knows the scalars of YAML 1.1 alone."""
    style = None if isinstance(read_scalar(text), str) else "'"
    return writer.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Writer.add_representer(str, _text)
