"""All allowed regions of two parameters: {x : Δχ²(x) <= level}, their contours polished by root-finding."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nurecoil.errors import NurecoilError

FloatArray: TypeAlias = NDArray[np.float64]
BoolArray: TypeAlias = NDArray[np.bool_]
Function: TypeAlias = Callable[[FloatArray], tuple[FloatArray, BoolArray]]
Minimise: TypeAlias = Callable[[FloatArray], tuple[FloatArray, BoolArray]]

_FORBIDDEN = 1e100  # stands for an infinite χ², so that differences stay finite
_BLOCK = 4096  # points in one call
_MOST_STARTS = 64  # local minima of the grid from which a minimisation starts
_MOST_NODES = 5_000_000  # of a refined grid, few of them evaluated
_NUDGE = 1e-3  # a node at the level itself is moved off it, so that every vertex lies between two nodes
_ROUNDS = 60  # of root-finding
_HALVINGS = 7  # of the chords at the outermost points of a boundary
_APART, _AS_LOW = 1e-2, 1e-3  # of the range, in Δχ²: another best fit
_STEPS = 200  # of a walk to a minimum
_FEWEST_POINTS = 5
_CORNERS = ((0, 0), (0, 1), (1, 0), (1, 1))
_AROUND = np.array([(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0)], dtype=float)


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

    outer: FloatArray
    holes: tuple[FloatArray, ...]
    lines: tuple[FloatArray, ...]

    @property
    def open(self) -> bool:
        """Whether the range cuts the region, so that its true extent lies beyond."""
        return not self.lines or any(bool((line[0] != line[-1]).any()) for line in self.lines)

    @property
    def bounds(self) -> FloatArray:
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
    def polygons(self) -> tuple[FloatArray, ...]:
        """All lines on which Δχ² = level, each of shape (k, 2)."""
        return tuple(line for region in self.regions for line in region.lines)


@dataclass(frozen=True, eq=False)
class Surface:
    """Δχ² of two parameters on a grid, the best fit, and the allowed regions at each level.

    Attributes
    ----------
    values : two 1-D arrays
        The grid: n1 and n2 values.
    delta_chi2, converged : ndarray, shape (n1, n2)
        Δχ² (infinite where χ² is), and whether χ² converged there.
    best_fit : ndarray, shape (2,)
    minimum : float
        χ² at the best fit: Δχ² is counted from it.
    fitted, unique : bool
        The minimisation of the best fit converged; no other minimum, or point of a flat valley, is as low.
    contours : tuple of Contours
        In the order of the levels.
    """

    values: tuple[FloatArray, FloatArray]
    delta_chi2: FloatArray
    converged: BoolArray
    best_fit: FloatArray
    minimum: float
    fitted: bool
    unique: bool
    contours: tuple[Contours, ...]


def contours(
    chi2: Function,
    minimise: Minimise,
    low: ArrayLike,
    high: ArrayLike,
    levels: Sequence[float],
    *,
    log: tuple[bool, bool] = (False, False),
    points: tuple[int, int] = (101, 101),
    noise: float = 0.0,
) -> Surface:
    r"""Find all regions of two parameters with Δχ² <= level, for each level.

    .. math:: \{x \in [x_\mathrm{low}, x_\mathrm{high}] : \chi^2(x) - \min \chi^2 \le \mathrm{level}\}

    The grid only shows where to look. Minimisations start from all its local minima; the lowest is the best
    fit. Where a level may pass, as the grid's second differences tell, the grid is made twice as fine until
    regions and holes stay the same in number. Each vertex is then moved along its edge of the grid onto the
    level by root-finding, and the outermost points of each boundary are added.

    Parameters
    ----------
    chi2 : callable
        χ² or -2 ln L of points (P, 2), and whether it converged: two arrays (P,). +inf means forbidden.
    minimise : callable
        From starts (P, 2) to minima (P, 2) inside the range, and whether each converged (P,).
    low, high : array-like, shape (2,)
        The range, in the parameters' units; above 0 where `log`.
    levels : sequence of float
        Positive, see `threshold` (two degrees of freedom).
    log : pair of bool
        Space the grid, and search, in ln x instead of x.
    points : pair of int
        Points of the grid on each axis, at least 5.
    noise : float
        How far χ² may be off, if it comes from a minimisation itself.

    Raises
    ------
    NurecoilError
        If an argument is not allowed, or if `chi2` is NaN or -inf at a point (which is named), or +inf
        everywhere.

    Notes
    -----
    A vertex is exact to 1e-9 of the level, or to the noise. What cannot be guaranteed: a region, or a hole,
    that lies between the points of the grid without a trace in their second differences and in which no
    minimisation ends. The remedy is more points or a narrower range. A region that is known, by a minimum,
    but too small to be traced makes `settled` false.

    Examples
    --------
    >>> def ring(x):
    ...     return (x[:, 0] ** 2 + x[:, 1] ** 2 - 1) ** 2, np.full(len(x), True)
    >>> def onto_ring(x):
    ...     return x / np.linalg.norm(x, axis=1, keepdims=True), np.full(len(x), True)
    >>> found = contours(ring, onto_ring, (-2, -2), (2, 2), [0.25], points=(20, 20)).contours[0]
    >>> [round(float(np.linalg.norm(line, axis=1).mean()), 6) for line in found.polygons]
    [1.224745, 0.707107]
    """
    plane = _Plane(chi2, np.asarray(low, dtype=float), np.asarray(high, dtype=float), np.array(log))
    _check(plane, levels, points)
    grid = _Mesh.coarse(points).known_at(plane, np.full(points, True))
    if not (grid.y < _FORBIDDEN).any():
        raise NurecoilError("chi2 is infinite everywhere in the range: no point is allowed")
    search = _searched(plane, grid, minimise, levels, noise)
    best = search.best
    delta = np.where(grid.y >= _FORBIDDEN, np.inf, grid.y - best.y[0])
    first, second = (plane.x(np.linspace(0, 1, n)[:, np.newaxis])[:, d] for d, n in enumerate(points))
    for array in (delta, grid.ok, first, second):
        array.setflags(write=False)
    return Surface(
        values=(first, second),
        delta_chi2=delta,
        converged=grid.ok,
        best_fit=plane.x(best.s)[0],
        minimum=float(best.y[0]),
        fitted=bool(best.ok[0]),
        unique=search.unique,
        contours=tuple(
            _polished(plane, search.mesh, regions, level, float(best.y[0]) + level, noise, settled)
            for regions, level, settled in zip(search.traced, levels, search.settled, strict=True)
        ),
    )


@dataclass(frozen=True)
class _Plane:
    """χ² on the unit square: s = 0 at the low end of each parameter's range and 1 at the high one."""

    function: Function
    low: FloatArray
    high: FloatArray
    log: BoolArray

    def x(self, s: FloatArray) -> FloatArray:
        """Return the parameters at s (k, 2), exact at the ends."""
        a, b = self._scaled(self.low), self._scaled(self.high)
        u = a + s * (b - a)
        x = np.where(self.log, np.exp(np.where(self.log, u, 0.0)), u)
        return np.where(s <= 0, self.low, np.where(s >= 1, self.high, np.clip(x, self.low, self.high)))

    def s(self, x: FloatArray) -> FloatArray:
        """Return where in the unit square the parameters x (k, 2) are."""
        a, b = self._scaled(self.low), self._scaled(self.high)
        return np.asarray((self._scaled(np.clip(x, self.low, self.high)) - a) / (b - a))

    def _scaled(self, x: FloatArray) -> FloatArray:
        return np.where(self.log, np.log(np.where(self.log, x, 1.0)), x)

    def evaluate(self, s: FloatArray) -> tuple[FloatArray, BoolArray]:
        """Return χ² (k,) and whether it converged, +inf replaced by a huge number."""
        x = self.x(s)
        parts = [self.function(x[first : first + _BLOCK]) for first in range(0, len(x), _BLOCK)]
        y = np.concatenate([np.zeros(0), *(part[0] for part in parts)])
        ok = np.concatenate([np.zeros(0, dtype=bool), *(part[1] for part in parts)])
        bad = np.isnan(y) | np.isneginf(y)
        if bad.any():
            raise NurecoilError(
                f"chi2 is {y[bad][0]} at the point {tuple(x[bad][0].tolist())}: it must be a number or +inf"
                " everywhere in the range"
            )
        return np.minimum(y, _FORBIDDEN), ok


