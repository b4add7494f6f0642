"""A scenario's market before its first step, as theory sees it: pools, closures, impact."""

from stresslab.experiment.foresight.venue import foresee

__all__ = ["foresee"]
