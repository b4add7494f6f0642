"""By what the leg is chosen that a policy closes first; the highest score, ties by asset."""

from __future__ import annotations

LARGEST_MAINTENANCE, LARGEST_NOTIONAL, LARGEST_LOSS, MOST_LIQUID = range(4)

#: Names in a config: maintenance margin, notional, loss since entry, or depth within 1 % of the
#: mark on the side that the closing order takes, all valued at the round's marks.
LEGS = {
    "largest_maintenance": LARGEST_MAINTENANCE,
    "largest_notional": LARGEST_NOTIONAL,
    "largest_loss": LARGEST_LOSS,
    "most_liquid": MOST_LIQUID,
}
