"""Damped Newton steps of one point, as in `newton`."""

import numpy as np

from nurecoil.likelihood.fused.chi2 import evaluate
from nurecoil.likelihood.fused.compiling import compiled
from nurecoil.newton import AWAY, LARGEST_DAMPING, MOST_STEPS, RIDGE, SADDLE, TINY, TOLERANCE


@compiled
def newton(
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
    low,
    high,
    x,
    rows,
    t,
    vectors,
    matrices,
):
    """Minimise one point as `newton.minimise_batch` does; x is where it starts and ends."""
    variables = len(x)
    trial, now = vectors[0], 0  # gradients are vectors 1 and 2, Hessians matrices 0 and 1: now and tried
    value, found, damping, trying = np.inf, 0.0, 0.0, False
    for _ in range(MOST_STEPS + 1):
        if trying:
            at, gradient, hessian = trial, vectors[2 - now], matrices[1 - now]
        else:
            at, gradient, hessian = x, vectors[1 + now], matrices[now]
        found = evaluate(
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
            at,
            rows,
            t,
            gradient,
            hessian,
        )
        if not trying:
            value = found
            if variables == 0 or not np.isfinite(value):
                return value, bool(np.isfinite(value))
            trying = True
        elif found <= value:
            for i in range(variables):
                x[i] = trial[i]
            value, now = found, 1 - now
            damping = 0.0 if damping < 1e-6 else damping / 10.0
        else:
            damping = max(10.0 * damping, 1e-3)
        uphill = True
        while uphill:  # a step that leads nowhere is not worth an evaluation
            decrease = _propose(
                n, vectors[1 + now], matrices[now], matrices[2], damping, low, high, x, vectors
            )
            if abs(decrease) < TOLERANCE and damping < 1.0:
                return value, True
            if damping >= LARGEST_DAMPING:
                return value, False
            uphill = not decrease > 0.0
            if uphill:
                damping = max(10.0 * damping, 1e-3)
        for i in range(variables):
            trial[i] = x[i] + vectors[3, i]
            if i >= n.free:
                trial[i] = min(max(trial[i], low[i - n.free]), high[i - n.free])
    return value, False


@compiled
def _propose(n, gradient, hessian, lower, damping, low, high, x, vectors):
    """Fill in a step (vector 3); return the decrease it should bring: the tolerance, away from a saddle."""
    variables, negative = len(x), -1
    for i in range(variables):
        vectors[4, i] = 1.0 / (np.sqrt(abs(hessian[i, i])) + TINY)
        vectors[5, i] = 1.0
        if i >= n.free:
            down, up = low[i - n.free], high[i - n.free]
            if (x[i] <= down and gradient[i] > 0.0) or (x[i] >= up and gradient[i] < 0.0):
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
    if negative < 0 or decrease >= TOLERANCE:
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
    return TOLERANCE
