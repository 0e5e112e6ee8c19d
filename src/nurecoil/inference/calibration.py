"""Intervals whose confidence level toys guarantee, not Wilks' theorem (Feldman and Cousins)."""

import math
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nurecoil.arithmetic import Array
from nurecoil.errors import NurecoilError
from nurecoil.inference.critical import Draw, Node, check_toys, critical_value, throw
from nurecoil.inference.intervals import Function, Interval, Profile, profile, threshold
from nurecoil.inference.significance import binomial_error
from nurecoil.progress import Progress, in_steps

_TIES = 1e-9  # of t: equal values of t differ by rounding
_STEEP_ENOUGH = 0.005  # of the level: by so much more than its error Δχ² may change between two points
_JUMP = 4.0  # errors by which t_c jumps
_FEWEST_POINTS = 5
CURVE_POINTS = 401  # of the data's Δχ²
_BETWEEN = 33  # values in a gap
_COARSE = 1e-3  # of the level: features that matter against the errors of toys


@dataclass(frozen=True, eq=False)
class Calibration:
    """All allowed intervals of one parameter, by Wilks' theorem and by toys.

    Attributes
    ----------
    cl
        The confidence level.
    wilks : Profile
        Δχ² of the data, Wilks' level, and the intervals by it.
    intervals : tuple of Interval
        By toys: where Δχ² of the data does not exceed the critical value.
    errors : tuple of (float, float)
        How far the ends of each interval move if all critical values move by their errors; nan for an end
        at the edge of the scan, infinite where the interval might vanish.
    values, critical, critical_error : ndarray, shape (P,)
        Where toys were thrown, the critical value there, and its statistical error.
    toys, failed : ndarray, shape (P,)
        How many toys, and how many of their fits did not converge.
    """

    cl: float
    wilks: Profile
    intervals: tuple[Interval, ...]
    errors: tuple[tuple[float, float], ...]
    values: Array
    critical: Array
    critical_error: Array
    toys: NDArray[np.int64]
    failed: NDArray[np.int64]
    log: bool = False

    def critical_at(self, values: Array) -> Array:
        """Return the critical value between the points: a straight line, in ln x where the scan is."""
        return np.interp(_u(values, self.log), _u(self.values, self.log), self.critical)


@dataclass(frozen=True, eq=False)
class Coverage:
    """How often the intervals of toys contain the true value.

    Attributes
    ----------
    values : ndarray, shape (P,)
        The true values.
    wilks, wilks_error, toys, toys_error : ndarray, shape (P,)
        The fraction whose interval by Wilks' theorem, or by toys, contains it, with binomial errors.
    number, failed : int
        Toys at each value, and fits that did not converge in all.
    """

    values: Array
    wilks: Array
    wilks_error: Array
    toys: Array
    toys_error: Array
    number: int
    failed: int


