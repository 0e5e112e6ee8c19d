"""The likelihood of one number of counts in closed form, independent of the engine."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class CountingLikelihood:
    """χ² of one number of counts with linear pulls on signal and background (Binh et al. 2021, eqs. 43-45).

    χ²(s; a1, a2) = [n - s(1 + a1) - B(1 + a2)]²/σ² + (a1/σ1)² + (a2/σ2)²

    Eq. 44 is B = 0 without a2, eq. 45 the same with n the Standard Model's expectation.

    n, B and σ² are observed, background and variance; σ1 and σ2 the widths, 0 of a rate known exactly.
    """

    observed: float
    background: float
    variance: float
    signal_width: float
    background_width: float

    def chi2(self, signal, pulls):
        """Return χ² at the expected `signal` counts and the pulls (a1, a2); all broadcast."""
        s, a1, a2 = (np.asarray(x, dtype=float) for x in (signal, *pulls))
        residual = self.observed - s * (1 + a1) - self.background * (1 + a2)
        penalty = _penalty(a1, self.signal_width) + _penalty(a2, self.background_width)
        return np.asarray(residual**2 / self.variance + penalty)

    def profiled(self, signal):
        """Return χ² minimised over the pulls: (n - s - B)²/(σ² + σ1² s² + σ2² B²)."""
        s = np.asarray(signal, dtype=float)
        return (self.observed - s - self.background) ** 2 / self._total_variance(s)

    def best_pulls(self, signal):
        """Return the pulls (a1, a2) that minimise χ²: a_k = σ_k² c_k (n - s - B)/(σ² + σ1² s² + σ2² B²).

        c_1 = s and c_2 = B.
        """
        s = np.asarray(signal, dtype=float)
        scaled = (self.observed - s - self.background) / self._total_variance(s)
        return self.signal_width**2 * s * scaled, self.background_width**2 * self.background * scaled

    def _total_variance(self, signal):
        return (
            self.variance + (self.signal_width * signal) ** 2 + (self.background_width * self.background) ** 2
        )


def closed_form(statistics, standard_model=1e9, widths=None):
    """Return it of a counting experiment; a projection observes the Standard Model's counts."""
    observed = float(standard_model if statistics.observed is None else statistics.observed[0])
    variance = observed * statistics.variance.per_count + statistics.variance.counts
    (rate,), backgrounds = statistics.signal.rates, statistics.backgrounds
    width = {pull.name: (widths or {}).get(pull.name, pull.prior_width) for pull in statistics.pulls}
    return CountingLikelihood(
        observed=observed,
        background=float(sum(b.nominal[0] for b in backgrounds)),
        variance=variance,
        signal_width=width[rate.name],
        background_width=sum(width[pull.name] for b in backgrounds for pull in b.rates),
    )


def _penalty(pull, width):
    if width == 0.0:
        return np.where(pull == 0.0, 0.0, np.inf)
    return (pull / width) ** 2
