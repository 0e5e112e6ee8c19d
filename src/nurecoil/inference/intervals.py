"""All allowed intervals of one parameter: {x : Δχ²(x) <= level}, by root-finding."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nurecoil.arithmetic import Array
from nurecoil.checks import require, require_whole
from nurecoil.errors import NurecoilError
from nurecoil.inference.line import FORBIDDEN, Line
from nurecoil.inference.sampled import sampled

_ROUNDS = 24  # of zooming by 4: 4**24 = 3e14, a bracket shrinks to rounding
_MOST_HINTS = 100
_HIGH = 100.0  # levels above the lowest point; higher up a slope hides no dip, and its square no minimum
_DISTINCT = 1e-6  # of the spacing: nearer points are taken for one
_EQUAL = 1e-9  # in χ²: two minima that are as low
_AT_END = 1e-6  # of the scan


@dataclass(frozen=True)
class Interval:
    """One allowed interval; an open end lies at the scan's edge, its true end beyond it."""

    low: float
    high: float
    open_low: bool
    open_high: bool

    @property
    def ends(self) -> tuple[tuple[float, bool], tuple[float, bool]]:
        """Both ends, and whether each is open."""
        return (self.low, self.open_low), (self.high, self.open_high)


@dataclass(frozen=True, eq=False)
class Profile:
    """The profile of one parameter: Δχ² on a grid, best fit and all allowed intervals.

    Attributes
    ----------
    values, delta_chi2 : 1-D arrays
        The grid and Δχ² on it (infinite where χ² is).
    level : float
        Allowed means Δχ² <= `level`.
    best_fit, minimum : float
        The best fit within the scan, or infinity, and χ² there.
    intervals : tuple of Interval
        In ascending order; empty if nothing is allowed (only possible with a reference).
    converged : bool
        Every end of an interval was polished to the tolerance.
    """

    values: Array
    delta_chi2: Array
    level: float
    best_fit: float
    minimum: float
    intervals: tuple[Interval, ...]
    converged: bool

    @property
    def lower_limit(self) -> float | None:
        """The low end of the only interval if that is open above alone, else None."""
        only = self.intervals[0] if len(self.intervals) == 1 else None
        return only.low if only and only.open_high and not only.open_low else None

    @property
    def upper_limit(self) -> float | None:
        """The high end of the only interval if that is open below alone, else None."""
        only = self.intervals[0] if len(self.intervals) == 1 else None
        return only.high if only and only.open_low and not only.open_high else None


def threshold(cl: float, dof: int = 1) -> float:
    r"""Return the level of Δχ² that belongs to a confidence level (Wilks' theorem).

    .. math:: P(\chi^2_\mathrm{dof} \le \mathrm{threshold}) = \mathrm{cl}

    Parameters
    ----------
    cl : float
        Confidence level, 0 < cl < 1.
    dof : int
        Number of parameters of interest, at least 1.

    Raises
    ------
    NurecoilError
        If `cl` or `dof` is outside its range.

    Examples
    --------
    >>> round(threshold(0.90), 4), round(threshold(0.90, dof=2), 4)
    (2.7055, 4.6052)
    """
    require(0.0 < cl < 1.0, "confidence level", cl, "between 0 and 1, both excluded")
    require_whole("degrees of freedom", dof, 1)
    from scipy.special import gammaincinv  # type: ignore[import-untyped]

    return 2.0 * float(gammaincinv(0.5 * dof, cl))


def profile(line: Line, level: float, reference: float | None = None) -> Profile:
    """Find all intervals of one parameter with Δχ² <= `level`: as `profiles`, for one level.

    Examples
    --------
    >>> from nurecoil.inference.line import Axis
    >>> result = profile(Line(lambda x: (x**2 - 4.0) ** 2, Axis(-5.0, 5.0)), level=1.0)
    >>> [(round(i.low, 6), round(i.high, 6)) for i in result.intervals]
    [(-2.236068, -1.732051), (1.732051, 2.236068)]
    >>> profile(Line(lambda x: 1.0 / x**2, Axis(0.1, 1e3, log=True)), level=4.0).lower_limit
    0.49999...
    """
    return profiles(line, [level], reference)[0]


