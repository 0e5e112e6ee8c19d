"""What numbers are: arrays, and how NumPy treats overflow and the like while nurecoil computes."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

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

    Numbers that are too small become zero, as they should. What the caller ignores stays ignored.
    """

    @wraps(function)
    def compute(*arguments: Arguments.args, **named: Arguments.kwargs) -> Answer:
        ignored = {kind: how for kind, how in np.geterr().items() if how == "ignore"}
        with np.errstate(**(_USUAL | ignored)):  # type: ignore[arg-type]
            return function(*arguments, **named)

    return compute


def unwarned() -> np.errstate:
    """Return a context in which numbers become infinite or NaN without a word: what is found is checked."""
    return np.errstate(over="ignore", invalid="ignore", divide="ignore")
