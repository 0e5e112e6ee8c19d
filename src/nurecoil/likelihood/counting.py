"""The likelihood of one number of counts, Gaussian, with linear pulls (Binh et al. 2021, eqs. 43-45)."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nurecoil.errors import NurecoilError
from nurecoil.experiment import CountingStatistics

Array = NDArray[np.float64]


@dataclass(frozen=True)
class CountingLikelihood:
    """χ² of one number of counts with linear pulls on signal and background (Binh et al. 2021, eqs. 43-45).

    χ²(s; a1, a2) = [n - s(1 + a1) - B(1 + a2)]²/σ² + (a1/σ1)² + (a2/σ2)²

    Eq. 44 is B = 0 without a2, eq. 45 the same with n the Standard Model's expectation.

    Attributes
    ----------
    observed, background, variance : float
        n, B and σ².
    signal_width, background_width : float
        σ1 and σ2; zero for a rate that is known exactly.
    """

    observed: float
    background: float
    variance: float
    signal_width: float
    background_width: float

    def chi2(self, signal: ArrayLike, pulls: tuple[ArrayLike, ArrayLike]) -> Array:
        """Return χ² at the expected `signal` counts and the pulls (a1, a2); all broadcast."""
        s, a1, a2 = (np.asarray(x, dtype=float) for x in (signal, *pulls))
        residual = self.observed - s * (1 + a1) - self.background * (1 + a2)
        penalty = _penalty(a1, self.signal_width) + _penalty(a2, self.background_width)
        return np.asarray(residual**2 / self.variance + penalty)

    def profiled(self, signal: ArrayLike) -> Array:
        """Return χ² minimised over the pulls: (n - s - B)²/(σ² + σ1² s² + σ2² B²).

        >>> float(CountingLikelihood(110.0, 0.0, 100.0, 0.1, 0.0).profiled(100.0))
        0.5
        """
        s = np.asarray(signal, dtype=float)
        return (self.observed - s - self.background) ** 2 / self._total_variance(s)

    def best_pulls(self, signal: ArrayLike) -> tuple[Array, Array]:
        """Return the pulls (a1, a2) that minimise χ²: a_k = σ_k² c_k (n - s - B)/(σ² + σ1² s² + σ2² B²).

        c_1 = s and c_2 = B.
        """
        s = np.asarray(signal, dtype=float)
        scaled = (self.observed - s - self.background) / self._total_variance(s)
        return self.signal_width**2 * s * scaled, self.background_width**2 * self.background * scaled

    def _total_variance(self, signal: Array) -> Array:
        return (
            self.variance + (self.signal_width * signal) ** 2 + (self.background_width * self.background) ** 2
        )


def counting_likelihood(
    statistics: CountingStatistics, standard_model: float, widths: Mapping[str, float] | None = None
) -> CountingLikelihood:
    """Return the likelihood of a counting experiment.

    Parameters
    ----------
    statistics : CountingStatistics
    standard_model : float
        The Standard Model's expected counts, observed where the experiment is a projection.
    widths : mapping, optional
        Prior widths, by the name of the pull, that replace those of `statistics`.
    """
    widths = widths or {}
    observed = standard_model if statistics.observed is None else statistics.observed
    variance = observed * (1 + statistics.variance_fraction) + statistics.variance_counts
    if not variance > 0:
        raise NurecoilError(
            f"observed = {observed:g} without variance_counts is not allowed: a Gaussian needs a variance;"
            " give variance_counts, or the counts as bins of [data], which are Poisson"
        )
    width = {pull.name: widths.get(pull.name, pull.prior_width or 0.0) for pull in statistics.pulls}
    background_pull = statistics.background_pull
    return CountingLikelihood(
        observed=observed,
        background=statistics.background,
        variance=variance,
        signal_width=width[statistics.signal_pull.name],
        background_width=width[background_pull.name] if background_pull else 0.0,
    )


def _penalty(pull: Array, width: float) -> Array:
    if width == 0.0:
        return np.where(pull == 0.0, 0.0, np.inf)
    return (pull / width) ** 2
