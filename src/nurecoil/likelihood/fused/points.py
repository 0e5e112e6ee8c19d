"""The minima of many points, each by its own Newton steps; threads share the points."""

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from nurecoil.likelihood.fused.compiling import FAST, compiled_sources
from nurecoil.likelihood.fused.counts import predict
from nurecoil.likelihood.fused.packing import expansion_rows, packed, side_by_side
from nurecoil.likelihood.fused.steps import newton
from nurecoil.likelihood.problem import Inputs, Layout
from nurecoil.newton import Minimum

Array = NDArray[np.float64]

_BLOCK = 64  # points that share one workspace


def minimise(layout: Layout, inputs: Inputs, start: Array, low: Array | None, high: Array | None) -> Minimum:
    """Return the minima of P points from `start` (J, P) inside the box (J, P)."""
    d = layout.parameters
    points = start.shape[1]
    box = [
        np.full((points, d), end) if edge is None else np.ascontiguousarray(edge[len(edge) - d :].T)
        for edge, end in ((low, -np.inf), (high, np.inf))
    ]
    x = np.ascontiguousarray(start.T)
    value, converged = np.empty(points), np.empty(points, dtype=np.bool_)
    _minimise_points(
        *packed(layout),
        *expansion_rows(inputs, d),
        side_by_side(inputs.observed),
        np.ascontiguousarray(inputs.rest),
        side_by_side(inputs.offsets),
        np.ascontiguousarray(inputs.centres),
        *box,
        x,
        value,
        converged,
    )
    return Minimum(value, np.ascontiguousarray(x.T), converged)


def _loop(version):
    """Return the loop over the points."""

    @njit(parallel=True, cache=True, fastmath=FAST, error_model="numpy")
    def minimise_points(
        n,
        components,
        terms,
        columns,
        factors,
        table,
        weights,
        strengths,
        centre,
        observed,
        rest,
        offsets,
        centres,
        low,
        high,
        x,
        value,
        converged,
    ):
        """Minimise each point; x (P, J) is where it starts and ends."""
        assert version
        points, variables = x.shape
        for block in prange((points + _BLOCK - 1) // _BLOCK):
            rows = np.zeros((n.rows, n.bins))
            rows[n.a : n.a + n.entries] = table[n.fixed_a : n.fixed_a + n.entries]
            rows[n.b : n.b + n.entries] = table[n.fixed_b : n.fixed_b + n.entries]
            t = np.zeros(len(columns))
            vectors = np.zeros((6, variables))
            matrices = np.zeros((3, variables, variables))
            for p in range(block * _BLOCK, min((block + 1) * _BLOCK, points)):
                if len(strengths) > 1 or p == block * _BLOCK:
                    predict(n, components, table, strengths[p if len(strengths) > 1 else 0], rows)
                value[p], converged[p] = newton(
                    n,
                    components,
                    terms,
                    columns,
                    factors,
                    table,
                    weights,
                    centre[p if len(centre) > 1 else 0],
                    observed[p if len(observed) > 1 else 0],
                    rest[p if len(rest) > 1 else 0],
                    offsets[p if len(offsets) > 1 else 0],
                    centres[p if len(centres) > 1 else 0],
                    low[p],
                    high[p],
                    x[p],
                    rows,
                    t,
                    vectors,
                    matrices,
                )

    return minimise_points


_minimise_points = _loop(compiled_sources())
