"""All allowed intervals of one parameter: {x : Δχ²(x) <= level}, by root-finding."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from nurecoil.arithmetic import Array
from nurecoil.errors import NurecoilError
from nurecoil.inference.sampled import sampled

Function: TypeAlias = Callable[[Array], Array]

_FORBIDDEN = 1e100  # stands for an infinite χ², so that differences stay finite
_ROUNDS = 24  # of zooming by 4: 4**24 = 3e14, a bracket shrinks to rounding
_MOST_HINTS = 100
_HIGH = 100.0  # levels above the lowest point; higher up a slope hides no dip, and its square no minimum
_DISTINCT = 1e-6  # of the spacing: nearer points are taken for one
_EQUAL = 1e-9  # in χ²: two minima that are as low
_FEWEST_POINTS = 5  # a cubic through four neighbours and the point itself


@dataclass(frozen=True)
class Interval:
    """One allowed interval; an open end lies at the scan's edge, its true end beyond it."""

    low: float
    high: float
    open_low: bool
    open_high: bool


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
        """The low end of the last interval if that reaches the scan's upper edge, else None."""
        if not self.intervals:
            return None
        last = self.intervals[-1]
        return last.low if last.open_high and not last.open_low else None

    @property
    def upper_limit(self) -> float | None:
        """The high end of the first interval if that reaches the scan's lower edge, else None."""
        if not self.intervals:
            return None
        first = self.intervals[0]
        return first.high if first.open_low and not first.open_high else None


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
    if not 0.0 < cl < 1.0:
        raise NurecoilError(
            f"confidence level {cl} is not allowed: it must lie between 0 and 1, both excluded"
        )
    if not (dof >= 1 and dof % 1 == 0):
        raise NurecoilError(f"{dof} degrees of freedom are not allowed: give a whole number of at least 1")
    from scipy.special import gammaincinv  # type: ignore[import-untyped]

    return 2.0 * float(gammaincinv(0.5 * dof, cl))


def profile(
    chi2: Function,
    low: float,
    high: float,
    level: float,
    *,
    log: bool = False,
    points: int = 2001,
    reference: float | None = None,
    noise: float = 0.0,
    at_infinity: float | None = None,
) -> Profile:
    """Find all intervals of one parameter with Δχ² <= `level`: as `profiles`, for one level.

    Examples
    --------
    >>> result = profile(lambda x: (x**2 - 4.0) ** 2, -5.0, 5.0, level=1.0)
    >>> [(round(i.low, 6), round(i.high, 6)) for i in result.intervals]
    [(-2.236068, -1.732051), (1.732051, 2.236068)]
    >>> profile(lambda x: 1.0 / x**2, 0.1, 1e3, level=4.0, log=True).lower_limit
    0.49999...
    """
    (found,) = profiles(
        chi2,
        low,
        high,
        [level],
        log=log,
        points=points,
        reference=reference,
        noise=noise,
        at_infinity=at_infinity,
    )
    return found


def profiles(
    chi2: Function,
    low: float,
    high: float,
    levels: Sequence[float],
    *,
    log: bool = False,
    points: int = 2001,
    reference: float | None = None,
    noise: float = 0.0,
    at_infinity: float | None = None,
) -> tuple[Profile, ...]:
    r"""Find all intervals of one parameter with Δχ² <= level, for each level, from one scan.

    .. math:: \{x \in [x_\mathrm{low}, x_\mathrm{high}] : \chi^2(x) - \chi^2_0 \le \mathrm{level}\}

    where χ²₀ is the minimum over the scan, or at infinity, or `reference`. The grid only shows where to look:
    every local minimum and maximum that matters is zoomed in on, and so is every grid point that
    lies off the cubic through its four neighbours (a dip or spike on a slope); the points found
    join the grid, and each change of sign of Δχ² - level is then solved for.

    Parameters
    ----------
    chi2 : callable
        χ² or -2 ln L of a 1-D array, returned with the same shape. +inf means forbidden.
    low, high : float
        Ends of the scan, in the parameter's unit; 0 < low if `log`.
    levels : sequence of float
        Allowed means Δχ² <= level, see `threshold`; positive unless a reference is given.
    log : bool
        Space the grid, and search, in ln x instead of x.
    points : int
        Number of grid points, at least 5; evaluated in one call.
    reference : float, optional
        χ²₀; the minimum over the scan by default. Δχ² may then be negative.
    at_infinity : float, optional
        χ² far beyond the scan, where the parameter has no effect; χ²₀ if it is the lower, and the best fit is
        then infinity.
    noise : float
        How far χ² may be off, if it comes from a minimisation itself; smaller features are not searched, and
        the grid is computed only as far as the curve's shape asks for (see `sampled`).

    Raises
    ------
    NurecoilError
        If an argument is not allowed, or if `chi2` is NaN or -inf at a value (which is named),
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
    >>> [found.intervals[0].high for found in profiles(np.square, 0.0, 5.0, [1.0, 4.0])]
    [1.0, 2.0]
    """
    _check_scan(low, high, log, points)
    for level in levels:
        _check_level(level, reference)
    scale = min(abs(level) or 1.0 for level in levels)
    checked = _checked(chi2)
    axis = _Axis(float(low), float(high), log)
    grid = axis.grid(points)
    if not (np.diff(grid) > 0.0).all():
        raise NurecoilError(
            f"a scan from {low!r} to {high!r} is too narrow to hold {points} different values"
        )
    values = axis.value(grid)

    def function(u: Array) -> Array:
        return checked(axis.value(u))

    on_grid = sampled(function, grid, scale) if noise > 0 else checked(values)

    mesh = _with_hidden_features(function, _Mesh(grid, on_grid), scale, noise)
    mesh = mesh.joined(*_zoom_on_extrema(function, mesh, noise, scale=scale))
    lowest = _is_local_minimum(mesh.y) & (mesh.y <= mesh.y.min() + _EQUAL)
    best = int(np.flatnonzero(lowest)[0])  # of several the first, whatever rounding makes of them
    minimum, best_fit = float(mesh.y[best]), float(axis.value(mesh.u[[best]])[0])
    if minimum >= _FORBIDDEN:
        raise NurecoilError(f"chi2 is infinite everywhere between {low:g} and {high:g}: no value is allowed")
    if at_infinity is not None and at_infinity < minimum:
        minimum, best_fit = float(at_infinity), math.inf
    origin = minimum if reference is None else float(reference)
    mesh = mesh.joined(*_zoom_on_extrema(function, mesh, noise, below=origin + max(levels)))
    delta_chi2 = np.where(on_grid >= _FORBIDDEN, np.inf, on_grid - origin)
    values.flags.writeable = delta_chi2.flags.writeable = False
    found = [(level, *_intervals(function, mesh, origin + level, axis)) for level in levels]
    return tuple(
        Profile(values, delta_chi2, float(level), best_fit, minimum, intervals, converged)
        for level, intervals, converged in found
    )


