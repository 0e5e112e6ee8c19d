"""χ² of one point: `objective` and `problem` in loops over bins."""

import numpy as np

from nurecoil.likelihood.fused.arithmetic import ln
from nurecoil.likelihood.fused.compiling import compiled
from nurecoil.likelihood.fused.counts import expand, expand_outwards, morph, move
from nurecoil.likelihood.fused.derivatives import sum_up
from nurecoil.likelihood.fused.packing import BINS, FIRST_BIN, GAUSSIAN

_HUGE = 1e300  # of a ratio: beyond it, derivatives are not finite


@compiled
def evaluate(
    n,
    components,
    terms,
    columns,
    factors,
    table,
    weights,
    centre,
    observed,
    rest,
    offsets,
    centres,
    x,
    rows,
    t,
    gradient,
    hessian,
):
    """Return χ² at x, and fill in its gradient and Hessian (lower triangle)."""
    for i in range(len(x)):
        gradient[i] = 0.0
        for j in range(i + 1):
            hessian[i, j] = 0.0
    value = rest
    for j in range(len(x)):
        if weights[j] != 0.0:
            away = x[j] - centres[j]
            value += weights[j] * away * away
            gradient[j] = 2.0 * weights[j] * away
            hessian[j, j] = 2.0 * weights[j]
    for k in range(len(columns)):
        t[k] = offsets[columns[k, 0]]
        if columns[k, 1] >= 0:
            t[k] += factors[k, 1] * x[columns[k, 1]]
    if n.parameters:
        move(n, x, centre, rows)
        morph(n, components, rows)
    expand(n, components, factors, table, t, rows)
    value += deviance(n, terms, observed, rows)
    if value == np.inf:
        return value
    if n.parameters:
        expand_outwards(n, components, t, rows)
    sum_up(n, components, columns, factors, t, rows, gradient, hessian)
    return value


@compiled
def deviance(n, terms, observed, rows):
    """Return Σφ and fill in φ' and φ''."""
    value = 0.0
    for term in range(n.terms):
        first_bin = terms[term, FIRST_BIN]
        mu_row, first, second = n.mu + term, n.first + term, n.second + term
        if terms[term, GAUSSIAN]:
            for bin in range(terms[term, BINS]):
                residual = rows[mu_row, bin] - observed[first_bin + bin]
                value += residual * residual
                rows[first, bin] = 2.0 * residual
                rows[second, bin] = 2.0
            continue
        refused = 0.0
        for bin in range(terms[term, BINS]):
            mu, count = rows[mu_row, bin], observed[first_bin + bin]
            safe = mu if mu > 0.0 else 1.0
            ratio = count / safe
            value += 2.0 * (mu - count + count * ln(ratio if ratio > 0.0 else 1.0))
            rows[first, bin] = 2.0 * (1.0 - ratio)
            rows[second, bin] = 2.0 * ratio / safe
            empty = mu == 0.0 and count == 0.0
            refused += 0.0 if (mu > 0.0 or empty) and ratio < _HUGE else 1.0
        if refused > 0.0:
            return np.inf
    return value
