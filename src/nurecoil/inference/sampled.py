"""A function on an even grid, computed only at as many points as its shape asks for."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nurecoil.arithmetic import Array

_STRIDE = 32  # of the first points
_EXACT = 1e-5  # of the scale, and of the height above the lowest point


def sampled(function: Callable[[Array], Array], grid: Array, scale: float) -> Array:
    """Return a function on an even grid, to 1e-5 of the scale or of the height above its lowest point.

    Every 32nd point is computed, and then the points halfway. Where one lies off the cubic through its four
    neighbours, the points on either side of it are computed as well, and so on down to the grid; elsewhere
    the cubic is taken. What falls between the first points without a trace on any of them is missed.

    Parameters
    ----------
    function : callable
        Of values (P,), shape (P,).
    grid : ndarray, shape (n,)
        Evenly spaced.
    scale : float
        Which differences matter.
    """
    cells = grid.size - 1
    step = _STRIDE
    while step > 1 and cells < 8 * step:
        step //= 2
    whole = -(-cells // step) * step  # the grid, continued to a whole number of steps
    places = np.arange(0, whole + 1, step)

    def at(numbers: NDArray[np.intp]) -> Array:
        return function(grid[np.minimum(numbers, cells)])

    y = at(places)
    active = np.ones(places.size - 1, dtype=bool)
    while step > 1:
        step //= 2
        middle = places[:-1] + step
        cubic = _halfway(y)
        found = cubic.copy()
        if active.any():
            found[active] = at(middle[active])
        exact = _EXACT * (scale + np.abs(found - y.min()))
        rough = active & (np.abs(found - cubic) > exact)
        rough = rough | np.append(rough[1:], False) | np.insert(rough[:-1], 0, False)
        places, y = _merged(places, middle), _merged(y, found)
        active = np.repeat(rough, 2)
    return y[: grid.size]


def _halfway(y: Array) -> Array:
    """Return the value halfway between neighbours on the cubic through the four nearest."""
    inner = (9 * (y[1:-2] + y[2:-1]) - y[:-3] - y[3:]) / 16
    first = (5 * y[0] + 15 * y[1] - 5 * y[2] + y[3]) / 16
    last = (5 * y[-1] + 15 * y[-2] - 5 * y[-3] + y[-4]) / 16
    return np.concatenate([[first], inner, [last]])


def _merged(even: NDArray[Any], odd: NDArray[Any]) -> NDArray[Any]:
    """Return even[0], odd[0], even[1], odd[1], ..."""
    together = np.empty(even.size + odd.size, dtype=even.dtype)
    together[::2], together[1::2] = even, odd
    return together