def calibrate(
    chi2: Function,
    draw: Draw,
    low: float,
    high: float,
    cl: float,
    *,
    log: bool = False,
    points: int = 21,
    toys: int = 2000,
    rounds: int = 4,
    seed: int = 1,
    noise: float = 0.0,
    at_infinity: float | None = None,
    executor: Executor | None = None,
    progress: Progress = in_steps,
) -> Calibration:
    r"""Find all values of one parameter that a test calibrated with toys allows.

    .. math:: t(x) = \chi^2(x) - \min_{x'} \chi^2(x') \le t_c(x), \qquad P(t \le t_c | x) = \mathrm{cl}

    (Feldman and Cousins, Phys. Rev. D 57, 3873 (1998), section IV). Toys are thrown on a grid and at the ends
    of the intervals by Wilks' theorem; t_c is a straight line between. Then, in rounds, where Δχ² of the data
    crosses t_c: a point in between if the crossing is steep, else more toys at both sides of it.

    Parameters
    ----------
    chi2 : callable
        χ² of the data, of a 1-D array, as for `intervals.profile`.
    draw : callable
        Of a value x, a number of toys and a seed sequence: t (toys,) of data simulated at x, not negative,
        and how many of their fits did not converge.
    low, high : float
        Ends of the scan.
    cl : float
        Confidence level, between 0 and 1.
    log : bool
        Space the grid in ln x.
    points, toys, rounds
        Points of the grid, toys at each of them, rounds of refinement.
    seed : int
        The same seed gives the same numbers, whatever the executor.
    noise, at_infinity
        Of the curve of the data, as for `intervals.profile`.
    executor : Executor, optional
        Of `concurrent.futures`; toys are drawn in this process by default.
    progress : callable
        Shows how far it is, see `nurecoil.progress`.

    Notes
    -----
    Where counts are few t is discrete, and the intervals contain the truth more often than cl. t_c has steps
    then: what is interpolated is the rank of the data's t among the toys, which is smooth between steps.
    Gaps in which Δχ² only rises or falls come from such steps, or from the toys, and are filled.

    Examples
    --------
    A Gaussian mean that cannot be negative, measured as 1 ± 1 (table X of the paper: 0 to 2.64):

    >>> def draw(mean, toys, seed):
    ...     x = np.random.default_rng(seed).normal(mean, 1.0, toys)
    ...     return (x - mean) ** 2 - np.minimum(x, 0.0) ** 2, 0
    >>> found = calibrate(lambda mean: (1.0 - mean) ** 2, draw, 0.0, 6.0, 0.9, toys=10_000)
    >>> f"{found.intervals[0].low:.2f} to {found.intervals[0].high:.2f} ± {found.errors[0][1]:.2f}"
    '0.00 to 2.64 ± 0.02'
    """
    check(cl, points, toys, rounds, seed)
    wilks = profile(
        chi2, low, high, threshold(cl), log=log, points=CURVE_POINTS, noise=noise, at_infinity=at_infinity
    )
    slack = max(_TIES, noise)

    def delta(x: Array) -> Array:
        return np.maximum(np.asarray(chi2(x)) - wilks.minimum, 0.0)

    nodes = [Node(number, x) for number, x in enumerate(_first_values(wilks, low, high, points, log))]
    curve = _Curve.of(wilks, log)
    with in_steps(1 + rounds) as begin:
        begin()
        throw(draw, nodes, toys, (seed, 0), executor, progress)
        for _ in range(rounds):
            begin()
            between, again = _where_to_look(nodes, _judged(nodes, cl, log, slack, delta), curve, delta)
            new = [Node(len(nodes) + i, float(_x(u, log, low, high))) for i, u in enumerate(between)]
            if not (new or again):
                break
            throw(draw, [*new, *again], toys, (seed, 0), executor, progress)
            nodes += new
    u, judged, judged_error = _judged(nodes, cl, log, slack, delta)
    found = profile(
        lambda x: delta(x) - np.interp(_u(x, log), u, judged),
        low,
        high,
        0.0,
        log=log,
        points=CURVE_POINTS,
        reference=0.0,
        noise=max(noise, _COARSE * wilks.level),
    )
    ordered = sorted(nodes, key=lambda node: node.value)
    intervals = _joined(found.intervals, delta, _COARSE * wilks.level)
    shifted = [curve.ends(u, judged + sign * judged_error) for sign in (-1.0, 1.0)]
    twice, both = np.repeat(u, 2), np.repeat(judged, 2)  # between two points t_c may be that of either
    shifted += [curve.ends(twice[1:], both[:-1]), curve.ends(twice[:-1], both[1:])]
    _, critical, error = _tables(nodes, cl, log, slack)
    return Calibration(
        cl=cl,
        wilks=wilks,
        intervals=intervals,
        errors=tuple(_end_errors(interval, shifted, log, low, high) for interval in intervals),
        values=np.array([node.value for node in ordered]),
        critical=critical - slack,
        critical_error=error,
        toys=np.array([node.statistic.size for node in ordered]),
        failed=np.array([node.failed for node in ordered]),
        log=log,
    )