def profiles(line: Line, levels: Sequence[float], reference: float | None = None) -> tuple[Profile, ...]:
    r"""Find all intervals of one parameter with Δχ² <= level, for each level, from one scan.

    .. math:: \{x \in [x_\mathrm{low}, x_\mathrm{high}] : \chi^2(x) - \chi^2_0 \le \mathrm{level}\}

    where χ²₀ is the minimum over the scan, or at infinity, or `reference`. The grid only shows where to look:
    every local minimum and maximum that matters is zoomed in on, and so is every grid point that
    lies off the cubic through its four neighbours (a dip or spike on a slope); the points found
    join the grid, and each change of sign of Δχ² - level is then solved for.

    Parameters
    ----------
    line : Line
        The curve. Features smaller than its noise are not searched, and the grid of one that has noise is
        computed only as far as its shape asks for (see `sampled`). χ²₀ is the value at infinity if that is
        the lower, and the best fit is then infinity.
    levels : sequence of float
        Allowed means Δχ² <= level, see `threshold`; positive unless a reference is given.
    reference : float, optional
        χ²₀; the minimum over the scan by default. Δχ² may then be negative.

    Raises
    ------
    NurecoilError
        If an argument is not allowed, or if χ² is NaN or -inf at a value (which is named),
        or +inf everywhere.

    Notes
    -----
    An interval end is exact to about 1e-10, or to what the rounding of χ² allows. If χ² is flat the
    whole scan is one interval, open at both ends. What cannot be guaranteed: a dip or spike that
    leaves no trace on the grid points next to it, or more than one between the same two grid
    points, is missed. A trace on a slope below 1e-4 of the level counts as none, one in the two
    outermost cells must make a local extremum, and only the 100 strongest are followed. The remedy is
    more points or a narrower scan.

    Examples
    --------
    >>> from nurecoil.inference.line import Axis
    >>> [found.intervals[0].high for found in profiles(Line(np.square, Axis(0.0, 5.0)), [1.0, 4.0])]
    [1.0, 2.0]
    """
    for level in levels:
        require(np.isfinite(level), "level", level, "finite")
        require(level > 0 or reference is not None, "level", level, "positive without a reference")
    require(reference is None or bool(np.isfinite(reference)), "reference", reference, "finite")
    scale = min(abs(level) or 1.0 for level in levels)
    axis, grid = line.axis, line.grid
    on_grid = sampled(line.at, grid, scale) if line.noise > 0 else line.at(grid)

    ceiling = (float(on_grid.min()) if reference is None else float(reference)) + max(levels)
    mesh = _Mesh(line, grid, on_grid).with_hidden_features(scale, ceiling)
    mesh = mesh.with_extrema(1.0, below=float(mesh.y.min()) + _HIGH**2 * scale)  # those far up matter to none
    lowest = _is_local_minimum(mesh.y) & (mesh.y <= mesh.y.min() + _EQUAL)
    best = np.flatnonzero(lowest)[:1]  # of several the first, whatever rounding makes of them
    minimum, ends = float(mesh.y[best][0]), np.array([0, mesh.u.size - 1])
    as_low = mesh.y[ends] <= minimum + max(_EQUAL, line.noise)  # rounding may make an end higher than inside
    at_end = ends[as_low & (np.abs(mesh.u[ends] - mesh.u[best]) <= _AT_END * np.ptp(mesh.u))]
    best_fit = float(axis.x(mesh.u[[*at_end, *best]])[0])
    if minimum >= FORBIDDEN:
        raise NurecoilError(
            f"chi2 is infinite everywhere between {axis.low:g} and {axis.high:g}: no value is allowed"
        )
    if line.at_infinity is not None and line.at_infinity < minimum:
        minimum, best_fit = float(line.at_infinity), math.inf
    origin = minimum if reference is None else float(reference)
    mesh = mesh.with_extrema(-1.0, below=origin + max(levels))
    values, delta_chi2 = axis.x(grid), np.where(on_grid >= FORBIDDEN, np.inf, on_grid - origin)
    values.flags.writeable = delta_chi2.flags.writeable = False
    found = [(level, *mesh.intervals(origin + level)) for level in levels]
    return tuple(
        Profile(values, delta_chi2, float(level), best_fit, minimum, intervals, converged)
        for level, intervals, converged in found
    )


