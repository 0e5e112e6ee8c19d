"""What experiments observed, or might have: counts, and where the priors of the pulls are centred."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nurecoil.arithmetic import Array
from nurecoil.errors import NurecoilError


@dataclass(frozen=True)
class Data:
    """Real, expected (Asimov) or simulated data, one set or D of them.

    A pull's prior stands for an auxiliary measurement, whose outcome is as much data as the counts are.

    Attributes
    ----------
    counts
        Of each experiment, shape (bins,) or (D, bins).
    centres : ndarray, shape (pulls,) or (D, pulls)
        Where the priors are centred, in the pulls' own units.
    """

    counts: tuple[Array, ...]
    centres: Array

    @property
    def sets(self) -> int:
        """D; 1 for one set."""
        return max(len(np.atleast_2d(part)) for part in (*self.counts, self.centres))

    def at(self, which: NDArray[np.intp] | slice) -> "Data":
        """Return the sets `which`; what is the same for all stays."""

        def pick(part: Array) -> Array:
            return part if part.ndim == 1 or len(part) == 1 else part[which]

        return Data(tuple(pick(counts) for counts in self.counts), pick(self.centres))

    def check(self, bins: tuple[int, ...], pulls: int) -> None:
        """Refuse data of another shape, and counts that are not numbers."""
        for counts, size in zip(self.counts, bins, strict=True):
            if counts.shape[-1] != size or not np.isfinite(counts).all():
                raise NurecoilError(f"data need {size} finite counts a set, not an array of {counts.shape}")
        if self.centres.shape[-1] != pulls or not np.isfinite(self.centres).all():
            raise NurecoilError(f"data need {pulls} finite centres, not an array of {self.centres.shape}")
