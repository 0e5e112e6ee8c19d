"""What experiments saw, as arrays."""

from dataclasses import dataclass

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.experiment import Axis, Experiment
from nurecoil.study.histogram import Histogram, histograms


def on_axis(counts: Array, axis: int) -> Array:
    """Return counts (bins along each axis) summed over all axes but one."""
    if not counts.ndim:  # of all bins
        return counts.reshape(1)
    others = tuple(n for n in range(counts.ndim) if n != axis)
    return np.asarray(counts.sum(axis=others))


def poisson_errors(counts: Array) -> tuple[Array, Array]:
    """Return how far the central 68.27 % interval of a Poisson mean goes below and above counts n.

    From χ²₁₅.₈₇ %(2n)/2 to χ²₈₄.₁₃ %(2n + 2)/2 (Garwood 1936): 0 -0 +1.84, 1 -0.83 +2.30, 100 -9.98 +11.03.
    """
    from scipy.special import gammaincinv  # type: ignore[import-untyped]

    n, tail = np.maximum(counts, 0.0), 0.15865525393145707
    low = np.where(n > 0, gammaincinv(np.maximum(n, 1e-9), tail), 0.0)
    return n - low, gammaincinv(n + 1, 1 - tail) - n


@dataclass(frozen=True)
class Seen:
    """Counts of one experiment.

    Attributes
    ----------
    name, axes
        Of the experiment, and what its bins run over, energy first: names with units, and edges.
    observed : ndarray, shape (bins...), or () of a count
        Counts per bin, or the one count of a counting experiment; None for a projection.
    backgrounds
        Expected counts of each background at its central value, of the same shape.
    variance
        Of Gaussian counts, of the same shape; None for Poisson counts.
    """

    name: str
    axes: tuple[Axis, ...]
    observed: Array | None
    backgrounds: dict[str, Array]
    variance: Array | None = None

    @classmethod
    def by(cls, experiment: Experiment) -> "Seen":
        """Return what an experiment saw."""
        statistics = experiment.statistics
        shape = () if statistics.one_number else experiment.shape
        observed = None if statistics.observed is None else statistics.observed.reshape(shape)
        backgrounds: dict[str, Array] = {}
        for b in statistics.backgrounds:
            backgrounds[b.name] = backgrounds.get(b.name, 0.0) + b.nominal.reshape(shape)
        variance = None
        if statistics.variance and statistics.observed is not None:
            variance = np.broadcast_to(statistics.variance.of(statistics.observed), statistics.observed.shape)
            variance = variance.reshape(shape)
        return cls(experiment.name, experiment.axes, observed, backgrounds, variance)

    def along(self, axis: int) -> "Seen":
        """Return the counts summed over all axes but one."""
        observed = None if self.observed is None else on_axis(self.observed, axis)
        backgrounds = {name: on_axis(counts, axis) for name, counts in self.backgrounds.items()}
        variance = None if self.variance is None else on_axis(self.variance, axis)
        return Seen(self.name, (self.axes[axis],), observed, backgrounds, variance)

    @property
    def histograms(self) -> dict[str, Histogram]:
        """Backgrounds by name, and "data", as mplhep and hist take them (UHI); none if there are no bins."""
        return histograms(self.axes, self.backgrounds, self.observed, self.variance)

    @property
    def errors(self) -> tuple[Array, Array] | None:
        """Errors of the observed counts, down and up: those of `poisson_errors`, or σ of Gaussian ones."""
        if self.observed is None:
            return None
        return poisson_errors(self.observed) if self.variance is None else (np.sqrt(self.variance),) * 2