@dataclass(frozen=True, eq=False)
class _Points:
    """Points s (k, 2), χ² (k,) there, and whether it converged; the lowest first."""

    s: FloatArray
    y: FloatArray
    ok: BoolArray

    def first(self) -> "_Points":
        return _Points(self.s[:1], self.y[:1], self.ok[:1])


@dataclass(frozen=True, eq=False)
class _Mesh:
    """The nodes of a grid: χ², whether it is known there or interpolated, and whether it converged."""

    y: FloatArray
    known: BoolArray
    ok: BoolArray

    @classmethod
    def coarse(cls, points: tuple[int, int]) -> "_Mesh":
        return cls(np.zeros(points), np.zeros(points, dtype=bool), np.zeros(points, dtype=bool))

    @property
    def cells(self) -> FloatArray:
        """The number of cells on each axis: node numbers divided by it are s."""
        return np.array(self.y.shape) - 1.0

    def known_at(self, plane: _Plane, nodes: BoolArray) -> "_Mesh":
        """Return the mesh with χ² evaluated at those of the nodes where it is not known yet."""
        new = nodes & ~self.known
        y, ok = self.y.copy(), self.ok.copy()
        y[new], ok[new] = plane.evaluate(np.argwhere(new) / self.cells)
        return _Mesh(y, self.known | new, ok)

    def doubled(self) -> "_Mesh":
        """Return the mesh of half the spacing, χ² interpolated at the new nodes."""
        shape = tuple(2 * n - 1 for n in self.y.shape)
        y, known, ok = np.empty(shape), np.zeros(shape, dtype=bool), np.ones(shape, dtype=bool)
        y[::2, ::2], known[::2, ::2], ok[::2, ::2] = self.y, self.known, self.ok
        y[1::2, ::2] = 0.5 * (self.y[1:] + self.y[:-1])
        y[:, 1::2] = 0.5 * (y[:, 2::2] + y[:, :-2:2])
        return _Mesh(y, known, ok)


