"""Allowed regions of two parameters as their boundaries, which root-finding moves onto the level."""

from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from nurecoil.arithmetic import Array
from nurecoil.inference.mesh import BoolArray, Function, Mesh, Plane

_NUDGE = 1e-3  # a node at the level itself is moved off it, so that every vertex lies between two nodes
_ROUNDS = 60  # of root-finding
_HALVINGS = 7  # of the chords at the outermost points of a boundary


@dataclass(frozen=True, eq=False)
class Region:
    """One connected allowed region.

    Attributes
    ----------
    outer : ndarray, shape (k, 2)
        Its boundary, closed (the last point is the first); where the range cuts it, along the range's edge.
    holes : tuple of ndarray, shapes (k, 2)
        The boundaries of what is not allowed inside, closed.
    lines : tuple of ndarray, shapes (k, 2)
        The parts of the boundaries where Δχ² = level: closed, or open where the range cuts them.
    """

    outer: Array
    holes: tuple[Array, ...]
    lines: tuple[Array, ...]

    @property
    def open(self) -> bool:
        """Whether the range cuts the region, so that its true extent lies beyond."""
        return not self.lines or any(bool((line[0] != line[-1]).any()) for line in self.lines)

    @property
    def bounds(self) -> Array:
        """The smallest and the largest value of each parameter: [[low, high], [low, high]]."""
        return np.stack([self.outer.min(axis=0), self.outer.max(axis=0)], axis=1)


@dataclass(frozen=True, eq=False)
class Contours:
    """The allowed regions at one level.

    Attributes
    ----------
    level : float
        Allowed means Δχ² <= `level`.
    regions : tuple of Region
        The largest first.
    unconverged : int
        How many vertices are not at the level, or at a point where χ² did not converge.
    settled : bool
        A grid twice as fine shows the same regions and holes, and no minimum below the level outside them.
    """

    level: float
    regions: tuple[Region, ...]
    unconverged: int
    settled: bool

    @property
    def polygons(self) -> tuple[Array, ...]:
        """All lines on which Δχ² = level, each of shape (k, 2)."""
        return tuple(line for region in self.regions for line in region.lines)


def rings_of(mesh: Mesh, ceiling: float, level: float) -> list[list[Array]]:
    """Return the rings of each region, its outer one first, in numbers of nodes.

    Every vertex lies between two nodes, one allowed and one not, or is a corner of the range; the last one
    is not the first.
    """
    from contourpy import FillType, contour_generator

    z = np.clip((mesh.y - ceiling) / level, -1.0, 1.0)
    z = np.where(z > 0, np.maximum(z, _NUDGE), np.minimum(z, -_NUDGE))
    generator = contour_generator(z=z.T, name="serial", fill_type=FillType.OuterOffset)
    points, offsets = cast(tuple[list[Array], list[NDArray[np.uint32]]], generator.filled(-2.0, 0.0))
    corners = np.array(mesh.y.shape) - 1

    def tidy(ring: Array) -> Array:
        """Undo the rounding off the lines of the grid, and leave the nodes on the range's edge out."""
        line = np.round(ring)
        ring = np.where(np.abs(ring - line) < 0.1 * _NUDGE, line, ring)
        node = (ring == line).all(axis=1)
        corner = ((ring == 0) | (ring == corners)).all(axis=1)
        return np.asarray(ring[~node | corner])

    return [
        [tidy(p[a : b - 1]) for a, b in zip(o[:-1].tolist(), o[1:].tolist(), strict=True)]
        for p, o in zip(points, offsets, strict=True)
    ]


def polished(
    plane: Plane,
    mesh: Mesh,
    traced: list[list[Array]],
    level: float,
    ceiling: float,
    settled: bool,
) -> Contours:
    """Return the regions with their vertices moved onto the level."""
    scale, tolerance = 4.0 * level, max(plane.noise, 1e-9 * level)

    def excess(s: Array) -> tuple[Array, BoolArray]:
        y, ok = plane.evaluate(s)
        return np.clip(y - ceiling, -scale, scale), ok

    sizes = [len(ring) for rings in traced for ring in rings]
    index = np.concatenate([np.zeros((0, 2)), *(ring for rings in traced for ring in rings)])
    s, moving = index / mesh.cells, (index != np.round(index)).any(axis=1)
    a, b = np.floor(index[moving]).astype(int), np.ceil(index[moving]).astype(int)
    at_a, at_b = (np.clip(mesh.y[tuple(end.T)] - ceiling, -scale, scale) for end in (a, b))
    s[moving], ok = _roots(excess, a / mesh.cells, b / mesh.cells, at_a, at_b, tolerance)
    rings = np.split(s, np.cumsum(sizes)[:-1]) if sizes else []
    for _ in range(_HALVINGS):
        rings, found = _with_extremes(excess, rings, tolerance)
        ok = np.concatenate([ok, found])
    whole = iter(rings)
    regions = [_region(plane, [next(whole) for _ in part]) for part in traced]
    regions.sort(key=lambda region: -_area(plane.s(region.outer)))
    return Contours(float(level), tuple(regions), int((~ok).sum()), settled)