@dataclass(frozen=True)
class _Axis:
    """The scanned parameter x and the coordinate u = x or ln x in which it is searched."""

    low: float
    high: float
    log: bool

    def grid(self, points: int) -> Array:
        """Return evenly spaced points u from end to end."""
        ends = np.log([self.low, self.high]) if self.log else (self.low, self.high)
        return np.linspace(ends[0], ends[1], points)

    def value(self, u: Array) -> Array:
        """Return x(u), exact at the ends of the scan."""
        if not self.log:
            return u.copy()
        x = np.exp(u)
        x[u <= np.log(self.low)] = self.low
        x[u >= np.log(self.high)] = self.high
        return x


@dataclass(frozen=True, eq=False)
class _Mesh:
    """The points u (ascending) at which χ² is known, and y = χ² there."""

    u: Array
    y: Array

    def joined(self, u: Array, y: Array) -> "_Mesh":
        """Return the mesh with more points; one that is there already keeps its value."""
        together, index = np.unique(np.concatenate([self.u, u]), return_index=True)
        return _Mesh(together, np.concatenate([self.y, y])[index])


def _checked(chi2: Function) -> Function:
    """Return `chi2` with its values checked and +inf replaced by a huge number."""

    def evaluate(x: Array) -> Array:
        y = np.asarray(chi2(x), dtype=np.float64)
        if y.shape != x.shape:
            raise NurecoilError(
                f"chi2 gave an array of shape {y.shape} for parameter values of shape {x.shape}"
            )
        bad = np.isnan(y) | np.isneginf(y)
        if bad.any():
            raise NurecoilError(
                f"chi2 is {y[bad][0]} at the parameter value {float(x[bad][0])!r}: "
                "it must be a number or +inf everywhere in the scan"
            )
        return np.minimum(y, _FORBIDDEN)

    return evaluate


def _check_scan(low: float, high: float, log: bool, points: int) -> None:
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise NurecoilError(f"a scan from {low} to {high} is not allowed: both must be finite and low < high")
    if log and low <= 0.0:
        raise NurecoilError(f"a logarithmic scan from {low} is not allowed: it must start above 0")
    if points < _FEWEST_POINTS:
        raise NurecoilError(f"{points} points are not allowed: a scan needs at least {_FEWEST_POINTS}")


def _check_level(level: float, reference: float | None) -> None:
    if reference is not None and not np.isfinite(reference):
        raise NurecoilError(f"a reference of {reference} is not allowed: it must be finite")
    if not np.isfinite(level) or (reference is None and level <= 0.0):
        raise NurecoilError(
            f"a level of {level} is not allowed: it must be finite and, without a reference, positive"
        )


def _with_hidden_features(function: Function, grid: _Mesh, scale: float, noise: float = 0.0) -> _Mesh:
    """Return the grid joined by the tips of dips and spikes that it only hints at."""
    mesh = grid
    for sign in (1.0, -1.0):  # dips, then spikes
        at = _hints(sign * grid.y, scale)
        at = at[grid.y[at] < grid.y.min() + _HIGH * scale]
        slope = (grid.y[at + 2] - grid.y[at - 2]) / (grid.u[at + 2] - grid.u[at - 2])
        tip, y = _zoom(function, grid.u[at - 1], grid.u[at], grid.u[at + 1], noise, sign, slope)
        spacing = grid.u[at + 1] - grid.u[at]
        between = np.abs((tip - grid.u[at]) / spacing) % 1.0  # next to a grid point, only rounding differs
        new = (between > _DISTINCT) & (between < 1.0 - _DISTINCT)
        mesh = mesh.joined(tip[new], y[new])
    return mesh


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


