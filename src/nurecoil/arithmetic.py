"""What numbers are: arrays, and how NumPy and BLAS work while nurecoil computes."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from threading import Lock
from typing import ParamSpec, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

Array: TypeAlias = NDArray[np.float64]
Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")

# glibc gives the memory of large arrays back at once, and the system takes some 3 µs to provide each 4 kB
# again, as long as is computed with them. It keeps up to twice the largest block that was ever freed, of
# 32 MB at most (mallopt(3), M_MMAP_THRESHOLD): so one is freed that nobody has touched
np.empty(4_000_000)

_USUAL = {"divide": "warn", "over": "warn", "invalid": "warn", "under": "ignore"}  # NumPy's default


def pair(values: Array) -> tuple[float, float]:
    """Return two numbers of an array as a pair."""
    first, second = values.tolist()
    return first, second


def undisturbed(function: Callable[Arguments, Answer]) -> Callable[Arguments, Answer]:
    """Return a function that computes the same under any `numpy.errstate` of its caller.

    Numbers that are too small become zero, as they should. What the caller ignores stays ignored. BLAS has
    one thread meanwhile.
    """

    @wraps(function)
    def compute(*arguments: Arguments.args, **named: Arguments.kwargs) -> Answer:
        ignored = {kind: how for kind, how in np.geterr().items() if how == "ignore"}
        with _one_thread(), np.errstate(**(_USUAL | ignored)):  # type: ignore[arg-type]
            return function(*arguments, **named)

    return compute


class _Computing:
    """How many functions compute at this moment, in all threads, and what gives BLAS its own back."""

    lock, number, limits = Lock(), 0, ExitStack()


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let BLAS use one thread: products are small, and to wake more costs 10 ms each where others compute."""
    with _Computing.lock:
        if not _Computing.number:
            _Computing.limits.enter_context(threadpool_limits(limits=1, user_api="blas"))
        _Computing.number += 1
    try:
        yield
    finally:
        with _Computing.lock:
            _Computing.number -= 1
            if not _Computing.number:
                _Computing.limits.close()


def unwarned() -> np.errstate:
    """Return a context in which numbers become infinite or NaN without a word: what is found is checked."""
    return np.errstate(over="ignore", invalid="ignore", divide="ignore")
