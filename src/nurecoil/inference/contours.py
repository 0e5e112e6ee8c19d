"""All allowed regions of two parameters: {x : Δχ²(x) <= level}, their contours polished by root-finding."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.checks import require
from nurecoil.errors import NurecoilError
from nurecoil.inference.line import FORBIDDEN, Axis
from nurecoil.inference.mesh import BoolArray, Mesh, Plane
from nurecoil.inference.mesh_search import MOST_NODES, Minimise, searched
from nurecoil.inference.regions import Contours, Region, polished
from nurecoil.inference.sampled_plane import interpolation, sampled_mesh
from nurecoil.progress import in_steps

__all__ = ["Axis", "Contours", "Plane", "Region", "Surface", "contours"]

_MOST_TRACED, _TRACED = 161, 101  # nodes on an axis where contours are looked for; of a finer grid
_FEWEST_POINTS = 5


@dataclass(frozen=True, eq=False)
class Surface:
    """Δχ² of two parameters on a grid, the best fit, and the allowed regions at each level.

    Attributes
    ----------
    axes : pair of Axis
        The parameters, in their units.
    delta_chi2, converged : ndarray, shape (n1, n2)
        Δχ² (infinite where χ² is), and whether χ² converged there; interpolated at many points of a grid of
        more than 49, to about 1e-3 where it is below 25.
    best_fit : ndarray, shape (2,)
    minimum : float
        χ² at the best fit: Δχ² is counted from it.
    fitted, unique : bool
        The minimisation of the best fit converged; no other minimum, or point of a flat valley, is as low.
    contours : tuple of Contours
        In the order of the levels.
    """

    axes: tuple[Axis, Axis]
    delta_chi2: Array
    converged: BoolArray
    best_fit: Array
    minimum: float
    fitted: bool
    unique: bool
    contours: tuple[Contours, ...]

    @property
    def values(self) -> tuple[Array, Array]:
        """The grid: n1 and n2 values."""
        first, second = (
            axis.x(axis.evenly(n)) for axis, n in zip(self.axes, self.converged.shape, strict=True)
        )
        return first, second


def contours(
    plane: Plane,
    minimise: Minimise,
    levels: Sequence[float],
    *,
    points: tuple[int, int] = (101, 101),
    at_infinity: float = np.inf,
) -> Surface:
    r"""Find all regions of two parameters with Δχ² <= level, for each level.

    .. math:: \{x \in [x_\mathrm{low}, x_\mathrm{high}] : \chi^2(x) - \min \chi^2 \le \mathrm{level}\}

    The grid, see `sampled_mesh`, only shows where to look. Minimisations start from its local minima; the
    lowest is the best fit. Where a level may pass, as the grid's second differences tell, the grid is made
    twice as fine until regions and holes stay the same in number, but for crumbs at the tips of narrow ones,
    which are left as regions of their own. Each vertex is then moved along its edge of the grid onto the
    level by root-finding, and the outermost points of each boundary are added.

    Parameters
    ----------
    plane : Plane
        χ² and the range.
    minimise : callable
        From starts (P, 2) to minima (P, 2) inside the range, and whether each converged (P,).
    levels : sequence of float
        Positive, see `threshold` (two degrees of freedom).
    points : pair of int
        Points of the grid on each axis, at least 5.
    at_infinity : float
        χ² far outside the range, where the parameters have no effect; Δχ² counts from there if it is lower.

    Raises
    ------
    NurecoilError
        If an argument is not allowed, or if χ² is NaN or -inf at a point (which is named), or +inf
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
    >>> plane = Plane(ring, (Axis(-2, 2), Axis(-2, 2)))
    >>> found = contours(plane, onto_ring, [0.25], points=(20, 20)).contours[0]
    >>> [round(float(np.linalg.norm(line, axis=1).mean()), 6) for line in found.polygons]
    [1.224745, 0.707107]
    """
    positive = all(np.isfinite(level) and level > 0 for level in levels)
    require(positive, "levels", tuple(levels), "finite and positive")
    require(min(points) >= _FEWEST_POINTS, "points", points, f"{_FEWEST_POINTS} or more on each axis")
    most = MOST_NODES // 4
    require(points[0] * points[1] <= most, "points", points, f"at most {most} in all")
    with in_steps(2 + len(levels)) as say:
        say(f"the grid of {points[0]} x {points[1]} points")
        grid = sampled_mesh(plane, points)
        if not (grid.y < FORBIDDEN).any():
            raise NurecoilError("chi2 is infinite everywhere in the range: no point is allowed")
        say("the best fit, and a finer grid where contours pass")
        search = searched(plane, _thinned(grid), minimise, levels, at_infinity)
        minimum = min(float(search.best.y[0]), at_infinity)
        found = []
        for regions, level, settled in zip(search.traced, levels, search.settled, strict=True):
            say(f"the contours at {level:.4g}")
            ceiling = minimum + level
            found.append(polished(plane, search.mesh, regions, level, ceiling, settled))
    best = search.best
    delta = np.where(grid.y >= FORBIDDEN, np.inf, grid.y - minimum)
    for array in (delta, grid.ok):
        array.setflags(write=False)
    return Surface(
        axes=plane.axes,
        delta_chi2=delta,
        converged=grid.ok,
        best_fit=plane.x(best.s)[0],
        minimum=minimum,
        fitted=bool(best.ok[0]),
        unique=search.unique,
        contours=tuple(found),
    )


def _thinned(grid: Mesh) -> Mesh:
    """Return a grid on which contours are looked for: a finer one only gives them more vertices."""
    y = grid.y
    if max(y.shape) <= _MOST_TRACED:
        return grid
    for _ in y.shape:
        n = len(y)
        y = (
            interpolation(np.arange(n), np.linspace(0, n - 1, n if n <= _MOST_TRACED else _TRACED), order=1)
            @ y
        ).T
    return Mesh(y, np.zeros(y.shape, dtype=bool), np.ones(y.shape, dtype=bool))