def _zoom_on_extrema(
    function: Function,
    mesh: _Mesh,
    noise: float,
    below: float | None = None,
    scale: float | None = None,
) -> tuple[Array, Array]:
    """Return the refined local minima of the mesh or, given `below`, the maxima not above that."""
    sign = 1.0 if below is None else -1.0
    chosen = _is_local_minimum(sign * mesh.y)
    if scale is not None:
        chosen &= mesh.y < mesh.y.min() + _HIGH**2 * scale
    if below is not None:
        chosen &= mesh.y <= below
    at = np.flatnonzero(chosen)
    left, right = np.maximum(at - 1, 0), np.minimum(at + 1, mesh.u.size - 1)
    depth = np.maximum(np.abs(mesh.y[left] - mesh.y[at]), np.abs(mesh.y[right] - mesh.y[at]))
    left, at, right = (number[depth >= noise] for number in (left, at, right))
    return _zoom(function, mesh.u[left], mesh.u[at], mesh.u[right], noise, sign)


def _is_local_minimum(y: Array) -> NDArray[np.bool_]:
    """Return which points lie no higher than their neighbours, both ends of a plateau included."""
    step = np.sign(np.diff(y))
    before, after = np.concatenate([[-1.0], step]), np.concatenate([step, [1.0]])
    return np.asarray((before < 0) & (after >= 0) | (before <= 0) & (after > 0))


def _zoom(
    function: Function,
    left: Array,
    mid: Array,
    right: Array,
    noise: float,
    sign: float = 1.0,
    slope: Array | float = 0.0,
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
        y = sign * (function(u.ravel()).reshape(u.shape) - tilt)
        lowest = np.argmin(y, axis=1)
        rows = np.arange(active.size)
        left[active] = u[rows, np.maximum(lowest - 1, 0)]
        mid[active] = u[rows, lowest]
        last = 8 - np.argmin(y[:, ::-1], axis=1)  # at an end of the scan some of the nine are one point
        right[active] = u[rows, np.minimum(last + 1, 8)]
        rounding = 4.0 * np.finfo(float).eps * np.abs(y).max(axis=1)
        active = active[np.ptp(y, axis=1) > np.maximum(rounding, noise)]
    return mid, (function(mid) if mid.size else mid)


def _nine_points(left: Array, mid: Array, right: Array) -> Array:
    """Return rows of nine ascending points: the three given and three in each gap."""
    weight = np.array([0.0, 0.25, 0.5, 0.75])
    lower = left[:, None] + (mid - left)[:, None] * weight
    upper = right[:, None] - (right - mid)[:, None] * weight[::-1]
    return np.concatenate([lower, mid[:, None], upper], axis=1)


def _intervals(
    function: Function, mesh: _Mesh, ceiling: float, axis: _Axis
) -> tuple[tuple[Interval, ...], bool]:
    """Return the runs of mesh points not above the ceiling, their ends solved for, and whether all were."""

    def above(u: Array) -> Array:
        return function(u) - ceiling

    excess = mesh.y - ceiling
    allowed = np.concatenate([[False], excess <= 0.0, [False]])
    firsts = np.flatnonzero(~allowed[:-1] & allowed[1:]).tolist()
    lasts = (np.flatnonzero(allowed[:-1] & ~allowed[1:]) - 1).tolist()
    end = mesh.u.size - 1
    intervals, converged = [], True
    for first, last in zip(firsts, lasts, strict=True):
        low, low_ok = (mesh.u[0], True) if first == 0 else _root(above, mesh.u, excess, first - 1)
        high, high_ok = (mesh.u[end], True) if last == end else _root(above, mesh.u, excess, last)
        x = axis.value(np.array([low, high]))
        intervals.append(Interval(float(x[0]), float(x[1]), first == 0, last == end))
        converged = converged and low_ok and high_ok
    return tuple(intervals), converged


def _root(function: Function, u: Array, excess: Array, i: int) -> tuple[float, bool]:
    """Return the zero of the function between u[i] and u[i + 1], where its signs differ."""
    from scipy.optimize import brentq  # type: ignore[import-untyped]

    left, right = float(u[i]), float(u[i + 1])
    known = {left: float(excess[i]), right: float(excess[i + 1])}  # a lone call may round to another sign

    def at(u: float) -> float:
        return known[u] if u in known else float(function(np.array([u]))[0])

    xtol = 1e-18 * float(u[-1] - u[0])
    root, report = brentq(at, left, right, xtol=xtol, rtol=1e-14, maxiter=500, full_output=True, disp=False)
    return float(root), bool(report.converged)
