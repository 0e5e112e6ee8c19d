"""Damped Newton minimisation of many small problems at once."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Evaluate = Callable[[Array, NDArray[np.intp]], tuple[Array, Array, Array]]

_MOST_STEPS = 60
_WORST_DAMPING = 1e12
_TINY = 1e-150
_SADDLE = -1e-6  # an eigenvalue below it, in units of the diagonal, leads downhill
_AWAY = 0.1  # the step away from a saddle, in units of 1/√|diagonal|
_RIDGE = 1e-11  # keeps a Hessian of nearly parallel columns solvable; it changes steps, not minima


@dataclass(frozen=True)
class Minimum:
    """The minima of P problems in J variables.

    Attributes
    ----------
    value : ndarray, shape (P,)
    x : ndarray, shape (P, J)
    converged : ndarray of bool, shape (P,)
        The last step would lower the value by less than the tolerance, and no direction leads downhill.
    """

    value: Array
    x: Array
    converged: NDArray[np.bool_]


def minimise_batch(evaluate: Evaluate, start: Array, *, tolerance: float = 1e-10) -> Minimum:
    """Return the minimum of each of P functions of J variables.

    A step solves (H + λ diag |H|) Δ = -g; it is taken only if it leads downhill and lowers the value, else λ
    grows (Levenberg-Marquardt), so that the value never rises. Where H is not positive, it is replaced by
    the same with positive eigenvalues, and from a saddle a step leads along the most negative one.

    Parameters
    ----------
    evaluate : callable
        `evaluate(x, which)` returns value (p,), gradient (p, J) and Hessian (p, J, J) of the problems
        numbered `which` at x (p, J); an infinite value rejects a step.
    start : ndarray, shape (P, J)
    tolerance : float
        On the expected decrease of the value, g·H⁻¹·g/2.
    """
    x = np.array(start, dtype=float)
    points, variables = x.shape
    value, gradient, hessian = evaluate(x, np.arange(points))
    converged = np.zeros(points, dtype=bool)
    if variables == 0:
        return Minimum(value, x, ~converged)
    damping = np.zeros(points)
    active = np.arange(points)
    diagonal = np.arange(variables)
    for _ in range(_MOST_STEPS):
        scale = np.sqrt(np.abs(hessian[active][:, diagonal, diagonal])) + _TINY
        scaled = hessian[active] / (scale[:, :, np.newaxis] * scale[:, np.newaxis, :])
        step, saddle = _step(scaled, gradient[active] / scale, damping[active], tolerance)
        step /= scale
        decrease = -0.5 * (gradient[active] * step).sum(axis=1)
        done = (np.abs(decrease) < tolerance) & (damping[active] < 1) & ~saddle
        decrease[saddle] = tolerance
        converged[active[done]] = True
        active, step, decrease = active[~done], step[~done], decrease[~done]
        if not active.size:
            break
        trial = x[active] + np.where(decrease > 0, 1.0, 0.0)[:, np.newaxis] * step
        new_value, new_gradient, new_hessian = evaluate(trial, active)
        better = (decrease > 0) & (new_value <= value[active])
        taken = active[better]
        x[taken], value[taken] = trial[better], new_value[better]
        gradient[taken], hessian[taken] = new_gradient[better], new_hessian[better]
        damping[taken] = np.where(damping[taken] < 1e-6, 0.0, damping[taken] / 10)
        refused = active[~better]
        damping[refused] = np.maximum(10 * damping[refused], 1e-3)
        active = active[damping[active] < _WORST_DAMPING]
    return Minimum(value, x, converged)


def _step(
    hessian: Array, gradient: Array, damping: Array, tolerance: float
) -> tuple[Array, NDArray[np.bool_]]:
    """Return a step for each Hessian of unit diagonal, and which of them only lead away from a saddle."""
    diagonal = np.arange(gradient.shape[1])
    damped = hessian.copy()
    damped[:, diagonal, diagonal] += _RIDGE
    try:
        np.linalg.cholesky(damped)
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(hessian)
        along = np.matmul(vectors.transpose(0, 2, 1), gradient[..., np.newaxis])[..., 0]
        steps = -along / (np.abs(values) + damping[:, np.newaxis] + _RIDGE)
        saddle = (values[:, 0] < _SADDLE) & (-0.5 * (along * steps).sum(axis=1) < tolerance)
        steps[saddle] = 0.0
        steps[saddle, 0] = np.where(along[saddle, 0] > 0, -_AWAY, _AWAY)
        away: Array = np.matmul(vectors, steps[..., np.newaxis])[..., 0]
        return away, np.asarray(saddle, dtype=np.bool_)
    damped[:, diagonal, diagonal] += damping[:, np.newaxis]
    solved = np.linalg.solve(damped, gradient[..., np.newaxis])[..., 0]
    return np.asarray(-solved, dtype=float), np.zeros(len(solved), dtype=np.bool_)
