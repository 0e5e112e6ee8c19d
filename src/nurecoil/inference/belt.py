"""Feldman and Cousins' intervals of one number of counts on a known background: sums in place of toys."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from nurecoil.arithmetic import Array
from nurecoil.inference.calibration import Calibration, Coverage
from nurecoil.inference.intervals import profile, threshold
from nurecoil.inference.line import Axis, Function, Line

_TIES = 1e-9  # of t: equal values of t differ by rounding
_MORE = np.linspace(0.0, 3.0, 1501)  # counts: a larger background that allows more signal is not far away
_HALVINGS = 40
_FAR = 10.0  # standard deviations
_MANY = 1e4  # counts


@dataclass(frozen=True)
class Belt:
    r"""Which signals s >= s₀ a count n allows, of mean s + b (Phys. Rev. D 57, 3873 (1998), section IV).

    .. math:: t_k = 2 [s + b - \mu_k + k \ln(\mu_k/(s + b))], \quad \mu_k = \max(k, s_0 + b), \qquad
              P(t_k < t_n | s) < \mathrm{cl}

    Attributes: n, b, s₀ and the confidence level.
    """

    observed: float
    background: float
    least: float
    cl: float

    def ends(self) -> tuple[float, float]:
        """Return the least and the largest signal allowed, as in the tables of the paper.

        No gaps are left between them, and the largest is not below that of a larger background.
        """
        t = 2.0 * math.log(2.0 / (1.0 - self.cl))  # P(t_k >= t_n) is below 2 exp(-t_n/2)
        most = max(self.observed, self.least + self.background + _MORE[-1])
        beyond = max(self.observed, self.least) + t + 2.0 * math.sqrt(t * most)
        pieces = profile(Line(self._before, Axis(self.least, beyond)), self.cl, reference=0.0).intervals
        high = pieces[-1].high
        for _ in range(_HALVINGS if self.background else 0):
            middle = 0.5 * (high + beyond)
            if self._before(np.full(_MORE.shape, middle), self.background + _MORE).min() < self.cl:
                high = middle
            else:
                beyond = middle
        return pieces[0].low, high

    def critical(self, signal: Array) -> Array:
        """Return the smallest t with P(t_k <= t) >= cl at signals (P,); beyond many counts it stays."""
        t, p, _ = self._outcomes(np.minimum(signal, _MANY), self.background)
        order = np.argsort(t, axis=1)
        enough = np.take_along_axis(p, order, axis=1).cumsum(axis=1) >= self.cl - _TIES
        return np.asarray(np.take_along_axis(t, order, axis=1)[np.arange(len(t)), enough.argmax(axis=1)])

    def covered(self, signal: Array, level: ArrayLike) -> Array:
        """Return P(t_k <= level) at signals (P,)."""
        t, p, _ = self._outcomes(signal, self.background)
        return np.asarray(np.where(t <= np.reshape(level, (-1, 1)) + _TIES, p, 0.0).sum(axis=1))

    def _before(self, signal: Array, background: Array | None = None) -> Array:
        """Return P(t_k < t_n) at signals (P,)."""
        t, p, seen = self._outcomes(signal, self.background if background is None else background)
        return np.asarray(np.where(t < seen - _TIES, p, 0.0).sum(axis=1))

    def _outcomes(self, signal: Array, background: Array | float) -> tuple[Array, Array, Array]:
        """Return t_k, and the probability, of each k near the mean, (P, K), and t_n, (P, 1)."""
        from scipy.special import gammaln, xlogy  # type: ignore[import-untyped]

        b = np.reshape(background, (-1, 1))
        mean = signal[:, np.newaxis] + b
        width = _FAR * np.sqrt(mean) + _FAR
        k = np.maximum(np.floor(mean - width), 0.0) + np.arange(2.0 * float(width.max()))

        def t(k: Array) -> Array:
            best = np.maximum(k, self.least + b)
            return np.asarray(2.0 * (mean - best + xlogy(k, best) - xlogy(k, mean)))

        with np.errstate(under="ignore"):
            return t(k), np.exp(xlogy(k, mean) - mean - gammaln(k + 1.0)), t(np.array([[self.observed]]))


def calibrate_count(
    line: Line, signal: Function, observed: float, background: float, cl: float, truths: Sequence[float]
) -> tuple[Calibration, Coverage | None]:
    """Return what one count allows, as `calibrate` does, and how often the truths are, as `coverage` does.

    The signal is what is expected above the background, of a 1-D array of the parameter; its smallest in the
    scan is the smallest there is.
    """
    wilks, least = profile(line, threshold(cl)), profile(replace(line, function=signal), 1.0).minimum
    belt = Belt(observed, background, least, cl)
    bottom, top = belt.ends()
    bottom = bottom if bottom > least else -math.inf
    outside = replace(line, function=lambda x: np.maximum(bottom - signal(x), signal(x) - top))
    intervals = profile(outside, 0.0, reference=0.0).intervals
    values = np.unique([*wilks.values, *(x for interval in intervals for x, _ in interval.ends)])
    none = np.zeros(values.size)
    counts = none.astype(np.int64)
    errors = tuple((math.nan if i.open_low else 0.0, math.nan if i.open_high else 0.0) for i in intervals)
    critical = belt.critical(signal(values))
    found = Calibration(cl, wilks, intervals, errors, values, critical, none, counts, counts, line.axis)
    if not len(truths):
        return found, None
    x, none = np.array(truths, dtype=float), np.zeros(len(truths))
    s = signal(x)
    by_wilks, by_sums = belt.covered(s, wilks.level), belt.covered(s, belt.critical(s))
    return found, Coverage(x, by_wilks, none, by_sums, none, number=0, failed=0)
