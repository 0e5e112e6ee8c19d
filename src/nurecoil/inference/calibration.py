"""Intervals whose confidence level toys guarantee, not Wilks' theorem (Feldman and Cousins)."""

import math
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nurecoil.arithmetic import Array
from nurecoil.checks import require_whole
from nurecoil.inference.critical import Draw, Node, check_toys, critical_value, throw
from nurecoil.inference.intervals import Interval, Profile, profile, threshold
from nurecoil.inference.line import Axis, Function, Line
from nurecoil.inference.significance import binomial_error
from nurecoil.progress import in_steps

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
    axis: Axis

    def critical_at(self, values: Array) -> Array:
        """Return the critical value between the points: a straight line, in ln x where the scan is."""
        return np.interp(self.axis.u(values), self.axis.u(self.values), self.critical)


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
    line: Line,
    draw: Draw,
    cl: float,
    *,
    points: int = 21,
    toys: int = 2000,
    rounds: int = 4,
    seed: int = 1,
    executor: Executor | None = None,
) -> Calibration:
    r"""Find all values of one parameter that a test calibrated with toys allows.

    .. math:: t(x) = \chi^2(x) - \min_{x'} \chi^2(x') \le t_c(x), \qquad P(t \le t_c | x) = \mathrm{cl}

    (Feldman and Cousins, Phys. Rev. D 57, 3873 (1998), section IV). Toys are thrown on a grid and at the ends
    of the intervals by Wilks' theorem; t_c is a straight line between. Then, in rounds, where Δχ² of the data
    crosses t_c: a point in between if the crossing is steep, else more toys at both sides of it.

    Parameters
    ----------
    line : Line
        χ² of the data.
    draw : callable
        Of a value x, a number of toys and a seed sequence: t (toys,) of data simulated at x, not negative,
        and how many of their fits did not converge.
    cl : float
        Confidence level, between 0 and 1.
    points, toys, rounds
        Points of the grid of toys, evenly spaced in u, toys at each of them, rounds of refinement.
    seed : int
        The same seed gives the same numbers, whatever the executor.
    executor : Executor, optional
        Of `concurrent.futures`; toys are drawn in this process by default.

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
    >>> data = Line(lambda mean: (1.0 - mean) ** 2, Axis(0.0, 6.0), CURVE_POINTS)
    >>> found = calibrate(data, draw, 0.9, toys=10_000)
    >>> f"{found.intervals[0].low:.2f} to {found.intervals[0].high:.2f} ± {found.errors[0][1]:.2f}"
    '0.00 to 2.64 ± 0.02'
    """
    check(cl, points, toys, rounds, seed)
    wilks = profile(line, threshold(cl))
    known = _Known(line, wilks, cl, points)
    with in_steps(1 + rounds) as begin:
        begin()
        throw(draw, known.nodes, toys, (seed, 0), executor)
        for _ in range(rounds):
            begin()
            new, again = known.where_to_look()
            if not (new or again):
                break
            throw(draw, [*new, *again], toys, (seed, 0), executor)
            known.add(new)
    u, (judged, judged_error), (critical, error) = known.u, known.judged(), known.critical()
    excess = replace(
        line,
        function=lambda x: known.delta(x) - np.interp(line.axis.u(x), u, judged),
        noise=max(line.noise, _COARSE * wilks.level),
        at_infinity=None,
    )
    intervals = _joined(profile(excess, 0.0, reference=0.0).intervals, known.delta, _COARSE * wilks.level)
    shifted = [known.crossings(u, judged + sign * judged_error) for sign in (-1.0, 1.0)]
    twice, both = np.repeat(u, 2), np.repeat(judged, 2)  # between two points t_c may be that of either
    shifted += [known.crossings(twice[1:], both[:-1]), known.crossings(twice[:-1], both[1:])]
    moved = [line.axis.x(ends) for ends in shifted]
    return Calibration(
        cl=cl,
        wilks=wilks,
        intervals=intervals,
        errors=tuple(_end_errors(interval, moved) for interval in intervals),
        values=known.values,
        critical=critical,
        critical_error=error,
        toys=np.array([node.statistic.size for node in known.nodes]),
        failed=np.array([node.failed for node in known.nodes]),
        axis=line.axis,
    )


def coverage(
    calibration: Calibration,
    draw: Draw,
    values: Sequence[float],
    *,
    toys: int,
    seed: int = 1,
    executor: Executor | None = None,
) -> Coverage:
    """Return how often both kinds of interval contain the truth, from toys of their own.

    An interval contains the true x exactly if t(x) of the toy does not exceed the level: Wilks', or t_c(x).

    Parameters
    ----------
    calibration : Calibration
    draw, toys, seed, executor
        As for `calibrate`.
    values : sequence of float
        The true values.
    """
    x = np.array(values, dtype=float)
    nodes = [Node(number, value) for number, value in enumerate(x.tolist())]
    throw(draw, nodes, toys, (seed, 1), executor)
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
        require_whole(name, number, least)
    check_toys(toys, cl)


