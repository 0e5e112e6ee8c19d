"""Strengths of the couplings as a quadratic function of fitted parameters: what a step of a fit needs."""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from nurecoil.arithmetic import Array
from nurecoil.likelihood.newton import triangle

_SHARE, _SMALLEST = 1e-3, 1e-6  # of the way to an end, of the box: how far differences reach


class Strengths(Protocol):
    """The strengths of the couplings as a function of some parameters, at each of P points or for all."""

    def __call__(self, values: Array, rows: NDArray[np.intp] | None = None) -> Array:
        """Return strengths (k P, strengths) at (k P, d): all points k times, or the points `rows`."""


class Expansion(NamedTuple):
    """Strengths as a quadratic function of d parameters θ, exact where couplings are linear in them.

    q(θ) = value + Σ_i slope_i (θ - centre)_i + ½ Σ_ij curvature_ij (θ - centre)_i (θ - centre)_j

    Attributes
    ----------
    centre : ndarray, shape (P or 1, d)
    value : ndarray, shape (P or 1, strengths)
    slope : ndarray, shape (P or 1, d, strengths)
    curvature : ndarray, shape (P or 1, d (d + 1)/2, strengths)
        A packed triangle.
    """

    centre: Array
    value: Array
    slope: Array
    curvature: Array

    @property
    def points(self) -> int:
        """P, or 1."""
        return len(self.value)

    @property
    def d(self) -> int:
        """The number of parameters."""
        return int(self.slope.shape[1])

    def at(self, which: NDArray[np.intp] | slice) -> "Expansion":
        """Return the points `which`; a single point stands for all."""
        return self if len(self.value) == 1 else Expansion(*(part[which] for part in self))

    def strengths(self, theta: Array) -> tuple[Array, Array]:
        """Return q (P, strengths) and its slope (P, d, strengths) at θ (P, d)."""
        return evaluated(self, theta)


def evaluated(quadratic: Any, theta: Array) -> tuple[Array, Array]:
    """Return the value (P, ...) and the slope (P, d, ...) of a quadratic function at θ (P, d).

    With centre, value, slope and curvature as of an `Expansion`.
    """
    away = theta - quadratic.centre
    value, d = quadratic.value, away.shape[1]
    slope = [quadratic.slope[:, i] for i in range(d)]
    distance = [away[:, i].reshape(-1, *(1,) * (value.ndim - 1)) for i in range(d)]
    for i in range(d):
        value = value + distance[i] * quadratic.slope[:, i]
    for number, (i, j) in enumerate(triangle(d)):
        curve = quadratic.curvature[:, number]
        value = value + (0.5 if i == j else 1.0) * (distance[i] * distance[j]) * curve
        slope[i] = slope[i] + distance[j] * curve
        if i != j:
            slope[j] = slope[j] + distance[i] * curve
    return value, np.stack(slope, axis=1)


@dataclass(frozen=True)
class Moving:
    """Strengths that are expanded anew around each point that a fit comes to.

    Attributes
    ----------
    strengths
        As a function of d parameters, each from 0 to 1.
    step : float
        Of the differences; near an end of the box, where a model may end too, a thousandth of the way there.
    d : int
    rows : ndarray, shape (P,), optional
        Which points of the function these are, where it differs from point to point.
    """

    strengths: Strengths
    step: float
    d: int
    rows: NDArray[np.intp] | None = None

    @property
    def points(self) -> int:
        """P, or 1."""
        return 1 if self.rows is None else self.rows.size

    def at(self, which: NDArray[np.intp] | slice) -> "Moving":
        """Return the points `which`; a single point stands for all."""
        return self if self.rows is None else replace(self, rows=self.rows[which])

    def around(self, theta: Array) -> Expansion:
        """Return the expansion around θ (P, d)."""
        step = np.clip(_SHARE * np.minimum(theta, 1 - theta), _SMALLEST, self.step)
        return expand(self.strengths, theta, step, self.rows)


def expand(
    strengths: Strengths, centre: Array, step: Array | float, rows: NDArray[np.intp] | None = None
) -> Expansion:
    """Return the strengths as a quadratic function around centres u (P, d), from differences of steps (P, d).

    The nodes lie within 0 <= u <= 1; second differences are exact where the strengths are quadratic.
    """
    points, d = centre.shape
    middle, pairs = np.clip(centre, step, 1 - step), triangle(d)
    h = np.broadcast_to(step, centre.shape)[..., np.newaxis]
    away = [step * axis for axis in np.eye(d)]
    nodes = [middle]
    for each in away:
        nodes += [middle + each, middle - each]
    nodes += [middle + away[i] + away[j] for i, j in pairs if i != j]
    found = strengths(np.concatenate(nodes), rows)
    q = np.broadcast_to(found, (points * len(nodes), found.shape[1])).reshape(len(nodes), points, -1)
    slope = np.stack([(q[1 + 2 * i] - q[2 + 2 * i]) / (2 * h[:, i]) for i in range(d)], axis=1)
    curvature, cross = [], 1 + 2 * d
    for i, j in pairs:
        if i == j:
            curvature.append((q[1 + 2 * i] - 2 * q[0] + q[2 + 2 * i]) / h[:, i] ** 2)
        else:
            mixed = q[cross] - q[1 + 2 * i] - q[1 + 2 * j] + q[0]
            curvature.append(mixed / (h[:, i] * h[:, j]))
            cross += 1
    return Expansion(middle, q[0], slope, np.stack(curvature, axis=1))
