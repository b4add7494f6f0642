"""The validation experiments by name; each is one file that defines ``EXPERIMENT``.

The order is that of the ladder: what later experiments rest on comes first. Files are imported
when asked for, since each may need the whole model.
"""

from __future__ import annotations

import importlib

from stresslab.core.errors import ConfigError
from stresslab.validation.experiment import Experiment

#: Name -> module in this folder.
EXPERIMENTS: dict[str, str] = {
    "conservation": "conservation",
    "borel": "borel",
    "agreement": "agreement",
    "criticality": "criticality",
    "hawkes": "hawkes",
    "cross-isolated": "cross_isolated",
    "firesale-eba": "firesale_eba",
    "vulnerable-banks": "vulnerable_banks",
    "contagion-window": "contagion_window",
    "overlapping-portfolios": "overlapping_portfolios",
    "debtrank": "debtrank",
    "adl-rules": "adl_rules",
    "book": "book",
    "leverage-tails": "leverage_tails",
    "stylised": "stylised",
    "oct10": "oct10",
}


def experiment(name: str) -> Experiment:
    """Return an experiment.

    Raises
    ------
    ConfigError
        If there is none of that name.
    """
    if name not in EXPERIMENTS:
        raise ConfigError(f"validate: {name!r} is unknown, allowed are {', '.join(EXPERIMENTS)}")
    found: Experiment = importlib.import_module(f"{__name__}.{EXPERIMENTS[name]}").EXPERIMENT
    return found
