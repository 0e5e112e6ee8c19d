"""χ² of one parameter as a curve, and whether the pulls settled wherever it was asked for."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nurecoil.analysis.question import Question

Array = NDArray[np.float64]


@dataclass
class Curve:
    """χ², pulls profiled, of the one free parameter of a question; it counts its points.

    Attributes
    ----------
    question
        With one free parameter.
    points, unsettled
        How many points were asked for so far, and at how many the pulls did not converge.
    """

    question: Question
    points: int = 0
    unsettled: int = 0

    def __call__(self, x: Array) -> Array:
        """Return χ² at values (P,) of the parameter."""
        found = self.question.profiled(x[:, np.newaxis])
        self.points += x.size
        self.unsettled += int((~found.converged).sum())
        return found.chi2

    @property
    def converged(self) -> bool:
        """Whether the pulls settled at every point."""
        return self.unsettled == 0

    @property
    def notes(self) -> tuple[str, ...]:
        """What to say where they did not."""
        if self.converged:
            return ()
        return (f"the nuisance parameters did not converge at {self.unsettled} of {self.points} points.",)
