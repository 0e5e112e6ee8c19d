"""Feldman and Cousins' intervals of one number of counts on a known background: exact, without toys."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nurecoil.inference.calibration import Calibration, Coverage
from nurecoil.inference.intervals import Function, Profile, profile, threshold

Array = NDArray[np.float64]

_TIES = 1e-9  # of t: equal values of t differ by rounding
_MORE = np.linspace(0.0, 3.0, 1501)  # counts: a larger background that allows more signal is not far away
_HALVINGS = 40
_FAR = 10.0  # standard deviations
_MANY = 1e4


@dataclass(frozen=True)
class Belt:
    r"""Which signals s >= s₀ a count n of mean s + b allows (Phys. Rev. D 57, 3873 (1998), section IV).

    .. math:: t_k = 2 [s + b - \mu_k + k \ln(\mu_k/(s + b))], \quad \mu_k = \max(k, s_0 + b), \qquad
              P(t_k < t_n | s) < \mathrm{cl}

    Attributes
    ----------
    observed, background, least, cl
        n, b, s₀ and the confidence level.
    """

    observed: float
    background: float
    least: float
    cl: float

    def ends(self) -> tuple[float, float]:
        """Return the least and the largest signal that is allowed, as in the tables of the paper.

        What lies between allowed signals is allowed too, and so is what a larger background would allow
        above them.
        """
        # t_n has passed where P(t_k >= t_n), which is below 2 exp(-t_n/2), is less than 1 - cl
        t, mean = 2.0 * math.log(2.0 / (1.0 - self.cl)), self.least + self.background + _MORE[-1]
        beyond = max(self.observed, self.least) + t + 2.0 * math.sqrt(t * max(self.observed, mean))
        pieces = profile(self._before, self.least, beyond, self.cl, reference=0.0).intervals
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
        t, p = self._outcomes(np.minimum(signal, _MANY), self.background)
        order = np.argsort(t, axis=1)
        enough = np.take_along_axis(p, order, axis=1).cumsum(axis=1) >= self.cl - _TIES
        return np.asarray(np.take_along_axis(t, order, axis=1)[np.arange(len(t)), enough.argmax(axis=1)])

    def covered(self, signal: Array, level: Array) -> Array:
        """Return P(t_k <= level) at signals (P,)."""
        t, p = self._outcomes(signal, self.background)
        return np.asarray(np.where(t <= level[:, np.newaxis] + _TIES, p, 0.0).sum(axis=1))

    def _before(self, signal: Array, background: Array | float | None = None) -> Array:
        """Return P(t_k < t_n) at signals (P,)."""
        b = np.broadcast_to(self.background if background is None else background, signal.shape)
        t, p = self._outcomes(signal, b)
        seen = self._t(np.array(self.observed), signal, b)[:, np.newaxis]
        return np.asarray(np.where(t < seen - _TIES, p, 0.0).sum(axis=1))

    def _outcomes(self, signal: Array, background: Array | float) -> tuple[Array, Array]:
        """Return t_k, and the probability, of each k near the mean, (P, K)."""
        from scipy.special import gammaln, xlogy  # type: ignore[import-untyped]

        s, b = signal[:, np.newaxis], np.reshape(background, (-1, 1))
        width = _FAR * np.sqrt(s + b) + _FAR
        k = np.maximum(np.floor(s + b - width), 0.0) + np.arange(2.0 * float(width.max()))
        with np.errstate(under="ignore"):
            return self._t(k, s, b), np.exp(xlogy(k, s + b) - s - b - gammaln(k + 1.0))

    def _t(self, k: Array, s: Array, b: Array) -> Array:
        from scipy.special import xlogy

        best = np.maximum(k, self.least + b)
        return np.asarray(2.0 * (s + b - best + xlogy(k, best) - xlogy(k, s + b)))


def calibrate_count(
    chi2: Function,
    signal: Function,
    observed: float,
    background: float,
    low: float,
    high: float,
    cl: float,
    truths: Sequence[float] = (),
    *,
    log: bool = False,
    curve_points: int = 401,
) -> tuple[Calibration, Coverage | None]:
    """Return what one number of counts allows, as `calibrate` does, and how often the truths are covered.

    Parameters
    ----------
    chi2, low, high, cl, log, curve_points
        As for `calibrate`; the smallest signal in the scan is the smallest there is.
    signal : callable
        The counts expected above the background, of a 1-D array.
    observed, background : float
    truths : sequence of float
        Where the coverage is asked for.
    """

    def scanned(function: Function, level: float, reference: float | None = None) -> Profile:
        return profile(function, low, high, level, log=log, points=curve_points, reference=reference)

    wilks, least = scanned(chi2, threshold(cl)), scanned(signal, 1.0).minimum
    belt = Belt(observed, background, least, cl)
    bottom, top = belt.ends()
    bottom = bottom if bottom > least else -math.inf
    intervals = scanned(lambda x: np.maximum(bottom - signal(x), signal(x) - top), 0.0, 0.0).intervals
    values = np.unique([*wilks.values, *(end for i in intervals for end in (i.low, i.high))])
    none = np.zeros(values.size)
    found = Calibration(
        cl=cl,
        wilks=wilks,
        intervals=intervals,
        errors=tuple((math.nan if i.open_low else 0.0, math.nan if i.open_high else 0.0) for i in intervals),
        values=values,
        critical=belt.critical(signal(values)),
        critical_error=none,
        toys=none.astype(np.int64),
        failed=none.astype(np.int64),
        log=log,
    )
    if not len(truths):
        return found, None
    x, none = np.array(truths, dtype=float), np.zeros(len(truths))
    s = signal(x)
    covered = [belt.covered(s, level) for level in (np.full(s.shape, wilks.level), belt.critical(s))]
    return found, Coverage(x, covered[0], none, covered[1], none, number=0, failed=0)