class _Known:
    """What is known of the data's t and, from toys at some points, in ascending order, of t_c."""

    def __init__(self, line: Line, wilks: Profile, cl: float, points: int) -> None:
        """Begin with a grid and the ends of Wilks' intervals, where no toys are thrown yet."""
        self.line, self.wilks, self.cl = line, wilks, cl
        self.slack = max(_TIES, line.noise)
        ends = [x for interval in wilks.intervals for x, _ in interval.ends]
        grid = line.axis.x(line.axis.evenly(points))
        self.nodes = [Node(i, x) for i, x in enumerate(np.unique([*grid, *ends]).tolist())]
        crossed = [x for interval in wilks.intervals for x, is_open in interval.ends if not is_open]
        x = np.concatenate([crossed, [wilks.best_fit], wilks.values])  # of Δχ² at one value the first is kept
        y = np.concatenate([np.full(len(crossed), wilks.level), [0.0], wilks.delta_chi2])
        finite = np.isfinite(x) & np.isfinite(y)
        curve, first = np.unique(x[finite], return_index=True)
        self._curve = line.axis.u(curve), y[finite][first]

    def add(self, nodes: Sequence[Node]) -> None:
        """Add points at which toys were thrown."""
        self.nodes = sorted([*self.nodes, *nodes], key=lambda node: node.value)

    @property
    def values(self) -> Array:
        """The points."""
        return np.array([node.value for node in self.nodes])

    @property
    def u(self) -> Array:
        """The points in the coordinate of the search."""
        return self.line.axis.u(self.values)

    def delta(self, x: Array) -> Array:
        """Return t of the data."""
        return np.maximum(np.asarray(self.line.function(x)) - self.wilks.minimum, 0.0)

    def critical(self) -> tuple[Array, Array]:
        """Return t_c at the points, and its error."""
        found = np.array([critical_value(node.statistic, self.cl) for node in self.nodes])
        return found[:, 0], found[:, 1]

    def judged(self) -> tuple[Array, Array]:
        """Return t_c, with room for rounding; it follows from the rank of the data's t where that is near cl.

        A t_c = t level(cl)/level(rank) is smooth also where t is discrete, and its quantile has steps.
        """
        critical, error = self.critical()
        critical, level = critical + self.slack, threshold(self.cl)
        for i, (t, node) in enumerate(zip(self.delta(self.values).tolist(), self.nodes, strict=True)):
            toys = node.statistic
            below = float((toys < t - self.slack).mean())
            sigma = float(binomial_error(below * toys.size, toys.size))
            if (np.abs(toys - t) <= self.slack).sum() > 1:  # a step no larger may hide between two points
                sigma *= 2.0
            if sigma < below < 1.0 - sigma and 0.5 <= (1.0 - below) / (1.0 - self.cl) <= 2.0:
                smaller, critical[i], larger = (
                    t * level / threshold(below + s) for s in (sigma, 0.0, -sigma)
                )
                error[i] = 0.5 * (larger - smaller)
        return critical, error

    def crossings(self, u: Array, critical: Array) -> Array:
        """Return where Δχ² of the data, on its fine grid, crosses critical values at points u."""
        at, delta = self._curve
        excess = delta - np.interp(at, u, critical)
        i = np.flatnonzero((excess[:-1] <= 0) != (excess[1:] <= 0))
        share = excess[i] / (excess[i] - excess[i + 1])
        return np.asarray(at[i] + share * (at[i + 1] - at[i]))

    def where_to_look(self) -> tuple[list[Node], list[Node]]:
        """Return new points, and points that need more toys: on both sides of each crossing."""
        u, (critical, error) = self.u, self.judged()
        change = np.abs(np.diff(self.delta(self.values)))
        both = np.hypot(error[1:], error[:-1]) + _STEEP_ENOUGH * self.wilks.level
        steep = (change > both) | (np.abs(np.diff(critical)) > _JUMP * both)
        ends = np.concatenate([self.crossings(u, critical + shift * error) for shift in (-1.0, 0.0, 1.0)])
        cells = np.unique(np.clip(np.searchsorted(u, ends) - 1, 0, len(u) - 2))
        halved, again = cells[steep[cells]], cells[~steep[cells]]
        between = self.line.axis.x(0.5 * (u[halved] + u[halved + 1])).tolist()
        new = [Node(len(self.nodes) + i, x) for i, x in enumerate(between)]
        return new, [self.nodes[i] for i in np.union1d(again, again + 1)]


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


def _end_errors(interval: Interval, moved: Sequence[Array]) -> tuple[float, float]:
    """Return how far the ends of an interval may lie from where they would be under other critical values."""
    low, high = (
        math.nan if is_open else max(float(np.min(np.abs(x - end), initial=math.inf)) for x in moved)
        for end, is_open in interval.ends
    )
    return low, high
