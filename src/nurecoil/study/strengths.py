"""Fits of parameters through the strengths of the couplings, whatever the model.

Where the couplings are linear in the parameters the strengths are quadratic, and one expansion is exact. Of
any other model, the strengths are expanded anew wherever a step leads.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nurecoil.arithmetic import Array, unwarned
from nurecoil.experiment import Basis
from nurecoil.likelihood import Expansion, Fitted, JointLikelihood, Moving, Strengths, Tie, expand
from nurecoil.models import Model
from nurecoil.parameters import Parameter, Values

_PIECE = 32768  # points: the couplings of so many stay in the cache
_STEP = 1e-4  # of the box: exact for a quadratic function, an error of 1e-8 of the range for others
_EDGE = 1e-10  # of the box, from its ends: at the very end there may be no signal, and so no shape of it
_EXACT = 1e-9  # of the largest value of each strength: magnetic moments squared are 1e-20 of the others


def strengths_of(basis: Basis, model: Model, values: Values) -> Array:
    """Return what a model expects at values, numbers or arrays (P,), shape (P, strengths)."""
    arrays = {name: value for name, value in values.items() if getattr(value, "size", 1) > 1}
    points = max((value.size for value in arrays.values()), default=1)
    if points <= _PIECE:
        found = basis.strengths(model.evaluate(values))  # one row, if they depend on nothing that is an array
        return found if len(found) == points else np.repeat(found, points, axis=0)
    strengths = np.empty((sum(basis.sizes.values()), points)).T  # as the basis has them in memory
    for first in range(0, points, _PIECE):
        piece = slice(first, first + _PIECE)
        of_piece = {name: value[piece] for name, value in arrays.items()}
        strengths[piece] = basis.strengths(model.evaluate({**values, **of_piece}))
    return strengths


@dataclass(frozen=True)
class Coordinates:
    """What is fitted, u, from 0 to 1 across a box (d,): linear in a parameter or its logarithm."""

    log: tuple[bool, ...]
    low: Array
    high: Array

    @classmethod
    def across(cls, parameters: Sequence[Parameter], low: Array, high: Array) -> "Coordinates":
        """Return those of a box, in the logarithm where a parameter is scanned in it."""
        log = (p.log_scan and bool(edge > 0) for p, edge in zip(parameters, low, strict=True))
        return cls(tuple(log), low, high)

    def followed_by(self, more: "Coordinates") -> "Coordinates":
        """Return the coordinates of a box of more dimensions."""
        low, high = (np.concatenate(pair) for pair in ((self.low, more.low), (self.high, more.high)))
        return Coordinates((*self.log, *more.log), low, high)

    def of(self, points: Array) -> Array:
        """Return u of parameters (P, d)."""
        with np.errstate(invalid="ignore", divide="ignore"):
            linear = (points - self.low) / (self.high - self.low)
            ratio = np.log(points / self.low) / np.log(self.high / self.low)
        return np.where(self.log, ratio, linear)

    def ties(self, constrained: Mapping[int, int]) -> list[Tie]:
        """Return which parameters are constraints, which are linear in u."""
        low, width = self.low.tolist(), (self.high - self.low).tolist()
        return [Tie(k, pull, low[k], width[k]) for k, pull in constrained.items()]

    def slope(self, points: Array) -> Array:
        """Return dx/du at parameters (P, d)."""
        with np.errstate(invalid="ignore", divide="ignore"):
            logarithmic = points * np.log(self.high / self.low)
        return np.where(self.log, logarithmic, self.high - self.low)

    def parameters(self, u: Array) -> Array:
        """Return the parameters at u (P, d), never outside the box."""
        with unwarned():
            power = self.low * (self.high / self.low) ** u
        found = np.where(self.log, power, self.low + u * (self.high - self.low))
        return np.clip(found, self.low, self.high)


def fit_strengths(
    likelihood: JointLikelihood,
    strengths: Strengths,
    coordinates: Coordinates,
    starts: Array,
    pulls: Array | None = None,
    held: Mapping[str, Array] | None = None,
    points: int = 1,
    reach: float | None = None,
    constrained: Mapping[int, int] | None = None,
) -> Fitted:
    """Return the minima of χ² over the pulls and parameters, from starts (P, d) inside the box.

    One start for each set of data, or one for all; `points` are P where the strengths differ from point to
    point; `constrained` has the numbers of parameters that are constraints, and of these among the pulls.
    The rest is as for `JointLikelihood.profiled`.
    """

    def at(values: Array, rows: NDArray[np.intp] | None = None) -> Array:
        return strengths(coordinates.parameters(values), rows)

    d = starts.shape[1]
    low, high = np.full(d, _EDGE), np.full(d, 1 - _EDGE)
    found = likelihood.fitted(
        expansion(at, d, points),
        coordinates.of(starts),
        low,
        high,
        held=held,
        pulls=pulls,
        reach=reach,
        tied=coordinates.ties(constrained or {}),
    )
    u = found.points
    u = np.where(u <= _EDGE, 0.0, np.where(u >= 1 - _EDGE, 1.0, u))
    return Fitted(found.chi2, coordinates.parameters(u), found.pulls, found.converged)


def expansion(strengths: Strengths, d: int, points: int = 1) -> Expansion | Moving:
    """Return strengths of d parameters from 0 to 1: one expansion if quadratic, else a moving one."""
    whole = expand(strengths, np.full((points, d), 0.5), 0.25)  # any nodes, if it is quadratic
    if _is_exact(whole, strengths, d):
        return whole
    return Moving(strengths, _STEP, d, np.arange(points) if points > 1 else None)


def _is_exact(expansion: Expansion, strengths: Strengths, d: int) -> bool:
    """Return whether the strengths are quadratic in all the box, as far as a few places can tell."""
    points = len(expansion.value)
    places = np.random.default_rng(d).random((8, d))
    real = strengths(np.repeat(places, points, axis=0)).reshape(len(places), points, -1)
    quadratic = [expansion.strengths(np.tile(u, (points, 1)))[0] for u in places]
    largest = np.abs(real).max(axis=(0, 1))
    return bool((np.abs(real - np.array(quadratic)) <= _EXACT * largest).all())
