"""Priors of parameters, and a posterior as a function of numbers that are standard normal a priori.

Every sampler works in coordinates z, in which all priors are one: z ~ N(0, 1), independent. So there are no
walls, no scales to guess, and nested sampling, which needs the unit cube, takes Φ(z).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from nurecoil.arithmetic import Array
from nurecoil.checks import require
from nurecoil.errors import NurecoilError

LogLikelihood: TypeAlias = Callable[[Array], Array]

_STEP = 1e-5  # in z, for derivatives
_FAR = 8.0  # standard deviations: Φ(-8) = 6e-16, beyond which a double holds no 1 - Φ


@dataclass(frozen=True)
class Prior:
    r"""The prior of one parameter: flat in it, flat in its logarithm, or Gaussian; always inside bounds.

    .. math:: \pi(x) \propto 1, \quad \frac1x, \quad \text{or} \quad e^{-(x-c)^2/2w^2},
              \qquad x_\mathrm{low} \le x \le x_\mathrm{high}

    Attributes
    ----------
    low, high : float
        The bounds, in the parameter's unit; finite unless the prior is Gaussian.
    log : bool
        Flat in ln x; then 0 < low.
    centre, width : float
        Of the Gaussian; without a width there is none.

    Raises
    ------
    NurecoilError
        For a prior that cannot be normalised, or bounds that hold nothing.

    Examples
    --------
    >>> import numpy as np
    >>> Prior(0.01, 100.0, log=True).value(np.array([-9.0, 0.0, 9.0])).round(6).tolist()
    [0.01, 1.0, 100.0]
    """

    low: float
    high: float
    log: bool = False
    centre: float = 0.0
    width: float | None = None

    def __post_init__(self) -> None:
        """Check that the prior is one."""
        bounds = (self.low, self.high)
        require(self.low < self.high, "the prior's range", bounds, "two ascending numbers")
        if self.width is None:
            finite = bool(np.isfinite(bounds).all())
            require(finite, "the prior's range", bounds, "finite, or the prior could not be normalised")
        else:
            require(0 < self.width < np.inf, "the prior's width", self.width, "positive and finite")
            near = self.low < self.centre + _FAR * self.width and self.high > self.centre - _FAR * self.width
            require(near, "the prior's range", bounds, f"within {_FAR:g} widths of its centre {self.centre}")
        if self.log:
            require(self.low > 0, "the prior's range", bounds, "above 0 where the prior is flat in ln x")

    def value(self, z: Array) -> Array:
        """Return x at coordinates z, each a standard normal number a priori."""
        from scipy.special import ndtr, ndtri  # type: ignore[import-untyped]

        if self.width is None:
            if self.log:
                x = self.low * (self.high / self.low) ** ndtr(z)
            else:
                x = self.low + (self.high - self.low) * ndtr(z)
        elif self._cut == (0.0, 1.0):
            x = self.centre + self.width * z
        else:
            low, high = self._cut
            part = np.clip(low + (high - low) * ndtr(z), ndtr(-_FAR), 1.0 - np.finfo(float).eps)
            x = self.centre + self.width * ndtri(part)
        inside: Array = np.clip(x, self.low, self.high)
        return inside

    def flat(self, x: ArrayLike) -> Array:
        """Return the coordinate in which a prior without Gaussian is flat: ln x, or x."""
        return np.log(x) if self.log else np.asarray(x, dtype=float)

    def gaussian(self, x: Array) -> Array:
        """Return the exponent of the Gaussian, -(x - c)²/2w²; 0 without one."""
        if self.width is None:
            return np.zeros_like(x)
        return -0.5 * ((x - self.centre) / self.width) ** 2

    @cached_property
    def _cut(self) -> tuple[float, float]:
        """How much of the Gaussian lies below each bound."""
        from scipy.special import ndtr

        assert self.width is not None
        ends = (np.array([self.low, self.high]) - self.centre) / self.width
        low, high = (0.0 if z < -_FAR else 1.0 if z > _FAR else float(ndtr(z)) for z in ends)
        return low, high


@dataclass(frozen=True, eq=False)
class Target:
    """What is sampled: a likelihood times priors.

    Attributes
    ----------
    log_likelihood
        ln L of points (P, D), without the priors, up to a constant: (P,). -inf means impossible.
    priors
        One for each of the D parameters.
    slopes
        ln L and its gradient, (P,) and (P, D), where that is known better than by differences.
    """

    log_likelihood: LogLikelihood
    priors: tuple[Prior, ...]
    slopes: Callable[[Array], tuple[Array, Array]] | None = None

    @property
    def dimensions(self) -> int:
        """The number of parameters."""
        return len(self.priors)

    def values(self, z: Array) -> Array:
        """Return the parameters (P, D) at coordinates z (P, D)."""
        columns = [prior.value(z[..., number]) for number, prior in enumerate(self.priors)]
        return np.stack(columns, axis=-1)

    def log_likelihood_at(self, z: Array) -> Array:
        """Return ln L (P,) at coordinates z (P, D), checked."""
        x = self.values(z)
        found = np.asarray(self.log_likelihood(x), dtype=float)
        bad = np.isnan(found) | np.isposinf(found)
        if bad.any():
            point = ", ".join(f"{value:.6g}" for value in x[bad][0])
            raise NurecoilError(
                f"the likelihood at ({point}) has the logarithm {found[bad][0]}: it must be a number"
            )
        return found

    def log_posterior_at(self, z: Array) -> Array:
        """Return ln L - z²/2 (P,): the density in z, up to a constant."""
        density: Array = self.log_likelihood_at(z) - 0.5 * (z**2).sum(axis=-1)
        return density

    def log_posterior_slopes_at(self, z: Array) -> tuple[Array, Array]:
        """Return the same and its gradient, (P,) and (P, D)."""
        points, dimensions = z.shape
        if self.slopes is not None:
            along = (self.values(z + _STEP) - self.values(z - _STEP)) / (2 * _STEP)
            log_likelihood, gradient = self.slopes(self.values(z))
            return log_likelihood - 0.5 * (z**2).sum(axis=1), gradient * along - z
        sides = np.concatenate(
            [np.zeros((1, dimensions)), *(s * _STEP * np.eye(dimensions) for s in (1, -1))]
        )
        found = self.log_posterior_at((z[:, np.newaxis] + sides).reshape(-1, dimensions)).reshape(points, -1)
        value, ahead, behind = np.split(found, [1, 1 + dimensions], axis=1)
        return value[:, 0], (ahead - behind) / (2 * _STEP)

    def chi2(self, x: Array) -> Array:
        """Return -2 ln L plus the Gaussian priors' terms (P,) at parameters x (P, D)."""
        gaussians = sum(prior.gaussian(x[:, number]) for number, prior in enumerate(self.priors))
        chi2: Array = -2.0 * (np.asarray(self.log_likelihood(x)) + gaussians)
        return chi2
