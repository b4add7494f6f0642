"""Arms are told apart by colour-blind readers, in grey, and when their lines are equal."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from stresslab.report.style import KNOWN, SPARE, strokes

# Machado, Oliveira and Fernandes (2009), severity 1, in linear light.
DEUTERANOPIA = np.array(
    [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ]
)
PROTANOPIA = np.array(
    [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ]
)


def linear(colour: str) -> np.ndarray:
    rgb = np.array(to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lightness(colour: str) -> float:
    """CIE L* of a colour: what remains of it in print without colour."""
    return float(116 * np.cbrt(linear(colour) @ [0.2126, 0.7152, 0.0722]) - 16)


def test_the_arms_of_the_headline_study_differ_in_grey() -> None:
    greys = sorted(lightness(s.colour) for s in KNOWN.values())
    assert len(greys) == 4
    assert min(b - a for a, b in itertools.pairwise(greys)) > 10


@pytest.mark.parametrize("vision", [DEUTERANOPIA, PROTANOPIA])
def test_the_arms_of_the_headline_study_differ_for_colour_blind_readers(vision: np.ndarray) -> None:
    seen = [vision @ linear(s.colour) for s in KNOWN.values()]
    gaps = [float(np.linalg.norm(a - b)) for a, b in itertools.combinations(seen, 2)]
    assert min(gaps) > 0.1


def test_no_two_strokes_share_their_colour_or_their_marker() -> None:
    for name in ("colour", "marker"):
        values = [getattr(s, name) for s in SPARE]
        assert len(values) == len(set(values))


def test_a_known_arm_always_looks_the_same_and_a_later_one_is_thinner() -> None:
    alone, among = strokes(["cross"]), strokes(["isolated", "cross", "mine"])
    assert (alone["cross"].colour, alone["cross"].dash) == (
        among["cross"].colour,
        among["cross"].dash,
    )
    widths = [s.width for s in among.values()]
    assert widths == sorted(widths, reverse=True)
    assert len(set(widths)) == 3
    assert among["mine"].colour not in {among["isolated"].colour, among["cross"].colour}


def test_more_arms_than_colours_still_get_strokes() -> None:
    many = strokes(f"arm_{n}" for n in range(20))
    assert len(many) == 20
    assert all(s.width > 0.5 for s in many.values())
