"""Chance has an address: a draw is a function of where it is used, never of what was drawn before.

The address is (seed, replicate, stream name, trader or asset id, step, draw number). Seed,
replicate and name make the key of a Philox generator; the rest is its counter. So adding a trader,
a draw or a worker moves no other number, and arms and design points share their luck. Only
correctly rounded operations are used, so a draw is the same number on every processor.

References
----------
Salmon, Moraes, Dror and Shaw (2011), Parallel random numbers: as easy as 1, 2, 3, SC'11.
"""

from __future__ import annotations

import hashlib

import numpy as np

from stresslab.core.compiled import kernel
from stresslab.core.portable import log, normal_quantile
from stresslab.core.wide import multiply_high

_MULTIPLIER_0 = np.uint64(0xD2E7470EE14C6C93)
_MULTIPLIER_1 = np.uint64(0xCA5A826395121157)
_WEYL_0 = np.uint64(0x9E3779B97F4A7C15)
_WEYL_1 = np.uint64(0xBB67AE8584CAA73B)
_ROUNDS = 10
_DROPPED_BITS = np.uint64(11)
_ODD = np.uint64(1)


class Streams:
    """The named streams of one replicate: ``streams["turn"]`` is the key of the stream *turn*.

    >>> Streams(seed=1010, replicate=0)["turn"].dtype
    dtype('uint64')
    """

    def __init__(self, seed: int, replicate: int) -> None:
        self.seed, self.replicate = seed, replicate
        self._keys: dict[str, np.ndarray] = {}

    def __getitem__(self, name: str) -> np.ndarray:
        """Return the key, two uint64 words, of the stream called ``name``."""
        if name not in self._keys:
            address = f"{self.seed}/{self.replicate}/{name}".encode()
            digest = hashlib.sha256(address).digest()
            self._keys[name] = np.frombuffer(digest[:16], dtype="<u8").astype(np.uint64)
        return self._keys[name]


class Draws:
    """The draws of one trader in one step, for a strategy written in plain Python.

    ``draw`` numbers the draws of one stream within the step; the same number gives the same value.
    """

    def __init__(self, streams: Streams, id: int, step: int) -> None:
        self._streams, self._id, self._step = streams, id, step

    def uniform(self, stream: str, draw: int = 0) -> float:
        """Return a number uniform in the open interval (0, 1)."""
        return float(uniform(self._streams[stream], self._id, self._step, draw))

    def normal(self, stream: str, draw: int = 0) -> float:
        """Return a standard normal number."""
        return float(normal(self._streams[stream], self._id, self._step, draw))

    def exponential(self, stream: str, draw: int = 0) -> float:
        """Return an exponential number of mean 1."""
        return float(exponential(self._streams[stream], self._id, self._step, draw))


@kernel
def uniform(key: np.ndarray, id: int, step: int, draw: int) -> float:
    """Return the uniform draw at an address, in the open interval (0, 1).

    The value is an odd multiple of 2**-53, so neither 0 nor 1 can occur and 1 - u is a value too.
    """
    word, _, _, _ = philox(key[0], key[1], np.uint64(id), np.uint64(step), np.uint64(draw))
    return np.float64((word >> _DROPPED_BITS) | _ODD) * 2.0**-53


@kernel
def normal(key: np.ndarray, id: int, step: int, draw: int) -> float:
    """Return the standard normal draw at an address, the quantile of its uniform draw."""
    return normal_quantile(uniform(key, id, step, draw))


@kernel
def exponential(key: np.ndarray, id: int, step: int, draw: int) -> float:
    """Return the exponential draw of mean 1 at an address."""
    return -log(uniform(key, id, step, draw))


def uniforms(key: np.ndarray, ids: np.ndarray, step: int, draw: int) -> np.ndarray:
    """Return the uniform draws of many ids at one step, shape ``(n_ids,)``."""
    values = np.empty(ids.size)
    _draw_uniforms(key, ids, step, draw, values)
    return values


@kernel
def _draw_uniforms(
    key: np.ndarray, ids: np.ndarray, step: int, draw: int, values: np.ndarray
) -> None:
    for place in range(ids.size):
        values[place] = uniform(key, ids[place], step, draw)


def normals(key: np.ndarray, ids: np.ndarray, step: int, draw: int) -> np.ndarray:
    """Return the standard normal draws of many ids at one step, shape ``(n_ids,)``."""
    values = np.empty(ids.size)
    _draw_normals(key, ids, step, draw, values)
    return values


@kernel
def _draw_normals(
    key: np.ndarray, ids: np.ndarray, step: int, draw: int, values: np.ndarray
) -> None:
    for place in range(ids.size):
        values[place] = normal(key, ids[place], step, draw)


@kernel
def philox(key_0: int, key_1: int, id: int, step: int, draw: int) -> tuple[int, int, int, int]:
    """Return the Philox4x64-10 block of the counter (id, step, draw, 0): four uint64 words."""
    a, b, c, d = id, step, draw, np.uint64(0)
    for _ in range(_ROUNDS):
        high_a, low_a = multiply_high(_MULTIPLIER_0, a), _MULTIPLIER_0 * a
        high_c, low_c = multiply_high(_MULTIPLIER_1, c), _MULTIPLIER_1 * c
        a, b, c, d = high_c ^ b ^ key_0, low_c, high_a ^ d ^ key_1, low_a
        key_0 += _WEYL_0
        key_1 += _WEYL_1
    return a, b, c, d
