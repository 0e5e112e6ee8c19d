"""One thread for numbers in each worker: workers of one machine would only hinder one another."""

import os
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Generic, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS")


def here() -> tuple[str, int]:
    """Return which process this is."""
    return platform.node(), os.getpid()


@dataclass(frozen=True)
class OneThread(Generic[P, R]):
    """A function that uses one thread in every process but the one where it was made."""

    function: Callable[P, R]
    home: tuple[str, int] = field(default_factory=here)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function."""
        if here() != self.home:
            use_one_thread()
        return self.function(*args, **kwargs)


def use_one_thread() -> None:
    """Let BLAS, OpenMP and Numba use one thread in this process from now on, loaded or not."""
    _limit_libraries()
    if numba := sys.modules.get("numba"):
        numba.set_num_threads(1)  # counts for this thread alone, so it is said each time


@cache
def _limit_libraries() -> None:
    from threadpoolctl import threadpool_limits

    os.environ.update(dict.fromkeys(_THREADS, "1"))
    if "numba" not in sys.modules:  # once it has threads, it takes a change for an error
        os.environ["NUMBA_NUM_THREADS"] = "1"
    threadpool_limits(limits=1)
