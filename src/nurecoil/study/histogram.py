"""Counts in bins as other tools take them: UHI's histogram protocol, of mplhep, hist and histoprint."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.experiment import Axis


@dataclass(frozen=True)
class Traits:
    """What kind of axis it is: neither an angle, nor one of categories."""

    circular: bool = False
    discrete: bool = False


@dataclass(frozen=True)
class BinAxis:
    """One axis: a sequence of bins, each with its lower and upper edge."""

    label: str  # with the unit
    edges: tuple[float, ...]
    traits: Traits = Traits()

    def __len__(self) -> int:
        """Return the number of bins."""
        return len(self.edges) - 1

    def __getitem__(self, index: int) -> tuple[float, float]:
        """Return the edges of a bin."""
        number = range(len(self))[index]
        return self.edges[number], self.edges[number + 1]

    def __iter__(self) -> Iterator[tuple[float, float]]:
        """Return the edges of each bin."""
        return zip(self.edges[:-1], self.edges[1:], strict=True)


@dataclass(frozen=True, eq=False)
class Histogram:
    """Counts in bins: `mplhep.histplot(histogram)` draws them.

    Attributes
    ----------
    axes
        What the bins run over.
    content, variance : ndarray, shape (bins...)
        Counts per bin, and their variance: n of Poisson counts, σ² of Gaussian ones; None where counts are
        expected, and have no statistical error.
    """

    axes: tuple[BinAxis, ...]
    content: Array
    variance: Array | None = None
    kind: str = "COUNT"

    def values(self) -> Array:
        """Return the counts per bin."""
        return self.content.copy()

    def variances(self) -> Array | None:
        """Return the variance of the counts, None of expected ones."""
        return None if self.variance is None else self.variance.copy()

    def counts(self) -> Array | None:
        """Return how many events are worth as much: n²/σ², which is n of Poisson counts."""
        if self.variance is None:
            return None
        square = self.content**2
        return np.divide(square, self.variance, out=np.zeros_like(square), where=self.variance > 0)


def histograms(
    axes: Sequence[Axis], expected: Mapping[str, Array], observed: Array | None, variance: Array | None
) -> dict[str, Histogram]:
    """Return expected counts by name and observed ones, "data"; without what has no bins.

    The variance is that of Gaussian counts; None for Poisson ones.
    """
    ours = tuple(BinAxis(axis.name, tuple(axis.edges)) for axis in axes)
    shape = tuple(len(axis) for axis in ours)
    found = {name: Histogram(ours, counts) for name, counts in expected.items() if counts.shape == shape}
    if observed is not None and observed.shape == shape:
        found["data"] = Histogram(ours, observed, observed if variance is None else variance)
    return found
