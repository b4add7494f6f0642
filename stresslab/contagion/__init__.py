"""Contagion: who tipped whom over, projected from the event log of a run."""

from stresslab.contagion.columns import Tables
from stresslab.contagion.projection import Contagion

__all__ = ["Contagion", "Tables"]
