"""The margin of one account on a venue, by the rules and the kernels that the engine calls."""

from stresslab.calculator.account import Holding, Holdings, read_holdings
from stresslab.calculator.check import MarginCheck, check_margin

__all__ = ["Holding", "Holdings", "MarginCheck", "check_margin", "read_holdings"]
