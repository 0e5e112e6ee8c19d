"""The search for the lowest of several minima in the pulls: from a start, then across the bends of shapes.

A shape whose two variations are no mirror images of one another bends at t = ±1, and χ² may have a valley
on either side. From the minimum that is found, a hop of one pull across finds the next.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nurecoil.arithmetic import Array
from nurecoil.likelihood.found import Fitted, lowest
from nurecoil.likelihood.newton import Minimum

Minimise = Callable[[Array, NDArray[np.intp] | None], Minimum]

_SAMPLE = (16, 64)  # points on which all hops are tried first, an eighth of all
_LOW = 1.0  # in χ² above the lowest: another valley that may be the lowest elsewhere
_APART = 0.05  # widths, two valleys
_LOWER = 1e-6  # in χ²
_MOST_ROUNDS = 3
_BESIDE = 0.3  # before a bend, of the way back


class Hop(NamedTuple):
    """Another start: one pull put at least as far out as a value, all else where it was found best.

    The bend is halfway to there from `back`, where a pull that is found shortly beyond it begins, too.
    """

    variable: int
    value: float
    back: float


def search(
    minimise: Minimise,
    start: Array,
    hops: Sequence[Hop],
    free: int,
    reach: float = np.inf,
    thorough: bool = True,
) -> Fitted:
    """Return the lowest minima that are found, of pulls in units of their widths.

    Parameters
    ----------
    minimise : callable
        From starts (J, P) to minima; or, given the numbers of some of the points, from starts for these.
    start : ndarray, shape (J, P)
    hops : sequence of Hop
        Where bends may hide other valleys.
    free : int
        How many of the J variables are pulls; the others are parameters.
    reach : float
        Hops are tried where χ² is at most so much above the lowest of all points: elsewhere no valley can
        change the answer.
    thorough : bool
        Where a pull was found beside a bend, begin on its other side, too.
    """

    def found(start: Array, which: NDArray[np.intp] | None = None) -> Fitted:
        minimum = minimise(start, which)
        return Fitted(minimum.value, minimum.x[free:].T, minimum.x[:free].T, minimum.converged)

    least = found(start)
    if not hops:
        return least
    with np.errstate(invalid="ignore"):
        near = np.flatnonzero(least.chi2 <= least.chi2.min() + reach)
    few = int(np.clip(near.size // 8, *_SAMPLE))
    useful = hops
    if near.size > few:
        sample = near[np.linspace(0, near.size - 1, few).astype(int)]
        least, useful = _hopped(found, least, sample, hops)
    least, _ = _hopped(found, least, near, useful)
    return _across(found, least, near, hops) if thorough else least


def _hopped(
    found: Callable[..., Fitted], least: Fitted, near: NDArray[np.intp], hops: Sequence[Hop]
) -> tuple[Fitted, list[Hop]]:
    """Return the lowest minima after hops at the points `near`, and which hops led to another low valley."""
    useful: set[Hop] = set()
    for _ in range(_MOST_ROUNDS):
        if not near.size or not hops:
            break
        before = least.at(near)
        start = np.tile(np.concatenate([before.pulls.T, before.points.T]), len(hops))
        for number, (variable, value, _) in enumerate(hops):
            part = start[variable, number * near.size : (number + 1) * near.size]
            part[:] = (np.minimum if value < 0 else np.maximum)(part, value)
        fits = found(start, np.tile(near, len(hops))).split(len(hops))
        seen = [before.pulls]
        for hop, fit in zip(hops, fits, strict=True):
            new = np.all([np.abs(fit.pulls - pulls).max(axis=1) > _APART for pulls in seen], axis=0)
            if (new & (fit.chi2 < before.chi2 + _LOW)).any():
                useful.add(hop)
                seen.append(fit.pulls)
        after = lowest([before, *fits])
        least = least.with_at(near, after)
        near = near[after.chi2 < before.chi2 - _LOWER]
    return least, [hop for hop in hops if hop in useful]


def _across(
    found: Callable[..., Fitted], least: Fitted, near: NDArray[np.intp], hops: Sequence[Hop]
) -> Fitted:
    """Return the lowest minima after each pull that was found beside a bend begins on its other side."""
    for variable, value, back in hops:
        at = (2 * least.pulls[near, variable] - value - back) / (value - back)  # 0 at the bend, 1 at value
        beside = (at > -_BESIDE) & (at < 1)
        if beside.any():
            which, before = near[beside], least.at(near[beside])
            start = np.concatenate([before.pulls.T, before.points.T])
            start[variable] = np.where(at[beside] > 0, back, value)
            least = least.with_at(which, lowest([before, found(start, which)]))
    return least
