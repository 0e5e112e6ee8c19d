"""What every term of a likelihood can do: one experiment as a function of couplings and pulls."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from nurecoil.couplings import Couplings
from nurecoil.likelihood.component import Morphing
from nurecoil.parameters import Parameter

Array = NDArray[np.float64]


class Term(Protocol):
    """The likelihood of one experiment, without the priors of its pulls.

    Pulls are zero where nothing is pulled: fractions of a rate, or standard deviations of a shape.
    """

    @property
    def name(self) -> str:
        """The experiment's name."""

    @property
    def observed(self) -> Array:
        """The observed counts per bin."""

    @property
    def pulls(self) -> tuple[Parameter, ...]:
        """The nuisance parameters, with the widths of their priors."""

    def signal(self, couplings: Couplings) -> Morphing:
        """Return what the couplings predict at P points: what `evaluate` takes."""

    def evaluate(self, signal: Morphing, x: Array) -> tuple[Array, Array, Array]:
        """Return -2 ln L (P,), its gradient (P, J) and a Hessian (P, J, J) at the pulls x (P, J)."""

    def components(self, signal: Morphing, x: Array) -> Mapping[str, Array]:
        """Return the counts of the signal and of each background, shape (P, bins), at the pulls x (P, J)."""
