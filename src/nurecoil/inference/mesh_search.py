"""The best fit of two parameters, and a grid so fine that it shows all allowed regions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.inference.line import FORBIDDEN
from nurecoil.inference.mesh import BoolArray, Mesh, Plane, Points, corner_values, corners_of
from nurecoil.inference.regions import rings_of

Minimise: TypeAlias = Callable[[Array], tuple[Array, BoolArray]]

MOST_NODES = 5_000_000  # of a refined grid, few of them evaluated
_MOST_STARTS = 16  # local minima of a mesh from which minimisations start at once
_APART, _AS_LOW = 1e-2, 1e-3  # of the range, in Δχ²: another best fit
_TRIED = 3.0  # cells of the first mesh within which no second minimisation starts
_CRUMB, _BESIDE = 4, 3.0  # vertices of a region of one node, nodes from there to another region
_PIECE, _PIECES = 8, 5  # vertices of a small region, so many of which are one that is too narrow for the mesh
_STEPS = 200  # of a walk to a minimum
_AROUND = np.array([(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0)], dtype=float)


@dataclass(frozen=True, eq=False)
class Search:
    """Where the search ended: the best fit, the finest mesh, and for each level what it shows."""

    best: Points
    unique: bool
    mesh: Mesh
    traced: list[list[list[Array]]]
    settled: list[bool]


def searched(
    plane: Plane, mesh: Mesh, minimise: Minimise, levels: Sequence[float], floor: float = np.inf
) -> Search:
    """Return the best fit and a mesh so fine that regions and holes no longer change in number."""
    best: Points | None = None
    shapes: list[list[int]] = []
    minima, tried, apart, traced_to = Points.none(), np.empty((0, 2)), _TRIED / mesh.cells, -np.inf
    while True:
        roof = min(float(mesh.y.min()) + plane.high, FORBIDDEN)
        starts = _starts(mesh, tried, apart, traced_to, roof)
        minima = _minima(plane, starts, minimise, minima)
        tried = np.concatenate([tried, starts, minima.s])
        lowest = minima.first() if minima.ok[0] else _walked(plane, minima.first(), 1 / mesh.cells)
        best = lowest if best is None or lowest.y[0] < best.y[0] else best
        ceilings = min(float(best.y[0]), floor) + np.asarray(levels, dtype=float)
        traced_to = float(ceilings.max())
        hidden = [_hidden(mesh, minima, ceiling) for ceiling in ceilings]
        traced = [rings_of(mesh, ceiling, level) for ceiling, level in zip(ceilings, levels, strict=True)]
        before, shapes = shapes, [_shape(regions) for regions in traced]
        settled = [
            len(before) > 0 and before[i] == shapes[i] and not hidden[i].any() and not _in_pieces(traced[i])
            for i in range(len(levels))
        ]
        if all(settled) or 4 * mesh.y.size > MOST_NODES:
            apart = np.abs(minima.s - best.s).max(axis=1) > _APART
            unique = not (apart & (minima.y < best.y[0] + _AS_LOW)).any()
            return Search(best, unique, mesh, traced, settled)
        mesh = _refined(plane, mesh, ceilings, np.any(hidden, axis=0), roof)


def _shape(regions: list[list[Array]]) -> list[int]:
    """Return the number of rings of each region; a crumb beside a larger one is counted to that.

    Where a narrow region ends in a tip, nodes lie in it by chance, and some with a gap before them.
    """
    large = [rings for rings in regions if len(rings) > 1 or len(rings[0]) > _CRUMB]
    vertices = np.concatenate([np.empty((0, 2)), *(ring for rings in large for ring in rings)])
    alone = [
        rings
        for rings in regions
        if len(rings) == 1
        and len(rings[0]) <= _CRUMB
        and not (np.abs(vertices - rings[0].mean(axis=0)).max(axis=1) < _BESIDE).any()
    ]
    return sorted(len(rings) for rings in (*large, *alone))


def _in_pieces(regions: list[list[Array]]) -> bool:
    """Return whether there are many small regions: as many, by chance, as on a mesh of other nodes."""
    return sum(len(rings[0]) <= _PIECE for rings in regions) > _PIECES


def _starts(mesh: Mesh, tried: Array, apart: Array, above: float, roof: float) -> Array:
    """Return the lowest local minima of the mesh (k, 2), `above` to `roof` high, where none was tried."""
    n, m = mesh.y.shape
    padded = np.pad(mesh.y, 1, constant_values=np.inf)
    around = [padded[i : n + i, j : m + j] for i in range(3) for j in range(3) if (i, j) != (1, 1)]
    least = np.min(around, axis=0)
    lowest = np.where(mesh.known, mesh.y <= least, mesh.y < least)  # what is interpolated may be flat
    at = np.argwhere((mesh.y < roof) & (mesh.y > above) & lowest)
    at = at[np.argsort(mesh.y[tuple(at.T)], kind="stable")]
    s = at / mesh.cells
    beside = np.any(np.all(np.abs(s[:, np.newaxis] - tried) < apart, axis=2), axis=1)
    return np.asarray(s[~beside][:_MOST_STARTS])


def _minima(plane: Plane, start: Array, minimise: Minimise, before: Points) -> Points:
    """Return the minima that are known and those to which the starts lead, the lowest first."""
    if not len(start):
        return before
    y, ok = plane.evaluate(start)
    found, fitted = minimise(plane.x(start))
    s = plane.s(found)
    lower, settled = plane.evaluate(s)
    moved = lower <= y
    s = np.concatenate([before.s, np.where(moved[:, np.newaxis], s, start)])
    y = np.concatenate([before.y, np.where(moved, lower, y)])
    ok = np.concatenate([before.ok, np.where(moved, settled, ok) & fitted])
    order = np.argsort(y, kind="stable")
    return Points(s[order], y[order], ok[order])


def _walked(plane: Plane, start: Points, step: Array) -> Points:
    """Return the lowest point that steps inside the range lead to, halved where none leads down.

    For a minimisation that failed, or left the range: slow but sure.
    """
    at, tolerance = start, max(plane.noise, 1e-9)
    for _ in range(_STEPS):
        s = np.clip(at.s + _AROUND * step, 0.0, 1.0)
        y, ok = plane.evaluate(s)
        down = int(np.argmin(y))
        if y[down] < at.y[0]:
            at = Points(s[[down]], y[[down]], np.array([False]))
        elif (y <= at.y[0] + tolerance).all():
            return Points(at.s, at.y, np.array([ok.all()]))
        else:
            step = 0.5 * step
    return at


def _hidden(mesh: Mesh, minima: Points, ceiling: float) -> BoolArray:
    """Return which cells hold a minimum below the ceiling although none of their corners is."""
    cells = np.zeros(tuple(n - 1 for n in mesh.y.shape), dtype=bool)
    at = np.minimum((minima.s * mesh.cells).astype(int), np.array(cells.shape) - 1)
    cells[tuple(at[minima.y <= ceiling].T)] = True
    return np.asarray(cells & (corner_values(mesh.y).min(axis=0) > ceiling))


def _refined(plane: Plane, mesh: Mesh, ceilings: Array, hidden: BoolArray, roof: float) -> Mesh:
    """Return the mesh of half the spacing, χ² evaluated at every new node where a ceiling may pass."""
    y = np.minimum(mesh.y, roof)
    near = _crossed(y, ceilings, _margin(y)) | hidden
    wanted = corners_of(np.kron(near, np.ones((2, 2))).astype(bool))
    mesh = mesh.doubled()
    while (wanted & ~mesh.known).any():
        mesh = mesh.known_at(plane, wanted)
        wanted = corners_of(_crossed(mesh.y, ceilings))
    return mesh


def _margin(y: Array) -> Array:
    """Return how far χ² in each cell may be off its corners, if it bends twice as much as at the nodes.

    A quadratic function is off the bilinear interpolation by at most (|∂²_1| + |∂²_2|)/8, for second
    differences ∂².
    """
    bend = _bend(y) + _bend(y.T).T
    return np.asarray(0.25 * corner_values(bend).max(axis=0))


def _bend(y: Array) -> Array:
    """Return the size of the second differences along the first axis, at an edge those next to it."""
    return np.pad(np.abs(np.diff(y, 2, axis=0)), ((1, 1), (0, 0)), mode="edge")


def _crossed(y: Array, ceilings: Array, margin: Array | float = 0.0) -> BoolArray:
    """Return which cells have values on both sides of a ceiling, as far as a margin beyond their corners."""
    corners = corner_values(y)
    low, high = corners.min(axis=0) - margin, corners.max(axis=0) + margin
    return np.asarray(np.any([(low <= ceiling) & (high > ceiling) for ceiling in ceilings], axis=0))
