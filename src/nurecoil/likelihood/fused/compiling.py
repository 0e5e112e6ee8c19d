"""How the loops are compiled, when they are compiled again, and which threads share them.

Each function that another calls is optimised again inside it, so that few levels and few loops compile soon.
"""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numba import get_num_threads, njit

from nurecoil import newton
from nurecoil.likelihood import morphing, objective

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


def share(run: Callable[[int, int], None], points: int, fewest: int) -> None:
    """Call `run(first, last)` on pieces of the points, in as many threads as Numba may have."""
    threads = min(get_num_threads(), points // fewest)
    if threads < 2:
        run(0, points)
        return
    edges = np.linspace(0, points, 4 * threads + 1).astype(int).tolist()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(run, edges[:-1], edges[1:]))
