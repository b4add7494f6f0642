"""Analysis: polars in, polars out, every estimate with its interval."""

from stresslab.analysis.contrasts import contrasts, variance_reduction
from stresslab.analysis.distributions import ccdf, pooled_ccdf
from stresslab.analysis.frames import finished, points
from stresslab.analysis.headline import headline, headline_text
from stresslab.analysis.ratios import amplification, branching
from stresslab.analysis.replicates import over_replicates
from stresslab.analysis.summaries import probabilities, summarise, tail_means
from stresslab.analysis.thresholds import thresholds

__all__ = [
    "amplification",
    "branching",
    "ccdf",
    "contrasts",
    "finished",
    "headline",
    "headline_text",
    "over_replicates",
    "points",
    "pooled_ccdf",
    "probabilities",
    "summarise",
    "tail_means",
    "thresholds",
    "variance_reduction",
]
