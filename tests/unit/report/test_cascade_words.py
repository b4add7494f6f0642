"""What is written into the picture of a small cascade is what the cascade was."""

from __future__ import annotations

import numpy as np

from stresslab.contagion import Contagion, Tables
from stresslab.report.cascade_words import with_words
from stresslab.report.cascades import episode_frames, largest_episode
from tests.contract.contagion.test_graphs import deleveraged
from tests.unit.contagion.cases import hand_cascade


def told(log: Tables) -> tuple[dict[str, str], dict[tuple[str, str], str]]:
    """Return the words of nodes and edges."""
    run = Contagion(log)
    frames = with_words(run, episode_frames(run, largest_episode(run)))
    nodes = dict(frames["nodes"].select("node", "words").rows())
    edges = {(a, b): words for a, b, words in
             frames["edges"].select("source", "target", "words").rows()}  # fmt: skip
    return nodes, edges


def test_the_hand_cascade_is_told_by_account_and_margin_eaten() -> None:
    """Account 3 is the only one of its group; half of what felled the last was the index."""
    log = hand_cascade()
    log["accounts"]["group"] = np.array(["many", "many", "carl", "many"], object)
    nodes, edges = told(log)
    assert nodes == {"0": "1\n900 USD by index", "1": "2", "2": "carl", "3": "4"}
    assert edges == {
        ("0", "1"): "450 USD by its orders",
        ("1", "2"): "216 USD by its orders",
        ("1", "3"): "90 USD by its orders",
    }


def test_deleveraging_is_told_from_orders() -> None:
    """Of 8 USD that the first ate 6 went by deleveraging."""
    assert told(deleveraged())[1] == {("0", "1"): "8 USD mostly by deleveraging"}
