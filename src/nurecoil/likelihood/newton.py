"""Damped Newton minimisation of many small problems at once, inside a box.

All arrays have the problems on the last axis, so that each operation runs over all of them; a
symmetric matrix is its lower triangle, row by row: (J (J + 1)/2, P).
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from nurecoil.arithmetic import Array

MOST_STEPS = 100
LARGEST_DAMPING = 1e12
TINY = 1e-150
SADDLE = -1e-6  # a pivot below it, in units of the diagonal, leads downhill
AWAY = 0.1  # the step away from a saddle, in units of 1/√|diagonal|
RIDGE = 1e-11  # keeps a Hessian of nearly parallel columns solvable; it changes steps, not minima
TOLERANCE = 1e-10
ROUNDING = 1e-14  # of the value: less than that it cannot be seen to fall
_FEW = 60  # problems: up to so many, LAPACK is faster


class Problem(Protocol):
    """P functions of J variables."""

    def evaluate(self, x: Any) -> tuple[Any, Any, Any]:
        """Return values (P,), gradients (J, P) and Hessians (J (J + 1)/2, P) at x (J, P).

        An infinite value rejects a step.
        """

    def take(self, which: NDArray[np.intp]) -> "Problem":
        """Return the problems numbered `which`."""


class State(NamedTuple):
    """Where P minimisations stand; `active` are those under way."""

    x: Any
    value: Any
    gradient: Any
    hessian: Any
    damping: Any
    active: Any
    converged: Any


@dataclass(frozen=True)
class Minimum:
    """The minima of P problems in J variables.

    Attributes
    ----------
    value : ndarray, shape (P,)
    x : ndarray, shape (J, P)
    converged : ndarray of bool, shape (P,)
        The last step would lower the value by less than the tolerance, and no direction leads downhill.
    """

    value: Array
    x: Array
    converged: NDArray[np.bool_]


def minimise_batch(
    problem: Problem,
    start: Array,
    *,
    low: Array | None = None,
    high: Array | None = None,
    tolerance: float = TOLERANCE,
) -> Minimum:
    """Return the minimum of each of P functions of J variables, with NumPy.

    A step solves (H + λ diag |H|) Δ = -g; it is taken only if it leads downhill and lowers the value, else λ
    grows (Levenberg-Marquardt), so that the value never rises. Where H is not positive, its negative pivots
    change sign, and from a saddle a step leads along a direction of negative curvature.

    Parameters
    ----------
    problem : Problem
    start : ndarray, shape (J, P)
    low, high : ndarray, shape (J,) or (J, P), optional
        The box; a variable at a bound stays there while the function falls outwards.
    tolerance : float
        On the expected decrease of the value, g·H⁻¹·g/2.
    """
    x = np.array(start, dtype=float)
    low, high = (_bounds(edge, x.shape, end) for edge, end in ((low, -np.inf), (high, np.inf)))
    live = np.arange(x.shape[1])
    state = begin(problem, x)
    if not len(x):
        return Minimum(state.value, x, state.converged)
    value, converged = np.array(state.value), np.zeros(live.size, dtype=bool)
    for _ in range(MOST_STEPS):
        trial, decrease, state = propose(state, low[:, live], high[:, live], tolerance)
        going = np.flatnonzero(state.active)
        if 2 * going.size <= live.size:  # the others are done: let them go
            x[:, live], value[live], converged[live] = state.x, state.value, state.converged
            if not going.size:
                return Minimum(value, x, converged)
            live, problem = live[going], problem.take(going)
            trial, decrease = trial[:, going], decrease[going]
            state = State(*(part[..., going] for part in state))
        state = accept(state, trial, decrease, problem.evaluate(trial))
    x[:, live], value[live], converged[live] = state.x, state.value, state.converged
    return Minimum(value, x, converged)


def begin(problem: Problem, x: Any) -> State:
    """Return the state at the start."""
    value, gradient, hessian = problem.evaluate(x)
    finite = np.isfinite(value)
    nothing = finite & (len(x) == 0)  # without variables there is nothing to do
    return State(x, value, gradient, hessian, np.zeros_like(value), finite & ~nothing, nothing)


def propose(state: State, low: Any, high: Any, tolerance: float) -> tuple[Any, Any, State]:
    """Return where to try next, by how much the value should fall there, and which are done."""
    x, value, gradient, hessian, damping, active, converged = state
    held = ((x <= low) & (gradient > 0)) | ((x >= high) & (gradient < 0))
    enough = tolerance + ROUNDING * np.where(active, np.abs(value), 0.0)
    step, decrease = _step(hessian, np.where(held, 0.0, gradient), damping, held, enough)
    done = active & (np.abs(decrease) < enough) & (damping < 1)
    active = active & ~done & (damping < LARGEST_DAMPING)
    trial = np.clip(x + np.where(active & (decrease > 0), step, 0.0), low, high)
    return trial, decrease, state._replace(active=active, converged=converged | done)


def accept(state: State, trial: Any, decrease: Any, found: tuple[Any, Any, Any]) -> State:
    """Return the state after the trial: there where it is better, else where it was, damped more."""
    value, gradient, hessian = found
    better = state.active & (decrease > 0) & (value <= state.value)
    eased = np.where(state.damping < 1e-6, 0.0, state.damping / 10)
    damped = np.maximum(10 * state.damping, 1e-3)
    return State(
        np.where(better, trial, state.x),
        np.where(better, value, state.value),
        np.where(better, gradient, state.gradient),
        np.where(better, hessian, state.hessian),
        np.where(better, eased, damped),
        state.active,
        state.converged,
    )


def triangle(variables: int) -> list[tuple[int, int]]:
    """Return the (row, column) of each element of a packed symmetric matrix."""
    return [(i, j) for i in range(variables) for j in range(i + 1)]


def _step(hessian: Any, gradient: Any, damping: Any, held: Any, tolerance: Any) -> tuple[Any, Any]:
    """Return a step (J, P) and the decrease that it should bring: the tolerance, away from a saddle."""
    n, problems = gradient.shape
    if problems <= _FEW and (found := _step_of_few(hessian, gradient, damping, held)) is not None:
        return found
    unit = 1 / (np.sqrt(np.abs(hessian[[_at(i, i) for i in range(n)]])) + TINY)
    lower, pivots, negative = _factorise(hessian, unit, held, damping + RIDGE)
    scaled = gradient * unit
    step = _backwards(lower, _forwards(lower, scaled) / pivots)
    decrease = 0.5 * _products(scaled, step)
    saddle = negative.any(axis=0)
    if not saddle.any():
        return -step * unit, decrease
    saddle = saddle & (decrease < tolerance)
    along = _backwards(lower, negative)
    length = AWAY / np.sqrt(_products(along, along) + TINY)
    away = np.where(_products(scaled, along) > 0, -length, length) * along
    return np.where(saddle, away, -step) * unit, np.where(saddle, tolerance, decrease)


def _step_of_few(
    hessian: Array, gradient: Array, damping: Array, held: NDArray[np.bool_]
) -> tuple[Array, Array] | None:
    """Return the same where all Hessians are positive, by LAPACK, one problem after the other; else None.

    For few problems that costs less than the elimination for all at once.
    """
    n, points = gradient.shape
    rows, columns = np.tril_indices(n)
    matrix = np.empty((points, n, n))
    matrix[:, rows, columns] = matrix[:, columns, rows] = hessian.T
    unit = 1 / (np.sqrt(np.abs(hessian[rows == columns])) + TINY)
    free = unit * ~held
    matrix *= free.T[:, :, np.newaxis] * free.T[:, np.newaxis, :]
    diagonal = np.arange(n)
    matrix[:, diagonal, diagonal] += held.T + RIDGE
    try:
        np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return None
    matrix[:, diagonal, diagonal] += damping[:, np.newaxis]
    scaled = gradient * unit
    step = np.linalg.solve(matrix, scaled.T[..., np.newaxis])[..., 0].T
    return -step * unit, 0.5 * (scaled * step).sum(axis=0)


def _at(i: int, j: int) -> int:
    return i * (i + 1) // 2 + j


def _factorise(packed: Any, unit: Any, held: Any, added: Any) -> tuple[Any, Any, Any]:
    """Return L (J, J, P) below its diagonal, D and where the first negative pivot is, (J, P) each.

    Of A = L D Lᵀ, where A is a packed matrix in units of its diagonal, without the variables that are held,
    and D is made positive and `added` to. Column by column, each by a product with all before it.
    """
    n, free = len(unit), unit * ~held
    lower, pivots = np.empty((n, n, unit.shape[1])), np.empty(unit.shape)
    negative, before = np.zeros(unit.shape), np.zeros(unit.shape[1])
    for j in range(n):
        column = packed[[_at(i, j) for i in range(j, n)]] * (free[j:] * free[j])
        column[0] += held[j]
        column -= _products(np.swapaxes(lower[j:, :j], 0, 1), (lower[j, :j] * pivots[:j])[:, np.newaxis])
        negative[j] = np.where(column[0] < SADDLE, 1.0 - before, 0.0)
        before += negative[j]
        pivots[j] = np.abs(column[0]) + added  # after the sign: -1 + 1 would be an endless step
        lower[j + 1 :, j] = column[1:] / pivots[j]
    return lower, pivots, negative


def _forwards(lower: Any, y: Any) -> Any:
    """Return L⁻¹ y."""
    x = y.copy()
    for i in range(1, len(y)):
        x[i] -= _products(lower[i, :i], x[:i])
    return x


def _backwards(lower: Any, y: Any) -> Any:
    """Return L⁻ᵀ y."""
    x = y.copy()
    for i in reversed(range(len(y) - 1)):
        x[i] -= _products(lower[i + 1 :, i], x[i + 1 :])
    return x


def _products(a: Any, b: Any) -> Any:
    """Return Σ_k a_k b_k of each problem, the first axis summed over."""
    return np.einsum("k...,k...->...", a, b)


def _bounds(edge: Array | None, shape: tuple[int, ...], end: float) -> Array:
    values = np.asarray(end if edge is None else edge, dtype=float)
    return np.broadcast_to(values[:, np.newaxis] if values.ndim == 1 else values, shape)


def inverse(matrix: Array) -> Array:
    """Return the inverse of a symmetric positive matrix (n, n) of any scales; NaN if it is not positive."""
    with np.errstate(all="ignore"):
        unit = 1 / np.sqrt(np.diag(matrix))
        scaled = matrix * np.outer(unit, unit)
        try:
            np.linalg.cholesky(scaled)
            return np.asarray(np.linalg.inv(scaled) * np.outer(unit, unit))
        except np.linalg.LinAlgError:
            return np.full(matrix.shape, np.nan)
