"""What experiments saw, as arrays."""

from dataclasses import dataclass

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.experiment import Axis, Experiment


def on_axis(counts: Array, axis: int) -> Array:
    """Return counts (bins along each axis) summed over all axes but one."""
    if not counts.ndim:  # of all bins
        return counts.reshape(1)
    others = tuple(n for n in range(counts.ndim) if n != axis)
    return np.asarray(counts.sum(axis=others))


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
    """

    name: str
    axes: tuple[Axis, ...]
    observed: Array | None
    backgrounds: dict[str, Array]

    @classmethod
    def by(cls, experiment: Experiment) -> "Seen":
        """Return what an experiment saw."""
        statistics = experiment.statistics
        shape = () if statistics.one_number else experiment.shape
        observed = None if statistics.observed is None else statistics.observed.reshape(shape)
        backgrounds: dict[str, Array] = {}
        for b in statistics.backgrounds:
            backgrounds[b.name] = backgrounds.get(b.name, 0.0) + b.nominal.reshape(shape)
        return cls(experiment.name, experiment.axes, observed, backgrounds)

    def along(self, axis: int) -> "Seen":
        """Return the counts summed over all axes but one."""
        observed = None if self.observed is None else on_axis(self.observed, axis)
        backgrounds = {name: on_axis(counts, axis) for name, counts in self.backgrounds.items()}
        return Seen(self.name, (self.axes[axis],), observed, backgrounds)
