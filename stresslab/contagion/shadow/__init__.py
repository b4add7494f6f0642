"""Shadows: who would have stood, had some liquidations not moved prices.

A pool's X = equity - maintenance margin is followed from its first breach along the realised path,
with the positions that it held then, and what a set of liquidations ate of it is added back. It is
saved if X never falls below zero again. Its own forced sales, and those of its account's other
pools, are always added back: they would not have happened. A pool that its own orders had emptied
by then is asked what these would have fetched at the better price.

That is a first-order answer. It knows nothing of who else is saved and then does not sell, of
traders who act otherwise, or of new victims; a twin that is run again knows.
"""

from stresslab.contagion.shadow.path import Path, price_path
from stresslab.contagion.shadow.shadow import Shadow
from stresslab.contagion.shadow.terms import Terms

__all__ = ["Path", "Shadow", "Terms", "price_path"]