def coverage(
    calibration: Calibration,
    draw: Draw,
    values: Sequence[float],
    *,
    toys: int,
    seed: int = 1,
    executor: Executor | None = None,
    progress: Progress = in_steps,
) -> Coverage:
    """Return how often both kinds of interval contain the truth, from toys of their own.

    An interval contains the true x exactly if t(x) of the toy does not exceed the level: Wilks', or t_c(x).

    Parameters
    ----------
    calibration : Calibration
    draw, toys, seed, executor, progress
        As for `calibrate`.
    values : sequence of float
        The true values.
    """
    x = np.array(values, dtype=float)
    nodes = [Node(number, value) for number, value in enumerate(x.tolist())]
    throw(draw, nodes, toys, (seed, 1), executor, progress)
    critical = calibration.critical_at(x)
    t = np.array([node.statistic for node in nodes]).reshape(len(x), toys)
    wilks = (t <= calibration.wilks.level).mean(axis=1)
    calibrated = (t <= critical[:, np.newaxis] + _TIES).mean(axis=1)
    return Coverage(
        values=x,
        wilks=wilks,
        wilks_error=binomial_error(wilks * toys, toys),
        toys=calibrated,
        toys_error=binomial_error(calibrated * toys, toys),
        number=toys,
        failed=sum(node.failed for node in nodes),
    )


def check(cl: float, points: int, toys: int, rounds: int, seed: int) -> None:
    """Refuse what a calibration cannot be asked for."""
    threshold(cl)
    for name, number, least in (("points", points, _FEWEST_POINTS), ("rounds", rounds, 0), ("seed", seed, 0)):
        if number < least or number % 1:
            raise NurecoilError(f"{name} = {number} is not allowed: give a whole number, {least} or more")
    check_toys(toys, cl)


# --- where toys are needed ----------------------------------------------------------------------------


def _u(x: Array, log: bool) -> Array:
    return np.log(x) if log else np.asarray(x, dtype=float)


def _x(u: float, log: bool, low: float, high: float) -> float:
    return min(max(math.exp(u) if log else u, low), high)


def _first_values(wilks: Profile, low: float, high: float, points: int, log: bool) -> list[float]:
    """Return a grid with the ends of Wilks' intervals."""
    first, last = _u(np.array([low, high]), log)
    grid = np.linspace(first, last, points)[1:-1].tolist()
    ends = [x for i in wilks.intervals for x in (i.low, i.high)]
    return sorted({*(_x(u, log, low, high) for u in grid), float(low), float(high), *ends})


def _tables(nodes: Sequence[Node], cl: float, log: bool, slack: float) -> tuple[Array, Array, Array]:
    """Return u of all points in order, t_c with room for rounding, and its error."""
    ordered = sorted(nodes, key=lambda node: node.value)
    found = np.array([critical_value(node.statistic, cl) for node in ordered])
    return _u(np.array([node.value for node in ordered]), log), found[:, 0] + slack, found[:, 1]


def _judged(
    nodes: Sequence[Node], cl: float, log: bool, slack: float, delta: Function
) -> tuple[Array, Array, Array]:
    """Return the same for the data's t: where their rank among the toys is near cl, t_c follows from it.

    A t_c = t level(cl)/level(rank) is smooth also where t is discrete, and its quantile has steps.
    """
    u, critical, error = _tables(nodes, cl, log, slack)
    ordered, level = sorted(nodes, key=lambda node: node.value), threshold(cl)
    for i, t in enumerate(delta(np.array([node.value for node in ordered])).tolist()):
        toys = ordered[i].statistic
        below = float((toys < t - slack).mean())
        sigma = float(binomial_error(below * toys.size, toys.size))
        if (np.abs(toys - t) <= slack).sum() > 1:  # a step no larger may hide between two points
            sigma *= 2.0
        if sigma < below < 1.0 - sigma and 0.5 <= (1.0 - below) / (1.0 - cl) <= 2.0:
            smaller, critical[i], larger = (t * level / threshold(below + s) for s in (sigma, 0.0, -sigma))
            error[i] = 0.5 * (larger - smaller)
    return u, critical, error