@dataclass(frozen=True, eq=False)
class _Search:
    """Where the search ended: the best fit, the finest mesh, and for each level what it shows."""

    best: _Points
    unique: bool
    mesh: _Mesh
    traced: list[list[list[FloatArray]]]
    settled: list[bool]


def _searched(
    plane: _Plane, mesh: _Mesh, minimise: Minimise, levels: Sequence[float], noise: float
) -> _Search:
    """Return the best fit and a mesh so fine that regions and holes no longer change in number."""
    best: _Points | None = None
    shapes: list[list[int]] = []
    while True:
        minima = _minima(plane, mesh, minimise)
        lowest = minima.first() if minima.ok[0] else _walked(plane, minima.first(), 1 / mesh.cells, noise)
        best = lowest if best is None or lowest.y[0] < best.y[0] else best
        ceilings = best.y[0] + np.asarray(levels, dtype=float)
        hidden = [_hidden(mesh, minima, ceiling) for ceiling in ceilings]
        traced = [_traced(mesh, ceiling, level) for ceiling, level in zip(ceilings, levels, strict=True)]
        before, shapes = shapes, [sorted(len(rings) for rings in regions) for regions in traced]
        settled = [
            len(before) > 0 and before[i] == shapes[i] and not hidden[i].any() for i in range(len(levels))
        ]
        if all(settled) or 4 * mesh.y.size > _MOST_NODES:
            apart = np.abs(minima.s - best.s).max(axis=1) > _APART
            unique = not (apart & (minima.y < best.y[0] + _AS_LOW)).any()
            return _Search(best, unique, mesh, traced, settled)
        mesh = _refined(plane, mesh, ceilings, np.any(hidden, axis=0))


def _check(plane: _Plane, levels: Sequence[float], points: tuple[int, int]) -> None:
    for low, high, log in zip(plane.low, plane.high, plane.log, strict=True):
        if not (np.isfinite(low) and np.isfinite(high) and low < high):
            raise NurecoilError(
                f"a scan from {low} to {high} is not allowed: both must be finite, low < high"
            )
        if log and low <= 0:
            raise NurecoilError(f"a logarithmic scan from {low} is not allowed: it must start above 0")
    if not all(np.isfinite(level) and level > 0 for level in levels):
        raise NurecoilError(f"levels {tuple(levels)} are not allowed: each must be finite and positive")
    if min(points) < _FEWEST_POINTS or 4 * points[0] * points[1] > _MOST_NODES:
        raise NurecoilError(
            f"{points[0]} x {points[1]} points are not allowed: at least {_FEWEST_POINTS} on each axis, and"
            f" at most {_MOST_NODES // 4} in all"
        )


