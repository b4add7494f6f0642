"""The Mesa model: a scenario becomes a market, a market becomes an event log."""

from stresslab.model.exchange import ChangingModel
from stresslab.model.stress import StressModel

__all__ = ["ChangingModel", "StressModel"]
