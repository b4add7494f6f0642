"""Dynamic margin: add-ons to the brackets' rates that follow the market. One file each."""

from stresslab.margin.requirement.announced import Announced
from stresslab.margin.requirement.depth import Depth
from stresslab.margin.requirement.open_interest import OpenInterest
from stresslab.margin.requirement.volatility import Volatility

RequirementPart = Volatility | Depth | OpenInterest | Announced

REQUIREMENTS: dict[str, type] = {
    "volatility": Volatility,
    "depth": Depth,
    "open_interest": OpenInterest,
    "announced": Announced,
}
