"""Philox word for word against numpy, and the shape of the draws."""

from __future__ import annotations

import hashlib
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stresslab.core import random

WORD = st.integers(0, 2**64 - 1)


@given(key=st.tuples(WORD, WORD), counter=st.tuples(WORD, WORD, WORD))
@settings(max_examples=300)
def test_the_block_is_numpys_philox_word_for_word(key, counter):
    words = random.philox(*(np.uint64(word) for word in key + counter))

    # numpy counts up before it makes a block, so it starts one below.
    value = sum(word << (64 * place) for place, word in enumerate(counter))
    oracle = np.random.Philox(key=np.array(key, np.uint64), counter=(value - 1) % 2**256)
    assert [int(word) for word in words] == oracle.random_raw(4).tolist()


def test_the_key_of_a_stream_is_fixed_by_seed_replicate_and_name():
    streams = random.Streams(1010, 3)

    digest = hashlib.sha256(b"1010/3/turn").digest()
    assert streams["turn"].tolist() == list(struct.unpack("<2Q", digest[:16]))
    assert streams["turn"].tolist() == random.Streams(1010, 3)["turn"].tolist()
    keys = [
        tuple(random.Streams(seed, replicate)[name])
        for seed in (1, 11)
        for replicate in (1, 11)
        for name in ("turn", "1/turn")
    ]
    assert len(set(keys)) == len(keys)


def test_uniform_draws_are_open_and_uniform():
    key = random.Streams(7, 0)["turn"]
    values = np.sort(random.uniforms(key, np.arange(100_000), 5, 0))

    assert 0.0 < values[0] and values[-1] < 1.0
    distance = np.abs(values - (np.arange(values.size) + 0.5) / values.size).max()
    assert distance < 1.95 / np.sqrt(values.size), "Kolmogorov-Smirnov at 99.9 %"


@pytest.mark.parametrize("axis", ["id", "step", "draw"])
def test_neighbouring_addresses_are_uncorrelated(axis):
    key = random.Streams(7, 0)["turn"]
    numbers = range(20_000)
    values = np.array([random.uniform(key, *_address(axis, n)) for n in numbers])

    assert np.unique(values).size == values.size
    assert abs(np.corrcoef(values[1:], values[:-1])[0, 1]) < 3.3 / np.sqrt(values.size)


def test_normal_and_exponential_draws_have_their_moments():
    key = random.Streams(7, 0)["size"]
    ids = np.arange(100_000)
    normal = random.normals(key, ids, 0, 0)
    exponential = np.array([random.exponential(key, id, 0, 0) for id in ids])

    error = 3.3 / np.sqrt(ids.size)
    assert abs(normal.mean()) < error
    assert abs(normal.std() - 1.0) < error
    assert abs(exponential.mean() - 1.0) < error
    assert exponential.min() > 0.0


def test_a_strategys_draws_are_the_kernels_numbers():
    streams = random.Streams(7, 2)
    draws = random.Draws(streams, id=12, step=30)

    assert draws.uniform("turn", 4) == random.uniform(streams["turn"], 12, 30, 4)
    assert draws.uniform("turn") == random.uniforms(streams["turn"], np.array([3, 12]), 30, 0)[1]
    assert draws.normal("turn") == random.normals(streams["turn"], np.array([12]), 30, 0)[0]
    assert draws.exponential("turn", 1) == random.exponential(streams["turn"], 12, 30, 1)


def test_new_ids_move_no_other_draw():
    key = random.Streams(7, 0)["turn"]
    few, many = (random.uniforms(key, np.arange(n), 9, 1) for n in (10, 1000))

    assert few.tolist() == many[:10].tolist()


def _address(axis: str, number: int) -> tuple[int, int, int]:
    return {"id": (number, 4, 1), "step": (4, number, 1), "draw": (4, 1, number)}[axis]