def _corners(y: FloatArray) -> FloatArray:
    """Return the values at the four corners of each cell, shape (4, cells, cells)."""
    n, m = y.shape
    return np.stack([y[i : n - 1 + i, j : m - 1 + j] for i, j in _CORNERS])


def _nodes(cells: BoolArray) -> BoolArray:
    """Return which nodes are corners of some of the cells."""
    n, m = cells.shape
    nodes = np.zeros((n + 1, m + 1), dtype=bool)
    for i, j in _CORNERS:
        nodes[i : n + i, j : m + j] |= cells
    return nodes


def _minima(plane: _Plane, mesh: _Mesh, minimise: Minimise) -> _Points:
    """Return the minima to which the local minima of the mesh lead, the lowest of those, first."""
    n, m = mesh.y.shape
    padded = np.pad(mesh.y, 1, constant_values=np.inf)
    around = [padded[i : n + i, j : m + j] for i in range(3) for j in range(3) if (i, j) != (1, 1)]
    at = np.argwhere(mesh.known & (mesh.y < _FORBIDDEN) & (mesh.y <= np.min(around, axis=0)))
    at = at[np.argsort(mesh.y[tuple(at.T)], kind="stable")][:_MOST_STARTS]
    start, y, ok = at / mesh.cells, mesh.y[tuple(at.T)], mesh.ok[tuple(at.T)]
    found, fitted = minimise(plane.x(start))
    s = plane.s(found)
    lower, settled = plane.evaluate(s)
    moved = lower <= y
    s, y, ok = (
        np.where(moved[:, np.newaxis], s, start),
        np.where(moved, lower, y),
        np.where(moved, settled, ok) & fitted,
    )
    order = np.argsort(y, kind="stable")
    return _Points(s[order], y[order], ok[order])


def _walked(plane: _Plane, start: _Points, step: FloatArray, noise: float) -> _Points:
    """Return the lowest point that steps inside the range lead to, halved where none leads down.

    For a minimisation that failed, or left the range: slow but sure.
    """
    at, tolerance = start, max(noise, 1e-9)
    for _ in range(_STEPS):
        s = np.clip(at.s + _AROUND * step, 0.0, 1.0)
        y, ok = plane.evaluate(s)
        down = int(np.argmin(y))
        if y[down] < at.y[0]:
            at = _Points(s[[down]], y[[down]], np.array([False]))
        elif (y <= at.y[0] + tolerance).all():
            return _Points(at.s, at.y, np.array([ok.all()]))
        else:
            step = 0.5 * step
    return at


def _hidden(mesh: _Mesh, minima: _Points, ceiling: float) -> BoolArray:
    """Return which cells hold a minimum below the ceiling although none of their corners is."""
    cells = np.zeros(tuple(n - 1 for n in mesh.y.shape), dtype=bool)
    at = np.minimum((minima.s * mesh.cells).astype(int), np.array(cells.shape) - 1)
    cells[tuple(at[minima.y <= ceiling].T)] = True
    return np.asarray(cells & (_corners(mesh.y).min(axis=0) > ceiling))


def _refined(plane: _Plane, mesh: _Mesh, ceilings: FloatArray, hidden: BoolArray) -> _Mesh:
    """Return the mesh of half the spacing, χ² evaluated at every new node where a ceiling may pass."""
    wanted = _nodes(np.kron(_near(mesh.y, ceilings) | hidden, np.ones((2, 2))).astype(bool))
    mesh = mesh.doubled()
    while (wanted & ~mesh.known).any():
        mesh = mesh.known_at(plane, wanted)
        wanted = _nodes(_crossed(mesh.y, ceilings))
    return mesh


def _near(y: FloatArray, ceilings: FloatArray) -> BoolArray:
    """Return which cells a ceiling may cross, if between nodes χ² bends twice as much as at them.

    A quadratic function is off the bilinear interpolation by at most (|∂²_1| + |∂²_2|)/8, for second
    differences ∂².
    """
    bend = _bend(y) + _bend(y.T).T
    margin = 0.25 * _corners(bend).max(axis=0)
    low, high = _corners(y).min(axis=0) - margin, _corners(y).max(axis=0) + margin
    return _any_between(low, high, ceilings)


