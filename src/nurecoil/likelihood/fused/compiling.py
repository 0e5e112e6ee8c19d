"""How the loops are compiled, and when they are compiled again."""

import hashlib
from pathlib import Path

from numba import njit

from nurecoil import newton
from nurecoil.likelihood import morphing, objective

FAST = {"reassoc", "contract", "arcp", "nsz"}  # sums may be reordered; NaN and infinity stay what they are

# Without `nrt` no references to arrays are counted, which costs more than the sums; nothing may be allocated
compiled = njit(fastmath=FAST, error_model="numpy", forceinline=True, _nrt=False)
exact = njit(fastmath={"contract"}, error_model="numpy", forceinline=True, _nrt=False)


def compiled_sources() -> str:
    """Return a hash of all that is compiled.

    Numba keeps compiled functions on disk, and compiles one again when its own file changes, not when a file
    changes from which it takes other functions and constants; but it looks at the values of its closure.
    """
    taken = [Path(str(module.__file__)) for module in (newton, morphing, objective)]
    files = sorted(Path(__file__).parent.glob("*.py")) + taken
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
