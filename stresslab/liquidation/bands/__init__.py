"""Price bands: the worst price that a forced order may get. One file and one line here add one."""

from __future__ import annotations

from stresslab.liquidation.bands.band import PriceBand
from stresslab.liquidation.bands.bankruptcy import BankruptcyBand
from stresslab.liquidation.bands.fillable import FillableBand
from stresslab.liquidation.bands.from_mark import BandFromMark

BANDS: dict[str, type[PriceBand]] = {
    "from_mark": BandFromMark,
    "bankruptcy": BankruptcyBand,
    "fillable": FillableBand,
}

__all__ = ["BANDS", "PriceBand"]
