"""χ² of one parameter between two ends, and the coordinate in which it is searched."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.checks import require
from nurecoil.errors import NurecoilError

Function: TypeAlias = Callable[[Array], Array]

FORBIDDEN = 1e100  # stands for an infinite χ², so that differences stay finite
_FEWEST_POINTS = 5  # a cubic through four neighbours and the point itself


@dataclass(frozen=True)
class Axis:
    """A parameter x from `low` to `high`, searched in u = x, or in u = ln x if `log`; then 0 < low."""

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        """Refuse what is no range."""
        low, high = self.low, self.high
        finite = bool(np.isfinite([low, high]).all())
        require(finite and low < high, "a scan's range", f"{low} to {high}", "finite, low < high")
        if self.log and low <= 0.0:
            raise NurecoilError(f"a logarithmic scan from {low} is not allowed: it must start above 0")

    @property
    def ends(self) -> Array:
        """The first and the last u."""
        return self.u(np.array([self.low, self.high]))

    def evenly(self, points: int) -> Array:
        """Return evenly spaced u from end to end."""
        first, last = self.ends
        return np.linspace(first, last, points)

    def u(self, x: Array) -> Array:
        """Return u(x)."""
        return np.log(x) if self.log else np.asarray(x, dtype=float)

    def x(self, u: Array) -> Array:
        """Return x(u), never outside the range and exact at its ends."""
        first, last = self.ends
        inside = np.clip(np.exp(u) if self.log else u, self.low, self.high)
        return np.where(u <= first, self.low, np.where(u >= last, self.high, inside))

    def at(self, share: Array) -> Array:
        """Return x at a share of the way from end to end, 0 to 1 in u."""
        first, last = self.ends
        return self.x(np.where(share >= 1.0, last, first + share * (last - first)))

    def share(self, x: Array) -> Array:
        """Return how far along the way x lies, 0 to 1 in u."""
        first, last = self.ends
        return np.asarray((self.u(np.clip(x, self.low, self.high)) - first) / (last - first))


@dataclass(frozen=True, eq=False)
class Line:
    """χ² of one parameter, and how it is to be looked at.

    Attributes
    ----------
    function : callable
        χ² or -2 ln L of a 1-D array, returned with the same shape. +inf means forbidden.
    axis : Axis
        The parameter, in its unit.
    points : int
        Of a grid that is evenly spaced in u, at least 5.
    noise : float
        How far χ² may be off, if it comes from a minimisation itself.
    at_infinity : float, optional
        χ² far beyond the scan, where the parameter has no effect.

    Raises
    ------
    NurecoilError
        If there are too few points, or more than different values.
    """

    function: Function
    axis: Axis
    points: int = 2001
    noise: float = 0.0
    at_infinity: float | None = None

    def __post_init__(self) -> None:
        """Refuse a grid that shows nothing."""
        require(self.points >= _FEWEST_POINTS, "points", self.points, f"{_FEWEST_POINTS} or more")
        if not (np.diff(self.grid) > 0.0).all():
            raise NurecoilError(
                f"a scan from {self.axis.low!r} to {self.axis.high!r} is too narrow to hold {self.points}"
                " different values"
            )

    @property
    def grid(self) -> Array:
        """Where to look first: evenly spaced u."""
        return self.axis.evenly(self.points)

    def at(self, u: Array) -> Array:
        """Return χ² at u, checked, +inf replaced by a huge number."""
        x = self.axis.x(u)
        y = np.asarray(self.function(x), dtype=np.float64)
        if y.shape != x.shape:
            raise NurecoilError(
                f"chi2 gave an array of shape {y.shape} for parameter values of shape {x.shape}"
            )
        return sound(y, x)


def sound(chi2: Array, x: Array) -> Array:
    """Return χ² (P,) at x, (P,) or (P, N), +inf replaced by a huge number; NaN and -inf are refused."""
    bad = np.isnan(chi2) | np.isneginf(chi2)
    if bad.any():
        at = x[bad][0].tolist()
        place = f"point {tuple(at)}" if x.ndim > 1 else f"parameter value {at!r}"
        raise NurecoilError(
            f"chi2 is {chi2[bad][0]} at the {place}: it must be a number or +inf everywhere in the scan"
        )
    return np.minimum(chi2, FORBIDDEN)
