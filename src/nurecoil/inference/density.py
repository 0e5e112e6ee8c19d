"""Densities of samples: smooth curves and maps, and the regions of highest density."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nurecoil.arithmetic import Array

_CELLS = 4096  # of a curve
_LEAST_CELLS = 0.6  # width of the kernel of a map
_RESOLVED = 4.0  # widths of the kernel
_HALVINGS = 40
_NOISE = 0.8  # of the level: a dip no deeper may be chance
_HALF_OF_A_GAUSSIAN = 1.349  # its densest half, in standard deviations


@dataclass(frozen=True, eq=False)
class Curve:
    """The density of one parameter at the centres of equal cells, normalised: shapes (n,).

    A gap narrower than the `resolution` is none: it can be noise of the samples.
    """

    x: Array
    density: Array
    resolution: float = 0.0

    @property
    def ends(self) -> tuple[float, float]:
        """Where the first cell begins and the last one ends."""
        half = 0.5 * (self.x[1] - self.x[0])
        return float(self.x[0] - half), float(self.x[-1] + half)


def curve(samples: Array, low: float, high: float, size: float | None = None) -> Curve:
    r"""Return the density of samples between low and high, smoothed by a Gaussian kernel.

    .. math:: h = 0.9\, s\, S^{-1/5}

    (Silverman 1986, eq. 3.31), S the effective number of samples and s a width that also fits several
    narrow modes far apart: the length of the densest half, in units of a Gaussian's. The density is
    reflected at low and high, so that it need not vanish there.

    Parameters
    ----------
    samples : ndarray, shape (n,)
    low, high : float
        The bounds of the parameter; infinite where there is none.
    size : float, optional
        How many independent samples these are worth, n by default.
    """
    width = _kernel_width(samples, samples.size if size is None else size)
    left = max(low, float(samples.min()) - 4 * width)
    right = min(high, float(samples.max()) + 4 * width)
    counts, edges = np.histogram(samples, _CELLS, (left, right))
    cell = edges[1] - edges[0]
    smooth = _smoothed(counts.astype(float), width / cell, 0)
    return Curve(0.5 * (edges[1:] + edges[:-1]), smooth / (smooth.sum() * cell), _RESOLVED * width)


def _smoothed(counts: Array, width: float, axis: int) -> Array:
    from scipy.ndimage import gaussian_filter1d  # type: ignore[import-untyped]

    smooth: Array = gaussian_filter1d(counts, width, axis=axis, mode="reflect")
    return smooth


def _kernel_width(samples: Array, size: float) -> float:
    ordered = np.sort(samples)
    steps = np.diff(ordered[:: max(1, int(np.sqrt(ordered.size)))])  # each holds as many samples
    densest = np.sort(steps)[: max(1, steps.size // 2)].sum()
    spread = float(ordered[-1] - ordered[0])
    least = max(spread, abs(float(ordered[0])), 1e-300) * 1e-9  # all samples alike
    return max(float(0.9 * densest / _HALF_OF_A_GAUSSIAN * max(size, 1.0) ** -0.2), least)


def highest_density_intervals(density: Curve, level: float) -> tuple[tuple[float, float], ...]:
    r"""Return the intervals of the smallest set that holds a part `level` of a density (Hyndman 1996).

    .. math:: \{x : p(x) \ge p_0\}, \qquad \int_{p \ge p_0} p\,dx = \mathrm{level}

    Examples
    --------
    >>> x = np.linspace(-6, 6, 4001)
    >>> bumps = Curve(x, np.exp(-0.5 * ((np.abs(x) - 3) / 0.5) ** 2))
    >>> [(round(a, 2), round(b, 2)) for a, b in highest_density_intervals(bumps, 0.6827)]
    [(-3.5, -2.5), (2.5, 3.5)]
    """
    low, high = threshold(density.density, level), float(density.density.max())
    for _ in range(_HALVINGS):  # bridged dips hold something too: the level of the rest rises
        middle = 0.5 * (low + high)
        held = density.density[_bridged(density, middle)].sum() / density.density.sum()
        low, high = (middle, high) if held >= level else (low, middle)
    ends = np.flatnonzero(np.diff(np.concatenate([[False], _bridged(density, low), [False]])))
    edges = density.ends[0] + (density.x[1] - density.x[0]) * ends
    return tuple(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _bridged(density: Curve, level: float) -> NDArray[np.bool_]:
    """Return the cells above a density, and those of dips between them that are no more than noise."""
    within = density.density >= level
    ends = np.flatnonzero(np.diff(within.astype(int)))
    cell = density.x[1] - density.x[0]
    for left, right in zip(ends[:-1] + 1, ends[1:] + 1, strict=True):
        shallow = density.density[left:right].min() > _NOISE * level
        if not within[left] and shallow and (right - left) * cell < density.resolution:
            within[left:right] = True
    return np.asarray(within)


def threshold(density: Array, level: float) -> float:
    """Return the density above which equal cells hold a part `level` of the whole.

    >>> threshold(np.array([[4.0, 3.0], [2.0, 1.0]]), 0.6)
    3.0
    """
    descending = np.sort(density, axis=None)[::-1]
    held = np.cumsum(descending) / descending.sum()
    return float(descending[np.searchsorted(held, level * (1 - 1e-12))])


@dataclass(frozen=True, eq=False)
class Map:
    """The density of two parameters, (n, m), at the centres of equal cells x (n,) and y (m,)."""

    x: Array
    y: Array
    density: Array


def density_map(x: Curve, y: Curve, samples: Array, size: float, cells: int = 128) -> Map:
    """Return the smoothed density of samples (n, 2) where the curves of the two parameters lie.

    Smoothed as a curve is, with h = s S^(-1/6) / 2, half of what Scott's rule says: regions are often rings.
    """
    across, up = (np.linspace(*c.ends, cells + 1) for c in (x, y))
    counts = np.histogram2d(samples[:, 0], samples[:, 1], bins=(across, up))[0]
    for axis, edges in enumerate((across, up)):
        width = 0.5 * _kernel_width(samples[:, axis], 1.0) / 0.9 * max(size, 1.0) ** (-1 / 6)
        counts = _smoothed(counts, max(width / (edges[1] - edges[0]), _LEAST_CELLS), axis)
    return Map(0.5 * (across[1:] + across[:-1]), 0.5 * (up[1:] + up[:-1]), counts)
