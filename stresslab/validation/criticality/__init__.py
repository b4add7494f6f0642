"""Theory of a config's cascades before the first step, held against what is simulated."""

from stresslab.validation.criticality.comparison import Comparison, compare
from stresslab.validation.criticality.forecast import Forecast, forecast
from stresslab.validation.criticality.sweep import Sweep

__all__ = ["Comparison", "Forecast", "Sweep", "compare", "forecast"]