@dataclass(frozen=True, eq=False)
class _Mesh:
    """The points u (ascending) at which χ² is known, and y = χ² there."""

    line: Line
    u: Array
    y: Array

    def joined(self, u: Array, y: Array) -> "_Mesh":
        """Return the mesh with more points; one that is there already keeps its value."""
        together, index = np.unique(np.concatenate([self.u, u]), return_index=True)
        return _Mesh(self.line, together, np.concatenate([self.y, y])[index])

    def with_hidden_features(self, scale: float, ceiling: float) -> "_Mesh":
        """Return the mesh, of an even grid, joined by the tips of dips and spikes that it only hints at.

        A spike is of no interest unless one of the points around it is below the ceiling.
        """
        mesh, u, y = self, self.u, self.y
        for sign in (1.0, -1.0):  # dips, then spikes
            at = _hints(sign * y, scale)
            foot = np.minimum(np.minimum(y[at - 1], y[at]), y[at + 1])
            at = at[(y[at] < y.min() + _HIGH * scale) if sign > 0 else (foot <= ceiling)]
            slope = (y[at + 2] - y[at - 2]) / (u[at + 2] - u[at - 2])
            tip, height = _zoom(self.line, u[at - 1], u[at], u[at + 1], sign, slope)
            between = np.abs((tip - u[at]) / (u[at + 1] - u[at])) % 1.0  # next to a grid point, only rounding
            new = (between > _DISTINCT) & (between < 1.0 - _DISTINCT)
            mesh = mesh.joined(tip[new], height[new])
        return mesh

    def with_extrema(self, sign: float, below: float) -> "_Mesh":
        """Return the mesh joined by its local minima (sign 1) or maxima (-1) that are not too high."""
        at = np.flatnonzero(_is_local_minimum(sign * self.y) & (self.y <= below))
        left, right = np.maximum(at - 1, 0), np.minimum(at + 1, self.u.size - 1)
        depth = np.maximum(np.abs(self.y[left] - self.y[at]), np.abs(self.y[right] - self.y[at]))
        deep = depth >= self.line.noise
        return self.joined(*_zoom(self.line, self.u[left[deep]], self.u[at[deep]], self.u[right[deep]], sign))

    def intervals(self, ceiling: float) -> tuple[tuple[Interval, ...], bool]:
        """Return the runs of points not above a ceiling, their ends solved for, and whether all were."""
        allowed = np.concatenate([[False], self.y <= ceiling, [False]])
        intervals, converged = [], True
        for first, end in np.flatnonzero(np.diff(allowed)).reshape(-1, 2).tolist():
            (low, low_ok), (high, high_ok) = self._root(first - 1, ceiling), self._root(end - 1, ceiling)
            low, high = self.line.axis.x(np.array([low, high])).tolist()
            intervals.append(Interval(low, high, first == 0, end == self.u.size))
            converged = converged and low_ok and high_ok
        return tuple(intervals), converged

    def _root(self, i: int, ceiling: float) -> tuple[float, bool]:
        """Return where χ² crosses a ceiling between the points i and i + 1, or the end of the scan."""
        from scipy.optimize import brentq  # type: ignore[import-untyped]

        if not 0 <= i < self.u.size - 1:
            return float(self.u[max(i, 0)]), True
        left, right = self.u[i : i + 2].tolist()
        known = {left: self.y[i], right: self.y[i + 1]}  # a lone call may round to another sign

        def excess(u: float) -> float:
            return float(known[u] if u in known else self.line.at(np.array([u]))[0]) - ceiling

        xtol = 1e-18 * float(self.u[-1] - self.u[0])
        root, report = brentq(
            excess, left, right, xtol=xtol, rtol=1e-14, maxiter=500, full_output=True, disp=False
        )
        return float(root), bool(report.converged)


def _hints(y: Array, scale: float) -> NDArray[np.intp]:
    """Return where y dips below the cubic through its two neighbours on either side, strongest first.

    Around a dip the excess over the cubic changes sign; over a smooth quartic, say, it does not.
    """
    excess = y[2:-2] - (4.0 * (y[1:-3] + y[3:-1]) - y[:-4] - y[4:]) / 6.0
    around = np.pad(excess, 2)
    near = np.stack([around[:-4], around[1:-3], around[3:-1], around[4:]])
    dips = (excess <= near[1]) & (excess <= near[2]) & (near.max(axis=0) > -0.25 * excess)
    at = np.flatnonzero(dips & (excess < -1e-4 * scale - 1e-9 * np.abs(y[2:-2])))
    return at[np.argsort(excess[at])][:_MOST_HINTS] + 2


def _is_local_minimum(y: Array) -> NDArray[np.bool_]:
    """Return which points lie no higher than their neighbours, both ends of a plateau included."""
    step = np.sign(np.diff(y))
    before, after = np.concatenate([[-1.0], step]), np.concatenate([step, [1.0]])
    return np.asarray((before < 0) & (after >= 0) | (before <= 0) & (after > 0))


def _zoom(
    line: Line, left: Array, mid: Array, right: Array, sign: float, slope: Array | float = 0.0
) -> tuple[Array, Array]:
    """Return u and y(u) of the lowest sign·(y(u) - slope·u) in every bracket left <= mid <= right.

    All brackets shrink together around their lowest of nine points, fourfold in a round, one
    call of the function a round, until only rounding or noise is left.
    """
    left, mid, right = left.copy(), mid.copy(), right.copy()
    start, slope = mid.copy(), np.broadcast_to(slope, mid.shape)
    active = np.arange(mid.size)
    for _ in range(_ROUNDS):
        if not active.size:
            break
        u = _nine_points(left[active], mid[active], right[active])
        tilt = slope[active, None] * (u - start[active, None])
        y = sign * (line.at(u.ravel()).reshape(u.shape) - tilt)
        lowest = np.argmin(y, axis=1)
        rows = np.arange(active.size)
        left[active] = u[rows, np.maximum(lowest - 1, 0)]
        mid[active] = u[rows, lowest]
        last = 8 - np.argmin(y[:, ::-1], axis=1)  # at an end of the scan some of the nine are one point
        right[active] = u[rows, np.minimum(last + 1, 8)]
        rounding = 4.0 * np.finfo(float).eps * np.abs(y).max(axis=1)
        active = active[np.ptp(y, axis=1) > np.maximum(rounding, line.noise)]
    return mid, (line.at(mid) if mid.size else mid)


def _nine_points(left: Array, mid: Array, right: Array) -> Array:
    """Return rows of nine ascending points: the three given and three in each gap."""
    weight = np.array([0.0, 0.25, 0.5, 0.75])
    lower = left[:, None] + (mid - left)[:, None] * weight
    upper = right[:, None] - (right - mid)[:, None] * weight[::-1]
    return np.concatenate([lower, mid[:, None], upper], axis=1)
