"""How a trader chooses a position's margin mode. One file and one line here add another."""

from __future__ import annotations

from stresslab.traders.choice.fixed_share import FixedShare
from stresslab.traders.choice.logit import Logit

CHOICES: dict[str, type] = {"fixed_share": FixedShare, "logit": Logit}