def _bend(y: FloatArray) -> FloatArray:
    """Return the size of the second differences along the first axis, at an edge those next to it."""
    return np.pad(np.abs(np.diff(y, 2, axis=0)), ((1, 1), (0, 0)), mode="edge")


def _crossed(y: FloatArray, ceilings: FloatArray) -> BoolArray:
    """Return which cells have corners on both sides of a ceiling."""
    corners = _corners(y)
    return _any_between(corners.min(axis=0), corners.max(axis=0), ceilings)


def _any_between(low: FloatArray, high: FloatArray, ceilings: FloatArray) -> BoolArray:
    return np.asarray(np.any([(low <= ceiling) & (high > ceiling) for ceiling in ceilings], axis=0))


def _traced(mesh: _Mesh, ceiling: float, level: float) -> list[list[FloatArray]]:
    """Return the rings of each region, its outer one first, in numbers of nodes.

    Every vertex lies between two nodes, one allowed and one not, or is a corner of the range; the last one
    is not the first.
    """
    from contourpy import FillType, contour_generator

    z = np.clip((mesh.y - ceiling) / level, -1.0, 1.0)
    z = np.where(z > 0, np.maximum(z, _NUDGE), np.minimum(z, -_NUDGE))
    generator = contour_generator(z=z.T, name="serial", fill_type=FillType.OuterOffset)
    points, offsets = cast(tuple[list[FloatArray], list[NDArray[np.uint32]]], generator.filled(-2.0, 0.0))
    corners = np.array(mesh.y.shape) - 1

    def tidy(ring: FloatArray) -> FloatArray:
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


def _polished(
    plane: _Plane,
    mesh: _Mesh,
    traced: list[list[FloatArray]],
    level: float,
    ceiling: float,
    noise: float,
    settled: bool,
) -> Contours:
    """Return the regions with their vertices moved onto the level."""
    scale, tolerance = 4.0 * level, max(noise, 1e-9 * level)

    def excess(s: FloatArray) -> tuple[FloatArray, BoolArray]:
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
    function: Function, a: FloatArray, b: FloatArray, at_a: FloatArray, at_b: FloatArray, tolerance: float
) -> tuple[FloatArray, BoolArray]:
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


def _with_extremes(
    function: Function, rings: list[FloatArray], tolerance: float
) -> tuple[list[FloatArray], BoolArray]:
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


def _outermost(ring: FloatArray) -> set[int]:
    """Return which chords, by the number of their first vertex, end at the ring's outermost vertices."""
    highest = {(int(np.argmax(sign * ring[:, axis])), axis) for axis in (0, 1) for sign in (1, -1)}
    inside = [at for at, axis in highest if 0.0 < ring[at, axis] < 1.0]
    return {k % len(ring) for at in inside for k in (at - 1, at)}


def _region(plane: _Plane, rings: list[FloatArray]) -> Region:
    closed = [np.concatenate([ring, ring[:1]]) for ring in rings]
    lines = [line for ring in closed for line in _lines(ring)]
    outer, *holes = (plane.x(ring) for ring in closed)
    return Region(outer, tuple(holes), tuple(plane.x(line) for line in lines))


def _along_edge(p: FloatArray, q: FloatArray) -> BoolArray:
    """Return which chords from p to q (k, 2) run along the edge of the unit square."""
    return np.asarray(((p == q) & ((p == 0) | (p == 1))).any(axis=1))


def _lines(ring: FloatArray) -> list[FloatArray]:
    """Return the parts of a closed ring that do not run along the edge of the unit square."""
    along = _along_edge(ring[:-1], ring[1:])
    if not along.any():
        return [ring]
    first = int(np.argmax(along))
    ring, along = np.concatenate([ring[first:-1], ring[: first + 1]]), np.roll(along, -first)
    starts = np.flatnonzero(~along & np.roll(along, 1))
    ends = np.flatnonzero(~along & np.roll(along, -1)) + 1
    return [ring[a : b + 1] for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]


def _area(ring: FloatArray) -> float:
    x, y = ring.T
    return abs(float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1])))
