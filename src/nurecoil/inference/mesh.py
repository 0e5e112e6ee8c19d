"""χ² of two parameters on the unit square, and on the nodes of a grid of any fineness."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from nurecoil.arithmetic import Array
from nurecoil.inference.line import Axis, sound

BoolArray: TypeAlias = NDArray[np.bool_]
Function: TypeAlias = Callable[[Array], tuple[Array, BoolArray]]

_BLOCK = 4096  # points in one call
_CORNERS = ((0, 0), (0, 1), (1, 0), (1, 1))


@dataclass(frozen=True)
class Plane:
    """χ² of two parameters, on the unit square: s = 0 at the low end of an axis and 1 at the high one.

    Attributes
    ----------
    function : callable
        χ² or -2 ln L of points (P, 2), and whether it converged: two arrays (P,). +inf means forbidden.
    axes : pair of Axis
        The parameters, in their units.
    noise : float
        How far χ² may be off, if it comes from a minimisation itself.
    high : float
        So far above the lowest, χ² is what happens to be found of many minima: nothing follows from it.
    """

    function: Function
    axes: tuple[Axis, Axis]
    noise: float = 0.0
    high: float = np.inf

    def x(self, s: Array) -> Array:
        """Return the parameters at s (k, 2), exact at the ends."""
        return np.stack([axis.at(t) for axis, t in zip(self.axes, s.T, strict=True)], axis=1)

    def s(self, x: Array) -> Array:
        """Return where in the unit square the parameters x (k, 2) are."""
        return np.stack([axis.share(t) for axis, t in zip(self.axes, x.T, strict=True)], axis=1)

    def evaluate(self, s: Array) -> tuple[Array, BoolArray]:
        """Return χ² (k,) and whether it converged, +inf replaced by a huge number."""
        x = self.x(s)
        parts = [self.function(x[first : first + _BLOCK]) for first in range(0, len(x), _BLOCK)]
        y = np.concatenate([np.zeros(0), *(part[0] for part in parts)])
        ok = np.concatenate([np.zeros(0, dtype=bool), *(part[1] for part in parts)])
        return sound(y, x), ok


@dataclass(frozen=True, eq=False)
class Points:
    """Points s (k, 2), χ² (k,) there, and whether it converged; the lowest first."""

    s: Array
    y: Array
    ok: BoolArray

    @classmethod
    def none(cls) -> "Points":
        """Return no points."""
        return cls(np.empty((0, 2)), np.empty(0), np.empty(0, dtype=bool))

    def first(self) -> "Points":
        """Return the lowest alone."""
        return Points(self.s[:1], self.y[:1], self.ok[:1])


@dataclass(frozen=True, eq=False)
class Mesh:
    """The nodes of a grid: χ², whether it is known there or interpolated, and whether it converged."""

    y: Array
    known: BoolArray
    ok: BoolArray

    @property
    def cells(self) -> Array:
        """The number of cells on each axis: node numbers divided by it are s."""
        return np.array(self.y.shape) - 1.0

    def known_at(self, plane: Plane, nodes: BoolArray) -> "Mesh":
        """Return the mesh with χ² evaluated at those of the nodes where it is not known yet."""
        new = nodes & ~self.known
        y, ok = self.y.copy(), self.ok.copy()
        y[new], ok[new] = plane.evaluate(np.argwhere(new) / self.cells)
        return Mesh(y, self.known | new, ok)

    def doubled(self) -> "Mesh":
        """Return the mesh of half the spacing, χ² interpolated at the new nodes."""
        shape = tuple(2 * n - 1 for n in self.y.shape)
        y, known, ok = np.empty(shape), np.zeros(shape, dtype=bool), np.ones(shape, dtype=bool)
        y[::2, ::2], known[::2, ::2], ok[::2, ::2] = self.y, self.known, self.ok
        y[1::2, ::2] = 0.5 * (self.y[1:] + self.y[:-1])
        y[:, 1::2] = 0.5 * (y[:, 2::2] + y[:, :-2:2])
        return Mesh(y, known, ok)


def corner_values(y: Array) -> Array:
    """Return the values at the four corners of each cell, shape (4, cells, cells)."""
    n, m = y.shape
    return np.stack([y[i : n - 1 + i, j : m - 1 + j] for i, j in _CORNERS])


def corners_of(cells: BoolArray) -> BoolArray:
    """Return which nodes are corners of some of the cells."""
    n, m = cells.shape
    nodes = np.zeros((n + 1, m + 1), dtype=bool)
    for i, j in _CORNERS:
        nodes[i : n + i, j : m + j] |= cells
    return nodes
