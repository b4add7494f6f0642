"""The config of a run, as one file: what the user's files said, merged, with local data files."""

from __future__ import annotations

import io

from ruamel.yaml import YAML

from stresslab.experiment.cells import Plan
from stresslab.experiment.config import Config


def config_text(config: Config, plan: Plan) -> str:
    """Return the YAML of a config that can be run again from the folder of its run.

    It has what the config, the files it extends and the overrides said; defaults are left out
    (they stand in ``resolved.json``).
    """
    writer = YAML(typ="safe", pure=True)
    writer.default_flow_style = False
    writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    writer.width = 100
    buffer = io.StringIO()
    writer.dump(plan.written, buffer)
    return buffer.getvalue()