def _roots(
    function: Function, a: Array, b: Array, at_a: Array, at_b: Array, tolerance: float
) -> tuple[Array, BoolArray]:
    """Return a zero of the function between each a and b (k, 2), where its signs differ (Illinois method)."""
    a, b, at_a, at_b = a.copy(), b.copy(), at_a.copy(), at_b.copy()
    ok, active = np.zeros(len(a), dtype=bool), np.arange(len(a))
    for _ in range(_ROUNDS):
        if not active.size:
            break
        share = (at_b[active] / (at_b[active] - at_a[active]))[:, np.newaxis]
        new = b[active] + share * (a[active] - b[active])
        y, fine = function(new)
        other_side = y * at_b[active] < 0
        a[active] = np.where(other_side[:, np.newaxis], b[active], a[active])
        at_a[active] = np.where(other_side, at_b[active], 0.5 * at_a[active])
        b[active], at_b[active] = new, y
        narrow = np.abs(a[active] - b[active]).max(axis=1) < 1e-13
        done = (np.abs(y) <= tolerance) | narrow
        ok[active] = done & fine
        active = active[~done]
    return b, ok


def _with_extremes(function: Function, rings: list[Array], tolerance: float) -> tuple[list[Array], BoolArray]:
    """Return the rings with a new vertex on either side of each outermost one, and whether each was found.

    The level is solved for across the middle of the chord. Each round makes the extents four times as exact.
    """
    chords = [(number, k) for number, ring in enumerate(rings) for k in sorted(_outermost(ring))]
    p = np.array([rings[number][k] for number, k in chords]).reshape(-1, 2)
    q = np.array([rings[number][(k + 1) % len(rings[number])] for number, k in chords]).reshape(-1, 2)
    across = 0.5 * np.stack([p[:, 1] - q[:, 1], q[:, 0] - p[:, 0]], axis=1)
    a, b = (np.clip(0.5 * (p + q) + side * across, 0.0, 1.0) for side in (-1, 1))
    at_a, at_b = function(a)[0], function(b)[0]
    between = np.flatnonzero((at_a * at_b < 0) & ~_along_edge(p, q))
    new, ok = _roots(function, a[between], b[between], at_a[between], at_b[between], tolerance)
    rings = list(rings)
    for which in range(len(between) - 1, -1, -1):  # from behind, so that numbers stay right
        number, k = chords[between[which]]
        rings[number] = np.insert(rings[number], k + 1, new[which], axis=0)
    return rings, ok


def _outermost(ring: Array) -> set[int]:
    """Return which chords, by the number of their first vertex, end at the ring's outermost vertices."""
    highest = {(int(np.argmax(sign * ring[:, axis])), axis) for axis in (0, 1) for sign in (1, -1)}
    inside = [at for at, axis in highest if 0.0 < ring[at, axis] < 1.0]
    return {k % len(ring) for at in inside for k in (at - 1, at)}


def _region(plane: Plane, rings: list[Array]) -> Region:
    closed = [np.concatenate([ring, ring[:1]]) for ring in rings]
    lines = [line for ring in closed for line in _lines(ring)]
    outer, *holes = (plane.x(ring) for ring in closed)
    return Region(outer, tuple(holes), tuple(plane.x(line) for line in lines))


def _along_edge(p: Array, q: Array) -> BoolArray:
    """Return which chords from p to q (k, 2) run along the edge of the unit square."""
    return np.asarray(((p == q) & ((p == 0) | (p == 1))).any(axis=1))


def _lines(ring: Array) -> list[Array]:
    """Return the parts of a closed ring that do not run along the edge of the unit square."""
    along = _along_edge(ring[:-1], ring[1:])
    if not along.any():
        return [ring]
    first = int(np.argmax(along))
    ring, along = np.concatenate([ring[first:-1], ring[: first + 1]]), np.roll(along, -first)
    starts = np.flatnonzero(~along & np.roll(along, 1))
    ends = np.flatnonzero(~along & np.roll(along, -1)) + 1
    return [ring[a : b + 1] for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]


def _area(ring: Array) -> float:
    x, y = ring.T
    return abs(float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1])))
