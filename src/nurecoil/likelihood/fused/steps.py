"""Damped Newton steps of one point, as in `newton`."""

import numpy as np

from nurecoil.likelihood.fused.chi2 import evaluate, row
from nurecoil.likelihood.fused.compiling import compiled, once
from nurecoil.likelihood.newton import (
    AWAY,
    LARGEST_DAMPING,
    MOST_STEPS,
    RIDGE,
    ROUNDING,
    SADDLE,
    TINY,
    TOLERANCE,
)


@once
def newton(layout, points, p, work, x):
    """Minimise point p as `newton.minimise_batch` does; x is where it starts and ends."""
    vectors, matrices = work.vectors, work.matrices
    low, high, variables = points.low[row(points.low, p)], points.high[row(points.high, p)], len(x)
    trial, now = vectors[0], 0  # gradients are vectors 1 and 2, Hessians matrices 0 and 1: now and tried
    value, found, damping, trying = np.inf, 0.0, 0.0, False
    for _ in range(MOST_STEPS + 1):
        to = 1 - now if trying else now
        found = evaluate(layout, points, p, work, trial if trying else x, vectors[1 + to], matrices[to])
        if not trying:
            value = found
            finite = abs(value) < np.inf  # sums that may be reordered make nothing of `isfinite`
            if variables == 0 or not finite:
                return value, finite
            trying = True
        elif found <= value:
            for i in range(variables):
                x[i] = trial[i]
            value, now = found, 1 - now
            damping = 0.0 if damping < 1e-6 else damping / 10.0
        else:
            damping = max(10.0 * damping, 1e-3)
        uphill = True
        tolerance = TOLERANCE + ROUNDING * abs(value)
        while uphill:  # a step that leads nowhere is not worth an evaluation
            decrease = _propose(now, damping, tolerance, low, high, x, vectors, matrices)
            if abs(decrease) < tolerance and damping < 1.0:
                return value, True
            if damping >= LARGEST_DAMPING:
                return value, False
            uphill = not decrease > 0.0
            if uphill:
                damping = max(10.0 * damping, 1e-3)
        for i in range(variables):
            trial[i] = min(max(x[i] + vectors[3, i], low[i]), high[i])
    return value, False


@compiled
def _propose(now, damping, tolerance, low, high, x, vectors, matrices):
    """Fill in a step (vector 3); return the decrease it should bring: the tolerance, away from a saddle."""
    gradient, hessian, lower, variables, negative = vectors[1 + now], matrices[now], matrices[2], len(x), -1
    for i in range(variables):
        vectors[4, i] = 1.0 / (np.sqrt(abs(hessian[i, i])) + TINY)
        vectors[5, i] = 1.0
        if (x[i] <= low[i] and gradient[i] > 0.0) or (x[i] >= high[i] and gradient[i] < 0.0):
            vectors[5, i] = 0.0  # it stays at its bound
    for j in range(variables):
        for i in range(j, variables):
            entry = hessian[i, j] * (vectors[4, i] * vectors[4, j]) * (vectors[5, i] * vectors[5, j])
            if i == j:
                entry += 1.0 - vectors[5, i]
            for k in range(j):
                entry -= lower[i, k] * lower[j, k] * lower[k, k]
            if i != j:
                lower[i, j] = entry / lower[j, j]
            else:
                if entry < SADDLE and negative < 0:
                    negative = j
                lower[j, j] = abs(entry) + damping + RIDGE
    decrease = 0.0
    for i in range(variables):
        value = gradient[i] * vectors[4, i] * vectors[5, i]
        for k in range(i):
            value -= lower[i, k] * vectors[3, k]
        vectors[3, i] = value
    for i in range(variables):
        decrease += 0.5 * vectors[3, i] * vectors[3, i] / lower[i, i]
        vectors[3, i] /= lower[i, i]
    for i in range(variables - 1, -1, -1):
        for k in range(i + 1, variables):
            vectors[3, i] -= lower[k, i] * vectors[3, k]
    for i in range(variables):
        vectors[3, i] *= -vectors[4, i]
    if negative < 0 or decrease >= tolerance:
        return decrease
    size, uphill = 0.0, 0.0
    for i in range(variables - 1, -1, -1):
        value = 1.0 if i == negative else 0.0
        for k in range(i + 1, variables):
            value -= lower[k, i] * vectors[3, k]
        vectors[3, i] = value
        size += value * value
        uphill += gradient[i] * vectors[4, i] * vectors[5, i] * value
    length = AWAY / np.sqrt(size + TINY)
    for i in range(variables):
        vectors[3, i] *= (-length if uphill > 0.0 else length) * vectors[4, i]
    return tolerance
