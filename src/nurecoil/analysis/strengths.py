"""Fits of parameters through the strengths of the couplings, whatever the model.

The engine fits parameters in which the strengths are quadratic: exact where the couplings are linear in them.
Of any other model, the strengths are expanded around where the fit stands, again and again, and a step is
trusted only as far as χ² really falls.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from nurecoil.likelihood import Expansion, Fitted, JointLikelihood
from nurecoil.newton import triangle
from nurecoil.parameters import Parameter

Array = NDArray[np.float64]


_STEP = 1e-4  # of the box: exact for a quadratic function, an error of 1e-8 of the range for others
_EDGE = 1e-10  # of the box, from its ends: at the very end there may be no signal, and so no shape of it
_EXACT = 1e-9  # of the largest value of each strength: magnetic moments squared are 1e-20 of the others
_FIRST_RADIUS, _SMALLEST_RADIUS = 0.1, 1e-9  # of the box
_MOST_ROUNDS = 60
_SETTLED = 1e-8  # in χ²
_PROMISED = 1e-5  # in χ², by the expansion
_NODES = np.arange(-2.0, 3.0)


class Strengths(Protocol):
    """The strengths of the couplings as a function of some parameters, at each of P points or for all."""

    def __call__(self, values: Array, rows: NDArray[np.intp] | None = None) -> Array:
        """Return the strengths (k P, 12) at parameters (k P, d): all points k times; or the points `rows`."""


@dataclass(frozen=True)
class Coordinates:
    """What is fitted, u, from 0 to 1 across the box: linear in a parameter or in its logarithm.

    Attributes
    ----------
    log
        For each parameter, whether u is linear in its logarithm.
    low, high : ndarray, shape (d,)
        The box.
    """

    log: tuple[bool, ...]
    low: Array
    high: Array

    @classmethod
    def across(cls, parameters: Sequence[Parameter], low: Array, high: Array) -> "Coordinates":
        """Return those of a box, in the logarithm where a parameter is scanned in it."""
        log = (p.log_scan and bool(edge > 0) for p, edge in zip(parameters, low, strict=True))
        return cls(tuple(log), low, high)

    def of(self, points: Array) -> Array:
        """Return u of parameters (P, d)."""
        with np.errstate(invalid="ignore", divide="ignore"):
            linear = (points - self.low) / (self.high - self.low)
            ratio = np.log(points / self.low) / np.log(self.high / self.low)
        return np.where(self.log, ratio, linear)

    def parameters(self, u: Array) -> Array:
        """Return the parameters at u (P, d), never outside the box."""
        with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
            power = self.low * (self.high / self.low) ** u
        found = np.where(self.log, power, self.low + u * (self.high - self.low))
        return np.clip(found, self.low, self.high)


def expand(
    strengths: Strengths, centre: Array, step: float, rows: NDArray[np.intp] | None = None
) -> Expansion:
    """Return the strengths as a quadratic function around centres u (P, d), from differences.

    The nodes lie within 0 <= u <= 1; second differences are exact where the strengths are quadratic.
    """
    points, d = centre.shape
    middle = np.clip(centre, step, 1 - step)
    pairs = triangle(d)
    nodes = [middle]
    for i in range(d):
        nodes += [middle + step * np.eye(d)[i], middle - step * np.eye(d)[i]]
    nodes += [middle + step * (np.eye(d)[i] + np.eye(d)[j]) for i, j in pairs if i != j]
    found = strengths(np.concatenate(nodes), rows)
    q = np.broadcast_to(found, (points * len(nodes), found.shape[1])).reshape(len(nodes), points, -1)
    slope = np.stack([(q[1 + 2 * i] - q[2 + 2 * i]) / (2 * step) for i in range(d)], axis=1)
    curvature, cross = [], 1 + 2 * d
    for i, j in pairs:
        if i == j:
            curvature.append((q[1 + 2 * i] - 2 * q[0] + q[2 + 2 * i]) / step**2)
        else:
            curvature.append((q[cross] - q[1 + 2 * i] - q[1 + 2 * j] + q[0]) / step**2)
            cross += 1
    return Expansion(middle, q[0], slope, np.stack(curvature, axis=1))


def linearise(
    strengths: Strengths, points: Array, size: Array, bounds: Sequence[tuple[float, float]]
) -> Expansion:
    """Return the strengths to first order around points (P, d), from polynomials through five nodes.

    Parameters
    ----------
    strengths : callable
        Of parameters (k P, d), shape (k P, 12).
    points, size : ndarray, shape (P, d)
        The parameters, and a typical size of each: the nodes are a thousandth of it apart.
    bounds : sequence of (low, high)
        The nodes stay inside.
    """
    number, d = points.shape
    value = np.broadcast_to(strengths(points), (number, strengths(points).shape[1]))
    slope = np.empty((number, d, value.shape[1]))
    for i, (low, high) in enumerate(bounds):
        step = 1e-3 * size[:, i]
        middle = np.clip(points[:, i], low + 2 * step, high - 2 * step)
        nodes = np.tile(points, (5, 1, 1))
        nodes[:, :, i] = middle + _NODES[:, np.newaxis] * step
        found = strengths(nodes.reshape(5 * number, d))
        q = np.broadcast_to(found, (5 * number, found.shape[1])).reshape(5, number, -1)
        s = (points[:, i] - middle) / step
        powers = np.stack([np.zeros_like(s), np.ones_like(s), 2 * s, 3 * s**2, 4 * s**3])
        weights = np.linalg.inv(np.vander(_NODES, increasing=True)).T @ powers
        slope[:, i] = np.einsum("np,npk->pk", weights, q) / step[:, np.newaxis]
    return Expansion(points, value, slope, np.zeros((number, len(triangle(d)), value.shape[1])))


def fit_strengths(
    likelihood: JointLikelihood,
    strengths: Strengths,
    coordinates: Coordinates,
    starts: Array,
    pulls: Array | None = None,
    held: Mapping[str, Array] | None = None,
    points: int = 1,
) -> Fitted:
    """Return the minima of χ² over the pulls and parameters, from starts (P, d) inside the box.

    Parameters
    ----------
    likelihood : JointLikelihood
    strengths : callable
        Of parameters (P, d), shape (P, 12).
    coordinates : Coordinates
    starts : ndarray, shape (P, d)
        One for each set of data, or one for all.
    pulls : ndarray, shape (J,) or (P, J), optional
        Where the pulls start.
    held : mapping, optional
        Pulls that are not fitted, (P,) each.
    points : int
        P, where the strengths differ from point to point.
    """

    def at(values: Array, rows: NDArray[np.intp] | None = None) -> Array:
        return strengths(coordinates.parameters(values), rows)

    d = starts.shape[1]
    low, high = np.full(d, _EDGE), np.full(d, 1 - _EDGE)
    whole = expand(at, np.full((points, d), 0.5), 0.25)  # far apart: for a quadratic function any nodes do
    if _is_exact(whole, at, d):
        found = likelihood.fitted(whole, coordinates.of(starts), low, high, held=held, pulls=pulls)
    else:
        found = _by_steps(likelihood, at, coordinates.of(starts), held or {}, points, pulls)
    u = found.points
    u = np.where(u <= _EDGE, 0.0, np.where(u >= 1 - _EDGE, 1.0, u))
    return Fitted(found.chi2, coordinates.parameters(u), found.pulls, found.converged)


def _is_exact(expansion: Expansion, strengths: Strengths, d: int) -> bool:
    """Return whether the strengths are quadratic in all the box, as far as a few places can tell."""
    points = len(expansion.value)
    places = np.random.default_rng(d).random((8, d))
    real = strengths(np.repeat(places, points, axis=0)).reshape(len(places), points, -1)
    quadratic = [expansion.strengths(np.tile(u, (points, 1)), np)[0] for u in places]
    largest = np.abs(real).max(axis=(0, 1))
    return bool((np.abs(real - np.array(quadratic)) <= _EXACT * largest).all())


def _by_steps(
    likelihood: JointLikelihood,
    strengths: Strengths,
    u: Array,
    held: Mapping[str, Array],
    points: int,
    begin: Array | None,
) -> Fitted:
    """Return the minima by repeated expansion, each trusted within a radius that follows its success."""
    number = max(len(u), likelihood.observed.sets, points, *(value.size for value in held.values()))
    u = np.array(np.broadcast_to(u, (number, u.shape[1])))
    best = likelihood.profiled(strengths(u), held, begin)
    chi2, pulls, converged = best.chi2, best.pulls, np.zeros(number, dtype=bool)
    radius, active = np.full(number, _FIRST_RADIUS), np.arange(number)
    for _ in range(_MOST_ROUNDS):
        part, rows = likelihood, active if points > 1 else None
        if likelihood.observed.sets > 1:
            part = likelihood.with_data(likelihood.observed.at(active))
        some = {name: value if value.size == 1 else value[active] for name, value in held.items()}
        here, reach = u[active], radius[active, np.newaxis]
        low, high = np.maximum(here - reach, _EDGE), np.minimum(here + reach, 1 - _EDGE)
        at = None if begin is None else pulls[active]
        tried = part.fitted(expand(strengths, here, _STEP, rows), here, low, high, some, at)
        real = part.profiled(strengths(tried.points, rows), some, None if begin is None else tried.pulls)
        promised, fell = chi2[active] - tried.chi2, chi2[active] - real.chi2
        better = fell >= 0
        settled = (np.abs(fell) < _SETTLED) & (promised < _PROMISED)  # not by chance as high as before
        done = tried.converged & real.converged & settled | (radius[active] < _SMALLEST_RADIUS)
        at_edge = (np.abs(tried.points - here) >= 0.999 * reach).any(axis=1)
        done &= ~(at_edge & better & (fell > 0))
        taken = active[better]
        u[taken], chi2[taken], pulls[taken] = tried.points[better], real.chi2[better], real.pulls[better]
        wider = np.where(at_edge, 2 * radius[active], radius[active])
        radius[active] = np.where(fell >= promised / 10, wider, radius[active] / 4)
        converged[active[done]] = real.converged[done]
        active = active[~done]
        if not active.size:
            break
    return Fitted(chi2, u, pulls, converged)
