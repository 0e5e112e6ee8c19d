"""How far off simulated experiments lie, each fitted as the data were: a p-value without asymptotics."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nurecoil.arithmetic import Array
from nurecoil.inference.significance import binomial_error
from nurecoil.progress import stepwise
from nurecoil.study.question import Question

_SAME = 1e-7  # in χ²: as near as fits come


@dataclass(frozen=True, eq=False)
class ByToys:
    """A statistic of simulated experiments.

    Attributes
    ----------
    statistic
        χ², or Δχ², of each toy, shape (toys,).
    p_value, error
        The fraction that lies at least as far off as the data, and its binomial error (never zero: the
        standard deviation of the fraction's posterior).
    converged, seed
        In how many toys all fits converged, and of the random numbers.
    """

    statistic: Array
    p_value: float
    error: float
    converged: int
    seed: int

    @property
    def number(self) -> int:
        """How many there are."""
        return len(self.statistic)

    @property
    def not_converged(self) -> int:
        """In how many a fit did not converge."""
        return self.number - self.converged

    def __str__(self) -> str:
        """Return the p-value; of no toy in N, the 95 % limit 3/N."""
        found = f"{self.p_value:.4g} ± {self.error:.2g}"
        if self.p_value == 0:
            found = f"below {3 / self.number:.2g} at 95 % CL"
        return f"{found} ({self.number} toys, seed {self.seed})"

    def record(self) -> dict[str, object]:
        """Return all but the toys themselves, as plain data."""
        names = ("number", "seed", "p_value", "error", "not_converged")
        return {name: getattr(self, name) for name in names}


def by_toys(
    question: Question,
    point: Array,
    pulls: Array,
    statistic: Callable[[Question], tuple[Array, NDArray[np.bool_]]],
    observed: float,
    *,
    toys: int,
    seed: int,
    at_once: int,
) -> ByToys:
    """Return how far off toys at a point (d,) and pulls (J,) lie; `observed` is the statistic of the data.

    The auxiliary measurements of the pulls fluctuate with the counts. `statistic` returns that of each set of
    data of a question, and where its fits converged; so many as `at_once` are in memory together.
    """
    rng, found, converged = np.random.default_rng(seed), np.empty(toys), 0
    for first in stepwise(range(0, toys, at_once), f"{toys} toys"):
        part = found[first : first + at_once]
        data = question.simulate(point, pulls, part.size, rng)
        part[:], settled = statistic(question.with_data(data))
        converged += int(settled.sum())
    as_far = int((found >= observed - _SAME).sum())
    return ByToys(found, as_far / toys, float(binomial_error(as_far, toys)), converged, seed)
