"""How the loops are compiled, when they are compiled again, and which threads share them.

Each function that another calls is optimised again inside it, so that few levels and few loops compile soon.
"""

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numba import get_num_threads, njit
from numba.core import event

from nurecoil.likelihood import morphing, newton, objective
from nurecoil.progress import tell

FAST = {"reassoc", "contract", "arcp", "nsz"}  # sums may be reordered; NaN and infinity stay what they are

_LOOPS = {"fastmath": FAST, "error_model": "numpy", "no_cfunc_wrapper": True}
_OUTERMOST = {**_LOOPS, "nogil": True, "cache": True}

# Without `nrt` no references to arrays are counted, which costs more than the sums; nothing may be allocated.
# What Python does not call needs no wrapper, into which it would be compiled once more
_INNER = {**_LOOPS, "_nrt": False, "no_cpython_wrapper": True}
compiled = njit(**_INNER, forceinline=True)
once = njit(**_INNER, inline="always")  # what is long and calls others
exact = njit(error_model="numpy", fastmath={"contract"}, _nrt=False, forceinline=True)
outermost = njit(**_OUTERMOST, _nrt=False)
allocating = njit(**_OUTERMOST)  # arrays of its own


def compiled_sources() -> str:
    """Return a hash of all that is compiled.

    Numba keeps compiled functions on disk, and compiles one again when its own file changes, not when a file
    changes from which it takes other functions and constants; but it looks at the values of its closure.
    """
    taken = [Path(str(module.__file__)) for module in (newton, morphing, objective)]
    files = sorted(Path(__file__).parent.glob("*.py")) + taken
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


class NotCompiled(Exception):
    """A loop is not compiled, and may not be."""


@dataclass
class _Compiling(event.Listener):
    """Hears that a loop is about to be compiled, and says so, or forbids it."""

    loop: Any
    allowed: bool

    def on_start(self, event: event.Event) -> None:
        """Say that the loop is compiled."""
        if event.data["dispatcher"] is self.loop:
            if not self.allowed:
                raise NotCompiled
            tell("compiling the fast engine, once: some 10 s")

    def on_end(self, event: event.Event) -> None:
        """Say nothing."""


def share(
    loop: Any, run: Callable[[int, int], None], points: int, fewest: int, may_compile: bool = True
) -> None:
    """Call `run(first, last)`, which calls the loop, on pieces of the points, in as many threads as allowed.

    Raises
    ------
    NotCompiled
        If the loop is compiled neither in this process nor on disk, and may not be.
    """
    if not loop.signatures:
        with _alone(loop), event.install_listener("numba:compile", _Compiling(loop, may_compile)):
            run(0, 0)
    threads = min(get_num_threads(), points // fewest)
    if threads < 2:
        run(0, points)
        return
    edges = np.linspace(0, points, 4 * threads + 1).astype(int).tolist()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(run, edges[:-1], edges[1:]))


@contextmanager
def _alone(loop: Any) -> Iterator[None]:
    """Let processes compile or load a loop one after the other: the first keeps it for the others."""
    with ExitStack() as stack:
        with suppress(ImportError, OSError):  # no such locks here: each compiles for itself
            import fcntl

            folder = Path(loop.stats.cache_path)
            folder.mkdir(parents=True, exist_ok=True)
            file = stack.enter_context(open(folder / "nurecoil.lock", "ab"))
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
