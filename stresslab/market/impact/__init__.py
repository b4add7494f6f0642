"""Impact laws: one file each, named in the table."""

from stresslab.market.impact.exponential import Exponential
from stresslab.market.impact.fixed_supply import FixedSupply
from stresslab.market.impact.law import ImpactLaw
from stresslab.market.impact.linear import Linear
from stresslab.market.impact.logarithmic import Logarithmic
from stresslab.market.impact.obizhaeva_wang import ObizhaevaWang
from stresslab.market.impact.power import Power
from stresslab.market.impact.square_root import SquareRoot

LAWS: dict[str, type[ImpactLaw]] = {
    "linear": Linear,
    "square_root": SquareRoot,
    "power": Power,
    "exponential": Exponential,
    "obizhaeva_wang": ObizhaevaWang,
    "logarithmic": Logarithmic,
    "fixed_supply": FixedSupply,
}

__all__ = ["LAWS", "ImpactLaw"]
