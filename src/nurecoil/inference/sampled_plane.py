"""χ² on a grid of two parameters, computed only at as many nodes as its shape asks for."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nurecoil.arithmetic import Array
from nurecoil.inference.line import FORBIDDEN
from nurecoil.inference.mesh import Mesh, Plane, corner_values, corners_of

_FEWEST_CELLS = 24  # on each axis, of the first nodes; as all halfway between are computed as well, 48
_NEAR = 32.0  # in χ² above the lowest node: levels lie far below
_EXACT, _FAR = 2e-3, 1e-1  # in χ², and of the height above that
_TRACE = 1e-6  # of what is forbidden, in an interpolation
_BESIDE, _BEYOND = 25 / 256, 3 / 256  # what a value one, or two, nodes on weighs halfway between nodes


def sampled_mesh(plane: Plane, points: tuple[int, int]) -> Mesh:
    """Return χ² on a grid, to about 1e-3 where it is at most 25 above its lowest node, else roughly.

    Nodes some way apart, at least 49 on each axis, are computed. Where one lies off the interpolation of
    fifth order of every second by more than 0.004, or 10 % of its height above 32, the cells around it are
    halved and their nodes computed as well, and so on down to the grid; elsewhere the interpolation is taken,
    whose error shrinks much with each halving, or a linear one where χ² is as high as to mean nothing. What
    falls between the first nodes without a trace on any of them is missed.
    """
    places = [_first(n) for n in points]
    none, active = np.zeros(points, dtype=bool), np.ones([at.size - 1 for at in places], dtype=bool)
    grid = Mesh(np.full(points, np.inf), none, none)
    while True:
        wanted = np.zeros(points, dtype=bool)
        wanted[np.ix_(*places)] = corners_of(active)
        guess, new = grid.y, wanted & ~grid.known
        grid = grid.known_at(plane, wanted)
        least, off = grid.y[grid.known].min(), np.zeros(points)
        roof = least + plane.high
        known, guess = (np.where(y < FORBIDDEN, np.minimum(y, roof), y)[new] for y in (grid.y, guess))
        off[new] = np.abs(guess - known) - _FAR * np.maximum(np.minimum(guess, known) - least - _NEAR, 0.0)
        finer = [np.union1d(at, (at[1:] + at[:-1]) // 2) for at in places]
        if all(new.size == old.size for new, old in zip(finer, places, strict=True)):
            return grid
        coarse, filled = grid.y[np.ix_(*places)], grid.y.copy()
        smooth = _between(np.minimum(coarse, roof), places, finer, order=5)
        linear = _between(coarse, places, finer, order=1)
        y = np.where(smooth <= least + plane.high / 2, np.maximum(smooth, least), linear)
        filled[np.ix_(*finer)] = np.where(y > _TRACE * FORBIDDEN, FORBIDDEN, y)
        grid = Mesh(np.where(grid.known, grid.y, filled), grid.known, grid.ok | ~grid.known)
        parents = (np.searchsorted(a, f[:-1], "right") - 1 for a, f in zip(places, finer, strict=True))
        active = np.asarray(corner_values(_spread(off[np.ix_(*places)])).max(axis=0) > _EXACT)
        active = active[np.ix_(*parents)]
        places = finer


def _spread(off: Array) -> Array:
    """Return how far nodes are off, or will be by what is off beside them, as interpolation weighs it."""
    from scipy.ndimage import maximum_filter  # type: ignore[import-untyped]

    reach = [share * maximum_filter(off, size) for size, share in ((3, _BESIDE), (5, _BEYOND))]
    return np.asarray(np.maximum(off, np.maximum(*reach)))


def _first(n: int) -> NDArray[np.intp]:
    """Return the first nodes of an axis of n: evenly apart, but for the last."""
    step = 1
    while 2 * step * _FEWEST_CELLS <= n - 1:
        step *= 2
    return np.append(np.arange(0, n - 1, step), n - 1)


def _between(
    y: Array, places: Sequence[NDArray[np.intp]], finer: Sequence[NDArray[np.intp]], order: int
) -> Array:
    first, second = (interpolation(at, to, order) for at, to in zip(places, finer, strict=True))
    return first @ y @ second.T


def interpolation(at: NDArray[Any], to: NDArray[Any], order: int = 5) -> Array:
    """Return the matrix from values `at` increasing places to those at others, by polynomials of some order.

    Through the nearest places, one more than the order; at one of them, the value is its own.
    """
    inside = np.clip(np.searchsorted(at, to, "right") - 1, 0, at.size - 2)
    nearest = np.clip(inside - order // 2, 0, at.size - 1 - order)[:, np.newaxis] + np.arange(order + 1)
    x, matrix = at[nearest].astype(float), np.zeros((to.size, at.size))
    for k in range(order + 1):
        others = np.delete(x, k, axis=1)
        matrix[np.arange(to.size), nearest[:, k]] = np.prod(
            (to[:, np.newaxis] - others) / (x[:, k : k + 1] - others), axis=1
        )
    return matrix
