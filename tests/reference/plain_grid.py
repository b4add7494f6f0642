"""The scenario grid from the words, scenario by scenario, in whole micro-USD and Fractions.

The engine needs only the worst fall and the worst rise.
"""

from __future__ import annotations

from fractions import Fraction


def up(amount):
    """Return a Fraction rounded up to the micro-USD."""
    return -(-amount.numerator // amount.denominator)


def grid_need(rules, spot, values, level, add_ons=None):
    """Return what a declared grid asks of signed micro-USD by asset name, spot haircuts aside.

    ``level`` is 0 for maintenance and 1 for initial margin; ``add_ons`` come on top of the charge
    on an asset's notional.
    """
    f = {
        name: Fraction(str(value))
        for name, value in vars(rules).items()
        if isinstance(value, float)
    }
    factor = f["initial_factor"] if level else f["maintenance_factor"]
    charge = f["perpetual_addition"] + (f["perpetual_initial_addition"] if level else 0)
    members = [list(names) for names in rules.classes.values()]
    grouped = {name for names in members for name in names}
    members += [[name] for name in values if name not in grouped and name not in spot]
    total = 0
    for names in members:
        held = {name: values.get(name, 0) for name in names}
        scale = {name: Fraction(str(rules.move_scale.get(name, 1.0))) for name in names}
        longs = sum(up(v * scale[n]) for n, v in held.items() if v > 0)
        shorts = sum(up(-v * scale[n]) for n, v in held.items() if v < 0)
        offset = int(min(longs, shorts) * f["hedge_credit"])
        losses = [0]
        for scenario in rules.scenarios:
            losing = longs if scenario.rate < 0 else shorts
            losses.append(up((losing - offset) * abs(scenario.rate)))
        losses += [up(up(abs(v) * scale[n]) * f["break_move"]) for n, v in held.items()]
        least = up(abs(longs - shorts) * f["floor_of_net"])
        least += up(min(longs, shorts) * f["floor_of_hedged"])
        total += max(up(max(losses) * factor), least)
        more = {name: charge + (add_ons or {}).get(name, 0) for name in names}
        total += sum(up(abs(v) * more[n]) for n, v in held.items() if n not in spot)
    return total
