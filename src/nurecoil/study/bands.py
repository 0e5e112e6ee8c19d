"""How a limit varies from one experiment to the next, by toys."""

from dataclasses import dataclass

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.errors import NurecoilError
from nurecoil.progress import stepwise
from nurecoil.study.question import Question

QUANTILES = (0.02275, 0.15866, 0.5, 0.84134, 0.97725)  # -2σ, -1σ, median, +1σ, +2σ
FEWEST_TOYS = 100  # two beyond 2σ
_VALUES = 81
_NEARER = 12  # more values near a low end at which nothing is expected
_INFINITE = 1e100  # stands for an infinite Δχ²
_SETS_AT_ONCE = 2000


@dataclass(frozen=True, eq=False)
class Bands:
    """Quantiles over toys, -2σ, -1σ, median, +1σ, +2σ: shapes (5, ...).

    Attributes
    ----------
    values, delta_chi2 : ndarrays, shapes (P,) and (5, P)
        Values of the scanned parameter (inside units), and Δχ² of the toys there.
    low, high : ndarray, shape (5,)
        The lowest and the highest allowed value of each toy, of all its intervals; the edge of the scan where
        that is allowed.
    toys, converged, seed
        How many toys, how many of which converged, and the seed of the random numbers.
    """

    values: Array
    delta_chi2: Array
    low: Array
    high: Array
    toys: int
    converged: int
    seed: int


def bands(
    question: Question, truth: Question, low: float, high: float, level: float, toys: int, seed: int
) -> Bands:
    """Return how Δχ² and the limits at a level of the one free parameter vary, if a question's start is true.

    The nuisance parameters are at their centres, around which their auxiliary measurements fluctuate.
    """
    if toys < FEWEST_TOYS:
        raise NurecoilError(
            f"toys = {toys} is not allowed: bands to 2σ need {FEWEST_TOYS} or more, or none: 0"
        )
    log = question.free[0].log_scan and low > 0
    values = np.clip((np.geomspace if log else np.linspace)(low, high, _VALUES), low, high)
    point = [truth.start[name] for name in truth.names]
    at_low = question.with_data(truth.expected(point)).chi2([[low]])[0]
    if np.isinf(at_low):  # Δχ² falls from there as -ln x does
        values = np.union1d(values, low + (values[1] - low) * 0.5 ** np.arange(_NEARER))
    rng, parts, converged = np.random.default_rng(seed), [], 0
    for first in stepwise(range(0, toys, _SETS_AT_ONCE)):
        data = truth.simulate(point, truth.likelihood.centre, min(_SETS_AT_ONCE, toys - first), rng)
        curves, good = _curves(question.with_data(data), values, low, high)
        parts.append(curves)
        converged += good
    delta = np.minimum(np.concatenate(parts, axis=1), _INFINITE)
    quantiles = np.quantile(delta, QUANTILES, axis=1)
    u = np.log(values) if log else values
    ends = np.array([_ends(u, curve, level) for curve in delta.T])
    ends = np.clip(np.exp(ends) if log else ends, low, high)
    return Bands(
        values=values,
        delta_chi2=np.where(quantiles < 0.01 * _INFINITE, quantiles, np.inf),
        low=np.quantile(ends[:, 0], QUANTILES),
        high=np.quantile(ends[:, 1], QUANTILES),
        toys=toys,
        converged=converged,
        seed=seed,
    )


def _curves(asked: Question, values: Array, low: float, high: float) -> tuple[Array, int]:
    """Return Δχ² at each value of each set of data, (P, sets), and how many sets converged."""
    found = [asked.profiled([[x]]) for x in stepwise(values.tolist())]
    chi2 = np.array([each.chi2 for each in found])
    lowest = chi2.argmin(axis=0)
    best = chi2.min(axis=0)
    if asked.of_model:
        best = np.minimum(best, asked.fitted(values[lowest, np.newaxis], [low], [high]).chi2)
    good = np.all([each.converged for each in found], axis=0)
    return chi2 - best, int(good.sum())


def _ends(u: Array, delta: Array, level: float) -> tuple[float, float]:
    """Return the lowest and the highest u with Δχ² <= level, between points by a straight line."""
    inside = np.flatnonzero(delta <= level)
    if not inside.size:  # between two points
        return float(u[delta.argmin()]), float(u[delta.argmin()])
    first, last = int(inside[0]), int(inside[-1])
    return _crossing(u, delta, level, first - 1), _crossing(u, delta, level, last)


def _crossing(u: Array, delta: Array, level: float, i: int) -> float:
    """Return where Δχ² is the level between points i and i + 1, or the edge."""
    if i < 0 or i == len(u) - 1:
        return float(u[max(i, 0)])
    share = (level - delta[i]) / (delta[i + 1] - delta[i])
    return float(u[i] + share * (u[i + 1] - u[i]))
