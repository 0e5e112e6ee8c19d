"""The minima of many points, each by its own Newton steps; threads share the points."""

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.likelihood.fused.chi2 import prepare
from nurecoil.likelihood.fused.compiling import compiled_sources, outermost, share
from nurecoil.likelihood.fused.packing import pack, points_of, work_of
from nurecoil.likelihood.fused.steps import newton
from nurecoil.likelihood.newton import Minimum
from nurecoil.likelihood.problem import Inputs, Layout

_FEWEST = 32  # points that are worth a thread


def minimise(
    layout: Layout, inputs: Inputs, start: Array, low: Array | None, high: Array | None, may_compile: bool
) -> Minimum:
    """Return the minima of P points from `start` (J, P) inside the box (J, P)."""
    flat, points = layout.once(pack), points_of(inputs, low, high, layout.parameters)
    x = np.array(start.T, order="C")
    value, converged = np.empty(len(x)), np.empty(len(x), dtype=np.bool_)

    def run(first: int, last: int) -> None:
        _minimise_points(flat, points, work_of(flat), first, last, x, value, converged)

    share(_minimise_points, run, len(x), _FEWEST, may_compile)
    return Minimum(value, np.ascontiguousarray(x.T), converged)


def _loop(version):
    """Return the loop over the points."""

    @outermost
    def minimise_points(layout, points, work, first, last, x, value, converged):
        """Minimise points `first` to `last`; x (P, J) is where they start and end."""
        assert version
        for p in range(first, last):
            if len(points.strengths) > 1 or p == first:
                prepare(layout, points, p, work.rows)
            value[p], converged[p] = newton(layout, points, p, work, x[p])

    return minimise_points


_minimise_points = _loop(compiled_sources())
