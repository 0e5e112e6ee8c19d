"""The fused engine: `objective`, `response`, `problem` and `newton` again, in loops that Numba compiles.

Point by point, so that nothing but the answer leaves the cache. `packing`: a layout as flat arrays. Of one
point, `counts` in bins, their `chi2` and its `derivatives`, and Newton `steps`; of all, `points`. Gaussian
counts without shapes need no steps: `parabola`, which is five times as fast.
"""

from nurecoil.arithmetic import Array
from nurecoil.likelihood.fused import parabola, points
from nurecoil.likelihood.fused.compiling import NotCompiled
from nurecoil.likelihood.newton import Minimum
from nurecoil.likelihood.problem import Inputs, Layout

__all__ = ["NotCompiled", "minimise"]


def minimise(
    layout: Layout,
    inputs: Inputs,
    start: Array,
    low: Array | None,
    high: Array | None,
    may_compile: bool = True,
) -> Minimum:
    """Return the minima of P points from `start` (J, P) inside the box (J, P).

    Raises
    ------
    NotCompiled
        If the loops would have to be compiled and may not.
    """
    if layout.straight:
        return parabola.minimise(layout, inputs, start.shape[1], may_compile)
    return points.minimise(layout, inputs, start, low, high, may_compile)
