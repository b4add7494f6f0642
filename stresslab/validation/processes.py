"""Runs callables side by side in processes that die with the one that started them."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

from stresslab.experiment.worker import ENVIRONMENT, die_with_parent

T = TypeVar("T")


def in_processes(calls: Sequence[Callable[[], T]], workers: int) -> Iterator[T]:
    """Yield what calls return, in their order; they run in spawned processes.

    Calls and what they return must pickle. Every process keeps to one thread.
    """
    os.environ.update({name: os.environ.get(name, value) for name, value in ENVIRONMENT.items()})
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=spawn, initializer=die_with_parent)
    try:
        started = [pool.submit(call) for call in calls]
        for each in started:
            yield each.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
