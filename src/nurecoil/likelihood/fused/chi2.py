"""χ² of one point: `objective` and `problem` in loops over bins."""

import numpy as np

from nurecoil.likelihood.fused.arithmetic import ln
from nurecoil.likelihood.fused.compiling import compiled, once
from nurecoil.likelihood.fused.counts import expand, expand_outwards, morph, move, predict
from nurecoil.likelihood.fused.derivatives import add_outer_bends, spread, sum_up
from nurecoil.likelihood.fused.packing import BINS, FIRST_BIN, GAUSSIAN

_HUGE = 1e300  # of a ratio: beyond it, derivatives are not finite


@compiled
def prepare(layout, points, p, rows):
    """Fill in what stays as it is while pulls and parameters of point p change."""
    predict(layout, points.strengths[row(points.strengths, p)], rows)
    if layout.sizes.parameters == 0 or points.scaled:
        morph(layout, rows, points.scaled)


@once
def evaluate(layout, points, p, work, x, gradient, hessian):
    """Return χ² of point p at x, and fill in its gradient and Hessian (lower triangle)."""
    n, weights, t = layout.sizes, layout.weights, work.t
    centres, offsets = points.centres[row(points.centres, p)], points.offsets[row(points.offsets, p)]
    value = points.rest[row(points.rest, p)]
    for i in range(len(x)):
        away = x[i] - centres[i] if weights[i] != 0.0 else 0.0
        value += weights[i] * away * away
        gradient[i] = 2.0 * weights[i] * away
        for j in range(i):
            hessian[i, j] = 0.0
        hessian[i, i] = 2.0 * weights[i]
    for pull in range(len(t)):
        place = layout.places[pull]
        t[pull] = offsets[pull] + (layout.gains[pull] * x[place] if place >= 0 else 0.0)
    if n.parameters:
        move(layout, x, points.middle[row(points.middle, p)], work.rows)
        if not points.scaled:
            morph(layout, work.rows, False)
    expand(layout, work)
    value += deviance(layout, points.observed[row(points.observed, p)], work.rows)
    if value == np.inf:
        return value
    if n.parameters:
        expand_outwards(layout, work, points.scaled)
    sum_up(layout, work)
    if n.parameters:
        add_outer_bends(layout, work)
    spread(layout, work, gradient, hessian)
    return value


@compiled
def row(array, p):
    """Return where an array (P or 1, ...) has point p."""
    return p if len(array) > 1 else 0


@compiled
def deviance(layout, observed, rows):
    """Return Σφ and fill in φ' and φ''."""
    n, value = layout.sizes, 0.0
    for term in range(len(layout.terms)):
        first_bin, refused = layout.terms[term, FIRST_BIN], 0.0
        expected, first, second = rows[n.mu + term], rows[n.first + term], rows[n.second + term]
        if layout.terms[term, GAUSSIAN]:
            for bin in range(layout.terms[term, BINS]):
                residual = expected[bin] - observed[first_bin + bin]
                value += residual * residual
                first[bin] = 2.0 * residual
                second[bin] = 2.0
            continue
        for bin in range(layout.terms[term, BINS]):
            mu, count = expected[bin], observed[first_bin + bin]
            safe = mu if mu > 0.0 else 1.0
            ratio = count / safe
            value += 2.0 * (mu - count + count * ln(ratio if ratio > 0.0 else 1.0))
            first[bin] = 2.0 * (1.0 - ratio)
            second[bin] = 2.0 * ratio / safe
            empty = mu == 0.0 and count == 0.0
            refused += 0.0 if (mu > 0.0 or empty) and ratio < _HUGE else 1.0
        if refused > 0.0:
            return np.inf
    return value