def _joined(intervals: Sequence[Interval], delta: Function, tolerance: float) -> tuple[Interval, ...]:
    """Return intervals without gaps in which Δχ² has no maximum: steps of t_c and toys leave those."""
    joined = list(intervals[:1])
    for interval in intervals[1:]:
        gap = delta(np.linspace(joined[-1].high, interval.low, _BETWEEN))
        if gap.max() > max(gap[0], gap[-1]) + tolerance:
            joined.append(interval)
        else:
            joined[-1] = replace(joined[-1], high=interval.high, open_high=interval.open_high)
    return tuple(joined)


@dataclass(frozen=True, eq=False)
class _Curve:
    """Δχ² of the data on its fine grid, in u, with what Wilks' intervals add."""

    u: Array
    delta: Array
    level: float

    @classmethod
    def of(cls, wilks: Profile, log: bool) -> "_Curve":
        finite = np.isfinite(wilks.delta_chi2)
        x, y = wilks.values[finite].tolist(), wilks.delta_chi2[finite].tolist()
        known = dict(zip(x, y, strict=True)) | (
            {wilks.best_fit: 0.0} if math.isfinite(wilks.best_fit) else {}
        )
        for interval in wilks.intervals:
            known |= {} if interval.open_low else {interval.low: wilks.level}
            known |= {} if interval.open_high else {interval.high: wilks.level}
        x = sorted(known)
        return cls(_u(np.array(x), log), np.array([known[value] for value in x]), wilks.level)

    def ends(self, u: Array, critical: Array) -> Array:
        """Return where Δχ² crosses critical values at points u."""
        excess = self.delta - np.interp(self.u, u, critical)
        i = np.flatnonzero((excess[:-1] <= 0) != (excess[1:] <= 0))
        share = excess[i] / (excess[i] - excess[i + 1])
        return np.asarray(self.u[i] + share * (self.u[i + 1] - self.u[i]))


def _where_to_look(
    nodes: Sequence[Node], tables: tuple[Array, Array, Array], curve: _Curve, delta: Function
) -> tuple[list[float], list[Node]]:
    """Return u of new points, and points that need more toys: on both sides of each crossing."""
    u, critical, error = tables
    ordered = sorted(nodes, key=lambda node: node.value)
    change = np.abs(np.diff(delta(np.array([node.value for node in ordered]))))
    both = np.hypot(error[1:], error[:-1]) + _STEEP_ENOUGH * curve.level
    steep = (change > both) | (np.abs(np.diff(critical)) > _JUMP * both)
    ends = np.concatenate([curve.ends(u, critical + shift * error) for shift in (-1.0, 0.0, 1.0)])
    cells = np.unique(np.clip(np.searchsorted(u, ends) - 1, 0, len(u) - 2)).tolist()
    between, again = [], set()
    for i in cells:
        if steep[i]:
            between.append(0.5 * (u[i] + u[i + 1]))
        else:
            again |= {i, i + 1}
    return between, [ordered[i] for i in sorted(again)]


def _end_errors(
    interval: Interval, shifted: Sequence[Array], log: bool, low: float, high: float
) -> tuple[float, float]:
    def error(end: float, is_open: bool) -> float:
        if is_open:
            return math.nan
        nearest = [
            min((abs(_x(u, log, low, high) - end) for u in ends.tolist()), default=math.inf)
            for ends in shifted
        ]
        return max(nearest)

    return error(interval.low, interval.open_low), error(interval.high, interval.open_high)
